"""The flags of `moves`, and how it is carried out."""

from ..answers import moves as answers
from ..base.errors import Refused
from ..effects.level import check_score
from ..library import Library
from ..show import moves as showing
from ..show.names import names_of
from ..terms.recipe import Recipe
from ..terms.tasks import parse_mix
from .arguments import (
    Parser,
    Usage,
    level_flag,
    recipe_flags,
    size_or_llm,
    stated_flags,
)
from .console import out, show, style


def moves_arguments(parser: Parser) -> None:
    parser.add_argument("benchmark", metavar="BENCHMARK", nargs="?", help="what is to rise")
    parser.add_argument("--tasks", metavar="MIX", help="a task mix, instead of one benchmark")
    parser.add_argument("--from", dest="start", metavar="SCORE", help="what you score now")
    parser.add_argument("--target", metavar="SCORE", help="what you want to score")
    parser.add_argument(
        "--gain", metavar="POINTS", help="how much more you want, instead of --target"
    )
    parser.add_argument("--on", metavar="LLM", help="size or name of the LLM (7B, llama-3-8b)")
    level_flag(parser)
    recipe_flags(parser, what="that you have")


def moves_command(args, library: Library, understood: dict | None = None) -> int:
    """What moves a benchmark most, axis by axis: by expected gain and by gain per GPU-hour."""
    words = library.words
    if (args.benchmark is None) == (args.tasks is None):
        raise Usage("moves: name one benchmark, or a task mix with --tasks")
    one = None if args.benchmark is None else words.benchmark(args.benchmark)
    if one is None and (args.start or args.target or args.gain):
        raise Usage("moves: --from, --target and --gain are of one benchmark: name it")
    if None not in (args.target, args.gain):
        raise Usage("moves: either --target or --gain")
    ends = []
    for name, text in (("--from", args.start), ("--target", args.target), ("--gain", args.gain)):
        try:
            ends.append(None if text is None else check_score(one, float(text), words))
        except Refused as error:
            raise Usage(f"moves: {name}: {error}") from None
        except ValueError:
            raise Usage(f"moves: {name} {text[:20]!r} is not a score of {one}") from None
    start, target, gain = ends
    if None not in (start, gain):
        target = check_score(one, start + gain, words)
    if None not in (start, target) and target <= start:
        raise Usage(f"moves: --target {target:g} is not above --from {start:g}")
    if gain is not None and gain <= 0:
        raise Usage(f"moves: --gain {args.gain} is none")
    held = stated_flags(args, words)
    held = {**(size_or_llm(args.on, words) if args.on is not None else {}), **held}
    answer = answers.answer(
        library,
        Recipe(**held),
        [one] if one else (),
        parse_mix(args.tasks, words) if args.tasks is not None else None,
        args.level,
        start,
        target,
        gain,
    )
    value = showing.view(answer)
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(showing.text(value, names_of(library), style()))
    return 0
