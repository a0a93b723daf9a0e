"""The classical core against published results, and the solvers against hand-made matrices."""

import math
import random
import unittest

from recipes.base import linalg
from recipes.effects import meta

from . import support


class Solvers(unittest.TestCase):
    def matrix(self, n: int, seed: int) -> linalg.Matrix:
        rng = random.Random(seed)
        a = [[rng.gauss(0, 1) for _ in range(n)] for _ in range(n)]
        return [
            [sum(a[i][k] * a[j][k] for k in range(n)) + (n if i == j else 0) for j in range(n)]
            for i in range(n)
        ]

    def test_by_hand(self):
        a = [[4.0, 2.0], [2.0, 5.0]]  # L = [[2], [1, 2]]
        factor = linalg.cholesky(a)
        self.assertEqual(factor, [[2.0], [1.0, 2.0]])
        self.assertEqual(linalg.solve(factor, [8.0, 9.0]), [1.375, 1.25])
        self.assertAlmostEqual(linalg.log_determinant(factor), math.log(16))
        self.assertEqual(linalg.inverse(factor), [[0.3125, -0.125], [-0.125, 0.25]])
        self.assertEqual(linalg.quadratic(a, [1.0, -1.0]), 5.0)

    def test_properties(self):
        for n in (1, 2, 7, 30):
            a = self.matrix(n, n)
            factor = linalg.cholesky(a)
            x = [float(i + 1) for i in range(n)]
            for got, want in zip(linalg.solve(factor, linalg.matvec(a, x)), x):
                self.assertAlmostEqual(got, want, 8)
            back = linalg.inverse(factor)
            for i in range(n):
                for j in range(n):
                    self.assertAlmostEqual(
                        sum(a[i][k] * back[k][j] for k in range(n)), float(i == j), 8
                    )

    def test_not_positive_definite(self):
        with self.assertRaises(linalg.NotPositiveDefinite) as caught:
            linalg.cholesky([[1.0, 2.0], [2.0, 1.0]])
        self.assertEqual(caught.exception.index, 1)
        with self.assertRaises(linalg.NotPositiveDefinite):
            linalg.cholesky([[float("nan")]])


class Pairwise(unittest.TestCase):
    """dat.bcg (13 BCG vaccine trials) as metafor's rma() computes it."""

    def test_metafor(self):
        bcg = support.oracle("meta_oracle")["bcg"]
        for method in ("REML", "DL", "FE"):
            want = bcg[method]
            got = meta.pool(bcg["yi"], bcg["vi"], method)
            self.assertAlmostEqual(got.estimate, want["estimate"], 6, method)
            self.assertAlmostEqual(got.se, want["se"], 6, method)
            self.assertAlmostEqual(got.tau2, want["tau2"], 6, method)
            self.assertAlmostEqual(got.q, want["q"], 6, method)
            if want["pi80"]:
                for x, y in zip(got.interval(0.8), want["pi80"]):
                    self.assertAlmostEqual(x, y, 5, method)

    def test_by_hand(self):
        pooled = meta.pool([1.0, 3.0], [1.0, 1.0], "FE")
        self.assertEqual((pooled.estimate, pooled.q), (2.0, 2.0))
        self.assertAlmostEqual(pooled.se, math.sqrt(0.5))
        # (Q - 1) / (2 - 2/2)
        self.assertAlmostEqual(meta.pool([1.0, 3.0], [1.0, 1.0], "DL").tau2, 1.0)
        single = meta.pool([5.0], [2.0], "REML")
        self.assertEqual((single.estimate, single.tau2), (5.0, 0.0))
        self.assertAlmostEqual(single.se, math.sqrt(2.0))

    def test_nothing_to_pool(self):
        for y, v in (
            ([], []),
            ([1.0], []),
            ([1.0], [0.0]),
            ([1.0], [-1.0]),
            ([1.0], [float("nan")]),
        ):
            with self.assertRaises(ValueError):
                meta.pool(y, v)
        with self.assertRaises(ValueError):
            meta.pool([1.0, 2.0], [1.0, 1.0], "ML?")


class Networks(unittest.TestCase):
    """Senn 2013 (26 diabetes trials, one with three arms, 10 treatments) as metafor's rma.mv()
    computes it.
    """

    def setUp(self):
        data = support.oracle("meta_oracle")["senn2013"]
        self.arms = [
            meta.Arm(study, treatment, mean, sd**2 / n)
            for study, treatment, mean, sd, n in zip(
                *(data["arms"][key] for key in ("study", "treatment", "mean", "sd", "n"))
            )
        ]
        self.data = data

    def test_metafor(self):
        for method, key in (("FE", "fixed"), ("REML", "reml")):
            want = self.data[key]
            got = meta.network(self.arms, self.data["reference"], method)
            self.assertEqual(len(got.treatments), 9)
            for name, estimate, se in zip(self.data["treatments"], want["estimate"], want["se"]):
                mean, variance = got.contrast(self.data["reference"], name)
                self.assertAlmostEqual(mean, estimate, 4, (method, name))
                self.assertAlmostEqual(math.sqrt(variance), se, 4, (method, name))
            if method == "REML":
                self.assertAlmostEqual(got.tau2, want["tau2"], 4)

    def test_consistency_and_antisymmetry(self):
        net = meta.network(self.arms, "placebo")
        ab, bc, ac = (
            net.contrast(*pair)[0]
            for pair in (
                ("metformin", "acarbose"),
                ("acarbose", "rosiglitazone"),
                ("metformin", "rosiglitazone"),
            )
        )
        self.assertAlmostEqual(ab + bc, ac, 10)
        self.assertAlmostEqual(net.contrast("acarbose", "metformin")[0], -ab, 12)
        self.assertAlmostEqual(
            net.contrast("acarbose", "metformin")[1], net.contrast("metformin", "acarbose")[1], 12
        )
        with self.assertRaises(KeyError):
            net.contrast("placebo", "aspirin")

    def test_the_reference_does_not_matter(self):
        one, other = meta.network(self.arms, "placebo"), meta.network(self.arms, "metformin")
        self.assertAlmostEqual(
            one.contrast("acarbose", "miglitol")[0], other.contrast("acarbose", "miglitol")[0], 6
        )

    def test_an_indirect_path_counts(self):
        """A-B and B-C are printed, A-C follows, with the variances added up."""
        arms = [
            meta.Arm("1", "A", 0.0, 0.1),
            meta.Arm("1", "B", 2.0, 0.1),
            meta.Arm("2", "B", 5.0, 0.2),
            meta.Arm("2", "C", 8.0, 0.2),
        ]
        mean, variance = meta.network(arms, "A", "FE").contrast("A", "C")
        self.assertAlmostEqual(mean, 5.0)
        self.assertAlmostEqual(variance, 0.6)

    def test_not_connected(self):
        arms = [
            meta.Arm("1", "A", 0.0, 0.1),
            meta.Arm("1", "B", 2.0, 0.1),
            meta.Arm("2", "C", 5.0, 0.2),
            meta.Arm("2", "D", 8.0, 0.2),
        ]
        with self.assertRaises(ValueError) as caught:
            meta.network(arms, "A", "FE")
        self.assertIn("not connected", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
