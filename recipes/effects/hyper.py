"""What the model assumes before it sees a table: variances, how they split over levels, how much
noise a run has.

In: nothing. Out: the Hyper value that model.py fits with and posterior.py predicts with. The
numbers stand in tables/derived/hyper.json.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

# of a benchmark that no table ablates, in percent of its scale (see model.scales)
DEFAULT_SCALE = 4.0


class Hyper(NamedTuple):
    """Hyper-parameters, all variances in units of the benchmark's scale squared.

    prior: per feature group. share: per axis, fractions (all benchmarks, family, own) that add up
    to 1.
    heterogeneity: per kind of setting (columns.KINDS), and per unit squared of the features in
    SLOPES (how much such a slope differs between papers). noise: of one run (seeds, order of the
    data). binomial: how much of the sampling variance of the questions is left between two arms
    that answer the same ones. overlap: how much columns of one paper in one family repeat each
    other. trust: per axis, the share of a posterior mean that a prediction for an unseen paper
    takes (1 where none is named): where effects do not carry over from paper to paper, less is the
    better prediction.
    """

    prior: Mapping[str, float]
    share: Mapping[str, Sequence[float]]
    heterogeneity: Mapping[str, float]
    noise: float
    binomial: float
    overlap: float
    trust: Mapping[str, float]


SLOPES = {
    "resolution_slope": "resolution",
    "tokens_slope": "visual_tokens",
    "encoder_size_slope": "encoder_size",
    "llm_size_slope": "llm_size",
    "data_size_slope": "data_size",
}


def column_weight(overlap: float, count: int) -> float:
    """What one of so many columns of a paper in a family counts: the design effect of cluster
    sampling.
    """
    return 1 / (1 + overlap * (count - 1))
