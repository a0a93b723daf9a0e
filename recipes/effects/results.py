"""The values that an answer about a change consists of: rows, deltas with where they come from, the
mix.

In: nothing. Out: named tuples that swap.py fills and report/ renders. Computes nothing but what
follows from their own fields.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from . import meta, tails


class Evidence(NamedTuple):
    """One pair of printed rows that shows the change (or a part of it, for a chain).

    delta: `to` minus `from`, in points of the benchmark's own scale (`printed` is the same in
    points of the table, where that has another maximum), signed so that it reads in the asked
    direction. weight: share among the rows listed for one benchmark.
    also_moves: what else differs between the two rows.
    """

    table: str
    arxiv: str | None
    benchmark: str
    split: str | None
    from_arm: str
    to_arm: str
    delta: float
    weight: float
    controlled: bool
    also_moves: tuple[str, ...]
    llm: str | None
    # direct: the asked components; near: of the same make; neighbour: another benchmark; chain: a
    # part of the change
    relation: str = "direct"
    printed: float | None = None
    # standard deviation of the difference of two runs, in points of the benchmark
    noise: float | None = None


class Split(NamedTuple):
    """Node-splitting by back-calculation (Dias et al., Stat. Med. 29, 2010, section 3.1): the
    direct rows against everything else.

    The shared effect's estimate is a mean of both, weighted by precision as the fit counts it, so
    the indirect one follows from the whole and the direct one. share: how much of the whole the
    direct rows carry (an estimate; attribution.py has it exactly). All in points; indirect is None
    where the direct rows carry everything. z: their difference in standard errors; `disagree` where
    it is beyond 1.96.
    """

    direct: float
    direct_se: float
    indirect: float | None
    indirect_se: float | None
    share: float
    z: float | None

    @property
    def disagree(self) -> bool:
        return self.z is not None and abs(self.z) > 1.96


class Path(NamedTuple):
    """How an expected delta and its interval come about, in points of the benchmark.

    shared: what all tables together say of the effect (posterior mean); carried: what of it a new
    paper is expected to show, which is the expected delta. The interval's variance is the sum of
    three squares: sd_shared (how well the effect is known), sd_setting (how much such effects
    differ from setting to setting, and leaving the range of the tables), sd_noise (two runs, and
    the benchmark's questions).
    """

    shared: float
    carried: float
    sd_shared: float
    sd_setting: float
    sd_noise: float

    @property
    def sd(self) -> float:
        """The spread of a new run around the expected delta."""
        return math.hypot(self.sd_shared, self.sd_setting, self.sd_noise)


class Delta(NamedTuple):
    """The answer for one benchmark. expected, low, high: change of the score in points of the
    benchmark's scale.
    """

    benchmark: str
    family: str | None
    max: float | None
    expected: float
    low: float
    high: float
    level: float
    p_better: float
    grade: str
    evidence: tuple[Evidence, ...]
    # the direct rows alone, pooled over papers (random effects), in points
    direct: meta.Pooled | None
    split: Split | None = None  # the direct rows against everything else that the model knows
    # the score of `from` that expected, low and high hold at; None: the usual one
    score: float | None = None
    # at the usual score, where the expected delta and its interval come from
    path: Path | None = None

    @property
    def at_usual(self) -> tuple[float, float, float]:
        """expected, low and high at the benchmark's usual score, which is where they compare with
        printed rows.
        """
        if self.score is None or self.path is None:
            return self.expected, self.low, self.high
        half = tails.half_width(self.level) * self.path.sd
        return self.path.carried, self.path.carried - half, self.path.carried + half

    @property
    def outside(self) -> float | None:
        """The mean of the printed deltas of the direct rows where they lie outside the interval
        (`at_usual`), as printed and as pooled; else None.

        Both, because the pooled estimate has taken out what else moved between the rows, which may
        be nothing on a benchmark at its floor.
        """
        rows = [row for row in self.evidence if row.relation == "direct"]
        if (
            self.direct is None
            or self.grade != "direct"
            or not rows
            or not sum(row.weight for row in rows)
        ):
            return None
        printed = sum(row.weight * row.delta for row in rows) / sum(row.weight for row in rows)
        both, (_, low, high) = (printed, self.direct.estimate), self.at_usual
        return printed if max(both) < low or min(both) > high else None


class Mix(NamedTuple):
    """The change of a weighted mean of benchmarks, each in percent of its scale."""

    weights: Mapping[str, float]
    expected: float
    low: float
    high: float
    level: float
    p_better: float
    sd: float


class Swap(NamedTuple):
    """A whole answer. axis: the axis that moves, or the first of several (`moved` has all)."""

    axis: str | None
    moved: tuple[str, ...]
    deltas: tuple[Delta, ...]
    mix: Mix | None
    warnings: tuple[str, ...]
