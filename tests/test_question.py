"""Questions in plain words: the suite of phrasings, that its answers run, and that nothing is
guessed.
"""

import json
import random
import string
import unittest
from unittest import mock

from recipes.asking import changes, reader
from recipes.asking import door as question
from recipes.asking.sentence import Draft, compose
from recipes.commands import registry
from recipes.terms.sides import two_names

from . import support
from .asked import CASES, LANGUAGE, understood


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
        cases = [case for case in CASES if "argv" in case and case["question"] not in nothing]
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


class Metamorphic(unittest.TestCase):
    """What must not change a reading, and what must."""

    ASKED = [case for case in CASES if "argv" in case]

    def test_courtesy_and_spelling_of_the_frame(self):
        spread = random.Random(11)
        for change in (
            "please {}",
            "Hi, {}",
            "could you tell me {}",
            "quick question: {}",
            '"{}"',
            "  {}  ",
        ):
            for case in spread.sample(self.ASKED, 40):
                text = change.format(case["question"])
                self.assertEqual(understood(text), [case["argv"]], text)
        for case in spread.sample(self.ASKED, 60):
            got = understood(case["question"].upper())
            self.assertEqual(
                [part.lower() for part in got[0]] if isinstance(got, list) else got,
                [part.lower() for part in case["argv"]],
                case["question"],
            )

    def test_ways_to_say_one_thing(self):
        """Synonyms, passive, plural, order of what is said beside."""
        for want, texts in {
            "swap clip-vit-l-14 siglip-so400m-14 --tasks chart": (
                "replace CLIP with SigLIP for charts",
                "exchange CLIP for SigLIP for charts",
                "CLIP is replaced by SigLIP: what about charts",
                "for charts, is SigLIP better than CLIP",
                "do I benefit from SigLIP instead of CLIP on charts",
                "would SigLIP outperform CLIP on charts",
                "any improvement on charts with SigLIP over CLIP",
                "should I move from CLIP to SigLIP for chart tasks",
            ),
            "rank encoder --tasks chart": (
                "which encoder is best for charts",
                "best vision encoder for charts",
                "for charts, which encoders are best",
                "what is the strongest image encoder for chart tasks",
                "recommend a vision tower for charts",
            ),
            "ablate --tasks chart --confidence 80%": (
                "what should I ablate first for charts at 80%",
                "at 80% confidence, what do I ablate first for charts",
                "which axis should be tested first for charts with 80% confidence",
            ),
            "pick --tasks chart --budget 500 A100-hours --memory 24GB": (
                "pick a recipe for charts under 500 A100-hours with 24GB",
                "with 24GB and 500 A100-hours, which recipe is best for charts",
                "recommend a recipe for charts that fits 24 GB, for at most 500 A100 hours",
            ),
            "versus encoder connector": (
                "does the encoder matter more than the connector",
                "encoder or connector, which matters more",
                "is the vision encoder more important than the projector",
            ),
            "cost --llm-params-b 7B --gpu 4090 --gpus 1 --tuning lora": (
                "can I fine-tune a 7B with LoRA on one 4090",
                "does LoRA fine-tuning of a 7B fit on a single 4090",
            ),
        }.items():
            for text in texts:
                got = understood(text)
                self.assertEqual(" ".join(got[0]) if isinstance(got, list) else got, want, text)

    def test_a_and_b_exchanged_exchanges_the_answer(self):
        pairs = (
            ("SigLIP", "DINOv2"),
            ("Q-Former", "C-Abstractor"),
            ("Qwen2-7B", "Llama-3-8B"),
            ("LLaVA-665K", "Cambrian-7M"),
            ("3B", "13B"),
            ("448 px", "672 px"),
            ("64 tokens", "256 tokens"),
        )
        for frame in (
            "swap {} for {}",
            "{} instead of {}",
            "is {} better than {} for charts",
            "{} vs {}",
            "what do I gain from {} to {}",
            "what do I lose with {} rather than {}",
            "how much better is {} compared to {}",
            "what does {} gain over {}",
            "{} is replaced by {}",
            "should I use {} or stick with {}",
            "is {} worse than {}",
        ):
            for a, b in pairs:
                one, two = understood(frame.format(a, b)), understood(frame.format(b, a))
                self.assertIsInstance(one, list, (frame.format(a, b), one))
                self.assertEqual(
                    (one[0][1], one[0][2], one[0][3:]), (two[0][2], two[0][1], two[0][3:]), frame
                )

    def test_direction(self):
        for text, first in {
            "gain of SigLIP vs CLIP": "clip-vit-l-14",
            "how much better is SigLIP vs CLIP": "clip-vit-l-14",
            "SigLIP vs CLIP": "siglip-so400m-14",
            "to SigLIP from CLIP": "clip-vit-l-14",
            "CLIP replaces SigLIP": "siglip-so400m-14",
            "CLIP is replaced by SigLIP": "clip-vit-l-14",
            "what does SigLIP gain over CLIP": "clip-vit-l-14",
            "how much worse is CLIP than SigLIP": "siglip-so400m-14",
        }.items():
            got = understood(text)
            self.assertEqual(got[0][1] if isinstance(got, list) else got, first, text)

    def test_a_word_put_in_changes_the_request_or_is_refused(self):
        """Of content words put at random places, fewer than 2 of 100 change nothing."""
        words = (
            "never worst cheap small frozen expensive negative medical robot quantized video LoRA"
            " unfreeze latest phone pruned distilled multilingual seeds epoch big fast half without"
        ).split()
        spread, swallowed, tried = random.Random(2), [], 0
        # what a refusal says is not looked at here, and takes longer than the reading
        self.enterContext(mock.patch.object(reader, "spelled_like", return_value=""))
        self.enterContext(mock.patch.object(reader, "suggestion", return_value=""))
        for word in words:
            for case in spread.sample(self.ASKED, 20):
                parts = case["question"].split()
                parts.insert(spread.randrange(len(parts) + 1), word)
                tried += 1
                if understood(" ".join(parts)) == [case["argv"]]:
                    swallowed.append(" ".join(parts))
        self.assertLess(len(swallowed) / tried, 0.02, swallowed)

    def test_a_name_left_out_changes_the_request_or_what_is_assumed(self):
        words = support.library().words
        for text, names in (
            ("swap CLIP for SigLIP on 13B for charts", ("CLIP", "SigLIP", "13B", "charts")),
            ("rank SigLIP, CLIP and DINOv2 on 7B", ("SigLIP", "CLIP", "DINOv2", "7B")),
            ("recipe for charts under 300 ms on L4 with 24GB", ("charts", "300 ms", "24GB")),
            ("latency of a 7B with 2880 tokens on L4", ("7B", "2880 tokens", "L4")),
        ):
            whole = question.understand(text, words)
            for name in names:
                try:
                    less = question.understand(text.replace(name, ""), words)
                except (question.Ambiguous, reader.QuestionError):
                    continue
                self.assertNotEqual((less.argv, less.assumed), (whole.argv, whole.assumed), name)


class Assumed(unittest.TestCase):
    def test_what_was_not_said_is_said(self):
        words = support.library().words
        for text, assumed in {
            "swap CLIP for SigLIP": ("on LLaVA-1.5-7B, as none was named",),
            "swap CLIP for SigLIP on 7B": (),
            "swap CLIP for SigLIP on a 7B Llama": ("7b llama: llama-2-7b",),
            "InternViT or CLIP on 7B": ("internvit: internvit-300m",),
            "swap CLIP for PE-lang on 7B": ("pe lang: pe-lang-g-14",),
            "swap CLIP for DINOv2 on vicuna-1.5-13b": ("dinov2: dinov2-vit-l-14",),
            "SigLIP instead of CLIP on Vicuna 13B": (),
            "does SigLIP help with charts": (
                "against clip-vit-l-14 of LLaVA-1.5-7B, as nothing else was named",
                "on LLaVA-1.5-7B, as none was named",
            ),
            "what encoder does Qwen2-VL use": ("qwen2 vl: qwen2-vl-7b, as no size was named",),
        }.items():
            self.assertEqual(question.understand(text, words).assumed, assumed, text)
        out = support.call("swap CLIP for SigLIP")[1].splitlines()
        self.assertTrue(out[0].startswith("understood: "), out[0])
        self.assertEqual(out[1], "assumed: on LLaVA-1.5-7B, as none was named")
        self.assertEqual(
            support.call_json("swap CLIP for SigLIP")["assumed"],
            ["on LLaVA-1.5-7B, as none was named"],
        )

    def test_a_size_of_nothing_is_refused(self):
        self.assertIn("0B", understood("replace CLIP with SigLIP on Vicuna 0B"))

    def test_refused_with_what_it_would_be_without_the_word(self):
        for text, part in {
            "swap CLIP for SigLIP on 7B carefully": "swap clip-vit-l-14 siglip-so400m-14 --on 7B",
            "a cheap recipe for charts": "--budget",
            "what learning rate for SigLIP": "pick prints the rates",
            "a recipe that runs on a phone": "(Orin, L4, 4090)",
        }.items():
            got = understood(text)
            self.assertIsInstance(got, str, text)
            self.assertIn(part, got)


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
        words = support.library().words
        self.assertEqual(
            [two_names("64", "144", words), two_names("336", "672", words)],
            [("visual_tokens", "64 tokens", "144 tokens"), ("resolution", "336px", "672px")],
        )
        code, _, err = support.call("swap", "256", "576")
        self.assertEqual((code, "pixels or visual tokens" in err), (2, True))
        self.assertEqual(
            understood("256 or 576"),
            [["swap", "256px", "576px"], ["swap", "256 tokens", "576 tokens"]],
        )


if __name__ == "__main__":
    unittest.main()
