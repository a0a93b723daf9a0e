"""`explain`: the view (its JSON) and the text made from it.

In: what answers/explain.py found, then its view. Out: a plain dictionary, lines of text.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..base.wording import clean, numbers, plural
from ..terms.axes import COMPONENTS
from .text import Style, wrap

if TYPE_CHECKING:
    from ..answers.explain import Explained


def view(found: "Sequence[Explained]") -> dict:
    """What a word stands for, as plain values."""
    return {"meanings": [numbers(one._asdict()) for one in found]}


def text(value: Mapping, style: Style) -> str:
    """A paragraph for each meaning."""
    lines: list[str] = []
    for one in value["meanings"]:
        head = clean(one["name"]) + ("" if one["kind"] == "term" else f" ({one['kind']})")
        lines += [""] if lines else []
        lines += wrap(f"{head}: {one['meaning'] or 'no name recorded'}", style, hang="  ")
        for key, fact in one["facts"].items():
            lines += wrap(f"{key.replace('_', ' ')}: {worded(fact)}", style, "  ", "    ")
        if one["kind"] in COMPONENTS:
            papers = one["papers"]
            said = f"varied in {plural(len(papers), 'paper')}" if papers else "no table varies it"
            names = ": " + ", ".join(papers[:8]) + (" …" if papers[8:] else "") if papers else ""
            lines += wrap(said + names, style, "  ", "    ")
        lines += wrap(f"more: {one['command']}", style, "  ") if one["command"] else []
    return "\n".join(lines)


def worded(fact) -> str:
    """A fact of a record as text."""
    if isinstance(fact, list):
        return ", ".join(map(str, fact))
    if isinstance(fact, (int, float)) and not isinstance(fact, bool) and fact >= 10_000:
        return f"{fact:,}"
    return str(fact)
