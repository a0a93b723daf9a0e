"""`cost`: the bill of training a recipe by a plan, stage by stage.

In: a Recipe, a plan, GPUs and the library. Out: a Bill. Raises flops.MissingFigure. Does not print.
"""

from typing import NamedTuple

from ..cost import flops, memory, training
from ..cost.tokens import LEARNED, per_view
from ..library import Library
from ..picker.space import Data, Language, Visual
from ..terms.recipe import Recipe
from .parts import data_part, language_part, visual_part


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
