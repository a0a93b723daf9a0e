"""What `import` did, as text and as JSON.

In: the sorted readings and the merged table. Out: strings and plain values. Reads, writes and
prints nothing.
"""

from collections.abc import Mapping, Sequence

from ..base.wording import clean
from ..exchange.importing import Cell, Folded, Merged, Unknown, plain
from ..terms.recipe import FIELDS
from .text import Style, clip, table, wrap

SHOWN = 12  # unknown names that the text spells out; --json has all


def cell_json(arm: str, cell: Cell) -> dict:
    """One score as it was stored, and where it came from."""
    return {
        "arm": arm,
        "benchmark": cell.metric["benchmark"],
        "split": cell.metric.get("split"),
        "metric": cell.key,
        "value": plain(cell.value),
        "stderr": None if cell.stderr is None else plain(cell.stderr),
        "n": cell.n,
        "source": f"{cell.reading.source.name}: {clean(cell.reading.place)}",
    }


def unknown_json(entry: Unknown) -> dict:
    """One reading that was not imported, and why."""
    reading = entry.reading
    return {
        "task": clean(reading.task),
        "metric": clean(reading.metric),
        "filter": reading.filter and clean(reading.filter),
        "row": reading.row and clean(reading.row),
        "value": clean(reading.printed),
        "source": f"{reading.source.name}: {clean(reading.place)}",
        "why": clean(entry.why),
        "nearest": list(entry.nearest),
    }


def folded_json(entry: Folded) -> dict:
    """One reading that is inside another one."""
    reading = entry.reading
    return {
        "task": clean(reading.task),
        "metric": clean(reading.metric),
        "row": reading.row and clean(reading.row),
        "value": clean(reading.printed),
        "of": entry.of,
        "source": f"{reading.source.name}: {clean(reading.place)}",
    }


def as_json(
    merged: Merged,
    path: str,
    arms: Sequence[str],
    recipes: Mapping[str, Mapping],
    unknown: Sequence[Unknown],
    folded: Sequence[Folded],
    notes: Sequence[str],
    following: str | None,
    dry: bool,
) -> dict:
    """The JSON of `import`. With several arms (a wide CSV) `arm` and `recipe` are null and `arms`
    has them.
    """
    one = arms[0] if len(arms) == 1 else None
    return {
        "table": f"{merged.paper.key}.runs",
        "file": path,
        "arm": one,
        "recipe": dict(recipes[one]) if one is not None else None,
        "arms": [{"arm": name, "recipe": dict(recipes[name])} for name in arms],
        "added": [cell_json(*pair) for pair in merged.added],
        "unchanged": [cell_json(*pair) for pair in merged.unchanged],
        "unknown": [unknown_json(entry) for entry in unknown],
        "folded": [folded_json(entry) for entry in folded],
        "warnings": [clean(note) for note in notes],
        "dry_run": dry,
        "next": following,
        "ok": bool(merged.added or merged.unchanged),
    }


def as_text(
    merged: Merged,
    path: str,
    arms: Sequence[str],
    recipes: Mapping[str, Mapping],
    unknown: Sequence[Unknown],
    folded: Sequence[Folded],
    notes: Sequence[str],
    following: str | None,
    dry: bool,
    names: Mapping[str, str],
    style: Style,
) -> str:
    """The rows as they stand now, what was not taken, what was written, and the next command."""
    lines: list[str] = []
    for arm in arms:
        lines.append(style.paint(f"{clean(arm)} in {merged.paper.key}.runs", "bold"))
        lines += wrap(
            "recipe: "
            + (
                ", ".join(
                    f"{field}={recipes[arm][field]}" for field in FIELDS if field in recipes[arm]
                )
                or "not stated"
            ),
            style,
            hang="  ",
        )
        pairs = [(cell, True) for name, cell in merged.added if name == arm] + [
            (cell, False) for name, cell in merged.unchanged if name == arm
        ]
        files = list(dict.fromkeys(cell.reading.source for cell, _ in pairs))
        for number, source in enumerate(files, 1):
            said = ", ".join(
                filter(None, (source.harness, source.version or source.commit, source.date))
            )
            lines += wrap(
                f"from {f'[{number}] ' if len(files) > 1 else ''}{source.name} ({said})",
                style,
                hang="  ",
            )
        head, align = ["benchmark", "split", "value", "± se", "n", "", ""], "llrrrrl"
        rows = [
            [
                _name(cell, names),
                clean(cell.metric.get("split") or "-"),
                _short(cell.value),
                "-" if cell.stderr is None else _short(cell.stderr, 2),
                str(cell.n or "-"),
                f"[{files.index(cell.reading.source) + 1}]" if len(files) > 1 else "",
                "" if new else "there already",
            ]
            for cell, new in pairs
        ]
        kept = [i for i in range(len(head)) if head[i] or any(row[i] for row in rows)]
        if rows:
            lines += table(
                [head[i] for i in kept],
                [[row[i] for i in kept] for row in rows],
                "".join(align[i] for i in kept),
                style,
                0,
                1,
            )
        lines.append("")
    if unknown:
        lines.append(style.paint("not imported", "bold"))
        for entry in unknown[:SHOWN]:
            reading = entry.reading
            other = reading.filter if reading.filter not in (None, "none") else ""
            what = " ".join(
                filter(
                    None, (reading.task, reading.metric, other, reading.row and f"({reading.row})")
                )
            )
            near = f"; nearest known: {', '.join(entry.nearest)}" if entry.nearest else ""
            lines += wrap(
                f"  {clip(what, 100)} = {clip(reading.printed, 24)} in {reading.source.name}:"
                f" {entry.why}{near}",
                style,
                hang="    ",
            )
        lines += (
            [f"  and {len(unknown) - SHOWN} more (--json lists all)"]
            if len(unknown) > SHOWN
            else []
        )
    if folded:
        groups: dict[str, list[str]] = {}
        for entry in folded:
            reading = entry.reading
            row = reading.row if reading.row not in (None, "none", "Overall") else ""
            groups.setdefault(entry.of, []).append(
                reading.task if reading.group else " ".join(filter(None, (row, reading.metric)))
            )
        for of, labels in groups.items():
            labels = list(dict.fromkeys(labels))
            more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
            lines += wrap(
                f"parts of {of}, not stored beside it: {', '.join(labels[:SHOWN])}{more}",
                style,
                hang="  ",
            )
    lines += [""] if unknown or folded else []
    for note in notes:
        lines += wrap("note: " + note, style, hang="      ")
    if not merged.added:
        lines.append(
            f"nothing new: {clean(path)} is as it was" if merged.unchanged else "nothing to import"
        )
    else:
        lines.append(
            f"{'would write' if dry else 'wrote'} {clean(path)}: {len(merged.added)} new scores, "
            f"{sum(len(t.rows) for t in merged.paper.tables)} arms in the table"
        )
    lines += [f"next: {clean(following)}"] if following else []
    return "\n".join(lines)


def _name(cell: Cell, names: Mapping[str, str]) -> str:
    """The benchmark, with its unit where it is not the usual one."""
    name, unit = (
        clean(names.get(cell.metric["benchmark"], cell.metric["benchmark"])),
        cell.metric.get("unit"),
    )
    return f"{name}, {clean(unit)}" if cell.variant else name


def _short(value, digits: int | None = None) -> str:
    """A number for a column: as stored, unless it has a dozen digits (--json and the file have them
    all).
    """
    text = repr(plain(value))
    return (
        text
        if len(text) <= 9 and digits is None
        else f"{float(value):.{2 if digits is None else digits}f}"
    )
