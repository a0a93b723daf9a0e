"""Columns and hyper-parameters in, a Posterior out: the model fitted to all benchmarks and
families, in its packed form.

Features that papers share go through one tree. What one paper alone has (most names of data mixes)
is left in the noise of its columns there, and then gets a small tree of its own, from what the
shared effects leave of the paper's scores: so the cost grows with the papers, not with the cube of
all names. The algebra is model.py's; what can be asked of the result is posterior.py's. Does not
read or write files.
"""

from collections.abc import Iterable, Mapping, Sequence

from .backtest import shared_features
from .columns import Column
from .features import NUMERIC, group
from .hyper import Hyper
from .levels import Beliefs, block, slopes_of
from .model import (
    Information,
    add,
    apart,
    column_information,
    counted,
    grow,
    scales,
    usual_scores,
    weights,
)
from .posterior import Ground, Posterior

# What one paper alone has is kept when its prior variance is at least this: a smaller one says
# little, and encoders are known by their kind, family, line and size instead.
LEAST_PRIOR = 0.02

Couplings = dict[str, dict[int, dict[int, float]]]  # benchmark -> see block.Block


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
        parts = {}
        for name, messages in told([paper], {**shared, **own}).items():
            split, known = apart(add(messages), len(shared)), beliefs.benchmarks[name][0]
            means = dict(zip(known.index, known.mean))
            parts[name] = [split.left([means[number] for number in split.known.index])]
            coupling.setdefault(name, {}).update(slopes_of(split))
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
