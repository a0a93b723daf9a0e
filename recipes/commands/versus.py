"""The flags of `versus`, and how it is carried out."""

from ..answers import versus as answers
from ..answers.rank import AXES
from ..library import Library
from ..show import versus as showing
from ..show.names import names_of
from ..terms.recipe import Recipe
from .arguments import Parser, judged_on, level_flag, recipe_flags, size_or_llm, stated_flags
from .console import out, show, style


def versus_arguments(parser: Parser) -> None:
    parser.add_argument("axes", metavar="AXIS", nargs="+", choices=AXES, help="two axes or more")
    parser.add_argument("--on", metavar="LLM", help="size or name of the LLM (7B, llama-3-8b)")
    parser.add_argument("--tasks", metavar="MIX", help="task mix: documents, charts=0.5,mmmu=0.5 …")
    parser.add_argument(
        "--benchmark", action="append", default=[], metavar="B", help="only these (repeatable)"
    )
    level_flag(parser)
    recipe_flags(parser, what="that you have")


def versus_command(args, library: Library, understood: dict | None = None) -> int:
    """Which axis matters more: the best known level of each, its spread, and how sure that is."""
    words = library.words
    held = stated_flags(args, words)
    held = {**(size_or_llm(args.on, words) if args.on is not None else {}), **held}
    answer = answers.answer(
        library,
        args.axes,
        Recipe(**held),
        *judged_on(args, words),
        args.level,
    )
    value = showing.view(answer)
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(showing.text(value, names_of(library), style()))
    return 0
