"""`rank`: the levels of one axis, all else held, in the order of what to expect of them.

In: a Request (the axis, what is held, which levels, a task mix, limits), and the library. Out: a
RankAnswer. Nothing but the axis moves: `pick` moves everything. Does not parse text or print.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..cost import flops
from ..effects.change import Change, kinds_moved, together
from ..effects.features import difference, features
from ..effects.judge import judge
from ..effects.rows import find_rows, relevant_papers
from ..library import Library
from ..picker.competition import lattice
from ..picker.limits import Constraints, Costs, exceeds
from ..picker.space import same_size
from ..terms.recipe import BASELINE, Recipe, beyond_baseline, change, published_size, typed
from ..terms.tasks import TaskMix, parse_mix
from ..terms.vocabulary import Vocabulary
from .parts import recipe_costs
from .swap import Printed, pooled_print

AXES = ("encoder", "connector", "llm", "llm_params_b", "data", "resolution", "visual_tokens")
# Levels of the axes of numbers: what released models use (tables/registry/models.json).
JUDGED = ("base", "direct", "indirect", "extrapolated")  # grades of which something is known
NUMBERS = {
    "resolution": (224, 336, 384, 448, 672, 1008),
    "visual_tokens": (64, 144, 256, 576, 729),
    "llm_params_b": (1.5, 3.0, 7.0, 13.0, 34.0, 72.0),
}
SIZED = ("llm", "llm_params_b")  # each brings or drops the other
FEWEST_PAPERS = 2  # that vary a component before it is a level of its own accord
CONTENDERS = 12  # P(best) is worked out among so many leaders: the others win too seldom to show
DRAWS = 4000  # P(best) is then known to 0.8 points (one standard error of a share of one half)


class NoLevels(Refused):
    """Nothing to rank."""


class Request(NamedTuple):
    """What to rank. levels: of the axis (empty: those that tables vary). held: what else is said of
    the recipe, over the baseline. benchmarks: only these, instead of a mix.
    """

    axis: str
    levels: Sequence = ()
    held: Recipe = Recipe()
    benchmarks: Sequence[str] = ()
    mix: TaskMix | None = None
    level: float = 0.8
    limits: Constraints = Constraints()
    avoid: Sequence[str] = ()
    shown: int = 8
    rows: int | None = None  # printed rows of only so many first levels, and no P(best)


class Level(NamedTuple):
    """One level of the axis. gain: expected, low, high against the base, in percent of the scales
    (of one benchmark: in its points). p_best: among all levels that fit, None for one that cannot
    be judged. printed: what tables print of it against the base; papers: that have rows of it;
    broken: the limit that it breaks; fits: whether it keeps within all limits, None where its costs
    are not known.
    """

    value: str | int
    recipe: Recipe
    gain: tuple[float, float, float] | None
    p_best: float | None
    grade: str
    printed: Printed | None
    papers: int
    costs: Costs | None
    tokens: float | None
    broken: str | None
    fits: bool | None = True


class RankAnswer(NamedTuple):
    """Levels, the best first; those not known to fit the limits, that break one, or of which
    nothing is known, last.
    """

    axis: str
    base: Recipe
    mix: Mapping[str, float]
    levels: tuple[Level, ...]
    left_out: int  # levels of their own accord beyond those shown
    notes: tuple[str, ...]
    held: Mapping[str, str] = {}  # what of the base has to be typed over the baseline


def answer(library: Library, request: Request) -> RankAnswer:
    """Rank the levels of an axis."""
    words = library.words
    base = published_size(request.held.over(BASELINE), words)
    mix = (
        {name: 1.0 for name in request.benchmarks}
        if request.benchmarks
        else (request.mix or parse_mix(None, words)).benchmarks
    )
    asked = list(request.levels) or known_levels(library, request.axis, base)
    values = [value for value in dict.fromkeys(asked) if value not in request.avoid]
    if not values:
        raise NoLevels(f"rank {request.axis}: no level is left")
    changes = {value: moved(library, request, base, value) for value in values}
    judged = {
        value: one.mix(mix, families(library, mix), request.level)
        for value, (_, one) in changes.items()
        if one.axes and set(one.unknown) != set(one.axes)
    }
    mine = str(getattr(base, request.axis))
    order = sorted(
        values,
        key=lambda v: -(judged[v].expected if v in judged else 0.0 if str(v) == mine else -1e9),
    )
    cost = lambda v: costs_of(library, costed(request, base, changes[v][0]), request.limits)
    costs, limited = {}, bounded(request.limits)
    if limited:  # what fits is to be seen before what does not
        costs = {v: cost(v) for v in order}
        order.sort(key=lambda v: behind(fits(costs[v], limited)))
    shown = order if request.levels else order[: request.shown]
    if mine not in map(str, shown) and not request.levels and mine in map(str, order):
        shown = [*shown[:-1], next(v for v in order if str(v) == mine)]
    costs |= {v: cost(v) for v in shown if v not in costs}
    fitting = [v for v in order if not limited or fits(costs[v], limited)]
    rows, best = request.rows, {}
    if rows is None:
        rows, best = len(shown), p_best(library, changes, mix, fitting[:CONTENDERS], judged)
    levels = [
        level_of(library, request, value, changes[value], mix, costs[value], place < rows)
        for place, value in enumerate(shown)
    ]
    levels = [
        one._replace(p_best=best.get(v), fits=fits(costs[v], limited))
        for v, one in zip(shown, levels)
    ]
    levels.sort(key=lambda one: (behind(one.fits), one.gain is None))
    notes = tuple(library.strange()) + tuple(library.counted_twice())
    # tokens follow the pixels, unless they were asked for
    if request.axis == "resolution" and request.held.visual_tokens is None:
        base = base._replace(visual_tokens=None)
    left_out, held = len(order) - len(shown), typed_held(request, base, words)
    return RankAnswer(request.axis, base, dict(mix), tuple(levels), left_out, notes, held)


def typed_held(request: Request, base: Recipe, words: Vocabulary) -> dict[str, str]:
    """What of the base has to be typed beside the axis, by field."""
    moves = {"data": ("data", "data_size"), "llm": SIZED, "llm_params_b": SIZED}
    held = beyond_baseline(base, words, moves.get(request.axis, (request.axis,)))
    if request.held.visual_tokens is not None:  # held on both sides, whatever they would have
        held["visual_tokens"] = typed("visual_tokens", request.held.visual_tokens)
    return held


def bounded(limits: Constraints) -> bool:
    """Is there a limit that costs have to keep?"""
    asked = limits.budget, limits.latency, limits.memory_gb, limits.tokens_per_s
    return any(limit is not None for limit in asked)


def fits(costs: tuple, limited: bool) -> bool | None:
    """Does a level with these costs (costs_of) keep within the limits? None: not known."""
    return None if limited and costs[0] is None else costs[2] is None


def behind(fit: bool | None) -> int:
    """What fits stands before what is not known to, and that before what does not."""
    return (True, None, False).index(fit)


def costed(request: Request, base: Recipe, recipe: Recipe) -> Recipe:
    """A level as its costs are worked out: with the tokens that are held, as its gain is."""
    if request.axis in ("encoder", "connector") and base.visual_tokens:
        return change(recipe, visual_tokens=base.visual_tokens)
    return recipe


def known_levels(library: Library, axis: str, base: Recipe) -> list:
    """Levels that tables vary: components in two papers or more (LLMs of about the base's size),
    usual numbers, and the base's own.
    """
    mine = getattr(base, axis)
    if axis in NUMBERS:
        return sorted({*NUMBERS[axis], *([mine] if isinstance(mine, (int, float)) else [])})
    support, records = library.posterior.support, library.words.records(axis)
    found = [
        name.partition("=")[2]
        for name, papers in support.items()
        if name.startswith(f"{axis}=") and len(papers) >= FEWEST_PAPERS
    ]
    if axis == "llm" and base.llm_params_b:
        size = lambda slug: records.get(slug, {}).get("params_b")
        found = [slug for slug in found if size(slug) and same_size(size(slug), base.llm_params_b)]
    return [*([mine] if mine and mine not in found else []), *sorted(found)]


def moved(library: Library, request: Request, base: Recipe, value) -> tuple[Recipe, Change]:
    """The base with one level of the axis, and the change to it; tokens that were asked for are
    held.
    """
    recipe = published_size(Recipe(**{request.axis: value}).over(base), library.words)
    if request.held.visual_tokens is not None and request.axis != "visual_tokens":
        recipe = change(recipe, visual_tokens=request.held.visual_tokens)
    return recipe, Change(base.stated(), recipe.stated(), library.posterior, library.words)


def families(library: Library, mix: Mapping[str, float]) -> dict[str, str | None]:
    """Benchmark -> task family."""
    records = library.words.records("benchmark")
    return {name: records[name]["family"] for name in mix}


def p_best(
    library: Library,
    changes: Mapping,
    mix: Mapping[str, float],
    contenders: Sequence,
    judged: Mapping,
) -> dict:
    """Value -> probability of being the best of the contenders in the user's own setting, by seeded
    draws: shared effects and heterogeneity, both correlated as levels share the base.
    """
    contenders = [v for v in contenders if v in judged or not changes[v][1].axes]
    if len(contenders) < 2:
        return {}
    kin, posterior, words = families(library, mix), library.posterior, library.words
    ones = [changes[v][1] for v in contenders]
    steps = ones[0].steps(mix)
    wide = together(posterior.wide(steps), kin)
    traces = [one.trace(steps, kin) for one in ones]
    local = [o.variance() if o.axes else 0.0 for o in ones]

    def apart(a: Change, b: Change) -> float:
        """Heterogeneity of a change between two levels."""
        if a.axes == () or b.axes == ():
            return (a if a.axes else b).variance() if a.axes or b.axes else 0.0
        kinds = kinds_moved(a.axes, a.b, b.b, words)
        moves = difference(features(a.b, words), features(b.b, words))
        return posterior.local_variance(kinds, moves)

    size = len(ones)
    covariance = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            both = local[i] if i == j else (local[i] + local[j] - apart(ones[i], ones[j])) / 2
            covariance[i][j] = covariance[j][i] = traces[i].covariance(traces[j]) + both * wide
    means = [judged[v].expected if v in judged else 0.0 for v in contenders]
    wins = [0] * size
    for apart_ in lattice(covariance, DRAWS // 2):
        for sign in (1, -1):
            values = [mean + sign * x for mean, x in zip(means, apart_)]
            wins[values.index(max(values))] += 1
    return {v: count / DRAWS for v, count in zip(contenders, wins)}


def level_of(
    library: Library,
    request: Request,
    value,
    moved_to: tuple,
    mix: Mapping,
    costs: tuple,
    with_rows: bool,
) -> Level:
    """One level with its costs and, unless they are not wanted, the rows that print it."""
    recipe, one = moved_to
    papers = len(library.posterior.support.get(f"{request.axis}={value}", ()))
    cost, tokens, broken = costs
    if not one.axes:
        return Level(value, recipe, (0.0,) * 3, None, "base", None, papers, cost, tokens, broken)
    papers_of = relevant_papers(one.a, one.b, library.posterior, library.words)
    found = ()
    if with_rows:
        tables = library.papers(papers_of)
        found = find_rows(tables, one.a, one.b, one.axes, library.words, one.index)
    result = judge(one, found, list(mix), mix=mix, level=request.level, warnings=())
    grades = [d.grade for d in result.deltas]
    grade = next((g for g in ("direct", "indirect", "extrapolated") if g in grades), "none")
    single = result.deltas[0] if len(result.deltas) == 1 else None
    rows = [
        (row, 1.0 if single else 100 / (d.max or 100))
        for d in result.deltas
        for row in d.evidence
        if row.relation == "direct"
    ]
    shown = single or result.mix
    unknown = set(one.unknown) == set(one.axes)
    gain = None if unknown else (shown.expected, shown.low, shown.high)
    return Level(value, recipe, gain, None, grade, pooled_print(rows), papers, cost, tokens, broken)


def costs_of(
    library: Library, recipe: Recipe, limits: Constraints
) -> tuple[Costs | None, float | None, str | None]:
    """(costs, visual tokens, which limit they break); None where the registry lacks a figure."""
    try:
        costs, visual = recipe_costs(library, recipe, limits)
    except flops.MissingFigure:
        return None, None, None
    broken = exceeds(costs, limits, library.words, library.calibration)
    return costs, visual.visual_tokens, broken


def sure(answer: RankAnswer) -> tuple[Level | None, tuple[Level, ...]]:
    """The first level, and those that the evidence cannot tell from it (their interval of the gain
    reaches the first's expectation).
    """
    known = [one for one in answer.levels if one.gain and one.fits]
    if not known:
        return None, ()
    first = known[0]
    return first, tuple(one for one in known[1:] if one.gain[2] >= first.gain[0])
