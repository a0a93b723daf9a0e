"""Who wins among the leaders: their joint belief, P(best), and which are tied.

In: scored candidates and the posterior. Out: labels, a joint covariance, draws, Competition.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..base import linalg
from ..effects.change import together
from .scores import PARTS, Candidate, Scores

DRAWS = 600


def labels(scores: Scores, candidate: Candidate) -> tuple[tuple[str, str | None], ...]:
    """What of a recipe is a setting of its own (and brings heterogeneity of its own)."""
    v, x, d = candidate
    recipe = scores.space.visuals[v].recipe
    return (
        ("encoder", recipe.encoder),
        ("connector", recipe.connector),
        ("connector_class", scores.words.connector_class(recipe.stated())),
        ("resolution", str(recipe.resolution)),
        ("llm", scores.space.languages[x].slug),
        ("data", scores.space.data[d].slug),
    )


def joint_covariance(
    candidates: Sequence[Candidate],
    labels: Sequence[Sequence[tuple[str, str | None]]],
    scores: Scores,
) -> linalg.Matrix:
    """Covariance of the recipes' true gains on the mix in the user's own setting: shared effects
    and heterogeneity.

    Recipes with the same component share its effect and its heterogeneity, so they are uncertain
    together.
    """
    parts = [tuple(zip(PARTS, candidate)) for candidate in candidates]
    hyper = scores.posterior.hyper
    local = scores.posterior.spread * together(scores.steps, scores.families)
    n = len(candidates)
    out = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            shared = sum(
                hyper.heterogeneity[kind] for kind, value in labels[i] if (kind, value) in labels[j]
            )
            out[i][j] = out[j][i] = (
                sum(scores.covariance(p, q) for p in parts[i] for q in parts[j]) + local * shared
            )
    return out


class Competition(NamedTuple):
    """Of each competitor: the probability of being the best, whether the evidence cannot tell it
    from the best by the asked order, 80 % interval of its rank.
    """

    p_best: list[float]
    tied: list[bool]
    ranks: list[tuple[int, int]]


def competition(competitors: Sequence[Candidate], scores: Scores, best: int = 0) -> Competition:
    """Who wins how often, by seeded draws from the joint posterior of the competitors' true gains.
    best: whom `tied` is about.
    """
    covariance = joint_covariance(competitors, [labels(scores, c) for c in competitors], scores)
    draws = draw([scores.mean(c) for c in competitors], covariance, DRAWS)
    size = len(competitors)
    behind = [0] * size
    places = [[0] * size for _ in range(size)]
    for values in draws:
        first = values[best]
        for place, i in enumerate(sorted(range(size), key=values.__getitem__, reverse=True)):
            places[i][place] += 1
            behind[i] += values[i] < first
    return Competition(
        [row[0] / len(draws) for row in places],
        [count < 0.8 * len(draws) for count in behind],
        [(_place(row, 0.1 * len(draws)), _place(row, 0.9 * len(draws))) for row in places],
    )


def _place(counts: Sequence[int], wanted: float) -> int:
    """The rank below or at which so many draws fall."""
    total = 0
    for place, count in enumerate(counts, 1):
        total += count
        if total >= wanted:
            return place
    return len(counts)


def draw(
    means: Sequence[float], covariance: linalg.Matrix, count: int, seed: int = 20261121
) -> list[list[float]]:
    """Seeded draws from a multivariate normal, in antithetic pairs.

    A little is added to the diagonal, as recipes may be twins: a millionth of the largest variance,
    and more where stored correlations, which are rounded, need it.
    """
    size = len(means)
    top = max(covariance[i][i] for i in range(size)) or 1.0
    for part in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2):
        try:
            factor = linalg.cholesky(
                [[*row[:i], row[i] + part * top] for i, row in enumerate(covariance)]
            )
            break
        except linalg.NotPositiveDefinite:
            if part == 1e-2:
                raise
    import random  # slow to load, and a swap does not draw

    rng = random.Random(seed)
    out = []
    for _ in range((count + 1) // 2):
        z = [rng.gauss(0.0, 1.0) for _ in range(size)]
        apart = [linalg.dot(row, z) for row in factor]
        out += [
            [mean + x for mean, x in zip(means, apart)],
            [mean - x for mean, x in zip(means, apart)],
        ]
    return out[:count]
