"""What a recipe must meet, and what it costs: training, latency, memory, context, licence.

In: the parts of a recipe and Constraints. Out: Costs of one recipe, and the limit that it exceeds.
The same rules for whole spaces, pair by pair: pairs.py. Knows no scores.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..cost import flops, latency, memory, training
from ..terms.units import Budget, LatencyTarget
from ..terms.vocabulary import Vocabulary
from .space import Data, Language, Visual

PROMPT_TOKENS, OUTPUT_TOKENS = 64, 128
# in the order in which they are asked
REASONS = ("licence", "unknown licence", "context", "memory", "speed", "latency", "budget")


# What is assumed where nothing is said, everywhere the same: what LLaVA-1.5-13B took several times
# over, and the smallest data-centre card that people serve a 7B on.
DEFAULT_BUDGET = Budget("gpu_hours", 500.0, "a100-80gb-sxm")
DEFAULT_DEVICE = "l4"
NODE = 8  # GPUs of a training machine where the budget names none
TRAINING = "training memory"
ADAPTERS = "lora"  # QLoRA stands in no table beside full training: what it costs is not known


class Constraints(NamedTuple):
    """What a recipe must meet. None: no such constraint.

    dtype: number format of the deployed LLM weights. tokens_per_s: decoding speed on the deployment
    device. images: pictures in one request. commercial: the LLM's licence must permit commercial
    use. assumed: which of budget, device and memory nobody asked for.
    """

    budget: Budget | None = None
    latency: LatencyTarget | None = None
    memory_gb: float | None = None
    dtype: str = "bf16"
    train_gpu: str = "a100-80gb-sxm"
    deploy_gpu: str = "l4"
    tokens_per_s: float | None = None
    images: int = 1
    commercial: bool = False
    assumed: tuple[str, ...] = ()

    def asked(self) -> "Constraints":
        """What somebody asked for, alone."""
        gone = {"budget": "budget", "memory": "memory_gb"}
        return self._replace(assumed=(), **{gone[x]: None for x in self.assumed if x in gone})

    @property
    def device(self) -> str:
        """What it is deployed on."""
        return self.latency.gpu if self.latency else self.deploy_gpu

    @property
    def gpus(self) -> int:
        """How many GPUs it is trained on: as the budget names them, else a node."""
        return self.budget and self.budget.gpus or NODE

    @property
    def training_gpu(self) -> str:
        """What it is trained on."""
        return self.budget.gpu if self.budget and self.budget.gpu else self.train_gpu


class Costs(NamedTuple):
    """What one recipe costs to train and to run."""

    flop: float
    gpu: str
    gpu_hours: training.Estimate
    latency_gpu: str
    latency: latency.Latency
    memory: memory.Memory
    stages: tuple[training.StageCost, ...]
    tuning: str = "full"  # of the LLM: or ADAPTERS


def costs_of(
    visual: Visual,
    language: Language,
    data: Data,
    limits: Constraints,
    words: Vocabulary,
    calibration: training.Calibration,
    tuning: str = "full",
) -> Costs:
    """Training cost, latency and memory of one recipe. Raises flops.MissingFigure."""
    hardware = words.records("hardware")
    connector = flops.connector_params(
        visual.recipe.connector or "", visual.width, flops.need(language.record, "hidden_size")
    )
    stages = tuple(
        training.stage_cost(
            stage,
            visual.encoder_flops,
            connector,
            language.record,
            visual.grid_tokens,
            lora=tuning == ADAPTERS,
        )
        for stage in training.two_stages(
            data.samples,
            data.slug,
            visual.visual_tokens,
            visual.recipe.frozen_encoder,
            fills(visual),
        )
    )
    total, work = (sum(part) for part in zip(*((s.total, s.work) for s in stages)))
    seen = visual.visual_tokens * limits.images
    encoders = [(record, side, views * limits.images) for record, side, views in visual.encoders]
    timing = latency.answer(
        hardware[limits.device],
        language.record,
        encoders,
        connector,
        seen,
        visual.grid_tokens * limits.images,
        latency.Load(PROMPT_TOKENS, OUTPUT_TOKENS, limits.dtype),
    )
    held = memory.inference(
        language.record,
        visual.encoder_params,
        connector,
        seen + PROMPT_TOKENS + OUTPUT_TOKENS,
        limits.dtype,
    )
    return Costs(
        total,
        limits.training_gpu,
        training.estimate(work, hardware[limits.training_gpu], calibration, language.record),
        limits.device,
        timing,
        held,
        stages,
        tuning,
    )


def fills(visual: Visual) -> tuple[tuple[float, float], ...]:
    """What the images of each stage fill of a visual part's tiles (training.fills)."""
    return training.fills(visual.recipe.resolution, visual.encoders[0][1])


def allowed_flops(
    limits: Constraints, hardware: Mapping, calibration: training.Calibration
) -> float | None:
    """The most FLOPs the budget allows, at the median utilisation of the reference LLM
    (training.slowness; `Pairs` counts the FLOPs of others by how long they take); infinity for a
    budget in images.
    """
    if limits.budget is None:
        return None
    if limits.budget.kind == "flop":
        return limits.budget.amount
    if limits.budget.kind == "gpu_hours":
        device = hardware[limits.budget.gpu]
        rate = training.peak_flops(device) * calibration.level(device)
        return limits.budget.amount * 3600 * rate / training.slowness(None, device)
    return float("inf")


def exceeds(
    costs: Costs, limits: Constraints, words: Vocabulary, calibration: training.Calibration
) -> str | None:
    """Which cost constraint a recipe with these costs breaks (memory, speed, latency or budget), or
    None: the rules of `Pairs`, for one recipe.
    """
    if limits.memory_gb is not None and costs.memory.total > limits.memory_gb:
        return "memory"
    if limits.tokens_per_s is not None and costs.latency.tokens_per_s < limits.tokens_per_s:
        return "speed"
    if (
        limits.latency is not None
        and (costs.latency.total_ms if limits.latency.whole_answer else costs.latency.ttft_ms)
        > limits.latency.ms
    ):
        return "latency"
    if limits.budget is None:
        return None
    if limits.budget.kind == "images":
        return (
            "budget"
            if sum(stage.stage.samples for stage in costs.stages) > limits.budget.amount
            else None
        )
    if limits.budget.kind == "gpu_hours":
        return "budget" if costs.gpu_hours.gpu_hours > limits.budget.amount else None
    return (
        "budget"
        if costs.flop > allowed_flops(limits, words.records("hardware"), calibration)
        else None
    )
