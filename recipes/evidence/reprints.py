"""The checks of what several tables print of one thing: a training run, a released model, a paper's
rows again.

In: tables, or papers. Out: what does not agree, in the form of rules.py; which of a user's papers
repeat published rows (Repeated). Does not look at one table alone (redundancy.py), and does not
accept or report.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..terms.vocabulary import fold
from .redundancy import Found, at, column, decimals
from .tables import Metric, Paper, Row, Table

SAME_RUN = (
    "One training run printed in several tables has one score on one benchmark, up to rounding."
)


REPRINT = (
    "A run that several papers print has one score on one benchmark, up to rounding (a warning"
    " where a paper differs from most; later versions and new evaluations do)."
)


BASELINE = (
    "A released model has the score that several other papers print for it (a warning where one"
    " differs from all)."
)


def agree(x: float, y: float) -> bool:
    """Are two printed numbers one, up to the rounding of the coarser?"""
    return (
        abs(x - y) <= 0.5 * 10.0 ** -min(decimals(x), decimals(y)) * 1.01 + 1e-9 if x != y else True
    )


def check_same_run(tables: Sequence[Table]) -> Iterator[tuple[Table, Found]]:
    """See SAME_RUN. A cell is named when it differs from the first table that prints the run, or
    from most of them.
    """
    places: dict[tuple, list[tuple[Table, int, str, float]]] = {}
    for table in tables:
        for number, row in enumerate(table.rows):
            for key, value in row.scores.items() if row.run else ():
                metric = table.metrics[key]
                if value is not None and metric.role in ("score", "part", "text"):
                    identity = (
                        table.file,
                        row.run,
                        metric.benchmark,
                        metric.split,
                        metric.max,
                        metric.shots,
                        metric.unit,
                    )
                    places.setdefault(identity, []).append((table, number, key, value))
    for found in places.values():
        yield from _odd(found, "the same run has")


def check_reprint(tables: Sequence[Table]) -> Iterator[tuple[Table, Found]]:
    """See REPRINT. Papers name splits in their own way: only a table's single column of a
    benchmark counts.
    """
    places: dict[tuple, list[tuple[Table, int, str, float]]] = {}
    papers: dict[str, set[str]] = {}
    for table in tables:
        for row in table.rows:
            if row.run:
                papers.setdefault(row.run, set()).add(table.file)
    for table in tables:
        for number, row in enumerate(table.rows):
            if not row.run or len(papers[row.run]) < 2:
                continue
            for key, value in row.scores.items():
                metric = table.metrics[key]
                if (
                    value is not None
                    and metric.role in ("score", "part")
                    and _single(table, metric)
                ):
                    identity = (row.run, metric.benchmark, metric.max, metric.shots)
                    places.setdefault(identity, []).append((table, number, key, value))
    for found in places.values():
        for one in _by_split(found):
            if len({table.file for table, *_ in one}) > 1:
                yield from _odd(one, "the same run has")


def _by_split(
    found: Sequence[tuple[Table, int, str, float]],
) -> list[list[tuple[Table, int, str, float]]]:
    """The places of each split, each with those that name none."""
    splits: dict[str | None, list] = {}
    for place in found:
        splits.setdefault(place[0].metrics[place[2]].split, []).append(place)
    unsaid = splits.pop(None, [])
    return [[*places, *unsaid] for places in splits.values()] or [unsaid]


def _odd(
    found: Sequence[tuple[Table, int, str, float]], words: str
) -> Iterator[tuple[Table, Found]]:
    """Of several places that should agree: those that most others contradict (of two, the
    second).
    """
    if len({table.id for table, *_ in found}) < 2:
        return
    votes = [sum(agree(value, other) for *_, other in found) for *_, value in found]
    best = max(range(len(found)), key=lambda i: (votes[i], -i))
    for table, number, key, value in found:
        if not agree(value, found[best][3]):
            yield (
                table,
                (
                    at(number, key),
                    f"{value:g}, but {words} {found[best][3]:g} in {found[best][0].id}"
                    + (f" and {votes[best] - 1} more" if votes[best] > 1 else ""),
                ),
            )


def check_baseline(tables: Sequence[Table]) -> Iterator[tuple[Table, Found]]:
    """See BASELINE. Models are known by their printed name; a name must hold a letter and a
    digit.
    """
    places: dict[tuple, list[tuple[Table, int, str, float]]] = {}
    named: dict[str, list[tuple[Table, int]]] = {}
    for table in tables:
        for number, row in enumerate(table.rows):
            named.setdefault(model_name(row) or "", []).append((table, number))
    named.pop("", None)
    for name, rows in named.items():
        if len({table.file for table, _ in rows}) < 3:
            continue
        for table, number in rows:
            for key, value in table.rows[number].scores.items():
                metric = table.metrics[key]
                if value is not None and metric.role == "score" and _single(table, metric):
                    identity = (name, metric.benchmark, metric.max, metric.shots)
                    places.setdefault(identity, []).append((table, number, key, value))
    for found in places.values():
        papers = {table.file for table, *_ in found}
        if len(papers) < 3:
            continue
        for table, (pointer, message) in _odd(found, "other papers print"):
            value = next(
                value
                for other, number, key, value in found
                if other is table and at(number, key) == pointer
            )
            votes = {
                other.file
                for other, *_, theirs in found
                if not agree(value, theirs) and other.file != table.file
            }
            rest = [theirs for other, *_, theirs in found if other.file != table.file]
            if len(votes) >= 2 and all(agree(rest[0], theirs) for theirs in rest):
                yield table, (pointer, message)


def _single(table: Table, metric: Metric) -> bool:
    """Is it the table's only column of its benchmark? Several columns are several splits."""
    same = (m for m in table.metrics.values() if m.benchmark == metric.benchmark)
    return sum(m.shots == metric.shots for m in same) == 1


ENOUGH = 3  # equal numbers that are no accident


class Repeated(NamedTuple):
    """Rows of one paper that another prints with the same scores: how many of how many; the first,
    and where it stands there (table id, arm).
    """

    paper: str
    of: str
    rows: int
    among: int
    first: tuple[str, str]
    there: tuple[str, str]


def repeated(papers: Iterable[Paper], others: Iterable[Paper]) -> Iterator[Repeated]:
    """For each paper the other one that has most of its rows, whatever keys, ids and arms are
    called.

    A row is the other's when at least ENOUGH of its scores stand in one row there and no benchmark
    of both disagrees; a row of fewer scores, when a whole column of ENOUGH values or more stands
    there.
    """
    rows: dict[tuple[str, float], list[tuple[str, Table, Row]]] = {}
    columns: dict[tuple, tuple[str, Table, list[tuple[int, float]]]] = {}
    for other in others:
        for table in other.tables:
            for key, metric in table.metrics.items():
                values = column(table, key)
                columns.setdefault(
                    (metric.benchmark, tuple(value for _, value in values)),
                    (other.key, table, values),
                )
                for number, value in values:
                    rows.setdefault((metric.benchmark, value), []).append(
                        (other.key, table, table.rows[number])
                    )
    for paper in papers:
        # other paper -> (table id, row number) here -> place there
        found: dict[str, dict[tuple[str, int], tuple[str, str]]] = {}
        for table in paper.tables:
            for number, row in enumerate(table.rows):
                for key, place in _same_rows(table, row, rows):
                    found.setdefault(key, {}).setdefault((table.id, number), place)
            for key, metric in table.metrics.items():
                values = column(table, key)
                twin = (
                    columns.get((metric.benchmark, tuple(value for _, value in values)))
                    if len(values) >= ENOUGH
                    else None
                )
                for (number, _), (there, _) in zip(values, twin[2] if twin else ()):
                    found.setdefault(twin[0], {}).setdefault(
                        (table.id, number), (twin[1].id, twin[1].rows[there].arm)
                    )
        if found:
            of = max(found, key=lambda key: len(found[key]))
            (where, number), there = next(iter(found[of].items()))
            arm = next(table for table in paper.tables if table.id == where).rows[number].arm
            yield Repeated(
                paper.key,
                of,
                len(found[of]),
                sum(len(table.rows) for table in paper.tables),
                (where, arm),
                there,
            )


def _printed(table: Table, row: Row) -> dict[str, set[float]]:
    """Benchmark -> scores of a row (several splits, several scores)."""
    out: dict[str, set[float]] = {}
    for key, value in row.scores.items():
        if value is not None:
            out.setdefault(table.metrics[key].benchmark, set()).add(value)
    return out


def _same_rows(
    table: Table, row: Row, rows: dict[tuple[str, float], list[tuple[str, Table, Row]]]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """(paper, place) of every indexed row that prints the scores of this one."""
    mine = _printed(table, row)
    near = [
        place
        for benchmark, values in mine.items()
        for value in values
        for place in rows.get((benchmark, value), ())
    ]
    counts = Counter(id(place[2]) for place in near)
    for key, there, other in {
        id(place[2]): place for place in near if counts[id(place[2])] >= ENOUGH
    }.values():
        theirs = _printed(there, other)
        if all(mine[benchmark] & theirs[benchmark] for benchmark in mine if benchmark in theirs):
            yield key, (there.id, other.arm)


def model_name(row: Row) -> str | None:
    """A released model's name in a form that papers share (LLaVA-1.5-7B), or None for an arm that
    is no such name.
    """
    name = fold(re.sub(r"\(.*?\)|\[.*?\]", "", row.arm))
    return (
        name if len(name) >= 6 and re.search(r"[a-z]{3}", name) and re.search(r"\d", name) else None
    )


# rule -> (check of all tables together, severity)
ACROSS = {
    "same-run": (check_same_run, "error"),
    "reprint": (check_reprint, "warning"),
    "baseline": (check_baseline, "warning"),
}


def across(tables: Iterable[Table]) -> Iterator[tuple[str, str, Table, Found]]:
    """(rule, severity, table, finding) of the rules that look at several tables."""
    tables = list(tables)
    for rule, (function, severity) in ACROSS.items():
        for table, found in function(tables):
            yield rule, severity, table, found
