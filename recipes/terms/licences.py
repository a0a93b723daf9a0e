"""What the licences of released models and of LLMs permit, by their texts.

In: the vocabulary (tables/registry/licences.json) and a licence as the registry writes it. Out: a
Licence. A text that is not in the list was not read: nothing is read into its name.
"""

from typing import NamedTuple

from .vocabulary import Vocabulary

COMMERCIAL = ("yes", "conditions", "no")


class Licence(NamedTuple):
    """commercial: yes, conditions, no or unknown; why: in words."""

    commercial: str
    open_source: bool
    why: str


UNREAD = Licence("unknown", False, "its terms were not read")


def licence(words: Vocabulary, text: str | None) -> Licence:
    """What a licence permits; UNREAD where its terms were not read."""
    for row in words.registry("licences")["licences"]:
        if row["text"] == text:
            return Licence(row["commercial"], row["open_source"], row["why"])
    return UNREAD
