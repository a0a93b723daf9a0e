"""The edge of the program: what may reach a screen, which errors are the user's, honest exits."""

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import recipes
from recipes import cli
from recipes.base.errors import Refused
from recipes.base.wording import clean
from recipes.commands import console
from tests import support

HOSTILE = "a\x1b[2J\x1b]0;title\x07b\u202etxt.exe\x9b1mc\x7f\u2066\r"


def printed(write, value) -> str:
    """What a function of the console writes to standard output."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        write(value)
    return stream.getvalue()


class Screen(unittest.TestCase):
    def test_text_cannot_steer_the_terminal(self):
        shown = printed(console.out, HOSTILE)
        self.assertEqual(shown, "a?[2J?]0;title?b?txt.exe?1mc???\n")

    def test_only_the_programs_colours_pass_and_only_where_there_is_colour(self):
        red = console.Style(80, True).paint("up", "red")
        self.assertEqual(printed(console.out, red + "\x1b[8m"), "up?[8m\n")
        with mock.patch.dict(os.environ, {"FORCE_COLOR": "1"}):
            self.assertEqual(printed(console.out, red + "\x1b[8m"), "\x1b[31mup\x1b[0m?[8m\n")

    def test_json_reads_back_the_same(self):
        shown = printed(console.show, {"key": HOSTILE})
        self.assertEqual(json.loads(shown), {"key": HOSTILE})
        self.assertFalse(set(shown) & set("\x1b\x9b\u202e\u2066\x7f\x07"))

    def test_an_error_is_one_line(self):
        self.assertNotIn("\n", clean("first\nsecond"))


class Errors(unittest.TestCase):
    def ended(self, error: Exception) -> tuple[int, str]:
        stream = io.StringIO()
        with contextlib.redirect_stderr(stream), mock.patch.object(cli, "run", side_effect=error):
            return cli.main(["x"]), stream.getvalue()

    def test_what_is_refused_is_one_line(self):
        self.assertEqual(self.ended(Refused("no\nsuch")), (2, "error: no such\n"))

    def test_a_fault_of_the_program_is_not_the_users(self):
        """max() of nothing is a bug, whoever typed what."""
        with self.assertRaises(ValueError):
            self.ended(ValueError("max() arg is an empty sequence"))


def bounded(*argv: str) -> str:
    """A program that carries out a command line in 300 MB of memory at most."""
    return (
        f"import resource, runpy, sys; sys.argv = ['main.py', *{list(argv)!r}];"
        " resource.setrlimit(resource.RLIMIT_AS, (300 << 20,) * 2);"
        f" runpy.run_path({str(support.ROOT / 'main.py')!r}, run_name='__main__')"
    )


class Exits(unittest.TestCase):
    @unittest.skipUnless(pathlib.Path("/dev/full").exists(), "no /dev/full here")
    def test_nothing_could_be_written(self):
        for argv in ([], ["--help"], ["swap", "--help"], ["tables", "list"]):
            with self.subTest(argv), open("/dev/full", "w") as full:
                done = subprocess.run(
                    [sys.executable, str(support.ROOT / "main.py"), *argv],
                    stdout=full,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stderr, "error: output: No space left on device\n")

    def test_a_folder_without_tables_is_not_clean(self):
        with tempfile.TemporaryDirectory() as folder:
            code, _, err = support.call("check", folder)
        self.assertEqual(code, 2)
        self.assertIn("no tables", err)

    def test_a_line_of_any_length_is_read_bounded(self):
        """One line of 30 MB is refused, the next is answered, and little is held."""
        line = b'{"from": {"encoder": "clip"}, "to": {"encoder": "siglip"}, "benchmark": "mmmu"}'
        script = bounded("predict", "-")
        done = subprocess.run(
            [sys.executable, "-c", script],
            input=b"x" * 30_000_000 + b"\n" + line + b"\n",
            capture_output=True,
            cwd=support.ROOT,
        )
        first, second = map(json.loads, done.stdout.splitlines())
        self.assertIn("longer than 100,000 bytes", first["error"])
        self.assertEqual(second["deltas"][0]["benchmark"], "mmmu")
        self.assertEqual(done.returncode, 1)

    @support.slow
    def test_millions_of_empty_objects_take_bounded_memory(self):
        """As large as a file may be, and one byte more."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "x.json")
            body = ",".join(["{}"] * 2_650_000)
            path.write_text(f'{{"format":2,"tables":[{body}]}}')
            for argv in (["check", folder], ["claims", "--file", str(path)]):
                with self.subTest(argv[0]):
                    done = subprocess.run(
                        [sys.executable, "-c", bounded(*argv)], capture_output=True, text=True
                    )
                    self.assertIn(done.returncode, (1, 2))
                    self.assertNotIn("MemoryError", done.stderr)
            path.write_text(" " * 8_000_001)
            code, out, _ = support.call("check", folder)
            self.assertEqual(code, 1)
            self.assertIn("8000000", (out + _).replace(",", ""))

    def test_interrupted_while_it_loads(self):
        """No traceback, whenever the key is hit."""
        for wait in (0.0, 0.02, 0.05):
            with subprocess.Popen(
                [sys.executable, str(support.ROOT / "main.py"), "check"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            ) as process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.03 + wait)
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=30)
            self.assertNotIn(b"recipes", err)


class Installed(unittest.TestCase):
    """An installed copy does not write into its own folder."""

    def test_what_ships_is_left_alone(self):
        for argv in (["fit"], ["check", "--lock"], ["skill"], ["skill", "--check"]):
            with (
                self.subTest(argv),
                mock.patch("recipes.commands.arguments.installed", lambda: True),
                mock.patch("recipes.base.write.write_text", side_effect=AssertionError),
            ):
                code, _, err = support.call(*argv)
                self.assertEqual(code, 2)
                self.assertIn("installed copy", err)


class Program(unittest.TestCase):
    def test_an_installed_copy_is_called_by_its_command(self):
        source = pathlib.Path(console.__file__).read_text("utf-8")
        for package, name in (
            ("vlm_recipes.commands", "vlm-recipe"),
            ("recipes.commands", "python3 main.py"),
        ):
            line = next(x for x in source.split("\n") if x.startswith("PROGRAM ="))
            space = {"__package__": package}
            exec(line, space)
            self.assertEqual(space["PROGRAM"], name)


class AsALibrary(unittest.TestCase):
    def test_swap_is_the_command(self):
        value = support.call_json("swap", "clip", "siglip", "--on", "7B", "--benchmark", "mmmu")
        answer = recipes.swap("clip", "siglip", on="7B", benchmark=["mmmu"])
        self.assertAlmostEqual(answer.result.deltas[0].expected, value["deltas"][0]["expected"], 4)

    def test_tokens_are_the_commands(self):
        (image,) = recipes.tokens(model="qwen2-vl", image="448x280")["qwen2-vl"]
        self.assertEqual(image.visual_tokens, 160)  # 32 x 20 patches of 14, four to a token
        two = recipes.tokens(model=["qwen2-vl", "llava-1.5"], image=["448x280", "336x336"])
        self.assertEqual([len(images) for images in two.values()], [2, 2])

    def test_predict_is_the_command(self):
        change = {"from": {"encoder": "clip"}, "to": {"encoder": "siglip"}, "benchmark": "mmmu"}
        ((before, after, swap),) = recipes.predict([change], level=0.5)
        line = support.process("predict", "-", "--level", "0.5", stdin=json.dumps(change).encode())
        said = json.loads(line.stdout)["deltas"][0]
        self.assertAlmostEqual(swap.deltas[0].expected, said["expected"], 4)
        self.assertAlmostEqual(swap.deltas[0].low, said["interval"]["low"], 4)
        self.assertEqual((before.encoder, after.encoder), ("clip-vit-l-14", "siglip-so400m-14"))

    def test_what_is_refused(self):
        with self.assertRaisesRegex(recipes.Refused, "xyzzyq"):
            recipes.swap("clip", "xyzzyq")
        with self.assertRaisesRegex(Refused, "xyzzyq"):
            recipes.tokens(model="xyzzyq")
        with self.assertRaisesRegex(Refused, "benchmark"):
            recipes.predict([{"from": {}, "to": {}}])


if __name__ == "__main__":
    unittest.main()
