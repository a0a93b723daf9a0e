"""All commands: what each does in a line, examples; and their parsers.

In: a name. Out: Command, a parser, a command line as one would type it. Carries nothing out
(cli.py).
"""

import argparse
import importlib
import keyword
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..show import text
from .console import PROGRAM
from .parser import Parser, common


def file_of(name: str) -> str:
    """The module of a command, in every layer: its own name, unless that is a word of Python."""
    return name + "_" * keyword.iskeyword(name)


class Command(NamedTuple):
    """A command: what it does in one line, and examples, one per line."""

    summary: str
    examples: str

    def function(self, name: str, part: str) -> Callable:
        """Its `arguments`, `request` or `command` function."""
        return getattr(importlib.import_module(f".{file_of(name)}", __package__), f"{name}_{part}")

    def answers(self, name: str):
        """The module that computes its answer."""
        return importlib.import_module(f"..answers.{file_of(name)}", __package__)


COMMANDS = {
    "swap": Command(
        "What replacing a component does to each benchmark, with its rows",
        "swap CLIP SigLIP --on 7B\nswap MLP Q-Former --visual-tokens 64\nswap 7B 13B --tasks"
        " documents\nswap 336 672 --benchmark docvqa --json\nswap CLIP SigLIP --plot",
    ),
    "predict": Command(
        "One JSON line out for each line in",
        "predict changes.jsonl\npredict - < changes.jsonl",
    ),
    "pick": Command(
        "The best recipes for a task mix, a budget and a latency target",
        'pick --tasks documents --budget "500 A100-hours"\npick --tasks ui-agent --fix'
        " llm_params_b=2B --memory 8GB\npick --tasks charts --trainable-with llava-next --why",
    ),
    "rank": Command(
        "The levels of one axis with all else held: which encoder, connector, LLM, data",
        "rank encoder --tasks documents\nrank connector --visual-tokens 144\n"
        "rank encoder --among siglip,clip,dinov2 --on 7B",
    ),
    "moves": Command(
        "What moves a benchmark most, axis by axis, and whether a target is in reach",
        "moves chartqa --from 60 --target 70\nmoves docvqa --gain 10\n"
        "moves --tasks documents --on 13B",
    ),
    "versus": Command(
        "Which of two axes matters more",
        "versus resolution encoder --tasks documents\nversus data llm_params_b",
    ),
    "ablate": Command(
        "The axes in the order to ablate them, with runs and GPU-hours",
        "ablate --tasks charts --confidence 80%\nablate --tasks documents --recipe"
        " encoder=siglip,llm=qwen2-7b\nablate --tasks charts --proxy llm=1.5B",
    ),
    "design": Command(
        "The fewest runs that separate factors, with seeds and GPU-hours",
        "design --factor encoder=clip,siglip --factor data=llava-665k,sharegpt4v --detect 2"
        " --benchmark mmmu\ndesign --factor encoder --factor data --factor connector"
        " --fraction\ndesign --factor encoder=clip,siglip --detect 2 --benchmark mmmu --proxy"
        " llm=0.5B\ndesign --factor encoder=clip@336,siglip@384 --factor llm=vicuna-7b,vicuna-13b"
        " --export runs/ --to prismatic",
    ),
    "schedule": Command(
        "What another way to train does: LoRA, freezing, stages, epochs",
        "schedule\nschedule lora --tasks documents\nschedule encoder one-stage --on 7B",
    ),
    "curve": Command(
        "Score, cost and latency along an axis, and where it stops paying",
        "curve visual_tokens --tasks documents\ncurve visual_tokens --by-family\ncurve resolution"
        " --tasks charts --to 1344 --worth 0.5\ncurve visual_tokens --tasks documents --plot"
        " tokens.svg",
    ),
    "tables": Command(
        "The evidence itself",
        "tables list\ntables show cambrian1.table11\ntables find q-former\ntables show llava-665k\n"
        "tables mixes --contains ChartQA --public\ntables names encoder",
    ),
    "benchmarks": Command(
        "What each benchmark tests, its scale, chance level and noise",
        "benchmarks documents\nbenchmarks docvqa\nbenchmarks --tasks documents",
    ),
    "noise": Command(
        "Whether your score and the paper's differ by more than noise",
        "noise textvqa --mine 57 --paper 58.2\nnoise textvqa --difference 1.5",
    ),
    "explain": Command(
        "What a term of the answers means, and the facts of a component",
        "explain interval\nexplain siglip",
    ),
    "models": Command(
        "Released models by need: filter, rank for a task mix, show one",
        "models --under 5B --tasks documents\nmodels qwen2.5-vl-7b\nmodels --floor docvqa=95"
        " --memory 24GB --dtype int4\nmodels --tree\nmodels --parts",
    ),
    "check": Command(
        "Consistency of tables: exit code 0 clean, 1 findings, 2 usage",
        "check\ncheck my-tables/ --format github\ncheck --explain mean",
    ),
    "claims": Command(
        "What people repeat about VLM recipes, held against the tables",
        "claims\nclaims L12\nclaims --verdict contradicted --why\nclaims --file my-claims.json",
    ),
    "tokens": Command(
        "Visual tokens of images, term by term",
        "tokens --model qwen2-vl --image 448x280 --image 1024x768\ntokens --encoder siglip"
        " --resolution 384 --connector q-former",
    ),
    "cost": Command(
        "Training on your GPUs: does it fit, for how long, for how much",
        "cost --llm-params-b 7B --gpu 4090 --gpus 1\ncost --samples 1M --gpu H100 --gpus 4 --price"
        " 2.50\ncost --llm qwen2-7b --encoder siglip --lora --why\ncost --gpu A100"
        " --gpu 4090 --qlora\ncost --plan three-stage --gpu H100 --gpus 16\ncost --calibration",
    ),
    "latency": Command(
        "How long an answer takes, phase by phase, and whether it fits",
        "latency --gpu Orin --dtype int4 --llm-params-b 2B\nlatency --resolution anyres-672"
        "\nlatency --gpu L4 --gpu 4090 --batch 16\nlatency --engine eager --gpu A100"
        "\nlatency --calibration",
    ),
    "import": Command(
        "Results of lmms-eval, VLMEvalKit or a CSV into a table of your own",
        "import logs/my_model --as siglip --recipe encoder=siglip,llm=qwen2-7b --table"
        " my-sweep\nimport sweep.csv --table my-sweep",
    ),
    "export": Command(
        "A recipe as configuration of a training program that exists",
        "export --to list\nexport encoder=siglip --to prismatic --out runs/\nexport a:llm=vicuna-7b"
        " b:llm=vicuna-13b --to llava --out ab/\nexport picked.json --rank 2 --to"
        " llava-next\nexport"
        " --model qwen2.5-vl-7b --method lora --freeze encoder --to llamafactory",
    ),
    "compare": Command(
        "Ask served models the same questions about images, side by side",
        "compare --endpoint a=http://localhost:8000 --endpoint b=http://localhost:8001 --image"
        ' cat.png --question "What is this?"\ncompare --endpoint a=http://localhost:8000'
        " --questions questions.jsonl --resize 336,672 --out answers.jsonl",
    ),
    "report": Command(
        "One self-contained page: the recipe, its rows, plots, costs",
        'report recipe.html --tasks documents --budget "500 A100-hours"\nreport charts.html --tasks'
        " charts --swap CLIP SigLIP --swap 336 672",
    ),
    "skill": Command(
        "Write the agent skill from the evidence, or check that it is fresh",
        'skill\nskill --check\nskill --tasks documents --budget "500 A100-hours" --latency "300ms'
        ' on L4" --out SKILL.md\nskill --bundle skills/',
    ),
    "fit": Command(
        "Fit the model to the published tables anew",
        "fit\nfit --check\nfit --search 1",
    ),
    "completion": Command(
        "A script that makes bash, zsh or fish complete what you type",
        "completion bash\ncompletion zsh\ncompletion fish",
    ),
    "backtest": Command(
        "How well unseen papers are predicted, beside simple rules",
        "backtest\nbacktest --paper prismatic --json",
    ),
}


# What they are for, as the first screen lists them.
GROUPS = {
    "what to choose": ("swap", "rank", "moves", "versus", "pick", "curve"),
    "what to test": ("ablate", "design", "schedule", "noise"),
    "what it costs": ("cost", "latency", "tokens"),
    "what to adopt": ("models", "benchmarks"),
    "the evidence": ("tables", "claims", "check", "backtest", "explain"),
    "files in, out": ("predict", "import", "export", "compare", "report", "skill"),
    "the program": ("fit", "completion"),
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


def shell(argv: Sequence[str]) -> str:
    """A command line as one would type it."""
    import shlex

    return f"{PROGRAM} " + " ".join(shlex.quote(part) for part in argv)
