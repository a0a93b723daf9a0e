"""tables/LOCK: what every table held when a person last said that it is right.

In: raw tables (as parsed from JSON). Out: the text of a lock, and the changes of a table against
its lock, cell by cell. The lock holds a digest per table, and per row a digest of its setting and
its scores, so that a changed cell can be told as old -> new. Does not read or write files.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from .redundancy import Found, at
from .tables import escape

NAME = "LOCK"
IGNORED = ("accepted",)  # exceptions explain findings; they change no number


def digest(value) -> str:
    """A short SHA-256 of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def table_digest(raw: Mapping) -> str:
    """The digest of a whole table, its accepted exceptions apart."""
    return digest({key: value for key, value in raw.items() if key not in IGNORED})


def entry(raw: Mapping) -> dict:
    """What the lock holds of one table."""
    metrics = list(raw["metrics"])
    rows = [
        [row["arm"], _setting(row), [row["scores"].get(key) for key in metrics]]
        for row in raw["rows"]
    ]
    return {"digest": table_digest(raw), "metrics": metrics, "rows": rows}


def _setting(row: Mapping) -> str:
    return digest({key: value for key, value in row.items() if key not in ("arm", "scores")})


def text(tables: Mapping[str, Mapping]) -> str:
    """The lock of several tables (id -> raw table): one line per row, in the order of the ids."""
    line = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    parts = []
    for name in sorted(tables):
        held = entry(tables[name])
        rows = ",\n".join("  " + line(row) for row in held["rows"])
        digest, metrics = line(held["digest"]), line(held["metrics"])
        parts.append(f'{line(name)}:{{"digest":{digest},"metrics":{metrics},"rows":[\n{rows}\n]}}')
    return '{"format":1,"tables":{\n' + ",\n".join(parts) + "\n}}\n"


def changes(raw: Mapping, held: Mapping) -> Iterator[Found]:
    """How a table differs from what the lock holds of it: each changed cell as old -> new, then
    rows, then the rest.
    """
    if table_digest(raw) == held["digest"]:
        return
    count = 0
    old_rows: Sequence = held["rows"]
    places = _match([row["arm"] for row in raw["rows"]], [row[0] for row in old_rows])
    for number, (row, place) in enumerate(zip(raw["rows"], places)):
        if place is None:
            count += 1
            yield f"/rows/{number}", f"new row {row['arm'][:60]!r}"
            continue
        arm, setting, values = old_rows[place]
        before = dict(zip(held["metrics"], values))
        if row["arm"] != arm:
            count += 1
            yield f"/rows/{number}/arm", f"{arm[:60]!r} -> {row['arm'][:60]!r}"
        for key in dict.fromkeys((*held["metrics"], *row["scores"])):
            x, y = before.get(key), row["scores"].get(key)
            if x != y or type(x) is not type(y):
                count += 1
                yield at(number, key), f"{json.dumps(x)} -> {json.dumps(y)}"
        if _setting(row) != setting:
            count += 1
            yield f"/rows/{number}", f"the setting of {row['arm'][:60]!r} changed"
    kept = set(places)
    for place, (arm, _, _) in enumerate(old_rows):
        if place not in kept:
            count += 1
            yield "/rows", f"the row {arm[:60]!r} is gone"
    for key in held["metrics"]:
        if key not in raw["metrics"]:
            count += 1
            yield f"/metrics/{escape(key)}", "the metric is gone"
    if not count:
        yield "", "the table's setting, metrics or words changed (no cell did)"


def _match(new: Sequence[str], old: Sequence[str]) -> list[int | None]:
    """For each new row the old one: the same place if the numbers of rows agree, else the first
    free one with its name.
    """
    if len(new) == len(old):
        return list(range(len(new)))
    free: dict[str, list[int]] = {}
    for place in reversed(range(len(old))):
        free.setdefault(old[place], []).append(place)
    return [free[arm].pop() if free.get(arm) else None for arm in new]
