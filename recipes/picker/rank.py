"""Rank the candidate recipes under constraints: score, cost, latency, memory; top list and
probability of being best.

In: a Space, a task mix, a Posterior, constraints. Out: a Pick: the best recipes with deltas and
costs, and exact counts of what each constraint excludes. The search is exact: effects add up over
visual part, LLM and data, and costs (limits.py) depend on few numbers of each, so all combinations
are judged without building them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..cost import flops, training
from ..effects.results import Mix
from ..terms.recipe import Recipe
from ..terms.tasks import TaskMix
from ..terms.vocabulary import Vocabulary
from .competition import Competition, competition
from .limits import Constraints, Costs, Pairs, costs_of
from .scores import Candidate, Scores, leaders
from .space import Data, Language, Visual

CANDIDATES = 40  # recipes that compete in the probability of being best


class Ranked(NamedTuple):
    """One recipe of the answer."""

    recipe: Recipe
    visual: Visual
    language: Language
    data: Data
    mix: Mix
    p_best: float
    costs: Costs
    tied: bool  # the evidence cannot tell it from the best
    ranks: tuple[int, int] = (1, 1)  # 80 % interval of its rank among the competitors


class Pick(NamedTuple):
    """The answer: top recipes, how many were considered, and (reason, count) of exclusions.

    recipes: in the order of `pick`. cheapest: the cheapest of all competitors that are tied with
    the best; highest: the best by the asked order (None: it is the first of the list).
    """

    baseline: Recipe
    baseline_costs: Costs
    tasks: TaskMix
    recipes: tuple[Ranked, ...]
    # how many of the competitors the evidence cannot tell from the best
    tied: int
    competitors: int  # the recipes behind p_best
    considered: int
    excluded: tuple[tuple[str, int], ...]
    left_out: tuple[tuple[str, int], ...]
    # of relax.Advice: when nothing fits, what would have to give (added by who asks for it)
    advice: tuple = ()
    cheapest: Ranked | None = None
    risk: str = "expected"
    # standard deviation of the difference of two runs on the mix
    noise: float = 0.0
    highest: Ranked | None = None


def pick(
    scores: Scores,
    limits: Constraints,
    calibration: training.Calibration,
    *,
    top: int = 5,
    level: float = 0.8,
    risk: str = "expected",
    compete: bool = True,
    pairs: Pairs | None = None,
) -> Pick:
    """The `top` recipes that meet the constraints. Deterministic.

    By expected gain; those of the CANDIDATES leaders that are as good as the best but for the noise
    of two runs come first, the cheapest to train before the others. risk: `lower` ranks by the
    lower end of the interval, `p_better` by the probability of beating the baseline (risk.py).
    compete: without it no probabilities of being best. pairs: the costs under these limits, if
    known.
    """
    space, baseline, words = scores.space, scores.baseline, scores.words
    pairs = pairs or Pairs(space, limits, words, calibration)
    counts, excluded = pairs.counts()
    if risk == "expected":
        chosen = list(leaders(scores, counts, max(top, CANDIDATES)))
    else:
        from .risk import cautious  # which needs the scores and leaders of this module

        chosen = cautious(scores, counts, max(top, CANDIDATES), level, risk)
    best = chosen[0] if chosen else None
    work = {
        (v, x, d): (
            costs_of(
                space.visuals[v], space.languages[x], space.data[d], limits, words, calibration
            ).gpu_hours.gpu_hours
        )
        for v, x, d in chosen
    }
    if risk == "expected" and best:
        equal = {
            candidate
            for candidate in chosen
            if scores.mean(candidate) >= scores.mean(best) - scores.noise
        }
        # stable: the others keep their order
        chosen.sort(key=lambda candidate: work[candidate] if candidate in equal else math.inf)
    ranked, tied, cheapest, highest = _judge(
        chosen,
        chosen.index(best) if best else 0,
        work,
        scores,
        limits,
        calibration,
        top,
        level,
        compete,
    )
    visual, language, data = _baseline_parts(baseline, words)
    return Pick(
        baseline,
        costs_of(visual, language, data, limits, words, calibration),
        scores.tasks,
        tuple(ranked),
        tied,
        len(chosen),
        space.size,
        tuple((k, n) for k, n in excluded.items() if n),
        space.left_out,
        (),
        cheapest,
        risk,
        scores.noise,
        highest,
    )


def _baseline_parts(baseline: Recipe, words: Vocabulary) -> tuple[Visual, Language, Data]:
    encoder = words.records("encoder")[baseline.encoder]
    side = int(baseline.resolution)
    grid = float(flops.patch_tokens(encoder, side))
    visual = Visual(
        baseline,
        ((encoder, side, 1),),
        flops.encoder_forward(encoder, side),
        flops.trunk_params(encoder),
        encoder["width"],
        grid,
        float(baseline.visual_tokens or grid),
    )
    return (
        visual,
        Language(baseline.llm, words.records("llm")[baseline.llm]),
        Data(baseline.data, baseline.data_size, ""),
    )


def _judge(
    competitors: Sequence[Candidate],
    best: int,
    work: Mapping[Candidate, float],
    scores: Scores,
    limits: Constraints,
    calibration: training.Calibration,
    top: int,
    level: float,
    compete: bool,
) -> tuple[list[Ranked], int, Ranked | None, Ranked | None]:
    """The leading recipes with intervals, probability of being best and costs; how many competitors
    are tied with the best; the cheapest of these, and the best, each if it is not the first of the
    list. best: its number; work: GPU-hours of training."""
    if not competitors:
        return [], 0, None, None
    count = len(competitors)
    rival = (
        competition(competitors, scores, best)
        if compete
        else Competition([0.0] * count, [False] * count, [(1, 1)] * count)
    )

    def ranked(number: int) -> Ranked:
        candidate = competitors[number]
        v, x, d = candidate
        visual, language, data = (
            scores.space.visuals[v],
            scores.space.languages[x],
            scores.space.data[d],
        )
        return Ranked(
            scores.recipe(candidate),
            visual,
            language,
            data,
            scores.mix(candidate, level),
            rival.p_best[number],
            costs_of(visual, language, data, limits, scores.words, calibration),
            rival.tied[number],
            rival.ranks[number],
        )

    out = [ranked(number) for number in range(min(top, count))]
    least = min(
        (number for number in range(count) if rival.tied[number]),
        key=lambda number: (work[competitors[number]], number),
        default=0,
    )
    return (
        out,
        sum(rival.tied),
        ranked(least) if compete and least else None,
        ranked(best) if best else None,
    )
