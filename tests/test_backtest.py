"""Backtest: tails, baselines, grades from other papers alone, summaries, other people's tables."""

import json
import math
import pathlib
import random
import tempfile
import unittest

from recipes.answers import backtest as scoring
from recipes.effects import backtest, baselines, tails
from recipes.effects.backtest import Scored, crps
from recipes.effects.baselines import FACTORS, Elsewhere, Judged, judge, sharpened, summary
from recipes.effects.columns import KINDS, Column
from recipes.evidence.reprints import repeated
from recipes.library import Library
from recipes.show import backtest as backtest_
from recipes.show.text import Style
from tests import support


class Tails(unittest.TestCase):
    def test_published_quantiles_of_t4(self):
        """Student's t, 4 degrees: 0.741, 1.533, 2.776, 3.747 (any table of the distribution)."""
        for p, value in ((0.75, 0.740697), (0.9, 1.533206), (0.975, 2.776445), (0.99, 3.746947)):
            self.assertAlmostEqual(tails.quantile(p) / tails.UNIT, value, 5)

    def test_quantile_and_cdf_are_inverse_and_odd(self):
        for p in (0.001, 0.2, 0.5, 0.77, 0.999):
            self.assertAlmostEqual(tails.cdf(tails.quantile(p)), p, 9)
            self.assertAlmostEqual(tails.quantile(p), -tails.quantile(1 - p), 9)

    def test_the_eighty_percent_interval_is_that_of_a_normal(self):
        self.assertAlmostEqual(tails.half_width(0.8), 1.2815515655, 9)


def column(paper: str, benchmark: str, rows, scores, moved="llm") -> Column:
    """Rows given by their features; `moved` is the kind that differs from row to row."""
    kinds = tuple(
        tuple(str(i) if kind == moved else "" for kind in KINDS) for i in range(len(rows))
    )

    class Row:
        def __init__(self, setting):
            self.setting = setting

    return Column(
        paper,
        benchmark,
        "f",
        1.0,
        tuple(Row(row) for row in rows),
        ("t",) * len(rows),
        tuple(rows),
        kinds,
        tuple(scores),
    )


SMALL, LARGE = {"llm=a": 1.0, "llm_size": 0.0}, {"llm=b": 1.0, "llm_size": 1.0}


class Baselines(unittest.TestCase):
    def setUp(self):
        self.columns = [
            column("p", "x", [SMALL, LARGE], [10.0, 14.0]),
            column("q", "x", [LARGE, SMALL], [20.0, 18.0]),
            column("r", "y", [{"connector=c": 1.0}, {"connector=d": 1.0}], [5.0, 6.0], "connector"),
        ]
        self.elsewhere = Elsewhere(self.columns, {"x": 2.0, "y": 1.0})

    def test_axis_mean_points_with_growth_and_leaves_the_paper_out(self):
        change = {"llm_size": 1.0, "llm=a": -1.0, "llm=b": 1.0}
        # q alone: +2 with size
        self.assertAlmostEqual(self.elsewhere.axis_mean(("llm",), change, "x", "p"), 2.0)
        # mean of +4 and +2
        self.assertAlmostEqual(self.elsewhere.axis_mean(("llm",), change, "x", "z"), 3.0)
        self.assertAlmostEqual(
            self.elsewhere.axis_mean(("llm",), {"llm_size": -1.0}, "x", "z"), -3.0
        )
        self.assertEqual(
            self.elsewhere.axis_mean(("connector",), {"connector=d": 1.0}, "y", "z"), 0.0
        )

    def test_the_usual_score_is_the_median_of_the_other_papers(self):
        self.assertEqual(self.elsewhere.usual("x", "p"), 19.0)  # q alone: between 18 and 20
        self.assertEqual(self.elsewhere.usual("x", "z"), 16.0)
        self.assertEqual(self.elsewhere.usual("y", "r"), 50.0)  # nobody else prints it

    def test_zero_spread_by_hand(self):
        """Outside q: one contrast of +4 (2 scales squared: 4) on x; 10 contrasts' worth of the
        axis's 4: sd = 2 scales = 4 points.
        """
        self.assertAlmostEqual(self.elsewhere.zero_sd(("llm",), "x", "q"), 4.0)
        self.assertAlmostEqual(self.elsewhere.zero_sd(("llm",), "x", "p"), 2.0)

    def test_grades_from_other_papers_alone(self):
        change = {"llm=a": -1.0, "llm=b": 1.0, "llm_size": 1.0}
        rows = (SMALL, LARGE)
        self.assertEqual(self.elsewhere.grade(change, rows, "x", "p"), "direct")
        self.assertEqual(self.elsewhere.grade(change, rows, "y", "p"), "indirect")
        self.assertEqual(
            self.elsewhere.grade({**change, "llm=new": 1.0}, rows, "x", "p"), "extrapolated"
        )
        self.assertEqual(
            self.elsewhere.grade(
                {"llm_size": 3.0}, ({"llm_size": 0.0}, {"llm_size": 3.0}), "y", "p"
            ),
            "extrapolated",
        )
        link = {"connector=c": -1.0, "connector=d": 1.0}
        self.assertEqual(self.elsewhere.grade(link, ({}, {}), "y", "p"), "direct")
        self.assertEqual(self.elsewhere.grade(link, ({}, {}), "y", "r"), "none")
        # nothing moved that a recipe says: no question to answer
        self.assertEqual(self.elsewhere.grade({}, rows, "x", "p"), "none")

    def test_the_sharpest_no_change_leaves_the_paper_out(self):
        """In p and q results are as wide as the spread says; in r they are all but zero. For r the
        others' factor counts, for p and q r's as well.
        """

        def judged(paper: str, actual: float) -> list[Judged]:
            return [
                Judged(paper, "x", "f", "llm", "direct", 0.0, 1.0, sign * actual, 0.0, 2.0, None)
                for sign in (1, -1, 1)
            ]

        sharp = {
            x.paper: x.sharp_sd
            for x in sharpened([*judged("p", 2.0), *judged("q", 2.0), *judged("r", 0.1)])
        }
        best = min(FACTORS, key=lambda f: crps(0.0, 2.0 * f, 2.0))
        self.assertAlmostEqual(sharp["r"], 2.0 * best)
        self.assertEqual(sharp["p"], sharp["q"])
        self.assertAlmostEqual(
            sharp["p"],
            2.0
            * min(
                FACTORS, key=lambda f: crps(0.0, 2.0 * f, 2.0) / 2.0 + crps(0.0, 2.0 * f, 0.1) / 0.1
            ),
        )
        self.assertLess(sharp["p"], sharp["r"])

    def test_a_baseline_never_sees_the_paper(self):
        """Scores of p changed: what the baselines say of p stays."""
        changed = Elsewhere(
            [self.columns[0]._replace(scores=(0.0, 99.0)), *self.columns[1:]], {"x": 2.0, "y": 1.0}
        )
        scored = [Scored(0, 0, 1, 1.0, 1.0, 4.0)]
        a, b = (
            judge(scored, self.columns, where, lambda *_: None)[0]
            for where in (self.elsewhere, changed)
        )
        self.assertEqual(a, b)


class Summaries(unittest.TestCase):
    def item(self, paper, expected, actual, sd=1.0, **more) -> Judged:
        return Judged(
            paper,
            "x",
            "f",
            "llm",
            "direct",
            expected,
            sd,
            actual,
            more.get("axis_mean", 0.0),
            2.0,
            more.get("thumb"),
        )

    def test_by_hand(self):
        items = [
            self.item("p", 2.0, 1.0, axis_mean=1.0),
            self.item("p", -2.0, 1.0, thumb=3.0),
            self.item("p", 0.0, -2.0),
            self.item("q", 4.0, 4.0),
            self.item("q", 4.0, 4.0),
            self.item("q", 4.0, 4.0),
        ]
        got = summary(items)
        self.assertEqual((got.contrasts, got.papers, got.thumb_contrasts), (6, 2, 1))
        # p: (1 + 3 + 2) / 4; q: 0 / 12
        self.assertAlmostEqual(got.mae_ratio, (1.5 + 0.0) / 2)
        self.assertAlmostEqual(got.axis_mean_ratio, (0.75 + 1.0) / 2)  # p: (0 + 1 + 2) / 4
        self.assertAlmostEqual(got.thumb_ratio, 2.0)
        self.assertAlmostEqual(got.thumb_model_ratio, 3.0)
        # q; p has only two predictions beyond 1
        self.assertAlmostEqual(got.sign, 1.0)
        self.assertAlmostEqual(got.sign_pooled, 4 / 5)
        self.assertAlmostEqual(got.sign_moved, 1.0)
        self.assertEqual((got.moved, got.unsigned), (3, 0))
        self.assertAlmostEqual(got.coverage["80"], (1 / 3 + 1) / 2)
        self.assertAlmostEqual(got.coverage_pooled["80"], 4 / 6)
        self.assertIsNone(summary(items[:2]))

    def test_a_prediction_of_exactly_zero_is_neither_right_nor_wrong(self):
        """In either direction: turning every pair around changes no sign score."""
        items = [
            self.item("p", expected, actual)
            for expected, actual in (
                (0.0, -3.0),
                (0.0, 3.0),
                (0.0, 9.0),
                (-0.5, -3.0),
                (0.5, -3.0),
                (0.5, 1.0),
                (2.0, 0.0),
                (-2.0, 0.0),
                (2.0, 1.0),
            )
        ]
        for sign in (1, -1):
            got = summary(
                [
                    item._replace(expected=sign * item.expected, actual=sign * item.actual)
                    for item in items
                ]
            )
            self.assertEqual((got.moved, got.unsigned, got.sign_moved), (5, 3, 0.5))
            # a result of exactly 0 is no right sign
            self.assertAlmostEqual(got.sign_pooled, 1 / 3)
        only = summary([self.item("p", 0.0, 3.0)] * 3)
        self.assertEqual(
            (only.moved, only.unsigned, only.sign_moved, only.sign), (3, 3, None, None)
        )
        scored = [
            backtest.Scored(0, 0, n, x.expected, 1.0, x.actual) for n, x in enumerate(items, 1)
        ]
        self.assertAlmostEqual(backtest.summary(scored, lambda _: "p").sign, 1 / 3)

    def test_calibrated_predictions_cover_what_they_say(self):
        """Results drawn from the very distribution of the predictions fall inside its intervals as
        often as said.
        """
        rng = random.Random(4)
        items = []
        for _ in range(4000):
            expected = rng.gauss(0, 3)
            items.append(
                self.item(
                    "p", expected, expected + tails.quantile(min(max(rng.random(), 1e-9), 1 - 1e-9))
                )
            )
        got = summary(items)
        for level in ("50", "80", "95"):
            self.assertAlmostEqual(got.coverage[level], float(level) / 100, delta=0.03)


class Thumbs(unittest.TestCase):
    """Rules of thumb of registry/claims.json as predictions."""

    SMALL, LARGE = (
        {"llm": "vicuna-1.5-7b", "connector": "linear"},
        {
            "llm": "vicuna-1.5-13b",
            "connector": "mlp-2x-gelu",
        },
    )

    def setUp(self):
        self.thumb = scoring.thumb_rules(support.library())

    def test_a_rule_that_names_the_benchmark_goes_first_and_axes_add_up(self):
        """L09 on MMMU: 3 a doubling; R02 elsewhere: 3 a doubling; R01 for linear -> MLP: 1.1."""
        sizes = [
            support.library().words.records("llm")[side["llm"]]["params_b"]
            for side in (self.SMALL, self.LARGE)
        ]
        expected = 3 * math.log2(sizes[1] / sizes[0]) + 1.1
        self.assertAlmostEqual(self.thumb(self.SMALL, self.LARGE, "mmmu"), expected)
        self.assertAlmostEqual(self.thumb(self.LARGE, self.SMALL, "gqa"), -expected)

    def test_silence(self):
        self.assertIsNone(self.thumb({"encoder": "sam-vit-l"}, {"encoder": "mae-vit-l"}, "mmmu"))
        # L01 speaks of MMMU alone
        self.assertIsNone(
            self.thumb({"encoder": "clip-vit-l-14"}, {"encoder": "siglip-so400m-14"}, "docvqa")
        )


# Papers that share more equal scores than these bounds allow; which of them quotes the other was
# not read in a source.
QUOTES = {("eagle", "cambrian1"), ("mlcd", "rice")}


@support.slow
class Command(unittest.TestCase):
    def test_one_paper(self):
        got = support.call_json("backtest", "--paper", "idefics3")
        self.assertEqual(list(got["by_paper"]), ["idefics3"])
        self.assertEqual(set(got["overall"]["coverage"]), {"50", "80", "95"})

    def test_other_tables_are_predicted_from_the_published_ones(self):
        """A table whose size effect is what every paper prints is predicted well; the same with
        signs turned is not.
        """
        with tempfile.TemporaryDirectory() as folder:

            def write(sign: int):
                rows = [
                    {
                        "arm": llm,
                        "set": {"llm": llm},
                        "scores": {"mmmu": 30 + sign * gain, "ai2d": 50 + sign * 2 * gain},
                    }
                    for llm, gain in (("qwen2.5-0.5b", 0), ("qwen2.5-3b", 8), ("qwen2.5-7b", 12))
                ]
                table = {
                    "id": "own.t1",
                    "locator": "run",
                    "varies": ["llm"],
                    "setting": {"encoder": "siglip-so400m-14", "resolution": 384},
                    "metrics": {"mmmu": {"benchmark": "mmmu"}, "ai2d": {"benchmark": "ai2d"}},
                    "rows": rows,
                }
                pathlib.Path(folder, "own.json").write_text(
                    json.dumps({"format": 2, "paper": {"key": "own"}, "tables": [table]})
                )
                return support.call_json("backtest", "--tables", folder)["overall"]

            right, wrong = write(1), write(-1)
        self.assertEqual(right["contrasts"], 6)
        self.assertLess(right["mae_ratio"], 0.8)
        self.assertGreater(wrong["mae_ratio"], 1.2)
        self.assertEqual((right["sign"], wrong["sign"]), (1, 0))

    def test_nothing_to_score_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            self.renamed(folder, lambda paper: [t.update(rows=[]) for t in paper["tables"]])
            code, text, _ = support.call("backtest", "--tables", folder)
        self.assertEqual(code, 0)
        self.assertIn("nothing to score", text)

    def test_paper_and_tables_exclude_each_other_as_the_help_says(self):
        with tempfile.TemporaryDirectory() as folder:
            self.renamed(folder)
            code, out, err = support.call("backtest", "--paper", "idefics3", "--tables", folder)
        self.assertEqual((code, out, err.count("\n")), (2, "", 1))
        self.assertIn("give one of the two", err)
        _, out, _ = support.call("backtest", "--help")
        self.assertIn("not together with --tables DIR", " ".join(out.split()))

    def renamed(self, folder: str, change=lambda paper: None, name: str = "idefics3") -> None:
        """A published paper under another key, with other ids and other arms."""
        paper = json.loads(pathlib.Path(support.TABLES, f"{name}.json").read_text(encoding="utf-8"))
        paper["paper"]["key"] = "mine"
        for number, table in enumerate(paper["tables"]):
            table["id"] = f"mine.t{number}"
            for n, row in enumerate(table["rows"]):
                row["arm"] = f"run {n}"
                row.pop("run", None)
        change(paper)
        pathlib.Path(folder, "mine.json").write_text(json.dumps(paper), encoding="utf-8")

    def test_a_published_paper_under_another_name_is_noticed(self):
        with tempfile.TemporaryDirectory() as folder:
            self.renamed(folder)
            (seen,) = support.call_json("backtest", "--tables", folder)["repeated"]
            _, text, _ = support.call("backtest", "--tables", folder)
            self.assertEqual((seen["paper"], seen["of"]), ("mine", "idefics3"))
            self.assertEqual(seen["rows"], seen["among"])
            self.assertTrue(
                seen["first"][0].startswith("mine.") and seen["there"][0].startswith("idefics3.")
            )
            flat = " ".join(text.split())
            self.assertIn(
                f"warning: {seen['rows']} of {seen['among']} rows of mine carry the scores of rows"
                " of idefics3",
                flat,
            )
            self.assertTrue(all(len(line) <= 80 for line in text.splitlines()))

            def shifted(paper):
                for table in paper["tables"]:
                    for row in table["rows"]:
                        row["scores"] = {
                            key: None if value is None else value + 0.137
                            for key, value in row["scores"].items()
                        }

            self.renamed(folder, shifted)
            self.assertEqual(support.call_json("backtest", "--tables", folder)["repeated"], [])

    def test_papers_share_only_the_rows_that_they_quote(self):
        papers = support.papers()
        own = {paper.key: [paper] for paper in papers}
        for key, (paper,) in own.items():
            for one in repeated([paper], [other for other in papers if other.key != key]):
                if (one.paper, one.of) not in QUOTES:
                    self.assertLess(one.rows, max(0.2 * one.among, 4), one)

    def test_signs_of_what_moved_are_printed(self):
        """As many as the JSON has, in the column and in words."""
        with tempfile.TemporaryDirectory() as folder:
            self.renamed(folder, name="sharegpt4v")
            result = scoring.other_tables(Library([folder]))
        text = " ".join(backtest_.backtest_text(result, Style()).split())
        got = result["overall"]
        self.assertIn(f"/{100 * got['sign_moved']:.0f} answerable", text)
        self.assertIn(
            f"of {got['moved']} contrasts that moved by more than 2 points,"
            f" {got['moved'] - got['unsigned']} had a sign predicted, right in",
            text,
        )
        self.assertEqual("exactly 0 was predicted" in text, bool(got["unsigned"]))
        none = {**result, "overall": {**got, "unsigned": 7}}
        self.assertIn(
            "for 7 exactly 0 was predicted: neither right nor wrong",
            " ".join(backtest_.backtest_text(none, Style()).split()),
        )

    def test_bars_of_the_readme_hold_on_the_tables(self):
        """The mean error stays finite and intervals honest for a few whole papers (the full
        backtest: by hand).
        """
        got = support.call_json(
            "backtest",
            "--paper",
            "mini-gemini",
            "--paper",
            "siglip2",
            "--paper",
            "m3",
            "--paper",
            "idefics2",
            "--paper",
            "nvila",
            "--paper",
            "sharegpt4v",
        )["overall"]
        self.assertEqual(got["papers"], 6)
        self.assertLess(got["mae_ratio"], 0.9)
        self.assertLess(got["crps_ratio"], got["crps_zero_ratio"])
        self.assertTrue(0.7 < got["coverage_pooled"]["80"] < 0.95, got)
        self.assertFalse(math.isnan(got["axis_mean_ratio"]))
        self.assertEqual(baselines.LEAST, 3)


if __name__ == "__main__":
    unittest.main()
