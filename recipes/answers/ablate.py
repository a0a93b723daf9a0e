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
from ..picker.pairs import Pairs
from ..picker.space import CONNECTORS, Space, Visual
from ..terms.recipe import Recipe, change
from .ground import NothingFits, Request, choices_for, ground, ground_of
from .parts import data_part, language_part, recipe_costs, visual_part, whole

SPEND = (2.5, 5, 10)  # plans for the cost of so many runs of the recipe


class AblateAnswer(NamedTuple):
    """The axes in order of value for one recipe, and the plan over all of them.

    stated: was the recipe the user's own? worth: the gain, in percent of the mix's scale, below
    which an axis is not worth its runs; sure: of the full recipe, without any run. hours_per_run:
    of the recipe, on `gpu`.
    """

    asked: Request
    recipe: Recipe
    stated: bool
    values: list[ablation.AxisValue]
    sequence: list[ablation.Step]
    worth: float
    sure: float
    confidence: float
    hours_per_run: float
    gpu: str
    plans: list[ablation.Plan]
    tuning: str = "full"  # of the recipe's LLM, where it fits through adapters alone

    @property
    def hours(self) -> float | None:
        """The GPU-hours that were said to be there for it."""
        return stated_hours(self.asked)

    @property
    def within(self) -> bool:
        """Do the plans keep to these hours? If not, the one plan is the smallest of all."""
        return self.hours is None or all(plan.gpu_hours <= self.hours for plan in self.plans)


class AblateRequest(NamedTuple):
    """What is asked: as of `pick`; own: the fields of a recipe of one's own (None: the best one);
    how sure to get; worth: the gain that makes an axis worth its runs (None: the noise of a run).
    """

    asked: Request
    own: Recipe | None = None
    confidence: float = 0.8
    worth: float | None = None


def answer(library: Library, request: AblateRequest) -> AblateAnswer:
    """What to ablate first: for a stated recipe (what was only assumed of the limits is no limit
    for it), or for the best one under the constraints. Raises space.EmptySpace.
    """
    asked, own, confidence, worth = request
    if own is None:
        on = ground(library, asked)
        found = on.ranked(top=1, compete=False).recipes
        if not found:
            raise NothingFits(
                "no recipe meets all constraints (pick, with the same flags, says what would have"
                " to give)"
            )
        recipe, costs, place = found[0].recipe, found[0].costs, on.place(found[0])
    else:
        asked = asked._replace(limits=asked.limits.asked())
        recipe = whole(own.stated(), library.words)
        choices = choices_for(library, asked, asked.fix, asked.avoid)
        choices, place = _with_recipe(library, choices, recipe)
        costs = recipe_costs(library, recipe, asked.limits)[0]
        on = ground_of(library, asked, choices)
        _fits(recipe, place, on.pairs, asked.fix, asked.avoid)
    hours = costs.gpu_hours.gpu_hours
    values = ablation.ablate(
        on.scores, place, confidence, on.hours(), on.allowed(), worth, whole=True
    )
    return AblateAnswer(
        asked,
        recipe,
        own is not None,
        values,
        ablation.sequence(values, confidence, worth),
        values[0].noise if worth is None else worth,
        math.prod(value.confidence_now for value in values),
        confidence,
        hours,
        costs.gpu,
        plans_within(values, hours, stated_hours(asked)),
        costs.tuning,
    )


def stated_hours(asked: Request) -> float | None:
    """The GPU-hours of a budget that somebody stated."""
    budget = asked.limits.asked().budget
    return budget.amount if budget and budget.kind == "gpu_hours" else None


def plans_within(
    values: Sequence[ablation.AxisValue], hours: float, most: float | None
) -> list[ablation.Plan]:
    """Plans for the cost of some runs of the recipe, within the hours that are there; where even
    the smallest plan takes more, that one.
    """
    spent = [share * hours for share in SPEND if most is None or share * hours <= most]
    spent += [most] if most is not None and len(spent) < 2 else []
    plans = [plan for hours in spent if (plan := ablation.within(values, hours))]
    plans = list(dict.fromkeys(plans))
    least = None if plans or most is None else ablation.smallest(values)
    return [least] if least else plans


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
    )
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
