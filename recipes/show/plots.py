"""Tornado, Pareto front and curve. Values in, SVG text out; the same values give the same bytes.

In: bars and points with their words and numbers. Out: SVG (sheet.py). Does not know where the
numbers come from. A number that is not finite is a ValueError.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from . import svg
from .forest_plot import share
from .sheet import LABEL, SMALL, Sheet


class Bar(NamedTuple):
    """One line of a tornado: `left` (a probability) to the left of the middle, `right` (a gain, not
    negative) to the right.
    """

    label: str
    note: str
    left: float
    right: float


def tornado(
    bars: Sequence[Bar],
    title: str,
    about: str = "",
    *,
    left: str = "",
    right: str = "",
    compact: bool = False,
    alone: bool = True,
) -> str:
    """Two bars back to back for each line, in the order given; `left` and `right` say what the
    sides are.
    """
    sheet = Sheet(title, about, compact, alone)
    for bar in bars:
        svg.finite(bar.left, bar.right)
        if not (0 <= bar.left <= 1 and bar.right >= 0):
            raise ValueError(
                f"a tornado needs a probability and a gain that is not negative, not {bar.left!r}"
                f" and {bar.right!r}"
            )
    names = 0.0 if compact else 210.0
    middle, half = names + (sheet.width - names) / 2, (sheet.width - names) / 2
    texts = [t for bar in bars for t in (share(bar.left), svg.signed(bar.right))]
    reach = half - 8 - max((svg.measure(t, LABEL) for t in texts), default=0.0)
    most = max((bar.right for bar in bars), default=0.0)
    sheet.y += 4
    heads = [(svg.fold_lines(head, half - 10, SMALL), n) for head, n in ((left, -1), (right, 1))]
    for lines, side in heads:
        sheet.parts += [
            svg.words(
                sheet.x(middle + 6 * side),
                sheet.y + 11 + 13 * i,
                line,
                "m",
                SMALL,
                "end" if side < 0 else "start",
            )
            for i, line in enumerate(lines)
        ]
    sheet.y += 13 * max(len(lines) for lines, _ in heads) + 8
    for bar in bars:
        top = sheet.y
        sheet.say(bar.label, LABEL, "b", width=sheet.width if compact else names - 14)
        sheet.say(bar.note, SMALL, "m", width=sheet.width if compact else names - 14)
        y = sheet.y + 4 if compact else top + 1
        gain = bar.right / most * reach if most else 0.0
        _bar(sheet, middle, y, share(bar.left), bar.left * reach, -1)
        _bar(sheet, middle, y, svg.signed(bar.right), gain, 1)
        sheet.parts.append(svg.line(sheet.x(middle), y - 3, sheet.x(middle), y + 19, "axis"))
        sheet.y = max(sheet.y, y + 18) + (10 if compact else 8)
    return sheet.finish()


def _bar(sheet: Sheet, middle: float, y: float, value: str, size: float, side: int) -> None:
    """One bar of a tornado, to the left (-1) or right (1) of the middle, with its value."""
    sheet.parts += [
        svg.box(
            sheet.x(middle if side > 0 else middle - size),
            y,
            size,
            16,
            "bar" if side > 0 else "full",
        ),
        svg.words(
            sheet.x(middle + side * (size + 5)),
            y + 12,
            value,
            "",
            LABEL,
            "end" if side < 0 else "start",
        ),
    ]


# --- Pareto front and curve
# ------------------------------------------------------------------------------------------


class Point(NamedTuple):
    """One point of a Pareto plot. kind: front, cloud or base. The note shows when the pointer rests
    on the point.
    """

    label: str
    x: float
    y: float
    note: str = ""
    kind: str = "front"


class _Rise:
    """A vertical scale: its ends (of the logarithm, for a logarithmic one, which wants positive
    numbers) and ticks.
    """

    def __init__(self, values: Sequence[float], logarithmic: bool = False):
        self.scale = math.log10 if logarithmic else float
        low, high = self.scale(min(values)), self.scale(max(values))
        if logarithmic:  # room for a number above the highest point
            self.low, self.high = (
                low - max(0.15 * (high - low), 0.1),
                high + max(0.35 * (high - low), 0.25),
            )
            found = svg.log_ticks(10**self.low, 10**self.high)
            self.ticks = (
                found[:: (len(found) + 3) // 4]
                if len(found) > 1
                else svg.ticks(10**self.low, 10**self.high, 3)
            )
        else:
            pad = 0.1 * (high - low) or 1.0
            self.low, self.high = low - pad, high + pad
            self.ticks = svg.ticks(self.low, self.high, 6)

    @property
    def wide(self) -> float:
        """Width of the widest tick's number."""
        return max(svg.measure(svg.plain_number(t), SMALL) for t in self.ticks)


class _Frame:
    """The axes of a plot: positions of values, grid and ticks. left: where it begins (default:
    beside its own ticks' numbers).
    """

    def __init__(
        self,
        sheet: Sheet,
        xs: Sequence[float],
        rise: _Rise,
        units: tuple[str, str],
        logarithmic: bool,
        left: float | None = None,
        height: float | None = None,
    ):
        if logarithmic and min(xs) <= 0:
            raise ValueError("a logarithmic axis needs positive numbers")
        scale = math.log10 if logarithmic else float
        low, high = scale(min(xs)), scale(max(xs))
        pad = 0.06 * (high - low) or 0.5
        self.x0, self.x1, self.scale = low - pad, high + pad, scale
        self.rise = rise
        if logarithmic:
            x_ticks = svg.log_ticks(10**self.x0, 10**self.x1)
            x_ticks = x_ticks if len(x_ticks) > 1 else svg.ticks(10**self.x0, 10**self.x1, 4)
        else:
            x_ticks = svg.ticks(self.x0, self.x1, 6)
        self.left = 8 + rise.wide if left is None else left
        self.right, height = sheet.width - 4, height or (300.0 if sheet.width > 500 else 260.0)
        sheet.say(units[1], SMALL, "m")
        self.sheet, self.top, self.bottom = sheet, sheet.y + 8, sheet.y + 8 + height
        for t in rise.ticks:
            sheet.parts += [
                svg.line(sheet.x(self.left), self.y(t), sheet.x(self.right), self.y(t), "rule"),
                svg.words(
                    sheet.x(self.left - 6), self.y(t) + 4, svg.plain_number(t), "m", SMALL, "end"
                ),
            ]
        sheet.parts.append(
            svg.line(sheet.x(self.left), self.bottom, sheet.x(self.right), self.bottom, "axis")
        )
        used = -1e9
        for t in x_ticks:
            name = svg.plain_number(t)
            half = svg.measure(name, SMALL) / 2
            sheet.parts.append(svg.line(self.x(t), self.bottom, self.x(t), self.bottom + 4, "axis"))
            if self.x(t) - half > used + 6 and self.x(t) + half <= sheet.x(sheet.width):
                sheet.parts.append(
                    svg.words(self.x(t), self.bottom + 16, name, "m", SMALL, "middle")
                )
                used = self.x(t) + half
        sheet.y = self.bottom + 18
        for line in svg.fold_lines(units[0], self.right - self.left, SMALL):
            sheet.y += 14
            sheet.parts.append(
                svg.words(
                    sheet.x((self.left + self.right) / 2), sheet.y - 2, line, "m", SMALL, "middle"
                )
            )

    def x(self, value: float) -> float:
        return self.sheet.x(
            self.left
            + (self.scale(value) - self.x0) / (self.x1 - self.x0) * (self.right - self.left)
        )

    def y(self, value: float) -> float:
        return self.bottom - (self.rise.scale(value) - self.rise.low) / (
            self.rise.high - self.rise.low
        ) * (self.bottom - self.top)


def staircase(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The front through points (cost, score): what the best costs so far give, as steps."""
    out: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda p: (p[0], -p[1])):
        if not out or y > out[-1][1]:
            out += [(x, out[-1][1]), (x, y)] if out else [(x, y)]
    return out


def pareto(
    points: Sequence[Point],
    title: str,
    about: str = "",
    *,
    units: tuple[str, str] = ("cost", "score"),
    compact: bool = False,
    alone: bool = True,
) -> str:
    """Score against cost (logarithmic): all points, the front as a staircase, labels of the front
    where they find room.
    """
    sheet = Sheet(title, about, compact, alone)
    for point in points:
        svg.finite(point.x, point.y)
    if not points:
        sheet.say("no point to show", LABEL, "m")
        return sheet.finish()
    frame = _Frame(sheet, [p.x for p in points], _Rise([p.y for p in points]), units, True)
    steps = staircase([(p.x, p.y) for p in points if p.kind == "front"])
    if steps:
        sheet.parts.append(
            svg.path(
                [(frame.x(x), frame.y(y)) for x, y in [*steps, (10**frame.x1, steps[-1][1])]],
                "front",
            )
        )
    order = {"cloud": 0, "base": 1, "front": 2}
    spots = []
    for point in sorted(points, key=lambda p: order[p.kind]):
        x, y = frame.x(point.x), frame.y(point.y)
        radius = 3.0 if point.kind == "cloud" else 5.0
        hint = ": ".join(filter(None, (point.label, point.note)))
        sheet.parts.append(
            svg.dot(
                x, y, radius, {"cloud": "cloud", "base": "pool", "front": "dot"}[point.kind], hint
            )
        )
        spots.append((x - radius, y - radius, x + radius, y + radius))
    boxes = list(spots)
    for (ax, ay), (bx, by) in zip(steps, steps[1:]):  # labels keep off the line
        boxes.append(
            (
                frame.x(ax) - 1,
                min(frame.y(ay), frame.y(by)) - 1,
                frame.x(bx) + 1,
                max(frame.y(ay), frame.y(by)) + 1,
            )
        )
    for point in sorted(
        (p for p in points if p.kind != "cloud" and p.label), key=lambda p: (-p.y, p.x)
    ):
        sheet.parts += _label(point, frame, boxes)
    return sheet.finish()


def _label(
    point: Point, frame: _Frame, boxes: list[tuple[float, float, float, float]]
) -> list[str]:
    """The point's label at the first free of eight places; none free: no label (the hint of the
    point has it).
    """
    x, y, width = frame.x(point.x), frame.y(point.y), svg.measure(point.label, SMALL)
    edge = (frame.sheet.x(frame.left), frame.top - 6, frame.sheet.x(frame.right), frame.bottom)
    for dx, dy in ((-1, -7), (1, 14), (-1, 14), (1, -7), (1, 3.5), (-1, 3.5), (-1, -20), (1, 27)):
        start = x + 7 if dx > 0 else x - 7 - width
        box = (start, y + dy - 9, start + width, y + dy + 3)
        inside = box[0] >= edge[0] and box[1] >= edge[1] and box[2] <= edge[2] and box[3] <= edge[3]
        if inside and not any(
            box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in boxes
        ):
            boxes.append(box)
            return [svg.words(start, y + dy, point.label, "", SMALL)]
    return []


class Step(NamedTuple):
    """One point of a curve with its interval."""

    x: float
    y: float
    low: float
    high: float


class Cost(NamedTuple):
    """What the points of a curve cost, drawn below it: one positive number for each of them, None
    where it is not known.
    """

    unit: str
    values: tuple[float | None, ...]


def curve(
    steps: Sequence[Step],
    title: str,
    about: str = "",
    *,
    units: tuple[str, str] = ("", ""),
    mark: tuple[float, str] | None = None,
    costs: Sequence[Cost] = (),
    compact: bool = False,
    alone: bool = True,
) -> str:
    """A line with its band along a logarithmic axis, a vertical mark at mark[0] that mark[1]
    explains, and below it a small plot for each kind of cost.
    """
    logarithmic = True
    sheet = Sheet(title, about, compact, alone)
    for step in steps:
        svg.finite(*step)
    if mark:
        svg.finite(mark[0])
    if not steps:
        sheet.say("no point to show", LABEL, "m")
        return sheet.finish()
    ordered = sorted(steps)
    below = [
        (cost.unit, found, _Rise([y for _, y in found], True))
        for cost in costs
        if (found := _known(steps, cost))
    ]
    rise = _Rise([v for s in ordered for v in (s.low, s.high)])
    left = 8 + max(one.wide for one in (rise, *(r for _, _, r in below)))
    xs = [s.x for s in ordered] + ([mark[0]] if mark else [])
    frame = _Frame(sheet, xs, rise, units, logarithmic, left)
    _trace(frame, ordered, rise.low < 0 < rise.high)
    if mark:
        x = frame.x(mark[0])
        sheet.parts.append(svg.line(x, frame.top, x, frame.bottom, "mark"))
        sheet.say(
            f"dashed line: {svg.plain_number(mark[0])} {mark[1]}".rstrip(),
            SMALL,
            "m",
            left=frame.left,
        )
    for unit, found, one in below:
        sheet.y += 12
        _below(_Frame(sheet, xs, one, ("", unit), logarithmic, left, 96.0), found)
    return sheet.finish()


def _trace(frame: "_Frame", ordered: Sequence[Step], zero: bool) -> None:
    """The line with its band and dots, and a line at zero."""
    sheet = frame.sheet
    band = [(frame.x(s.x), frame.y(s.high)) for s in ordered] + [
        (frame.x(s.x), frame.y(s.low)) for s in reversed(ordered)
    ]
    # the band goes under the grid, so that the lines of the grid stay visible
    sheet.parts.insert(0, svg.path(band, "veil", closed=True))
    if zero:
        left, right, y = sheet.x(frame.left), sheet.x(frame.right), frame.y(0)
        sheet.parts.append(svg.line(left, y, right, y, "zero"))
    sheet.parts.append(svg.path([(frame.x(s.x), frame.y(s.y)) for s in ordered], "trace"))
    sheet.parts += [
        svg.dot(
            frame.x(s.x), frame.y(s.y), 3.5, "full", f"{svg.plain_number(s.x)}: {svg.signed(s.y)}"
        )
        for s in ordered
    ]


def _known(steps: Sequence[Step], cost: Cost) -> list[tuple[float, float]]:
    """(place on the axis, cost) where it is known, in order. Raises ValueError for one that is not
    positive.
    """
    found = sorted(
        (step.x, value) for step, value in zip(steps, cost.values, strict=True) if value is not None
    )
    for _, value in found:
        svg.finite(value)
        if value <= 0:
            raise ValueError(
                f"a cost is drawn on a logarithmic axis and must be positive, not {value!r}"
            )
    return found


def _below(frame: _Frame, found: Sequence[tuple[float, float]]) -> None:
    """One kind of cost: a line, dots, and the number of each where it finds room (the hint of the
    dot has it).
    """
    sheet, used = frame.sheet, frame.sheet.x(frame.left)
    sheet.parts.append(svg.path([(frame.x(x), frame.y(y)) for x, y in found], "front"))
    for x, y in found:
        name = f"{y:,.0f}" if y >= 10 else f"{y:.3g}"
        wide = svg.measure(name, SMALL)
        sheet.parts.append(
            svg.dot(frame.x(x), frame.y(y), 3.5, "dot", f"{svg.plain_number(x)}: {name}")
        )
        # to the left of its dot: costs rise to the right
        start = max(frame.x(x) + 4 - wide, sheet.x(frame.left) + 2)
        if start > used and start + wide <= sheet.x(sheet.width):
            sheet.parts.append(svg.words(start, frame.y(y) - 8, name, "", SMALL))
            used = start + wide + 5
