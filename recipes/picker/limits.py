"""What a recipe must meet, and what it costs: training, latency, memory, context, licence.

In: the choices of a Space and Constraints. Out: Costs of one recipe, and for whole spaces the number of data mixes that each pair of
a visual part and an LLM can afford. Costs add up over few numbers of each choice, so all pairs are judged without building
recipes; `exceeds` is the same rules for one recipe. Knows no scores.
"""
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..cost import flops, latency, memory, training
from ..evidence.vocabulary import Vocabulary
from .space import Data, Language, Space, Visual
from .units import Budget, LatencyTarget

PROMPT_TOKENS, OUTPUT_TOKENS = 64, 128
REASONS = ("licence", "context", "memory", "speed", "latency", "budget")   # in the order in which they are asked

# What the licence texts of the registry permit, by how they begin; other texts, and none, are unknown.
LICENCES = (("Apache 2.0", "yes", ""), ("MIT", "yes", ""), ("Qwen Research", "no", "research only"),
            ("Llama 2 ", "conditions", "above 700 million monthly users a licence must be asked for"),
            ("Meta Llama 3 ", "conditions", "above 700 million monthly users a licence must be asked for"),
            ("Llama 3.", "conditions", "above 700 million monthly users a licence must be asked for"),
            ("Gemma Terms", "conditions", "use is restricted by the Gemma Prohibited Use Policy"),
            ("Qianwen", "conditions", "above 100 million monthly users a licence must be asked for"))


class Constraints(NamedTuple):
    """What a recipe must meet. None: no such constraint.

    dtype: number format of the deployed LLM weights. tokens_per_s: decoding speed on the deployment device. images: pictures in one
    request. commercial: the LLM's licence must permit commercial use.
    """
    budget: Budget | None = None
    latency: LatencyTarget | None = None
    memory_gb: float | None = None
    dtype: str = "bf16"
    train_gpu: str = "a100-80gb-sxm"
    deploy_gpu: str = "l4"
    tokens_per_s: float | None = None
    images: int = 1
    commercial: bool = False

    @property
    def device(self) -> str:
        """What it is deployed on."""
        return self.latency.gpu if self.latency else self.deploy_gpu

    @property
    def training_gpu(self) -> str:
        """What it is trained on."""
        return self.budget.gpu if self.budget and self.budget.gpu else self.train_gpu


class Costs(NamedTuple):
    """What one recipe costs to train and to run."""
    flop: float
    gpu: str
    gpu_hours: training.Estimate
    latency_gpu: str
    latency: latency.Latency
    memory: memory.Memory
    stages: tuple[training.StageCost, ...]


def commercial_use(record: Mapping) -> tuple[str, str]:
    """(yes, conditions, no or unknown; the condition) of an LLM's licence."""
    text = record.get("license") or ""
    return next(((verdict, why) for start, verdict, why in LICENCES if text.startswith(start)), ("unknown", "the registry has no licence that was read"))


def costs_of(visual: Visual, language: Language, data: Data, limits: Constraints, words: Vocabulary,
             calibration: training.Calibration) -> Costs:
    """Training cost, latency and memory of one recipe. Raises flops.MissingFigure."""
    hardware = words.records("hardware")
    connector = flops.connector_params(visual.recipe.connector or "", visual.width, flops.need(language.record, "hidden_size"))
    stages = tuple(training.stage_cost(stage, visual.encoder_flops, connector, language.record, visual.grid_tokens)
                   for stage in training.two_stages(data.samples, data.slug, visual.visual_tokens, visual.recipe.frozen_encoder))
    total = sum(stage.total for stage in stages)
    seen = visual.visual_tokens * limits.images
    encoders = [(record, side, views * limits.images) for record, side, views in visual.encoders]
    timing = latency.answer(hardware[limits.device], language.record, encoders, connector, seen, visual.grid_tokens * limits.images,
                            PROMPT_TOKENS, OUTPUT_TOKENS, limits.dtype)
    held = memory.inference(language.record, visual.encoder_params, connector, seen + PROMPT_TOKENS + OUTPUT_TOKENS, limits.dtype)
    return Costs(total, limits.training_gpu, training.estimate(total, hardware[limits.training_gpu], calibration), limits.device, timing, held, stages)


def allowed_flops(limits: Constraints, hardware: Mapping, calibration: training.Calibration) -> float | None:
    """The most FLOPs the budget allows (at the median utilisation); infinity for a budget in images."""
    if limits.budget is None:
        return None
    if limits.budget.kind == "flop":
        return limits.budget.amount
    if limits.budget.kind == "gpu_hours":
        return limits.budget.amount * 3600 * training.peak_flops(hardware[limits.budget.gpu]) * calibration.median
    return float("inf")


def exceeds(costs: Costs, limits: Constraints, words: Vocabulary, calibration: training.Calibration) -> str | None:
    """Which cost constraint a recipe with these costs breaks (memory, speed, latency or budget), or None: the rules of `Pairs`, for one recipe."""
    if limits.memory_gb is not None and costs.memory.total > limits.memory_gb:
        return "memory"
    if limits.tokens_per_s is not None and costs.latency.tokens_per_s < limits.tokens_per_s:
        return "speed"
    if limits.latency is not None and (costs.latency.total_ms if limits.latency.whole_answer else costs.latency.ttft_ms) > limits.latency.ms:
        return "latency"
    if limits.budget is None:
        return None
    if limits.budget.kind == "images":
        return "budget" if sum(stage.stage.samples for stage in costs.stages) > limits.budget.amount else None
    return "budget" if costs.flop > allowed_flops(limits, words.records("hardware"), calibration) else None


class Pair(NamedTuple):
    """What a visual part and an LLM cost together: milliseconds, tokens per second, gigabytes, context tokens, FLOPs before and per sample."""
    ms: float
    speed: float
    gb: float
    context: float
    first: float
    each: float


class Pairs:
    """Costs of all pairs of a visual part and an LLM, and how many data mixes each can afford."""

    def __init__(self, space: Space, limits: Constraints, words: Vocabulary, calibration: training.Calibration):
        self.space, self.limits = space, limits
        hardware = words.records("hardware")
        self.device = hardware[limits.device]
        self.allowed = allowed_flops(limits, hardware, calibration)
        self.sizes = sorted(data.samples for data in space.data)
        plan = training.two_stages(1.0, "", 0.0)
        self.stages = [(stage, training.stage_factors(stage), count) for stage, count in zip(plan, (plan[0].samples, 1.0))]
        self.tokens = [visual.visual_tokens * limits.images for visual in space.visuals]
        self.vision_ms = [self._vision(visual) for visual in space.visuals]
        self.encoder = [[visual.encoder_flops * factors["encoder"] * count for visual in space.visuals] for _, factors, count in self.stages]
        self._by_width: dict[int, tuple] = {}
        self._counts: tuple[list[Sequence[int]], dict[str, int]] | None = None

    def _vision(self, visual: Visual) -> float:
        encoders = [(record, side, views * self.limits.images) for record, side, views in visual.encoders]
        return latency.vision_phase(self.device, encoders).ms

    def _connectors(self, hidden: int) -> tuple[list[float], list[float], list[list[float]]]:
        """Per visual part: milliseconds and gigabytes (with the encoder's) of the connector into an LLM of this width, FLOPs per stage."""
        if hidden not in self._by_width:
            images, seen = self.limits.images, self.space.visuals
            params = [flops.connector_params(visual.recipe.connector or "", visual.width, hidden) for visual in seen]
            known: dict[tuple[float, float], float] = {}         # few sizes and grids: many visual parts share them
            for key in {(size, visual.grid_tokens) for size, visual in zip(params, seen)}:
                known[key] = latency.connector_phase(self.device, key[0], key[1] * images).ms
            ms = [known[size, visual.grid_tokens] for size, visual in zip(params, seen)]
            gb = [2e-9 * (visual.encoder_params + size) for size, visual in zip(params, seen)]
            work = [[2.0 * size * visual.grid_tokens * factors["connector"] * count for size, visual in zip(params, seen)]
                    for _, factors, count in self.stages]
            self._by_width[hidden] = ms, gb, work
        return self._by_width[hidden]

    def _language(self, record: Mapping, visual_tokens: float) -> tuple[float, float, float, list[float]]:
        """Milliseconds, tokens per second, gigabytes and FLOPs per stage of an LLM with so many visual tokens a request."""
        timing = latency.answer(self.device, record, (), 0.0, visual_tokens, 0.0, PROMPT_TOKENS, OUTPUT_TOKENS, self.limits.dtype)
        whole = self.limits.latency is not None and self.limits.latency.whole_answer
        held = memory.inference(record, 0.0, 0.0, visual_tokens + PROMPT_TOKENS + OUTPUT_TOKENS, self.limits.dtype)
        one = visual_tokens / self.limits.images
        work = [training.stage_cost(stage._replace(visual_tokens=one, samples=count), 0.0, 0.0, record, 0.0).llm for stage, _, count in self.stages]
        prefill = timing.phases[-1].ms       # the other phases are the visual part's
        return prefill + (timing.total_ms - timing.ttft_ms if whole else 0.0), timing.tokens_per_s, held.total, work

    def _terms(self, x: int) -> Iterator[tuple[float, float, float, float, float, float]]:
        """The fields of Pair for every visual part with one LLM."""
        record = self.space.languages[x].record
        ms, gb, work = self._connectors(flops.need(record, "hidden_size"))
        known = {tokens: self._language(record, tokens) for tokens in set(self.tokens)}
        spare = PROMPT_TOKENS + OUTPUT_TOKENS
        for tokens, seen, a, b, before, per, first, each in zip(self.tokens, self.vision_ms, ms, gb, *self.encoder, *work):
            total, speed, held, (start, step) = known[tokens]
            yield total + seen + a, speed, held + b, tokens + spare, before + first + start, per + each + step

    def of(self, x: int) -> list[Pair]:
        """The costs of every visual part with one LLM."""
        return [Pair(*terms) for terms in self._terms(x)]

    def refused(self, x: int) -> str | None:
        """Why an LLM is out whatever it sees, or None."""
        return "licence" if self.limits.commercial and commercial_use(self.space.languages[x].record)[0] not in ("yes", "conditions") else None

    def reason(self, x: int, pair: Pair, without: str = "") -> str | None:
        """The first constraint that a pair breaks (budget: with the smallest data mix), leaving out `without`."""
        limits = self.limits
        room = self.space.languages[x].record.get("context")
        if room and pair.context > room:
            return "context"
        if limits.memory_gb is not None and pair.gb > limits.memory_gb and without != "memory":
            return "memory"
        if limits.tokens_per_s is not None and pair.speed < limits.tokens_per_s and without != "speed":
            return "speed"
        if limits.latency is not None and pair.ms > limits.latency.ms and without != "latency":
            return "latency"
        return "budget" if without != "budget" and not self.affordable(pair) else None

    def affordable(self, pair: Pair) -> int:
        """How many of the data mixes, from the smallest, the budget allows: the cost is linear in the number of samples."""
        return len(self.sizes) if self.allowed is None else self._afford(pair.first, pair.each)

    def _afford(self, first: float, each: float) -> int:
        if self.limits.budget.kind == "images":
            return bisect_right(self.sizes, self.limits.budget.amount - self.stages[0][2])
        return bisect_right(self.sizes, (self.allowed - first) / each)

    def counts(self) -> tuple[list[Sequence[int]], dict[str, int]]:
        """Per LLM and visual part, how many data mixes they can afford (0: refused); and how many recipes each reason excludes."""
        if self._counts is None:
            excluded = dict.fromkeys(REASONS, 0)
            self._counts = [self._count(x, excluded) for x in range(len(self.space.languages))], excluded
        return self._counts

    def _count(self, x: int, excluded: dict[str, int]) -> Sequence[int]:
        mixes = len(self.sizes)
        refused = self.refused(x)
        if refused:
            excluded[refused] += mixes * len(self.tokens)
            return [0] * len(self.tokens)
        limits, infinite, out = self.limits, float("inf"), []
        context = self.space.languages[x].record.get("context") or infinite
        memory_gb = infinite if limits.memory_gb is None else limits.memory_gb
        most_ms = infinite if limits.latency is None else limits.latency.ms
        tokens_per_s = limits.tokens_per_s or 0.0
        if limits.memory_gb is None and limits.latency is None and limits.tokens_per_s is None and self.allowed is None:
            over = [tokens + PROMPT_TOKENS + OUTPUT_TOKENS > context for tokens in self.tokens]     # nothing else to compare: no costs needed
            excluded["context"] += mixes * sum(over)
            return [0 if out_ else mixes for out_ in over]
        record = self.space.languages[x].record
        ms, gb, (first, each) = self._connectors(flops.need(record, "hidden_size"))
        known = {tokens: self._language(record, tokens) for tokens in set(self.tokens)}
        spare, unlimited = PROMPT_TOKENS + OUTPUT_TOKENS, self.allowed is None
        # the terms of `_terms` and the rules of `reason`, without a call for each of many pairs, and none worked out that is not asked for
        for tokens, seen, a, b, before, per, start, step in zip(self.tokens, self.vision_ms, ms, gb, *self.encoder, first, each):
            total, speed, held, (begun, further) = known[tokens]
            if tokens + spare > context:
                reason = "context"
            elif held + b > memory_gb:
                reason = "memory"
            elif speed < tokens_per_s:
                reason = "speed"
            elif total + seen + a > most_ms:
                reason = "latency"
            else:
                count = mixes if unlimited else self._afford(before + start + begun, per + step + further)
                excluded["budget"] += mixes - count
                out.append(count)
                continue
            excluded[reason] += mixes
            out.append(0)
        return out

    def least(self, what: str) -> tuple[float, int, int] | None:
        """The smallest value that a constraint would have to allow so that something fits, all others kept, and the pair that does."""
        best = None
        for x in range(len(self.space.languages)):
            if self.refused(x) and what != "licence":
                continue
            for v, pair in enumerate(self.of(x)):
                if self.reason(x, pair, without=what) is None:
                    value = {"memory": pair.gb, "speed": -pair.speed, "latency": pair.ms,
                             "budget": pair.first + pair.each * self.sizes[0] if self.limits.budget and self.limits.budget.kind != "images"
                             else self.sizes[0] + self.stages[0][2], "licence": 0.0}[what]
                    if best is None or value < best[0]:
                        best = value, x, v
        return best
