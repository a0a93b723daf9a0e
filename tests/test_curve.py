"""Curves along one axis: against `swap`, `cost` and the posterior; where they stop; the command."""

import json
import math
import os
import re
import tempfile
import unittest
from xml.etree import ElementTree

from recipes.picker import curve as curves
from recipes.terms.recipe import BASELINE
from tests.curve_case import make, point
from tests.support import call, call_json, library, printed


class Points(unittest.TestCase):
    def test_same_as_swap(self):
        """A point of the curve is the mix of the same swap, costs included."""
        value = call_json("curve", "visual_tokens", "--tasks", "documents")
        swap = call_json("swap", "576 tokens", "144 tokens", "--tasks", "documents")
        found = next(p for p in value["points"] if p["value"] == 144)
        self.assertAlmostEqual(found["expected"], swap["mix"]["expected"], places=4)
        self.assertAlmostEqual(found["low"], swap["mix"]["interval"]["low"], places=4)
        self.assertAlmostEqual(found["high"], swap["mix"]["interval"]["high"], places=4)
        self.assertAlmostEqual(
            found["gpu_hours"], swap["cost"]["to"]["training"]["gpu_hours"], places=3
        )
        self.assertAlmostEqual(found["ttft_ms"], swap["cost"]["to"]["latency"]["ttft_ms"], places=3)

    def test_own_value_is_zero_and_on_the_curve(self):
        for axis, own in (
            ("visual_tokens", 576),
            ("resolution", 336),
            ("llm_params_b", 6.738),
            ("data_size", 665_000),
        ):
            value = make(axis, points=2)
            zero = [p for p in value.points if p.value == value.own]
            self.assertEqual([(p.expected, p.low, p.high) for p in zero], [(0.0, 0.0, 0.0)])
            self.assertAlmostEqual(value.own, own, places=2)

    def test_an_end_that_is_asked_for_is_on_the_curve(self):
        for axis, flags, want in (
            ("visual_tokens", ("--to", "64"), 64),
            ("visual_tokens", ("--from", "100"), 100),
            ("llm_params_b", ("--to", "3B"), 3),
        ):
            value = call_json("curve", axis, "--tasks", "documents", *flags)
            values = [p["value"] for p in value["points"]]
            self.assertEqual(values[-1] if flags[0] == "--to" else values[0], want)
            self.assertEqual(values, sorted(set(values)))
        swap = call_json("swap", "576 tokens", "64 tokens", "--tasks", "documents")
        found = call_json("curve", "visual_tokens", "--tasks", "documents", "--to", "64")
        self.assertAlmostEqual(found["points"][-1]["expected"], swap["mix"]["expected"], places=4)

    def test_doublings_add_up(self):
        for axis in curves.FEATURE:
            value = make(axis)
            for a, b in zip(value.points, value.points[1:]):
                self.assertTrue(
                    math.isclose(b.value, 2 * a.value, rel_tol=0.05), (axis, a.value, b.value)
                )
                self.assertAlmostEqual(
                    b.expected - a.expected, a.gain.expected, delta=0.02, msg=axis
                )

    def test_inside_the_tables_range_by_default(self):
        for axis in curves.FEATURE:
            low, high = curves.covered(axis, library().posterior)
            values = [p.value for p in make(axis).points]
            self.assertGreaterEqual(values[0], low * 0.96)
            self.assertLessEqual(values[-1], high * 1.04)
        self.assertAlmostEqual(
            curves.covered("llm_params_b", library().posterior)[0],
            7 * 2 ** library().posterior.ranges["llm_size"][0],
        )

    def test_the_curve_ends_at_the_context(self):
        """Vicuna-1.5-7B reads 4,096 tokens, question and answer among them."""
        notes = call_json("curve", "visual_tokens", "--tasks", "documents")
        self.assertTrue(
            any(
                "ends before 4608" in text and "4,096 tokens of context of vicuna-1.5-7b" in text
                for text in notes["warnings"]
            ),
            notes["warnings"],
        )
        self.assertEqual(notes["points"][-1]["value"], 2304)
        roomy = call_json(
            "curve", "visual_tokens", "--tasks", "documents", "--recipe", "llm=qwen2-7b"
        )
        self.assertFalse(any("context" in text for text in roomy["warnings"]))

    def test_outside_is_marked_and_wider(self):
        value = make("llm_params_b", low=3.0, high=900.0, points=9)
        top = curves.covered("llm_params_b", library().posterior)[1]
        self.assertEqual(
            [p.extrapolated for p in value.points], [p.value > top * 1.04 for p in value.points]
        )
        self.assertTrue(any(p.extrapolated for p in value.points))
        inside = [p.high - p.low for p in value.points if not p.extrapolated]
        outside = [p.high - p.low for p in value.points if p.extrapolated]
        self.assertGreater(outside[-1], 1.5 * inside[-1])  # two doublings beyond 235B

    def test_tokens_follow_the_resolution_or_not(self):
        tokens = lambda recipe: [
            p["visual_tokens"]
            for p in call_json(
                "curve", "resolution", "--from", "336", "--to", "672", "--recipe", recipe
            )["points"]
        ]
        self.assertEqual(tokens("connector=mlp-2x-gelu"), [576, 2304])
        self.assertEqual(tokens("connector=q-former,visual_tokens=64"), [64, 64])
        self.assertEqual(tokens("visual_tokens=576"), [576, 576])
        self.assertTrue(
            any(
                "visual tokens follow the resolution" in note
                for note in make("resolution", points=2).notes
            )
        )

    def test_hours_grow_with_everything(self):
        for axis in curves.FEATURE:
            hours = [p["gpu_hours"] for p in call_json("curve", axis, "--points", "2")["points"]]
            self.assertEqual(hours, sorted(hours))
            self.assertGreater(hours[-1], 2 * hours[0])

    def test_ends(self):
        self.assertEqual(
            [p.value for p in make("visual_tokens", high=288.0).points], [36, 72, 144, 288]
        )
        self.assertEqual(
            [p.value for p in make("visual_tokens", low=1152.0).points], [1152, 2304, 4608, 9216]
        )
        self.assertEqual(
            [
                p["value"]
                for p in call_json(
                    "curve", "tokens", "--from", "750", "--to", "3000", "--points", "3"
                )["points"]
            ],
            [750, 1500, 3000],
        )
        self.assertEqual(
            make("resolution", low=300.0, high=500.0, points=3).points[1].value % 14, 0
        )


class Stops(unittest.TestCase):
    def test_where(self):
        stop = lambda *gains: curves.stop(
            [point(2.0**i, g) for i, g in enumerate(gains)], 1.0, None, "visual_tokens"
        )
        self.assertEqual(stop(3, 2, 0.5, 0.2)[:2], (4.0, "until"))
        # what comes after still pays
        self.assertEqual(stop(3, 0.5, 2, 0.2)[:2], (8.0, "until"))
        self.assertIn("nor does 2 to 4", stop(3, 0.5, 2, 0.2).why)
        self.assertEqual(stop(0.1, 0.2)[:2], (None, "none"))
        self.assertIn("no doubling from 1 to 4 pays", stop(0.1, 0.2).why)
        self.assertEqual(stop(3, 2)[:2], (None, "all"))
        # the last pays, the first does not: not "every further doubling"
        self.assertEqual(stop(0.5, 2)[:2], (None, "some"))
        self.assertIn("pays from 2 to 4, not from 1 to 2", stop(0.5, 2).why)
        self.assertIn("4 to 8", stop(3, 2, 0.5).why)
        self.assertIn("+0.5", stop(3, 2, 0.5).why)

    def test_two_numbers_that_differ_look_different(self):
        def stop(gain, noise, worth=None, per=None):
            return curves.stop(
                [point(1.0, 5.0, 5.0), point(2.0, gain, per)], noise, worth, "visual_tokens"
            ).why

        self.assertIn("gains +0.70, less than 0.95, the noise", stop(0.7, 0.95))
        self.assertIn(
            "about the noise of two runs on this mix: +0.946 for 0.954", stop(0.946, 0.954)
        )
        self.assertIn(
            "about the noise of two runs on this mix: +0.954 for 0.946", stop(0.954, 0.946)
        )
        self.assertIn(
            "+0.4996 per doubling of GPU-hours, less than the 0.5", stop(3.0, 1.0, 0.5, 0.4996)
        )
        self.assertIn(
            "+0.5004 or more per doubling of GPU-hours (0.5 is asked)", stop(3.0, 1.0, 0.5, 0.5004)
        )
        for tasks in ("charts", "documents", "reasoning", "balanced"):
            found = re.search(
                r"gains (\S+), less than (\S+),",
                call_json("curve", "visual_tokens", "--tasks", tasks)["why"],
            )
            self.assertTrue(not found or float(found[1]) < float(found[2]), tasks)

    def test_a_near_tie_is_said_as_such(self):
        """Within a fifth of the noise to the end of the curve, where all before pay."""
        stop = lambda *gains: curves.stop(
            [point(2.0**i, g) for i, g in enumerate(gains)], 1.0, None, "visual_tokens"
        )
        for gains, close in (
            ((3, 2, 0.9, 0.95), 4.0),
            ((3, 2, 1.1, 0.9), 4.0),
            ((3, 1.1, 1.15), 2.0),
            ((0.9, 1.1), 1.0),
            ((3, 2, 0.7), None),
            ((3, 0.9, 0.7), None),
            ((3, 0.9, 2), None),
            ((0.5, 0.95), None),
            ((3, 2), None),
        ):
            self.assertEqual(stop(*gains).close, close, gains)
        one = stop(3, 2, 0.9)
        self.assertEqual((one.at, one.pays), (4.0, "until"))
        self.assertIn("from 4 on a doubling brings about the noise", one.why)
        self.assertIn("+0.90 for 1.00", one.why)
        self.assertIn("before it pays: 1 to 4 (+2.00 or more)", one.why)
        # what a worth rules out is no tie with the noise
        found = [point(1.0, 3.0, 9.0), point(2.0, 1.1, 1.0)]
        self.assertIsNone(curves.stop(found, 1.0, 5.0, "visual_tokens").close)
        for tasks in ("docvqa", "ocr-document"):
            value = call_json("curve", "visual_tokens", "--tasks", tasks)
            self.assertEqual(value["near_tie_from"], 576)
            text = " ".join(call("curve", "visual_tokens", "--tasks", tasks)[1].split())
            self.assertIn("from 576 on a doubling brings about the noise of two runs", text)
            self.assertRegex(text, r"; printed rows there: \+\d\.\d \(576-1024\), ")
            self.assertNotIn("stops paying", text)

    def test_only_inside_the_range(self):
        found = [point(1.0, 2.0), point(2.0, 0.1, extrapolated=True)]
        self.assertEqual(curves.stop(found, 1.0, None, "data_size")[:2], (None, "all"))
        self.assertEqual(curves.stop(found[1:], 1.0, None, "data_size").pays, "not judged")
        self.assertIn("no doubling", curves.stop(found[1:], 1.0, None, "data_size").why)

    def test_worth(self):
        found = [point(1.0, 3.0, 9.0), point(2.0, 3.0, 4.0), point(4.0, 3.0, 2.0)]
        self.assertIsNone(curves.stop(found, 1.0, None, "visual_tokens").at)
        self.assertEqual(curves.stop(found, 1.0, 5.0, "visual_tokens").at, 2.0)
        value = call_json("curve", "visual_tokens", "--tasks", "documents", "--worth", "4")
        gains = {
            p["value"]: p["next_doubling"]["per_doubling_of_gpu_hours"] for p in value["points"]
        }
        self.assertEqual(value["stops_paying_at"], min(v for v, g in gains.items() if g < 4))
        hours = {p["value"]: p["gpu_hours"] for p in value["points"]}
        first = next(p for p in value["points"] if p["value"] == 144)["next_doubling"]
        self.assertAlmostEqual(
            gains[144], first["expected"] / math.log2(hours[288] / hours[144]), places=3
        )

    def test_an_unknown_cost_does_not_count_as_paying(self):
        stop = lambda *steps: curves.stop(
            [point(2.0**i, *step) for i, step in enumerate(steps)], 1.0, 5.0, "llm_params_b"
        )
        free = stop((3.0, 2.0), (3.0, 4.0), (3.0, None))
        self.assertEqual(free[:3], (None, "none", (4.0,)))
        self.assertIn("no doubling from 1B to 4B pays: even the best, 2B to 4B", free.why)
        self.assertIn("not known: 4B to 8B", free.why)
        self.assertEqual(stop((3.0, 6.0), (3.0, 4.0), (3.0, None))[:3], (2.0, "until", (4.0,)))
        self.assertEqual(stop((3.0, 6.0), (3.0, None), (3.0, 4.0))[:3], (4.0, "until", (2.0,)))
        self.assertEqual(stop((3.0, 6.0), (3.0, None))[:3], (None, "some", (2.0,)))
        self.assertEqual(stop((3.0, None))[:3], (None, "unknown", (1.0,)))
        # less than the noise, whatever it costs
        self.assertEqual(stop((0.1, None))[:3], (None, "none", ()))

    def test_the_headline_follows_from_the_columns(self):
        """Recomputed from what is printed: on every axis, with and without a worth, wherever the
        curve starts and ends.
        """
        for argv in (
            ("llm", "--tasks", "documents", "--worth", "5"),
            ("llm", "--tasks", "documents", "--worth", "5", "--to", "27B"),
            ("llm", "--tasks", "documents", "--worth", "2.2"),
            ("llm", "--worth", "1"),
            ("data_size",),
            ("visual_tokens", "--tasks", "general-vqa"),
            ("resolution", "--tasks", "reasoning", "--from", "84"),
            ("resolution", "--worth", "3"),
            ("tokens", "--tasks", "reasoning", "--from", "9"),
        ):
            with self.subTest(argv=argv):
                value = call_json("curve", *argv)
                states = []
                for p in value["points"]:
                    gain, per = (
                        p["next_doubling"]["expected"],
                        p["next_doubling"]["per_doubling_of_gpu_hours"],
                    )
                    if not p["next_doubling"]["extrapolated"]:
                        states.append(
                            (
                                p["value"],
                                (
                                    False
                                    if gain < value["noise_of_two_runs"]
                                    else (
                                        True
                                        if value["worth"] is None
                                        else None
                                        if per is None
                                        else per >= value["worth"]
                                    )
                                ),
                            )
                        )
                last = max((x for x, state in states if state), default=None)
                fails = [x for x, state in states if state is False]
                after = [x for x in fails if last is not None and x > last]
                self.assertEqual(value["stops_paying_at"], min(after, default=None))
                self.assertEqual(value["unknown_cost"], [x for x, state in states if state is None])
                self.assertEqual(
                    value["pays"],
                    (
                        "until"
                        if after
                        else (
                            "all"
                            if all(state for _, state in states)
                            else "some"
                            if last is not None
                            else "none"
                            if fails
                            else "unknown"
                        )
                    ),
                )
        text = " ".join(call("curve", "llm", "--tasks", "documents", "--worth", "6")[1].split())
        self.assertIn("no doubling from 0.842B to 108B pays", text)

    def test_none_is_not_the_first_point(self):
        """Where no doubling pays, no point of the curve is where it stops: in JSON, text, picture
        and by family, wherever it starts.
        """
        for start in ("9", "72", "1152"):
            argv = ("curve", "visual_tokens", "--tasks", "reasoning-knowledge", "--from", start)
            value = call_json(*argv)
            self.assertEqual((value["stops_paying_at"], value["pays"]), (None, "none"))
            end = 2 * max(
                p["value"] for p in value["points"] if not p["next_doubling"]["extrapolated"]
            )
            self.assertIn(
                f"no doubling from {start} to {end} pays", " ".join(call(*argv)[1].split())
            )
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "tokens.svg")
                call(*argv, "--plot", path)
                with open(path, encoding="utf-8") as file:
                    picture = file.read()
                self.assertIn(f"no doubling from {start} to {end} pays", picture)
                self.assertNotIn("dashed line", picture)
        families = {
            row["family"]: row
            for row in call_json("curve", "visual_tokens", "--by-family")["families"]
        }
        self.assertEqual(
            (
                families["reasoning-knowledge"]["stops_paying_at"],
                families["reasoning-knowledge"]["pays"],
            ),
            (None, "none"),
        )
        self.assertEqual(
            (families["general-vqa"]["stops_paying_at"], families["general-vqa"]["pays"]),
            (576, "until"),
        )
        lines = call("curve", "visual_tokens", "--by-family")[1].split("the model:")[1].splitlines()
        ends = {line.split()[0]: line.split()[-1] for line in lines if line.split()}
        self.assertEqual(
            [ends[name] for name in ("reasoning-knowledge", "general-vqa", "ocr-document")],
            ["none", "~576", "~576"],  # beyond 576 they gain 0.8 and 1.1 times the noise
        )

    def test_noise_of_two_runs(self):
        posterior = library().posterior
        value = make("visual_tokens", "mmmu=0.25,docvqa=0.75")
        expected = math.sqrt(
            sum(
                (weight * posterior.scale_of(name)) ** 2 * posterior.noise(name)
                for name, weight in (("mmmu", 0.25), ("docvqa", 0.75))
            )
        )
        self.assertAlmostEqual(value.noise, expected, places=9)

    def test_bends_are_where_the_note_says(self):
        """Gains of doublings that cross no bend are equal; a doubling on the other side of one
        differs.
        """
        for axis, recipe, bends in (
            ("visual_tokens", BASELINE, (576,)),
            ("resolution", BASELINE, (336, 672)),
            ("llm_params_b", BASELINE, (3,)),
            ("resolution", BASELINE._replace(connector="q-former", visual_tokens=32.0), (672,)),
        ):
            value = make(axis, "charts", recipe)
            note = next(note for note in value.notes if "nowhere else" in note)
            for bend in bends:
                self.assertIn(str(bend), note)
            sides = {}
            for p in value.points:
                if not any(p.value * 1.001 < bend < 2 * p.value * 0.999 for bend in bends):
                    sides.setdefault(sum(p.value * 1.001 >= bend for bend in bends), []).append(
                        p.gain.expected
                    )
            for gains in sides.values():
                self.assertLess(max(gains) - min(gains), 0.05, (axis, gains))
            self.assertGreater(len(sides), 1)

    def test_knowledge_stops_and_documents_do_not(self):
        self.assertEqual(make("visual_tokens", "reasoning").stop.pays, "none")
        self.assertEqual(make("visual_tokens", "documents").stop.pays, "all")


class Command(unittest.TestCase):
    def test_text(self):
        for axis in curves.FEATURE:
            code, text, _ = call("curve", axis, "--tasks", "charts")
            self.assertEqual(code, 0)
            self.assertEqual(text.count("own"), 2, axis)  # the row, and the word of the legend
            self.assertTrue(all(len(line) <= 80 for line in text.splitlines()), axis)

    def test_plot_in_blocks_or_plain(self):
        argv = ("curve", "visual_tokens", "--points", "3", "--to", "2304")
        blocks, text = (printed(name, *argv) for name in ("utf-8", "ascii"))
        self.assertIn("●", blocks)
        self.assertIn("░", blocks)
        self.assertNotIn("u2591", text)
        self.assertRegex(text, r"[+-]\d\.\d  .*o{4}")

    def test_json_keys(self):
        value = json.loads(call("curve", "data_size", "--json")[1])
        self.assertEqual(
            {"axis", "tasks", "recipe", "points", "stops_paying_at", "pays", "unknown_cost", "why"}
            - set(value),
            set(),
        )
        self.assertEqual(
            {"value", "expected", "low", "high", "gpu_hours", "ttft_ms", "extrapolated"}
            - set(value["points"][0]),
            set(),
        )

    def test_plot(self):
        """A picture of the same points, with the place where it stops paying."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "tokens.svg")
            value = call_json("curve", "visual_tokens", "--tasks", "documents", "--plot", path)
            with open(path, "rb") as file:
                data = file.read()
            self.assertEqual(value["plot"], {"path": path, "bytes": len(data)})
            root = ElementTree.fromstring(data)
            marks = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")][1:]
            values, points = (
                [float(mark.partition(":")[0].replace(",", "")) for mark in marks],
                value["points"],
            )
            # the change, the hours, the latency
            self.assertEqual(values, 3 * [point["value"] for point in points])
            drawn = [
                float(mark.partition(": ")[2].replace(",", "")) for mark in marks[len(points) :]
            ]
            for seen, true in zip(
                drawn,
                [p["gpu_hours"] for p in points] + [p["ttft_ms"] for p in points],
                strict=True,
            ):
                self.assertAlmostEqual(seen, true, delta=0.5)
            words = " ".join(root.itertext())
            if value["stops_paying_at"] is not None:
                self.assertIn(f"dashed line: {value['stops_paying_at']:,}", words)
            self.assertIn(
                f"wrote {path}",
                call("curve", "visual_tokens", "--tasks", "documents", "--plot", path)[1],
            )

    def test_picture_says_units_and_where_the_last_doubling_ends(self):
        for axis, unit in (
            ("llm", "LLM size, B parameters"),
            ("resolution", "resolution, px"),
            ("data_size", "data size, samples"),
        ):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "curve.svg")
                value = call_json("curve", axis, "--tasks", "documents", "--plot", path)
                with open(path, encoding="utf-8") as file:
                    root = ElementTree.fromstring(file.read())
            words = " ".join(
                text
                for text in (e.text for e in root.iter("{http://www.w3.org/2000/svg}text"))
                if text
            )
            self.assertIn(f" {unit} ", words)
            self.assertIn("training, A100-hours", words)
            self.assertIn("TTFT, ms on L4", words)
            title, about = root[0].text, root[1].text
            self.assertNotIn(title, about)  # the title is not said twice
            last = value["points"][-1]
            if not last["next_doubling"]["extrapolated"]:
                self.assertIn(
                    "The doubling from the last point, to"
                    f" {curves.shown(value['axis'], 2 * last['value'])}, counts as well.",
                    about,
                )

    def test_bad_input(self):
        for argv, word in (
            (("depth",), "unknown axis"),
            (("visual_token",), "did you mean visual_tokens"),
            ((), "AXIS"),
            (("resolution", "--from", "672", "--to", "336"), "--from"),
            (("resolution", "--from", "large"), "large"),
            (("resolution", "--to", "anyres-672"), "pixels"),
            (("resolution", "--recipe", "resolution=anyres-672"), "pixels"),
            (("visual_tokens", "--from", "0"), "0"),
            (("visual_tokens", "--to", "inf"), "inf"),
            (("visual_tokens", "--tasks", "chess"), "chess"),
            (("visual_tokens", "--points", "1"), "--points"),
            (("visual_tokens", "--points", "999"), "--points"),
            (("visual_tokens", "--gpu", "zx81"), "zx81"),
            (("visual_tokens", "--worth", "-1"), "--worth"),
            (("visual_tokens", "--recipe", "encoder"), "--recipe"),
            (("llm", "--recipe", "llm=gpt-99"), "gpt-99"),
            (("visual_tokens", "--recipe", "resolution=anyres-672"), "visual_tokens"),
            (("data", "--recipe", "data=pixmo-no-docs"), "data_size"),
            (("visual_tokens", "--level", "1"), "--level"),
            (("visual_tokens", "--plot", "x.png"), ".svg"),
            (("visual_tokens", "--plot", "x.svg", "--by-family"), "--by-family"),
            (("visual_tokens", "--plot", "/nowhere/x.svg"), "/nowhere"),
        ):
            with self.subTest(argv=argv):
                code, out, err = call("curve", *argv)
                self.assertEqual((code, out), (2, ""))
                self.assertIn(word, err)
                self.assertEqual(err.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
