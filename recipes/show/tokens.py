"""`tokens` as text.

In: Tokens of images. Out: lines. Does not compute or print.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..base.wording import clean
from .text import Style, wrap

if TYPE_CHECKING:
    from ..cost.tokens import Tokens


def tokens_text(label: str, images: "Sequence[Tokens]", style: Style) -> str:
    """The answer of `tokens`."""
    lines = []
    for value in images:
        head = wrap(
            f"{label}, image {value.width}x{value.height}: {value.visual_tokens:,} visual tokens",
            style,
            hang="  ",
        )
        lines += [style.paint(line, "bold") for line in head]
        lines += [
            f"  {term.name:<22} {term.tokens:>7,}   {clean(term.formula)}" for term in value.terms
        ]
        if value.markers:
            lines.append(f"  markers (not counted)  {value.markers:>7,}   start and end tokens")
    if len(images) > 1:
        lines.append(f"all images: {sum(value.visual_tokens for value in images):,} visual tokens")
    return "\n".join(lines)
