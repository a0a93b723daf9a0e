"""Items of a sentence -> tokens: names and quantities, concepts, words that may be dropped.

In: items (lexicon.py) and the Language. Out: a Sentence of Tokens; a quantity knows whether it is
said to be the most or the least (`under 24GB`, `24GB or more`), a name takes in the word for its
part of a recipe (`MLP connector`). Draft is one reading of a sentence in the making: what it has
used, and what it assumed. Knows no command.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..terms import sides
from ..terms.vocabulary import Vocabulary
from .language import Language
from .lexicon import Item, Reading

AXIS_KINDS = {"size": "llm", "px": "resolution", "tokens": "visual_tokens"}
QUANTITIES = (
    "budget speed latency memory images samples size tokens px number percent points".split()
    + "duration gpus count range".split()
)


# numbers that stand alone as quantities; one, first and second are more often something else
FEW = frozenset("two three four five six seven eight nine ten third".split())


class Unfit(Refused):
    """Why a reading cannot be: one line, or nothing where another reading is to be tried."""


class Token(NamedTuple):
    """A stretch of a sentence: kind is name (readings say what it may be), concept (value says
    which), function, side (a word that limits a quantity) or unknown. `limit`: most or least.
    """

    text: str
    kind: str
    place: int
    readings: tuple[Reading, ...] = ()
    value: str = ""
    limit: str | None = None
    said: str = ""

    def get(self, *kinds: str) -> str | None:
        """The value of the first reading of these kinds."""
        return next((r.value for k in kinds for r in self.readings if r.kind == k), None)


def tokens(items: Sequence[Item], language: Language) -> list[Token]:
    """The tokens of a sentence: phrases joined, quantities limited."""
    out: list[Token] = []
    texts = [item.text if " " not in item.text else "\0" for item in items]
    i = 0
    while i < len(items):
        item, place = items[i], len(out)
        phrase = language.find(texts, i)
        if item.readings and not (phrase and phrase.size > 1):
            out.append(Token(item.text, "name", place, item.readings, said=item.said))
            i += 1
            continue
        if phrase and not (phrase.size == 1 and item.text in language.function):
            text = " ".join(part.text for part in items[i : i + phrase.size])
            if phrase.kind == "concept":
                out.append(Token(text, "concept", place, value=phrase.value))
            else:
                out.append(Token(text, "name", place, (Reading(phrase.kind, phrase.value),)))
            i += phrase.size
            continue
        if item.text in FEW:
            few = Reading("few", str(language.numbers[item.text]))
            out.append(Token(item.text, "name", place, (few,)))
            i += 1
            continue
        function = item.text in language.function
        out.append(Token(item.text, "function" if function else "unknown", place, said=item.said))
        i += 1
    return limited(out, language.signs)


def limited(found: list[Token], signs: Mapping[str, Sequence[str]]) -> list[Token]:
    """Quantities with the words around them that make them the most or the least of something."""
    both = {*signs["most"], *signs["least"]}
    for i, token in enumerate(found):
        if token.kind != "name" or not token.get(*QUANTITIES):
            continue
        j = i - 1
        lead: list[int] = []
        while j >= 0 and i - j < 7 and found[j].kind != "name":
            words = set(found[j].text.split())
            if not words <= both.union(signs["between"]):
                break
            lead.append(j)
            j -= 1
        if token.get("duration") and [found[k].text for k in lead[-1:]] == ["over"]:
            continue  # over a weekend
        limit, used = side([w for k in reversed(lead) for w in found[k].text.split()], signs), lead
        behind = [t.text for t in found[i + 1 : i + 4]]
        text = " ".join(behind)
        after = re.match(
            r"(?:(?:or|and) (?:more|above|over|higher|up|upwards|less|fewer|below|under|lower)"
            r"|at (?:least|most)|\+|minimum|min|max|maximum|tops)(?! than)\b|\+",
            text,
        )
        if after:
            said = after[0].split()
            size = 1
            while len(" ".join(behind[:size])) < len(after[0]):
                size += 1
            last = i + size + 1 >= len(found) or found[i + size + 1].kind != "name"
            if last:
                limit = "least" if set(said).isdisjoint(signs["most behind"]) else "most"
                used = range(i + 1, i + 1 + size)
        if limit:
            said = " ".join(w for k in sorted(used) for w in found[k].text.split())
            found[i] = token._replace(limit=limit, said=said)
            for k in used:
                if found[k].kind != "name" and (
                    set(found[k].text.split()) & (both | {"no", "not", "tops", "+"})
                    or found[k].kind == "concept"
                ):
                    found[k] = found[k]._replace(kind="side")
    return found


def side(words: Sequence[str], signs: Mapping[str, Sequence[str]]) -> str | None:
    """What the words before a quantity make of it: `most` (under, no more than), `least` (over, at
    least), or neither.
    """
    marks = [name for name in ("most", "least") if not set(words).isdisjoint(signs[name])]
    if len(marks) == 1 and {"no", "not"} & set(words):
        return "least" if marks[0] == "most" else "most"
    return marks[0] if marks else None


class Sentence(NamedTuple):
    """The tokens of a question, and what they were read with."""

    tokens: tuple[Token, ...]
    text: str
    language: Language
    words: Vocabulary

    def names(self) -> list[Token]:
        """The names and quantities."""
        return [token for token in self.tokens if token.kind == "name"]

    def concepts(self) -> set[str]:
        """The concepts, by name."""
        return {token.value for token in self.tokens if token.kind == "concept"}


class Draft:
    """One reading of a sentence in the making."""

    def __init__(self, sentence: Sentence, frame: str):
        self.sentence, self.frame = sentence, frame
        self.words = sentence.words
        self.used: set[int] = set()
        self.whole: set[int] = set()  # names that stand for their whole family
        self.notes: list[str] = []
        self.bonus = 0.0

    def leave_if(self, wrong) -> None:
        """Leave the sentence to other frames where this holds."""
        if wrong:
            raise Unfit("")

    def need(self, right) -> None:
        """Leave the sentence to other frames where this does not hold."""
        self.leave_if(not right)

    # --- names and quantities

    def of(self, *kinds: str) -> list[Token]:
        """The names not used yet that may be of these kinds, in their order."""
        return [
            t
            for t in self.sentence.names()
            if t.place not in self.used and t.get(*kinds) is not None
        ]

    def take(self, *found: Token) -> None:
        """Mark tokens as used."""
        self.used.update(token.place for token in found)

    def every(self, *kinds: str) -> list[str]:
        """The values of all names of these kinds, which are used by that."""
        found = self.of(*kinds)
        self.take(*found)
        return list(dict.fromkeys(token.get(*kinds) for token in found))

    def one(self, *kinds: str, what: str = "") -> str | None:
        """The one value of these kinds. Raises Unfit for several."""
        values = self.every(*kinds)
        if len(values) > 1:
            raise Unfit(f"several values of the {what or kinds[0]}: {', '.join(values)}")
        return values[0] if values else None

    def axes(self, *known: str) -> list[Token]:
        """The words not used yet that stand for a part (one of `known`, if any is given)."""
        return [t for t in self.of("axis") if not known or t.get("axis") in known]

    def left(self) -> list[Token]:
        """The names that no part of this reading has used."""
        return [t for t in self.sentence.names() if t.place not in self.used]

    # --- words

    def has(self, concepts: str) -> bool:
        """Whether one of these concepts (a space apart) is in the sentence."""
        return not self.sentence.concepts().isdisjoint(concepts.split())

    def said(self, *texts: str) -> bool:
        """Whether one of these words or phrases stands in the sentence."""
        return any(re.search(rf"(?<!\w){re.escape(t)}(?!\w)", self.sentence.text) for t in texts)

    def says(self, sign: str) -> bool:
        """Whether a word or phrase of a sign of the registry stands in the sentence."""
        return self.said(*self.sentence.language.signs[sign])

    def take_concept(self, concepts: str) -> list[Token]:
        """Use words of these concepts (a space apart), so that the reading need not take them."""
        found = [
            t
            for t in self.sentence.tokens
            if t.kind == "concept" and t.value in concepts.split() and t.place not in self.used
        ]
        self.take(*found)
        return found

    def before(self, token: Token, size: int = 1) -> list[Token]:
        """The tokens directly before one."""
        return list(self.sentence.tokens[max(token.place - size, 0) : token.place])

    def behind(self, token: Token, size: int = 1) -> list[Token]:
        """The tokens directly behind one."""
        return list(self.sentence.tokens[token.place + 1 : token.place + 1 + size])

    def between(self, a: Token, b: Token) -> list[Token]:
        """The tokens between two."""
        low, high = sorted((a.place, b.place))
        return list(self.sentence.tokens[low + 1 : high])

    def content_before(self, token: Token) -> Token | None:
        """The nearest token before one that is no article."""
        for other in reversed(self.sentence.tokens[: token.place]):
            if other.text not in self.sentence.language.signs["article"]:
                return other
        return None


def compose(items: Sequence[Item], text: str, language: Language, words: Vocabulary) -> Sentence:
    """The Sentence of these items: a part's word beside a name of that part says nothing more."""
    found = tokens(items, language)
    for i, token in enumerate(found):
        data = {r.kind for r in token.readings} >= {"data", "benchmark"}
        beside = [found[k].get("axis") for k in (i - 1, i + 1) if 0 <= k < len(found)]
        if data:  # DocVQA is a benchmark, DocVQA data are data
            gone = "benchmark" if "data" in beside else "data"
            found[i] = token._replace(readings=tuple(r for r in token.readings if r.kind != gone))
        if token.text == "seed" and i and found[i - 1].text in language.signs["a seed"]:
            found[i] = token._replace(kind="concept", value="seeds", readings=())  # no SEED-Bench
        if token.get("encoder") and i + 1 < len(found):  # CLIP 336
            px = found[i + 1].get("number") or ""
            if px.isdecimal() and len(found[i + 1].readings) == 1 and sides.pixels(int(px)):
                found[i + 1] = found[i + 1]._replace(readings=(Reading("px", px),))
        at = [t.text for t in found[i + 1 : i + 2]] == ["@"] and i + 2 < len(found)
        if at and token.get("encoder") and (px := found[i + 2].get("px", "number")):
            found[i] = token._replace(
                readings=(Reading("encoder", f"{token.get('encoder')}@{px}"),)
            )
            found[i + 2] = found[i + 2]._replace(kind="function")
    for i, token in enumerate(found):
        axis = token.get("axis")
        if not axis:
            continue
        near = [found[k] for k in (i - 1, i + 1) if 0 <= k < len(found)]
        for other in near:
            kinds = [AXIS_KINDS.get(r.kind, r.kind) for r in other.readings]
            if axis in kinds:
                found[i] = token._replace(kind="function")
        held = ("paper", "counter", "model")  # the resolution of LLaVA to 448
        ahead = [t for t in found[i + 1 : i + 6] if t.kind in ("name", "unknown")]
        ahead = next((t for t in ahead if not t.get(*held)), None)
        number = ahead.get("number") if ahead and axis in ("resolution", "visual_tokens") else None
        if number and number.isdecimal() and len(ahead.readings) == 1:  # resolution to 448
            kind = "px" if axis == "resolution" else "tokens"
            found[ahead.place] = ahead._replace(readings=(Reading(kind, number),))
    return Sentence(tuple(found), text, language, words)
