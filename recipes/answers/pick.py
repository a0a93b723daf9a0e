"""`pick`: the best recipes with their deltas and citations, other ways to train the first, what to
ablate, what to adopt instead.

In: a Request and the library. Out: a PickAnswer, which keeps what it computed and works out the
rest when asked. Does not parse text, print or exit.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from ..cost import training
from ..effects.change import Change
from ..effects.judge import judge
from ..exchange.target import Target, names
from ..exchange.trainers import expressible
from ..library import Library
from ..picker import ablate as ablation
from ..picker import rank
from ..picker.limits import ADAPTERS
from ..picker.usual import several
from ..terms.recipe import BASELINE, Recipe, change
from .citations import Citations
from .ground import Ground, NothingFits, Request, ground
from .plans import Schedules
from .writable import Writable, ranked

__all__ = ["Front", "NothingFits", "PickAnswer", "Request", "answer"]


class Front(NamedTuple):
    """A Pareto front: the cost it is about, and its recipes, the cheapest first, with that cost
    (GPU-hours, ms or GB).
    """

    by: str
    unit: str
    points: tuple[tuple[float, float, Recipe], ...]  # cost, expected gain, recipe


class PickAnswer:
    """A pick. result: the ranked recipes; ground: the space, scores and costs behind them, which
    `report` and `skill` go on with. Recipes are numbered from 0.
    """

    def __init__(self, library: Library, asked: Request, ground_: Ground, result: rank.Pick):
        self.library, self.asked, self.ground, self.result = library, asked, ground_, result
        self._about: dict[tuple[str, int], object] = {}

    def _once(self, what: str, number: int, make) -> object:
        if (what, number) not in self._about:
            self._about[what, number] = make(self.result.recipes[number])
        return self._about[what, number]

    def deltas(self, number: int = 0) -> tuple:
        """What a recipe gains on each benchmark of the mix (results.Delta)."""

        def make(item: rank.Ranked) -> tuple:
            library, names = self.library, list(self.asked.tasks.benchmarks)
            moved = Change(
                BASELINE.stated(), item.recipe.stated(), library.posterior, library.words
            )
            return judge(moved, (), names, level=self.asked.level).deltas

        return self._once("deltas", number, make)

    def citations(self, number: int = 0) -> list[dict]:
        """The tables to cite for each of its choices (citations.py)."""
        return self._once("citations", number, lambda item: self._citer.of(item.recipe))

    def schedule(self, number: int = 0) -> tuple[dict, ...]:
        """Per stage: where the plan is printed, and a learning rate (plans.py)."""
        return self._once(
            "schedule",
            number,
            lambda item: self._planner.of([s.stage for s in item.costs.stages], item.recipe),
        )

    @cached_property
    def _citer(self) -> Citations:
        return Citations(self.library, self.asked.tasks, self.asked.limits, self.ground.choices)

    @cached_property
    def _planner(self) -> Schedules:
        return Schedules(self.library)

    @cached_property
    def values(self) -> list[ablation.AxisValue]:
        """What ablating each axis of the first recipe is worth, the most first."""
        if not self.result.recipes:
            return []
        return ablation.ablate(
            self.ground.scores,
            self.ground.place(self.result.recipes[0]),
            self.asked.level,
            self.ground.hours(),
            self.ground.allowed(),
        )

    @property
    def first(self) -> ablation.AxisValue | None:
        """The axis to ablate first."""
        return self.values[0] if self.values else None

    @property
    def frames(self) -> str | None:
        """What a request has several of, where the tasks are mostly about that: frame or image."""
        return several(self.library.words, self.asked.tasks)

    @cached_property
    def alternatives(self) -> tuple[dict, ...]:
        """Other ways to train the first recipe."""
        return _alternatives(self) if self.result.recipes else ()

    @cached_property
    def adopt(self) -> dict | None:
        """Released models for the same tasks (adopt.py)."""
        from .adopt import adopt

        first = self.result.recipes[0].recipe if self.result.recipes else None
        return adopt(self.library, self.asked, first.llm, self.deltas()) if first else None

    @property
    def adapters(self) -> dict | None:
        """What printed rows say that adapters lose, where the LLM of a listed recipe is trained
        through them (the answer of `schedule lora`).
        """
        used = any(item.costs.tuning == ADAPTERS for item in self.result.recipes)
        return self.ground.pairs.printed_adapters() if used else None

    @cached_property
    def writable(self) -> Writable:
        """The training programs, to ask which can write a recipe."""
        return Writable(self.library)

    @cached_property
    def exportable(self) -> rank.Ranked | None:
        """The best recipe that a training program can write, where none can write the first."""
        first = self.result.recipes[0] if self.result.recipes else None
        if not first or self.writable.by(first.recipe, first.costs.tuning):
            return None
        on = self.ground
        found = self.writable.best(on.scores, on.pairs)
        race = rank.Race(on.scores, on.limits, self.library.calibration, self.asked.level)
        return ranked(race, found[0]) if found else None

    @cached_property
    def exportable_by(self) -> dict[str, rank.Ranked | str]:
        """The best recipe that each training program can write, the key of the released model that
        it trains further, or why it can write nothing here: what it lacks for the first recipe.
        """
        if not self.result.recipes:
            return {}
        on, first = self.ground, self.result.recipes[0].recipe
        race = rank.Race(on.scores, on.limits, self.library.calibration, self.asked.level)
        found = {}
        for target in (Target(name, on.library.words) for name in names(on.library.words)):
            best = Writable(self.library, target.slug).best(on.scores, on.pairs)
            if best:
                found[target.slug] = ranked(race, best[0])
            elif not (self.adopt and target.slug in self.adopt["further"]):
                found[target.slug] = expressible(first, target) or "within these limits nothing"
        return found

    @cached_property
    def front(self) -> Front | None:
        """The Pareto front by the asked cost."""
        by = self.asked.pareto
        return _front(self.ground, by) if by and self.result.recipes else None

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What must be said beside it (notes.py)."""
        from .notes import warnings

        return warnings(self)


def answer(library: Library, asked: Request) -> PickAnswer:
    """The best recipes. Raises space.EmptySpace."""
    on = ground(library, asked)
    result = on.ranked(top=asked.top, level=asked.level, risk=asked.risk)
    if not result.recipes:
        from ..picker import relax

        how = asked.limits, library.calibration, asked.level, asked.risk
        advice = relax.advice(on.scores, on.pairs, *how)
        more = relax.without(asked.fix, asked.avoid, on.scores, *how, last=not advice)
        result = result._replace(advice=(*advice, *more))
    return PickAnswer(library, asked, on, result)


def _alternatives(answer: PickAnswer) -> tuple[dict, ...]:
    """Other ways to train the same recipe, by the pairs of rows that differ in that alone; of a
    trained encoder the model has a say too.

    First those with rows on the mix's own benchmarks.
    """
    from . import schedule

    library, asked, best = answer.library, answer.asked, answer.result.recipes[0].recipe
    pairs, tuned = schedule.Pairs(library), best.frozen_encoder is False
    found = [
        schedule.alternative(
            one,
            pairs.found[one.slug],
            library,
            asked.tasks,
            asked.level,
            back=tuned and bool(one.back),
        )
        for one in schedule.CHANGES
    ]
    out = sorted((one for one in found if one), key=lambda one: schedule.TIERS.index(one["tasks"]))
    rows = next((one for one in out if one["slug"] == "encoder"), None)
    return _encoder_trained(answer, best, rows), *(one for one in out if one is not rows)


# what a change of training says of its printed rows
PRINTED = ("expected", "low", "high", "p_better", "tasks", "of", "benchmarks", "papers")


def _encoder_trained(answer: PickAnswer, best: Recipe, rows: Mapping | None) -> dict:
    """Training the encoder too (or keeping it frozen): what the model expects, with the printed
    rows beside it.
    """
    from . import schedule

    asked, scores = answer.asked, answer.ground.scores
    tuned, known = best.frozen_encoder is False, schedule.KNOWN["encoder"]
    moved = Change(
        best.stated(),
        change(best, frozen_encoder=tuned).stated(),
        scores.posterior,
        scores.words,
    )
    mix = moved.mix(asked.tasks.benchmarks, scores.families, asked.level)
    lists = ("benchmarks", "papers", "also_moves", "tables", "rows", "other_rows")
    return {
        "change": known.back if tuned else known.what,
        "slug": "encoder",
        "tasks": None,
        "of": len(asked.tasks.benchmarks),
        **{key: [] for key in lists},
        **(rows or {}),
        "basis": "model",
        "expected": mix.expected,
        "low": mix.low,
        "high": mix.high,
        "p_better": mix.p_better,
        "level": asked.level,
        "printed": rows and {key: rows[key] for key in PRINTED},
    }


def _front(on: Ground, by: str) -> Front:
    """The Pareto front of the space under the constraints."""
    from ..picker import pareto

    gpu, library = on.limits.training_gpu, on.library
    hardware = library.words.records("hardware")[gpu]

    def shown(cost: float) -> float:
        """FLOPs as hours; other costs as they are."""
        if by != "training":
            return cost
        return training.estimate(cost, hardware, library.calibration).gpu_hours

    points = pareto.front(on.scores, on.pairs, on.pairs.counts()[0], by)
    # what is cheaper than the baseline by being worse than it is no choice (2 ms, most of them for
    # launching the layers of a tiny LLM)
    points = [p for p in points if p.gain > 0] or points
    return Front(
        by,
        f"{gpu} hours" if by == "training" else pareto.COSTS[by],
        tuple((shown(p.cost), p.gain, on.scores.recipe(p.candidate)) for p in points),
    )
