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
from operator import add as add_up
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
    out = [[0.0] * len(column.rows) for _ in column.rows]
    for kind, values in zip(KINDS, zip(*column.kinds)):
        variance = hyper.heterogeneity[kind]
        # what all rows have in common is their intercept, which is free
        if variance and any(value != values[0] for value in values):
            for i, mine in enumerate(values):
                out[i] = [x + variance if y == mine else x for x, y in zip(out[i], values)]
    slopes = [
        (hyper.heterogeneity[name], [row.get(feature, 0.0) for row in column.features])
        for name, feature in SLOPES.items()
        if hyper.heterogeneity[name]
    ]
    alone = sorted({name for row in local for name in row})
    slopes += [(hyper.prior[group(name)], [row.get(name, 0.0) for row in local]) for name in alone]
    for variance, values in slopes:
        for i, mine in enumerate(values):
            if factor := variance * mine:
                out[i] = [x + factor * y for x, y in zip(out[i], values)]
    for i, row in enumerate(out):
        row[i] += hyper.noise + (
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
    # what makes the rows independent, the direction of the intercept taken out
    whiten = linalg.lower_inverse(factor)
    ones = [sum(row) for row in whiten]
    along = [linalg.dot(ones, column) / linalg.dot(ones, ones) for column in zip(*whiten)]
    whiten = [tuple([x - one * y for x, y in zip(row, along)]) for row, one in zip(whiten, ones)]
    y = linalg.matvec(whiten, [score / scale for score in column.scores])
    index, raw = [], []
    for name in active:
        values = [row.get(name, 0.0) for row in rows]
        if max(values) - min(values) > 1e-9:
            sd = math.sqrt(hyper.prior[group(name)])
            index.append(names[name])
            raw.append(tuple([x * sd for x in values]))
    design = list(map(tuple, linalg.products(raw, whiten)))
    products = linalg.symmetric_products(design, design)
    precision = [[weight * x for x in row] for row in products]
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


def add(messages: Iterable[Information]) -> Information:
    """The sum of several messages, over the union of their features."""
    messages = list(messages)
    index = sorted({i for message in messages for i in message.index})
    place = {i: k for k, i in enumerate(index)}
    size = len(index)
    precision = [array("d", bytes(8 * size)) for _ in range(size)]
    vector = [0.0] * size
    for message in messages:
        spots = [place[i] for i in message.index]
        whole = len(spots) == size
        for a, row, value in zip(spots, message.precision, message.vector):
            target = precision[a]
            vector[a] += value
            if whole:  # all features: row by row
                precision[a] = array("d", map(add_up, target, row))
            else:
                for b, x in zip(spots, row):
                    target[b] += x
    return Information(tuple(index), precision, vector)


class Apart(NamedTuple):
    """A message split into what it says of features that others know too (`known`, the rest being
    free: Schur complement), and of the `own` features of one paper.

    inside, across: its precision among the own ones, and between these and the others. slopes: of
    an own effect on the others' effects (block.Block), (1 + inside)^-1 across.
    """

    known: Information
    own: tuple[int, ...]
    inside: linalg.Matrix
    across: linalg.Matrix
    vector: linalg.Vector
    slopes: linalg.Matrix

    def left(self, means: Sequence[float]) -> Information:
        """What the message says of the own effects where the others' are these."""
        gone = linalg.matvec(self.across, means)
        return Information(self.own, self.inside, [x - y for x, y in zip(self.vector, gone)])


def apart(message: Information, known: int) -> Apart:
    """Split a message; features from number `known` on are the paper's own."""
    cut = sum(number < known for number in message.index)
    across = [list(row[:cut]) for row in message.precision[cut:]]
    inside = [list(row[cut:]) for row in message.precision[cut:]]
    ridge = [[x + (i == j) for j, x in enumerate(row)] for i, row in enumerate(inside)]
    factor = linalg.cholesky(ridge)
    vector = list(message.vector[cut:])
    back = list(zip(*across)) if across else [()] * cut
    solved = [tuple(linalg.solve(factor, list(row))) for row in back]
    gone = linalg.symmetric_products(back, solved)
    rest = Information(
        message.index[:cut],
        [[x - y for x, y in zip(row, less)] for row, less in zip(message.precision, gone)],
        [x - linalg.dot(row, vector) for x, row in zip(message.vector, solved)],
    )
    return Apart(rest, message.index[cut:], inside, across, vector, list(zip(*solved)))


class Node(NamedTuple):
    """One level of one part of the tree (a benchmark, a family, all), its own message seen.

    In units of `sd`, the prior standard deviations of the level's own part: theta given the level
    above is N(given (above + r), given), with the message's vector r; pull = given r.
    """

    index: tuple[int, ...]
    sd: linalg.Vector
    given: linalg.Matrix
    pull: linalg.Vector


def node(message: Information, variance: Callable[[int], float]) -> Node:
    """The node of a message about theta = above + delta, delta_i ~ N(0, variance(i))."""
    sd = [math.sqrt(variance(i)) for i in message.index]
    ridge = scaled(message.precision, sd)
    for i, row in enumerate(ridge):
        row[i] += 1.0
    # brought to a diagonal of 1, inverted, and brought back
    even = [1 / math.sqrt(row[i]) for i, row in enumerate(ridge)]
    inverse = linalg.symmetric_inverse(scaled(ridge, even))
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
    families: Mapping[str, Node]
    root: Node


def shares(names: Mapping[str, int], hyper: Hyper) -> Callable[[int], Sequence[float]]:
    """Feature number -> how its prior variance splits over (all benchmarks, family, own)."""
    table = {
        number: tuple(hyper.share.get(AXIS_OF[group(name)], hyper.share["other"]))
        for name, number in names.items()
    }
    return table.__getitem__


def grow(
    messages: Mapping[str, Sequence[Information]],
    family_of: Mapping[str, str],
    names: Mapping[str, int],
    hyper: Hyper,
) -> Tree:
    """Add the messages of columns (benchmark -> of its columns) up to families and the root."""
    share = shares(names, hyper)
    benchmarks, by_family = {}, {}
    for name, parts in sorted(messages.items()):
        benchmarks[name] = node(add(parts), lambda i: share(i)[2])
        by_family.setdefault(family_of[name], []).append(name)
    family_messages = {
        name: add(passed_on(benchmarks[member]) for member in members)
        for name, members in sorted(by_family.items())
    }
    families = {
        name: node(message, lambda i: share(i)[1]) for name, message in family_messages.items()
    }
    root = node(add(map(passed_on, families.values())), lambda i: share(i)[0])
    return Tree(names, share, family_of, benchmarks, families, root)


def root_belief(root: Node) -> Belief:
    """Posterior of the global effects."""
    covariance_ = scaled(root.given, root.sd)
    mean = [x * y for x, y in zip(root.pull, root.sd)]
    return Belief(root.index, mean, covariance_, covariance_)
