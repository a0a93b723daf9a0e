"""A fitted posterior that has also seen a user's own tables, without a refit.

In: a Posterior and Columns. Out: a Posterior. What a fit on all columns would give at the same
scales and hyper-parameters (up to the rounding of the stored covariances). The user's messages go
up the tree as the fit's did: a benchmark's covariance C loses C F (1 + F' C F)^-1 F' C of the
features that they speak of, for the message F F' (Woodbury), and passes on what that says of its
family, and so on. F has as many columns as the rows say different things, so the cost follows these
and the number of features, not the number of rows.
"""

import math
from array import array
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from operator import mul

from ..base import linalg
from .block import Block, Weights
from .columns import Column
from .features import group
from .levels import Beliefs, block, slopes_of
from .model import (
    Apart,
    Belief,
    Information,
    add,
    apart,
    column_information,
    counted,
    grow,
    scaled,
    weights,
)
from .packed import Parts
from .posterior import Effect, Posterior, Reach

# A feature takes part in a message to the level above when its correlation with one that the
# message is about exceeds this. (With a tenth of it answers to 82 rows of 77 metrics change by
# 0.0002 of a benchmark's scale at most, and take four times as long.)
LEAST = 2e-2
Name = int | str  # a feature by number, or by name when the fit does not know it


class Lowered:
    """The covariance of a block that has seen more: base - H H', H made of its columns at some
    features.

    base may lack the last features: they have their prior variance, `extra`.
    """

    def __init__(self, base: Parts | None, extra: Sequence[float], spots: Sequence[int]):
        self._base, self._extra, self._spots = base, extra, spots
        self._known = len(base.sd) if base else 0
        self.sd = [*(base.sd if base else ()), *map(math.sqrt, extra)]
        self.sizes = base.sizes if base else [len(extra)]
        self.columns = [self._column(k) for k in spots]
        # what `see` makes: H (its rows that are not zero) and F' of base - H H', the factor L of
        # H = G F L'^-1
        self.heights: dict[int, linalg.Vector] = {}
        # the largest covariance of a feature with one at the spots, over the deviation of that
        self.most: dict[int, float] = {}
        self._half: linalg.Rows = []
        self._factor: linalg.Matrix = []

    def _column(self, k: int) -> linalg.Vector:
        """One whole column of the covariance before."""
        size = self._known + len(self._extra)
        if k >= self._known:
            out = [0.0] * size
            out[k] = self._extra[k - self._known]
            return out
        return [*self._base.column(k), *([0.0] * len(self._extra))]

    def see(self, precision: linalg.Matrix) -> None:
        """Take in a message about the features at the spots."""
        sd = [math.sqrt(column[k]) for column, k in zip(self.columns, self._spots)]
        half = [tuple(column) for column in linalg.factored(scaled(precision, sd))]
        # the features that have to do with those at the spots
        bound = [k for k, row in enumerate(zip(*self.columns)) if any(row)]
        place = {k: n for n, k in enumerate(bound)}
        rows = [tuple([column[k] / unit for column, unit in zip(self.columns, sd)]) for k in bound]
        self.most = {k: max(map(abs, row)) for k, row in zip(bound, rows)}
        across = linalg.products(rows, half)
        inside = [[x / unit for x in across[place[k]]] for k, unit in zip(self._spots, sd)]
        inner = linalg.symmetric_products(half, list(zip(*inside)))
        self._factor = _cholesky(inner, half)
        self._half = [tuple([x / unit for x, unit in zip(column, sd)]) for column in half]
        self.heights = {k: linalg.solve_lower(self._factor, row) for k, row in zip(bound, across)}
        self.columns = []  # much space, and done with

    def times(self, x: Sequence[float]) -> linalg.Vector:
        """The matrix times a vector."""
        known = self._known
        out = self._base.times(x[:known]) if self._base and any(x[:known]) else [0.0] * known
        out += map(mul, self._extra, x[known:])
        asked = [out[k] for k in self._spots]
        if not any(asked):
            return out
        pull = [sum(map(mul, column, asked)) for column in self._half]
        pull = linalg.solve_lower(self._factor, pull)
        for k, row in self.heights.items():
            out[k] -= sum(map(mul, row, pull))
        return out


def _cholesky(inner: linalg.Matrix, half: linalg.Rows) -> linalg.Matrix:
    """The Cholesky factor of 1 + F' C F (inner: F' C F; half: the columns of F); a C whose rounded
    entries are not quite positive definite is taken as a little larger.
    """
    grown = linalg.symmetric_products(half, half)
    for ridge in (0.0, 1e-4, 1e-2):
        whole = [[x + ridge * y for x, y in zip(row, more)] for row, more in zip(inner, grown)]
        for i, row in enumerate(whole):
            row[i] += 1.0
        try:
            return linalg.cholesky(whole)
        except linalg.NotPositiveDefinite:
            if ridge == 1e-2:
                raise
    raise AssertionError


def seen(
    part: Block | None,
    keys: Sequence[Name],
    precision: linalg.Matrix,
    variance: Callable[[Name], float],
) -> tuple[Block, list[Name], linalg.Matrix]:
    """A block that has seen a message about some of its features (keys), and the message that it
    passes on to the level above: the features it is about, and their precision.

    variance: the prior variance of a feature's part at this level.
    """
    index: list[Name] = list(part.index) if part else []
    place = dict(part.place) if part else {}
    new = [key for key in keys if key not in place]
    for key in new:
        place[key] = len(index)
        index.append(key)
    spots = [place[key] for key in keys]
    lowered = Lowered(part.given if part else None, list(map(variance, new)), spots)
    lowered.see(precision)
    prior = list(map(variance, index))
    chosen = set(spots)
    chosen |= {k for k, most in lowered.most.items() if most > LEAST * math.sqrt(prior[k])}
    up = sorted(chosen)
    z = [tuple([x / prior[k] for x in lowered.heights[k]]) for k in up]
    passed = linalg.symmetric_products(z, z)
    mean = [*(part.mean if part else ()), *([0.0] * len(new))]
    whole = part.covariance if part else lowered
    block = Block(index, mean, whole, lowered, part.coupling if part else {})
    return block, [index[k] for k in up], passed


def lifted(
    keys: Sequence[Name], precision: linalg.Matrix, part: Block | None
) -> tuple[Sequence[Name], linalg.Matrix]:
    """A message about effects as one about what the parts of a block are about (see Block)."""
    bound = [key for key in keys if part and key in part.coupling]
    if not bound:
        return keys, precision
    others = {other for key in bound for other in part.coupling[key]}
    wide = list(dict.fromkeys([*keys, *sorted(others)]))
    # every direction of the message, as weights
    halves = [part.lifted(dict(zip(keys, column))) for column in linalg.factored(precision)]
    rows = [tuple([half.get(key, 0.0) for half in halves]) for key in wide]
    return wide, linalg.symmetric_products(rows, rows)


def together(
    messages: Sequence[tuple[Sequence[Name], linalg.Matrix]],
) -> tuple[list[Name], linalg.Matrix]:
    """The sum of several messages, over the union of their features."""
    keys = list(dict.fromkeys(key for names, _ in messages for key in names))
    place = {key: k for k, key in enumerate(keys)}
    total = [array("d", bytes(8 * len(keys))) for _ in keys]
    for names, rows in messages:
        spots = [place[name] for name in names]
        for k, row in zip(spots, rows):
            target = total[k]
            for other, x in zip(spots, row):
                target[other] += x
    return keys, total


class Beside:
    """A covariance, and one of further features that has nothing to do with it."""

    def __init__(self, first: Parts | Lowered, second: Parts):
        self._first, self._second = first, second
        self.sd = [*first.sd, *second.sd]

    def times(self, x: Sequence[float]) -> linalg.Vector:
        """The matrix times a vector."""
        cut = len(self._first.sd)
        return [*self._first.times(x[:cut]), *self._second.times(x[cut:])]


class Conditioned(Posterior):
    """The posterior `base`, conditioned on further columns."""

    def __init__(self, base: Posterior, columns: Sequence[Column]):
        self.__dict__.update(base.__dict__)
        self.published = base
        self.support = {name: list(papers) for name, papers in base.support.items()}
        self.family_of = dict(base.family_of)
        self.columns = {**base.columns, **counted(columns)}
        self._own: dict[int, str] = {}  # number -> feature that no published table has
        split = self._take(columns)
        # benchmark -> what the columns say of published features
        self._added = {name: one.known for name, one in split.items() if one.known.index}
        self._settle()
        moves = []
        for name, message in self._added.items():
            family = self.family_of[name]
            means = base.means(dict.fromkeys(message.index, 1.0), name, family)
            known = [means.get(key, 0.0) for key in message.index]
            pull = [
                r - sum(map(mul, row, known)) for row, r in zip(message.precision, message.vector)
            ]
            x = dict(zip(message.index, pull))
            moves.append((1.0, self.trace(x, {name: 1.0}, {name: family})))
        self._moved = Reach(self, moves)
        self._shifts: dict[tuple[str, str], Weights] = {}
        self._add_own({name: one for name, one in split.items() if one.own})

    def _take(self, columns: Sequence[Column]) -> dict[str, Apart]:
        """The messages of the columns, one per benchmark."""
        base, numbers = self.published, dict(self.published.names)
        messages: dict[str, list[Information]] = {}
        for column, weight in zip(columns, weights(columns, base.hyper.overlap)):
            self.family_of.setdefault(column.benchmark, column.family)
            names = {name for row in column.features for name in row}
            for name in sorted(n for n in names if base.hyper.prior.get(group(n))):
                numbers.setdefault(name, len(numbers))
                if column.paper not in self.support.setdefault(name, []):
                    self.support[name].append(column.paper)
            scale = base.scale_of(column.benchmark)
            messages.setdefault(column.benchmark, []).append(
                column_information(column, scale, base.hyper, numbers, weight)
            )
        self._own = {number: name for name, number in numbers.items() if name not in base.names}
        return {name: apart(add(parts), len(base.names)) for name, parts in messages.items()}

    def _add_own(self, split: Mapping[str, Apart]) -> None:
        """What the user's tables alone have: a tree of its own, fitted to what the published
        effects leave of the scores; its blocks stand beside the others.
        """
        parts = {}
        for name, one in split.items():
            asked = dict.fromkeys(one.known.index, 1.0)
            means = self.means(asked, name, self.family_of[name])
            parts[name] = [one.left([means.get(number, 0.0) for number in one.known.index])]
        if not parts:
            return
        kin = {name: self.family_of[name] or f"?{name}" for name in parts}
        names = {name: number for number, name in self._own.items()}
        beliefs = Beliefs(grow(parts, kin, names, self.hyper))
        own = {
            name: self._beside(self.benchmarks.get(name), found[0], slopes_of(split[name]))
            for name, found in beliefs.benchmarks.items()
        }
        self.benchmarks = ChainMap(own, self.benchmarks)
        kin = {
            name: self._beside(self.families.get(name), found[0], {})
            for name, found in beliefs.families.items()
        }
        self.families = ChainMap(kin, self.families)
        self.root = self._beside(self.root, beliefs.root[0], {})

    def _beside(self, part: Block | None, belief: Belief, slopes: Mapping) -> Block:
        """A block with a belief about further features, which go by their names."""
        one = block([belief])
        names = [self._own[number] for number in one.index]
        coupling = {self._own[number]: of for number, of in slopes.items()}
        if part is None:
            return Block(names, one.mean, one.covariance, one.given, coupling)
        return Block(
            [*part.index, *names],
            [*part.mean, *one.mean],
            part.covariance,
            Beside(part.given, one.given),
            {**part.coupling, **coupling},
        )

    def _settle(self) -> None:
        """Take the messages up: benchmarks, families, the root."""
        shares, base = self.shares, self.published
        own: dict[str, Block] = {}
        at_family: dict[str, list] = {}
        for name, message in self._added.items():
            part = base.benchmarks.get(name)
            own[name], *up = seen(
                part, *lifted(message.index, message.precision, part), lambda key: shares[key][2]
            )
            at_family.setdefault(self.family_of[name] or f"?{name}", []).append(up)
        kin: dict[str, Block] = {}
        at_root = []
        for family, messages in at_family.items():
            kin[family], *up = seen(
                base.families.get(family), *together(messages), lambda key: shares[key][1]
            )
            at_root.append(up)
        if at_root:
            self.root = seen(base.root, *together(at_root), lambda key: shares[key][0])[0]
        self.benchmarks = ChainMap(own, base.benchmarks)
        self.families = ChainMap(kin, base.families)

    def _known_mix(self, steps) -> None:
        """None: what was worked out beforehand does not know these columns."""

    def means(
        self, x: Weights, benchmark: str, family: str | None, *, whole: bool = False
    ) -> Weights:
        out = self.published.means(x, benchmark, family, whole=whole)
        shift = self._shift(benchmark, family)
        own = set(self._own.values())
        for name, value in x.items():
            if name not in own:
                out[name] = out.get(name, 0.0) + value * shift.get(name, 0.0)
        own &= x.keys()
        if own:
            out.update(super().means({name: x[name] for name in own}, benchmark, family))
        return out

    def effect(self, change: Mapping[str, float], benchmark: str, family: str | None) -> Effect:
        x = self.weights(change)
        trace = self.trace(x, {benchmark: 1.0}, {benchmark: family})
        return Effect(self.mean(x, benchmark, family), max(trace.covariance(trace), 0.0))

    def reach(self, x: Weights, benchmark: str, family: str | None) -> Reach:
        # the results take the place of what the fit predicts of them
        there, base = self.reach_own(x, benchmark, family), self.published
        parts = [(1.0, base.trace(self.trusted(x), {benchmark: 1.0}, {benchmark: family}))]
        for name, message in self._added.items():
            kin = self.family_of[name]
            v = there.effects(name, kin)
            asked = [v.get(key, 0.0) for key in message.index]
            y = {
                key: sum(map(mul, row, asked)) for key, row in zip(message.index, message.precision)
            }
            parts.append((-1.0, base.trace(self.trusted(y), {name: 1.0}, {name: kin})))
        return Reach(base, parts)

    def reach_own(self, x: Weights, benchmark: str, family: str | None) -> Reach:
        """The same for the rows of the user's tables: their results count in full (mean)."""
        return Reach(self, [(1.0, self.trace(x, {benchmark: 1.0}, {benchmark: family}))])

    def _shift(self, benchmark: str, family: str | None) -> Weights:
        """How far the results move the mean of each effect."""
        key = (benchmark, family or "")
        if key not in self._shifts:
            self._shifts[key] = self._moved.effects(benchmark, family)
        return self._shifts[key]
