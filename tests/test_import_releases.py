"""`import` of what releases of the harnesses write differently, and of what does not fit: read
right, or said to be not; one number or file does not stop the others.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from recipes.exchange import scores

from .import_case import REST, SIGLIP, WORDS, Case
from .support import ROOT, call, slow

MVBENCH = [f"mvbench_{i}" for i in range(20)]


class Releases(Case):
    def stored(self, results: dict, **more) -> dict:
        answer = self.taken(self.lmms(results, **more), arm=f"arm {time.monotonic_ns()}")
        return {cell["metric"]: cell["value"] for cell in answer["added"]}

    def test_names_and_units_of_older_releases(self):
        for results, expected in (
            ({"mme": {"mme_percetion_score,none": 1510.5}}, {"mme_perception": 1510.5}),
            ({"videomme": {"videomme_percetion_score,none": 41.5}}, {"videomme_test": 41.5}),
            (
                {"mathvista_testmini_cot": {"gpt_eval_score,none": 36.4}},
                {"mathvista_testmini_accuracy_cot_prompt": 36.4},
            ),
            ({"ocrbench": {"ocrbench_accuracy,none": 318.0}}, {"ocrbench_test": 318}),
            ({"ocrbench": {"ocrbench_accuracy,none": 0.318}}, {"ocrbench_test": 318}),
            ({"mathverse_testmini": {"gpt_eval_score,none": 20.36}}, {"mathverse_testmini": 20.36}),
            (
                {"mathverse_testmini": {"gpt_eval_score,none": 0.2036}},
                {"mathverse_testmini": 20.36},
            ),
            ({"llava_in_the_wild": {"gpt_eval_llava_all,none": 104.3}}, {"llava_wild_test": 104.3}),
            ({"docvqa_val_lite": {"anls,none": 0.5}}, {"docvqa_lite": 50}),
        ):
            with self.subTest(results):
                self.assertEqual(self.stored(results), expected)

    def test_the_file_s_release_or_day_decides_before_the_value_does(self):
        results = {"mathverse_testmini": {"gpt_eval_score,none": 0.36}}
        path = self.lmms(results)
        self.refused(path, say=("of 1 (from 0.4) or of 100 (to 0.3.5)", "names no release"))
        self.assertEqual(self.stored(results, date="20250101_000000"), {"mathverse_testmini": 0.36})
        said = self.stored(results, lmms_eval_version="main@0123abcd")
        self.assertEqual(said, {"mathverse_testmini": 36})
        self.refused(self.lmms({"ocrbench": {"ocrbench_accuracy,none": 1.0}}), say=("1000",))

    def test_a_group_without_a_value_is_the_mean_of_all_its_sub_tasks(self):
        values = {name: {"mvbench_accuracy,none": 40.0 + i} for i, name in enumerate(MVBENCH)}
        group = {"mvbench": {" ": " ", "alias": "mvbench"}, **values}
        answer = self.taken(self.lmms(group, group_subtasks={"mvbench": MVBENCH}))
        self.assertEqual([cell["value"] for cell in answer["added"]], [49.5])
        self.assertEqual(len(answer["folded"]), 20)
        self.assertIn("the mean of 20 sub-tasks", answer["warnings"][0])
        del group["mvbench_7"]
        code, out, _ = self.take(
            self.lmms(group, group_subtasks={"mvbench": MVBENCH}), "--json", arm="b"
        )
        answer = json.loads(out)
        self.assertEqual((code, answer["added"], len(answer["unknown"])), (1, [], 19))
        self.assertIn("20 sub-tasks", answer["unknown"][0]["why"])

    def test_standard_errors_by_each_name(self):
        """The bootstrap's, else the clustered one, else the central limit's."""
        for more, expected in (
            ({"_stderr": "N/A", "_stderr_clt": 0.0035, "_stderr_clustered": "N/A"}, 0.35),
            ({"_stderr": "N/A", "_stderr_clt": 0.0035, "_stderr_clustered": 0.005}, 0.5),
            ({"_stderr": 0.004, "_stderr_clt": 0.0035}, 0.4),
        ):
            errors = {f"pope_accuracy{name},none": value for name, value in more.items()}
            answer = self.taken(
                self.lmms({"pope": {"pope_accuracy,none": 0.87, **errors}}), arm=f"arm {expected}"
            )
            self.assertEqual(
                ([cell["stderr"] for cell in answer["added"]], answer["unknown"]), ([expected], [])
            )

    def test_a_limit_that_only_the_configuration_knows(self):
        values = {"mmmu_val": {"mmmu_acc,none": 0.5}}
        for limit, split, n in (
            (8.0, "val, the first 8 questions", 8),
            (0.1, "val, a share of 0.1 of the questions", None),
            (None, "val", None),
        ):
            answer = self.taken(self.lmms(values, config={"limit": limit}), arm=f"arm {limit}")
            cell = answer["added"][0]
            self.assertEqual((cell["split"], cell["n"]), (split, n))
        sizes = {"n-samples": {"mmmu_val": {"original": 900, "effective": 900}}}
        self.assertEqual(self.stored(values, config={"limit": 5000}, **sizes), {"mmmu_val": 50})

    def test_every_row_of_the_registry_is_well_formed(self):
        known = WORDS.registry("harnesses")
        days = known["releases"]["lmms-eval"]
        for entry in known["lmms_eval"]:
            for name in ("from", "until"):
                if name in entry and entry[name] != "0.1.1":  # has no tag
                    self.assertIn(entry[name], days)
            self.assertTrue({"from", "until", "decimals"}.isdisjoint(entry) or "benchmark" in entry)
        for fits in scores.targets(WORDS).values():
            self.assertEqual(len(fits), len(set(fits)))


class Models(Case):
    def test_two_models_are_not_one_arm(self):
        for name in ("a", "b"):
            self.lmms(
                {"gqa": {"exact_match,none": 0.5}},
                f"run/org__{name}/2_results.json",
                model_name=f"org/{name}",
            )
        self.refused(str(self.folder / "run"), say=("2 models", "org/a", "org/b"))
        for name in ("a", "b"):
            self.lmms(
                {"gqa": {"exact_match,none": 0.5}},
                f"old/{name}_results.json",
                config={"model": "llava", "model_args": f"pretrained=x/{name},device_map=auto"},
            )
        self.refused(str(self.folder / "old"), say=("x/a", "x/b"))
        for name in ("a", "b"):
            self.write(f"kit/{name}/{name}_MMStar_acc.csv", "split,Overall\nnone,0.5\n")
        self.refused(str(self.folder / "kit"), say=("2 models",))

    def test_one_model_in_several_files_is_one_arm(self):
        for name in ("1", "2"):
            self.lmms(
                {"gqa": {"exact_match,none": 0.5}}, f"run/{name}_results.json", model_name="org/a"
            )
        self.assertEqual(len(self.taken(str(self.folder / "run"))["added"]), 1)


class Kit(Case):
    def test_columns_that_differ_in_blanks(self):
        text = '"split","Overall","Oceans","Oceans\t"\n"test","0.8894","1.0","0.9"\n'
        answer = self.taken(self.write("m/m_ScienceQA_TEST_acc.csv", text))
        self.assertEqual([cell["value"] for cell in answer["added"]], [88.94])
        self.assertEqual(len(answer["folded"]), 2)

    def test_status_json(self):
        status = {
            "model_name": "m",
            "updated_at": "2026-08-18T00:00:00",
            "datasets": {
                "MMStar": {"metrics": {"split=none|Overall": 0.4627, "split=none|math": 0.4}},
                "OCRBench": {"metrics": {"Final Score": 812, "Final Score Norm": 81.2}},
                "HallusionBench": {"metrics": {"split=Overall|aAcc": 60, "split=Overall|qAcc": 30}},
                "POPE": {"status": "failed"},
            },
        }
        answer = self.taken(self.write("m/status.json", status))
        self.assertEqual(
            {cell["metric"]: cell["value"] for cell in answer["added"]},
            {
                "mmstar_val": 46.27,
                "ocrbench_test": 812,
                "hallusionbench_aacc": 60,
                "hallusionbench_qacc": 30,
            },
        )
        # beside the score files it repeats them, with other digits
        self.write("m/m_MMStar_acc.csv", "split,Overall\nnone,0.46273\n")
        answer = self.taken(str(self.folder / "m"), arm="b")
        self.assertIn(46.273, [cell["value"] for cell in answer["added"]])


class Partial(Case):
    def test_one_bad_number_does_not_stop_the_others(self):
        path = self.write(
            "x_results.json",
            b'{"results": {"gqa": {"exact_match,none": 0.5}, "refcoco_bbox_rec_val":'
            b' {"refcoco_ACC@0.5,none": NaN}, "mmmu_val": {"mmmu_acc,none": 35.1}}}',
        )
        code, out, _ = self.take(path, "--json")
        answer = json.loads(out)
        self.assertEqual((code, [cell["value"] for cell in answer["added"]]), (1, [50]))
        self.assertEqual([entry["value"] for entry in answer["refused"]], ["NaN", "35.1"])
        self.assertIn("0 … 1", answer["refused"][1]["why"])
        self.assertIn("35.1", self.take(path, arm="b")[1])

    def test_one_bad_file_does_not_stop_the_others(self):
        self.lmms({"gqa": {"exact_match,none": 0.5}}, "run/1_results.json")
        self.write("run/results.json", [{"group": "x", "correct": False}])
        code, out, _ = self.take(str(self.folder / "run"), "missing/path", "--json")
        answer = json.loads(out)
        self.assertEqual((code, [cell["value"] for cell in answer["added"]]), (1, [50]))
        self.assertEqual(
            [entry["why"][:20] for entry in answer["unread"]],
            ["no object of results", "no such file or fold"],
        )
        self.refused("missing/path", code=2, say=("missing/path", "no such file or folder"))

    def test_one_bad_arm_does_not_stop_the_others(self):
        self.taken(self.write("1.csv", "arm,encoder,mmmu\na,clip,35\n"), arm=None, recipe=None)
        path = self.write("2.csv", "arm,encoder,gqa\na,siglip,50\nb,siglip,51\n")
        code, out, _ = self.take(path, "--json", arm=None, recipe=None)
        answer = json.loads(out)
        self.assertEqual((code, [entry["arm"] for entry in answer["left_out"]]), (1, ["a"]))
        self.assertEqual([cell["arm"] for cell in answer["added"]], ["b"])


class Sheets(Case):
    def test_fractions_are_asked_for(self):
        path = self.write(
            "t.csv", "benchmark,value\nmmmu,0.353\nocrbench,0.318\nmme_perception,1\n"
        )
        self.refused(path, say=("--scale fraction", "--scale points"))
        answer = self.taken(path, "--scale", "fraction")
        self.assertEqual([cell["value"] for cell in answer["added"]], [35.3, 318, 2000])
        answer = self.taken(path, "--scale", "points", arm="b")
        self.assertEqual([cell["value"] for cell in answer["added"]], [0.353, 0.318, 1])
        code, out, _ = self.take(
            self.write("u.csv", "benchmark,value\nmmmu,0.353\ngqa,51.2\n"), "--json", arm="c"
        )
        answer = json.loads(out)
        self.assertEqual((code, [cell["value"] for cell in answer["added"]]), (1, [51.2]))
        path = self.write("v.csv", "benchmark,value\nmmmu,35.3\n")
        self.refused(path, "--scale", "fraction", say=("35.3", "fraction"))

    def test_names_as_harnesses_write_them(self):
        answer = self.taken(
            self.write("t.csv", b"\xef\xbb\xbftask,score\nmmbench_en_dev,64.3\nMMMU_DEV_VAL,35.1\n")
        )
        self.assertEqual(
            [(cell["benchmark"], cell["split"]) for cell in answer["added"]],
            [("mmbench_en", "dev"), ("mmmu", "val")],
        )
        self.refused(
            self.write("u.csv", "benchmark,value\nseedbench,60\n"), say=("seed_all", "seed_img")
        )

    def test_a_ratio_to_a_reference_may_pass_its_scale(self):
        answer = self.taken(self.write("t.csv", "benchmark,value\nllava_wild,104.3\n"))
        self.assertEqual([cell["value"] for cell in answer["added"]], [104.3])
        self.assertEqual(call("check", str(self.into))[0], 0)

    def test_a_model_column(self):
        wide = self.write("w.csv", "model,mmmu\na,35\nb,36\n")
        answer = self.taken(wide, arm=None)
        self.assertEqual([arm["arm"] for arm in answer["arms"]], ["a", "b"])
        long = self.write("l.csv", "model,benchmark,value\na,gqa,50\nb,gqa,51\n")
        answer = self.taken(long, arm=None)
        self.assertEqual([(c["arm"], c["value"]) for c in answer["added"]], [("a", 50), ("b", 51)])

    def test_arms_that_as_leaves_out_are_named(self):
        path = self.write("t.csv", "arm,encoder,mmmu\na,clip,35\nb,siglip,36\nc,siglip,37\n")
        self.assertIn("b, c", self.taken(path, arm="a", recipe=None)["warnings"][0])


# The program, which says in a file (its last argument) how many kB it held at most. What the system
# tells a parent of its child counts the parent's own pages, from before the child became a program.
MEASURED = """
import atexit, re, runpy, sys
most = sys.argv.pop()
held = lambda: re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]
atexit.register(lambda: open(most, "w").write(held()))
sys.argv[0] = "main.py"
runpy.run_path("main.py", run_name="__main__")
"""


class Bounds(Case):
    def test_many_arms_take_a_time_that_grows_with_them(self):
        """1,000 arms in half a second (quadratic 3,000 were a minute)."""
        rows = "".join(f"arm {i},siglip,{30 + i % 50}.{i % 9}\n" for i in range(1000))
        path = self.write("t.csv", "arm,encoder,mmmu\n" + rows)
        before = time.process_time()
        answer = self.taken(path, arm=None, recipe=None)
        self.assertEqual(len(answer["added"]), 1000)
        self.assertLess(time.process_time() - before, 3)

    @slow  # that such files are refused, test_import says
    @unittest.skipUnless(os.path.exists("/proc/self/status"), "peak memory: Linux")
    def test_memory_is_bounded(self):
        for name, text in (
            ("wide.csv", "arm,mmmu,gqa\n" + "a,35,50\n" * 2_400_000),
            ("line.csv", "benchmark,value\n" + "," * 19_000_000),
            (
                "x_results.json",
                '{"results": {' + ",".join(f'"{i}":{{}}' for i in range(500_000)) + "}}",
            ),
        ):
            path = self.write(name, text)
            most = self.write("most.txt", "")
            done = subprocess.run(
                [sys.executable, "-c", MEASURED, "import", path, "--into", str(self.into), most],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                check=False,
            )
            with self.subTest(name):
                self.assertEqual((done.returncode, done.stderr.count(b"\n")), (2, 1), done.stderr)
                self.assertLess(int(pathlib.Path(most).read_text()), 300_000)

    def test_imports_at_once_lose_nothing(self):
        runs = [
            subprocess.Popen(
                [sys.executable, "main.py", "import", SIGLIP, "--as", f"arm{i}"]
                + ["--recipe", f"encoder=siglip,{REST}", "--into", str(self.into)],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
            )
            for i in range(5)
        ]
        self.assertEqual([run.wait() for run in runs], [0] * 5)
        self.assertEqual(sorted(row["arm"] for row in self.table()["rows"])[-1], "arm4")
        self.assertEqual(len(self.table()["rows"]), 5)
        self.assertEqual(list(self.into.iterdir()), [self.into / "my-runs.json"])
        self.assertEqual(call("check", str(self.into))[0], 0)

    @unittest.skipUnless(hasattr(os, "O_TMPFILE"), "a file without a name: Linux")
    def test_a_kill_while_writing_leaves_nothing(self):
        code = (
            "import os, signal\nfrom recipes.base import write\n"
            "write.os.link = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
            f"write.write_text({str(self.folder / 'x')!r}, 'text')\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT)
        self.assertEqual(done.returncode, -signal.SIGKILL)
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
