"""How far two runs must lie apart on a benchmark before the difference is more than noise.

In: the vocabulary's benchmark records, the fitted model's noise (effects/posterior.py), and the
papers. Out: one Yardstick per benchmark, and for a task mix which benchmarks to watch. Does not
print.

The difference of two runs that answer the same n questions has variance (Posterior.noise, in
percent of scale)

    spread x width x 2 x (binomial x p (1 - p) / n  +  noise x moves^2)

p: the typical score of the tables; binomial: how much of the questions' sampling is left between
two runs that answer the same ones; moves: how much the benchmark's scores move between rows of the
tables; noise, binomial, spread and the width of each benchmark are fitted to all tables. A
difference is clear at 80 % when it exceeds 1.28 standard deviations, at 95 % when it exceeds 1.96
(two-sided).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from ..effects.columns import sampling_variance
from ..effects.posterior import Posterior
from ..evidence.contrasts import doubtful
from ..evidence.tables import Paper

Z80, Z95 = 1.2816, 1.96


class Seen(NamedTuple):
    """What the tables print of a benchmark: ids of the tables, how many scores, their median
    (percent of the maximum), printed deviations (points).
    """

    tables: tuple[str, ...]
    scores: int
    median: float | None
    deviations: tuple[float, ...]


class Yardstick(NamedTuple):
    """Noise of a benchmark, in its own points. None: not known. lower_bound: the number of
    questions is not known, so noise is at least this.

    sd: of the difference of two runs; questions and runs: its parts. moves: how much scores move
    between rows of the tables.
    """

    benchmark: str
    n: int | None
    sd: float | None
    questions: float | None
    runs: float | None
    moves: float | None
    lower_bound: bool
    seen: Seen

    @property
    def clear80(self) -> float | None:
        return None if self.sd is None else Z80 * self.sd

    @property
    def clear95(self) -> float | None:
        return None if self.sd is None else Z95 * self.sd

    @property
    def signal(self) -> float | None:
        """How much recipes move it, in standard deviations of the difference of two runs."""
        return None if self.sd is None or self.moves is None else self.moves / self.sd

    @property
    def verdict(self) -> str:
        """In words: whether a typical change of recipe shows in one pair of runs."""
        if self.moves is None:
            return "no table ablates it"
        if self.signal is None or self.lower_bound:
            return "questions not counted"
        if self.moves > (self.clear95 or 0):
            return "shows (95 %)"
        return "shows (80 % only)" if self.moves > (self.clear80 or 0) else "too small or noisy"


def survey(papers: Iterable[Paper]) -> dict[str, Seen]:
    """Benchmark -> what the tables print of it. Doubtful cells, means and text-only columns count
    as printed, not in the median.
    """
    tables: dict[str, dict[str, None]] = {}
    values: dict[str, list[float]] = {}
    deviations: dict[str, list[float]] = {}
    for paper in papers:
        for table in paper.tables:
            for metric in table.metrics.values():
                rows = [row for row in table.rows if row.scores.get(metric.key) is not None]
                if not rows:
                    continue
                tables.setdefault(metric.benchmark, {})[table.id] = None
                if metric.role == "score":
                    values.setdefault(metric.benchmark, []).extend(
                        100 * row.scores[metric.key] / (metric.max or 100)
                        for row in rows
                        if not doubtful(row, metric.key)
                    )
                    deviations.setdefault(metric.benchmark, []).extend(
                        row.std[metric.key]
                        for row in rows
                        if isinstance(row.std.get(metric.key), (int, float))
                    )
    return {
        name: Seen(
            tuple(ids),
            len(values.get(name, ())),
            median(values[name]) if values.get(name) else None,
            tuple(deviations.get(name, ())),
        )
        for name, ids in tables.items()
    }


def questions(record: Mapping) -> int | None:
    """The number of questions that counts: of the first split that has one (as effects/columns.py
    reads it).
    """
    return next(
        (entry["n"] for entry in (record.get("splits") or {}).values() if entry.get("n")), None
    )


NOTHING = Seen((), 0, None, ())


def measure(record: Mapping, posterior: Posterior, seen: Mapping[str, Seen]) -> Yardstick:
    """The yardstick of one benchmark.

    A benchmark that no table ablates takes the typical `moves` of others for its runs' noise, if
    its questions are counted. Scores without a proportion's variance (CIDEr, Elo) have no sampling
    term.
    """
    key, found = record["key"], seen.get(record["key"], NOTHING)
    unit, scale = (record["max"] or 100) / 100, posterior.scale_of(key)
    ablated = key in posterior.scale
    variance = sampling_variance(record, None, found.median)
    if variance is None and not ablated or record["metric"] == "Elo":
        return Yardstick(key, questions(record), None, None, None, None, True, found)
    sampled = posterior.sampling.get(key, None if variance is None else variance / scale**2)
    total = posterior.noise(key, 0.0 if sampled is None else sampled)
    runs = posterior.seeds(key)
    points = scale * unit
    return Yardstick(
        key,
        questions(record),
        math.sqrt(total) * points,
        None if sampled is None else math.sqrt(max(total - runs, 0.0)) * points,
        math.sqrt(runs) * points,
        points if ablated else None,
        sampled is None,
        found,
    )


def watch(
    yardsticks: Iterable[Yardstick], weights: Mapping[str, float]
) -> tuple[list[Yardstick], list[Yardstick]]:
    """Those of a mix, and the others that tables ablate: each from the largest signal to the
    least.
    """
    order: Sequence[Yardstick] = sorted(
        yardsticks, key=lambda y: (y.lower_bound, -(y.signal or 0.0), y.benchmark)
    )
    return [y for y in order if y.benchmark in weights], [
        y for y in order if y.benchmark not in weights and y.moves is not None
    ]
