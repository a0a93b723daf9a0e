"""`tables`: one table or all of a paper, the tables that mention a word, the cells that have
several words.

In: the library and words as people write them. Out: tables with rows and metric keys. Prints
nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..evidence.tables import Row, Table
from ..library import Library
from ..terms.axes import COMPONENTS
from ..terms.vocabulary import UnknownName, Vocabulary, fold, nearest


class Asked(NamedTuple):
    """One word: folded, the components that it may be, the benchmarks that it may mean."""

    folded: str
    slugs: set[str]
    benchmarks: set[str]


def asked(word: str, words: Vocabulary) -> Asked:
    """A word, looked up. A task family stands for all its benchmarks."""
    slugs = {words.find(axis, word) for axis in COMPONENTS} - {None}
    benchmarks = {words.find("benchmark", word)} - {None}
    family = words.find("family", word)
    if family and not benchmarks:
        records = words.records("benchmark")
        benchmarks = {key for key, record in records.items() if record["family"] == family}
    return Asked(fold(word), slugs, benchmarks)


def _names(word: Asked, names: set[str]) -> bool:
    """Is a word the name of a paper, or how a longer name begins?"""
    return word.folded in names or (
        any(name.startswith(word.folded) for name in names if len(name) > 3)
    )


def cells(
    library: Library, words: Sequence[str]
) -> list[tuple[Table, list[tuple[Row, list[str]]]]]:
    """Tables with the rows and metrics (that have a number) which have every word: each in the
    paper's name, the table's topic, place or protocol, the row's arm or setting, or the metric's
    benchmark.
    """
    wanted = [asked(word, library.words) for word in words]
    papers = library.papers()
    keys = {fold(paper.key) for paper in papers}
    found = []
    for paper in papers:
        names = {fold(paper.key), fold(paper.short), fold(paper.title)}
        left = [one for one in wanted if not _names(one, names)]
        if any(one.folded in keys and not one.slugs for one in left):
            continue  # that word is another paper
        for table in paper.tables:
            rows = _rows(table, left)
            if rows:
                found.append((table, rows))
    return found


def _rows(table: Table, words: Sequence[Asked]) -> list[tuple[Row, list[str]]]:
    """The rows of a table that have every word, with the metrics that have a number."""
    keys, left = set(table.metrics), []
    for one in words:
        own = {
            key
            for key, metric in table.metrics.items()
            if metric.benchmark in one.benchmarks or one.folded == fold(metric.benchmark)
        }
        keys &= own or keys
        left += [] if own else [one]
    about = [table.topic, table.locator, table.id, table.protocol or "", *table.varies]
    about = [fold(text) for text in about]
    rows = []
    for row in table.rows:
        if all(
            _mentions(row, one.folded, one.slugs)
            or (not one.slugs and any(one.folded in part for part in about))
            for one in left
        ):
            printed = [k for k in table.metrics if k in keys and row.scores.get(k) is not None]
            rows += [(row, printed)] if printed else []
    return rows


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
        raise UnknownName("table", word, near, (t.id for p in papers for t in p.tables))
    return tables


def varying(hits: Sequence[tuple], axes: Sequence[str]) -> list[tuple]:
    """Those hits whose table varies all of these axes."""
    return [hit for hit in hits if set(axes) <= set(hit[0].varies)]


def search(library: Library, word: str = "") -> list[tuple[Table, list[str]]]:
    """Tables that mention a word: in the topic, an arm, a setting (by any spelling of the
    component) or a benchmark. No word: all of them.
    """
    wanted = fold(word)
    slugs = {
        words.find(axis, word) for words in [library.words] for axis in (*COMPONENTS, "benchmark")
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
