"""The report's picked recipe: the card, the stages, the next recipes, what to expect.

In: a Report (answers/report.py). Out: HTML. Computes nothing.
"""

from typing import TYPE_CHECKING

from ..base.wording import percent
from ..cost.flops import format_flop
from ..picker.rank import Ranked
from ..terms.recipe import BASELINE_NAME, Recipe
from ..terms.units import gpu_name
from . import forest_plot
from .html import amount, arxiv, data, name, para, table
from .pick import adapters_text, adapters_view, unlike
from .recipe import AXIS_FIELDS, describe
from .report_parts import (
    AXIS_NAMES,
    SCALE,
    Names,
    delta_table,
    pictures,
    shape,
    spread,
    text_recipe,
)
from .schedule import basis, plan_text, rates
from .svg import signed, text

if TYPE_CHECKING:
    from ..answers.report import Report


def recipe(report: "Report", best: Ranked, names: Names) -> list[str]:
    """The card: five axes with citations, stages and other ways to train it, what it costs."""
    r, c = best.recipe, best.costs
    values = {
        "encoder": name(r.encoder or ""),
        "connector": name(r.connector or ""),
        "llm": f"{name(r.llm or '')} ({r.llm_params_b:.3g}B)",
        "data": f"{name(r.data or '')} ({r.data_size:,.0f} examples)",
        "resolution": (
            f"{text(shape(r))},"
            f" {data(best.visual.visual_tokens, f'{best.visual.visual_tokens:,g}')} visual tokens"
        ),
    }
    cited: dict[str, list[str]] = {}
    for entry in report.picked.citations():
        where = (
            f"{text(names.place(entry['table']))} ({arxiv(entry['arxiv'])}), {text(entry['why'])}"
            if entry["table"]
            else text(entry["why"])
        )
        cited.setdefault(entry["axis"], []).append(where)
    rows = [
        [text(label), values[axis], "<br>".join(cited.get(axis, ["–"]))]
        for axis, label in AXIS_NAMES.items()
    ]
    out = [
        table(
            "The five axes, and the tables behind each choice",
            ["axis", "choice", "tables"],
            rows,
            "hll",
            cards=True,
        )
    ]
    out += training(report, best)
    hours, trained, served = c.gpu_hours, text(gpu_name(c.gpu)), text(gpu_name(c.latency_gpu))
    out.append(
        f"<p>Training: {amount(hours.gpu_hours)} {trained}-hours ({amount(hours.low)} …"
        f" {amount(hours.high)}). "
        f"Time to first token: {amount(c.latency.ttft_ms)} ms on {served}; memory"
        f" {data(c.memory.total, f'{c.memory.total:.1f}')} GB.</p>"
    )
    if c.tuning != "full":
        told = adapters_text(adapters_view(report.picked.adapters))
        out.append(f"<p>The LLM is trained through {text(told)}.</p>")
    return out


def training(report: "Report", best: Ranked) -> list[str]:
    """The stages with their learning rates, where the plan is printed, other ways to train."""
    printed = report.picked.schedule()
    stages = [
        [
            str(i),
            text(" + ".join(stage.stage.trains)),
            f"{amount(stage.stage.samples)} of {name(stage.stage.data)}",
            data(stage.total, format_flop(stage.total)),
            text(rates(fact["learning_rate"]).removeprefix("learning rate").lstrip(": ")),
        ]
        for i, (stage, fact) in enumerate(zip(best.costs.stages, printed), 1)
    ]
    out = [
        table(
            "Training, stage by stage, with the learning rate of the nearest stage that a table"
            " prints",
            ["stage", "trains", "samples", "FLOP", "learning rate"],
            stages,
            "hllrl",
            cards=True,
        ),
    ]
    out.append(para(f"The plan: {plan_text(printed)}."))
    ways = [
        [
            text(one["change"]),
            data(one["expected"], signed(one["expected"])),
            spread(one["low"], one["high"]),
            text(basis(one)),
        ]
        for one in report.picked.alternatives
    ]
    out.append(
        table(
            f"Other ways to train it: change in {SCALE}",
            ["change", "gain", f"{percent(report.level)} interval", "by"],
            ways,
            "hrrl",
            cards=True,
        )
    )
    return out


def following(report: "Report") -> list[str]:
    """The top of the list."""
    first = report.picked.result.recipes[0].recipe
    rows = []
    for i, item in enumerate(report.picked.result.recipes, 1):
        c = item.costs
        what = text_recipe(item.recipe) if i == 1 else unlike(item.recipe, first)
        rows.append(
            [
                str(i),
                name(what),
                data(item.mix.expected, signed(item.mix.expected)),
                spread(item.mix.low, item.mix.high),
                data(item.p_best, percent(item.p_best)),
                amount(c.gpu_hours.gpu_hours),
                amount(c.latency.ttft_ms),
                data(c.memory.total, f"{c.memory.total:.1f}"),
            ]
        )
    best = report.picked.result.recipes[0]
    head = [
        "#",
        "recipe",
        "gain",
        f"{percent(report.level)} interval",
        "P(best)",
        "hours",
        "TTFT, ms",
        "GB",
    ]
    caption = (
        f"The first {len(rows)} recipes; from the second on, what differs from the first. "
        f"Gains over {BASELINE_NAME} in {SCALE}, training in {gpu_name(best.costs.gpu)}-hours"
    )
    out = [table(caption, head, rows, "hlrrrrrr", cards=True, sort=True)]
    excluded = ", ".join(
        f"{count:,} by {reason}" for reason, count in report.picked.result.excluded
    )
    if excluded:
        out.append(
            para(f"Excluded of {report.picked.result.considered:,} recipes: {excluded}.", "muted")
        )
    left = "; ".join(
        f"{rule} ({count:,})" for rule, count in report.picked.result.left_out if count
    )
    return [*out, para(f"Left out beforehand: {left}.", "muted")] if left else out


def gains(report: "Report", best: Ranked, names: Names) -> list[str]:
    """Deltas of the first recipe, and each part of it alone."""
    deltas = report.picked.deltas()
    marks = tuple(
        forest_plot.Mark(
            names.benchmark(d.benchmark),
            d.grade,
            *(x / ((d.max or 100) / 100) for x in (d.expected, d.low, d.high)),
            None,
            "model",
        )
        for d in deltas
    )
    mix = forest_plot.Mark(
        "the task mix",
        report.tasks.label,
        best.mix.expected,
        best.mix.low,
        best.mix.high,
        None,
        "model",
    )
    out = [
        pictures(
            [
                forest_plot.Panel(
                    f"The whole recipe over {BASELINE_NAME}",
                    "by benchmark",
                    (*marks, mix),
                    SCALE,
                    0,
                )
            ],
            "Expected gains of the recipe",
            report.level,
            f"Expected gain and {percent(report.level)} prediction interval of each benchmark of"
            " the mix.",
        )
    ]
    out.append(delta_table("The same in points of each benchmark", deltas, names, report.level))
    return out + alone(report)


def alone(report: "Report") -> list[str]:
    """Each axis of the recipe by itself, from the baseline."""
    parts = [(axis, part.answer) for axis, part in report.parts.items() if part.answer.result.mix]
    if not parts:
        return []
    marks = tuple(
        forest_plot.Mark(
            AXIS_NAMES[axis],
            f"{axis_side(answer.before, axis)} → {axis_side(answer.after, axis)}",
            m.expected,
            m.low,
            m.high,
            None,
            "model",
        )
        for axis, answer in parts
        for m in (answer.result.mix,)
    )
    return [
        pictures(
            [
                forest_plot.Panel(
                    "One axis at a time",
                    f"{BASELINE_NAME} with only this axis changed, on the task mix",
                    marks,
                    SCALE,
                )
            ],
            "Each axis of the recipe alone",
            report.level,
            "The parts need not add up to the whole: the visual tokens that follow an encoder or a"
            " connector differ, and each part has the noise of its own two runs.",
        )
    ]


def axis_side(value: Recipe, axis: str) -> str:
    """What a recipe has on one axis."""
    return describe(value, AXIS_FIELDS[axis][:1]) or "?"
