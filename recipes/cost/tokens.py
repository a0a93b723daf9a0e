"""Visual tokens of an image: for released models by their own resizing rules, for a recipe by its
patch grid.

In: a model name, or encoder patch size, resolution and connector; and image sizes in pixels. Out:
Tokens, with every term of the sum. Counted are positions of the LLM sequence that carry image
features, and row breaks where the model inserts them; start and end markers are listed apart.

Rules follow the models' own image processors (read in transformers 5.23; Molmo, InternVL2 and
Phi-3.5-vision in the processing code of their checkpoints) and are compared with them in
tests/data/tokens_oracle.json.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..base.errors import Refused


class Term(NamedTuple):
    """One summand: what it is, how many tokens, and the arithmetic in words."""

    name: str
    tokens: int
    formula: str


class Tokens(NamedTuple):
    """Visual tokens of one image: the terms, and the markers around them (not counted)."""

    width: int
    height: int
    terms: tuple[Term, ...]
    markers: int = 0

    @property
    def visual_tokens(self) -> int:
        return sum(term.tokens for term in self.terms)


MAX_SIDE = 100_000


def _grid(name: str, rows: int, columns: int) -> Term:
    return Term(name, rows * columns, f"{rows} x {columns}")


# --- fixed squares
# ------------------------------------------------------------------------------------------


def square(width: int, height: int, side: int, patch: int, merge: int = 1) -> Tokens:
    """Every image is made side x side: (side / patch / merge)^2 tokens."""
    n = side // patch // merge
    formula = f"({side}/{patch}{f'/{merge}' if merge > 1 else ''})^2"
    return Tokens(width, height, (Term("image", n * n, formula),))


# --- LLaVA-NeXT and LLaVA-OneVision: AnyRes
# ----------------------------------------------------------------------


def best_grid(width: int, height: int, grids: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """The (width, height) canvas that keeps most of the image's pixels, and among equals wastes the
    fewest.
    """

    def merit(canvas):
        w, h = canvas
        scale = min(w / width, h / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        return kept, -(w * h - kept)

    return max(grids, key=merit)  # the first of equal ones, as the processors do


def anyres(
    width: int,
    height: int,
    tile: int,
    side: int,
    grids: tuple[tuple[int, int], ...],
    limit: int | None,
) -> Tokens:
    """Overview of side^2 tokens, then the canvas without its padding, one row break per row of
    tokens.

    `side`: tokens along one tile. `limit`: at most so many tiles' worth of tokens (interpolated
    down beyond 1.1).
    """
    w, h = best_grid(width, height, grids)
    rows, columns = side * (h // tile), side * (w // tile)
    if width / height > columns / rows:
        used = int(round(height * (columns / width), 7))
        rows -= (rows - used) // 2 * 2
    else:
        used = int(round(width * (rows / height), 7))
        columns -= (columns - used) // 2 * 2
    note = ""
    if limit:
        ratio = math.sqrt(rows * columns / (limit * side * side))
        if ratio > 1.1:
            rows, columns, note = (
                int(rows // ratio),
                int(columns // ratio),
                f", interpolated by {ratio:.2f}",
            )
    return Tokens(
        width,
        height,
        (
            _grid("overview", side, side),
            Term(
                "tiles without padding",
                rows * columns,
                f"{rows} x {columns} of a {w}x{h} canvas{note}",
            ),
            Term("row breaks", rows, "one per row of tokens"),
        ),
    )


LLAVA_NEXT_GRIDS = ((672, 336), (336, 672), (672, 672), (336, 1008), (1008, 336))
ONEVISION_GRIDS = tuple((384 * j, 384 * i) for i in range(1, 7) for j in range(1, 7))


# --- native resolution
# ------------------------------------------------------------------------------------------


def smart_resize(width: int, height: int, factor: int, least: int, most: int) -> tuple[int, int]:
    """Qwen2-VL's resize: multiples of `factor` near the image's size, with an area between `least`
    and `most`.

    Raises ValueError for an aspect ratio above 200, as the processor does.
    """
    if max(width, height) / min(width, height) > 200:
        raise Refused("the aspect ratio is above 200, which the processor refuses")
    h, w = round(height / factor) * factor, round(width / factor) * factor
    if h * w > most:
        shrink = math.sqrt(height * width / most)
        h = max(factor, math.floor(height / shrink / factor) * factor)
        w = max(factor, math.floor(width / shrink / factor) * factor)
    elif h * w < least:
        grow = math.sqrt(least / (height * width))
        h, w = math.ceil(height * grow / factor) * factor, math.ceil(width * grow / factor) * factor
    return w, h


def qwen(width: int, height: int) -> Tokens:
    """28 x 28 px per token after the 2 x 2 merge; between 56^2 and 12,845,056 pixels (the
    checkpoints' setting).
    """
    w, h = smart_resize(width, height, 28, 56 * 56, 28 * 28 * 16384)
    return Tokens(
        width,
        height,
        (Term("image", (h // 28) * (w // 28), f"{h}/28 x {w}/28 after resizing to {w}x{h}"),),
        2,
    )


def pixtral(width: int, height: int) -> Tokens:
    """16 px patches of the image shrunk to a longest side of 1024; each row ends in a break
    ([IMG_END] for the last).
    """
    ratio = max(width / 1024, height / 1024)
    if ratio > 1:
        width_, height_ = math.floor(width / ratio), math.floor(height / ratio)
    else:
        width_, height_ = width, height
    columns, rows = (width_ - 1) // 16 + 1, (height_ - 1) // 16 + 1
    return Tokens(
        width,
        height,
        (_grid("patches", rows, columns), Term("row breaks", rows, "one per row of patches")),
    )


def naflex(width: int, height: int, patch: int = 16, most: int = 256) -> Tokens:
    """SigLIP 2 NaFlex: the largest scale (at most 100) at which the image, both sides rounded up to
    patches, has at most `most`.

    That scale is one at which a side fills whole patches, so those are tried.
    """
    best, grid = 0.0, (1, 1)
    for side in (width, height):
        for n in range(1, most + 1):
            rows, columns = max(1, -(-height * n // side)), max(1, -(-width * n // side))
            if rows * columns <= most and patch * n / side > best and patch * n / side <= 100:
                best, grid = patch * n / side, (rows, columns)
    return Tokens(width, height, (_grid("patches", *grid),))


# --- tilings
# ------------------------------------------------------------------------------------------


def idefics3(width: int, height: int, tile: int, longest: int, per_tile: int) -> Tokens:
    """The longest side becomes `longest`, both sides are cut into tiles of `tile`, and an overview
    is added.
    """
    w, h = _even_to(width, height, longest)
    columns, rows = math.ceil(w / tile), math.ceil(h / tile)
    if rows == columns == 1:
        return Tokens(width, height, (Term("image", per_tile, f"one tile of {tile} px"),), 2)
    count = rows * columns
    return Tokens(
        width,
        height,
        (
            Term("tiles", count * per_tile, f"{rows} x {columns} tiles x {per_tile}"),
            Term("overview", per_tile, f"one tile of {tile} px"),
        ),
        2 * count + 2,
    )


def _even_to(width: int, height: int, longest: int) -> tuple[int, int]:
    aspect = width / height
    if width >= height:
        w, h = longest, int(longest / aspect)
        h += h % 2
    else:
        w, h = int(longest * aspect), longest
        w += w % 2
    w, h = max(w, 1), max(h, 1)
    if max(w, h) > 4096:  # the processors' bound on the enlarged image
        aspect = w / h
        w, h = (4096, int(4096 / aspect)) if w >= h else (int(4096 * aspect), 4096)
    return max(w, 1), max(h, 1)


def idefics2(width: int, height: int, split: bool = True) -> Tokens:
    """64 latents per image whatever its size; with splitting, four crops and the whole image."""
    if split:
        return Tokens(
            width,
            height,
            (Term("crops", 256, "4 crops x 64 latents"), Term("whole image", 64, "64 latents")),
            6,
        )
    return Tokens(width, height, (Term("image", 64, "64 latents"),), 2)


def internvl(width: int, height: int, most: int = 12) -> Tokens:
    """Tiles of 448 px in the grid nearest to the image's shape (1 to `most` tiles), 256 tokens
    each, and a thumbnail.
    """
    grids = sorted(
        {
            (i, j)
            for n in range(1, most + 1)
            for i in range(1, n + 1)
            for j in range(1, n + 1)
            if 1 <= i * j <= most
        },
        key=lambda grid: grid[0] * grid[1],
    )
    best, gap = (1, 1), math.inf
    for columns, rows in grids:
        difference = abs(width / height - columns / rows)
        if difference < gap:
            best, gap = (columns, rows), difference
        elif difference == gap and width * height > 0.5 * 448 * 448 * columns * rows:
            best = (columns, rows)
    columns, rows = best
    terms = [Term("tiles", columns * rows * 256, f"{rows} x {columns} tiles x 256")]
    if columns * rows > 1:
        terms.append(Term("thumbnail", 256, "(448/14/2)^2"))
    return Tokens(width, height, tuple(terms), 2)


def molmo(width: int, height: int, most: int = 12) -> Tokens:
    """Overlapping crops of 336 px (224 px apart), pooled 2 x 2, and a low-resolution view; one
    column token per row.
    """
    h, w = height - 112, width - 112
    options = sorted(
        ((i, j) for i in range(1, most + 1) for j in range(1, most + 1) if i * j <= most),
        key=lambda grid: (grid[0] * grid[1], grid[0]),
    )
    # The processor compares in single precision; a non-positive size means a scale that is never
    # below 1 or always is.
    scales = [
        min(_float32(i * 224 / h) if h else math.inf, _float32(j * 224 / w) if w else math.inf)
        for i, j in options
    ]
    if all(scale < 1 for scale in scales):
        rows, columns = options[scales.index(max(scales))]
    else:
        large = [scale if scale >= 1 else 10e9 for scale in scales]
        rows, columns = options[large.index(min(large))]
    r, c = 8 * rows + 4, 8 * columns + 4
    return Tokens(
        width,
        height,
        (
            _grid("low-resolution view", 12, 12),
            Term("its row breaks", 12, "one per row"),
            Term("crops", r * c, f"{r} x {c} from {rows} x {columns} crops, overlap removed"),
            Term("row breaks", r, "one per row"),
        ),
        4,
    )


def _float32(x: float) -> float:
    from array import array

    return array("f", [x])[0]


def phi35(width: int, height: int, crops: int = 4) -> Tokens:
    """Phi-3.5-vision: the image at 336 px steps (at most `crops` crops), 144 tokens a crop, an
    overview, row breaks.
    """
    turned = width < height
    long, short = (height, width) if turned else (width, height)
    ratio, scale = long / short, 1
    while scale * math.ceil(scale / ratio) <= crops:
        scale += 1
    scale -= 1
    w = scale * 336
    rows = math.ceil(int(w / ratio) / 336)
    columns = w // 336
    if turned:
        rows, columns = columns, rows
    return Tokens(
        width,
        height,
        (
            Term("crops", rows * columns * 144, f"{rows} x {columns} crops x 144"),
            Term("overview", 144, "(336/14/2)^2"),
            Term("row breaks", (rows + 1) * 12, "12 per row of crops and for the overview"),
            Term("separator", 1, "between overview and crops"),
        ),
    )


def gemma3(width: int, height: int) -> Tokens:
    """896 px square, pooled to 16 x 16 (pan and scan is off by default)."""
    return Tokens(width, height, (Term("image", 256, "(896/14/4)^2"),), 2)


MODELS: Mapping[str, Callable[[int, int], Tokens]] = {
    "llava": lambda w, h: square(w, h, 224, 14),
    "llava-1.5": lambda w, h: square(w, h, 336, 14),
    "llava-next": lambda w, h: anyres(w, h, 336, 24, LLAVA_NEXT_GRIDS, None),
    "llava-onevision": lambda w, h: anyres(w, h, 384, 27, ONEVISION_GRIDS, 9),
    "qwen2-vl": qwen,
    "qwen2.5-vl": qwen,
    "idefics2": idefics2,
    "idefics2-no-split": lambda w, h: idefics2(w, h, split=False),
    "idefics3": lambda w, h: idefics3(w, h, 364, 4 * 364, 169),
    "smolvlm2": lambda w, h: idefics3(w, h, 384, 4 * 384, 81),
    "smolvlm2-500m": lambda w, h: idefics3(w, h, 512, 4 * 512, 64),
    "internvl2": internvl,
    "pixtral": pixtral,
    "siglip2-naflex": naflex,
    "mm1.5": lambda w, h: Tokens(
        w,
        h,
        (
            Term("sub-images", 576, "4 sub-images of 672 px x 144"),
            Term("overview", 144, "one of 672 px"),
        ),
        0,
    ),
    "paligemma-224": lambda w, h: square(w, h, 224, 14),
    "paligemma-448": lambda w, h: square(w, h, 448, 14),
    "paligemma-896": lambda w, h: square(w, h, 896, 14),
    "gemma3": gemma3,
    "molmo": molmo,
    "phi-3.5-vision": phi35,
}
ALIASES = {
    "paligemma": "paligemma-224",
    "qwen2-vl-7b": "qwen2-vl",
    "qwen2-vl-2b": "qwen2-vl",
    "llava-1.5-7b": "llava-1.5",
    "smolvlm": "smolvlm2",
    "phi-3-vision": "phi-3.5-vision",
    "llava-1.6": "llava-next",
    "gemma-3": "gemma3",
    "internvl2.5": "internvl2",
    "pixtral-12b": "pixtral",
    "molmo-7b-d": "molmo",
}


def count(model: str, width: int, height: int) -> Tokens:
    """Tokens of one image in a released model. KeyError: unknown model; ValueError: a size that
    makes no sense.
    """
    rule = MODELS[ALIASES.get(model, model)]
    check_size(width, height)
    return rule(width, height)


def check_size(width: int, height: int) -> None:
    """Raise ValueError unless both sides are between 1 and MAX_SIDE pixels."""
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise Refused(
            f"an image of {width}x{height} pixels: sides must lie between 1 and {MAX_SIDE}"
        )


# --- a recipe of one's own
# ------------------------------------------------------------------------------------------

POOLED = {
    "pixel-shuffle-mlp": 2,
    "patch-merger-qwen": 2,
    "stc-2x2-mlp": 2,
    "stc-3x3-mlp": 3,
    "avg-pool": 2,
    "attn-pool-mlp": 2,
    "ldp": 2,
}
LEARNED = {
    "q-former": 32,
    "perceiver": 64,
    "resampler": 64,
    "resampler-honeybee": 64,
    "c-abstractor": 144,
    "d-abstractor": 144,
    "attn-pool": 144,
    "sva": 576,
    "tokenpacker": 144,
}


def per_view(patch: int, side: int, connector: str | None, queries: int | None = None) -> Term:
    """Tokens of one square view of `side` pixels behind a connector.

    A projection keeps the patch grid, a pooling connector divides it, a resampler or abstractor
    gives its fixed number (`queries`, or the number its paper uses).
    """
    grid = side // patch
    if connector in LEARNED:
        n = queries or LEARNED[connector]
        return Term("view", n, f"{n} queries of the {connector}")
    step = POOLED.get(connector, 1)
    n = math.ceil(grid / step)
    cut = f"({side}/{patch}{f'/{step}' if step > 1 else ''})"
    whole = side % patch == 0 and grid % step == 0
    return Term(
        "view",
        n * n,
        (
            f"{cut}^2"
            if whole
            else f"{n} x {n}: {cut} in whole {'patches' if step == 1 else 'groups'}"
        ),
    )
