"""The stage plan as tables print it, and other ways to train by pairs of rows that differ in that
alone.
"""

import json
import os
import re
import statistics
import tempfile
import unittest

from recipes.answers import plans as schedule
from recipes.answers import schedule as alternatives
from recipes.base.wording import signed
from recipes.cost.training import two_stages
from recipes.library import Library
from recipes.terms.recipe import BASELINE, change
from recipes.terms.tasks import parse_mix

from . import support
from .support import call, call_json


def rows():
    """(paper key, table, row) of everything that is published."""
    return [
        (paper.key, table, row)
        for paper in support.papers()
        for table in paper.tables
        for row in table.rows
    ]


def stages(recipe):
    return two_stages(recipe.data_size or 1.0, recipe.data or "", 576, recipe.frozen_encoder)


def facts(**fields):
    recipe = change(BASELINE, **fields)
    return schedule.Schedules(support.library()).of(stages(recipe), recipe)


class Robust(unittest.TestCase):
    def test_one_paper_far_away_moves_little(self):
        """LoRA by three papers, one of which loses 24 points: the median, with a finite spread."""
        middle, variance = alternatives.robust([-24.0, -2.2, 0.4], [1.0, 1.0, 1.0])
        self.assertEqual(middle, -2.2)
        spread = (1.4826 * 2.6) ** 2 - 1.0  # the deviations are 21.8, 0 and 2.6
        self.assertAlmostEqual(variance, 1.5707963 * (spread + 1.0) / 3 + spread, 5)
        farther = alternatives.robust([-240.0, -2.2, 0.4], [1.0, 1.0, 1.0])
        self.assertEqual(farther, (middle, variance))

    def test_one_paper_and_papers_that_agree(self):
        self.assertEqual(alternatives.robust([1.5], [2.0]), (1.5, 2.0))
        self.assertEqual(alternatives.robust([1.0, 1.0], [2.0, 2.0]), (1.0, 1.0))

    def test_lora_is_said_by_paper(self):
        answer = call_json("schedule", "lora")["changes"][0]
        results = sorted(one["expected"] for one in answer["papers"])
        self.assertGreater(len(results), 2)
        self.assertAlmostEqual(answer["expected"], statistics.median(results), 4)
        text = " ".join(call("schedule", "lora")[1].split())
        for one in answer["papers"]:
            self.assertIn(f"{one['paper']} {signed(one['expected'])}", text)
        fixed = ("--fix", "llm=vicuna-7b", "--fix", "data=llava-665k", "--fix", "resolution=336")
        picked = call_json("pick", *fixed)["alternatives"]
        self.assertIn(answer["expected"], [one["expected"] for one in picked])


class Said(unittest.TestCase):
    """What the tables say of the training of a row, beside the words of its paper."""

    def said(self, text):
        """The stages of the rows with this text: (parts, rates) each."""
        found = [row.stages for _, _, row in rows() if row.setting.get("training") == text]
        self.assertTrue(found, text)
        return [(" ".join(sorted(one.get("trains", ()))), one.get("lr", {})) for one in found[0]]

    def test_as_papers_put_it(self):
        """Read by a person: what the words say, and no more."""
        both = {"connector": 2e-5, "llm": 2e-5}
        for text, expected in (
            (
                "stage 1: connector only (lr 1e-3, batch 512); stage 2: connector + LLM (lr 2e-5)"
                " + vision encoder (lr 1e-5), batch 512",
                [
                    ("connector", {"connector": 1e-3}),
                    ("connector encoder llm", {**both, "encoder": 1e-5}),
                ],
            ),
            (
                "stage 1 projector only (encoder and LLM frozen), lr 1e-3, batch 64, 1 epoch;"
                " stage 2 projector and full LLM (no LoRA), lr 4e-5, batch 32, 1 epoch",
                [
                    ("connector", {"connector": 1e-3}),
                    ("connector llm", {"connector": 4e-5, "llm": 4e-5}),
                ],
            ),
            (
                "stage 1: connector on 558K LAION-CC-SBU (encoder and LLM frozen); stage 2: the"
                " whole model, LLM and projector 2e-5, vision tower 2e-6, batch 128, 1 epoch",
                [("connector", {}), ("connector encoder llm", {**both, "encoder": 2e-6})],
            ),
            (
                "projector; then all incl. last half of the encoder; then SFT",
                [("connector", {}), ("other", {}), ("", {})],
            ),
        ):
            self.assertEqual(self.said(text), expected, text)

    def test_every_number_stands_in_the_words(self):
        seen = 0
        for _, _, row in rows():
            text = row.setting.get("training") or ""
            rates = {float(x) for x in re.findall(r"\d+(?:\.\d+)?e-\d+", text)}
            counts = {
                float(number) * {"k": 1e3, "m": 1e6}[scale]
                for number, scale in re.findall(r"(\d+(?:\.\d+)?)(k|m)\b", text.lower())
            }
            for stage in row.stages:
                seen += len(stage.get("lr", ()))
                self.assertLessEqual(set(stage.get("lr", {}).values()), rates, text)
                # "as setting": the words of the table's other rows
                if not text.startswith("as setting"):
                    own = {stage[key] for key in ("samples", "steps") if key in stage}
                    self.assertLessEqual(own, counts, text)
        self.assertGreater(seen, 300)

    def test_the_papers_that_are_read_are_those_that_print_it(self):
        found = schedule.sources(support.papers())
        self.assertIn("cambrian1", found["rated"])
        self.assertIn("llava1_5", found["planned"])
        # its first stage has 1266K examples, of which 558K are LLaVA's
        self.assertNotIn("omnialign-v", found["planned"])
        stored = support.library().standing.papers
        self.assertEqual({name: stored[name] for name in found}, found)


class Plan(unittest.TestCase):
    def test_the_two_stages_are_cited_where_llava_prints_them(self):
        for stage in facts():
            first = stage["citations"][0]
            self.assertEqual(
                (first["arxiv"], first["alignment_data_size"]), ("2310.03744", 558_000)
            )
            self.assertEqual(len({one["arxiv"] for one in stage["citations"]}), 2)

    def test_rates_are_printed_ones_of_the_same_stage_on_the_nearest_llm(self):
        table_of = {table.id: table for _, table, _ in rows()}
        for fields in (
            {},
            {"llm": "qwen2-72b", "llm_params_b": 72.7, "connector": "linear"},
            {"frozen_encoder": False},
            {"llm_params_b": 0.5, "llm": None},
            {"connector": "perceiver", "encoder": "siglip-so400m-14"},
        ):
            for stage, plan in zip(facts(**fields), stages(change(BASELINE, **fields))):
                found = stage["learning_rate"]
                row = next(row for row in table_of[found["table"]].rows if row.arm == found["arm"])
                self.assertIn(
                    ({*plan.trains}, {one["value"] for one in found["rates"]}),
                    [
                        ({*one.get("trains", ())}, {*one.get("lr", {}).values()})
                        for one in row.stages
                    ],
                )
        self.assertEqual(
            facts(llm="qwen2-72b", llm_params_b=72.7)[1]["learning_rate"]["llm_params_b"], 34
        )
        self.assertEqual(facts(connector="linear")[0]["learning_rate"]["connector"], "linear")
        self.assertEqual(
            [one["value"] for one in facts(frozen_encoder=False)[1]["learning_rate"]["rates"]],
            [2e-5, 1e-5],
        )

    def test_no_rate_where_no_row_prints_one(self):
        recipe, plan = BASELINE, [one._replace(trains=("encoder",)) for one in stages(BASELINE)]
        found = schedule.Schedules(support.library()).of(plan, recipe)
        self.assertEqual(
            [(one["citations"], one["learning_rate"]) for one in found], [([], None)] * 2
        )

    def test_pick_prints_it(self):
        answer = call_json(
            "pick",
            "--tasks",
            "documents",
            "--fix",
            "encoder=siglip",
            "--fix",
            "llm_params_b=7B",
            "--top",
            "2",
        )
        for recipe in answer["recipes"]:
            for stage in recipe["schedule"]:
                self.assertTrue(stage["citations"])
                self.assertLess(stage["learning_rate"]["rates"][0]["value"], 0.01)
        _, out, _ = call(
            "pick",
            "--tasks",
            "documents",
            "--fix",
            "encoder=siglip",
            "--fix",
            "llm_params_b=7B",
            "--why",
        )
        out = " ".join(out.split())
        self.assertRegex(out, r"stage 1 train connector .* learning rate \de-\d in [\w.-]+ ")
        self.assertRegex(out, r"plan llava1_5\.\w+ \(arXiv 2310\.03744\)")
        self.assertIn("or LoRA instead of training the whole LLM: ", out)


class Pairs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        every = {paper.key for paper in support.papers()}
        cls.pairs = alternatives.Pairs(support.library(), every)

    def places(self, slug):
        return {(pair.table.id, pair.before.arm, pair.after.arm) for pair in self.pairs.found[slug]}

    def test_every_pair_differs_in_that_alone(self):
        for slug, pairs in self.pairs.found.items():
            one = alternatives.KNOWN[slug]
            self.assertTrue(pairs, slug)
            for pair in pairs:
                a, b = pair.before.setting, pair.after.setting
                differ = {
                    key
                    for key in {**a, **b}
                    if a.get(key) != b.get(key)
                    and self.pairs.axis_of.get(key, "other") != "describes"
                }
                self.assertLessEqual(differ, one.keys, (slug, pair.table.id, pair.after.arm))
                level, two = alternatives.LEVELS[one.level], (pair.before, pair.after)
                self.assertTrue(one.step(*map(level, two)), (slug, pair.table.id))
                self.assertEqual(
                    {
                        name
                        for name, said in alternatives.LEVELS.items()
                        if said(pair.before) != said(pair.after)
                    }
                    - {one.also},
                    {one.level},
                )

    def test_lora_against_the_whole_llm(self):
        self.assertLessEqual(
            {"brave.table5", "honeybee.table10", "llava1_5.model_zoo", "vila.table9"},
            {table for table, _, _ in self.places("lora")},
        )
        self.assertIn(
            ("llava1_5.model_zoo", "LLaVA-1.5 13B full_ft-1e", "LLaVA-1.5 13B lora-1e"),
            self.places("lora"),
        )
        self.assertIn("idefics2.table3", {table for table, _, _ in self.places("lora-over-frozen")})

    def test_what_is_no_clean_pair_is_not_cited_for_a_trained_encoder(self):
        tables = {table for table, _, _ in self.places("encoder")}
        self.assertLessEqual(
            {
                "cambrian1.table13",
                "llava-uhd.table4",
                "prismatic.optimization",
                "sharegpt4v.table6",
            },
            tables,
        )
        for other in (
            "llava_next.may_full",
            "idefics2.table3",
            "paligemma.section5_5",
            "m3.table1",
        ):
            self.assertNotIn(other, tables)

    def test_the_other_settings(self):
        self.assertEqual(
            {table for table, _, _ in self.places("ramp")}, {"mm1_5.figure9a", "molmo.table12"}
        )
        self.assertEqual(
            {table for table, _, _ in self.places("epochs")}, {"prismatic.train_epochs"}
        )
        extra = {table for table, _, _ in self.places("extra-stage")}
        self.assertEqual(
            extra,
            {
                *("llava_next.abl_stage15", "mm1_5.figure9a", "mm1_5.figure9b", "nvila.table1"),
                *("qianfan-vl.table8", "qianfan-vl.table9"),
            },
        )
        self.assertEqual(
            {table for table, _, _ in self.places("one-stage")},
            {"cobra.table5", "llava.table8", "prismatic.optimization"},
        )

    def test_two_runs_count_once(self):
        for slug, pairs in self.pairs.found.items():
            runs = [
                (
                    pair.before.run or (pair.table.id, pair.before.arm),
                    pair.after.run or (pair.table.id, pair.after.arm),
                )
                for pair in pairs
            ]
            self.assertEqual(len(runs), len(set(runs)), slug)

    def test_the_papers_that_are_read_are_those_that_have_pairs(self):
        library = support.library()
        everything = {paper.key for paper in support.papers()}
        found = alternatives.Pairs(library, everything).found
        self.assertEqual(alternatives.sources(library), library.standing.papers["changes"])
        self.assertEqual(
            {slug: len(pairs) for slug, pairs in found.items()},
            {slug: len(pairs) for slug, pairs in self.pairs.found.items()},
        )


class Pooled(unittest.TestCase):
    """Tables written for the test."""

    def library(self, papers, metrics=("docvqa", "textvqa"), **setting):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for number, arms in enumerate(papers):
            table = {
                "id": f"mine{number}.t",
                "locator": "T",
                "varies": ["training"],
                "metrics": {name: {"benchmark": name, "split": "val"} for name in metrics},
                "rows": [
                    {"arm": f"arm {i}", "set": own, "scores": dict(zip(metrics, scores))}
                    for i, (own, *scores) in enumerate(arms)
                ],
                "setting": {
                    "encoder": "my-encoder",
                    "connector": "mlp-2x-gelu",
                    "llm": "vicuna-1.5-7b",
                    "data": "llava-665k",
                    **setting,
                },
            }
            with open(
                os.path.join(folder.name, f"mine{number}.json"), "w", encoding="utf-8"
            ) as file:
                json.dump({"format": 2, "paper": {"key": f"mine{number}"}, "tables": [table]}, file)
        return Library([folder.name])

    def asked(self, library, slug="encoder", tasks="documents", back=False, level=0.8):
        pairs = [
            pair
            for pair in alternatives.Pairs(library).found[slug]
            if pair.table.paper.startswith("mine") or pair.table.id.startswith("mine")
        ]
        return alternatives.alternative(
            alternatives.KNOWN[slug], pairs, library, parse_mix(tasks, library.words), level, back
        )

    FROZEN, TUNED = {"frozen_encoder": True}, {"frozen_encoder": False}

    def test_the_mean_over_papers_and_its_interval(self):
        library = self.library(
            [
                [(self.FROZEN, 50, 40), (self.TUNED, 54, 42)],
                [(self.FROZEN, 60, 50), (self.TUNED, 65, 53)],
            ]
        )
        one = self.asked(library)
        self.assertEqual([round(part["expected"], 6) for part in one["papers"]], [3, 4])
        self.assertAlmostEqual(one["expected"], 3.5)
        self.assertTrue(one["low"] < 3 < 4 < one["high"])
        self.assertEqual(
            (one["tasks"], one["of"], sorted(cell["benchmark"] for cell in one["benchmarks"])),
            ("mix", 4, ["docvqa", "textvqa"]),
        )
        wider, alone = (
            self.asked(library, level=0.95),
            self.asked(self.library([[(self.FROZEN, 50, 40), (self.TUNED, 54, 43)]])),
        )
        self.assertLess(wider["low"], one["low"])
        self.assertGreater(alone["high"] - alone["low"], one["high"] - one["low"])

    def test_turned_round(self):
        library = self.library([[(self.TUNED, 54, 42), (self.FROZEN, 50, 40)]])
        there, back = self.asked(library), self.asked(library, back=True)
        self.assertEqual(
            (there["change"], back["change"]), ("train the encoder too", "freeze the encoder")
        )
        self.assertAlmostEqual(there["expected"], 3)
        self.assertAlmostEqual(back["expected"], -3)
        self.assertEqual(
            (back["rows"][0]["from_arm"], back["rows"][0]["to_arm"]),
            (there["rows"][0]["to_arm"], there["rows"][0]["from_arm"]),
        )

    def test_the_nearest_tasks_that_are_printed(self):
        arms = [[(self.FROZEN, 50, 40), (self.TUNED, 54, 42)]]
        self.assertEqual(self.asked(self.library(arms), tasks="docvqa")["tasks"], "mix")
        self.assertEqual(self.asked(self.library(arms), tasks="infovqa")["tasks"], "related")
        self.assertEqual(
            self.asked(self.library(arms, metrics=("docvqa", "mm1_5-mmbase")), tasks="video")[
                "tasks"
            ],
            "average",
        )
        self.assertEqual(self.asked(self.library(arms), tasks="video")["tasks"], "other")

    def test_anything_else_that_moves_makes_no_pair(self):
        for other in (
            {"llm": "llama-3-8b"},
            {"data": "cambrian-7m"},
            {"resolution": 448},
            {"frozen_llm": True},
            {"epochs": 2},
            {"training": "LoRA on the LLM"},
        ):
            self.assertIsNone(
                self.asked(
                    self.library([[(self.FROZEN, 50, 40), ({**self.TUNED, **other}, 54, 42)]])
                ),
                other,
            )

    def test_rows_that_carry_the_same_numbers_are_no_result(self):
        """Molmo's ramp and its fixed run, as the copy read has them; a single equal score is
        one.
        """
        ramp = call_json("schedule", "ramp")["changes"][0]
        self.assertEqual(
            (ramp["tables"], [(row["table"], row["identical"]) for row in ramp["other_rows"]]),
            (["mm1_5.figure9a"], [("molmo.table12", True)]),
        )
        arms = [(self.FROZEN, 50, 40), (self.TUNED, 50, 40)]
        self.assertIsNone(self.asked(self.library([arms])))
        self.assertEqual(
            self.asked(self.library([[arm[:2] for arm in arms]], metrics=("docvqa",)))["expected"],
            0,
        )

    def test_odd_settings_of_own_tables(self):
        for own in (
            {"lm_finetune": 5},
            {"epochs": 0},
            {"batch_size": [64]},
            {"crops_train": ["a", 1]},
            {"stages": "two"},
            {"odd": ["x"]},
        ):
            one = self.asked(
                self.library([[({**self.FROZEN, **own}, 50, 40), ({**self.TUNED, **own}, 54, 42)]])
            )
            self.assertAlmostEqual(one["expected"], 3, msg=str(own))

    def test_levels(self):
        row = support.table_of("honeybee.table10").rows[0]
        self.assertEqual(alternatives.LEVELS["llm"](row), "full")
        self.assertEqual(alternatives.LEVELS["alignment steps"](row), 50_000)
        self.assertIsNone(alternatives.LEVELS["llm"](row._replace(trained=None)))
        ramp = lambda setting: alternatives.LEVELS["ramp"](row._replace(setting=setting))
        for setting, expected in (
            ({"crops_train": "12, then 36 for 3000 steps"}, "ramp"),
            ({"crops_train": 36, "crops_test": 36}, "fixed"),
            ({"crops_train": 12, "crops_test": 36}, "low"),
            ({"continual_pt_resolution": 378, "resolution": 1344}, "ramp"),
            ({}, "fixed"),
        ):
            self.assertEqual(ramp(setting), expected, setting)


class Command(unittest.TestCase):
    def test_deltas_are_those_of_the_cells(self):
        one = call_json("schedule", "lora")["changes"][0]
        cells = {(table.id, row.arm): row.scores for _, table, row in rows()}
        for row in one["rows"]:
            for cell in row["deltas"]:
                a, b = (
                    cells[row["table"], row[side]][cell["metric"]]
                    for side in ("from_arm", "to_arm")
                )
                self.assertAlmostEqual(cell["delta"], b - a, 3)
        self.assertEqual(
            one["tables"],
            [
                "brave.table5",
                "honeybee.table10",
                "llava1_5.model_zoo",
                "svit.modelzoo",
                "vila.table9",
            ],
        )
        self.assertTrue(one["low"] < one["expected"] < one["high"])

    def test_the_question_is_answered_from_rows(self):
        code, out, err = call("LoRA vs full fine-tuning")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("understood: python3 main.py schedule lora", out)
        for table in ("llava1_5.model_zoo", "honeybee.table10", "brave.table5"):
            self.assertIn(table, out)
        self.assertEqual(
            call_json("does lora hurt on a 13B?")["understood"]["argv"],
            ["schedule", "lora", "--on", "13B"],
        )

    def test_one_size(self):
        answer = call_json("schedule", "lora", "--on", "13B")
        self.assertEqual({row["llm_params_b"] > 10 for row in answer["changes"][0]["rows"]}, {True})
        self.assertEqual(call_json("schedule", "lora", "--on", "7B")["on"], BASELINE.llm_params_b)
        code, out, _ = call("schedule", "lora", "--on", "70B")
        self.assertEqual(
            (code, out.strip()),
            (1, "no table prints rows that differ in it alone on an LLM of about 70B: lora"),
        )

    def test_rows_with_the_same_numbers_are_not_said_to_be_missing(self):
        """Molmo's Table 12 prints the ramp on 7B, with one row's numbers twice."""
        code, out, _ = call("schedule", "ramp", "--on", "7B")
        self.assertEqual(code, 1)
        self.assertIn(
            "same numbers in every column, which is no result: ramp (molmo.table12)",
            " ".join(out.split()),
        )
        self.assertLessEqual(max(map(len, out.splitlines())), 80)
        self.assertEqual(
            call_json("schedule", "ramp", "--on", "7B", exit_code=1)["no_rows"], ["ramp"]
        )

    def test_help_names_every_change(self):
        text = " ".join(call("schedule", "--help")[1].split())
        named = re.search(r"which: (.*?) \(default", text)[1].replace("- ", "-").split(", ")
        self.assertEqual(sorted(named), sorted(alternatives.KNOWN))

    def test_an_empty_size_is_refused(self):
        for argv in (("schedule",), ("swap", "CLIP", "SigLIP")):
            code, _, err = call(*argv, "--on", "")
            self.assertEqual(code, 2)
            self.assertIn("'' is not a number", err)

    def test_all_of_them(self):
        answer = call_json("schedule")
        self.assertEqual([one["slug"] for one in answer["changes"]], list(alternatives.KNOWN))
        self.assertEqual(answer["no_rows"], [])
        _, out, _ = call("schedule")
        for line in out.splitlines():
            self.assertLessEqual(len(line), 80)
        for slug in alternatives.KNOWN:
            self.assertIn(f"  {slug} ", out)

    def test_what_cannot_be_read(self):
        for argv, words in (
            (("lorra",), "did you mean lora"),
            (("lora", "--on", "banana"), "banana"),
            (("lora", "--tasks", "xx"), "'xx'"),
            (("",), "known: encoder"),
        ):
            code, out, err = call("schedule", *argv)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), argv)
            self.assertIn(words, err)


class OfAPick(unittest.TestCase):
    def test_the_model_and_printed_rows_are_told_apart(self):
        found = call_json(
            "pick", "--tasks", "documents", "--fix", "encoder=siglip", "--fix", "llm_params_b=7B"
        )["alternatives"]
        self.assertEqual((found[0]["slug"], found[0]["basis"]), ("encoder", "model"))
        self.assertNotIn("llava_next.may_full", found[0]["tables"])
        self.assertTrue(
            found[0]["printed"]["low"]
            < found[0]["printed"]["expected"]
            < found[0]["printed"]["high"]
        )
        self.assertEqual({one["basis"] for one in found[1:]}, {"printed rows"})
        self.assertEqual(
            [one["slug"] for one in found], list(dict.fromkeys(one["slug"] for one in found))
        )
        self.assertGreaterEqual(
            {one["slug"] for one in found}, {"lora", "extra-stage", "epochs", "ramp", "one-stage"}
        )
        for one in found:
            self.assertTrue(one["tables"])
            self.assertTrue(one["low"] < one["expected"] < one["high"])
            self.assertEqual(set(one) - {"printed"}, set(found[1]))


if __name__ == "__main__":
    unittest.main()
