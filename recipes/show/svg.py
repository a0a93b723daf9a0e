"""What every picture is made of: escaped text, measured text, ticks, colours, and the SVG element
around it.

In: plain values. Out: strings of SVG. Knows no plot and no result; draws nothing by itself; no
script, no font, no id.
"""

import math
import re
import unicodedata
from collections.abc import Sequence
from html import escape

# Characters that XML 1.0 forbids, lone surrogates, and the marks that turn the direction of text
# around.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

# (light, dark) of each role. Text against its ground: at least 4.5 : 1 (WCAG AA), marks at least 3
# : 1.
COLOURS = {
    "paper": ("#fffefa", "#17181b"),
    "ink": ("#211f1b", "#e9e5dc"),
    "muted": ("#5d574d", "#aaa499"),
    "rule": ("#ddd7ca", "#3b3c41"),
    "blue": ("#1c5d92", "#7fb6e8"),
    "rust": ("#a3441a", "#f0a173"),
    "veil": ("#e3ecf3", "#243240"),
}

# Widths of printable ASCII in em, those of DejaVu Sans: wider than the other fonts of FONT, so that
# what fits here fits there.
_WIDTHS = {
    "'": 0.28,
    "ijl": 0.28,
    "IJ": 0.3,
    " ,.": 0.32,
    "/:;\\|": 0.34,
    "f": 0.36,
    "-": 0.37,
    "()[]t": 0.4,
    "!": 0.41,
    "r": 0.42,
    '"': 0.46,
    "*_`": 0.5,
    "sz": 0.53,
    "?c": 0.55,
    "LFk": 0.58,
    "vxyP": 0.61,
    "TYaoe": 0.62,
    "ESbdghnpqu": 0.64,
    "$0123456789{}": 0.64,
    "KAV": 0.69,
    "BRXZC": 0.7,
    "UHN": 0.76,
    "DG": 0.78,
    "&OQw": 0.82,
    "#+<=>^~": 0.84,
    "M": 0.87,
    "%m": 0.98,
    "W@": 1.0,
}
WIDTH = {char: width for chars, width in _WIDTHS.items() for char in chars}


def text(value: object) -> str:
    """Any text as XML character data: escaped (quotes too), without what XML forbids."""
    return escape(FORBIDDEN.sub("\ufffd", str(value)), quote=True)


def measure(value: str, size: float, bold: bool = False) -> float:
    """Width of a text in user units, rather too wide than too narrow."""
    total = 0.0
    for char in value:
        width = WIDTH.get(char)
        if width is None:
            width = (
                0.0
                if unicodedata.combining(char)
                else (
                    1.05
                    if ord(char) >= 0x1100 or unicodedata.east_asian_width(char) in "WF"
                    else 0.85
                )
            )
        total += width
    return total * size * (1.12 if bold else 1.0)


def fold_lines(value: str, width: float, size: float, bold: bool = False) -> list[str]:
    """A text broken into lines of at most `width` user units: between words, and inside a word that
    is too long by itself.
    """
    lines, line, room = [], "", width
    for word in FORBIDDEN.sub("\ufffd", value).split():
        needed = measure(f" {word}" if line else word, size, bold)
        if needed <= room:
            line, room = f"{line} {word}" if line else word, room - needed
            continue
        if line:
            lines.append(line)
        start, used = 0, 0.0
        # a word that is too long by itself breaks where the line is full
        for i, char in enumerate(word):
            step = measure(char, size, bold)
            if used + step > width and i > start:
                lines.append(word[start:i])
                start, used = i, 0.0
            used += step
        line, room = word[start:], width - used
    return [*lines, line] if line else lines


def finite(*values: float) -> None:
    """Raise ValueError unless all are finite numbers (below 1e15, so that sums and ticks stay
    so).
    """
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
            raise ValueError(f"a plot needs finite numbers of a sensible size, not {value!r}")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers between two bounds, at most `most` of them; those of (-high, -low) are the same
    with the other sign.
    """
    span = high - low
    step = 10.0 ** math.floor(math.log10(span / most))
    for factor in (1, 2, 5, 10, 20, 50):
        first, last = (
            math.ceil(low / (step * factor) - 1e-9),
            math.floor(high / (step * factor) + 1e-9),
        )
        if last - first + 1 <= most:
            return [float(f"{i * step * factor:.12g}") for i in range(first, last + 1)]
    raise AssertionError("five times ten steps always do")


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5, 10 … between two positive bounds (1, 10, 100 … when they span more than three
    decades).
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1,) if last - first > 4 else (1, 2, 5)
    return [
        value
        for i in range(first, last + 1)
        for value in (float(f"{step}e{i}") for step in steps)
        if low <= value <= high
    ]


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, a true minus; zero has none."""
    out = f"{value:+.{digits}f}"
    return out[1:] if float(out) == 0 else out.replace("-", "\u2212")


def plain_number(value: float) -> str:
    """A tick's number: no needless zeros, thousands apart, a true minus."""
    return f"{value:,.10g}".replace("-", "\u2212")


def n(value: float) -> str:
    """A coordinate with at most one decimal."""
    out = f"{value:.1f}"
    return out[:-2] if out.endswith(".0") else out


# --- elements
# ------------------------------------------------------------------------------------------


def words(
    x: float, y: float, value: str, role: str = "", size: float = 12, anchor: str = "start"
) -> str:
    """One line of text."""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text x="{n(x)}" y="{n(y)}" font-size="{size:g}"{side}{_class(role)}>{text(value)}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, role: str) -> str:
    """A straight line."""
    return f'<line x1="{n(x1)}" y1="{n(y1)}" x2="{n(x2)}" y2="{n(y2)}"{_class(role)}/>'


def box(x: float, y: float, width: float, height: float, role: str, radius: float = 0) -> str:
    """A rectangle."""
    round_ = f' rx="{radius:g}"' if radius else ""
    return (
        f'<rect x="{n(x)}" y="{n(y)}" width="{n(width)}"'
        f' height="{n(height)}"{round_}{_class(role)}/>'
    )


def path(points: Sequence[tuple[float, float]], role: str, closed: bool = False) -> str:
    """A line through points, or the area inside them."""
    where = " ".join(f"{n(x)},{n(y)}" for x, y in points)
    return f'<{"polygon" if closed else "polyline"} points="{where}"{_class(role)}/>'


def dot(x: float, y: float, radius: float, role: str, hint: str = "") -> str:
    """A circle; the hint shows when the pointer rests on it."""
    inside = f"><title>{text(hint)}</title></circle>" if hint else "/>"
    return f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(radius)}"{_class(role)}{inside}'


def _class(role: str) -> str:
    return f' class="{role}"' if role else ""


def style(mode: int) -> str:
    """The CSS of one mode (0 light, 1 dark): concrete colours, for renderers that know no CSS
    variables.
    """
    c = {role: pair[mode] for role, pair in COLOURS.items()}
    rules = {
        "text": f"fill:{c['ink']};font-family:{FONT};font-variant-numeric:tabular-nums",
        "text.m": f"fill:{c['muted']}",
        "text.b": "font-weight:600",
        ".paper": f"fill:{c['paper']}",
        ".rule": f"stroke:{c['rule']};stroke-width:1",
        ".axis": f"stroke:{c['muted']};stroke-width:1",
        ".zero": f"stroke:{c['ink']};stroke-width:1;stroke-dasharray:3 3",
        ".whisker": f"stroke:{c['blue']};stroke-width:1.25",
        ".full": f"fill:{c['blue']};stroke:{c['blue']}",
        ".open": f"fill:{c['paper']};stroke:{c['blue']};stroke-width:1.5",
        ".near": f"fill:{c['veil']};stroke:{c['blue']};stroke-width:1;stroke-dasharray:2 1.5",
        ".pool": f"fill:{c['ink']}",
        ".bar": f"fill:{c['rust']}",
        ".veil": f"fill:{c['veil']}",
        ".front": f"fill:none;stroke:{c['rust']};stroke-width:1.75",
        ".trace": f"fill:none;stroke:{c['blue']};stroke-width:2",
        ".mark": f"stroke:{c['rust']};stroke-width:1.25;stroke-dasharray:5 3",
        ".dot": f"fill:{c['rust']};stroke:{c['paper']};stroke-width:1.5",
        ".cloud": f"fill:{c['paper']};stroke:{c['muted']};stroke-width:1",
    }
    return "".join(f".vp {selector}{{{body}}}" for selector, body in rules.items())


def picture(
    width: float, height: float, title: str, about: str, parts: Sequence[str], *, alone: bool = True
) -> str:
    """The SVG element. alone: a file of its own, with colours for light and dark; else a part of a
    page that brings `style`.
    """
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="vp" role="img" width="{n(width)}"'
        f' height="{n(height)}" viewBox="0 0 {n(width)} {n(height)}">'
    )
    body = [head, f"<title>{text(title)}</title>", f"<desc>{text(about)}</desc>"]
    if alone:
        body += [
            f"<style>{style(0)}@media screen and (prefers-color-scheme:dark){{{style(1)}}}</style>",
            box(0, 0, width, height, "paper"),
        ]
    return "\n".join([*body, *parts, "</svg>"]) + ("\n" if alone else "")
