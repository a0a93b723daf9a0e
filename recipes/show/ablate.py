"""The answer of `ablate` as text and as JSON.

In: an AblateAnswer, the asked confidence, a Style. Out: a string, or what json.dumps takes. Does
not print.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..base.wording import clean, number, percent, plural, signed
from ..picker.trials import MOST_RUNS
from .jsonable import axis_value, recipe, run_counts
from .recipe import describe
from .text import Style, table, wrap

if TYPE_CHECKING:
    from ..answers.ablate import AblateAnswer
    from ..picker.ablate import AxisValue

FIELDS = ("encoder", "connector", "visual_tokens", "llm", "data", "resolution")


def counted(plan: Sequence[tuple[str, int]]) -> str:
    """`a, b (1 run each), c (2)`."""
    if len({count for _, count in plan}) == 1:
        return (
            ", ".join(name for name, _ in plan)
            + f" ({plan[0][1]} run{'s' * (plan[0][1] > 1)}{' each' * (len(plan) > 1)})"
        )
    return ", ".join(f"{name} ({count})" for name, count in plan)


def ablate_text(answer: "AblateAnswer", tasks: str, confidence: float, style: Style) -> str:
    """The axes in order, the runs of each, the plan over all of them, when to stop."""
    lines = [
        *(
            style.paint(line, "bold")
            for line in wrap(
                f"what to ablate first for {tasks}, until {percent(confidence)} sure",
                style,
                hang="  ",
            )
        ),
        *wrap("recipe: " + describe(answer.recipe, FIELDS), style, hang="        "),
        *wrap(answer.assumed, style),
        "",
    ]
    lines += table(
        ["axis", "against", "P(change)", "gain", "per 1000 h", "runs", "GPU-h", "sure"],
        [row(value) for value in answer.values],
        "llrrrrrr",
        style,
        1,
    )
    lines.append("")
    for value in answer.values:
        lines += (
            wrap(f"{value.axis}: {runs(value, confidence)}", style, hang="  ")
            if value.rival
            else []
        )
    lines += ["", *whole_text(answer, confidence, style), ""]
    for text in stops(answer):
        lines += wrap(text, style, hang="  ")
    lines += wrap(
        "words: against = the level most likely to be best where the pick is not; P(change) = the"
        " runs end with another level than the picked one; gain = of the level chosen after them"
        " over the best one today, expected, in percent of the mix's scale; sure = the chosen level"
        " is the best of its candidates. Where nothing needs to be run, the first two are of one"
        " run of the pick and one of its rival",
        style,
        hang="       ",
    )
    return "\n".join(lines)


def row(value: "AxisValue") -> list[str]:
    """One line of the table of axes."""
    if value.rival is None:
        return [value.axis, "(nothing)", *["-"] * 6]
    return [
        value.axis,
        clean(value.rival),
        percent(value.p_changes_pick),
        signed(value.expected_gain),
        signed(1000 * value.gain_per_hour, 2),
        most(value) if value.runs is None else str(value.runs),
        "-" if not value.gpu_hours else f"{value.gpu_hours:,.0f}",
        f"{percent(value.confidence_now)} -> {percent(value.confidence_after)}",
    ]


def most(value: "AxisValue") -> str:
    """`>32`: the runs that do not suffice."""
    return f">{sum(count for _, count in value.plan)}"


def runs(value: "AxisValue", confidence: float) -> str:
    """What to run on an axis, in words."""
    if value.runs == 0:
        text = f"{percent(value.confidence_now)} sure without a run"
    elif value.runs is None:
        text = (
            f"{short_of(sum(count for _, count in value.plan), value.confidence_after, confidence, [value])}:"
            f" {counted(value.plan)}"
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


def short_of(
    count: int, after: float, confidence: float, values: Sequence["AxisValue"], spent: str = ""
) -> str:
    """`24 runs make it 71% sure, not the asked 80%`, and why no more runs are planned. spent:
    stands behind the runs.
    """
    digits = next(
        (
            digits
            for digits in range(2)
            if f"{100 * after:.{digits}f}" != f"{100 * confidence:.{digits}f}"
        ),
        2,
    )
    capped = any(sum(value.path[-1].runs) >= MOST_RUNS for value in values)
    return (
        f"{plural(count, 'run')}{spent} make{'s' * (count == 1)} it {100 * after:.{digits}f}% sure,"
        f" not the asked {100 * confidence:.{digits}f}%"
        + f" (at most {MOST_RUNS} runs on an axis are planned)"
        * capped
    )


def whole_text(answer: "AblateAnswer", confidence: float, style: Style) -> list[str]:
    """The plan over all axes."""
    head = (
        f"the full recipe: {percent(answer.sure)} sure without a run that it is the best of the"
        " candidates"
    )
    if not answer.sequence:
        return wrap(head, style)
    count, hours, after = (
        sum(step.runs for step in answer.sequence),
        sum(step.gpu_hours for step in answer.sequence),
        answer.sequence[-1].confidence_after,
    )
    spent = f" ({hours:,.0f} GPU-hours)"
    reached = (
        f"{percent(after)} sure after {plural(count, 'run')}{spent}"
        if after >= confidence
        else short_of(count, after, confidence, answer.values, spent)
    )
    spend = worthwhile(answer)
    if spend != (count, hours, after):  # the whole way is longer than it is worth
        reached = (
            f"{percent(spend[2])} sure after the {plural(spend[0], 'run')} ({spend[1]:,.0f}"
            f" GPU-hours) that {'is' if spend[0] == 1 else 'are'} worth it; all the way: {reached}"
            if spend[0]
            else f"no step is worth its runs; all the way: {reached}"
        )
    lines = [
        style.paint(line, "bold")
        for line in wrap(f"{head}; {reached}, the first steps first", style)
    ]
    rows = [
        [
            str(i),
            step.axis,
            str(step.runs),
            f"{step.gpu_hours:,.0f}",
            signed(step.gain),
            percent(step.confidence_after),
            plural(len(step.levels), "level") + ("" if step.worth else ", not worth it"),
        ]
        for i, step in enumerate(answer.sequence, 1)
    ]
    return [
        *lines,
        *table(["", "axis", "runs", "GPU-h", "gain", "sure", "of"], rows, "llrrrrl", style, 6),
    ]


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
    floor = f"{answer.worth:.2g} percent of scale"
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


def ablate_json(answer: "AblateAnswer", confidence: float) -> dict:
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
    stop = stops(answer)[0]
    return {
        "axes": [axis_value(value) for value in answer.values],
        "first": answer.values[0].axis,
        "confidence": confidence,
        "recipe": recipe(answer.recipe),
        "gpu_hours_per_run": number(answer.hours_per_run),
        "worth": number(answer.worth),
        "sequence": sequence,
        "confidence_now": number(answer.sure),
        "confidence_after": number(sequence[-1]["confidence_after"] if sequence else answer.sure),
        "worthwhile": dict(
            zip(("runs", "gpu_hours", "confidence_after"), map(number, worthwhile(answer)))
        ),
        "stop": stop if stop.startswith("stop") else None,
    }
