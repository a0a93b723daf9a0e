"""`import`: what harnesses write, read as it is, into a table that the other commands use; nothing
lost, nothing overwritten, nothing believed.
"""

import csv
import io
import json
import os
import pathlib
import random
import unittest
from decimal import Decimal
from unittest import mock

from recipes.answers import import_ as importer
from recipes.base.reading import EvidenceError
from recipes.base.write import dump_paper
from recipes.commands.arguments import recipe_fields
from recipes.effects.columns import columns
from recipes.evidence.tables import load_papers, parse_paper
from recipes.exchange import harness, importing, readings, scores

from .import_case import CLIP, REST, SIGLIP, WORDS, Case
from .support import TABLES, call, call_json, library, process


class Merging(Case):
    def test_the_same_file_again_changes_nothing(self):
        self.taken(SIGLIP)
        before = self.bytes()
        code, out, _ = self.take(SIGLIP)
        self.assertEqual(code, 0)
        self.assertIn("nothing new", out)
        code, out, _ = self.take(SIGLIP, recipe=None)
        self.assertIn("nothing new", out)
        self.assertEqual(self.bytes(), before)

    def test_same_input_same_bytes(self):
        for name in ("a", "b"):
            self.into = self.folder / name
            self.taken(SIGLIP)
            self.taken(CLIP, arm="clip", recipe=f"encoder=clip,{REST}")
        written = list(self.bytes().values())
        self.assertEqual(written[0], written[1])

    def test_a_different_value_is_refused_and_named_and_the_rest_goes_in(self):
        self.taken(SIGLIP)
        other = self.lmms({"gqa": {"exact_match,none": 0.52}})
        say = ("51.33", "52", "#/tables/0/rows/0/scores/gqa_testdev_balanced", "_results.json")
        self.refused(other, say=say)
        both = self.lmms(
            {"gqa": {"exact_match,none": 0.52}, "vqav2_val": {"exact_match,none": 0.6}}
        )
        code, out, err = self.take(both, "--json")
        answer = json.loads(out)
        self.assertEqual((code, err, answer["ok"]), (1, "", False))
        self.assertEqual([cell["value"] for cell in answer["added"]], [60])
        self.assertIn("51.33", answer["refused"][0]["why"])
        self.assertEqual(self.table()["rows"][0]["scores"]["gqa_testdev_balanced"], 51.33)

    def test_two_files_of_one_import_may_not_contradict_each_other(self):
        one, two = (
            self.lmms({"gqa": {"exact_match,none": value}}, f"{i}_results.json")
            for i, value in enumerate((0.5, 0.51))
        )
        self.refused(one, two, say=("0_results.json", "1_results.json", "50", "51"))
        same = self.lmms(
            {"gqa": {"exact_match,none": 0.5}, "mmmu_val": {"mmmu_acc,none": 0.25}},
            "2_results.json",
        )
        self.assertEqual(
            [cell["metric"] for cell in self.taken(one, same)["added"]],
            ["gqa_testdev_balanced", "mmmu_val"],
        )

    def test_more_results_join_the_row(self):
        self.taken(self.lmms({"gqa": {"exact_match,none": 0.5}}))
        answer = self.taken(
            self.lmms(
                {"gqa": {"exact_match,none": 0.5}, "mmmu_val": {"mmmu_acc,none": 0.25}},
                "b_results.json",
            ),
            recipe=None,
        )
        self.assertEqual([cell["metric"] for cell in answer["added"]], ["mmmu_val"])
        self.assertEqual([cell["metric"] for cell in answer["unchanged"]], ["gqa_testdev_balanced"])
        self.assertEqual(answer["recipe"]["encoder"], "siglip-so400m-14")
        self.assertEqual(
            [row["scores"] for row in self.table()["rows"]],
            [{"gqa_testdev_balanced": 50, "mmmu_val": 25}],
        )

    def test_another_recipe_for_the_same_arm_is_refused(self):
        self.taken(SIGLIP)
        self.refused(
            SIGLIP,
            recipe=f"encoder=clip,{REST}",
            say=("another recipe", "siglip-so400m-14", "clip-vit-l-14"),
        )
        self.refused(
            SIGLIP,
            recipe=f"encoder=siglip,resolution=384,{REST}",
            say=("resolution not stated, now 384",),
        )

    def test_a_new_arm_needs_a_recipe_and_a_name(self):
        self.refused(SIGLIP, recipe=None, say=("--recipe",))
        self.refused(SIGLIP, arm=None, code=2, say=("--as",))

    def test_unknown_components_stay_with_a_warning_and_pass_check(self):
        answer = self.taken(SIGLIP, recipe="encoder=siglop,llm=my-lm,resolution=384")
        self.assertEqual(answer["recipe"]["encoder"], "siglop")
        self.assertIn("siglip", next(note for note in answer["warnings"] if "siglop" in note))
        self.taken(CLIP, arm="clip", recipe="encoder=clip,llm=my-lm,resolution=384")
        code, out, _ = call("check", str(self.into), "--accepted")
        self.assertEqual(code, 0, out)
        self.assertIn("siglop", out)

    def test_what_check_would_not_pass_is_not_written(self):
        self.refused(
            SIGLIP,
            recipe="encoder=siglip,llm=vicuna-1.5-7b,llm_params_b=70",
            say=("llm-size", "70B"),
        )

    def test_scores_of_other_precision_do_not_break_check(self):
        for number, value in enumerate((350 / 900, 351 / 900, 352 / 900, 353 / 900, 0.3944)):
            self.taken(
                self.lmms({"mmmu_val": {"mmmu_acc,none": value}}, f"{number}_results.json"),
                arm=f"seed {number}",
                recipe=f"encoder=siglip,data_size={number + 1}K",
            )
        self.assertEqual(call("check", str(self.into))[0], 0)

    def test_a_metric_that_means_something_else_is_refused(self):
        self.taken(SIGLIP)
        path = self.into / "my-runs.json"
        path.write_text(
            path.read_text().replace('"split": "testdev_balanced"', '"split": "minival"')
        )
        code, out, _ = self.take(CLIP, "--json", arm="clip", recipe=f"encoder=clip,{REST}")
        self.assertEqual(code, 1)
        why = json.loads(out)["refused"][0]["why"]
        self.assertIn("gqa_testdev_balanced", why)
        self.assertIn("another one", why)
        self.assertNotIn("gqa_testdev_balanced", self.table()["rows"][1]["scores"])

    def test_the_text_says_units_that_are_not_the_usual_ones(self):
        self.assertIn(", F1 ", self.take(SIGLIP)[1])

    def test_the_folder_of_tables_is_the_one_that_is_written(self):
        """--tables names it where --into does not; which of two, nobody can know."""
        first = self.lmms({"mmmu_val": {"mmmu_acc,none": 0.4}})
        self.assertEqual(self.take(first)[0], 0)
        more = self.write("second_results.json", {"results": {"ai2d": {"exact_match,none": 0.7}}})
        asked = ("import", more, "--as", "siglip", "--recipe", f"encoder=siglip,{REST}")
        code, out, err = call(*asked, "--tables", str(self.into))
        self.assertEqual((code, err), (0, ""), out)
        self.assertEqual(set(self.table()["metrics"]), {"mmmu_val", "ai2d_test"})
        other = self.folder / "other"
        other.mkdir()
        (other / "b.json").write_bytes((TABLES / "m3.json").read_bytes())
        two = ("--tables", str(self.into), "--tables", str(other))
        self.assertEqual(call(*asked, *two)[0], 2)

    def test_dry_run_writes_nothing(self):
        code, out, _ = self.take(SIGLIP, "--dry-run")
        self.assertEqual(code, 0)
        self.assertIn("would write", out)
        self.assertIn("51.33", out)
        self.assertFalse(self.into.exists())

    def test_nothing_known_is_exit_1_and_nothing_written(self):
        code, out, _ = self.take(self.lmms({"nothing_we_know": {"acc,none": 0.5}}), "--json")
        self.assertEqual((code, json.loads(out)["ok"]), (1, False))
        self.assertFalse(self.into.exists())

    def test_a_hand_written_table_is_kept_and_others_are_not_touched(self):
        self.taken(SIGLIP)
        path = self.into / "my-runs.json"
        raw = json.loads(path.read_text())
        raw["tables"][0]["rows"][0]["note"] = "kept"
        raw["tables"].append({**raw["tables"][0], "id": "my-runs.other", "rows": []})
        path.write_text(dump_paper(raw))
        self.taken(CLIP, arm="clip", recipe=f"encoder=clip,{REST}")
        after = json.loads(path.read_text())
        self.assertEqual(
            (
                after["tables"][0]["rows"][0]["note"],
                len(after["tables"][0]["rows"]),
                after["tables"][1]["rows"],
            ),
            ("kept", 2, []),
        )
        raw["tables"] = raw["tables"][1:]
        path.write_text(dump_paper(raw))
        self.refused(SIGLIP, say=("no table my-runs.runs",))

    def test_an_interrupted_import_leaves_the_old_file_whole(self):
        self.taken(SIGLIP)
        before = (self.into / "my-runs.json").read_bytes()
        with mock.patch("recipes.base.write.os.replace", side_effect=KeyboardInterrupt):
            self.assertEqual(self.take(CLIP, arm="clip", recipe=f"encoder=clip,{REST}")[0], 130)
        self.assertEqual((self.into / "my-runs.json").read_bytes(), before)
        self.taken(CLIP, arm="clip", recipe=f"encoder=clip,{REST}")

    def test_a_file_that_changed_meanwhile_is_not_overwritten(self):
        self.taken(SIGLIP)
        path = self.into / "my-runs.json"
        real = importing.merge

        def slow(*args):
            done = real(*args)
            path.write_text(path.read_text().replace("own runs", "own runs, edited"))
            return done

        with mock.patch("recipes.exchange.importing.merge", slow):
            code, _, err = self.take(CLIP, arm="clip", recipe=f"encoder=clip,{REST}")
        self.assertEqual(code, 1)
        self.assertIn("in the meantime", err)
        self.assertIn("edited", path.read_text())


class Used(Case):
    def both(self):
        self.taken(SIGLIP)
        return self.taken(CLIP, arm="clip", recipe=f"encoder=clip,{REST}")

    def test_two_imports_are_a_contrast_at_once(self):
        answer = self.both()
        self.assertEqual(
            answer["next"].split()[2:],
            ["swap", "siglip-so400m-14", "clip-vit-l-14", "--tables", str(self.into)],
        )
        after = call_json(
            "swap", "clip", "siglip", "--benchmark", "docvqa", "--tables", str(self.into)
        )
        before = call_json("swap", "clip", "siglip", "--benchmark", "docvqa")
        mine = [row for row in after["deltas"][0]["evidence"] if row["table"] == "my-runs.runs"]
        self.assertEqual(
            [
                (row["from_arm"], row["to_arm"], round(row["delta"], 6), row["controlled"])
                for row in mine
            ],
            [("clip", "siglip", 3.63, True)],
        )
        self.assertNotEqual(after["deltas"][0]["expected"], before["deltas"][0]["expected"])

    def test_pick_reads_it(self):
        self.both()
        argv = ("pick", "--tasks", "docvqa", "--fix", "llm=vicuna-7b", "--fix", "resolution=336")
        self.assertTrue(call_json(*argv, "--top", "1", "--tables", str(self.into))["recipes"])

    def test_the_standard_error_is_the_columns_sampling_variance(self):
        self.both()
        found = {
            column.benchmark: column
            for column in columns(list(load_papers([self.into], WORDS.records("benchmark"))), WORDS)
        }
        self.assertAlmostEqual(found["docvqa"].sampling[0], 0.68**2)
        # none given: p (1 - p) / n
        self.assertAlmostEqual(found["mmmu"].sampling[0], 35.111 * (100 - 35.111) / 900)
        raw = json.loads((self.into / "my-runs.json").read_text())
        raw["tables"][0]["rows"][0]["scores_se"] = {"ocrbench_test": 15, "docvqa_val": 0}
        paper = parse_paper(raw, "t", WORDS.records("benchmark"))
        found = {column.benchmark: column for column in columns([paper], WORDS)}
        # 15 of 1000, in percent
        self.assertAlmostEqual(found["ocrbench"].sampling[0], 1.5**2)
        # zero says nothing
        self.assertAlmostEqual(found["docvqa"].sampling[0], 28.74 * (100 - 28.74) / 5349)

    def test_scores_se_of_a_wrong_kind_is_refused(self):
        self.taken(SIGLIP)
        raw = json.loads((self.into / "my-runs.json").read_text())
        for bad in (
            {"docvqa_val": -1},
            {"docvqa_val": True},
            {"docvqa_val": "0.5"},
            {"nothing": 1},
            [1],
        ):
            raw["tables"][0]["rows"][0]["scores_se"] = bad
            with self.subTest(bad), self.assertRaises(EvidenceError) as caught:
                parse_paper(raw, "t.json", WORDS.records("benchmark"))
            self.assertIn("/tables/0/rows/0/scores_se", caught.exception.pointer)


class Hostile(Case):
    def test_outside_the_scale(self):
        for results, words in (
            ({"mmmu_val": {"mmmu_acc,none": 35.1}}, ("35.1", "0 … 1", "mmmu_val")),
            ({"mmmu_val": {"mmmu_acc,none": -0.1}}, ("-0.1",)),
            ({"mme": {"mme_perception_score,none": 2000.5}}, ("2000.5", "2000")),
            (
                {"gqa": {"exact_match,none": 0.5, "exact_match_stderr,none": 1.5}},
                ("standard error",),
            ),
        ):
            with self.subTest(results):
                self.refused(self.lmms(results), say=words)
        self.refused(
            self.write("t.csv", "benchmark,value\nOCRBench,1001\n"),
            say=("ocrbench", "1001", "row 2"),
        )

    def test_files_that_are_no_results(self):
        deep = '{"results": ' + "[" * 100_000 + "]" * 100_000 + "}"
        for content, words in (
            (b'{"results": {"mmmu_val": {"mmmu_acc,none": 1e999}}}', ("too large",)),
            (deep.encode(), ("nested",)),
            (b"\xff\xfe{}", ("UTF-8",)),
            (b"{", ("not JSON",)),
            (b"[]", ("results",)),
            (b'{"results": []}', ("results",)),
            (b'{"results": {"a": 1}}', ("/results/a",)),
            (b'{"results": {}}', ("no result",)),
            (b'{"results": {"a": {}, "a": {}}}', ("twice",)),
            (b"", ("not JSON",)),
        ):
            with self.subTest(content[:40]):
                self.refused(
                    self.write("x_results.json", content), code=2, say=("x_results.json", *words)
                )
        self.refused(str(self.folder / "none_results.json"), code=2, say=("no such file",))

    def test_large_and_odd_files(self):
        path = self.folder / "big_results.json"
        with open(path, "wb") as file:
            file.truncate(30_000_000)
        before = sorted(os.listdir(self.folder))
        self.assertEqual(self.take(str(path))[0], 2)
        os.mkfifo(self.folder / "pipe_results.json")
        self.assertEqual(self.take(str(self.folder / "pipe_results.json"))[0], 2)
        self.assertEqual(sorted(os.listdir(self.folder)), sorted([*before, "pipe_results.json"]))
        self.refused(
            self.write(
                "m_acc.csv",
                "split,"
                + ",".join(f"c{i}" for i in range(1000))
                + "\n"
                + "\n".join(",".join(["0.5"] * 1001) for _ in range(60)),
            ),
            code=2,
            say=("more than 50,000 numbers",),
        )

    def test_folders_are_bounded_and_links_not_followed(self):
        self.refused(str(self.folder), code=2, say=("no result file",))
        secret = self.lmms({"gqa": {"exact_match,none": 0.5}}, "elsewhere/x_results.json")
        (self.folder / "run").mkdir()
        (self.folder / "run" / "link_results.json").symlink_to(secret)
        (self.folder / "run" / "loop").symlink_to(self.folder)
        self.assertEqual(self.take(str(self.folder / "run"))[0], 2)
        self.lmms({"gqa": {"exact_match,none": 0.5}}, "deep/1/2/3/4/5/x_results.json")
        self.assertEqual(self.take(str(self.folder / "deep"))[0], 2)
        for number in range(harness.MAX_FILES + 1):
            self.write(f"many/{number}_results.json", "{}")
        code, _, err = self.take(str(self.folder / "many"))
        self.assertEqual(code, 2)
        self.assertIn("201 result files", err)

    def test_names_that_leave_the_folder(self):
        for table in ("../x", "a/b", "..", ".", "", "a.b", "/etc/x", "x\n", "é", "a" * 65, "-x"):
            with self.subTest(table):
                self.refused(SIGLIP, f"--table={table}", code=2, say=("--table",))
        self.refused(SIGLIP, "--table", "mm1", say=("mm1", "published"))
        self.refused(SIGLIP, "--table", "MM1", say=("published",))
        for arm in ("../../x", "a\x1b[31mb", "a\nb", " ", "x" * 200, "\udcff"):
            with self.subTest(ascii(arm)):
                self.refused(SIGLIP, arm=arm, code=2, say=("the arm",))
        self.refused(SIGLIP, recipe="encoder=sig\x1b]0;lip", say=("printable",))
        self.refused(SIGLIP, recipe="encoder", code=2, say=("--recipe",))
        self.refused(SIGLIP, recipe="encodr=clip", code=2, say=("encoder",))
        self.refused(SIGLIP, recipe="encoder=clip,encoder=siglip", code=2, say=("twice",))

    def test_targets_that_are_not_ours_to_write(self):
        outside = self.write("outside.json", "{}")
        self.into.mkdir()
        (self.into / "my-runs.json").symlink_to(outside)
        self.refused(SIGLIP, code=2, say=("my-runs.json",))
        (self.into / "my-runs.json").unlink()
        inside = self.write("own/real.json", json.dumps(importing.new_file("my-runs")))
        (self.into / "my-runs.json").symlink_to(inside)
        self.refused(SIGLIP, code=2, say=("not a regular file",))
        (self.into / "my-runs.json").unlink()
        (self.into / "my-runs.json").symlink_to(self.folder / "dangling")
        self.refused(SIGLIP, code=2)
        self.into = pathlib.Path(outside)
        self.refused(SIGLIP, code=2, say=("not a folder",))
        self.into = pathlib.Path(library().shipped)
        self.assertEqual(self.take(SIGLIP)[0], 2)

    def test_a_broken_table_file_is_an_error_not_a_crash(self):
        good = importing.new_file("my-runs")
        for change in (
            {"transcription": []},
            {"transcription": {"sources": 5}},
            {"transcription": {"sources": [1]}},
            {"tables": [{**good["tables"][0], "accepted": [1]}]},
            {"tables": [{**good["tables"][0], "rows": [1]}]},
            {"paper": None},
            {"format": 1},
            {"tables": {}},
        ):
            with self.subTest(change):
                self.write("own/my-runs.json", {**good, **change})
                self.refused(SIGLIP, code=2, say=("my-runs.json",))

    def test_control_characters_never_reach_the_terminal(self):
        evil = "\x1b]0;owned\x07\x9b31m"
        path = self.lmms(
            {evil: {f"{evil},{evil}": 0.5}, "gqa": {f"exact_match,{evil}": 0.5, evil: evil}},
            f"a{evil[1:3]}_results.json",
            date=evil,
            git_hash=evil,
            lmms_eval_version=evil,
            group_subtasks={"gqa": [evil]},
        )
        for extra in ((), ("--json",)):
            code, out, err = self.take(path, *extra)
            self.assertEqual((code, err), (0, ""))
            self.assertFalse(
                [char for char in out if not char.isprintable() and char != "\n"], ascii(out)
            )
        text = (self.into / "my-runs.json").read_text()
        self.assertFalse(
            [
                char
                for char in json.dumps(json.loads(text), ensure_ascii=False)
                if not char.isprintable()
            ]
        )

    def test_random_junk_never_crashes(self):
        dice = random.Random(7)
        good = json.loads(pathlib.Path(SIGLIP).read_text())
        junk = (
            None,
            True,
            -1,
            0.5,
            1e300,
            "",
            "N/A",
            "0.5",
            [],
            {},
            [[1]],
            {"a": {"b": 1}},
            "\x1b[0m",
        )
        for number in range(40):
            data = json.loads(json.dumps(good))
            for _ in range(dice.randint(1, 4)):
                place, key = data, dice.choice(list(data))
                while isinstance(place[key], dict) and place[key] and dice.random() < 0.7:
                    place, key = place[key], dice.choice(list(place[key]))
                place[key] = dice.choice(junk)
            with self.subTest(number):
                code, out, err = self.take(
                    self.write("j_results.json", data), "--dry-run", "--json"
                )
                self.assertIn(code, (0, 1, 2))
                self.assertLessEqual(err.count("\n"), 1)


class Scales(unittest.TestCase):
    """Properties of the mapping from harness to registry."""

    def test_every_mapping_of_the_benchmark_registry_is_read_or_says_why_not(self):
        known, why = (
            WORDS.registry("harnesses"),
            {entry["task"] for entry in WORDS.registry("harnesses")["not_read"]},
        )
        for file in scores.FILES.values():
            tasks = {entry["task"] for entry in known[file]}
            for record in WORDS.records("benchmark").values():
                for entry in record.get(file) or ():
                    task = entry.get("task") or entry["dataset"]
                    # RefCOCO is one file for all its splits since the commit that harnesses.json
                    # was read from
                    self.assertTrue(task in tasks | why or task.startswith("RefCOCO"), task)

    def test_scales_agree_with_the_benchmark_registry(self):
        for (name, task, metric), found in scores.targets(WORDS).items():
            for target in found:
                self.assertIn(target.role, ("score", "part"))
                record = WORDS.records("benchmark")[target.benchmark]
                self.assertIn(target.scale, (1, 100, 1000, record["max"]), (name, task, metric))

    def test_conversion_is_exact(self):
        dice = random.Random(1)
        for _ in range(300):
            digits = dice.randint(1, 12)
            text = f"0.{dice.randint(0, 10**digits - 1):0{digits}d}"
            shifted = importing.plain(readings.number(float(text)) * 100)
            self.assertEqual(float(shifted), float(Decimal(text) * 100), text)

    def test_numbers(self):
        for text in (
            "nan",
            "inf",
            "1e999",
            "0x10",
            "1_000",
            "٣",
            "1,5",
            "",
            " ",
            "--1",
            "1e",
            "9" * 30,
        ):
            self.assertIsNone(readings.number(text), text)
        self.assertEqual(readings.number(" 0.50 "), Decimal("0.50"))
        self.assertIsNone(readings.number(True))

    def test_recipe_names_are_canonical(self):
        recipe, notes = importer.parsed(
            recipe_fields("encoder=CLIP ViT-L/14@336,visual-tokens=576,llm=7B", "--recipe"), WORDS
        )
        self.assertEqual(
            (importing.settings(recipe), notes),
            (
                {
                    "encoder": "clip-vit-l-14",
                    "visual_tokens": 576,
                    "llm_params_b": 7,
                    "resolution": 336,
                },
                [],
            ),
        )


class Real(Case):
    def test_as_a_user_types_it(self):
        done = process(
            "import",
            SIGLIP,
            "--as",
            "siglip",
            "--recipe",
            f"encoder=siglip,{REST}",
            "--table",
            "my-sweep",
            cwd=self.folder,
        )
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(list(self.bytes()), ["my-tables/my-sweep.json"])
        self.assertTrue(
            all(
                len(line) <= 80 or line.startswith("next: ")
                for line in done.stdout.decode().splitlines()
            ),
            done.stdout.decode(),
        )

    def test_csv_round_trip(self):
        """What a CSV says is what the table holds."""
        dice = random.Random(3)
        keys = [
            key
            for key, record in WORDS.records("benchmark").items()
            if record["kind"] == "score" and record["max"] == 100
        ][:30]
        values = {key: round(dice.uniform(0, 100), dice.randint(0, 6)) for key in keys}
        text = io.StringIO()
        csv.writer(text).writerows([["benchmark", "value"], *values.items()])
        self.taken(self.write("t.csv", text.getvalue()))
        self.assertEqual(self.table()["rows"][0]["scores"], values)


if __name__ == "__main__":
    unittest.main()
