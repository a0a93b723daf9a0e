"""The command `models`: released models by need, one model, the tree, the parts they are made of.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. The work is
answers/models.py and released/.
"""

import re

from ..library import Library
from ..terms import units
from ..terms.tasks import parse_mix
from .arguments import Parser, Usage, flag, positive
from .console import out, show, style

PROPERTIES = {
    "multi_image": "takes several images at once",
    "video": "takes video",
    "grounding": "gives boxes for words",
    "pointing": "gives points",
}


def size(text: str) -> float:
    """`5B`, `500M`, `5`: billions of parameters."""
    match = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*([bm]?)\s*", text, re.I)
    value = float(match[1]) / (1000 if match[2].lower() == "m" else 1) if match else 0.0
    if not value > 0:
        raise Usage(f"{text[:20]!r} is not a number of parameters (as in 5B or 500M)")
    return value


def models_arguments(parser: Parser) -> None:
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="show these models in full (with --tasks: rank these)",
    )
    parser.add_argument(
        "--tasks",
        metavar="MIX",
        help="rank for this task mix: documents, charts=0.5,mmmu=0.5 … (default: balanced)",
    )
    parser.add_argument(
        "--under",
        type=flag(size),
        metavar="SIZE",
        help="fewer parameters than this, all experts counted: 5B",
    )
    parser.add_argument(
        "--memory",
        type=flag(units.memory_gb),
        metavar="M",
        help="fits in this memory with one image: 24GB",
    )
    parser.add_argument(
        "--dtype",
        choices=("bf16", "int8", "int4"),
        help="number format of the weights (default: bf16)",
    )
    need_arguments(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--open", action="store_true", help="released weights only (the default)")
    which.add_argument("--all", action="store_true", help="closed models too")
    screen_arguments(parser)


def need_arguments(parser: Parser) -> None:
    """What a model must be, do or print."""
    from ..released.models import years

    for name, what in PROPERTIES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=what)
    parser.add_argument(
        "--licence",
        "--license",
        metavar="KIND",
        help=(
            "commercial (with or without conditions), open (open-source licence), or a text to find"
        ),
    )
    parser.add_argument(
        "--floor",
        action="append",
        default=[],
        metavar="B=SCORE",
        help="at least this printed score: docvqa=90 (repeatable)",
    )
    parser.add_argument(
        "--year", type=flag(years), metavar="Y", help="released in 2025, 2025+ or 2024-2025"
    )
    parser.add_argument(
        "--uses",
        action="append",
        default=[],
        metavar="NAME",
        help="built from this encoder, connector or LLM (repeatable)",
    )


def screen_arguments(parser: Parser) -> None:
    """Which models are listed, and how much is said of each."""
    parser.add_argument(
        "--top", type=flag(positive), default=10, metavar="N", help="how many to list (default: 10)"
    )
    parser.add_argument(
        "--smallest",
        action="store_true",
        help="only models that no smaller one beats, the smallest first",
    )
    parser.add_argument(
        "--why", action="store_true", help="every number behind a rank: who reported it, how, where"
    )
    parser.add_argument(
        "--tree", action="store_true", help="the decision tree: the best by need and size"
    )
    parser.add_argument(
        "--parts",
        action="store_true",
        help="what released models are built from (with --why: every part, and recipes)",
    )


def models_command(args, library: Library, understood: dict | None = None) -> int:
    """Released models by need: filter, rank for a task mix, show one."""
    from ..answers import models as answers
    from ..released.models import Need
    from ..released.ranking import NothingPrinted, tree
    from ..show import models as view
    from ..show import models_card as card
    from ..show import models_tree

    words, land = library.words, library.released
    printer = lambda value: show({**(understood or {}), **value})
    properties = tuple(name for name in PROPERTIES if getattr(args, name))
    floors = answers.floors(args.floor, land, words)
    sizes = (args.under, args.memory, args.dtype or "bf16")
    built = answers.uses(args.uses, words)
    need = Need(*sizes, properties, args.licence, floors, args.year, args.all, built)
    filtered = need._replace(dtype="bf16", closed=False) != Need()
    answers.check_licence(args.licence, land)
    if args.parts:
        if args.names or args.tasks is not None or args.tree or filtered:
            raise Usage("models: --parts is of all models: leave out names, --tasks and filters")
        parts = answers.parts(land, words)
        printer(models_tree.parts_json(parts)) if args.json else out(
            models_tree.parts_text(parts, args.why, style())
        )
        return 0
    if args.tree:
        if args.names or args.tasks is not None:
            raise Usage(
                "models: --tree asks its own tasks of all models: leave out names and --tasks"
            )
        branches = tree(land, need)
        printer(models_tree.tree_json(land, branches, need.dtype)) if args.json else out(
            models_tree.tree_text(land, branches, need, style())
        )
        return 0
    named = tuple({model.key: model for model in map(land.find, args.names)}.values())
    if named and filtered:
        raise Usage(
            "models: NAME shows that model: leave out the filters (--tasks MIX ranks the named"
            " ones)"
        )
    if named and args.tasks is None:
        if args.json:
            printer({"models": [card.card_json(land, model) for model in named]})
        else:
            out("\n\n".join(card.card_text(land, model, style()) for model in named))
        return 0
    try:
        tasks = parse_mix(args.tasks, words)
        value = answers.listing(land, tasks, need, named, args.smallest, args.top)
    except NothingPrinted as error:
        raise Usage(f"models: {error} (most print {', '.join(list(land.split)[:8])})") from None
    if args.json:
        printer(view.ranking_json(land, value))
    else:
        memory = args.memory is not None or args.dtype is not None
        out(view.ranking_text(land, value, memory, args.why, style()))
    return 0 if value.ranked else 1
