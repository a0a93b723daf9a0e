"""What questions needed of commands: cells that have several words, does it fit, the smallest."""

import json
import unittest

from . import support


class Commands(unittest.TestCase):
    """What questions needed of commands: cells that have several words, does it fit, the
    smallest.
    """

    def test_cells_that_have_all_words(self):
        answer = support.call_json("tables", "find", "cambrian1", "DINOv2", "mmmu")
        self.assertEqual(answer["words"], ["cambrian1", "DINOv2", "mmmu"])
        cells = [
            (hit["table"], cell["arm"], cell["benchmark"], cell["value"])
            for hit in answer["hits"]
            for cell in hit["cells"]
        ]
        self.assertIn(("cambrian1.table11", "DINOv2 ViT-L/14@336", "mmmu", 34.2), cells)
        self.assertEqual({table.split(".")[0] for table, *_ in cells}, {"cambrian1"})
        self.assertEqual({benchmark for *_, benchmark, _ in cells}, {"mmmu"})
        for table, arm, _, value in cells:
            row = next(row for row in support.table_of(table).rows if row.arm == arm)
            self.assertIn(value, row.scores.values())
            self.assertIn("dinov2", json.dumps([row.arm, dict(row.setting)]).lower())
        text = support.call("tables", "find", "cambrian1", "DINOv2", "mmmu")[1]
        self.assertIn("DINOv2 ViT-L/14@336: mmmu 34.2", text)

    def test_cells_of_a_family_and_words_that_nothing_has(self):
        hits = support.call_json("tables", "find", "idefics2", "perceiver", "documents")["hits"]
        self.assertLessEqual(
            {cell["benchmark"] for hit in hits for cell in hit["cells"]},
            {"docvqa", "textvqa", "ocrbench", "infovqa"},
        )
        code, out, _ = support.call("tables", "find", "q-former", "xyzzy")
        self.assertEqual(code, 1)
        self.assertIn("nothing at all has xyzzy", out)
        self.assertEqual(support.call("tables", "list", "x")[0], 2)
        self.assertEqual(
            support.call_json("tables", "show", "Cambrian-1 Table 11"),
            support.call_json("tables", "show", "cambrian1.table11"),
        )

    def test_tables_that_vary_an_axis(self):
        value = support.call_json("which tables vary the LLM")
        self.assertEqual(value["understood"]["argv"], ["tables", "find", "--varies", "llm"])
        want = [
            table.id
            for paper in support.library().papers()
            for table in paper.tables
            if "llm" in table.varies
        ]
        self.assertEqual([hit["table"] for hit in value["hits"]], want)
        both = support.call_json("tables", "find", "siglip", "--varies", "llm")["hits"]
        self.assertTrue(0 < len(both) < len(want))
        self.assertLessEqual({hit["table"] for hit in both}, set(want))
        for argv in (("find", "--varies", "foo"), ("list", "--varies", "llm")):
            self.assertEqual(support.call("tables", *argv)[0], 2)

    def test_tokens_of_several_models_side_by_side(self):
        every = support.call_json("tokens", "--all", "--image", "448x448")["models"]
        counts = {one["model"]: one["images"][0]["visual_tokens"] for one in every}
        self.assertEqual((counts["llava-1.5"], counts["qwen2-vl"]), (576, 256))
        two = support.call_json(
            "tokens", "--model", "qwen2-vl", "--model", "llava-1.5", "--image", "448x448"
        )["models"]
        self.assertEqual([one["model"] for one in two], ["qwen2-vl", "llava-1.5"])
        self.assertLessEqual({one["model"] for one in two}, counts.keys())
        lines = support.call("tokens", "--all", "--image", "448x448")[1].splitlines()[1:]
        shown = [int(line.split()[-1].replace(",", "")) for line in lines]
        self.assertEqual(shown, sorted(counts.values()))
        self.assertEqual(support.call("tokens", "--all", "--encoder", "siglip")[0], 2)

    def test_models_built_from_a_component(self):
        records = {m["name"]: m for m in support.library().words.registry("models")["models"]}
        for name, part in (("siglip-so400m-14", "encoder"), ("qwen2-7b", "llm")):
            found = support.call_json("models", "--uses", name, "--top", "100")["models"]
            self.assertTrue(found)
            for model in found:
                self.assertIn(name, records[model["name"]][part])
        self.assertEqual(support.call("models", "--uses", "banana")[0], 2)

    def test_does_it_fit(self):
        for memory, said in (("24GB", "fit in 24 GB"), ("2GB", "do not fit in 2 GB")):
            self.assertIn(
                said,
                support.call(
                    "latency", "--llm-params-b", "13B", "--dtype", "int4", "--memory", memory
                )[1],
            )
        self.assertEqual(support.call("latency", "--memory", "big")[0], 2)

    def test_the_smallest(self):
        every = support.call_json("models", "--tasks", "documents", "--top", "100")["models"]
        small = support.call_json("models", "--tasks", "documents", "--smallest", "--top", "100")[
            "models"
        ]
        sizes, scores = [m["params_b"] for m in small], [m["score"]["expected"] for m in small]
        self.assertEqual((sizes, scores), (sorted(sizes), sorted(scores)))
        for model in every:  # none is beaten by one of its size or below that is not listed
            if model["params_b"]:
                self.assertLessEqual(
                    model["score"]["expected"],
                    max(
                        (s for p, s in zip(sizes, scores, strict=True) if p <= model["params_b"]),
                        default=-1,
                    ),
                    model["name"],
                )


if __name__ == "__main__":
    unittest.main()
