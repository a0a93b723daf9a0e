"""`models` at the command line, and the models that stand beside a pick."""

import json
import unittest

from recipes.released import models as released
from recipes.released import ranking as landscape
from recipes.terms.tasks import parse_mix
from tests import support

from .test_landscape import RAW, land


class Models(unittest.TestCase):
    def test_examples(self):
        answer = support.call_json("models", "--under", "5B", "--tasks", "documents")
        self.assertEqual(answer["models"][0]["model"], "qwen3-vl-4b-instruct")
        self.assertTrue(all(m["params_b"] < 5 for m in answer["models"]))
        self.assertIn("parameters", answer["left_out"])
        answer = support.call_json(
            "models", "--multi-image", "--tasks", "ocr-document", "--under", "8B"
        )
        self.assertTrue(all(m["params_b"] < 8 for m in answer["models"]))
        self.assertIn("gemma-3-4b", answer["left_out"]["multi-image"])
        self.assertIn("Qwen2.5-VL-7B (8.3B", " ".join(answer["warnings"]))
        answer = support.call_json(
            "models", "--floor", "docvqa=95", "--memory", "24GB", "--dtype", "int4", "--top", "50"
        )
        self.assertIn("qwen2.5-vl-7b", [m["model"] for m in answer["models"]])
        self.assertIn("below it by another: Qwen2.5-VL-7B", " ".join(answer["warnings"]))
        for m in answer["models"]:
            self.assertLessEqual(m["memory_gb"], 24)
            doc = next(s for s in m["scores"] if s["benchmark"] == "docvqa")["score"]
            self.assertGreaterEqual(doc["value"], 95)

    def test_text(self):
        code, out, err = support.call("models", "--under", "5B", "--tasks", "documents")
        self.assertEqual((code, err), (0, ""))
        for part in (
            "DocVQA 95.3",
            "~",
            "left out because the registry does not say: parameters (11)",
            "side by side (their authors",
            "24 not ranked",
            "86.",
        ):
            self.assertIn(part, out)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))
        code, out, _ = support.call("models", "--top", "3", "--tasks", "math", "--why")
        self.assertIn("qwen3vl-report: Table 3", " ".join(out.split()))
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))

    def test_card(self):
        code, out, _ = support.call("models", "qwen2.5-vl-7b")
        self.assertEqual(code, 0)
        for part in (
            "MMMU val: 58.6 / 51.8 / 51.33 / 55 (7.3 points apart)",
            "8.3B (stated)",
            "Microsoft internal pipeline",
            "qwen25vl-readme: github QwenLM/Qwen2.5-VL",
        ):
            self.assertIn(part, out)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))
        card = support.call_json("models", "qwen2.5-vl-7b")["models"][0]
        record = next(r for r in RAW["models"] if r["key"] == "qwen2.5-vl-7b")
        self.assertEqual(
            [(s["value"], s["source"]) for s in card["scores"]],
            [(s["value"], s["source"]) for s in record["scores"]],
        )
        self.assertTrue(all(s["source"].split(":")[0] in card["sources"] for s in card["scores"]))

    def test_every_card_prints(self):
        from recipes.show import models_card as report
        from recipes.show.text import Style

        for model in land().models:
            text = report.card_text(land(), model, Style())
            self.assertTrue(all(len(line) <= 80 for line in text.splitlines()), model.key)
            json.dumps(report.card_json(land(), model), allow_nan=False)

    def test_named_models_are_ranked(self):
        answer = support.call_json("models", "gpt-4v", "llava-1.5-7b", "--tasks", "documents")
        self.assertEqual({m["model"] for m in answer["models"]}, {"gpt-4v", "llava-1.5-7b"})
        self.assertEqual(
            len(support.call_json("models", "llava-1.5-7b", "LLaVA-1.5-7B")["models"]), 1
        )

    def test_tree(self):
        value = support.call_json("models", "--tree")
        self.assertEqual(
            [b["need"] for b in value["branches"]], [label for label, _, _ in landscape.BRANCHES]
        )
        self.assertTrue(
            all(leaf["models"][0]["release"] for b in value["branches"] for leaf in b["leaves"])
        )
        code, out, _ = support.call("models", "--tree")
        self.assertEqual(code, 0)
        self.assertIn(value["branches"][0]["leaves"][0]["models"][0]["name"], out)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))

    def test_same_input_same_bytes(self):
        for argv in (
            ("models", "--tasks", "charts"),
            ("benchmarks", "--tasks", "documents", "--json"),
        ):
            self.assertEqual(support.call(*argv), support.call(*argv))

    def test_nothing_passes(self):
        code, out, err = support.call("models", "--under", "0.01B")
        self.assertEqual((code, err), (1, ""))
        self.assertIn("none passes", out)

    def test_licence_notes(self):
        self.assertIn(
            "conditions on commercial use",
            " ".join(
                support.call_json("models", "--licence", "commercial", "--tasks", "math")[
                    "warnings"
                ]
            ),
        )

    def test_bad_input(self):
        for argv, word in (
            (("qwen2.5-vl",), "qwen2.5-vl-7b"),
            (("--floor", "docvqa"), "docvqa=90"),
            (("--floor", "docvqa=950"), "100"),
            (("--floor", "coco=90"), "docvqa"),
            (("--floor", "dovcqa=90"), "docvqa"),
            (("--floor", "=90"), "unknown benchmark"),
            (("--under", "x"), "5B"),
            (("--under", "0"), "5B"),
            (("--year", "20"), "2025+"),
            (("--memory", "big"), "24GB"),
            (("--tasks", "captions"), "captioning"),
            (("--tasks", "chartz"), "chart"),
            (("--tree", "--tasks", "documents"), "--tree"),
            (("llava-1.5-7b", "--video"), "filters"),
            (("--open", "--all"), "--open"),
            (("--dtype", "int3"), "int3"),
            (("--top", "0"), "between 1 and 100"),
            (("--licence", " "), "commercial"),
            (("--undr", "5B"), "--under"),
        ):
            code, out, err = support.call("models", *argv)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), (argv, err))
            self.assertIn(word, err)


class Contenders(unittest.TestCase):
    def test_the_first_few_are_those_of_the_whole_ranking(self):
        """`adopt` judges only the models whose printed scores stand highest: for every family the
        first three are the same as judging all.
        """
        words = support.library().words
        for family in ("ocr-document", "chart", "reasoning-knowledge", "general-vqa", "math"):
            tasks = parse_mix(family, words)
            land = released.Landscape(words)
            wanted, _ = landscape.targets(land, tasks)
            whole, _ = landscape.rank(
                land, released.sieve(land, released.Need(None, 24.0, "bf16")).models, wanted
            )
            few = landscape.adopt(
                landscape.Landscape(words), tasks, released.Need(memory_gb=24.0)
            ).ranked
            self.assertEqual([r.model.key for r in few], [r.model.key for r in whole[:3]], family)


if __name__ == "__main__":
    unittest.main()
