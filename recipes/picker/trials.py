"""What runs on the levels of one axis would teach: how sure the choice is after them, what it
gains, and which run to make next.

In: the belief about the levels' true gains (means and covariance, joint normal), the variance of
one run, the level picked today. Out: Stages, one after another run. Knows no recipes, axes or
costs.

A run shows its level's score: base + true gain + noise. The base is the same for all levels and
unknown, so one run teaches nothing and the first two are a contrast. After the runs the level with
the highest posterior mean is chosen; it is right when its true gain is the highest. Two levels:
exact. More: truths and runs are drawn (seeded, in antithetic pairs), the runs of a longer plan
beginning with those of a shorter one. The next run is the one that takes away most of the posterior
variance between the levels which the plan still confuses, in the spirit of optimal computing budget
allocation (Chen, Lin, Yucesan and Chick, Discrete Event Dynamic Systems 10, 2000), with correlated
beliefs updated as in Frazier, Powell and Dayanik (INFORMS Journal on Computing 21, 2009).
"""

import functools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..base import linalg

# antithetic pairs: 1000 truths; a confidence of 0.8 is then known to about 0.012
DRAWS = 500
MOST_RUNS = 24
# levels that compete on an axis: what is left out is then the best in a tenth of the cases at most
# (with 12 levels of 24 LLMs, in a fifth)
MOST_LEVELS = 16
SEED = 20261121
FLAT = 1e6  # variance of the unknown base, in units of the largest variance of a gain


class Stage(NamedTuple):
    """After so many runs of each level. confidence: probability that the level chosen then is the
    best one. gain: mean posterior gain of the level chosen then, less that of the best one today.
    p_changes: probability that it is not the picked one."""

    runs: tuple[int, ...]
    confidence: float
    gain: float
    p_changes: float


def path(
    means: Sequence[float],
    covariance: linalg.Matrix,
    noise: float,
    picked: int,
    enough: float,
    most: int = MOST_RUNS,
) -> tuple[list[Stage], list[float]]:
    """(stages, how likely each level is the best): from no runs until the confidence is `enough` or
    `most` runs are made, two runs at least.
    """
    if len(means) == 1:
        return [Stage((0,), 1.0, 0.0, 0.0)], [1.0]
    if len(means) == 2:
        gap, variance = (
            means[0] - means[1],
            covariance[0][0] + covariance[1][1] - 2 * covariance[0][1],
        )
        first = normal_cdf(gap / math.sqrt(variance)) if variance > 0 else float(gap >= 0)
        chances, stages = [first, 1 - first], _exact(gap, variance, noise, picked)
    else:
        truth = _truths(covariance)
        best = _leaders(means, truth)[0]
        chances = [best.count(i) / len(best) for i in range(len(means))]
        stages = _drawn(means, covariance, noise, picked, truth, best)
    out = []
    for stage in stages:
        out.append(stage)
        total = sum(stage.runs)
        if total >= most or total >= 2 and stage.confidence >= enough:
            break
    return out, chances


def normal_cdf(z: float) -> float:
    """P(Z < z) of a standard normal Z."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def two_levels(gap: float, variance: float, noise: float) -> tuple[float, float, float]:
    """(P(right), gain, P(the second is chosen)) for two levels whose true difference, first less
    second, is N(gap, variance), after a measurement of it with a variance of `noise` (infinite:
    none). The posterior mean is N(gap, s2), the truth lies around it with variance - s2."""
    if variance <= 0.0:
        return 1.0, 0.0, float(gap < 0)
    s2 = variance * variance / (variance + noise)
    s = math.sqrt(s2)
    if s == 0.0:
        return normal_cdf(abs(gap) / math.sqrt(variance)), 0.0, float(gap < 0)
    u, v = gap / s, gap / math.sqrt(variance)
    if noise == 0.0:
        return (
            1.0,
            s * math.exp(-u * u / 2) / math.sqrt(2 * math.pi) - abs(gap) * normal_cdf(-abs(u)),
            normal_cdf(-u),
        )
    gain = s * math.exp(-u * u / 2) / math.sqrt(2 * math.pi) - abs(gap) * normal_cdf(-abs(u))
    # posterior mean and truth of one sign: Plackett, Biometrika 41, 1954, eq. 3
    both = normal_cdf(u) * normal_cdf(v) + normal_cdf(-u) * normal_cdf(-v)
    count, end = 40, math.asin(min(s / math.sqrt(variance), 1.0))
    for i in range(count + 1):  # Simpson's rule
        sine = math.sin(end * i / count)
        weight = (1 if i in (0, count) else 4 if i % 2 else 2) * end / count / 3
        both += (
            weight
            * math.exp(-(u * u + v * v - 2 * u * v * sine) / (2 * (1 - sine * sine) + 1e-300))
            / math.pi
        )
    return min(both, 1.0), gain, normal_cdf(-u)


def _exact(gap: float, variance: float, noise: float, picked: int) -> Iterator[Stage]:
    """Stages of two levels: one more run of each in turn, the better one first."""
    first = int(gap < 0)
    runs = [0, 0]
    while True:
        measured = noise / runs[0] + noise / runs[1] if all(runs) else math.inf
        right, gain, second = two_levels(gap, variance, measured)
        yield Stage(tuple(runs), right, gain, 1 - second if picked else second)
        runs[first if runs[0] == runs[1] else 1 - first] += 1


def _drawn(
    means: Sequence[float],
    covariance: linalg.Matrix,
    noise: float,
    picked: int,
    truth: Sequence[Sequence[float]],
    best: Sequence[int],
) -> Iterator[Stage]:
    """Stages of more than two levels."""
    size, count = len(means), len(best)
    flat = FLAT * (max(covariance[i][i] for i in range(size)) or 1.0)
    belief = [[value + flat for value in row] for row in covariance]
    # by level: how far the runs have moved the posterior mean
    shift = [[0.0] * DRAWS for _ in range(size)]
    runs, sd, today = [0] * size, math.sqrt(noise), max(means)
    while True:
        chosen, reached = _leaders(means, shift)
        wrong: dict[tuple[int, int], int] = {}
        for pair in zip(best, chosen):
            if pair[0] != pair[1]:
                wrong[pair] = wrong.get(pair, 0) + 1
        yield Stage(
            tuple(runs),
            1 - sum(wrong.values()) / count,
            max(0.0, reached / count - today),
            1 - chosen.count(picked) / count,
        )
        level = _next(belief, noise, wrong) if any(runs) else means.index(today)
        seen = belief[level]
        weight = [value / (seen[level] + noise) for value in seen]
        news = [
            true + sd * z - known
            for true, z, known in zip(truth[level], _normals(MOST_LEVELS + sum(runs)), shift[level])
        ]
        runs[level] += 1
        shift = [[old + w * new for old, new in zip(line, news)] for line, w in zip(shift, weight)]
        belief = [
            [value - w * other for value, other in zip(row, seen)] for row, w in zip(belief, weight)
        ]


@functools.cache
def _normals(number: int) -> list[float]:
    """A column of standard normal draws, the same whenever it is asked for: axes and plans are
    compared on common random numbers.
    """
    import random  # slow to load, and two levels do not draw

    rng = random.Random(SEED + number)
    return [rng.gauss(0.0, 1.0) for _ in range(DRAWS)]


def _truths(covariance: linalg.Matrix) -> list[list[float]]:
    """Drawn truths by level: how far each lies from its mean."""
    columns = list(zip(*(_normals(i) for i in range(len(covariance)))))
    return [[linalg.dot(row, z) for z in columns] for row in _factor(covariance)]


def _factor(covariance: linalg.Matrix) -> linalg.Matrix:
    """Cholesky factor with a little on the diagonal: levels may be exact twins, and the stored
    correlations are rounded.
    """
    top = max(covariance[i][i] for i in range(len(covariance))) or 1.0
    for ridge in (1e-9, 1e-6, 1e-4):
        try:
            return linalg.cholesky(
                [[*row[:i], row[i] + ridge * top] for i, row in enumerate(covariance)]
            )
        except linalg.NotPositiveDefinite:
            continue
    return linalg.cholesky([[*row[:i], row[i] + 1e-2 * top] for i, row in enumerate(covariance)])


def _leaders(means: Sequence[float], shift: Sequence[Sequence[float]]) -> tuple[list[int], float]:
    """The highest level of each draw, then of each antithetic draw; and the sum of what they
    reach.
    """
    up = list(zip(*([mean + x for x in line] for mean, line in zip(means, shift))))
    up += zip(*([mean - x for x in line] for mean, line in zip(means, shift)))
    top = list(map(max, up))
    return [values.index(highest) for values, highest in zip(up, top)], sum(top)


def _next(belief: linalg.Matrix, noise: float, wrong: dict[tuple[int, int], int]) -> int:
    """The level whose run takes away most of the variance of the differences (best, chosen) that go
    wrong, each weighted with how often it does.
    """
    pairs = [
        (i, j, count / spread)
        for (i, j), count in wrong.items()
        if (spread := belief[i][i] + belief[j][j] - 2 * belief[i][j]) > 0.0
    ]
    scores = [
        sum(count * (row[i] - row[j]) ** 2 for i, j, count in pairs) / (row[k] + noise)
        for k, row in enumerate(belief)
    ]
    return scores.index(max(scores))
