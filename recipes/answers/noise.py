"""`noise`: is the difference between my score and the paper's more than noise?

In: a benchmark, two scores or how far they lie apart, the library. Out: a NoiseAnswer. The noise of
two runs is that of `benchmarks` (answers/benchmarks.py). Does not print.
"""

from statistics import NormalDist, median
from typing import NamedTuple

from ..library import Library
from .benchmarks import measure, survey


class NoiseAnswer(NamedTuple):
    """mine, paper (None where only how far they lie apart is asked) and difference (mine less
    paper) in points. sd: of the difference of two runs of one recipe, None where it is not known.
    p_as_far: how often two such runs lie as far apart. clear80, clear95: differences that would be
    clear. repeated: median of the deviations that papers print over runs repeated (None: no paper
    does), of repeated_rows rows. beside: what the registry knows that moves this benchmark beside
    noise (prompts, splits), in its words.
    """

    benchmark: str
    mine: float | None
    paper: float | None
    difference: float
    sd: float | None
    lower_bound: bool
    p_as_far: float | None
    clear80: float | None
    clear95: float | None
    questions: int | None
    repeated: float | None
    repeated_rows: int
    beside: str | None


def answer(
    library: Library,
    benchmark: str,
    mine: float | None,
    paper: float | None,
    difference: float | None = None,
) -> NoiseAnswer:
    """Two scores of one benchmark, or a difference of two, against the noise of two runs (normal,
    two-sided).
    """
    record = library.words.records("benchmark")[benchmark]
    yard = measure(record, library.posterior, survey(library.papers()))
    apart = mine - paper if difference is None else difference
    far = 2 * NormalDist().cdf(-abs(apart) / yard.sd) if yard.sd else None
    printed = yard.seen.deviations
    return NoiseAnswer(
        benchmark,
        mine,
        paper,
        apart,
        yard.sd,
        yard.lower_bound,
        far,
        yard.clear80,
        yard.clear95,
        yard.n,
        median(printed) if printed else None,
        len(printed),
        record.get("notes"),
    )
