"""A curve as text, with a small plot, and as JSON; families side by side.

In: a Curve or Families, and a Style. Out: strings and dictionaries. Does not compute or print.
"""

import math
from collections.abc import Sequence

from ..base.wording import clean, listed, number, percent, signed
from ..picker.curve import Curve, Gain, Stop, shown
from ..picker.curve_families import Families, FamilyCurve
from ..picker.steps import Printed
from ..terms.tasks import BALANCED
from ..terms.units import gpu_name
from .jsonable import interval, recipe
from .recipe import FIELDS, describe
from .text import Style, table, wrap

NAMES = {
    "visual_tokens": "visual tokens",
    "resolution": "resolution",
    "llm_params_b": "LLM size",
    "data_size": "data size",
}
UNITS = {
    "visual_tokens": "",
    "resolution": "px",
    "llm_params_b": "B parameters",
    "data_size": "samples",
}
HIDDEN = {
    "visual_tokens": ("visual_tokens",),
    "resolution": ("resolution", "visual_tokens"),
    "llm_params_b": ("llm", "llm_params_b"),
    "data_size": ("data_size",),
}
# what a cell of the plot holds: nothing, inside the interval, zero, the expected change
MARKS, PLAIN = (" ", "░", "─", "●"), (" ", ":", "-", "o")
ROWS = 9


def held(value: Curve | Families, style: Style) -> list[str]:
    """What does not move."""
    return wrap(
        "held: "
        + describe(value.recipe, [field for field in FIELDS if field not in HIDDEN[value.axis]]),
        style,
        hang="      ",
    )


def plot(value: Curve, style: Style, unicode: bool) -> list[str]:
    """The expected change and its interval over the axis, in doublings: a few lines of text."""
    if len(value.points) < 3:
        return []
    marks = MARKS if unicode else PLAIN
    top, bottom = (
        max(0.0, *(p.high for p in value.points)),
        min(0.0, *(p.low for p in value.points)),
    )
    width = min(style.width - 10, 64)
    places = [math.log2(point.value) for point in value.points]
    step = (top - bottom) / (ROWS - 1) or 1.0
    columns = []
    for i in range(width):
        x = places[0] + (places[-1] - places[0]) * i / (width - 1)
        right = next((n for n in range(1, len(places)) if places[n] >= x - 1e-12), len(places) - 1)
        share = (x - places[right - 1]) / (places[right] - places[right - 1])
        a, b = value.points[right - 1], value.points[right]
        low, middle, high = (
            p + (q - p) * share
            for p, q in ((a.low, b.low), (a.expected, b.expected), (a.high, b.high))
        )
        columns.append((low, middle, high))
    lines = []
    for row in range(ROWS):
        y = top - row * step
        cells = []
        for low, middle, high in columns:
            inside = low - step / 2 <= y <= high + step / 2
            cells.append(
                marks[3]
                if abs(middle - y) <= step / 2
                else marks[1]
                if inside
                else marks[2]
                if abs(y) <= step / 2
                else marks[0]
            )
        lines.append(f"{signed(y):>7}  " + "".join(cells).rstrip())
    ends = shown(value.axis, value.points[0].value), shown(value.axis, value.points[-1].value)
    lines.append(" " * 9 + ends[0] + ends[1].rjust(width - len(ends[0])))
    return lines


def money(x: float | None, digits: int = 0) -> str:
    """A cost, or ? when it is not known."""
    return "?" if x is None else f"{x:,.{digits}f}"


def verdict(value: Curve) -> str:
    """Where it stops paying, in one sentence."""
    mix = (
        "the balanced mix"
        if set(value.tasks.parts) == set(BALANCED) and len(set(value.tasks.parts.values())) == 1
        else value.tasks.label
    )
    name = f"{NAMES[value.axis]} for {mix}"
    if value.stop.close is not None:
        beyond = [p for p in value.printed if p.gain is not None and p.high > value.stop.close]
        rows = ", ".join(f"{signed(p.gain)} ({range_of(value.axis, p)})" for p in beyond)
        return f"{name}: {value.stop.why}" + (f"; printed rows there: {rows}" if rows else "")
    at = (
        ""
        if value.stop.at is None
        else f"a doubling stops paying at {shown(value.axis, value.stop.at)}; "
    )
    return f"{name}: {at}{value.stop.why}"


def curve_text(value: Curve, gpu: str, train_gpu: str, style: Style, unicode: bool = False) -> str:
    """`curve`: the verdict, the table, the plot, the range, notes."""
    lines = [
        *(style.paint(line, "bold") for line in wrap(clean(verdict(value)), style)),
        *held(value, style),
        "",
    ]
    lines += points_table(value, style)
    drawn = plot(value, style, unicode)
    lines += ["", *drawn] if drawn else []
    told = printed_lines(value, style)
    lines += ["", *told] if told else []
    low, high = (shown(value.axis, x) for x in value.covered)
    words = [
        "change = of 100 (each benchmark's scale) against the recipe's own value (*)",
        f"hours = {gpu_name(train_gpu)}-hours of training",
        f"TTFT = ms on {gpu_name(gpu)}",
        (
            "next x2 = what the next doubling of the axis gains; per x2 hours = the same per"
            " doubling of GPU-hours"
        ),
    ]
    lines += ["", *wrap("words: " + "; ".join(words), style, hang="       ")]
    outside = (
        " x = outside: extrapolated, interval widened"
        if any(p.extrapolated or p.gain.extrapolated for p in value.points)
        else ""
    )
    lines += wrap(
        f"range: the tables cover {low} to {high} ({value.papers} papers vary it)." + outside,
        style,
        hang="       ",
    )
    for text in value.notes:
        lines += wrap("note: " + text, style, hang="      ")
    return "\n".join(lines)


def points_table(value: Curve, style: Style) -> list[str]:
    """A line per value of the curve."""
    rows = []
    tokens = value.axis == "resolution"
    for point in value.points:
        own = point.value == value.own
        rows.append(
            [
                shown(value.axis, point.value)
                + (" *" if own else "")
                + (" x" if point.extrapolated else ""),
                *([money(point.visual_tokens)] if tokens else []),
                "own" if own else signed(point.expected),
                "-" if own else f"{signed(point.low)} … {signed(point.high)}",
                money(point.gpu_hours),
                money(point.ttft_ms),
                signed(point.gain.expected, 2) + (" x" if point.gain.extrapolated else ""),
                "?" if point.gain.per_hours is None else signed(point.gain.per_hours, 2),
            ]
        )
    head = [
        NAMES[value.axis],
        *(["tokens"] if tokens else []),
        "change",
        f"{percent(value.level)} interval",
        "hours",
        "TTFT",
        "next x2",
        "per x2 hours",
    ]
    return table(head, rows, "r" * len(head), style)


def curve_picture(value: Curve, gpu: str, train_gpu: str) -> str:
    """The curve as SVG: the change with its band, GPU-hours and TTFT below it."""
    from . import plots

    name, unit = NAMES[value.axis], UNITS[value.axis]
    title, _, said = verdict(value).partition(": ")
    last = value.points[-1]
    beyond = (
        ""
        if last.gain.extrapolated
        else (
            f" The doubling from the last point, to {shown(value.axis, 2 * last.value)}, counts as"
            " well."
        )
    )
    about = (
        f"Expected change of the score from the recipe's own {name}"
        f" ({shown(value.axis, value.own)}), with its {percent(value.level)} interval;"
        f" {said}.{beyond}"
    )
    tie, at = value.stop.close is not None, value.stop.close or value.stop.at
    what = "brings about the noise" if tie else "no longer pays"
    words = f"{unit.split()[0] + ' ' if unit else ''}and beyond: a doubling {what}"
    mark = None if at is None else (at, words)
    gaps = lambda values: "" if all(values) else " (no point: not known)"
    costs = [
        plots.Cost(text + gaps(values), tuple(values))
        for text, values in (
            (f"training, {gpu_name(train_gpu)}-hours", [point.gpu_hours for point in value.points]),
            (f"TTFT, ms on {gpu_name(gpu)}", [point.ttft_ms for point in value.points]),
        )
    ]
    return plots.curve(
        [plots.Step(point.value, point.expected, point.low, point.high) for point in value.points],
        title,
        about,
        units=(f"{name}, {unit}" if unit else name, "change, of 100"),
        mark=mark,
        costs=costs,
    )


def curve_json(value: Curve, gpu: str, train_gpu: str) -> dict:
    """`curve --json`."""
    return {
        "axis": value.axis,
        "tasks": {name: number(w) for name, w in value.tasks.parts.items()},
        "recipe": recipe(value.recipe),
        "own": number(value.own),
        "level": number(value.level),
        "unit": "percent of scale",
        "gpu": gpu,
        "train_gpu": train_gpu,
        "points": [
            {
                "value": number(p.value),
                "expected": number(p.expected),
                "low": number(p.low),
                "high": number(p.high),
                "gpu_hours": number(p.gpu_hours),
                "ttft_ms": number(p.ttft_ms),
                "visual_tokens": number(p.visual_tokens),
                "extrapolated": p.extrapolated,
                "next_doubling": gain_json(p.gain, value.level),
            }
            for p in value.points
        ],
        "covered": {
            "low": number(value.covered[0]),
            "high": number(value.covered[1]),
            "papers": value.papers,
        },
        "noise_of_two_runs": number(value.noise),
        "worth": number(value.worth),
        **stop_json(value.stop),
        "printed": [printed_json(part) for part in value.printed],
        "printed_other_mixes": [printed_json(part) for part in value.others if part.papers],
        "warnings": list(value.notes),
    }


def stop_json(value: Stop) -> dict:
    """Which doublings pay: stops_paying_at is null but where `pays` is `until`."""
    return {
        "stops_paying_at": number(value.at),
        "pays": value.pays,
        "unknown_cost": [number(x) for x in value.unknown],
        "why": value.why,
        "near_tie_from": number(value.close),
    }


def printed_json(value: Printed) -> dict:
    """What printed rows say in one range."""
    return {
        "low": number(value.low),
        "high": number(value.high),
        "gain_per_doubling": number(value.gain),
        "pairs": value.pairs,
        "papers": value.papers,
        "model": number(value.model),
        "disagree": value.disagree,
    }


def gain_json(value: Gain, level: float) -> dict:
    """What the next doubling gains."""
    return {
        "expected": number(value.expected),
        "interval": interval(level, value.low, value.high),
        "extrapolated": value.extrapolated,
        "per_doubling_of_gpu_hours": number(value.per_hours),
    }


def printed_lines(value: Curve, style: Style) -> list[str]:
    """What printed rows say range by range, those of other data mixes apart, and where they
    contradict the curve.
    """
    lines = []
    if any(part.papers for part in value.printed):
        lines += wrap(
            "printed: rows of these families, gain of a doubling (papers): "
            + cells(value.axis, value.printed),
            style,
            hang="         ",
        )
    if any(part.papers for part in value.others):
        lines += (
            []
            if lines
            else wrap(
                "printed: no rows of these families with the same mix in another amount",
                style,
                hang="         ",
            )
        )
        lines += wrap(
            "apart: rows in which the mix itself changes with the amount, gain of a doubling"
            " (papers): " + cells(value.axis, value.others),
            style,
            hang="       ",
        )
    for parts, who, why in (
        (value.printed, "printed rows", ""),
        (value.others, "rows of other mixes", ": what was added may count there, not how much"),
    ):
        texts = [
            f"{range_of(value.axis, part)} ({signed(part.gain)} for {signed(part.model)})"
            for part in parts
            if part.disagree
        ]
        if texts:
            lines += wrap(
                f"differ: {who} and the model, by more than the noise ({value.noise:.2f}), at"
                f" {listed(texts)}{why}",
                style,
                hang="        ",
            )
    return lines


def cells(axis: str, parts: Sequence[Printed]) -> str:
    """The ranges that have rows."""
    return ", ".join(f"{range_of(axis, part)} {cell(part)}" for part in parts if part.papers)


def range_of(axis: str, value: Printed) -> str:
    """`576-1024`, without units of pixels."""
    return "-".join(shown(axis, end).removesuffix(" px") for end in (value.low, value.high))


def cell(value: Printed) -> str:
    """`+1.6 (3)`: a gain per doubling and the papers behind it."""
    return "-" if value.gain is None else f"{signed(value.gain)} ({value.papers})"


def still(value: Families) -> list[str]:
    """What the printed rows say of the last range that they cover, in words."""
    last = value.all_[-1]
    if not any(part.papers for part in value.all_):
        return [
            "no table prints "
            + (
                "the same mix in another amount"
                if value.axis == "data_size"
                else f"rows that differ in the {NAMES[value.axis]} alone"
            )
        ]
    judged = [
        (row, row.printed[-1])
        for row in value.rows
        if row.printed[-1].gain is not None and row.printed[-1].papers > 1
    ]
    more, less = (
        [
            f"{row.family} {signed(cell_.gain)}"
            for row, cell_ in judged
            if (cell_.gain > row.noise) == side
        ]
        for side in (True, False)
    )
    start = (
        f"beyond {shown(value.axis, last.low)}, in printed rows of two papers or more, a doubling"
    )
    parts = (
        [f"still gains more than the noise of two runs for {listed(more)}"] if more else []
    ) + ([f"no longer for {listed(less)}"] if less else [])
    return (
        [f"{start} {'; '.join(parts)}"]
        if parts
        else [f"no two papers print rows beyond {shown(value.axis, last.low)} for one family"]
    )


def families_text(value: Families, style: Style) -> str:
    """`curve --by-family`: printed rows range by range, then the model."""
    words = [
        "printed = neighbouring rows of one table that differ on this axis alone"
        + (" (tokens may follow)" if value.axis == "resolution" else "")
        + ", the mean over papers",
        (
            "noise = one standard deviation of the difference of two runs on the family's core"
            " benchmarks"
        ),
        (
            "pays to = up to there a doubling gains more, and beyond none does (all, some, none: of"
            " those on the curve inside the tables' range; ~: from there on it gains about the"
            " noise; ?: what it costs is not known)"
        ),
        "x = outside that range",
    ]
    lines = [
        *(style.paint(line, "bold") for text in still(value) for line in wrap(text, style)),
        *held(value, style),
        *_printed_part(value, style),
        *_other_mixes(value, style),
        "",
        style.paint(f"the model: what the next doubling gains, by {NAMES[value.axis]}", "bold"),
        *_model_table(value, style),
        "",
        *wrap("words: " + "; ".join(words), style, hang="       "),
    ]
    for text in value.notes:
        lines += wrap("note: " + text, style, hang="      ")
    return "\n".join(lines)


def _printed_part(value: Families, style: Style) -> list[str]:
    """What printed rows gain per doubling, family by family."""
    short = [range_of(value.axis, part) for part in value.all_]
    short[-1] = f"> {shown(value.axis, value.all_[-1].low).removesuffix(' px')}"
    spoken = [row for row in value.rows if any(p.papers for p in row.printed)]
    if not spoken:
        return []
    head = f"printed rows: gain of a doubling, {NAMES[value.axis]}, of 100 (papers)"
    rows = [[row.family, *map(cell, row.printed)] for row in spoken]
    silent = [row.family for row in value.rows if row not in spoken]
    return [
        "",
        style.paint(head, "bold"),
        *table(
            ["family", *short],
            [*rows, ["all", *map(cell, value.all_)]],
            "l" + "r" * len(short),
            style,
        ),
        *(wrap("no rows: " + ", ".join(silent), style, hang="  ") if silent else []),
        *differing(value.axis, [(row, row.printed) for row in value.rows], "printed rows", style),
    ]


def _other_mixes(value: Families, style: Style) -> list[str]:
    """Rows in which the mix itself changes with the amount."""
    if not any(part.papers for part in value.others):
        return []
    text = (
        "apart: rows in which the mix itself changes with the amount, gain of a doubling, all"
        " families (papers): " + cells(value.axis, value.others)
    )
    rows = [(row, row.others) for row in value.rows]
    return [
        "",
        *wrap(text, style, hang="       "),
        *differing(value.axis, rows, "rows of other mixes", style),
    ]


def _model_table(value: Families, style: Style) -> list[str]:
    """What the model gains per doubling, at seven values at most."""
    last = len(value.values) - 1
    where = range(last + 1) if last < 7 else [round(i * last / 6) for i in range(7)]
    rows = [
        [
            row.family,
            *(
                signed(row.gains[i].expected) + ("x" if row.gains[i].extrapolated else "")
                for i in where
            ),
            f"{row.noise:.1f}",
            pays_to(value.axis, row.stop),
        ]
        for row in value.rows
    ]
    chosen = [shown(value.axis, value.values[i]).removesuffix(" px") for i in where]
    head = ["family", *chosen, "noise", "pays to"]
    return table(head, rows, "l" + "r" * (len(chosen) + 2), style)


def pays_to(axis: str, stop: Stop) -> str:
    """Up to where doublings pay, for a cell."""
    if stop.close is not None:
        return f"~{shown(axis, stop.close)}"
    return (
        shown(axis, stop.at)
        if stop.at is not None
        else {"unknown": "?", "not judged": "-"}.get(stop.pays, stop.pays)
    )


def differing(
    axis: str,
    rows: Sequence[tuple[FamilyCurve, Sequence[Printed]]],
    who: str,
    style: Style,
    most: int = 4,
) -> list[str]:
    """Where rows of two papers or more and the model differ by more than the family's noise: the
    strongest first.
    """
    found = [
        (abs(part.gain - part.model) - row.noise, row.family, part)
        for row, parts in rows
        for part in parts
        if part.disagree and part.papers > 1
    ]
    found.sort(key=lambda item: -item[0])
    texts = [
        f"{family} {range_of(axis, part)} ({signed(part.gain)} for {signed(part.model)})"
        for _, family, part in found[:most]
    ]
    texts += [f"{len(found) - most} more"] if len(found) > most else []
    return (
        wrap(
            f"differ: {who} of two papers or more and the model, by more than the noise, at"
            f" {listed(texts)}",
            style,
            hang="        ",
        )
        if texts
        else []
    )


def families_json(value: Families) -> dict:
    """`curve --by-family --json`."""
    return {
        "axis": value.axis,
        "recipe": recipe(value.recipe),
        "level": number(value.level),
        "unit": "percent of scale",
        "values": [number(x) for x in value.values],
        "families": [
            {
                "family": row.family,
                "printed": [printed_json(part) for part in row.printed],
                "noise_of_two_runs": number(row.noise),
                "model": [
                    {"value": number(x), **gain_json(gain, value.level)}
                    for x, gain in zip(value.values, row.gains)
                ],
                "printed_other_mixes": [printed_json(part) for part in row.others if part.papers],
                **stop_json(row.stop),
            }
            for row in value.rows
        ],
        "all": [printed_json(part) for part in value.all_],
        "printed_other_mixes": [printed_json(part) for part in value.others if part.papers],
        "answer": still(value)[0],
        "warnings": list(value.notes),
    }
