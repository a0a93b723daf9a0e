"""`tables names`: what can be named, as JSON and text.

In: Named values. Out: a view and its text. Does not compute or print.
"""

from collections.abc import Mapping, Sequence

from ..answers.vocabulary import KINDS, Named
from ..base.wording import clean
from .text import Style, table, wrap


def names_view(kind: str, found: Sequence[Named]) -> dict:
    """All names of a kind."""
    return {"axis": kind, "names": [{**one._asdict(), "also": list(one.also)} for one in found]}


def names_text(view: Mapping, style: Style) -> str:
    """One line for each name: its slug, what else it is called, who uses it."""
    found = view["names"]
    columns = [key for key in ("rows", "models") if any(one[key] is not None for one in found)]
    rows = [
        [
            clean(one["slug"]),
            clean(
                ", ".join(x for x in dict.fromkeys((one["name"], *one["also"])) if x != one["slug"])
            ),
            *(str(one[key] or "-") for key in columns),
        ]
        for one in found
    ]
    head = [view["axis"], "also called", *columns]
    lines = table(head, rows, "ll" + "r" * len(columns), style, 1, 0)
    legend = {"rows": "rows: of published tables that use it", "models": "models: released ones"}
    said = "; ".join(legend[key] for key in columns)
    return "\n".join([*lines, "", *wrap(f"{len(rows)} names{'; ' + said if said else ''}", style)])


def kinds_text(style: Style) -> str:
    """What `tables names` can list."""
    return "\n".join(wrap(f"tables names AXIS: {', '.join(KINDS)}", style, hang="  "))
