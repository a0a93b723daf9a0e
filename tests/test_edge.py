"""The edge of the program: what may reach a screen, which errors are the user's, honest exits."""

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest
from unittest import mock

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


if __name__ == "__main__":
    unittest.main()
