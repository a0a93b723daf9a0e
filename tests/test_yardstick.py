"""The noise of benchmarks, and the benchmarks command."""

import math
import unittest

from recipes.answers import benchmarks as yardstick
from tests import support


class Benchmarks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.words, cls.posterior = support.library().words, support.library().posterior
        cls.seen = yardstick.survey(support.papers())

    def of(self, name: str, **change) -> yardstick.Yardstick:
        return yardstick.measure(
            {**self.words.records("benchmark")[name], **change}, self.posterior, self.seen
        )

    def test_noise_is_the_models(self):
        for name in ("mmmu", "docvqa", "ocrbench", "mmvp"):
            y = self.of(name)
            unit = self.words.records("benchmark")[name]["max"] / 100
            self.assertAlmostEqual(
                y.sd, math.sqrt(self.posterior.noise(name)) * self.posterior.scale_of(name) * unit
            )
            self.assertAlmostEqual(y.sd**2, y.questions**2 + y.runs**2)
            self.assertAlmostEqual(y.clear80 / y.clear95, 1.2816 / 1.96)

    def test_questions_by_the_formula(self):
        """A benchmark that no table ablates: spread x 2 x binomial x p (1 - p) / n, in percent of
        scale.
        """
        y, hyper = self.of("screenspot"), self.posterior.hyper
        self.assertEqual((y.n, y.moves, y.seen.median), (1272, None, None))
        self.assertAlmostEqual(
            y.questions, 100 * math.sqrt(self.posterior.spread * 2 * hyper.binomial * 0.25 / 1272)
        )
        larger = self.of("screenspot", splits={"test": {"n": 1_272_000}})
        self.assertAlmostEqual(larger.questions, y.questions / math.sqrt(1000))
        self.assertLess(larger.clear80, y.clear80)

    def test_what_is_not_known(self):
        self.assertIsNone(self.of("icdar15").clear80)
        self.assertTrue(self.of("stvqa").lower_bound)
        self.assertFalse(self.of("docvqa").lower_bound)
        self.assertIsNone(self.of("chatbot-arena-vision").sd)

    def test_survey(self):
        seen = self.seen["docvqa"]
        self.assertIn("cambrian1.table11", seen.tables)
        self.assertTrue(20 < seen.median < 90)
        self.assertIn(0.5, seen.deviations)  # PaliGemma prints deviations
        self.assertEqual(self.seen["mmmu"].deviations, ())

    def test_small_ones_are_said_to_be(self):
        loud = yardstick.Yardstick("y", 218, 2.0, 1.9, 0.6, 3.0, False, yardstick.NOTHING)
        self.assertEqual(loud.verdict, "shows (80 % only)")
        self.assertEqual(self.of("docvqa").verdict, "shows (95 %)")
        tiny = yardstick.Yardstick("x", 10, 5.0, 5.0, 0.1, 4.0, False, yardstick.NOTHING)
        self.assertEqual(tiny.verdict, "too small or noisy")

    def test_watch(self):
        value = support.call_json("benchmarks", "--tasks", "documents")
        names = [w["benchmark"] for w in value["watch"]]
        self.assertEqual(set(names), {"docvqa", "textvqa", "ocrbench", "infovqa"})
        signals = [w["signal_to_noise"] for w in value["watch"]]
        self.assertEqual(signals, sorted(signals, reverse=True))
        self.assertFalse({o["benchmark"] for o in value["others"]} & set(names))
        code, out, _ = support.call("benchmarks", "--tasks", "chat")
        self.assertEqual(code, 0)
        small = [
            w["benchmark"]
            for w in support.call_json("benchmarks", "--tasks", "chat")["watch"]
            if w["verdict"] != "shows (95 %)" and w["questions"]
        ]
        self.assertEqual("alone too small or noisy for a typical change (95 %)" in out, bool(small))
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))

    def test_list_and_card(self):
        listed = {b["benchmark"]: b for b in support.call_json("benchmarks")["benchmarks"]}
        self.assertEqual(listed["mmmu"]["chance"], 22.1)
        self.assertEqual(listed["mmvp"]["questions"], 150)
        card = support.call_json("benchmarks", "MMMU val")["benchmarks"]
        self.assertEqual([c["benchmark"] for c in card], ["mmmu"])
        code, out, _ = support.call("benchmarks", "mmvp")
        self.assertEqual(code, 0)
        for part in (
            "smallest clear difference of two runs: ",
            "150 questions",
            "chance       25",
            "mmvp_pair_accuracy",
            "cambrian1.table4",
        ):
            self.assertIn(part, out)
        for argv in ((), ("documents",), ("docvqa",), ("mme_existence",)):
            code, out, _ = support.call("benchmarks", *argv)
            self.assertEqual(code, 0, argv)
            self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), argv)

    def test_chance_has_a_source(self):
        for record in self.words.records("benchmark").values():
            if record.get("chance_level") is not None:
                self.assertTrue(record.get("chance_source"), record["key"])
                self.assertTrue(0 <= record["chance_level"] < (record["max"] or 100), record["key"])

    def test_bad_input(self):
        for argv, word in (
            (("chartz",), "chart"),
            (("docvqa", "--tasks", "charts"), "either"),
            (("--tasks", "zzz"), "zzz"),
        ):
            code, out, err = support.call("benchmarks", *argv)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), argv)
            self.assertIn(word, err)


if __name__ == "__main__":
    unittest.main()
