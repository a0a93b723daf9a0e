"""The flags of `explain`, and how it is carried out."""

from ..answers import explain as answers
from ..library import Library
from ..show import explain as showing
from .arguments import Parser
from .console import out, show, style


def explain_arguments(parser: Parser) -> None:
    parser.add_argument(
        "term", metavar="TERM", nargs="+", help="a word of the answers, or a component, benchmark …"
    )


def explain_command(args, library: Library, understood: dict | None = None) -> int:
    """What a term means, or what the registry holds of a component."""
    value = showing.view(answers.answer(library, " ".join(args.term)))
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(showing.text(value, style()))
    return 0
