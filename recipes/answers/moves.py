"""`moves`: what moves a benchmark (or a task mix) most, axis by axis, by gain and by cost.

In: a recipe that is held, a benchmark or mix, perhaps a score to start from and one to reach, or
how much is to be gained.
Out: a MovesAnswer: the best known level of each axis, and all of them together. Each axis is a
`rank`; two axes against each other: `versus`. Does not print.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..effects.change import Change
from ..effects.judge import judge
from ..effects.level import shift, shifted
from ..library import Library
from ..terms.recipe import BASELINE, Recipe, published_size
from ..terms.tasks import TaskMix
from . import rank

# what another axis says already, where all are moved at once
FOLLOWS = ("visual_tokens", "llm_params_b")


class Move(NamedTuple):
    """The best known level of one axis. hours: what its training costs beyond the base's (None
    where it is not known); per_1000_hours: expected gain by 1,000 of them (None where it costs no
    more). worst and spread: the lowest level, and how far it lies below the best.
    """

    axis: str
    best: rank.Level
    worst: rank.Level
    hours: float | None

    @property
    def per_1000_hours(self) -> float | None:
        if self.hours is None or self.hours <= 0:
            return None
        return 1000 * self.best.gain[0] / self.hours

    @property
    def spread(self) -> float:
        return self.best.gain[0] - self.worst.gain[0]


class MovesAnswer(NamedTuple):
    """The axes, the largest expected gain first. together: expected, low, high of the best levels
    of all axes at once. start and target: scores, where they were given; gain: what is to be
    gained, the target less the start. reach: probability that a run with all of them gains that.
    alone: axes whose expected gain is as much.
    """

    base: Recipe
    mix: Mapping[str, float]
    level: float
    moves: tuple[Move, ...]
    unknown: tuple[str, ...]
    together: tuple[float, float, float] | None
    start: float | None
    target: float | None
    gain: float | None
    reach: float | None
    alone: tuple[str, ...]


def answer(
    library: Library,
    held: Recipe,
    benchmarks: Sequence[str],
    mix: TaskMix | None,
    level: float = 0.8,
    start: float | None = None,
    target: float | None = None,
    gain: float | None = None,
) -> MovesAnswer:
    """What moves one benchmark, or a mix, most. gain: instead of a target, from any score."""
    if None not in (start, target):
        gain = target - start
    moves, unknown, asked = [], [], None
    for axis in rank.AXES:
        move, asked = best_of(library, axis, held, benchmarks, mix, level)
        if move is None or move.best.gain[0] <= 0:
            unknown.append(axis)
        else:
            moves.append(move)
    moves.sort(key=lambda move: -move.best.gain[0])
    base = published_size(held.over(BASELINE), library.words)
    joint, reach = together(library, base, moves, asked, level, (start, gain))
    needed = math.inf if gain is None else gain
    single = lambda m: together(library, base, [m], asked, level, (start, gain))[0]
    alone = tuple(
        m.axis
        for m in moves
        if m.best.gain[0] >= needed and (at := single(m)) and at[0] >= needed  # from where one is
    )
    found = (tuple(moves), tuple(unknown), joint)
    return MovesAnswer(base, asked, level, *found, start, target, gain, reach, alone)


def best_of(
    library: Library,
    axis: str,
    held: Recipe,
    benchmarks: Sequence[str],
    mix: TaskMix | None,
    level: float,
) -> tuple[Move | None, Mapping[str, float]]:
    """The best and the worst level of one axis, and the weights of the benchmarks asked."""
    free = held._replace(**{axis: None})
    levels: tuple = ()
    if axis == "llm_params_b":  # a step that people take: twice the LLM
        size = published_size(held.over(BASELINE), library.words).llm_params_b or 7.0
        levels = (size, 2 * size)
    one = rank.answer(
        library, rank.Request(axis, levels, free, benchmarks, mix, level, shown=10**6, rows=1)
    )
    known = [x for x in one.levels if x.gain is not None and x.grade in rank.JUDGED]
    if not known:
        return None, one.mix
    best, worst, mine = known[0], known[-1], getattr(one.base, axis)
    costs = rank.costs_of(library, one.base, rank.Constraints())[0]
    hours = best.costs and costs and best.costs.gpu_hours.gpu_hours - costs.gpu_hours.gpu_hours
    return (Move(axis, best, worst, hours) if best.value != mine else None), one.mix


def together(
    library: Library,
    base: Recipe,
    moves: Sequence[Move],
    mix: Mapping[str, float],
    level: float,
    ends: tuple[float | None, float | None],
) -> tuple[tuple[float, float, float] | None, float | None]:
    """Expected, low and high of all the best levels at once (tokens follow the resolution), and the
    probability that a run with them gains as much as is asked. ends: (start, what is to be gained).
    """
    fields = {m.axis: m.best.value for m in moves if m.axis not in FOLLOWS}
    if not fields:
        return None, None
    recipe = published_size(Recipe(**fields).over(base), library.words)
    one = Change(base.stated(), recipe.stated(), library.posterior, library.words)
    start, needed = ends
    result = judge(one, (), list(mix), mix=mix, level=level, warnings=())
    shown = result.deltas[0] if len(mix) == 1 else result.mix
    gain = (shown.expected, shown.low, shown.high)
    from statistics import NormalDist

    sd_of = lambda low, high: max(high - low, 1e-9) / 2 / NormalDist().inv_cdf(0.5 + level / 2)
    if start is None:
        far = None if needed is None else 1 - NormalDist(gain[0], sd_of(*gain[1:])).cdf(needed)
        return gain, far
    name, unit = shown.benchmark, shown.max / 100
    usual = library.posterior.usual.get(name, 50.0)
    # each axis as it counts on the logit: together they can promise more than the scale has left
    own = [m.best.gain[0] / unit for m in moves if m.axis in fields]
    rate = sum(shift(points, usual) for points in own) / sum(own)
    expected, low, high = (rate * points / unit for points in gain)
    gain = tuple(shifted(z, start / unit) * unit for z in (expected, low, high))
    if needed is None:
        return gain, None
    there = shift(needed / unit, start / unit)
    return gain, 1 - NormalDist(expected, sd_of(low, high)).cdf(there)
