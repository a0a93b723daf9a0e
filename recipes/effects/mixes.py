"""Weighted means of benchmarks worked out beforehand: the belief about every feature's effect on
the mean as one block.

In: a Posterior and the mixes (benchmark -> weight) that people ask for most. Out: a Block for each,
which the Posterior then uses. What the levels of the posterior say about a mean takes products with
all their matrices; from its own block it takes a few entries. Any other mean is still answered from
the levels.
"""

from collections.abc import Mapping, Sequence
from operator import add

from ..base import linalg
from .block import Block
from .levels import Level
from .model import Node, scaled
from .packed import Parts, packed
from .posterior import Posterior

Steps = Mapping[str, float]  # benchmark -> its weight times its scale


def know_mixes(
    posterior: Posterior,
    mixes: Mapping[str, Mapping[str, float]],
    families: Mapping[str, str | None],
) -> None:
    """Let the posterior know these mixes. families: of every benchmark in them."""
    blocks = {}
    for name, weights in mixes.items():
        steps = {one: weight * posterior.scale_of(one) for one, weight in weights.items()}
        blocks[name] = _block(posterior, steps, families)
    posterior.know(mixes, blocks)


def _block(posterior: Posterior, steps: Steps, families: Mapping[str, str | None]) -> Block:
    """Means and covariances of one unit of each feature, on the weighted mean."""
    index, parts, start = posterior.root.index, [], 0
    for part in posterior.root.given.parts:
        numbers = index[start : start + len(part.sd)]
        parts.append(packed(_covariance(posterior, numbers, steps, families)))
        start += len(numbers)
    means = posterior.mix_means(dict.fromkeys(index, 1.0), steps, families)
    matrix = Parts.of(parts)
    return Block(index, list(means.values()), matrix, matrix, _coupling(posterior, steps))


def _coupling(posterior: Posterior, steps: Steps) -> dict[int, dict[int, float]]:
    """The mean of the benchmarks' own couplings: nearly what the levels say, as one slope stands
    for the effects on all of them.
    """
    out: dict[int, dict[int, float]] = {}
    total = sum(steps.values())
    for name, step in steps.items():
        part = posterior.benchmarks.get(name)
        for one, slopes in part.coupling.items() if part else ():
            mine = out.setdefault(one, {})
            for other, slope in slopes.items():
                mine[other] = mine.get(other, 0.0) + slope * step / total
    return out


def _covariance(
    posterior: Posterior,
    numbers: Sequence[int],
    steps: Steps,
    families: Mapping[str, str | None],
) -> linalg.Matrix:
    """The covariance of one unit of each feature of a part, level by level: what the benchmarks'
    own effects add, what passes on to their family, what that adds, and so on up.
    """
    size, place = len(numbers), {number: k for k, number in enumerate(numbers)}
    variances = list(zip(*(posterior.shares[number] for number in numbers)))

    def level(block: Block | None, depth: int) -> Level:
        return Level(_node(block, place, variances[depth]), variances[depth])

    whole = [[0.0] * size for _ in range(size)]
    root = [[0.0] * size for _ in range(size)]
    for family, weights in by_family_name(steps, families).items():
        kin = [[0.0] * size for _ in range(size)]
        for name, step in weights.items():
            units = [tuple([step * (i == k) for i in range(size)]) for k in range(size)]
            through, above = level(posterior.benchmarks.get(name), 2).up(units)
            _grow(whole, [[step * x for x in row] for row in through])
            _grow(kin, above)
        _grow(root, _passed(whole, level(posterior.families.get(family), 1), kin))
    _passed(whole, level(posterior.root, 0), root)
    return whole


def _passed(whole: linalg.Matrix, level: Level, asked: linalg.Matrix) -> Sequence:
    """What weights ask of the level above; what this level adds to the covariance is added."""
    through, above = level.up(asked)
    _grow(whole, linalg.symmetric_products(through, list(map(tuple, asked))))
    return above


def _grow(total: linalg.Matrix, rows: Sequence[Sequence[float]]) -> None:
    for k, row in enumerate(rows):
        total[k] = list(map(add, total[k], row))


def _node(block: Block | None, place: Mapping[int, int], variances: Sequence[float]) -> Node | None:
    """The part of a block that is about some features, as a node of a tree over these."""
    start = 0
    for part in block.given.parts if block else ():
        numbers = block.index[start : start + len(part.sd)]
        start += len(numbers)
        if numbers[0] in place:
            index = tuple([place[number] for number in numbers])
            sd = [variances[k] ** 0.5 for k in index]
            return Node(index, sd, scaled(part.rows(), [1 / x for x in sd]), [0.0] * len(sd))
    return None


def by_family_name(steps: Steps, families: Mapping[str, str | None]) -> dict[str, dict[str, float]]:
    """The weights of benchmarks by the name of their family; one without stands alone."""
    out: dict[str, dict[str, float]] = {}
    for name, step in steps.items():
        out.setdefault(families[name] or f"?{name}", {})[name] = step
    return out
