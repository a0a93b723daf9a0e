"""The published claims as people get them: what the tables say of each, and the command."""

import hashlib
import json
import pathlib
import shutil
import tempfile
import unittest

from recipes.claims import verdicts as claims
from recipes.claims.assertions import read_claims, shipped_path
from recipes.claims.names import problems
from recipes.claims.pairs import Evidence
from recipes.cost import tokens
from recipes.library import Library
from recipes.show import check as checks
from tests.support import slow

from . import support
from .claims_made_up import HOLDS, claim, contrast, made_up


@slow
class Shipped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        library = support.library()
        cls.file = read_claims(shipped_path(library.shipped))
        cls.models = {model["key"]: model for model in library.words.registry("models")["models"]}
        cls.evidence = Evidence(support.papers(), library.words, cls.models)
        cls.audits = {one.claim.id: one for one in claims.audit(cls.file, cls.evidence)}

    def test_every_statement_word_for_word(self):
        ids = (
            [f"L{n:02}" for n in range(1, 23)]
            + [f"R{n:02}" for n in range(1, 12)]
            + [f"D{n:02}" for n in range(1, 5)]
        )
        self.assertEqual([one.id for one in self.file.claims], ids)
        # the texts of CLAIMS.md
        said = "\n".join(f"{one.id} {one.text}" for one in self.file.claims)
        self.assertEqual(hashlib.sha256(said.encode()).hexdigest(), DIGEST)

    def test_every_selector_names_something(self):
        found = problems(
            self.file,
            support.papers(),
            support.library().words,
            self.models,
            (*tokens.MODELS, *tokens.ALIASES),
        )
        self.assertEqual(list(found), [])

    def test_no_verdict_is_stored(self):
        text = pathlib.Path(shipped_path(support.library().shipped)).read_text(encoding="utf-8")
        for verdict in claims.VERDICTS:
            self.assertNotIn(f'"{verdict}"', text)

    def test_every_counted_result_shows_rows_or_says_what_was_searched(self):
        for audit in self.audits.values():
            for one in audit.judged:
                self.assertTrue(
                    one.lines
                    or one.result in ("absent", "unknown")
                    or one.assertion.kind == "count",
                    (audit.claim.id, one.assertion.asserts),
                )
                self.assertTrue(one.found)

    def test_famous_ones_fail_with_their_rows(self):
        self.assertEqual(self.audits["L01"].verdict, "not in the cited source")
        molmo = self.audits["L12"]
        self.assertEqual(molmo.verdict, "contradicted")
        self.assertEqual(
            [
                (line.metric, line.before, line.after)
                for line in molmo.judged[0].lines
                if not line.holds
            ],
            [("mmmu", 60.3, 54.1)],
        )

    def part(self, claim_id: str, words: str):
        """The one assertion of a shipped claim whose words hold `words`."""
        found = [one for one in self.audits[claim_id].judged if words in one.assertion.asserts]
        self.assertEqual(len(found), 1, (claim_id, words))
        return found[0]

    def test_what_the_tables_show_when_opened(self):
        for claim_id, words, expected, count in (
            ("L21", "Qwen2.5 7B over", "holds", 216),
            ("L21", "any of the three", "holds", None),
            ("L21", "Gemma 2 2B", "unknown", 0),
            ("L10", "the connector causes", "holds", None),
            ("L11", "of as many images", "holds", 1),
            ("L14", "fewer training hours", "unknown", 0),
            ("L14", "at the high resolution throughout", "unknown", 3),
            ("L17", "at 518 px", "fails", None),
            ("L20", "LLM of 3 to 5B", "fails", 0),
            ("R02", "as Honeybee quotes", "holds", 1),
            ("R03", "as Honeybee quotes", "holds", 1),
            ("R08", "equals", "unknown", 2),
            ("R08", "a quarter", "holds", 2),
            ("D02", "on the mean of 11", "fails", 2),
            ("D02", "without the two counting", "holds", 2),
        ):
            one = self.part(claim_id, words)
            self.assertEqual(one.result, expected, (claim_id, words, one.found))
            self.assertIn(
                len(one.lines),
                (count, len(one.lines)) if count is None else (count,),
                (claim_id, words),
            )
        self.assertIn("12 of 12 means", self.part("L21", "Qwen2.5 7B over").found)
        self.assertEqual(self.part("L19", "Qwen-VL-Chat").lines[0].after, 35.9)
        self.assertEqual(
            {line.after for line in self.part("L11", "of as many images").lines}, {76.3}
        )

    def test_one_criterion_in_one_claim(self):
        """R11: two thirds of the benchmarks, of both halves; D03: of the papers, in all four
        readings; L21: the mean wherever more than one is printed.
        """
        counted = {
            key: [one for one in self.audits[key].judged if not one.assertion.beside]
            for key in ("R11", "D03", "L09", "L21", "D02")
        }
        self.assertEqual(
            {
                (one.assertion.spec.get("need"), "mean" in one.assertion.spec)
                for one in counted["R11"]
            },
            {(0.66, False)},
        )
        self.assertEqual(
            [one.result for one in counted["R11"]], ["holds", "holds", "holds", "fails", "holds"]
        )
        self.assertEqual({one.assertion.spec.get("per") for one in counted["D03"]}, {"paper"})
        self.assertEqual(
            [
                one.found.split(" (")[0]
                for one in counted["L09"]
                if "saturates" in one.assertion.asserts
            ],
            ["1 of 6 contrasts is at most 1"],
        )
        self.assertEqual(
            [
                one.assertion.asserts
                for one in counted["L21"]
                if one.assertion.kind == "contrast"
                and "mean" not in one.assertion.spec
                and len({line.metric for line in one.lines}) > 1
            ],
            [],
        )
        self.assertEqual(
            sum(
                "lead" in one.assertion.asserts
                and one.assertion.spec.get("metrics", [""])[0] != "docvqa"
                for one in counted["D02"]
            ),
            1,
        )
        self.assertEqual(
            [self.audits[key].verdict for key in ("R11", "L09", "L14", "R07")],
            ["partly", "contradicted", "no evidence", "not in the cited source"],
        )

    def test_no_two_counted_parts_turn_one_contrast_around(self):
        """A over B and B over A: one of them would fail by construction."""
        for key, audit in self.audits.items():
            spoken = [
                {
                    (
                        line.table.split(" and ")[-1],
                        line.from_arm,
                        line.to_arm,
                        line.metric,
                        round(line.delta, 6),
                    )
                    for line in one.lines
                    if line.from_arm
                }
                for one in audit.judged
                if not one.assertion.beside
                and {"above", "min"} & one.assertion.spec.keys()
                and "size" not in one.assertion.spec
            ]
            for number, lines in enumerate(spoken):
                turned = {
                    (metric, end, start, -delta) for _, start, end, metric, delta in lines if delta
                }
                for others in spoken[number + 1 :]:
                    self.assertFalse(
                        turned
                        & {(metric, start, end, delta) for _, start, end, metric, delta in others},
                        key,
                    )

    def test_the_staircase_is_not_read_from_final_resolutions(self):
        one = self.part("R07", "the staircase (224")
        self.assertEqual((one.result, one.lines), ("unknown", ()))
        self.assertIn("resolution-specific checkpoints", one.found)
        self.assertTrue(self.part("R07", "finer final resolution").assertion.beside)

    def test_what_is_left_out_is_not_among_the_rows(self):
        for claim_id in ("L08", "L15", "L16", "R07"):
            for one in self.audits[claim_id].judged:
                out = [
                    left["in"]
                    for left in one.assertion.spec.get("without", ())
                    if "rows" not in left
                ]
                self.assertFalse(
                    [
                        line.table
                        for line in one.lines
                        for names in out
                        if {line.table, line.table.split(".")[0]} & set(names)
                    ],
                    claim_id,
                )
        tables = {line.table for one in self.audits["L08"].judged for line in one.lines}
        self.assertLessEqual({"paligemma.table1", "paligemma2.table11"}, tables)
        swapped = self.part("D03", "as people swap them").lines
        self.assertTrue(swapped)
        self.assertNotIn(
            ("CLIP ViT-L 336px", "SigLIP ViT-SO 224px"),
            [(line.from_arm, line.to_arm) for line in swapped],
        )
        self.assertNotIn("cambrian1.figure5", {line.table for line in swapped})
        self.assertLessEqual(
            {"aimv2.table7", "cambrian1.table11"},
            {line.table for line in self.part("D03", "at the same number of tokens").lines},
        )
        pairs = [
            frozenset((line.from_arm, line.to_arm))
            for line in self.part("L16", "single axes move").lines
            if line.metric == "vqav2"
        ]
        self.assertNotIn(frozenset(("Single-Stage 13B", "Frozen ViT (Single-Stage)")), pairs)
        self.assertIn(
            "MM1", {line.locator for line in self.part("L22", "the data mixture moves").lines}
        )

    def test_a_changed_cell_of_the_papers_changes_the_verdict(self):
        papers = [
            paper._replace(
                tables=tuple(
                    (
                        table._replace(
                            rows=tuple(
                                (
                                    row._replace(scores={**row.scores, "mmmu": 60.4})
                                    if row.arm == "Molmo-72B"
                                    else row
                                )
                                for row in table.rows
                            )
                        )
                        if table.id == "molmo.table1"
                        else table
                    )
                    for table in paper.tables
                )
            )
            for paper in support.papers()
        ]
        held = Evidence(papers, support.library().words, self.models)
        one = next(one for one in self.file.claims if one.id == "L12")
        self.assertEqual(claims.judge(one, held).verdict, "supported")

    def test_thumb_rules_have_their_claim_and_midpoint(self):
        known = {one.id for one in self.file.claims}
        self.assertGreater(len(self.file.thumb_rules), 10)
        for rule in self.file.thumb_rules:
            self.assertIn(rule.claim, known)
            self.assertIn(f"{rule.delta:g}", rule.midpoint)


DIGEST = "b8cf934e5a0f47dddb8b0478614b68c7c18e08584ef85ae90244eadf848bf966"


@slow
class Command(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def own(self, data, name="my.json") -> str:
        path = self.folder / name
        path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        return str(path)

    def test_list(self):
        code, out, err = support.call("claims")
        self.assertEqual((code, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual(sum(line[:1] in "LRD" and line[1:3].isdigit() for line in lines), 37)
        self.assertTrue(all(len(line) <= 80 for line in lines))
        self.assertIn("37 claims:", out)

    def test_one_claim_shows_its_rows(self):
        code, out, _ = support.call("claims", "l12")
        self.assertEqual(code, 0)
        flat = " ".join(out.split())
        for words in (
            "L12 contradicted",
            "10 of 11 contrasts",
            "Molmo, Table 1 (arXiv 2409.17146, molmo.table1)",
            "mmmu 60.3 -> 54.1 (-6.20)",
            "beside it",
        ):
            self.assertIn(words, flat)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))

    def test_filter_and_why(self):
        everything = support.call_json("claims")
        wanted = [one["id"] for one in everything["claims"] if one["verdict"] == "contradicted"]
        _, out, _ = support.call("claims", "--verdict", "contradicted", "--why")
        self.assertEqual(
            [line.split()[0] for line in out.splitlines() if line.endswith("  contradicted")],
            wanted,
        )
        self.assertEqual(sum(everything["counts"].values()), 37)
        self.assertEqual(list(everything["counts"]), list(claims.VERDICTS))

    def test_json_keys(self):
        one = support.call_json("claims", "L01")["claims"][0]
        self.assertLessEqual({"id", "says", "claim", "verdict", "why", "assertions"}, one.keys())
        row = one["assertions"][1]["rows"][0]
        self.assertLessEqual(
            {
                "table",
                "arxiv",
                "from_arm",
                "to_arm",
                "benchmark",
                "from_value",
                "to_value",
                "delta",
                "controlled",
                "moves",
            },
            row.keys(),
        )
        self.assertEqual(
            (one["assertions"][0]["holds"], one["assertions"][1]["holds"], row["controlled"]),
            (None, False, False),
        )

    def test_same_bytes_twice(self):
        self.assertEqual(support.call("claims", "--json")[1], support.call("claims", "--json")[1])

    def test_own_file(self):
        own = claim(
            contrast("SigLIP adds 3 \x1b[31m", in_=["cambrian1.table11"], min=3),
            cites=["cambrian1"],
        )
        code, out, _ = support.call("claims", "X01", "--file", self.own(own))
        self.assertEqual(code, 0)
        self.assertIn("X01  contradicted", out)
        self.assertNotIn("\x1b", out)

    def test_own_tables_join(self):
        folder = self.folder / "tables"
        folder.mkdir()
        (folder / "paper.json").write_text(json.dumps(made_up()), encoding="utf-8")
        code, out, err = support.call(
            "claims", "--file", self.own(claim(HOLDS)), "--tables", str(folder), "--json"
        )
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(json.loads(out)["claims"][0]["verdict"], "supported")

    def test_errors_are_one_line_and_name_the_place(self):
        texts = {
            "kind": "value",
            "asserts": "",
            "at": {"model": "llava-1.5-13b", "field": "encoder"},
            "min": 3,
        }
        for argv, words in (
            (("L99",), "unknown claim 'L99'"),
            (("--verdict", "wrong"), "invalid choice"),
            (("--file", str(self.folder / "no.json")), "cannot be read"),
            (
                ("--file", self.own(claim(texts, cites=["molmo"]), "texts.json")),
                "/claims/0/assertions/0: 'clip-vit-l-14' stands there",
            ),
            (("--file", self.own("{", "broken.json")), "not JSON"),
            (("--file", self.own('{"format": 2, "format": 2}', "twice.json")), "stands twice"),
        ):
            code, out, err = support.call("claims", *argv)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), argv)
            self.assertIn(words, err)
        code, _, err = support.call(
            "claims",
            "--file",
            self.own(
                claim(contrast(in_=["cambrian1"], metrics=["mmu"], min=3), cites=["cambrian1"])
            ),
        )
        self.assertEqual((code, err.count("\n")), (2, 1))
        self.assertIn(
            "my.json#/claims/0/assertions/0/metrics/0: no metric of these tables 'mmu'; nearest"
            " known: mmmu",
            err,
        )

    def test_check_finds_a_selector_that_names_nothing(self):
        copied = self.folder / "shipped"
        shutil.copytree(support.TABLES, copied)
        path = copied / "registry" / "claims.json"
        path.write_text(
            path.read_text(encoding="utf-8").replace('"arm": "Molmo-72B"', '"arm": "Molmo-73B"', 1),
            encoding="utf-8",
        )
        found = checks.claim_problems(Library(shipped=str(copied)))
        self.assertEqual([(p.rule, p.severity) for p in found], [("audit", "error")])
        self.assertIn("Molmo-72B", found[0].message)
        path.write_text("[]", encoding="utf-8")
        self.assertEqual(
            [p.rule for p in checks.claim_problems(Library(shipped=str(copied)))], ["audit"]
        )


if __name__ == "__main__":
    unittest.main()
