"""The commands that answer: `swap`, `predict`, `pick` and `ablate`.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. What they
compute is answers.py and batch.py.
"""

from ..base import wording
from ..base.wording import clean
from ..library import Library
from ..show import jsonable, pick
from ..show.names import names_of
from ..terms.tasks import parse_mix
from .arguments import (
    Parser,
    Usage,
    choices_of,
    constraints,
    request_flags,
)
from .console import out, show, style
from .plots import plot_front


def pick_arguments(parser: Parser) -> None:
    request_flags(parser)
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


def pick_command(args, library: Library, understood: dict | None = None) -> int:
    """The best recipes for a task mix, a budget and a latency target."""
    from ..answers import pick as picks

    if args.plot and not (args.pareto and args.plot.lower().endswith(".svg")):
        raise Usage("pick: --plot FILE.svg draws the front of --pareto training, latency or memory")
    tasks = parse_mix(args.tasks, library.words)
    answer = picks.answer_pick(
        library,
        tasks,
        constraints(args, library.words),
        *choices_of(args, library.words),
        args.top,
        args.level,
        risk=args.risk,
        pareto=args.pareto,
        deploy=args.deploy is not None,
        cite=None if args.json else 1,
    )
    plot = {"plot": plot_front(args.plot, answer)} if args.plot and answer.front else {}
    if args.json:
        recipes = [
            jsonable.ranked(i + 1, item, answer.deltas[i], answer.citations[i], answer.schedules[i])
            for i, item in enumerate(answer.result.recipes)
        ]
        show(
            {
                **(understood or {}),
                **jsonable.pick(
                    answer.result,
                    recipes,
                    jsonable.axis_value(answer.first) if answer.first else None,
                    answer.warnings,
                ),
                "adopt": wording.numbers(answer.adopt),
                "alternatives": wording.numbers(answer.alternatives),
                **({"pareto": jsonable.front(answer.front)} if answer.front else {}),
                **plot,
            }
        )
    else:
        lines = {
            i: [
                f"{c['axis']}:"
                f" {c['table'] or '-'}{' (arXiv ' + c['arxiv'] + ')' if c['arxiv'] else ''},"
                f" {c['why']}"
                for c in entries
            ]
            for i, entries in answer.citations.items()
        }
        out(pick.pick_text(answer, style(), lines, names_of(library)))
        if plot:
            out(f"\nwrote {clean(args.plot)}")
    return 0 if answer.result.recipes else 1
