"""How much of what a small run shows holds for the large one: what follows from changes that tables
measured at two scales.

In: Cases (proxy_rows.py), or their stored sums. Out: Carried: correlation, slope and agreement of
sign, with an interval over papers, by scale, axis and ratio of sizes; and how such numbers predict
the papers that they were not made from. tables/derived/proxies.json holds those of the published
tables (`fit` writes it). Knows no recipe and no cost.

A delta has no natural direction (A to B or B to A), so correlation and slope are about zero:
r = sum xy / sqrt(sum xx sum yy), slope = sum xy / sum xx. Where both deltas are normal, signs agree
with probability 1/2 + asin(r) / pi (Sheppard 1899).
"""

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..base.reading import EvidenceError, read_json
from . import tails
from .store import NO_FIT

PATH = ("derived", "proxies.json")
SEVERAL = "several"
LEAST_RATIO = 1.25  # nearer sizes are the same size: a 7B and an 8B
FEW = 5  # cases of an axis and ratio in a paper below which their correlation says nothing
STEEP = 0.95  # correlations beyond count as this one where they are bent (Fisher's z)
ENOUGH = 3  # papers that can say something about a fourth
LEVEL = 0.8
SURE = 0.9
# Weighted cases of all axes that stand beside those of one axis: 1 to 100 were tried on left-out
# papers. For LLMs, error over "no change" 0.80 (1), 0.75 (10), 0.70 (100) over all cases and 0.86,
# 0.85, 0.85 as a mean over papers; for resolutions 0.67, 0.69, 0.75. The log score of the sign is
# best at 10 and 30. Classes of size ratios of their own made it worse for LLMs (0.59 for 0.54):
# papers differ more than ratios. Inside papers the correlation does fall with the ratio, so that is
# where the decline is taken from (error and log score stay as they are).
DRAWN = 10.0


class Case(NamedTuple):
    """A change at two scales of one paper on one benchmark. ratio: log2 of large over small; small,
    large: the deltas, in units of how much the benchmark moves. noise: variance of a delta between
    two runs of the same settings.
    """

    kind: str
    axis: str
    paper: str
    ratio: float
    small: float
    large: float
    noise: float = 0.0

    @property
    def signed(self) -> bool:
        """Is neither delta 0?"""
        return bool(self.small and self.large)


class Sums(NamedTuple):
    """Cases added up. right of signed: cases of equal sign, of those where neither delta is 0;
    right_moved of moved: the same where the small run moved more than is usual on its benchmark.
    noise, ratio: of the cases, added up.
    """

    cases: float = 0
    xx: float = 0.0
    xy: float = 0.0
    yy: float = 0.0
    right: float = 0
    signed: float = 0
    right_moved: float = 0
    moved: float = 0
    noise: float = 0.0
    ratio: float = 0.0

    def plus(self, other: "Sums", weight: float = 1.0) -> "Sums":
        """Both together, the other with a weight."""
        return Sums(*(a + weight * b for a, b in zip(self, other)))

    def weighted(self) -> "Sums":
        """A paper's sums as they count beside others: with the square root of its cases.

        Benchmarks of one pair of runs are not independent, and one paper prints 3,000 of the cases;
        yet a paper of 100 cases says more than one of 2.
        """
        return Sums().plus(self, 1 / math.sqrt(self.cases)) if self.cases else self

    def towards(self, whole: "Sums") -> "Sums":
        """With DRAWN cases of what `whole` says, at the size of the own deltas."""
        if not (self.cases and whole.cases):
            return self if self.cases else whole
        share = DRAWN / whole.cases
        size = self.xx / self.cases * whole.cases / whole.xx if self.xx and whole.xx else 1.0
        deltas = whole._replace(xx=whole.xx * size, xy=whole.xy * size, yy=whole.yy * size)
        # the noise of runs does not grow with what is compared
        return self.plus(deltas, share)

    def at(self, ratio: float, decline: float) -> "Sums":
        """The same at another ratio of sizes (log2): Fisher's z of the correlation falls by
        `decline` per doubling, and the agreement of signs as it would for normal deltas.
        """
        r, away = self.correlation, ratio - self.ratio / self.cases
        if not r or not decline or not self.signed:
            return self
        there = math.tanh(_bent(r) - decline * away)
        there = max(there, 0.0) if r > 0 else there  # too small to tell, not the contrary
        sign = min(max(self.sign + agreement(there) - agreement(r), 0.5), 1.0)
        wrong = (1 - sign) / (1 - self.sign) if self.sign < 1 else 1.0
        return self._replace(
            xy=there * math.sqrt(self.xx * self.yy),
            right=sign * self.signed,
            right_moved=self.moved - min(wrong * (self.moved - self.right_moved), self.moved),
        )

    @property
    def correlation(self) -> float | None:
        product = self.xx * self.yy
        return self.xy / math.sqrt(product) if product else None

    @property
    def slope(self) -> float | None:
        return self.xy / self.xx if self.xx else None

    @property
    def sign(self) -> float | None:
        return self.right / self.signed if self.signed else None

    @property
    def sign_moved(self) -> float | None:
        return self.right_moved / self.moved if self.moved else None

    @property
    def repeat(self) -> float | None:
        """The correlation of the large run's delta with that of a repeat of it: what no proxy
        exceeds by more than chance.
        """
        return max(0.0, 1 - self.noise / self.yy) if self.yy else None

    @property
    def usual(self) -> float | None:
        """The usual size of the large run's delta (root mean square)."""
        return math.sqrt(self.yy / self.cases) if self.cases else None

    @property
    def error(self) -> float | None:
        """The usual size of what the slope leaves of the large run's delta."""
        if not self.xx:
            return None
        return math.sqrt(max(0.0, self.yy - self.xy**2 / self.xx) / self.cases)

    def sure(self, small: float) -> float:
        """The probability that the large run has the sign of a small run's delta of this size."""
        expected = abs(small) * self.slope
        return tails.cdf(expected / self.error) if self.error else float(expected > 0)

    def shows(self, large: float) -> float:
        """The probability that a small run has the sign of a large run's delta of this size."""
        r = self.correlation
        left = math.sqrt(max(0.0, 1 - r * r))
        return tails.cdf(abs(large) / self.usual * r / left) if left else float(r > 0)

    def trusted_from(self, p: float) -> float | None:
        """The delta of the small run from which its sign holds with probability p; None: its sign
        tells nothing.
        """
        return tails.quantile(p) * self.error / self.slope if self.slope > 0 else None


class Carried(NamedTuple):
    """What carries over on one axis. sums: of the axis, drawn towards those of all axes. cases,
    papers: of the axis; of_papers: over all axes. correlation_interval, sign_interval: of the mean
    over papers, at LEVEL (None: fewer than ENOUGH papers). decline: what a doubling costs.
    """

    sums: Sums
    cases: int
    papers: tuple[str, ...]
    of_papers: int
    correlation_interval: tuple[float, float] | None
    sign_interval: tuple[float, float] | None
    decline: "Decline"


class Decline(NamedTuple):
    """By how much Fisher's z of the correlation falls per doubling of the ratio of sizes, inside
    papers; papers: that have several ratios; falling: in which it falls.
    """

    per_doubling: float
    papers: int
    falling: int


class Check(NamedTuple):
    """How papers that were left out are predicted from the others. error: of the large run's delta,
    as a ratio to saying "no change", all cases / the mean over papers; as_is: the same (all cases)
    where the small run's delta is taken as it stands. coverage: of LEVEL intervals. sign: agreement
    in the left-out cases; sign_said: as the other papers had it. sure: cases of which SURE or more
    was said (Sums.sure); sure_right: of them.
    """

    cases: int
    papers: int
    error: float
    error_by_paper: float
    as_is: float
    coverage: float
    sign: float
    sign_said: float
    sure: int
    sure_right: int


def agreement(correlation: float) -> float:
    """How often two normal deltas of mean 0 agree in sign."""
    return 0.5 + math.asin(correlation) / math.pi


def chained(parts: Sequence[Sums]) -> Sums:
    """What carries over when a run is small in several ways at once, as if each lost by itself:
    correlations and slopes multiply, deltas count as normal. Too few tables are small in two ways
    to check it: ten cases of FastVLM, LLM and resolution, correlate 0.89, where the product of
    these two of the same paper is 0.84.
    """
    if len(parts) == 1:
        return parts[0]
    r, slope = (math.prod(part.correlation for part in parts), math.prod(p.slope for p in parts))
    yy = parts[0].usual ** 2
    xx = r * r * yy / slope**2
    noise = parts[0].noise / parts[0].cases
    return Sums(1, xx, slope * xx, yy, agreement(r), 1, noise=noise)


def _bent(correlation: float) -> float:
    """Fisher's z."""
    return math.atanh(min(max(correlation, -STEEP), STEEP))


class Proxies(NamedTuple):
    """sums: (kind, axis, ratio to the nearest doubling, paper) -> Sums. checks: (kind, axis or "")
    -> Check.
    """

    sums: Mapping[tuple[str, str, int, str], Sums]
    checks: Mapping[tuple[str, str], Check] = {}

    def joined(self, other: "Proxies") -> "Proxies":
        """Both together, with the checks of the first."""
        out = dict(self.sums)
        for key, value in other.sums.items():
            out[key] = out.get(key, Sums()).plus(value)
        return Proxies(out, self.checks)

    def without(self, paper: str) -> "Proxies":
        """What all the others say."""
        return Proxies({key: value for key, value in self.sums.items() if key[3] != paper})

    def by_paper(self, kind: str, axis: str | None) -> dict[str, Sums]:
        """Sums per paper (None: over all axes)."""
        out: dict[str, Sums] = {}
        for (kind_, axis_, _, paper), value in sorted(self.sums.items()):
            if kind_ == kind and axis in (None, axis_):
                out[paper] = out.get(paper, Sums()).plus(value)
        return out

    def decline(self, kind: str) -> Decline:
        """What a doubling costs: a weighted regression inside each axis of a paper that has several
        ratios. None of it (0) where it does not fall, or where fewer than ENOUGH papers tell.
        """
        points: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
        for (kind_, axis, octave, paper), sums in sorted(self.sums.items()):
            if kind_ == kind and sums.cases >= FEW and sums.correlation is not None:
                point = octave, _bent(sums.correlation), math.sqrt(sums.cases)
                points.setdefault((paper, axis), []).append(point)
        papers: dict[str, list[float]] = {}
        for (paper, _), rows in points.items():
            weight = sum(w for _, _, w in rows)
            x, z = (sum(row[i] * row[2] for row in rows) / weight for i in (0, 1))
            squares = sum(w * (a - x) ** 2 for a, _, w in rows)
            if squares:
                mine = papers.setdefault(paper, [0.0, 0.0])
                mine[0] += sum(w * (a - x) * (b - z) for a, b, w in rows)
                mine[1] += squares
        down, across = (sum(values[i] for values in papers.values()) for i in (0, 1))
        falls = sum(xz < 0 for xz, _ in papers.values())
        known = len(papers) >= ENOUGH
        return Decline(max(0.0, -down / across) if known else 0.0, len(papers), falls)

    def sums_of(self, kind: str, axis: str, ratio: float) -> Sums:
        """The sums of an axis, drawn towards those of all axes with the weight of DRAWN, at a
        ratio of sizes.
        """
        whole = pooled(self.by_paper(kind, None).values())
        own = pooled(self.by_paper(kind, axis).values())
        return own.towards(whole).at(ratio, self.decline(kind).per_doubling)

    def carried(self, kind: str, axis: str, ratio: float) -> Carried | None:
        """What carries over from a run that is smaller by a ratio (log2). None: no cases of sizes
        so far apart, or none of the axis and too few papers on others to stand for it.
        """
        every, own = self.by_paper(kind, None), self.by_paper(kind, axis)
        farthest = max((key[2] for key in self.sums if key[0] == kind), default=0)
        if round(ratio) > farthest or not own and len(every) < ENOUGH:
            return None
        sums = self.sums_of(kind, axis, ratio)
        if sums.correlation is None:
            return None
        left = [self.without(paper).sums_of(kind, axis, ratio) for paper in every]
        return Carried(
            sums,
            int(sum(one.cases for one in own.values())),
            tuple(own),
            len(every),
            _interval(sums.correlation, [one.correlation for one in left], -1.0),
            _interval(sums.sign, [one.sign for one in left], 0.0),
            self.decline(kind),
        )


def pooled(papers: Iterable[Sums]) -> Sums:
    """Papers together, each with its weight."""
    total = Sums()
    for one in papers:
        total = total.plus(one.weighted())
    return total


def _interval(
    figure: float | None, left: Sequence[float | None], low: float
) -> tuple[float, float] | None:
    """Jackknife over papers (Efron & Tibshirani 1993, ch. 11) of a figure between `low` and 1, on
    the logit scale.
    """
    if len(left) < ENOUGH or None in (figure, *left):
        return None
    width = 1.0 - low

    def bent(value: float) -> float:
        share = min(max((value - low) / width, 0.001), 0.999)
        return math.log(share / (1 - share))

    middle, rest = bent(figure), [bent(value) for value in left]
    mean, count = sum(rest) / len(rest), len(rest)
    spread = (count - 1) / count * sum((value - mean) ** 2 for value in rest)
    half = tails.half_width(LEVEL) * math.sqrt(spread)
    return tuple(low + width / (1 + math.exp(-z)) for z in (middle - half, middle + half))


def added(found: Iterable[Case]) -> Proxies:
    """Cases -> Proxies, without checks."""
    out: dict[tuple[str, str, int, str], list[float]] = {}
    for one in found:
        x, y = one.small, one.large
        right, signed, far = float(x * y > 0), float(bool(x and y)), float(abs(x) > 1)
        signs = right, signed, right * far, signed * far
        more = (1, x * x, x * y, y * y, *signs, one.noise, one.ratio)
        key = one.kind, one.axis, round(one.ratio), one.paper
        mine = out.setdefault(key, [0.0] * len(more))
        for i, value in enumerate(more):
            mine[i] += value
    return Proxies({key: Sums(*values) for key, values in out.items()})


def checked(found: Sequence[Case]) -> dict[tuple[str, str], Check]:
    """Every paper predicted from the others: by kind, and by kind and axis."""
    whole = added(found)
    others = {paper: whole.without(paper) for paper in sorted({one.paper for one in found})}
    said: dict[tuple[str, str, str, int], Sums | None] = {}
    groups: dict[tuple[str, str], list[tuple[Case, Sums]]] = {}
    for one in found:
        key = one.paper, one.kind, one.axis, round(one.ratio)
        if key not in said:
            rest = others[one.paper]
            many = len(rest.by_paper(one.kind, None)) >= ENOUGH
            said[key] = rest.sums_of(*key[1:]) if many else None
        if said[key]:
            for axis in ("", one.axis):
                groups.setdefault((one.kind, axis), []).append((one, said[key]))
    return {key: _check(rows) for key, rows in sorted(groups.items())}


def _check(rows: Sequence[tuple[Case, Sums]]) -> Check:
    wide = tails.half_width(LEVEL)
    by_paper: dict[str, list[float]] = {}
    inside, as_is = 0, 0.0
    for one, said in rows:
        left = abs(one.large - said.slope * one.small)
        sums = by_paper.setdefault(one.paper, [0.0, 0.0])
        sums[0] += left
        sums[1] += abs(one.large)
        inside += left <= wide * said.error
        as_is += abs(one.large - one.small)
    total = sum(b for _, b in by_paper.values()) or math.nan
    moving = [a / b for a, b in by_paper.values() if b]
    signed = [(one.small * one.large > 0, abs(one.small), s) for one, s in rows if one.signed]
    sure = [right for right, x, s in signed if s.sure(x) >= SURE]
    return Check(
        len(rows),
        len(by_paper),
        sum(a for a, _ in by_paper.values()) / total,
        sum(moving) / max(1, len(moving)),
        as_is / total,
        inside / len(rows),
        sum(right for right, _, _ in signed) / max(1, len(signed)),
        sum(s.sign for _, _, s in signed) / max(1, len(signed)),
        len(sure),
        sum(sure),
    )


def dumped(value: Proxies, digest: str) -> str:
    """The stored form; digest: of the evidence."""
    short = lambda one: [float(f"{x:.6g}") for x in one]
    data = {
        "format": 1,
        "how": "python3 main.py fit",
        "evidence": digest,
        "sums": [[*key, *short(one)] for key, one in sorted(value.sums.items())],
        "checks": [[*key, *short(one)] for key, one in sorted(value.checks.items())],
    }
    return json.dumps(data, separators=(",", ":")) + "\n"


def read_proxies(directory: str) -> Proxies:
    """The stored proxies of a tables directory. Raises EvidenceError."""
    path = os.path.join(directory, *PATH)
    if not os.path.exists(path):
        raise EvidenceError(path, "", "is missing: run `python3 main.py fit` to make it")
    data = read_json(path, trusted=True)
    try:
        return Proxies(
            {tuple(one[:4]): Sums(*one[4:]) for one in data["sums"]},
            {tuple(one[:2]): Check(*one[2:]) for one in data["checks"]},
        )
    except (KeyError, TypeError):  # of an earlier version of the program
        raise EvidenceError(path, "", NO_FIT) from None
