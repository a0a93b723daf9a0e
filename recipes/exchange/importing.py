"""Scores -> rows of a table of one's own, in the evidence format (tables/README.md).

In: arms with their Cells (scores.py), and the raw paper file that is there already. Out: the raw
paper file with the new cells, and what of them could not go in; or NotImported, and then nothing is
to be written. Does not read or write files.
"""

import copy
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from ..base.errors import Refused
from ..base.reading import EvidenceError
from ..evidence import rules
from ..evidence.redundancy import MAIN
from ..evidence.tables import FORMAT, Paper, parse_paper
from ..terms.recipe import FIELDS, Recipe
from ..terms.vocabulary import Vocabulary
from .readings import CSV, printable
from .scores import Cell, Unknown

# asks whether scores are k of n at one precision; files of several harnesses print at several
SOFT = ("granularity",)
OWN = "imported: the registry does not know this name"
DIGITS = "imported: harnesses write different numbers of digits"
PARTIAL = "imported: a part of the questions, and the harness gave no standard error"


class NotImported(Refused):
    """An import that would contradict what is there, or store what cannot be: one line; nothing is
    written.
    """


class Arm(NamedTuple):
    """One trained model to import: its name, its recipe (None: as the table has it already) and its
    scores.
    """

    name: str
    recipe: Recipe | None
    cells: tuple[Cell, ...]


class Merged(NamedTuple):
    """A paper file with the arms in it; `added` and `unchanged` as (arm, cell); `refused`: scores
    that contradict it; `out`: arms that do, and why.
    """

    file: dict
    paper: Paper
    added: tuple[tuple[str, Cell], ...]
    unchanged: tuple[tuple[str, Cell], ...]
    refused: tuple[Unknown, ...]
    out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


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
    table = data["tables"][index]
    _check_shape(data, table, path, f"/tables/{index}")
    book = _Book(data, table, f"{path}#/tables/{index}")
    for arm in arms:
        book.enter(arm)
    notes = _finish(data, table, index, words, path) if book.added else []
    return Merged(
        data,
        parse_paper(data, path, words.records("benchmark")),
        tuple(book.added),
        tuple(book.unchanged),
        tuple(book.refused),
        tuple(book.out),
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


HEAD = ("arm", "file", "harness", "version", "commit", "date")  # what a source says of a file


class _Book:
    """A table that scores are entered into, one arm after the other."""

    def __init__(self, data: dict, table: dict, at: str):
        self.data, self.table, self.at = data, table, at
        self.rows = {row["arm"]: number for number, row in reversed([*enumerate(table["rows"])])}
        self.sources = {
            tuple(entry.get(name) for name in HEAD): entry
            for entry in reversed(data["transcription"].setdefault("sources", []))
        }
        self.added: list[tuple[str, Cell]] = []
        self.unchanged: list[tuple[str, Cell]] = []
        self.refused: list[Unknown] = []
        self.out: list[tuple[str, str]] = []

    def enter(self, arm: Arm) -> None:
        """All scores of an arm that fit."""
        try:
            row, place = self._row(arm)
        except NotImported as error:
            self.out.append((arm.name, str(error)))
            return
        written: dict[str, Cell] = {}
        for cell in self._agreeing(arm):
            try:
                fresh = self._put(row, cell, f"{place}/scores")
            except NotImported as error:
                self.refused.append(Unknown(cell.reading, str(error)))
                continue
            if fresh:
                written[cell.key] = cell
            if fresh or cell.key not in written:
                (self.added if fresh else self.unchanged).append((arm.name, cell))
        if written and arm.name not in self.rows:
            self.rows[arm.name] = len(self.table["rows"])
            self.table["rows"].append(row)
        self._record(arm.name, written)

    def _agreeing(self, arm: Arm) -> list[Cell]:
        """The scores of an arm without those of which its files say two values: which one counts
        is not for us to say.
        """
        first: dict[str, Cell] = {}
        bad: set[str] = set()
        for cell in arm.cells:
            one = first.setdefault(cell.key, cell)
            if one.value != cell.value:
                bad.add(cell.key)
                places = [f"{c.reading.source.name} ({c.reading.place})" for c in (one, cell)]
                why = (
                    f"{places[0]} has {plain(one.value)!r} for {cell.metric['benchmark']} of"
                    f" {arm.name[:60]!r}, {places[1]} says {plain(cell.value)!r}: neither is taken"
                )
                self.refused.append(Unknown(cell.reading, why))
        return [cell for cell in arm.cells if cell.key not in bad]

    def _row(self, arm: Arm) -> tuple[dict, str]:
        """The arm's row, a new one if there is none, and where it stands. Another recipe under the
        same name is NotImported.
        """
        number = self.rows.get(arm.name)
        if number is None:
            if arm.recipe is None:
                raise NotImported(
                    f"the arm {arm.name[:60]!r} is new: --recipe says what was trained"
                    " (encoder=…,llm=…)"
                )
            row = {"arm": arm.name, "set": settings(arm.recipe), "scores": {}}
            return row, f"{self.at}/rows/{len(self.table['rows'])}"
        row, place = self.table["rows"][number], f"{self.at}/rows/{number}"
        if arm.recipe is not None:
            whole = {**self.table["setting"], **row.get("set", {})}
            old, new = {key: whole.get(key) for key in FIELDS}, settings(arm.recipe)
            for field in FIELDS:
                if old[field] != new.get(field):
                    said = [
                        repr(value) if value is not None else "not stated"
                        for value in (old[field], new.get(field))
                    ]
                    raise NotImported(
                        f"{place}: the arm {arm.name[:60]!r} is there with another recipe: {field}"
                        f" {said[0]}, now {said[1]}"
                    )
        return row, place

    def _put(self, row: dict, cell: Cell, at: str) -> bool:
        """Write one score into the row: True if it is new there, False if the same value is.
        Another value is NotImported.
        """
        value, source = plain(cell.value), f"{cell.reading.source.name} ({cell.reading.place})"
        there = self.table["metrics"].setdefault(cell.key, cell.metric)
        if any(
            there.get(name) != cell.metric.get(name)
            for name in ("benchmark", "split", "shots", "max")
        ):
            raise NotImported(
                f"{at}/{cell.key}: the metric of this name is another one than {source} has"
            )
        old = row["scores"].get(cell.key)
        if old is not None:
            if old != value:
                raise NotImported(
                    f"{at}/{cell.key} has {old!r} for {cell.metric['benchmark']} of"
                    f" {row['arm'][:60]!r}, {source} says {value!r}: a different value is not"
                    " written over (another --table or --as keeps both)"
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

    def _record(self, arm: str, cells: Mapping[str, Cell]) -> None:
        """Where each score came from: one entry of transcription.sources per arm and result
        file.
        """
        said = self.data["transcription"]
        for key, cell in cells.items():
            reading, source = cell.reading, cell.reading.source
            head = dict(
                zip(
                    HEAD,
                    (arm, source.name, source.harness, source.version, source.commit, source.date),
                )
            )
            entry = self.sources.get(tuple(head.values()))
            if entry is None:
                entry = self.sources[tuple(head.values())] = {**head, "cells": {}}
                said["sources"].append(entry)
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
            if self.data["paper"].get("year") is None and source.date:
                self.data["paper"]["year"] = int(source.date[:4])
        if cells:
            said["read_from"] = "result files of " + ", ".join(
                sorted({entry["harness"] for entry in said["sources"]})
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
    settings = [{**table["setting"], **row.get("set", {})} for row in table["rows"]]
    for key, axis in AXIS_OF.items():
        values = {str(one[key]) for one in settings if one.get(key) is not None}
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
