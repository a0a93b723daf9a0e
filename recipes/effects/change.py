"""A change from one recipe to another, as the model sees it: expected delta and its variance.

In: two recipes, the posterior. Out: Change (mean, variance, interval per benchmark or mix).
Grades and rows are judge.py and weighing.py.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..terms.vocabulary import Vocabulary
from . import tails
from .block import Weights
from .columns import KINDS, sampling_variance
from .features import (
    AMOUNTS,
    AXIS_OF,
    LIKENESS,
    NUMERIC,
    RANGED,
    UNKNOWN,
    difference,
    features,
    group,
    llm_make,
)
from .posterior import Effect, Posterior, Trace, by_family
from .results import Mix
from .rows import Found, Index, index_of, moved_axes

AXES = ("encoder", "connector", "llm", "data", "resolution", "visual_tokens", "training")


# Settings that say, in words or as a number of blocks, what frozen_encoder says where that differs.
SAYS_FROZEN = ("training", "tune_vit_from_block")


# Beyond the range that any table covers, a doubling adds this much standard deviation, in units of
# the scale.
BEYOND_RANGE_SD = 0.5


def kinds_moved(axes: Sequence[str], a: Mapping, b: Mapping, words: Vocabulary) -> list[str]:
    """The kinds of setting (columns.KINDS) whose heterogeneity a change on these axes meets."""
    kinds = [axis for axis in axes if axis in KINDS]
    if "connector" in kinds and words.connector_class(a) != words.connector_class(b):
        kinds.append("connector_class")
    return kinds


def together(steps: Mapping[str, float], families: Mapping[str, str | None]) -> float:
    """How much one unit of heterogeneity variance moves a weighted sum: benchmarks of a family move
    together (0.9), others apart.
    """
    return sum(
        0.9 * sum(part) ** 2 + 0.1 * sum(step * step for step in part)
        for part in by_family(steps, families).values()
    )


class Pair(NamedTuple):
    """Two rows beside a change. number: of what else moved (Change counts them); local: the
    heterogeneity they meet; also: what else moved in words.

    found: a contrast of the pair, kept so that the rows outlive the cache that knows them by
    identity.
    """

    number: int
    local: float
    also: tuple[str, ...]
    found: Found


class Change:
    """A change of recipe, ready to be asked about one benchmark after another."""

    def __init__(
        self,
        a: Mapping,
        b: Mapping,
        posterior: Posterior,
        words: Vocabulary,
        index: Index | None = None,
    ):
        self.index = index or index_of(words)
        self.a, self.b, self.posterior, self.words = a, b, posterior, words
        self.axes = moved_axes(a, b, words)
        self.by_size = "llm" in self.axes and not (a.get("llm") and b.get("llm"))
        self.features = difference(features(a, words), features(b, words))
        self.local = posterior.local_variance(kinds_moved(self.axes, a, b, words), self.features)
        self.beyond = self._beyond(features(a, words), features(b, words))
        self.unknown = self._unknown()
        # by identity of the rows, which the contrasts of a pair share
        self._pairs: dict[tuple[int, int], Pair] = {}
        self._numbers: dict[tuple, int] = {}  # what else moved, as features -> its number
        self._rests: list[Weights] = []
        self._effects: dict[tuple[str, int], Effect] = {}
        self._asked: dict[str, Effect] = {}
        self._noise: dict[str, float] = {}
        self._traces: dict[tuple, Trace] = {}

    def _beyond(self, a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
        """Features that leave the range any table covers -> by how many doublings."""
        out = {}
        for name in self.features:
            bounds = self.posterior.ranges.get(name)
            if name not in RANGED or not bounds:
                continue
            excess = max(
                max(a.get(name, 0.0), b.get(name, 0.0)) - bounds[1],
                bounds[0] - min(a.get(name, 0.0), b.get(name, 0.0)),
            )
            if excess > 0.05:
                out[name] = excess
        return out

    def _unknown(self) -> tuple[str, ...]:
        """Moved axes about which no table says anything (neither the levels nor their
        covariates).
        """
        supported = set()
        # of what kind, neither a name nor a row says: its shares of known kinds are no evidence
        kind = "encoder_kind=" + UNKNOWN
        strange = any(
            name.startswith(kind)
            and "encoder=" + name.removeprefix(kind) not in self.posterior.support
            for name in self.features
        )
        for name in self.features:
            axis = AXIS_OF[group(name)]
            if strange and axis == "encoder":
                continue  # neither does a date or a size that it is only taken to have
            if name in NUMERIC and not (
                axis == "data" and any(group(other) == "data" for other in self.features)
            ):
                # another amount of the same data; what another mix does, its size does not say
                supported.add(axis)
            elif (
                axis == "encoder"
                and group(name) != "encoder"
                or axis == "llm"
                or group(name) in LIKENESS
            ) and name in self.posterior.support:
                supported.add(axis)
        for axis in ("connector", "data"):
            if axis in self.axes and self._linked(
                f"{axis}={self.a.get(axis)}", f"{axis}={self.b.get(axis)}"
            ):
                supported.add(axis)
        if "frozen_encoder" in self.features:
            supported.add("training")
        return tuple(axis for axis in self.axes if axis not in supported)

    def _linked(self, a: str, b: str) -> bool:
        """Is there a chain of papers in which levels of this axis vary side by side, from one level
        to the other?
        """
        prefix = a.partition("=")[0] + "="
        support = {k: set(v) for k, v in self.posterior.support.items() if k.startswith(prefix)}
        reached, papers = {a}, set(support.get(a, ()))
        while new := {k for k, v in support.items() if k not in reached and papers & v}:
            reached |= new
            papers = papers.union(*(support[name] for name in new))
        return b in reached and bool(papers)

    def grade(self, benchmark: str, has_direct: bool, has_near: bool) -> str:
        """How good the ground of an answer is: direct, indirect, extrapolated or none."""
        if has_direct:
            return "direct"
        if self.axes and set(self.unknown) == set(self.axes):
            return "extrapolated" if has_near else "none"
        if (
            self.unknown
            or self.beyond
            or benchmark not in self.posterior.benchmarks
            or self.new_components()
        ):
            return "extrapolated"
        return "indirect"

    def new_components(self) -> list[str]:
        """The moved components that stand in no table: their covariates, class or contents speak
        for them.
        """
        names = [
            (axis, name)
            for axis in ("encoder", "connector", "llm", "data")
            if axis in self.axes
            for side in (self.a, self.b)
            for name in (
                (side.get(axis) or "").split("+") if axis == "encoder" else [side.get(axis)]
            )
        ]
        return [
            name for axis, name in names if name and f"{axis}={name}" not in self.posterior.support
        ]

    def pair(self, found: Found) -> "Pair":
        """What two rows have to do with the change, worked out once for all benchmarks of the
        pair.
        """
        key = (id(found.from_row), id(found.to_row))
        if key not in self._pairs:
            rest = difference(
                self.index.features(found.from_row), self.index.features(found.to_row)
            )
            for name, value in self.features.items():
                counted = name in NUMERIC or group(name) in AMOUNTS
                if name in rest and (not counted or AXIS_OF[group(name)] in self.axes):
                    left = rest.pop(name) - value
                    if abs(left) > 1e-9 and counted:
                        rest[name] = left
            for name in list(rest):
                axis = AXIS_OF[group(name)]
                if (
                    name not in NUMERIC
                    and axis in self.axes
                    and not (axis == "llm" and self.by_size)
                ):
                    rest.pop(name)
            kinds = kinds_moved(
                found.contrast.moved.axes, found.from_row.setting, found.to_row.setting, self.words
            )
            local = self.posterior.local_variance(kinds, {**rest, **self.features})
            number = self._numbers.setdefault(tuple(rest.items()), len(self._rests))
            if number == len(self._rests):
                self._rests.append(self.posterior.published.weights(rest))
            self._pairs[key] = Pair(number, local, self._also(found), found)
        return self._pairs[key]

    def beside(self, found: Found, pair: Pair) -> Effect:
        """What everything else that moved between two rows does to their benchmark, by the
        published tables alone.
        """
        name = found.contrast.metric.benchmark
        key = name, pair.number
        if key not in self._effects:
            x, family = self._rests[pair.number], self.posterior.family_of.get(name)
            self._effects[key] = self.posterior.published.effect_of(x, name, family)
        return self._effects[key]

    def also_moves(self, found: Found) -> tuple[str, ...]:
        """What differs between two rows beside the asked axes, as words: `resolution 336 -> 384`,
        `data (stated for one row only)`.
        """
        return self.pair(found).also

    def _also(self, found: Found) -> tuple[str, ...]:
        moved_, out = found.contrast.moved, []
        a, b = found.from_row.setting, found.to_row.setting
        for axis in (*moved_.axes, *moved_.implied):
            if axis not in self.axes:
                out.append(self._step(axis, a, b))
        out += self._beside(a, b)
        if self.by_size:
            out += self._other_llm(a, b)
        return tuple(out) + tuple(f"{axis} (stated for one row only)" for axis in moved_.unstated)

    def _step(self, axis: str, a: Mapping, b: Mapping) -> str:
        """One axis that moved, with its values; where the axis itself is the same, with the setting
        that differs.
        """
        records = self.words.records("setting")
        keys = [
            axis,
            *(
                key
                for key in {**a, **b}
                if key != axis and records.get(key, {}).get("axis") == axis
            ),
        ]
        for key in keys:
            x, y = a.get(key), b.get(key)
            if x != y and x is not None and y is not None and len(f"{x}{y}") < 40:
                return f"{axis} {x} -> {y}" if key == axis else f"{axis} {key} {x} -> {y}"
        return axis

    def _beside(self, a: Mapping, b: Mapping) -> list[str]:
        """Settings of an asked axis that move beside the asked field: the LLM's training beside a
        frozen encoder, the variant of a connector.
        """
        records, out = self.words.records("setting"), []
        asked = {
            "training": ("frozen_encoder", "training"),
            "connector": ("connector", "visual_tokens"),
        }
        for axis, fields in asked.items():
            if axis not in self.axes:
                continue
            only = [field for field in fields if self.a.get(field) != self.b.get(field)] or list(
                fields
            )
            if (
                axis == "training"
                and a.get("frozen_encoder") != b.get("frozen_encoder")
                and "frozen_encoder" in only
            ):
                only += SAYS_FROZEN
            for key in {**a, **b}:
                x, y = a.get(key), b.get(key)
                if x != y and key not in only and records.get(key, {}).get("axis") == axis:
                    short = x is not None and y is not None and len(f"{x}{y}") < 40
                    out.append(f"{axis} {key} {x} -> {y}" if short else f"{axis} {key}")
        return out

    def _other_llm(self, a: Mapping, b: Mapping) -> list[str]:
        """What makes a pair of rows more than a change of LLM size: another make, or a mixture of
        experts on one side.
        """
        x, y = a.get("llm"), b.get("llm")
        if a.get("moe") != b.get("moe"):
            return [f"llm experts {a.get('moe') or 'none'} -> {b.get('moe') or 'none'}"]
        makes = llm_make(x, self.words), llm_make(y, self.words)
        if x and y and makes[0] != makes[1]:
            return [f"llm {x} -> {y}"]
        return ["llm (not of one named family)"] if not (x and y) else []

    def controlled(self, found: Found) -> bool:
        """Does nothing but the asked axes (and the visual tokens that follow a resolution) differ
        between two rows?
        """
        return not any(
            text.split(" ")[0] not in found.contrast.moved.implied
            for text in self.also_moves(found)
        )

    def isolated(self, found: Found) -> bool:
        """Do two rows keep the other components? (Resolution, tokens and training may move
        along.)
        """
        return not {text.split(" ")[0] for text in self.also_moves(found)} & {
            "encoder",
            "connector",
            "llm",
            "data",
            "architecture",
        }

    def variance(self, benchmark: str = "") -> float:
        """Variance beyond the shared effect, in units of the scale squared: heterogeneity, leaving
        the range. As wide as a benchmark shows it, where one is named.
        """
        beyond = sum((BEYOND_RANGE_SD * x) ** 2 for x in self.beyond.values())
        return (self.local + beyond) * self.posterior.width(benchmark)

    def effect(self, benchmark: str, family: str | None) -> Effect:
        """The shared effect of the change on a benchmark, in units of its scale."""
        if benchmark not in self._asked:
            self._asked[benchmark] = self.posterior.effect(self.features, benchmark, family)
        return self._asked[benchmark]

    def predict(self, benchmark: str, family: str | None) -> tuple[float, float]:
        """(expected improvement, standard deviation) in percent of the benchmark's scale."""
        effect = self.effect(benchmark, family)
        scale = self.posterior.scale_of(benchmark)
        return (
            effect.mean * scale,
            math.sqrt(effect.variance + self.variance(benchmark) + self.noise(benchmark)) * scale,
        )

    def noise(self, benchmark: str) -> float:
        """Noise of two runs on a benchmark, in units of its scale squared."""
        if benchmark not in self._noise:
            drawn = sampling_variance(self.words.records("benchmark").get(benchmark, {}), None)
            self._noise[benchmark] = self.posterior.noise(
                benchmark, (drawn or 0.0) / self.posterior.scale_of(benchmark) ** 2
            )
        return self._noise[benchmark]

    def mix_noise(self, steps: Mapping[str, float]) -> float:
        """Variance of the difference of two runs on a weighted mean of benchmarks; steps: weight
        times scale of each.
        """
        return sum(step * step * self.noise(name) for name, step in steps.items())

    def steps(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Weight times scale of each benchmark of a weighted mean."""
        total = sum(weights.values())
        return {name: w / total * self.posterior.scale_of(name) for name, w in weights.items()}

    def gain(self, weights: Mapping[str, float], families: Mapping[str, str | None]) -> float:
        """The expected change of a weighted mean, in percent of the scales (`mix` without its
        uncertainty).
        """
        return sum(
            self.posterior.mix_means(
                self.posterior.weights(self.features), self.steps(weights), families
            ).values()
        )

    def trace(self, steps: Mapping[str, float], families: Mapping[str, str | None]) -> Trace:
        """Where the uncertainty of a weighted mean lies (`steps`), worked out once."""
        key = tuple(steps.items())
        if key not in self._traces:
            x = self.posterior.weights(self.features)
            self._traces[key] = self.posterior.mix_trace(x, steps, families)
        return self._traces[key]

    def mix(
        self,
        weights: Mapping[str, float],
        families: Mapping[str, str | None],
        level: float,
        shared: float | None = None,
    ) -> Mix:
        """The change of a weighted mean. Shared effects are correlated over benchmarks; so is
        heterogeneity, inside a family.

        shared: the variance of the shared effect on the mean, where it is known already.
        """
        steps, mean = self.steps(weights), self.gain(weights, families)
        if shared is None and len(steps) == 1:  # its own effect, as its delta has it
            ((name, step),) = steps.items()
            shared = step**2 * self.effect(name, families[name]).variance
        elif shared is None:
            trace = self.trace(steps, families)
            shared = trace.covariance(trace)
        local = self.variance() * together(self.posterior.wide(steps), families)
        variance = shared + local + self.mix_noise(steps)
        sd = math.sqrt(max(variance, 1e-12))
        z = tails.half_width(level)
        return Mix(
            dict(weights), mean, mean - z * sd, mean + z * sd, level, tails.cdf(mean / sd), sd
        )
