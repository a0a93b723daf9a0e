"""Result files of lmms-eval, VLMEvalKit and CSV: what is read from them."""

import json
import os
import pathlib
import unittest

from recipes.exchange import harness, scores

from .import_case import CLIP, FIXTURES, REST, SIGLIP, VLM, WORDS, Case
from .support import call


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
        self.assertEqual(
            row["scores_se"], {"gqa_testdev_balanced": 0.43, "docvqa_val": 0.68, "ai2d_test": 0.87}
        )

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
        code, out, _ = self.take(
            self.lmms({"gqa": {"exact_match,a": 0.5, "exact_match,b": 0.4}}), "--json", arm="other"
        )
        self.assertEqual(code, 1)
        self.assertEqual(len(json.loads(out)["unknown"]), 2)

    def test_unknown_tasks_and_metrics_are_listed_with_their_neighbours(self):
        unknown = {
            (entry["task"], entry["metric"]): entry for entry in self.taken(SIGLIP)["unknown"]
        }
        self.assertIn("mmmu_val", unknown["mmmu_vall", "mmmu_acc"]["nearest"])
        self.assertEqual(unknown["mmmu_vall", "mmmu_acc"]["value"], "0.31")
        self.assertIn("pope_f1_score", unknown["pope", "pope_precision"]["nearest"])
        self.assertIn("answers are hidden", unknown["docvqa_test", "submission"]["why"])

    def test_nothing_is_dropped(self):
        answer = self.taken(SIGLIP)
        results = json.loads(pathlib.Path(SIGLIP).read_text())["results"]
        numbers = sum(
            1
            for values in results.values()
            for key in values
            if "," in key and "_stderr" not in key
        )
        self.assertEqual(
            len(answer["added"]) + len(answer["unknown"]) + len(answer["folded"]), numbers
        )

    def test_sub_tasks_fold_only_into_a_group_that_was_read(self):
        self.assertEqual(
            {(entry["task"], entry["of"]) for entry in self.taken(SIGLIP)["folded"]},
            {("blink_counting", "blink"), ("blink_jigsaw", "blink")},
        )
        group = {
            "mvbench": {" ": " ", "alias": "mvbench"},
            "mvbench_object_existence": {"mvbench_accuracy,none": 0.5},
            "gqa": {"exact_match,none": 0.5},
        }
        answer = self.taken(
            self.lmms(group, group_subtasks={"mvbench": ["mvbench_object_existence"]}), arm="b"
        )
        self.assertEqual(answer["folded"], [])
        self.assertEqual(
            [entry["task"] for entry in answer["unknown"]], ["mvbench_object_existence"]
        )

    def test_nested_and_text_values(self):
        answer = self.taken(
            self.lmms(
                {
                    "gqa": {
                        "exact_match,none": "0.5133",
                        "other,none": {"easy": 0.5, "hard": {"a": [1, 2]}},
                    }
                }
            )
        )
        self.assertEqual(answer["added"][0]["value"], 51.33)
        self.assertEqual(
            {entry["metric"] for entry in answer["unknown"]}, {"other/easy", "other/hard/a"}
        )

    def test_few_shot_results_are_another_metric(self):
        self.taken(self.lmms({"gqa": {"exact_match,none": 0.5}}, **{"n-shot": {"gqa": 4}}))
        self.assertEqual(
            self.table()["metrics"],
            {
                "gqa_testdev_balanced_4shot": {
                    "benchmark": "gqa",
                    "split": "testdev_balanced",
                    "unit": "exact-match accuracy",
                    "shots": 4,
                }
            },
        )

    def test_a_limited_run_is_a_split_of_its_own_and_doubtful_without_an_error(self):
        sizes = {
            "n-samples": {task: {"original": 900, "effective": 8} for task in ("gqa", "mmmu_val")}
        }
        results = {
            "gqa": {"exact_match,none": 0.5, "exact_match_stderr,none": 0.19},
            "mmmu_val": {"mmmu_acc,none": 0.5, "mmmu_acc_stderr,none": "N/A"},
        }
        answer = self.taken(self.lmms(results, **sizes))
        self.assertEqual(
            [cell["split"] for cell in answer["added"]],
            ["testdev_balanced, 8 of 900 questions", "val, 8 of 900 questions"],
        )
        self.assertEqual(self.table()["rows"][0]["doubt"]["cells"], ["mmmu_val_8_of_900_questions"])
        self.assertEqual(call("check", str(self.into))[0], 0)

    def test_provenance_from_the_file_not_from_the_clock(self):
        self.taken(SIGLIP)
        paper = json.loads((self.into / "my-runs.json").read_text())
        source = paper["transcription"]["sources"][0]
        self.assertEqual(
            [source[key] for key in ("file", "harness", "commit", "date")],
            [os.path.basename(SIGLIP), "lmms-eval", "75571cfe", "2026-09-01"],
        )
        self.assertEqual(
            source["cells"]["mmmu_val"],
            {
                "name": "mmmu_val mmmu_acc,none",
                "at": "/results/mmmu_val/mmmu_acc,none",
                "printed": "0.35111",
                "n": 900,
            },
        )
        self.assertEqual(paper["paper"]["year"], 2026)
        text = (self.into / "my-runs.json").read_text()
        self.assertNotIn(str(FIXTURES), text)
        self.taken(CLIP, arm="clip", recipe=f"encoder=clip,{REST}")
        after = (self.into / "my-runs.json").read_text().splitlines()
        # one source per line
        self.assertEqual(
            sum(line.startswith('   {"arm": "') and '"file"' in line for line in after), 2
        )


class VlmEvalKit(Case):
    def test_every_layout(self):
        answer = self.taken(VLM)
        stored = {cell["metric"]: cell["value"] for cell in answer["added"]}
        self.assertEqual(
            stored,
            {
                "chartqa_test_human": 17.04,
                "chartqa_test_augmented": 19.36,
                "chartqa_test": 18.2,
                "mmbench_en_dev": 64.34707903780069,
                "mme_perception": 1474.9,
                "mme_cognition": 301.4,
                "mmmu_val": 35.66666666666667,
                "mmvp_test_questions_accuracy": 66.66666666666666,
                "mmvp_test_pairs": 38,
                "mathvista_testmini": 27.8,
                "ocrbench_test": 316,
                "pope_test_f1": 86.51,
                "pope_test_accuracy": 87.2,
                "pope_random_f1": 88,
                "pope_popular_f1": 86.9,
                "pope_adversarial_f1": 84.8,
            },
        )
        self.assertEqual([entry["task"] for entry in answer["unknown"]], ["HRBench4K"])
        folded = {(entry["task"], entry["row"], entry["metric"]) for entry in answer["folded"]}
        self.assertIn(("MMMU_DEV_VAL", "dev", "Overall"), folded)
        self.assertIn(("MMBench_DEV_EN", "dev", "AR"), folded)
        source = json.loads((self.into / "my-runs.json").read_text())["transcription"]["sources"][0]
        self.assertEqual((source["commit"], source["date"]), ("ab12cd34", "2026-09-03"))

    def test_parts_do_not_count_beside_their_whole(self):
        self.taken(VLM)
        roles = {key: metric.get("role") for key, metric in self.table()["metrics"].items()}
        self.assertEqual(
            {key for key, role in roles.items() if role == "part"},
            {
                "chartqa_test_human",
                "chartqa_test_augmented",
                "mmvp_test_questions_accuracy",
                "pope_test_accuracy",
                "pope_random_f1",
                "pope_popular_f1",
                "pope_adversarial_f1",
            },
        )

    def test_data_set_names_in_file_names(self):
        sets = scores.data_sets(WORDS)
        for name, expected in (
            ("m/m_MMBench_DEV_EN_V11_acc.csv", "MMBench_DEV_EN_V11"),
            ("m/m_MMBench_DEV_EN_acc.csv", "MMBench_DEV_EN"),
            ("x/some_model_MMStar_acc.csv", "MMStar"),
            ("m/m_MMStar_KO_acc.csv", "MMStar_KO"),
            ("m/m_SEEDBench_IMG_KO_acc.csv", "SEEDBench_IMG_KO"),
            (
                "m/m_MathVerse_MINI_Vision_Only_gpt-4o-mini_score.csv",
                "MathVerse_MINI_Vision_Only_gpt-4o-mini",
            ),
            ("m/T20260101-120000/m_MMVet_gpt-4-turbo_score.csv", "MMVet"),
            ("m/m_Video-MME_score.csv", "Video-MME"),
            ("m/m_MMStar_gpt-4_acc.csv", "MMStar_gpt-4"),
            ("a/b_c_acc.csv", "b_c"),
        ):
            with self.subTest(name):
                readings = harness.read(self.write(name, '"split","Overall"\n"none","0.5"\n'), sets)
                self.assertEqual({reading.task for reading in readings}, {expected})

    def test_json_scores_as_records(self):
        path = self.write("m/m_RealWorldQA_acc.json", [{"split": "none", "Overall": 0.5556}])
        self.assertEqual([cell["value"] for cell in self.taken(path)["added"]], [55.56])

    def test_prediction_workbooks_are_not_opened(self):
        self.refused(
            self.write("m_MMStar.xlsx", b"PK\x03\x04"), code=2, say=("m_MMStar.xlsx", "not scores")
        )
        self.refused(
            self.write("m.pkl", b"cos\nsystem\n(S'true'\ntR."), code=2, say=("not a result file",)
        )


class Csv(Case):
    def test_long(self):
        answer = self.taken(str(FIXTURES / "plain.csv"))
        self.assertEqual(
            [
                (c["benchmark"], c["split"], c["value"], c["stderr"], c["n"])
                for c in answer["added"]
            ],
            [
                ("docvqa", "val", 28.74, 0.68, 5349),
                ("textvqa", "val", 46.1, None, 5000),
                ("mmmu", "val", 35.1, None, None),
            ],
        )
        self.assertEqual([entry["task"] for entry in answer["unknown"]], ["my-own-set"])

    def test_wide_with_recipes(self):
        answer = self.taken(str(FIXTURES / "sweep.csv"), arm=None, recipe="connector=mlp")
        self.assertEqual(
            [arm["arm"] for arm in answer["arms"]], ["clip-336", "siglip-384", "siglip-224"]
        )
        self.assertEqual(
            answer["arms"][2]["recipe"],
            {
                "encoder": "siglip-so400m-14",
                "connector": "mlp-2x-gelu",
                "llm": "vicuna-1.5-7b",
                "llm_params_b": 7,
                "data": "llava-665k",
                "resolution": 224,
            },
        )
        self.assertEqual(len(answer["added"]), 9)
        self.assertEqual(self.table()["varies"], ["encoder", "resolution"])
        self.assertEqual(call("check", str(self.into))[0], 0)
        again = self.taken(str(FIXTURES / "sweep.csv"), arm="siglip-224", recipe="connector=mlp")
        self.assertEqual(
            (again["arm"], again["added"], len(again["unchanged"])), ("siglip-224", [], 3)
        )
        self.refused(
            str(FIXTURES / "sweep.csv"),
            arm=None,
            recipe="encoder=clip",
            say=("two values of encoder",),
        )
        self.refused(
            str(FIXTURES / "sweep.csv"),
            arm="nobody",
            recipe=None,
            code=2,
            say=("nobody", "clip-336"),
        )

    def test_wrong_csv(self):
        for text, words in (
            ("a,b\n1,2\n", ("header",)),
            ("benchmark,value,spilt\nmmmu,1,val\n", ("spilt", "split")),
            ("benchmark,value\nmmmu\n", ("row 2", "1 cells")),
            ("benchmark,value,benchmark\n1,2,3\n", ("twice",)),
            ("benchmark,value\n", ("no row",)),
            ('benchmark,value\n"mmmu,1\n', ("not CSV",)),
            ("benchmark,value,stderr\nmmmu,35,-1\n", ("row 2", "stderr")),
            ("benchmark,value,n\nmmmu,35,1.5\n", ("row 2", "n '1.5'")),
        ):
            with self.subTest(text):
                self.refused(self.write("t.csv", text), code=2, say=words)
        # Python versions differ on NUL in CSV
        self.assertIn(self.take(self.write("t.csv", "benchmark,value\nmmmu,\0\n"))[0], (1, 2))

    def test_not_a_number_is_listed(self):
        code, out, _ = self.take(
            self.write("t.csv", "benchmark,value\nmmmu,35.1%\ngqa,nan\ndocvqa,50\n"), "--json"
        )
        answer = json.loads(out)
        self.assertEqual((code, [cell["value"] for cell in answer["added"]]), (1, [50]))
        self.assertEqual(
            [(entry["task"], entry["value"]) for entry in answer["refused"]],
            [("mmmu", "35.1%"), ("gqa", "nan")],
        )


if __name__ == "__main__":
    unittest.main()
