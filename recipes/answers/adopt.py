"""Adopt or train: released open models for the same tasks on the same deployment, beside the pick.

In: a Request, the LLM of the pick and its deltas. Out: a dictionary (the key `adopt` of `pick
--json`), or None where no released model prints a score for the tasks. Does not rank recipes.
"""

from collections.abc import Mapping, Sequence

from ..cost import flops, latency
from ..effects.level import bounded, carried
from ..effects.results import Delta
from ..exchange.target import Target, names
from ..library import Library
from ..picker.limits import OUTPUT_TOKENS, PROMPT_TOKENS, Constraints
from ..released import ranking
from ..released.level import HELD, Level, level
from ..released.models import STANDS_FOR, Landscape, Model, Need, headline
from ..released.ranking import Target as Wanted
from .ground import Request

BASELINE = "llava-1.5-7b"  # terms.recipe.BASELINE among the released models
SHOWN = 3  # models put forward, and as many that print too little of the tasks


def adopt(library: Library, asked: Request, llm: str, deltas: Sequence[Delta] = ()) -> dict | None:
    """The best released open models, and whether a recipe with this LLM can be expected to beat
    them where both can be compared.

    A level of the recipe on a benchmark is what released models with such an LLM print
    (released/level.py), whatever their tokens, pixels and data; another is where its own gain leads
    (by_gain), mostly a lower one. adopt: some model prints at least the first on every benchmark
    that can be compared; train: all print less than its low end and less than the second on most;
    unclear: between, the two disagree (`disagree`), or nothing to compare.
    """
    try:
        found = _released(library, asked)
    except ranking.NothingPrinted:
        return None
    land = library.released
    mine = {
        target: level(land, target.benchmark, target.split, target.max, llm)
        for target in found.wanted
    }
    slugs = _slugs(land, asked, found.wanted)
    gained = by_gain(library, slugs, deltas)
    own = ranking.own(land, asked.tasks, found.wanted)
    whole = [one for one in found.ranked if ranking.enough(one, own)]
    models = [_beside(land, one, mine, slugs, own, gained) for one in whole[:SHOWN]]
    ahead = found.ranked.index(whole[0]) if whole else len(found.ranked)
    return {
        "verdict": _verdict(models),
        "disagree": _verdict(models) == "unclear" and beaten(models, "below"),
        "models": models,
        "partial": [
            {
                "model": one.model.name,
                "params_b": one.model.params_b,
                "printed": one.printed,
                "benchmarks": [slugs[c.target] for c in one.cells if c.kind != "estimated"],
                "names": [
                    land.label(c.target.benchmark) for c in one.cells if c.kind != "estimated"
                ],
            }
            for one in found.ranked[:ahead][:SHOWN]
        ],
        "further": _further(library, whole),
        "level": {"llm": llm, "basis": "released models with such an LLM", "held": HELD},
        "notes": list(found.notes),
    }


def _further(library: Library, whole: Sequence[ranking.Ranked]) -> dict[str, str]:
    """By training program, the key of the first of the models that it can train further."""
    words, out = library.words, {}
    for target in (Target(name, words) for name in names(words)):
        known = target.goes_on_from()
        first = next((one.model for one in whole if one.model.key in known), None)
        if first:
            out[target.slug] = first.key
    return out


def _released(library: Library, asked: Request):
    """The leading released models that fit the deployment. Raises ranking.NothingPrinted."""
    limits = asked.limits
    deployed = limits.latency is not None or limits.tokens_per_s is not None
    room = library.words.records("hardware")[limits.device].get("memory_gb")
    # a little larger than the asked size is what people would still take (7B: up to 9.5B)
    most = 1.35 * float(asked.fix["llm_params_b"]) if "llm_params_b" in asked.fix else None
    need = Need(
        most,
        limits.memory_gb or (room if deployed else None),
        limits.dtype,
        licence="commercial" if limits.commercial else None,
    )
    meets = (lambda model: _fast(library, model, limits)) if deployed else lambda _: True
    return ranking.adopt(library.released, asked.tasks, need, ranking.CONTENDERS, meets)


def _fast(library: Library, model: Model, limits: Constraints) -> bool:
    """Does the LLM of a released model alone keep within the latency and the speed, with the visual
    tokens that it is known for? Not where its shape or its tokens are not known.
    """
    words, tokens = library.words, model.record["visual_tokens"]
    llm = words.records("llm").get(model.record["llm"] or "")
    if not llm or not tokens:
        return False
    try:
        prefill, each = latency.language_phases(
            words.records("hardware")[limits.device],
            llm,
            tokens * limits.images + PROMPT_TOKENS,
            OUTPUT_TOKENS,
            limits.dtype,
        )
    except flops.MissingFigure:
        return False
    found = latency.Latency((prefill,), each, OUTPUT_TOKENS)
    if limits.tokens_per_s and found.tokens_per_s < limits.tokens_per_s:
        return False
    asked = limits.latency
    return not asked or (found.total_ms if asked.whole_answer else found.ttft_ms) <= asked.ms


def _slugs(land: Landscape, asked: Request, wanted: Sequence[Wanted]) -> dict[Wanted, str]:
    """The benchmark of the mix that each target is, else the model registry's own name."""
    places = {ranking.place(land, slug): slug for slug in asked.tasks.benchmarks}
    return {
        target: target.benchmark
        if target.benchmark in STANDS_FOR
        else places.get((target.benchmark, target.split), target.benchmark)
        for target in wanted
    }


def _beside(
    land: Landscape,
    ranked: ranking.Ranked,
    mine: Mapping[Wanted, Level | None],
    slugs: Mapping[Wanted, str],
    own: set[Wanted],
    gained: Mapping[Wanted, float],
) -> dict:
    """One released model with its scores beside the recipe's."""
    cells = []
    for cell in ranked.cells:
        pick = mine[cell.target]
        cells.append(
            {
                "benchmark": slugs[cell.target],
                "name": land.label(cell.target.benchmark),
                "own": cell.target in own,
                "value": cell.value,
                "kind": cell.kind,
                "max": cell.target.max,
                "pick": pick and pick.expected,
                "pick_low": pick and pick.low,
                "pick_high": pick and pick.high,
                "pick_error": pick and pick.error,
                "pick_models": pick and pick.models,
                "pick_by_gain": gained.get(cell.target),
            }
        )
    both = [cell for cell in cells if cell["pick"] is not None and cell["kind"] == "printed"]
    return {
        "model": ranked.model.name,
        "params_b": ranked.model.params_b,
        "score": ranked.score,
        "se": ranked.se,
        "printed": ranked.printed,
        "benchmarks": cells,
        "compared": len(both),
        "above": sum(cell["value"] >= cell["pick"] for cell in both),
        "beyond": sum(cell["value"] > cell["pick_high"] for cell in both),
        "below": sum(cell["value"] < cell["pick_low"] for cell in both),
        "below_gain": sum(cell["value"] < (cell["pick_by_gain"] or 0) for cell in both),
    }


def _verdict(models: Sequence[Mapping]) -> str:
    """adopt, train or unclear."""
    verdict = "unclear"
    for one in models:
        if one["compared"] and one["above"] == one["compared"]:
            verdict = "adopt"
    # a level is what makers of such models reach: only what all of them fall short of is beaten
    if verdict == "unclear" and beaten(models, "below") and beaten(models, "below_gain"):
        return "train"
    return verdict


def beaten(models: Sequence[Mapping], level: str) -> bool:
    """Do all models that can be compared print less than a level on most benchmarks?"""
    known = [one for one in models if one["compared"]]
    return bool(known) and all(one[level] > one["compared"] / 2 for one in known)


def by_gain(
    library: Library, slugs: Mapping[Wanted, str], deltas: Sequence[Delta]
) -> dict[Wanted, float]:
    """Where the gain of a recipe over the baseline leads, in the benchmarks' points: from what the
    baseline prints, else from the benchmark's usual score.
    """
    land, out, of = library.released, {}, {d.benchmark: d for d in deltas if d.grade != "none"}
    for target, slug in slugs.items():
        d, usual = of.get(slug), library.posterior.usual.get(slug)
        if d and usual is not None and bounded(library.words.records("benchmark")[slug]):
            unit = target.max / 100
            score = headline(land.find(BASELINE), target.benchmark, target.split)
            base = 100 * score.value / score.max if score else usual
            gain = carried(d.expected / ((d.max or 100) / 100), usual, base)
            out[target] = (base + gain) * unit
    return out
