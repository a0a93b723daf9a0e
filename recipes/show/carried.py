"""What carries an expected delta, for people and for programs.

In: an Attribution (effects/attribution.py). Out: lines of text, or JSON values. Does not compute or
print.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base.wording import clean, number, percent, signed
from .text import Style, table, wrap

if TYPE_CHECKING:
    from ..effects.attribution import Attribution

TABLES, PAIRS = 6, 6  # how many are shown
MEANING = {
    "direct": "rows that make this very change on {0}",
    "neighbour": "rows that make it on other benchmarks",
    "chain": "rows that make a part of it or one like it",
}


def carried_lines(
    value: "Attribution",
    names: Mapping[str, str],
    papers: Mapping[str, str],
    style: Style,
    digits: int,
) -> list[str]:
    """By relation, by table, and the weightiest pairs."""
    asked = clean(names.get(value.benchmark, value.benchmark))
    head = wrap(
        f"what carries the {signed(value.expected, digits)} for {asked}: all {value.pairs:,} pairs"
        " of rows",
        style,
    )
    lines = [style.paint(line, "bold") for line in head]
    more = digits + 1
    part = lambda p: [percent(p.weight), signed(p.brings, more), f"{p.pairs:,}"]
    lines += table(
        ["weight", "brings", "pairs", ""],
        [[*part(p), MEANING[name].format(asked)] for name, p in value.relations.items()],
        "rrrl",
        style,
        3,
    )
    shown, rest = list(value.tables.items())[:TABLES], list(value.tables.values())[TABLES:]
    rows = [
        [percent(p.weight), signed(p.brings, more), papers.get(name, name)] for name, p in shown
    ]
    if rest:
        rows.append(
            [
                percent(sum(p.weight for p in rest)),
                signed(sum(p.brings for p in rest), more),
                f"{len(rest)} other tables",
            ]
        )
    lines += ["", *table(["weight", "brings", "by table"], rows, "rrl", style, 2), ""]
    lines.append(style.paint("weight  brings  the weightiest pairs of runs", "dim"))
    for c in value.heaviest[:PAIRS]:
        where = " and ".join(papers.get(name, name) for name in c.tables)
        lines += wrap(
            f"{100 * c.weight:5.1f}%  {signed(c.brings, more):>6}  {where}: {c.from_arm} ->"
            f" {c.to_arm}: {names.get(c.benchmark, c.benchmark)} {signed(c.delta, 2)}",
            style,
            "",
            " " * 16,
        )
    return [
        *lines,
        *wrap(
            "Weights add up to 100%, what the rows bring to the expected delta: every score has an"
            " exact coefficient, shared out over the pairs of its table in proportion. A pair"
            " counts with the difference between its rows, also where that speaks against the"
            " change.",
            style,
        ),
    ]


def carried_json(value: "Attribution") -> dict:
    """`attribution` of `swap --why --json`."""
    part = lambda p: {
        "pairs": p.pairs,
        "weight": number(p.weight),
        "brings": number(p.brings),
    }
    return {
        "benchmark": value.benchmark,
        "unit": "points",
        "expected": number(value.expected),
        "pairs": value.pairs,
        "relations": {name: part(p) for name, p in value.relations.items()},
        "tables": {name: part(p) for name, p in value.tables.items()},
        "heaviest": [
            {
                "tables": list(c.tables),
                "benchmark": c.benchmark,
                "from_arm": c.from_arm,
                "to_arm": c.to_arm,
                "delta": number(c.delta),
                "weight": number(c.weight),
                "brings": number(c.brings),
                "relation": c.relation,
            }
            for c in value.heaviest
        ],
    }
