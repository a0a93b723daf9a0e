"""How many seeds and questions it takes to see an effect over the noise of a benchmark.

In: the noise of one run, split in two; how a design averages it; the effect to see. Out: power,
seeds, questions, the smallest effect that is seen. Knows no benchmark by name; does not print.

The noise comes from published tables and counts as known, so all tests are two-sided normal ones:
an effect is seen when it is further from zero than z(1 - alpha/2) standard errors (Cohen 1988, §2;
Box, Hunter & Hunter 2005, ch. 5). What is assumed:
  - runs are independent; with `paired` > 0 runs of one seed share that much of the run part's
    variance over all settings (the
    same order of data, the same initial connector), and a comparison that repeats its seeds on both
    sides loses it;
  - the questions' part is new with each run (which of the borderline questions it gets right):
    seeds average it. That is a claim about
    this benchmark. With `new_questions` the claim is about questions like these: all runs answer
    the same ones, so neither seeds nor settings average the part, and only a larger benchmark
    shrinks it. The tables cannot tell how much of it is of which kind.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

NORMAL = NormalDist()
MOST_SEEDS = 1000


class Noise(NamedTuple):
    """Variance of one run's score on a benchmark, in points squared of its own scale.

    run: seeds and the order of the data. questions: from its finite number of questions; `count` of
    them (None: not known).
    """

    run: float
    questions: float
    count: int | None = None


class Contrast(NamedTuple):
    """What a comparison averages. factor: its variance in variances of one setting's mean
    (design.main_factor); groups: how many groups of settings it compares (2 for a main effect, 4
    for a difference of differences)."""

    factor: float
    groups: int = 2
    paired: float = 0.0
    new_questions: bool = False

    def variance(self, noise: Noise, seeds: int) -> float:
        """Variance of the comparison with so many seeds per setting, in points squared."""
        run = self.factor * noise.run * (1.0 - self.paired) / seeds
        # what a group of settings does on these questions is one draw, however many runs it has
        if self.new_questions:
            return run + self.groups * noise.questions
        return run + self.factor * noise.questions / seeds


def power(effect: float, variance: float, alpha: float) -> float:
    """Probability that a two-sided test sees an effect: normal approximation, both tails. No noise
    at all sees any effect.
    """
    if variance <= 0:
        return 1.0 if effect else alpha
    z, shift = NORMAL.inv_cdf(1 - alpha / 2), abs(effect) / math.sqrt(variance)
    return NORMAL.cdf(shift - z) + NORMAL.cdf(-shift - z)


def smallest_effect(variance: float, alpha: float, target: float) -> float:
    """The effect that is seen with probability `target` (far tail left out: it is below 0.001 for a
    power of a half or more).
    """
    return max(0.0, NORMAL.inv_cdf(1 - alpha / 2) + NORMAL.inv_cdf(target)) * math.sqrt(variance)


def seeds_needed(
    contrast: Contrast, noise: Noise, effect: float, alpha: float, target: float
) -> int | None:
    """The fewest seeds per setting that see the effect with probability `target`; None when
    MOST_SEEDS do not.
    """
    return _first(
        lambda seeds: power(effect, contrast.variance(noise, seeds), alpha) >= target, MOST_SEEDS
    )


def questions_needed(
    contrast: Contrast, noise: Noise, seeds: int, effect: float, alpha: float, target: float
) -> int | None:
    """How many questions of this kind see the effect with so many seeds (their variance falls as 1
    / questions).

    None when the runs' own noise hides it however many there are, or when the benchmark's count is
    not known.
    """
    if noise.count is None:
        return None
    each = noise.questions * noise.count
    return _first(
        lambda count: (
            power(effect, contrast.variance(Noise(noise.run, each / count, count), seeds), alpha)
            >= target
        ),
        10**8,
    )


def _first(enough: Callable[[int], bool], most: int) -> int | None:
    """The smallest whole number from 1 to `most` that is enough, or None; enough must stay true
    once it is.
    """
    if not enough(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def alphas(alpha: float, tests: int) -> tuple[float, float]:
    """(at worst, at best) the level at which one of so many tests is carried out, under Holm as
    under Benjamini-Hochberg.

    Worst: only this test has an effect, and it must pass the first step, alpha / tests (the
    Bonferroni bound). Best: the others all pass, and it meets alpha itself. Plans use the worst.
    """
    return alpha / tests, alpha
