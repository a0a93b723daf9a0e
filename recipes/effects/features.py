"""A recipe as numbers: which features it has, and on which axis each feature lives.

In: a setting (the fields of a recipe or of a table's row) and the vocabulary. Out: a sparse
dictionary feature -> value. A difference of two such dictionaries is what a change does to the
inputs of the model. Does not know any score.

Features per axis (a level is 1 where the component is present; k fused encoders share it as 1/k
each):
  encoder     encoder=SLUG, encoder_family=F, encoder_line=F of its own family and of each that it
              succeeds, encoder_kind=K, encoder_size = log2(parameters / 0.3B), encoder_small =
              octaves below 0.3B, encoder_date = years since 2024 / 2, encoder_fused = log2 k,
              kind_pixels=K = resolution, for encoders of kind K
  llm         llm=SLUG, llm_make=M (qwen, llama …), llm_line=G of its own generation and of each
              that it succeeds, llm_size = log2(parameters / 7B),
              llm_small = octaves below 3B, llm_text = (MMLU - 55) / 15, llm_guess=SLUG = how
              unsure a MMLU that nobody printed is (text.py), in the same unit
  resolution  resolution = log2(longest side / 336 px), resolution_high = what exceeds 672 px of it
  tokens      visual_tokens = log2(tokens / 576), visual_tokens_high = what exceeds 576 tokens of it
  connector   connector=SLUG, connector_class=C (projection, pooling, resampler …)
  data        data=SLUG, data_size = log2(examples / 1M) / 3, data_kind=K = log2(1 + samples of
              that kind / 20K) / 4, over all stages (contents.py)
  training    frozen_encoder = 1 when the encoder stays frozen
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache

from ..terms.recipe import pixels_in
from ..terms.vocabulary import UnknownName, Vocabulary
from .contents import contents
from .encoders import UNKNOWN, encoder_features, encoder_params_b
from .text_scores import text_score

AXIS_OF = {
    "encoder": "encoder",
    "encoder_family": "encoder",
    "encoder_kind": "encoder",
    "encoder_size": "encoder",
    "encoder_fused": "encoder",
    "encoder_line": "encoder",
    "encoder_small": "encoder",
    "encoder_date": "encoder",
    "kind_pixels": "encoder",
    "llm": "llm",
    "llm_make": "llm",
    "llm_line": "llm",
    "llm_size": "llm",
    "llm_small": "llm",
    "llm_text": "llm",
    "llm_guess": "llm",
    "resolution": "resolution",
    "resolution_high": "resolution",
    "visual_tokens": "visual_tokens",
    "visual_tokens_high": "visual_tokens",
    "connector": "connector",
    "connector_class": "connector",
    "data": "data",
    "data_size": "data",
    "data_kind": "data",
    "frozen_encoder": "training",
}
NUMERIC = (
    "encoder_size",
    "encoder_small",
    "encoder_date",
    "encoder_fused",
    "llm_size",
    "llm_small",
    "llm_text",
    "resolution",
    "resolution_high",
    "visual_tokens",
    "visual_tokens_high",
    "data_size",
    "frozen_encoder",
)
# What an axis may leave the range of the tables by: not yes or no, not a count of parts or a score,
# not what exceeds a knot.
RANGED = tuple(
    name
    for name in NUMERIC
    if name
    not in (
        "frozen_encoder",
        "encoder_small",
        "encoder_date",
        "encoder_fused",
        "llm_text",
        "resolution_high",
        "visual_tokens_high",
    )
)


# What is stated as a whole or not at all, beside the levels of an axis: amounts that stand under
# names.
AMOUNTS = ("kind_pixels", "data_kind")
# What speaks for a connector or a mix that no table prints beside the other: an answer that rests
# on these alone is extrapolated.
LIKENESS = ("connector_class", "data_kind")


def group(feature: str) -> str:
    """The feature's group: its name without the level (`encoder=clip-vit-l-14` -> `encoder`)."""
    return feature.partition("=")[0]


def level(feature: str) -> str:
    """What a feature's name says after its group (`encoder_kind=other` -> `other`)."""
    return feature.partition("=")[2]


def bundle(feature: str) -> str:
    """What a feature is stated together with: all levels of an axis (fused parts among them), all
    amounts of a group, or a number alone. A side that has nothing of a bundle does not state it.
    """
    name = group(feature)
    if name in AMOUNTS or name in NUMERIC and name != "encoder_fused":
        return name
    return AXIS_OF[name] + "="


def llm_make(slug: str | None, words: Vocabulary) -> str | None:
    """Who makes an LLM: its family without version numbers (qwen for Qwen1.5 to Qwen3), or None."""
    family = words.records("llm").get(slug or "", {}).get("family")
    return re.match(r"[a-z]+", family)[0] if family else None


def llm_params_b(setting: Mapping, words: Vocabulary) -> float | None:
    """Billions of parameters of the language model: the registry's count, else what the setting
    says.
    """
    record = words.records("llm").get(setting.get("llm")) if setting.get("llm") else None
    return (record or {}).get("params_b") or setting.get("llm_params_b")


def pixels(setting: Mapping, words: Vocabulary) -> float | None:
    """The longest side in pixels that the encoder sees, over all tiles (the square root of the area
    for odd shapes).
    """
    value = setting.get("resolution")
    record = words.records("resolution").get(value) if isinstance(value, str) else None
    side = value if isinstance(value, (int, float)) else record.get("px") if record else None
    crops = setting.get("crops_train")
    if crops is not None:  # Molmo: crops of 336 px, as many in training and test as both allow
        known = [c for c in (crops, setting.get("crops_test")) if isinstance(c, int)]
        return 336.0 * math.sqrt(min(known)) if known else None
    if side is None and isinstance(value, str) and record is None:
        side = pixels_in(value)
    part, count = setting.get("sub_image_resolution"), setting.get("n_sub_images")
    if part and count:  # MM1.5: tiles of one size, one of them the overview
        return part * math.sqrt(max(1, count - 1))
    return side


# tiles with the overview, or the middle of a range
TILES = {"1": 1, "2x2": 5, "3x3": 10, "9-12": 10.5, "1-12": 6.5}
ANYRES = 5  # LLaVA-NeXT's AnyRes at 672 px: a 2x2 grid of tiles and the overview


def visual_tokens(setting: Mapping, words: Vocabulary) -> float | None:
    """Visual tokens of one image: as stated, from tokens per tile, or the patch grid under a
    projection connector.
    """
    if setting.get("visual_tokens"):
        return setting["visual_tokens"]
    if setting.get("tokens_per_tile"):
        tiled = ANYRES if setting.get("tiling") == "anyres" else 1
        return setting["tokens_per_tile"] * TILES.get(setting.get("tiles"), tiled)
    side, encoder, connector = (
        setting.get("resolution"),
        setting.get("encoder"),
        setting.get("connector"),
    )
    record = words.records("connector").get(connector)
    if (
        not encoder
        or not isinstance(side, (int, float))
        or (record and record.get("class") != "projection")
    ):
        return None
    patches = [
        words.records("encoder").get(part, {}).get("patch_size") for part in encoder.split("+")
    ]
    if None in patches or setting.get("tiling"):
        return None
    return float((side // max(patches)) ** 2)


def features(setting: Mapping, words: Vocabulary) -> dict[str, float]:
    """The features of one setting. What the setting does not state has no feature.

    A component that the vocabulary does not know contributes what its name gives away, and its own
    level, about which there is no evidence (so it only widens the interval).
    """
    out: dict[str, float] = {}
    if setting.get("encoder"):
        out |= encoder_features(setting["encoder"], words)
    out |= _language(setting, words)
    side = pixels(setting, words)
    if side:
        out["resolution"] = math.log2(side / 336.0)
        out["resolution_high"] = max(0.0, math.log2(side / 672.0))
    tokens = visual_tokens(setting, words)
    if tokens:
        out["visual_tokens"] = math.log2(max(tokens, 1.0) / 576.0)
        out["visual_tokens_high"] = max(0.0, out["visual_tokens"])
    if setting.get("connector"):
        out[f"connector={setting['connector']}"] = 1.0
        of_class = words.connector_class(setting)
        if of_class:
            out[f"connector_class={of_class}"] = 1.0
    if setting.get("data"):
        out[f"data={setting['data']}"] = 1.0
        for kind, amount in contents(setting["data"], words.mixes).items():
            out[f"data_kind={kind}"] = amount
    if setting.get("data_size"):
        out["data_size"] = math.log2(setting["data_size"] / 1e6) / 3.0
    if setting.get("frozen_encoder") is not None:
        out["frozen_encoder"] = 1.0 if setting["frozen_encoder"] else 0.0
    return crossed(out)


def generations(llm: str, words: Vocabulary) -> list[str]:
    """A language model's generation and those that it succeeds, the latest first (qwen2.5, qwen2,
    qwen1.5, qwen); itself where its record names none.
    """
    records = words.records("llm")
    before = _predecessors(words)
    name, out = records.get(llm, {}).get("generation"), []
    while name and name not in out:
        out.append(name)
        name = before.get(name)
    return out or [UNKNOWN + llm]


@lru_cache(maxsize=4)
def _predecessors(words: Vocabulary) -> dict[str, str | None]:
    """Generation of language models -> the one that it succeeds."""
    return {
        record["generation"]: record.get("successor_of")
        for record in words.records("llm").values()
        if record.get("generation")
    }


def _language(setting: Mapping, words: Vocabulary) -> dict[str, float]:
    """The features of a language model, or of a size alone."""
    out: dict[str, float] = {}
    llm, size = setting.get("llm"), llm_params_b(setting, words)
    if llm and not size and llm not in words.records("llm"):
        named = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)\s*b(?![a-z])", llm.lower())
        size = float(named[1]) if named and 0 < float(named[1]) < 2000 else None
    if llm:
        out[f"llm={llm}"] = 1.0
        out[f"llm_make={llm_make(llm, words) or UNKNOWN + llm}"] = 1.0
        for generation in generations(llm, words):
            out[f"llm_line={generation}"] = 1.0
        text = text_score(llm, size, words)
        if text:
            out["llm_text"] = (text.mmlu - 55.0) / 15.0
            if text.sd:
                out[f"llm_guess={llm}"] = text.sd / 15.0
    if size:
        out["llm_size"] = math.log2(size / 7.0)
        out["llm_small"] = max(0.0, math.log2(3.0 / size))
    return out


def crossed(side: dict[str, float]) -> dict[str, float]:
    """Features of one side with those that two of its axes make together: what resolution is worth
    to an encoder of its kind.
    """
    pixels_ = side.get("resolution")
    if pixels_ is not None:
        for name, share in list(side.items()):
            if group(name) == "encoder_kind" and not level(name).startswith(UNKNOWN):
                side["kind_pixels=" + level(name)] = share * pixels_
    return side


def difference(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    """Features of b minus features of a, without zeros. What only one side states, a number or a
    component, counts as equal.
    """
    both = {bundle(name) for name in a} & {bundle(name) for name in b}
    out = {}
    for name in {**a, **b}:
        value = b.get(name, 0.0) - a.get(name, 0.0)
        if value and bundle(name) in both:
            out[name] = value
    return out


__all__ = [
    "AXIS_OF",
    "NUMERIC",
    "UNKNOWN",
    "UnknownName",
    "bundle",
    "crossed",
    "difference",
    "encoder_params_b",
    "features",
    "group",
    "llm_make",
    "llm_params_b",
    "pixels",
    "visual_tokens",
]
