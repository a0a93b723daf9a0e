"""`cost` as text and JSON: the bill of a training plan, its calibration, the change by a swap.

In: a Bill, calibration rows, Costs. Out: strings and dictionaries. Does not compute or print.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..answers.cost import Bill
from ..base.wording import number
from ..cost.flops import encoder_forward, format_flop, llm_params
from ..cost.training import Calibration, Checked, quantile
from ..terms.recipe import Recipe
from .jsonable import interval, recipe
from .recipe import describe
from .text import Style, table, wrap

if TYPE_CHECKING:
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
