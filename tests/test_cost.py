"""FLOPs, training, latency and memory by hand and by order."""

import unittest
from types import SimpleNamespace

from recipes.answers import calibration
from recipes.cost import explain, fit, flops, latency, memory, parts, runs, served, training
from recipes.evidence.reports import check_reports
from recipes.picker import space

from . import support


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

    def test_a_mixture_of_experts_costs_its_active_ones(self):
        dense = {"slug": "dense-30b", "params_non_embedding": 30e9}
        sparse = {"slug": "sparse-30b-a3b", "params_non_embedding": 30e9, "experts": 128}
        self.assertEqual(flops.llm_forward(dense, 1, 0), 60e9)
        self.assertEqual(flops.llm_forward(sparse, 1, 0), 6e9)
        llms = self.words.records("llm")
        l4 = self.words.records("hardware")["l4"]
        one, all_ = (
            latency.language_phases(l4, llms["qwen3-30b-a3b"], 64, 1, "int4", batch=b)[1].ms
            for b in (1, 64)
        )
        self.assertGreater(all_, 5 * one)
        self.assertNotIn("experts", parts.shape(llms.values(), 32.0))

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
        )
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
    def test_runs_leave_one_source_out(self):
        """Each published and reported run estimated with the utilisation of the other sources:
        reports (what users ask for) by their bar; the published ones within a factor of 2."""
        rows = [
            row
            for row in runs.leave_one_source_out(support.library().calibration.runs)
            if row.run.grade == "clear"
        ]
        reported = [row.ratio for row in rows if row.run.kind == "reported"]
        published = [row.ratio for row in rows if row.run.kind == "published"]
        self.assertGreaterEqual((len(reported), len(published)), (10, 20))
        self.assertTrue(0.85 < training.quantile(reported, 0.5) < 1.18, reported)
        self.assertGreaterEqual(sum(1 / 1.6 < r < 1.6 for r in reported) / len(reported), 0.8)
        self.assertGreaterEqual(sum(0.5 < r < 2 for r in published) / len(published), 0.8)
        # 80 % of what is left out lies inside the range
        self.assertGreaterEqual(sum(row.inside for row in rows) / len(rows), 0.78)

    def test_estimate_is_a_range(self):
        calibration = support.library().calibration
        hardware = support.library().words.records("hardware")["a100-80gb-sxm"]
        value = training.estimate(1e21, hardware, calibration)
        self.assertLess(value.low, value.gpu_hours)
        self.assertLess(value.gpu_hours, value.high)
        self.assertAlmostEqual(value.utilisation, calibration.median)
        self.assertAlmostEqual(value.gpu_hours, 1e21 / (312e12 * value.utilisation) / 3600, 3)
        twice = training.estimate(2e21, hardware, calibration)
        self.assertAlmostEqual(twice.gpu_hours, 2 * value.gpu_hours)
        beside = training.estimate(1e21, hardware, calibration, beside=10.0)
        self.assertAlmostEqual(beside.gpu_hours - value.gpu_hours, 10.0)

    def test_a_narrow_llm_and_a_hungry_gpu_are_slower(self):
        """By hand: 0.63 + 0.37 x (4,096 / width) x (FLOPs per byte / 156)."""
        hardware = support.library().words.records("hardware")
        a100, h100 = hardware["a100-80gb-sxm"], hardware["h100-sxm"]
        self.assertAlmostEqual(training.slowness(None, a100), 1.0)
        self.assertAlmostEqual(training.slowness({"hidden_size": 2048}, a100), 0.63 + 0.74)
        self.assertAlmostEqual(
            training.slowness(None, h100), 0.63 + 0.37 * (989e12 / 3350e9) / (312e12 / 2000e9)
        )

    def test_leave_one_source_out_by_hand(self):
        # three sources of one voice each, at utilisation 1, 1/2 and 1/4; the middle of the other
        # two, each with half the weight, lies half way
        known = [
            runs.Run(f"r{i}", "reported", f"s{i}", 7.0, "gpu", hours, 3.6e18, 1.0)
            for i, hours in enumerate((1.0, 2.0, 4.0))
        ]
        self.assertEqual(
            [round(c.ratio, 6) for c in runs.leave_one_source_out(known)],
            [round(1 / 0.375, 6), round(0.5 / 0.625, 6), round(0.25 / 0.75, 6)],
        )
        # a source with many rows has one voice
        crowd = [*known, *(known[0]._replace(id=f"c{i}") for i in range(20))]
        self.assertAlmostEqual(runs.calibrate(crowd).median, 0.5)
        # an odd row has none
        odd = [*known, known[0]._replace(id="odd", source="s9", work=100.0, grade="odd")]
        self.assertEqual(runs.calibrate(odd).median, runs.calibrate(known).median)

    def test_tiles_are_filled_as_the_images_are(self):
        """448x336 captions take 2 of 4 tiles: 576 + 24 x 32 + 24 breaks = 1,368 of 2,880; 640x480
        photographs take all four but their padding: 576 + 36 x 48 + 36 = 2,340."""
        self.assertEqual(
            training.fills("anyres-672", 336), ((1368 / 2880, 3 / 5), (2340 / 2880, 1.0))
        )
        self.assertEqual(training.fills(336, 336), training.UNTILED)
        plain = training.two_stages(1e6, "d", 2880)
        tiled = training.two_stages(1e6, "d", 2880, True, training.fills("anyres-672", 336))
        self.assertEqual([s.visual_tokens for s in plain], [2880, 2880])
        self.assertEqual([round(s.visual_tokens) for s in tiled], [1368, 2340])

    def test_plans(self):
        at = lambda side: (side / 14) ** 2
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

    def test_lora(self):
        stage = training.Stage("s", ("connector", "llm"), 1.0, "d", 576, 350)
        self.assertEqual(training.stage_factors(stage), {"encoder": 1, "connector": 3, "llm": 3})
        self.assertEqual(
            training.stage_factors(stage, lora=True), {"encoder": 1, "connector": 3, "llm": 2}
        )

    def test_what_is_computed_again_takes_time_and_is_no_flop_of_the_model(self):
        llm = support.library().words.records("llm")["vicuna-1.5-7b"]
        cost = lambda *trains, **more: training.stage_cost(
            training.Stage("s", trains, 10.0, "d", 576, 100), 1e12, 2e7, llm, 576, **more
        )
        full, captions = cost("connector", "llm"), cost("connector")
        self.assertAlmostEqual(full.again, full.llm / 3)
        self.assertAlmostEqual(captions.again, captions.llm / 2)
        self.assertAlmostEqual(full.work, full.total + full.again)
        kept = cost("connector", "llm", recompute=False)
        self.assertEqual((kept.total, kept.work), (full.total, full.total))

    def test_steps_cost_beside_flops(self):
        """Half a millisecond a layer and pass; QLoRA unpacks 2.5 bytes a weight, 30 times."""
        llm = support.library().words.records("llm")["vicuna-1.5-7b"]
        a100 = support.library().words.records("hardware")["a100-80gb-sxm"]
        factors = {"encoder": 1.0, "connector": 3.0, "llm": 2.0}
        plain = training.seconds_beside(factors, {"depth": 24}, llm, a100, False)
        self.assertAlmostEqual(plain, 0.0005 * (24 + 2 * 32))
        self.assertAlmostEqual(
            training.seconds_beside(factors, {"depth": 24}, llm, a100, True) - plain,
            30 * 2.5 * 6_476_271_616 / 2000e9,
        )

    def test_quantile(self):
        self.assertEqual(
            [training.quantile([3, 1, 2], q) for q in (0, 0.5, 1, 0.25)], [1, 2, 3, 1.5]
        )
        with self.assertRaises(ValueError):
            training.quantile([], 0.5)


class Fits(unittest.TestCase):
    """Memory of training, by hand and against what is reported."""

    def setUp(self):
        self.words = support.library().words
        self.vicuna = self.words.records("llm")["vicuna-1.5-7b"]
        clip = self.words.records("encoder")["clip-vit-l-14"]
        self.parts = fit.parts_of(((clip, 336, 1),), 2e7, self.vicuna, 1000.0)
        self.tuned = ("connector", "llm")

    def test_terms_by_hand(self):
        encoder, llm = self.parts.encoder, 6_738_415_616
        one = fit.held(self.parts, self.tuned, fit.Setup(gpus=1))
        self.assertAlmostEqual(one.weights, 2 * (encoder + 2e7 + llm) / 1e9)
        self.assertAlmostEqual(one.states, (llm + 2e7) * 14 / 1e9)  # 16 with the weight
        self.assertAlmostEqual(one.logits_per_sample, 1000 * 13 * 32000 / 1e9)
        self.assertAlmostEqual(one.layers_per_sample, 1000 * (2 * 32 + 34) * 4096 / 1e9)
        self.assertAlmostEqual(one.vision_per_sample, 576 * 34 * 1024 / 1e9)  # frozen: one layer
        self.assertAlmostEqual(
            one.at(3), one.weights + one.states + one.buffers + one.fixed + 3 * one.per_sample
        )
        kept = fit.held(self.parts, self.tuned, fit.Setup(gpus=1, checkpointing=False))
        self.assertAlmostEqual(kept.layers_per_sample, 1000 * 34 * 32 * 4096 / 1e9)
        whole = fit.held(self.parts, fit.EVERYTHING, fit.Setup(gpus=1))
        self.assertAlmostEqual(whole.vision_per_sample, 576 * 34 * 1024 * 24 / 1e9)

    def test_zero_stages(self):
        """0 shares nothing, 1 the optimizer, 2 the gradients too, 3 the weights too; 20 bytes of a
        parameter on all GPUs together."""
        held = [fit.held(self.parts, self.tuned, fit.Setup(zero=z, gpus=8)) for z in range(4)]
        trained = (6_738_415_616 + 2e7) / 1e9
        self.assertAlmostEqual(held[0].states, 14 * trained)
        self.assertAlmostEqual(held[1].states, (16 / 8 + 2) * trained)
        self.assertAlmostEqual(held[2].states, 18 / 8 * trained)
        self.assertEqual(held[2].states, held[3].states)
        self.assertEqual(held[0].weights, held[2].weights)
        self.assertAlmostEqual(held[3].weights, held[2].weights / 8)
        self.assertEqual([fit.Setup().stage, fit.Setup("lora").stage], [3, 2])
        self.assertEqual(fit.Setup(gpus=1, zero=3).stage, 0)

    def test_adapters_and_4_bit(self):
        # 4 projections of 4,096 x 4,096 and 3 of 4,096 x 11,008 in each of 32 layers
        self.assertEqual(fit.adapters(self.vicuna, 8), 8 * 32 * (4 * 8192 + 3 * (4096 + 11008)))
        full, lora, qlora = (
            fit.held(self.parts, self.tuned, fit.Setup(tuning, gpus=1)) for tuning in fit.TUNINGS
        )
        self.assertLess(lora.states, full.states / 10)
        body, words = 6_476_271_616, 2 * 32000 * 4096
        self.assertAlmostEqual(lora.weights - qlora.weights, (2 - 0.53) * body / 1e9, 6)
        trained = fit.held(self.parts, self.tuned, fit.Setup("lora", gpus=1, embeddings=True))
        self.assertAlmostEqual(trained.states - lora.states, 14 * words / 1e9)

    def test_verdict_and_what_else_would_do(self):
        stages = [(self.parts, self.tuned)]
        how = fit.Setup(gpus=1)
        no = fit.judge(stages, how, 24.0)
        self.assertEqual((no.status, no.fits, no.largest), ("does not fit", False, 0))
        found = fit.judge(stages, how._replace(tuning="lora"), 24.0)
        self.assertTrue(found.fits)
        self.assertTrue(fit.judge(stages, found.setup, 24.0, found.largest).fits)
        self.assertFalse(fit.judge(stages, found.setup, 24.0, found.largest + 1).fits)
        tight = fit.judge(stages, found.setup, found.need_gb * 1.05)
        self.assertEqual((tight.status, tight.fits), ("tight", False))
        more = fit.fewest(stages, how, 24.0)
        self.assertFalse(fit.judge(stages, how._replace(gpus=more.setup.gpus // 2), 24.0).fits)
        card, _ = fit.smallest(stages, how, self.words.records("hardware").values())
        self.assertEqual(card["slug"], "h200-sxm")  # 112 GB: 141, and no 80

    def test_reports(self):
        """Gigabytes within a factor of 1.4 in 75 %, and what fits is said to fit."""
        rows = calibration.memory(support.library())
        ratios = [row.ratio for row in rows if row.ratio]
        self.assertGreaterEqual(len(ratios), 18)
        self.assertGreaterEqual(sum(1 / 1.4 < r < 1.4 for r in ratios) / len(ratios), 0.75)
        self.assertTrue(0.8 < training.quantile(ratios, 0.5) < 1.25, ratios)
        fits = [row.right for row in rows if row.fits]
        self.assertGreaterEqual(sum(fits) / len(fits), 0.9)


class Reports(unittest.TestCase):
    """`check` holds the registry of reports to what it says of itself."""

    def found(self, **change) -> list[str]:
        words = support.library().words
        row = {**words.registry("cost_reports")["reports"][0], **change}
        own = SimpleNamespace(registry=lambda name: {"reports": [row]}, records=words.records)
        return [pointer for pointer, _ in check_reports(own)]

    def test_the_shipped_ones_are_clean(self):
        rows = support.library().words.registry("cost_reports")["reports"]
        self.assertEqual(len(rows), 74)
        self.assertEqual(list(check_reports(support.library().words)), [])

    def test_what_is_wrong_is_found(self):
        for change, pointer in (
            ({"kind": "rumour"}, "/reports/0/kind"),
            ({"grade": None}, "/reports/0/grade"),
            ({"source": "a friend"}, "/reports/0/source"),
            ({"gpu": "a1000"}, "/reports/0/gpu"),
            ({"recipe": {"llm": "gpt-5"}}, "/reports/0/recipe/llm"),
            ({"tuning": "half"}, "/reports/0/tuning"),
            ({"reported": {}}, "/reports/0/reported"),
            ({"reported": {"gpu_hours": -1}}, "/reports/0/reported/gpu_hours"),
            ({"reported": {"gpu_hours": "4"}}, "/reports/0/reported/gpu_hours"),
            ({"reported": {"ttft_ms": 4}}, "/reports/0/reported/ttft_ms"),
            ({"id": None}, "/reports/0/id"),
        ):
            self.assertIn(pointer, self.found(**change), change)
        self.assertEqual(self.found(), [])


class Parts(unittest.TestCase):
    def setUp(self):
        self.encoders = support.library().words.records("encoder")

    def test_one_rule_for_tokens(self):
        clip, siglip, sam = (
            self.encoders[name] for name in ("clip-vit-l-14", "siglip-so400m-14", "sam-vit-h")
        )
        self.assertEqual(parts.seen([clip], "anyres-672", "mlp-2x-gelu").tokens, 2880)
        self.assertEqual(parts.seen([clip], "anyres-672", "mlp-2x-gelu").encoders[0][2], 5)
        self.assertEqual(parts.seen([clip], 336, "mlp-2x-gelu").tokens, 576)
        alone, fused = (
            parts.seen(group, 384, "mlp-2x-gelu") for group in ([siglip], [sam, siglip])
        )
        # the second tower is brought to the grid of the one that knows 384 px, and runs at its own
        self.assertEqual((alone.tokens, fused.tokens), (729, 729))
        self.assertEqual([side for _, side, _ in fused.encoders], [1024, 384])
        # a side that none knows: what is near runs at it, what is far stays at its own
        self.assertEqual(parts.sides([sam, siglip], 336), [1024, 336])
        native = parts.seen([self.encoders["qwen2-vl-vit"]], 448, "patch-merger-qwen", 1024)
        self.assertEqual(native.encoders[0][2], 4)  # 1,024 tokens come from 4,096 patches
        with self.assertRaises(flops.MissingFigure):
            parts.seen([clip], "anyres-700", "mlp-2x-gelu")

    def test_every_candidate_of_pick_is_seen_alike(self):
        """One rule for cost, latency and pick: encoders, sides, views, grid and tokens."""
        found, _ = space.visuals(support.library().words)
        for visual in found:
            recipe = visual.recipe
            records = [self.encoders[part] for part in recipe.encoder.split("+")]
            sight = parts.seen(records, recipe.resolution, recipe.connector, recipe.visual_tokens)
            name = (recipe.encoder, recipe.resolution, recipe.connector)
            self.assertEqual(sight.tokens, visual.visual_tokens, name)
            self.assertEqual(sight.grid, visual.grid_tokens, name)
            self.assertEqual(
                sorted((r["slug"], side, views) for r, side, views in sight.encoders),
                sorted((r["slug"], side, views) for r, side, views in visual.encoders),
            )
            if isinstance(recipe.resolution, int):  # tokens need not be stated
                alone = parts.seen(records, recipe.resolution, recipe.connector)
                self.assertEqual(alone.tokens, visual.visual_tokens, name)

    def test_a_stand_in_is_scaled_and_never_far(self):
        records = support.library().words.records("llm").values()
        near = parts.shape(records, 8.0)
        self.assertAlmostEqual(near["params"] / 1e9, 8.0)
        self.assertAlmostEqual(near["params_b"], 8.0)
        with self.assertRaises(flops.MissingFigure):
            parts.shape(records, 3000.0)


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
            latency.Load(dtype=dtype, batch=batch),
        )

    def test_by_the_roofline(self):
        """Decode of a 7B in 16 bit on an L4 (300 GB/s) is bound by bandwidth: 13.5 GB of weights at
        82 % of the rate, 56 ms a token.
        """
        value = self.answer()
        self.assertEqual(value.per_token.bound, "bandwidth")
        self.assertAlmostEqual(value.per_token.ms, 56, delta=3)
        self.assertEqual(value.phases[2].bound, "compute")
        self.assertAlmostEqual(value.total_ms, value.ttft_ms + 127 * value.per_token.ms)

    def test_monotone(self):
        base = self.answer()
        self.assertGreater(self.answer(visual=2880).ttft_ms, base.ttft_ms)
        self.assertGreater(self.answer(llm="vicuna-1.5-13b").ttft_ms, base.ttft_ms)
        self.assertGreater(self.answer(batch=8).ttft_ms, base.ttft_ms)
        self.assertLess(self.answer(dtype="int4").per_token.ms, base.per_token.ms)
        self.assertLess(self.answer(device="h100-sxm").ttft_ms, base.ttft_ms)

    def test_latencies_leave_one_source_out(self):
        """62 published and 20 reported latencies. Published ones with the rates of the others:
        median near 1, 80 % within a factor of 2. Reports with the rates in use: 80 % within 1.6.
        """
        checks = [c for c in calibration.serving(support.library()) if c.row.grade == "clear"]
        published = [c.ratio for c in checks if c.row.kind == "published"]
        reported = [c.stored for c in checks if c.row.kind == "reported"]
        self.assertGreaterEqual((len(published), len(reported)), (60, 19))
        self.assertTrue(0.8 < training.quantile(published, 0.5) < 1.25)
        self.assertGreaterEqual(sum(0.5 < r < 2 for r in published) / len(published), 0.8)
        self.assertTrue(0.8 < training.quantile(reported, 0.5) < 1.25)
        self.assertGreaterEqual(sum(1 / 1.6 < r < 1.6 for r in reported) / len(reported), 0.8)
        # the stored rates are near the medians of the rows
        for name, engine in latency.ENGINES.items():
            rows = [c.row for c in checks if c.row.engine == name]
            fitted = served.fit(rows, engine)
            for key in ("compute", "bandwidth", "bandwidth_int4", "compute_soc"):
                stored, value = getattr(engine, key), getattr(fitted, key)
                self.assertTrue(0.75 < value / stored < 1.33, (name, key, stored, value))

    def test_rates_by_format_engine_and_device(self):
        """4-bit weights reach less of the bandwidth; llama.cpp's take 0.6 bytes; on a system on
        chip the compute share is its own; the hosts' ends hold the engine's own launch."""
        llm = self.words.records("llm")["vicuna-1.5-7b"]
        orin = self.words.records("hardware")["jetson-agx-orin-64gb"]
        _, plain = latency.language_phases(self.device, llm, 640, 128, "int4")
        byte = memory.llm_bytes(llm, "int4") + memory.kv_bytes_per_token(llm) * 704
        self.assertAlmostEqual(plain.ms, 1e3 * byte / (300e9 * 0.76), 6)
        _, ggml = latency.language_phases(self.device, llm, 640, 128, "int4", engine="llama.cpp")
        body = 6_476_271_616
        byte = 0.6 * body + 2 * (llm["params"] - body) + memory.kv_bytes_per_token(llm) * 704
        self.assertAlmostEqual(ggml.ms, 1e3 * byte / (300e9 * 0.6), 6)
        prefill, _ = latency.language_phases(orin, llm, 640, 128)
        flop = flops.llm_forward(llm, 640)
        self.assertAlmostEqual(prefill.ms, 1e3 * flop / (42.5e12 * 0.33), 6)
        fast, slow = latency.span("eager")
        self.assertLess(fast.layer_ms, latency.ENGINES["eager"].layer_ms)
        self.assertGreater(slow.layer_ms, latency.ENGINES["eager"].layer_ms)

    def test_memory_of_prompts_and_images(self):
        """transformers keeps 6 bytes a word and token of the prompt: Qwen2-VL-7B's README prints
        22.5 GB more at 30,720 tokens than at 6,144 (0.92 MB a token)."""
        llm = self.words.records("llm")["qwen2-7b"]
        short, long = (
            memory.inference(llm, 6.75e8, 0, n + 2048, prompt_logits=n) for n in (6144, 30720)
        )
        gib = (long.total - short.total) / 1.0737
        self.assertAlmostEqual(gib / (44.08 - 21.56), 1.0, delta=0.1)
        seen = memory.inference(llm, 6.75e8, 0, 100, shown=memory.Shown(16384, 1280))
        self.assertAlmostEqual(seen.activations, 20 * 16384 * 1280 / 1e9)

    def test_a_batch_shares_the_weights(self):
        one, many = self.answer(), self.answer(batch=16)
        self.assertEqual(one.tokens_per_s, one.per_stream)
        self.assertAlmostEqual(many.tokens_per_s, 16 * many.per_stream)
        self.assertTrue(8 * one.tokens_per_s < many.tokens_per_s < 16 * one.tokens_per_s)

    def test_engines_and_devices(self):
        clip, vicuna = (
            self.words.records("encoder")["clip-vit-l-14"],
            self.words.records("llm")["vicuna-1.5-7b"],
        )
        ask = lambda **more: latency.answer(
            self.device, vicuna, ((clip, 336, 1),), 2e7, 576.0, 576.0, latency.Load(**more)
        )
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


if __name__ == "__main__":
    unittest.main()
