"""Weighted means of benchmarks worked out beforehand: the belief about every feature's effect on
the mean as one block.

In: a Posterior and the mixes (benchmark -> weight) that people ask for most. Out: a Block for each,
which the Posterior then uses. What the levels of the posterior say about a mean takes products with
all their matrices; from its own block it takes a few entries. Any other mean is still answered from
the levels.
"""

from collections.abc import Mapping, Sequence
from operator import mul

from ..base import linalg
from .fit import packed
from .packed import Packed
from .posterior import Block, Posterior


def know_mixes(
    posterior: Posterior,
    mixes: Mapping[str, Mapping[str, float]],
    families: Mapping[str, str | None],
) -> None:
    """Let the posterior know these mixes. families: of every benchmark in them."""
    posterior.know(
        mixes,
        {
            name: _block(
                posterior,
                {
                    benchmark: weight * posterior.scale_of(benchmark)
                    for benchmark, weight in weights.items()
                },
                families,
            )
            for name, weights in mixes.items()
        },
    )


def _block(
    posterior: Posterior, steps: Mapping[str, float], families: Mapping[str, str | None]
) -> Block:
    """Means and covariances of one unit of each feature, on the weighted mean.

    Level by level, as matrices over all features: what the benchmarks' own parts add, what passes
    on to their family, what that adds, what passes on to all benchmarks, and what that adds.
    """
    size, shares = len(posterior.names), posterior.shares
    whole = [[0.0] * size for _ in range(size)]
    passed: dict[str, tuple[Sequence[int], linalg.Matrix, float]] = {}
    for family, weights in by_family_name(steps, families).items():
        total, squares = sum(weights.values()), sum(x * x for x in weights.values())
        kin = posterior.families.get(family)
        index = list(kin.index) if kin else []
        for number in set(range(size)) - set(index):  # no table of the family has these
            _, shared, own = shares[number]
            whole[number][number] += squares * own + total * total * shared
        if kin is None:
            passed[family] = index, [], total
            continue
        up = _own(posterior, weights, index, whole)
        given = _rows(kin.given)
        passing = linalg.products(up, given)
        _put(whole, index, linalg.symmetric_products(list(map(tuple, passing)), up))
        inverse = [1.0 / shares[number][1] for number in index]
        passed[family] = index, [list(map(mul, row, inverse)) for row in passing], total
    _root(posterior, passed, whole)
    means = posterior.mix_means(dict.fromkeys(range(size), 1.0), steps, families)
    matrix = packed(whole)
    return Block(list(range(size)), list(means.values()), matrix, matrix)


def by_family_name(
    steps: Mapping[str, float], families: Mapping[str, str | None]
) -> dict[str, dict[str, float]]:
    """The weights of benchmarks by the name of their family; one without stands alone."""
    out: dict[str, dict[str, float]] = {}
    for name, step in steps.items():
        out.setdefault(families[name] or f"?{name}", {})[name] = step
    return out


def _own(
    posterior: Posterior, weights: Mapping[str, float], index: Sequence[int], whole: linalg.Matrix
) -> linalg.Rows:
    """What one unit of each feature of a family (its `index`) asks of the family's effects, over
    the weighted benchmarks; their own parts are added to `whole`.
    """
    shares = posterior.shares
    place = {number: k for k, number in enumerate(index)}
    out = [[0.0] * len(index) for _ in index]
    for name, step in weights.items():
        part = posterior.benchmarks.get(name)
        mine = list(part.index) if part else []
        for number in place.keys() - set(mine):
            out[place[number]][place[number]] += step
            whole[number][number] += step * step * shares[number][2]
        if part is None:
            continue
        spots = [place[number] for number in mine]
        factors = [step / shares[number][2] for number in mine]
        for number, row in zip(mine, _rows(part.given)):
            target, wide = out[place[number]], whole[number]
            for k, other, x, factor in zip(spots, mine, row, factors):
                target[k] += x * factor
                wide[other] += step * step * x
    return list(map(tuple, out))


def _root(
    posterior: Posterior,
    passed: Mapping[str, tuple[Sequence[int], linalg.Matrix, float]],
    whole: linalg.Matrix,
) -> None:
    """Add what all benchmarks share. passed: per family its features, what one unit of each asks of
    the global effects, and what one unit of any other feature asks.
    """
    size = len(whole)
    some = sorted({number for index, _, _ in passed.values() for number in index})
    place = {number: k for k, number in enumerate(some)}
    total = sum(weight for _, _, weight in passed.values())
    up = [[0.0] * len(some) for _ in some]
    for index, rows, weight in passed.values():
        for number in place.keys() - set(index):
            up[place[number]][place[number]] += weight
        spots = [place[number] for number in index]
        for k, row in zip(spots, rows):
            target = up[k]
            for other, x in zip(spots, row):
                target[other] += x
    root = {number: row for number, row in zip(posterior.root.index, _rows(posterior.root.given))}
    spots = [posterior.root.place[number] for number in some]
    others = [number for number in range(size) if number not in place]
    asked = list(map(tuple, up))
    near = [tuple([root[number][k] for k in spots]) for number in some]
    _put(
        whole,
        some,
        linalg.symmetric_products(list(map(tuple, linalg.products(asked, near))), asked),
    )
    if others:
        far = [tuple([root[number][k] for k in spots]) for number in others]
        for number, row in zip(some, linalg.products(asked, far)):
            for other, x in zip(others, row):
                whole[number][other] += total * x
                whole[other][number] += total * x
        for number in others:
            row = root[number]
            for other in others:
                whole[number][other] += total * total * row[posterior.root.place[other]]


def _put(whole: linalg.Matrix, index: Sequence[int], rows: linalg.Matrix) -> None:
    for number, row in zip(index, rows):
        target = whole[number]
        for other, x in zip(index, row):
            target[other] += x


def _rows(matrix: Packed) -> linalg.Rows:
    """The whole matrix, row by row."""
    sd, values, start, lower = matrix.sd, matrix.correlations, 0, []
    for i, mine in enumerate(sd):
        unit = mine / 32767.0
        lower.append([x * unit * other for x, other in zip(values[start : start + i], sd)])
        lower[-1].append(mine * mine)
        start += i
    return list(map(tuple, linalg.mirrored(lower)))
