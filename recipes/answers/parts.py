"""The parts of a stated recipe, looked up in the registry, and what it costs in all.

In: a Recipe and the library. Out: its visual part, LLM and data as picker/ knows them, and Costs.
Raises flops.MissingFigure, which names what the registry lacks. Does not parse or print.
"""

import re

from ..cost import flops
from ..cost.parts import seen, shape
from ..cost.tokens import LEARNED, POOLED
from ..library import Library
from ..picker.limits import Constraints, Costs, costs_of
from ..picker.space import Data, Language, Visual
from ..terms.recipe import BASELINE, Recipe, change, data_size, published_size
from ..terms.vocabulary import Vocabulary


def visual_part(library: Library, recipe: Recipe) -> Visual:
    """The visual part of a recipe with its costs. Raises flops.MissingFigure."""
    words = library.words
    records = []
    for part in (recipe.encoder or "").split("+"):
        record = words.records("encoder").get(part)
        if record is None:
            raise flops.MissingFigure(f"the registry does not know the encoder {part!r}")
        records.append(record)
    stated = recipe.visual_tokens or None
    kind = words.records("connector").get(recipe.connector or "")
    counted = recipe.connector in LEARNED or recipe.connector in POOLED
    if not stated and not counted and kind and kind.get("class") != "projection":
        raise flops.MissingFigure("the number of visual tokens is not known")
    sight = seen(records, recipe.resolution, recipe.connector, stated)
    return Visual(
        change(recipe, visual_tokens=sight.tokens),
        sight.encoders,
        sum(flops.encoder_forward(record, side) * views for record, side, views in sight.encoders),
        sum(flops.trunk_params(record) for record in records),
        sum(record.get("width") or 1024 for record in records),
        sight.grid,
        sight.tokens,
    )


def language_part(library: Library, recipe: Recipe) -> Language:
    """The LLM of a recipe; one of unknown shape is costed in the shape of the nearest known one,
    scaled to its size (`notes` says so). Raises flops.MissingFigure.
    """
    records = library.words.records("llm")
    named = records.get(recipe.llm or "", {})
    if named.get("layers") and named.get("kv_heads"):
        return Language(recipe.llm, named)
    size = named.get("params_b") or recipe.llm_params_b or _size_by_name(recipe.llm or "")
    if not size:
        raise flops.MissingFigure(
            f"the registry has neither shape nor size of {recipe.llm}"
            if recipe.llm
            else "the shape of the LLM is not known"
        )
    record = shape(records.values(), size, named)
    return Language(record["slug"], record)


def _size_by_name(name: str) -> float | None:
    """Billions of parameters that a name says: vicuna-v1.3-7b."""
    found = re.search(r"-(\d+(?:\.\d+)?)(b|m)(?:-|$)", name)
    return float(found[1]) / (1 if found[2] == "b" else 1000) if found else None


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
    samples = recipe.data_size or data_size(recipe.data or "", library.words)
    if not samples:
        raise flops.MissingFigure(
            f"no source prints the size of the data mix {recipe.data} (data_size=… states it)"
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
    record, out = language.record, []
    how = f", scaled by {record['scaled']:.2f}" if record.get("scaled") else ""
    if recipe.llm and recipe.llm != language.slug:
        out.append(f"the shape of {recipe.llm} is not known: costed as {language.slug}{how}")
    elif recipe.llm is None:
        out.append(f"an LLM of {recipe.llm_params_b:g}B is costed as {language.slug}{how}")
    if record.get("experts") and flops.active_share(record) == 1.0:
        out.append(
            f"{language.slug} is a mixture of experts whose active parameters the registry does not"
            " have: all are counted, which is too many"
        )
    return out
