"""The candidate recipes: which encoders, connectors, LLMs, data mixes and resolutions exist and may
be combined.

In: the vocabulary, and what the user fixes or avoids. Out: three lists that a recipe takes one of
each from: visual parts (encoder, resolution, connector, tokens), LLMs, data mixes; and how many
combinations each rule left out. Every other module treats a recipe as one value; only here is it
known what goes together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..base.errors import Refused
from ..cost import flops, tokens
from ..terms.recipe import Recipe
from ..terms.vocabulary import Vocabulary

if TYPE_CHECKING:
    from .usual import Habit

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


class Strategy(NamedTuple):
    """How an image becomes views: its name, tiles on a side, views (tiles and overview)."""

    name: str
    across: int
    views: int


STRATEGIES = (
    Strategy("fixed", 1, 1),
    Strategy("2x2 tiles + overview", 2, 5),
    Strategy("3x3 tiles + overview", 3, 10),
)


Candidate = tuple[int, int, int]  # numbers of a visual part, an LLM and a data mix of a space


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
    side: int = 0  # pixels of a view (0: not said), and tiles on a side
    across: int = 1


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
    """The choices, and (rule, number of visual parts, LLMs or mixes left out by it).

    unusual: (axis, part) of the choices that few released models have -> why it is one all the same
    (usual.py). sized: for each LLM the numbers of the data mixes with which rows of about such
    sizes exist; empty: not asked. only: by what parts were left out. writable: per LLM the visual
    parts that the asked training program can write with it.
    """

    visuals: tuple[Visual, ...]
    languages: tuple[Language, ...]
    data: tuple[Data, ...]
    left_out: tuple[tuple[str, int], ...]
    unusual: Mapping[tuple[str, str], str] = {}
    sized: tuple[frozenset[int], ...] = ()
    only: "Habit | None" = None
    writable: Sequence[frozenset[int]] | None = None

    @property
    def size(self) -> int:
        return len(self.visuals) * len(self.languages) * len(self.data)

    def parts(self, candidate: Candidate) -> tuple[Visual, Language, Data]:
        """The three choices of a candidate."""
        v, x, d = candidate
        return self.visuals[v], self.languages[x], self.data[d]

    def unusual_of(self, candidate: Candidate) -> tuple[str, ...]:
        """The unusual parts of a candidate, each with its reason."""
        visual, language, data = self.parts(candidate)
        named = (
            ("encoder", visual.recipe.encoder),
            ("connector", visual.recipe.connector),
            ("llm", language.slug),
            ("data", data.slug),
        )
        return tuple(self.unusual[part] for part in named if part in self.unusual)


class EmptySpace(Refused):
    """Nothing is left after what the user fixed and avoided; the message names the axis."""


def visuals(words: Vocabulary) -> tuple[list[Visual], dict[str, int]]:
    """All visual parts that can exist, and counts of what a rule excludes."""
    records = words.records("encoder")
    out: list[Visual] = []
    excluded: dict[str, int] = {}
    for parts in (*((slug,) for slug in records), *FUSED):
        group = [records[part] for part in parts]
        rule = _unusable(group)
        if rule:
            excluded[rule] = excluded.get(rule, 0) + 1
            continue
        towers: dict[tuple[int, ...], _Towers] = {}
        for sides, strategy, connector in _shapes(group):
            made = _impossible(group, strategy, connector)
            if made is None:
                if sides not in towers:
                    towers[sides] = _towers(parts, group, sides)
                made = _visual(words, towers[sides], strategy, connector)
            if isinstance(made, str):
                excluded[made] = excluded.get(made, 0) + 1
            else:
                out.append(made)
    return out, excluded


def _unusable(group: Sequence[Mapping]) -> str | None:
    """What the registry does not say of one of these encoders, or None."""
    if any(r.get("kind") is None or r.get("params_vision_tower") is None for r in group):
        return "the registry has no size for the encoder"
    sides = [side for r in group for side in r.get("native_resolution") or [None]]
    if any(not isinstance(side, int) for side in sides):
        return "the encoder's native resolution is not a fixed number of pixels"
    if any(
        r.get("patch_size") is None or r.get("depth") is None and r["slug"] not in flops.STAGES
        for r in group
    ):
        return "the registry has no patch size or depth for the encoder"
    return None


def _shapes(group: Sequence[Mapping]) -> Iterator[tuple[tuple[int, ...], Strategy, str]]:
    """Sides of each encoder, a strategy and a connector: all that may be tried."""
    native = {tuple(_at(r, side) for r in group) for side in group[-1]["native_resolution"]}
    for sides in sorted(native):
        for strategy in STRATEGIES:
            for connector in CONNECTORS:
                yield sides, strategy, connector


def _impossible(group: Sequence[Mapping], strategy: Strategy, connector: str) -> str | None:
    """Why nobody builds this, or None."""
    if len(group) > 1 and strategy.across > 1:
        return "fused encoders with tiles"
    if strategy.across > 1 and connector == "q-former":
        return "no table tiles an image for a Q-Former"
    if len(group) > 1 and connector not in ("mlp-2x-gelu", "linear"):
        return "fused encoders need a per-patch connector"
    return None


def _at(record: Mapping, side: int) -> int:
    """The native resolution of a fused partner that is nearest to `side`."""
    return min(record["native_resolution"], key=lambda native: (abs(native - side), native))


def resolution_name(side: int, across: int, words: Vocabulary) -> int | str:
    """What the resolution of `across` x `across` tiles of `side` pixels is called: `anyres-672`, or
    `anyres-448x448` where the registry has the short name for something else.

    Papers write anyres-448 for tiles of 448 px in a grid that they do not say; a candidate has no
    name that a table uses in another meaning.
    """
    if across == 1:
        return side
    whole = side * across
    record = words.records("resolution").get(f"anyres-{whole}")
    known = record is None or record.get("px") == whole
    return f"anyres-{whole}" if known else f"anyres-{whole}x{whole}"


class _Towers(NamedTuple):
    """What the visual parts of the same encoders at the same sides have in common."""

    group: Sequence[Mapping]
    sides: Sequence[int]
    name: str
    grid: int  # tokens that they give per view
    lead: int  # which of them gives most
    flops: float  # of a view
    params: float
    width: float


def _towers(parts: Sequence[str], group: Sequence[Mapping], sides: Sequence[int]) -> _Towers:
    given = [flops.patch_tokens(record, side) for record, side in zip(group, sides)]
    return _Towers(
        group,
        sides,
        "+".join(sorted(parts)),
        max(given),
        max(range(len(group)), key=given.__getitem__),
        sum(flops.encoder_forward(record, side) for record, side in zip(group, sides)),
        sum(flops.trunk_params(record) for record in group),
        sum(record.get("width") or 1024 for record in group),
    )


def _visual(words: Vocabulary, at: _Towers, strategy: Strategy, connector: str) -> Visual | str:
    """A visual part, or the rule that leaves it out."""
    name, across, views = strategy
    view = tokens.per_view(int(at.group[at.lead]["patch_size"]), at.sides[at.lead], connector)
    if view.tokens > at.grid:
        return "the connector would make more tokens than the encoder gives"
    side = max(at.sides)
    recipe = Recipe(
        encoder=at.name,
        connector=connector,
        visual_tokens=view.tokens * views,
        resolution=resolution_name(side, across, words),
        tiling=None if across == 1 else name.replace("tiles", f"tiles of {side} px"),
    )
    return Visual(
        recipe,
        tuple((record, s, views) for record, s in zip(at.group, at.sides)),
        at.flops * views,
        at.params,
        at.width,
        float(at.grid * views),
        float(view.tokens * views),
        side,
        across,
    )


def languages(words: Vocabulary) -> tuple[list[Language], int]:
    """LLMs whose shape the registry knows, and how many others there are."""
    out, rest = [], 0
    shape = ("params", "layers", "hidden_size", "kv_heads", "head_dim")
    for slug, record in words.records("llm").items():
        # layers that differ from each other are a list: no arithmetic here knows them
        if all(isinstance(record.get(key), (int, float)) and record[key] for key in shape):
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


class _Sieve(NamedTuple):
    """What the user fixes and avoids, and a count of what each rule left out (it grows)."""

    fix: Mapping[str, object]
    avoid: Mapping[str, Sequence[str]]
    left_out: list[tuple[str, int]]

    def drop(self, items: list, rule: str, keeps: Callable[[object], bool], none: str) -> list:
        """The items that a rule keeps. Raises EmptySpace with `none` when there are none."""
        kept = [item for item in items if keeps(item)]
        self.left_out.append((rule, len(items) - len(kept)))
        if not kept:
            raise EmptySpace(none)
        return kept

    def keep(self, items: list, field: str, value_of: Callable) -> list:
        """The items that a field's --fix and --avoid leave."""
        if field in self.fix:
            wanted = self.fix[field]
            values = {value_of(item) for item in items}
            near = [str(x) for x in sorted(values, key=lambda x: (isinstance(x, str), x))]
            shown = f"{', '.join(near[:12])}{' …' if len(near) > 12 else ''}"
            items = self.drop(
                items,
                f"--fix {field}={wanted}",
                lambda item: value_of(item) == wanted,
                f"no candidate has {field} {wanted} (candidates: {shown})",
            )
        banned = set(self.avoid.get(field, ()))
        if banned:
            items = self.drop(
                items,
                f"--avoid {', '.join(sorted(banned))}",
                lambda item: not banned & set(str(value_of(item)).split("+")),
                f"nothing is left for {field}",
            )
        return items

    def prefer(
        self, items: list, field: str, value_of: Callable, barred: Mapping, rule: str
    ) -> list:
        """The items that are not barred; all of them where the field is fixed or nothing else is
        there.
        """
        if field in self.fix or field not in barred:
            return items
        kept = [item for item in items if value_of(item) not in barred[field]]
        if not kept:
            return items
        self.left_out.append((rule.format(field), len(items) - len(kept)))
        return kept

    def sized(self, llms: list[Language]) -> list[Language]:
        """The LLMs of about the sizes that are fixed and not avoided."""
        size = lambda item: item.record["params_b"]
        if "llm_params_b" in self.fix:
            asked = self.fix["llm_params_b"]
            llms = self.drop(
                llms,
                f"--fix llm_params_b={asked:g}",
                lambda item: same_size(size(item), asked),
                f"no LLM of about {asked:g}B is known",
            )
        for avoided in map(float, self.avoid.get("llm_params_b", ())):
            llms = self.drop(
                llms,
                f"--avoid llm_params_b={avoided:g}",
                lambda item, avoided=avoided: not same_size(size(item), avoided),
                "nothing is left for llm_params_b",
            )
        return llms


def space(
    words: Vocabulary,
    fix: Mapping[str, object],
    avoid: Mapping[str, Sequence[str]],
    only: "Habit | None" = None,
) -> Space:
    """All choices after `fix` (field -> value, canonical) and `avoid` (axis -> slugs). only: leave
    out what it bars, where that is not fixed and something else is there. Raises EmptySpace.
    """
    views, excluded = visuals(words)
    llms, no_shape = languages(words)
    mixes, no_size = data_mixes(words)
    sieve = _Sieve(
        fix,
        avoid,
        [
            *excluded.items(),
            ("the registry lacks the LLM's shape", no_shape),
            ("the data mix has no published size", no_size),
        ],
    )
    for field in ("encoder", "connector", "resolution", "visual_tokens"):
        views = sieve.keep(views, field, lambda v, field=field: getattr(v.recipe, field))
    llms = sieve.sized(sieve.keep(llms, "llm", lambda x: x.slug))
    mixes = sieve.keep(mixes, "data", lambda x: x.slug)
    if only is None:
        return Space(tuple(views), tuple(llms), tuple(mixes), tuple(sieve.left_out))
    odd = (
        "few released models have the {}, and no rows on these tasks say that it gains"
        " (--any-parts)"
    )
    for field in ("encoder", "connector"):
        value_of = lambda v, field=field: getattr(v.recipe, field)
        views = sieve.prefer(views, field, value_of, only.barred, odd)
    if only.untiled and not {"resolution", "visual_tokens"} & fix.keys():
        views = sieve.prefer(views, "tiling", lambda v: v.across > 1, {"tiling": (True,)}, TILES)
    llms = sieve.prefer(
        llms, "llm", lambda x: x.slug, only.barred, odd.replace("the {}", "the LLM")
    )
    rules = ((only.closed, CLOSED), (only.barred.get("data", ()), VARIANT), (only.empty, EMPTY))
    for barred, rule in rules:
        mixes = sieve.prefer(mixes, "data", lambda x: x.slug, {"data": barred}, rule)
    return Space(
        tuple(views),
        tuple(llms),
        tuple(mixes),
        tuple(sieve.left_out),
        only.unusual,
        tuple(
            frozenset(
                d
                for d, data in enumerate(mixes)
                if only.standing.sized(x.record["params_b"], data.samples)
            )
            for x in llms
        ),
        only,
    )


CLOSED = "the data mix is not public, holds captions alone, or stands in no table (--any-parts)"
TILES = "tiles, where a request has several images or frames (--any-parts)"
VARIANT = (
    "the data mix is no released one, and no rows on these tasks say that it gains (--any-parts)"
)
EMPTY = "the data mix holds none of the tasks' kinds of data (--any-parts)"
