"""The rows behind a report: forest plots, pairs of rows, and the sections of swaps.

In: Swap results with their evidence. Out: HTML. Computes nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..base.wording import percent, verdict
from ..effects.results import Evidence, Mix, Swap
from ..picker.rank import Costs
from ..terms.recipe import BASELINE_NAME
from ..terms.units import gpu_name
from .forest import ROWS, most_direct, panels
from .html import amount, arxiv, data, listing, para, table
from .recipe import side
from .report_parts import AXIS_NAMES, SCALE, Names, delta_table, pictures, spread
from .svg import signed, text

if TYPE_CHECKING:
    from ..answers.report import Report, Section

LISTED = 24  # rows of evidence that one section lists


FOREST_NOTE = (
    "Each square is the difference of two printed rows, as printed. The diamond pools the direct"
    " rows with what else moved taken out; the bar is the model's answer, which also uses all other"
    " rows."
)


def evidence(report: "Report", names: Names) -> list[str]:
    """Forest plot and rows of the axis with most direct rows."""
    if report.main is None:
        return [
            para(
                f"No table prints the change from {BASELINE_NAME} to this recipe on any axis: "
                "the answer rests on neighbouring rows (see the citations above)."
            )
        ]
    part = report.parts[report.main]
    answer = part.answer
    counts = {
        axis: sum(row.relation == "direct" for d in part.answer.result.deltas for row in d.evidence)
        for axis, part in report.parts.items()
    }
    others = ", ".join(
        f"{AXIS_NAMES[axis].lower()} {count}"
        for axis, count in counts.items()
        if axis != report.main
    )
    change = (
        f"{side(answer.before, answer.result.moved, answer.after)} →"
        f" {side(answer.after, answer.result.moved, answer.before)}"
    )
    head = para(
        "The axis of the recipe with most printed rows of its very change:"
        f" {AXIS_NAMES[report.main].lower()}, {change}."
        + (f" Direct rows on the others: {others}." if others else "")
    )
    return [head, *rows_of(answer.result, report, names)]


def rows_of(result: Swap, report: "Report", names: Names) -> list[str]:
    """The forest of the benchmarks with most rows, and the table of these rows."""
    shown = most_direct(result, asked=report.tasks.benchmarks)
    if all(row.relation == "neighbour" for d in shown for row in d.evidence):
        return [para("No table has rows for this change.")]
    out = [
        pictures(
            panels(shown, names.benchmarks, names.places, report.lower_is_better, ROWS),
            "Printed rows, their pool, and the expected change",
            report.level,
            FOREST_NOTE,
        )
    ]
    pairs: dict[tuple, dict[str, list[Evidence]]] = {}
    for d in shown:
        for row in d.evidence:
            if row.relation != "neighbour":
                pairs.setdefault((row.table, row.arxiv, row.from_arm, row.to_arm), {}).setdefault(
                    d.benchmark, []
                ).append(row)
    ordered = sorted(
        pairs.items(),
        key=lambda pair: (
            all(row.relation == "near" for rows in pair[1].values() for row in rows),
            -sum(row.weight for rows in pair[1].values() for row in rows),
            pair[0][0],
            pair[0][2:],
        ),
    )
    order = "the very components first, then by weight"
    more = (
        f", the first {LISTED} of {len(ordered)} ({order}; swap --why prints all)"
        if len(ordered) > LISTED
        else f", {order}"
    )
    benchmarks = [d.benchmark for d in shown]
    cells = [
        [
            f"{text(names.place(key[0]))}<br>{arxiv(key[1])}",
            f"{text(key[2])} → {text(key[3])}",
            *(printed(found.get(b, [])) for b in benchmarks),
            along(next(iter(found.values()))[0]),
        ]
        for key, found in ordered[:LISTED]
    ]
    head = ["table", "arms", *(names.benchmark(b) for b in benchmarks), "what else moves"]
    out.append(
        table(
            f"The pairs of rows behind the plot{more}; changes as printed",
            head,
            cells,
            "ll" + "r" * len(benchmarks) + "l",
            cards=True,
            sort=True,
        )
    )
    return out


def printed(rows: Sequence[Evidence]) -> str:
    """The changes of one pair of arms on one benchmark (several where a table prints several
    splits).
    """
    lines = [
        data(row.delta, signed(row.delta, 2))
        + (f'<span class="split">{text(row.split)}</span>' if row.split and len(rows) > 1 else "")
        for row in rows
    ]
    return ("" if "split" in lines[0] else "<br>").join(lines) if lines else "–"


def along(row: Evidence) -> str:
    """What differs beside the change, in words."""
    words = ["same make, not the very components"] if row.relation == "near" else []
    words += [moved.replace("->", "→").replace("_", " ") for moved in row.also_moves] or [
        "nothing (controlled)"
    ]
    return text("; ".join(words))


def swap(asked: "Section", report: "Report", names: Names) -> list[str]:
    """One swap that the user asked for."""
    answer = asked.answer
    result = answer.result
    out = [
        para(
            f"{side(answer.before, result.moved, answer.after)} →"
            f" {side(answer.after, result.moved, answer.before)}, all else as in {BASELINE_NAME}."
        )
    ]
    out += (
        [mix_line(result.mix)]
        if result.mix and any(d.grade != "none" for d in result.deltas)
        else []
    )
    shown = [d for d in result.deltas if d.grade != "none"][:14]
    out.append(
        delta_table(f"{len(shown)} benchmarks, those with rows first", shown, names, report.level)
        if shown
        else para("The tables say nothing about this change.")
    )
    out += rows_of(result, report, names)
    if answer.costs:
        before, after, tokens_before, tokens_after = answer.costs
        out.append(
            table(
                "What the swap costs",
                ["", "before", "after"],
                change_rows(before, after, tokens_before, tokens_after),
                "hrr",
            )
        )
    return (
        [*out, listing([*result.warnings, *answer.notes])]
        if result.warnings or answer.notes
        else out
    )


def mix_line(mix: Mix) -> str:
    """The mix of a swap in one sentence."""
    return (
        f"<p>On the task mix: <strong>{data(mix.expected, signed(mix.expected))}</strong> {SCALE} "
        f"({text(percent(mix.level))} interval {spread(mix.low, mix.high)}), "
        f"P(better) {data(mix.p_better, percent(mix.p_better))}: {text(verdict(mix.p_better))}.</p>"
    )


def change_rows(
    before: Costs, after: Costs, tokens_before: float, tokens_after: float
) -> list[list[str]]:
    """Tokens, training, latency and memory of both sides."""
    pairs = [
        ("visual tokens", tokens_before, tokens_after, 0),
        (
            f"training, {gpu_name(before.gpu)}-hours",
            before.gpu_hours.gpu_hours,
            after.gpu_hours.gpu_hours,
            0,
        ),
        (
            f"TTFT on {gpu_name(after.latency_gpu)}, ms",
            before.latency.ttft_ms,
            after.latency.ttft_ms,
            0,
        ),
        ("memory, GB", before.memory.total, after.memory.total, 1),
    ]
    return [[text(label), *(amount(x, digits) for x in (a, b))] for label, a, b, digits in pairs]
