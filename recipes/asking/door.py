"""A sentence in plain words -> the command line that means the same.

In: a question and the vocabulary. Out: Understood (command, argv), Ambiguous with its readings, or
a QuestionError that says which words were not understood and shows the nearest question that can be
answered. Every word must be accounted for: never a guess. The words are read in asking/; this is
its door, and what `swap` needs to tell two names apart.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..terms.vocabulary import Vocabulary

EXAMPLES = (
    "swap CLIP for SigLIP on 7B",
    "is Q-Former better than MLP at 64 tokens",
    "what do I gain from 336 to 672 px for documents",
    "pick a recipe for a mobile UI agent on a 2B LLM under 300 ms on Orin",
    "what should I ablate first for charts at 80%",
)


class Understood(NamedTuple):
    """The command a sentence became, and its arguments (the command first)."""

    command: str
    argv: tuple[str, ...]


class Ambiguous(Refused):
    """A sentence that can mean several things: the readings, the likelier first."""

    def __init__(self, readings: Sequence[Understood]):
        self.readings = tuple(readings)
        super().__init__(
            f"this can mean {len(self.readings)} things: "
            + "; ".join(" ".join(one.argv) for one in self.readings)
        )


def understand(sentence: str, words: Vocabulary) -> Understood:
    """Parse one question. Raises QuestionError or Ambiguous."""
    from . import reader

    text = " ".join(sentence.split()).strip()
    if not re.search(r"[^\W_]", text):
        raise reader.QuestionError(f"an empty question; try: {EXAMPLES[0]}")
    if len(text) > 400:
        raise reader.QuestionError(f"a question of {len(text)} characters; at most 400 are read")
    readings = [Understood(argv[0], tuple(argv)) for argv in reader.read(text, words, EXAMPLES)]
    if len(readings) > 1:
        raise Ambiguous(readings)
    return readings[0]
