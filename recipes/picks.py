"""`pick` and `ablate`: the best recipes with their deltas and citations, and the axis to ablate first.

In: values that the command line has parsed, and the library. Out: PickAnswer and AblateAnswer. Does not parse text, print or exit.
"""
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .citations import Citations
from .cost import flops
from .costing import data_part, language_part, recipe_costs, visual_part, whole
from .effects.swap import Change, judge
from .errors import Refused
from .library import Library
from .picker import ablate as ablation
from .picker import rank
from .picker.recipe import BASELINE, Recipe, change
from .picker.space import CONNECTORS, Space, Visual, space
from .picker.tasks import TaskMix
from .picker.units import Budget

DEFAULT_BUDGET = Budget("gpu_hours", 500.0, "a100-80gb-sxm")


class PickAnswer(NamedTuple):
    """A pick with the deltas and citations of its top recipes, and the axis to ablate first."""
    result: rank.Pick
    deltas: dict[int, tuple]
    citations: dict[int, list[dict]]
    first: ablation.AxisValue | None
    warnings: tuple[str, ...]


def answer_pick(library: Library, tasks: TaskMix, limits: rank.Constraints, fix: Mapping[str, object],
                avoid: Mapping[str, Sequence[str]], top: int, level: float) -> PickAnswer:
    """The best recipes, cited. Raises space.EmptySpace."""
    words, posterior = library.words, library.posterior
    choices = space(words, fix, avoid)
    scores = rank.Scores(choices, BASELINE, tasks, posterior, words)
    result = rank.pick(scores, limits, library.calibration, top=top, level=level)
    deltas, citations, cited = {}, {}, Citations(library, tasks, limits, choices)
    for i, item in enumerate(result.recipes):
        change = Change(BASELINE.stated(), item.recipe.stated(), posterior, words)
        deltas[i] = judge(change, (), list(tasks.benchmarks), level=level).deltas
        citations[i] = cited.of(item.recipe)
    first = None
    if result.recipes:
        best = result.recipes[0]
        first = ablation.ablate(scores, _place(choices, best), level, best.costs.gpu_hours.gpu_hours, allowed_by(library, choices, limits))[0]
    return PickAnswer(result, deltas, citations, first, tuple(_pick_warnings(result, limits)))


def _pick_warnings(result: rank.Pick, limits: rank.Constraints) -> list[str]:
    out = ["gains are against LLaVA-1.5-7B trained the same way; deltas of one recipe share their uncertainty"]
    if limits.budget is None and limits.latency is None and limits.memory_gb is None:
        out.append("no --budget, --latency or --memory: the most expensive recipes win")
    return out


class AblateAnswer(NamedTuple):
    """The axes in order of value for one recipe, and what was assumed to get there."""
    recipe: Recipe
    values: list[ablation.AxisValue]
    assumed: str
    hours_per_run: float


def answer_ablate(library: Library, tasks: TaskMix, own: Recipe | None, confidence: float, budget: Budget | None) -> AblateAnswer:
    """What to ablate first: for a stated recipe, or for the best one a budget buys. Raises space.EmptySpace."""
    words, posterior = library.words, library.posterior
    limits = rank.Constraints(budget=budget or DEFAULT_BUDGET)
    choices = space(words, {}, {})
    if own is None:
        scores = rank.Scores(choices, BASELINE, tasks, posterior, words)
        result = rank.pick(scores, limits, library.calibration, top=1)
        if not result.recipes:
            raise NothingFits("no recipe fits the budget")
        best = result.recipes[0]
        place = _place(choices, best)
        recipe, costs = best.recipe, best.costs
        assumed = (f"the pick is the best recipe for {limits.budget.amount:g} {limits.budget.gpu or limits.budget.kind}"
                   f"{' hours' if limits.budget.kind == 'gpu_hours' else ''}{'' if budget else ' (default budget; --budget or --recipe to change)'}; ")
    else:
        recipe = whole(own.stated(), words)
        choices, place = _with_recipe(library, choices, recipe)
        costs = recipe_costs(library, recipe, limits)[0]
        limits = limits._replace(budget=budget)
        scores = rank.Scores(choices, BASELINE, tasks, posterior, words)
        assumed = ""
    assumed += f"one run costs about {costs.gpu_hours.gpu_hours:,.0f} {costs.gpu} hours"
    hours = costs.gpu_hours.gpu_hours
    values = ablation.ablate(scores, place, confidence, hours, allowed_by(library, choices, limits))
    return AblateAnswer(recipe, values, assumed, hours)


class NothingFits(Refused):
    """No candidate meets the constraints."""


def _place(choices: Space, item: rank.Ranked) -> ablation.Candidate:
    return choices.visuals.index(item.visual), choices.languages.index(item.language), choices.data.index(item.data)


def allowed_by(library: Library, choices: Space, limits: rank.Constraints) -> Callable[[ablation.Candidate], bool]:
    """Does a candidate meet the constraints? (One that cannot be costed does not.)"""
    if limits.budget is None and limits.latency is None and limits.memory_gb is None:
        return lambda candidate: True

    def allowed(candidate: ablation.Candidate) -> bool:
        v, x, d = candidate
        costs = rank.costs_of(choices.visuals[v], choices.languages[x], choices.data[d], limits, library.words, library.calibration)
        return rank.exceeds(costs, limits, library.words, library.calibration) is None
    return allowed


def _with_recipe(library: Library, choices: Space, recipe: Recipe) -> tuple[Space, ablation.Candidate]:
    """The space with a stated recipe among its choices, and where it stands. Raises flops.MissingFigure."""
    visual, language = visual_part(library, recipe), language_part(library, recipe)
    key = lambda v: (v.recipe.encoder, v.recipe.connector, v.recipe.resolution, v.visual_tokens)  # noqa: E731
    visuals, languages, data = list(choices.visuals), list(choices.languages), list(choices.data)
    v = next((i for i, other in enumerate(visuals) if key(other) == key(visual)), None)
    if v is None:
        visuals += [*_rivals(library, recipe), visual]  # at a resolution of its own: the other connectors there compete
    x = next((i for i, other in enumerate(languages) if other.slug == language.slug), None)
    if x is None:
        languages.append(language)
    d = next((i for i, other in enumerate(data) if other.slug == recipe.data and other.samples == recipe.data_size), None)
    if d is None:
        data.append(data_part(library, recipe))
    place = tuple(len(items) - 1 if i is None else i for i, items in ((v, visuals), (x, languages), (d, data)))
    return choices._replace(visuals=tuple(visuals), languages=tuple(languages), data=tuple(data)), place


def _rivals(library: Library, recipe: Recipe) -> list[Visual]:
    """The visual part of a recipe with each of the other connectors that can be costed."""
    out = []
    for connector in CONNECTORS:
        if connector != recipe.connector:
            try:
                out.append(visual_part(library, change(recipe, connector=connector, visual_tokens=None)))
            except flops.MissingFigure:
                continue
    return out
