"""Released models by need: ranking for a task mix, the decision tree, adopt or train.

In: the models and filters of released.py, and a task mix. Out: Ranked, Branch, Adopted. Scores of
models that print different benchmarks are compared by ability.py. Does not read files itself, parse
flags or print.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..terms.tasks import TaskMix, parse_mix
from . import ability
from .models import STANDS_FOR, Landscape, Model, Need, Score, headline, sieve

# Slugs that are one split of a benchmark of the model registry.
SPLIT_OF = {
    "scienceqa_img": ("scienceqa", "image"),
    "scienceqa": ("scienceqa", "unspecified"),
    "seed_img": ("seed", "image"),
    "seed_all": ("seed", "all"),
    "mmbench_v1.1": ("mmbench", "v1.1-en-test"),
    "mme_cognition": ("mme_cognition", None),
}


# --- what a mix asks of models
# ------------------------------------------------------------------------------------------


class Target(NamedTuple):
    """A benchmark to compare models on, its split, its maximum, and its weight in the mix."""

    benchmark: str
    split: str
    max: float
    weight: float


class NothingPrinted(Refused):
    """A task mix of which no released model in the registry prints a benchmark."""


def place(land: Landscape, slug: str) -> tuple[str, str] | None:
    """(benchmark of the model registry, split) that a benchmark's name means; None when no model
    prints it.
    """
    benchmark, split = SPLIT_OF.get(slug, (None, None))
    benchmark = benchmark or next((b for b, slugs in STANDS_FOR.items() if slug in slugs), None)
    benchmark = benchmark or next((b for b in land.records if land.slug(b) == slug), None)
    return (benchmark, split or land.split[benchmark]) if benchmark in land.split else None


def _stand_ins(land: Landscape, found: Mapping[str, tuple[str, str] | None]) -> list[str]:
    """Which benchmarks of the model registry stand for others of a mix, a sentence each."""
    stands: dict[str, list[str]] = {}
    for slug, where in found.items():
        if where:
            stands.setdefault(where[0], []).append(slug)
    return [
        f"{land.label(benchmark)} stands for {land.called(slugs)}"
        for benchmark, slugs in stands.items()
        if benchmark in STANDS_FOR and any(slug != land.slug(benchmark) for slug in slugs)
    ]


def targets(land: Landscape, tasks: TaskMix) -> tuple[list[Target], list[str]]:
    """The benchmarks that stand for a mix, with weights that add up to 1, and what had to be said
    about them.

    A family's core benchmarks that no model prints give their weight to its other benchmarks when
    they are half of it or more, else to the rest of the core. Raises NothingPrinted.
    """
    families, records = land.words.records("family"), land.words.records("benchmark")
    weights: dict[tuple[str, str], float] = {}
    notes, dropped = [], []
    for name, weight in tasks.parts.items():
        core = families[name]["core"] if name in families else [name]
        found = {slug: place(land, slug) for slug in core}
        missing = [slug for slug in core if found[slug] is None]
        notes += _stand_ins(land, found)
        part = {where: 0.0 for where in found.values() if where}
        for where in found.values():
            if where:
                part[where] += 1.0
        if name in families and len(missing) * 2 >= len(core):
            spare = [
                (b, land.split[b])
                for b in land.split
                for r in [records.get(land.slug(b) or "", {})]
                if name in (r.get("family"), *r.get("other_families", ()))
                and (b, land.split[b]) not in part
            ]
            part |= dict.fromkeys(spare, len(missing) / max(len(spare), 1))
            if spare:
                instead = ", ".join(land.label(b) for b, _ in spare)
                notes.append(
                    f"no released model prints {land.called(missing)}: {instead}"
                    f" {'stands' if len(spare) == 1 else 'stand'} for {name}"
                )
                missing = []
        if missing:
            notes.append(
                f"no released model prints {land.called(missing)}"
                + ("" if part else f": {name} is not compared")
            )
        if not part:
            dropped.append(name)
        for where, share in part.items():
            weights[where] = weights.get(where, 0.0) + weight * share / sum(part.values())
    if not weights:
        raise NothingPrinted(
            f"no released model in the registry prints a score for {', '.join(dropped)}"
        )
    total = sum(weights.values())
    return [
        Target(b, split, float(land.records[b]["max"]), w / total)
        for (b, split), w in weights.items()
    ], notes


# --- ranking
# ------------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """A model on one target. `value` in the target's unit: as printed on its split, or carried over
    or estimated by the fit.

    kind: printed (by its authors or copied), carried (printed, but on another split or in another's
    set-up), estimated (not printed).
    """

    target: Target
    value: float
    se: float
    kind: str
    score: Score | None


class Ranked(NamedTuple):
    """A model's place for a mix. score and se in percent of scale; printed: weight of the mix that
    it prints; tie: its rank, the same for all that are tied (1, 1, 3).
    """

    model: Model
    score: float
    se: float
    cells: tuple[Cell, ...]
    printed: float
    tie: int = 1


def judge(land: Landscape, model: Model, wanted: Sequence[Target]) -> Ranked | None:
    """A model's score on a mix: printed where printed, estimated where not. None: it prints none of
    the mix's benchmarks.
    """
    names = [t.benchmark for t in wanted]
    if not any(s.benchmark in names and s.setup != "transfer" for s in model.scores):
        return None
    fitted = land.fit
    printed = [
        score if score and not score.setup else None
        for score in (headline(model, t.benchmark, t.split) for t in wanted)
    ]
    means, covariance = ability.predict(
        fitted, model.key, [t.benchmark for t, score in zip(wanted, printed) if not score]
    )
    cells, steps = [], []
    for target, score in zip(wanted, printed):
        if score:
            value = score.value / score.max
            se = math.sqrt(
                ability.disagreement(fitted, model.key, target.benchmark)
            ) * ability.slope(fitted, target.benchmark, value)
            cells.append(Cell(target, value * target.max, se * target.max, "printed", score))
        else:
            i, anywhere = len(steps), headline(model, target.benchmark, None)
            value = ability.share(fitted, target.benchmark, target.split, means[i])
            slope = ability.slope(fitted, target.benchmark, value)
            steps.append(target.weight * slope)
            covariance[i][i] += ability.extrapolation(fitted, target.benchmark, means[i])
            se = math.sqrt(covariance[i][i]) * slope
            cells.append(
                Cell(
                    target,
                    value * target.max,
                    se * target.max,
                    "carried" if anywhere else "estimated",
                    anywhere,
                )
            )
    variance = sum(
        a * b * covariance[i][j] for i, a in enumerate(steps) for j, b in enumerate(steps)
    )
    variance += sum(
        (c.target.weight * c.se / c.target.max) ** 2 for c in cells if c.kind == "printed"
    )
    return Ranked(
        model,
        100 * sum(c.target.weight * c.value / c.target.max for c in cells),
        100 * math.sqrt(variance),
        tuple(cells),
        sum(c.target.weight for c in cells if c.kind != "estimated"),
    )


def apart(a: Ranked, b: Ranked) -> bool:
    """Whether two scores differ by more than the standard error of their difference."""
    return abs(a.score - b.score) > math.hypot(a.se, b.se)


def rank(
    land: Landscape, models: Iterable[Model], wanted: Sequence[Target]
) -> tuple[list[Ranked], list[Model]]:
    """Models from best to worst for a mix, and those that print none of it.

    Down from the best, those within one standard error of the group's first are a tie: fewest
    parameters first, those that print less than half of the mix after the others.
    """
    judged, silent = [], []
    known = land.judged.setdefault(tuple(wanted), {})
    for model in models:
        if model.key not in known:
            known[model.key] = judge(land, model, wanted)
        item = known[model.key]
        judged.append(item) if item else silent.append(model)
    order = sorted(judged, key=lambda r: (-r.score, r.model.key))
    groups: list[list[Ranked]] = []
    for item in order:
        if groups and not apart(groups[-1][0], item):
            groups[-1].append(item)
        else:
            groups.append([item])
    out: list[Ranked] = []
    for group in groups:
        place = len(out) + 1
        out += [
            item._replace(tie=place)
            for item in sorted(
                group,
                key=lambda r: (
                    r.printed < 0.5,
                    r.model.params_b or math.inf,
                    -r.score,
                    r.model.key,
                ),
            )
        ]
    return out, silent


def would_lead(
    land: Landscape, models: Iterable[Model], wanted: Sequence[Target], best: Ranked
) -> list[Ranked]:
    """Those of the models that are not behind the best one, best first, and print half of the mix
    or more.
    """
    found = [
        r
        for r in (judge(land, model, wanted) for model in models)
        if r and r.printed >= 0.5 and (r.score > best.score or not apart(r, best))
    ]
    return sorted(found, key=lambda r: (-r.score, r.model.key))


def same_setup(a: Model, b: Model, wanted: Sequence[Target]) -> list[tuple[Score, Score]]:
    """Pairs of scores on the mix's benchmarks that one party measured in one set-up and printed in
    one place.
    """

    def own(s: Score) -> bool:
        return s.reported_by == "authors" or s.setup != ""

    out = []
    for target in wanted:
        pairs = [
            (x, y)
            for x in a.scores
            for y in b.scores
            if x.benchmark == y.benchmark == target.benchmark
            and x.split == y.split
            and own(x)
            and (x.reported_by, x.protocol, x.source.split(":")[0])
            == (y.reported_by, y.protocol, y.source.split(":")[0])
        ]
        out += pairs[:1]
    return out


# --- the decision tree, and adopting
# -----------------------------------------------------------------------------------------


class Leaf(NamedTuple):
    """The answer of one question: the models of the first tie, the cheapest first, and how many
    models were compared, print none of the mix, or were left out because the registry does not
    say."""

    label: str
    best: tuple[Ranked, ...]
    tied: int
    compared: int
    silent: int
    unsaid: int


class Branch(NamedTuple):
    """One need: its label, what it is judged on, and a leaf per size."""

    label: str
    tasks: str
    wanted: tuple[Target, ...]
    leaves: tuple[Leaf, ...]
    notes: tuple[str, ...]


# The questions, not the answers: need, the mix that it is judged on, the property that a model must
# have.
BRANCHES = (
    ("documents and text in images (OCR)", "ocr-document", ()),
    ("several images at once", "multi-image", ("multi_image",)),
    ("video", "video", ("video",)),
    ("boxes for words (grounding)", "grounding", ("grounding",)),
    ("points, and screens to click (pointing)", "ui-agent", ("pointing",)),
    ("overall", "balanced", ()),
)
SIZES = ((5.0, "under 5B"), (10.0, "under 10B"), (None, "any size"))


def tree(land: Landscape, need: Need, count: int = 3) -> list[Branch]:
    """The decision tree: every leaf is the ranking of today's registry under `need` and the leaf's
    own limits.
    """
    out = []
    for label, mix, properties in BRANCHES:
        wanted, notes = targets(land, parse_mix(mix, land.words))
        leaves = []
        for size, words in SIZES:
            if size is not None and need.under_b is not None and size >= need.under_b:
                continue
            limit = min(x for x in (size, need.under_b, math.inf) if x is not None)
            found = sieve(
                land,
                need._replace(
                    under_b=None if limit == math.inf else limit,
                    properties=tuple(dict.fromkeys((*need.properties, *properties))),
                ),
            )
            ranked, silent = rank(land, found.models, wanted)
            first = [r for r in ranked if r.tie == 1]
            said = words if limit == size or limit == math.inf else f"under {limit:g}B"
            leaves.append(
                Leaf(
                    said,
                    tuple(first[:count]),
                    len(first),
                    len(ranked),
                    len(silent),
                    sum(map(len, found.unsaid.values())),
                )
            )
        out.append(Branch(label, mix, tuple(wanted), tuple(leaves), tuple(notes)))
    return out


class Adopted(NamedTuple):
    """Released models for a mix: ranked, the benchmarks they are compared on, those left out as
    unknown, and caveats.
    """

    ranked: tuple[Ranked, ...]
    wanted: tuple[Target, ...]
    unsaid: Mapping[str, tuple[Model, ...]]
    notes: tuple[str, ...]


def adopt(
    land: Landscape,
    tasks: TaskMix,
    need: Need = Need(),
    count: int = 3,
    meets: Callable[[Model], bool] = lambda _: True,
) -> Adopted:
    """The best released open models for a mix within what they may be deployed on.

    need: what they must be (the parameters below so many billions, the memory of one request in a
    number format, the licence). count: how many. meets: what else they must do.
    `ranked[i].cells[j]`: value, kind (printed, carried, estimated), and the printed Score with its
    source on `wanted[j]`. Raises NothingPrinted when no released model prints any benchmark of
    the mix.
    """
    wanted, notes = targets(land, tasks)
    found = sieve(land, need)
    models = [model for model in found.models if meets(model)]
    ranked, _ = rank(land, contenders(models, wanted), wanted)
    return Adopted(
        tuple(ranked[:count]), tuple(wanted), found.unsaid, (*notes, land.as_of, PROTOCOLS)
    )


# Of the tasks' weight that a released model must print to be put forward for them: what it prints
# of less says little of the rest. A mix of two benchmarks is half printed by one of them.
HALF = 0.5


def own(land: Landscape, tasks: TaskMix, wanted: Sequence[Target]) -> frozenset[Target]:
    """The benchmarks of the asked families themselves (a family may be judged by others', too)."""
    families = land.families()
    return frozenset(one for one in wanted if families.get(one.benchmark) in tasks.parts)


def enough(one: Ranked, own_: frozenset[Target]) -> bool:
    """Does a model print enough of the tasks, and some benchmark of the asked families?"""
    printed = {cell.target for cell in one.cells if cell.kind != "estimated"}
    return one.printed >= HALF - 1e-9 and (not own_ or bool(own_ & printed))


CONTENDERS = 48  # models that are judged in full when only the first few are asked for


def contenders(models: Sequence[Model], wanted: Sequence[Target]) -> list[Model]:
    """The models whose printed scores on a mix stand highest above those of the others, on the mean
    over the benchmarks that they print.
    """
    above: dict[str, list[float]] = {}
    for target in wanted:
        printed = {
            model.key: score.value / score.max
            for model in models
            if (score := headline(model, target.benchmark, None))
        }
        mean = sum(printed.values()) / len(printed) if printed else 0.0
        for key, value in printed.items():
            above.setdefault(key, []).append(value - mean)
    height = {key: sum(values) / len(values) for key, values in above.items()}
    return sorted(
        (model for model in models if model.key in height),
        key=lambda model: (-height[model.key], model.key),
    )[:CONTENDERS]


PROTOCOLS = (
    "scores come from each model's own authors unless marked: prompts, image sizes and judges"
    " differ, and reruns of one model differ by several points"
)
