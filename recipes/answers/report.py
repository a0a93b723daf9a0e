"""What a report says: the pick, each part of it alone, the rows behind it, the cheaper recipes,
what to ablate, the swaps asked for.

In: the request of `pick`, a list of swaps, the library. Out: a Report of results for
report/page.py. Does not parse, draw or print.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from ..library import Library
from ..picker import ablate, rank
from ..picker.limits import Constraints
from ..terms.recipe import BASELINE, Recipe
from ..terms.tasks import TaskMix
from ..terms.units import Budget
from . import swap as answers
from .ground import NothingFits, Request
from .pick import PickAnswer
from .pick import answer as pick

CLOUD = 40  # recipes near the top that the Pareto plot shows
LADDER = (2, 4, 8, 16, 32, 64)  # the best recipe for the pick's cost divided by these


class Section(NamedTuple):
    """One swap of the report: what the user typed (None: a part of the pick), the axes that move,
    and the answer.
    """

    typed: tuple[str, str] | None
    answer: answers.SwapAnswer


class Report(NamedTuple):
    """Everything the page shows. parts: axis -> the pick's change of that axis alone, from the
    baseline.
    """

    tasks: TaskMix
    limits: Constraints
    picked: PickAnswer
    level: float
    parts: Mapping[str, Section]
    main: str | None  # the axis of `parts` with most direct rows, on the tasks before all
    swaps: tuple[Section, ...]
    cloud: tuple[rank.Ranked, ...]  # the recipes ranked first
    # the best recipes for less, the cheapest first, the pick last
    front: tuple[rank.Ranked, ...]
    values: tuple[ablate.AxisValue, ...]
    lower_is_better: frozenset[str]


def gather(
    library: Library,
    request: Request,
    swaps: Sequence[tuple[tuple[str, str], Recipe, Recipe]],
    tell: Callable[[str], None],
) -> Report:
    """Ask all the questions. Raises space.EmptySpace, and NothingFits when no recipe meets the
    constraints.
    """
    tasks, level = request.tasks, request.level
    tell("ranking recipes")
    picked = pick(library, request)
    if not picked.result.recipes:
        raise NothingFits(f"no recipe meets all constraints: {'; '.join(picked.warnings[1:])}")
    best = picked.result.recipes[0]
    tell("the best recipes for less")
    cloud = picked.ground.ranked(top=CLOUD, level=level, compete=False).recipes
    front = cheaper(picked, best)
    tell("what to ablate")
    values = picked.values
    tell("the rows behind it")
    parts = {
        axis: Section(
            None,
            answers.answer(library, answers.Request(*sides, mix=tasks, level=level, costs=False)),
        )
        for axis, sides in part_sides(library, best.recipe).items()
    }
    counts = {
        axis: (direct_rows(section, tasks.benchmarks), direct_rows(section))
        for axis, section in parts.items()
    }
    main = max(counts, key=lambda axis: counts[axis]) if any(map(any, counts.values())) else None
    asked = tuple(
        Section(
            typed, answers.answer(library, answers.Request(before, after, mix=tasks, level=level))
        )
        for typed, before, after in swaps
    )
    lower = frozenset(
        name
        for name, record in library.words.records("benchmark").items()
        if record.get("higher_is_better") is False
    )
    return Report(
        tasks, request.limits, picked, level, parts, main, asked, cloud, front, tuple(values), lower
    )


def direct_rows(section: Section, benchmarks: Collection[str] | None = None) -> int:
    """How many printed rows make the very change, on these benchmarks or on all."""
    return sum(
        row.relation == "direct"
        for d in section.answer.result.deltas
        if benchmarks is None or d.benchmark in benchmarks
        for row in d.evidence
    )


def part_sides(library: Library, best: Recipe) -> dict[str, tuple[Recipe, Recipe]]:
    """The baseline, and the baseline with one axis of the pick, for each axis on which they
    differ.
    """
    out = {}
    for axis, fields in (
        ("encoder", ("encoder",)),
        ("connector", ("connector",)),
        ("llm", ("llm",)),
        ("data", ("data", "data_size")),
        ("resolution", ("resolution", "tiling")),
    ):
        first, second = (
            {name: getattr(recipe, name) for name in fields if getattr(recipe, name) is not None}
            for recipe in (BASELINE, best)
        )
        if first != second:
            out[axis] = answers.sides(first, second, Recipe(), library.words)
    return out


def cheaper(picked: PickAnswer, best: rank.Ranked) -> tuple[rank.Ranked, ...]:
    """The best recipe for the pick's training cost and for each of a ladder of fractions of it,
    under the other constraints.
    """
    found = {best.recipe: best}
    limits, calibration = picked.asked.limits, picked.library.calibration
    for part in LADDER:
        budget = Budget("flop", best.costs.flop / part, best.costs.gpu)
        if limits.budget and limits.budget.kind == "images":
            budget = Budget("images", limits.budget.amount / part, None)
        result = rank.pick(
            picked.ground.scores,
            limits._replace(budget=budget),
            calibration,
            top=1,
            level=picked.asked.level,
            compete=False,
        )
        if not result.recipes:
            break
        found.setdefault(result.recipes[0].recipe, result.recipes[0])
    return tuple(sorted(found.values(), key=lambda item: (item.costs.flop, -item.mix.expected)))
