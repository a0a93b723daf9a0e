"""The fitted model as one value: what a change of features does to a benchmark, with its
covariance.

In: a fit (model.py) or the stored form of one (tables/derived/posterior.bin). Out: means and
variances of effects per benchmark and per mix of benchmarks. Knows features, not recipes; does not
read or write files.

Effects are kept in units of prior standard deviations per feature; a Block holds them for one
benchmark, one family or all benchmarks. A feature that a benchmark's own block lacks is taken from
its family's, then from the global one, then from the prior; each step down adds the variance that
the missing levels leave open.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from operator import mul
from typing import NamedTuple

from .block import Block, Weights
from .features import AXIS_OF, group
from .hyper import DEFAULT_SCALE, SLOPES, Hyper


class Trace(NamedTuple):
    """What a weighted sum of effects asks of each level: weights on the features, and these times
    the covariance there.

    own: per benchmark, the part that the benchmark does not share. kin: per family. root: what all
    benchmarks share.
    """

    own: Mapping[str, tuple[Weights, Weights]]
    kin: Mapping[str, tuple[Weights, Weights]]
    root: tuple[Weights, Weights]

    def covariance(self, other: "Trace") -> float:
        """Covariance of two such sums: levels add up, and only what they have in common counts."""
        total = _common(self.root[0], other.root[1])
        for mine, theirs in ((self.own, other.own), (self.kin, other.kin)):
            total += sum(
                _common(pair[0], theirs[name][1]) for name, pair in mine.items() if name in theirs
            )
        return total


def _common(x: Weights, y: Weights) -> float:
    if len(x) > len(y):
        x, y = y, x
    if x.keys() <= y.keys():
        return sum(map(mul, x.values(), map(y.__getitem__, x)))
    return sum(value * y[name] for name, value in x.items() if name in y)


class Reach:
    """Covariance of a sum of traced effects, each with its factor, with every single effect: at the
    root, then down to family and benchmark.
    """

    def __init__(self, posterior: "Posterior", parts: Sequence[tuple[float, Trace]]):
        self._posterior, self._parts = posterior, parts
        self._root = _added((factor, trace.root) for factor, trace in parts)
        self._kin: dict[str, Weights] = {}
        self._own: dict[str, Weights] = {}

    def effects(self, benchmark: str, family: str | None) -> Weights:
        """The covariance with each effect on one benchmark."""
        part = self._posterior.benchmarks.get(benchmark)
        found = self.parts(benchmark, family)
        return part.lowered(found) if part else found

    def parts(self, benchmark: str, family: str | None) -> Weights:
        """The covariance with what the parts of a benchmark's block are about (see Block)."""
        name = family or f"?{benchmark}"
        if name not in self._kin:
            self._kin[name] = self._lower(
                self._root,
                self._posterior.families.get(name),
                1,
                [(factor, trace.kin.get(name)) for factor, trace in self._parts],
            )
        if benchmark not in self._own:
            self._own[benchmark] = self._lower(
                self._kin[name],
                self._posterior.benchmarks.get(benchmark),
                2,
                [(factor, trace.own.get(benchmark)) for factor, trace in self._parts],
            )
        return self._own[benchmark]

    def _lower(
        self,
        above: Weights,
        part: Block | None,
        level: int,
        own: Sequence[tuple[float, tuple[Weights, Weights] | None]],
    ) -> Weights:
        shares = self._posterior.shares
        passed = self._posterior.given(
            {name: value / shares[name][level] for name, value in above.items()}, part, level
        )
        for name, value in _added(own).items():
            passed[name] = passed.get(name, 0.0) + value
        return passed


def _added(parts: Iterable[tuple[float, tuple[Weights, Weights] | None]]) -> Weights:
    total: Weights = {}
    for factor, pair in parts:
        for name, value in (pair[1] if pair else {}).items():
            total[name] = total.get(name, 0.0) + factor * value
    return total


def by_family(
    steps: Mapping[str, float], families: Mapping[str, str | None]
) -> dict[str, list[float]]:
    """The weights of benchmarks, by family; one without a family stands alone."""
    out: dict[str, list[float]] = {}
    for name, step in steps.items():
        out.setdefault(families[name] or f"?{name}", []).append(step)
    return out


class Effect(NamedTuple):
    """What a change does to one benchmark, in units of its scale: mean, and variance of the shared
    effect.
    """

    mean: float
    variance: float


class Shares(dict):
    """Feature -> how its prior variance splits (Hyper.share)."""

    def __init__(self, hyper: Hyper):
        self._of = hyper.share

    def __missing__(self, name: str) -> Sequence[float]:
        self[name] = self._of.get(AXIS_OF[group(name)], self._of["other"])
        return self[name]


class Ground(NamedTuple):
    """What a fit rests on, beside its blocks.

    support: feature -> papers that vary it. ranges: feature -> least and most. sampling: benchmark
    -> variance from its number of questions. spread: factor on all variances of a new run. columns:
    paper -> task family -> how many were fitted. usual: benchmark -> median of its printed scores,
    in percent of the scale. widths: benchmark -> factor on its heterogeneity and noise, beside the
    spread (widths.py).
    """

    support: Mapping[str, Sequence[str]]
    ranges: Mapping[str, Sequence[float]]
    sampling: Mapping[str, float]
    spread: float
    columns: Mapping[str, Mapping[str, int]]
    usual: Mapping[str, float]
    widths: Mapping[str, float] = {}


class Posterior:
    """Effects of features on benchmarks, given the evidence."""

    def __init__(
        self,
        hyper: Hyper,
        names: Sequence[str],
        scale: Mapping[str, float],
        family_of: Mapping[str, str],
        root: Block,
        families: Mapping[str, Block],
        benchmarks: Mapping[str, Block],
        ground: Ground,
    ):
        self.hyper, self.scale, self.family_of, self.ranges = hyper, scale, family_of, ground.ranges
        self.names = {name: number for number, name in enumerate(names)}
        self.root, self.families, self.benchmarks, self.support = (
            root,
            families,
            benchmarks,
            ground.support,
        )
        self.sampling, self.spread = ground.sampling, ground.spread
        self.columns, self.usual = ground.columns, ground.usual
        # the columns that it was fitted on (carriers.py)
        self.fitted: Sequence = ()
        self.widths = ground.widths
        self.know({}, {})
        self.published: Posterior = self  # the fit without a user's own tables (condition.py)
        self._shares: Shares | None = None
        self._trusts: dict[int | str, float] | None = None

    def know(self, mixes: Mapping[str, Mapping[str, float]], mixed: Mapping[str, Block]) -> None:
        """Take weighted means of benchmarks that were worked out beforehand (mixes.py): their
        weights and their blocks, by name.
        """
        self.mixes, self.mixed, self._mix_of = (
            mixes,
            mixed,
            {frozenset(weights): name for name, weights in mixes.items()},
        )

    def scale_of(self, benchmark: str) -> float:
        """How much a benchmark moves, in percent of its scale; a typical value for one that no
        table ablates.
        """
        return self.scale.get(benchmark, DEFAULT_SCALE)

    def _terms(self, change: Mapping[str, float]) -> dict[str, float]:
        """A change in units of prior standard deviations, feature by feature; what has no prior has
        no effect.
        """
        return {
            name: value * math.sqrt(prior)
            for name, value in change.items()
            if (prior := self.hyper.prior.get(group(name), 0.0))
        }

    def effect(self, change: Mapping[str, float], benchmark: str, family: str | None) -> Effect:
        """The effect of a change (feature differences) on one benchmark of a family."""
        return self.effect_of(self.weights(change), benchmark, family)

    def effect_of(self, x: Weights, benchmark: str, family: str | None) -> Effect:
        """The same for the weights of a change (see `weights`)."""
        return Effect(
            self.mean(x, benchmark, family), max(self._variance(x, benchmark, family), 0.0)
        )

    def weights(self, change: Mapping[str, float]) -> Weights:
        """A change in units of prior standard deviations, feature by feature; what has no prior has
        no effect.
        """
        return {
            self.names.get(name, name): value * math.sqrt(prior)
            for name, value in change.items()
            if (prior := self.hyper.prior.get(group(name), 0.0))
        }

    def mean(self, x: Weights, benchmark: str, family: str | None, *, whole: bool = False) -> float:
        """Mean of a weighted sum of effects; each from the most special block that has it.

        With `whole`, the posterior mean itself, not the share of it that a prediction for a new
        paper takes (Hyper.trust).
        """
        return sum(self.means(x, benchmark, family, whole=whole).values())

    def means(
        self, x: Weights, benchmark: str, family: str | None, *, whole: bool = False
    ) -> Weights:
        """The terms of `mean`, feature by feature."""
        blocks = [
            part
            for part in (self.benchmarks.get(benchmark), self.families.get(family or ""), self.root)
            if part
        ]
        trusts, out = self.trusts, {}
        for name, value in x.items():
            for part in blocks:
                if name in part.place:
                    out[name] = (
                        value
                        * part.mean[part.place[name]]
                        * (1.0 if whole else trusts.get(name, 1.0))
                    )
                    break
        return out

    def _variance(self, x: Weights, benchmark: str, family: str | None) -> float:
        """Variance of a weighted sum of effects, from the stored covariances: `trace` without its
        arithmetic.

        Each pair of features is taken from the most special block that holds both; a feature keeps
        its prior variance for the levels that its block does not cover. Exact when one block holds
        all features, else nearly so.
        """
        own, kin = self.benchmarks.get(benchmark), self.families.get(family or "")
        x = own.lifted(x) if own else x
        if own and x.keys() <= own.place.keys():  # nearly always
            return own.covariance.quadratic([own.place[name] for name in x], list(x.values()))
        total, known = 0.0, set()
        for depth, part in ((3, own), (2, kin), (1, self.root)):
            if part:
                held = [name for name in x if name in part.place]
                total += part.covariance.quadratic(
                    [part.place[name] for name in held], [x[name] for name in held]
                )
                again = [name for name in held if name in known]
                total -= part.covariance.quadratic(
                    [part.place[name] for name in again], [x[name] for name in again]
                )
                for name in held:
                    if name not in known:
                        total += x[name] ** 2 * sum(self.shares[name][depth:])
                known.update(held)
        return total + sum(value**2 for name, value in x.items() if name not in known)

    def trace(
        self, x: Weights, steps: Mapping[str, float], families: Mapping[str, str | None]
    ) -> Trace:
        """Where the uncertainty of a weighted effect lies; `steps`: benchmark -> its weight,
        `families`: its family.

        Exact: an own effect that the evidence narrows down passes less of the family's uncertainty
        on, and so on up.
        """
        own, kin, asked, shares = {}, {}, {}, self.shares
        for benchmark, step in steps.items():
            mine, part = (
                {name: step * value for name, value in x.items()},
                self.benchmarks.get(benchmark),
            )
            mine = part.lifted(mine) if part else mine
            given = self.given(mine, part, 2)
            own[benchmark] = mine, given
            total = asked.setdefault(families.get(benchmark) or f"?{benchmark}", {})
            for name, value in given.items():
                total[name] = total.get(name, 0.0) + value / shares[name][2]
        root: Weights = {}
        for family, wanted in asked.items():
            given = self.given(wanted, self.families.get(family), 1)
            kin[family] = wanted, given
            for name, value in given.items():
                root[name] = root.get(name, 0.0) + value / shares[name][1]
        return Trace(own, kin, (root, self.given(root, self.root, 0)))

    def _known_mix(self, steps: Mapping[str, float]) -> Block | None:
        """The block of a mix that was worked out beforehand: effects on the whole mean, in percent
        of the scales.
        """
        name = self._mix_of.get(frozenset(steps))
        near = name and all(
            math.isclose(step, self.mixes[name][benchmark] * self.scale_of(benchmark), rel_tol=1e-9)
            for benchmark, step in steps.items()
        )
        return self.mixed[name] if near else None

    def mix_means(
        self, x: Weights, steps: Mapping[str, float], families: Mapping[str, str | None]
    ) -> Weights:
        """What each term of x does to a weighted mean of benchmarks, in percent of the scales;
        `steps`: weight times scale.
        """
        known, out = self._known_mix(steps), dict.fromkeys(x, 0.0)
        if known:
            return {
                name: value * known.mean[known.place[name]] if name in known.place else 0.0
                for name, value in x.items()
            }
        for benchmark, step in steps.items():
            for name, value in self.means(x, benchmark, families[benchmark]).items():
                out[name] += step * value
        return out

    def mix_trace(
        self, x: Weights, steps: Mapping[str, float], families: Mapping[str, str | None]
    ) -> Trace:
        """`trace` of a weighted mean, for covariances with others of the same mean: where it was
        worked out beforehand, of that alone.
        """
        known = self._known_mix(steps)
        if not known:
            return self.trace(x, steps, families)
        x = known.lifted(x)
        kin = list(map(sum, by_family(steps, families).values()))
        prior = [sum(step * step for step in kin), sum(step * step for step in steps.values())]
        out = {
            name: (
                value
                * (
                    self.shares[name][0] * sum(kin) ** 2
                    + self.shares[name][1] * prior[0]
                    + self.shares[name][2] * prior[1]
                )
            )
            # no table says anything of these
            for name, value in x.items()
            if name not in known.place
        }
        if len(out) < len(x):
            out.update(
                zip(
                    known.index,
                    known.covariance.times([x.get(number, 0.0) for number in known.index]),
                )
            )
        return Trace({}, {}, (x, out))

    def given(self, x: Weights, part: Block | None, level: int) -> Weights:
        """Covariance at one level (2 own, 1 family, 0 all), the level above known, times weights.

        Features that the block lacks keep their prior variance of that level.
        """
        shares, place = self.shares, part.place if part else {}
        out = {n: value * shares[n][level] for n, value in x.items() if n not in place}
        if len(out) < len(x):
            out.update(
                zip(part.index, part.given.times([x.get(number, 0.0) for number in part.index]))
            )
        return out

    def reach(self, x: Weights, benchmark: str, family: str | None) -> "Reach":
        """What the predicted effect of x on one benchmark has to do with every single effect: how
        published rows reach it.
        """
        return Reach(
            self, [(1.0, self.trace(self.trusted(x), {benchmark: 1.0}, {benchmark: family}))]
        )

    def trusted(self, x: Weights) -> Weights:
        """The part of x that a prediction takes of published effects."""
        return {name: value * self.trusts.get(name, 1.0) for name, value in x.items()}

    @property
    def shares(self) -> Mapping[int | str, Sequence[float]]:
        """How each feature's prior variance splits over all benchmarks, its family and its own (by
        number, or by name).
        """
        if self._shares is None:
            self._shares = Shares(self.hyper)
            for feature, number in self.names.items():
                self._shares[number] = self._shares[feature]
        return self._shares

    @property
    def trusts(self) -> Mapping[int | str, float]:
        """The share of each feature's posterior mean that a prediction takes (Hyper.trust), by
        number and name; 1 for others.
        """
        if self._trusts is None:
            self._trusts = {
                key: self.hyper.trust.get(AXIS_OF[group(feature)], 1.0)
                for feature, number in self.names.items()
                for key in (feature, number)
            }
        return self._trusts

    def mix_coefficients(
        self, names: Sequence[str], steps: Mapping[str, float], families: Mapping[str, str | None]
    ) -> dict[str, float]:
        """What one unit of each feature does to a weighted mean of benchmarks, in percent of their
        scales; `steps`: weight times scale.
        """
        means = self.mix_means(self.weights(dict.fromkeys(names, 1.0)), steps, families)
        return {name: means.get(self.names.get(name, name), 0.0) for name in names}

    def local_variance(self, kinds: Sequence[str], change: Mapping[str, float]) -> float:
        """Heterogeneity that a change meets in one new setting: of the kinds that change, and of
        slopes.
        """
        total = sum(2 * self.hyper.heterogeneity[kind] for kind in kinds)
        for name, feature in SLOPES.items():
            total += self.hyper.heterogeneity[name] * change.get(feature, 0.0) ** 2
        return total * self.spread

    def noise(self, benchmark: str, unknown: float = 0.0) -> float:
        """Variance of the difference of two runs on a benchmark: seeds, and the questions that it
        has.

        `unknown`: sampling variance, in units of the scale, for a benchmark that no table ablates.
        """
        questions = self.hyper.binomial * self.sampling.get(benchmark, unknown)
        factor = self.spread * self.width(benchmark)
        return self.seeds(benchmark) + 2 * questions * factor

    def seeds(self, benchmark: str) -> float:
        """The part of `noise` that is of seeds and the order of the data."""
        return 2 * self.hyper.noise * self.spread * self.width(benchmark)

    def width(self, benchmark: str) -> float:
        """The factor on heterogeneity and noise of a benchmark; 1 for one that no table ablates."""
        return self.widths.get(benchmark, 1.0)

    def wide(self, steps: Mapping[str, float]) -> dict[str, float]:
        """Weights of benchmarks as heterogeneity meets them: times the roots of their widths."""
        return {name: step * math.sqrt(self.width(name)) for name, step in steps.items()}


def dump(posterior: Posterior, digest: str) -> dict:
    """The stored form of everything but the blocks (JSON values); `digest` names the evidence that
    it was fitted on.
    """
    return {
        "format": 5,
        "evidence": digest,
        "spread": posterior.spread,
        "hyper": posterior.hyper._asdict(),
        "features": list(posterior.names),
        "scale": posterior.scale,
        "family_of": posterior.family_of,
        "support": posterior.support,
        "ranges": posterior.ranges,
        "sampling": posterior.sampling,
        "columns": posterior.columns,
        "usual": posterior.usual,
        "widths": posterior.widths,
        "mixes": posterior.mixes,
    }


def load(
    data: Mapping,
    root: Block,
    families: Mapping[str, Block],
    benchmarks: Mapping[str, Block],
    mixed: Mapping[str, Block],
) -> Posterior:
    """A Posterior from its stored form; data: what `dump` gives."""
    posterior = Posterior(
        Hyper(**data["hyper"]),
        data["features"],
        data["scale"],
        data["family_of"],
        root,
        families,
        benchmarks,
        Ground(
            data["support"],
            data["ranges"],
            data["sampling"],
            data["spread"],
            data["columns"],
            data["usual"],
            data.get("widths", {}),
        ),
    )
    posterior.know(data["mixes"], mixed)
    return posterior
