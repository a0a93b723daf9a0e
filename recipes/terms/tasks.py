"""Task mixes: what the model is for, as weights over benchmarks.

In: text such as `documents`, `ocr-document=0.6,chart=0.4`, `mmmu=2,docvqa=1`. Out: a Mix of
benchmark weights that add up to 1. A family stands for its core benchmarks
(registry/benchmarks.json, `families`), in equal parts.
"""

import re
from typing import NamedTuple

from ..base.errors import Refused
from .vocabulary import UnknownName, Vocabulary, nearest

BALANCED = ("general-vqa", "reasoning-knowledge", "ocr-document", "chart", "vision-centric-spatial")


class MixError(Refused):
    """A task mix that cannot be read."""


class TaskMix(NamedTuple):
    """`parts`: what was asked, families or benchmarks with weights; `benchmarks`: the weights they
    come to.
    """

    parts: dict[str, float]
    benchmarks: dict[str, float]

    @property
    def label(self) -> str:
        """The mix in one short line."""
        if tuple(self.parts) == BALANCED and len(set(self.parts.values())) == 1:
            return f"balanced ({len(BALANCED)} task families)"
        return ", ".join(
            name if len(self.parts) == 1 else f"{name} {weight:.0%}"
            for name, weight in self.parts.items()
        )


def parse_mix(text: str | None, words: Vocabulary) -> TaskMix:
    """Read a mix. None or `balanced`: five families in equal parts. Raises MixError or
    UnknownName.
    """
    if text is None or text.strip().lower() in ("balanced", "all", "default"):
        return spread(dict.fromkeys(BALANCED, 1.0), words)
    if not text.strip():
        raise MixError("an empty task mix (as in documents=0.6,charts=0.4, or balanced)")
    parts: dict[str, float] = {}
    for item in re.split(r"\s*[,;]\s*|\s+and\s+", text.strip()):
        name, sign, weight = (
            part.strip() for part in re.match(r"([^=:]*)([=:]?)(.*)", item).groups()
        )
        value = 1.0
        if sign:
            try:
                value = float(weight.rstrip("% ")) / (100 if weight.endswith("%") else 1)
            except ValueError:
                raise MixError(
                    f"cannot read the weight {weight[:40]!r} (as in documents=0.6,charts=0.4)"
                ) from None
            if not 0 < value < 1e6:
                raise MixError(f"the weight {weight[:40]!r} must be positive")
        key = words.find("family", name) or words.find("benchmark", name)
        if key is None:
            raise UnknownName(
                "task family or benchmark",
                name,
                nearest(name, {**words.spellings("benchmark"), **words.spellings("family")}),
            )
        parts[key] = parts.get(key, 0.0) + value
    return spread(parts, words)


def spread(parts: dict[str, float], words: Vocabulary) -> TaskMix:
    """Weights of families and benchmarks -> weights of benchmarks. Raises MixError for a benchmark
    without a family.
    """
    families, records = words.records("family"), words.records("benchmark")
    total = sum(parts.values())
    out: dict[str, float] = {}
    for name, weight in parts.items():
        core = families[name]["core"] if name in families else [name]
        for benchmark in core:
            if not records[benchmark]["family"]:
                raise MixError(f"{benchmark} does not test images")
            out[benchmark] = out.get(benchmark, 0.0) + weight / total / len(core)
    return TaskMix({name: weight / total for name, weight in parts.items()}, out)
