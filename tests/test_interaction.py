"""Does a change do more with a larger LLM? By hand on made-up tables, and on the published ones."""

import functools
import json
import math
import pathlib
import tempfile
import unittest

from recipes.effects.interaction import Slope
from recipes.show.swap import slope_note

from . import support


def table(deltas: dict[str, float]) -> dict:
    """CLIP and SigLIP with each LLM; SigLIP scores `delta` more on MMMU and AI2D."""
    rows = [
        {
            "arm": f"{name} {llm}",
            "set": {"encoder": name, "llm": llm},
            "scores": {"mmmu": 40 + gain, "ai2d": 60 + gain},
        }
        for llm, delta in deltas.items()
        for name, gain in (("CLIP", 0.0), ("SigLIP", delta))
    ]
    return {
        "format": 2,
        "paper": {"key": "own"},
        "tables": [
            {
                "id": "own.t1",
                "locator": "run",
                "varies": ["encoder", "llm"],
                "setting": {"resolution": 384, "data": "llava-665k", "connector": "mlp-2x-gelu"},
                "metrics": {"mmmu": {"benchmark": "mmmu"}, "ai2d": {"benchmark": "ai2d"}},
                "rows": rows,
            }
        ],
    }


class OwnTable(unittest.TestCase):
    @staticmethod
    @functools.cache
    def slope(small: float, large: float, a="CLIP", b="SigLIP") -> dict:
        """Of deltas at 0.5B and at 7B."""
        deltas = {"qwen2.5-0.5b": small, "qwen2.5-7b": large}
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "own.json").write_text(json.dumps(table(deltas)))
            argv = ("swap", a, b, "--resolution", "384", "--benchmark", "mmmu", "--tables", folder)
            return support.call_json(*argv)["llm_size_interaction"]

    def test_a_slope_is_found_with_its_sign(self):
        flat, rising, falling = self.slope(2, 2), self.slope(2, 10), self.slope(10, 2)
        self.assertGreater(rising["per_doubling"], flat["per_doubling"])
        self.assertLess(falling["per_doubling"], flat["per_doubling"])
        self.assertIn("own", rising["papers"])
        self.assertEqual(rising["pairs"], flat["pairs"])

    def test_turned_around(self):
        there, back = self.slope(2, 10), self.slope(2, 10, "SigLIP", "CLIP")
        self.assertAlmostEqual(there["per_doubling"], -back["per_doubling"], 4)
        self.assertAlmostEqual(there["se"], back["se"], 4)

    def test_one_pair_is_one_pair_on_any_number_of_benchmarks(self):
        """Heterogeneity is shared by the benchmarks of a pair: two of them do not halve the
        variance.
        """
        self.assertGreater(self.slope(2, 3)["se"], 0.2)


class Published(unittest.TestCase):
    def test_no_table_at_two_sizes_is_none(self):
        self.assertIsNone(
            support.call_json("swap", "Perceiver", "Q-Former", "--benchmark", "mmmu")[
                "llm_size_interaction"
            ]
        )

    def test_the_note_says_it(self):
        answer = support.call_json("swap", "224", "448")
        slope = answer["llm_size_interaction"]
        _, out, _ = support.call("swap", "224", "448", "--benchmark", "mmmu", "--why")
        text = " ".join(out.split())
        self.assertIn("percent of scale per doubling", text)
        self.assertEqual(
            "no sign that it depends on the LLM's size" in text,
            abs(slope["per_doubling"]) < 1.96 * slope["se"],
        )
        self.assertFalse(math.isnan(slope["se"]))

    def test_one_paper_is_one_paper(self):
        """Two standard errors of one paper are a hint, and said to be one; the deltas do not use
        it.
        """
        answers = [
            support.call_json("swap", "CLIP", "SigLIP", "--on", size) for size in ("7B", "70B")
        ]
        self.assertEqual(*([d["expected"] for d in answer["deltas"]] for answer in answers))
        papers = answers[0]["llm_size_interaction"]["papers"]
        self.assertIn("prismatic", papers)
        argv = ("swap", "CLIP", "SigLIP", "--on", "70B", "--benchmark", "mmmu", "--why")
        text = " ".join(support.call(*argv)[1].split())
        self.assertIn("the expected deltas do not use it", text)
        self.assertIn("in rows of Prismatic", text)
        hint = slope_note(Slope(-2.5, 1.0, 4, ("prismatic",), (7.0, 13.0), 1.0, 0.0))
        self.assertIn("one paper says that it does less with a larger LLM, too little", hint)

    def test_clear(self):
        slope = lambda z, *papers: Slope(z, 1.0, 4, papers, (7.0, 13.0), 0.0, 1.0)
        for value, clear, words in (
            (slope(2.5, "a"), False, "one paper says that it does more"),
            (slope(-3.5, "a"), True, "one paper says that it does less"),
            (slope(2.5, "a", "b"), True, "2 papers together say that it does more"),
            (slope(1.5, "a", "b"), False, "no sign"),
        ):
            self.assertEqual(value.clear, clear)
            note = slope_note(value)
            self.assertIn(words, note)
            self.assertEqual("too little to rely on" in note, words != "no sign" and not clear)
            self.assertIn("do not use it", note)

    def test_a_change_of_the_llm_has_none(self):
        self.assertIsNone(
            support.call_json("swap", "7B", "13B", "--benchmark", "mmmu")["llm_size_interaction"]
        )


if __name__ == "__main__":
    unittest.main()
