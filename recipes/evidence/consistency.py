"""The checks behind `check`: what a careful reviewer would find wrong in a table file.

In: the text of files and the vocabulary. Out: Problems, each with file, JSON pointer and rule. A finding that the
table itself accepts (`accepted`: rule, pointer inside the table, why) is not a problem. Does not print or change files.
"""
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .reading import EvidenceError, read_json
from .tables import Paper, Row, Table, escape, paper_files, parse_paper
from .vocabulary import UnknownName, Vocabulary, collisions, fold, nearest


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

    @property
    def ok(self) -> bool:
        return not any(problem.severity == "error" for problem in self.problems)


AXES = ("encoder", "connector", "llm", "data")
VARIES = (*AXES, "resolution", "visual_tokens", "training", "architecture", "whole systems")
ROLES = ("score", "average", "part", "cost", "statistic", "text", "difference")
ARXIV = re.compile(r"\d{4}\.\d{4,5}(v\d+)?")

Found = tuple[str, str]  # JSON pointer inside the table, message


def check_arxiv(table: Table, words: Vocabulary) -> Iterator[Found]:
    """An arXiv id looks like 2403.09611."""
    if table.arxiv is not None and not ARXIV.fullmatch(str(table.arxiv)):
        yield "/arxiv", f"{str(table.arxiv)[:40]!r} is not an arXiv id (as in 2403.09611)"


def check_names(table: Table, words: Vocabulary) -> Iterator[Found]:
    """Components, benchmarks, setting keys and roles are names that the registry knows."""
    keys = words.records("setting")
    for name in table.varies:
        if name not in VARIES:
            yield "/varies", f"unknown axis {name[:40]!r} (known: {', '.join(VARIES)})"
    for name, metric in table.metrics.items():
        at = f"/metrics/{escape(name)}"
        if metric.benchmark not in words.records("benchmark"):
            yield at + "/benchmark", str(UnknownName("benchmark", metric.benchmark, nearest(metric.benchmark, words.spellings("benchmark"))))
        if metric.role not in ROLES:
            yield at + "/role", f"unknown role {str(metric.role)[:40]!r} (known: {', '.join(ROLES)})"
    seen: set[tuple] = set()
    for number, row in enumerate(table.rows):
        for key, value in row.setting.items():
            if key not in keys:
                if ("key", key) not in seen:
                    seen.add(("key", key))
                    near = nearest(key, {fold(k): k for k in keys})
                    yield f"/rows/{number}/set", f"unknown setting {key[:40]!r}{'; nearest known: ' + ', '.join(near) if near else ''}"
            elif key in AXES and value is not None and (key, value) not in seen:
                seen.add((key, value))
                yield from ((f"/rows/{number}/set/{key}", message) for message in _component(key, value, words))
            elif key == "resolution" and isinstance(value, str) and value not in words.records("resolution") and (key, value) not in seen:
                seen.add((key, value))
                yield f"/rows/{number}/set/{key}", f"unknown resolution strategy {value[:40]!r} (pixels, or a name of registry/components.json)"


def _component(axis: str, value, words: Vocabulary) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{axis} is not a text"
        return
    parts = value.split("+") if axis == "encoder" else [value]
    for part in parts:
        if part not in words.records(axis):
            known = words.find(axis, part)
            yield (f"{axis} {part[:60]!r} should be written {known!r}" if known
                   else str(UnknownName(axis, part, nearest(part, words.spellings(axis)))))
    if sorted(parts) != parts:
        yield f"the fused encoder {value[:60]!r} should be written {'+'.join(sorted(parts))!r}"


def check_range(table: Table, words: Vocabulary) -> Iterator[Found]:
    """A score lies between zero and the metric's maximum; no score is negative (differences apart)."""
    for number, row in enumerate(table.rows):
        for key, value in row.scores.items():
            metric = table.metrics[key]
            if value is None or metric.role == "difference":
                continue
            if not math.isfinite(value) or value < 0 or (metric.max is not None and value > metric.max):
                top = f" and {metric.max:g}" if metric.max is not None else " and above"
                yield f"/rows/{number}/scores/{escape(key)}", f"{value:g} lies outside 0{top}"


def decimals(value: float) -> int:
    """Digits behind the point as printed (repr keeps what JSON had)."""
    text = repr(value)
    return 0 if "e" in text or "." not in text or text.endswith(".0") else len(text.partition(".")[2])


def check_mean(table: Table, words: Vocabulary) -> Iterator[Found]:
    """A printed mean is the mean of its printed parts (each brought to a scale of 100), up to rounding."""
    for key, metric in table.metrics.items():
        parts = [part.partition("/")[0] for part in metric.mean_of]
        if not parts or any(part not in table.metrics for part in parts):
            continue
        column = [row.scores.get(key) for row in table.rows]
        printed = max((decimals(value) for value in column if value is not None), default=0)
        for number, row in enumerate(table.rows):
            value = row.scores.get(key)
            values = [row.scores.get(part) for part in parts]
            if value is None or any(v is None for v in values):
                continue
            total = slack = 0.0
            for part, v in zip(parts, values):
                top = table.metrics[part].max
                scale = 100.0 / top if top else 1.0
                total += v * scale
                slack += 0.5 * 10.0 ** -max(decimals(x) for x in (r.scores.get(part) for r in table.rows) if x is not None) * scale
            mean = total / len(parts)
            tolerance = 0.5 * 10.0 ** -printed + slack / len(parts) + 1e-9
            if abs(mean - value) > tolerance:
                yield f"/rows/{number}/scores/{escape(key)}", f"printed {value:g}, but its {len(parts)} parts average {mean:.3f}"


def check_duplicate(table: Table, words: Vocabulary) -> Iterator[Found]:
    """No arm stands twice with the same setting."""
    seen: dict[tuple, int] = {}
    for number, row in enumerate(table.rows):
        key = (row.arm, tuple(sorted((k, str(v)) for k, v in row.setting.items())))
        if key in seen:
            yield f"/rows/{number}", f"the arm {row.arm[:60]!r} stands at /rows/{seen[key]} already, with the same setting"
        seen.setdefault(key, number)


def check_unused(table: Table, words: Vocabulary) -> Iterator[Found]:
    """Every metric has a value in some row."""
    for key in table.metrics:
        if all(row.scores.get(key) is None for row in table.rows):
            yield f"/metrics/{escape(key)}", "no row has a value for this metric"


# rule -> (check of one table, severity). The docstring is the explanation.
RULES: Mapping[str, tuple[Callable[[Table, Vocabulary], Iterator[Found]], str]] = {
    "arxiv": (check_arxiv, "error"),
    "name": (check_names, "error"),
    "range": (check_range, "error"),
    "mean": (check_mean, "error"),
    "duplicate": (check_duplicate, "error"),
    "unused": (check_unused, "warning"),
}
OTHER_RULES = {
    "file": "The file can be read: a regular file, not too large, not a link out of the directory.",
    "encoding": "UTF-8 without a byte-order mark.",
    "json": "Well-formed JSON: no key twice, no NaN or Infinity, no deep nesting, no endless numbers.",
    "schema": "The keys that every table has are there and of the right kind.",
    "metric": "Every score belongs to a metric of its table.",
    "unique": "A table id stands once in all files.",
    "alias": "A spelling of a registry names one thing.",
    "derived": "The stored fit was made from the evidence as it is now (`fit` makes it anew).",
    "accepted": "An exception that a table records names a rule and says why.",
}


def explain(rule: str) -> str | None:
    """What a rule checks, or None for an unknown rule."""
    if rule in RULES:
        return " ".join((RULES[rule][0].__doc__ or "").split())
    return OTHER_RULES.get(rule)


def expand(paths: Sequence[str]) -> list[tuple[str, str]]:
    """(file, directory it must lie in) for files and directories. Raises EvidenceError for a path that is not there."""
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


def check(paths: Sequence[str], words: Vocabulary) -> Report:
    """Check table files and directories of them."""
    problems: list[Problem] = []
    accepted: list[Problem] = []
    ids: dict[str, str] = {}
    tables = rows = cells = 0
    for path, root in expand(paths):
        try:
            data = read_json(path, root=root)
            paper = parse_paper(data, path, words.records("benchmark"))
        except EvidenceError as error:
            problems.append(Problem(error.file, error.pointer, error.rule, "error", error.message))
            continue
        if paper.arxiv is not None and not ARXIV.fullmatch(str(paper.arxiv)):
            problems.append(Problem(path, "/paper/arxiv", "arxiv", "error", f"{str(paper.arxiv)[:40]!r} is not an arXiv id (as in 2403.09611)"))
        for table, raw in zip(paper.tables, data["tables"]):
            tables += 1
            rows += len(table.rows)
            cells += sum(value is not None for row in table.rows for value in row.scores.values())
            if table.id in ids:
                problems.append(Problem(path, f"/tables/{table.index}/id", "unique", "error",
                                        f"the table id {table.id[:60]!r} stands in {ids[table.id]} too"))
            ids.setdefault(table.id, path)
            known, bad = _accepted(raw, path, table)
            problems += bad
            for rule, (function, severity) in RULES.items():
                for pointer, message in function(table, words):
                    problem = Problem(path, f"/tables/{table.index}{pointer}", rule, severity, message)
                    why = known.get((rule, pointer))
                    if why is None:
                        problems.append(problem)
                    else:
                        accepted.append(problem._replace(message=f"{message} (accepted: {why})"))
    return Report(tables, rows, cells, tuple(problems), tuple(accepted))


def _accepted(raw: Mapping, path: str, table: Table) -> tuple[dict[tuple[str, str], str], list[Problem]]:
    """The exceptions a table records: (rule, pointer inside the table) -> why; and badly recorded ones."""
    out: dict[tuple[str, str], str] = {}
    bad = []
    entries = raw.get("accepted") or []
    for number, entry in enumerate(entries if isinstance(entries, list) else [None]):
        if not (isinstance(entry, dict) and entry.get("rule") in RULES and isinstance(entry.get("at"), str) and entry.get("why")):
            bad.append(Problem(path, f"/tables/{table.index}/accepted/{number}", "accepted", "error",
                               "an accepted exception needs rule, at (pointer inside the table) and why"))
            continue
        out[entry["rule"], entry["at"]] = str(entry["why"])
    return out, bad


def check_registry(words: Vocabulary) -> list[Problem]:
    """Spellings that mean two things."""
    out = []
    for kind, file in (("encoder", "components"), ("connector", "components"), ("llm", "components"), ("data", "components"),
                       ("benchmark", "benchmarks"), ("hardware", "hardware")):
        records: Iterable[Mapping] = words.records(kind).values()
        for spelling, one, other in collisions(records, "key" if kind == "benchmark" else "slug"):
            out.append(Problem(os.path.join(words.directory, "registry", file + ".json"), "", "alias", "error",
                               f"{kind}: {spelling!r} names both {one} and {other}"))
    return out


__all__ = ["Paper", "Problem", "Report", "Row", "check", "check_registry", "explain"]
