"""What a result file says, whoever wrote it: readings, their source, numbers as files write them.

In: texts and numbers from a file. Out: Reading, Source. Opens no file: harness.py, sheet.py.
"""

import os
import re
from decimal import Decimal
from typing import NamedTuple

LMMS_EVAL, VLMEVALKIT, CSV = "lmms-eval", "VLMEvalKit", "CSV"


class Source(NamedTuple):
    """A result file, and what it says of its making (None where it does not say). `since`: a
    release that the program had at least, as the file shows; `model`: what was evaluated.
    """

    path: str
    harness: str
    version: str | None = None
    commit: str | None = None
    date: str | None = None  # YYYY-MM-DD
    since: str | None = None
    model: str | None = None

    @property
    def name(self) -> str:
        """The file's name without folders and without characters that a terminal would obey."""
        return printable(os.path.basename(self.path))


class Reading(NamedTuple):
    """One number of a result file, on the harness's scale.

    `value` is None where the file has no number (`printed` says what it has). `row`: VLMEvalKit's
    row label. `n`: questions answered; `part`: which ones, where not all were asked. `group`: the
    group that the task belongs to. `split`, `arm`, `recipe`: plain CSV only.
    """

    source: Source
    place: str
    task: str
    metric: str
    value: Decimal | None
    printed: str
    stderr: Decimal | None = None
    n: int | None = None
    part: str | None = None
    shots: int | None = None
    filter: str | None = None
    row: str | None = None
    group: str | None = None
    split: str | None = None
    arm: str | None = None
    recipe: tuple[tuple[str, str], ...] = ()


def number(value) -> Decimal | None:
    """A JSON number, or a text that is nothing but a plain decimal number, exactly as written; None
    for anything else, and from 1e15.
    """
    found = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        found = Decimal(repr(value))
    elif (
        isinstance(value, str)
        and value.isascii()
        and len(value) <= 60
        and NUMBER.fullmatch(value.strip())
    ):
        found = Decimal(value.strip())
    return found if found is not None and abs(found) < 10**15 else None


def count(value) -> int | None:
    """A whole number of questions, at least one."""
    found = number(value)
    return (
        int(found)
        if found is not None and found == found.to_integral_value() and 1 <= found < 10**9
        else None
    )


def short(value) -> str:
    """A value as it stands in the file, cut."""
    return value[:60] if isinstance(value, str) else repr(value)[:60]


NUMBER = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?")


def printable(text: str) -> str:
    """The text with a ? for each character that a terminal would obey, at most 200 long."""
    return "".join(char if char.isprintable() else "?" for char in text[:200])
