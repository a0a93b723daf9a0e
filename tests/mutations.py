"""How many slips the rules catch without the lock: `python3 -m tests.mutations [N]` corrupts N
cells of each kind.

In: the shipped tables. Out: the share found, by kind and by table. A corruption counts as found
when the checks say something about the table that they did not say before. Used by test_mutations
with few cells, by hand with many.
"""

import collections
import random
import sys
from collections.abc import Callable, Iterator

from recipes.evidence import redundancy, reprints
from recipes.evidence.rules import RULES
from recipes.evidence.tables import Paper, Row, Table

from . import support

KINDS = (
    "swapped digits",
    "lost decimal point",
    "neighbours swapped",
    "row shifted",
    "wrong unit",
    "number from the row above",
    "wrong slug",
)


def swapped_digits(value: float, rng: random.Random) -> float | None:
    """Two neighbouring digits exchanged: 36.09 -> 63.09."""
    text = repr(value)
    spots = [
        i
        for i in range(len(text) - 1)
        if text[i].isdigit() and text[i + 1].isdigit() and text[i] != text[i + 1]
    ]
    if not spots:
        return None
    i = rng.choice(spots)
    return float(text[:i] + text[i + 1] + text[i] + text[i + 2 :])


def mutate(
    table: Table, number: int, key: str, kind: str, rng: random.Random, slugs: dict[str, list[str]]
) -> Table | None:
    """The table with one slip at a cell, or None when this kind of slip is impossible or invisible
    there.
    """
    row, keys = table.rows[number], list(table.metrics)
    value = row.scores[key]
    scores, setting = dict(row.scores), row.setting
    if kind == "swapped digits":
        scores[key] = swapped_digits(value, rng)
    elif kind == "lost decimal point":
        scores[key] = (
            None if redundancy.decimals(value) == 0 else float(repr(value).replace(".", ""))
        )
    elif kind == "wrong unit":
        scores[key] = round(value / 100, redundancy.decimals(value) + 2)
    elif kind == "number from the row above":
        scores[key] = table.rows[number - 1].scores.get(key) if number else None
    elif kind == "neighbours swapped":
        other = keys[(keys.index(key) + 1) % len(keys)]
        if row.scores.get(other) is None:
            return None
        scores[key], scores[other] = row.scores[other], value
    elif kind == "row shifted":
        values = [row.scores.get(k) for k in keys]
        scores = dict(zip(keys, [values[-1], *values[:-1]]))
    else:
        axis = rng.choice(("encoder", "llm"))
        if not setting.get(axis):
            return None
        setting = {
            **setting,
            axis: rng.choice([slug for slug in slugs[axis] if slug != setting[axis]]),
        }
    if setting is row.setting and (
        scores[key] is None
        or all(abs((scores.get(k) or 0) - (v or 0)) < 1 for k, v in row.scores.items())
    ):
        return None  # less than a point: not what the aim is about
    rows = list(table.rows)
    rows[number] = Row(row.arm, setting, scores, row.run, row.doubt, row.std)
    return table._replace(rows=tuple(rows))


class Checker:
    """The findings about one table, alone and against the rest of its paper and of the others."""

    def __init__(self):
        self.words = support.library().words
        self.tables = [table for paper in support.papers() for table in paper.tables]
        self.before = {table.id: self.alone(table) for table in self.tables}
        self.across = {
            (rule, table.id, found) for rule, _, table, found in reprints.across(self.tables)
        }
        self.runs: dict[str, set[str]] = collections.defaultdict(set)
        self.models: dict[str, set[str]] = collections.defaultdict(set)
        for table in self.tables:
            for row in table.rows:
                if row.run:
                    self.runs[row.run].add(table.id)
                if reprints.model_name(row):
                    self.models[reprints.model_name(row)].add(table.id)

    def alone(self, table: Table) -> set:
        """Findings of the rules that look at one table."""
        return {
            (rule, *found)
            for rule, (function, _) in RULES.items()
            for found in function(table, self.words)
        }

    def finds(self, table: Table) -> bool:
        """Do the checks say something new about a corrupted table?"""
        if self.alone(table) - self.before[table.id]:
            return True
        kin = {table.id}
        for row in table.rows:
            kin |= self.runs.get(row.run, set()) | self.models.get(reprints.model_name(row), set())
        some = [
            table if other.id == table.id else other for other in self.tables if other.id in kin
        ]
        return any(
            (rule, where.id, found) not in self.across
            for rule, _, where, found in reprints.across(some)
        )


def redundant(table: Table) -> bool:
    """Does the table print averages of printed parts, or scores whose number of questions the
    registry knows?
    """
    words = support.library().words
    return any(
        metric.mean_of
        and all(part.partition("/")[0] in table.metrics for part in metric.mean_of)
        or metric.role == "score"
        and metric.max == 100
        and redundancy.sizes(metric, words)
        for metric in table.metrics.values()
    )


def cells(papers: list[Paper], wanted: Callable[[Table], bool]) -> Iterator[tuple[Table, int, str]]:
    """All printed scores of the wanted tables."""
    for paper in papers:
        for table in paper.tables:
            if wanted(table):
                for number, row in enumerate(table.rows):
                    for key, value in row.scores.items():
                        if value is not None and table.metrics[key].role in (
                            "score",
                            "average",
                            "part",
                        ):
                            yield table, number, key


def measure(
    count: int, seed: int = 1, wanted: Callable[[Table], bool] = redundant
) -> dict[str, dict[str, list[int]]]:
    """kind -> table id -> [found, tried], from `count` corruptions of each kind."""
    checker, rng = Checker(), random.Random(seed)
    slugs = {axis: sorted(support.library().words.records(axis)) for axis in ("encoder", "llm")}
    places = list(cells(support.papers(), wanted))
    out: dict[str, dict[str, list[int]]] = {}
    for kind in KINDS:
        tally = out.setdefault(kind, {})
        tried = 0
        while tried < count:
            table, number, key = rng.choice(places)
            wrong = mutate(table, number, key, kind, rng, slugs)
            if wrong is not None:
                tried += 1
                entry = tally.setdefault(table.id, [0, 0])
                entry[0] += checker.finds(wrong)
                entry[1] += 1
    return out


def rate(tallies) -> float:
    """Share found over several [found, tried]."""
    tallies = list(tallies)
    return sum(found for found, _ in tallies) / max(1, sum(tried for _, tried in tallies))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    result = measure(count)
    for kind, tally in result.items():
        print(f"{kind:<28}{100 * rate(tally.values()):>5.0f}%")
    cell = [entry for kind in KINDS if kind != "wrong slug" for entry in result[kind].values()]
    print(f"{'all slips in cells':<28}{100 * rate(cell):>5.0f}%")
    by_table: dict[str, list[list[int]]] = {}
    for kind in KINDS[:-1]:
        for name, entry in result[kind].items():
            by_table.setdefault(name, []).append(entry)
    print("\nby table (slips in cells)")
    for name, entries in sorted(by_table.items(), key=lambda item: rate(item[1])):
        print(f"  {name:<40}{100 * rate(entries):>5.0f}%  of {sum(tried for _, tried in entries)}")


if __name__ == "__main__":
    main()
