"""The picker: quantities as people type them, recipes, the space, and exact ranking."""

import itertools
import math
import random
import statistics
import unittest

from recipes.base import linalg
from recipes.effects import tails
from recipes.effects.change import Change, together
from recipes.effects.features import pixels
from recipes.picker import competition, pareto, rank, relax, risk
from recipes.picker import scores as scores_
from recipes.picker.limits import OUTPUT_TOKENS, PROMPT_TOKENS, Constraints, costs_of, exceeds
from recipes.picker.pairs import Pairs
from recipes.picker.space import Space, space
from recipes.terms import units
from recipes.terms.licences import licence
from recipes.terms.recipe import (
    BASELINE,
)
from recipes.terms.tasks import parse_mix
from tests.support import slow

from . import support
from .support import call_json


@slow
class Ranking(unittest.TestCase):
    """The search against brute force on a reduced space."""

    @classmethod
    def setUpClass(cls):
        cls.library = support.library()
        cls.words, cls.calibration = cls.library.words, cls.library.calibration
        whole = space(cls.words, {}, {})
        rng = random.Random(3)
        pick = lambda items, n: tuple(rng.sample(list(items), n))
        cls.space = Space(
            pick(whole.visuals, 18), pick(whole.languages, 7), pick(whole.data, 8), ()
        )
        cls.tasks = parse_mix("documents,mmmu", cls.words)
        cls.scores = scores_.Scores(
            cls.space, BASELINE, cls.tasks, cls.library.posterior, cls.words
        )

    def brute(self, limits: Constraints):
        kept, excluded = [], {}
        pairs = Pairs(self.space, limits, self.words, self.calibration)
        for v, x, d in itertools.product(range(18), range(7), range(8)):
            costs = costs_of(
                self.space.visuals[v],
                self.space.languages[x],
                self.space.data[d],
                limits,
                self.words,
                self.calibration,
            )
            room = self.space.languages[x].record.get("context")
            over = (
                room
                and self.space.visuals[v].visual_tokens * limits.images
                + PROMPT_TOKENS
                + OUTPUT_TOKENS
                > room
            )
            verdict = (
                licence(self.words, self.space.languages[x].record.get("license")).commercial
                if limits.commercial
                else "yes"
            )
            refused = {"no": "licence", "unknown": "unknown licence"}.get(verdict)
            reason = refused or (
                "context" if over else exceeds(costs, limits, self.words, self.calibration)
            )
            if not reason and limits.budget and not pairs.trainable(v, x):
                reason = "training memory"
            if reason:
                excluded[reason] = excluded.get(reason, 0) + 1
            else:
                kept.append((self.scores.mean((v, x, d)), v, x, d))
        return sorted(kept, key=lambda item: -item[0]), excluded

    def test_same_top_and_same_counts_as_brute_force(self):
        for limits in (
            Constraints(),
            Constraints(units.budget("300 A100-hours", self.words)),
            Constraints(latency=units.latency("150ms on L4", self.words)),
            Constraints(
                units.budget("5e19 FLOP", self.words),
                units.latency("3s total on L4", self.words),
                20.0,
                "int4",
            ),
            Constraints(units.budget("1M images", self.words), memory_gb=18.0),
            Constraints(
                units.budget("$400 at $2 per A100-hour", self.words),
                tokens_per_s=12.0,
                images=3,
                commercial=True,
            ),
            Constraints(
                latency=units.latency("2s on Orin", self.words),
                tokens_per_s=5.0,
                images=2,
                dtype="int8",
            ),
        ):
            kept, excluded = self.brute(limits)
            found = rank.pick(self.scores, limits, self.calibration, top=10)
            self.assertEqual(found.considered, 18 * 7 * 8)
            self.assertEqual(sum(dict(found.excluded).values()), sum(excluded.values()), limits)
            self.assertEqual(dict(found.excluded), excluded, limits)
            self.assertEqual(len(found.recipes), min(10, len(kept)))
            best = found.highest or found.recipes[0] if kept else None
            self.assertAlmostEqual(best.mix.expected, kept[0][0], 6) if best else None
            leaders = kept[: rank.CANDIDATES]
            equal = [item for item in leaders if item[0] >= kept[0][0] - self.scores.noise]
            wanted = [*self.habit(equal, limits), *leaders[len(equal) :]]
            for item, (score, *_) in zip(found.recipes, wanted):
                self.assertAlmostEqual(item.mix.expected, score, 6)

    def habit(self, equal: list, limits: Constraints) -> list:
        """Fewest encoders, fewest tiles, then the cheapest; within 10 % of it the highest gain."""

        def plain(item):
            visual = self.space.visuals[item[1]]
            return len(visual.encoders), visual.across

        def hours(item):
            _, v, x, d = item
            parts = self.space.visuals[v], self.space.languages[x], self.space.data[d]
            return costs_of(*parts, limits, self.words, self.calibration).gpu_hours.gpu_hours

        rest, out = list(equal), []
        for shape in sorted({plain(item) for item in equal}):
            rest = sorted((item for item in equal if plain(item) == shape), key=hours)
            while rest:
                near = [item for item in rest if hours(item) <= 1.1 * hours(rest[0])]
                out += sorted(near, key=lambda item: -item[0])
                rest = rest[len(near) :]
        return out

    def test_of_equal_recipes_the_plain_and_cheap_come_first(self):
        """However many are asked for, with and without probabilities: the first is the same."""
        scores = scores_.Scores(
            space(self.words, {}, {}), BASELINE, self.tasks, self.library.posterior, self.words
        )
        limits = Constraints(units.budget("500 A100-hours", self.words))
        found = rank.pick(scores, limits, self.calibration, top=40).recipes
        best = max(item.mix.expected for item in found)
        equal = [item for item in found if item.mix.expected >= best - scores.noise]
        self.assertGreater(len(equal), 1)
        self.assertEqual(list(found[: len(equal)]), equal)
        for before, after in zip(equal, equal[1:]):
            shapes = [(len(x.visual.encoders), x.visual.across) for x in (before, after)]
            self.assertLessEqual(*shapes)
            if shapes[0] == shapes[1]:  # less cost first; a tenth is no difference
                spent = [x.costs.gpu_hours.gpu_hours for x in (before, after)]
                cheaper = spent[1] * 1.1 >= spent[0]
                self.assertTrue(cheaper, (before.recipe, after.recipe))
        rest = [item.mix.expected for item in found[len(equal) :]]
        self.assertEqual(rest, sorted(rest, reverse=True))
        for top, compete in ((1, True), (1, False), (5, False)):
            self.assertEqual(
                rank.pick(scores, limits, self.calibration, top=top, compete=compete)
                .recipes[0]
                .recipe,
                found[0].recipe,
            )

    def test_less_than_a_tenth_of_the_cost_decides_nothing(self):
        """Three recipes of one shape, 0.2 % and 20 % apart in cost."""

        class Race:
            scores = self.scores

            def hours(self, candidate):
                return {0: 100.0, 1: 100.2, 2: 120.0}[candidate[2]]

        order = sorted(range(3), key=lambda d: -self.scores.data[d])
        equal = [(0, 0, d) for d in order]
        found = [d for _, _, d in rank.habit(equal, Race())]
        self.assertEqual(found, sorted((0, 1), key=lambda d: -self.scores.data[d]) + [2])

    def advised(self, limits: Constraints) -> tuple[relax.Advice, ...]:
        return relax.advice(
            self.scores,
            Pairs(self.space, limits, self.words, self.calibration),
            limits,
            self.calibration,
        )

    def test_nothing_fits(self):
        limits = Constraints(memory_gb=0.5)
        self.assertEqual(rank.pick(self.scores, limits, self.calibration).recipes, ())
        memory = next(advice for advice in self.advised(limits) if advice.reason == "memory")
        self.assertGreater(memory.needs, 0.5)
        # a number to type
        self.assertEqual(memory.needs, float(f"{memory.needs:.3g}"))
        # what is said to fit does, and not less
        at = rank.pick(self.scores, Constraints(memory_gb=memory.needs), self.calibration)
        # what comes first: the cheapest of those that two runs could not tell from the best
        self.assertAlmostEqual(at.recipes[0].mix.expected, memory.gain, 6)
        self.assertEqual(
            rank.pick(
                self.scores, Constraints(memory_gb=memory.needs * 0.99), self.calibration
            ).recipes,
            (),
        )

    def test_each_constraint_that_blocks_is_named_with_what_it_needs(self):
        limits = Constraints(
            units.budget("1 A100-hours", self.words),
            units.latency("1ms on L4", self.words),
            tokens_per_s=1.0,
        )
        # two of them block: none alone helps
        both = self.advised(limits)
        self.assertEqual(
            [(advice.reason, advice.together) for advice in both],
            [("latency", ("budget",)), ("budget", ("latency",))],
        )
        eased = limits._replace(
            latency=limits.latency._replace(ms=both[0].needs),
            budget=limits.budget._replace(amount=both[1].needs),
        )
        self.assertAlmostEqual(
            rank.pick(self.scores, eased, self.calibration).recipes[0].mix.expected, both[0].gain, 6
        )
        found = self.advised(limits._replace(latency=None))
        self.assertEqual([advice.reason for advice in found], ["budget"])
        needs = limits.budget._replace(amount=found[0].needs)
        self.assertTrue(rank.pick(self.scores, Constraints(needs), self.calibration).recipes)

    def test_limits_are_rounded_towards_the_generous_side(self):
        for value, up, down in (
            (1.32231, 1.33, 1.32),
            (146.677, 147.0, 146.0),
            (553.0, 553.0, 553.0),
            (9.4101e16, 9.42e16, 9.41e16),
            (0.001, 0.001, 0.001),
        ):
            self.assertEqual((relax.generous(value), relax.generous(value, down=True)), (up, down))

    def test_format_licence_fix_and_avoid_are_named_when_they_block(self):
        def advised(*argv: str) -> dict:
            return {
                (item["constraint"], item["limit"]): item
                for item in call_json("pick", *argv, exit_code=1)["relax"]
            }

        found = advised("--fix", "llm=qwen2-72b", "--memory", "60GB", "--budget", "any")
        self.assertEqual(found["format", "bf16"]["needs"], "int4")
        self.assertAlmostEqual(
            call_json(
                "pick", "--fix", "llm=qwen2-72b", "--memory", "60GB in int4", "--budget", "any"
            )["recipes"][0]["score"]["expected"],
            found["format", "bf16"]["expected"],
            4,
        )
        self.assertIn(("fix", "llm=qwen2-72b"), found)
        found = advised("--fix", "llm=qwen2.5-3b", "--licence", "commercial")
        self.assertEqual(set(found), {("licence", "commercial"), ("fix", "llm=qwen2.5-3b")})
        self.assertAlmostEqual(
            call_json("pick", "--fix", "llm=qwen2.5-3b")["recipes"][0]["score"]["expected"],
            found["licence", "commercial"]["expected"],
            4,
        )

    def test_what_is_avoided_is_not_considered(self):
        base = call_json("pick", "--budget", "500 A100-hours")
        for given, gone in (
            ("llm_params_b=7B", lambda r: 5 < r["llm_params_b"] < 9.4),
            ("llm=qwen2.5", lambda r: r["llm"].startswith("qwen2.5-")),
            ("encoder=pe-lang", lambda r: r["encoder"].startswith("pe-lang-")),
        ):
            found = call_json("pick", "--budget", "500 A100-hours", "--avoid", given, "--top", "30")
            self.assertLess(found["considered"], base["considered"], given)
            self.assertFalse(any(gone(item["recipe"]) for item in found["recipes"]), given)

    def test_a_licence_that_was_not_read_is_counted_apart(self):
        excluded = {
            item["reason"]: item["count"]
            for item in call_json("pick", "--licence", "commercial", "--any-parts")["excluded"]
        }
        words = self.library.words
        verdicts = [
            licence(words, language.record.get("license")).commercial
            for language in space(words, {}, {}).languages
        ]
        each = space(words, {}, {}).size // len(verdicts)
        self.assertEqual(
            (excluded["licence"], excluded["unknown licence"]),
            (each * verdicts.count("no"), each * verdicts.count("unknown")),
        )

    def test_pareto_front_is_that_of_brute_force(self):
        for by in ("training", "latency", "memory"):
            for limits in (
                Constraints(),
                Constraints(units.budget("300 A100-hours", self.words), memory_gb=40.0),
            ):
                points = []
                pairs = Pairs(self.space, limits, self.words, self.calibration)
                for score, v, x, d in self.brute(limits)[0]:
                    costs = costs_of(
                        self.space.visuals[v],
                        self.space.languages[x],
                        self.space.data[d],
                        limits,
                        self.words,
                        self.calibration,
                    )
                    points.append(
                        (
                            {
                                # FLOPs of the reference LLM that take as long
                                "training": sum(stage.work for stage in costs.stages)
                                * pairs.slowness(self.space.languages[x].record),
                                "latency": costs.latency.ttft_ms,
                                "memory": costs.memory.total,
                            }[by],
                            score,
                        )
                    )
                expected = []
                for cost, score in sorted(points, key=lambda p: (p[0], -p[1])):
                    if not expected or score > expected[-1][1]:
                        expected.append((cost, score))
                counts, _ = pairs.counts()
                got = pareto.front(self.scores, pairs, counts, by)
                self.assertEqual(len(got), len(expected), (by, limits))
                for point, (cost, score) in zip(got, expected):
                    self.assertAlmostEqual(point.cost / cost, 1.0, 9)
                    self.assertAlmostEqual(point.gain, score, 9)

    def test_risk_is_that_of_brute_force(self):
        """The bounds never cut off a recipe that belongs to the best, whatever the constraints
        leave.
        """
        for limits in (
            Constraints(),
            Constraints(units.budget("300 A100-hours", self.words), memory_gb=40.0),
        ):
            counts = Pairs(self.space, limits, self.words, self.calibration).counts()[0]
            mixes = {
                candidate: self.scores.mix(candidate, 0.8)
                for _, *candidate_ in self.brute(limits)[0]
                if (candidate := tuple(candidate_))
            }
            for name, value in (("lower", lambda m: m.low), ("p_better", lambda m: m.p_better)):
                found = risk.cautious(self.scores, counts, 12, 0.8, name)
                best = sorted(mixes, key=lambda c: -value(mixes[c]))[:12]
                self.assertEqual(
                    [round(value(mixes[c]), 9) for c in found],
                    [round(value(mixes[c]), 9) for c in best],
                    (name, limits),
                )
                ranked = rank.pick(self.scores, limits, self.calibration, top=3, risk=name)
                self.assertEqual(
                    [item.recipe for item in ranked.recipes],
                    [self.scores.recipe(c) for c in found[:3]],
                )
                self.assertEqual(ranked.risk, name)

    def test_more_images_never_fit_better(self):
        limits = Constraints(latency=units.latency("900ms on L4", self.words), memory_gb=24.0)
        left = [
            sum(
                n
                for _, n in rank.pick(
                    self.scores, limits._replace(images=n), self.calibration, compete=False
                ).excluded
            )
            for n in (1, 2, 4, 8)
        ]
        self.assertEqual(left, sorted(left))
        self.assertLess(left[0], left[-1])

    def test_ranks_and_the_cheapest_of_the_tied(self):
        found = rank.pick(self.scores, Constraints(), self.calibration, top=40)
        for item in found.recipes:
            self.assertLessEqual(item.ranks[0], item.ranks[1])
            self.assertGreaterEqual(item.ranks[0], 1)
        tied = [item for item in found.recipes if item.tied]
        least = min(tied, key=lambda item: item.costs.gpu_hours.gpu_hours)
        self.assertEqual((found.cheapest or found.recipes[0]).recipe, least.recipe)

    def test_probabilities_of_being_best(self):
        found = rank.pick(self.scores, Constraints(), self.calibration, top=40)
        total = sum(item.p_best for item in found.recipes)
        self.assertAlmostEqual(total, 1.0, 6)
        again = rank.pick(self.scores, Constraints(), self.calibration, top=40)
        self.assertEqual(
            [item.p_best for item in found.recipes], [item.p_best for item in again.recipes]
        )
        self.assertTrue(found.recipes[0].tied)
        self.assertEqual(found.tied, sum(item.tied for item in found.recipes))

    def test_joint_covariance(self):
        """Two recipes that differ in the data alone share the rest: their difference is surer than
        each.
        """
        one, other = (0, 0, 0), (0, 0, 1)
        (a, b), (_, c) = competition.joint_covariance([one, other], self.scores)
        self.assertGreater(b, 0)
        self.assertLess(a + c - 2 * b, a + c)

    def test_joint_variance_is_that_of_the_pair(self):
        """The variance of a difference of two recipes, by the joint belief and as a change judged
        by itself: the same, also where only sizes (pixels, tokens, parameters, examples) move.
        """
        words = self.words
        rng, ratios = random.Random(7), []
        for _ in range(60):
            a, b = (tuple(rng.randrange(n) for n in (18, 7, 8)) for _ in range(2))
            (aa, ab), (_, bb) = competition.joint_covariance([a, b], self.scores)
            sides = (self.scores.recipe(x).stated() for x in (a, b))
            change = Change(*sides, self.library.posterior, words)
            trace = self.library.posterior.mix_trace(
                self.library.posterior.weights(change.features),
                self.scores.steps,
                self.scores.families,
            )
            alone = trace.covariance(trace) + change.local * together(
                self.library.posterior.wide(self.scores.steps), self.scores.families
            )
            ratios += [(aa + bb - 2 * ab) / alone] if a != b else []
        # what only one of two parts states (a score of an LLM) may count in one way of the two
        self.assertAlmostEqual(statistics.median(ratios), 1.0, delta=0.01)
        self.assertGreater(min(ratios), 0.85)
        self.assertLess(max(ratios), 1.25)

    def test_ties_are_exact_and_probabilities_are_those_of_many_draws(self):
        found = rank.leaders(self.scores, Pairs(*self.free()).counts()[0], 40)
        some = list(found)
        covariance = competition.joint_covariance(some, self.scores)
        means = [self.scores.mean(c) for c in some]
        got = competition.competition(some, self.scores)
        factor = linalg.cholesky(
            [[*row[:i], row[i] + 1e-6 * covariance[0][0]] for i, row in enumerate(covariance)]
        )
        rng, wins, count = random.Random(1), [0] * len(some), 20_000
        for _ in range(count):
            # Student's t with 4 degrees of freedom, in the scale of the intervals
            radius = tails.UNIT * math.sqrt(4 / rng.gammavariate(2.0, 2.0))
            z = [rng.gauss(0, radius) for _ in some]
            values = [m + linalg.dot(row, z) for m, row in zip(means, factor)]
            wins[values.index(max(values))] += 1
        for i, p in enumerate(got.p_best):
            self.assertAlmostEqual(p, wins[i] / count, delta=0.012)
            gap, spread = means[0] - means[i], covariance[0][0] + covariance[i][i]
            spread -= 2 * covariance[0][i]
            sure = tails.cdf(gap / math.sqrt(spread)) if spread > 1e-9 else 0.0
            self.assertEqual(got.tied[i], sure < 0.8)

    def free(self) -> tuple:
        return self.space, Constraints(), self.words, self.calibration

    def test_the_lattice_has_the_shape_of_the_intervals(self):
        """80 % of its points lie within the 80 % interval, and 50 % within the 50 % one."""
        points = [row[1] / 2 for row in competition.lattice([[1.0, 0.6], [0.6, 4.0]], 4000)]
        for level in (0.5, 0.8, 0.95):
            within = sum(abs(x) < tails.half_width(level) for x in points) / len(points)
            self.assertAlmostEqual(within, level, delta=0.01)


@slow
class Names(unittest.TestCase):
    def test_no_candidate_has_a_name_that_means_something_else(self):
        """A resolution is named as the registry names it, or by a name that the registry has not;
        and its pixels are those of its tiles.
        """
        words = support.library().words
        known = words.records("resolution")
        for visual in space(words, {}, {}).visuals:
            name, whole = visual.recipe.resolution, visual.side * visual.across
            self.assertEqual(pixels(visual.recipe.stated(), words), whole, name)
            if name in known:
                self.assertEqual(known[name]["px"], whole, name)


if __name__ == "__main__":
    unittest.main()
