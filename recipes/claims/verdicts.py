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
    judge_share,
    missing,
    satisfies,
    within,
)

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


def _cell_line(
    table: Table, row: Row, metric: str, value, holds=None, split: str | None = None
) -> Line:
    return Line(
        table.id,
        table.locator,
        table.arxiv,
        None,
        row.arm,
        metric,
        split,
        None,
        value,
        None,
        (),
        (),
        holds,
    )


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
        table = evidence.tables[place["table"]]
        row = next(row for row in table.rows if row.arm == place["arm"])
        if "set" in place:
            return row.setting.get(place["set"]), [
                _cell_line(table, row, place["set"], row.setting.get(place["set"]))
            ]
        keys = place.get("metrics") or [place["metric"]]
        values = [row.scores.get(key) for key in keys]
        lines = [
            _cell_line(table, row, key, value, split=table.metrics[key].split)
            for key, value in zip(keys, values)
        ]
        return None if None in values else sum(values) / len(values), lines
    if "model" in place:
        model = evidence.models[place["model"]]
        blank = Line(
            "registry/models",
            "released models",
            model.get("arxiv"),
            None,
            model["name"],
            "",
            None,
            None,
            None,
            None,
            (),
            (),
            None,
        )
        if "field" in place:
            return model.get(place["field"]), [
                blank._replace(metric=place["field"], after=model.get(place["field"]))
            ]
        scores = [
            score
            for score in model["scores"]
            if score["benchmark"] == place["benchmark"]
            and place.get("split") in (None, score["split"])
        ]
        scores.sort(key=lambda score: _owner(score.get("reported_by", "authors")))
        lines = [
            blank._replace(
                locator=f"{score['source']} ({score.get('reported_by', 'authors')})",
                metric=score["benchmark"],
                split=score["split"],
                after=score["value"],
            )
            for score in scores
        ]
        return (scores[0]["value"] if scores else None), lines
    if "tokens" in place:
        width, height = place["image"]
        counted = tokens.count(place["tokens"], width, height)
        parts = [term for term in counted.terms if term.name not in place.get("leave_out", ())]
        value = sum(term.tokens for term in parts) + (
            counted.markers if place.get("markers") else 0
        )
        how = " + ".join(
            [f"{term.name} {term.tokens} = {term.formula}" for term in parts]
            + ([f"{counted.markers} markers"] if place.get("markers") else [])
        )
        return value, [
            Line(
                "tokens",
                how,
                None,
                None,
                f"{place['tokens']}, image {width}x{height}",
                "visual tokens",
                None,
                None,
                value,
                None,
                (),
                (),
                None,
            )
        ]
    record = evidence.costs[place["cost"]]
    value = record.get(place["field"])
    return value, [
        Line(
            "registry/training_costs",
            record["source"],
            None,
            None,
            record["id"],
            place["field"],
            None,
            None,
            value,
            None,
            (),
            (),
            None,
        )
    ]


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
        return Judged(
            one,
            "unknown",
            f"scores of different splits ({', '.join(splits)}) are not held against each other",
            tuple(lines),
        )
    value = values[0]
    if len(values) > 1 or not ("is" in spec or isinstance(spec.get("equals"), str)):
        text = next(
            (
                value
                for value in values
                if isinstance(value, bool) or not isinstance(value, (int, float))
            ),
            None,
        )
        if text is not None:
            raise Refused(
                f"{one.pointer}: {str(text)[:60]!r} stands there, which is no number to compare (is"
                " or a text in equals compares texts)"
            )
    if len(values) > 1:
        value = {
            "sum": sum,
            "ratio": lambda v: v[0] / v[1] if v[1] else float("inf"),
            "difference": lambda v: v[0] - v[1],
        }[spec.get("how", "sum")](values)
    if "is" in spec:
        good = satisfies(value, spec["is"])
    elif isinstance(spec.get("equals"), str):
        good = value == spec["equals"]
    elif "equals" in spec:
        good = abs(value - spec["equals"]) <= spec.get("within", 0) + 1e-9
    else:
        good = within(value, spec)
    shown = (
        f"{value:g}"
        if isinstance(value, (int, float)) and not isinstance(value, bool)
        else str(value)
    )
    if isinstance(value, (int, float)) and abs(value) >= 1e5:
        shown = f"{value:,.0f}"
    # the first of a model's scores is the one to go by
    others = lines[1:] if len(values) == 1 and "model" in places[0] else []
    also = (
        f"; other sources print {', '.join(dict.fromkeys(f'{line.after:g}' for line in others))}"
        if others
        else ""
    )
    return Judged(
        one,
        "holds" if good else "fails",
        f"found {shown}{also}",
        tuple(line._replace(holds=None if line in others else good) for line in lines),
    )


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
        ranked = []
        for item in spec["items"] if keys else ():
            levels = [
                (level, row)
                for row in table.rows
                if evidence.matches(row, item["rows"])
                for level in [_level(table, row, keys)]
                if level is not None
            ]
            if not levels:
                break
            pick = item.get("pick", "best")
            level, row = (
                min(levels, key=lambda pair: pair[0])
                if pick == "worst"
                else max(levels, key=lambda pair: pair[0])
            )
            ranked.append(
                (
                    item["label"],
                    sum(level for level, _ in levels) / len(levels) if pick == "mean" else level,
                    row,
                    len(levels),
                )
            )
        if not keys or len(ranked) < len(spec["items"]):
            continue
        descends = all(ranked[i][1] > ranked[i + 1][1] for i in range(len(ranked) - 1))
        good.append(descends)
        said.append(
            f"{table.locator}: " + ", ".join(f"{label} {level:.1f}" for label, level, *_ in ranked)
        )
        for (label, level, row, count), item in zip(ranked, spec["items"]):
            arm = (
                f"{label}: mean of {count} rows"
                if item.get("pick") == "mean" and count > 1
                else f"{label}: {row.arm}"
            )
            lines.append(
                Line(
                    table.id,
                    table.locator,
                    table.arxiv,
                    None,
                    arm,
                    " + ".join(keys) if len(keys) < 3 else f"mean of {len(keys)} metrics",
                    None,
                    None,
                    round(level, 4),
                    None,
                    (),
                    (),
                    descends,
                )
            )
    if not good:
        return missing(one, evidence)
    found = f"in this order in {sum(good)} of {plural(len(good), 'table')} ({'; '.join(said)})"
    return Judged(
        one,
        "holds" if sum(good) >= spec.get("need", 1) * len(good) - 1e-9 else "fails",
        found,
        tuple(lines),
    )


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
            Line(
                "registry/models",
                "released models",
                model.get("arxiv"),
                None,
                model["name"],
                ", ".join(where),
                None,
                None,
                ", ".join(str(model.get(key)) for key in where),
                None,
                (),
                (),
                None,
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
