"""Columns and hyper-parameters in, a Posterior out: the model fitted to all benchmarks and
families, in its packed form.

The algebra is model.py's; what can be asked of the result is posterior.py's. Does not read or write
files.
"""

import math
from array import array
from collections.abc import Mapping, Sequence

from ..base import linalg
from .backtest import shared_features
from .columns import Column
from .features import NUMERIC, group
from .hyper import Hyper
from .model import (
    Belief,
    column_information,
    counted,
    descend,
    grow,
    root_belief,
    scales,
    usual_scores,
    weights,
)
from .packed import Packed
from .posterior import Block, Ground, Posterior


def packed(matrix: linalg.Matrix) -> Packed:
    """A matrix in packed form; correlations are rounded to 1/32767, deviations to four digits."""
    sd = [math.sqrt(max(row[i], 1e-12)) for i, row in enumerate(matrix)]
    units = [1 / x for x in sd]
    values = array("h")
    for i, (row, mine) in enumerate(zip(matrix, units)):
        unit = 32767 * mine
        line = [round(x * unit * other) for x, other in zip(row[:i], units)]
        # a correlation may exceed 1 by the rounding of its parts
        values.extend(
            line
            if not line or min(line) >= -32767 and max(line) <= 32767
            else [max(-32767, min(32767, x)) for x in line]
        )
    return Packed([_four(x) for x in sd], values)


def _four(x: float) -> float:
    return float(f"{x:.4g}")


def block(belief: Belief) -> Block:
    """A Block of a Belief."""
    whole = packed(belief.covariance)
    return Block(
        list(belief.index),
        [_four(x) for x in belief.mean],
        whole,
        whole if belief.given is belief.covariance else packed(belief.given),
    )


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
    """Fit the model to columns: every feature that varies somewhere, beliefs for every benchmark
    and family.

    Levels that occur in one paper only are kept when their prior is wide enough to matter (encoder
    levels are not: their kind, family and size speak for them).
    """
    scale = scales(columns)
    shared = set(shared_features(columns, hyper))
    support, ranges = seen(columns)
    # features of one paper stand together, those that papers share behind them: most of the algebra
    # then stays inside the papers
    names = sorted(
        (
            name
            for name in shared_features(columns, hyper, 1)
            if name in shared or hyper.prior[group(name)] >= 0.02
        ),
        key=lambda name: ("\uffff" if name in shared else support[name][0], name),
    )
    numbers = {name: number for number, name in enumerate(names)}
    owners = ["" if name in shared else support[name][0] for name in names]
    informations = [
        column_information(c, scale[c.benchmark], hyper, numbers, w)
        for c, w in zip(columns, weights(columns, hyper.overlap))
    ]
    tree = grow(informations, columns, numbers, hyper, owners.__getitem__)
    root = root_belief(tree.root)
    families, benchmarks = {}, {}
    for family, part in tree.families.items():
        belief = descend(root, part)
        families[family] = block(belief)
        for name, of in tree.family_of.items():
            if of == family:
                benchmarks[name] = block(descend(belief, tree.benchmarks[name]))
    return Posterior(
        hyper,
        names,
        {k: float(f"{v:.5g}") for k, v in scale.items()},
        tree.family_of,
        block(root),
        families,
        dict(sorted(benchmarks.items())),
        Ground(
            dict(sorted(support.items())),
            {k: [float(f"{x:.5g}") for x in v] for k, v in sorted(ranges.items())},
            _sampling(columns, scale),
            spread,
            counted(columns),
            {k: _four(v) for k, v in usual_scores(columns).items()},
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
