"""`cost`: its flags.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code.
"""

from ..answers import cost as answers
from ..answers import parts
from ..cost import training
from ..library import Library
from ..terms import units
from .arguments import Parser, flag, recipe_flags, stated_flags, whole_number
from .console import out, show, style


def cost_arguments(parser: Parser) -> None:
    recipe_flags(parser, what="(default: that of LLaVA-1.5-7B)")
    parser.add_argument(
        "--plan", choices=answers.PLANS, default="llava", help="the stages (default: LLaVA's two)"
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
    from ..show import cost as view

    if args.calibration:
        rows = training.leave_one_out(library.calibration.runs)
        (
            show({**(understood or {}), **view.training_calibration_json(rows)})
            if args.json
            else out(view.training_calibration_text(rows, library.calibration, style()))
        )
        return 0
    recipe = parts.whole(stated_flags(args, library.words), library.words)
    gpu = units.hardware(args.gpu, library.words)
    memory_gb = float(library.words.records("hardware")[gpu]["memory_gb"])
    bill = answers.bill(library, recipe, args.plan, gpu, args.gpus, args.lora, args.recompute)
    notes = parts.notes(recipe, bill.language)
    if args.json:
        show(
            {
                **(understood or {}),
                **view.bill_json(bill, recipe, args.plan, args.gpus, memory_gb, notes),
            }
        )
    else:
        out(view.bill_text(bill, recipe, args.gpus, memory_gb, notes, style()))
    return 0
