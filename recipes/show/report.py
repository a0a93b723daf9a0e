"""The report: results -> one self-contained HTML page.

In: reporting.Report's results, the command that made it, names of benchmarks and places of tables.
Out: the text of the file; the same input gives the same bytes. Numbers in <data value> are those of
`--json`. Does not compute answers, read or write.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..base.wording import percent, points, verdict
from ..cost.flops import format_flop
from ..effects.results import Delta, Evidence, Mix, Swap
from ..picker.ablate import AxisValue
from ..picker.rank import Costs, Ranked
from ..terms.recipe import BASELINE_NAME, Recipe
from ..terms.units import gpu_name
from . import plots
from .forest import ROWS, most_direct, panels
from .html import amount, arxiv, data, document, figure, listing, name, para, section, table
from .pick import adapters_text, adapters_view, standing, unlike
from .pick_full import ties
from .recipe import AXIS_FIELDS, describe, side
from .schedule import basis, plan_text, rates
from .svg import signed, text
from .swap import GRADE_WORDS

if TYPE_CHECKING:
    from ..answers.report import Report, Section

LISTED = 24  # rows of evidence that one section lists
SCALE = "percent of scale"


class Names:
    """What things are called: benchmarks, tables, papers."""

    def __init__(self, benchmarks: Mapping[str, str], places: Mapping[str, str]):
        self.benchmarks, self.places = benchmarks, places

    def benchmark(self, slug: str) -> str:
        return self.benchmarks.get(slug, slug)

    def place(self, table_id: str) -> str:
        return self.places.get(table_id, table_id)


def build(report: "Report", command: str, names: Names, date: str | None = None) -> str:
    """The text of the file."""
    best = report.picked.result.recipes[0]
    kinds = report.tasks.parts
    title = (
        f"A recipe for {report.tasks.label}"
        if len(kinds) < 3
        else f"A recipe for a mix of {len(kinds)} tasks"
    )
    parts = [
        ("recipe", "The recipe", recipe(report, best, names)),
        ("next", "The next recipes", following(report)),
        ("gains", "What to expect", gains(report, best, names)),
        ("evidence", "The rows behind it", evidence(report, names)),
    ]
    parts += [
        (f"swap-{i}", f"{asked.typed[0]} → {asked.typed[1]}", swap(asked, report, names))
        for i, asked in enumerate(report.swaps, 1)
    ]
    parts += [
        ("front", "Score against training cost", front(report)),
        ("ablate", "What to ablate first", ablation(report)),
        ("costs", "What it costs", costs(best)),
        ("reading", "How to read this", reading(report)),
    ]
    made = f"Made {date} by" if date else "Made by"
    head = [
        "<header>",
        para("Vision-language recipe report", "kicker"),
        f"<h1>{text(title)}</h1>",
        *([para(report.tasks.label, "muted")] if len(kinds) > 2 else []),
        lead(report, best),
        f"<pre><code>{text(command)}</code></pre>",
        '<nav aria-label="Sections">'
        + "\n".join(f'<a href="#{text(ident)}">{text(label)}</a>' for ident, label, _ in parts)
        + "</nav>",
        "</header>",
    ]
    foot = [
        "<footer>",
        para(
            f"{made} vlm-recipe-picker with the command at the top. The same command on the same"
            " tables makes the same file."
        ),
        "</footer>",
    ]
    body = ["<main>", *head, *(section(*part) for part in parts), "</main>", *foot]
    return document(
        title,
        f"{text_recipe(best.recipe)}: expected gain and intervals, the table rows behind them,"
        " costs",
        body,
    )


def text_recipe(value: Recipe) -> str:
    """A recipe in one line."""
    return describe(value, ("encoder", "connector", "resolution", "visual_tokens", "llm", "data"))


def spread(low: float, high: float, digits: int = 1) -> str:
    """An interval: two <data>, an ellipsis between."""
    return f"{data(low, signed(low, digits))} … {data(high, signed(high, digits))}"


def lead(report: "Report", best: Ranked) -> str:
    """The answer in three sentences."""
    r, mix, picked = best.recipe, best.mix, report.picked.result
    level = text(percent(mix.level))
    said = ties({**standing(picked), "recipes": [{"recipe": r.stated()}]})
    tied = f" {said[:1].upper()}{said[1:]}." if picked.tied > 1 else ""
    return (
        f'<p class="lead">Of {picked.considered:,} recipes, train'
        f" <strong>{name(r.llm or '')}</strong> behind <strong>{name(r.encoder or '')}</strong>"
        f" with {name(r.connector or '')} at {text(shape(r))} on"
        f" <strong>{name(r.data or '')}</strong>. Expected:"
        f" <strong>{data(mix.expected, signed(mix.expected))}</strong> {SCALE} over"
        f" {BASELINE_NAME}, and {spread(mix.low, mix.high)} for {level} of new runs. Probability of"
        f" being the best: {data(best.p_best, percent(best.p_best))}.{text(tied)}</p>"
    )


def shape(r: Recipe) -> str:
    """Resolution with its unit or tiling."""
    return (
        f"{r.resolution} px"
        if isinstance(r.resolution, int)
        else f"{r.resolution}{f' ({r.tiling})' if r.tiling else ''}"
    )


# --- the pick
# ------------------------------------------------------------------------------------------

AXIS_NAMES = {
    "encoder": "Vision encoder",
    "connector": "Connector",
    "llm": "LLM",
    "data": "Data",
    "resolution": "Resolution",
}


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
        plots.Mark(
            names.benchmark(d.benchmark),
            d.grade,
            *(x / ((d.max or 100) / 100) for x in (d.expected, d.low, d.high)),
            None,
            "model",
        )
        for d in deltas
    )
    mix = plots.Mark(
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
                plots.Panel(
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
        plots.Mark(
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
                plots.Panel(
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


def delta_table(caption: str, deltas: Sequence[Delta], names: Names, level: float) -> str:
    """Benchmarks with expected change, interval, probability, grade."""
    rows, counted = [], any(row.relation == "direct" for d in deltas for row in d.evidence)
    for d in deltas:
        none, digits = d.grade == "none", points(d)
        rows.append(
            [
                text(names.benchmark(d.benchmark)),
                "–" if none else data(d.expected, signed(d.expected, digits)),
                spread(d.low, d.high, digits),
                "–" if none else data(d.p_better, percent(d.p_better)),
                text(d.grade),
            ]
        )
        if counted:
            rows[-1].append(str(sum(row.relation == "direct" for row in d.evidence) or "–"))
    head = ["benchmark", "expected", f"{percent(level)} interval", "P(better)", "grade"] + [
        "rows"
    ] * counted
    return table(caption, head, rows, "hrrrl" + "r" * counted, sort=True)


def pictures(shown: Sequence[plots.Panel], title: str, level: float, caption: str) -> str:
    """A forest plot in both widths: a picture for each panel, so that print breaks between them;
    the last one explains the marks.
    """
    pairs = []
    for panel in shown:
        key = plots.kinds_of(shown) if panel is shown[-1] else ()
        pairs.append(
            tuple(
                plots.forest(
                    [panel],
                    f"{title}: {panel.title}",
                    caption,
                    compact=compact,
                    alone=False,
                    level=percent(level),
                    key=key,
                )
                for compact in (False, True)
            )
        )
    return figure(pairs, caption)


# --- evidence
# ------------------------------------------------------------------------------------------

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


# --- cost and choice
# ------------------------------------------------------------------------------------------


def front(report: "Report") -> list[str]:
    """The Pareto plot and the recipes on the front."""
    hours = lambda item: item.costs.gpu_hours.gpu_hours
    base = report.picked.result.baseline_costs.gpu_hours.gpu_hours
    dots = [
        plots.Point(str(i), hours(item), item.mix.expected, text_recipe(item.recipe), "front")
        for i, item in enumerate(report.front, 1)
    ]
    dots += [
        plots.Point(text_recipe(item.recipe), hours(item), item.mix.expected, "", "cloud")
        for item in report.cloud
    ]
    dots.append(plots.Point(BASELINE_NAME, base, 0.0, "", "base"))
    unit = f"{gpu_name(report.picked.result.recipes[0].costs.gpu)}-hours"
    units = (f"training, {unit} (logarithmic)", f"expected gain over {BASELINE_NAME}, {SCALE}")
    about = (
        "Numbered: the best recipe for the cost of the pick and for fractions of it, under the"
        f" other constraints. Open circles: the {len(report.cloud)} recipes ranked first. The"
        " intervals overlap (see above); recipes that share components are uncertain together."
    )
    wide, narrow = (
        plots.pareto(
            dots,
            "Expected gain against training cost",
            about,
            units=units,
            compact=compact,
            alone=False,
        )
        for compact in (False, True)
    )
    rows = [
        [
            str(i),
            name(text_recipe(item.recipe)),
            data(item.mix.expected, signed(item.mix.expected)),
            spread(item.mix.low, item.mix.high),
            amount(hours(item)),
            amount(item.costs.latency.ttft_ms),
        ]
        for i, item in enumerate(report.front, 1)
    ]
    head = ["#", "recipe", "gain", f"{percent(report.level)} interval", "hours", "TTFT, ms"]
    return [
        figure([(wide, narrow)], about),
        table(
            f"The recipes of the front; training in {unit}",
            head,
            rows,
            "hlrrrr",
            cards=True,
            sort=True,
        ),
    ]


def ablation(report: "Report") -> list[str]:
    """The tornado and its numbers."""
    values = [v for v in report.values if v.rival is not None]
    if not values:
        return [
            para("No axis has a second level under the constraints: there is nothing to ablate.")
        ]
    bars = [
        plots.Bar(
            AXIS_NAMES[v.axis],
            f"{v.picked} against {v.rival}",
            v.p_changes_pick,
            max(0.0, v.expected_gain),
        )
        for v in values
    ]
    about = (
        "Axes in the order to ablate them. Blue: how likely runs on the axis end with another level"
        " than the picked one. Rust: what they gain, on average."
    )
    wide, narrow = (
        plots.tornado(
            bars,
            "What to ablate first",
            about,
            left="probability that runs change the pick",
            right=f"expected gain of the runs, {SCALE}",
            compact=compact,
            alone=False,
        )
        for compact in (False, True)
    )
    rows = [ablation_row(v) for v in values]
    head = ["axis", "against", "P(changes)", "gain", "runs", "GPU-hours", "sure now", "then"]
    alone = ", ".join(AXIS_NAMES[v.axis].lower() for v in report.values if v.rival is None)
    rest = [para(f"No other level competes on: {alone}.", "muted")] if alone else []
    caption = (
        f"Runs until {percent(report.level)} sure that the level chosen then is the best of the"
        " candidates of its axis"
    )
    return [
        figure([(wide, narrow)], about),
        *rest,
        table(caption, head, rows, "hlrrrrrr", cards=True, sort=True),
    ]


def ablation_row(v: AxisValue) -> list[str]:
    """One axis as cells."""
    most = f"more than {sum(n for _, n in v.plan)}"
    return [
        text(AXIS_NAMES[v.axis]),
        name(v.rival or ""),
        data(v.p_changes_pick, percent(v.p_changes_pick)),
        data(v.expected_gain, signed(v.expected_gain)),
        most if v.runs is None else data(v.runs, str(v.runs)),
        "–" if v.gpu_hours is None else amount(v.gpu_hours),
        data(v.confidence_now, percent(v.confidence_now)),
        data(v.confidence_after, percent(v.confidence_after)),
    ]


def costs(best: Ranked) -> list[str]:
    """FLOPs by stage and part, latency by phase, memory."""
    c = best.costs
    stages = [
        [
            f"{i}: {text(s.stage.name)}",
            *(data(x, format_flop(x)) for x in (s.encoder, s.connector, s.llm, s.total)),
            text(percent(s.total / c.flop)),
        ]
        for i, s in enumerate(c.stages, 1)
    ]
    sums = (
        *(sum(getattr(s, part) for s in c.stages) for part in ("encoder", "connector", "llm")),
        c.flop,
    )
    stages.append(["all", *(data(x, format_flop(x)) for x in sums), "100%"])
    e = c.gpu_hours
    lat = c.latency
    phases = [
        [text(p.name), amount(p.ms, 1), text(p.bound), text(percent(p.ms / lat.ttft_ms))]
        for p in lat.phases
    ]
    phases += [
        ["time to first token", amount(lat.ttft_ms, 1), "", "100%"],
        ["decode, per token", amount(lat.per_token.ms, 1), text(lat.per_token.bound), ""],
        [f"whole answer of {lat.output_tokens} tokens", amount(lat.total_ms), "", ""],
    ]
    held = [
        [text(key.replace("_", " ").replace("kv", "KV")), amount(x, 2)]
        for key, x in (*c.memory._asdict().items(), ("total", c.memory.total))
    ]
    return [
        table(
            "Training compute by stage and part",
            ["stage", "encoder", "connector", "LLM", "total", "share"],
            stages,
            "hrrrrr",
        ),
        (
            f"<p>{amount(e.gpu_hours)} {text(c.gpu)} hours at {100 * e.utilisation:.0f}% of the"
            f" peak rate, the median of published runs; {amount(e.low)} … {amount(e.high)} hours"
            " for 80% of them.</p>"
        ),
        table(
            f"Latency by phase on {gpu_name(c.latency_gpu)}",
            ["phase", "ms", "bound by", "share of TTFT"],
            phases,
            "hrlr",
        ),
        table("Memory of the deployed model", ["what", "GB"], held, "hr"),
    ]


def reading(report: "Report") -> list[str]:
    """Warnings, grades, intervals."""
    level = percent(report.level)
    terms = [
        (
            "expected",
            (
                "The mean change of the score, in points of the benchmark's scale; for a mix, in"
                f" {SCALE} of its benchmarks."
            ),
        ),
        (
            f"{level} interval",
            (
                f"Where {level} of new runs should fall: a prediction interval for what you would"
                " see, not a confidence interval of a mean."
            ),
        ),
        *(
            (f"grade {grade}", meaning[0].upper() + meaning[1:] + ".")
            for grade, meaning in GRADE_WORDS.items()
        ),
        ("weight", "A row's share among the rows listed for one benchmark."),
        (
            "controlled",
            (
                "The two rows differ in nothing but the named change. In others something moves"
                " along, and the model splits the effect over all that moved."
            ),
        ),
    ]
    out = [
        "<dl>",
        *(f"<dt>{text(term)}</dt>\n<dd>{text(meaning)}</dd>" for term, meaning in terms),
        "</dl>",
    ]
    return (
        [*out, "<h3>Warnings</h3>", listing(report.picked.warnings)]
        if report.picked.warnings
        else out
    )
