"""The few dense solvers the project needs, in pure Python.

In and out: matrices as lists of rows of floats, vectors as lists. Symmetric matrices are read from
their lower triangle. Nothing here knows what the numbers mean. Sizes up to a few hundred are what
it is for: a Cholesky factor costs n^3/6 multiply-adds, about 0.05 s at n = 200.
"""

from collections.abc import Sequence
from math import log, sqrt
from operator import mul

Vector = list[float]
Matrix = list[list[float]]


class NotPositiveDefinite(ValueError):
    """A matrix that should be a covariance or a precision is not: row `index` has no positive
    pivot.
    """

    def __init__(self, index: int):
        self.index = index
        super().__init__(f"the matrix is not positive definite (row {index})")


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """Sum of products; the shorter length counts."""
    return sum(map(mul, a, b))


def cholesky(a: Sequence[Sequence[float]]) -> Matrix:
    """Lower factor L of a = L L', as ragged rows (row i has i + 1 entries). Raises
    NotPositiveDefinite.
    """
    rows: Matrix = []
    for i, line in enumerate(a):
        row: Vector = []
        for j in range(i):
            other = rows[j]
            row.append((line[j] - sum(map(mul, row, other))) / other[j])
        pivot = line[i] - sum(map(mul, row, row))
        if not pivot > 0.0:
            raise NotPositiveDefinite(i)
        row.append(sqrt(pivot))
        rows.append(row)
    return rows


def solve_lower(factor: Matrix, b: Sequence[float]) -> Vector:
    """x with L x = b."""
    x: Vector = []
    for row, value in zip(factor, b):
        x.append((value - sum(map(mul, row, x))) / row[len(x)])
    return x


def solve_upper(factor: Matrix, b: Sequence[float]) -> Vector:
    """x with L' x = b, for the lower factor L."""
    x = list(b)
    for i in range(len(factor) - 1, -1, -1):
        row = factor[i]
        value = x[i] / row[i]
        x[i] = value
        for j in range(i):
            x[j] -= row[j] * value
    return x


def solve(factor: Matrix, b: Sequence[float]) -> Vector:
    """x with a x = b, for the factor of a."""
    return solve_upper(factor, solve_lower(factor, b))


def log_determinant(factor: Matrix) -> float:
    """log |a| from the factor of a."""
    return 2.0 * sum(log(row[-1]) for row in factor)


def inverse(factor: Matrix) -> Matrix:
    """a^-1 (full square) from the factor of a, by inverting L and multiplying L^-T L^-1."""
    n = len(factor)
    columns: Matrix = []  # column j of L^-1 from its diagonal down, stored as rows
    for j in range(n):
        column = [1.0 / factor[j][j]]
        for i in range(j + 1, n):
            row = factor[i]
            column.append(-sum(map(mul, row[j:i], column)) / row[i])
        columns.append(column)
    out = [[0.0] * n for _ in range(n)]
    for i in range(n):
        tail = columns[i]
        for j in range(i + 1):
            value = sum(map(mul, columns[j][i - j :], tail))
            out[i][j] = value
            out[j][i] = value
    return out


def matvec(a: Sequence[Sequence[float]], x: Sequence[float]) -> Vector:
    """a x."""
    return [sum(map(mul, row, x)) for row in a]


def quadratic(a: Sequence[Sequence[float]], x: Sequence[float]) -> float:
    """x' a x."""
    return sum(map(mul, x, matvec(a, x)))
