"""Files in the evidence format 1 (transcriptions in the papers' own words) are read like those of
format 2.
"""

import copy
import json
import pathlib
import random
import tempfile
import unittest

from recipes.base.reading import EvidenceError
from recipes.effects.columns import columns
from recipes.evidence.format1 import benchmark_of, converted, namer
from recipes.evidence.rules import RULES
from recipes.evidence.tables import parse_paper
from recipes.library import Library, unified

from . import support

WORDS = support.library().words
BENCHMARKS = WORDS.records("benchmark")
SOURCE = support.ROOT.parent / "shared" / "evidence"


def metric(benchmark: str, split: str | None = None, **more) -> dict:
    return {
        "benchmark": benchmark,
        "split": split,
        "unit": "accuracy",
        "max": 100,
        "higher_is_better": True,
        "mean_of": None,
        **more,
    }


def made_up() -> dict:
    """A small paper in format 1: names from several hands, nulls, keys that nobody asked for, and a
    run that three tables print.
    """
    return {
        "format": 1,
        "also_covers": [{"key": "x"}],
        "remark": {"any": ["thing"]},
        "paper": {
            "key": "made-up",
            "title": "Made up",
            "authors": ["A. One", "B. Two"],
            "year": "2025",
            "arxiv": "2501.01234",
            "version": "v2",
            "venue": None,
        },
        "transcription": "read from the PDF",
        "tables": [
            {
                "id": "made-up.table1",
                "locator": "Table 1",
                "section": "4",
                "topic": "encoders",
                "varies": ["encoder", "tiling"],
                "setting": {
                    "encoder": None,
                    "connector": "2-layer MLP",
                    "llm": "Vicuna v1.5 7B",
                    "llm_params_b": "7B",
                    "data": "LLaVA-1.5 mix 665K",
                    "data_size": "665K",
                    "resolution": "336px",
                    "visual_tokens": None,
                    "frozen_encoder": "frozen",
                    "gpu": ["a", "b"],
                },
                "protocol": None,
                "metrics": {
                    "mme_p": metric("MME", "perception", unit="score", max=2000),
                    "mmb": metric("MMBench-EN", "dev"),
                    "sqa": metric("scienceqa", "image"),
                    "avg": metric("mean of the two", mean_of=["MMBench-EN", "sqa"]),
                    "hours": metric("training time", unit="GPU hours", max=None),
                    "odd": metric("Odd Bench"),
                },
                "rows": [
                    {
                        "arm": "CLIP",
                        "set": {"encoder": "CLIP ViT-L/14"},
                        "scores": {
                            "mme_p": 1500.5,
                            "mmb": 64.0,
                            "sqa": 70.0,
                            "avg": 67.0,
                            "hours": 12,
                            "odd": 1.5,
                        },
                    },
                    {
                        "arm": "SigLIP",
                        "set": {
                            "encoder": "siglip-so400m-14-384",
                            "resolution": None,
                            "visual_tokens": "576-729",
                        },
                        "scores": {
                            "mme_p": 1480.0,
                            "mmb": 66.0,
                            "sqa": None,
                            "avg": None,
                            "hours": 13,
                            "odd": 2.5,
                        },
                    },
                    {
                        "arm": "both",
                        "set": {"encoder": ["dinov2-vit-l-14", "CLIP-L"]},
                        "scores": {"mme_p": 1510.0, "mmb": 67.0, "sqa": 71.0},
                    },
                    {
                        "arm": "unheard of",
                        "set": {"encoder": "zyzzyva-9"},
                        "scores": {"mme_p": 1400.0, "mmb": 60.0, "sqa": 65.0},
                        "quoted": True,
                    },
                ],
                "notes": ["one", "two"],
            },
            {
                "id": "made-up.table2",
                "locator": "Table 2",
                "section": None,
                "topic": "data",
                "varies": ["data"],
                "setting": {"encoder": "clip-vit-l-14", "data": None},
                "protocol": None,
                "metrics": {"pope": metric("POPE"), "gqa": metric("gqa_test")},
                "rows": [
                    {
                        "arm": "default",
                        "set": {"data": "LLaVA-665K"},
                        "scores": {"pope": 85.9, "gqa": 62.0},
                        "same_runs_as": "made-up.table1",
                        "same_arm": "CLIP",
                    },
                    {
                        "arm": "more",
                        "set": {"data": "a mix of our own"},
                        "scores": {"pope": 86.9, "gqa": 63.0},
                    },
                ],
                "notes": None,
            },
            {
                "id": "made-up.table3",
                "locator": "Table 3",
                "section": None,
                "topic": "again",
                "varies": ["resolution"],
                "setting": {"encoder": "clip-vit-l-14"},
                "protocol": None,
                "metrics": {"pope": metric("pope")},
                "rows": [
                    {
                        "arm": "336",
                        "set": {"resolution": "336x336"},
                        "scores": {"pope": 85.9},
                        "same_runs_as": "the row default of made-up.table2",
                    },
                    {
                        "arm": "anyres",
                        "set": {"resolution": "anyres-672"},
                        "scores": {"pope": 87.0},
                    },
                ],
                "notes": None,
            },
        ],
    }


def parsed(data: dict):
    return parse_paper(data, "made-up.json", BENCHMARKS, words=WORDS)


class Conversion(unittest.TestCase):
    def setUp(self):
        self.paper = parsed(made_up())
        self.table = self.paper.tables[0]
        self.rows = {row.arm: row.setting for row in self.table.rows}

    def test_input_is_left_as_it_was(self):
        data = made_up()
        converted(data, WORDS)
        self.assertEqual(data, made_up())

    def test_the_head_and_what_nobody_asked_for(self):
        self.assertEqual(
            (self.paper.key, self.paper.authors, self.paper.year, self.paper.arxiv),
            ("made-up", "A. One; B. Two", 2025, "2501.01234"),
        )
        self.assertEqual(self.paper.transcription["read_from"], "read from the PDF")
        self.assertEqual(
            (self.table.notes, self.table.varies), ("one; two", ("encoder", "resolution"))
        )

    def test_benchmarks_by_key_alias_split_and_metric_key(self):
        found = {
            key: (m.benchmark, m.split, m.max, m.role) for key, m in self.table.metrics.items()
        }
        self.assertEqual(
            found,
            {
                "mme_p": ("mme_perception", None, 2000, "score"),
                "mmb": ("mmbench_en", "dev", 100, "score"),
                "sqa": ("scienceqa_img", None, 100, "score"),
                "avg": ("mean of the two", None, 100, "average"),
                "hours": ("training time", None, None, "cost"),
                "odd": ("Odd Bench", None, 100, "score"),
            },
        )
        self.assertEqual(self.table.metrics["avg"].mean_of, ("mmb", "sqa"))
        self.assertEqual(
            (
                self.paper.tables[1].metrics["gqa"].benchmark,
                self.paper.tables[1].metrics["gqa"].split,
            ),
            ("gqa", "test"),
        )

    def test_spellings_of_benchmarks(self):
        for raw, split, unit, key, want in (
            (
                "mme",
                "perception + cognition sum",
                "score",
                "mme",
                ("mme", "perception + cognition sum"),
            ),
            ("cv-bench", "2D", "", "x", ("cvbench_2d", None)),
            ("nocaps", None, "CIDEr", "x", ("nocaps_cider", None)),
            ("refcocop_testA", None, "", "x", ("refcoco_plus", "testA")),
            ("llava_wild", "conversation", "", "x", ("llava_wild_conv", None)),
            ("scienceqa", "image subset, zero-shot", "", "x", ("scienceqa_img", "zero-shot")),
            ("RefCOCO", "average of splits", "", "x", ("refcoco_avg", None)),
            ("MMBench_DEV_EN", None, "", "x", ("mmbench_en", None)),
            ("MMMU (val)", None, "", "x", ("mmmu", None)),
            ("mmbench", None, "", "mmbench_cn", ("mmbench_cn", None)),
            ("mmmu", "val", "", "x", ("mmmu", "val")),
            ("mm", None, "", "mmx", ("mm", None)),
        ):
            self.assertEqual(benchmark_of(raw, split, unit, key, False, WORDS), want, (raw, split))
        # a mean is not what its key begins with
        self.assertEqual(
            benchmark_of("our average", None, None, "mmbench", True, WORDS), ("our average", None)
        )

    def test_components_and_numbers(self):
        clip = self.rows["CLIP"]
        self.assertEqual(
            {
                key: clip[key]
                for key in (
                    "encoder",
                    "connector",
                    "llm",
                    "llm_params_b",
                    "data",
                    "data_size",
                    "resolution",
                    "frozen_encoder",
                )
            },
            {
                "encoder": "clip-vit-l-14",
                "connector": "mlp-2x-gelu",
                "llm": "vicuna-1.5-7b",
                "llm_params_b": 7,
                "data": "llava-665k",
                "data_size": 665000,
                "resolution": 336,
                "frozen_encoder": True,
            },
        )
        self.assertEqual(self.rows["both"]["encoder"], "clip-vit-l-14+dinov2-vit-l-14")
        # the pixels stand in the encoder's name alone
        self.assertEqual(self.rows["SigLIP"]["resolution"], 384)
        self.assertEqual(self.paper.tables[2].rows[0].setting["resolution"], 336)
        self.assertEqual(self.paper.tables[2].rows[1].setting["resolution"], "anyres-672")

    def test_what_cannot_be_mapped_stays_and_is_never_guessed(self):
        self.assertEqual(self.rows["unheard of"]["encoder"], "zyzzyva-9")
        self.assertEqual(self.paper.tables[1].rows[1].setting["data"], "a mix of our own")
        siglip = self.rows["SigLIP"]
        # a range is no number, but rows that differ in it differ
        self.assertIsNone(siglip["visual_tokens"])
        self.assertEqual(siglip["visual_tokens_printed"], "576-729")
        self.assertIsNone(self.rows["CLIP"]["visual_tokens"])

    def test_scores_and_nulls_are_the_printed_ones(self):
        for table, raw in zip(self.paper.tables, made_up()["tables"]):
            self.assertEqual(
                [dict(row.scores) for row in table.rows], [row["scores"] for row in raw["rows"]]
            )

    def test_runs_are_linked_across_tables(self):
        runs = {(table.id, row.arm): row.run for table in self.paper.tables for row in table.rows}
        shared = {place for place, run in runs.items() if run}
        self.assertEqual(
            shared,
            {("made-up.table1", "CLIP"), ("made-up.table2", "default"), ("made-up.table3", "336")},
        )
        self.assertEqual(len({runs[place] for place in shared}), 1)

    def test_rows_that_agree_in_three_cells_are_one_run_and_two_are_not(self):
        data = made_up()
        for table, count in ((1, 3), (2, 2)):
            data = made_up()
            for row in (data["tables"][1]["rows"][0], data["tables"][2]["rows"][0]):
                row.pop("same_runs_as")
                row.pop("same_arm", None)
            keys = ("pope", "gqa", "mmmu")[:count]
            for which in (1, 2):
                data["tables"][which]["metrics"] = {key: metric(key) for key in keys}
                for number, row in enumerate(data["tables"][which]["rows"]):
                    row["scores"] = {key: 50.0 + 10 * number + which * number for key in keys}
            runs = [row.run for table in parsed(data).tables[1:] for row in table.rows]
            self.assertEqual([bool(run) for run in runs], [count == 3, False, count == 3, False])

    def test_two_names_of_a_table_do_not_fall_together_by_a_loose_rule(self):
        loose, strict = "so400m siglip 14 vit", "siglip-so400m-14"
        self.assertEqual(namer([{"encoder": loose}], WORDS)("encoder", loose, {})[0], strict)
        both = namer([{"encoder": loose}, {"encoder": strict}], WORDS)
        self.assertEqual(
            [both("encoder", name, {})[0] for name in (loose, strict)], [loose, strict]
        )

    def test_sizes_that_records_state(self):
        name = namer([], WORDS)
        self.assertEqual(name("encoder", "sam-vit-h-16", {})[0], "sam-vit-h")
        self.assertEqual(name("encoder", "sam-vit-h-14", {})[0], "sam-vit-h-14")
        self.assertEqual(name("llm", "phi-3-3.8b", {})[0], "phi-3-mini")
        self.assertEqual(name("llm", "phi-3-9b", {})[0], "phi-3-9b")
        self.assertEqual(
            name("encoder", "openvision-vit-b", {"patch_size": 16})[0], "openvision-vit-b-16"
        )
        # + joins encoders
        self.assertEqual(name("encoder", "new (a + b)", {})[0], "new (a & b)")

    def test_a_shared_encoder_takes_the_patch_size_of_its_row(self):
        data = made_up()
        data["tables"][0]["setting"]["encoder"] = "openvision-vit-b"
        data["tables"][0]["rows"][0]["set"] = {"patch_size": 16}
        self.assertEqual(parsed(data).tables[0].rows[0].setting["encoder"], "openvision-vit-b-16")

    def test_without_a_vocabulary_and_other_formats(self):
        for data, words in (
            ({**made_up(), "format": 3}, WORDS),
            ({**made_up(), "format": None}, WORDS),
            ({**made_up(), "format": True}, WORDS),
            (made_up(), None),
        ):
            with self.assertRaises(EvidenceError) as caught:
                parse_paper(data, "x.json", BENCHMARKS, words=words)
            self.assertEqual(caught.exception.pointer, "/format")
            self.assertNotIn("\n", str(caught.exception))

    def test_wrong_shapes_are_refused_by_their_pointer(self):
        for path, value in (
            ("/paper", 3),
            ("/paper/key", None),
            ("/tables", {}),
            ("/tables/0", 5),
            ("/tables/0/rows", None),
            ("/tables/0/metrics", []),
            ("/tables/0/setting", "x"),
            ("/tables/0/rows/0", "x"),
            ("/tables/0/rows/0/arm", None),
            ("/tables/0/rows/0/set", "x"),
            ("/tables/0/rows/0/scores", []),
            ("/tables/0/rows/0/scores/mmb", "12"),
            ("/tables/0/metrics/mmb/benchmark", 7),
        ):
            data = made_up()
            *way, last = [int(part) if part.isdecimal() else part for part in path.split("/")[1:]]
            here = data
            for part in way:
                here = here[part]
            here[last] = value
            with self.assertRaises(EvidenceError) as caught:
                parsed(data)
            self.assertEqual(caught.exception.pointer, path)

    def test_junk_anywhere_is_read_or_refused_and_breaks_nothing(self):
        junk = [
            None,
            True,
            3,
            -1,
            2.5,
            "",
            "7B",
            "576-2880",
            [],
            ["a"],
            [None],
            {},
            {"a": 1},
            1e300,
            "(+)",
            "+",
        ]

        def places(value, path=()):
            yield path
            for key in (
                value
                if isinstance(value, dict)
                else range(len(value))
                if isinstance(value, list)
                else ()
            ):
                yield from places(value[key], (*path, key))

        rng = random.Random(7)
        every = [path for path in places(made_up()) if path and path != ("format",)]
        read, owner = 0, Library()  # whose vocabulary comes to know the names
        for _ in range(200):
            data = made_up()
            *way, last = rng.choice(every)
            here = data
            for part in way:
                here = here[part]
            here[last] = copy.deepcopy(rng.choice(junk))
            try:
                paper = parsed(data)
            except EvidenceError:
                continue
            read += 1
            slugs = owner._admit(paper.tables)
            tables = tuple(unified(table, slugs) for table in paper.tables)
            columns([paper._replace(tables=tables)], WORDS)
            for table in tables:
                for name, (rule, _) in RULES.items():
                    if name != "name":  # slow: it looks for the nearest known ones
                        list(rule(table, WORDS))
        self.assertGreater(read, 70)


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "made-up.json"
        self.write(made_up())

    def write(self, data: dict) -> None:
        self.path.write_text(json.dumps(data, indent=1), encoding="utf-8")

    @support.slow  # that its columns are those of format 2, the tests above say
    def test_backtest_scores_it(self):
        result = support.call_json("backtest", "--tables", str(self.folder))
        self.assertEqual(result["overall"]["papers"], 1)
        self.assertGreater(result["overall"]["contrasts"], 15)
        self.assertIn("general-vqa", result["by_family"])

    def test_swap_and_predict_quote_its_rows(self):
        answer = support.call_json(
            "swap",
            "clip-vit-l-14",
            "siglip-so400m-14",
            "--tables",
            str(self.folder),
            "--benchmark",
            "mmbench_en",
        )
        self.assertIn("made-up.table1", [row["table"] for row in answer["deltas"][0]["evidence"]])
        self.assertIn("zyzzyva-9", " ".join(answer["warnings"]))
        lines = self.folder / "lines.jsonl"
        lines.write_text(
            '{"from": {"encoder": "clip-vit-l-14"}, "to": {"encoder": "siglip-so400m-14"},'
            ' "benchmark": "mmbench_en"}\n',
            encoding="utf-8",
        )
        code, out, err = support.call("predict", str(lines), "--tables", str(self.folder))
        self.assertEqual(code, 0, err)
        self.assertIn("made-up.table1", out)

    def test_tables_shows_it(self):
        code, out, _ = support.call(
            "tables", "show", "made-up.table1", "--tables", str(self.folder)
        )
        self.assertEqual(code, 0)
        self.assertIn("1500.5", out)
        code, out, _ = support.call("tables", "--tables", str(self.folder))
        self.assertEqual(code, 0)
        self.assertIn("made-up", out)

    def test_check_warns_of_names_and_errs_on_numbers(self):
        code, out, _ = support.call("check", str(self.path), "--json")
        report = json.loads(out)
        self.assertEqual((code, report["ok"]), (0, True), report["problems"])
        named = {p["pointer"]: p for p in report["problems"] if p["rule"] == "name"}
        self.assertIn("/tables/0/metrics/odd/benchmark", named)
        self.assertTrue(
            all(p["severity"] == "warning" and "format 1" in p["message"] for p in named.values())
        )
        data = made_up()
        data["tables"][0]["rows"][1]["scores"]["mmb"] = 166.0
        self.write(data)
        code, out, _ = support.call("check", str(self.folder), "--json")
        self.assertEqual(code, 1)
        wrong = next(p for p in json.loads(out)["problems"] if p["rule"] == "range")
        # the same place in the file as it stands
        self.assertEqual(wrong["pointer"], "/tables/0/rows/1/scores/mmb")
        code, out, _ = support.call("check", str(self.folder), "--format", "github")
        number = (
            next(line for line in out.splitlines() if "title=range" in line)
            .partition("line=")[2]
            .partition(",")[0]
        )
        self.assertIn("166.0", self.path.read_text(encoding="utf-8").splitlines()[int(number) - 1])

    def test_the_lock_holds_the_file_as_it_stands(self):
        self.assertEqual(support.call("check", "--lock", str(self.folder))[0], 0)
        self.assertEqual(support.call("check", str(self.folder))[0], 0)
        data = made_up()
        data["tables"][1]["rows"][0]["scores"]["pope"] = 58.9
        self.write(data)
        code, out, _ = support.call("check", str(self.folder))
        self.assertEqual(code, 1)
        self.assertIn("85.9 -> 58.9", " ".join(out.split()))

    def test_another_format_is_one_line(self):
        self.write({**made_up(), "format": 7})
        code, out, err = support.call("backtest", "--tables", str(self.folder))
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(len(err.strip().splitlines()), 1)
        self.assertIn("reads formats 1 and 2", err)


@unittest.skipUnless(SOURCE.is_dir(), "the transcriptions are not beside this checkout")
class Published(unittest.TestCase):
    """The transcriptions, converted without the overlay, against the tables that a person named
    (tests/migrate).
    """

    def test_cells_components_and_benchmarks_agree(self):
        same, seen = {}, {}
        for key in ("nvila", "law-vision-rep", "honeybee", "openvision", "web-ssl", "m3"):
            ours = parse_paper(
                json.loads((SOURCE / f"{key}.json").read_text(encoding="utf-8")),
                key,
                BENCHMARKS,
                words=WORDS,
            )
            theirs = parse_paper(support.raw_paper(key), key, BENCHMARKS)
            for a, b in zip(ours.tables, theirs.tables, strict=True):
                for name, metric_ in b.metrics.items():
                    if metric_.role == "score":
                        self.assertEqual(
                            (a.metrics[name].benchmark, a.metrics[name].max),
                            (metric_.benchmark, metric_.max),
                            (a.id, name),
                        )
                for x, y in zip(a.rows, b.rows, strict=True):
                    self.assertEqual((x.arm, x.scores), (y.arm, y.scores))
                    for field in (
                        "encoder",
                        "connector",
                        "llm",
                        "data",
                        "resolution",
                        "visual_tokens",
                        "frozen_encoder",
                    ):
                        if y.setting.get(field) is not None:
                            seen[field] = seen.get(field, 0) + 1
                            same[field] = same.get(field, 0) + (
                                x.setting.get(field) == y.setting[field]
                            )
                        else:
                            self.assertIsNone(x.setting.get(field), (a.id, x.arm, field))
        for field in (
            "encoder",
            "connector",
            "data",
            "resolution",
            "visual_tokens",
            "frozen_encoder",
        ):
            self.assertEqual(same[field], seen[field], field)
        self.assertGreater(same["llm"] / seen["llm"], 0.95)


if __name__ == "__main__":
    unittest.main()
