#!/usr/bin/env python3
"""Find the VLM recipe picker and call it: python3 scripts/ask.py swap CLIP SigLIP --on 7B

written by vlm-recipe-picker

In: a command of the program and its arguments. Out: the program's JSON and its exit code. Where the
program is not found, one line on stderr says how to get it (exit code 3). Looked for: the folder in
VLM_RECIPE_PICKER, the command vlm-recipe, a checkout at or above the current folder. Standard
library only; also a part of the program, which copies it into the folder form of its skill.
"""

import os
import shutil
import subprocess
import sys

HELP = (
    "the VLM recipe picker is not here: set VLM_RECIPE_PICKER to the folder of its checkout, or run"
    " `pip install .` in the checkout; without it, use the tables of SKILL.md and references/ and"
    " say so"
)


def is_checkout(folder):
    """Is this the program's own source folder (and not any main.py)?"""
    return all(
        os.path.isfile(os.path.join(folder, *part))
        for part in (("main.py",), ("recipes", "cli.py"), ("tables", "LOCK"))
    )


def find():
    """The words that start the program, or None."""
    folder = os.environ.get("VLM_RECIPE_PICKER")
    if folder:
        return [sys.executable, os.path.join(folder, "main.py")] if is_checkout(folder) else None
    installed = shutil.which("vlm-recipe")
    if installed:
        return [installed]
    folder = os.getcwd()
    while not is_checkout(folder):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return [sys.executable, os.path.join(folder, "main.py")]


def main(argv):
    """Call the program with --json and return its exit code."""
    program = find()
    if program is None:
        print(HELP, file=sys.stderr)
        return 3
    if not argv or "-h" in argv or "--help" in argv:
        return subprocess.run([*program, *argv], check=False).returncode
    return subprocess.run(
        [*program, *argv, *([] if "--json" in argv else ["--json"])], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
