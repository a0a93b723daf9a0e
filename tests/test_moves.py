"""`moves` and `versus`: what moves a benchmark most; which axis matters more."""

import math
import unittest
from statistics import NormalDist

from tests import support


class Moves(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.value = support.call_json("moves", "chartqa", "--from", "60", "--target", "70")

    def test_the_largest_gain_first(self):
        gains = [one["expected"] for one in self.value["moves"]]
        self.assertEqual(gains, sorted(gains, reverse=True))
        self.assertGreater(min(gains), 0)

    def test_an_axis_is_its_rank(self):
        one = next(x for x in self.value["moves"] if x["axis"] == "encoder")
        level = support.call_json("rank", "encoder", "--benchmark", "chartqa")["levels"][0]
        self.assertEqual((one["level"], one["expected"]), (level["level"], level["expected"]))

    def test_gain_by_cost(self):
        for one in self.value["moves"]:
            if one["gain_per_1000_gpu_hours"] is not None:
                got = one["gain_per_1000_gpu_hours"] * one["gpu_hours_more"] / 1000
                self.assertAlmostEqual(got, one["expected"], places=3)

    def test_a_target_that_nothing_reaches(self):
        near, far = (
            support.call_json("moves", "chartqa", "--from", "60", "--target", target)["p_reached"]
            for target in ("61", "99")
        )
        self.assertGreater(near, 0.8)
        self.assertLess(far, 0.2)
        _, text, _ = support.call("moves", "chartqa", "--from", "60", "--target", "99")
        self.assertIn("not by these tables", text)

    def test_a_gain_from_a_score_is_the_target_that_much_higher(self):
        gain = support.call_json("moves", "chartqa", "--from", "60", "--gain", "10")
        self.assertEqual(gain, self.value)
        self.assertEqual(gain["gain"], 10)

    def test_a_gain_alone(self):
        near, far = (
            support.call_json("moves", "docvqa", "--gain", points) for points in ("1", "90")
        )
        self.assertEqual((near["from"], near["target"], near["gain"]), (None, None, 1))
        self.assertGreater(near["p_reached"], 0.8)
        self.assertLess(far["p_reached"], 0.2)
        _, text, _ = support.call("moves", "docvqa", "--gain", "90")
        self.assertIn("to gain 90: not by these tables", text)

    def test_near_the_maximum_less_is_left(self):
        one, two = (
            support.call_json("moves", "docvqa", "--from", start, "--target", "99")["together"]
            for start in ("50", "95")
        )
        self.assertGreater(one["expected"], two["expected"])

    def test_all_at_once_is_within_its_bounds(self):
        """Together the changes of DocVQA promise more points than lie above its usual score: from
        30 the estimate is no more than the parts, on the logit, and below the upper end.
        """
        value = support.call_json("moves", "docvqa", "--from", "30", "--target", "80")
        joint, ends = value["together"]["expected"], value["together"]["interval"]
        self.assertLess(ends["low"] + 5, joint)
        self.assertLess(joint, ends["high"] - 5)
        parts = [x for x in value["moves"] if x["axis"] not in ("visual_tokens", "llm_params_b")]
        self.assertLess(joint, 1.25 * sum(one["expected"] for one in parts))
        # even odds of the score that is expected
        target = f"{30 + joint:.4f}"
        value = support.call_json("moves", "docvqa", "--from", "30", "--target", target)
        self.assertAlmostEqual(value["p_reached"], 0.5, places=3)

    def test_a_shift_is_carried(self):
        from recipes.effects.level import carried, shift, shifted

        self.assertAlmostEqual(shifted(shift(4.0, 50.0), 90.0), carried(4.0, 50.0, 90.0))
        self.assertAlmostEqual(shifted(2 * math.log(4), 50.0), 100 * 16 / 17 - 50)

    def test_what_is_refused(self):
        for argv, word in (
            ((), "name one benchmark"),
            (("chartqa", "--from", "x"), "'x'"),
            (("chartqa", "--target", "170"), "170"),
            (("--tasks", "charts", "--from", "60"), "name it"),
            (("chartqa", "--gain", "0"), "--gain 0"),
            (("chartqa", "--gain", "5", "--target", "70"), "either"),
            (("chartqa", "--gain", "5", "--from", "97"), "102"),
        ):
            code, _, err = support.call("moves", *argv)
            self.assertEqual(code, 2, argv)
            self.assertIn(word, err)


class Versus(unittest.TestCase):
    def test_two_axes(self):
        value = support.call_json("versus", "encoder", "resolution", "--tasks", "documents")
        again = support.call_json("versus", "resolution", "encoder", "--tasks", "documents")
        self.assertEqual(value, again)
        self.assertEqual(value["first"], value["moves"][0]["axis"])
        a, b = (one["expected"] for one in value["moves"])
        wide = [x["interval"]["high"] - x["interval"]["low"] for x in value["moves"]]
        sd = math.hypot(*wide) / (2 * 1.2815515655446)
        self.assertAlmostEqual(value["p_first"], NormalDist().cdf((a - b) / sd), places=4)

    def test_an_axis_against_itself(self):
        code, _, err = support.call("versus", "encoder", "encoder")
        self.assertEqual(code, 2)
        self.assertIn("two different axes", err)


if __name__ == "__main__":
    unittest.main()
