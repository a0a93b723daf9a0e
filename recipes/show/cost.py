"""`cost`: the view of a bill (its JSON), and text made from the view; what a swap changes.

In: a Bill, registry records of devices, notes. Out: dictionaries and strings. Does not compute or
print.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..answers.cost import Bill, StageBill
from ..base.wording import listed, number, plural
from ..cost.fit import Held
from ..cost.flops import encoder_forward, format_flop, llm_forward
from ..cost.training import Estimate
from ..terms.axes import COMPONENTS
from ..terms.recipe import Recipe
from ..terms.units import gpu_name
from .jsonable import interval, recipe
from .recipe import FIELDS as WHOLE
from .recipe import axis_name, describe
from .text import Style, table, wrap

if TYPE_CHECKING:
    from ..picker.limits import Costs

FIELDS = tuple(field for field in WHOLE if field != "tiling")  # the tokens stand in the bill
SCREEN = 16  # lines of a bill without --why
COLOURS = {"fits": "green", "tight": "yellow", "does not fit": "red"}
TUNING = {"full": "full tuning", "lora": "LoRA", "qlora": "QLoRA"}


def head(value: Recipe, style: Style) -> list[str]:
    """The recipe in one line."""
    return [
        style.paint(line, "bold")
        for line in wrap("recipe: " + describe(value, FIELDS), style, hang="        ")
    ]


# --- the view
# --------------------------------------------------------------------------------


def view(bills: Sequence[Bill], devices: Mapping) -> dict:
    """`cost --json`: one bill, or several side by side. devices: records of the hardware."""
    views = [bill_json(value, devices) for value in bills]
    return views[0] if len(views) == 1 else {"bills": views}


def bill_json(value: Bill, devices: Mapping) -> dict:
    """One bill, and what its text is made from."""
    order, e, about = value.order, value.estimate, value.recipe
    return {
        "recipe": recipe(about),
        "plan": order.plan,
        "verdict": verdict_json(value, devices),
        "visual_tokens": number(value.visual.visual_tokens),
        "connector_params": number(value.connector_params),
        "parts": parts_json(value),
        "stages": [stage_json(i, stage, about, value) for i, stage in enumerate(value.stages, 1)],
        "training": {
            "flop": number(sum(stage.cost.total for stage in value.stages)),
            "gpu": value.gpu,
            "gpus": order.setup.gpus,
            **hours_json(e, order.setup.gpus),
            "batch": value.batch,
            "utilisation": number(e and e.utilisation),
            "price": number(order.price),
            "dollars": number(value.dollars),
        },
        "warnings": list(value.notes),
    }


def hours_json(e: Estimate | None, gpus: int) -> dict:
    """Hours of an estimate: on all GPUs, and GPU-hours with their interval."""
    if e is None:
        return {"hours": None, "gpu_hours": None, "gpu_hours_interval": None}
    return {
        "hours": number(e.gpu_hours / gpus),
        "gpu_hours": number(e.gpu_hours),
        "gpu_hours_interval": interval(0.8, e.low, e.high),
    }


def verdict_json(value: Bill, devices: Mapping) -> dict:
    """Does it fit, and what else would."""
    v, how = value.verdict, value.verdict.setup
    return {
        "status": v.status,
        "fits": v.fits,
        "need_gb": number(v.need_gb),
        "gpu_memory_gb": number(v.room_gb),
        "gpu": value.gpu,
        "gpu_name": gpu_title(devices[value.gpu]),
        "gpus": how.gpus,
        "tuning": how.tuning,
        "zero": how.stage,
        "lora_rank": how.rank if how.lora else None,
        "recompute": how.checkpointing,
        "batch": v.batch,
        "largest_batch": v.largest,
        "fits_with": [
            {
                "tuning": other.tuning,
                "gpus": other.gpus,
                "gpu": other.gpu,
                "gpu_name": gpu_title(devices[other.gpu]),
                "largest_batch": other.batch,
            }
            for other in value.others
        ],
    }


def parts_json(value: Bill) -> list[dict]:
    """Encoders, connector and LLM: size, and FLOPs of a forward pass."""
    v, llm = value.visual, value.language.record
    return [
        *(
            {
                "part": "encoder",
                "name": record["slug"],
                "pixels": side,
                "views": number(views),
                "flop": number(encoder_forward(record, side) * views),
            }
            for record, side, views in v.encoders
        ),
        {
            "part": "connector",
            "name": v.recipe.connector,
            "params": number(value.connector_params),
            "tokens_in": number(v.grid_tokens),
            "tokens_out": number(v.visual_tokens),
        },
        {
            "part": "llm",
            "name": value.language.slug,
            "params_b": number(llm["params_b"]),
            "flop_per_token": number(llm_forward(llm, 1, 0)),
        },
    ]


def stage_json(i: int, value: StageBill, about: Recipe, bill: Bill) -> dict:
    """One stage: samples, tokens, FLOPs by part, memory by term, hours."""
    s, cost = value.cost.stage, value.cost
    return {
        "stage": i,
        "name": s.name,
        "trains": list(s.trains),
        "data": s.data,
        "samples": number(s.samples),
        "resolution": s.side or about.resolution,
        "visual_tokens": number(s.visual_tokens),
        "text_tokens": number(s.text_tokens),
        "views_filled": number(s.filled),
        "flop": number(cost.total),
        "parts": [
            {"part": part, "forward_passes": value.factors[part], "flop": number(flop)}
            for part, flop in (
                ("encoder", cost.encoder),
                ("connector", cost.connector),
                ("llm", cost.llm),
            )
        ],
        "memory": memory_json(value.held, bill),
        **hours_json(value.estimate, bill.order.setup.gpus),
    }


def memory_json(held: Held, bill: Bill) -> dict:
    """Memory of a stage on one GPU, by term."""
    return {
        "states_gb": number(held.weights + held.states),
        "weights_gb": number(held.weights),
        "optimizer_gb": number(held.states),
        "buffers_gb": number(held.buffers),
        "overhead_gb": number(held.fixed),
        "activations_gb_per_sample": number(held.per_sample),
        "layers_gb_per_sample": number(held.layers_per_sample),
        "logits_gb_per_sample": number(held.logits_per_sample),
        "vision_gb_per_sample": number(held.vision_per_sample),
        "batch": bill.verdict.batch,
        "gb": number(held.at(bill.verdict.batch)),
        "batch_per_gpu": held.batch(bill.verdict.room_gb),
    }


# --- text
# --------------------------------------------------------------------------------


def text(value: dict, why: bool, style: Style) -> str:
    """`cost` as text, from its view; `why`: every term."""
    if "bills" in value:
        return side_by_side(value["bills"], style)
    return bill_text(value, why, style)


def bill_text(view: dict, why: bool, style: Style) -> str:
    """One bill: the verdict, hours by stage, what it rests on; `why`: every term."""
    t, lines = view["training"], []
    lines += [
        style.paint(line, COLOURS[view["verdict"]["status"]])
        for line in wrap(verdict_sentence(view), style, hang="  ")
    ]
    if view["verdict"]["fits_with"]:
        lines += wrap(instead(view["verdict"]), style, hang="  ")
    lines += ["", *stage_table(view, style)]
    if t["dollars"] is not None:
        lines.append(f"${t['dollars']:,.0f} at ${t['price']:g} a GPU-hour")
    lines += head(Recipe(**view["recipe"]), style)
    notes = [wrap("note: " + note, style, hang="  ") for note in view["warnings"]]
    if why:
        return "\n".join(
            [*lines, *(line for note in notes for line in note), "", *terms(view, style)]
        )
    more = 0
    for note in notes:
        if len(lines) + len(note) < SCREEN and not more:
            lines += note
        else:
            more += 1
    said = f"every term, and {plural(more, 'more note')}" if more else "every term"
    lines.append(f"{said}: --why; how sure: cost --calibration")
    return "\n".join(lines)


def verdict_sentence(view: dict) -> str:
    """Fits, tight or not: what is needed of what there is, at which batch."""
    v = view["verdict"]
    where = f"{v['gpus']} x {v['gpu_name']}" if v["gpus"] > 1 else f"one {v['gpu_name']}"
    how = how_sentence(v)
    need = f"{v['need_gb']:.1f} GB of {v['gpu_memory_gb']:g} GB"
    each = " each" if v["gpus"] > 1 else ""
    text = f"{v['status']}: {how} on {where} needs {need}{each} at batch {v['batch']}"
    if v["largest_batch"] > v["batch"]:
        text += f"; up to batch {v['largest_batch']} fits"
    elif v["fits"]:
        text += ", the largest that fits"
    elif v["largest_batch"]:
        text += f"; batch {v['largest_batch']} fits"
    elif v["status"] == "tight":
        text += ": it may run out of memory"
    return text


def how_sentence(v: dict) -> str:
    """Tuning, rank and ZeRO stage in words."""
    rank = f" of rank {v['lora_rank']}" if v["lora_rank"] else ""
    zero = f" (ZeRO {v['zero']})" if v["gpus"] > 1 else ""
    return f"{TUNING[v['tuning']]}{rank}{zero}"


def instead(v: dict) -> str:
    """What else would fit."""
    said = []
    for other in v["fits_with"]:
        if other["tuning"] != v["tuning"]:
            what = f"{TUNING[other['tuning']]}"
        elif other["gpu"] == v["gpu"]:
            what = f"{other['gpus']} of these GPUs" if other["gpus"] > 1 else "one of these GPUs"
        else:
            each = f"{other['gpus']} x " if other["gpus"] > 1 else "one "
            what = f"{each}{other['gpu_name']}, the smallest that does"
        said.append(f"{what} (batch {other['largest_batch']})")
    return "fits with " + "; ".join(said)


def stage_table(view: dict, style: Style) -> list[str]:
    """Hours by stage."""
    t = view["training"]
    rows = [
        [s["name"], f"{s['samples']:,.0f}", *hour_cells(s)]
        for s in (*view["stages"], {"name": "total", "samples": 0, **t})
    ]
    rows[-1][1] = ""
    if len(rows) == 2:
        rows.pop()
    gpus = f"hours on {t['gpus']}" if t["gpus"] > 1 else "hours"
    return table(["stage", "samples", gpus, "GPU-hours", "80% of runs"], rows, "lrrrr", style)


def hour_cells(value: dict) -> list[str]:
    """Hours, GPU-hours and their interval; ? where not known."""
    if value["gpu_hours"] is None:
        return ["?", "?", "?"]
    low, high = (value["gpu_hours_interval"][key] for key in ("low", "high"))
    amounts = [f"{x:,.0f}" if x >= 10 else f"{x:.2g}" for x in (low, high)]
    hours, own = (
        f"{x:,.0f}" if x >= 100 else f"{x:,.1f}" for x in (value["hours"], value["gpu_hours"])
    )
    return [hours, own, " … ".join(amounts)]


def terms(view: dict, style: Style) -> list[str]:
    """Every term: parts, then each stage's passes, FLOPs and memory."""
    lines = [style.paint("parts", "bold")]
    for p in view["parts"]:
        if p["part"] == "encoder":
            text = f"{p['pixels']} px x {p['views']:g}: {p['flop'] / 1e9:,.0f} GFLOP an image"
        elif p["part"] == "connector":
            text = (
                f"{p['params'] / 1e6:,.2f}M: {p['tokens_in']:,.0f} -> {p['tokens_out']:,.0f} tokens"
            )
        else:
            text = f"{p['params_b']:.3g}B: {p['flop_per_token'] / 1e9:.2f} GFLOP a token"
        lines += wrap(f"{p['part']} {p['name']}: {text}", style, "  ", "    ")
    for s in view["stages"]:
        lines += ["", *stage_terms(s, style)]
    t = view["training"]
    if t["utilisation"]:
        lines += [
            "",
            *wrap(
                f"total {format_flop(t['flop'])} FLOP, and what is computed again, at"
                f" {100 * t['utilisation']:.0f}% of the peak rate: the median over the sources of"
                " published and reported runs (cost --calibration), for this width of LLM and this"
                " device; text tokens a sample are assumed (50 for captions, 530 for chats), the"
                " same way in the calibration",
                style,
            ),
        ]
    return lines


def stage_terms(s: dict, style: Style) -> list[str]:
    """One stage's terms."""
    filled = (
        f"; images of the data fill {100 * s['views_filled']:.0f}% of the views"
        if s["views_filled"] < 1
        else ""
    )
    at = f", at {s['resolution']} px" if isinstance(s["resolution"], int) else ""
    lines = [
        style.paint(line, "bold")
        for line in wrap(
            f"stage {s['stage']}: {s['name']}: trains {listed(s['trains'])} on"
            f" {s['samples']:,.0f} of {s['data']}",
            style,
            hang="  ",
        )
    ]
    lines += wrap(
        f"{s['visual_tokens']:,.0f} visual + {s['text_tokens']:,.0f} text tokens a sample"
        f"{at}{filled}",
        style,
        "  ",
        "    ",
    )
    lines += [
        f"  {p['part']:<10} x {p['forward_passes']:.0f} forward passes ="
        f" {format_flop(p['flop'])} FLOP"
        for p in s["parts"]
    ]
    m = s["memory"]
    lines += wrap(
        f"memory a GPU: weights {m['weights_gb']:.2f} + optimizer {m['optimizer_gb']:.2f} + buffers"
        f" {m['buffers_gb']:.2f} + fixed {m['overhead_gb']:.1f} GB; a sample: layers"
        f" {m['layers_gb_per_sample']:.2f}, logits {m['logits_gb_per_sample']:.2f}, encoder"
        f" {m['vision_gb_per_sample']:.2f}; batch {m['batch_per_gpu']} fits",
        style,
        "  ",
        "    ",
    )
    return lines


def told_apart(views: Sequence[dict]) -> tuple[str, list[str]]:
    """What recipes side by side differ in (the LLM where they do not), and how each is called."""
    recipes = [view["recipe"] for view in views]
    parts = [p for p in COMPONENTS if p != "llm" and len({str(r.get(p)) for r in recipes}) > 1]
    if parts:
        return axis_name(parts[0]), [r[parts[0]] for r in recipes]
    return "LLM", [r.get("llm") or f"{r.get('llm_params_b'):g}B" for r in recipes]


def side_by_side(views: Sequence[dict], style: Style) -> str:
    """Several bills, a line each."""
    rows = []
    title, called = told_apart(views)
    for name, view in zip(called, views, strict=True):
        v, t = view["verdict"], view["training"]
        dollars = "" if t["dollars"] is None else f"${t['dollars']:,.0f}"
        rows.append(
            [
                name,
                v["gpu_name"],
                v["status"],
                f"{v['need_gb']:.1f}/{v['gpu_memory_gb']:g}",
                str(v["largest_batch"]),
                *hour_cells(t)[:2],
                dollars,
            ]
        )
    names = [title, "GPU", "verdict", "GB of", "batch", "hours", "GPU-h", "cost"]
    if not any(row[-1] for row in rows):
        names, rows = names[:-1], [row[:-1] for row in rows]
    first = views[0]["verdict"]
    lines = wrap(
        f"{how_sentence(first)} on {first['gpus']}, need at batch {first['batch']}; batch: the"
        " largest that fits",
        style,
        hang="  ",
    )
    lines += table(names, rows, "lllrrrrr"[: len(names)], style)
    for note in dict.fromkeys(note for view in views for note in view["warnings"]):
        lines += wrap("note: " + note, style, hang="  ")
    return "\n".join(lines)


def gpu_title(record: Mapping) -> str:
    """A device as people call it: NVIDIA GeForce RTX 4090 -> RTX 4090."""
    return record["name"].removeprefix("NVIDIA ").removeprefix("GeForce ")


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
