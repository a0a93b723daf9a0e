"""The decision tree of `models --tree`, and what released models are built from (`models --parts`).

In: Branches and Parts. Out: text, and the JSON. Computes nothing.
"""

from collections.abc import Sequence

from ..answers.models import Parts
from ..base.wording import clean
from ..released.models import Landscape, Need
from ..released.practice import USUAL_MODELS, USUAL_MONTHS
from ..released.ranking import PROTOCOLS, Branch, Leaf
from .models import measured_words, need_words, params, ranked_json, targets_json
from .text import Style, table, wrap


def leaf_lines(land: Landscape, leaf: Leaf, style: Style) -> list[str]:
    """One leaf of the tree: the first of the first tie, what it prints, and who ties with it."""
    if not leaf.best:
        none = f"none ({leaf.unsaid} not known, {leaf.silent} print no score)"
        return wrap(f"{leaf.label}: {none}", style, "  ", "    ")
    first, *others = leaf.best
    lines = wrap(
        f"{leaf.label}: {first.model.name}, {params(first.model)},"
        f" {first.model.record['release'] or 'date not known'}, {first.score:.1f} ± {first.se:.1f}",
        style,
        "  ",
        "    ",
    )
    lines += wrap(measured_words(first.cells, land), style, "    ", "      ")
    if others:
        more = leaf.tied - len(leaf.best)
        names = ", ".join(f"{r.model.name} ({params(r.model)}, {r.score:.1f})" for r in others)
        said = f"ties with {names}" + (f" and {more} more" if more else "")
        lines += wrap(said, style, "    ", "      ")
    return lines + wrap(
        f"of {leaf.compared} that print some of it; {leaf.silent} print none; {leaf.unsaid}"
        " left out: their record does not say whether they qualify",
        style,
        "    ",
        "      ",
    )


def tree_text(land: Landscape, branches: Sequence[Branch], need: Need, style: Style) -> str:
    """`models --tree`."""
    words = need_words(need)
    lines = [
        style.paint(line, "bold")
        for line in wrap(
            "which released open model? what must it do" + (f" ({words})" if words else ""),
            style,
            hang="  ",
        )
    ]
    for branch in branches:
        lines += ["", *(style.paint(line, "bold") for line in wrap(branch.label, style))]
        for note in branch.notes:
            lines += wrap(note, style, "  ", "    ")
        for leaf in branch.leaves:
            lines += leaf_lines(land, leaf, style)
    lines += [
        "",
        *wrap(
            "each leaf is the ranking of the registry's scores (models --tasks …): percent of the"
            " mix's scale with its standard error; of ties the one with the fewest parameters"
            " stands first; ~ estimated; * size only from the name; ^ reported by others",
            style,
        ),
        *wrap(PROTOCOLS, style),
        *wrap(land.as_of, style),
    ]
    return "\n".join(lines)


def tree_json(land: Landscape, branches: Sequence[Branch], dtype: str) -> dict:
    """`models --tree --json`."""
    return {
        "branches": [
            {
                "need": b.label,
                "tasks": b.tasks,
                "compared_on": targets_json(b.wanted),
                "warnings": list(b.notes),
                "leaves": [
                    {
                        "size": leaf.label,
                        "models": [ranked_json(land, r, dtype) for r in leaf.best],
                        "tied": leaf.tied,
                        "compared": leaf.compared,
                        "not_ranked": leaf.silent,
                        "left_out": leaf.unsaid,
                    }
                    for leaf in b.leaves
                ],
            }
            for b in branches
        ],
        "newest_record": land.newest,
        "warnings": [PROTOCOLS],
    }


# --- the parts
# -----------------------------------------------------------------------------------------


def parts_json(value: Parts) -> dict:
    """`models --parts --json`."""
    uses = value.practice.uses
    return {
        "today": value.practice.today,
        "parts": [
            {
                "axis": axis,
                "part": part,
                "models": use.count,
                "newest": use.newest,
                "usual": use.usual,
                "used_by": list(use.models),
            }
            for axis, found in uses.items()
            for part, use in found.items()
        ],
        "recipes": [dict(recipe) for recipe in value.recipes],
    }


def parts_text(value: Parts, why: bool, style: Style) -> str:
    """`models --parts`: the usual parts of each axis; with --why all parts, and the recipes."""
    lines = []
    for axis, found in value.practice.uses.items():
        shown = [(part, use) for part, use in found.items() if why or use.count >= USUAL_MODELS]
        rows = [
            [f"  {clean(part)}", str(use.count), use.newest or "-", "" if use.usual else "unusual"]
            for part, use in shown
        ]
        lines += [
            *table([style.paint(axis, "bold"), "models", "newest", ""], rows, "lrrl", style, 0)
        ]
        rest = len(found) - len(shown)
        lines += [f"  and {rest} of one or two models (--why)", ""] if rest else [""]
    if why:
        for recipe in value.recipes:
            said = "; ".join(f"{k} {v}" for k, v in recipe["parts"].items() if v)
            lines += wrap(
                f"{recipe['name']} ({recipe['date'] or 'no date'}): {said}", style, hang="  "
            )
    lines += wrap(
        f"usual: in {USUAL_MODELS} released open models or more, or in one of the last"
        f" {USUAL_MONTHS} months before {value.practice.today}; a model whose record leaves a part"
        " open counts nowhere",
        style,
        hang="  ",
    )
    return "\n".join(lines)
