"""The flags of `rank`, and how it is carried out."""

from ..answers import rank as answers
from ..library import Library
from ..show import rank as showing
from ..show.names import names_of
from ..terms.recipe import Recipe, parse
from .arguments import (
    Parser,
    Usage,
    constraints,
    flag,
    judged_on,
    level_flag,
    limit_flags,
    positive,
    recipe_flags,
    size_or_llm,
    stated_flags,
)
from .console import out, show, style


def rank_arguments(parser: Parser) -> None:
    parser.add_argument(
        "axis", metavar="AXIS", choices=answers.AXES, help=f"one of {', '.join(answers.AXES)}"
    )
    parser.add_argument(
        "--among",
        metavar="A,B,C",
        help="only these levels (default: those that two papers or more vary)",
    )
    parser.add_argument("--avoid", metavar="A,B", action="append", default=[], help="not these")
    parser.add_argument("--on", metavar="LLM", help="size or name of the LLM (7B, llama-3-8b)")
    parser.add_argument("--tasks", metavar="MIX", help="task mix: documents, charts=0.5,mmmu=0.5 …")
    parser.add_argument(
        "--benchmark", action="append", default=[], metavar="B", help="only these (repeatable)"
    )
    parser.add_argument("--worst", action="store_true", help="the last first")
    parser.add_argument("--top", type=flag(positive), default=8, metavar="N", help="how many")
    level_flag(parser)
    recipe_flags(parser, what="that is held")
    limit_flags(parser)


def rank_request(args, library: Library) -> answers.Request:
    """What to rank."""
    words, axis = library.words, args.axis
    held = stated_flags(args, words)
    if args.on is not None:
        if {"llm", "llm_params_b"} & held.keys():
            raise Usage("rank: --on says the LLM: leave out --llm and --llm-params-b")
        held = {**size_or_llm(args.on, words), **held}
    if axis in held:
        raise Usage(f"rank: the {axis.replace('_', ' ')} is what moves: leave out its flag")

    def levels(text: str) -> list:
        return [getattr(parse({axis: part}, words)[0], axis) for part in text.split(",")]

    return answers.Request(
        axis,
        levels(args.among) if args.among is not None else (),
        Recipe(**held),
        *judged_on(args, words),
        args.level,
        constraints(args, words).asked(),
        [level for text in args.avoid for level in levels(text)],
        args.top,
    )


def rank_command(args, library: Library, understood: dict | None = None) -> int:
    """The levels of one axis with all else held: expected, P(best), printed rows, cost."""
    answer = answers.answer(library, rank_request(args, library))
    if args.worst:
        answer = answer._replace(levels=answer.levels[::-1])
    value = showing.view(answer, args.level)
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(showing.text(value, answer, names_of(library), style()))
    return 0
