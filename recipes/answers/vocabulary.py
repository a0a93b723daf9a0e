"""What `tables names AXIS` lists: everything that can be named on an axis, with how often tables
and released models use it.

In: the library and an axis. Out: Named values. Does not word or print anything.
"""

from collections import Counter
from typing import NamedTuple

from ..library import Library
from ..released.practice import practice
from ..terms.axes import AXES
from ..terms.vocabulary import UnknownName, fold

KINDS = (
    "encoder",
    "connector",
    "llm",
    "data",
    "resolution",
    "benchmark",
    "family",
    "hardware",
    "dataset",
    "model",
)


class Named(NamedTuple):
    """One name. also: other spellings. rows: of the tables that use it; models: released ones that
    do (None: not counted for this kind).
    """

    slug: str
    name: str
    also: tuple[str, ...]
    rows: int | None
    models: int | None


def kind_of(text: str) -> str:
    """An axis or another kind of name, as people write it (encoders, LLMs, GPUs). Raises
    UnknownName.
    """
    other = {"gpu": "hardware", "device": "hardware", "task": "family", "mix": "data"}
    known = {fold(kind): kind for kind in KINDS} | other
    word = fold(text)
    for form in (word, word.removesuffix("s"), word.removesuffix("es"), word[:-3] + "y"):
        if form in known:
            return known[form]
    raise UnknownName("axis", text, (), KINDS)


def names(library: Library, kind: str) -> list[Named]:
    """Everything of a kind, in the registry's order; what the tables use first."""
    words = library.words
    if kind == "model":
        models = library.released.models
        return [Named(m.key, m.name, (m.record["hf_id"] or "",), None, None) for m in models]
    if kind == "dataset":
        records = words.mixes.datasets
        used: Counter[str] = Counter()
    elif kind == "data":
        records = {**words.records("data"), **words.mixes.records}
        used = _rows(library, kind)
    else:
        records = words.records(kind)
        used = _rows(library, kind)
    uses = practice(library.released).uses.get(kind) if kind != "resolution" else None
    out = [
        Named(
            slug,
            str(record.get("name") or record.get("label") or slug),
            tuple(record.get("aliases", ())),
            used[slug] if kind in COUNTED else None,
            (uses[slug].count if slug in uses else 0) if uses is not None else None,
        )
        for slug, record in records.items()
    ]
    return sorted(out, key=lambda one: (-(one.rows or 0), -(one.models or 0)))


COUNTED = (*AXES, "benchmark")


def _rows(library: Library, kind: str) -> Counter[str]:
    """How many rows of all tables use each name; of a fused encoder, each of its parts."""
    out: Counter[str] = Counter()
    for paper in library.papers():
        for table in paper.tables:
            if kind == "benchmark":
                for metric in table.metrics.values():
                    out[metric.benchmark] += len(table.rows)
                continue
            for row in table.rows:
                value = row.setting.get(kind)
                if isinstance(value, str):
                    out.update({value, *value.split("+")} if kind == "encoder" else {value})
    return out
