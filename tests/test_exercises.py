"""The five exercises of the field's lesson, end to end: the commands answer, and what they should
say is read from the printed rows.

(a) MM1's encoder under a small LLM and at 13B; (b) DINOv2 beside SigLIP; (c) a mobile UI agent on a
2B LLM; (d) Molmo's sizes; (e) data against encoder.
"""

import functools
import math
import unittest

from recipes.picker import steps
from tests.support import call_json, library, papers, table_of

ask = functools.cache(call_json)


def scores(table, arm):
    """The printed scores of one arm."""
    return next(row.scores for row in table_of(table).rows if row.arm == arm)


def gain(table, before, after, metric):
    """Printed difference of two arms on one column."""
    return scores(table, after)[metric] - scores(table, before)[metric]


def evidence(answer, table):
    """Rows of one table in an answer: {(from, to): {benchmark: delta}}."""
    found = {}
    for delta in answer["deltas"]:
        for row in delta["evidence"]:
            if row["table"] == table and row["relation"] == "direct":
                found.setdefault((row["from_arm"], row["to_arm"]), {}).setdefault(
                    (row["benchmark"], row["split"]), row["delta"]
                )
    return found


class MM1(unittest.TestCase):
    """(a) A fixed small LLM and 50M images: which encoder wins, does it flip at 13B, and why."""

    TABLE = "mm1.table1"

    def test_what_the_rows_say(self):
        """Pixels first, then the encoder: that is why the winner is a large contrastive encoder at
        the highest resolution.
        """
        rows = {row.arm: row for row in table_of(self.TABLE).rows}
        best = max(rows.values(), key=lambda row: row.scores["avg_8shot"])
        self.assertEqual(
            (best.setting["encoder"], best.setting["resolution"]),
            ("dfn-vit-h-14", max(row.setting["resolution"] for row in rows.values())),
        )
        pixels = [
            gain(
                self.TABLE,
                f"CLIP_DFN+VeCap ViT-{size} 224",
                f"CLIP_DFN+VeCap ViT-{size} 336",
                "avg_8shot",
            )
            for size in "LH"
        ]
        sizes = [
            gain(
                self.TABLE,
                f"CLIP_DFN+VeCap ViT-L {side}",
                f"CLIP_DFN+VeCap ViT-H {side}",
                "avg_8shot",
            )
            for side in (224, 336)
        ]
        self.assertGreater(min(pixels), max(sizes))
        same_pixels = gain(
            self.TABLE, "CLIP_OpenAI ViT-L 336", "CLIP_DFN+VeCap ViT-H 336", "avg_8shot"
        )
        # the most famous encoder is as good at the same resolution
        self.assertLess(abs(same_pixels), min(pixels))

    def test_the_command_says_the_same(self):
        """`swap` shows MM1's rows, unchanged, and that resolution moves along."""
        answer = ask("swap", "CLIP", "dfn-vit-h-14", "--on", "3B")
        pair = ("CLIP_OpenAI ViT-L 336", "CLIP_DFN ViT-H 378")
        shown = evidence(answer, self.TABLE)[pair]
        for (_, split), delta in shown.items():
            metric = {"0-shot": "avg_0shot", "4-shot": "avg_4shot", "8-shot": "avg_8shot"}[split]
            self.assertAlmostEqual(delta, gain(self.TABLE, *pair, metric), places=6)
        self.assertEqual(len(shown), 3)
        self.assertTrue(any("resolution" in text and "mm1" in text for text in answer["warnings"]))
        both = answer["mix"]["interval"]
        # no clear difference at equal resolution, as the rows have it
        self.assertTrue(both["low"] < 0 < both["high"])

    def test_no_evidence_of_a_flip(self):
        """MM1 has one LLM in its encoder table, so nothing in it can show a flip; the answer at
        both sizes is the same number, and says how sure it is.
        """
        self.assertEqual({row.setting["llm_params_b"] for row in table_of(self.TABLE).rows}, {2.9})
        small, large = (ask("swap", "CLIP", "dfn-vit-h-14", "--on", size) for size in ("3B", "13B"))
        # the flip, in percent of scale
        self.assertAlmostEqual(large["mix"]["expected"] - small["mix"]["expected"], 0.0, places=6)

    def test_rows_at_13b(self):
        """The tables that train two encoders at 7B and at 13B (Prismatic): how often the sign of
        the encoder's gain differs between the sizes.
        """
        answer = ask("swap", "CLIP", "SigLIP")
        rows = {
            (row["table"], row["llm"])
            for d in answer["deltas"]
            for row in d["evidence"]
            if row["relation"] == "direct"
        }
        sizes = {
            llm: (library().words.records("llm").get(llm) or {}).get("params_b") for _, llm in rows
        }
        # there is a 13B to compare with
        self.assertTrue(any(size and size > 12 for size in sizes.values()))
        self.assertTrue(any(size and size < 9 for size in sizes.values()))
        mean = {}
        for size in ("7b", "13b"):
            plain = gain_of_prisms(f"prismatic.prism_{size}", size)
            mean[size] = sum(plain) / len(plain)
        # adding DINOv2 helps at both: no flip on the mean of all columns
        self.assertGreater(mean["7b"] * mean["13b"], 0.0)

    def test_the_picks(self):
        small, large = (
            ask("pick", "--budget", "50M images", "--fix", f"llm_params_b={size}", "--top", "1")[
                "recipes"
            ][0]
            for size in ("3B", "13B")
        )
        # the winner does not flip
        self.assertEqual(small["recipe"]["encoder"], large["recipe"]["encoder"])
        for picked in (small, large):
            self.assertLessEqual(sum(stage["samples"] for stage in picked["schedule"]), 50e6)
            self.assertTrue(next(c for c in picked["citations"] if c["axis"] == "encoder")["table"])
        self.assertAlmostEqual(small["recipe"]["llm_params_b"], 3, delta=1.1)
        self.assertAlmostEqual(large["recipe"]["llm_params_b"], 13, delta=4.6)


def gain_of_prisms(table, size):
    """Prismatic's own pair: what DINOv2 beside SigLIP gains, over all printed columns of one size
    (percent).
    """
    pair = (
        f"Prism-SigLIP {size.upper()} (Controlled)",
        f"Prism-DINOSigLIP {size.upper()} (Controlled)",
    )
    metrics = [
        key
        for key, value in scores(table, pair[0]).items()
        if value is not None and scores(table, pair[1]).get(key) is not None
    ]
    return [gain(table, *pair, key) for key in metrics]


class DinoBesideSiglip(unittest.TestCase):
    """(b) DINOv2 and SigLIP concatenated: which benchmarks gain, which stay flat."""

    PAIR = ("SigLIP 384px (Naive Resize)", "DINOv2 + SigLIP 384px (Naive Resize)")

    def test_printed_rows(self):
        found = evidence(ask("swap", "SigLIP", "SigLIP+DINOv2"), "prismatic.ensembling")[self.PAIR]
        metrics = table_of("prismatic.ensembling").metrics
        printed = {
            (metric.benchmark, metric.split): gain("prismatic.ensembling", *self.PAIR, key)
            for key, metric in metrics.items()
            if scores("prismatic.ensembling", self.PAIR[0]).get(key) is not None
        }
        self.assertGreaterEqual(len(found), 10)
        for key, delta in found.items():
            self.assertAlmostEqual(delta, printed[key], places=6)

    def test_what_gains_and_what_stays_flat(self):
        """Localisation gains more than the rest in the rows, and in the answer, where nothing falls
        by more than its interval allows.
        """
        answer = ask("swap", "SigLIP", "SigLIP+DINOv2")
        rows = evidence(answer, "prismatic.ensembling")[self.PAIR]
        family = {d["benchmark"]: d["family"] for d in answer["deltas"]}
        mean = lambda values: sum(values) / len(values)
        by = {
            name: mean([delta for (b, _), delta in rows.items() if family.get(b) == name])
            for name in {family.get(b) for b, _ in rows}
            if name
        }
        self.assertEqual(max(by, key=by.get), "grounding")
        # reading text does not gain: the printed TextVQA columns fall
        self.assertLess(by["ocr-document"], 1.0)
        expected = {
            name: mean(
                [
                    d["expected"] / d["max"] * 100
                    for d in answer["deltas"]
                    if d["family"] == name and d["grade"] == "direct"
                ]
            )
            for name in ("grounding", "ocr-document", "general-vqa")
        }
        self.assertEqual(max(expected, key=expected.get), "grounding")
        self.assertLess(expected["ocr-document"], 1.0)
        for d in answer["deltas"]:
            if d["family"] in ("ocr-document", "general-vqa") and d["grade"] == "direct":
                self.assertLess(d["interval"]["low"], 0)  # flat: the interval holds zero
                self.assertGreater(d["interval"]["high"], 0)

    def test_cambrian_has_no_single_siglip_beside_the_pair(self):
        """Cambrian-1's fusion table starts at SigLIP+DINOv2: it cannot say what DINOv2 adds, so no
        row of it is direct.
        """
        encoders = {row.setting["encoder"] for row in table_of("cambrian1.table14").rows}
        self.assertIn("dinov2-vit-l-14+siglip-so400m-14", encoders)
        self.assertNotIn("siglip-so400m-14", encoders)
        self.assertEqual(evidence(ask("swap", "SigLIP", "SigLIP+DINOv2"), "cambrian1.table14"), {})


class UiAgent(unittest.TestCase):
    """(c) A mobile UI agent on a 2B LLM: encoder, connector, resolution, data, each with its
    table.
    """

    def test_every_axis_has_a_table_or_says_that_none_exists(self):
        answer = ask(
            "pick",
            "--tasks",
            "ui-agent",
            "--fix",
            "llm_params_b=2B",
            "--deploy",
            "edge",
            "--latency",
            "400ms",
            "--memory",
            "8GB",
            "--dtype",
            "int4",
        )
        first = answer["recipes"][0]
        known = {table.id: table for paper in papers() for table in paper.tables}
        cited = {}
        for entry in first["citations"]:
            cited.setdefault(entry["axis"], []).append(entry)
        self.assertEqual(set(cited), {"encoder", "connector", "llm", "data", "resolution"})
        for axis, entries in cited.items():
            for entry in entries:
                if entry["table"] is None:
                    self.assertIn("no table", entry["why"])
                    continue
                values = {row.setting.get(axis) for row in known[entry["table"]].rows}
                if axis == "resolution" or "no table ablates" in entry["why"]:
                    self.assertGreater(
                        len(
                            {
                                row.setting.get("llm" if axis == "llm" else axis)
                                for row in known[entry["table"]].rows
                            }
                        ),
                        1,
                    )
                elif axis == "encoder":
                    self.assertTrue(
                        set(first["recipe"]["encoder"].split("+"))
                        <= {part for value in values if value for part in value.split("+")}
                    )
                else:
                    self.assertIn(first["recipe"][axis], values)
        self.assertAlmostEqual(first["recipe"]["llm_params_b"], 2, delta=0.7)
        self.assertLessEqual(first["latency"]["ttft_ms"], 400)
        self.assertLessEqual(first["memory_gb"], 8)

    def test_resolution_is_what_ui_needs(self):
        """The rows and the curve: screens gain from pixels more than the balanced mix does."""
        argv = (
            "curve",
            "resolution",
            "--recipe",
            "llm=gemma-2-2b",
            "--from",
            "336",
            "--to",
            "672",
            "--points",
            "2",
        )
        ends = {
            tasks: ask(*argv, *(("--tasks", tasks) if tasks else ()))["points"][-1]["expected"]
            for tasks in ("ui-agent", None)
        }
        self.assertGreater(ends["ui-agent"], ends[None])


class MolmoSizes(unittest.TestCase):
    """(d) What Molmo's sizes say about the plateau of the LLM's size."""

    MOLMO = ("MolmoE-1B", "Molmo-7B-O", "Molmo-7B-D", "Molmo-72B")

    def test_which_sizes_exist(self):
        """1B active (of 6.9B), two 7Bs of different makes, 72B: nothing between 7.6B and 72B, so no
        place of a plateau can be read off.
        """
        rows = {
            row.arm: row.setting
            for row in table_of("molmo.table1").rows
            if row.arm.startswith("Molmo")
        }
        self.assertEqual(set(rows), set(self.MOLMO))
        self.assertEqual(
            sorted(setting["llm_params_b"] for setting in rows.values()), [6.9, 7.3, 7.6, 72]
        )
        self.assertLess(rows["MolmoE-1B"]["llm_active_params_b"], 2)
        # the schedule moves along
        self.assertNotEqual(*(rows[arm]["finetune_steps"] for arm in ("Molmo-7B-D", "Molmo-72B")))

    def test_rows_still_rise(self):
        """From 7B-D to 72B the average rises by more than the noise of two runs, but by less per
        doubling than makes of one size differ.
        """
        rise = gain("molmo.table1", "Molmo-7B-D", "Molmo-72B", "avg11")
        doublings = math.log2(72 / 7.6)
        makes = gain("molmo.table1", "Molmo-7B-O", "Molmo-7B-D", "avg11")
        value = ask("curve", "llm_params_b")
        self.assertGreater(rise, value["noise_of_two_runs"])
        self.assertLess(rise / doublings, makes)
        columns = ("mmmu", "mathvista", "ai2d", "vqav2", "docvqa", "textvqa")
        rises = {name: gain("molmo.table1", "Molmo-7B-D", "Molmo-72B", name) for name in columns}
        # the first rises, the other is flat
        reasoning, perception = ("mmmu", "mathvista"), ("vqav2", "docvqa", "textvqa")
        self.assertGreater(
            min(rises[name] for name in reasoning), 2 * max(rises[name] for name in perception)
        )

    def test_the_command_shows_the_rows(self):
        answer = ask("swap", "qwen2-7b", "qwen2-72b")
        shown = evidence(answer, "molmo.table1")[("Molmo-7B-D", "Molmo-72B")]
        mmmu = next(delta for (name, _), delta in shown.items() if name == "mmmu")
        self.assertAlmostEqual(
            mmmu, gain("molmo.table1", "Molmo-7B-D", "Molmo-72B", "mmmu"), places=6
        )
        also = [
            row["also_moves"]
            for d in answer["deltas"]
            for row in d["evidence"]
            if row["table"] == "molmo.table1" and row["to_arm"] == "Molmo-72B"
        ]
        self.assertTrue(
            also and all(any("finetune_steps" in text for text in moved) for moved in also)
        )

    def test_curve(self):
        """No plateau inside the tables' range for the balanced mix, and the printed gain of a
        doubling falls beyond 14B.
        """
        value = ask("curve", "llm_params_b")
        self.assertIsNone(value["stops_paying_at"])
        self.assertGreaterEqual(value["covered"]["high"], 72)
        printed = {
            (part["low"], part["high"]): part["gain_per_doubling"] for part in value["printed"]
        }
        last = max(printed)
        self.assertLess(printed[last], min(g for span, g in printed.items() if span != last))
        self.assertGreater(printed[last], value["noise_of_two_runs"])
        pairs = [
            pair
            for pair in steps.pairs(papers(), "llm_params_b", library().words)
            if pair.paper == "molmo" and pair.high > 70
        ]
        # Molmo's own step to 72B is confounded: it is no printed row of the curve
        self.assertEqual(pairs, [])


class DataAgainstEncoder(unittest.TestCase):
    """(e) Isolate data-mix quality from encoder quality on a 7B VLM: how many runs at least?"""

    def test_four_settings_and_why(self):
        answer = ask("design", "--factor", "encoder", "--factor", "data")
        settings = {(run["recipe"]["encoder"], run["recipe"]["data"]) for run in answer["runs"]}
        self.assertEqual(len(answer["runs"]), 4)
        self.assertEqual(len(settings), 4)
        # all combinations
        self.assertEqual(
            len({encoder for encoder, _ in settings}) * len({data for _, data in settings}), 4
        )
        held = [
            {
                field: value
                for field, value in run["recipe"].items()
                if field not in ("encoder", "data", "data_size")
            }
            for run in answer["runs"]
        ]
        self.assertTrue(all(other == held[0] for other in held))
        self.assertAlmostEqual(held[0]["llm_params_b"], 7, delta=0.5)
        why = " ".join(answer["why"])
        self.assertIn("at least 3 settings", why)  # three would do for the main effects
        self.assertIn("one at a time", why)  # and what they would not see


if __name__ == "__main__":
    unittest.main()
