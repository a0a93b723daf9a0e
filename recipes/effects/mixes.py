"""Weighted means of benchmarks worked out beforehand: the belief about every feature's effect on
the mean as one block.

In: a Posterior and the mixes (benchmark -> weight) that people ask for most. Out: a Block for each,
which the Posterior then uses. What the levels of the posterior say about a mean takes products with
all their matrices; from its own block it takes a few entries. Any other mean is still answered from
the levels.
"""

from collections.abc import Mapping

from .fit import packed
from .posterior import Block, Posterior, Reach


def know_mixes(
    posterior: Posterior,
    mixes: Mapping[str, Mapping[str, float]],
    families: Mapping[str, str | None],
) -> None:
    """Let the posterior know these mixes. families: of every benchmark in them."""
    posterior.know(
        mixes,
        {
            name: _block(
                posterior,
                {
                    benchmark: weight * posterior.scale_of(benchmark)
                    for benchmark, weight in weights.items()
                },
                families,
            )
            for name, weights in mixes.items()
        },
    )


def _block(
    posterior: Posterior, steps: Mapping[str, float], families: Mapping[str, str | None]
) -> Block:
    """Means and covariances of one unit of each feature, on the weighted mean."""
    size = len(posterior.names)
    rows = []
    for number in range(size):
        reach = Reach(posterior, [(1.0, posterior.trace({number: 1.0}, steps, families))])
        row = [0.0] * size
        for benchmark, step in steps.items():
            for other, value in reach.effects(benchmark, families[benchmark]).items():
                row[other] += step * value
        rows.append(row)
    means = posterior.mix_means(dict.fromkeys(range(size), 1.0), steps, families)
    whole = packed(rows)
    return Block(list(range(size)), list(means.values()), whole, whole)
