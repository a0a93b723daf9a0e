"""CSV files -> rows, and plain CSV of one's own -> readings.

In: a path. Out: header and rows as they stand (`table`), or Readings in the benchmark's or the
harness's words (`read`); EvidenceError names file and row. Rows are read one after the other: a
file of many millions of cells is refused at its beginning, not held in memory. Does not know
benchmarks or scales (scores.py).
"""

import csv
import re
from collections.abc import Iterator, Sequence

from ..base.reading import EvidenceError, read_text
from ..terms.names import meant
from ..terms.recipe import FIELDS
from .readings import CSV, Reading, Source, count, number, short

COLUMNS = ("benchmark", "value", "split", "stderr", "n", "metric", "arm")
# what people write for them
SAME = {
    "model": "arm",
    "run": "arm",
    "task": "benchmark",
    "dataset": "benchmark",
    "score": "value",
    "result": "value",
}
MAX_LINE = 1_000_000  # characters


def _lines(path: str) -> Iterator[str]:
    """Lines with their ends, as csv wants them."""
    text = read_text(path, bom=True)
    for match in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n|\Z)", text):
        if match.end() - match.start() > MAX_LINE:
            raise EvidenceError(path, "", f"a line of more than {MAX_LINE:,} characters", "csv")
        yield match.group()


def table(path: str) -> tuple[list[str], Iterator[list[str]]]:
    """(header, rows of as many cells); empty lines are left out. Raises EvidenceError."""
    rows = _cells(path)
    head = next(rows, None)
    first = next(rows, None) if head else None
    if head is None or first is None:
        raise EvidenceError(path, "", "no row below the header", "csv")

    def whole() -> Iterator[list[str]]:
        for line, row in enumerate(_chain(first, rows), 2):
            if len(row) != len(head):
                raise EvidenceError(
                    path, "", f"row {line} has {len(row)} cells, the header {len(head)}", "csv"
                )
            yield row

    return head, whole()


def _chain(first: list[str], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest


def _cells(path: str) -> Iterator[list[str]]:
    try:
        for row in csv.reader(_lines(path), strict=True):
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise EvidenceError(path, "", f"not CSV: {error}", "csv") from None


def read(path: str) -> Iterator[Reading]:
    """Readings of a CSV of one's own: a number per row, or an arm per row. Raises EvidenceError."""
    head, rows = table(path)
    head = [cell.strip() for cell in head]
    lower = [SAME.get(cell.lower(), cell.lower()) for cell in head]
    twice = next((cell for i, cell in enumerate(lower) if cell in lower[:i]), None)
    if twice is not None:
        raise EvidenceError(path, "", f"the column {twice[:40]!r} stands twice", "csv")
    if "benchmark" in lower and "value" in lower:
        return _long(path, lower, rows)
    if "arm" in lower:
        return _wide(path, head, lower.index("arm"), rows)
    raise EvidenceError(
        path,
        "",
        "the header is neither benchmark,value[,split][,stderr][,n][,metric][,arm] nor"
        " arm,<benchmark>,… (VLMEvalKit's score files end in _acc.csv or _score.csv)",
        "csv",
    )


def _long(path: str, head: Sequence[str], rows: Iterator[list[str]]) -> Iterator[Reading]:
    """benchmark,value[,split][,stderr][,n][,metric][,arm]: one number per row."""
    unknown = next((column for column in head if column not in COLUMNS), None)
    if unknown is not None:
        raise EvidenceError(
            path,
            "",
            f"unknown column {unknown[:40]!r}{meant(unknown, COLUMNS)} "
            f"(known: {', '.join(COLUMNS)})",
            "csv",
        )
    source = Source(path, CSV)
    for line, row in enumerate(rows, 2):
        cells = {column: cell.strip() for column, cell in zip(head, row)}
        error, n = number(cells.get("stderr", "")), count(cells.get("n", ""))
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
            short(cells["value"]),
            error,
            n,
            split=cells.get("split") or None,
            arm=cells.get("arm") or None,
        )


def _wide(path: str, head: Sequence[str], arm: int, rows: Iterator[list[str]]) -> Iterator[Reading]:
    """arm,[recipe fields,]<benchmark>[:split],…: one arm per row; an empty cell is no result."""
    named = [column.lower().replace("-", "_") for column in head]
    fields = {place: name for place, name in enumerate(named) if name in FIELDS}
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
                    short(cell.strip()),
                    split=split.strip() or None,
                    arm=row[arm].strip(),
                    recipe=recipe,
                )
