"""Visual tokens of an image: for released models by their own resizing rules, for a recipe by its
patch grid.

In: a model name as people write it, or encoder patch size, resolution and connector; and image
sizes in pixels. Out: Tokens, with every term of the sum. What is counted, and where the rules were
read, stands in token_rules.py; tests/data/tokens_oracle.json compares them with the processors.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from ..base.errors import Refused
from .token_rules import (
    LLAVA_NEXT_GRIDS,
    ONEVISION_GRIDS,
    NoImage,
    Term,
    Tokens,
    anyres,
    deepseek_vl2,
    gemma3,
    idefics2,
    idefics3,
    lfm2,
    llama4,
    llama32,
    minicpm,
    mm15,
    molmo,
    naflex,
    native,
    ovis2,
    padded_native,
    phi3,
    phi4,
    pixtral,
    square,
    tiled,
)

MAX_SIDE = 100_000
# 26 canvases of 2 to 10 tiles, in the order of the checkpoint
GRANITE_GRIDS = tuple(
    (384 * j, 384 * i) for i in range(1, 11) for j in range(1, 11) if 2 <= i * j <= 10
)
SMALL_SMOLVLM = partial(idefics3, tile=512, longest=4 * 512, per_tile=64)
LARGE_SMOLVLM = partial(idefics3, tile=384, longest=4 * 384, per_tile=81)
INTERNVL = partial(tiled, tile=448, per_tile=256, most=12)
QWEN2 = partial(native, factor=28, least=56 * 56, most=28 * 28 * 16384)

MODELS: Mapping[str, Callable[..., Tokens]] = {
    "llava": partial(square, side=224, patch=14),
    "llava-1.5": partial(square, side=336, patch=14),
    "llava-next": partial(anyres, tile=336, side=24, grids=LLAVA_NEXT_GRIDS, limit=None),
    "llava-onevision": partial(anyres, tile=384, side=27, grids=ONEVISION_GRIDS, limit=9),
    "granite-vision-3.2": partial(anyres, tile=384, side=27, grids=GRANITE_GRIDS, limit=None),
    "qwen2-vl": QWEN2,
    "qwen2.5-vl": QWEN2,
    "qwen3-vl": partial(native, factor=32, least=65_536, most=16_777_216),
    # half of its limits: an image counts as two frames
    "glm-4.1v": partial(
        native, factor=28, least=112 * 112 // 2, most=28 * 28 * 7500, least_side=28
    ),
    "kimi-vl": partial(padded_native, factor=28, patch=14, most=4096),
    "idefics2": idefics2,
    "idefics2-no-split": partial(idefics2, split=False),
    "idefics3": partial(idefics3, tile=364, longest=4 * 364, per_tile=169),
    "smolvlm-2.2b": LARGE_SMOLVLM,
    "smolvlm-500m": SMALL_SMOLVLM,
    "smolvlm-256m": SMALL_SMOLVLM,
    "smolvlm2-2.2b": LARGE_SMOLVLM,
    "smolvlm2-500m": SMALL_SMOLVLM,
    "smolvlm2-256m": SMALL_SMOLVLM,
    "internvl2": INTERNVL,
    "internvl3": INTERNVL,
    "internvl3.5": INTERNVL,
    "aya-vision": partial(tiled, tile=364, per_tile=169, most=12),
    "lfm2-vl": lfm2,
    "ovis2": ovis2,
    "pixtral": pixtral,
    "mistral-small-3.1": partial(pixtral, unit=28, longest=1540),
    "siglip2-naflex": naflex,
    "mm1.5": mm15,
    "paligemma-224": partial(square, side=224, patch=14),
    "paligemma-448": partial(square, side=448, patch=14),
    "paligemma-896": partial(square, side=896, patch=14),
    "gemma3": gemma3,
    "gemma3-pan-and-scan": partial(gemma3, scan=True),
    "gemma3n": partial(square, side=768, patch=48),
    "llama-3.2-vision": llama32,
    "llama-4": llama4,
    "molmo": molmo,
    "molmo2": partial(molmo, most=8, window=19, low=14),
    "phi-3-vision": partial(phi3, crops=16),
    "phi-3.5-vision": partial(phi3, crops=4),
    "phi-4-multimodal": phi4,
    "minicpm-v-2.5": partial(minicpm, per_slice=96),
    "minicpm-v-2.6": minicpm,
    "deepseek-vl2": deepseek_vl2,
}
ALIASES = {
    "paligemma": "paligemma-224",
    "llava-1.6": "llava-next",
    "gemma-3": "gemma3",
    "gemma-3n": "gemma3n",
    "internvl2.5": "internvl2",
    "granite-vision": "granite-vision-3.2",
    "glm-4.5v": "glm-4.1v",
    "llama4": "llama-4",
    "minicpm-v": "minicpm-v-2.6",
    "minicpm-v-4": "minicpm-v-2.6",
    "minicpm-v-4.5": "minicpm-v-2.6",
    "minicpm-o-2.6": "minicpm-v-2.6",
    "minicpm-llama3-v-2.5": "minicpm-v-2.5",
    "mistral-small-3.2": "mistral-small-3.1",
    "phi3-vision": "phi-3-vision",
    "phi3.5-vision": "phi-3.5-vision",
    "phi-4-multimodal-instruct": "phi-4-multimodal",
    "qwen2-vl-7b": "qwen2-vl",
    "qwen2-vl-2b": "qwen2-vl",
    "llava-1.5-7b": "llava-1.5",
    "pixtral-12b": "pixtral",
    "smolvlm-instruct": "smolvlm-2.2b",
    "molmo-7b-d": "molmo",
}
# names of several families, and what tells them apart
SEVERAL = {
    name: {f"{name}-2.2b": "81 tokens a tile", f"{name}-500m, {name}-256m": "64 tokens a tile"}
    for name in ("smolvlm", "smolvlm2")
}
# what a family's rule does not hold for
UNCOUNTED = {
    "gemma3-1b": "sees no images: Gemma 3 does from 4B on",
    "kimi-vl-a3b-thinking-2506": "has a limit of its own, which is not known here",
}
# What a name may carry besides its family: who published it, size, training, file format, LLM.
VENDOR = re.compile(r"^[\w.-]+/")
EXTRA = re.compile(
    r"\d+(?:\.\d+)?[bme]|a\d+b|e[24]b|\d{4}|instruct|it|pt|chat|hf|thinking|base|mpo|flash|preview|"
    r"awq|gptq|fp8|gguf|128k|mini|tiny|small|scout|maverick|vicuna|mistral|llama3|qwen|qwen2|ov|si|"
    r"[dho]|mix"
)
# Spellings of one name: what is written -> how the families here are called.
SPELLINGS = (
    (r"_| ", "-"),
    (r"^(internvl\d)-5\b", r"\1.5"),
    (r"^(minicpm-[vo]|minicpm-llama3-v|llava)-v?(\d)[.-](\d)", r"\1-\2.\3"),
    (r"^gemma-3", "gemma3"),
    (r"^(phi)-?(\d)", r"\1-\2"),
    (r"^llama-?(3\.2|4)", r"llama-\1"),
    (r"^llama-3\.2-\d+b-vision", "llama-3.2-vision"),
    (r"^(paligemma)2?(?:-\d+b)?(?:-pt|-mix)?-(224|448|896)$", r"\1-\2"),
)


class Ambiguous(Refused):
    """A name of several models that count differently, or of one that sees no images."""


def find(name: str) -> str:
    """The family of a model's name as people write it (`Qwen/Qwen2.5-VL-7B-Instruct`). Raises
    KeyError for an unknown one, Ambiguous for one that says too little.
    """
    text = VENDOR.sub("", name.strip().lower())
    for written, called in SPELLINGS:
        text = re.sub(written, called, text)
    for key, why in UNCOUNTED.items():
        if text.startswith(key):
            raise Ambiguous(f"{name[:40]} {why}")
    parts = text.split("-")
    while parts:
        spelled = "-".join(parts)
        if spelled in MODELS:
            return spelled
        if spelled in ALIASES:
            return ALIASES[spelled]
        if spelled in SEVERAL:
            told = ", ".join(f"{key} ({why})" for key, why in SEVERAL[spelled].items())
            raise Ambiguous(f"{name[:40]} is a name of several models: {told}")
        if not EXTRA.fullmatch(parts.pop()):
            break
    raise KeyError(name)


def count(
    model: str, width: int, height: int, least: int | None = None, most: int | None = None
) -> Tokens:
    """Tokens of one image in a released model. least, most: bounds on its pixels, for models that
    keep an image's shape. KeyError: unknown model; Refused: a size that makes no sense.
    """
    name = find(model)
    rule = MODELS[name]
    check_size(width, height)
    bounds = {key: value for key, value in (("least", least), ("most", most)) if value is not None}
    if not bounds:
        return rule(width, height)
    if getattr(rule, "func", None) is not native:
        able = [key for key, known in MODELS.items() if getattr(known, "func", None) is native]
        raise Refused(f"{name} has no bounds on its pixels (models that do: {', '.join(able)})")
    if not 1 <= bounds.get("least", 1) <= bounds.get("most", rule.keywords["most"]):
        raise Refused("the least number of pixels is above the largest, or below 1")
    return rule(width, height, **bounds)


# Least and most pixels of a frame, pixels across a token, frames that share tokens: the defaults of
# the video processors.
VIDEO_NATIVE = {
    "qwen2-vl": (128 * 28 * 28, 768 * 28 * 28, 28, 2),
    "qwen2.5-vl": (128 * 28 * 28, 768 * 28 * 28, 28, 2),
}
# Tokens of a frame, whatever its size, and of the end.
VIDEO_FIXED = {
    "llava-onevision": (14 * 14, 1),
    "internvl2": (256, 0),
    "internvl3": (256, 0),
    "internvl3.5": (256, 0),
    "smolvlm2-2.2b": (81, 0),
    "smolvlm2-500m": (64, 0),
    "smolvlm2-256m": (64, 0),
}
MAX_FRAMES = 100_000


def video(model: str, frames: int, width: int, height: int) -> Tokens:
    """Tokens of a video of so many sampled frames. KeyError: unknown model; Refused: a model whose
    rule for videos is not known, or sizes that make no sense.
    """
    name = find(model)
    check_size(width, height)
    if not 1 <= frames <= MAX_FRAMES:
        raise NoImage(f"{frames} frames: from 1 to {MAX_FRAMES:,}")
    if name in VIDEO_NATIVE:
        least, most, factor, together = VIDEO_NATIVE[name]
        frame = native(width, height, factor, least, most)
        pairs = -(-frames // together)
        formula = f"{pairs} x {frame.visual_tokens}: {together} frames share tokens"
        term = Term("frames", pairs * frame.visual_tokens, formula)
        return Tokens(width, height, (term,), 2)
    if name in VIDEO_FIXED:
        each, end = VIDEO_FIXED[name]
        terms = [Term("frames", frames * each, f"{frames} frames x {each}")]
        if end:
            terms.append(Term("end", end, "one break behind the last frame"))
        return Tokens(width, height, tuple(terms), 2)
    known = ", ".join((*VIDEO_NATIVE, *VIDEO_FIXED))
    raise Refused(f"how {name} counts a video is not known here (known: {known})")


PAPER_MM = {"a3": (297, 420), "a4": (210, 297), "a5": (148, 210), "letter": (215.9, 279.4)}


def page(paper: str, dpi: int) -> tuple[int, int]:
    """Pixels of a page (ISO 216; ANSI/ASME Y14.1) scanned at so many dots per inch. Raises
    Refused.
    """
    if paper not in PAPER_MM:
        raise Refused(f"the page {paper[:20]!r} is none of {', '.join(PAPER_MM)}")
    if not 1 <= dpi <= 2400:
        raise Refused(f"{dpi} dpi: from 1 to 2,400")
    width, height = (round(side / 25.4 * dpi) for side in PAPER_MM[paper])
    return width, height


def check_size(width: int, height: int) -> None:
    """Raise NoImage unless both sides are between 1 and MAX_SIDE pixels."""
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise NoImage(
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


@lru_cache(maxsize=1024)  # `pick` asks for the same few again and again
def per_view(patch: int, side: int, connector: str | None) -> Term:
    """Tokens of one square view of `side` pixels behind a connector.

    A projection keeps the patch grid, a pooling connector divides it, a resampler or abstractor
    gives its fixed number, which its paper uses.
    """
    grid = side // patch
    if connector in LEARNED:
        n = LEARNED[connector]
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
