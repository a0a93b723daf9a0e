"""tables/*.json -> frozen Paper / Table / Row / Metric / Cell values, with provenance.

In: directories of paper files (format 2, tables/README.md; format 1 becomes format 2 first,
format1.py). Out: immutable values, or an `EvidenceError`. Reads only the papers it is asked for.
Does not compare rows (contrasts.py) and does not judge cells (consistency.py).
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..base.reading import EvidenceError, read_json
from .shape import check_shape

if TYPE_CHECKING:
    from ..terms.vocabulary import Vocabulary

FORMAT = 2
OLDER = 1  # the transcriptions, in the papers' own words: read through format1.py


class Metric(NamedTuple):
    """One column: what was measured, on which split, in which unit, and what role the number
    plays.
    """

    key: str
    benchmark: str
    split: str | None
    unit: str | None
    max: float | None  # the value that means perfect; None where there is none (CIDEr, Elo)
    higher_is_better: bool
    mean_of: tuple[str, ...]  # the parts of a mean, empty for a measurement
    role: str  # score, average, part, cost, statistic, text or difference
    shots: int | None


class Row(NamedTuple):
    """One arm: a trained model (or one model under one inference setting)."""

    arm: str
    setting: Mapping  # the full recipe: the table's setting overlaid with the row's
    scores: Mapping  # metric key -> number as printed, or None for a dash
    run: str | None  # the same training run printed elsewhere has the same name
    # {"cells": [...] or "*", "why": ...}: printed so, but not to be relied on
    doubt: Mapping | None
    std: Mapping  # metric key -> printed deviation over repeated runs
    # metric key -> standard error of the score over its questions, as a harness gives it
    se: Mapping = {}
    # what the words on its training say, as fields (shape.TRAINED); None: nobody has read them
    trained: Mapping | None = None

    @property
    def stages(self) -> Sequence[Mapping]:
        """The stages that its words tell, in their order."""
        return (self.trained or NOTHING).get("stages") or ()


# grade of a transcription -> what it means beside a number
SOURCES = (
    ("readme", "read on the authors' own page"),
    ("two-secondary", "read in two secondary sources, not in the paper"),
    ("one-secondary", "read in one secondary source, not in the paper"),
)


class Table(NamedTuple):
    """One printed table (or figure with printed numbers)."""

    id: str
    paper: str
    arxiv: str | None
    locator: str
    topic: str
    varies: tuple[str, ...]
    protocol: str | None
    metrics: Mapping  # key -> Metric
    rows: tuple[Row, ...]
    notes: str | None
    grade: str | None
    file: str
    index: int  # position in the file, for JSON pointers
    # differences that the paper's text states: {metric, from, to, delta}
    claims: tuple[Mapping, ...] = ()
    # {name, moves_along: {axis: why}}: the rows are sizes of one released family
    family: Mapping | None = None
    # axes that the notes say move together, each a tuple of them
    confounds: tuple[tuple[str, ...], ...] = ()

    @property
    def source(self) -> str | None:
        """Where the cells were read, if not in the paper itself."""
        grade = self.grade or ""
        return next((words for start, words in SOURCES if grade.startswith(start)), None)

    @property
    def second_hand(self) -> str | None:
        """The same where others than the authors printed the cells."""
        return self.source if "secondary" in (self.grade or "") else None


class Paper(NamedTuple):
    """One file: a paper's bibliographic record, how it was transcribed, and its tables."""

    key: str
    short: str  # how people call it: Cambrian-1
    title: str
    authors: str
    year: int
    arxiv: str | None
    venue: str | None
    transcription: Mapping
    tables: tuple[Table, ...]
    file: str


class Cell(NamedTuple):
    """One printed number with everything needed to find it again."""

    table: Table
    row: Row
    metric: Metric
    value: float

    @property
    def pointer(self) -> str:
        """JSON pointer of the cell in its file."""
        return (
            f"/tables/{self.table.index}"
            f"/rows/{self.table.rows.index(self.row)}/scores/{escape(self.metric.key)}"
        )


def escape(key: str) -> str:
    """A key as a JSON pointer segment (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape(segment: str) -> str:
    """The key of a JSON pointer segment."""
    return segment.replace("~1", "/").replace("~0", "~")


NOTHING: dict = {}


def _metric(name: str, metric: Mapping, benchmarks: Mapping) -> Metric:
    """One metric of a table; the benchmark's record fills in what it leaves out."""
    slug = metric["benchmark"]
    record = benchmarks.get(slug, {})
    return Metric(
        name,
        slug,
        metric.get("split"),
        metric.get("unit"),
        metric.get("max", record.get("max")),
        metric.get("higher_is_better", record.get("higher_is_better", True)),
        tuple(metric.get("mean_of") or ()),
        metric.get("role") or "score",
        metric.get("shots"),
    )


def is_older(data) -> bool:
    """Does a parsed file say that it is of format 1?"""
    return (
        isinstance(data, dict)
        and data.get("format") == OLDER
        and not isinstance(data["format"], bool)
    )


def parse_paper(
    data, file: str, benchmarks: Mapping, trusted: bool = False, words: "Vocabulary | None" = None
) -> Paper:
    """One parsed file -> Paper.

    `benchmarks` maps a benchmark's key to its record; it fills in the `max` and direction that a
    metric leaves out. Raises EvidenceError with the JSON pointer of the first thing that has the
    wrong shape. trusted: rows are not looked at for that (what ships was, by `check` and its lock).
    words: names what a file of format 1 holds; without it such a file is refused.
    """
    if not isinstance(data, dict):
        raise EvidenceError(file, "", "the file is missing or not an object", "schema")
    if words is not None and is_older(data):
        from .format1 import converted

        data, trusted = converted(data, words), False
    elif data.get("format") != FORMAT:
        read = f"format {FORMAT}" if is_older(data) else f"formats {OLDER} and {FORMAT}"
        raise EvidenceError(
            file,
            "/format",
            f"format {repr(data.get('format'))[:20]}: {'here ' * is_older(data)}this program reads"
            f" {read}",
            "schema",
        )
    if not trusted:
        check_shape(data, file)
    head, said = data["paper"], data.get("transcription") or {}
    return Paper(
        head["key"],
        head.get("short") or head["key"],
        head.get("title") or "",
        head.get("authors") or "",
        head.get("year") or 0,
        head.get("arxiv"),
        head.get("venue"),
        said,
        tuple(
            _table(table, index, head, said.get("grade"), file, benchmarks)
            for index, table in enumerate(data["tables"])
        ),
        file,
    )


def _table(
    table: Mapping, index: int, head: Mapping, grade: str | None, file: str, benchmarks: Mapping
) -> Table:
    """One table of a file whose shape is known to be right."""
    setting, shared = table["setting"], table.get("trained")
    rows = [
        Row(
            row["arm"],
            {**setting, **(row.get("set") or NOTHING)},
            row["scores"],
            row.get("run"),
            row.get("doubt"),
            row.get("scores_std") or NOTHING,
            row.get("scores_se") or NOTHING,
            row.get("trained", shared),
        )
        for row in table["rows"]
    ]
    return Table(
        table["id"],
        table.get("paper") or head["key"],
        table.get("arxiv") or head.get("arxiv"),
        table["locator"],
        table.get("topic") or "",
        tuple(table["varies"]),
        table.get("protocol"),
        {name: _metric(name, metric, benchmarks) for name, metric in table["metrics"].items()},
        tuple(rows),
        table.get("notes"),
        table.get("grade") or grade,
        file,
        index,
        tuple(table.get("claims") or ()),
        table.get("family"),
        tuple(map(tuple, table.get("confounds") or ())),
    )


def paper_files(directory) -> list[str]:
    """The paper files of one directory, by name (registry/ and derived files apart)."""
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        raise EvidenceError(directory, "", f"cannot be read: {error.strerror}", "file") from None
    return [os.path.join(directory, name) for name in names if name.endswith(".json")]


def load_papers(
    directories: Sequence,
    benchmarks: Mapping,
    keys: Sequence[str] | None = None,
    *,
    shipped=None,
    words: "Vocabulary | None" = None,
) -> Iterator[Paper]:
    """Yield the papers of several directories (only those named in `keys`, if given).

    `shipped` is the directory that comes with the program: its files are parsed without the checks
    against hostile input. The same table id in two files is an error. words: as in parse_paper.
    """
    seen: dict[str, str] = {}
    for directory in directories:
        for path in paper_files(directory):
            if keys is not None and os.path.basename(path)[:-5] not in keys:
                continue
            trusted = shipped is not None and os.path.samefile(directory, shipped)
            paper = parse_paper(
                read_json(path, root=directory, trusted=trusted), path, benchmarks, trusted, words
            )
            for table in paper.tables:
                if table.id in seen:
                    raise EvidenceError(
                        path,
                        f"/tables/{table.index}/id",
                        f"the table id {table.id!r} stands in {seen[table.id]} too",
                        "unique",
                    )
                seen[table.id] = path
            yield paper
