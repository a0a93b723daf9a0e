"""Rows of the transcribed papers that print one training run.

In: the papers (names unified, rows as transcribed) and the links that a person wrote down. Out: the
run's name of each such row. Changes nothing.
"""

import collections

from recipes.evidence.same_runs import Groups

EQUAL = 3  # cells in which two rows of one paper must agree to be one run


def cells_of(table: dict, row: dict) -> dict:
    """(benchmark, split, max, shots, unit of what is no score) -> value of a row."""
    cells = {}
    for key, value in row["scores"].items():
        metric = table["metrics"][key]
        if value is not None and not metric.get("mean_of"):
            unit = metric.get("unit") if metric.get("role") else None
            same = (metric.get(name) for name in ("benchmark", "split", "max", "shots"))
            cells[*same, unit] = value
    return cells


def agree(one: dict, other: dict, least: int) -> bool:
    """Do two rows print the same in all cells that they share, and share `least` of them?"""
    shared = [key for key in one if key in other]
    return len(shared) >= least and all(one[key] == other[key] for key in shared)


def told(table: dict, row: dict, cells: dict, rows: dict, by_table: dict) -> list:
    """The places that `same_runs_as` (TABLE, or TABLE: ARM) says a row to be; links in words are
    left to the hand-made ones.
    """
    target, _, arm = (row.get("same_runs_as") or table.get("same_runs_as") or "").partition(": ")
    places = by_table.get(target, ()) if target != table["id"] else ()
    if arm:
        return [place for place in places if rows[place][2]["arm"] == arm]
    named = row.get("same_arm", row["arm"])
    equal = [p for p in places if rows[p][2]["arm"] == named or agree(cells, rows[p][3], 1)]
    return equal if len(equal) == 1 else []


def link_runs(papers: dict, by_hand: list) -> dict:
    """(table, row number) -> run name, for every training run that is printed more than once.

    Links come from the evidence (`same_runs_as` with an equal arm or equal cells, `run`,
    `default_run`), from by_hand (groups of [table, arm]), and from equality: two rows of one
    paper, in different tables, that agree in EQUAL cells and differ in none. A run is named where
    the earliest paper prints it.
    """
    rows = {
        (table["id"], number): (file["paper"]["key"], table, row, cells_of(table, row))
        for file in papers.values()
        for table in file["tables"]
        for number, row in enumerate(table["rows"])
    }
    groups = Groups(rows)
    by_table, per_paper, named = (collections.defaultdict(list) for _ in range(3))
    for place, (paper, *_) in rows.items():
        by_table[place[0]].append(place)
        per_paper[paper].append(place)
    for place, (paper, table, row, cells) in rows.items():
        if row.get("run") and row["run"] != "none":
            named[paper, row["run"]].append(place)
        if row.get("default_run"):
            named[paper, "default"].append(place)
        for other in told(table, row, cells, rows, by_table):
            groups.join(place, other)
    hand_made = [
        [next(p for p in by_table[t] if rows[p][2]["arm"] == arm) for t, arm in group]
        for group in by_hand
    ]
    for first, *others in (*named.values(), *hand_made):
        for place in others:
            groups.join(first, place)
    for places in per_paper.values():
        for i, a in enumerate(places):
            for b in places[:i]:
                if a[0] != b[0] and groups.root(a) != groups.root(b):
                    if agree(rows[a][3], rows[b][3], EQUAL):
                        groups.join(a, b)
    printed = {file["paper"]["key"]: file["paper"]["arxiv"] or "9" for file in papers.values()}
    runs = {}
    for _, places in groups.several():
        first = min(places, key=lambda place: (printed[rows[place][0]], place))
        for place in places:
            runs[place] = f"{first[0]}/{rows[first][2]['arm']}"
    return runs
