"""The picker: quantities as people type them, recipes, the space, and exact ranking."""
import itertools
import math
import random
import unittest

from recipes.evidence.vocabulary import UnknownName
from recipes.picker import rank, units
from recipes.picker.recipe import BASELINE, Recipe, RecipeError, parse, parse_resolution, published_size
from recipes.picker.space import EmptySpace, Space, space
from recipes.picker.tasks import MixError, parse_mix

from . import support


class Quantities(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words

    def test_budgets(self):
        a100 = "a100-80gb-sxm"
        for text, kind, amount, gpu in (("500 A100-hours", "gpu_hours", 500, a100), ("500 a100 hours", "gpu_hours", 500, a100), ("1,000 H100 h", "gpu_hours", 1000, "h100-sxm"),
                                        ("500 GPU-hours", "gpu_hours", 500, a100), ("8xH100 for a day", "gpu_hours", 192, "h100-sxm"),
                                        ("8 x A100 for 2 weeks", "gpu_hours", 8 * 336, a100), ("2e21 FLOP", "flop", 2e21, None), ("3 EFLOPs", "flop", 3e18, None),
                                        ("50M images", "images", 5e7, None), ("665K samples", "images", 665_000, None)):
            self.assertEqual(units.budget(text, self.words), (kind, amount, gpu), text)

    def test_latencies(self):
        for text, ms, gpu, whole in (("300ms on L4", 300, "l4", False), ("1.5 s on Orin", 1500, "jetson-agx-orin-64gb", False), ("300 ms TTFT on A100", 300, "a100-80gb-sxm", False),
                                     ("2 s total on an L4", 2000, "l4", True), ("300 ms", 300, "l4", False)):
            self.assertEqual(units.latency(text, self.words), (ms, gpu, whole), text)

    def test_memory_and_levels(self):
        self.assertEqual([units.memory_gb(t) for t in ("24GB", "24", "500 MB", "8 GiB")], [24, 24, 0.5, 8])
        self.assertEqual([units.level(t) for t in ("0.8", "80%", "95 %")], [0.8, 0.8, 0.95])

    def test_what_cannot_be_read(self):
        for reader, bad in ((lambda t: units.budget(t, self.words), ("-500 A100-hours", "500", "five hundred A100-hours", "500 bananas", "0 FLOP", "", "nan FLOP", "inf FLOP")),
                            (lambda t: units.latency(t, self.words), ("300", "-300ms", "fast", "0 ms on L4", "", "300 parsecs")),
                            (units.memory_gb, ("-24GB", "big", "24 TB2", "0", "")), (units.level, ("0", "1", "2", "200%", "-0.5", "nan", "x", ""))):
            for text in bad:
                with self.assertRaises((units.UnitError, UnknownName), msg=text) as caught:
                    reader(text)
                self.assertNotIn("\n", str(caught.exception))
        with self.assertRaises(UnknownName):
            units.budget("500 B1000-hours", self.words)

    def test_mixes(self):
        mix = parse_mix("documents=0.6,charts=0.4", self.words)
        self.assertEqual(mix.parts, {"ocr-document": 0.6, "chart": 0.4})
        self.assertAlmostEqual(sum(mix.benchmarks.values()), 1.0)
        self.assertEqual(parse_mix("mmmu", self.words).benchmarks, {"mmmu": 1.0})
        self.assertEqual(parse_mix("mmmu=2,docvqa=6", self.words).benchmarks, {"mmmu": 0.25, "docvqa": 0.75})
        self.assertEqual(parse_mix(None, self.words), parse_mix("balanced", self.words))
        for bad, error in (("documents=lots", MixError), ("documents=-1", MixError), ("documents=nan", MixError), ("cooking", UnknownName), ("a=b=c", (MixError, UnknownName))):
            with self.assertRaises(error, msg=bad):
                parse_mix(bad, self.words)


class Recipes(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words

    def test_parse(self):
        recipe, warnings = parse({"encoder": "CLIP ViT-L/14@336", "llm": "7B", "data": "LLaVA-665K", "connector": "MLP", "visual_tokens": "576", "frozen_encoder": "true"}, self.words)
        self.assertEqual(recipe, Recipe(encoder="clip-vit-l-14", resolution=336, llm_params_b=7.0, data="llava-665k", connector="mlp-2x-gelu",
                                        visual_tokens=576.0, frozen_encoder=True))
        self.assertEqual(warnings, [])
        self.assertEqual(published_size(recipe, self.words).data_size, 665_000.0)
        self.assertEqual(parse({"encoder": None}, self.words)[0], Recipe())

    def test_refused(self):
        for raw, field in (({"encodr": "CLIP"}, "encodr"), ({"resolution": "abc"}, "resolution"), ({"resolution": -5}, "resolution"), ({"resolution": 1e9}, "resolution"),
                           ({"resolution": float("nan")}, "resolution"), ({"resolution": True}, "resolution"), ({"visual_tokens": -1}, "visual_tokens"),
                           ({"visual_tokens": "many"}, "visual_tokens"), ({"llm_params_b": 0}, "llm_params_b"), ({"llm_params_b": 1e9}, "llm_params_b"),
                           ({"frozen_encoder": "maybe"}, "frozen_encoder"), ({"encoder": 7}, "encoder"), ({"data": ""}, "data"), ({"training": 3}, "training"),
                           ({"data_size": float("inf")}, "data_size"), ({"visual_tokens": [576]}, "visual_tokens")):
            with self.assertRaises(RecipeError, msg=raw) as caught:
                parse(raw, self.words)
            self.assertEqual(caught.exception.field, field)
        self.assertIn("did you mean encoder", str(self.error({"encodr": "CLIP"})))
        with self.assertRaises(UnknownName):
            parse({"encoder": "siglp"}, self.words)
        with self.assertRaises(UnknownName):
            parse({"encoder": "CLIP+CLIP"}, self.words)

    def error(self, raw) -> RecipeError:
        with self.assertRaises(RecipeError) as caught:
            parse(raw, self.words)
        return caught.exception

    def test_unknown_names_pass_when_asked_for(self):
        recipe, warnings = parse({"encoder": "TULIP-SO400M", "resolution": "native"}, self.words, strict=False)
        self.assertEqual(recipe.encoder, "TULIP-SO400M")
        self.assertIn("unknown encoder", warnings[0])

    def test_resolutions(self):
        for text, value in (("336", 336), ("336px", 336), ("448 pixels", 448), ("336x336", 336), (336.0, 336), ("anyres-672", "anyres-672")):
            self.assertEqual(parse_resolution(text, self.words), value, text)

    def test_over(self):
        self.assertIsNone(Recipe(llm_params_b=13.0).over(BASELINE).llm)
        self.assertIsNone(Recipe(llm="qwen2-7b").over(BASELINE).llm_params_b)
        self.assertIsNone(Recipe(resolution=672).over(BASELINE).visual_tokens)
        self.assertIsNone(Recipe(data="cambrian-7m").over(BASELINE).data_size)
        self.assertEqual(Recipe().over(BASELINE), BASELINE)
        self.assertEqual(Recipe(resolution=672, visual_tokens=100.0).over(BASELINE).visual_tokens, 100.0)


class Candidates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.library = support.library()
        cls.words = cls.library.words
        cls.space = space(cls.words, {}, {})

    def test_only_what_can_exist(self):
        for visual in self.space.visuals:
            grid = visual.grid_tokens
            self.assertLessEqual(visual.visual_tokens, grid + 0.5)
            if "+" in visual.recipe.encoder:
                self.assertIn(visual.recipe.connector, ("mlp-2x-gelu", "linear"))
                self.assertIsNone(visual.recipe.tiling)
        for data in self.space.data:
            self.assertGreater(data.samples, 0)
            self.assertTrue(data.source)

    def test_every_exclusion_has_a_reason_and_a_count(self):
        self.assertTrue(self.space.left_out)
        for rule, count in self.space.left_out:
            self.assertTrue(rule and count > 0)

    def test_fix_and_avoid(self):
        fixed = space(self.words, {"encoder": "siglip-so400m-14", "llm_params_b": 2.0}, {"data": ["llava-665k"]})
        self.assertEqual({v.recipe.encoder for v in fixed.visuals}, {"siglip-so400m-14"})
        self.assertTrue(all(abs(math.log2(x.record["params_b"] / 2)) < 0.6 for x in fixed.languages))
        self.assertNotIn("llava-665k", {d.slug for d in fixed.data})
        with self.assertRaises(EmptySpace):
            space(self.words, {"resolution": 337}, {})
        without = space(self.words, {}, {"encoder": ["dinov2-vit-l-14"]})
        self.assertFalse([v for v in without.visuals if "dinov2-vit-l-14" in v.recipe.encoder])


class Ranking(unittest.TestCase):
    """The search against brute force on a reduced space."""

    @classmethod
    def setUpClass(cls):
        cls.library = support.library()
        cls.words, cls.calibration = cls.library.words, cls.library.calibration
        whole = space(cls.words, {}, {})
        rng = random.Random(3)
        pick = lambda items, n: tuple(rng.sample(list(items), n))  # noqa: E731
        cls.space = Space(pick(whole.visuals, 18), pick(whole.languages, 7), pick(whole.data, 8), ())
        cls.tasks = parse_mix("documents,mmmu", cls.words)
        cls.scores = rank.Scores(cls.space, BASELINE, cls.tasks, cls.library.posterior, cls.words)

    def brute(self, limits: rank.Constraints):
        kept, excluded = [], {}
        for v, x, d in itertools.product(range(18), range(7), range(8)):
            costs = rank.costs_of(self.space.visuals[v], self.space.languages[x], self.space.data[d], limits, self.words, self.calibration)
            reason = rank.exceeds(costs, limits, self.words, self.calibration)
            if reason:
                excluded[reason] = excluded.get(reason, 0) + 1
            else:
                kept.append((self.scores.mean((v, x, d)), v, x, d))
        return sorted(kept, key=lambda item: -item[0]), excluded

    def test_same_top_and_same_counts_as_brute_force(self):
        for limits in (rank.Constraints(), rank.Constraints(units.budget("300 A100-hours", self.words)), rank.Constraints(latency=units.latency("150ms on L4", self.words)),
                       rank.Constraints(units.budget("5e19 FLOP", self.words), units.latency("3s total on L4", self.words), 20.0, "int4"),
                       rank.Constraints(units.budget("1M images", self.words), memory_gb=18.0)):
            kept, excluded = self.brute(limits)
            found = rank.pick(self.scores, limits, self.calibration, top=10)
            self.assertEqual(found.considered, 18 * 7 * 8)
            self.assertEqual(sum(dict(found.excluded).values()), sum(excluded.values()), limits)
            self.assertEqual(dict(found.excluded), excluded, limits)
            self.assertEqual(len(found.recipes), min(10, len(kept)))
            for item, (score, *_) in zip(found.recipes, kept):
                self.assertAlmostEqual(item.mix.expected, score, 6)

    def test_nothing_fits(self):
        found = rank.pick(self.scores, rank.Constraints(memory_gb=0.5), self.calibration)
        self.assertEqual(found.recipes, ())
        self.assertTrue(found.tightest)

    def test_probabilities_of_being_best(self):
        found = rank.pick(self.scores, rank.Constraints(), self.calibration, top=40)
        total = sum(item.p_best for item in found.recipes)
        self.assertAlmostEqual(total, 1.0, 6)
        again = rank.pick(self.scores, rank.Constraints(), self.calibration, top=40)
        self.assertEqual([item.p_best for item in found.recipes], [item.p_best for item in again.recipes])
        self.assertTrue(found.recipes[0].tied)
        self.assertEqual(found.tied, sum(item.tied for item in found.recipes))

    def test_joint_covariance(self):
        """Two recipes that differ in the data alone share the rest: their difference is surer than each."""
        one, other = (0, 0, 0), (0, 0, 1)
        labels = [rank.labels(self.scores, c) for c in (one, other)]
        (a, b), (_, c) = rank.joint_covariance([one, other], labels, self.scores)
        self.assertGreater(b, 0)
        self.assertLess(a + c - 2 * b, a + c)

    def test_draws(self):
        draws = rank.draw([1.0, -1.0], [[4.0, 0.0], [0.0, 1.0]], 4000)
        mean = [sum(d[i] for d in draws) / 4000 for i in (0, 1)]
        self.assertAlmostEqual(mean[0], 1.0, delta=0.15)
        self.assertAlmostEqual(sum((d[0] - mean[0]) ** 2 for d in draws) / 4000, 4.0, delta=0.4)


if __name__ == "__main__":
    unittest.main()
