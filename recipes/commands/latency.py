"""`latency`: its flags.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code.
"""

from ..answers import latency as answers
from ..answers import serving
from ..cost import latency, memory
from ..library import Library
from ..show.text import wrap
from ..terms import units
from .arguments import Parser, flag, recipe_flags, recipes_side_by_side, whole_number
from .console import out, show, style


def latency_arguments(parser: Parser) -> None:
    recipe_flags(parser, what="(default: LLaVA-1.5-7B's; --llm a,b, --encoder a,b …: side by side)")
    parser.add_argument(
        "--gpu",
        action="append",
        metavar="GPU",
        help="what it runs on (default: L4; repeatable: side by side)",
    )
    parser.add_argument(
        "--gpus",
        type=flag(whole_number),
        default=1,
        metavar="N",
        help="tensor parallel over so many (default: 1)",
    )
    parser.add_argument(
        "--dtype",
        choices=tuple(memory.WEIGHT_BYTES),
        default="bf16",
        help="number format of the LLM weights",
    )
    parser.add_argument(
        "--engine",
        choices=tuple(latency.ENGINES),
        default="optimised",
        help="fused kernels, transformers as it comes, or llama.cpp (4 bit: Q4_K_M)",
    )
    for name, default, what in (
        ("batch", 1, "requests at once"),
        ("images", 1, "images a request"),
        ("prompt", 64, "text tokens before the answer"),
        ("output", 128, "tokens of the answer"),
    ):
        parser.add_argument(
            f"--{name}",
            type=flag(whole_number),
            default=default,
            metavar="N",
            help=f"{what} (default: {default})",
        )
    parser.add_argument(
        "--memory",
        type=flag(units.memory_gb),
        metavar="M",
        help="does it fit in this memory? (24GB; default: that of the device)",
    )
    parser.add_argument(
        "--calibration",
        action="store_true",
        help="published and reported latencies against the estimate from the other sources",
    )
    parser.add_argument(
        "--measured",
        metavar="FILE.json",
        help=(
            "your own latencies (compare --latency-out): they set the rates of their engine and"
            " device"
        ),
    )


def latency_request(args, library: Library) -> answers.Request:
    """The answers that are asked for."""
    words = library.words
    services = [
        serving.Service(
            units.hardware(gpu, words),
            args.gpus,
            args.dtype,
            args.engine,
            args.batch,
            args.prompt,
            args.output,
            args.images,
            args.memory,
        )
        for gpu in args.gpu or ["L4"]
    ]
    return answers.Request(recipes_side_by_side(args, words), services, _own(args, library))


def _own(args, library: Library) -> list:
    """The user's own measured phases."""
    if not args.measured:
        return []
    from ..answers import measured

    return measured.load(library, args.measured)


def latency_command(args, library: Library, understood: dict | None = None) -> int:
    """How long an answer takes, phase by phase, and the memory it needs."""
    from ..show import latency as showing

    if args.calibration:
        return _calibration(args, library, _own(args, library), understood)
    values = answers.answer(library, latency_request(args, library))
    value = showing.view(values, library.words.records("hardware"))
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(showing.text(value, style()))
    return 0


def _calibration(args, library: Library, own: list, understood: dict | None) -> int:
    from ..answers import calibration, measured
    from ..show import calibration as view

    checks = calibration.serving(library) + [row.check for row in own]
    value = view.serving_json(checks)
    if args.json:
        said = {"measured": measured.as_json(own)} if args.measured else {}
        show({**(understood or {}), **value, **said})
        return 0
    lines = [view.serving_text(value, style())]
    for text in measured.verdict(own) if args.measured else ():
        lines += wrap(text, style(), hang="  ")
    out("\n".join(lines))
    return 0
