"""The flags of `backtest`, and how it is carried out."""

import argparse
import re

from ..library import Library
from .arguments import Parser, Usage, known_paper
from .console import err, out, show, style


def month(text: str) -> str:
    """A month as papers' arXiv numbers have it: 2024-06."""
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a month (as in 2024-06)")
    return text


def backtest_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--paper",
        action="append",
        default=[],
        metavar="KEY",
        help=(
            "only this published paper (repeatable); not together with --tables DIR, which scores"
            " the tables of DIR instead"
        ),
    )
    parser.add_argument(
        "--as-of",
        metavar="YYYY-MM",
        type=month,
        help="fit on what was printed before this month, predict what came after",
    )
    parser.add_argument(
        "--curve",
        action="store_true",
        help="the latest papers, predicted as of each half year before them",
    )
    parser.add_argument(
        "--models",
        action="store_true",
        help="released models' scores, forecast from those of LLaVA-1.5-7B without their papers",
    )


def backtest_command(args, library: Library, understood: dict | None = None) -> int:
    """How well unseen papers are predicted: leave one paper out, against simple rules; with
    --tables DIR, the tables of DIR from the published ones.
    """
    from ..answers import asof, forecast
    from ..answers import backtest as scoring
    from ..show import backtest

    if args.tables and args.paper:
        raise Usage(
            "backtest: --paper is about the published papers and --tables DIR scores those of DIR"
            " instead: give one of the two"
        )
    asked = [
        name
        for name, given in (
            ("--paper", args.paper),
            ("--tables", args.tables),
            ("--as-of", args.as_of),
            ("--curve", args.curve),
            ("--models", args.models),
        )
        if given
    ]
    if len(asked) > 1:
        raise Usage(f"backtest: {' and '.join(asked)} ask for different things: give one of them")
    text = backtest.backtest_text
    if args.curve:
        result, text = asof.curve(library, err), backtest.curve_text
    elif args.models:
        result, text = forecast.forecast(library, err), backtest.models_text
    elif args.as_of:
        result = asof.as_of(library, args.as_of, err)
    elif args.tables:
        result = scoring.other_tables(library)
    else:
        result = scoring.backtest(
            library,
            [known_paper(key, library) for key in args.paper],
            err,
        )
    (show({**(understood or {}), **result}) if args.json else out(text(result, style())))
    return 0
