"""What recipes are made of, and the quantities that limit them."""

import math
import unittest

from recipes.picker.space import EmptySpace, space
from recipes.terms import units
from recipes.terms.recipe import (
    BASELINE,
    Recipe,
    RecipeError,
    parse,
    parse_resolution,
    published_size,
)
from recipes.terms.tasks import MixError, parse_mix
from recipes.terms.vocabulary import UnknownName
from tests.support import slow

from . import support


@slow
class Quantities(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words

    def test_budgets(self):
        a100 = "a100-80gb-sxm"
        for text, kind, amount, gpu in (
            ("500 A100-hours", "gpu_hours", 500, a100),
            ("500 a100 hours", "gpu_hours", 500, a100),
            ("1,000 H100 h", "gpu_hours", 1000, "h100-sxm"),
            ("500 GPU-hours", "gpu_hours", 500, a100),
            ("8xH100 for a day", "gpu_hours", 192, "h100-sxm"),
            ("8 x A100 for 2 weeks", "gpu_hours", 8 * 336, a100),
            ("2e21 FLOP", "flop", 2e21, None),
            ("3 EFLOPs", "flop", 3e18, None),
            ("50M images", "images", 5e7, None),
            ("665K samples", "images", 665_000, None),
        ):
            self.assertEqual(units.budget(text, self.words)[:3], (kind, amount, gpu), text)

    def test_money_and_speed(self):
        words = support.library().words
        own = units.budget("$2,000 at $1.50 per H100-hour", words)
        self.assertEqual((own.kind, own.assumed_price), ("gpu_hours", None))
        self.assertAlmostEqual(own.amount, 2000 / 1.5)
        printed = units.budget("$600", words)
        self.assertAlmostEqual(printed.amount, 1000)
        self.assertEqual((printed.gpu, printed.assumed_price), ("a100-80gb-sxm", 0.6))
        record = next(
            r
            for r in words.registry("training_costs")["training_costs"]
            if r["id"] == "llava-onevision-1.5-8b"
        )
        self.assertIn(f"${units.PRINTED_PRICE[0]:g} per A100 hour", record["printed_cost"])
        self.assertEqual(units.speed("20 tokens/s on Orin", words), (20.0, "jetson-agx-orin-64gb"))
        self.assertEqual(units.speed("20 tok/s", words), (20.0, None))
        for text in ("$0", "$5 at $0 per H100-hour", "$5 at $1 per nope-hour"):
            with self.assertRaises(ValueError):
                units.budget(text, words)
        for text in ("20", "-3 tokens/s", "20 tokens/s on nope"):
            with self.assertRaises(ValueError):
                units.speed(text, words)

    def test_latencies(self):
        for text, ms, gpu, whole in (
            ("300ms on L4", 300, "l4", False),
            ("1.5 s on Orin", 1500, "jetson-agx-orin-64gb", False),
            ("300 ms TTFT on A100", 300, "a100-80gb-sxm", False),
            ("2 s total on an L4", 2000, "l4", True),
            ("300 ms", 300, "l4", False),
        ):
            self.assertEqual(units.latency(text, self.words), (ms, gpu, whole), text)

    def test_memory_and_levels(self):
        self.assertEqual(
            [units.memory_gb(t) for t in ("24GB", "24", "500 MB", "8 GiB")], [24, 24, 0.5, 8]
        )
        self.assertEqual([units.level(t) for t in ("0.8", "80%", "95 %")], [0.8, 0.8, 0.95])

    def test_what_cannot_be_read(self):
        for reader, bad in (
            (
                lambda t: units.budget(t, self.words),
                (
                    "-500 A100-hours",
                    "500",
                    "five hundred A100-hours",
                    "500 bananas",
                    "0 FLOP",
                    "",
                    "nan FLOP",
                    "inf FLOP",
                ),
            ),
            (
                lambda t: units.latency(t, self.words),
                ("300", "-300ms", "fast", "0 ms on L4", "", "300 parsecs"),
            ),
            (units.memory_gb, ("-24GB", "big", "24 TB2", "0", "")),
            (units.level, ("0", "1", "2", "200%", "-0.5", "nan", "x", "")),
        ):
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
        self.assertEqual(
            parse_mix("mmmu=2,docvqa=6", self.words).benchmarks, {"mmmu": 0.25, "docvqa": 0.75}
        )
        self.assertEqual(parse_mix(None, self.words), parse_mix("balanced", self.words))
        for bad, error in (
            ("documents=lots", MixError),
            ("documents=-1", MixError),
            ("documents=nan", MixError),
            ("cooking", UnknownName),
            ("a=b=c", (MixError, UnknownName)),
        ):
            with self.assertRaises(error, msg=bad):
                parse_mix(bad, self.words)


@slow
class Recipes(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words

    def test_parse(self):
        recipe, warnings = parse(
            {
                "encoder": "CLIP ViT-L/14@336",
                "llm": "7B",
                "data": "LLaVA-665K",
                "connector": "MLP",
                "visual_tokens": "576",
                "frozen_encoder": "true",
            },
            self.words,
        )
        self.assertEqual(
            recipe,
            Recipe(
                encoder="clip-vit-l-14",
                resolution=336,
                llm_params_b=7.0,
                data="llava-665k",
                connector="mlp-2x-gelu",
                visual_tokens=576.0,
                frozen_encoder=True,
            ),
        )
        self.assertEqual(warnings, [])
        self.assertEqual(published_size(recipe, self.words).data_size, 665_000.0)
        self.assertEqual(parse({"encoder": None}, self.words)[0], Recipe())

    def test_refused(self):
        for raw, field in (
            ({"encodr": "CLIP"}, "encodr"),
            ({"resolution": "abc"}, "resolution"),
            ({"resolution": -5}, "resolution"),
            ({"resolution": 1e9}, "resolution"),
            ({"resolution": float("nan")}, "resolution"),
            ({"resolution": True}, "resolution"),
            ({"visual_tokens": -1}, "visual_tokens"),
            ({"visual_tokens": "many"}, "visual_tokens"),
            ({"llm_params_b": 0}, "llm_params_b"),
            ({"llm_params_b": 1e9}, "llm_params_b"),
            ({"frozen_encoder": "maybe"}, "frozen_encoder"),
            ({"encoder": 7}, "encoder"),
            ({"data": ""}, "data"),
            ({"training": 3}, "training"),
            ({"data_size": float("inf")}, "data_size"),
            ({"visual_tokens": [576]}, "visual_tokens"),
        ):
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
        recipe, warnings = parse(
            {"encoder": "TULIP-SO400M", "resolution": "native"}, self.words, strict=False
        )
        self.assertEqual(recipe.encoder, "TULIP-SO400M")
        self.assertIn("unknown encoder", warnings[0])

    def test_resolutions(self):
        for text, value in (
            ("336", 336),
            ("336px", 336),
            ("448 pixels", 448),
            ("336x336", 336),
            (336.0, 336),
            ("anyres-672", "anyres-672"),
        ):
            self.assertEqual(parse_resolution(text, self.words), value, text)

    def test_over(self):
        self.assertIsNone(Recipe(llm_params_b=13.0).over(BASELINE).llm)
        self.assertIsNone(Recipe(llm="qwen2-7b").over(BASELINE).llm_params_b)
        self.assertIsNone(Recipe(resolution=672).over(BASELINE).visual_tokens)
        self.assertIsNone(Recipe(data="cambrian-7m").over(BASELINE).data_size)
        self.assertEqual(Recipe().over(BASELINE), BASELINE)
        self.assertEqual(
            Recipe(resolution=672, visual_tokens=100.0).over(BASELINE).visual_tokens, 100.0
        )


@slow
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
        fixed = space(
            self.words,
            {"encoder": "siglip-so400m-14", "llm_params_b": 2.0},
            {"data": ["llava-665k"]},
        )
        self.assertEqual({v.recipe.encoder for v in fixed.visuals}, {"siglip-so400m-14"})
        self.assertTrue(
            all(abs(math.log2(x.record["params_b"] / 2)) < 0.6 for x in fixed.languages)
        )
        self.assertNotIn("llava-665k", {d.slug for d in fixed.data})
        with self.assertRaises(EmptySpace):
            space(self.words, {"resolution": 337}, {})
        without = space(self.words, {}, {"encoder": ["dinov2-vit-l-14"]})
        self.assertFalse([v for v in without.visuals if "dinov2-vit-l-14" in v.recipe.encoder])


if __name__ == "__main__":
    unittest.main()
