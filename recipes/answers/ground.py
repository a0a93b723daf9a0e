"""What `pick`, `ablate` and `report` search in: the candidates, their scores on the tasks, their
costs under the limits.

In: the library and a Request. Out: a Ground. Does not rank, cite or print.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..library import Library
from ..picker import rank
from ..picker.limits import ADAPTERS, Constraints, costs_of
from ..picker.pairs import Pairs
from ..picker.scores import Candidate, Scores
from ..picker.space import CONNECTORS, FUSED, Space, space
from ..picker.usual import habit
from ..terms.recipe import BASELINE
from ..terms.tasks import TaskMix, parse_mix

PAPERS = 3  # of which a median means something: it leaves out one that is far off


class NothingFits(Refused):
    """No candidate meets the constraints."""


class Request(NamedTuple):
    """What is asked of `pick` and of what builds on it.

    fix: field -> value; avoid: field -> values, both canonical. top: how many recipes. level: of
    the intervals. risk: see rank.pick. pareto: a cost of pareto.COSTS. deploy: was a device named
    alone? any_parts: also those that nobody uses. trainable_with: a training program
    (exchange/) that must be able to write the recipes.
    """

    tasks: TaskMix
    limits: Constraints = Constraints()
    fix: Mapping[str, object] = {}
    avoid: Mapping[str, Sequence[str]] = {}
    top: int = 5
    level: float = 0.8
    risk: str = "expected"
    pareto: str | None = None
    deploy: bool = False
    any_parts: bool = False
    trainable_with: str | None = None


class Ground(NamedTuple):
    """Candidates, scores and costs, worked out once for all questions about one Request."""

    library: Library
    limits: Constraints
    choices: Space
    scores: Scores
    pairs: Pairs

    def ranked(self, **how) -> rank.Pick:
        """The recipes in order; how: the keyword arguments of rank.pick."""
        return rank.pick(
            self.scores, self.limits, self.library.calibration, pairs=self.pairs, **how
        )

    def place(self, item: rank.Ranked) -> Candidate:
        """The numbers of a ranked recipe's parts."""
        return (
            self.choices.visuals.index(item.visual),
            self.choices.languages.index(item.language),
            self.choices.data.index(item.data),
        )

    def allowed(self) -> Callable[[Candidate], bool]:
        """Does a candidate meet the constraints?"""
        data, counts = self.choices.data, self.pairs.counts()[0]
        by_size = sorted(range(len(data)), key=lambda d: (data[d].samples, d))
        place = {d: n for n, d in enumerate(by_size)}
        return lambda candidate: place[candidate[2]] < counts[candidate[1]][candidate[0]]

    def hours(self) -> Callable[[Candidate], float]:
        """GPU-hours of one training run of a candidate."""
        words, calibration = self.library.words, self.library.calibration
        return lambda candidate: (
            costs_of(
                *self.choices.parts(candidate),
                self.limits,
                words,
                calibration,
                ADAPTERS if self.scores.adapted(candidate) else "full",
            ).gpu_hours.gpu_hours
        )


def ground(library: Library, asked: Request) -> Ground:
    """The candidates that `asked` allows. Raises space.EmptySpace."""
    choices = choices_for(library, asked, asked.fix, asked.avoid)
    return ground_of(library, asked, choices)


def choices_for(library: Library, asked: Request, fix: Mapping, avoid: Mapping) -> Space:
    """The candidates after --fix and --avoid, without parts that nobody uses unless rows on the
    tasks say that they gain (or --any-parts).
    """
    words = library.words
    if asked.any_parts:
        return space(words, fix, avoid)
    parts = [
        *(("encoder", slug) for slug in words.records("encoder")),
        *(("encoder", "+".join(sorted(fused))) for fused in FUSED),
        *(("connector", slug) for slug in CONNECTORS),
        *(("llm", slug) for slug in words.records("llm")),
        *(("data", slug) for slug in words.records("data")),
    ]
    only = habit(library.practice, library.standing, words, asked.tasks, parts)
    return space(words, fix, avoid, only)


def ground_of(library: Library, asked: Request, choices: Space) -> Ground:
    """The same over a given space."""
    words = library.words
    scores = Scores(choices, BASELINE, asked.tasks, library.posterior, words)
    if asked.trainable_with:
        from .writable import Writable, shape_filter

        program = Writable(library, asked.trainable_with)
        if not program.encoders:
            raise Refused(
                f"--trainable-with {asked.trainable_with}: it puts no parts together, it trains a"
                " released model further (models finds one, export --model NAME --to"
                f" {asked.trainable_with} writes it)"
            )
        writable = shape_filter(program, scores)
        choices = choices._replace(writable=writable)
        scores.space = choices
    pairs = Pairs(choices, asked.limits, words, library.calibration)
    if not asked.trainable_with:  # the programs that put parts together train them in full
        pairs.printed_adapters = functools.cache(lambda: adapters(library, asked))
    return Ground(library, asked.limits, choices, scores, pairs)


def adapters(library: Library, asked: Request) -> dict | None:
    """What printed rows say that LoRA instead of full training does to the tasks, or to the
    balanced mix where fewer than PAPERS print these (the answer of `schedule lora`); None: no rows.
    """
    from . import schedule

    change = schedule.KNOWN[ADAPTERS]
    pairs = schedule.Pairs(library).found[change.slug]
    for tasks in (asked.tasks, parse_mix(None, library.words)):
        found = schedule.alternative(change, pairs, library, tasks, asked.level)
        if found and len(found["papers"]) >= PAPERS:
            return found
    return found
