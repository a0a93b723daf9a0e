"""Which vision-language recipe to train: answers from published ablation tables, each number with
its rows.

Which file answers which question: commands/NAME.py has the flags of NAME, answers/NAME.py computes
it, show/NAME.py shows it (its JSON, text, HTML).

    what does a change do to each benchmark        swap, predict (many), rank (one axis), versus
    what should I train, what should I test        pick, moves, curve; ablate, design, schedule
    is this difference noise; what is X            noise, benchmarks, explain
    does it fit, how long, how much                cost, latency, tokens
    which released model is enough                 models
    what did the papers print, is it consistent    tables, claims, check, backtest

and below them, each room importing only from the ones before it:

    base/      errors, bounded reading, atomic writing, linear algebra, wording
    terms/     what can be said: vocabulary, recipe, units, tasks, sides
    cost/      tokens, FLOPs, training, latency, memory: arithmetic on records
    evidence/  printed tables as values, contrasts, checks; asking/: a sentence -> a command;
               released/: released models
    effects/   the model: features, fit, posterior, a change judged; claims/; exchange/: files
    picker/    all recipes: scores, limits, ranks, designs; library.py: what lies on disk
    answers/   show/   commands/   cli.py

As a library, the same code: each function takes what the command takes and returns its answer.

>>> import recipes                                              # installed: vlm_recipes
>>> recipes.swap("clip", "siglip", on="7B").result.mix.expected     # doctest: +SKIP
"""

from .base.errors import Refused  # noqa: E402 (what every function raises for what it cannot take)

__all__ = [
    "Refused",
    "ablate",
    "latency",
    "pick",
    "predict",
    "rank",
    "swap",
    "tokens",
    "training_cost",
]
__version__ = "0.1.0"


def _ask(command: str, *words: str, tables=(), **flags):
    """The answer of a command: words as typed, flags by name (True: alone; lists: repeated)."""
    from .commands.registry import COMMANDS, parser_of
    from .library import open_library

    argv = [str(word) for word in words]
    for name, value in flags.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        for one in values:
            if one is not None and one is not False:
                argv += [f"--{name.replace('_', '-')}"] + ([] if one is True else [str(one)])
    args = parser_of(command).parse_args(argv)
    library = open_library(list(tables))
    request = COMMANDS[command].function(command, "request")(args, library)
    return COMMANDS[command].answers(command).answer(library, request)


def swap(before: str, after: str, **flags):
    """What replacing a component does: a SwapAnswer (answers/swap.py). Raises Refused.

    >>> swap("clip", "siglip", on="7B", benchmark=["mmmu"]).result.deltas[0].grade  # doctest: +SKIP
    'direct'
    """
    return _ask("swap", before, after, **flags)


def predict(changes, *, level: float = 0.8, tables=()):
    """`predict`: what each of many changes does to one benchmark, as (from, to, Swap) in their
    order (answers/predict.py). changes: objects like the command's lines. Raises Refused.

    >>> change = {"from": {"encoder": "clip"}, "to": {"encoder": "siglip"}, "benchmark": "mmmu"}
    >>> predict([change])[0][2].deltas[0].expected              # doctest: +SKIP
    """
    from .answers.predict import Batch
    from .library import Library

    batch = Batch(Library(list(tables)), level)
    return [batch.of(change) for change in changes]


def tokens(**flags):
    """Visual tokens of images: model -> the Tokens of each image (answers/tokens.py). Raises
    Refused.

    >>> tokens(model="qwen2-vl", image="448x280")["qwen2-vl"][0].visual_tokens  # doctest: +SKIP
    160
    """
    return _ask("tokens", **flags)


def rank(axis: str, **flags):
    """The levels of one axis with all else held: a RankAnswer (answers/rank.py). Raises Refused.

    >>> rank("encoder", tasks="documents").levels[0].value      # doctest: +SKIP
    """
    return _ask("rank", axis, **flags)


def training_cost(**flags):
    """`cost`, whose name is a room's: a Bill of each recipe and GPU (answers/cost.py). Raises
    Refused.

    >>> training_cost(gpu="4090", gpus=1, lora=True)[0].verdict.fits     # doctest: +SKIP
    """
    return _ask("cost", **flags)


def latency(**flags):
    """How fast and in how much memory a recipe answers: a Served of each recipe and GPU
    (answers/latency.py). Raises Refused.

    >>> latency(gpu="L4", dtype="int4")[0].latency.ttft_ms      # doctest: +SKIP
    """
    return _ask("latency", **flags)


def pick(**flags):
    """The best recipes for a task mix under limits: a PickAnswer (answers/pick.py). Raises Refused.

    >>> pick(tasks="documents", budget="300 A100-hours").result.recipes[0].recipe  # doctest: +SKIP
    """
    return _ask("pick", **flags)


def ablate(**flags):
    """What to ablate first: an AblateAnswer (answers/ablate.py). Raises Refused.

    >>> ablate(tasks="charts", confidence=0.8).values[0].axis   # doctest: +SKIP
    """
    return _ask("ablate", **flags)
