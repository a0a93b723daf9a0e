"""`pick` as text: the recipe card, its costs, its rivals, and what released models print instead.

In: the answer of answers/pick.py. Out: text. The page: report.py.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..base.wording import clean, percent, points, signed
from ..cost.flops import format_flop
from ..terms.recipe import BASELINE_NAME, Recipe
from .recipe import describe
from .text import Style, table, wrap

if TYPE_CHECKING:
    from ..answers.pick import PickAnswer
    from ..picker.rank import Pick, Ranked


def ties(answer: "Pick") -> str:
    """How many recipes cannot be told apart, in what order they stand, and which stand out beside
    the list.
    """
    first = answer.recipes[0]
    text = (
        f"{answer.tied} of the {answer.competitors} leading recipes (P(best) is among these) cannot"
        " be told apart by the evidence (less than 80% sure that the best is better"
        + (
            "; there may be more, --top looks further)"
            if answer.tied == answer.competitors
            else ")"
        )
    )
    if answer.risk == "expected":
        text += (
            f"; those that gain the same but for the noise of two runs ({answer.noise:.1f}) stand"
            " first, the cheapest to train before the others"
        )
    for name, item in (
        ("the highest", answer.highest),
        ("the cheapest of those tied", answer.cheapest),
    ):
        if item and item.recipe != first.recipe:
            text += (
                f"; {name}: {unlike(item.recipe, first.recipe)}"
                f" ({item.costs.gpu_hours.gpu_hours:,.0f} {item.costs.gpu} hours,"
                f" {signed(item.mix.expected)})"
            )
    return text


def pick_text(
    picked: "PickAnswer",
    style: Style,
    citations: Mapping[int, Sequence[str]],
    names: Mapping[str, str],
) -> str:
    """The answer of `pick`: the first recipe in full, the others in a table, ties, what to ablate,
    what to adopt, the front, notes.
    """
    answer = picked.result
    head = wrap(
        f"best of {answer.considered:,} recipes for {clean(answer.tasks.label)}, against"
        f" {BASELINE_NAME}",
        style,
        hang="  ",
    )
    lines = [style.paint(line, "bold") for line in head]
    if answer.excluded:
        lines += wrap(
            "excluded: " + ", ".join(f"{count:,} by {reason}" for reason, count in answer.excluded),
            style,
            hang="          ",
        )
    lines.append("")
    if not answer.recipes:
        lines.append("no recipe meets all constraints")
    else:
        lines += card(
            answer.recipes[0],
            style,
            citations.get(0, ()),
            picked.deltas.get(0, ()),
            names,
            picked.schedules.get(0, ()),
        )
        from .schedule import alternative_lines

        lines += alternative_lines(picked.alternatives, style)
    if len(answer.recipes) > 1:
        lines += ["", style.paint("the next, and how they differ from the first", "bold")]
        rows = [
            [
                str(i),
                unlike(r.recipe, answer.recipes[0].recipe),
                signed(r.mix.expected),
                percent(r.p_best),
                f"{r.costs.gpu_hours.gpu_hours:,.0f} h",
                f"{r.costs.latency.ttft_ms:,.0f} ms",
            ]
            for i, r in enumerate(answer.recipes[1:], 2)
        ]
        lines += table(
            ["#", "recipe", "gain", "P(best)", "train", "TTFT"], rows, "llrrrr", style, 1
        )
    lines += ["", *wrap(ties(answer), style)] if answer.tied > 1 else []
    first = picked.first
    if first:
        lines += [
            "",
            *wrap(
                f"ablate first: {first.axis} ({clean(first.picked)} against"
                f" {clean(first.rival or '-')}): {percent(first.p_changes_pick)} that it changes"
                f" the pick, expected gain {signed(first.expected_gain)}",
                style,
            ),
        ]
    lines += adopt_lines(picked.adopt, names, style) if picked.adopt else []
    if picked.front:
        first_recipe = answer.recipes[0].recipe
        rows = [
            [
                f"{cost:,.0f}" if cost >= 10 else f"{cost:.2f}",
                signed(gain),
                unlike(recipe, first_recipe),
            ]
            for cost, gain, recipe in thinned(picked.front.points)
        ]
        head = (
            f"no recipe is better for less ({picked.front.by}; some of {len(picked.front.points)}),"
            " and how they differ from the first"
        )
        lines += [
            "",
            *(style.paint(line, "bold") for line in wrap(head, style)),
            *table([picked.front.unit, "gain", "recipe"], rows, "rrl", style, 2),
        ]
    lines += [""] if picked.warnings else []
    for text in picked.warnings:
        lines += wrap("note: " + text, style, hang="      ")
    rules = [f"{rule} ({count:,})" for rule, count in answer.left_out if count]
    lines += (
        wrap("left out beforehand: " + "; ".join(rules), style, hang="      ")
        if rules and answer.recipes
        else []
    )
    return "\n".join(lines)


def thinned(points: Sequence[tuple], most: int = 14) -> list[tuple]:
    """Some points of a front, cheapest first: those beyond the baseline (the last ones if none is),
    in even steps of gain.
    """
    kept = [point for point in points if point[1] > 0] or list(points[-most:])
    step = (kept[-1][1] - kept[0][1]) / most
    out = [kept[-1]]
    for point in reversed(kept[:-1]):
        if out[-1][1] - point[1] >= step:
            out.append(point)
    return out[::-1]


def adopt_lines(adopt: Mapping, names: Mapping[str, str], style: Style) -> list[str]:
    """Released models for the same mix, and what that means for training."""
    words = {
        "adopt": (
            "adopt rather than train: a released model is beyond what the pick can be expected to"
            " reach"
        ),
        "train": "the pick is expected to beat the released models where both can be compared",
        "unclear": "a released model may do",
    }
    lines = [
        "",
        *(
            style.paint(line, "bold")
            for line in wrap("adopt or train? " + words[adopt["verdict"]], style, hang="  ")
        ),
    ]
    for model in adopt["models"]:
        cells = [
            f"{names.get(c['benchmark'], c['benchmark'])}"
            f" {'' if c['kind'] == 'printed' else '~'}{c['value']:.{0 if c['max'] > 500 else 1}f}"
            + (
                f" (pick {c['pick']:.{0 if c['max'] > 500 else 1}f})"
                if c["pick"] is not None
                else ""
            )
            for c in model["benchmarks"]
        ]
        size = f", {model['params_b']:g}B" if model["params_b"] else ""
        lines += wrap(f"{clean(model['model'])}{size}: {', '.join(cells)}", style, "  ", "    ")
    return [
        *lines,
        *wrap(
            "pick: what LLaVA-1.5-7B prints plus the expected gain; ~ estimated or on another"
            " split; protocols differ (models NAME shows them)",
            style,
            "  ",
        ),
    ]


def unlike(recipe: Recipe, first: Recipe) -> str:
    """The fields of a recipe that differ from those of the first one."""
    fields = [
        field
        for field in ("encoder", "connector", "resolution", "visual_tokens", "llm", "data")
        if getattr(recipe, field) != getattr(first, field)
    ]
    if "data" not in fields and recipe.data_size != first.data_size:
        fields.append("data_size")
    return describe(recipe, fields) or (
        "the first itself" if recipe == first else "the same components"
    )


def card(
    value: "Ranked",
    style: Style,
    citations: Sequence[str],
    deltas: Sequence,
    names: Mapping[str, str],
    printed: Sequence[Mapping],
) -> list[str]:
    """One recipe in full. printed: per stage what tables say of it (schedule.py)."""
    from .schedule import plan_text, rates  # as below: `swap` needs none of it

    r, c = value.recipe, value.costs
    shape = (
        f"{r.resolution} px" if isinstance(r.resolution, int) else f"{r.resolution} ({r.tiling})"
    )
    fields = [
        ("encoder", r.encoder),
        ("connector", r.connector),
        ("resolution", f"{shape}, {value.visual.visual_tokens:g} visual tokens"),
        ("LLM", f"{r.llm} ({r.llm_params_b:.3g}B)"),
        ("data", f"{r.data} ({r.data_size:,.0f} examples)"),
    ]
    fields += [
        (
            f"stage {i}",
            (
                f"train {' + '.join(stage.stage.trains)} on {stage.stage.samples:,.0f} of"
                f" {stage.stage.data}, at {shape} ({format_flop(stage.total)} FLOP);"
                f" {rates(fact['learning_rate'])}"
            ),
        )
        for i, (stage, fact) in enumerate(zip(c.stages, printed), 1)
    ]
    fields += [
        ("plan", plan_text(printed)),
        (
            "expected",
            (
                f"{signed(value.mix.expected)} percent of scale on the mix"
                f" ({percent(value.mix.level)} interval {signed(value.mix.low)} …"
                f" {signed(value.mix.high)}), P(best) {percent(value.p_best)}"
            ),
        ),
        (
            "training",
            (
                f"{c.gpu_hours.gpu_hours:,.0f} {c.gpu} hours ({c.gpu_hours.low:,.0f} …"
                f" {c.gpu_hours.high:,.0f}), {format_flop(c.flop)} FLOP"
            ),
        ),
        (
            "latency",
            (
                f"TTFT {c.latency.ttft_ms:,.0f} ms, {c.latency.tokens_per_s:,.0f} tokens/s on"
                f" {c.latency_gpu}; memory {c.memory.total:.1f} GB"
            ),
        ),
    ]
    if deltas:
        fields.append(
            (
                "deltas",
                ", ".join(
                    f"{names.get(d.benchmark, d.benchmark)} {signed(d.expected, points(d))}"
                    for d in deltas[:10]
                ),
            )
        )
    fields += [("cited", text) for text in citations]
    lines: list[str] = []
    for name, text in fields:
        block = wrap(text, style, f"  {name:<11} ", " " * 14)
        lines += [style.paint(line, "bold") for line in block] if name == "expected" else block
    return lines
