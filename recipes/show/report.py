"""The report: results -> one self-contained HTML page.

In: reporting.Report's results, the command that made it, names of benchmarks and places of tables.
Out: the text of the file; the same input gives the same bytes. Numbers in <data value> are those of
`--json`. Does not compute answers, read or write.
"""

from typing import TYPE_CHECKING

from ..base.wording import percent
from ..cost.flops import format_flop
from ..picker.ablate import AxisValue
from ..picker.rank import Ranked
from ..terms.recipe import BASELINE_NAME
from ..terms.units import gpu_name
from . import plots
from .html import amount, data, document, figure, listing, name, para, section, table
from .pick import standing
from .pick_full import ties
from .report_parts import AXIS_NAMES, SCALE, Names, shape, spread, text_recipe
from .report_pick import following, gains, recipe
from .report_rows import evidence, swap
from .svg import signed, text
from .swap import GRADE_WORDS

if TYPE_CHECKING:
    from ..answers.report import Report


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
