"""Questions in plain words: the suite of phrasings, and that nothing is guessed."""
import json
import unittest

from recipes import cli, question

from . import support


class Suite(unittest.TestCase):
    def test_every_phrasing(self):
        words = support.library().words
        lines = (support.DATA / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        self.assertGreaterEqual(len(lines), 60)
        for line in lines:
            case = json.loads(line)
            with self.subTest(case["question"]):
                if "argv" in case:
                    understood = question.understand(case["question"], words)
                    self.assertEqual(list(understood.argv), case["argv"])
                    self.assertEqual(understood.command, case["argv"][0])
                    cli.parser_of(understood.command).parse_args(understood.argv[1:])
                else:
                    with self.assertRaises(question.QuestionError) as caught:
                        question.understand(case["question"], words)
                    for text in case["error"]:
                        self.assertIn(text, str(caught.exception))
                    self.assertNotIn("\n", str(caught.exception))

    def test_spelling_of_the_frame_does_not_matter(self):
        words = support.library().words
        plain = question.understand("swap CLIP for SigLIP on 7B", words)
        for text in ("  swap  CLIP for SigLIP on 7B ?", "Swap clip for siglip on 7b", "SWAP CLIP FOR SIGLIP ON 7B.", "swap CLIP → SigLIP on 7B"):
            self.assertEqual(question.understand(text, words).argv, plain.argv, text)

    def test_every_word_is_accounted_for(self):
        words = support.library().words
        for text in ("pick a recipe for documents xyzzy", "what should I ablate first for charts xyzzy", "swap CLIP for SigLIP xyzzy"):
            with self.assertRaises(question.QuestionError) as caught:
                question.understand(text, words)
            self.assertIn("xyzzy", str(caught.exception))

    def test_too_long_and_empty(self):
        for text in ("", "   ", "?", "swap " * 200):
            with self.assertRaises(question.QuestionError):
                question.understand(text, support.library().words)

    def test_the_closest_question(self):
        for text in question.EXAMPLES:
            self.assertEqual(question.closest(text + " or so"), text)


if __name__ == "__main__":
    unittest.main()
