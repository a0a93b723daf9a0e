"""Statements held against the tables: `is it true that …` -> the audited claims that say so.

In: items of a sentence that asks whether something is true. Out: `claims` with the ids of the
claims that speak of all that the statement names; none when a word of it stands in no claim. The
verdict is the audit's (claims.py), not found here.
"""

import functools
import re
from collections.abc import Iterable, Sequence

from ..terms.axes import COMPONENTS
from ..terms.vocabulary import Vocabulary, fold
from .lexicon import Item, Lexicon

ORDER = r"matters? more|more important|axis order|not from the"  # one part against another


def read(
    items: Sequence[Item], words: Vocabulary, lexicon: Lexicon
) -> tuple[list[tuple[str, ...]], list[Item]] | None:
    """(`claims` and ids, or nothing when no claim says it; the statement itself), or None when the
    sentence asks for no truth.
    """
    function = lexicon.language.function
    first = next((i for i in range(len(items)) if opening(items[i:], lexicon)), None)
    if first is None or any(item.readings or item.text not in function for item in items[:first]):
        return None
    items = items[first:]
    begun = opening(items, lexicon)
    spelled = " ".join(item.text for item in items)
    if any(item.value("claim") for item in items):
        return None
    said = spelled[len(begun) :]
    kept, length = [], 0
    for item in items:
        length += len(item.text) + 1
        if length > len(begun) + 1:
            kept.append(item)
    denied = {item.text for item in kept} & {"not", "never", "no"}
    if denied and not any(text in said for text in lexicon.language.signs["said same"]):
        return [], kept  # no claim is read as its contrary
    asked = concepts(kept, lexicon, said)
    found = matching(asked, words, lexicon)
    return [("claims", *found)] if found else [], kept


def opening(items: Sequence[Item], lexicon: Lexicon) -> str | None:
    """The longest opening of a statement that these items begin with."""
    spelled = " ".join(item.text for item in items[:9]) + " "
    known = lexicon.language.data["openings"]
    return max((text for text in known if spelled.startswith(text + " ")), key=len, default=None)


def concepts(items: Iterable[Item], lexicon: Lexicon, said: str) -> set[str]:
    """What a statement speaks of: names by their slug, words by what they stand for."""
    nothing = lexicon.language.signs["empty"]  # of what a statement is of
    same = {w: line.split()[0] for line in lexicon.language.data["alike"] for w in line.split()}
    out = {"same"} if any(text in said for text in lexicon.language.signs["said same"]) else set()
    out |= {"order"} if re.search(ORDER, said) else set()
    for item in items:
        names = {r.kind: r.value for r in item.readings}
        if "paper" in names:
            out.add("paper:" + names["paper"])
        elif {"encoder", "llm", "connector", "data"} & names.keys():
            kind = next(k for k in COMPONENTS if k in names)
            out.add(f"{kind}:" + family(names[kind]))
        elif "benchmark" in names:
            out.add("benchmark:" + names["benchmark"])
        elif "family" in names:
            out.add("family:" + names["family"])
        elif item.readings:
            out.add(
                "value:"
                + fold(
                    item.readings[0].value.split()[-1]
                    if item.readings[0].kind == "range"
                    else item.readings[0].value
                )
            )
        else:
            put_right = item.text if item.text in same else item.said or item.text
            for word in put_right.split():
                stem = word.removesuffix("s")
                empty = word in nothing or word in lexicon.language.function
                if not empty or word in same and word not in nothing:
                    out.add("word:" + same.get(word, same.get(stem, stem)))
    return out


def family(slug: str) -> str:
    """A component without its size: clip-vit-l-14 -> clip."""
    return re.split(r"-(?:vit|so400m|\d|[lbhg]-)", slug)[0]


def matching(asked: set[str], words: Vocabulary, lexicon: Lexicon) -> list[str]:
    """Ids of the claims that speak of all of it, those with the least else first, at most four."""
    if not {x for x in asked if x != "same"}:
        return []
    scored = sorted(
        (len(has - asked), name) for name, has in claimed(words, lexicon) if asked <= has
    )
    return sorted(name for extra, name in scored[:4] if extra <= scored[0][0] + 6)


@functools.lru_cache(maxsize=4)
def claimed(words: Vocabulary, lexicon: Lexicon) -> tuple[tuple[str, frozenset[str]], ...]:
    """(id, what it speaks of) of each published claim, read once."""
    out = []
    for claim in words.registry("claims")["claims"]:
        items = lexicon.read(claim["claim"], False)
        text = " ".join(item.text for item in items)
        has = concepts(
            items,
            lexicon,
            text + (" same" if re.search(r"within|equal|less than|not from", text) else ""),
        )
        has |= (
            {"same"}
            if re.search(r"within \d|equal|less than 1|changes less|not from", text)
            else set()
        )
        has |= {
            "word:" + x.partition(":")[0]
            for x in has
            if x.startswith(("encoder:", "connector:", "llm:", "data:"))
        }
        has |= {"word:ocr" for x in has if x == "family:ocr-document"}
        has |= {"paper:" + key for key in claim.get("cites") or ()}
        out.append((claim["id"], frozenset(has)))
    return tuple(out)
