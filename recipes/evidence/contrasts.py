"""Pairs of rows of one table: what moved between them, and by how much the scores differ.

In: Tables and the setting registry (which axis each setting key belongs to). Out: Contrasts, each
marked controlled (exactly one axis moved) or confounded (several moved, or the paper does not say).
Does not pool anything: that is effects/.
"""

import functools
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from ..terms.axes import AXES, BESIDE
from .tables import Metric, Row, Table

IGNORED = ("describes",)


class Moved(NamedTuple):
    """What differs between two rows.

    `axes`: axes (and what is recorded beside them) with a stated difference, in a fixed order.
    `unstated`: axes on which one row says something and the other does not.
    `implied`: what moves by itself with another axis (visual tokens with the resolution).
    """

    axes: tuple[str, ...]
    unstated: tuple[str, ...]
    implied: tuple[str, ...]

    @property
    def controlled(self) -> bool:
        """True when exactly one axis moved and nothing is left unsaid."""
        return len(self.axes) == 1 and not self.unstated


class Contrast(NamedTuple):
    """The difference `to` minus `from` of two arms of one table on one metric, in points of that
    metric.

    `delta` is signed so that positive is better whatever the metric's direction.
    """

    table: Table
    metric: Metric
    from_row: Row
    to_row: Row
    delta: float
    moved: Moved

    @property
    def controlled(self) -> bool:
        return self.moved.controlled

    @property
    def percent(self) -> float:
        """The difference in percent of the scale. A mean without a printed maximum (MM1's) counts
        as one of 100; CIDEr has no scale: points.
        """
        return self.delta * 100 / (self.metric.max or 100)


_ORDER = (*AXES, *BESIDE, "inference", "other")
_TOKENS_FOLLOW = ("resolution",)  # a finer image has more patches: not a second change


def moved(a: Mapping, b: Mapping, axis_of: Mapping[str, str]) -> Moved:
    """What differs between two full settings.

    `axis_of` maps a setting key to its axis. A key that only one side states is an unstated
    difference of its axis unless that axis differs in a stated way as well.
    """
    stated, unstated = set(), set()
    for key in {**a, **b}:
        axis = axis_of.get(key, "other")
        if axis in IGNORED:
            continue
        x, y = a.get(key), b.get(key)
        if x == y:
            continue
        (unstated if x is None or y is None else stated).add(axis)
    unstated -= stated
    implied = set()
    if (
        stated & set(_TOKENS_FOLLOW)
        and a.get("connector") == b.get("connector")
        and a.get("encoder") == b.get("encoder")
    ):
        implied = (stated | unstated) & {"visual_tokens"}
        stated -= implied
        unstated -= implied
    return Moved(
        _in_order(frozenset(stated)), _in_order(frozenset(unstated)), _in_order(frozenset(implied))
    )


@functools.cache
def _in_order(axes: frozenset[str]) -> tuple[str, ...]:
    return tuple(axis for axis in _ORDER if axis in axes)


def doubtful(row: Row, key: str) -> bool:
    """True when the table's own record says that this cell is not to be relied on."""
    return bool(row.doubt) and (row.doubt["cells"] == "*" or key in row.doubt["cells"])


def evidence_metrics(table: Table) -> tuple[Metric, ...]:
    """The metrics of a table that are evidence.

    Measurements are; so is a mean whose parts the table does not print (MM1 and Idefics2 print
    little else). Costs, statistics, text-only scores, printed differences, and parts of a score
    that is printed itself, are not.
    """
    printed = {metric.benchmark for metric in table.metrics.values()} | set(table.metrics)
    out = []
    for metric in table.metrics.values():
        if metric.role == "score":
            out.append(metric)
        elif metric.role == "average":
            parts = [part.partition("/")[0] for part in metric.mean_of]
            if not parts or sum(part in printed for part in parts) < len(parts) / 2:
                out.append(metric)
    return tuple(out)


def said(setting: Mapping, wanted: Callable[[str], bool]) -> frozenset:
    """What a setting states under the wanted keys, to be compared with another's."""
    return frozenset(
        (key, value if value.__hash__ else repr(value))
        for key, value in setting.items()
        if value is not None and wanted(key)
    )


def pairs_alike(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> Iterator[tuple[Row, Row]]:
    """The pairs of rows that are the same in `key`."""
    alike: dict[Hashable, list[Row]] = {}
    for row in rows:
        alike.setdefault(key(row), []).append(row)
    for group in alike.values():
        yield from combinations(group, 2)


def pair_contrasts(
    table: Table, first: Row, second: Row, difference: Moved, metrics: Sequence[Metric]
) -> Iterator[Contrast]:
    """The contrasts of two rows on each metric; none for one training run with itself, none with a
    doubtful cell.
    """
    if first.run is not None and first.run == second.run:
        return
    for metric in metrics:
        x, y = first.scores.get(metric.key), second.scores.get(metric.key)
        if x is None or y is None or doubtful(first, metric.key) or doubtful(second, metric.key):
            continue
        yield Contrast(
            table, metric, first, second, y - x if metric.higher_is_better else x - y, difference
        )


def contrasts(
    table: Table,
    axis_of: Mapping[str, str],
    metrics: Sequence[Metric] | None = None,
    between: Callable[[Row, Row], Moved] | None = None,
    pairs: Iterable[tuple[Row, Row]] | None = None,
) -> Iterator[Contrast]:
    """Every pair of arms of a table (or of `pairs`) on every evidence metric, in their order.

    Pairs of one training run with itself, and pairs with a doubtful cell, are left out. between:
    what differs between two rows, for who asks of the same rows again and again.
    """
    metrics = evidence_metrics(table) if metrics is None else metrics
    for first, second in combinations(table.rows, 2) if pairs is None else pairs:
        difference = (
            between(first, second) if between else moved(first.setting, second.setting, axis_of)
        )
        yield from pair_contrasts(table, first, second, difference, metrics)
