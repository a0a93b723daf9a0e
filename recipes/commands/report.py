"""The commands that draw: `report OUT.html` and `swap --plot`.

In: parsed arguments and the library. Out: files where the user said, printed text, the exit code.
The drawing is report/.
"""

import argparse
import os
import re
import sys

from ..answers.swap import sides
from ..base.wording import clean
from ..base.write import write_text
from ..effects.rows import moved_axes
from ..library import Library
from ..terms.recipe import Recipe
from ..terms.sides import two_names
from ..terms.tasks import parse_mix
from .arguments import Parser, Usage, choices_of, constraints, request_argv
from .console import PROGRAM, err, out, show

# --- report
# ------------------------------------------------------------------------------------------


def report_arguments(parser: Parser) -> None:
    from .arguments import request_flags

    parser.add_argument("out", metavar="OUT.html", help="the file to write")
    request_flags(parser)
    parser.add_argument(
        "--swap",
        nargs=2,
        metavar=("FROM", "TO"),
        action="append",
        default=[],
        help="a section about this swap, as in swap FROM TO (repeatable)",
    )
    parser.add_argument(
        "--date",
        metavar="YYYY-MM-DD",
        help="a date to print (by default the file holds none: same input, same bytes)",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="overwrite OUT.html although no report of this program stands there",
    )


def report_command(
    args: argparse.Namespace, library: Library, understood: dict | None = None
) -> int:
    """One self-contained page: the recipe, its rows, plots, costs."""
    from ..answers import report as reporting
    from ..answers.ground import Request
    from ..show import report as page
    from ..show.names import names_of, places_of

    check_target(args.out, args.force)
    if args.date is not None:
        check_date(args.date)
    words = library.words
    tasks = parse_mix(args.tasks, words)
    swaps = [((a, b), *swap_sides(a, b, library)) for a, b in args.swap]
    request = Request(
        tasks,
        constraints(args, words),
        *choices_of(args, words),
        args.top,
        args.level,
        any_parts=args.any_parts,
        trainable_with=args.trainable_with,
    )
    tell = (
        (lambda what: err(f"report: {what} …"))
        if sys.stderr is not None and sys.stderr.isatty()
        else lambda what: None
    )
    value = reporting.gather(library, request, swaps, tell)
    tables = {
        row.table
        for part in (*value.parts.values(), *value.swaps)
        for d in part.answer.result.deltas
        for row in d.evidence
    }
    tables |= {entry["table"] for entry in value.picked.citations() if entry["table"]}
    text = page.build(
        value,
        command_line(args),
        page.Names(names_of(library), places_of(library, tables)),
        args.date,
    )
    write_text(args.out, text)
    size = len(text.encode("utf-8"))
    (
        show({**(understood or {}), "ok": True, "path": args.out, "bytes": size})
        if args.json
        else out(f"wrote {clean(args.out)} ({size:,} bytes)")
    )
    return 0


def check_target(path: str, force: bool) -> None:
    """Refuse a name that is not .html, and a file that is there and is not ours."""
    from ..show.html import GENERATOR_TAG

    if not path.lower().endswith(".html"):
        raise Usage(f"report: {path[:60]!r} does not end in .html")
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        raise Usage(f"report: {path[:60]!r}: the folder {folder[:60]!r} is not there")
    if force or not os.path.isfile(path):  # what is there and no file is refused when it is written
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        if GENERATOR_TAG not in file.read(4096):
            raise Usage(
                f"report: {path[:60]!r} is there and no report of this program: another name, or"
                " --force to overwrite it"
            )


def check_date(text: str) -> None:
    """A day of the calendar."""
    import datetime

    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        datetime.date.fromisoformat(text)
    except ValueError:
        raise Usage(f"report: --date {text[:40]!r} is not a day (as in 2026-03-31)") from None


def swap_sides(a: str, b: str, library: Library) -> tuple[Recipe, Recipe]:
    """The two recipes of a --swap, on the baseline."""
    from .arguments import side_of

    words = library.words
    field, first, second = two_names(a, b, words)
    before, after = sides(
        side_of(field, first, words), side_of(field, second, words), Recipe(), words
    )
    if not moved_axes(before.stated(), after.stated(), words):
        raise Usage(
            f"report: --swap {a[:40]!r} and {b[:40]!r} are the same recipe: nothing changes"
        )
    return before, after


def command_line(args: argparse.Namespace) -> str:
    """The command that makes this report, as one would type it; flags at their defaults are left
    out.
    """
    import shlex

    argv = ["report", args.out, *request_argv(args)]
    argv += ["--top", str(args.top)] if args.top != 5 else []
    argv += ["--level", f"{args.level:g}"] if args.level != 0.8 else []
    argv += [part for pair in args.swap for part in ("--swap", *pair)]
    argv += ["--date", args.date] if args.date else []
    return f"{PROGRAM} " + " ".join(shlex.quote(part) for part in argv)
