"""How long an answer takes: vision encoder, connector, prefill (together TTFT) and decode, by a roofline.

In: registry records of the parts and the device, token counts, number format. Out: milliseconds per phase and
what binds each phase: compute, memory bandwidth, or launching the layers. Roofline: Williams, Waterman & Patterson
2009. Efficiencies are those of an optimised engine; eager PyTorch is slower.
"""
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from . import flops, memory
from .training import peak_flops

# Shares of the peak rates that an optimised engine reaches. Bandwidth: the decode rows of NVILA-8B under TinyChat in
# registry/latency.json lie between 0.5 and 0.9 of the roofline on A100, RTX 4090 and Jetson Orin. Compute: its
# time to first token fits 0.4 to 0.5. Eager PyTorch (the Qwen2-VL rows) is bound by launching layers, about 1 ms each.
COMPUTE_EFFICIENCY = 0.45
BANDWIDTH_EFFICIENCY = 0.75
LAYER_MS = 0.05


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


def _phase(name: str, flop: float, byte: float, layers: float, hardware: Mapping, devices: int) -> Phase:
    compute = 1e3 * flop / (peak_flops(hardware) * COMPUTE_EFFICIENCY * devices)
    moved = 1e3 * byte / (1e9 * flops.need(hardware, "memory_bandwidth_gb_s") * BANDWIDTH_EFFICIENCY * devices)
    launch = layers * LAYER_MS
    ms = max(compute, moved, launch)
    return Phase(name, ms, "compute" if ms == compute else "bandwidth" if ms == moved else "launch")


def connector_phase(hardware: Mapping, connector_params: float, grid_tokens: float, batch: int = 1, devices: int = 1) -> Phase:
    """The connector's share of the time to the first token."""
    return _phase("connector", batch * 2.0 * connector_params * grid_tokens, 2.0 * connector_params, 2, hardware, devices)


def answer(hardware: Mapping, llm: Mapping, encoders: Sequence[tuple[Mapping, int, float]], connector_params: float,
           visual_tokens: float, grid_tokens: float, prompt_tokens: int = 32, output_tokens: int = 128, dtype: str = "bf16",
           batch: int = 1, devices: int = 1) -> Latency:
    """Latency of a batch of requests with one image each.

    encoders: (record, side in pixels, views) of each encoder. grid_tokens: what the connector reads.
    """
    vision_flops = batch * sum(flops.encoder_forward(e, side) * views for e, side, views in encoders)
    vision_bytes = sum(2.0 * flops.trunk_params(e) for e, _, _ in encoders)
    depth = sum(e.get("depth") or 24 for e, _, _ in encoders)
    tokens = visual_tokens + prompt_tokens
    weights = memory.llm_bytes(llm, dtype)
    layers = flops.need(llm, "layers")
    per_token_cache = memory.kv_bytes_per_token(llm)
    phases = (_phase("vision encoder", vision_flops, vision_bytes, depth, hardware, devices),
              connector_phase(hardware, connector_params, grid_tokens, batch, devices),
              _phase("prefill", batch * flops.llm_forward(llm, tokens), weights, layers, hardware, devices))
    context = tokens + output_tokens / 2
    decode = _phase("decode", batch * flops.llm_forward(llm, 1, context), weights + batch * per_token_cache * context, layers,
                    hardware, devices)
    return Latency(phases, decode, output_tokens)
