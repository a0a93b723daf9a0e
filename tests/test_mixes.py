"""Data mixes: what is in them, mixes put together, and what `check` finds wrong in them."""

import json
import pathlib
import re
import tempfile
import unittest

from recipes.base.records import Records
from recipes.base.write import dump_registry
from recipes.evidence.mixes import check_mixes, rounding
from recipes.library import Library
from recipes.show.mixes import mix_text, mix_view
from recipes.show.text import Style
from recipes.terms.mixes import MixError, Mixes
from recipes.terms.vocabulary import UnknownName
from tests import support

RAW = json.loads((support.TABLES / "registry" / "data_mixes.json").read_text(encoding="utf-8"))
KINDS = {
    "document": {"key": "document", "name": "documents", "family": "ocr-document"},
    "chart": {"key": "chart", "name": "charts", "family": "chart"},
    "text-only": {"key": "text-only", "name": "text only"},
}


def mixes() -> Mixes:
    return support.library().words.mixes


def made(*records: dict, datasets: dict | None = None) -> Mixes:
    """A small registry of its own."""
    known = {
        "doc": {"key": "doc", "name": "Doc", "kind": "document", "train_split_of": ["docvqa"]},
        "cha": {"key": "cha", "name": "Cha", "kind": "chart", "train_split_of": ["chartqa"]},
        "txt": {"key": "txt", "name": "Txt", "kind": "text-only", "samples": 500},
        **(datasets or {}),
    }
    for record in known.values():
        record.setdefault("public", True)
    return Mixes(known, {record["slug"]: record for record in records}, KINDS, {}, {})


def whole(slug: str, total: float | None, *parts: tuple, **more) -> dict:
    """The record of a mix written out."""
    raws = [
        {"dataset": name, **({"samples": count} if count is not None else {}), **(key or {})}
        for name, count, *rest in parts
        for key in [rest[0] if rest else {}]
    ]
    size = {} if total is None else {"samples": total}
    return {"slug": slug, "parts": raws, "parts_listed": "all", "public": True, **size, **more}


class Contents(unittest.TestCase):
    def test_llava_665k_by_hand(self):
        """Table 7 of 2310.03744: 664K conversations, of which 158K LLaVA-Instruct and 102K read
        words (OCR-VQA 80K, TextCaps 22K)."""
        shares = mixes().shares("llava-665k")
        self.assertAlmostEqual(shares["conversation"], 158 / 664)
        self.assertAlmostEqual(shares["scene-text"], 102 / 664)
        self.assertAlmostEqual(sum(shares.values()), 1.0)
        self.assertNotIn("document", shares)
        mix = mixes().mix("llava-665k")
        self.assertEqual(
            (mix.samples, mix.available, mix.before), (665000, "released", ("lcs-558k",))
        )
        for benchmark, inside in (
            ("vqav2", True),
            ("docvqa", False),
            ("chartqa", False),
            ("textvqa", False),  # its images only, by TextCaps
            ("refcoco_avg", True),
        ):
            self.assertIs(mixes().trained("llava-665k", benchmark), inside, benchmark)
        held = mixes().holds("llava-665k", "docvqa", "ocr-document")
        self.assertAlmostEqual(held.share, 102 / 664)
        self.assertIs(held.trained, False)

    def test_shares_need_all_counts(self):
        small = made(
            whole("all", 300, ("doc", 100), ("cha", 200)),
            whole("one", None, ("doc", 100), ("cha", None)),
            whole("drawn", None, ("doc", 1, {"percent": 30}), ("cha", 900, {"percent": 70})),
            whole("short", 1000, ("doc", 100), ("cha", 200)),
            whole("kind", None, ("doc", None)),
            {**whole("some", 300, ("doc", 100), ("cha", 200)), "parts_listed": "some"},
        )
        self.assertEqual(small.shares("all"), {"document": 1 / 3, "chart": 2 / 3})
        self.assertIsNone(small.shares("one"))
        self.assertEqual(small.shares("drawn"), {"document": 0.3, "chart": 0.7})
        self.assertEqual(small.basis("drawn"), "percent")
        self.assertIsNone(small.shares("short"))
        self.assertEqual(small.shares("kind"), {"document": 1.0})
        self.assertIsNone(small.shares("some"))
        self.assertIsNone(small.shares("no such mix"))
        self.assertEqual(small.holds("all", "docvqa", "ocr-document"), (1 / 3, True))

    def test_a_mix_inside_a_mix(self):
        inner = whole("inner", 300, ("doc", 100), ("cha", 200))
        rows = {"slug": "x", "parts_listed": "all", "public": True}
        small = made(
            inner,
            {
                **rows,
                "slug": "with",
                "parts": [{"mix": "inner", "samples": 300}, {"dataset": "txt", "samples": 100}],
            },
            {
                **rows,
                "slug": "less",
                "parts": [{"mix": "inner", "samples": 200, "without": ["doc"]}],
            },
            {
                **rows,
                "slug": "bit",
                "parts": [{"mix": "inner", "samples": 10}, {"dataset": "txt", "samples": 990}],
            },
        )
        self.assertEqual(small.shares("with"), {"document": 0.25, "chart": 0.5, "text-only": 0.25})
        self.assertEqual(small.mix("less").datasets, ("cha",))
        # ten samples of a mix: nobody says which
        shares = small.shares("bit")
        self.assertAlmostEqual(shares["text-only"], 0.99)
        self.assertAlmostEqual(sum(shares.values()), 0.99)
        self.assertIs(small.trained("bit", "docvqa"), True)

    def test_variants(self):
        parent = whole("p", 300, ("doc", 100), ("cha", 200), before=["b"])
        base = whole("b", 500, ("txt", 500))
        small = made(
            parent,
            base,
            {
                "slug": "v",
                "of": "p",
                "without": ["doc"],
                "plus": [{"dataset": "txt"}],
                "samples": 250,
            },
            {"slug": "other-amounts", "of": "p"},
            {"slug": "same", "of": "p", "amounts": "same"},
            {"slug": "cap", "of": "p", "cap": 150},
            {"slug": "unsaid", "of": "p", "parts_listed": "none"},
            {"slug": "own", "of": "p", "own_splits": True},
            {"slug": "stage", "of": "p", "before": ["doc"]},
        )
        # 250 printed, 200 kept: the added part is the difference
        self.assertEqual(small.shares("v"), {"chart": 0.8, "text-only": 0.2})
        self.assertIs(small.trained("v", "docvqa"), False)
        self.assertIsNone(small.shares("other-amounts"))
        self.assertIs(small.trained("other-amounts", "docvqa"), True)
        self.assertEqual(small.shares("same"), small.shares("p"))
        self.assertEqual(small.shares("cap"), {"document": 0.4, "chart": 0.6})
        self.assertIsNone(small.trained("unsaid", "docvqa"))
        self.assertEqual(small.mix("unsaid").parts, ())
        self.assertIs(small.trained("own", "mmmu"), True)
        self.assertEqual(small.mix("v").before, ("b",))
        self.assertEqual(small.mix("stage").before, ("doc",))

    def test_what_is_not_the_questions_is_no_training_split(self):
        small = made(
            whole("i", None, ("doc", 10, {"images_only": True}), ("cha", 10, {"uncertain": True})),
            whole("after", 10, ("txt", 10), before=["i"]),
            whole("later", 10, ("txt", 10), before=["cha"]),
        )
        self.assertIs(small.trained("i", "docvqa"), False)
        self.assertIsNone(small.trained("i", "chartqa"))
        self.assertIsNone(small.trained("after", "chartqa"))
        self.assertIs(small.trained("later", "chartqa"), True)

    def test_public(self):
        hidden = {"doc": {"key": "doc", "name": "Doc", "kind": "document", "public": False}}
        small = made(
            whole("yes", 1, ("txt", 1)),
            whole("no", 1, ("txt", 1), public=False),
            whole("most", 1, ("txt", 1), public=False, hf_id="a/b"),
            {"slug": "parts", "of": "yes", "plus": [{"dataset": "cha"}]},
            {"slug": "hidden", "of": "yes", "plus": [{"dataset": "doc"}]},
            {"slug": "rest", "of": "most", "plus": [{"dataset": "cha"}]},
            datasets=hidden,
        )
        found = {slug: small.mix(slug).available for slug in small.records}
        expected = {"yes": "released", "no": "no", "most": "in part", "parts": "parts"}
        self.assertEqual(found, {**expected, "hidden": "no", "rest": "in part"})
        self.assertEqual(
            [small.mix(s).public for s in ("yes", "most", "parts")], [True, False, True]
        )

    def test_every_mix_can_be_read(self):
        known = mixes()
        for slug in known.records:
            mix, shares = known.mix(slug), known.shares(slug)
            self.assertEqual(mix.slug, slug)
            if shares:
                self.assertLessEqual(sum(shares.values()), 1 + 1e-9, slug)
                self.assertGreaterEqual(sum(shares.values()), 0.95 - 1e-9, slug)
                self.assertEqual(mix.listed, "all", slug)
            if mix.listed != "all" and not mix.own_splits:
                self.assertIsNot(known.trained(slug, "mmmu"), False, slug)

    def test_kinds_stand_in_the_order_of_the_parts(self):
        """Not in that of a set, which is another one in every run."""
        mixes = support.library().words.mixes
        for slug in ("cambrian-10m-cap-150k", "llava-uhd-v2-858k", "llava-665k"):
            kinds = dict.fromkeys(part.kind for part in mixes.mix(slug).parts)
            self.assertEqual(list(mixes.shares(slug)), list(kinds))

    def test_records_are_parsed_as_the_whole_file_is(self):
        text = (support.TABLES / "registry" / "data_mixes.json").read_text(encoding="utf-8")
        for shape in (text, json.dumps(RAW, indent=2)):
            self.assertEqual(
                dict(Records(shape, "datasets", "key")), {d["key"]: d for d in RAW["datasets"]}
            )
            self.assertEqual(
                dict(Records(shape, "mixes", "slug")), {m["slug"]: m for m in RAW["mixes"]}
            )
        self.assertEqual(len(Records("{}", "mixes", "slug")), 0)
        self.assertEqual(dump_registry(RAW), text)


class Together(unittest.TestCase):
    def test_a_mix_put_together(self):
        words = support.library().words
        for text in ("llava-665k+docvqa", "LLaVA-665K + DocVQA", "llava-665k+docvqa"):
            self.assertEqual(words.resolve("data", text).slug, "llava-665k+docvqa", text)
        mix = mixes().mix("llava-665k+docvqa")
        own = mixes().datasets["docvqa"]["samples"]
        self.assertEqual(mix.samples, 665000 + own)
        self.assertAlmostEqual(mixes().shares(mix.slug)["document"], own / (664000 + own))
        self.assertIs(mixes().trained(mix.slug, "docvqa"), True)
        self.assertIs(mixes().trained("llava-665k", "docvqa"), False)
        self.assertEqual((mix.available, mix.public), ("parts", True))
        self.assertIn("with its own size", mix.record["notes"])
        less = words.resolve("data", "cambrian-7m-openorca+docmatix-q-instruct").slug
        self.assertEqual(less, "cambrian-7m+docmatix-openorca-q-instruct")
        self.assertEqual(words.resolve("data", less).slug, less)
        self.assertNotIn("openorca", mixes().mix(less).datasets)

    def test_a_mix_that_has_a_name_gets_it(self):
        words = support.library().words
        for text, slug in (
            ("llava-665k-sharegpt", "llava-665k-no-sharegpt-text"),
            ("llava-665k+lrv-instruct", "llava-665k+lrv"),
            ("llava-665k+LVIS-Instruct4V+LRV-Instruct", "llava-665k+lvis-instruct-4v+lrv"),
            ("llava-665k+lrv+lvis-instruct4v", "llava-665k+lvis-instruct-4v+lrv"),
        ):
            self.assertEqual(words.resolve("data", text).slug, slug)

    def test_what_does_not_fit_is_refused_by_name(self):
        words = support.library().words
        for text, error, said in (
            ("llava-665k+foo", UnknownName, "foo"),
            ("llava-665k+vqav2", MixError, "holds vqav2 already"),
            ("llava-665k-docvqa", MixError, "does not hold docvqa"),
            ("nothing+docvqa", UnknownName, "nothing+docvqa"),
            ("+docvqa", UnknownName, "docvqa"),
            ("llava-665k+", UnknownName, "llava-665k"),
        ):
            with self.assertRaises(error, msg=text) as caught:
                words.resolve("data", text)
            self.assertIn(said, str(caught.exception))

    def test_in_a_table_of_ones_own(self):
        """A mix put together is known there, too; what does not fit is a name of its own."""
        paper = support.raw_paper("llava1_5")
        table = next(t for t in paper["tables"] if len(t["rows"]) > 1)
        table = {**table, "id": "mine.table1", "rows": table["rows"][:2]}
        table.pop("accepted", None)
        for row, name in zip(table["rows"], ("llava-665k + docvqa", "llava-665k+vqav2")):
            row["set"] = {**row["set"], "data": name}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "mine.json"
            path.write_text(
                json.dumps({**paper, "paper": {"key": "mine", "title": "Mine"}, "tables": [table]})
            )
            own = Library([folder])
            rows = own.own_papers()[0].tables[0].rows
            found = [row.setting["data"] for row in rows]
            self.assertEqual(found, ["llava-665k+docvqa", "llava-665k+vqav2"])
            self.assertEqual(len([x for x in own.strange() if "vqav2" in x]), 1)
            self.assertEqual(len([x for x in own.strange() if "docvqa" in x]), 0)

    def test_in_flags(self):
        answer = support.call_json(
            "swap", "llava-665k", "llava-665k+docvqa", "--benchmark", "docvqa"
        )
        self.assertEqual(answer["to"]["data"], "llava-665k+docvqa")
        code, _, err = support.call("swap", "CLIP", "SigLIP", "--data", "llava-665k+foo")
        self.assertEqual(code, 2)
        self.assertEqual(len(err.strip().splitlines()), 1)
        self.assertIn("foo", err)


class Command(unittest.TestCase):
    def test_show(self):
        view = support.call_json("tables", "show", "llava-665k")["mix"]
        self.assertEqual((view["samples"], view["public"]), (665000, True))
        self.assertEqual(len(view["parts"]), 10)
        self.assertEqual(view["where"], ["liuhaotian/LLaVA-Instruct-150K"])
        how = {split["benchmark"]: split["how"] for split in view["training_splits"]}
        self.assertEqual((how["vqav2"], how["textvqa"]), ("split", "images"))
        self.assertIn("cambrian1.table3", view["tables"])
        code, out, _ = support.call("tables", "show", "llava-665k")
        self.assertEqual(code, 0)
        for said in ("665,000 samples", "conversations 24%", "documents 0%", "vqav2", "lcs-558k"):
            self.assertIn(said, out)
        for slug in mixes().records:
            view = mix_view(mixes(), slug, support.library().words, ())
            out = mix_text(view, mixes(), Style())
            self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), slug)

    def test_a_dataset_and_a_paper_of_the_same_name(self):
        view = support.call_json("tables", "show", "ChartQA")["dataset"]
        self.assertEqual(view["train_split_of"], ["chartqa"])
        self.assertIn("cambrian-7m", view["mixes"])
        self.assertIn("chartqa", support.call("tables", "show", "chartqa")[1])
        self.assertEqual(support.call("tables", "show", "xyzzyq")[0], 2)

    def test_which_mixes_contain(self):
        answer = support.call_json("tables", "mixes", "--contains", "ChartQA", "--public")
        found = {entry["mix"]: entry for entry in answer["mixes"]}
        self.assertEqual(found["cambrian-7m"]["held"], 28000)
        self.assertNotIn("llava-665k", found)
        self.assertTrue(all(entry["public"] for entry in found.values()))
        self.assertNotIn("internvl2.5-sft", found)
        every = support.call_json("tables", "mixes", "--contains", "chartqa")
        self.assertIn("internvl2.5-sft", [entry["mix"] for entry in every["mixes"]])
        # LLaVA-OneVision prints 18,317 of ChartQA, and all of UReader, which has ten such sets
        entries = {entry["mix"]: entry for entry in every["mixes"]}
        one = entries["llava-onevision-si-3.2m"]
        self.assertEqual(one["held"], 18317)
        self.assertEqual(one["in_collections"], {"ureader": 399270})
        self.assertEqual(every["contains"]["collections"], ["docreason25k", "ureader"])
        last = [e for e in every["mixes"] if e["in"] == "last stage"]
        self.assertEqual(last, sorted(last, key=lambda e: -(e["held"] or 0)))
        said = support.call("tables", "mixes", "--contains", "chartqa")[1]
        self.assertRegex(said, r"llava-onevision-si-3.2m +3,200,000 +18,317 ")
        said = support.call("tables", "mixes", "--contains", "tabfact")[1]
        self.assertRegex(said, r"(?m)^finevision +24,322,193 +- +in ureader ")
        kinds = support.call_json("tables", "mixes", "--contains", "charts")
        own = [entry["mix"] for entry in every["mixes"] if entry["in"] == "last stage"]
        self.assertLessEqual(set(own), {entry["mix"] for entry in kinds["mixes"]})
        self.assertEqual(support.call_json("tables", "mixes")["on_record"], len(RAW["mixes"]))
        for argv in (("--contains", "xyzzyq"), ("list", "--public")):
            words = argv if argv[0] == "list" else ("mixes", *argv)
            self.assertEqual(support.call("tables", *words)[0], 2, argv)
        both = support.call_json("tables", "mixes", "--contains", "chartqa", "--contains", "docvqa")
        one, two = (
            {e["mix"]: e["held"] for e in support.call_json(*argv)["mixes"]}
            for argv in (
                ("tables", "mixes", "--contains", "chartqa"),
                ("tables", "mixes", "--contains", "docvqa"),
            )
        )
        self.assertEqual({e["mix"] for e in both["mixes"]}, one.keys() & two.keys())
        self.assertLess(len(both["mixes"]), min(len(one), len(two)))
        entry = next(e for e in both["mixes"] if e["mix"] == "cambrian-7m")
        self.assertEqual(entry["held"], one["cambrian-7m"] + two["cambrian-7m"])
        out = support.call("tables", "mixes", "--contains", "chartqa", "--contains", "docvqa")[1]
        self.assertIn(" 28,000 + 39,000 ", out)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))
        one = support.call_json("tables", "mixes", "cambrian-7m", "--contains", "chartqa")
        self.assertEqual([e["mix"] for e in one["mixes"]], ["cambrian-7m"])
        code, out, _ = support.call("tables", "mixes", "llava-665k", "--contains", "chartqa")
        self.assertEqual((code, "tables show llava-665k" in out.replace("\n", " ")), (1, True))
        out = support.call("tables", "mixes", "--contains", "docvqa")[1]
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))
        out = support.call("tables", "mixes")[1]
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))
        for whole in ("cambrian-alignment-2.5m", "llava-next-760k", "sharegpt4v-pt"):
            self.assertRegex(out, f"(?m)^{re.escape(whole)} ")


class Rules(unittest.TestCase):
    def findings(self, *records: dict, datasets: dict | None = None) -> list[tuple[str, str]]:
        words = support.library().words
        return [(f.rule, f.message) for f in check_mixes(made(*records, datasets=datasets), words)]

    def test_the_shipped_mixes_are_clean(self):
        words = support.library().words
        self.assertEqual(list(check_mixes(mixes(), words)), [])
        excused = [m["slug"] for m in RAW["mixes"] if "accepted" in m]
        self.assertTrue(excused)
        for record in RAW["mixes"]:
            for entry in record.get("accepted", ()):
                self.assertGreater(len(entry["why"]), 20)

    def test_sums(self):
        self.assertEqual(
            [rounding(x) for x in (665000, 7000000, 12413, 0)], [500, 500000, 0.5, 0.5]
        )
        good = whole("m", 665000, ("doc", 158000), ("cha", 506000))  # 664K: by rounding
        self.assertEqual(self.findings(good), [])
        fine = whole("m", 665000, ("doc", 158002), ("cha", 506000))  # one unit: these are exact
        self.assertEqual([rule for rule, _ in self.findings(fine)], ["mix-sum"])
        bad = whole("m", 665000, ("doc", 158000), ("cha", 501000))
        self.assertEqual([rule for rule, _ in self.findings(bad)], ["mix-sum"])
        self.assertIn("659,000", self.findings(bad)[0][1])
        excused = {**bad, "accepted": [{"rule": "mix-sum", "why": "as printed"}]}
        self.assertEqual(self.findings(excused), [])
        stale = {**good, "accepted": [{"rule": "mix-sum", "why": "as printed"}]}
        self.assertEqual([rule for rule, _ in self.findings(stale)], ["accepted"])

    def test_variants(self):
        parent = whole("p", 333, ("doc", 111), ("cha", 222))
        for variant, said in (
            ({"without": ["txt"]}, "leaves out txt"),
            ({"plus": [{"dataset": "doc", "samples": 5}]}, "adds doc"),
            ({"plus": [{"dataset": "txt"}], "samples": 123}, "adds to p"),
            ({"without": ["doc"], "samples": 512}, "leaves out parts of p"),
            ({"without": ["doc"], "samples": 251}, "is 222"),
        ):
            found = self.findings(parent, {"slug": "v", "of": "p", **variant})
            self.assertTrue(found and all(rule == "mix-variant" for rule, _ in found), found)
            self.assertTrue(any(said in message for _, message in found), found)
        for variant in ({"without": ["doc"], "samples": 222}, {"plus": [{"dataset": "txt"}]}, {}):
            self.assertEqual(self.findings(parent, {"slug": "v", "of": "p", **variant}), [])

    def test_names(self):
        good = whole("m", 3, ("doc", 3))
        for records, said in (
            ((whole("m", 3, ("nope", 3)),), "unknown dataset 'nope'"),
            ((good, {"slug": "v", "of": "nope"}), "unknown parent 'nope'"),
            ((good, {"slug": "v", "of": "w"}, {"slug": "w", "of": "v"}), "circle"),
            ((good, {"slug": "v", "of": "m", "without": ["nope"]}), "'nope'"),
            ((whole("m", 3, ("doc", 3), before=["nope"]),), "'nope'"),
        ):
            found = self.findings(*records)
            self.assertTrue(any(rule == "mix-name" and said in text for rule, text in found), found)
        wrong = {
            "x": {"key": "x", "name": "X", "kind": "chart", "train_split_of": ["no-benchmark"]}
        }
        self.assertIn("no-benchmark", self.findings(good, datasets=wrong)[0][1])
        small = made(good)
        small.same_split = {"docvqa": ["no-benchmark"]}
        found = list(check_mixes(small, support.library().words))
        self.assertEqual([one.pointer for one in found], ["/same_split/0"])
        twice = {"x": {"key": "x", "name": "X", "kind": "chart", "aliases": ["doc"]}}
        self.assertIn("names both", self.findings(good, datasets=twice)[0][1])


if __name__ == "__main__":
    unittest.main()
