"""Result files of evaluation harnesses -> readings: what each file says, in its own words and on
its own scale.

In: paths that a user named, and the data set names that VLMEvalKit's file names may hold. Out:
Readings, or an EvidenceError that names the file. Knows the layouts of lmms-eval
(`*_results.json`), VLMEvalKit (`*_acc.csv`, `*_score.csv`, `*_score.json`, `*_acc.json`) and plain
CSV; where those layouts were read is in tables/registry/harnesses.json. Does not know benchmarks or
scales (importing.py), and opens nothing but JSON and CSV.
"""

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from ..base.reading import EvidenceError, parse, read_text
from ..evidence.tables import escape
from ..terms.recipe import FIELDS
from ..terms.vocabulary import fold, nearest

LMMS_EVAL, VLMEVALKIT, CSV = "lmms-eval", "VLMEvalKit", "CSV"
# what is picked up in a folder
ENDINGS = ("_results.json", "_acc.csv", "_score.csv", "_score.json", "_acc.json")
ACCEPTED = (
    "lmms-eval *_results.json; VLMEvalKit *_acc.csv, *_score.csv, *_score.json, *_acc.json; plain"
    " *.csv"
)
MAX_FILES, MAX_LEVELS, MAX_ENTRIES, MAX_CELLS = 200, 4, 20_000, 50_000
NUMBER = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?")
# VLMEvalKit: T20260101-120000, before that T20260101_G1a2b3c4d
RUN_FOLDER = re.compile(r"T(\d{8})(?:-\d{6}|_G([0-9a-fA-F]{4,40}))")
JUDGE = r"(?:gpt|chatgpt|o[134]|claude|gemini|qwen|deepseek|llama|glm|exact_matching)[\w.:-]*"
# VLMEvalKit: the column that names the row
LABELS = ("split", "Split", "Category", "Task&Skill", "Subject", "subject")
# … and those that count its questions
COUNTS = ("tot", "Samples")
CSV_COLUMNS = ("benchmark", "value", "split", "stderr", "n", "metric")


class Source(NamedTuple):
    """A result file, and what it says of its making (None where it does not say)."""

    path: str
    harness: str
    version: str | None = None
    commit: str | None = None
    date: str | None = None  # YYYY-MM-DD

    @property
    def name(self) -> str:
        """The file's name without folders and without characters that a terminal would obey."""
        return printable(os.path.basename(self.path))


class Reading(NamedTuple):
    """One number of a result file, on the harness's scale.

    `value` is None where the file has no number (`printed` says what it has). `row`: VLMEvalKit's
    row label. `n`: questions
    answered, `total`: questions of the task. `group`: the group that the task belongs to. `split`,
    `arm`, `recipe`: plain CSV only.
    """

    source: Source
    place: str
    task: str
    metric: str
    value: Decimal | None
    printed: str
    stderr: Decimal | None = None
    n: int | None = None
    total: int | None = None
    shots: int | None = None
    filter: str | None = None
    row: str | None = None
    group: str | None = None
    split: str | None = None
    arm: str | None = None
    recipe: tuple[tuple[str, str], ...] = ()


def printable(text: str) -> str:
    """The text with a ? for each character that a terminal would obey, at most 200 long."""
    return "".join(char if char.isprintable() else "?" for char in text[:200])


def number(value) -> Decimal | None:
    """A JSON number, or a text that is nothing but a plain decimal number, exactly as written; None
    for anything else, and from 1e15.
    """
    found = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        found = Decimal(repr(value))
    elif (
        isinstance(value, str)
        and value.isascii()
        and len(value) <= 60
        and NUMBER.fullmatch(value.strip())
    ):
        found = Decimal(value.strip())
    return found if found is not None and abs(found) < 10**15 else None


def _count(value) -> int | None:
    """A whole number of questions, at least one."""
    found = number(value)
    return (
        int(found)
        if found is not None and found == found.to_integral_value() and 1 <= found < 10**9
        else None
    )


def _word(value) -> str | None:
    """A version or commit, if it is one plain word."""
    return (
        value
        if isinstance(value, str) and re.fullmatch(r"[\w.@/+-]{1,80}", value, re.ASCII)
        else None
    )


def _day(digits: str) -> str | None:
    """20260131 -> 2026-01-31."""
    year, month, day = digits[:4], digits[4:6], digits[6:8]
    return (
        f"{year}-{month}-{day}"
        if "1900" < year < "2200" and "01" <= month <= "12" and "01" <= day <= "31"
        else None
    )


def result_files(paths: Sequence[str]) -> list[str]:
    """The files named, and the known result files of the folders named (links are not followed).
    Raises EvidenceError.
    """
    out: dict[str, str] = {}
    for path in paths:
        if not os.path.isdir(path):
            out.setdefault(os.path.abspath(path), path)
            continue
        seen = 0
        found: list[str] = []
        for folder, folders, files in os.walk(path):
            depth = os.path.relpath(folder, path).count(os.sep) + (folder != path)
            folders[:] = (
                []
                if depth >= MAX_LEVELS
                else sorted(
                    name for name in folders if not os.path.islink(os.path.join(folder, name))
                )
            )
            seen += len(files) + len(folders)
            if seen > MAX_ENTRIES:
                raise EvidenceError(
                    path,
                    "",
                    f"more than {MAX_ENTRIES:,} files: name the result files, or the folder of"
                    " one run",
                    "file",
                )
            found += [
                full
                for name in sorted(files)
                if name.endswith(ENDINGS) or name == "results.json"
                for full in [os.path.join(folder, name)]
                if not os.path.islink(full)
            ]
        if not found:
            raise EvidenceError(
                path,
                "",
                f"no result file in it, up to {MAX_LEVELS} folders deep (looked for"
                f" *{', *'.join(ENDINGS)})",
                "file",
            )
        if len(found) > MAX_FILES:
            raise EvidenceError(
                path,
                "",
                f"{len(found)} result files (at most {MAX_FILES} at once): name the folder of"
                " one run",
                "file",
            )
        for full in found:
            out.setdefault(os.path.abspath(full), full)
    return list(out.values())


def read(path: str, data_sets: Mapping[str, bool]) -> list[Reading]:
    """All readings of one file. `data_sets`: VLMEvalKit's names -> whether a judge's name may
    follow. Raises EvidenceError.
    """
    name = os.path.basename(path)
    if not name.endswith((".json", ".csv")):
        hint = (
            " (prediction workbooks hold answers, not scores)"
            if name.endswith((".xlsx", ".tsv", ".pkl"))
            else ""
        )
        raise EvidenceError(path, "", f"not a result file that is known{hint}: {ACCEPTED}", "file")
    text = read_text(path)
    out: list[Reading] = []
    for reading in (_json if name.endswith(".json") else _csv)(path, text, data_sets):
        out.append(reading)
        if len(out) > MAX_CELLS:
            raise EvidenceError(path, "", f"more than {MAX_CELLS:,} numbers", "file")
    if not out:
        raise EvidenceError(path, "", "no result in it", "schema")
    return out


# --- lmms-eval
# ------------------------------------------------------------------------------------------


def _json(path: str, text: str, data_sets: Mapping[str, bool]) -> Iterator[Reading]:
    data = parse(text, path)
    if isinstance(data, dict) and isinstance(data.get("results"), dict):
        return _lmms_eval(path, data)
    ending = next(
        (ending for ending in ("_score.json", "_acc.json") if path.endswith(ending)), None
    )
    if ending is None:
        raise EvidenceError(
            path,
            "/results",
            f"no object of results, as lmms-eval writes it (known files: {ACCEPTED})",
            "schema",
        )
    source, name = _vlmevalkit(path, ending, data_sets)
    if isinstance(data, dict):
        return _score_json(source, name, data)
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        head = list(dict.fromkeys(key for row in data for key in row))
        return _rows(source, name, head, [[row.get(key) for key in head] for row in data])
    raise EvidenceError(
        path, "", "neither an object nor a list of objects, as VLMEvalKit writes scores", "schema"
    )


def _lmms_eval(path: str, data: Mapping) -> Iterator[Reading]:
    """results: task or group -> {"metric,filter": value, "metric_stderr,filter": number or "N/A",
    "alias", "samples"}.
    """
    said = data.get("date") if isinstance(data.get("date"), str) else os.path.basename(path)
    day = re.match(r"(\d{8})_\d{4,6}", said)
    source = Source(
        path,
        LMMS_EVAL,
        _word(data.get("lmms_eval_version")),
        _word(data.get("git_hash")),
        _day(day[1]) if day else None,
    )
    part = {
        key: data[key] if isinstance(data.get(key), dict) else {}
        for key in ("groups", "group_subtasks", "n-samples", "n-shot")
    }
    group_of = {
        task: group
        for group, tasks in part["group_subtasks"].items()
        if isinstance(tasks, list)
        for task in tasks
        if isinstance(task, str)
    }
    for block, results in (
        ("results", data["results"]),
        ("groups", {k: v for k, v in part["groups"].items() if k not in data["results"]}),
    ):
        for task, values in results.items():
            if not isinstance(values, dict):
                raise EvidenceError(
                    path, f"/{block}/{escape(task)}", "not an object of metrics", "schema"
                )
            sizes = part["n-samples"].get(task)
            sizes = sizes if isinstance(sizes, dict) else {}
            n, total = (
                _count(sizes.get("effective")) or _count(values.get("samples")),
                _count(sizes.get("original")),
            )
            shots = _count(part["n-shot"].get(task))
            for key, value in values.items():
                metric, _, filtered = key.partition(",")
                if (
                    key in ("alias", "samples")
                    or not key.strip()
                    or re.search(r"_stderr(?:_clt|_clustered)?$", metric)
                ):
                    continue
                at = f"/{block}/{escape(task)}/{escape(key)}"
                error = number(values.get(f"{metric}_stderr,{filtered}"))
                error = error if error is not None and error >= 0 else None
                for below, name, item in _leaves(metric, value):
                    yield Reading(
                        source,
                        at + below,
                        task,
                        name,
                        number(item),
                        _short(item),
                        error if not below else None,
                        n,
                        total,
                        shots,
                        filtered or None,
                        None,
                        group_of.get(task),
                    )


def _leaves(name: str, value, below: str = "") -> Iterator[tuple[str, str, object]]:
    """A metric's value, or each part of a nested one: (pointer below the metric, metric/part,
    value).
    """
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{name}/{key}", item, f"{below}/{escape(key)}")
    else:
        yield below, name, value


def _short(value) -> str:
    """A value as it stands in the file, cut."""
    return value[:60] if isinstance(value, str) else repr(value)[:60]


# --- VLMEvalKit
# ------------------------------------------------------------------------------------------


def _vlmevalkit(path: str, ending: str, data_sets: Mapping[str, bool]) -> tuple[Source, str]:
    """(source, data set) from `<model>_<data set>[_<judge>]<ending>` in the model's folder, or in a
    run folder inside it.
    """
    stem = os.path.basename(path)[: -len(ending)]
    parent, above = (
        os.path.basename(folder)
        for folder in (
            os.path.dirname(os.path.abspath(path)),
            os.path.dirname(os.path.dirname(os.path.abspath(path))),
        )
    )
    run = RUN_FOLDER.fullmatch(parent)
    source = Source(path, VLMEVALKIT, None, run[2] if run else None, _day(run[1]) if run else None)
    model = above if run else parent
    exact = stem.startswith(model + "_")
    rest = stem[len(model) + 1 :] if exact else stem
    fits = [
        name
        for name, judged in data_sets.items()
        if re.fullmatch(
            ("" if exact else "(?:.*_)?") + re.escape(name) + (f"(?:_{JUDGE})?" if judged else ""),
            rest,
            re.S,
        )
    ]
    return source, max(fits, key=len, default=rest)


def _score_json(source: Source, name: str, data: Mapping) -> Iterator[Reading]:
    """{"Final Score": 512, …}: one number per key; lists and objects are taken apart."""
    for key, value in data.items():
        for below, metric, item in _leaves(key, value):
            yield Reading(
                source, f"/{escape(key)}{below}", name, metric, number(item), _short(item)
            )


def _rows(
    source: Source, name: str, head: Sequence[str], rows: Sequence[Sequence]
) -> Iterator[Reading]:
    """A data frame: one column may label the rows, others count their questions, the rest are
    scores.
    """
    label = next((head.index(key) for key in LABELS if key in head), None)
    count = next((head.index(key) for key in COUNTS if key in head), None)
    for line, row in enumerate(rows, 2):
        title = str(row[label])[:80] if label is not None else None
        n = _count(row[count]) if count is not None else None
        for place, (column, value) in enumerate(zip(head, row)):
            if place not in (label, count):
                yield Reading(
                    source,
                    f"line {line}, column {column[:60]}",
                    name,
                    column,
                    number(value),
                    _short(value),
                    n=n,
                    row=title,
                )


# --- CSV
# ------------------------------------------------------------------------------------------


def _csv(path: str, text: str, data_sets: Mapping[str, bool]) -> Iterator[Reading]:
    try:
        rows = [
            row
            for row in csv.reader(io.StringIO(text, newline=""), strict=True)
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise EvidenceError(path, "", f"not CSV: {error}", "csv") from None
    if len(rows) < 2:
        raise EvidenceError(path, "", "no row below the header", "csv")
    head = [cell.strip() for cell in rows[0]]
    twice = next((cell for i, cell in enumerate(head) if cell in head[:i]), None)
    if twice is not None:
        raise EvidenceError(path, "", f"the column {twice[:40]!r} stands twice", "csv")
    for line, row in enumerate(rows[1:], 2):
        if len(row) != len(head):
            raise EvidenceError(
                path, "", f"row {line} has {len(row)} cells, the header {len(head)}", "csv"
            )
    ending = next((ending for ending in ("_acc.csv", "_score.csv") if path.endswith(ending)), None)
    if ending:
        return _rows(*_vlmevalkit(path, ending, data_sets), head, rows[1:])
    lower = [cell.lower() for cell in head]
    if "benchmark" in lower and "value" in lower:
        return _long(path, lower, rows[1:])
    if "arm" in lower:
        return _wide(path, head, lower.index("arm"), rows[1:])
    raise EvidenceError(
        path,
        "",
        "the header is neither benchmark,value[,split][,stderr][,n][,metric] nor arm,<benchmark>,… "
        "(VLMEvalKit's score files end in _acc.csv or _score.csv)",
        "csv",
    )


def _long(path: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Reading]:
    """benchmark,value[,split][,stderr][,n][,metric]: one number per row, on the benchmark's own
    scale.
    """
    for column in head:
        if column not in CSV_COLUMNS:
            near = nearest(column, {fold(name): name for name in CSV_COLUMNS})
            raise EvidenceError(
                path,
                "",
                f"unknown column {column[:40]!r}{'; did you mean ' + near[0] if near else ''} "
                f"(known: {', '.join(CSV_COLUMNS)})",
                "csv",
            )
    source = Source(path, CSV)
    for line, row in enumerate(rows, 2):
        cells = {column: cell.strip() for column, cell in zip(head, row)}
        error, n = number(cells.get("stderr", "")), _count(cells.get("n", ""))
        for column, bad in (
            ("stderr", cells.get("stderr") and (error is None or error < 0)),
            ("n", cells.get("n") and n is None),
        ):
            if bad:
                kind = "whole number above zero" if column == "n" else "number from zero"
                raise EvidenceError(
                    path, "", f"row {line}: {column} {cells[column][:40]!r} is not a {kind}", "csv"
                )
        yield Reading(
            source,
            f"row {line}",
            cells["benchmark"],
            cells.get("metric", ""),
            number(cells["value"]),
            _short(cells["value"]),
            error,
            n,
            split=cells.get("split") or None,
        )


def _wide(
    path: str, head: Sequence[str], arm: int, rows: Sequence[Sequence[str]]
) -> Iterator[Reading]:
    """arm,[recipe fields,]<benchmark>[:split],…: one arm per row; an empty cell is no result."""
    fields = {
        place: column.lower().replace("-", "_")
        for place, column in enumerate(head)
        if column.lower().replace("-", "_") in FIELDS
    }
    source = Source(path, CSV)
    for line, row in enumerate(rows, 2):
        recipe = tuple(
            (field, row[place].strip()) for place, field in fields.items() if row[place].strip()
        )
        for place, cell in enumerate(row):
            if place != arm and place not in fields and cell.strip():
                benchmark, _, split = head[place].partition(":")
                yield Reading(
                    source,
                    f"row {line}, column {head[place][:40]}",
                    benchmark,
                    "",
                    number(cell),
                    _short(cell.strip()),
                    split=split.strip() or None,
                    arm=row[arm].strip(),
                    recipe=recipe,
                )
