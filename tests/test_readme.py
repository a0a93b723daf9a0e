"""README.md: its commands run, what it shows is what the program prints, its counts are those of
the evidence, its links and paths exist.

Commands that write files run in a folder of their own, with results to import in it. Only parsed,
not run: what needs a server (compare), takes long (fit; the backtest's table is filled by
fill_readme), or is run by the tests of its own (report, skill).
"""

import os
import re
import shlex
import shutil
import tempfile
import unittest

from recipes.commands import registry

from . import fill_readme, support

PARSED = ("compare", "fit", "report", "skill")


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = fill_readme.README.read_text(encoding="utf-8")
        cls.lines = [
            line
            for block in re.findall(r"```\n(.*?)```", cls.text, re.S)
            for line in block.splitlines()
            if line.startswith("python3 main.py ")
        ]

    @support.slow
    def test_commands_work(self):
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(support.DATA / "import" / "lmms", os.path.join(folder, "logs"))
            os.chdir(folder)
            try:
                for line in self.lines:
                    argv = shlex.split(line)[2:]
                    if argv[0] in PARSED:
                        registry.parser_of(argv[0]).parse_args(argv[1:])
                        continue
                    code, out, err = support.call(*argv)
                    self.assertEqual((code, err), (0, ""), line)
                    self.assertTrue(out.strip(), line)
                for made in ("my-tables", "siglip.svg", "runs", "ab"):
                    self.assertTrue(os.path.exists(made), made)
            finally:
                os.chdir(before)
        self.assertGreater(len(self.lines), 35)

    def test_every_command_is_shown(self):
        named = set(re.findall(r"python3 main\.py ([a-z]+)", self.text)) | set(
            re.findall(r"`([a-z]+)(?: [^`]*)?`", self.text)
        )
        self.assertEqual(set(registry.COMMANDS) - named - {"predict"}, set())

    def test_shown_output_is_the_output(self):
        shown = list(fill_readme.blocks(self.text))
        self.assertGreater(len(shown), 2)
        for one in shown:
            self.assertIn(one.comment, self.text)
            # the others take long: fill_readme writes them
            if one.command.startswith("python3 main.py"):
                self.assertEqual(fill_readme.render(one), one.shown, one.command)

    def test_counts(self):
        self.assertIn(fill_readme.counts(), self.text)

    def test_backtest_table_has_every_row(self):
        table = fill_readme.BACKTEST.search(self.text)[0]
        self.assertEqual(
            re.findall(r"^\| (.*?) \|", table, re.M)[1:],
            [
                "all contrasts",
                "answered",
                "answerable (direct, indirect)",
                *(f"answered: {axis}" for axis in fill_readme.AXES),
            ],
        )
        self.assertNotIn("nan", table)

    def test_paths_exist(self):
        for path in re.findall(r"`((?:tables|recipes|tests|outputs|\.ci)/[\w./-]+)`", self.text):
            self.assertTrue((support.ROOT / path).exists(), path)


class Fill(unittest.TestCase):
    def test_parts_and_lines(self):
        one = fill_readme.Block(
            "python3 main.py tokens --model qwen2-vl --image 448x280", None, None, ""
        )
        whole = fill_readme.render(one)
        self.assertIn("160", whole)
        command = "python3 main.py claims L12"
        full = fill_readme.render(one._replace(command=command)).rstrip("\n").split("\n\n")
        self.assertEqual(
            fill_readme.render(one._replace(command=command, parts=(1, 2))),
            "\n\n".join(full[:2]) + "\n\n…\n",
        )
        self.assertEqual(
            fill_readme.render(one._replace(command=command, parts=(2, 2))),
            "…\n\n" + full[1] + "\n\n…\n",
        )
        self.assertEqual(
            fill_readme.render(one._replace(command=command, parts=(1, 1), lines=1)),
            full[0].split("\n")[0] + "\n…\n",
        )
        self.assertEqual(
            fill_readme.render(one._replace(command=command, parts=(1, len(full)))),
            "\n\n".join(full) + "\n",
        )

    def test_it_fills_what_the_comments_ask_for_and_nothing_else(self):
        text = (
            "a <!-- output: python3 main.py tokens --model qwen2-vl --image 448x280; parts 1-1:1"
            " -->\n```\nold\n```\nb: 1 papers, 2 ablation tables and 3 printed"
            " scores\n```\nkept\n```\n"
        )
        filled = fill_readme.fill(text)
        self.assertIn("160 visual tokens\n…\n```\nb: " + fill_readme.counts(), filled)
        self.assertNotIn("old", filled)
        self.assertTrue(filled.endswith("```\nkept\n```\n"))
        self.assertEqual(fill_readme.fill(filled), filled)

    def test_a_command_that_fails_is_not_filled_in(self):
        with self.assertRaises(AssertionError):
            fill_readme.render(
                fill_readme.Block("python3 main.py swap CLIP nonsense", None, None, "")
            )


if __name__ == "__main__":
    unittest.main()
