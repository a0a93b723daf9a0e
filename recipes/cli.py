"""The command line: one small function per command; with console.py and cli_cost.py the only place that prints and exits.

In: argv. Out: text or JSON on stdout, one-line errors on stderr, exit code 0 (fine), 1 (findings), 2 (usage).
"""
import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence

from . import answers, question
from .arguments import (Parser, Usage, benchmark_list, common, constraints, flag, known_paper, level_flag, pairs, positive,
                        recipe_flags, side_of, size_or_llm, stated_flags)
from .cli_claims import claims_arguments, claims_command
from .cli_cost import cost_arguments, cost_command, latency_arguments, latency_command, tokens_arguments, tokens_command
from .console import PROGRAM, out, show, style
from .cost import flops
from .effects.swap import moved_axes, relevant_papers
from .evidence.reading import EvidenceError
from .evidence.vocabulary import UnknownName, fold, nearest
from .evidence.write import write_text
from .library import Library
from .picker import units
from .picker.recipe import Recipe, RecipeError, parse
from .picker.space import EmptySpace
from .picker.tasks import MixError, parse_mix
from .report import jsonable, terminal

def names_of(library: Library) -> dict[str, str]:
    """Benchmark slug -> display name."""
    short = {"mmbench_en": "MMBench", "seed_img": "SEED image", "scienceqa_img": "ScienceQA image", "mme_perception": "MME perception",
             "mmmu": "MMMU", "mmvet": "MM-Vet", "llava_wild": "LLaVA-Bench wild", "ai2d": "AI2D"}
    return {key: short.get(key, record["name"].split(" (")[0]) for key, record in library.words.records("benchmark").items()}


def places_of(library: Library, tables: set[str]) -> dict[str, str]:
    """Table id -> `Cambrian-1, Table 11`, and paper key -> `Cambrian-1`."""
    names = {}
    for paper in library.papers({name.split(".")[0] for name in tables}):
        names[paper.key] = paper.short
        for table in paper.tables:
            names[table.id] = f"{paper.short}, {table.locator}"
    return names


# --- commands -----------------------------------------------------------------------------------------------------------

def swap_arguments(parser: Parser) -> None:
    parser.add_argument("from_", metavar="FROM", help="what is replaced: an encoder, connector, LLM or 7B, data mix, 336px, '64 tokens', frozen")
    parser.add_argument("to", metavar="TO", help="what replaces it")
    parser.add_argument("--on", metavar="LLM", help="size or name of the LLM on both sides (7B, llama-3-8b)")
    parser.add_argument("--benchmark", action="append", default=[], metavar="B", help="only this benchmark (repeatable)")
    parser.add_argument("--tasks", metavar="MIX", help="task mix: documents, charts=0.5,mmmu=0.5 …")
    parser.add_argument("--why", action="store_true", help="all benchmarks and all rows")
    level_flag(parser)
    recipe_flags(parser)
    recipe_flags(parser, "from-", "of FROM only")
    recipe_flags(parser, "to-", "of TO only")


def swap_command(args, library: Library, understood: dict | None = None) -> int:
    """What replacing a component does to each benchmark, with its rows."""
    words = library.words
    field, a, b = question.two_names(args.from_, args.to, words)
    both = stated_flags(args, words)
    if args.on:
        if {"llm", "llm_params_b"} & both.keys():
            raise Usage("swap: --on says the LLM: leave out --llm and --llm-params-b")
        both = {**size_or_llm(args.on, words), **both}
    before, after = [{**side_of(field, value, words), **stated_flags(args, words, prefix)} for value, prefix in ((a, "from_"), (b, "to_"))]
    swapped = ("llm", "llm_params_b") if field in ("llm", "llm_params_b") else (field,)
    if set(swapped) & both.keys():
        raise Usage(f"swap: {args.from_[:40]} -> {args.to[:40]} already says the {field.replace('_', ' ')} of both sides: "
                    f"leave out {'--on' if args.on else '--' + field.replace('_', '-')}")
    first, second = answers.sides(before, after, Recipe(**both), words)
    if not moved_axes(first.stated(), second.stated(), words):
        raise Usage(f"swap: {args.from_[:40]!r} and {args.to[:40]!r} are the same recipe: nothing changes")
    mix = parse_mix(args.tasks, words) if args.tasks else None
    answer = answers.answer_swap(library, first, second, benchmark_list(args.benchmark, words), mix, args.level)
    if args.json:
        value = jsonable.swap(answer.before, answer.after, answer.result)
        value["warnings"] += list(answer.notes)
        value["cost"] = None if answer.costs is None else {
            "from": {**jsonable.costs(answer.costs[0]), "visual_tokens": jsonable.number(answer.costs[2])},
            "to": {**jsonable.costs(answer.costs[1]), "visual_tokens": jsonable.number(answer.costs[3])}}
        show({**(understood or {}), **value})
        return 0
    rows = relevant_papers(answer.before.stated(), answer.after.stated(), library.posterior, words) | {
        row.table for d in answer.result.deltas for row in d.evidence}
    cost = terminal.cost_change(*answer.costs) if answer.costs else []
    out(terminal.swap_text(answer.before, answer.after, answer.result, names_of(library), places_of(library, rows), style(),
                           cost_lines=cost, notes=answer.notes, why=args.why))
    return 0


def predict_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE.jsonl", help="one JSON object per line (- for standard input)")
    level_flag(parser)


def predict_command(args, library: Library, understood: dict | None = None) -> int:
    """One JSON line out for each line in: {"from": {…}, "to": {…}, "benchmark": "mmmu"}."""
    from .batch import Batch
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


def pick_arguments(parser: Parser) -> None:
    parser.add_argument("--tasks", metavar="MIX", default="balanced", help="what it is for: documents, charts=0.5,mmmu=0.5 … (default: balanced)")
    parser.add_argument("--budget", metavar="B", help="training budget: 500 A100-hours, 8xH100 for a day, 2e21 FLOP, 50M images")
    parser.add_argument("--latency", metavar="L", help="time to first token: 300ms on L4 (300 ms total on L4 for a whole answer)")
    parser.add_argument("--memory", metavar="M", help="memory of the deployment: 24GB")
    parser.add_argument("--deploy", choices=("edge", "cloud"), help="device when --latency names none: edge = Jetson AGX Orin, cloud = L4")
    parser.add_argument("--dtype", choices=("bf16", "int8", "int4"), default="bf16", help="number format of the deployed LLM weights")
    parser.add_argument("--fix", metavar="AXIS=VALUE", action="append", default=[], help="keep a field fixed: llm=qwen2.5-7b, llm_params_b=2B (repeatable)")
    parser.add_argument("--avoid", metavar="AXIS=VALUE", action="append", default=[], help="leave out a component: encoder=clip-vit-l-14 (repeatable)")
    parser.add_argument("--top", type=flag(positive), default=5, metavar="N", help="how many recipes to list")
    level_flag(parser)


def pick_command(args, library: Library, understood: dict | None = None) -> int:
    """The best recipes for a task mix, a budget and a latency target."""
    tasks = parse_mix(args.tasks, library.words)
    avoid: dict[str, list[str]] = {}
    for field, value in pairs(args.avoid, "--avoid", library.words):
        avoid.setdefault(field, []).append(str(value))
    answer = answers.answer_pick(library, tasks, constraints(args, library.words), dict(pairs(args.fix, "--fix", library.words)), avoid, args.top, args.level)
    if args.json:
        recipes = [jsonable.ranked(i + 1, item, answer.deltas[i], answer.citations[i]) for i, item in enumerate(answer.result.recipes)]
        show({**(understood or {}), **jsonable.pick(answer.result, recipes, jsonable.axis_value(answer.first) if answer.first else None,
                                                     [*answer.warnings, *answer.result.tightest])})
    else:
        lines = {i: [f"{c['axis']}: {c['table'] or '-'}{' (arXiv ' + c['arxiv'] + ')' if c['arxiv'] else ''}, {c['why']}" for c in entries]
                 for i, entries in answer.citations.items()}
        out(terminal.pick_text(answer.result, style(), lines, answer.deltas, answer.first, names_of(library), answer.warnings))
    return 0 if answer.result.recipes else 1


def ablate_arguments(parser: Parser) -> None:
    parser.add_argument("--tasks", metavar="MIX", default="balanced", help="what the model is for (default: balanced)")
    parser.add_argument("--recipe", metavar="FIELD=VALUE,…", help="the recipe you have (fields left out: LLaVA-1.5-7B); default: the best one the budget buys")
    parser.add_argument("--confidence", type=flag(units.level), default=0.8, metavar="P", help="how sure you want to be (0.8 or 80%%)")
    parser.add_argument("--budget", metavar="B", help="training budget of the pick (default: 500 A100-hours)")


def ablate_command(args, library: Library, understood: dict | None = None) -> int:
    """The axes in the order to ablate them, with runs and GPU-hours."""
    tasks = parse_mix(args.tasks, library.words)
    own = None
    if args.recipe:
        parts = [(k.strip().replace("-", "_"), v.strip()) for k, _, v in (part.partition("=") for part in args.recipe.split(","))]
        twice = next((k for i, (k, _) in enumerate(parts) if k in dict(parts[:i])), None)
        if twice:
            raise Usage(f"ablate: --recipe names {twice[:40]} twice")
        own = parse(dict(parts), library.words)[0]
    answer = answers.answer_ablate(library, tasks, own, args.confidence, units.budget(args.budget, library.words) if args.budget else None)
    if args.json:
        show({**(understood or {}), "axes": [jsonable.axis_value(v) for v in answer.values], "first": answer.values[0].axis,
              "confidence": args.confidence, "recipe": jsonable.recipe(answer.recipe), "gpu_hours_per_run": jsonable.number(answer.hours_per_run)})
    else:
        out(terminal.ablate_text(answer.values, answer.recipe, tasks.label, args.confidence, answer.assumed, style()))
    return 0


def tables_arguments(parser: Parser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "show", "find"), default="list", help="list papers, show one table or paper, find a word")
    parser.add_argument("word", nargs="?", metavar="ID|WORD", help="table id or paper key (show), any word (find)")


def tables_command(args, library: Library, understood: dict | None = None) -> int:
    """The evidence itself."""
    from .report import evidence
    if args.action != "list" and not args.word:
        raise Usage(f"tables {args.action}: which one? (as in tables {args.action} {'cambrian1.table11' if args.action == 'show' else 'siglip'})")
    return evidence.run(args.action, args.word, library, style(), show if args.json else None, out)


def benchmarks_arguments(parser: Parser) -> None:
    parser.add_argument("family", nargs="?", metavar="FAMILY", help="only this task family")


def benchmarks_command(args, library: Library, understood: dict | None = None) -> int:
    """What each benchmark tests, its scale, and how much its scores move."""
    words = library.words
    family = words.resolve("family", args.family).slug if args.family else None
    records = [r for r in words.records("benchmark").values() if r["kind"] == "score" and (family is None or r["family"] == family)]
    if args.json:
        show({"benchmarks": [{"benchmark": r["key"], "name": r["name"], "family": r["family"], "max": r["max"], "metric": r.get("metric"),
                              "chance": r.get("chance_level"), "moves": jsonable.number(library.posterior.scale.get(r["key"])),
                              "splits": r.get("splits", {}), "tests": r.get("tests"), "arxiv": r.get("arxiv")} for r in records]})
    else:
        out(terminal.benchmarks_text(records, library.posterior.scale, style()))
    return 0


def check_arguments(parser: Parser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders (default: the published tables)")
    parser.add_argument("--format", choices=("text", "json", "github"), default="text", help="how to print findings")
    parser.add_argument("--explain", metavar="RULE", help="what a rule checks")
    parser.add_argument("--accepted", action="store_true", help="list the exceptions that tables record")
    parser.add_argument("--lock", action="store_true", help="accept the tables as they are: write LOCK (of the named folder)")


def check_command(args, library: Library, understood: dict | None = None) -> int:
    """Consistency of tables: exit code 0 clean, 1 findings, 2 usage."""
    from .report import checks
    if args.explain:
        text = checks.explain(args.explain)
        if text is None:
            raise Usage(f"check: unknown rule {args.explain[:40]!r} (rules: {', '.join(checks.rules())})")
        show({"rule": args.explain, "checks": text}) if args.json else out("\n".join(terminal.wrap(f"{args.explain}: {text}", style(), hang="  ")))
        return 0
    if args.lock:
        folders = [*args.paths, *args.tables] or [library.shipped]
        for folder in folders:
            if not os.path.isdir(folder):
                raise Usage(f"check --lock: {folder} is not a folder")
        done = [checks.lock(library, folder) for folder in folders]
        show({"ok": True, "locked": done}) if args.json else out("\n".join(
            line for entry in done for line in (*entry["changes"], f"locked {entry['tables']} tables of {entry['file']}")))
        return 0
    report = checks.run(library, [*args.paths, *args.tables])
    if args.json or args.format == "json":
        show(checks.as_json(report, args.accepted))
    else:
        out(checks.as_text(report, args.format, args.accepted, style()))
    return 0 if report.ok else 1


def skill_arguments(parser: Parser) -> None:
    parser.add_argument("--check", action="store_true", help="fail when the written skill is not what the evidence gives now")
    parser.add_argument("--out", metavar="FILE", help="where to write (default: outputs/skill-vlm-recipe-picker.md)")


def skill_command(args, library: Library, understood: dict | None = None) -> int:
    """Write the agent skill from the evidence, or check that it is fresh."""
    from .report import skill
    path = args.out or skill.default_path()
    text = skill.build(library)
    if args.check:
        try:
            with open(path, encoding="utf-8") as file:
                fresh = file.read() == text
        except OSError:
            fresh = False
        message = f"{path} is {'what the evidence gives' if fresh else 'stale: run ' + PROGRAM + ' skill'}"
        show({"ok": fresh, "path": path}) if args.json else out(message)
        return 0 if fresh else 1
    write_text(path, text)
    show({"ok": True, "path": path, "lines": text.count("\n")}) if args.json else out(f"wrote {path} ({text.count(chr(10))} lines)")
    return 0


def fit_arguments(parser: Parser) -> None:
    parser.add_argument("--search", type=flag(positive), default=0, metavar="ROUNDS", help="first search the hyper-parameters by leave-one-paper-out scoring")
    parser.add_argument("--check", action="store_true", help="only say whether the stored fit belongs to the evidence")


def fit_command(args, library: Library, understood: dict | None = None) -> int:
    """Fit the model to the published tables anew."""
    from . import refit
    result = refit.run(library, args.search, args.check, lambda line: print(line, file=sys.stderr, flush=True))
    show(result) if args.json else out(result["message"])
    return 0 if result["ok"] else 1


def backtest_arguments(parser: Parser) -> None:
    parser.add_argument("--paper", action="append", default=[], metavar="KEY", help="only this paper (repeatable)")


def backtest_command(args, library: Library, understood: dict | None = None) -> int:
    """Leave-one-paper-out accuracy of the predictions."""
    from . import refit
    result = refit.backtest(library, [known_paper(key, library) for key in args.paper], lambda line: print(line, file=sys.stderr, flush=True))
    show(result) if args.json else out(refit.backtest_text(result, style()))
    return 0


COMMANDS: dict[str, tuple[Callable, Callable, str]] = {
    "swap": (swap_arguments, swap_command, 'swap CLIP SigLIP --on 7B\nswap MLP Q-Former --visual-tokens 64\nswap 7B 13B --tasks documents\nswap 336 672 --benchmark docvqa --json'),
    "predict": (predict_arguments, predict_command, 'predict changes.jsonl\npredict - < changes.jsonl'),
    "pick": (pick_arguments, pick_command, 'pick --tasks documents --budget "500 A100-hours"\npick --tasks ui-agent --fix llm_params_b=2B --memory 8GB'),
    "ablate": (ablate_arguments, ablate_command, "ablate --tasks charts --confidence 80%\nablate --tasks documents --recipe encoder=siglip,llm=qwen2-7b"),
    "tables": (tables_arguments, tables_command, "tables list\ntables show cambrian1.table11\ntables find q-former"),
    "benchmarks": (benchmarks_arguments, benchmarks_command, "benchmarks\nbenchmarks documents"),
    "check": (check_arguments, check_command, "check\ncheck my-tables/ --format github\ncheck --explain mean"),
    "claims": (claims_arguments, claims_command, "claims\nclaims L12\nclaims --verdict contradicted --why\nclaims --file my-claims.json"),
    "tokens": (tokens_arguments, tokens_command, "tokens --model qwen2-vl --image 448x280 --image 1024x768\ntokens --encoder siglip --resolution 384 --connector q-former"),
    "cost": (cost_arguments, cost_command, "cost --llm qwen2-7b --encoder siglip --resolution 384\ncost --plan three-stage --gpu H100 --gpus 16\ncost --calibration"),
    "latency": (latency_arguments, latency_command, "latency --gpu Orin --dtype int4 --llm-params-b 2B\nlatency --resolution anyres-672 --visual-tokens 2880\nlatency --calibration"),
    "skill": (skill_arguments, skill_command, "skill\nskill --check"),
    "fit": (fit_arguments, fit_command, "fit\nfit --check\nfit --search 1"),
    "backtest": (backtest_arguments, backtest_command, "backtest\nbacktest --paper prismatic --json"),
}


def parser_of(command: str) -> Parser:
    """The parser of one command."""
    arguments, run, examples = COMMANDS[command]
    lines = "\n".join(f"  {line if line.startswith('echo') else PROGRAM + ' ' + line}" for line in examples.split("\n"))
    about = "\n".join(terminal.wrap(" ".join((run.__doc__ or "").split()), terminal.Style()))
    parser = Parser(prog=f"{PROGRAM} {command}", description=about, epilog=f"examples:\n{lines}", allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    common(parser)
    return parser


def home() -> str:
    """One screen: what it does, five example questions, the commands."""
    lines = ["vlm-recipe-picker: which vision-language recipe to train, by published tables.",
             "Ask in plain words; every number in an answer names its table rows.", "", "examples:"]
    lines += [f'  {PROGRAM} "{text}"' for text in question.EXAMPLES]
    lines += ["", "commands (each has --json, --tables DIR and --help):"]
    for name, (_, run, _) in COMMANDS.items():
        lines.append(f"  {name:<11} {(run.__doc__ or '').strip().splitlines()[0].partition(': {')[0].rstrip('.')}")
    return "\n".join(lines)


def ask(text: str, rest: Sequence[str]) -> int:
    """A question in plain words: print the command it became, then its answer."""
    parser = Parser(prog=PROGRAM, add_help=False, allow_abbrev=False)
    common(parser)
    args = parser.parse_args(list(rest))
    library = Library(args.tables)
    understood = question.understand(text, library.words)
    inner = [*understood.argv[1:], *(["--json"] if args.json else []), *(x for d in args.tables for x in ("--tables", d))]
    if not args.json:
        print(style().paint("understood: " + shell([*understood.argv]), "dim"))
    parsed = parser_of(understood.command).parse_args(inner)
    return COMMANDS[understood.command][1](parsed, library, {"understood": {"command": understood.command, "argv": list(understood.argv)}})


def shell(argv: Sequence[str]) -> str:
    """A command line as one would type it."""
    import shlex
    return f"{PROGRAM} " + " ".join(shlex.quote(part) for part in argv)


def run(argv: Sequence[str]) -> int:
    """Carry out one command line and return the exit code."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(home())
        return 0
    if argv[0] == "--version":
        from . import __version__
        print(__version__)
        return 0
    if argv[0] in COMMANDS:
        args = parser_of(argv[0]).parse_args(argv[1:])
        return COMMANDS[argv[0]][1](args, Library(args.tables))
    if argv[0].startswith("-"):
        raise Usage(f"{PROGRAM}: unknown option {argv[0][:40]} (see {PROGRAM} --help)")
    text, rest = [argv[0]], list(argv[1:])
    while rest and not rest[0].startswith("-"):  # words without quotes
        text.append(rest.pop(0))
    if len(text) == 1 and " " not in text[0]:
        near = nearest(text[0], {fold(name): name for name in COMMANDS})
        raise Usage(f"unknown command {text[0][:40]!r}{'; did you mean ' + near[0] if near else ''} (commands: {', '.join(COMMANDS)}; or a question in quotes)")
    return ask(" ".join(text), rest)


ERRORS = (Usage, EvidenceError, UnknownName, units.UnitError, RecipeError, MixError, EmptySpace, answers.NothingFits, question.QuestionError,
          flops.MissingFigure)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: errors become one line on stderr and exit code 2; a closed pipe is no error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that knows only ASCII gets escapes, not an error
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(sys.argv[1:] if argv is None else list(argv))
        if sys.stdout is not None:  # None: closed by whoever started us
            sys.stdout.flush()
        return code
    except ERRORS as error:
        print(f"error: {terminal.clean(str(error))}", file=sys.stderr)
        return 2
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        print(f"error: {terminal.clean(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {terminal.clean(str(error.filename or 'output'))}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def entry() -> None:
    """Console script of the installed package."""
    sys.exit(main())
