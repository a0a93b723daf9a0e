"""The flags of `ablate`, and how it is carried out."""

from ..library import Library
from ..terms import units
from ..terms.recipe import parse
from ..terms.tasks import parse_mix
from .arguments import (
    Parser,
    choices_of,
    constraint_flags,
    constraints,
    flag,
    number,
    proxies_of,
    proxy_flag,
    recipe_fields,
    screen_flags,
)
from .console import err, out, show, style
from .registry import shell


def ablate_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--tasks",
        metavar="MIX",
        default="balanced",
        help="what the model is for (default: balanced)",
    )
    parser.add_argument(
        "--recipe",
        metavar="FIELD=VALUE,…",
        help=(
            "the recipe you have (fields left out: LLaVA-1.5-7B); default: the best one the budget"
            " buys"
        ),
    )
    parser.add_argument(
        "--confidence",
        type=flag(units.level),
        default=0.8,
        metavar="P",
        help="how sure you want to be (0.8 or 80%%)",
    )
    constraint_flags(parser)
    parser.add_argument(
        "--worth",
        type=number(0.0, 100.0, "a gain in percent of the scale between 0 and 100"),
        metavar="G",
        help=(
            "the gain that makes an axis worth its runs, in percent of the mix's scale (default:"
            " the noise of one run)"
        ),
    )
    proxy_flag(parser)
    screen_flags(parser, why="every axis with its runs, the plan over all of them, words")


def ablate_request(args, library: Library):
    """What is asked. Raises Usage, MixError and UnknownName."""
    from ..answers.ablate import AblateRequest
    from ..answers.ground import Request

    words = library.words
    own = (
        parse(recipe_fields(args.recipe, "ablate: --recipe"), words)[0]
        if args.recipe is not None
        else None
    )
    asked = Request(
        parse_mix(args.tasks, words),
        constraints(args, words),
        *choices_of(args, words),
        any_parts=args.any_parts,
        trainable_with=args.trainable_with,
    )
    return AblateRequest(asked, own, args.confidence, args.worth)


def ablate_command(args, library: Library, understood: dict | None = None) -> int:
    """The axes in the order to ablate them, with runs and GPU-hours."""
    from ..answers import ablate
    from ..answers.design import to_see
    from ..answers.ground import NothingFits
    from ..answers.proxy import affordable, of_ablation, of_all
    from ..show import ablate as screen
    from ..show import proxy as small_screen
    from ..show.names import names_of

    smaller = proxies_of(args.proxy, library.words)

    def bill(plan) -> str:
        """What the plan costs."""
        runs = to_see(library, **plan, detect=(1.0, True), gpu=answer.gpu)
        return screen.bill_text(runs, view)

    try:
        answer = ablate.answer(library, ablate_request(args, library))
    except NothingFits as nothing:  # no bad input: as with `pick`, exit code 1
        err(f"error: {nothing}")
        return 1
    view = screen.view(answer, library.words)
    if not answer.within and (small := affordable(library, answer, answer.hours)):
        runs = int(answer.hours // small.hours[0])
        view["small"] = {"proxy": small.small.text, "gpu_hours": small.hours[0], "runs": runs}
    plan = screen.next_design(view, answer.asked.tasks.benchmarks)
    view["next"] = [f"--why (every axis and run){plan and f'; {bill(plan)}:' or ''}"]
    view["next"] += [shell(screen.design_words(plan, view))] if plan else []
    if smaller:
        view["proxies"] = small_screen.view(of_all(of_ablation, library, answer, smaller))
    if args.json:
        show({**(understood or {}), **view})
    else:
        whole = args.why or args.rows
        out(screen.full_text(view, style()) if whole else screen.first_screen(view, style()))
        if smaller:
            out(small_screen.text(view["proxies"], names_of(library), style(), whole))
    return 0
