"""Which axis to ablate first: how likely runs on it change the pick, what they gain, how many it
takes, and the plan over all axes.

In: the scores of a space, the picked recipe, what a run of a recipe costs, which recipes are
allowed. Out: AxisValue per axis, and Steps over the axes. Expected value of sample information:
Raiffa & Schlaifer 1961, ch. 5. What runs teach about one axis is trials.py; here it is decided
which levels compete there and what the axes are worth beside each other. Effects add up over the
axes, so the full recipe is the best one when each of its levels is.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from . import competition, trials
from . import scores as scores_
from .scores import Candidate
from .space import Data, Space
from .trials import MOST_LEVELS, Stage

AXES = ("encoder", "connector", "llm", "data", "resolution")
# a level this many standard deviations behind the best one does not compete: it is the better of
# the two with less than 2.3 %
REACH = 2.0
# data mixes of one family whose sizes differ by less than this factor are one candidate
ALIKE = 1.1
RARELY = 0.05  # axes whose runs change the pick less often than this come last


class AxisValue(NamedTuple):
    """What ablating one axis is worth.

    candidates: the levels that compete, with the probability that each is truly the best of them;
    merged: (level, near-duplicates it stands for); levels: how many exist under the constraints.
    plan: (level, runs) until the asked confidence, or as far as MOST_RUNS go. rival: the level most
    likely to be best where the picked one is not. p_changes_pick, expected_gain (percent of the
    mix's scale): of the plan, or of one run of the picked level and one of its rival where none is
    needed. runs, gpu_hours: of the plan (None: MOST_RUNS do not do). switch_gain: expected of the
    best level today, without any run.
    worth: the gain reaches what was asked. path: the stages; hours: GPU-hours of a run of each
    candidate; noise: standard deviation of one run on the mix.
    """

    axis: str
    picked: str
    levels: int
    noise: float
    path: tuple[Stage, ...] = ()
    hours: tuple[float, ...] = ()
    candidates: tuple[tuple[str, float], ...] = ()
    merged: tuple[tuple[str, tuple[str, ...]], ...] = ()
    rival: str | None = None
    p_changes_pick: float = 0.0
    expected_gain: float = 0.0
    switch_gain: float = 0.0
    runs: int | None = 0
    gpu_hours: float | None = 0.0
    plan: tuple[tuple[str, int], ...] = ()
    confidence_now: float = 1.0
    confidence_after: float = 1.0
    gain_per_hour: float = 0.0
    worth: bool = False


class Step(NamedTuple):
    """One axis of the plan over all: its runs (those of the picked recipe are made once for all
    axes), their cost, and how likely the full recipe is the best of the candidates after this step
    and those before it. gain: expected, in percent of the mix's scale; worth: it reaches what was
    asked."""

    axis: str
    levels: tuple[tuple[str, int], ...]
    runs: int
    gpu_hours: float
    gain: float
    worth: bool
    confidence_after: float


def axis_levels(
    scores: scores_.Scores, picked: Candidate, axis: str, allowed: Callable[[Candidate], bool]
) -> dict[str, Candidate]:
    """The competing levels of an axis: the picked recipe with only that axis changed, the best
    allowed version of each level.
    """
    v, x, d = picked
    space = scores.space
    out: dict[str, Candidate] = {}

    def offer(name: str, candidate: Candidate, value: float) -> None:
        if (name not in best or value > best[name]) and (candidate == picked or allowed(candidate)):
            best[name], out[name] = value, candidate

    best: dict[str, float] = {}
    if axis == "llm":
        size = space.languages[x].record["params_b"]
        for i, language in enumerate(space.languages):
            # another LLM of the same class, not a bigger budget
            if 0.5 <= language.record["params_b"] / size <= 1.5:
                offer(language.slug, (v, i, d), scores.languages[i])
    elif axis == "data":
        for i, data in enumerate(space.data):
            offer(data.slug, (v, x, i), scores.data[i])
    else:
        mine = space.visuals[v].recipe
        for i, visual in enumerate(space.visuals):
            other = visual.recipe
            same = {
                "encoder": (
                    other.connector == mine.connector
                    and (other.tiling is None) == (mine.tiling is None)
                ),
                "connector": other.encoder == mine.encoder and other.resolution == mine.resolution,
                "resolution": other.encoder == mine.encoder and other.connector == mine.connector,
            }[axis]
            if same:
                offer(_name(space, (i, x, d), axis), (i, x, d), scores.visuals[i])
    out[_name(space, picked, axis)] = picked  # not a better version of it: its level as it stands
    return out


def _name(space: Space, candidate: Candidate, axis: str) -> str:
    """What a recipe's level on an axis is called. An encoder at any of its resolutions is one
    level.
    """
    v, x, d = candidate
    recipe = space.visuals[v].recipe
    return {
        "llm": space.languages[x].slug,
        "data": space.data[d].slug,
        "encoder": recipe.encoder,
        "connector": recipe.connector,
        "resolution": f"{recipe.resolution}{'' if recipe.tiling is None else ' tiled'}",
    }[axis]


def alike(a: Data, b: Data) -> bool:
    """Are two mixes versions of one, as llava-next-760k and llava-next-790k are: the same name
    before the size, and nearly the same size?
    """
    family = [re.sub(r"-\d+(\.\d+)?[km]$", "", data.slug) for data in (a, b)]
    return family[0] == family[1] and max(a.samples, b.samples) < ALIKE * min(a.samples, b.samples)


def merge(
    levels: dict[str, Candidate], own: str, scores: scores_.Scores, axis: str
) -> dict[str, list[str]]:
    """Levels from the best to the worst, without near-duplicates: the picked one, else the best of
    a group stands for it -> the others of its group.
    """
    order = sorted(levels, key=lambda name: (name != own, -scores.mean(levels[name]), name))
    groups: dict[str, list[str]] = {}
    for name in order:
        mix = scores.space.data[levels[name][2]]
        leader = (
            next(
                (other for other in groups if alike(mix, scores.space.data[levels[other][2]])), None
            )
            if axis == "data"
            else None
        )
        groups.setdefault(leader or name, []).extend([name] if leader else [])
    return dict(sorted(groups.items(), key=lambda item: (-scores.mean(levels[item[0]]), item[0])))


class _Field(NamedTuple):
    """The levels that compete on an axis, with the belief about their true gains."""

    names: list[str]
    means: list[float]
    covariance: list[list[float]]


def _field(
    names: list[str], own: str, levels: dict[str, Candidate], scores: scores_.Scores
) -> _Field:
    """Keep the levels that may be the best: the standard deviation of a difference is measured on
    the picked and the first few.
    """

    def joint(some: Sequence[str]) -> list[list[float]]:
        return competition.joint_covariance([levels[name] for name in some], scores)

    first = list(dict.fromkeys([own, *names[:3]]))
    belief = joint(first)
    spread = max(
        belief[i][i] + belief[j][j] - 2 * belief[i][j]
        for i in range(len(first))
        for j in range(len(first))
    )
    least = scores.mean(levels[names[0]]) - REACH * math.sqrt(max(spread, 0.0))
    kept = [name for name in names if scores.mean(levels[name]) >= least][:MOST_LEVELS]
    kept = kept if own in kept else [*kept[: MOST_LEVELS - 1], own]
    return _Field(
        kept, [scores.mean(levels[name]) for name in kept], belief if kept == first else joint(kept)
    )


def ablate(
    scores: scores_.Scores,
    picked: Candidate,
    confidence: float,
    hours: Callable[[Candidate], float],
    allowed: Callable[[Candidate], bool] = lambda candidate: True,
    worth: float | None = None,
    whole: bool = False,
) -> list[AxisValue]:
    """The value of each axis, that with most gain per GPU-hour first.

    hours: GPU-hours of one run of a recipe. `allowed` says which recipes meet the user's
    constraints: a level that only exists outside them is no rival.
    worth: the gain in percent of the mix's scale that an axis must promise (default: the standard
    deviation of one run). whole: make the paths long enough for `sequence`, with the same
    confidence.
    """
    noise = scores.noise**2 / 2  # of one run
    least = math.sqrt(noise) if worth is None else worth
    found = {}
    for axis in AXES:
        levels = axis_levels(scores, picked, axis, allowed)
        own = _name(scores.space, picked, axis)
        found[axis] = levels, own, merge(levels, own, scores, axis)
    open_axes = sum(len(groups) > 1 for _, _, groups in found.values()) or 1
    enough = confidence ** (1 / open_axes) if whole else confidence
    out = []
    for axis, (levels, own, groups) in found.items():
        field = _field(list(groups), own, levels, scores)
        path, best = trials.path(
            field.means, field.covariance, noise, field.names.index(own), enough
        )
        cost = (
            tuple(hours(levels[name]) for name in field.names) if len(field.names) > 1 else (0.0,)
        )
        value = AxisValue(axis, own, len(levels), math.sqrt(noise), tuple(path), cost)
        merged = tuple((name, tuple(groups[name])) for name in field.names if groups[name])
        out.append(_judged(value, field, merged, best, confidence, least))
    out.sort(
        key=lambda value: (
            value.p_changes_pick < RARELY,
            -value.gain_per_hour,
            -value.p_changes_pick,
            value.axis,
        )
    )
    return out


def _judged(
    value: AxisValue,
    field: _Field,
    merged: tuple,
    best: Sequence[float],
    confidence: float,
    worth: float,
) -> AxisValue:
    """An axis with what its runs are worth. best: how likely each level is the best."""
    names, own, path = field.names, value.picked, value.path
    value = value._replace(candidates=tuple(zip(names, best)), merged=merged)
    if len(names) == 1:
        return value._replace(candidates=((own, 1.0),))
    reached = next((stage for stage in path if stage.confidence >= confidence), None)
    last = reached or path[-1]
    at = last if sum(last.runs) >= 2 else path[2]
    needed = 0 if reached is path[0] else sum(last.runs)
    rival = max((i for i, name in enumerate(names) if name != own), key=lambda i: (best[i], -i))
    cost = sum(n * h for n, h in zip(at.runs, value.hours))
    spent = sum(n * h for n, h in zip(last.runs, value.hours))
    return value._replace(
        rival=names[rival],
        p_changes_pick=at.p_changes,
        expected_gain=at.gain,
        switch_gain=max(field.means) - field.means[names.index(own)],
        runs=needed if reached else None,
        gpu_hours=spent if reached else None,
        plan=_runs(names, last) if needed else (),
        confidence_now=path[0].confidence,
        confidence_after=last.confidence,
        gain_per_hour=at.gain / cost if cost else 0.0,
        worth=at.gain >= worth,
    )


def _runs(
    names: Sequence[str], stage: Stage, made: int = 0, own: str = ""
) -> tuple[tuple[str, int], ...]:
    """(level, runs) of a stage, less those of the picked recipe that are made already."""
    counts = [(name, n - min(made, n) if name == own else n) for name, n in zip(names, stage.runs)]
    return tuple((name, n) for name, n in counts if n)


class _Open(NamedTuple):
    """An axis with several levels. priced: by stage the gain, GPU-hours of the rivals' runs, runs
    of the picked recipe; base: GPU-hours of one of these.
    """

    value: AxisValue
    names: tuple[str, ...]
    priced: tuple[tuple[float, float, int], ...]
    base: float


def _open(values: Sequence[AxisValue]) -> list[_Open]:
    """The axes on which something competes."""
    out = []
    for value in values:
        if len(value.candidates) < 2:
            continue
        names = tuple(name for name, _ in value.candidates)
        mine = names.index(value.picked)
        priced = tuple(
            (
                stage.gain,
                sum(n * h for i, (n, h) in enumerate(zip(stage.runs, value.hours)) if i != mine),
                stage.runs[mine],
            )
            for stage in value.path
        )
        out.append(_Open(value, names, priced, value.hours[mine]))
    return out


def _climb(
    axes: Sequence[_Open],
    worth: Callable[[_Open, int], float],
    enough: Callable[[Sequence[int]], bool],
    most: float = math.inf,
) -> tuple[list[int], float]:
    """(stage of each axis, GPU-hours): one step after another, where it adds most of `worth` for an
    hour, until `enough` or while `most` hours allow it. The picked recipe is an arm of every axis:
    its runs are shared.
    """
    place, made, total = [0] * len(axes), 0, 0.0
    while not enough(place):
        best = None
        for axis, (one, at) in enumerate(zip(axes, place)):
            _, spent, _ = one.priced[at]
            for further in range(at + 1, len(one.priced)):
                _, cost, shared = one.priced[further]
                extra = cost - spent + max(0, shared - made) * one.base
                rate = (worth(one, further) - worth(one, at)) / max(extra, 1e-9)
                if rate > 0 and total + extra <= most and (best is None or rate > best[0]):
                    best = rate, axis, further, extra
        if best is None:
            break
        _, axis, further, extra = best
        place[axis], total = further, total + extra
        made = max(made, axes[axis].priced[further][2])
    return place, total


def sequence(
    values: Sequence[AxisValue], confidence: float, worth: float | None = None
) -> list[Step]:
    """The runs on all axes until the full recipe is the best of the candidates with the asked
    confidence, or as far as the paths go.

    Runs go where they add most to the logarithm of the confidence for an hour; then the axes stand
    in the order of `values`, those not worth their runs at the end. `values`: of `ablate` with
    `whole`.
    """
    axes = _open(values)

    def sure(one: _Open, stage: int) -> float:
        return math.log(max(one.value.path[stage].confidence, 1e-9))

    def enough(place: Sequence[int]) -> bool:
        return sum(map(sure, axes, place)) >= math.log(confidence)

    place, _ = _climb(axes, sure, enough)
    chosen = [(one, one.value.path[at], one.priced[at]) for one, at in zip(axes, place) if at]
    least = {value.axis: value.noise if worth is None else worth for value in values}
    # stable: the order of `values`, what is not worth its runs at the end
    chosen.sort(key=lambda item: item[1].gain < least[item[0].value.axis])
    chance, made, out = math.prod(value.path[0].confidence for value in values), 0, []
    for one, stage, (_, cost, shared) in chosen:
        levels = _runs(one.names, stage, made, one.value.picked)
        chance *= stage.confidence / one.value.path[0].confidence
        out.append(
            Step(
                one.value.axis,
                levels,
                sum(n for _, n in levels),
                cost + max(0, shared - made) * one.base,
                stage.gain,
                stage.gain >= least[one.value.axis],
                chance,
            )
        )
        made = max(made, shared)
    return out


class Plan(NamedTuple):
    """The runs to buy with so many GPU-hours: (axis, (level, runs)) in the order of `ablate`; what
    they cost, and the gain expected from all of them.
    """

    gpu_hours: float
    runs: int
    gain: float
    steps: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


LEAST = 0.05  # of 100 points: a smaller gain would be printed as none


def smallest(values: Sequence[AxisValue]) -> Plan | None:
    """The fewest GPU-hours that buy any gain. None: nothing competes."""
    costs = [
        cost + shared * one.base
        for one in _open(values)
        for gain, cost, shared in one.priced
        if gain > LEAST
    ]
    return within(values, min(costs) + 1e-6) if costs else None


def within(values: Sequence[AxisValue], most: float) -> Plan | None:
    """The runs on all axes that cost at most so many GPU-hours and promise most: more runs where
    they add most gain for an hour. None: not even the first two runs are within reach, or nothing
    competes.
    """
    axes = _open(values)
    place, total = _climb(axes, lambda one, at: one.value.path[at].gain, lambda _: False, most)
    gain = sum(one.value.path[at].gain for one, at in zip(axes, place) if at)
    if gain < LEAST:
        return None
    steps, made = [], 0
    for one, at in zip(axes, place):
        levels = _runs(one.names, one.value.path[at], made, one.value.picked) if at else ()
        steps += [(one.value.axis, levels)] if levels else []
        made = max(made, one.priced[at][2])
    return Plan(
        total,
        sum(n for _, levels in steps for _, n in levels),
        gain,
        tuple(steps),
    )
