"""The two sides of a swap as people type them: `CLIP SigLIP`, `7B 13B`, `336px 672px`, `frozen`.

In: two texts and the vocabulary. Out: the recipe field and its two values; errors name the text.
"""

import math
import re

from ..base.errors import Refused
from .axes import COMPONENTS
from .vocabulary import UnknownName, Vocabulary, fold, nearest

# Quantities that can be swapped for each other: (pattern, recipe field, canonical form).
QUANTITIES = (
    (
        r"(\d+(?:\.\d+)?)\s*b(?:illion)?(?:\s+(?:llm|params|parameters|model))?",
        "llm_params_b",
        "{}B",
    ),
    (r"(\d+)\s*(?:visual\s+|image\s+)?(?:tokens?|tok)", "visual_tokens", "{} tokens"),
    (r"(\d{2,5})\s*(?:px|pixels?|p)?", "resolution", "{}px"),
)


LIKE = {"llm_params_b": (2, 13), "visual_tokens": (64, 144), "resolution": (448, 672)}


STATES = {
    "frozen": "frozen",
    "frozenencoder": "frozen",
    "freezing": "frozen",
    "unfrozen": "unfrozen",
    "trained": "unfrozen",
    "unfrozenencoder": "unfrozen",
    "unfreezing": "unfrozen",
    "trainedencoder": "unfrozen",
    "finetuned": "unfrozen",
}


class Unsaid(Refused):
    """Two numbers that may be of several kinds: the message says how to tell them apart."""


def two_names(a: str, b: str, words: Vocabulary) -> tuple[str, str, str]:
    """(field, canonical a, canonical b) of two things that can be swapped for each other.

    Components of one axis, LLM sizes (7B), resolutions (336, 672 px, anyres-672), token counts (64
    tokens), frozen and unfrozen. Raises UnknownName for the one that is not known on the axis of
    the other.
    """
    bare = [re.fullmatch(r"\s*(\d{1,5})\s*", name) for name in (a, b)]
    if all(bare):
        return bare_sides(bare[0][1], bare[1][1])
    for pattern, field, form in QUANTITIES:
        found = [re.fullmatch(pattern, name.strip(), re.I) for name in (a, b)]
        if field == "visual_tokens" and found[1] and not found[0]:
            found[0] = re.fullmatch(r"(\d+)", a.strip())
        if all(found):
            return field, form.format(found[0][1]), form.format(found[1][1])
        if any(found) and not (
            field == "resolution" and any(name in words.records("resolution") for name in (a, b))
        ):
            known, other = (a, b) if found[0] else (b, a)
            raise UnknownName(
                f"{field.replace('_', ' ')} to swap with {known.strip()!r}:",
                other,
                (),
                (form.format(x) for x in LIKE[field]),
            )
    if fold(a) in STATES and fold(b) in STATES:
        return "frozen_encoder", STATES[fold(a)], STATES[fold(b)]
    known = words.records("resolution")
    if all(name in known or re.fullmatch(r"\d{2,5}\s*(?:px)?", name) for name in (a, b)):
        return "resolution", a, b
    failed: UnknownName | None = None
    for axis in COMPONENTS:
        resolved, missing = [], []
        for name in (a, b):
            try:
                resolved.append(words.resolve(axis, name))
            except UnknownName as error:
                missing.append(error)
        if not missing:
            return axis, *(
                f"{name.slug}@{name.resolution}" if name.resolution else name.slug
                for name in resolved
            )
        if resolved:
            failed = failed or missing[0]
    if failed is None:
        everything = {s: slug for axis in COMPONENTS for s, slug in words.spellings(axis).items()}
        failed = UnknownName("component", a, nearest(a, everything))
    raise failed


def bare_sides(a: str, b: str) -> tuple[str, str, str]:
    """(field, a, b) of two numbers without a unit. Raises Unsaid where it is not clear which."""
    kinds = bare_kinds(a, b)
    if kinds == ["px"]:
        return "resolution", f"{a}px", f"{b}px"
    if kinds == ["tokens"]:
        return "visual_tokens", f"{a} tokens", f"{b} tokens"
    raise Unsaid(
        f"{a} and {b}: pixels or visual tokens? say {a}px {b}px, or '{a} tokens' '{b} tokens'"
    )


def pixels(value: int) -> bool:
    """Whether a bare number can be a resolution: 112 to 4096 in whole patches of 14 or 16."""
    return 112 <= value <= 4096 and (value % 14 == 0 or value % 16 == 0)


def tokens(value: int) -> bool:
    """Whether a bare number can be a count of visual tokens: up to 112, or a square or five squares
    of at most 64.
    """
    root = math.isqrt(value)
    return 0 < value <= 112 or root * root == value and root <= 64 or value == 2880


def bare_kinds(a: str, b: str) -> list[str]:
    """What two numbers without a unit can be, together: px, tokens, or both (then it is asked)."""
    values = [int(a), int(b)]
    fits = {"px": all(map(pixels, values)), "tokens": all(map(tokens, values))}
    if all(fits.values()):
        only_px = not all(map(tokens, values))
        return ["px"] if only_px else ["px", "tokens"]
    return [kind for kind, fit in fits.items() if fit]
