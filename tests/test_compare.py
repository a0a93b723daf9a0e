"""`compare`: scores of answers, questions and images, what is printed."""

import json
import os
import unittest
import unittest.mock

from recipes.base.reading import EvidenceError
from recipes.exchange import compare, questions
from recipes.show import compare as compared
from recipes.show.text import Style

from . import support
from .chat_server import Folder, png


class Scoring(unittest.TestCase):
    def test_exact_match(self):
        for text, answer, same in (
            ("B", "B", 1),
            ("B.", "B", 1),
            ("(B)", "B", 1),
            ("B) cat", "B", 1),
            ("**B**", "B", 1),
            ("b", "B", 1),
            ("Answer: B", "B", 1),
            ("The answer is B.", "B", 1),
            ("B: because", "B", 1),
            ("<think>A? no</think>\nB", "B", 1),
            ("A cat", "A", 0),
            ("Because", "B", 0),
            ("A, B", "A", 0),
            ("A.B", "A", 0),
            ("C", "B", 0),
            ("The cat!", "cat", 1),
            ("1,000", "1000", 1),
            ("3.5", "35", 0),
            ("3.5.", "3.5", 1),
            ("-5", "5", 0),
            ("50%", "50", 1),
            ("two-door", "two door", 1),
            ("ÜNÏ", "ünï", 1),
            ("", "x", 0),
            ("a", "the", 0),
            ("cats", "cat", 0),
        ):
            self.assertEqual(compare.right(text, [answer]), bool(same), (text, answer))
        self.assertTrue(compare.right("cat", ["dog", "cat"]))
        self.assertFalse(compare.right("cat", []))

    def test_hostile_texts_are_scored_in_no_time(self):
        for text in (
            "_" * 200_000,
            "answer " * 50_000,
            "<think>" * 50_000,
            "1," * 100_000,
            "*" * 100_000 + "b",
        ):
            compare.right(text, ["B"])
            compare.right(text, ["cat"])

    def test_wilson(self):
        """Against the closed form at its ends, and by inverting the score test."""
        z = 1.2815515655446004
        self.assertAlmostEqual(compare.wilson(0, 10)[1], z * z / (10 + z * z))
        self.assertAlmostEqual(compare.wilson(10, 10)[0], 10 / (10 + z * z))
        for hits, of in ((3, 10), (70, 100), (1, 2)):
            for bound in compare.wilson(hits, of):
                self.assertAlmostEqual(
                    abs(hits / of - bound), z * (bound * (1 - bound) / of) ** 0.5
                )


class Asked(Folder):
    """Questions and their images."""

    def read(self, text: str, name="q.jsonl"):
        return questions.read_questions(self.write(name, text))

    def test_images_of_a_cell_that_a_comma_separates(self):
        self.write("b.png", png())
        items = self.read('id,question,images\n1,Which?,"a.png,b.png"\n', "q.csv")
        with self.assertRaisesRegex(questions.QuestionsError, r"a\.png\|b\.png"):
            questions.picture(items[0].images[0], items[0].labels[0])
        self.assertIn("a.png|b.png", " ".join(support.call("compare", "--help")[1].split()))

    def test_jsonl_and_csv_are_the_same(self):
        self.write("sub/b.png", png())
        lines = self.read(
            '{"id": 1, "question": "How many?", "images": ["a.png", "sub/b.png"], "answer": ["2",'
            ' "two"]}\n\n{"question": "Colour, please?", "images": "a.png"}\n'
        )
        table = self.read(
            'id,question,images,answer\n1,How many?,a.png|sub/b.png,2|two\nline 3,"Colour,'
            ' please?",a.png,\n',
            "q.csv",
        )
        self.assertEqual(lines, table)
        self.assertEqual(
            (lines[0].answers, len(lines[0].images), lines[1].answers), (("2", "two"), 2, ())
        )

    def test_images_stay_below_the_folder(self):
        outside = self.write("secret.png", png())
        inner = self.folder / "inner"
        inner.mkdir()
        os.symlink(outside, inner / "link.png")
        (inner / "..evil.png").write_bytes(png())
        for label in ("../secret.png", outside, "link.png", ".", "x/../../secret.png", "a\0b"):
            self.write("inner/q.jsonl", json.dumps({"question": "?", "images": [label]}))
            with self.assertRaisesRegex(questions.QuestionsError, "below the folder"):
                questions.read_questions(str(inner / "q.jsonl"))
        self.write("inner/q.jsonl", json.dumps({"question": "?", "images": ["..evil.png"]}))
        self.assertEqual(len(questions.read_questions(str(inner / "q.jsonl"))), 1)

    def test_bad_lines_name_their_place(self):
        for text, word in (
            ('{"question": "x", "imagse": []}', "did you mean images"),
            ("[]", "not an object"),
            ("{", "not JSON"),
            ('{"question": ""}', "question"),
            ('{"question": 3}', "question"),
            ('{"question": "x", "images": [3]}', "images"),
            ('{"question": "x", "answer": {}}', "answer"),
            ('{"question": "x", "answer": [true]}', "answer"),
            ('{"id": "", "question": "x"}', "id"),
            ('{"id": true, "question": "x"}', "id"),
            ('{"id": "1", "question": "x"}\n{"id": 1, "question": "y"}', "line 1 too"),
            ("", "no questions"),
            ("[" * 500, "deep"),
            (json.dumps({"question": "x", "images": ["a.png"] * 65}), "at most 64"),
        ):
            with self.assertRaises((questions.QuestionsError, EvidenceError)) as caught:
                self.read(text)
            self.assertIn(word, str(caught.exception))
            self.assertIn("q.jsonl", str(caught.exception))
        for text, word in (
            ("id,question\n1\n", "cells"),
            ("id,question\n1,x,y\n", "cells"),
            ("id,quesion\n1,x\n", "did you mean question"),
            ('id,question\n1,"x"y\n', "not CSV"),
        ):
            with self.assertRaisesRegex(questions.QuestionsError, word):
                self.read(text, "q.csv")

    def test_flags(self):
        item = questions.Item("question", "?", (), ())
        self.assertEqual(
            [i.id for i in questions.from_flags([item], ["a", "b"], False)],
            ["question a", "question b"],
        )
        self.assertEqual(
            [i.images for i in questions.from_flags([item], ["a", "b"], True)], [("a", "b")]
        )


class Outlier(unittest.TestCase):
    def test_a_slow_first_answer_is_named_and_left_out(self):
        def of(*times):
            return [{"error": None, "ttft_ms": time} for time in times]

        self.assertEqual(compare.slow_first(of(5000, 200, 220, 210)), (5000, 210))
        self.assertEqual(len(compare.without_slow_first(of(5000, 200, 220))), 2)
        for times in ((500, 200, 220), (5000, 200), (), (200, 5000, 200, 200), (None, 1, 1, 1)):
            self.assertIsNone(compare.slow_first(of(*times)))
        note = compare.outlier_note({"name": "a", "slow_first": (5000.0, 210.0)})
        self.assertIn("5,000 ms", note)


class Text(unittest.TestCase):
    def test_safe(self):
        self.assertEqual(compared.safe("a\x1b[2J\n\tb\u202ec\x9b"), "a?[2J b?c?")

    def test_a_summary_without_answers_or_rates(self):
        value = {
            "endpoints": [
                {
                    "name": "a",
                    "url": "u",
                    "model": "m",
                    "exact": None,
                    "tokens_counted_by": [],
                    "cut": 0,
                    "reasoning": 0,
                    "by_resize": [
                        {
                            "resize": None,
                            "ok": 0,
                            "failed": 1,
                            "ttft_ms": None,
                            "total_ms": None,
                            "tokens_per_s": None,
                            "exact": None,
                        }
                    ],
                }
            ],
            "items": [
                {
                    "id": "1",
                    "question": "q",
                    "image": "i",
                    "resize": None,
                    "expected": [],
                    "answers": {"a": {"error": "HTTP 500", "text": None, "right": None}},
                }
            ],
        }
        text = compared.summary_text(value, [], Style())
        self.assertIn("failed: HTTP 500", text)


if __name__ == "__main__":
    unittest.main()
