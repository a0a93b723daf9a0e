"""Classical meta-analysis: pool one contrast over studies, or a network of contrasts.

In: estimates with sampling variances (for a network: arms of studies). Out: pooled estimates with
standard errors, the between-study variance tau^2, and prediction intervals. This is the textbook
core that the hierarchical model (model.py) is checked against and that shows what the direct
evidence says by itself.

Sources: DerSimonian & Laird 1986 (method "DL"); Viechtbauer 2005, J. Educ. Behav. Stat. 30:261
(REML and its Fisher scoring); Higgins, Thompson & Spiegelhalter 2009, JRSS A 172:137 (prediction
interval); Rücker 2012 and Lu & Ades 2004 (network, correlation 1/2 of random effects inside a
multi-arm study). Checked against metafor.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from ..base import linalg


class Pooled(NamedTuple):
    """A random-effects summary: mean, its standard error, tau^2, Cochran's Q, number of studies."""

    estimate: float
    se: float
    tau2: float
    q: float
    k: int

    def interval(self, level: float = 0.8) -> tuple[float, float]:
        """Prediction interval for a new study: estimate +- z sqrt(tau^2 + se^2)."""
        from statistics import NormalDist  # slow to load, and few ask

        half = NormalDist().inv_cdf(0.5 + level / 2) * sqrt(self.tau2 + self.se**2)
        return self.estimate - half, self.estimate + half


def _weighted(y: Sequence[float], v: Sequence[float], tau2: float) -> tuple[float, list[float]]:
    w = [1.0 / (x + tau2) for x in v]
    return linalg.dot(w, y) / sum(w), w


def pool(y: Sequence[float], v: Sequence[float], method: str = "REML") -> Pooled:
    """Pool estimates `y` with sampling variances `v`; method "REML", "DL" or "FE" (tau^2 = 0).

    Raises ValueError when there is nothing to pool or a variance is not positive.
    """
    if not y or len(y) != len(v):
        raise ValueError("pool needs as many variances as estimates, and at least one")
    if any(not x > 0 for x in v):
        raise ValueError("a sampling variance is not positive")
    k = len(y)
    mean, w = _weighted(y, v, 0.0)
    q = sum(wi * (yi - mean) ** 2 for wi, yi in zip(w, y))
    tau2 = 0.0
    if k > 1 and method != "FE":
        total = sum(w)
        tau2 = max(0.0, (q - (k - 1)) / (total - sum(x * x for x in w) / total))
        if method == "REML":
            tau2 = _reml(y, v, tau2)
        elif method != "DL":
            raise ValueError(f"unknown method {method!r}: REML, DL or FE")
    mean, w = _weighted(y, v, tau2)
    return Pooled(mean, 1.0 / sqrt(sum(w)), tau2, q, k)


def _reml(y: Sequence[float], v: Sequence[float], tau2: float) -> float:
    """Fisher scoring for the REML tau^2 (Viechtbauer 2005, equations 14 and 15), kept
    non-negative.
    """
    for _ in range(200):
        mean, w = _weighted(y, v, tau2)
        total, w2 = sum(w), sum(x * x for x in w)
        score = (
            sum(x * x * ((yi - mean) ** 2 - vi) for x, yi, vi in zip(w, y, v)) / w2 + 1.0 / total
        )
        new = max(0.0, score)
        if abs(new - tau2) < 1e-12 * (1.0 + tau2):
            return new
        tau2 = new
    return tau2


class Arm(NamedTuple):
    """One arm of a study: the treatment, its mean outcome and the sampling variance of that
    mean.
    """

    study: str
    treatment: str
    mean: float
    variance: float


class Network(NamedTuple):
    """Network estimates against the reference, in the order of `treatments`, with their covariance
    and tau^2.
    """

    treatments: tuple[str, ...]
    reference: str
    estimate: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    tau2: float

    def contrast(self, a: str, b: str) -> tuple[float, float]:
        """(estimate, variance) of b minus a; either may be the reference. Raises KeyError for an
        unknown one.
        """
        weight = [0.0] * len(self.treatments)
        for name, sign in ((b, 1.0), (a, -1.0)):
            if name != self.reference:
                if name not in self.treatments:
                    raise KeyError(name)
                weight[self.treatments.index(name)] += sign
        return linalg.dot(weight, self.estimate), linalg.quadratic(self.covariance, weight)


def network(arms: Sequence[Arm], reference: str, method: str = "REML") -> Network:
    """Contrast-based network meta-analysis with a common tau^2; method "REML" or "FE".

    Each study contributes the differences from its first arm, with the covariance that the shared
    arm makes and correlation 1/2 between the random effects of one study. Raises ValueError when a
    treatment is not connected to the reference.
    """
    studies: dict[str, list[Arm]] = {}
    for arm in arms:
        studies.setdefault(arm.study, []).append(arm)
    names = sorted({arm.treatment for arm in arms} - {reference})
    place = {name: i for i, name in enumerate(names)}
    blocks = []  # per study: differences y, design rows x, covariance of the shared arm
    for group in studies.values():
        base, rest = group[0], group[1:]
        if not rest:
            continue
        y, x, v = [], [], []
        for i, arm in enumerate(rest):
            row = [0.0] * len(names)
            if arm.treatment != reference:
                row[place[arm.treatment]] += 1.0
            if base.treatment != reference:
                row[place[base.treatment]] -= 1.0
            x.append(row)
            y.append(arm.mean - base.mean)
            v.append([base.variance + (arm.variance if i == j else 0.0) for j in range(len(rest))])
        blocks.append((y, x, v))

    def fit(tau2: float):
        """Normal equations at one tau^2, and the restricted log-likelihood (up to a constant)."""
        information = [[0.0] * len(names) for _ in names]
        score, fit_q, log_det = [0.0] * len(names), 0.0, 0.0
        for y, x, v in blocks:
            size = len(y)
            cov = [
                [v[i][j] + tau2 * (1.0 if i == j else 0.5) for j in range(size)]
                for i in range(size)
            ]
            factor = linalg.cholesky(cov)
            log_det += linalg.log_determinant(factor)
            white_y = linalg.solve_lower(factor, y)
            white_x = [linalg.solve_lower(factor, column) for column in zip(*x)]
            fit_q += linalg.dot(white_y, white_y)
            for i, xi in enumerate(white_x):
                score[i] += linalg.dot(xi, white_y)
                for j in range(i + 1):
                    information[i][j] += linalg.dot(xi, white_x[j])
        try:
            factor = linalg.cholesky(information)
        except linalg.NotPositiveDefinite as error:
            raise ValueError(f"{names[error.index]!r} is not connected to {reference!r}") from None
        beta = linalg.solve(factor, score)
        residual = fit_q - linalg.dot(beta, score)
        return beta, factor, -0.5 * (log_det + linalg.log_determinant(factor) + residual)

    tau2 = 0.0
    if method == "REML":
        tau2 = _maximise(
            lambda value: fit(value)[2],
            0.0,
            4.0 * max(abs(d) for y, _, _ in blocks for d in y) ** 2,
        )
    elif method != "FE":
        raise ValueError(f"unknown method {method!r}: REML or FE")
    beta, factor, _ = fit(tau2)
    covariance = linalg.inverse(factor)
    return Network(tuple(names), reference, tuple(beta), tuple(map(tuple, covariance)), tau2)


def _maximise(f, low: float, high: float) -> float:
    """Golden-section search for the maximum of a unimodal function on [low, high]."""
    ratio = (sqrt(5.0) - 1.0) / 2.0
    a, b = low, high
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    fc, fd = f(c), f(d)
    for _ in range(200):
        if b - a < 1e-10 * (1.0 + abs(b)):
            break
        if fc >= fd:
            b, d, fd = d, c, fc
            c = b - ratio * (b - a)
            fc = f(c)
        else:
            a, c, fc = c, d, fd
            d = a + ratio * (b - a)
            fd = f(d)
    return (a + b) / 2.0
