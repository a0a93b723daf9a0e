"""The commands that answer: `swap`, `predict`, `pick` and `ablate`.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. What they
compute is answers.py and batch.py.
"""

import json
import sys
from collections.abc import Iterable

from ..answers import swap as answers
from ..asking import door as question
from .arguments import (
    Parser,
    Usage,
    benchmark_list,
    constraint_flags,
    constraints,
    flag,
    level_flag,
    number,
    pairs,
    positive,
    recipe_fields,
    recipe_flags,
    scores_given,
    side_of,
    size_or_llm,
    stated_flags,
)
from .report import check_plot, plot_argument, plot_front, plot_swap
from .console import out, show, style
from ..effects.rows import moved_axes, relevant_papers
from ..evidence.tables import Paper
from ..terms.vocabulary import Vocabulary
from ..library import Library
from ..terms import units
from ..terms.recipe import Recipe, parse
from ..terms.tasks import parse_mix
from ..show import jsonable, swap as terminal
from ..show.text import clean


def names_of(library: Library) -> dict[str, str]:
    """Benchmark slug -> display name."""
    short = {
        "mmbench_en": "MMBench",
        "seed_img": "SEED image",
        "scienceqa_img": "ScienceQA image",
        "mme_perception": "MME perception",
        "mmmu": "MMMU",
        "mmvet": "MM-Vet",
        "llava_wild": "LLaVA-Bench wild",
        "ai2d": "AI2D",
    }
    return {
        key: short.get(key, record["name"].split(" (")[0])
        for key, record in library.words.records("benchmark").items()
    }


def places_of(library: Library, tables: set[str]) -> dict[str, str]:
    """Table id -> `Cambrian-1, Table 11`, and paper key -> `Cambrian-1`."""
    names: dict[str, str] = {}

    def name(papers: Iterable[Paper]) -> None:
        for paper in papers:
            names[paper.key] = paper.short
            for table in paper.tables:  # LLaVA's own tables lie in the file of LLaVA-1.5
                names[table.id] = (
                    f"{paper.short if table.paper == paper.key else table.paper}, {table.locator}"
                )

    name(library.papers({name.split(".")[0] for name in tables}))
    if any("." in table and table not in names for table in tables):
        name(library.papers())
    return names


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
    field, a, b = question.two_names(args.from_, args.to, words)
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
                    "visual_tokens": jsonable.number(answer.costs[2]),
                },
                "to": {
                    **jsonable.costs(answer.costs[1]),
                    "visual_tokens": jsonable.number(answer.costs[3]),
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
    cost = terminal.cost_change(*answer.costs) if answer.costs else []
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
                carried_lines(carried, names, places, style(), terminal.points(told))
                if carried
                else ()
            ),
        )
    )
    if args.plot:
        plot = plot_swap(args, answer, library)
        out(f"\nwrote {clean(plot['path'])} ({plot['bytes']:,} bytes)") if plot else None
    return 0


def predict_arguments(parser: Parser) -> None:
    parser.add_argument(
        "file", metavar="FILE.jsonl", help="one JSON object per line (- for standard input)"
    )
    level_flag(parser)


def predict_command(args, library: Library, understood: dict | None = None) -> int:
    """One JSON line out for each line in: {"from": {…}, "to": {…}, "benchmark": "mmmu"}."""
    from .predict import Batch

    batch = Batch(library, args.level)
    failed = False
    try:
        if args.file == "-" and sys.stdin is None:
            raise Usage("predict: standard input is closed")
        file = sys.stdin.buffer if args.file == "-" else open(args.file, "rb")  # noqa: SIM115 (closed by the with below)
    except OSError as error:
        raise Usage(f"predict: {args.file} cannot be read: {error.strerror}") from None
    with file:
        for number, line in enumerate(file, 1):
            value = batch.answer(line, number)
            failed |= "error" in value
            print(json.dumps(value, ensure_ascii=False))
    return 1 if failed else 0


def request_flags(parser: Parser) -> None:
    """What `pick` and `report` ask for."""
    parser.add_argument(
        "--tasks",
        metavar="MIX",
        default="balanced",
        help="what it is for: documents, charts=0.5,mmmu=0.5 … (default: balanced)",
    )
    constraint_flags(parser)
    parser.add_argument(
        "--top", type=flag(positive), default=5, metavar="N", help="how many recipes to list"
    )
    level_flag(parser)


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


def choices_of(args, words: Vocabulary) -> tuple[dict[str, object], dict[str, list[str]]]:
    """--fix (field -> value) and --avoid (field -> values)."""
    avoid: dict[str, list[str]] = {}
    for field, value in pairs(args.avoid, "--avoid", words):
        avoid.setdefault(field, []).append(str(value))
    return dict(pairs(args.fix, "--fix", words)), avoid


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
                "adopt": jsonable.numbers(answer.adopt),
                "alternatives": jsonable.numbers(answer.alternatives),
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
        out(terminal.pick_text(answer, style(), lines, names_of(library)))
        if plot:
            out(f"\nwrote {clean(args.plot)}")
    return 0 if answer.result.recipes else 1


def ablate_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--tasks",
        metavar="MIX",
        default="balanced",
        help="what the model is for (default: balanced)",
    )
    parser.add_argument(
        "--recipe",
        metavar="FIELD=VALUE,…",
        help=(
            "the recipe you have (fields left out: LLaVA-1.5-7B); default: the best one the budget"
            " buys"
        ),
    )
    parser.add_argument(
        "--confidence",
        type=flag(units.level),
        default=0.8,
        metavar="P",
        help="how sure you want to be (0.8 or 80%%)",
    )
    constraint_flags(parser)
    parser.add_argument(
        "--worth",
        type=number(0.0, 100.0, "a gain in percent of the scale between 0 and 100"),
        metavar="G",
        help=(
            "the gain that makes an axis worth its runs, in percent of the mix's scale (default:"
            " the noise of one run)"
        ),
    )


def ablate_command(args, library: Library, understood: dict | None = None) -> int:
    """The axes in the order to ablate them, with runs and GPU-hours."""
    tasks = parse_mix(args.tasks, library.words)
    own = (
        parse(recipe_fields(args.recipe, "ablate: --recipe"), library.words)[0]
        if args.recipe is not None
        else None
    )
    from ..answers import pick as picks

    try:
        answer = picks.answer_ablate(
            library,
            tasks,
            own,
            args.confidence,
            constraints(args, library.words),
            *choices_of(args, library.words),
            args.worth,
        )
    except picks.NothingFits as nothing:  # no bad input: as with `pick`, exit code 1
        print(f"error: {clean(str(nothing))}", file=sys.stderr)
        return 1
    from ..show import ablate as ablation

    if args.json:
        show({**(understood or {}), **ablation.ablate_json(answer, args.confidence)})
    else:
        out(ablation.ablate_text(answer, tasks.label, args.confidence, style()))
    return 0
