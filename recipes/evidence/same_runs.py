"""Rows of one paper that print the same training run: read from what a file of format 1 says, and
from equal cells.

In: the tables of one file, names unified (format1.py). Out: the same tables with `run` on every row
whose run stands in several places, and without the keys that said so (`same_runs_as`, `same_arm`,
`default_run`). Knows no other file.
"""

import re
from collections.abc import Iterator, Mapping

Place = tuple[int, int]  # table, row
SAID = ("same_runs_as", "same_arm", "default_run", "run")
WORDED = ("training", "source", "printed", "section")  # settings in free words
# cells in which two rows of different tables must agree to be one run when nothing says that they
# are
EQUAL = 3


def link(tables: list[dict]) -> None:
    """Write `run` into the rows, in place. Tables whose rows or metrics have the wrong shape are
    left alone.
    """
    cells = dict(_cells(tables))
    rows = {place: tables[place[0]]["rows"][place[1]] for place in cells}
    groups = Groups(cells)
    named: dict[str, list[Place]] = {}
    for place, row in rows.items():
        if isinstance(row.get("run"), str) and row["run"] != "none":
            named.setdefault("run " + row["run"], []).append(place)
        if row.get("default_run"):
            named.setdefault("default", []).append(place)
    for first, *others in named.values():
        for place in others:
            groups.join(first, place)
    for place, target in _told(tables, rows, cells):
        groups.join(place, target)
    places = list(cells)
    for i, one in enumerate(places):
        for other in places[:i]:
            if one[0] != other[0] and _agree(cells[one], cells[other]) >= EQUAL:
                groups.join(one, other)
    for row in rows.values():
        for key in SAID:
            row.pop(key, None)
    for first, members in groups.several():
        for place in members:
            rows[place]["run"] = f"{tables[first[0]].get('id')}/{rows[first].get('arm')}"
    for table in tables:
        if "same_runs_as" in table:
            table["same_runs_note"] = table.pop("same_runs_as")


def _told(
    tables: list[dict], rows: Mapping[Place, dict], cells: Mapping[Place, dict]
) -> Iterator[tuple[Place, Place]]:
    """(row, the row of another table that `same_runs_as`, on the row or on its table, says it is).
    A row that two of a table would be is left out.
    """
    there: dict[str, list[Place]] = {}
    for place in rows:
        there.setdefault(str(tables[place[0]].get("id")), []).append(place)
    settings = {place: _setting(tables[place[0]], row) for place, row in rows.items()}

    def found(place: Place, said: str, other: str, of_row: bool) -> list[Place]:
        # plain: the table alone; otherwise it stands somewhere in a sentence
        row, plain = rows[place], said == other
        if of_row and not plain:
            pointed = _pointed(said, there[other], [rows[p].get("arm") for p in there[other]])
            if pointed := [p for p in pointed if _mostly(cells[place], cells[p])]:
                return pointed
        arm, least = row.get("same_arm", row.get("arm")), 1 if of_row or plain else 2
        equal = [
            p
            for p in there[other]
            if plain and rows[p].get("arm") == arm or _agree(cells[place], cells[p]) >= least
        ]
        if not equal and (plain or of_row):
            equal = [
                p
                for p in there[other]
                if _alike(settings[place], settings[p]) and _mostly(cells[place], cells[p])
            ]
        return equal

    # (table, the other table's row) -> the rows of the table that are said to be it
    told: dict[tuple[int, Place], list[Place]] = {}
    for place, row in rows.items():
        table = tables[place[0]]
        for said, of_row in ((row.get("same_runs_as"), True), (table.get("same_runs_as"), False)):
            for other in there if isinstance(said, str) else ():
                if other != str(table.get("id")) and re.search(
                    rf"(?<![\w.-]){re.escape(other)}(?![\w-]|\.\w)", said
                ):
                    targets = found(place, said, other, of_row)
                    if len(targets) == 1 and place not in told.setdefault(
                        (place[0], targets[0]), []
                    ):
                        told[place[0], targets[0]].append(place)
    yield from ((places[0], target) for (_, target), places in told.items() if len(places) == 1)


def _cells(tables: list[dict]) -> Iterator[tuple[Place, dict]]:
    """Every well-formed row with its measurements: what was measured -> score."""
    for index, table in enumerate(tables):
        metrics = table.get("metrics")
        if not isinstance(metrics, dict) or not isinstance(table.get("rows"), list):
            continue
        what = {
            key: (
                metric.get("benchmark"),
                metric.get("split"),
                str(metric.get("max")),
                str(metric.get("shots")),
                metric["unit"] if metric.get("role") else None,
            )
            for key, metric in metrics.items()
            if isinstance(metric, dict)
            and isinstance(metric.get("benchmark"), str)
            and not metric.get("mean_of")
        }
        for number, row in enumerate(table["rows"]):
            if isinstance(row, dict) and isinstance(row.get("scores"), dict):
                yield (
                    (index, number),
                    {
                        what[key]: value
                        for key, value in row["scores"].items()
                        if key in what and isinstance(value, (int, float))
                    },
                )


def _agree(a: dict, b: dict) -> int:
    """In how many measurements two rows agree; 0 when they differ in one."""
    shared = [key for key in a if key in b]
    return len(shared) if all(a[key] == b[key] for key in shared) else 0


def _pointed(said: str, places: list[Place], arms: list) -> list[Place]:
    """The row of a table that a sentence points to: its first or last one, or the one whose arm it
    names (the longest name, where several fit).
    """
    place = re.search(r"\b(first|last) row", said)
    if place:
        return [places[0 if place[1] == "first" else -1]]
    named = [
        (len(arm), p)
        for p, arm in zip(places, arms)
        if isinstance(arm, str) and re.search(rf"(?<![\w.]){re.escape(arm)}(?![\w.])", said)
    ]
    return [p for length, p in named if length == max(named)[0]]


def _setting(table: dict, row: dict) -> dict:
    """What a row states of its recipe, in so far as two tables would word it alike."""
    parts = [part for part in (table.get("setting"), row.get("set")) if isinstance(part, dict)]
    return {key: value for part in parts for key, value in part.items() if key not in WORDED}


def _alike(a: dict, b: dict) -> bool:
    """Do two settings differ in nothing that both state (and state something in common)?"""
    both = [key for key in a if a[key] is not None and b.get(key) is not None]
    return bool(both) and all(a[key] == b[key] for key in both)


def _mostly(a: dict, b: dict) -> bool:
    """Do two rows agree in at least half of the measurements that they share (a table may round or
    convert one)?
    """
    shared = [key for key in a if key in b]
    return 2 * sum(a[key] == b[key] for key in shared) >= len(shared)


class Groups:
    """Places in groups that grow together."""

    def __init__(self, places):
        self._parent = {place: place for place in places}

    def root(self, place: Place) -> Place:
        """The place that stands for its group."""
        while self._parent[place] != place:
            place = self._parent[place]
        return place

    def join(self, a: Place, b: Place) -> None:
        """Put two places into one group; the first place of a group stands for it."""
        a, b = sorted((self.root(a), self.root(b)))
        self._parent[b] = a

    def several(self) -> Iterator[tuple[Place, list[Place]]]:
        """(first place, all its places) of every group of more than one."""
        members: dict[Place, list[Place]] = {}
        for place in self._parent:
            members.setdefault(self.root(place), []).append(place)
        yield from ((first, places) for first, places in members.items() if len(places) > 1)
