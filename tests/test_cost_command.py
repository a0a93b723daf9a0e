"""The commands `tokens`, `cost` and `latency`: their terms, sums, notes and errors."""

import unittest

import recipes

from . import support


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
        # LLaVA's README: 28 + 80 A100-hours; people take longer (a median of 1.2 times)
        interval = answer["training"]["gpu_hours_interval"]
        self.assertTrue(interval["low"] < 108 < interval["high"], interval)
        self.assertTrue(108 / 1.4 < answer["training"]["gpu_hours"] < 108 * 1.4)
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

    def test_components_side_by_side(self):
        for command, key, part, pair in (
            ("latency", "answers", "connector", "q-former,mlp-2x-gelu"),
            ("latency", "answers", "encoder", "clip-vit-l-14,siglip-so400m-14"),
            ("cost", "bills", "data", "llava-665k,cambrian-7m"),
        ):
            both = support.call_json(command, f"--{part}", pair)[key]
            alone = [support.call_json(command, f"--{part}", name) for name in pair.split(",")]
            self.assertEqual(both, alone, pair)
            text = support.call(command, f"--{part}", pair)[1]
            self.assertRegex(text, rf"(?m)^{part} +GPU ")
        code, _, err = support.call("latency", "--encoder", "clip,siglip", "--llm", "a,b")
        self.assertEqual((code, "several of one of them" in err), (2, True))

    def test_cost_says_what_fits(self):
        """One 4090 cannot hold a 7B with its optimizer (112 GB), adapters can be trained on it."""
        value = support.call_json("cost", "--gpu", "4090", "--gpus", "1")
        verdict = value["verdict"]
        self.assertEqual(
            (verdict["status"], verdict["fits"], verdict["tuning"], verdict["zero"]),
            ("does not fit", False, "full", 0),
        )
        self.assertEqual([o["tuning"] for o in verdict["fits_with"]][:2], ["lora", "qlora"])
        code, text, _ = support.call("cost", "--gpu", "4090", "--gpus", "1")
        self.assertEqual(code, 0)
        self.assertTrue(text.startswith("does not fit: full tuning on one RTX 4090 needs"), text)
        self.assertLessEqual(len(text.splitlines()), 16)
        _, text, _ = support.call(*"cost --gpu T4 --gpus 16 --llm-params-b 7B --price 1".split())
        self.assertLessEqual(len(text.splitlines()), 16)
        self.assertIn("more note", text)
        _, text, _ = support.call(*"cost --gpu T4 --gpus 16 --llm-params-b 7B --why".split())
        self.assertEqual(text.count("note: "), 3)
        self.assertIn("memory a GPU: weights", " ".join(text.split()))
        lora = support.call_json("cost", "--gpu", "4090", "--gpus", "1", "--lora", "--batch", "2")
        self.assertEqual((lora["verdict"]["fits"], lora["training"]["batch"]), (True, 2))
        self.assertEqual(
            lora, support.call_json(*"cost --gpu 4090 --gpus 1 --tuning lora --batch 2".split())
        )

    def test_cost_of_a_run_as_people_have_it(self):
        one = support.call_json(*"cost --samples 1M --stage instruction --price 2".split())
        self.assertEqual([s["samples"] for s in one["stages"]], [1_000_000])
        t = one["training"]
        self.assertAlmostEqual(t["dollars"], 2 * t["gpu_hours"], 1)
        self.assertAlmostEqual(t["hours"], t["gpu_hours"] / 8, 4)
        twice = support.call_json(
            *"cost --samples 1M --stage instruction --epochs 2 --price 2".split()
        )
        self.assertAlmostEqual(twice["training"]["gpu_hours"] / t["gpu_hours"], 2.0, 4)
        longer = support.call_json(*"cost --stage instruction --seq-length 4096".split())
        self.assertEqual(longer["stages"][0]["text_tokens"], 4096 - 576)
        captions = support.call_json(*"cost --stage alignment --samples 100k".split())
        self.assertEqual(captions["stages"][0]["samples"], 100_000)
        images = support.call_json(*"cost --images 3".split())
        self.assertEqual(images["visual_tokens"], 3 * 576)
        far = support.call_json(*"cost --gpus 16".split())
        self.assertTrue(any("more than one machine" in w for w in far["warnings"]))
        old = support.call_json(*"cost --gpu V100".split())
        self.assertTrue(any("no bf16" in w for w in old["warnings"]))
        dark = support.call_json(*"latency --gpu 2080Ti --dtype int4".split())
        self.assertEqual((dark["latency"], dark["verdict"]["status"]), (None, "fits"))
        unknown = support.call_json(*"cost --gpu 2080Ti --lora".split())
        self.assertIsNone(unknown["training"]["gpu_hours"])
        self.assertTrue(any("hours are not known" in w for w in unknown["warnings"]))

    def test_the_library_gives_the_same(self):
        for _ in range(2):
            (bill,) = recipes.training_cost(gpu="4090", gpus=1, lora=True)
        shown = support.call_json(*"cost --gpu 4090 --gpus 1 --lora".split())
        self.assertAlmostEqual(bill.verdict.need_gb, shown["verdict"]["need_gb"], 3)
        (served_,) = recipes.latency(gpu="L4", dtype="int4")
        shown = support.call_json(*"latency --gpu L4 --dtype int4".split())
        self.assertAlmostEqual(served_.latency.ttft_ms, shown["latency"]["ttft_ms"], 3)

    def test_cost_side_by_side(self):
        value = support.call_json("cost", "--gpu", "A100", "--gpu", "4090")
        self.assertEqual(
            [b["verdict"]["gpu"] for b in value["bills"]], ["a100-80gb-sxm", "rtx-4090"]
        )
        self.assertEqual(value["bills"][0], support.call_json("cost", "--gpu", "A100"))
        both = support.call_json("cost", "--llm", "vicuna-7b,vicuna-13b")
        self.assertEqual(
            [b["recipe"]["llm"] for b in both["bills"]], ["vicuna-1.5-7b", "vicuna-1.5-13b"]
        )
        _, text, _ = support.call("cost", "--gpu", "A100", "--gpu", "T4")
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()), text)

    def test_cost_knows_the_tokens_that_pick_knows(self):
        value = support.call_json("cost", "--resolution", "anyres-672")
        self.assertEqual(value["visual_tokens"], 2880)
        alone, fused = (
            support.call_json("cost", "--encoder", name, "--resolution", "384")
            for name in ("siglip", "siglip+sam")
        )
        self.assertEqual(alone["visual_tokens"], fused["visual_tokens"])
        self.assertGreater(fused["training"]["flop"], alone["training"]["flop"])

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
        large = support.call_json("latency", "--gpu", "T4", "--llm", "qwen2-72b")
        self.assertEqual(
            (large["verdict"]["status"], large["verdict"]["fits"]), ("does not fit", False)
        )
        self.assertIn("no bf16", " ".join(large["warnings"]))
        _, text, _ = support.call("latency", "--gpu", "T4", "--dtype", "int4")
        self.assertRegex(text, r"^6\.\d GB fit in 16 GB on one T4")
        many = support.call_json("latency", "--gpu", "4090", "--batch", "16")["latency"]
        self.assertAlmostEqual(many["tokens_per_s"] / many["tokens_per_s_per_request"], 16, 2)
        three = support.call_json("latency", "--images", "3")
        self.assertGreater(three["latency"]["ttft_ms"], 2.5 * answer["latency"]["ttft_ms"])
        both = support.call_json("latency", "--gpu", "L4", "--gpu", "Orin")
        self.assertEqual(both["answers"][0], answer)
        self.assertIn("power mode", " ".join(both["answers"][1]["warnings"]))
        hosts = support.call_json("latency", "--engine", "eager", "--gpu", "A100")["latency"][
            "hosts"
        ]
        self.assertLess(hosts["fast"]["ttft_ms"], hosts["slow"]["ttft_ms"])

    def test_calibration_tables(self):
        for command in ("cost", "latency"):
            answer = support.call_json(command, "--calibration")
            self.assertTrue(0.8 <= answer["median_ratio"] <= 1.25)
            self.assertGreaterEqual(answer["within_2x"], 0.8)
            self.assertEqual(support.call(command, "--calibration")[0], 0)
        by_kind = support.call_json("cost", "--calibration")["by_kind"]
        self.assertEqual(set(by_kind), {"published", "reported"})
        self.assertEqual(
            sum(x["count"] for x in by_kind["reported"]["by_size"].values()),
            by_kind["reported"]["count"],
        )

    def test_a_design_on_a_device_without_rates_has_no_hours(self):
        code, text, err = support.call(
            *"design --factor encoder=clip,siglip --factor llm=vicuna-7b,vicuna-13b".split(),
            *("--gpu", "2080Ti"),
        )
        self.assertEqual((code, err), (0, ""))
        self.assertIn("no source prints how fast rtx-2080-ti computes", " ".join(text.split()))

    def test_explain(self):
        code, out, _ = support.call("tokens", "--explain")
        self.assertEqual(code, 0)
        self.assertIn("4,194,304", out)

    def test_bad_input(self):
        for argv, word in (
            (("cost", "--gpu", "B1000"), "nearest known"),
            (("cost", "--gpus", "0"), "between 1 and 1,000,000"),
            (("cost", "--zero", "4"), "4"),
            (("cost", "--price", "cheap"), "cheap"),
            (("cost", "--samples", "many"), "many"),
            (("cost", "--epochs", "0"), "epochs"),
            (("cost", "--train-embeddings"), "--lora"),
            (("cost", "--llm-params-b", "3000B"), "3000B"),
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
