"""What tables say twice: rules that find a slip because another number contradicts it.

In: a Table and the vocabulary. Out: findings, each a JSON pointer inside the table and a message. A
rule speaks only where the rest of the data shows that it holds: a column whose other scores are all
k of n answers. What several tables print of one thing: reprints.py.
"""

import math
from collections.abc import Iterator
from statistics import median

from ..terms.vocabulary import Vocabulary
from .tables import Metric, Table, escape

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
