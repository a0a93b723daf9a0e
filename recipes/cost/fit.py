"""Memory of training on one GPU, and the verdict: does it fit, at which batch, else with what.

In: parameters of the parts, the LLM's record, how it is trained (Setup), a device's gigabytes. Out:
Held, gigabytes term by term; Verdict. Does not look anything up and does not price anything.

Formulas: states of mixed-precision AdamW and their sharding by ZeRO stage, Rajbhandari et al.
2020, sections 3 and 5; activations without a stored attention matrix, Korthikanti et al. 2022, eq.
1. What no paper gives (buffers, the fixed part, bytes of the logits) is what runs report: registry
cost_reports.json, `cost --calibration`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from . import flops
from .memory import llm_bytes

TUNINGS = ("full", "lora", "qlora")
EVERYTHING = ("encoder", "connector", "llm")
# Qwen-VL's and MiniCPM-V's scripts; LLaVA-1.5's: 128, LLaMA-Factory's default: 8
LORA_RANK = 64

# Bytes of one parameter that is trained, beside its 16-bit weight: fp32 copy and two Adam moments
# (12), sharded from ZeRO 1 on; 16-bit gradient (2), sharded from ZeRO 2 on; DeepSpeed's fp32 copy
# of the gradients it updates with (4), sharded as the moments are. 20 bytes with the weight.
ADAM_BYTES, GRADIENT_BYTES, FP32_GRADIENT_BYTES = 12.0, 2.0, 4.0
# DeepSpeed's defaults, in parameters: what ZeRO 3 holds gathered (stage3_max_live_parameters), and
# the bucket in which gradients are reduced (reduce_bucket_size); both in 16 bit
LIVE_PARAMETERS, BUCKET_PARAMETERS = 1e9, 5e8
# CUDA context, workspaces and what the allocator cannot use; with several GPUs also NCCL's buffers:
# what is left of reports when weights, states and activations are taken off
FIXED_GB, FIXED_GB_OF_ONE = 4.0, 2.0
# 16-bit logits, their fp32 copy, and the gradients of both, at all positions: 2 + 4 + 4 + 2, and
# the index of the loss. Qwen-VL prints 23.3 GB at 384 tokens and 27.3 at 2,048 with 151,936 words.
LOGIT_BYTES = 13.0
LAYER_BYTES = 34.0  # of one layer in full, per token and unit of width (Korthikanti, eq. 1)
SAVED_BYTES = 2.0  # of one layer whose activations are computed again: its input
# A card of N GB has N x 2^30 bytes, 7 % more than the 10^9 that terms are counted in; the driver
# and fragmentation take about as much. Above TIGHT of N it may run out, above N it does.
TIGHT = 0.92
USUAL_BATCH = 16  # samples a GPU and step: LLaVA-1.5's 128 on eight


class Setup(NamedTuple):
    """How weights are held and trained. zero: ZeRO stage 0 to 3 (None: the usual one)."""

    tuning: str = "full"
    gpus: int = 8
    zero: int | None = None
    rank: int = LORA_RANK
    embeddings: bool = False  # beside adapters, the embeddings and the head are trained
    checkpointing: bool = True

    @property
    def stage(self) -> int:
        """The ZeRO stage: as stated; else 3 for all weights and 2 for adapters, which are what
        people run; one GPU shards nothing."""
        if self.gpus == 1:
            return 0
        if self.zero is not None:
            return self.zero
        return 3 if self.tuning == "full" else 2

    @property
    def lora(self) -> bool:
        return self.tuning != "full"


class Parts(NamedTuple):
    """Parameters of the parts, and what a sample makes them read. llm: its registry record.

    patches: positions the encoders see; width_depth: per patch, encoder widths times depths (of the
    first encoder where several are fused: the others are said in parameters only).
    """

    encoder: float
    connector: float
    llm: Mapping
    tokens: float
    patches: float
    width: float
    depth: float


def parts_of(
    encoders: Sequence[tuple[Mapping, int, float]], connector: float, llm: Mapping, tokens: float
) -> Parts:
    """Parts, from (record, side, views) of each encoder."""
    lead, side, views = max(encoders, key=lambda each: flops.trunk_params(each[0]))
    return Parts(
        sum(flops.trunk_params(record) for record, _, _ in encoders),
        connector,
        llm,
        tokens,
        flops.patch_tokens(lead, side) * views,
        lead.get("width") or 1024,
        lead.get("depth") or 24,
    )


class Held(NamedTuple):
    """Gigabytes on one GPU: what does not depend on the batch, and what each sample adds."""

    weights: float
    states: float
    buffers: float
    fixed: float
    layers_per_sample: float
    logits_per_sample: float
    vision_per_sample: float

    @property
    def without_samples(self) -> float:
        return self.weights + self.states + self.buffers + self.fixed

    @property
    def per_sample(self) -> float:
        return self.layers_per_sample + self.logits_per_sample + self.vision_per_sample

    def at(self, batch: int) -> float:
        """Gigabytes with so many samples a step."""
        return self.without_samples + batch * self.per_sample

    def batch(self, memory_gb: float) -> int:
        """How many samples a step fit (0: none does)."""
        return max(0, int((memory_gb * TIGHT - self.without_samples) / self.per_sample))


def adapters(llm: Mapping, rank: int) -> float:
    """Parameters of LoRA of a rank on every linear layer of an LLM (Hu et al. 2021: rank x (in +
    out) each): query, key, value and output projections, and the gated MLP's three."""
    hidden, layers = flops.need(llm, "hidden_size"), flops.need(llm, "layers")
    keys = (llm.get("kv_heads") or 0) * (llm.get("head_dim") or 0) or hidden
    queries = (llm.get("heads") or 0) * (llm.get("head_dim") or 0) or hidden
    inner = llm.get("intermediate_size") or 4 * hidden
    return rank * layers * (2 * (hidden + queries) + 2 * (hidden + keys) + 3 * (hidden + inner))


def held(parts: Parts, trains: Sequence[str], how: Setup) -> Held:
    """Memory of a stage on each of `how.gpus` GPUs. Raises flops.MissingFigure."""
    everything = parts.llm.get("params") or 1e9 * flops.need(parts.llm, "params_b")
    sizes = {"encoder": parts.encoder, "connector": parts.connector, "llm": everything}
    trained = sum(
        adapters(parts.llm, how.rank) if part == "llm" and how.lora else sizes[part]
        for part in trains
    )
    weights = 2.0 * sum(sizes.values())
    if how.lora and "llm" in trains:
        # adapters, and copies of what is trained beside them
        beside = 2.0 * (parts.llm.get("vocab") or 0) * parts.llm["hidden_size"]
        trained += beside if how.embeddings else 0.0
        weights += 2.0 * (trained - sum(sizes[part] for part in trains if part != "llm"))
    if how.tuning == "qlora":
        weights += llm_bytes(parts.llm, "int4") - 2.0 * everything
    zero, gpus = how.stage, how.gpus
    states = trained * (
        (ADAM_BYTES + (FP32_GRADIENT_BYTES if zero else 0.0)) / (gpus if zero else 1)
        + GRADIENT_BYTES / (gpus if zero >= 2 else 1)
    )
    buffers = 0.0
    if zero:
        buffers = 2.0 * min(trained, BUCKET_PARAMETERS)
        buffers += 2.0 * min(sum(sizes.values()), LIVE_PARAMETERS) if zero == 3 else buffers
    return Held(
        weights / (gpus if zero == 3 else 1) / 1e9,
        states / 1e9,
        buffers / 1e9,
        FIXED_GB_OF_ONE if gpus == 1 else FIXED_GB,
        *(parts_ / 1e9 for parts_ in _per_sample(parts, trains, how)),
    )


def _per_sample(parts: Parts, trains: Sequence[str], how: Setup) -> tuple[float, float, float]:
    """Bytes of one sample: layers of the LLM, its logits, layers of the encoders. A trained tower
    keeps all its activations (the training code recomputes the LLM's); a frozen one a layer's."""
    layers, hidden = flops.need(parts.llm, "layers"), flops.need(parts.llm, "hidden_size")
    saved = SAVED_BYTES * layers + LAYER_BYTES if how.checkpointing else LAYER_BYTES * layers
    depth = parts.depth if "encoder" in trains else 1.0
    return (
        parts.tokens * saved * hidden,
        parts.tokens * LOGIT_BYTES * (parts.llm.get("vocab") or 0),
        parts.patches * LAYER_BYTES * parts.width * depth,
    )


# --- the verdict
# --------------------------------------------------------------------------------

# A stage as the verdict needs it: its parts, and what it trains
Stages = Sequence[tuple[Parts, tuple[str, ...]]]


class Verdict(NamedTuple):
    """Whether training fits: the gigabytes of its largest stage with `batch` samples a step, beside
    those of a GPU; the largest batch (0: none). status: fits, tight or does not fit."""

    status: str
    need_gb: float
    room_gb: float
    batch: int
    largest: int
    held: tuple[Held, ...]
    setup: Setup

    @property
    def fits(self) -> bool:
        return self.status == "fits"


def judge(stages: Stages, how: Setup, memory_gb: float, batch: int | None = None) -> Verdict:
    """Does training fit on GPUs of so many gigabytes? batch: samples a GPU and step (None: one).
    Raises flops.MissingFigure."""
    each = tuple(held(parts, trains, how) for parts, trains in stages)
    samples = batch or 1
    need = max(one.at(samples) for one in each)
    if need <= TIGHT * memory_gb:
        status = "fits"
    else:
        status = "tight" if need <= memory_gb else "does not fit"
    largest = min(one.batch(memory_gb) for one in each)
    return Verdict(status, need, memory_gb, samples, largest, each, how)


def fewest(
    stages: Stages, how: Setup, memory_gb: float, batch: int | None = None
) -> Verdict | None:
    """The fewest GPUs, of powers of two up to 1,024, on which it fits; or None."""
    for power in range(11):
        found = judge(stages, how._replace(gpus=2**power), memory_gb, batch)
        if found.fits:
            return found
    return None


def smallest(
    stages: Stages, how: Setup, devices: Iterable[Mapping], batch: int | None = None
) -> tuple[Mapping, Verdict] | None:
    """Of hardware records, the GPU with the least memory on which it fits (of equal ones the first
    by name), or None."""
    cards = (r for r in devices if r.get("kind") == "gpu" and r.get("memory_gb"))
    for record in sorted(cards, key=lambda r: (r["memory_gb"], r["slug"])):
        found = judge(stages, how, float(record["memory_gb"]), batch)
        if found.fits:
            return record, found
    return None
