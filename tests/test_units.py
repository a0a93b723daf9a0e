"""Quantities as people spell them, in flags and in questions: each is read as what it says, or
refused in one line that names it.
"""

import unittest

from recipes.asking import door as question
from recipes.asking import reader
from recipes.commands.arguments import Parser, constraint_flags, constraints, pairs
from recipes.terms import units

from . import support

A100, H100, ORIN = "a100-80gb-sxm", "h100-sxm", "jetson-agx-orin-64gb"


class Budgets(unittest.TestCase):
    def read(self, text):
        return units.budget(text, support.library().words)

    def test_gpus_for_a_time(self):
        for text, hours, gpu in (
            ("8xH100 for 12 hours", 96, H100),
            ("8xH100 for 24h", 192, H100),
            ("16 H100s for 12 hours", 192, H100),
            ("8xH100 for a day", 192, H100),
            ("8xH100 for a month", 5760, H100),
            ("8xH100 for 3d", 576, H100),
            ("8 H100 GPUs for 2 weeks", 2688, H100),
            ("8 H100s for a day", 192, H100),
            ("8xH100 12h", 96, H100),
            ("3 days on 8xA100", 576, A100),
            ("100 hours on an A100", 100, A100),
            ("an H100 for a week", 168, H100),
            ("eight H100s for two days", 384, H100),
            ("8×L40S for 10 hours", 80, "l40s"),
            ("4xRTX 4090 for 10 hours", 40, "rtx-4090"),
            ("500 A100 GPU hours", 500, A100),
            ("500 RTX 4090 hours", 500, "rtx-4090"),
            ("10 A100-days", 240, A100),
            ("500 B200-hours", 500, "b200-sxm"),
        ):
            budget = self.read(text)
            self.assertEqual(budget[:3], ("gpu_hours", hours, gpu), text)
            self.assertFalse(budget.assumed_gpu, text)

    def test_images(self):
        for text in (
            "50M images",
            "50 million images",
            "50M image-text pairs",
            "50,000,000 samples",
            "50M training images",
            "50M-image",
        ):
            self.assertEqual(self.read(text)[:3], ("images", 5e7, None), text)

    def test_money(self):
        """Without a price the printed one is assumed; with a price of no GPU, the GPU is, and the
        answer says which.
        """
        for text in (
            "$2000",
            "$2,000",
            "2000 USD",
            "2000 dollars",
            "$2k",
            "usd 2000",
            "2k dollars",
            "under $2000",
        ):
            self.assertAlmostEqual(self.read(text).amount, 2000 / units.PRINTED_PRICE[0], msg=text)
            self.assertEqual(self.read(text).assumed_price, units.PRINTED_PRICE[0])
        for text in (
            "$2000 at $1.50 per hour",
            "$2000 at $1.50/h",
            "2000 dollars at 1.50 dollars per GPU-hour",
            "$2000 @ $1.5 an hour",
        ):
            budget = self.read(text)
            self.assertAlmostEqual(budget.amount, 2000 / 1.5, msg=text)
            self.assertEqual(
                (budget.gpu, budget.assumed_price, budget.assumed_gpu),
                (units.PRINTED_PRICE[1], None, True),
                text,
            )
        self.assertEqual(self.read("$3000 at $2 an H100 hour")[:3], ("gpu_hours", 1500, H100))
        one = ("pick", "--fix", "encoder=siglip", "--fix", "llm=vicuna-7b", "--top", "1")
        warnings = support.call_json(*one, "--budget", "$2000 at $1.50 per hour")["warnings"]
        self.assertTrue(any("names no GPU" in text and "of A100 (" in text for text in warnings))
        warnings = support.call_json(*one, "--budget", "1,333 A100-hours")["warnings"]
        self.assertFalse(any("names no GPU" in text for text in warnings))

    def test_what_is_no_budget(self):
        for text in (
            "8xH100",
            "for a day",
            "a day",
            "500 hours",
            "8xH100 for a fortnight",
            "$",
            "$-5",
            "$0",
            "$2000 at $0 per hour",
            "$2000 per month",
            "8xB1000 for a day",
            "50M bananas",
            "8xH100 for 12 hours a day",
            "$2000 on H100",
            "12",
            "1e999 FLOP",
        ):
            with self.assertRaises(ValueError, msg=text) as caught:
                self.read(text)
            self.assertNotIn("\n", str(caught.exception))
        with self.assertRaisesRegex(ValueError, "'B1000'"):
            self.read("8xB1000 for 12 hours")

    def test_in_words(self):
        for text, said in (
            ("50M images", "50M images"),
            ("665K samples", "665K images"),
            ("500 A100-hours", "500 A100-hours"),
            ("2000 H100-hours", "2,000 H100-hours"),
            ("2e21 FLOP", "2e+21 FLOP"),
            ("8 images", "8 images"),
        ):
            self.assertEqual(units.budget_text(self.read(text)), said)
        self.assertIn(
            "within 50M images;",
            " ".join(support.call("ablate", "--budget", "50M images")[1].split()),
        )


class Limits(unittest.TestCase):
    def test_latencies(self):
        for text, ms, gpu, whole in (
            ("TTFT 300 ms on Orin", 300, ORIN, False),
            ("under 300 ms on an H100", 300, H100, False),
            ("300 ms for the whole answer on L4", 300, "l4", True),
            ("300 ms to first token on L4", 300, "l4", False),
            ("answer in 2 s on Orin", 2000, ORIN, True),
            ("2 s end-to-end on L4", 2000, "l4", True),
            ("first token in under 0.3 s", 300, "l4", False),
            ("300 ms total response on L4", 300, "l4", True),
        ):
            self.assertEqual(units.latency(text, support.library().words), (ms, gpu, whole), text)
        for text in (
            "TTFT 300 ms for the whole answer",
            "over 300 ms",
            "300 ms per token on L4",
            "300 ms on",
            "300 tokens",
        ):
            with self.assertRaises(ValueError, msg=text):
                units.latency(text, support.library().words)

    def test_speeds(self):
        for text, rate, gpu in (
            ("20 tps on orin", 20, ORIN),
            ("at least 20 tokens per second on an L4", 20, "l4"),
            ("50 ms per token", 20, None),
            ("20 toks/sec", 20, None),
            ("0.05 s/token on L4", 20, "l4"),
        ):
            self.assertEqual(units.speed(text, support.library().words), (rate, gpu), text)
        for text in ("20 tokens", "20 tokens/min", "under 20 tokens/s", "0 ms per token"):
            with self.assertRaises(ValueError, msg=text):
                units.speed(text, support.library().words)

    def test_memory(self):
        for text, gb, stored in (
            ("24GB in 4-bit", 24, "int4"),
            ("fits 24GB in 4 bit", 24, "int4"),
            ("24GB int8", 24, "int8"),
            ("fits in 24 GB of VRAM", 24, None),
            ("1TB", 1000, None),
            ("24GB at fp16", 24, "bf16"),
            ("under 8 GB", 8, None),
        ):
            self.assertEqual(units.memory(text), (gb, stored), text)
        for text in ("24GB in 3-bit", "in int4", "24k", "24GB/s", "over 24GB"):
            with self.assertRaises(ValueError, msg=text):
                units.memory(text)

    def test_flags(self):
        parser = Parser("pick")
        constraint_flags(parser)
        limits = lambda *argv: constraints(parser.parse_args(argv), support.library().words)
        self.assertTrue(limits("--license", "commercial").commercial)
        self.assertEqual(limits("--memory", "fits 24GB in 4 bit")[2:4], (24, "int4"))
        self.assertEqual(limits("--latency", "TTFT 300 ms", "--deploy", "edge").latency.gpu, ORIN)
        found = limits("--deploy", "orin")  # any device, whose own memory is then the limit
        self.assertEqual((found.device, found.memory_gb, found.assumed), (ORIN, 64, ("budget",)))
        self.assertEqual(limits("--deploy", "4090", "--memory", "16GB").memory_gb, 16)
        code, _, err = support.call("pick", "--deploy", "orinn")
        self.assertEqual(code, 2)
        self.assertIn("unknown hardware 'orinn'; nearest known:", err)
        code, _, err = support.call("pick", "--memory", "24GB in 4-bit", "--dtype", "int8")
        self.assertEqual((code, err.count("\n")), (2, 1))
        self.assertIn("--memory says int4 and --dtype int8", err)


class Digits(unittest.TestCase):
    """Separators and scales: a number is what it says, or an error."""

    def readers(self):
        words = support.library().words
        return (
            (lambda t: units.budget(t, words).amount, "{} H100-hours", 1.0),
            (lambda t: units.budget(t, words).amount, "{} images", 1.0),
            (lambda t: units.budget(t, words).amount, "${} at $1 per H100-hour", 1.0),
            (lambda t: units.latency(t, words).ms, "{} ms on L4", 1.0),
            (lambda t: units.speed(t, words).tokens_per_s, "{} tokens/s on L4", 1.0),
            (lambda t: units.budget(t, words).amount, "{} FLOP", 1.0),
        )

    def test_scales_by_their_whole_word(self):
        for read, form, _ in self.readers():
            for text, value in (
                ("2 thousand", 2e3),
                ("2k", 2e3),
                ("2 K", 2e3),
                ("1.5 million", 1.5e6),
                ("2 billion", 2e9),
                ("2 trillion", 2e12),
                ("2,000", 2e3),
                ("2_000", 2e3),
                ("12,345,678", 12345678.0),
                ("1,500.5", 1500.5),
            ):
                self.assertAlmostEqual(read(form.format(text)), value, msg=form.format(text))

    def test_a_comma_is_no_decimal_point(self):
        memory = (units.memory_gb, "{} GB", 1.0)
        for read, form, _ in (*self.readers(), memory):
            for text in (
                "1,5",
                "24,50",
                "0,500",
                "1,50,000",
                "1234,567",
                "1_5",
                "2,00",
                "1,5 thousand",
                "1,2345",
            ):
                with self.assertRaises(ValueError, msg=form.format(text)):
                    read(form.format(text))
        self.assertEqual(units.memory_gb("1,500 GB"), 1500.0)
        for argv in (
            ("--memory", "24,5 GB"),
            ("--latency", "1,5 s on L4"),
            ("--budget", "1,5 A100-hours"),
            ("--speed", "1,5 tokens/s"),
        ):
            code, _, err = support.call("pick", *argv)
            self.assertEqual((code, err.count("\n")), (2, 1), argv)
            self.assertIn("1,500 or 1.5", err)


class Effects(unittest.TestCase):
    def test_no_effect_is_larger_than_the_scale(self):
        plan = ("design", "--factor", "encoder=clip,siglip", "--benchmark")
        for benchmark, effect in (
            ("mmmu", "500"),
            ("mmmu", "500%"),
            ("mmmu", "100.1"),
            ("mme", "500%"),
            ("mmmu,docvqa", "101"),
        ):
            code, _, err = support.call(*plan, benchmark, "--detect", effect)
            self.assertEqual((code, err.count("\n")), (2, 1), (benchmark, effect))
            self.assertIn("the whole scale of", err)
        self.assertEqual(support.call(*plan, "mme", "--detect", "500")[0], 0)
        self.assertEqual(support.call(*plan, "mmmu", "--detect", "2%")[0], 0)


class Avoid(unittest.TestCase):
    def test_the_beginning_of_names(self):
        words = support.library().words
        for field, text, some in (
            ("llm", "gemma", "gemma-2-9b"),
            ("llm", "phi", "phi-2"),
            ("llm", "Qwen", "qwen2.5-7b"),
            ("encoder", "pe", "pe-core-l-14"),
            ("data", "cambrian", "cambrian-7m"),
            ("data", "LLaVA Next", "llava-next-760k"),
            ("llm", "llama", "llama-3-8b"),
        ):
            found = pairs([f"{field}={text}"], "--avoid", words)
            self.assertIn((field, some), found)
            stem = text.lower().replace(" ", "-")
            self.assertEqual(
                [slug for name, slug in found if name != field or not slug.startswith(stem)], []
            )
            self.assertEqual(len(found), len(set(found)))
        for text in ("llm=xx", "llm=gem", "llm=.", "llm=.*", "encoder=p", "data=cambria"):
            with self.assertRaises(ValueError, msg=text):
                pairs([text], "--avoid", words)
        self.assertNotIn(
            ("encoder", "siglip2-so400m-14"), pairs(["encoder=siglip"], "--avoid", words)
        )
        with self.assertRaises(ValueError):
            pairs(["llm=gemma"], "--fix", words)


class Contradictions(unittest.TestCase):
    def test_an_llm_of_another_size(self):
        words = support.library().words
        for values in (["llm=7B", "llm=qwen2-72b"], ["llm=qwen2-72b", "llm_params_b=7B"]):
            with self.assertRaisesRegex(ValueError, "qwen2-72b .*contradicts .*7B"):
                pairs(values, "--fix", words)
        self.assertEqual(
            dict(pairs(["llm=7B", "llm=vicuna-7b"], "--fix", words)),
            {"llm_params_b": 7.0, "llm": "vicuna-1.5-7b"},
        )
        self.assertEqual(support.call("pick", "--fix", "llm=7B", "--fix", "llm=qwen2-72b")[0], 2)

    def test_empty_texts(self):
        for argv in (
            ("pick",),
            ("ablate",),
            ("swap", "clip", "siglip"),
            ("models",),
            ("benchmarks",),
            ("curve", "resolution"),
        ):
            for text in ("", "  "):
                code, _, err = support.call(*argv, "--tasks", text)
                self.assertEqual((code, err.count("\n")), (2, 1), argv)
                self.assertIn("empty task mix", err)
        self.assertEqual(support.call("ablate", "--budget", "")[0], 2)


class Alike(unittest.TestCase):
    """A quantity in a question is the one that the flag reads: the value goes into the command as
    it was said, or as the same amount.
    """

    def command(self, text):
        return list(question.understand(text, support.library().words).argv)

    def test_every_quantity_reaches_its_flag(self):
        words = support.library().words
        for flag, read, texts in (
            (
                "--budget",
                lambda t: units.budget(t, words),
                (
                    "500 A100 GPU hours",
                    "50 million images",
                    "2 thousand A100-hours",
                    "1.5k H100 hours",
                    "900 thousand image pairs",
                    "$2 thousand",
                    "1000 gpu-days",
                    "120000 A100 hours",
                    "1,500 A100-hours",
                    "50M image-text pairs",
                    "2000 USD",
                    "2000 dollars",
                    "8 H100s for a day",
                    "3 days on 8xA100",
                    "8xH100 for 12 hours",
                    "16 H100s for 24h",
                    "8xH100 for a month",
                    "$2000 at $1.50 per hour",
                    "$2,000",
                    "2e21 FLOP",
                    "2 zettaflops",
                    "800k training samples",
                    "an H100 for a week",
                    "8 GPUs for 3 days",
                ),
            ),
            (
                "--speed",
                lambda t: units.speed(t, words),
                (
                    "20 tokens/s on Orin",
                    "20 tps on orin",
                    "20 tokens per second on an L4",
                    "16 tok/s",
                    "2 thousand tokens/s",
                    "50 ms per token",
                    "64 t/s on L4",
                ),
            ),
            (
                "--latency",
                lambda t: units.latency(t, words),
                (
                    "TTFT 300 ms on Orin",
                    "under 300 ms on an H100",
                    "300 ms for the whole answer on L4",
                    "first token in 200 ms on Orin",
                    "2 thousand ms on L4",
                ),
            ),
            ("--memory", lambda t: units.memory(t)[0], ("24GB", "1TB", "500 MB", "fits 24GB")),
        ):
            for text in texts:
                argv = self.command(f"pick a recipe for documents, {text}")
                self.assertEqual(argv[:3], ["pick", "--tasks", "ocr-document"])
                self.assertEqual((len(argv), argv[3]), (5, flag), (text, argv))
                self.assertEqual(read(argv[4]), read(text), (text, argv))

    def test_a_number_of_anything_else_is_named(self):
        for text in (
            "15 watts",
            "10 fps",
            "3 epochs",
            "24 GB/s",
            "10 images per minute",
            "5 requests per second",
            "30 tokens per hour",
            "2B tokens",
            "50 ms per image",
            "2 s/page",
            "24,5 GB",
            "1,5 tokens/s",
            "2 thousand tokens",
            "4K px",
            "2 thousand GB",
            "$2,000 at $1.50 per banana-hour",
            "$2 per hour",
            "€2000",
            "3 GPUs",
            "$2 per H100 hours",
            "5 PFLOP/s",
            "20 tokens/day",
            "8 images/s",
        ):
            with self.assertRaises((reader.QuestionError, question.Ambiguous), msg=text) as caught:
                self.command(f"pick a recipe for documents with {text}")
            self.assertIn("did not understand", str(caught.exception), text)


if __name__ == "__main__":
    unittest.main()
