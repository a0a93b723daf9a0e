"""Which printed rows carry an expected delta, and how much of it each brings, over every row of
every table.

In: a change, the columns the posterior has seen (as the fit keeps them, or whole), a benchmark.
Out: an Attribution: pairs of rows with weights that add up to 1. Does not find or judge rows
(rows.py, judge.py) or print.

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
from collections.abc import Iterator, Mapping, Sequence
from operator import mul
from typing import NamedTuple

from ..base import linalg
from ..evidence.tables import Row
from .block import Weights
from .carriers import Fitted, Run
from .columns import Column
from .features import group
from .model import covariance, weights
from .posterior import Posterior
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
    column: Column | Fitted
    low: int  # number of the row that counts negatively
    high: int


class _Flow:
    """All pairs of a column's rows: from those that count negatively to those that count
    positively, each pair its product over the column's total (which both sides have).
    """

    def __init__(self, column: Column | Fitted, a: Sequence[float], scale: float):
        self.column, self._a, self._scale = column, a, scale
        self.up = [i for i, value in enumerate(a) if value > 0]
        self.down = [i for i, value in enumerate(a) if value < 0]
        self.total = sum([a[i] for i in self.up])

    def pair(self, high: int, low: int) -> _Pair:
        return _Pair(-self._a[high] * self._a[low] / self.total, self.column, low, high)

    def largest(self) -> float:
        """The flow of the pair that has the most."""
        return -max(self._a) * min(self._a) / self.total

    def heaviest(self, count: int) -> list[_Pair]:
        """Pairs among which are the `count` weightiest."""
        a = self._a
        up = sorted(heapq.nlargest(count, self.up, key=a.__getitem__))
        down = sorted(heapq.nsmallest(count, self.down, key=a.__getitem__))
        return [self.pair(i, j) for i in up for j in down]

    def by_tables(self) -> Iterator[tuple[tuple[str, ...], float, float, float]]:
        """(tables of the two rows, pairs, flow, what they bring), pairs of tables by pairs of
        tables: sums of products are products of sums.
        """
        sides = []
        for rows, sign in ((self.up, 1.0), (self.down, -1.0)):
            sums: dict[str, list[float]] = {}
            for i in rows:
                one = sums.setdefault(self.column.tables[i], [0, 0.0, 0.0])
                value = sign * self._a[i]
                one[0] += 1
                one[1] += value
                one[2] += value * self.column.scores[i]
            sides.append(sums)
        for first, (n, flow, score) in sides[0].items():
            for second, (m, other, low) in sides[1].items():
                brings = (score * other - flow * low) / (self.total * self._scale)
                yield (
                    tuple(dict.fromkeys((second, first))),
                    n * m,
                    flow * other / self.total,
                    brings,
                )


def taken(column: Fitted, v: Weights) -> list[float]:
    """`coefficients` of a column that the fit keeps."""
    asked = [v.get(number, 0.0) for number in column.index]
    return [sum(map(mul, row, asked)) for row in column.pull] if any(asked) else []


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
    columns: Sequence[Column | Fitted],
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
    flows = list(_flows(posterior.weights(features), benchmark, columns, own, posterior, records))
    relation = relations(shown, benchmark)
    kinds: dict[str, list[float]] = {name: [0, 0.0, 0.0] for name in RELATIONS}
    tables: dict[str, list[float]] = {}
    heaviest: list[_Pair] = []
    least = 0.0  # flow of the last of the heaviest so far
    for flow in flows:
        for where, count, share, brings in flow.by_tables():
            for sums, part in (
                (kinds["chain"], 1.0),
                *((tables.setdefault(name, [0, 0.0, 0.0]), 1 / len(where)) for name in where),
            ):
                sums[0] += count
                sums[1] += part * share
                sums[2] += part * brings
        for pair in relation.named(flow):
            sums, chain = kinds[relation(pair)], kinds["chain"]
            for k, value in enumerate((1, pair.flow, _brings(pair, posterior))):
                sums[k] += value
                chain[k] -= value
        if len(heaviest) < HEAVIEST or flow.largest() >= least:
            heaviest = heapq.nlargest(
                HEAVIEST,
                heaviest + flow.heaviest(HEAVIEST),
                key=lambda pair: (pair.flow, pair.column.paper),
            )
            least = heaviest[-1].flow
    total = sum(sums[1] for sums in kinds.values()) or 1.0
    top = records[benchmark].get("max")
    step = posterior.scale_of(benchmark) * (top / 100 if top else 1.0) * _sign(records[benchmark])
    # the stored covariances are rounded: what the pairs bring is brought to the very sum
    exact = posterior.mean(posterior.weights(features), benchmark, records[benchmark]["family"])
    found = sum(sums[2] for sums in kinds.values())
    step *= exact / found if found and 0.9 < exact / found < 1.1 else 1.0
    for sums in (*kinds.values(), *tables.values()):
        sums[1] /= total
        sums[2] *= step
    return Attribution(
        benchmark,
        sum(sums[2] for sums in kinds.values()),
        sum(sums[0] for sums in kinds.values()),
        {name: Part(*sums) for name, sums in kinds.items() if sums[0]},
        {
            name: Part(*tables[name])
            for name in sorted(tables, key=lambda name: (-tables[name][1], name))
        },
        tuple(_carrier(pair, total, step, relation(pair), posterior, records) for pair in heaviest),
    )


def _flows(
    x: Weights,
    benchmark: str,
    columns: Sequence[Column | Fitted],
    own: Sequence[Column],
    posterior: Posterior,
    records: Mapping[str, Mapping],
) -> Iterator[_Flow]:
    """What each column's scores do to the effect of x on a benchmark; columns without any have
    none.
    """
    family = records[benchmark]["family"]
    for part, fitted in ((columns, True), (own, False)):
        if not part:
            continue
        reach = (posterior.reach if fitted else posterior.reach_own)(x, benchmark, family)
        for column, weight in zip(part, weights(part, posterior.hyper.overlap)):
            asked = column.benchmark, column.family
            a = (
                taken(column, reach.parts(*asked))
                if isinstance(column, Fitted)
                else coefficients(column, weight, posterior, reach.effects(*asked), fitted)
            )
            flow = _Flow(column, a, posterior.scale_of(column.benchmark))
            if flow.total > 0 and flow.down:
                yield flow


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


class relations:  # noqa: N801 (called like a function)
    """How a pair bears on a change. `direct`: it makes the very change on this benchmark;
    `neighbour`: on another one; `chain`: it makes a part of it, a like change, or moves what the
    change is known by."""

    def __init__(self, shown: Sequence[Found], benchmark: str):
        self._benchmark = benchmark
        self._makes: dict[frozenset, set[str]] = {}
        for item in shown:
            if not item.near:
                table = item.contrast.table.id
                pair = frozenset(_run(row, table) for row in (item.from_row, item.to_row))
                self._makes.setdefault(pair, set()).add(item.contrast.metric.benchmark)
        self._runs = {run for pair in self._makes for run in pair}

    def __call__(self, pair: _Pair) -> str:
        column = pair.column
        where = self._makes.get(
            frozenset(_run(column.rows[n], column.tables[n]) for n in (pair.low, pair.high)), ()
        )
        direct = self._benchmark in where and column.benchmark == self._benchmark
        return "direct" if direct else "neighbour" if where else "chain"

    def named(self, flow: _Flow) -> Iterator[_Pair]:
        """The pairs of a column that make the change."""
        column = flow.column
        runs = [_run(row, table) for row, table in zip(column.rows, column.tables)]
        if self._runs.isdisjoint(runs):
            return
        down = [j for j in flow.down if runs[j] in self._runs]
        for i in flow.up:
            if runs[i] in self._runs:
                for j in down:
                    if frozenset((runs[i], runs[j])) in self._makes:
                        yield flow.pair(i, j)


def _run(row: Row | Run, table: str) -> tuple:
    """The training run of a row: by its name, or by table and arm."""
    return (row.run,) if row.run else (table, row.arm)


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
