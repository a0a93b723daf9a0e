"""`latency` as text and JSON: phase by phase, memory, and the calibration.

In: Latency, Memory and calibration rows. Out: strings and dictionaries. Does not compute or print.
"""

from collections.abc import Mapping, Sequence

from ..base.wording import clean, number
from ..cost.latency import Check, Latency
from ..cost.memory import Memory
from ..cost.training import quantile
from ..terms.recipe import Recipe
from .cost import head
from .jsonable import recipe
from .text import Style, table, wrap


BINDS = {"compute": "compute", "bandwidth": "memory bandwidth", "launch": "launching layers"}


def latency_text(
    value: Latency,
    held: Memory,
    about: Recipe,
    setting: Mapping,
    notes: Sequence[str],
    style: Style,
) -> str:
    """`latency`: each phase and what binds it."""
    lines = [
        *head(about, style),
        *wrap(", ".join(f"{key} {text}" for key, text in setting.items()), style, hang="  "),
        "",
    ]
    rows = [[phase.name, f"{phase.ms:,.1f} ms", BINDS[phase.bound]] for phase in value.phases]
    rows += [
        ["time to first token", f"{value.ttft_ms:,.1f} ms", ""],
        ["decode, per token", f"{value.per_token.ms:,.1f} ms", BINDS[value.per_token.bound]],
        [
            f"whole answer of {value.output_tokens} tokens",
            f"{value.total_ms:,.0f} ms",
            f"{value.tokens_per_s:,.1f} tokens/s",
        ],
    ]
    lines += table(["phase", "time", "bound by"], rows, "lrl", style)
    lines += [
        "",
        *wrap(
            f"memory {held.total:.1f} GB: weights {held.weights:.1f}, KV cache {held.kv_cache:.2f},"
            f" activations {held.activations:.2f}, overhead {held.overhead:.1f}",
            style,
            hang="  ",
        ),
    ]
    for note in notes:
        lines += wrap("note: " + note, style, hang="      ")
    return "\n".join(lines)


def latency_json(
    value: Latency, held: Memory, about: Recipe, setting: Mapping, notes: Sequence[str]
) -> dict:
    """`latency --json`."""
    return {
        "recipe": recipe(about),
        "setting": dict(setting),
        "latency": {
            "ttft_ms": number(value.ttft_ms),
            "total_ms": number(value.total_ms),
            "tokens_per_s": number(value.tokens_per_s),
            "output_tokens": value.output_tokens,
            "phases": [
                {"name": p.name, "ms": number(p.ms), "bound": p.bound}
                for p in (*value.phases, value.per_token)
            ],
        },
        "memory": {name: number(x) for name, x in held._asdict().items()},
        "memory_gb": number(held.total),
        "warnings": list(notes),
    }


def latency_calibration_json(checks: Sequence[Check]) -> dict:
    """`latency --calibration --json`."""
    ratios = [check.ratio for check in checks]
    return {
        "rows": [
            {
                "row": c.row.id,
                "engine": c.row.engine,
                "phase": c.row.phase,
                "printed_ms": number(c.row.printed_ms),
                "estimated_ms": number(c.estimated_ms),
                "ratio": number(c.ratio),
                "source": c.row.source,
            }
            for c in checks
        ],
        "median_ratio": number(quantile(ratios, 0.5)),
        "within_2x": number(sum(0.5 < r < 2 for r in ratios) / len(ratios)),
    }


def latency_calibration_text(checks: Sequence[Check], style: Style) -> str:
    """`latency --calibration`: published latencies against the estimate from the rows of other
    models.
    """
    value = latency_calibration_json(checks)
    rows = [
        [
            clean(c.row.id),
            c.row.engine,
            f"{c.row.printed_ms:,.1f}",
            f"{c.estimated_ms:,.1f}",
            f"{c.ratio:.2f}",
        ]
        for c in checks
    ]
    return "\n".join(
        [
            *wrap(
                "published milliseconds (per token, or of the prefill), and the estimate with the"
                " rates that other models show",
                style,
            ),
            *table(["row", "engine", "printed", "estimated", "ratio"], rows, "llrrr", style),
            "",
            *wrap(
                f"median ratio {value['median_ratio']:.2f}; {100 * value['within_2x']:.0f}% within"
                " a factor of 2",
                style,
            ),
        ]
    )
