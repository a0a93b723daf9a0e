"""Does a change do more with a larger LLM? The slope of its printed deltas in the LLM's size,
within tables.

In: Found rows of a change (rows.py) and the Change. Out: a Slope, or None where no paper makes the
change at two sizes. The model itself
is additive: effects of an encoder do not depend on the LLM. This is the check of that, in a number.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .change import Change
from .features import llm_params_b
from .rows import Found
from .weighing import weigh

ALONE = 3.0  # standard errors at which one paper alone is enough


class Slope(NamedTuple):
    """By how much the improvement grows per doubling of the LLM, in percent of the scale, with its
    standard error.

    pairs: of runs, in papers that make the change at more than one size. sizes: the smallest and
    largest LLM, in billions.
    low and high: the mean improvement at the smallest and at the largest size.
    """

    estimate: float
    se: float
    pairs: int
    papers: tuple[str, ...]
    sizes: tuple[float, float]
    low: float
    high: float

    @property
    def suggested(self) -> bool:
        """Is the slope more than 1.96 standard errors from none?"""
        return abs(self.estimate) > 1.96 * self.se

    @property
    def clear(self) -> bool:
        """Suggested by two papers or more, or by one alone with more than 3 standard errors.

        The standard error knows what differs between the pairs of a paper, not what its whole
        setting does to the slope: a second paper may well have another.
        """
        return self.suggested if len(self.papers) > 1 else abs(self.estimate) > ALONE * self.se


def size_slope(found: Sequence[Found], change: Change) -> Slope | None:
    """Weighted least squares with an intercept per paper, on rows of the very change that keep the
    other components.

    One observation is a pair of runs: the mean of its deltas, each less the mean of its paper,
    benchmark and split. Its variance is the heterogeneity that the change meets in one setting
    (which all benchmarks of the pair share) and the noise of two runs over the number of deltas. A
    pair counts once, however many benchmarks it was scored on.
    """
    # (paper, benchmark, split, shots) -> pair -> (log2 size, delta)
    deltas: dict[tuple, dict[tuple, tuple[float, float]]] = {}
    squared: dict[str, float] = {}  # benchmark -> its scale squared
    kept = [item for item in found if not item.near and change.isolated(item)]
    for item, (delta, _) in zip(kept, weigh(kept, change).values()):
        size = llm_params_b(item.from_row.setting, change.words)
        if size and size == llm_params_b(item.to_row.setting, change.words):
            metric = item.contrast.metric
            pair = (item.contrast.table.paper, id(item.from_row), id(item.to_row))
            deltas.setdefault(
                (item.contrast.table.paper, metric.benchmark, metric.split, metric.shots), {}
            )[pair] = (math.log2(size), delta)
            squared[metric.benchmark] = change.posterior.scale_of(metric.benchmark) ** 2
    groups = {
        key: rows for key, rows in deltas.items() if _spread([x for x, _ in rows.values()]) > 0.2
    }
    if not groups:
        return None
    # pair -> (log2 size, delta less the group's mean, scale squared, noise)
    pairs: dict[tuple, list[tuple[float, float, float, float]]] = {}
    for (_, benchmark, _, _), rows in groups.items():
        mean = sum(y for _, y in rows.values()) / len(rows)
        for pair, (x, y) in rows.items():
            pairs.setdefault(pair, []).append(
                (x, y - mean, squared[benchmark], change.noise(benchmark) * squared[benchmark])
            )
    sxx, sxy, points = _regressed(pairs, change.local)
    if not sxx:
        return None
    every = [row for rows in groups.values() for row in rows.values()]
    least, most = min(x for x, _ in every), max(x for x, _ in every)
    at = [[y for x, y in every if abs(x - size) < 0.35] for size in (least, most)]
    return Slope(
        sxy / sxx,
        1 / math.sqrt(sxx),
        points,
        tuple(sorted({key[0] for key in groups})),
        (2**least, 2**most),
        *(sum(values) / len(values) for values in at),
    )


def _regressed(pairs: Mapping[tuple, Sequence[tuple]], local: float) -> tuple[float, float, int]:
    """(weighted sums of x squared and of x y inside papers, how many pairs); local: heterogeneity
    that all benchmarks of a pair share.
    """
    points = []
    for pair, rows in pairs.items():
        count = len(rows)
        variance = (
            local * sum(math.sqrt(row[2]) for row in rows) ** 2 / count**2
            + sum(row[3] for row in rows) / count**2
        )
        points.append((pair[0], rows[0][0], sum(row[1] for row in rows) / count, 1 / variance))
    sxx = sxy = 0.0
    # in one order: sums of floats depend on it
    for paper in sorted({point[0] for point in points}):
        own = [point for point in points if point[0] == paper]
        total = sum(w for *_, w in own)
        mx, my = sum(w * x for _, x, _, w in own) / total, sum(w * y for _, _, y, w in own) / total
        sxx += sum(w * (x - mx) ** 2 for _, x, _, w in own)
        sxy += sum(w * (x - mx) * (y - my) for _, x, y, w in own)
    return sxx, sxy, len(points)


def _spread(values: Sequence[float]) -> float:
    return max(values) - min(values)
