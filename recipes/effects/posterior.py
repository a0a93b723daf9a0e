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
from .features import group
from .model import (DEFAULT_SCALE, SLOPES, Belief, Hyper, column_information, descend, grow, root_belief, scales,
                    shares, weights)


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
                 support: Mapping[str, Sequence[str]], spread: float):
        self.hyper, self.scale, self.family_of = hyper, scale, family_of
        self.names = {name: number for number, name in enumerate(names)}
        self.root, self.families, self.benchmarks, self.support, self.spread = root, families, benchmarks, support, spread
        self._share = shares(self.names, hyper)

    def scale_of(self, benchmark: str) -> float:
        """How much a benchmark moves, in percent of its scale; a typical value for one that no table ablates."""
        return self.scale.get(benchmark, DEFAULT_SCALE)

    def _terms(self, change: Mapping[str, float]) -> tuple[list[tuple[int, float]], float]:
        """Known features of a change as (number, value in prior deviations), and the prior variance of the others."""
        known, unknown = [], 0.0
        for name, value in change.items():
            prior = self.hyper.prior.get(group(name), 0.0)
            number = self.names.get(name)
            if number is None:
                unknown += prior * value * value
            else:
                known.append((number, value * math.sqrt(prior)))
        return known, unknown

    def effect(self, change: Mapping[str, float], benchmark: str, family: str | None) -> Effect:
        """The effect of a change (feature differences) on one benchmark of a family."""
        chain = [b for b in (self.benchmarks.get(benchmark), self.families.get(family or "")) if b] + [self.root]
        depth = {id(self.benchmarks.get(benchmark)): 2, id(self.families.get(family or "")): 1, id(self.root): 0}
        known, variance = self._terms(change)
        found = []  # (value, chain position, place, number) of each feature
        mean = 0.0
        for number, value in known:
            for position, part in enumerate(chain):
                place = part.place.get(number)
                if place is not None:
                    mean += value * part.mean[place]
                    share = self._share(number)
                    variance += value * value * sum(share[depth[id(part)] + 1:])
                    found.append((value, number))
                    break
            else:
                variance += value * value
        variance += self._quadratic(found, chain)
        return Effect(mean, max(variance, 0.0))

    def _quadratic(self, found: Sequence[tuple[float, int]], chain: Sequence[Block]) -> float:
        """x' S x, each pair of features taken from the first block that holds both."""
        total = 0.0
        for a, (x, i) in enumerate(found):
            for b in range(a + 1):
                y, j = found[b]
                for part in chain:
                    p, q = part.place.get(i), part.place.get(j)
                    if p is not None and q is not None:
                        total += (1 if a == b else 2) * x * y * part.covariance(p, q)
                        break
        return total

    def between(self, change: Mapping[str, float], family: str | None, other: str | None) -> float:
        """Covariance of the shared effects of a change on two different benchmarks of these families."""
        chain = [self.families[family], self.root] if family == other and family in self.families else [self.root]
        known, _ = self._terms(change)
        found = [(value, number) for number, value in known if any(number in part.place for part in chain)]
        return self._quadratic(found, chain)

    def local_variance(self, kinds: Sequence[str], change: Mapping[str, float]) -> float:
        """Variance that one new setting adds: heterogeneity of the kinds that change, and noise of two runs."""
        total = 2 * self.hyper.noise + sum(2 * self.hyper.heterogeneity[kind] for kind in kinds)
        for name, feature in SLOPES.items():
            total += self.hyper.heterogeneity[name] * change.get(feature, 0.0) ** 2
        return total * self.spread


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
    for column in columns:
        for name in {name for row in column.features for name in row}:
            values = [row.get(name, 0.0) for row in column.features]
            if max(values) - min(values) > 1e-9 and column.paper not in support.setdefault(name, []):
                support[name].append(column.paper)
    return Posterior(hyper, names, {k: float(f"{v:.5g}") for k, v in scale.items()}, tree.family_of, block(root),
                     {name: block(belief) for name, belief in families.items()}, benchmarks,
                     dict(sorted(support.items())), spread)


def dump(posterior: Posterior, digest: str) -> dict:
    """The stored form (JSON values); `digest` names the evidence that it was fitted on."""
    return {"format": 2, "evidence": digest, "spread": posterior.spread, "hyper": posterior.hyper._asdict(),
            "features": list(posterior.names), "scale": posterior.scale, "family_of": posterior.family_of,
            "support": posterior.support, "root": posterior.root.pack(),
            "families": {name: part.pack() for name, part in posterior.families.items()},
            "benchmarks": {name: part.pack() for name, part in posterior.benchmarks.items()}}


def load(data: Mapping) -> Posterior:
    """A Posterior from its stored form."""
    part = lambda d: Block(d["index"], d["mean"], d["sd"], d["correlation"])  # noqa: E731
    return Posterior(Hyper(**data["hyper"]), data["features"], data["scale"], data["family_of"], part(data["root"]),
                     {name: part(d) for name, d in data["families"].items()},
                     {name: part(d) for name, d in data["benchmarks"].items()}, data["support"], data["spread"])
