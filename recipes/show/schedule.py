"""The stage plan and the other ways to train in words: learning rates as printed, where the plan
stands, deltas of printed rows.

In: the facts of schedule.py and alternatives.py (plain values). Out: lines of text. Does not print.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..base.wording import percent, plural, signed
from .text import Style, wrap

if TYPE_CHECKING:
    from ..answers.schedule import Pair

# Which benchmarks the numbers of an alternative are about (alternatives.TIERS).
ABOUT = {
    "related": "on others of its families' benchmarks",
    "average": "on means that papers print",
    "other": "on other tasks",
}


def rate_text(value: float) -> str:
    """A learning rate as papers write it: 2e-5."""
    mantissa, _, exponent = f"{value:e}".partition("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def rates(fact: Mapping | None) -> str:
    """`learning rate 2e-5 (llm 2e-5, encoder 2e-6) in TABLE`: the rates of the most similar printed
    stage, and how similar it is.
    """
    if fact is None:
        return "learning rate: printed for no such stage"
    each = fact["rates"]
    text = (
        rate_text(each[0]["value"])
        if len(each) == 1
        else ", ".join(f"{' + '.join(one['parts'])} {rate_text(one['value'])}" for one in each)
    )
    about = [
        f"{fact['llm_params_b']:.3g}B" if fact["llm_params_b"] else "",
        fact["connector"] or "",
    ]
    return (
        f"learning rate {text} in {fact['table']} ({fact['arm']};"
        f" {', '.join(part for part in about if part)})"
    )


def plan_text(facts: Sequence[Mapping]) -> str:
    """Where the plan as a whole is printed."""
    cited = facts[0]["citations"] if facts else []
    if not cited:
        return "no table prints this plan (LLaVA-1.5's is in arXiv 2310.03744)"
    return "; ".join(
        f"{one['table']}{' (arXiv ' + one['arxiv'] + ')' if one['arxiv'] else ''}, {one['arm']}:"
        f' "{one["words"]}"'
        for one in cited
    )


def about(one: Mapping) -> str:
    """The delta of an alternative with its interval and what it rests on."""
    return (
        f"{signed(one['expected'])}{' on the mix' if one['basis'] == 'model' else ''}"
        f" ({signed(one['low'])} … {signed(one['high'])}), {basis(one)}"
    )


def basis(one: Mapping) -> str:
    """What the delta of an alternative rests on: the model and the rows beside it, or printed rows
    alone.
    """
    if one["basis"] != "model":
        return f"printed rows alone: {on(one)}, {papers(one)}{also(one)}"
    return "the model" + (
        f"; printed rows alone {signed(one['printed']['expected'])}, {on(one['printed'])},"
        f" {papers(one)}"
        if one["printed"]
        else "; no rows"
    )


def on(one: Mapping) -> str:
    """Which benchmarks the printed rows are about, and how many."""
    return (
        f"on {len(one['benchmarks'])} of the mix's {one['of']} benchmarks"
        if one["tasks"] == "mix"
        else ABOUT[one["tasks"]]
    )


def papers(one: Mapping) -> str:
    """How many papers, with the result of each where there are several, and their tables."""
    each = ""
    if len(one["papers"]) > 1:
        found = sorted(one["papers"], key=lambda part: part["expected"])
        each = ": " + ", ".join(f"{part['paper']} {signed(part['expected'])}" for part in found)
    return f"{plural(len(one['papers']), 'paper')}{each} ({', '.join(one['tables'])})"


def also(one: Mapping) -> str:
    return (
        f"; {' and '.join(key.replace('_', ' ') for key in one['also_moves'])} not equal"
        if one["also_moves"]
        else ""
    )


def alternative_lines(found: Sequence[Mapping], style: Style) -> list[str]:
    """The other ways to train a pick, one block each."""
    return [
        line
        for one in found
        for line in wrap(f"{one['change']}: {about(one)}", style, "  or          ", " " * 14)
    ]


def change_lines(one: Mapping, names: Mapping[str, str], style: Style) -> list[str]:
    """One other way to train with all its rows: the answer of `schedule`."""
    lines = [style.paint(line, "bold") for line in wrap(f"{one['change']} ({one['slug']})", style)]
    interval = (
        f"{percent(one['level'])} interval {signed(one['low'])} … {signed(one['high'])}, P(better)"
        f" {percent(one['p_better'])}"
    )
    lines += wrap(
        f"{signed(one['expected'])} of 100 {on(one)} (the median of papers),"
        f" {interval}; printed rows alone, {papers(one)}{also(one)}",
        style,
        "  ",
    )
    rows = []
    for row in (*one["rows"], *one["other_rows"]):
        if row in one["other_rows"][:1]:
            rows += wrap(
                "not in the mean, which is of the nearest benchmarks alone and leaves out rows that"
                " carry the same numbers:",
                style,
                "  ",
            )
        rows += wrap(
            f"{row['table']}, {row['from_arm']} -> {row['to_arm']}:"
            f" {', '.join(cells(row['deltas'], names))}",
            style,
            "  - ",
            "    ",
        )
    return [*lines, *rows, ""]


def cells(deltas: Sequence[Mapping], names: Mapping[str, str]) -> list[str]:
    """The deltas of a pair of rows in points; a benchmark that is printed twice comes with its
    column.
    """
    called = [cell["benchmark"] for cell in deltas]
    as_ = lambda cell: f" as {cell['metric']}" if called.count(cell["benchmark"]) > 1 else ""
    return [
        f"{names.get(cell['benchmark'], cell['benchmark'])}{as_(cell)}"
        f" {signed(cell['delta'], 0 if (cell['max'] or 0) > 500 else 1)}"
        for cell in deltas
    ]


def no_result(slug: str, pairs: Sequence["Pair"], size: float | None, style: Style) -> list[str]:
    """That no printed rows say what a change does, or that those there are may be one row copied
    twice. size: billions, of the LLMs asked about.
    """
    where = f" on an LLM of about {size:.3g}B" if size else ""
    if not pairs:
        return wrap(
            f"no table prints rows that differ in it alone{where}: {slug}", style, hang="  "
        )
    tables = ", ".join(dict.fromkeys(pair.table.id for pair in pairs))
    return wrap(
        f"the only rows that differ in it alone{where} carry the same numbers in every column,"
        f" which is no result: {slug} ({tables})",
        style,
        hang="  ",
    )


def overview(found: Sequence[Mapping], label: str, style: Style) -> list[str]:
    """All other ways, a line or two each: name, delta, interval, papers, what it is; the largest
    gain first.
    """
    head = (
        "other ways to train, by printed rows that differ in that alone; deltas of 100"
        f" (each benchmark's scale) for {label}, {percent(found[0]['level'])} interval"
    )
    lines = [*(style.paint(line, "bold") for line in wrap(head, style, hang="  ")), ""]
    for one in sorted(found, key=lambda one: -one["expected"]):
        span = f"({signed(one['low'])} … {signed(one['high'])})"
        text = (
            f"{signed(one['expected']):>5} {span}, {plural(len(one['papers']), 'paper')},"
            f" {on(one)}: {one['change']}"
        )
        lines += wrap(text, style, f"  {one['slug']:<17} ", " " * 20)
    return [*lines, "", *wrap("schedule CHANGE shows the rows", style)]
