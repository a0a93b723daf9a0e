"""The command line: which command an argv means, its help, its errors and its exit code.

In: argv. Out: text or JSON on stdout, one-line errors on stderr, exit code 0 (fine), 1 (findings),
2 (usage). The commands are functions `NAME_arguments` and `NAME_command` of the cli_*.py modules,
loaded when they are asked for.
"""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .commands.arguments import Parser, Usage, common
from .commands.console import PROGRAM, announce, out, plain, show, style
from .base.errors import Refused
from .terms.vocabulary import fold, nearest
from .library import Library
from .show import text


class Command(NamedTuple):
    """A command: the module that has it, what it does in one line, and examples, one per line."""

    module: str
    summary: str
    examples: str

    def function(self, name: str, part: str) -> Callable:
        """Its `arguments` or `command` function."""
        return getattr(importlib.import_module(f".{self.module}", __package__), f"{name}_{part}")


COMMANDS = {
    "swap": Command(
        "commands.pick",
        "What replacing a component does to each benchmark, with its rows",
        "swap CLIP SigLIP --on 7B\nswap MLP Q-Former --visual-tokens 64\nswap 7B 13B --tasks"
        " documents\nswap 336 672 --benchmark docvqa --json\nswap CLIP SigLIP --plot",
    ),
    "predict": Command(
        "commands.pick",
        "One JSON line out for each line in",
        "predict changes.jsonl\npredict - < changes.jsonl",
    ),
    "pick": Command(
        "commands.pick",
        "The best recipes for a task mix, a budget and a latency target",
        'pick --tasks documents --budget "500 A100-hours"\npick --tasks ui-agent --fix'
        " llm_params_b=2B --memory 8GB",
    ),
    "ablate": Command(
        "commands.pick",
        "The axes in the order to ablate them, with runs and GPU-hours",
        "ablate --tasks charts --confidence 80%\nablate --tasks documents --recipe"
        " encoder=siglip,llm=qwen2-7b",
    ),
    "design": Command(
        "commands.design",
        "The fewest runs that separate factors, with seeds and GPU-hours",
        "design --factor encoder=clip,siglip --factor data=llava-665k,sharegpt4v --detect 2"
        " --benchmark mmmu\ndesign --factor encoder --factor data --factor connector"
        " --fraction\ndesign --factor encoder=clip@336,siglip@384 --factor llm=vicuna-7b,vicuna-13b"
        " --export runs/ --to prismatic",
    ),
    "schedule": Command(
        "commands.schedule",
        "What another way to train does: LoRA, freezing, stages, epochs",
        "schedule\nschedule lora --tasks documents\nschedule encoder one-stage --on 7B",
    ),
    "curve": Command(
        "commands.design",
        "Score, cost and latency along an axis, and where it stops paying",
        "curve visual_tokens --tasks documents\ncurve visual_tokens --by-family\ncurve resolution"
        " --tasks charts --to 1344 --worth 0.5\ncurve visual_tokens --tasks documents --plot"
        " tokens.svg",
    ),
    "tables": Command(
        "commands.tables",
        "The evidence itself",
        "tables list\ntables show cambrian1.table11\ntables find q-former",
    ),
    "benchmarks": Command(
        "commands.models",
        "What each benchmark tests, its scale, chance level and noise",
        "benchmarks documents\nbenchmarks docvqa\nbenchmarks --tasks documents",
    ),
    "models": Command(
        "commands.models",
        "Released models by need: filter, rank for a task mix, show one",
        "models --under 5B --tasks documents\nmodels qwen2.5-vl-7b\nmodels --floor docvqa=95"
        " --memory 24GB --dtype int4\nmodels --tree",
    ),
    "check": Command(
        "commands.tables",
        "Consistency of tables: exit code 0 clean, 1 findings, 2 usage",
        "check\ncheck my-tables/ --format github\ncheck --explain mean",
    ),
    "claims": Command(
        "commands.claims",
        "What people repeat about VLM recipes, held against the tables",
        "claims\nclaims L12\nclaims --verdict contradicted --why\nclaims --file my-claims.json",
    ),
    "tokens": Command(
        "commands.costs",
        "Visual tokens of images, term by term",
        "tokens --model qwen2-vl --image 448x280 --image 1024x768\ntokens --encoder siglip"
        " --resolution 384 --connector q-former",
    ),
    "cost": Command(
        "commands.costs",
        "What training a recipe costs: FLOPs by stage, GPU-hours, memory",
        "cost --llm qwen2-7b --encoder siglip --resolution 384\ncost --plan three-stage --gpu H100"
        " --gpus 16\ncost --calibration",
    ),
    "latency": Command(
        "commands.costs",
        "How long an answer takes, phase by phase, and the memory it needs",
        "latency --gpu Orin --dtype int4 --llm-params-b 2B\nlatency --resolution anyres-672"
        " --visual-tokens 2880\nlatency --calibration",
    ),
    "import": Command(
        "commands.imports",
        "Results of lmms-eval, VLMEvalKit or a CSV into a table of your own",
        "import logs/my_model --as siglip --recipe encoder=siglip,llm=qwen2-7b --table"
        " my-sweep\nimport sweep.csv --table my-sweep",
    ),
    "export": Command(
        "commands.export",
        "A recipe as configuration of a training program that exists",
        "export --to list\nexport encoder=siglip --to prismatic --out runs/\nexport a:llm=vicuna-7b"
        " b:llm=vicuna-13b --to llava --out ab/\nexport picked.json --rank 2 --to llava-next",
    ),
    "compare": Command(
        "commands.compare",
        "Ask served models the same questions about images, side by side",
        "compare --endpoint a=http://localhost:8000 --endpoint b=http://localhost:8001 --image"
        ' cat.png --question "What is this?"\ncompare --endpoint a=http://localhost:8000'
        " --questions questions.jsonl --resize 336,672 --out answers.jsonl",
    ),
    "report": Command(
        "commands.report",
        "One self-contained page: the recipe, its rows, plots, costs",
        'report recipe.html --tasks documents --budget "500 A100-hours"\nreport charts.html --tasks'
        " charts --swap CLIP SigLIP --swap 336 672",
    ),
    "skill": Command(
        "commands.skill",
        "Write the agent skill from the evidence, or check that it is fresh",
        'skill\nskill --check\nskill --tasks documents --budget "500 A100-hours" --latency "300ms'
        ' on L4" --out SKILL.md\nskill --bundle skills/',
    ),
    "fit": Command(
        "commands.tables",
        "Fit the model to the published tables anew",
        "fit\nfit --check\nfit --search 1",
    ),
    "completion": Command(
        "commands.completion",
        "A script that makes bash, zsh or fish complete what you type",
        "completion bash\ncompletion zsh\ncompletion fish",
    ),
    "backtest": Command(
        "commands.tables",
        "How well unseen papers are predicted, beside simple rules",
        "backtest\nbacktest --paper prismatic --json",
    ),
}


def parser_of(name: str) -> Parser:
    """The parser of one command."""
    command = COMMANDS[name]
    lines = "\n".join(f"  {PROGRAM} {line}" for line in command.examples.split("\n"))
    about = "\n".join(
        text.wrap(" ".join((command.function(name, "command").__doc__ or "").split()), text.Style())
    )
    parser = Parser(
        prog=f"{PROGRAM} {name}",
        description=about,
        epilog=f"examples:\n{lines}",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.function(name, "arguments")(parser)
    common(parser)
    return parser


def carry_out(
    name: str, argv: Sequence[str], understood: dict | None = None, library: Library | None = None
) -> int:
    """Run one command with its arguments and return the exit code. library: with the tables of
    these arguments, if it was opened already.
    """
    args = parser_of(name).parse_args(argv)
    plain(args.plain)
    return COMMANDS[name].function(name, "command")(
        args, library or Library(args.tables), understood
    )


def home() -> str:
    """One screen: what it does, five example questions, the commands."""
    from .asking.door import EXAMPLES

    lines = [
        "vlm-recipe-picker: which vision-language recipe to train, by published tables.",
        "Ask in plain words; every number in an answer names its table rows.",
        "",
        "examples:",
    ]
    lines += [f'  {PROGRAM} "{example}"' for example in EXAMPLES]
    lines += ["", "commands (each has --json, --tables DIR and --help):"]
    return "\n".join(
        [*lines, *(f"  {name:<11} {command.summary}" for name, command in COMMANDS.items())]
    )


def ask(sentence: str, rest: Sequence[str]) -> int:
    """A question in plain words: print the command it became, then its answer."""
    from .asking import door as question

    parser = Parser(prog=PROGRAM, add_help=False, allow_abbrev=False)
    common(parser)
    args = parser.parse_args(list(rest))
    plain(args.plain)
    library = Library(args.tables)
    try:
        understood = question.understand(sentence, library.words)
    except question.Ambiguous as several:
        if args.json:
            show(
                {
                    "ambiguous": [
                        {"command": one.command, "argv": list(one.argv)} for one in several.readings
                    ]
                }
            )
        else:
            out(
                "\n".join(
                    [
                        "this can mean several things; which one?",
                        *(f"{n}. {shell(one.argv)}" for n, one in enumerate(several.readings, 1)),
                    ]
                )
            )
        return 2
    if not args.json:
        announce(style().paint("understood: " + shell(understood.argv), "dim"))
    inner = [
        *understood.argv[1:],
        *(["--json"] if args.json else []),
        *(["--plain"] if args.plain else []),
        *(x for d in args.tables for x in ("--tables", d)),
    ]
    return carry_out(
        understood.command,
        inner,
        {"understood": {"command": understood.command, "argv": list(understood.argv)}},
        library,
    )


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
        return carry_out(argv[0], argv[1:])
    if argv[0].startswith("-"):
        raise Usage(f"{PROGRAM}: unknown option {argv[0][:40]} (see {PROGRAM} --help)")
    words, rest = [argv[0]], list(argv[1:])
    while rest and not rest[0].startswith("-"):  # words without quotes
        words.append(rest.pop(0))
    if len(words) == 1 and " " not in words[0]:
        near = nearest(words[0], {fold(name): name for name in COMMANDS})
        raise Usage(
            f"unknown command {words[0][:40]!r}{'; did you mean ' + near[0] if near else ''}"
            f" (commands: {', '.join(COMMANDS)}; or a question in quotes)"
        )
    return ask(" ".join(words), rest)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: errors become one line on stderr and exit code 2; a closed pipe is no error."""
    for stream in (sys.stdout, sys.stderr):
        # a terminal that knows only ASCII gets escapes, not an error
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(sys.argv[1:] if argv is None else list(argv))
        if sys.stdout is not None:  # None: closed by whoever started us
            sys.stdout.flush()
        return code
    except ValueError as error:
        if not isinstance(error, Refused) and type(error) is not ValueError:
            raise
        print(f"error: {text.clean(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(
            f"error: {text.clean(str(error.filename or 'output'))}: {error.strerror or error}",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return 130


def entry() -> None:
    """Console script of the installed package."""
    # an answer makes many objects and hardly a cycle: look for these seldom
    gc.set_threshold(50_000)
    sys.exit(main())
