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


def side_by_side(counted: "dict[str, list[Tokens]]", style: Style) -> str:
    """Several models' tokens of the same images, the fewest of all images first."""
    sizes = [f"{value.width}x{value.height}" for value in next(iter(counted.values()))]
    width = max(len("model"), *map(len, counted))
    lines = [style.paint(f"{'model':<{width}}  " + "".join(f"{s:>13}" for s in sizes), "bold")]
    for model, values in sorted(
        counted.items(), key=lambda row: sum(value.visual_tokens for value in row[1])
    ):
        lines.append(f"{model:<{width}}  " + "".join(f"{v.visual_tokens:>13,}" for v in values))
    return "\n".join(line.rstrip() for line in lines)
