"""A covariance matrix in little space: deviations, and correlations in 16 bits each; single entries
and products with vectors.

In: covariances, or deviations and packed correlations. Out: covariances. Knows nothing of what the
rows mean. Products are what answers spend their time on: which way is fastest depends on how many
entries of the vector matter.
"""

import functools
import math
import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from operator import itemgetter, mul
from struct import pack, unpack

from ..base import linalg

LEAST = 3e-3  # see Packed.times
# Whole rows (fast, but to be made) pay from so many products with one matrix on.
OFTEN = 3
# A correlation of 1. (More digits would not be seen: at 32767 the same answers take two thirds more
# space.)
ONE = 8191


def numbers(code: str, raw: bytes | memoryview) -> array:
    """Numbers of an array type code from their stored bytes (little-endian)."""
    values = array(code)
    values.frombytes(raw)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def stored(values: array) -> bytes:
    """The bytes that `numbers` reads."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def squeezed(values: array) -> bytes:
    """Correlations in few bytes: most are small, so low and high bytes stand apart, compressed."""
    import zlib  # only fitting asks for it

    raw = stored(values)
    return zlib.compress(raw[0::2] + raw[1::2], 9)


def unsqueezed(raw: bytes | memoryview) -> array:
    """The correlations that `squeezed` packed."""
    import zlib  # not every command reads the fit

    planes = zlib.decompress(raw)
    half = len(planes) // 2
    both = bytearray(len(planes))
    both[0::2], both[1::2] = planes[:half], planes[half:]
    return numbers("h", both)


class Packed:
    """A covariance matrix: standard deviations, and the lower triangle of the correlations in units
    of 1 / ONE.
    """

    def __init__(self, sd: Sequence[float], correlations: array):
        # correlations: rows of the lower triangle without the diagonal
        self.sd, self.correlations = sd, correlations
        self._columns: dict[int, Sequence[int]] = {}
        self._products = 0  # so far, with vectors that are not small
        self._whole: tuple[linalg.Rows, linalg.Vector] | None = None

    def rows(self) -> linalg.Matrix:
        """The whole matrix."""
        values, start, lower = self.correlations, 0, []
        for i, mine in enumerate(self.sd):
            unit = mine / ONE
            row = [x * unit * other for x, other in zip(values[start : start + i], self.sd)]
            lower.append([*row, mine * mine])
            start += i
        return linalg.mirrored(lower)

    def at(self, i: int, j: int) -> float:
        """The covariance at row i and column j."""
        if i == j:
            return self.sd[i] * self.sd[i]
        if i < j:
            i, j = j, i
        return self.sd[i] * self.sd[j] * self.correlations[i * (i - 1) // 2 + j] / ONE

    def quadratic(self, spots: Sequence[int], x: Sequence[float]) -> float:
        """x' C x, with x zero but at some places."""
        values, total, below = self.correlations, 0.0, []
        for i, value in sorted(zip(spots, x)):
            value *= self.sd[i]
            start, beside = i * (i - 1) // 2, 0.0
            for j, other in below:
                beside += other * values[start + j]
            total += value * (value + 2 * beside / ONE)
            below.append((i, value))
        return total

    def column(self, k: int) -> linalg.Vector:
        """A whole column of the covariances."""
        unit = self.sd[k] / ONE
        return [unit * x * sd for x, sd in zip(self._column(k), self.sd)]

    def times(self, x: Sequence[float]) -> linalg.Vector:
        """The matrix times a vector.

        Entries below LEAST of the largest (in standard deviations) count on the diagonal alone:
        less than the fourth digit of a deviation.
        """
        scaled = list(map(mul, x, self.sd))
        least = LEAST * max(map(abs, scaled), default=0.0)
        some = [k for k, value in enumerate(scaled) if abs(value) > least]
        self._products += 1
        if len(some) * 8 < len(scaled):
            out = self._few(scaled, some)
        elif self._products < OFTEN:
            out = self._triangle(scaled, least)
        else:
            out = self._all(scaled)
        return list(map(mul, out, self.sd))

    def _few(self, scaled: Sequence[float], some: Sequence[int]) -> linalg.Vector:
        """The correlations times a vector that is small but at `some` places."""
        out = list(scaled)
        for k in some:
            out[k] = 0.0
        for k in some:
            value = scaled[k] / ONE
            out = [total + value * y for total, y in zip(out, self._column(k))]
        return out

    def _column(self, k: int) -> Sequence[int]:
        """A whole column of the correlations; the same few are asked for again and again."""
        if k not in self._columns:
            values, start, size = self.correlations, k * (k - 1) // 2, len(self.sd)
            self._columns[k] = [
                *values[start : start + k],
                ONE,
                *[values[i * (i - 1) // 2 + k] for i in range(k + 1, size)],
            ]
        return self._columns[k]

    def _all(self, scaled: linalg.Vector) -> linalg.Vector:
        """The correlations times a vector, from whole rows, which are made once."""
        if self._whole is None:
            rows = list(map(tuple, Packed([1.0] * len(scaled), self.correlations).rows()))
            self._whole = rows, linalg.halves(rows)
        return linalg.products([tuple(scaled)], *self._whole)[0]

    def _triangle(self, scaled: Sequence[float], least: float) -> linalg.Vector:
        """The correlations times a vector, row by row of the lower triangle; what is not above
        `least` counts on the diagonal alone.
        """
        values, start, out = self.correlations, 0, list(scaled)
        large: list[int] = []  # so far, with the values there
        heights: list[float] = []
        gather = None
        for i, value in enumerate(scaled):
            row = values[start : start + i]
            start += i
            if gather:
                out[i] += sum(map(mul, gather(row), heights)) / ONE
            if abs(value) > least:
                value /= ONE
                out[:i] = [total + value * y for total, y in zip(out, row)]
                large.append(i)
                heights.append(scaled[i])
                gather = itemgetter(*large) if len(large) > 1 else (lambda row, k=i: (row[k],))
        return out


class Parts:
    """A covariance matrix of parts that have nothing to do with each other, one after the other;
    asked like one Packed. sizes: of the parts; packed: their correlations, one after the other.
    """

    def __init__(self, sd: Sequence[float], sizes: Sequence[int], packed: memoryview | array):
        self.sd, self.sizes, self._packed = sd, sizes, packed

    @classmethod
    def of(cls, parts: Sequence[Packed]) -> "Parts":
        """The matrix of these parts."""
        whole = array("h")
        for part in parts:
            whole.extend(part.correlations)
        sizes = [len(part.sd) for part in parts]
        return cls([x for part in parts for x in part.sd], sizes, whole)

    @property
    def correlations(self) -> array:
        """Those of all parts, one after the other."""
        if isinstance(self._packed, memoryview):
            self._packed = unsqueezed(self._packed)
        return self._packed

    @functools.cached_property
    def parts(self) -> list[Packed]:
        """The parts, each for itself."""
        out, start, place = [], 0, 0
        for size in self.sizes:
            length = size * (size - 1) // 2
            values = self.correlations[place : place + length]
            out.append(Packed(self.sd[start : start + size], values))
            start, place = start + size, place + length
        return out

    @functools.cached_property
    def _of(self) -> list[tuple[int, Packed]]:
        """Of every row: where its part begins, and the part."""
        starts = accumulate(self.sizes, initial=0)
        return [one for one in zip(starts, self.parts) for _ in one[1].sd]

    def at(self, i: int, j: int) -> float:
        """The covariance at row i and column j."""
        start, part = self._of[i]
        return part.at(i - start, j - start) if 0 <= j - start < len(part.sd) else 0.0

    def quadratic(self, spots: Sequence[int], x: Sequence[float]) -> float:
        """x' C x, with x zero but at some places."""
        if not spots:
            return 0.0
        if max(spots) < self.sizes[0]:  # nearly always
            return self.parts[0].quadratic(spots, x)
        asked: dict[int, tuple[Packed, list[int], list[float]]] = {}
        for k, value in zip(spots, x):
            start, part = self._of[k]
            _, places, values = asked.setdefault(start, (part, [], []))
            places.append(k - start)
            values.append(value)
        return sum(part.quadratic(places, values) for part, places, values in asked.values())

    def column(self, k: int) -> linalg.Vector:
        """A whole column of the covariances."""
        start, part = self._of[k]
        after = len(self.sd) - start - len(part.sd)
        return [*([0.0] * start), *part.column(k - start), *([0.0] * after)]

    def times(self, x: Sequence[float]) -> linalg.Vector:
        """The matrix times a vector; see Packed.times."""
        out: linalg.Vector = []
        for part in self.parts:
            mine = x[len(out) : len(out) + len(part.sd)]
            out += part.times(mine) if any(mine) else mine
        return out


def packed(matrix: linalg.Matrix) -> Packed:
    """A matrix in packed form; correlations are rounded to 1 / ONE, deviations to four digits."""
    sd = [math.sqrt(max(row[i], 1e-12)) for i, row in enumerate(matrix)]
    units = [1 / x for x in sd]
    values = array("h")
    for i, (row, mine) in enumerate(zip(matrix, units)):
        unit = ONE * mine
        line = [round(x * unit * other) for x, other in zip(row[:i], units)]
        # a correlation may exceed 1 by the rounding of its parts
        values.extend([max(-ONE, min(ONE, x)) for x in line])
    return Packed([rounded(x) for x in sd], values)


def rounded(x: float) -> float:
    """To four digits, as it comes back from four bytes."""
    return unpack("f", pack("f", float(f"{x:.4g}")))[0]
