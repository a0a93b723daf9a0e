"""Result values -> plain dictionaries for `--json`. Keys are stable; numbers are rounded to six
significant digits.

In: Swap, Pick, AxisValue, Tokens … Out: what json.dumps takes. Does not print.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..base.wording import number

if TYPE_CHECKING:  # an answer brings its own classes along: no need to load those of the others
    from ..cost.tokens import Tokens
    from ..effects.interaction import Slope
    from ..effects.meta import Pooled
    from ..effects.results import Delta, Evidence, Mix, Split, Swap
    from ..picker.ablate import AxisValue
    from ..picker.limits import Costs
    from ..terms.recipe import Recipe


def interval(level: float, low: float, high: float) -> dict:
    """A prediction interval."""
    return {"level": number(level), "low": number(low), "high": number(high)}


def evidence(row: "Evidence") -> dict:
    """One printed pair of rows."""
    return {
        "table": row.table,
        "arxiv": row.arxiv,
        "benchmark": row.benchmark,
        "split": row.split,
        "from_arm": row.from_arm,
        "to_arm": row.to_arm,
        "delta": number(row.delta),
        "weight": number(row.weight),
        "controlled": row.controlled,
        "also_moves": list(row.also_moves),
        "llm": row.llm,
        "relation": row.relation,
        **({} if row.printed is None else {"printed": number(row.printed)}),
    }


def pooled(value: "Pooled | None") -> dict | None:
    """The direct rows alone."""
    if value is None:
        return None
    return {
        "estimate": number(value.estimate),
        "se": number(value.se),
        "tau2": number(value.tau2),
        "papers": value.k,
    }


def split(value: "Split | None") -> dict | None:
    """The direct rows against everything else (node-splitting)."""
    if value is None:
        return None
    return {
        "direct": {
            "estimate": number(value.direct),
            "se": number(value.direct_se),
            "share": number(value.share),
        },
        "indirect": {
            "estimate": number(value.indirect),
            "se": number(value.indirect_se),
            "share": number(1 - value.share),
        },
        "z": number(value.z),
        "disagree": value.disagree,
    }


def delta(value: "Delta") -> dict:
    """One benchmark's answer."""
    return {
        "benchmark": value.benchmark,
        "family": value.family,
        "unit": "points",
        "max": number(value.max),
        "expected": number(value.expected),
        "interval": interval(value.level, value.low, value.high),
        "p_better": number(value.p_better),
        "at_score": number(value.score),
        "at_usual": [number(x) for x in value.at_usual],
        "grade": value.grade,
        "path": value.path and {name: number(x) for name, x in value.path._asdict().items()},
        "direct": pooled(value.direct),
        "rows_outside_interval": value.outside is not None,
        "printed_outside": number(value.outside),
        "split": split(value.split),
        "evidence": [evidence(row) for row in value.evidence],
    }


def mix(value: "Mix | None") -> dict | None:
    """The answer for a weighted mix, in percent of the benchmarks' scales."""
    if value is None:
        return None
    return {
        "weights": {name: number(w) for name, w in value.weights.items()},
        "unit": "percent of scale",
        "expected": number(value.expected),
        "interval": interval(value.level, value.low, value.high),
        "p_better": number(value.p_better),
    }


def recipe(value: "Recipe") -> dict:
    """The stated fields of a recipe."""
    return {
        name: number(field) if isinstance(field, float) else field
        for name, field in value.stated().items()
    }


def swap(a: "Recipe", b: "Recipe", value: "Swap") -> dict:
    """The answer of `swap` and of a line of `predict`."""
    return {
        "from": recipe(a),
        "to": recipe(b),
        "axis": value.axis,
        "moved": list(value.moved),
        "deltas": [delta(d) for d in value.deltas],
        "mix": mix(value.mix),
        "warnings": list(value.warnings),
    }


def slope(value: "Slope | None") -> dict | None:
    """Whether a change does more with a larger LLM."""
    if value is None:
        return None
    return {
        "per_doubling": number(value.estimate),
        "se": number(value.se),
        "unit": "percent of scale",
        "pairs": value.pairs,
        "papers": list(value.papers),
        "llm_params_b": [number(size) for size in value.sizes],
        "mean_at_smallest": number(value.low),
        "mean_at_largest": number(value.high),
        "clear": value.clear,
    }


def costs(value: "Costs") -> dict:
    """Training, latency and memory of one recipe, flat where the contract has it flat."""
    time = value.latency
    return {
        "training": {
            "flop": number(value.flop),
            "gpu": value.gpu,
            "gpu_hours": number(value.gpu_hours.gpu_hours),
            "gpu_hours_interval": interval(0.8, value.gpu_hours.low, value.gpu_hours.high),
            "utilisation": number(value.gpu_hours.utilisation),
        },
        "latency": {
            "gpu": value.latency_gpu,
            "ttft_ms": number(time.ttft_ms),
            "total_ms": number(time.total_ms),
            "tokens_per_s": number(time.tokens_per_s),
            "phases": [
                {"name": p.name, "ms": number(p.ms), "bound": p.bound}
                for p in (*time.phases, time.per_token)
            ],
        },
        "memory_gb": number(value.memory.total),
    }


def axis_value(value: "AxisValue") -> dict:
    """One axis of `ablate`."""
    return {
        "axis": value.axis,
        "picked": value.picked,
        "rival": value.rival,
        "levels": value.levels,
        "p_changes_pick": number(value.p_changes_pick),
        "expected_gain": number(value.expected_gain),
        "runs": value.runs,
        "gpu_hours": number(value.gpu_hours),
        "confidence_now": number(value.confidence_now),
        "confidence_after": number(value.confidence_after),
        "gain_per_1000_gpu_hours": number(1000 * value.gain_per_hour),
        "worth": value.worth,
        "gain_without_runs": number(value.switch_gain),
        "plan": run_counts(value.plan),
        "candidates": [{"level": name, "p_best": number(p)} for name, p in value.candidates],
        "near_duplicates": [{"level": name, "of": list(others)} for name, others in value.merged],
    }


def run_counts(plan: "Sequence[tuple[str, int]]") -> list[dict]:
    """How many runs of each level."""
    return [{"level": name, "runs": count} for name, count in plan]


def tokens(value: "Tokens") -> dict:
    """Visual tokens of one image."""
    return {
        "width": value.width,
        "height": value.height,
        "visual_tokens": value.visual_tokens,
        "terms": [{"name": t.name, "tokens": t.tokens, "formula": t.formula} for t in value.terms],
        "markers": value.markers,
    }
