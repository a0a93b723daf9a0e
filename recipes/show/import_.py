"""What `import` did, as JSON (the view) and as text.

In: an Imported. Out: plain values, and strings. Reads, writes and prints nothing.
"""

from collections.abc import Mapping, Sequence

from ..answers.import_ import Imported
from ..base.wording import clean
from ..exchange.importing import plain
from ..exchange.scores import Cell, Folded, Unknown
from ..terms.recipe import FIELDS
from .text import Style, clip, table, wrap

SHOWN = 12  # names that the text spells out; --json has all


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


def as_json(done: Imported) -> dict:
    """The JSON of `import`. With several arms (a wide CSV) `arm` and `recipe` are null and `arms`
    has them.
    """
    merged, recipes = done.merged, done.recipes
    one = done.arms[0] if len(done.arms) == 1 else None
    return {
        "table": f"{merged.paper.key}.runs",
        "file": done.path,
        "arm": one,
        "recipe": dict(recipes[one]) if one is not None else None,
        "arms": [{"arm": name, "recipe": dict(recipes[name])} for name in done.arms],
        "added": [cell_json(*pair) for pair in merged.added],
        "unchanged": [cell_json(*pair) for pair in merged.unchanged],
        "refused": [unknown_json(entry) for entry in done.refused],
        "unread": [
            {"file": clean(error.file), "why": clean(error.message)} for error in done.problems
        ],
        "left_out": [{"arm": clean(name), "why": clean(why)} for name, why in done.out],
        "unknown": [unknown_json(entry) for entry in done.unknown],
        "folded": [folded_json(entry) for entry in done.folded],
        "warnings": [clean(note) for note in done.notes],
        "dry_run": done.wish.dry_run,
        "next": done.following,
        "ok": done.ok,
    }


def as_text(done: Imported, names: Mapping[str, str], style: Style) -> str:
    """The rows as they stand now, what was not taken, what was written, and the next command."""
    lines = _rows_text(done, names, style)
    for title, entries in (("refused", done.refused), ("not imported", done.unknown)):
        lines += _unknown_text(title, entries, style)
    for error in done.problems:
        lines += wrap(f"not read: {clean(str(error))}", style, hang="  ")
    for _, why in done.out:
        lines += wrap(f"not imported: {clean(why)}", style, hang="  ")
    lines += _folded_text(done.folded, style)
    if done.refused or done.unknown or done.folded or done.problems or done.out:
        lines.append("")
    for note in done.notes:
        lines += wrap("note: " + clean(note), style, hang="      ")
    merged, path = done.merged, clean(done.path)
    if merged.added:
        lines.append(
            f"{'would write' if done.wish.dry_run else 'wrote'} {path}: {len(merged.added)} new"
            f" scores, {sum(len(t.rows) for t in merged.paper.tables)} arms in the table"
        )
    else:
        lines.append(
            f"nothing new: {path} is as it was" if merged.unchanged else "nothing to import"
        )
    lines += [f"next: {clean(done.following)}"] if done.following else []
    return "\n".join(lines)


def _rows_text(done: Imported, names: Mapping[str, str], style: Style) -> list[str]:
    """Each arm: its recipe, and its scores of this import."""
    of_arm: dict[str, list[tuple[Cell, bool]]] = {arm: [] for arm in done.arms}
    for pairs, new in ((done.merged.added, True), (done.merged.unchanged, False)):
        for arm, cell in pairs:
            of_arm[arm].append((cell, new))
    lines: list[str] = []
    for arm, cells in of_arm.items():
        recipe = done.recipes[arm]
        said = ", ".join(f"{field}={recipe[field]}" for field in FIELDS if field in recipe)
        lines.append(style.paint(f"{clean(arm)} in {done.merged.paper.key}.runs", "bold"))
        lines += wrap(f"recipe: {said or 'not stated'}", style, hang="  ")
        lines += [*_scores_text(cells, names, style), ""]
    return lines


def _scores_text(
    cells: Sequence[tuple[Cell, bool]], names: Mapping[str, str], style: Style
) -> list[str]:
    """The files of an arm's scores, and the scores."""
    lines: list[str] = []
    files = list(dict.fromkeys(cell.reading.source for cell, _ in cells))
    for number, source in enumerate(files, 1):
        said = ", ".join(
            filter(None, (source.harness, source.version or source.commit, source.date))
        )
        mark = f"[{number}] " if len(files) > 1 else ""
        lines += wrap(f"from {mark}{source.name} ({said})", style, hang="  ")
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
        for cell, new in cells
    ]
    kept = [i for i in range(len(head)) if head[i] or any(row[i] for row in rows)]
    if rows:
        shown = [[row[i] for i in kept] for row in rows]
        marks = "".join(align[i] for i in kept)
        lines += table([head[i] for i in kept], shown, marks, style, 0, 1)
    return lines


def _unknown_text(title: str, entries: Sequence[Unknown], style: Style) -> list[str]:
    """What was not taken, and why."""
    lines = [style.paint(title, "bold")] if entries else []
    for entry in entries[:SHOWN]:
        reading = entry.reading
        other = reading.filter if reading.filter not in (None, "none") else ""
        row = reading.row and f"({reading.row})"
        what = clean(" ".join(filter(None, (reading.task, reading.metric, other, row))))
        near = f"; nearest known: {', '.join(entry.nearest)}" if entry.nearest else ""
        value, file = clip(clean(reading.printed), 24), reading.source.name
        text = f"  {clip(what, 100)} = {value} in {file}: {clean(entry.why)}{near}"
        lines += wrap(text, style, hang="    ")
    if len(entries) > SHOWN:
        lines.append(f"  and {len(entries) - SHOWN} more (--json lists all)")
    return lines


def _folded_text(entries: Sequence[Folded], style: Style) -> list[str]:
    """What stands inside scores that were read."""
    groups: dict[str, list[str]] = {}
    for entry in entries:
        reading = entry.reading
        row = reading.row if reading.row not in (None, "none", "Overall") else ""
        inside = reading.task if reading.group else " ".join(filter(None, (row, reading.metric)))
        groups.setdefault(entry.of, []).append(clean(inside))
    lines: list[str] = []
    for of, found in groups.items():
        labels = list(dict.fromkeys(found))
        more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
        text = f"parts of {of}, not stored beside it: {', '.join(labels[:SHOWN])}{more}"
        lines += wrap(text, style, hang="  ")
    return lines


def _name(cell: Cell, names: Mapping[str, str]) -> str:
    """The benchmark, with its unit where it is not the usual one."""
    benchmark, unit = cell.metric["benchmark"], cell.metric.get("unit")
    name = clean(names.get(benchmark, benchmark))
    return f"{name}, {clean(unit)}" if cell.variant else name


def _short(value, digits: int | None = None) -> str:
    """A number for a column: as stored, unless it has a dozen digits (--json and the file have them
    all).
    """
    text = repr(plain(value))
    if len(text) <= 9 and digits is None:
        return text
    return f"{float(value):.{2 if digits is None else digits}f}"
