"""What a language model scores on MMLU, for one of which nobody prints it, too.

In: an LLM's slug and the vocabulary. Out: Text(mmlu, sd): the printed score with sd 0, or the
expected one with its standard deviation. A missing score is then unsure, not equal to that of
whatever it is compared with.

The expected one is a straight line through the models of the registry that print both MMLU and what
this one prints: another text score, its size beside models of the same maker, or its size alone;
the line that leaves least open among those that the model has a value for.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..terms.vocabulary import Vocabulary

OTHERS = ("mmlu_pro", "bbh", "gsm8k", "math", "humaneval", "ifeval")
LEAST = 8  # models that a line must go through
RANGE = (20.0, 92.0)  # a guess at four answers scores 25; no printed score is above


class Text(NamedTuple):
    """A score on MMLU in percent; sd: 0 where it is printed."""

    mmlu: float
    sd: float


Reader = Callable[[Mapping], float | None]


class Line(NamedTuple):
    """mmlu = at + slope * value, with what it leaves open; `of` reads the value of a record."""

    at: float
    slope: float
    sd: float
    of: Reader


def octaves(record: Mapping) -> float | None:
    """log2 of billions of parameters: as counted, else as the name says (1.8b)."""
    named = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)b(?![a-z])", record.get("slug") or "")
    size = record.get("params_b") or (float(named[1]) if named else None)
    return math.log2(size) if size else None


def make(record: Mapping) -> str | None:
    """Who makes a model: its family without version numbers."""
    return (re.match(r"[a-z]+", record.get("family") or "") or [None])[0]


def line_through(records: Sequence[Mapping], of: Reader) -> Line | None:
    """Least squares over the records that have both; None where there are too few."""
    both = [(x, r["mmlu"]) for r in records if r.get("mmlu") and (x := of(r)) is not None]
    n = len(both)
    if n < LEAST:
        return None
    mx, my = sum(x for x, _ in both) / n, sum(y for _, y in both) / n
    squares = sum((x - mx) ** 2 for x, _ in both)
    slope = sum((x - mx) * (y - my) for x, y in both) / squares if squares else 0.0
    rest = sum((y - my - slope * (x - mx)) ** 2 for x, y in both)
    return Line(my - slope * mx, slope, math.sqrt(rest / (n - 2)), of)


def _among_kin(records: Sequence[Mapping], slope: float) -> Reader:
    """A reader: the mean MMLU of the maker's other models, each moved to this one's size."""

    makers: dict[str, list[tuple[Mapping, float]]] = {}
    for other in records:
        maker, size = make(other), octaves(other)
        if other.get("mmlu") and maker and size is not None:
            makers.setdefault(maker, []).append((other, size))

    def of(record: Mapping) -> float | None:
        size = octaves(record)
        kin = [
            other["mmlu"] + slope * (size - theirs)
            for other, theirs in (makers.get(make(record)) or () if size is not None else ())
            if other is not record
        ]
        return sum(kin) / len(kin) if kin else None

    return of


@lru_cache(maxsize=4)
def _lines(words: Vocabulary) -> list[Line]:
    """The lines of a vocabulary, the surest first."""
    records = list(words.records("llm").values())
    by_size = line_through(records, octaves)
    readers: list[Reader] = [(lambda r, k=key: r.get(k)) for key in OTHERS]
    readers += [_among_kin(records, by_size.slope)] if by_size else []
    readers += [octaves, lambda r: 0.0]  # the last line is level: the mean of all
    found = [one for of in readers if (one := line_through(records, of)) is not None]
    return sorted(found, key=lambda one: one.sd)


@lru_cache(maxsize=4096)
def text_score(llm: str, params_b: float | None, words: Vocabulary) -> Text | None:
    """The score of a language model; params_b: its size, where the registry does not know it. None
    only where the registry prints too few scores for any line.
    """
    record = words.records("llm").get(llm) or {"slug": llm, "params_b": params_b}
    if record.get("mmlu") is not None:
        return Text(record["mmlu"], 0.0)
    for one in _lines(words):
        value = one.of(record)
        if value is not None:
            return Text(min(max(one.at + one.slope * value, RANGE[0]), RANGE[1]), one.sd)
    return None
