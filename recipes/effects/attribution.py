"""Which printed rows carry an expected delta, and how much of it each brings, over every row of
every table.

In: a change, the columns the posterior has seen, a benchmark. Out: an Attribution: pairs of rows
with weights that add up to 1. Does not find or judge rows (rows.py, swap.py) or print.

The posterior mean is linear in the scores. For a column with scores y, features X and weight matrix
W (the inverse covariance of its rows, intercept taken out), the answer moves by v' X' W y, where v
is the posterior covariance between the asked effect and the effects on the column's benchmark. So
every score has a coefficient, a = W X v; those of one column add up to zero, because its intercept
is free. The coefficients are exact; how they are shared out over pairs is a convention: a flow from
the rows that count negatively to those that count positively, each pair its product over the
column's total, in the spirit of the contributions of comparisons to a network (Papakonstantinou et
al., F1000Research 7:610, 2018).
"""

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..base import linalg
from ..evidence.tables import Row
from .columns import Column
from .features import group
from .model import covariance, weights
from .posterior import Posterior, Weights
from .rows import Found

HEAVIEST = 12  # pairs that are named; the others are counted
RELATIONS = ("direct", "neighbour", "chain")


class Carrier(NamedTuple):
    """A pair of rows that an expected delta rests on, turned so that it speaks for the change (so a
    score may stand against it).

    tables: where the two runs were printed. delta: `to` minus `from` in points of the benchmark's
    scale. weight: its share of all that enters.
    brings: what it adds to the expected delta, in points of the asked benchmark. relation: see
    `relations`.
    """

    tables: tuple[str, ...]
    benchmark: str
    from_arm: str
    to_arm: str
    delta: float
    weight: float
    brings: float
    relation: str


class Part(NamedTuple):
    """What some pairs of rows have together: how many, their weight, and what they bring in points
    of the asked benchmark.
    """

    pairs: int
    weight: float
    brings: float


class Attribution(NamedTuple):
    """What carries the expected delta on one benchmark: pairs of rows, whose weights add up to 1
    and what they bring to `expected`.

    relations, tables: the same by relation (see Carrier) and by table, the weightiest first.
    heaviest: the weightiest pairs.
    """

    benchmark: str
    expected: float
    pairs: int
    relations: Mapping[str, Part]
    tables: Mapping[str, Part]
    heaviest: tuple[Carrier, ...]


class _Pair(NamedTuple):
    flow: float  # in units of the asked benchmark's scale per unit of the column's
    column: Column
    low: int  # number of the row that counts negatively
    high: int


def coefficients(
    column: Column, weight: float, posterior: Posterior, v: Weights, fitted: bool
) -> list[float]:
    """What one unit of each row's score (in units of the benchmark's scale) adds to the asked
    effect; they add up to zero.
    """
    prior, names = posterior.hyper.prior, posterior.names
    # what one unit of a feature brings along; None: an effect that the fit left in this column's
    # noise
    step: dict[str, float | None] = {}
    for name in {name for row in column.features for name in row}:
        variance = prior.get(group(name)) or 0.0
        step[name] = (
            None
            if fitted and variance and name not in names
            else math.sqrt(variance) * v.get(names.get(name, name), 0.0)
        )
    local = [
        {name: value for name, value in row.items() if step[name] is None}
        for row in column.features
    ]
    along = [
        sum([value * (step[name] or 0.0) for name, value in row.items()]) for row in column.features
    ]
    if max(along) - min(along) < 1e-12:
        return [0.0] * len(along)
    factor = linalg.cholesky(
        covariance(column, posterior.hyper, local, posterior.scale_of(column.benchmark))
    )
    ones = linalg.solve(factor, [1.0] * len(along))
    raw = linalg.solve(factor, along)
    shift = sum(raw) / sum(ones)
    return [weight * (x - shift * one) for x, one in zip(raw, ones)]


def attribute(
    features: Mapping[str, float],
    benchmark: str,
    columns: Sequence[Column],
    own: Sequence[Column],
    posterior: Posterior,
    records: Mapping[str, Mapping],
    shown: Sequence[Found] = (),
) -> Attribution:
    """What carries the expected delta of a change (feature differences) on one benchmark.

    columns: those of the fit; own: those of a user's tables that the posterior has seen besides
    (condition.py). records: benchmarks of the registry. shown: the pairs of rows that make the very
    change (rows.find_rows).
    """
    family = records[benchmark]["family"]
    x = posterior.weights(features)
    pairs: list[_Pair] = []
    for part, fitted in ((columns, True), (own, False)):
        reach = (
            (posterior.reach if fitted else posterior.reach_own)(x, benchmark, family)
            if part
            else None
        )
        for column, weight in zip(part, weights(part, posterior.hyper.overlap)):
            a = coefficients(
                column, weight, posterior, reach.effects(column.benchmark, column.family), fitted
            )
            up, down = (
                [i for i, value in enumerate(a) if value > 0],
                [i for i, value in enumerate(a) if value < 0],
            )
            total = sum(a[i] for i in up)
            pairs += (
                [_Pair(-a[i] * a[j] / total, column, j, i) for i in up for j in down]
                if total > 0
                else ()
            )
    total = sum(pair.flow for pair in pairs) or 1.0
    top = records[benchmark].get("max")
    step = posterior.scale_of(benchmark) * (top / 100 if top else 1.0) * _sign(records[benchmark])
    relation = relations(shown, benchmark)
    # the stored covariances are rounded: what the pairs bring is brought to the very sum
    exact, found = (
        posterior.mean(x, benchmark, family),
        sum(_brings(pair, posterior) for pair in pairs),
    )
    step *= exact / found if found and 0.9 < exact / found < 1.1 else 1.0
    kinds: dict[str, list[float]] = {name: [0, 0.0, 0.0] for name in RELATIONS}
    tables: dict[str, list[float]] = {}
    for pair in pairs:
        weight, gain, where = pair.flow / total, _brings(pair, posterior) * step, _tables(pair)
        for sums, share in (
            (kinds[relation(pair)], 1.0),
            *((tables.setdefault(name, [0, 0.0, 0.0]), 1 / len(where)) for name in where),
        ):
            sums[0] += 1
            sums[1] += share * weight
            sums[2] += share * gain
    heaviest = heapq.nlargest(HEAVIEST, pairs, key=lambda pair: (pair.flow, pair.column.paper))
    return Attribution(
        benchmark,
        sum(sums[2] for sums in kinds.values()),
        len(pairs),
        {name: Part(*sums) for name, sums in kinds.items() if sums[0]},
        {
            name: Part(*tables[name])
            for name in sorted(tables, key=lambda name: (-tables[name][1], name))
        },
        tuple(_carrier(pair, total, step, relation(pair), posterior, records) for pair in heaviest),
    )


def _tables(pair: _Pair) -> tuple[str, ...]:
    """Where the two runs were printed: one table, or two that share a run with others."""
    return tuple(dict.fromkeys((pair.column.tables[pair.low], pair.column.tables[pair.high])))


def _sign(record: Mapping) -> float:
    return 1.0 if record.get("higher_is_better", True) else -1.0


def _brings(pair: _Pair, posterior: Posterior) -> float:
    scores = pair.column.scores
    return (
        pair.flow
        * (scores[pair.high] - scores[pair.low])
        / posterior.scale_of(pair.column.benchmark)
    )


def relations(shown: Sequence[Found], benchmark: str) -> Callable[[_Pair], str]:
    """How a pair bears on a change. `direct`: it makes the very change on this benchmark;
    `neighbour`: on another one; `chain`: it makes a part of it, a like change, or moves what the
    change is known by."""

    def run(row: Row, table: str) -> tuple:
        return (row.run,) if row.run else (table, row.arm)

    makes: dict[frozenset, set[str]] = {}
    for item in shown:
        if not item.near:
            table = item.contrast.table.id
            makes.setdefault(
                frozenset((run(item.from_row, table), run(item.to_row, table))), set()
            ).add(item.contrast.metric.benchmark)

    def of(pair: _Pair) -> str:
        column = pair.column
        where = makes.get(
            frozenset(run(column.rows[n], column.tables[n]) for n in (pair.low, pair.high)), ()
        )
        return (
            "direct"
            if benchmark in where and column.benchmark == benchmark
            else "neighbour"
            if where
            else "chain"
        )

    return of


def _carrier(
    pair: _Pair,
    total: float,
    step: float,
    relation: str,
    posterior: Posterior,
    records: Mapping[str, Mapping],
) -> Carrier:
    column, rows, record = pair.column, pair.column.rows, records[pair.column.benchmark]
    unit = record["max"] / 100 if record.get("max") else column.unit
    delta = (column.scores[pair.high] - column.scores[pair.low]) * unit * _sign(record)
    return Carrier(
        _tables(pair),
        column.benchmark,
        rows[pair.low].arm,
        rows[pair.high].arm,
        delta,
        pair.flow / total,
        _brings(pair, posterior) * step,
        relation,
    )
