"""`predict` line by line, and bad input of every kind: flags, lines, files. One line each, never a
traceback.
"""

import json
import os
import pathlib
import tempfile
import unittest

from .support import call, call_json, process


class Predict(unittest.TestCase):
    def lines(self, *values, code: int) -> list[dict]:
        text = (
            b"\n".join(v if isinstance(v, bytes) else json.dumps(v).encode() for v in values)
            + b"\n"
        )
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            file.write(text)
            file.flush()
            got, out, err = call("predict", file.name)
        self.assertEqual((got, err), (code, ""))
        return [json.loads(line) for line in out.splitlines()]

    GOOD = {
        "from": {"encoder": "CLIP", "llm": "vicuna-7b"},
        "to": {"encoder": "SigLIP"},
        "benchmark": "MMMU",
    }

    def test_one_line_for_each_in_order(self):
        answers = self.lines(
            self.GOOD,
            {**self.GOOD, "benchmark": "docvqa"},
            {**self.GOOD, "to": {"encoder": "CLIP"}},
            code=0,
        )
        self.assertEqual([a["deltas"][0]["benchmark"] for a in answers], ["mmmu", "docvqa", "mmmu"])
        self.assertEqual([len(a["deltas"]) for a in answers], [1, 1, 1])
        self.assertLessEqual({"from", "to", "axis", "deltas", "warnings"}, answers[0].keys())
        self.assertEqual(answers[2]["deltas"][0]["expected"], 0)
        alone = call_json("swap", "CLIP", "SigLIP", "--benchmark", "mmmu")["deltas"][0]
        self.assertAlmostEqual(answers[0]["deltas"][0]["expected"], alone["expected"], 4)

    def test_what_is_left_out_is_equal(self):
        first, second = self.lines(
            {**self.GOOD, "to": {"encoder": "SigLIP", "resolution": 384}},
            {**self.GOOD, "to": {"encoder": "SigLIP", "llm": "vicuna-7b", "resolution": 384}},
            code=0,
        )
        self.assertEqual(first["deltas"], second["deltas"])

    def test_bad_lines_are_errors_in_their_place(self):
        bad = [
            b"",
            b"nonsense",
            b"[1]",
            b"null",
            b'{"from": {}}',
            b'{"from": {"encoder": "CLIP"}, "to": null, "benchmark": "mmmu"}',
            b"\xff\xfe",
            b"{" * 5000,
            {**self.GOOD, "benchmark": "mmmuu"},
            {**self.GOOD, "extra": 1},
            {**self.GOOD, "to": {"encodr": "SigLIP"}},
            {**self.GOOD, "to": {"visual_tokens": -3}},
            {**self.GOOD, "benchmark": 7},
            b'{"from": {"visual_tokens": NaN}, "to": {}, "benchmark": "mmmu"}',
            b'{"from": {}, "from": {}, "to": {}, "benchmark": "mmmu"}',
            b'{"from":{"encoder":"\\ud800"},"to":{"encoder":"CLIP"},"benchmark":"mmmu"}',
            b'{"from": {"encoder": "' + b"x" * 200_000 + b'"}}',
        ]
        answers = self.lines(self.GOOD, *bad, self.GOOD, code=1)
        self.assertEqual(len(answers), len(bad) + 2)
        self.assertNotIn("error", answers[0])
        self.assertNotIn("error", answers[-1])
        for number, answer in enumerate(answers[1:-1], 2):
            self.assertEqual(answer["line"], number, answer)
            self.assertTrue(answer["error"] and "\n" not in answer["error"])
            self.assertLess(len(answer["error"]), 400)
        self.assertIn("mmmu", answers[9]["error"])
        self.assertIn("did you mean encoder", answers[11]["error"])

    def test_an_unknown_component_is_answered_with_a_warning_and_a_wide_interval(self):
        known, unknown = self.lines(
            self.GOOD, {**self.GOOD, "to": {"encoder": "HyperViT-9000"}}, code=0
        )
        self.assertIn("unknown encoder 'HyperViT-9000'", " ".join(unknown["warnings"]))
        width = lambda answer: (
            answer["deltas"][0]["interval"]["high"] - answer["deltas"][0]["interval"]["low"]
        )
        self.assertGreater(width(unknown), width(known))
        self.assertIn(unknown["deltas"][0]["grade"], ("none", "extrapolated"))

    def test_standard_input(self):
        done = process("predict", "-", stdin=json.dumps(self.GOOD).encode() + b"\n")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(json.loads(done.stdout)["deltas"][0]["benchmark"], "mmmu")


class Twice(unittest.TestCase):
    def test_a_flag_of_one_value_is_not_said_twice(self):
        for argv, flag in (
            ("swap clip siglip --on 7B --on 13B", "--on"),
            ("swap clip siglip --tasks charts --tasks documents", "--tasks"),
            ("cost --data llava-665k --data cambrian-7m", "--data"),
            ("latency --encoder clip --encoder siglip", "--encoder"),
            ("pick --latency 300ms --latency 200ms", "--latency"),
        ):
            code, out, err = call(*argv.split())
            self.assertEqual((code, out), (2, ""), argv)
            self.assertIn(f"{flag} is given twice", err)

    def test_benchmarks_and_a_mix_are_not_asked_together(self):
        for argv in ("swap clip siglip", "rank encoder", "versus encoder llm"):
            both = (*argv.split(), "--benchmark", "docvqa", "--tasks", "charts")
            code, out, err = call(*both)
            self.assertEqual((code, out), (2, ""), argv)
            self.assertIn("--benchmark and --tasks", err)

    def test_a_flag_of_several_values_is(self):
        value = call_json("swap", "clip", "siglip", "--benchmark", "mmmu", "--benchmark", "docvqa")
        self.assertEqual({d["benchmark"] for d in value["deltas"]}, {"mmmu", "docvqa"})
        self.assertEqual(len(call_json("latency", "--gpu", "L4", "--gpu", "Orin")["answers"]), 2)


class BadInput(unittest.TestCase):
    """One line on stderr, exit code 2, the bad token in it."""

    def refused(self, *argv: str, words: tuple[str, ...] = ()) -> str:
        code, out, err = call(*argv)
        self.assertEqual(code, 2, (argv, out[:200], err))
        self.assertEqual(out, "", argv)
        self.assertEqual(err.count("\n"), 1, (argv, err))
        self.assertNotIn("Traceback", err)
        self.assertLess(len(err), 700, argv)
        for word in words:
            self.assertIn(word, err, argv)
        return err

    def test_names(self):
        self.refused("swap", "CLIP", "siglp", words=("'siglp'", "siglip-so400m-14"))
        self.refused("swap", "CLIP", "xyzzy", words=("'xyzzy'", "for example"))
        self.refused("swap", "CLIP", "Q-Former", words=("Q-Former",))
        self.refused("swap", "CLIP", "SigLIP", "--benchmark", "mmmuu", words=("'mmmuu'", "mmmu"))
        self.refused("swap", "CLIP", "SigLIP", "--on", "vicunia-7b", words=("vicunia",))
        self.refused("swap", "CLIP", "SigLIP", "--tasks", "cooking", words=("'cooking'",))
        self.refused("tables", "show", "cambrian1.table999", words=("cambrian1.table",))
        self.refused("tokens", "--model", "quen2-vl", words=("qwen2-vl",))
        self.refused("benchmarks", "chartz", words=("chart",))
        self.refused("backtest", "--paper", "cambrian", words=("cambrian1",))
        self.refused("check", "--explain", "meen", words=("mean",))
        self.refused("pick", "--fix", "encoder=siglp", words=("siglip-so400m-14",))

    def test_quantities(self):
        for argv in (
            ("pick", "--budget", "-500 A100-hours"),
            ("pick", "--budget", "500 bananas"),
            ("pick", "--latency", "300 parsecs on L4"),
            ("pick", "--memory", "big"),
            ("pick", "--latency", "300ms on L5"),
            ("pick", "--top", "0"),
            ("pick", "--top", "-1"),
            ("pick", "--top", "1000000"),
            ("pick", "--top", "x"),
            ("ablate", "--confidence", "2"),
            ("ablate", "--confidence", "-1"),
            ("swap", "CLIP", "SigLIP", "--level", "nan"),
            ("swap", "CLIP", "SigLIP", "--level", "1"),
            ("swap", "CLIP", "SigLIP", "--resolution", "abc"),
            ("swap", "CLIP", "SigLIP", "--resolution=-5"),
            ("swap", "CLIP", "SigLIP", "--visual-tokens", "-3"),
            ("swap", "7B", "1e30B"),
            ("swap", "CLIP", "SigLIP", "--frozen-encoder", "perhaps"),
            ("tokens", "--model", "qwen2-vl", "--image", "0x5"),
            ("tokens", "--model", "qwen2-vl", "--image", "12"),
            ("tokens", "--model", "qwen2-vl", "--image", "9999999999x5"),
            ("tokens", "--resolution", "big"),
            ("pick", "--tasks", "documents=-1"),
            ("pick", "--tasks", "documents=1e400"),
            ("fit", "--search", "-1"),
        ):
            self.refused(*argv)

    def test_contradictions(self):
        self.refused("swap", "336", "672", "--resolution", "448", words=("resolution",))
        self.refused("swap", "7B", "13B", "--on", "70B", words=("--on",))
        self.refused("swap", "CLIP", "SigLIP", "--on", "7B", "--llm", "qwen2-7b", words=("--on",))
        self.refused("swap", "CLIP", "CLIP", words=("nothing changes",))
        self.refused("pick", "--fix", "encoder=clip", "--fix", "encoder=siglip", words=("twice",))
        self.refused("ablate", "--recipe", "encoder=clip,encoder=siglip", words=("twice",))
        self.refused("tokens", "--model", "llava", "--encoder", "clip", words=("either",))

    def test_usage(self):
        self.refused("swop", "CLIP", "SigLIP", words=("swap",))
        self.refused("swap", "CLIP", words=("TO",))
        self.refused("swap", "CLIP", "SigLIP", "--nope", words=("--nope",))
        self.refused("--nope", words=("--nope",))
        self.refused("tables", "show", words=("which one",))
        self.refused("pick", "--fix", "encoder", words=("--fix",))
        self.refused("pick", "--fix", "colour=red", words=("colour", "encoder"))
        self.refused("predict", "/does/not/exist.jsonl", words=("/does/not/exist.jsonl",))
        self.refused("check", "/does/not/exist", words=("/does/not/exist",))
        self.refused(
            "swap", "CLIP", "SigLIP", "--tables", "/does/not/exist", words=("/does/not/exist",)
        )
        self.refused("predict", "changes\0.jsonl", words=("cannot be read", "null"))
        self.refused("claims", "--file", "mine\0.json", words=("cannot be read", "null"))
        self.refused("moves", "", "--from", "60", "--target", "70", words=("benchmark",))
        self.refused("make me a sandwich", words=("nearest question",))
        self.refused("", words=("question",))

    def test_control_characters_do_not_reach_the_terminal(self):
        err = self.refused("swap", "CLIP", "Sig\x1b[31mLIP\x07")
        self.assertNotIn("\x1b", err)
        self.assertNotIn("\x07", err)


class BadTables(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def table(self, **changes) -> dict:
        row = {"arm": "a", "set": {"encoder": "CLIP"}, "scores": {"mmmu": 35.0}}
        return {
            "format": 2,
            "paper": {"key": "own"},
            "tables": [
                {
                    "id": "own.t",
                    "locator": "T",
                    "varies": ["encoder"],
                    "setting": {"llm": "qwen2.5-7b"},
                    "metrics": {"mmmu": {"benchmark": "mmmu"}},
                    "rows": [
                        {**row, **changes},
                        {"arm": "b", "set": {"encoder": "SigLIP"}, "scores": {"mmmu": 36.0}},
                    ],
                }
            ],
        }

    def refused(self, content: bytes | dict, *words: str) -> None:
        path = self.folder / "own.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        for command in (("swap", "CLIP", "SigLIP"), ("predict", os.devnull), ("pick",)):
            if command[0] == "predict":
                continue
            code, out, err = call(*command, "--tables", str(self.folder))
            self.assertEqual((code, out), (2, ""), (content, err))
            self.assertEqual(err.count("\n"), 1)
            for word in ("own.json", *words):
                self.assertIn(word, err)
        self.assertEqual(call("check", str(path))[0], 1)

    def test_broken_files(self):
        whole = json.dumps(self.table()).encode()
        for content in (
            b"",
            b"{",
            whole[:-10],
            whole[:60],
            b"\xef\xbb\xbf" + whole,
            whole.decode().encode("utf-16"),
            b"[" * 10_000,
            whole.replace(b"35.0", b"NaN"),
            whole.replace(b"35.0", b"Infinity"),
            whole.replace(b"35.0", b"1e999"),
            whole.replace(b'"arm": "a"', b'"arm": "a", "arm": "a"'),
            b"[]",
            b"null",
            b"3",
        ):
            self.refused(content)

    def test_fields_that_make_no_sense_are_named(self):
        for key, value in (
            ("data_size", "lots"),
            ("visual_tokens", "many"),
            ("visual_tokens", 0),
            ("encoder", ["clip"]),
            ("resolution", 1e300),
            ("resolution", -1),
            ("llm_params_b", -7),
            ("llm_params_b", "seven"),
            ("frozen_encoder", "yes"),
            ("training", 3),
        ):
            self.refused(
                self.table(set={"encoder": "CLIP", key: value}), f"/tables/0/rows/0/set/{key}"
            )
        self.refused(self.table(doubt="yes"), "/tables/0/rows/0/doubt")
        self.refused(self.table(scores={"mmmu": "35"}), "/tables/0/rows/0/scores/mmmu")
        bad = self.table()
        bad["tables"][0]["metrics"]["mmmu"]["max"] = "x"
        self.refused(bad, "/tables/0/metrics/mmmu/max")
        self.refused(
            json.dumps(self.table()).replace('"arm": "a"', '"arm": "\\ud800"').encode(), "surrogate"
        )

    def test_duplicate_ids(self):
        data = self.table()
        data["tables"].append(data["tables"][0])
        self.refused(data, "own.t")

    def test_links_directories_and_other_files(self):
        (self.folder / "own.json").mkdir()
        self.assertEqual(call("swap", "CLIP", "SigLIP", "--tables", str(self.folder))[0], 2)
        (self.folder / "own.json").rmdir()
        (self.folder / "own.json").symlink_to("/etc/passwd")
        code, _, err = call("swap", "CLIP", "SigLIP", "--tables", str(self.folder))
        self.assertEqual(code, 2)
        self.assertNotIn("root:", err)
        (self.folder / "own.json").unlink()
        (self.folder / "notes.txt").write_text("not a table")
        code, _, err = call("swap", "CLIP", "SigLIP", "--tables", str(self.folder))
        self.assertEqual(code, 2)
        self.assertIn("holds no table", err)


if __name__ == "__main__":
    unittest.main()
