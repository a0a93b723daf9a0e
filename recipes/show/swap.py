"""`swap`: the answer's view (its JSON), and the screen made from it.

In: a SwapAnswer (answers/swap.py), then its view. Out: a plain dictionary, and lines of text of a
given width. Colour marks what words say already; nothing depends on it. Does not print or compute.
The printed rows: rows.py; how one number comes about: why.py, carried.py.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..base.wording import clean, decimals, number, percent, plural, points, signed, verdict
from ..terms.units import gpu_name
from . import cost as costs
from . import jsonable
from .recipe import AXIS_FIELDS, describe, side
from .rows import chosen, group_rows, row_lines
from .text import Style, clip, table, wrap

if TYPE_CHECKING:  # an answer brings its own classes along: no need to load those of the others
    from ..answers.swap import Printed, SwapAnswer, ToSee
    from ..effects.interaction import Slope
    from ..effects.results import Swap

GRADE_WORDS = {
    "direct": "the same change stands in a table for this benchmark",
    "indirect": "through other changes, or other benchmarks of the family",
    "extrapolated": "outside the range of the tables",
    "none": "no evidence",
}
NO_MATTER = " (choose by cost, licence and habit)"
SHOWN = 4  # benchmarks on the first screen
NO_SLOPE = "no table makes this change at two LLM sizes: it is taken to do the same at every size"


# --- the view


def view(answer: "SwapAnswer", names: Mapping[str, str]) -> dict:
    """The answer as plain values: what --json prints, and all that the text says.

    names: benchmark slug -> name.
    """
    value = jsonable.swap(answer.before, answer.after, answer.result)
    for d, printed in zip(value["deltas"], answer.printed_each):
        d["printed"] = printed_json(printed)
    value["warnings"] = notes_of(answer, names)
    return {
        **value,
        "verdict": sentence(answer, names),
        "printed": printed_json(answer.printed),
        "record": answer.record,
        "rows_found": answer.found,
        "to_see": to_see_json(answer.to_see),
        "llm_size_interaction": jsonable.slope(answer.by_size),
        "cost": cost_json(answer),
    }


def printed_json(value: "Printed | None") -> dict | None:
    """What tables print of the change itself."""
    return value and {key: number(x) for key, x in value._asdict().items()}


def to_see_json(value: "ToSee | None") -> dict | None:
    """What it takes to see a difference on a benchmark."""
    return value and {
        key: x if isinstance(x, str) else number(x) for key, x in value._asdict().items()
    }


def cost_json(answer: "SwapAnswer") -> dict | None:
    """Costs of both sides."""
    if answer.costs is None:
        return None
    before, after, *tokens = answer.costs
    return {
        name: {**jsonable.costs(cost), "visual_tokens": number(count)}
        for name, cost, count in zip(("from", "to"), (before, after), tokens)
    }


def notes_of(answer: "SwapAnswer", names: Mapping[str, str]) -> list[str]:
    """All that is to be said beside the numbers, the weightiest first."""
    out = [*disagreements(answer.result, names), *answer.result.warnings]
    if answer.by_size:
        out.append(slope_note(answer.by_size))
    elif "llm" not in answer.result.moved:
        out.append(NO_SLOPE)
    out += answer.notes
    scored = [d.benchmark for d in answer.result.deltas if d.score is not None]
    if scored:
        out.append(
            f"at the scores given for {', '.join(scored)}; elsewhere, and in the mix, at each"
            " benchmark's usual score"
        )
    return out


def disagreements(answer: "Swap", names: Mapping[str, str]) -> list[str]:
    """A note where the direct rows and everything else contradict each other."""
    name = lambda d: names.get(d.benchmark, d.benchmark)
    split = [name(d) for d in answer.deltas if d.split and d.split.disagree]
    out = []
    if split:
        out.append(
            f"the rows of this very change and everything else disagree on {', '.join(split)}"
            " (--why shows both)"
        )
    beyond = [
        f"{name(d)} ({signed(d.outside, points(d))} for {signed(d.at_usual[0], points(d))})"
        for d in answer.deltas
        if d.outside is not None
    ]
    if beyond:
        more = f" and {len(beyond) - 8} more" if len(beyond) > 8 else ""
        out.append(
            f"the printed rows of this change lie outside the interval on {', '.join(beyond[:8])}"
            f"{more}: one paper's effect seldom carries over whole; where your setting is that"
            " paper's, expect nearer to its rows"
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


def sentence(answer: "SwapAnswer", names: Mapping[str, str]) -> str:
    """The verdict in one sentence: what to expect, of a single benchmark or of the mix."""
    known = [d for d in answer.result.deltas if d.grade != "none"]
    if not known:
        return "not known: no table bears on this change"
    if answer.result.mix is None and len(known) > 1:
        better = sum(d.p_better >= 0.8 for d in known)
        worse = sum(d.p_better <= 0.2 for d in known)
        return (
            f"of {len(known)} benchmarks {better} probably better, {worse} probably worse,"
            f" {len(known) - better - worse} no clear difference"
        )
    one = answer.result.mix or known[0]
    digits = 1 if answer.result.mix else points(one)
    what = (
        f"of 100 on a mix of {plural(len(answer.result.mix.weights), 'benchmark')}"
        if answer.result.mix
        else f"points on {names.get(one.benchmark, one.benchmark)}"
    )
    span = f"{signed(one.low, digits)} … {signed(one.high, digits)}"
    number_ = f"{signed(one.expected, digits)} {what} ({percent(one.level)} of new runs {span})"
    if answer.unseen:
        names_ = " and ".join(answer.unseen)
        return f"not known by rows, as no table has {names_}; by make, kind and size {number_}"
    word = verdict(one.p_better)
    word += NO_MATTER if word == "no clear difference" else ""
    sure = "" if NO_MATTER in word else f", P(better) {percent(one.p_better)}"
    return f"{word}: {number_}{sure}"


# --- the screen


def screen(value: Mapping, answer: "SwapAnswer", names: Mapping, style: Style) -> list[str]:
    """The first screen: the verdict, how sure, the benchmarks, the cost, what to type next."""
    a, b, axes = answer.before, answer.after, value["moved"]
    head = f"{side(a, axes, b)} -> {side(b, axes, a)}: {value['verdict']}"
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    lines += wrap(value["record"], style, "  ") if value["record"] else []
    lines += wrap(printed_line(value, answer.asked), style, "  ", "    ")
    shown = first_shown(value, answer.asked)
    lines += delta_table(shown, names, style)
    below = "* more moved than this; " if any(starred(d) for d in shown) else ""
    lines.append(style.paint(clip(below + same(a, b, axes), style.width), "dim"))
    lines += costs.cost_change(*answer.costs) if answer.costs else []
    for note in () if answer.costs else answer.notes[-1:]:  # why there are none
        lines += wrap(note, style, hang="  ")
    return [*lines, *following(value, names, style)]


def following(value: Mapping, names: Mapping[str, str], style: Style) -> list[str]:
    """What to type next: more of this answer, and the runs that would settle it."""
    notes, more = len(value["warnings"]), len(value["deltas"]) - SHOWN
    out = "next: --why" + (f" (with {plural(notes, 'note')})" if notes else "")
    out += ", --rows" if value["rows_found"] else ""
    lines = wrap(out + (f", --all ({more} more benchmarks)" if more > 0 else ""), style, "", "  ")
    if see := value["to_see"]:
        name = clean(names.get(see["benchmark"], see["benchmark"]))
        hours = (
            ""
            if see["gpu_hours"] is None
            else f", {see['gpu_hours']:,.0f} {gpu_name(see['gpu'])}-hours"
        )
        text = f"to see {see['points']:g} on {name}: {see['runs']} runs{hours}: {see['command']}"
        lines += wrap(text, style, "", "  ")
    return lines


def printed_line(value: Mapping, asked: bool) -> str:
    """What tables print of the change on what was asked for, in one sentence."""
    if value["printed"] or not asked:
        return printed_text(value["printed"])
    elsewhere = sum(d["printed"]["rows"] for d in value["deltas"] if d["printed"])
    others = f" ({plural(elsewhere, 'pair')} on other benchmarks: --rows)" if elsewhere else ""
    return printed_text(None) + " on these tasks" + others


def printed_text(value: Mapping | None) -> str:
    """What tables print of the change, in one sentence."""
    if not value:
        return "printed: no table makes this very change"
    ends = " … ".join(signed(value[end]) for end in ("low", "high"))
    alone = "" if value["controlled"] else ", more moved"
    return (
        f"printed in {plural(value['tables'], 'table')}: median {signed(value['median'])}, {ends}"
        f" of 100 ({plural(value['rows'], 'pair')}{alone})"
    )


MORE = "printed with *: in the pairs of rows more moved than this"


def printed_cell(value: Mapping | None, digits: int = 1) -> str:
    """What tables print of the change, in a table of levels: `+2.9 (2)`; a star (MORE says why)
    where other things moved too.
    """
    if not value:
        return "-"
    star = "" if value["controlled"] else "*"
    return f"{signed(value['median'], digits)} ({value['rows']}){star}"


def starred(d: Mapping) -> bool:
    """Did other things move too in the printed pairs of a delta?"""
    return bool(d["printed"]) and not d["printed"]["controlled"]


def same(a, b, axes: Sequence[str]) -> str:
    """What both sides have."""
    rest = [
        describe(a, (field,))
        for axis, fields in AXIS_FIELDS.items()
        if axis not in axes and axis != "training"
        for field in fields[:1]
        if getattr(a, field) is not None and getattr(a, field) == getattr(b, field)
    ]
    if "llm" not in axes and a.llm is None and a.llm_params_b:
        rest.append(f"{a.llm_params_b:g}B LLM")
    return "both sides: " + ", ".join(rest) if rest else "both sides: nothing else stated"


def first_shown(value: Mapping, asked: bool) -> list[Mapping]:
    """The benchmarks of the first screen, in the order of the answer: of those that were asked for
    (others stand behind them), else of those with rows, the ones most known to differ.
    """
    weights = value["mix"]["weights"] if value["mix"] and asked else ()
    order = {"direct": 0, "indirect": 1, "extrapolated": 1, "none": 2}

    def other(d: Mapping) -> bool:
        return bool(weights) and d["benchmark"] not in weights and d["at_score"] is None

    def least(d: Mapping) -> tuple:
        return (other(d), order[d["grade"]], -abs(d["p_better"] - 0.5))

    best = sorted(value["deltas"], key=least)[:SHOWN]
    return sorted((d for d in value["deltas"] if d in best), key=other)


def delta_table(deltas: Sequence[Mapping], names: Mapping[str, str], style: Style) -> list[str]:
    """A line for each benchmark: what to expect of a new run, and what was printed."""
    rows = []
    for d in deltas:
        digits, p, printed = decimals(d["max"]), d["p_better"], d["printed"]
        code = "green" if p >= 0.8 else "red" if p <= 0.2 else "dim"
        none = d["grade"] == "none"
        ends = " … ".join(signed(d["interval"][end], digits) for end in ("low", "high"))
        rows.append(
            [
                clean(names.get(d["benchmark"], d["benchmark"])),
                "-" if none else style.paint(signed(d["expected"], digits), code),
                ends,
                "-" if none else percent(p),
                d["grade"],
                printed_cell(printed, digits),
            ]
        )
    level = percent(deltas[0]["interval"]["level"]) if deltas else "80%"
    head = ["benchmark", "expected", f"{level} interval", "P(better)", "grade", "printed (rows)"]
    return table(head, rows, "lrrrlr", style)


def text(
    value: Mapping,
    answer: "SwapAnswer",
    names: Mapping[str, str],
    places: Mapping[str, str],
    style: Style,
    show: Sequence[str] = (),
) -> str:
    """The answer of `swap`. show: any of why, rows, all; names and places: of benchmarks and
    tables.
    """
    lines = screen(value, answer, names, style)
    if "all" in show or "why" in show:
        lines += ["", *delta_table(value["deltas"], names, style)]
    groups = group_rows(value["deltas"])
    if groups and ("rows" in show or "why" in show):
        some = groups if "why" in show else chosen(groups, 6)
        head = "the rows behind it"
        if len(some) < len(groups):
            head += f": {len(some)} of {len(groups)} pairs of runs, one of a table (--why: all)"
        lines += ["", style.paint(head, "bold")]
        for group in some:
            lines += row_lines(group, names, places, style)
    if "why" in show:
        lines += reasons(value, answer, names, places, style)
    return "\n".join(lines)


def reasons(
    value: Mapping, answer: "SwapAnswer", names: Mapping, places: Mapping, style: Style
) -> list[str]:
    """How one number comes about, what carries it, the notes, and what the words mean."""
    from .carried import carried_lines
    from .why import alone_lines, explained, path_lines

    deltas, lines = value["deltas"], [""]
    lines += path_lines(deltas, names, style)
    if answer.carried:
        digits = decimals(explained(deltas)["max"])
        lines += ["", *carried_lines(answer.carried, names, places, style, digits)]
    lines += [*alone_lines(deltas, names, style), ""]
    notes = [papers_named(note, places) for note in value["warnings"]]
    for note in notes:
        lines += wrap("note: " + note, style, hang="      ")
    grades = sorted({d["grade"] for d in deltas}, key=list(GRADE_WORDS).index)
    words = [f"{g} = {GRADE_WORDS[g]}" for g in grades]
    words.append("of 100, percent of scale = each benchmark's scale taken as 100")
    if any("(confounded)" in note for note in notes):
        words.append("confounded = the model splits the effect over the axes that moved")
    return [*lines, "", *wrap("words: " + "; ".join(words), style, hang="       ")]


def papers_named(note: str, papers: Mapping[str, str]) -> str:
    """A note with paper keys written as people call them."""
    return re.sub(
        r"rows of ([\w., -]+?) \(",
        lambda m: "rows of " + ", ".join(papers.get(k, k) for k in m[1].split(", ")) + " (",
        note,
    )
