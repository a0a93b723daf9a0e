"""A user's tables beside the published ones: they move the answer, their names can be asked about,
and what is wrong with them is said.
"""

import json
import pathlib
import tempfile
import unittest

from recipes.effects.change import Change
from recipes.library import Library

from . import support
from .test_swap import BASE, CLIP, SIGLIP


class OwnTables(unittest.TestCase):
    """A user's results join the published ones by conditioning."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, delta: float, papers: int = 1, **row) -> None:
        for number in range(papers):
            rows = [
                {"arm": "ours, CLIP", "set": {"encoder": "CLIP"}, "scores": {"mmmu": 36.0}},
                {
                    "arm": "ours, SigLIP",
                    "set": {"encoder": "SigLIP", **row},
                    "scores": {"mmmu": 36.0 + delta},
                },
            ]
            table = {
                "id": f"own{number}.t1",
                "locator": "run 1",
                "varies": ["encoder"],
                "setting": {"llm": "qwen2.5-7b", "resolution": 384},
                "metrics": {"mmmu": {"benchmark": "mmmu"}},
                "rows": rows,
            }
            (self.folder / f"own{number}.json").write_text(
                json.dumps({"format": 2, "paper": {"key": f"own{number}"}, "tables": [table]})
            )

    def mmmu(self, *more: str) -> dict:
        return support.call_json("swap", "CLIP", "SigLIP", "--benchmark", "mmmu", *more)["deltas"][
            0
        ]

    def test_they_move_the_answer_and_are_cited(self):
        before = self.mmmu()
        self.write(8.0)
        after = self.mmmu("--tables", str(self.folder))
        self.assertGreater(after["expected"], before["expected"] + 0.3)
        row = next(e for e in after["evidence"] if e["table"] == "own0.t1")
        self.assertEqual(
            (row["delta"], row["controlled"], row["from_arm"]), (8.0, True, "ours, CLIP")
        )
        self.write(8.0, papers=10)
        sure = self.mmmu("--tables", str(self.folder))
        self.assertGreater(sure["expected"], after["expected"])
        self.assertLess(
            sure["interval"]["high"] - sure["interval"]["low"],
            before["interval"]["high"] - before["interval"]["low"],
        )

    def test_a_component_that_is_not_known_is_said(self):
        self.write(2.0)
        path = self.folder / "own0.json"
        path.write_text(
            path.read_text()
            .replace("SigLIP", "SigLop-X", 1)
            .replace('"encoder": "SigLIP"', '"encoder": "SigLop-X"')
        )
        warnings = support.call_json(
            "swap", "CLIP", "SigLIP", "--benchmark", "mmmu", "--tables", str(self.folder)
        )["warnings"]
        said = [text for text in warnings if "SigLop-X" in text]
        self.assertEqual(len(said), 1)
        self.assertIn("siglip-so400m-14", said[0])
        self.assertIn("own0.t1", said[0])

    def edit(self, *changes: tuple[str, str]) -> None:
        path = self.folder / "own0.json"
        text = path.read_text()
        for old, new in changes:
            text = text.replace(old, new)
        path.write_text(text)

    def test_its_components_and_benchmarks_can_be_asked_about(self):
        self.write(9.0)
        self.edit(
            ('"encoder": "SigLIP"', '"encoder": "my-vit-x"'),
            ('{"benchmark": "mmmu"}', '{"benchmark": "my-bench", "max": 50}'),
        )
        own = ("--tables", str(self.folder))
        two = ("--benchmark", "mmmu", "--benchmark", "my-bench")
        answer = support.call_json("swap", "CLIP", "my-vit-x", *two, *own)
        d = next(d for d in answer["deltas"] if d["benchmark"] == "my-bench")
        self.assertEqual((d["grade"], d["max"], d["evidence"][0]["delta"]), ("direct", 50, 9.0))
        self.assertGreater(d["expected"], 1.0)
        self.assertEqual(
            support.call_json("swap", "CLIP", "My-ViT-X", "--benchmark", "my-bench", *own)[
                "deltas"
            ][0]["expected"],
            d["expected"],
        )
        line = json.dumps(
            {"from": {"encoder": "CLIP"}, "to": {"encoder": "my-vit-x"}, "benchmark": "my-bench"}
        )
        path = self.folder / "q.jsonl"
        path.write_text(line)
        said = json.loads(support.call("predict", str(path), *own)[1])
        self.assertAlmostEqual(
            said["deltas"][0]["expected"] if "deltas" in said else said["expected"],
            d["expected"],
            4,
        )
        fixed = ("--fix", "llm=vicuna-7b", "--fix", "data=llava-665k")
        picked = support.call_json("pick", "--tasks", "my-bench", *fixed, *own)
        self.assertGreater(picked["considered"], 0)
        asked = support.call_json("CLIP vs my-vit-x on my-bench", *own)["deltas"][0]
        self.assertEqual((asked["benchmark"], asked["expected"]), ("my-bench", d["expected"]))
        # without the tables it is as unknown as before
        self.assertEqual(support.call("swap", "CLIP", "my-vit-x")[0], 2)
        self.assertEqual(support.call("swap", "CLIP", "SigLIP", "--benchmark", "my-bench")[0], 2)

    def test_what_is_not_known_is_no_ground(self):
        def grade(one: dict, other: dict) -> str:
            path = self.folder / "q.jsonl"
            path.write_text(json.dumps({"from": one, "to": other, "benchmark": "docvqa"}))
            return json.loads(support.call("predict", str(path))[1])["deltas"][0]["grade"]

        self.assertEqual(grade({"encoder": "siglip"}, {"encoder": "Quuxnet-L"}), "none")
        # its name says what it is
        self.assertEqual(grade({"encoder": "siglip"}, {"encoder": "dinov9-huge"}), "extrapolated")
        warnings = support.call_json("swap", "qwen2-7b", "falcon3-7b")["warnings"]
        self.assertEqual(
            [text.partition(":")[0] for text in warnings if "no table has a row" in text],
            ["no table has a row of falcon3-7b"],
        )
        # a size says nothing of what is in a mix
        for size in (665000, 660000):
            self.assertEqual(
                grade(
                    {"data": "llava-665k", "data_size": 665000},
                    {"data": "my-data", "data_size": size},
                ),
                "none",
                size,
            )

    def test_rows_that_count_already_are_named(self):
        paper = support.raw_paper("honeybee")
        paper["paper"]["key"] = "copied"
        paper["tables"] = [table for table in paper["tables"] if table["id"] == "honeybee.table6"]
        text = json.dumps(paper).replace("honeybee.", "copied.")
        (self.folder / "copied.json").write_text(text)
        warnings = support.call_json(
            "swap", "224", "336", "--benchmark", "mmbench_en", "--tables", str(self.folder)
        )["warnings"]
        self.assertTrue(
            any("of copied carry the scores of rows of honeybee" in text for text in warnings),
            warnings,
        )

    def test_two_spellings_of_an_unknown_component_are_one(self):
        self.write(8.0, papers=2)
        self.edit(('"encoder": "SigLIP"', '"encoder": "My ViT"'))
        other = self.folder / "own1.json"
        other.write_text(other.read_text().replace('"encoder": "SigLIP"', '"encoder": "my-vit"'))
        for asked in ("My ViT", "my-vit"):
            answer = support.call_json(
                "swap", "CLIP", asked, "--benchmark", "mmmu", "--tables", str(self.folder)
            )
            self.assertEqual(
                {row["table"] for row in answer["deltas"][0]["evidence"]},
                {"own0.t1", "own1.t1"},
                asked,
            )
            self.assertEqual(len([text for text in answer["warnings"] if "of --tables" in text]), 1)

    def test_names_without_ascii_letters_are_not_taken_for_each_other(self):
        self.write(8.0, papers=2)
        self.edit(('"encoder": "SigLIP"', '"encoder": "視覚"'))
        other = self.folder / "own1.json"
        other.write_text(other.read_text().replace('"encoder": "SigLIP"', '"encoder": "眼"'))
        names = {
            row.setting["encoder"]
            for paper in Library([str(self.folder)]).own_papers()
            for row in paper.tables[0].rows
        }
        self.assertEqual(names, {"clip-vit-l-14", "視覚", "眼"})

    def test_a_component_without_a_record_is_no_traceback(self):
        self.write(8.0)
        self.edit(('"llm": "qwen2.5-7b"', '"llm": "my-llm"'))
        for argv, said in (
            (("pick", "--fix", "llm=my-llm"), "no candidate has llm my-llm"),
            (("schedule", "--on", "my-llm"), "no size for my-llm"),
        ):
            code, _, err = support.call(*argv, "--tables", str(self.folder))
            self.assertEqual(code, 2)
            self.assertIn(said, err)

    def test_check_judges_names_by_the_registry_alone(self):
        """That a user's tables have a name makes it one to ask about, not one that is right."""
        self.write(8.0)
        self.edit(
            ('"encoder": "SigLIP"', '"encoder": "My ViT"'),
            ('{"benchmark": "mmmu"}', '{"benchmark": "MMMU"}'),
        )
        found = support.call_json("check", "--tables", str(self.folder), exit_code=1)
        self.assertEqual(found, support.call_json("check", str(self.folder), exit_code=1))
        said = json.dumps(found)
        self.assertIn("unknown encoder 'My ViT'", said)
        self.assertIn("unknown benchmark 'MMMU'", said)
        (self.folder / "own0.json").write_text('{"format": 2}')
        self.assertEqual(
            support.call_json("check", "--tables", str(self.folder), exit_code=1),
            support.call_json("check", str(self.folder), exit_code=1),
        )

    def test_a_benchmark_that_is_spelled_otherwise_is_named(self):
        self.write(8.0)
        self.edit(('{"benchmark": "mmmu"}', '{"benchmark": "MMMU"}'))
        warnings = support.call_json(
            "swap", "CLIP", "SigLIP", "--benchmark", "mmmu", "--tables", str(self.folder)
        )["warnings"]
        self.assertEqual(
            [
                "'MMMU'" in text and "should be written 'mmmu'" in text
                for text in warnings
                if "of --tables" in text
            ],
            [True],
        )

    def test_scores_that_cannot_be_are_left_out_and_named(self):
        before = self.mmmu()
        self.write(8.0)
        for impossible in ("1e9", "-3", "1e11"):
            self.write(8.0)
            self.edit(("44.0", impossible))
            answer = support.call_json(
                "swap", "CLIP", "SigLIP", "--benchmark", "mmmu", "--tables", str(self.folder)
            )
            self.assertAlmostEqual(
                answer["deltas"][0]["expected"], before["expected"], 5, impossible
            )
            said = [text for text in answer["warnings"] if "left out" in text]
            self.assertEqual(len(said), 1)
            self.assertIn("own0.t1", said[0])
            self.assertIn("ours, SigLIP", said[0])

    def test_a_published_id_is_refused(self):
        self.write(1.0)
        path = self.folder / "own0.json"
        path.write_text(path.read_text().replace("own0.t1", "cambrian1.table11"))
        code, _, err = support.call("swap", "CLIP", "SigLIP", "--tables", str(self.folder))
        self.assertEqual(code, 2)
        self.assertIn("cambrian1.table11", err)

    def test_order_of_the_folders_does_not_matter(self):
        folders = []
        for number, delta in enumerate((8.0, -2.0)):
            self.write(delta)
            folders.append(self.folder / str(number))
            folders[-1].mkdir()
            (folders[-1] / "own.json").write_text(
                (self.folder / "own0.json").read_text().replace("own0", f"own{number}")
            )
        first, second = (
            Change(
                {**BASE, **CLIP},
                {**BASE, **SIGLIP},
                Library(list(map(str, order))).posterior,
                support.library().words,
            ).predict("mmmu", "reasoning-knowledge")
            for order in (folders, folders[::-1])
        )
        for x, y in zip(first, second, strict=True):
            self.assertAlmostEqual(x, y, 9)


if __name__ == "__main__":
    unittest.main()
