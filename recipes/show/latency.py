"""`latency`: the view of an answer's time and memory (its JSON), and text made from the view.

In: Served, registry records of devices, notes. Out: dictionaries and strings. Does not compute or
print.
"""

from collections.abc import Mapping, Sequence

from ..answers.serving import Served
from ..base.wording import number
from ..terms.recipe import Recipe
from .cost import COLOURS, gpu_title, head, told_apart
from .jsonable import recipe
from .text import Style, table, wrap

BINDS = {"compute": "compute", "bandwidth": "memory bandwidth", "launch": "launching layers"}


SETTING = ("gpu", "gpus", "dtype", "engine", "batch", "images", "prompt", "output")


def view(values: Sequence[Served], devices: Mapping) -> dict:
    """`latency --json`: one answer, or several side by side. devices: records of the hardware."""
    views = [latency_json(value, devices[value.service.gpu]) for value in values]
    return views[0] if len(views) == 1 else {"answers": views}


def latency_json(value: Served, device: Mapping) -> dict:
    """One answer, and what its text is made from. tokens_per_s: of all requests."""
    held = value.memory
    return {
        "recipe": recipe(value.recipe),
        "setting": {key: getattr(value.service, key) for key in SETTING},
        "verdict": {
            "status": value.status,
            "fits": None if value.status is None else held.total <= value.room_gb,
            "need_gb": number(held.total),
            "of_gb": number(value.room_gb),
            "gpu_name": gpu_title(device),
            "asked": value.service.asked_gb is not None,
        },
        "latency": value.latency and time_json(value),
        "memory": {name: number(x) for name, x in held._asdict().items()},
        "memory_gb": number(held.total),
        "warnings": list(value.notes),
    }


def time_json(value: Served) -> dict:
    """The phases, and what they add up to."""
    t, ends = value.latency, value.ends
    return {
        "ttft_ms": number(t.ttft_ms),
        "total_ms": number(t.total_ms),
        "tokens_per_s": number(t.tokens_per_s),
        "tokens_per_s_per_request": number(t.per_stream),
        "output_tokens": t.output_tokens,
        "hosts": ends
        and {
            name: {
                "ttft_ms": number(end.ttft_ms),
                "total_ms": number(end.total_ms),
                "tokens_per_s": number(end.tokens_per_s),
            }
            for name, end in zip(("fast", "slow"), ends)
        },
        "phases": [
            {"name": p.name, "ms": number(p.ms), "bound": p.bound} for p in (*t.phases, t.per_token)
        ],
    }


def text(value: dict, style: Style) -> str:
    """`latency` as text, from its view."""
    if "answers" in value:
        return side_by_side(value["answers"], style)
    return latency_text(value, style)


def latency_text(view: dict, style: Style) -> str:
    """One answer: does it fit, each phase and what binds it."""
    m = view["memory"]
    lines = wrap(verdict_sentence(view), style, hang="  ")
    colour = COLOURS.get(view["verdict"]["status"], "bold")
    lines = [style.paint(line, colour) for line in lines]
    lines += head(Recipe(**view["recipe"]), style)
    said = ", ".join(f"{key} {text}" for key, text in view["setting"].items())
    lines += [*wrap(said, style, hang="  "), ""]
    lines += time_lines(view, style) if view["latency"] else []
    lines += wrap(
        f"memory {view['memory_gb']:.1f} GB: weights {m['weights']:.1f}, KV cache"
        f" {m['kv_cache']:.2f}, activations {m['activations']:.2f}, overhead"
        f" {m['overhead']:.1f}",
        style,
        hang="  ",
    )
    for note in view["warnings"]:
        lines += wrap("note: " + note, style, hang="  ")
    return "\n".join(lines)


def time_lines(view: dict, style: Style) -> list[str]:
    """The phases as a table, and how much the host matters."""
    t = view["latency"]
    *phases, per_token = t["phases"]
    rows = [[p["name"], f"{p['ms']:,.1f} ms", BINDS[p["bound"]]] for p in phases]
    rows += [
        ["time to first token", f"{t['ttft_ms']:,.1f} ms", ""],
        ["decode, per token", f"{per_token['ms']:,.1f} ms", BINDS[per_token["bound"]]],
        [
            f"whole answer of {t['output_tokens']} tokens",
            f"{t['total_ms']:,.0f} ms",
            rate(view),
        ],
    ]
    lines = table(["phase", "time", "bound by"], rows, "lrl", style)
    if t["hosts"]:
        fast, slow = t["hosts"]["fast"], t["hosts"]["slow"]
        lines += wrap(
            f"by how fast the host launches layers: first token {fast['ttft_ms']:,.0f} to"
            f" {slow['ttft_ms']:,.0f} ms, {slow['tokens_per_s']:,.1f} to"
            f" {fast['tokens_per_s']:,.1f} tokens/s",
            style,
            hang="  ",
        )
    return [*lines, ""]


def rate(view: dict) -> str:
    """Tokens a second, of all requests and of one."""
    t, batch = view["latency"], view["setting"]["batch"]
    if batch == 1:
        return f"{t['tokens_per_s']:,.1f} tokens/s"
    each = t["tokens_per_s_per_request"]
    return f"{t['tokens_per_s']:,.1f} tokens/s in all, {each:,.1f} each"


def verdict_sentence(view: dict) -> str:
    """Does it fit, when does the first token come, how fast are the others."""
    v, t = view["verdict"], view["latency"]
    gpus = view["setting"]["gpus"]
    where = f"{gpus} x {v['gpu_name']}" if gpus > 1 else f"one {v['gpu_name']}"
    speed = f"; first token after {t['ttft_ms']:,.0f} ms, then {rate(view)}" if t else ""
    if v["status"] is None:
        return f"on {where}: {v['need_gb']:.1f} GB{speed}"
    room = f"{v['of_gb']:g} GB asked for" if v["asked"] else f"{v['of_gb']:g} GB"
    status = "do not fit in" if v["status"] == "does not fit" else "fit in"
    if v["status"] == "tight":
        status = "fit tightly in"
    return f"{v['need_gb']:.1f} GB {status} {room} on {where}{speed}"


def side_by_side(views: Sequence[dict], style: Style) -> str:
    """Several answers, a line each."""
    title, called = told_apart(views)
    rows = [
        [
            name,
            view["verdict"]["gpu_name"],
            view["verdict"]["status"] or "?",
            f"{view['verdict']['need_gb']:.1f}/{view['verdict']['of_gb'] or 0:g}",
            *(
                f"{view['latency'][key]:,.{digits}f}" if view["latency"] else "?"
                for key, digits in (("ttft_ms", 0), ("tokens_per_s", 1), ("total_ms", 0))
            ),
        ]
        for name, view in zip(called, views, strict=True)
    ]
    shared = {k: v for k, v in views[0]["setting"].items() if k != "gpu"}
    lines = wrap(", ".join(f"{key} {text}" for key, text in shared.items()), style, hang="  ")
    names = [title, "GPU", "verdict", "GB of", "TTFT ms", "tokens/s", "answer ms"]
    lines += table(names, rows, "lllrrrr", style)
    for note in dict.fromkeys(note for view in views for note in view["warnings"]):
        lines += wrap("note: " + note, style, hang="  ")
    return "\n".join(lines)
