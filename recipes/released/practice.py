"""What released models are built from: how many use a part, and since when until when.

In: the released models (Landscape) and a day. Out: Practice: for each axis and part how many
released models use it, the newest of them, and whether that makes the part usual. A model whose
record leaves a part null counts nowhere. Does not judge whether a part is good, read files or
print.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..terms.vocabulary import Vocabulary
from .models import Landscape, Model

AXES = ("encoder", "connector", "llm", "resolution")
USUAL_MODELS = 3  # this many released models make a part usual …
USUAL_MONTHS = 12  # … or one that is not older than this
# How a strategy of the model registry is called on the resolution axis of recipes.
STRATEGIES = {"fixed": "fixed", "tiled": "tiles", "dynamic": "native"}


class Use(NamedTuple):
    """A part's use. models: keys of the released models, newest first (undated last). newest: the
    month of the newest (2026-07), None when no month is known. usual: see `is_usual`.
    """

    models: tuple[str, ...]
    newest: str | None
    usual: bool

    @property
    def count(self) -> int:
        return len(self.models)


NEVER = Use((), None, False)


class Practice(NamedTuple):
    """axis -> part -> Use, and the day for which it holds. `of` answers for any part."""

    uses: Mapping[str, Mapping[str, Use]]
    today: str

    def of(self, axis: str, part: str) -> Use:
        """The use of a part; of a fused encoder (a+b) that of the fusion, not of its parts."""
        return self.uses.get(axis, {}).get(part, NEVER)


def months_between(earlier: str, later: str) -> int:
    """Whole months from one date to another (2025-11, 2026-11-29)."""
    (a, b), (c, d) = ((int(x) for x in text.split("-")[:2]) for text in (earlier, later))
    return 12 * (c - a) + d - b


def is_usual(count: int, newest: str | None, today: str) -> bool:
    """Three released models use it, or one of the last twelve months does."""
    return count >= USUAL_MODELS or (
        newest is not None and 0 <= months_between(newest, today) <= USUAL_MONTHS
    )


def parts_of(model: Model, words: Vocabulary) -> Iterable[tuple[str, str]]:
    """(axis, part) of a model under the vocabulary's names (its own name where that has none)."""
    record = model.record
    encoder = record["encoder"]
    if encoder:
        parts = encoder.split("+") if "(" not in encoder else [encoder]
        yield "encoder", "+".join(sorted(words.find("encoder", p) or p for p in parts))
    connector = record["connector"]
    if connector:
        first, *added = connector.split("+")  # patch-merger-qwen+deepstack is a patch merger, too
        yield "connector", words.find("connector", first) or first
        if added:
            yield "connector", connector
    if record["llm"]:
        yield "llm", words.find("llm", record["llm"]) or record["llm"]
    if record["resolution_strategy"]:
        strategy = record["resolution_strategy"]
        yield "resolution", STRATEGIES.get(strategy, strategy)


def practice(land: Landscape, today: str | None = None) -> Practice:
    """The use of every part by the released models with open weights, as of `today` (2026-11-29;
    the day on which the registry was compiled, if none is given).
    """
    today = today or land.compiled
    found: dict[str, dict[str, list[Model]]] = {axis: {} for axis in AXES}
    for model in land.models:
        if model.record["open"] is False:
            continue
        for axis, part in parts_of(model, land.words):
            found[axis].setdefault(part, []).append(model)
    uses = {}
    for axis, parts in found.items():
        ranked = {}
        for part, models in parts.items():
            models = sorted(models, key=lambda m: (m.record["release"] or "", m.key), reverse=True)
            newest = models[0].record["release"]
            ranked[part] = Use(
                tuple(m.key for m in models), newest, is_usual(len(models), newest, today)
            )
        uses[axis] = dict(sorted(ranked.items(), key=lambda item: (-item[1].count, item[0])))
    return Practice(uses, today)
