"""What simple rules would have predicted, and how good the model's predictions are beside them.

In: columns, and the scored contrasts of a backtest (backtest.py). Out: Judged contrasts (axis,
grade, what each baseline says, always from the other papers alone) and their Summary. Does not fit,
search or read files.

The baselines: "no change"; "no change" with a calibrated spread (per benchmark and axis, for CRPS),
and with the sharpest one (see `sharpened`); the mean of all contrasts that move the axis, in the
direction in which its size grows; rules of thumb that people repeat (registry/claims.json).
"""

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from . import tails
from .backtest import Scored, crps, pairs, right_sign
from .columns import KINDS, Column, axis_name
from .features import AXIS_OF, LIKENESS, NUMERIC, RANGED, UNKNOWN, difference, group
from .level import bounded, carried

# The feature that says which way a contrast of an axis points. Connectors have none: their mean is
# no change.
DIRECTION = {
    "llm": "llm_size",
    "resolution": "resolution",
    "visual_tokens": "visual_tokens",
    "data": "data_size",
    "encoder": "encoder_size",
    "training": "frozen_encoder",
}
# weight of the axis's spread, in contrasts, beside what the benchmark itself shows
PRIOR_CONTRASTS = 10


class Judged(NamedTuple):
    """One contrast of a paper, predicted without it. Values in percent of the scale; `thumb` is
    None where no rule speaks.
    """

    paper: str
    benchmark: str
    family: str
    axis: str
    grade: str
    expected: float
    sd: float
    actual: float
    axis_mean: float
    zero_sd: float
    thumb: float | None
    sharp_sd: float = 0.0  # 0: as zero_sd
    # what is expected where the first row's score is known (level.py); None: the same
    informed: float | None = None
    rarer: int = 0  # other papers in which the rarest of what moved is seen to vary


class Summary(NamedTuple):
    """Scores of a set of contrasts. Ratios are averaged inside a paper and then over papers.

    mae_ratio: mean absolute error over that of "no change"; pooled_ratio: the same over all
    contrasts at once; informed_ratio: where the first row's score is known; axis_mean_ratio
    and thumb_ratio: the same for these baselines (thumb: over the `thumb_contrasts` of which a rule
    speaks, None where there is none).
    crps_ratio and crps_zero_ratio: CRPS of the model and of the calibrated "no change" over the
    mean absolute change; crps_sharp_ratio: of the sharpest. coverage: share of results inside the
    50, 80 and 95 % intervals, over papers;
    coverage_pooled: the same over all contrasts. sign: share of right signs where |prediction| > 1,
    over papers (with LEAST such contrasts);
    sign_pooled: the same over all contrasts; sign_moved: over all contrasts where |change| > 2, of
    which there are `moved`; the `unsigned` ones among them, for which exactly 0 was predicted, are
    neither right nor wrong. A result of exactly 0 is no right sign.
    """

    contrasts: int
    papers: int
    mae_ratio: float
    informed_ratio: float
    axis_mean_ratio: float
    thumb_contrasts: int
    thumb_ratio: float | None
    thumb_model_ratio: float | None
    crps_ratio: float
    crps_zero_ratio: float
    crps_sharp_ratio: float
    coverage: Mapping[str, float]
    coverage_pooled: Mapping[str, float]
    sign: float | None
    sign_pooled: float | None
    sign_moved: float | None
    moved: int
    unsigned: int
    pooled_ratio: float


LEVELS = {"50": tails.half_width(0.5), "80": tails.half_width(0.8), "95": tails.half_width(0.95)}
LEAST = 3  # contrasts that a paper must have to count


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values)


def _share(flags: Iterable[bool]) -> float | None:
    flags = list(flags)
    return sum(flags) / len(flags) if flags else None


def summary(judged: Iterable[Judged]) -> Summary | None:
    """Summarise; papers with fewer than LEAST contrasts, or none that moved, are left out. None if
    nothing is left.
    """
    by_paper: dict[str, list[Judged]] = {}
    for item in judged:
        by_paper.setdefault(item.paper, []).append(item)
    kept = {
        paper: items
        for paper, items in by_paper.items()
        if len(items) >= LEAST and any(x.actual for x in items)
    }
    if not kept:
        return None
    everything = [item for items in kept.values() for item in items]

    def ratio(
        error: Callable[[Judged], float], groups: Iterable[list[Judged]] = tuple(kept.values())
    ) -> float:
        return _mean(sum(map(error, items)) / sum(abs(x.actual) for x in items) for items in groups)

    spoken = [
        part
        for items in kept.values()
        if (part := [x for x in items if x.thumb is not None and x.thumb])
        and any(x.actual for x in part)
    ]
    inside = {
        name: [[abs(x.actual - x.expected) <= z * x.sd for x in items] for items in kept.values()]
        for name, z in LEVELS.items()
    }
    called = [
        [bool(right_sign(x.expected, x.actual)) for x in items if abs(x.expected) > 1]
        for items in kept.values()
    ]
    moved = [right_sign(x.expected, x.actual) for x in everything if abs(x.actual) > 2]
    often = [flags for flags in called if len(flags) >= LEAST]
    return Summary(
        len(everything),
        len(kept),
        ratio(lambda x: abs(x.actual - x.expected)),
        ratio(lambda x: abs(x.actual - (x.expected if x.informed is None else x.informed))),
        ratio(lambda x: abs(x.actual - x.axis_mean)),
        sum(map(len, spoken)),
        ratio(lambda x: abs(x.actual - x.thumb), spoken) if spoken else None,
        ratio(lambda x: abs(x.actual - x.expected), spoken) if spoken else None,
        ratio(lambda x: crps(x.expected, x.sd, x.actual)),
        ratio(lambda x: crps(0.0, x.zero_sd, x.actual)),
        ratio(lambda x: crps(0.0, x.sharp_sd or x.zero_sd, x.actual)),
        {name: _mean(map(_share, flags)) for name, flags in inside.items()},
        {name: _share(flag for part in flags for flag in part) for name, flags in inside.items()},
        _mean(map(_share, often)) if often else None,
        _share(flag for flags in called for flag in flags),
        _share(flag for flag in moved if flag is not None),
        len(moved),
        moved.count(None),
        sum(abs(x.actual - x.expected) for x in everything)
        / sum(abs(x.actual) for x in everything),
    )


def moved_axes(column: Column, i: int, j: int) -> tuple[str, ...]:
    """The axes on which two rows of a column differ; what only changes the token count is
    `visual_tokens`.
    """
    kinds = (
        kind.partition("_")[0]
        for kind, x, y in zip(KINDS, column.kinds[i], column.kinds[j])
        if x != y
    )
    return tuple(dict.fromkeys(kinds)) or ("visual_tokens",)


class Elsewhere:
    """What all papers but one show: means and spreads per axis, which components stand where, which
    ranges are covered.
    """

    def __init__(self, columns: Sequence[Column], scale: Mapping[str, float]):
        self.scale = scale
        # (axis, benchmark) -> paper -> [n, sum of squares]
        self._spread: dict[tuple[str, str], dict[str, list[float]]] = {}
        # axis -> paper -> [n, sum towards growth]
        self._mean: dict[str, dict[str, list[float]]] = {}
        # feature -> papers in which it varies
        self._papers: dict[str, set[str]] = {}
        # benchmark -> (paper, features that vary in one column)
        self._together: dict[str, list[tuple[str, frozenset[str]]]] = {}
        # numeric feature -> paper -> [low, high]
        self._range: dict[str, dict[str, list[float]]] = {}
        self._linked: dict[tuple, bool] = {}
        # benchmark -> (paper, scores)
        self._scores: dict[str, list[tuple[str, Sequence[float]]]] = {}
        self._usual: dict[tuple[str, str], float] = {}
        for column in columns:
            self._add(column)

    def _add(self, column: Column) -> None:
        self._scores.setdefault(column.benchmark, []).append((column.paper, column.scores))
        varies = set()
        for name in {name for row in column.features for name in row}:
            values = [row.get(name, 0.0) for row in column.features]
            if max(values) - min(values) > 1e-9:
                varies.add(name)
                self._papers.setdefault(name, set()).add(column.paper)
                if name in NUMERIC:
                    seen = self._range.setdefault(name, {}).setdefault(
                        column.paper, [min(values), max(values)]
                    )
                    seen[:] = min(seen[0], *values), max(seen[1], *values)
        self._together.setdefault(column.benchmark, []).append((column.paper, frozenset(varies)))
        unit = self.scale.get(column.benchmark, 4.0)
        for i in range(len(column.rows)):
            for j in range(i + 1, len(column.rows)):
                axes = moved_axes(column, i, j)
                delta = (column.scores[j] - column.scores[i]) / unit
                for key in ((axis_name(axes), column.benchmark), (axis_name(axes), "")):
                    spread = self._spread.setdefault(key, {}).setdefault(column.paper, [0.0, 0.0])
                    spread[0] += 1
                    spread[1] += delta * delta
                if len(axes) == 1:
                    way = self._way(axes[0], difference(column.features[i], column.features[j]))
                    if way:
                        total = self._mean.setdefault(axes[0], {}).setdefault(
                            column.paper, [0.0, 0.0]
                        )
                        total[0] += 1
                        total[1] += way * delta

    @staticmethod
    def _way(axis: str, change: Mapping[str, float]) -> int:
        value = change.get(DIRECTION.get(axis, ""), 0.0)
        return (value > 0) - (value < 0)

    def axis_mean(
        self, axes: Sequence[str], change: Mapping[str, float], benchmark: str, paper: str
    ) -> float:
        """The mean of all contrasts of these axes in other papers (each paper counts once), turned
        the way this one points.
        """
        total = sum(self._way(axis, change) * self._grows(axis, paper) for axis in axes)
        return total * self.scale.get(benchmark, 4.0)

    @functools.cache  # noqa: B019
    def _grows(self, axis: str, paper: str) -> float:
        """What contrasts of an axis bring in other papers, towards growth; 0: there is none."""
        means = [s / n for other, (n, s) in self._mean.get(axis, {}).items() if other != paper]
        return _mean(means) if means else 0.0

    def zero_sd(self, axes: Sequence[str], benchmark: str, paper: str) -> float:
        """The spread of changes of this axis on this benchmark in other papers, drawn towards that
        of the axis on all benchmarks.
        """
        return self._zero_sd(axis_name(axes), benchmark, paper)

    @functools.cache  # noqa: B019
    def _zero_sd(self, axis: str, benchmark: str, paper: str) -> float:
        def sums(key):
            parts = [part for other, part in self._spread.get(key, {}).items() if other != paper]
            return sum(n for n, _ in parts), sum(s for _, s in parts)

        count, squares = sums((axis, ""))
        wide = squares / count if count else 2.0
        count, squares = sums((axis, benchmark))
        return math.sqrt(
            (squares + PRIOR_CONTRASTS * wide) / (count + PRIOR_CONTRASTS)
        ) * self.scale.get(benchmark, 4.0)

    def usual(self, benchmark: str, paper: str) -> float:
        """The median score on a benchmark in other papers, in percent of the scale; 50 where no
        other prints it.
        """
        key = (benchmark, paper)
        if key not in self._usual:
            values = [
                score
                for other, scores in self._scores.get(benchmark, ())
                if other != paper
                for score in scores
            ]
            self._usual[key] = median(values) if values else 50.0
        return self._usual[key]

    def _elsewhere(self, name: str, paper: str) -> bool:
        return bool(self._papers.get(name, set()) - {paper})

    def rarer(self, change: Mapping[str, float], paper: str) -> int:
        """In how many other papers the rarest of the components that a change names varies; where
        it names none, the rarest of its numbers.
        """
        named = [n for n in change if group(n) in ("encoder", "llm", "connector", "data")]
        asked = [n for n in named if "=" in n] or [n for n in change if n in RANGED]
        return min((len(self._papers.get(n, set()) - {paper}) for n in asked), default=0)

    def _link(self, axis: str, names: Sequence[str], paper: str) -> bool:
        """Do chains of other papers join these levels of an axis?"""
        key = (axis, *sorted(names), paper)
        if key not in self._linked:
            where = {
                name: papers - {paper}
                for name, papers in self._papers.items()
                if name.startswith(axis + "=")
            }
            reached, papers = {names[0]}, set(where.get(names[0], ()))
            while new := {
                name for name, seen in where.items() if name not in reached and papers & seen
            }:
                reached |= new
                papers |= {p for name in new for p in where[name]}
            self._linked[key] = set(names) <= reached and bool(papers)
        return self._linked[key]

    def grade(
        self,
        change: Mapping[str, float],
        features: Sequence[Mapping[str, float]],
        benchmark: str,
        paper: str,
    ) -> str:
        """The grade of an answer from the other papers alone (swap.Change.grade, for features
        instead of recipes).
        """
        # what moved (a learning rate, an encoder's own training data) is no part of a recipe that
        # can be asked about
        if not change:
            return "none"
        levels = [
            name
            for name in change
            if group(name) in ("encoder", "llm", "connector", "data") and "=" in name
        ]
        needed = set(levels or change)
        if any(
            other != paper and needed <= varies
            for other, varies in self._together.get(benchmark, ())
        ):
            return "direct"
        known, alike = self._known(change, levels, paper)
        axes = {AXIS_OF[group(name)] for name in change}
        if not axes & known:
            return "extrapolated" if alike else "none"
        new = any(
            group(name) in ("encoder", "llm") and not self._elsewhere(name, paper)
            for name in levels
        )
        if (
            axes - known
            or new
            or self._beyond(change, features, paper)
            or all(other == paper for other, _ in self._together.get(benchmark, ()))
        ):
            return "extrapolated"
        return "indirect"

    def _known(
        self, change: Mapping[str, float], levels: Sequence[str], paper: str
    ) -> tuple[set[str], bool]:
        """(axes of the change about which other papers say something, whether only what a
        component is like is known).
        """
        known, alike = set(), False
        strange = any(name.startswith("encoder_kind=" + UNKNOWN) for name in change)
        mixes = any(group(name) == "data" for name in change)
        for name in change:
            if strange and AXIS_OF[group(name)] == "encoder" or mixes and name == "data_size":
                # as in swap.Change: shares of kinds, and a size, say nothing of a component that
                # nobody knows
                continue
            if group(name) in LIKENESS:
                alike = alike or self._elsewhere(name, paper)
            elif (
                name in NUMERIC or group(name) not in ("connector", "data", "encoder")
            ) and self._elsewhere(name, paper):
                known.add(AXIS_OF[group(name)])
        for axis in ("connector", "data"):
            names = [name for name in levels if group(name) == axis]
            if names and self._link(axis, names, paper):
                known.add(axis)
        return known, alike

    def _beyond(
        self, change: Mapping[str, float], features: Sequence[Mapping[str, float]], paper: str
    ) -> bool:
        for name in change:
            if name in RANGED:
                ranges = [
                    seen for other, seen in self._range.get(name, {}).items() if other != paper
                ]
                values = [row.get(name, 0.0) for row in features]
                if ranges and (
                    max(values) > max(r[1] for r in ranges) + 0.05
                    or min(values) < min(r[0] for r in ranges) - 0.05
                ):
                    return True
        return False


# two settings and a benchmark -> what rules of thumb say, in points
Thumb = Callable[[Mapping, Mapping, str], float | None]


def judge(
    scored: Iterable[Scored],
    columns: Sequence[Column],
    elsewhere: Elsewhere,
    thumb: Thumb,
    records: Mapping[str, Mapping] | None = None,
    sharpen_by: Sequence[Judged] = (),
) -> list[Judged]:
    """Every scored contrast with its axis, grade and baselines.

    records: of the benchmarks in the registry, for what is expected at a known score. sharpen_by:
    contrasts of further papers that the sharpest "no change" may know.
    """
    out = []
    for item in scored:
        column = columns[item.column]
        change = difference(column.features[item.first], column.features[item.second])
        axes = moved_axes(column, item.first, item.second)
        said = thumb(
            column.rows[item.first].setting, column.rows[item.second].setting, column.benchmark
        )
        out.append(
            Judged(
                column.paper,
                column.benchmark,
                column.family,
                axis_name(axes),
                elsewhere.grade(
                    change,
                    (column.features[item.first], column.features[item.second]),
                    column.benchmark,
                    column.paper,
                ),
                item.expected,
                item.sd,
                item.actual,
                elsewhere.axis_mean(axes, change, column.benchmark, column.paper),
                elsewhere.zero_sd(axes, column.benchmark, column.paper),
                None if said is None else said / column.unit,
                informed=(
                    carried(
                        item.expected,
                        elsewhere.usual(column.benchmark, column.paper),
                        column.scores[item.first],
                    )
                    if bounded((records or {}).get(column.benchmark, {}))
                    else None
                ),
                rarer=elsewhere.rarer(change, column.paper),
            )
        )
    return sharpened(out, sharpen_by)


FACTORS = tuple(0.3 + 0.1 * k for k in range(12))


def changes(columns: Sequence[Column], elsewhere: Elsewhere) -> list[Judged]:
    """Every contrast of these columns as "no change" sees it, without a prediction."""
    out = []
    for column in columns:
        for i, j in pairs(column, all_pairs=True):
            axes = moved_axes(column, i, j)
            out.append(
                Judged(
                    column.paper,
                    column.benchmark,
                    column.family,
                    axis_name(axes),
                    "",
                    0.0,
                    1.0,
                    column.scores[j] - column.scores[i],
                    0.0,
                    elsewhere.zero_sd(axes, column.benchmark, column.paper),
                    None,
                )
            )
    return out


def sharpened(judged: Sequence[Judged], others: Sequence[Judged] = ()) -> list[Judged]:
    """The same with the sharpest "no change": its spread times the factor per axis that scores best
    (CRPS) on the other papers.

    A root mean square is that of the few papers in which much moves: as it stands it is wider than
    most results.
    """
    # axis -> paper -> CRPS over mean absolute change, by factor
    losses: dict[str, dict[str, list[float]]] = {}
    groups: dict[tuple[str, str], list[Judged]] = {}
    for item in (*judged, *others):
        groups.setdefault((item.axis, item.paper), []).append(item)
    for (axis, paper), items in groups.items():
        moved = sum(abs(x.actual) for x in items)
        if len(items) >= LEAST and moved:
            losses.setdefault(axis, {})[paper] = [
                sum(crps(0.0, factor * x.zero_sd, x.actual) for x in items) / moved
                for factor in FACTORS
            ]
    best = {}
    for axis, paper in groups:
        elsewhere = [values for other, values in losses.get(axis, {}).items() if other != paper]
        best[axis, paper] = min(zip(map(sum, zip(*elsewhere)), FACTORS))[1] if elsewhere else 1.0
    return [item._replace(sharp_sd=item.zero_sd * best[item.axis, item.paper]) for item in judged]
