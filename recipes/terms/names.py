"""How names are compared: the folded form, the nearest known names, spellings that collide.

In: texts and mappings of spellings. Out: folded texts, nearest slugs, UnknownName. Reads no file
and knows no registry.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..base.errors import Refused


class UnknownName(Refused):
    """A name that the vocabulary does not know: `kind` (encoder, benchmark …), `name`, `nearest`
    known names, or examples.
    """

    def __init__(self, kind: str, name: str, nearest: Iterable[str], examples: Iterable[str] = ()):
        self.kind, self.name, self.nearest = kind, name, tuple(nearest)
        some = ", ".join(list(dict.fromkeys(examples))[:4])
        hint = (
            f"; nearest known: {', '.join(self.nearest)}"
            if self.nearest
            else f"; known are for example {some}"
            if some
            else ""
        )
        super().__init__(f"unknown {kind} {name[:80]!r}{hint}")


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


@functools.lru_cache(maxsize=64)
def _places(text: str) -> dict[str, int]:
    """Where each letter of a text stands, as bits."""
    out: dict[str, int] = {}
    for i, letter in enumerate(text):
        out[letter] = out.get(letter, 0) | 1 << i
    return out


def distance(a: str, b: str, limit: int) -> int:
    """Levenshtein distance with swapped neighbours counting once (optimal string alignment), cut
    off at limit + 1.

    A column of the table of distances is two integers, in whose bits it grows or falls (Hyyro,
    Nordic J. Computing 10, 2003): a letter of b costs a few operations, not len(a).
    """
    m, n = len(a), len(b)
    if abs(m - n) > limit:
        return limit + 1
    if not a:
        return n
    places, last, full = _places(a), 1 << m - 1, (1 << m) - 1
    grows, falls, diagonal, before, found = full, 0, 0, 0, m
    for j, letter in enumerate(b, 1):
        here = places.get(letter, 0)
        swapped = ((~diagonal & here) << 1) & before
        diagonal = (((here & grows) + grows) ^ grows) | here | falls | swapped
        right, left = falls | ~(diagonal | grows), diagonal & grows
        if right & last:
            found += 1
        elif left & last:
            found -= 1
        if found - (n - j) > limit:
            return limit + 1
        right, left = right << 1 | 1, left << 1
        grows, falls, before = (left | ~(diagonal | right)) & full, right & diagonal & full, here
    return min(found, limit + 1)


def nearest(text: str, names: Mapping[str, str], count: int = 3) -> list[str]:
    """The known slugs whose spellings are nearest to `text`, at most `count`, nearest first.

    `names` maps folded spellings to slugs. A spelling that begins with the text (or the other way
    round) counts as near, so that `siglip so` finds `siglip-so400m-14`.
    """
    wanted = fold(text)[:64]
    if not wanted:
        return []
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
