"""The best candidates when uncertainty counts: by the lower end of the interval, or by the
probability of beating the baseline.

In: scores and counts of a space (rank.py, limits.py). Out: the candidates, the best first, exactly.
Does not work out costs or probabilities of being best.

The uncertainty of a recipe does not add up over its parts, so no list of leaders by expected gain
is safe. But what is cheap bounds
what is dear: heterogeneity and noise add up over the parts, and the variance of the shared effects
can only come on top. Candidates are judged in the order of this bound until no bound reaches the
last place of what was found (branch and bound).
"""

import heapq
import math
from collections.abc import Mapping, Sequence

from ..effects import tails
from ..effects.change import Change, together
from ..terms.recipe import change
from .scores import Candidate, Scores, leaders

# leaders by expected gain of every set of moved axes that are judged before the bounds are asked
FIRST = 25


def cautious(
    scores: Scores, counts: Sequence[Sequence[int]], width: int, level: float, risk: str
) -> list[Candidate]:
    """The `width` candidates with the highest lower bound (risk "lower") or probability of beating
    the baseline ("p_better").

    counts: per LLM and visual part, how many data mixes (from the smallest) they can afford.
    """
    z = tails.half_width(level)
    value = (
        (lambda mean, variance: mean - z * math.sqrt(variance))
        if risk == "lower"
        else (lambda mean, variance: mean / math.sqrt(variance))
    )
    own, noise = _own_variances(scores)
    # a heap: value, expected gain, candidate turned so that the first ones win ties
    found: list[tuple[float, float, Candidate]] = []
    seen: set[Candidate] = set()

    def judge(candidate: Candidate) -> None:
        if candidate in seen:
            return
        seen.add(candidate)
        v, x, d = candidate
        mean = scores.mean(candidate)
        item = (
            value(
                mean,
                own[0][v] + own[1][x] + own[2][d] + noise + max(scores.variance(candidate), 0.0),
            ),
            mean,
            (-v, -x, -d),
        )
        if len(found) < width:
            heapq.heappush(found, item)
        elif item > found[0]:
            heapq.heappushpop(found, item)

    groups = [
        _split(changes)
        for changes in (scores.visual_changes, scores.language_changes, scores.data_changes)
    ]
    for still_v in groups[0]:
        for still_x in groups[1]:
            for still_d in groups[2]:
                for candidate in leaders(scores, counts, FIRST, (still_v, still_x, still_d)):
                    judge(candidate)
    for bound, candidate in _bounds(
        scores, counts, own, noise, value, found[0][0] if len(found) == width else -math.inf
    ):
        if len(found) == width and bound < found[0][0]:
            break
        judge(candidate)
    return [(-v, -x, -d) for _, _, (v, x, d) in sorted(found, reverse=True)]


def _bounds(
    scores: Scores, counts, own, noise: float, value, least: float
) -> list[tuple[float, Candidate]]:
    """The candidates whose value may reach `least`, the most promising first: (the highest value
    they may have, candidate).
    """
    by_size = sorted(range(len(scores.data)), key=lambda d: (scores.space.data[d].samples, d))
    out = []
    for x, (mean_x, own_x) in enumerate(zip(scores.languages, own[1])):
        for v, (mean_v, own_v) in enumerate(zip(scores.visuals, own[0])):
            mean, variance = mean_v + mean_x, own_v + own_x + noise
            for d in by_size[: counts[x][v]]:
                if scores.space.sized and d not in scores.space.sized[x]:
                    continue
                gain = mean + scores.data[d]
                bound = value(gain, variance + own[2][d])
                # below zero, more variance is better for the probability: it reaches zero at most
                if max(bound, 0.0) >= least:
                    out.append((bound if gain > 0 else max(bound, 0.0), (v, x, d)))
    out.sort(key=lambda item: (-item[0], item[1]))
    return out


def _own_variances(scores: Scores) -> tuple[tuple[list[float], list[float], list[float]], float]:
    """What each visual part, LLM and data mix adds to the variance of a recipe's gain beside the
    shared effects, and the noise of two runs.
    """
    start, step = scores.baseline, together(scores.posterior.wide(scores.steps), scores.families)
    words, posterior = scores.words, scores.posterior

    def alone(**fields) -> float:
        return (
            Change(start.stated(), change(start, **fields).stated(), posterior, words).variance()
            * step
        )

    visuals = [
        alone(
            encoder=v.recipe.encoder,
            connector=v.recipe.connector,
            visual_tokens=v.visual_tokens,
            resolution=v.recipe.resolution,
            tiling=v.recipe.tiling,
        )
        for v in scores.space.visuals
    ]
    languages = [
        alone(llm=x.slug, llm_params_b=x.record["params_b"]) for x in scores.space.languages
    ]
    data = [alone(data=d.slug, data_size=d.samples) for d in scores.space.data]
    return (visuals, languages, data), scores.noise**2


def _split(changes: Sequence[Mapping]) -> list[list[int]]:
    """The choices that change nothing against the baseline, and those that do (empty groups left
    out).
    """
    still = [n for n, change_ in enumerate(changes) if not change_]
    return [
        group for group in (still, [n for n, change_ in enumerate(changes) if change_]) if group
    ]
