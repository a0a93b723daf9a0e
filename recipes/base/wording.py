"""How numbers and texts are worded, wherever they are printed: signs, plurals, percent, rounding.

In: numbers, texts. Out: texts (clean of control characters), rounded numbers for JSON.
"""

import math
import re
from collections.abc import Sequence

# What a text from a file or a server must not do on a screen: steer the terminal (C0 and C1 control
# characters), or turn the order of what is read (bidirectional controls, Unicode TR 36, 3.2).
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Text on one line and without control characters."""
    return CONTROL.sub("?", text.replace("\n", " ").replace("\t", " "))


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign; a proper minus is not used so that scripts can read it."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text


def plural(count: int, word: str) -> str:
    """1 paper, 2 papers."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """a, b and c."""
    return ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def percent(p: float) -> str:
    """A probability in whole percent, never a false 0 or 100."""
    if 0 < p < 0.005:
        return "<1%"
    if 0.995 < p < 1:
        return ">99%"
    return f"{100 * p:.0f}%"


def number(x):
    """A number rounded to six significant digits; whole numbers without a fraction; None stays
    None.
    """
    if x is None or isinstance(x, (bool, int)):
        return x
    if not math.isfinite(x):
        return None
    value = float(f"{x:.6g}")
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def numbers(value):
    """A nested value with its fractions rounded as everywhere."""
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [numbers(item) for item in value]
    return number(value) if isinstance(value, float) else value


def decimals(maximum: float | None) -> int:
    """Decimals for points of a scale with this maximum: none above 500 (MME, OCRBench)."""
    return 0 if (maximum or 100) > 500 else 1


def points(delta) -> int:
    """Decimals for a benchmark's delta."""
    return decimals(delta.max)


def verdict(p: float) -> str:
    """What a probability of improvement means, in words."""
    for bound, words in (
        (0.95, "better"),
        (0.8, "probably better"),
        (0.2, "no clear difference"),
        (0.05, "probably worse"),
    ):
        if p >= bound:
            return words
    return "worse"
