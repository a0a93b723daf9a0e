"""The commands that show arithmetic: `tokens`, `cost` and `latency`.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. The arithmetic
is cost/ and costing.py.
"""

from ..answers import costs as costing
from ..cost import explain, latency, memory, tokens, training
from ..library import Library
from ..show import costs, jsonable
from ..show.text import wrap
from ..terms import units
from ..terms.recipe import BASELINE, parse
from ..terms.vocabulary import UnknownName, fold, nearest
from .arguments import Parser, Usage, flag, image_size, recipe_flags, stated_flags, whole_number
from .console import out, show, style


def tokens_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--model", metavar="NAME", help=f"a released model: {', '.join(tokens.MODELS)}"
    )
    parser.add_argument(
        "--image",
        metavar="WxH",
        action="append",
        default=[],
        help="image size in pixels, or a page: a4@150dpi (repeatable)",
    )
    for name in ("min", "max"):
        parser.add_argument(
            f"--{name}-pixels",
            type=flag(whole_number),
            metavar="N",
            help=f"{name} pixels of an image, where the model keeps its shape (Qwen-VL, GLM-V)",
        )
    parser.add_argument(
        "--frames",
        type=flag(whole_number),
        metavar="N",
        help="a video of so many sampled frames of that size",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="small worked examples: patches, connectors, prefix-LM mask, M-RoPE",
    )
    for field in ("encoder", "resolution", "connector"):
        parser.add_argument(
            f"--{field}", metavar=field.upper(), help=f"{field} of a recipe of your own"
        )


def tokens_command(args, library: Library, understood: dict | None = None) -> int:
    """Visual tokens of images, term by term."""
    if args.explain:
        lines = explain.lines()
        if args.json:
            show(
                {
                    **(understood or {}),
                    "lines": lines,
                    "prefix_mask": explain.prefix_mask(4, 3),
                    "mrope": explain.mrope(2, (1, 3, 2), 2),
                }
            )
        else:
            out(
                "\n".join(
                    part
                    for line in lines
                    for part in (
                        wrap(line, style(), hang="  ") if not line.startswith("  ") else [line]
                    )
                )
            )
        return 0
    sizes = [image_size(text) for text in args.image] or [(1024, 768)]
    if args.model and (args.encoder or args.resolution or args.connector):
        raise Usage("tokens: either --model or a recipe (--encoder, --resolution, --connector)")
    if args.model:
        model, values = _counted(args, sizes)
    else:
        if (args.min_pixels, args.max_pixels, args.frames) != (None, None, None):
            raise Usage("tokens: --min-pixels, --max-pixels and --frames need --model")
        recipe = parse(
            {k: getattr(args, k) for k in ("encoder", "resolution", "connector")}, library.words
        )[0].over(BASELINE)
        model = f"{recipe.encoder} at {recipe.resolution} with {recipe.connector}"
        values = [costing.tokens_of(recipe, library, *size) for size in sizes]
    if args.json:
        show(
            {
                **(understood or {}),
                "model": model,
                "images": [jsonable.tokens(value) for value in values],
            }
        )
    else:
        out(costs.tokens_text(model, values, style()))
    return 0


def _counted(args, sizes: list[tuple[int, int]]) -> tuple[str, list]:
    """A released model, and the tokens of each size in it. Raises UnknownName and Usage."""
    try:
        model = tokens.find(args.model)
    except KeyError:
        text = args.model.strip().lower()
        near = nearest(text, {fold(name): name for name in (*tokens.MODELS, *tokens.ALIASES)})
        raise UnknownName("model", args.model, near) from None
    bounds = args.min_pixels, args.max_pixels
    if args.frames is None:
        return model, [tokens.count(model, *size, *bounds) for size in sizes]
    if bounds != (None, None):
        raise Usage("tokens: --frames takes the model's own bounds, not --min-pixels, --max-pixels")
    return model, [tokens.video(model, args.frames, *size) for size in sizes]


def cost_arguments(parser: Parser) -> None:
    recipe_flags(parser, what="(default: that of LLaVA-1.5-7B)")
    parser.add_argument(
        "--plan", choices=costing.PLANS, default="llava", help="the stages (default: LLaVA's two)"
    )
    parser.add_argument(
        "--gpu", default="A100", metavar="GPU", help="what it is trained on (default: A100)"
    )
    parser.add_argument(
        "--gpus",
        type=flag(whole_number),
        default=8,
        metavar="N",
        help="how many of them share weights and states (default: 8)",
    )
    parser.add_argument("--lora", action="store_true", help="the LLM is trained through adapters")
    parser.add_argument(
        "--recompute",
        action="store_true",
        help="activations are computed again in the backward pass",
    )
    parser.add_argument(
        "--calibration",
        action="store_true",
        help="published GPU-hours against the estimate from the other runs",
    )


def cost_command(args, library: Library, understood: dict | None = None) -> int:
    """What training a recipe costs: FLOPs by stage, GPU-hours, memory."""
    from ..show import costs

    if args.calibration:
        rows = training.leave_one_out(library.calibration.runs)
        (
            show({**(understood or {}), **costs.training_calibration_json(rows)})
            if args.json
            else out(costs.training_calibration_text(rows, library.calibration, style()))
        )
        return 0
    recipe = costing.whole(stated_flags(args, library.words), library.words)
    gpu = units.hardware(args.gpu, library.words)
    memory_gb = float(library.words.records("hardware")[gpu]["memory_gb"])
    bill = costing.bill(library, recipe, args.plan, gpu, args.gpus, args.lora, args.recompute)
    notes = costing.notes(recipe, bill.language)
    if args.json:
        show(
            {
                **(understood or {}),
                **costs.bill_json(bill, recipe, args.plan, args.gpus, memory_gb, notes),
            }
        )
    else:
        out(costs.bill_text(bill, recipe, args.gpus, memory_gb, notes, style()))
    return 0


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
    from ..show import costs

    words = library.words
    own = []
    if args.measured:
        from ..answers import latencies

        own = latencies.load(library, args.measured)
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
                    **costs.latency_calibration_json(checks),
                    **({"measured": latencies.as_json(own)} if args.measured else {}),
                }
            )
        else:
            lines = [
                line
                for text in (latencies.verdict(own) if args.measured else ())
                for line in wrap(text, style(), hang="  ")
            ]
            out("\n".join([costs.latency_calibration_text(checks, style()), *lines]))
        return 0
    recipe = costing.whole(stated_flags(args, words), words)
    gpu = units.hardware(args.gpu, words)
    engine = latencies.rates(own, args.engine, gpu)[0] if args.measured else args.engine
    timing, held, language = costing.timing(
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
        *costing.notes(recipe, language),
        *costing.fit_notes(held, words.records("hardware")[gpu], args.gpus, args.memory),
    ]
    notes += [latencies.rate_note(own, args.engine, gpu)] if args.measured else []
    if args.json:
        show({**(understood or {}), **costs.latency_json(timing, held, recipe, setting, notes)})
    else:
        out(costs.latency_text(timing, held, recipe, setting, notes, style()))
    return 0
