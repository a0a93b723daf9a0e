"""Latencies that are published or reported, against the arithmetic: the calibration of serving.

In: rows of registry/latency.json and registry/cost_reports.json, registry records. Out: Measured,
an engine's rates as rows show them, and each row estimated from the other sources. Prints nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from . import flops, memory, parts, runs
from .latency import ENGINES, Engine, cache_factor
from .training import peak_flops, quantile


class Measured(NamedTuple):
    """One latency whose arithmetic is known: milliseconds as printed, and at the peak rates of the
    device. phase: prefill, decode, vision or ttft. soc: on a system on chip. kind: published or
    reported. grade: clear, or odd (shown, and left out of the rates)."""

    id: str
    engine: str
    phase: str
    printed_ms: float
    compute_ms: float
    bandwidth_ms: float
    layers: float
    source: str
    int4: bool = False
    soc: bool = False
    kind: str = "published"
    grade: str = "clear"
    size_b: float = 0.0

    def estimate(self, engine: Engine) -> float:
        """Milliseconds by the roofline with an engine's rates."""
        return max(
            self.compute_ms / (engine.compute_soc if self.soc else engine.compute),
            self.bandwidth_ms / (engine.bandwidth_int4 if self.int4 else engine.bandwidth),
            self.layers * engine.layer_ms,
        )


class Check(NamedTuple):
    """One latency and its estimate with the rates that the other sources show."""

    row: Measured
    estimated_ms: float

    @property
    def ratio(self) -> float:
        return self.estimated_ms / self.row.printed_ms

    @property
    def stored(self) -> float:
        """The ratio with the stored rates, which the other sources and this one set."""
        return self.row.estimate(ENGINES[self.row.engine]) / self.row.printed_ms


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


def published(rows: Iterable[Mapping], records: runs.Records) -> list[Measured]:
    """The published latencies that the arithmetic can follow: decode rates, and prefill with a
    stated number of tokens.

    Left out: rows without a known LLM, device, peak rate or engine, pruned tokens, and 4-bit
    formats that are unpacked on the way.
    """
    llms, hardware = records("llm"), records("hardware")
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
                    dtype == "int4",
                    device["kind"] == "gpu-soc",
                    size_b=llm["params_b"],
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
                    dtype == "int4",
                    device["kind"] == "gpu-soc",
                    size_b=llm["params_b"],
                )
            )
    return out


def reported(rows: Iterable[Mapping], records: runs.Records) -> list[Measured]:
    """The reported latencies, in the order of the registry."""
    out = []
    for row in rows:
        if row["kind"] != "serving" or "fits" in row["reported"]:
            continue
        try:
            out += _reported(row, records)
        except flops.MissingFigure:
            continue
    return out


def _reported(row: Mapping, records: runs.Records) -> list[Measured]:
    """The phases of one report."""
    recipe = {**runs.USUAL, **row["recipe"]}
    llm = runs.llm_of(row["recipe"], records)
    device, dtype = records("hardware")[row["gpu"]], row["dtype"]
    engine = ENGINES[row["engine"]]
    encoder = records("encoder")[recipe["encoder"]]
    sight = parts.seen(
        [encoder], recipe["resolution"], recipe["connector"], recipe.get("visual_tokens")
    )
    tokens = (0 if row["text_only"] else sight.tokens) + row["prompt"]
    peak, rate = peak_flops(device), 1e9 * flops.need(device, "memory_bandwidth_gb_s")
    weights, layers = memory.llm_bytes(llm, dtype, engine.int4_bytes), flops.need(llm, "layers")
    looking = sum(flops.encoder_forward(e, side) * views for e, side, views in sight.encoders)
    context = tokens + row["output"] / 2
    cache = memory.kv_bytes_per_token(llm) * context * cache_factor(llm, engine)
    read = flops.llm_forward(llm, tokens)
    depth = encoder.get("depth") or 24
    known = {
        "decode_ms": (flops.llm_forward(llm, 1, context), weights + cache, layers),
        "prefill_ms": (read, weights, layers),
        "vision_ms": (looking, 2.0 * flops.trunk_params(encoder), depth),
        "ttft_ms": (read + looking, weights + 2.0 * flops.trunk_params(encoder), layers + depth),
    }
    return [
        Measured(
            row["id"],
            row["engine"],
            key.removesuffix("_ms"),
            row["reported"][key],
            1e3 * work / peak,
            1e3 * moved / rate,
            launched,
            runs.source_of(row["source"]),
            dtype == "int4",
            device["kind"] == "gpu-soc",
            "reported",
            row["grade"],
            llm["params_b"],
        )
        for key, (work, moved, launched) in known.items()
        if key in row["reported"]
    ]


def fit(rows: Sequence[Measured], before: Engine) -> Engine:
    """An engine's rates as medians over its rows; a rate that no row shows stays as it was.

    What is read (prefill, a whole TTFT, the tower) shows the compute share. A decode row shows the
    bandwidth share; of an engine that launches every layer from the host it shows the time to
    launch one, where it is much slower than its bytes.
    """
    clear = [row for row in rows if row.grade == "clear"]
    decode = [row for row in clear if row.phase == "decode"]
    eager = before.layer_ms > 0.4
    launched = [
        row
        for row in decode
        if eager and row.bandwidth_ms / before.bandwidth < 0.5 * row.printed_ms
    ]
    moved = [] if eager else decode

    def share(found: Iterable[Measured], ms: str, otherwise: float) -> float:
        values = [getattr(row, ms) / row.printed_ms for row in found]
        return quantile(values, 0.5) if values else otherwise

    read = [row for row in clear if row.phase != "decode"]
    layer = [row.printed_ms / row.layers for row in launched]
    return before._replace(
        compute=share((r for r in read if not r.soc), "compute_ms", before.compute),
        compute_soc=share((r for r in read if r.soc), "compute_ms", before.compute_soc),
        bandwidth=share((r for r in moved if not r.int4), "bandwidth_ms", before.bandwidth),
        bandwidth_int4=share((r for r in moved if r.int4), "bandwidth_ms", before.bandwidth_int4),
        layer_ms=quantile(layer, 0.5) if layer else before.layer_ms,
    )


def leave_one_source_out(rows: Sequence[Measured]) -> list[Check]:
    """Each latency, estimated with rates from the rows of other sources on the same engine (a
    published table's models are apart: each is a source); rates that these do not show are the
    stored ones."""
    out = []
    for row in rows:
        others = [
            other for other in rows if other.engine == row.engine and _voice(other) != _voice(row)
        ]
        out.append(Check(row, row.estimate(fit(others, ENGINES[row.engine]))))
    return out


def _voice(row: Measured) -> str:
    return row.id.split(".")[0] if row.kind == "published" else row.source
