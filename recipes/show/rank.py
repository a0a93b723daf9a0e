"""`rank`: the answer's view (its JSON), and the screen made from it.

In: a RankAnswer (answers/rank.py), then its view. Out: a plain dictionary, lines of text.
"""

from collections.abc import Mapping, Sequence
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
        "fits": one.fits,
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
    against = value["against"] or rival(value)
    if None not in (value["first"], against) and value["first"] != against:
        sides = " ".join(side(value["axis"], level) for level in (against, value["first"]))
        held = [f"--{field.replace('_', '-')} {v}" for field, v in answer.held.items()]
        ask = " ".join(["swap", sides, *held, "--why"])
        lines += wrap(f"next: {ask} (rows and how it comes about)", style, hang="      ")
    return "\n".join(lines)


def side(axis: str, level: str | float) -> str:
    """A level as `swap` takes it: 7B, '64 tokens', 336px, a name."""
    if isinstance(level, str):
        return level
    if axis == "visual_tokens":
        return f"'{level:g} tokens'"
    return f"{level:g}" + ("B" if axis == "llm_params_b" else "px")


def rival(value: Mapping) -> str | None:
    """What the first level can be compared with where the base names none (an LLM by its size): one
    that cannot be told from it, else any other."""
    others = [one["level"] for one in value["levels"] if one["level"] != value["first"]]
    return next(iter([*value["tied_with_first"], *others]), None)


def verdict(value: Mapping) -> str:
    """Which level is first, and which cannot be told from it."""
    axis, first, tied = axis_name(value["axis"]), value["first"], value["tied_with_first"]
    unknown = [str(one["level"]) for one in value["levels"] if one["fits"] is None]
    costs = (
        f"what {listed(unknown)} cost{'s' * (len(unknown) == 1)} is not known" if unknown else ""
    )
    if first is None:
        if any(one["fits"] for one in value["levels"]):
            return f"{axis}: no table bears on these"
        return f"{axis}: nothing {'is known to fit: ' + costs if unknown else 'fits'}"
    apart = f" ({costs})" if unknown else ""
    if not tied:
        return f"{axis}: {first} is best by what tables show{apart}"
    return f"{axis}: {first} first, but tables cannot tell it from {listed(tied)}{apart}"


def listed(names: Sequence) -> str:
    """`a, b, c, d and 2 more`."""
    return ", ".join(map(str, names[:4])) + (f" and {len(names) - 4} more" if names[4:] else "")


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
