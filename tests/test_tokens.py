"""Visual tokens against the models' own processors and printed counts."""

import random
import unittest

from recipes.base.errors import Refused
from recipes.cost import tokens

from . import support


class ReleasedModels(unittest.TestCase):
    def test_equal_to_the_hugging_face_processors(self):
        """tests/data/tokens_oracle.json: 40 sizes for each of 26 models, from transformers 5.23 and
        5.24 (tokens_oracle.txt). null: the processor refuses the size.
        """
        models = 0
        for data in support.oracle("tokens_oracle").values():
            models += len(data["visual_tokens"])
            for model, counts in data["visual_tokens"].items():
                for (width, height), expected in zip(data["sizes"], counts, strict=True):
                    with self.subTest(model, size=(width, height)):
                        self.assertEqual(self.tokens(model, width, height), expected)
        self.assertEqual(models, 26)

    def tokens(self, model: str, width: int, height: int) -> int | None:
        try:
            return tokens.count(model, width, height).visual_tokens
        except Refused:
            return None

    def test_sizes_that_processors_refuse(self):
        for model, size in (
            ("pixtral", (2048, 1)),
            ("pixtral", (1, 3000)),
            ("mistral-small-3.1", (1, 4000)),
            ("phi-3.5-vision", (100_000, 10)),
            ("phi-3-vision", (10, 90_000)),
            ("phi-4-multimodal", (9000, 5)),
            ("qwen3-vl", (8000, 30)),
            ("glm-4.1v", (28, 9000)),
            ("kimi-vl", (8000, 20)),
        ):
            with self.subTest(model), self.assertRaises(Refused):
                tokens.count(model, *size)
        for size, expected in (((1, 1), 49), ((2, 2), 169), ((1, 2), 91)):
            self.assertEqual(tokens.count("siglip2-naflex", *size).visual_tokens, expected)
        self.assertEqual(tokens.count("phi-3-vision", 1344, 1008).visual_tokens, 1921)

    def test_any_size_is_counted_or_refused(self):
        dice = random.Random(5)
        for model in tokens.MODELS:
            for _ in range(30):
                size = [int(10 ** dice.uniform(0, 5)) for _ in "wh"]
                with self.subTest(model, size=size):
                    found = self.tokens(model, *size)
                    self.assertTrue(found is None or found > 0)

    def test_names_as_people_write_them(self):
        for name, family in (
            ("qwen2.5-vl-7b", "qwen2.5-vl"),
            ("Qwen/Qwen3-VL-30B-A3B-Instruct", "qwen3-vl"),
            ("llava-v1.6-mistral-7b", "llava-next"),
            ("liuhaotian/llava-v1.5-13b", "llava-1.5"),
            ("lmms-lab/llava-onevision-qwen2-7b-ov", "llava-onevision"),
            ("smolvlm2-500m", "smolvlm2-500m"),
            ("HuggingFaceTB/SmolVLM2-2.2B-Instruct", "smolvlm2-2.2b"),
            ("OpenGVLab/InternVL3_5-8B-HF", "internvl3.5"),
            ("internvl3-78b", "internvl3"),
            ("google/gemma-3-27b-it", "gemma3"),
            ("gemma-3n-E4B-it", "gemma3n"),
            ("meta-llama/Llama-3.2-11B-Vision-Instruct", "llama-3.2-vision"),
            ("Llama-4-Scout-17B-16E-Instruct", "llama-4"),
            ("microsoft/Phi-3-vision-128k-instruct", "phi-3-vision"),
            ("Phi-3.5-vision-instruct", "phi-3.5-vision"),
            ("openbmb/MiniCPM-V-2_6", "minicpm-v-2.6"),
            ("mistralai/Mistral-Small-3.1-24B-Instruct-2503", "mistral-small-3.1"),
            ("deepseek-vl2-tiny", "deepseek-vl2"),
            ("kimi-vl-a3b-instruct", "kimi-vl"),
            ("allenai/Molmo2-8B", "molmo2"),
            ("paligemma2-3b-mix-448", "paligemma-448"),
        ):
            self.assertEqual(tokens.find(name), family, name)
        for name in ("gpt-5", "qwen", "llava", "qwen2-vl-7b-finetuned"):
            if name != "llava":
                self.assertRaises(KeyError, tokens.find, name)
        for name in ("smolvlm2", "SmolVLM", "gemma-3-1b-it"):
            self.assertRaises(tokens.Ambiguous, tokens.find, name)
        code, _, err = support.call("tokens", "--model", "smolvlm2")
        self.assertEqual(code, 2)
        self.assertIn("smolvlm2-2.2b (81 tokens a tile)", err)

    def test_pages_videos_and_bounds(self):
        self.assertEqual(tokens.page("a4", 150), (1240, 1754))
        self.assertEqual(tokens.page("letter", 100), (850, 1100))
        answer = support.call_json("tokens", "--model", "qwen2-vl", "--image", "a4@150dpi")
        # 1240 / 28 and 1754 / 28 to the nearest whole number
        self.assertEqual(answer["images"][0]["visual_tokens"], 44 * 63)
        few = tokens.count("qwen2.5-vl", 1240, 1754, most=256 * 28 * 28)
        self.assertLessEqual(few.visual_tokens, 256)
        many = tokens.count("qwen2.5-vl", 56, 56, least=256 * 28 * 28)
        self.assertGreaterEqual(many.visual_tokens, 256)
        for bad in (
            {"model": "internvl3", "most": 1000},
            {"model": "qwen2-vl", "least": 2000, "most": 1000},
        ):
            with self.assertRaises(Refused):
                tokens.count(bad.pop("model"), 100, 100, **bad)
        # 32 frames in pairs of 23 x 17 tokens; 4 frames of 14 x 14 and a break; one tile a frame
        for model, frames, expected in (
            ("qwen2.5-vl", 32, 16 * 23 * 17),
            ("llava-onevision", 4, 4 * 196 + 1),
            ("internvl3-8b", 8, 8 * 256),
            ("smolvlm2-500m", 10, 640),
        ):
            self.assertEqual(tokens.video(model, frames, 640, 480).visual_tokens, expected)
        with self.assertRaises(Refused):
            tokens.video("molmo", 8, 640, 480)

    def test_printed_counts(self):
        for model, size, printed in (
            ("llava", (224, 224), 256),
            ("llava-1.5", (640, 480), 576),
            ("paligemma-224", (1, 1), 256),
            ("paligemma-448", (900, 20), 1024),
            ("paligemma-896", (896, 896), 4096),
            ("qwen2-vl", (448, 280), 160),
            ("qwen2-vl", (224, 224), 64),
            ("qwen2-vl", (448, 448), 256),
            ("idefics2-no-split", (800, 600), 64),
            ("idefics2", (800, 600), 320),
            ("gemma3", (1000, 500), 256),
        ):
            self.assertEqual(tokens.count(model, *size).visual_tokens, printed, (model, size))
        square = tokens.count("llava-next", 672, 672)
        # "up to 2880"
        self.assertEqual(
            sum(term.tokens for term in square.terms if term.name != "row breaks"), 2880
        )
        small = tokens.count("qwen2-vl", 224, 224)
        self.assertEqual(small.visual_tokens + small.markers, 66)

    def test_terms_add_up(self):
        for model in tokens.MODELS:
            value = tokens.count(model, 1024, 768)
            self.assertEqual(sum(term.tokens for term in value.terms), value.visual_tokens)
            self.assertGreater(value.visual_tokens, 0)

    def test_sizes_without_sense(self):
        for size in ((0, 10), (10, 0), (-5, 5), (10**6, 10)):
            with self.assertRaises(ValueError):
                tokens.count("llava-1.5", *size)
        with self.assertRaises(ValueError):
            tokens.count("qwen2-vl", 5000, 10)  # the processor refuses an aspect ratio above 200
        with self.assertRaises(KeyError):
            tokens.count("gpt-5", 10, 10)

    def test_recipes_of_ones_own(self):
        for patch, side, connector, expected in (
            (14, 336, "mlp-2x-gelu", 576),
            (14, 384, "mlp-2x-gelu", 729),
            (14, 448, "pixel-shuffle-mlp", 256),
            (14, 336, "q-former", 32),
            (14, 336, "perceiver", 64),
            (14, 384, "pixel-shuffle-mlp", 196),
        ):
            self.assertEqual(
                tokens.per_view(patch, side, connector).tokens, expected, (side, connector)
            )


if __name__ == "__main__":
    unittest.main()
