"""The expected score, cost and latency along one continuous axis, and where the next doubling stops
paying.

In: a recipe, an axis (visual_tokens, resolution, llm_params_b, data_size), a task mix, the
posterior, and a function that costs a recipe. Out: a Curve; one for each task family is
curve_families.py's. Does not parse or print.

What moves: `visual_tokens` alone changes how many tokens reach the LLM, pixels and encoder stay;
`resolution` takes the patch grid along under a projection connector (features.visual_tokens), while
learned queries keep their count; `llm_params_b` is the size alone, of the same make; `data_size` is
the amount of the same mix.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..effects.change import Change
from ..effects.features import llm_params_b, visual_tokens
from ..effects.posterior import Posterior
from ..terms.recipe import Recipe, RecipeError, change
from ..terms.tasks import TaskMix
from ..terms.vocabulary import Vocabulary
from .limits import OUTPUT_TOKENS, PROMPT_TOKENS
from .steps import SLIVER, Pair, Printed, printed

FEATURE = {
    "visual_tokens": "visual_tokens",
    "resolution": "resolution",
    "llm_params_b": "llm_size",
    "data_size": "data_size",
}
# value where the axis's feature is zero, and doublings in one unit of it (features.py)
UNIT = {
    "visual_tokens": (576.0, 1.0),
    "resolution": (336.0, 1.0),
    "llm_params_b": (7.0, 1.0),
    "data_size": (1e6, 3.0),
}
# Ranges in which printed rows are averaged.
EDGES = {
    "visual_tokens": (1.0, 64.0, 144.0, 576.0, 1024.0, 12000.0),
    "resolution": (84.0, 224.0, 336.0, 448.0, 672.0, 2304.0),
    "llm_params_b": (0.5, 3.0, 8.0, 14.0, 110.0),
    "data_size": (1e4, 1e6, 2e6, 1e7),
}
# by default the curve goes this many times up and down, as far as the tables reach
AROUND = 8.0
# A gain so near to the noise, as a share of it, is a near tie: the interval of a gain is several
# times as wide, so that either side of the noise is about as likely.
TIE = 0.2
BENDS = {
    "visual_tokens": "the model's gain per doubling of the tokens changes at 576 and nowhere else",
    "resolution": (
        "the model's gain per doubling of the resolution changes at 672 px and nowhere else"
    ),
    "llm_params_b": "the model's gain per doubling of the LLM changes at 3B and nowhere else",
    "data_size": "the model has one gain per doubling over all data sizes: this curve cannot bend",
}

# -> GPU-hours, TTFT in ms, visual tokens; None: cannot be costed
Costs = Callable[[Recipe], tuple[float | None, float | None, float | None]]


class Gain(NamedTuple):
    """What the next doubling gains on the mix, in percent of the scale, with its interval.
    per_hours: per doubling of GPU-hours.
    """

    expected: float
    low: float
    high: float
    extrapolated: bool
    per_hours: float | None


class Point(NamedTuple):
    """One value of the axis: expected change against the recipe's own value in percent of the
    scale, its interval, costs.

    extrapolated: outside what any table covers; the interval is widened for it.
    """

    value: float
    recipe: Recipe
    expected: float
    low: float
    high: float
    gpu_hours: float | None
    ttft_ms: float | None
    visual_tokens: float | None
    extrapolated: bool
    gain: Gain


class Stop(NamedTuple):
    """Which doublings of a curve pay, of those inside the range of the tables.

    pays: `all` of them, `until` the value `at` (a doubling before it pays, none from there on),
    `some` in another pattern, `none`, `unknown` (no cost is known that says it) or `not judged`
    (none stays inside the range). at: None but for `until`. unknown: values from which a doubling
    gains more than the noise, but what it costs is not known: it does not count as paying. why: in
    words. close: from there on a doubling gains about the noise, so that whether it pays is a near
    tie.
    """

    at: float | None
    pays: str
    unknown: tuple[float, ...]
    why: str
    close: float | None = None


class Curve(NamedTuple):
    """A curve. own: the recipe's value; covered: the range of the tables; noise: standard deviation
    of the difference of two runs on the mix, in percent of the scale; stop: which doublings pay;
    printed: what rows of the mix's families say, range by range;
    others: the same of rows in which the data mix changes with its amount."""

    axis: str
    tasks: TaskMix
    recipe: Recipe
    own: float
    level: float
    points: tuple[Point, ...]
    covered: tuple[float, float]
    papers: int
    noise: float
    worth: float | None
    stop: Stop
    printed: tuple[Printed, ...]
    others: tuple[Printed, ...]
    notes: tuple[str, ...]


def own_value(recipe: Recipe, axis: str, words: Vocabulary) -> float:
    """Where a recipe stands on an axis. Raises RecipeError when it does not say."""
    stated = recipe.stated()
    if axis == "resolution":
        if not isinstance(recipe.resolution, int):
            raise RecipeError(
                "resolution",
                f"a curve needs pixels, not {str(recipe.resolution)[:40]!r} (as in resolution=336)",
            )
        return float(recipe.resolution)
    value = {
        "visual_tokens": visual_tokens(stated, words),
        "llm_params_b": llm_params_b(stated, words),
        "data_size": recipe.data_size,
    }[axis]
    if not value:
        raise RecipeError(axis, "the recipe does not say it: state it in --recipe")
    return float(value)


def at(recipe: Recipe, axis: str, value: float, fixed_tokens: bool = False) -> Recipe:
    """The recipe moved along the axis. Under a changed resolution the token count is open again,
    unless it is held.
    """
    if axis == "resolution":
        return change(
            recipe,
            resolution=int(value),
            visual_tokens=recipe.visual_tokens if fixed_tokens else None,
        )
    if axis == "llm_params_b":
        return change(recipe, llm=None, llm_params_b=value)
    return change(recipe, **{axis: value})


def covered(axis: str, posterior: Posterior) -> tuple[float, float]:
    """The values that some table covers."""
    start, octaves = UNIT[axis]
    low, high = posterior.ranges[FEATURE[axis]]
    return start * 2 ** (low * octaves), start * 2 ** (high * octaves)


def rounded(axis: str, value: float, patch: int) -> float:
    """A value that can be: whole tokens, pixels that are whole patches, three digits otherwise."""
    if axis == "visual_tokens":
        return float(max(1, round(value)))
    if axis == "resolution":
        return float(max(1, round(value / patch)) * patch)
    return float(f"{value:.3g}")


def grid(
    axis: str, own: float, low: float, high: float, points: int | None, patch: int
) -> list[float]:
    """The values of a curve: the recipe's own and its doublings and halvings between low and high;
    or so many, evenly in doublings.
    """
    if points is None:
        first, last = (
            math.ceil(math.log2(low / own) - 1e-9),
            math.floor(math.log2(high / own) + 1e-9),
        )
        values = [own * 2.0**step for step in range(first, last + 1)]
    else:
        values = [low * (high / low) ** (i / (points - 1)) for i in range(points)]
    found = {
        own if math.isclose(value, own, rel_tol=1e-9) else rounded(axis, value, patch)
        for value in values
    }
    return sorted(found | ({own} if low <= own <= high else set()))


class Asked(NamedTuple):
    """Which curve: of a recipe along an axis, from low to high (None: around the recipe's own
    value), at so many points (None: its doublings). worth: percent of the scale that a doubling of
    GPU-hours must bring; fixed_tokens: visual tokens stay when the resolution moves.
    """

    recipe: Recipe
    axis: str
    low: float | None = None
    high: float | None = None
    points: int | None = None
    level: float = 0.8
    worth: float | None = None
    fixed_tokens: bool = False


class Ground(NamedTuple):
    """What a curve is judged by. costs: of a recipe."""

    posterior: Posterior
    words: Vocabulary
    costs: Costs


def curve(asked: Asked, tasks: TaskMix, on: Ground, rows: Sequence[Pair] = ()) -> Curve:
    """The curve of a mix along an axis; it ends where a request no longer fits the LLM's context.
    `rows`: printed pairs (`steps.pairs`).

    Raises RecipeError.
    """
    posterior, words, axis = on.posterior, on.words, asked.axis
    held = words.connector_class(asked.recipe.stated()) not in (None, "projection")
    asked = asked._replace(fixed_tokens=asked.fixed_tokens or held)
    own, reach = own_value(asked.recipe, axis, words), covered(axis, posterior)
    families = {name: words.records("benchmark")[name]["family"] for name in tasks.benchmarks}
    found = [_point(asked, value, own, tasks, on) for value in _values(asked, own, reach, words)]
    room = words.records("llm").get(asked.recipe.llm or "", {}).get("context")
    kept = [point for point in found if not room or _request(point) <= room or point.value == own]
    steps = {name: weight * posterior.scale_of(name) for name, weight in tasks.benchmarks.items()}
    noise = math.sqrt(Change({}, {}, posterior, words).mix_noise(steps))
    ours = [pair for pair in rows if pair.family in set(families.values())]
    # printed rows take their tokens along, this curve does not
    alone = axis == "resolution" and asked.fixed_tokens
    same, others = (
        beside(
            printed([pair for pair in ours if pair.same == side], EDGES[axis]),
            () if alone else kept,
            noise,
        )
        for side in (True, False)
    )
    return Curve(
        axis,
        tasks,
        asked.recipe,
        own,
        asked.level,
        tuple(kept),
        reach,
        len(posterior.support.get(FEATURE[axis], ())),
        noise,
        asked.worth,
        stop(kept, noise, asked.worth, axis),
        same,
        others,
        (
            *_notes(axis, asked.recipe, kept, asked.fixed_tokens, words),
            *_edges(asked, found, kept, room, on),
        ),
    )


def _request(point: Point) -> float:
    """Tokens of a request and its answer."""
    return (point.visual_tokens or 0) + PROMPT_TOKENS + OUTPUT_TOKENS


def _values(asked: Asked, own: float, reach: tuple[float, float], words: Vocabulary) -> list[float]:
    """The values of the curve; an end that is asked for is one of them, between doublings too."""
    below, above = min(own, asked.high or own), max(own, asked.low or own)
    low = asked.low or min(below, max(reach[0], below / AROUND))
    high = asked.high or max(above, min(reach[1], above * AROUND))
    patch = _patch(asked.recipe, words)
    ends = {rounded(asked.axis, end, patch) for end in (asked.low, asked.high) if end}
    return sorted(ends.union(grid(asked.axis, own, low, high, asked.points, patch)))


def _point(asked: Asked, value: float, own: float, tasks: TaskMix, on: Ground) -> Point:
    """One value: the change against the recipe's own, costs, what the next doubling gains."""
    recipe, axis, words = asked.recipe, asked.axis, on.words
    families = {name: words.records("benchmark")[name]["family"] for name in tasks.benchmarks}

    def place(there: float) -> Recipe:
        return recipe if there == own else at(recipe, axis, there, asked.fixed_tokens)

    home = math.isclose(2 * value, own, rel_tol=1e-9)
    mine, further = place(value), own if home else rounded(axis, 2 * value, _patch(recipe, words))
    here = Change(recipe.stated(), mine.stated(), on.posterior, words)
    step = Change(mine.stated(), place(further).stated(), on.posterior, words)
    gained = step.mix(tasks.benchmarks, families, asked.level)
    costs = on.costs(mine)
    hours, later = costs[0], on.costs(place(further))[0]
    ratio = math.log2(later / hours) if hours and later and later > hours else None
    gain = Gain(
        gained.expected,
        gained.low,
        gained.high,
        bool(step.beyond),
        gained.expected / ratio if ratio else None,
    )
    mix = here.mix(tasks.benchmarks, families, asked.level) if value != own else None
    expected = (mix.expected, mix.low, mix.high) if mix else (0.0, 0.0, 0.0)
    return Point(value, mine, *expected, *costs, bool(here.beyond), gain)


def _edges(
    asked: Asked, found: Sequence[Point], kept: Sequence[Point], room: int | None, on: Ground
) -> list[str]:
    """Where the curve ends and why, and what about it cannot be compared."""
    axis, reach, out = asked.axis, covered(asked.axis, on.posterior), []
    if len(kept) < len(found):
        lost = min(point.value for point in found if point not in kept)
        out.append(
            f"the curve ends before {shown(axis, lost)}: from there on a request does not fit the"
            f" {room:,} tokens of context of {asked.recipe.llm}"
        )
    if any(point.extrapolated and reach[0] <= point.value <= reach[1] for point in kept):
        out.append(
            "where pixels are inside the tables' range and the curve is not, the tokens that"
            f" follow them leave it ({covered('visual_tokens', on.posterior)[1]:.0f})"
        )
    if axis == "resolution" and asked.fixed_tokens:
        out.append(
            "in most printed rows the tokens follow the resolution, on this curve they do not: the"
            " two are not compared"
        )
    return out


def _patch(recipe: Recipe, words: Vocabulary) -> int:
    """Pixels of the largest patch among the recipe's encoders (14 where the registry has none)."""
    sizes = [
        words.records("encoder").get(part, {}).get("patch_size")
        for part in (recipe.encoder or "").split("+")
    ]
    return int(max((size for size in sizes if size), default=14))


def shown(axis: str, value: float) -> str:
    """A value of an axis as people write it."""
    if axis == "llm_params_b":
        return f"{value:.3g}B"
    if axis == "data_size":
        return f"{value / 1e6:.3g}M" if value >= 1e6 else f"{value / 1e3:.3g}K"
    return f"{value:.0f}" + (" px" if axis == "resolution" else "")


def stop(points: Sequence[Point], noise: float, worth: float | None, axis: str) -> Stop:
    """Which doublings pay: those that gain more than the noise of two runs, and their worth if one
    is named. Those outside the tables' range are not judged.
    """
    judged = [point for point in points if not point.gain.extrapolated]
    if not judged:
        return Stop(
            None, "not judged", (), "no doubling on this curve stays inside the range of the tables"
        )
    values = [point.value for point in points]

    def steps(some: Sequence[Point]) -> str:
        spans = _spans([point.value for point in some], values)
        return ", ".join(f"{shown(axis, low)} to {shown(axis, high)}" for low, high in spans)

    verdicts = [_pays(point.gain, noise, worth) for point in judged]
    paying, failing, open_ = (
        [point for point, verdict in zip(judged, verdicts) if verdict is side]
        for side in (True, False, None)
    )
    pays, at, why = _pattern(judged, paying, failing, steps, (noise, worth))
    tied = _tied(judged, paying, noise) if worth is None else []
    if tied:
        first = tied[0].gain.expected
        digits = _apart(first, noise)
        why = (
            f"from {shown(axis, tied[0].value)} on a doubling brings about the noise of two runs on"
            f" this mix: {first:+.{digits}f} for {noise:.{digits}f} (one standard deviation)"
        )
        if before := judged[: -len(tied)]:
            least = min(point.gain.expected for point in before)
            why += f"; before it pays: {steps(before)} ({least:+.2f} or more)"
    if open_:
        why += (
            f"; not known: {steps(open_)} (gains more than the noise, but what it costs more is not"
            " known)"
        )
    close = tied[0].value if tied else None
    return Stop(at, pays, tuple(point.value for point in open_), why, close)


def _tied(judged: Sequence[Point], paying: Sequence[Point], noise: float) -> list[Point]:
    """The doublings at the end of a curve that gain about the noise, where all before them pay."""
    near = [abs(point.gain.expected - noise) <= TIE * noise for point in judged]
    start = next((i for i in range(len(near), 0, -1) if not near[i - 1]), 0)
    clear = all(point in paying for point in judged[:start])
    return list(judged[start:]) if clear else []


def _pattern(
    judged: Sequence[Point],
    paying: Sequence[Point],
    failing: Sequence[Point],
    steps: Callable[[Sequence[Point]], str],
    asked: tuple[float, float | None],
) -> tuple[str, float | None, str]:
    """(Stop.pays, Stop.at, Stop.why). asked: the noise, and what a doubling must be worth."""
    before, after = (
        [point for point in failing if paying and (point.value > paying[-1].value) == side]
        for side in (False, True)
    )
    if after:
        last = paying[-1]
        why = (
            f"from {steps(after[:1])} the mix gains {_short(after[0], *asked)}; the last that"
            f" pays: {steps([last])} ({last.gain.expected:+.2f})"
        )
        return "until", after[0].value, why + (f"; nor does {steps(before)}" if before else "")
    if len(paying) == len(judged):
        return "all", None, _all_pay(judged, steps, asked)
    if paying:
        why = (
            f"a doubling pays from {steps(paying)}, not from {steps(before)}"
            f" ({_short(before[-1], *asked)})"
            if before
            else f"every doubling whose cost is known pays: {steps(paying)}"
        )
        return "some", None, why
    if failing:
        best = max(failing, key=lambda point: _near(point, *asked))
        why = (
            f"no doubling from {steps(failing)} pays: even the best, {steps([best])}, gains"
            f" {_short(best, *asked)}"
        )
        return "none", None, why
    return "unknown", None, "whether a doubling pays is not known"


def _near(point: Point, noise: float, worth: float | None) -> tuple[bool, float]:
    """How near a doubling is to paying."""
    gain = point.gain.expected if worth is None else point.gain.per_hours or 0.0
    return point.gain.expected >= noise, round(gain, 2)


def _all_pay(
    judged: Sequence[Point],
    steps: Callable[[Sequence[Point]], str],
    asked: tuple[float, float | None],
) -> str:
    """That every doubling pays, and how much the poorest gains."""
    (noise, worth), least = asked, min(point.gain.expected for point in judged)
    digits = _apart(least, noise)
    why = (
        f"every doubling from {steps(judged)} pays: each gains {least:+.{digits}f} or more; the"
        f" noise of two runs on this mix is {noise:.{digits}f} (one standard deviation)"
    )
    if worth is not None:
        poorest = min(point.gain.per_hours or 0.0 for point in judged)
        why += (
            f", and {poorest:+.{_apart(poorest, worth)}f} or more per doubling of GPU-hours"
            f" ({worth:g} is asked)"
        )
    return why


def _pays(gain: Gain, noise: float, worth: float | None) -> bool | None:
    """None: it gains more than the noise, but what that is per doubling of GPU-hours is not
    known.
    """
    if gain.expected < noise:
        return False
    return True if worth is None else None if gain.per_hours is None else gain.per_hours >= worth


def _short(point: Point, noise: float, worth: float | None) -> str:
    """What a doubling gains, and why that does not pay."""
    gain = point.gain
    if gain.expected < noise:
        digits = _apart(gain.expected, noise)
        return (
            f"{gain.expected:+.{digits}f}, less than {noise:.{digits}f}, the noise of two runs on"
            " this mix (one standard deviation)"
        )
    return (
        f"{gain.expected:+.2f}, and {gain.per_hours:+.{_apart(gain.per_hours, worth)}f} per"
        f" doubling of GPU-hours, less than the {worth:g} that you ask"
    )


def _apart(a: float, b: float) -> int:
    """Decimals with which two numbers look different: two, or more where they are close."""
    return next((digits for digits in range(2, 9) if f"{a:.{digits}f}" != f"{b:.{digits}f}"), 2)


def _spans(starts: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """Doublings from `starts` joined to spans; the end of one is a value of the curve where there
    is one (values are rounded).
    """
    out: list[tuple[float, float]] = []
    for start in starts:
        end = next(
            (value for value in values if math.isclose(value, 2 * start, rel_tol=0.03)), 2 * start
        )
        if out and start <= out[-1][1]:
            out[-1] = out[-1][0], end
        else:
            out.append((start, end))
    return out


def _notes(
    axis: str, recipe: Recipe, points: Sequence[Point], fixed_tokens: bool, words: Vocabulary
) -> list[str]:
    """Conventions: what moves along, what cannot bend, what is physically odd."""
    out = [BENDS[axis]]
    kind = words.connector_class(recipe.stated())
    if axis == "resolution" and not fixed_tokens:
        side = math.sqrt(UNIT["visual_tokens"][0]) * _patch(recipe, words)
        out = [
            f"the model's gain per doubling of the resolution changes at {side:.0f} px (576 tokens)"
            " and at 672 px, and nowhere else"
        ]
    if axis == "resolution":
        out.append(
            "visual tokens are held: only the pixels change"
            if fixed_tokens and kind in (None, "projection")
            else (
                f"{recipe.connector} reads any grid into the same number of tokens: only the pixels"
                " change"
                if fixed_tokens
                else (
                    "visual tokens follow the resolution (the patch grid): a doubling means four"
                    " times the tokens"
                )
            )
        )
    if axis == "visual_tokens":
        grid_ = visual_tokens(change(recipe, visual_tokens=None).stated(), words)
        if grid_ and any(point.value > grid_ for point in points):
            out.append(
                f"the patch grid at {recipe.resolution} px has {grid_:g} tokens: more need tiles or"
                " more pixels, whose encoder cost is not in here (curve resolution counts it)"
            )
        if grid_ and kind == "projection" and any(point.value < grid_ for point in points):
            out.append(f"fewer than {grid_:g} tokens need pooling before the {recipe.connector}")
    if axis == "llm_params_b":
        out.append(
            "size alone, of the LLM as it is; costs are those of the nearest LLM in the registry,"
            " so they move in steps"
        )
    if axis == "data_size":
        out.append("the same mix in another amount; GPU-hours include the 558K alignment captions")
    return out


def beside(parts: Sequence[Printed], points: Sequence[Point], noise: float) -> tuple[Printed, ...]:
    """Printed rows with what the model gains per doubling in the same ranges, and whether the two
    differ by more than the noise.
    """
    out = []
    for part in parts:
        inside = [
            (
                math.log2(min(part.high, 2 * point.value) / max(part.low, point.value)),
                point.gain.expected,
            )
            for point in points
            if point.value < part.high
            and 2 * point.value > part.low
            and not point.gain.extrapolated
        ]
        total = sum(weight for weight, _ in inside)
        model = sum(weight * gain for weight, gain in inside) / total if total > SLIVER else None
        out.append(
            part._replace(
                model=model,
                disagree=part.gain is not None
                and model is not None
                and abs(part.gain - model) > noise,
            )
        )
    return tuple(out)
