"""Rank the candidate recipes under constraints: score, cost, latency, memory; top list and probability of being best.

In: a Space, a task mix, a Posterior, constraints. Out: a Pick: the best recipes with deltas and costs, and exact
counts of what each constraint excludes. The search is exact: effects add up over visual part, LLM and data, and
costs depend on few numbers of each, so all combinations are judged without building them.
"""
import heapq
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..cost import flops, latency, memory, training
from ..effects import linalg
from ..effects.features import AXIS_OF, difference, features, group
from ..effects.posterior import Posterior, Trace
from ..effects.swap import Change, Mix, together
from ..evidence.vocabulary import Vocabulary
from .recipe import Recipe
from .space import Data, Language, Space, Visual
from .tasks import TaskMix
from .units import Budget, LatencyTarget

PROMPT_TOKENS, OUTPUT_TOKENS = 64, 128
CANDIDATES = 40          # recipes that compete in the probability of being best
DRAWS = 2000


Candidate = tuple[int, int, int]   # numbers of a visual part, an LLM and a data mix of a space


class Constraints(NamedTuple):
    """What a recipe must meet. None: no such constraint. dtype: number format of the deployed LLM weights."""
    budget: Budget | None = None
    latency: LatencyTarget | None = None
    memory_gb: float | None = None
    dtype: str = "bf16"
    train_gpu: str = "a100-80gb-sxm"
    deploy_gpu: str = "l4"


class Costs(NamedTuple):
    """What one recipe costs to train and to run."""
    flop: float
    gpu: str
    gpu_hours: training.Estimate
    latency_gpu: str
    latency: latency.Latency
    memory: memory.Memory
    stages: tuple[training.StageCost, ...]


class Ranked(NamedTuple):
    """One recipe of the answer."""
    recipe: Recipe
    visual: Visual
    language: Language
    data: Data
    mix: Mix
    p_best: float
    costs: Costs
    tied: bool       # the evidence cannot tell it from the first


class Pick(NamedTuple):
    """The answer: top recipes, how many were considered, and (reason, count) of exclusions."""
    baseline: Recipe
    baseline_costs: Costs
    tasks: TaskMix
    recipes: tuple[Ranked, ...]
    tied: int                                # how many of the competitors the evidence cannot tell from the first
    competitors: int                         # the recipes behind p_best
    considered: int
    excluded: tuple[tuple[str, int], ...]
    left_out: tuple[tuple[str, int], ...]
    tightest: tuple[str, ...]                # when nothing fits: what would have to give, in words


def costs_of(visual: Visual, language: Language, data: Data, limits: Constraints, words: Vocabulary,
             calibration: training.Calibration) -> Costs:
    """Training cost, latency and memory of one recipe."""
    hardware = words.records("hardware")
    connector = flops.connector_params(visual.recipe.connector or "", visual.width, flops.need(language.record, "hidden_size"))
    stages = tuple(training.stage_cost(stage, visual.encoder_flops, connector, language.record, visual.grid_tokens)
                   for stage in training.two_stages(data.samples, data.slug, visual.visual_tokens, visual.recipe.frozen_encoder))
    total = sum(stage.total for stage in stages)
    gpu = limits.budget.gpu if limits.budget and limits.budget.gpu else limits.train_gpu
    device = limits.latency.gpu if limits.latency else limits.deploy_gpu
    timing = latency.answer(hardware[device], language.record, visual.encoders, connector, visual.visual_tokens,
                            visual.grid_tokens, PROMPT_TOKENS, OUTPUT_TOKENS, limits.dtype)
    held = memory.inference(language.record, visual.encoder_params, connector,
                            visual.visual_tokens + PROMPT_TOKENS + OUTPUT_TOKENS, limits.dtype)
    return Costs(total, gpu, training.estimate(total, hardware[gpu], calibration), device, timing, held, stages)


class Scores:
    """Scores of the choices of a space against a baseline for a task mix, in percent of the mix's scale."""

    def __init__(self, space: Space, baseline: Recipe, tasks: TaskMix, posterior: Posterior, words: Vocabulary):
        self.space, self.baseline, self.tasks, self.posterior, self.words = space, baseline, tasks, posterior, words
        self.families = {name: words.records("benchmark")[name]["family"] for name in tasks.benchmarks}
        start = features(baseline.stated(), words)
        part = lambda recipe: features(recipe.stated(), words)  # noqa: E731
        own = lambda *axes: {k: v for k, v in start.items() if AXIS_OF[group(k)] in axes}  # noqa: E731
        seeing, speaking, taught = own("encoder", "resolution", "visual_tokens", "connector"), own("llm"), own("data")
        self.visual_changes = [difference(seeing, part(v.recipe)) for v in space.visuals]
        self.language_changes = [difference(speaking, part(Recipe(llm=x.slug))) for x in space.languages]
        self.data_changes = [difference(taught, part(Recipe(data=x.slug, data_size=x.samples))) for x in space.data]
        names = sorted({name for changes in (self.visual_changes, self.language_changes, self.data_changes)
                        for change in changes for name in change})
        self.coefficients = posterior.mix_coefficients(names, tasks.benchmarks, self.families)
        score = lambda change: sum(self.coefficients[name] * value for name, value in change.items())  # noqa: E731
        self.visuals = [score(change) for change in self.visual_changes]
        self.languages = [score(change) for change in self.language_changes]
        self.data = [score(change) for change in self.data_changes]

        self.steps = {name: weight * posterior.scale_of(name) for name, weight in tasks.benchmarks.items()}
        self._traces: dict[tuple[str, int], Trace] = {}

    def mean(self, candidate: Candidate) -> float:
        """Expected gain of a whole recipe on the mix."""
        v, x, d = candidate
        return self.visuals[v] + self.languages[x] + self.data[d]

    def trace(self, part: tuple[str, int]) -> Trace:
        """Where the uncertainty of one choice's gain lies; part: visual, language or data, and its number."""
        if part not in self._traces:
            kind, number = part
            change = {"visual": self.visual_changes, "language": self.language_changes, "data": self.data_changes}[kind][number]
            self._traces[part] = self.posterior.trace(self.posterior.weights(change), self.steps, self.families)
        return self._traces[part]


def pick(scores: Scores, limits: Constraints, calibration: training.Calibration, *, top: int = 5, level: float = 0.8) -> Pick:
    """The `top` recipes by expected score that meet the constraints. Deterministic."""
    space, baseline, words = scores.space, scores.baseline, scores.words
    hardware = words.records("hardware")
    by_size = sorted(range(len(space.data)), key=lambda d: (space.data[d].samples, d))
    sizes = [space.data[d].samples for d in by_size]
    best_upto: list[int] = []                  # index of the best mix among the i smallest ones
    for d in by_size:
        best_upto.append(d if not best_upto or scores.data[d] > scores.data[best_upto[-1]] else best_upto[-1])
    device = limits.latency.gpu if limits.latency else limits.deploy_gpu
    allowed = _allowed_flops(limits, hardware, calibration)
    counts = {"latency": 0, "memory": 0, "budget": 0}
    best: list[tuple] = []
    prefill: dict[tuple, float] = {}
    seen_vision: dict[int, float] = {}
    for x, language in enumerate(space.languages):
        record = language.record
        for v, visual in enumerate(space.visuals):
            connector = flops.connector_params(visual.recipe.connector or "", visual.width, record["hidden_size"])
            if limits.memory_gb is not None:
                held = memory.inference(record, visual.encoder_params, connector,
                                        visual.visual_tokens + PROMPT_TOKENS + OUTPUT_TOKENS, limits.dtype)
                if held.total > limits.memory_gb:
                    counts["memory"] += len(space.data)
                    continue
            if limits.latency is not None:
                key = (x, visual.visual_tokens)
                if key not in prefill:
                    timing = latency.answer(hardware[device], record, (), 0.0, visual.visual_tokens, 0.0, PROMPT_TOKENS,
                                            OUTPUT_TOKENS, limits.dtype)
                    prefill[key] = timing.total_ms if limits.latency.whole_answer else timing.ttft_ms
                if v not in seen_vision:
                    seen_vision[v] = latency.answer(hardware[device], record, visual.encoders, 0.0, visual.visual_tokens, 0.0,
                                                    PROMPT_TOKENS, 1, limits.dtype).phases[0].ms
                joint = latency.connector_phase(hardware[device], connector, visual.grid_tokens).ms
                if prefill[key] + seen_vision[v] + joint > limits.latency.ms:
                    counts["latency"] += len(space.data)
                    continue
            count = len(sizes)
            if allowed is not None:
                count = _affordable(allowed, limits, visual, record, connector, sizes)
                counts["budget"] += len(sizes) - count
                if not count:
                    continue
            d = best_upto[count - 1]
            best.append((scores.visuals[v] + scores.languages[x] + scores.data[d], -v, -x, count))
    width = max(top, CANDIDATES)
    leaders = heapq.nlargest(width, best)
    triples = []
    for value, v, x, count in leaders:
        rest = value - scores.data[best_upto[count - 1]]
        for d in by_size[:count]:
            triples.append((rest + scores.data[d], v, x, -d))
    chosen = heapq.nlargest(width, triples)
    competitors = [(-v, -x, -d) for _, v, x, d in chosen]
    ranked, tied = _judge(competitors, scores, limits, calibration, top, level)
    nothing = () if ranked else _advice(counts, limits)
    visual, language, data = _baseline_parts(baseline, words)
    return Pick(baseline, costs_of(visual, language, data, limits, words, calibration), scores.tasks, tuple(ranked), tied, len(competitors),
                space.size, tuple((k, n) for k, n in counts.items() if n), space.left_out, nothing)


def _baseline_parts(baseline: Recipe, words: Vocabulary) -> tuple[Visual, Language, Data]:
    encoder = words.records("encoder")[baseline.encoder]
    side = int(baseline.resolution)
    grid = float(flops.patch_tokens(encoder, side))
    visual = Visual(baseline, ((encoder, side, 1),), flops.encoder_forward(encoder, side), flops.trunk_params(encoder),
                    encoder["width"], grid, float(baseline.visual_tokens or grid))
    return visual, Language(baseline.llm, words.records("llm")[baseline.llm]), Data(baseline.data, baseline.data_size, "")


def _allowed_flops(limits: Constraints, hardware: Mapping, calibration: training.Calibration) -> float | None:
    """The most FLOPs the budget allows (at the median utilisation); infinity for a budget in images."""
    if limits.budget is None:
        return None
    if limits.budget.kind == "flop":
        return limits.budget.amount
    if limits.budget.kind == "gpu_hours":
        return limits.budget.amount * 3600 * training.peak_flops(hardware[limits.budget.gpu]) * calibration.median
    return float("inf")


def exceeds(costs: Costs, limits: Constraints, words: Vocabulary, calibration: training.Calibration) -> str | None:
    """Which constraint a recipe with these costs breaks (memory, latency or budget), or None: the rules of `pick`, for one recipe."""
    if limits.memory_gb is not None and costs.memory.total > limits.memory_gb:
        return "memory"
    if limits.latency is not None and (costs.latency.total_ms if limits.latency.whole_answer else costs.latency.ttft_ms) > limits.latency.ms:
        return "latency"
    if limits.budget is None:
        return None
    if limits.budget.kind == "images":
        return "budget" if sum(stage.stage.samples for stage in costs.stages) > limits.budget.amount else None
    return "budget" if costs.flop > _allowed_flops(limits, words.records("hardware"), calibration) else None


def _affordable(allowed: float, limits: Constraints, visual: Visual, llm: Mapping, connector: float, sizes: Sequence[float]) -> int:
    """How many of the mixes, from the smallest, the budget allows: the cost is linear in the number of samples."""
    if limits.budget.kind == "images":
        return bisect_right(sizes, limits.budget.amount - 558_000)
    plan = training.two_stages(1.0, "", visual.visual_tokens)
    fixed = training.stage_cost(plan[0], visual.encoder_flops, connector, llm, visual.grid_tokens).total
    each = training.stage_cost(plan[1], visual.encoder_flops, connector, llm, visual.grid_tokens).total
    return bisect_right(sizes, (allowed - fixed) / each)


def _judge(competitors: Sequence[Candidate], scores: Scores, limits: Constraints, calibration: training.Calibration, top: int,
           level: float) -> tuple[list[Ranked], int]:
    """The leading recipes with intervals, probability of being best and costs; and how many competitors are tied with the first."""
    if not competitors:
        return [], 0
    p_best, tied = p_best_of(competitors, scores)
    space, baseline, words = scores.space, scores.baseline, scores.words
    out = []
    for (v, x, d), p, close in list(zip(competitors, p_best, tied))[:top]:
        visual, language, data = space.visuals[v], space.languages[x], space.data[d]
        recipe = Recipe(encoder=visual.recipe.encoder, connector=visual.recipe.connector, visual_tokens=visual.visual_tokens,
                        llm=language.slug, llm_params_b=language.record["params_b"], data=data.slug, data_size=data.samples,
                        resolution=visual.recipe.resolution, tiling=visual.recipe.tiling, training=baseline.training,
                        frozen_encoder=baseline.frozen_encoder)
        mix = Change(baseline.stated(), recipe.stated(), scores.posterior, words).mix(scores.tasks.benchmarks, scores.families, level)
        out.append(Ranked(recipe, visual, language, data, mix, p, costs_of(visual, language, data, limits, words, calibration), close))
    return out, sum(tied)


def labels(scores: Scores, candidate: Candidate) -> tuple[tuple[str, str | None], ...]:
    """What of a recipe is a setting of its own (and brings heterogeneity of its own)."""
    v, x, d = candidate
    recipe = scores.space.visuals[v].recipe
    return (("encoder", recipe.encoder), ("connector", recipe.connector), ("connector_class", scores.words.connector_class(recipe.stated())),
            ("resolution", str(recipe.resolution)), ("llm", scores.space.languages[x].slug), ("data", scores.space.data[d].slug))


def joint_covariance(candidates: Sequence[Candidate], labels: Sequence[Sequence[tuple[str, str | None]]], scores: Scores) -> linalg.Matrix:
    """Covariance of the recipes' true gains on the mix in the user's own setting: shared effects and heterogeneity.

    Recipes with the same component share its effect and its heterogeneity, so they are uncertain together.
    """
    parts = [(("visual", v), ("language", x), ("data", d)) for v, x, d in candidates]
    between: dict[tuple, float] = {}
    for one in (distinct := list(dict.fromkeys(part for three in parts for part in three))):
        for other in distinct:
            if (other, one) not in between:
                between[one, other] = between[other, one] = scores.trace(one).covariance(scores.trace(other))
    hyper = scores.posterior.hyper
    local = scores.posterior.spread * together(scores.steps, scores.families)
    n = len(candidates)
    out = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            shared = sum(hyper.heterogeneity[kind] for kind, value in labels[i] if (kind, value) in labels[j])
            out[i][j] = out[j][i] = sum(between[p, q] for p in parts[i] for q in parts[j]) + local * shared
    return out


def p_best_of(competitors: Sequence[Candidate], scores: Scores) -> tuple[list[float], list[bool]]:
    """(probability of being the best of these recipes, cannot be told from the first), by seeded draws."""
    covariance = joint_covariance(competitors, [labels(scores, c) for c in competitors], scores)
    draws = draw([scores.mean(c) for c in competitors], covariance, DRAWS)
    wins = [0] * len(competitors)
    behind = [0] * len(competitors)
    for values in draws:
        first = values[0]
        wins[max(range(len(values)), key=values.__getitem__)] += 1
        for i, value in enumerate(values):
            behind[i] += value < first
    return [win / len(draws) for win in wins], [count < 0.8 * len(draws) for count in behind]


def draw(means: Sequence[float], covariance: linalg.Matrix, count: int, seed: int = 20261121) -> list[list[float]]:
    """Seeded draws from a multivariate normal (a little is added to the diagonal: recipes may be exact twins)."""
    size = len(means)
    top = max(covariance[i][i] for i in range(size)) or 1.0
    ridge = [[*row[:i], row[i] + 1e-6 * top] for i, row in enumerate(covariance)]
    factor = linalg.cholesky(ridge)
    import random  # slow to load, and a swap does not draw
    rng = random.Random(seed)
    out = []
    for _ in range(count):
        z = [rng.gauss(0.0, 1.0) for _ in range(size)]
        out.append([mean + linalg.dot(row, z) for mean, row in zip(means, factor)])
    return out


def _advice(counts: Mapping[str, int], limits: Constraints) -> tuple[str, ...]:
    """Which constraints exclude recipes, the most excluding first."""
    return tuple(f"{name} excludes {count} combinations" for name, count in sorted(counts.items(), key=lambda item: -item[1]) if count)
