"""`versus`: which of two axes matters more, on a task mix.

In: axes, a recipe that is held, a mix. Out: a VersusAnswer: of each axis the best known level, the
spread between its levels, and how sure it is that the first axis gains more. Does not print.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from ..base.errors import Refused
from ..library import Library
from ..terms.recipe import Recipe
from ..terms.tasks import TaskMix
from .moves import Move, best_of


class VersusAnswer(NamedTuple):
    """The axes, the one with the largest expected gain first. p_first: probability that the first
    axis' best level gains more than the second's; None with fewer than two that are known.
    """

    mix: dict
    level: float
    moves: tuple[Move, ...]
    unknown: tuple[str, ...]
    p_first: float | None


def answer(
    library: Library,
    axes: Sequence[str],
    held: Recipe,
    benchmarks: Sequence[str],
    mix: TaskMix | None,
    level: float = 0.8,
) -> VersusAnswer:
    """Axes against each other. The gains are taken as independent, as they rest on other rows."""
    if len(set(axes)) < 2:
        raise Refused("versus: two different axes are needed")
    moves, unknown, asked = [], [], {}
    for axis in dict.fromkeys(axes):
        move, asked = best_of(library, axis, held, benchmarks, mix, level)
        (moves.append(move) if move else unknown.append(axis))
    moves.sort(key=lambda move: -move.best.gain[0])
    sure = None
    if len(moves) > 1:
        wide = 2 * NormalDist().inv_cdf(0.5 + level / 2)
        (a, *one), (b, *two) = (move.best.gain for move in moves[:2])
        sd = math.hypot((one[1] - one[0]) / wide, (two[1] - two[0]) / wide)
        sure = NormalDist().cdf((a - b) / sd)
    return VersusAnswer(dict(asked), level, tuple(moves), tuple(unknown), sure)
