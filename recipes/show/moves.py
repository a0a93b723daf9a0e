"""`moves`: the view (its JSON) and the screen made from it.

In: a MovesAnswer (answers/moves.py), then its view. Out: a plain dictionary, lines of text.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base.wording import clean, number, percent, plural, signed
from . import jsonable
from .recipe import axis_name
from .swap import MORE, printed_cell, printed_json
from .text import Style, table, wrap

if TYPE_CHECKING:
    from ..answers.moves import Move, MovesAnswer


def view(answer: "MovesAnswer") -> dict:
    """The answer as plain values."""
    joint = answer.together
    return {
        "held": jsonable.recipe(answer.base),
        "tasks": {name: number(w) for name, w in answer.mix.items()},
        "unit": "points" if len(answer.mix) == 1 else "percent of scale",
        "moves": [move_json(move, answer.level) for move in answer.moves],
        "nothing_known": list(answer.unknown),
        "together": joint
        and {
            "expected": number(joint[0]),
            "interval": jsonable.interval(answer.level, *joint[1:]),
        },
        "from": number(answer.start),
        "target": number(answer.target),
        "gain": number(answer.gain),
        "p_reached": number(answer.reach),
        "reached_by_one": list(answer.alone),
    }


def move_json(move: "Move", level: float) -> dict:
    """The best level of one axis."""
    gain = move.best.gain
    return {
        "axis": move.axis,
        "level": move.best.value,
        "expected": number(gain[0]),
        "interval": jsonable.interval(level, *gain[1:]),
        "grade": move.best.grade,
        "printed": printed_json(move.best.printed),
        "gpu_hours_more": number(move.hours),
        "gain_per_1000_gpu_hours": number(move.per_1000_hours),
        "worst": move.worst.value,
        "spread": number(move.spread),
    }


def text(value: Mapping, names: Mapping[str, str], style: Style) -> str:
    """The screen of `moves`."""
    lines = [style.paint(line, "bold") for line in wrap(verdict(value, names), style, hang="  ")]
    lines += moves_table(value, style)
    if value["nothing_known"]:
        unknown = ", ".join(axis_name(axis) for axis in value["nothing_known"])
        lines += wrap(f"no level with a known gain: {unknown}", style, hang="  ")
    if joint := value["together"]:
        ends = " … ".join(signed(joint["interval"][end]) for end in ("low", "high"))
        lines += wrap(f"all at once: {signed(joint['expected'])} ({ends})", style, hang="  ")
    if value["moves"] and (value["from"] is not None or value["gain"] is not None):
        said = "each gain is that at a usual score"
        if value["from"] is not None:
            said += f"; all at once: from {value['from']:g}"
        else:
            said += ": --from says yours (less is left near the maximum)"
        lines += wrap(said, style, hang="  ")
    if value["moves"]:
        first = value["moves"][0]
        lines += wrap(f"next: rank {first['axis']} (all levels), swap … --why", style)
    return "\n".join(lines)


def verdict(value: Mapping, names: Mapping[str, str]) -> str:
    """What moves it most; whether the target can be reached."""
    tasks = list(value["tasks"])
    what = names.get(tasks[0], tasks[0]) if len(tasks) == 1 else plural(len(tasks), "benchmark")
    if not value["moves"]:
        return f"{what}: no change with a known gain stands in the tables"
    first = value["moves"][0]
    unit = "points" if value["unit"] == "points" else "of 100"
    move = "moves" if len(tasks) == 1 else "move"
    out = (
        f"{clean(what)} {move} most with the {axis_name(first['axis'])} ({level_text(first)}:"
        f" {signed(first['expected'])} {unit})"
    )
    if value["target"] is None and value["gain"] is None:
        return out
    if value["p_reached"] is None:
        return out + "; --from says where you start"
    way = f"to gain {value['gain']:g}"
    if value["target"] is not None:
        way = f"from {value['from']:g} to {value['target']:g}"
    sure = f"P {percent(value['p_reached'])} with all of these"
    if value["p_reached"] < 0.2:
        return f"{way}: not by these tables ({sure}); {out}"
    one = value["reached_by_one"]
    return f"{way}: {sure}{', ' + one[0] + ' alone is expected to' if one else ''}; {out}"


def level_text(one: Mapping) -> str:
    """The best level of an axis, a number with its unit."""
    level = one["level"]
    if isinstance(level, (int, float)):
        units = {"llm_params_b": f"{level:.3g}B", "resolution": f"{level:g} px"}
        return units.get(one["axis"], f"{level:g}")
    return clean(str(level))


def moves_table(value: Mapping, style: Style) -> list[str]:
    """A line for each axis."""
    rows = []
    for one in value["moves"]:
        ends = " … ".join(signed(one["interval"][end]) for end in ("low", "high"))
        printed, hours, per = one["printed"], one["gpu_hours_more"], one["gain_per_1000_gpu_hours"]
        rows.append(
            [
                axis_name(one["axis"]),
                level_text(one),
                signed(one["expected"]),
                ends,
                printed_cell(printed),
                "-" if hours is None else f"{round(hours):+,}".replace("+0", "0"),
                "-" if per is None else f"{per:,.0f}",
            ]
        )
    level = value["moves"][0]["interval"]["level"] if value["moves"] else 0.8
    head = ["axis", "to", "gain", f"{percent(level)} interval", "printed", "GPU-h", "per 1,000"]
    more = any(one["printed"] and not one["printed"]["controlled"] for one in value["moves"])
    return [
        *table(head, rows, "llrrrrr", style, 1, 0),
        *([style.paint(MORE, "dim")] if more else []),
    ]
