"""What unseen papers show: widths of benchmarks, the record of answers, dates, released models."""

import math
import unittest
from types import SimpleNamespace

from recipes.answers import asof, forecast
from recipes.answers.fared import printed_papers
from recipes.effects import missing, record, widths
from recipes.effects.backtest import Scored, Unseen, leave_one_paper_out
from recipes.effects.baselines import Judged

from . import support
from .test_model import HYPER
from .test_model import made_columns as made


class Widths(unittest.TestCase):
    def column(self, paper, benchmark):
        return SimpleNamespace(paper=paper, benchmark=benchmark)

    def test_needed_by_hand(self):
        """Shared variance 3, local 1; a miss of 2 z needs (2^2 - 3) / 1 = 1 of the local part."""
        self.assertAlmostEqual(widths.needed(Scored(0, 0, 1, 0.0, 2.0, 2 * widths.Z, 1.0)), 1.0)
        self.assertAlmostEqual(widths.needed(Scored(0, 0, 1, 0.0, 2.0, 3 * widths.Z, 1.0)), 6.0)

    def test_a_spread_holds_eight_of_ten(self):
        scored = [Scored(0, 0, 1, 0.0, 2.0, x / 10, 1.0) for x in range(100)]
        spread = widths.spread_for(scored)
        inside = [abs(s.actual) <= widths.Z * widths.wider(s, spread).sd for s in scored]
        self.assertTrue(78 <= sum(inside) <= 83)

    def test_noisy_benchmarks_are_wider_and_few_papers_move_little(self):
        columns, scored = [], []
        for benchmark, miss, papers in (("calm", 1.0, 12), ("loud", 3.0, 12), ("rare", 3.0, 1)):
            for n in range(papers):
                columns.append(self.column(f"p{n}", benchmark))
                for k in range(10):
                    actual = miss * (k - 4.5) / 4.5
                    scored.append(Scored(len(columns) - 1, 0, 1, 0.0, 1.0, actual, 1.0))
        got = widths.widths_for(scored, columns, 1.0)
        self.assertLess(got["calm"], 1.0)
        self.assertGreater(got["loud"], got["rare"])
        self.assertGreater(got["rare"], 1.0)

    def test_a_papers_own_results_do_not_set_its_width(self):
        columns = [self.column("a", "x"), self.column("b", "x")]
        calm = [Scored(0, 0, k, 0.0, 1.0, 1.0, 1.0) for k in range(1, 20)]
        first = None
        for wild in (1.0, 9.0):
            mine = [Scored(1, 0, k, 0.0, 1.0, wild, 1.0) for k in range(1, 20)]
            sds = {s.sd for s in widths.widened([*calm, *mine], columns, 1.0) if s.column == 1}
            self.assertEqual(len(sds), 1)
            first = first or sds
            self.assertEqual(sds, first)


def case(paper, expected, actual, **more) -> Judged:
    """One judged contrast on the encoder axis."""
    fields = {"axis": "encoder", "grade": "indirect", "family": "chart", "rarer": 2, **more}
    return Judged(
        paper,
        "chartqa",
        fields["family"],
        fields["axis"],
        fields["grade"],
        expected,
        1.0,
        actual,
        0.0,
        1.0,
        None,
        rarer=fields["rarer"],
    )


class RecordOfAnswers(unittest.TestCase):
    def test_by_hand(self):
        cases = [case(paper, 2.0, 2.0 if k % 4 else -2.0) for paper in "abc" for k in range(1, 13)]
        kinds = record.Record(record.record(cases))
        got = kinds.of("encoder", "indirect", 1, "chart")
        self.assertEqual((got.cases, got.papers, got.sign, got.called), (36, 3, 0.75, 36))
        self.assertAlmostEqual(got.pooled, 0.5)  # a quarter of them wrong by twice their size
        self.assertAlmostEqual(got.coverage, 0.75)
        self.assertIn("sign right in 75%", record.line(got))
        self.assertIn("36 unseen cases of 3 papers", record.line(got))

    def test_what_has_few_cases_is_looked_up_more_widely(self):
        cases = [case(paper, 2.0, 1.0) for paper in "abc" for _ in range(12)]
        cases += [case("d", 2.0, 1.0, family="math", rarer=0)]
        kinds = record.Record(record.record(cases))
        self.assertEqual(kinds.of("encoder", "indirect", 0, "math").family, "")
        self.assertEqual(kinds.of("encoder", "direct", 0, "math").grade, "")
        self.assertIsNone(kinds.of("llm", "direct", 0, "math"))

    def test_what_never_beat_no_change_says_so_first(self):
        cases = [case(paper, 2.0, -1.0) for paper in "abc" for _ in range(12)]
        got = record.Record(record.record(cases)).of("encoder", "indirect", 2, "chart")
        self.assertFalse(got.beats)
        self.assertTrue(record.line(got).startswith('answers like this one have not beaten "no'))

    def test_bins(self):
        said = [record.printed_in(n) for n in (0, 1, 2, 3, 9, 10)]
        self.assertEqual(said, ["none", "1-2", "1-2", "3-9", "3-9", "10+"])

    def test_papers_of_the_rarest_component(self):
        change = SimpleNamespace(
            posterior=SimpleNamespace(support={"encoder=a": ["p", "q"], "encoder=b": ["p"]}),
            features={"encoder=a": -1.0, "encoder=b": 1.0, "encoder_kind=other": 1.0},
        )
        self.assertEqual(printed_papers(change), 1)


class Missing(unittest.TestCase):
    def test_what_a_first_paper_saves(self):
        """Unseen: 4 points moved, half of it missed; seen once: a quarter missed."""
        cases = [case("a", 2.0, 4.0, rarer=0) for _ in range(30)]
        cases += [case("b", 3.0, 4.0, rarer=1) for _ in range(30)]
        (step,) = missing.steps(cases, ("encoder", "llm"))
        self.assertEqual((step.axis, step.unseen, step.seen), ("encoder", 30, 30))
        self.assertAlmostEqual(step.saves, 4.0 * (0.5 - 0.25))

    def test_rare_benchmarks_and_sizes(self):
        def column(paper, benchmark, sizes):
            feats = [{"llm_size": math.log2(size / 7)} for size in sizes]
            kinds = [(n,) for n in range(len(sizes))]
            return SimpleNamespace(paper=paper, benchmark=benchmark, features=feats, kinds=kinds)

        data = [column("a", "x", (7, 7)), column("b", "x", (7, 0.5)), column("b", "y", (30, 30))]
        self.assertEqual(missing.rare_benchmarks(data, ("x", "y", "z"), 2), [("z", 0), ("y", 1)])
        got = missing.sizes(data)
        self.assertEqual((got["3B to 9B"], got["below 1B"], got["above 20B"]), (1, 0, 1))


class Dates(unittest.TestCase):
    def test_months(self):
        paper = SimpleNamespace(arxiv="2310.03744", year=2023)
        self.assertEqual(asof.month_of(paper), "2023-10")
        self.assertEqual(asof.month_of(SimpleNamespace(arxiv=None, year=2024)), "2024-12")
        halves = asof.half_years("2023-10", "2025-02")
        self.assertEqual(halves, ["2024-01", "2024-07", "2025-01"])

    def test_a_bad_month_and_two_questions_at_once(self):
        code, _, error = support.call("backtest", "--as-of", "2024-13")
        self.assertEqual(code, 2)
        self.assertIn("2024-13", error)
        code, _, error = support.call("backtest", "--curve", "--models")
        self.assertEqual(code, 2)
        self.assertIn("--curve and --models", error)

    def test_one_late_paper_is_that_paper_left_out(self):
        data = made(5)
        unseen = Unseen(data, HYPER)
        paper = data[0].paper
        for one, other in zip(
            unseen.scored({paper}), leave_one_paper_out(data, HYPER, papers=[paper])
        ):
            self.assertEqual(one, other)

    def test_what_is_asked_besides_changes_nothing(self):
        """Features that the left-out paper does not have: the belief about its own is the same."""
        data = made(5)
        unseen, paper = Unseen(data, HYPER), data[0].paper
        name = data[0].benchmark
        plain = unseen.without({paper}).benchmark(name)
        wide = unseen.without({paper}, {name: sorted(unseen.names.values())}).benchmark(name)
        place = {i: k for k, i in enumerate(wide.index)}
        for k, i in enumerate(plain.index):
            self.assertAlmostEqual(plain.mean[k], wide.mean[place[i]])
            self.assertAlmostEqual(plain.covariance[k][k], wide.covariance[place[i]][place[i]])


class Models(unittest.TestCase):
    def test_sides_in_words(self):
        for text, px in (
            ("336 px", 336.0),
            ("384 px naive resize", 384.0),
            ("anyres grid of 336 px tiles: 2x2, 1x2, 2x1, 1x3, 3x1 plus overview", 672.0),
            ("384 px tiles, anyres up to 9, images up to 2304 x 2304", 2304.0),
            ("448 px tiles, up to 12 in training / 40 at test", 448 * math.sqrt(12)),
            ("336 px overlapping crops, 12 in training, 36 at test", 336 * math.sqrt(12)),
            ("448 px tiles, dynamic tiling", None),
            ("native", None),
            (None, None),
        ):
            found = forecast.side(text)
            self.assertEqual(found is None, px is None, text)
            self.assertAlmostEqual(found or 0.0, px or 0.0, msg=text)

    def test_known_mixes_are_mixes_of_known_models(self):
        words = support.library().words
        known = {model["key"] for model in words.registry("models")["models"]}
        for key, record_ in words.registry("model_mixes")["models"].items():
            self.assertIn(key, known)
            self.assertIsNotNone(words.mixes.mix(record_["data"]), key)
            self.assertTrue(record_["source"])


if __name__ == "__main__":
    unittest.main()
