"""The hierarchical model: columns of scores in, posterior effects of recipe features out.

A column y (rows of one paper on one benchmark b, in units of the benchmark's scale) is

    y = intercept + X theta_b + u + e,     theta_b = global + family(b) + own(b)

X are the rows' features (features.py). Each feature's effect has a prior variance (Hyper.prior),
split over a part that all benchmarks share, a part that the benchmarks of a task family share, and
a part of the benchmark's own (Hyper.share). u is heterogeneity: what a setting does in this paper
beyond its shared effect (Hyper.heterogeneity); e is noise. The intercept is free, so only
differences inside a column count: a table is a set of contrasts.

Everything is Gaussian, so the posterior is linear in the scores. It is computed exactly by
eliminating own effects (per benchmark), then family effects, then the global ones, and going back
down: belief propagation on a tree (Lauritzen 1992; for the nested-effects form see Gelman & Hill
2007, ch. 13). One approximation: columns of one paper in one family are not independent (their u
are shared), so each counts 1 / (1 + overlap (m - 1)) when there are m of them, the design effect of
cluster sampling (Kish 1965, §8.2).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..base import linalg
from .columns import KINDS, Column
from .features import AXIS_OF, group
from .hyper import SLOPES, Hyper, column_weight


def scales(columns: Iterable[Column]) -> dict[str, float]:
    """Per benchmark, how much its scores move between rows: a root mean square, in percent of the
    scale.

    Deviations from the column's mean, winsorised at three robust standard deviations, then drawn
    towards 4 (the typical value) with the weight of ten observations, so that a benchmark seen once
    gets no extreme scale.
    """
    deviations: dict[str, list[float]] = {}
    for column in columns:
        mean = sum(column.scores) / len(column.scores)
        inflate = math.sqrt(1 - 1 / len(column.scores))
        deviations.setdefault(column.benchmark, []).extend(
            (y - mean) / inflate for y in column.scores
        )
    out = {}
    for name, values in sorted(deviations.items()):
        limit = 3 * 1.4826 * _median([abs(x) for x in values]) + 1
        rms = math.sqrt(sum(min(abs(x), limit) ** 2 for x in values) / len(values))
        n = len(values)
        out[name] = math.exp((n * math.log(rms + 0.3) + 10 * math.log(4)) / (n + 10))
    return out


def usual_scores(columns: Iterable[Column]) -> dict[str, float]:
    """Per benchmark, the median of its scores, in percent of the scale."""
    scores: dict[str, list[float]] = {}
    for column in columns:
        scores.setdefault(column.benchmark, []).extend(column.scores)
    return {name: _median(values) for name, values in sorted(scores.items())}


def _median(values: list[float]) -> float:
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def heterogeneity(
    hyper: Hyper, a: Sequence, b: Sequence, slopes: Mapping[str, float] | None = None
) -> float:
    """Variance of u(b) - u(a) for two rows of one paper: kinds that differ, and slopes (feature
    differences).
    """
    total = sum(2 * hyper.heterogeneity[kind] for kind, x, y in zip(KINDS, a, b) if x != y)
    for name, feature in SLOPES.items():
        total += hyper.heterogeneity[name] * (slopes or {}).get(feature, 0.0) ** 2
    return total


def covariance(
    column: Column, hyper: Hyper, local: Sequence[Mapping[str, float]], scale: float
) -> linalg.Matrix:
    """Covariance of u + e over the rows of a column, plus the features in `local` (those that are
    not shared).
    """
    n = len(column.rows)
    out = [[0.0] * n for _ in range(n)]
    variances = [hyper.heterogeneity[kind] for kind in KINDS]
    slopes = [
        (hyper.heterogeneity[name], [row.get(feature, 0.0) for row in column.features])
        for name, feature in SLOPES.items()
        if hyper.heterogeneity[name]
    ]
    for i in range(n):
        ki, fi = column.kinds[i], local[i]
        for j in range(i + 1):
            value = 0.0
            for variance, x, y in zip(variances, ki, column.kinds[j]):
                if x == y:
                    value += variance
            for variance, x in slopes:
                value += variance * x[i] * x[j]
            if fi:
                other = local[j]
                for name, x in fi.items():
                    if name in other:
                        value += hyper.prior[group(name)] * x * other[name]
            out[i][j] = out[j][i] = value
        out[i][i] += hyper.noise + (
            hyper.binomial * column.sampling[i] / scale**2 if column.sampling else 0.0
        )
    return out


class Information(NamedTuple):
    """A Gaussian message about the features in `index`: precision matrix and precision-weighted
    mean.
    """

    index: tuple[int, ...]
    precision: linalg.Matrix
    vector: linalg.Vector


def column_information(
    column: Column, scale: float, hyper: Hyper, names: Mapping[str, int], weight: float
) -> Information:
    """What one column says about the shared features (`names` -> number), its intercept and u
    integrated out.

    Features are in units of their prior standard deviation, so that a prior variance of 1 belongs
    to each.
    """
    local, rows = [], []
    for feats in column.features:
        shared, own = {}, {}
        for name, value in feats.items():
            if name in names:
                shared[name] = value
            elif hyper.prior.get(group(name)):
                own[name] = value
        local.append(own)
        rows.append(shared)
    factor = linalg.cholesky(covariance(column, hyper, local, scale))
    active = sorted({name for row in rows for name in row}, key=names.__getitem__)
    ones = linalg.solve_lower(factor, [1.0] * len(rows))
    length = linalg.dot(ones, ones)

    def whiten(values):
        """L^-1 values, with the direction of the intercept taken out."""
        white = linalg.solve_lower(factor, values)
        along = linalg.dot(white, ones) / length
        return [x - along * one for x, one in zip(white, ones)]

    y = whiten([score / scale for score in column.scores])
    index, design = [], []
    for name in active:
        values = [row.get(name, 0.0) for row in rows]
        if max(values) - min(values) > 1e-9:
            sd = math.sqrt(hyper.prior[group(name)])
            index.append(names[name])
            design.append(whiten([x * sd for x in values]))
    precision = [[weight * linalg.dot(x, z) for z in design] for x in design]
    return Information(tuple(index), precision, [weight * linalg.dot(x, y) for x in design])


def weights(columns: Sequence[Column], overlap: float) -> list[float]:
    """The weight of each column: 1 / (1 + overlap (m - 1)), m = columns of the same paper and
    family.
    """
    count = counted(columns)
    return [column_weight(overlap, count[column.paper][column.family]) for column in columns]


def counted(columns: Iterable[Column]) -> dict[str, dict[str, int]]:
    """Paper -> task family -> how many columns."""
    out: dict[str, dict[str, int]] = {}
    for column in columns:
        families = out.setdefault(column.paper, {})
        families[column.family] = families.get(column.family, 0) + 1
    return out


def add(messages: Iterable[Information], signs: Iterable[float] | None = None) -> Information:
    """The sum of several messages, over the union of their features."""
    messages = list(messages)
    signs = [1.0] * len(messages) if signs is None else list(signs)
    index = sorted({i for message in messages for i in message.index})
    place = {i: k for k, i in enumerate(index)}
    size = len(index)
    precision = [[0.0] * size for _ in range(size)]
    vector = [0.0] * size
    for message, sign in zip(messages, signs):
        spots = [place[i] for i in message.index]
        for a, row, value in zip(spots, message.precision, message.vector):
            target = precision[a]
            vector[a] += sign * value
            for b, x in zip(spots, row):
                target[b] += sign * x
    return Information(tuple(index), precision, vector)


def eliminate(message: Information, variance: Callable[[int], float]) -> Information:
    """The message about theta - delta when the given one is about theta and delta_i ~ N(0,
    variance(i)).

    A - A (A + D^-1)^-1 A, and the same for the vector (Woodbury).
    """
    size = len(message.index)
    ridge = [
        [*row[:i], row[i] + 1 / variance(number)]
        for i, (number, row) in enumerate(zip(message.index, message.precision))
    ]
    factor = linalg.cholesky(ridge)
    half = [linalg.solve_lower(factor, row) for row in message.precision]
    y = linalg.solve_lower(factor, message.vector)
    precision = [[0.0] * size for _ in range(size)]
    for i in range(size):
        row, mine = message.precision[i], half[i]
        for j in range(i + 1):
            precision[i][j] = precision[j][i] = row[j] - linalg.dot(mine, half[j])
    return Information(
        message.index, precision, [r - linalg.dot(h, y) for r, h in zip(message.vector, half)]
    )


class Belief(NamedTuple):
    """A Gaussian over the effects of the features in `index` (in prior standard deviations): mean
    and covariance.

    given: the covariance that would be left if the level above (the family, or all benchmarks) were
    known exactly.
    """

    index: tuple[int, ...]
    mean: linalg.Vector
    covariance: linalg.Matrix
    given: linalg.Matrix


def descend(parent: Belief, message: Information, variance: Callable[[int], float]) -> Belief:
    """Belief about theta = parent + delta on the message's features, the message included.

    `parent` must already include the message (after elimination): theta | parent ~ N(C (D^-1 parent
    + r), C), C = (A + D^-1)^-1, so the covariance is C + C D^-1 S D^-1 C.
    """
    place = {i: k for k, i in enumerate(parent.index)}
    spots = [place[i] for i in message.index]
    size = len(spots)
    inverse_d = [1 / variance(i) for i in message.index]
    ridge = [[*row[:i], row[i] + inverse_d[i]] for i, row in enumerate(message.precision)]
    c = linalg.inverse(linalg.cholesky(ridge))
    pull = [d * parent.mean[k] + r for d, k, r in zip(inverse_d, spots, message.vector)]
    mean = linalg.matvec(c, pull)
    t = [[x * d for x, d in zip(row, inverse_d)] for row in c]
    s = [[parent.covariance[a][b] for b in spots] for a in spots]
    ts = [[linalg.dot(row, column) for column in s] for row in t]  # s is symmetric
    covariance_ = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            covariance_[i][j] = covariance_[j][i] = c[i][j] + linalg.dot(ts[i], t[j])
    return Belief(message.index, mean, covariance_, c)


class Tree(NamedTuple):
    """All messages of a fit, from columns up to the root; see `grow`."""

    names: Mapping[str, int]  # feature -> number
    share: Callable[[int], Sequence[float]]  # number -> (global, family, own) variance
    family_of: Mapping[str, str]  # benchmark -> family
    benchmarks: Mapping[str, Information]  # about theta_b
    families: Mapping[str, Information]  # about global + family
    root: Information  # about global


def shares(names: Mapping[str, int], hyper: Hyper) -> Callable[[int], Sequence[float]]:
    """Feature number -> how its prior variance splits over (all benchmarks, family, own)."""
    table = [()] * len(names)
    for name, number in names.items():
        axis = AXIS_OF[group(name)]
        table[number] = tuple(hyper.share.get(axis, hyper.share["other"]))
    return table.__getitem__


def grow(
    informations: Sequence[Information],
    columns: Sequence[Column],
    names: Mapping[str, int],
    hyper: Hyper,
) -> Tree:
    """Add the columns up to benchmarks, families and the root."""
    share = shares(names, hyper)
    family_of = {column.benchmark: column.family for column in columns}
    by_benchmark: dict[str, list[Information]] = {}
    for column, information in zip(columns, informations):
        by_benchmark.setdefault(column.benchmark, []).append(information)
    benchmarks = {name: add(parts) for name, parts in sorted(by_benchmark.items())}
    by_family: dict[str, list[Information]] = {}
    for name, message in benchmarks.items():
        by_family.setdefault(family_of[name], []).append(eliminate(message, lambda i: share(i)[2]))
    families = {name: add(parts) for name, parts in sorted(by_family.items())}
    root = add(eliminate(message, lambda i: share(i)[1]) for message in families.values())
    return Tree(names, share, family_of, benchmarks, families, root)


def root_belief(root: Information, share: Callable[[int], Sequence[float]]) -> Belief:
    """Posterior of the global effects."""
    ridge = [
        [*row[:i], row[i] + 1 / share(number)[0]]
        for i, (number, row) in enumerate(zip(root.index, root.precision))
    ]
    factor = linalg.cholesky(ridge)
    covariance_ = linalg.inverse(factor)
    return Belief(root.index, linalg.solve(factor, root.vector), covariance_, covariance_)
