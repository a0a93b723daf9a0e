"""Who wins among the leaders: their joint belief, P(best), and which are tied.

In: scored candidates and the posterior. Out: labels, a joint covariance, Competition. Who is tied
is exact; P(best) and ranks are a sum over points of a lattice, without a random number, so the same
question has the same answer on every machine.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..base import linalg
from ..effects import tails
from ..effects.change import together
from ..effects.hyper import SLOPES
from .scores import PARTS, Candidate, Part, Scores

# Points of the lattice, each with its mirror image: P(best) of 40 candidates is then known to one
# percentage point (a test holds it against 100,000 draws).
POINTS = 500
TIED = 0.8  # how sure the evidence must be that the best is better, or the two are tied


def labels(scores: Scores, part: Part) -> tuple[tuple[str, str | None], ...]:
    """What of a part is a setting of its own (and brings heterogeneity of its own)."""
    kind, number = part
    if kind == "language":
        return (("llm", scores.space.languages[number].slug),)
    if kind == "data":
        return (("data", scores.space.data[number].slug),)
    recipe = scores.space.visuals[number].recipe
    return (
        ("encoder", recipe.encoder),
        ("connector", recipe.connector),
        ("connector_class", scores.words.connector_class(recipe.stated())),
        ("resolution", str(recipe.resolution)),
    )


class Belief:
    """What is believed of the true gains of parts in the user's own setting: the covariance of
    shared effects, and of heterogeneity where parts are of one kind.

    Two parts with a component in common share its heterogeneity; two sizes (of images, LLMs, data)
    share that of the slope, as far as both leave the baseline: a paper in which more pixels do
    more than elsewhere has all of them do more.
    """

    def __init__(self, scores: Scores):
        self.scores, self.hyper = scores, scores.posterior.hyper
        self.local = scores.posterior.spread * together(
            scores.posterior.wide(scores.steps), scores.families
        )
        self._labels: dict[Part, tuple] = {}
        self._known: dict[tuple[Part, Part], float] = {}

    def covariance(self, one: Part, other: Part) -> float:
        """Covariance of two parts' gains on the mix (percent of scale, squared)."""
        key = (one, other) if one <= other else (other, one)
        if key not in self._known:
            own = self._own(*key) if one[0] == other[0] else 0.0
            self._known[key] = self.scores.covariance(*key) + self.local * own
        return self._known[key]

    def _own(self, one: Part, other: Part) -> float:
        """Heterogeneity that two parts of one kind share."""
        for part in (one, other):
            if part not in self._labels:
                self._labels[part] = labels(self.scores, part)
        spread, mine, theirs = self.hyper.heterogeneity, self._labels[one], self._labels[other]
        total = sum(spread[label[0]] for label in mine if label in theirs)
        a, b = self.scores.change(one), self.scores.change(other)
        for name, feature in SLOPES.items():
            total += spread[name] * a.get(feature, 0.0) * b.get(feature, 0.0)
        return total


def joint_covariance(candidates: Sequence[Candidate], scores: Scores) -> linalg.Matrix:
    """Covariance of the recipes' true gains on the mix in the user's own setting: shared effects
    and heterogeneity.

    Recipes with the same component share its effect and its heterogeneity, so they are uncertain
    together.
    """
    belief = Belief(scores)
    parts = [tuple(zip(PARTS, candidate)) for candidate in candidates]
    n = len(candidates)
    out = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            out[i][j] = out[j][i] = sum(belief.covariance(p, q) for p in parts[i] for q in parts[j])
    return out


class Competition(NamedTuple):
    """Of each competitor: the probability of being the best, whether the evidence cannot tell it
    from the best by the asked order, 80 % interval of its rank.
    """

    p_best: list[float]
    tied: list[bool]
    ranks: list[tuple[int, int]]


def competition(competitors: Sequence[Candidate], scores: Scores, best: int = 0) -> Competition:
    """Who wins how often under the joint belief about the competitors' true gains. best: whom
    `tied` is about.
    """
    belief = Belief(scores)
    parts = sorted({part for c in competitors for part in zip(PARTS, c)})
    place = {part: number for number, part in enumerate(parts)}
    rows = [tuple(place[part] for part in zip(PARTS, c)) for c in competitors]
    covariance = [[belief.covariance(p, q) for q in parts] for p in parts]
    means = [scores.mean(c) for c in competitors]
    size, count = len(competitors), 0
    places = [[0] * size for _ in range(size)]
    for apart in lattice(covariance, POINTS):
        moved = [apart[v] + apart[x] + apart[d] for v, x, d in rows]
        for values in (
            [mean + x for mean, x in zip(means, moved)],
            [mean - x for mean, x in zip(means, moved)],
        ):
            count += 1
            for rank, i in enumerate(sorted(range(size), key=values.__getitem__, reverse=True)):
                places[i][rank] += 1
    return Competition(
        [row[0] / count for row in places],
        [_better(best, i, means, rows, covariance) < TIED for i in range(size)],
        [(_place(row, 0.1 * count), _place(row, 0.9 * count)) for row in places],
    )


def _better(
    best: int, other: int, means: Sequence[float], rows: Sequence[tuple], covariance: linalg.Matrix
) -> float:
    """The probability that the best is truly better than another; exact."""
    apart: Mapping[int, int] = {}
    for sign, candidate in ((1, best), (-1, other)):
        for part in rows[candidate]:
            apart = {**apart, part: apart.get(part, 0) + sign}
    moved = [(part, sign) for part, sign in apart.items() if sign]
    variance = sum(a * b * covariance[p][q] for p, a in moved for q, b in moved)
    gap = means[best] - means[other]
    if variance <= 0.0:
        return 0.0 if other == best or gap <= 0 else 1.0
    return tails.cdf(gap / math.sqrt(variance))


def _place(counts: Sequence[int], wanted: float) -> int:
    """The rank below or at which so many points fall."""
    total = 0
    for place, count in enumerate(counts, 1):
        total += count
        if total >= wanted:
            return place
    return len(counts)


def lattice(covariance: linalg.Matrix, count: int) -> Iterator[list[float]]:
    """Points that fill a multivariate t distribution with 4 degrees of freedom of this covariance
    (in the scale of tails.py) evenly: Richtmyer's lattice, frac(n sqrt(prime)), made normal in
    pairs (Box and Muller), divided by the root of a chi-squared of 4 degrees.
    """
    factor = _factor(covariance)
    size = len(factor)
    roots = [math.sqrt(p) for p in _primes(size + size % 2 + 2)]
    for n in range(1, count + 1):
        uniform = [n * root % 1.0 for root in roots]
        radius = tails.UNIT * math.sqrt(-2.0 / math.log((uniform[0] or 0.5) * (uniform[1] or 0.5)))
        z = []
        for a, b in zip(uniform[2::2], uniform[3::2]):
            length, angle = radius * math.sqrt(-2.0 * math.log(a or 0.5)), 2.0 * math.pi * b
            z += [length * math.cos(angle), length * math.sin(angle)]
        yield [linalg.dot(row, z[:size]) for row in factor]


def _primes(count: int) -> list[int]:
    out: list[int] = []
    n = 2
    while len(out) < count:
        if all(n % p for p in out):
            out.append(n)
        n += 1
    return out


def _factor(covariance: linalg.Matrix) -> linalg.Matrix:
    """Cholesky factor. A little is added to the diagonal, as parts may be twins: a millionth of the
    largest variance, and more where stored correlations, which are rounded, need it.
    """
    top = max(covariance[i][i] for i in range(len(covariance))) or 1.0
    for part in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2):
        try:
            return linalg.cholesky(
                [[*row[:i], row[i] + part * top] for i, row in enumerate(covariance)]
            )
        except linalg.NotPositiveDefinite:
            continue
    return linalg.cholesky([[*row[:i], row[i] + 0.1 * top] for i, row in enumerate(covariance)])
