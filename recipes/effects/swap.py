"""What a change of recipe does to each benchmark: expected delta, interval, probability, grade, and the rows behind it.

In: two settings (from, to), the posterior, the papers that may hold rows about the change. Out: a Swap.
Does not parse names, compute costs or print.
"""
import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

from ..evidence.contrasts import Contrast, contrasts, evidence_metrics, moved
from ..evidence.tables import Paper, Row
from ..evidence.vocabulary import Vocabulary
from . import meta
from .columns import KINDS, recipe_rows, sampling_variance
from .features import AXIS_OF, NUMERIC, difference, encoder_params_b, features, group, llm_make, llm_params_b, pixels, visual_tokens
from .posterior import Posterior

AXES = ("encoder", "connector", "llm", "data", "resolution", "visual_tokens", "training")
GRADES = ("direct", "indirect", "extrapolated", "none")
NORMAL = NormalDist()
# A row about components of the same make counts as if its variance were this many times larger.
NEAR_DISCOUNT = 4.0
NEAR_ROWS = 8
# Beyond the range that any table covers, a doubling adds this much standard deviation, in units of the scale.
BEYOND_RANGE_SD = 0.5


class Evidence(NamedTuple):
    """One pair of printed rows that shows the change (or a part of it, for a chain).

    delta: as printed, `to` minus `from`, in points of the metric, signed so that it reads in the asked direction.
    weight: share among the rows listed for one benchmark. also_moves: what else differs between the two rows.
    """
    table: str
    arxiv: str | None
    benchmark: str
    split: str | None
    from_arm: str
    to_arm: str
    delta: float
    weight: float
    controlled: bool
    also_moves: tuple[str, ...]
    llm: str | None
    relation: str = "direct"   # direct: the asked components; near: components of the same make; neighbour: another benchmark
    noise: float | None = None  # standard deviation of the difference of two runs, in points of the metric
    max: float | None = None    # the metric's maximum, where a table prints the benchmark on a scale of its own


class Delta(NamedTuple):
    """The answer for one benchmark. expected, low, high: change of the score in points of the benchmark's scale."""
    benchmark: str
    family: str | None
    max: float | None
    expected: float
    low: float
    high: float
    level: float
    p_better: float
    grade: str
    evidence: tuple[Evidence, ...]
    direct: meta.Pooled | None      # the direct rows alone, pooled over papers (random effects), in points


class Mix(NamedTuple):
    """The change of a weighted mean of benchmarks, each in percent of its scale."""
    weights: Mapping[str, float]
    expected: float
    low: float
    high: float
    level: float
    p_better: float
    sd: float


class Swap(NamedTuple):
    """A whole answer. axis: the axis that moves, or the first of several (`moved` has all)."""
    axis: str | None
    moved: tuple[str, ...]
    deltas: tuple[Delta, ...]
    mix: Mix | None
    warnings: tuple[str, ...]


def moved_axes(a: Mapping, b: Mapping, words: Vocabulary) -> tuple[str, ...]:
    """The axes on which two settings differ; only what both state counts. Tokens that follow the resolution do not."""
    out = []
    for axis in ("encoder", "connector", "llm", "data"):
        x, y = a.get(axis), b.get(axis)
        if x and y and x != y:
            out.append(axis)
    if "llm" not in out and not (a.get("llm") and a.get("llm") == b.get("llm")):
        x, y = llm_params_b(a, words), llm_params_b(b, words)
        if x and y and x != y:
            out.insert(sum(axis in out for axis in ("encoder", "connector")), "llm")
    if "data" not in out and a.get("data_size") and b.get("data_size") and a["data_size"] != b["data_size"]:
        out.append("data")
    if any(a.get(key) != b.get(key) and a.get(key) is not None and b.get(key) is not None for key in ("resolution",)) \
            or a.get("tiling") != b.get("tiling") and (a.get("tiling") or b.get("tiling")):
        out.append("resolution")
    x, y = visual_tokens(a, words), visual_tokens(b, words)
    if x and y and x != y and not {"resolution", "encoder", "connector"} & set(out):
        out.append("visual_tokens")
    if any(a.get(key) is not None and b.get(key) is not None and a.get(key) != b.get(key) for key in ("frozen_encoder", "training")):
        out.append("training")
    return tuple(out)


def kinds_moved(axes: Sequence[str], a: Mapping, b: Mapping, words: Vocabulary) -> list[str]:
    """The kinds of setting (columns.KINDS) whose heterogeneity a change on these axes meets."""
    kinds = [axis for axis in axes if axis in KINDS]
    if "connector" in kinds and words.connector_class(a) != words.connector_class(b):
        kinds.append("connector_class")
    return kinds


def _same(axis: str, setting: Mapping, side: Mapping, words: Vocabulary) -> bool:
    """Does a row's setting have what `side` says on an axis?"""
    if axis in ("encoder", "connector", "data"):
        if axis == "data" and not side.get("data"):
            return bool(setting.get("data_size")) and setting["data_size"] == side.get("data_size")
        return setting.get(axis) == side.get(axis)
    if axis == "llm":
        if side.get("llm"):
            return setting.get("llm") == side["llm"]
        x, y = llm_params_b(setting, words), side.get("llm_params_b")
        return bool(x and y) and abs(math.log2(x / y)) < 0.2
    if axis == "resolution":
        x, y = pixels(setting, words), pixels(side, words)
        return bool(x and y) and abs(math.log2(x / y)) < 0.05
    if axis == "visual_tokens":
        x, y = visual_tokens(setting, words), visual_tokens(side, words)
        return bool(x and y) and abs(math.log2(x / y)) < 0.15
    if side.get("frozen_encoder") is not None:
        return setting.get("frozen_encoder") == side["frozen_encoder"]
    return setting.get("training") == side.get("training")


def lineage(encoder: str | None, words: Vocabulary) -> str | None:
    """The make of an encoder, wider than its family: any CLIP, any SigLIP, any DINO; else the family. None for fusions."""
    record = words.records("encoder").get(encoder or "")
    if record is None or not record.get("family"):
        return None
    family = record["family"]
    if family.startswith("siglip"):
        return "siglip"
    if "dino" in family:
        return "dino"
    return "clip" if record.get("kind") == "language-contrastive" else family


def _near(axis: str, setting: Mapping, side: Mapping, words: Vocabulary) -> bool:
    """Does a row's setting have something of the same make as `side` on an axis?"""
    if _same(axis, setting, side, words):
        return True
    if axis == "encoder":
        make = lineage(side.get("encoder"), words)
        if make is None or make != lineage(setting.get("encoder"), words):
            return False
        x, y = encoder_params_b(setting["encoder"], words), encoder_params_b(side["encoder"], words)
        return bool(x and y) and abs(math.log2(x / y)) < 1.2
    if axis == "connector":
        mine = words.connector_class(setting)
        return mine is not None and mine == words.connector_class(side)
    if axis == "llm":
        if side.get("llm") and llm_make(setting.get("llm"), words) != llm_make(side["llm"], words):
            return False
        x, y = llm_params_b(setting, words), llm_params_b(side, words)
        return bool(x and y) and abs(math.log2(x / y)) < 0.25
    return False


class Found(NamedTuple):
    """A contrast that shows the change, turned so that it reads in the asked direction. near: not the very components."""
    contrast: Contrast
    delta: float
    from_row: Row
    to_row: Row
    near: bool


def find_rows(papers: Iterable[Paper], a: Mapping, b: Mapping, axes: Sequence[str], words: Vocabulary) -> list[Found]:
    """All pairs of rows of one table that make the asked change, or one of the same make, on all its axes.

    Where both sides are of one make (linear and MLP, Vicuna-7B and Mistral-7B), only the very components count.
    Other things may move as well; the contrast says so.
    """
    match = {axis: _same if _near(axis, a, b, words) else _near for axis in axes}
    axis_of = {key: record["axis"] for key, record in words.records("setting").items()}
    out = []
    for paper in papers:
        for table in paper.tables:
            rows = recipe_rows(table)
            first = [row for row in rows if all(match[axis](axis, row.setting, a, words) for axis in axes)]
            second = [row for row in rows if all(match[axis](axis, row.setting, b, words) for axis in axes)]
            if not first or not second:
                continue
            metrics = evidence_metrics(table)
            is_a, is_b = ({id(row) for row in rows if all(_same(axis, row.setting, side, words) for axis in axes)} for side in (a, b))
            for x in first:
                for y in second:
                    if x is y or any(_same(axis, x.setting, y.setting, words) for axis in axes):
                        continue
                    difference_ = moved(x.setting, y.setting, axis_of)
                    if "other" in difference_.axes or len(difference_.unstated) > 1:
                        continue  # two systems of which too much is unsaid
                    near = not (id(x) in is_a and id(y) in is_b)
                    for contrast in contrasts(table._replace(rows=(x, y)), axis_of, metrics):
                        out.append(Found(contrast._replace(table=table), contrast.delta, x, y, near))
    return _once(out)


def _once(found: list[Found]) -> list[Found]:
    """Count a pair of training runs once per benchmark, however many tables print it."""
    seen, out = set(), []
    for item in found:
        key = (item.from_row.run or (item.contrast.table.id, item.from_row.arm),
               item.to_row.run or (item.contrast.table.id, item.to_row.arm),
               item.contrast.metric.benchmark, item.contrast.metric.split, item.contrast.metric.shots, item.contrast.metric.unit)
        if key not in seen:
            seen.add(key)
            out.append(item)
    return out


def together(steps: Mapping[str, float], families: Mapping[str, str | None]) -> float:
    """How much one unit of heterogeneity variance moves a weighted sum: benchmarks of a family move together (0.9), others apart."""
    by_family: dict[str, list[float]] = {}
    for name, step in steps.items():
        by_family.setdefault(families[name] or f"?{name}", []).append(step)
    return sum(0.9 * sum(part) ** 2 + 0.1 * sum(step * step for step in part) for part in by_family.values())


class Change:
    """A change of recipe, ready to be asked about one benchmark after another."""

    def __init__(self, a: Mapping, b: Mapping, posterior: Posterior, words: Vocabulary):
        self.a, self.b, self.posterior, self.words = a, b, posterior, words
        self.axes = moved_axes(a, b, words)
        self.by_size = "llm" in self.axes and not (a.get("llm") and b.get("llm"))
        self.features = difference(features(a, words), features(b, words))
        self.local = posterior.local_variance(kinds_moved(self.axes, a, b, words), self.features)
        self.beyond = self._beyond(features(a, words), features(b, words))
        self.unknown = self._unknown()

    def _beyond(self, a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
        """Features that leave the range any table covers -> by how many doublings."""
        out = {}
        for name in self.features:
            bounds = self.posterior.ranges.get(name)
            if name not in NUMERIC or name in ("frozen_encoder", "encoder_fused", "resolution_high", "llm_text") or not bounds:
                continue
            excess = max(max(a.get(name, 0.0), b.get(name, 0.0)) - bounds[1], bounds[0] - min(a.get(name, 0.0), b.get(name, 0.0)))
            if excess > 0.05:
                out[name] = excess
        return out

    def _unknown(self) -> tuple[str, ...]:
        """Moved axes about which no table says anything (neither the levels nor their covariates)."""
        supported = set()
        for name in self.features:
            axis = AXIS_OF[group(name)]
            if name in NUMERIC:
                supported.add(axis)
            elif (axis == "encoder" and group(name) != "encoder" or axis == "llm") and name in self.posterior.support:
                supported.add(axis)
        for axis in ("connector", "data"):
            if axis in self.axes and self._linked(f"{axis}={self.a.get(axis)}", f"{axis}={self.b.get(axis)}"):
                supported.add(axis)
        if "frozen_encoder" in self.features:
            supported.add("training")
        return tuple(axis for axis in self.axes if axis not in supported)

    def _linked(self, a: str, b: str) -> bool:
        """Is there a chain of papers in which levels of this axis vary side by side, from one level to the other?"""
        support, prefix = self.posterior.support, a.partition("=")[0] + "="
        reached, papers = {a}, set(support.get(a, ()))
        while True:
            new = {name for name, where in support.items() if name.startswith(prefix) and name not in reached and papers & set(where)}
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
        if self.unknown or self.beyond or benchmark not in self.posterior.benchmarks or self._new_component():
            return "extrapolated"
        return "indirect"

    def _new_component(self) -> bool:
        """True when a moved encoder or LLM stands in no table: its covariates speak for it."""
        for axis in ("encoder", "llm"):
            if axis in self.axes:
                for side in (self.a, self.b):
                    names = (side.get(axis) or "").split("+") if side.get(axis) else []
                    if any(f"{axis}={name}" not in self.posterior.support for name in names):
                        return True
        return False

    def also_moves(self, found: Found) -> tuple[str, ...]:
        """What differs between two rows beside the asked axes, as words: `resolution 336 -> 384`, `data (stated for one row only)`."""
        moved_, out = found.contrast.moved, []
        for axis in (*moved_.axes, *moved_.implied):
            if axis not in self.axes:
                x, y = found.from_row.setting.get(axis), found.to_row.setting.get(axis)
                out.append(f"{axis} {x} -> {y}" if x is not None and y is not None and len(f"{x}{y}") < 40 else axis)
        x, y = found.from_row.setting.get("llm"), found.to_row.setting.get("llm")
        if self.by_size and x and y and llm_make(x, self.words) != llm_make(y, self.words):
            out.append(f"llm {x} -> {y}")
        return tuple(out) + tuple(f"{axis} (stated for one row only)" for axis in moved_.unstated)

    def controlled(self, found: Found) -> bool:
        """Does nothing but the asked axes (and the visual tokens that follow a resolution) differ between two rows?"""
        return not any(text.split(" ")[0] not in found.contrast.moved.implied for text in self.also_moves(found))

    def isolated(self, found: Found) -> bool:
        """Do two rows keep the other components? (Resolution, tokens and training may move along.)"""
        return not {text.split(" ")[0] for text in self.also_moves(found)} & {"encoder", "connector", "llm", "data", "architecture"}

    def variance(self) -> float:
        """Variance beyond the shared effect, in units of the scale squared: heterogeneity, leaving the range."""
        return self.local + sum((BEYOND_RANGE_SD * x) ** 2 for x in self.beyond.values())

    def predict(self, benchmark: str, family: str | None) -> tuple[float, float]:
        """(expected improvement, standard deviation) in percent of the benchmark's scale."""
        effect = self.posterior.effect(self.features, benchmark, family)
        scale = self.posterior.scale_of(benchmark)
        return effect.mean * scale, math.sqrt(effect.variance + self.variance() + self.noise(benchmark)) * scale

    def noise(self, benchmark: str) -> float:
        """Noise of two runs on a benchmark, in units of its scale squared."""
        drawn = sampling_variance(self.words.records("benchmark").get(benchmark, {}), None)
        return self.posterior.noise(benchmark, (drawn or 0.0) / self.posterior.scale_of(benchmark) ** 2)

    def mix(self, weights: Mapping[str, float], families: Mapping[str, str | None], level: float) -> Mix:
        """The change of a weighted mean. Shared effects are correlated over benchmarks; so is heterogeneity, inside a family."""
        total = sum(weights.values())
        steps = {name: w / total * self.posterior.scale_of(name) for name, w in weights.items()}
        x = self.posterior.weights(self.features)
        mean = sum(step * self.posterior.mean(x, name, families[name]) for name, step in steps.items())
        trace = self.posterior.trace(x, steps, families)
        variance = trace.covariance(trace) + self.variance() * together(steps, families)
        variance += sum(step * step * self.noise(name) for name, step in steps.items())
        sd = math.sqrt(max(variance, 1e-12))
        z = NORMAL.inv_cdf(0.5 + level / 2)
        return Mix(dict(weights), mean, mean - z * sd, mean + z * sd, level, NORMAL.cdf(mean / sd), sd)


def weigh(found: Sequence[Found], change: Change) -> list[tuple[float, float]]:
    """(adjusted delta, variance) of each contrast, in percent of the scale.

    What the model expects of everything else that moved is taken out, and its uncertainty put in; noise of two
    runs and the heterogeneity of what moved are added.
    """
    out = []
    for item in found:
        metric = item.contrast.metric
        unit = metric.max / 100 if metric.max else 1.0
        scale = change.posterior.scale_of(metric.benchmark)
        rest = difference(features(item.from_row.setting, change.words), features(item.to_row.setting, change.words))
        for name, value in change.features.items():
            if name in rest and (name not in NUMERIC or AXIS_OF[name] in change.axes):
                left = rest.pop(name) - value
                if abs(left) > 1e-9 and name in NUMERIC:
                    rest[name] = left
        for name in list(rest):
            axis = AXIS_OF[group(name)]
            if name not in NUMERIC and axis in change.axes and not (axis == "llm" and change.by_size):
                rest.pop(name)
        family = change.posterior.family_of.get(metric.benchmark)
        effect = change.posterior.effect(rest, metric.benchmark, family)
        kinds = kinds_moved(item.contrast.moved.axes, item.from_row.setting, item.to_row.setting, change.words)
        local = change.posterior.local_variance(kinds, {**rest, **change.features}) + change.noise(metric.benchmark)
        if item.near:  # it speaks for the asked components only as far as their make does
            local *= NEAR_DISCOUNT
        out.append((item.delta / unit - effect.mean * scale, (effect.variance + local) * scale ** 2))
    return out


def evidence_for(found: Sequence[Found], change: Change) -> tuple[list[Evidence], meta.Pooled | None]:
    """The rows of one benchmark with their weights (adding up to 1), and their random-effects pool over papers."""
    if not found:
        return [], None
    weighed = weigh(found, change)
    by_paper: dict[str, list[int]] = {}
    for number, item in enumerate(found):
        by_paper.setdefault(item.contrast.table.paper, []).append(number)
    y, v, weight = [], [], [0.0] * len(found)
    for numbers in by_paper.values():
        # pairs of one paper share arms and heterogeneity: together they count as one result of average precision
        variance = len(numbers) / sum(1 / weighed[n][1] for n in numbers)
        inner = sum(1 / weighed[n][1] for n in numbers)
        y.append(sum(weighed[n][0] / weighed[n][1] for n in numbers) / inner)
        v.append(variance)
        for n in numbers:
            weight[n] = (1 / variance) * (1 / weighed[n][1]) / inner
    total = sum(weight)
    metric = found[0].contrast.metric
    scale = change.words.records("benchmark").get(metric.benchmark, {}).get("max", metric.max)  # not the first row's: a table may print OCRBench of 100
    unit = scale / 100 if scale else 1.0
    pooled = meta.pool(y, v, "DL")
    sign = 1.0 if metric.higher_is_better else -1.0
    noise = {name: math.sqrt(change.noise(name)) * change.posterior.scale_of(name) for name in {item.contrast.metric.benchmark for item in found}}
    rows = [Evidence(item.contrast.table.id, item.contrast.table.arxiv, item.contrast.metric.benchmark, item.contrast.metric.split,
                     item.from_row.arm, item.to_row.arm, item.delta * sign, weight[n] / total,
                     change.controlled(item), change.also_moves(item),
                     _llm_label(item.from_row.setting, change.words), "near" if item.near else "direct",
                     noise[item.contrast.metric.benchmark] * (item.contrast.metric.max or 100) / 100, item.contrast.metric.max)
            for n, item in enumerate(found)]
    rows.sort(key=lambda row: (-row.weight, row.table, row.from_arm, row.to_arm))
    return rows, pooled._replace(estimate=pooled.estimate * unit * sign, se=pooled.se * unit, tau2=pooled.tau2 * unit ** 2)


def _llm_label(setting: Mapping, words: Vocabulary) -> str | None:
    if setting.get("llm"):
        return setting["llm"]
    size = llm_params_b(setting, words)
    return f"{size:g}B" if size else None


def judge(change: Change, found: Sequence[Found], benchmarks: Sequence[str], *, mix: Mapping[str, float] | None = None,
          level: float = 0.8, warnings: Sequence[str] = ()) -> Swap:
    """Answer for a change whose rows have been found already (see `find_rows`)."""
    records = change.words.records("benchmark")
    by_benchmark: dict[str, list[Found]] = {}
    for item in found:
        by_benchmark.setdefault(item.contrast.metric.benchmark, []).append(item)
    by_family: dict[str, list[Found]] = {}
    for name, items in by_benchmark.items():
        by_family.setdefault(records.get(name, {}).get("family") or "", []).extend(items)
    z = NORMAL.inv_cdf(0.5 + level / 2)
    deltas = []
    for name in benchmarks:
        record = records[name]
        family = record["family"]
        listed = by_benchmark.get(name, [])
        direct = [item for item in listed if not item.near]
        grade = change.grade(name, any(change.isolated(item) for item in direct), any(item.near for item in found)) if change.axes else "none"
        expected, sd = change.predict(name, family) if change.axes else (0.0, 0.0)
        unit = record["max"] / 100 if record.get("max") else 1.0
        sign = 1.0 if record.get("higher_is_better", True) else -1.0
        pooled = evidence_for(direct, change)[1]
        near = evidence_for([item for item in listed if item.near], change)[0][:NEAR_ROWS]
        kept = {(row.table, row.from_arm, row.to_arm, row.split) for row in near}
        rows = evidence_for([item for item in listed if not item.near or (
            item.contrast.table.id, item.from_row.arm, item.to_row.arm, item.contrast.metric.split) in kept], change)[0]
        if not rows:  # neighbours: the same change on other benchmarks of the family
            rows = evidence_for(by_family.get(family or "", []), change)[0][:NEAR_ROWS]
            total = sum(row.weight for row in rows)
            rows = [row._replace(weight=row.weight / total, relation="neighbour") for row in rows]
        # a score can move by its whole scale at most
        expected, low, high = (min(max(x, -100.0), 100.0) if record.get("max") else x for x in (expected, expected - z * sd, expected + z * sd))
        low, high = sorted((low * unit * sign, high * unit * sign))
        deltas.append(Delta(name, family, record.get("max"), expected * unit * sign, low, high, level,
                            NORMAL.cdf(expected / sd) if sd else 0.5, grade, tuple(rows), pooled))
    mixed = None
    if mix and change.axes:
        mixed = change.mix(mix, {name: records[name]["family"] for name in mix}, level)
    return Swap(change.axes[0] if change.axes else None, change.axes, tuple(deltas), mixed,
                tuple(warnings) + tuple(_warnings(change, found)))


def _warnings(change: Change, found: Sequence[Found]) -> list[str]:
    out = []
    if not change.axes:
        return ["nothing changes between the two recipes: every delta is zero by definition"]
    for axis in change.unknown:
        out.append(f"no chain of tables leads from one {axis} to the other: what stands here rests on components of the same make, or on nothing")
    size = llm_params_b(change.a, change.words)
    if size and size == llm_params_b(change.b, change.words):
        low, high = (7 * 2 ** x for x in change.posterior.ranges["llm_size"])
        if not low / 1.05 <= size <= high * 1.05:
            out.append(f"an LLM of {size:g}B lies outside the tables ({low:.2g}B to {high:.3g}B): deltas are those of the sizes that they have")
    for name, octaves in change.beyond.items():
        out.append(f"{name.replace('_', ' ')} lies {2 ** octaves:.1f}x outside the range of any table: extrapolated, interval widened")
    along: dict[str, set[str]] = {}
    for item in found:
        for text in change.also_moves(item):
            if text.split(" ")[0] not in item.contrast.moved.implied:
                along.setdefault(text.split(" ")[0], set()).add(item.contrast.table.paper)
    for axis, papers in sorted(along.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        if axis in ("resolution", "visual_tokens", "data", "llm", "encoder", "connector"):
            out.append(f"{' and '.join(change.axes)} and {axis} move together in rows of {', '.join(sorted(papers))} (confounded)")
    return out


def relevant_papers(a: Mapping, b: Mapping, posterior: Posterior, words: Vocabulary) -> set[str]:
    """The papers that may hold rows about a change: those in which things of the moved makes vary."""
    support = posterior.support
    out: set[str] = set()
    for axis in moved_axes(a, b, words):
        sides = []
        for side in (a, b):
            value = side.get(axis)
            if axis == "encoder" and value and "+" in value:
                sides.append(set.intersection(*(set(support.get(f"encoder={part}", ())) for part in value.split("+"))))
            elif axis in ("encoder", "connector") and value:
                kin = [slug for slug in words.records(axis) if slug == value or _near(axis, {axis: slug}, side, words)]
                sides.append({paper for slug in kin for paper in support.get(f"{axis}={slug}", ())})
            elif axis == "data" and value:
                sides.append(set(support.get(f"data={value}", ())))
            else:
                name = {"llm": "llm_size", "resolution": "resolution", "visual_tokens": "visual_tokens", "data": "data_size",
                        "training": "frozen_encoder"}[axis]
                sides.append(set(support.get(name, ())) | set(support.get(f"llm={value}", ())) if axis == "llm" else set(support.get(name, ())))
        out |= sides[0] & sides[1]
    return out
