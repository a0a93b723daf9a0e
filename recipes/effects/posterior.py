"""The fitted model as one value: what a change of features does to a benchmark, with its covariance.

In: a fit (model.py) or the stored form of one (tables/derived/posterior.json). Out: means and variances of
effects per benchmark and per mix of benchmarks. Knows features, not recipes; does not read or write files.

Effects are kept in units of prior standard deviations per feature; a Block holds them for one benchmark, one
family or all benchmarks. A feature that a benchmark's own block lacks is taken from its family's, then from the
global one, then from the prior; each step down adds the variance that the missing levels leave open.
"""
import base64
import math
from array import array
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from . import linalg
from .backtest import shared_features
from .columns import Column
from .features import AXIS_OF, NUMERIC, difference, group
from .model import (DEFAULT_SCALE, SLOPES, Belief, Hyper, column_information, covariance, descend, grow, root_belief, scales,
                    weights)


class Block:
    """A belief over some features, its covariance unpacked when it is first asked for."""

    def __init__(self, index: Sequence[int], mean: Sequence[float], sd: Sequence[float], packed: str | Sequence[float]):
        self.place = {number: k for k, number in enumerate(index)}
        self.index, self.mean, self.sd, self._packed = index, mean, sd, packed

    def covariance(self, i: int, j: int) -> float:
        """Covariance of the features at places i and j of this block."""
        if isinstance(self._packed, str):
            values = array("h")
            values.frombytes(base64.b64decode(self._packed))
            self._packed = values
        if i == j:
            return self.sd[i] * self.sd[i]
        if i < j:
            i, j = j, i
        return self.sd[i] * self.sd[j] * self._packed[i * (i - 1) // 2 + j] / 32767.0

    def pack(self) -> dict:
        """The stored form."""
        packed = self._packed
        if not isinstance(packed, str):
            packed = base64.b64encode(array("h", packed).tobytes()).decode("ascii")
        return {"index": list(self.index), "mean": self.mean, "sd": self.sd, "correlation": packed}


def block(belief: Belief) -> Block:
    """A Block of a Belief; correlations are rounded to 1/32767, means and deviations to four digits."""
    sd = [math.sqrt(max(row[i], 1e-12)) for i, row in enumerate(belief.covariance)]
    packed = [max(-32767, min(32767, round(32767 * belief.covariance[i][j] / (sd[i] * sd[j]))))
              for i in range(len(sd)) for j in range(i)]
    four = lambda values: [float(f"{x:.4g}") for x in values]  # noqa: E731
    return Block(list(belief.index), four(belief.mean), four(sd), packed)


class Effect(NamedTuple):
    """What a change does to one benchmark, in units of its scale: mean, and variance of the shared effect."""
    mean: float
    variance: float


class Posterior:
    """Effects of features on benchmarks, given the evidence."""

    def __init__(self, hyper: Hyper, names: Sequence[str], scale: Mapping[str, float], family_of: Mapping[str, str],
                 root: Block, families: Mapping[str, Block], benchmarks: Mapping[str, Block],
                 support: Mapping[str, Sequence[str]], ranges: Mapping[str, Sequence[float]], spread: float):
        self.hyper, self.scale, self.family_of, self.ranges = hyper, scale, family_of, ranges
        self.names = {name: number for number, name in enumerate(names)}
        self.root, self.families, self.benchmarks, self.support, self.spread = root, families, benchmarks, support, spread

    def scale_of(self, benchmark: str) -> float:
        """How much a benchmark moves, in percent of its scale; a typical value for one that no table ablates."""
        return self.scale.get(benchmark, DEFAULT_SCALE)

    def _terms(self, change: Mapping[str, float]) -> dict[str, float]:
        """A change in units of prior standard deviations, feature by feature; what has no prior has no effect."""
        return {name: value * math.sqrt(prior) for name, value in change.items()
                if (prior := self.hyper.prior.get(group(name), 0.0))}

    def _chain(self, benchmark: str | None, family: str | None) -> list[tuple[int, Block]]:
        """Blocks to ask, from the most special to the global one, each with how many levels it covers."""
        own, kin = self.benchmarks.get(benchmark or ""), self.families.get(family or "")
        return [*([(3, own)] if own else []), *([(2, kin)] if kin else []), (1, self.root)]

    def effect(self, change: Mapping[str, float], benchmark: str, family: str | None) -> Effect:
        """The effect of a change (feature differences) on one benchmark of a family."""
        terms = self._terms(change)
        chain = self._chain(benchmark, family)
        mean = 0.0
        for name, value in terms.items():
            number = self.names.get(name, -1)
            for _, part in chain:
                place = part.place.get(number)
                if place is not None:
                    mean += value * part.mean[place]
                    break
        return Effect(mean, max(self._bilinear(terms, terms, chain, 3), 0.0))

    def covariance(self, x: Mapping[str, float], at: tuple[str, str | None], y: Mapping[str, float],
                   other: tuple[str, str | None]) -> float:
        """Covariance of the shared effects of two changes, each on its (benchmark, family)."""
        if at[0] == other[0]:
            return self._bilinear(self._terms(x), self._terms(y), self._chain(*at), 3)
        if at[1] == other[1] and at[1]:
            return self._bilinear(self._terms(x), self._terms(y), self._chain(None, at[1]), 2)
        return self._bilinear(self._terms(x), self._terms(y), self._chain(None, None), 1)

    def _bilinear(self, x: Mapping[str, float], y: Mapping[str, float], chain: Sequence[tuple[int, Block]], levels: int) -> float:
        """x' S y for effects that share `levels` levels (3: one benchmark, 2: one family, 1: all).

        Each pair of features is taken from the first block that holds both. A feature keeps its prior variance
        for the levels that its block does not cover, and altogether when no block holds it.
        """
        total = 0.0
        for name, a in x.items():
            i = self.names.get(name, -1)
            for second, b in y.items():
                j = self.names.get(second, -1)
                covered = 0
                for depth, part in chain:
                    p, q = part.place.get(i), part.place.get(j)
                    if p is not None and q is not None:
                        total += a * b * part.covariance(p, q)
                        covered = depth
                        break
                if name == second and covered < levels:
                    total += a * b * sum(self.hyper_share(name)[covered:levels])
        return total

    def mix_coefficients(self, names: Sequence[str], weights: Mapping[str, float],
                         families: Mapping[str, str | None]) -> dict[str, float]:
        """What one unit of each feature does to a weighted mean of benchmarks, in percent of their scales."""
        out = dict.fromkeys(names, 0.0)
        for benchmark, weight in weights.items():
            step = weight * self.scale_of(benchmark)
            for name in names:
                out[name] += step * self.effect({name: 1.0}, benchmark, families[benchmark]).mean
        return out

    def mix_covariance(self, names: Sequence[str], weights: Mapping[str, float],
                       families: Mapping[str, str | None]) -> linalg.Matrix:
        """Covariance of the features' effects on a weighted mean, in (percent of scale)^2.

        Benchmarks of different families share the global effects, those of one family the family's: the double sum
        over benchmarks collapses to one term per level.
        """
        by_family: dict[str, float] = {}
        steps = {}
        for benchmark, weight in weights.items():
            steps[benchmark] = weight * self.scale_of(benchmark)
            family = families[benchmark] or ""
            by_family[family] = by_family.get(family, 0.0) + steps[benchmark]
        total = sum(by_family.values())
        sd = [math.sqrt(self.hyper.prior.get(group(name), 0.0)) for name in names]
        out = [[0.0] * len(names) for _ in names]
        for i, x in enumerate(names):
            for j in range(i + 1):
                one, other = {x: sd[i]}, {names[j]: sd[j]}
                at_root = self._bilinear(one, other, self._chain(None, None), 1)
                value = at_root * total * total
                kin = {}
                for family, step in by_family.items():
                    kin[family] = self._bilinear(one, other, self._chain(None, family), 2)
                    value += (kin[family] - at_root) * step * step
                for benchmark, step in steps.items():
                    family = families[benchmark] or ""
                    own = self._bilinear(one, other, self._chain(benchmark, family), 3)
                    value += (own - kin[family]) * step * step
                out[i][j] = out[j][i] = value
        return out

    def hyper_share(self, name: str) -> Sequence[float]:
        """How a feature's prior variance splits over all benchmarks, its family and its own."""
        return self.hyper.share.get(AXIS_OF[group(name)], self.hyper.share["other"])

    def between(self, change: Mapping[str, float], family: str | None, other: str | None) -> float:
        """Covariance of the shared effects of a change on two different benchmarks of these families."""
        return self.covariance(change, ("", family), change, ("\0", other))

    def local_variance(self, kinds: Sequence[str], change: Mapping[str, float]) -> float:
        """Variance that one new setting adds: heterogeneity of the kinds that change, and noise of two runs."""
        total = 2 * self.hyper.noise + sum(2 * self.hyper.heterogeneity[kind] for kind in kinds)
        for name, feature in SLOPES.items():
            total += self.hyper.heterogeneity[name] * change.get(feature, 0.0) ** 2
        return total * self.spread


class Conditioned(Posterior):
    """A posterior that has also seen some columns (a user's own tables), without a refit.

    Each column is its rows' differences from the first; they are conditioned on jointly with whatever is asked.
    Results agree with a fit on all columns, up to the rounding of the stored covariances.
    """

    def __init__(self, base: Posterior, columns: Sequence[Column]):
        self.__dict__.update(base.__dict__)
        self.base = base
        self.support = {name: list(papers) for name, papers in base.support.items()}
        self.family_of = dict(base.family_of)
        self._seen: list[tuple[dict, tuple[str, str]]] = []
        results, noise = [], []
        for column, weight in zip(columns, weights(columns, base.hyper.overlap)):
            self.family_of.setdefault(column.benchmark, column.family)
            for name in {name for row in column.features for name in row}:
                if column.paper not in self.support.setdefault(name, []):
                    self.support[name].append(column.paper)
            start = len(results)
            full = covariance(column, base.hyper, [{}] * len(column.rows))
            scale = base.scale_of(column.benchmark)
            for i in range(1, len(column.rows)):
                change = difference(column.features[0], column.features[i])
                self._seen.append((change, (column.benchmark, column.family)))
                results.append((column.scores[i] - column.scores[0]) / scale - base.effect(change, column.benchmark, column.family).mean)
                row = [0.0] * start
                for j in range(1, i + 1):
                    row.append((full[i][j] - full[i][0] - full[0][j] + full[0][0]) * base.spread / weight)
                noise.append(row)
        total = [[noise[i][j] if j < len(noise[i]) else 0.0 for j in range(i + 1)] for i in range(len(noise))]
        for i, (x, at) in enumerate(self._seen):
            for j in range(i + 1):
                y, other = self._seen[j]
                total[i][j] += base.covariance(x, at, y, other)
        self._factor = linalg.cholesky(total) if total else []
        self._solution = linalg.solve(self._factor, results) if total else []

    def _towards(self, change: Mapping[str, float], at: tuple[str, str | None]) -> linalg.Vector:
        return [self.base.covariance(change, at, y, other) for y, other in self._seen]

    def effect(self, change: Mapping[str, float], benchmark: str, family: str | None) -> Effect:
        before = self.base.effect(change, benchmark, family)
        k = self._towards(change, (benchmark, family))
        half = linalg.solve_lower(self._factor, k)
        return Effect(before.mean + linalg.dot(k, self._solution), max(before.variance - linalg.dot(half, half), 0.0))

    def covariance(self, x: Mapping[str, float], at: tuple[str, str | None], y: Mapping[str, float],
                   other: tuple[str, str | None]) -> float:
        a = linalg.solve_lower(self._factor, self._towards(x, at))
        b = linalg.solve_lower(self._factor, self._towards(y, other))
        return self.base.covariance(x, at, y, other) - linalg.dot(a, b)


def fit(columns: Sequence[Column], hyper: Hyper, spread: float = 1.0) -> Posterior:
    """Fit the model to columns: every feature that varies somewhere, beliefs for every benchmark and family.

    Levels that occur in one paper only are kept when their prior is wide enough to matter (encoder levels are not:
    their kind, family and size speak for them).
    """
    scale = scales(columns)
    shared = set(shared_features(columns, hyper))
    names = [name for name in shared_features(columns, hyper, 1)
             if name in shared or hyper.prior[group(name)] >= 0.02]
    numbers = {name: number for number, name in enumerate(names)}
    informations = [column_information(c, scale[c.benchmark], hyper, numbers, w)
                    for c, w in zip(columns, weights(columns, hyper.overlap))]
    tree = grow(informations, columns, numbers, hyper)
    root = root_belief(tree.root, tree.share)
    families = {name: descend(root, message, lambda i: tree.share(i)[1]) for name, message in tree.families.items()}
    benchmarks = {name: block(descend(families[tree.family_of[name]], message, lambda i: tree.share(i)[2]))
                  for name, message in tree.benchmarks.items()}
    support: dict[str, list[str]] = {}
    ranges: dict[str, list[float]] = {}
    for column in columns:
        for name in {name for row in column.features for name in row}:
            values = [row.get(name, 0.0) for row in column.features]
            low, high = min(values), max(values)
            if high - low > 1e-9:
                if column.paper not in support.setdefault(name, []):
                    support[name].append(column.paper)
                if name in NUMERIC:
                    seen = ranges.setdefault(name, [low, high])
                    seen[:] = [min(seen[0], low), max(seen[1], high)]
    return Posterior(hyper, names, {k: float(f"{v:.5g}") for k, v in scale.items()}, tree.family_of, block(root),
                     {name: block(belief) for name, belief in families.items()}, benchmarks,
                     dict(sorted(support.items())), {k: [float(f"{x:.5g}") for x in v] for k, v in sorted(ranges.items())},
                     spread)


def dump(posterior: Posterior, digest: str) -> dict:
    """The stored form (JSON values); `digest` names the evidence that it was fitted on."""
    return {"format": 2, "evidence": digest, "spread": posterior.spread, "hyper": posterior.hyper._asdict(),
            "features": list(posterior.names), "scale": posterior.scale, "family_of": posterior.family_of,
            "support": posterior.support, "ranges": posterior.ranges, "root": posterior.root.pack(),
            "families": {name: part.pack() for name, part in posterior.families.items()},
            "benchmarks": {name: part.pack() for name, part in posterior.benchmarks.items()}}


def load(data: Mapping) -> Posterior:
    """A Posterior from its stored form."""
    part = lambda d: Block(d["index"], d["mean"], d["sd"], d["correlation"])  # noqa: E731
    return Posterior(Hyper(**data["hyper"]), data["features"], data["scale"], data["family_of"], part(data["root"]),
                     {name: part(d) for name, d in data["families"].items()},
                     {name: part(d) for name, d in data["benchmarks"].items()}, data["support"], data["ranges"], data["spread"])
