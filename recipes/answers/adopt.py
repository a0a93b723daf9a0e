"""Adopt or train: released open models for the same tasks on the same deployment, beside the pick.

In: a Request, the deltas of the pick. Out: a dictionary (the key `adopt` of `pick --json`), or None
where no released model prints a score for the tasks. Does not rank recipes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..library import Library
from ..released import ranking
from .ground import Request


class Level(NamedTuple):
    """Where the pick is expected on a benchmark, with its interval."""

    expected: float
    low: float
    high: float


def adopt(library: Library, asked: Request, deltas: Sequence) -> dict | None:
    """The best released open models, and whether they beat the pick where both can be compared.

    The pick's level on a benchmark is what LLaVA-1.5-7B prints there plus the expected gain. adopt:
    some model prints more than the upper end of the interval on every benchmark that can be
    compared; train: less than the pick on most; unclear: between, or nothing to compare.
    """
    try:
        found = _released(library, asked)
        mine = _levels(library, asked, deltas)
    except ranking.NothingPrinted:
        return None
    models = [_beside(one, mine, _names(found, mine)) for one in found.ranked]
    if not models:
        return None
    return {"verdict": _verdict(models), "models": models, "notes": list(found.notes)}


def _released(library: Library, asked: Request):
    """The leading released models that fit the deployment. Raises ranking.NothingPrinted."""
    limits = asked.limits
    deployed = limits.latency is not None or limits.tokens_per_s is not None
    room = library.words.records("hardware")[limits.device].get("memory_gb")
    # a little larger than the asked size is what people would still take (7B: up to 9.5B)
    most = 1.35 * float(asked.fix["llm_params_b"]) if "llm_params_b" in asked.fix else None
    return ranking.adopt(
        library.released,
        asked.tasks,
        most,
        limits.memory_gb or (room if deployed else None),
        limits.dtype,
        licence="commercial" if limits.commercial else None,
    )


def _levels(library: Library, asked: Request, deltas: Sequence) -> dict[str, Level]:
    """By benchmark, where the pick is expected."""
    base = ranking.baseline_scores(library.released, asked.tasks)
    return {
        d.benchmark: Level(*(base[d.benchmark].value + x for x in (d.expected, d.low, d.high)))
        for d in deltas
        if d.benchmark in base and d.max == base[d.benchmark].max and d.grade != "none"
    }


def _names(found, mine: Mapping[str, Level]) -> dict[tuple, str]:
    """(benchmark, split) of the released models' cells -> the benchmark of the mix."""
    return {
        (cell.target.benchmark, cell.target.split): slug
        for ranked in found.ranked
        for cell in ranked.cells
        for slug in mine
        if ranking.SPLIT_OF.get(slug, (slug, cell.target.split))[0] == cell.target.benchmark
    }


def _beside(ranked, mine: Mapping[str, Level], slugs: Mapping[tuple, str]) -> dict:
    """One released model with its scores beside the pick's."""
    cells = []
    for cell in ranked.cells:
        slug = slugs.get((cell.target.benchmark, cell.target.split))
        pick = mine.get(slug) if slug else None
        cells.append(
            {
                "benchmark": slug or cell.target.benchmark,
                "value": cell.value,
                "kind": cell.kind,
                "max": cell.target.max,
                "pick": pick and pick.expected,
                "pick_low": pick and pick.low,
                "pick_high": pick and pick.high,
            }
        )
    both = [cell for cell in cells if cell["pick"] is not None and cell["kind"] == "printed"]
    return {
        "model": ranked.model.name,
        "params_b": ranked.model.params_b,
        "score": ranked.score,
        "se": ranked.se,
        "benchmarks": cells,
        "compared": len(both),
        "above": sum(cell["value"] > cell["pick"] for cell in both),
        "beyond": sum(cell["value"] > cell["pick_high"] for cell in both),
    }


def _verdict(models: Sequence[Mapping]) -> str:
    """adopt, train or unclear."""
    verdict = "unclear"
    for one in models:
        if one["compared"] and one["beyond"] == one["compared"]:
            verdict = "adopt"
        elif one["compared"] and one["above"] <= one["compared"] / 2 and verdict == "unclear":
            verdict = "train"
    return verdict
