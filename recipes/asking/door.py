"""A sentence in plain words -> the command line that means the same.

In: a question and the vocabulary. Out: Understood (command, argv, what was assumed), Ambiguous with
its readings, or a QuestionError that says which word no reading takes, and what to type instead.
Every word must be accounted for: never a guess. The words are read in reader.py; this is its door.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..base.errors import Refused

if TYPE_CHECKING:
    from ..terms.vocabulary import Vocabulary

EXAMPLES = (
    "swap CLIP for SigLIP on 7B",
    "is Q-Former better than MLP at 64 tokens",
    "what do I gain from 336 to 672 px for documents",
    "pick a recipe for a mobile UI agent on a 2B LLM under 300 ms on Orin",
    "what should I ablate first for charts at 80%",
)
LONGEST = 400  # characters of a question: more is no question


class Understood(NamedTuple):
    """The command a sentence became, its arguments (the command first), and what was assumed."""

    command: str
    argv: tuple[str, ...]
    assumed: tuple[str, ...] = ()


class Ambiguous(Refused):
    """A sentence that can mean several things: the readings, the likelier first."""

    def __init__(self, readings: Sequence[Understood]):
        self.readings = tuple(readings)
        super().__init__(
            f"this can mean {len(self.readings)} things: "
            + "; ".join(" ".join(one.argv) for one in self.readings)
        )


def understand(sentence: str, words: "Vocabulary") -> Understood:
    """Parse one question. Raises QuestionError or Ambiguous."""
    from . import reader

    text = " ".join(sentence.split()).strip()
    if not re.search(r"[^\W_]", text):
        raise reader.QuestionError(f"an empty question; try: {EXAMPLES[0]}")
    if len(text) > LONGEST:
        raise reader.QuestionError(
            f"a question of {len(text)} characters; at most {LONGEST} are read"
        )
    found = [Understood(r.argv[0], r.argv, r.assumed) for r in reader.read(text, words)]
    if len(found) > 1:
        raise Ambiguous(found)
    return found[0]
