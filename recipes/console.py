"""What the terminal is, and how to print on it.

In: the environment and the standard streams. Out: a Style, and printed text or JSON. Knows no command.
"""
import json
import os
import sys

from .report import terminal

# How the program is called: from a checkout, or installed.
PROGRAM = "vlm-recipe" if __package__ == "vlm_recipes" else "python3 main.py"


def style() -> terminal.Style:
    """Width and colour of the terminal: 80 columns and no colour when it is not one."""
    screen = sys.stdout is not None and sys.stdout.isatty()
    colour = bool(os.environ.get("FORCE_COLOR")) or (screen and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")
    if os.environ.get("NO_COLOR"):
        colour = False
    width = 80
    if screen:
        import shutil
        width = max(60, min(shutil.get_terminal_size().columns, 120))
    return terminal.Style(width, colour)


def show(value) -> None:
    """Print JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def out(text: str) -> None:
    """Print text."""
    print(text)
