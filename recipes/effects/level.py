"""An effect in points at one score, carried over to another score of the same benchmark.

In: points at a benchmark's usual score (the median of what the tables print), and the score that the recipe has. Out: points there. On the
logit of the share of the maximum an effect is the same everywhere: near zero and near the maximum fewer points are left to move. Where
the score is not known the points at the usual one stand. (Chance levels as the lower end were tried and predict unseen papers no better.)
"""
import math

EDGE = 0.02     # shares are kept this far from 0 and 1: what is printed there is mostly noise


def _share(percent: float) -> float:
    return min(max(percent / 100.0, EDGE), 1.0 - EDGE)


def carried(points: float, usual: float, score: float) -> float:
    """What `points` at the usual score come to at `score`; all in percent of the scale.

    >>> round(carried(4.0, 50.0, 90.0), 2)
    1.35
    >>> round(carried(4.0, 50.0, 50.0), 1)
    4.0
    """
    u, s = _share(usual), _share(score)
    z = math.log(s / (1.0 - s)) + points / 100.0 / (u * (1.0 - u))
    return 100.0 * (1.0 / (1.0 + math.exp(-min(max(z, -60.0), 60.0))) - s)
