"""Recipes as numbers: encoders, text scores, contents of mixes; differences that add up."""

import itertools
import math
import random
import unittest

from recipes.effects.contents import UNIT, contents
from recipes.effects.encoders import guessed, line
from recipes.effects.features import bundle, difference, features
from recipes.effects.text_scores import line_through, octaves, text_score

from . import support


class Encoders(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words

    def test_a_successor_has_its_predecessors_line(self):
        self.assertEqual(line("siglip2-so400m-14", self.words), ["siglip2", "siglip"])
        new = features({"encoder": "siglip2-so400m-14"}, self.words)
        old = features({"encoder": "siglip-so400m-14"}, self.words)
        step = difference(old, new)
        self.assertEqual(step["encoder_line=siglip2"], 1.0)
        self.assertNotIn("encoder_line=siglip", step)

    def test_kinds_are_read_from_whole_words(self):
        for name in ("internal-vit-l", "my-sample-encoder", "super-vit-l", "evaluation-tower"):
            self.assertEqual(guessed(name), {}, name)
        for name, kind in (
            ("dinov4-vit-l", "self-supervised"),
            ("internvit-9b", "vlm-aligned"),
            ("siglip3-so400m", "language-contrastive"),
        ):
            self.assertIn(f"encoder_kind={kind}", guessed(name), name)

    def test_resolution_is_worth_something_of_its_own_to_each_kind(self):
        got = features({"encoder": "dinov2-vit-l-14", "resolution": 672}, self.words)
        self.assertEqual(got["kind_pixels=self-supervised"], 1.0)


class TextScores(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words

    def test_a_printed_score_is_taken_as_it_is(self):
        printed = self.words.records("llm")["qwen2.5-7b"]["mmlu"]
        self.assertEqual(text_score("qwen2.5-7b", None, self.words), (printed, 0.0))

    def test_a_line_by_hand(self):
        """y = 10 + 2 x, and one point 3 above it at the mean: its residual is 3 (1 - 1/n)."""
        records = [{"mmlu": 10 + 2 * x, "x": x} for x in (1, 2, 3, 4, 6, 7, 8, 9)]
        found = line_through(records, lambda r: r["x"])
        self.assertAlmostEqual(found.at, 10)
        self.assertAlmostEqual(found.slope, 2)
        records.append({"mmlu": 23.0, "x": 5})
        found = line_through(records, lambda r: r["x"])
        rest = (3 * (1 - 1 / 9)) ** 2 + 8 * (3 / 9) ** 2
        self.assertAlmostEqual(found.sd, math.sqrt(rest / 7))
        self.assertIsNone(line_through(records[:7], lambda r: r["x"]))

    def test_a_missing_one_is_expected_and_unsure(self):
        missing = [
            slug for slug, record in self.words.records("llm").items() if record.get("mmlu") is None
        ]
        self.assertTrue(missing)
        for slug in missing:
            got = text_score(slug, None, self.words)
            self.assertTrue(20 <= got.mmlu <= 92 and got.sd > 3, slug)
            self.assertIn(f"llm_guess={slug}", features({"llm": slug}, self.words))
        self.assertLess(text_score("vicuna-v1-7b", None, self.words).mmlu, 55)  # as its kin

    def test_octaves(self):
        self.assertEqual(octaves({"slug": "x-2b"}), 1.0)
        self.assertEqual(octaves({"slug": "x-2b", "params_b": 4}), 2.0)
        self.assertIsNone(octaves({"slug": "x"}))


class Contents(unittest.TestCase):
    def test_by_hand(self):
        mixes = support.library().words.mixes
        got = contents("llava-665k", mixes)
        # 558K pairs of the alignment stage, nothing like them in the instruction mix
        self.assertAlmostEqual(got["web-captions"], math.log2(1 + 558_000 / UNIT) / 4)
        self.assertEqual(contents("nobody's mix", mixes), {})


class Differences(unittest.TestCase):
    """What changes do to the inputs adds up along any path, and turns round with the change."""

    def test_antisymmetric_and_transitive(self):
        words, draw = support.library().words, random.Random(5)
        pools = {
            "encoder": ["clip-vit-l-14", "siglip2-so400m-14", "dinov2-vit-l-14+siglip-so400m-14"],
            "llm": ["vicuna-1.5-7b", "qwen2.5-7b", "smollm2-1.7b", "gemma-2b", "qwen3-8b"],
            "connector": ["mlp-2x-gelu", "c-abstractor", "q-former"],
            "data": ["llava-665k", "llava-next-790k", "cambrian-7m"],
            "resolution": [224, 336, "anyres-672"],
            "frozen_encoder": [True, False],
            "visual_tokens": [64, 576, 2880],
        }
        for _ in range(60):
            a, b, c = (
                features({key: draw.choice(pool) for key, pool in pools.items()}, words)
                for _ in range(3)
            )
            there, back = difference(a, b), difference(b, a)
            self.assertEqual(there, {name: -value for name, value in back.items()})
            total: dict[str, float] = {}
            for step in (there, difference(b, c)):
                for name, value in step.items():
                    total[name] = total.get(name, 0.0) + value
            direct = difference(a, c)
            for name in {*total, *direct}:
                self.assertAlmostEqual(total.get(name, 0.0), direct.get(name, 0.0), msg=name)

    def test_what_is_stated_together(self):
        self.assertEqual(bundle("encoder_line=clip"), bundle("encoder_fused"))
        apart = ("resolution", "data_kind=chart", "data=x", "kind_pixels=other", "llm=x")
        for one, other in itertools.combinations(apart, 2):
            self.assertNotEqual(bundle(one), bundle(other))


if __name__ == "__main__":
    unittest.main()
