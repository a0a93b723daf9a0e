"""The flags of `predict`, and how it is carried out: a line of JSON out for each line in."""

import json
import sys
from collections.abc import Iterator
from typing import BinaryIO

from ..answers.predict import MAX_LINE, Batch
from ..base.errors import Refused
from ..base.reading import EvidenceError
from ..base.wording import clean
from ..library import Library
from ..show import jsonable
from .arguments import Parser, Usage, level_flag
from .console import put


def predict_arguments(parser: Parser) -> None:
    parser.add_argument(
        "file", metavar="FILE.jsonl", help="one JSON object per line (- for standard input)"
    )
    level_flag(parser)


def predict_command(args, library: Library, understood: dict | None = None) -> int:
    """One JSON line out for each line in: {"from": {…}, "to": {…}, "benchmark": "mmmu"}."""
    batch = Batch(library, args.level)
    try:
        if args.file == "-" and sys.stdin is None:
            raise Usage("predict: standard input is closed")
        file = sys.stdin.buffer if args.file == "-" else open(args.file, "rb")  # noqa: SIM115
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        why = getattr(error, "strerror", None) or error
        raise Usage(f"predict: {clean(args.file)} cannot be read: {why}") from None
    failed = False
    with file:
        for number, line in enumerate(lines(file), 1):
            try:
                value = jsonable.swap(*batch.answer(line))
            except Refused as error:
                message = error.message if isinstance(error, EvidenceError) else str(error)
                value, failed = {"error": message, "line": number}, True
            put(json.dumps(value, ensure_ascii=False))
    return 1 if failed else 0


def lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, of each at most one byte more than is allowed: whatever its length, a
    line takes no more memory than that.
    """
    while line := file.readline(MAX_LINE + 1):
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE + 1)
        yield line
