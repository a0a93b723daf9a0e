"""Columns and hyper-parameters in, a Posterior out: the model fitted to all benchmarks and
families, in its packed form.

Features that papers share go through one tree. What one paper alone has (most names of data mixes)
is left in the noise of its columns there, and then gets a small tree of its own, from what the
shared effects leave of the paper's scores: so the cost grows with the papers, not with the cube of
all names. The algebra is model.py's; what can be asked of the result is posterior.py's. Does not
read or write files.
"""

from collections.abc import Iterable, Mapping, Sequence

from ..base import linalg
from .backtest import shared_features
from .columns import Column
from .features import NUMERIC, group
from .hyper import Hyper
from .model import (
    Belief,
    Information,
    Tree,
    add,
    column_information,
    counted,
    descend,
    grow,
    root_belief,
    scales,
    usual_scores,
    weights,
)
from .packed import Parts, packed, rounded
from .posterior import Block, Ground, Posterior

# What one paper alone has is kept when its prior variance is at least this: a smaller one says
# little, and encoders are known by their kind, family, line and size instead.
LEAST_PRIOR = 0.02
# A slope of the coupling below this is none: it would move an effect by less than a thousandth.
LEAST_SLOPE = 1e-3

Couplings = dict[str, dict[int, dict[int, float]]]  # benchmark -> see posterior.Block


def seen(columns: Sequence[Column]) -> tuple[dict[str, list[str]], dict[str, list[float]]]:
    """Feature -> the papers in which it varies; numeric feature -> its smallest and largest
    value."""
    support: dict[str, list[str]] = {}
    ranges: dict[str, list[float]] = {}
    for column in columns:
        for name in {name for row in column.features for name in row}:
            values = [row.get(name, 0.0) for row in column.features]
            low, high = min(values), max(values)
            if high - low > 1e-9:
                if column.paper not in support.setdefault(name, []):
                    support[name].append(column.paper)
                if name in NUMERIC:
                    here = ranges.setdefault(name, [low, high])
                    here[:] = [min(here[0], low), max(here[1], high)]
    return support, ranges


def fit(columns: Sequence[Column], hyper: Hyper, spread: float = 1.0) -> Posterior:
    """Fit the model to columns: beliefs for every benchmark and family about every feature that
    varies somewhere (but see LEAST_PRIOR).
    """
    scale, (support, ranges) = scales(columns), seen(columns)
    shared = shared_features(columns, hyper)
    alone = sorted(
        (support[name][0], name)
        for name in shared_features(columns, hyper, 1).keys() - shared.keys()
        if hyper.prior[group(name)] >= LEAST_PRIOR
    )
    names = [*shared, *(name for _, name in alone)]
    mine: dict[str, dict[str, int]] = {}  # paper -> what it alone has
    for number, (paper, name) in enumerate(alone, len(shared)):
        mine.setdefault(paper, {})[name] = number
    family_of = {column.benchmark: column.family for column in columns}
    weighed: dict[str, list[tuple[Column, float]]] = {}
    for column, weight in zip(columns, weights(columns, hyper.overlap)):
        weighed.setdefault(column.paper, []).append((column, weight))

    def told(papers: Iterable[str], known: Mapping[str, int]) -> dict[str, list[Information]]:
        """What the columns of some papers say about features, by benchmark."""
        out: dict[str, list[Information]] = {}
        for column, weight in (one for paper in papers for one in weighed[paper]):
            out.setdefault(column.benchmark, []).append(
                column_information(column, scale[column.benchmark], hyper, known, weight)
            )
        return out

    beliefs = Beliefs(grow(told(weighed, shared), family_of, shared, hyper))
    coupling: Couplings = {}
    for paper, own in mine.items():
        messages = apart(told([paper], {**shared, **own}), len(shared), beliefs)
        for name, (_, slopes) in messages.items():
            coupling.setdefault(name, {}).update(slopes)
        parts = {name: [message] for name, (message, _) in messages.items()}
        beliefs.add(grow(parts, family_of, own, hyper))
    return Posterior(
        hyper,
        names,
        {k: float(f"{v:.5g}") for k, v in scale.items()},
        family_of,
        block(beliefs.root),
        {name: block(parts) for name, parts in beliefs.families.items()},
        {
            name: block(parts, coupling.get(name, {}))
            for name, parts in sorted(beliefs.benchmarks.items())
        },
        Ground(
            dict(sorted(support.items())),
            {k: [float(f"{x:.5g}") for x in v] for k, v in sorted(ranges.items())},
            _sampling(columns, scale),
            spread,
            counted(columns),
            {k: float(f"{v:.4g}") for k, v in usual_scores(columns).items()},
        ),
    )


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


def apart(
    told: Mapping[str, Sequence[Information]],
    shared: int,
    beliefs: Beliefs,
) -> dict[str, tuple[Information, dict[int, dict[int, float]]]]:
    """Per benchmark, what a paper says about the features that it alone has when the shared effects
    are what they are believed to be; and the slopes on these (posterior.Block).

    told: what its columns say about both; features from number `shared` on are its own. The slopes
    are those that the paper's columns on one benchmark would give by themselves, exact when the
    paper prints no other.
    """
    out = {}
    for name, parts in told.items():
        message = add(parts)
        cut = sum(number < shared for number in message.index)
        others, own = message.index[:cut], message.index[cut:]
        if not own:
            continue
        known = beliefs.benchmarks[name][0]
        means = dict(zip(known.index, known.mean))
        across = [row[:cut] for row in message.precision[cut:]]
        inside = [list(row[cut:]) for row in message.precision[cut:]]
        left = linalg.matvec(across, [means[number] for number in others])
        vector = [x - y for x, y in zip(message.vector[cut:], left)]
        ridge = [list(row) for row in inside]
        for k, row in enumerate(ridge):
            row[k] += 1.0
        factor = linalg.cholesky(ridge)
        slopes: dict[int, dict[int, float]] = {}
        for other, column in zip(others, zip(*across)):
            for number, slope in zip(own, linalg.solve(factor, list(column))):
                if abs(slope) > LEAST_SLOPE:
                    slopes.setdefault(number, {})[other] = rounded(slope)
        out[name] = Information(own, inside, vector), slopes
    return out


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


def _sampling(columns: Sequence[Column], scale: Mapping[str, float]) -> dict[str, float]:
    """Benchmark -> mean variance from its number of questions, in units of its scale squared."""
    drawn: dict[str, list[float]] = {}
    for column in columns:
        drawn.setdefault(column.benchmark, []).extend(
            value / scale[column.benchmark] ** 2 for value in column.sampling
        )
    return {
        name: float(f"{sum(values) / len(values):.3g}")
        for name, values in sorted(drawn.items())
        if values
    }
