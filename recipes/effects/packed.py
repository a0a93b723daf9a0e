"""A covariance matrix in little space: deviations, and correlations in 16 bits each; single entries
and products with vectors.

In: deviations and packed correlations. Out: covariances. Knows nothing of what the rows mean.
Products are what answers spend their time on: which way is fastest depends on how many entries of
the vector matter.
"""

import sys
from array import array
from collections.abc import Sequence
from operator import itemgetter, mul

from ..base import linalg

LEAST = 3e-3  # see Packed.times


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
        self._columns: dict[int, Sequence[int]] = {}

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

    def quadratic(self, spots: Sequence[int], x: Sequence[float]) -> float:
        """x' C x, with x zero but at some places."""
        values, total, below = self.correlations, 0.0, []
        for i, value in sorted(zip(spots, x)):
            value *= self.sd[i]
            start, beside = i * (i - 1) // 2, 0.0
            for j, other in below:
                beside += other * values[start + j]
            total += value * (value + 2 * beside / 32767.0)
            below.append((i, value))
        return total

    def column(self, k: int) -> linalg.Vector:
        """A whole column of the covariances."""
        unit = self.sd[k] / 32767.0
        return [unit * x * sd for x, sd in zip(self._column(k), self.sd)]

    def times(self, x: Sequence[float]) -> linalg.Vector:
        """The matrix times a vector.

        Entries below LEAST of the largest (in standard deviations) count on the diagonal alone:
        less than the fourth digit of a deviation.
        """
        scaled = list(map(mul, x, self.sd))
        least = LEAST * max(map(abs, scaled), default=0.0)
        some = [k for k, value in enumerate(scaled) if abs(value) > least]
        if len(some) * 8 < len(scaled):
            out = self._few(scaled, some)
        else:
            out = self._triangle(scaled, least)
        return list(map(mul, out, self.sd))

    def _few(self, scaled: Sequence[float], some: Sequence[int]) -> linalg.Vector:
        """The correlations times a vector that is small but at `some` places."""
        out = list(scaled)
        for k in some:
            out[k] = 0.0
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
                out[i] += sum(map(mul, gather(row), heights)) / 32767.0
            if abs(value) > least:
                value /= 32767.0
                out[:i] = [total + value * y for total, y in zip(out, row)]
                large.append(i)
                heights.append(scaled[i])
                gather = itemgetter(*large) if len(large) > 1 else (lambda row, k=i: (row[k],))
        return out
