"""Visual tokens of an image in released models, by their own resizing rules: one function for each
kind of rule. Which model follows which, with what numbers, is tokens.MODELS.

In: an image's size in pixels. Out: Tokens, with every term of the sum, or NoImage for a size that
the processor refuses. Counted are positions of the LLM sequence that carry image features, and row
breaks where the model inserts them; start and end markers and tile separators are listed apart.

The rules are those of the models' image processors (transformers 5.23 and 5.24; Molmo, InternVL2
and Phi-3-vision in the processing code of their checkpoints, DeepSeek-VL2 in its repository at
ef9f91e2, Kimi-VL as Kimi-K2.5's processor with the limit of its checkpoint).
"""

import math
from typing import NamedTuple

from ..base.errors import Refused


class NoImage(Refused):
    """A size that makes no image for this model: one line."""


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
    _bound_ratio(width, height)
    h, w = round(height / factor) * factor, round(width / factor) * factor
    if h * w > most:
        shrink = math.sqrt(height * width / most)
        h = max(factor, math.floor(height / shrink / factor) * factor)
        w = max(factor, math.floor(width / shrink / factor) * factor)
    elif h * w < least:
        grow = math.sqrt(least / (height * width))
        h, w = math.ceil(height * grow / factor) * factor, math.ceil(width * grow / factor) * factor
    return w, h


def _bound_ratio(width: int, height: int) -> None:
    if max(width, height) / min(width, height) > 200:
        raise NoImage("the aspect ratio is above 200, which the processor refuses")


def native(
    width: int, height: int, factor: int, least: int, most: int, least_side: int = 1
) -> Tokens:
    """One token for factor x factor px; between `least` and `most` pixels. least_side: a smaller
    side is enlarged to it first (GLM).
    """
    shown = (width, height)
    if min(width, height) < least_side:
        scale = max(least_side / height, least_side / width)
        width, height = int(width * scale), int(height * scale)
    w, h = smart_resize(width, height, factor, least, most)
    formula = f"{h}/{factor} x {w}/{factor} after resizing to {w}x{h}"
    return Tokens(*shown, (Term("image", (h // factor) * (w // factor), formula),), 2)


def padded_native(width: int, height: int, factor: int, patch: int, most: int) -> Tokens:
    """MoonViT: shrunk to at most `most` patches, then padded to whole tokens of factor x factor
    px; it has positions for 512 patches a side.
    """
    patches = max(1, width // patch) * max(1, height // patch)
    scale = min(1.0, math.sqrt(most / patches))
    w, h = max(1, int(width * scale)), max(1, int(height * scale))
    if max(w, h) // patch >= 512:
        raise NoImage(f"{max(w, h) // patch} patches a side, and the encoder has positions for 512")
    return Tokens(width, height, (_grid("image", -(-h // factor), -(-w // factor)),), 2)


def pixtral(width: int, height: int, unit: int = 16, longest: int = 1024) -> Tokens:
    """Tokens of unit x unit px of the image shrunk to a longest side of `longest`; each row ends in
    a break ([IMG_END] for the last).
    """
    ratio = max(width / longest, height / longest)
    w, h = width, height
    if ratio > 1:
        w, h = math.floor(width / ratio), math.floor(height / ratio)
    if not w or not h:
        raise NoImage(f"shrunk to {w} x {h} px, which the processor refuses")
    columns, rows = (w - 1) // unit + 1, (h - 1) // unit + 1
    return Tokens(
        width,
        height,
        (_grid("patches", rows, columns), Term("row breaks", rows, "one per row of patches")),
    )


def naflex(width: int, height: int, patch: int = 16, most: int = 256) -> Tokens:
    """SigLIP 2 NaFlex: the largest scale (at most 100) at which the image, both sides rounded up to
    patches, has at most `most`.

    That scale is one at which a side fills whole patches, so those are tried; or just below 100.
    """
    largest = max(1, -(-height * 100 // patch)), max(1, -(-width * 100 // patch))
    if largest[0] * largest[1] <= most:
        return Tokens(width, height, (_grid("patches", *largest),))
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


def closest_grid(width: int, height: int, least: int, most: int, tile: int) -> tuple[int, int]:
    """(columns, rows) of `least` to `most` tiles, nearest to the image's shape; among equally near
    ones a larger one that the image fills by half.
    """
    grids = sorted(
        {
            (i, j)
            for n in range(least, most + 1)
            for i in range(1, n + 1)
            for j in range(1, n + 1)
            if least <= i * j <= most
        },
        key=lambda grid: grid[0] * grid[1],
    )
    best, gap = (1, 1), math.inf
    for columns, rows in grids:
        difference = abs(width / height - columns / rows)
        if difference < gap:
            best, gap = (columns, rows), difference
        elif difference == gap and width * height > 0.5 * tile * tile * columns * rows:
            best = (columns, rows)
    return best


def tiled(width: int, height: int, tile: int, per_tile: int, most: int) -> Tokens:
    """InternVL's rule: tiles in the grid nearest to the image's shape (1 to `most`), and a
    thumbnail.
    """
    columns, rows = closest_grid(width, height, 1, most, tile)
    terms = [Term("tiles", columns * rows * per_tile, f"{rows} x {columns} tiles x {per_tile}")]
    if columns * rows > 1:
        terms.append(Term("thumbnail", per_tile, f"one tile of {tile} px"))
    return Tokens(width, height, tuple(terms), 2)


def lfm2(width: int, height: int) -> Tokens:
    """LFM2-VL: up to 512 x 512 px (twice the area at most) as it is, 32 px a token; larger ones in
    2 to 10 tiles of 256 tokens and the whole image.
    """
    least, most = 64 * 32 * 32, 256 * 32 * 32
    h, w = (max(32, round(side / 32) * 32) for side in (height, width))
    if h * w > most:
        shrink = math.sqrt(height * width / most)
        h, w = (max(32, math.floor(side / shrink / 32) * 32) for side in (height, width))
    elif h * w < least:
        grow = math.sqrt(least / (height * width))
        h, w = (math.ceil(side * grow / 32) * 32 for side in (height, width))
    whole = Term("whole image", (h // 32) * (w // 32), f"{h}/32 x {w}/32")
    rounded = [max(16, round(side / 32) * 32) for side in (height, width)]
    if rounded[0] * rounded[1] <= 2 * most:
        return Tokens(width, height, (whole,), 2)
    columns, rows = closest_grid(width, height, 2, 10, 512)
    tiles = Term("tiles", rows * columns * 256, f"{rows} x {columns} tiles x 256")
    return Tokens(width, height, (tiles, whole), rows * columns + 3)


def ovis2(width: int, height: int, most: int = 9) -> Tokens:
    """Tiles of 448 px in the smallest grid whose tiles keep 90 % of the image when each is fitted
    into 448 px, 256 tokens each, and an overview.
    """
    side = 448

    def kept(rows: int, columns: int) -> float:
        area = 0.0
        for row in range(rows):
            for column in range(columns):
                h = height - (rows - 1) * (height // rows) if row == rows - 1 else height // rows
                w = width // columns
                if column == columns - 1:
                    w = width - (columns - 1) * (width // columns)
                long, short = max(w, h), min(w, h)
                area += side * (short / long * side) if long > side else long * short
        return area / (width * height)

    grids = sorted(
        ((i, j) for i in range(1, most + 1) for j in range(1, most + 1) if i * j <= most),
        key=lambda grid: grid[0] * grid[1],
    )
    shares = {grid: kept(*grid) for grid in grids}
    enough = [grid for grid in grids if shares[grid] > 0.9]
    if enough:
        rows, columns = min(enough, key=lambda grid: (grid[0] * grid[1], -shares[grid]))
    else:
        rows, columns = min(grids, key=lambda grid: (-shares[grid], grid[0] * grid[1]))
    terms = [Term("tiles", rows * columns * 256, f"{rows} x {columns} tiles x 256")]
    if rows * columns > 1:
        terms.append(Term("overview", 256, "one tile of 448 px"))
    return Tokens(width, height, tuple(terms), 2)


def canvas(width: int, height: int, tile: int, most: int, single: bool = False) -> tuple[int, int]:
    """(rows, columns) of the canvas on which an image is enlarged least, or else shrunk least;
    among equal ones the smallest. single: compared in single precision (Llama 4).
    """
    exact = _float32 if single else float
    grids = []  # in the order of the processors
    for n in range(most, 0, -1) if single else ():
        grids += [(i, n // i) for i in range(1, n + 1) if n % i == 0]
    if not single:
        grids = [(i, j) for i in range(1, most + 1) for j in range(1, most + 1) if i * j <= most]
    scales = [min(exact(i * tile / height), exact(j * tile / width)) for i, j in grids]
    larger = [scale for scale in scales if scale >= 1]
    chosen = min(larger) if larger else max(scales)
    fits = [grid for grid, scale in zip(grids, scales, strict=True) if scale == chosen]
    return min(fits, key=lambda grid: grid[0] * grid[1])


def llama4(width: int, height: int) -> Tokens:
    """Llama 4: up to 16 tiles of 336 px, 144 tokens each, and a global one. Markers: a separator
    behind every tile, and those around the image.
    """
    rows, columns = canvas(width, height, 336, 16, single=True)
    count = rows * columns
    whole = Term("global tile", 144, "(336/14)^2 / 4")
    if count == 1:
        return Tokens(width, height, (whole,))
    tiles = Term("tiles", count * 144, f"{rows} x {columns} tiles x 144")
    return Tokens(width, height, (tiles, whole), count)


def llama32(width: int, height: int) -> Tokens:
    """Llama 3.2 Vision: states for cross-attention, 1,601 for each of up to 4 tiles of 560 px. The
    text itself holds one token for the image.
    """
    rows, columns = canvas(width, height, 560, 4)
    states = Term(
        "cross-attention states", rows * columns * 1601, f"{rows} x {columns} tiles x 1601"
    )
    return Tokens(width, height, (states,), 1)


def molmo(width: int, height: int, most: int = 12, window: int = 16, low: int = 12) -> Tokens:
    """Overlapping crops (`window` patches of 14 px apart, 8 more across), pooled 2 x 2, and a
    low-resolution view of low x low; one column token per row.
    """
    h, w = height - 112, width - 112
    options = sorted(
        ((i, j) for i in range(1, most + 1) for j in range(1, most + 1) if i * j <= most),
        key=lambda grid: (grid[0] * grid[1], grid[0]),
    )
    # The processor compares in single precision; a non-positive size means a scale that is never
    # below 1 or always is.
    scales = [
        min(
            _float32(i * 14 * window / h) if h else math.inf,
            _float32(j * 14 * window / w) if w else math.inf,
        )
        for i, j in options
    ]
    if all(scale < 1 for scale in scales):
        rows, columns = options[scales.index(max(scales))]
    else:
        large = [scale if scale >= 1 else 10e9 for scale in scales]
        rows, columns = options[large.index(min(large))]
    r, c = (-(-(window * n + 8) // 2) for n in (rows, columns))
    return Tokens(
        width,
        height,
        (
            _grid("low-resolution view", low, low),
            Term("its row breaks", low, "one per row"),
            Term("crops", r * c, f"{r} x {c} from {rows} x {columns} crops, overlap removed"),
            Term("row breaks", r, "one per row"),
        ),
        4,
    )


def _float32(x: float) -> float:
    from array import array

    return array("f", [x])[0]


def phi3(width: int, height: int, crops: int) -> Tokens:
    """Phi-3-vision and Phi-3.5-vision: the image at 336 px steps (at most `crops` crops), 144
    tokens a crop, an overview, row breaks.
    """
    turned = width < height
    long, short = (height, width) if turned else (width, height)
    ratio, scale = long / short, 1
    while scale * math.ceil(scale / ratio) <= crops:
        scale += 1
    scale -= 1
    w = scale * 336
    if not int(w / ratio):
        raise NoImage("shrunk to a side of 0 px, which the processor refuses")
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


def phi4(width: int, height: int, most: int = 36) -> Tokens:
    """Phi-4-multimodal: crops of 448 px without their padding, pooled 2 x 2, an overview of 256, a
    break per row, a separator.
    """
    columns, rows = math.ceil(width / 448), math.ceil(height / 448)
    if columns * rows > most:
        columns, rows = closest_grid(width, height, 1, most, 448)
    w, h = 448 * columns, 448 * rows
    across, down = w / width, h / height
    used = (w, int(height * across)) if across < down else (int(width * down), h)
    if min(used) < 10:
        raise NoImage("the aspect ratio is more extreme than the processor takes")
    c, r = (
        -(-(side // 14 - (side - own) // 14) // 2) for side, own in zip((w, h), used, strict=True)
    )
    return Tokens(
        width,
        height,
        (
            Term("crops", r * c, f"{r} x {c} of {rows} x {columns} crops without padding"),
            Term("overview", 256, "(448/14/2)^2"),
            Term("row breaks", r + 16, f"{r} for the crops, 16 for the overview"),
            Term("separator", 1, "between overview and crops"),
        ),
    )


def minicpm(width: int, height: int, per_slice: int = 64, most: int = 9) -> Tokens:
    """MiniCPM-V: the whole image, and from 448 x 448 px up slices in the grid nearest to its shape
    (as many as its area asks for, one fewer or one more), so many latents each.
    """
    wanted = min(math.ceil(width * height / (448 * 448)), most)
    whole = Term("whole image", per_slice, f"{per_slice} latents")
    if wanted <= 1:
        return Tokens(width, height, (whole,), 2)
    best, gap = (1, 1), math.inf
    for n in (wanted - 1, wanted, wanted + 1):
        for rows in range(1, n + 1) if 1 < n <= most else ():
            if n % rows == 0:
                error = abs(math.log(width / height) - math.log(n // rows / rows))
                if error < gap:
                    best, gap = (rows, n // rows), error
    count = best[0] * best[1]
    slices = Term("slices", count * per_slice, f"{best[0]} x {best[1]} slices x {per_slice}")
    return Tokens(width, height, (whole, slices), 2 * count + 2)


def deepseek_vl2(width: int, height: int) -> Tokens:
    """DeepSeek-VL2: up to 9 tiles of 384 px, 14 x 14 tokens each, and an overview; a break per row
    of tokens, a separator.
    """
    grids = tuple((384 * i, 384 * j) for i in range(1, 10) for j in range(1, 10) if i * j <= 9)
    w, h = best_grid(width, height, grids)
    r, c = h // 384 * 14, w // 384 * 14
    return Tokens(
        width,
        height,
        (
            _grid("overview", 14, 14),
            _grid("tiles", r, c),
            Term("row breaks", r + 14, f"{r} for the tiles, 14 for the overview"),
            Term("separator", 1, "between overview and tiles"),
        ),
    )


def gemma3(width: int, height: int, scan: bool = False) -> Tokens:
    """896 px square, pooled to 16 x 16; with pan and scan up to 4 crops (of 256 px at least) of an
    image that is longer than wide by a fifth, or the other way round.
    """
    whole = Term("image", 256, "(896/14/4)^2")
    long, short = max(width, height), min(width, height)
    if not scan or long / short < 1.2:
        return Tokens(width, height, (whole,), 2)
    crops = min(long // 256, math.floor(long / short + 0.5))
    crops = min(4, max(2, crops))
    if min(math.ceil(long / crops), short) < 256:
        return Tokens(width, height, (whole,), 2)
    return Tokens(
        width, height, (whole, Term("crops", crops * 256, f"{crops} crops x 256")), 2 + 2 * crops
    )


def mm15(width: int, height: int) -> Tokens:
    """MM1.5: four sub-images and an overview, 144 tokens each."""
    return Tokens(
        width,
        height,
        (
            Term("sub-images", 576, "4 sub-images of 672 px x 144"),
            Term("overview", 144, "one of 672 px"),
        ),
    )
