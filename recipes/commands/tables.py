"""The commands about the evidence itself: `tables`, `check`, `fit` and `backtest`.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code.
"""

import argparse
import os
import re

from ..library import Library
from ..show.text import wrap
from ..terms.vocabulary import fold
from .arguments import Parser, Usage, flag, in_checkout, known_paper, positive
from .console import err, out, show, style


def tables_arguments(parser: Parser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "find", "mixes", "names"),
        default="list",
        help=(
            "list papers, show one table, paper or data mix, find a word, list data mixes, list"
            " what can be named on an axis"
        ),
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="ID|WORD",
        help=(
            "table id, paper key or data mix (show); what a cell must have: paper, arm, setting,"
            " benchmark (find); part of a name (mixes); an axis, and part of a name (names)"
        ),
    )
    parser.add_argument(
        "--contains",
        metavar="DATASET",
        help="mixes: those with this dataset, training split or kind of data: ChartQA, charts",
    )
    parser.add_argument("--public", action="store_true", help="mixes: only what can be had")


def tables_command(args, library: Library, understood: dict | None = None) -> int:
    """The evidence itself."""
    if args.action == "list" and args.words:
        raise Usage(
            f"tables list: takes no word ({args.words[0][:40]!r}): tables show or tables find"
        )
    if args.action in ("show", "find") and not args.words:
        raise Usage(
            f"tables {args.action}: which one? (as in tables {args.action}"
            f" {'cambrian1.table11' if args.action == 'show' else 'siglip'})"
        )
    if args.action != "mixes" and (args.public or args.contains is not None):
        raise Usage(
            f"tables {args.action}: --{'public' if args.public else 'contains'} is for tables mixes"
        )
    printer = (lambda value: show({**(understood or {}), **value})) if args.json else None
    if args.action == "mixes":
        return mixes_command(args, library, printer)
    if args.action == "names":
        return names_command(args, library, printer)
    if args.action == "find":
        return find_command(args.words, library, printer)
    from ..show import tables as view

    if args.action == "list":
        papers = library.papers()
        value = {"papers": [view.paper_json(paper) for paper in papers]}
        printer(value) if printer else out(view.tables_text(papers, style()))
    else:
        value, found = view.shown(library, " ".join(args.words))
        printer(value) if printer else out(view.shown_text(value, found, library, style()))
    return 0


def find_command(words: list[str], library: Library, printer) -> int:
    """`tables find`: the tables that have a word, or the cells that have several."""
    from ..answers import tables as answers
    from ..show import tables as view

    if len(words) == 1:
        hits = answers.search(library, words[0])
        value = view.search_view(words[0], hits)
        printer(value) if printer else out(view.search_text(value, style()))
    else:
        hits = answers.cells(library, words)
        if printer:
            printer(view.cells_view(words, hits))
        elif hits:
            out(view.cells_text(hits, style()))
        else:
            some = (word for word in words if not answers.search(library, word))
            lone = [word for word in some if not answers.cells(library, [word])]
            out(view.nothing_text(words, lone))
    return 0 if hits else 1


def mixes_command(args, library: Library, printer) -> int:
    """`tables mixes`: those that hold a dataset, are public, or have a word in their name."""
    from ..answers import mixes as answers
    from ..show import mixes as view

    mixes, words = library.words.mixes, library.words
    wanted = answers.asked(args.contains, mixes, words) if args.contains is not None else None
    slugs = answers.holders(mixes, wanted) if wanted else list(mixes.records)
    for word in map(fold, args.words):
        slugs = [s for s in slugs if word in fold(f"{s} {mixes.mix(s).record.get('name') or ''}")]
    if args.public:
        slugs = [slug for slug in slugs if mixes.mix(slug).public]
    rows = answers.uses(library.papers()).rows
    value = view.list_view(mixes, slugs, rows, wanted)
    printer(value) if printer else out(view.list_text(value, style()))
    return 0 if slugs else 1


def names_command(args, library: Library, printer) -> int:
    """`tables names AXIS [WORD]…`: what can be named there."""
    from ..answers import vocabulary as answers
    from ..show import vocabulary as view

    if not args.words:
        printer({"axes": list(answers.KINDS)}) if printer else out(view.kinds_text(style()))
        return 0
    kind = answers.kind_of(args.words[0])
    found = answers.names(library, kind)
    for word in map(fold, args.words[1:]):
        found = [one for one in found if any(word in fold(x) for x in (one[0], one[1], *one[2]))]
    value = view.names_view(kind, found)
    printer(value) if printer else out(view.names_text(value, style()))
    return 0 if found else 1


def check_arguments(parser: Parser) -> None:
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files or folders (default: the published tables)"
    )
    parser.add_argument(
        "--format", choices=("text", "json", "github"), default="text", help="how to print findings"
    )
    parser.add_argument("--explain", metavar="RULE", help="what a rule checks")
    parser.add_argument(
        "--accepted", action="store_true", help="list the exceptions that tables record"
    )
    parser.add_argument(
        "--lock",
        action="store_true",
        help="accept the tables as they are: write LOCK (of the named folder)",
    )


def check_command(args, library: Library, understood: dict | None = None) -> int:
    """Consistency of tables: exit code 0 clean, 1 findings, 2 usage."""
    from ..show import check as checks

    if args.explain:
        text = checks.explain(args.explain)
        if text is None:
            raise Usage(
                f"check: unknown rule {args.explain[:40]!r} (rules: {', '.join(checks.rules())})"
            )
        (
            show({"rule": args.explain, "checks": text})
            if args.json
            else out("\n".join(wrap(f"{args.explain}: {text}", style(), hang="  ")))
        )
        return 0
    if args.lock:
        folders = [*args.paths, *args.tables]
        if not folders:
            in_checkout("check --lock", "name the folder of your tables")
            folders = [library.shipped]
        for folder in folders:
            if not os.path.isdir(folder):
                raise Usage(f"check --lock: {folder} is not a folder")
        done = [checks.lock(library, folder) for folder in folders]
        (
            show({"ok": True, "locked": done})
            if args.json
            else out(
                "\n".join(
                    line
                    for entry in done
                    for line in (
                        *entry["changes"],
                        f"locked {entry['tables']} tables of {entry['file']}",
                    )
                )
            )
        )
        return 0
    asked = [*args.paths, *args.tables]
    report = checks.run(library, asked)
    if asked and report.ok and not report.tables:  # a wrong path must not pass for ever
        raise Usage(f"check: no tables in {', '.join(map(str, asked))} (files of tables: *.json)")
    if args.json or args.format == "json":
        show(checks.as_json(report, args.accepted))
    else:
        out(checks.as_text(report, args.format, args.accepted, style()))
    return 0 if report.ok else 1


def fit_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--search",
        type=flag(positive),
        default=0,
        metavar="ROUNDS",
        help="first search the hyper-parameters by leave-one-paper-out scoring",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="only say whether the stored fit belongs to the evidence",
    )


def fit_command(args, library: Library, understood: dict | None = None) -> int:
    """Fit the model to the published tables anew."""
    from ..answers import fit as refit

    if not args.check:
        in_checkout("fit", "run it in a checkout")
    result = refit.run(library, args.search, args.check, err)
    show(result) if args.json else out(result["message"])
    return 0 if result["ok"] else 1


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
