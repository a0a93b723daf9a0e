"""Sets of training runs that separate factors: full and fractional factorials, one factor at a
time, and what each mixes up.

In: the number of levels of each factor, and what must be told apart. Out: a Design: settings as
level numbers, its generators, defining relation and resolution, and which effects are aliased.
Knows no recipe, cost or benchmark.

Two levels are coded 0 and 1 (-1 and +1 in the literature). A regular fraction of k factors in 2^m
settings runs m factors in full and gives each further factor the product of some of them, its
generator (Box & Hunter 1961; Box, Hunter & Hunter 2005, ch. 6). The products that are constant over
the settings are the defining relation; the shortest has as many
letters as the resolution: III mixes main effects with two-factor interactions, IV mixes these only
with each other, V keeps both apart. Effects here are main effects and two-factor interactions;
higher interactions are taken to be small.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from ..base.errors import Refused

LETTERS = "ABCDEFGHJKL"  # no I: it names the identity
MOST_SETTINGS = 256


class NoDesign(Refused):
    """A design that cannot be had; the message says what is in the way."""


# numbers of the factors that it is about: one for a main effect, two for an interaction
Effect = frozenset[int]

# (factors, settings) -> the generators of the factors beyond the first log2(settings). Each is of
# least aberration: no other choice of generators has a higher resolution, or as high a one with
# fewer shortest words (Fries & Hunter 1980). test_design.py tries the others, and compares
# resolutions and alias sets with the tables of Box, Hunter & Hunter.
GENERATORS: dict[tuple[int, int], tuple[str, ...]] = {
    (3, 4): ("AB",),
    (4, 8): ("ABC",),
    (5, 8): ("AB", "AC"),
    (5, 16): ("ABCD",),
    (6, 8): ("AB", "AC", "BC"),
    (6, 16): ("ABC", "BCD"),
    (6, 32): ("ABCDE",),
    (7, 8): ("AB", "AC", "BC", "ABC"),
    (7, 16): ("ABC", "BCD", "ACD"),
    (7, 32): ("ABCD", "ABDE"),
    (7, 64): ("ABCDEF",),
    (8, 16): ("BCD", "ACD", "ABC", "ABD"),
    (8, 32): ("ABC", "ABD", "BCDE"),
    (8, 64): ("ABCD", "ABEF"),
    (8, 128): ("ABCDEFG",),
    (9, 16): ("ABC", "BCD", "ACD", "ABD", "ABCD"),
    (9, 32): ("BCDE", "ACDE", "ABDE", "ABCE"),
    (9, 64): ("ABCD", "ACEF", "CDEF"),
    (9, 128): ("ACDFG", "BCEFG"),
    (10, 16): ("ABC", "BCD", "ACD", "ABD", "ABCD", "AB"),
    (10, 32): ("ABCD", "ABCE", "ABDE", "ACDE", "BCDE"),
    (10, 64): ("BCDF", "ACDF", "ABDE", "ABCE"),
    (10, 128): ("ABCG", "BCDE", "ACDF"),
    (11, 16): ("ABC", "BCD", "ACD", "ABD", "ABCD", "AB", "AC"),
    (11, 32): ("ABC", "BCD", "CDE", "ACD", "ADE", "BDE"),
    (11, 64): ("CDE", "ABCD", "ABF", "BDEF", "ADEF"),
    (11, 128): ("ABCG", "BCDE", "ACDF", "ABCDEFG"),
}


class Design(NamedTuple):
    """A set of settings.

    kind: full, fraction or one-at-a-time. levels: of each factor. settings: one level number per
    factor each.
    relation: the words of the defining relation (empty for a full factorial). Factors count from 0.
    """

    kind: str
    levels: tuple[int, ...]
    settings: tuple[tuple[int, ...], ...]
    relation: tuple[Effect, ...] = ()

    @property
    def resolution(self) -> int | None:
        """Length of the shortest word; None where nothing is aliased (a full factorial) or words do
        not apply (one at a time).
        """
        return min(map(len, self.relation)) if self.relation else None


def full(levels: Sequence[int]) -> Design:
    """Every combination, the last factor changing fastest. Raises NoDesign above
    MOST_SETTINGS.
    """
    _check(levels)
    count = math.prod(levels)
    if count > MOST_SETTINGS:
        raise NoDesign(
            f"a full factorial of {' x '.join(map(str, levels))} levels has {count:,} settings:"
            f" more than {MOST_SETTINGS}"
        )
    return Design("full", tuple(levels), tuple(itertools.product(*map(range, levels))))


def one_at_a_time(levels: Sequence[int]) -> Design:
    """The setting of all first levels, and each other level alone against it: 1 + sum(levels - 1)
    settings.
    """
    _check(levels)
    start = (0,) * len(levels)
    rest = (
        tuple(level if i == place else 0 for i in range(len(levels)))
        for place, count in enumerate(levels)
        for level in range(1, count)
    )
    return Design("one-at-a-time", tuple(levels), (start, *rest))


def fraction(factors: int, settings: int) -> Design:
    """The regular two-level fraction of least aberration. Raises NoDesign when there is none of
    this size.
    """
    if (factors, settings) not in GENERATORS:
        raise NoDesign(f"no fraction of {factors} two-level factors in {settings} settings")
    generators = [word_of(text) for text in GENERATORS[factors, settings]]
    basic = factors - len(generators)
    rows = []
    for start in itertools.product((0, 1), repeat=basic):
        # +1 where an even number of the generator's letters is at -1
        rows.append((*start, *((1 + sum(1 - start[i] for i in word)) % 2 for word in generators)))
    words = [word | {basic + i} for i, word in enumerate(generators)]
    return Design("fraction", (2,) * factors, tuple(rows), relation_of(words))


def smallest(levels: Sequence[int], resolution: int) -> Design:
    """The smallest regular design of at least this resolution (III, IV or V): a fraction of
    two-level factors, or the full factorial.

    Raises NoDesign when it would have more than MOST_SETTINGS settings.
    """
    _check(levels)
    if all(count == 2 for count in levels):
        for factors, size in sorted(GENERATORS):
            if factors == len(levels):
                found = fraction(factors, size)
                if found.resolution >= resolution:
                    return found
    return full(levels)


def _check(levels: Sequence[int]) -> None:
    if not levels or any(count < 2 for count in levels):
        raise NoDesign("each factor needs at least two levels")
    if len(levels) > len(LETTERS):
        raise NoDesign(f"{len(levels)} factors: at most {len(LETTERS)} can be planned together")


def word_of(letters: str) -> Effect:
    """Factor numbers of a word (`ABD` -> {0, 1, 3})."""
    return frozenset(LETTERS.index(letter) for letter in letters)


def letters_of(word: Effect) -> str:
    """A word as letters."""
    return "".join(LETTERS[i] for i in sorted(word))


def relation_of(words: Sequence[Effect]) -> tuple[Effect, ...]:
    """All products of generating words (letters that occur twice cancel), the shortest first, then
    by letters.
    """
    group: set[Effect] = {frozenset()}
    for word in words:
        group |= {other ^ word for other in group}
    return tuple(sorted(group - {frozenset()}, key=lambda word: (len(word), sorted(word))))


def effects(factors: int) -> list[Effect]:
    """Main effects, then two-factor interactions."""
    return [
        frozenset(pair) for size in (1, 2) for pair in itertools.combinations(range(factors), size)
    ]


def aliases(design: Design) -> list[tuple[Effect, ...]]:
    """Sets of effects that the design cannot tell apart, main effects first; an effect that stands
    alone is a set of one.

    One at a time estimates each factor only at the first levels of the others: a factor's effect
    stands with every interaction that it is part of (at the first levels), so its interactions are
    in no set of their own.
    """
    left = effects(len(design.levels))
    if design.kind == "one-at-a-time":
        return [
            (effect, *(other for other in left if effect < other))
            for effect in left
            if len(effect) == 1
        ]
    out = []
    while left:
        first = left[0]
        mixed = {first, *(first ^ word for word in design.relation)}
        out.append(tuple(effect for effect in left if effect in mixed))
        left = [effect for effect in left if effect not in mixed]
    return out


def least_settings(levels: Sequence[int]) -> int:
    """The fewest settings from which all main effects can be estimated: one unknown for the mean,
    levels - 1 for each factor.
    """
    return 1 + sum(count - 1 for count in levels)


def separates(design: Design) -> tuple[bool, bool, bool]:
    """Can it tell main effects from each other, main effects from two-factor interactions, these
    from each other?
    """
    if design.kind == "one-at-a-time":
        return True, False, False
    resolution = design.resolution or math.inf
    return resolution >= 3, resolution >= 4, resolution >= 5


def main_factor(design: Design) -> float:
    """Variance of the difference between two levels of a factor (the one with most levels), in
    variances of one setting's mean.

    Factorials compare all settings at one level with all at the other: 2 x levels / settings (4 /
    settings for two levels). One at
    a time compares two settings: 2.
    """
    return (
        2.0 if design.kind == "one-at-a-time" else 2.0 * max(design.levels) / len(design.settings)
    )


def interaction_factor(design: Design) -> float | None:
    """Variance of a difference of differences (how much the gain of one factor changes with the
    level of another), in variances of one setting's mean; None when the design cannot tell
    two-factor interactions apart.

    Four groups of settings, each settings / (levels x levels): 16 / settings for two levels, four
    times a main effect's.
    """
    if not separates(design)[2] or len(design.levels) < 2:
        return None
    a, b = sorted(design.levels)[-2:]
    return 4.0 * a * b / len(design.settings)
