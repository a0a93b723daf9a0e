"""Swaps of each axis: the rows behind them, antisymmetry, grades, confounding."""

import json
import math
import pathlib
import re
import tempfile
import unittest

from recipes.effects import meta, tails
from recipes.effects.change import together
from recipes.effects.level import carried
from recipes.effects.results import Delta, Evidence
from recipes.effects.rows import find_rows, lineage, moved_axes, relevant_papers

from . import support

CLIP, SIGLIP = {"encoder": "clip-vit-l-14"}, {"encoder": "siglip-so400m-14"}
BASE = {"connector": "mlp-2x-gelu", "llm": "vicuna-1.5-7b", "data": "llava-665k", "resolution": 336}


class Rows(unittest.TestCase):
    def setUp(self):
        self.words, self.posterior = support.library().words, support.library().posterior

    def found(self, a: dict, b: dict):
        axes = moved_axes(a, b, self.words)
        return find_rows(support.papers(), a, b, axes, self.words)

    def test_clip_to_siglip_has_cambrian_and_idefics2(self):
        found = self.found(CLIP, SIGLIP)
        exact = [item for item in found if not item.near]
        cambrian = {(i.contrast.table.id, i.contrast.metric.benchmark): i for i in exact}
        item = cambrian["cambrian1.table11", "mmmu"]
        self.assertAlmostEqual(item.delta, 36.09 - 35.0)
        self.assertIn("resolution", item.contrast.moved.axes)
        idefics = [i for i in found if i.contrast.table.id == "idefics2.table2"]
        # its CLIP is ViT-H: of the same make only
        self.assertTrue(idefics and all(i.near for i in idefics))

    def test_each_pair_once_and_both_sides_what_they_should_be(self):
        """Also where both sides are of one make: linear -> MLP, Vicuna -> Mistral, SigLIP -> SigLIP
        2.
        """
        for a, b in (
            ({"connector": "linear"}, {"connector": "mlp-2x-gelu"}),
            (CLIP, SIGLIP),
            (SIGLIP, {"encoder": "siglip2-so400m-14"}),
            ({"llm": "vicuna-1.5-7b"}, {"llm": "mistral-7b-instruct-v0.2"}),
            ({"llm_params_b": 7.0}, {"llm_params_b": 13.0}),
        ):
            found = self.found(a, b)
            self.assertTrue(found, (a, b))
            keys = set()
            for item in found:
                key = (
                    item.contrast.table.id,
                    item.from_row.arm,
                    item.to_row.arm,
                    item.contrast.metric.key,
                )
                turned = (key[0], key[2], key[1], key[3])
                self.assertNotIn(key, keys)
                self.assertNotIn(turned, keys)
                keys.add(key)
                if not item.near:
                    for field, (x, y) in {k: (a[k], b[k]) for k in a}.items():
                        if field == "llm_params_b":
                            self.assertLess(abs(math.log2(item.from_row.setting[field] / x)), 0.3)
                            self.assertLess(abs(math.log2(item.to_row.setting[field] / y)), 0.3)
                        else:
                            self.assertEqual(
                                (item.from_row.setting[field], item.to_row.setting[field]), (x, y)
                            )

    def test_turned_round(self):
        there = {
            (i.contrast.table.id, i.from_row.arm, i.to_row.arm, i.contrast.metric.key): i.delta
            for i in self.found(CLIP, SIGLIP)
        }
        back = {
            (i.contrast.table.id, i.to_row.arm, i.from_row.arm, i.contrast.metric.key): -i.delta
            for i in self.found(SIGLIP, CLIP)
        }
        self.assertEqual(there, back)

    def test_only_relevant_papers_are_needed(self):
        for a, b in (
            (CLIP, SIGLIP),
            ({"connector": "mlp-2x-gelu"}, {"connector": "q-former"}),
            ({"llm_params_b": 7.0}, {"llm_params_b": 13.0}),
            ({"data": "llava-665k"}, {"data": "cambrian-7m"}),
            ({"resolution": 336}, {"resolution": 672}),
        ):
            wanted = relevant_papers(a, b, self.posterior, self.words)
            modelled = {
                pathlib.Path(item.contrast.table.file).stem
                for item in self.found(a, b)
                if item.contrast.metric.benchmark in self.posterior.benchmarks
            }
            self.assertLessEqual(modelled, wanted, (a, b))

    def test_lineage(self):
        self.assertEqual(lineage("siglip2-so400m-14", self.words), "siglip")
        self.assertEqual(lineage("dinov2-vit-l-14", self.words), "dino")
        self.assertEqual(lineage("openclip-vit-h-14", self.words), "clip")
        self.assertIsNone(lineage("clip-vit-l-14+dinov2-vit-l-14", self.words))


class Axes(unittest.TestCase):
    def test_moved_axes(self):
        words = support.library().words
        for a, b, axes in (
            (CLIP, SIGLIP, ("encoder",)),
            (CLIP, CLIP, ()),
            (CLIP, BASE, ()),
            ({"llm_params_b": 7}, {"llm_params_b": 13}, ("llm",)),
            ({"llm": "vicuna-1.5-7b"}, {"llm": "vicuna-1.5-13b"}, ("llm",)),
            ({"llm": "vicuna-1.5-7b"}, {"llm": "vicuna-1.5-7b", "llm_params_b": 7}, ()),
            ({"resolution": 336}, {"resolution": 672}, ("resolution",)),
            ({"visual_tokens": 576}, {"visual_tokens": 64}, ("visual_tokens",)),
            (
                {"resolution": 336, "visual_tokens": 576},
                {"resolution": 672, "visual_tokens": 2304},
                ("resolution",),
            ),
            ({"data_size": 1e6}, {"data_size": 2e6}, ("data",)),
            ({"frozen_encoder": True}, {"frozen_encoder": False}, ("training",)),
            ({**CLIP, "llm_params_b": 7}, {**SIGLIP, "llm_params_b": 13}, ("encoder", "llm")),
        ):
            self.assertEqual(moved_axes(a, b, words), axes, (a, b))


class Answers(unittest.TestCase):
    def swap(self, *argv: str) -> dict:
        return support.call_json("swap", *argv)

    def delta(self, answer: dict, benchmark: str) -> dict:
        return next(d for d in answer["deltas"] if d["benchmark"] == benchmark)

    def test_antisymmetry(self):
        for a, b in (
            ("CLIP", "SigLIP"),
            ("7B", "13B"),
            ("MLP", "Q-Former"),
            ("336", "672"),
            ("LLaVA-665K", "Cambrian-7M"),
            ("frozen", "unfrozen"),
            ("576 tokens", "144 tokens"),
            ("SigLIP", "SigLIP+DINOv2"),
        ):
            there, back = (
                self.swap(a, b, "--benchmark", "mmmu,docvqa"),
                self.swap(b, a, "--benchmark", "mmmu,docvqa"),
            )
            for benchmark in ("mmmu", "docvqa"):
                x, y = self.delta(there, benchmark), self.delta(back, benchmark)
                self.assertAlmostEqual(x["expected"], -y["expected"], 4, (a, b))
                self.assertAlmostEqual(x["interval"]["low"], -y["interval"]["high"], 4, (a, b))
                self.assertAlmostEqual(x["p_better"], 1 - y["p_better"], 4, (a, b))
                self.assertEqual(x["grade"], y["grade"])
                self.assertEqual(
                    {(e["from_arm"], e["to_arm"]): e["delta"] for e in x["evidence"]},
                    {(e["to_arm"], e["from_arm"]): -e["delta"] for e in y["evidence"]},
                )

    def test_consistency_over_a_chain(self):
        parts = [
            self.delta(self.swap(a, b, "--benchmark", "textvqa"), "textvqa")["expected"]
            for a, b in (("CLIP", "DINOv2"), ("DINOv2", "SigLIP"), ("CLIP", "SigLIP"))
        ]
        self.assertAlmostEqual(parts[0] + parts[1], parts[2], 3)

    def test_the_outcome_of_issue_2(self):
        """CLIP -> SigLIP on 7B: Cambrian-1's rows are there, and it is said that encoder and
        resolution move together.
        """
        answer = self.swap("CLIP", "SigLIP", "--on", "7B")
        mmmu = self.delta(answer, "mmmu")
        rows = [e for e in mmmu["evidence"] if e["table"] == "cambrian1.table11"]
        self.assertEqual([e["delta"] for e in rows], [1.09])
        self.assertFalse(rows[0]["controlled"])
        self.assertIn("resolution 336 -> 384", rows[0]["also_moves"])
        self.assertEqual(mmmu["grade"], "direct")
        text = " ".join(answer["warnings"])
        self.assertRegex(text, r"encoder and resolution move together in rows of [^(]*cambrian1")
        self.assertRegex(text, r"encoder and resolution move together in rows of [^(]*idefics2")
        self.assertEqual(
            (answer["from"]["encoder"], answer["to"]["encoder"], answer["axis"]),
            ("clip-vit-l-14", "siglip-so400m-14", "encoder"),
        )

    def test_directions_that_every_paper_prints(self):
        for argv, benchmark in (
            (("7B", "13B"), "mmmu"),
            (("0.5B", "7B"), "ai2d"),
            (("336", "672"), "docvqa"),
            (("CLIP", "DINOv2"), "textvqa"),
            (("576 tokens", "64 tokens"), "docvqa"),
        ):
            answer = self.delta(self.swap(*argv, "--benchmark", benchmark), benchmark)
            better = argv[0] in ("7B", "0.5B", "336")
            self.assertEqual(answer["p_better"] > 0.7, better, argv)
            self.assertEqual(answer["p_better"] < 0.3, not better, argv)

    def test_the_path_leads_to_the_interval(self):
        """expected = carried; half the interval = t quantile times the root of the three squares;
        direct and indirect give the shared effect.
        """
        for argv in (("CLIP", "SigLIP"), ("7B", "13B"), ("576 tokens", "64 tokens")):
            for delta in self.swap(*argv)["deltas"]:
                path = delta["path"]
                self.assertAlmostEqual(path["carried"], delta["expected"], 4)
                sd = math.sqrt(
                    sum(path[name] ** 2 for name in ("sd_shared", "sd_setting", "sd_noise"))
                )
                half = (delta["interval"]["high"] - delta["interval"]["low"]) / 2
                self.assertAlmostEqual(half / (tails.half_width(0.8) * sd), 1.0, 3)
                split = delta["split"]
                if split and split["indirect"]["estimate"] is not None:
                    self.assertAlmostEqual(
                        split["direct"]["share"] * split["direct"]["estimate"]
                        + split["indirect"]["share"] * split["indirect"]["estimate"],
                        path["shared"],
                        delta=0.01 * abs(path["shared"]) + 0.01,
                    )

    def test_why_shows_the_steps(self):
        _, out, _ = support.call("swap", "CLIP", "SigLIP", "--benchmark", "mmmu", "--why")
        self.assertIn("how the number for MMMU comes about", out)
        _, out, _ = support.call("swap", "CLIP", "MAE", "--benchmark", "mathverse", "--why")
        self.assertIn("no row makes this very change", out)

    def test_an_indirect_answer_shows_the_links_of_its_chain(self):
        """Every number names rows: where none makes the very change, pairs that move the same axis
        along it, turned to its direction.
        """
        for argv in (("336", "672"), ("SigLIP", "SigLIP2"), ("llava-665k", "cambrian-7m")):
            for delta in self.swap(*argv)["deltas"]:
                if delta["grade"] != "none":
                    self.assertTrue(delta["evidence"], (argv, delta["benchmark"]))
        larger = [
            e
            for d in self.swap("336", "672")["deltas"]
            for e in d["evidence"]
            if e["relation"] == "chain" and e["table"] == "siglip2.table6"
        ]
        self.assertTrue(larger)
        for row in larger:
            sides = [int(re.search(r"(\d{3})px", row[name])[1]) for name in ("from_arm", "to_arm")]
            self.assertLess(sides[0], sides[1])

    def test_weights_of_a_benchmark_add_up_to_one(self):
        for delta in self.swap("CLIP", "SigLIP")["deltas"]:
            if delta["evidence"]:
                self.assertAlmostEqual(sum(e["weight"] for e in delta["evidence"]), 1.0, 3)

    def test_intervals_grow_with_the_level_and_hold_the_mean(self):
        narrow, wide = (
            self.delta(self.swap("CLIP", "SigLIP", "--level", level, "--benchmark", "mmmu"), "mmmu")
            for level in ("0.5", "95%")
        )
        self.assertLess(wide["interval"]["low"], narrow["interval"]["low"])
        self.assertGreater(wide["interval"]["high"], narrow["interval"]["high"])
        self.assertAlmostEqual(
            sum(narrow["interval"][k] for k in ("low", "high")) / 2, narrow["expected"], 3
        )
        self.assertEqual(wide["interval"]["level"], 0.95)

    def test_wider_where_evidence_is_thin(self):
        """A benchmark that no table ablates, an LLM beyond every table."""
        known = self.delta(self.swap("7B", "13B", "--benchmark", "mmmu"), "mmmu")
        beyond = self.swap("7B", "1000B", "--benchmark", "mmmu")
        far = self.delta(beyond, "mmmu")
        self.assertGreater(
            far["interval"]["high"] - far["interval"]["low"],
            2 * (known["interval"]["high"] - known["interval"]["low"]),
        )
        self.assertEqual(far["grade"], "extrapolated")
        self.assertIn("outside the range", " ".join(beyond["warnings"]))

    def test_no_evidence_is_an_answer(self):
        answer = self.swap("llava-sft-mixture", "cambrian-5m", "--benchmark", "mmmu")
        self.assertEqual(self.delta(answer, "mmmu")["grade"], "none")
        self.assertIn("no chain of tables", " ".join(answer["warnings"]))
        _, text, _ = support.call(
            "swap", "llava-sft-mixture", "cambrian-5m", "--benchmark", "mmmu", "--why"
        )
        self.assertIn("not known: no table bears on this change", text)
        line = next(line for line in text.splitlines() if line.startswith("MMMU"))
        self.assertRegex(line, r"MMMU +- ")
        self.assertIn("none = no evidence", text)

    def test_direct_needs_rows_that_keep_the_other_components(self):
        for delta in self.swap("336", "672")["deltas"]:
            if delta["grade"] == "direct":
                kept = [
                    e
                    for e in delta["evidence"]
                    if e["relation"] == "direct"
                    and not {text.split(" ")[0] for text in e["also_moves"]}
                    & {"encoder", "connector", "llm", "data"}
                ]
                self.assertTrue(kept, delta["benchmark"])

    def test_an_llm_asked_by_size_is_controlled_only_within_one_make(self):
        for delta in self.swap("7B", "13B")["deltas"]:
            for row in delta["evidence"]:
                if row["controlled"]:
                    self.assertFalse([text for text in row["also_moves"] if text.startswith("llm")])

    def test_lower_is_better_reads_in_the_benchmarks_own_direction(self):
        lower = [
            key
            for key, record in support.library().words.records("benchmark").items()
            if record.get("higher_is_better") is False and record["family"]
        ]
        self.assertTrue(lower)
        delta = self.delta(self.swap("7B", "13B", "--benchmark", lower[0]), lower[0])
        self.assertEqual(delta["expected"] < 0, delta["p_better"] > 0.5)

    def test_a_data_mix_brings_its_published_size(self):
        answer = self.swap("LLaVA-665K", "Cambrian-7M", "--benchmark", "docvqa")
        self.assertEqual(
            (answer["from"]["data_size"], answer["to"]["data_size"]), (665_000, 7_000_000)
        )

    def test_mix(self):
        answer = self.swap("CLIP", "SigLIP", "--tasks", "documents=0.6,charts=0.4")
        self.assertAlmostEqual(sum(answer["mix"]["weights"].values()), 1.0)
        expected = sum(
            w * self.delta(answer, b)["expected"] * 100 / (self.delta(answer, b)["max"] or 100)
            for b, w in answer["mix"]["weights"].items()
        )
        self.assertAlmostEqual(answer["mix"]["expected"], expected, 3)

    def test_cost_of_a_swap(self):
        cost = self.swap("336", "672")["cost"]
        self.assertEqual((cost["from"]["visual_tokens"], cost["to"]["visual_tokens"]), (576, 2304))
        self.assertGreater(
            cost["to"]["training"]["gpu_hours"], cost["from"]["training"]["gpu_hours"]
        )


class Together(unittest.TestCase):
    def test_by_hand(self):
        self.assertAlmostEqual(together({"a": 1.0}, {"a": "f"}), 1.0)
        self.assertAlmostEqual(
            together({"a": 1.0, "b": 1.0}, {"a": "f", "b": "f"}), 0.9 * 4 + 0.1 * 2
        )
        self.assertAlmostEqual(together({"a": 1.0, "b": 1.0}, {"a": "f", "b": "g"}), 2.0)


class Outside(unittest.TestCase):
    """Rows lie outside an interval when they do as printed, too."""

    def delta(self, printed: float, pooled: float) -> Delta:
        row = Evidence(
            "t", None, "docvqa", None, "a", "b", printed, 1.0, True, (), None, "direct", None, 1.0
        )
        return Delta(
            "docvqa",
            "ocr-document",
            100.0,
            0.0,
            -8.0,
            8.0,
            0.8,
            0.5,
            "direct",
            (row,),
            meta.Pooled(pooled, 1.0, 0.0, 0.0, 1),
        )

    def test_both_or_neither(self):
        self.assertEqual(self.delta(9.0, 13.0).outside, 9.0)
        # the pooled one has taken out what else moved
        self.assertIsNone(self.delta(0.6, 13.0).outside)
        self.assertIsNone(self.delta(9.0, 3.0).outside)
        self.assertIsNone(self.delta(-9.0, 13.0).outside)
        self.assertEqual(self.delta(-9.0, -13.0).outside, -9.0)

    def test_a_floor_is_no_disagreement(self):
        """All printed pairs DINOv2 -> MAE on DocVQA lie within -1.1 and +0.7 (Cambrian-1, Tables 9
        to 12).
        """
        answer = support.call_json("swap", "dinov2", "mae", "--benchmark", "docvqa")["deltas"][0]
        self.assertTrue(
            all(
                -1.1 <= row["delta"] <= 0.7
                for row in answer["evidence"]
                if row["relation"] == "direct"
            )
        )
        self.assertFalse(answer["rows_outside_interval"])


class Scores(unittest.TestCase):
    """Effects carried over to a known score."""

    def test_by_hand_and_within_the_scale(self):
        """logit(0.9) + logit(0.54) - logit(0.5) = 2.1972 + 0.1603: a share of 0.9135."""
        self.assertAlmostEqual(carried(4.0, 50.0, 90.0), 1.35, 2)
        for points in (-30.0, -4.0, 0.0, 4.0, 30.0):
            # at the usual score nothing is carried
            self.assertAlmostEqual(carried(points, 45.0, 45.0), points)
            for score in (0.0, 1.0, 50.0, 99.0, 100.0):
                self.assertTrue(
                    0.0 <= score + carried(points, 45.0, score) <= 100.0, (points, score)
                )
        there = carried(6.0, 45.0, 80.0)
        self.assertAlmostEqual(carried(-6.0, 51.0, 80.0 + there), -there)  # and back

    def test_in_answers(self):
        plain = support.call_json("swap", "7B", "13B", "--benchmark", "docvqa")["deltas"][0]
        high = support.call_json(
            "swap", "7B", "13B", "--benchmark", "docvqa", "--score", "docvqa=90"
        )["deltas"][0]
        self.assertLess(high["expected"], 0.6 * plain["expected"])
        self.assertEqual(
            (high["at_score"], plain["at_score"], high["p_better"]), (90, None, plain["p_better"])
        )
        # rows stand at their own scores
        self.assertEqual(high["rows_outside_interval"], plain["rows_outside_interval"])
        self.assertIn(
            "from 90 the same effect is",
            " ".join(
                support.call(
                    "swap", "7B", "13B", "--benchmark", "docvqa", "--score", "docvqa=90", "--why"
                )[1].split()
            ),
        )
        for flag, word in (
            ("docvqa=190", "0 to 100"),
            ("coco_cider=90", "no best value"),
            ("docvqa", "--score"),
            ("docvqa=90,docvqa=80", "given twice"),
        ):
            code, _, err = support.call("swap", "7B", "13B", "--score", flag)
            self.assertEqual(code, 2, flag)
            self.assertIn(word, err)


class AtAScore(unittest.TestCase):
    """--score: the delta at what the first recipe scores."""

    def mmmu(self, *more: str) -> dict:
        return support.call_json(
            "swap", "CLIP", "SigLIP", "--on", "7B", "--benchmark", "mmmu", *more
        )["deltas"][0]

    def test_the_interval_shrinks_towards_the_ends(self):
        plain, middle, high = (
            self.mmmu(),
            self.mmmu("--score", "mmmu=36.5"),
            self.mmmu("--score", "MMMU=97"),
        )
        self.assertEqual(
            (plain["at_score"], middle["at_score"], high["at_score"]), (None, 36.5, 97.0)
        )
        self.assertLess(97.0 + high["interval"]["high"], 100.0)
        widths = [one["interval"]["high"] - one["interval"]["low"] for one in (plain, middle, high)]
        self.assertLess(widths[2], 0.5 * widths[0])
        self.assertAlmostEqual(widths[1] / widths[0], 1.0, 1)  # about the usual score
        self.assertEqual((plain["p_better"], plain["path"]), (high["p_better"], high["path"]))

    def test_printed_rows_are_held_against_the_usual_score(self):
        """They were not printed at the given score: what lies outside the interval there is no
        contradiction.
        """
        for benchmark in ("mmmu", "pope", "docvqa", "textvqa"):
            plain, high = (
                support.call_json(
                    "swap", "CLIP", "SigLIP", "--on", "7B", "--benchmark", benchmark, *more
                )["deltas"][0]
                for more in ((), ("--score", f"{benchmark}=97"))
            )
            self.assertEqual(
                plain["rows_outside_interval"], high["rows_outside_interval"], benchmark
            )
        self.assertFalse(plain["rows_outside_interval"])

    def test_what_is_no_score_is_refused(self):
        for given, said in (
            ("mmmu=101", "goes from 0 to 100"),
            ("mmmu=-1", "goes from 0 to 100"),
            ("mmmu=nan", "goes from 0 to 100"),
            ("mmmu", "as in --score"),
            ("mmmu=x", "as in --score"),
            ("mmmmmu=3", "unknown benchmark"),
            ("mmmu=30,mmmu=40", "given twice: 30 and 40"),
        ):
            code, _, err = support.call("swap", "CLIP", "SigLIP", "--score", given)
            self.assertEqual(code, 2, given)
            self.assertIn(said, err)
        self.assertEqual(self.mmmu("--score", "mmmu=30", "--score", "mmmu=30%")["at_score"], 30.0)

    def test_predict_takes_the_score_too(self):
        line = {"from": {"encoder": "CLIP"}, "to": {"encoder": "SigLIP"}, "benchmark": "mmmu"}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "q.jsonl")
            path.write_text(
                "\n".join(
                    json.dumps({**line, "score": score}) for score in (None, 97, "97", True, 101)
                )
            )
            got = [json.loads(text) for text in support.call("predict", str(path))[1].splitlines()]
        self.assertEqual([one["deltas"][0]["at_score"] for one in got[:2]], [None, 97.0])
        self.assertNotEqual(*(one["deltas"][0]["expected"] for one in got[:2]))
        self.assertTrue(all("score" in one["error"] for one in got[2:]), got[2:])


if __name__ == "__main__":
    unittest.main()
