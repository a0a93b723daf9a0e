"""How long an answer takes: vision encoder, connector, prefill (together TTFT) and decode, by a
roofline.

In: registry records of the parts and the device, token counts, number format, engine. Out:
milliseconds per phase and what binds each phase: compute, memory bandwidth, or launching the
layers. Roofline: Williams, Waterman & Patterson 2009. Published and reported latencies against the
same arithmetic: cost/served.py.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from . import flops, memory
from .training import peak_flops


class Engine(NamedTuple):
    """What an inference engine reaches: shares of the peak rates, and milliseconds to launch a
    layer.

    compute_soc: the compute share on a system on chip (Jetson). bandwidth_int4: with 4-bit weights,
    which are unpacked on the way. slow_layer_ms: on the slowest host that a source shows. copies:
    how often keys and values are moved beside being read once, per query head of a group
    (transformers copies them out to all heads: written and read again). int4_bytes: bytes of a
    4-bit weight. prompt_logits: logits of every token of the prompt are held, in 16 bit and fp32.
    """

    compute: float
    compute_soc: float
    bandwidth: float
    bandwidth_int4: float
    layer_ms: float
    slow_layer_ms: float
    copies: float = 0.0
    int4_bytes: float = memory.WEIGHT_BYTES["int4"]
    prompt_logits: bool = False


# optimised: fused kernels or CUDA graphs (TinyChat, vLLM, SGLang, MLC, gpt-fast). eager:
# transformers as it comes. llama.cpp: its CUDA backend, Q4_K_M for 4 bit.
#
# Bandwidth shares of `optimised` are medians of public reports (0.82, and 0.76 in 4 bit); rows of
# the registry show 0.63 to 0.94. A layer of `eager` takes 0.5 ms on fast desktop hosts (VILA on an
# RTX 4090) and 1.1 on slow servers (Qwen2-VL's README): 0.7 lies between, and `span` gives both.
# compute_soc: Llama-3-8B on Orin. Assumptions that no row shows: compute and launch of `optimised`,
# its compute on Orin (as eager's), and of llama.cpp the compute share beyond Orin and the launch;
# its compute on Orin (0.025) is what MobileVLM's tower and prefill took, an order below the others.
ENGINES = {
    "optimised": Engine(0.45, 0.33, 0.82, 0.76, 0.05, 0.2),
    "eager": Engine(0.4, 0.33, 0.77, 0.6, 0.7, 1.1, copies=2.0, prompt_logits=True),
    "llama.cpp": Engine(0.3, 0.025, 0.6, 0.6, 0.05, 0.2, int4_bytes=0.6),
}


class Phase(NamedTuple):
    """One phase: milliseconds, and what binds it (compute, bandwidth or launch)."""

    name: str
    ms: float
    bound: str


class Latency(NamedTuple):
    """Phases of a batch of requests that run together. `ttft_ms`: until the first token of each.
    `total_ms`: until the last. `tokens_per_s`: of all requests; `per_stream`: of one."""

    phases: tuple[Phase, ...]
    per_token: Phase
    output_tokens: int
    batch: int = 1

    @property
    def ttft_ms(self) -> float:
        return sum(phase.ms for phase in self.phases)

    @property
    def total_ms(self) -> float:
        return self.ttft_ms + self.per_token.ms * max(0, self.output_tokens - 1)

    @property
    def per_stream(self) -> float:
        return 1000.0 / self.per_token.ms

    @property
    def tokens_per_s(self) -> float:
        return self.batch * self.per_stream


def _phase(
    name: str,
    flop: float,
    byte: float,
    layers: float,
    hardware: Mapping,
    devices: int,
    engine: Engine,
    dtype: str = "fp16",
) -> Phase:
    share = engine.compute_soc if hardware.get("kind") == "gpu-soc" else engine.compute
    compute = 1e3 * flop / (peak_flops(hardware) * share * devices)
    reached = engine.bandwidth_int4 if dtype == "int4" else engine.bandwidth
    rate = 1e9 * flops.need(hardware, "memory_bandwidth_gb_s") * reached * devices
    moved = 1e3 * byte / rate
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


class Load(NamedTuple):
    """What is asked of a served model, and how it is served. devices: tensor parallel,
    communication not counted.
    """

    prompt_tokens: int = 32
    output_tokens: int = 128
    dtype: str = "bf16"
    batch: int = 1
    devices: int = 1
    engine: str | Engine = "optimised"


def answer(
    hardware: Mapping,
    llm: Mapping,
    encoders: Sequence[tuple[Mapping, int, float]],
    connector_params: float,
    visual_tokens: float,
    grid_tokens: float,
    load: Load = Load(),
) -> Latency:
    """Latency of a batch of requests with one image each.

    encoders: (record, side in pixels, views) of each encoder. grid_tokens: what the connector
    reads.
    """
    prompt_tokens, output_tokens, dtype, batch, devices, engine = load
    phases = (
        vision_phase(hardware, encoders, batch, devices, engine),
        connector_phase(hardware, connector_params, grid_tokens, batch, devices, engine),
    )
    prefill, decode = language_phases(
        hardware, llm, visual_tokens + prompt_tokens, output_tokens, dtype, batch, devices, engine
    )
    return Latency((*phases, prefill), decode, output_tokens, batch)


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
    weights = memory.llm_bytes(llm, dtype, rates.int4_bytes)
    layers = flops.need(llm, "layers")
    prefill = _phase(
        "prefill",
        batch * flops.llm_forward(llm, tokens),
        weights,
        layers,
        hardware,
        devices,
        rates,
        dtype,
    )
    context = tokens + output_tokens / 2
    # each request of a batch may wake other experts
    moved = weights * min(1.0, batch * flops.active_share(llm))
    decode = _phase(
        "decode",
        batch * flops.llm_forward(llm, 1, context),
        moved + batch * memory.kv_bytes_per_token(llm) * context * cache_factor(llm, rates),
        layers,
        hardware,
        devices,
        rates,
        dtype,
    )
    return prefill, decode


def cache_factor(llm: Mapping, engine: Engine) -> float:
    """How many times the bytes of the cache are moved for one token."""
    return 1.0 + engine.copies * (llm.get("heads") or 0) / flops.need(llm, "kv_heads")


def span(engine: str) -> tuple[Engine, Engine]:
    """An engine on the fastest and on the slowest host that a source shows."""
    rates = ENGINES[engine]
    fast = 0.5 if engine == "eager" else rates.layer_ms
    return rates._replace(layer_ms=fast), rates._replace(layer_ms=rates.slow_layer_ms)
