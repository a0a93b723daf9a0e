"""`noise` (my score against the paper's) and `explain` (terms, facts)."""

import unittest
from statistics import NormalDist, median

from tests import support


class Noise(unittest.TestCase):
    def test_it_is_the_noise_of_benchmarks(self):
        value = support.call_json("noise", "textvqa", "--mine", "57", "--paper", "58.2")
        self.assertAlmostEqual(value["difference"], -1.2)
        self.assertAlmostEqual(
            value["p_as_far"], 2 * NormalDist().cdf(-1.2 / value["sd"]), places=4
        )
        _, text, _ = support.call("benchmarks", "textvqa")
        self.assertIn(f"two runs: {value['clear80']:.1f} (80 %)", text)

    def test_verdicts(self):
        for mine, word in (("58.2", "within"), ("56.3", "edge"), ("40", "more than noise")):
            value = support.call_json("noise", "textvqa", "--mine", mine, "--paper", "58.2")
            self.assertIn(word, value["verdict"])

    def test_a_difference_alone_has_the_verdict_of_two_scores(self):
        one = support.call_json("noise", "textvqa", "--difference", "1.5")
        two = support.call_json("noise", "textvqa", "--mine", "58.5", "--paper", "57")
        self.assertEqual((one["mine"], one["paper"]), (None, None))
        self.assertEqual(one, {**two, "mine": None, "paper": None})
        for more in ((), ("--mine", "57"), ("--mine", "57", "--difference", "1")):
            code, _, err = support.call("noise", "textvqa", *more)
            self.assertEqual((code, "--difference alone" in err), (2, True), more)

    def test_it_says_what_papers_print_over_repeated_runs(self):
        value = support.call_json("noise", "textvqa", "--difference", "1.5")
        record = support.call_json("benchmarks", "textvqa")["benchmarks"][0]
        printed = record["noise"]["printed_deviations"]
        self.assertGreater(len(printed), 1)
        self.assertEqual(value["repeated"], median(printed))
        self.assertEqual(value["repeated_rows"], len(printed))
        _, text, _ = support.call("noise", "textvqa", "--difference", "1.5")
        self.assertIn(f"a deviation of {median(printed):.2g} (median of {len(printed)}", text)

    def test_what_is_refused(self):
        for mine in ("x", "101", "-1", "nan"):
            code, _, err = support.call("noise", "textvqa", f"--mine={mine}", "--paper", "50")
            self.assertEqual(code, 2)
            self.assertIn(repr(mine), err)


class Explain(unittest.TestCase):
    def test_a_term_by_any_of_its_names(self):
        for name in ("tiles", "AnyRes", "dynamic resolution"):
            value = support.call_json("explain", *name.split())
            self.assertEqual(value["meanings"][0]["name"], "tiles")

    def test_a_component_has_the_registrys_facts(self):
        value = support.call_json("explain", "siglip")["meanings"][0]
        record = support.library().words.records("encoder")["siglip-so400m-14"]
        self.assertEqual(value["facts"]["patch_size"], record["patch_size"])
        self.assertIn("source", value["facts"])

    def test_each_grade_and_word_of_an_answer_is_explained(self):
        for word in ("direct", "indirect", "extrapolated", "none", "interval", "P(better)"):
            code, _, err = support.call("explain", word)
            self.assertEqual(code, 0, err)

    def test_unknown(self):
        code, _, err = support.call("explain", "conector")
        self.assertEqual(code, 2)
        self.assertIn("connector", err)

    def test_the_glossary_is_well_formed(self):
        entries = support.library().words.registry("glossary")["terms"]
        names = [name for e in entries for name in (e["term"], *e.get("also", ()))]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual([e["term"] for e in entries], sorted(e["term"] for e in entries))
        for entry in entries:
            self.assertRegex(entry["meaning"], r"^[A-Z0-9].*[.)]$")


if __name__ == "__main__":
    unittest.main()
