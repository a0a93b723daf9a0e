"""Pictures: SVG of every kind, forest plots in the terminal and as files."""

import itertools
import math
import os
import re
import tempfile
import unittest

from recipes.show import forest, forest_plot, plots, svg
from recipes.show.text import Style

from . import support
from .drawn import HOSTILE, SVG, boxes, mark, panel, parse, swap_of, texts


class Svg(unittest.TestCase):
    PICTURES = {
        "forest": lambda **k: forest_plot.forest(
            [
                panel(
                    mark(1),
                    mark(-2, 0.1, "open"),
                    mark(0.5, 0.2, "near"),
                    mark(0.3, None, "pool"),
                    mark(0.4, None, "model"),
                    after="and more",
                ),
                forest_plot.Panel("MMMU", "no table prints this change on it", ()),
            ],
            "a → b",
            "about",
            **k,
        ),
        "tornado": lambda **k: plots.tornado(
            [plots.Bar("data", "x against y", 0.7, 3.1), plots.Bar("llm", "u", 0.001, 0.0)],
            "Ablate",
            "about",
            left="probability",
            right="gain",
            **k,
        ),
        "pareto": lambda **k: plots.pareto(
            [plots.Point(f"recipe {i}", 10 * 1.5**i, i + i % 3) for i in range(9)]
            + [plots.Point("c", 50 + i, 4, "", "cloud") for i in range(30)],
            "P",
            "a",
            **k,
        ),
        "curve": lambda **k: plots.curve(
            [plots.Step(64, -6, -9, -3), plots.Step(576, 0, -1, 1), plots.Step(2880, 4, 1, 9)],
            "C",
            "a",
            units=("tokens", "points"),
            mark=(1440, "stops"),
            **k,
        ),
        "curve with costs": lambda **k: plots.curve(
            [plots.Step(2.0**i, i, i - 1, i + 1) for i in range(14)],
            "C",
            "a",
            units=("tokens", "points"),
            costs=[
                plots.Cost("hours", tuple(10 * 1.7**i for i in range(14))),
                plots.Cost("ms", (None, *[80.0] * 12, 1e6)),
            ],
            **k,
        ),
    }

    def test_xml_accessible_and_self_contained(self):
        for name, draw in self.PICTURES.items():
            for compact, alone in itertools.product((False, True), repeat=2):
                picture = draw(compact=compact, alone=alone)
                root = parse(picture)
                self.assertEqual((root.tag, root.get("role")), (f"{SVG}svg", "img"), name)
                self.assertEqual([child.tag for child in root][:2], [f"{SVG}title", f"{SVG}desc"])
                self.assertTrue(root[0].text)
                self.assertEqual(len(root.get("viewBox").split()), 4)
                self.assertEqual(root.find(f"{SVG}style") is not None, alone)
                self.assertFalse(list(root.iter(f"{SVG}script")))
                self.assertNotRegex(
                    picture.replace("http://www.w3.org/2000/svg", ""),
                    r"https?:|href|url\(|@import| id=",
                )
                self.assertEqual(picture, draw(compact=compact, alone=alone))

    def test_light_and_dark(self):
        picture = self.PICTURES["forest"]()
        self.assertIn("prefers-color-scheme:dark", picture)
        for pair in svg.COLOURS.values():
            for colour in pair:
                self.assertIn(colour, picture)

    def test_contrast(self):
        def light(colour):
            channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
            return sum(
                w * (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4)
                for w, c in zip((0.2126, 0.7152, 0.0722), channels)
            )

        def ratio(a, b):
            x, y = sorted((light(a), light(b)))
            return (y + 0.05) / (x + 0.05)

        for mode in (0, 1):
            c = {role: pair[mode] for role, pair in svg.COLOURS.items()}
            for role, ground in (
                ("ink", "paper"),
                ("muted", "paper"),
                ("rust", "paper"),
                ("blue", "paper"),
                ("ink", "veil"),
            ):
                self.assertGreaterEqual(ratio(c[role], c[ground]), 4.5, (role, ground, mode))

    def test_text_neither_overlaps_nor_leaves_the_picture(self):
        long = forest_plot.forest(
            [
                panel(
                    mark(
                        1234.5,
                        label="A label of many words that has to wrap " * 3,
                        note="note " * 40,
                    ),
                    mark(-99999, 0.3, label="X" * 200),
                    mark(0.001, None, "model"),
                    unit="points of " + "a benchmark with a long name " * 4,
                    digits=0,
                )
            ],
            "Title " * 30,
            "About " * 60,
        )
        wide = [
            draw(compact=compact) for draw in self.PICTURES.values() for compact in (False, True)
        ]
        compact = forest_plot.forest(
            [panel(mark(1, label="Y" * 150), mark(2))], "T" * 120, compact=True
        )
        for picture in (*wide, long, compact):
            width, height = map(float, parse(picture).get("viewBox").split()[2:])
            found = list(boxes(picture))
            for left, top, right, bottom, text in found:
                self.assertTrue(
                    left >= -0.5
                    and top >= -0.5
                    and right <= width + 0.5
                    and bottom <= height + 0.5,
                    (text, left, right, width),
                )
            for a, b in itertools.combinations(found, 2):
                self.assertFalse(
                    a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3], (a, b)
                )

    def test_hostile_text(self):
        pictures = [
            forest_plot.forest(
                [
                    forest_plot.Panel(
                        HOSTILE,
                        HOSTILE,
                        (mark(1, label=HOSTILE, note=HOSTILE),),
                        unit=HOSTILE,
                        after=HOSTILE,
                    )
                ],
                HOSTILE,
                HOSTILE,
                level=HOSTILE[:20],
            ),
            plots.tornado(
                [plots.Bar(HOSTILE, HOSTILE, 0.5, 1)], HOSTILE, HOSTILE, left=HOSTILE, right=HOSTILE
            ),
            plots.pareto(
                [plots.Point(HOSTILE, 1, 1, HOSTILE), plots.Point(HOSTILE, 2, 2, HOSTILE, "cloud")],
                HOSTILE,
                HOSTILE,
                units=(HOSTILE, HOSTILE),
            ),
            plots.curve(
                [plots.Step(1, 1, 0, 2)],
                HOSTILE,
                HOSTILE,
                units=(HOSTILE, HOSTILE),
                mark=(1, HOSTILE),
                costs=[plots.Cost(HOSTILE, (3.0,))],
            ),
        ]
        for picture in pictures:
            # the parser refuses control characters and bad nesting
            root = parse(picture)
            self.assertFalse(list(root.iter(f"{SVG}script")))
            self.assertNotIn("<script", picture)
            self.assertNotIn("\u202e", picture)
            picture.encode("utf-8")
            self.assertIn("alert('x')", "".join(root.itertext()))

    def test_numbers_that_are_not_finite_are_refused(self):
        for bad in (math.nan, math.inf, -math.inf, None, "1", True):
            for draw in (
                lambda x: forest_plot.forest([panel(mark(1)._replace(estimate=x))], "t"),
                lambda x: forest_plot.forest([panel(mark(1)._replace(high=x))], "t"),
                lambda x: forest_plot.forest(
                    [panel(mark(1, weight=x) if x is not None else mark(1)._replace(low=x))], "t"
                ),
                lambda x: plots.tornado([plots.Bar("a", "b", x, 1)], "t"),
                lambda x: plots.pareto([plots.Point("a", 1, x)], "t"),
                lambda x: plots.curve([plots.Step(1, 1, x, 2)], "t"),
                lambda x: plots.curve([plots.Step(1, 1, 0, 2)], "t", mark=(x, "")),
            ):
                with self.assertRaises(ValueError):
                    draw(bad)
        for bad in (math.nan, math.inf, "1", True, 0.0, -1.0):
            with self.assertRaises(ValueError):
                plots.curve([plots.Step(1, 1, 0, 2)], "t", costs=[plots.Cost("hours", (bad,))])
        for points in ([plots.Point("a", 0, 1)], [plots.Point("a", -3, 1), plots.Point("b", 3, 1)]):
            with self.assertRaises(ValueError):
                plots.pareto(points, "t")
        with self.assertRaises(ValueError):
            plots.tornado([plots.Bar("a", "b", 1.2, 1)], "t")

    def test_nothing_to_show(self):
        self.assertIn(
            "no table prints it",
            texts(forest_plot.forest([forest_plot.Panel("MMMU", "no table prints it", ())], "t")),
        )
        for picture in (
            forest_plot.forest([], "t"),
            plots.tornado([], "t"),
            plots.pareto([], "t"),
            plots.curve([], "t"),
        ):
            parse(picture)
        parse(
            forest_plot.forest([panel(forest_plot.Mark("a", "", 0.0, 0.0, 0.0, 1.0))], "t")
        )  # all at zero
        parse(plots.pareto([plots.Point("one", 5, 5)], "t"))

    def test_squares_grow_with_weight(self):
        weights = (0.4, 0.1, 0.3, 0.05, 0.15)
        picture = forest_plot.forest(
            [panel(*(mark(i, w) for i, w in enumerate(weights)))], "t", alone=False, key=()
        )
        sides = [
            float(r.get("width"))
            for r in parse(picture).iter(f"{SVG}rect")
            if r.get("class") == "full"
        ]
        self.assertEqual(len(sides), len(weights))
        self.assertEqual(
            sorted(range(5), key=weights.__getitem__), sorted(range(5), key=sides.__getitem__)
        )
        # the area, not the side
        self.assertAlmostEqual((sides[0] / sides[1]) ** 2, 4, delta=0.4)

    def test_zero_line_and_positions(self):
        """The zero line lies where the axis says 0, and squares lie at their estimates."""
        root = parse(forest_plot.forest([panel(mark(-3), mark(5))], "t", alone=False, key=()))
        zero = float(next(e for e in root.iter(f"{SVG}line") if e.get("class") == "zero").get("x1"))
        ticks = {
            e.text: float(e.get("x"))
            for e in root.iter(f"{SVG}text")
            if e.get("text-anchor") == "middle" and re.fullmatch(r"[−\d.]+", e.text)
        }
        self.assertAlmostEqual(ticks["0"], zero, delta=0.11)
        per_point = (ticks["4"] - ticks["−2"]) / 6
        centres = [
            float(r.get("x")) + float(r.get("width")) / 2
            for r in root.iter(f"{SVG}rect")
            if r.get("class") == "full"
        ]
        for value, centre in zip((-3, 5), centres):
            self.assertAlmostEqual(centre, zero + value * per_point, delta=0.4)

    def test_costs_stand_under_their_points(self):
        """Same place on the axis, higher where they cost more; one that is not known has no dot,
        and one kind of which none is known no plot.
        """
        steps = [plots.Step(2.0**i, i, i - 1, i + 1) for i in range(5)]
        costs = [
            plots.Cost("hours", (10.0, 30.0, None, 200.0, 900.0)),
            plots.Cost("nothing known", (None,) * 5),
            plots.Cost("ms", (5.0,) * 5),
        ]
        root = parse(plots.curve(steps, "t", costs=costs))
        dots = {
            role: [
                (float(e.get("cx")), float(e.get("cy")), e[0].text)
                for e in root.iter(f"{SVG}circle")
                if e.get("class") == role
            ]
            for role in ("full", "dot")
        }
        self.assertEqual(
            [text for *_, text in dots["dot"]],
            ["1: 10", "2: 30", "8: 200", "16: 900", *(f"{2**i}: 5" for i in range(5))],
        )
        at = [x for x, *_ in dots["full"]]
        self.assertEqual([x for x, *_ in dots["dot"]], [at[0], at[1], at[3], at[4], *at])
        heights = [y for _, y, _ in dots["dot"]]
        self.assertEqual(heights[:4], sorted(heights[:4], reverse=True))
        self.assertAlmostEqual(
            (heights[0] - heights[1]) / (heights[0] - heights[3]),
            math.log(3) / math.log(90),
            delta=0.01,
        )
        self.assertEqual(len(set(heights[4:])), 1)
        self.assertGreater(min(heights), max(y for _, y, _ in dots["full"]))
        words = "".join(root.itertext())
        self.assertIn("hours", words)
        self.assertNotIn("nothing known", words)

    def test_ticks(self):
        for low, high in ((-5.5, 7.7), (0.001, 0.0042), (-2000, 12), (0, 1), (-0.3, 1e6)):
            for most in (2, 4, 7):
                values = svg.ticks(low, high, most)
                self.assertTrue(
                    all(low - 1e-9 <= v <= high + 1e-9 for v in values) and len(values) <= most,
                    (low, high, most, values),
                )
                self.assertEqual(svg.ticks(-high, -low, most), [-v for v in reversed(values)])

    def test_front_is_the_front(self):
        self.assertEqual(
            plots.staircase([(4, 1), (1, 1), (2, 3), (3, 2), (5, 4)]),
            [(1, 1), (2, 1), (2, 3), (5, 3), (5, 4)],
        )


class Forest(unittest.TestCase):
    A, B = {"encoder": "clip-vit-l-14"}, {"encoder": "siglip-so400m-14"}

    @classmethod
    def setUpClass(cls):
        cls.answer = swap_of(cls.A, cls.B)

    def test_rows_as_printed_with_weights(self):
        delta = next(d for d in self.answer.deltas if d.benchmark == "textvqa")
        shown = forest.panels([delta], {}, {}, rows=None)[0]
        rows = [row for row in delta.evidence if row.relation != "neighbour"]
        self.assertEqual(
            [(m.estimate, m.weight) for m in shown.marks if m.kind in forest_plot.SQUARES],
            [(row.delta, row.weight) for row in rows],
        )
        self.assertAlmostEqual(sum(m.weight for m in shown.marks if m.weight), 1)
        model = shown.marks[-1]
        self.assertEqual(
            (model.kind, model.estimate, model.low, model.high),
            ("model", delta.expected, delta.low, delta.high),
        )
        pool = shown.marks[-2]
        self.assertEqual((pool.kind, pool.estimate), ("pool", delta.direct.estimate))
        for m in shown.marks:
            self.assertAlmostEqual(m.high - m.estimate, m.estimate - m.low)
            self.assertGreater(m.high, m.low)

    def test_every_label_is_in_the_picture(self):
        delta = next(d for d in self.answer.deltas if d.benchmark == "gqa")
        shown = forest.panels([delta], {}, {}, rows=None)
        for compact in (False, True):
            whole = " ".join(texts(forest_plot.forest(shown, "t", compact=compact)))
            for m in shown[0].marks:
                self.assertIn("".join(m.label.split()), "".join(whole.split()))

    def test_reversed_swap_mirrors(self):
        back = swap_of(self.B, self.A)
        for d in self.answer.deltas[:6]:
            e = next(e for e in back.deltas if e.benchmark == d.benchmark)
            one, other = (forest.panels([x], {}, {}, rows=None)[0] for x in (d, e))
            key = lambda m: (m.label, round(m.estimate, 6))
            mirrored = sorted(
                (m._replace(estimate=-m.estimate, low=-m.high, high=-m.low) for m in other.marks),
                key=key,
            )
            for a, b in zip(sorted(one.marks, key=key), mirrored, strict=True):
                self.assertEqual((a.label, a.kind), (b.label, b.kind))
                for x, y in zip(a[2:6], b[2:6]):
                    self.assertAlmostEqual(x or 0, y or 0, places=5)
        low, high = forest_plot.domain(one.marks)
        for x, y in zip(forest_plot.domain(other.marks), (-high, -low)):
            self.assertAlmostEqual(x, y, places=6)

    def test_a_table_with_another_scale(self):
        """Cambrian-1 prints OCRBench of 100, the benchmark has 1000 points: rows and pool are
        brought to the benchmark's points.
        """
        delta = swap_of(self.A, self.B, ["ocrbench"]).deltas[0]
        row = next(
            r for r in delta.evidence if r.table == "cambrian1.table11" and r.relation == "direct"
        )
        self.assertAlmostEqual(row.delta, row.printed * 10)
        shown = forest.panels([delta], {}, {}, rows=None)[0]
        self.assertTrue(
            any(m.estimate == row.delta and "printed as" in m.note for m in shown.marks)
        )
        pool = next(m for m in shown.marks if m.kind == "pool")
        direct = [m.estimate for m in shown.marks if m.kind in ("full", "open")]
        self.assertTrue(min(direct) < pool.estimate < max(direct))
        self.assertGreater(delta.direct.se, 20)  # points of 1000, not of 100

    def test_benchmarks_that_were_asked_about_come_first(self):
        direct = [
            d.benchmark
            for d in self.answer.deltas
            if any(row.relation == "direct" for row in d.evidence)
        ]
        last = forest.most_direct(self.answer, len(direct))[-1].benchmark
        chosen = forest.most_direct(self.answer, 2, asked={last})
        self.assertEqual(chosen[0].benchmark, last)
        self.assertNotEqual(forest.most_direct(self.answer, 2)[0].benchmark, last)

    def test_default_benchmarks_have_most_direct_rows(self):
        count = lambda d: sum(r.relation == "direct" for r in d.evidence)
        chosen = forest.most_direct(self.answer)
        self.assertEqual(len(chosen), forest.PANELS)
        self.assertEqual(
            [count(d) for d in chosen],
            sorted(map(count, self.answer.deltas), reverse=True)[: forest.PANELS],
        )

    def test_contradicted_benchmarks_are_drawn(self):
        """Beside those with most rows stands the benchmark whose rows contradict the model most;
        how many are not drawn is said.
        """
        for answer in (swap_of({"data": "llava-665k"}, {"data": "cambrian-7m"}), self.answer):
            shown = forest.drawn(answer)
            self.assertEqual(
                [d.benchmark for d in shown[: forest.PANELS]],
                [d.benchmark for d in forest.most_direct(answer)],
            )
            off = [
                d for d in answer.deltas if d.direct and not d.low <= d.direct.estimate <= d.high
            ]
            self.assertTrue(off)
            strongest = max(
                off, key=lambda d: abs(d.direct.estimate - d.expected) / (d.high - d.low)
            )
            self.assertIn(strongest.benchmark, [d.benchmark for d in shown])
            self.assertLessEqual(len(shown), forest.PANELS + forest.CONTRADICTED)
            self.assertIn(
                f"and {len(answer.deltas) - len(shown)} more benchmarks",
                forest.left_out(answer, shown),
            )
        self.assertEqual(forest.left_out(self.answer, self.answer.deltas), "")

    def test_no_rows(self):
        delta = next(
            d
            for d in swap_of(
                {"encoder": "internvit-6b"}, {"encoder": "dinov2-vit-l-14"}, ["mmmu"]
            ).deltas
        )
        shown = forest.panels([delta], {}, {})
        self.assertIn("no table prints this change", shown[0].note)
        parse(forest_plot.forest(shown, "t"))
        self.assertIn("no table prints", forest.terminal_lines(shown, Style())[1])

    def test_terminal(self):
        shown = forest.panels(self.answer.deltas, {}, {})
        for ascii_only in (False, True):
            for width in (60, 80, 120):
                lines = forest.terminal_lines(shown, Style(width), ascii_only)
                self.assertLessEqual(max(map(len, lines)), width)
        plain = "\n".join(forest.terminal_lines(shown, Style(), True))
        self.assertTrue(plain.isascii())
        rich = "\n".join(forest.terminal_lines(shown, Style()))
        self.assertIn("◆", rich)
        hostile = forest.terminal_lines([panel(mark(1, label=HOSTILE))], Style(), True)
        self.assertFalse(any(ord(c) < 32 for line in hostile for c in line))

    def test_terminal_positions(self):
        """Marks stand left of the zero line when they are negative, right of it when positive, in
        order.
        """
        values = (-4.0, -1.0, 2.0, 6.0)
        lines = forest.terminal_lines(
            [panel(*(forest_plot.Mark("row", "", v, v, v, 0.5) for v in values))], Style()
        )[2:6]
        columns = [next(i for i, c in enumerate(line) if c in "▪■█") for line in lines]
        zero = {line.index("┊") for line in lines}
        self.assertEqual(len(zero), 1)
        self.assertEqual(columns, sorted(columns))
        self.assertEqual([c > min(zero) for c in columns], [False, False, True, True])


class SwapPlot(unittest.TestCase):
    ARGS = ("swap", "CLIP", "SigLIP", "--benchmark", "textvqa")

    def test_in_the_terminal(self):
        code, out, err = support.call(*self.ARGS, "--plot")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("direct rows alone", out)
        # the table first, as without the plot
        self.assertTrue(out.startswith(support.call(*self.ARGS)[1].rstrip("\n")))
        self.assertLessEqual(max(map(len, out.splitlines())), 80)

    def test_plain_where_the_terminal_is_plain(self):
        text = support.printed("ascii", *self.ARGS, "--plot")
        plot = text.partition("\n\nTextVQA: ")[2]
        self.assertIn("direct rows alone", plot)
        self.assertNotIn("\\u", plot)

    def test_every_kind_has_its_own_mark(self):
        for signs in (forest.UNICODE, forest.ASCII):
            marks = [char for kind in ("full", "open", "near") for char in signs[kind]] + [
                signs["model"],
                *signs["pool"],
            ]
            self.assertEqual(len(set(marks)), len(marks))
        plain = support.call(*self.ARGS, "--plot", "--plain")[1].partition("\n\nTextVQA: ")[2]
        self.assertTrue(plain.isascii())
        legend = " ".join(plain.partition("plot: ")[2].split())
        for kind, words in (("open", "something else moves along"), ("near", "same make")):
            self.assertIn(f"{forest.ASCII[kind]} {words}", legend)

    def test_what_is_not_drawn_is_said(self):
        argv = ("swap", "LLaVA-665K", "Cambrian-7M")
        text = support.call(*argv, "--plot")[1]
        plot = text.partition("next: ")[2]
        self.assertIn("Cambrian-1 vision-centric mean: 1 printed row", plot)
        self.assertRegex(plot, r"and \d+ more benchmarks.*--benchmark NAME")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.svg")
            support.call(*argv, "--plot", path)
            with open(path, encoding="utf-8") as file:
                drawn = " ".join(texts(file.read()))
        self.assertIn("Cambrian-1 vision-centric mean", drawn)
        self.assertRegex(drawn, r"and \d+ more benchmarks.*--benchmark NAME")
        self.assertNotIn("more benchmark", support.call(*self.ARGS, "--plot")[1])

    def test_in_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.svg")
            code, out, _ = support.call(*self.ARGS, "--plot", path)
            self.assertEqual(code, 0)
            self.assertIn(path, out)
            with open(path, encoding="utf-8") as file:
                first = file.read()
            self.assertIn("Cambrian-1, Table 11", texts(first))
            value = support.call_json(*self.ARGS, "--plot", path)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), first)
            self.assertEqual(value["plot"], {"path": path, "bytes": len(first.encode())})
            self.assertIn("deltas", value)
            self.assertEqual(os.listdir(folder), ["x.svg"])

    def test_bad_use(self):
        for argv, word in (
            (("--plot", "x.png"), ".svg"),
            (("--plot", "--json"), "--json"),
            (("--plot", "/nowhere/x.svg"), "/nowhere"),
        ):
            code, out, err = support.call(*self.ARGS, *argv)
            self.assertEqual(code, 2, argv)
            self.assertIn(word, err)
            self.assertEqual(err.count("\n"), 1)
        code, _, err = support.call("swap", "--plot", "CLIP", "SigLIP")
        self.assertEqual(code, 2)


if __name__ == "__main__":
    unittest.main()
