"""Leave one paper out: predict every contrast of a paper from all the other papers, and score the
predictions.

In: columns and hyper-parameters. Out: one Scored value per contrast, and summaries of them (mean
absolute error against baselines, CRPS, sign, interval coverage). Also the search for
hyper-parameters that do best in it. Does not read files.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

from ..base import linalg
from .columns import Column
from .features import AXIS_OF, difference, group
from .hyper import Hyper
from .leave import Leave
from .levels import Levels
from .model import (
    Belief,
    Information,
    column_information,
    grow,
    heterogeneity,
    scales,
    weights,
)


class Scored(NamedTuple):
    """One contrast of a left-out paper: prediction (mean, standard deviation) and result, in
    percent of the scale. local: the part of the prediction's variance that is not the shared
    effect's: heterogeneity and noise.
    """

    column: int
    first: int
    second: int
    expected: float
    sd: float
    actual: float
    local: float = 0.0


def shared_features(columns: Sequence[Column], hyper: Hyper, papers: int = 2) -> dict[str, int]:
    """Feature -> number, for the features that vary inside columns of at least `papers` papers."""
    where: dict[str, set] = {}
    for column in columns:
        for name in {name for row in column.features for name in row}:
            if name in where and column.paper in where[name]:
                continue
            values = [row.get(name, 0.0) for row in column.features]
            if max(values) - min(values) > 1e-9:
                where.setdefault(name, set()).add(column.paper)
    kept = sorted(
        name for name, seen in where.items() if len(seen) >= papers and hyper.prior.get(group(name))
    )
    return {name: number for number, name in enumerate(kept)}


def pairs(column: Column, all_pairs: bool) -> Iterator[tuple[int, int]]:
    """Row numbers of the contrasts of a column: every pair, or every row against the first one."""
    n = len(column.rows)
    for i in range(n if all_pairs else 1):
        for j in range(i + 1, n):
            yield i, j


# Effects on benchmarks that papers speak of: of more, another tree without the papers is grown,
# of fewer they are taken out of the tree of all (leave.py). Both are exact; a tree takes some
# seconds, taking out grows with the cube of the number.
MANY = 2000


class Unseen:
    """The model grown on all columns, to be asked what it would predict of some papers without
    them. Exact: their messages are taken out (leave.py); only the scales of benchmarks are those of
    all.
    """

    def __init__(self, columns: Sequence[Column], hyper: Hyper):
        self.columns, self.hyper = columns, hyper
        self.scale = scales(columns)
        self.names = shared_features(columns, hyper)
        messages = [
            column_information(c, self.scale[c.benchmark], hyper, self.names, w)
            for c, w in zip(columns, weights(columns, hyper.overlap))
        ]
        self._messages = list(zip(columns, messages))
        self._levels = self._grown(self._messages)

    def _grown(self, seen: Sequence[tuple[Column, Information]]) -> Levels:
        """The levels of a tree that has seen these."""
        messages: dict[str, list[Information]] = {}
        for column, message in seen:
            messages.setdefault(column.benchmark, []).append(message)
        family_of = {column.benchmark: column.family for column in self.columns}
        return Levels(grow(messages, family_of, self.names, self.hyper), family_of)

    def without(
        self, papers: Collection[str], asked: Mapping[str, Sequence[int]] | None = None
    ) -> Leave:
        """The posterior without these papers. asked: benchmark -> features to know about besides
        those that the papers' own columns have.
        """
        left: dict[str, list[Information]] = {
            name: [Information(tuple(index), [], [])] for name, index in (asked or {}).items()
        }
        mine = [(c.benchmark, message) for c, message in self._messages if c.paper in papers]
        levels = self._levels
        if sum(len(message.index) for _, message in mine) > MANY:
            levels = self._grown([one for one in self._messages if one[0].paper not in papers])
            mine = [(name, Information(m.index, [], [])) for name, m in mine]
        for name, message in mine:
            left.setdefault(name, []).append(message)
        return Leave(levels, dict(sorted(left.items())))

    def scored(
        self,
        without: Collection[str],
        papers: Collection[str] | None = None,
        all_pairs: bool = True,
    ) -> list[Scored]:
        """Every contrast of `papers` (default: of all that are left out), predicted from the
        papers that are not left out.
        """
        asked = without if papers is None else papers
        left, columns = self.without(without), self.columns
        return list(
            _score_papers(left, columns, self.hyper, self.names, self.scale, asked, all_pairs)
        )


def leave_one_paper_out(
    columns: Sequence[Column],
    hyper: Hyper,
    *,
    all_pairs: bool = True,
    papers: Sequence[str] | None = None,
) -> list[Scored]:
    """Score every contrast of every paper (or of `papers`), predicted from the other papers.

    The intervals are those of the fit: widths.py makes them as wide as they must be.
    """
    unseen, out = Unseen(columns, hyper), []
    asked = papers if papers is not None else dict.fromkeys(column.paper for column in columns)
    for paper in asked:
        out += unseen.scored({paper}, all_pairs=all_pairs)
    return out


def _score_papers(left, columns, hyper, names, scale, papers, all_pairs) -> Iterator[Scored]:
    beliefs: dict[str, tuple] = {}
    for number, column in enumerate(columns):
        if column.paper not in papers:
            continue
        if column.benchmark not in beliefs:
            belief = left.benchmark(column.benchmark)
            beliefs[column.benchmark] = (belief, {i: k for k, i in enumerate(belief.index)})
        belief, place = beliefs[column.benchmark]
        s = scale[column.benchmark]
        for i, j in pairs(column, all_pairs):
            change = difference(column.features[i], column.features[j])
            mean, variance = predict(change, belief, place, names, hyper)
            local = heterogeneity(hyper, column.kinds[i], column.kinds[j], change) + 2 * hyper.noise
            if column.sampling:
                local += hyper.binomial * (column.sampling[i] + column.sampling[j]) / s**2
            yield Scored(
                number,
                i,
                j,
                mean * s,
                math.sqrt(variance + local) * s,
                column.scores[j] - column.scores[i],
                local * s**2,
            )


def predict(
    change: Mapping[str, float],
    belief: Belief,
    place: Mapping[int, int],
    names: Mapping[str, int],
    hyper: Hyper,
) -> tuple[float, float]:
    """(mean, variance) of the shared effect of a change, in units of the benchmark's scale.

    A feature that the belief does not cover has mean zero and its prior variance.
    """
    mean = variance = 0.0
    spots, values = [], []
    for name, value in change.items():
        prior = hyper.prior.get(group(name), 0.0)
        k = place.get(names.get(name, -1))
        if k is None:
            variance += prior * value * value
        else:
            spots.append(k)
            values.append(value * math.sqrt(prior))
            mean += values[-1] * belief.mean[k] * hyper.trust.get(AXIS_OF[group(name)], 1.0)
    for k, x in zip(spots, values):
        row = belief.covariance[k]
        variance += x * linalg.dot([row[m] for m in spots], values)
    return mean, max(variance, 0.0)


NORMAL = NormalDist()


def crps(expected: float, sd: float, actual: float) -> float:
    """Continuous ranked probability score of a normal prediction (Gneiting & Raftery 2007, eq.
    5).
    """
    z = (actual - expected) / sd
    return sd * (z * (2 * NORMAL.cdf(z) - 1) + 2 * NORMAL.pdf(z) - 1 / math.sqrt(math.pi))


def right_sign(expected: float, actual: float) -> bool | None:
    """Did a result go the way that was predicted? None where exactly 0 was predicted; a result of
    exactly 0 went no way.
    """
    return None if expected == 0 else (expected > 0) == (actual > 0) and actual != 0


class Summary(NamedTuple):
    """Scores of a set of contrasts, each first averaged inside a paper and then over papers
    (`pooled` ones apart).

    mae_ratio: mean absolute error over that of "no change". crps_ratio: CRPS over the mean absolute
    change.
    coverage: share inside the 80 % interval, averaged over papers; coverage_pooled: over all
    contrasts.
    sign: right signs among contrasts with |prediction| > 1, pooled (None when there is none).
    """

    contrasts: int
    papers: int
    mae_ratio: float
    crps_ratio: float
    coverage: float
    coverage_pooled: float
    sign: float | None


Z80 = NORMAL.inv_cdf(0.9)


def summary(
    scored: Iterable[Scored], paper_of: Callable[[Scored], str], least: int = 3
) -> Summary | None:
    """Summarise; papers with fewer than `least` contrasts, or none that moved, are left out. None
    if nothing is left.
    """
    by_paper: dict[str, list[Scored]] = {}
    for item in scored:
        by_paper.setdefault(paper_of(item), []).append(item)
    ratios, scores, covers = [], [], []
    total = inside = called = right = 0
    for items in by_paper.values():
        moved = sum(abs(x.actual) for x in items)
        if len(items) < least or not moved:
            continue
        ratios.append(sum(abs(x.actual - x.expected) for x in items) / moved)
        scores.append(sum(crps(x.expected, x.sd, x.actual) for x in items) / moved)
        held = sum(abs(x.actual - x.expected) <= Z80 * x.sd for x in items)
        covers.append(held / len(items))
        total += len(items)
        inside += held
        for x in items:
            if abs(x.expected) > 1:
                called += 1
                right += bool(right_sign(x.expected, x.actual))
    if not ratios:
        return None
    mean = lambda values: sum(values) / len(values)
    return Summary(
        total,
        len(ratios),
        mean(ratios),
        mean(scores),
        mean(covers),
        inside / total,
        right / called if called else None,
    )


def objective(columns: Sequence[Column], hyper: Hyper) -> float:
    """What the search minimises: the CRPS ratio plus 0.3 of the error ratio, over all contrasts."""
    result = summary(leave_one_paper_out(columns, hyper), lambda x: columns[x.column].paper)
    return result.crps_ratio + 0.3 * result.mae_ratio


def scaled(hyper: Hyper, key: tuple[str, str], factor: float) -> Hyper:
    """The hyper-parameters with one of them multiplied (a share is renormalised to add up to 1)."""
    field, name = key
    if field in ("noise", "binomial", "overlap"):
        return hyper._replace(**{field: getattr(hyper, field) * factor})
    if field == "share":
        axis, position = name.split(".")
        parts = list(hyper.share[axis])
        parts[int(position)] *= factor
        total = sum(parts)
        return hyper._replace(share={**hyper.share, axis: tuple(x / total for x in parts)})
    return hyper._replace(
        **{field: {**getattr(hyper, field), name: getattr(hyper, field)[name] * factor}}
    )


def search_keys(hyper: Hyper) -> list[tuple[str, str]]:
    """Everything the search may move, in a fixed order."""
    keys = [("prior", name) for name in hyper.prior] + [
        ("heterogeneity", name) for name in hyper.heterogeneity
    ]
    keys += [("share", f"{axis}.{i}") for axis in hyper.share for i in (0, 1)]
    keys += [("trust", axis) for axis in hyper.trust]
    return keys + [("noise", ""), ("binomial", ""), ("overlap", "")]


def search(
    columns: Sequence[Column],
    hyper: Hyper,
    rounds: int,
    evaluate: Callable[[Sequence[Hyper]], Iterable[float]],
    floors: Mapping[tuple[str, str], float],
    report: Callable[[str], None] = lambda line: None,
) -> Hyper:
    """Coordinate descent in steps that shrink: each hyper-parameter times and over the step, kept
    when it helps.

    `evaluate` maps candidates to objectives (so that the caller may run them in parallel). `floors`
    are smallest
    allowed values: prior variances of levels that occur in one paper only do not show in
    leave-one-paper-out scores, but they decide how much a user's own change, printed once, is
    believed.
    """
    best = next(iter(evaluate([hyper])))
    step = dict.fromkeys(search_keys(hyper), 2.0)
    for number in range(rounds):
        for key in search_keys(hyper):
            up, down = scaled(hyper, key, step[key]), scaled(hyper, key, 1 / step[key])
            field, name = key
            if field in ("prior", "heterogeneity") and getattr(down, field)[name] < floors.get(
                key, 0.0
            ):
                down = hyper
            values = list(evaluate([up, down]))
            if min(values) < best - 1e-5:
                best, hyper = min(values), (up if values[0] <= values[1] else down)
            else:
                step[key] = max(1.1, math.sqrt(step[key]))
        report(f"round {number + 1}: objective {best:.4f}")
    return hyper
