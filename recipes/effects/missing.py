"""Which kind of table is missing most: the reading list of whoever adds papers.

In: columns, and judged contrasts of left-out papers. Out: per axis what one more paper with the
same components would save, the benchmarks and the sizes of language model that fewest papers have.
Does not predict, and knows no paper that it has not seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .baselines import Judged
from .columns import Column
from .record import printed_in

SIZES = ((1.0, "below 1B"), (3.0, "1B to 3B"), (9.0, "3B to 9B"), (20.0, "9B to 20B"))
LARGER = "above 20B"


class Step(NamedTuple):
    """What a component's first rows elsewhere are worth on an axis.

    unseen, seen: contrasts whose rarer component is in no other paper, and in one or two. moved:
    what the unseen ones move on the mean, in percent of the scale. error_unseen, error_seen: error
    over that of "no change", pooled. saves: points of error that a first paper saves per contrast.
    """

    axis: str
    unseen: int
    seen: int
    moved: float
    error_unseen: float
    error_seen: float
    saves: float


def _pooled(cases: Sequence[Judged]) -> float:
    return sum(abs(x.actual - x.expected) for x in cases) / sum(abs(x.actual) for x in cases)


def steps(judged: Iterable[Judged], axes: Sequence[str], least: int = 30) -> list[Step]:
    """The axes on which a first paper with a component would save most, the most first."""
    groups: dict[tuple[str, str], list[Judged]] = {}
    for item in judged:
        groups.setdefault((item.axis, printed_in(item.rarer)), []).append(item)
    out = []
    for axis in axes:
        none, some = (groups.get((axis, printed), []) for printed in ("none", "1-2"))
        if min(len(none), len(some)) < least:
            continue
        moved = sum(abs(x.actual) for x in none) / len(none)
        before, after = _pooled(none), _pooled(some)
        out.append(Step(axis, len(none), len(some), moved, before, after, moved * (before - after)))
    return sorted(out, key=lambda step: -step.saves)


def rare_benchmarks(
    columns: Iterable[Column], wanted: Iterable[str], most: int = 6
) -> list[tuple[str, int]]:
    """Of some benchmarks those that fewest papers ablate, with how many do."""
    papers: dict[str, set[str]] = {name: set() for name in wanted}
    for column in columns:
        if column.benchmark in papers:
            papers[column.benchmark].add(column.paper)
    counts = [(name, len(seen)) for name, seen in papers.items()]
    return sorted(counts, key=lambda one: (one[1], one[0]))[:most]


def sizes(columns: Iterable[Column]) -> dict[str, int]:
    """In how many papers something else than the size moves at a size of language model."""
    papers: dict[str, set[str]] = {label: set() for _, label in SIZES} | {LARGER: set()}
    for column in columns:
        at: dict[str, set] = {}
        for row, feats in zip(column.kinds, column.features):
            if "llm_size" in feats:
                at.setdefault(_label(feats), set()).add(row)
        for label, rows in at.items():
            if len(rows) > 1:
                papers[label].add(column.paper)
    return {label: len(seen) for label, seen in papers.items()}


def _label(feats: Mapping[str, float]) -> str:
    billions = 7.0 * 2.0 ** feats["llm_size"]
    return next((label for most, label in SIZES if billions < most), LARGER)
