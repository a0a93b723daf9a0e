"""`check`: run the consistency rules and print what they found, as text, JSON or workflow commands.

In: the library and paths. Out: a Report and its renderings.
"""

import os
from collections.abc import Sequence

from ..answers import claims
from ..asking import language
from ..base.reading import EvidenceError, line_of, read_text
from ..base.wording import clean
from ..base.write import write_text
from ..claims.assertions import read_claims, shipped_path
from ..effects.store import PATH, evidence_digest, stored_digest
from ..evidence import consistency
from ..evidence.consistency import Problem, Report
from ..evidence.registries import check_guide
from ..evidence.tables import Paper, paper_files
from ..library import Library
from .text import Style, wrap

explain = consistency.explain


def rules() -> list[str]:
    """All rule names."""
    return sorted([*consistency.RULES, *consistency.OTHER_RULES])


def run(library: Library, paths: list[str]) -> Report:
    """Check the given paths, or the published tables with their registry and stored fit."""
    if paths:
        return consistency.check(paths, library.published_words)
    report = consistency.check([library.shipped], library.published_words)
    problems = list(report.problems) + consistency.check_registry(library.published_words)
    if stored_digest(library.shipped) != evidence_digest(library.shipped, report.digests):
        problems.append(
            Problem(
                os.path.join(library.shipped, *PATH),
                "/evidence",
                "derived",
                "error",
                "the stored fit was made from other tables: run `python3 main.py fit`",
            )
        )
    whole = len(report.papers) == len(paper_files(library.shipped))
    claimed = claim_problems(library, report.papers) if whole else []
    claimed += guide_problems(library, report.papers) if whole else []
    return report._replace(problems=(*problems, *claimed, *language_problems(library)))


def guide_problems(library: Library, papers: Sequence[Paper]) -> list[Problem]:
    """What the agent skill is made of, where it names what is not there."""
    path = os.path.join(library.shipped, "registry", "guide.json")
    tables = {table.id: table for paper in papers for table in paper.tables}
    found = check_guide(library.words, tables)
    return [Problem(path, pointer, "guide", "error", message) for pointer, message in found]


def language_problems(library: Library) -> list[Problem]:
    """Words of questions that mean two things, or nothing."""
    path = os.path.join(library.shipped, "registry", "language.json")
    try:
        found = language.problems(library.published_words.registry("language"))
        return [Problem(path, "/" + place, "language", "error", says) for place, says in found]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return [Problem(path, "", "language", "error", f"cannot be read as a language: {error}")]


def claim_problems(library: Library, papers: Sequence[Paper] | None = None) -> list[Problem]:
    """Claims whose selectors name nothing, and a claims file that cannot be read. papers: all that
    ship, where they were read already.
    """
    path = shipped_path(library.shipped)
    papers = library.papers(shipped_only=True) if papers is None else papers
    try:
        found = claims.strange(library, read_claims(path), papers)
        return [Problem(path, pointer, "audit", "error", message) for pointer, message in found]
    except EvidenceError as error:
        return [Problem(error.file, error.pointer, "audit", "error", error.message)]


def lock(library: Library, folder: str) -> dict:
    """Write the lock of a folder; what it accepts, as lines."""
    before = consistency.check([folder], library.published_words)
    path = os.path.join(folder, consistency.lock.NAME)
    text = consistency.lock_text(folder, library.published_words)
    write_text(path, text)
    return {
        "file": _short(path),
        "tables": before.tables,
        "changes": [
            clean(
                f"{_short(p.file)}#{p.pointer}:"
                f" {p.message.removesuffix(' (`check --lock` accepts it)')}"
            )
            for p in before.problems
            if p.rule == "lock"
        ],
    }


def _short(path: str) -> str:
    relative = os.path.relpath(path)
    return clean(path if relative.startswith("..") else relative)


def as_json(report: Report, accepted: bool = False) -> dict:
    """The contract's JSON; with the accepted exceptions if they are asked for."""
    entry = lambda p: {
        "file": _short(p.file),
        "pointer": p.pointer,
        "rule": p.rule,
        "severity": p.severity,
        "message": clean(p.message),
    }
    return {
        "ok": report.ok,
        "tables": report.tables,
        "rows": report.rows,
        "cells": report.cells,
        "problems": [entry(p) for p in report.problems],
        **({"accepted": [entry(p) for p in report.accepted]} if accepted else {}),
    }


def _line(problem: Problem) -> int:
    try:
        return line_of(read_text(problem.file), problem.pointer)
    except EvidenceError:
        return 1


def as_text(report: Report, form: str, accepted: bool, style: Style) -> str:
    """Findings for people, or (github) as workflow commands that annotate the line of the cell."""
    lines = []
    if form == "github":
        for p in report.problems:
            level = "error" if p.severity == "error" else "warning"
            message = clean(p.message).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
            lines.append(
                f"::{level} file={_short(p.file)},line={_line(p)},title={p.rule}::{message}"
                f" ({p.pointer})"
            )
        return "\n".join(lines) or "no findings"
    for p in report.accepted if accepted else ():
        lines += wrap(
            f"accepted: {_short(p.file)}#{p.pointer}: {p.rule}: {p.message}", style, hang="  "
        )
    for p in report.problems:
        text = (
            f"{p.severity}: {_short(p.file)}{'#' + p.pointer if p.pointer else ''}: {p.rule}:"
            f" {p.message}"
        )
        lines += [
            style.paint(line, "red" if p.severity == "error" else "yellow")
            for line in wrap(text, style, hang="  ")
        ]
    lines += wrap(
        f"{report.tables} tables, {report.rows} rows, {report.cells} cells: "
        + (
            "clean"
            if not report.problems
            else f"{len(report.problems)} finding{'s' if len(report.problems) != 1 else ''}"
        )
        + (
            f" ({len(report.accepted)} accepted exceptions: --accepted)"
            if report.accepted and not accepted
            else ""
        ),
        style,
        hang="  ",
    )
    return "\n".join(lines)
