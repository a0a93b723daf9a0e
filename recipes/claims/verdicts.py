"""Claims -> verdicts: each assertion is tested on the encoded rows, and the verdict follows from
the results by stated rules.

In: Claims (evidence/claims.py) and Evidence. Out: Audits, each with the rows behind it. No verdict
is stored. Pairs of rows are judged in claim_pairs.py; single values, orderings and counts here.
Does not read files or print.

An assertion *holds*, *fails*, is *absent* (the cited paper's tables are encoded and none shows it)
or *unknown* (nothing encoded speaks to it, the paper draws it without printing numbers, or what
speaks to it cannot decide: rows that may be one row copied twice, scores of two splits, papers that
are split evenly). The verdict of a claim, from its assertions (those marked `beside` do not count):

    none holds or fails: not in the cited source (one is absent), no evidence (all are unknown)
    all hold: supported;  some hold: partly;  none holds: contradicted
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..base.wording import plural
from ..cost import tokens
from ..evidence.contrasts import doubtful
from ..evidence.tables import Row, Table
from .assertions import Assertion, Claim, ClaimsFile
from .pairs import (
    Evidence,
    Judged,
    Line,
    judge_contrast,
    judge_exists,
    missing,
    satisfies,
    within,
)
from .shares import judge_share

VERDICTS = ("supported", "partly", "contradicted", "not in the cited source", "no evidence")


class Audit(NamedTuple):
    """One claim with its verdict and the results it follows from."""

    claim: Claim
    verdict: str
    judged: tuple[Judged, ...]


def audit(claims: ClaimsFile, evidence: Evidence) -> list[Audit]:
    """All claims of a file, judged."""
    return [judge(claim, evidence) for claim in claims.claims]


def judge(claim: Claim, evidence: Evidence) -> Audit:
    """One claim."""
    judged = tuple(JUDGES[one.kind](one, evidence) for one in claim.assertions)
    return Audit(
        claim, verdict(tuple(one.result for one in judged if not one.assertion.beside)), judged
    )


def verdict(results: Sequence[str]) -> str:
    """The rules of the module's docstring."""
    hold, fail = results.count("holds"), results.count("fails")
    if not hold and not fail:
        return "not in the cited source" if "absent" in results else "no evidence"
    if hold == len(results):
        return "supported"
    return "partly" if hold else "contradicted"


# --- single values
# ------------------------------------------------------------------------------------------


def _cell_line(table: Table, row: Row, metric: str, value, split: str | None = None) -> Line:
    """A value of a row."""
    return Line(table.id, table.locator, table.arxiv, None, row.arm, metric, split, after=value)


def _owner(reported_by: str) -> int:
    """Whose number comes first: the authors', then the benchmark's owners', then reruns and
    copies.
    """
    return 0 if reported_by == "authors" else 1 if "benchmark owners" in reported_by else 2


def _place(place: Mapping, evidence: Evidence) -> tuple[object, list[Line]]:
    """(value or None, lines) of one place. Other values that the same place prints follow as
    further lines.
    """
    if "table" in place:
        return _in_table(place, evidence)
    if "model" in place:
        return _of_model(place, evidence.models[place["model"]])
    if "tokens" in place:
        return _of_tokens(place)
    record, field = evidence.costs[place["cost"]], place["field"]
    line = _line(
        "registry/training_costs", record["source"], record["id"], field, record.get(field)
    )
    return record.get(field), [line]


def _line(table: str, locator: str, arm: str, metric: str, value, arxiv: str | None = None) -> Line:
    """A value that stands in no table of a paper."""
    return Line(table, locator, arxiv, None, arm, metric, after=value)


def _in_table(place: Mapping, evidence: Evidence) -> tuple[object, list[Line]]:
    """A score of a row (the mean of several), or one of its settings."""
    table = evidence.tables[place["table"]]
    row = next(row for row in table.rows if row.arm == place["arm"])
    if "set" in place:
        value = row.setting.get(place["set"])
        return value, [_cell_line(table, row, place["set"], value)]
    keys = place.get("metrics") or [place["metric"]]
    values = [row.scores.get(key) for key in keys]
    lines = [
        _cell_line(table, row, key, value, split=table.metrics[key].split)
        for key, value in zip(keys, values)
    ]
    return None if None in values else sum(values) / len(values), lines


def _of_model(place: Mapping, model: Mapping) -> tuple[object, list[Line]]:
    """A fact or a score of a released model; its authors' own score first."""
    blank = _line("registry/models", "released models", model["name"], "", None, model.get("arxiv"))
    if "field" in place:
        value = model.get(place["field"])
        return value, [blank._replace(metric=place["field"], after=value)]
    scores = [
        score
        for score in model["scores"]
        if score["benchmark"] == place["benchmark"] and place.get("split") in (None, score["split"])
    ]
    by = lambda score: score.get("reported_by", "authors")
    scores.sort(key=lambda score: _owner(by(score)))
    lines = [
        blank._replace(
            locator=f"{score['source']} ({by(score)})",
            metric=score["benchmark"],
            split=score["split"],
            after=score["value"],
        )
        for score in scores
    ]
    return (scores[0]["value"] if scores else None), lines


def _of_tokens(place: Mapping) -> tuple[object, list[Line]]:
    """Visual tokens of an image, by the arithmetic of cost/tokens.py."""
    width, height = place["image"]
    counted = tokens.count(place["tokens"], width, height)
    parts = [term for term in counted.terms if term.name not in place.get("leave_out", ())]
    marked = counted.markers if place.get("markers") else 0
    value = sum(term.tokens for term in parts) + marked
    how = [f"{term.name} {term.tokens} = {term.formula}" for term in parts]
    how += [f"{counted.markers} markers"] if place.get("markers") else []
    arm = f"{place['tokens']}, image {width}x{height}"
    return value, [_line("tokens", " + ".join(how), arm, "visual tokens", value)]


def _splits(places: Sequence[Mapping], lines: Sequence[Line]) -> list[str]:
    """The splits on which released models are compared on one benchmark: those that the scores to
    go by name.
    """
    if len({place.get("benchmark") for place in places}) > 1 or "benchmark" not in places[0]:
        return []
    names = [
        next(line for line in lines if line.to_arm == name).split
        for name in dict.fromkeys(line.to_arm for line in lines)
    ]
    return list(dict.fromkeys(name for name in names if name))


def _value(one: Assertion, evidence: Evidence) -> Judged:
    spec = one.spec
    places = spec["at"] if isinstance(spec["at"], list) else [spec["at"]]
    values, lines = [], []
    for place in places:
        value, found = _place(place, evidence)
        values.append(value)
        lines += found
    if any(value is None for value in values):
        return Judged(one, "unknown", "no source that was read prints it", tuple(lines))
    splits = _splits(places, lines) if spec.get("how") in ("difference", "ratio") else ()
    if len(splits) > 1:
        found = f"scores of different splits ({', '.join(splits)}) are not held against each other"
        return Judged(one, "unknown", found, tuple(lines))
    value = _combined(one, values)
    good = _as_said(value, spec)
    # the first of a model's scores is the one to go by
    others = lines[1:] if len(values) == 1 and "model" in places[0] else []
    printed = ", ".join(dict.fromkeys(f"{line.after:g}" for line in others))
    return Judged(
        one,
        "holds" if good else "fails",
        f"found {_shown(value)}" + (f"; other sources print {printed}" if others else ""),
        tuple(line._replace(holds=None if line in others else good) for line in lines),
    )


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _combined(one: Assertion, values: list):
    """One value of several: their sum, ratio or difference. Raises Refused for a text among
    numbers.
    """
    spec = one.spec
    if len(values) == 1 and ("is" in spec or isinstance(spec.get("equals"), str)):
        return values[0]
    for value in values:
        if not _is_number(value):
            raise Refused(
                f"{one.pointer}: {str(value)[:60]!r} stands there, which is no number to compare"
                " (is or a text in equals compares texts)"
            )
    if len(values) == 1:
        return values[0]
    ways = {
        "sum": sum,
        "ratio": lambda v: v[0] / v[1] if v[1] else float("inf"),
        "difference": lambda v: v[0] - v[1],
    }
    return ways[spec.get("how", "sum")](values)


def _as_said(value, spec: Mapping) -> bool:
    """Is a value what the assertion says?"""
    if "is" in spec:
        return satisfies(value, spec["is"])
    if isinstance(spec.get("equals"), str):
        return value == spec["equals"]
    if "equals" in spec:
        return abs(value - spec["equals"]) <= spec.get("within", 0) + 1e-9
    return within(value, spec)


def _shown(value) -> str:
    """A value as text, large numbers with their commas."""
    if not _is_number(value):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:g}"


# --- several rows
# ------------------------------------------------------------------------------------------


def _level(table: Table, row: Row, keys: Sequence[str]) -> float | None:
    """Mean of several metrics of a row, each in percent of its maximum; None when one is missing or
    doubtful.
    """
    values = [None if doubtful(row, key) else row.scores.get(key) for key in keys]
    if any(value is None for value in values):
        return None
    return sum(
        value * 100 / table.metrics[key].max if table.metrics[key].max else value
        for key, value in zip(keys, values)
    ) / len(keys)


def _ordering(one: Assertion, evidence: Evidence) -> Judged:
    spec = one.spec
    lines, good, said = [], [], []
    for table in evidence.searched(spec):
        keys = [key for key in spec["metrics"] if key in table.metrics]
        ranked = _ranked(table, keys, spec["items"], evidence) if keys else None
        if ranked is None:
            continue
        levels = [level for _, level, _ in ranked]
        descends = all(first > second for first, second in zip(levels, levels[1:]))
        good.append(descends)
        order = ", ".join(f"{label} {level:.1f}" for label, level, _ in ranked)
        said.append(f"{table.locator}: {order}")
        metric = " + ".join(keys) if len(keys) < 3 else f"mean of {len(keys)} metrics"
        for label, level, arm in ranked:
            line = _line(table.id, table.locator, f"{label}: {arm}", metric, round(level, 4))
            lines.append(line._replace(arxiv=table.arxiv, holds=descends))
    if not good:
        return missing(one, evidence)
    found = f"in this order in {sum(good)} of {plural(len(good), 'table')} ({'; '.join(said)})"
    enough = sum(good) >= spec.get("need", 1) * len(good) - 1e-9
    return Judged(one, "holds" if enough else "fails", found, tuple(lines))


def _ranked(
    table: Table, keys: Sequence[str], items: Sequence[Mapping], evidence: Evidence
) -> list[tuple[str, float, str]] | None:
    """(label, level, arm) of each item in a table, in the order of the items; None where one has no
    row.
    """
    out = []
    for item in items:
        levels = [
            (level, row)
            for row in table.rows
            if evidence.matches(row, item["rows"])
            for level in [_level(table, row, keys)]
            if level is not None
        ]
        if not levels:
            return None
        pick, count = item.get("pick", "best"), len(levels)
        level, row = (min if pick == "worst" else max)(levels, key=lambda pair: pair[0])
        arm = row.arm
        if pick == "mean":
            level = sum(level for level, _ in levels) / count
            arm = f"mean of {count} rows" if count > 1 else arm
        out.append((item["label"], level, arm))
    return out


def _count(one: Assertion, evidence: Evidence) -> Judged:
    spec = one.spec
    where = spec.get("where", {})
    if spec.get("models"):
        found = [
            model
            for model in evidence.models.values()
            if all(satisfies(model.get(key), condition) for key, condition in where.items())
        ]
        lines = tuple(
            _line(
                "registry/models",
                "released models",
                model["name"],
                ", ".join(where),
                ", ".join(str(model.get(key)) for key in where),
                model.get("arxiv"),
            )
            for model in found
        )
        total, what = len(found), "released model"
        if not found:
            return Judged(
                one,
                "unknown",
                f"the registry of {plural(len(evidence.models), 'released model')} has none, and it"
                " is not complete",
                (),
            )
    else:
        rows: dict[object, Line] = {}
        for table in evidence.searched(spec):
            for row in table.rows:
                value = (
                    (row.run or (table.id, row.arm, id(row)))
                    if spec["of"] == "rows"
                    else evidence.setting(row, spec["of"])
                )
                if value is not None and value not in rows and evidence.matches(row, where):
                    rows[value] = _cell_line(
                        table, row, spec["of"], None if spec["of"] == "rows" else value
                    )
        lines, total, what = (
            tuple(rows.values()),
            len(rows),
            "different row" if spec["of"] == "rows" else f"different {spec['of']}",
        )
    good = total == spec["equals"] if "equals" in spec else within(total, spec)
    return Judged(one, "holds" if good else "fails", f"counted {plural(total, what)}", lines)


JUDGES = {
    "contrast": judge_contrast,
    "exists": judge_exists,
    "value": _value,
    "ordering": _ordering,
    "count": _count,
    "share": judge_share,
}
