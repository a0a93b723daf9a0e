"""A fitted posterior that has also seen a user's own tables, without a refit.

In: a Posterior and Columns. Out: a Posterior. Exact: what a fit on all columns would give at the
same scales and hyper-parameters (up to the rounding of the stored covariances). It costs a product
of covariances for each pair of results, so it is for tables of a lab, not for another hundred
papers: those belong into a fit.
"""

import math
from collections.abc import Iterator, Sequence

from ..base import linalg
from .columns import Column
from .features import group
from .model import Information, add, column_information, counted, weights
from .posterior import Effect, Posterior, Reach, Trace, Weights


def observations(message: Information) -> Iterator[tuple[list[float], float]]:
    """Independent observations of unit noise, (weights, value), that say what a message says.

    A = L L' by Cholesky with the largest pivot first, until nothing is left; then L' theta = y with
    L y = r.
    """
    a = [list(row) for row in message.precision]
    r = list(message.vector)
    size = len(r)
    least = 1e-9 * max((a[i][i] for i in range(size)), default=0.0)
    for _ in range(size):
        p = max(range(size), key=lambda i: a[i][i])
        if a[p][p] <= least:
            return
        root = math.sqrt(a[p][p])
        column, value = [row[p] / root for row in a], r[p] / root
        yield column, value
        for i, x in enumerate(column):
            if x:
                a[i] = [y - x * z for y, z in zip(a[i], column)]
                r[i] -= x * value


class Conditioned(Posterior):
    """The posterior `base`, conditioned on further columns."""

    def __init__(self, base: Posterior, columns: Sequence[Column]):
        self.__dict__.update(base.__dict__)
        self.published = base
        self.support = {name: list(papers) for name, papers in base.support.items()}
        self.family_of = dict(base.family_of)
        self.columns = {**base.columns, **counted(columns)}
        numbers = dict(base.names)
        messages: dict[str, list[Information]] = {}
        for column, weight in zip(columns, weights(columns, base.hyper.overlap)):
            self.family_of.setdefault(column.benchmark, column.family)
            for name in sorted(
                {
                    name
                    for row in column.features
                    for name in row
                    if base.hyper.prior.get(group(name))
                }
            ):
                numbers.setdefault(name, len(numbers))
                if column.paper not in self.support.setdefault(name, []):
                    self.support[name].append(column.paper)
            messages.setdefault(column.benchmark, []).append(
                column_information(
                    column, base.scale_of(column.benchmark), base.hyper, numbers, weight
                )
            )
        new = {number: name for name, number in numbers.items() if name not in base.names}
        self._asked: list[tuple[Weights, str, str]] = []
        self._seen: list[Trace] = []
        results: list[float] = []
        for benchmark, parts in messages.items():
            message, family = add(parts), self.family_of[benchmark]
            for column, value in observations(message):
                x: Weights = {
                    new.get(number, number): weight
                    for number, weight in zip(message.index, column)
                    if weight
                }
                self._asked.append((x, benchmark, family))
                self._seen.append(base.trace(x, {benchmark: 1.0}, {benchmark: family}))
                results.append(value - base.mean(x, benchmark, family))
        self._factor = linalg.cholesky(
            [
                [
                    mine.covariance(other) + (1.0 if i == j else 0.0)
                    for j, other in enumerate(self._seen[: i + 1])
                ]
                for i, mine in enumerate(self._seen)
            ]
        )
        self._moved = Reach(self, list(zip(linalg.solve(self._factor, results), self._seen)))
        self._shifts: dict[tuple[str, str], Weights] = {}

    def trace(self, x: Weights, steps, families) -> Trace:
        before = super().trace(x, steps, families)
        return before._replace(
            known=linalg.solve_lower(
                self._factor, [before.covariance(other) for other in self._seen]
            )
        )

    def _known_mix(self, steps) -> None:
        """None: what was worked out beforehand does not know these columns."""

    def means(
        self, x: Weights, benchmark: str, family: str | None, *, whole: bool = False
    ) -> Weights:
        out, shift = (
            super().means(x, benchmark, family, whole=whole),
            self._shift(benchmark, family),
        )
        for name, value in x.items():
            out[name] = out.get(name, 0.0) + value * shift.get(name, 0.0)
        return out

    def effect(self, change, benchmark: str, family: str | None) -> Effect:
        x = self.weights(change)
        trace = self.trace(x, {benchmark: 1.0}, {benchmark: family})
        return Effect(self.mean(x, benchmark, family), max(trace.covariance(trace), 0.0))

    def reach(self, x: Weights, benchmark: str, family: str | None) -> Reach:
        # the results take the place of what the fit predicts of them: x - sum of alpha_k s_k, over
        # the observations s_k
        parts = [
            (-a, self.published.trace(self.trusted(seen), {where: 1.0}, {where: kin}))
            for a, (seen, where, kin) in zip(self._alpha(x, benchmark, family), self._asked)
        ]
        return Reach(
            self,
            [
                (1.0, self.published.trace(self.trusted(x), {benchmark: 1.0}, {benchmark: family})),
                *parts,
            ],
        )

    def reach_own(self, x: Weights, benchmark: str, family: str | None) -> Reach:
        """The same for the rows of the user's tables: their results count in full (mean)."""
        trace = self.published.trace(x, {benchmark: 1.0}, {benchmark: family})
        return Reach(
            self,
            [
                (1.0, trace),
                *((-a, other) for a, other in zip(self._alpha(x, benchmark, family), self._seen)),
            ],
        )

    def _alpha(self, x: Weights, benchmark: str, family: str | None) -> linalg.Vector:
        """How much of each observation the effect of x takes."""
        trace = self.published.trace(x, {benchmark: 1.0}, {benchmark: family})
        return linalg.solve(self._factor, [trace.covariance(other) for other in self._seen])

    def _shift(self, benchmark: str, family: str | None) -> Weights:
        """How far the results move the mean of each effect."""
        key = (benchmark, family or "")
        if key not in self._shifts:
            self._shifts[key] = self._moved.effects(benchmark, family)
        return self._shifts[key]
