"""Published scores of whole models -> what each model would score on a benchmark that it does not
print.

In: scores (model, benchmark, split, set-up, share of the maximum). Out: a Fit, and predictions with
their covariance. Knows no registry, filter or rank (landscape.py); does not read or print.

Models print different benchmarks, so a mean of what is there compares nothing. Instead, on the
logit of the score's share of its maximum, so that 95 -> 97 counts like 60 -> 70:

    logit(score) = centre(benchmark) + offset(benchmark, split, set-up) + spread(benchmark) x
    (ability(model) + rest)

The first three and one ability per model are fitted to all scores by alternating ridge regressions.
`rest` is Gaussian, with a part that the benchmarks of one task family share, a part of the
benchmark's own, a part that one set-up's reruns share, and noise (what a second source prints for
the same thing). A model's prediction is then the conditional mean given all that is printed of it,
exactly, by one small Cholesky factor: few or distant scores leave a wide one. The variances were
set so that hidden scores (all of a model on one benchmark) are predicted best:
tests/test_landscape.py repeats that.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

from ..base import linalg

# variances beside ability's 1: family; the benchmark's share of its misfit; reruns of one set-up
FAMILY, OWN, SETUP = 0.05, 0.7, 0.02
# of a benchmark's mean squared misfit: the rest is what family and set-up explain
KEPT = 0.7
# further variance of a score whose source does not say which of two unlike splits it is on
VAGUE = 0.25
STEPS = 15  # alternations; the largest change of a centre is then below 0.01
EDGE = 0.005  # shares are kept this far from 0 and 1


class Reading(NamedTuple):
    """One printed score. `setup`: "" as its authors (or copies of them) report, else the name of a
    rerun in one set-up.
    """

    model: str
    benchmark: str
    split: str
    setup: str
    share: float  # of the maximum, 0 to 1
    vague: bool = False  # the split lumps unlike ones together


class Fit(NamedTuple):
    """Benchmarks on the logit scale, and the scores of each model in units of ability."""

    centre: Mapping[str, float]
    spread: Mapping[str, float]
    offset: Mapping[tuple[str, str, str], float]
    # per benchmark: variance around the ability, in units of ability squared
    misfit: Mapping[str, float]
    # per benchmark: scores, their models' mean ability, and its sum of squares
    lever: Mapping[str, tuple[int, float, float]]
    family: Mapping[str, str]
    # model -> (score in units of ability, benchmark, set-up, variance of vagueness)
    scores: Mapping[str, Sequence[tuple[float, str, str, float]]]


def logit(share: float) -> float:
    """log(p / (1 - p)), kept off the ends."""
    p = min(max(share, EDGE), 1 - EDGE)
    return math.log(p / (1 - p))


class Lines(NamedTuple):
    """What the alternations come to, by number of benchmark, item (benchmark, split, set-up) and
    model. of: checksum of the scores.
    """

    of: int
    centre: Sequence[float]
    spread: Sequence[float]
    offset: Sequence[float]
    ability: Sequence[float]


class Numbered(NamedTuple):
    """Scores with numbers in the place of names, which the alternations look up some hundred
    thousand times.
    """

    # model, benchmark, item, logit, variance of vagueness
    rows: Sequence[tuple[int, int, int, float, float]]
    models: Sequence[str]
    benchmarks: Sequence[str]
    items: Sequence[tuple[str, str, str]]


def numbered(readings: Iterable[Reading]) -> Numbered:
    """Number the models, benchmarks and items of all scores."""
    models, benchmarks, items = {}, {}, {}
    rows = [
        (
            models.setdefault(r.model, len(models)),
            benchmarks.setdefault(r.benchmark, len(benchmarks)),
            items.setdefault((r.benchmark, r.split, r.setup), len(items)),
            logit(r.share),
            VAGUE if r.vague else 0.0,
        )
        for r in readings
    ]
    return Numbered(rows, list(models), list(benchmarks), list(items))


def checksum(data: Numbered) -> int:
    """Of all that `lines` depends on."""
    *numbers, values, _ = zip(*data.rows)
    return crc32(repr((STEPS, numbers, values)).encode())


def lines(data: Numbered) -> Lines:
    """Fit centre, spread, offset and ability."""
    by_model, by_benchmark, by_item = ([[] for _ in names] for names in data[1:])
    for m, b, i, y, _ in data.rows:
        for groups, number in ((by_model, m), (by_benchmark, b), (by_item, i)):
            groups[number].append((m, b, i, y))
    centre = [sum(y for *_, y in rows) / len(rows) for rows in by_benchmark]
    spread, offset, ability = [0.6] * len(by_benchmark), [0.0] * len(by_item), [0.0] * len(by_model)
    for _ in range(STEPS if len(by_model) > 1 else 0):
        # ridge: one score speaks for three quarters of itself
        ability = [
            sum([(y - centre[b] - offset[i]) / spread[b] for _, b, i, y in rows])
            / (len(rows) + 0.3)
            for rows in by_model
        ]
        mean = sum(ability) / len(ability)
        deviation = math.sqrt(sum((a - mean) ** 2 for a in ability) / len(ability)) or 1.0
        ability = [(a - mean) / deviation for a in ability]
        # slope drawn towards 0.6 (a typical one) with the weight of three models
        for b, rows in enumerate(by_benchmark):
            x, ys = [ability[m] for m, *_ in rows], [y - offset[i] for _, _, i, y in rows]
            mx, my = sum(x) / len(x), sum(ys) / len(ys)
            square, product = (
                sum([(a - mx) ** 2 for a in x]),
                sum([(a - mx) * (c - my) for a, c in zip(x, ys)]),
            )
            spread[b] = max(0.1, (product + 0.6 * 3) / (square + 3))
            centre[b] = my - spread[b] * mx
        # a split or set-up differs by about 0.3; drawn towards none
        for i, rows in enumerate(by_item):
            b = rows[0][1]
            rest = sum([y - centre[b] - spread[b] * ability[m] for m, _, _, y in rows])
            offset[i] = rest / (len(rows) + (0.5 * spread[b] / 0.3) ** 2)
    return Lines(checksum(data), centre, spread, offset, ability)


def fit(
    readings: Iterable[Reading], family_of: Mapping[str, str], known: Lines | None = None
) -> Fit:
    """Fit all scores. `family_of`: benchmark -> task family. known: lines found before, which count
    when they were found on these scores.
    """
    data = numbered(readings)
    _, centre, spread, offset, ability = (
        known if known and known.of == checksum(data) else lines(data)
    )
    misfit: list[list[float]] = [[] for _ in data.benchmarks]
    levels: list[list[float]] = [[] for _ in data.benchmarks]
    scores: dict[str, list] = {name: [] for name in data.models}
    for m, b, i, y, vague in data.rows:
        z = (y - centre[b] - offset[i]) / spread[b]
        misfit[b] += [] if vague else [(z - ability[m]) ** 2]
        levels[b].append(ability[m])
        scores[data.models[m]].append((z, data.benchmarks[b], data.items[i][2], vague))
    lever = {}
    for key, values in zip(data.benchmarks, levels):
        mean = sum(values) / len(values)
        lever[key] = len(values), mean, sum((a - mean) ** 2 for a in values)
    return Fit(
        dict(zip(data.benchmarks, centre)),
        dict(zip(data.benchmarks, spread)),
        dict(zip(data.items, offset)),
        {key: KEPT * (sum(v) + 5 * 0.25) / (len(v) + 5) for key, v in zip(data.benchmarks, misfit)},
        lever,
        dict(family_of),
        scores,
    )


def _shared(fitted: Fit, b: str, setup: str, other: str, other_setup: str) -> float:
    """Prior covariance of two scores of one model, without the noise of printing."""
    same = fitted.family[b] == fitted.family[other]
    return (
        1.0
        + FAMILY * same
        + (OWN * fitted.misfit[b] if b == other else 0.0)
        + SETUP * (setup != "" and setup == other_setup)
    )


def noise(fitted: Fit, benchmark: str) -> float:
    """Variance of one printed score around what the model can do, in units of ability squared."""
    return (1 - OWN) * fitted.misfit[benchmark]


def predict(
    fitted: Fit, model: str, benchmarks: Sequence[str], hidden: str | None = None
) -> tuple[list[float], linalg.Matrix]:
    """Means and covariance of a model on some benchmarks, in units of ability, given its scores
    (but those on `hidden`).

    Without any score: what a model that nothing is known of would show.
    """
    if not benchmarks:
        return [], []
    known = [score for score in fitted.scores.get(model, ()) if score[1] != hidden]
    prior = [[_shared(fitted, a, "", b, "") for b in benchmarks] for a in benchmarks]
    if not known:
        return [0.0] * len(benchmarks), prior
    factor = linalg.cholesky(
        [
            [
                _shared(fitted, b, s, other, t) + (noise(fitted, b) + vague if i == j else 0.0)
                for j, (_, other, t, _) in enumerate(known[: i + 1])
            ]
            for i, (_, b, s, vague) in enumerate(known)
        ]
    )
    halves = [
        linalg.solve_lower(factor, [_shared(fitted, b, "", other, t) for _, other, t, _ in known])
        for b in benchmarks
    ]
    seen = linalg.solve_lower(factor, [z for z, *_ in known])
    return [linalg.dot(h, seen) for h in halves], [
        [value - linalg.dot(x, y) for value, y in zip(row, halves)] for row, x in zip(prior, halves)
    ]


def extrapolation(fitted: Fit, benchmark: str, z: float) -> float:
    """Variance of a benchmark's own line at ability z, in units of ability squared: large where its
    models are few or unlike this one.
    """
    count, mean, square = fitted.lever[benchmark]
    return fitted.misfit[benchmark] * (1 / count + (z - mean) ** 2 / (square + 3))


def share(fitted: Fit, benchmark: str, split: str, z: float) -> float:
    """Units of ability -> share of the maximum on a split, as authors report it."""
    y = (
        fitted.centre[benchmark]
        + fitted.offset.get((benchmark, split, ""), 0.0)
        + fitted.spread[benchmark] * z
    )
    return 1 / (1 + math.exp(-y))


def slope(fitted: Fit, benchmark: str, value: float) -> float:
    """Change of the share per unit of ability, where the share is `value`."""
    p = min(max(value, EDGE), 1 - EDGE)
    return p * (1 - p) * fitted.spread[benchmark]


def disagreement(fitted: Fit, model: str, benchmark: str) -> float:
    """Variance of a model's printed score on a benchmark: the usual noise, and how far its sources
    stand apart.

    The usual one counts like three further sources (the mean of a scaled inverse chi-square
    posterior).
    """
    values = [z for z, b, _, vague in fitted.scores.get(model, ()) if b == benchmark and not vague]
    if not values:
        return noise(fitted, benchmark)
    mean = sum(values) / len(values)
    return (3 * noise(fitted, benchmark) + sum((z - mean) ** 2 for z in values)) / (
        3 + len(values) - 1
    )
