"""Plain text for a terminal: styles, aligned columns, wrapping, numbers as people read them.

In: strings and numbers, and a Style (width, colour). Out: strings. Knows no result of the program.
Does not print.
"""

import re
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from ..base.wording import clean


class Style(NamedTuple):
    """How to draw: columns, and whether escape codes for colour are allowed."""

    width: int = 80
    colour: bool = False

    def paint(self, text: str, code: str) -> str:
        """The text in a colour (green, red, dim, bold), or as it is."""
        codes = {"green": "32", "red": "31", "dim": "2", "bold": "1", "yellow": "33"}
        return f"\x1b[{codes[code]}m{text}\x1b[0m" if self.colour and text else text


# the codes that Style.paint writes, and no others
ESCAPE = re.compile(r"\x1b\[(?:0|1|2|31|32|33)m")


def visible(text: str) -> int:
    """Length without escape codes."""
    return len(ESCAPE.sub("", text))


def clip(text: str, width: int) -> str:
    """The text cut to a width, with an ellipsis."""
    return text if len(text) <= width else text[: max(width - 1, 1)].rstrip() + "…"


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], align: str, style: Style, *shrink: int
) -> list[str]:
    """Aligned columns. align: l or r per column. The columns `shrink` (default: the first) give
    way, in turn, to fit the width.
    """
    # whatever a name from a file holds, a row stays one line
    head, *rows = ([cell.replace("\n", " ") for cell in row] for row in (head, *rows))
    widths = [max([len(head[i]), *(visible(row[i]) for row in rows)]) for i in range(len(head))]
    for column in shrink or (0,):
        excess = sum(widths) + 2 * (len(widths) - 1) - style.width
        if excess > 0:
            widths[column] = max(min(widths[column], 12), widths[column] - excess)
    lines = []
    for number, row in enumerate([list(head), *map(list, rows)]):
        cells = []
        for cell, width, side in zip(row, widths, align):
            if visible(cell) > width:
                cell = clip(ESCAPE.sub("", cell), width)
            pad = " " * (width - visible(cell))
            cells.append(pad + cell if side == "r" else cell + pad)
        line = "  ".join(cells).rstrip()
        lines.append(style.paint(line, "dim") if number == 0 else line)
    return lines


def wrap(text: str, style: Style, indent: str = "", hang: str | None = None) -> list[str]:
    """Paragraph text wrapped to the width."""
    return textwrap.wrap(
        clean(text),
        style.width,
        initial_indent=indent,
        subsequent_indent=indent if hang is None else hang,
        break_long_words=True,
        break_on_hyphens=False,
    ) or [""]


def block(text: str, style: Style, label: str = "", most: int = 2) -> list[str]:
    """A label and its text in at most so many lines, the label's width as the margin; what does not
    fit is cut at a word.
    """
    lines = wrap(text, style, label, " " * len(label))
    if len(lines) <= most:
        return lines
    kept = lines[:most]
    room = style.width - 2
    kept[-1] = (kept[-1] if len(kept[-1]) <= room else kept[-1][:room].rsplit(" ", 1)[0]) + " …"
    return kept
