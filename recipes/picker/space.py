"""The candidate recipes: which encoders, connectors, LLMs, data mixes and resolutions exist and may
be combined.

In: the vocabulary, and what the user fixes or avoids. Out: three lists that a recipe takes one of
each from: visual parts (encoder, resolution, connector, tokens), LLMs, data mixes; and how many
combinations each rule left out. Every other module treats a recipe as one value; only here is it
known what goes together.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..cost import flops, tokens
from ..terms.recipe import Recipe
from ..terms.vocabulary import Vocabulary

CONNECTORS = (
    "mlp-2x-gelu",
    "linear",
    "pixel-shuffle-mlp",
    "avg-pool",
    "perceiver",
    "q-former",
    "c-abstractor",
)
FUSED = (
    ("dinov2-vit-l-14", "siglip-so400m-14"),
    ("clip-vit-l-14", "dinov2-vit-l-14"),
    ("convnext-xxl-clip", "siglip-so400m-14"),
    ("dinov2-vit-g-14", "siglip2-so400m-14"),
)
# resolution strategies: name, side in tiles, views (tiles and overview)
STRATEGIES = (("fixed", 1, 1), ("2x2 tiles + overview", 2, 5), ("3x3 tiles + overview", 3, 10))


class Visual(NamedTuple):
    """The visual part of a recipe and what it costs: encoders as (record, side, views), parameters,
    tokens.
    """

    recipe: Recipe
    encoders: tuple[tuple[Mapping, int, int], ...]
    encoder_flops: float
    encoder_params: float
    width: float
    grid_tokens: float
    visual_tokens: float


class Language(NamedTuple):
    """An LLM choice."""

    slug: str
    record: Mapping


class Data(NamedTuple):
    """An instruction-data choice: slug, examples, and the table that prints the size."""

    slug: str
    samples: float
    source: str


class Space(NamedTuple):
    """The choices, and (rule, number of visual parts, LLMs or mixes left out by it)."""

    visuals: tuple[Visual, ...]
    languages: tuple[Language, ...]
    data: tuple[Data, ...]
    left_out: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        return len(self.visuals) * len(self.languages) * len(self.data)


class EmptySpace(Refused):
    """Nothing is left after what the user fixed and avoided; the message names the axis."""


def visuals(words: Vocabulary) -> tuple[list[Visual], dict[str, int]]:
    """All visual parts that can exist, and counts of what a rule excludes."""
    records = words.records("encoder")
    out: list[Visual] = []
    excluded: dict[str, int] = {}

    def skip(rule: str) -> None:
        excluded[rule] = excluded.get(rule, 0) + 1

    singles = [(slug,) for slug, record in records.items()]
    for parts in (*singles, *FUSED):
        group = [records[part] for part in parts]
        if any(
            record.get("kind") is None or record.get("params_vision_tower") is None
            for record in group
        ):
            skip("the registry has no size for the encoder")
            continue
        if any(
            not isinstance(side, int)
            for record in group
            for side in record.get("native_resolution") or [None]
        ):
            skip("the encoder's native resolution is not a fixed number of pixels")
            continue
        if any(
            record.get("patch_size") is None
            or record.get("depth") is None
            and record["slug"] not in flops.STAGES
            for record in group
        ):
            skip("the registry has no patch size or depth for the encoder")
            continue
        sides = sorted(
            {
                tuple(_at(record, side) for record in group)
                for side in group[-1]["native_resolution"]
            }
        )
        for chosen in sides:
            for name, across, views in STRATEGIES:
                if len(group) > 1 and across > 1:
                    skip("fused encoders with tiles")
                    continue
                for connector in CONNECTORS:
                    if across > 1 and connector == "q-former":
                        skip("no table tiles an image for a Q-Former")
                        continue
                    if len(group) > 1 and connector not in ("mlp-2x-gelu", "linear"):
                        skip("fused encoders need a per-patch connector")
                        continue
                    visual = _visual(parts, group, chosen, name, across, views, connector)
                    if visual is None:
                        skip("the connector would make more tokens than the encoder gives")
                    else:
                        out.append(visual)
    return out, excluded


def _at(record: Mapping, side: int) -> int:
    """The native resolution of a fused partner that is nearest to `side`."""
    return min(record["native_resolution"], key=lambda native: (abs(native - side), native))


def _visual(
    parts: Sequence[str],
    group: Sequence[Mapping],
    sides: Sequence[int],
    name: str,
    across: int,
    views: int,
    connector: str,
) -> Visual | None:
    grid = max(flops.patch_tokens(record, side) for record, side in zip(group, sides))
    lead = max(range(len(group)), key=lambda i: flops.patch_tokens(group[i], sides[i]))
    view = tokens.per_view(int(group[lead]["patch_size"]), sides[lead], connector).tokens
    if view > grid:
        return None
    side = max(sides)
    resolution: int | str = side if across == 1 else f"anyres-{side * across}"
    recipe = Recipe(
        encoder="+".join(sorted(parts)),
        connector=connector,
        visual_tokens=view * views,
        resolution=resolution,
        tiling=None if across == 1 else name.replace("tiles", f"tiles of {side} px"),
    )
    cost = sum(flops.encoder_forward(record, s) for record, s in zip(group, sides)) * views
    return Visual(
        recipe,
        tuple((record, s, views) for record, s in zip(group, sides)),
        cost,
        sum(flops.trunk_params(record) for record in group),
        sum(record.get("width") or 1024 for record in group),
        float(grid * views),
        float(view * views),
    )


def languages(words: Vocabulary) -> tuple[list[Language], int]:
    """LLMs whose shape the registry knows, and how many others there are."""
    out, rest = [], 0
    for slug, record in words.records("llm").items():
        if all(
            record.get(key) for key in ("params", "layers", "hidden_size", "kv_heads", "head_dim")
        ):
            out.append(Language(slug, record))
        else:
            rest += 1
    return out, rest


def data_mixes(words: Vocabulary) -> tuple[list[Data], int]:
    """Instruction mixes with a published size, and how many others there are (paper-internal
    variants).
    """
    records = words.records("data")
    out = [
        Data(slug, float(record["samples"]), record["samples_source"])
        for slug, record in records.items()
        if record.get("samples")
    ]
    return out, len(records) - len(out)


def same_size(params_b: float, asked_b: float) -> bool:
    """Whether an LLM is one of about the size that was asked for (billions)."""
    return abs(params_b / asked_b - 1) < 0.35


def space(
    words: Vocabulary, fix: Mapping[str, object], avoid: Mapping[str, Sequence[str]]
) -> Space:
    """All choices after `fix` (field -> value, canonical) and `avoid` (axis -> slugs). Raises
    EmptySpace.
    """
    views, excluded = visuals(words)
    llms, no_shape = languages(words)
    mixes, no_size = data_mixes(words)
    left_out = list(excluded.items()) + [
        ("the registry lacks the LLM's shape", no_shape),
        ("the data mix has no published size", no_size),
    ]

    def keep(items: list, field: str, value_of, axis: str):
        if field in fix:
            wanted = fix[field]
            kept = [item for item in items if value_of(item) == wanted]
            if not kept:
                near = [
                    str(value)
                    for value in sorted(
                        {value_of(item) for item in items}, key=lambda x: (isinstance(x, str), x)
                    )
                ]
                raise EmptySpace(
                    f"no candidate has {field} {wanted} (candidates:"
                    f" {', '.join(near[:12])}{' …' if len(near) > 12 else ''})"
                )
            left_out.append((f"--fix {field}={wanted}", len(items) - len(kept)))
            items = kept
        banned = set(avoid.get(axis, ()))
        if banned and axis == field:
            kept = [item for item in items if not banned & set(str(value_of(item)).split("+"))]
            left_out.append((f"--avoid {', '.join(sorted(banned))}", len(items) - len(kept)))
            items = kept
        if not items:
            raise EmptySpace(f"nothing is left for {axis}")
        return items

    views = keep(views, "encoder", lambda v: v.recipe.encoder, "encoder")
    views = keep(views, "connector", lambda v: v.recipe.connector, "connector")
    views = keep(views, "resolution", lambda v: v.recipe.resolution, "resolution")
    views = keep(views, "visual_tokens", lambda v: v.visual_tokens, "visual_tokens")
    llms = keep(llms, "llm", lambda x: x.slug, "llm")
    if "llm_params_b" in fix:
        kept = [x for x in llms if same_size(x.record["params_b"], fix["llm_params_b"])]
        if not kept:
            raise EmptySpace(f"no LLM of about {fix['llm_params_b']:g}B is known")
        left_out.append((f"--fix llm_params_b={fix['llm_params_b']:g}", len(llms) - len(kept)))
        llms = kept
    for size in map(float, avoid.get("llm_params_b", ())):
        kept = [x for x in llms if not same_size(x.record["params_b"], size)]
        left_out.append((f"--avoid llm_params_b={size:g}", len(llms) - len(kept)))
        if not kept:
            raise EmptySpace("nothing is left for llm_params_b")
        llms = kept
    mixes = keep(mixes, "data", lambda x: x.slug, "data")
    return Space(tuple(views), tuple(llms), tuple(mixes), tuple(left_out))
