"""The commands `models` (released models by need) and `benchmarks` (what each tests, and its
noise).

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. The work is
landscape.py and yardstick.py.
"""

import re

from ..library import Library
from ..terms import units
from ..terms.tasks import parse_mix
from ..terms.vocabulary import UnknownName, fold, nearest
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
    from ..released.models import years

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
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--open", action="store_true", help="released weights only (the default)")
    which.add_argument("--all", action="store_true", help="closed models too")
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


def floors(texts: list[str], land, words) -> tuple[tuple[str, str | None, float], ...]:
    """--floor docvqa=90: (benchmark of the model registry, split, value in its own unit)."""
    from ..released.ranking import place

    found = []
    for text in texts:
        name, sign, value = (part.strip() for part in text.replace(">=", "=").partition("="))
        match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(\s*%)?", value)
        if not sign or not match:
            raise Usage(f"models: --floor {text[:40]!r}: as in --floor docvqa=90")
        where = place(land, words.benchmark(name))
        if where is None:
            raise Usage(
                f"models: --floor {name[:40]}: no released model in the registry prints it (most"
                f" print {', '.join(list(land.split)[:8])})"
            )
        top = land.records[where[0]]["max"]
        least = float(match[1]) * (top / 100 if match[2] else 1)
        if not 0 < least <= top:
            raise Usage(f"models: --floor {text[:40]}: {where[0]} goes from 0 to {top:g}")
        found.append((*where, least))
    return tuple(found)


def below(land, model, benchmark: str, split: str | None, least: float) -> bool:
    """Whether another source of a model that passes a floor prints less, on the split that
    counted.
    """
    from ..released.models import headline

    first = headline(model, benchmark, split) or headline(model, benchmark, None)
    top = land.records[benchmark]["max"]
    return any(
        s.value / s.max * top < least
        for s in model.scores
        if (s.benchmark, s.split) == (benchmark, first.split) and s.setup != "transfer"
    )


def unbeaten(ranked: list) -> list:
    """The ranked models of known size that no smaller or equally large one outscores, the smallest
    first: each next one is larger and better.
    """
    sized = sorted(
        (r for r in ranked if r.model.params_b),
        key=lambda r: (r.model.params_b, -r.score, r.model.key),
    )
    kept, best = [], float("-inf")
    for item in sized:
        if item.score > best:
            kept.append(item)
            best = item.score
    return kept


def models_command(args, library: Library, understood: dict | None = None) -> int:
    """Released models by need: filter, rank for a task mix, show one."""
    from ..released.models import Landscape, Need, Sieve, sieve
    from ..released.ranking import NothingPrinted, rank, targets, tree, would_lead
    from ..show import models as report

    words = library.words
    land = Landscape(words)
    need = Need(
        args.under,
        args.memory,
        args.dtype or "bf16",
        tuple(name for name in PROPERTIES if getattr(args, name)),
        args.licence,
        floors(args.floor, land, words),
        args.year,
        args.all,
    )
    filtered = need._replace(dtype="bf16", closed=False) != Need()
    if args.licence is not None and not args.licence.strip():
        raise Usage(
            "models: --licence: commercial, open, or a text to find (as in --licence apache)"
        )
    if args.licence not in (None, "commercial", "open"):
        known = sorted(
            {model.record["license"] for model in land.models if model.record["license"]}
        )
        if not any(fold(args.licence) in fold(text) for text in known):
            raise UnknownName(
                "licence",
                args.licence,
                nearest(
                    args.licence, {fold(text): text for text in ("commercial", "open", *known)}
                ),
            )
    if args.tree:
        if args.names or args.tasks is not None:
            raise Usage(
                "models: --tree asks its own tasks of all models: leave out names and --tasks"
            )
        branches = tree(land, need)
        (
            show({**(understood or {}), **report.tree_json(land, branches, need.dtype)})
            if args.json
            else out(report.tree_text(land, branches, need, style()))
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
            show(
                {**(understood or {}), "models": [report.card_json(land, model) for model in named]}
            )
        else:
            out("\n\n".join(report.card_text(land, model, style()) for model in named))
        return 0
    tasks = parse_mix(args.tasks, words)
    try:
        wanted, notes = targets(land, tasks)
    except NothingPrinted as error:
        raise Usage(f"models: {error} (most print {', '.join(list(land.split)[:8])})") from None
    found = Sieve(named, {}, {}) if named else sieve(land, need)
    need = need._replace(closed=need.closed or bool(named))
    ranked, silent = rank(land, found.models, wanted)
    if ranked:
        unsaid = would_lead(
            land, (m for models in found.unsaid.values() for m in models), wanted, ranked[0]
        )
        if unsaid:
            notes.append(
                "would be among the first if the registry said that they pass: "
                + ", ".join(r.model.name for r in unsaid[:5])
            )
        if need.under_b:
            above = sieve(land, need._replace(under_b=1.1 * need.under_b)).models
            close = would_lead(land, (m for m in above if m not in found.models), wanted, ranked[0])
            if close:
                notes.append(
                    f"at {need.under_b:g}B or just above, and among the best: "
                    + ", ".join(
                        f"{r.model.name} ({report.params(r.model)}, {r.score:.1f})"
                        for r in close[:5]
                    )
                )
    listed = unbeaten(ranked) if args.smallest else None
    if args.smallest:
        notes.append(
            "--smallest: listed are the models that no other of their size or below outscores"
        )
    for benchmark, split, least in need.floors:
        torn = [
            r.model.name
            for r in ranked[: args.top]
            if below(land, r.model, benchmark, split, least)
        ]
        if torn:
            notes.append(
                f"{benchmark} at least {least:g} by their first source, below it by another: "
                + ", ".join(torn)
            )
    if need.licence == "commercial":
        notes.append(
            "conditions on commercial use (models NAME says which): "
            + (
                ", ".join(
                    r.model.name for r in ranked[: args.top] if r.model.licence[0] == "conditions"
                )
                or "none of those listed"
            )
        )
    if args.json:
        show(
            {
                **(understood or {}),
                **report.ranking_json(
                    land, found, ranked, silent, wanted, tasks.parts, need, args.top, notes, listed
                ),
            }
        )
    else:
        memory = args.memory is not None or args.dtype is not None
        out(
            report.ranking_text(
                land,
                found,
                ranked,
                silent,
                wanted,
                tasks.label,
                need,
                memory,
                args.top,
                notes,
                args.why,
                style(),
                listed,
            )
        )
    return 0 if ranked else 1


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
