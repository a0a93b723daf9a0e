"""The Pareto front of a space: the recipes that no other one beats in score at the same or a lower
cost.

In: scores and costs of the choices of a Space (rank.py, limits.py). Out: the candidates of the
front, cheapest first. Exact: what is left out on the way is dominated by something that is kept.
Does not build recipes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .pairs import Pairs
from .scores import Candidate, Scores

COSTS = {"training": "FLOP", "latency": "ms", "memory": "GB"}


class Point(NamedTuple):
    """A candidate on the front: its cost (FLOP, ms or GB) and its expected gain."""

    cost: float
    gain: float
    candidate: Candidate


def front(scores: Scores, pairs: Pairs, counts: Sequence[Sequence[int]], by: str) -> list[Point]:
    """The Pareto front of expected gain against a cost (a key of COSTS), among what the constraints
    allow (`counts`, see rank.leaders).
    """
    data = scores.space.data
    by_size = sorted(range(len(data)), key=lambda d: (data[d].samples, d))
    # numbers of the mixes in by_size that are better than every smaller one
    stairs: list[int] = []
    for place, d in enumerate(by_size):
        if not stairs or scores.data[d] > scores.data[by_size[stairs[-1]]]:
            stairs.append(place)
    points = []
    for x, base in enumerate(scores.languages):
        if not any(counts[x]):
            continue
        costs = pairs.of(x)
        for v in _undominated(scores.visuals, costs, counts[x], by):
            pair = costs[v]
            affordable = [place for place in stairs if place < counts[x][v]]
            for place in affordable if by == "training" else affordable[-1:]:
                d = by_size[place]
                cost = {
                    "training": pair.first + pair.each * data[d].samples,
                    "latency": pair.ms,
                    "memory": pair.gb,
                }[by]
                points.append((cost, -(scores.visuals[v] + base + scores.data[d]), v, x, d))
    out: list[Point] = []
    for cost, lost, v, x, d in sorted(points):
        if not out or -lost > out[-1].gain:
            out.append(Point(cost, -lost, (v, x, d)))
    return out


def _undominated(
    gains: Sequence[float], costs: Sequence, counts: Sequence[int], by: str
) -> list[int]:
    """The visual parts that no other beats with this LLM: none as good costs less at every size of
    the data, with as many mixes within reach.
    """
    key = {
        "training": lambda p: (p.each, p.first),
        "latency": lambda p: (p.ms, 0.0),
        "memory": lambda p: (p.gb, 0.0),
    }[by]
    order = sorted(
        (v for v in range(len(gains)) if counts[v]), key=lambda v: (key(costs[v]), -gains[v])
    )
    kept: list[int] = []
    for v in order:
        mine = key(costs[v])
        if not any(
            gains[other] >= gains[v]
            and counts[other] >= counts[v]
            and key(costs[other])[1] <= mine[1]
            for other in kept
        ):
            kept.append(v)
    return kept
