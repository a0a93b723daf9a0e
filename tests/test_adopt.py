"""Adopt or train: the level that a recipe is expected to reach, and which released models are put
forward.
"""

import functools
import math
import statistics
import unittest

from recipes.answers import adopt as adopting
from recipes.released import level as levels
from recipes.released import ranking
from recipes.released.level import Point, checked, level, missed, points
from recipes.terms.tasks import parse_mix
from tests import support
from tests.support import call, call_json


def share(z: float) -> float:
    return 1 / (1 + math.exp(-z))


class Level(unittest.TestCase):
    """The line over size and age of an LLM, and its record."""

    def land(self):
        return support.library().released

    def test_points_on_a_line_are_forecast_exactly(self):
        """logit = -1 + 0.5 years + 0.3 doublings: without its maker, each is met."""
        found = [
            Point(
                f"{maker}{k}",
                maker,
                (1.0, k / 2, float((k * n) % 5)),
                share(-1 + k / 4 + 0.3 * ((k * n) % 5)),
            )
            for n, maker in enumerate("abcdef", 1)
            for k in range(4)
        ]
        misses = missed(found)
        self.assertEqual(len(misses), 24)
        self.assertLess(max(abs(miss) for _, miss in misses), 1e-5)
        # a maker whose models are all half a logit better is not foreseen by the others
        odd = [p._replace(share=share(math.log(p.share / (1 - p.share)) + 0.5)) for p in found[:4]]
        misses = missed([*odd, *found[4:]])
        for point, miss in misses[:4]:
            self.assertEqual(point.maker, "a")
            self.assertAlmostEqual(miss, 0.5, 5)

    def test_too_few_other_makers_say_nothing(self):
        one = [Point(f"m{k}", "a", (1.0, k, k), 0.5) for k in range(30)]
        self.assertEqual(missed(one), [])

    def test_the_level_of_a_qwen2_7b_on_charts(self):
        """Its own makers' and others' models with it print 79 to 86; LLaVA-1.5-7B's 18.2 plus what
        a recipe gains would be 41.
        """
        land = self.land()
        found = level(land, "chartqa", land.split["chartqa"], 100.0, "qwen2-7b")
        printed = [
            p.share * 100
            for p in points(land, "chartqa", land.split["chartqa"])
            if land.find(p.model).record["llm"] == "qwen2-7b"
        ]
        self.assertGreater(len(printed), 3)
        self.assertLess(abs(found.expected - statistics.median(printed)), 8)
        self.assertTrue(found.low < found.expected < found.high)

    def test_its_record_is_that_of_models_of_other_makers(self):
        land = self.land()
        where = "docvqa", land.split["docvqa"]
        found, record = level(land, *where, 100.0, "qwen3-8b"), checked(land, *where)
        self.assertEqual(found.models, len(record))
        self.assertAlmostEqual(
            found.error, 100 * statistics.median(abs(one.error) for one in record)
        )
        held = sum(one.held for one in record) / len(record)
        self.assertTrue(0.7 < held < 0.9, held)  # 80 % are meant to be

    def test_backtest_says_how_it_did(self):
        """Over all scores of the five benchmarks: the bars that README.md names."""
        from recipes.answers.forecast import by_llm

        found = by_llm(self.land())
        self.assertLess(found["all of these"]["median_error"], 4.0)
        self.assertGreater(found["all benchmarks"]["n"], 1000)
        self.assertTrue(0.75 < found["all benchmarks"]["coverage"] < 0.85)
        self.assertNotIn("screenspot", found)

    def test_unknown_is_unknown(self):
        land = self.land()
        for llm in (None, "no-such-llm", "smollm2-1.7b"):  # the last: no month on record
            self.assertIsNone(level(land, "docvqa", land.split["docvqa"], 100.0, llm))
        # five models print it, of which no LLM is of 2023
        self.assertIsNone(level(land, "screenspot", land.split["screenspot"], 100.0, "qwen2-7b"))


class Adopt(unittest.TestCase):
    @staticmethod
    @functools.cache
    def answer(tasks: str) -> dict:
        return call_json("pick", "--tasks", tasks, "--top", "1")["adopt"]

    def test_a_model_put_forward_prints_half_of_the_tasks(self):
        words = support.library().words
        for tasks in ("ui-agent", "counting"):
            adopt = self.answer(tasks)
            wanted = ranking.targets(support.library().released, parse_mix(tasks, words))[0]
            own = {"ui-agent": 3, "counting": 2}[tasks]
            self.assertEqual(sum(c["own"] for c in adopt["models"][0]["benchmarks"]), own)
            self.assertEqual(len(adopt["models"][0]["benchmarks"]), len(wanted))
            for model in adopt["models"]:
                printed = [c for c in model["benchmarks"] if c["kind"] != "estimated"]
                self.assertGreaterEqual(model["printed"], ranking.HALF - 1e-9)
                self.assertTrue(any(c["own"] for c in printed), model["model"])
            named = {model["model"] for model in adopt["models"]}
            self.assertFalse(named & {one["model"] for one in adopt["partial"]})

    def test_who_reads_text_but_no_screen_prints_only_part(self):
        """MiniCPM-o 4.5 prints OCRBench and TextVQA, half of the weight, and no click."""
        adopt = self.answer("ui-agent")
        self.assertIn("MiniCPM-o 4.5", [one["model"] for one in adopt["partial"]])
        out = call("pick", "--tasks", "ui-agent", "--why")[1]
        self.assertIn("prints only part: MiniCPM-o 4.5 (OCRBench, TextVQA)", " ".join(out.split()))

    def test_the_first_screen_says_the_level_and_its_record(self):
        adopt = self.answer("math")
        cell = adopt["models"][0]["benchmarks"][0]
        text = " ".join(call("pick", "--tasks", "math")[1].split())
        self.assertIn(f"prints MathVista {cell['value']:.1f}", text)
        self.assertIn(
            f"models with such an LLM: {cell['pick']:.1f} ({cell['pick_low']:.1f} to"
            f" {cell['pick_high']:.1f}; {cell['pick_models']} forecasts: median error"
            f" {cell['pick_error']:.1f})",
            text,
        )

    def test_where_the_llm_and_the_gain_disagree_it_says_so(self):
        """Of 144 tokens: models with its 30B print 83.6 on TextVQA; LLaVA-1.5-7B's 58.2 and the
        recipe's own gain come to less than the 69.0 of FastVLM-1.5B.
        """
        flags = ("--tasks", "ocr-document", "--latency", "500 ms on Orin", "--dtype", "int4")
        flags = (*flags, "--images", "4", "--top", "1")
        value = call_json("pick", *flags)
        adopt, first = value["adopt"], value["recipes"][0]
        self.assertEqual(adopt["verdict"], "unclear")
        self.assertTrue(adopt["disagree"])
        cells = adopt["models"][0]["benchmarks"]
        cell = next(cell for cell in cells if cell["benchmark"] == "textvqa")
        gain = next(d["expected"] for d in first["deltas"] if d["benchmark"] == "textvqa")
        self.assertLess(cell["pick_by_gain"], cell["value"])
        self.assertLess(cell["value"], cell["pick_low"])
        self.assertLess(abs(cell["pick_by_gain"] - (58.2 + gain)), 1.5)  # on the logit
        text = " ".join(call("pick", *flags)[1].split())
        self.assertIn("adopt? maybe: models with such an LLM print more, the recipe's own", text)
        self.assertIn(f"; by this recipe's gain {cell['pick_by_gain']:.1f}", text)
        self.assertNotIn("by its LLM", text)

    def test_what_is_too_slow_is_not_put_forward(self):
        """A 78B fits Orin's 64 GB in int4, and reads 3,000 tokens in more than 2 s."""
        flags = ("--tasks", "documents", "--dtype", "int4", "--top", "1")
        free, held = (
            call_json("pick", *flags, *more)["adopt"]["models"]
            for more in (("--deploy", "Orin"), ("--latency", "2s on Orin"))
        )
        dense = "InternVL3-78B"  # which a mixture of experts with 3B at work beats there
        self.assertIn(dense, [model["model"] for model in free])
        self.assertNotIn(dense, [model["model"] for model in held])

    def test_a_mean_of_splits_is_called_by_its_name(self):
        adopt = self.answer("grounding")
        self.assertEqual(adopt["models"][0]["benchmarks"][0]["benchmark"], "refcoco_avg8")
        out = call("pick", "--tasks", "grounding")[1]
        self.assertIn("RefCOCO/+/g", out)
        self.assertNotIn("refcoco_avg8", out)
        note = "RefCOCO/+/g stands for RefCOCO, RefCOCO+, RefCOCOg"
        self.assertIn(note, call("models", "--tasks", "grounding")[1])

    def test_where_no_model_prints_half_the_verdict_says_so(self):
        from recipes.show.adopt import adopt_text

        part = {"model": "M", "params_b": 7, "printed": 0.25, "benchmarks": ["a"], "names": ["A"]}
        text = adopt_text({"verdict": "unclear", "models": [], "partial": [part]})
        self.assertIn("no released model that fits prints half of these tasks", text)
        out = call("pick", "--tasks", "ui-agent", "--fix", "llm_params_b=2B", "--why")[1]
        self.assertIn("adopt or train? not known: no released model", out)
        self.assertIn("prints only part: M (A)", text)

    def test_the_verdict_follows_from_what_is_above(self):
        def model(compared, above, below=0, gain=None):
            gain = below if gain is None else gain
            return {"compared": compared, "above": above, "below": below, "below_gain": gain}

        verdict = adopting._verdict
        self.assertEqual(verdict([model(2, 2)]), "adopt")
        self.assertEqual(verdict([model(3, 1), model(2, 2)]), "adopt")
        self.assertEqual(verdict([model(2, 0, 2), model(2, 0, 2)]), "train")
        # behind what such models reach on average is not beaten
        self.assertEqual(verdict([model(1, 0)]), "unclear")
        self.assertEqual(verdict([model(2, 0, 2), model(1, 0)]), "unclear")
        self.assertEqual(verdict([model(0, 0)]), "unclear")
        # the LLM's level alone does not say that a recipe with few tokens beats them
        self.assertEqual(verdict([model(2, 0, 2, 1), model(2, 0, 2)]), "unclear")
        self.assertEqual(verdict([model(2, 2, 0, 0)]), "adopt")
        self.assertEqual(levels.HELD, 0.8)
