"""The commands that plan runs: `design` (a set of runs that separates factors) and `curve` (along
one axis).

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. The arithmetic
is experiments.py and picker/.
"""

import math
from collections.abc import Mapping

from ..answers import parts
from ..answers.cost import PLANS
from ..base.wording import clean
from ..library import Library
from ..picker.design import NoDesign
from ..show.text import wrap
from ..terms import units
from ..terms.axes import COMPONENTS
from ..terms.names import meant
from ..terms.recipe import BASELINE, FIELDS, parse, typed
from .arguments import (
    Parser,
    Usage,
    benchmark_list,
    flag,
    number,
    own_fields,
    positive,
    proxies_of,
    proxy_flag,
)
from .console import PROGRAM, out, show, style

CURVES = ("visual_tokens", "resolution", "llm_params_b", "data_size")
KINDS = ("full", "fraction", "one-at-a-time")


def effect(text: str) -> tuple[float, bool]:
    """--detect: (amount, is it percent of the scale?); 1.0 are points, 1% a hundredth of the
    scale.
    """
    try:
        value = float(text.strip().rstrip("%"))
    except ValueError:
        value = math.nan
    if not 0 < value < 1e5:
        raise Usage(
            f"{text[:20]!r} is not an effect (1.0: points of the benchmark's scale; 1%: percent"
            " of it)"
        )
    return value, text.strip().endswith("%")


# --- design
# ------------------------------------------------------------------------------------------


def design_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--factor",
        metavar="FIELD=A,B[,C]",
        action="append",
        default=[],
        required=True,
        help=(
            "a recipe field and the levels to compare (repeatable); encoder, connector, llm, data"
            " alone: the two most ablated levels"
        ),
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--fraction",
        dest="kind",
        action="store_const",
        const="fraction",
        help="the fewest settings that keep main effects apart from each other",
    )
    kind.add_argument(
        "--full", dest="kind", action="store_const", const="full", help="every combination"
    )
    kind.add_argument(
        "--one-at-a-time",
        dest="kind",
        action="store_const",
        const="one-at-a-time",
        help="each level alone against the first ones",
    )
    parser.add_argument(
        "--interactions",
        action="store_true",
        help="keep two-factor interactions apart as well, and plan seeds to see them",
    )
    parser.add_argument(
        "--seeds",
        type=flag(positive),
        metavar="N",
        help="runs of each setting (default: as many as --detect needs, else 1)",
    )
    _seeing(parser)
    parser.add_argument(
        "--recipe", metavar="FIELD=VALUE,…", help="what is held (fields left out: LLaVA-1.5-7B)"
    )
    proxy_flag(parser)
    parser.add_argument(
        "--plan",
        choices=PLANS,
        default="llava",
        help="the training stages (default: LLaVA's two)",
    )
    parser.add_argument(
        "--gpu", default="A100", metavar="GPU", help="what it is trained on (default: A100)"
    )
    _writing(parser)


def _seeing(parser: Parser) -> None:
    """What effect must be seen, where, and how surely."""
    parser.add_argument(
        "--detect",
        type=flag(effect),
        metavar="D",
        help="the effect to see: 1.0 (points of the benchmark) or 1%% (of its scale)",
    )
    parser.add_argument(
        "--benchmark",
        action="append",
        default=[],
        metavar="B[,B]",
        help="where to see it (repeatable)",
    )
    parser.add_argument(
        "--power",
        type=flag(units.level),
        default=0.8,
        metavar="P",
        help="probability to see it (default: 0.8)",
    )
    parser.add_argument(
        "--alpha",
        type=number(0.0, 0.5, "a level of a test between 0 and 0.5", False),
        default=0.05,
        metavar="P",
        help="two-sided level of the test (default: 0.05)",
    )
    parser.add_argument(
        "--correct",
        choices=("holm", "bh"),
        default="holm",
        help="for several benchmarks: Holm or Benjamini-Hochberg (default: holm)",
    )
    parser.add_argument(
        "--paired",
        type=number(0.0, 0.99, "a share between 0 and 0.99"),
        default=0.0,
        metavar="SHARE",
        help="share of the runs' variance that runs of one seed have in common (default: 0)",
    )
    parser.add_argument(
        "--new-questions",
        action="store_true",
        help="the effect must hold for questions like these, not only for these",
    )


def _writing(parser: Parser) -> None:
    """What to write for a training program."""
    parser.add_argument(
        "--export",
        metavar="DIR",
        help=(
            "write one configuration per setting here, a manifest, and the commands to evaluate and"
            " import (with --to)"
        ),
    )
    parser.add_argument(
        "--to",
        metavar="TARGET",
        help="the training program that --export writes for (export --to list shows them)",
    )
    parser.add_argument(
        "--table",
        metavar="NAME",
        help="with --export: the table to import the results into (default: my-experiment)",
    )
    parser.add_argument(
        "--force", action="store_true", help="with --export: overwrite files of other content"
    )


def design_command(args, library: Library, understood: dict | None = None) -> int:
    """The fewest runs that separate factors, with seeds and GPU-hours."""
    from ..answers import design as experiments
    from ..answers.proxy import of_all, of_experiment
    from ..show import design as report
    from ..show import proxy as screen
    from ..show.names import names_of

    words, smaller = library.words, proxies_of(args.proxy, library.words)
    own = own_fields(args.recipe, "design", words)
    factors = [factor_of(text, library) for text in args.factor]
    check_factors(factors, own)
    check_export(args, library)
    check_asked(args, factors)
    if (
        "encoder" in own
        and "resolution" not in own
        and not any("resolution" in stated for f in factors for stated in f.stated)
    ):
        own = {**own, "resolution": parts.native(words, own["encoder"]) or BASELINE.resolution}
    detect, percent = args.detect or (None, False)
    benchmarks = tuple(benchmark_list(args.benchmark, words))
    experiments.check_effect(detect, percent, benchmarks, words)
    asked = experiments.Asked(
        detect,
        percent,
        benchmarks,
        args.power,
        args.alpha,
        args.correct,
        args.seeds,
        args.paired,
        args.new_questions,
        args.interactions,
    )
    try:
        value = experiments.plan(
            library, factors, own, args.kind, asked, args.plan, units.hardware(args.gpu, words)
        )
    except NoDesign as error:
        raise Usage(f"design: {error}") from None
    proxies = screen.view(of_all(of_experiment, library, value, smaller))
    written, notes = export_runs(args, value, library) if args.export else ([], [])
    names = names_of(library)
    if args.json:
        more = {"proxies": proxies} if proxies else {}
        if written:
            more["export"] = {"target": args.to, "files": written, "notes": notes}
        show({**(understood or {}), **report.experiment_json(value, names), **more})
    else:
        out(report.experiment_text(value, names, style()))
        if proxies:
            out(screen.text(proxies, names, style(), True))
        if written:
            lines = [
                line for note in notes for line in wrap("note: " + note, style(), hang="      ")
            ]
            out("\n".join(["", *(f"wrote {clean(path)}" for path in written), *lines]))
    return 0


def check_asked(args, factors: list) -> None:
    """Refuse flags that contradict each other."""
    if args.detect and not args.benchmark:
        raise Usage("design: --detect needs a --benchmark (as in --detect 1.0 --benchmark mmmu)")
    if args.interactions and args.kind == "one-at-a-time":
        raise Usage(
            "design: one factor at a time never shows an interaction: leave out --interactions or"
            " --one-at-a-time"
        )
    if args.interactions and len(factors) < 2:
        raise Usage("design: an interaction needs two factors")


def check_export(args, library: Library) -> None:
    """Refuse --export and its flags where they cannot be carried out, before any work."""
    if not args.export:
        needs = next((name for name in ("to", "table", "force") if getattr(args, name)), None)
        if needs:
            raise Usage(f"design: --{needs} is about --export DIR, which is not given")
        return
    from ..exchange.target import PLANS, Target

    if not args.to:
        raise Usage(
            "design: --export needs --to TARGET (export --to list shows the training programs)"
        )
    args.to = Target(args.to, library.words).slug
    if args.plan not in PLANS:
        raise Usage(f"design: --export writes the plans {', '.join(PLANS)}, not {args.plan}")


def export_runs(args, value, library: Library) -> tuple[list[str], list[str]]:
    """Write the configurations of an experiment's settings: the paths, and what to know about
    them.
    """
    from ..exchange.experiment import plan_experiment, write_files

    runs = [(run.name, parts.whole(run.recipe.stated(), library.words)) for run in value.runs]
    more = {"table": args.table} if args.table else {}
    files = plan_experiment(
        runs,
        args.to,
        library.words,
        plan=args.plan,
        tasks=",".join(value.asked.benchmarks) or None,
        program=PROGRAM,
        **more,
    )
    seeds = (
        [f"each setting is one configuration: train it with {value.seeds} seeds"]
        if value.seeds > 1
        else []
    )
    return write_files(args.export, files.files, args.force), [*seeds, *files.notes]


def factor_of(text: str, library: Library):
    """--factor FIELD=A,B: canonical levels; FIELD alone: the baseline's level and the one most
    papers ablate beside it.
    """
    from ..answers.design import Factor

    field, sign, rest = text.partition("=")
    field = field.strip().replace("-", "_")
    if field not in FIELDS:
        raise Usage(
            f"design: --factor {field[:40]!r} is not a recipe"
            f" field{meant(field, FIELDS)} (fields: {', '.join(FIELDS)})"
        )
    if not sign:
        if field not in COMPONENTS:
            raise Usage(
                f"design: --factor {field}: name its levels (as in --factor resolution=336,672)"
            )
        levels = (getattr(BASELINE, field), rival(field, library))
        return Factor(field, levels, tuple({field: level} for level in levels), True)
    stated = [
        parse({field: level.strip()}, library.words)[0].stated()
        for level in rest.split(",")
        if level.strip()
    ]
    if len(stated) < 2:
        raise Usage(
            f"design: --factor {text[:60]!r} has {'one level' if stated else 'no levels'}: "
            "a factor needs two or more (as in --factor encoder=clip,siglip)"
        )
    levels = tuple(label(level) for level in stated)
    twice = next((level for i, level in enumerate(levels) if level in levels[:i]), None)
    if twice:
        raise Usage(f"design: --factor {field} names the level {twice} twice")
    if len({frozenset(level) for level in stated}) > 1:
        both = next(
            pair
            for pair in zip(levels, levels[1:], stated, stated[1:])
            if set(pair[2]) != set(pair[3])
        )
        fields, such = (
            sorted({name for level in stated for name in level}),
            (" (as in encoder=clip@336,siglip@384)" if field == "encoder" else ""),
        )
        raise Usage(
            f"design: --factor {field}: {both[0]} and {both[1]} do not state the same fields: say"
            f" {' and '.join(fields)} at every level{such}"
        )
    return Factor(field, levels, tuple(stated))


def label(stated: Mapping[str, object]) -> str:
    """A level as one word: `siglip-so400m-14`, `7B`, `siglip-so400m-14@384`."""
    return "@".join(typed(field, value) for field, value in stated.items())


def rival(field: str, library: Library) -> str:
    """The level, beside the baseline's, that most papers ablate, of the nearest size where several
    do (an LLM within a quarter of its size).
    """
    support, records, base = (
        library.posterior.support,
        library.words.records(field),
        getattr(BASELINE, field),
    )
    found = []
    for slug, record in records.items():
        size, own = (
            entry.get({"llm": "params_b", "data": "samples"}.get(field))
            for entry in (record, records[base])
        )
        if (
            slug == base
            or f"{field}={slug}" not in support
            or own
            and (not size or field == "llm" and not 0.8 < size / own < 1.25)
        ):
            continue
        found.append(
            (-len(support[f"{field}={slug}"]), abs(math.log(size / own)) if own else 0.0, slug)
        )
    return min(found)[2]


def check_factors(factors, own: Mapping[str, object]) -> None:
    """Raises Usage for a field that two factors, or a factor and --recipe, both state."""
    owner: dict[str, str] = {}
    for factor in factors:
        clash = {"llm": "llm_params_b", "llm_params_b": "llm"}
        for field in sorted({name for stated in factor.stated for name in stated}):
            for name in (field, clash.get(field, field)):
                if name in owner:
                    raise Usage(
                        f"design: --factor {factor.name} is given twice"
                        if owner[name] == factor.name
                        else (
                            f"design: --factor {owner[name]} and --factor {factor.name} both state"
                            f" {name}"
                        )
                    )
            if field in own or clash.get(field) in own:
                raise Usage(
                    f"design: --recipe already says {field if field in own else clash[field]}, a"
                    f" level of --factor {factor.name}"
                )
        owner.update({field: factor.name for stated in factor.stated for field in stated})
