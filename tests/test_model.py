"""The hierarchical model: the tree of messages against one dense Gaussian, and the properties that
answers rely on.
"""

import json
import math
import pathlib
import random
import tempfile
import unittest
from array import array

from recipes.answers import fit as refit
from recipes.base import linalg
from recipes.base.reading import EvidenceError
from recipes.effects import backtest, packed, store
from recipes.effects.block import Block
from recipes.effects.columns import KINDS, Column
from recipes.effects.condition import Conditioned
from recipes.effects.features import AXIS_OF, difference, features, group
from recipes.effects.fit import fit
from recipes.effects.hyper import SLOPES, Hyper
from recipes.effects.mixes import know_mixes
from recipes.effects.model import heterogeneity, scales
from recipes.terms.tasks import parse_mix

from . import support

HYPER = Hyper(
    prior={"llm_size": 0.3, "resolution": 0.2, "connector": 0.1},
    share={"llm": (0.5, 0.3, 0.2), "resolution": (0.2, 0.5, 0.3), "other": (1 / 3, 1 / 3, 1 / 3)},
    heterogeneity={
        **dict.fromkeys(KINDS, 0.0),
        "llm": 0.05,
        "resolution": 0.02,
        "connector": 0.04,
        **dict.fromkeys(SLOPES, 0.0),
        "resolution_slope": 0.03,
    },
    noise=0.1,
    binomial=0.3,
    overlap=0.0,
    trust={},
)


def made_columns(seed: int = 1) -> list[Column]:
    """Three papers, four benchmarks of two families, random scores."""
    rng = random.Random(seed)
    out = []
    for paper, benchmarks in (("p", "abc"), ("q", "acd"), ("r", "bd")):
        sizes = [rng.uniform(-2, 2) for _ in range(4)]
        pixels = [rng.choice((0.0, 1.0, 0.5)) for _ in range(4)]
        connectors = [rng.choice(("mlp", "q-former")) for _ in range(4)]
        feats = tuple(
            {"llm_size": s, "resolution": r, f"connector={c}": 1.0}
            for s, r, c in zip(sizes, pixels, connectors)
        )
        kinds = tuple(
            tuple({"llm": s, "resolution": r, "connector": c}.get(kind) for kind in KINDS)
            for s, r, c in zip(sizes, pixels, connectors)
        )
        for name in benchmarks:
            scores = tuple(3 * s + 2 * r + rng.gauss(0, 2) for s, r in zip(sizes, pixels))
            sampling = () if name == "d" else (1.0, 2.0, 1.5, 1.0)
            out.append(
                Column(
                    paper,
                    name,
                    "f" if name in "ab" else "g",
                    1.0,
                    (None,) * 4,
                    ("t",) * 4,
                    feats,
                    kinds,
                    scores,
                    sampling,
                )
            )
    return out


class Dense:
    """The same model as one multivariate normal: a free intercept per column is a very wide one."""

    def __init__(self, data: list[Column], hyper: Hyper):
        self.hyper, self.scale = hyper, scales(data)
        self.cells = [(c, i) for c in data for i in range(len(c.scores))]
        self.y = [c.scores[i] / self.scale[c.benchmark] for c, i in self.cells]
        cov = [[self.between(a, b) for b in self.cells] for a in self.cells]
        self.factor = linalg.cholesky(cov)

    def kernel(self, x, at, z, other) -> float:
        total = 0.0
        for name, value in x.items():
            if name in z:
                share = self.hyper.share.get(AXIS_OF[group(name)], self.hyper.share["other"])
                levels = 1 + (at[1] == other[1]) + (at == other)
                total += value * z[name] * self.hyper.prior[group(name)] * sum(share[:levels])
        return total

    def between(self, a, b) -> float:
        (c, i), (d, j) = a, b
        total = self.kernel(
            c.features[i], (c.benchmark, c.family), d.features[j], (d.benchmark, d.family)
        )
        if c is d:
            total += 1e5
            total += sum(
                self.hyper.heterogeneity[kind]
                for kind, x, z in zip(KINDS, c.kinds[i], c.kinds[j])
                if x == z
            )
            total += (
                self.hyper.heterogeneity["resolution_slope"]
                * c.features[i]["resolution"]
                * c.features[j]["resolution"]
            )
            total += (
                self.hyper.noise
                + (
                    self.hyper.binomial * c.sampling[i] / self.scale[c.benchmark] ** 2
                    if c.sampling
                    else 0.0
                )
            ) * (i == j)
        return total

    def effect(self, change, benchmark, family) -> tuple[float, float]:
        k = [
            self.kernel(change, (benchmark, family), c.features[i], (c.benchmark, c.family))
            for c, i in self.cells
        ]
        own = self.kernel(change, (benchmark, family), change, (benchmark, family))
        half = linalg.solve_lower(self.factor, k)
        return linalg.dot(k, linalg.solve(self.factor, self.y)), own - linalg.dot(half, half)


class Exact(unittest.TestCase):
    CHANGES = (
        {"llm_size": 1.0},
        {"resolution": -0.5},
        {"llm_size": 0.7, "resolution": 1.0},
        {"connector=mlp": -1.0, "connector=q-former": 1.0},
    )

    def test_the_tree_is_the_dense_posterior(self):
        data = made_columns()
        posterior, dense = fit(data, HYPER), Dense(data, HYPER)
        for change in self.CHANGES:
            for benchmark, family in (("a", "f"), ("d", "g"), ("new", "f"), ("new", "nowhere")):
                got, want = (
                    posterior.effect(change, benchmark, family),
                    dense.effect(change, benchmark, family),
                )
                self.assertAlmostEqual(got.mean, want[0], 3, (change, benchmark))
                trace = posterior.trace(
                    posterior.weights(change), {benchmark: 1.0}, {benchmark: family}
                )
                self.assertAlmostEqual(trace.covariance(trace), want[1], 3, (change, benchmark))
                # the quick way, nearly
                self.assertAlmostEqual(got.variance, want[1], 1, (change, benchmark))

    def test_what_one_paper_alone_has(self):
        """Exact where the paper prints one benchmark; its slopes on the shared effects too."""
        data = made_columns()
        new = [f"connector={c}" for c in ("alone", "mlp", "alone", "q-former")]
        feats = tuple(
            {"llm_size": size, "resolution": 0.0, name: 1.0}
            for size, name in zip((-1.0, 0.5, 1.0, 0.0), new)
        )
        data.append(data[0]._replace(paper="z", features=feats, scores=(1.0, 4.0, 6.0, 0.0)))
        posterior, dense = fit(data, HYPER), Dense(data, HYPER)
        self.assertEqual(posterior.support["connector=alone"], ["z"])
        self.assertTrue(posterior.benchmarks["a"].coupling)
        change = {"connector=alone": 1.0, "connector=mlp": -1.0, "llm_size": 0.5}
        for benchmark, family in (("a", "f"), ("b", "f"), ("d", "g"), ("new", "nowhere")):
            for asked in ({"connector=alone": 1.0}, change, {"llm_size": 1.0}):
                got = posterior.effect(asked, benchmark, family)
                want = dense.effect(asked, benchmark, family)
                self.assertAlmostEqual(got.mean, want[0], 2, (asked, benchmark))
                if benchmark == "a":
                    trace = posterior.trace(posterior.weights(asked), {"a": 1.0}, {"a": "f"})
                    self.assertAlmostEqual(got.variance, want[1], 3, asked)
                    self.assertAlmostEqual(trace.covariance(trace), want[1], 3, asked)
        # a mean of benchmarks worked out beforehand says nearly what the levels say
        steps, kin = {"a": posterior.scale_of("a")}, {"a": "f"}
        know_mixes(posterior, {"one": {"a": 1.0}}, kin)
        x = posterior.weights(change)
        known, levels = posterior.mix_trace(x, steps, kin), posterior.trace(x, steps, kin)
        self.assertAlmostEqual(known.covariance(known) / levels.covariance(levels), 1.0, 2)

    def test_leaving_one_paper_out_is_a_fit_without_it(self):
        data = made_columns()
        scored = [x for x in backtest.leave_one_paper_out(data, HYPER, papers=["q"])]
        rest = [column for column in data if column.paper != "q"]
        for item in scored:
            column = data[item.column]
            change = difference(column.features[item.first], column.features[item.second])
            scale = scales(data)[column.benchmark]
            # the scales are those of all papers; effects of the others are brought to them
            want = Dense.__new__(Dense)
            want.hyper, want.scale = HYPER, scales(data)
            want.cells = [(c, i) for c in rest for i in range(len(c.scores))]
            want.y = [c.scores[i] / want.scale[c.benchmark] for c, i in want.cells]
            want.factor = linalg.cholesky(
                [[want.between(a, b) for b in want.cells] for a in want.cells]
            )
            mean, variance = want.effect(change, column.benchmark, column.family)
            local = (
                heterogeneity(HYPER, column.kinds[item.first], column.kinds[item.second], change)
                + 2 * HYPER.noise
            )
            self.assertAlmostEqual(item.expected, mean * scale, 4)
            local += (
                HYPER.binomial
                * (column.sampling[item.first] + column.sampling[item.second])
                / scale**2
                if column.sampling
                else 0.0
            )
            self.assertAlmostEqual(item.sd, math.sqrt(variance + local) * scale, 4)

    def test_conditioning_is_refitting(self):
        data = made_columns()
        base = fit([c for c in data if c.paper != "r"], HYPER)
        known = Conditioned(base, [c for c in data if c.paper == "r"])
        base_scale = {name: base.scale_of(name) for name in "abcd"}
        whole = Dense.__new__(Dense)
        whole.hyper, whole.scale = HYPER, base_scale
        whole.cells = [(c, i) for c in data for i in range(len(c.scores))]
        whole.y = [c.scores[i] / base_scale[c.benchmark] for c, i in whole.cells]
        whole.factor = linalg.cholesky(
            [[whole.between(a, b) for b in whole.cells] for a in whole.cells]
        )
        for change in self.CHANGES:
            for benchmark, family in (("d", "g"), ("a", "f"), ("new", "g")):
                got, want = (
                    known.effect(change, benchmark, family),
                    whole.effect(change, benchmark, family),
                )
                self.assertAlmostEqual(got.mean, want[0], 3, (change, benchmark))
                self.assertAlmostEqual(got.variance, want[1], 3, (change, benchmark))

    def test_what_a_user_alone_has(self):
        """Conditioned on a table with a component of the user's own: as in a fit of all columns,
        exactly where one benchmark is printed.
        """
        data = made_columns()
        feats = tuple(
            {"llm_size": size, "resolution": 0.0, f"connector={name}": 1.0}
            for size, name in zip((-1.0, 0.5, 1.0, 0.0), ("own", "mlp", "own", "q-former"))
        )
        own = data[0]._replace(paper="z", features=feats, scores=(1.0, 4.0, 6.0, 0.0))
        base = fit(data, HYPER)
        known = Conditioned(base, [own])
        whole = Dense.__new__(Dense)
        whole.hyper, whole.scale = HYPER, {name: base.scale_of(name) for name in "abcd"}
        whole.cells = [(c, i) for c in (*data, own) for i in range(len(c.scores))]
        whole.y = [c.scores[i] / whole.scale[c.benchmark] for c, i in whole.cells]
        whole.factor = linalg.cholesky(
            [[whole.between(a, b) for b in whole.cells] for a in whole.cells]
        )
        for change in (
            {"connector=own": 1.0},
            {"connector=own": 1.0, "connector=mlp": -1.0, "llm_size": 0.5},
            {"llm_size": 1.0},
        ):
            for benchmark, family in (("a", "f"), ("b", "f"), ("d", "g"), ("new", "nowhere")):
                got = known.effect(change, benchmark, family)
                want = whole.effect(change, benchmark, family)
                self.assertAlmostEqual(got.mean, want[0], 2, (change, benchmark))
                if benchmark == "a":
                    self.assertAlmostEqual(got.variance, want[1], 3, change)

    def test_stored_and_loaded_is_the_same(self):
        posterior = fit(made_columns(), HYPER)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, *store.PATH)
            path.parent.mkdir()
            whole = store.posterior_bytes(posterior, "x")
            path.write_bytes(whole)
            again = store.read_posterior(folder)
            self.assertEqual(store.stored_digest(folder), "x")
            self.assertEqual(store.posterior_bytes(again, "x"), whole)
            head, _, blocks = whole.partition(b"\n")
            for broken in (
                b"",
                b"{}",
                b"[1",
                b"\xff\xfe\n",
                head,
                head[:500] + b"\n",
                whole[:-1],
                whole + b"x",
                head.replace(b'"families"', b'"fam"') + b"\n" + blocks,
            ):
                path.write_bytes(broken)
                with (
                    self.subTest(broken[:20]),
                    self.assertRaisesRegex(EvidenceError, "run `python3 main.py fit`"),
                ):
                    store.read_posterior(folder)
        for change in self.CHANGES:
            self.assertEqual(again.effect(change, "a", "f"), posterior.effect(change, "a", "f"))

    def test_a_block_of_several_parts_comes_back_from_its_bytes(self):
        rng = random.Random(6)
        parts = []
        for size in (5, 1, 3):
            rows = [[rng.gauss(0, 1) for _ in range(size)] for _ in range(size)]
            parts.append(packed.packed([[linalg.dot(x, y) for y in rows] for x in rows]))
        index, whole = [4, 7, 9, 0, 2, 11, 12, 13, 14], packed.Parts.of(parts)
        coupling = {11: {4: 0.5, 9: -0.25}, 13: {0: 1.5}}
        means = [packed.rounded(rng.gauss(0, 1)) for _ in index]
        one = Block(index, means, whole, whole, coupling)
        again = Block.unpack(memoryview(one.pack()), len(index))
        self.assertEqual((again.index, again.mean, again.coupling), (index, means, coupling))
        x = [rng.gauss(0, 1) for _ in index]
        self.assertEqual(again.covariance.times(x), whole.times(x))
        for got, column in zip(again.given.times(x), map(whole.column, range(len(x)))):
            self.assertAlmostEqual(got, linalg.dot(column, x))
        self.assertAlmostEqual(whole.quadratic(range(9), x), linalg.dot(whole.times(x), x))
        self.assertEqual(whole.at(1, 6), 0.0)
        self.assertEqual(whole.at(6, 7), whole.column(7)[6])
        # weights on effects as weights on what the parts are about, and covariances back
        self.assertEqual(one.lifted({11: 2.0, 4: 1.0}), {11: 2.0, 4: 0.0, 9: 0.5})
        self.assertEqual(one.lowered({0: 2.0})[13], -3.0)


class Shipped(unittest.TestCase):
    """The stored fit of the published tables."""

    def setUp(self):
        self.words, self.posterior = support.library().words, support.library().posterior

    def change(self, a: dict, b: dict) -> dict:
        return difference(features(a, self.words), features(b, self.words))

    def test_antisymmetry_and_additivity(self):
        clip, siglip, dino = (
            {"encoder": name} for name in ("clip-vit-l-14", "siglip-so400m-14", "dinov2-vit-l-14")
        )
        for benchmark, family in (
            ("mmmu", "reasoning-knowledge"),
            ("textvqa", "ocr-document"),
            ("nowhere", "chart"),
        ):
            there, back = (
                self.posterior.effect(self.change(*pair), benchmark, family)
                for pair in ((clip, siglip), (siglip, clip))
            )
            self.assertAlmostEqual(there.mean, -back.mean)
            self.assertAlmostEqual(there.variance, back.variance)
            chain = [
                self.posterior.effect(self.change(*pair), benchmark, family).mean
                for pair in ((clip, dino), (dino, siglip))
            ]
            self.assertAlmostEqual(sum(chain), there.mean)

    def test_more_evidence_is_a_narrower_posterior_than_the_prior(self):
        """A well-studied change is known better than the prior says; nothing is known worse."""
        change = {"llm_size": 1.0}
        prior = self.posterior.hyper.prior["llm_size"]
        self.assertLess(
            self.posterior.effect(change, "mmmu", "reasoning-knowledge").variance, 0.7 * prior
        )
        for name in self.posterior.names:
            group_prior = self.posterior.hyper.prior[group(name)]
            self.assertLessEqual(
                self.posterior.effect({name: 1.0}, "mmmu", "reasoning-knowledge").variance,
                group_prior * 1.001,
                name,
            )

    def test_an_encoder_of_unknown_kind_is_a_mean_one_and_uncertain(self):
        """Its kind counts by the registry's shares p, and adds (1 - sum p^2) of the prior variance;
        its family adds the family's.
        """
        known = [
            record["kind"]
            for record in self.words.records("encoder").values()
            if record.get("kind")
        ]
        shares = {kind: known.count(kind) / len(known) for kind in set(known)}
        new = features({"encoder": "brand-new"}, self.words)
        self.assertEqual(
            {
                name: round(value, 9)
                for name, value in new.items()
                if name.startswith("encoder_kind=") and "?" not in name
            },
            {f"encoder_kind={kind}": round(share, 9) for kind, share in shares.items()},
        )
        left = 1 - sum(share**2 for share in shares.values())
        self.assertAlmostEqual(new["encoder_kind=?brand-new"] ** 2, left)
        prior = self.posterior.hyper.prior
        alone = self.posterior.effect(
            {name: value for name, value in new.items() if "?" in name}, "textvqa", "ocr-document"
        )
        self.assertEqual(alone.mean, 0.0)
        self.assertAlmostEqual(
            alone.variance,
            left * prior["encoder_kind"] + prior["encoder_family"] + prior["encoder_line"],
            6,
        )
        self.assertEqual(
            [
                name
                for name in features({"encoder": "dinov9-huge"}, self.words)
                if name.startswith("encoder_kind=")
            ],
            ["encoder_kind=self-supervised"],
        )
        # it may read text: it speaks for the whole
        unlike = features({"encoder": "brand-new+dinov2-vit-l-14"}, self.words)
        self.assertAlmostEqual(unlike["encoder_kind=?brand-new"] ** 2, left)

    def test_an_unknown_level_keeps_its_prior(self):
        effect = self.posterior.effect({"connector=brand-new": 1.0}, "mmmu", "reasoning-knowledge")
        self.assertEqual(effect.mean, 0.0)
        self.assertAlmostEqual(effect.variance, self.posterior.hyper.prior["connector"], 6)

    def test_covariances_are_positive(self):
        names = [
            name
            for name in self.posterior.names
            if name.startswith(("encoder=", "llm_", "resolution"))
        ][:30]
        weights = {"mmmu": 0.5, "docvqa": 0.3, "chartqa": 0.2}
        families = {name: self.words.records("benchmark")[name]["family"] for name in weights}
        traces = [
            self.posterior.trace({self.posterior.names[name]: 1.0}, weights, families)
            for name in names
        ]
        covariance = [[one.covariance(other) for other in traces] for one in traces]
        linalg.cholesky(
            [
                [x + (1e-4 if i == j else 0) for j, x in enumerate(row)]
                for i, row in enumerate(covariance)
            ]
        )

    def test_the_stored_fit_belongs_to_the_evidence(self):
        self.assertEqual(store.stored_digest(support.TABLES), store.evidence_digest(support.TABLES))

    def test_the_stored_fit_was_made_with_the_stored_hyper_parameters(self):
        hyper, spread = refit.read_hyper(support.library().shipped)
        self.assertEqual(
            json.loads(json.dumps(hyper._asdict())),
            json.loads(json.dumps(self.posterior.hyper._asdict())),
        )
        self.assertEqual(spread, self.posterior.spread)

    def test_the_usual_mixes_are_known_and_say_what_the_levels_say(self):
        """Each family and the balanced mix has a block of its own; means and covariances are those
        that the levels give.
        """
        names = (
            "encoder=siglip-so400m-14",
            "llm_size",
            "resolution",
            "visual_tokens",
            "connector=q-former",
            "data=llava-665k",
            "encoder=never-seen",
        )
        x, y = (
            {self.posterior.names.get(name, name): weight for name, weight in zip(names, weights)}
            for weights in ((1, 0.5, 0.3, -0.2, 1, 0, 1), (0, 1, -0.4, 0.7, -1, 1, 0.5))
        )
        for mix in ("balanced", *self.words.records("family")):
            weights = parse_mix(mix, self.words).benchmarks
            steps = {
                name: weight * self.posterior.scale_of(name) for name, weight in weights.items()
            }
            families = {name: self.words.records("benchmark")[name]["family"] for name in weights}
            self.assertIsNotNone(self.posterior._known_mix(steps), mix)
            self.assertIsNone(self.posterior._known_mix({**steps, next(iter(steps)): 0.1}))
            known = [self.posterior.mix_trace(w, steps, families) for w in (x, y)]
            levels = [self.posterior.trace(w, steps, families) for w in (x, y)]
            for i, j in ((0, 0), (0, 1), (1, 1)):
                ratio = known[i].covariance(known[j]) / levels[i].covariance(levels[j])
                self.assertAlmostEqual(ratio, 1.0, 2, mix)
            mean = sum(
                step * self.posterior.mean(x, name, families[name]) for name, step in steps.items()
            )
            self.assertAlmostEqual(
                sum(self.posterior.mix_means(x, steps, families).values()), mean, 6, mix
            )

    def test_the_mix_of_one_benchmark_is_the_benchmark(self):
        """The stored variance of one benchmark and the traced one of a mix are two ways to one
        number.
        """
        for change in (
            {"llm_size": 1.0},
            {"resolution": 1.0, "resolution_high": 0.5},
            {"connector=q-former": 1.0, "connector=mlp-2x-gelu": -1.0},
        ):
            for benchmark, family in (("mmmu", "reasoning-knowledge"), ("docvqa", "ocr-document")):
                trace = self.posterior.trace(
                    self.posterior.weights(change), {benchmark: 1.0}, {benchmark: family}
                )
                self.assertAlmostEqual(
                    trace.covariance(trace),
                    self.posterior.effect(change, benchmark, family).variance,
                    3,
                )

    def test_benchmarks_that_move_together_are_less_sure_than_apart(self):
        """Two benchmarks of one family share uncertainty; the sum of their halves lies between
        independence and identity.
        """
        x = self.posterior.weights({"connector=q-former": 1.0, "connector=mlp-2x-gelu": -1.0})
        family = {"docvqa": "ocr-document", "textvqa": "ocr-document"}
        one, other = (self.posterior.trace(x, {name: 1.0}, family) for name in family)
        both = one.covariance(other)
        self.assertGreater(both, 0.0)
        self.assertLess(both, math.sqrt(one.covariance(one) * other.covariance(other)))
        mixed = self.posterior.trace(x, dict.fromkeys(family, 0.5), family)
        self.assertAlmostEqual(
            mixed.covariance(mixed),
            (one.covariance(one) + other.covariance(other) + 2 * both) / 4,
            5,  # products leave out the smallest entries, or do not
        )


class Algebra(unittest.TestCase):
    def test_inverse_by_halves_is_the_inverse(self):
        rng = random.Random(3)
        a = [[rng.gauss(0, 0.1) for _ in range(100)] for _ in range(100)]
        matrix = [[linalg.dot(x, y) + 2.0 * (x is y) for y in a] for x in a]
        found = linalg.symmetric_inverse(matrix)
        plain = linalg.inverse(linalg.cholesky(matrix))
        worst = max(abs(x - y) for r, s in zip(found, plain) for x, y in zip(r, s))
        self.assertLess(worst, 1e-12)

    def test_a_factor_has_as_many_columns_as_the_matrix_says_different_things(self):
        rng = random.Random(5)
        parts = [[rng.gauss(0, 1) for _ in range(30)] for _ in range(4)]
        matrix = [[sum(f[i] * f[j] for f in parts) for j in range(30)] for i in range(30)]
        found = linalg.factored(matrix)
        self.assertEqual(len(found), 4)
        for i in range(30):
            for j in range(30):
                self.assertAlmostEqual(sum(f[i] * f[j] for f in found), matrix[i][j], 5)

    def test_correlations_come_back_from_their_bytes(self):
        values = array("h", [0, 1, -1, 255, 256, -256, 32767, -32767])
        self.assertEqual(packed.unsqueezed(packed.squeezed(values)), values)

    def test_products_are_those_of_the_whole_matrix(self):
        """Sparse vectors, dense ones, and the quadratic form of a few entries."""
        rng = random.Random(4)
        rows = [[rng.gauss(0, 1) for _ in range(40)] for _ in range(40)]
        whole = [[linalg.dot(x, y) for y in rows] for x in rows]
        small = packed.packed(whole)
        for some in (range(2), range(40)):
            x = [rng.gauss(0, 1) if k in some else 0.0 for k in range(40)]
            want = linalg.matvec(whole, x)
            for got, expected in zip(small.times(x), want):
                self.assertAlmostEqual(got / 40, expected / 40, 1)
            form = small.quadratic(list(some), [x[k] for k in some])
            self.assertAlmostEqual(form / linalg.dot(x, want), 1.0, 3)


if __name__ == "__main__":
    unittest.main()
