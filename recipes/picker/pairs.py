"""Pairs of a visual part and an LLM: which are within the limits, and for how much data.

In: a space of recipes, Constraints (limits.py). Out: per pair what it costs, and how many recipes
each limit excludes. Costs add up over few numbers of each choice, so all pairs are judged without
building recipes, by the rules that limits.exceeds has for one. Does not score a recipe.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..cost import fit, flops, latency, memory, training
from ..terms.licences import licence
from ..terms.vocabulary import Vocabulary
from .limits import (
    ADAPTERS,
    OUTPUT_TOKENS,
    PROMPT_TOKENS,
    REASONS,
    TRAINING,
    Constraints,
    allowed_flops,
    fills,
)
from .space import Space


class Pair(NamedTuple):
    """What a visual part and an LLM cost together: milliseconds, tokens per second, gigabytes,
    context tokens, FLOPs before and per sample (under a budget in hours as many as the reference
    LLM does in the time they take).
    """

    ms: float
    speed: float
    gb: float
    context: float
    first: float
    each: float


class Group(NamedTuple):
    """Visual parts with one key of `groups`. members: number, connector (Pairs.kinds),
    milliseconds and gigabytes of the encoder, its FLOPs before and per sample. most, least: the
    largest and the smallest of these four."""

    members: list[tuple[int, int, float, float, float, float]]
    most: tuple[float, float, float, float]
    least: tuple[float, float, float, float]


class _Judged(NamedTuple):
    """What of one LLM all visual parts are judged by. extremes: of the columns of `connectors`;
    allowed: FLOPs; mixes: how many data mixes all can have (None: it depends on their costs).
    """

    record: Mapping
    connectors: Sequence[tuple[float, float, float]]
    connector_ms: Sequence[float]
    extremes: tuple[tuple[float, ...], ...]
    memory_gb: float
    most_ms: float
    tokens_per_s: float
    allowed: float | None
    mixes: int | None


class Pairs:
    """Costs of all pairs of a visual part and an LLM, and how many data mixes each can afford."""

    def __init__(
        self,
        space: Space,
        limits: Constraints,
        words: Vocabulary,
        calibration: training.Calibration,
    ):
        self.space, self.limits, self.words = space, limits, words
        hardware = words.records("hardware")
        self.device = hardware[limits.device]
        self.allowed = allowed_flops(limits, hardware, calibration)
        self.sizes = sorted(data.samples for data in space.data)
        plan = training.two_stages(1.0, "", 0.0)
        self.stages = [
            (stage, self._passes(stage), count)
            for stage, count in zip(plan, (plan[0].samples, 1.0))
        ]
        self.trained_on = hardware[limits.training_gpu]
        # what an LLM's costs depend on: tokens of a request, and what images fill of the tiles
        self.tokens = [
            (visual.visual_tokens * limits.images, fills(visual)) for visual in space.visuals
        ]
        self.encoder = [
            [
                visual.encoder_flops * share[i][1] * factors["encoder"] * count
                for visual, (_, share) in zip(space.visuals, self.tokens)
            ]
            for i, (_, factors, count) in enumerate(self.stages)
        ]
        # a connector's costs depend on what it is, the encoder's width and the grid: few of these
        # for many visual parts
        kinds: dict[tuple[str, float, float, tuple], int] = {}
        self.kind = [
            kinds.setdefault(
                (visual.recipe.connector or "", visual.width, visual.grid_tokens, share),
                len(kinds),
            )
            for visual, (_, share) in zip(space.visuals, self.tokens)
        ]
        self.kinds = tuple(kinds)
        self.encoder_gb = [2e-9 * visual.encoder_params for visual in space.visuals]
        self._vision_ms: list[float] = []
        self._by_width: dict[int, list[tuple[float, float, float]]] = {}
        self._timed: dict[int, list[float]] = {}
        self._ends: dict[int, tuple[tuple[float, ...], ...]] = {}
        self._grouped: dict[tuple[float, tuple], Group] = {}
        self._counts: tuple[list[Sequence[int]], dict[str, int]] | None = None
        # (LLM, visual part) that fits the GPUs through adapters alone -> data mixes within the
        # budget (hours counted as for full training, which takes longer)
        self.adapted: dict[tuple[int, int], int] = {}
        # what printed rows say that adapters do to the mix (schedule.alternative), asked for when
        # it matters; None: no rows
        self.printed_adapters: Callable[[], Mapping | None] = lambda: None

    @property
    def vision_ms(self) -> list[float]:
        """Milliseconds of the encoder of each visual part."""
        if not self._vision_ms:
            encoders = [
                [
                    (record, side, views * self.limits.images)
                    for record, side, views in visual.encoders
                ]
                for visual in self.space.visuals
            ]
            self._vision_ms = [latency.vision_phase(self.device, each).ms for each in encoders]
        return self._vision_ms

    def _connectors(self, hidden: int) -> list[tuple[float, float, float]]:
        """Parameters, and FLOPs before and per sample, of each kind of connector into an LLM of
        this width.
        """
        if hidden not in self._by_width:
            before, each = (2.0 * factors["connector"] * count for _, factors, count in self.stages)
            params = {kind[:2]: flops.connector_params(*kind[:2], hidden) for kind in self.kinds}
            sizes = [
                (params[connector, width], grid, share)
                for connector, width, grid, share in self.kinds
            ]
            self._by_width[hidden] = [
                (size, size * grid * share[0][1] * before, size * grid * share[1][1] * each)
                for size, grid, share in sizes
            ]
        return self._by_width[hidden]

    def _extremes(self, hidden: int) -> tuple[tuple[float, ...], ...]:
        """The largest and the smallest of each column of `_connectors`."""
        if hidden not in self._ends:
            columns = list(zip(*self._connectors(hidden)))
            self._ends[hidden] = tuple(map(max, columns)), tuple(map(min, columns))
        return self._ends[hidden]

    def _connector_ms(self, hidden: int) -> list[float]:
        """Milliseconds of each kind of connector into an LLM of this width."""
        if hidden not in self._timed:
            work = [
                (size, grid)
                for (size, *_), (_, _, grid, _) in zip(self._connectors(hidden), self.kinds)
            ]
            ms = {
                pair: latency.connector_phase(self.device, pair[0], pair[1] * self.limits.images).ms
                for pair in set(work)
            }
            self._timed[hidden] = [ms[pair] for pair in work]
        return self._timed[hidden]

    def _language(
        self, record: Mapping, seen: tuple[float, tuple], asked: bool = False
    ) -> tuple[float, float, float, Sequence[float]]:
        """Milliseconds, tokens per second, gigabytes and FLOPs per stage of an LLM with so many
        visual tokens a request, and such shares of them in training.

        asked: only what a constraint asks for is worked out; the others are zero.
        """
        visual_tokens, share = seen
        limits, tokens = self.limits, visual_tokens + PROMPT_TOKENS
        ms = speed = held = 0.0
        work: Sequence[float] = (0.0, 0.0)
        if not asked or limits.latency is not None or limits.tokens_per_s is not None:
            prefill, decode = latency.language_phases(
                self.device, record, tokens, OUTPUT_TOKENS, limits.dtype
            )
            answer = latency.Latency((prefill,), decode, OUTPUT_TOKENS)
            whole = limits.latency is not None and limits.latency.whole_answer
            ms, speed = answer.total_ms if whole else answer.ttft_ms, answer.tokens_per_s
        if not asked or limits.memory_gb is not None:
            held = memory.inference(record, 0.0, 0.0, tokens + OUTPUT_TOKENS, limits.dtype).total
        if not asked or self.allowed is not None:
            one = visual_tokens / limits.images
            work = [
                training.llm_flops(record, one * share[i][0], stage.text_tokens)
                * factors["llm"]
                * count
                for i, (stage, factors, count) in enumerate(self.stages)
            ]
        return ms, speed, held, work

    def _terms(self, x: int) -> Iterator[tuple[float, float, float, float, float, float]]:
        """The fields of Pair for every visual part with one LLM."""
        record = self.space.languages[x].record
        hidden = flops.need(record, "hidden_size")
        connectors, connector_ms = self._connectors(hidden), self._connector_ms(hidden)
        known = {seen: self._language(record, seen) for seen in set(self.tokens)}
        spare, slow = PROMPT_TOKENS + OUTPUT_TOKENS, self.slowness(record)
        for seen, kind, looking, size, before, per in zip(
            self.tokens, self.kind, self.vision_ms, self.encoder_gb, *self.encoder
        ):
            total, speed, held, (begun, further) = known[seen]
            params, first, each = connectors[kind]
            yield (
                total + looking + connector_ms[kind],
                speed,
                held + size + 2e-9 * params,
                seen[0] + spare,
                slow * (before + first + begun),
                slow * (per + each + further),
            )

    def _passes(self, stage: training.Stage) -> dict[str, float]:
        """Forward passes of a stage; where time is what the budget counts, with the LLM's that is
        computed again (training.stage_cost)."""
        passes = training.stage_factors(stage)
        again = 1.0 if self.timed and passes["llm"] > 1.0 else 0.0
        return {**passes, "llm": passes["llm"] + again}

    @property
    def timed(self) -> bool:
        """Whether FLOPs stand for time: under every budget but one in FLOPs."""
        return self.limits.budget is None or self.limits.budget.kind != "flop"

    def slowness(self, record: Mapping) -> float:
        """How long a FLOP of an LLM takes beside one of the reference's, where time is what the
        budget counts."""
        if not self.timed:
            return 1.0
        return training.slowness(record, self.trained_on) / training.slowness(None, self.trained_on)

    def of(self, x: int) -> list[Pair]:
        """The costs of every visual part with one LLM."""
        return [Pair(*terms) for terms in self._terms(x)]

    def refused(self, x: int) -> str | None:
        """Why an LLM is out whatever it sees, or None."""
        if not self.limits.commercial:
            return None
        verdict = licence(self.words, self.space.languages[x].record.get("license")).commercial
        return {"no": "licence", "unknown": "unknown licence"}.get(verdict)

    def reason(self, x: int, pair: Pair, without: str = "") -> str | None:
        """The first constraint that a pair breaks (budget: with the smallest data mix), leaving out
        `without`.
        """
        limits = self.limits
        room = self.space.languages[x].record.get("context")
        if room and pair.context > room:
            return "context"
        if limits.memory_gb is not None and pair.gb > limits.memory_gb and without != "memory":
            return "memory"
        if (
            limits.tokens_per_s is not None
            and pair.speed < limits.tokens_per_s
            and without != "speed"
        ):
            return "speed"
        if limits.latency is not None and pair.ms > limits.latency.ms and without != "latency":
            return "latency"
        return "budget" if without != "budget" and not self.affordable(pair) else None

    def affordable(self, pair: Pair) -> int:
        """How many of the data mixes, from the smallest, the budget allows: the cost is linear in
        the number of samples.
        """
        return len(self.sizes) if self.allowed is None else self._afford(pair.first, pair.each)

    def _afford(self, first: float, each: float) -> int:
        if self.limits.budget.kind == "images":
            return bisect_right(self.sizes, self.limits.budget.amount - self.stages[0][2])
        return bisect_right(self.sizes, (self.allowed - first) / each)

    def counts(self) -> tuple[list[Sequence[int]], dict[str, int]]:
        """Per LLM and visual part, how many data mixes they can afford (0: refused); and how many
        recipes each reason excludes.
        """
        if self._counts is None:
            excluded = dict.fromkeys(REASONS, 0)
            self._counts = (
                [self._count(x, excluded) for x in range(len(self.space.languages))],
                excluded,
            )
            self._drop_unwritable()
            self._drop_untrainable()
        return self._counts

    def _drop_untrainable(self) -> None:
        """What cannot be trained in full on the GPUs of the budget is allowed no data mix."""
        if self.limits.budget is None or not self.trained_on.get("memory_gb"):
            return
        counts, excluded = self._counts
        for x, row in enumerate(counts):
            seen = [v for v, n in enumerate(row) if n]
            # the visual part with most tokens decides for all of them where it fits
            if not seen or self.trainable(max(seen, key=lambda v: self.tokens[v][0]), x):
                continue
            lost = {v for v in seen if not self.trainable(v, x)}
            excluded[TRAINING] = excluded.get(TRAINING, 0) + sum(row[v] for v in lost)
            counts[x] = [0 if v in lost else n for v, n in enumerate(row)]
            self.adapted |= {(x, v): row[v] for v in lost if self.trainable(v, x, ADAPTERS)}

    def by_adapters(self) -> list[Sequence[int]]:
        """Per LLM and visual part, how many data mixes those can afford that adapters alone let
        train.
        """
        out = [[0] * len(row) for row in self.counts()[0]]
        for (x, v), count in self.adapted.items():
            out[x][v] = count
        return out

    def admit_adapters(self) -> None:
        """Count what adapters alone let train as allowed, from now on."""
        counts, excluded = self.counts()
        for (x, v), count in self.adapted.items():
            counts[x] = [*counts[x][:v], count, *counts[x][v + 1 :]]
            excluded[TRAINING] -= count

    def trainable(self, v: int, x: int, tuning: str = "full") -> bool:
        """Does training a pair fit on the GPUs of the budget, with one sample at a time on each?"""
        visual, record = self.space.visuals[v], self.space.languages[x].record
        connector = self._connectors(flops.need(record, "hidden_size"))[self.kind[v]][0]
        plan = self.stages[-1][0]
        longest = visual.visual_tokens + plan.text_tokens
        parts = fit.parts_of(visual.encoders, connector, record, longest)
        how = fit.Setup(tuning, self.limits.gpus)
        room = float(self.trained_on["memory_gb"])
        return fit.judge([(parts, ("connector", "llm"))], how, room).fits

    def _drop_unwritable(self) -> None:
        """What the asked training program cannot write (Space.writable) is allowed no data mix."""
        if self.space.writable is None:
            return
        counts, excluded = self._counts
        for x, kept in enumerate(self.space.writable):
            lost = sum(n for v, n in enumerate(counts[x]) if v not in kept)
            excluded["training program"] = excluded.get("training program", 0) + lost
            counts[x] = [n if v in kept else 0 for v, n in enumerate(counts[x])]

    def _count(self, x: int, excluded: dict[str, int]) -> Sequence[int]:
        mixes = len(self.sizes)
        refused = self.refused(x)
        if refused:
            excluded[refused] += mixes * len(self.tokens)
            return [0] * len(self.tokens)
        limits = self.limits
        context = self.space.languages[x].record.get("context") or float("inf")
        if (
            limits.memory_gb is None
            and limits.latency is None
            and limits.tokens_per_s is None
            and self.allowed is None
        ):
            # nothing else to compare: no costs needed
            over = [tokens + PROMPT_TOKENS + OUTPUT_TOKENS > context for tokens, _ in self.tokens]
            excluded["context"] += mixes * sum(over)
            return [0 if out_ else mixes for out_ in over]
        counts = [0] * len(self.tokens)
        one = self._judged(x)
        # the terms of `_terms` and the rules of `reason`; for all visual parts of one token count
        # at once where none of them makes a difference
        for tokens, group in self.groups.items():
            number = len(group.members)
            if tokens[0] + PROMPT_TOKENS + OUTPUT_TOKENS > context:
                excluded["context"] += mixes * number
                continue
            reason, count, work = self._group(one, tokens, group)
            if reason:
                excluded[reason] += mixes * number
            elif count is not None:
                excluded["budget"] += (mixes - count) * number
                for v, *_ in group.members:
                    counts[v] = count
            else:
                for member in group.members:
                    reason, can = self._member(one, work, member)
                    counts[member[0]] = can
                    excluded[reason] += mixes - can
        return counts

    def _judged(self, x: int) -> "_Judged":
        """What of an LLM the members of all groups are judged by."""
        limits, infinite = self.limits, float("inf")
        record = self.space.languages[x].record
        hidden = flops.need(record, "hidden_size")
        connectors = self._connectors(hidden)
        timed = limits.latency is not None
        images = limits.budget is not None and limits.budget.kind == "images"
        return _Judged(
            record,
            connectors,
            self._connector_ms(hidden) if timed else [0.0] * len(connectors),
            self._extremes(hidden),
            infinite if limits.memory_gb is None else limits.memory_gb,
            limits.latency.ms if timed else infinite,
            limits.tokens_per_s or 0.0,
            None if self.allowed is None else self.allowed / self.slowness(record),
            len(self.sizes) if self.allowed is None else self._afford(0.0, 1.0) if images else None,
        )

    def _group(
        self, one: "_Judged", tokens: tuple[float, tuple], group: "Group"
    ) -> tuple[str | None, int | None, tuple]:
        """For visual parts of one token count: (the limit that all of them break, the data mixes
        that each of them can have; None where they differ, the LLM's own costs).
        """
        (largest, *most), (smallest, *least) = one.extremes
        work = self._language(one.record, tokens, True)
        total, speed, held, (begun, further) = work
        if held + group.least[1] + 2e-9 * smallest > one.memory_gb:
            return "memory", None, work
        all_fit = held + group.most[1] + 2e-9 * largest <= one.memory_gb
        if all_fit and speed < one.tokens_per_s:
            return "speed", None, work
        count = one.mixes
        if count is None:
            few, many = (
                self._mixes(one, ends[2] + first + begun, ends[3] + each + further)
                for ends, (first, each) in ((group.most, most), (group.least, least))
            )
            count = few if few == many else None
        fast = total + group.most[0] + max(one.connector_ms) <= one.most_ms
        return None, count if all_fit and fast else None, work

    def _member(self, one: "_Judged", work: tuple, member: tuple) -> tuple[str, int]:
        """(the limit that a visual part breaks first, the data mixes that it can have)."""
        total, speed, held, (begun, further) = work
        _, kind, seen, size, before, per = member
        params, first, each = one.connectors[kind]
        if held + size + 2e-9 * params > one.memory_gb:
            return "memory", 0
        if speed < one.tokens_per_s:
            return "speed", 0
        if total + seen + one.connector_ms[kind] > one.most_ms:
            return "latency", 0
        if one.mixes is not None:
            return "budget", one.mixes
        return "budget", self._mixes(one, before + first + begun, per + each + further)

    def _mixes(self, one: "_Judged", first: float, each: float) -> int:
        """How many data mixes the budget allows at these FLOPs before and per sample."""
        return bisect_right(self.sizes, (one.allowed - first) / each)

    @property
    def groups(self) -> dict[tuple[float, tuple], Group]:
        """The visual parts by token count and what is filled of their tiles."""
        if not self._grouped:
            members: dict[tuple[float, tuple], list[tuple]] = {}
            # what nothing asks for is not worked out
            vision_ms = (
                self.vision_ms if self.limits.latency is not None else [0.0] * len(self.tokens)
            )
            for v, (tokens, *rest) in enumerate(
                zip(self.tokens, self.kind, vision_ms, self.encoder_gb, *self.encoder)
            ):
                members.setdefault(tokens, []).append((v, *rest))
            ranges = {
                tokens: [(max(column), min(column)) for column in list(zip(*group))[2:]]
                for tokens, group in members.items()
            }
            self._grouped = {
                tokens: Group(group, *zip(*ranges[tokens])) for tokens, group in members.items()
            }
        return self._grouped

    def least(self, what: str) -> tuple[float, int, int] | None:
        """The smallest value that a constraint would have to allow so that something fits, all
        others kept, and the pair that does.
        """
        best = None
        for x in range(len(self.space.languages)):
            if self.refused(x) and what != "licence":
                continue
            for v, pair in enumerate(self.of(x)):
                if self.reason(x, pair, without=what) is None:
                    value = {
                        "memory": pair.gb,
                        "speed": -pair.speed,
                        "latency": pair.ms,
                        "budget": (
                            pair.first + pair.each * self.sizes[0]
                            if self.limits.budget and self.limits.budget.kind != "images"
                            else self.sizes[0] + self.stages[0][2]
                        ),
                        "licence": 0.0,
                    }[what]
                    if best is None or value < best[0]:
                        best = value, x, v
        return best
