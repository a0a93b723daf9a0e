"""What the terminal is, and how to print on it.

In: the environment and the standard streams. Out: a Style, and printed text or JSON. Knows no command.
"""
import json
import os
import sys

from .report.text import Style

# How the program is called: from a checkout, or installed.
PROGRAM = "vlm-recipe" if __package__ == "vlm_recipes" else "python3 main.py"


def style() -> Style:
    """Width and colour of the terminal: 80 columns and no colour when it is not one."""
    screen = sys.stdout is not None and sys.stdout.isatty()
    colour = bool(os.environ.get("FORCE_COLOR")) or (screen and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")
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
    """Print JSON."""
    _HEAD.clear()
    print(json.dumps(value, ensure_ascii=False, indent=2))


def out(text: str) -> None:
    """Print text."""
    print("\n".join([*_HEAD, text]))
    _HEAD.clear()
