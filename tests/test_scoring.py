"""Features by hand, noise of scores, and the measures of predictions."""

import math
import unittest

from recipes.effects import backtest
from recipes.effects.columns import sampling_variance
from recipes.effects.features import difference, features
from recipes.terms.recipe import pixels_in

from . import support


class Features(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words

    def test_by_hand(self):
        got = features(
            {
                "encoder": "clip-vit-l-14",
                "resolution": 336,
                "llm_params_b": 14,
                "data_size": 2e6,
                "visual_tokens": 144,
            },
            self.words,
        )
        self.assertAlmostEqual(got["llm_size"], 1.0)
        self.assertAlmostEqual(got["resolution"], 0.0)
        self.assertAlmostEqual(got["visual_tokens"], -2.0)
        self.assertAlmostEqual(got["data_size"], 1 / 3)
        self.assertEqual(got["encoder=clip-vit-l-14"], 1.0)

    def test_fused_encoders_share_their_level(self):
        got = features({"encoder": "dinov2-vit-l-14+siglip-so400m-14"}, self.words)
        self.assertEqual((got["encoder=dinov2-vit-l-14"], got["encoder_fused"]), (0.5, 1.0))

    def test_tokens_follow_from_the_patch_grid(self):
        got = features(
            {"encoder": "clip-vit-l-14", "connector": "mlp-2x-gelu", "resolution": 336}, self.words
        )
        self.assertAlmostEqual(got["visual_tokens"], 0.0)  # (336 / 14)^2 = 576
        self.assertNotIn(
            "visual_tokens",
            features(
                {"encoder": "clip-vit-l-14", "connector": "q-former", "resolution": 336}, self.words
            ),
        )

    def test_what_one_side_does_not_say_is_equal(self):
        self.assertEqual(self.diff({"llm_params_b": 7}, {"llm_params_b": 7, "resolution": 672}), {})
        self.assertEqual(set(self.diff({"llm_params_b": 7}, {"llm_params_b": 14})), {"llm_size"})

    def diff(self, a, b):
        return difference(features(a, self.words), features(b, self.words))

    def test_free_form_resolutions(self):
        for text, side in (
            ("anyres-672", 672.0),
            ("448x1792", 896.0),
            ("1.44MP", 1200.0),
            ("native", None),
        ):
            self.assertEqual(pixels_in(text), side, text)


class Noise(unittest.TestCase):
    def test_sampling_variance(self):
        """900 questions half right: a standard error of 1.67 points."""
        record = {"max": 100, "splits": {"val": {"n": 900}, "test": {"n": 100}}}
        self.assertAlmostEqual(math.sqrt(sampling_variance(record, "val", 50.0)), 50 / 30)
        self.assertAlmostEqual(sampling_variance(record, "test", 90.0), 9.0)
        self.assertEqual(
            sampling_variance(record, "unknown", 50.0), sampling_variance(record, "val")
        )
        self.assertIsNone(
            sampling_variance({"max": None, "splits": {"val": {"n": 9}}}, "val", 50.0)
        )
        self.assertIsNone(sampling_variance({"max": 100, "splits": {}}, None, 50.0))

    def test_fewer_questions_are_noisier(self):
        posterior = support.library().posterior
        self.assertGreater(posterior.noise("mmvp"), posterior.noise("gqa"))
        self.assertEqual(posterior.noise("nowhere"), 2 * posterior.hyper.noise * posterior.spread)
        self.assertGreater(posterior.noise("nowhere", 1.0), posterior.noise("nowhere"))


class Scoring(unittest.TestCase):
    def test_crps(self):
        """Closed forms: at the mean, sd (sqrt 2 - 1) / sqrt pi; far away, the absolute error minus
        sd / sqrt pi.
        """
        self.assertAlmostEqual(backtest.crps(0, 2, 0), 2 * (math.sqrt(2) - 1) / math.sqrt(math.pi))
        self.assertAlmostEqual(backtest.crps(0, 1, 50), 50 - 1 / math.sqrt(math.pi))
        self.assertAlmostEqual(backtest.crps(3, 1, 1), backtest.crps(-3, 1, -1))

    def test_summary(self):
        scored = [
            backtest.Scored(0, 0, 1, 1.5, 1.0, 2.0),
            backtest.Scored(0, 0, 2, -2.0, 1.0, 1.0),
            backtest.Scored(0, 1, 2, 0.0, 1.0, -1.0),
        ]
        got = backtest.summary(scored, lambda x: "p")
        self.assertEqual((got.contrasts, got.papers, got.sign), (3, 1, 0.5))
        self.assertAlmostEqual(got.mae_ratio, 4.5 / 4.0)
        self.assertAlmostEqual(got.coverage, 2 / 3)
        self.assertIsNone(backtest.summary(scored[:1], lambda x: "p"))


if __name__ == "__main__":
    unittest.main()
