"""The levels of a grown tree (benchmarks, families, all), and weights on effects passed up them.

In: a Tree (model.py). Out: per level, weights times its covariance and what they ask of the level
above; means. With these, covariances of any effects are sums of products, level by level
(Posterior.trace says the same of a stored fit, for one sum of effects at a time). Also: what
trees believe, as the blocks of a Posterior.
"""

from collections.abc import Mapping, Sequence
from operator import mul

from ..base import linalg
from .block import Block
from .model import Apart, Belief, Node, Tree, descend, root_belief
from .packed import Parts, packed, rounded

# A slope of the coupling below this is none: it would move an effect by less than a thousandth.
LEAST_SLOPE = 1e-3
Rows = list[tuple[float, ...]]  # weights over all features of a tree


class Level:
    """A node of a tree, or None where the tree has none, as rows of weights pass it on their way
    up: weights on its features in; these times its covariance (the level above known), and what
    they ask of the level above, out.
    """

    def __init__(self, part: Node | None, variances: Sequence[float]):
        self._part, self._variances = part, variances
        self._rows = list(map(tuple, part.given)) if part else []
        self._halves = linalg.halves(self._rows)

    def up(self, rows: Sequence[Sequence[float]]) -> tuple[Rows, Rows]:
        """(rows times the covariance, rows for the level above)."""
        through = [list(map(mul, row, self._variances)) for row in rows]
        above = list(map(list, rows))
        if self._part:
            index, sd = self._part.index, self._part.sd
            asked = [tuple([row[i] * x for i, x in zip(index, sd)]) for row in rows]
            for one, passed, across in zip(
                through, above, linalg.products(asked, self._rows, self._halves)
            ):
                for i, x, y in zip(index, sd, across):
                    one[i], passed[i] = x * y, y / x
        return list(map(tuple, through)), list(map(tuple, above))

    def mean(self, above: Sequence[float]) -> linalg.Vector:
        """The mean of every effect at this level, given that at the level above."""
        out = list(above)
        if self._part:
            index, sd = self._part.index, self._part.sd
            pull = linalg.matvec(self._part.given, [above[i] / x for i, x in zip(index, sd)])
            for i, x, y, own in zip(index, sd, pull, self._part.pull):
                out[i] = x * (y + own)
        return out


class Levels:
    """The levels of a tree and its means, each made when first asked for. family_of: of every
    benchmark that is asked about.
    """

    def __init__(self, tree: Tree, family_of: Mapping[str, str]):
        self._tree, self.family_of = tree, family_of
        self.size = size = len(tree.names)
        self._variances = list(zip(*map(tree.share, range(size))))
        self.root = Level(tree.root, self._variances[0])
        self._root_mean = self.root.mean([0.0] * size)
        self._families: dict[str, tuple[Level, linalg.Vector]] = {}

    def family(self, name: str) -> tuple[Level, linalg.Vector]:
        """The level of a family, and its means."""
        if name not in self._families:
            level = Level(self._tree.families.get(name), self._variances[1])
            self._families[name] = level, level.mean(self._root_mean)
        return self._families[name]

    def benchmark(self, name: str) -> tuple[Level, linalg.Vector]:
        """The level of a benchmark, and its means."""
        level = Level(self._tree.benchmarks.get(name), self._variances[2])
        return level, level.mean(self.family(self.family_of[name])[1])


class Beliefs:
    """What trees say, level by level: the shared effects first, then those of single papers."""

    def __init__(self, tree: Tree):
        self.root: list[Belief] = []
        self.families: dict[str, list[Belief]] = {}
        self.benchmarks: dict[str, list[Belief]] = {}
        self.add(tree)

    def add(self, tree: Tree) -> None:
        """Take in a tree, from the root down."""
        root = root_belief(tree.root)
        self.root.append(root)
        kin = {family: descend(root, part) for family, part in tree.families.items()}
        for family, belief in kin.items():
            self.families.setdefault(family, []).append(belief)
        for name, part in tree.benchmarks.items():
            belief = descend(kin[tree.family_of[name]], part)
            self.benchmarks.setdefault(name, []).append(belief)


def block(
    beliefs: Sequence[Belief], coupling: Mapping[int, Mapping[int, float]] | None = None
) -> Block:
    """A Block of beliefs about different features."""
    some = [belief for belief in beliefs if belief.index]
    whole = Parts.of([packed(belief.covariance) for belief in some])
    same = all(belief.given is belief.covariance for belief in some)
    return Block(
        [number for belief in some for number in belief.index],
        [rounded(x) for belief in some for x in belief.mean],
        whole,
        whole if same else Parts.of([packed(belief.given) for belief in some]),
        coupling or {},
    )


def slopes_of(split: Apart) -> dict[int, dict[int, float]]:
    """The coupling of a Block: own feature -> other feature -> slope."""
    out = {}
    for number, row in zip(split.own, split.slopes):
        out[number] = {
            other: rounded(slope)
            for other, slope in zip(split.known.index, row)
            if abs(slope) > LEAST_SLOPE
        }
    return out
