"""The command `benchmarks`: what each tests, and its noise.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. The work is
answers/benchmarks.py.
"""

from ..library import Library
from ..terms.tasks import parse_mix
from ..terms.vocabulary import UnknownName, nearest
from .arguments import Parser, Usage
from .console import out, show, style


def benchmarks_arguments(parser: Parser) -> None:
    parser.add_argument(
        "name",
        nargs="?",
        metavar="FAMILY|NAME",
        help="only this task family, or one benchmark in full",
    )
    parser.add_argument("--tasks", metavar="MIX", help="which benchmarks a task mix should watch")


def benchmarks_command(args, library: Library, understood: dict | None = None) -> int:
    """What each benchmark tests, its scale, chance level and noise."""
    from ..answers import benchmarks as yardstick
    from ..show import benchmarks as report

    words = library.words
    if args.name and args.tasks is not None:
        raise Usage("benchmarks: either a name or --tasks")
    family, one = (
        (words.find("family", args.name), words.find("benchmark", args.name))
        if args.name
        else (None, None)
    )
    if args.name and not family and not one:
        near = nearest(args.name, {**words.spellings("benchmark"), **words.spellings("family")})
        raise UnknownName("task family or benchmark", args.name, near, words.families())
    tasks = parse_mix(args.tasks, words) if args.tasks is not None else None
    seen = yardstick.survey(library.papers())
    records = words.records("benchmark")
    if one and not family:
        y = yardstick.measure(records[one], library.posterior, seen)
        (
            show({**(understood or {}), "benchmarks": [report.record_json(records[one], y)]})
            if args.json
            else out(report.card_text(records[one], y, style()))
        )
        return 0
    chosen = [
        r
        for r in records.values()
        if r["kind"] == "score" and (family is None or r["family"] == family)
    ]
    found = {r["key"]: yardstick.measure(r, library.posterior, seen) for r in chosen}
    if tasks:
        families = {records[name]["family"] for name in tasks.benchmarks}
        asked, others = yardstick.watch(
            [
                found[r["key"]]
                for r in chosen
                if r["family"] in families or r["key"] in tasks.benchmarks
            ],
            tasks.benchmarks,
        )
        value = (
            report.watch_json(tasks.parts, asked, others, tasks.benchmarks, records)
            if args.json
            else None
        )
        (
            show({**(understood or {}), **value})
            if value
            else out(
                report.watch_text(tasks.label, asked, others, tasks.benchmarks, records, style())
            )
        )
        return 0
    if args.json:
        show(
            {
                **(understood or {}),
                "benchmarks": [report.record_json(r, found[r["key"]]) for r in chosen],
            }
        )
    else:
        out(report.list_text(chosen, found, style()))
    return 0
