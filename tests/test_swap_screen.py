"""The first screen of `swap`: what to expect, how sure, what it costs, what to type next."""

import re
import unittest

from recipes.answers import swap as answers
from recipes.show import swap as showing
from tests import support

CHANGES = (
    ("clip", "siglip", "--on", "7B"),
    ("336", "672", "--tasks", "documents"),
    ("7B", "13B", "--benchmark", "mmmu"),
    ("mlp", "q-former"),
    ("llava-665k", "cambrian-7m", "--score", "mmmu=36"),
    ("576 tokens", "144 tokens"),
    ("clip", "siglip+dinov2", "--llm", "qwen2-7b"),
    ("frozen", "trained"),
)


def screen(*argv: str) -> list[str]:
    code, text, err = support.call("swap", *argv)
    assert code == 0, err
    return text.rstrip("\n").split("\n")


class Screen(unittest.TestCase):
    def test_it_fits(self):
        """At most 16 lines of 80 columns."""
        for argv in CHANGES:
            with self.subTest(argv):
                lines = screen(*argv)
                self.assertLessEqual(len(lines), 16, "\n".join(lines))
                self.assertLessEqual(max(map(len, lines)), 80)

    def test_the_verdict_comes_first_and_the_next_command_last(self):
        lines = screen("clip", "siglip")
        value = support.call_json("swap", "clip", "siglip")
        self.assertIn(value["verdict"], " ".join(line.strip() for line in lines[:4]))
        self.assertIn(value["to_see"]["command"], " ".join(line.strip() for line in lines[-3:]))

    def test_what_it_says_to_type_can_be_typed(self):
        see = support.call_json("swap", "clip", "siglip", "--benchmark", "textvqa")["to_see"]
        code, out, err = support.call(*see["command"].split(), "--json")
        self.assertEqual(code, 0, err)
        self.assertIn(f'"seeds": {see["runs"] // 2}', out)

    def test_what_it_promises_is_what_the_command_says(self):
        """With the recipe that is held: runs and GPU-hours are those of the command as typed."""
        for argv in (
            ("clip", "siglip"),
            ("clip", "siglip", "--on", "0.5B"),
            ("clip", "siglip", "--llm", "qwen2-7b", "--data", "sharegpt4v"),
            ("mlp", "q-former", "--visual-tokens", "64"),
            ("llava-665k", "cambrian-7m", "--encoder", "siglip"),
            ("336", "672", "--on", "0.5B"),
            ("576 tokens", "144 tokens"),
        ):
            with self.subTest(argv):
                see = support.call_json("swap", *argv)["to_see"]
                plan = support.call_json(*see["command"].split())
                self.assertEqual(plan["runs_total"], see["runs"])
                self.assertAlmostEqual(plan["gpu_hours"], see["gpu_hours"], delta=0.1)
        value = support.call_json("swap", "llava-665k", "cambrian-7m", "--encoder", "siglip")
        command = value["to_see"]["command"]
        held = {"encoder": "siglip-so400m-14", "resolution": value["from"]["resolution"]}
        for field, level in held.items():
            self.assertIn(f"{field}={level}", command)

    def test_asked_benchmarks_are_shown(self):
        shown = "\n".join(screen("clip", "siglip", "--tasks", "mmvp=0.5,docvqa=0.5"))
        self.assertRegex(shown, r"(?m)^MMVP ")
        self.assertRegex(shown, r"(?m)^DocVQA ")

    def test_all_shows_all(self):
        value = support.call_json("swap", "clip", "siglip")
        rows = [x for x in screen("clip", "siglip", "--all") if re.search(r"\d%  ", x)]
        self.assertEqual(len(rows), showing.SHOWN + len(value["deltas"]))

    def test_text_and_json_have_the_same_notes(self):
        argv = ("clip", "siglip", "--score", "mmmu=36", "--benchmark", "mmmu", "--why")
        notes = support.call_json("swap", *argv)["warnings"]
        text = " ".join(" ".join(screen(*argv)).split())
        self.assertGreater(len(notes), 3)
        self.assertEqual(text.count(" note: "), len(notes))
        self.assertIn(f"{len(notes)} notes", text)

    def test_a_component_without_rows_is_not_judged(self):
        """What no table has is never called better or worse."""
        library = support.library()
        words = library.words.records("encoder")
        support_ = library.posterior.support
        name = next(n for n in sorted(words) if f"encoder={n}" not in support_)
        value = support.call_json("swap", "clip", name)
        self.assertRegex(value["verdict"], "^not known")


class Printed(unittest.TestCase):
    def test_median_and_range_of_the_rows(self):
        """Honeybee's own pair of resampler and C-Abstractor, read off its rows."""
        value = support.call_json("swap", "clip", "siglip", "--benchmark", "textvqa")
        d = value["deltas"][0]
        rows = [r for r in d["evidence"] if r["relation"] == "direct"]
        rows = [r for r in rows if r["controlled"]] or rows
        deltas = sorted(r["delta"] for r in rows)
        self.assertEqual(d["printed"]["rows"], len(deltas))
        self.assertEqual(d["printed"]["low"], deltas[0])
        self.assertEqual(d["printed"]["high"], deltas[-1])
        middle = len(deltas) // 2
        median = deltas[middle] if len(deltas) % 2 else sum(deltas[middle - 1 : middle + 1]) / 2
        self.assertAlmostEqual(d["printed"]["median"], median, places=4)

    def test_hand_computed(self):
        row = lambda delta, controlled, table: answers.Evidence(
            table, None, "b", None, "x", "y", delta, 1.0, controlled, (), None
        )
        rows = [(row(4.0, True, "a"), 1.0), (row(1.0, True, "b"), 1.0), (row(9.0, False, "c"), 1.0)]
        self.assertEqual(answers.pooled_print(rows), (2, 2, 2.5, 1.0, 4.0, True))
        self.assertEqual(answers.pooled_print(rows[2:]), (1, 1, 9.0, 9.0, 9.0, False))
        self.assertIsNone(answers.pooled_print([]))


class PrintedRows(unittest.TestCase):
    def test_a_comparison_that_a_later_paper_prints_again_counts_once(self):
        """llava-onevision-1_5.table2 prints RICE's table 1, rounded and in other units."""
        value = support.call_json("swap", "clip-vit-l-14", "rice-vit-l-14", "--benchmark", "docvqa")
        self.assertEqual((value["printed"]["tables"], value["printed"]["rows"]), (1, 1))

    def test_what_is_printed_is_of_the_tasks_that_were_asked_for(self):
        whole, some = (
            support.call_json("swap", "336", "672", *more)["printed"]
            for more in ((), ("--tasks", "chart"))
        )
        self.assertIsNotNone(whole)
        self.assertNotEqual(some, whole)
        text = " ".join(support.call("swap", "mlp", "q-former", "--tasks", "video")[1].split())
        self.assertIn("printed: no table makes this very change on these tasks", text)

    def test_rows_that_are_not_shown_are_counted(self):
        text = support.call("swap", "siglip", "siglip2", "--benchmark", "docvqa", "--rows")[1]
        self.assertRegex(text, r"the rows behind it: \d+ of \d+ pairs of runs, one of a table")
        every = support.call("swap", "siglip", "siglip2", "--benchmark", "docvqa", "--why")[1]
        self.assertIn("\nthe rows behind it\n", every)


if __name__ == "__main__":
    unittest.main()
