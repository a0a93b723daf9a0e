"""What the terminal is, and how to print on it.

In: the environment and the standard streams. Out: a Style, and printed text or JSON. Knows no
command.
"""

import json
import os
import sys

from ..base.wording import CONTROL, clean
from ..show.text import ESCAPE, Style

# How the program is called: from a checkout, or installed.
PROGRAM = "vlm-recipe" if __package__.startswith("vlm_recipes") else "python3 main.py"


# What stands for a character that is not ASCII: one for one where a column must stay where it is.
ASCII = str.maketrans(
    {
        "…": "~",
        "–": "-",
        "—": "-",
        "−": "-",
        "→": ">",
        "←": "<",
        "×": "x",
        "·": ".",
        "’": "'",
        "─": "-",
        "━": "=",
        "═": "=",
        "│": "|",
        "┊": ":",
        "├": "|",
        "┤": "|",
        "●": "*",
        "◆": "#",
        "▪": "+",
        "○": "o",
        "▫": "o",
        "▢": "o",
        "□": "o",
        "■": "#",
        "░": ".",
        "█": "#",
        "∘": "o",
        "§": "S",
        "✓": "y",
        "≤": "<",
        "≥": ">",
    }
)
_PLAIN: list[bool] = [False]


def plain(on: bool) -> None:
    """Whether what is printed from here on is plain: no colour, ASCII, 80 columns (--plain)."""
    _PLAIN[:] = [on]


def is_plain() -> bool:
    """Was plain text asked for (--plain)?"""
    return _PLAIN[0]


def style() -> Style:
    """Width and colour of the terminal: 80 columns and no colour when it is not one."""
    if _PLAIN[0]:
        return Style(80, False)
    screen = sys.stdout is not None and sys.stdout.isatty()
    colour = bool(os.environ.get("FORCE_COLOR")) or (
        screen and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
    if os.environ.get("NO_COLOR"):
        colour = False
    width = 80
    if screen:
        import shutil

        width = max(60, min(shutil.get_terminal_size().columns, 120))
    return Style(width, colour)


_HEAD: list[str] = []


def announce(line: str) -> None:
    """A line to stand above the next text that is printed (not above JSON, nor above an error)."""
    _HEAD[:] = [line]


def show(value) -> None:
    """Print JSON: a line for each key of the whole, and for each object of its lists (so that
    `head` and `grep` are of use).
    """
    _HEAD.clear()
    # without indent, which is six times as slow
    line = json.JSONEncoder(ensure_ascii=_PLAIN[0] or not encodable("…")).encode
    parts = []
    for key, part in value.items():
        body = (
            "[\n    " + ",\n    ".join(map(line, part)) + "\n  ]"
            if isinstance(part, list) and any(isinstance(x, dict) for x in part)
            else line(part)
        )
        parts.append(f"  {line(key)}: {body}")
    put("{\n" + ",\n".join(parts) + "\n}")


def put(line: str) -> None:
    """Print JSON; what could steer a terminal becomes an escape, which reads back the same."""
    print(CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", line))


def out(text: str) -> None:
    """Print text. Of control characters only line ends and the colours of Style.paint pass, and
    these only where colour is on: whatever a file holds, it cannot steer the terminal.
    """
    text = "\n".join([*_HEAD, text])
    colours = ESCAPE.findall(text) if style().colour else []
    parts = [CONTROL.sub("?", part.replace("\t", " ")) for part in ESCAPE.split(text)]
    text = "".join(a + b for a, b in zip(parts, [*colours, *[""] * len(parts)]))
    print(text if not _PLAIN[0] and encodable(text) else ascii_only(text))
    _HEAD.clear()


def encodable(text: str) -> bool:
    """Does the terminal's encoding have every character (LC_ALL=C has ASCII alone)?"""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def err(line: str) -> None:
    """Print one line to standard error: an error, or what is being done."""
    print(clean(line), file=sys.stderr, flush=True)


def ascii_only(text: str) -> str:
    """The text in ASCII: dashes, arrows and marks by what looks like them, letters without accents,
    ? for the rest.
    """
    text = text.replace(" … ", "...").replace(" ± ", " +-").translate(ASCII)
    if not text.isascii():
        import unicodedata

        text = unicodedata.normalize("NFKD", text)
        text = "".join(c if c.isascii() else "" if unicodedata.combining(c) else "?" for c in text)
    return text
