"""`schedule`: what another way to train does, by the printed rows that differ in that alone.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. What it computes
is alternatives.py.
"""

from ..base import wording
from ..library import Library
from ..show.names import names_of
from ..terms.names import meant
from ..terms.recipe import BASELINE
from ..terms.tasks import parse_mix
from .arguments import Parser, Usage, level_flag, size_or_llm
from .console import out, show, style


def schedule_arguments(parser: Parser) -> None:
    parser.add_argument(
        "change",
        nargs="*",
        metavar="CHANGE",
        help=(
            "which: encoder, lora, lora-over-frozen, frozen-llm, one-stage, extra-stage, epochs, "
            "longer, longer-alignment, ramp, batch (default: an overview of all)"
        ),
    )
    parser.add_argument(
        "--tasks",
        metavar="MIX",
        default="balanced",
        help="what it is for: documents, charts=0.5,mmmu=0.5 … (default: balanced)",
    )
    parser.add_argument(
        "--on", metavar="LLM", help="only rows with an LLM of this size (7B, llama-3-8b)"
    )
    level_flag(parser)


def schedule_command(args, library: Library, understood: dict | None = None) -> int:
    """What another way to train does (LoRA, a trained encoder, stages, epochs, a resolution ramp),
    by printed rows that differ in that alone.
    """
    from ..answers import schedule as alternatives
    from ..show import schedule

    for slug in args.change:
        if slug not in alternatives.KNOWN:
            raise Usage(
                f"schedule: {slug[:40]!r} is no change of the"
                f" training{meant(slug, [*alternatives.KNOWN])} (known:"
                f" {', '.join(alternatives.KNOWN)})"
            )
    tasks, size = parse_mix(args.tasks, library.words), None
    if args.on is not None:
        asked = size_or_llm(args.on, library.words)
        size = (
            library.words.records("llm").get(asked["llm"], {}).get("params_b")
            if "llm" in asked
            else asked.get("llm_params_b", BASELINE.llm_params_b)
        )
        if size is None:
            raise Usage(f"schedule: the registry has no size for {asked['llm']}: say it (--on 7B)")
    pairs = alternatives.Pairs(library)
    wanted = list(dict.fromkeys(args.change)) or list(alternatives.KNOWN)
    near_size = {slug: pairs.near(slug, size) for slug in wanted}
    found = {
        slug: alternatives.alternative(alternatives.KNOWN[slug], some, library, tasks, args.level)
        for slug, some in near_size.items()
    }
    missing, answers = (
        [slug for slug, one in found.items() if one is None],
        [one for one in found.values() if one],
    )
    if args.json:
        show(
            {
                **(understood or {}),
                "tasks": wording.numbers(tasks.parts),
                "on": size,
                "changes": wording.numbers(answers),
                "no_rows": missing,
            }
        )
        return 0 if answers else 1
    look = style()
    lines = (
        schedule.overview(answers, tasks.label, look)
        if not args.change and answers
        else [
            line for one in answers for line in schedule.change_lines(one, names_of(library), look)
        ]
    )
    for slug in missing:
        lines += schedule.no_result(slug, near_size[slug], size, look)
    out("\n".join(lines).rstrip("\n"))
    return 0 if answers else 1
