"""`design` at the command line: sets of runs, detection, costs and what is refused."""

import itertools
import json
import math
import os
import pathlib
import re
import tempfile
import unittest

from recipes.answers import design as experiments
from recipes.picker import power
from tests.support import call, call_json, library

from .test_design import NORMAL, PAIR


class Command(unittest.TestCase):
    def test_the_lessons_question(self):
        """Isolate data-mix quality from encoder quality on a 7B VLM: four settings."""
        value = call_json(*PAIR, "--detect", "1.0", "--benchmark", "mmmu")
        self.assertEqual(
            (value["design"]["settings"], value["least_settings"], value["design"]["kind"]),
            (4, 3, "full"),
        )
        self.assertEqual(
            {(run["recipe"]["encoder"], run["recipe"]["data"]) for run in value["runs"]},
            set(
                itertools.product(
                    ("clip-vit-l-14", "siglip-so400m-14"), ("llava-665k", "sharegpt4v")
                )
            ),
        )
        self.assertEqual({run["recipe"]["llm"] for run in value["runs"]}, {"vicuna-1.5-7b"})
        self.assertEqual(value["design"]["aliases"], [["encoder"], ["data"], ["encoder x data"]])
        seen = value["power"]["benchmarks"][0]
        noise = experiments.noise_of("mmmu", library())
        self.assertEqual(
            seen["seeds"],
            math.ceil(
                (noise.run + noise.questions) * (NORMAL.inv_cdf(0.975) + NORMAL.inv_cdf(0.8)) ** 2
            ),
        )
        self.assertEqual(value["runs_total"], 4 * seen["seeds"])
        self.assertAlmostEqual(
            value["gpu_hours"],
            seen["seeds"] * sum(run["gpu_hours"] for run in value["runs"]),
            places=1,
        )
        three = next(option for option in value["options"] if option["kind"] == "one-at-a-time")
        self.assertEqual(three["settings"], 3)
        # fewer settings, more runs for the same precision
        self.assertGreater(three["runs"], value["runs_total"])
        code, text, _ = call(*PAIR, "--detect", "1.0", "--benchmark", "mmmu")
        self.assertEqual(code, 0)
        self.assertTrue(
            text.startswith(
                "4 runs: 2 encoders x 2 data mixes; each main effect is the mean of 2 against"
            )
        )
        self.assertIn("one at a time does with 3", " ".join(text.split()))
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()))

    def test_each_run_costs_what_cost_says(self):
        value = call_json(*PAIR, "--plan", "three-stage", "--gpu", "H100")
        run = value["runs"][2]
        bill = call_json(
            "cost",
            "--encoder",
            run["recipe"]["encoder"],
            "--data",
            run["recipe"]["data"],
            "--resolution",
            "336",
            "--plan",
            "three-stage",
            "--gpu",
            "H100",
        )
        self.assertAlmostEqual(run["gpu_hours"], bill["training"]["gpu_hours"], delta=0.01)

    def test_designs_by_flag(self):
        three = (
            "design",
            "--factor",
            "encoder",
            "--factor",
            "data",
            "--factor",
            "frozen_encoder=true,false",
        )
        size = lambda *flags: call_json(*three, *flags)["design"]
        self.assertEqual(
            [
                size(*flags)["settings"]
                for flags in (
                    (),
                    ("--fraction",),
                    ("--full",),
                    ("--one-at-a-time",),
                    ("--interactions",),
                )
            ],
            [8, 4, 8, 4, 8],
        )
        fraction = size("--fraction")
        self.assertEqual(
            (fraction["resolution"], fraction["generators"], fraction["defining_relation"]),
            (3, ["C=AB"], ["ABC"]),
        )
        self.assertIn(["encoder", "data x frozen_encoder"], fraction["aliases"])
        mixed = call_json("design", "--factor", "encoder=clip,siglip,dinov2", "--factor", "data")
        self.assertEqual((mixed["design"]["settings"], mixed["least_settings"]), (6, 4))

    def test_names_are_safe_in_a_path(self):
        value = call_json(
            "design",
            "--factor",
            "encoder=clip,siglip+dinov2",
            "--factor",
            "resolution=anyres-672,448 (2x2)",
        )
        for run in value["runs"]:
            self.assertRegex(run["name"], r"\A[A-Za-z0-9.+-]+\Z")
        self.assertEqual(len({run["name"] for run in value["runs"]}), 4)

    def test_several_benchmarks_are_corrected(self):
        one, two = (
            call_json(*PAIR, "--detect", "1", "--benchmark", names)["power"]["benchmarks"]
            for names in ("docvqa", "docvqa,mmmu")
        )
        self.assertAlmostEqual(two[0]["alpha"], 0.025)
        self.assertGreater(two[0]["seeds"], one[0]["seeds"])
        self.assertEqual(two[0]["seeds_if_all_move"], one[0]["seeds"])
        self.assertIn(
            "Benjamini-Hochberg",
            call(*PAIR, "--detect", "2", "--benchmark", "docvqa,mmmu", "--correct", "bh")[1],
        )

    def test_percent_and_points(self):
        points, percent = (
            call_json(*PAIR, "--detect", text, "--benchmark", "mme_perception")["power"][
                "benchmarks"
            ][0]
            for text in ("20", "1%")
        )
        self.assertEqual(points, percent)

    def test_interactions_cost_four_times(self):
        main, between = (
            call_json(*PAIR, "--detect", "3", "--benchmark", "mmmu", *flags)
            for flags in ((), ("--interactions",))
        )
        noise = experiments.noise_of("mmmu", library())
        self.assertEqual(
            between["seeds"],
            math.ceil(
                4
                * (noise.run + noise.questions)
                * (NORMAL.inv_cdf(0.975) + NORMAL.inv_cdf(0.8)) ** 2
                / 9
            ),
        )
        self.assertEqual(main["power"]["benchmarks"][0]["seeds_interaction"], between["seeds"])

    def test_interactions_asked_for_are_what_text_and_table_are_about(self):
        argv = (
            *PAIR,
            "--interactions",
            "--detect",
            "1",
            "--benchmark",
            "mmmu,docvqa",
            "--correct",
            "bh",
        )
        value = call_json(*argv)
        self.assertEqual(value["power"]["planned_for"], "interactions")
        between, main = (
            [item["interaction"] for item in value["power"]["benchmarks"]],
            value["power"]["benchmarks"],
        )
        best = max(item["seeds_if_all_move"] for item in between)
        # by the formula, at the level that the last step has: an interaction of four settings has
        # four times a main effect's variance
        noise = experiments.noise_of("docvqa", library())
        self.assertEqual(
            best,
            math.ceil(
                4
                * (noise.run + noise.questions)
                * (NORMAL.inv_cdf(0.975) + NORMAL.inv_cdf(0.8)) ** 2
            ),
        )
        self.assertGreater(best, max(item["seeds_if_all_move"] for item in main))
        for one, other in zip(between, main):
            self.assertAlmostEqual(one["smallest_effect"], 2 * other["smallest_effect"], places=4)
            self.assertLess(one["power"], other["power"])
        text = " ".join(call(*argv)[1].split())
        self.assertIn(f"where all move, {best} seeds per setting do for interactions", text)
        self.assertIn("of an interaction", text)
        row = re.search(
            r"DocVQA( +\S+){4} +(?P<seeds>\S+) +(?P<power>\S+) +\S+ +(?P<sees>\S+)", call(*argv)[1]
        )
        self.assertEqual(
            (int(row["seeds"]), float(row["sees"])),
            (value["seeds"], float(f"{between[1]['smallest_effect']:.2g}")),
        )
        text = " ".join(call(*PAIR, "--benchmark", "mmmu", "--interactions")[1].split())
        seen = call_json(*PAIR, "--benchmark", "mmmu")["power"]["benchmarks"][0]["interaction"]
        self.assertIn(f"they see interactions of {seen['smallest_effect']:.2g} points", text)
        self.assertIn("of a main effect", call(*PAIR, "--benchmark", "mmmu")[1])

    def test_new_questions_and_pairing(self):
        value = call_json(*PAIR, "--detect", "1", "--benchmark", "mmmu", "--new-questions")
        self.assertIsNone(value["power"]["benchmarks"][0]["seeds"])
        larger = value["power"]["benchmarks"][0]["larger_benchmark"]
        self.assertGreater(larger["questions"], 900)
        noise = experiments.noise_of("mmmu", library())
        grown = power.Noise(noise.run, noise.questions * 900 / larger["questions"])
        self.assertGreaterEqual(
            power.power(
                1.0, power.Contrast(1.0, 2, 0.0, True).variance(grown, larger["seeds"]), 0.05
            ),
            0.8,
        )
        self.assertIn("no number of seeds", value["answer"])
        plain, paired = (
            call_json(*PAIR, "--benchmark", "docvqa", *flags)["power"]["benchmarks"][0][
                "smallest_effect"
            ]
            for flags in ((), ("--paired", "0.5"))
        )
        self.assertLess(paired, plain)

    def test_what_moves_along_is_said(self):
        warned = lambda *argv: " ".join(call_json("design", *argv)["warnings"])
        self.assertIn("differ in size", warned("--factor", "data=llava-665k,cambrian-7m"))
        self.assertNotIn(
            "differ in size",
            warned("--factor", "data=llava-665k,cambrian-7m", "--recipe", "data_size=665K"),
        )
        self.assertIn(
            "resolution is stated with encoder", warned("--factor", "encoder=clip@336,siglip@384")
        )
        self.assertIn(
            "visual tokens move with encoder", warned("--factor", "encoder=clip,siglip-l-16")
        )
        # what a note advises can be asked, and leaves nothing to advise
        for levels in ("clip,siglip", "siglip,dinov2"):
            advised = re.search(r"--factor (encoder=\S+)", warned("--factor", f"encoder={levels}"))[
                1
            ]
            self.assertNotIn("all encoders see", warned("--factor", advised))
        self.assertIn("no cost for some runs", warned("--factor", "data=llava-665k,pixmo-no-docs"))
        self.assertIsNone(
            call_json("design", "--factor", "data=llava-665k,pixmo-no-docs")["gpu_hours"]
        )

    def test_eleven_fields_at_most(self):
        many = [
            part
            for field in ("encoder", "connector", "data", "llm")
            for part in ("--factor", field)
        ] + [
            "--factor",
            "visual_tokens=64,144",
            "--factor",
            "data_size=300K,600K",
            "--factor",
            "resolution=336,448",
            "--factor",
            "frozen_encoder=true,false",
            "--factor",
            "training=one stage,two stages",
            "--factor",
            "tiling=none,2x2",
        ]
        self.assertEqual(call_json("design", *many)["design"]["settings"], 32)
        code, text, _ = call("design", *many)
        self.assertTrue(code == 0 and all(len(line) <= 80 for line in text.splitlines()))
        self.assertEqual(call("design", *many, "--full")[0], 2)

    def test_bad_input(self):
        two = ("--factor", "encoder=clip,siglip")
        for argv, word in (
            (("--factor", "encodr=clip,siglip"), "did you mean encoder"),
            (("--factor", "encoder=clip"), "one level"),
            (("--factor", "encoder="), "no levels"),
            (("--factor", "encoder=clip,clip"), "clip-vit-l-14 twice"),
            (("--factor", "llm=7B,7.0B"), "twice"),
            (("--factor", "encoder=clip,sigllip"), "siglip-so400m-14"),
            (("--factor", "resolution"), "levels"),
            ((*two, *two), "given twice"),
            (("--factor", "llm=7B,13B", "--factor", "llm_params_b=1B,3B"), "both state"),
            ((*two, "--recipe", "encoder=clip"), "already says encoder"),
            ((*two, "--recipe", "llm"), "--recipe"),
            ((*two, "--recipe", "llm=7B,llm=3B"), "twice"),
            (two + ("--factor", "encoder=clip@336,siglip"), "same fields"),
            ((*two, "--detect", "1"), "--benchmark"),
            ((*two, "--detect", "0", "--benchmark", "mmmu"), "--detect"),
            ((*two, "--detect", "nan", "--benchmark", "mmmu"), "--detect"),
            ((*two, "--detect", "1", "--benchmark", "mmmmu"), "mmmu"),
            ((*two, "--detect", "1", "--benchmark", "mmlu"), "mmlu"),
            ((*two, "--power", "1"), "--power"),
            ((*two, "--alpha", "0.6"), "--alpha"),
            ((*two, "--paired", "1"), "--paired"),
            ((*two, "--seeds", "0"), "--seeds"),
            ((*two, "--correct", "tukey"), "--correct"),
            ((*two, "--full", "--fraction"), "--fraction"),
            ((*two, "--interactions"), "two factors"),
            ((*two, "--factor", "data", "--interactions", "--one-at-a-time"), "interaction"),
            (("--factor", "encoder=clip,siglip,dinov2", "--fraction"), "two levels"),
            ((*two, "--gpu", "zx81"), "zx81"),
            ((), "--factor"),
            (tuple(x for i in range(20) for x in ("--factor", f"factor{i}=1,2")), "factor0"),
        ):
            with self.subTest(argv=argv):
                code, out, err = call("design", *argv)
                self.assertEqual((code, out), (2, ""))
                self.assertIn(word, err)
                self.assertEqual(err.count("\n"), 1)

    def test_export(self):
        """One configuration per setting, named as the settings, and what to evaluate and import."""
        pair = (
            "design",
            "--factor",
            "encoder=clip@336,siglip@384",
            "--factor",
            "data=llava-665k,sharegpt4v",
            "--benchmark",
            "mmmu",
        )
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder, "runs")
            answer = call_json(*pair, "--export", str(out), "--to", "llava-next", "--table", "ab")
            manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
            self.assertEqual(
                [run["name"] for run in manifest["runs"]], [run["name"] for run in answer["runs"]]
            )
            for run, exported in zip(answer["runs"], manifest["runs"], strict=True):
                for field in ("encoder", "data", "resolution", "llm"):
                    self.assertEqual(run["recipe"][field], exported["recipe"][field])
            self.assertEqual(
                (manifest["table"], [task["benchmark"] for task in manifest["benchmarks"]]),
                ("ab", ["mmmu"]),
            )
            self.assertEqual(sorted(map(str, out.iterdir())), sorted(answer["export"]["files"]))
            self.assertIn("--table ab", (out / "import.sh").read_text(encoding="utf-8"))
            # the same again
            code, text, _ = call(*pair, "--export", str(out), "--to", "llava-next", "--table", "ab")
            self.assertEqual(code, 0)
            self.assertIn(f"wrote {out / 'manifest.json'}", text)
            code, text, err = call(
                *pair, "--export", str(out), "--to", "llava-next", "--table", "other"
            )
            self.assertEqual((code, text, err.count("\n")), (2, "", 1))
            self.assertIn("--force", err)
            self.assertEqual(
                call(
                    *pair, "--export", str(out), "--to", "llava-next", "--table", "other", "--force"
                )[0],
                0,
            )

    def test_export_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "runs")
            for more, word in (
                (("--export", out), "--to"),
                (("--to", "llava"), "--export"),
                (("--force",), "--export"),
                (("--table", "x"), "--export"),
                (("--export", out, "--to", "llava-nxt"), "llava-next"),
                (("--export", out, "--to", "llava", "--plan", "paligemma"), "paligemma"),
                # LLaVA's own code has no SigLIP
                (("--export", out, "--to", "llava"), "siglip-so400m-14"),
            ):
                with self.subTest(more=more):
                    code, text, err = call(*PAIR, *more)
                    self.assertEqual((code, text, err.count("\n")), (2, "", 1))
                    self.assertIn(word, err)
                    self.assertFalse(os.path.exists(out))


if __name__ == "__main__":
    unittest.main()
