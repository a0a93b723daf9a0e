"""The posterior without some papers, from a tree that has seen them.

In: a grown tree (model.py) and the messages to be taken out. Out: beliefs about effects on single
benchmarks. Does not score predictions.

Exact, and without another tree: under the whole tree the effects that the messages speak of are
jointly Gaussian, with mean m and covariance S over all their benchmarks. The messages put the
precision J = F F' and the vector h into it; without them the covariance is
S + S F (1 - F' S F)^-1 F' S (Woodbury), and the mean follows in the same way.
"""

from collections.abc import Mapping, Sequence
from operator import mul

from ..base import linalg
from .levels import Levels, Rows
from .model import Belief, Information, add, scaled


class Leave:
    """Beliefs without some messages. levels: of the tree that has seen them; left_out: benchmark ->
    the messages; the features of a message without precision are those to be known about besides.
    """

    def __init__(self, levels: Levels, left_out: Mapping[str, Sequence[Information]]):
        size = levels.size
        self._spots: dict[str, slice] = {}
        self._index: dict[str, list[int]] = {}
        own: list[tuple[Rows, Rows]] = []
        family_of, means, down, messages = [], [], [], []
        for name, parts in left_out.items():
            message = add(parts)
            start, index = len(means), list(message.index)
            level, mean = levels.benchmark(name)
            one = [tuple([float(i == k) for k in range(size)]) for i in index]
            through, above = level.up(one)
            own.append((through, one))
            down += above
            means += [mean[i] for i in index]
            family_of += [levels.family_of[name]] * len(index)
            self._spots[name], self._index[name] = slice(start, len(means)), index
            messages.append((start, message))
        self._mean = means
        self._covariance = _joint(levels, own, down, family_of)
        self._take_out(messages)

    def _take_out(self, messages: Sequence[tuple[int, Information]]) -> None:
        """See the head of this module. messages: with the place of their first effect."""
        whole, mean = self._covariance, self._mean
        halves: list[tuple[int, linalg.Vector]] = []
        for start, message in messages:
            halves += [(start, column) for column in _factored(message.precision)]
        if not halves:
            return
        across = [
            [sum(map(mul, column, row[start : start + len(column)])) for start, column in halves]
            for row in whole
        ]
        columns = list(zip(*across))
        inner = [
            [
                -sum(map(mul, column, other[start : start + len(column)]))
                for other in columns[: k + 1]
            ]
            for k, (start, column) in enumerate(halves)
        ]
        for k, row in enumerate(inner):
            row[k] += 1.0
        factor = linalg.cholesky(inner)
        # F' m - F' S h, then S F (1 - F' S F)^-1 times that
        vector = [0.0] * len(mean)
        for start, message in messages:
            vector[start : start + len(message.vector)] = message.vector
        less = [x - linalg.dot(row, vector) for x, row in zip(mean, whole)]
        asked = [linalg.dot(column, less[start : start + len(column)]) for start, column in halves]
        weights = linalg.solve(factor, asked)
        self._mean = [x + linalg.dot(row, weights) for x, row in zip(less, across)]
        heights = [tuple(linalg.solve_lower(factor, row)) for row in across]
        for spot in self._spots.values():
            rows = heights[spot]
            for row, more in zip(whole[spot], linalg.symmetric_products(rows, rows)):
                row[spot] = map(sum, zip(row[spot], more))

    def benchmark(self, name: str) -> Belief:
        """Belief about theta of one benchmark of the left-out messages, over their features."""
        spot = self._spots[name]
        covariance = [row[spot] for row in self._covariance[spot]]
        return Belief(tuple(self._index[name]), self._mean[spot], covariance, covariance)


def _factored(precision: linalg.Matrix) -> linalg.Matrix:
    """linalg.factored of a precision, brought to a diagonal of at most 1 before."""
    if not precision:
        return []
    largest = max(row[i] for i, row in enumerate(precision))
    if not largest > 0.0:
        return []
    even = [largest**-0.5] * len(precision)
    return [[x / even[0] for x in column] for column in linalg.factored(scaled(precision, even))]


def _joint(
    levels: Levels, own: Sequence[tuple[Rows, Rows]], rows: Rows, family_of: Sequence[str]
) -> linalg.Matrix:
    """The covariance of effects over several benchmarks. own: per benchmark, what `Level.up` gave
    for its effects and these; rows: what all effects ask of their families.
    """
    kin: list[tuple[Sequence[int], Rows, Rows]] = []
    root: Rows = [()] * len(rows)
    for family in dict.fromkeys(family_of):
        spots = [k for k, name in enumerate(family_of) if name == family]
        asked = [rows[k] for k in spots]
        through, above = levels.family(family)[0].up(asked)
        kin.append((spots, through, asked))
        for k, row in zip(spots, above):
            root[k] = row
    total = linalg.symmetric_products(levels.root.up(root)[0], root)
    start = 0
    for through, asked in own:
        kin.append((range(start, start + len(asked)), through, asked))
        start += len(asked)
    for spots, through, asked in kin:
        for k, row in zip(spots, linalg.symmetric_products(through, asked)):
            target = total[k]
            for other, x in zip(spots, row):
                target[other] += x
    return total
