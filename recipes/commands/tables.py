"""The commands about the evidence itself: `tables`, `check`, `fit` and `backtest`.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code.
"""

from ..library import Library
from ..terms.axes import AXES, BESIDE
from ..terms.vocabulary import fold
from .arguments import Parser, Usage, flag
from .console import out, show, style

VARIED = (*AXES, *BESIDE)


def axis(text: str) -> str:
    """An axis that tables vary, as people write it."""
    name = text.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in VARIED:
        raise Usage(f"{text[:40]!r} is no axis of a table (known: {', '.join(VARIED)})")
    return name


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
        action="append",
        default=[],
        help=(
            "mixes: those with this dataset, training split or kind of data: ChartQA, charts"
            " (repeatable: with all of them)"
        ),
    )
    parser.add_argument(
        "--varies",
        metavar="AXIS",
        type=flag(axis),
        action="append",
        default=[],
        help=f"find: the tables whose rows differ in this: {', '.join(VARIED)} (repeatable)",
    )
    parser.add_argument("--public", action="store_true", help="mixes: only what can be had")


def tables_command(args, library: Library, understood: dict | None = None) -> int:
    """The evidence itself."""
    if args.action == "list" and args.words:
        raise Usage(
            f"tables list: takes no word ({args.words[0][:40]!r}): tables show or tables find"
        )
    if args.action in ("show", "find") and not args.words and not args.varies:
        raise Usage(
            f"tables {args.action}: which one? (as in tables {args.action}"
            f" {'cambrian1.table11' if args.action == 'show' else 'siglip'})"
        )
    if args.action != "mixes" and (args.public or args.contains):
        raise Usage(
            f"tables {args.action}: --{'public' if args.public else 'contains'} is for tables mixes"
        )
    if args.action != "find" and args.varies:
        raise Usage(f"tables {args.action}: --varies is for tables find")
    printer = (lambda value: show({**(understood or {}), **value})) if args.json else None
    if args.action == "mixes":
        return mixes_command(args, library, printer)
    if args.action == "names":
        return names_command(args, library, printer)
    if args.action == "find":
        return find_command(args.words, args.varies, library, printer)
    from ..show import tables as view

    if args.action == "list":
        papers = library.papers()
        value = {"papers": [view.paper_json(paper) for paper in papers]}
        printer(value) if printer else out(view.tables_text(papers, style()))
    else:
        value, found = view.shown(library, " ".join(args.words))
        printer(value) if printer else out(view.shown_text(value, found, library, style()))
    return 0


def find_command(words: list[str], varies: list[str], library: Library, printer) -> int:
    """`tables find`: the tables that have a word or vary an axis, or the cells that have several
    words.
    """
    from ..answers import tables as answers
    from ..show import tables as view

    if len(words) < 2:
        hits = answers.varying(answers.search(library, *words), varies)
        said = " ".join([*words, *(f"--varies {name}" for name in varies)])
        value = view.search_view(words[0] if words else "", varies, hits)
        printer(value) if printer else out(view.search_text(value, said, style()))
    else:
        hits = answers.varying(answers.cells(library, words), varies)
        if printer:
            printer(view.cells_view(words, varies, hits))
        elif hits:
            out(view.cells_text(hits, style()))
        else:
            some = (word for word in words if not answers.search(library, word))
            lone = [word for word in some if not answers.cells(library, [word])]
            out(view.nothing_text([*words, *varies], lone))
    return 0 if hits else 1


def mixes_command(args, library: Library, printer) -> int:
    """`tables mixes`: those that hold a dataset, are public, or have a word in their name."""
    from ..answers import mixes as answers
    from ..show import mixes as view

    mixes, words = library.words.mixes, library.words
    wanted = [answers.asked(text, mixes, words) for text in dict.fromkeys(args.contains)]
    slugs = answers.all_holders(mixes, wanted) if wanted else list(mixes.records)
    whole = {fold(slug): slug for slug in mixes.records}
    for word in map(fold, args.words):  # a mix by its own name is that one
        slugs = [
            slug
            for slug in slugs
            if slug == whole.get(word)
            or word not in whole
            and word in fold(f"{slug} {mixes.mix(slug).record.get('name') or ''}")
        ]
    if args.public:
        slugs = [slug for slug in slugs if mixes.mix(slug).public]
    rows = answers.uses(library.papers()).rows
    value = view.list_view(mixes, slugs, rows, wanted, args.words)
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
