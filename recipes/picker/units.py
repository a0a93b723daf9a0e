"""Numbers with units as people type them: budgets, latency targets, memory, sizes.

In: text. Out: small values that say what was meant, or a UnitError that says what would be accepted.
"""
import re
from typing import NamedTuple

from ..errors import Refused
from ..evidence.vocabulary import UnknownName, Vocabulary


class UnitError(Refused):
    """A quantity that cannot be read; the message shows accepted forms."""


class Budget(NamedTuple):
    """One of: FLOPs, hours of one kind of GPU, or a number of training images. Money is hours at a price."""
    kind: str           # flop, gpu_hours or images
    amount: float
    gpu: str | None     # hardware slug for gpu_hours
    assumed_price: float | None = None   # dollars per hour, where the text named money and no price (PRINTED_PRICE)


class Speed(NamedTuple):
    """Tokens per second of decoding on a device."""
    tokens_per_s: float
    gpu: str | None


class LatencyTarget(NamedTuple):
    """Milliseconds for the first token (or the whole answer) on a device."""
    ms: float
    gpu: str
    whole_answer: bool


NUMBER = r"(\d[\d,_]*(?:\.\d+)?(?:e[+]?\d+)?)\s*([kKmMbBtT](?![a-zA-Z]))?"
SUFFIX = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
BUDGET_FORMS = "500 A100-hours, 8xH100 for a day, 2e21 FLOP, 50M images, $2,000, $2,000 at $1.50 per H100-hour"
# The one price of a GPU-hour that a source of the registry prints (training_costs.json, llava-onevision-1.5-8b: "$16,000 at $0.6 per A100 hour").
PRINTED_PRICE = (0.6, "a100-80gb-sxm", "LLaVA-OneVision-1.5 README")
LATENCY_FORMS = "300ms on L4, 1.5 s on Orin, 300 ms TTFT on A100"


def _number(match: re.Match) -> float:
    return float(match[1].replace(",", "").replace("_", "")) * SUFFIX[(match[2] or "").lower()]


def hardware(text: str, words: Vocabulary) -> str:
    """A hardware slug. Raises UnknownName with the nearest known devices."""
    return words.resolve("hardware", re.sub(r"s$", "", text.strip()) if text.strip().lower() not in ("l40s",) else text).slug


def budget(text: str, words: Vocabulary) -> Budget:
    """Read a training budget. Raises UnitError or UnknownName."""
    text = text.strip()
    if text.startswith("-"):
        raise UnitError(f"{text!r}: a budget is positive (as in {BUDGET_FORMS})")
    money = re.fullmatch(r"(?:\$|usd\s*)" + NUMBER + r"(?:\s*usd)?(?:\s*(?:at|@)\s*\$?\s*(\d+(?:\.\d+)?)\s*(?:/|per|an?)\s*([A-Za-z][\w -]*?)[-\s]*(?:gpu[-\s]*)?(?:hours?|hr|h))?",
                         text, re.I)
    if money:
        price, gpu = (float(money[3]), hardware(money[4], words)) if money[3] else PRINTED_PRICE[:2]
        return Budget("gpu_hours", _positive(_number(money) / _positive(price, text), text), gpu, None if money[3] else price)
    match = re.fullmatch(NUMBER + r"\s*(?:x|×)?\s*([A-Za-z][\w -]*?)[-\s]*(?:gpu[-\s]*)?(?:hours?|hrs?|h)", text)
    if match:
        value = _number(match)
        name = match[3]
        if name.lower().strip("- ") in ("gpu", ""):
            name = "a100"
        return Budget("gpu_hours", _positive(value, text), hardware(name, words))
    match = re.fullmatch(NUMBER + r"\s*(?:x|×)\s*([A-Za-z][\w-]*)\s+(?:for\s+)?(?:(\d+(?:\.\d+)?|an?)\s*)(days?|hours?|h|d|weeks?)", text)
    if match:
        duration = 1.0 if match[4] in ("a", "an") else float(match[4])
        hours = {"d": 24.0, "h": 1.0, "w": 168.0}[match[5][0]] * duration
        return Budget("gpu_hours", _positive(_number(match) * hours, text), hardware(match[3], words))
    match = re.fullmatch(NUMBER + r"\s*(z|e|p)?flops?", text, re.I)
    if match:
        scale = {"": 1.0, "p": 1e15, "e": 1e18, "z": 1e21}[(match[3] or "").lower()]
        return Budget("flop", _positive(_number(match) * scale, text), None)
    match = re.fullmatch(NUMBER + r"\s*(?:images?|samples?|examples?)", text, re.I)
    if match:
        return Budget("images", _positive(_number(match), text), None)
    raise UnitError(f"cannot read the budget {text[:60]!r} (as in {BUDGET_FORMS})")


def latency(text: str, words: Vocabulary) -> LatencyTarget:
    """Read a latency target. Raises UnitError or UnknownName."""
    match = re.fullmatch(NUMBER + r"\s*(ms|milliseconds?|s|sec|seconds?)\s*(ttft|first token|total|answer)?\s*(?:on\s+(?:an?\s+)?(.+))?",
                         text.strip(), re.I)
    if not match:
        raise UnitError(f"cannot read the latency {text[:60]!r} (as in {LATENCY_FORMS})")
    ms = _number(match) * (1.0 if match[3].lower().startswith("m") else 1e3)
    whole = (match[4] or "").lower() in ("total", "answer")
    return LatencyTarget(_positive(ms, text), hardware(match[5] or "l4", words), whole)


def speed(text: str, words: Vocabulary) -> Speed:
    """Read a decoding speed: 20 tokens/s, 20 tok/s on Orin. Raises UnitError or UnknownName."""
    match = re.fullmatch(NUMBER + r"\s*(?:tokens?|tok|t)\s*(?:/|per)\s*(?:s|sec|second)s?(?:\s+on\s+(?:an?\s+)?(.+))?", text.strip(), re.I)
    if not match:
        raise UnitError(f"cannot read the speed {text[:60]!r} (as in 20 tokens/s on Orin)")
    return Speed(_positive(_number(match), text), hardware(match[3], words) if match[3] else None)


def memory_gb(text: str) -> float:
    """Gigabytes: 24GB, 24, 500 MB (also `fits 24GB`)."""
    match = re.fullmatch(r"(?:fits\s+(?:in\s+)?)?" + NUMBER + r"\s*(gb|gib|mb)?", text.strip(), re.I)
    if not match:
        raise UnitError(f"cannot read the memory {text[:60]!r} (as in 24GB)")
    return _positive(_number(match) / (1e3 if (match[3] or "").lower() == "mb" else 1.0), text)


def level(text: str) -> float:
    """A confidence or probability: 0.8 or 80%."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%)?\s*", text)
    value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0.0 < value < 1.0:
        raise UnitError(f"{text[:40]!r} is not a level between 0 and 1 (as in 0.8 or 80%)")
    return value


def _positive(value: float, text: str) -> float:
    if not 0 < value < 1e40:
        raise UnitError(f"{text[:60]!r}: the amount must be positive, and below 1e40")
    return value


def unknown_hint(error: UnknownName) -> str:
    """One line for an unknown name."""
    return str(error)
