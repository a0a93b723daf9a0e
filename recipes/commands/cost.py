"""`cost`: its flags.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code.
"""

import argparse
import re

from ..answers import cost as answers
from ..cost import fit
from ..library import Library
from ..terms import units
from ..terms.recipe import Recipe, change, parse_count
from .arguments import (
    Parser,
    Usage,
    flag,
    number,
    recipe_flags,
    recipes_side_by_side,
    whole_number,
)
from .console import out, show, style


def price(text: str) -> float:
    """Dollars of a GPU-hour: 1.50, $1.50, $1.50/h."""
    found = re.fullmatch(r"\$?\s*(\d+(?:\.\d+)?)\s*(?:/\s*h(?:our)?)?", text.strip())
    if not found or not 0 < float(found[1]) < 1e4:
        raise Usage(f"{text[:20]!r} is no price of a GPU-hour (as in 1.50 or $1.50/h)")
    return float(found[1])


def samples(text: str) -> float:
    """A number of samples: 665000, 50k, 1M."""
    return parse_count("samples", text)


def cost_arguments(parser: Parser) -> None:
    recipe_flags(parser, what="(default: LLaVA-1.5-7B's; --llm a,b, --encoder a,b …: side by side)")
    parser.add_argument(
        "--plan", choices=answers.PLANS, default="llava", help="the stages (default: LLaVA's two)"
    )
    parser.add_argument(
        "--gpu",
        action="append",
        metavar="GPU",
        help="what it is trained on (default: A100; repeatable: side by side)",
    )
    parser.add_argument(
        "--gpus",
        type=flag(whole_number),
        default=8,
        metavar="N",
        help="how many of them (default: 8)",
    )
    parser.add_argument(
        "--tuning",
        choices=fit.TUNINGS,
        help="all weights of the LLM, adapters, or adapters over 4-bit weights (default: full)",
    )
    for name in ("lora", "qlora"):
        parser.add_argument(
            f"--{name}",
            dest="tuning",
            action="store_const",
            const=name,
            help=f"the same as --tuning {name}",
        )
    parser.add_argument(
        "--zero",
        type=int,
        choices=(0, 1, 2, 3),
        help="ZeRO stage: what the GPUs share (default: 3 for full, 2 for adapters)",
    )
    parser.add_argument(
        "--lora-rank",
        type=flag(whole_number),
        default=fit.LORA_RANK,
        metavar="R",
        help=f"rank of the adapters (default: {fit.LORA_RANK})",
    )
    parser.add_argument(
        "--train-embeddings",
        action="store_true",
        help="beside adapters, train the LLM's embeddings and head",
    )
    _run_arguments(parser)
    parser.add_argument("--why", action="store_true", help="every term of the arithmetic")
    parser.add_argument(
        "--calibration",
        action="store_true",
        help="published and reported runs against the estimate from the other sources",
    )


def _run_arguments(parser: Parser) -> None:
    """Flags of the run itself."""
    for name, what in (
        ("batch", "samples a GPU and step (default: what fits, at most 16)"),
        ("seq-length", "tokens of a sample, image and text (default: by the data)"),
        ("images", "images a sample (default: 1)"),
    ):
        parser.add_argument(f"--{name}", type=flag(whole_number), metavar="N", help=what)
    for name, what in (
        ("samples", "samples of the instruction data, or of the stage asked for (1M)"),
        ("caption-samples", "samples of the first stage (default: 558k)"),
    ):
        parser.add_argument(f"--{name}", type=flag(samples), metavar="N", help=what)
    parser.add_argument(
        "--epochs",
        type=number(0.01, 1000, "a number of epochs between 0.01 and 1000"),
        default=1.0,
        metavar="N",
        help="times the instruction data is seen (default: 1)",
    )
    parser.add_argument(
        "--stage", choices=answers.STAGES, help="one stage alone: the plan's first, or its last"
    )
    parser.add_argument(
        "--price", type=flag(price), metavar="DOLLARS", help="of a GPU-hour: adds what it costs"
    )
    parser.add_argument(
        "--recompute",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="activations are computed again in the backward pass (the default)",
    )


def cost_request(args, library: Library) -> answers.Request:
    """The bills that are asked for."""
    order = _order(args)
    gpus = [units.hardware(gpu, library.words) for gpu in args.gpu or ["A100"]]
    return answers.Request(_recipes(args, library), [order._replace(gpu=gpu) for gpu in gpus])


def cost_command(args, library: Library, understood: dict | None = None) -> int:
    """What training a recipe costs: does it fit, for how long, for how much."""
    from ..show import cost as showing

    if args.calibration:
        return _calibration(args, library, understood)
    bills = answers.answer(library, cost_request(args, library))
    value = showing.view(bills, library.words.records("hardware"))
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(showing.text(value, args.why, style()))
    return 0


def _calibration(args, library: Library, understood: dict | None) -> int:
    from ..answers import calibration
    from ..show import calibration as view

    value = view.training_json(*calibration.training(library))
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(view.training_text(value, style()))
    return 0


def _order(args) -> answers.Order:
    """What is asked for, but the GPU."""
    setup = fit.Setup(
        args.tuning or "full",
        args.gpus,
        args.zero,
        args.lora_rank,
        args.train_embeddings,
        args.recompute,
    )
    if args.train_embeddings and not setup.lora:
        raise Usage("--train-embeddings: full tuning trains them anyway (it goes with --lora)")
    captions = args.samples if args.stage == answers.STAGES[0] else args.caption_samples
    return answers.Order(
        setup=setup,
        plan=args.plan,
        batch=args.batch,
        sequence=args.seq_length,
        epochs=args.epochs,
        captions=captions,
        stage=args.stage,
        images=args.images or 1,
        price=args.price,
    )


def _recipes(args, library: Library) -> list[Recipe]:
    """The recipes that are asked about, with the samples that are."""
    found = recipes_side_by_side(args, library.words)
    if args.samples and args.stage != answers.STAGES[0]:
        return [change(recipe, data_size=args.samples) for recipe in found]
    return found
