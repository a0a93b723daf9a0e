"""Names: every spelling that occurs resolves, one slug each, and what is unknown is said to be
unknown.
"""

import random
import unittest

from recipes.terms.vocabulary import UnknownName, Vocabulary, collisions, distance, fold, nearest

from . import support


class Names(unittest.TestCase):
    def setUp(self):
        self.words = support.library().words

    def test_spellings_that_occur(self):
        for kind, text, slug in (
            ("encoder", "CLIP", "clip-vit-l-14"),
            ("encoder", "CLIP ViT-L/14", "clip-vit-l-14"),
            ("encoder", "SigLIP", "siglip-so400m-14"),
            ("encoder", "SO400M", "siglip-so400m-14"),
            ("encoder", "DINOv2", "dinov2-vit-l-14"),
            ("connector", "MLP", "mlp-2x-gelu"),
            ("connector", "Q-Former", "q-former"),
            ("connector", "q former", "q-former"),
            ("llm", "Vicuna-7B", "vicuna-1.5-7b"),
            ("data", "LLaVA-665K", "llava-665k"),
            ("data", "Cambrian-7M", "cambrian-7m"),
            ("benchmark", "seed_image", "seed_img"),
            ("benchmark", "MMMU", "mmmu"),
            ("benchmark", "text vqa", "textvqa"),
            ("hardware", "Orin", "jetson-agx-orin-64gb"),
        ):
            self.assertEqual(self.words.resolve(kind, text).slug, slug, text)

    def test_resolution_and_fusion(self):
        self.assertEqual(self.words.resolve("encoder", "CLIP ViT-L/14@336"), ("clip-vit-l-14", 336))
        self.assertEqual(self.words.resolve("encoder", "SigLIP@384px"), ("siglip-so400m-14", 384))
        for text in ("SigLIP+DINOv2", "DINOv2 + SigLIP", "siglip & dinov2", "DINOv2 and SigLIP"):
            self.assertEqual(
                self.words.resolve("encoder", text).slug, "dinov2-vit-l-14+siglip-so400m-14", text
            )

    def test_unknown_names_show_the_nearest(self):
        for kind, text, near in (
            ("encoder", "siglp", "siglip-so400m-14"),
            ("connector", "qformer2", "q-former"),
            ("benchmark", "mmmuu", "mmmu"),
            ("hardware", "A1000", "a100-80gb-sxm"),
        ):
            with self.assertRaises(UnknownName) as caught:
                self.words.resolve(kind, text)
            self.assertIn(near, caught.exception.nearest, text)
            self.assertIn(text, str(caught.exception))
        with self.assertRaises(UnknownName) as caught:
            self.words.resolve("encoder", "SigLIP+nonsense-xyzzy")
        self.assertEqual(caught.exception.name, "nonsense-xyzzy")
        # nothing near: examples instead
        self.assertIn("known are for example", str(caught.exception))

    def test_every_name_in_every_table_is_a_slug(self):
        for paper in support.papers():
            for table in paper.tables:
                for row in table.rows:
                    for axis in ("encoder", "connector", "llm", "data"):
                        value = row.setting.get(axis)
                        for part in (value or "").split("+") if axis == "encoder" else [value]:
                            if part:
                                self.assertIn(part, self.words.records(axis), table.id)
                for metric in table.metrics.values():
                    self.assertIn(metric.benchmark, self.words.records("benchmark"), table.id)

    def test_no_spelling_names_two_things(self):
        for kind in ("encoder", "connector", "llm", "data", "hardware"):
            self.assertEqual(collisions(self.words.records(kind).values()), [], kind)
        self.assertEqual(collisions(self.words.records("benchmark").values(), "key"), [])
        self.assertEqual(
            collisions([{"slug": "a", "aliases": ["X-1"]}, {"slug": "b", "aliases": ["x 1"]}]),
            [("x 1", "a", "b")],
        )

    def test_registry_files_are_read_when_needed(self):
        words = Vocabulary(support.TABLES)
        self.assertEqual(words._files, {})
        words.resolve("encoder", "CLIP")
        self.assertEqual(set(words._files), {"components"})


class Distances(unittest.TestCase):
    def test_distance_in_bits_is_the_table_of_distances(self):
        def table(a: str, b: str) -> int:
            d = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
            for i in range(1, len(a) + 1):
                for j in range(1, len(b) + 1):
                    same = a[i - 1] == b[j - 1]
                    d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + 1 - same)
                    if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                        d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
            return d[len(a), len(b)]

        rng = random.Random(5)
        for _ in range(2000):
            a, b = ("".join(rng.choices("abc", k=rng.randrange(9))) for _ in "ab")
            limit = rng.randrange(6)
            self.assertEqual(distance(a, b, limit), min(table(a, b), limit + 1), (a, b, limit))

    def test_distance(self):
        for a, b, expected in (
            ("", "", 0),
            ("kitten", "sitting", 3),
            ("siglp", "siglip", 1),
            ("silgip", "siglip", 1),
            ("abc", "abc", 0),
            ("a", "", 1),
        ):
            self.assertEqual(distance(a, b, 5), expected, (a, b))
            self.assertEqual(distance(b, a, 5), expected, (b, a))
        self.assertEqual(distance("aaaaaaaa", "bbbbbbbb", 2), 3)

    def test_fold_and_nearest(self):
        self.assertEqual(fold("CLIP ViT-L/14 @336"), "clipvitl14336")
        names = {"siglip": "s", "siglip2": "s2", "clip": "c"}
        self.assertEqual(nearest("siglpi", names)[0], "s")
        self.assertEqual(nearest("", names), [])
        self.assertEqual(nearest("zzzzzzzzzzzz", names), [])

    def test_the_bits_give_what_the_table_gives(self):
        """Against the textbook's table of distances, cell by cell, on random texts."""

        def table(a: str, b: str) -> int:
            rows = [list(range(len(b) + 1))]
            for i, x in enumerate(a, 1):
                row = [i]
                for j, y in enumerate(b, 1):
                    least = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
                    if i > 1 and j > 1 and (x, a[i - 2]) == (b[j - 2], y):
                        least = min(least, rows[-2][j - 2] + 1)
                    row.append(least)
                rows.append(row)
            return rows[-1][-1]

        draw = random.Random(7)
        for _ in range(3000):
            a, b = ("".join(draw.choices("abc", k=draw.randint(0, 8))) for _ in "ab")
            limit = draw.randint(0, 8)
            self.assertEqual(distance(a, b, limit), min(table(a, b), limit + 1), (a, b, limit))

    def test_nearest_names_are_looked_for_when_they_are_read(self):
        asked = []
        error = UnknownName("encoder", "x", lambda: asked.append(1) or ["clip-vit-l-14"])
        self.assertEqual(asked, [])
        self.assertIn("nearest known: clip-vit-l-14", str(error))
        self.assertEqual((error.nearest, asked), (("clip-vit-l-14",), [1]))


class HubNames(unittest.TestCase):
    """Names as model hubs write them."""

    def test_tuned_versions_and_hub_ids(self):
        words = support.library().words
        for text, slug in (
            ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b"),
            ("qwen2.5-7b-chat", "qwen2.5-7b"),
            ("gemma-2-2b-it", "gemma-2-2b"),
            ("meta-llama/Meta-Llama-3-8B", "llama-3-8b"),
            ("mistral-7b-instruct-v0.2", "mistral-7b-instruct-v0.2"),
        ):
            self.assertEqual(words.resolve("llm", text).slug, slug, text)
        for text in ("foo-instruct", "Qwen/", "-it", "/"):
            with self.assertRaises(UnknownName):
                words.resolve("llm", text)

    def test_encoders_with_their_resolution(self):
        words = support.library().words
        for text, slug, side in (
            ("SigLIP-L/16-384", "siglip-l-16", 384),
            ("google/siglip-so400m-patch14-384", "siglip-so400m-14", 384),
            ("openai/clip-vit-large-patch14-336", "clip-vit-l-14", 336),
            ("siglip-so400m-14 224px", "siglip-so400m-14", 224),
        ):
            self.assertEqual(words.resolve("encoder", text), (slug, side), text)
        # not a resolution that it was trained at
        for text in ("CLIP-L-999", "siglip-so400m-14-385"):
            with self.assertRaises(UnknownName):
                words.resolve("encoder", text)


class Listed(unittest.TestCase):
    def test_every_name_of_a_kind_is_listed(self):
        words = support.library().words
        for asked, kind in (
            ("encoders", "encoder"),
            ("LLMs", "llm"),
            ("GPUs", "hardware"),
            ("families", "family"),
            ("benchmark", "benchmark"),
            ("resolution", "resolution"),
        ):
            answer = support.call_json("tables", "names", asked)
            self.assertEqual(answer["axis"], kind)
            found = {one["slug"]: one for one in answer["names"]}
            self.assertEqual(set(found), set(words.records(kind)), kind)
        mixes = support.call_json("tables", "names", "data")["names"]
        self.assertLessEqual(set(words.mixes.records), {one["slug"] for one in mixes})

    def test_who_uses_a_name(self):
        answer = support.call_json("tables", "names", "encoder", "siglip-so400m-14")["names"]
        self.assertEqual([one["slug"] for one in answer][:1], ["siglip-so400m-14"])
        rows = sum(
            "siglip-so400m-14" in (row.setting.get("encoder") or "").split("+")
            for paper in support.papers()
            for table in paper.tables
            for row in table.rows
        )
        self.assertEqual(answer[0]["rows"], rows)
        self.assertGreater(answer[0]["models"], 30)

    def test_text_and_errors(self):
        for axis in ("encoder", "data", "dataset", "model", "hardware"):
            code, out, _ = support.call("tables", "names", axis)
            self.assertEqual(code, 0)
            self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), axis)
        self.assertIn("encoder", support.call("tables", "names")[1])
        code, _, err = support.call("tables", "names", "xyzzyq")
        self.assertEqual((code, "'xyzzyq'" in err), (2, True))
        self.assertEqual(support.call("tables", "names", "encoder", "xyzzyq")[0], 1)
        # an error that rejects a name says what lists the names
        for argv, kind in (
            (("swap", "CLIP", "xyzzyq"), "encoder"),
            (("swap", "CLIP", "SigLIP", "--data", "xyzzyq"), "data"),
            (("models", "xyzzyq"), "model"),
            (("benchmarks", "xyzzyq"), None),
        ):
            code, _, err = support.call(*argv)
            self.assertEqual(code, 2, argv)
            if kind:
                self.assertIn(f"(tables names {kind})", err)


if __name__ == "__main__":
    unittest.main()
