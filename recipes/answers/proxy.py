"""Which small run answers the big question: what `design --proxy` and `ablate --proxy` compute.

In: what a smaller run has (fields of a recipe), and an Experiment or an AblateAnswer. Out: a Proxy:
per axis, how much of the small run's verdict holds for the full run by the rows of the tables, what
it costs beside the full run, and why it would be a false economy. Words and JSON: show/proxy.py.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from ..base.errors import Refused
from ..cost import flops
from ..cost.tokens import LEARNED
from ..effects.proxy import LEAST_RATIO, Carried, Check, Sums, agreement, chained
from ..effects.proxy_rows import size_of
from ..library import Library
from ..terms.recipe import Recipe, change, parse, published_size
from ..terms.vocabulary import Vocabulary
from .ablate import AblateAnswer
from .cost import Order, bill
from .design import Experiment, unit_of
from .parts import recipe_costs

# field of a recipe -> the way to be small (proxy_rows.SCALES), and -> the axis of a change of it
KINDS = {
    "llm": "llm",
    "llm_params_b": "llm",
    "data": "data",
    "data_size": "data_size",
    "resolution": "resolution",
}
AXIS_OF = {
    "llm_params_b": "llm",
    "data_size": "data",
    "tiling": "resolution",
    "frozen_encoder": "training",
}
# The sizes that a field named alone stands for: those of LLMs that most papers train at, and of
# encoders' usual inputs.
LADDERS = {
    "llm": ("0.5B", "1.5B", "3B", "7B", "13B"),
    "resolution": ("224", "336", "448"),
    "data_size": ("10%", "25%", "50%"),
}
SHOWN = 3  # benchmarks of a mix, the heaviest first, for which the trusted delta is told


Full = TypeVar("Full", Experiment, AblateAnswer)


class NotSmaller(Refused):
    """A proxy that is no smaller run of what is asked."""


class Small(NamedTuple):
    """What a smaller run has instead. text: as asked. stated: fields of the recipe; share: of the
    recipe's data (None: not asked). rung: of a ladder, not asked for by itself."""

    text: str
    stated: Mapping[str, object]
    share: float | None
    rung: bool = False

    def kinds(self) -> list[str]:
        """The ways in which it is small."""
        named = [KINDS[field] for field in self.stated]
        if self.share is not None and "data" not in named:
            named.append("data_size")
        return list(dict.fromkeys(k for k in named if not (k == "data_size" and "data" in named)))

    def of(self, recipe: Recipe, words: Vocabulary) -> Recipe:
        """The recipe of the smaller run. A learned set of visual tokens stays as large as it is."""
        small = published_size(Recipe(**self.stated).over(recipe), words)
        if recipe.connector in LEARNED:
            small = change(small, visual_tokens=recipe.visual_tokens)
        if self.share is not None and small.data_size:
            small = change(small, data_size=small.data_size * self.share)
        return small


class Carry(NamedTuple):
    """What carries over on one axis. parts: way to be small -> Carried (None: no rows); sums: of
    all ways at once (None: one of them has no rows), with intervals. sure_now: how sure the axis is
    without any run (ablate). shows: (benchmark, points, probability that the small run has the sign
    of an effect of that size on the full one). trusted: (benchmark, points that the small run must
    move it by for its sign to hold with the asked probability). against: why it is a false economy:
    left out (of left-out cases at most half had the right sign), coin (the interval reaches that),
    sure already, effect too small. checks: way to be small -> how left-out papers are
    predicted on this axis."""

    axis: str
    parts: Mapping[str, Carried | None]
    sums: Sums | None
    correlation_interval: tuple[float, float] | None
    sign_interval: tuple[float, float] | None
    sure_now: float | None
    shows: tuple[tuple[str, float, float], ...]
    trusted: tuple[tuple[str, float | None], ...]
    against: tuple[str, ...]
    checks: Mapping[str, Check]

    @property
    def carried(self) -> float | None:
        """The share of the variance of what changes do at full size that the small run shows."""
        return None if self.sums is None else self.sums.correlation**2


class Proxy(NamedTuple):
    """A smaller run. recipe: its first; ratios: way to be small -> sizes, full over small. hours:
    GPU-hours of the small runs and of the full ones (None: cannot be costed), `runs` of them; p:
    the asked probability. checks: way to be small -> how left-out papers are predicted."""

    small: Small
    recipe: Recipe
    ratios: Mapping[str, float]
    axes: tuple[Carry, ...]
    runs: int
    hours: tuple[float | None, float | None]
    gpu: str
    p: float
    checks: Mapping[str, Check]

    @property
    def cost_share(self) -> float | None:
        small, full = self.hours
        return None if None in self.hours or not full else small / full

    def dear(self, axis: Carry) -> bool:
        """Does it cost as large a share of the full runs as it shows of their variance?"""
        known = None not in (axis.carried, self.cost_share)
        return known and self.cost_share >= axis.carried


def small_of(fields: Mapping[str, str], text: str, words: Vocabulary) -> Small:
    """--proxy FIELD=VALUE,…; a share of the data ends with a percent sign. Raises Refused."""
    share = None
    fields = dict(fields)
    unknown = next((field for field in fields if field not in KINDS), None)
    if unknown:
        raise NotSmaller(
            f"--proxy {unknown[:40]!r}: no field that makes a run small ({', '.join(KINDS)})"
        )
    if {"llm", "llm_params_b"} <= fields.keys():
        raise NotSmaller("--proxy: llm and llm_params_b both say the LLM: give one")
    if not fields:
        raise NotSmaller(
            "--proxy: name what is smaller (as in --proxy llm=0.5B,data_size=20%, or --proxy llm)"
        )
    amount = re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?)\s*%\s*", fields.get("data_size", ""))
    if amount:
        del fields["data_size"]
        share = float(amount[1]) / 100
        if not 0 < share * LEAST_RATIO <= 1:
            raise NotSmaller(
                f"--proxy data_size={amount[1]}%: a share of the data between 0 and"
                f" {100 / LEAST_RATIO:.0f}% (as in data_size=20%)"
            )
    return Small(text, parse(fields, words)[0].stated(), share)


def ladder_of(field: str, words: Vocabulary) -> list[Small]:
    """The usual sizes of a field, all of them."""
    return [
        small_of({field: size}, f"{field}={size}", words)._replace(rung=True)
        for size in LADDERS[field]
    ]


def of_all(
    build: Callable[[Library, Full, Small], "Proxy"],
    library: Library,
    full: Full,
    asked: Sequence[Small],
) -> list["Proxy"]:
    """The proxies asked for, without the rungs that are not smaller. Raises NotSmaller."""
    out: list[Proxy] = []
    refused: NotSmaller | None = None
    for small in asked:
        try:
            out.append(build(library, full, small))
        except NotSmaller as error:
            if not small.rung:
                raise
            refused = error
    if refused and not out:
        raise refused
    return out


def ratios_of(small: Small, full: Recipe, words: Vocabulary) -> dict[str, float]:
    """How many times larger the full run is, each way. Raises NotSmaller."""
    out, less = {}, small.of(full, words)
    for kind in small.kinds():
        sizes = [size_of(kind, recipe.stated(), words) for recipe in (less, full)]
        if None in sizes:
            raise NotSmaller(f"--proxy {small.text}: the {kind} of a run has no size to compare")
        out[kind] = sizes[1] / sizes[0]
        if out[kind] < LEAST_RATIO:
            raise NotSmaller(
                f"--proxy {small.text}: its {kind} ({sizes[0]:.6g}) is not smaller than the full"
                f" run's ({sizes[1]:.6g}) by a factor of {LEAST_RATIO} or more"
            )
    return out


def carry(
    library: Library,
    axis: str,
    ratios: Mapping[str, float],
    p: float,
    effects: Mapping[str, float | None],
    sure_now: float | None = None,
) -> Carry:
    """What carries over on an axis. effects: benchmark -> the effect to be seen, in points (None:
    none was named).
    """
    stored, posterior = library.proxies, library.posterior
    parts = {kind: stored.carried(kind, axis, math.log2(r)) for kind, r in ratios.items()}
    known = [part for part in parts.values() if part]
    if len(known) < len(parts):
        return Carry(axis, parts, None, None, None, sure_now, (), (), (), {})
    sums = chained([part.sums for part in known])
    intervals = [part.correlation_interval for part in known]
    correlation = None if None in intervals else tuple(math.prod(ends) for ends in zip(*intervals))
    sign = (
        known[0].sign_interval
        if len(known) == 1
        else correlation and tuple(agreement(r) for r in correlation)
    )
    points = {
        name: posterior.scale_of(name) * unit_of(library.words.records("benchmark")[name])
        for name in effects
    }
    shows = tuple(
        (name, effect, sums.shows(effect / points[name]))
        for name, effect in effects.items()
        if effect
    )
    from_ = sums.trusted_from(p)
    checks = _checks(library, ratios, axis)
    against = {
        "left out": any(check.sign <= 0.5 for check in checks.values()),
        "coin": sign is not None and sign[0] <= 0.5,
        "sure already": sure_now is not None and sure_now >= (sums.sign_moved or sums.sign),
        "effect too small": any(chance < p for _, _, chance in shows),
    }
    return Carry(
        axis,
        parts,
        sums,
        correlation,
        sign,
        sure_now,
        shows,
        tuple((name, None if from_ is None else from_ * points[name]) for name in effects),
        tuple(reason for reason, holds in against.items() if holds),
        checks,
    )


def of_experiment(library: Library, full: Experiment, small: Small) -> Proxy:
    """A proxy of the runs of a design. Raises NotSmaller."""
    words = library.words
    for factor in full.factors:
        fields = {name for stated in factor.stated for name in stated}
        both = {KINDS.get(name, name) for name in fields} & set(small.kinds())
        if both or {"data", "data_size"} & fields and {"data"} & set(small.kinds()):
            raise NotSmaller(
                f"--proxy {small.text}: the factor {factor.name} compares levels of what the proxy"
                " makes small: shrink something else"
            )
    recipes = [run.recipe for run in full.runs]
    ratios = ratios_of(small, recipes[0], words)

    def hours_of(recipe: Recipe) -> float | None:
        try:
            return bill(library, recipe, Order(full.gpu, plan=full.plan)).estimate.gpu_hours
        except flops.MissingFigure:
            return None

    hours = [hours_of(small.of(recipe, words)) for recipe in recipes]
    effects = {item.benchmark: item.detect for item in full.seen}
    axes = dict.fromkeys(AXIS_OF.get(factor.name, factor.name) for factor in full.factors)
    return Proxy(
        small,
        small.of(recipes[0], words),
        ratios,
        tuple(carry(library, axis, ratios, full.asked.power, effects) for axis in axes),
        full.seeds * len(recipes),
        (None if None in hours else sum(hours) * full.seeds, full.total_hours),
        full.gpu,
        full.asked.power,
        _checks(library, ratios),
    )


def of_ablation(library: Library, full: AblateAnswer, small: Small) -> Proxy:
    """A proxy of one run of each kind that `ablate` plans: the axis that it makes small is left
    out. Raises NotSmaller.
    """
    words = library.words
    ratios = ratios_of(small, full.recipe, words)
    try:
        less = recipe_costs(library, small.of(full.recipe, words), full.asked.limits)[0]
        hours = less.gpu_hours.gpu_hours
    except flops.MissingFigure:
        hours = None
    weights = full.asked.tasks.benchmarks
    heaviest = sorted(weights, key=lambda name: (-weights[name], name))[:SHOWN]
    gone = {"data" if kind == "data_size" and "data" in ratios else kind for kind in ratios}
    axes = [value for value in full.values if value.rival and value.axis not in gone]
    return Proxy(
        small,
        small.of(full.recipe, words),
        ratios,
        tuple(
            carry(
                library,
                value.axis,
                ratios,
                full.confidence,
                dict.fromkeys(heaviest),
                value.confidence_now,
            )
            for value in axes
        ),
        1,
        (hours, full.hours_per_run),
        full.gpu,
        full.confidence,
        _checks(library, ratios),
    )


def affordable(library: Library, full: AblateAnswer, most: float) -> Proxy | None:
    """The largest usual LLM of which two runs, a level and its rival, keep within so many hours;
    None: the recipe's own is no larger, or cannot be costed.
    """
    try:
        found = of_all(of_ablation, library, full, ladder_of("llm", library.words))
    except NotSmaller:
        return None
    fitting = [one for one in found if one.hours[0] and 2 * one.hours[0] <= most]
    return max(fitting, key=lambda one: one.hours[0], default=None)


def _checks(library: Library, ratios: Mapping[str, float], axis: str = "") -> dict[str, Check]:
    """How left-out papers are predicted, each way to be small (on one axis, or on all)."""
    checks = library.proxies.checks
    return {kind: checks[kind, axis] for kind in ratios if (kind, axis) in checks}
