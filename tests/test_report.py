"""Plots (SVG and terminal), `swap --plot`, and the HTML report: true, whole, escaped, readable, and the same every time."""
import html.parser
import itertools
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET
from unittest import mock

from recipes import answers, cli_report, reporting
from recipes.picker import rank
from recipes.picker.limits import Constraints
from recipes.picker.recipe import Recipe
from recipes.picker.tasks import parse_mix
from recipes.report import forest, page, plots, svg
from recipes.report.text import Style

from . import support

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert('x')</script> & \"quotes\" \x00\x1b[31m ]]> --> \u202eevil \ud800 " + "W" * 300


def mark(value, weight=0.5, kind="full", label="Paper, Table 1", note="a → b"):
    return plots.Mark(label, note, value, value - 1, value + 1, weight, kind)


def panel(*marks, **more):
    return plots.Panel("TextVQA", "some rows", tuple(marks), **more)


def parse(picture):
    return ET.fromstring(picture)


def texts(picture):
    return [element.text for element in parse(picture).iter(f"{SVG}text")]


def boxes(picture):
    """(left, top, right, bottom, text) of every text, measured."""
    for element in parse(picture).iter(f"{SVG}text"):
        size, role = float(element.get("font-size")), (element.get("class") or "").split()
        width = svg.measure(element.text, size, "b" in role)
        x, y = float(element.get("x")), float(element.get("y"))
        left = x - {"end": width, "middle": width / 2}.get(element.get("text-anchor"), 0)
        yield left, y - 0.76 * size, left + width, y + 0.22 * size, element.text


def swap_of(a, b, benchmarks=None):
    library = support.library()
    before, after = answers.sides(a, b, Recipe(), library.words)
    return answers.answer_swap(library, before, after, benchmarks, None, 0.8, with_costs=False).result


class Svg(unittest.TestCase):
    PICTURES = {
        "forest": lambda **k: plots.forest([panel(mark(1), mark(-2, 0.1, "open"), mark(0.5, 0.2, "near"), mark(0.3, None, "pool"), mark(0.4, None, "model"),
                                                  after="and more"),
                                            plots.Panel("MMMU", "no table prints this change on it", ())], "a → b", "about", **k),
        "tornado": lambda **k: plots.tornado([plots.Bar("data", "x against y", 0.7, 3.1), plots.Bar("llm", "u", 0.001, 0.0)], "Ablate", "about",
                                             left="probability", right="gain", **k),
        "pareto": lambda **k: plots.pareto([plots.Point(f"recipe {i}", 10 * 1.5 ** i, i + i % 3) for i in range(9)] + [plots.Point("c", 50 + i, 4, "", "cloud")
                                                                                                                       for i in range(30)], "P", "a", **k),
        "curve": lambda **k: plots.curve([plots.Step(64, -6, -9, -3), plots.Step(576, 0, -1, 1), plots.Step(2880, 4, 1, 9)], "C", "a",
                                         units=("tokens", "points"), mark=(1440, "stops"), **k),
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
                self.assertNotRegex(picture.replace("http://www.w3.org/2000/svg", ""), r"https?:|href|url\(|@import| id=")
                self.assertEqual(picture, draw(compact=compact, alone=alone))

    def test_light_and_dark(self):
        picture = self.PICTURES["forest"]()
        self.assertIn("prefers-color-scheme:dark", picture)
        for pair in svg.COLOURS.values():
            for colour in pair:
                self.assertIn(colour, picture)

    def test_contrast(self):
        def light(colour):
            channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
            return sum(w * (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4) for w, c in zip((0.2126, 0.7152, 0.0722), channels))

        def ratio(a, b):
            x, y = sorted((light(a), light(b)))
            return (y + 0.05) / (x + 0.05)
        for mode in (0, 1):
            c = {role: pair[mode] for role, pair in svg.COLOURS.items()}
            for role, ground in (("ink", "paper"), ("muted", "paper"), ("rust", "paper"), ("blue", "paper"), ("ink", "veil")):
                self.assertGreaterEqual(ratio(c[role], c[ground]), 4.5, (role, ground, mode))

    def test_text_neither_overlaps_nor_leaves_the_picture(self):
        long = plots.forest([panel(mark(1234.5, label="A label of many words that has to wrap " * 3, note="note " * 40), mark(-99999, 0.3, label="X" * 200),
                                   mark(0.001, None, "model"), unit="points of " + "a benchmark with a long name " * 4, digits=0)], "Title " * 30,
                            "About " * 60)
        wide = [draw(compact=compact) for draw in self.PICTURES.values() for compact in (False, True)]
        compact = plots.forest([panel(mark(1, label="Y" * 150), mark(2))], "T" * 120, compact=True)
        for picture in (*wide, long, compact):
            width, height = map(float, parse(picture).get("viewBox").split()[2:])
            found = list(boxes(picture))
            for left, top, right, bottom, text in found:
                self.assertTrue(left >= -0.5 and top >= -0.5 and right <= width + 0.5 and bottom <= height + 0.5, (text, left, right, width))
            for a, b in itertools.combinations(found, 2):
                self.assertFalse(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3], (a, b))

    def test_hostile_text(self):
        pictures = [plots.forest([plots.Panel(HOSTILE, HOSTILE, (mark(1, label=HOSTILE, note=HOSTILE),), unit=HOSTILE, after=HOSTILE)], HOSTILE, HOSTILE,
                                 level=HOSTILE[:20]),
                    plots.tornado([plots.Bar(HOSTILE, HOSTILE, 0.5, 1)], HOSTILE, HOSTILE, left=HOSTILE, right=HOSTILE),
                    plots.pareto([plots.Point(HOSTILE, 1, 1, HOSTILE), plots.Point(HOSTILE, 2, 2, HOSTILE, "cloud")], HOSTILE, HOSTILE,
                                 units=(HOSTILE, HOSTILE)),
                    plots.curve([plots.Step(1, 1, 0, 2)], HOSTILE, HOSTILE, units=(HOSTILE, HOSTILE), mark=(1, HOSTILE))]
        for picture in pictures:
            root = parse(picture)                                    # the parser refuses control characters and bad nesting
            self.assertFalse(list(root.iter(f"{SVG}script")))
            self.assertNotIn("<script", picture)
            self.assertNotIn("\u202e", picture)
            picture.encode("utf-8")
            self.assertIn("alert('x')", "".join(root.itertext()))

    def test_numbers_that_are_not_finite_are_refused(self):
        for bad in (math.nan, math.inf, -math.inf, None, "1", True):
            for draw in (lambda x: plots.forest([panel(mark(1)._replace(estimate=x))], "t"), lambda x: plots.forest([panel(mark(1)._replace(high=x))], "t"),
                         lambda x: plots.forest([panel(mark(1, weight=x) if x is not None else mark(1)._replace(low=x))], "t"),
                         lambda x: plots.tornado([plots.Bar("a", "b", x, 1)], "t"), lambda x: plots.pareto([plots.Point("a", 1, x)], "t"),
                         lambda x: plots.curve([plots.Step(1, 1, x, 2)], "t"), lambda x: plots.curve([plots.Step(1, 1, 0, 2)], "t", mark=(x, ""))):
                with self.assertRaises(ValueError):
                    draw(bad)
        for points in ([plots.Point("a", 0, 1)], [plots.Point("a", -3, 1), plots.Point("b", 3, 1)]):
            with self.assertRaises(ValueError):
                plots.pareto(points, "t")
        with self.assertRaises(ValueError):
            plots.tornado([plots.Bar("a", "b", 1.2, 1)], "t")

    def test_nothing_to_show(self):
        self.assertIn("no table prints it", texts(plots.forest([plots.Panel("MMMU", "no table prints it", ())], "t")))
        for picture in (plots.forest([], "t"), plots.tornado([], "t"), plots.pareto([], "t"), plots.curve([], "t")):
            parse(picture)
        parse(plots.forest([panel(plots.Mark("a", "", 0.0, 0.0, 0.0, 1.0))], "t"))    # all at zero
        parse(plots.pareto([plots.Point("one", 5, 5)], "t"))

    def test_squares_grow_with_weight(self):
        weights = (0.4, 0.1, 0.3, 0.05, 0.15)
        picture = plots.forest([panel(*(mark(i, w) for i, w in enumerate(weights)))], "t", alone=False, key=())
        sides = [float(r.get("width")) for r in parse(picture).iter(f"{SVG}rect") if r.get("class") == "full"]
        self.assertEqual(len(sides), len(weights))
        self.assertEqual(sorted(range(5), key=weights.__getitem__), sorted(range(5), key=sides.__getitem__))
        self.assertAlmostEqual((sides[0] / sides[1]) ** 2, 4, delta=0.4)          # the area, not the side

    def test_zero_line_and_positions(self):
        """The zero line lies where the axis says 0, and squares lie at their estimates."""
        root = parse(plots.forest([panel(mark(-3), mark(5))], "t", alone=False, key=()))
        zero = float(next(e for e in root.iter(f"{SVG}line") if e.get("class") == "zero").get("x1"))
        ticks = {e.text: float(e.get("x")) for e in root.iter(f"{SVG}text") if e.get("text-anchor") == "middle" and re.fullmatch(r"[−\d.]+", e.text)}
        self.assertAlmostEqual(ticks["0"], zero, delta=0.11)
        per_point = (ticks["4"] - ticks["−2"]) / 6
        centres = [float(r.get("x")) + float(r.get("width")) / 2 for r in root.iter(f"{SVG}rect") if r.get("class") == "full"]
        for value, centre in zip((-3, 5), centres):
            self.assertAlmostEqual(centre, zero + value * per_point, delta=0.4)

    def test_ticks(self):
        for low, high in ((-5.5, 7.7), (0.001, 0.0042), (-2000, 12), (0, 1), (-0.3, 1e6)):
            for most in (2, 4, 7):
                values = svg.ticks(low, high, most)
                self.assertTrue(all(low - 1e-9 <= v <= high + 1e-9 for v in values) and len(values) <= most, (low, high, most, values))
                self.assertEqual(svg.ticks(-high, -low, most), [-v for v in reversed(values)])

    def test_front_is_the_front(self):
        self.assertEqual(plots.staircase([(4, 1), (1, 1), (2, 3), (3, 2), (5, 4)]), [(1, 1), (2, 1), (2, 3), (5, 3), (5, 4)])


class Forest(unittest.TestCase):
    A, B = {"encoder": "clip-vit-l-14"}, {"encoder": "siglip-so400m-14"}

    @classmethod
    def setUpClass(cls):
        cls.answer = swap_of(cls.A, cls.B)

    def test_rows_as_printed_with_weights(self):
        delta = next(d for d in self.answer.deltas if d.benchmark == "textvqa")
        shown = forest.panels([delta], {}, {}, rows=None)[0]
        rows = [row for row in delta.evidence if row.relation != "neighbour"]
        self.assertEqual([(m.estimate, m.weight) for m in shown.marks if m.kind in plots.SQUARES], [(row.delta, row.weight) for row in rows])
        self.assertAlmostEqual(sum(m.weight for m in shown.marks if m.weight), 1)
        model = shown.marks[-1]
        self.assertEqual((model.kind, model.estimate, model.low, model.high), ("model", delta.expected, delta.low, delta.high))
        pool = shown.marks[-2]
        self.assertEqual((pool.kind, pool.estimate), ("pool", delta.direct.estimate))
        for m in shown.marks:
            self.assertAlmostEqual(m.high - m.estimate, m.estimate - m.low)
            self.assertGreater(m.high, m.low)

    def test_every_label_is_in_the_picture(self):
        delta = next(d for d in self.answer.deltas if d.benchmark == "gqa")
        shown = forest.panels([delta], {}, {}, rows=None)
        for compact in (False, True):
            whole = " ".join(texts(plots.forest(shown, "t", compact=compact)))
            for m in shown[0].marks:
                self.assertIn("".join(m.label.split()), "".join(whole.split()))

    def test_reversed_swap_mirrors(self):
        back = swap_of(self.B, self.A)
        for d in self.answer.deltas[:6]:
            e = next(e for e in back.deltas if e.benchmark == d.benchmark)
            one, other = (forest.panels([x], {}, {}, rows=None)[0] for x in (d, e))
            key = lambda m: (m.label, round(m.estimate, 6))  # noqa: E731
            mirrored = sorted((m._replace(estimate=-m.estimate, low=-m.high, high=-m.low) for m in other.marks), key=key)
            for a, b in zip(sorted(one.marks, key=key), mirrored, strict=True):
                self.assertEqual((a.label, a.kind), (b.label, b.kind))
                for x, y in zip(a[2:6], b[2:6]):
                    self.assertAlmostEqual(x or 0, y or 0, places=5)
        low, high = plots.domain(one.marks)
        for x, y in zip(plots.domain(other.marks), (-high, -low)):
            self.assertAlmostEqual(x, y, places=6)

    def test_a_table_with_another_scale(self):
        """Cambrian-1 prints OCRBench of 100, the benchmark has 1000 points: rows and pool are brought to the benchmark's points."""
        delta = swap_of(self.A, self.B, ["ocrbench"]).deltas[0]
        row = next(r for r in delta.evidence if r.table == "cambrian1.table11" and r.relation == "direct")
        self.assertAlmostEqual(row.delta, row.printed * 10)
        shown = forest.panels([delta], {}, {}, rows=None)[0]
        self.assertTrue(any(m.estimate == row.delta and "printed as" in m.note for m in shown.marks))
        pool = next(m for m in shown.marks if m.kind == "pool")
        direct = [m.estimate for m in shown.marks if m.kind in ("full", "open")]
        self.assertTrue(min(direct) < pool.estimate < max(direct))
        self.assertGreater(delta.direct.se, 20)                      # points of 1000, not of 100

    def test_default_benchmarks_have_most_direct_rows(self):
        count = lambda d: sum(r.relation == "direct" for r in d.evidence)  # noqa: E731
        chosen = forest.most_direct(self.answer)
        self.assertEqual(len(chosen), forest.PANELS)
        self.assertEqual([count(d) for d in chosen], sorted(map(count, self.answer.deltas), reverse=True)[:forest.PANELS])

    def test_no_rows(self):
        delta = next(d for d in swap_of({"encoder": "internvit-6b"}, {"encoder": "dinov2-vit-l-14"}, ["mmmu"]).deltas)
        shown = forest.panels([delta], {}, {})
        self.assertIn("no table prints this change", shown[0].note)
        parse(plots.forest(shown, "t"))
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
        """Marks stand left of the zero line when they are negative, right of it when positive, in order."""
        values = (-4.0, -1.0, 2.0, 6.0)
        lines = forest.terminal_lines([panel(*(plots.Mark("row", "", v, v, v, 0.5) for v in values))], Style())[2:6]
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
        self.assertTrue(out.startswith(support.call(*self.ARGS)[1].rstrip("\n")))   # the table first, as without the plot
        self.assertLessEqual(max(map(len, out.splitlines())), 80)

    def test_plain_where_the_terminal_is_plain(self):
        done = support.process(*self.ARGS, "--plot", env={"PYTHONIOENCODING": "ascii"})
        self.assertEqual(done.returncode, 0)
        plot = done.stdout.decode("ascii").partition("\n\nTextVQA: ")[2]
        self.assertIn("direct rows alone", plot)
        self.assertNotIn("\\u", plot)

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
        for argv, word in ((("--plot", "x.png"), ".svg"), (("--plot", "--json"), "--json"), (("--plot", "/nowhere/x.svg"), "/nowhere")):
            code, out, err = support.call(*self.ARGS, *argv)
            self.assertEqual(code, 2, argv)
            self.assertIn(word, err)
            self.assertEqual(err.count("\n"), 1)
        code, _, err = support.call("swap", "--plot", "CLIP", "SigLIP")
        self.assertEqual(code, 2)


class Strict(html.parser.HTMLParser):
    """Balanced tags, unique ids, and every attribute that can name a place."""
    VOID = {"meta", "br", "link", "img", "hr", "input", "wbr", "col", "area", "base", "embed", "source", "track"}
    BARE = {"line", "rect", "polyline", "polygon", "circle"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.ids, self.places, self.data, self.seen = [], [], [], [], []
        self.texts = []
        self.feed(text)
        self.close()
        assert not self.stack, self.stack

    def handle_starttag(self, tag, attrs):
        names = [key for key, _ in attrs]
        assert len(set(names)) == len(names), (tag, attrs)
        values = dict(attrs)
        self.seen.append((tag, values))
        self.ids += [values["id"]] if "id" in values else []
        self.places += [(key, value) for key, value in attrs if key in ("href", "src", "srcset", "action", "data", "poster", "xlink:href")]
        assert not any(key.startswith("on") for key in names), attrs
        if tag == "data":
            self.data.append(values["value"])
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in self.BARE, tag
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1] == tag, (tag, self.stack[-3:])
        self.stack.pop()

    def handle_data(self, data):
        if self.stack and self.stack[-1] not in ("style", "script"):
            self.texts.append(data)


DRAWS = 200    # of the probability of being best: fewer than the program's, for speed, the same in all commands compared


class Report(unittest.TestCase):
    ARGS = ("--tasks", "documents", "--budget", "500 A100-hours", "--memory", "24GB", "--fix", "llm_params_b=2B", "--fix", "resolution=384", "--avoid",
            "encoder=clip-vit-l-14",
            "--top", "4", "--level", "0.9")
    SWAPS = ("--swap", "CLIP", "SigLIP", "--swap", "336", "672", "--swap", "InternViT-6B", "DINOv2")

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.folder.name, "r.html")
        fewer = mock.patch.object(rank, "DRAWS", DRAWS)
        fewer.start()
        cls.addClassCleanup(fewer.stop)
        cls.code, cls.out, cls.err = support.call("report", cls.path, *cls.ARGS, *cls.SWAPS)
        with open(cls.path, encoding="utf-8") as file:
            cls.text = file.read()
        cls.page = Strict(cls.text)
        cls.words = " ".join("".join(cls.page.texts).split())
        cls.pick = support.call_json("pick", *cls.ARGS)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_written_once_and_said(self):
        self.assertEqual((self.code, self.err), (0, ""))
        self.assertIn(self.path, self.out)
        self.assertEqual(os.listdir(self.folder.name), ["r.html"])

    def test_document(self):
        self.assertTrue(self.text.startswith("<!DOCTYPE html>\n<html lang=\"en\">"))
        self.assertEqual(len(set(self.page.ids)), len(self.page.ids))
        tags = [tag for tag, _ in self.page.seen]
        for once in ("title", "h1", "main", "header", "footer", "nav"):
            self.assertEqual(tags.count(once) - (sum(t == "svg" for t in tags) + tags.count("circle") if once == "title" else 0) <= 1, True, once)
        metas = [values for tag, values in self.page.seen if tag == "meta"]
        self.assertTrue(any(m.get("name") == "viewport" for m in metas))
        self.assertTrue(any(m.get("charset") == "utf-8" for m in metas))
        self.assertEqual(tags.count("table"), tags.count("caption"))
        self.assertEqual(tags.count("script"), 1)
        for form in ("prefers-color-scheme:dark", "@media print", "max-width:44rem"):
            self.assertIn(form, self.text)

    def test_self_contained(self):
        for key, value in self.page.places:
            self.assertEqual(key, "href")
            self.assertRegex(value, r"^(#[a-z0-9-]+|https://arxiv\.org/abs/[\w.\-/]+)$")
            if value.startswith("#"):
                self.assertIn(value[1:], self.page.ids)
        self.assertTrue(any(value.startswith("https") for _, value in self.page.places))
        self.assertNotRegex(self.text, r"url\(|@import|<link|<img|<iframe|fetch\(|XMLHttp|import\(")
        rest = re.sub(r'href="https://arxiv\.org/abs/[^"]*"|xmlns="http://www\.w3\.org/2000/svg"', "", self.text)
        self.assertNotRegex(rest, r"https?:")

    def test_links_are_the_tables_papers(self):
        known = {paper.arxiv for paper in support.papers()} | {table.arxiv for paper in support.papers() for table in paper.tables}
        for _, value in self.page.places:
            if value.startswith("https"):
                self.assertIn(value.rpartition("/")[2], known)

    def test_numbers_are_those_of_pick(self):
        value = self.pick
        have = set(self.page.data)
        first = value["recipes"][0]
        wanted = [first["training"]["flop"], first["training"]["gpu_hours"], first["training"]["gpu_hours_interval"]["low"], first["latency"]["ttft_ms"],
                  first["latency"]["total_ms"],
                  first["memory_gb"], first["visual_tokens"], value["ablate_first"]["p_changes_pick"], value["ablate_first"]["expected_gain"]]
        wanted += [phase["ms"] for phase in first["latency"]["phases"]]
        wanted += [stage[key] for stage in first["schedule"] for key in ("flop", "samples")]
        for item in value["recipes"]:
            wanted += [item["score"]["expected"], item["score"]["interval"]["low"], item["score"]["interval"]["high"], item["score"]["p_best"],
                       item["training"]["gpu_hours"]]
        for delta in first["deltas"]:
            wanted += [delta["expected"], delta["interval"]["low"], delta["interval"]["high"], delta["p_better"]]
        self.assertEqual([x for x in wanted if str(x) not in have], [])
        for name in (first["recipe"]["encoder"], first["recipe"]["llm"], first["recipe"]["data"]):
            self.assertIn(name, self.words)
        for cited in first["citations"]:
            self.assertIn(cited["why"], self.words)

    def test_front_never_costs_more_or_gains_less(self):
        section = self.text[self.text.index('<section id="front">'):self.text.index('<section id="ablate">')]
        rows = [[float(x) for x in re.findall(r'<data value="([^"]*)">', row)] for row in re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", section)]
        self.assertGreater(len(rows), 1)
        for before, after in itertools.pairwise(rows):
            self.assertLessEqual(before[3], after[3])     # hours
            self.assertLessEqual(before[0], after[0])     # gain
        self.assertEqual(str(self.pick["recipes"][0]["score"]["expected"]), re.findall(r'<data value="([^"]*)">', section.rsplit("<tr>", 1)[1])[0])

    def test_swaps_have_sections_with_their_numbers(self):
        for number, (a, b) in enumerate((("CLIP", "SigLIP"), ("336", "672"), ("InternViT-6B", "DINOv2")), 1):
            section = self.text[self.text.index(f'<section id="swap-{number}">'):]
            section = section[:section.index("</section>")]
            value = support.call_json("swap", a, b, "--tasks", "documents", "--level", "0.9")
            self.assertIn(f'value="{value["mix"]["expected"]}"', section)
            for delta in value["deltas"][:3]:
                self.assertIn(f'value="{delta["expected"]}"', section)
        self.assertIn("No table has rows for this change", section)

    def test_the_command_makes_the_same_bytes(self):
        command = re.search(r"<pre><code>(.*?)</code></pre>", self.text)[1]
        import html
        import shlex
        argv = shlex.split(html.unescape(command))[2:]
        self.assertEqual(argv, ["report", self.path, *self.ARGS, *self.SWAPS])
        self.assertNotRegex(self.words, r"\b20\d\d-\d\d-\d\dT|\d\d:\d\d:\d\d")
        script = f"from recipes.picker import rank; rank.DRAWS = {DRAWS}; from recipes import cli; raise SystemExit(cli.main({argv!r}))"
        done = subprocess.run([sys.executable, "-c", script], cwd=support.ROOT, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "7"}, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        with open(self.path, encoding="utf-8") as file:
            self.assertEqual(file.read(), self.text)


class ReportFiles(unittest.TestCase):
    FAST = ("--tasks", "charts", "--fix", "encoder=siglip", "--fix", "llm=qwen2-7b", "--fix", "connector=mlp-2x-gelu", "--fix", "resolution=384")

    @classmethod
    def setUpClass(cls):
        """The results once; what is tested here is what becomes of them."""
        library = support.library()
        tasks = parse_mix("charts", library.words)
        pair = cli_report.swap_sides("CLIP", "SigLIP", library)
        with mock.patch.object(rank, "DRAWS", DRAWS):
            cls.value = reporting.gather(library, tasks, Constraints(), {"encoder": "siglip-so400m-14", "llm": "qwen2-7b", "connector": "mlp-2x-gelu",
                                                                              "resolution": 384}, {}, 2, 0.8,
                                         [(("CLIP", "SigLIP"), *pair)], lambda what: None)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "r.html")
        known = mock.patch("recipes.reporting.gather", return_value=self.value)
        self.gather = known.start()
        self.addCleanup(known.stop)

    def read(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def test_json_date_and_same_bytes(self):
        code, out, _ = support.call("report", self.path, *self.FAST, "--date", "2026-02-28", "--json")
        self.assertEqual(code, 0)
        first = self.read()
        self.assertEqual(json.loads(out), {"ok": True, "path": self.path, "bytes": len(first.encode())})
        self.assertIn("Made 2026-02-28 by", first)
        support.call("report", self.path, *self.FAST, "--date", "2026-02-28")   # ours: overwritten without --force
        self.assertEqual(self.read(), first)
        support.call("report", self.path, *self.FAST)
        self.assertNotIn("2026-02-28", self.read())

    def test_foreign_files_are_kept(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("<html>mine")
        code, _, err = support.call("report", self.path, *self.FAST)
        self.assertEqual((code, self.read()), (2, "<html>mine"))
        self.assertIn("--force", err)
        self.assertEqual(support.call("report", self.path, *self.FAST, "--force")[0], 0)
        self.assertTrue(self.read().startswith("<!DOCTYPE html>"))
        os.unlink(self.path)
        os.mkdir(self.path)
        code, _, err = support.call("report", self.path, *self.FAST)
        self.assertEqual((code, err.count("\n")), (2, 1))

    def test_bad_use(self):
        here = os.path.join(self.folder.name, "")
        for argv, word in (((here + "r.htm",), ".html"), ((here + "no/r.html",), "folder"), ((self.path, "--date", "2026-02-30"), "--date"),
                           ((self.path, "--date", "today"), "--date"),
                           ((self.path, "--swap", "CLIP", "sigli p zzz"), "zzz"), ((self.path, "--swap", "CLIP"), "--swap"),
                           ((self.path, "--budget", "lots"), "lots"),
                           ((self.path, "--tasks", "chrts"), "chart"), ((self.path, "--swap", "CLIP", "clip-vit-l-14"), "same"), ((), "OUT.html")):
            code, out, err = support.call("report", *argv)
            self.assertEqual((code, out), (2, ""), (argv, err))
            self.assertIn(word, err)
            self.assertEqual(err.count("\n"), 1)
        self.assertFalse(self.gather.called)                                     # all refused before any work
        mock.patch.stopall()
        code, out, err = support.call("report", self.path, "--memory", "0.1GB")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("no recipe meets all constraints: memory", err)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_hostile_names(self):
        """Names of arms, tables, splits and tasks reach the page escaped; a number that is none of arXiv's makes no link."""
        def hostile(section):
            deltas = tuple(d._replace(evidence=tuple(row._replace(from_arm=HOSTILE, split=HOSTILE, arxiv="2402.07865\"><script>", also_moves=(HOSTILE,))
                                                     for row in d.evidence))
                           for d in section.answer.result.deltas)
            result = section.answer.result._replace(deltas=deltas, warnings=(HOSTILE,))
            return section._replace(typed=(HOSTILE, "b"), answer=section.answer._replace(result=result))
        tasks = self.value.tasks._replace(parts={HOSTILE: 1.0})
        value = self.value._replace(swaps=tuple(map(hostile, self.value.swaps)), parts={axis: hostile(part) for axis, part in self.value.parts.items()},
                                    tasks=tasks)
        known = {table.id: HOSTILE for paper in support.papers() for table in paper.tables}
        text = page.build(value, HOSTILE, page.Names({"chartqa": HOSTILE}, known), HOSTILE)
        text.encode("utf-8")
        read = Strict(text)
        self.assertEqual([tag for tag, _ in read.seen].count("script"), 1)
        self.assertNotRegex(text, "[\x00\x1b\u202e\ud800]")
        self.assertTrue(all(value.startswith("#") or re.fullmatch(r"https://arxiv\.org/abs/[\d.]+", value) for _, value in read.places))

    def test_no_rows_at_all(self):
        """A recipe of which no table prints any part says so."""
        self.assertIn("No table prints the change", page.build(self.value._replace(main=None, parts={}), "c", page.Names({}, {})))


class Arguments(unittest.TestCase):
    def test_ascii_is_found_out(self):
        class Out:
            encoding = "ascii"
        with mock.patch("sys.stdout", Out()):
            self.assertTrue(cli_report.only_ascii())
        Out.encoding = "utf-8"
        with mock.patch("sys.stdout", Out()):
            self.assertFalse(cli_report.only_ascii())


if __name__ == "__main__":
    unittest.main()
