"""The forest plot: marks with their intervals, each panel on its own axis. Values in, SVG text out;
the same values give the same bytes.

In: marks with their words and numbers. Out: SVG (sheet.py). Does not know where the numbers come
from (forest.py makes the panels of a swap). A number that is not finite is a ValueError.
"""

import math
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from . import svg
from .sheet import LABEL, SMALL, Sheet


class Mark(NamedTuple):
    """One line of a forest plot. kind: full, open or near (squares: controlled, confounded, of the
    same make), pool (diamond) or model (bar).
    """

    label: str
    note: str
    estimate: float
    low: float
    high: float
    weight: float | None = None
    kind: str = "full"


class Panel(NamedTuple):
    """Marks on one axis. better: 1 when more is better, -1 when less is, 0 to leave it out. digits:
    decimals of the numbers.
    """

    title: str
    note: str
    marks: tuple[Mark, ...]
    unit: str = "points"
    better: int = 1
    digits: int = 1
    after: str = ""


def domain(marks: Sequence[Mark]) -> tuple[float, float]:
    """The range of a panel: all intervals and zero, and a little beyond."""
    low, high = min(0.0, *(m.low for m in marks)), max(0.0, *(m.high for m in marks))
    pad = 0.04 * (high - low) or 1.0
    return low - pad, high + pad


def interval_text(mark: Mark, digits: int) -> str:
    """`−0.3 … +4.1`."""
    return f"{svg.signed(mark.low, digits)} … {svg.signed(mark.high, digits)}"


def share(weight: float) -> str:
    """A weight in whole percent, never a false 0."""
    return "<1%" if 0 < weight < 0.005 else f"{100 * weight:.0f}%"


def forest(
    panels: Sequence[Panel],
    title: str,
    about: str = "",
    *,
    compact: bool = False,
    alone: bool = True,
    level: str = "80%",
    key: Collection[str] | None = None,
    after: str = "",
) -> str:
    """A forest plot: each panel has its own axis; squares by weight, a diamond for a pooled
    estimate, a bar for a predicted one.

    A panel without marks says its note and nothing else. key: the kinds of marks to explain
    (default: those in the panels).
    after: what is not among the panels.
    """
    sheet = Sheet(title, about, compact, alone)
    for panel in panels:
        for mark in panel.marks:
            svg.finite(
                mark.estimate, mark.low, mark.high, 0.0 if mark.weight is None else mark.weight
            )
        sheet.y += 16 if sheet.parts else 0
        sheet.say(panel.title, 13, "b")
        sheet.say(panel.note, SMALL, "m")
        if panel.marks:
            (_narrow if compact else _wide)(sheet, panel, level)
        sheet.say(panel.after, SMALL, "m")
    sheet.y += 14 if after else 0
    sheet.say(after, SMALL, "m")
    _key(sheet, kinds_of(panels) if key is None else key, level)
    return sheet.finish()


def kinds_of(panels: Sequence[Panel]) -> set[str]:
    """The kinds of marks in use."""
    return {mark.kind for panel in panels for mark in panel.marks}


KEY = {
    "full": (
        "a printed pair of rows that differs in nothing else but tokens that follow the change"
        " (controlled)"
    ),
    "open": "a printed pair in which something else moves along",
    "near": "a printed pair of the same make, not the very components",
    "pool": "the direct rows alone, pooled over papers, what else moved taken out",
    "model": "what the model expects; {level} of new runs should fall on the bar",
}


def _key(sheet: Sheet, kinds: Collection[str], level: str) -> None:
    """What the symbols mean, for those in use."""
    used = [kind for kind in KEY if kind in kinds]
    if not used or not sheet.alone and used == ["model"]:  # there the caption of the page says it
        return
    sheet.y += 14
    for kind in used:
        at, y = {0.0: sheet.x(14), -1.0: sheet.x(2), 1.0: sheet.x(26)}.__getitem__, sheet.y + 7.5
        sheet.parts += _symbol(Mark("", "", 0.0, -1.0, 1.0, None, kind), at, y, 0.0)
        sheet.say(KEY[kind].format(level=level), SMALL, "m", left=36)
        sheet.y += 1
    if set(kinds) & set(SQUARES):
        sheet.say(
            f"squares: area by weight; their lines: the noise of two runs, {level}",
            SMALL,
            "m",
            left=36,
        )


def _wide(sheet: Sheet, panel: Panel, level: str) -> None:
    """Label, plot and numbers side by side."""
    head = ["change", f"{level} interval", "weight"]
    cells = [
        (
            svg.signed(m.estimate, panel.digits),
            interval_text(m, panel.digits),
            "" if m.weight is None else share(m.weight),
        )
        for m in panel.marks
    ]
    used = [i for i in range(3) if i < 2 or any(cell[2] for cell in cells)]
    widths = [
        (
            max(svg.measure(head[i], SMALL), *(svg.measure(cell[i], LABEL, True) for cell in cells))
            if i in used
            else -12.0
        )
        for i in range(3)
    ]
    ends = [sheet.width - sum(widths[i + 1 :]) - 12 * (2 - i) for i in range(3)]
    left, right = 246.0, ends[0] - widths[0] - 18
    low, high = domain(panel.marks)
    at = lambda value: sheet.x(left + (value - low) / (high - low) * (right - left))
    sheet.y += 6
    head_y = sheet.y + 11
    sheet.parts += [svg.words(sheet.x(ends[i]), head_y, head[i], "m", SMALL, "end") for i in used]
    if panel.better:
        worse, better = ("← worse", "better →") if panel.better > 0 else ("← better", "worse →")
        sheet.parts += [
            svg.words(sheet.x(left), head_y, worse, "m", SMALL),
            svg.words(sheet.x(right), head_y, better, "m", SMALL, "end"),
        ]
    sheet.y += 18
    top, under = sheet.y, len(sheet.parts)
    largest = max((m.weight or 0.0 for m in panel.marks), default=0.0)
    for previous, mark, cell in zip((None, *panel.marks), panel.marks, cells):
        if previous and previous.kind in SQUARES and mark.kind not in SQUARES:
            sheet.parts.append(
                svg.line(sheet.x(0), sheet.y + 1, sheet.x(sheet.width), sheet.y + 1, "rule")
            )
            sheet.y += 5
        middle = sheet.y + 10
        strong = "" if mark.kind in SQUARES else "b"
        sheet.say(mark.label, LABEL, strong, width=left - 14)
        sheet.say(mark.note, SMALL, "m", width=left - 14)
        sheet.parts += _symbol(mark, at, middle, largest)
        sheet.parts += [
            svg.words(sheet.x(ends[i]), middle + 4, cell[i], strong, LABEL, "end")
            for i in used
            if cell[i]
        ]
        sheet.y += 6
    sheet.parts[under:under] = _axis(sheet, panel, at, low, high, top, sheet.y)


def _narrow(sheet: Sheet, panel: Panel, level: str) -> None:
    """Label, numbers and plot below each other: for a phone."""
    low, high = domain(panel.marks)
    at = lambda value: sheet.x(4 + (value - low) / (high - low) * (sheet.width - 8))
    largest = max((m.weight or 0.0 for m in panel.marks), default=0.0)
    for mark in panel.marks:
        sheet.y += 7
        strong = "" if mark.kind in SQUARES else "b"
        sheet.say(mark.label, LABEL, strong)
        sheet.say(mark.note, SMALL, "m")
        weight = "" if mark.weight is None else f", weight {share(mark.weight)}"
        sheet.say(
            f"{svg.signed(mark.estimate, panel.digits)} ({level}:"
            f" {interval_text(mark, panel.digits)}){weight}",
            SMALL,
            strong,
        )
        middle = sheet.y + 11
        sheet.parts += [
            svg.line(at(low), middle, at(high), middle, "rule"),
            svg.line(at(0), middle - 9, at(0), middle + 9, "zero"),
            *_symbol(mark, at, middle, largest),
        ]
        sheet.y += 20
    sheet.parts += _axis(sheet, panel, at, low, high, sheet.y, sheet.y + 4)


def _axis(
    sheet: Sheet,
    panel: Panel,
    at: Callable[[float], float],
    low: float,
    high: float,
    top: float,
    bottom: float,
) -> list[str]:
    """Grid, zero line, ticks and the unit; leaves the sheet below them."""
    most = 7
    while most > 2:
        marks = svg.ticks(low, high, most)
        names = [svg.plain_number(t) for t in marks]
        gaps = [
            at(b) - at(a) - (svg.measure(x, SMALL) + svg.measure(y, SMALL)) / 2
            for a, b, x, y in zip(marks, marks[1:], names, names[1:])
        ]
        if min(gaps, default=99) > 8:
            break
        most -= 1
    out = [svg.line(at(t), top, at(t), bottom, "rule") for t in marks if t]
    out += [
        svg.line(at(0), top, at(0), bottom, "zero"),
        svg.line(at(low), bottom, at(high), bottom, "axis"),
    ]
    for t, name in zip(marks, names):
        half = svg.measure(name, SMALL) / 2
        where = min(max(at(t), sheet.x(half)), sheet.x(sheet.width - half))
        out += [
            svg.line(at(t), bottom, at(t), bottom + 4, "axis"),
            svg.words(where, bottom + 15, name, "m", SMALL, "middle"),
        ]
    sheet.y = bottom + 18
    middle = (at(low) + at(high)) / 2
    for line in svg.fold_lines(panel.unit, at(high) - at(low), SMALL):
        sheet.y += 13
        out.append(svg.words(middle, sheet.y - 2, line, "m", SMALL, "middle"))
    return out


SQUARES = ("full", "open", "near")


def square_side(weight: float | None, largest: float) -> float:
    """Side of a row's square: its area grows with the weight, down to a smallest one that can be
    seen.
    """
    return (
        6.0
        if weight is None or largest <= 0
        else max(3.0, 13.0 * math.sqrt(max(weight, 0.0) / largest))
    )


def _symbol(mark: Mark, at: Callable[[float], float], y: float, largest: float) -> list[str]:
    x, low, high = at(mark.estimate), at(mark.low), at(mark.high)
    if mark.kind == "pool":
        return [svg.path([(low, y), (x, y - 6), (high, y), (x, y + 6)], "pool", closed=True)]
    if mark.kind == "model":
        return [
            svg.box(low, y - 2.5, max(high - low, 1), 5, "bar", 2.5),
            svg.box(x - 2, y - 7, 4, 14, "bar", 1),
        ]
    half = square_side(mark.weight, largest) / 2
    return [
        svg.line(low, y, high, y, "whisker"),
        svg.box(x - half, y - half, 2 * half, 2 * half, mark.kind),
    ]
