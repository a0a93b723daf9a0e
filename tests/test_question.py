"""Questions in plain words: the suite of phrasings, that its answers run, and that nothing is
guessed.
"""

import json
import random
import string
import unittest

from recipes.asking import changes, language, reader
from recipes.asking import door as question
from recipes.asking.lexicon import Lexicon, atoms
from recipes.asking.sentence import Draft, compose
from recipes.commands import registry

from . import support

CASES = [
    json.loads(line)
    for line in (support.DATA / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]


LANGUAGE = language.Language(
    json.loads((support.ROOT / "tables/registry/language.json").read_text(encoding="utf-8"))
)
# Commands and flags of which a question speaks and which are built apart from it.
COMING = "rank versus moves noise explain --tuning --samples --zero --images --all --uses --fastest".split()


def understood(text: str):
    """What a question becomes: a list of argv, or its error."""
    try:
        return [list(question.understand(text, support.library().words).argv)]
    except question.Ambiguous as several:
        return [list(one.argv) for one in several.readings]
    except reader.QuestionError as error:
        return str(error)


class Suite(unittest.TestCase):
    def test_every_phrasing(self):
        self.assertGreaterEqual(len(CASES), 400)
        self.assertEqual(len({case["question"] for case in CASES}), len(CASES))
        parsers = {name: registry.parser_of(name) for name in registry.COMMANDS}
        for case in CASES:
            with self.subTest(case["question"]):
                got = understood(case["question"])
                if "error" in case:
                    self.assertIsInstance(got, str, got)
                    for text in case["error"]:
                        self.assertIn(text, got)
                    self.assertNotIn("\n", got)
                    continue
                self.assertEqual(got, case.get("ambiguous") or [case["argv"]])
                for argv in got:
                    if not set(argv) & set(COMING):
                        parsers[argv[0]].parse_args(argv[1:])

    def test_what_they_become_can_be_carried_out(self):
        """A spread of commands: each runs, and says in JSON what was understood."""
        wanted = {
            "swap": 4,
            "tables": 3,
            "benchmarks": 2,
            "tokens": 3,
            "cost": 2,
            "latency": 2,
            "curve": 2,
            "design": 2,
            "models": 2,
            "claims": 1,
            "pick": 1,
            "ablate": 1,
        }
        # no cell has it: exit code 1
        nothing = ("evidence for Q-Former on OCRBench", "score of llava-1.5-7b on MMMU")
        spread = random.Random(7)
        cases = [
            case
            for case in CASES
            if "argv" in case
            and case["question"] not in nothing
            and not set(case["argv"]) & set(COMING)
        ]
        for command, count in wanted.items():
            for case in spread.sample(
                [case for case in cases if case["argv"][0] == command], count
            ):
                with self.subTest(case["question"]):
                    answer = support.call_json(case["question"])
                    self.assertEqual(
                        answer["understood"], {"command": command, "argv": case["argv"]}
                    )
                    self.assertGreater(len(answer), 1)

    def test_every_frame_has_an_example_that_it_reads(self):
        commands = {"card": "models", "find": "tables", "show": "tables", "mixes": "tables",
                    "list": "tables", "bench": "benchmarks"}  # fmt: skip
        for name, frame in reader.FRAMES.items():
            got = understood(frame.example)
            self.assertIsInstance(got, list, (name, got))
            self.assertEqual(got[0][0], commands.get(name, name), frame.example)
        for text in question.EXAMPLES:
            self.assertIsInstance(understood(text), list, text)

    def test_spelling_of_the_frame_does_not_matter(self):
        for text, variants in {
            "swap CLIP for SigLIP on 7B": (
                "  swap  CLIP for SigLIP on 7B ?",
                "Swap clip for siglip on 7b",
                "SWAP CLIP FOR SIGLIP ON 7B.",
                "swap CLIP → SigLIP on 7 B",
                "please swap the CLIP for a SigLIP on a 7B, thanks!",
                "swap clip for siglp on 7b",
            ),
            "pick a recipe for charts under 500 A100-hours": (
                "for charts, pick a recipe under 500 A100 hours",
                "under 500 a100-hours: pick a recipe for charts",
            ),
        }.items():
            for variant in variants:
                self.assertEqual(understood(variant), understood(text), variant)


class NeverAGuess(unittest.TestCase):
    def test_an_unknown_word_anywhere_is_named(self):
        """Each question of the suite with a word that means nothing put into it is refused, and the
        word is named.
        """
        spread = random.Random(3)
        for case in spread.sample([c for c in CASES if "argv" in c], 60):
            parts = case["question"].split()
            parts.insert(spread.randrange(len(parts) + 1), "xyzzyq")
            got = understood(" ".join(parts))
            self.assertIsInstance(got, str, (parts, got))
            self.assertIn("xyzzyq", got)

    def test_negation_and_second_values_are_not_dropped(self):
        for text in (
            "is SigLIP not better than CLIP",
            "swap CLIP for SigLIP on 7B and 13B",
            "recipe for documents under 24GB and 16GB",
            "swap CLIP for SigLIP under 24GB",
            "what should I train for charts in two days",
            "swap CLIP for 中文",
            "how many runs to compare 3 encoders",
            "swap CLIP for SigLIP without DINOv2",
        ):
            self.assertIsInstance(understood(text), str, text)

    def test_digits_are_never_corrected(self):
        for text in (
            "swap qwen4-7b for qwen2-7b",
            "swap CLIP for dinov9",
            "swap siglip3 for siglip2",
        ):
            self.assertIsInstance(understood(text), str, text)

    def test_noise_is_refused_in_one_line(self):
        spread = random.Random(5)
        words = sorted(LANGUAGE.known)
        for n in range(200):
            if n % 2:
                text = "".join(
                    spread.choice(string.printable) for _ in range(spread.randrange(1, 60))
                )
            else:
                text = " ".join(
                    spread.choice([*words, "CLIP", "7B", "576", "tokens", "+", "%", "x", "500"])
                    for _ in range(spread.randrange(1, 12))
                )
            got = understood(text)
            if isinstance(got, str):
                self.assertNotIn("\n", got)
                self.assertLess(len(got), 500)

    def test_too_long_and_empty(self):
        for text in ("", "   ", "?", "_ #", "swap " * 200):
            self.assertIsInstance(understood(text), str)
        self.assertIn("empty question", understood("_ #"))


class Sides(unittest.TestCase):
    """A quantity is the most or the least of something by its flag: a word of the other side is
    refused wherever it stands, never dropped.
    """

    def test_every_word_of_the_other_side(self):
        over, under = (
            (
                "over",
                "above",
                "more than",
                "at least",
                "exceeding",
                "not under",
                "no less than",
                "minimum",
                ">",
                ">=",
            ),
            (
                "under",
                "below",
                "less than",
                "at most",
                "up to",
                "no more than",
                "not over",
                "max",
                "<",
                "<=",
            ),
        )
        for quantity, flag, wrong, right in (
            ("500 A100-hours", "--budget", over, under),
            ("$500", "--budget", over, under),
            ("24GB", "--memory", over, under),
            ("300 ms on L4", "--latency", over, under),
            ("20 tokens/s on L4", "--speed", under, over),
            ("50 ms per token on L4", "--speed", over, under),
        ):
            for command in ("pick a recipe for charts", "what should I ablate first for charts"):
                for word in right:
                    got = understood(f"{command} with {word} {quantity}")
                    self.assertEqual(
                        got[0][-2:] if isinstance(got, list) else got,
                        [flag, quantity],
                        (command, word),
                    )
                for word in wrong:
                    got = understood(f"{command} with {word} {quantity}")
                    self.assertIsInstance(got, str, (command, word, quantity, got))
                    self.assertRegex(
                        got, "no flag asks for more|a speed is the least", (command, word, quantity)
                    )

    def test_behind_the_quantity(self):
        for text in (
            "20 tokens/s at most",
            "20 tokens/s or less",
            "20 tokens/s max",
            "24GB minimum",
            "24GB or more",
            "24GB at least",
            "$500+",
            "$500 or more",
            "500 A100-hours or above",
        ):
            self.assertIsInstance(understood(f"pick a recipe for charts with {text}"), str, text)
        self.assertEqual(
            understood("pick a recipe for charts with 24GB and more than 20 tokens/s")[0][3:],
            ["--speed", "20 tokens/s", "--memory", "24GB"],
        )

    def test_of_one_value_there_is_no_side(self):
        for text in (
            "swap CLIP for SigLIP above 7B",
            "recipe for charts with an LLM over 7B",
            "latency of a model under 7B on L4",
            "recipe for charts above 448 px",
            "latency of a 7B with over 576 tokens",
        ):
            self.assertIsInstance(understood(text), str, text)
        self.assertEqual(
            understood("is going above 672 px useful for documents"),
            [["curve", "resolution", "--tasks", "ocr-document", "--from", "672"]],
        )


class Frozen(unittest.TestCase):
    def test_which_part(self):
        """The part that a sentence freezes or trains, wherever the state stands."""
        words = support.library().words
        for text, parts in (
            ("freeze the encoder", {"encoder"}),
            ("freeze the vision tower or the LLM", {"encoder", "llm"}),
            ("keep the LLM frozen", {"llm"}),
            ("should the projector be frozen or trained", {"connector"}),
            ("unfreezing SigLIP on a 7B LLM", {"encoder"}),
            ("frozen vs unfrozen on 7B", set()),
            ("a frozen 13B", {"llm"}),
            ("training the language model", {"llm"}),
            ("freeze a Q-Former", {"connector"}),
            ("instruction tuning of the LLM", set()),
        ):
            items = reader.lexicon(words, frozenset()).read(text)
            draft = Draft(compose(items, text, LANGUAGE, words), "schedule")
            self.assertEqual(changes.frozen_parts(draft) | changes.trains_part(draft), parts, text)

    def test_no_other_part_is_answered_about_the_encoder(self):
        for part in (
            "LLM",
            "language model",
            "connector",
            "projector",
            "Q-Former",
            "MLP",
            "Vicuna-7B",
            "data",
            "LLM and the connector",
        ):
            for text in (
                f"freeze the {part}",
                f"should I keep the {part} frozen",
                f"what happens if I unfreeze the {part}",
                f"train with a frozen {part} for charts",
                f"frozen {part} vs trained {part}",
            ):
                got = understood(text)
                self.assertTrue(isinstance(got, str) or got[0][0] == "schedule", (text, got))


class Ambiguity(unittest.TestCase):
    def test_readings_are_numbered_commands(self):
        code, out, err = support.call("best VLM for charts")
        self.assertEqual((code, err), (2, ""))
        self.assertEqual(
            [line.split(" main.py ")[1] for line in out.splitlines()[1:]],
            ["models --tasks chart", "pick --tasks chart"],
        )
        self.assertTrue(out.splitlines()[1].startswith("1. "))
        code, out, _ = support.call("best VLM for charts", "--json")
        self.assertEqual(
            (code, json.loads(out)),
            (
                2,
                {
                    "ambiguous": [
                        {"command": "models", "argv": ["models", "--tasks", "chart"]},
                        {"command": "pick", "argv": ["pick", "--tasks", "chart"]},
                    ]
                },
            ),
        )

    def test_bare_numbers(self):
        self.assertEqual(understood("swap 336 for 672"), [["swap", "336px", "672px"]])
        self.assertEqual(understood("64 or 144"), [["swap", "64 tokens", "144 tokens"]])
        self.assertEqual(
            understood("256 or 576"),
            [["swap", "256px", "576px"], ["swap", "256 tokens", "576 tokens"]],
        )


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
        from recipes.library import Library

        words = Library().words
        question.understand("swap CLIP for SigLIP on 7B for charts", words)
        self.assertNotIn("models", words._files)
        question.understand("what does Qwen2.5-VL-7B score on DocVQA", words)
        self.assertIn("models", words._files)


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
