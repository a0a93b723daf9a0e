"""A data mix as numbers: how much of each kind of data a model has seen.

In: the slug of a mix and the registry's mixes. Out: kind -> amount, over the instruction mix and
all stages before it. What the mix's name does for two papers that call it the same, its contents do
for a mix that no paper ablates. Knows no score.
"""

import math
from functools import lru_cache

from ..terms.mixes import Mix, Mixes, Part

# Samples at which a kind begins to count: twice as many add as much again from here on.
UNIT = 20_000
OCTAVES = 4.0  # that make one unit of a feature: 300,000 samples


@lru_cache(maxsize=4)
def _usual(mixes: Mixes) -> float:
    """Samples of a dataset that no source counts, as far as a model has to put a number: the median
    of those that are counted.
    """
    counts = sorted(r["samples"] for r in mixes.datasets.values() if r.get("samples"))
    return counts[len(counts) // 2] if counts else UNIT


def _amount(part: Part, mixes: Mixes) -> float:
    if part.samples is not None:
        return part.samples
    return mixes.datasets[part.dataset].get("samples") or _usual(mixes)


@lru_cache(maxsize=4096)
def contents(slug: str, mixes: Mixes) -> dict[str, float]:
    """Kind of data -> log2(1 + samples / UNIT) / OCTAVES; {} for a mix whose parts nobody lists."""
    mix = mixes.mix(slug)
    if mix is None or not mix.parts:
        return {}
    seen: dict[str, float] = {}
    for stage in (mix, *mixes.stages(slug)):
        if isinstance(stage, Mix):
            for part in stage.parts:
                seen[part.kind] = seen.get(part.kind, 0.0) + _amount(part, mixes)
        else:
            record = mixes.datasets[stage]
            kind = record["kind"]
            seen[kind] = seen.get(kind, 0.0) + (record.get("samples") or _usual(mixes))
    return {kind: math.log2(1 + n / UNIT) / OCTAVES for kind, n in sorted(seen.items())}
