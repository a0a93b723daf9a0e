"""A covariance matrix in little space: deviations, and correlations in 16 bits each; single entries
and products with vectors.

In: deviations and packed correlations. Out: covariances. Knows nothing of what the rows mean.
Products are what answers spend their time
on: which way is fastest depends on how many entries of the vector matter and on how often the
matrix is asked.
"""

import sys
from array import array
from collections.abc import Sequence
from itertools import zip_longest
from math import dist
from operator import itemgetter, mul

from ..base import linalg


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
    of 1/32767.
    """

    def __init__(self, sd: Sequence[float], packed: memoryview | array):
        self.sd, self._packed = sd, packed
        self._rows: list[tuple[tuple[float, ...], float]] | None = None
        self._columns: dict[int, Sequence[int]] = {}
        self._used = 0

    @property
    def correlations(self) -> array:
        """Rows of the lower triangle without the diagonal, unpacked when first asked for."""
        if isinstance(self._packed, memoryview):
            self._packed = unsqueezed(self._packed)
        return self._packed

    def at(self, i: int, j: int) -> float:
        """The covariance at row i and column j."""
        if i == j:
            return self.sd[i] * self.sd[i]
        if i < j:
            i, j = j, i
        return self.sd[i] * self.sd[j] * self.correlations[i * (i - 1) // 2 + j] / 32767.0

    def column(self, k: int) -> linalg.Vector:
        """A whole column of the covariances."""
        unit = self.sd[k] / 32767.0
        return [unit * x * sd for x, sd in zip(self._column(k), self.sd)]

    def times(self, x: Sequence[float]) -> linalg.Vector:
        """The matrix times a vector: from the triangle for a sparse vector and the first dense one,
        else from whole rows.
        """
        scaled = tuple(map(mul, x, self.sd))
        some = [k for k, value in enumerate(scaled) if value]
        if len(some) * 8 < len(scaled):
            out = self._few(scaled, some)
        elif self._rows is None and self._used < 1:
            self._used += 1
            out = self._triangle(scaled)
        else:
            # 2 a.b = |a|^2 + |b|^2 - |a - b|^2, and math.dist is four times as fast as a sum of
            # products; what that loses (1e-16 of the squared lengths) is nothing beside the
            # rounding of the correlations.
            if self._rows is None:
                self._rows = self._square()
            length = sum(map(mul, scaled, scaled))
            out = [(length + own - dist(row, scaled) ** 2) / 2 for row, own in self._rows]
        return list(map(mul, out, self.sd))

    def _few(self, scaled: Sequence[float], some: Sequence[int]) -> linalg.Vector:
        """The correlations times a vector that is zero but at `some` places."""
        out = [0.0] * len(scaled)
        for k in some:
            value = scaled[k] / 32767.0
            out = [total + value * y for total, y in zip(out, self._column(k))]
        return out

    def _column(self, k: int) -> Sequence[int]:
        """A whole column of the correlations; the same few are asked for again and again."""
        if k not in self._columns:
            values, start, size = self.correlations, k * (k - 1) // 2, len(self.sd)
            self._columns[k] = [
                *values[start : start + k],
                32767,
                *[values[i * (i - 1) // 2 + k] for i in range(k + 1, size)],
            ]
        return self._columns[k]

    def _triangle(self, scaled: Sequence[float]) -> linalg.Vector:
        """The correlations times a vector, row by row of the lower triangle.

        What is below three thousandths of the largest counts on the diagonal alone: less than the
        fourth digit of a deviation.
        """
        values, start, out = self.correlations, 0, list(scaled)
        least = 3e-3 * max(map(abs, scaled), default=0.0)
        large: list[int] = []  # so far, with the values there
        heights: list[float] = []
        gather = None
        for i, value in enumerate(scaled):
            row = values[start : start + i]
            start += i
            if gather:
                out[i] += sum(map(mul, gather(row), heights)) / 32767.0
            if abs(value) >= least > 0.0:
                value /= 32767.0
                out[:i] = [total + value * y for total, y in zip(out, row)]
                large.append(i)
                heights.append(scaled[i])
                gather = itemgetter(*large) if len(large) > 1 else (lambda row, k=i: (row[k],))
        return out

    def _square(self) -> list[tuple[tuple[float, ...], float]]:
        """All rows of the correlations, each with its squared length."""
        values, rows, start = [value / 32767.0 for value in self.correlations], [], 0
        for i in range(len(self.sd)):
            rows.append(values[start : start + i])
            start += i
        origin = (0.0,) * len(rows)
        whole = [
            (*row, 1.0, *column[i + 1 :])
            for i, (row, column) in enumerate(zip(rows, [*zip_longest(*rows, fillvalue=0.0), ()]))
        ]
        return [(row, dist(row, origin) ** 2) for row in whole]
