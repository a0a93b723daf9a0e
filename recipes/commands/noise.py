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
    parser.add_argument("--mine", required=True, metavar="SCORE", help="what you measured")
    parser.add_argument("--paper", required=True, metavar="SCORE", help="what is printed")


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
    mine, paper = (score(text, benchmark, library.words) for text in (args.mine, args.paper))
    value = showing.view(answers.answer(library, benchmark, mine, paper))
    if args.json:
        show({**(understood or {}), **value})
    else:
        out(showing.text(value, names_of(library)[benchmark], style()))
    return 0
