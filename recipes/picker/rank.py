"""Rank the candidate recipes under constraints: score, cost, latency, memory; top list and
probability of being best.

In: a Space, a task mix, a Posterior, constraints. Out: a Pick: the best recipes with deltas and
costs, and exact counts of what each constraint excludes. The search is exact: effects add up over
visual part, LLM and data, and costs (limits.py) depend on few numbers of each, so all combinations
are judged without building them.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..cost import flops, training
from ..effects.results import Mix
from ..terms.recipe import Recipe
from ..terms.tasks import TaskMix
from ..terms.vocabulary import Vocabulary
from .competition import Competition, competition
from .limits import ADAPTERS, Constraints, Costs, costs_of
from .pairs import Pairs
from .scores import Adapters, Candidate, Scores, leaders
from .space import Data, Language, Visual

CANDIDATES = 40  # recipes that compete in the probability of being best
# Of two recipes that gain the same, one that costs so much more is dearer: the 80 % interval of the
# hours themselves is far wider, so less is no difference.
CHEAPER = 1.1


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
    unusual: tuple[str, ...] = ()  # its parts that few released models have, each with its reason


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
    of two runs come first, in the order of `habit`. risk: `lower` ranks by the lower end of the
    interval, `p_better` by the probability of beating the baseline (risk.py). compete: without it
    no probabilities of being best. pairs: the costs under these limits, if known.
    """
    space, words = scores.space, scores.words
    pairs = pairs or Pairs(space, limits, words, calibration)
    counts, excluded = pairs.counts()
    width = max(top, CANDIDATES)
    if risk == "expected":
        chosen = list(leaders(scores, counts, width))
        if not chosen:  # no pair of sizes that rows have: others stand behind
            chosen = list(leaders(scores, counts, width, sized=False))
        chosen = _with_adapters(chosen, scores, pairs, width)
    else:
        from .risk import cautious  # which needs the scores and leaders of this module

        chosen = cautious(scores, counts, width, level, risk)
    race = Race(scores, limits, calibration, level)
    best = chosen[0] if chosen else None
    if risk == "expected" and best:
        least = scores.mean(best) - scores.noise
        equal = [candidate for candidate in chosen if scores.mean(candidate) >= least]
        chosen = habit(equal, race) + [c for c in chosen if scores.mean(c) < least]
    ranked, tied, cheapest, highest = race.judge(
        chosen, chosen.index(best) if best else 0, top, compete
    )
    baseline = _baseline_parts(scores.baseline, words)
    return Pick(
        scores.baseline,
        costs_of(*baseline, limits, words, calibration),
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


def _with_adapters(
    chosen: list[Candidate], scores: Scores, pairs: Pairs, width: int
) -> list[Candidate]:
    """The leaders, with those whose LLM fits the GPUs through adapters alone, at what printed rows
    say that adapters lose; without them where they would not lead anyway, or no row says.
    """
    if not pairs.adapted:
        return chosen
    more = list(leaders(scores, pairs.by_adapters(), width))
    least = scores.mean(chosen[-1]) if len(chosen) == width else -math.inf
    if not more or scores.mean(more[0]) <= least:
        return chosen
    printed = pairs.printed_adapters()
    if printed is None:
        return chosen
    pairs.admit_adapters()
    # three papers do not show that adapters gain
    scores.adapters = Adapters(
        frozenset((v, x) for x, v in pairs.adapted), min(printed["expected"], 0.0)
    )
    return sorted([*chosen, *more], key=lambda c: -scores.mean(c))[:width]


def habit(equal: Sequence[Candidate], race: "Race") -> list[Candidate]:
    """Recipes that gain the same, in the order in which one would try them: the fewest unusual
    parts, data that some table sets beside other data, the fewest encoders and tiles, then the
    cheapest to train; of those within CHEAPER of the cheapest, the highest gain.
    """
    space, support = race.scores.space, race.scores.posterior.support

    def plain(candidate: Candidate) -> tuple[int, bool, int, int]:
        visual, bare = space.visuals[candidate[0]], f"data={space.data[candidate[2]].slug}"
        return (
            len(space.unusual_of(candidate)),
            bare not in support,
            len(visual.encoders),
            visual.across,
        )

    rest, out = list(equal), []
    while rest:
        first = min(map(plain, rest))
        group = [c for c in rest if plain(c) == first]
        least = min(map(race.hours, group))
        group = [c for c in group if race.hours(c) <= CHEAPER * least]
        out += sorted(group, key=lambda c: -race.scores.mean(c))  # stable
        taken = set(group)
        rest = [c for c in rest if c not in taken]
    return out


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


class Race:
    """Candidates under the same limits: what each costs, and who wins."""

    def __init__(
        self,
        scores: Scores,
        limits: Constraints,
        calibration: training.Calibration,
        level: float,
    ):
        self.scores, self.limits = scores, limits
        self.calibration, self.level = calibration, level
        self._costs: dict[Candidate, Costs] = {}

    def costs(self, candidate: Candidate) -> Costs:
        """Training, latency and memory of a candidate."""
        if candidate not in self._costs:
            self._costs[candidate] = costs_of(
                *self.scores.space.parts(candidate),
                self.limits,
                self.scores.words,
                self.calibration,
                ADAPTERS if self.scores.adapted(candidate) else "full",
            )
        return self._costs[candidate]

    def hours(self, candidate: Candidate) -> float:
        """GPU-hours of its training."""
        return self.costs(candidate).gpu_hours.gpu_hours

    def judge(
        self, competitors: Sequence[Candidate], best: int, top: int, compete: bool
    ) -> tuple[list[Ranked], int, Ranked | None, Ranked | None]:
        """The first `top` with intervals, probability of being best and costs; how many competitors
        are tied with the best (number `best`); the cheapest of these, and the best, each if it is
        not the first of the list.
        """
        if not competitors:
            return [], 0, None, None
        count = len(competitors)
        rival = (
            competition(competitors, self.scores, best)
            if compete
            else Competition([0.0] * count, [False] * count, [(1, 1)] * count)
        )

        def ranked(number: int) -> Ranked:
            candidate = competitors[number]
            return Ranked(
                self.scores.recipe(candidate),
                *self.scores.space.parts(candidate),
                self.scores.mix(candidate, self.level),
                rival.p_best[number],
                self.costs(candidate),
                rival.tied[number],
                rival.ranks[number],
                self.scores.space.unusual_of(candidate),
            )

        least = min(
            (number for number in range(count) if rival.tied[number]),
            key=lambda number: (self.hours(competitors[number]), number),
            default=0,
        )
        return (
            [ranked(number) for number in range(min(top, count))],
            sum(rival.tied),
            ranked(least) if compete and least else None,
            ranked(best) if best else None,
        )
