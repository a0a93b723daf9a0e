"""Citations: for the mix asked for, beside a rival, with what the table shows; doubtful cells and
whole systems apart.
"""

import json
import os
import random
import re
import tempfile
import unittest
from unittest import mock

from recipes.answers import citations
from recipes.answers.citations import AXES, Citations
from recipes.library import Library
from recipes.picker.limits import Constraints
from recipes.picker.space import space
from recipes.terms.recipe import BASELINE, Recipe, change
from recipes.terms.tasks import parse_mix
from recipes.terms.units import LatencyTarget
from tests.support import slow

from . import support

KEYS = {"axis", "value", "table", "arxiv", "why", "better", "of", "controlled", "tasks"}


def choices():
    return space(support.library().words, {}, {})


def citer(tasks, library=None, limits=None):
    library = library or support.library()
    return Citations(library, parse_mix(tasks, library.words), limits or Constraints(), choices())


def entries(tasks, axis, library=None, limits=None, **fields):
    recipe = change(BASELINE, **fields)
    return [entry for entry in citer(tasks, library, limits).of(recipe) if entry["axis"] == axis]


@slow
class Published(unittest.TestCase):
    def test_counts_are_those_of_the_printed_cells(self):
        """pe.table10: PE-lang L beside CLIP L, on the document benchmarks that it prints."""
        table = support.table_of("pe.table10")
        rows = {row.arm: row for row in table.rows}
        printed = ("docvqa", "infovqa", "textvqa")
        better = sum(
            rows["PElangL 448/14"].scores[key] > rows["CLIP 336/14"].scores[key] for key in printed
        )
        found = next(
            e
            for e in entries("documents", "encoder", encoder="pe-lang-l-14")
            if e["table"] == "pe.table10"
        )
        self.assertEqual(
            (found["better"], found["of"], found["controlled"], found["tasks"]),
            (better, len(printed), False, "mix"),
        )
        self.assertIn(
            "has pe-lang-l-14 beside clip-vit-l-14: better on 3 of 3 of the mix's benchmarks"
            " (resolution and visual tokens not equal)",
            found["why"],
        )

    def test_the_mix_decides(self):
        """Another mix, other benchmarks: each count is over the mix's own."""
        video = entries("video", "encoder", encoder="pe-lang-g-14")[0]
        own = parse_mix("video", support.library().words).benchmarks
        printed = {metric.benchmark for metric in support.table_of(video["table"]).metrics.values()}
        self.assertEqual(
            (video["tasks"], video["of"], video["controlled"]),
            ("mix", len(printed & set(own)), True),
        )
        data = entries("video", "data", data="llava-665k+lvis-instruct-4v+lrv")[0]
        self.assertEqual(data["tasks"], "other")
        self.assertIn("on other tasks better on", data["why"])

    def test_only_the_mixs_own_benchmarks_count_as_its(self):
        """Issue: 17 of 17 where the mix has 9 of them; Cambrian's group means, none of which is in
        the mix.
        """
        own = set(parse_mix(None, support.library().words).benchmarks)
        for axis, fields, table in (
            ("llm", {"llm": "qwen2-72b", "llm_params_b": 72.7}, "qwen2_vl.table2"),
            ("data", {"data": "cambrian-7m"}, "cambrian1.table3"),
        ):
            cited = entries("balanced", axis, **fields)
            found = next((e for e in cited if e["table"] == table), cited[0])
            table = found["table"]
            printed = {metric.benchmark for metric in support.table_of(table).metrics.values()}
            if printed & own:
                self.assertEqual((found["tasks"], found["of"]), ("mix", len(printed & own)), table)
                self.assertRegex(
                    found["why"], rf"on (\d+ of {found['of']} of the mix's benchmarks|\w+) \("
                )
            else:
                self.assertEqual((found["tasks"], found["of"]), ("related", 4), table)
                self.assertIn(
                    "better on 4 of 4 printed means of the mix's families (data size not equal)",
                    found["why"],
                )

    def test_what_the_table_calls_confounded_is_not_controlled(self):
        found = next(
            e
            for e in entries("balanced", "data", data="cambrian-7m")
            if e["table"] == "cambrian1.table3"
        )
        self.assertFalse(found["controlled"])
        a, b = (
            {"data": "x", "resolution": 336, "encoder": "clip"},
            {
                "data": "y",
                "resolution": 336,
                "encoder": "siglip",
            },
        )
        table = support.table_of("cambrian1.table3")
        self.assertEqual(table.confounds, (("data",),))
        for axes, axis, expected in (
            (("data",), "data", True),  # alone: with something that is no axis
            (("encoder", "resolution"), "encoder", False),  # both rows state 336
            (("encoder", "connector"), "encoder", True),  # no row states the connector
            (("encoder", "connector"), "data", False),
        ):
            said = table._replace(confounds=(axes,))
            self.assertEqual(citations.confounded(said, axis, a, b), expected, axes)

    def test_a_table_may_speak_against_a_choice(self):
        limits = Constraints(latency=LatencyTarget(300.0, "l4", False))
        recipe = {"llm": "qwen2-7b", "llm_params_b": 7.62}
        found = next(
            e
            for e in entries("documents", "llm", limits=limits, **recipe)
            if e["table"] == "qwen2_vl.table2"
        )
        self.assertEqual(found["better"], 0)
        self.assertRegex(
            found["why"], r"worse on \d of \d .*; kept: qwen2-72b breaks the latency limit$"
        )

    def test_no_table(self):
        for entry in entries("documents", "data", data="mini-gemini-2.7m"):
            self.assertEqual(
                {k: entry[k] for k in ("table", "arxiv", "better", "of", "controlled", "tasks")},
                dict.fromkeys(("table", "arxiv", "better", "of", "controlled", "tasks")),
            )
            self.assertIn("no table ablates it", entry["why"])

    def test_a_size_that_no_table_names(self):
        found = entries("documents", "llm", llm="gemma-3-27b", llm_params_b=27.0)
        self.assertTrue(
            all(
                e["why"].startswith("no table ablates gemma-3-27b; of its size: has ")
                for e in found
            ),
            found,
        )

    def test_properties_of_any_recipe(self):
        rng, words = random.Random(7), support.library().words
        tables = {table.id: table for paper in support.papers() for table in paper.tables}
        place = choices()
        for tasks in ("documents", "video", "mmmu", "grounding=0.5,charts=0.5"):
            cite, mix = citer(tasks), parse_mix(tasks, words)
            for _ in range(25):
                v, x, d = (
                    rng.choice(place.visuals),
                    rng.choice(place.languages),
                    rng.choice(place.data),
                )
                recipe = v.recipe._replace(
                    llm=x.slug, llm_params_b=x.record["params_b"], data=d.slug, data_size=d.samples
                )
                found = cite.of(recipe)
                self.assertEqual(sorted({e["axis"] for e in found}), sorted(AXES))
                self.assertEqual(found, cite.of(recipe))
                for entry in found:
                    self.assertEqual(set(entry), KEYS)
                    if entry["table"] is None:
                        continue
                    table = tables[entry["table"]]
                    self.assertEqual(entry["arxiv"], table.arxiv)
                    self.assertNotIn("whole systems", table.varies)
                    self.assertTrue(0 <= entry["better"] <= entry["of"] and entry["of"] > 0)
                    one, other = re.search(r"has (.*?) beside (.*?): ", entry["why"]).groups()
                    self.assertNotEqual(one, other)
                    self.assertEqual("(controlled" in entry["why"], entry["controlled"])
                    self.assertEqual(
                        "worse on" in entry["why"],
                        "; kept" in entry["why"] or "; all tables together" in entry["why"],
                    )
                    printed = {metric.benchmark for metric in table.metrics.values()} & set(
                        mix.benchmarks
                    )
                    self.assertTrue(entry["tasks"] != "mix" or entry["of"] <= len(printed), entry)


@slow
class Own(unittest.TestCase):
    """Tables written for the test: one cell decides."""

    def library(self, rows, setting=None, varies=("encoder",), metrics=("docvqa", "textvqa")):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        table = {
            "id": "mine.t",
            "locator": "T",
            "varies": list(varies),
            "metrics": {name: {"benchmark": name} for name in metrics},
            "rows": rows,
            "setting": {
                "connector": "mlp-2x-gelu",
                "llm": "vicuna-1.5-7b",
                "data": "llava-665k",
                "resolution": 336,
                **(setting or {}),
            },
        }
        with open(os.path.join(folder.name, "mine.json"), "w", encoding="utf-8") as file:
            json.dump({"format": 2, "paper": {"key": "mine"}, "tables": [table]}, file)
        return Library([folder.name])

    def cited(self, library, tasks="documents", encoder="siglip-so400m-14"):
        with mock.patch.object(citations, "EACH", 1000):
            return next(
                (
                    e
                    for e in entries(tasks, "encoder", library, encoder=encoder)
                    if e["table"] == "mine.t"
                ),
                None,
            )

    CLIP = {
        "arm": "a",
        "set": {"encoder": "clip-vit-l-14"},
        "scores": {"docvqa": 50, "textvqa": 40},
    }

    def other(self, docvqa, textvqa, **more):
        return {
            "arm": "b",
            "set": {"encoder": "siglip-so400m-14", **more.pop("set", {})},
            "scores": {"docvqa": docvqa, "textvqa": textvqa},
            **more,
        }

    def test_better_and_worse(self):
        found = self.cited(self.library([self.CLIP, self.other(60, 45)]))
        self.assertEqual((found["better"], found["of"], found["controlled"]), (2, 2, True))
        found = self.cited(self.library([self.CLIP, self.other(40, 30)]))
        self.assertEqual((found["better"], found["of"]), (0, 2))
        self.assertIn("worse on 2 of 2 of the mix's benchmarks (controlled); ", found["why"])

    def test_lower_may_be_better(self):
        rows = [
            {"arm": "a", "set": {"encoder": "clip-vit-l-14"}, "scores": {"docvqa": 50}},
            {"arm": "b", "set": {"encoder": "siglip-so400m-14"}, "scores": {"docvqa": 40}},
        ]
        library = self.library(rows, metrics=("docvqa",))
        paper = library.own_papers()[0]
        table = paper.tables[0]
        turned = table._replace(
            metrics={"docvqa": table.metrics["docvqa"]._replace(higher_is_better=False)}
        )
        library._own = [paper._replace(tables=(turned,))]
        self.assertEqual(self.cited(library)["better"], 1)

    def test_a_doubtful_cell_counts_for_nothing(self):
        found = self.cited(
            self.library(
                [self.CLIP, self.other(60, 30, doubt={"cells": ["docvqa"], "why": "a copy"})]
            )
        )
        self.assertEqual((found["better"], found["of"]), (0, 1))
        self.assertIn("worse on textvqa", found["why"])
        self.assertIsNone(
            self.cited(
                self.library([self.CLIP, self.other(60, 45, doubt={"cells": "*", "why": "a copy"})])
            )
        )

    def test_what_else_moved_is_said(self):
        found = self.cited(
            self.library(
                [self.CLIP, self.other(60, 45, set={"resolution": 384})],
                varies=("encoder", "resolution"),
            )
        )
        self.assertFalse(found["controlled"])
        self.assertIn("(resolution not equal)", found["why"])

    def test_other_tasks_are_said_to_be_other(self):
        found = self.cited(self.library([self.CLIP, self.other(60, 45)]), "video")
        if found is not None:  # published tables may have the mix itself, which goes first
            self.assertEqual(found["tasks"], "other")
        self.assertEqual(
            self.cited(self.library([self.CLIP, self.other(60, 45)]), "docvqa")["of"], 1
        )

    def test_whole_systems_and_lonely_rows_are_no_ablation(self):
        self.assertIsNone(
            self.cited(self.library([self.CLIP, self.other(60, 45)], varies=("whole systems",)))
        )
        self.assertIsNone(self.cited(self.library([self.other(60, 45)])))
        two = self.other(60, 45, set={"llm": "llama-3-8b", "data": "llava-next-790k"})
        self.assertIsNone(self.cited(self.library([self.CLIP, two])))

    def test_the_strongest_rival_where_the_baseline_is_not_there(self):
        rival = lambda arm, slug, docvqa: {
            "arm": arm,
            "set": {"encoder": slug},
            "scores": {"docvqa": docvqa},
        }
        rows = [
            rival("weak", "dinov2-vit-l-14", 10),
            rival("strong", "aimv2-l-14", 70),
            rival("mine", "siglip-so400m-14", 60),
        ]
        found = self.cited(self.library(rows, metrics=("docvqa",)))
        self.assertIn("beside aimv2-l-14: worse on docvqa", found["why"])


@slow
class Pick(unittest.TestCase):
    def test_of_the_command(self):
        recipe = support.call_json(
            "pick", "--tasks", "documents", "--fix", "encoder=pe-lang-l-14", "--top", "1"
        )["recipes"][0]
        self.assertTrue(all(set(entry) == KEYS for entry in recipe["citations"]))
        self.assertIn("pe.table10", [entry["table"] for entry in recipe["citations"]])

    def test_less_than_half_is_no_support(self):
        """Of a table in which a choice is better on 3 of 8 the screen does not say `better`."""
        from recipes.show.pick import rows_text

        row = {"axis": "connector", "table": "t", "controlled": True, "tasks": "mix", "of": 8}
        told = lambda *rows: rows_text({"citations": [{**row, **one} for one in rows]}, "connector")
        few, half = {"better": 3, "why": "worse"}, {"better": 4, "why": "better", "table": "u"}
        self.assertEqual(told(few), "not better in t (3/8)")
        kept = "all tables together give it +0.4 on the mix"
        self.assertEqual(told({**few, "why": kept}), "not better in t (3/8), but by all tables")
        self.assertEqual(told(half), "better on 4/8 in u")
        self.assertEqual(told(few, half), "better on 4/8 in u")  # another row, where there is one
        self.assertEqual(told({**few, "better": 0}), "not better in t")

    def test_a_recipe_without_tiles_is_not_backed_by_tiles(self):
        for entry in citer("documents").of(
            Recipe(**{**BASELINE.stated(), "resolution": 448, "visual_tokens": 1024})
        ):
            if entry["axis"] == "resolution" and entry["table"]:
                self.assertRegex(entry["why"], r"^(has 448 px|about this size)")


if __name__ == "__main__":
    unittest.main()
