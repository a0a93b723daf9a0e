"""The report: one self-contained page with the numbers of `pick`, and where it may be written."""

import html.parser
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from recipes.answers import report as reporting
from recipes.answers.ground import Request
from recipes.commands import plots
from recipes.commands import report as cli_report
from recipes.picker import competition
from recipes.show import report as page
from recipes.terms.tasks import parse_mix

from . import support
from .drawn import HOSTILE


class Strict(html.parser.HTMLParser):
    """Balanced tags, unique ids, and every attribute that can name a place."""

    VOID = {
        "meta",
        "br",
        "link",
        "img",
        "hr",
        "input",
        "wbr",
        "col",
        "area",
        "base",
        "embed",
        "source",
        "track",
    }
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
        self.places += [
            (key, value)
            for key, value in attrs
            if key in ("href", "src", "srcset", "action", "data", "poster", "xlink:href")
        ]
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


# of the probability of being best: fewer than the program's, for speed, the same in all commands
# compared
POINTS = 200


class Report(unittest.TestCase):
    ARGS = (
        "--tasks",
        "documents",
        "--budget",
        "500 A100-hours",
        "--memory",
        "24GB",
        "--fix",
        "llm_params_b=2B",
        "--fix",
        "resolution=384",
        "--avoid",
        "encoder=clip-vit-l-14",
        "--top",
        "4",
        "--level",
        "0.9",
    )
    SWAPS = ("--swap", "CLIP", "SigLIP", "--swap", "336", "672", "--swap", "InternViT-6B", "DINOv2")

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.folder.name, "r.html")
        fewer = mock.patch.object(competition, "POINTS", POINTS)
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
        self.assertTrue(self.text.startswith('<!DOCTYPE html>\n<html lang="en">'))
        self.assertEqual(len(set(self.page.ids)), len(self.page.ids))
        tags = [tag for tag, _ in self.page.seen]
        for once in ("title", "h1", "main", "header", "footer", "nav"):
            self.assertEqual(
                tags.count(once)
                - (sum(t == "svg" for t in tags) + tags.count("circle") if once == "title" else 0)
                <= 1,
                True,
                once,
            )
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
        rest = re.sub(
            r'href="https://arxiv\.org/abs/[^"]*"|xmlns="http://www\.w3\.org/2000/svg"',
            "",
            self.text,
        )
        self.assertNotRegex(rest, r"https?:")

    def test_links_are_the_tables_papers(self):
        known = {paper.arxiv for paper in support.papers()} | {
            table.arxiv for paper in support.papers() for table in paper.tables
        }
        for _, value in self.page.places:
            if value.startswith("https"):
                self.assertIn(value.rpartition("/")[2], known)

    def test_numbers_are_those_of_pick(self):
        value = self.pick
        have = set(self.page.data)
        first = value["recipes"][0]
        wanted = [
            first["training"]["flop"],
            first["training"]["gpu_hours"],
            first["training"]["gpu_hours_interval"]["low"],
            first["latency"]["ttft_ms"],
            first["latency"]["total_ms"],
            first["memory_gb"],
            first["visual_tokens"],
            value["ablate_first"]["p_changes_pick"],
            value["ablate_first"]["expected_gain"],
        ]
        wanted += [phase["ms"] for phase in first["latency"]["phases"]]
        wanted += [stage[key] for stage in first["schedule"] for key in ("flop", "samples")]
        for item in value["recipes"]:
            wanted += [
                item["score"]["expected"],
                item["score"]["interval"]["low"],
                item["score"]["interval"]["high"],
                item["score"]["p_best"],
                item["training"]["gpu_hours"],
            ]
        for delta in first["deltas"]:
            wanted += [
                delta["expected"],
                delta["interval"]["low"],
                delta["interval"]["high"],
                delta["p_better"],
            ]
        self.assertEqual([x for x in wanted if str(x) not in have], [])
        for name in (first["recipe"]["encoder"], first["recipe"]["llm"], first["recipe"]["data"]):
            self.assertIn(name, self.words)
        for cited in first["citations"]:
            self.assertIn(cited["why"], self.words)

    def test_front_never_costs_more_or_gains_less(self):
        section = self.text[
            self.text.index('<section id="front">') : self.text.index('<section id="ablate">')
        ]
        rows = [
            [float(x) for x in re.findall(r'<data value="([^"]*)">', row)]
            for row in re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", section)
        ]
        self.assertGreater(len(rows), 1)
        for before, after in itertools.pairwise(rows):
            self.assertLessEqual(before[3], after[3])  # hours
            self.assertLessEqual(before[0], after[0])  # gain
        self.assertEqual(
            str(self.pick["recipes"][0]["score"]["expected"]),
            re.findall(r'<data value="([^"]*)">', section.rsplit("<tr>", 1)[1])[0],
        )

    def test_swaps_have_sections_with_their_numbers(self):
        for number, (a, b) in enumerate(
            (("CLIP", "SigLIP"), ("336", "672"), ("InternViT-6B", "DINOv2")), 1
        ):
            section = self.text[self.text.index(f'<section id="swap-{number}">') :]
            section = section[: section.index("</section>")]
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
        script = (
            f"from recipes.picker import competition; competition.POINTS = {POINTS}; from"
            f" recipes import cli; raise"
            f" SystemExit(cli.main({argv!r}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=support.ROOT,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": "7"},
            timeout=120,
        )
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        with open(self.path, encoding="utf-8") as file:
            self.assertEqual(file.read(), self.text)


class ReportFiles(unittest.TestCase):
    FAST = (
        "--tasks",
        "charts",
        "--fix",
        "encoder=siglip",
        "--fix",
        "llm=qwen2-7b",
        "--fix",
        "connector=mlp-2x-gelu",
        "--fix",
        "resolution=384",
    )

    @classmethod
    def setUpClass(cls):
        """The results once; what is tested here is what becomes of them."""
        library = support.library()
        tasks = parse_mix("charts", library.words)
        pair = cli_report.swap_sides("CLIP", "SigLIP", library)
        fixed = {
            "encoder": "siglip-so400m-14",
            "llm": "qwen2-7b",
            "connector": "mlp-2x-gelu",
            "resolution": 384,
        }
        asked = Request(tasks, fix=fixed, top=2)
        swaps = [(("CLIP", "SigLIP"), *pair)]
        with mock.patch.object(competition, "POINTS", POINTS):
            cls.value = reporting.gather(library, asked, swaps, lambda what: None)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "r.html")
        known = mock.patch("recipes.answers.report.gather", return_value=self.value)
        self.gather = known.start()
        self.addCleanup(known.stop)

    def read(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def test_json_date_and_same_bytes(self):
        code, out, _ = support.call(
            "report", self.path, *self.FAST, "--date", "2026-02-28", "--json"
        )
        self.assertEqual(code, 0)
        first = self.read()
        self.assertEqual(
            json.loads(out), {"ok": True, "path": self.path, "bytes": len(first.encode())}
        )
        self.assertIn("Made 2026-02-28 by", first)
        # ours: overwritten without --force
        support.call("report", self.path, *self.FAST, "--date", "2026-02-28")
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
        for argv, word in (
            ((here + "r.htm",), ".html"),
            ((here + "no/r.html",), "folder"),
            ((self.path, "--date", "2026-02-30"), "--date"),
            ((self.path, "--date", "today"), "--date"),
            ((self.path, "--swap", "CLIP", "sigli p zzz"), "zzz"),
            ((self.path, "--swap", "CLIP"), "--swap"),
            ((self.path, "--budget", "lots"), "lots"),
            ((self.path, "--tasks", "chrts"), "chart"),
            ((self.path, "--swap", "CLIP", "clip-vit-l-14"), "same"),
            ((), "OUT.html"),
        ):
            code, out, err = support.call("report", *argv)
            self.assertEqual((code, out), (2, ""), (argv, err))
            self.assertIn(word, err)
            self.assertEqual(err.count("\n"), 1)
        # all refused before any work
        self.assertFalse(self.gather.called)
        mock.patch.stopall()
        code, out, err = support.call("report", self.path, "--memory", "0.1GB")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("no recipe meets all constraints: memory", err)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_hostile_names(self):
        """Names of arms, tables, splits and tasks reach the page escaped; a number that is none of
        arXiv's makes no link.
        """

        def hostile(section):
            deltas = tuple(
                d._replace(
                    evidence=tuple(
                        row._replace(
                            from_arm=HOSTILE,
                            split=HOSTILE,
                            arxiv='2402.07865"><script>',
                            also_moves=(HOSTILE,),
                        )
                        for row in d.evidence
                    )
                )
                for d in section.answer.result.deltas
            )
            result = section.answer.result._replace(deltas=deltas, warnings=(HOSTILE,))
            return section._replace(
                typed=(HOSTILE, "b"), answer=section.answer._replace(result=result)
            )

        tasks = self.value.tasks._replace(parts={HOSTILE: 1.0})
        value = self.value._replace(
            swaps=tuple(map(hostile, self.value.swaps)),
            parts={axis: hostile(part) for axis, part in self.value.parts.items()},
            tasks=tasks,
        )
        known = {table.id: HOSTILE for paper in support.papers() for table in paper.tables}
        text = page.build(value, HOSTILE, page.Names({"chartqa": HOSTILE}, known), HOSTILE)
        text.encode("utf-8")
        read = Strict(text)
        self.assertEqual([tag for tag, _ in read.seen].count("script"), 1)
        self.assertNotRegex(text, "[\x00\x1b\u202e\ud800]")
        self.assertTrue(
            all(
                value.startswith("#") or re.fullmatch(r"https://arxiv\.org/abs/[\d.]+", value)
                for _, value in read.places
            )
        )

    def test_no_rows_at_all(self):
        """A recipe of which no table prints any part says so."""
        self.assertIn(
            "No table prints the change",
            page.build(self.value._replace(main=None, parts={}), "c", page.Names({}, {})),
        )


class Arguments(unittest.TestCase):
    def test_ascii_is_found_out(self):
        class Out:
            encoding = "ascii"

        with mock.patch("sys.stdout", Out()):
            self.assertTrue(plots.only_ascii())
        Out.encoding = "utf-8"
        with mock.patch("sys.stdout", Out()):
            self.assertFalse(plots.only_ascii())


if __name__ == "__main__":
    unittest.main()
