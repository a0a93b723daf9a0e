"""What training a recipe costs: stages -> FLOPs -> GPU-hours, with the spread that runs show.

In: registry records of the parts, a stage plan, hardware, a Calibration (cost/runs.py). Out: FLOPs
per stage and a range of GPU-hours. The share of the peak rate that training reaches (utilisation)
is a level, which runs show, times what is known of the LLM's width and the device (`slowness`).
"""

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from . import flops, token_rules

# Text tokens of a sample. A caption of the alignment data is a sentence or two; an instruction
# sample of the LLaVA-1.5 mix is a chat of several turns: people who trained on it find 500 to 570.
# They enter the calibration the same way, and the utilisation absorbs what they are off.
CAPTION_TOKENS = 50
CHAT_TOKENS = 530

# Sizes in pixels that stand for the images of a stage where tiles follow the image: COCO's usual
# size, of which the instruction mixes mostly consist; captions of web images, whose runs show 1,200
# to 1,500 of the 2,880 tokens that four tiles and an overview can have.
CAPTION_IMAGE, CHAT_IMAGE = (448, 336), (640, 480)

# Of the time a FLOP takes at the reference (an LLM 4,096 wide on an A100 80GB SXM), the part that
# is not matrix products but reading and writing between them: per FLOP it grows as the width falls
# and as the device computes faster than it reads. Runs of LLMs up to 1.6B, 4B, 7B and 13B take
# 1.37, 1.25, 1 and 0.93 times as long a FLOP (medians of public reports): 0.37 fits all four.
MOVING = 0.37
REFERENCE_WIDTH, REFERENCE_BALANCE = 4096.0, 312e12 / 2000e9
# Milliseconds to start one layer in one direction (cost/latency.py, eager): what a step costs
# however small it is. A backward pass starts twice as many kernels as a forward one.
LAYER_MS = 0.5
# 4-bit weights are unpacked for each pass of a step. Qwen-VL prints 2.0 s more for each step of
# eight samples than with 16-bit weights, whatever their length: 30 readings of 6.5B weights
UNPACKING = 30.0


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
    filled: float = 1.0  # share of the recipe's views that an image of the data fills


class StageCost(NamedTuple):
    """FLOPs of a stage, by part; again: those of activations that are computed a second time, which
    take time and train nothing."""

    stage: Stage
    encoder: float
    connector: float
    llm: float
    again: float = 0.0

    @property
    def total(self) -> float:
        return self.encoder + self.connector + self.llm

    @property
    def work(self) -> float:
        """FLOPs that take time."""
        return self.total + self.again


class Estimate(NamedTuple):
    """GPU-hours: the median estimate, and the range in which 80 % of runs would put it."""

    flop: float
    gpu_hours: float
    low: float
    high: float
    utilisation: float


class Calibration(NamedTuple):
    """Utilisation at the reference, as runs show it: median over sources, and the tenth and
    ninetieth percentile of single runs. tpu: the same on TPUs. runs: what it is made of."""

    median: float
    low: float
    high: float
    runs: tuple
    tpu: float | None = None

    def level(self, hardware: Mapping) -> float:
        """The median for a kind of device."""
        return self.tpu if self.tpu and hardware.get("kind") == "tpu" else self.median


def stage_cost(
    stage: Stage,
    encoder_flops: float,
    connector_params: float,
    llm: Mapping,
    grid_tokens: float,
    *,
    lora: bool = False,
    recompute: bool = True,
) -> StageCost:
    """FLOPs of a stage. `encoder_flops`: one forward pass over all views of an image;
    `grid_tokens`: what the connector reads.

    lora: the LLM is trained through adapters: gradients pass, its own weights have none (the
    adapters' are below 2 %). recompute: the LLM's activations are computed again where gradients
    pass, one more forward pass, as nearly all training code does.
    """
    factors = stage_factors(stage, lora)
    llm_ = llm_flops(llm, stage.visual_tokens, stage.text_tokens)
    return StageCost(
        stage,
        encoder_flops * stage.filled * factors["encoder"] * stage.samples,
        2.0 * connector_params * grid_tokens * stage.filled * factors["connector"] * stage.samples,
        llm_ * factors["llm"] * stage.samples,
        llm_ * stage.samples if recompute and factors["llm"] > 1.0 else 0.0,
    )


def llm_flops(llm: Mapping, visual_tokens: float, text_tokens: float) -> float:
    """One forward pass of a sample through the LLM, with the logits of its text."""
    return (
        flops.llm_forward(llm, visual_tokens + text_tokens)
        + 2.0 * llm.get("hidden_size", 0) * llm.get("vocab", 0) * text_tokens
    )


def stage_factors(stage: Stage, lora: bool = False) -> dict[str, float]:
    """Forward passes that one sample costs each part (flops.training_factor)."""
    out, upstream = {}, False
    for part in ("encoder", "connector", "llm"):
        trained = part in stage.trains
        out[part] = flops.training_factor(
            trained and not (lora and part == "llm"), upstream or trained
        )
        upstream |= trained
    return out


def peak_flops(hardware: Mapping) -> float:
    """Dense 16-bit peak in FLOP/s (bf16, or fp16 on devices without bf16). Raises
    flops.MissingFigure.
    """
    return 1e12 * (hardware.get("bf16_dense_tflops") or flops.need(hardware, "fp16_dense_tflops"))


UNTILED = ((1.0, 1.0), (1.0, 1.0))


@functools.lru_cache(1024)
def fills(resolution: int | str | None, tile: int) -> tuple[tuple[float, float], ...]:
    """Of captions and of chats: the share of a recipe's visual tokens and the share of its views
    that an image fills. 1 for one view; tiles of `tile` pixels follow the image (LLaVA-NeXT's
    rule)."""
    found = re.fullmatch(r"anyres-(\d+)(?:x\1)?", str(resolution))
    across = int(found[1]) // tile if found and int(found[1]) % tile == 0 else 1
    if across < 2:
        return UNTILED
    grids = tuple(
        (tile * i, tile * j)
        for i in range(1, across + 2)
        for j in range(1, across + 2)
        if 1 < i * j <= across * across
    )
    out = []
    for size in (CAPTION_IMAGE, CHAT_IMAGE):
        side = 24  # tokens along a tile: the shares do not depend on it
        made = token_rules.anyres(*size, tile, side, grids, None).visual_tokens
        w, h = token_rules.best_grid(*size, grids)
        views = across * across + 1
        out.append(
            (
                min(1.0, made / (views * side * side)),
                (w // tile * (h // tile) + 1) / views,
            )
        )
    return tuple(out)


def two_stages(
    samples: float,
    data: str,
    visual_tokens: float,
    frozen_encoder: bool | None = True,
    filled: Sequence[tuple[float, float]] = UNTILED,
) -> tuple[Stage, ...]:
    """LLaVA-1.5's plan: the connector alone on 558K captions, then connector and LLM (and the
    encoder, if it is not frozen) on the instruction data, one epoch each (arXiv 2310.03744, §3.3
    and appendix; LLaVA scripts v1_5). filled: `fills` of the recipe."""
    trains = (
        ("connector", "llm") if frozen_encoder in (True, None) else ("encoder", "connector", "llm")
    )
    return (
        alignment(visual_tokens, filled[0]),
        tuning(trains, samples, data, visual_tokens, filled[1]),
    )


def alignment(visual_tokens: float, filled: tuple[float, float]) -> Stage:
    """The first stage of LLaVA-1.5's plan."""
    return Stage(
        "alignment",
        ("connector",),
        558_000,
        "LCS-558K captions",
        visual_tokens * filled[0],
        CAPTION_TOKENS,
        filled=filled[1],
    )


def tuning(
    trains: tuple[str, ...],
    samples: float,
    data: str,
    visual_tokens: float,
    filled: tuple[float, float],
) -> Stage:
    """Its second one."""
    return Stage(
        "instruction tuning",
        trains,
        samples,
        data,
        visual_tokens * filled[0],
        CHAT_TOKENS,
        filled=filled[1],
    )


def three_stages(
    samples: float,
    data: str,
    visual_tokens: float,
    frozen_encoder: bool | None = None,
    filled: Sequence[tuple[float, float]] = UNTILED,
) -> tuple[Stage, ...]:
    """The plan of the LLaVA-NeXT blog that gained most (llava_next.abl_stage15): connector on 558K
    captions, everything on 3M recaptioned images, everything on the instruction data."""
    everything = ("connector", "llm") if frozen_encoder else ("encoder", "connector", "llm")
    last = tuning(everything, samples, data, visual_tokens, filled[1])
    return (
        alignment(visual_tokens, filled[0]),
        last._replace(name="knowledge", samples=3_000_000, data="3M recaptioned images"),
        last,
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


def quantile(values: Sequence[float], q: float) -> float:
    """Linear interpolation between order statistics. Raises ValueError on an empty sequence."""
    if not values:
        raise ValueError("no values")
    values = sorted(values)
    place = q * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def slowness(llm: Mapping | None, hardware: Mapping) -> float:
    """How many times as long a FLOP takes as at the reference (MOVING). llm: None is the
    reference's."""
    width = (llm or {}).get("hidden_size") or REFERENCE_WIDTH
    rate = hardware.get("memory_bandwidth_gb_s")
    if hardware.get("kind") == "tpu" or not rate:
        return 1.0
    balance = peak_flops(hardware) / (1e9 * rate)
    return 1.0 - MOVING + MOVING * (REFERENCE_WIDTH / width) * (balance / REFERENCE_BALANCE)


def seconds_beside(
    factors: Mapping[str, float], encoder: Mapping, llm: Mapping, hardware: Mapping, unpack: bool
) -> float:
    """Seconds that a step takes beside its FLOPs, whatever its batch: layers to start (a pass of
    `factors` starts each once), and 4-bit weights to unpack."""
    passes = factors["encoder"] * (encoder.get("depth") or 0) + factors["llm"] * (
        llm.get("layers") or 0
    )
    seconds = 1e-3 * LAYER_MS * passes
    if unpack:
        moved = 2.5 * flops.llm_params(llm)  # read in 4 bit, written in 16
        seconds += UNPACKING * moved / (1e9 * flops.need(hardware, "memory_bandwidth_gb_s"))
    return seconds


def estimate(
    flop: float,
    hardware: Mapping,
    calibration: Calibration,
    llm: Mapping | None = None,
    beside: float = 0.0,
) -> Estimate:
    """GPU-hours for FLOPs that take time (StageCost.work) on one kind of device. llm: the LLM that
    is trained (None: as the reference). beside: hours that no FLOP counts."""
    level, slow = calibration.level(hardware), slowness(llm, hardware)
    hours = flop / peak_flops(hardware) / 3600 * slow
    return Estimate(
        flop,
        hours / level + beside,
        (hours / level + beside) * calibration.median / calibration.high,
        (hours / level + beside) * calibration.median / calibration.low,
        level / slow,
    )
