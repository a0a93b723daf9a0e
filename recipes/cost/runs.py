"""Runs whose hours are known, published and reported, against the arithmetic: the calibration.

In: rows of registry/training_costs.json and registry/cost_reports.json, registry records. Out: Run,
Calibration, and each run estimated from the other sources. Prints nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from . import fit, flops, parts, training
from .training import Calibration, Stage, quantile

Records = Callable[[str], Mapping[str, Mapping]]  # Vocabulary.records: kind -> records by slug


class Run(NamedTuple):
    """One run: its device-hours as printed, its FLOPs, the hours they would take at the reference's
    full rate (`work`), and the hours that no FLOP counts (`beside`). kind: published or reported.
    grade: clear, or odd (shown, and left out of the calibration)."""

    id: str
    kind: str
    source: str
    size_b: float
    device: str  # gpu or tpu
    hours: float
    flop: float
    work: float
    beside: float = 0.0
    grade: str = "clear"

    @property
    def utilisation(self) -> float:
        """What the run shows of the level; a run as short as its launches shows none above 1."""
        return min(1.0, self.work / max(self.hours - self.beside, 0.1 * self.hours))

    def estimate(self, level: float) -> float:
        """Device-hours at a level."""
        return self.work / level + self.beside


class Checked(NamedTuple):
    """One run estimated from the other sources: hours, and the range for 80 % of runs."""

    run: Run
    estimated: float
    low: float
    high: float

    @property
    def ratio(self) -> float:
        return self.estimated / self.run.hours

    @property
    def inside(self) -> bool:
        return self.low <= self.run.hours <= self.high


LLM_SPELLINGS = {
    "olmoe-1b-7b": None,
    "qwen-1.5-72b-chat": "qwen1.5-72b",
    "qwen-1.5-110b-chat": "qwen1.5-110b",
    "olmo-7b-1024": "olmo-7b",
    "nous-hermes-2-yi-34b": "nous-hermes-2-yi-34b",
}


def _plan(row: Mapping) -> tuple[Stage, ...] | None:
    """The stages of a published run, from what its record says; None when that is not enough."""
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
    parts = [tuple(one["trains"]) for one in row.get("stages") or ()]
    if len(parts) == 2:
        first = row["stages"][0]["samples"]
        return (
            Stage("1", parts[0], first, "", 576, training.CAPTION_TOKENS),
            training.tuning(
                parts[1], samples - first, "", tokens, training.fills("anyres-672", 336)[1]
            ),
        )
    if not parts:
        return None
    text = training.CAPTION_TOKENS if parts[0] == ("connector",) else training.CHAT_TOKENS
    return (Stage("only", parts[0], samples, "", tokens, text),)


def published(rows: Iterable[Mapping], records: Records) -> list[Run]:
    """The published runs that can be compared with arithmetic, in the order of the registry."""
    out = []
    for row in rows:
        stages = _plan(row)
        hours = row.get("device_hours")
        llm = records("llm").get(LLM_SPELLINGS.get(row.get("llm"), row.get("llm")))
        encoder = records("encoder").get(row.get("encoder"))
        device = records("hardware").get(row.get("hardware_slug"))
        if not (stages and hours and llm and encoder and device):
            continue
        whole = isinstance(row.get("resolution"), int)
        side = row["resolution"] if whole else 336
        try:
            one_view, total, work = flops.encoder_forward(encoder, side), 0.0, 0.0
            params = flops.connector_params(
                row.get("connector") or "mlp-2x-gelu",
                encoder.get("width", 1024),
                llm.get("hidden_size", 4096),
            )
            for stage in stages:
                views = 1.0 if whole else max(1.0, stage.visual_tokens / 576)
                alone = stage._replace(filled=1.0)
                cost = training.stage_cost(
                    alone, one_view * views, params, llm, stage.visual_tokens
                )
                total, work = total + cost.total, work + cost.work
            work = hours_of(work, llm, device)
        except flops.MissingFigure:
            continue
        source = re.split(r"[@ ]", row["source"])[0]
        out.append(
            Run(
                row["id"],
                "published",
                source,
                llm["params_b"],
                "tpu" if device["kind"] == "tpu" else "gpu",
                hours,
                total,
                work,
            )
        )
    return out


def hours_of(flop: float, llm: Mapping, device: Mapping) -> float:
    """Device-hours of FLOPs at the full rate, were it not for what moves between them."""
    return flop / training.peak_flops(device) / 3600 * training.slowness(llm, device)


# What a report leaves out is LLaVA-1.5's.
USUAL = {
    "encoder": "clip-vit-l-14",
    "connector": "mlp-2x-gelu",
    "resolution": 336,
    "llm": "vicuna-1.5-7b",
}


class Trained(NamedTuple):
    """A reported training in the terms of the arithmetic."""

    stage: Stage
    parts: fit.Parts
    encoders: tuple[tuple[Mapping, int, float], ...]
    grid: float
    connector: float
    setup: fit.Setup
    batch: int | None


def llm_of(recipe: Mapping, records: Records) -> Mapping:
    """The LLM of a reported recipe, or what stands in for it. Raises flops.MissingFigure."""
    known = records("llm")
    if "llm" not in recipe and "llm_params_b" in recipe:
        return parts.shape(known.values(), recipe["llm_params_b"])
    llm = known[recipe.get("llm") or USUAL["llm"]]
    if llm.get("layers") and llm.get("kv_heads"):
        return llm
    return parts.shape(known.values(), llm["params_b"], llm)


def trained(row: Mapping, records: Records) -> Trained:
    """A report of training or of its memory. Raises flops.MissingFigure."""
    recipe = {**USUAL, **row["recipe"]}
    llm = llm_of(row["recipe"], records)
    encoders = [records("encoder")[part] for part in recipe["encoder"].split("+")]
    sight = parts.seen(
        encoders, recipe["resolution"], recipe["connector"], recipe.get("visual_tokens")
    )
    filled = training.fills(recipe["resolution"], sight.encoders[0][1])
    trains = ("connector", "llm") if recipe.get("frozen_encoder", True) else fit.EVERYTHING
    samples = row.get("samples") or 0
    if row["stage"] == "alignment":
        stage = training.alignment(sight.tokens, filled[0])._replace(samples=samples)
    else:
        stage = training.tuning(trains, samples, "", sight.tokens, filled[1])
    longest = sight.tokens + stage.text_tokens
    if row.get("sequence"):
        longest = row["sequence"]
        stage = stage._replace(text_tokens=max(0.0, longest - stage.visual_tokens))
    width = sum(record.get("width") or 1024 for record in encoders)
    connector = flops.connector_params(recipe["connector"], width, llm["hidden_size"])
    setup = fit.Setup(
        row["tuning"], row["gpus"], row["zero"], row["rank"] or fit.LORA_RANK, row["embeddings"]
    )
    return Trained(
        stage,
        fit.parts_of(sight.encoders, connector, llm, longest),
        sight.encoders,
        sight.grid,
        connector,
        setup,
        row.get("batch"),
    )


def reported(rows: Iterable[Mapping], records: Records) -> list[Run]:
    """The reported runs, in the order of the registry."""
    out = []
    for row in rows:
        if row["kind"] != "training":
            continue
        try:
            run = trained(row, records)
            device = records("hardware")[row["gpu"]]
            llm = run.parts.llm
            seen = sum(flops.encoder_forward(r, side) * views for r, side, views in run.encoders)
            cost = training.stage_cost(
                run.stage, seen, run.connector, llm, run.grid, lora=run.setup.lora
            )
            factors = training.stage_factors(run.stage, run.setup.lora)
            beside = training.seconds_beside(
                factors, run.encoders[0][0], llm, device, run.setup.tuning == "qlora"
            )
            batch = run.batch or fit.USUAL_BATCH
            out.append(
                Run(
                    row["id"],
                    "reported",
                    source_of(row["source"]),
                    llm["params_b"],
                    "gpu",
                    row["reported"]["gpu_hours"],
                    cost.total,
                    hours_of(cost.work, llm, device),
                    beside * run.stage.samples / batch / 3600,
                    row["grade"],
                )
            )
        except flops.MissingFigure:
            continue
    return out


def source_of(url: str) -> str:
    """The repository that a report stands in: one source, however many of its threads speak."""
    return "/".join(url.removeprefix("https://github.com/").split("/")[:2])


# --- the calibration
# --------------------------------------------------------------------------------


def weighted(values: Sequence[tuple[float, float]], q: float) -> float:
    """A quantile of (value, weight) pairs: between the middles of neighbouring weights."""
    values = sorted(values)
    total, passed, before = sum(w for _, w in values), 0.0, None
    for value, weight in values:
        place = (passed + weight / 2) / total
        if place >= q:
            if before is None:
                return value
            share = (q - before[0]) / (place - before[0])
            return before[1] + share * (value - before[1])
        passed, before = passed + weight, (place, value)
    return values[-1][0]


# Where 80 % of the runs of a source that is left out lie about what the others say: wider than the
# tenth and ninetieth percentile, for the sources are few (82 % of clear runs, leave-one-source-out)
SPREAD = (0.07, 0.93)


def calibrate(runs: Sequence[Run]) -> Calibration:
    """Utilisation as clear runs show it, each source with one voice; the range is where 80 % of
    single runs lie about what the other sources say of them."""
    clear = [run for run in runs if run.grade == "clear"]
    median = _level(clear, "gpu")
    without = {
        source: _level([run for run in clear if run.source != source], "gpu") or median
        for source in {run.source for run in clear}
    }
    apart = [run.utilisation / without[run.source] for run in clear if run.device == "gpu"]
    spread = [median * quantile(apart, q) for q in SPREAD]
    return Calibration(median, *spread, tuple(runs), _level(clear, "tpu"))


def _level(runs: Sequence[Run], device: str) -> float | None:
    """The median utilisation of runs on a kind of device, each source with one voice."""
    voices: dict[str, list[float]] = {}
    for run in runs:
        if run.device == device:
            voices.setdefault(run.source, []).append(run.utilisation)
    pairs = [(value, 1 / len(found)) for found in voices.values() for value in found]
    return weighted(pairs, 0.5) if pairs else None


def leave_one_source_out(runs: Sequence[Run]) -> list[Checked]:
    """Each run with the utilisation and the range that the other sources show."""
    out = {}
    for source in dict.fromkeys(run.source for run in runs):
        known = calibrate([run for run in runs if run.source != source])
        for run in runs:
            if run.source == source:
                level = known.tpu if run.device == "tpu" and known.tpu else known.median
                hours = run.estimate(level)
                low, high = (hours * known.median / end for end in (known.high, known.low))
                out[run.id] = Checked(run, hours, low, high)
    return [out[run.id] for run in runs]
