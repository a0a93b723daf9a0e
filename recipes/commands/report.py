"""The commands that draw: `report OUT.html` and `swap --plot`.

In: parsed arguments and the library. Out: files where the user said, printed text, the exit code.
The drawing is report/.
"""

import argparse
import os
import re
import sys

from ..answers.swap import SwapAnswer, sides
from .arguments import Parser, Usage, constraints, pairs
from .console import PROGRAM, is_plain, out, show, style
from ..effects.rows import moved_axes
from ..base.write import write_text
from ..library import Library
from ..terms.recipe import Recipe
from ..terms.tasks import parse_mix
from ..asking.door import two_names
from ..show import swap as terminal
from ..show.text import clean, percent


def plot_argument(parser: Parser) -> None:
    """--plot of `swap`."""
    parser.add_argument(
        "--plot",
        nargs="?",
        const="-",
        metavar="FILE.svg",
        help="a forest plot of the rows: in the terminal, or as a picture in a file",
    )


def check_plot(args: argparse.Namespace) -> None:
    """Refuse what --plot cannot do, before any work."""
    if args.plot is None:
        return
    if args.plot == "-" and args.json:
        raise Usage("swap: --plot draws in the terminal: with --json name a file (--plot out.svg)")
    if args.plot != "-" and not args.plot.lower().endswith(".svg"):
        raise Usage(
            f"swap: --plot {args.plot[:60]!r}: the picture's file ends in .svg (without a file,"
            " --plot stands last)"
        )
    folder = os.path.dirname(args.plot)
    if folder and not os.path.isdir(folder):
        raise Usage(f"swap: --plot {args.plot[:60]!r}: the folder {folder[:60]!r} is not there")


def only_ascii() -> bool:
    """Is plain text asked for, or can standard output not show the signs of the Unicode plot?"""
    # drawn with signs of its own: translated one by one, two of them would become the same
    if is_plain():
        return True
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        "▪├─◆".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def plot_swap(args: argparse.Namespace, answer: SwapAnswer, library: Library) -> dict | None:
    """Draw the forest plot of a swap: print it, or write it and say where (for --json)."""
    from .pick import names_of, places_of
    from ..show import forest, plots

    shown = list(answer.result.deltas) if args.benchmark else forest.drawn(answer.result)
    places = places_of(library, {row.table for d in shown for row in d.evidence})
    lower = {
        name
        for name, record in library.words.records("benchmark").items()
        if record.get("higher_is_better") is False
    }
    rest = forest.left_out(answer.result, shown)
    panels = forest.panels(
        shown, names_of(library), places, lower, None if args.why else forest.ROWS
    )
    if args.plot == "-":
        out("\n".join(forest.terminal_lines(panels, style(), only_ascii(), rest)))
        return None
    before, after = (
        terminal.side(one, answer.result.moved, other)
        for one, other in ((answer.before, answer.after), (answer.after, answer.before))
    )
    level = percent(args.level)
    about = (
        f"Change of the score from {before} to {after}: printed rows with the noise of two runs,"
        f" their pool, and the model's {level} prediction interval."
    )
    text = plots.forest(panels, f"{before} → {after}", about, level=level, after=rest)
    write_text(args.plot, text)
    return {"path": args.plot, "bytes": len(text.encode("utf-8"))}


def plot_front(path: str, answer) -> dict:
    """Write the Pareto front of a pick as a picture and say where."""
    from ..show import plots

    front, first = answer.front, answer.result.recipes[0].recipe
    points = [
        plots.Point(
            (
                "the pick"
                if recipe == first
                else terminal.unlike(recipe, first)
                if number % 4 == 0
                else ""
            ),
            cost,
            gain,
        )
        for number, (cost, gain, recipe) in enumerate(front.points)
    ]
    about = (
        f"Recipes that no cheaper one beats, for {answer.result.tasks.label}; labels: how some of"
        " them differ from the pick"
    )
    text = plots.pareto(
        points,
        f"Expected gain against {front.by} cost",
        about,
        units=(front.unit, "gain, percent of scale"),
    )
    write_text(path, text)
    return {"path": path, "bytes": len(text.encode("utf-8"))}


# --- report
# ------------------------------------------------------------------------------------------


def report_arguments(parser: Parser) -> None:
    from .pick import request_flags

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
    from .pick import names_of, places_of
    from ..show import report as page

    check_target(args.out, args.force)
    if args.date is not None:
        check_date(args.date)
    words = library.words
    tasks = parse_mix(args.tasks, words)
    swaps = [((a, b), *swap_sides(a, b, library)) for a, b in args.swap]
    avoid: dict[str, list[str]] = {}
    for field, value in pairs(args.avoid, "--avoid", words):
        avoid.setdefault(field, []).append(str(value))
    tell = (
        (lambda what: print(f"report: {what} …", file=sys.stderr, flush=True))
        if sys.stderr is not None and sys.stderr.isatty()
        else lambda what: None
    )
    value = reporting.gather(
        library,
        tasks,
        constraints(args, words),
        dict(pairs(args.fix, "--fix", words)),
        avoid,
        args.top,
        args.level,
        swaps,
        tell,
    )
    tables = {
        row.table
        for part in (*value.parts.values(), *value.swaps)
        for d in part.answer.result.deltas
        for row in d.evidence
    }
    tables |= {entry["table"] for entry in value.picked.citations[0] if entry["table"]}
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

    argv = ["report", args.out]
    for flag, value, default in (
        ("tasks", args.tasks, "balanced"),
        ("budget", args.budget, None),
        ("latency", args.latency, None),
        ("speed", args.speed, None),
        ("memory", args.memory, None),
        ("deploy", args.deploy, None),
        ("dtype", args.dtype, None),
        ("images", args.images, 1),
        ("licence", args.licence, "any"),
    ):
        argv += [f"--{flag}", str(value)] if value != default else []
    for flag, values in (("fix", args.fix), ("avoid", args.avoid), ("tables", args.tables)):
        argv += [part for value in values for part in (f"--{flag}", value)]
    argv += ["--top", str(args.top)] if args.top != 5 else []
    argv += ["--level", f"{args.level:g}"] if args.level != 0.8 else []
    argv += [part for pair in args.swap for part in ("--swap", *pair)]
    argv += ["--date", args.date] if args.date else []
    return f"{PROGRAM} " + " ".join(shlex.quote(part) for part in argv)
