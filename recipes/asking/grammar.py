"""Items of a sentence against a sentence form: what each word is there for, or that the form does
not fit.

In: items (lexicon.py) and a Form: a pattern, the modifiers it takes, and the words that may stand
beside them. Out: a Match, in which every item belongs to the pattern, to a modifier (`on 7B`, `for
charts`, `under 300 ms on L4`) or to the words that carry no request. Knows no command.

A pattern is a line of elements: `swap|replace` words (`in_place_of` is three), `@by` a class of
words, `A:part` a thing that can be swapped, `B:benchmark/family` an item with such a reading; `?`
behind an element: it may be missing.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from .lexicon import Item
from .modifiers import (
    AVOID,
    AXES,
    DROPPED,
    FILL,
    JOIN,
    LICENCE,
    MODIFIERS,
    TASK_BEFORE,
    TASK_BEHIND,
    Modifier,
    modifier,
    spaced,
    words_of,
)


class Part(NamedTuple):
    """A thing that can be swapped: what it may be (kind -> value), further encoders fused with it,
    and its place.
    """

    meant: Mapping[str, str]
    fused: tuple[str, ...]
    place: int


class Form(NamedTuple):
    """A sentence form: the command it asks for, patterns, modifiers, words it allows, words of
    which it needs (one of each group), its builder.
    """

    name: str
    patterns: tuple[str, ...]
    modifiers: tuple[str, ...]
    words: frozenset[str]
    needs: tuple[frozenset[str], ...]
    build: Callable
    example: str


class Unfit(Refused):
    """The form was recognised, but the command cannot take what was said; the message says what
    (empty: look at other forms first).
    """


class Match(NamedTuple):
    """How a sentence fits a form. `said`: all its words; `used`: the kinds of modifiers that the
    builder has looked at.
    """

    form: Form
    captured: Mapping[str, object]
    modifiers: tuple[Modifier, ...]
    said: frozenset[str]
    items: tuple[Item, ...]
    used: set[str]

    def first(self, kind: str) -> str | None:
        """The one value of a kind of modifier, or None. Raises Unfit when several are said."""
        values = self.every(kind)
        if len(values) > 1:
            raise Unfit(
                "several values where one is asked"
                f" ({kind.replace('px', 'resolution').replace('level', 'percentage')}):"
                f" {', '.join(values)}"
            )
        return values[0] if values else None

    def every(self, kind: str) -> list[str]:
        """The values of all modifiers of a kind, each once."""
        return list(dict.fromkeys(m.value for m in self.of(kind)))

    def of(self, *kinds: str) -> list[Modifier]:
        """The modifiers of some kinds, in the order of the sentence."""
        self.used.update(kinds)
        return [m for m in self.modifiers if m.kind in kinds]

    def unused(self) -> list[str]:
        """Values of modifiers that no flag came from."""
        return [m.value for m in self.modifiers if m.kind not in self.used]


CLASSES: dict[str, tuple[str, ...]] = {
    "replace": spaced(
        "swap swapping replace replaced replacing exchange exchanging change changing switch"
        " switching substitute trade trading move moving go going upgrade upgrading downgrade"
        " migrate swaping replacement moved swapped switched"
    ),
    "by": ("for", "with", "by", "to", "into", "->", "against", "onto"),
    "to": ("to", "->", "up_to", "into", "towards"),
    "better": (
        "better",
        "more",
        "worse",
        "stronger",
        "weaker",
        "superior",
        "preferable",
        "as_good",
        "inferior",
        "good",
        "worth_it",
        "faster",
        "more_accurate",
    ),
    "than": ("than", "then", "to", "over", "as", "compared_to"),
    "beats": (
        "beat",
        "beats",
        "outperform",
        "outperforms",
        "outperformed",
        "win_against",
        "win_over",
        "wins_over",
        "do_better_than",
        "work_better_than",
        "works_better_than",
        "perform_better_than",
        "better_than",
        "worse_than",
        "help_over",
        "improve_on",
        "improve_over",
        "improves_over",
        "gain_over",
        "bring_over",
        "surpass",
        "outdo",
    ),
    "instead": (
        "instead_of",
        "rather_than",
        "in_place_of",
        "in_lieu_of",
        "compared_to",
        "compared_with",
        "in_comparison_to",
        "relative_to",
        "over",
    ),
    "versus": (
        "vs",
        "versus",
        "against",
        "->",
        "or",
        "compared_to",
        "compared_with",
        "v",
        "vrs",
        "or_rather",
        "and",
    ),
    "add": spaced(
        "add adding added plus append fuse fusing concatenate concatenating combine combining"
    ),
    "drop": spaced(
        "drop dropping remove removing without cut cutting discard discarding leave leaving skip"
        " skipping kick delete omit omitting"
    ),
    "help": spaced(
        "help helps hurt hurts matter improve improves worth good useful work works bad harm harms"
        " any pay enough suffice better ok great fine necessary needed"
    ),
}
STATES = {
    "frozen": "frozen",
    "freeze": "frozen",
    "freezing": "frozen",
    "freezed": "frozen",
    "unfrozen": "unfrozen",
    "unfreeze": "unfrozen",
    "unfreezing": "unfrozen",
    "trainable": "unfrozen",
    "trained": "unfrozen",
    "finetuned": "unfrozen",
    "tuned": "unfrozen",
    "tune": "unfrozen",
    "tuning": "unfrozen",
}
NOUNS = words_of(
    "encoder encoders connector connectors projector projectors llm llms data dataset datasets mix"
    " mixture resolution backbone backbones tower vision model models features visual image"
    " language size input"
)
PARTS = ("encoder", "connector", "llm", "data", "size", "tokens", "px", "resolution", "number")


@functools.cache
def elements(pattern: str) -> tuple[tuple[str, object, bool], ...]:
    """A pattern as elements: (capture name or "", kinds or sequences of words, may it be
    missing?).
    """
    out = []
    for text in pattern.split():
        optional = text.endswith("?")
        text = text.rstrip("?")
        if ":" in text:
            name, _, kinds = text.partition(":")
            out.append((name, tuple(kinds.split("/")), optional))
        else:
            words = CLASSES[text[1:]] if text.startswith("@") else text.split("|")
            out.append(("", tuple(tuple(word.split("_")) for word in words), optional))
    return tuple(out)


@functools.cache
def pattern_words(form: Form) -> frozenset[str]:
    """The literal words of a form's patterns."""
    return frozenset(
        word
        for pattern in form.patterns
        for name, what, _ in elements(pattern)
        if not name
        for words in what
        for word in words
    )


def grammar_words(forms: Sequence[Form]) -> frozenset[str]:
    """Every word that some form can account for."""
    known = set(
        AVOID | LICENCE | DROPPED | FILL | TASK_BEFORE | TASK_BEHIND | JOIN | NOUNS | STATES.keys()
    )
    for _, before, behind in MODIFIERS.values():
        known |= before | behind
    for form in forms:
        known |= form.words | pattern_words(form)
        for group in form.needs:
            known |= group
    return frozenset(known)


def match(form: Form, items: Sequence[Item]) -> Match | None:
    """The first way in which a form accounts for every item, or None."""
    for pattern in form.patterns or ("",):
        said = frozenset(word for item in items for word in item.text.split())
        if any(not said & group for group in form.needs):
            continue
        steps = elements(pattern)
        if any(
            not optional and not name and not any(set(words) <= said for words in what)
            for name, what, optional in steps
        ):
            continue
        done = _match(form, steps, tuple(items), 0, 0, set())
        if done is not None:
            captured, modifiers = {}, []
            for kind, value in done:
                if kind:
                    captured[kind] = value
                else:
                    modifiers += value
            return Match(form, captured, tuple(modifiers), said, tuple(items), set())
    return None


def _match(form: Form, steps, items: tuple[Item, ...], p: int, i: int, failed: set) -> list | None:
    """Elements p… against items i…: captures and modifiers, in order."""
    if (p, i) in failed:
        return None
    if i == len(items) and all(optional for _, _, optional in steps[p:]):
        return []
    if p < len(steps):
        name, what, optional = steps[p]
        for value, after in _element(name, what, items, i) if i < len(items) else ():
            rest = _match(form, steps, items, p + 1, after, failed)
            if rest is not None:
                return [(name, value), *rest] if name else rest
        if optional:
            rest = _match(form, steps, items, p + 1, i, failed)
            if rest is not None:
                return rest
    if i < len(items):
        found = modifier(items, i, form.modifiers)
        if found:
            rest = _match(form, steps, items, p, found[1], failed)
            if rest is not None:
                return [("", found[0]), *rest]
        if items[i].text in FILL or items[i].text in form.words:
            rest = _match(form, steps, items, p, i + 1, failed)
            if rest is not None:
                return rest
    failed.add((p, i))
    return None


def _element(name: str, what, items: tuple[Item, ...], i: int) -> Iterator[tuple[object, int]]:
    """Ways in which an element takes items from i: (value, next place)."""
    if not name:
        for words in what:
            if tuple(item.text for item in items[i : i + len(words)]) == words:
                yield None, i + len(words)
    elif what == ("part",):
        yield from parts(items, i)
    elif what == ("state",):
        yield from ((part, end) for part, end in parts(items, i) if "state" in part.meant)
    elif what == ("top",):  # top 3, 3 best
        for number, word in ((i + 1, i), (i, i + 1)):
            if max(number, word) < len(items) and items[word].text in (
                "top",
                "best",
                "first",
                "recipes",
                "models",
                "good",
            ):
                value = items[number].value("number")
                if value and value.isdecimal() and 0 < int(value) <= 100:
                    yield value, i + 2
    elif what == ("axis",):
        if items[i].text in AXES and not items[i].readings:
            yield AXES[items[i].text], i + 1
    else:
        value = items[i].value(*what)
        if value is not None:
            yield value, i + 1


def parts(items: Sequence[Item], i: int) -> Iterator[tuple[Part, int]]:
    """Things that can be swapped from i, the longest first."""
    start = i
    while i < len(items) and items[i].text in NOUNS and not items[i].readings:
        i += 1
    if i == len(items):
        return
    if items[i].text in STATES and not items[i].readings:
        after = i + 1
        while (
            after < len(items)
            and items[after].text in NOUNS | {"vit"}
            and not items[after].readings
        ):
            after += 1
        yield Part({"state": STATES[items[i].text]}, (), start), after
        return
    meant = {reading.kind: reading.value for reading in items[i].readings if reading.kind in PARTS}
    if not meant:
        return
    i += 1
    ends: list[tuple[Part, int]] = []
    fused: tuple[str, ...] = ()
    pixels = None
    while True:
        if (
            "encoder" in meant
            and i + 1 < len(items)
            and items[i].text == "@"
            and items[i + 1].value("number", "px")
        ):
            pixels, i = items[i + 1].value("px", "number"), i + 2
        stated = (
            {**meant, "encoder": f"{meant['encoder']}@{pixels}"} if pixels and not fused else meant
        )
        behind = i
        while behind < len(items) and items[behind].text in NOUNS and not items[behind].readings:
            behind += 1
        for end in dict.fromkeys((behind, i)):
            ends.append((Part(stated, fused, start), end))
        step = i + (
            i < len(items)
            and items[i].text in ("+", "and", "plus", "with", "&", "combined", "together")
        )
        step += step < len(items) and items[step].text == "with"
        more = (
            items[step].value("encoder")
            if "encoder" in meant and step > i and step < len(items)
            else None
        )
        if not more or more == meant["encoder"] or more in fused:
            break
        fused, i = (*fused, more), step + 1
    yield from (
        reversed(ends)
        if not fused
        else [*[e for e in reversed(ends) if e[0].fused], *[e for e in ends if not e[0].fused]]
    )
