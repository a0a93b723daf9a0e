"""What a picture is drawn on: text that wraps, and the height reached.

In: text and elements. Out: SVG, wide or narrow (`compact`, for a phone), as a file of its own or
(`alone=False`) as a part of a page that brings the colours. Text is measured before it is set: it
wraps, and never overlaps or is cut. Knows no plot.
"""

import math

from . import svg

WIDE, NARROW, MARGIN = 720.0, 340.0, 20.0
LABEL, SMALL = 12.0, 10.5


class Sheet:
    """A growing list of elements and the height reached; x runs from 0 to `width`, inside the
    margin.
    """

    def __init__(self, title: str, about: str, compact: bool, alone: bool):
        self.title, self.about = title, about
        self.width = NARROW if compact else WIDE
        self.margin = MARGIN if alone else 0.0
        self.alone = alone
        self.y = self.margin
        self.parts: list[str] = []
        if alone:  # on a page the heading and the caption say it
            self.say(title, 15, "b")
            self.say(about, SMALL, "m")

    def x(self, value: float) -> float:
        """A position inside the margin."""
        return self.margin + value

    def say(
        self,
        value: str,
        size: float = LABEL,
        role: str = "",
        *,
        left: float = 0.0,
        width: float | None = None,
    ) -> None:
        """Wrapped text at the height reached."""
        for line in svg.fold_lines(
            value, self.width - left if width is None else width, size, "b" in role.split()
        ):
            self.y += round(size * 1.3, 1)
            self.parts.append(svg.words(self.x(left), self.y - size * 0.28, line, role, size))

    def finish(self) -> str:
        """The picture."""
        return svg.picture(
            self.width + 2 * self.margin,
            math.ceil(self.y + max(self.margin, 2)),
            self.title,
            self.about,
            self.parts,
            alone=self.alone,
        )
