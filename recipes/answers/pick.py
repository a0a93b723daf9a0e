"""`pick` and `ablate`: the best recipes with their deltas and citations, and the axis to ablate
first.

In: values that the command line has parsed, and the library. Out: PickAnswer and AblateAnswer. Does
not parse text, print or exit.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..cost import training
from ..effects.change import Change
from ..effects.judge import judge
from ..library import Library
from ..picker import ablate as ablation
from ..picker import rank
from ..picker import scores as scores_
from ..picker.limits import Constraints, Pairs, commercial_use, costs_of
from ..picker.space import Space, space
from ..terms.recipe import BASELINE, Recipe, change
from ..terms.tasks import TaskMix
from ..terms.units import PRINTED_PRICE
from .citations import Citations
from .plans import Schedules


class Front(NamedTuple):
    """A Pareto front: the cost it is about, and its recipes, the cheapest first, with that cost
    (GPU-hours, ms or GB).
    """

    by: str
    unit: str
    points: tuple[tuple[float, float, Recipe], ...]  # cost, expected gain, recipe


class PickAnswer(NamedTuple):
    """A pick with the deltas and citations of its top recipes, other ways to train the first, the
    axis to ablate first, what to adopt instead.
    """

    result: rank.Pick
    deltas: dict[int, tuple]
    citations: dict[int, list[dict]]
    # per stage: where the plan is printed, and a learning rate (schedule.py)
    schedules: dict[int, tuple[dict, ...]]
    first: ablation.AxisValue | None
    alternatives: tuple[dict, ...]
    adopt: dict | None
    front: Front | None
    warnings: tuple[str, ...]


def answer_pick(
    library: Library,
    tasks: TaskMix,
    limits: Constraints,
    fix: Mapping[str, object],
    avoid: Mapping[str, Sequence[str]],
    top: int,
    level: float,
    *,
    risk: str = "expected",
    pareto: str | None = None,
    deploy: bool = False,
    cite: int | None = None,
) -> PickAnswer:
    """The best recipes, cited. cite: how many of them, from the first, with deltas, citations and
    schedules (default: all). Raises space.EmptySpace.
    """
    words, posterior = library.words, library.posterior
    choices = space(words, fix, avoid)
    scores = scores_.Scores(choices, BASELINE, tasks, posterior, words)
    pairs = Pairs(choices, limits, words, library.calibration)
    result = rank.pick(
        scores, limits, library.calibration, top=top, level=level, risk=risk, pairs=pairs
    )
    if not result.recipes:
        from ..picker import relax

        advice = relax.advice(scores, pairs, limits, library.calibration, level, risk)
        result = result._replace(
            advice=(
                *advice,
                *relax.without(
                    fix, avoid, scores, limits, library.calibration, level, risk, last=not advice
                ),
            )
        )
    deltas, citations, schedules = {}, {}, {}
    cited, planned = (
        Citations(library, tasks, limits, choices),
        (Schedules(library) if result.recipes else None),
    )
    for i, item in enumerate(result.recipes[:cite]):
        change = Change(BASELINE.stated(), item.recipe.stated(), posterior, words)
        deltas[i] = judge(change, (), list(tasks.benchmarks), level=level).deltas
        citations[i], schedules[i] = (
            cited.of(item.recipe),
            planned.of([one.stage for one in item.costs.stages], item.recipe),
        )
    first, alternatives, adopted = None, (), None
    if result.recipes:
        best = result.recipes[0]
        first = ablation.ablate(
            scores, _place(choices, best), level, hours_by(library, pairs), allowed_by(pairs)
        )[0]
        alternatives = _alternatives(library, scores, best, level)
        adopted = _adopt(library, tasks, limits, fix, deltas[0])
    front = _front(library, scores, pairs, pareto) if pareto and result.recipes else None
    notes = _pick_warnings(
        result, limits, fix, deploy, words.records("hardware")[limits.device].get("memory_gb")
    )
    return PickAnswer(
        result,
        deltas,
        citations,
        schedules,
        first,
        alternatives,
        adopted,
        front,
        (*notes, *library.strange(), *library.counted_twice()),
    )


def _alternatives(
    library: Library, scores: scores_.Scores, best: rank.Ranked, level: float
) -> tuple[dict, ...]:
    """Other ways to train the same recipe, by the pairs of rows that differ in that alone; of a
    trained encoder the model has a say too.

    First those with rows on the mix's own benchmarks.
    """
    from . import schedule as alternatives

    tasks, pairs, tuned = (
        scores.tasks,
        alternatives.Pairs(library),
        best.recipe.frozen_encoder is False,
    )
    found = [
        alternatives.alternative(
            one, pairs.found[one.slug], library, tasks, level, back=tuned and bool(one.back)
        )
        for one in alternatives.CHANGES
    ]
    out = sorted(
        (one for one in found if one), key=lambda one: alternatives.TIERS.index(one["tasks"])
    )
    other = change(best.recipe, frozen_encoder=tuned)
    mix = Change(best.recipe.stated(), other.stated(), scores.posterior, scores.words).mix(
        tasks.benchmarks, scores.families, level
    )
    rows = next((one for one in out if one["slug"] == "encoder"), None)
    said = {
        "change": (
            alternatives.KNOWN["encoder"].back if tuned else alternatives.KNOWN["encoder"].what
        ),
        "slug": "encoder",
        "tasks": None,
        "of": len(tasks.benchmarks),
        **{
            key: []
            for key in ("benchmarks", "papers", "also_moves", "tables", "rows", "other_rows")
        },
    }
    return (
        {
            **said,
            **(rows or {}),
            "basis": "model",
            "expected": mix.expected,
            "low": mix.low,
            "high": mix.high,
            "p_better": mix.p_better,
            "level": level,
            "printed": (
                rows
                and {
                    key: rows[key]
                    for key in (
                        "expected",
                        "low",
                        "high",
                        "p_better",
                        "tasks",
                        "of",
                        "benchmarks",
                        "papers",
                    )
                }
            ),
        },
        *(one for one in out if one is not rows),
    )


def _adopt(
    library: Library,
    tasks: TaskMix,
    limits: Constraints,
    fix: Mapping[str, object],
    deltas: Sequence,
) -> dict | None:
    """The best released open models for the mix on the same deployment, and whether they beat the
    pick where both can be compared.

    The pick's level on a benchmark is what LLaVA-1.5-7B prints there plus the expected gain. adopt:
    some model prints more than the upper end of the interval on every benchmark that can be
    compared; train: less than the pick on most; unclear: between, or nothing to compare.
    """
    from ..released import ranking as landscape

    deployed = limits.latency is not None or limits.tokens_per_s is not None
    memory = limits.memory_gb or (
        library.words.records("hardware")[limits.device].get("memory_gb") if deployed else None
    )
    try:
        found = landscape.adopt(
            library.released,
            tasks,
            1.35 * float(fix["llm_params_b"]) if "llm_params_b" in fix else None,
            memory,
            limits.dtype,
            licence="commercial" if limits.commercial else None,
        )
        base = landscape.baseline_scores(library.released, tasks)
    except landscape.NothingPrinted:
        return None
    mine = {
        d.benchmark: (
            base[d.benchmark].value + d.expected,
            base[d.benchmark].value + d.high,
            base[d.benchmark].max,
        )
        for d in deltas
        if d.benchmark in base and d.max == base[d.benchmark].max and d.grade != "none"
    }
    slugs = {
        (cell.target.benchmark, cell.target.split): slug
        for ranked in found.ranked
        for cell in ranked.cells
        for slug in mine
        if landscape.SPLIT_OF.get(slug, (slug, cell.target.split))[0] == cell.target.benchmark
    }
    models, verdict = [], "unclear"
    for ranked in found.ranked:
        cells, above, beyond, compared = [], 0, 0, 0
        for cell in ranked.cells:
            slug = slugs.get((cell.target.benchmark, cell.target.split))
            pick = mine.get(slug) if slug else None
            cells.append(
                {
                    "benchmark": slug or cell.target.benchmark,
                    "value": cell.value,
                    "kind": cell.kind,
                    "max": cell.target.max,
                    "pick": pick[0] if pick else None,
                    "pick_high": pick[1] if pick else None,
                }
            )
            if pick and cell.kind == "printed":
                compared, above, beyond = (
                    compared + 1,
                    above + (cell.value > pick[0]),
                    beyond + (cell.value > pick[1]),
                )
        models.append(
            {
                "model": ranked.model.name,
                "params_b": ranked.model.params_b,
                "score": ranked.score,
                "se": ranked.se,
                "benchmarks": cells,
                "compared": compared,
                "above": above,
                "beyond": beyond,
            }
        )
        if compared and beyond == compared:
            verdict = "adopt"
        elif compared and above <= compared / 2 and verdict == "unclear":
            verdict = "train"
    return {"verdict": verdict, "models": models, "notes": list(found.notes)} if models else None


def _front(library: Library, scores: scores_.Scores, pairs: Pairs, by: str) -> Front:
    """The Pareto front of the space under the constraints."""
    from ..picker import pareto

    gpu = pairs.limits.training_gpu
    hardware = library.words.records("hardware")[gpu]
    hours = lambda flop: training.estimate(flop, hardware, library.calibration).gpu_hours  # noqa: E731
    points = pareto.front(scores, pairs, pairs.counts()[0], by)
    return Front(
        by,
        f"{gpu} hours" if by == "training" else pareto.COSTS[by],
        tuple(
            (hours(p.cost) if by == "training" else p.cost, p.gain, scores.recipe(p.candidate))
            for p in points
        ),
    )


def _pick_warnings(
    result: rank.Pick,
    limits: Constraints,
    fix: Mapping[str, object],
    deploy: bool,
    room: float | None,
) -> list[str]:
    out = [
        "gains are against LLaVA-1.5-7B trained the same way; deltas of one recipe share their"
        " uncertainty"
    ]
    if (
        limits.budget is None
        and limits.latency is None
        and limits.memory_gb is None
        and limits.tokens_per_s is None
    ):
        out.append(
            "no --budget, --latency, --speed or --memory: nothing limits what the recipes cost"
        )
    if limits.budget and "budget" not in dict(result.excluded) and result.recipes:
        out.append("the budget excludes nothing: every data mix of the tables fits into it")
    if deploy and limits.latency is None and limits.tokens_per_s is None and result.recipes:
        first = result.recipes[0].costs
        out.append(
            f"--deploy names a device and no limit: on {first.latency_gpu} the first recipe takes"
            f" {first.latency.ttft_ms:,.0f} ms to its first token and {first.memory.total:.1f} GB"
            " (--latency, --speed and --memory set limits)"
        )
    if room and result.recipes and result.recipes[0].costs.memory.total > room:
        first = result.recipes[0].costs
        out.append(
            f"the first recipe needs {first.memory.total:.0f} GB and does not fit into one"
            f" {first.latency_gpu} ({room:g} GB): its latency is only arithmetic (--memory or"
            " --deploy sets a limit)"
        )
    if limits.budget and limits.budget.assumed_price:
        price, gpu, source = PRINTED_PRICE
        out.append(
            f"${price:g} per {gpu} hour is assumed, the one price that a source prints ({source}):"
            " --budget '$… at $… per A100-hour' says yours"
        )
    if limits.budget and limits.budget.assumed_gpu:
        out.append(
            f"the budget names no GPU: its hours are taken to be of {limits.budget.gpu} (--budget"
            " '500 H100-hours', '$… at $… per H100-hour' say which)"
        )
    if limits.commercial and result.recipes:
        verdict, why = commercial_use(result.recipes[0].language.record)
        if verdict == "conditions":
            out.append(
                f"the licence of {result.recipes[0].language.slug} permits commercial use with"
                f" conditions: {why}"
            )
    if limits.images > 1:
        out.append(
            f"--images {limits.images} multiplies tokens, latency and memory; how many samples with"
            " several images or frames a data mix has stands in no table here, so whether the"
            " recipe learns to use them is not known"
        )
    if result.risk != "expected":
        out.append(
            "chosen by "
            + (
                "the lower end of the interval"
                if result.risk == "lower"
                else "the probability of beating the baseline"
            )
            + ", over the whole space; P(best), ties and what to ablate first go by the expected"
            " gain"
        )
    for advice in result.advice:
        gives = f"something fits, the best recipe gaining {advice.gain:+.1f}"
        rest = "".join(
            (
                f", without --{name}"
                if name in ("licence", "fix", "avoid")
                else f", {name} as said here"
            )
            for name in advice.together
        )
        rest += "," if rest else ""
        if advice.reason in ("licence", "fix", "avoid"):
            field = str(advice.limit).partition("=")[0]
            said = (
                f"{field}={typed(field, fix[field])}"
                if advice.reason == "fix" and field in fix
                else advice.limit
            )
            out.append(f"without --{advice.reason} {said}{rest} {gives}")
        elif advice.reason == "format":
            out.append(
                f"with the LLM in {advice.needs} instead of {advice.limit} (--dtype"
                f" {advice.needs}){rest} {gives}"
            )
        else:
            out.append(
                f"{advice.reason}: {'at least' if advice.reason == 'speed' else 'at most'}"
                f" {_plain(advice.limit)} {advice.unit} is asked; with {_plain(advice.needs)}"
                f" {advice.unit}{rest} {gives}"
            )
    if not result.recipes and not result.advice:
        out.append(
            "no limit can be relaxed so that something fits"
            + (
                ": the tokens of the images leave no room in any LLM's context (fewer --images)"
                if dict(result.excluded).get("context") == result.considered
                else ""
            )
        )
    return out


def typed(field: str, value: object) -> str:
    """A field's value as one would type it: `7B`, `true`, `576`."""
    return (
        f"{value:g}B"
        if field == "llm_params_b"
        else (
            str(value).lower()
            if isinstance(value, bool)
            else f"{value:.10g}"
            if isinstance(value, float)
            else str(value)
        )
    )


def _plain(value: float) -> str:
    return f"{value:,.3g}" if value < 100 else f"{value:,.0f}" if value < 1e9 else f"{value:.3g}"


class NothingFits(Refused):
    """No candidate meets the constraints."""


def _place(choices: Space, item: rank.Ranked) -> ablation.Candidate:
    return (
        choices.visuals.index(item.visual),
        choices.languages.index(item.language),
        choices.data.index(item.data),
    )


def allowed_by(pairs: Pairs) -> Callable[[ablation.Candidate], bool]:
    """Does a candidate meet the constraints?"""
    place = {
        d: n
        for n, d in enumerate(
            sorted(range(len(pairs.space.data)), key=lambda d: (pairs.space.data[d].samples, d))
        )
    }

    def allowed(candidate: ablation.Candidate) -> bool:
        v, x, d = candidate
        return place[d] < pairs.counts()[0][x][v]

    return allowed


def hours_by(library: Library, pairs: Pairs) -> Callable[[ablation.Candidate], float]:
    """GPU-hours of one training run of a candidate."""

    def hours(candidate: ablation.Candidate) -> float:
        v, x, d = candidate
        costs = costs_of(
            pairs.space.visuals[v],
            pairs.space.languages[x],
            pairs.space.data[d],
            pairs.limits,
            library.words,
            library.calibration,
        )
        return costs.gpu_hours.gpu_hours

    return hours
