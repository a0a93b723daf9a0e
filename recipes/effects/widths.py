"""How wide intervals must be: one factor for all, and one per benchmark beside it.

In: scored contrasts of left-out papers (backtest.py), predicted with the variances of the fit. Out:
the spread (a factor on heterogeneity and noise), and per benchmark a factor on top of it. Papers
disagree more on some benchmarks than on others (prompts, judges, splits), by more than their scales
say: one width for all covers a VizWiz in 59 % and an MMStar in 93 %. Does not predict.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist

from .backtest import Scored
from .columns import Column

LEVEL = 0.8  # of the intervals that are to hold it
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
# A benchmark's own factor counts as many papers as print it, the common one as many as this: with
# 2, 4 and 8 as tried, 83, 82 and 80 % of the benchmarks with 60 contrasts hold 65 to 92 %, and 73 %
# with one width for all (leave one paper out).
COMMON = 4
RANGE = (0.25, 4.0)


def needed(item: Scored) -> float:
    """The factor on the local variance of a prediction at which its interval just holds the result;
    below zero where the shared effect's uncertainty alone does.
    """
    miss = ((item.actual - item.expected) / Z) ** 2
    return (miss - (item.sd**2 - item.local)) / item.local


def spread_for(scored: Sequence[Scored]) -> float:
    """The factor on local variance that makes LEVEL of the left-out results fall inside their
    intervals, all contrasts pooled; two digits.
    """
    factors = sorted(map(needed, scored))
    return float(f"{max(RANGE[0], factors[min(len(factors) - 1, int(LEVEL * len(factors)))]):.2g}")


def _quantile(papers: Iterable[Sequence[float]]) -> float:
    """The LEVEL quantile of the factors of several papers; n contrasts of one paper weigh as
    sqrt(n): they repeat each other.
    """
    weighed = sorted((x, 1 / math.sqrt(len(part))) for part in papers for x in part)
    left = LEVEL * sum(weight for _, weight in weighed)
    for x, weight in weighed:
        left -= weight
        if left <= 0:
            return x
    return weighed[-1][0]


def _factor(papers: Sequence[Sequence[float]], spread: float) -> float:
    """The factor of a benchmark over the spread, drawn towards 1."""
    if not papers:
        return 1.0
    own = min(max(_quantile(papers) / spread, RANGE[0]), RANGE[1])
    return math.exp(math.log(own) * len(papers) / (len(papers) + COMMON))


def _by_benchmark(
    scored: Iterable[Scored], columns: Sequence[Column]
) -> dict[str, dict[str, list[float]]]:
    out: dict[str, dict[str, list[float]]] = {}
    for item in scored:
        column = columns[item.column]
        papers = out.setdefault(column.benchmark, {})
        papers.setdefault(column.paper, []).append(needed(item))
    return out


def widths_for(
    scored: Iterable[Scored], columns: Sequence[Column], spread: float
) -> dict[str, float]:
    """Benchmark -> factor on its local variance, beside the spread; three digits."""
    return {
        name: float(f"{_factor(list(papers.values()), spread):.3g}")
        for name, papers in sorted(_by_benchmark(scored, columns).items())
    }


def widened(scored: Sequence[Scored], columns: Sequence[Column], spread: float) -> list[Scored]:
    """The same predictions with the spread, and with widths that the other papers show."""
    seen = _by_benchmark(scored, columns)
    factors: dict[tuple[str, str], float] = {}
    out = []
    for item in scored:
        column = columns[item.column]
        key = column.benchmark, column.paper
        if key not in factors:
            others = [part for paper, part in seen[key[0]].items() if paper != key[1]]
            factors[key] = spread * _factor(others, spread)
        out.append(wider(item, factors[key]))
    return out


def wider(item: Scored, factor: float) -> Scored:
    """A prediction whose local variance is `factor` times as large."""
    local = item.local * factor
    return item._replace(sd=math.sqrt(item.sd**2 - item.local + local), local=local)
