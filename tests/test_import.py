"""`import`: what harnesses write, read as it is, into a table that the other commands use; nothing lost, nothing overwritten, nothing believed."""
import csv
import io
import json
import os
import pathlib
import random
import tempfile
import unittest
from decimal import Decimal
from unittest import mock

from recipes import cli_import
from recipes.effects.columns import columns
from recipes.evidence.reading import EvidenceError
from recipes.evidence.tables import load_papers, parse_paper
from recipes.evidence.write import dump_paper
from recipes.exchange import harness, importing

from .support import DATA, call, call_json, library, process

FIXTURES = DATA / "import"
SIGLIP = str(FIXTURES / "lmms" / "siglip" / "20260901_101500_results.json")
CLIP = str(FIXTURES / "lmms" / "clip" / "20260831_090000_results.json")
VLM = str(FIXTURES / "vlmevalkit")
REST = "connector=mlp,llm=vicuna-1.5-7b,data=llava-665k"
WORDS = library().words


class Case(unittest.TestCase):
    """A folder of its own, and a few ways to import into it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.into = self.folder / "own"

    def write(self, name: str, content) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode())
        return str(path)

    def take(self, *argv: str, arm: str | None = "siglip", recipe: str | None = f"encoder=siglip,{REST}"):
        return call("import", *argv, *(["--as", arm] if arm else []), *(["--recipe", recipe] if recipe else []), "--into", str(self.into))

    def taken(self, *argv: str, **kwargs) -> dict:
        code, out, err = self.take(*argv, "--json", **kwargs)
        self.assertEqual((code, err), (0, ""), out)
        return json.loads(out)

    def refused(self, *argv: str, code: int = 1, say: tuple[str, ...] = (), **kwargs) -> str:
        """One line on stderr, this exit code, and the folder as it was."""
        before = self.bytes()
        got, out, err = self.take(*argv, **kwargs)
        self.assertEqual(got, code, out + err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("error: "), err)
        for word in say:
            self.assertIn(word, err)
        self.assertTrue(all(char.isprintable() for char in err[:-1]), ascii(err))
        self.assertEqual(self.bytes(), before)
        return err

    def bytes(self) -> dict:
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file() and not path.is_symlink()}

    def table(self, key: str = "my-runs") -> dict:
        return json.loads((self.into / f"{key}.json").read_text(encoding="utf-8"))["tables"][0]

    def lmms(self, results: dict, name: str = "20260101_000000_results.json", **more) -> str:
        return self.write(name, {"results": results, **more})


class LmmsEval(Case):
    def test_values_on_the_registrys_scale_unrounded(self):
        answer = self.taken(SIGLIP)
        stored = {(cell["benchmark"], cell["split"]): cell["value"] for cell in answer["added"]}
        self.assertEqual(stored["gqa", "testdev_balanced"], 51.33)
        self.assertEqual(stored["mmmu", "val"], 35.111)
        self.assertEqual(stored["ocrbench", "test"], 318)
        self.assertEqual(stored["mme_perception", None], 1480.217086834734)
        self.assertIn('"gqa_testdev_balanced": 51.33,', (self.into / "my-runs.json").read_text())

    def test_the_harness_own_standard_error_and_its_na(self):
        self.taken(SIGLIP)
        row = self.table()["rows"][0]
        self.assertEqual(row["scores_se"], {"gqa_testdev_balanced": 0.43, "docvqa_val": 0.68, "ai2d_test": 0.87})

    def test_a_single_filter_of_another_name_counts(self):
        self.assertIn("ai2d_test", self.table_after(SIGLIP)["metrics"])

    def table_after(self, *argv) -> dict:
        self.taken(*argv)
        return self.table()

    def test_several_filters_none_wins_and_else_nobody(self):
        both = self.lmms({"gqa": {"exact_match,none": 0.5, "exact_match,strict": 0.4}})
        answer = self.taken(both)
        self.assertEqual([cell["value"] for cell in answer["added"]], [50])
        self.assertEqual([entry["filter"] for entry in answer["unknown"]], ["strict"])
        code, out, _ = self.take(self.lmms({"gqa": {"exact_match,a": 0.5, "exact_match,b": 0.4}}), "--json", arm="other")
        self.assertEqual(code, 1)
        self.assertEqual(len(json.loads(out)["unknown"]), 2)

    def test_unknown_tasks_and_metrics_are_listed_with_their_neighbours(self):
        unknown = {(entry["task"], entry["metric"]): entry for entry in self.taken(SIGLIP)["unknown"]}
        self.assertIn("mmmu_val", unknown["mmmu_vall", "mmmu_acc"]["nearest"])
        self.assertEqual(unknown["mmmu_vall", "mmmu_acc"]["value"], "0.31")
        self.assertIn("pope_f1_score", unknown["pope", "pope_precision"]["nearest"])
        self.assertIn("answers are hidden", unknown["docvqa_test", "submission"]["why"])

    def test_nothing_is_dropped(self):
        answer = self.taken(SIGLIP)
        results = json.loads(pathlib.Path(SIGLIP).read_text())["results"]
        numbers = sum(1 for values in results.values() for key in values if "," in key and "_stderr" not in key)
        self.assertEqual(len(answer["added"]) + len(answer["unknown"]) + len(answer["folded"]), numbers)

    def test_sub_tasks_fold_only_into_a_group_that_was_read(self):
        self.assertEqual({(entry["task"], entry["of"]) for entry in self.taken(SIGLIP)["folded"]}, {("blink_counting", "blink"), ("blink_jigsaw", "blink")})
        group = {"mvbench": {" ": " ", "alias": "mvbench"}, "mvbench_object_existence": {"mvbench_accuracy,none": 0.5}, "gqa": {"exact_match,none": 0.5}}
        answer = self.taken(self.lmms(group, group_subtasks={"mvbench": ["mvbench_object_existence"]}), arm="b")
        self.assertEqual(answer["folded"], [])
        self.assertEqual([entry["task"] for entry in answer["unknown"]], ["mvbench_object_existence"])

    def test_nested_and_text_values(self):
        answer = self.taken(self.lmms({"gqa": {"exact_match,none": "0.5133", "other,none": {"easy": 0.5, "hard": {"a": [1, 2]}}}}))
        self.assertEqual(answer["added"][0]["value"], 51.33)
        self.assertEqual({entry["metric"] for entry in answer["unknown"]}, {"other/easy", "other/hard/a"})

    def test_few_shot_results_are_another_metric(self):
        self.taken(self.lmms({"gqa": {"exact_match,none": 0.5}}, **{"n-shot": {"gqa": 4}}))
        self.assertEqual(self.table()["metrics"], {"gqa_testdev_balanced_4shot": {
            "benchmark": "gqa", "split": "testdev_balanced", "unit": "exact-match accuracy", "shots": 4}})

    def test_a_limited_run_is_a_split_of_its_own_and_doubtful_without_an_error(self):
        sizes = {"n-samples": {task: {"original": 900, "effective": 8} for task in ("gqa", "mmmu_val")}}
        results = {"gqa": {"exact_match,none": 0.5, "exact_match_stderr,none": 0.19}, "mmmu_val": {"mmmu_acc,none": 0.5, "mmmu_acc_stderr,none": "N/A"}}
        answer = self.taken(self.lmms(results, **sizes))
        self.assertEqual([cell["split"] for cell in answer["added"]], ["testdev_balanced, 8 of 900 questions", "val, 8 of 900 questions"])
        self.assertEqual(self.table()["rows"][0]["doubt"]["cells"], ["mmmu_val_8_of_900_questions"])
        self.assertEqual(call("check", str(self.into))[0], 0)

    def test_provenance_from_the_file_not_from_the_clock(self):
        self.taken(SIGLIP)
        paper = json.loads((self.into / "my-runs.json").read_text())
        source = paper["transcription"]["sources"][0]
        self.assertEqual([source[key] for key in ("file", "harness", "commit", "date")], [os.path.basename(SIGLIP), "lmms-eval", "75571cfe", "2026-09-01"])
        self.assertEqual(source["cells"]["mmmu_val"], {"name": "mmmu_val mmmu_acc,none", "at": "/results/mmmu_val/mmmu_acc,none",
                                                       "printed": "0.35111", "n": 900})
        self.assertEqual(paper["paper"]["year"], 2026)
        text = (self.into / "my-runs.json").read_text()
        self.assertNotIn(str(FIXTURES), text)
        self.taken(CLIP, arm="clip", recipe=f"encoder=clip,{REST}")
        after = (self.into / "my-runs.json").read_text().splitlines()
        self.assertEqual(sum(line.startswith('   {"arm": "') and '"file"' in line for line in after), 2)   # one source per line


class VlmEvalKit(Case):
    def test_every_layout(self):
        answer = self.taken(VLM)
        stored = {cell["metric"]: cell["value"] for cell in answer["added"]}
        self.assertEqual(stored, {
            "chartqa_test_human": 17.04, "chartqa_test_augmented": 19.36, "chartqa_test": 18.2, "mmbench_en_dev": 64.34707903780069,
            "mme_perception": 1474.9, "mme_cognition": 301.4, "mmmu_val": 35.66666666666667, "mmvp_test_questions_accuracy": 66.66666666666666,
            "mmvp_test_pairs": 38, "mathvista_testmini": 27.8, "ocrbench_test": 316, "pope_test_f1": 86.51, "pope_test_accuracy": 87.2,
            "pope_random_f1": 88, "pope_popular_f1": 86.9, "pope_adversarial_f1": 84.8})
        self.assertEqual([entry["task"] for entry in answer["unknown"]], ["HRBench4K"])
        folded = {(entry["task"], entry["row"], entry["metric"]) for entry in answer["folded"]}
        self.assertIn(("MMMU_DEV_VAL", "dev", "Overall"), folded)
        self.assertIn(("MMBench_DEV_EN", "dev", "AR"), folded)
        source = json.loads((self.into / "my-runs.json").read_text())["transcription"]["sources"][0]
        self.assertEqual((source["commit"], source["date"]), ("ab12cd34", "2026-09-03"))

    def test_parts_do_not_count_beside_their_whole(self):
        self.taken(VLM)
        roles = {key: metric.get("role") for key, metric in self.table()["metrics"].items()}
        self.assertEqual({key for key, role in roles.items() if role == "part"},
                         {"chartqa_test_human", "chartqa_test_augmented", "mmvp_test_questions_accuracy", "pope_test_accuracy", "pope_random_f1",
                          "pope_popular_f1", "pope_adversarial_f1"})

    def test_data_set_names_in_file_names(self):
        sets = importing.data_sets(WORDS)
        for name, expected in (("m/m_MMBench_DEV_EN_V11_acc.csv", "MMBench_DEV_EN_V11"), ("m/m_MMBench_DEV_EN_acc.csv", "MMBench_DEV_EN"),
                               ("x/some_model_MMStar_acc.csv", "MMStar"), ("m/m_MMStar_KO_acc.csv", "MMStar_KO"),
                               ("m/m_SEEDBench_IMG_KO_acc.csv", "SEEDBench_IMG_KO"),
                               ("m/m_MathVerse_MINI_Vision_Only_gpt-4o-mini_score.csv", "MathVerse_MINI_Vision_Only_gpt-4o-mini"),
                               ("m/T20260101-120000/m_MMVet_gpt-4-turbo_score.csv", "MMVet"), ("m/m_Video-MME_score.csv", "Video-MME"),
                               ("m/m_MMStar_gpt-4_acc.csv", "MMStar_gpt-4"), ("a/b_c_acc.csv", "b_c")):
            with self.subTest(name):
                readings = harness.read(self.write(name, '"split","Overall"\n"none","0.5"\n'), sets)
                self.assertEqual({reading.task for reading in readings}, {expected})

    def test_json_scores_as_records(self):
        path = self.write("m/m_RealWorldQA_acc.json", [{"split": "none", "Overall": 0.5556}])
        self.assertEqual([cell["value"] for cell in self.taken(path)["added"]], [55.56])

    def test_prediction_workbooks_are_not_opened(self):
        self.refused(self.write("m_MMStar.xlsx", b"PK\x03\x04"), code=2, say=("m_MMStar.xlsx", "not scores"))
        self.refused(self.write("m.pkl", b"cos\nsystem\n(S'true'\ntR."), code=2, say=("not a result file",))


class Csv(Case):
    def test_long(self):
        answer = self.taken(str(FIXTURES / "plain.csv"))
        self.assertEqual([(c["benchmark"], c["split"], c["value"], c["stderr"], c["n"]) for c in answer["added"]],
                         [("docvqa", "val", 28.74, 0.68, 5349), ("textvqa", "val", 46.1, None, 5000), ("mmmu", "val", 35.1, None, None)])
        self.assertEqual([entry["task"] for entry in answer["unknown"]], ["my-own-set"])

    def test_wide_with_recipes(self):
        answer = self.taken(str(FIXTURES / "sweep.csv"), arm=None, recipe="connector=mlp")
        self.assertEqual([arm["arm"] for arm in answer["arms"]], ["clip-336", "siglip-384", "siglip-224"])
        self.assertEqual(answer["arms"][2]["recipe"], {"encoder": "siglip-so400m-14", "connector": "mlp-2x-gelu", "llm": "vicuna-1.5-7b", "llm_params_b": 7,
                                                       "data": "llava-665k", "resolution": 224})
        self.assertEqual(len(answer["added"]), 9)
        self.assertEqual(self.table()["varies"], ["encoder", "resolution"])
        self.assertEqual(call("check", str(self.into))[0], 0)
        again = self.taken(str(FIXTURES / "sweep.csv"), arm="siglip-224", recipe="connector=mlp")
        self.assertEqual((again["arm"], again["added"], len(again["unchanged"])), ("siglip-224", [], 3))
        self.refused(str(FIXTURES / "sweep.csv"), arm=None, recipe="encoder=clip", say=("two values of encoder",))
        self.refused(str(FIXTURES / "sweep.csv"), arm="nobody", recipe=None, code=2, say=("nobody", "clip-336"))

    def test_wrong_csv(self):
        for text, words in (("a,b\n1,2\n", ("header",)), ("benchmark,value,spilt\nmmmu,1,val\n", ("spilt", "split")),
                            ("benchmark,value\nmmmu\n", ("row 2", "1 cells")), ("benchmark,value,benchmark\n1,2,3\n", ("twice",)),
                            ("benchmark,value\n", ("no row",)), ('benchmark,value\n"mmmu,1\n', ("not CSV",)),
                            ("benchmark,value,stderr\nmmmu,35,-1\n", ("row 2", "stderr")), ("benchmark,value,n\nmmmu,35,1.5\n", ("row 2", "n '1.5'")),
                            ):
            with self.subTest(text):
                self.refused(self.write("t.csv", text), code=2, say=words)
        self.assertIn(self.take(self.write("t.csv", "benchmark,value\nmmmu,\0\n"))[0], (1, 2))   # Python versions differ on NUL in CSV

    def test_not_a_number_is_listed(self):
        answer = self.taken(self.write("t.csv", "benchmark,value\nmmmu,35.1%\ngqa,nan\ndocvqa,50\n"))
        self.assertEqual([(entry["task"], entry["value"]) for entry in answer["unknown"]], [("mmmu", "35.1%"), ("gqa", "nan")])


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

    def test_a_different_value_is_refused_and_named(self):
        self.taken(SIGLIP)
        other = self.lmms({"gqa": {"exact_match,none": 0.52}, "mmbench_en_dev": {"gpt_eval_score,none": 60.0}})
        self.refused(other, say=("51.33", "52", "my-runs.json#/tables/0/rows/0/scores/gqa_testdev_balanced", "_results.json"))

    def test_two_files_of_one_import_may_not_contradict_each_other(self):
        one, two = (self.lmms({"gqa": {"exact_match,none": value}}, f"{i}_results.json") for i, value in enumerate((0.5, 0.51)))
        self.refused(one, two, say=("0_results.json", "1_results.json", "50", "51"))
        same = self.lmms({"gqa": {"exact_match,none": 0.5}, "mmmu_val": {"mmmu_acc,none": 0.25}}, "2_results.json")
        self.assertEqual([cell["metric"] for cell in self.taken(one, same)["added"]], ["gqa_testdev_balanced", "mmmu_val"])

    def test_more_results_join_the_row(self):
        self.taken(self.lmms({"gqa": {"exact_match,none": 0.5}}))
        answer = self.taken(self.lmms({"gqa": {"exact_match,none": 0.5}, "mmmu_val": {"mmmu_acc,none": 0.25}}, "b_results.json"), recipe=None)
        self.assertEqual([cell["metric"] for cell in answer["added"]], ["mmmu_val"])
        self.assertEqual([cell["metric"] for cell in answer["unchanged"]], ["gqa_testdev_balanced"])
        self.assertEqual(answer["recipe"]["encoder"], "siglip-so400m-14")
        self.assertEqual([row["scores"] for row in self.table()["rows"]], [{"gqa_testdev_balanced": 50, "mmmu_val": 25}])

    def test_another_recipe_for_the_same_arm_is_refused(self):
        self.taken(SIGLIP)
        self.refused(SIGLIP, recipe=f"encoder=clip,{REST}", say=("another recipe", "siglip-so400m-14", "clip-vit-l-14"))
        self.refused(SIGLIP, recipe=f"encoder=siglip,resolution=384,{REST}", say=("resolution not stated, now 384",))

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
        self.refused(SIGLIP, recipe="encoder=siglip,llm=vicuna-1.5-7b,llm_params_b=70", say=("llm-size", "70B"))

    def test_scores_of_other_precision_do_not_break_check(self):
        for number, value in enumerate((350 / 900, 351 / 900, 352 / 900, 353 / 900, 0.3944)):
            self.taken(self.lmms({"mmmu_val": {"mmmu_acc,none": value}}, f"{number}_results.json"), arm=f"seed {number}",
                       recipe=f"encoder=siglip,data_size={number + 1}K")
        self.assertEqual(call("check", str(self.into))[0], 0)

    def test_a_metric_that_means_something_else_is_refused(self):
        self.taken(SIGLIP)
        path = self.into / "my-runs.json"
        path.write_text(path.read_text().replace('"split": "testdev_balanced"', '"split": "minival"'))
        self.refused(CLIP, arm="clip", recipe=f"encoder=clip,{REST}", say=("gqa_testdev_balanced", "another one"))

    def test_the_text_says_units_that_are_not_the_usual_ones(self):
        self.assertIn(", F1 ", self.take(SIGLIP)[1])

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
        self.assertEqual((after["tables"][0]["rows"][0]["note"], len(after["tables"][0]["rows"]), after["tables"][1]["rows"]), ("kept", 2, []))
        raw["tables"] = raw["tables"][1:]
        path.write_text(dump_paper(raw))
        self.refused(SIGLIP, say=("no table my-runs.runs",))

    def test_an_interrupted_import_leaves_the_old_file_whole(self):
        self.taken(SIGLIP)
        before = (self.into / "my-runs.json").read_bytes()
        with mock.patch("recipes.evidence.write.os.replace", side_effect=KeyboardInterrupt):
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
        self.assertEqual(answer["next"].split()[2:], ["swap", "siglip-so400m-14", "clip-vit-l-14", "--tables", str(self.into)])
        after = call_json("swap", "clip", "siglip", "--benchmark", "docvqa", "--tables", str(self.into))
        before = call_json("swap", "clip", "siglip", "--benchmark", "docvqa")
        mine = [row for row in after["deltas"][0]["evidence"] if row["table"] == "my-runs.runs"]
        self.assertEqual([(row["from_arm"], row["to_arm"], round(row["delta"], 6), row["controlled"]) for row in mine], [("clip", "siglip", 3.63, True)])
        self.assertNotEqual(after["deltas"][0]["expected"], before["deltas"][0]["expected"])

    def test_pick_reads_it(self):
        self.both()
        self.assertTrue(call_json("pick", "--tasks", "docvqa", "--top", "1", "--tables", str(self.into))["recipes"])

    def test_the_standard_error_is_the_columns_sampling_variance(self):
        self.both()
        found = {column.benchmark: column for column in columns(list(load_papers([self.into], WORDS.records("benchmark"))), WORDS)}
        self.assertAlmostEqual(found["docvqa"].sampling[0], 0.68 ** 2)
        self.assertAlmostEqual(found["mmmu"].sampling[0], 35.111 * (100 - 35.111) / 900)   # none given: p (1 - p) / n
        raw = json.loads((self.into / "my-runs.json").read_text())
        raw["tables"][0]["rows"][0]["scores_se"] = {"ocrbench_test": 15, "docvqa_val": 0}
        paper = parse_paper(raw, "t", WORDS.records("benchmark"))
        found = {column.benchmark: column for column in columns([paper], WORDS)}
        self.assertAlmostEqual(found["ocrbench"].sampling[0], 1.5 ** 2)                     # 15 of 1000, in percent
        self.assertAlmostEqual(found["docvqa"].sampling[0], 28.74 * (100 - 28.74) / 5349)   # zero says nothing

    def test_scores_se_of_a_wrong_kind_is_refused(self):
        self.taken(SIGLIP)
        raw = json.loads((self.into / "my-runs.json").read_text())
        for bad in ({"docvqa_val": -1}, {"docvqa_val": True}, {"docvqa_val": "0.5"}, {"nothing": 1}, [1]):
            raw["tables"][0]["rows"][0]["scores_se"] = bad
            with self.subTest(bad), self.assertRaises(EvidenceError) as caught:
                parse_paper(raw, "t.json", WORDS.records("benchmark"))
            self.assertIn("/tables/0/rows/0/scores_se", caught.exception.pointer)


class Hostile(Case):
    def test_outside_the_scale(self):
        for results, words in (({"mmmu_val": {"mmmu_acc,none": 35.1}}, ("35.1", "0 … 1", "mmmu_val")), ({"mmmu_val": {"mmmu_acc,none": -0.1}}, ("-0.1",)),
                               ({"mme": {"mme_perception_score,none": 2000.5}}, ("2000.5", "2000")),
                               ({"gqa": {"exact_match,none": 0.5, "exact_match_stderr,none": 1.5}}, ("standard error",))):
            with self.subTest(results):
                self.refused(self.lmms(results), say=words)
        self.refused(self.write("t.csv", "benchmark,value\nOCRBench,1001\n"), say=("ocrbench", "1001", "row 2"))

    def test_files_that_are_no_results(self):
        deep = '{"results": ' + "[" * 100_000 + "]" * 100_000 + "}"
        for content, words in ((b'{"results": {"mmmu_val": {"mmmu_acc,none": NaN}}}', ("NaN",)),
                               (b'{"results": {"mmmu_val": {"mmmu_acc,none": Infinity}}}', ("Infinity",)),
                               (b'{"results": {"mmmu_val": {"mmmu_acc,none": 1e999}}}', ("too large",)),
                               (deep.encode(), ("nested",)), (b"\xff\xfe{}", ("UTF-8",)),
                               (b"{", ("not JSON",)), (b"[]", ("results",)), (b'{"results": []}', ("results",)), (b'{"results": {"a": 1}}', ("/results/a",)),
                               (b'{"results": {}}', ("no result",)), (b'{"results": {"a": {}, "a": {}}}', ("twice",)), (b"", ("not JSON",))):
            with self.subTest(content[:40]):
                self.refused(self.write("x_results.json", content), code=2, say=("x_results.json", *words))
        self.refused(str(self.folder / "none_results.json"), code=2, say=("cannot be read",))

    def test_large_and_odd_files(self):
        path = self.folder / "big_results.json"
        with open(path, "wb") as file:
            file.truncate(30_000_000)
        before = sorted(os.listdir(self.folder))
        self.assertEqual(self.take(str(path))[0], 2)
        os.mkfifo(self.folder / "pipe_results.json")
        self.assertEqual(self.take(str(self.folder / "pipe_results.json"))[0], 2)
        self.assertEqual(sorted(os.listdir(self.folder)), sorted([*before, "pipe_results.json"]))
        self.refused(self.write("m_acc.csv", "split," + ",".join(f"c{i}" for i in range(1000)) + "\n" + "\n".join(",".join(["0.5"] * 1001) for _ in range(60))),
                     code=2, say=("more than 50,000 numbers",))

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
        for change in ({"transcription": []}, {"transcription": {"sources": 5}}, {"transcription": {"sources": [1]}},
                       {"tables": [{**good["tables"][0], "accepted": [1]}]},
                       {"tables": [{**good["tables"][0], "rows": [1]}]}, {"paper": None}, {"format": 1}, {"tables": {}}):
            with self.subTest(change):
                self.write("own/my-runs.json", {**good, **change})
                self.refused(SIGLIP, code=2, say=("my-runs.json",))

    def test_control_characters_never_reach_the_terminal(self):
        evil = "\x1b]0;owned\x07\x9b31m"
        path = self.lmms({evil: {f"{evil},{evil}": 0.5}, "gqa": {f"exact_match,{evil}": 0.5, evil: evil}}, f"a{evil[1:3]}_results.json",
                         date=evil, git_hash=evil, lmms_eval_version=evil, group_subtasks={"gqa": [evil]})
        for extra in ((), ("--json",)):
            code, out, err = self.take(path, *extra)
            self.assertEqual((code, err), (0, ""))
            self.assertFalse([char for char in out if not char.isprintable() and char != "\n"], ascii(out))
        text = (self.into / "my-runs.json").read_text()
        self.assertFalse([char for char in json.dumps(json.loads(text), ensure_ascii=False) if not char.isprintable()])

    def test_random_junk_never_crashes(self):
        dice = random.Random(7)
        good = json.loads(pathlib.Path(SIGLIP).read_text())
        junk = (None, True, -1, 0.5, 1e300, "", "N/A", "0.5", [], {}, [[1]], {"a": {"b": 1}}, "\x1b[0m")
        for number in range(40):
            data = json.loads(json.dumps(good))
            for _ in range(dice.randint(1, 4)):
                place, key = data, dice.choice(list(data))
                while isinstance(place[key], dict) and place[key] and dice.random() < 0.7:
                    place, key = place[key], dice.choice(list(place[key]))
                place[key] = dice.choice(junk)
            with self.subTest(number):
                code, out, err = self.take(self.write("j_results.json", data), "--dry-run", "--json")
                self.assertIn(code, (0, 1, 2))
                self.assertLessEqual(err.count("\n"), 1)


class Scales(unittest.TestCase):
    """Properties of the mapping from harness to registry."""

    def test_every_mapping_of_the_benchmark_registry_is_read_or_says_why_not(self):
        known, why = WORDS.registry("harnesses"), {entry["task"] for entry in WORDS.registry("harnesses")["not_read"]}
        for file in importing.FILES.values():
            tasks = {entry["task"] for entry in known[file]}
            for record in WORDS.records("benchmark").values():
                for entry in record.get(file) or ():
                    task = entry.get("task") or entry["dataset"]
                    # RefCOCO is one file for all its splits since the commit that harnesses.json was read from
                    self.assertTrue(task in tasks | why or task.startswith("RefCOCO"), task)

    def test_scales_agree_with_the_benchmark_registry(self):
        for (name, task, metric), found in importing.targets(WORDS).items():
            for target in found:
                self.assertIn(target.role, ("score", "part"))
                record = WORDS.records("benchmark")[target.benchmark]
                self.assertIn(target.scale, (1, 100, 1000, record["max"]), (name, task, metric))

    def test_conversion_is_exact(self):
        dice = random.Random(1)
        for _ in range(300):
            digits = dice.randint(1, 12)
            text = f"0.{dice.randint(0, 10 ** digits - 1):0{digits}d}"
            shifted = importing.plain(harness.number(float(text)) * 100)
            self.assertEqual(float(shifted), float(Decimal(text) * 100), text)

    def test_numbers(self):
        for text in ("nan", "inf", "1e999", "0x10", "1_000", "٣", "1,5", "", " ", "--1", "1e", "9" * 30):
            self.assertIsNone(harness.number(text), text)
        self.assertEqual(harness.number(" 0.50 "), Decimal("0.50"))
        self.assertIsNone(harness.number(True))

    def test_recipe_names_are_canonical(self):
        recipe, notes = cli_import.recipe_of("encoder=CLIP ViT-L/14@336,visual-tokens=576,llm=7B", WORDS)
        self.assertEqual((importing.settings(recipe), notes), ({"encoder": "clip-vit-l-14", "visual_tokens": 576, "llm_params_b": 7, "resolution": 336}, []))


class Real(Case):
    def test_as_a_user_types_it(self):
        done = process("import", SIGLIP, "--as", "siglip", "--recipe", f"encoder=siglip,{REST}", "--table", "my-sweep", cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(list(self.bytes()), ["my-tables/my-sweep.json"])
        self.assertTrue(all(len(line) <= 80 or line.startswith("next: ") for line in done.stdout.decode().splitlines()), done.stdout.decode())

    def test_csv_round_trip(self):
        """What a CSV says is what the table holds."""
        dice = random.Random(3)
        keys = [key for key, record in WORDS.records("benchmark").items() if record["kind"] == "score" and record["max"] == 100][:30]
        values = {key: round(dice.uniform(0, 100), dice.randint(0, 6)) for key in keys}
        text = io.StringIO()
        csv.writer(text).writerows([["benchmark", "value"], *values.items()])
        self.taken(self.write("t.csv", text.getvalue()))
        self.assertEqual(self.table()["rows"][0]["scores"], values)


if __name__ == "__main__":
    unittest.main()
