"""What must hold inside one table: each rule a function of the table, its docstring the
explanation.

In: a Table and the vocabulary. Out: findings, each a JSON pointer inside the table and a message.
Rules about names and ranges stand here; rules that use a table's own redundancy are redundancy.py.
Does not read files or decide what is accepted.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from ..terms.axes import COMPONENTS
from ..terms.names import nearest_known
from ..terms.vocabulary import UnknownName, Vocabulary, nearest
from . import mixes, redundancy, reprints
from .redundancy import Found, decimals
from .tables import Table, escape

VARIES = (*COMPONENTS, "resolution", "visual_tokens", "training", "architecture", "whole systems")
ROLES = ("score", "average", "part", "cost", "statistic", "text", "difference")
ARXIV = re.compile(r"\d{4}\.\d{4,5}(v\d+)?")


def check_arxiv(table: Table, words: Vocabulary) -> Iterator[Found]:
    """An arXiv id looks like 2403.09611."""
    if table.arxiv is not None and not ARXIV.fullmatch(str(table.arxiv)):
        yield "/arxiv", f"{str(table.arxiv)[:40]!r} is not an arXiv id (as in 2403.09611)"


def check_names(table: Table, words: Vocabulary) -> Iterator[Found]:
    """Components, benchmarks, setting keys and roles are names that the registry knows."""
    keys = words.records("setting")
    confounds = ((f"/confounds/{number}", axes) for number, axes in enumerate(table.confounds))
    for at, axes in (("/varies", table.varies), *confounds):
        for name in axes:
            if name not in VARIES:
                yield at, f"unknown axis {name[:40]!r} (known: {', '.join(VARIES)})"
    for name, metric in table.metrics.items():
        at = f"/metrics/{escape(name)}"
        if metric.benchmark not in words.records("benchmark"):
            yield (
                at + "/benchmark",
                str(
                    UnknownName(
                        "benchmark",
                        metric.benchmark,
                        nearest(metric.benchmark, words.spellings("benchmark")),
                    )
                ),
            )
        if metric.role not in ROLES:
            yield (
                at + "/role",
                f"unknown role {str(metric.role)[:40]!r} (known: {', '.join(ROLES)})",
            )
    seen: set[tuple] = set()
    for number, row in enumerate(table.rows):
        for key, value in row.setting.items():
            if key not in keys:
                if ("key", key) not in seen:
                    seen.add(("key", key))
                    message = f"unknown setting {key[:40]!r}{nearest_known(key, [*keys])}"
                    yield f"/rows/{number}/set", message
            elif key in COMPONENTS and value is not None and (key, value) not in seen:
                seen.add((key, value))
                yield from (
                    (f"/rows/{number}/set/{key}", message)
                    for message in _component(key, value, words)
                )
            elif (
                key == "resolution"
                and isinstance(value, str)
                and value not in words.records("resolution")
                and (key, value) not in seen
            ):
                seen.add((key, value))
                yield (
                    f"/rows/{number}/set/{key}",
                    (
                        f"unknown resolution strategy {value[:40]!r} (pixels, or a name of"
                        " registry/components.json)"
                    ),
                )


def _component(axis: str, value, words: Vocabulary) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{axis} is not a text"
        return
    parts = value.split("+") if axis == "encoder" else [value]
    for part in parts:
        if part not in words.records(axis) and not (axis == "data" and words.mixes.mix(part)):
            known = words.find(axis, part)
            yield (
                f"{axis} {part[:60]!r} should be written {known!r}"
                if known
                else str(UnknownName(axis, part, nearest(part, words.spellings(axis))))
            )
    if sorted(parts) != parts:
        yield f"the fused encoder {value[:60]!r} should be written {'+'.join(sorted(parts))!r}"


def check_trained(table: Table, words: Vocabulary) -> Iterator[Found]:
    """No stage of a row trains the encoder that the row calls frozen."""
    for number, row in enumerate(table.rows):
        parts = {part for one in row.stages for part in one.get("trains") or ()}
        if row.setting.get("frozen_encoder") and "encoder" in parts:
            yield f"/rows/{number}", "frozen_encoder is true, and a stage in `trained` trains it"


ENDLESS = 1e30  # no score, cost or count of parameters is larger


def check_range(table: Table, words: Vocabulary) -> Iterator[Found]:
    """A score lies between zero and the metric's maximum; no score is negative (differences
    apart).
    """
    for number, row in enumerate(table.rows):
        for key, value in row.scores.items():
            metric = table.metrics[key]
            if value is None or metric.role == "difference":
                continue
            top = ENDLESS if metric.max is None else metric.max
            if not 0 <= value <= top:
                yield (
                    f"/rows/{number}/scores/{escape(key)}",
                    f"{value:g} lies outside 0 and {top:g}",
                )


def check_mean(table: Table, words: Vocabulary) -> Iterator[Found]:
    """A printed mean is the mean of its printed parts (each brought to a scale of 100), up to
    rounding.
    """
    for key, metric in table.metrics.items():
        parts = [part.partition("/")[0] for part in metric.mean_of]
        if not parts or any(part not in table.metrics for part in parts):
            continue
        column = [row.scores.get(key) for row in table.rows]
        printed = max((decimals(value) for value in column if value is not None), default=0)
        digits = {
            part: max(
                (
                    decimals(row.scores[part])
                    for row in table.rows
                    if row.scores.get(part) is not None
                ),
                default=0,
            )
            for part in parts
        }
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
                slack += 0.5 * 10.0 ** -digits[part] * scale
            mean = total / len(parts)
            tolerance = 0.5 * 10.0**-printed + slack / len(parts) + 1e-9
            if abs(mean - value) > tolerance:
                yield (
                    f"/rows/{number}/scores/{escape(key)}",
                    f"printed {value:g}, but its {len(parts)} parts average {mean:.3f}",
                )


def check_duplicate(table: Table, words: Vocabulary) -> Iterator[Found]:
    """No arm stands twice with the same setting."""
    seen: dict[tuple, int] = {}
    for number, row in enumerate(table.rows):
        key = (row.arm, tuple(sorted((k, str(v)) for k, v in row.setting.items())))
        if key in seen:
            yield (
                f"/rows/{number}",
                (
                    f"the arm {row.arm[:60]!r} stands at /rows/{seen[key]} already, with the same"
                    " setting"
                ),
            )
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
    "trained": (check_trained, "error"),
    "granularity": (redundancy.check_granularity, "error"),
    "total": (redundancy.check_total, "error"),
    "claim": (redundancy.check_claim, "error"),
    "tokens": (redundancy.check_tokens, "error"),
    "llm-size": (redundancy.check_llm_size, "error"),
    "varies": (redundancy.check_varies, "warning"),
    "chance": (redundancy.check_chance, "warning"),
    "outlier": (redundancy.check_outlier, "warning"),
}
OTHER_RULES = {
    "file": "The file can be read: a regular file, not too large, not a link out of the directory.",
    "encoding": "UTF-8 without a byte-order mark.",
    "json": (
        "Well-formed JSON: no key twice, no NaN or Infinity, no deep nesting, no endless numbers."
    ),
    "schema": "The keys that every table has are there and of the right kind.",
    "metric": "Every score belongs to a metric of its table.",
    "unique": "A table id stands once in all files.",
    "alias": "A spelling of a registry names one thing.",
    "language": (
        "Every word of registry/language.json (what questions are read by) means one thing"
        " and has a"
        " consequence."
    ),
    "report": (
        "A report of registry/cost_reports.json says once who said what: a known kind,"
        " grade, device"
        " and parts, its source, and positive figures of its kind."
    ),
    "licence": (
        "A text of registry/licences.json stands once, is the licence of a released model or an"
        " LLM, and says what it permits."
    ),
    "guide": (
        "Every recipe, task, table, row and metric that registry/guide.json names (the changes and"
        " rules of the agent skill) is there."
    ),
    "derived": "The stored fit was made from the evidence as it is now (`fit` makes it anew).",
    "same-run": reprints.SAME_RUN,
    "reprint": reprints.REPRINT,
    "baseline": reprints.BASELINE,
    "lock": "Every cell is the one that tables/LOCK holds; `check --lock` accepts a change.",
    "audit": (
        "Every selector of registry/claims.json names a table, row, metric, setting, component or"
        " model that is there (`claims` judges by them)."
    ),
    "accepted": "An exception that a table records names a rule and says why.",
    **mixes.RULES,
}
