"""`completion` (scripts that shells accept and that complete) and `--plain`."""

import os
import shutil
import subprocess
import tempfile
import unittest

from recipes.commands import completion_scripts as completion
from recipes.commands import console, registry

from .support import call, call_json

BASH = shutil.which("bash")


class Completion(unittest.TestCase):
    def test_all_commands_and_flags_stand_in_each_script(self):
        for shell in completion.SHELLS:
            code, out, err = call("completion", shell)
            self.assertEqual((code, err), (0, ""))
            for name in registry.COMMANDS:
                self.assertIn(name, out, (shell, name))
            for action in registry.parser_of("pick")._actions:
                for flag in action.option_strings:
                    self.assertIn(flag if shell != "fish" else flag.lstrip("-"), out, (shell, flag))
            self.assertEqual(call_json("completion", shell)["script"], out)
            self.assertNotIn(
                "--words ",
                " ".join(line for line in out.splitlines() if "completion --words" not in line),
            )

    def test_names(self):
        for kind in completion.KINDS:
            code, out, err = call("completion", "--words", kind)
            self.assertEqual((code, err), (0, ""))
            names = out.split("\n")[:-1]
            self.assertTrue(names, kind)
            self.assertFalse(
                [name for name in names if any(c.isspace() or c in "'\"`$" for c in name)], kind
            )
        self.assertIn("siglip-so400m-14", call("completion", "--words", "encoder")[1])
        self.assertIn("cambrian1.table11", call("completion", "--words", "table")[1])

    def test_usage(self):
        for argv in (("completion",), ("completion", "tcsh"), ("completion", "--words", "cheese")):
            code, out, err = call(*argv)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), argv)

    def test_scripts_are_accepted_by_the_shells_that_are_here(self):
        for shell, flag in (("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")):
            if shutil.which(shell):
                with (
                    self.subTest(shell),
                    tempfile.NamedTemporaryFile("w", suffix=f".{shell}") as file,
                ):
                    file.write(call("completion", shell)[1])
                    file.flush()
                    done = subprocess.run(
                        [shell, flag, file.name], capture_output=True, text=True, timeout=60
                    )
                    self.assertEqual((done.returncode, done.stderr), (0, ""))

    @unittest.skipUnless(BASH, "no bash here")
    def test_bash_completes(self):
        """The script is sourced in a real bash and asked for a few words; names come from the
        program.
        """
        asked = {
            ("vlm-recipe", "sw"): "swap",
            ("vlm-recipe", "pick", "--dt"): "--dtype",
            ("vlm-recipe", "pick", "--dtype", "int"): "int8 int4",
            ("vlm-recipe", "tables", "s"): "show",
            ("vlm-recipe", "pick", "--tasks", "cha"): "chart chat-judged",
            ("vlm-recipe", "pick", "--budget", "5"): "",
            ("vlm-recipe", "completion", "z"): "zsh",
        }
        with tempfile.NamedTemporaryFile("w", suffix=".bash") as file:
            file.write(call("completion", "bash")[1])
            file.write(
                'try() { COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _vlm_recipe; echo'
                ' "${COMPREPLY[*]}"; }\n'
            )
            file.write("".join("try " + " ".join(words) + "\n" for words in asked))
            file.flush()
            done = subprocess.run(
                [BASH, "--norc", file.name],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=tempfile.gettempdir(),
                env={**os.environ, "PATH": "/usr/bin:/bin"},
            )
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout.splitlines(), list(asked.values()))


class Plain(unittest.TestCase):
    def tearDown(self):
        console.plain(False)

    def test_ascii_and_no_escapes(self):
        for argv in (
            ("swap", "CLIP", "SigLIP"),
            ("models", "--tasks", "documents", "--top", "3"),
            ("curve", "resolution", "--tasks", "charts"),
            ("tables", "list"),
            ("design", "--factor", "encoder"),
            ("what does MMVP test",),
        ):
            plain, rich = call(*argv, "--plain"), call(*argv)
            self.assertEqual((plain[0], plain[2]), (rich[0], rich[2]), argv)
            self.assertTrue(plain[1].isascii(), [c for c in plain[1] if not c.isascii()])
            self.assertNotIn("\x1b", plain[1])
            # columns stay where they are
            self.assertEqual(
                [len(line) for line in plain[1].splitlines()],
                [len(line) for line in rich[1].splitlines()],
                argv,
            )
        self.assertTrue(call("tables", "list", "--plain", "--json")[1].isascii())

    def test_colour_is_off_even_when_forced(self):
        before = os.environ.get("FORCE_COLOR")
        os.environ["FORCE_COLOR"] = "1"
        try:
            self.assertIn("\x1b", call("swap", "CLIP", "SigLIP")[1])
            self.assertNotIn("\x1b", call("swap", "CLIP", "SigLIP", "--plain")[1])
        finally:
            (
                os.environ.pop("FORCE_COLOR")
                if before is None
                else os.environ.update(FORCE_COLOR=before)
            )

    def test_marks_keep_their_meaning(self):
        self.assertEqual(console.ascii_only("-1.3 … +1.8"), "-1.3...+1.8")
        self.assertEqual(console.ascii_only("86.6 ± 0.9"), "86.6 +-0.9")
        self.assertEqual(console.ascii_only("Müller 3 × 3 日"), "Muller 3 x 3 ?")

    def test_every_command_has_it(self):
        for name in registry.COMMANDS:
            self.assertIn("--plain", registry.parser_of(name).format_help(), name)


if __name__ == "__main__":
    unittest.main()
