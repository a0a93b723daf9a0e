"""How long an answer takes: vision encoder, connector, prefill (together TTFT) and decode, by a
roofline.

In: registry records of the parts and the device, token counts, number format, engine. Out:
milliseconds per phase and
what binds each phase: compute, memory bandwidth, or launching the layers. Roofline: Williams,
Waterman & Patterson
2009. Also `calibrate`: the published latencies of registry/latency.json against the same
arithmetic.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from . import flops, memory
from .training import peak_flops, quantile


class Engine(NamedTuple):
    """What an inference engine reaches: shares of the peak rates, and milliseconds to launch a
    layer.

    copies: how often keys and values are moved beside being read once, per query head of a group
    (transformers copies
    them out to all heads: written and read again).

    optimised: fused kernels or CUDA graphs (TinyChat, vLLM, SGLang, gpt-fast). eager: transformers
    as it comes. The numbers are medians over published rows (`latency --calibration`, `fit`), but
    for three that no row shows and that are
    assumptions: the compute share and the launch time of `optimised`, the bandwidth share of
    `eager`.
    """

    compute: float
    bandwidth: float
    layer_ms: float
    copies: float


ENGINES = {"optimised": Engine(0.45, 0.88, 0.05, 0.0), "eager": Engine(0.2, 0.62, 1.11, 2.0)}


class Phase(NamedTuple):
    """One phase: milliseconds, and what binds it (compute, bandwidth or launch)."""

    name: str
    ms: float
    bound: str


class Latency(NamedTuple):
    """Phases of one request. `ttft_ms`: until the first token. `total_ms`: until the last."""

    phases: tuple[Phase, ...]
    per_token: Phase
    output_tokens: int

    @property
    def ttft_ms(self) -> float:
        return sum(phase.ms for phase in self.phases)

    @property
    def total_ms(self) -> float:
        return self.ttft_ms + self.per_token.ms * max(0, self.output_tokens - 1)

    @property
    def tokens_per_s(self) -> float:
        return 1000.0 / self.per_token.ms


def _phase(
    name: str,
    flop: float,
    byte: float,
    layers: float,
    hardware: Mapping,
    devices: int,
    engine: Engine,
) -> Phase:
    compute = 1e3 * flop / (peak_flops(hardware) * engine.compute * devices)
    moved = (
        1e3
        * byte
        / (1e9 * flops.need(hardware, "memory_bandwidth_gb_s") * engine.bandwidth * devices)
    )
    launch = layers * engine.layer_ms
    ms = max(compute, moved, launch)
    return Phase(name, ms, "compute" if ms == compute else "bandwidth" if ms == moved else "launch")


def rates_of(engine: str | Engine) -> Engine:
    """The rates of an engine by its name, or as they are given."""
    return engine if isinstance(engine, Engine) else ENGINES[engine]


def vision_phase(
    hardware: Mapping,
    encoders: Sequence[tuple[Mapping, int, float]],
    batch: int = 1,
    devices: int = 1,
    engine: str | Engine = "optimised",
) -> Phase:
    """The encoders' share of the time to the first token; encoders: (record, side in pixels,
    views).
    """
    work = batch * sum(flops.encoder_forward(e, side) * views for e, side, views in encoders)
    return _phase(
        "vision encoder",
        work,
        sum(2.0 * flops.trunk_params(e) for e, _, _ in encoders),
        sum(e.get("depth") or 24 for e, _, _ in encoders),
        hardware,
        devices,
        rates_of(engine),
    )


def connector_phase(
    hardware: Mapping,
    connector_params: float,
    grid_tokens: float,
    batch: int = 1,
    devices: int = 1,
    engine: str | Engine = "optimised",
) -> Phase:
    """The connector's share of the time to the first token."""
    return _phase(
        "connector",
        batch * 2.0 * connector_params * grid_tokens,
        2.0 * connector_params,
        2,
        hardware,
        devices,
        rates_of(engine),
    )


def answer(
    hardware: Mapping,
    llm: Mapping,
    encoders: Sequence[tuple[Mapping, int, float]],
    connector_params: float,
    visual_tokens: float,
    grid_tokens: float,
    prompt_tokens: int = 32,
    output_tokens: int = 128,
    dtype: str = "bf16",
    batch: int = 1,
    devices: int = 1,
    engine: str | Engine = "optimised",
) -> Latency:
    """Latency of a batch of requests with one image each.

    encoders: (record, side in pixels, views) of each encoder. grid_tokens: what the connector
    reads. devices: tensor parallel, communication not counted.
    """
    phases = (
        vision_phase(hardware, encoders, batch, devices, engine),
        connector_phase(hardware, connector_params, grid_tokens, batch, devices, engine),
    )
    prefill, decode = language_phases(
        hardware, llm, visual_tokens + prompt_tokens, output_tokens, dtype, batch, devices, engine
    )
    return Latency((*phases, prefill), decode, output_tokens)


def language_phases(
    hardware: Mapping,
    llm: Mapping,
    tokens: float,
    output_tokens: int,
    dtype: str = "bf16",
    batch: int = 1,
    devices: int = 1,
    engine: str | Engine = "optimised",
) -> tuple[Phase, Phase]:
    """The LLM's share of the time to the first token, with so many tokens to read, and its time for
    one token of the answer.
    """
    rates = rates_of(engine)
    weights = memory.llm_bytes(llm, dtype)
    layers = flops.need(llm, "layers")
    prefill = _phase(
        "prefill", batch * flops.llm_forward(llm, tokens), weights, layers, hardware, devices, rates
    )
    context = tokens + output_tokens / 2
    decode = _phase(
        "decode",
        batch * flops.llm_forward(llm, 1, context),
        weights + batch * memory.kv_bytes_per_token(llm) * context * cache_factor(llm, rates),
        layers,
        hardware,
        devices,
        rates,
    )
    return prefill, decode


def cache_factor(llm: Mapping, engine: Engine) -> float:
    """How many times the bytes of the cache are moved for one token."""
    return 1.0 + engine.copies * (llm.get("heads") or 0) / flops.need(llm, "kv_heads")


# --- published latencies
# ------------------------------------------------------------------------------------------


class Measured(NamedTuple):
    """One published latency whose arithmetic is known: milliseconds as printed, and at the peak
    rates of the device.
    """

    id: str
    engine: str
    phase: str  # prefill or decode
    printed_ms: float
    compute_ms: float
    bandwidth_ms: float
    layers: float
    source: str

    def estimate(self, engine: Engine) -> float:
        """Milliseconds by the roofline with an engine's rates."""
        return max(
            self.compute_ms / engine.compute,
            self.bandwidth_ms / engine.bandwidth,
            self.layers * engine.layer_ms,
        )


class Check(NamedTuple):
    """One published latency and its estimate with the rates that the other sources show."""

    row: Measured
    estimated_ms: float

    @property
    def ratio(self) -> float:
        return self.estimated_ms / self.row.printed_ms


# What the rows of the registry call their engines and formats. NVILA's rows do not name the LLM;
# its tables do (nvila.table1).
ENGINE_OF = (("tinychat", "optimised"), ("transformers", "eager"))
FORMAT_OF = (
    ("w4a16", "int4"),
    ("int4", "int4"),
    ("awq", "int4"),
    ("int8", "int8"),
    ("4-bit", None),
    ("fp16", "fp16"),
    ("bf16", "bf16"),
)
LLM_OF = {"NVILA-8B": "qwen2-7b", "NVILA-Lite-8B": "qwen2-7b"}


def measured(rows: Iterable[Mapping], llms: Mapping, hardware: Mapping) -> list[Measured]:
    """The published latencies that the arithmetic can follow: decode rates, and prefill with a
    stated number of tokens.

    Left out: rows without a known LLM, device, peak rate or engine, pruned tokens, and 4-bit
    formats that are unpacked on the way.
    """
    out = []
    for row in rows:
        engine = next(
            (name for word, name in ENGINE_OF if word in (row.get("engine") or "").lower()), None
        )
        stated = (row.get("dtype") or "fp16").lower()
        dtype = next((form for word, form in FORMAT_OF if word in stated), None)
        llm = llms.get(row.get("llm") or LLM_OF.get(row.get("model") or "") or "")
        device = hardware.get(row.get("hardware_slug") or "")
        if (
            not (engine and dtype and llm and device and llm.get("layers"))
            or row.get("token_pruning")
            or not (device.get("bf16_dense_tflops") or device.get("fp16_dense_tflops"))
        ):
            continue
        peak, rate = peak_flops(device), 1e9 * flops.need(device, "memory_bandwidth_gb_s")
        weights, layers = memory.llm_bytes(llm, dtype), llm["layers"]
        if row.get("decode_tokens_per_s"):
            context = (row.get("prompt_tokens") or 0) + (row.get("output_tokens") or 128) / 2
            byte = weights + memory.kv_bytes_per_token(llm) * context * cache_factor(
                llm, ENGINES[engine]
            )
            out.append(
                Measured(
                    row["id"] + " decode",
                    engine,
                    "decode",
                    1000 / row["decode_tokens_per_s"],
                    1e3 * flops.llm_forward(llm, 1, context) / peak,
                    1e3 * byte / rate,
                    layers,
                    row["source"],
                )
            )
        prefill = row.get("llm_prefill_ms") or (
            row.get("ttft_ms")
            if row.get("visual_tokens") and not row.get("vision_encoder_ms")
            else None
        )
        if prefill and row.get("visual_tokens"):
            tokens = row["visual_tokens"] + (row.get("prompt_tokens") or 0)
            out.append(
                Measured(
                    row["id"] + " prefill",
                    engine,
                    "prefill",
                    prefill,
                    1e3 * flops.llm_forward(llm, tokens) / peak,
                    1e3 * weights / rate,
                    layers,
                    row["source"],
                )
            )
    return out


def fit(rows: Sequence[Measured], before: Engine) -> Engine:
    """An engine's rates as medians over its rows; a rate that no row shows stays as it was.

    Prefill rows show the compute share. A decode row shows the bandwidth share where it runs faster
    than launching allows at the present rate, else the time to launch a layer.
    """
    compute = [row.compute_ms / row.printed_ms for row in rows if row.phase == "prefill"]
    decode = [row for row in rows if row.phase == "decode"]
    eager = before.layer_ms > 0.5
    launched = [
        row.printed_ms / row.layers
        for row in decode
        if eager and row.bandwidth_ms / before.bandwidth < 0.5 * row.printed_ms
    ]
    moved = [row.bandwidth_ms / row.printed_ms for row in decode if not eager]
    return before._replace(
        compute=quantile(compute, 0.5) if compute else before.compute,
        bandwidth=quantile(moved, 0.5) if moved else before.bandwidth,
        layer_ms=quantile(launched, 0.5) if launched else before.layer_ms,
    )


def calibrate(rows: Sequence[Measured]) -> list[Check]:
    """Each published latency, estimated with rates from the rows of other models on the same
    engine.
    """
    out = []
    for row in rows:
        others = [
            other
            for other in rows
            if other.engine == row.engine and other.id.split(".")[0] != row.id.split(".")[0]
        ]
        out.append(Check(row, row.estimate(fit(others, ENGINES[row.engine]))))
    return out
