"""The level that a recipe can be expected to reach on a benchmark: what released models with an LLM
like its print there.

In: the released models, a benchmark and its split, an LLM's size and month of release. Out: a
Level, or None where too few models tell. A straight line through the models' printed scores, on
the logit, over the LLM's month of release and the doublings of its size. What else is in the recipe
moves the level less than makers differ: a forecast from the recipe's parts was worse
(`backtest --models` shows both). Does not judge a recipe or print.
"""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from ..base import linalg
from .models import Landscape, headline
from .practice import months_between

LEAST = 12  # models of other makers that a line needs: four for each of its three numbers
HELD = 0.8  # the share of models that the interval is as wide as
EDGE = 0.005  # shares of the maximum are kept this far from 0 and 1, as in ability.py
START = "2024-01"  # months are counted from here; which month it is changes nothing


class Level(NamedTuple):
    """A level, in the benchmark's unit, with the interval that holds HELD of such forecasts of
    `models` released models, each made without its maker's; error: their median error.
    """

    expected: float
    low: float
    high: float
    error: float
    models: int


class Point(NamedTuple):
    """A released model on a benchmark: its share of the maximum, beside what the line goes by."""

    model: str
    maker: str
    at: tuple[float, float, float]  # 1, years, doublings of size
    share: float


def level(
    land: Landscape, benchmark: str, split: str, maximum: float, llm: str | None
) -> Level | None:
    """Where a model with this LLM is to be expected. None: the LLM's size or month is not known, it
    lies outside those of the models, or fewer than LEAST of them print the benchmark.
    """
    at = place(land, llm)
    found = points(land, benchmark, split)
    if at is None or not _among(at, found):
        return None
    misses = missed(found)
    if len(misses) < LEAST:
        return None
    z, half = linalg.dot(_solved(_moments(found)), at), _half(misses)
    return Level(
        *(maximum * _share(x) for x in (z, z - half, z + half)),
        maximum * statistics.median(abs(_error(*one)) for one in misses),
        len(misses),
    )


def missed(found: Sequence[Point]) -> list[tuple[Point, float]]:
    """(model, printed less forecast on the logit), each forecast without the maker's own models;
    nothing of makers without whom fewer than LEAST models are left.
    """
    makers: dict[str, list[Point]] = {}
    for point in found:
        makers.setdefault(point.maker, []).append(point)
    whole, out = _moments(found), []
    for own in makers.values():
        if len(found) - len(own) >= LEAST:
            line = _solved([x - y for x, y in zip(whole, _moments(own))])
            out += [(p, _logit(p.share) - linalg.dot(line, p.at)) for p in own]
    return out


class Checked(NamedTuple):
    """A forecast of a released model beside what it prints, in shares of the maximum: printed less
    forecast, and whether the interval (as wide as the other makers' models need) holds it.
    """

    model: str
    error: float
    held: bool


def checked(land: Landscape, benchmark: str, split: str) -> list[Checked]:
    """How such forecasts of released models' printed scores did, none where they are too few."""
    misses = missed(points(land, benchmark, split))
    out = []
    for point, miss in misses:
        others = [one for one in misses if one[0].maker != point.maker]
        if len(others) >= LEAST:
            out.append(Checked(point.model, _error(point, miss), abs(miss) <= _half(others)))
    return out


def _half(misses: Sequence[tuple[Point, float]]) -> float:
    """The half width on the logit that holds HELD of them."""
    off = sorted(abs(miss) for _, miss in misses)
    return off[min(math.ceil(HELD * len(off)), len(off)) - 1]


def _error(point: Point, miss: float) -> float:
    """A miss on the logit as a share of the maximum."""
    return point.share - _share(_logit(point.share) - miss)


def points(land: Landscape, benchmark: str, split: str) -> list[Point]:
    """The open released models that print a benchmark on a split and whose LLM is known."""
    out, places = [], {}
    for model in land.models:
        score, llm = headline(model, benchmark, split), model.record["llm"]
        if llm not in places:
            places[llm] = place(land, llm)
        at = places[llm]
        if score and not score.setup and at and model.record["open"] is not False:
            maker = model.record["organisation"] or model.key
            out.append(Point(model.key, maker, at, score.value / score.max))
    return out


def place(land: Landscape, llm: str | None) -> tuple[float, float, float] | None:
    """What the line goes by, of an LLM: 1, years since START, doublings of a billion parameters."""
    record = land.words.records("llm").get(llm or "")
    if not record or not record.get("release") or not record.get("params_b"):
        return None
    if len(record["release"]) < 7:  # a year alone
        return None
    years = months_between(START, record["release"]) / 12
    return 1.0, years, math.log2(record["params_b"])


def _among(at: Sequence[float], found: Sequence[Point]) -> bool:
    """Does an LLM lie between those of the models, in size and age?"""
    return len(found) > LEAST and all(
        min(point.at[k] for point in found) <= at[k] <= max(point.at[k] for point in found)
        for k in (1, 2)
    )


RIDGE = 1e-6  # where all models have one age or size, the line is flat along it


def _moments(found: Sequence[Point]) -> list[float]:
    """Sums of the products of what the line goes by (lower triangle), and with the logits."""
    columns = [*zip(*(point.at for point in found)), [_logit(point.share) for point in found]]
    return [linalg.dot(columns[i], columns[j]) for i in range(4) for j in range(min(i + 1, 3))]


def _solved(moments: Sequence[float]) -> list[float]:
    """Least squares of the logits, from the sums."""
    lower = [[moments[i * (i + 1) // 2 + j] for j in range(i + 1)] for i in range(3)]
    squares = [[lower[max(i, j)][min(i, j)] + RIDGE * (i == j) for j in range(3)] for i in range(3)]
    return linalg.solve(linalg.cholesky(squares), moments[6:])


def _logit(share: float) -> float:
    share = min(max(share, EDGE), 1 - EDGE)
    return math.log(share / (1 - share))


def _share(z: float) -> float:
    return 1 / (1 + math.exp(-z))
