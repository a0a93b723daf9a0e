"""`tables`: list papers, show one table or paper, find a word in tables, arms and settings.

In: the library and what was asked. Out: text or JSON through the printers that cli.py hands over.
"""
from collections.abc import Callable

from ..evidence.tables import Paper, Row, Table
from ..evidence.vocabulary import UnknownName, fold, nearest
from ..library import Library
from . import terminal, text
from .jsonable import number


def run(action: str, word: str | None, library: Library, style: text.Style, show: Callable | None, out: Callable[[str], None]) -> int:
    """Carry out one action; `show` prints JSON when it is given."""
    if action == "list":
        papers = library.papers()
        show({"papers": [paper_json(p) for p in papers]}) if show else out(terminal.tables_text(papers, style))
        return 0
    if action == "show":
        found = find_tables(library, word or "")
        if show:
            show({"tables": [table_json(t) for t in found]})
        else:
            out("\n\n".join(terminal.table_text(t, style) for t in found))
        return 0
    hits = search(library, word or "")
    if show:
        show({"word": word, "hits": [{"table": t.id, "arxiv": t.arxiv, "locator": t.locator, "topic": t.topic, "arms": arms} for t, arms in hits]})
    elif hits:
        rows = [[t.id, text.clean(t.locator), text.clean(", ".join(arms) or t.topic)] for t, arms in hits]
        out("\n".join(text.table(["table", "place", "arms or topic"], rows, "lll", style, 1, 2, 0)))
    else:
        out(f"no table, arm or setting has {text.clean(word or '')!r}")
    return 0 if hits else 1


def find_tables(library: Library, word: str) -> list[Table]:
    """The table with this id, or all tables of the paper with this key. Raises UnknownName."""
    papers = library.papers()
    known = {t.id.lower(): t.id for p in papers for t in p.tables} | {name.lower(): p.key for p in papers for name in (p.key, p.short)}
    word = known.get(word.lower(), word)
    key = word.split(".")[0]
    tables = [t for p in papers for t in p.tables if t.id == word] or [t for p in papers if p.key == word for t in p.tables]
    if not tables:
        ids = {fold(t.id): t.id for p in papers for t in p.tables} | {fold(p.key): p.key for p in papers}
        near = [t.id for p in papers if p.key == key for t in p.tables][:3] or nearest(word, ids)
        raise UnknownName("table", word, near)
    return tables


def search(library: Library, word: str) -> list[tuple[Table, list[str]]]:
    """Tables that mention a word: in the topic, an arm, a setting (by any spelling of the component) or a benchmark."""
    wanted = fold(word)
    slugs = {words.find(axis, word) for words in [library.words] for axis in ("encoder", "connector", "llm", "data", "benchmark")} - {None}
    found = []
    for paper in library.papers():
        for table in paper.tables:
            arms = [row.arm for row in table.rows if _mentions(row, wanted, slugs)]
            topic = wanted in fold(table.topic) or wanted in fold(table.id)
            benchmark = any(m.benchmark in slugs or wanted == fold(m.benchmark) for m in table.metrics.values())
            if arms or topic or benchmark:
                found.append((table, arms if len(arms) < len(table.rows) else []))
    return found


def _mentions(row: Row, wanted: str, slugs: set) -> bool:
    if wanted in fold(row.arm):
        return True
    for key, value in row.setting.items():
        if isinstance(value, str) and (value in slugs or slugs & set(value.split("+")) or (len(wanted) > 3 and wanted in fold(value) and key != "training")):
            return True
    return False


def paper_json(paper: Paper) -> dict:
    """A paper's record, with counts."""
    return {"paper": paper.key, "title": paper.title, "authors": paper.authors, "year": paper.year, "arxiv": paper.arxiv,
            "tables": [t.id for t in paper.tables], "rows": sum(len(t.rows) for t in paper.tables),
            "cells": sum(v is not None for t in paper.tables for r in t.rows for v in r.scores.values())}


def table_json(table: Table) -> dict:
    """A whole table as it is stored, with full settings per row."""
    return {"id": table.id, "paper": table.paper, "arxiv": table.arxiv, "locator": table.locator, "topic": table.topic,
            "varies": list(table.varies), "protocol": table.protocol, "notes": table.notes,
            "metrics": {k: {"benchmark": m.benchmark, "split": m.split, "unit": m.unit, "max": number(m.max), "higher_is_better": m.higher_is_better,
                            "role": m.role, "mean_of": list(m.mean_of)} for k, m in table.metrics.items()},
            "rows": [{"arm": r.arm, "setting": {k: v for k, v in r.setting.items() if v is not None}, "scores": dict(r.scores), "run": r.run,
                      "doubt": r.doubt} for r in table.rows]}
