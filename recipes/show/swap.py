"""Result values -> text for a terminal of a given width.

In: Swap, Pick, AxisValue, Tokens, tables … and a Style (width, colour). Out: strings. Colour marks
what words say already; nothing depends on it. Does not print.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..base.wording import clean, percent, plural, points, signed, verdict
from ..terms.recipe import Recipe
from .recipe import AXIS_FIELDS, describe, side
from .text import Style, table, wrap

if TYPE_CHECKING:  # an answer brings its own classes along: no need to load those of the others
    from ..effects.interaction import Slope
    from ..effects.results import Delta, Evidence, Mix, Swap


# --- swap
# ------------------------------------------------------------------------------------------

GRADE_WORDS = {
    "direct": "the same change stands in a table for this benchmark",
    "indirect": "through other changes, or other benchmarks of the family",
    "extrapolated": "outside the range of the tables",
    "none": "no evidence",
}


def swap_text(
    a: Recipe,
    b: Recipe,
    answer: "Swap",
    names: Mapping[str, str],
    papers: Mapping[str, str],
    style: Style,
    *,
    cost_lines: Sequence[str] = (),
    notes: Sequence[str] = (),
    why: bool = False,
    carried: Sequence[str] = (),
    shown: int = 14,
) -> str:
    """The answer of `swap`: verdict, deltas per benchmark, the mix, costs, the rows, warnings; with
    `why` how one number comes about, and what carries it.
    """
    axes = answer.moved
    lines = [
        style.paint(line, "bold")
        for line in wrap(f"{side(a, axes, b)} -> {side(b, axes, a)}", style, hang="  ")
    ]
    lines += wrap(f"moves: {', '.join(axes)}", style) if len(axes) > 1 else []
    rest = [
        describe(a, (field,))
        for axis, fields in AXIS_FIELDS.items()
        if axis not in axes and axis != "training"
        for field in fields[:1]
        if getattr(a, field) is not None and getattr(a, field) == getattr(b, field)
    ]
    if "llm" not in axes and a.llm is None and a.llm_params_b:
        rest.append(f"{a.llm_params_b:g}B LLM")
    lines += wrap("same on both sides: " + ", ".join(rest) if rest else "", style) if rest else []
    lines.append("")
    rows = []
    for d in answer.deltas[:shown] if not why else answer.deltas:
        digits = points(d)
        expected = signed(d.expected, digits)
        code = "green" if d.p_better >= 0.8 else "red" if d.p_better <= 0.2 else "dim"
        none = d.grade == "none"
        rows.append(
            [
                clean(names.get(d.benchmark, d.benchmark)),
                "-" if none else style.paint(expected, code),
                f"{signed(d.low, digits)} … {signed(d.high, digits)}",
                "-" if none else percent(d.p_better),
                d.grade,
                (
                    str(sum(row.relation == "direct" for row in d.evidence))
                    if d.grade == "direct"
                    else "-"
                ),
            ]
        )
    level = percent(answer.deltas[0].level) if answer.deltas else "80%"
    lines += table(
        ["benchmark", "expected", f"{level} interval", "P(better)", "grade", "rows"],
        rows,
        "lrrrlr",
        style,
    )
    if len(answer.deltas) > shown and not why:
        lines.append(
            style.paint(
                f"and {len(answer.deltas) - shown} more benchmarks: --why shows all, --benchmark"
                " NAME one",
                "dim",
            )
        )
    if answer.mix and any(d.grade != "none" for d in answer.deltas):
        lines += [
            "",
            *(style.paint(line, "bold") for line in wrap(mix_text(answer.mix), style, hang="  ")),
        ]
    lines += ["", *cost_lines] if cost_lines else []
    groups = group_rows(answer)
    if groups:
        lines += [
            "",
            style.paint(
                "the rows behind it" + ("" if why else " (a choice; --why shows all)"), "bold"
            ),
        ]
        for group in groups if why else chosen(groups, 6):
            lines += row_lines(group, names, papers, style)
    else:
        lines += ["", "no table has rows for this change"]
    if why:
        lines += [
            "",
            *path_lines(answer, names, style),
            *(["", *carried] if carried else []),
            *alone_lines(answer, names, style),
        ]
    texts = [
        papers_named(text, papers)
        for text in (*disagreements(answer, names), *answer.warnings, *notes)
    ]
    lines += [""] if texts else []
    for text in texts:
        lines += wrap("note: " + text, style, hang="      ")
    grades = sorted({d.grade for d in answer.deltas}, key=list(GRADE_WORDS).index)
    words = [f"{g} = {GRADE_WORDS[g]}" for g in grades]
    if any("(confounded)" in text for text in texts):
        words.append("confounded = the model splits the effect over the axes that moved")
    lines += ["", *wrap("words: " + "; ".join(words), style, hang="       ")]
    return "\n".join(lines)


def papers_named(text: str, papers: Mapping[str, str]) -> str:
    """A note with paper keys written as people call them."""
    return re.sub(
        r"rows of ([\w., -]+?) \(",
        lambda m: "rows of " + ", ".join(papers.get(k, k) for k in m[1].split(", ")) + " (",
        text,
    )


def explained(answer: "Swap") -> "Delta | None":
    """The delta that --why explains: of the benchmark with most direct rows."""
    known = [d for d in answer.deltas if d.path and d.grade != "none"]
    return max(
        known, key=lambda d: sum(row.relation == "direct" for row in d.evidence), default=None
    )


def path_lines(answer: "Swap", names: Mapping[str, str], style: Style) -> list[str]:
    """How one number comes about, step by step: for the benchmark with most direct rows."""
    from ..effects.tails import half_width

    d = explained(answer)
    if d is None:
        return []
    digits, p = points(d), d.path
    lines = [
        style.paint(
            f"how the number for {clean(names.get(d.benchmark, d.benchmark))} comes about", "bold"
        )
    ]
    steps = []
    if d.direct and d.grade == "direct":
        rows = sum(row.relation == "direct" for row in d.evidence)
        steps.append(
            f"{plural(rows, 'printed pair')} of rows {'make' if rows > 1 else 'makes'} this change;"
            f" with what else moved taken out they say {signed(d.direct.estimate, digits)} ±"
            f" {d.direct.se:.{digits}f}"
        )
        if d.split and d.split.indirect is not None:
            steps.append(
                "all other rows (and that effects are small until shown) say"
                f" {signed(d.split.indirect, digits)} ± {d.split.indirect_se:.{digits}f}"
            )
        counted = (
            f"each by what the fit lets it count (about {percent(d.split.share)} the rows)"
            if d.split
            else "with all other rows"
        )
        steps.append(
            f"both together, {counted}: {signed(p.shared, digits)} ± {p.sd_shared:.{digits}f}"
            if d.split
            else f"{counted}, they say {signed(p.shared, digits)} ± {p.sd_shared:.{digits}f}"
        )
    else:
        steps.append(
            "no row makes this very change; other changes and benchmarks of the family say"
            f" {signed(p.shared, digits)} ± {p.sd_shared:.{digits}f}"
        )
    kept = (
        f": {signed(p.carried, digits)}"
        if abs(p.carried - p.shared) > 10**-digits / 2
        else " (all of it)"
    )
    steps.append(
        f"what a paper not seen can be expected to show of that, by leaving papers out{kept}"
    )
    steps.append(
        f"the spread of a new run around it: {p.sd_shared:.{digits}f} (the effect is not known"
        f" better), {p.sd_setting:.{digits}f} (settings differ), {p.sd_noise:.{digits}f} (two runs"
        f" and their questions); as squares they add up to {p.sd:.{digits}f}"
    )
    _, low, high = d.at_usual
    steps.append(
        f"{percent(d.level)} interval: {signed(p.carried, digits)} ± {half_width(d.level):.2f} x"
        f" {p.sd:.{digits}f} = {signed(low, digits)} … {signed(high, digits)}"
    )
    if d.score is not None:
        steps.append(
            f"that is at the benchmark's usual score; from {d.score:g} the same effect is"
            f" {signed(d.expected, digits)} ({signed(d.low, digits)} … {signed(d.high, digits)}):"
            " on the logit of the score, as fewer points are left near its ends"
        )
    for number_, text in enumerate(steps, 1):
        lines += wrap(f"{number_}. {text}", style, "  ", "     ")
    return lines


def alone_lines(answer: "Swap", names: Mapping[str, str], style: Style) -> list[str]:
    """What the direct rows say by themselves, and the model's answer."""
    rows = []
    for d in answer.deltas:
        if d.direct and d.split:
            digits = points(d)
            other = (
                "-"
                if d.split.indirect is None
                else f"{signed(d.split.indirect, digits)} ± {d.split.indirect_se:.{digits}f}"
            )
            rows.append(
                [
                    clean(names.get(d.benchmark, d.benchmark)),
                    f"{signed(d.direct.estimate, digits)} ± {d.direct.se:.{digits}f}",
                    str(d.direct.k),
                    percent(d.split.share),
                    other,
                    signed(d.at_usual[0], digits),
                    "no" if d.split.disagree or d.outside is not None else "yes",
                ]
            )
    if not rows:
        return []
    head = wrap(
        "the direct rows alone (random effects over papers, what else moved taken out) and"
        " everything else that the model knows",
        style,
    )
    return [
        "",
        *(style.paint(line, "bold") for line in head),
        *table(
            ["benchmark", "rows alone", "papers", "share", "all else", "model", "agree"],
            rows,
            "lrrrrrl",
            style,
        ),
        *wrap(
            "share: how much of the shared effect the rows carry, about. The model's answer is for"
            " a new paper, so it also shrinks towards what carries over from paper to paper. agree:"
            " neither do rows and all else contradict each other, nor do the rows, as printed and"
            " as pooled, lie outside the interval.",
            style,
        ),
    ]


def disagreements(answer: "Swap", names: Mapping[str, str]) -> list[str]:
    """A note where the direct rows and everything else contradict each other."""
    split = [
        names.get(d.benchmark, d.benchmark) for d in answer.deltas if d.split and d.split.disagree
    ]
    out = (
        [
            f"the rows of this very change and everything else disagree on {', '.join(split)}"
            " (--why shows both)"
        ]
        if split
        else []
    )
    beyond = [
        f"{names.get(d.benchmark, d.benchmark)} ({signed(d.outside, points(d))} for"
        f" {signed(d.at_usual[0], points(d))})"
        for d in answer.deltas
        if d.outside is not None
    ]
    if beyond:
        out.append(
            "the printed rows of this change lie outside the interval on"
            f" {', '.join(beyond[:8])}{f' and {len(beyond) - 8} more' if len(beyond) > 8 else ''}:"
            " one paper's effect seldom carries over whole; where your setting is that paper's,"
            " expect nearer to its rows"
        )
    return out


def slope_note(slope: "Slope") -> str:
    """Whether the change does more with a larger LLM, and who says so, in a sentence."""
    who = "one paper says" if len(slope.papers) == 1 else f"{len(slope.papers)} papers together say"
    more = "more" if slope.estimate > 0 else "less"
    word = (
        f"{who} that it does {more} with a larger LLM"
        if slope.suggested
        else "no sign that it depends on the LLM's size"
    )
    sure = ", too little to rely on" if slope.suggested and not slope.clear else ""
    return (
        f"{word}{sure}: {signed(slope.estimate, 2)} ± {slope.se:.2f} percent of scale per doubling,"
        f" in rows of {', '.join(slope.papers)} ({slope.pairs} pairs of runs at"
        f" {slope.sizes[0]:.3g}B to {slope.sizes[1]:.3g}B, mean {signed(slope.low)} at the"
        f" smallest, {signed(slope.high)} at the largest); the expected deltas do not use it: they"
        " are the same at every size"
    )


def mix_text(mix: "Mix") -> str:
    """The mix in one sentence."""
    return (
        f"mix of {len(mix.weights)} benchmarks: {signed(mix.expected)} percent of scale"
        f" ({percent(mix.level)} interval {signed(mix.low)} … {signed(mix.high)}), P(better)"
        f" {percent(mix.p_better)}: {verdict(mix.p_better)}"
    )


class Group(NamedTuple):
    """All printed deltas of one pair of arms."""

    table: str
    arxiv: str | None
    from_arm: str
    to_arm: str
    rows: "tuple[Evidence, ...]"
    weight: float


def group_rows(answer: "Swap") -> list[Group]:
    """Evidence rows by table and pair of arms, those with most weight first."""
    found: dict[tuple, dict[tuple, Evidence]] = {}
    for d in answer.deltas:
        for row in d.evidence:
            found.setdefault((row.table, row.arxiv, row.from_arm, row.to_arm), {}).setdefault(
                (row.benchmark, row.split), row
            )
    groups = [
        Group(*key, tuple(rows.values()), sum(row.weight for row in rows.values()))
        for key, rows in found.items()
    ]
    order = {"direct": 0, "near": 1, "neighbour": 2, "chain": 3}
    return sorted(
        groups, key=lambda g: (order[g.rows[0].relation], -g.weight, g.table, g.from_arm, g.to_arm)
    )


def chosen(groups: Sequence[Group], count: int) -> list[Group]:
    """The first groups, controlled ones before others, at most one of a table and two of a
    paper.
    """
    ordered = sorted(
        groups, key=lambda g: (g.rows[0].relation != "direct", not g.rows[0].controlled)
    )
    kept: list[Group] = []
    for group in ordered:
        paper = group.table.split(".")[0]
        if (
            all(group.table != other.table for other in kept)
            and sum(other.table.split(".")[0] == paper for other in kept) < 2
        ):
            kept.append(group)
    near = [g for g in kept if g.rows[0].relation != "direct"]
    direct = [g for g in kept if g.rows[0].relation == "direct"]
    return direct[:count] + near[: max(1, count - len(direct))]


def row_lines(
    group: Group, names: Mapping[str, str], papers: Mapping[str, str], style: Style
) -> list[str]:
    """One pair of arms: where it stands, what it shows, what else moves."""
    first = group.rows[0]
    place = papers.get(group.table, group.table)
    source = f" (arXiv {group.arxiv})" if group.arxiv else ""
    head = f"  {clean(place)}{source}: {clean(group.from_arm)} -> {clean(group.to_arm)}"
    several = {
        row.benchmark
        for i, row in enumerate(group.rows)
        if any(row.benchmark == other.benchmark for other in group.rows[:i])
    }
    label = lambda row: (
        names.get(row.benchmark, row.benchmark)
        + (f" ({row.split})" if row.benchmark in several and row.split else "")
    )  # noqa: E731
    shown = ", ".join(
        f"{clean(label(row))} {signed(row.delta, 2 if abs(row.delta) < 100 else 0)}"
        + (f" (printed {signed(row.printed, 2)})" if row.printed is not None else "")
        for row in group.rows[:8]
    )
    shown += f", and {len(group.rows) - 8} more" if len(group.rows) > 8 else ""
    kind = {
        "direct": "",
        "near": "near (same make): ",
        "neighbour": "other benchmarks: ",
        "chain": "a part of the change: ",
    }[first.relation]
    moves = (
        "controlled"
        if first.controlled
        else (
            "moves along: " + "; ".join(map(clean, first.also_moves))
            if first.also_moves
            else "controlled"
        )
    )
    llm = f"; LLM {clean(first.llm)}" if first.llm else ""
    return [
        *wrap(head, style, hang="    "),
        *wrap(kind + shown, style, "    "),
        *(style.paint(line, "dim") for line in wrap(moves + llm, style, "    ")),
    ]


# --- costs
# ------------------------------------------------------------------------------------------


# --- pick
# ------------------------------------------------------------------------------------------


# --- tokens, tables
# ------------------------------------------------------------------------------------------
