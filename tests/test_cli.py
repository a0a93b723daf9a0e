"""The command line as a user meets it: screens, contracts, pipes, terminals, files written."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from recipes.asking import door as question
from recipes.base.reading import EvidenceError
from recipes.commands import registry
from recipes.show import text as plain_text

from . import support
from .support import answered, call, call_json, process

SWAP = {"from", "to", "axis", "deltas", "warnings"}
DELTA = {"benchmark", "family", "unit", "expected", "interval", "p_better", "grade", "evidence"}
EVIDENCE = {"table", "from_arm", "to_arm", "delta", "weight", "controlled"}


class Screens(unittest.TestCase):
    def test_the_first_screen_loads_no_answers(self):
        code = (
            "import sys\nfrom recipes import cli\ncli.run([])\n"
            "rooms = ('answers', 'effects', 'picker', 'cost', 'library')\n"
            "sys.exit(any(f'recipes.{room}' in sys.modules for room in rooms))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=support.ROOT, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_argument_shows_five_questions_that_work(self):
        code, out, _ = call()
        self.assertEqual(code, 0)
        self.assertEqual(len(question.EXAMPLES), 5)
        for text in question.EXAMPLES:
            self.assertIn(f'"{text}"', out)
            code, answer, err = call(text)
            self.assertEqual((code, err), (0, ""), text)
            self.assertTrue(answer.startswith("understood: python3 main.py "), text)

    @support.slow
    def test_every_example_of_the_help_runs(self):
        """One after another in a new folder for each command. Those that need a server, a file of
        one's own or minutes are parsed.
        """
        # (test_skill runs it)
        parsed = {"predict", "import", "compare", "fit", "backtest", "skill"}
        needs = {"picked.json", "my-claims.json", "my-tables/"}
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        for name, command in registry.COMMANDS.items():
            with tempfile.TemporaryDirectory() as folder:
                os.chdir(folder)
                for example in command.examples.split("\n"):
                    said, *rest = argv = shlex.split(example.partition(" < ")[0])
                    self.assertEqual(said, name)
                    if name in parsed or needs & set(rest):
                        registry.parser_of(name).parse_args(rest)
                        continue
                    with self.subTest(example):
                        code, out, err = call(*argv)
                        self.assertEqual((code, err), (0, ""))
                        self.assertTrue(out)
                os.chdir(before)

    def test_help_of_every_command_has_examples(self):
        for command in registry.COMMANDS:
            code, out, _ = call(command, "--help")
            self.assertEqual(code, 0)
            self.assertIn("examples:", out)
            self.assertIn("--json", out)
            self.assertIn("--tables DIR", out)

    def test_eighty_columns(self):
        for argv in (
            (),
            ("swap", "CLIP", "SigLIP"),
            ("swap", "7B", "13B", "--benchmark", "docvqa", "--why"),
            ("pick", "--tasks", "documents"),
            ("ablate",),
            ("tables",),
            ("tables", "show", "cambrian1"),
            ("tables", "find", "CLIP"),
            ("benchmarks",),
            ("check", "--accepted"),
            ("check", "--explain", "mean"),
            ("tokens", "--model", "llava-next"),
            *((command, "--help") for command in registry.COMMANDS),
        ):
            _, out, _ = answered(*argv)
            for line in out.splitlines():
                if "python3 main.py" not in line:  # a command is one line, to be copied
                    self.assertLessEqual(len(line), 80, (argv, line))

    def test_same_input_same_bytes(self):
        for argv in (
            ("swap", "CLIP", "SigLIP"),
            ("swap", "7B", "13B", "--benchmark", "docvqa", "--json"),
            ("pick", "--tasks", "documents"),
            ("ablate",),
        ):
            self.assertEqual(call(*argv), answered(*argv))

    def test_version(self):
        self.assertRegex(call("--version")[1], r"^\d+\.\d+\.\d+\n$")


class Contracts(unittest.TestCase):
    def test_swap(self):
        answer = call_json("swap", "CLIP", "SigLIP", "--on", "7B")
        self.assertLessEqual(SWAP, answer.keys())
        for delta in answer["deltas"]:
            self.assertLessEqual(DELTA, delta.keys())
            self.assertEqual(set(delta["interval"]), {"level", "low", "high"})
            self.assertLessEqual(delta["interval"]["low"], delta["expected"])
            self.assertTrue(0 <= delta["p_better"] <= 1)
            for row in delta["evidence"]:
                self.assertLessEqual(EVIDENCE, row.keys())

    def test_a_question_carries_what_it_became(self):
        answer = call_json("swap CLIP for SigLIP on 7B")
        self.assertEqual(
            answer["understood"],
            {
                "command": "swap",
                "argv": ["swap", "clip-vit-l-14", "siglip-so400m-14", "--on", "7B"],
            },
        )
        plain = call_json(*answer["understood"]["argv"])
        self.assertEqual({**answer, "understood": None}, {**plain, "understood": None})

    def test_pick(self):
        answer = call_json(
            "pick",
            "--tasks",
            "documents=0.6,charts=0.4",
            "--budget",
            "500 A100-hours",
            "--latency",
            "300ms on L4",
            "--memory",
            "24GB",
            "--top",
            "3",
        )
        self.assertLessEqual(
            {"baseline", "recipes", "considered", "excluded", "ablate_first", "warnings"},
            answer.keys(),
        )
        self.assertEqual(len(answer["recipes"]), 3)
        for rank, item in enumerate(answer["recipes"], 1):
            self.assertEqual(item["rank"], rank)
            self.assertLessEqual(
                {
                    "recipe",
                    "schedule",
                    "score",
                    "deltas",
                    "training",
                    "latency",
                    "memory_gb",
                    "visual_tokens",
                    "citations",
                },
                item.keys(),
            )
            self.assertLessEqual({"expected", "interval", "p_best"}, item["score"].keys())
            self.assertLessEqual({"flop", "gpu", "gpu_hours"}, item["training"].keys())
            self.assertLessEqual({"gpu", "ttft_ms", "total_ms"}, item["latency"].keys())
            self.assertLessEqual(item["training"]["gpu_hours"], 500)
            self.assertLessEqual(item["latency"]["ttft_ms"], 300)
            self.assertLessEqual(item["memory_gb"], 24)
            self.assertEqual(
                {c["axis"] for c in item["citations"]},
                {"encoder", "connector", "llm", "data", "resolution"},
            )
            for stage in item["schedule"]:
                self.assertLessEqual({"stage", "trains", "data", "resolution"}, stage.keys())
            known = {table.id for paper in support.papers() for table in paper.tables}
            for citation in item["citations"]:
                self.assertIn(citation["table"], known | {None})
        for entry in answer["excluded"]:
            self.assertEqual(set(entry), {"reason", "count"})
        self.assertIn("axis", answer["ablate_first"])

    def test_pick_fix_and_avoid(self):
        answer = call_json(
            "pick",
            "--fix",
            "encoder=siglip",
            "--fix",
            "llm=qwen2.5-7b",
            "--avoid",
            "data=llava-next-790k",
        )
        for item in answer["recipes"]:
            self.assertEqual(
                (item["recipe"]["encoder"], item["recipe"]["llm"]),
                ("siglip-so400m-14", "qwen2.5-7b"),
            )
            self.assertNotEqual(item["recipe"]["data"], "llava-next-790k")

    def test_pick_that_nothing_meets(self):
        code, out, _ = call("pick", "--memory", "1GB")
        self.assertEqual(code, 1)
        self.assertIn("no recipe meets", out)

    def test_ablate(self):
        answer = call_json("ablate", "--tasks", "charts", "--confidence", "0.9")
        self.assertEqual(answer["confidence"], 0.9)
        self.assertEqual(answer["first"], answer["axes"][0]["axis"])
        steps = [step["axis"] for step in answer["sequence"]]
        self.assertEqual(
            steps,
            sorted(
                steps,
                key=lambda axis: (
                    not next(s["worth"] for s in answer["sequence"] if s["axis"] == axis),
                    [a["axis"] for a in answer["axes"]].index(axis),
                ),
            ),
        )
        for axis in answer["axes"]:
            self.assertLessEqual(
                {
                    "axis",
                    "p_changes_pick",
                    "expected_gain",
                    "runs",
                    "gpu_hours",
                    "confidence_after",
                },
                axis.keys(),
            )

    def test_tokens(self):
        answer = call_json(
            "tokens", "--model", "qwen2-vl", "--image", "448x280", "--image", "1024x768"
        )
        self.assertEqual(answer["model"], "qwen2-vl")
        self.assertEqual([i["visual_tokens"] for i in answer["images"]], [160, 999])
        self.assertEqual(answer["images"][0]["width"], 448)
        self.assertTrue(answer["images"][0]["terms"])

    def test_tables(self):
        self.assertEqual(len(call_json("tables")["papers"]), len(support.papers()))
        shown = call_json("tables", "show", "cambrian1.table11")
        self.assertIn("36.09", json.dumps(shown))
        found = call_json("tables", "find", "q-former")
        self.assertIn("honeybee.table6", json.dumps(found))
        self.assertEqual(call("tables", "find", "xyzzy")[0], 1)

    def test_benchmarks(self):
        self.assertEqual(
            {b["family"] for b in call_json("benchmarks", "documents")["benchmarks"]},
            {"ocr-document"},
        )

    def test_check(self):
        answer = call_json("check", str(support.TABLES / "mm1.json"))
        self.assertEqual((answer["ok"], answer["problems"]), (True, []))
        self.assertEqual(answered("check", "--accepted")[0], 0)


class Processes(unittest.TestCase):
    """What only a real process shows."""

    def test_exit_codes(self):
        for argv, code in ((("swap", "CLIP", "nope"), 2), (("predict", "-"), 1), ((), 0)):
            done = process(*argv, stdin=b"nonsense\n")
            self.assertEqual(done.returncode, code, argv)
            self.assertNotIn(b"Traceback", done.stderr)

    def test_a_closed_pipe_is_no_error(self):
        for argv in (("swap", "CLIP", "SigLIP", "--json"), ("tables",)):
            child = subprocess.Popen(
                [sys.executable, str(support.ROOT / "main.py"), *argv],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            child.stdout.read(1)
            child.stdout.close()
            err = child.stderr.read()
            child.stderr.close()
            child.wait(60)
            self.assertEqual((err, child.returncode), (b"", 0), argv)

    def test_closed_streams(self):
        for command in (
            "main.py >&-",
            "main.py tokens --model qwen2-vl --image 448x280 >&-",
            "main.py predict - <&-",
            "main.py swap CLIP SigLIP --benchmark mmmu >/dev/full",
        ):
            done = subprocess.run(
                f"'{sys.executable}' {command}",
                shell=True,
                capture_output=True,
                cwd=support.ROOT,
                timeout=60,
            )
            self.assertNotIn(b"Traceback", done.stderr, command)
            self.assertLessEqual(done.stderr.count(b"\n"), 1, done.stderr)

    def test_a_terminal_that_knows_ascii_only(self):
        argv = ("swap", "CLIP", "SigLIP", "--benchmark", "mmmu")
        env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        done = process(*argv, env=env)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertTrue(done.stdout.isascii())
        # by what looks like them, as with --plain: no escapes, and no line too wide
        for command in (argv, ("pick", "--tasks", "charts"), ("schedule",)):
            text = support.printed("ascii", *command)
            self.assertEqual(text, call(*command, "--plain")[1])
            self.assertNotIn("\\u", text)
            self.assertLessEqual(
                max(len(line) for line in text.split("\n") if "next" not in line), 80
            )
        # and JSON stays JSON
        self.assertTrue(json.loads(support.printed("ascii", *argv, "--json")))

    def test_colour(self):
        argv = ("tokens", "--model", "qwen2-vl", "--image", "448x280")
        plain, forced = process(*argv).stdout, process(*argv, env={"FORCE_COLOR": "1"}).stdout
        self.assertNotIn(b"\x1b", plain)  # not a terminal
        self.assertIn(b"\x1b[", forced)
        self.assertNotIn(b"\x1b", process(*argv, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout)
        self.assertEqual(plain_text.ESCAPE.sub("", forced.decode()).encode(), plain)

    def test_from_another_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            done = process("swap", "CLIP", "SigLIP", "--benchmark", "mmmu", cwd=folder)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(os.listdir(folder), [])

    def test_nothing_is_loaded_that_a_question_does_not_need(self):
        """A help screen reads no table; a swap about connectors does not read every paper."""
        code = (
            "import sys; sys.argv=['m']; from recipes import cli; cli.main([]); print([m for m in"
            " sys.modules if m.startswith('recipes.')])"
        )
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, cwd=support.ROOT, timeout=60
        ).stdout.decode()
        self.assertNotIn("recipes.answers.fit", out)
        read = []
        original = support.library().papers

        def spy(keys=None, **more):
            read.append(keys)
            return original(keys, **more)

        with mock.patch("recipes.library.Library.papers", side_effect=spy):
            call("swap", "MLP", "C-Abstractor", "--benchmark", "mmmu")
        self.assertTrue(read)
        for keys in read:
            self.assertIsNotNone(keys)
            self.assertLess(len(set(keys)), 15)


class Writing(unittest.TestCase):
    def test_skill_out(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "skill.md")
            with (
                mock.patch("recipes.show.skill.build", return_value="text\n"),
                mock.patch("recipes.answers.guide.gather", return_value=None),
            ):
                self.assertEqual(call("skill", "--out", path)[0], 0)
                self.assertEqual(pathlib.Path(path).read_text(), "text\n")
                self.assertEqual(call("skill", "--check", "--out", path)[0], 0)
                pathlib.Path(path).write_text("old")
                self.assertEqual(call("skill", "--check", "--out", path)[0], 1)
                for bad in (folder, os.path.join(folder, "no", "skill.md"), "/dev/null"):
                    code, _, err = call("skill", "--out", bad)
                    self.assertEqual((code, err.count("\n")), (2, 1), bad)
                self.assertEqual(os.listdir(folder), ["skill.md"])
                self.assertFalse(pathlib.Path("/dev/null").is_file())

    def test_an_interrupted_write_leaves_the_old_file(self):
        from recipes.base.write import write_text

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.md")
            write_text(path, "old")
            with (
                mock.patch("os.replace", side_effect=OSError(28, "No space left on device")),
                self.assertRaises(OSError),
            ):
                write_text(path, "new")
            self.assertEqual(pathlib.Path(path).read_text(), "old")
            self.assertEqual(os.listdir(folder), ["x.md"])


class Registries(unittest.TestCase):
    def test_a_checkout_without_tables(self):
        from recipes.library import Library

        with tempfile.TemporaryDirectory() as folder, self.assertRaises(EvidenceError):
            Library(shipped=folder)

    def test_a_missing_fit_says_how_to_make_one(self):
        from recipes.library import Library

        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "tables")
            shutil.copytree(support.TABLES, copy, ignore=shutil.ignore_patterns("derived"))
            with self.assertRaises(EvidenceError) as caught:
                Library(shipped=copy).posterior  # noqa: B018
            self.assertIn("main.py fit", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
