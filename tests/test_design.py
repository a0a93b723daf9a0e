"""Sets of runs, their aliasing and power: against published tables, by hand, by simulation, and
through the command line.
"""

import itertools
import math
import random
import unittest
from statistics import NormalDist

from recipes.answers import design as experiments
from recipes.picker import design as designs
from recipes.picker import power
from tests.support import library

NORMAL = NormalDist()
PAIR = ("design", "--factor", "encoder=clip,siglip", "--factor", "data=llava-665k,sharegpt4v")


def sets(design):
    """Alias sets as letters, each sorted: {("A", "BC"), …}."""
    return {
        tuple(
            sorted(
                (designs.letters_of(effect) for effect in group), key=lambda word: (len(word), word)
            )
        )
        for group in designs.aliases(design)
    }


def column(design, effect):
    """The contrast column of an effect: products of -1 and +1."""
    return tuple(math.prod(2 * setting[i] - 1 for i in effect) for setting in design.settings)


class Aliasing(unittest.TestCase):
    """Box, Hunter & Hunter 2005, ch. 6; Montgomery, Design and Analysis of Experiments, ch. 8: the
    standard fractions.
    """

    def test_half_of_three(self):
        design = designs.fraction(3, 4)
        self.assertEqual(sets(design), {("A", "BC"), ("B", "AC"), ("C", "AB")})
        # the principal fraction, C = AB
        self.assertEqual(set(design.settings), {(0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 1)})

    def test_half_of_four(self):
        design = designs.fraction(4, 8)
        self.assertEqual([designs.letters_of(word) for word in design.relation], ["ABCD"])
        self.assertEqual(
            sets(design), {("A",), ("B",), ("C",), ("D",), ("AB", "CD"), ("AC", "BD"), ("AD", "BC")}
        )

    def test_quarter_of_five(self):
        design = designs.fraction(5, 8)
        self.assertEqual(
            [designs.letters_of(word) for word in design.relation], ["ABD", "ACE", "BCDE"]
        )
        self.assertEqual(
            sets(design),
            {
                ("A", "BD", "CE"),
                ("B", "AD"),
                ("C", "AE"),
                ("D", "AB"),
                ("E", "AC"),
                ("BC", "DE"),
                ("BE", "CD"),
            },
        )

    def test_sixteenth_of_seven(self):
        design = designs.fraction(7, 8)
        self.assertEqual(
            sets(design),
            {
                ("A", "BD", "CE", "FG"),
                ("B", "AD", "CF", "EG"),
                ("C", "AE", "BF", "DG"),
                ("D", "AB", "CG", "EF"),
                ("E", "AC", "BG", "DF"),
                ("F", "AG", "BC", "DE"),
                ("G", "AF", "BE", "CD"),
            },
        )
        self.assertEqual(
            [sum(len(word) == n for word in design.relation) for n in (3, 4, 7)], [7, 7, 1]
        )

    def test_published_resolutions(self):
        published = {
            (3, 4): 3,
            (4, 8): 4,
            (5, 8): 3,
            (5, 16): 5,
            (6, 8): 3,
            (6, 16): 4,
            (6, 32): 6,
            (7, 8): 3,
            (7, 16): 4,
            (7, 32): 4,
            (7, 64): 7,
            (8, 16): 4,
            (8, 32): 4,
            (8, 64): 5,
            (8, 128): 8,
            (9, 16): 3,
            (9, 32): 4,
            (9, 64): 4,
            (9, 128): 6,
            (10, 16): 3,
            (10, 32): 4,
            (10, 64): 4,
            (10, 128): 5,
            (11, 16): 3,
            (11, 32): 4,
            (11, 64): 4,
            (11, 128): 5,
        }
        self.assertEqual(
            {key: designs.fraction(*key).resolution for key in designs.GENERATORS}, published
        )

    def test_least_aberration(self):
        """No other generators do better: more letters in the shortest word, or fewer of these
        words, and so on.
        """

        def words(masks, basic):
            group = [0]
            for word in (mask | 1 << basic + i for i, mask in enumerate(masks)):
                group += [word ^ other for other in group]
            return [
                sum(word.bit_count() == n for word in group[1:])
                for n in range(1, basic + len(masks) + 1)
            ]

        for (factors, size), texts in designs.GENERATORS.items():
            basic = size.bit_length() - 1
            columns = [mask for mask in range(1, size) if mask.bit_count() > 1]
            if math.comb(len(columns), len(texts)) < 2000:
                with self.subTest(factors=factors, size=size):
                    mine = words(
                        [sum(1 << i for i in designs.word_of(text)) for text in texts], basic
                    )
                    self.assertEqual(
                        mine,
                        min(
                            words(chosen, basic)
                            for chosen in itertools.combinations(columns, len(texts))
                        ),
                    )

    def test_relation_is_what_the_settings_do(self):
        """Two effects are listed together if and only if their columns are the same up to sign; all
        others are orthogonal.
        """
        for key in designs.GENERATORS:
            design = designs.fraction(*key)
            group_of = {
                effect: i for i, group in enumerate(designs.aliases(design)) for effect in group
            }
            self.assertEqual(set(group_of), set(designs.effects(key[0])))
            columns = {effect: column(design, effect) for effect in group_of}
            self.assertEqual(len(set(design.settings)), key[1])
            for effect in itertools.islice(group_of, key[0]):
                self.assertEqual(sum(columns[effect]), 0)
            if key[1] > 32:
                continue
            for a, b in itertools.combinations(group_of, 2):
                product = abs(sum(x * y for x, y in zip(columns[a], columns[b])))
                self.assertEqual(product, key[1] if group_of[a] == group_of[b] else 0, (key, a, b))


class Sets(unittest.TestCase):
    def test_run_counts(self):
        self.assertEqual(len(designs.full((2, 3, 2)).settings), 12)
        self.assertEqual(len(set(designs.full((2, 3, 2)).settings)), 12)
        for levels in ((2, 2), (2, 3, 4), (5,)):
            alone = designs.one_at_a_time(levels)
            self.assertEqual(len(alone.settings), designs.least_settings(levels))
            self.assertEqual(len(alone.settings), 1 + sum(n - 1 for n in levels))
            self.assertTrue(
                all(sum(level > 0 for level in setting) <= 1 for setting in alone.settings)
            )

    def test_smallest(self):
        sizes = {
            (k, r): len(designs.smallest((2,) * k, r).settings)
            for k in range(1, 9)
            for r in (3, 4, 5)
        }
        self.assertEqual([sizes[k, 3] for k in range(1, 9)], [2, 4, 4, 8, 8, 8, 8, 16])
        self.assertEqual([sizes[k, 4] for k in range(1, 9)], [2, 4, 8, 8, 16, 16, 16, 16])
        self.assertEqual([sizes[k, 5] for k in range(1, 9)], [2, 4, 8, 16, 16, 32, 64, 64])

    def test_separates(self):
        expected = {
            (3, 4): (True, False, False),
            (4, 8): (True, True, False),
            (5, 16): (True, True, True),
        }
        for key, value in expected.items():
            self.assertEqual(designs.separates(designs.fraction(*key)), value)
        self.assertEqual(designs.separates(designs.full((2, 2))), (True, True, True))
        self.assertEqual(designs.separates(designs.one_at_a_time((2, 2))), (True, False, False))

    def test_one_at_a_time_carries_its_interactions(self):
        self.assertEqual(
            sets(designs.one_at_a_time((2, 2, 2))),
            {("A", "AB", "AC"), ("B", "AB", "BC"), ("C", "AC", "BC")},
        )

    def test_refusals(self):
        for make in (
            lambda: designs.full((2,) * 20),
            lambda: designs.full((1, 2)),
            lambda: designs.full(()),
            lambda: designs.full((2,) * 9),
            lambda: designs.fraction(3, 8),
            lambda: designs.smallest((3,) * 6, 4),
            lambda: designs.one_at_a_time((2,) * 12),
        ):
            with self.assertRaises(ValueError):
                make()


class Power(unittest.TestCase):
    def test_by_hand(self):
        # half a standard deviation between two groups: 2 (1.960 + 0.842)^2 / 0.5^2 = 62.8
        noise, contrast = (
            power.Noise(1.0, 0.0),
            power.Contrast(designs.main_factor(designs.full((2,)))),
        )
        self.assertEqual(power.seeds_needed(contrast, noise, 0.5, 0.05, 0.8), 63)
        self.assertAlmostEqual(power.power(2.8015852, 1.0, 0.05), 0.8, places=5)
        self.assertAlmostEqual(power.power(0.0, 1.0, 0.05), 0.05, places=12)
        self.assertAlmostEqual(
            power.smallest_effect(4.0, 0.05, 0.8), 2 * (1.959964 + 0.841621), places=5
        )
        # four settings, three seeds, variances 0.3 and 0.6: (0.3 + 0.6) / 3
        self.assertAlmostEqual(
            power.Contrast(designs.main_factor(designs.full((2, 2)))).variance(
                power.Noise(0.3, 0.6), 3
            ),
            0.3,
        )
        # what runs of one seed share goes; questions that all runs answer stay
        self.assertAlmostEqual(power.Contrast(1.0, 2, 0.5).variance(power.Noise(0.3, 0.6), 3), 0.25)
        self.assertAlmostEqual(
            power.Contrast(1.0, 2, 0.0, True).variance(power.Noise(0.3, 0.6), 3), 0.1 + 1.2
        )
        self.assertEqual(power.power(0.1, 0.0, 0.05), 1.0)

    def test_simulated(self):
        """Runs with noise, effects estimated from the settings: the share of significant ones is
        the power (and its variance the factor's).
        """
        rng = random.Random(6)
        for design, seeds, interaction in (
            (designs.fraction(4, 8), 2, False),
            (designs.one_at_a_time((2, 2, 2)), 3, False),
            (designs.full((3, 2)), 2, False),
            (designs.full((2, 2)), 3, True),
            (designs.fraction(5, 16), 1, True),
        ):
            factor = (
                designs.interaction_factor(design) if interaction else designs.main_factor(design)
            )
            noise, effect = power.Noise(0.5, 0.4, 900), 1.1
            variance = power.Contrast(factor).variance(noise, seeds)
            expected, hits, count = power.power(effect, variance, 0.05), 0, 1500
            for _ in range(count):
                scores = {}
                for setting in design.settings:
                    true = (
                        effect * setting[0] * setting[1]
                        if interaction
                        else effect * (setting[0] == 1)
                    )
                    scores[setting] = (
                        true + sum(rng.gauss(0, math.sqrt(0.9)) for _ in range(seeds)) / seeds
                    )
                if interaction:
                    cell = lambda a, b, scores=scores: mean(
                        y for s, y in scores.items() if s[:2] == (a, b)
                    )
                    estimate = cell(1, 1) - cell(0, 1) - cell(1, 0) + cell(0, 0)
                elif design.kind == "one-at-a-time":
                    estimate = scores[1, 0, 0] - scores[0, 0, 0]
                else:
                    estimate = mean(y for s, y in scores.items() if s[0] == 1) - mean(
                        y for s, y in scores.items() if s[0] == 0
                    )
                hits += abs(estimate) > NORMAL.inv_cdf(0.975) * math.sqrt(variance)
            self.assertLess(
                abs(hits / count - expected),
                3.5 * math.sqrt(expected * (1 - expected) / count),
                (design.kind, interaction),
            )

    def test_paired_seeds_simulated(self):
        """Runs of one seed share half of their variance: the difference loses it."""
        rng, values = random.Random(7), []
        for _ in range(4000):
            shared = [rng.gauss(0, math.sqrt(0.5)) for _ in range(3)]
            a, b = (mean(s + rng.gauss(0, math.sqrt(0.5)) for s in shared) for _ in range(2))
            values.append(a - b)
        expected = power.Contrast(2.0, 2, 0.5).variance(power.Noise(1.0, 0.0), 3)
        self.assertAlmostEqual(mean(x * x for x in values) / expected, 1.0, delta=0.1)

    def test_seeds_are_the_fewest(self):
        for factor, effect, target in itertools.product(
            (0.25, 1.0, 2.0), (0.4, 1.0, 3.0), (0.5, 0.8, 0.95)
        ):
            contrast, noise = power.Contrast(factor), power.Noise(0.2, 0.6, 900)
            seeds = power.seeds_needed(contrast, noise, effect, 0.05, target)
            self.assertGreaterEqual(
                power.power(effect, contrast.variance(noise, seeds), 0.05), target
            )
            if seeds > 1:
                self.assertLess(
                    power.power(effect, contrast.variance(noise, seeds - 1), 0.05), target
                )
            questions = power.questions_needed(contrast, noise, seeds, effect, 0.05, target)
            self.assertLessEqual(questions, 900)

    def test_new_questions_need_a_bigger_benchmark(self):
        contrast, noise = power.Contrast(1.0, 2, 0.0, True), power.Noise(0.1, 0.6, 900)
        self.assertIsNone(power.seeds_needed(contrast, noise, 1.0, 0.05, 0.8))
        count = power.questions_needed(contrast, noise, 2, 1.0, 0.05, 0.8)
        self.assertGreater(count, 900)
        grown = power.Noise(0.1, 0.6 * 900 / count, count)
        self.assertGreaterEqual(power.power(1.0, contrast.variance(grown, 2), 0.05), 0.8)
        # the runs alone hide it
        self.assertIsNone(
            power.questions_needed(contrast, power.Noise(9.0, 0.6, 900), 1, 1.0, 0.05, 0.8)
        )
        self.assertIsNone(
            power.questions_needed(contrast, power.Noise(0.1, 0.0, None), 1, 1.0, 0.05, 0.8)
        )

    def test_first_step(self):
        self.assertEqual(power.alphas(0.05, 4), (0.0125, 0.05))


class Noise(unittest.TestCase):
    def test_split_adds_up_to_the_model(self):
        posterior = library().posterior
        for name in ("mmmu", "docvqa", "mme_perception", "ocrbench", "screenspot"):
            noise = experiments.noise_of(name, library())
            unit = experiments.unit_of(library().words.records("benchmark")[name])
            drawn = 0.0 if name != "screenspot" else 2500 / 1272
            scale = posterior.scale_of(name)
            self.assertAlmostEqual(
                noise.run + noise.questions,
                posterior.noise(name, drawn / scale**2) / 2 * (scale * unit) ** 2,
                places=9,
            )
            self.assertGreater(noise.run, 0)
        self.assertEqual(experiments.noise_of("mmmu", library()).count, 900)


def mean(values):
    """Arithmetic mean of an iterable."""
    values = list(values)
    return sum(values) / len(values)


if __name__ == "__main__":
    unittest.main()
