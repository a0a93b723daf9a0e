"""The printed rows behind one predicted delta, and how much each counts beside the others.

In: a change, the rows found for it (rows.py). Out: weighed rows, their pooled delta, the heaviest.
The shares are among the listed rows alone; what carries the fit itself: attribution.py.
"""

import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence

from ..terms.vocabulary import Vocabulary
from . import meta
from .change import Change
from .features import llm_params_b
from .results import Evidence
from .rows import Found

# A row about components of the same make counts as if its variance were this many times larger.
NEAR_DISCOUNT = 4.0


NEAR_ROWS = 8


def weigh(found: Sequence[Found], change: Change) -> dict[int, tuple[float, float]]:
    """(adjusted delta, variance) of each contrast, in percent of the scale, by the identity of the
    contrast.

    What the model expects of everything else that moved is taken out, and its uncertainty put in;
    noise of two runs and the heterogeneity of what moved are added.
    """
    out = {}
    for item in found:
        metric = item.contrast.metric
        unit, scale = (
            metric.max / 100 if metric.max else 1.0,
            change.posterior.scale_of(metric.benchmark),
        )
        effect = change.beside(item, change.pair(item))
        out[id(item)] = (
            item.delta / unit - effect.mean * scale,
            (effect.variance + _local(item, change)) * scale**2,
        )
    return out


def _local(item: Found, change: Change) -> float:
    """The variance of a contrast that is not of what else moved: noise and heterogeneity."""
    name = item.contrast.metric.benchmark
    local = change.pair(item).local * change.posterior.width(name) + change.noise(name)
    # it speaks for the asked components only as far as their make does
    return local * NEAR_DISCOUNT if item.near else local


def shares(
    found: Sequence[Found], weighed: Mapping[int, tuple[float, float]]
) -> tuple[list[float], meta.Pooled]:
    """The weights of rows (adding up to 1), and their random-effects pool over papers in percent of
    the scale. weighed: see `weigh`.
    """
    by_paper: dict[str, list[int]] = {}
    for number, item in enumerate(found):
        by_paper.setdefault(item.contrast.table.paper, []).append(number)
    y, v, weight = [], [], [0.0] * len(found)
    for numbers in by_paper.values():
        # pairs of one paper share arms and heterogeneity: together they count as one result of
        # average precision
        pairs = [weighed[id(found[n])] for n in numbers]
        inner = sum(1 / variance for _, variance in pairs)
        variance = len(numbers) / inner
        y.append(sum(delta / each for delta, each in pairs) / inner)
        v.append(variance)
        for n, (_, each) in zip(numbers, pairs):
            weight[n] = (1 / variance) * (1 / each) / inner
    total = sum(weight)
    return [w / total for w in weight], meta.pool(y, v, "DL")


def heaviest(found: Sequence[Found], change: Change) -> list[Found]:
    """The NEAR_ROWS weightiest rows. A row weighs 1 over its variance and over the number of its
    paper's rows (see `shares`); rows are weighed only until no other can be among these.
    """
    of = Counter(item.contrast.table.paper for item in found)
    scale = change.posterior.scale_of

    def most(item: Found) -> float:
        variance = _local(item, change) * scale(item.contrast.metric.benchmark) ** 2
        return 1 / variance / of[item.contrast.table.paper]

    best: list[tuple[Found, float]] = []
    least = 0.0
    for bound, item in sorted(((most(item), item) for item in found), key=lambda one: -one[0]):
        if len(best) >= NEAR_ROWS and bound < least:
            break
        variance = weigh([item], change)[id(item)][1]
        best.append((item, 1 / variance / of[item.contrast.table.paper]))
        if len(best) >= NEAR_ROWS:
            least = heapq.nlargest(NEAR_ROWS, [weight for _, weight in best])[-1]
    return [item for item, _ in sorted(best, key=_order)[:NEAR_ROWS]]


def _order(pair: tuple[Found, float]) -> tuple:
    """The weightiest first; equal ones in an order that the direction of a change leaves alone."""
    item, weight = pair
    arms = item.from_row.arm, item.to_row.arm
    return -float(f"{weight:.9g}"), item.contrast.table.id, *sorted(arms), *arms


def rows_of(
    kept: Sequence[Found], weighed: Mapping[int, tuple[float, float]], change: Change
) -> list[Evidence]:
    """Rows of one benchmark as they are shown, with weights that add up to 1."""
    if not kept:
        return []
    found = sorted(zip(kept, shares(kept, weighed)[0]), key=_order)
    return [as_evidence(item, weight, change) for item, weight in found]


def neighbours(found: Sequence[Found], change: Change) -> list[Evidence]:
    """The weightiest rows of the same change on other benchmarks of a family."""
    kept, of = heaviest(found, change), Counter(item.contrast.table.paper for item in found)
    weighed = weigh(kept, change)
    weights = [1 / weighed[id(item)][1] / of[item.contrast.table.paper] for item in kept]
    return [
        as_evidence(item, weight / sum(weights), change)._replace(
            **{} if item.near else {"relation": "neighbour"}
        )
        for item, weight in zip(kept, weights)
    ]


def pool(
    direct: Sequence[Found], weighed: Mapping[int, tuple[float, float]], unit: float, sign: float
) -> meta.Pooled | None:
    """The direct rows of one benchmark alone, in points of its scale in the registry, whatever
    maximum a table prints.
    """
    if not direct:
        return None
    pooled = shares(direct, weighed)[1]
    return pooled._replace(
        estimate=pooled.estimate * unit * sign, se=pooled.se * unit, tau2=pooled.tau2 * unit**2
    )


def as_evidence(item: Found, weight: float, change: Change) -> Evidence:
    """A row pair as it is shown."""
    metric = item.contrast.metric
    sign = 1.0 if metric.higher_is_better else -1.0
    top = change.words.records("benchmark").get(metric.benchmark, {}).get("max")
    factor = top / metric.max if top and metric.max else 1.0
    noise = (
        math.sqrt(change.noise(metric.benchmark))
        * change.posterior.scale_of(metric.benchmark)
        * (top / 100 if top else 1.0)
    )
    return Evidence(
        item.contrast.table.id,
        item.contrast.table.arxiv,
        metric.benchmark,
        metric.split,
        item.from_row.arm,
        item.to_row.arm,
        item.delta * sign * factor,
        weight,
        change.controlled(item),
        change.also_moves(item),
        _llm_label(item.from_row.setting, change.words),
        "near" if item.near else "direct",
        item.delta * sign if factor != 1.0 else None,
        noise,
    )


def _llm_label(setting: Mapping, words: Vocabulary) -> str | None:
    if setting.get("llm"):
        return setting["llm"]
    size = llm_params_b(setting, words)
    return f"{size:g}B" if size else None
