"""Tables -> columns: what the model is fitted on.

In: papers. Out: Columns: all rows of one paper that were measured the same way (one benchmark,
split and scale), each with its features, the names of its settings per axis, and its score in
percent of the scale. A training run that several tables of a paper print is one row, and the tables
that share runs on a metric are one column. Rows of which the table says almost nothing (other
people's systems) are left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..evidence.contrasts import doubtful, evidence_metrics
from ..evidence.tables import Metric, Paper, Row, Table
from ..terms.vocabulary import Vocabulary
from .features import bundle, features

AXES = ("encoder", "connector", "llm", "data", "resolution")
# What differs between two rows beyond the shared features makes results of one paper deviate
# together: one name per kind of setting (see model.Hyper.heterogeneity).
KINDS = (
    "encoder",
    "encoder_detail",
    "connector",
    "connector_class",
    "connector_detail",
    "llm",
    "data",
    "data_detail",
    "resolution",
    "training",
)


class Column(NamedTuple):
    """Rows of one paper on one metric. `unit` is the metric's maximum divided by 100 (1 for CIDEr
    and the like).
    """

    paper: str
    benchmark: str
    family: str
    unit: float
    rows: tuple[Row, ...]
    tables: tuple[str, ...]  # the table of each row (the first that prints the run)
    features: tuple[Mapping[str, float], ...]
    kinds: tuple[tuple, ...]  # per row, one value per KINDS
    # in percent of the scale, signed so that more is better
    scores: tuple[float, ...]
    # variance of each score over its questions; empty: not known
    sampling: tuple[float, ...] = ()


def axis_name(axes: Sequence[str]) -> str:
    """One word for the axes that moved: the axis, or `several`."""
    return axes[0] if len(axes) == 1 else "several"


def stated(setting: Mapping) -> set[str]:
    """Which of the five axes a setting states."""
    return {
        axis
        for axis in AXES
        if setting.get(axis) is not None
        or (axis == "llm" and setting.get("llm_params_b") is not None)
    }


def recipe_rows(table: Table) -> list[Row]:
    """The rows that say what was trained: not other people's systems quoted for comparison.

    A row may leave unsaid one axis of those that the most explicit row of its table states. In a
    table whose record says `whole systems` in `varies`, nothing unsaid may be taken as equal, so it
    has none.
    """
    if "whole systems" in table.varies or not table.rows:
        return []
    said = [stated(row.setting) for row in table.rows]
    most = max(said, key=len)
    return [row for row, axes in zip(table.rows, said) if len(most - axes) <= 1 and axes]


def kind_values(setting: Mapping, axis_of: Mapping[str, str], words: Vocabulary) -> tuple:
    """One hashable value per KINDS; two rows that agree in it agree in all settings of that
    kind.
    """
    rest: dict[str, list] = {
        "encoder_detail": [],
        "connector_detail": [],
        "data_detail": [],
        "resolution": [],
        "training": [],
    }
    for key, value in setting.items():
        if value is None or key in (
            "encoder",
            "connector",
            "llm",
            "llm_params_b",
            "data",
            "data_size",
        ):
            continue
        axis = axis_of.get(key, "other")
        if axis in ("encoder", "connector", "data"):
            rest[axis + "_detail"].append((key, str(value)))
        elif axis == "resolution":
            rest["resolution"].append((key, str(value)))
        elif axis not in ("describes", "visual_tokens"):
            rest["training"].append((key, str(value)))
    named = {
        "encoder": setting.get("encoder"),
        "connector": setting.get("connector"),
        "connector_class": words.connector_class(setting),
        "llm": setting.get("llm") or setting.get("llm_params_b"),
        "data": setting.get("data") or setting.get("data_size"),
    }
    return tuple(named[kind] if kind in named else tuple(sorted(rest[kind])) for kind in KINDS)


def sampling_variance(
    record: Mapping, split: str | None, score: float | None = None
) -> float | None:
    """Variance of a score from the number of questions n, in (percent of the scale)^2: p (1 - p) /
    n. None: n is not known.

    p (1 - p) is the variance of right or wrong; for partial credit (ANLS, VQA accuracy) it is the
    most that it can be. Without a score p is a half. A split that the registry does not name counts
    as its first one.
    """
    splits = record.get("splits") or {}
    sizes = [entry["n"] for entry in (splits.get(split) or {}, *splits.values()) if entry.get("n")]
    if not sizes or not record.get("max"):
        return None
    p = 0.5 if score is None else min(max(abs(score) / 100.0, 0.02), 0.98)
    return 1e4 * p * (1 - p) / sizes[0]


def measured_variance(row: Row, metric: Metric) -> float | None:
    """Variance of a score from the standard error that its harness gave, in (percent of the
    scale)^2; None: it gave none.

    An error of zero (all questions right, or one question) says nothing about the next run.
    """
    error = row.se.get(metric.key)
    return (error / _scale(metric)) ** 2 if error else None


def _scale(metric: Metric) -> float:
    return metric.max / 100.0 if metric.max else 1.0


def columns(papers: Iterable[Paper], words: Vocabulary) -> list[Column]:
    """All columns with at least two rows, in a fixed order. Benchmarks without a task family are
    left out.
    """
    axis_of = words.axis_of
    benchmarks = words.records("benchmark")
    out = []
    for paper in papers:
        groups: dict[tuple, list] = {}  # (table, metric identity) -> cells
        where: dict[tuple, tuple] = {}  # (run, metric identity) -> group that has it first
        joined: dict[tuple, tuple] = {}  # group -> group it joined

        def root(group):
            while group in joined:
                group = joined[group]
            return group

        for table in paper.tables:
            usable = recipe_rows(table)
            for metric in evidence_metrics(table):
                record = benchmarks.get(metric.benchmark)
                if record is None or not record["family"] or metric.unit == "Elo":
                    continue
                identity = (metric.benchmark, metric.split, metric.max, metric.shots)
                group = (table.id, *identity, metric.unit)
                for number, row in enumerate(table.rows):
                    value = row.scores.get(metric.key)
                    if value is None or row not in usable or doubtful(row, metric.key):
                        continue
                    run = (row.run or (table.id, number), *identity)
                    if run in where:
                        a, b = root(where[run]), root(group)
                        if a != b:
                            joined[b] = a
                        continue
                    where[run] = group
                    score = (value if metric.higher_is_better else -value) / _scale(metric)
                    groups.setdefault(group, []).append(
                        (row, table.id, score, metric, record["family"])
                    )
        merged: dict[tuple, list] = {}
        for group, cells in groups.items():
            merged.setdefault(root(group), []).extend(cells)
        # features of a row are asked for once per metric: compute them once
        seen: dict[int, tuple] = {}
        for cells in merged.values():
            if len(cells) < 2:
                continue
            rows, tables, scores, metrics, families = zip(*cells)
            for row in rows:
                if id(row) not in seen:
                    seen[id(row)] = (
                        features(row.setting, words),
                        kind_values(row.setting, axis_of, words),
                    )
            feats = _fill([seen[id(row)][0] for row in rows])
            record = benchmarks[metrics[0].benchmark]
            sampling = [
                measured_variance(row, metric) or sampling_variance(record, metrics[0].split, score)
                for row, metric, score in zip(rows, metrics, scores)
            ]
            out.append(
                Column(
                    paper.key,
                    metrics[0].benchmark,
                    families[0],
                    _scale(metrics[0]),
                    rows,
                    tables,
                    tuple(feats),
                    tuple(seen[id(row)][1] for row in rows),
                    scores,
                    () if None in sampling else tuple(sampling),
                )
            )
    return _once(out)


def _once(found: list[Column]) -> list[Column]:
    """Without the columns of which every run stands in a column of another paper as well: a
    comparison that a later paper prints again. Of two that print the same runs the first stays.
    """
    runs = [{row.run for row in column.rows} for column in found]
    by_benchmark: dict[str, list[int]] = {}
    for number, column in enumerate(found):
        by_benchmark.setdefault(column.benchmark, []).append(number)

    def again(number: int) -> bool:
        mine = runs[number]
        return None not in mine and any(
            found[other].paper != found[number].paper
            and (mine < runs[other] or (mine == runs[other] and other < number))
            for other in by_benchmark[found[number].benchmark]
        )

    return [column for number, column in enumerate(found) if not again(number)]


def _fill(rows: list[Mapping[str, float]]) -> list[dict[str, float]]:
    """What a row does not state gets the mean of the rows that state it: it then tells nothing.

    What is stated together (features.bundle: the levels of an axis, a number) is filled together.
    """
    out = [dict(row) for row in rows]
    bundles: dict[str, list[str]] = {}
    for name in sorted({name for row in rows for name in row}):
        bundles.setdefault(bundle(name), []).append(name)
    for names in bundles.values():
        _fill_group(out, names, [not row.keys().isdisjoint(names) for row in rows])
    return out


def _fill_group(rows: list[dict[str, float]], names: list[str], has: list[bool]) -> None:
    count = sum(has)
    if not count or count == len(rows):
        return
    for name in names:
        mean = sum(row.get(name, 0.0) for row, known in zip(rows, has) if known) / count
        for row, known in zip(rows, has):
            if not known and mean:
                row[name] = mean
