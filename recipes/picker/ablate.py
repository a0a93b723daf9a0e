"""Which axis to ablate first: the probability that knowing it better would change the pick, the gain, and the runs.

In: a Pick's competitors with the model's joint uncertainty. Out: AxisValue per axis. For each axis, the others are
held at their expected effects and the axis's own effects are drawn from the posterior (seeded): how often is another
level than the picked one best, and how much better on average? Then: how many controlled runs per level until the
better of the two leading levels is named with the asked confidence? Expected value of perfect information:
Raiffa & Schlaifer 1961, ch. 4.
"""
import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

from . import rank
from .rank import Candidate
from .space import Space

NORMAL = NormalDist()
AXES = ("encoder", "connector", "llm", "data", "resolution")
DRAWS = 2000
MOST_RUNS = 64


class AxisValue(NamedTuple):
    """What ablating one axis is worth.

    levels: how many levels compete. rival: the level that is best most often when the picked one is not.
    p_changes_pick: probability that another level is truly better. expected_gain: mean gain of knowing, in percent of
    the mix's scale. runs: controlled runs until `confidence_after` (None: not within 64). gpu_hours: their cost.
    """
    axis: str
    picked: str
    rival: str | None
    levels: int
    p_changes_pick: float
    expected_gain: float
    runs: int | None
    gpu_hours: float | None
    confidence_now: float
    confidence_after: float


def axis_levels(scores: rank.Scores, picked: Candidate, axis: str, allowed: Callable[[Candidate], bool]) -> dict[str, Candidate]:
    """The competing levels of an axis: the picked recipe with only that axis changed, the best allowed version of each level."""
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
            if 0.5 <= language.record["params_b"] / size <= 1.5:  # another LLM of the same class, not a bigger budget
                offer(language.slug, (v, i, d), scores.languages[i])
    elif axis == "data":
        for i, data in enumerate(space.data):
            offer(data.slug, (v, x, i), scores.data[i])
    else:
        mine = space.visuals[v].recipe
        for i, visual in enumerate(space.visuals):
            other = visual.recipe
            same = {"encoder": other.connector == mine.connector and (other.tiling is None) == (mine.tiling is None),
                    "connector": other.encoder == mine.encoder and other.resolution == mine.resolution,
                    "resolution": other.encoder == mine.encoder and other.connector == mine.connector}[axis]
            if same:
                name = {"encoder": other.encoder, "connector": other.connector,
                        "resolution": f"{other.resolution}{'' if other.tiling is None else ' tiled'}"}[axis]
                offer(name, (i, x, d), scores.visuals[i])
    return out


def ablate(scores: rank.Scores, picked: Candidate, confidence: float, hours_per_run: float,
           allowed: Callable[[Candidate], bool] = lambda candidate: True) -> list[AxisValue]:
    """The value of each axis, the most valuable first (probability of changing the pick, then gain).

    `allowed` says which candidates meet the user's constraints: a level that only exists outside them is no rival.
    """
    out = []
    for axis in AXES:
        levels = axis_levels(scores, picked, axis, allowed)
        own = _own_name(scores.space, picked, axis)
        levels[own] = picked  # not a better version of it: its level as it stands
        names = sorted(levels, key=lambda name: (-scores.mean(levels[name]), name))[:12]
        if own not in names:
            names.append(own)
        if len(names) < 2:
            out.append(AxisValue(axis, own, None, len(levels), 0.0, 0.0, 0, 0.0, 1.0, 1.0))
            continue
        candidates = [levels[name] for name in names]
        labels = [tuple(label for label in rank.labels(scores, levels[name]) if label[0].partition("_")[0] == axis) for name in names]
        means = [scores.mean(candidate) for candidate in candidates]
        covariance = rank.joint_covariance(candidates, labels, scores)
        draws = rank.draw(means, covariance, DRAWS)
        me = names.index(own)
        wins = [0] * len(names)
        gain = 0.0
        for values in draws:
            best = max(range(len(values)), key=values.__getitem__)
            wins[best] += 1
            gain += values[best] - values[me]
        rival = max((i for i in range(len(names)) if i != me), key=lambda i: (wins[i], -i))
        noise = sum(step * step * scores.posterior.noise(name) for name, step in scores.steps.items())
        gap = means[me] - means[rival]
        variance = covariance[me][me] + covariance[rival][rival] - 2 * covariance[me][rival]
        runs, after = runs_until(gap, variance, noise, confidence)
        out.append(AxisValue(axis, own, names[rival], len(levels), 1 - wins[me] / len(draws), gain / len(draws),
                             None if runs is None else 2 * runs, None if runs is None else 2 * runs * hours_per_run,
                             right_choice(gap, variance, noise, 0), after))
    out.sort(key=lambda value: (-value.p_changes_pick, -value.expected_gain, value.axis))
    return out


def _own_name(space: Space, picked: Candidate, axis: str) -> str:
    v, x, d = picked
    recipe = space.visuals[v].recipe
    return {"llm": space.languages[x].slug, "data": space.data[d].slug, "encoder": recipe.encoder, "connector": recipe.connector,
            "resolution": f"{recipe.resolution}{'' if recipe.tiling is None else ' tiled'}"}[axis]


def right_choice(gap: float, variance: float, noise: float, runs: int, points: int = 400) -> float:
    """Probability of choosing the truly better of two levels after `runs` paired comparisons.

    The true difference is N(gap, variance); each comparison adds noise. The choice follows the posterior mean;
    integrated over the true difference on a fixed grid of quantiles.
    """
    sd = math.sqrt(variance)
    if sd == 0:
        return 1.0
    weight = 0.0 if runs == 0 else variance / (variance + noise / runs)
    total = 0.0
    for i in range(points):
        true = gap + sd * NORMAL.inv_cdf((i + 0.5) / points)
        centre = gap + weight * (true - gap)
        spread = weight * math.sqrt(noise / runs) if runs else 0.0
        p_positive = NORMAL.cdf(centre / spread) if spread else float(centre > 0) if centre else 0.5
        total += p_positive if true > 0 else 1 - p_positive
    return total / points


def runs_until(gap: float, variance: float, noise: float, confidence: float) -> tuple[int | None, float]:
    """(paired runs until the right choice has the asked probability, that probability); None when 64 do not do."""
    now = right_choice(gap, variance, noise, 0)
    if now >= confidence:
        return 0, now
    low, high = 0, 1
    while high <= MOST_RUNS and right_choice(gap, variance, noise, high) < confidence:
        low, high = high, high * 2
    if high > MOST_RUNS:
        return None, right_choice(gap, variance, noise, MOST_RUNS)
    while high - low > 1:
        middle = (low + high) // 2
        if right_choice(gap, variance, noise, middle) >= confidence:
            high = middle
        else:
            low = middle
    return high, right_choice(gap, variance, noise, high)
