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


class Seen(NamedTuple):
    """The visual part of a recipe: (record, side in pixels, views) of each encoder; positions that
    the connector reads; tokens that the LLM sees."""

    encoders: tuple[tuple[Mapping, int, float], ...]
    grid: float
    tokens: float


def sides(encoders: Sequence[Mapping], resolution: int | str | None) -> list[int]:
    """The side in pixels at which each encoder runs. Of fused ones, those that know the resolution
    run at it and the others at their native one nearest to it; if none knows it, all run at it."""
    native = [
        [side for side in record.get("native_resolution") or [] if isinstance(side, int)]
        for record in encoders
    ]
    if not isinstance(resolution, int):
        return [max(known or [336]) for known in native]
    if len(encoders) == 1 or not any(resolution in known for known in native):
        return [resolution for _ in encoders]
    return [
        min(known, key=lambda side: (abs(side - resolution), side)) if known else resolution
        for known in native
    ]


def seen(
    encoders: Sequence[Mapping],
    resolution: int | str | None,
    connector: str | None,
    stated: float | None = None,
) -> Seen:
    """How a recipe sees an image. stated: its visual tokens, where they are. The lead of fused
    encoders is the one with most positions among those that run at the resolution (the others are
    brought to its grid). anyres-N: tiles of a native side, N / side along each edge, and an
    overview. Raises flops.MissingFigure.
    """
    chosen = sides(encoders, resolution)
    leads = [
        i
        for i, (record, side) in enumerate(zip(encoders, chosen))
        if not isinstance(resolution, int) or side == resolution
    ]
    positions = [flops.patch_tokens(record, side) for record, side in zip(encoders, chosen)]
    lead = max(leads, key=lambda i: positions[i])
    across = _across(resolution, [chosen[i] for i in leads])
    views = float(across**2 + 1 if across > 1 else 1)
    tokens = stated
    if not tokens:
        if resolution is not None and not isinstance(resolution, int) and across < 2:
            raise flops.MissingFigure(
                f"the number of visual tokens at resolution {resolution!r} is not known"
                " (visual_tokens=… states it)"
            )
        patch = int(flops.need(encoders[lead], "patch_size"))
        tokens = views * per_view(patch, chosen[lead], connector).tokens
    elif across < 2 and not isinstance(resolution, int):
        # tiles whose number is not said: as many as the tokens fill
        views = float(max(1, round(tokens / positions[lead])))
    elif across < 2 and _native(encoders[lead]) and connector not in LEARNED:
        # an encoder of any size sees as many patches as its tokens come from
        views = max(1.0, tokens * POOLED.get(connector, 1) ** 2 / positions[lead])
    return Seen(
        tuple((record, side, views) for record, side in zip(encoders, chosen)),
        float(max(positions[lead] * views, tokens)),
        float(tokens),
    )


def _native(record: Mapping) -> bool:
    return not any(isinstance(side, int) for side in record.get("native_resolution") or [0])


def _across(resolution: int | str | None, known: Sequence[int]) -> int:
    """Tiles along an edge of anyres-N: N over the side of an encoder that divides it; else 1."""
    found = re.fullmatch(r"anyres-(\d+)(?:x\1)?", str(resolution))
    return next((int(found[1]) // side for side in known if found and int(found[1]) % side == 0), 1)


def shape(records: Iterable[Mapping], params_b: float, kin: Mapping | None = None) -> Mapping:
    """The record of an LLM with so many billion parameters: the nearest one whose shape is known,
    by the parameters of its layers (embeddings cost nothing to pass; they are taken for 5 %), of
    equally near ones one of the family or line of `kin` (the record it stands in for) and then the
    smallest vocabulary; scaled to the size. Raises flops.MissingFigure.
    """
    known = [r for r in records if r.get("params") and r.get("layers") and r.get("kv_heads")]

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
