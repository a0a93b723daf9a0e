"""Where tables measured one change at two scales: on a small and a large LLM, on less and more
data, at a low and a high resolution.

In: columns, the vocabulary, the fit (units and noise of benchmarks). Out: Cases: what a change did
at the small and at the large scale of one paper on one benchmark. One walk over pairs of settings;
what follows from the cases is proxy.py's.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from ..evidence.contrasts import IGNORED, Moved, moved
from ..terms.vocabulary import Vocabulary
from .columns import Column
from .features import llm_params_b, pixels
from .posterior import Posterior
from .proxy import LEAST_RATIO, SEVERAL, Case

MAIN = ("encoder", "connector", "llm", "data")  # two of these moving: no change of one axis
BESIDE = ("resolution", "visual_tokens", "training", "architecture")
NOT_TRAINED = ("inference", "other")  # no change of what is trained, or of what nobody says
FRACTION = ("data_size", "data_keep")  # how much of one mix a run sees


class Scale(NamedTuple):
    """A way to be small. axes: its settings; keys: these alone (none: all of the axes);
    follows: what goes along with it by itself.
    """

    axes: tuple[str, ...]
    keys: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


SCALES = {
    "llm": Scale(("llm",)),
    "data_size": Scale(("data",), FRACTION),  # less of the same mix
    "data": Scale(("data",)),  # another, smaller mix
    "resolution": Scale(("resolution",), follows=("visual_tokens",)),
}


def size_of(kind: str, setting: Mapping, words: Vocabulary) -> float | None:
    """How large a setting is on a scale (billions of parameters, samples, pixels of a side), or
    None. A share of a mix of unknown size counts as a share of one.
    """
    if kind == "llm":
        return llm_params_b(setting, words)
    if kind == "resolution":
        return pixels(setting, words)
    whole = setting.get("data_size") or words.records("data").get(
        setting.get("data") or "", {}
    ).get("samples")
    kept = setting.get("data_keep")
    return whole * (kept or 1.0) if whole else kept


def axis_of(what: Moved) -> str | None:
    """The axis of a change, SEVERAL where two components move; None: not a change of a recipe.

    What comes with a component (its own resolution, tokens, schedule) goes with it: it is the same
    change at both scales.
    """
    if what.unstated or set(what.axes) & set(NOT_TRAINED):
        return None
    main = [axis for axis in MAIN if axis in what.axes]
    if len(main) > 1:
        return SEVERAL
    return next((axis for axis in (*main, *BESIDE) if axis in what.axes), None)


class _Cell(NamedTuple):
    """Rows of one setting at one scale: the first one's setting, all scores, what followed."""

    setting: Mapping
    size: float
    scores: list[float]
    followed: set[frozenset]

    @property
    def score(self) -> float:
        return sum(self.scores) / len(self.scores)


def _said(setting: Mapping, keys: Iterable[str]) -> frozenset:
    """Fields of a setting as one hashable value."""
    return frozenset(
        (key, value if value.__hash__ else repr(value))
        for key in keys
        if (value := setting.get(key)) is not None
    )


def _cells(
    column: Column, kind: str, words: Vocabulary, axes: Mapping[str, str]
) -> dict[frozenset, dict[frozenset, _Cell]]:
    """What a setting says beside the scale -> what it says of the scale -> its rows."""
    scale = SCALES[kind]
    out: dict[frozenset, dict[frozenset, _Cell]] = {}
    for row, score in zip(column.rows, column.scores):
        size = size_of(kind, row.setting, words)
        if not size:
            continue
        own, along, rest = [], [], []
        for key in row.setting:
            axis = axes.get(key, "other")
            if axis in scale.axes and (not scale.keys or key in scale.keys):
                own.append(key)
            elif axis in scale.follows:
                along.append(key)
            elif axis not in IGNORED:
                rest.append(key)
        at = out.setdefault(_said(row.setting, rest), {})
        cell = at.setdefault(_said(row.setting, own), _Cell(row.setting, size, [], set()))
        cell.scores.append(score)
        cell.followed.add(_said(row.setting, along))
    # rows that differ in what should only follow are no repeats of one run
    alike = {
        rest: {own: cell for own, cell in at.items() if len(cell.followed) == 1}
        for rest, at in out.items()
    }
    return {rest: at for rest, at in alike.items() if len(at) > 1}


def cases(columns: Sequence[Column], words: Vocabulary, posterior: Posterior) -> Iterator[Case]:
    """Every change that a column shows at two scales, in the order of the columns. posterior: says
    how much each benchmark moves (deltas are in units of it), and how noisy a delta is.
    """
    axes = words.axis_of
    for kind in SCALES:
        for column in columns:
            unit = posterior.scale_of(column.benchmark)
            noise = posterior.noise(column.benchmark)
            for one, other in combinations(_cells(column, kind, words, axes).values(), 2):
                both = sorted((one[own].size, n, own) for n, own in enumerate(one) if own in other)
                if len(both) < 2:
                    continue
                first = both[0][2]
                axis = axis_of(moved(one[first].setting, other[first].setting, axes))
                if axis is None:
                    continue
                deltas = [(size, other[own].score - one[own].score) for size, _, own in both]
                for (small, before), (large, after) in combinations(deltas, 2):
                    if large / small >= LEAST_RATIO:
                        ratio, deltas_ = math.log2(large / small), (before / unit, after / unit)
                        yield Case(kind, axis, column.paper, ratio, *deltas_, noise)
