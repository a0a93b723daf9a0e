"""What a change of recipe does to each benchmark: expected delta, interval, probability, grade, and
the rows behind it.

In: two settings (from, to), the posterior, the papers that may hold rows about the change. Out: a
Swap. Does not parse names, compute costs or print.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..evidence.tables import Paper
from ..terms.vocabulary import Vocabulary
from . import meta, tails
from .columns import KINDS, sampling_variance
from .features import (
    AXIS_OF,
    NUMERIC,
    RANGED,
    UNKNOWN,
    difference,
    features,
    group,
    llm_make,
    llm_params_b,
)
from .hyper import column_weight
from .level import carried
from .posterior import Effect, Posterior, by_family
from .results import Delta, Evidence, Mix, Path, Split, Swap
from .rows import Found, Index, chain_rows, moved_axes

AXES = ("encoder", "connector", "llm", "data", "resolution", "visual_tokens", "training")
GRADES = ("direct", "indirect", "extrapolated", "none")
# A row about components of the same make counts as if its variance were this many times larger.
NEAR_DISCOUNT = 4.0
NEAR_ROWS = 8
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
    """Two rows beside a change. rest: what else moved, as features; local: the heterogeneity they
    meet; also: the same in words.

    found: a contrast of the pair, kept so that the rows outlive the cache that knows them by
    identity.
    """

    rest: Mapping[str, float]
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
        self.index = index or Index(words)
        self.a, self.b, self.posterior, self.words = a, b, posterior, words
        self.axes = moved_axes(a, b, words)
        self.by_size = "llm" in self.axes and not (a.get("llm") and b.get("llm"))
        self.features = difference(features(a, words), features(b, words))
        self.local = posterior.local_variance(kinds_moved(self.axes, a, b, words), self.features)
        self.beyond = self._beyond(features(a, words), features(b, words))
        self.unknown = self._unknown()
        # by identity of the rows, which the contrasts of a pair share
        self._pairs: dict[tuple[int, int], Pair] = {}
        self._effects: dict[tuple, Effect] = {}  # by what else moved, and benchmark
        self._asked: dict[str, Effect] = {}
        self._noise: dict[str, float] = {}

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
            if name in NUMERIC and not (
                axis == "data" and any(group(other) == "data" for other in self.features)
            ):
                # another amount of the same data; what another mix does, its size does not say
                supported.add(axis)
            elif (
                axis == "encoder" and group(name) != "encoder" and not strange or axis == "llm"
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
        support, prefix = self.posterior.support, a.partition("=")[0] + "="
        reached, papers = {a}, set(support.get(a, ()))
        while True:
            new = {
                name
                for name, where in support.items()
                if name.startswith(prefix) and name not in reached and papers & set(where)
            }
            if not new:
                return b in reached and bool(papers)
            reached |= new
            papers |= {paper for name in new for paper in support[name]}

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
        """The moved encoders and LLMs that stand in no table: their covariates speak for them."""
        names = [
            (axis, name)
            for axis in ("encoder", "llm")
            if axis in self.axes
            for side in (self.a, self.b)
            for name in (side.get(axis) or "").split("+")
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
                if name in rest and (name not in NUMERIC or AXIS_OF[name] in self.axes):
                    left = rest.pop(name) - value
                    if abs(left) > 1e-9 and name in NUMERIC:
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
            self._pairs[key] = Pair(rest, local, self._also(found), found)
        return self._pairs[key]

    def beside(self, found: Found, pair: Pair) -> Effect:
        """What everything else that moved between two rows does to their benchmark, by the
        published tables alone.
        """
        name = found.contrast.metric.benchmark
        key = (name, *pair.rest.items())
        if key not in self._effects:
            self._effects[key] = self.posterior.published.effect(
                pair.rest, name, self.posterior.family_of.get(name)
            )
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

    def variance(self) -> float:
        """Variance beyond the shared effect, in units of the scale squared: heterogeneity, leaving
        the range.
        """
        return self.local + sum((BEYOND_RANGE_SD * x) ** 2 for x in self.beyond.values())

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
            math.sqrt(effect.variance + self.variance() + self.noise(benchmark)) * scale,
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
        if shared is None:
            trace = self.posterior.mix_trace(self.posterior.weights(self.features), steps, families)
            shared = trace.covariance(trace)
        variance = shared + self.variance() * together(steps, families) + self.mix_noise(steps)
        sd = math.sqrt(max(variance, 1e-12))
        z = tails.half_width(level)
        return Mix(
            dict(weights), mean, mean - z * sd, mean + z * sd, level, tails.cdf(mean / sd), sd
        )


def weigh(found: Sequence[Found], change: Change) -> dict[int, tuple[float, float]]:
    """(adjusted delta, variance) of each contrast, in percent of the scale, by the identity of the
    contrast.

    What the model expects of everything else that moved is taken out, and its uncertainty put in;
    noise of two runs and the heterogeneity of what moved are added.
    """
    out = {}
    for item in found:
        metric = item.contrast.metric
        unit = metric.max / 100 if metric.max else 1.0
        scale = change.posterior.scale_of(metric.benchmark)
        pair = change.pair(item)
        effect = change.beside(item, pair)
        local = pair.local + change.noise(metric.benchmark)
        if item.near:  # it speaks for the asked components only as far as their make does
            local *= NEAR_DISCOUNT
        out[id(item)] = (
            item.delta / unit - effect.mean * scale,
            (effect.variance + local) * scale**2,
        )
    return out


def shares(
    found: Sequence[Found], weighed: Mapping[int, tuple[float, float]]
) -> tuple[list[float], meta.Pooled]:
    """The weights of rows (adding up to 1), and their random-effects pool over papers in percent of
    the scale. weighed: see `weigh`.
    """
    by_paper: dict[str, list[int]] = {}
    for number, item in enumerate(found):
        by_paper.setdefault(item.contrast.table.paper, []).append(number)
    y, v, weight = [], [], [0.0] * len(found)
    for numbers in by_paper.values():
        # pairs of one paper share arms and heterogeneity: together they count as one result of
        # average precision
        pairs = [weighed[id(found[n])] for n in numbers]
        inner = sum(1 / variance for _, variance in pairs)
        variance = len(numbers) / inner
        y.append(sum(delta / each for delta, each in pairs) / inner)
        v.append(variance)
        for n, (_, each) in zip(numbers, pairs):
            weight[n] = (1 / variance) * (1 / each) / inner
    total = sum(weight)
    return [w / total for w in weight], meta.pool(y, v, "DL")


def heaviest(
    found: Sequence[Found], weighed: Mapping[int, tuple[float, float]]
) -> list[tuple[Found, float]]:
    """The NEAR_ROWS weightiest rows, with their weights among all of `found`."""
    return sorted(zip(found, shares(found, weighed)[0]), key=_order)[:NEAR_ROWS] if found else []


def _order(pair: tuple[Found, float]) -> tuple:
    item, weight = pair
    return -weight, item.contrast.table.id, item.from_row.arm, item.to_row.arm


def rows_of(
    found: Sequence[Found], weighed: Mapping[int, tuple[float, float]], change: Change
) -> list[Evidence]:
    """The direct rows of one benchmark and the weightiest of the same make, with weights that add
    up to 1.
    """
    near = {id(item) for item, _ in heaviest([item for item in found if item.near], weighed)}
    kept = [item for item in found if not item.near or id(item) in near]
    return (
        [
            as_evidence(item, weight, change)
            for item, weight in sorted(zip(kept, shares(kept, weighed)[0]), key=_order)
        ]
        if kept
        else []
    )


def neighbours(found: Sequence[Found], change: Change) -> list[Evidence]:
    """The weightiest rows of the same change on other benchmarks of a family."""
    kept = heaviest(found, weigh(found, change))
    total = sum(weight for _, weight in kept)
    return [
        as_evidence(item, weight / total, change)._replace(
            **{} if item.near else {"relation": "neighbour"}
        )
        for item, weight in kept
    ]


def pool(
    direct: Sequence[Found], weighed: Mapping[int, tuple[float, float]], unit: float, sign: float
) -> meta.Pooled | None:
    """The direct rows of one benchmark alone, in points of its scale in the registry, whatever
    maximum a table prints.
    """
    if not direct:
        return None
    pooled = shares(direct, weighed)[1]
    return pooled._replace(
        estimate=pooled.estimate * unit * sign, se=pooled.se * unit, tau2=pooled.tau2 * unit**2
    )


def as_evidence(item: Found, weight: float, change: Change) -> Evidence:
    """A row pair as it is shown."""
    metric = item.contrast.metric
    sign = 1.0 if metric.higher_is_better else -1.0
    top = change.words.records("benchmark").get(metric.benchmark, {}).get("max")
    factor = top / metric.max if top and metric.max else 1.0
    noise = (
        math.sqrt(change.noise(metric.benchmark))
        * change.posterior.scale_of(metric.benchmark)
        * (top / 100 if top else 1.0)
    )
    return Evidence(
        item.contrast.table.id,
        item.contrast.table.arxiv,
        metric.benchmark,
        metric.split,
        item.from_row.arm,
        item.to_row.arm,
        item.delta * sign * factor,
        weight,
        change.controlled(item),
        change.also_moves(item),
        _llm_label(item.from_row.setting, change.words),
        "near" if item.near else "direct",
        item.delta * sign if factor != 1.0 else None,
        noise,
    )


def with_chains(
    answer: Swap, read: Callable[[set[str] | None], Sequence[Paper]], change: Change
) -> Swap:
    """The answer with links of the chain for every delta that no row of the change itself stands
    behind (see rows.chain_rows).

    read: the papers that bear on the change and print something of these task families (None: of
    any).
    Weights: overlap squared over the variance of the row, adding up to 1 over the NEAR_ROWS
    heaviest. Changes of several axes have none.
    """
    bare = [d for d in answer.deltas if not d.evidence and d.grade != "none"]
    if not bare or len(change.axes) != 1:
        return answer
    records = change.words.records("benchmark")
    members: dict[str, set[str]] = {}
    for name, record in records.items():
        members.setdefault(record.get("family") or "", set()).add(name)

    def links(families: set[str] | None) -> dict[str, list[tuple[Found, float]]]:
        wanted = (
            records
            if families is None
            else {name for family in families for name in members.get(family, ())}
        )
        found: dict[str, list[tuple[Found, float]]] = {}
        for item, overlap in chain_rows(
            read(families), change.features, change.axes[0], wanted, change.index
        ):
            found.setdefault(item.contrast.metric.benchmark, []).append((item, overlap))
        return found

    def of(d: Delta, found: Mapping[str, list[tuple[Found, float]]]) -> list[tuple[Found, float]]:
        return found.get(d.benchmark) or [
            pair for name in sorted(members.get(d.family or "", ())) for pair in found.get(name, ())
        ]

    near = links({d.family or "" for d in bare})
    far: list[tuple[Found, float]] = []
    if not all(of(d, near) for d in bare):  # effects are shared over all benchmarks too
        every = links(None)
        far = [pair for name in sorted(every) for pair in every[name]]
    deltas = []
    for d in answer.deltas:
        if d in bare:
            own = of(d, near) or far
            weighed = weigh([item for item, _ in own], change)
            strength = [overlap**2 / weighed[id(item)][1] for item, overlap in own]
            best = sorted(range(len(own)), key=lambda n: -strength[n])[:NEAR_ROWS]
            total = sum(strength[n] for n in best)
            rows = [
                as_evidence(own[n][0], strength[n] / total, change)._replace(relation="chain")
                for n in best
            ]
            d = d._replace(evidence=tuple(rows))
        deltas.append(d)
    return answer._replace(deltas=tuple(deltas))


def path(change: Change, benchmark: str, family: str | None, unit: float, sign: float) -> Path:
    """Where the answer for one benchmark comes from (see Path)."""
    scale = change.posterior.scale_of(benchmark) * unit
    effect = change.effect(benchmark, family)
    shared = change.posterior.mean(
        change.posterior.weights(change.features), benchmark, family, whole=True
    )
    return Path(
        shared * scale * sign,
        effect.mean * scale * sign,
        math.sqrt(effect.variance) * scale,
        math.sqrt(change.variance()) * scale,
        math.sqrt(change.noise(benchmark)) * scale,
    )


def split(
    change: Change,
    benchmark: str,
    family: str | None,
    direct: meta.Pooled,
    papers: Sequence[str],
    unit: float,
    sign: float,
) -> Split:
    """The direct rows of a benchmark (of these papers) against everything else that the model knows
    about the change (see Split).
    """
    posterior = change.posterior
    scale = posterior.scale_of(benchmark) * unit
    mean = (
        posterior.mean(posterior.weights(change.features), benchmark, family, whole=True)
        * scale
        * sign
    )
    variance = max(change.effect(benchmark, family).variance * scale**2, 1e-9)
    # columns of a paper in a family repeat each other, and the fit counts each the less: so do
    # these rows
    counts = [
        column_weight(
            posterior.hyper.overlap, posterior.columns.get(paper, {}).get(family or "", 1)
        )
        for paper in dict.fromkeys(papers)
    ]
    share = min(1.0, variance * sum(counts) / len(counts) / direct.se**2)
    if share > 0.98:
        return Split(direct.estimate, direct.se, None, None, 1.0, None)
    rest, indirect = variance / (1 - share), (mean - share * direct.estimate) / (1 - share)
    return Split(
        direct.estimate,
        direct.se,
        indirect,
        math.sqrt(rest),
        share,
        (direct.estimate - indirect) / math.sqrt(direct.se**2 + rest),
    )


def _llm_label(setting: Mapping, words: Vocabulary) -> str | None:
    if setting.get("llm"):
        return setting["llm"]
    size = llm_params_b(setting, words)
    return f"{size:g}B" if size else None


def judge(
    change: Change,
    found: Sequence[Found],
    benchmarks: Sequence[str],
    *,
    mix: Mapping[str, float] | None = None,
    level: float = 0.8,
    warnings: Sequence[str] = (),
    scores: Mapping[str, float] | None = None,
) -> Swap:
    """Answer for a change whose rows have been found already (see `find_rows`).

    scores: what `from` scores on some benchmarks, in their points: the delta is carried over to
    that score (level.py).
    """
    records = change.words.records("benchmark")
    by_benchmark: dict[str, list[Found]] = {}
    for item in found:
        by_benchmark.setdefault(item.contrast.metric.benchmark, []).append(item)
    by_family: dict[str, list[Found]] = {}
    for name, items in by_benchmark.items():
        by_family.setdefault(records.get(name, {}).get("family") or "", []).extend(items)
    kin: dict[str | None, list[Evidence]] = {}
    some_near = any(item.near for item in found)
    z = tails.half_width(level)
    deltas = []
    for name in benchmarks:
        record = records[name]
        family = record["family"]
        listed = by_benchmark.get(name, [])
        direct = [item for item in listed if not item.near]
        grade = (
            change.grade(name, any(change.isolated(item) for item in direct), some_near)
            if change.axes
            else "none"
        )
        expected, sd = change.predict(name, family) if change.axes else (0.0, 0.0)
        unit = record["max"] / 100 if record.get("max") else 1.0
        sign = 1.0 if record.get("higher_is_better", True) else -1.0
        weighed = weigh(listed, change)
        pooled, rows = pool(direct, weighed, unit, sign), rows_of(listed, weighed, change)
        if not rows:
            if family not in kin:
                kin[family] = neighbours(by_family.get(family or "", []), change)
            rows = kin[family]
        p_better = tails.cdf(expected / sd) if sd else 0.5
        # a score can move by its whole scale at most
        expected, low, high = (
            min(max(x, -100.0), 100.0) if record.get("max") else x
            for x in (expected, expected - z * sd, expected + z * sd)
        )
        score = (scores or {}).get(name)
        if score is not None:
            low, expected, high = (
                carried(x, change.posterior.usual.get(name, 50.0), score / unit)
                for x in (low, expected, high)
            )
        low, high = sorted((low * unit * sign, high * unit * sign))
        papers = [item.contrast.table.paper for item in direct]
        # a user's rows count in full, not as the fit counts rows: what is left without them cannot
        # be worked out backwards
        fitted = all(paper in change.posterior.published.columns for paper in papers)
        apart = (
            split(change, name, family, pooled, papers, unit, sign)
            if pooled and grade == "direct" and fitted
            else None
        )
        deltas.append(
            Delta(
                name,
                family,
                record.get("max"),
                expected * unit * sign,
                low,
                high,
                level,
                p_better,
                grade,
                tuple(rows),
                pooled,
                apart,
                score,
                path(change, name, family, unit, sign) if change.axes else None,
            )
        )
    mixed = None
    if mix and change.axes:
        mixed = change.mix(mix, {name: records[name]["family"] for name in mix}, level)
    return Swap(
        change.axes[0] if change.axes else None,
        change.axes,
        tuple(deltas),
        mixed,
        tuple(warnings) + tuple(_warnings(change, found)),
    )


def _warnings(change: Change, found: Sequence[Found]) -> list[str]:
    out = []
    if not change.axes:
        return ["nothing changes between the two recipes: every delta is zero by definition"]
    for axis in change.unknown:
        out.append(
            f"no chain of tables leads from one {axis} to the other: what stands here rests on"
            " components of the same make, or on nothing"
        )
    for name in () if change.unknown else change.new_components():
        out.append(
            f"no table has a row of {name}: it counts as a mean one of its make, kind, size and"
            " text score as far as these are known, not by rows"
        )
    size = llm_params_b(change.a, change.words)
    if size and size == llm_params_b(change.b, change.words):
        low, high = (7 * 2**x for x in change.posterior.ranges["llm_size"])
        if not low / 1.05 <= size <= high * 1.05:
            out.append(
                f"an LLM of {size:g}B lies outside the tables ({low:.2g}B to {high:.3g}B): deltas"
                " are those of the sizes that they have"
            )
    for name, octaves in change.beyond.items():
        out.append(
            f"{name.replace('_', ' ')} lies {2**octaves:.1f}x outside the range of any table:"
            " extrapolated, interval widened"
        )
    along: dict[str, set[str]] = {}
    for item in found:
        for text in change.also_moves(item):
            if text.split(" ")[0] not in item.contrast.moved.implied:
                along.setdefault(text.split(" ")[0], set()).add(item.contrast.table.paper)
    for axis, papers in sorted(along.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        if (
            axis in ("resolution", "visual_tokens", "data", "llm", "encoder", "connector")
            and axis not in change.axes
        ):
            out.append(
                f"{' and '.join(change.axes)} and {axis} move together in rows of"
                f" {', '.join(sorted(papers))} (confounded)"
            )
    return out
