"""An effect in points at one score, carried over to another score of the same benchmark.

In: points at a benchmark's usual score (the median of what the tables print), and the score that
the recipe has. Out: points there. On the logit of the share of the maximum an effect is the same
everywhere: near zero and near the maximum fewer points are left to move. Where the score is not
known the points at the usual one stand. (Chance levels as the lower end were tried and predict
unseen papers no better.)
"""

import math
from collections.abc import Mapping

from ..base.errors import Refused
from ..terms.vocabulary import Vocabulary

EDGE = 0.02  # shares are kept this far from 0 and 1: what is printed there is mostly noise


def bounded(record: Mapping) -> bool:
    """Does a benchmark (its registry record) go from nothing to a best value? Only then is there an
    end to come close to.
    """
    return bool(record.get("max")) and record.get("higher_is_better", True)


def _logit(percent: float) -> float:
    share = min(max(percent / 100.0, EDGE), 1.0 - EDGE)
    return math.log(share / (1.0 - share))


def carried(points: float, usual: float, score: float) -> float:
    """What `points` at the usual score come to at `score`; all in percent of the scale. At the
    usual score: the points themselves.

    >>> round(carried(4.0, 50.0, 90.0), 2)
    1.35 >>> round(carried(4.0, 50.0, 50.0), 2)
    4.0
    """
    return shifted(shift(points, usual), score)


def shift(points: float, usual: float) -> float:
    """What `points` at the usual score come to on the logit, where effects of several changes add
    up: points of all of them together can be more than the scale has left.
    """
    return _logit(usual + points) - _logit(usual)


def shifted(shift_: float, score: float) -> float:
    """The points by which a score moves with a shift on the logit; in percent of the scale."""
    z = _logit(score) + shift_
    there = 100.0 / (1.0 + math.exp(-z)) - 100.0 / (1.0 + math.exp(-_logit(score)))
    return min(max(there, -score), 100.0 - score)


def check_score(benchmark: str, value: float, words: Vocabulary) -> float:
    """A score of a benchmark that has a maximum. Raises Refused."""
    record = words.records("benchmark")[benchmark]
    if not bounded(record):
        raise Refused(
            f"a score of {benchmark} does not change what is expected: it has no best value to come"
            " close to"
        )
    if not 0 <= value <= record["max"]:
        raise Refused(f"{benchmark} goes from 0 to {record['max']:g}: {value:g} is no score of it")
    return value
