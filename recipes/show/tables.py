"""`tables`: list papers, show one table or paper, find a word in tables, arms and settings, or the
cells that have several.

In: the library and what was asked. Out: text or JSON through the printers that cli.py hands over.
"""

from collections.abc import Callable, Mapping, Sequence

from ..answers.mixes import uses
from ..base import wording
from ..base.wording import clean, number
from ..evidence.tables import Paper, Row, Table
from ..library import Library
from ..terms.vocabulary import UnknownName, fold, nearest
from . import text
from .mixes import dataset_text, dataset_view, mix_text, mix_view
from .text import Style, table, wrap


def run(
    action: str,
    words: Sequence[str],
    library: Library,
    style: text.Style,
    show: Callable | None,
    out: Callable[[str], None],
) -> int:
    """Carry out one action; `show` prints JSON when it is given."""
    if action == "list":
        papers = library.papers()
        (
            show({"papers": [paper_json(p) for p in papers]})
            if show
            else out(tables_text(papers, style))
        )
        return 0
    if action == "show":
        name = " ".join(words)
        mixes, data = library.words.mixes, find_data(library, name)
        found = [] if data and not is_table(library, name) else find_tables(library, name)
        if show:
            show({"tables": [table_json(t) for t in found], **data})
        else:
            texts = [mix_text(data["mix"], mixes, style)] if "mix" in data else []
            texts += [dataset_text(data["dataset"], mixes, style)] if "dataset" in data else []
            out("\n\n".join([*texts, *(table_text(t, style) for t in found)]))
        return 0
    if len(words) > 1:
        return find_cells(words, library, style, show, out)
    word = words[0]
    hits = search(library, word)
    if show:
        show(
            {
                "word": word,
                "words": [word],
                "hits": [
                    {
                        "table": t.id,
                        "arxiv": t.arxiv,
                        "locator": t.locator,
                        "topic": t.topic,
                        "arms": arms,
                    }
                    for t, arms in hits
                ],
            }
        )
    elif hits:
        rows = [
            [t.id, wording.clean(t.locator), wording.clean(", ".join(arms) or t.topic)]
            for t, arms in hits
        ]
        out("\n".join(text.table(["table", "place", "arms or topic"], rows, "lll", style, 1, 2, 0)))
    else:
        out(f"no table, arm or setting has {wording.clean(word)!r}")
    return 0 if hits else 1


def find_cells(
    words: Sequence[str],
    library: Library,
    style: text.Style,
    show: Callable | None,
    out: Callable[[str], None],
) -> int:
    """`tables find` with several words: the cells that have all of them."""
    hits = cells(library, words)
    if show:
        show(
            {
                "word": " ".join(words),
                "words": list(words),
                "hits": [
                    {
                        "table": t.id,
                        "arxiv": t.arxiv,
                        "locator": t.locator,
                        "topic": t.topic,
                        "arms": [row.arm for row, _ in rows],
                        "cells": [
                            {
                                "arm": row.arm,
                                "metric": key,
                                "benchmark": t.metrics[key].benchmark,
                                "split": t.metrics[key].split,
                                "unit": t.metrics[key].unit,
                                "value": row.scores[key],
                            }
                            for row, keys in rows
                            for key in keys
                        ],
                    }
                    for t, rows in hits
                ],
            }
        )
    elif not hits:
        lone = [word for word in words if not search(library, word) and not cells(library, [word])]
        out(
            f"no cell has all of {', '.join(map(wording.clean, words))}"
            + (f"; nothing at all has {', '.join(map(wording.clean, lone))}" if lone else "")
        )
    else:
        lines = []
        for t, rows in hits:
            lines += text.wrap(
                f"{t.id}: {t.locator}{f' (arXiv {t.arxiv})' if t.arxiv else ''}, {t.topic}",
                style,
                hang="  ",
            )
            for row, keys in rows[:MOST_ROWS]:
                said = [f"{key} {row.scores[key]:g}" for key in keys[:MOST_KEYS]] + (
                    [f"and {len(keys) - MOST_KEYS} more"] if len(keys) > MOST_KEYS else []
                )
                lines += text.wrap(
                    f"{row.arm}: {', '.join(said)}" + (" (doubtful)" if row.doubt else ""),
                    style,
                    "  ",
                    "    ",
                )
            lines += (
                [f"  and {len(rows) - MOST_ROWS} more rows (tables show {t.id})"]
                if len(rows) > MOST_ROWS
                else []
            )
        count = sum(len(keys) for _, rows in hits for _, keys in rows)
        out(
            "\n".join(
                [
                    *lines,
                    "",
                    (
                        f"{count:,} cells of {len(hits)} tables; tables show ID prints one with its"
                        " settings"
                    ),
                ]
            )
        )
    return 0 if hits else 1


MOST_ROWS, MOST_KEYS = 12, 8


def cells(
    library: Library, words: Sequence[str]
) -> list[tuple[Table, list[tuple[Row, list[str]]]]]:
    """Tables with the rows and metrics (that have a number) which have every word: each in the
    paper's name, the table's topic, place or protocol, the row's arm or setting, or the metric's
    benchmark."""
    vocabulary = library.words
    found = []
    asked = []
    for word in words:
        families = vocabulary.find("family", word)
        slugs = {
            vocabulary.find(axis, word) for axis in ("encoder", "connector", "llm", "data")
        } - {None}
        benchmarks = {vocabulary.find("benchmark", word)} - {None}
        if families and not benchmarks:
            benchmarks = {
                key
                for key, record in vocabulary.records("benchmark").items()
                if record["family"] == families
            }
        asked.append((fold(word), slugs, benchmarks))
    keys_of = {fold(paper.key) for paper in library.papers()}
    for paper in library.papers():
        names = {fold(paper.key), fold(paper.short), fold(paper.title)}
        for table in paper.tables:
            about = [
                fold(table.topic),
                fold(table.locator),
                fold(table.id),
                fold(table.protocol or ""),
                *map(fold, table.varies),
            ]
            left = [
                one
                for one in asked
                if one[0] not in names
                and not any(name.startswith(one[0]) for name in names if len(one[0]) > 3)
            ]
            if any(one[0] in keys_of and not one[1] for one in left):
                continue  # that word is another paper
            columns = [
                (
                    one,
                    {
                        key
                        for key, m in table.metrics.items()
                        if m.benchmark in one[2] or one[0] == fold(m.benchmark)
                    },
                )
                for one in left
            ]
            keys = set(table.metrics)
            for _, own in columns:
                keys &= own or keys
            left = [one for one, own in columns if not own]
            rows = []
            for row in table.rows:
                if all(
                    _mentions(row, wanted, slugs)
                    or not slugs
                    and any(wanted in part for part in about)
                    for wanted, slugs, _ in left
                ):
                    printed = [
                        key
                        for key in table.metrics
                        if key in keys and row.scores.get(key) is not None
                    ]
                    rows += [(row, printed)] if printed else []
            if rows:
                found.append((table, rows))
    return found


def find_data(library: Library, word: str) -> dict:
    """The view of the data mix that this names (also of one put together), or of the dataset."""
    words, mixes = library.words, library.words.mixes
    key = mixes.dataset_spellings.get(fold(word))
    try:
        slug = words.resolve("data", word).slug
    except UnknownName:
        return {"dataset": dataset_view(mixes, key)} if key else {}
    return {"mix": mix_view(mixes, slug, words, uses(library.papers()).tables.get(slug, ()))}


def is_table(library: Library, word: str) -> bool:
    """Whether a word is the id of a table, or the key of a paper."""
    names = {
        fold(name)
        for paper in library.papers()
        for name in (paper.key, paper.short, *(table.id for table in paper.tables))
    }
    return fold(word) in names


def find_tables(library: Library, word: str) -> list[Table]:
    """The table with this id, or all tables of the paper with this key. Raises UnknownName."""
    papers = library.papers()
    known = {t.id.lower(): t.id for p in papers for t in p.tables} | {
        name.lower(): p.key for p in papers for name in (p.key, p.short)
    }
    word = known.get(word.lower(), word)
    key = word.split(".")[0]
    # Cambrian-1 Table 11
    spelled = {
        fold(f"{name} {t.locator}"): t.id
        for p in papers
        for t in p.tables
        for name in (p.key, p.short)
    }
    word = spelled.get(fold(word), word)
    tables = [t for p in papers for t in p.tables if t.id == word] or [
        t for p in papers if p.key == word for t in p.tables
    ]
    if not tables:
        ids = {fold(t.id): t.id for p in papers for t in p.tables} | {
            fold(p.key): p.key for p in papers
        }
        near = [t.id for p in papers if p.key == key for t in p.tables][:3] or nearest(word, ids)
        raise UnknownName("table", word, near)
    return tables


def search(library: Library, word: str) -> list[tuple[Table, list[str]]]:
    """Tables that mention a word: in the topic, an arm, a setting (by any spelling of the
    component) or a benchmark.
    """
    wanted = fold(word)
    slugs = {
        words.find(axis, word)
        for words in [library.words]
        for axis in ("encoder", "connector", "llm", "data", "benchmark")
    } - {None}
    found = []
    for paper in library.papers():
        for table in paper.tables:
            arms = [row.arm for row in table.rows if _mentions(row, wanted, slugs)]
            topic = wanted in fold(table.topic) or wanted in fold(table.id)
            benchmark = any(
                m.benchmark in slugs or wanted == fold(m.benchmark) for m in table.metrics.values()
            )
            if arms or topic or benchmark:
                found.append((table, arms if len(arms) < len(table.rows) else []))
    return found


def _mentions(row: Row, wanted: str, slugs: set) -> bool:
    if wanted in fold(row.arm):
        return True
    for key, value in row.setting.items():
        if isinstance(value, str) and (
            value in slugs
            or slugs & set(value.split("+"))
            or (len(wanted) > 3 and wanted in fold(value) and key != "training")
        ):
            return True
    return False


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
