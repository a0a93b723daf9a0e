"""The flags of `pick`, and how it is carried out."""

from ..base.wording import clean
from ..library import Library
from ..picker.rank import CANDIDATES
from ..show import pick
from ..show.names import names_of
from ..terms.tasks import parse_mix
from .arguments import (
    Parser,
    Usage,
    choices_of,
    constraints,
    request_argv,
    request_flags,
    screen_flags,
)
from .console import out, show, style
from .registry import shell


def pick_arguments(parser: Parser) -> None:
    request_flags(parser)
    screen_flags(parser, why="stages, other ways to train, the next recipes, all notes")
    parser.add_argument(
        "--all", action="store_true", help="every benchmark of the tasks, and every leading recipe"
    )
    parser.add_argument(
        "--risk",
        choices=("expected", "lower", "p_better"),
        default="expected",
        help=(
            "rank by the expected gain, the lower end of its interval, or the probability of"
            " beating the baseline"
        ),
    )
    parser.add_argument(
        "--pareto",
        choices=("training", "latency", "memory"),
        help="also the recipes that no cheaper one beats, by this cost",
    )
    parser.add_argument(
        "--plot", metavar="FILE.svg", help="the Pareto front as a picture (with --pareto)"
    )


def pick_request(args, library: Library):
    """What is asked. Raises Usage, MixError and UnknownName."""
    from ..answers.ground import Request

    return Request(
        parse_mix(args.tasks, library.words),
        constraints(args, library.words),
        *choices_of(args, library.words),
        max(args.top, CANDIDATES) if args.all else args.top,
        args.level,
        args.risk,
        args.pareto,
        args.deploy is not None,
        args.any_parts,
        args.trainable_with,
    )


def pick_command(args, library: Library, understood: dict | None = None) -> int:
    """The best recipes for a task mix, a budget and a latency target."""
    from ..answers import pick as picks

    if args.plot and not (args.pareto and args.plot.lower().endswith(".svg")):
        raise Usage("pick: --plot FILE.svg draws the front of --pareto training, latency or memory")
    answer = picks.answer(library, pick_request(args, library))
    plot = _plotted(args, answer)
    # a front is asked for to be seen
    full = args.json or args.why or args.rows or bool(args.pareto)
    view = pick.view(answer, full=full)
    argv = ["pick", *request_argv(args)]
    view["next"] = next_commands(argv, view)
    if args.json:
        show({**(understood or {}), **view, **plot})
    else:
        out(text_of(args, view, library))
        if plot:
            out(f"\nwrote {clean(args.plot)}")
    return 0 if answer.result.recipes else 1


def _plotted(args, answer) -> dict:
    """The Pareto front as a picture, where one is asked for."""
    if not args.plot or not answer.front:
        return {}
    from .plots import plot_front

    return {"plot": plot_front(args.plot, answer)}


def text_of(args, view: dict, library: Library) -> str:
    """The screen that was asked for."""
    names = names_of(library)
    if args.rows or args.why or args.all or args.pareto:
        from ..show import pick_full

        if args.all and not args.why:
            return pick_full.all_text(view, names, style())
        if args.rows and not args.why:
            return pick_full.rows_text(view, style())
        return pick_full.full_text(view, names, style())
    return pick.first_screen(view, names, style())


def next_commands(argv: list[str], view: dict) -> list[str]:
    """What to type next: more of this answer, and what to run first."""
    if not view["recipes"]:
        return []
    more = "the same with --why (notes), --rows (tables), --all (benchmarks)"
    return [more, shell(["ablate", *argv[1:]])]
