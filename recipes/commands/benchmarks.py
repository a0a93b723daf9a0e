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
    from ..show import benchmarks as view

    words, said = library.words, understood or {}
    records = words.records("benchmark")
    family, one = named(args, library)
    tasks = parse_mix(args.tasks, words) if args.tasks is not None else None
    seen = yardstick.survey(library.papers())
    chosen = [
        record
        for record in records.values()
        if (record["key"] == one if one else record["kind"] == "score")
        and (family is None or record["family"] == family)
    ]
    found = {r["key"]: yardstick.measure(r, library.posterior, seen) for r in chosen}
    if tasks:
        families = {records[name]["family"] for name in tasks.benchmarks}
        near = [
            found[r["key"]]
            for r in chosen
            if r["family"] in families or r["key"] in tasks.benchmarks
        ]
        asked, others = yardstick.watch(near, tasks.benchmarks)
        if args.json:
            value = view.watch_json(tasks.parts, asked, others, tasks.benchmarks, records)
            show({**said, **value})
        else:
            out(view.watch_text(tasks.label, asked, others, tasks.benchmarks, records, style()))
    elif args.json:
        show({**said, "benchmarks": [view.record_json(r, found[r["key"]]) for r in chosen]})
    elif one:
        out(view.card_text(records[one], found[one], style()))
    else:
        out(view.list_text(chosen, found, style()))
    return 0


def named(args, library: Library) -> tuple[str | None, str | None]:
    """(task family, None) or (None, benchmark) of the name; (None, None) without one."""
    words = library.words
    if not args.name:
        return None, None
    if args.tasks is not None:
        raise Usage("benchmarks: either a name or --tasks")
    family, one = words.find("family", args.name), words.find("benchmark", args.name)
    if not family and not one:
        near = nearest(args.name, {**words.spellings("benchmark"), **words.spellings("family")})
        raise UnknownName("task family or benchmark", args.name, near, words.families())
    return family, None if family else one
