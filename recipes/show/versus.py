"""`versus`: the view (its JSON) and the screen made from it.

In: a VersusAnswer (answers/versus.py), then its view. Out: a plain dictionary, lines of text.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base.wording import number, percent, plural, signed
from .moves import move_json, moves_table
from .recipe import axis_name
from .text import Style, wrap

if TYPE_CHECKING:
    from ..answers.versus import VersusAnswer


def view(answer: "VersusAnswer") -> dict:
    """The answer as plain values."""
    return {
        "tasks": {name: number(w) for name, w in answer.mix.items()},
        "unit": "points" if len(answer.mix) == 1 else "percent of scale",
        "moves": [move_json(move, answer.level) for move in answer.moves],
        "nothing_known": list(answer.unknown),
        "first": answer.moves[0].axis if answer.moves else None,
        "p_first": number(answer.p_first),
    }


def text(value: Mapping, names: Mapping[str, str], style: Style) -> str:
    """The screen of `versus`."""
    tasks = list(value["tasks"])
    on = names.get(tasks[0], tasks[0]) if len(tasks) == 1 else plural(len(tasks), "benchmark")
    head = f"{verdict(value)}, on {on}"
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    lines += moves_table(value, style)
    for one in value["moves"]:
        lines += wrap(
            f"{axis_name(one['axis'])}: {signed(one['spread'])} between its best level and"
            f" its worst, {one['worst']}",
            style,
            "  ",
        )
    for axis in value["nothing_known"]:
        lines.append(f"  {axis_name(axis)}: no level beats the one that is held")
    axes = " and ".join(f"rank {one['axis']}" for one in value["moves"])
    return "\n".join([*lines, *(wrap(f"next: {axes} (all levels)", style) if axes else [])])


def verdict(value: Mapping) -> str:
    """Which axis matters more, and how sure that is."""
    moves = [axis_name(one["axis"]) for one in value["moves"]]
    if not moves:
        return "not known: no level of these axes has a known gain"
    if len(moves) == 1:
        return f"the {moves[0]} has a level with a known gain, the others have none"
    p = value["p_first"]
    more = "probably matters more" if p >= 0.8 else "is expected to matter more"
    unsure = "" if p >= 0.8 else ", but that is not clear"
    return f"the {moves[0]} {more} than the {moves[1]} (P {percent(p)}){unsure}"
