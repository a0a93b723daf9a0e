"""What the arithmetic needs of a recipe's parts: how often each encoder runs, how many tokens the
LLM sees, and the shape of an LLM that no source prints.

In: registry records and recipe fields. Out: Seen; an LLM record, with a note where it stands in for
another. Knows no library and no vocabulary.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from . import flops
from .tokens import LEARNED, POOLED, per_view

# An LLM of unknown shape is costed in that of a known one, scaled; at most this many times larger
# or smaller, beyond which a width and a depth say nothing any more.
FARTHEST = 2.0
# Positions of an encoder are interpolated to a side that it does not know up to this factor; beyond
# it a fused tower stays at its own (SAM at 1,024 px beside a CLIP at 336).
INTERPOLATED = 1.6


class Seen(NamedTuple):
    """The visual part of a recipe: (record, side in pixels, views) of each encoder; positions that
    the connector reads; tokens that the LLM sees."""

    encoders: tuple[tuple[Mapping, int, float], ...]
    grid: float
    tokens: float


def sides(encoders: Sequence[Mapping], resolution: int | str | None) -> list[int]:
    """The side in pixels at which each encoder runs. Of fused ones, those that know the resolution
    run at it and the others at their native one nearest to it; if none knows it, those run at it
    whose native side is not far (INTERPOLATED)."""
    native = [_natives(record) for record in encoders]
    if not isinstance(resolution, int):
        return [max(known or [336]) for known in native]
    if len(encoders) == 1:
        return [resolution]
    nearest = [
        min(known or [resolution], key=lambda side: (abs(side - resolution), side))
        for known in native
    ]
    if resolution in nearest:
        return nearest
    near = [1 / INTERPOLATED < side / resolution < INTERPOLATED for side in nearest]
    return [resolution if close or not any(near) else side for side, close in zip(nearest, near)]


def _natives(record: Mapping) -> list[int]:
    """Native sides in pixels, the largest first."""
    known = record.get("native_resolution") or []
    return sorted((side for side in known if isinstance(side, int)), reverse=True)


def seen(
    encoders: Sequence[Mapping],
    resolution: int | str | None,
    connector: str | None,
    stated: float | None = None,
) -> Seen:
    """How a recipe sees an image. stated: its visual tokens, where they are. The lead of fused
    encoders is the one with most positions among those that run at the resolution or below (the
    others are brought to its grid). anyres-N: tiles of a native side, N / side along each edge, and
    an overview; the largest side, or the one that gives the stated tokens. Raises
    flops.MissingFigure.
    """
    chosen = sides(encoders, resolution)
    leads = [
        i for i, side in enumerate(chosen) if not isinstance(resolution, int) or side <= resolution
    ]
    positions = [flops.patch_tokens(record, side) for record, side in zip(encoders, chosen)]
    lead = max(leads, key=lambda i: positions[i])
    patch = int(flops.need(encoders[lead], "patch_size"))
    tokens, views = stated, 1.0
    tilings = _tilings(encoders[lead], resolution)
    if tilings:
        counts = [
            (per_view(patch, tile, connector).tokens * many, tile, many) for tile, many in tilings
        ]
        made, chosen[lead], views = next((c for c in counts if c[0] == stated), counts[0])
        tokens = stated or made
    elif not isinstance(resolution, int) and resolution is not None:
        if not stated:
            raise flops.MissingFigure(
                f"the number of visual tokens at resolution {resolution!r} is not known"
                " (visual_tokens=… states it)"
            )
        # tiles whose number is not said: as many as the tokens fill
        views = float(max(1, round(stated / positions[lead])))
    elif stated and not _natives(encoders[lead]) and connector not in LEARNED:
        # an encoder of any size sees as many patches as its tokens come from
        views = max(1.0, stated * POOLED.get(connector, 1) ** 2 / positions[lead])
    tokens = tokens or per_view(patch, chosen[lead], connector).tokens
    positions[lead] = flops.patch_tokens(encoders[lead], chosen[lead])
    return Seen(
        tuple((record, side, views) for record, side in zip(encoders, chosen)),
        float(max(positions[lead] * views, tokens)),
        float(tokens),
    )


def _tilings(record: Mapping, resolution: int | str | None) -> list[tuple[int, float]]:
    """(side of a tile, views with the overview) of anyres-N, by each native side that divides N."""
    found = re.fullmatch(r"anyres-(\d+)(?:x\1)?", str(resolution))
    wide = int(found[1]) if found else 0
    return [
        (side, float((wide // side) ** 2 + 1))
        for side in _natives(record)
        if wide > side and wide % side == 0
    ]


def shape(records: Iterable[Mapping], params_b: float, kin: Mapping | None = None) -> Mapping:
    """The record of an LLM with so many billion parameters: the nearest one whose shape is known,
    by the parameters of its layers (embeddings cost nothing to pass; they are taken for 5 %), of
    equally near ones one of the family or line of `kin` (the record it stands in for) and then the
    smallest vocabulary; scaled to the size. Raises flops.MissingFigure.
    """
    known = [
        r
        for r in records
        if r.get("params") and r.get("layers") and r.get("kv_heads") and not r.get("experts")
    ]

    def distance(record: Mapping) -> tuple[float, bool, float, str]:
        gap = abs(math.log(flops.llm_params(record) / (0.95e9 * params_b)))
        other = not any(
            kin and kin.get(key) and kin[key] == record.get(key) for key in ("family", "line")
        )
        return round(gap, 1), other, record.get("vocab") or 0, record["slug"]

    near = min(known, key=distance, default=None)
    if near is None or not 1 / FARTHEST < near["params"] / (1e9 * params_b) < FARTHEST:
        raise flops.MissingFigure(f"no LLM of about {params_b:g}B has a known shape")
    ratio = params_b * 1e9 / near["params"]
    if abs(ratio - 1) < 0.03:
        return near
    scaled = {key: near[key] * ratio for key in ("params", "params_non_embedding") if near.get(key)}
    return {**near, **scaled, "params_b": params_b, "scaled": ratio}
