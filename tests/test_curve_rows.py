"""Printed rows beside a curve: pairs of neighbouring values, ranges, families, other mixes."""

import math
import unittest

from recipes.picker import curve, steps
from tests.curve_case import make, point
from tests.support import call, call_json, library, table_of


class Rows(unittest.TestCase):
    def papers(self, table, rows):
        paper = next(p for p in library().papers() if any(t.id == table.id for t in p.tables))
        return [paper._replace(tables=(table._replace(rows=tuple(rows)),))]

    def test_neighbours_only(self):
        """Three token counts of one recipe: two pairs, gain per doubling, whatever the order of the
        rows.
        """
        table = table_of("cambrian1.table11")
        metric = next(m for m in table.metrics.values() if m.benchmark == "docvqa")
        base = table.rows[0]
        rows = [
            base._replace(
                run=f"r{n}",
                arm=f"arm {n}",
                setting={**base.setting, "visual_tokens": n},
                scores={metric.key: score},
                doubt=None,
            )
            for n, score in ((576, 30.0), (64, 10.0), (1152, 33.0))
        ]
        found = steps.pairs(self.papers(table, rows), "visual_tokens", library().words)
        self.assertEqual(
            sorted((p.low, p.high, round(p.slope, 9), p.family) for p in found),
            [
                (64, 576, round(20 / math.log2(9), 9), "ocr-document"),
                (576, 1152, 3.0, "ocr-document"),
            ],
        )
        other = [rows[0], rows[2]._replace(setting={**rows[2].setting, "data": "x"})]
        # two things move
        self.assertEqual(
            steps.pairs(self.papers(table, other), "visual_tokens", library().words), []
        )

    def test_ranges_share_a_pair_by_its_doublings(self):
        pair = steps.Pair("a", "chart", 100.0, 800.0, 2.0)
        more = steps.Pair("a", "chart", 100.0, 200.0, 5.0)
        other = steps.Pair("b", "chart", 200.0, 400.0, -1.0)
        found = steps.printed([pair, more, other], (100.0, 200.0, 400.0, 790.0, 10000.0))
        self.assertEqual(
            [(p.gain, p.pairs, p.papers) for p in found],
            [(3.5, 2, 1), (0.5, 2, 2), (2.0, 1, 1), (None, 0, 0)],
        )

    def test_another_mix_is_not_another_amount(self):
        """Only rows of one data mix say what its amount does; a mix with a name or a cap of its own
        stands apart, and stands between no two of them.
        """
        table = table_of("cambrian1.table11")
        metric = next(m for m in table.metrics.values() if m.benchmark == "docvqa")
        base = table.rows[0]

        def row(size, score, **more):
            setting = {**base.setting, "data": "a", "data_size": size, **more}
            return base._replace(
                run=f"r{size}",
                arm=str(size),
                setting=setting,
                scores={metric.key: score},
                doubt=None,
            )

        rows = [
            row(1e6, 30.0),
            row(2e6, 40.0, data="b"),
            row(4e6, 32.0),
            row(8e6, 35.0, data_cap_per_source=10),
            row(16e6, 39.0, data_cap_per_source=10, data_keep=1.0),
        ]
        found = steps.pairs(self.papers(table, rows), "data_size", library().words)
        self.assertEqual(
            sorted((p.low, p.high, round(p.slope, 9), p.same) for p in found),
            [
                (1e6, 2e6, 10.0, False),
                (1e6, 4e6, 1.0, True),
                (2e6, 4e6, -8.0, False),
                (4e6, 8e6, 3.0, False),
                (8e6, 16e6, 4.0, True),
            ],
        )
        unnamed = [row(1e6, 30.0, data=None), row(4e6, 32.0, data=None)]
        self.assertFalse(
            any(
                p.same
                for p in steps.pairs(self.papers(table, unnamed), "data_size", library().words)
            )
        )

    def test_published_amounts(self):
        """No table prints one mix in two amounts: nothing under that name, the other mixes apart,
        and where they contradict the curve.
        """
        found = steps.pairs(
            library().papers(library().posterior.support["data_size"]), "data_size", library().words
        )
        self.assertTrue(found and not any(pair.same for pair in found))
        value = call_json("curve", "data_size")
        self.assertEqual({part["pairs"] for part in value["printed"]}, {0})
        noise = value["noise_of_two_runs"]
        self.assertTrue(value["printed_other_mixes"])
        for part in value["printed_other_mixes"]:
            self.assertEqual(
                part["disagree"], abs(part["gain_per_doubling"] - part["model"]) > noise
            )
        text = " ".join(call("curve", "data_size")[1].split())
        self.assertIn(
            "printed: no rows of these families with the same mix in another amount apart: rows in"
            " which the mix itself changes",
            text,
        )
        worst = max(
            value["printed_other_mixes"],
            key=lambda part: abs(part["gain_per_doubling"] - part["model"]),
        )
        self.assertTrue(worst["disagree"])
        self.assertIn(
            f"({worst['gain_per_doubling']:+.1f} for {worst['model']:+.1f})",
            text.partition("differ:")[2].partition("words:")[0],
        )
        families = " ".join(call("curve", "data_size", "--by-family")[1].split())
        self.assertIn("no table prints the same mix in another amount", families)
        self.assertNotIn("printed rows: gain", families)
        self.assertRegex(
            families,
            r"differ: rows of other mixes of two papers or more and the model, .* \(\S+ for \S+\)",
        )

    def test_beside_the_model(self):
        """The model's gain in a range is the mean over the doublings in it; it disagrees when it is
        off by more than the noise.
        """
        part = steps.Printed(100.0, 400.0, 3.0, 1, 1)
        points = [point(50.0, 9.0), point(100.0, 1.0), point(200.0, 2.0), point(400.0, 9.0)]
        beside = lambda noise, points=points: curve.beside([part], points, noise)[0]
        self.assertAlmostEqual(beside(1.0).model, 1.5)
        self.assertEqual([beside(noise).disagree for noise in (1.4, 1.6)], [True, False])
        self.assertEqual(beside(0.1, [point(100.0, 1.0, extrapolated=True)])[-2:], (None, False))
        self.assertEqual(beside(0.1, [])[-2:], (None, False))
        self.assertFalse(curve.beside([part._replace(gain=None)], points, 0.1)[0].disagree)
        value = call_json("curve", "visual_tokens", "--tasks", "general-vqa")
        self.assertIn(True, [p["disagree"] for p in value["printed"]])
        text = " ".join(call("curve", "visual_tokens", "--tasks", "general-vqa")[1].split())
        self.assertIn("differ: printed rows and the model, by more than the noise", text)
        # the rows' tokens follow, this curve's do not
        held = call_json("curve", "resolution", "--recipe", "visual_tokens=576")
        self.assertEqual({p["model"] for p in held["printed"]}, {None})

    def test_by_family(self):
        value = call_json("curve", "visual_tokens", "--by-family", "--from", "576", "--to", "1152")
        self.assertEqual(
            {row["family"] for row in value["families"]}, set(library().words.families())
        )
        last = {row["family"]: row["printed"][-1] for row in value["families"]}
        self.assertGreater(
            last["ocr-document"]["gain_per_doubling"],
            last["reasoning-knowledge"]["gain_per_doubling"],
        )
        self.assertIn("ocr-document", value["answer"])
        pairs = steps.pairs(
            library().papers(library().posterior.support["llm_size"]),
            "llm_params_b",
            library().words,
        )
        # its core benchmarks are of other families too
        agents = {pair.paper for pair in pairs if pair.family == "ui-agent"}
        printed = call_json("curve", "llm", "--by-family", "--tasks", "ui-agent", "--points", "2")[
            "families"
        ][0]["printed"]
        self.assertEqual(max(part["papers"] for part in printed), len(agents))
        own = next(row for row in value["families"] if row["family"] == "chart")
        at_576 = next(p for p in make("visual_tokens", "chart").points if p.value == 576)
        self.assertAlmostEqual(own["model"][0]["expected"], at_576.gain.expected, places=5)
        for flags in ((), ("--tasks", "documents,charts")):
            code, text, _ = call(
                "curve", "visual_tokens", "--by-family", "--from", "576", "--to", "1152", *flags
            )
            self.assertTrue(code == 0 and all(len(line) <= 80 for line in text.splitlines()))


if __name__ == "__main__":
    unittest.main()
