"""A curve for each task family: where the next doubling pays, family by family.

In: what a curve is asked for, the ground it stands on, pairs of printed rows. Out: Families. The
curve of one mix, and where it stops paying, are curve.py's. Does not print.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..terms.recipe import Recipe
from ..terms.tasks import TaskMix
from .curve import EDGES, Asked, Gain, Ground, Stop, curve
from .steps import Pair, Printed, printed


class FamilyCurve(NamedTuple):
    """One family: the model's gain of the next doubling at each value, the printed rows range by
    range, and those of other mixes.
    """

    family: str
    noise: float
    gains: tuple[Gain, ...]
    printed: tuple[Printed, ...]
    others: tuple[Printed, ...]
    stop: Stop


class Families(NamedTuple):
    """The families side by side at the same values. all_: printed rows of all families together;
    others: the same of rows in which the data mix changes with its amount."""

    axis: str
    recipe: Recipe
    level: float
    values: tuple[float, ...]
    rows: tuple[FamilyCurve, ...]
    all_: tuple[Printed, ...]
    others: tuple[Printed, ...]
    notes: tuple[str, ...]


def by_family(
    asked: Asked, mixes: Mapping[str, TaskMix], on: Ground, found: Sequence[Pair]
) -> Families:
    """Each family's curve (of its core benchmarks) and printed rows (of all its benchmarks).
    `found`: printed pairs about the axis. Raises RecipeError.
    """
    rows, notes, values = [], (), ()
    for family, mix in mixes.items():
        one = curve(asked, mix, on, [pair for pair in found if pair.family == family])
        values, notes = tuple(point.value for point in one.points), one.notes
        gains = tuple(point.gain for point in one.points)
        rows.append(FamilyCurve(family, one.noise, gains, one.printed, one.others, one.stop))
    same, others = (
        printed([pair for pair in found if pair.same == side], EDGES[asked.axis])
        for side in (True, False)
    )
    return Families(asked.axis, asked.recipe, asked.level, values, tuple(rows), same, others, notes)
