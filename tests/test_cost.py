"""Tokens against the models' own processors and printed counts; FLOPs, training, latency and memory by hand and by order."""
import unittest

from recipes.cost import flops, latency, memory, tokens, training

from . import support


class ReleasedModels(unittest.TestCase):
    def test_equal_to_the_hugging_face_processors(self):
        """tests/data/tokens_oracle.json: 40 sizes for each of nine models, from transformers 5.23 (tokens_oracle.txt)."""
        data = support.oracle("tokens_oracle")
        self.assertEqual(len(data["visual_tokens"]), 9)
        for model, counts in data["visual_tokens"].items():
            for (width, height), expected in zip(data["sizes"], counts):
                self.assertEqual(tokens.count(model, width, height).visual_tokens, expected, (model, width, height))

    def test_printed_counts(self):
        for model, size, printed in (("llava", (224, 224), 256), ("llava-1.5", (640, 480), 576), ("paligemma-224", (1, 1), 256), ("paligemma-448", (900, 20), 1024),
                                     ("paligemma-896", (896, 896), 4096), ("qwen2-vl", (448, 280), 160), ("qwen2-vl", (224, 224), 64),
                                     ("qwen2-vl", (448, 448), 256), ("idefics2-no-split", (800, 600), 64), ("idefics2", (800, 600), 320), ("gemma3", (1000, 500), 256)):
            self.assertEqual(tokens.count(model, *size).visual_tokens, printed, (model, size))
        square = tokens.count("llava-next", 672, 672)
        self.assertEqual(sum(term.tokens for term in square.terms if term.name != "row breaks"), 2880)   # "up to 2880"
        small = tokens.count("qwen2-vl", 224, 224)
        self.assertEqual(small.visual_tokens + small.markers, 66)

    def test_terms_add_up(self):
        for model in tokens.MODELS:
            value = tokens.count(model, 1024, 768)
            self.assertEqual(sum(term.tokens for term in value.terms), value.visual_tokens)
            self.assertGreater(value.visual_tokens, 0)

    def test_sizes_without_sense(self):
        for size in ((0, 10), (10, 0), (-5, 5), (10 ** 6, 10)):
            with self.assertRaises(ValueError):
                tokens.count("llava-1.5", *size)
        with self.assertRaises(ValueError):
            tokens.count("qwen2-vl", 5000, 10)  # the processor refuses an aspect ratio above 200
        with self.assertRaises(KeyError):
            tokens.count("gpt-5", 10, 10)

    def test_recipes_of_ones_own(self):
        for patch, side, connector, expected in ((14, 336, "mlp-2x-gelu", 576), (14, 384, "mlp-2x-gelu", 729), (14, 448, "pixel-shuffle-mlp", 256),
                                                 (14, 336, "q-former", 32), (14, 336, "perceiver", 64), (14, 384, "pixel-shuffle-mlp", 196)):
            self.assertEqual(tokens.per_view(patch, side, connector).tokens, expected, (side, connector))


class Arithmetic(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words
        self.clip = self.words.records("encoder")["clip-vit-l-14"]
        self.vicuna = self.words.records("llm")["vicuna-1.5-7b"]

    def test_connector_parameters(self):
        self.assertEqual(flops.connector_params("linear", 1024, 4096), 1024 * 4096 + 4096)
        self.assertEqual(flops.connector_params("mlp-2x-gelu", 1024, 4096), 20_979_712)   # LLaVA-1.5's 20.97M

    def test_forward_passes(self):
        """2 N per token plus attention: ViT-L/14 at 224 px is published as 80.7 GMAC (162 GFLOP); Vicuna-7B is 13 GFLOP a token."""
        self.assertAlmostEqual(flops.encoder_forward(self.clip, 224) / 1e9, 162, delta=8)
        self.assertAlmostEqual(flops.llm_forward(self.vicuna, 1, 0) / 1e9, 2 * 6.476, delta=0.01)
        self.assertEqual(flops.patch_tokens(self.clip, 336), 576)

    def test_training_factors(self):
        self.assertEqual([flops.training_factor(True, False), flops.training_factor(False, True), flops.training_factor(False, False)], [3, 2, 1])

    def test_a_frozen_encoder_costs_a_forward_pass_only(self):
        stage = lambda *trains: training.stage_cost(training.Stage("s", trains, 10.0, "d", 576, 100), 1e12, 2e7, self.vicuna, 576)  # noqa: E731
        frozen, trained, connector = stage("connector", "llm"), stage("encoder", "connector", "llm"), stage("connector")
        self.assertEqual(frozen.encoder, 1e13)
        self.assertEqual(trained.encoder, 3e13)
        self.assertAlmostEqual(connector.llm / frozen.llm, 2 / 3)   # gradients pass through the LLM, its weights stay

    def test_missing_figures_are_named(self):
        with self.assertRaises(flops.MissingFigure) as caught:
            flops.encoder_forward({"slug": "mystery"}, 224)
        self.assertIn("mystery", str(caught.exception))

    def test_format(self):
        self.assertEqual([flops.format_flop(x) for x in (0, 9.4e18, 1e21)], ["0", "9.4e18", "1.0e21"])


class Training(unittest.TestCase):
    def test_published_runs_leave_one_out(self):
        """Each published run estimated with the utilisation of the others: median ratio near 1, 80 % within a factor of 2."""
        runs = support.library().calibration.runs
        self.assertGreaterEqual(len(runs), 20)
        ratios = []
        for run in runs:
            median = training.calibrate([other for other in runs if other is not run]).median
            ratios.append(run.utilisation / median)
        ratios.sort()
        self.assertTrue(0.8 < training.quantile(ratios, 0.5) < 1.25, ratios)
        self.assertGreaterEqual(sum(0.5 < r < 2 for r in ratios) / len(ratios), 0.8)

    def test_estimate_is_a_range(self):
        hardware = support.library().words.records("hardware")["a100-80gb-sxm"]
        value = training.estimate(1e21, hardware, support.library().calibration)
        self.assertLess(value.low, value.gpu_hours)
        self.assertLess(value.gpu_hours, value.high)
        self.assertAlmostEqual(value.gpu_hours, 1e21 / (312e12 * value.utilisation) / 3600, 3)
        twice = training.estimate(2e21, hardware, support.library().calibration)
        self.assertAlmostEqual(twice.gpu_hours, 2 * value.gpu_hours)

    def test_quantile(self):
        self.assertEqual([training.quantile([3, 1, 2], q) for q in (0, 0.5, 1, 0.25)], [1, 2, 3, 1.5])
        with self.assertRaises(ValueError):
            training.quantile([], 0.5)


class Inference(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words
        self.device = self.words.records("hardware")["l4"]

    def answer(self, llm: str = "vicuna-1.5-7b", visual: float = 576.0, dtype: str = "bf16", batch: int = 1, device: str = "l4"):
        clip = self.words.records("encoder")["clip-vit-l-14"]
        return latency.answer(self.words.records("hardware")[device], self.words.records("llm")[llm], ((clip, 336, 1),), 2e7, visual, visual, dtype=dtype, batch=batch)

    def test_by_the_roofline(self):
        """Decode of a 7B in 16 bit on an L4 (300 GB/s) is bound by bandwidth: 13.5 GB of weights at 75 % of the rate, 60 ms a token."""
        value = self.answer()
        self.assertEqual(value.per_token.bound, "bandwidth")
        self.assertAlmostEqual(value.per_token.ms, 60, delta=3)
        self.assertEqual(value.phases[2].bound, "compute")
        self.assertAlmostEqual(value.total_ms, value.ttft_ms + 127 * value.per_token.ms)

    def test_monotone(self):
        base = self.answer()
        self.assertGreater(self.answer(visual=2880).ttft_ms, base.ttft_ms)
        self.assertGreater(self.answer(llm="vicuna-1.5-13b").ttft_ms, base.ttft_ms)
        self.assertGreater(self.answer(batch=8).ttft_ms, base.ttft_ms)
        self.assertLess(self.answer(dtype="int4").per_token.ms, base.per_token.ms)
        self.assertLess(self.answer(device="h100-sxm").ttft_ms, base.ttft_ms)

    def test_memory(self):
        vicuna = self.words.records("llm")["vicuna-1.5-7b"]
        self.assertEqual(memory.kv_bytes_per_token(vicuna), 2 * 2 * 32 * 32 * 128)
        one = memory.inference(vicuna, 3e8, 2e7, 1000)
        self.assertAlmostEqual(one.weights, (6_738_415_616 + 3.2e8) * 2 / 1e9, 2)
        self.assertAlmostEqual(one.kv_cache, 1000 * 524288 / 1e9, 6)
        self.assertGreater(memory.inference(vicuna, 3e8, 2e7, 2000).total, one.total)
        self.assertLess(memory.inference(vicuna, 3e8, 2e7, 1000, "int4").total, one.total / 2)
        self.assertEqual((memory.training_bytes_per_parameter(True), memory.training_bytes_per_parameter(False)), (16.0, 2.0))


if __name__ == "__main__":
    unittest.main()
