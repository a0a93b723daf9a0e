"""A recipe as numbers: which features it has, and on which axis each feature lives.

In: a setting (the fields of a recipe or of a table's row) and the vocabulary. Out: a sparse
dictionary feature -> value. A difference of two such dictionaries is what a change does to the
inputs of the model. Does not know any score.

Features per axis (a level is 1 where the component is present; k fused encoders share it as 1/k
each):
  encoder     encoder=SLUG, encoder_family=F, encoder_kind=K, encoder_size = log2(parameters /
  0.3B), encoder_fused = log2 k
  llm         llm=SLUG, llm_make=M (qwen, llama …), llm_size = log2(parameters / 7B),
              llm_small = octaves below 3B, llm_text = (MMLU - 55) / 15
  resolution  resolution = log2(longest side / 336 px), resolution_high = what exceeds 672 px of it
  tokens      visual_tokens = log2(tokens / 576), visual_tokens_high = what exceeds 576 tokens of it
  connector   connector=SLUG
  data        data=SLUG, data_size = log2(examples / 1M) / 3
  training    frozen_encoder = 1 when the encoder stays frozen
"""

import math
import re
from collections import Counter
from collections.abc import Mapping

from ..terms.recipe import pixels_in
from ..terms.vocabulary import UnknownName, Vocabulary

# Parameters, in billions, of a vision tower whose record prints no size: the size of the class of
# its name, as the registry counts it for towers of that class (ViT-B/L/H/g/G of OpenCLIP, SO400M of
# SigLIP, …).
SIZE_CLASS_LIKE = {
    "Ti": 0.0055,
    "S": 0.022,
    "B": 0.086,
    "L": 0.304,
    "SO": 0.428,
    "H": 0.632,
    "g": 1.013,
    "G": 1.845,
    "E": 4.351,
    "XXL": 0.847,
}

AXIS_OF = {
    "encoder": "encoder",
    "encoder_family": "encoder",
    "encoder_kind": "encoder",
    "encoder_size": "encoder",
    "encoder_fused": "encoder",
    "llm": "llm",
    "llm_make": "llm",
    "llm_size": "llm",
    "llm_small": "llm",
    "llm_text": "llm",
    "resolution": "resolution",
    "resolution_high": "resolution",
    "visual_tokens": "visual_tokens",
    "visual_tokens_high": "visual_tokens",
    "connector": "connector",
    "data": "data",
    "data_size": "data",
    "frozen_encoder": "training",
}
NUMERIC = (
    "encoder_size",
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
        "encoder_fused",
        "llm_text",
        "resolution_high",
        "visual_tokens_high",
    )
)


# before the name of a component whose family, kind or make is not known: a level that no table has
UNKNOWN = "?"


def group(feature: str) -> str:
    """The feature's group: its name without the level (`encoder=clip-vit-l-14` -> `encoder`)."""
    return feature.partition("=")[0]


def encoder_params_b(slug: str, words: Vocabulary) -> float | None:
    """Billions of parameters of a (fused) vision tower, or None when neither its record nor its
    size class says.
    """
    total = 0.0
    for part in slug.split("+"):
        record = words.records("encoder").get(part)
        if record is None:
            return None
        size = record.get("params_vision_tower")
        value = (
            size / 1e9
            if size
            else record.get("params_b_printed") or SIZE_CLASS_LIKE.get(record.get("size_class"))
        )
        if value is None:
            digits = re.fullmatch(r"(\d+)([MB])", record.get("size_class") or "")
            value = float(digits[1]) / (1000 if digits[2] == "M" else 1) if digits else None
        if value is None:
            return None
        total += value
    return total


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


KIND_WORDS = (
    ("dino|mae|jepa|moco|ibot|ssl", "self-supervised"),
    ("intern|qwen|pe-lang|pelang|kimi|moonvit", "vlm-aligned"),
    ("aim|florence|capp|coca|captioner|tulip", "language-generative"),
    ("clip|siglip|align|fastvit|mobileclip|pe-core|eva", "language-contrastive"),
    ("sam|midas|diffusion|depth|sd[0-9x]", "other"),
    ("in1k|in21k|in22k|imagenet|jft|sup", "supervised"),
)
SIZE_WORDS = (
    ("so400m|so-400m", 0.428),
    ("bigg|big-g|vit-g[^i]", 1.845),
    ("giant|vit-gi|-g-14", 1.1),
    ("huge|vit-h|-h-", 0.632),
    ("large|vit-l|-l-|-l/|300m", 0.304),
    ("base|vit-b|-b-|-b/", 0.086),
    ("small|vit-s|-s-", 0.022),
)


def guess_component(axis: str, name: str) -> dict[str, float]:
    """Covariates that an unknown component's name gives away (kind and size), as features; {} when
    none.
    """
    text = name.lower()
    size = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)\s*b(?![a-z])", text)
    if axis == "llm":
        return (
            {"llm_size": math.log2(float(size[1]) / 7)}
            if size and 0 < float(size[1]) < 2000
            else {}
        )
    if axis != "encoder":
        return {}
    kind = next((kind for words, kind in KIND_WORDS if re.search(words, text)), None)
    if kind is None:
        return {}
    params = (
        float(size[1])
        if size
        else next((s for words, s in SIZE_WORDS if re.search(words, text)), 0.304)
    )
    return {f"encoder_kind={kind}": 1.0, "encoder_size": math.log2(max(params, 0.005) / 0.3)}


def _make_of_encoder(name: str, words: Vocabulary) -> dict[str, float]:
    """Family, kind and (guessed) size of one encoder, as features.

    A family that is not known is one of its own, about which there is no evidence. A kind that is
    not known is, on the mean, what the encoders of the registry are, each kind by its share p, and
    apart from that mean by as much as two kinds drawn so are: the variance of an effect drawn by p,
    less that of the mean, is (1 - sum of p squared) of the prior one.
    """
    record = words.records("encoder").get(name)
    if record and record.get("kind"):
        return {f"encoder_family={record['family']}": 1.0, f"encoder_kind={record['kind']}": 1.0}
    out = {
        f"encoder_family={UNKNOWN}{name}": 1.0,
        **(guess_component("encoder", name) if record is None else {}),
    }
    if not any(group(feature) == "encoder_kind" for feature in out):
        counts = Counter(
            other["kind"] for other in words.records("encoder").values() if other.get("kind")
        )
        shares = {kind: count / counts.total() for kind, count in sorted(counts.items())}
        out |= {f"encoder_kind={kind}": share for kind, share in shares.items()}
        out[f"encoder_kind={UNKNOWN}{name}"] = math.sqrt(
            1.0 - sum(share * share for share in shares.values())
        )
    return out


def _reads_text(features_: Mapping[str, float]) -> bool:
    """Is an encoder with these features trained with text, or may it be?"""
    return any(
        name.startswith(("encoder_kind=language", "encoder_kind=vlm", "encoder_kind=" + UNKNOWN))
        for name in features_
    )


def features(setting: Mapping, words: Vocabulary) -> dict[str, float]:
    """The features of one setting. What the setting does not state has no feature.

    A component that the vocabulary does not know contributes what its name gives away, and its own
    level, about which there is no evidence (so it only widens the interval).
    """
    out: dict[str, float] = {}
    encoder = setting.get("encoder")
    if encoder:
        parts = encoder.split("+")
        known = {part: _make_of_encoder(part, words) for part in parts}
        # What one encoder of a fusion reads the LLM can read: text-supervised parts speak for the
        # whole.
        leading = [part for part in parts if _reads_text(known[part])] or parts
        for part in parts:
            out[f"encoder={part}"] = 1.0 / len(parts)
        for part in leading:
            for name, value in known[part].items():
                out[name] = out.get(name, 0.0) + value / len(leading)
        size = encoder_params_b(encoder, words)
        if size:
            out["encoder_size"] = math.log2(size / 0.3)
        if len(parts) > 1:
            out["encoder_fused"] = math.log2(len(parts))
    llm = setting.get("llm")
    if llm:
        out[f"llm={llm}"] = 1.0
        out[f"llm_make={llm_make(llm, words) or UNKNOWN + llm}"] = 1.0
        score = words.records("llm").get(llm, {}).get("mmlu")
        if score is not None:
            out["llm_text"] = (score - 55.0) / 15.0
    size = llm_params_b(setting, words)
    if size:
        out["llm_size"] = math.log2(size / 7.0)
        out["llm_small"] = max(0.0, math.log2(3.0 / size))
    elif llm and llm not in words.records("llm"):
        out.update(guess_component("llm", llm))
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
    if setting.get("data"):
        out[f"data={setting['data']}"] = 1.0
    if setting.get("data_size"):
        out["data_size"] = math.log2(setting["data_size"] / 1e6) / 3.0
    if setting.get("frozen_encoder") is not None:
        out["frozen_encoder"] = 1.0 if setting["frozen_encoder"] else 0.0
    return out


def difference(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    """Features of b minus features of a, without zeros. What only one side states, a number or a
    component, counts as equal.
    """
    named = [{AXIS_OF[group(name)] for name in side if "=" in name} for side in (a, b)]
    both = named[0] & named[1]
    out = {}
    for name in {**a, **b}:
        if name == "encoder_fused" or name not in NUMERIC:
            if AXIS_OF[group(name)] not in both:
                continue
        elif name not in a or name not in b:
            continue
        value = b.get(name, 0.0) - a.get(name, 0.0)
        if value:
            out[name] = value
    return out


__all__ = [
    "AXIS_OF",
    "NUMERIC",
    "UnknownName",
    "difference",
    "encoder_params_b",
    "features",
    "group",
    "guess_component",
    "llm_make",
    "llm_params_b",
    "pixels",
    "visual_tokens",
]
