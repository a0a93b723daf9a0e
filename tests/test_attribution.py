"""What carries an answer: the contributions of all rows add up to it, and each coefficient is what
its score really does.
"""

import json
import pathlib
import tempfile
import unittest

from recipes.effects.attribution import attribute, coefficients
from recipes.effects.change import Change
from recipes.effects.columns import columns
from recipes.effects.condition import Conditioned
from recipes.effects.model import weights
from recipes.effects.rows import find_rows
from recipes.library import Library
from tests.support import call, call_json, library, papers, slow

RECORDS = library().words.records("benchmark")
CLIP, SIGLIP = {"encoder": "clip-vit-l-14"}, {"encoder": "siglip-so400m-14"}
OWN = [
    {"arm": "a", "set": {"encoder": "clip-vit-l-14"}, "scores": {"mmmu": 30.0, "gqa": 60.0}},
    {"arm": "b", "set": {"encoder": "siglip-so400m-14"}, "scores": {"mmmu": 36.0, "gqa": 61.0}},
    {"arm": "c", "set": {"encoder": "my-own-encoder"}, "scores": {"mmmu": 33.0, "gqa": 63.0}},
]


def own_columns(folder, rows=OWN):
    """Columns of a user's table, with a noise that does not depend on the scores (as p (1 - p) / n
    does).
    """
    table = {
        "id": "own.t1",
        "locator": "run",
        "varies": ["encoder"],
        "setting": {"llm": "vicuna-1.5-7b", "resolution": 336, "data": "llava-665k"},
        "metrics": {"mmmu": {"benchmark": "mmmu"}, "gqa": {"benchmark": "gqa"}},
        "rows": rows,
    }
    pathlib.Path(folder, "own.json").write_text(
        json.dumps({"format": 2, "paper": {"key": "own"}, "tables": [table]})
    )
    return [
        column._replace(sampling=(2.0, 2.0, 2.0))
        for column in columns(Library([str(folder)]).own_papers(), library().words)
    ]


@slow
class Published(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.columns = columns(papers(), library().words)

    def carried(self, a, b, benchmark):
        words, posterior = library().words, library().posterior
        change = Change(a, b, posterior, words)
        shown = find_rows(papers(), a, b, change.axes, words)
        return change, attribute(
            change.features, benchmark, self.columns, [], posterior, RECORDS, shown
        )

    def test_contributions_add_up_to_the_answer(self):
        """The sum over some 30,000 pairs is the expected delta, which the program gets without
        looking at a row.
        """
        for a, b, benchmark, unit in (
            (CLIP, SIGLIP, "textvqa", 1.0),
            ({"llm_params_b": 7.0}, {"llm_params_b": 13.0}, "mme_perception", 20.0),
            ({"resolution": 336}, {"resolution": 672}, "docvqa", 1.0),
        ):
            change, value = self.carried(a, b, benchmark)
            expected = change.predict(benchmark, RECORDS[benchmark]["family"])[0] * unit
            self.assertGreater(abs(expected), 0.3)
            self.assertAlmostEqual(value.expected, expected)
            for total in (
                sum(p.brings for p in value.relations.values()),
                sum(p.brings for p in value.tables.values()),
            ):
                self.assertAlmostEqual(total / expected, 1.0, places=9, msg=benchmark)
            for parts in (value.relations, value.tables):
                self.assertAlmostEqual(sum(p.weight for p in parts.values()), 1.0)
            self.assertEqual(sum(p.pairs for p in value.relations.values()), value.pairs)
            self.assertEqual(
                [c.weight for c in value.heaviest],
                sorted((c.weight for c in value.heaviest), reverse=True),
            )

    def test_turned_around(self):
        (_, there), (_, back) = self.carried(CLIP, SIGLIP, "gqa"), self.carried(SIGLIP, CLIP, "gqa")
        self.assertAlmostEqual(there.expected, -back.expected)
        for a, b in zip(there.heaviest[:5], back.heaviest[:5]):
            self.assertEqual((a.from_arm, a.to_arm, a.tables), (b.to_arm, b.from_arm, b.tables))
            self.assertAlmostEqual(a.delta, -b.delta)
            self.assertAlmostEqual(a.weight, b.weight)

    def test_direct_pairs_are_among_those_that_swap_lists(self):
        """A run that two tables print is one run here; a pair that merely moves the same way is no
        direct one.
        """
        for argv, benchmark in (
            (("CLIP", "SigLIP"), "textvqa"),
            (("7B", "13B"), "mmmu"),
            (("336", "672"), "docvqa"),
            (("CLIP", "SigLIP"), "mmmu"),
        ):
            value = call_json("swap", *argv, "--benchmark", benchmark, "--why")
            listed = [row for row in value["deltas"][0]["evidence"] if row["relation"] == "direct"]
            direct = value["attribution"]["relations"].get("direct", {"pairs": 0})["pairs"]
            self.assertLessEqual(direct, len(listed), (argv, benchmark))
            self.assertEqual(bool(direct), bool(listed), (argv, benchmark))
            if direct:  # what --why and the note on disagreement go by is near the exact weight
                share = value["deltas"][0]["split"]["direct"]["share"]
                self.assertAlmostEqual(
                    share,
                    value["attribution"]["relations"]["direct"]["weight"],
                    delta=0.2,
                    msg=(argv, benchmark),
                )
            arms = {(row["from_arm"], row["to_arm"]) for row in listed}
            for pair in value["attribution"]["heaviest"]:
                if pair["relation"] == "direct":
                    self.assertTrue(
                        {(pair["from_arm"], pair["to_arm"]), (pair["to_arm"], pair["from_arm"])}
                        & arms,
                        pair,
                    )


@slow
class Own(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def answer(self, rows):
        posterior = Conditioned(library().posterior, own_columns(self.folder, rows))
        change = Change(CLIP, SIGLIP, posterior, library().words)
        return change.effect("mmmu", RECORDS["mmmu"]["family"]).mean

    def test_a_coefficient_is_what_a_score_does(self):
        """One point more in one cell of the user's table moves the answer by that cell's
        coefficient; so for a benchmark beside the asked one.
        """
        own = own_columns(self.folder)
        posterior = Conditioned(library().posterior, own)
        x = posterior.weights(Change(CLIP, SIGLIP, posterior, library().words).features)
        reach = posterior.reach_own(x, "mmmu", RECORDS["mmmu"]["family"])
        before = self.answer(OWN)
        for column, weight in zip(own, weights(own, posterior.hyper.overlap)):
            found = coefficients(
                column, weight, posterior, reach.effects(column.benchmark, column.family), False
            )
            self.assertAlmostEqual(sum(found), 0.0)
            for number, coefficient in enumerate(found):
                rows = [{**row, "scores": dict(row["scores"])} for row in OWN]
                rows[number]["scores"][column.benchmark] += 1.0
                self.assertAlmostEqual(
                    self.answer(rows) - before,
                    coefficient / posterior.scale_of(column.benchmark),
                    delta=2e-3 * max(map(abs, found)),
                )

    def test_own_rows_are_part_of_the_sum(self):
        own = own_columns(self.folder)
        posterior = Conditioned(library().posterior, own)
        change = Change(CLIP, SIGLIP, posterior, library().words)
        value = attribute(
            change.features, "mmmu", columns(papers(), library().words), own, posterior, RECORDS
        )
        self.assertAlmostEqual(
            sum(part.brings for part in value.relations.values()), value.expected
        )
        expected = change.predict("mmmu", RECORDS["mmmu"]["family"])[0]
        self.assertAlmostEqual(value.expected / expected, 1.0, delta=0.01)
        self.assertGreater(value.tables["own.t1"].brings, 0.2)  # it prints +6
        self.assertEqual(value.heaviest[0].tables, ("own.t1",))


@slow
class Command(unittest.TestCase):
    def test_why_shows_what_carries(self):
        code, text, _ = call("swap", "CLIP", "SigLIP", "--benchmark", "mmmu", "--why")
        self.assertEqual(code, 0)
        self.assertRegex(text, r"what carries the \+\d\.\d for MMMU: all [\d,]+ pairs of rows")
        self.assertNotIn("\n\n\n", text)
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()))
        self.assertNotIn("what carries", call("swap", "CLIP", "SigLIP", "--benchmark", "mmmu")[1])

    def test_json(self):
        value = call_json("swap", "CLIP", "SigLIP", "--benchmark", "mmmu", "--why")
        self.assertAlmostEqual(
            value["attribution"]["expected"], value["deltas"][0]["expected"], delta=0.01
        )
        self.assertAlmostEqual(
            sum(part["weight"] for part in value["attribution"]["relations"].values()),
            1.0,
            places=5,
        )
        self.assertNotIn("attribution", call_json("swap", "CLIP", "SigLIP", "--benchmark", "mmmu"))
        # no table varies either, and nobody says what is in them
        nothing = call_json(
            "swap", "llava-sft-mixture", "cambrian-5m", "--benchmark", "mmmu", "--why"
        )
        self.assertIsNone(nothing["attribution"])


if __name__ == "__main__":
    unittest.main()
