"""The flags of `swap`, and how it is carried out."""

from ..answers import swap as answers
from ..base import wording
from ..base.wording import clean
from ..effects.rows import moved_axes, relevant_papers
from ..library import Library
from ..show import cost as costs
from ..show import jsonable
from ..show import swap as terminal
from ..show.names import names_of, places_of
from ..terms import sides
from ..terms.recipe import Recipe
from ..terms.tasks import parse_mix
from .arguments import (
    Parser,
    Usage,
    benchmark_list,
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
        help="all benchmarks and rows, how one number comes about, and what carries it",
    )
    plot_argument(parser)
    level_flag(parser)
    recipe_flags(parser)
    recipe_flags(parser, "from-", "of FROM only")
    recipe_flags(parser, "to-", "of TO only")


def swap_command(args, library: Library, understood: dict | None = None) -> int:
    """What replacing a component does to each benchmark, with its rows."""
    check_plot(args)
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
        raise Usage(
            f"swap: {args.from_[:40]} -> {args.to[:40]} already says the {field.replace('_', ' ')}"
            " of both sides: leave out"
            f" {'--on' if args.on is not None else '--' + field.replace('_', '-')}"
        )
    first, second = answers.sides(before, after, Recipe(**both), words)
    if not moved_axes(first.stated(), second.stated(), words):
        raise Usage(
            f"swap: {args.from_[:40]!r} and {args.to[:40]!r} are the same recipe: nothing changes"
        )
    mix = parse_mix(args.tasks, words) if args.tasks is not None else None
    answer = answers.answer_swap(
        library,
        first,
        second,
        benchmark_list(args.benchmark, words),
        mix,
        args.level,
        chains=args.json or args.why,
        scores=scores_given(args.score, words),
    )
    carried = told = None
    if args.why:
        from ..show.carried import carried_json, carried_lines

        told = terminal.explained(answer.result)
        carried = answers.what_carries(library, answer, told.benchmark) if told else None
    if args.json:
        value = jsonable.swap(answer.before, answer.after, answer.result)
        value["warnings"] += list(answer.notes)
        value["llm_size_interaction"] = jsonable.slope(answer.by_size)
        value["cost"] = (
            None
            if answer.costs is None
            else {
                "from": {
                    **jsonable.costs(answer.costs[0]),
                    "visual_tokens": wording.number(answer.costs[2]),
                },
                "to": {
                    **jsonable.costs(answer.costs[1]),
                    "visual_tokens": wording.number(answer.costs[3]),
                },
            }
        )
        value |= {"attribution": carried and carried_json(carried)} if args.why else {}
        value |= {"plot": plot_swap(args, answer, library)} if args.plot else {}
        show({**(understood or {}), **value})
        return 0
    rows = relevant_papers(
        answer.before.stated(), answer.after.stated(), library.posterior, words
    ) | {row.table for d in answer.result.deltas for row in d.evidence}
    cost = costs.cost_change(*answer.costs) if answer.costs else []
    notes = list(answer.notes)
    if args.score:
        notes.append(
            "at the scores given for "
            + ", ".join(d.benchmark for d in answer.result.deltas if d.score is not None)
            + "; elsewhere, and in the mix, at each benchmark's usual score"
        )
    if answer.by_size:
        notes.insert(0, terminal.slope_note(answer.by_size))
    elif "llm" not in answer.result.moved:
        notes.insert(
            0,
            "no table makes this change at two LLM sizes: it is taken to do the same at every size",
        )
    names, places = (
        names_of(library),
        places_of(library, rows | set(carried.tables if carried else ())),
    )
    out(
        terminal.swap_text(
            answer.before,
            answer.after,
            answer.result,
            names,
            places,
            style(),
            cost_lines=cost,
            notes=notes,
            why=args.why,
            carried=(
                carried_lines(carried, names, places, style(), wording.points(told))
                if carried
                else ()
            ),
        )
    )
    if args.plot:
        plot = plot_swap(args, answer, library)
        out(f"\nwrote {clean(plot['path'])} ({plot['bytes']:,} bytes)") if plot else None
    return 0
