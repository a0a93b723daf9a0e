"""The skill for one situation: tasks, budget and limits that a user names, as a page of its own.

In: a request of `pick`, as flags and parsed. Out: Markdown. The pieces are those of the whole skill
(skill.py). Does not write files.
"""

import re
import shlex
from collections.abc import Mapping, Sequence

from ..answers import guide
from ..answers import pick as picks
from ..answers.guide import Advice, Changes
from ..base.wording import clean, percent, signed
from ..library import Library
from ..terms.recipe import BASELINE_NAME
from ..terms.tasks import TaskMix
from ..terms.units import gpu_name
from . import schedule
from .pick import adapters_text, adapters_view
from .skill import (
    LEGEND,
    NAMES,
    STAGES,
    TABLE,
    cited,
    head,
    row,
    rules,
    said_limits,
    short,
    unbacked,
    value_of,
)
from .toolbox import READING


def situation_name(tasks: TaskMix) -> str:
    """A skill's name for a mix: lower case, digits and single hyphens, at most 64."""
    parts = "-".join(re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in tasks.parts)
    return f"vlm-recipe-{parts}"[:64].rstrip("-")


def situation(library: Library, asked: picks.Request, flags: Sequence[str]) -> str:
    """The skill of one situation, with a filled recipe card. flags: those of `pick`, as typed.
    Raises space.EmptySpace and picks.NothingFits.
    """
    one, tasks, limits = guide.advice(library, Changes(library), asked), asked.tasks, asked.limits
    if not one.picked.result.recipes:
        raise picks.NothingFits(
            f"no recipe meets all constraints: {'; '.join(one.picked.warnings[1:])}"
        )
    about = (
        f"The vision-language model recipe for {short(tasks.label, 300)} under"
        f" {said_limits(limits, library)}, from published ablation tables, with a citation"
        f" for each choice."
        " Use it when this model is planned, trained, changed or ablated."
    )
    again, mix = " ".join(shlex.quote(part) for part in flags), shlex.quote(tasks_text(tasks))
    lines = [
        *head(situation_name(tasks), about, library),
        f"# Recipe for {clean(tasks.label)}",
        "",
        (
            f"Limits: {said_limits(limits, library)}. Gains are in percent of a benchmark's"
            f" scale against"
            f" {BASELINE_NAME}."
        ),
        "",
        "## Recipe card",
        "",
    ]
    lines += [
        *filled(one),
        "",
        "## What helps here",
        "",
        *TABLE,
        *(row(entry) for entry in one.entries),
        "",
        LEGEND,
        "",
        "## Commands",
        "",
        "```",
        f"python3 main.py pick {again} --json",
        f"python3 main.py ablate --tasks {mix} --json",
        f"python3 main.py benchmarks --tasks {mix} --json",
        f"python3 main.py models --tasks {mix} --json",
        "```",
        "",
        *READING,
        "",
    ]
    backed = [guide.backed(library, rule) for rule in guide.rules(library.words)]
    return "\n".join([*lines, *rules(backed), *STAGES]).rstrip("\n") + "\n"


def tasks_text(tasks: TaskMix) -> str:
    """A mix as one types it."""
    return ",".join(
        f"{name}={weight:.6g}" if len(tasks.parts) > 1 else name
        for name, weight in tasks.parts.items()
    )


def ablate_line(answer: picks.PickAnswer) -> list[str]:
    """What to ablate first, with its runs."""
    f = answer.first
    if not f or not f.rival:
        return []
    runs = (
        "more runs than one axis is given"
        if f.runs is None
        else f"{f.runs} runs, {f.gpu_hours:,.0f} GPU-hours"
    )
    return [
        f"- ablate first: {f.axis}, `{f.picked}` against `{f.rival}`: {percent(f.p_changes_pick)}"
        f" that it changes the pick; {runs} until {percent(f.confidence_after)} sure"
    ]


def filled(one: Advice) -> list[str]:
    """The recipe card with every line filled."""
    answer = one.picked
    if not answer.result.recipes:
        return [f"No recipe meets these limits: {'; '.join(answer.warnings[1:])}."]
    best, c = answer.result.recipes[0], answer.result.recipes[0].costs
    by_axis: dict[str, list[Mapping]] = {}
    for entry in answer.citations():
        by_axis.setdefault(entry["axis"], []).append(entry)
    lines = [f"- task mix: {one.tasks.label}"]
    lines += [
        f"- {NAMES[axis]}: {value_of(axis, best.recipe)}. "
        + " / ".join(cited(entry) for entry in entries)
        for axis, entries in by_axis.items()
    ]
    lines += [
        f"- stage {i}: train {' + '.join(s.stage.trains)} on {s.stage.samples:,.0f} of"
        f" {s.stage.data}, {s.total:.2g} FLOP; {schedule.rates(fact['learning_rate'])}"
        for i, (s, fact) in enumerate(zip(c.stages, answer.schedule()), 1)
    ]
    lines += [f"- plan: {schedule.plan_text(answer.schedule())}"]
    lines += [f"- or {other['change']}: {schedule.about(other)}" for other in answer.alternatives]
    lines += [
        (
            f"- expected: {signed(best.mix.expected)} of 100 (80% interval"
            f" {signed(best.mix.low)} to {signed(best.mix.high)}), P(best) {percent(best.p_best)};"
            f" {answer.result.tied} of {answer.result.competitors} leading recipes cannot be told"
            " apart"
        ),
        (
            f"- cost: {c.gpu_hours.gpu_hours:,.0f} {gpu_name(c.gpu)}-hours"
            f" ({c.gpu_hours.low:,.0f} to {c.gpu_hours.high:,.0f}), TTFT"
            f" {c.latency.ttft_ms:,.0f} ms on {gpu_name(c.latency_gpu)},"
            f" {c.memory.total:.1f} GB"
        ),
    ]
    if c.tuning != "full":
        lines.append(f"- tuning: {adapters_text(adapters_view(answer.adapters))}")
    lines += ablate_line(answer)
    bare = [
        f"{NAMES[axis]} ({why})" for axis, entries in by_axis.items() if (why := unbacked(entries))
    ]
    lines += [
        f"- unbacked: {', '.join(bare) or 'nothing'}",
        "",
        "| benchmark | change | 80% interval | P(better) | grade |",
        "|---|---:|---|---:|---|",
    ]
    for d in answer.deltas():
        digits = 0 if (d.max or 100) > 200 else 1
        lines.append(
            f"| {d.benchmark} | {signed(d.expected, digits)} | {signed(d.low, digits)} to"
            f" {signed(d.high, digits)} | {percent(d.p_better)} | {d.grade} |"
        )
    return lines
