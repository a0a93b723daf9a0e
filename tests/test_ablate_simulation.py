"""What `ablate` promises, checked by drawing truths, carrying out the runs it asks for, and counting right choices.

The promise of picker/ablate.py is about two levels, the picked one and its rival: that is what is counted here. (That the choice
is the best of all levels of the axis is a stronger statement, which comparing two of them cannot give.)
"""
import math
import random
import unittest

from recipes import picks
from recipes.picker import ablate, rank
from recipes.picker.limits import Constraints
from recipes.picker.recipe import BASELINE
from recipes.picker.space import space
from recipes.picker.tasks import parse_mix
from tests.support import library


def right(gap, variance, noise, runs, count, seed):
    """Share of drawn truths in which the choice after so many paired comparisons is the better level."""
    rng, hits = random.Random(seed), 0
    for _ in range(count):
        true = rng.gauss(gap, math.sqrt(variance))
        estimate = gap
        if runs:
            weight = variance / (variance + noise / runs)
            estimate += weight * (true + rng.gauss(0.0, math.sqrt(noise / runs)) - gap)
        hits += (estimate > 0) == (true > 0)
    return hits / count


class Simulated(unittest.TestCase):
    def test_right_choice(self):
        for gap, variance, noise, runs in ((0.3, 1.0, 0.5, 0), (0.3, 1.0, 0.5, 1), (0.0, 0.4, 2.0, 4), (1.0, 0.2, 0.3, 2), (0.05, 3.0, 0.1, 8)):
            says = ablate.right_choice(gap, variance, noise, runs)
            self.assertAlmostEqual(right(gap, variance, noise, runs, 8000, runs), says, delta=4 * math.sqrt(says * (1 - says) / 8000) + 0.003)

    def test_runs_are_the_fewest(self):
        for gap, variance, noise in ((0.0, 1.0, 4.0), (0.2, 0.5, 1.5), (0.1, 2.0, 9.0)):
            for confidence in (0.7, 0.8, 0.9):
                runs, after = ablate.runs_until(gap, variance, noise, confidence)
                if runs is None:
                    self.assertLess(after, confidence)
                    continue
                self.assertGreaterEqual(after, confidence)
                if runs:
                    self.assertLess(ablate.right_choice(gap, variance, noise, runs - 1), confidence)

    def test_the_plan_of_a_pick(self):
        """The plan for charts on the shipped evidence: drawn levels of each axis, the asked runs, the better of the two leaders."""
        words, posterior = library().words, library().posterior
        choices = space(words, {}, {})
        scores = rank.Scores(choices, BASELINE, parse_mix("charts", words), posterior, words)
        best = rank.pick(scores, Constraints(budget=picks.DEFAULT_BUDGET), library().calibration, top=1).recipes[0]
        place = choices.visuals.index(best.visual), choices.languages.index(best.language), choices.data.index(best.data)
        noise = sum(step * step * posterior.noise(name) for name, step in scores.steps.items())
        checked = 0
        for value in ablate.ablate(scores, place, 0.8, 1.0):
            if value.rival is None or value.runs is None:
                continue
            levels = ablate.axis_levels(scores, place, value.axis, lambda candidate: True)
            pair = [place, levels[value.rival]]
            labels = [tuple(label for label in rank.labels(scores, candidate) if label[0].partition("_")[0] == value.axis) for candidate in pair]
            covariance = rank.joint_covariance(pair, labels, scores)
            means = [scores.mean(candidate) for candidate in pair]
            variance = covariance[0][0] + covariance[1][1] - 2 * covariance[0][1]
            share = right(means[0] - means[1], variance, noise, value.runs // 2, 4000, 11)
            self.assertAlmostEqual(share, value.confidence_after, delta=0.03, msg=value.axis)
            checked += 1
        self.assertGreater(checked, 2)


if __name__ == "__main__":
    unittest.main()
