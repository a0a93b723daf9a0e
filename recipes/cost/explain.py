"""Small examples that teach, computed: connector parameters, the prefix-LM mask, M-RoPE position
ids.

In: a few numbers. Out: values and short lines of text. Nothing here is used by the cost arithmetic.
"""

from collections.abc import Sequence

from . import flops, tokens


def prefix_mask(prefix: int, suffix: int) -> list[list[bool]]:
    """Who may attend to whom when a prefix (image and question) is read both ways and the answer
    causally.

    Row i, column j: may position i attend to position j (PaliGemma, arXiv 2407.07726, section 3 and
    figure 2). Raises ValueError for negative lengths.
    """
    if prefix < 0 or suffix < 0:
        raise ValueError("lengths must not be negative")
    total = prefix + suffix
    return [[j < prefix or j <= i for j in range(total)] for i in range(total)]


def mrope(before: int, grid: tuple[int, int, int], after: int) -> list[tuple[int, int, int]]:
    """Position ids (temporal, height, width) of text, an image or video of `grid` = (frames, rows,
    columns) tokens, and text.

    Text has one number three times; visual tokens count on in each direction from where the text
    stopped; the text after them begins at the largest number so far plus one (Qwen2-VL, arXiv
    2409.12191, section 2.1). Raises ValueError.
    """
    frames, rows, columns = grid
    if before < 0 or after < 0 or min(grid) < 1:
        raise ValueError("text lengths must not be negative, grids not empty")
    ids = [(i, i, i) for i in range(before)]
    ids += [
        (before + t, before + y, before + x)
        for t in range(frames)
        for y in range(rows)
        for x in range(columns)
    ]
    start = max(max(position) for position in ids) + 1 if ids else 0
    return ids + [(start + i,) * 3 for i in range(after)]


def picture(mask: Sequence[Sequence[bool]]) -> list[str]:
    """A mask as lines of x and dots."""
    return [" ".join("x" if seen else "." for seen in row) for row in mask]


def lines() -> list[str]:
    """The examples, as `tokens --explain` prints them."""
    linear, mlp = (
        flops.connector_params("linear", 1024, 4096),
        flops.connector_params("mlp-2x-gelu", 1024, 4096),
    )
    weights = 1024 * 4096 + 4096 * 4096
    square = tokens.count("llava-1.5", 336, 336)
    shuffle = tokens.per_view(14, 448, "pixel-shuffle-mlp")
    image = tokens.count("qwen2-vl", 56, 84)
    out = [
        "patches: an encoder cuts a square image into (side / patch)^2 patches",
        f"  CLIP ViT-L/14 at 336 px: {square.terms[0].formula} = {square.visual_tokens}",
        f"  InternViT at 448 px with 2 x 2 pixel shuffle: {shuffle.formula} = {shuffle.tokens}",
        "",
        "connector parameters, encoder width 1024 to LLM width 4096",
        f"  linear: 1024 x 4096 = {1024 * 4096:,} weights, and 4,096 biases: {linear:,.0f}",
        (
            f"  LLaVA-1.5's two layers: 1024 x 4096 + 4096 x 4096 = {weights:,} weights"
            f" ({weights / 1e6:.2f}M), with biases {mlp:,.0f}"
        ),
        "",
        "prefix-LM mask: 4 positions of image and question, 3 of the answer (x: may attend)",
    ]
    out += ["  " + line for line in picture(prefix_mask(4, 3))]
    out += [
        "",
        (
            "M-RoPE ids (temporal, height, width): 2 text tokens, an image of 56x84 px ="
            f" {image.visual_tokens} tokens (3 rows of 2), 2 text tokens"
        ),
    ]
    out += ["  " + " ".join(f"({t},{h},{w})" for t, h, w in mrope(2, (1, 3, 2), 2))]
    return out
