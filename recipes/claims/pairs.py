"""Assertions about pairs of rows: contrasts, and whether a comparison exists at all.

In: Assertions and the Evidence they are held against. Out: Judged, with every row behind the
result. Does not know what a verdict is (verdicts.py), read files or print.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..base.wording import plural
from ..evidence.contrasts import AXES, Contrast, Moved, contrasts, evidence_metrics, moved
from ..evidence.tables import Metric, Paper, Row, Table
from ..terms.vocabulary import Vocabulary
from .assertions import RANGE, Assertion, tables_of

# grade of a record that was read from a single copy, which is not the paper
ONE_COPY = "one-secondary"


class Line(NamedTuple):
    """A row, or a pair of rows, behind a result. `before` and `after` are as printed (one row has
    the latter); `delta` is positive when better.

    `moves`: what differs between the two arms (empty for one row); `unsaid`: what only one of them
    states.
    """

    table: str
    locator: str
    arxiv: str | None
    from_arm: str | None
    to_arm: str
    metric: str
    split: str | None = None
    before: float | str | None = None
    after: float | str | None = None
    delta: float | None = None
    moves: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    holds: bool | None = None


class Judged(NamedTuple):
    """One assertion with its result, what was found in words, and the lines."""

    assertion: Assertion
    result: str
    found: str
    lines: tuple[Line, ...]


class Evidence:
    """The encoded papers as the judge needs them."""

    def __init__(self, papers: Sequence[Paper], words: Vocabulary, models: Mapping[str, Mapping]):
        self.papers = {paper.key: paper for paper in papers}
        self.tables = {table.id: table for paper in papers for table in paper.tables}
        self.paper_of = {table.id: paper for paper in papers for table in paper.tables}
        self.words, self.models = words, models
        self.costs = {
            record["id"]: record for record in words.registry("training_costs")["training_costs"]
        }
        # by identity of the rows, which the papers above keep
        self._moved: dict[tuple[int, int], Moved] = {}

    def between(self, first: Row, second: Row) -> Moved:
        """What differs between two rows."""
        key = (id(first), id(second))
        if key not in self._moved:
            self._moved[key] = moved(first.setting, second.setting, self.words.axis_of)
        return self._moved[key]

    def searched(self, spec: Mapping) -> list[Table]:
        """The tables an assertion speaks of."""
        found: Iterable[Table] = tables_of(spec["in"], self.papers, self.tables)
        if "varies" in spec:
            found = (
                table
                for table in found
                if spec["varies"] in table.varies and "whole systems" not in table.varies
            )
        if "locators" in spec:
            found = (table for table in found if table.locator in spec["locators"])
        return (
            [self._left(table, spec["without"]) for table in found]
            if "without" in spec
            else list(found)
        )

    def _left(self, table: Table, without: Sequence[Mapping]) -> Table:
        """A table without the rows that an assertion leaves out."""
        out = [
            one.get("rows", {})
            for one in without
            if {table.id, self.paper_of[table.id].key} & set(one["in"])
        ]
        return (
            table._replace(
                rows=tuple(
                    row
                    for row in table.rows
                    if not any(self.matches(row, selector) for selector in out)
                )
            )
            if out
            else table
        )

    def setting(self, row: Row, key: str):
        """A setting of a row; `encoder.family` is the field of the component's registry record.
        None when unsaid.
        """
        name, _, field = key.partition(".")
        value = row.setting.get(name)
        if field and value is not None:
            return self.words.records(name).get(value, {}).get(field)
        return value

    def matches(self, row: Row, selector: Mapping) -> bool:
        """Does a row satisfy every condition of a selector?"""
        return all(
            key == "table"
            or satisfies(row.arm if key == "arm" else self.setting(row, key), condition)
            for key, condition in selector.items()
        )


def satisfies(value, condition) -> bool:
    """Does a setting satisfy a condition of a selector? An unsaid one satisfies none."""
    if value is None:
        return False
    if isinstance(condition, Mapping):
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        if ("min" in condition or "max" in condition) and not numeric:
            return False
        refused = condition.get("not", [])
        return (
            not (
                "min" in condition
                and value < condition["min"]
                or "max" in condition
                and value > condition["max"]
            )
            and value not in (refused if isinstance(refused, list) else [refused])
            and ("has" not in condition or condition["has"] in str(value))
        )
    return value in condition if isinstance(condition, list) else value == condition


# --- pairs of rows
# ------------------------------------------------------------------------------------------


def metrics_of(table: Table, spec: Mapping, words: Vocabulary) -> tuple[Metric, ...]:
    if "metrics" in spec:
        return tuple(table.metrics[key] for key in spec["metrics"] if key in table.metrics)
    found = evidence_metrics(table)
    if "benchmarks" in spec:
        found = tuple(metric for metric in found if metric.benchmark in spec["benchmarks"])
    if "families" in spec:
        found = tuple(
            metric
            for metric in found
            if words.records("benchmark").get(metric.benchmark, {}).get("family")
            in spec["families"]
        )
    return found


def described(row: Row) -> bool:
    """Does a row say what it is made of? One that states fewer than two parts is somebody's whole
    system: nothing is known to be equal.
    """
    return sum(row.setting.get(key) is not None for key in (*AXES, "architecture", "training")) >= 2


def _across(spec: Mapping, evidence: Evidence) -> Table | None:
    """Rows of two tables as one table, where the selectors name different tables."""
    first, second = spec.get("from", {}).get("table"), spec.get("to", {}).get("table")
    if not first or not second or first == second:
        return None
    one, other = evidence.tables[first], evidence.tables[second]
    return one._replace(
        id=f"{one.id} and {other.id}",
        locator=f"{one.locator} and {other.locator}",
        rows=one.rows + other.rows,
        metrics={key: metric for key, metric in one.metrics.items() if key in other.metrics},
    )


def _sides(spec: Mapping, table: Table, evidence: Evidence) -> tuple[set[int], set[int]]:
    """Identities of the rows that may be `from` and `to`: two arms may be written the same."""
    found = []
    for side in ("from", "to"):
        rows = evidence.tables[spec[side]["table"]].rows if "table" in spec[side] else table.rows
        found.append({id(row) for row in rows if evidence.matches(row, spec[side])})
    return found[0], found[1]


def _pair(one: Contrast) -> frozenset:
    """The two training runs of a contrast, in no direction: two tables, or two arms of one table,
    may print the same run.
    """
    return frozenset((one.from_row.run or id(one.from_row), one.to_row.run or id(one.to_row)))


def once(found: Iterable[Contrast]) -> list[Contrast]:
    """Each pair of runs once per benchmark; no means from one table where another table prints
    scores of the same pair. A paper that prints another's pair again adds nothing to it.
    """
    seen, kept, printed = set(), [], defaultdict(set)
    first: dict[tuple, str] = {}
    for one in found:
        pair = _pair(one)
        paper = first.setdefault((pair, one.metric.benchmark), one.table.paper)
        if paper != one.table.paper:
            continue
        key = pair, one.metric.benchmark, one.metric.split, round(abs(one.delta), 6)
        if key not in seen:
            seen.add(key)
            kept.append(one)
        if one.metric.role == "score":
            printed[pair].add(one.table.id)
    return [
        one for one in kept if one.metric.role == "score" or printed[_pair(one)] <= {one.table.id}
    ]


def _falls(one: Contrast, keys: Iterable[str]) -> bool:
    """Does a setting that is a number on both sides fall from one row to the other?"""
    sides = ((one.from_row.setting.get(key), one.to_row.setting.get(key)) for key in keys)
    return any(
        isinstance(x, (int, float)) and isinstance(y, (int, float)) and y < x for x, y in sides
    )


def _directed(spec: Mapping, evidence: Evidence) -> list[Contrast]:
    """The contrasts an assertion asks for, each in the direction of its selectors; a pair of runs
    that several tables print is taken once.
    """
    return once(_asked(spec, evidence))


def _asked(spec: Mapping, evidence: Evidence) -> Iterator[Contrast]:
    axes = spec.get("axis")
    axes = None if axes is None else {axes} if isinstance(axes, str) else set(axes)
    moves = set(spec["moves"]) if "moves" in spec else None
    start = spec.get("from")
    across = _across(spec, evidence)
    for table in [across] if across else evidence.searched(spec):
        metrics = metrics_of(table, spec, evidence.words)
        if spec["in"] == "*":
            table = table._replace(rows=tuple(filter(described, table.rows)))
        starts, ends = _sides(spec, table, evidence) if start is not None else (set(), set())
        if start is not None:
            table = table._replace(
                rows=tuple(row for row in table.rows if id(row) in starts | ends)
            )
        if not metrics:
            continue
        for one in contrasts(table, evidence.words.axis_of, metrics, evidence.between):
            if start is not None:
                if (
                    id(one.to_row) in starts
                    and id(one.from_row) in ends
                    and not (id(one.from_row) in starts and id(one.to_row) in ends)
                ):
                    one = one._replace(from_row=one.to_row, to_row=one.from_row, delta=-one.delta)
                elif not (id(one.from_row) in starts and id(one.to_row) in ends):
                    continue
            elif len(one.moved.axes) != 1 or one.moved.unstated or one.moved.axes[0] not in axes:
                continue
            if moves is not None and (
                one.moved.unstated or not set(one.moved.axes) <= moves or not one.moved.axes
            ):
                continue
            sides = {
                key: (evidence.setting(one.from_row, key), evidence.setting(one.to_row, key))
                for key in (*spec.get("same", ()), *spec.get("alike", ()))
            }
            if any(x != y for x, y in sides.values()) or any(
                None in sides[key] for key in spec.get("same", ())
            ):
                continue
            if not _falls(one, spec.get("no_lower", ())):
                yield one


def _line(one: Contrast, holds: bool | None = None) -> Line:
    table, key = one.table, one.metric.key
    return Line(
        *(table.id, table.locator, table.arxiv, one.from_row.arm, one.to_row.arm),
        *(key, one.metric.split, one.from_row.scores[key], one.to_row.scores[key], one.delta),
        *((*one.moved.axes, *one.moved.implied), one.moved.unstated, holds),
    )


def within(value: float, limits: Mapping) -> bool:
    """Does a number lie in a range (min and max included, above and below not)? Printed decimals
    are compared as decimals.
    """
    value = round(value, 6)
    return (
        value >= limits.get("min", value)
        and value <= limits.get("max", value)
        and ("above" not in limits or value > limits["above"])
        and ("below" not in limits or value < limits["below"])
    )


def range_words(limits: Mapping, unit: str = "") -> str:
    """`at least 3`, `2 to 4`, `above 0`."""
    if "min" in limits and "max" in limits:
        return f"{limits['min']:g} to {limits['max']:g}{unit}"
    names = {"min": "at least", "max": "at most", "above": "above", "below": "below"}
    return " and ".join(f"{names[key]} {limits[key]:g}{unit}" for key in RANGE if key in limits)


def missing(one: Assertion, evidence: Evidence) -> Judged:
    """Nothing was found: absent from an encoded paper, drawn without numbers, or spoken of
    nowhere.
    """
    names = one.spec["in"]
    if names == "*":
        beside = f"; {aside(one)}" if "without" in one.spec else ""
        return Judged(
            one,
            "unknown",
            f"none of the {len(evidence.tables)} encoded tables shows it{beside}",
            (),
        )
    papers = {
        key: evidence.papers[key]
        for key in sorted(
            {name if name in evidence.papers else evidence.paper_of[name].key for name in names}
        )
    }
    for paper in papers.values():
        said = drawn(paper, one.spec.get("words", ()))
        if said:
            return Judged(
                one,
                "unknown",
                f"{paper.short} prints no numbers for it; its record here says: {said}",
                (),
            )
    if all(name in evidence.papers for name in names):
        count, said = (
            sum(len(paper.tables) for paper in papers.values()),
            ", ".join(paper.short for paper in papers.values()),
        )
        shown = f"none of the {count} encoded tables of {said} shows it"
    else:
        shown = (
            ", ".join(
                f"{evidence.paper_of[name].short}, {evidence.tables[name].locator}"
                for name in names
                if name in evidence.tables
            )
            + ": not there"
        )
    return Judged(one, "absent", shown, ())


def aside(one: Assertion) -> str:
    """What an assertion leaves out of its search, and why; empty when nothing."""
    whys = [f"{', '.join(left['in'])} ({left['why']})" for left in one.spec.get("without", ())]
    return f"left out: {'; '.join(whys)}" if whys else ""


def drawn(paper: Paper, words: Sequence[str]) -> str | None:
    """The part of a paper's transcription record (open questions) that speaks of all `words`, or
    None.
    """
    for text in paper.transcription.get("open_questions") or () if words else ():
        for part in re.split(r"(?<=\)), |: |; ", str(text)):
            if all(word.lower() in part.lower() for word in words):
                return part if len(part) <= 160 else part[:160].rsplit(" ", 1)[0] + " …"
    return None


def judge_exists(one: Assertion, evidence: Evidence) -> Judged:
    found = _directed(one.spec, evidence)
    if not found:
        return missing(one, evidence)
    if isinstance(one.spec.get("axis"), list):
        moving = {contrast.moved.axes[0] for contrast in found}
        lacking = [axis for axis in one.spec["axis"] if axis not in moving]
        if lacking:
            return Judged(
                one,
                "fails",
                f"no pair of rows differs in {' or '.join(lacking)} alone",
                tuple(map(_line, found)),
            )
    tables = {contrast.table.id for contrast in found}
    return Judged(
        one,
        "holds",
        f"{plural(len(found), 'contrast')} in {plural(len(tables), 'table')}, mean"
        f" {_mean_delta(found)}",
        tuple(map(_line, found)),
    )


def _mean_delta(found: Sequence[Contrast]) -> str:
    return f"{sum(one.percent for one in found) / len(found):+.2f} percent of scale"


def _copied(one: Contrast, evidence: Evidence) -> bool:
    """Two arms with one number in every column, in a record read from a single copy of the paper:
    perhaps one row copied twice.
    """
    both = [
        (x, one.to_row.scores.get(key))
        for key, x in one.from_row.scores.items()
        if x is not None and one.to_row.scores.get(key) is not None
    ]
    grade = one.table.grade or evidence.paper_of[_first(one.table.id)].transcription.get("grade")
    return grade == ONE_COPY and len(both) > 1 and all(x == y for x, y in both)


def _first(table: str) -> str:
    """The id of a table, or of the first of two that were joined."""
    return table.split(" and ")[0]


def judge_contrast(one: Assertion, evidence: Evidence) -> Judged:
    """The contrasts that are asked for, against the range. On rows that may be one row copied twice
    nothing rests: they are shown.
    """
    spec = one.spec
    scaled = spec.get("scale") == "percent"
    groups: dict[frozenset, list[tuple[Contrast, float]]] = defaultdict(list)
    for contrast in _directed(spec, evidence):
        value = contrast.percent if scaled else contrast.delta
        groups[_pair(contrast)].append((contrast, abs(value) if spec.get("size") else value))
    if not groups:
        return missing(one, evidence)
    twins = [
        groups.pop(key) for key, group in list(groups.items()) if _copied(group[0][0], evidence)
    ]
    unsure = "; ".join(
        f"{group[0][0].from_row.arm} and {group[0][0].to_row.arm} carry the same number in every"
        f" column of {group[0][0].table.locator}, read from one secondary copy: perhaps one row"
        " copied twice, so nothing rests on them"
        for group in twins
    )
    if not groups:
        return Judged(
            one,
            "unknown",
            unsure,
            tuple(_line(contrast) for group in twins for contrast, _ in group),
        )
    judged = _within_range(one, groups, evidence)
    return (
        judged._replace(
            found=f"{judged.found}; {unsure}",
            lines=judged.lines + tuple(_line(c) for group in twins for c, _ in group),
        )
        if twins
        else judged
    )


def _within_range(
    one: Assertion, groups: Mapping[frozenset, list[tuple[Contrast, float]]], evidence: Evidence
) -> Judged:
    """Contrasts with their values, by pair of runs, against the range."""
    spec, scaled = one.spec, one.spec.get("scale") == "percent"
    unit = " percent of scale" if scaled else ""
    if spec.get("mean"):
        means = {
            key: sum(value for _, value in group) / len(group) for key, group in groups.items()
        }
        judged = {key: within(mean, spec) for key, mean in means.items()}
        lines = tuple(
            _line(contrast, holds=judged[key])
            for key, group in groups.items()
            for contrast, _ in group
        )
        hits, total, values, what = sum(judged.values()), len(judged), list(means.values()), "mean"
    else:
        lines = tuple(
            _line(contrast, holds=within(value, spec))
            for group in groups.values()
            for contrast, value in group
        )
        values = [value for group in groups.values() for _, value in group]
        hits, total, what = sum(bool(line.holds) for line in lines), len(lines), "contrast"
    if spec.get("per") == "paper":
        owners = (
            [number for number, group in enumerate(groups.values()) for _ in group]
            if spec.get("mean")
            else list(range(len(lines)))
        )
        return _by_paper(one, lines, owners, values, unit, evidence)
    share = spec.get("need", 1)
    wanted = "" if share == 1 else f", {100 * share:.0f}% needed"
    sign = "" if spec.get("size") else "+"
    spread = (
        format(values[0], sign + ".2f")
        if total == 1
        else f"{format(min(values), sign + '.2f')} … {format(max(values), sign + '.2f')}"
    )
    found = (
        f"{hits} of {plural(total, what)} {'is' if 1 in (hits, total) else 'are'}"
        f" {range_words(spec, unit)}{wanted} (found {spread}{unit})"
    )
    for group in groups.values():
        first = group[0][0]
        if len(group) > 1 and not any(contrast.delta for contrast, _ in group):
            found += (
                f"; {first.from_row.arm} and {first.to_row.arm} carry the same number in all"
                f" {len(group)} columns"
            )
    return Judged(one, "holds" if hits >= share * total - 1e-9 else "fails", found, lines)


def _by_paper(
    one: Assertion,
    lines: tuple[Line, ...],
    owners: Sequence[int],
    values: Sequence[float],
    unit: str,
    evidence: Evidence,
) -> Judged:
    """The papers in which most contrasts (for `mean`: most pairs of rows; `owners` says which pair
    a line is of) are in the range.

    A paper that is split evenly votes neither way; where all are, the result is unknown.
    """
    votes: dict[str, dict[int, bool]] = defaultdict(dict)
    for owner, line in zip(owners, lines):
        votes[evidence.paper_of[_first(line.table)].key][owner] = bool(line.holds)
    good = [key for key, group in votes.items() if 2 * sum(group.values()) > len(group)]
    even = [key for key, group in votes.items() if 2 * sum(group.values()) == len(group)]
    voting = len(votes) - len(even)
    where = f"{len(good)} of {plural(voting, 'paper')}" if voting else "no paper"
    share, what = (
        one.spec.get("need", 1),
        ("pairs of rows are in the mean" if one.spec.get("mean") else "contrasts are"),
    )
    said = ", ".join(
        f"{evidence.papers[key].short} {sum(group.values())} of {len(group)}"
        for key, group in votes.items()
    )
    found = (
        f"most {what} {range_words(one.spec, unit)} in {where}, {100 * share:.0f}% needed "
        f"({said}; found {min(values):+.2f} … {max(values):+.2f}{unit})"
    )
    if even:
        found += (
            f"; split evenly, so no vote: {', '.join(evidence.papers[key].short for key in even)}"
        )
    return Judged(
        one,
        "unknown" if not voting else "holds" if len(good) >= share * voting - 1e-9 else "fails",
        found,
        lines,
    )
