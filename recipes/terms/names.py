"""How names are compared: the folded form, the nearest known names, spellings that collide.

In: texts and mappings of spellings. Out: folded texts, nearest slugs, UnknownName. Reads no file
and knows no registry.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ..base.errors import Refused

# What `tables names` lists, by the kind of name that an error rejects.
LISTED = {
    "encoder": "encoder",
    "connector": "connector",
    "llm": "llm",
    "data": "data",
    "benchmark": "benchmark",
    "hardware": "hardware",
    "task family": "family",
    "task family or benchmark": "family",
    "dataset": "dataset",
    "dataset or kind of data": "dataset",
    "released model": "model",
}


class UnknownName(Refused):
    """A name that the vocabulary does not know: `kind` (encoder, benchmark …), `name`, `nearest`
    known names, or examples.

    nearest: the names, or a function that finds them when somebody first reads the message.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        nearest: Iterable[str] | Callable[[], Iterable[str]],
        examples: Iterable[str] = (),
    ):
        super().__init__(kind, name)
        self.kind, self.name = kind, name
        self._nearest, self._examples = nearest, examples

    @functools.cached_property
    def nearest(self) -> tuple[str, ...]:
        return tuple(self._nearest() if callable(self._nearest) else self._nearest)

    def __str__(self) -> str:
        some = ", ".join(list(dict.fromkeys(self._examples))[:4])
        hint = (
            f"; nearest known: {', '.join(self.nearest)}"
            if self.nearest
            else f"; known are for example {some}"
            if some
            else ""
        )
        listed = f" (tables names {LISTED[self.kind]})" if self.kind in LISTED else ""
        return f"unknown {self.kind} {self.name[:80]!r}{hint}{listed}"


class Name(NamedTuple):
    """A resolved component: its slug (fused encoders joined by + in alphabetical order) and a
    resolution hint.

    The hint is the number of an `@336` behind the name, or None.
    """

    slug: str
    resolution: int | None = None


def fold(text: str) -> str:
    """The form in which names are compared: lower case, only letters, digits, dots and plus
    signs.
    """
    return re.sub(r"[^a-z0-9.+]+", "", text.lower())


def distance(a: str, b: str, limit: int) -> int:
    """Levenshtein distance with swapped neighbours counting once (optimal string alignment), cut
    off at limit + 1.

    A whole column of the table at once, as bits of whole numbers (Hyyrö 2003: the steps of +1 and
    of -1 down the column are two words, the swap is one more term).
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    if not a or not b:
        return max(len(a), len(b))
    places = _places(a)
    every, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    up, down, equal, seen = every, 0, 0, 0
    apart, left = len(a), len(b)
    for letter in b:
        here = places.get(letter, 0)
        equal = ((((here & up) + up) ^ up) | here | down | (((~equal & here) << 1) & seen)) & every
        right_up = down | (every & ~(equal | up))
        right_down = equal & up
        apart += bool(right_up & last) - bool(right_down & last)
        left -= 1
        if apart - left > limit:  # each letter that is left takes away one at most
            return limit + 1
        right_up = (right_up << 1 | 1) & every
        up = (right_down << 1 | ~(equal | right_up)) & every
        down = right_up & equal
        seen = here
    return min(apart, limit + 1)


@functools.lru_cache(maxsize=64)
def _places(text: str) -> dict[str, int]:
    """Letter -> the bits of its places in a text."""
    out: dict[str, int] = {}
    for place, letter in enumerate(text):
        out[letter] = out.get(letter, 0) | 1 << place
    return out


def meant(text: str, names: Mapping[str, str] | Iterable[str], end: str = "") -> str:
    """`; did you mean NAME`, or nothing: for the end of an error."""
    near = nearest(text, names, 1)
    return f"; did you mean {near[0]}{end}" if near else ""


def nearest_known(text: str, names: Mapping[str, str] | Iterable[str]) -> str:
    """`; nearest known: NAME, NAME`, or nothing."""
    near = nearest(text, names)
    return f"; nearest known: {', '.join(near)}" if near else ""


def nearest(text: str, names: Mapping[str, str] | Iterable[str], count: int = 3) -> list[str]:
    """The known slugs whose spellings are nearest to `text`, at most `count`, nearest first.

    `names` maps folded spellings to slugs, or is the names themselves. A spelling that begins with
    the text (or the other way round) counts as near, so that `siglip so` finds `siglip-so400m-14`.
    """
    wanted = fold(text)[:64]
    if not wanted:
        return []
    if not isinstance(names, Mapping):
        names = {fold(name): name for name in names}
    limit = max(2, len(wanted) // 3)
    best: dict[str, tuple[int, str]] = {}
    for spelling, slug in names.items():
        if (
            len(wanted) >= 3
            and len(spelling) >= 3
            and (spelling.startswith(wanted) or wanted.startswith(spelling))
        ):
            score = 1
        else:
            score = distance(wanted, spelling, limit)
        if score <= limit:
            best[slug] = min(best.get(slug, (score, spelling)), (score, spelling))
            if len(best) >= count:  # what is farther than so many slugs is not asked for
                limit = sorted(best.values())[count - 1][0]
    if not best:  # no spelling is near: those that share a word
        tokens = [
            fold(word) for word in re.split(r"[^A-Za-z0-9.]+", text[:64]) if len(fold(word)) >= 3
        ]
        for spelling, slug in names.items():
            if any(token in spelling for token in tokens):
                best[slug] = min(
                    best.get(slug, (len(spelling), spelling)), (len(spelling), spelling)
                )
    return [slug for slug, _ in sorted(best.items(), key=lambda item: (item[1], item[0]))[:count]]


def collisions(records: Iterable[Mapping], key: str = "slug") -> list[tuple[str, str, str]]:
    """Aliases that mean two things: (spelling, one slug, another slug)."""
    seen: dict[str, str] = {}
    out = []
    for record in records:
        for spelling in (record[key], *record.get("aliases", ())):
            other = seen.setdefault(fold(spelling), record[key])
            if other != record[key]:
                out.append((spelling, other, record[key]))
    return out
