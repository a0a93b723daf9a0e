"""Statements held against the tables: `is it true that …` -> the audited claims that say so.

In: items of a sentence that asks whether something is true. Out: `claims` with the ids of the
claims that speak of all that the statement names; none when a word of it stands in no claim. The
verdict is the audit's (claims.py), not found here.
"""

import re
from collections.abc import Iterable, Sequence

from ..terms.vocabulary import Vocabulary, fold
from .lexicon import Item, Lexicon
from .modifiers import DROPPED, FILL, words_of

OPENINGS = (
    "is it true that",
    "is it true",
    "is it really true that",
    "is it correct that",
    "is it right that",
    "is it a fact that",
    "is it a myth that",
    "is it really the case that",
    "is it the case that",
    "true or false",
    "fact check",
    "factcheck",
    "people say that",
    "people say",
    "they say that",
    "they say",
    "everyone says that",
    "everyone says",
    "i heard that",
    "i heard",
    "i have heard that",
    "i read that",
    "i read",
    "someone told me that",
    "someone told me",
    "someone claims that",
    "it is said that",
    "check the claim that",
    "check claim that",
    "verify that",
    "is there proof that",
    "is there evidence that",
    "is it known that",
    "do we know that",
    "does it hold that",
    "some people claim that",
    "some claim that",
    "i was told that",
    "i was told",
    "we were told that",
    "did you know that",
    "myth",
    "claim",
    "is the claim true that",
    "is the following true",
)
WORDS = frozenset(word for text in OPENINGS for word in text.split()) | {"@"}
# Ways to say one thing. The first of each line stands for all of them.
ALIKE = (
    "connector projector adapter bridge mlp resampler perceiver qformer abstractor",
    "encoder backbone tower vit",
    "same equal within equivalent alike irrelevant",
    (
        "more better beats beat > higher outperforms outperform wins over gains adds gain add worth"
        " helps help improves improve lead leads best superior"
    ),
    "llm language",
    "data mixture mix dataset captions caption",
    "resolution px pixels",
    "tokens token",
    "saturates saturate plateaus plateau stops",
    "ocr documents document docs text",
    "human detailed manual",
    "freezing frozen freeze unfreezing unfreeze unfrozen",
    "vision-centric spatial perception",
    "charts chart",
    "few enough little insufficient",
    "ramping ramp staircase progressive",
    "faster fast speed",
    "sweet spot optimum",
    "variance explained explains",
)
CONCEPT = {word: line.split()[0] for line in ALIKE for word in line.split()}
EMPTY = (
    FILL
    | DROPPED
    | words_of(
        "matter matters important at all that than from by case really every any vlm vlms model"
        " models task tasks benchmark benchmarks difference make makes always never all no not only"
        " point points always much bit most better true false claims claim says say paper papers"
        " shows show tables hard only actually lot size sizes bigger larger big large large-scale"
        " found find finds for after beyond above below visual image images training train"
        " trained per"
    )
)
SAID_SAME = (
    "does not matter",
    "do not matter",
    "does not make",
    "no difference",
    "not matter",
    "not important",
    "is irrelevant",
    "does nothing",
    "about equal",
    "less than",
    "hardly matters",
    "barely matters",
    "makes no",
    "about the same",
    "the same",
)


def read(
    items: Sequence[Item], words: Vocabulary, lex: Lexicon
) -> tuple[list[tuple[str, ...]], list[Item]] | None:
    """(`claims` and ids, or nothing when no claim says it; the statement itself), or None when the
    sentence asks for no truth.
    """
    spelled = " ".join(item.text for item in items)
    opening = max(
        (text for text in OPENINGS if spelled.startswith(text + " ")), key=len, default=None
    )
    if opening is None:
        return None
    if any(item.value("claim") for item in items):
        return None
    said = spelled[len(opening) :]
    kept, length = [], 0
    for item in items:
        length += len(item.text) + 1
        if length > len(opening) + 1:
            kept.append(item)
    asked = concepts(kept, words, said)
    found = matching(asked, words, lex)
    return [("claims", *found)] if found else [], kept


def concepts(items: Iterable[Item], words: Vocabulary, said: str) -> set[str]:
    """What a statement speaks of: names by their slug, words by what they stand for."""
    out = {"same"} if any(text in said for text in SAID_SAME) else set()
    for item in items:
        names = {r.kind: r.value for r in item.readings}
        if "paper" in names:
            out.add("paper:" + names["paper"])
        elif {"encoder", "llm", "connector", "data"} & names.keys():
            kind = next(k for k in ("encoder", "connector", "llm", "data") if k in names)
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
            for word in (item.said or item.text).split():
                if word not in EMPTY:
                    out.add(
                        "word:"
                        + CONCEPT.get(
                            word, CONCEPT.get(word.removesuffix("s"), word.removesuffix("s"))
                        )
                    )
    return out


def family(slug: str) -> str:
    """A component without its size: clip-vit-l-14 -> clip."""
    return re.split(r"-(?:vit|so400m|\d|[lbhg]-)", slug)[0]


def matching(asked: set[str], words: Vocabulary, lex: Lexicon) -> list[str]:
    """Ids of the claims that speak of all of it, those with the least else first, at most four."""
    if not {x for x in asked if x != "same"}:
        return []
    scored = []
    for claim in words.registry("claims")["claims"]:
        items = [item for item in lex.read(claim["claim"], False) if item.text not in DROPPED]
        text = " ".join(item.text for item in items)
        has = concepts(
            items,
            words,
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
        for key in claim.get("cites") or ():
            has.add("paper:" + key)
        if asked <= has:
            scored.append((len(has - asked), claim["id"]))
    scored.sort()
    return sorted(name for extra, name in scored[:4] if extra <= scored[0][0] + 6)
