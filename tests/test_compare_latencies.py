"""What `compare` measures, written in the registry's format and held against `latency`."""

import json
import unittest

from recipes.answers import measured
from recipes.cost import latency

from . import support
from .chat_server import Folder
from .support import call


class Latencies(Folder):
    """From answers to the estimates of `latency`."""

    def setUp(self):
        super().setUp()
        self.path = str(self.folder / "l.json")

    def measured(self, **more):
        """A file with one row; TTFT and rate as given."""
        row = {
            **dict.fromkeys(measured.KEYS),
            "id": "a.l4",
            "model": "m",
            "encoder": "clip-vit-l-14",
            "llm": "qwen2-7b",
            "device_count": 1,
            "engine": "vllm",
            "dtype": "bf16",
            "batch": 1,
            "image_resolution": 336,
            "visual_tokens": 576,
            "prompt_tokens": 24,
            "output_tokens": 100,
            "ttft_ms": 300.0,
            "decode_tokens_per_s": 10.0,
            "hardware_slug": "l4",
            "source": "here",
            "connector": "mlp-2x-gelu",
            **more,
        }
        return self.write("l.json", json.dumps({"format": 2, "measurements": [row]}))

    def test_rows_are_written_in_the_registrys_format_and_read_back(self):
        server = self.serve(lambda h, b, t: h.stream(pause=0.002))
        argv = (
            "--latency-out",
            self.path,
            "--hardware",
            "L4",
            "--engine",
            "vllm",
            "--dtype",
            "a:bf16",
            "--recipe",
            "encoder=clip,llm=qwen2-7b,resolution=336",
        )
        code, value, _ = self.compare(server, *argv)
        self.assertEqual((code, server.most), (0, 1))
        (row,) = measured.read(self.path)
        registry = support.library().words.registry("latency")["measurements"][0]
        self.assertEqual([key for key in row if key != "connector"], list(registry))
        self.assertEqual(
            (
                row["id"],
                row["llm"],
                row["hardware_slug"],
                row["batch"],
                row["visual_tokens"],
                row["prompt_tokens"],
                row["output_tokens"],
                row["grade"],
            ),
            ("a.l4", "qwen2-7b", "l4", 1, 576, 24, 9, measured.GRADE),
        )
        self.assertAlmostEqual(row["ttft_ms"], value["endpoints"][0]["ttft_ms"]["p50"])
        self.assertTrue(any("measured phases" in note for note in value["notes"]))
        self.compare(server, *argv[:-1], "encoder=clip,llm=qwen2-1.5b")
        # the same id: replaced
        self.assertEqual([row["llm"] for row in measured.read(self.path)], ["qwen2-1.5b"])
        self.compare(server, *argv[:6], "--dtype", "bf16", *argv[8:], name="b")
        self.assertEqual([row["id"] for row in measured.read(self.path)], ["a.l4", "b.l4"])

    def test_answers_to_several_at_once_are_no_latencies(self):
        record = {
            "error": None,
            "ttft_ms": 5.0,
            "concurrency": 1,
            "images_sha256": ["x"],
            "prompt_tokens": None,
            "completion_tokens": 3,
            "tokens_per_s": 9.0,
            "resize": None,
            "model": "m",
        }
        recipe = support.library()
        served = measured.deployment(
            recipe,
            measured.parse({"encoder": "clip", "llm": "qwen2-7b"}, recipe.words)[0],
            "l4",
            1,
            "vllm",
            "bf16",
        )
        self.assertEqual(
            measured.row(
                "a",
                [
                    record,
                    {**record, "concurrency": 4, "ttft_ms": 99.0},
                    {**record, "images_sha256": ["x", "y"], "ttft_ms": 99.0},
                ],
                served,
                "L4",
                "c",
            )["ttft_ms"],
            5.0,
        )
        self.assertIsNone(
            measured.row(
                "a", [{**record, "concurrency": 4}, {**record, "ttft_ms": None}], served, "L4", "c"
            )
        )

    def test_the_estimate_is_that_of_latency(self):
        own = measured.load(support.library(), self.measured())
        said = support.call_json(
            "latency", "--gpu", "L4", "--llm", "qwen2-7b", "--prompt", "24", "--output", "100"
        )["latency"]
        ttft, decode = own
        self.assertAlmostEqual(ttft.check.estimated_ms, said["ttft_ms"], places=3)
        self.assertAlmostEqual(decode.check.estimated_ms, 1000 / said["tokens_per_s"], places=3)
        self.assertEqual((ttft.check.row.printed_ms, decode.check.row.printed_ms), (300.0, 100.0))
        self.assertTrue(ttft.usable and decode.usable)

    def test_measured_rows_set_the_rates_of_their_engine_and_device(self):
        """With the rates of its own row the arithmetic gives the row back: decode exactly, TTFT
        nearly (its parts may be bound differently).
        """
        path = self.measured()
        said = support.call_json(
            "latency",
            "--gpu",
            "L4",
            "--llm",
            "qwen2-7b",
            "--prompt",
            "24",
            "--output",
            "100",
            "--measured",
            path,
        )
        self.assertAlmostEqual(said["latency"]["tokens_per_s"], 10.0, places=3)
        self.assertAlmostEqual(said["latency"]["ttft_ms"], 300, delta=3)
        self.assertIn("rates of optimised on l4 from 2 measured phases", said["warnings"][-1])
        for other in (("--gpu", "A100"), ("--gpu", "L4", "--engine", "eager")):
            plain, same = (
                support.call_json("latency", *other),
                support.call_json("latency", *other, "--measured", path),
            )
            self.assertEqual(plain["latency"], same["latency"])
            self.assertIn("published rates", same["warnings"][-1])

    def test_faster_than_the_device_is_said_and_not_used(self):
        own = measured.load(support.library(), self.measured(ttft_ms=1.0, decode_tokens_per_s=5000))
        self.assertEqual([o.usable for o in own], [False, False])
        self.assertEqual(measured.rates(own, "optimised", "l4"), (latency.ENGINES["optimised"], 0))
        self.assertTrue(any("faster than the peak" in line for line in measured.verdict(own)))

    def test_calibration_lists_the_rows(self):
        path = self.measured()
        plain, value = (
            support.call_json("latency", "--calibration"),
            support.call_json("latency", "--calibration", "--measured", path),
        )
        self.assertEqual(len(value["rows"]), len(plain["rows"]) + 2)
        self.assertEqual(value["rows"][:-2], plain["rows"])
        self.assertEqual(
            [row["row"] for row in value["measured"]["rows"]], ["a.l4 TTFT", "a.l4 decode"]
        )
        out = call("latency", "--calibration", "--measured", path)[1]
        self.assertIn("a.l4 decode", out)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))

    def test_bad_files(self):
        for more, word in (
            ({"engine": "x"}, "engine"),
            ({"dtype": "fp4"}, "dtype"),
            ({"ttft_ms": "3"}, "ttft_ms"),
            ({"ttft_ms": 0}, "ttft_ms"),
            ({"batch": 2}, "batch"),
            ({"device_count": 0}, "device_count"),
            ({"hardware_slug": "b1000"}, "b1000"),
            ({"llm": "gpt-5"}, "gpt-5"),
            ({"llm": None}, "llm"),
            ({"x": 1}, "'x'"),
            ({"decode_tokens_per_s": True}, "decode"),
            ({"visual_tokens": -1}, "visual_tokens"),
        ):
            code, out, err = call("latency", "--measured", self.measured(**more))
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), more)
            self.assertIn(word, err)
            self.assertIn("l.json#/measurements/0", err)
        for text in ("[]", "{}", '{"measurements": []}', '{"measurements": [3]}', "x"):
            self.write("l.json", text)
            self.assertEqual(call("latency", "--measured", self.path)[0], 2)
        self.assertEqual(call("latency", "--measured", "nowhere.json")[0], 2)


if __name__ == "__main__":
    unittest.main()
