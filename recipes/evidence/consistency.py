"""The checks behind `check`: what a careful reviewer would find wrong in a table file.

In: the text of files and the vocabulary. Out: Problems, each with file, JSON pointer and rule. A
finding that the table itself accepts (`accepted`: rule, pointer inside the table, why) is not a
problem. Does not print or change files.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..base.reading import EvidenceError, read_json
from ..terms.vocabulary import Vocabulary, collisions
from . import lock, reprints
from .mixes import check_mixes
from .registries import check_licences
from .reports import check_reports
from .rules import ARXIV, OTHER_RULES, RULES
from .tables import Paper, Row, Table, is_older, paper_files, parse_paper


class Problem(NamedTuple):
    """One finding. severity: error or warning."""

    file: str
    pointer: str
    rule: str
    severity: str
    message: str


class Report(NamedTuple):
    """All findings of one run, what was looked at, and what the tables accept."""

    tables: int
    rows: int
    cells: int
    problems: tuple[Problem, ...]
    accepted: tuple[Problem, ...]
    papers: tuple[Paper, ...] = ()  # what was read
    digests: Mapping[str, str] = {}  # table id -> digest, as the lock and the stored fit hold it

    @property
    def ok(self) -> bool:
        return not any(problem.severity == "error" for problem in self.problems)


NAMED_BY_HAND = " (format 1: the file's own name stays)"


def explain(rule: str) -> str | None:
    """What a rule checks, or None for an unknown rule."""
    if rule in RULES:
        return " ".join((RULES[rule][0].__doc__ or "").split())
    return OTHER_RULES.get(rule)


def expand(paths: Sequence[str]) -> list[tuple[str, str]]:
    """(file, directory it must lie in) for files and directories. Raises EvidenceError for a path
    that is not there.
    """
    out: dict[str, tuple[str, str]] = {}
    for path in paths:
        if os.path.isdir(path):
            found = [(name, path) for name in paper_files(path)]
        elif os.path.lexists(path):
            found = [(path, os.path.dirname(path) or ".")]
        else:
            raise EvidenceError(path, "", "no such file or directory", "file")
        for name, root in found:  # a file named twice is checked once
            out.setdefault(os.path.abspath(name), (name, root))
    return list(out.values())


def check(paths: Sequence[str], words: Vocabulary, *, locked: bool = True) -> Report:
    """Check table files and directories of them: each table alone, against the others, and against
    the lock of its directory.

    `locked`: compare with the lock (a directory without one has nothing to compare).
    """
    run = _Run(words, locked)
    for path, root in expand(paths):
        run.file(path, root)
    whole = {os.path.abspath(path) for path in paths if os.path.isdir(path)}
    for root, held in run.locks.items():
        if held and os.path.abspath(root) in whole:
            for name in sorted(set(held) - set(run.ids)):
                place = os.path.join(root, lock.NAME)
                run.problem(place, f"/tables/{name}", "lock", f"the table {name!r} is gone")
    tables = [table for paper in run.papers for table in paper.tables]
    for rule, severity, table, (pointer, message) in reprints.across(tables):
        run.report(table, rule, severity, pointer, message)
    return Report(
        len(tables),
        sum(len(table.rows) for table in tables),
        sum(v is not None for table in tables for row in table.rows for v in row.scores.values()),
        tuple(run.problems),
        tuple(run.accepted),
        tuple(run.papers),
        run.digests,
    )


class _Run:
    """One run of `check`: what it has read and found so far."""

    def __init__(self, words: Vocabulary, locked: bool):
        self.words, self.locked = words, locked
        self.problems: list[Problem] = []
        self.accepted: list[Problem] = []
        self.papers: list[Paper] = []
        self.digests: dict[str, str] = {}
        self.ids: dict[str, str] = {}  # table id -> file
        self.locks: dict[str, dict | None] = {}
        # table id -> exceptions that it records
        self.known: dict[str, dict[tuple[str, str], str]] = {}
        # files of format 1: several hands named things there
        self.older: set[str] = set()

    def problem(self, file: str, pointer: str, rule: str, message: str) -> None:
        self.problems.append(Problem(file, pointer, rule, "error", message))

    def report(self, table: Table, rule: str, severity: str, pointer: str, message: str) -> None:
        """A finding inside a table: a problem, or one of the exceptions that it accepts."""
        if rule == "name" and table.file in self.older:
            severity, message = "warning", message + NAMED_BY_HAND
        problem = Problem(table.file, f"/tables/{table.index}{pointer}", rule, severity, message)
        why = self.known[table.id].get((rule, pointer))
        if why is None:
            self.problems.append(problem)
        else:
            self.accepted.append(problem._replace(message=f"{message} (accepted: {why})"))

    def file(self, path: str, root: str) -> None:
        """Read and check one file."""
        try:
            data = read_json(path, root=root)
            paper = parse_paper(data, path, self.words.records("benchmark"), words=self.words)
        except EvidenceError as error:
            self.problem(error.file, error.pointer, error.rule, error.message)
            return
        if is_older(data):
            self.older.add(path)
        if paper.arxiv is not None and not ARXIV.fullmatch(str(paper.arxiv)):
            message = f"{str(paper.arxiv)[:40]!r} is not an arXiv id (as in 2403.09611)"
            self.problem(path, "/paper/arxiv", "arxiv", message)
        self.papers.append(paper)
        for table, raw in zip(paper.tables, data["tables"]):
            self.table(table, raw, root)

    def table(self, table: Table, raw: Mapping, root: str) -> None:
        """Check one table alone and against its lock."""
        if table.id in self.ids:
            message = f"the table id {table.id[:60]!r} stands in {self.ids[table.id]} too"
            self.problem(table.file, f"/tables/{table.index}/id", "unique", message)
        self.ids.setdefault(table.id, table.file)
        self.known[table.id], bad = _accepted(raw, table.file, table)
        self.problems += bad
        self.digests[table.id] = lock.table_digest(raw)
        if self.locked:
            if root not in self.locks:
                self.locks[root] = read_lock(root, self.problems)
            held = self.locks[root]
            if held is not None:
                self.problems += _against_lock(raw, table, held, self.digests[table.id])
        found = set()
        for rule, (function, severity) in RULES.items():
            for pointer, message in function(table, self.words):
                found.add((rule, pointer))
                self.report(table, rule, severity, pointer, message)
        for number, (rule, pointer) in enumerate(self.known[table.id]):
            if rule in RULES and (rule, pointer) not in found:
                message = f"{rule} finds nothing at {pointer or '/'}: the exception can go"
                place = f"/tables/{table.index}/accepted/{number}"
                self.problems.append(Problem(table.file, place, "accepted", "warning", message))


def read_lock(directory: str, problems: list[Problem]) -> dict | None:
    """The locked tables of a directory (id -> entry), or None where there is no lock. A broken one
    is a problem.
    """
    path = os.path.join(directory, lock.NAME)
    if not os.path.lexists(path):
        return None
    try:
        tables = read_json(path, root=directory).get("tables")
        if all(
            isinstance(held["digest"], str)
            and all(len(row) == 3 for row in held["rows"])
            and held["metrics"] is not None
            for held in tables.values()
        ):
            return tables
        raise EvidenceError(path, "/tables", "not a lock", "lock")
    except EvidenceError as error:
        problems.append(Problem(error.file, error.pointer, "lock", "error", error.message))
    except (AttributeError, KeyError, TypeError):
        problems.append(
            Problem(path, "/tables", "lock", "error", "not a lock: `check --lock` writes one")
        )
    return None


def _against_lock(raw: Mapping, table: Table, held: Mapping, digest: str) -> list[Problem]:
    if digest == held.get(table.id, {}).get("digest"):
        return []
    if table.id not in held:
        return [
            Problem(
                table.file,
                f"/tables/{table.index}",
                "lock",
                "error",
                f"the table {table.id[:60]!r} is not locked yet (`check --lock` accepts it)",
            )
        ]
    return [
        Problem(
            table.file,
            f"/tables/{table.index}{pointer}",
            "lock",
            "error",
            f"{message} (`check --lock` accepts it)",
        )
        for pointer, message in lock.changes(raw, held[table.id])
    ]


def lock_text(directory: str, words: Vocabulary) -> str:
    """The text of a new lock for a directory. Raises EvidenceError when a file cannot be read."""
    tables = {}
    for path in paper_files(directory):
        data = read_json(path, root=directory)
        parse_paper(data, path, words.records("benchmark"), words=words)
        tables.update({raw["id"]: raw for raw in data["tables"]})
    return lock.text(tables)


def _accepted(
    raw: Mapping, path: str, table: Table
) -> tuple[dict[tuple[str, str], str], list[Problem]]:
    """The exceptions a table records: (rule, pointer inside the table) -> why; and badly recorded
    ones.
    """
    out: dict[tuple[str, str], str] = {}
    bad = []
    entries = raw.get("accepted") or []
    for number, entry in enumerate(entries if isinstance(entries, list) else [None]):
        if not (
            isinstance(entry, dict)
            and entry.get("rule") in (*RULES, *reprints.ACROSS)
            and isinstance(entry.get("at"), str)
            and entry.get("why")
        ):
            bad.append(
                Problem(
                    path,
                    f"/tables/{table.index}/accepted/{number}",
                    "accepted",
                    "error",
                    "an accepted exception needs rule, at (pointer inside the table) and why",
                )
            )
            continue
        out[entry["rule"], entry["at"]] = str(entry["why"])
    return out, bad


def check_registry(words: Vocabulary) -> list[Problem]:
    """Spellings that mean two things, what does not fit in the data mixes, and reports of costs
    that do not say what they must.
    """
    out = [
        Problem(
            os.path.join(words.directory, "registry", "data_mixes.json"),
            finding.pointer,
            finding.rule,
            "warning" if finding.rule == "accepted" else "error",
            finding.message,
        )
        for finding in check_mixes(words.mixes, words)
    ]
    for kind, file in (
        ("encoder", "components"),
        ("connector", "components"),
        ("llm", "components"),
        ("data", "components"),
        ("benchmark", "benchmarks"),
        ("hardware", "hardware"),
    ):
        records: Iterable[Mapping] = words.records(kind).values()
        for spelling, one, other in collisions(records, "key" if kind == "benchmark" else "slug"):
            out.append(
                Problem(
                    os.path.join(words.directory, "registry", file + ".json"),
                    "",
                    "alias",
                    "error",
                    f"{kind}: {spelling!r} names both {one} and {other}",
                )
            )
    for name, rule, found in (
        ("cost_reports", "report", check_reports(words)),
        ("licences", "licence", check_licences(words)),
    ):
        file = os.path.join(words.directory, "registry", name + ".json")
        out += [Problem(file, pointer, rule, "error", message) for pointer, message in found]
    return out


__all__ = ["Paper", "Problem", "Report", "Row", "check", "check_registry", "explain"]
