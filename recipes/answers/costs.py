"""What a stated recipe costs: its parts looked up in the registry, then the arithmetic of cost/.

In: a Recipe and the library. Out: the visual part, LLM and data of a recipe as picker/ knows them,
and Costs; for the `cost` command a Bill with every stage of a plan and the memory of training.
Raises flops.MissingFigure, which names what the registry lacks. Does not parse or print.
"""

import math
import re
from typing import NamedTuple

from ..cost import flops, latency, memory, training
from ..cost.tokens import LEARNED, POOLED, Tokens, per_view
from ..effects.features import visual_tokens
from ..library import Library
from ..picker.limits import Constraints, Costs, costs_of
from ..picker.space import Data, Language, Visual
from ..terms.recipe import BASELINE, Recipe, RecipeError, change, data_size, published_size
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
    samples = recipe.data_size or data_size(recipe.data or "", library.words)
    if not samples:
        raise flops.MissingFigure(
            f"no source prints the size of the data mix {recipe.data} (data_size=… states it)"
        )
    return Data(recipe.data or "", float(samples), record.get("samples_source") or "")


PLANS = ("llava", "three-stage", "paligemma", "qwen2-vl")


class Bill(NamedTuple):
    """The cost of training a recipe by a plan, stage by stage, and what one GPU must hold."""

    visual: Visual
    language: Language
    data: Data
    connector_params: float
    stages: tuple[training.StageCost, ...]
    factors: tuple[dict[str, float], ...]
    estimate: training.Estimate
    gpu: str
    memory: tuple[memory.TrainingMemory, ...]


def bill(
    library: Library, recipe: Recipe, plan: str, gpu: str, gpus: int, lora: bool, recompute: bool
) -> Bill:
    """The bill of a recipe. Raises flops.MissingFigure."""
    visual, language, data = (
        visual_part(library, recipe),
        language_part(library, recipe),
        data_part(library, recipe),
    )
    record = language.record
    connector = flops.connector_params(
        visual.recipe.connector or "", visual.width, flops.need(record, "hidden_size")
    )
    lead = visual.encoders[0][0]

    def tokens_at(side: int) -> float:
        if recipe.connector in LEARNED:
            return visual.visual_tokens
        return float(per_view(int(flops.need(lead, "patch_size")), side, recipe.connector).tokens)

    if plan == "paligemma":
        stages = training.paligemma(data.samples, data.slug, tokens_at)
    elif plan == "qwen2-vl":
        stages = training.qwen2_vl(data.samples, data.slug, visual.visual_tokens)
    else:
        make = training.three_stages if plan == "three-stage" else training.two_stages
        stages = make(data.samples, data.slug, visual.visual_tokens, recipe.frozen_encoder)
    costs, held = [], []
    everything = record.get("params") or 1e9 * record["params_b"]
    for stage in stages:
        seen = (
            visual.encoder_flops
            if stage.side is None
            else sum(
                flops.encoder_forward(encoder, stage.side) for encoder, _, _ in visual.encoders
            )
        )
        grid = (
            visual.grid_tokens
            if stage.side is None
            else float(flops.patch_tokens(lead, stage.side))
        )
        costs.append(
            training.stage_cost(
                stage, seen, connector, record, grid, lora=lora, recompute=recompute
            )
        )
        sizes = {"encoder": visual.encoder_params, "connector": connector, "llm": everything}
        trained = sum(
            0.01 * size if lora and part == "llm" else size
            for part, size in sizes.items()
            if part in stage.trains
        )
        held.append(
            memory.training(
                trained,
                sum(sizes.values()) - trained,
                record,
                stage.visual_tokens + stage.text_tokens,
                stage.text_tokens,
                gpus,
                recompute,
            )
        )
    total = sum(cost.total for cost in costs)
    hardware = library.words.records("hardware")[gpu]
    return Bill(
        visual,
        language,
        data,
        connector,
        tuple(costs),
        tuple(training.stage_factors(stage, lora, recompute) for stage in stages),
        training.estimate(total, hardware, library.calibration),
        gpu,
        tuple(held),
    )


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


def timing(
    library: Library,
    recipe: Recipe,
    gpu: str,
    gpus: int,
    dtype: str,
    engine: str | latency.Engine,
    batch: int,
    prompt: int,
    output: int,
) -> tuple[latency.Latency, memory.Memory, Language]:
    """Latency and memory of answering with a recipe. Raises flops.MissingFigure."""
    visual, language = visual_part(library, recipe), language_part(library, recipe)
    record = language.record
    connector = flops.connector_params(
        visual.recipe.connector or "", visual.width, flops.need(record, "hidden_size")
    )
    value = latency.answer(
        library.words.records("hardware")[gpu],
        record,
        visual.encoders,
        connector,
        visual.visual_tokens,
        visual.grid_tokens,
        prompt,
        output,
        dtype,
        batch,
        gpus,
        engine,
    )
    return (
        value,
        memory.inference(
            record,
            visual.encoder_params,
            connector,
            visual.visual_tokens + prompt + output,
            dtype,
            batch,
        ),
        language,
    )


def fit_notes(
    held: memory.Memory, hardware: dict, gpus: int, asked: float | None = None
) -> list[str]:
    """Does it fit in the devices' memory? `asked`: in so many GB, which is answered either way."""
    if asked is not None:
        return [
            f"{held.total:.1f} GB {'fit' if held.total <= asked else 'do not fit'} in {asked:g} GB"
        ]
    room = (hardware.get("memory_gb") or 0) * gpus
    if not room:
        return []
    if held.total > room:
        return [
            f"{held.total:.1f} GB do not fit in {room:g} GB"
            f" ({hardware['slug']}{f' x {gpus}' if gpus > 1 else ''})"
        ]
    return []


def tokens_of(recipe: Recipe, library: Library, width: int, height: int) -> Tokens:
    """Tokens of one image in a recipe of one's own (every image is made square)."""
    if not isinstance(recipe.resolution, int):
        raise RecipeError("resolution", "a recipe's tokens need pixels (tilings: tokens --model)")
    record = library.words.records("encoder").get((recipe.encoder or "").split("+")[0], {})
    return Tokens(
        width,
        height,
        (per_view(int(flops.need(record, "patch_size")), recipe.resolution, recipe.connector),),
    )
