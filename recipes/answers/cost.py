"""`cost`: what training a recipe takes on a kind of GPU: does it fit, for how long, for how much.

In: a Recipe, an Order and the library. Out: a Bill, stage by stage, with a verdict and
what else would do. Raises flops.MissingFigure. Does not print.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..cost import fit, flops, training
from ..cost.tokens import LEARNED, per_view
from ..library import Library
from ..picker.limits import fills
from ..picker.space import Data, Language, Visual
from ..terms.recipe import Recipe
from . import parts
from .parts import data_part, language_part, visual_part

PLANS = ("llava", "three-stage", "paligemma", "qwen2-vl")
STAGES = ("alignment", "instruction")  # which one alone: the first of a plan, or the last
GPUS_OF_A_MACHINE = 8


class Order(NamedTuple):
    """What a bill is asked for. gpu: hardware slug. batch: samples a GPU and step (None: what fits,
    at most the usual one). sequence: tokens of the longest sample, which every sample of the last
    stage is given. captions: samples of the first stage. price: dollars of a GPU-hour."""

    gpu: str = "a100-80gb-sxm"
    setup: fit.Setup = fit.Setup()
    plan: str = "llava"
    batch: int | None = None
    sequence: int | None = None
    epochs: float = 1.0
    captions: float | None = None
    stage: str | None = None
    images: int = 1
    price: float | None = None


class Request(NamedTuple):
    """The bills that are asked for: each recipe by each order."""

    recipes: Sequence[Recipe]
    orders: Sequence[Order]


class StageBill(NamedTuple):
    """One stage: its FLOPs, the passes of each part, its memory and its hours."""

    cost: training.StageCost
    factors: dict[str, float]
    held: fit.Held
    estimate: training.Estimate | None


class Other(NamedTuple):
    """Something else that would fit: tuning, number and kind of GPUs, and the largest batch."""

    tuning: str
    gpus: int
    gpu: str
    batch: int


class Bill(NamedTuple):
    """The cost of training a recipe, and whether it fits. batch: samples a GPU and step that the
    hours stand for. estimate: all stages; None where the registry lacks the device's rates."""

    visual: Visual
    language: Language
    data: Data
    connector_params: float
    stages: tuple[StageBill, ...]
    estimate: training.Estimate | None
    order: Order
    verdict: fit.Verdict
    others: tuple[Other, ...]
    batch: int
    recipe: Recipe
    notes: tuple[str, ...] = ()

    @property
    def gpu(self) -> str:
        return self.order.gpu

    @property
    def dollars(self) -> float | None:
        price = self.order.price
        return None if price is None or not self.estimate else price * self.estimate.gpu_hours


def answer(library: Library, request: Request) -> tuple[Bill, ...]:
    """A bill for each recipe and order, with notes. Raises flops.MissingFigure."""
    return tuple(
        bill(library, recipe, order) for recipe in request.recipes for order in request.orders
    )


def bill(library: Library, recipe: Recipe, order: Order) -> Bill:
    """The bill of a recipe. Raises flops.MissingFigure."""
    visual, language, data = (
        _times(visual_part(library, recipe), order.images),
        language_part(library, recipe),
        data_part(library, recipe),
    )
    record = language.record
    connector = flops.connector_params(
        visual.recipe.connector or "", visual.width, flops.need(record, "hidden_size")
    )
    stages = _chosen(_plan(recipe, visual, data, order), order)
    hardware = library.words.records("hardware")
    device = hardware[order.gpu]
    needed = stages_of(visual, language, connector, stages, order.sequence)
    verdict = fit.judge(needed, order.setup, float(flops.need(device, "memory_gb")), order.batch)
    batch = order.batch or min(fit.USUAL_BATCH, max(1, verdict.largest))
    costs = [_stage_cost(stage, visual, connector, record, order) for stage in stages]
    estimates = [_estimate(library, order, cost, visual, record, batch) for cost, _ in costs]
    bills = tuple(
        StageBill(cost, factors, held, estimate)
        for (cost, factors), held, estimate in zip(costs, verdict.held, estimates)
    )
    total = None
    if None not in estimates:
        sums = [sum(values) for values in list(zip(*estimates))[:4]]
        total = training.Estimate(*sums, estimates[-1].utilisation)
    others = () if verdict.fits else tuple(_others(needed, verdict, order, hardware))
    found = Bill(
        visual, language, data, connector, bills, total, order, verdict, others, batch, recipe
    )
    return found._replace(notes=(*parts.notes(recipe, language), *_notes(library, found)))


def _times(visual: Visual, images: int) -> Visual:
    """A visual part that sees several images a sample."""
    if images == 1:
        return visual
    return visual._replace(
        encoders=tuple((record, side, views * images) for record, side, views in visual.encoders),
        encoder_flops=visual.encoder_flops * images,
        grid_tokens=visual.grid_tokens * images,
        visual_tokens=visual.visual_tokens * images,
    )


def _plan(recipe: Recipe, visual: Visual, data: Data, order: Order) -> Sequence[training.Stage]:
    """The stages of a plan."""
    lead = visual.encoders[0][0]
    samples = data.samples * order.epochs

    def tokens_at(side: int) -> float:
        if recipe.connector in LEARNED:
            return visual.visual_tokens
        patch = int(flops.need(lead, "patch_size"))
        return float(order.images * per_view(patch, side, recipe.connector).tokens)

    if order.plan == "paligemma":
        return training.paligemma(samples, data.slug, tokens_at)
    if order.plan == "qwen2-vl":
        return training.qwen2_vl(samples, data.slug, visual.visual_tokens)
    make = training.three_stages if order.plan == "three-stage" else training.two_stages
    return make(samples, data.slug, visual.visual_tokens, recipe.frozen_encoder, fills(visual))


def _chosen(stages: Sequence[training.Stage], order: Order) -> list[training.Stage]:
    """The stages that are asked for, as they are asked for."""
    first, last = stages[0], stages[-1]
    if order.captions:
        first = first._replace(samples=order.captions)
    if order.sequence:
        text = max(0.0, order.sequence - last.visual_tokens)
        last = last._replace(text_tokens=text)
    if order.stage:
        return [first if order.stage == STAGES[0] else last]
    return [first, *stages[1:-1], last]


def stages_of(
    visual: Visual,
    language: Language,
    connector_params: float,
    stages: Sequence[training.Stage],
    sequence: int | None = None,
) -> list[tuple[fit.Parts, tuple[str, ...]]]:
    """Stages as fit.judge needs them: with all the tokens that an image can have, for the longest
    sample decides."""
    out = []
    for stage in stages:
        encoders = visual.encoders
        tokens = stage.visual_tokens if stage.side else visual.visual_tokens
        if stage.side:
            encoders = tuple((record, stage.side, 1.0) for record, _, _ in encoders)
        longest = max(sequence or 0, tokens + stage.text_tokens)
        longest = sequence if sequence and stage is stages[-1] else longest
        out.append(
            (
                fit.parts_of(encoders, connector_params, language.record, longest),
                stage.trains,
            )
        )
    return out


def _stage_cost(
    stage: training.Stage, visual: Visual, connector: float, llm, order: Order
) -> tuple[training.StageCost, dict[str, float]]:
    """FLOPs of a stage, and the passes of its parts."""
    seen, grid = visual.encoder_flops, visual.grid_tokens
    if stage.side is not None:
        seen = order.images * sum(
            flops.encoder_forward(encoder, stage.side) for encoder, _, _ in visual.encoders
        )
        grid = float(order.images * flops.patch_tokens(visual.encoders[0][0], stage.side))
    lora = order.setup.lora
    again = order.setup.checkpointing
    cost = training.stage_cost(stage, seen, connector, llm, grid, lora=lora, recompute=again)
    return cost, training.stage_factors(stage, lora)


def _estimate(
    library: Library, order: Order, cost: training.StageCost, visual: Visual, llm, batch: int
) -> training.Estimate | None:
    """GPU-hours of a stage, with what its steps take beside FLOPs; None where a rate is missing."""
    device = library.words.records("hardware")[order.gpu]
    if not device.get("bf16_dense_tflops") and not device.get("fp16_dense_tflops"):
        return None
    factors = training.stage_factors(cost.stage, order.setup.lora)
    step = training.seconds_beside(
        factors, visual.encoders[0][0], llm, device, order.setup.tuning == "qlora"
    )
    beside = step * cost.stage.samples / batch / 3600
    return training.estimate(cost.work, device, library.calibration, llm, beside)


def _others(needed, verdict: fit.Verdict, order: Order, hardware):
    """What would fit instead: a lighter tuning, more of these GPUs, another GPU."""
    how, batch, room = order.setup, order.batch, verdict.room_gb
    for tuning in fit.TUNINGS[fit.TUNINGS.index(how.tuning) + 1 :]:
        found = fit.judge(needed, how._replace(tuning=tuning), room, batch)
        if found.fits:
            yield Other(tuning, how.gpus, order.gpu, found.largest)
    more = fit.fewest(needed, how, room, batch)
    if more:
        yield Other(how.tuning, more.setup.gpus, order.gpu, more.largest)
    larger = fit.smallest(needed, how, hardware.values(), batch)
    if larger:
        yield Other(how.tuning, how.gpus, larger[0]["slug"], larger[1].largest)


def _notes(library: Library, value: Bill) -> list[str]:
    """What one must know to plan by a bill, beside what was assumed about its parts."""
    order, how = value.order, value.order.setup
    device = library.words.records("hardware")[order.gpu]
    out = []
    if value.estimate is None:
        out.append(
            f"no source in the registry prints how fast {order.gpu} computes: hours are not known"
        )
    elif device.get("fp16_dense_tflops") and not device.get("bf16_dense_tflops"):
        out.append(
            f"{order.gpu} has no bf16: the rates are those of fp16, which needs loss scaling"
        )
    if how.stage == 3 and how.gpus > GPUS_OF_A_MACHINE:
        out.append(
            f"{how.gpus} GPUs are more than one machine: ZeRO 3 sends all weights between them at"
            " every step, and a slow network can multiply the hours (not counted)"
        )
    last = value.stages[-1].cost.stage
    if order.sequence and order.sequence < last.visual_tokens:
        out.append(
            f"{order.sequence:,} tokens do not hold the {last.visual_tokens:,.0f} visual tokens of"
            " a sample: counted without text"
        )
    return out
