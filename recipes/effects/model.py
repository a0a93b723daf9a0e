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
from array import array
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
    mean. (Rows of doubles: a list of floats takes four times the space.)
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
    precision = [array("d", bytes(8 * size)) for _ in range(size)]
    vector = [0.0] * size
    for message, sign in zip(messages, signs):
        spots = [place[i] for i in message.index]
        whole = len(spots) == size
        for a, row, value in zip(spots, message.precision, message.vector):
            target = precision[a]
            vector[a] += sign * value
            if whole:  # all features: row by row
                precision[a] = array("d", [x + sign * y for x, y in zip(target, row)])
            else:
                for b, x in zip(spots, row):
                    target[b] += sign * x
    return Information(tuple(index), precision, vector)


class Node(NamedTuple):
    """One level of one part of the tree (a benchmark, a family, all), its own message seen.

    In units of `sd`, the prior standard deviations of the level's own part: theta given the level
    above is N(given (above + r), given), with the message's vector r; pull = given r.
    """

    index: tuple[int, ...]
    sd: linalg.Vector
    given: linalg.Matrix
    pull: linalg.Vector


def node(
    message: Information,
    variance: Callable[[int], float],
    groups: Callable[[int], object] | None = None,
) -> Node:
    """The node of a message about theta = above + delta, delta_i ~ N(0, variance(i)).

    groups: feature number -> group; features of one group follow one another, and only those of
    the last one have to do with other groups (linalg.symmetric_inverse).
    """
    sd = [math.sqrt(variance(i)) for i in message.index]
    ridge = [
        [x * mine * other for x, other in zip(row, sd)] for row, mine in zip(message.precision, sd)
    ]
    for i, row in enumerate(ridge):
        row[i] += 1.0
    cuts = []
    if groups:
        of = list(map(groups, message.index))
        cuts = [k for k in range(1, len(of)) if of[k] != of[k - 1]]
    # brought to a diagonal of 1, inverted, and brought back
    even = [1 / math.sqrt(row[i]) for i, row in enumerate(ridge)]
    inverse = linalg.symmetric_inverse(scaled(ridge, even), cuts)
    given = [array("d", row) for row in scaled(inverse, even)]
    r = [x * y for x, y in zip(message.vector, sd)]
    return Node(message.index, sd, given, linalg.matvec(given, r))


def scaled(matrix: linalg.Matrix, factors: Sequence[float]) -> linalg.Matrix:
    """Each entry times the factors of its row and of its column."""
    return [
        [x * mine * other for x, other in zip(row, factors)] for row, mine in zip(matrix, factors)
    ]


def passed_on(part: Node) -> Information:
    """The message about the level above when delta is eliminated: D^-1 - D^-1 C D^-1 (Woodbury)."""
    inverse = [1 / x for x in part.sd]
    precision = [
        array("d", [-x * mine * other for x, other in zip(row, inverse)])
        for row, mine in zip(part.given, inverse)
    ]
    for i, (row, x) in enumerate(zip(precision, inverse)):
        row[i] += x * x
    return Information(part.index, precision, [x * y for x, y in zip(part.pull, inverse)])


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


def descend(parent: Belief, part: Node) -> Belief:
    """Belief about theta = parent + delta on the node's features.

    `parent` must already include the node's message: theta | parent ~ N(C (D^-1 parent + r), C), so
    the covariance is C + C D^-1 S D^-1 C.
    """
    place = {i: k for k, i in enumerate(parent.index)}
    spots = [place[i] for i in part.index]
    above = [parent.mean[k] / x for k, x in zip(spots, part.sd)]
    mean = [
        x * (y + own) for x, y, own in zip(part.sd, linalg.matvec(part.given, above), part.pull)
    ]
    inverse = [1 / x for x in part.sd]
    s = []
    for k, mine in zip(spots, inverse):
        row = parent.covariance[k]
        s.append(tuple([row[other] * mine * x for other, x in zip(spots, inverse)]))
    c = list(map(tuple, part.given))
    cs = list(map(tuple, linalg.products(c, s)))
    del s
    spread = linalg.symmetric_products(cs, c)
    whole = [[x + y for x, y in zip(row, more)] for row, more in zip(c, spread)]
    return Belief(part.index, mean, scaled(whole, part.sd), scaled(part.given, part.sd))


class Tree(NamedTuple):
    """All nodes of a fit, from columns up to the root; see `grow`."""

    names: Mapping[str, int]  # feature -> number
    share: Callable[[int], Sequence[float]]  # number -> (global, family, own) variance
    family_of: Mapping[str, str]  # benchmark -> family
    benchmarks: Mapping[str, Node]
    family_messages: Mapping[str, Information]  # about global + family
    families: Mapping[str, Node]
    root_message: Information
    root: Node


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
    groups: Callable[[int], object] | None = None,
) -> Tree:
    """Add the columns up to benchmarks, families and the root. groups: see `node`."""
    share = shares(names, hyper)
    family_of = {column.benchmark: column.family for column in columns}
    by_benchmark: dict[str, list[Information]] = {}
    for column, information in zip(columns, informations):
        by_benchmark.setdefault(column.benchmark, []).append(information)
    benchmarks, by_family = {}, {}
    for name, parts in sorted(by_benchmark.items()):
        benchmarks[name] = node(add(parts), lambda i: share(i)[2], groups)
        by_family.setdefault(family_of[name], []).append(name)
    family_messages = {
        name: add(passed_on(benchmarks[member]) for member in members)
        for name, members in sorted(by_family.items())
    }
    families = {
        name: node(message, lambda i: share(i)[1], groups)
        for name, message in family_messages.items()
    }
    root_message = add(map(passed_on, families.values()))
    root = node(root_message, lambda i: share(i)[0], groups)
    return Tree(names, share, family_of, benchmarks, family_messages, families, root_message, root)


def root_belief(root: Node) -> Belief:
    """Posterior of the global effects."""
    covariance_ = scaled(root.given, root.sd)
    mean = [x * y for x, y in zip(root.pull, root.sd)]
    return Belief(root.index, mean, covariance_, covariance_)
