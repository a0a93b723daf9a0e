"""`check`: the shipped tables are clean, and each rule finds the fault it is for at the cell where
it stands.
"""

import json
import pathlib
import shutil
import tempfile
import unittest

from recipes.base.reading import line_of
from recipes.evidence import consistency
from recipes.library import Library
from recipes.show import check as checks

from . import support


class Clean(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.report = checks.run(support.library(), [])

    def test_shipped_tables(self):
        report = self.report
        self.assertEqual([p for p in report.problems], [])
        self.assertTrue(report.ok)
        self.assertEqual(report.tables, sum(len(p.tables) for p in support.papers()))
        self.assertGreater(report.cells, 13_000)

    def test_accepted_exceptions_say_why_and_are_counted(self):
        self.assertTrue(self.report.accepted)
        for problem in self.report.accepted:
            self.assertIn("(accepted: ", problem.message)

    def test_every_rule_explains_itself(self):
        for rule in checks.rules():
            self.assertGreater(len(checks.explain(rule)), 20, rule)
        self.assertIsNone(checks.explain("nope"))


class Faults(unittest.TestCase):
    """One fault in a copy of one paper; what is found is compared with where it was put."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def problems(self, key: str, change) -> list[consistency.Problem]:
        data = support.raw_paper(key)
        change(data)
        path = self.folder / f"{key}.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        return list(consistency.check([str(self.folder)], support.library().words).problems)

    def table(self, data: dict, name: str) -> tuple[int, dict]:
        return next((i, t) for i, t in enumerate(data["tables"]) if t["id"] == name)

    def one(self, key: str, table: str, change, rule: str, pointer: str, *words: str) -> None:
        at = []

        def corrupt(data):
            index, found = self.table(data, table)
            at.append(index)
            change(found)

        problems = self.problems(key, corrupt)
        expected = f"/tables/{at[0]}{pointer}"
        hits = [p for p in problems if p.rule == rule and p.pointer == expected]
        self.assertEqual(len(hits), 1, problems)
        for word in words:
            self.assertIn(word, hits[0].message)
        self.assertEqual(hits[0].file, str(self.folder / f"{key}.json"))

    def test_mean(self):
        self.one(
            "cambrian1",
            "cambrian1.table11",
            lambda t: t["rows"][0]["scores"].update(docvqa=23.11),
            "mean",
            "/rows/0/scores/avg16",
            "50.49",
        )

    def test_mean_allows_rounding_only(self):
        self.assertEqual(
            [p for p in self.problems("cambrian1", lambda d: None) if p.rule == "mean"], []
        )

    def test_range(self):
        self.one(
            "cambrian1",
            "cambrian1.table11",
            lambda t: t["rows"][2]["scores"].update(mmmu=358.9),
            "range",
            "/rows/2/scores/mmmu",
            "358.9",
        )
        self.one(
            "cambrian1",
            "cambrian1.table11",
            lambda t: t["rows"][2]["scores"].update(mmmu=-1),
            "range",
            "/rows/2/scores/mmmu",
            "-1",
        )

    def test_names(self):
        self.one(
            "idefics2",
            "idefics2.table2",
            lambda t: t["rows"][2]["set"].update(encoder="siglp-so400m-14"),
            "name",
            "/rows/2/set/encoder",
            "siglip-so400m-14",
        )
        self.one(
            "idefics2",
            "idefics2.table2",
            lambda t: t["rows"][2]["set"].update(encoder="SO400M"),
            "name",
            "/rows/2/set/encoder",
            "should be written 'siglip-so400m-14'",
        )
        self.one(
            "idefics2",
            "idefics2.table1",
            lambda t: t["rows"][0]["set"].update(llm=7),
            "schema",
            "/rows/0/set/llm",
            "not a text",
        )
        self.one(
            "idefics2",
            "idefics2.table1",
            lambda t: t["rows"][0]["set"].update(llm_param_b=7),
            "name",
            "/rows/0/set",
            "llm_params_b",
        )
        self.one(
            "idefics2",
            "idefics2.table1",
            lambda t: t["metrics"]["avg4"].update(benchmark="idefics2-avg5"),
            "name",
            "/metrics/avg4/benchmark",
            "nearest",
        )
        self.one(
            "idefics2",
            "idefics2.table1",
            lambda t: t["metrics"]["avg4"].update(role="averages"),
            "name",
            "/metrics/avg4/role",
            "average",
        )
        self.one(
            "idefics2",
            "idefics2.table1",
            lambda t: t.update(varies=["lm"]),
            "name",
            "/varies",
            "llm",
        )
        fused = lambda t: t["rows"][2]["set"].update(encoder="siglip-so400m-14+dinov2-vit-l-14")
        self.one(
            "idefics2",
            "idefics2.table2",
            fused,
            "name",
            "/rows/2/set/encoder",
            "dinov2-vit-l-14+siglip-so400m-14",
        )
        self.one(
            "idefics2",
            "idefics2.table2",
            lambda t: t["rows"][2]["set"].update(resolution="big"),
            "name",
            "/rows/2/set/resolution",
            "big",
        )

    def test_arxiv(self):
        self.one(
            "idefics2",
            "idefics2.table1",
            lambda t: t.update(arxiv="240502246"),
            "arxiv",
            "/arxiv",
            "2403.09611",
        )
        found = self.problems("idefics2", lambda d: d["paper"].update(arxiv="arXiv:2405.02246"))
        self.assertIn(("arxiv", "/paper/arxiv"), [(p.rule, p.pointer) for p in found])

    def test_duplicate_rows_and_ids(self):
        self.one(
            "idefics2",
            "idefics2.table1",
            lambda t: t["rows"].append(t["rows"][0]),
            "duplicate",
            "/rows/2",
            "/rows/0",
        )
        found = self.problems("idefics2", lambda d: d["tables"].append(d["tables"][0]))
        self.assertIn("unique", [p.rule for p in found])

    def test_the_same_id_in_two_files(self):
        shutil.copy(support.TABLES / "m3.json", self.folder / "m3-again.json")
        found = self.problems("m3", lambda d: None)
        self.assertEqual({p.rule for p in found}, {"unique"})
        self.assertIn("m3-again.json", found[0].message)

    def test_unused_metric_is_a_warning(self):
        at = self.problems(
            "idefics2",
            lambda d: [row["scores"].update(avg4=None) for row in d["tables"][0]["rows"]],
        )
        self.assertEqual([(p.rule, p.severity) for p in at], [("unused", "warning")])

    def test_broken_files(self):
        for content, rule in (
            (b"{", "json"),
            (b"[]", "schema"),
            (b'{"format": 2, "x": NaN}', "json"),
            (b"\xff", "encoding"),
            (b"\xef\xbb\xbf{}", "encoding"),
        ):
            (self.folder / "bad.json").write_bytes(content)
            report = consistency.check([str(self.folder)], support.library().words)
            self.assertEqual([p.rule for p in report.problems], [rule], content)
            self.assertFalse(report.ok)

    def test_a_score_without_metric(self):
        found = self.problems(
            "idefics2", lambda d: d["tables"][0]["rows"][1]["scores"].update(avg5=3.0)
        )
        self.assertEqual(
            [(p.rule, p.pointer) for p in found], [("metric", "/tables/0/rows/1/scores/avg5")]
        )

    def test_an_accepted_exception(self):
        def corrupt(data):
            _, table = self.table(data, "cambrian1.table11")
            table["rows"][0]["scores"]["docvqa"] = 23.11
            table["accepted"].append(
                {"rule": "mean", "at": "/rows/0/scores/avg16", "why": "a test"}
            )

        self.assertEqual(
            [p for p in self.problems("cambrian1", corrupt) if p.rule in ("mean", "accepted")], []
        )

        def badly(data):
            self.table(data, "cambrian1.table11")[1]["accepted"] = [
                {"rule": "mean", "at": "/rows/0/scores/avg16"}
            ]

        self.assertIn(
            ("accepted", "error"), [(p.rule, p.severity) for p in self.problems("cambrian1", badly)]
        )

    def test_github_annotations_name_the_line_of_the_cell(self):
        path = self.folder / "cambrian1.json"
        text = (
            (support.TABLES / "cambrian1.json")
            .read_text(encoding="utf-8")
            .replace('"mmmu": 36.09', '"mmmu": 360.9')
        )
        path.write_text(text, encoding="utf-8")
        code, out, _ = support.call("check", str(path), "--format", "github")
        self.assertEqual(code, 1)
        line = next(line for line in out.splitlines() if "title=range" in line)
        number = int(line.partition("line=")[2].partition(",")[0])
        self.assertIn('"mmmu": 360.9', text.splitlines()[number - 1])
        self.assertTrue(line.startswith("::error file="))

    def test_a_stale_fit_is_found(self):
        copy = self.folder / "tables"
        shutil.copytree(support.TABLES, copy)
        path = copy / "m3.json"
        path.write_text(
            path.read_text(encoding="utf-8").replace("68.56", "68.65", 1), encoding="utf-8"
        )
        report = checks.run(Library(shipped=str(copy)), [])
        self.assertIn("derived", [p.rule for p in report.problems])


class Pointers(unittest.TestCase):
    def test_lines_of_the_shipped_files(self):
        """A cell's pointer leads to the line of its row."""
        text = (support.TABLES / "m3.json").read_text(encoding="utf-8")
        data = json.loads(text)
        for t, table in enumerate(data["tables"]):
            for r, row in enumerate(table["rows"]):
                line = text.splitlines()[line_of(text, f"/tables/{t}/rows/{r}") - 1]
                self.assertIn(json.dumps(row["arm"], ensure_ascii=False), line)


if __name__ == "__main__":
    unittest.main()
