"""What was recognised in a sentence -> flags of a command.

In: a Match (grammar.py). Out: parts of argv, or Unfit with the reason when the command cannot take it. Knows no sentence form.
"""
import math
from collections.abc import Sequence

from ..evidence.vocabulary import Vocabulary
from .grammar import Match, Part

# Kinds of parts that can be swapped for each other, in the order in which a pair is tried.
LIKE = ("encoder", "connector", "llm", "data", "size", "tokens", "px", "state")
AXIS = {"size": "llm_params_b", "tokens": "visual_tokens", "px": "resolution", "state": "frozen_encoder"}
# What a part that is named alone is compared with: the default baseline, LLaVA-1.5-7B (picker/recipe.py).
BASE = {"encoder": "clip-vit-l-14", "connector": "mlp-2x-gelu", "llm": "vicuna-1.5-7b", "data": "llava-665k", "size": "7B", "tokens": "576 tokens",
     "px": "336px",
        "state": "frozen"}


def text_of(part: Part, kind: str) -> str | None:
    """A part as a command's argument, read as one kind."""
    value = part.meant.get(kind)
    if kind == "px" and value is None and "resolution" in part.meant:
        return part.meant["resolution"]
    if value is None:
        return None
    if kind == "encoder" and part.fused:
        return "+".join(sorted([value, *part.fused]))
    return {"tokens": f"{value} tokens", "px": f"{value}px"}.get(kind, value)


def pairs(a: Part, b: Part) -> list[tuple[str, str, str]]:
    """(kind, a, b) for every kind that both parts may be. A bare number takes the unit of the other one."""
    found = []
    for kind in LIKE:
        one, two = text_of(a, kind), text_of(b, kind)
        if one is None and two is not None and "number" in a.meant and kind in ("tokens", "px", "size"):
            one = text_of(Part({kind: a.meant["number"] + ("B" if kind == "size" else "")}, (), 0), kind)
        if two is None and one is not None and "number" in b.meant and kind in ("tokens", "px", "size"):
            two = text_of(Part({kind: b.meant["number"] + ("B" if kind == "size" else "")}, (), 0), kind)
        if one is not None and two is not None:
            found.append((kind, one, two))
    if not found and "number" in a.meant and "number" in b.meant:
        values = [part.meant["number"] for part in (a, b)]
        if all(value.isdecimal() for value in values):
            fits = [all(pixels(int(v)) for v in values), all(tokens(int(v)) for v in values)]
            only = [any(not tokens(int(v)) for v in values), any(not pixels(int(v)) for v in values)]
            if fits[0] and (only[0] or not fits[1]):
                found.append(("px", *(f"{v}px" for v in values)))
            elif fits[1] and (only[1] or not fits[0]):
                found.append(("tokens", *(f"{v} tokens" for v in values)))
            elif all(fits):
                found += [("px", *(f"{v}px" for v in values)), ("tokens", *(f"{v} tokens" for v in values))]
    return found


def pixels(value: int) -> bool:
    """Whether a bare number can be a resolution: 112 to 4096 in whole patches of 14 or 16."""
    return 112 <= value <= 4096 and (value % 14 == 0 or value % 16 == 0)


def tokens(value: int) -> bool:
    """Whether a bare number can be a count of visual tokens: up to 112, or a square or five squares of at most 64."""
    root = math.isqrt(value)
    return 0 < value <= 112 or root * root == value and root <= 64 or value == 2880


def described(part: Part) -> str:
    """A part in words, for messages."""
    kind, value = next(iter(part.meant.items()))
    return f"{value} ({kind.replace('px', 'resolution').replace('size', 'LLM size')})"


def common(m: Match, words: Vocabulary, taken: Sequence[str] = ()) -> list[str]:
    """--tasks or --benchmark, in the form of a mix. `taken`: kinds that the form has used up."""
    found = m.of("family", "benchmark")
    if not found:
        return []
    return ["--tasks", ",".join(dict.fromkeys(x.value for x in found))]


def size_of(value: str) -> float:
    """A size as billions."""
    return float(value[:-1]) / (1000 if value[-1] == "M" else 1)


def memory_of(device: str, words: Vocabulary) -> str:
    """The memory of a device as --memory takes it."""
    return f"{words.records('hardware')[device]['memory_gb']:g}GB"


def alias(device: str, words: Vocabulary) -> str:
    """A device as people call it."""
    return (words.records("hardware")[device].get("aliases") or [device])[0]


def latency_flag(m: Match, words: Vocabulary) -> list[str]:
    """--latency with its device."""
    value, device = m.first("latency"), m.first("device")
    if not value:
        return []
    whole = " total" if m.said & {"total", "answer", "respond", "response", "reply"} and "first" not in m.said else ""
    return ["--latency", f"{value}{whole}" + (f" on {alias(device, words)}" if device else "")]


def budget_flag(m: Match) -> list[str]:
    """--budget, also from GPUs and a duration said apart (`8 H100s, two days`)."""
    value = m.first("budget")
    if value is None and m.first("gpus") and m.first("duration"):
        count, _, device = m.first("gpus").partition(" ")
        value = f"{count}x{device} for {m.first('duration')}"
    return ["--budget", value] if value else []


def repeated(flag: str, values: Sequence[str]) -> list[str]:
    """A flag once per value."""
    return [x for value in values for x in (flag, value)]
