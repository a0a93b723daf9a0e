"""The printed rows behind an answer: one entry for each pair of arms, where it stands, what moved.

In: `deltas` of a view (the JSON of swap), names of benchmarks and tables. Out: lines of text.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..base.wording import clean, signed
from .text import Style, wrap


class Group(NamedTuple):
    """All printed deltas of one pair of arms."""

    table: str
    arxiv: str | None
    from_arm: str
    to_arm: str
    rows: tuple[dict, ...]
    weight: float


def group_rows(deltas: Sequence[Mapping]) -> list[Group]:
    """Evidence rows by table and pair of arms, those with most weight first."""
    found: dict[tuple, dict[tuple, dict]] = {}
    for d in deltas:
        for row in d["evidence"]:
            found.setdefault(
                (row["table"], row["arxiv"], row["from_arm"], row["to_arm"]), {}
            ).setdefault((row["benchmark"], row["split"]), row)
    groups = [
        Group(*key, tuple(rows.values()), sum(row["weight"] for row in rows.values()))
        for key, rows in found.items()
    ]
    order = {"direct": 0, "near": 1, "neighbour": 2, "chain": 3}
    return sorted(
        groups,
        key=lambda g: (order[g.rows[0]["relation"]], -g.weight, g.table, g.from_arm, g.to_arm),
    )


def chosen(groups: Sequence[Group], count: int) -> list[Group]:
    """The first groups, controlled ones before others, at most one of a table and two of a
    paper.
    """
    ordered = sorted(
        groups, key=lambda g: (g.rows[0]["relation"] != "direct", not g.rows[0]["controlled"])
    )
    kept: list[Group] = []
    for group in ordered:
        paper = group.table.split(".")[0]
        if (
            all(group.table != other.table for other in kept)
            and sum(other.table.split(".")[0] == paper for other in kept) < 2
        ):
            kept.append(group)
    near = [g for g in kept if g.rows[0]["relation"] != "direct"]
    direct = [g for g in kept if g.rows[0]["relation"] == "direct"]
    return direct[:count] + near[: max(1, count - len(direct))]


KINDS = {
    "direct": "",
    "near": "near (another size or make of the same family): ",
    "neighbour": "other benchmarks: ",
    "chain": "a part of the change: ",
}


def row_lines(
    group: Group, names: Mapping[str, str], papers: Mapping[str, str], style: Style
) -> list[str]:
    """One pair of arms: where it stands, what it shows, what else moves."""
    first = group.rows[0]
    source = f" (arXiv {group.arxiv})" if group.arxiv else ""
    place = papers.get(group.table, group.table)
    head = f"  {clean(place)}{source}: {clean(group.from_arm)} -> {clean(group.to_arm)}"
    asked = [row["benchmark"] for row in group.rows]

    def said(row: Mapping) -> str:
        name, split = names.get(row["benchmark"], row["benchmark"]), row["split"]
        name += f" ({split})" if split and asked.count(row["benchmark"]) > 1 else ""
        printed = f" (printed {signed(row['printed'], 2)})" if "printed" in row else ""
        delta = signed(row["delta"], 2 if abs(row["delta"]) < 100 else 0)
        return f"{clean(name)} {delta}{printed}"

    shown = ", ".join(map(said, group.rows[:8]))
    shown += f", and {len(group.rows) - 8} more" if len(group.rows) > 8 else ""
    along = first["also_moves"] if not first["controlled"] else ()
    moves = "moves along: " + "; ".join(map(clean, along)) if along else "nothing else moves"
    llm = f"; LLM {clean(first['llm'])}" if first["llm"] else ""
    return [
        *wrap(head, style, hang="    "),
        *wrap(KINDS[first["relation"]] + shown, style, "    "),
        *(style.paint(line, "dim") for line in wrap(moves + llm, style, "    ")),
    ]
