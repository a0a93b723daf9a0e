"""`tables`: papers, tables, and the cells that a search found, as a view (its JSON) and as text.

In: values of answers/tables.py. Out: plain dictionaries and text. Searches nothing.
"""

from collections.abc import Mapping, Sequence

from ..answers.mixes import uses
from ..answers.tables import find_tables, is_table
from ..base.wording import clean, number
from ..evidence.tables import Paper, Row, Table
from ..library import Library
from ..terms.vocabulary import UnknownName, fold
from .mixes import dataset_text, dataset_view, mix_text, mix_view
from .text import Style, table, wrap


def shown(library: Library, name: str) -> tuple[dict, list[Table]]:
    """(view of what has this name, its tables): a table, a paper, a data mix, a dataset."""
    data = find_data(library, name)
    found = [] if data and not is_table(library, name) else find_tables(library, name)
    return {"tables": [table_json(one) for one in found], **data}, found


def shown_text(view: Mapping, found: Sequence[Table], library: Library, style: Style) -> str:
    """`tables show`."""
    mixes = library.words.mixes
    texts = [mix_text(view["mix"], mixes, style)] if "mix" in view else []
    texts += [dataset_text(view["dataset"], mixes, style)] if "dataset" in view else []
    return "\n\n".join([*texts, *(table_text(one, style) for one in found)])


def _hit(one: Table, arms: list[str]) -> dict:
    return {
        "table": one.id,
        "arxiv": one.arxiv,
        "locator": one.locator,
        "topic": one.topic,
        "arms": arms,
    }


def search_view(word: str, varies: Sequence[str], hits: Sequence[tuple[Table, list[str]]]) -> dict:
    """`tables find WORD`: the tables that mention it, and vary these axes."""
    words = [word] if word else []
    found = [_hit(one, arms) for one, arms in hits]
    return {"word": word, "words": words, "varies": list(varies), "hits": found}


def search_text(view: Mapping, said: str, style: Style) -> str:
    """The same as text. said: what was asked, as it was typed."""
    if not view["hits"]:
        return f"no table, arm or setting has {clean(said)!r}"
    rows = [
        [hit["table"], clean(hit["locator"]), clean(", ".join(hit["arms"]) or hit["topic"])]
        for hit in view["hits"]
    ]
    return "\n".join(table(["table", "place", "arms or topic"], rows, "lll", style, 1, 2, 0))


MOST_ROWS, MOST_KEYS = 12, 8


def cells_view(words: Sequence[str], varies: Sequence[str], hits: Sequence[tuple]) -> dict:
    """`tables find WORD WORD…`: the cells that have all words."""
    return {
        "word": " ".join(words),
        "words": list(words),
        "varies": list(varies),
        "hits": [
            {
                **_hit(one, [row.arm for row, _ in rows]),
                "cells": [_cell(one, row, key) for row, keys in rows for key in keys],
            }
            for one, rows in hits
        ],
    }


def _cell(one: Table, row: Row, key: str) -> dict:
    metric = one.metrics[key]
    return {
        "arm": row.arm,
        "metric": key,
        "benchmark": metric.benchmark,
        "split": metric.split,
        "unit": metric.unit,
        "value": row.scores[key],
    }


def nothing_text(words: Sequence[str], lone: Sequence[str]) -> str:
    """No cell has all words; lone: those that nothing has."""
    alone = f"; nothing at all has {', '.join(map(clean, lone))}" if lone else ""
    return f"no cell has all of {', '.join(map(clean, words))}{alone}"


def cells_text(hits: Sequence[tuple], style: Style) -> str:
    """The cells that have all words."""
    lines = []
    for one, rows in hits:
        source = f" (arXiv {one.arxiv})" if one.arxiv else ""
        lines += wrap(f"{one.id}: {one.locator}{source}, {one.topic}", style, hang="  ")
        for row, keys in rows[:MOST_ROWS]:
            said = [f"{key} {row.scores[key]:g}" for key in keys[:MOST_KEYS]]
            said += [f"and {len(keys) - MOST_KEYS} more"] if len(keys) > MOST_KEYS else []
            doubt = " (doubtful)" if row.doubt else ""
            lines += wrap(f"{row.arm}: {', '.join(said)}{doubt}", style, "  ", "    ")
        if len(rows) > MOST_ROWS:
            lines.append(f"  and {len(rows) - MOST_ROWS} more rows (tables show {one.id})")
    count = sum(len(keys) for _, rows in hits for _, keys in rows)
    end = f"{count:,} cells of {len(hits)} tables; tables show ID prints one with its settings"
    return "\n".join([*lines, "", end])


def find_data(library: Library, word: str) -> dict:
    """The view of the data mix that this names (also of one put together), or of the dataset."""
    words, mixes = library.words, library.words.mixes
    key = mixes.dataset_spellings.get(fold(word))
    try:
        slug = words.resolve("data", word).slug
    except UnknownName:
        return {"dataset": dataset_view(mixes, key)} if key else {}
    return {"mix": mix_view(mixes, slug, words, uses(library.papers()).tables.get(slug, ()))}


def paper_json(paper: Paper) -> dict:
    """A paper's record, with counts."""
    return {
        "paper": paper.key,
        "title": paper.title,
        "authors": paper.authors,
        "year": paper.year,
        "arxiv": paper.arxiv,
        "tables": [t.id for t in paper.tables],
        "rows": sum(len(t.rows) for t in paper.tables),
        "cells": sum(
            v is not None for t in paper.tables for r in t.rows for v in r.scores.values()
        ),
    }


def table_json(table: Table) -> dict:
    """A whole table as it is stored, with full settings per row."""
    return {
        "id": table.id,
        "paper": table.paper,
        "arxiv": table.arxiv,
        "locator": table.locator,
        "topic": table.topic,
        "varies": list(table.varies),
        "protocol": table.protocol,
        "notes": table.notes,
        "grade": table.grade,
        "family": table.family,
        "metrics": {
            k: {
                "benchmark": m.benchmark,
                "split": m.split,
                "unit": m.unit,
                "max": number(m.max),
                "higher_is_better": m.higher_is_better,
                "role": m.role,
                "mean_of": list(m.mean_of),
            }
            for k, m in table.metrics.items()
        },
        "rows": [
            {
                "arm": r.arm,
                "setting": {k: v for k, v in r.setting.items() if v is not None},
                "scores": dict(r.scores),
                "run": r.run,
                "doubt": r.doubt,
            }
            for r in table.rows
        ],
    }


def tables_text(papers: "Sequence[Paper]", style: Style) -> str:
    """`tables list`."""
    rows = [
        [
            paper.key,
            paper.arxiv or "-",
            str(paper.year),
            str(len(paper.tables)),
            str(sum(len(t.rows) for t in paper.tables)),
            str(
                sum(v is not None for t in paper.tables for r in t.rows for v in r.scores.values())
            ),
            clean(paper.title),
        ]
        for paper in papers
    ]
    lines = table(
        ["paper", "arXiv", "year", "tables", "rows", "cells", "title"], rows, "llrrrrl", style, 6
    )
    return "\n".join(
        [*lines, "", "tables show PAPER or TABLE-ID prints one; tables find WORD searches"]
    )


def table_text(value: "Table", style: Style) -> str:
    """One printed table with its setting and notes."""
    lines = [
        *(
            style.paint(line, "bold")
            for line in wrap(f"{value.id}  {value.locator}: {value.topic}", style, hang="  ")
        ),
        clean(f"arXiv {value.arxiv or '-'}; varies: {', '.join(value.varies) or '-'}"),
    ]
    lines += wrap(value.source[0].upper() + value.source[1:], style) if value.source else []
    if value.family:
        lines += wrap(_family(value.family), style, hang="  ")
    shared = _shared(value)
    if shared:
        lines += wrap(
            "all rows: " + "; ".join(f"{k} {v}" for k, v in shared.items()), style, hang="  "
        )
    if value.protocol:
        lines += wrap("protocol: " + value.protocol, style, hang="  ")
    lines.append("")
    varying = [
        key
        for key in dict.fromkeys(k for row in value.rows for k in row.setting)
        if key not in shared and any(row.setting.get(key) is not None for row in value.rows)
    ]
    keys = list(value.metrics)
    while keys:
        chunk = [keys.pop(0)]
        while keys and sum(len(key) + 2 for key in (*chunk, keys[0])) <= style.width - 24:
            chunk.append(keys.pop(0))
        rows = [
            [
                clean(row.arm),
                *("-" if row.scores.get(key) is None else f"{row.scores[key]:g}" for key in chunk),
            ]
            for row in value.rows
        ]
        lines += table(["arm", *chunk], rows, "l" + "r" * len(chunk), style) + [""]
    if varying:
        lines.append(style.paint("what differs", "dim"))
        for row in value.rows:
            own = "; ".join(
                f"{key} {row.setting[key]}" for key in varying if row.setting.get(key) is not None
            )
            lines += wrap(f"{row.arm}: {own}", style, "  ", "    ")
    for row in value.rows:
        if row.doubt:
            lines += wrap(f"doubtful: {row.arm}: {row.doubt.get('why')}", style)
    if value.notes:
        lines += ["", *wrap("notes: " + value.notes, style, hang="  ")]
    return "\n".join(lines)


def _family(family: Mapping) -> str:
    moves = "; ".join(f"{axis} ({why})" for axis, why in family["moves_along"].items())
    return f"sizes of one family, {family['name']}" + (
        f"; with the size move: {moves}" * bool(moves)
    )


def _shared(value: "Table") -> dict:
    if not value.rows:
        return {}
    first = value.rows[0].setting
    return {
        k: v
        for k, v in first.items()
        if v is not None and all(row.setting.get(k) == v for row in value.rows)
    }
