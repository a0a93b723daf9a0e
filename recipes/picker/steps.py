"""Printed rows along one continuous axis: neighbouring rows that differ in it alone, averaged range
by range.

In: papers, an axis (visual_tokens, resolution, llm_params_b, data_size), the vocabulary. Out: Pairs
with their gain per doubling in percent of the scale; Printed, their means over papers in ranges of
the axis. The model has no say here.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..effects.columns import recipe_rows
from ..effects.features import llm_make, llm_params_b, pixels, visual_tokens
from ..evidence.contrasts import Contrast, contrasts, evidence_metrics, moved
from ..evidence.tables import Paper, Row, Table
from ..terms.vocabulary import Vocabulary

AXIS = {
    "visual_tokens": "visual_tokens",
    "resolution": "resolution",
    "llm_params_b": "llm",
    "data_size": "data",
}
MEASURES: Mapping[str, Callable] = {
    "visual_tokens": visual_tokens,
    "resolution": pixels,
    "llm_params_b": llm_params_b,
    "data_size": lambda setting, _: setting.get("data_size"),
}
SLIVER = 0.2  # doublings of a pair inside a range that say nothing about the range


class Printed(NamedTuple):
    """What printed rows say in one range of the axis: gain per doubling in percent of the scale,
    the mean over papers.

    A pair of rows counts in every range that it crosses, by its doublings there. pairs, papers: how
    many. model: what the curve gains per doubling in this range (None: it has no doubling there
    inside the tables' range). disagree: the two differ by more than the noise.
    """

    low: float
    high: float
    gain: float | None
    pairs: int
    papers: int
    model: float | None = None
    disagree: bool = False


class Pair(NamedTuple):
    """Two printed rows that differ on the axis alone, next to each other: gain per doubling in
    percent of the scale.

    same: False where the data mix is another one too, not only another amount of it."""

    paper: str
    family: str
    low: float
    high: float
    slope: float
    same: bool = True


# (contrast, whether one data mix in two amounts) by the places of two rows
Linked = dict[tuple[int, int], tuple[Contrast, bool]]


def pairs(papers: Iterable[Paper], axis: str, words: Vocabulary) -> list[Pair]:
    """Neighbouring rows of one table that differ on this axis alone, on every benchmark with a
    family; a pair of runs counts once.

    Rows with another data mix in another amount (`_same_mix`) are pairs too, marked as such: they
    do not say what the amount does.
    """
    axis_of = words.axis_of
    records = words.records("benchmark")
    out: list[Pair] = []
    seen: set[tuple] = set()
    for paper in papers:
        for table in paper.tables:
            rows = [
                (value, row)
                for row in recipe_rows(table)
                if (value := MEASURES[axis](row.setting, words))
            ]
            rows.sort(key=lambda item: item[0])  # stable
            for found in _linked(table, rows, axis, words, axis_of).values():
                for (a, b), (contrast, same) in _neighbours(found):
                    key = _run_pair(contrast)
                    if key in seen:
                        continue
                    seen.add(key)
                    metric, low, high = contrast.metric, rows[a][0], rows[b][0]
                    unit = metric.max / 100 if metric.max else 1.0
                    slope = contrast.delta / unit / math.log2(high / low)
                    family = records[metric.benchmark]["family"]
                    out.append(Pair(paper.key, family, low, high, slope, same))
    return out


def _linked(
    table: Table,
    rows: Sequence[tuple[float, Row]],
    axis: str,
    words: Vocabulary,
    axis_of: Mapping[str, str],
) -> dict[str, Linked]:
    """By metric: all pairs of rows that differ on the axis alone."""
    records = words.records("benchmark")
    metrics = [m for m in evidence_metrics(table) if (records.get(m.benchmark) or {}).get("family")]
    out: dict[str, Linked] = {}
    for i, (low, first) in enumerate(rows):
        for j, (high, second) in enumerate(rows[i + 1 :], i + 1):
            if low >= high:
                continue
            step = moved(first.setting, second.setting, axis_of)
            if step.axes != (AXIS[axis],) or step.unstated:
                continue
            if axis == "llm_params_b" and _other_llm(first.setting, second.setting, words):
                continue
            same = axis != "data_size" or _same_mix(first.setting, second.setting, axis_of)
            for contrast in contrasts(table, axis_of, metrics, pairs=[(first, second)]):
                out.setdefault(contrast.metric.key, {})[i, j] = contrast, same
    return out


def _other_llm(a: Mapping, b: Mapping, words: Vocabulary) -> bool:
    """Another make, or a mixture of experts, not only another size?"""
    makes = [llm_make(setting.get("llm"), words) for setting in (a, b)]
    return makes[0] != makes[1] or a.get("moe") != b.get("moe")


def _neighbours(found: Linked) -> Iterator[tuple[tuple[int, int], tuple[Contrast, bool]]]:
    """The pairs between which no row lies (between two of one mix: no row of that mix)."""
    above: dict[int, set[int]] = {}
    for a, b in found:
        above.setdefault(a, set()).add(b)
    for (a, b), (contrast, same) in found.items():
        between = (
            middle
            for middle in above[a]
            if middle != b and b in above.get(middle, ()) and (not same or found[a, middle][1])
        )
        if next(between, None) is None:
            yield (a, b), (contrast, same)


def _run_pair(contrast: Contrast) -> tuple:
    """Which two runs on which benchmark: the same in every table that repeats them."""
    table, metric = contrast.table, contrast.metric
    runs = frozenset(row.run or (table.id, row.arm) for row in (contrast.from_row, contrast.to_row))
    return runs, metric.benchmark, metric.split, metric.shots


def _same_mix(a: Mapping, b: Mapping, axis_of: Mapping[str, str]) -> bool:
    """Do two settings name one data mix and differ in nothing of it but its amount? (Versions with
    names of their own are other mixes.)
    """
    return a.get("data") is not None and all(
        a.get(key) == b.get(key)
        for key in {**a, **b}
        if axis_of.get(key) == "data" and key not in ("data_size", "data_keep")
    )


def printed(found: Sequence[Pair], edges: Sequence[float]) -> tuple[Printed, ...]:
    """The pairs averaged range by range: over the pairs of a paper by their doublings in the range,
    then over papers.
    """
    out = []
    for low, high in zip(edges, edges[1:]):
        by_paper: dict[str, list[tuple[float, float]]] = {}
        count = 0
        for pair in found:
            overlap = (
                math.log2(min(high, pair.high) / max(low, pair.low))
                if pair.high > low and pair.low < high
                else 0.0
            )
            if overlap > SLIVER:
                by_paper.setdefault(pair.paper, []).append((overlap, pair.slope))
                count += 1
        means = [
            sum(weight * slope for weight, slope in items) / sum(weight for weight, _ in items)
            for items in by_paper.values()
        ]
        out.append(
            Printed(low, high, sum(means) / len(means) if means else None, count, len(means))
        )
    return tuple(out)
