"""`rank`: one axis moves, all else is held."""

import shlex
import unittest

from tests import support


def rank(*argv: str) -> dict:
    return support.call_json("rank", *argv)


class Rank(unittest.TestCase):
    def test_it_agrees_with_swap(self):
        """A level against the base is that swap: expectation, interval, printed rows."""
        value = rank("encoder", "--among", "siglip,clip", "--tasks", "documents")
        one = next(x for x in value["levels"] if x["level"] == "siglip-so400m-14")
        swap = support.call_json("swap", "clip", "siglip", "--tasks", "documents")
        self.assertEqual(one["expected"], swap["mix"]["expected"])
        self.assertEqual(one["interval"], swap["mix"]["interval"])
        self.assertEqual(value["held"]["llm"], swap["from"]["llm"])

    def test_one_benchmark_is_in_its_points(self):
        value = rank("encoder", "--among", "siglip,dinov2,clip", "--benchmark", "mme_perception")
        one = next(x for x in value["levels"] if x["level"] == "siglip-so400m-14")
        swap = support.call_json("swap", "clip", "siglip", "--benchmark", "mme_perception")
        self.assertEqual(value["unit"], "points")
        self.assertEqual(one["expected"], swap["deltas"][0]["expected"])
        self.assertEqual(one["printed"], swap["deltas"][0]["printed"])

    def test_probabilities_add_up(self):
        value = rank("encoder", "--among", "siglip,clip,dinov2,siglip2-so400m-14")
        self.assertAlmostEqual(sum(x["p_best"] for x in value["levels"]), 1.0, places=3)

    def test_resolution_moves_its_tokens(self):
        levels = {x["level"]: x for x in rank("resolution", "--among", "224,336,672")["levels"]}
        self.assertEqual([levels[n]["visual_tokens"] for n in (224, 336, 672)], [256, 576, 2304])
        hours = [levels[n]["training"]["gpu_hours"] for n in (224, 336, 672)]
        self.assertEqual(hours, sorted(hours))

    def test_costs_are_those_of_what_is_held(self):
        """Connectors at the 576 tokens that the answer says it holds, not at the 144 that some
        make; beside pixels no tokens are said to be held, as they follow.
        """
        value = rank("connector", "--among", "mlp-2x-gelu,tokenpacker,avg-pool")
        self.assertEqual(value["held"]["visual_tokens"], 576)
        self.assertEqual({one["visual_tokens"] for one in value["levels"]}, {576})
        hours = [one["training"]["gpu_hours"] for one in value["levels"]]
        self.assertLess(max(hours) / min(hours), 1.1)
        value = rank("connector", "--among", "avg-pool", "--visual-tokens", "144")
        self.assertEqual(value["levels"][0]["visual_tokens"], 144)
        value = rank("resolution", "--among", "336,672")
        self.assertNotIn("visual_tokens", value["held"])
        self.assertEqual({one["visual_tokens"] for one in value["levels"]}, {576, 2304})

    def test_tokens_are_held(self):
        value = rank("connector", "--visual-tokens", "144")
        self.assertEqual({x["visual_tokens"] for x in value["levels"] if x["training"]}, {144})

    def test_order_and_worst(self):
        value = rank("encoder")
        gains = [x["expected"] for x in value["levels"] if x["expected"] is not None]
        self.assertEqual(gains, sorted(gains, reverse=True))
        worst = [x["level"] for x in rank("encoder", "--worst")["levels"]]
        self.assertEqual(worst, [x["level"] for x in value["levels"]][::-1])

    def test_a_limit_puts_a_level_last(self):
        value = rank("resolution", "--among", "224,672", "--latency", "200ms on L4")
        self.assertEqual([x["breaks"] for x in value["levels"]], [None, "latency"])

    def test_what_costs_nobody_knows_is_no_verdict_under_a_limit(self):
        """RICE-ViT's width is on no record, nor LLaVA-NeXT's number of samples."""
        rice = "rice-vit-l-14-llava-ov1.5"
        value = rank("encoder", "--memory", "8GB")
        fit = [one["fits"] for one in value["levels"]]
        self.assertEqual(value["first"], None)
        self.assertIn(rice, [x["level"] for x in value["levels"] if x["fits"] is None])
        self.assertEqual(fit, sorted(fit, key=(True, None, False).index))
        self.assertIn("nothing is known to fit: what rice", self.verdict("--memory", "8GB"))
        value = rank("data", "--tasks", "chart", "--budget", "200 A100-hours")
        by_name = {one["level"]: one for one in value["levels"]}
        self.assertIsNone(by_name["llava-next-sft"]["fits"])
        self.assertIsNone(by_name["llava-next-sft"]["p_best"])
        self.assertTrue(by_name[value["first"]]["fits"])
        self.assertLessEqual(by_name[value["first"]]["training"]["gpu_hours"], 200)
        # without a limit, what it costs does not matter
        self.assertTrue(all(one["fits"] for one in rank("encoder")["levels"]))
        two = ("--among", "siglip,clip", "--memory", "8GB")
        self.assertEqual(self.verdict(*two), "encoder: nothing fits")

    @staticmethod
    def verdict(*flags: str) -> str:
        return support.call("rank", "encoder", *flags)[1].split("\n")[0]

    def test_what_fits_is_looked_for_among_all_levels(self):
        """Not among the two that gain most alone."""
        best = [one["level"] for one in rank("encoder", "--top", "2")["levels"]]
        value = rank("encoder", "--latency", "160ms on L4", "--top", "2")
        self.assertTrue(value["levels"][0]["fits"])
        self.assertNotIn(value["first"], best)

    def test_the_next_command_works(self):
        for argv in (
            ("llm", "--llm-params-b", "3B"),
            ("resolution",),
            ("llm_params_b",),
            ("visual_tokens",),
            ("connector", "--visual-tokens", "144", "--on", "0.5B"),
        ):
            last = support.call("rank", *argv)[1].split("next: ")[1]
            command = shlex.split(last.split("(")[0])
            said = support.call(*command)
            self.assertEqual(said[0], 0, command)
        # with what is held: the same number
        swap = support.call_json(*[word for word in command if word != "--why"])
        first = rank(*argv)["levels"][0]
        self.assertEqual(swap["mix"]["expected"], first["expected"])

    def test_avoided_and_named(self):
        value = rank("encoder", "--among", "siglip,clip,dinov2", "--avoid", "siglip")
        self.assertNotIn("siglip-so400m-14", [x["level"] for x in value["levels"]])

    def test_what_is_refused(self):
        for argv, word in (
            (("encoder", "--encoder", "clip"), "what moves"),
            (("encoder", "--among", "xyzzyq"), "xyzzyq"),
            (("frozen",), "frozen"),
            (("encoder", "--among", "clip", "--avoid", "clip"), "no level"),
        ):
            code, _, err = support.call("rank", *argv)
            self.assertEqual(code, 2)
            self.assertIn(word, err)

    def test_the_screen(self):
        """The verdict first; at most 20 lines of 80 columns."""
        for argv in (("encoder",), ("connector", "--visual-tokens", "144"), ("resolution",)):
            _, text, _ = support.call("rank", *argv)
            lines = text.rstrip("\n").split("\n")
            self.assertTrue(lines[0].startswith(f"{argv[0]}: "))
            self.assertLessEqual(len(lines), 20)
            self.assertLessEqual(max(map(len, lines)), 80)


if __name__ == "__main__":
    unittest.main()
