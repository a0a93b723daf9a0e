"""A recipe in words: some of its fields, or what one side of a change has.

In: recipes, names of fields or axes. Out: text. Does not print.
"""

from collections.abc import Sequence

from ..base.wording import clean
from ..terms.recipe import Recipe


def describe(recipe: Recipe, fields: Sequence[str]) -> str:
    """Some fields of a recipe as words."""
    words = []
    for field in fields:
        value = getattr(recipe, field)
        if value is None:
            continue
        if field == "llm_params_b":
            words.append(f"{value:g}B LLM")
        elif field == "resolution":
            words.append(f"{value} px" if isinstance(value, int) else str(value))
        elif field == "visual_tokens":
            words.append(f"{value:g} visual tokens")
        elif field == "data_size":
            words.append(f"{value:,.0f} examples")
        elif field == "frozen_encoder":
            words.append("encoder frozen" if value else "encoder trained")
        else:
            words.append(str(value))
    return ", ".join(clean(word) for word in words)


# An axis, or a field of it, as people say it; others are said as they are written.
AXIS_NAMES = {"llm": "LLM", "llm_params_b": "LLM size", "visual_tokens": "visual tokens"}


def axis_name(axis: str) -> str:
    """An axis in a sentence."""
    return AXIS_NAMES.get(axis, axis.replace("_", " "))


AXIS_FIELDS = {
    "encoder": ("encoder",),
    "connector": ("connector",),
    "llm": ("llm", "llm_params_b"),
    "data": ("data", "data_size"),
    "resolution": ("resolution", "tiling"),
    "visual_tokens": ("visual_tokens",),
    "training": ("frozen_encoder", "training"),
}


def side(recipe: Recipe, axes: Sequence[str], other: Recipe) -> str:
    """What one side of a swap has on the moved axes; other: the other side."""
    parts = []
    for axis in axes:
        fields = AXIS_FIELDS[axis]
        if (
            axis in ("llm", "data")
            and getattr(recipe, fields[0])
            and getattr(recipe, fields[0]) != getattr(other, fields[0])
        ):
            fields = fields[:1]
        if axis == "training":
            fields = ("frozen_encoder",) if recipe.frozen_encoder is not None else ("training",)
        parts.append(describe(recipe, fields))
    return " + ".join(filter(None, parts)) or "?"


# What stands in the line that names a whole recipe.
FIELDS = (
    "encoder",
    "connector",
    "visual_tokens",
    "llm",
    "llm_params_b",
    "data",
    "data_size",
    "resolution",
    "tiling",
    "frozen_encoder",
)
