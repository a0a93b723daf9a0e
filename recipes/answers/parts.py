"""The parts of a stated recipe, looked up in the registry, and what it costs in all.

In: a Recipe and the library. Out: its visual part, LLM and data as picker/ knows them, and Costs.
Raises flops.MissingFigure, which names what the registry lacks. Does not parse or print.
"""

import math
import re

from ..cost import flops
from ..cost.tokens import LEARNED, POOLED, per_view
from ..effects.features import visual_tokens
from ..library import Library
from ..picker.limits import Constraints, Costs, costs_of
from ..picker.space import Data, Language, Visual
from ..terms.recipe import BASELINE, Recipe, change, published_size
from ..terms.vocabulary import Vocabulary


def visual_part(library: Library, recipe: Recipe) -> Visual:
    """The visual part of a recipe with its costs. Raises flops.MissingFigure."""
    words = library.words
    encoders = []
    for part in (recipe.encoder or "").split("+"):
        record = words.records("encoder").get(part)
        if record is None:
            raise flops.MissingFigure(f"the registry does not know the encoder {part!r}")
        side = (
            recipe.resolution
            if isinstance(recipe.resolution, int)
            else max(
                [n for n in record.get("native_resolution") or [] if isinstance(n, int)] or [336]
            )
        )
        encoders.append((record, side))
    count = recipe.visual_tokens or visual_tokens(recipe.stated(), words)
    known = recipe.connector in LEARNED or recipe.connector in POOLED
    if (
        not count
        and known
        and isinstance(recipe.resolution, int)
        and encoders[0][0].get("patch_size")
    ):
        count = per_view(
            int(encoders[0][0]["patch_size"]), recipe.resolution, recipe.connector
        ).tokens
    if not count:
        raise flops.MissingFigure("the number of visual tokens is not known")
    views = 1
    # tiles: a square of views of the native size and the overview; unsaid, as many as the tokens
    # fill
    if not isinstance(recipe.resolution, int):
        across = re.fullmatch(r"anyres-(\d+)", recipe.resolution or "")
        tiles = next(
            (
                int(across[1]) // side
                for _, side in encoders
                if across and int(across[1]) % side == 0
            ),
            0,
        )
        views = (
            tiles**2 + 1
            if tiles > 1
            else max(1, round(count / flops.patch_tokens(encoders[0][0], encoders[0][1])))
        )
    grid = max(flops.patch_tokens(record, side) for record, side in encoders) * views
    return Visual(
        change(recipe, visual_tokens=float(count)),
        tuple((record, side, views) for record, side in encoders),
        sum(flops.encoder_forward(record, side) for record, side in encoders) * views,
        sum(flops.trunk_params(record) for record, _ in encoders),
        sum(r.get("width") or 1024 for r, _ in encoders),
        float(max(grid, count)),
        float(count),
    )


def language_part(library: Library, recipe: Recipe) -> Language:
    """The LLM of a recipe; one given by its size alone is costed as the nearest known one. Raises
    flops.MissingFigure.
    """
    records = library.words.records("llm")
    if recipe.llm in records:
        record = records[recipe.llm]
        if record.get("layers"):
            return Language(recipe.llm, record)
        kin = [
            r
            for r in records.values()
            if r.get("layers")
            and r.get("family")
            and r["family"] == record.get("family")
            and record.get("params_b")
            and abs(math.log2(r["params_b"] / record["params_b"])) < 0.1
        ]
        if not kin:
            raise flops.MissingFigure(f"the registry does not have the shape of {recipe.llm}")
        return Language(kin[0]["slug"], kin[0])  # a tuned version has the shape of its base
    if recipe.llm_params_b:
        known = [r for r in records.values() if r.get("params") and r.get("layers")]
        near = min(
            known, key=lambda r: (abs(math.log(r["params_b"] / recipe.llm_params_b)), r["slug"])
        )
        if abs(math.log2(near["params_b"] / recipe.llm_params_b)) < 0.5:
            return Language(near["slug"], near)
    raise flops.MissingFigure("the shape of the LLM is not known")


def recipe_costs(library: Library, recipe: Recipe, limits: Constraints) -> tuple[Costs, Visual]:
    """Training cost, latency and memory of any recipe that states enough. Raises
    flops.MissingFigure.
    """
    visual, language = visual_part(library, recipe), language_part(library, recipe)
    return (
        costs_of(
            visual, language, data_part(library, recipe), limits, library.words, library.calibration
        ),
        visual,
    )


def data_part(library: Library, recipe: Recipe) -> Data:
    """The data mix of a recipe; its size as stated, else as published. Raises
    flops.MissingFigure.
    """
    record = library.words.records("data").get(recipe.data or "", {})
    samples = recipe.data_size or record.get("samples")
    if not samples:
        raise flops.MissingFigure(
            f"no table prints the size of the data mix {recipe.data} (data_size=… states it)"
        )
    return Data(recipe.data or "", float(samples), record.get("samples_source") or "")


def whole(stated: dict, words: Vocabulary) -> Recipe:
    """Stated fields over the baseline; an encoder alone brings the native resolution nearest to 336
    px.
    """
    own = Recipe(**stated)
    if own.encoder and own.resolution is None:
        own = change(own, resolution=native(words, own.encoder))
    return published_size(own.over(BASELINE), words)


def native(words: Vocabulary, encoder: str) -> int | None:
    """The native resolution of an encoder (of the first, when fused) that is nearest to the
    baseline's 336 px.
    """
    sides = words.records("encoder").get(encoder.split("+")[0], {}).get("native_resolution") or []
    return min(
        (side for side in sides if isinstance(side, int)),
        key=lambda side: (abs(side - 336), side),
        default=None,
    )


def notes(recipe: Recipe, language: Language) -> list[str]:
    """What was assumed about the parts."""
    if recipe.llm and recipe.llm != language.slug:
        return [f"{recipe.llm} is costed as {language.slug}: the same family and size"]
    if recipe.llm is None:
        return [f"an LLM of {recipe.llm_params_b:g}B is costed as {language.slug}"]
    return []
