"""The columns of a fit in few bytes: what the posterior mean takes of each printed score.

In: the columns that a fit has seen. Out: Fitted columns, which attribution.py asks instead of
reading every table again: their rows by name, their scores, and per row and feature the weight with
which the score enters the feature's posterior mean (`pull`). Does not know any answer.
"""

import json
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from ..base import linalg
from .columns import Column
from .features import group
from .hyper import Hyper
from .model import covariance, weights
from .packed import numbers, stored
from .posterior import Posterior


class Run(NamedTuple):
    """A row by name, and the name of the training run where tables share it."""

    arm: str
    run: str | None


class Fitted(NamedTuple):
    """A column of the fit. rows, tables, scores, unit: as in Column. index: numbers of its
    features.

    pull: per row, W X: the weight matrix of the rows (the inverse covariance, intercept taken out,
    times the column's weight) times the features in units of their prior standard deviations.
    """

    paper: str
    benchmark: str
    family: str
    unit: float
    rows: tuple[Run, ...]
    tables: tuple[str, ...]
    scores: tuple[float, ...]
    index: tuple[int, ...]
    pull: Sequence[Sequence[float]]


def keep_columns(posterior: Posterior, columns: Sequence[Column]) -> None:
    """Let a posterior keep the columns that it was fitted on."""
    hyper, names = posterior.hyper, posterior.names
    shared = {name: k for name, k in names.items() if len(posterior.support[name]) > 1}
    posterior.fitted = tuple(
        fitted(column, weight, posterior.scale_of(column.benchmark), hyper, (shared, names))
        for column, weight in zip(columns, weights(columns, hyper.overlap))
    )


def fitted(
    column: Column,
    weight: float,
    scale: float,
    hyper: Hyper,
    known: tuple[Mapping[str, int], Mapping[str, int]],
) -> Fitted:
    """A column as the fit saw it. known: the features that papers share, and all. What the paper
    alone has is noise to the first, and so is what the fit left out to all (fit.py).
    """
    shared, names = known
    index, pull = [], []
    for some in (shared, names):
        mine = {n for row in column.features for n in row if n in some}
        if some is names:
            mine -= shared.keys()
        if not mine:
            continue
        local = [
            {n: x for n, x in row.items() if n not in some and hyper.prior.get(group(n))}
            for row in column.features
        ]
        factor = linalg.cholesky(covariance(column, hyper, local, scale))
        ones = linalg.solve(factor, [1.0] * len(column.rows))
        length = sum(ones)
        for name in sorted(mine, key=names.__getitem__):
            x = [row.get(name, 0.0) for row in column.features]
            if max(x) - min(x) > 1e-9:
                raw = linalg.solve(factor, x)
                shift = sum(raw) / length
                unit = weight * math.sqrt(hyper.prior[group(name)])
                index.append(names[name])
                pull.append([unit * (a - shift * one) for a, one in zip(raw, ones)])
    rows = tuple(Run(row.arm, row.run) for row in column.rows)
    return Fitted(
        column.paper,
        column.benchmark,
        column.family,
        column.unit,
        rows,
        column.tables,
        column.scores,
        tuple(index),
        list(zip(*pull)) if pull else [()] * len(rows),
    )


def pack(columns: Sequence[Fitted]) -> bytes:
    """The stored form: rows once each, columns that name them by number, and all pulls."""
    import zlib  # only fitting asks for it

    rows: dict[tuple, int] = {}
    told, index, pulls = [], array("H"), array("f")
    for c in columns:
        mine = [
            rows.setdefault((table, row.arm, row.run), len(rows))
            for table, row in zip(c.tables, c.rows)
        ]
        told.append([c.paper, c.benchmark, c.family, c.unit, mine, c.scores, len(c.index)])
        index.extend(c.index)
        for row in c.pull:
            pulls.extend(row)
    text = json.dumps([list(rows), told], ensure_ascii=False, separators=(",", ":")).encode()
    parts = (text, stored(index), stored(pulls))
    return b"".join(
        len(small).to_bytes(4, "little") + small for small in (zlib.compress(p, 9) for p in parts)
    )


def unpack(raw: memoryview) -> Iterator[Fitted]:
    """The columns that `pack` stored, in their order."""
    import zlib

    parts, place = [], 0
    for _ in range(3):
        length = int.from_bytes(raw[place : place + 4], "little")
        parts.append(zlib.decompress(raw[place + 4 : place + 4 + length]))
        place += 4 + length
    rows, told = json.loads(parts[0])
    runs = [(table, Run(arm, run)) for table, arm, run in rows]
    index, pulls = iter(numbers("H", parts[1])), iter(numbers("f", parts[2]))
    for paper, benchmark, family, unit, mine, scores, size in told:
        tables, named = zip(*[runs[k] for k in mine])
        features = tuple(islice(index, size))
        pull = [tuple(islice(pulls, size)) for _ in mine]
        yield Fitted(paper, benchmark, family, unit, named, tables, tuple(scores), features, pull)
