"""tables/*.json -> frozen Paper / Table / Row / Metric / Cell values, with provenance.

In: directories of paper files (format 2, tables/README.md; format 1 becomes format 2 first,
format1.py). Out: immutable values, or an `EvidenceError`. Reads only the papers it is asked for.
Does not compare rows (contrasts.py) and does not judge cells (consistency.py).
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..base.reading import EvidenceError, read_json
from .shape import _check_setting

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
        return f"/tables/{self.table.index}/rows/{self.table.rows.index(self.row)}/scores/{escape(self.metric.key)}"


def escape(key: str) -> str:
    """A key as a JSON pointer segment (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape(segment: str) -> str:
    """The key of a JSON pointer segment."""
    return segment.replace("~1", "/").replace("~0", "~")


def _need(value, kind, file: str, pointer: str, what: str):
    if not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
        raise EvidenceError(file, pointer, f"{what} is missing or not {_KINDS[kind]}", "schema")
    return value


_KINDS = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}


def _claims(table: Mapping, file: str, pointer: str) -> tuple[Mapping, ...]:
    claims = _need(table.get("claims", []), list, file, pointer + "/claims", "claims")
    for number, claim in enumerate(claims):
        here = f"{pointer}/claims/{number}"
        _need(claim, dict, file, here, "the claim")
        for key in ("metric", "from", "to"):
            _need(claim.get(key), str, file, f"{here}/{key}", key)
        if isinstance(claim.get("delta"), bool) or not isinstance(claim.get("delta"), (int, float)):
            raise EvidenceError(file, here + "/delta", "delta is not a number", "schema")
    return tuple(claims)


def _family(family, file: str, pointer: str) -> Mapping | None:
    if family is not None:
        _need(family, dict, file, pointer, "family")
        _need(family.get("name"), str, file, pointer + "/name", "the family's name")
        _need(family.get("moves_along"), dict, file, pointer + "/moves_along", "moves_along")
    return family


def _check_doubt(doubt, file: str, pointer: str) -> None:
    if doubt is not None:
        _need(doubt, dict, file, pointer, "doubt")
        if doubt.get("cells") != "*":
            _need(
                doubt.get("cells"),
                list,
                file,
                pointer + "/cells",
                'cells (a list of metrics, or "*")',
            )
        _need(doubt.get("why"), str, file, pointer + "/why", "why")


def _standard_errors(errors, metrics: Mapping, file: str, pointer: str) -> Mapping:
    if errors is None:
        return {}
    for name, value in _need(errors, dict, file, pointer, "scores_se").items():
        if name not in metrics:
            raise EvidenceError(
                file, f"{pointer}/{escape(name)}", f"the table has no metric {name!r}", "metric"
            )
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
            raise EvidenceError(
                file,
                f"{pointer}/{escape(name)}",
                "a standard error is a number from zero",
                "schema",
            )
    return errors


SCORE_TYPES = frozenset((int, float, type(None)))


NOTHING: dict = {}


def _refuse_row(row, file: str, here: str) -> None:
    """Raise the error of a row that has not the shape of one."""
    _need(row, dict, file, here, "the row")
    _need(row.get("arm"), str, file, here + "/arm", "arm")
    _need(row.get("set", {}), dict, file, here + "/set", "set")
    _need(row.get("scores"), dict, file, here + "/scores", "scores")


def _refuse_scores(scores: Mapping, metrics: Mapping, file: str, here: str) -> None:
    """Raise the error of the first score that cannot be one."""
    for name, value in scores.items():
        if type(value) not in SCORE_TYPES:
            raise EvidenceError(
                file, f"{here}/scores/{escape(name)}", "neither a number nor null", "schema"
            )
        if name not in metrics:
            raise EvidenceError(
                file, f"{here}/scores/{escape(name)}", f"the table has no metric {name!r}", "metric"
            )


def _metric(name: str, metric, benchmarks: Mapping, file: str, here: str) -> Metric:
    """One metric of a table; the benchmark's record fills in what it leaves out."""
    _need(metric, dict, file, here, "the metric")
    slug = _need(metric.get("benchmark"), str, file, here + "/benchmark", "the metric's benchmark")
    top = metric.get("max")
    if top is not None and (
        isinstance(top, bool) or not isinstance(top, (int, float)) or not 0 < top < 1e9
    ):
        raise EvidenceError(
            file, here + "/max", f"max {str(top)[:40]!r} is not a positive number", "schema"
        )
    record = benchmarks.get(slug, {})
    return Metric(
        name,
        slug,
        metric.get("split"),
        metric.get("unit"),
        metric.get("max", record.get("max")),
        metric.get("higher_is_better", record.get("higher_is_better", True)),
        tuple(_need(metric.get("mean_of", []), list, file, here + "/mean_of", "mean_of")),
        metric.get("role", "score"),
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
    _need(data, dict, file, "", "the file")
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
    head = _need(data.get("paper"), dict, file, "/paper", "paper")
    key = _need(head.get("key"), str, file, "/paper/key", "the paper's key")
    said = data.get("transcription")
    grade = said.get("grade") if isinstance(said, dict) else None
    tables = []
    for index, table in enumerate(_need(data.get("tables"), list, file, "/tables", "tables")):
        at = f"/tables/{index}"
        _need(table, dict, file, at, "the table")
        for name, kind in (
            ("id", str),
            ("locator", str),
            ("metrics", dict),
            ("rows", list),
            ("setting", dict),
            ("varies", list),
        ):
            _need(table.get(name), kind, file, f"{at}/{name}", name)
        _check_setting(table["setting"], file, "tables", index, "setting")
        metrics = {
            name: _metric(name, metric, benchmarks, file, f"{at}/metrics/{escape(name)}")
            for name, metric in table["metrics"].items()
        }
        rows = []
        for number, row in enumerate(table["rows"]):
            if not trusted and (
                type(row) is not dict
                or type(row.get("arm")) is not str
                or type(row.get("set", NOTHING)) is not dict
                or type(row.get("scores")) is not dict
            ):
                _refuse_row(row, file, f"{at}/rows/{number}")
            arm, own, scores = row["arm"], row.get("set", NOTHING), row["scores"]
            if not trusted and not (
                scores.keys() <= metrics.keys()
                and SCORE_TYPES.issuperset(map(type, scores.values()))
            ):
                _refuse_scores(scores, metrics, file, f"{at}/rows/{number}")
            if own and not trusted:
                _check_setting(own, file, "tables", index, "rows", number, "set")
            if "doubt" in row:
                _check_doubt(row["doubt"], file, f"{at}/rows/{number}/doubt")
            errors = (
                _standard_errors(row["scores_se"], metrics, file, f"{at}/rows/{number}/scores_se")
                if "scores_se" in row
                else NOTHING
            )
            rows.append(
                Row(
                    arm,
                    {**table["setting"], **own},
                    scores,
                    row.get("run"),
                    row.get("doubt"),
                    row.get("scores_std") or {},
                    errors,
                )
            )
        tables.append(
            Table(
                table["id"],
                table.get("paper") or key,
                table.get("arxiv") or head.get("arxiv"),
                table["locator"],
                table.get("topic") or "",
                tuple(table["varies"]),
                table.get("protocol"),
                metrics,
                tuple(rows),
                table.get("notes"),
                table.get("grade") or grade,
                file,
                index,
                _claims(table, file, at),
                _family(table.get("family"), file, f"{at}/family"),
            )
        )
    return Paper(
        key,
        head.get("short") or key,
        head.get("title") or "",
        head.get("authors") or "",
        head.get("year") or 0,
        head.get("arxiv"),
        head.get("venue"),
        data.get("transcription") or {},
        tuple(tables),
        file,
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
