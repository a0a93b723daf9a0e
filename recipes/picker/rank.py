"""Rank the candidate recipes under constraints: score, cost, latency, memory; top list and
probability of being best.

In: a Space, a task mix, a Posterior, constraints. Out: a Pick: the best recipes with deltas and
costs, and exact counts of what each constraint excludes. The search is exact: effects add up over
visual part, LLM and data, and costs (limits.py) depend on few numbers of each, so all combinations
are judged without building them.
"""

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..cost import flops, training
from ..base import linalg
from ..effects.features import AXIS_OF, difference, features, group
from ..effects.posterior import Posterior, Trace
from ..effects.results import Mix
from ..effects.judge import Change, together
from ..terms.vocabulary import Vocabulary
from .limits import Constraints, Costs, Pairs, costs_of
from ..terms.recipe import Recipe
from .space import Data, Language, Space, Visual
from ..terms.tasks import TaskMix

CANDIDATES = 40  # recipes that compete in the probability of being best
DRAWS = 600

Candidate = tuple[int, int, int]  # numbers of a visual part, an LLM and a data mix of a space
Part = tuple[str, int]  # one of PARTS, and its number
PARTS = ("visual", "language", "data")


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


class Scores:
    """Scores of the choices of a space against a baseline for a task mix, in percent of the mix's
    scale.
    """

    def __init__(
        self,
        space: Space,
        baseline: Recipe,
        tasks: TaskMix,
        posterior: Posterior,
        words: Vocabulary,
    ):
        self.space, self.baseline, self.tasks, self.posterior, self.words = (
            space,
            baseline,
            tasks,
            posterior,
            words,
        )
        self.families = {
            name: words.records("benchmark")[name]["family"] for name in tasks.benchmarks
        }
        start = features(baseline.stated(), words)
        part = lambda recipe: features(recipe.stated(), words)  # noqa: E731
        own = lambda *axes: {k: v for k, v in start.items() if AXIS_OF[group(k)] in axes}  # noqa: E731
        seeing, speaking, taught = (
            own("encoder", "resolution", "visual_tokens", "connector"),
            own("llm"),
            own("data"),
        )
        # the features of an encoder do not depend on what stands beside it: each half of a visual
        # part is worked out once
        halves = [
            (Recipe(encoder=v.recipe.encoder), v.recipe._replace(encoder=None))
            for v in space.visuals
        ]
        half = {
            recipe: difference(seeing, part(recipe))
            for recipe in {recipe for pair in halves for recipe in pair}
        }
        self.visual_changes = [{**half[encoder], **half[rest]} for encoder, rest in halves]
        self.language_changes = [
            difference(speaking, part(Recipe(llm=x.slug))) for x in space.languages
        ]
        self.data_changes = [
            difference(taught, part(Recipe(data=x.slug, data_size=x.samples))) for x in space.data
        ]
        names = sorted(
            {
                name
                for changes in (self.visual_changes, self.language_changes, self.data_changes)
                for change in changes
                for name in change
            }
        )
        self.steps = {
            name: weight * posterior.scale_of(name) for name, weight in tasks.benchmarks.items()
        }
        self.coefficients = posterior.mix_coefficients(names, self.steps, self.families)
        score = lambda change: sum(
            self.coefficients[name] * value for name, value in change.items()
        )  # noqa: E731
        self.visuals = [score(change) for change in self.visual_changes]
        self.languages = [score(change) for change in self.language_changes]
        self.data = [score(change) for change in self.data_changes]
        # standard deviation of the difference of two runs on the mix
        self.noise = math.sqrt(Change({}, {}, posterior, words).mix_noise(self.steps))
        self._traces: dict[Part, Trace] = {}
        self._between: dict[tuple[Part, Part], float] = {}

    def mean(self, candidate: Candidate) -> float:
        """Expected gain of a whole recipe on the mix."""
        v, x, d = candidate
        return self.visuals[v] + self.languages[x] + self.data[d]

    def recipe(self, candidate: Candidate) -> Recipe:
        """A candidate as a recipe."""
        v, x, d = candidate
        visual, language, data = self.space.visuals[v], self.space.languages[x], self.space.data[d]
        return Recipe(
            encoder=visual.recipe.encoder,
            connector=visual.recipe.connector,
            visual_tokens=visual.visual_tokens,
            llm=language.slug,
            llm_params_b=language.record["params_b"],
            data=data.slug,
            data_size=data.samples,
            resolution=visual.recipe.resolution,
            tiling=visual.recipe.tiling,
            training=self.baseline.training,
            frozen_encoder=self.baseline.frozen_encoder,
        )

    def mix(self, candidate: Candidate, level: float) -> Mix:
        """Expected gain of a candidate with its interval."""
        change = Change(
            self.baseline.stated(), self.recipe(candidate).stated(), self.posterior, self.words
        )
        return change.mix(
            self.tasks.benchmarks, self.families, level, shared=self.variance(candidate)
        )

    def variance(self, candidate: Candidate) -> float:
        """Variance of the shared effect of a whole recipe on the mix."""
        parts = tuple(zip(PARTS, candidate))
        return sum(self.covariance(one, other) for one in parts for other in parts)

    def covariance(self, one: Part, other: Part) -> float:
        """Covariance of the shared effects of two choices on the mix."""
        key = (one, other) if one <= other else (other, one)
        if key not in self._between:
            self._between[key] = self.trace(key[0]).covariance(self.trace(key[1]))
        return self._between[key]

    def trace(self, part: Part) -> Trace:
        """Where the uncertainty of one choice's gain lies."""
        if part not in self._traces:
            kind, number = part
            change = {
                "visual": self.visual_changes,
                "language": self.language_changes,
                "data": self.data_changes,
            }[kind][number]
            self._traces[part] = self.posterior.mix_trace(
                self.posterior.weights(change), self.steps, self.families
            )
        return self._traces[part]


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
            ).flop
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


def leaders(
    scores: Scores,
    counts: Sequence[Sequence[int]],
    width: int,
    among: tuple[Sequence[int], ...] | None = None,
) -> Iterator[Candidate]:
    """The `width` candidates with the highest expected score, the best first.

    counts: per LLM and visual part, how many data mixes (from the smallest) they can afford. among:
    only these visual parts, LLMs, mixes.
    """
    space = scores.space
    seen, spoken, taught = among or (
        range(len(space.visuals)),
        range(len(space.languages)),
        range(len(space.data)),
    )
    mixes = set(taught)
    by_size = sorted(range(len(space.data)), key=lambda d: (space.data[d].samples, d))
    best_upto: list[int | None] = [None]  # the best mix among the n smallest
    for d in by_size:
        before = best_upto[-1]
        best_upto.append(
            d if d in mixes and (before is None or scores.data[d] > scores.data[before]) else before
        )
    best_data = [None if d is None else scores.data[d] for d in best_upto]
    heap: list[tuple] = []
    for x in spoken:
        base, row = scores.languages[x], counts[x]
        for v in seen:
            data = best_data[row[v]]
            if data is None:
                continue
            value = scores.visuals[v] + base + data
            if len(heap) < width:
                heapq.heappush(heap, (value, -v, -x))
            elif value >= heap[0][0]:
                heapq.heappushpop(heap, (value, -v, -x))
    # whoever is among the first `width` has a visual part and an LLM that are, with their best mix
    triples = (
        (scores.visuals[-v] + scores.languages[-x] + scores.data[d], v, x, -d)
        for _, v, x in heap
        for d in by_size[: counts[-x][-v]]
        if d in mixes
    )
    return ((-v, -x, -d) for _, v, x, d in heapq.nlargest(width, triples))


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
    list. best: its number; work: FLOPs of training."""
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


def labels(scores: Scores, candidate: Candidate) -> tuple[tuple[str, str | None], ...]:
    """What of a recipe is a setting of its own (and brings heterogeneity of its own)."""
    v, x, d = candidate
    recipe = scores.space.visuals[v].recipe
    return (
        ("encoder", recipe.encoder),
        ("connector", recipe.connector),
        ("connector_class", scores.words.connector_class(recipe.stated())),
        ("resolution", str(recipe.resolution)),
        ("llm", scores.space.languages[x].slug),
        ("data", scores.space.data[d].slug),
    )


def joint_covariance(
    candidates: Sequence[Candidate],
    labels: Sequence[Sequence[tuple[str, str | None]]],
    scores: Scores,
) -> linalg.Matrix:
    """Covariance of the recipes' true gains on the mix in the user's own setting: shared effects
    and heterogeneity.

    Recipes with the same component share its effect and its heterogeneity, so they are uncertain
    together.
    """
    parts = [tuple(zip(PARTS, candidate)) for candidate in candidates]
    hyper = scores.posterior.hyper
    local = scores.posterior.spread * together(scores.steps, scores.families)
    n = len(candidates)
    out = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            shared = sum(
                hyper.heterogeneity[kind] for kind, value in labels[i] if (kind, value) in labels[j]
            )
            out[i][j] = out[j][i] = (
                sum(scores.covariance(p, q) for p in parts[i] for q in parts[j]) + local * shared
            )
    return out


class Competition(NamedTuple):
    """Of each competitor: the probability of being the best, whether the evidence cannot tell it
    from the best by the asked order, 80 % interval of its rank.
    """

    p_best: list[float]
    tied: list[bool]
    ranks: list[tuple[int, int]]


def competition(competitors: Sequence[Candidate], scores: Scores, best: int = 0) -> Competition:
    """Who wins how often, by seeded draws from the joint posterior of the competitors' true gains.
    best: whom `tied` is about.
    """
    covariance = joint_covariance(competitors, [labels(scores, c) for c in competitors], scores)
    draws = draw([scores.mean(c) for c in competitors], covariance, DRAWS)
    size = len(competitors)
    behind = [0] * size
    places = [[0] * size for _ in range(size)]
    for values in draws:
        first = values[best]
        for place, i in enumerate(sorted(range(size), key=values.__getitem__, reverse=True)):
            places[i][place] += 1
            behind[i] += values[i] < first
    return Competition(
        [row[0] / len(draws) for row in places],
        [count < 0.8 * len(draws) for count in behind],
        [(_place(row, 0.1 * len(draws)), _place(row, 0.9 * len(draws))) for row in places],
    )


def _place(counts: Sequence[int], wanted: float) -> int:
    """The rank below or at which so many draws fall."""
    total = 0
    for place, count in enumerate(counts, 1):
        total += count
        if total >= wanted:
            return place
    return len(counts)


def draw(
    means: Sequence[float], covariance: linalg.Matrix, count: int, seed: int = 20261121
) -> list[list[float]]:
    """Seeded draws from a multivariate normal, in antithetic pairs.

    A little is added to the diagonal, as recipes may be twins: a millionth of the largest variance,
    and more where stored correlations, which are rounded, need it.
    """
    size = len(means)
    top = max(covariance[i][i] for i in range(size)) or 1.0
    for part in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2):
        try:
            factor = linalg.cholesky(
                [[*row[:i], row[i] + part * top] for i, row in enumerate(covariance)]
            )
            break
        except linalg.NotPositiveDefinite:
            if part == 1e-2:
                raise
    import random  # slow to load, and a swap does not draw

    rng = random.Random(seed)
    out = []
    for _ in range((count + 1) // 2):
        z = [rng.gauss(0.0, 1.0) for _ in range(size)]
        apart = [linalg.dot(row, z) for row in factor]
        out += [
            [mean + x for mean, x in zip(means, apart)],
            [mean - x for mean, x in zip(means, apart)],
        ]
    return out[:count]
