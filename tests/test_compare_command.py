"""`compare` against servers that behave in every way: results, bounds, resuming after a kill."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import unittest
import unittest.mock

from recipes.base.reading import EvidenceError
from recipes.exchange import chat, compare, images, questions, results
from recipes.exchange.endpoint import endpoint

from . import support
from .chat_server import GOOD, JPEG, KEY, Folder, decoded, png
from .support import call


class Command(Folder):
    """The command as a user meets it."""

    def test_the_summary(self):
        server = self.serve()
        code, value, err = self.compare(server)
        self.assertEqual(code, 0)
        endpoint, item = value["endpoints"][0], value["items"][0]
        self.assertTrue(
            {"name", "url", "model", "ok", "failed", "ttft_ms", "tokens_per_s", "exact"}
            <= endpoint.keys()
        )
        self.assertEqual(
            (
                endpoint["name"],
                endpoint["url"],
                endpoint["model"],
                endpoint["ok"],
                endpoint["failed"],
                endpoint["exact"],
            ),
            ("a", server.url + "/v1", "cat-vl", 1, 0, None),
        )
        self.assertEqual(set(endpoint["ttft_ms"]), {"p50", "p90"})
        self.assertEqual(
            (item["question"], item["image"], item["resize"]), ("How many?", self.image, None)
        )
        self.assertTrue(
            {"text", "ttft_ms", "total_ms", "completion_tokens", "error"}
            <= item["answers"]["a"].keys()
        )
        self.assertEqual(item["answers"]["a"]["text"], "Two cats")
        self.assertIn(f"POST {server.url}/v1/chat/completions, model cat-vl", err)
        url = server.asked()[0]["messages"][0]["content"][0]["image_url"]["url"]
        self.assertEqual(url, images.data_url(pathlib.Path(self.image).read_bytes(), "png"))
        # nothing is written unasked
        self.assertEqual([p.name for p in self.folder.iterdir()], ["a.png"])

    def test_text_fits_80_columns_and_is_plain(self):
        hostile = [
            {
                "choices": [
                    {"delta": {"content": "\x1b[2J\x9b31m\u202e\r\x00\x7f " + "word " * 300}}
                ]
            },
            "[DONE]",
        ]
        first, second = (
            self.serve(lambda h, b, t: h.stream(hostile)),
            self.serve(lambda h, b, t: h.send(400, b"\x1b[2J bad\x9b")),
        )
        file = self.write(
            "q.jsonl",
            "\n".join(
                json.dumps(
                    {
                        "id": f"{i}\x1b",
                        "question": "How \x9b many?" * 9,
                        "images": ["a.png"],
                        "answer": "2",
                    }
                )
                for i in range(25)
            ),
        )
        code, out, err = call(
            "compare",
            "--endpoint",
            f"one={first.url}",
            "--endpoint",
            f"two={second.url},model=Q/{'x' * 90}",
            "--questions",
            file,
            "--resize",
            "16,original",
        )
        self.assertEqual(code, 1)
        for line in (out + err).splitlines():
            self.assertNotRegex(line, r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
        for line in out.splitlines():
            self.assertLessEqual(len(line), 80, line)
        self.assertIn("failed: HTTP 400", out)
        self.assertIn("and 30 more", out)
        self.assertIn("0/25", out.replace("\n", " "))

    def test_json_holds_no_control_characters_either(self):
        server = self.serve(
            lambda h, b, t: h.stream(
                [{"choices": [{"delta": {"content": "\x1b[2J\x9b\x7f\u202e"}}]}, "[DONE]"]
            )
        )
        path = str(self.folder / "r.jsonl")
        code, out, _ = call(
            "compare",
            "--endpoint",
            f"a={server.url}",
            "--image",
            self.image,
            "--question",
            "?",
            "--json",
            "--out",
            path,
        )
        for text in (out, pathlib.Path(path).read_text()):
            self.assertNotRegex(text.replace("\n", ""), r"[\x00-\x1f\x7f-\x9f\u202e]")
            self.assertIn("\\u009b", text)
        self.assertEqual(
            json.loads(out)["items"][0]["answers"]["a"]["text"], "\x1b[2J\x9b\x7f\u202e"
        )

    def test_sizes(self):
        server = self.serve()
        self.write("a.png", png(60, 40))
        code, value, _ = self.compare(server, "--resize", "30,original,90")
        self.assertEqual([item["resize"] for item in value["items"]], [30, None, 90])
        self.assertEqual(
            [part["resize"] for part in value["endpoints"][0]["by_resize"]], [30, None, 90]
        )
        sent = sorted(images.header(decoded(body))[1:] for body in server.asked())
        self.assertEqual(sent, [(30, 20), (60, 40), (90, 60)])

    def test_images_alone_and_together(self):
        other = self.write("b.jpg", JPEG)
        for more, shapes in (((), [1, 1]), (("--together",), [2])):
            server = self.serve()
            self.assertEqual(self.compare(server, "--image", other, *more)[0], 0)
            self.assertEqual(
                [
                    sum(p["type"] == "image_url" for p in b["messages"][0]["content"])
                    for b in server.asked()
                ],
                shapes,
            )
        self.assertIn("data:image/jpeg;base64,", json.dumps(server.asked()))

    def test_answers_are_scored(self):
        server = self.serve(
            lambda h, b, t: h.stream(
                [
                    {
                        "choices": [
                            {
                                "delta": {
                                    "content": (
                                        "(B) a cat"
                                        if "1" in b["messages"][0]["content"][-1]["text"]
                                        else "two"
                                    )
                                }
                            }
                        ]
                    },
                    "[DONE]",
                ]
            )
        )
        file = self.write(
            "q.jsonl",
            "\n".join(
                json.dumps({"id": i, "question": f"{i}?", "images": ["a.png"], **more})
                for i, more in (
                    (1, {"answer": "B"}),
                    (2, {"answer": "Two."}),
                    (3, {"answer": 3}),
                    (4, {}),
                )
            ),
        )
        code, value, _ = self.compare(server, "--questions", file, question=False)
        exact = value["endpoints"][0]["exact"]
        self.assertEqual((exact["right"], exact["of"]), (2, 3))
        self.assertEqual((exact["low"], exact["high"]), compare.wilson(2, 3))
        self.assertEqual(
            [item["answers"]["a"]["right"] for item in value["items"]], [True, True, False, None]
        )
        out = call("compare", "--endpoint", f"a={server.url}", "--questions", file)[1]
        self.assertIn("right: (B) a cat", out)
        self.assertIn("wrong: two", out)

    def test_what_can_be_repeated_is(self):
        def behave(h, body, turn):
            if turn < 2:
                return h.send((429, 500)[turn], b"busy", headers=[("Retry-After", "0")])
            return h.stream()

        server = self.serve(behave)
        path = self.folder / "r.jsonl"
        code, value, err = self.compare(server, "--out", str(path))
        self.assertEqual((code, len(server.asked())), (0, 3))
        self.assertEqual(err.count("again in"), 2)
        self.assertEqual(json.loads(path.read_text())["attempts"], 3)
        server = self.serve(lambda h, b, t: h.send(400, b"no"))
        self.assertEqual((self.compare(server)[0], len(server.asked())), (1, 1))
        server = self.serve(lambda h, b, t: h.stream(GOOD[:2], ending=b"zz"))
        code, value, _ = self.compare(server, "--retries", "1")
        self.assertEqual((code, len(server.asked())), (1, 2))

    def test_concurrency_is_bounded_and_one_endpoint_follows_the_other(self):
        finished, overlap = [], []

        def behave(h, body, turn):
            # the first is the last to be answered
            h.server.released.wait(0.03 if turn else 0.3)
            finished.append(turn)
            h.stream()

        file = self.write(
            "q.jsonl",
            "\n".join(json.dumps({"question": f"{i}?", "images": ["a.png"]}) for i in range(9)),
        )
        first, second = (
            self.serve(behave),
            self.serve(lambda h, b, t: (overlap.append(len(finished) < 9), h.stream())),
        )
        code, out, _ = call(
            "compare",
            "--endpoint",
            f"a={first.url}",
            "--endpoint",
            f"b={second.url}",
            "--questions",
            file,
            "--concurrency",
            "3",
            "--json",
        )
        self.assertEqual((code, first.most, len(first.asked()), len(second.asked())), (0, 3, 9, 9))
        self.assertLessEqual(second.most, 3)
        self.assertFalse(any(overlap))
        # order of the file
        self.assertEqual(
            [item["id"] for item in json.loads(out)["items"]], [f"line {i}" for i in range(1, 10)]
        )

    def test_nothing_is_asked_after_the_end(self):
        server = self.serve(lambda h, b, t: (h.server.released.wait(0.02), h.stream()))
        picture = questions.picture(self.image, "a.png")
        items = [questions.Item(str(i), "?", (self.image,), ("a.png",)) for i in range(9)]
        jobs = compare.plan(
            [endpoint(f"a={server.url},model=m")], items, {self.image: picture}, [None]
        )
        records = compare.carry_out(jobs, chat.Ask(), {}, 1, 0, print)
        next(records)
        records.close()
        time.sleep(0.25)
        self.assertLess(server.turn, 5)

    def test_an_endpoint_that_is_not_there_is_given_up(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
        file = self.write(
            "q.jsonl",
            "\n".join(json.dumps({"question": f"{i}?", "images": ["a.png"]}) for i in range(8)),
        )
        code, out, err = call(
            "compare",
            "--endpoint",
            f"a={url},model=m",
            "--questions",
            file,
            "--retries",
            "0",
            "--concurrency",
            "1",
            "--json",
        )
        errors = [item["answers"]["a"]["error"] for item in json.loads(out)["items"]]
        self.assertEqual((code, sum("not asked" in e for e in errors)), (1, 5))
        code, out, err = call(
            "compare", "--endpoint", f"a={url}", "--questions", file, "--retries", "0"
        )
        self.assertEqual((code, out), (2, ""))
        self.assertIn("which model?", err)

    def test_keys(self):
        server = self.serve(lambda h, b, t: h.send(401, f"wrong key {KEY}".encode()))
        path = self.folder / "r.jsonl"
        with unittest.mock.patch.dict(
            os.environ,
            {"MY_KEY": KEY, "OPENAI_API_KEY": "sk-other-12345678", "BAD": "a b", "NONE": ""},
        ):
            code, out, err = call(
                "compare",
                "--endpoint",
                f"a={server.url}",
                "--image",
                self.image,
                "--question",
                "?",
                "--key-env",
                "a=MY_KEY",
                "--out",
                str(path),
            )
            self.assertEqual(code, 1)
            self.assertEqual({h.get("Authorization") for _, h, _ in server.seen}, {f"Bearer {KEY}"})
            for text in (out, err, path.read_text()):
                self.assertNotIn(KEY, text)
            server.seen.clear()
            self.compare(server)  # no --key-env: no key, whatever the environment holds
            self.assertEqual({h.get("Authorization") for _, h, _ in server.seen}, {None})
            server.seen.clear()
            self.compare(server, "--key-env", "a")
            self.assertEqual(
                {h.get("Authorization") for _, h, _ in server.seen}, {"Bearer sk-other-12345678"}
            )
            for value, word in (
                ("a=NONE", "empty"),
                ("a=MISSING", "no such"),
                ("a=BAD", "character"),
                ("b=MY_KEY", "endpoints: a"),
                (f"a={KEY}", "not the key"),
            ):
                code, out, err = call(
                    "compare",
                    "--endpoint",
                    f"a={server.url}",
                    "--image",
                    self.image,
                    "--question",
                    "?",
                    "--key-env",
                    value,
                )
                self.assertEqual((code, out, err.count("\n")), (2, "", 1))
                self.assertIn(word, err)
                self.assertNotIn(KEY, err)
            argv = (
                "compare",
                "--image",
                self.image,
                "--question",
                "?",
                "--retries",
                "0",
                "--key-env",
                "a=MY_KEY",
                "--endpoint",
            )
            self.assertIn("travels unencrypted", call(*argv, "a=http://nowhere.invalid,model=m")[2])
            self.assertNotIn("unencrypted", call(*argv, f"a={server.url},model=m")[2])

    def test_a_model_is_named_or_the_only_one(self):
        for models, word in ((("x", "y"), "x, y"), ((), "none"), (None, "404")):
            code, _, err = self.compare(self.serve(models=models))
            self.assertEqual(code, 2)
            self.assertIn(word, err)

    def test_usage(self):
        server = self.serve()
        jpeg, text = self.write("b.jpg", JPEG), self.write("t.txt", "hello")
        own, bare = (
            self.write("own.jsonl", '{"question": "?", "images": ["a.png"]}'),
            self.write("bare.jsonl", '{"question": "?"}'),
        )
        good = ("--endpoint", f"a={server.url}", "--image", self.image, "--question", "?")
        measured = (
            "--latency-out",
            str(self.folder / "l.json"),
            "--hardware",
            "L4",
            "--engine",
            "vllm",
            "--dtype",
            "bf16",
            "--recipe",
            "encoder=clip,llm=qwen2-7b",
        )
        for argv, word in (
            ((), "no --endpoint"),
            (good[:4], "--question"),
            (good[:2] + good[4:], "--image"),
            ((*good, "--questions", own), "One of"),
            ((*good, "--image", self.image), "twice"),
            ((*good, "--endpoint", "a=http://h"), "two endpoints"),
            ((*good[:2], "--questions", bare), "no images"),
            ((*good[:4], "--questions", own), "images of its own"),
            ((*good, "--resize", "8"), "16 to 4096"),
            ((*good, "--resize", "64,64"), "twice"),
            ((*good, "--resize", ""), "pixels"),
            ((*good[:2], "--image", jpeg, "--question", "?", "--resize", "64"), "convert"),
            ((*good[:2], "--image", text, "--question", "?"), "not a PNG"),
            ((*good[:2], "--image", "nowhere.png", "--question", "?"), "nowhere.png"),
            ((*good, "--timeout", "nan"), "timeout"),
            ((*good, "--retries", "11"), "retries"),
            ((*good, "--concurrency", "0"), "concurrency"),
            ((*good, "--temperature", "3"), "temperature"),
            ((*good, "--max-tokens", "0"), "max-tokens"),
            ((*good, "--out", self.image), "reads or writes"),
            ((*good, "--out", text), "no result of compare"),
            ((*good, "--out", str(self.folder)), "regular"),
            ((*good, "--hardware", "L4"), "--latency-out"),
            ((*good, "--out", str(self.folder / "no" / "x")), "does not exist"),
            ((*good, *measured[:2]), "--hardware"),
            ((*good, *measured, "--concurrency", "2"), "one request"),
            ((*good, *measured, "--no-stream"), "streaming"),
            ((*good, *measured, "--resize", "32,64"), "one size"),
            ((*good, *measured[:5], "vlmm", *measured[6:]), "vlmm"),
            ((*good, *measured[:3], "B1000", *measured[4:]), "B1000"),
            ((*good, *measured[:-1], "encoder=clip"), "llm=…"),
            ((*good, *measured, "--gpus", "x"), "whole number"),
            ((*good, "--together", "--endpont"), "endpont"),
            ((*good, *measured, "--dtype", "a:int4", "--dtype", "a:int8"), "twice"),
        ):
            code, out, err = call("compare", *argv)
            last = err.splitlines()[-1]
            self.assertEqual((code, out), (2, ""), (argv, err))
            self.assertIn(word, last)
            self.assertTrue(last.startswith("error: "), last)
        self.assertEqual(server.asked(), [])  # nothing was sent
        self.assertEqual(pathlib.Path(text).read_text(), "hello")


class Resuming(Folder):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "r.jsonl"
        self.file = self.write(
            "q.jsonl",
            "\n".join(
                json.dumps({"id": str(i), "question": f"{i}?", "images": ["a.png"]})
                for i in range(4)
            ),
        )

    def go(self, server, *more):
        return self.compare(
            server,
            "--questions",
            self.file,
            "--out",
            str(self.path),
            "--retries",
            "0",
            *more,
            question=False,
        )

    def test_only_what_failed_or_changed_is_asked_again(self):
        server = self.serve(lambda h, b, t: h.send(400) if t == 1 else h.stream())
        self.assertEqual(self.go(server, "--concurrency", "1")[0], 1)
        self.assertEqual(len(self.path.read_text().splitlines()), 4)
        code, value, _ = self.go(server)
        self.assertEqual((code, len(server.asked())), (0, 5))
        before = self.path.read_bytes()
        again = self.go(server)
        self.assertEqual(
            (again[0], again[1], len(server.asked()), self.path.read_bytes()), (0, value, 5, before)
        )
        self.go(server, "--max-tokens", "9")
        self.assertEqual(len(server.asked()), 9)
        self.write("a.png", png(value=7))
        self.go(server)
        self.assertEqual(len(server.asked()), 13)

    def test_a_torn_last_line_is_repaired(self):
        server = self.serve()
        self.go(server)
        whole = self.path.read_bytes()
        lines = whole.splitlines(keepends=True)
        for cut in (1, 5, len(lines[3]) // 2, len(lines[3]) - 1):
            self.path.write_bytes(b"".join(lines[:3]) + lines[3][:cut])
            count = len(server.asked())
            code, value, err = self.go(server)
            self.assertEqual(
                (code, value["endpoints"][0]["ok"], len(server.asked())), (0, 4, count + 1)
            )
            self.assertIn("torn", err)
            self.assertTrue(all(json.loads(line) for line in self.path.read_text().splitlines()))

    def test_foreign_and_changed_files_are_left_alone(self):
        server = self.serve()
        self.go(server)
        line = self.path.read_text().splitlines()[0]
        record = json.loads(line)
        for text in (
            "hello",
            '{"x": 1}\n',
            '{"compare": 1, "x": 2}\n',
            line.replace("{", "[", 1) + "\n",
            json.dumps({**record, "images_sha256": 3}) + "\n",
            json.dumps({**record, "error": 3}) + "\n",
            json.dumps({**record, "ttft_ms": "x"}) + "\n",
            "\n",
            line + "\nx",
        ):
            self.path.write_text(text)
            code, _, err = self.go(server)
            self.assertEqual((code, self.path.read_text()), (2, text), text[:60])
            self.assertIn("no result of compare", err)

    def test_links_and_a_second_writer_are_refused(self):
        server = self.serve()
        self.go(server)
        os.symlink(self.path, self.folder / "link.jsonl")
        with self.assertRaisesRegex(EvidenceError, "regular"):
            results.Results(str(self.folder / "link.jsonl"))
        with results.Results(str(self.path)), contextlib.suppress(ImportError):
            import fcntl  # noqa: F401

            self.assertIn("another compare", self.go(server)[2])

    def test_after_an_interruption_the_same_command_goes_on(self):
        """A real process, ended by Ctrl-C or by SIGTERM between two answers."""
        self.interrupted(signal.SIGINT, 130)

    def test_after_a_termination_too(self):
        self.interrupted(signal.SIGTERM, 143)

    def interrupted(self, sent: signal.Signals, expected: int) -> None:
        server = self.serve(lambda h, b, t: h.server.released.wait(20) if t == 2 else h.stream())
        argv = [
            sys.executable,
            str(support.ROOT / "main.py"),
            "compare",
            "--endpoint",
            f"a={server.url}",
            "--questions",
            self.file,
            "--out",
            str(self.path),
            "--concurrency",
            "1",
        ]
        process = subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # a suite that runs in the background ignores it, and so would its children
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            for _ in range(500):
                if server.turn == 3:
                    break
                time.sleep(0.01)
            process.send_signal(sent)
            out, err = process.communicate(timeout=15)
        finally:
            process.kill()
        self.assertEqual((process.returncode, out), (expected, b""))
        self.assertIn(b"goes on from there", err)
        self.assertNotIn(b"Traceback", err)
        self.assertEqual(len(self.path.read_text().splitlines()), 2)
        server.behave = lambda h, b, t: h.stream()
        code, value, _ = self.go(server)
        self.assertEqual((code, value["endpoints"][0]["ok"], len(server.asked())), (0, 4, 5))

    def test_a_line_comes_back_as_it_went_in(self):
        server = self.serve()
        self.go(server)
        with results.Results(str(self.path)) as file:
            self.assertEqual(len(file.done), 4)
            for record in file.done.values():
                self.assertTrue(results.well_formed(record))
        self.assertEqual(
            json.loads(results.dumps({"x": "\x00\x1b\x7f\x9b\u2028\u202e\ud800é"})),
            {"x": "\x00\x1b\x7f\x9b\u2028\u202e\ud800é"},
        )


if __name__ == "__main__":
    unittest.main()
