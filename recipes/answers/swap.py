"""`swap`: the answer to a change of recipe, with its costs and notes.

In: a Request (values that the command line has parsed), and the library. Out: a SwapAnswer. Does
not parse text, print or exit.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..cost import flops
from ..cost.tokens import LEARNED
from ..effects.change import Change
from ..effects.features import visual_tokens
from ..effects.interaction import Slope, size_slope
from ..effects.judge import judge, with_chains
from ..effects.results import Evidence, Swap
from ..effects.rows import find_rows, moved_axes, relevant_papers
from ..library import Library
from ..picker.limits import Constraints, Costs
from ..terms.axes import AXES
from ..terms.recipe import (
    BASELINE,
    FIELDS,
    Recipe,
    beyond_baseline,
    change,
    published_size,
    typed,
)
from ..terms.tasks import TaskMix, parse_mix
from ..terms.vocabulary import Vocabulary
from .fared import record_line
from .parts import recipe_costs

if TYPE_CHECKING:
    from ..effects.attribution import Attribution

# Axes whose two levels `design` takes as a factor.
DESIGNED = (*AXES, "visual_tokens")


class Request(NamedTuple):
    """A swap as asked: both sides with everything filled in (`sides`), and what to answer.

    benchmarks: only these; without them the mix's, or the usual ones and whatever the change was
    printed on. level: of the intervals. scores: what `before` scores on benchmarks. chains: with
    the rows that are near the change, and the links behind indirect answers; carry: with what
    carries one number (links and carriers take more time).
    """

    before: Recipe
    after: Recipe
    benchmarks: Sequence[str] = ()
    mix: TaskMix | None = None
    level: float = 0.8
    scores: Mapping[str, float] = {}
    chains: bool = False
    carry: bool = False
    costs: bool = True


class Printed(NamedTuple):
    """What tables print of the very change: rows in which nothing else moved, if there are any.

    tables, rows: how many tables, and pairs of scores. median, low, high: of their deltas, in
    points of the benchmark, over several benchmarks in percent of each one's scale. controlled:
    did nothing else move?
    """

    tables: int
    rows: int
    median: float
    low: float
    high: float
    controlled: bool


class ToSee(NamedTuple):
    """What it takes to see a difference of `points` on a benchmark: training runs of both sides
    together (two-sided 5 %, power 80 %), their hours on a GPU, and the command that plans it.
    """

    benchmark: str
    points: float
    runs: int
    gpu_hours: float | None
    gpu: str | None
    command: str


class SwapAnswer(NamedTuple):
    """A swap, its sides with everything filled in, its costs (None where the registry lacks a
    figure), and notes.
    """

    before: Recipe
    after: Recipe
    result: Swap
    costs: tuple[Costs, Costs, float, float] | None
    notes: tuple[str, ...]
    by_size: Slope | None = None  # does the change do more with a larger LLM?
    printed: Printed | None = None  # over all benchmarks, in percent of scale
    printed_each: tuple[Printed | None, ...] = ()  # by benchmark, in points
    asked: bool = False  # were benchmarks or tasks named?
    unseen: tuple[str, ...] = ()  # moved components that stand in no table
    to_see: ToSee | None = None
    record: str | None = None  # how answers like this one fared on unseen papers
    found: int = 0  # pairs of rows on one metric that make the change, or are near it
    carried: "Attribution | None" = None  # what the explained number rests on (Request.carry)


def default_benchmarks(library: Library) -> list[str]:
    """The benchmarks a swap shows by default: the core ones of the balanced families, then of the
    others.
    """
    families = library.words.records("family")
    balanced = parse_mix(None, library.words).benchmarks
    out = list(balanced)
    for family in families.values():
        out += [name for name in family["core"] if name not in out]
    return out


def sides(
    first: Mapping[str, object], second: Mapping[str, object], both: Recipe, words: Vocabulary
) -> tuple[Recipe, Recipe]:
    """The two recipes of a swap: what each side states over what both share over the baseline."""
    base = both.over(BASELINE)
    before, after = (published_size(Recipe(**side).over(base), words) for side in (first, second))
    # asked for at a token count: hold it on both sides, where they do not say otherwise
    if both.visual_tokens is not None:
        before, after = (
            r if "visual_tokens" in side else change(r, visual_tokens=both.visual_tokens)
            for r, side in zip((before, after), (first, second))
        )
    return before, after


def answer(library: Library, request: Request, warnings: Sequence[str] = ()) -> SwapAnswer:
    """Deltas, mix, costs and notes of a change of recipe."""
    words, before, after = library.words, request.before, request.after
    change, found = change_and_rows(library, before, after)
    names = names_asked(library, request, found)
    mix = request.mix
    if mix is None and not request.benchmarks:
        mix = parse_mix(None, words)
    result = judge(
        change,
        found,
        names,
        mix=None if mix is None else mix.benchmarks,
        level=request.level,
        warnings=(*warnings, *library.strange(), *library.counted_twice()),
        scores=request.scores,
        near=request.chains,
    )
    if not request.benchmarks:  # what has rows first
        order = {"direct": 0, "indirect": 1, "extrapolated": 2, "none": 3}
        deltas = sorted(result.deltas, key=lambda d: (order[d.grade], names.index(d.benchmark)))
        result = result._replace(deltas=tuple(deltas))
    if request.chains and any(not d.evidence for d in result.deltas):
        result = with_links(library, change, result)
    costs, bare = _swap_costs(library, before, after) if request.costs else (None, ())
    slope = size_slope(found, change) if change.axes and "llm" not in change.axes else None
    # of the tasks that were asked for
    own = request.mix.benchmarks if request.mix and not request.benchmarks else None
    rows = [
        (d, row)
        for d in result.deltas
        if own is None or d.benchmark in own
        for row in d.evidence
        if row.relation == "direct"
    ]
    value = SwapAnswer(
        before,
        after,
        result,
        costs,
        (*_natural(library, before, after), *bare) if request.costs else (),
        slope,
        pooled_print([(row, 100 / (d.max or 100)) for d, row in rows]),
        tuple(
            pooled_print([(row, 1.0) for row in d.evidence if row.relation == "direct"])
            for d in result.deltas
        ),
        bool(request.benchmarks or request.mix),
        tuple(change.new_components()) if change.axes else (),
        what_to_see(library, request, change, names) if change.axes else None,
        record_line(words, change, [(d.grade, d.family) for d in result.deltas]),
        len(found),
    )
    told = explained(value) if request.carry else None
    return value._replace(carried=told and what_carries(library, value, told, found))


def change_and_rows(library: Library, before: Recipe, after: Recipe) -> tuple[Change, list]:
    """The change as the model sees it, and the printed rows that show it."""
    words, (a, b) = library.words, (before.stated(), after.stated())
    change = Change(a, b, library.posterior, words)
    if not change.axes:
        return change, []
    papers = library.papers(relevant_papers(a, b, library.posterior, words))
    return change, find_rows(papers, a, b, change.axes, words, change.index)


def names_asked(library: Library, request: Request, found: Sequence) -> list[str]:
    """The benchmarks to answer for: those asked for, else the mix's or the usual ones and whatever
    the change was printed on.
    """
    if request.benchmarks:
        names = list(request.benchmarks)
    else:
        names = list(request.mix.benchmarks) if request.mix else default_benchmarks(library)
        # the means of a paper too
        names += [item.contrast.metric.benchmark for item in found if not item.near]
    return list(dict.fromkeys([*names, *request.scores]))


def with_links(library: Library, change: Change, result: Swap) -> Swap:
    """The result with the links of the chain behind every delta that no row of the change shows."""
    support, printed = library.posterior.support, library.posterior.columns  # paper -> families
    bearing = {paper for name in change.features for paper in support.get(name, ())}

    def read(families: set[str] | None):
        return library.papers(
            {
                paper
                for paper in bearing
                if families is None or families & printed.get(paper, {}).keys()
            }
        )

    return with_chains(result, read, change)


def pooled_print(rows: Sequence[tuple[Evidence, float]]) -> Printed | None:
    """Median and range of printed deltas times their units; controlled rows alone if there are
    any.
    """
    kept = [pair for pair in rows if pair[0].controlled] or rows
    if not kept:
        return None
    deltas = sorted(row.delta * unit for row, unit in kept)
    middle = len(deltas) // 2
    median = deltas[middle] if len(deltas) % 2 else (deltas[middle - 1] + deltas[middle]) / 2
    tables = {row.table for row, _ in kept}
    return Printed(
        len(tables), len(deltas), median, deltas[0], deltas[-1], bool(kept[0][0].controlled)
    )


def what_to_see(
    library: Library,
    request: Request,
    change: Change,
    names: Sequence[str],
) -> ToSee | None:
    """What it takes to see one percent of the scale of the first benchmark, between both sides: the
    plan of the command that is named, on what both sides share.
    """
    from .design import to_see

    words, before, gpu = library.words, request.before, Constraints().training_gpu
    asked = request.benchmarks or (request.mix and request.mix.benchmarks) or ("mmmu",)
    name = next(iter(asked))
    field = next((f for f in DESIGNED if f in change.axes), None)
    if field is None or name not in names:
        return None
    levels = [getattr(side, field) for side in (request.before, request.after)]
    if None in levels or levels[0] == levels[1]:
        return None
    unit = (words.records("benchmark")[name].get("max") or 100) / 100
    apart = [f for f in FIELDS if getattr(before, f) != getattr(request.after, f)]
    held = held_typed(before, words, [field, *apart])
    levels = tuple(typed(field, level) for level in levels)
    plan = to_see(library, (field, levels), held, (unit, False), name, gpu)
    command = [f"design --factor {field}={','.join(levels)}"]
    command += ["--recipe " + ",".join(f"{key}={value}" for key, value in held.items())] * bool(
        held
    )
    command += [f"--detect {unit:g} --benchmark {name}"]
    runs = len(plan.runs) * plan.seeds
    return ToSee(name, unit, runs, plan.total_hours, gpu, " ".join(command))


def held_typed(recipe: Recipe, words: Vocabulary, but: Sequence[str]) -> dict[str, str]:
    """What of a recipe `design --recipe` has to be told: it gives an encoder its native pixels."""
    held = beyond_baseline(recipe, words, but)
    if "encoder" in held and "resolution" not in but and recipe.resolution is not None:
        held["resolution"] = typed("resolution", recipe.resolution)
    return held


def explained(value: SwapAnswer) -> str | None:
    """The benchmark whose number --why explains: the one with most direct rows."""
    known = [d for d in value.result.deltas if d.path and d.grade != "none"]
    count = lambda d: sum(row.relation == "direct" for row in d.evidence)
    return max(known, key=count).benchmark if known else None


def what_carries(
    library: Library, answer: SwapAnswer, benchmark: str, found: Sequence
) -> "Attribution":
    """The rows that the expected delta on one benchmark rests on, over all tables; found: those of
    the change itself.
    """
    from ..effects.attribution import attribute
    from ..effects.columns import columns  # only tables of one's own have to be read

    words = library.words
    change = Change(answer.before.stated(), answer.after.stated(), library.posterior, words)
    own = columns(library.own_papers(), words) if library.extra else []
    return attribute(
        change.features,
        benchmark,
        library.posterior.fitted,
        own,
        library.posterior,
        words.records("benchmark"),
        found,
    )


def _swap_costs(library: Library, before: Recipe, after: Recipe):
    """Costs of both sides; a side whose token count is open is costed with the other's, as its
    effects are.
    """
    counts = [visual_tokens(recipe.stated(), library.words) for recipe in (before, after)]
    if None in counts and (before.resolution, before.tiling) != (after.resolution, after.tiling):
        unknown = before if counts[0] is None else after
        return None, (
            (
                "no costs: how many visual tokens"
                f" {unknown.resolution}{' ' + unknown.tiling if unknown.tiling else ''} gives is"
                " not known (--from-visual-tokens and --to-visual-tokens say it); the effect is"
                " that of the pixels alone"
            ),
        )
    if None in counts and counts != [None, None]:
        same = next(count for count in counts if count)
        before, after = (
            recipe if count else change(recipe, visual_tokens=same)
            for recipe, count in zip((before, after), counts)
        )
    try:
        (a, first), (b, second) = (
            recipe_costs(library, recipe, Constraints()) for recipe in (before, after)
        )
    except flops.MissingFigure as missing:
        return None, (f"no costs: {missing}",)
    return (a, b, first.visual_tokens, second.visual_tokens), ()


def _natural(library: Library, before: Recipe, after: Recipe) -> list[str]:
    """How the same swap looks when the new component comes with its usual resolution or token
    count.
    """
    words, notes = library.words, []
    axes = moved_axes(before.stated(), after.stated(), words)
    mix = parse_mix(None, words)
    families = {name: words.records("benchmark")[name]["family"] for name in mix.benchmarks}

    def gain(recipe: Recipe) -> float:
        return Change(before.stated(), recipe.stated(), library.posterior, words).gain(
            mix.benchmarks, families
        )

    if (
        axes == ("encoder",)
        and after.encoder
        and "+" not in after.encoder
        and isinstance(after.resolution, int)
    ):
        native = [
            n
            for n in words.records("encoder").get(after.encoder, {}).get("native_resolution") or []
            if isinstance(n, int)
        ]
        if native and after.resolution not in native:
            nearest = min(native, key=lambda n: (abs(n - after.resolution), -n))
            other = change(after, resolution=nearest)
            notes.append(
                f"{after.encoder} was trained at {', '.join(map(str, native))} px, not"
                f" {after.resolution}: at {nearest} px the balanced mix moves {gain(other):+.1f}"
                f" instead of {gain(after):+.1f} (--to-resolution {nearest})"
            )
    for recipe in (before, after):
        grid = visual_tokens(change(recipe, visual_tokens=None).stated(), words)
        if (
            words.connector_class(recipe.stated()) == "projection"
            and grid
            and recipe.visual_tokens
            and recipe.visual_tokens < grid
        ):
            notes.append(
                f"{recipe.connector} keeps the patch grid ({grid:g} tokens here):"
                f" {recipe.visual_tokens:g} tokens mean fewer patches or pooling first"
            )
    if axes == ("connector",):
        usual = LEARNED.get(after.connector or "")
        count = visual_tokens(before.stated(), words)
        if usual and count and usual < count and after.visual_tokens is None:
            other = change(after, visual_tokens=float(usual))
            notes.append(
                f"both sides are compared at equal token counts; at its usual {usual} tokens (from"
                f" {count:g}) the balanced mix moves {gain(other):+.1f} instead of"
                f" {gain(after):+.1f} (--to-visual-tokens {usual})"
            )
    return notes
