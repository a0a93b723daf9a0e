"""Costs as text and JSON: the bill of a training plan, latency phase by phase, memory, and the
calibration tables.

In: Bill, Latency, Memory and calibration rows. Out: strings and dictionaries. Does not compute or
print.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..answers.costs import Bill
from ..base.wording import clean, number
from ..cost.flops import encoder_forward, format_flop, llm_params
from ..cost.latency import Check, Latency
from ..cost.memory import Memory
from ..cost.training import Calibration, Checked, quantile
from ..terms.recipe import Recipe
from .jsonable import interval, recipe
from .recipe import describe
from .text import Style, table, wrap

if TYPE_CHECKING:
    from ..cost.tokens import Tokens
    from ..picker.limits import Costs

FIELDS = (
    "encoder",
    "connector",
    "visual_tokens",
    "llm",
    "llm_params_b",
    "data",
    "data_size",
    "resolution",
    "frozen_encoder",
)


def head(value: Recipe, style: Style) -> list[str]:
    """The recipe in one line."""
    return [
        style.paint(line, "bold")
        for line in wrap("recipe: " + describe(value, FIELDS), style, hang="        ")
    ]


def bill_text(
    value: Bill, about: Recipe, gpus: int, memory_gb: float, notes: Sequence[str], style: Style
) -> str:
    """`cost`: parts, stages, FLOPs, GPU-hours, and what fits."""
    v, llm = value.visual, value.language.record
    lines = [*head(about, style), "", style.paint("parts", "bold")]
    rows = [
        [
            f"encoder {record['slug']}",
            f"{side} px x {views}",
            f"{encoder_forward(record, side) * views / 1e9:,.0f} GFLOP an image",
        ]
        for record, side, views in v.encoders
    ]
    rows += [
        [
            f"connector {v.recipe.connector}",
            f"{value.connector_params / 1e6:,.2f}M",
            f"{v.grid_tokens:,.0f} -> {v.visual_tokens:,.0f} tokens",
        ],
        [
            f"LLM {value.language.slug}",
            f"{llm['params_b']:.3g}B",
            f"2 x {llm_params(llm) / 1e9:.2f}B FLOP a token",
        ],
    ]
    lines += [
        f"  {line}"
        for line in table(
            ["part", "size", "forward pass"], rows, "lrl", Style(style.width - 2, style.colour)
        )
    ]
    for i, (cost, factors, held) in enumerate(zip(value.stages, value.factors, value.memory), 1):
        s = cost.stage
        lines += [
            "",
            *(
                style.paint(line, "bold")
                for line in wrap(
                    f"stage {i}: {s.name}: trains {' + '.join(s.trains)} on {s.samples:,.0f} of"
                    f" {s.data}",
                    style,
                    hang="  ",
                )
            ),
        ]
        lines.append(
            f"  {s.visual_tokens:,.0f} visual + {s.text_tokens:,.0f} text tokens a sample"
            + (f", at {s.side} px" if s.side else "")
        )
        lines += [
            f"  {part:<10} x {factors[part]:.0f} forward passes = {format_flop(flop)} FLOP"
            for part, flop in (
                ("encoder", cost.encoder),
                ("connector", cost.connector),
                ("llm", cost.llm),
            )
        ]
        fits = held.batch(memory_gb)
        lines += wrap(
            f"memory per GPU of {gpus}: {held.states:.1f} GB weights and states,"
            f" {held.activations_per_sample:.2f} GB a sample: "
            + (
                f"batch {fits} fits in {memory_gb:g} GB"
                if fits
                else f"does not fit in {memory_gb:g} GB"
            ),
            style,
            "  ",
            "    ",
        )
    e = value.estimate
    lines += [
        "",
        *(
            style.paint(line, "bold")
            for line in wrap(
                f"total {format_flop(e.flop)} FLOP: {e.gpu_hours:,.0f} {value.gpu} hours"
                f" ({e.low:,.0f} … {e.high:,.0f} for 80% of published runs),"
                f" {e.gpu_hours / gpus:,.1f} hours on {gpus}",
                style,
                hang="  ",
            )
        ),
    ]
    lines += wrap(
        f"at {100 * e.utilisation:.0f}% of the peak rate, the median of published runs (cost"
        " --calibration); text tokens a sample are assumed (50 for captions, 350 for chats), the"
        " same way in the calibration",
        style,
        "  ",
    )
    for note in notes:
        lines += wrap("note: " + note, style, hang="      ")
    return "\n".join(lines)


def bill_json(
    value: Bill, about: Recipe, plan: str, gpus: int, memory_gb: float, notes: Sequence[str]
) -> dict:
    """`cost --json`."""
    e = value.estimate
    return {
        "recipe": recipe(about),
        "plan": plan,
        "visual_tokens": number(value.visual.visual_tokens),
        "connector_params": number(value.connector_params),
        "stages": [
            {
                "stage": i,
                "name": cost.stage.name,
                "trains": list(cost.stage.trains),
                "data": cost.stage.data,
                "samples": number(cost.stage.samples),
                "resolution": cost.stage.side or about.resolution,
                "visual_tokens": number(cost.stage.visual_tokens),
                "text_tokens": number(cost.stage.text_tokens),
                "flop": number(cost.total),
                "parts": [
                    {"part": part, "forward_passes": factors[part], "flop": number(flop)}
                    for part, flop in (
                        ("encoder", cost.encoder),
                        ("connector", cost.connector),
                        ("llm", cost.llm),
                    )
                ],
                "memory": {
                    "states_gb": number(held.states),
                    "activations_gb_per_sample": number(held.activations_per_sample),
                    "batch_per_gpu": held.batch(memory_gb),
                },
            }
            for i, (cost, factors, held) in enumerate(
                zip(value.stages, value.factors, value.memory), 1
            )
        ],
        "training": {
            "flop": number(e.flop),
            "gpu": value.gpu,
            "gpus": gpus,
            "gpu_hours": number(e.gpu_hours),
            "gpu_hours_interval": interval(0.8, e.low, e.high),
            "utilisation": number(e.utilisation),
        },
        "warnings": list(notes),
    }


def training_calibration_json(rows: Sequence[Checked]) -> dict:
    """`cost --calibration --json`."""
    ratios = [row.ratio for row in rows]
    return {
        "rows": [
            {
                "recipe": row.recipe,
                "printed": number(row.printed),
                "estimated": number(row.estimated),
                "ratio": number(row.ratio),
                "source": row.source,
            }
            for row in rows
        ],
        "median_ratio": number(quantile(ratios, 0.5)),
        "within_2x": number(sum(0.5 < r < 2 for r in ratios) / len(ratios)),
    }


def training_calibration_text(
    rows: Sequence[Checked], calibration: Calibration, style: Style
) -> str:
    """`cost --calibration`: published GPU-hours against the estimate from the other runs."""
    value = training_calibration_json(rows)
    cells = [
        [row.recipe, f"{row.printed:,.0f}", f"{row.estimated:,.0f}", f"{row.ratio:.2f}"]
        for row in rows
    ]
    return "\n".join(
        [
            *wrap(
                "published device-hours, and the estimate with the utilisation that the other runs"
                " show",
                style,
            ),
            *table(["run", "printed", "estimated", "ratio"], cells, "lrrr", style),
            "",
            *wrap(
                f"median ratio {value['median_ratio']:.2f}; {100 * value['within_2x']:.0f}% within"
                f" a factor of 2; utilisation {100 * calibration.median:.0f}%"
                f" ({100 * calibration.low:.0f} … {100 * calibration.high:.0f}% for 80% of the"
                " runs)",
                style,
            ),
        ]
    )


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


def gpu_name(slug: str) -> str:
    """A GPU as people say it in a unit: a100-80gb-sxm -> A100."""
    return slug.partition("-")[0].upper()


def cost_change(
    before: "Costs", after: "Costs", tokens_before: float, tokens_after: float
) -> list[str]:
    """What a swap does to tokens, training cost, latency and memory."""

    def ratio(x, y):
        return f"{x:,.0f} -> {y:,.0f}" if x >= 10 else f"{x:.1f} -> {y:.1f}"

    hours = ratio(before.gpu_hours.gpu_hours, after.gpu_hours.gpu_hours)
    parts = [f"training {hours} {gpu_name(before.gpu)}-hours"]
    if tokens_before != tokens_after:
        parts.insert(0, f"visual tokens {tokens_before:,.0f} -> {tokens_after:,.0f}")
    ttft = ratio(before.latency.ttft_ms, after.latency.ttft_ms)
    parts.append(f"TTFT {ttft} ms ({gpu_name(after.latency_gpu)})")
    parts.append(f"{before.memory.total:.1f} -> {after.memory.total:.1f} GB")
    return wrap("cost: " + "; ".join(parts), Style(), hang="      ")


def tokens_text(label: str, images: "Sequence[Tokens]", style: Style) -> str:
    """The answer of `tokens`."""
    lines = []
    for value in images:
        head = wrap(
            f"{label}, image {value.width}x{value.height}: {value.visual_tokens:,} visual tokens",
            style,
            hang="  ",
        )
        lines += [style.paint(line, "bold") for line in head]
        lines += [
            f"  {term.name:<22} {term.tokens:>7,}   {clean(term.formula)}" for term in value.terms
        ]
        if value.markers:
            lines.append(f"  markers (not counted)  {value.markers:>7,}   start and end tokens")
    if len(images) > 1:
        lines.append(f"all images: {sum(value.visual_tokens for value in images):,} visual tokens")
    return "\n".join(lines)
