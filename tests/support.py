"""What the tests share: the library (read once), copies of tables to corrupt, and the command line
as a process.

In: nothing. Out: helpers. Holds no test.
"""

import contextlib
import functools
import io
import json
import os
import pathlib
import subprocess
import sys
import unittest
import unittest.mock

from recipes import cli
from recipes.library import Library, open_library

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLES = ROOT / "tables"
DATA = ROOT / "tests" / "data"

# What takes many seconds: `.ci/run` runs it, and VLM_RECIPE_SLOW=1 does.
slow = unittest.skipUnless(os.environ.get("VLM_RECIPE_SLOW"), "slow: VLM_RECIPE_SLOW=1 runs it")


@functools.cache
def library() -> Library:
    """The shipped tables."""
    return open_library()


@functools.cache
def papers():
    """All shipped papers, in the order of their keys."""
    return library().papers()


def table_of(name: str):
    """One shipped table by its id."""
    return next(table for paper in papers() for table in paper.tables if table.id == name)


def raw_paper(key: str) -> dict:
    """The parsed JSON of one shipped paper file, a fresh copy."""
    return json.loads((TABLES / f"{key}.json").read_text(encoding="utf-8"))


def oracle(name: str) -> dict:
    """Stored results of another program (tests/data)."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def call(*argv: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command line, carried out in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(list(argv))
        except SystemExit as stop:  # argparse's own way out of --help
            code = stop.code or 0
    return code, out.getvalue(), err.getvalue()


def piped(stdin: str, *argv: str) -> tuple[int, str, str]:
    """The same, with a text on stdin."""
    with unittest.mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()))):
        return call(*argv)


def printed(encoding: str, *argv: str) -> str:
    """What a command prints on a stream that knows only an encoding."""
    raw = io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(raw, encoding=encoding)) as stream:
        cli.main(list(argv))
        stream.flush()
        return raw.getvalue().decode(encoding)


answered = functools.cache(call)  # where nothing but the shipped tables and argv says the answer


def call_json(*argv: str, exit_code: int = 0) -> dict:
    """The JSON that a command prints, which ends with this exit code."""
    code, out, err = call(*argv, "--json")
    assert code == exit_code, (argv, code, err)
    return json.loads(out)


def process(*argv: str, stdin: bytes = b"", cwd=None, env=None) -> subprocess.CompletedProcess:
    """The real command in a process of its own."""
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *argv],
        input=stdin,
        capture_output=True,
        cwd=cwd or ROOT,
        env={**os.environ, **(env or {})},
        timeout=120,
    )
