"""The expected gain of every candidate: the sum of its parts, so that all are scored at once.

In: the space of parts, a posterior, a mix. Out: Scores (mean, variance of any candidate), leaders.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..effects.change import Change
from ..effects.features import AXIS_OF, crossed, difference, features, group
from ..effects.posterior import Posterior, Trace
from ..effects.results import Mix
from ..terms.recipe import Recipe
from ..terms.tasks import TaskMix
from ..terms.vocabulary import Vocabulary
from .space import Candidate, Space

Part = tuple[str, int]  # one of PARTS, and its number


class Adapters(NamedTuple):
    """Pairs of a visual part and an LLM whose LLM is trained through adapters, and what printed
    rows say that this does to the mix (percent of scale; the model knows no such effect).
    """

    pairs: frozenset[tuple[int, int]] = frozenset()
    points: float = 0.0


PARTS = ("visual", "language", "data")


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
        self.visual_changes, self.language_changes, self.data_changes = self._changes()
        changes = (*self.visual_changes, *self.language_changes, *self.data_changes)
        names = sorted({name for change in changes for name in change})
        self.steps = {
            name: weight * posterior.scale_of(name) for name, weight in tasks.benchmarks.items()
        }
        self.coefficients = posterior.mix_coefficients(names, self.steps, self.families)
        self.visuals = [self._score(change) for change in self.visual_changes]
        self.languages = [self._score(change) for change in self.language_changes]
        self.data = [self._score(change) for change in self.data_changes]
        # standard deviation of the difference of two runs on the mix
        self.noise = math.sqrt(Change({}, {}, posterior, words).mix_noise(self.steps))
        self.adapters = Adapters()
        self._traces: dict[Part, Trace] = {}
        self._between: dict[tuple[Part, Part], float] = {}

    def _score(self, change: dict[str, float]) -> float:
        """Expected gain of a change on the mix."""
        return sum(self.coefficients[name] * value for name, value in change.items())

    def _changes(self) -> tuple[list[dict[str, float]], ...]:
        """What each visual part, LLM and data mix changes against the baseline, as features."""
        words, space = self.words, self.space
        start = features(self.baseline.stated(), words)
        part = lambda recipe: features(recipe.stated(), words)
        own = lambda *axes: {k: v for k, v in start.items() if AXIS_OF[group(k)] in axes}
        seeing = own("encoder", "resolution", "visual_tokens", "connector")
        speaking, taught = own("llm"), own("data")
        # the features of an encoder do not depend on what stands beside it, but for those that it
        # makes with the resolution: each half of a visual part is worked out once
        halves = [
            (Recipe(encoder=v.recipe.encoder), v.recipe._replace(encoder=None))
            for v in space.visuals
        ]
        half = {recipe: part(recipe) for recipe in {recipe for pair in halves for recipe in pair}}
        return (
            [difference(seeing, crossed({**half[one], **half[rest]})) for one, rest in halves],
            [difference(speaking, part(Recipe(llm=x.slug))) for x in space.languages],
            [
                difference(taught, part(Recipe(data=x.slug, data_size=x.samples)))
                for x in space.data
            ],
        )

    def mean(self, candidate: Candidate) -> float:
        """Expected gain of a whole recipe on the mix."""
        v, x, d = candidate
        lost = self.adapters.points if self.adapted(candidate) else 0.0
        return self.visuals[v] + self.languages[x] + self.data[d] + lost

    def adapted(self, candidate: Candidate) -> bool:
        """Is the LLM of a candidate trained through adapters?"""
        return candidate[:2] in self.adapters.pairs

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
        mix = change.mix(
            self.tasks.benchmarks, self.families, level, shared=self.variance(candidate)
        )
        if not self.adapted(candidate):
            return mix
        lost = self.adapters.points
        return mix._replace(expected=mix.expected + lost, low=mix.low + lost, high=mix.high + lost)

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
            self._traces[part] = self.posterior.mix_trace(
                self.posterior.weights(self.change(part)), self.steps, self.families
            )
        return self._traces[part]

    def change(self, part: Part) -> dict[str, float]:
        """What a choice changes against the baseline, as features."""
        kind, number = part
        return {
            "visual": self.visual_changes,
            "language": self.language_changes,
            "data": self.data_changes,
        }[kind][number]


def leaders(
    scores: Scores,
    counts: Sequence[Sequence[int]],
    width: int,
    among: tuple[Sequence[int], ...] | None = None,
    sized: bool = True,
) -> Iterator[Candidate]:
    """The `width` candidates with the highest expected score, the best first.

    counts: per LLM and visual part, how many data mixes (from the smallest) they can afford. among:
    only these visual parts, LLMs, mixes. sized: only pairs of an LLM and a mix of sizes that rows
    have, where the space knows them.
    """
    space = scores.space
    seen, spoken, taught = among or (
        range(len(space.visuals)),
        range(len(space.languages)),
        range(len(space.data)),
    )
    by_size = sorted(range(len(space.data)), key=lambda d: (space.data[d].samples, d))
    # per LLM: which mixes it may have, and the best among the n smallest of them
    mixes = [
        frozenset(taught) & space.sized[x] if sized and space.sized else frozenset(taught)
        for x in range(len(space.languages))
    ]
    stairs = {allowed: _best_upto(scores, by_size, allowed) for allowed in set(mixes)}
    heap: list[tuple] = []
    for x in spoken:
        base, row, best = scores.languages[x], counts[x], stairs[mixes[x]]
        for v in seen:
            data = best[row[v]]
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
        if d in mixes[-x]
    )
    return ((-v, -x, -d) for _, v, x, d in heapq.nlargest(width, triples))


def _best_upto(
    scores: Scores, by_size: Sequence[int], allowed: frozenset[int]
) -> list[float | None]:
    """The best score of a mix among the n smallest, those that are not allowed left out."""
    out: list[float | None] = [None]
    for d in by_size:
        before = out[-1]
        better = d in allowed and (before is None or scores.data[d] > before)
        out.append(scores.data[d] if better else before)
    return out
