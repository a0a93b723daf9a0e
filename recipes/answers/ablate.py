"""Which axis to ablate first: what `ablate` computes.

In: a task mix, the limits of a pick, a recipe of one's own (or the best pick), a confidence.
Out: AblateAnswer (axes in order, the runs worth it) or NothingFits. Words and JSON: show/ablate.py.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..cost import flops
from ..library import Library
from ..picker import ablate as ablation
from ..picker import rank
from ..picker import scores as scores_
from ..picker.limits import Constraints, Pairs
from ..picker.space import CONNECTORS, Space, Visual, space
from ..terms.recipe import BASELINE, Recipe, change
from ..terms.tasks import TaskMix
from ..terms.units import Budget, budget_text
from .parts import data_part, language_part, recipe_costs, visual_part, whole
from .pick import NothingFits, _place, allowed_by, hours_by

DEFAULT_BUDGET = Budget("gpu_hours", 500.0, "a100-80gb-sxm")


class AblateAnswer(NamedTuple):
    """The axes in order of value for one recipe, the plan over all of them, and what was assumed to
    get there.

    worth: the gain, in percent of the mix's scale, below which an axis is not worth its runs; sure:
    of the full recipe, without any run.
    """

    recipe: Recipe
    values: list[ablation.AxisValue]
    sequence: list[ablation.Step]
    worth: float
    sure: float
    assumed: str
    hours_per_run: float


def answer_ablate(
    library: Library,
    tasks: TaskMix,
    own: Recipe | None,
    confidence: float,
    limits: Constraints,
    fix: Mapping[str, object],
    avoid: Mapping[str, Sequence[str]],
    worth: float | None = None,
) -> AblateAnswer:
    """What to ablate first: for a stated recipe, or for the best one under the constraints (without
    any: DEFAULT_BUDGET). Raises space.EmptySpace.
    """
    words, posterior = library.words, library.posterior
    # nothing else is asked
    alone = limits == Constraints(
        limits.budget, dtype=limits.dtype, images=limits.images, deploy_gpu=limits.deploy_gpu
    )
    free = alone and limits.budget is None and own is None
    limits = limits._replace(budget=DEFAULT_BUDGET) if free else limits
    choices = space(words, fix, avoid)
    if own is None:
        scores, pairs = (
            scores_.Scores(choices, BASELINE, tasks, posterior, words),
            Pairs(choices, limits, words, library.calibration),
        )
        result = rank.pick(scores, limits, library.calibration, top=1, compete=False, pairs=pairs)
        if not result.recipes:
            raise NothingFits(
                "no recipe meets all constraints (pick, with the same flags, says what would have"
                " to give)"
            )
        best = result.recipes[0]
        place = _place(choices, best)
        recipe, costs = best.recipe, best.costs
        default = " (default budget; --budget, other limits, or --recipe to change)" if free else ""
        assumed = (
            f"the pick is the best recipe for {budget_text(limits.budget)}{default}; "
            if alone
            else "the pick is the best recipe under these constraints, each of them for one run; "
        )
    else:
        recipe = whole(own.stated(), words)
        choices, place = _with_recipe(library, choices, recipe)
        costs = recipe_costs(library, recipe, limits)[0]
        scores, pairs = (
            scores_.Scores(choices, BASELINE, tasks, posterior, words),
            Pairs(choices, limits, words, library.calibration),
        )
        _fits(recipe, place, pairs, fix, avoid)
        assumed = ""
    hours = costs.gpu_hours.gpu_hours
    assumed += f"one run of it costs about {hours:,.0f} {costs.gpu} hours"
    values = ablation.ablate(
        scores, place, confidence, hours_by(library, pairs), allowed_by(pairs), worth, whole=True
    )
    return AblateAnswer(
        recipe,
        values,
        ablation.sequence(values, confidence, worth),
        values[0].noise if worth is None else worth,
        math.prod(value.confidence_now for value in values),
        assumed,
        hours,
    )


def _fits(
    recipe: Recipe,
    place: ablation.Candidate,
    pairs: Pairs,
    fix: Mapping[str, object],
    avoid: Mapping[str, Sequence[str]],
) -> None:
    """Raises NothingFits when a stated recipe breaks a constraint: there is nothing to compare it
    with.
    """
    for field, value in fix.items():
        if getattr(recipe, field) not in (value, None) and field != "llm_params_b":
            raise NothingFits(
                f"the recipe has {field} {getattr(recipe, field)}, and --fix says {value}"
            )
    for field, values in avoid.items():
        if set(str(getattr(recipe, field)).split("+")) & set(values):
            raise NothingFits(
                f"the recipe has {field} {getattr(recipe, field)}, which --avoid leaves out"
            )
    v, x, _ = place
    reason = pairs.refused(x) or pairs.reason(x, pairs.of(x)[v])
    if reason:
        raise NothingFits(
            f"the recipe itself breaks the {reason} limit: raise it, or leave out --recipe"
        )


def _with_recipe(
    library: Library, choices: Space, recipe: Recipe
) -> tuple[Space, ablation.Candidate]:
    """The space with a stated recipe among its choices, and where it stands. Raises
    flops.MissingFigure.
    """
    visual, language = visual_part(library, recipe), language_part(library, recipe)
    key = lambda v: (
        v.recipe.encoder,
        v.recipe.connector,
        v.recipe.resolution,
        v.visual_tokens,
    )  # noqa: E731
    visuals, languages, data = list(choices.visuals), list(choices.languages), list(choices.data)
    v = next((i for i, other in enumerate(visuals) if key(other) == key(visual)), None)
    if v is None:
        # at a resolution of its own: the other connectors there compete
        visuals += [*_rivals(library, recipe), visual]
    x = next((i for i, other in enumerate(languages) if other.slug == language.slug), None)
    if x is None:
        languages.append(language)
    d = next(
        (
            i
            for i, other in enumerate(data)
            if other.slug == recipe.data and other.samples == recipe.data_size
        ),
        None,
    )
    if d is None:
        data.append(data_part(library, recipe))
    place = tuple(
        len(items) - 1 if i is None else i for i, items in ((v, visuals), (x, languages), (d, data))
    )
    return (
        choices._replace(visuals=tuple(visuals), languages=tuple(languages), data=tuple(data)),
        place,
    )


def _rivals(library: Library, recipe: Recipe) -> list[Visual]:
    """The visual part of a recipe with each of the other connectors that can be costed."""
    out = []
    for connector in CONNECTORS:
        if connector != recipe.connector:
            try:
                out.append(
                    visual_part(library, change(recipe, connector=connector, visual_tokens=None))
                )
            except flops.MissingFigure:
                continue
    return out
