"""Tasks of which a request has several images or frames: data of their kind, no tiles, what is
counted; what a recipe runs on.
"""

import unittest

from recipes.picker.usual import holds, kinds_in
from recipes.terms.tasks import parse_mix
from tests import support
from tests.support import call, call_json


class Several(unittest.TestCase):
    def test_video_and_several_images(self):
        """Data of the task's own kind, though only in part public; frames are not tiled (no
        released model tiles them); what a request is counted with is said.
        """
        words = support.library().words
        for tasks, one in (("video", "frame"), ("multi-image", "image")):
            answer = call_json("pick", "--tasks", tasks)
            recipe = answer["recipes"][0]["recipe"]
            self.assertTrue(holds(words.mixes, words, recipe["data"], parse_mix(tasks, words)))
            self.assertIn(tasks, kinds_in(words.mixes, recipe["data"]))
            self.assertNotIn("tiling", recipe)
            self.assertEqual(answer["frames"], one)
            first = answer["recipes"][0]
            self.assertTrue(any("public in part" in text for text in first["unusual"]))
            self.assertTrue(any("goes on from" in text for text in answer["warnings"]))
            text = " ".join(call("pick", "--tasks", tasks, "--images", "8")[1].split())
            self.assertIn(f"tokens {'an' if one == 'image' else 'a'} {one};", text)
            self.assertIn(f"for 8 {one}s (--images N)", text)
            # more of them take longer, and cost no training
            more = call_json("pick", "--tasks", tasks, "--images", "8")["recipes"][0]
            self.assertGreater(more["latency"]["ttft_ms"], 3 * first["latency"]["ttft_ms"])
            self.assertEqual(more["training"]["gpu_hours"], first["training"]["gpu_hours"])
        self.assertIsNone(call_json("pick", "--tasks", "documents")["frames"])


class Deployed(unittest.TestCase):
    def test_a_device_that_a_sentence_names_is_what_it_runs_on(self):
        """Its latency is on Orin within Orin's 64 GB, not on the L4 that is else assumed."""
        answer = call_json("what should I train for OCR on Orin")
        self.assertEqual(answer["understood"]["argv"][-2:], ["--deploy", "Orin"])
        first = answer["recipes"][0]
        self.assertEqual(first["latency"]["gpu"], "jetson-agx-orin-64gb")
        self.assertEqual(answer["limits"]["memory_gb"], 64)
        self.assertNotIn("device", answer["limits"]["assumed"])
        self.assertEqual(
            first["latency"]["ttft_ms"],
            call_json("pick", "--tasks", "ocr", "--deploy", "edge")["recipes"][0]["latency"][
                "ttft_ms"
            ],
        )
