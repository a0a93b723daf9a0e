"""Tokens against the models' own processors and printed counts; FLOPs, training, latency and memory
by hand and by order.
"""

import random
import unittest

from recipes.base.errors import Refused
from recipes.cost import explain, flops, latency, memory, tokens, training

from . import support


class ReleasedModels(unittest.TestCase):
    def test_equal_to_the_hugging_face_processors(self):
        """tests/data/tokens_oracle.json: 40 sizes for each of 26 models, from transformers 5.23 and
        5.24 (tokens_oracle.txt). null: the processor refuses the size.
        """
        models = 0
        for data in support.oracle("tokens_oracle").values():
            models += len(data["visual_tokens"])
            for model, counts in data["visual_tokens"].items():
                for (width, height), expected in zip(data["sizes"], counts, strict=True):
                    with self.subTest(model, size=(width, height)):
                        self.assertEqual(self.tokens(model, width, height), expected)
        self.assertEqual(models, 26)

    def tokens(self, model: str, width: int, height: int) -> int | None:
        try:
            return tokens.count(model, width, height).visual_tokens
        except Refused:
            return None

    def test_sizes_that_processors_refuse(self):
        for model, size in (
            ("pixtral", (2048, 1)),
            ("pixtral", (1, 3000)),
            ("mistral-small-3.1", (1, 4000)),
            ("phi-3.5-vision", (100_000, 10)),
            ("phi-3-vision", (10, 90_000)),
            ("phi-4-multimodal", (9000, 5)),
            ("qwen3-vl", (8000, 30)),
            ("glm-4.1v", (28, 9000)),
            ("kimi-vl", (8000, 20)),
        ):
            with self.subTest(model), self.assertRaises(Refused):
                tokens.count(model, *size)
        for size, expected in (((1, 1), 49), ((2, 2), 169), ((1, 2), 91)):
            self.assertEqual(tokens.count("siglip2-naflex", *size).visual_tokens, expected)
        self.assertEqual(tokens.count("phi-3-vision", 1344, 1008).visual_tokens, 1921)

    def test_any_size_is_counted_or_refused(self):
        dice = random.Random(5)
        for model in tokens.MODELS:
            for _ in range(30):
                size = [int(10 ** dice.uniform(0, 5)) for _ in "wh"]
                with self.subTest(model, size=size):
                    found = self.tokens(model, *size)
                    self.assertTrue(found is None or found > 0)

    def test_names_as_people_write_them(self):
        for name, family in (
            ("qwen2.5-vl-7b", "qwen2.5-vl"),
            ("Qwen/Qwen3-VL-30B-A3B-Instruct", "qwen3-vl"),
            ("llava-v1.6-mistral-7b", "llava-next"),
            ("liuhaotian/llava-v1.5-13b", "llava-1.5"),
            ("lmms-lab/llava-onevision-qwen2-7b-ov", "llava-onevision"),
            ("smolvlm2-500m", "smolvlm2-500m"),
            ("HuggingFaceTB/SmolVLM2-2.2B-Instruct", "smolvlm2-2.2b"),
            ("OpenGVLab/InternVL3_5-8B-HF", "internvl3.5"),
            ("internvl3-78b", "internvl3"),
            ("google/gemma-3-27b-it", "gemma3"),
            ("gemma-3n-E4B-it", "gemma3n"),
            ("meta-llama/Llama-3.2-11B-Vision-Instruct", "llama-3.2-vision"),
            ("Llama-4-Scout-17B-16E-Instruct", "llama-4"),
            ("microsoft/Phi-3-vision-128k-instruct", "phi-3-vision"),
            ("Phi-3.5-vision-instruct", "phi-3.5-vision"),
            ("openbmb/MiniCPM-V-2_6", "minicpm-v-2.6"),
            ("mistralai/Mistral-Small-3.1-24B-Instruct-2503", "mistral-small-3.1"),
            ("deepseek-vl2-tiny", "deepseek-vl2"),
            ("kimi-vl-a3b-instruct", "kimi-vl"),
            ("allenai/Molmo2-8B", "molmo2"),
            ("paligemma2-3b-mix-448", "paligemma-448"),
        ):
            self.assertEqual(tokens.find(name), family, name)
        for name in ("gpt-5", "qwen", "llava", "qwen2-vl-7b-finetuned"):
            if name != "llava":
                self.assertRaises(KeyError, tokens.find, name)
        for name in ("smolvlm2", "SmolVLM", "gemma-3-1b-it"):
            self.assertRaises(tokens.Ambiguous, tokens.find, name)
        code, _, err = support.call("tokens", "--model", "smolvlm2")
        self.assertEqual(code, 2)
        self.assertIn("smolvlm2-2.2b (81 tokens a tile)", err)

    def test_pages_videos_and_bounds(self):
        self.assertEqual(tokens.page("a4", 150), (1240, 1754))
        self.assertEqual(tokens.page("letter", 100), (850, 1100))
        answer = support.call_json("tokens", "--model", "qwen2-vl", "--image", "a4@150dpi")
        # 1240 / 28 and 1754 / 28 to the nearest whole number
        self.assertEqual(answer["images"][0]["visual_tokens"], 44 * 63)
        few = tokens.count("qwen2.5-vl", 1240, 1754, most=256 * 28 * 28)
        self.assertLessEqual(few.visual_tokens, 256)
        many = tokens.count("qwen2.5-vl", 56, 56, least=256 * 28 * 28)
        self.assertGreaterEqual(many.visual_tokens, 256)
        for bad in (
            {"model": "internvl3", "most": 1000},
            {"model": "qwen2-vl", "least": 2000, "most": 1000},
        ):
            with self.assertRaises(Refused):
                tokens.count(bad.pop("model"), 100, 100, **bad)
        # 32 frames in pairs of 23 x 17 tokens; 4 frames of 14 x 14 and a break; one tile a frame
        for model, frames, expected in (
            ("qwen2.5-vl", 32, 16 * 23 * 17),
            ("llava-onevision", 4, 4 * 196 + 1),
            ("internvl3-8b", 8, 8 * 256),
            ("smolvlm2-500m", 10, 640),
        ):
            self.assertEqual(tokens.video(model, frames, 640, 480).visual_tokens, expected)
        with self.assertRaises(Refused):
            tokens.video("molmo", 8, 640, 480)

    def test_printed_counts(self):
        for model, size, printed in (
            ("llava", (224, 224), 256),
            ("llava-1.5", (640, 480), 576),
            ("paligemma-224", (1, 1), 256),
            ("paligemma-448", (900, 20), 1024),
            ("paligemma-896", (896, 896), 4096),
            ("qwen2-vl", (448, 280), 160),
            ("qwen2-vl", (224, 224), 64),
            ("qwen2-vl", (448, 448), 256),
            ("idefics2-no-split", (800, 600), 64),
            ("idefics2", (800, 600), 320),
            ("gemma3", (1000, 500), 256),
        ):
            self.assertEqual(tokens.count(model, *size).visual_tokens, printed, (model, size))
        square = tokens.count("llava-next", 672, 672)
        # "up to 2880"
        self.assertEqual(
            sum(term.tokens for term in square.terms if term.name != "row breaks"), 2880
        )
        small = tokens.count("qwen2-vl", 224, 224)
        self.assertEqual(small.visual_tokens + small.markers, 66)

    def test_terms_add_up(self):
        for model in tokens.MODELS:
            value = tokens.count(model, 1024, 768)
            self.assertEqual(sum(term.tokens for term in value.terms), value.visual_tokens)
            self.assertGreater(value.visual_tokens, 0)

    def test_sizes_without_sense(self):
        for size in ((0, 10), (10, 0), (-5, 5), (10**6, 10)):
            with self.assertRaises(ValueError):
                tokens.count("llava-1.5", *size)
        with self.assertRaises(ValueError):
            tokens.count("qwen2-vl", 5000, 10)  # the processor refuses an aspect ratio above 200
        with self.assertRaises(KeyError):
            tokens.count("gpt-5", 10, 10)

    def test_recipes_of_ones_own(self):
        for patch, side, connector, expected in (
            (14, 336, "mlp-2x-gelu", 576),
            (14, 384, "mlp-2x-gelu", 729),
            (14, 448, "pixel-shuffle-mlp", 256),
            (14, 336, "q-former", 32),
            (14, 336, "perceiver", 64),
            (14, 384, "pixel-shuffle-mlp", 196),
        ):
            self.assertEqual(
                tokens.per_view(patch, side, connector).tokens, expected, (side, connector)
            )


class Arithmetic(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words
        self.clip = self.words.records("encoder")["clip-vit-l-14"]
        self.vicuna = self.words.records("llm")["vicuna-1.5-7b"]

    def test_connector_parameters(self):
        self.assertEqual(flops.connector_params("linear", 1024, 4096), 1024 * 4096 + 4096)
        # LLaVA-1.5's 20.97M
        self.assertEqual(flops.connector_params("mlp-2x-gelu", 1024, 4096), 20_979_712)

    def test_forward_passes(self):
        """2 N per token plus attention: ViT-L/14 at 224 px is published as 80.7 GMAC (162 GFLOP);
        Vicuna-7B is 13 GFLOP a token.
        """
        self.assertAlmostEqual(flops.encoder_forward(self.clip, 224) / 1e9, 162, delta=8)
        self.assertAlmostEqual(flops.llm_forward(self.vicuna, 1, 0) / 1e9, 2 * 6.476, delta=0.01)
        self.assertEqual(flops.patch_tokens(self.clip, 336), 576)

    def test_training_factors(self):
        self.assertEqual(
            [
                flops.training_factor(True, False),
                flops.training_factor(False, True),
                flops.training_factor(False, False),
            ],
            [3, 2, 1],
        )

    def test_a_frozen_encoder_costs_a_forward_pass_only(self):
        stage = lambda *trains: training.stage_cost(
            training.Stage("s", trains, 10.0, "d", 576, 100), 1e12, 2e7, self.vicuna, 576
        )  # noqa: E731
        frozen, trained, connector = (
            stage("connector", "llm"),
            stage("encoder", "connector", "llm"),
            stage("connector"),
        )
        self.assertEqual(frozen.encoder, 1e13)
        self.assertEqual(trained.encoder, 3e13)
        # gradients pass through the LLM, its weights stay
        self.assertAlmostEqual(connector.llm / frozen.llm, 2 / 3)

    def test_missing_figures_are_named(self):
        with self.assertRaises(flops.MissingFigure) as caught:
            flops.encoder_forward({"slug": "mystery"}, 224)
        self.assertIn("mystery", str(caught.exception))

    def test_format(self):
        self.assertEqual(
            [flops.format_flop(x) for x in (0, 9.4e18, 1e21)], ["0", "9.4e18", "1.0e21"]
        )


class Training(unittest.TestCase):
    def test_published_runs_leave_one_out(self):
        """Each published run estimated with the utilisation of the others: median ratio near 1, 80
        % within a factor of 2.
        """
        runs = training.leave_one_out(support.library().calibration.runs)
        self.assertGreaterEqual(len(runs), 20)
        ratios = sorted(run.ratio for run in runs)
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

    def test_leave_one_out_by_hand(self):
        # utilisation 1, 1/2, 1/4
        runs = [
            training.Published(f"r{i}", hours, 3.6e18, 1e15, "s")
            for i, hours in enumerate((1.0, 2.0, 4.0))
        ]
        self.assertEqual(
            [round(c.ratio, 6) for c in training.leave_one_out(runs)],
            [round(1 / 0.375, 6), round(0.5 / 0.625, 6), round(0.25 / 0.75, 6)],
        )

    def test_plans(self):
        at = lambda side: (side / 14) ** 2  # noqa: E731
        two, three = (
            training.two_stages(665_000, "d", 576),
            training.three_stages(665_000, "d", 576),
        )
        self.assertEqual([s.trains for s in two], [("connector",), ("connector", "llm")])
        self.assertEqual([s.samples for s in three], [558_000, 3_000_000, 665_000])
        gemma = training.paligemma(1e5, "d", at)
        self.assertEqual(
            [(s.samples, s.side, s.visual_tokens) for s in gemma[:3]],
            [(1e9, 224, 256), (5e7, 448, 1024), (1e7, 896, 4096)],
        )
        qwen = training.qwen2_vl(1e5, "d", 576)
        self.assertEqual(
            [s.trains for s in qwen], [("encoder",), ("encoder", "connector", "llm"), ("llm",)]
        )
        self.assertAlmostEqual(
            qwen[0].samples * (qwen[0].visual_tokens + qwen[0].text_tokens), 600e9
        )

    def test_lora_and_recomputation(self):
        stage = training.Stage("s", ("connector", "llm"), 1.0, "d", 576, 350)
        self.assertEqual(training.stage_factors(stage), {"encoder": 1, "connector": 3, "llm": 3})
        self.assertEqual(
            training.stage_factors(stage, lora=True), {"encoder": 1, "connector": 3, "llm": 2}
        )
        self.assertEqual(
            training.stage_factors(stage, recompute=True), {"encoder": 1, "connector": 4, "llm": 4}
        )

    def test_training_memory(self):
        vicuna = support.library().words.records("llm")["vicuna-1.5-7b"]
        held = memory.training(7e9, 3e8, vicuna, 926, 350, 8, False)
        self.assertAlmostEqual(held.states, (7e9 * 16 + 3e8 * 2) / 8 / 1e9)
        self.assertAlmostEqual(
            held.activations_per_sample, (926 * 34 * 32 * 4096 + 6 * 350 * vicuna["vocab"]) / 1e9
        )
        lighter = memory.training(7e9, 3e8, vicuna, 926, 350, 8, True)
        self.assertGreater(lighter.batch(80), held.batch(80))
        self.assertEqual(memory.training(7e10, 0, vicuna, 926, 350, 1, False).batch(80), 0)

    def test_quantile(self):
        self.assertEqual(
            [training.quantile([3, 1, 2], q) for q in (0, 0.5, 1, 0.25)], [1, 2, 3, 1.5]
        )
        with self.assertRaises(ValueError):
            training.quantile([], 0.5)


class Inference(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words
        self.device = self.words.records("hardware")["l4"]

    def answer(
        self,
        llm: str = "vicuna-1.5-7b",
        visual: float = 576.0,
        dtype: str = "bf16",
        batch: int = 1,
        device: str = "l4",
    ):
        clip = self.words.records("encoder")["clip-vit-l-14"]
        return latency.answer(
            self.words.records("hardware")[device],
            self.words.records("llm")[llm],
            ((clip, 336, 1),),
            2e7,
            visual,
            visual,
            dtype=dtype,
            batch=batch,
        )

    def test_by_the_roofline(self):
        """Decode of a 7B in 16 bit on an L4 (300 GB/s) is bound by bandwidth: 13.5 GB of weights at
        88 % of the rate, 51 ms a token.
        """
        value = self.answer()
        self.assertEqual(value.per_token.bound, "bandwidth")
        self.assertAlmostEqual(value.per_token.ms, 51, delta=3)
        self.assertEqual(value.phases[2].bound, "compute")
        self.assertAlmostEqual(value.total_ms, value.ttft_ms + 127 * value.per_token.ms)

    def test_monotone(self):
        base = self.answer()
        self.assertGreater(self.answer(visual=2880).ttft_ms, base.ttft_ms)
        self.assertGreater(self.answer(llm="vicuna-1.5-13b").ttft_ms, base.ttft_ms)
        self.assertGreater(self.answer(batch=8).ttft_ms, base.ttft_ms)
        self.assertLess(self.answer(dtype="int4").per_token.ms, base.per_token.ms)
        self.assertLess(self.answer(device="h100-sxm").ttft_ms, base.ttft_ms)

    def test_published_latencies_leave_one_out(self):
        """62 published rows; each estimated with the rates of other models: median ratio near 1, 80
        % within a factor of 2.
        """
        words = self.words
        rows = latency.measured(
            words.registry("latency")["measurements"],
            words.records("llm"),
            words.records("hardware"),
        )
        checks = latency.calibrate(rows)
        self.assertGreaterEqual(len(checks), 60)
        ratios = sorted(check.ratio for check in checks)
        self.assertTrue(0.8 < training.quantile(ratios, 0.5) < 1.25)
        self.assertGreaterEqual(sum(0.5 < ratio < 2 for ratio in ratios) / len(ratios), 0.8)
        # the stored rates are the medians of the rows
        for name, engine in latency.ENGINES.items():
            fitted = latency.fit([row for row in rows if row.engine == name], engine)
            for stored, value in zip(engine, fitted):
                self.assertAlmostEqual(stored, value, delta=0.02 * max(1.0, value))

    def test_engines_and_devices(self):
        clip, vicuna = (
            self.words.records("encoder")["clip-vit-l-14"],
            self.words.records("llm")["vicuna-1.5-7b"],
        )
        ask = lambda **more: latency.answer(
            self.device, vicuna, ((clip, 336, 1),), 2e7, 576.0, 576.0, **more
        )  # noqa: E731
        self.assertGreater(ask(engine="eager").ttft_ms, ask().ttft_ms)
        self.assertLess(ask(devices=2).per_token.ms, ask().per_token.ms)
        self.assertGreater(ask(prompt_tokens=2000).ttft_ms, ask().ttft_ms)
        self.assertGreater(ask(output_tokens=500).total_ms, ask().total_ms)

    def test_memory(self):
        vicuna = self.words.records("llm")["vicuna-1.5-7b"]
        self.assertEqual(memory.kv_bytes_per_token(vicuna), 2 * 2 * 32 * 32 * 128)
        one = memory.inference(vicuna, 3e8, 2e7, 1000)
        self.assertAlmostEqual(one.weights, (6_738_415_616 + 3.2e8) * 2 / 1e9, 2)
        self.assertAlmostEqual(one.kv_cache, 1000 * 524288 / 1e9, 6)
        self.assertGreater(memory.inference(vicuna, 3e8, 2e7, 2000).total, one.total)
        self.assertLess(memory.inference(vicuna, 3e8, 2e7, 1000, "int4").total, one.total / 2)
        self.assertEqual(
            (memory.training_bytes_per_parameter(True), memory.training_bytes_per_parameter(False)),
            (16.0, 2.0),
        )


class Examples(unittest.TestCase):
    def test_prefix_mask(self):
        """Image and question (2) see each other; the answer (2) sees them and what came before."""
        self.assertEqual(
            explain.picture(explain.prefix_mask(2, 2)), ["x x . .", "x x . .", "x x x .", "x x x x"]
        )
        with self.assertRaises(ValueError):
            explain.prefix_mask(-1, 2)

    def test_mrope(self):
        self.assertEqual(
            explain.mrope(1, (1, 2, 2), 2),
            [(0, 0, 0), (1, 1, 1), (1, 1, 2), (1, 2, 1), (1, 2, 2), (3, 3, 3), (4, 4, 4)],
        )
        self.assertEqual(explain.mrope(0, (2, 1, 1), 1), [(0, 0, 0), (1, 0, 0), (2, 2, 2)])
        with self.assertRaises(ValueError):
            explain.mrope(1, (0, 1, 1), 1)

    def test_lines(self):
        text = "\n".join(explain.lines())
        for part in ("4,194,304", "20.97M", "(336/14)^2 = 576", "= 256"):
            self.assertIn(part, text)


class Commands(unittest.TestCase):
    def test_cost(self):
        answer = support.call_json("cost")
        self.assertEqual(answer["visual_tokens"], 576)
        self.assertEqual(
            [s["trains"] for s in answer["stages"]], [["connector"], ["connector", "llm"]]
        )
        self.assertAlmostEqual(
            sum(s["flop"] for s in answer["stages"]) / answer["training"]["flop"], 1.0, 4
        )
        # LLaVA's README: 28 + 80 A100-hours
        self.assertTrue(100 < answer["training"]["gpu_hours"] < 125)
        more = support.call_json("cost", "--resolution", "672")
        self.assertGreater(more["training"]["gpu_hours"], answer["training"]["gpu_hours"])
        self.assertLess(
            support.call_json("cost", "--gpu", "H100")["training"]["gpu_hours"],
            answer["training"]["gpu_hours"],
        )
        for plan in ("three-stage", "paligemma", "qwen2-vl"):
            self.assertGreater(
                support.call_json("cost", "--plan", plan)["training"]["gpu_hours"],
                answer["training"]["gpu_hours"],
                plan,
            )

    def test_pick_and_cost_agree(self):
        item = support.call_json(
            "pick", "--tasks", "documents", "--budget", "500 A100-hours", "--top", "1"
        )["recipes"][0]
        flags = [
            x
            for name, value in item["recipe"].items()
            if name not in ("training", "tiling", "llm_params_b")
            for x in (
                f"--{name.replace('_', '-')}",
                str(value).lower() if isinstance(value, bool) else str(value),
            )
        ]
        self.assertAlmostEqual(
            support.call_json("cost", *flags)["training"]["flop"] / item["training"]["flop"], 1.0, 2
        )

    def test_latency(self):
        answer = support.call_json("latency", "--gpu", "L4")
        self.assertEqual(
            [p["name"] for p in answer["latency"]["phases"]],
            ["vision encoder", "connector", "prefill", "decode"],
        )
        self.assertLess(
            support.call_json("latency", "--gpu", "H100")["latency"]["ttft_ms"],
            answer["latency"]["ttft_ms"],
        )
        self.assertIn(
            "do not fit",
            " ".join(support.call_json("latency", "--gpu", "T4", "--llm", "qwen2-72b")["warnings"]),
        )

    def test_calibration_tables(self):
        for command in ("cost", "latency"):
            answer = support.call_json(command, "--calibration")
            self.assertTrue(0.8 <= answer["median_ratio"] <= 1.25)
            self.assertGreaterEqual(answer["within_2x"], 0.8)
            self.assertEqual(support.call(command, "--calibration")[0], 0)

    def test_explain(self):
        code, out, _ = support.call("tokens", "--explain")
        self.assertEqual(code, 0)
        self.assertIn("4,194,304", out)

    def test_bad_input(self):
        for argv, word in (
            (("cost", "--gpu", "B1000"), "nearest known"),
            (("cost", "--gpus", "0"), "between 1 and 1,000,000"),
            (("latency", "--batch", "-1"), "batch"),
            (("latency", "--prompt", "1e9"), "prompt"),
            (("latency", "--dtype", "int3"), "int3"),
            (("cost", "--llm", "gpt-5"), "gpt-5"),
            (("cost", "--data", "honeybee-mix"), "honeybee-mix"),
            (("latency", "--visual-tokens", "-4"), "visual_tokens"),
        ):
            code, out, err = support.call(*argv)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), argv)
            self.assertIn(word, err)


if __name__ == "__main__":
    unittest.main()
