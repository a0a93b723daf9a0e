"""A swap as a forest plot: which rows to show, and the plot for a terminal (Unicode, or plain
ASCII).

In: a Swap and names. Out: panels for plots.forest, or lines of text no wider than asked. The rows'
own intervals are the noise of two runs; deltas of tables with another scale (OCRBench of 100) are
brought to the benchmark's. Does not print.
"""

from collections.abc import Collection, Mapping, Sequence

from ..base.wording import clean, plural, points, signed
from ..effects.results import Delta, Evidence, Swap
from ..effects.tails import half_width
from .forest_plot import SQUARES, Mark, Panel, domain, share
from .text import Style, clip, wrap

PANELS, CONTRADICTED, ROWS = 3, 2, 10


def most_direct(answer: Swap, count: int = PANELS, asked: Collection[str] = ()) -> list[Delta]:
    """The benchmarks with most direct rows (those with near rows if there are none, else the
    first); those that were asked about before the others.
    """

    def rank(relation: str) -> list[Delta]:
        counted = [(sum(row.relation == relation for row in d.evidence), d) for d in answer.deltas]
        return [
            d
            for _, d in sorted(
                (pair for pair in counted if pair[0]),
                key=lambda pair: (pair[1].benchmark not in asked, -pair[0]),
            )[:count]
        ]

    return rank("direct") or rank("near") or list(answer.deltas[:1])


def drawn(answer: Swap) -> list[Delta]:
    """The benchmarks to draw unasked: those with most direct rows, and beside them a few whose rows
    contradict the model most.
    """
    first = most_direct(answer)
    known = {d.benchmark for d in first}
    flagged = [
        d
        for d in answer.deltas
        if d.benchmark not in known
        and d.direct
        and (d.outside is not None or d.split and d.split.disagree)
    ]
    return (
        first
        + sorted(
            flagged,
            key=lambda d: -abs(d.direct.estimate - d.at_usual[0]) / (d.at_usual[2] - d.at_usual[1]),
        )[:CONTRADICTED]
    )


def left_out(answer: Swap, shown: Sequence[Delta]) -> str:
    """How many benchmarks of the answer are not drawn, and how to draw them; '' when all are."""
    known = {d.benchmark for d in shown}
    rest = [d for d in answer.deltas if d.benchmark not in known]
    rows = sum(any(row.relation == "direct" for row in d.evidence) for d in rest)
    which = f" ({rows} of them with rows of this very change)" if rows else ""
    return (
        f"and {plural(len(rest), 'more benchmark')}{which}: --benchmark NAME draws one"
        if rest
        else ""
    )


def panels(
    deltas: Sequence[Delta],
    names: Mapping[str, str],
    places: Mapping[str, str],
    lower_is_better: frozenset[str] | set[str] = frozenset(),
    rows: int | None = ROWS,
) -> list[Panel]:
    """One panel for each benchmark: its printed rows, their pool, the model's answer. rows: how
    many at most (None: all).
    """
    return [
        _panel(d, names, places, -1 if d.benchmark in lower_is_better else 1, rows) for d in deltas
    ]


def _panel(
    delta: Delta, names: Mapping[str, str], places: Mapping[str, str], better: int, most: int | None
) -> Panel:
    z = half_width(delta.level)
    own = [row for row in delta.evidence if row.relation != "neighbour"]
    shown = own if most is None or len(own) <= most + 1 else own[:most]
    marks = [_mark(row, places, z) for row in shown]
    if delta.direct:
        p = delta.direct
        marks.append(
            Mark(
                "direct rows alone",
                f"{plural(p.k, 'paper')}, random effects",
                p.estimate,
                p.estimate - z * p.se,
                p.estimate + z * p.se,
                None,
                "pool",
            )
        )
    if delta.grade != "none":
        marks.append(
            Mark(
                "the model expects",
                f"grade: {delta.grade}",
                delta.expected,
                delta.low,
                delta.high,
                None,
                "model",
            )
        )
    name = names.get(delta.benchmark, delta.benchmark)
    papers = len({row.table.split(".")[0] for row in own})
    note = (
        f"{plural(len(own), 'printed row')} of {plural(papers, 'paper')}"
        if own
        else "no table prints this change on it"
    )
    if len(shown) < len(own):
        note += f"; the {len(shown)} with most weight"
    rest = sum(row.weight for row in own[len(shown) :])
    after = (
        f"and {len(own) - len(shown)} more rows with {share(rest)} of the weight"
        if len(shown) < len(own)
        else ""
    )
    return Panel(name, note, tuple(marks), f"points of {name}", better, points(delta), after)


def _mark(row: Evidence, places: Mapping[str, str], z: float) -> Mark:
    half, value = z * (row.noise or 0.0), row.delta
    said = [f"{row.from_arm} → {row.to_arm}"]
    said += (
        [f"moves along: {', '.join(row.also_moves)}".replace("->", "→").replace("_", " ")]
        if row.also_moves
        else []
    )
    said += ["same make"] if row.relation == "near" else []
    said += (
        [f"printed as {signed(row.printed, 2)}, on another scale"]
        if row.printed is not None
        else []
    )
    kind = "near" if row.relation == "near" else "full" if row.controlled else "open"
    split = f" ({row.split})" if row.split else ""
    return Mark(
        places.get(row.table, row.table) + split,
        "; ".join(said),
        value,
        value - half,
        value + half,
        row.weight,
        kind,
    )


# --- terminal
# ------------------------------------------------------------------------------------------

UNICODE = {
    "line": "─",
    "left": "├",
    "right": "┤",
    "zero": "┊",
    "full": "▪■█",
    "open": "▫□▢",
    "near": "·∘○",
    "pool": "◆",
    "model": "●",
    "pool_line": "═",
    "model_line": "━",
    "arrow": "→",
}
ASCII = {
    "line": "-",
    "left": "[",
    "right": "]",
    "zero": ":",
    "full": "xX#",
    "open": "oO@",
    "near": ".,%",
    "pool": "<>",
    "model": "M",
    "pool_line": "=",
    "model_line": "=",
    "arrow": "->",
}


def terminal_lines(
    shown: Sequence[Panel], style: Style, ascii_only: bool = False, after: str = ""
) -> list[str]:
    """The panels as text, at most style.width columns wide. after: what is not among them."""
    signs, out = ASCII if ascii_only else UNICODE, []
    for panel in shown:
        out += [
            "",
            style.paint(_plain(f"{panel.title}: {panel.note}", ascii_only, style.width), "bold"),
        ]
        out += _lines(panel, style, signs, ascii_only) if panel.marks else []
        out += (
            [style.paint(line, "dim") for line in wrap(panel.after, style, "  ")]
            if panel.after
            else []
        )
    out += ["", *(style.paint(line, "dim") for line in wrap(after, style))] if after else []
    kinds = {mark.kind for panel in shown for mark in panel.marks}
    key = {
        "full": f"{signs['full']} controlled",
        "open": f"{signs['open']} something else moves along",
        "near": f"{signs['near']} same make",
        "pool": f"{signs['pool']} direct rows pooled",
        "model": f"{signs['model']} what the model expects",
    }
    if kinds:
        text = ", ".join(key[kind] for kind in key if kind in kinds)
        if kinds & set(SQUARES):
            text += "; larger: more weight; lines of rows: noise of two runs"
        out += ["", *wrap("plot: " + text, style, hang="      ")]
    return out


def _plain(value: str, ascii_only: bool, width: int) -> str:
    value = clean(value)
    if ascii_only:
        value = (
            value.replace("→", "->").replace("…", "...").encode("ascii", "replace").decode("ascii")
        )
        return value if len(value) <= width else value[: width - 3].rstrip() + "..."
    return clip(value, width)


def _lines(panel: Panel, style: Style, signs: Mapping[str, str], ascii_only: bool) -> list[str]:
    """Label, plot, number and weight of each mark, then the axis."""
    numbers = [signed(m.estimate, panel.digits) for m in panel.marks]
    weights = ["" if m.weight is None else share(m.weight) for m in panel.marks]
    side, tail = max(map(len, numbers)), max(map(len, weights))
    label = min(max(len(clean(m.label)) for m in panel.marks), (style.width - 30) // 2)
    cells = style.width - label - side - tail - 8
    low, high = domain(panel.marks)
    at = lambda value: min(cells - 1, max(0, round((value - low) / (high - low) * (cells - 1))))
    largest = max((m.weight or 0.0 for m in panel.marks), default=0.0)
    out = []
    for mark, number, weight in zip(panel.marks, numbers, weights):
        row = [" "] * cells
        row[at(0)] = signs["zero"]
        a, b, x = at(mark.low), at(mark.high), at(mark.estimate)
        line = signs["line"] if mark.kind in SQUARES else signs[f"{mark.kind}_line"]
        row[a : b + 1] = line * (b - a + 1)
        if b > a:
            row[a], row[b] = signs["left"], signs["right"]
        if mark.kind in SQUARES:
            row[x] = (
                signs[mark.kind][min(2, int(3 * (mark.weight or 0.0) / largest))]
                if largest
                else signs[mark.kind][1]
            )
        elif len(signs[mark.kind]) == 2 and 0 < x < cells:
            row[x - 1 : x + 1] = signs[mark.kind]
        else:
            row[x] = signs[mark.kind][:1]
        name = _plain(mark.label, ascii_only, label)
        text = f"  {name:<{label}}  {''.join(row)}  {number:>{side}}  {weight:>{tail}}".rstrip()
        out.append(text if mark.kind in SQUARES else style.paint(text, "bold"))
    out.append(style.paint(" " * (4 + label) + _scale(low, high, at, cells, panel), "dim"))
    return out


def _scale(low: float, high: float, at, cells: int, panel: Panel) -> str:
    """The axis in numbers: the ends and zero, each below its column where there is room."""
    row = [" "] * cells
    worse, better = ("worse", "better") if panel.better >= 0 else ("better", "worse")
    zero = at(0)
    row[zero] = "0"
    left, right = f"{signed(low, panel.digits)} {worse}", f"{better} {signed(high, panel.digits)}"
    if len(left) < zero:
        row[: len(left)] = left
    if cells - len(right) > zero + 1:
        row[cells - len(right) :] = right
    return "".join(row).rstrip()
