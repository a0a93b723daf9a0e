"""What training a recipe costs: stages -> FLOPs -> GPU-hours, with the spread that published runs
show.

In: registry records of the parts, a stage plan, hardware. Out: FLOPs per stage and a range of
GPU-hours. The utilisation (share of the peak rate that training runs reach) is the median over the
published runs of registry/training_costs.json whose FLOPs can be computed; the range is where 80 %
of them lie.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from . import flops

# Text tokens of a sample. A caption of the alignment data is a sentence or two; an instruction
# sample of the LLaVA-1.5 mix is a chat of several turns. Neither is printed with the costs: they
# are assumptions, they enter the calibration the same way, and the utilisation absorbs what they
# are off.
CAPTION_TOKENS = 50
CHAT_TOKENS = 350


class Stage(NamedTuple):
    """One training stage: what is trained (connector, llm, encoder), how many samples, of which
    data, at which size.
    """

    name: str
    trains: tuple[str, ...]
    samples: float
    data: str
    visual_tokens: float
    text_tokens: float
    side: int | None = None  # pixels at this stage; None: the recipe's own


class StageCost(NamedTuple):
    """FLOPs of a stage, by part."""

    stage: Stage
    encoder: float
    connector: float
    llm: float

    @property
    def total(self) -> float:
        return self.encoder + self.connector + self.llm


class Estimate(NamedTuple):
    """GPU-hours: the median estimate, and the range in which 80 % of published runs would put
    it.
    """

    flop: float
    gpu_hours: float
    low: float
    high: float
    utilisation: float


def stage_cost(
    stage: Stage,
    encoder_flops: float,
    connector_params: float,
    llm: Mapping,
    grid_tokens: float,
    *,
    lora: bool = False,
    recompute: bool = False,
) -> StageCost:
    """FLOPs of a stage. `encoder_flops`: one forward pass over all views of an image;
    `grid_tokens`: what the connector reads.

    lora: the LLM is trained through adapters: gradients pass, its own weights have none (the
    adapters' are below 2 %).
    recompute: activations are computed again in the backward pass, one more forward pass of what
    gradients go through.
    """
    factors = stage_factors(stage, lora, recompute)
    llm_ = llm_flops(llm, stage.visual_tokens, stage.text_tokens)
    return StageCost(
        stage,
        encoder_flops * factors["encoder"] * stage.samples,
        2.0 * connector_params * grid_tokens * factors["connector"] * stage.samples,
        llm_ * factors["llm"] * stage.samples,
    )


def llm_flops(llm: Mapping, visual_tokens: float, text_tokens: float) -> float:
    """One forward pass of a sample through the LLM, with the logits of its text."""
    return (
        flops.llm_forward(llm, visual_tokens + text_tokens)
        + 2.0 * llm.get("hidden_size", 0) * llm.get("vocab", 0) * text_tokens
    )


def stage_factors(stage: Stage, lora: bool = False, recompute: bool = False) -> dict[str, float]:
    """Forward passes that one sample costs each part (flops.training_factor)."""
    out, upstream = {}, False
    for part in ("encoder", "connector", "llm"):
        trained = part in stage.trains
        out[part] = flops.training_factor(
            trained and not (lora and part == "llm"), upstream or trained
        )
        if recompute and (trained or upstream):
            out[part] += 1.0
        upstream |= trained
    return out


def peak_flops(hardware: Mapping) -> float:
    """Dense 16-bit peak in FLOP/s (bf16, or fp16 on devices without bf16). Raises
    flops.MissingFigure.
    """
    return 1e12 * (hardware.get("bf16_dense_tflops") or flops.need(hardware, "fp16_dense_tflops"))


def two_stages(
    samples: float, data: str, visual_tokens: float, frozen_encoder: bool | None = True
) -> tuple[Stage, ...]:
    """LLaVA-1.5's plan: the connector alone on 558K captions, then connector and LLM (and the
    encoder, if it is not frozen) on the instruction data, one epoch each (arXiv 2310.03744, §3.3
    and appendix; LLaVA scripts v1_5)."""
    trains = (
        ("connector", "llm") if frozen_encoder in (True, None) else ("encoder", "connector", "llm")
    )
    return (
        Stage(
            "alignment", ("connector",), 558_000, "LCS-558K captions", visual_tokens, CAPTION_TOKENS
        ),
        Stage("instruction tuning", trains, samples, data, visual_tokens, CHAT_TOKENS),
    )


def three_stages(
    samples: float, data: str, visual_tokens: float, frozen_encoder: bool | None = None
) -> tuple[Stage, ...]:
    """The plan of the LLaVA-NeXT blog that gained most (llava_next.abl_stage15): connector on 558K
    captions, everything on 3M recaptioned images, everything on the instruction data."""
    everything = ("connector", "llm") if frozen_encoder else ("encoder", "connector", "llm")
    return (
        Stage(
            "alignment", ("connector",), 558_000, "LCS-558K captions", visual_tokens, CAPTION_TOKENS
        ),
        Stage(
            "knowledge", everything, 3_000_000, "3M recaptioned images", visual_tokens, CHAT_TOKENS
        ),
        Stage("instruction tuning", everything, samples, data, visual_tokens, CHAT_TOKENS),
    )


def paligemma(samples: float, data: str, tokens_at: Callable[[int], float]) -> tuple[Stage, ...]:
    """PaliGemma's stages 1 to 3 (arXiv 2407.07726, as in paligemma.table1): 1B examples at 224 px,
    50M at 448, 10M at 896, all weights trained; then the transfer, at 448 px. (Its stage 0 is the
    pre-training of the parts.)"""
    everything = ("encoder", "connector", "llm")
    return (
        *(
            Stage(
                f"pre-training, {side} px",
                everything,
                count,
                "PaliGemma's mixture",
                tokens_at(side),
                CAPTION_TOKENS,
                side,
            )
            for side, count in ((224, 1e9), (448, 5e7), (896, 1e7))
        ),
        Stage("transfer", everything, samples, data, tokens_at(448), CAPTION_TOKENS, 448),
    )


def qwen2_vl(samples: float, data: str, visual_tokens: float) -> tuple[Stage, ...]:
    """Qwen2-VL's three (arXiv 2409.12191, as in qwen2_vl.table2): 600B tokens with the encoder
    alone trained, 800B with everything, then the LLM on instructions with the encoder locked."""
    sample = visual_tokens + CHAT_TOKENS
    return (
        Stage(
            "encoder pre-training",
            ("encoder",),
            600e9 / sample,
            "image-text, 600B tokens",
            visual_tokens,
            CHAT_TOKENS,
        ),
        Stage(
            "joint pre-training",
            ("encoder", "connector", "llm"),
            800e9 / sample,
            "interleaved, OCR, VQA, video, 800B tokens",
            visual_tokens,
            CHAT_TOKENS,
        ),
        Stage("instruction tuning", ("llm",), samples, data, visual_tokens, CHAT_TOKENS),
    )


# --- calibration on published runs
# --------------------------------------------------------------------------------


class Published(NamedTuple):
    """One published run whose FLOPs can be computed: its name, printed device-hours, FLOPs, and
    peak rate.
    """

    recipe: str
    device_hours: float
    flop: float
    peak: float
    source: str

    @property
    def utilisation(self) -> float:
        return self.flop / (self.device_hours * 3600 * self.peak)


LLM_SPELLINGS = {
    "olmoe-1b-7b": None,
    "qwen-1.5-72b-chat": "qwen1.5-72b",
    "qwen-1.5-110b-chat": "qwen1.5-110b",
    "olmo-7b-1024": "olmo-7b",
    "nous-hermes-2-yi-34b": "nous-hermes-2-yi-34b",
}


def _plan(row: Mapping) -> tuple[Stage, ...] | None:
    """The stages of a published run, from what its record says; None when that is not enough."""
    trainable = row.get("trainable") or ""
    samples = row.get("samples")
    if samples is not None and row.get("epochs"):
        samples *= row["epochs"]
    if row.get("steps") and row.get("batch_size"):
        samples = row["steps"] * row["batch_size"]
    tokens = row.get("visual_tokens")
    if not samples:
        return None
    # Molmo: sequences are packed to at most this length
    if isinstance(tokens, str) and "per crop" in tokens:
        tokens = row.get("max_sequence")
        return (
            (
                Stage(
                    "all", ("encoder", "connector", "llm"), samples, "", tokens * 0.8, 0.2 * tokens
                ),
            )
            if tokens
            else None
        )
    if not isinstance(tokens, (int, float)):
        return None
    if row.get("tokens"):
        text = max(row["tokens"] / samples - tokens, 0.0)
        return (Stage("all", ("encoder", "connector", "llm"), samples, "", tokens, text),)
    first = re.search(r"stage 1 \(558K\): connector; stage 2", trainable)
    if first:
        rest = samples - 558_000
        everything = ("encoder", "connector", "llm")
        return (
            Stage("1", ("connector",), 558_000, "", 576, CAPTION_TOKENS),
            Stage("2", everything, rest, "", tokens, CHAT_TOKENS),
        )
    trains = {
        "connector": ("connector",),
        "connector + LLM": ("connector", "llm"),
        "projector + LLM": ("connector", "llm"),
        "all": ("encoder", "connector", "llm"),
        "all (40B)": ("encoder", "connector", "llm"),
    }.get(trainable)
    if trains is None:
        return None
    return (
        Stage(
            "only",
            trains,
            samples,
            "",
            tokens,
            CAPTION_TOKENS if trains == ("connector",) else CHAT_TOKENS,
        ),
    )


def published(
    rows: Iterable[Mapping], encoders: Mapping, llms: Mapping, hardware: Mapping
) -> list[Published]:
    """The published runs that can be compared with arithmetic, in the order of the registry."""
    out = []
    for row in rows:
        stages = _plan(row)
        hours = row.get("device_hours")
        llm = llms.get(LLM_SPELLINGS.get(row.get("llm"), row.get("llm")))
        encoder = encoders.get(row.get("encoder"))
        device = hardware.get(row.get("hardware_slug"))
        if not (stages and hours and llm and encoder and device):
            continue
        side = row.get("resolution") if isinstance(row.get("resolution"), int) else 336
        try:
            peak = peak_flops(device)
            one_view = flops.encoder_forward(encoder, side)
            total = 0.0
            for stage in stages:
                views = (
                    max(1.0, stage.visual_tokens / 576)
                    if not isinstance(row.get("resolution"), int)
                    else 1.0
                )
                params = flops.connector_params(
                    row.get("connector") or "mlp-2x-gelu",
                    encoder.get("width", 1024),
                    llm.get("hidden_size", 4096),
                )
                total += stage_cost(stage, one_view * views, params, llm, stage.visual_tokens).total
        except flops.MissingFigure:
            continue
        out.append(Published(row["id"], hours, total, peak, row["source"]))
    return out


class Calibration(NamedTuple):
    """Utilisation over published runs: median, and the tenth and ninetieth percentile."""

    median: float
    low: float
    high: float
    runs: tuple[Published, ...]


class Checked(NamedTuple):
    """One published run estimated from the others: GPU-hours as printed and as estimated."""

    recipe: str
    printed: float
    estimated: float
    source: str

    @property
    def ratio(self) -> float:
        return self.estimated / self.printed


def leave_one_out(runs: Sequence[Published]) -> list[Checked]:
    """Each published run with the utilisation that the others show."""
    out = []
    for run in runs:
        median = calibrate([other for other in runs if other is not run]).median
        out.append(
            Checked(run.recipe, run.device_hours, run.flop / (run.peak * median * 3600), run.source)
        )
    return out


def quantile(values: Sequence[float], q: float) -> float:
    """Linear interpolation between order statistics. Raises ValueError on an empty sequence."""
    if not values:
        raise ValueError("no values")
    values = sorted(values)
    place = q * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def calibrate(runs: Sequence[Published]) -> Calibration:
    """Utilisation of the published runs."""
    values = [run.utilisation for run in runs]
    return Calibration(
        quantile(values, 0.5), quantile(values, 0.1), quantile(values, 0.9), tuple(runs)
    )


def estimate(flop: float, hardware: Mapping, calibration: Calibration) -> Estimate:
    """GPU-hours for a number of FLOPs on one kind of device."""
    seconds = flop / peak_flops(hardware) / 3600
    return Estimate(
        flop,
        seconds / calibration.median,
        seconds / calibration.high,
        seconds / calibration.low,
        calibration.median,
    )
