"""Readings -> scores of the registry's benchmarks, on the registry's scale.

In: Readings of result files and the vocabulary (registry/harnesses.json says which benchmark, split
and unit a harness's task and metric is, and in which releases; registry/benchmarks.json the rest).
Out: for each reading a Cell, or why it is none: none is left out. A value is brought to the
registry's scale by an exact factor. Knows no tables (importing.py).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from ..terms.vocabulary import Vocabulary, fold, nearest
from .readings import CSV, LMMS_EVAL, VLMEVALKIT, Reading

FILES = {LMMS_EVAL: "lmms_eval", VLMEVALKIT: "vlmevalkit"}  # harness -> key in the registries
SCALES = ("points", "fraction")  # of the values of a CSV
NOTHING = ("", "None", "N/A")  # what harnesses write for: not measured
NAME_LIMIT = 60  # characters of a split or metric


class Target(NamedTuple):
    """What a harness's task and metric is in the registry. `scale`: its value that means perfect;
    `row`: VLMEvalKit's row, None: the only one; the rest: how_to_read in harnesses.json.
    """

    benchmark: str
    split: str | None
    unit: str | None
    role: str
    scale: Decimal
    row: str | None = None
    counts: bool = True  # the task's number of questions is the metric's
    decimals: int | None = None
    first: str | None = None
    last: str | None = None
    open_ended: bool = False
    mean_of: int | None = None


class Cell(NamedTuple):
    """One score to be stored: its metric (key and record in our format), value and standard error
    on the registry's scale.
    """

    key: str
    metric: dict
    value: Decimal
    stderr: Decimal | None
    n: int | None
    part: bool  # only some of the questions were asked
    variant: bool  # the unit is not the benchmark's usual one
    reading: Reading


class Unknown(NamedTuple):
    """A reading that is not taken, why, and the nearest known names."""

    reading: Reading
    why: str
    nearest: tuple[str, ...] = ()


class Folded(NamedTuple):
    """A reading inside another one that was read: a sub-task of a group, a category of a data
    set.
    """

    reading: Reading
    of: str


class Assorted(NamedTuple):
    """All readings of one arm. `unknown`: no score that the registry knows; `refused`: a score that
    does not fit.
    """

    cells: tuple[Cell, ...]
    unknown: tuple[Unknown, ...]
    folded: tuple[Folded, ...]
    refused: tuple[Unknown, ...]


class Misfit(Exception):
    """A known score that cannot be taken as it stands: the text says why."""


def targets(words: Vocabulary) -> dict[tuple[str, str, str], list[Target]]:
    """(harness, task, metric) -> targets, from registry/harnesses.json and the scales of
    registry/benchmarks.json.
    """
    known = words.registry("harnesses")
    out: dict[tuple[str, str, str], list[Target]] = {}
    for harness, file in FILES.items():
        scales = {
            (entry.get("task") or entry["dataset"], entry["metric_key"]): entry["result_scale_max"]
            for record in words.records("benchmark").values()
            for entry in record.get(file) or ()
            if entry.get("result_scale_max")
        }
        for entry in known[file]:
            scale = entry.get("scale") or scales[entry["task"], entry["metric"]]
            unit = entry.get("unit") or words.records("benchmark")[entry["benchmark"]].get("metric")
            target = Target(
                entry["benchmark"],
                entry["split"],
                unit,
                entry.get("role", "score"),
                Decimal(str(scale)),
                entry.get("row"),
                entry.get("n", True),
                entry.get("decimals"),
                entry.get("from"),
                entry.get("until"),
                entry.get("open_ended", False),
                entry.get("mean_of"),
            )
            out.setdefault((harness, entry["task"], entry["metric"]), []).append(target)
    return out


def data_sets(words: Vocabulary) -> dict[str, bool]:
    """VLMEvalKit's data sets that the registry names -> whether the file name may hold the judge's
    name too.
    """
    known = words.registry("harnesses")
    return {
        **{entry["task"]: False for entry in known["not_read"] if entry["harness"] == VLMEVALKIT},
        **{entry["task"]: bool(entry.get("judge")) for entry in known["vlmevalkit"]},
    }


class Sorter:
    """Sorts readings. scale: of the values of plain CSV; None: their benchmark's own, and a value
    that may be a fraction is refused.
    """

    def __init__(self, words: Vocabulary, scale: str | None = None):
        self.words, self.scale, self.known = words, scale, targets(words)
        registry = words.registry("harnesses")
        self.releases: Mapping[str, str] = registry["releases"][LMMS_EVAL]
        self.not_read = {
            (entry["harness"], entry["task"]): entry["why"] for entry in registry["not_read"]
        }
        self.by_task: dict[tuple[str, str], list[str]] = {}
        self.endless = {
            target.benchmark for fits in self.known.values() for target in fits if target.open_ended
        }
        self.scored: dict[str, set[Target]] = {}
        for (harness, task, metric), fits in self.known.items():
            self.by_task.setdefault((harness, task), []).append(metric)
            for target in fits:
                if target.role == "score":
                    plain = Target(target.benchmark, target.split, target.unit, "score", Decimal(1))
                    self.scored.setdefault(task, set()).add(plain)

    def assort(self, readings: Sequence[Reading]) -> Assorted:
        """Each reading as a cell, folded into one, unknown or refused."""
        readings = [*readings, *self._means(readings)]
        filters: dict[tuple, set] = {}
        rows: dict[tuple, set] = {}
        for reading in readings:
            place = reading.source, reading.task, reading.metric
            filters.setdefault(place, set()).add(reading.filter)
            rows.setdefault(place[:2], set()).add(reading.row)
        cells: list[Cell] = []
        rest: list[Reading] = []
        unknown: list[Unknown] = []
        refused: list[Unknown] = []
        for reading in readings:
            several = filters[reading.source, reading.task, reading.metric]
            try:
                target = self._target(reading, rows[reading.source, reading.task])
                if target is None:
                    rest.append(reading)
                elif reading.value is None and (
                    self._why_not(reading) or reading.printed in NOTHING
                ):
                    unknown.append(Unknown(reading, self._why_not(reading) or "no number"))
                elif len(several) > 1 and reading.filter != "none":
                    unknown.append(Unknown(reading, _filtered(several)))
                else:
                    cells.append(self._cell(reading, target))
            except Misfit as misfit:
                refused.append(Unknown(reading, str(misfit)))
        folded, more = self._fold(rest, cells, refused)
        return Assorted(tuple(cells), (*unknown, *more), tuple(folded), tuple(refused))

    def _why_not(self, reading: Reading) -> str | None:
        return self.not_read.get((reading.source.harness, reading.task))

    def _means(self, readings: Sequence[Reading]) -> list[Reading]:
        """The score of a group that prints none: the mean of its sub-tasks, all of them."""
        parts: dict[tuple, list[Reading]] = {}
        for reading in readings:
            if reading.group and reading.value is not None:
                place = reading.source, reading.group, reading.metric, reading.filter
                parts.setdefault(place, []).append(reading)
        out = []
        for (source, group, metric, filtered), found in parts.items():
            for target in self.known.get((source.harness, group, metric), ()):
                if len(found) == target.mean_of:
                    value = sum(reading.value for reading in found) / target.mean_of
                    counted = [reading.n for reading in found]
                    out.append(
                        found[0]._replace(
                            task=group,
                            value=value,
                            printed=f"the mean of {len(found)} sub-tasks",
                            stderr=None,
                            n=sum(counted) if None not in counted else None,
                            part=found[0].part and f"{found[0].part} of each sub-task",
                            filter=filtered,
                            group=None,
                        )
                    )
        return out

    def _target(self, reading: Reading, labels: set) -> Target | None:
        """What a reading is; None: not known. Raises Misfit where it may be several things."""
        if reading.source.harness == CSV:
            return self._csv_target(reading)
        fits = [
            target
            for target in self.known.get((reading.source.harness, reading.task, reading.metric), ())
            if (
                target.row == reading.row
                if target.row is not None
                else len(labels) == 1 or (reading.row or "none").lower() in ("none", "overall")
            )
        ]
        return self._of_release(fits, reading) if fits and reading.value else (fits or [None])[0]

    def _of_release(self, fits: list[Target], reading: Reading) -> Target:
        """Of one score in the units of several releases, the one that the file has: by its release,
        else by what its value can be.
        """
        for possible in (self._in_release, self._in_time, _in_range, _in_digits):
            fits = [target for target in fits if possible(target, reading)] or fits
        if len({target.scale for target in fits}) == 1:
            return fits[0]
        units = " or ".join(
            f"of {target.scale:f}"
            f" ({f'from {target.first}' if target.first else f'to {target.last}'})"
            for target in fits
        )
        raise Misfit(f"{reading.printed} may be {units}, and the file names no release")

    def _in_release(self, target: Target, reading: Reading) -> bool:
        said = re.fullmatch(r"v?(\d+(?:\.\d+)+)", reading.source.version or "", re.ASCII)
        least = said[1] if said else reading.source.since
        if least and target.last and _release(target.last) < _release(least):
            return False
        return not (said and target.first and _release(target.first) > _release(said[1]))

    def _in_time(self, target: Target, reading: Reading) -> bool:
        day = self.releases.get(target.first or "")
        return not (day and reading.source.date and day > reading.source.date)

    def _csv_target(self, reading: Reading) -> Target | None:
        """A plain CSV names our benchmarks, or a harness's tasks."""
        records, task = self.words.records("benchmark"), reading.task
        named = self.scored.get(task, set()) if task not in records else set()
        if len({target.benchmark for target in named}) > 1:
            several = ", ".join(sorted({target.benchmark for target in named}))
            raise Misfit(f"{task} has several scores: say which ({several})")
        slug, split, unit = self.words.find("benchmark", task), reading.split, reading.metric
        if slug is None:
            if not named:
                return None
            slug = next(iter(named)).benchmark
            said = {target.split for target in named}
            split = split or (said.pop() if len(said) == 1 else None)
        record = records[slug]
        whole = Decimal(str(record["max"] or 100))
        if (
            self.scale is None
            and record["max"]
            and reading.value
            and 0 < reading.value <= 1 < whole
        ):
            raise Misfit(
                f"{reading.printed} may be a fraction or {reading.printed} of {whole:f}: --scale"
                " fraction or --scale points says which"
            )
        scale = Decimal(1) if self.scale == "fraction" else whole
        return Target(
            slug,
            split,
            unit or record.get("metric"),
            record["kind"],
            scale,
            open_ended=slug in self.endless,
        )

    def _cell(self, reading: Reading, target: Target) -> Cell:
        """The score on the registry's scale, under a key that says benchmark, split, shots and (if
        not the usual one) unit. Raises Misfit.
        """
        record = self.words.records("benchmark")[target.benchmark]
        self._check(reading, target, record)
        factor = Decimal(str(record["max"] or 100)) / target.scale
        split = ", ".join(filter(None, (target.split, reading.part))) or None
        metric: dict = {"benchmark": target.benchmark}
        if split:
            metric["split"] = split
        if target.unit:
            metric["unit"] = target.unit
        if target.open_ended:
            metric["max"] = None
        if target.role != "score":
            metric["role"] = target.role
        if reading.shots:
            metric["shots"] = reading.shots
        usual = record.get("metric")
        pieces = (
            target.benchmark,
            _slug(split or ""),
            _slug(target.unit or "") if target.unit != usual else "",
            f"{reading.shots}shot" if reading.shots else "",
        )
        return Cell(
            "_".join(filter(None, pieces)),
            metric,
            reading.value * factor,
            None if reading.stderr is None else reading.stderr * factor,
            reading.n if target.counts else None,
            reading.part is not None,
            target.unit != usual,
            reading,
        )

    def _check(self, reading: Reading, target: Target, record: Mapping) -> None:
        """Raises Misfit for what no score of this kind can be."""
        if reading.value is None:
            raise Misfit("no number")
        ends = record["max"] is not None and not target.open_ended
        if reading.value < 0 or ends and reading.value > target.scale:
            csv = reading.source.harness == CSV
            where = f"the registry has {target.benchmark}" if csv else "the harness writes it"
            scale = "a fraction" if csv and self.scale == "fraction" else f"0 … {target.scale:f}"
            raise Misfit(f"outside {scale}, the scale on which {where}")
        if reading.stderr is not None and reading.stderr > target.scale:
            raise Misfit(
                f"the standard error {reading.stderr:f} is larger than the whole scale,"
                f" {target.scale:f}"
            )
        for text in (reading.split, target.unit):
            if text and (not text.isprintable() or len(text) > NAME_LIMIT):
                raise Misfit(
                    f"{text[:60]!r} as split or metric: printable characters, at most {NAME_LIMIT}"
                )

    def _fold(
        self, rest: Sequence[Reading], cells: Sequence[Cell], refused: Sequence[Unknown]
    ) -> tuple[list[Folded], list[Unknown]]:
        """What stands inside a score that was read (or refused), and what is not known."""
        read = {(bad.reading.source.path, bad.reading.task): bad.reading.task for bad in refused}
        read |= {
            (cell.reading.source.path, cell.reading.task): cell.metric["benchmark"]
            for cell in reversed(cells)
        }
        folded, unknown = [], []
        for reading in rest:
            harness, path = reading.source.harness, reading.source.path
            if harness == VLMEVALKIT and (path, reading.task) in read:
                folded.append(Folded(reading, read[path, reading.task]))
            elif reading.group and (path, reading.group) in read:
                folded.append(Folded(reading, read[path, reading.group]))
            else:
                unknown.append(self._unknown(reading))
        return folded, unknown

    def _unknown(self, reading: Reading) -> Unknown:
        """Why a reading is no score that the registry knows."""
        harness, task = reading.source.harness, reading.task
        if self._why_not(reading):
            return Unknown(reading, self._why_not(reading))
        if harness == CSV:
            scores = {
                spelling: slug
                for spelling, slug in self.words.spellings("benchmark").items()
                if self.words.records("benchmark")[slug]["kind"] == "score"
            }
            why = "no benchmark that the registry knows"
            return Unknown(reading, why, tuple(nearest(task, scores)))
        of = next(
            (
                target.mean_of
                for target in self.known.get((harness, reading.group, reading.metric), ())
                if target.mean_of
            ),
            None,
        )
        if of:
            why = f"one of the {of} sub-tasks of {reading.group}, whose score is the mean of all"
            return Unknown(reading, why)
        if (harness, task) in self.by_task:
            return self._unknown_metric(reading, self.by_task[harness, task])
        tasks = {fold(name): name for (other, name) in self.by_task if other == harness}
        kind = "task" if harness == LMMS_EVAL else "data set"
        return Unknown(
            reading, f"a {kind} that the registry does not know", tuple(nearest(task, tasks))
        )

    def _unknown_metric(self, reading: Reading, metrics: Sequence[str]) -> Unknown:
        fits = self.known.get((reading.source.harness, reading.task, reading.metric), ())
        same = [target.row for target in fits if target.row]
        if reading.row and same:
            return Unknown(
                reading, f"row {reading.row!r} is not known for this metric", tuple(same)
            )
        near = nearest(reading.metric, {fold(m): m for m in metrics}) or metrics[:3]
        why = "a metric that the registry does not know for this task"
        return Unknown(reading, why, tuple(near))


def _filtered(several: Iterable) -> str:
    other = (
        "beside the one called none, which was taken"
        if "none" in several
        else "and none of them is called none: which one counts is not said"
    )
    return f"one of {len(list(several))} answer filters, {other}"


def _release(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _in_range(target: Target, reading: Reading) -> bool:
    return reading.value <= target.scale or target.open_ended


def _in_digits(target: Target, reading: Reading) -> bool:
    """Can the harness have rounded to this value in this unit?"""
    if target.decimals is None:
        return True
    return reading.value == round(reading.value, target.decimals)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.+]+", "_", text.lower()).strip("_")
