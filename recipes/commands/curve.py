"""The flags of `curve`, and how it is carried out."""

import sys

from ..answers import parts
from ..answers.curve import Request, answer
from ..base.wording import clean
from ..library import Library
from ..picker.curve import Asked
from ..picker.limits import Constraints
from ..terms import units
from ..terms.names import meant
from ..terms.recipe import parse
from ..terms.vocabulary import Vocabulary, fold
from .arguments import Parser, Usage, flag, level_flag, number, own_fields
from .console import is_plain, out, show, style

CURVES = ("visual_tokens", "resolution", "llm_params_b", "data_size")


def curve_arguments(parser: Parser) -> None:
    parser.add_argument("axis", metavar="AXIS", help=f"what moves: {', '.join(CURVES)}")
    parser.add_argument(
        "--tasks",
        metavar="MIX",
        help="task mix: documents, charts=0.5,mmmu=0.5 … (default: balanced)",
    )
    parser.add_argument(
        "--by-family",
        action="store_true",
        help="every task family: what printed rows and the model say range by range",
    )
    parser.add_argument(
        "--from",
        dest="low",
        metavar="V",
        help=(
            "where the curve starts (default: an eighth of the recipe's value, inside the tables'"
            " range)"
        ),
    )
    parser.add_argument(
        "--to",
        dest="high",
        metavar="V",
        help="where it ends (default: eight times the recipe's value, inside the tables' range)",
    )
    parser.add_argument(
        "--points",
        type=flag(points),
        metavar="N",
        help="so many points, evenly in doublings (default: the doublings of the recipe's value)",
    )
    parser.add_argument(
        "--recipe",
        metavar="FIELD=VALUE,…",
        help="the recipe that moves (fields left out: LLaVA-1.5-7B)",
    )
    parser.add_argument(
        "--worth",
        type=number(0.0, 100.0, "a gain in percent of the scale between 0 and 100"),
        metavar="P",
        help="what a doubling of GPU-hours must bring, in percent of the scale, to pay",
    )
    parser.add_argument("--gpu", default="L4", metavar="GPU", help="what TTFT is for (default: L4)")
    parser.add_argument(
        "--train-gpu",
        default="A100",
        metavar="GPU",
        help="what the GPU-hours are of (default: A100)",
    )
    parser.add_argument("--plot", metavar="FILE.svg", help="the curve with its band as a picture")
    level_flag(parser)


def points(text: str) -> int:
    """A whole number of points between 2 and 60."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 3 or not 2 <= int(text) <= 60:
        raise Usage(f"{text[:20]!r} is not a number of points between 2 and 60")
    return int(text)


def axis_of(text: str) -> str:
    """The axis that a text names. Raises Usage."""
    known = {fold(name): name for name in CURVES} | {
        "tokens": "visual_tokens",
        "llm": "llm_params_b",
        "llmsize": "llm_params_b",
        "data": "data_size",
    }
    if fold(text) not in known:
        raise Usage(
            f"curve: unknown axis {text[:40]!r}{meant(text, known)} (axes: {', '.join(CURVES)})"
        )
    return known[fold(text)]


def curve_request(args, library: Library) -> Request:
    """What is asked. Raises Usage."""
    words, axis = library.words, axis_of(args.axis)
    stated = own_fields(args.recipe, "curve", words)
    low, high = (
        end(text, name, axis, words) for text, name in ((args.low, "--from"), (args.high, "--to"))
    )
    if low is not None and high is not None and low >= high:
        raise Usage(f"curve: --from {low:g} is not below --to {high:g}")
    asked = Asked(
        parts.whole(stated, words),
        axis,
        low,
        high,
        args.points,
        args.level,
        args.worth,
        "visual_tokens" in stated,
    )
    limits = Constraints(
        train_gpu=units.hardware(args.train_gpu, words), deploy_gpu=units.hardware(args.gpu, words)
    )
    return Request(asked, limits, args.tasks, args.by_family)


def curve_command(args, library: Library, understood: dict | None = None) -> int:
    """Score, cost and latency along an axis, and where it stops paying."""
    from ..show import curve as report

    if args.plot is not None and (args.by_family or not args.plot.lower().endswith(".svg")):
        raise Usage(
            "curve: --plot draws one curve: not with --by-family"
            if args.by_family
            else f"curve: --plot {args.plot[:60]!r}: the picture's file ends in .svg"
        )
    request = curve_request(args, library)
    value = answer(library, request)
    if args.by_family:
        if args.json:
            show({**(understood or {}), **report.families_json(value)})
        else:
            out(report.families_text(value, style()))
        return 0
    gpu, train = request.limits.deploy_gpu, request.limits.train_gpu
    plot = plot_curve(args.plot, report.curve_picture(value, gpu, train)) if args.plot else None
    if args.json:
        extra = {"plot": plot} if plot else {}
        show({**(understood or {}), **report.curve_json(value, gpu, train), **extra})
    else:
        utf = not is_plain() and "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
        out(report.curve_text(value, gpu, train, style(), utf))
        if plot:
            out(f"\nwrote {clean(plot['path'])} ({plot['bytes']:,} bytes)")
    return 0


def plot_curve(path: str, text: str) -> dict:
    """Write the picture of a curve and say where (for --json)."""
    from ..base.write import write_text

    write_text(path, text)
    return {"path": path, "bytes": len(text.encode("utf-8"))}


def end(text: str | None, name: str, axis: str, words: Vocabulary) -> float | None:
    """--from and --to: a value of the axis."""
    if text is None:
        return None
    value = parse({axis: text}, words)[0].stated()[axis]
    if not isinstance(value, (int, float)):
        raise Usage(f"curve: {name} {text[:40]!r}: pixels are needed (as in 336)")
    return float(value)
