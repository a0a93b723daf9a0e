"""`ablate`: its view (the JSON), the first screen and the whole text made from the view.

In: an AblateAnswer, a Style. Out: a plain dictionary, or text. Does not print.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..base.wording import clean, number, percent, plural, signed
from ..picker.trials import MOST_RUNS
from ..terms.recipe import Recipe
from ..terms.units import gpu_name
from .jsonable import axis_value, recipe, run_counts
from .pick import fitted, limits_view, rows_of
from .recipe import describe
from .text import Style, block, table, wrap

if TYPE_CHECKING:
    from ..answers.ablate import AblateAnswer
    from ..answers.design import Experiment
    from ..picker.ablate import AxisValue
    from ..terms.vocabulary import Vocabulary

FIRST_SCREEN = 14  # lines

FIELDS = ("encoder", "connector", "visual_tokens", "llm", "data", "resolution")


def counted(plan: Sequence[tuple[str, int]]) -> str:
    """`a, b (1 run each), c (2)`."""
    if len({count for _, count in plan}) == 1:
        return (
            ", ".join(name for name, _ in plan)
            + f" ({plan[0][1]} run{'s' * (plan[0][1] > 1)}{' each' * (len(plan) > 1)})"
        )
    return ", ".join(f"{name} ({count})" for name, count in plan)


def view(answer: "AblateAnswer", words: "Vocabulary") -> dict:
    """`ablate --json`."""
    sequence = [
        {
            "axis": step.axis,
            "levels": run_counts(step.levels),
            "runs": step.runs,
            "gpu_hours": number(step.gpu_hours),
            "expected_gain": number(step.gain),
            "worth": step.worth,
            "confidence_after": number(step.confidence_after),
        }
        for step in answer.sequence
    ]
    stop = stops(answer)
    return {
        "label": answer.asked.tasks.label,
        "limits": limits_view(answer.asked.limits, words),
        "axes": [
            {**axis_value(value), "capped": sum(value.path[-1].runs) >= MOST_RUNS, "words": told}
            for value in answer.values
            for told in (runs(value, answer.confidence) if value.rival else None,)
        ],
        "first": answer.values[0].axis,
        "confidence": answer.confidence,
        "recipe": recipe(answer.recipe),
        "stated": answer.stated,
        "tuning": answer.tuning,
        "gpu": answer.gpu,
        "gpu_hours_per_run": number(answer.hours_per_run),
        "worth": number(answer.worth),
        "sequence": sequence,
        "confidence_now": number(answer.sure),
        "confidence_after": number(sequence[-1]["confidence_after"] if sequence else answer.sure),
        "worthwhile": dict(
            zip(("runs", "gpu_hours", "confidence_after"), map(number, worthwhile(answer)))
        ),
        "plans": [
            {
                "gpu_hours": number(plan.gpu_hours),
                "runs": plan.runs,
                "expected_gain": number(plan.gain),
                "steps": [
                    {"axis": axis, "levels": run_counts(levels)} for axis, levels in plan.steps
                ],
            }
            for plan in answer.plans
        ],
        "budget_hours": number(answer.hours),
        "within_budget": answer.within,
        "stop": stop[0] if stop[0].startswith("stop") else None,
        "advice": stop,
    }


def first_screen(view_: Mapping, style: Style) -> str:
    """The axis to ablate first with its runs, what they buy, what comes next, where to stop."""
    limits = view_["limits"]["text"] or "no limits"
    head = f"what to ablate first for {view_['label']}, within {limits}"
    lines = [style.paint(line, "bold") for line in block(head, style, most=2)]
    own = Recipe(**view_["recipe"])
    lora = "" if view_["tuning"] == "full" else ", LoRA"
    lines += block(describe(own, FIELDS) + lora, style, "  recipe      ", 2)
    first = view_["axes"][0]
    if not first["rival"]:
        return "\n".join([*lines, *block(view_["advice"][0], style, "  ", 2)])
    text = (
        f"{first['axis']}: {clean(first['picked'])} against {clean(first['rival'])}:"
        f" {percent(first['p_changes_pick'])} that it changes the recipe,"
        f" {signed(first['expected_gain'])} of 100 points expected"
    )
    lines += [style.paint(line, "bold") for line in block(text, style, "  first       ", 2)]
    long, short = (plan_lines(view_, style, most) for most in (2, 1))
    rest = ", ".join(
        f"{one['axis']} ({signed(one['expected_gain'])})"
        for one in view_["axes"][1:]
        if one["rival"]
    )
    then = block(rest, style, "  then        ", 1) if rest else []
    then += block(view_["advice"][0], style, "  ", 2)
    follow = view_.get("next", ())
    room = FIRST_SCREEN - rows_of(follow, style) - len(lines) - len(then)
    return fitted(
        [*lines, *(long if len(long) <= room else short), *then], follow, style, FIRST_SCREEN
    )


def plan_lines(view_: Mapping, style: Style, most: int) -> list[str]:
    """What two budgets buy, each in at most so many lines."""
    lines, limits = [], view_["limits"]
    if not view_["within_budget"]:
        most_hours = f"{view_['budget_hours']:,.0f} {limits['gpu_name']}-hours"
        small = view_.get("small")
        text = f"nothing within {most_hours}"
        if small:
            text += f" (--proxy {small['proxy']}: {plural(small['runs'], 'run')})"
        lines += block(text + "; at least:", style, "  budget      ", 2)
    for plan in view_["plans"][:2]:
        said = "; ".join(
            f"{step['axis']} {', '.join(level['level'] for level in step['levels'])}"
            for step in plan["steps"]
        )
        text = (
            f"{plan['gpu_hours']:,.0f} {view_['limits']['gpu_name']}-hours buy"
            f" {plural(plan['runs'], 'run')},"
            f" {signed(plan['expected_gain'])}: {said}"
        )
        lines += block(text, style, "  budget      " if not lines else " " * 14, most)
    return lines


def next_design(view_: Mapping, mix: Mapping[str, float]) -> dict | None:
    """`design` of the first axis on the recipe: the runs that see 1 point on the benchmark that
    weighs most, on the GPU of the budget."""
    first, recipe_ = view_["axes"][0], dict(view_["recipe"])
    if not first["rival"]:
        return None
    # a level of the resolution says whether it is tiled, which its name does, too
    levels = [name.removesuffix(" tiled") for name in (first["picked"], first["rival"])]
    held = {"encoder", "connector", "llm", "data", "resolution"} - {first["axis"]}
    return {
        "factor": (first["axis"], levels),
        "held": {key: value for key, value in recipe_.items() if key in held},
        "benchmark": max(mix, key=lambda name: mix[name]),
    }


def design_words(plan: Mapping, view_: Mapping) -> list[str]:
    """The plan of next_design as one would type it."""
    field, levels = plan["factor"]
    stated = ",".join(f"{key}={value}" for key, value in plan["held"].items())
    where = ["--detect", "1%", "--benchmark", plan["benchmark"]]
    name = view_["limits"]["gpu_name"]
    gpu = [] if name == "A100" else ["--gpu", name]
    return ["design", "--factor", f"{field}={','.join(levels)}", "--recipe", stated, *where, *gpu]


def bill_text(runs: "Experiment", view_: Mapping) -> str:
    """`16 runs, 5,900 H100-hours (over 576)`."""
    hours, most, count = runs.total_hours, view_["budget_hours"], len(runs.runs) * runs.seeds
    if hours is None:
        return plural(count, "run")
    over = f" (over {most:,.0f})" if most is not None and hours > most else ""
    return f"{plural(count, 'run')}, {hours:,.0f} {view_['limits']['gpu_name']}-hours{over}"


def full_text(view_: Mapping, style: Style) -> str:
    """The axes in order, the runs of each, the plan over all of them, when to stop."""
    confidence = view_["confidence"]
    head = f"what to ablate first for {view_['label']}, until {percent(confidence)} sure"
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    lines += wrap("limits: " + (view_["limits"]["text"] or "none"), style, hang="        ")
    lines += wrap("recipe: " + describe(Recipe(**view_["recipe"]), FIELDS), style, hang="        ")
    whose = "" if view_["stated"] else "the recipe is the best one under these limits; "
    lines += wrap(
        f"{whose}one run of it costs about {view_['gpu_hours_per_run']:,.0f}"
        f" {gpu_name(view_['gpu'])}-hours",
        style,
    )
    lines.append("")
    lines += table(
        ["axis", "against", "P(change)", "gain", "per 1000 h", "runs", "GPU-h", "sure"],
        [row(value) for value in view_["axes"]],
        "llrrrrrr",
        style,
        1,
    )
    lines.append("")
    for value in view_["axes"]:
        if value["rival"]:
            lines += wrap(f"{value['axis']}: {value['words']}", style, hang="  ")
    lines += ["", *whole_text(view_, style)]
    lines += [*(plan_lines(view_, style, 2) if view_["budget_hours"] else []), ""]
    for text in view_["advice"]:
        lines += wrap(text, style, hang="  ")
    lines += wrap(WORDS, style, hang="       ")
    return "\n".join(lines)


WORDS = (
    "words: against = the level most likely to be best where the pick is not; P(change) = the runs"
    " end with another level than the picked one; gain = of the level chosen after them over the"
    " best one today, expected, of 100 (each benchmark's scale); sure = the chosen level is the"
    " best of its candidates. Where nothing needs to be run, the first two are of one run of the"
    " pick and one of its rival"
)


def row(value: Mapping) -> list[str]:
    """One line of the table of axes."""
    if value["rival"] is None:
        return [value["axis"], "(nothing)", *["-"] * 6]
    count = value["runs"]
    return [
        value["axis"],
        clean(value["rival"]),
        percent(value["p_changes_pick"]),
        signed(value["expected_gain"]),
        signed(value["gain_per_1000_gpu_hours"], 2),
        f">{sum(one['runs'] for one in value['plan'])}" if count is None else str(count),
        "-" if not value["gpu_hours"] else f"{value['gpu_hours']:,.0f}",
        f"{percent(value['confidence_now'])} -> {percent(value['confidence_after'])}",
    ]


def runs(value: "AxisValue", confidence: float) -> str:
    """What to run on an axis, in words."""
    if value.runs == 0:
        text = f"{percent(value.confidence_now)} sure without a run"
    elif value.runs is None:
        text = (
            short_of(
                sum(count for _, count in value.plan),
                value.confidence_after,
                confidence,
                sum(value.path[-1].runs) >= MOST_RUNS,
            )
            + f": {counted(value.plan)}"
        )
    else:
        text = f"run {counted(value.plan)}"
    best = max(value.candidates, key=lambda pair: pair[1])[0]
    if value.switch_gain > 0.05:
        text += (
            f"; another level, such as {best}, is expected to gain {signed(value.switch_gain)}"
            " without any run"
        )
    same = [f"{', '.join(others)} counts as {name}" for name, others in value.merged]
    return clean("; ".join([text, *same]))


def short_of(count: int, after: float, confidence: float, capped: bool, spent: str = "") -> str:
    """`24 runs make it 71% sure, not the asked 80%`, and why no more runs are planned. spent:
    stands behind the runs.
    """
    told = lambda p, d: f"{100 * p:.{d}f}"
    digits = next((d for d in range(2) if told(after, d) != told(confidence, d)), 2)
    return (
        f"{plural(count, 'run')}{spent} make{'s' * (count == 1)} it {told(after, digits)}% sure,"
        f" not the asked {told(confidence, digits)}%"
        + f" (at most {MOST_RUNS} runs on an axis are planned)"
        * capped
    )


def whole_text(view_: Mapping, style: Style) -> list[str]:
    """The plan over all axes."""
    confidence, sequence = view_["confidence"], view_["sequence"]
    head = (
        f"the full recipe: {percent(view_['confidence_now'])} sure without a run that it is the"
        " best of the candidates"
    )
    if not sequence:
        return wrap(head, style)
    count, hours = (sum(step[key] for step in sequence) for key in ("runs", "gpu_hours"))
    after = sequence[-1]["confidence_after"]
    spent = f" ({hours:,.0f} GPU-hours)"
    reached = (
        f"{percent(after)} sure after {plural(count, 'run')}{spent}"
        if after >= confidence
        else short_of(count, after, confidence, any(a["capped"] for a in view_["axes"]), spent)
    )
    spend = view_["worthwhile"]
    if spend["runs"] != count:  # the whole way is longer than it is worth
        reached = (
            f"{percent(spend['confidence_after'])} sure after the {plural(spend['runs'], 'run')}"
            f" ({spend['gpu_hours']:,.0f} GPU-hours) that"
            f" {'is' if spend['runs'] == 1 else 'are'} worth it; all the way: {reached}"
            if spend["runs"]
            else f"no step is worth its runs; all the way: {reached}"
        )
    lines = [
        style.paint(line, "bold")
        for line in wrap(f"{head}; {reached}, the first steps first", style)
    ]
    rows = [
        [
            str(i),
            step["axis"],
            str(step["runs"]),
            f"{step['gpu_hours']:,.0f}",
            signed(step["expected_gain"]),
            percent(step["confidence_after"]),
            plural(len(step["levels"]), "level") + ("" if step["worth"] else ", not worth it"),
        ]
        for i, step in enumerate(sequence, 1)
    ]
    head_ = ["", "axis", "runs", "GPU-h", "gain", "sure", "of"]
    return [*lines, *table(head_, rows, "llrrrrl", style, 6)]


def worthwhile(answer: "AblateAnswer") -> tuple[int, float, float]:
    """(runs, GPU-hours, confidence after them) of the steps that are worth it: they stand before
    the others.
    """
    steps = [step for step in answer.sequence if step.worth]
    return (
        sum(step.runs for step in steps),
        sum(step.gpu_hours for step in steps),
        steps[-1].confidence_after if steps else answer.sure,
    )


def stops(answer: "AblateAnswer") -> list[str]:
    """What is not worth its runs, and when to stop."""
    rivals = [value for value in answer.values if value.rival]
    poor = [value for value in rivals if not value.worth]
    floor = f"{answer.worth:.2g} of 100 points"
    floor += (
        " (the noise of one run)" if rivals and answer.worth == rivals[0].noise else " (--worth)"
    )
    if not rivals:
        return ["stop: no axis has a second level that competes: there is nothing to ablate"]
    if len(poor) == len(rivals):
        return [f"stop: no axis promises {floor}: keep the recipe"]
    out = (
        [
            "stop: "
            + ", ".join(f"{value.axis} ({signed(value.expected_gain, 2)})" for value in poor)
            + f" promise{'s' * (len(poor) == 1)} less than {floor}: not worth the runs"
        ]
        if poor
        else [f"worth: every axis promises {floor} or more"]
    )
    return [
        *out,
        "after each step: import the results and ask again (import …, then ablate --tables DIR)",
    ]
