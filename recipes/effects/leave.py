"""The posterior without one paper, from a tree that has seen it.

In: a grown tree (model.py) and the messages of the paper's columns. Out: beliefs about the paper's
own features on its own benchmarks. Exact: the messages are taken out of the benchmarks, families
and the root that they went into, and only these are worked out again. Does not score predictions.
"""

from collections.abc import Mapping, Sequence

from ..base import linalg
from .model import Belief, Information, Node, Tree, add, node, passed_on


class Leave:
    """A tree without some columns. left_out: benchmark -> their messages; kept: benchmark -> those
    of its other columns.
    """

    def __init__(
        self,
        tree: Tree,
        left_out: Mapping[str, Sequence[Information]],
        kept: Mapping[str, Sequence[Information]],
    ):
        self._tree = tree
        self._mine = {
            name: sorted({i for part in parts for i in part.index})
            for name, parts in left_out.items()
        }
        share = tree.share
        self._own: dict[str, Node] = {}
        moved: dict[str, list[Information]] = {}
        for name, parts in left_out.items():
            # the features of what is left out stay, without information
            silent = [part._replace(precision=[], vector=[]) for part in parts]
            rest = add([*kept[name], *silent])
            self._own[name] = node(rest, lambda i: share(i)[2])
            moved.setdefault(tree.family_of[name], []).extend(
                (passed_on(self._own[name]), passed_on(tree.benchmarks[name]))
            )
        self._kin: dict[str, Node] = {}
        up: list[Information] = []
        for family, parts in moved.items():
            rest = add(
                [tree.family_messages[family], *parts], [1.0] + [1.0, -1.0] * (len(parts) // 2)
            )
            self._kin[family] = node(rest, lambda i: share(i)[1])
            up += [passed_on(self._kin[family]), passed_on(tree.families[family])]
        root = add([tree.root_message, *up], [1.0] + [1.0, -1.0] * (len(up) // 2))
        self._root = node(root, lambda i: share(i)[0])
        self._root_given = _Given(self._root)
        self._kin_given = {family: _Given(part) for family, part in self._kin.items()}
        root_mean = [x * y for x, y in zip(self._root.pull, self._root.sd)]
        self._kin_means = {
            family: self._mean(part, self._root, root_mean) for family, part in self._kin.items()
        }

    @staticmethod
    def _mean(part: Node, above: Node, mean: Sequence[float]) -> linalg.Vector:
        """The mean of a node's features, given that of the level above."""
        place = {i: k for k, i in enumerate(above.index)}
        pull = [mean[place[i]] / x for i, x in zip(part.index, part.sd)]
        return [
            x * (y + own) for x, y, own in zip(part.sd, linalg.matvec(part.given, pull), part.pull)
        ]

    def benchmark(self, name: str) -> Belief:
        """Belief about theta of one benchmark of the left-out columns, over their features."""
        part, family = self._own[name], self._tree.family_of[name]
        kin, mine = self._kin[family], self._mine[name]
        place = {i: k for k, i in enumerate(part.index)}
        spots = [place[i] for i in mine]
        mean = self._mean(part, kin, self._kin_means[family])
        rows = [part.given[k] for k in spots]
        own = [[row[k] for k in spots] for row in rows]
        first, at_kin = self._kin_given[family].below(rows, part)
        second, _ = self._root_given.below(at_kin, kin)
        sd = [part.sd[k] for k in spots]
        covariance = [
            [(x + y + z) * mine * other for x, y, z, other in zip(*parts, sd)]
            for mine, parts in zip(sd, zip(own, first, second))
        ]
        return Belief(tuple(mine), [mean[k] for k in spots], covariance, covariance)


class _Given:
    """A node that rows of weights are carried up to."""

    def __init__(self, part: Node):
        self._index, self._sd = part.index, part.sd
        self._rows = list(map(tuple, part.given))
        self._halves = linalg.halves(self._rows)

    def below(
        self, rows: Sequence[Sequence[float]], below: Node
    ) -> tuple[linalg.Matrix, linalg.Matrix]:
        """What the node's covariance (the level above known) adds to the covariance of weighted
        sums, and these sums times that covariance. rows: weights on the features of the level
        below, times its own covariance, in units of its deviations.
        """
        place = {i: k for k, i in enumerate(self._index)}
        spots = [place[i] for i in below.index]
        factors = [self._sd[k] / x for k, x in zip(spots, below.sd)]
        asked = []
        for row in rows:
            wide = [0.0] * len(self._index)
            for k, x, factor in zip(spots, row, factors):
                wide[k] = x * factor
            asked.append(tuple(wide))
        given = linalg.products(asked, self._rows, self._halves)
        return linalg.symmetric_products(list(map(tuple, given)), asked), given
