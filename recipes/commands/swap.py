"""The flags of `swap`, and how it is carried out."""

from ..answers import swap as answers
from ..base.wording import clean
from ..effects.rows import moved_axes, relevant_papers
from ..library import Library
from ..show import swap as showing
from ..show.carried import carried_json
from ..show.names import names_of, places_of
from ..terms import sides
from ..terms.recipe import Recipe
from .arguments import (
    Parser,
    Usage,
    judged_on,
    level_flag,
    recipe_flags,
    scores_given,
    side_of,
    size_or_llm,
    stated_flags,
)
from .console import out, show, style
from .plots import check_plot, plot_argument, plot_swap


def swap_arguments(parser: Parser) -> None:
    parser.add_argument(
        "from_",
        metavar="FROM",
        help=(
            "what is replaced: an encoder, connector, LLM or 7B, data mix, 336px, '64 tokens',"
            " frozen"
        ),
    )
    parser.add_argument("to", metavar="TO", help="what replaces it")
    parser.add_argument(
        "--on", metavar="LLM", help="size or name of the LLM on both sides (7B, llama-3-8b)"
    )
    parser.add_argument(
        "--benchmark",
        action="append",
        default=[],
        metavar="B",
        help="only this benchmark (repeatable)",
    )
    parser.add_argument("--tasks", metavar="MIX", help="task mix: documents, charts=0.5,mmmu=0.5 …")
    parser.add_argument(
        "--score",
        action="append",
        default=[],
        metavar="B=VALUE",
        help=(
            "what FROM scores on a benchmark (mmmu=36.5): fewer points are left to gain near the"
            " maximum (repeatable)"
        ),
    )
    parser.add_argument(
        "--why",
        action="store_true",
        help="everything: how one number comes about, what carries it, all rows, notes",
    )
    parser.add_argument("--rows", action="store_true", help="the printed rows of this change")
    parser.add_argument("--all", action="store_true", help="all benchmarks, not those that differ")
    plot_argument(parser)
    level_flag(parser)
    recipe_flags(parser)
    recipe_flags(parser, "from-", "of FROM only")
    recipe_flags(parser, "to-", "of TO only")


def swap_request(args, library: Library) -> answers.Request:
    """What is asked: both sides, and what to answer."""
    words = library.words
    field, a, b = sides.two_names(args.from_, args.to, words)
    both = stated_flags(args, words)
    if args.on is not None:
        if {"llm", "llm_params_b"} & both.keys():
            raise Usage("swap: --on says the LLM: leave out --llm and --llm-params-b")
        both = {**size_or_llm(args.on, words), **both}
    before, after = [
        {**side_of(field, value, words), **stated_flags(args, words, prefix)}
        for value, prefix in ((a, "from_"), (b, "to_"))
    ]
    swapped = ("llm", "llm_params_b") if field in ("llm", "llm_params_b") else (field,)
    if set(swapped) & both.keys():
        said = "--on" if args.on is not None else "--" + field.replace("_", "-")
        raise Usage(
            f"swap: {args.from_[:40]} -> {args.to[:40]} already says the {field.replace('_', ' ')}"
            f" of both sides: leave out {said}"
        )
    first, second = answers.sides(before, after, Recipe(**both), words)
    if not moved_axes(first.stated(), second.stated(), words):
        raise Usage(
            f"swap: {args.from_[:40]!r} and {args.to[:40]!r} are the same recipe: nothing changes"
        )
    return answers.Request(
        first,
        second,
        *judged_on(args, words),
        args.level,
        scores_given(args.score, words) or {},
        chains=bool(args.json or args.why or args.rows or args.plot),
        carry=args.why,
    )


def swap_command(args, library: Library, understood: dict | None = None) -> int:
    """What replacing a component does to each benchmark, with its rows."""
    check_plot(args)
    answer = answers.answer(library, swap_request(args, library))
    names = names_of(library)
    value = showing.view(answer, names)
    if args.json:
        more = {"attribution": answer.carried and carried_json(answer.carried)} if args.why else {}
        more |= {"plot": plot_swap(args, answer, library)} if args.plot else {}
        show({**(understood or {}), **value, **more})
        return 0
    wanted = [name for name in ("why", "rows", "all") if getattr(args, name)]
    places = places_of(library, tables_named(answer, library)) if args.why or args.rows else {}
    out(showing.text(value, answer, names, places, style(), wanted))
    if args.plot:
        plot = plot_swap(args, answer, library)
        out(f"\nwrote {clean(plot['path'])} ({plot['bytes']:,} bytes)") if plot else None
    return 0


def tables_named(answer: answers.SwapAnswer, library: Library) -> set[str]:
    """Tables and papers that the text names."""
    a, b = answer.before.stated(), answer.after.stated()
    return {
        *relevant_papers(a, b, library.posterior, library.words),
        *(row.table for d in answer.result.deltas for row in d.evidence),
        *(answer.carried.tables if answer.carried else ()),
    }
