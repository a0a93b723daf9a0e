"""What runs on the levels of one axis would teach: how sure the choice is after them, what it gains, and which run to make next.

In: the belief about the levels' true gains (means and covariance, joint normal), the variance of one run, the level picked today. Out: Stages, one
after another run. Knows no recipes, axes or costs.

A run shows its level's score: base + true gain + noise. The base is the same for all levels and unknown, so one run teaches nothing and the first two
are a contrast. After the runs the level with the highest posterior mean is chosen; it is right when its true gain is the highest. Two levels: exact. More:
truths and runs are drawn (seeded, in antithetic pairs), the runs of a longer plan beginning with those of a shorter one. The next run is the one that takes away
most of the posterior variance between the levels which the plan still confuses, in the spirit of optimal computing budget allocation (Chen, Lin, Yucesan and Chick,
Discrete Event Dynamic Systems 10, 2000), with correlated beliefs updated as in Frazier, Powell and Dayanik (INFORMS Journal on Computing 21, 2009).
"""
import math
from collections.abc import Sequence
from typing import NamedTuple

from ..effects import linalg

DRAWS = 500          # antithetic pairs: 1000 truths; a confidence of 0.8 is then known to about 0.012
MOST_RUNS = 32
FLAT = 1e6           # variance of the unknown base, in units of the largest variance of a gain


class Stage(NamedTuple):
    """After so many runs of each level. confidence: probability that the level chosen then is the best one. gain: mean posterior gain of the level chosen
    then, less that of the best one today. p_changes: probability that it is not the picked one."""
    runs: tuple[int, ...]
    confidence: float
    gain: float
    p_changes: float


def path(means: Sequence[float], covariance: linalg.Matrix, noise: float, picked: int, enough: float, most: int = MOST_RUNS,
         seed: int = 20261121) -> list[Stage]:
    """The stages of a plan, from no runs, until the confidence is `enough` or `most` runs are made (two runs at least)."""
    if len(means) == 1:
        return [Stage((0,), 1.0, 0.0, 0.0)]
    stages = _exact(means, covariance, noise, picked) if len(means) == 2 else _drawn(means, covariance, noise, picked, seed)
    out = []
    for stage in stages:
        out.append(stage)
        total = sum(stage.runs)
        if total >= most or total >= 2 and stage.confidence >= enough:
            break
    return out


def best_chances(means: Sequence[float], covariance: linalg.Matrix, seed: int = 20261121) -> list[float]:
    """Probability that each level is truly the best one, from the draws of `path`."""
    if len(means) == 2:
        variance = covariance[0][0] + covariance[1][1] - 2 * covariance[0][1]
        first = normal_cdf((means[0] - means[1]) / math.sqrt(variance)) if variance > 0 else float(means[0] >= means[1])
        return [first, 1 - first]
    import random
    best = _leaders(means, _truths(covariance, random.Random(seed)))
    return [best.count(i) / len(best) for i in range(len(means))]


def normal_cdf(z: float) -> float:
    """P(Z < z) of a standard normal Z."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def two_levels(gap: float, variance: float, noise: float) -> tuple[float, float, float]:
    """(P(right), gain, P(the second is chosen)) for two levels whose true difference, first less second, is N(gap, variance), after a measurement of it with a
    variance of `noise` (infinite: none). The posterior mean is N(gap, s2), the truth lies around it with variance - s2."""
    if variance <= 0.0:
        return 1.0, 0.0, float(gap < 0)
    s2 = variance * variance / (variance + noise)
    s, rest = math.sqrt(s2), math.sqrt(max(variance - s2, 0.0))
    if s == 0.0:
        return normal_cdf(abs(gap) / rest), 0.0, float(gap < 0)
    u = gap / s
    gain = s * math.exp(-u * u / 2) / math.sqrt(2 * math.pi) - abs(gap) * normal_cdf(-abs(u))
    if rest == 0.0:
        return 1.0, gain, normal_cdf(-u)
    step, total = 0.05, 0.0     # the mean of Phi(|D| / rest) over D ~ N(gap, s2), by the trapezoidal rule
    for i in range(-160, 161):
        z = i * step
        total += math.exp(-z * z / 2) * normal_cdf(abs(gap + s * z) / rest)
    return total * step / math.sqrt(2 * math.pi), gain, normal_cdf(-u)


def _exact(means: Sequence[float], covariance: linalg.Matrix, noise: float, picked: int):
    """Stages of two levels: one more run of each in turn, the better one first."""
    variance = covariance[0][0] + covariance[1][1] - 2 * covariance[0][1]
    first = int(means[1] > means[0])
    runs = [0, 0]
    while True:
        measured = noise / runs[0] + noise / runs[1] if all(runs) else math.inf
        right, gain, second = two_levels(means[0] - means[1], variance, measured)
        yield Stage(tuple(runs), right, gain, 1 - second if picked else second)
        runs[first if runs[0] == runs[1] else 1 - first] += 1


def _drawn(means: Sequence[float], covariance: linalg.Matrix, noise: float, picked: int, seed: int):
    """Stages of more than two levels."""
    import random
    size, rng = len(means), random.Random(seed)
    top = max(covariance[i][i] for i in range(size)) or 1.0
    truth = _truths(covariance, rng)
    best = _leaders(means, truth)
    belief = [[value + FLAT * top for value in row] for row in covariance]
    shift = [[0.0] * DRAWS for _ in range(size)]                        # by level: how far the runs have moved the posterior mean
    runs, sd, today = [0] * size, math.sqrt(noise), max(means)
    while True:
        chosen = _leaders(means, shift)
        wrong: dict[tuple[int, int], int] = {}
        changed = 0
        for pair in zip(best, chosen):
            changed += pair[1] != picked
            if pair[0] != pair[1]:
                wrong[pair] = wrong.get(pair, 0) + 1
        gain = sum(map(max, zip(*_around(means, shift, 1)))) + sum(map(max, zip(*_around(means, shift, -1))))
        count = 2 * DRAWS
        yield Stage(tuple(runs), 1 - sum(wrong.values()) / count, max(0.0, gain / count - today), changed / count)
        level = _next(belief, noise, wrong) if any(runs) else means.index(today)
        runs[level] += 1
        seen = belief[level]
        weight = [value / (seen[level] + noise) for value in seen]
        news = [true + sd * rng.gauss(0.0, 1.0) - known for true, known in zip(truth[level], shift[level])]
        shift = [[old + w * new for old, new in zip(line, news)] for line, w in zip(shift, weight)]
        belief = [[value - w * other for value, other in zip(row, seen)] for row, w in zip(belief, weight)]


def _truths(covariance: linalg.Matrix, rng) -> list[list[float]]:
    """Drawn truths by level: how far each lies from its mean."""
    size = len(covariance)
    top = max(covariance[i][i] for i in range(size)) or 1.0
    factor = linalg.cholesky([[*row[:i], row[i] + 1e-9 * top] for i, row in enumerate(covariance)])  # levels may be exact twins
    drawn = [[rng.gauss(0.0, 1.0) for _ in range(size)] for _ in range(DRAWS)]
    return [[linalg.dot(row, z) for z in drawn] for row in factor]


def _around(means: Sequence[float], shift: Sequence[Sequence[float]], sign: int) -> list[list[float]]:
    return [[mean + x for x in line] if sign > 0 else [mean - x for x in line] for mean, line in zip(means, shift)]


def _leaders(means: Sequence[float], shift: Sequence[Sequence[float]]) -> list[int]:
    """The highest level of each draw, then of each antithetic draw."""
    return [values.index(max(values)) for sign in (1, -1) for values in zip(*_around(means, shift, sign))]


def _next(belief: linalg.Matrix, noise: float, wrong: dict[tuple[int, int], int]) -> int:
    """The level whose run takes away most of the variance of the differences (best, chosen) that go wrong, each weighted with how often it does."""
    pairs = [(i, j, count / spread) for (i, j), count in wrong.items() if (spread := belief[i][i] + belief[j][j] - 2 * belief[i][j]) > 0.0]
    scores = [sum(count * (row[i] - row[j]) ** 2 for i, j, count in pairs) / (row[k] + noise) for k, row in enumerate(belief)]
    return scores.index(max(scores))
