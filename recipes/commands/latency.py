"""`latency`: its flags.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code.
"""

from ..answers import latency as answers
from ..answers import parts
from ..cost import latency, memory
from ..library import Library
from ..show.text import wrap
from ..terms import units
from .arguments import Parser, flag, recipe_flags, stated_flags, whole_number
from .console import out, show, style


def latency_arguments(parser: Parser) -> None:
    recipe_flags(parser, what="(default: that of LLaVA-1.5-7B)")
    parser.add_argument("--gpu", default="L4", metavar="GPU", help="what it runs on (default: L4)")
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
        help="fused kernels, or transformers as it comes",
    )
    for name, default, what in (
        ("batch", 1, "requests at once"),
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
        help="published latencies against the estimate from the other rows",
    )
    parser.add_argument(
        "--measured",
        metavar="FILE.json",
        help=(
            "your own latencies (compare --latency-out): they set the rates of their engine and"
            " device"
        ),
    )


def latency_command(args, library: Library, understood: dict | None = None) -> int:
    """How long an answer takes, phase by phase, and the memory it needs."""
    from ..show import latency as view

    words = library.words
    own = []
    if args.measured:
        from ..answers import measured

        own = measured.load(library, args.measured)
    if args.calibration:
        checks = latency.calibrate(
            latency.measured(
                words.registry("latency")["measurements"],
                words.records("llm"),
                words.records("hardware"),
            )
        )
        checks += [row.check for row in own]
        if args.json:
            show(
                {
                    **(understood or {}),
                    **view.latency_calibration_json(checks),
                    **({"measured": measured.as_json(own)} if args.measured else {}),
                }
            )
        else:
            lines = [
                line
                for text in (measured.verdict(own) if args.measured else ())
                for line in wrap(text, style(), hang="  ")
            ]
            out("\n".join([view.latency_calibration_text(checks, style()), *lines]))
        return 0
    recipe = parts.whole(stated_flags(args, words), words)
    gpu = units.hardware(args.gpu, words)
    engine = measured.rates(own, args.engine, gpu)[0] if args.measured else args.engine
    timing, held, language = answers.timing(
        library, recipe, gpu, args.gpus, args.dtype, engine, args.batch, args.prompt, args.output
    )
    setting = {
        "gpu": gpu,
        "gpus": args.gpus,
        "dtype": args.dtype,
        "engine": args.engine,
        "batch": args.batch,
        "prompt": args.prompt,
        "output": args.output,
    }
    notes = [
        *parts.notes(recipe, language),
        *answers.fit_notes(held, words.records("hardware")[gpu], args.gpus, args.memory),
    ]
    notes += [measured.rate_note(own, args.engine, gpu)] if args.measured else []
    if args.json:
        show({**(understood or {}), **view.latency_json(timing, held, recipe, setting, notes)})
    else:
        out(view.latency_text(timing, held, recipe, setting, notes, style()))
    return 0
