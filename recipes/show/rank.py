"""`rank`: the answer's view (its JSON), and the screen made from it.

In: a RankAnswer (answers/rank.py), then its view. Out: a plain dictionary, lines of text.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..answers.rank import sure
from ..base.wording import clean, number, percent, plural, signed
from . import jsonable
from .recipe import axis_name, describe
from .swap import MORE, printed_cell, printed_json
from .text import Style, table, wrap

# said by the LLM and the data mix, or the same for all
UNSAID = ("llm_params_b", "data_size", "training", "frozen_encoder")

if TYPE_CHECKING:
    from ..answers.rank import Level, RankAnswer


def view(answer: "RankAnswer", level: float) -> dict:
    """The answer as plain values: what --json prints, and all that the text says."""
    first, tied = sure(answer)
    return {
        "axis": answer.axis,
        "held": {k: v for k, v in jsonable.recipe(answer.base).items() if k != answer.axis},
        "against": getattr(answer.base, answer.axis),
        "tasks": {name: number(w) for name, w in answer.mix.items()},
        "unit": "points" if len(answer.mix) == 1 else "percent of scale",
        "first": first and first.value,
        "tied_with_first": [one.value for one in tied],
        "levels": [level_json(one, level) for one in answer.levels],
        "left_out": answer.left_out,
        "warnings": list(answer.notes),
    }


def level_json(one: "Level", level: float) -> dict:
    """One level of the axis."""
    costs = one.costs and jsonable.costs(one.costs)
    return {
        "level": one.value,
        "expected": one.gain and number(one.gain[0]),
        "interval": one.gain and jsonable.interval(level, *one.gain[1:]),
        "p_best": number(one.p_best),
        "grade": one.grade,
        "printed": printed_json(one.printed),
        "papers": one.papers,
        "visual_tokens": number(one.tokens),
        "training": costs and costs["training"],
        "latency": costs and costs["latency"],
        "memory_gb": costs and costs["memory_gb"],
        "breaks": one.broken,
    }


def text(value: Mapping, answer: "RankAnswer", names: Mapping[str, str], style: Style) -> str:
    """The screen of `rank`."""
    lines = [style.paint(line, "bold") for line in wrap(verdict(value), style, hang="  ")]
    held = [field for field in value["held"] if field not in UNSAID]
    on = ", ".join(names.get(name, name) for name in value["tasks"])
    on = on if len(value["tasks"]) < 5 else plural(len(value["tasks"]), "benchmark")
    lines += wrap(f"held: {describe(answer.base, held)}; on {clean(on)}", style, hang="  ")
    lines += levels_table(value, style)
    if value["left_out"]:
        lines.append(style.paint(f"and {value['left_out']} more levels: --top N", "dim"))
    if any(one["printed"] and not one["printed"]["controlled"] for one in value["levels"]):
        lines.append(style.paint(MORE, "dim"))
    for note in value["warnings"]:
        lines += wrap("note: " + note, style, hang="      ")
    base = [one["level"] for one in value["levels"] if one["grade"] == "base"]
    against = value["against"] or next(iter(base), None)  # none: an LLM of a size, unnamed
    if value["first"] is not None and against and value["first"] != against:
        ask = f"swap {against} {value['first']} --why"
        lines += wrap(f"next: {ask} (rows and how it comes about)", style, hang="      ")
    return "\n".join(lines)


def verdict(value: Mapping) -> str:
    """Which level is first, and which cannot be told from it."""
    axis, first, tied = axis_name(value["axis"]), value["first"], value["tied_with_first"]
    if first is None:
        return f"{axis}: nothing fits, or no table bears on these"
    if not tied:
        return f"{axis}: {first} is best by what tables show"
    others = ", ".join(map(str, tied[:4])) + (f" and {len(tied) - 4} more" if tied[4:] else "")
    return f"{axis}: {first} first, but tables cannot tell it from {others}"


def levels_table(value: Mapping, style: Style) -> list[str]:
    """A line for each level."""
    rows = []
    for one in value["levels"]:
        gain, printed = one["expected"], one["printed"]
        ends = one["interval"] and " … ".join(signed(one["interval"][e]) for e in ("low", "high"))
        base = one["grade"] == "base"
        training = one["training"]
        rows.append(
            [
                clean(str(one["level"])) + (f" (breaks {one['breaks']})" if one["breaks"] else ""),
                "base" if base else "-" if gain is None else signed(gain),
                "" if base else ends or "-",
                "-" if one["p_best"] is None else percent(one["p_best"]),
                printed_cell(printed),
                str(one["papers"]) if one["papers"] else "-",
                f"{training['gpu_hours']:,.0f}" if training else "-",
            ]
        )
    unit = "points" if value["unit"] == "points" else "of 100"
    level = next((x["interval"]["level"] for x in value["levels"] if x["interval"]), 0.8)
    head = ["level", unit, f"{percent(level)} interval", "P(best)", "printed", "papers", "GPU-h"]
    return table(head, rows, "lrrrrrr", style)
