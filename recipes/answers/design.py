"""An experiment planned: factors and a question -> settings, seeds, runs with their recipes, and
what they cost.

In: factors with canonical levels, what is held, what is to be seen, and the library. Out: an
Experiment. Does not parse or print. The arithmetic is picker/design.py (settings), picker/power.py
(seeds), cost.py (GPU-hours).
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..cost import flops
from ..effects.columns import sampling_variance
from ..effects.features import llm_params_b, visual_tokens
from ..library import Library
from ..picker import design as designs
from ..picker import power
from ..picker.design import Design, NoDesign
from ..terms.recipe import BASELINE, Recipe, parse, published_size
from ..terms.vocabulary import Vocabulary
from .cost import Order, bill


class OutOfScale(Refused):
    """An effect that no two recipes can differ by."""


class Factor(NamedTuple):
    """One factor: its field, its levels as words, and the recipe fields that each level states.
    assumed: the levels were not asked for.
    """

    name: str
    levels: tuple[str, ...]
    stated: tuple[Mapping[str, object], ...]
    assumed: bool = False


class Asked(NamedTuple):
    """What the runs are to show. detect: an effect in points of the benchmark's scale, or
    (`percent`) in percent of it; None: not said.
    """

    detect: float | None = None
    percent: bool = False
    benchmarks: tuple[str, ...] = ()
    power: float = 0.8
    alpha: float = 0.05
    correct: str = "holm"
    seeds: int | None = None
    paired: float = 0.0
    new_questions: bool = False
    interactions: bool = False


class Run(NamedTuple):
    """One setting to train: a name that is safe in a path, and the recipe."""

    name: str
    recipe: Recipe


class Sight(NamedTuple):
    """How well one comparison (a main effect, an interaction) is seen on one benchmark, in points
    of its scale.

    smallest, power: with the seeds of the plan. Where an effect is asked for (detect): seeds:
    needed per setting (None: no number will do); seeds_best: needed where every other benchmark
    moves as well; questions: how many such questions would do with the seeds of the plan (None:
    none would, or their count is unknown); larger: where no number of seeds sees it, (seeds,
    questions) that would.
    """

    smallest: float
    seeds: int | None = None
    seeds_best: int | None = None
    power: float | None = None
    questions: int | None = None
    larger: tuple[int, int] | None = None


class Seen(NamedTuple):
    """What a design sees on one benchmark. alpha: the level of one test after the correction, at
    worst. measured: a table ablates it (else its scale is a typical one). detect: the effect asked
    for, in points. main: of a main effect; interaction: of an interaction of that size (None: not
    to be had); asked: the one of the two that the seeds are planned for."""

    benchmark: str
    unit: float
    noise: power.Noise
    alpha: float
    measured: bool
    detect: float | None
    main: Sight
    interaction: Sight | None
    asked: Sight


class Option(NamedTuple):
    """A design that could be run instead. seeds: per setting, None where no number sees the effect;
    hours: GPU-hours of all its runs.
    """

    design: Design
    seeds: int | None
    hours: float | None


class Experiment(NamedTuple):
    """A plan. seeds: per setting; hours: GPU-hours of each setting's run (None: cannot be costed);
    notes: what moves along, what was assumed.
    """

    factors: tuple[Factor, ...]
    design: Design
    runs: tuple[Run, ...]
    hours: tuple[float | None, ...]
    seeds: int
    gpu: str
    plan: str
    asked: Asked
    seen: tuple[Seen, ...]
    options: tuple[Option, ...]
    notes: tuple[str, ...]

    @property
    def total_hours(self) -> float | None:
        """GPU-hours of all runs of all seeds, or None when one of them cannot be costed."""
        return None if None in self.hours else sum(self.hours) * self.seeds


def noise_of(benchmark: str, library: Library) -> power.Noise:
    """Noise of one run on a benchmark, in points squared: half of that of a difference of two runs
    (Posterior.noise), split in two.
    """
    posterior, record = library.posterior, library.words.records("benchmark")[benchmark]
    scale = posterior.scale_of(benchmark)
    points = (scale * unit_of(record)) ** 2
    drawn = sampling_variance(record, None) or 0.0
    whole, run = (
        posterior.noise(benchmark, drawn / scale**2) / 2,
        posterior.seeds(benchmark) / 2,
    )
    count = next(
        (entry["n"] for entry in (record.get("splits") or {}).values() if entry.get("n")), None
    )
    return power.Noise(run * points, max(0.0, whole - run) * points, count)


def unit_of(record: Mapping) -> float:
    """Points of a benchmark's scale in one percent of it."""
    return record["max"] / 100 if record.get("max") else 1.0


def check_effect(
    detect: float | None, percent: bool, benchmarks: Sequence[str], words: Vocabulary
) -> None:
    """Refuse an effect that is more than a benchmark's whole scale: nothing can differ by it."""
    for name in benchmarks:
        most = words.records("benchmark")[name].get("max")
        if detect is not None and (detect > 100 if percent else most is not None and detect > most):
            raise OutOfScale(
                f"design: --detect {detect:g}{'%' if percent else ''} is more than the whole scale"
                f" of {name}{f' (0 to {most:g} points)' if most else ''}: name a difference that"
                " two recipes can have (as in --detect 1.0)"
            )


def recipe_of(
    levels: Sequence[int], factors: Sequence[Factor], own: Mapping[str, object], words: Vocabulary
) -> Recipe:
    """The recipe of one setting: the levels of the factors, what is held, the baseline for the
    rest.
    """
    stated = dict(own)
    for level, factor in zip(levels, factors):
        stated.update(factor.stated[level])
    return published_size(Recipe(**stated).over(BASELINE), words)


def name_of(number: int, width: int, levels: Sequence[int], factors: Sequence[Factor]) -> str:
    """`1-siglip-so400m-14-llava-665k`: letters, digits, dots, + and - only."""
    words = "-".join(factor.levels[level] for level, factor in zip(levels, factors))
    return f"{number:0{width}d}-" + re.sub(r"[^A-Za-z0-9.+-]+", "-", words)[:80].rstrip("-.")


def choose(kind: str | None, levels: Sequence[int], interactions: bool) -> Design:
    """The design asked for: full, one-at-a-time, fraction (main effects apart from each other),
    else main effects apart from interactions too.

    Raises NoDesign when it cannot be had.
    """
    if kind == "full":
        return designs.full(levels)
    if kind == "one-at-a-time":
        return designs.one_at_a_time(levels)
    if kind == "fraction" and any(count != 2 for count in levels):
        raise NoDesign(
            "a fraction needs two levels of every factor: --full or --one-at-a-time take more"
        )
    return designs.smallest(levels, 5 if interactions else 3 if kind == "fraction" else 4)


def plan(
    library: Library,
    factors: Sequence[Factor],
    own: Mapping[str, object],
    kind: str | None,
    asked: Asked,
    stages: str,
    gpu: str,
) -> Experiment:
    """Plan an experiment. Raises NoDesign when the design cannot be had."""
    words = library.words
    levels = [len(factor.levels) for factor in factors]
    design = choose(kind, levels, asked.interactions)
    costed: dict[Recipe, float | None] = {}
    notes: list[str] = []

    def hours_of(setting: Sequence[int]) -> float | None:
        recipe = recipe_of(setting, factors, own, words)
        if recipe not in costed:
            try:
                hours = bill(library, recipe, Order(gpu, plan=stages)).estimate
                if hours is None:
                    raise flops.MissingFigure(f"no source prints how fast {gpu} computes")
                costed[recipe] = hours.gpu_hours
            except flops.MissingFigure as missing:
                costed[recipe] = None
                notes.append(f"no cost for some runs: {missing}")
        return costed[recipe]

    seeds = asked.seeds or (asked.detect is not None and seeds_of(design, asked, library)) or 1
    seen = tuple(_seen(name, design, asked, seeds, library) for name in asked.benchmarks)
    options = [
        _option(
            other,
            asked.seeds or seeds_of(other, asked, library) if asked.detect is not None else seeds,
            [hours_of(setting) for setting in other.settings],
        )
        for other in _options(levels, design)
    ]
    width = len(str(len(design.settings)))
    runs = tuple(
        Run(name_of(i, width, setting, factors), recipe_of(setting, factors, own, words))
        for i, setting in enumerate(design.settings, 1)
    )
    hours = tuple(hours_of(setting) for setting in design.settings)
    notes = [*_assumed(factors), *moving(factors, own, words), *dict.fromkeys(notes)]
    return Experiment(
        tuple(factors),
        design,
        runs,
        hours,
        seeds,
        gpu,
        stages,
        asked,
        seen,
        tuple(options),
        tuple(notes),
    )


def to_see(
    library: Library,
    factor: tuple[str, Sequence[str]],
    held: Mapping[str, str],
    detect: tuple[float, bool],
    benchmark: str,
    gpu: str,
) -> Experiment:
    """The plan of `design --factor FIELD=A,B --recipe HELD --detect D --benchmark B --gpu GPU`.
    factor: the field and its levels; detect: the effect, and whether it is in percent of the scale.
    """
    field, levels = factor
    stated = tuple(parse({field: level}, library.words)[0].stated() for level in levels)
    own = parse(held, library.words)[0].stated()
    asked = Asked(*detect, (benchmark,))
    return plan(library, [Factor(field, tuple(levels), stated)], own, None, asked, "llava", gpu)


def _option(design: Design, seeds: int | None, hours: Sequence[float | None]) -> Option:
    """A design with its cost (None: not known)."""
    known = None not in hours and seeds is not None
    return Option(design, seeds, sum(hours) * seeds if known else None)


def _options(levels: Sequence[int], chosen: Design) -> list[Design]:
    """The designs worth comparing, from the fewest settings, the chosen one among them."""
    found = {
        (design.kind, len(design.settings)): design
        for design in (chosen, *([designs.one_at_a_time(levels)] if len(levels) > 1 else []))
    }
    for resolution in (3, 4, 5, 99):
        try:
            design = designs.smallest(levels, resolution)
        except NoDesign:  # more settings than anyone trains
            continue
        found.setdefault((design.kind, len(design.settings)), design)
    return sorted(found.values(), key=lambda design: (len(design.settings), design.kind))


def _contrasts(design: Design, asked: Asked) -> tuple[power.Contrast, power.Contrast | None]:
    """What a main effect averages, and a difference of differences (None: not to be had)."""
    between = designs.interaction_factor(design)
    return (
        power.Contrast(designs.main_factor(design), 2, asked.paired, asked.new_questions),
        None if between is None else power.Contrast(between, 4, asked.paired, asked.new_questions),
    )


def _effect(asked: Asked, record: Mapping) -> float:
    return (asked.detect or 0.0) * (unit_of(record) if asked.percent else 1.0)


def seeds_of(design: Design, asked: Asked, library: Library) -> int | None:
    """Seeds per setting with which a design sees the effect on every benchmark, or None."""
    main, between = _contrasts(design, asked)
    if asked.interactions and between is None:
        return None
    alpha, _ = power.alphas(asked.alpha, len(asked.benchmarks))
    most = 1
    for name in asked.benchmarks:
        effect, noise = (
            _effect(asked, library.words.records("benchmark")[name]),
            noise_of(name, library),
        )
        for contrast in (main, between) if asked.interactions else (main,):
            seeds = power.seeds_needed(contrast, noise, effect, alpha, asked.power)
            if seeds is None:
                return None
            most = max(most, seeds)
    return most


def _seen(name: str, design: Design, asked: Asked, seeds: int, library: Library) -> Seen:
    """What a design sees on one benchmark with so many seeds."""
    record, noise = library.words.records("benchmark")[name], noise_of(name, library)
    effect, alphas = (
        None if asked.detect is None else _effect(asked, record),
        power.alphas(asked.alpha, len(asked.benchmarks)),
    )
    main, between = (
        contrast and _sight(contrast, noise, effect, alphas, asked.power, seeds)
        for contrast in _contrasts(design, asked)
    )
    planned = between if asked.interactions and between else main
    return Seen(
        name,
        unit_of(record),
        noise,
        alphas[0],
        name in library.posterior.scale,
        effect,
        main,
        between,
        planned,
    )


def _sight(
    contrast: power.Contrast,
    noise: power.Noise,
    effect: float | None,
    alphas: tuple[float, float],
    target: float,
    seeds: int,
) -> Sight:
    """How well a comparison is seen with so many seeds. `alphas`: at worst and at best
    (power.alphas).
    """
    worst, best = alphas
    variance = contrast.variance(noise, seeds)
    sight = Sight(power.smallest_effect(variance, worst, target))
    if effect is None:
        return sight
    enough, larger = power.seeds_needed(contrast, noise, effect, worst, target), None
    # half of the variance that the effect bears for the runs, the rest for the questions
    if enough is None:
        runs = power.seeds_needed(contrast, power.Noise(2 * noise.run, 0.0), effect, worst, target)
        count = runs and power.questions_needed(contrast, noise, runs, effect, worst, target)
        larger = (runs, count) if count else None
    return Sight(
        sight.smallest,
        enough,
        power.seeds_needed(contrast, noise, effect, best, target),
        power.power(effect, variance, worst),
        power.questions_needed(contrast, noise, seeds, effect, worst, target),
        larger,
    )


def _assumed(factors: Sequence[Factor]) -> list[str]:
    return [
        f"no levels of {factor.name} were given: the baseline's, and the one most papers ablate"
        f" beside it ({' and '.join(factor.levels)})"
        for factor in factors
        if factor.assumed
    ]


def _native(recipe: Recipe, words: Vocabulary) -> tuple[list[int], int | str | None]:
    """(sides in pixels that a recipe's encoder was trained at, the one nearest to the recipe's
    resolution); no side is known: the recipe's resolution.
    """
    sides = [
        n
        for n in (
            words.records("encoder").get(recipe.encoder or "", {}).get("native_resolution") or []
        )
        if isinstance(n, int)
    ]
    side = recipe.resolution
    return sides, (
        min(sides, key=lambda n: (abs(n - side), n)) if sides and isinstance(side, int) else side
    )


def moving(factors: Sequence[Factor], own: Mapping[str, object], words: Vocabulary) -> list[str]:
    """What else changes with a factor, so that its effect is not of the named field alone."""
    names, out = {factor.name for factor in factors}, []
    for place, factor in enumerate(factors):
        alone = [
            recipe_of(
                [level if i == place else 0 for i in range(len(factors))], factors, own, words
            )
            for level in range(len(factor.levels))
        ]
        more = sorted({field for stated in factor.stated for field in stated} - {factor.name})
        more = [field for field in more if not (factor.name == "llm" and field == "llm_params_b")]
        if more:
            out.append(
                f"{' and '.join(more)} {'are' if len(more) > 1 else 'is'} stated with"
                f" {factor.name}: one effect of all"
            )
        tokens = [visual_tokens(recipe.stated(), words) for recipe in alone]
        if len(set(tokens)) > 1 and factor.name not in ("visual_tokens", "resolution"):
            shown = ", ".join(f"{count:g}" if count else "the connector's own" for count in tokens)
            out.append(
                f"visual tokens move with {factor.name} ({shown}): one effect of both; --recipe"
                " visual_tokens=… holds them"
            )
        sizes = [recipe.data_size for recipe in alone]
        if factor.name == "data" and len(set(sizes)) > 1:
            shown = ", ".join(f"{size:,.0f}" if size else "size not printed" for size in sizes)
            out.append(
                f"the mixes differ in size ({shown}): quality and amount move together; --recipe"
                " data_size=… holds the amount"
            )
        params = [llm_params_b(recipe.stated(), words) for recipe in alone]
        if factor.name == "llm" and len({round(size or 0, 1) for size in params}) > 1:
            out.append(
                "the LLMs differ in size"
                f" ({', '.join(f'{size:.3g}B' if size else '?' for size in params)}): make and size"
                " move together"
            )
        if factor.name == "encoder" and "resolution" not in names | set(more):
            natives = [_native(recipe, words) for recipe in alone]
            apart = [
                (recipe, sides)
                for recipe, (sides, near) in zip(alone, natives)
                if near != recipe.resolution
            ]
            for recipe, sides in apart:
                out.append(
                    f"all encoders see {recipe.resolution} px; {recipe.encoder} was trained at"
                    f" {', '.join(map(str, sides))}"
                )
            if apart and "resolution" not in own:
                levels = ",".join(
                    f"{recipe.encoder}@{near}" for recipe, (_, near) in zip(alone, natives)
                )
                out[-1] += (
                    f": --factor encoder={levels} moves the resolution along with the encoder"
                )
    return out
