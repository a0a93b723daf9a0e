"""Memory of a VLM: weights, KV cache, activations; and what training adds.

In: registry records, number format, token counts. Out: gigabytes (10^9 bytes), term by term.
"""

from collections.abc import Mapping
from typing import NamedTuple

from . import flops

# Bytes per weight. int4 formats carry a 16-bit scale (and zero point) for every group of 128
# weights: 0.53.
WEIGHT_BYTES = {"bf16": 2.0, "fp16": 2.0, "int8": 1.0, "int4": 0.53}
OVERHEAD_GB = 1.0  # CUDA context and workspace of an inference process


class Memory(NamedTuple):
    """Gigabytes by what holds them."""

    weights: float
    kv_cache: float
    activations: float
    overhead: float

    @property
    def total(self) -> float:
        return self.weights + self.kv_cache + self.activations + self.overhead


def kv_bytes_per_token(llm: Mapping) -> float:
    """Keys and values of one token, 16 bit: 2 x 2 x layers x kv_heads x head_dim (grouped-query
    attention aware).
    """
    return (
        4.0 * flops.need(llm, "layers") * flops.need(llm, "kv_heads") * flops.need(llm, "head_dim")
    )


def llm_bytes(llm: Mapping, dtype: str, int4: float = WEIGHT_BYTES["int4"]) -> float:
    """Bytes of all weights; embeddings stay in 16 bit when the rest is quantised. int4: bytes of a
    4-bit weight."""
    everything = llm.get("params") or 1e9 * flops.need(llm, "params_b")
    body = flops.llm_params(llm)
    return body * (int4 if dtype == "int4" else WEIGHT_BYTES[dtype]) + (everything - body) * 2.0


class Shown(NamedTuple):
    """What an image makes an encoder hold: positions, and its width (the largest encoder's)."""

    patches: float = 0.0
    width: float = 0.0


# 16-bit logits of every token of a prompt and their fp32 copy, where an engine keeps them:
# Qwen2-VL-7B's memory grows by 0.98 MB a token, of which its cache takes 0.06 (README)
PROMPT_LOGIT_BYTES = 6.0


def inference(
    llm: Mapping,
    encoder_params: float,
    connector_params: float,
    tokens: float,
    dtype: str = "bf16",
    batch: int = 1,
    shown: Shown = Shown(),
    prompt_logits: float = 0.0,
) -> Memory:
    """Memory to answer with `tokens` in the context of each of `batch` requests. Vision tower and
    connector in 16 bit. prompt_logits: tokens of a prompt whose logits are held.
    """
    weights = llm_bytes(llm, dtype) + 2.0 * (encoder_params + connector_params)
    cache = kv_bytes_per_token(llm) * tokens * batch
    # the widest moment of prefill: hidden states, and one layer's gated MLP at its inner width, in
    # 16 bit
    activations = (
        2.0
        * tokens
        * batch
        * (
            2 * flops.need(llm, "hidden_size")
            + 2 * (llm.get("intermediate_size") or 4 * llm["hidden_size"])
        )
    )
    # the same of the encoder, whose MLP is four times its width; what is larger decides
    activations = max(activations, 20.0 * shown.patches * shown.width * batch)
    activations += PROMPT_LOGIT_BYTES * prompt_logits * batch * (llm.get("vocab") or 0)
    return Memory(weights / 1e9, cache / 1e9, activations / 1e9, OVERHEAD_GB)
