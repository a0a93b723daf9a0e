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
        prompt, seen = row.get("prompt_tokens") or 0, row.get("visual_tokens")
        whole = row.get("ttft_ms") if not row.get("vision_encoder_ms") else None
        speed = row.get("decode_tokens_per_s")
        printed = {
            "decode": 1000 / speed if speed else None,
            "prefill": (row.get("llm_prefill_ms") or whole) if seen else None,
        }
        context = prompt + (row.get("output_tokens") or 128) / 2
        known = _language(llm, dtype, ENGINES[engine], (seen or 0) + prompt, context)
        out += [
            _measured(
                f"{row['id']} {phase}", engine, phase, ms, known[phase], device, llm, dtype
            )._replace(source=row["source"])
            for phase, ms in printed.items()
            if ms
        ]
    return out


def _language(
    llm: Mapping, dtype: str, engine: Engine, tokens: float, context: float
) -> dict[str, tuple[float, float, float]]:
    """FLOPs, bytes and layers of reading so many tokens and of writing one in a context."""
    weights = memory.llm_bytes(llm, dtype, engine.int4_bytes)
    cache = memory.kv_bytes_per_token(llm) * context * cache_factor(llm, engine)
    layers = flops.need(llm, "layers")
    return {
        "decode": (flops.llm_forward(llm, 1, context), weights + cache, layers),
        "prefill": (flops.llm_forward(llm, tokens), weights, layers),
    }


def _measured(
    name: str,
    engine: str,
    phase: str,
    ms: float,
    terms: tuple[float, float, float],
    device: Mapping,
    llm: Mapping,
    dtype: str,
) -> Measured:
    """A published row; terms: FLOPs, bytes, layers. Its source is filled in by the caller."""
    work, moved, layers = terms
    return Measured(
        name,
        engine,
        phase,
        ms,
        1e3 * work / peak_flops(device),
        1e3 * moved / (1e9 * flops.need(device, "memory_bandwidth_gb_s")),
        layers,
        "",
        dtype == "int4",
        device["kind"] == "gpu-soc",
        size_b=llm["params_b"],
    )


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
    llm, dtype = runs.llm_of(row["recipe"], records), row["dtype"]
    encoder = records("encoder")[recipe["encoder"]]
    sight = parts.seen(
        [encoder], recipe["resolution"], recipe["connector"], recipe.get("visual_tokens")
    )
    tokens = (0 if row["text_only"] else sight.tokens) + row["prompt"]
    known = _language(llm, dtype, ENGINES[row["engine"]], tokens, tokens + row["output"] / 2)
    known["vision"] = (
        sum(flops.encoder_forward(e, side) * views for e, side, views in sight.encoders),
        2.0 * flops.trunk_params(encoder),
        encoder.get("depth") or 24,
    )
    known["ttft"] = tuple(map(sum, zip(known["vision"], known["prefill"])))
    device = records("hardware")[row["gpu"]]
    return [
        _measured(
            row["id"],
            row["engine"],
            phase,
            row["reported"][f"{phase}_ms"],
            terms,
            device,
            llm,
            dtype,
        )._replace(source=runs.source_of(row["source"]), kind="reported", grade=row["grade"])
        for phase, terms in known.items()
        if f"{phase}_ms" in row["reported"]
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
