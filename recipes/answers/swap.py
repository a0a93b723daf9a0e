"""`swap`: the answer to a change of recipe, with its costs and notes.

In: values that the command line has parsed, and the library. Out: a SwapAnswer. Does not parse
text, print or exit.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..cost import flops
from ..cost.tokens import LEARNED
from ..effects.change import Change
from ..effects.features import visual_tokens
from ..effects.interaction import Slope, size_slope
from ..effects.judge import judge, with_chains
from ..effects.results import Swap
from ..effects.rows import find_rows, moved_axes, relevant_papers
from ..library import Library
from ..picker.limits import Constraints, Costs
from ..terms.recipe import BASELINE, Recipe, change, published_size
from ..terms.tasks import TaskMix, parse_mix
from ..terms.vocabulary import Vocabulary
from .parts import recipe_costs

if TYPE_CHECKING:
    from ..effects.attribution import Attribution


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


def answer_swap(
    library: Library,
    before: Recipe,
    after: Recipe,
    benchmarks: Sequence[str] | None,
    mix: TaskMix | None,
    level: float,
    warnings: Sequence[str] = (),
    *,
    with_costs: bool = True,
    chains: bool = False,
    scores: Mapping[str, float] | None = None,
) -> SwapAnswer:
    """Deltas, mix, costs and notes of a change of recipe.

    scores: what `before` scores on benchmarks (they are shown too). chains: with the links behind
    indirect answers (it takes reading more papers).
    """
    words = library.words
    a, b = before.stated(), after.stated()
    change = Change(a, b, library.posterior, words)
    found = (
        find_rows(
            library.papers(relevant_papers(a, b, library.posterior, words)),
            a,
            b,
            change.axes,
            words,
            change.index,
        )
        if change.axes
        else []
    )
    names = (
        list(benchmarks)
        if benchmarks
        else list(mix.benchmarks)
        if mix
        else default_benchmarks(library)
    )
    names += [name for name in scores or () if name not in names]
    # whatever the change was printed on belongs to the answer, the means of a paper too
    if not benchmarks:
        printed = [item.contrast.metric.benchmark for item in found if not item.near]
        names += [name for name in dict.fromkeys(printed) if name not in names]
    weights = None if mix is None and benchmarks else (mix or parse_mix(None, words)).benchmarks
    result = judge(
        change,
        found,
        names,
        mix=weights,
        level=level,
        warnings=(*warnings, *library.strange(), *library.counted_twice()),
        scores=scores,
    )
    if not benchmarks:  # what has rows first
        order = {"direct": 0, "indirect": 1, "extrapolated": 2, "none": 3}
        deltas = sorted(result.deltas, key=lambda d: (order[d.grade], names.index(d.benchmark)))
        result = result._replace(deltas=tuple(deltas))
    if chains and any(not d.evidence for d in result.deltas):
        bearing = {
            paper for name in change.features for paper in library.posterior.support.get(name, ())
        }
        printed = library.posterior.columns  # paper -> families
        result = with_chains(
            result,
            lambda families: library.papers(
                bearing
                if families is None
                else {paper for paper in bearing if families & printed.get(paper, {}).keys()}
            ),
            change,
        )
    costs, bare = _swap_costs(library, before, after) if with_costs else (None, ())
    slope = size_slope(found, change) if change.axes and "llm" not in change.axes else None
    return SwapAnswer(
        before,
        after,
        result,
        costs,
        (*_natural(library, before, after), *bare) if with_costs else (),
        slope,
    )


def what_carries(library: Library, answer: SwapAnswer, benchmark: str) -> "Attribution":
    """The rows that the expected delta on one benchmark rests on, over all tables."""
    from ..effects.attribution import attribute
    from ..effects.columns import columns  # only this question reads every table

    words = library.words
    a, b = answer.before.stated(), answer.after.stated()
    change = Change(a, b, library.posterior, words)
    shown = find_rows(
        library.papers(relevant_papers(a, b, library.posterior, words)),
        a,
        b,
        change.axes,
        words,
        change.index,
    )
    published, own = (
        columns(papers, words)
        for papers in (library.papers(shipped_only=True), library.own_papers())
    )
    return attribute(
        change.features,
        benchmark,
        published,
        own,
        library.posterior,
        words.records("benchmark"),
        shown,
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
