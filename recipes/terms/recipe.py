"""A recipe: the five axes and what is recorded beside them, as one frozen value.

In: fields as people or JSON write them. Out: a Recipe with canonical names, or a RecipeError that
names the field. Does not score or cost anything.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from .axes import COMPONENTS
from .names import meant
from .vocabulary import UnknownName, Vocabulary, nearest


class RecipeError(Refused):
    """A recipe field that cannot be used: `field`, and a message that says what would be
    accepted.
    """

    def __init__(self, field: str, message: str):
        self.field = field
        super().__init__(f"{field}: {message}")


class Recipe(NamedTuple):
    """One VLM recipe. None: not stated (in a comparison, the same on both sides)."""

    encoder: str | None = None  # slug, fused encoders joined by +
    connector: str | None = None
    visual_tokens: float | None = None  # per image
    llm: str | None = None
    llm_params_b: float | None = None  # billions
    data: str | None = None
    data_size: float | None = None  # examples
    resolution: int | str | None = None  # pixels, or a strategy (anyres-672, native …)
    tiling: str | None = None
    training: str | None = None
    frozen_encoder: bool | None = None

    def stated(self) -> dict:
        """The fields that are stated, in order."""
        return {name: value for name, value in zip(self._fields, self) if value is not None}

    def over(self, base: "Recipe") -> "Recipe":
        """This recipe with what it leaves out taken from `base`.

        A stated LLM brings its own size and a stated size drops the base's LLM; a stated resolution
        or connector drops the base's token count, unless tokens are stated; a stated data mix drops
        the base's size.
        """
        own = self.stated()
        merged = {**base.stated(), **own}
        for stated, dropped in (
            ("llm", "llm_params_b"),
            ("llm_params_b", "llm"),
            ("data", "data_size"),
            ("resolution", "visual_tokens"),
            ("resolution", "tiling"),
            ("connector", "visual_tokens"),
            ("encoder", "visual_tokens"),
        ):
            if (
                stated in own
                and dropped not in own
                and merged.get(dropped) == getattr(base, dropped)
            ):
                merged.pop(dropped, None)
        return Recipe(**merged)


FIELDS = Recipe._fields

# LLaVA-1.5-7B (arXiv 2310.03744): the recipe that most tables start from.
BASELINE = Recipe(
    encoder="clip-vit-l-14",
    connector="mlp-2x-gelu",
    visual_tokens=576,
    llm="vicuna-1.5-7b",
    llm_params_b=6.738,
    data="llava-665k",
    data_size=665_000,
    resolution=336,
    training="two stages: connector on 558K captions, then connector + LLM, 1 epoch each",
    frozen_encoder=True,
)
BASELINE_NAME = "LLaVA-1.5-7B"


def parse_count(field: str, value) -> float:
    """A positive number, with K, M, B or T behind it if written as text. Raises RecipeError."""
    if isinstance(value, str):
        match = re.fullmatch(
            r"\s*(\d+(?:\.\d+)?(?:e\d+)?)\s*([kKmMbBtT]?)\s*(?:images|examples|samples|pairs"
            r"|tokens|params)?\s*",
            value,
        )
        if not match:
            raise RecipeError(field, f"{value[:40]!r} is not a number (as in 576, 7B, 665K)")
        value = float(match[1]) * {"": 1, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}[match[2].lower()]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RecipeError(field, f"{str(value)[:40]!r} is not a number")
    if not 0 < value < 1e16:
        raise RecipeError(field, f"{value:g} is not a positive number of a sensible size")
    return value


def parse_billions(field: str, value) -> float:
    """Parameters in billions: 7, 7B, 0.5B, 500M. Raises RecipeError."""
    value = parse_count(field, value) / (
        1e9 if isinstance(value, str) and re.search(r"[kKmMbBtT]\s*(?:params)?\s*$", value) else 1
    )
    if value > 100_000:
        raise RecipeError(
            field, f"{value:g} billion parameters: more than any model has (7 means 7 billion)"
        )
    return value


def pixels_in(text: str) -> float | None:
    """Pixels of the longest side that a free-form resolution names (`anyres-672`, `448x1344`,
    `1.8MP`), or None.
    """
    area = re.search(r"(\d{2,4})\s*[x×]\s*(\d{2,4})", text)
    if area:
        return math.sqrt(int(area[1]) * int(area[2]))
    mega = re.search(r"(\d+(?:\.\d+)?)\s*MP", text)
    if mega:
        return math.sqrt(float(mega[1]) * 1e6)
    numbers = [int(n) for n in re.findall(r"\d+", text) if 64 <= int(n) <= 8192]
    return float(max(numbers)) if numbers else None


def parse_resolution(value, words: Vocabulary | None = None) -> int | str:
    """Pixels (336, 336px, 336x336) or a strategy: one that the registry names, or one that says its
    pixels (anyres-672).

    Without a vocabulary any text passes. Raises RecipeError.
    """
    if isinstance(value, bool) or value is None:
        raise RecipeError("resolution", "neither pixels nor the name of a strategy")
    if isinstance(value, (int, float)):
        if not (math.isfinite(value) and 16 <= value <= 16384 and value == int(value)):
            raise RecipeError("resolution", f"{value} pixels: between 16 and 16384 is accepted")
        return int(value)
    text = str(value).strip()
    match = re.fullmatch(r"(\d{2,5})\s*(?:px|pixels?|p)?(?:\s*[x×]\s*\1\s*(?:px)?)?", text)
    if match:
        return parse_resolution(int(match[1]))
    known = words.records("resolution") if words else {}
    if (
        not re.fullmatch(r"\w[\w+.,;:()/×\- ]{1,80}", text)
        or words
        and text not in known
        and not pixels_in(text)
    ):
        near = nearest(text, [*known])
        raise RecipeError(
            "resolution",
            f"{text[:40]!r} is neither pixels nor a known strategy (as in 336, 448px, anyres-672"
            f"{''.join(', ' + name for name in near)})",
        )
    return text


def parse_bool(field: str, value) -> bool:
    """true or false, as JSON or as text. Raises RecipeError."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "yes", "frozen", "1"):
        return True
    if isinstance(value, str) and value.strip().lower() in ("false", "no", "0"):
        return False
    raise RecipeError(field, f"{str(value)[:40]!r} is not true or false")


def parse(raw: Mapping, words: Vocabulary, *, strict: bool = True) -> tuple[Recipe, list[str]]:
    """A Recipe from a mapping of field names to values as people write them, and warnings.

    With `strict`, an unknown component is an UnknownName. Without (predictions in bulk), its name
    is kept as it stands and a warning says so. Unknown fields are a RecipeError either way. null
    means: not stated.
    """
    values: dict = {}
    warnings: list[str] = []
    for field, value in raw.items():
        if field not in FIELDS:
            raise RecipeError(
                field[:40],
                f"not a recipe field{meant(field, FIELDS)} (fields: {', '.join(FIELDS)})",
            )
        if value is None:
            continue
        if field in COMPONENTS:
            if not isinstance(value, str) or not value.strip():
                raise RecipeError(field, f"{str(value)[:40]!r} is not a name")
            if field == "llm" and re.fullmatch(r"\s*\d+(?:\.\d+)?\s*[bB]\s*", value):
                # a size instead of a name
                values.setdefault("llm_params_b", parse_billions(field, value.strip()))
                continue
            try:
                name = words.resolve(field, value)
            except UnknownName as unknown:
                if strict:
                    raise
                values[field] = value.strip()
                warnings.append(str(unknown))
                continue
            values[field] = name.slug
            if name.resolution is not None:
                values.setdefault("resolution", name.resolution)
        elif field == "llm_params_b":
            values[field] = parse_billions(field, value)
        elif field in ("visual_tokens", "data_size"):
            values[field] = parse_count(field, value)
        elif field == "resolution":
            try:
                values[field] = parse_resolution(value, words)
            except RecipeError as error:
                if strict:
                    raise
                values[field] = parse_resolution(value)
                warnings.append(str(error))
        elif field == "frozen_encoder":
            values[field] = parse_bool(field, value)
        elif not isinstance(value, str):
            raise RecipeError(field, f"{str(value)[:40]!r} is not a text")
        else:
            values[field] = value.strip()
    return Recipe(**values), warnings


def data_size(slug: str, words: Vocabulary) -> float | None:
    """The published samples of a data mix: as the tables print it, else as its registry does."""
    record = words.records("data").get(slug, {})
    return record.get("samples") or (words.mixes.data_size(slug) if slug else None)


def published_size(recipe: Recipe, words: Vocabulary) -> Recipe:
    """The recipe with the published size of its data mix, where it states a mix and no size."""
    size = data_size(recipe.data or "", words)
    return change(recipe, data_size=float(size)) if size and recipe.data_size is None else recipe


def change(recipe: Recipe, **values) -> Recipe:
    """The recipe with some fields replaced."""
    return recipe._replace(**values)


def typed(field: str, value: object) -> str:
    """A field's value as one would type it: `7B`, `true`, `576`."""
    if field == "llm_params_b":
        return f"{value:g}B"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def beyond_baseline(recipe: Recipe, words: Vocabulary, but: Sequence[str] = ()) -> dict[str, str]:
    """What has to be typed of a recipe for a command that fills in the baseline, by field; not the
    fields in `but`."""
    derived = ("data_size", "visual_tokens", *but)
    own = {
        field: value
        for field, value in recipe.stated().items()
        if field not in derived and value != getattr(BASELINE, field)
    }
    again = published_size(Recipe(**own).over(BASELINE), words)
    own |= {
        field: value
        for field, value in recipe.stated().items()
        if field not in but and getattr(again, field) != value
    }
    return {field: typed(field, value) for field, value in own.items()}
