"""What the tests of curves share: a curve without costs, and a point of one. Holds no test."""

from recipes.picker import curve as curves
from recipes.picker.curve import Gain, Point
from recipes.terms.recipe import BASELINE
from recipes.terms.tasks import parse_mix
from tests.support import library

NO_COSTS = lambda recipe: (None, None, None)


def make(axis, tasks="documents", recipe=BASELINE, **more):
    """A curve without costs."""
    rows = more.pop("rows", ())
    words = library().words
    on = curves.Ground(library().posterior, words, more.pop("costs", NO_COSTS))
    return curves.curve(curves.Asked(recipe, axis, **more), parse_mix(tasks, words), on, rows)


def point(value, gain, per_hours=None, extrapolated=False):
    """A point of which only the next doubling matters."""
    return Point(
        value,
        BASELINE,
        0.0,
        0.0,
        0.0,
        None,
        None,
        None,
        False,
        Gain(gain, gain - 1, gain + 1, extrapolated, per_hours),
    )
