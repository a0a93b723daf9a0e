"""What released models are built from."""

import unittest
from types import SimpleNamespace

from recipes.released.practice import NEVER, is_usual, months_between, practice
from tests import support

TODAY = "2026-11-29"


def model(key: str, release: str | None, encoder="e", connector="MLP", llm=None, weights=True):
    return SimpleNamespace(
        key=key,
        record={
            "release": release,
            "open": weights,
            "encoder": encoder,
            "connector": connector,
            "llm": llm,
            "resolution_strategy": "dynamic",
        },
    )


def of(*models):
    return practice(SimpleNamespace(models=models, words=support.library().words), TODAY)


class Practice(unittest.TestCase):
    def test_three_models_or_a_recent_one_make_a_part_usual(self):
        self.assertTrue(is_usual(3, None, TODAY))
        self.assertFalse(is_usual(2, None, TODAY))
        self.assertTrue(is_usual(1, "2026-03", TODAY))
        self.assertTrue(is_usual(1, "2025-11", TODAY))
        self.assertFalse(is_usual(2, "2025-10", TODAY))
        self.assertFalse(is_usual(0, None, TODAY))
        self.assertEqual(months_between("2025-11", "2026-11-29"), 12)
        self.assertEqual(months_between("2024-12", "2025-01"), 1)

    def test_parts_are_counted_under_the_names_of_the_vocabulary(self):
        found = of(
            model("a", "2024-01", "SigLIP SO400M/14", "MLP"),
            model("b", "2025-02", "siglip-so400m-14", "mlp2x_gelu"),
            model("c", None, "siglip-so400m-14", "patch-merger-qwen+deepstack"),
            model("d", "2026-05", "siglip-so400m-14", None, weights=False),
            model("e", "2024-03", "siglip-so400m-14+dinov2-vit-l-14", None),
        )
        use = found.of("encoder", "siglip-so400m-14")
        self.assertEqual((use.models, use.newest, use.count), (("b", "a", "c"), "2025-02", 3))
        self.assertTrue(use.usual)
        self.assertEqual(found.of("connector", "mlp-2x-gelu").models, ("b", "a"))
        self.assertEqual(found.of("connector", "patch-merger-qwen").models, ("c",))
        self.assertEqual(found.of("connector", "patch-merger-qwen+deepstack").count, 1)
        self.assertEqual(found.of("encoder", "dinov2-vit-l-14+siglip-so400m-14").count, 1)
        self.assertEqual(found.of("encoder", "dinov2-vit-l-14"), NEVER)
        self.assertEqual(found.of("resolution", "native").count, 4)
        self.assertEqual(found.of("data", "llava-665k"), NEVER)

    def test_the_released_models_of_today(self):
        found = practice(support.library().released, TODAY)
        for axis, part in (
            ("encoder", "siglip2-so400m-16"),
            ("encoder", "siglip2-so400m-16-naflex"),
            ("encoder", "siglip-so400m-14"),
            ("connector", "patch-merger-qwen"),
            ("connector", "pixel-shuffle-mlp"),
            ("connector", "mlp-2x-gelu"),
            ("llm", "qwen3-8b"),
            ("llm", "qwen3.5-0.8b"),
        ):
            self.assertTrue(found.of(axis, part).usual, part)
        for part in ("c-abstractor", "tokenlearner", "d-abstractor"):
            self.assertEqual(found.of("connector", part), NEVER)
        counts = [use.count for use in found.uses["encoder"].values()]
        self.assertEqual(counts, sorted(counts, reverse=True))

    def test_command(self):
        answer = support.call_json("models", "--parts")
        found = {(one["axis"], one["part"]): one for one in answer["parts"]}
        use = practice(support.library().released).of("encoder", "siglip2-so400m-16")
        self.assertEqual(found["encoder", "siglip2-so400m-16"]["models"], use.count)
        self.assertEqual(found["encoder", "siglip2-so400m-16"]["used_by"], list(use.models))
        self.assertEqual(len(answer["recipes"]), 28)
        self.assertEqual(answer["today"], support.library().released.compiled)
        for argv in ((), ("--why",)):
            code, out, _ = support.call("models", "--parts", *argv)
            self.assertEqual(code, 0)
            self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))
            self.assertEqual("Penguin-VL 2B / 8B" in out, bool(argv))
        self.assertEqual(support.call("models", "--parts", "--under", "5B")[0], 2)


if __name__ == "__main__":
    unittest.main()
