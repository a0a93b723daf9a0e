"""A vision encoder as numbers: its family and those before it, its kind, size and age.

In: an encoder's name (fused ones joined by +) and the vocabulary. Out: features (features.py says
what they mean). An encoder that the vocabulary does not know gets what its name gives away; where
that is nothing, it is a mean encoder, and unsure by as much as encoders differ. Knows no score.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from ..terms.vocabulary import Vocabulary

# before the name of a component whose family, kind or make is not known: a level that no table has
UNKNOWN = "?"

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

# Words of names that say of what kind an encoder is, each whole (`internal-vit` is not InternViT),
# with or without a version behind it.
KIND_WORDS = (
    ("dino|web-dino|mae|jepa|moco|ibot|ssl", "self-supervised"),
    ("internvit|qwen|pe-?lang|kimi|moonvit", "vlm-aligned"),
    ("aim|florence|cappa|coca|captioner|tulip", "language-generative"),
    (
        "clip|openclip|metaclip|mobileclip|evaclip|eva|siglip|align|fastvit|fastvithd|pe-?core",
        "language-contrastive",
    ),
    ("sam|midas|diffusion|depth|sd", "other"),
    ("in1k|in21k|in22k|imagenet|jft|deit|supervised", "supervised"),
)
VERSION = r"(?:v?\d+(?:\.\d+)*)?"
SIZE_WORDS = (
    ("so400m|so-400m", 0.428),
    ("bigg|big-g|vit-g", 1.845),
    ("giant|vit-gi|g-14", 1.1),
    ("huge|vit-h|h-14|h-16", 0.632),
    ("large|vit-l|l-14|l-16|l|300m", 0.304),
    ("base|vit-b|b-14|b-16|b-32|b", 0.086),
    ("small|vit-s|s-14|s-16", 0.022),
)


def said(words: str, text: str) -> bool:
    """Does a name (lower case) hold one of these words, whole?"""
    return bool(re.search(rf"(?<![a-z0-9])(?:{words}){VERSION}(?![a-z0-9])", text))


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


def guessed(name: str) -> dict[str, float]:
    """Kind and size that an unknown encoder's name gives away, as features; {} when no kind."""
    text = name.lower()
    kind = next((kind for words, kind in KIND_WORDS if said(words, text)), None)
    if kind is None:
        return {}
    size = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)\s*b(?![a-z])", text)
    params = (
        float(size[1]) if size else next((s for words, s in SIZE_WORDS if said(words, text)), 0.304)
    )
    return {f"encoder_kind={kind}": 1.0, "encoder_size": math.log2(max(params, 0.005) / 0.3)}


def line(name: str, words: Vocabulary) -> list[str]:
    """An encoder's family and those that it succeeds, the latest first: a successor starts from its
    predecessor, not from the mean of its kind.
    """
    records, out, seen = words.records("encoder"), [], set()
    while name and name not in seen:
        seen.add(name)
        record = records.get(name)
        family = record.get("family") if record else name  # a line may begin with a family's name
        if family and family not in out:
            out.append(family)
        name = (record or {}).get("successor_of")
    return out


def year(record: Mapping) -> float | None:
    """When an encoder came out, in years; None: its record does not say."""
    month = re.match(r"(\d{4})-(\d\d)", record.get("release") or "")
    return int(month[1]) + (int(month[2]) - 1) / 12 if month else None


@lru_cache(maxsize=4)
def _usual_year(words: Vocabulary) -> float:
    """The median of the encoders that say when they came out."""
    years = sorted(filter(None, map(year, words.records("encoder").values())))
    return years[len(years) // 2] if years else 2024.0


def _make(name: str, words: Vocabulary) -> dict[str, float]:
    """Family, line, kind and (guessed) size of one encoder, as features.

    A family that is not known is one of its own, about which there is no evidence. A kind that is
    not known is, on the mean, what the encoders of the registry are, each kind by its share p, and
    apart from that mean by as much as two kinds drawn so are: the variance of an effect drawn by p,
    less that of the mean, is (1 - sum of p squared) of the prior one.
    """
    record = words.records("encoder").get(name)
    if record and record.get("kind"):
        out = {f"encoder_family={record['family']}": 1.0, f"encoder_kind={record['kind']}": 1.0}
        return out | {f"encoder_line={family}": 1.0 for family in line(name, words)}
    out = {
        f"encoder_family={UNKNOWN}{name}": 1.0,
        f"encoder_line={UNKNOWN}{name}": 1.0,
        **(guessed(name) if record is None else {}),
    }
    if not any(feature.startswith("encoder_kind=") for feature in out):
        counts = Counter(
            other["kind"] for other in words.records("encoder").values() if other.get("kind")
        )
        shares = {kind: count / counts.total() for kind, count in sorted(counts.items())}
        out |= {f"encoder_kind={kind}": share for kind, share in shares.items()}
        out[f"encoder_kind={UNKNOWN}{name}"] = math.sqrt(
            1.0 - sum(share * share for share in shares.values())
        )
    return out


def _reads_text(make: Mapping[str, float]) -> bool:
    """Is an encoder of this make trained with text, or may it be?"""
    return any(
        name.startswith(("encoder_kind=language", "encoder_kind=vlm", "encoder_kind=" + UNKNOWN))
        for name in make
    )


@lru_cache(maxsize=4096)
def encoder_features(encoder: str, words: Vocabulary) -> dict[str, float]:
    """The features of one encoder, or of several that are fused.

    What one encoder of a fusion reads the LLM can read: text-supervised parts speak for the whole.
    """
    parts = encoder.split("+")
    makes = {part: _make(part, words) for part in parts}
    leading = [part for part in parts if _reads_text(makes[part])] or parts
    out = {f"encoder={part}": 1.0 / len(parts) for part in parts}
    for part in leading:
        for name, value in makes[part].items():
            out[name] = out.get(name, 0.0) + value / len(leading)
    records = words.records("encoder")
    years = [year(records.get(part, {})) or _usual_year(words) for part in leading]
    out["encoder_date"] = (sum(years) / len(years) - 2024) / 2
    size = encoder_params_b(encoder, words)
    if size:
        out["encoder_size"] = math.log2(size / 0.3)
    if "encoder_size" in out:
        out["encoder_small"] = max(0.0, -out["encoder_size"])
    if len(parts) > 1:
        out["encoder_fused"] = math.log2(len(parts))
    return out
