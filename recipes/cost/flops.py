"""Floating-point operations and parameters of the parts of a VLM, from their registry records.

In: encoder and LLM records, connector names, token counts. Out: FLOPs (multiply and add counted as
two) and parameters. Stages, hardware and time are training.py and latency.py.

Sources: a transformer's forward pass costs 2 N per token plus attention (Kaplan et al. 2020, §2.1;
registry `how_to_read.flops` for ViTs); a backward pass costs twice the forward one (same place).
"""

import math
import re
from collections.abc import Mapping

from ..base.errors import Refused

# Convolutional towers cost by pixels, not by tokens: blocks per stage, width per stage, stride of
# the first stage. ConvNeXt-L, -XXL: registry notes and the timm models they name; FastViTHD:
# FastVLM §3.2 as quoted in its record.
STAGES = {
    "convnext-l-clip": ((3, 3, 27, 3), (192, 384, 768, 1536), 4),
    "convnext-xxl-clip": ((3, 4, 30, 3), (384, 768, 1536, 3072), 4),
    "fastvithd": ((2, 12, 24, 4, 2), (96, 192, 384, 768, 1536), 4),
}


class MissingFigure(Refused):
    """The registry lacks a figure that the arithmetic needs; the message names it."""


def need(record: Mapping, key: str) -> float:
    """A number of a record, or MissingFigure (also where layers differ and it is a list)."""
    value = record.get(key)
    if not isinstance(value, (int, float)):
        raise MissingFigure(f"{record.get('slug', 'the record')}: the registry has no {key}")
    return value


def trunk_params(encoder: Mapping) -> float:
    """Parameters that an encoder runs inside a VLM (without pooling head or projection where that
    is known).
    """
    return (
        encoder.get("params_trunk_no_head")
        or encoder.get("params_vision_tower")
        or 1e9 * need(encoder, "params_b_printed")
    )


def patch_tokens(encoder: Mapping, side: int) -> int:
    """Patches of a square image of `side` pixels."""
    return (side // int(need(encoder, "patch_size"))) ** 2


def encoder_forward(encoder: Mapping, side: int) -> float:
    """FLOPs of one forward pass over one square image of `side` pixels."""
    stages = STAGES.get(encoder.get("slug", ""))
    if stages:
        depths, widths, stride = stages
        # a block: two pointwise layers of ratio 4 (8 d^2) and a 7 x 7 depthwise one (49 d), per
        # position
        return sum(
            2.0 * depth * (8 * d * d + 49 * d) * (side / (stride * 2**s)) ** 2
            for s, (depth, d) in enumerate(zip(depths, widths))
        )
    tokens = patch_tokens(encoder, side)
    return 2.0 * trunk_params(encoder) * tokens + 4.0 * need(encoder, "depth") * tokens**2 * need(
        encoder, "width"
    )


def connector_params(connector: str, width: float, hidden: float) -> float:
    """Parameters of a connector between an encoder of `width` and an LLM of `hidden` (registry
    `params_formula`).

    Connectors whose parameters no source counts get the two-layer MLP's number: they are small
    beside the rest.
    """
    mlp = width * hidden + hidden + hidden * hidden + hidden
    if connector == "linear":
        return width * hidden + hidden
    if connector in ("pixel-shuffle-mlp", "patch-merger-qwen", "stc-2x2-mlp"):
        return 4 * width * hidden + hidden + hidden * hidden + hidden
    # 12 BERT-base layers (7.1M each), cross-attention to `width` in every second one
    if connector == "q-former":
        return 12 * 7.1e6 + 6 * (2 * 768 * 768 + 2 * 768 * width) + 768 * hidden + hidden
    # three layers at LLM width: cross-attention (4 h^2) and a gated MLP (3 h 4h), and a projection
    if connector == "perceiver":
        return 3 * (4 * hidden**2 + 12 * hidden**2) + 3 * width * hidden
    if connector in ("resampler-honeybee", "resampler"):  # six layers of 1024
        return 6 * (8 * 1024**2 + 8 * 1024**2) + 1024 * hidden
    return mlp


def llm_params(llm: Mapping) -> float:
    """Parameters outside the embedding table: what a token passes through."""
    return llm.get("params_non_embedding") or llm.get("params") or 1e9 * need(llm, "params_b")


def active_share(llm: Mapping) -> float:
    """The share of an LLM's layers that a token passes: less than 1 for a mixture of experts whose
    name says it, as qwen3-30b-a3b (3B of 30.5B active)."""
    if not llm.get("experts"):
        return 1.0
    found = re.search(r"-a(\d+(?:\.\d+)?)b", llm.get("slug") or "")
    return min(1.0, 1e9 * float(found[1]) / llm_params(llm)) if found else 1.0


def llm_forward(llm: Mapping, tokens: float, context: float | None = None) -> float:
    """FLOPs of a forward pass over `tokens` new tokens that attend causally to at most `context`
    (default: each other).

    2 N per token (of a mixture of experts, the active ones), plus 4 d per token, layer and attended
    position; half the square when tokens attend to each other.
    """
    attended = tokens / 2 if context is None else context
    attention = 4.0 * llm.get("layers", 0) * llm.get("hidden_size", 0) * attended * tokens
    return 2.0 * llm_params(llm) * active_share(llm) * tokens + attention


def training_factor(trained: bool, upstream_trained: bool) -> float:
    """Cost of one training step of a part, in forward passes.

    3 when it is trained (forward, gradient of its input, gradient of its weights), 2 when it is
    frozen but the gradient must pass through it to something trained before it, 1 when nothing
    before it is trained either.
    """
    return 3.0 if trained else 2.0 if upstream_trained else 1.0


def format_flop(value: float) -> str:
    """`9.4e+18` as people write it: 9.4e18."""
    if not value:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    return f"{value / 10**exponent:.1f}e{exponent}"
