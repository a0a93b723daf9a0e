"""What `ablate` promises, checked by drawing truths, carrying out the runs it asks for, and
counting how often the level chosen then is the best one.

The count shares no code with the plan: truths are drawn anew, runs are weighed in one batch by
generalised least squares with the unknown base eliminated.
"""

import functools
import itertools
import math
import random
import re
import shlex
import unittest
from types import SimpleNamespace

from recipes.answers import ablate as ablate_
from recipes.answers.ground import Request, ground
from recipes.base import linalg
from recipes.picker import ablate, competition, trials
from recipes.picker.limits import DEFAULT_BUDGET, Constraints
from recipes.picker.space import Data
from recipes.terms.recipe import parse
from recipes.terms.tasks import parse_mix
from tests.support import call, call_json, library, slow

COUNT = 2000


def posterior_means(means, covariance, noise, runs, scores):
    """Posterior means of the gains after runs (their average scores) that share an unknown base:
    best linear prediction of each level.
    """
    seen = [i for i, n in enumerate(runs) if n]
    inverse = linalg.inverse(
        linalg.cholesky(
            [[covariance[i][j] + (noise / runs[i] if i == j else 0.0) for j in seen] for i in seen]
        )
    )
    left = [scores[i] - means[i] for i in seen]
    weigh = [sum(row) for row in inverse]
    base = linalg.dot(weigh, left) / sum(weigh)
    solved = [linalg.dot(row, [x - base for x in left]) for row in inverse]
    return [
        mean + sum(covariance[i][j] * x for j, x in zip(seen, solved))
        for i, mean in enumerate(means)
    ]


def right(means, covariance, noise, runs, seed=7, count=COUNT):
    """Share of drawn truths in which the level chosen after the runs is the best one."""
    rng, size = random.Random(seed), len(means)
    top = max(covariance[i][i] for i in range(size))
    factor = linalg.cholesky([[*row[:i], row[i] + 1e-6 * top] for i, row in enumerate(covariance)])
    hits = 0
    for _ in range(count):
        z = [rng.gauss(0, 1) for _ in range(size)]
        truth = [mean + linalg.dot(row, z) for mean, row in zip(means, factor)]
        base = rng.gauss(0, 30)  # of the user's setting: only contrasts teach
        shown = [
            value + base + rng.gauss(0, math.sqrt(noise / n)) if n else None
            for value, n in zip(truth, runs)
        ]
        known = (
            posterior_means(means, covariance, noise, runs, shown)
            if sum(map(bool, runs)) > 1
            else means
        )
        hits += known.index(max(known)) == truth.index(max(truth))
    return hits / count


@functools.cache
def setup(tasks):
    """(scores, place of the pick, hours, allowed) for a mix, on the shipped evidence."""
    words = library().words
    limits = Constraints(budget=DEFAULT_BUDGET)
    on = ground(library(), Request(parse_mix(tasks, words), limits))
    best = on.ranked(top=1, compete=False).recipes[0]
    return on.scores, on.place(best), on.hours(), on.allowed()


@functools.cache
def values(tasks, confidence=0.8, whole=False):
    """The axes of a mix by name."""
    scores, place, hours, allowed = setup(tasks)
    return {
        value.axis: value
        for value in ablate.ablate(scores, place, confidence, hours, allowed, whole=whole)
    }


def belief(tasks, axis, names):
    """(means, covariance, noise of one run) of some levels of an axis."""
    scores, place, _, allowed = setup(tasks)
    levels = ablate.axis_levels(scores, place, axis, allowed)
    some = [levels[name] for name in names]
    covariance = competition.joint_covariance(some, scores)
    noise = (
        sum(step * step * scores.posterior.noise(name) for name, step in scores.steps.items()) / 2
    )
    return [scores.mean(candidate) for candidate in some], covariance, noise


@slow
class Promise(unittest.TestCase):
    """For an 80 % answer: after these runs the chosen level is the best of the candidates with
    probability 0.8.
    """

    def test_best_of_the_candidates(self):
        checked = 0
        for tasks, axis in (
            ("charts", "data"),
            ("charts", "encoder"),
            ("charts", "connector"),
            ("charts", "resolution"),
            ("mmvet", "connector"),
            ("mmvet", "data"),
        ):
            value = values(tasks)[axis]
            if not value.runs:
                continue
            names = [name for name, _ in value.candidates]
            counts = dict(value.plan)
            means, covariance, noise = belief(tasks, axis, names)
            share = right(means, covariance, noise, [counts.get(name, 0) for name in names])
            self.assertEqual(sum(counts.values()), value.runs)
            # 3 sd of both counts together
            self.assertAlmostEqual(share, value.confidence_after, delta=0.045, msg=(tasks, axis))
            self.assertGreater(share, 0.8 - 0.045, (tasks, axis))
            now = right(means, covariance, noise, [0] * len(names), count=800)
            self.assertAlmostEqual(now, value.confidence_now, delta=0.065, msg=(tasks, axis))
            checked += 1
        self.assertGreaterEqual(checked, 4)

    def test_no_fewer_runs_do(self):
        for value in (*values("charts").values(), *values("mmvet").values()):
            if value.runs:
                self.assertGreaterEqual(value.confidence_after, 0.8)
                self.assertTrue(
                    all(
                        stage.confidence < 0.8
                        for stage in value.path
                        if sum(stage.runs) < value.runs
                    )
                )

    def test_near_the_best_allocation(self):
        """The greedy plan against all allocations of as many runs."""
        rng = random.Random(3)
        for noise in (0.3, 2.0):
            means = sorted((rng.uniform(-2, 0) for _ in range(4)), reverse=True)
            roots = [[rng.gauss(0, 1) for _ in range(4)] for _ in range(4)]
            covariance = [
                [linalg.dot(a, b) + (i == j) for j, b in enumerate(roots)]
                for i, a in enumerate(roots)
            ]
            stage = next(
                s for s in trials.path(means, covariance, noise, 0, 1.0, 5)[0] if sum(s.runs) == 5
            )
            ways = [runs for runs in itertools.product(range(4), repeat=4) if sum(runs) == 5]
            best = max(ways, key=lambda runs: right(means, covariance, noise, runs, 1, 100))
            self.assertGreater(
                right(means, covariance, noise, stage.runs, 2),
                right(means, covariance, noise, best, 2) - 0.03,
            )

    def test_what_is_left_out_is_rarely_best(self):
        scores, place, _, allowed = setup("charts")
        levels = ablate.axis_levels(scores, place, "llm", allowed)
        kept = {name for name, _ in values("charts")["llm"].candidates}
        names = sorted(levels)
        means, covariance, _ = belief("charts", "llm", names)
        top, rng, outside = covariance[0][0], random.Random(3), 0
        factor = linalg.cholesky(
            [[*row[:i], row[i] + 1e-6 * top] for i, row in enumerate(covariance)]
        )
        for _ in range(1000):
            z = [rng.gauss(0, 1) for _ in names]
            row = [mean + linalg.dot(line, z) for mean, line in zip(means, factor)]
            outside += names[row.index(max(row))] not in kept
        self.assertLess(outside / 1000, 0.12)

    def test_full_recipe(self):
        """The plan over all axes: everything drawn together, the runs of the picked recipe made
        once.
        """
        scores, place, hours, allowed = setup("balanced")
        found = ablate.ablate(scores, place, 0.6, hours, allowed, whole=True)
        steps = ablate.sequence(found, 0.6)
        self.assertGreaterEqual(steps[-1].confidence_after, 0.6)
        arms, owner, counts = [place], [None], [0]
        for value in found:
            levels = ablate.axis_levels(scores, place, value.axis, allowed)
            step = next((step for step in steps if step.axis == value.axis), None)
            for name, _ in value.candidates:
                made = dict(step.levels).get(name, 0) if step else 0
                if name == value.picked:
                    counts[0] += made
                else:
                    arms.append(levels[name])
                    owner.append(value.axis)
                    counts.append(made)
        covariance = competition.joint_covariance(arms, scores)
        means = [scores.mean(arm) for arm in arms]
        noise = (
            sum(step * step * scores.posterior.noise(name) for name, step in scores.steps.items())
            / 2
        )
        factor = linalg.cholesky(
            [[*row[:i], row[i] + 1e-5 * covariance[0][0]] for i, row in enumerate(covariance)]
        )
        rng, hits, count = random.Random(5), 0, 1000
        for _ in range(count):
            z = [rng.gauss(0, 1) for _ in arms]
            truth = [mean + linalg.dot(row, z) for mean, row in zip(means, factor)]
            shown = [
                value + rng.gauss(0, math.sqrt(noise / n)) if n else None
                for value, n in zip(truth, counts)
            ]
            known = posterior_means(means, covariance, noise, counts, shown)
            hits += all(
                max(group, key=known.__getitem__) == max(group, key=truth.__getitem__)
                for group in (
                    [0, *(i for i, axis in enumerate(owner) if axis == value.axis)]
                    for value in found
                )
            )
        self.assertAlmostEqual(hits / count, steps[-1].confidence_after, delta=0.06)
        self.assertEqual(sum(counts), sum(step.runs for step in steps))


@slow
class TwoLevels(unittest.TestCase):
    def test_exact(self):
        for gap, variance, noise in (
            (0.3, 1.0, 0.5),
            (0.0, 0.4, 2.0),
            (-1.0, 0.2, 0.3),
            (0.05, 3.0, 0.1),
        ):
            chance, gain, second = trials.two_levels(gap, variance, noise)
            rng, hits, chosen, total = random.Random(1), 0, 0, 0.0
            for _ in range(20_000):
                true = rng.gauss(gap, math.sqrt(variance))
                known = gap + variance / (variance + noise) * (
                    true + rng.gauss(0, math.sqrt(noise)) - gap
                )
                hits += (known > 0) == (true > 0)
                chosen += known < 0
                total += max(known, 0.0) - max(gap, 0.0)
            self.assertAlmostEqual(hits / 20_000, chance, delta=0.012)
            self.assertAlmostEqual(chosen / 20_000, second, delta=0.012)
            self.assertAlmostEqual(total / 20_000, gain, delta=0.03)

    def test_drawn_and_exact_agree(self):
        """A third level that never wins changes nothing."""
        exact = trials.path([0.2, 0.0], [[1.0, 0.3], [0.3, 1.5]], 0.7, 0, 1.0, 5)[0]
        drawn = trials.path(
            [0.2, 0.0, -60.0], [[1.0, 0.3, 0.0], [0.3, 1.5, 0.0], [0.0, 0.0, 0.1]], 0.7, 0, 1.0, 5
        )[0]
        for a, b in zip(exact, drawn):
            self.assertEqual(sum(a.runs), sum(b.runs))
            self.assertEqual(b.runs[2], 0)
            self.assertAlmostEqual(a.confidence, b.confidence, delta=0.05)
            self.assertAlmostEqual(a.gain, b.gain, delta=0.05)
            self.assertAlmostEqual(a.p_changes, b.p_changes, delta=0.05)

    def test_limits(self):
        # known: nothing to learn
        self.assertEqual(trials.two_levels(1.0, 0.0, 1.0), (1.0, 0.0, 0.0))
        # a run without noise tells all
        self.assertAlmostEqual(trials.two_levels(0.0, 1.0, 1e-12)[0], 1.0, places=3)
        self.assertAlmostEqual(trials.two_levels(0.0, 1.0, math.inf)[0], 0.5)
        # E max(0, N(0, 2))
        self.assertAlmostEqual(
            trials.two_levels(0.0, 2.0, 0.0)[1], 1 / math.sqrt(math.pi), places=6
        )

    def test_more_runs_are_surer_and_gain_more(self):
        stages = trials.path([0.2, 0.0], [[1.0, 0.3], [0.3, 1.5]], 2.0, 0, 1.0, 12)[0][1:]
        self.assertEqual([s.confidence for s in stages], sorted(s.confidence for s in stages))
        self.assertEqual([s.gain for s in stages], sorted(s.gain for s in stages))

    def test_twins_cannot_be_told_apart(self):
        stages = trials.path([0.0, 0.0], [[1.0, 1.0 - 1e-6], [1.0 - 1e-6, 1.0]], 9.0, 0, 0.9)[0]
        self.assertEqual(sum(stages[-1].runs), trials.MOST_RUNS)
        self.assertLess(stages[-1].confidence, 0.6)


@slow
class Answers(unittest.TestCase):
    def test_near_duplicates_are_one(self):
        """Two sizes of one mix are one level; the better stands for both."""
        names = ("llava-next-790k", "llava-next-760k", "llava-665k")
        sizes, means = (790e3, 760e3, 665e3), (1.0, 2.0, 3.0)
        space = SimpleNamespace(data=[Data(n, size, "") for n, size in zip(names, sizes)])
        scores = SimpleNamespace(space=space, mean=lambda candidate: means[candidate[2]])
        levels = {name: (0, 0, place) for place, name in enumerate(names)}
        self.assertEqual(
            ablate.merge(levels, "none", scores, "data"),
            {"llava-665k": [], "llava-next-760k": ["llava-next-790k"]},
        )
        self.assertEqual(
            list(ablate.merge(levels, "llava-next-790k", scores, "data")),
            ["llava-665k", "llava-next-790k"],  # the picked one stands for its group
        )

    def test_an_answer_has_each_once(self):
        wide = Request(parse_mix("charts", library().words), any_parts=True)
        answer = ablate_.answer(library(), ablate_.AblateRequest(wide))
        value = next(value for value in answer.values if value.axis == "data")
        names = [name for name, _ in value.candidates]
        self.assertEqual(len(names), len(set(names)))
        self.assertFalse(set(names) & {one for _, others in value.merged for one in others})
        self.assertFalse(
            ablate.alike(Data("cambrian-7m", 7e6, ""), Data("cambrian-737k", 737e3, ""))
        )
        self.assertFalse(ablate.alike(Data("llava-665k", 665e3, ""), Data("sharegpt4v", 665e3, "")))

    def test_order_and_units(self):
        limits = Constraints(budget=DEFAULT_BUDGET)
        asked = Request(parse_mix("charts", library().words), limits)
        answer = ablate_.answer(library(), ablate_.AblateRequest(asked))
        self.assertEqual({value.axis for value in answer.values}, set(ablate.AXES))
        rates = [
            value.gain_per_hour for value in answer.values if value.p_changes_pick >= ablate.RARELY
        ]
        self.assertEqual(rates, sorted(rates, reverse=True))
        for value in answer.values:
            self.assertGreaterEqual(value.expected_gain, 0.0)
            self.assertEqual(value.worth, value.expected_gain >= answer.worth)
            if value.runs:
                self.assertAlmostEqual(value.gpu_hours * value.gain_per_hour, value.expected_gain)
                self.assertLess(value.gpu_hours, value.runs * 2.5 * answer.hours_per_run)
        # then the paths were gone to their ends
        short = answer.sequence[-1].confidence_after < 0.8
        self.assertTrue(
            not short
            or any(sum(value.path[-1].runs) == trials.MOST_RUNS for value in answer.values)
        )

    def test_a_stated_recipe(self):
        own = parse({"encoder": "siglip", "llm": "qwen2-7b"}, library().words)[0]
        asked = Request(parse_mix("charts", library().words))
        answer = ablate_.answer(library(), ablate_.AblateRequest(asked, own))
        self.assertEqual(
            (answer.recipe.encoder, answer.recipe.llm, answer.recipe.resolution),
            ("siglip-so400m-14", "qwen2-7b", 384),
        )
        axes = {value.axis: value for value in answer.values}
        self.assertEqual(axes["encoder"].picked, "siglip-so400m-14")
        # tiles for charts: no run is needed to expect that
        self.assertGreater(axes["resolution"].switch_gain, 1.0)

    def test_out_of_reach(self):
        argv = ("ablate", "--tasks", "mmvet", "--recipe", "llm=qwen2-7b", "--confidence", "0.97")
        answer = call_json(*argv)
        short = [axis for axis in answer["axes"] if axis["runs"] is None]
        self.assertTrue(short)
        for axis in short:
            self.assertIsNone(axis["gpu_hours"])
            self.assertLess(axis["confidence_after"], 0.97)
            self.assertEqual(sum(part["runs"] for part in axis["plan"]), trials.MOST_RUNS)
        self.assertLess(answer["confidence_after"], 0.97)
        text = " ".join(call(*argv, "--why")[1].split())
        self.assertIn(f">{trials.MOST_RUNS}", text)
        self.assertRegex(
            text,
            rf"{short[0]['axis']}: {trials.MOST_RUNS} runs make it \d+% sure, not the asked 97%"
            r" \(at most 24 runs on an axis are planned\):",
        )
        self.assertNotIn("of the asked", text)

    def test_plans_keep_to_the_stated_hours(self):
        """576 GPU-hours buy two runs; 400 none, which is said, with the least that would and a
        smaller LLM of which two runs fit. Hours that are only assumed bound nothing.
        """
        told = lambda *argv: (call_json("ablate", *argv), call("ablate", *argv)[1])
        value, text = told("--budget", "8xH100 for 3 days")
        self.assertTrue(value["within_budget"])
        self.assertTrue(value["plans"])
        self.assertTrue(all(plan["gpu_hours"] <= 576 for plan in value["plans"]))
        self.assertTrue(all(plan["runs"] > 1 for plan in value["plans"]))
        self.assertRegex(
            text, r"--why .*; \d+ runs, [\d,]+ H100-hours \(over 576\):\n  next .*design"
        )
        value, text = told("--budget", "400 H100-hours")
        self.assertFalse(value["within_budget"])
        (plan,) = value["plans"]
        self.assertGreater(plan["gpu_hours"], 400)
        self.assertGreater(plan["expected_gain"], 0.05)
        self.assertIn("nothing within 400 H100-hours (--proxy llm=", text)
        self.assertIn(f"{plan['gpu_hours']:,.0f} H100-hours buy", text)
        every = call("ablate", "--budget", "400 H100-hours", "--why")[1]
        self.assertIn("nothing within 400 H100-hours (--proxy llm=", every)
        small = value["small"]
        self.assertLessEqual(2 * small["gpu_hours"], 400)
        value, text = told("--tasks", "charts")
        self.assertIsNone(value["budget_hours"])
        self.assertEqual(len(value["plans"]), 3)
        self.assertNotIn("nothing within", text)

    def test_the_cost_of_the_next_command_is_that_of_the_command(self):
        text = call("ablate", "--budget", "8xH100 for 3 days")[1]
        cost, line = text.rstrip().split("\n")[-2:]
        command = line.split("main.py ")[1]
        runs, hours = (int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", cost)[:2])
        plan = call_json(*shlex.split(command))
        self.assertEqual(runs, plan["runs_total"])
        self.assertAlmostEqual(hours, plan["gpu_hours"], delta=1)

    def test_how_many_and_how_sure_in_words(self):
        text = " ".join(
            call("ablate", "--tasks", "charts", "--confidence", "80%", "--why")[1].split()
        )
        answer = call_json("ablate", "--tasks", "charts", "--confidence", "80%")
        count, hours = (
            sum(step[key] for step in answer["sequence"]) for key in ("runs", "gpu_hours")
        )
        after = answer["confidence_after"]
        self.assertLess(after, 0.8)  # else this test asks for too little
        self.assertIn(
            f"{count} runs ({hours:,.0f} GPU-hours) make it {after:.0%} sure, not the asked 80% "
            f"(at most {trials.MOST_RUNS} runs on an axis are planned)",
            text,
        )
        self.assertNotRegex(text, r"\b1 (levels|runs)\b")
        from recipes.show.ablate import short_of

        # nothing capped it; 80% is not short of 80%
        self.assertEqual(
            short_of(1, 0.7961, 0.8, False), "1 run makes it 79.6% sure, not the asked 80.0%"
        )

    def test_sequence_and_stop(self):
        argv = ("ablate", "--tasks", "charts", "--recipe", "llm=qwen2-7b")
        answer = call_json(*argv)
        self.assertLessEqual(
            {"axis", "levels", "runs", "gpu_hours", "confidence_after"},
            answer["sequence"][0].keys(),
        )
        chances = [
            answer["confidence_now"],
            *(step["confidence_after"] for step in answer["sequence"]),
        ]
        self.assertEqual(chances, sorted(chances))
        for step in answer["sequence"]:
            self.assertEqual(step["runs"], sum(part["runs"] for part in step["levels"]))
        self.assertIn(
            "stop: no axis promises 50 of 100 points (--worth)", call(*argv, "--worth", "50")[1]
        )

    def test_refused(self):
        for argv in (
            ("--worth", "-1"),
            ("--worth", "nan"),
            ("--recipe", "encoder"),
            ("--recipe", "encoder=clip,encoder=siglip"),
        ):
            code, _, err = call("ablate", *argv)
            self.assertEqual((code, err.count("\n")), (2, 1))


if __name__ == "__main__":
    unittest.main()
