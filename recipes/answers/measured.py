"""Latencies that `compare` measured, as rows in the format of registry/latency.json, and what they
say about the estimates.

In: records of `compare` and what the user states about the deployment (device, engine, number
format, recipe). Out: rows; read
back from a file: estimate against measurement per row, and an engine's rates as these rows show
them. Does not print.
"""

import math
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..base.reading import EvidenceError, read_json
from ..base.write import dump_registry, write_text
from ..cost import flops, latency, memory, served
from ..cost.training import quantile
from ..library import Library
from ..terms.recipe import Recipe, RecipeError, parse
from ..terms.vocabulary import UnknownName
from .parts import visual_part, whole
from .serving import Service, timing

# What the engines are to the arithmetic (cost/latency.py). Ollama runs llama.cpp.
ENGINES = {
    "vllm": "optimised",
    "sglang": "optimised",
    "tinychat": "optimised",
    "llama.cpp": "llama.cpp",
    "ollama": "llama.cpp",
    "transformers": "eager",
    "optimised": "optimised",
    "eager": "eager",
}
GRADE = "measured by the user"
# Keys of a row in the registry, in its order; `connector` is ours: the arithmetic needs it.
KEYS = (
    "id",
    "model",
    "encoder",
    "encoder_params_m",
    "llm",
    "device",
    "device_count",
    "engine",
    "dtype",
    "batch",
    "image_resolution",
    "visual_tokens",
    "prompt_tokens",
    "output_tokens",
    "vision_encoder_ms",
    "llm_prefill_ms",
    "ttft_ms",
    "decode_tokens_per_s",
    "gpu_memory_gb",
    "task",
    "grade",
    "notes",
    "source",
    "hardware_slug",
    "hardware_slug_assumed",
    "connector",
)
AXES = {
    "encoder": "encoder",
    "connector": "connector",
    "llm": "llm",
    "image_resolution": "resolution",
    "visual_tokens": "visual_tokens",
}


class Deployment(NamedTuple):
    """What no client can know: where and how a model is served. recipe: all that the arithmetic
    needs is stated or computed.
    """

    recipe: Recipe
    gpu: str
    gpus: int
    engine: str
    dtype: str


def deployment(
    library: Library, recipe: Recipe, gpu: str, gpus: int, engine: str, dtype: str
) -> Deployment:
    """Checked: every part is one whose arithmetic is known. Raises flops.MissingFigure or
    RecipeError.
    """
    if not recipe.llm or not recipe.encoder:
        raise RecipeError(
            "recipe",
            "latencies need what is served: --recipe encoder=…,llm=… (connector, resolution and"
            " visual_tokens default to LLaVA-1.5's)",
        )
    full = whole(recipe.stated(), library.words)
    timing(library, full, Service(gpu, gpus, dtype, ENGINES[engine]))
    return Deployment(visual_part(library, full).recipe, gpu, gpus, engine, dtype)


def _middle(values) -> float | None:
    known = [v for v in values if v is not None]
    return quantile(known, 0.5) if known else None


def row(
    name: str, records: Sequence[Mapping], placed: Deployment, device: str, command: str
) -> dict | None:
    """One row from the answers of one endpoint: medians over streamed answers about one image, one
    request at a time. None: there is no such answer.
    """
    use = [
        r
        for r in records
        if r["error"] is None
        and r["ttft_ms"] is not None
        and r["concurrency"] == 1
        and len(r["images_sha256"]) == 1
    ]
    if not use:
        return None
    tokens = round(placed.recipe.visual_tokens)
    prompt = _middle(r["prompt_tokens"] for r in use)
    text = None if prompt is None or prompt < tokens else round(prompt) - tokens
    output = _middle(r["completion_tokens"] for r in use)
    size = use[0]["resize"]
    value = dict.fromkeys(KEYS)
    value.update(
        {
            "id": f"{name}.{placed.gpu}{f'.{size}px' if size else ''}",
            "model": use[0]["model"],
            "encoder": placed.recipe.encoder,
            "llm": placed.recipe.llm,
            "device": device,
            "device_count": placed.gpus,
            "engine": placed.engine,
            "dtype": placed.dtype,
            "batch": 1,
            "image_resolution": placed.recipe.resolution,
            "visual_tokens": tokens,
            "prompt_tokens": text,
            "output_tokens": None if output is None else round(output),
            "ttft_ms": _middle(r["ttft_ms"] for r in use),
            "decode_tokens_per_s": _middle(r["tokens_per_s"] for r in use),
            "task": "questions about one image, one request at a time",
            "grade": GRADE,
            "notes": (
                f"medians of {len(use)} answers, as the client sees them: with network, image"
                " decoding and any cache of the server"
                + ("" if text is not None else "; text tokens of the prompt not known")
            ),
            "source": command,
            "hardware_slug": placed.gpu,
            "hardware_slug_assumed": False,
            "connector": placed.recipe.connector,
        }
    )
    return value


# --- the file
# ------------------------------------------------------------------------------------------


def read(path: str) -> list[dict]:
    """Rows of a file that `compare --latency-out` wrote. Raises EvidenceError with the place of
    what does not fit.
    """
    value = read_json(path)
    rows = value.get("measurements") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not rows:
        raise EvidenceError(
            path,
            "/measurements",
            "no list of measurements (compare --latency-out writes such a file)",
        )
    for i, entry in enumerate(rows):
        _check(path, i, entry)
    return rows


def _check(path: str, i: int, entry) -> None:
    def bad(key: str, message: str):
        return EvidenceError(path, f"/measurements/{i}{'/' + key if key else ''}", message)

    if not isinstance(entry, dict):
        raise bad("", "not an object")
    for key in entry:
        if key not in KEYS:
            raise bad("", f"unknown key {key[:40]!r} (keys: {', '.join(KEYS)})")
    for key in ("id", "llm", "encoder", "engine", "dtype", "hardware_slug", "source"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise bad(key, "is missing or not a text")
    for key, known in (("engine", ENGINES), ("dtype", memory.WEIGHT_BYTES)):
        if entry[key] not in known:
            raise bad(key, f"{entry[key][:40]!r} is none of {', '.join(known)}")
    for key in (
        "ttft_ms",
        "decode_tokens_per_s",
        "prompt_tokens",
        "output_tokens",
        "visual_tokens",
        "device_count",
    ):
        number = entry.get(key)
        if number is not None and (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or not math.isfinite(number)
            or not 0 <= number < 1e9
        ):
            raise bad(key, "is not a number from 0 to 1e9")
    if entry.get("ttft_ms") == 0 or entry.get("decode_tokens_per_s") == 0:
        raise bad("ttft_ms" if entry.get("ttft_ms") == 0 else "decode_tokens_per_s", "is 0")
    if (
        entry.get("batch") != 1
        or not isinstance(entry.get("device_count"), int)
        or not 1 <= entry["device_count"] <= 100
    ):
        raise bad(
            "batch" if entry.get("batch") != 1 else "device_count",
            "is not 1" if entry.get("batch") != 1 else "is not a whole number from 1 to 100",
        )


def write(path: str, rows: Sequence[Mapping]) -> tuple[int, int]:
    """Write rows beside those that the file holds; a row of the same id is replaced. Returns (rows
    written, of which replaced).
    """
    old = read(path) if os.path.lexists(path) else []
    new = {entry["id"] for entry in rows}
    kept = [entry for entry in old if entry["id"] not in new]
    write_text(path, dump_registry({"format": 2, "measurements": [*kept, *rows]}))
    return len(rows), len(old) - len(kept)


# --- against the estimate
# ------------------------------------------------------------------------------------------


class Own(NamedTuple):
    """A measured phase beside its estimate with the published rates. device: hardware slug. bound:
    what binds the estimate.
    """

    check: served.Check
    device: str
    usable: bool  # may set a rate: slower than the device's peak, and (TTFT) bound by compute

    @property
    def faster_than_peak(self) -> bool:
        row = self.check.row
        return row.printed_ms < max(row.compute_ms, row.bandwidth_ms)


def compared(library: Library, rows: Sequence[Mapping], path: str) -> list[Own]:
    """Time to first token and decode of each row beside what `latency` says. Raises EvidenceError
    for a row that no arithmetic follows.
    """
    out = []
    for i, entry in enumerate(rows):
        try:
            out += _phases(library, entry)
        except (flops.MissingFigure, RecipeError, UnknownName) as error:
            raise EvidenceError(path, f"/measurements/{i}", str(error)) from None
    return out


def _recipe(library: Library, entry: Mapping) -> Recipe:
    """What a row was measured with."""
    stated = {field: entry[key] for key, field in AXES.items() if entry.get(key) is not None}
    return whole(parse(stated, library.words)[0].stated(), library.words)


def _phases(library: Library, entry: Mapping) -> list[Own]:
    words = library.words
    gpu = entry["hardware_slug"]
    if gpu not in words.records("hardware"):
        raise words.unknown("hardware", gpu)
    recipe = _recipe(library, entry)
    engine = ENGINES[entry["engine"]]
    stored = latency.ENGINES[engine]
    soc = words.records("hardware")[gpu].get("kind") == "gpu-soc"
    compute_share = stored.compute_soc if soc else stored.compute
    moving = stored.bandwidth_int4 if entry["dtype"] == "int4" else stored.bandwidth

    def at(rates: latency.Engine) -> latency.Latency:
        service = Service(
            gpu,
            entry["device_count"],
            entry["dtype"],
            rates,
            prompt=entry.get("prompt_tokens") or 0,
            output=entry.get("output_tokens") or 128,
        )
        return timing(library, recipe, service).latency

    # a rate that costs nothing; three questions give what each limit asks for by itself
    free = math.inf
    estimate = at(stored)
    compute, moved, launch = (
        at(stored._replace(compute=c, compute_soc=c, bandwidth=b, bandwidth_int4=b, layer_ms=ms))
        for c, b, ms in ((1.0, free, 0.0), (free, 1.0, 0.0), (free, free, 1.0))
    )
    out = []
    for phase, printed, pick in (
        ("TTFT", entry.get("ttft_ms"), lambda x: x.ttft_ms),
        (
            "decode",
            1000 / entry["decode_tokens_per_s"] if entry.get("decode_tokens_per_s") else None,
            lambda x: x.per_token.ms,
        ),
    ):
        if printed is not None:
            measured = served.Measured(
                f"{entry['id']} {phase}",
                engine,
                phase,
                printed,
                pick(compute),
                pick(moved),
                pick(launch),
                entry["source"],
                entry["dtype"] == "int4",
                soc,
            )
            own = Own(served.Check(measured, pick(estimate)), gpu, True)
            others = max(measured.bandwidth_ms / moving, measured.layers * stored.layer_ms)
            binds = phase == "decode" or measured.compute_ms / compute_share >= others
            out.append(own._replace(usable=binds and not own.faster_than_peak))
    return out


def rates(own: Sequence[Own], engine: str, gpu: str) -> tuple[latency.Engine, int]:
    """(rates of an engine as the rows on this device show them, rows used); the published ones
    where no row shows a rate.
    """
    rows = [
        o.check.row for o in own if o.usable and o.check.row.engine == engine and o.device == gpu
    ]
    as_fitted = [row._replace(phase="prefill") if row.phase == "TTFT" else row for row in rows]
    return served.fit(as_fitted, latency.ENGINES[engine]), len(rows)


def rate_note(own: Sequence[Own], engine: str, gpu: str) -> str:
    """What `latency --measured` did with the rows, in one line."""
    new, count = rates(own, engine, gpu)
    old = latency.ENGINES[engine]
    named = {
        "compute": "compute share",
        "compute_soc": "compute share",
        "bandwidth": "bandwidth share",
        "bandwidth_int4": "4-bit bandwidth share",
        "layer_ms": "ms per layer",
    }
    moved = [
        f"{name} {getattr(old, key):.2f} -> {getattr(new, key):.2f}"
        for key, name in named.items()
        if getattr(old, key) != getattr(new, key)
    ]
    if not moved:
        return f"no measured row sets a rate of {engine} on {gpu}: published rates"
    return f"rates of {engine} on {gpu} from {count} measured phases: {', '.join(moved)}"


def verdict(own: Sequence[Own]) -> list[str]:
    """How the estimates compare with the measured rows, in lines."""
    if not own:
        return ["the measured rows hold neither TTFT nor tokens/s"]
    ratios = [o.check.ratio for o in own]
    lines = [
        f"your {len(own)} measured phases: the estimate is {quantile(ratios, 0.5):.2f} of the"
        f" measured time (median); {sum(0.5 < r < 2 for r in ratios)} of {len(ratios)} within a"
        " factor of 2"
    ]
    lines += [
        f"{o.check.row.id}: faster than the peak rates of {o.device} allow: a cached prompt, or not"
        " the recipe, device or number format that was stated"
        for o in own
        if o.faster_than_peak
    ]
    pairs = sorted({(o.check.row.engine, o.device) for o in own})
    return [*lines, *(rate_note(own, engine, gpu) for engine, gpu in pairs)]


def as_json(own: Sequence[Own]) -> dict:
    """The same for --json."""
    pairs = sorted({(o.check.row.engine, o.device) for o in own})
    return {
        "rows": [{"row": o.check.row.id, "device": o.device, "sets_a_rate": o.usable} for o in own],
        "median_ratio": quantile([o.check.ratio for o in own], 0.5) if own else None,
        "rates": [
            {"engine": engine, "device": gpu, **rates(own, engine, gpu)[0]._asdict()}
            for engine, gpu in pairs
        ],
        "notes": verdict(own),
    }


def load(library: Library, path: str) -> list[Own]:
    """`compared` of a file."""
    return compared(library, read(path), path)
