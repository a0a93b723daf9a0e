"""Swaps in which more moves than the two names say: token counts, amounts of data, tilings,
training; and components that only a user's tables have.
"""

import json
import pathlib
import tempfile
import unittest

from recipes.effects.rows import moved_axes

from . import support


def swap(*argv: str) -> dict:
    return support.call_json("swap", *argv, "--benchmark", "docvqa")


class Tokens(unittest.TestCase):
    def test_stated_tokens_are_moved(self):
        """They follow a resolution that goes the same way, and nothing else."""
        words = support.library().words
        for a, b, axes in (
            (
                {"resolution": 336, "visual_tokens": 576},
                {"resolution": 672, "visual_tokens": 2304},
                ("resolution",),
            ),
            (
                {"resolution": 336, "visual_tokens": 576},
                {"resolution": 672, "visual_tokens": 64},
                ("resolution", "visual_tokens"),
            ),
            (
                {"connector": "mlp-2x-gelu", "visual_tokens": 576},
                {"connector": "perceiver", "visual_tokens": 64},
                ("connector", "visual_tokens"),
            ),
            (
                {"encoder": "clip-vit-l-14", "visual_tokens": 576},
                {"encoder": "siglip-so400m-14", "visual_tokens": 64},
                ("encoder", "visual_tokens"),
            ),
        ):
            self.assertEqual(moved_axes(a, b, words), axes, (a, b))

    def test_no_row_makes_a_change_of_both(self):
        answer = swap("clip", "siglip", "--from-visual-tokens", "576", "--to-visual-tokens", "64")
        self.assertEqual(
            (answer["moved"], answer["deltas"][0]["grade"]),
            (["encoder", "visual_tokens"], "indirect"),
        )
        text = support.call(
            "swap", "clip", "siglip", "--from-visual-tokens", "576", "--to-visual-tokens", "64"
        )[1]
        self.assertIn(
            "576 visual tokens -> siglip-so400m-14 + 64 visual tokens", " ".join(text.split())
        )

    def test_one_side_goes_before_both(self):
        answer = swap("7B", "13B", "--visual-tokens", "576", "--to-visual-tokens", "64")
        self.assertEqual(
            (answer["from"]["visual_tokens"], answer["to"]["visual_tokens"]), (576, 64)
        )
        self.assertEqual(
            answer["deltas"],
            swap("7B", "13B", "--from-visual-tokens", "576", "--to-visual-tokens", "64")["deltas"],
        )
        self.assertEqual(
            {
                side: swap("7B", "13B", "--visual-tokens", "64")[side]["visual_tokens"]
                for side in ("from", "to")
            },
            {"from": 64, "to": 64},
        )

    def test_a_tiling_of_unknown_tokens_has_no_costs(self):
        answer = swap("336", "anyres-672")
        self.assertIsNone(answer["cost"])
        self.assertIn(
            "how many visual tokens anyres-672 gives is not known",
            " ".join(support.call("swap", "336", "anyres-672")[1].split()),
        )


class Training(unittest.TestCase):
    def test_unfreezing_is_not_beside_itself(self):
        """Cambrian-1, Table 13: the pair of CLIP differs in the unfreezing alone, which its free
        text says too.
        """
        rows = [
            row
            for row in swap("frozen", "unfrozen")["deltas"][0]["evidence"]
            if row["table"] == "cambrian1.table13" and "CLIP" in row["from_arm"]
        ]
        self.assertTrue(rows)
        self.assertTrue(
            all(
                row["controlled"] and not row["also_moves"]
                for row in rows
                if "CLIP" in row["to_arm"]
            ),
            rows,
        )

    def test_amounts_of_data_stand_in_the_head(self):
        head = support.call(
            "swap", "clip", "siglip", "--data-size", "665k", "--from-data-size", "100k"
        )[1].split("both sides")[0]
        self.assertIn(
            "llava-665k, 100,000 examples -> siglip-so400m-14 + llava-665k, 665,000 examples: ",
            " ".join(head.split()),
        )


class OwnEncoder(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        rows = [
            {"arm": arm, "set": {"encoder": encoder}, "scores": {"docvqa": score}}
            for arm, encoder, score in (
                ("A", "CLIP", 60.0),
                ("B", "brand-new-encoder", 75.0),
                ("C", "SigLIP", 70.0),
            )
        ]
        table = {
            "id": "mine.t1",
            "locator": "sweep",
            "varies": ["encoder"],
            "setting": {
                "llm": "qwen2-7b",
                "resolution": 384,
                "data": "llava-665k",
                "connector": "mlp-2x-gelu",
            },
            "metrics": {"docvqa": {"benchmark": "docvqa"}},
            "rows": rows,
        }
        pathlib.Path(self.folder, "mine.json").write_text(
            json.dumps({"format": 2, "paper": {"key": "mine"}, "tables": [table]})
        )

    def test_its_rows_are_ground(self):
        chain = swap("dinov2", "brand-new-encoder", "--tables", self.folder)
        self.assertEqual(chain["deltas"][0]["grade"], "indirect")
        direct = swap("clip", "brand-new-encoder", "--tables", self.folder)
        self.assertEqual(direct["deltas"][0]["grade"], "direct")
        for answer in (chain, direct):
            self.assertFalse(any("no chain of tables" in text for text in answer["warnings"]))
        self.assertEqual(swap("clip", "siglip")["deltas"][0]["grade"], "direct")

    def test_rows_that_count_in_full_are_not_split(self):
        """What is left without them cannot be worked out backwards from how the fit counts rows."""
        self.assertIsNone(
            swap("clip", "brand-new-encoder", "--tables", self.folder)["deltas"][0]["split"]
        )
        self.assertIsNotNone(swap("clip", "siglip")["deltas"][0]["split"])
        text = " ".join(
            support.call(
                "swap",
                "clip",
                "brand-new-encoder",
                "--tables",
                self.folder,
                "--benchmark",
                "docvqa",
                "--why",
            )[1].split()
        )
        self.assertIn("1 printed pair of rows makes this change", text)
        self.assertIn("with all other rows, they say", text)


if __name__ == "__main__":
    unittest.main()
