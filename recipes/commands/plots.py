"""`--plot`: the flag, and where the picture goes (the terminal, or an SVG file).

In: parsed flags and an answer. Out: text for the terminal, or a file written.
"""

import argparse
import os
import sys

from ..answers.swap import SwapAnswer
from ..base.wording import percent
from ..base.write import write_text
from ..library import Library
from ..show import recipe as recipe_
from .arguments import Parser, Usage
from .console import is_plain, out, style


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
    from ..show import forest, forest_plot
    from ..show.names import names_of, places_of

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
        recipe_.side(one, answer.result.moved, other)
        for one, other in ((answer.before, answer.after), (answer.after, answer.before))
    )
    level = percent(args.level)
    about = (
        f"Change of the score from {before} to {after}: printed rows with the noise of two runs,"
        f" their pool, and the model's {level} prediction interval."
    )
    text = forest_plot.forest(panels, f"{before} → {after}", about, level=level, after=rest)
    write_text(args.plot, text)
    return {"path": args.plot, "bytes": len(text.encode("utf-8"))}


def plot_front(path: str, answer) -> dict:
    """Write the Pareto front of a pick as a picture and say where."""
    from ..show import pick, plots

    front, first = answer.front, answer.result.recipes[0].recipe
    points = [
        plots.Point(
            (
                "the pick"
                if recipe == first
                else pick.unlike(recipe, first)
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
        units=(front.unit, "gain, of 100"),
    )
    write_text(path, text)
    return {"path": path, "bytes": len(text.encode("utf-8"))}
