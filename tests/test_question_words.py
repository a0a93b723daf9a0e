"""The words of questions (registry/language.json) and the parts that a sentence is cut into."""

import json
import unittest

from recipes.asking import door as question
from recipes.asking import language, reader
from recipes.asking.lexicon import Lexicon, atoms

from . import support
from .asked import CASES, LANGUAGE


class Words(unittest.TestCase):
    """registry/language.json: what `check` holds it to."""

    def test_it_is_clean(self):
        self.assertEqual(list(language.problems(LANGUAGE.data)), [])

    def test_what_is_wrong_is_found(self):
        for change, said in (
            ({"name": "x", "words": "replace", "frames": "swap:1"}, "means swap and x"),
            ({"name": "x", "words": "the", "frames": "swap:1"}, "is a function word"),
            ({"name": "x", "words": "flumm", "frames": ""}, "no reading takes it"),
            ({"name": "x", "words": "flumm", "frames": "swap:1:@y"}, "no concept"),
        ):
            data = {**LANGUAGE.data, "concepts": [*LANGUAGE.data["concepts"], change]}
            self.assertIn(said, " ".join(text for _, text in language.problems(data)), change)

    def test_every_frame_of_a_concept_is_there(self):
        for concept in LANGUAGE.concepts.values():
            self.assertLessEqual(concept.frames.keys(), reader.FRAMES.keys(), concept.name)

    def test_a_phrasing_is_one_line(self):
        data = json.loads(json.dumps(LANGUAGE.data))
        line = next(line for line in data["concepts"] if line["name"] == "swap")
        line["words"] += ", transmogrify"
        self.assertTrue(language.Language(data).find(["transmogrifying"], 0))

    def test_inflections(self):
        for word, base in {
            "replaced": "replace",
            "replacing": "replace",
            "cutting": "cut",
            "studies": "study",
            "beats": "beat",
        }.items():
            self.assertIn(base, list(language.bases(word)))


class Parts(unittest.TestCase):
    def test_names_are_the_longest_run(self):
        lexicon = Lexicon(support.library().words, LANGUAGE)
        for text, kinds in {
            "text vqa": ["benchmark"],
            "q former": ["connector"],
            "llama 3 8b": ["llm"],
            "7 billion params": ["size"],
            "8 x H100 for 2 days": ["budget"],
            "1,000 A100 gpu-hours": ["budget"],
            "576-1024 visual tokens": ["range"],
            "1024 x 768": ["image"],
            "2e21 flops": ["budget"],
            "300 ms": ["latency"],
            "24 gigs": ["memory"],
            "cambrian1.table11": ["table"],
            "half documents": ["percent", "family"],
            "clip large": ["encoder"],
        }.items():
            items = lexicon.read(text)
            self.assertEqual(
                [item.readings[0].kind for item in items if item.readings], kinds, (text, items)
            )

    def test_nothing_of_a_sentence_is_lost(self):
        """Every letter and digit is in some atom."""
        for case in CASES:
            said = "".join(atom.raw for atom in atoms(case["question"], {}))
            if not any(
                short in case["question"].lower()
                for short in (
                    "'",
                    "’",
                    "w/",
                    "im ",
                    "vision",
                    "language",
                    "open-source",
                    "hows",
                    "first token",
                    "reasoning",
                    "overall",
                    "the-shelf",
                    "fine-tun",
                    "pre-train",
                    "→",
                    "general",
                    "best",
                    "whats",
                    "×",
                    " .",
                )
            ):
                self.assertEqual(
                    "".join(c for c in said.lower() if c.isalnum()),
                    "".join(c for c in case["question"].lower() if c.isalnum()),
                    case["question"],
                )

    def test_models_are_read_only_when_one_is_named(self):
        from recipes.terms.vocabulary import open_vocabulary

        words = open_vocabulary(support.TABLES)
        question.understand("swap CLIP for SigLIP on 7B for charts", words)
        self.assertNotIn("models", words._files)
        question.understand("what does Qwen2.5-VL-7B score on DocVQA", words)
        self.assertIn("models", words._files)


if __name__ == "__main__":
    unittest.main()
