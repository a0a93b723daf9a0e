"""Readings -> rows of a table of one's own, in the evidence format (tables/README.md).

In: Readings of result files, the vocabulary, and the raw paper file that is there already. Out:
what each reading is (a benchmark's score, a part of one, or unknown), and the raw paper file with
the new cells; or NotImported, and then nothing is to be written. A value is stored as the harness
wrote it, brought to the registry's scale by an exact factor. Does not read or write files.
"""

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from ..base.errors import Refused
from ..base.reading import EvidenceError
from ..evidence import rules
from ..evidence.redundancy import MAIN
from ..evidence.tables import FORMAT, Paper, parse_paper
from ..terms.recipe import FIELDS, Recipe
from ..terms.vocabulary import Vocabulary, fold, nearest
from .harness import CSV, LMMS_EVAL, VLMEVALKIT, Reading, printable

FILES = {LMMS_EVAL: "lmms_eval", VLMEVALKIT: "vlmevalkit"}  # harness -> key in the registries
# asks whether scores are k of n at one precision; files of several harnesses print at several
SOFT = ("granularity",)
OWN = "imported: the registry does not know this name"
DIGITS = "imported: harnesses write different numbers of digits"
PARTIAL = "imported: a part of the questions, and the harness gave no standard error"


class NotImported(Refused):
    """An import that would contradict what is there, or store what cannot be: one line; nothing is
    written.
    """


class Target(NamedTuple):
    """What a harness's task and metric is in the registry. `scale`: its value that means perfect;
    `row`: VLMEvalKit's row, None: the only one.
    """

    benchmark: str
    split: str | None
    unit: str | None
    role: str
    scale: Decimal
    row: str | None
    counts: bool  # the task's number of questions is the metric's


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
    """A reading that is no score of a benchmark that the registry knows, why, and the nearest known
    names.
    """

    reading: Reading
    why: str
    nearest: tuple[str, ...]


class Folded(NamedTuple):
    """A reading inside another one that was read: a sub-task of a group, a category of a data
    set.
    """

    reading: Reading
    of: str


class Sorted(NamedTuple):
    """All readings of one arm, sorted."""

    cells: tuple[Cell, ...]
    unknown: tuple[Unknown, ...]
    folded: tuple[Folded, ...]


class Arm(NamedTuple):
    """One trained model to import: its name, its recipe (None: as the table has it already) and its
    scores.
    """

    name: str
    recipe: Recipe | None
    cells: tuple[Cell, ...]


class Merged(NamedTuple):
    """A paper file with the arms in it; `added` and `unchanged` as (arm, cell)."""

    file: dict
    paper: Paper
    added: tuple[tuple[str, Cell], ...]
    unchanged: tuple[tuple[str, Cell], ...]
    notes: tuple[str, ...]


# --- what a reading is
# ------------------------------------------------------------------------------------------


def targets(words: Vocabulary) -> dict[tuple[str, str, str], list[Target]]:
    """(harness, task, metric) -> targets, from registry/harnesses.json and the scales of
    registry/benchmarks.json.
    """
    known = words.registry("harnesses")
    out: dict[tuple[str, str, str], list[Target]] = {}
    for harness, file in FILES.items():
        scales = {}
        for record in words.records("benchmark").values():
            for entry in record.get(file) or ():
                if entry.get("result_scale_max"):
                    scales[entry.get("task") or entry["dataset"], entry["metric_key"]] = entry[
                        "result_scale_max"
                    ]
        for entry in known[file]:
            scale = entry.get("scale") or scales[entry["task"], entry["metric"]]
            unit = entry.get("unit") or words.records("benchmark")[entry["benchmark"]].get("metric")
            out.setdefault((harness, entry["task"], entry["metric"]), []).append(
                Target(
                    entry["benchmark"],
                    entry["split"],
                    unit,
                    entry.get("role", "score"),
                    Decimal(str(scale)),
                    entry.get("row"),
                    entry.get("n", True),
                )
            )
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


def assort(readings: Sequence[Reading], words: Vocabulary) -> Sorted:
    """Each reading as a cell, unknown, or folded into a cell: none is left out. Raises NotImported
    for a score that its scale does not have.
    """
    known = targets(words)
    not_read = {
        (entry["harness"], entry["task"]): entry["why"]
        for entry in words.registry("harnesses")["not_read"]
    }
    filters: dict[tuple, set] = {}
    rows: dict[tuple, set] = {}
    for reading in readings:
        filters.setdefault((reading.source, reading.task, reading.metric), set()).add(
            reading.filter
        )
        rows.setdefault((reading.source, reading.task), set()).add(reading.row)
    cells: list[Cell] = []
    rest: list[Reading] = []
    unknown: list[Unknown] = []
    for reading in readings:
        target = (
            _csv_target(reading, words)
            if reading.source.harness == CSV
            else _target(reading, known, rows[reading.source, reading.task])
        )
        several = filters[reading.source, reading.task, reading.metric]
        if target is None:
            rest.append(reading)
        elif reading.value is None:
            why = not_read.get((reading.source.harness, reading.task), "no number")
            unknown.append(Unknown(reading, why, ()))
        elif len(several) > 1 and reading.filter != "none":
            other = (
                "beside the one called none, which was taken"
                if "none" in several
                else "and none of them is called none: which one counts is not said"
            )
            unknown.append(Unknown(reading, f"one of {len(several)} answer filters, {other}", ()))
        else:
            cells.append(_cell(reading, target, words))
    read = {
        (cell.reading.source.path, cell.reading.task): cell.metric["benchmark"]
        for cell in reversed(cells)
    }
    folded = []
    for reading in rest:
        harness, path = reading.source.harness, reading.source.path
        if harness == VLMEVALKIT and (path, reading.task) in read:
            folded.append(Folded(reading, read[path, reading.task]))
        elif reading.group and (path, reading.group) in read:
            folded.append(Folded(reading, read[path, reading.group]))
        else:
            unknown.append(_unknown(reading, known, not_read, words))
    return Sorted(tuple(cells), tuple(unknown), tuple(folded))


def _target(reading: Reading, known: Mapping, labels: set) -> Target | None:
    fits = known.get((reading.source.harness, reading.task, reading.metric), ())
    for target in fits:
        if (
            target.row == reading.row
            if target.row is not None
            else len(labels) == 1 or (reading.row or "none").lower() in ("none", "overall")
        ):
            return target
    return None


def _csv_target(reading: Reading, words: Vocabulary) -> Target | None:
    """A plain CSV names our benchmarks and prints on their scale."""
    slug = words.find("benchmark", reading.task)
    if slug is None:
        return None
    record = words.records("benchmark")[slug]
    return Target(
        slug,
        reading.split,
        reading.metric or record.get("metric"),
        record["kind"],
        Decimal(str(record["max"] or 100)),
        None,
        True,
    )


def _unknown(reading: Reading, known: Mapping, not_read: Mapping, words: Vocabulary) -> Unknown:
    harness, task = reading.source.harness, reading.task
    if (harness, task) in not_read:
        return Unknown(reading, not_read[harness, task], ())
    if harness == CSV:
        scores = {
            spelling: slug
            for spelling, slug in words.spellings("benchmark").items()
            if words.records("benchmark")[slug]["kind"] == "score"
        }
        return Unknown(
            reading, "no benchmark that the registry knows", tuple(nearest(task, scores))
        )
    metrics = [metric for (other, name, metric) in known if (other, name) == (harness, task)]
    if metrics:
        same = [
            target.row for target in known.get((harness, task, reading.metric), ()) if target.row
        ]
        why = (
            f"row {reading.row!r} is not known for this metric"
            if reading.row and same
            else "a metric that the registry does not know for this task"
        )
        return Unknown(
            reading,
            why,
            tuple(
                same
                if reading.row and same
                else nearest(reading.metric, {fold(m): m for m in metrics}) or metrics[:3]
            ),
        )
    tasks = {fold(name): name for (other, name, _) in known if other == harness}
    return Unknown(
        reading,
        f"a {'task' if harness == LMMS_EVAL else 'data set'} that the registry does not know",
        tuple(nearest(task, tasks)),
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.+]+", "_", text.lower()).strip("_")


def _cell(reading: Reading, target: Target, words: Vocabulary) -> Cell:
    """The score on the registry's scale, under a key that says benchmark, split, shots and (if not
    the usual one) unit.
    """
    record = words.records("benchmark")[target.benchmark]
    where = (
        f"{reading.source.name}, {reading.place}:"
        f" {reading.task}{' ' + reading.metric if reading.metric else ''}"
    )
    if reading.value < 0 or reading.value > target.scale and record["max"] is not None:
        raise NotImported(
            f"{where} is {reading.printed}, outside 0 … {target.scale:f}, the scale on which "
            f"{'the registry has ' + target.benchmark if reading.source.harness == CSV else reading.source.harness + ' writes it'}"
        )
    if reading.stderr is not None and reading.stderr > target.scale:
        raise NotImported(
            f"{where}: the standard error {reading.stderr:f} is larger than the whole scale,"
            f" {target.scale:f}"
        )
    for text in (reading.split, target.unit):
        if text and (not text.isprintable() or len(text) > 60):
            raise NotImported(
                f"{where}: {text[:60]!r} as split or metric: printable characters, at most 60"
            )
    factor = Decimal(str(record["max"] or 100)) / target.scale
    n = reading.n if target.counts else None
    part = reading.n is not None and reading.total is not None and reading.n < reading.total
    split = (
        f"{target.split + ', ' if target.split else ''}{reading.n} of {reading.total} questions"
        if part
        else target.split
    )
    metric: dict = {"benchmark": target.benchmark}
    if split:
        metric["split"] = split
    if target.unit:
        metric["unit"] = target.unit
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
        n,
        part,
        target.unit != usual,
        reading,
    )


# --- the table
# ------------------------------------------------------------------------------------------


def plain(value: Decimal) -> int | float:
    """A number for JSON: 35.0 -> 35, 51.33 -> 51.33."""
    return int(value) if value == value.to_integral_value() else float(value)


def paper_key(name: str) -> str:
    """The paper key, and file name, of a table name. Raises Refused."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise Refused(
            f"--table {name[:60]!r}: letters, digits, - and _ (at most 64), as in my-sweep"
        )
    return name.lower()


def arm_name(name: str) -> str:
    """A name for a row. Raises Refused for what could steer a terminal or pass for a path."""
    if not name.strip() or len(name) > 120 or not name.isprintable() or ".." in name:
        raise Refused(f"the arm {name[:60]!r}: printable characters, at most 120, without '..'")
    return name.strip()


def settings(recipe: Recipe) -> dict:
    """The recipe's stated fields as a row's `set`: whole numbers without a point."""
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in recipe.stated().items()
    }


def new_file(key: str) -> dict:
    """An empty paper file for runs of one's own."""
    return {
        "format": FORMAT,
        "paper": {
            "key": key,
            "short": key,
            "title": f"Own runs: {key}",
            "authors": "",
            "year": None,
            "arxiv": None,
            "venue": None,
        },
        "transcription": {
            "read_from": "",
            "checked_against": None,
            "grade": "imported",
            "open_questions": [],
            "sources": [],
        },
        "tables": [
            {
                "id": f"{key}.runs",
                "locator": "imported runs",
                "topic": "own runs",
                "varies": [],
                "setting": {},
                "protocol": None,
                "metrics": {},
                "rows": [],
                "notes": (
                    "values as the harness wrote them, brought to the registry's scale by an exact"
                    " factor; transcription.sources says where each one stands"
                ),
            }
        ],
    }


def merge(file: dict | None, key: str, arms: Iterable[Arm], words: Vocabulary, path: str) -> Merged:
    """The paper file with the arms' scores in it (`file` itself is not changed).

    Raises NotImported, or EvidenceError when the file is not in our format.
    """
    data = copy.deepcopy(file) if file is not None else new_file(key)
    parse_paper(data, path, words.records("benchmark"))
    index = next(
        (i for i, table in enumerate(data["tables"]) if table["id"] == f"{key}.runs"), None
    )
    if index is None:
        raise NotImported(f"{path} is there and holds no table {key}.runs: choose another --table")
    table, at = data["tables"][index], f"{path}#/tables/{index}"
    _check_shape(data, table, path, f"/tables/{index}")
    added: list[tuple[str, Cell]] = []
    unchanged: list[tuple[str, Cell]] = []
    for arm in arms:
        row, place = _row(table, arm, at)
        written: dict[str, Cell] = {}
        for cell in arm.cells:
            fresh = _put(table, row, cell, written.get(cell.key), f"{place}/scores")
            if fresh:
                written[cell.key] = cell
            if fresh or cell.key not in written:
                (added if fresh else unchanged).append((arm.name, cell))
        _record(data, arm.name, written)
    notes = _finish(data, table, index, words, path) if added else []
    return Merged(
        data,
        parse_paper(data, path, words.records("benchmark")),
        tuple(added),
        tuple(unchanged),
        tuple(notes),
    )


def _check_shape(data: dict, table: dict, path: str, at: str) -> None:
    """What `merge` adds to besides rows must have the shape it writes. Raises EvidenceError."""
    said = data.get("transcription")
    sources = said.get("sources", []) if isinstance(said, dict) else None
    if not isinstance(sources, list) or not all(
        isinstance(entry, dict)
        and isinstance(entry.get("cells"), dict)
        and isinstance(entry.get("harness"), str)
        for entry in sources
    ):
        raise EvidenceError(
            path,
            "/transcription",
            "not as import writes it (an object, with sources: [{arm, file, harness, cells}])",
            "schema",
        )
    entries = table.get("accepted", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise EvidenceError(path, at + "/accepted", "not a list of objects", "schema")


def _row(table: dict, arm: Arm, at: str) -> tuple[dict, str]:
    """The arm's row, a new one if there is none, and where it stands. Another recipe under the same
    name is NotImported.
    """
    for number, row in enumerate(table["rows"]):
        if row["arm"] != arm.name:
            continue
        if arm.recipe is not None:
            old = {
                key: value
                for key, value in {**table["setting"], **row.get("set", {})}.items()
                if key in FIELDS and value is not None
            }
            new = settings(arm.recipe)
            for field in FIELDS:
                if old.get(field) != new.get(field):
                    said = [
                        repr(value) if value is not None else "not stated"
                        for value in (old.get(field), new.get(field))
                    ]
                    raise NotImported(
                        f"{at}/rows/{number}: the arm {arm.name[:60]!r} is there with another"
                        f" recipe: {field} {said[0]}, now {said[1]}"
                    )
        return row, f"{at}/rows/{number}"
    if arm.recipe is None:
        raise NotImported(
            f"the arm {arm.name[:60]!r} is new: --recipe says what was trained (encoder=…,llm=…)"
        )
    row = {"arm": arm.name, "set": settings(arm.recipe), "scores": {}}
    table["rows"].append(row)
    return row, f"{at}/rows/{len(table['rows']) - 1}"


def _put(table: dict, row: dict, cell: Cell, before: Cell | None, at: str) -> bool:
    """Write one score into the row: True if it is new there, False if the same value is. Another
    value is NotImported.
    """
    value, source = plain(cell.value), f"{cell.reading.source.name} ({cell.reading.place})"
    there = table["metrics"].setdefault(cell.key, cell.metric)
    if any(
        there.get(name) != cell.metric.get(name) for name in ("benchmark", "split", "shots", "max")
    ):
        raise NotImported(
            f"{at}/{cell.key}: the metric of this name is another one than {source} has"
        )
    old = row["scores"].get(cell.key)
    if old is not None:
        if old != value:
            place = (
                f"{before.reading.source.name} ({before.reading.place})"
                if before
                else f"{at}/{cell.key}"
            )
            raise NotImported(
                f"{place} has {old!r} for {cell.metric['benchmark']} of {row['arm'][:60]!r},"
                f" {source} says {value!r}: a different value is not written over (another --table"
                " or --as keeps both)"
            )
        return False
    row["scores"][cell.key] = value
    if cell.stderr is not None:
        row.setdefault("scores_se", {})[cell.key] = plain(cell.stderr)
    if cell.part and not cell.stderr:
        doubt = row.setdefault("doubt", {"cells": [], "why": PARTIAL})
        if doubt["cells"] != "*":
            doubt["cells"].append(cell.key)
    return True


def _record(data: dict, arm: str, cells: Mapping[str, Cell]) -> None:
    """Where each score came from: one entry of transcription.sources per arm and result file."""
    said = data["transcription"]
    sources = said.setdefault("sources", [])
    for key, cell in cells.items():
        reading = cell.reading
        source = reading.source
        head = {
            "arm": arm,
            "file": source.name,
            "harness": source.harness,
            "version": source.version,
            "commit": source.commit,
            "date": source.date,
        }
        entry = next(
            (entry for entry in sources if {name: entry.get(name) for name in head} == head), None
        )
        if entry is None:
            entry = {**head, "cells": {}}
            sources.append(entry)
        name = (
            f"{reading.task} {reading.metric}".strip()
            + (f",{reading.filter}" if reading.filter else "")
            + (f", row {reading.row}" if reading.row else "")
        )
        entry["cells"][key] = {
            "name": printable(name),
            "at": printable(reading.place),
            "printed": reading.printed,
            "n": cell.n,
        }
        if data["paper"].get("year") is None and source.date:
            data["paper"]["year"] = int(source.date[:4])
    if cells:
        said["read_from"] = "result files of " + ", ".join(
            sorted({entry["harness"] for entry in sources})
        )


AXIS_OF = {
    **MAIN,
    "visual_tokens": "visual_tokens",
    "training": "training",
    "frozen_encoder": "training",
}


def _finish(data: dict, table: dict, index: int, words: Vocabulary, path: str) -> list[str]:
    """Set what follows from the rows (varies, protocol, accepted exceptions); notes. Raises
    NotImported for a row that `check` would not pass.
    """
    for key, axis in AXIS_OF.items():
        values = {
            str(value)
            for row in table["rows"]
            for value in [{**table["setting"], **row.get("set", {})}.get(key)]
            if value is not None
        }
        if len(values) > 1 and axis not in table["varies"]:
            table["varies"].append(axis)
    sources = data["transcription"]["sources"]
    table["protocol"] = ", ".join(sorted({entry["harness"] for entry in sources}))
    mixed = {
        metric["benchmark"]: used
        for key, metric in table["metrics"].items()
        for used in [{entry["harness"] for entry in sources if key in entry["cells"]} - {CSV}]
        if len(used) > 1
    }
    notes = (
        [
            f"{', '.join(mixed)}: some rows are from"
            f" {' and others from '.join(sorted(set().union(*mixed.values())))}; prompts and answer"
            " parsing differ, so part of a difference may be theirs"
        ]
        if mixed
        else []
    )
    accepted = [
        entry for entry in table.get("accepted", []) if entry.get("why") not in (OWN, DIGITS)
    ]
    known = {(entry.get("rule"), entry.get("at")) for entry in accepted}
    parsed = parse_paper(data, path, words.records("benchmark")).tables[index]
    for rule, (function, severity) in rules.RULES.items():
        for pointer, message in function(parsed, words):
            own = rule == "name" and re.fullmatch(
                r"/rows/\d+/set/(encoder|connector|llm|data|resolution)", pointer
            )
            if severity != "error" or (rule, pointer) in known:
                continue
            if not own and rule not in SOFT:
                raise NotImported(
                    f"{path}#/tables/{index}{pointer}: `check` would not pass it ({rule}):"
                    f" {message}"
                )
            accepted.append({"rule": rule, "at": pointer, "why": OWN if own else DIGITS})
            known.add((rule, pointer))
            if not own:
                notes.append(message)
    table.pop("accepted", None)
    if accepted:
        table["accepted"] = accepted
    return notes
