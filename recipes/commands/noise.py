"""The flags of `noise`, and how it is carried out."""

import math

from ..answers import noise as answers
from ..library import Library
from ..show import noise as showing
from ..show.names import names_of
from ..terms.vocabulary import Vocabulary
from .arguments import Parser, Usage
from .console import out, show, style


def noise_arguments(parser: Parser) -> None:
    parser.add_argument("benchmark", metavar="BENCHMARK", help="what both scores are of")
    parser.add_argument("--mine", metavar="SCORE", help="what you measured")
    parser.add_argument("--paper", metavar="SCORE", help="what is printed")
    parser.add_argument(
        "--difference", metavar="POINTS", help="how far two scores lie apart, instead of both"
    )


def score(text: str, benchmark: str, words: Vocabulary) -> float:
    """A score on a benchmark's scale."""
    most = words.records("benchmark")[benchmark].get("max") or math.inf
    try:
        value = float(text.rstrip("%"))
    except ValueError:
        value = math.nan
    if not 0 <= value <= most:
        raise Usage(f"noise: {text[:20]!r} is no score of {benchmark} (0 to {most:g})")
    return value


def noise_command(args, library: Library, understood: dict | None = None) -> int:
    """Whether your score and the paper's differ by more than two runs of one recipe do."""
    benchmark = library.words.benchmark(args.benchmark)
    given = (args.mine, args.paper, args.difference)
    if [text is not None for text in given] not in ([True, True, False], [False, False, True]):
        raise Usage("noise: both --mine and --paper, or --difference alone")
    numbers = (None if x is None else score(x, benchmark, library.words) for x in given)
    value = showing.view(answers.answer(library, benchmark, *numbers))
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(showing.text(value, names_of(library)[benchmark], style()))
    return 0
