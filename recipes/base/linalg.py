"""The few dense solvers the project needs, in pure Python.

In and out: matrices as lists of rows of floats, vectors as lists. Symmetric matrices are read from
their lower triangle. Nothing here knows what the numbers mean. Small systems go through a
Cholesky factor (n^3/6 multiply-adds, about 0.05 s at n = 200); inverses of a few hundred and more
go through `symmetric_inverse`, which is made of products that `math.dist` forms.
"""

from collections.abc import Sequence
from itertools import repeat
from math import dist, log, sqrt
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


def factored(matrix: Sequence[Sequence[float]], least: float = 1e-6) -> Matrix:
    """Columns f of which the products f f' add up to a positive semidefinite matrix, but for
    `least` on its diagonal: a Cholesky factor with pivots, as many columns as the matrix says
    different things.
    """
    left = [row[i] for i, row in enumerate(matrix)]
    columns: Matrix = []
    while len(columns) < len(matrix):
        p = max(range(len(left)), key=left.__getitem__)
        if left[p] <= least:
            break
        pivot, column = sqrt(left[p]), list(matrix[p])
        for other in columns:
            if weight := other[p]:
                column = [x - weight * y for x, y in zip(column, other)]
        column = [x / pivot for x in column]
        left = [x - y * y for x, y in zip(left, column)]
        left[p] = 0.0
        columns.append(column)
    return columns


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


def _inverse_columns(factor: Matrix) -> Matrix:
    """The columns of L^-1 for a lower factor, each from its diagonal down."""
    columns: Matrix = []
    for j, row in enumerate(factor):
        column = [1.0 / row[j]]
        for i in range(j + 1, len(factor)):
            below = factor[i]
            column.append(-sum(map(mul, below[j:i], column)) / below[i])
        columns.append(column)
    return columns


def lower_inverse(factor: Matrix) -> Matrix:
    """L^-1 (full square) of a lower factor."""
    columns = _inverse_columns(factor)
    n = len(columns)
    return [[columns[j][i - j] for j in range(i + 1)] + [0.0] * (n - i - 1) for i in range(n)]


def inverse(factor: Matrix) -> Matrix:
    """a^-1 (full square) from the factor of a, by inverting L and multiplying L^-T L^-1."""
    columns = _inverse_columns(factor)
    out: Matrix = []
    for i, tail in enumerate(columns):
        out.append([sum(map(mul, columns[j][i - j :], tail)) for j in range(i + 1)])
    return mirrored(out)


def matvec(a: Sequence[Sequence[float]], x: Sequence[float]) -> Vector:
    """a x."""
    return [sum(map(mul, row, x)) for row in a]


def quadratic(a: Sequence[Sequence[float]], x: Sequence[float]) -> float:
    """x' a x."""
    return sum(map(mul, x, matvec(a, x)))


Rows = list[tuple[float, ...]]
SMALL = 24  # below this a Cholesky factor is faster than halving


def halves(rows: Sequence[Sequence[float]]) -> Vector:
    """Half the squared length of each row, for `products`."""
    return [sum(map(mul, row, row)) / 2 for row in rows]


def products(a: Rows, b: Rows, b_halves: Vector | None = None) -> Matrix:
    """a b': each row of a times each row of b.

    x.y = |x|^2/2 + |y|^2/2 - |x - y|^2/2, and math.dist is four times as fast as a sum of products.
    What that loses is 1e-16 of the squared lengths: the rows should be of like lengths.
    """
    if b_halves is None:
        b_halves = halves(b)
    out = []
    for row, half in zip(a, halves(a) if a is not b else b_halves):
        distances = map(dist, repeat(row), b)
        out.append([half + other - 0.5 * d * d for other, d in zip(b_halves, distances)])
    return out


def symmetric_products(a: Rows, b: Rows) -> Matrix:
    """a b' where that is known to be symmetric: half the work of `products`."""
    out: Matrix = []
    b_halves = halves(b)
    for i, (row, half) in enumerate(zip(a, halves(a))):
        distances = map(dist, repeat(row, i + 1), b)
        out.append([half + other - 0.5 * d * d for other, d in zip(b_halves, distances)])
    return mirrored(out)


def mirrored(lower: Matrix) -> Matrix:
    """The full matrix of a lower triangle (ragged rows), which is used up."""
    for i, row in enumerate(lower):
        row.extend([other[i] for other in lower[i + 1 :]])
    return lower


def symmetric_inverse(a: Sequence[Sequence[float]]) -> Matrix:
    """a^-1 (full square) of a positive definite matrix of which the diagonal is about 1.

    By halves: with W = A11^-1 A12 and S = A22 - A21 W, the inverse is S^-1 below, -W S^-1 beside
    and A11^-1 + W S^-1 W' above.
    """
    n = len(a)
    if n <= SMALL:
        return inverse(cholesky(a))
    cut = n // 2
    first = symmetric_inverse([row[:cut] for row in a[:cut]])
    coupling = [tuple(row[:cut]) for row in a[cut:]]
    w = list(map(tuple, products(coupling, list(map(tuple, first)))))  # W'
    less = symmetric_products(coupling, w)
    second = symmetric_inverse(
        [[x - y for x, y in zip(row[cut:], more)] for row, more in zip(a[cut:], less)]
    )
    across = list(zip(*w))  # W
    beside = list(map(tuple, products(across, list(map(tuple, second)))))  # W S^-1
    above = symmetric_products(beside, across)
    out = [
        [*map(sum, zip(row, more)), *[-x for x in side]]
        for row, more, side in zip(first, above, beside)
    ]
    return out + [[*[-x for x in side], *row] for side, row in zip(zip(*beside), second)]
