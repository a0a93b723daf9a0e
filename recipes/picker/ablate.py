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
    rival: str | None
    levels: int
    candidates: tuple[tuple[str, float], ...]
    merged: tuple[tuple[str, tuple[str, ...]], ...]
    p_changes_pick: float
    expected_gain: float
    switch_gain: float
    runs: int | None
    gpu_hours: float | None
    plan: tuple[tuple[str, int], ...]
    confidence_now: float
    confidence_after: float
    gain_per_hour: float
    worth: bool
    noise: float
    path: tuple[Stage, ...] = ()
    hours: tuple[float, ...] = ()


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
    worth = math.sqrt(noise) if worth is None else worth
    found, out = {}, []
    for axis in AXES:
        levels = axis_levels(scores, picked, axis, allowed)
        own = _name(scores.space, picked, axis)
        found[axis] = levels, own, merge(levels, own, scores, axis)
    open_axes = sum(len(groups) > 1 for _, _, groups in found.values()) or 1
    for axis, (levels, own, groups) in found.items():
        field = _field(list(groups), own, levels, scores)
        path, best = trials.path(
            field.means,
            field.covariance,
            noise,
            field.names.index(own),
            confidence ** (1 / open_axes) if whole else confidence,
        )
        merged = tuple((name, tuple(groups[name])) for name in field.names if groups[name])
        cost = (
            tuple(hours(levels[name]) for name in field.names) if len(field.names) > 1 else (0.0,)
        )
        out.append(
            _value(
                axis,
                own,
                len(levels),
                field,
                merged,
                path,
                best,
                cost,
                confidence,
                worth,
                math.sqrt(noise),
            )
        )
    out.sort(
        key=lambda value: (
            value.p_changes_pick < RARELY,
            -value.gain_per_hour,
            -value.p_changes_pick,
            value.axis,
        )
    )
    return out


def _value(
    axis: str,
    own: str,
    count: int,
    field: _Field,
    merged: tuple,
    path: Sequence[Stage],
    best: Sequence[float],
    hours: tuple[float, ...],
    confidence: float,
    worth: float,
    sd: float,
) -> AxisValue:
    names = field.names
    if len(names) == 1:
        return AxisValue(
            axis,
            own,
            None,
            count,
            ((own, 1.0),),
            merged,
            0.0,
            0.0,
            0.0,
            0,
            0.0,
            (),
            1.0,
            1.0,
            0.0,
            False,
            sd,
            tuple(path),
            hours,
        )
    reached = next((stage for stage in path if stage.confidence >= confidence), None)
    last = reached or path[-1]
    at = last if sum(last.runs) >= 2 else path[2]
    needed = 0 if reached is path[0] else sum(last.runs)
    rival = max((i for i, name in enumerate(names) if name != own), key=lambda i: (best[i], -i))
    cost = sum(n * h for n, h in zip(at.runs, hours))
    switch = max(field.means) - field.means[names.index(own)]
    spent = sum(n * h for n, h in zip(last.runs, hours))
    return AxisValue(
        axis,
        own,
        names[rival],
        count,
        tuple(zip(names, best)),
        merged,
        at.p_changes,
        at.gain,
        switch,
        needed if reached else None,
        spent if reached else None,
        _runs(names, last) if needed else (),
        path[0].confidence,
        last.confidence,
        at.gain / cost if cost else 0.0,
        at.gain >= worth,
        sd,
        tuple(path),
        hours,
    )


def _runs(
    names: Sequence[str], stage: Stage, made: int = 0, own: str = ""
) -> tuple[tuple[str, int], ...]:
    """(level, runs) of a stage, less those of the picked recipe that are made already."""
    counts = [(name, n - min(made, n) if name == own else n) for name, n in zip(names, stage.runs)]
    return tuple((name, n) for name, n in counts if n)


def sequence(
    values: Sequence[AxisValue], confidence: float, worth: float | None = None
) -> list[Step]:
    """The runs on all axes until the full recipe is the best of the candidates with the asked
    confidence, or as far as the paths go.

    Runs go where they add most to the logarithm of the confidence for an hour; then the axes stand
    in the order of `values`, those not worth their runs at the end. `values`: of `ablate` with
    `whole`. The picked recipe is an arm of every axis: its runs are shared.
    """
    open_axes = [value for value in values if len(value.candidates) > 1]
    own = [[name for name, _ in value.candidates].index(value.picked) for value in open_axes]
    # by axis and stage: logarithm of the confidence, GPU-hours of the rivals' runs, runs of the
    # picked recipe
    stages = [
        [
            (
                math.log(max(stage.confidence, 1e-9)),
                sum(n * h for i, (n, h) in enumerate(zip(stage.runs, value.hours)) if i != mine),
                stage.runs[mine],
            )
            for stage in value.path
        ]
        for value, mine in zip(open_axes, own)
    ]
    base = max((value.hours[mine] for value, mine in zip(open_axes, own)), default=0.0)
    place, made = [0] * len(open_axes), 0
    while sum(line[at][0] for line, at in zip(stages, place)) < math.log(confidence):
        best = None
        for axis, (line, at) in enumerate(zip(stages, place)):
            sure, spent, _ = line[at]
            for further in range(at + 1, len(line)):
                then, cost, shared = line[further]
                rate = (then - sure) / max(cost - spent + max(0, shared - made) * base, 1e-9)
                if rate > 0 and (best is None or rate > best[0]):
                    best = rate, axis, further
        if best is None:
            break
        place[best[1]] = best[2]
        made = max(made, stages[best[1]][best[2]][2])
    chosen = [
        (value, value.path[at], mine, line[at][1])
        for value, line, at, mine in zip(open_axes, stages, place, own)
        if at
    ]
    least = {value.axis: value.noise if worth is None else worth for value in values}
    # stable: the order of `values`, what is not worth its runs at the end
    chosen.sort(key=lambda item: item[1].gain < least[item[0].axis])
    chance, made, out = math.prod(value.path[0].confidence for value in values), 0, []
    for value, stage, mine, cost in chosen:
        levels = _runs([name for name, _ in value.candidates], stage, made, value.picked)
        chance *= stage.confidence / value.path[0].confidence
        out.append(
            Step(
                value.axis,
                levels,
                sum(n for _, n in levels),
                cost + max(0, stage.runs[mine] - made) * base,
                stage.gain,
                stage.gain >= least[value.axis],
                chance,
            )
        )
        made = max(made, stage.runs[mine])
    return out


class Plan(NamedTuple):
    """The runs to buy with so many GPU-hours: (axis, (level, runs)) in the order of `ablate`; what
    they cost, and the gain expected from all of them.
    """

    gpu_hours: float
    runs: int
    gain: float
    steps: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]


def within(values: Sequence[AxisValue], most: float) -> Plan | None:
    """The runs on all axes that cost at most so many GPU-hours and promise most: more runs where
    they add most gain for an hour. The runs of the picked recipe are shared by all axes. None: not
    even the first two runs are within reach, or nothing competes.
    """
    open_axes = [value for value in values if len(value.candidates) > 1]
    place, made = [0] * len(open_axes), 0

    def priced(axis: int, stage: int) -> tuple[float, float, int]:
        """(gain, GPU-hours of the rivals, runs of the picked recipe) of a stage."""
        value = open_axes[axis]
        mine = [name for name, _ in value.candidates].index(value.picked)
        runs = value.path[stage].runs
        spent = sum(n * h for i, (n, h) in enumerate(zip(runs, value.hours)) if i != mine)
        return value.path[stage].gain, spent, runs[mine]

    base = next((v.hours[[n for n, _ in v.candidates].index(v.picked)] for v in open_axes), 0.0)
    total = 0.0
    while True:
        best = None
        for axis, value in enumerate(open_axes):
            gain, spent, _ = priced(axis, place[axis])
            for further in range(place[axis] + 1, len(value.path)):
                then, cost, shared = priced(axis, further)
                extra = cost - spent + max(0, shared - made) * base
                if then > gain and total + extra <= most:
                    rate = (then - gain) / max(extra, 1e-9)
                    if best is None or rate > best[0]:
                        best = rate, axis, further, extra
        if best is None:
            break
        _, axis, further, extra = best
        place[axis], total = further, total + extra
        made = max(made, priced(axis, further)[2])
    if not any(place):
        return None
    chosen = [(value, value.path[at]) for value, at in zip(open_axes, place) if at]
    steps, own = [], 0
    for value, stage in chosen:
        levels = _runs([n for n, _ in value.candidates], stage, own, value.picked)
        steps += [(value.axis, levels)] if levels else []
        own = max(own, dict(zip([n for n, _ in value.candidates], stage.runs))[value.picked])
    return Plan(
        total,
        sum(n for _, levels in steps for _, n in levels),
        sum(stage.gain for _, stage in chosen),
        tuple(steps),
    )
