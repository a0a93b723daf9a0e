"""`curve`: score, cost and latency along one axis, for a mix or family by family.

In: a Request and the library. Out: a picker.curve.Curve, or Families. Does not parse flags or
print.
"""

from typing import NamedTuple

from ..base.errors import Refused
from ..cost import flops
from ..library import Library
from ..picker import curve, curve_families, steps
from ..picker.limits import Constraints
from ..terms.recipe import Recipe, published_size
from ..terms.tasks import parse_mix, spread
from .parts import recipe_costs


class Request(NamedTuple):
    """Which curve, on which GPUs, for which task mix (as typed; None: balanced); by_family: each
    task family by itself.
    """

    asked: curve.Asked
    limits: Constraints
    tasks: str | None = None
    by_family: bool = False


class NoFamily(Refused):
    """A benchmark where task families are compared."""


def answer(library: Library, request: Request) -> curve.Curve | curve_families.Families:
    """The curve, or one per family. Raises RecipeError, MixError, UnknownName and NoFamily."""
    words, axis = library.words, request.asked.axis
    known: dict[Recipe, tuple[float | None, float | None, float | None]] = {}

    def costs(value: Recipe) -> tuple[float | None, float | None, float | None]:
        if value not in known:
            known[value] = _costs(library, value, request.limits)
        return known[value]

    on = curve.Ground(library.posterior, words, costs)
    papers = library.papers(library.posterior.support[curve.FEATURE[axis]])
    rows = steps.pairs(papers, axis, words)
    if not request.by_family:
        return curve.curve(request.asked, parse_mix(request.tasks, words), on, rows)
    families = list(
        words.families() if request.tasks is None else parse_mix(request.tasks, words).parts
    )
    other = next((name for name in families if name not in words.records("family")), None)
    if other:
        raise NoFamily(
            f"curve: --by-family compares task families: {other} is a benchmark of"
            f" {words.records('benchmark')[other]['family']}"
        )
    mixes = {name: spread({name: 1.0}, words) for name in families}
    return curve_families.by_family(request.asked, mixes, on, rows)


def _costs(
    library: Library, recipe: Recipe, limits: Constraints
) -> tuple[float | None, float | None, float | None]:
    """(GPU-hours, TTFT in ms, visual tokens); None where the registry lacks a figure."""
    try:
        cost, visual = recipe_costs(library, published_size(recipe, library.words), limits)
    except flops.MissingFigure:
        return None, None, None
    return cost.gpu_hours.gpu_hours, cost.latency.ttft_ms, visual.visual_tokens
