"""What tables say twice: rules that find a slip because another number contradicts it.

In: a Table (or all of them) and the vocabulary. Out: findings, each a JSON pointer inside the table
and a message. A rule speaks only where the rest of the data shows that it holds: a column whose
other scores are all k of n answers, a model that several papers print with one score.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from ..terms.vocabulary import Vocabulary, fold
from .tables import Metric, Paper, Row, Table, escape

Found = tuple[str, str]  # JSON pointer inside the table, message


def decimals(value: float) -> int:
    """Digits behind the point as printed (repr keeps what JSON had)."""
    text = repr(value)
    return (
        0 if "e" in text or "." not in text or text.endswith(".0") else len(text.partition(".")[2])
    )


def at(number: int, key: str) -> str:
    """Pointer of a score inside its table."""
    return f"/rows/{number}/scores/{escape(key)}"


def column(table: Table, key: str) -> list[tuple[int, float]]:
    """(row number, value) of the printed scores of one metric."""
    return [
        (number, row.scores[key])
        for number, row in enumerate(table.rows)
        if row.scores.get(key) is not None
    ]


# --- a percentage of n questions is k / n
# ------------------------------------------------------------------------------


def is_share(value: float, n: int, digits: int) -> bool:
    """Is a percentage, rounded or cut to `digits` decimals, k of n for some whole k?"""
    unit = 10.0**-digits
    for k in (math.floor(value * n / 100), math.ceil(value * n / 100)):
        exact = 100 * k / n
        if abs(exact - value) <= unit / 2 + 1e-9 or 0 <= exact - value < unit:
            return True
    return False


def sizes(metric: Metric, words: Vocabulary) -> list[int]:
    """Numbers of questions that the metric's benchmark may have: of its split, or of any split when
    none is named.
    """
    splits = words.records("benchmark").get(metric.benchmark, {}).get("splits") or {}
    chosen = [splits[metric.split]] if metric.split in splits else list(splits.values())
    return sorted(
        {
            entry["n"]
            for entry in chosen
            if entry.get("n") and entry.get("unit") in ("questions", "pairs")
        }
    )


def check_granularity(table: Table, words: Vocabulary) -> Iterator[Found]:
    """Where a column's scores are plain accuracies (k of the n questions that the registry counts),
    every one of them is.
    """
    for key, metric in table.metrics.items():
        if metric.role != "score" or metric.max != 100:
            continue
        values = column(table, key)
        if len(values) < 5:
            continue
        digits = max(decimals(value) for _, value in values)
        for n in sizes(metric, words):
            # how often a number is k of n by accident
            chance = min(1.0, 1.5 * n * 10.0**-digits / 100)
            wrong = [(number, value) for number, value in values if not is_share(value, n, digits)]
            right = len(values) - len(wrong)
            if (
                chance < 0.7
                and len(wrong) <= max(1, 0.15 * len(values))
                and chance**right * math.comb(len(values), len(wrong)) < 1e-3
            ):
                for number, value in wrong:
                    yield (
                        at(number, key),
                        (
                            f"{value:g} is not k of {n} questions, as {right} of the column's"
                            f" {len(values)} scores are"
                        ),
                    )
                break


# --- sums and means
# ------------------------------------------------------------------------------------------


def check_total(table: Table, words: Vocabulary) -> Iterator[Found]:
    """A printed MME total is perception plus cognition."""
    by_benchmark = {(m.benchmark, m.max): key for key, m in table.metrics.items()}
    total, first, second = (
        by_benchmark.get(name)
        for name in (("mme", 2800), ("mme_perception", 2000), ("mme_cognition", 800))
    )
    if not (total and first and second):
        return
    slack = sum(
        0.5 * 10.0 ** -max((decimals(value) for _, value in column(table, key)), default=0)
        for key in (total, first, second)
    )
    for number, row in enumerate(table.rows):
        values = [row.scores.get(key) for key in (total, first, second)]
        if None not in values and abs(values[0] - values[1] - values[2]) > slack + 1e-9:
            yield (
                at(number, total),
                (
                    f"printed {values[0]:g}, but perception {values[1]:g} and cognition"
                    f" {values[2]:g} make {values[1] + values[2]:g}"
                ),
            )


def check_claim(table: Table, words: Vocabulary) -> Iterator[Found]:
    """A difference that the paper's text states (`claims`: metric, from, to, delta) is that of the
    printed cells.
    """
    rows = {row.arm: row for row in table.rows}
    for number, claim in enumerate(table.claims):
        here = f"/claims/{number}"
        missing = next((claim[side] for side in ("from", "to") if claim[side] not in rows), None)
        if missing is not None or claim["metric"] not in table.metrics:
            row = missing is not None
            what = f"row {missing[:60]!r}" if row else f"metric {claim['metric'][:60]!r}"
            yield here, f"the table has no {what}"
            continue
        values = [rows[claim[side]].scores.get(claim["metric"]) for side in ("from", "to")]
        if None in values:
            yield here, f"{claim['metric']} has no score in both rows"
            continue
        slack = 0.5 * 10.0 ** -decimals(claim["delta"]) + 10.0 ** -max(map(decimals, values)) + 1e-9
        if abs(values[1] - values[0] - claim["delta"]) > slack:
            yield (
                here,
                (
                    f"the text says {claim['delta']:+g}, the cells {values[0]:g} and {values[1]:g}"
                    f" say {values[1] - values[0]:+.4g}"
                ),
            )


# --- settings that follow from each other
# ---------------------------------------------------------------------------------


def check_tokens(table: Table, words: Vocabulary) -> Iterator[Found]:
    """Behind a projection, an untiled image has as many visual tokens as patches (or a class token
    more).

    Silent where most rows of the table say otherwise: then the paper pools or interpolates.
    """
    wrong, right = {}, set()
    for number, row in enumerate(table.rows):
        s = row.setting
        tokens, side, encoder = s.get("visual_tokens"), s.get("resolution"), s.get("encoder")
        record = words.records("encoder").get(encoder or "", {})
        patch = record.get("patch_size")
        untiled = not s.get("tiling") or str(s["tiling"]).startswith("no")
        extra = set(s) & {
            "pooling",
            "tokens_per_tile",
            "n_sub_images",
            "crops_train",
            "token_reduction",
            "scales",
        }
        if (
            not (tokens and patch and isinstance(side, int) and untiled and not extra)
            or words.connector_class(s) != "projection"
            or record.get("kind") is None
        ):
            continue
        grid = (side // patch) ** 2
        if tokens in (grid, grid + 1):
            right.add((encoder, side))
        else:
            wrong.setdefault(
                (encoder, side, tokens),
                (
                    number,
                    (
                        f"{tokens:g} visual tokens, but {encoder} at {side} px gives"
                        f" ({side}/{patch})^2 = {grid}"
                    ),
                ),
            )
    if len(wrong) <= len(right):
        for number, message in wrong.values():
            yield f"/rows/{number}/set", message


def check_llm_size(table: Table, words: Vocabulary) -> Iterator[Found]:
    """A named LLM has the number of parameters that the registry counts."""
    for number, row in enumerate(table.rows):
        stated = row.setting.get("llm_params_b")
        known = words.records("llm").get(row.setting.get("llm") or "", {}).get("params_b")
        if stated and known and not 0.75 < stated / known < 1.34:
            yield (
                f"/rows/{number}/set/llm_params_b",
                f"{stated:g}B, but {row.setting['llm']} has {known:.3g}B",
            )


MAIN = {
    "encoder": "encoder",
    "connector": "connector",
    "llm": "llm",
    "llm_params_b": "llm",
    "data": "data",
    "data_size": "data",
    "resolution": "resolution",
}


def check_varies(table: Table, words: Vocabulary) -> Iterator[Found]:
    """Only the axes that `varies` names differ between the rows of a table."""
    if "whole systems" in table.varies:
        return
    for axis in dict.fromkeys(MAIN.values()):
        for key in (
            key for key, owner in MAIN.items() if owner == axis and axis not in table.varies
        ):
            values = {
                str(row.setting[key]): number
                for number, row in reversed(list(enumerate(table.rows)))
                if row.setting.get(key) is not None
            }
            if len(values) > 1:
                yield (
                    f"/rows/{sorted(values.values())[1]}/set",
                    (
                        f"{key} differs between the rows ({', '.join(sorted(values)[:3])}), but"
                        f" varies does not name {axis}"
                    ),
                )
                break


# --- scores that their neighbours do not let one expect
# -----------------------------------------------------------------------


def check_chance(table: Table, words: Vocabulary) -> Iterator[Found]:
    """A score far below guessing stands out where all others of the column lie above it."""
    for key, metric in table.metrics.items():
        record = words.records("benchmark").get(metric.benchmark, {})
        level, values = record.get("chance_level"), column(table, key)
        if (
            level is None
            or metric.role != "score"
            or metric.max != record.get("max")
            or len(values) < 3
        ):
            continue
        low = [(number, value) for number, value in values if value < 0.8 * level]
        if len(low) == 1 and min(value for _, value in values if value != low[0][1]) > level:
            yield (
                at(low[0][0], key),
                (
                    f"{low[0][1]:g} lies below guessing ({level:g}), the other scores of the column"
                    " above it"
                ),
            )


def check_outlier(table: Table, words: Vocabulary) -> Iterator[Found]:
    """A score lies near what its row and its column let one expect (a warning with the size of the
    surprise).
    """
    columns = {}
    for key, metric in table.metrics.items():
        values = column(table, key)
        if metric.role in ("score", "average", "part") and len(values) >= 4:
            middle = median(value for _, value in values)
            spread = 1.4826 * median(abs(value - middle) for _, value in values) + 0.01 * (
                metric.max or 100
            )
            columns[key] = {number: (value - middle) / spread for number, value in values}
    if len(columns) < 3:
        return
    rows = {
        number: median(scores)
        for number in range(len(table.rows))
        if len(scores := [z[number] for z in columns.values() if number in z]) >= 3
    }
    left = {
        (number, key): z[number] - rows[number]
        for key, z in columns.items()
        for number in z
        if number in rows
    }
    if len(left) < 12:
        return
    typical = 1.4826 * median(abs(value) for value in left.values()) + 0.2
    for (number, key), value in sorted(left.items()):
        if abs(value) > SURPRISE * typical:
            yield (
                at(number, key),
                (
                    f"{table.rows[number].scores[key]:g} is surprising: {abs(value) / typical:.0f}"
                    " times as far from what its row and column let one expect as is usual in this"
                    " table"
                ),
            )


SURPRISE = 9.0


# --- the same thing printed in several places
# -----------------------------------------------------------------------------------

SAME_RUN = (
    "One training run printed in several tables has one score on one benchmark, up to rounding."
)
REPRINT = (
    "A run that several papers print has one score on one benchmark, up to rounding (a warning"
    " where a paper differs from most; later versions and new evaluations do)."
)
BASELINE = (
    "A released model has the score that several other papers print for it (a warning where one"
    " differs from all)."
)


def agree(x: float, y: float) -> bool:
    """Are two printed numbers one, up to the rounding of the coarser?"""
    return (
        abs(x - y) <= 0.5 * 10.0 ** -min(decimals(x), decimals(y)) * 1.01 + 1e-9 if x != y else True
    )


def check_same_run(tables: Sequence[Table]) -> Iterator[tuple[Table, Found]]:
    """See SAME_RUN. A cell is named when it differs from the first table that prints the run, or
    from most of them.
    """
    places: dict[tuple, list[tuple[Table, int, str, float]]] = {}
    for table in tables:
        for number, row in enumerate(table.rows):
            for key, value in row.scores.items() if row.run else ():
                metric = table.metrics[key]
                if value is not None and metric.role in ("score", "part", "text"):
                    identity = (
                        table.file,
                        row.run,
                        metric.benchmark,
                        metric.split,
                        metric.max,
                        metric.shots,
                        metric.unit,
                    )
                    places.setdefault(identity, []).append((table, number, key, value))
    for found in places.values():
        yield from _odd(found, "the same run has")


def check_reprint(tables: Sequence[Table]) -> Iterator[tuple[Table, Found]]:
    """See REPRINT. Papers name splits in their own way: only a table's single column of a
    benchmark counts.
    """
    places: dict[tuple, list[tuple[Table, int, str, float]]] = {}
    papers: dict[str, set[str]] = {}
    for table in tables:
        for row in table.rows:
            if row.run:
                papers.setdefault(row.run, set()).add(table.file)
    for table in tables:
        for number, row in enumerate(table.rows):
            if not row.run or len(papers[row.run]) < 2:
                continue
            for key, value in row.scores.items():
                metric = table.metrics[key]
                if (
                    value is not None
                    and metric.role in ("score", "part")
                    and _single(table, metric)
                ):
                    identity = (row.run, metric.benchmark, metric.max, metric.shots)
                    places.setdefault(identity, []).append((table, number, key, value))
    for found in places.values():
        for one in _by_split(found):
            if len({table.file for table, *_ in one}) > 1:
                yield from _odd(one, "the same run has")


def _by_split(
    found: Sequence[tuple[Table, int, str, float]],
) -> list[list[tuple[Table, int, str, float]]]:
    """The places of each split, each with those that name none."""
    splits: dict[str | None, list] = {}
    for place in found:
        splits.setdefault(place[0].metrics[place[2]].split, []).append(place)
    unsaid = splits.pop(None, [])
    return [[*places, *unsaid] for places in splits.values()] or [unsaid]


def _odd(
    found: Sequence[tuple[Table, int, str, float]], words: str
) -> Iterator[tuple[Table, Found]]:
    """Of several places that should agree: those that most others contradict (of two, the
    second).
    """
    if len({table.id for table, *_ in found}) < 2:
        return
    votes = [sum(agree(value, other) for *_, other in found) for *_, value in found]
    best = max(range(len(found)), key=lambda i: (votes[i], -i))
    for table, number, key, value in found:
        if not agree(value, found[best][3]):
            yield (
                table,
                (
                    at(number, key),
                    f"{value:g}, but {words} {found[best][3]:g} in {found[best][0].id}"
                    + (f" and {votes[best] - 1} more" if votes[best] > 1 else ""),
                ),
            )


def check_baseline(tables: Sequence[Table]) -> Iterator[tuple[Table, Found]]:
    """See BASELINE. Models are known by their printed name; a name must hold a letter and a
    digit.
    """
    places: dict[tuple, list[tuple[Table, int, str, float]]] = {}
    named: dict[str, list[tuple[Table, int]]] = {}
    for table in tables:
        for number, row in enumerate(table.rows):
            named.setdefault(model_name(row) or "", []).append((table, number))
    named.pop("", None)
    for name, rows in named.items():
        if len({table.file for table, _ in rows}) < 3:
            continue
        for table, number in rows:
            for key, value in table.rows[number].scores.items():
                metric = table.metrics[key]
                if value is not None and metric.role == "score" and _single(table, metric):
                    identity = (name, metric.benchmark, metric.max, metric.shots)
                    places.setdefault(identity, []).append((table, number, key, value))
    for found in places.values():
        papers = {table.file for table, *_ in found}
        if len(papers) < 3:
            continue
        for table, (pointer, message) in _odd(found, "other papers print"):
            value = next(
                value
                for other, number, key, value in found
                if other is table and at(number, key) == pointer
            )
            votes = {
                other.file
                for other, *_, theirs in found
                if not agree(value, theirs) and other.file != table.file
            }
            rest = [theirs for other, *_, theirs in found if other.file != table.file]
            if len(votes) >= 2 and all(agree(rest[0], theirs) for theirs in rest):
                yield table, (pointer, message)


def _single(table: Table, metric: Metric) -> bool:
    """Is it the table's only column of its benchmark? Several columns are several splits."""
    same = (m for m in table.metrics.values() if m.benchmark == metric.benchmark)
    return sum(m.shots == metric.shots for m in same) == 1


ENOUGH = 3  # equal numbers that are no accident


class Repeated(NamedTuple):
    """Rows of one paper that another prints with the same scores: how many of how many; the first,
    and where it stands there (table id, arm).
    """

    paper: str
    of: str
    rows: int
    among: int
    first: tuple[str, str]
    there: tuple[str, str]


def repeated(papers: Iterable[Paper], others: Iterable[Paper]) -> Iterator[Repeated]:
    """For each paper the other one that has most of its rows, whatever keys, ids and arms are
    called.

    A row is the other's when at least ENOUGH of its scores stand in one row there and no benchmark
    of both disagrees; a row of fewer scores, when a whole column of ENOUGH values or more stands
    there.
    """
    rows: dict[tuple[str, float], list[tuple[str, Table, Row]]] = {}
    columns: dict[tuple, tuple[str, Table, list[tuple[int, float]]]] = {}
    for other in others:
        for table in other.tables:
            for key, metric in table.metrics.items():
                values = column(table, key)
                columns.setdefault(
                    (metric.benchmark, tuple(value for _, value in values)),
                    (other.key, table, values),
                )
                for number, value in values:
                    rows.setdefault((metric.benchmark, value), []).append(
                        (other.key, table, table.rows[number])
                    )
    for paper in papers:
        # other paper -> (table id, row number) here -> place there
        found: dict[str, dict[tuple[str, int], tuple[str, str]]] = {}
        for table in paper.tables:
            for number, row in enumerate(table.rows):
                for key, place in _same_rows(table, row, rows):
                    found.setdefault(key, {}).setdefault((table.id, number), place)
            for key, metric in table.metrics.items():
                values = column(table, key)
                twin = (
                    columns.get((metric.benchmark, tuple(value for _, value in values)))
                    if len(values) >= ENOUGH
                    else None
                )
                for (number, _), (there, _) in zip(values, twin[2] if twin else ()):
                    found.setdefault(twin[0], {}).setdefault(
                        (table.id, number), (twin[1].id, twin[1].rows[there].arm)
                    )
        if found:
            of = max(found, key=lambda key: len(found[key]))
            (where, number), there = next(iter(found[of].items()))
            arm = next(table for table in paper.tables if table.id == where).rows[number].arm
            yield Repeated(
                paper.key,
                of,
                len(found[of]),
                sum(len(table.rows) for table in paper.tables),
                (where, arm),
                there,
            )


def _printed(table: Table, row: Row) -> dict[str, set[float]]:
    """Benchmark -> scores of a row (several splits, several scores)."""
    out: dict[str, set[float]] = {}
    for key, value in row.scores.items():
        if value is not None:
            out.setdefault(table.metrics[key].benchmark, set()).add(value)
    return out


def _same_rows(
    table: Table, row: Row, rows: dict[tuple[str, float], list[tuple[str, Table, Row]]]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """(paper, place) of every indexed row that prints the scores of this one."""
    mine = _printed(table, row)
    near = [
        place
        for benchmark, values in mine.items()
        for value in values
        for place in rows.get((benchmark, value), ())
    ]
    counts = Counter(id(place[2]) for place in near)
    for key, there, other in {
        id(place[2]): place for place in near if counts[id(place[2])] >= ENOUGH
    }.values():
        theirs = _printed(there, other)
        if all(mine[benchmark] & theirs[benchmark] for benchmark in mine if benchmark in theirs):
            yield key, (there.id, other.arm)


def model_name(row: Row) -> str | None:
    """A released model's name in a form that papers share (LLaVA-1.5-7B), or None for an arm that
    is no such name.
    """
    name = fold(re.sub(r"\(.*?\)|\[.*?\]", "", row.arm))
    return (
        name if len(name) >= 6 and re.search(r"[a-z]{3}", name) and re.search(r"\d", name) else None
    )


# rule -> (check of all tables together, severity)
ACROSS = {
    "same-run": (check_same_run, "error"),
    "reprint": (check_reprint, "warning"),
    "baseline": (check_baseline, "warning"),
}


def across(tables: Iterable[Table]) -> Iterator[tuple[str, str, Table, Found]]:
    """(rule, severity, table, finding) of the rules that look at several tables."""
    tables = list(tables)
    for rule, (function, severity) in ACROSS.items():
        for table, found in function(tables):
            yield rule, severity, table, found
