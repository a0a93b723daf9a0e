"""`noise`: is the difference between my score and the paper's more than noise?

In: a benchmark, two scores, the library. Out: a NoiseAnswer. The noise of two runs is that of
`benchmarks` (answers/benchmarks.py). Does not print.
"""

from statistics import NormalDist
from typing import NamedTuple

from ..library import Library
from .benchmarks import measure


class NoiseAnswer(NamedTuple):
    """mine, paper and difference (mine less paper) in points. sd: of the difference of two runs of
    one recipe, None where it is not known. p_as_far: how often two such runs lie as far apart.
    clear80, clear95: differences that would be clear. beside: what the registry knows that moves
    this benchmark beside noise (prompts, splits), in its words.
    """

    benchmark: str
    mine: float
    paper: float
    sd: float | None
    lower_bound: bool
    p_as_far: float | None
    clear80: float | None
    clear95: float | None
    questions: int | None
    beside: str | None

    @property
    def difference(self) -> float:
        return self.mine - self.paper


def answer(library: Library, benchmark: str, mine: float, paper: float) -> NoiseAnswer:
    """Two scores of one benchmark against the noise of two runs (normal, two-sided)."""
    record = library.words.records("benchmark")[benchmark]
    yard = measure(record, library.posterior, {})
    far = 2 * NormalDist().cdf(-abs(mine - paper) / yard.sd) if yard.sd else None
    return NoiseAnswer(
        benchmark,
        mine,
        paper,
        yard.sd,
        yard.lower_bound,
        far,
        yard.clear80,
        yard.clear95,
        yard.n,
        record.get("notes"),
    )
