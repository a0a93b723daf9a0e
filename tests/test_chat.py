"""One chat request against a real HTTP server that behaves and misbehaves."""

import json
import os
import socket
import threading
import time
import unittest
import unittest.mock

from recipes.exchange import chat, endpoint, wire

from .chat_server import GOOD, KEY, Server, events


def ask(behave, *, stream=True, timeout_s=5.0, key=None, max_tokens=16):
    """The reply of one request to a server that behaves so."""
    with Server(behave) as server:
        to = endpoint.endpoint(f"a={server.url},model=m")
        return chat.chat(to, "How many?", [], chat.Ask(timeout_s, max_tokens, 0.0, stream), key)


class Endpoints(unittest.TestCase):
    def test_urls(self):
        for text, url, model in (
            ("a=http://localhost:8000", "http://localhost:8000/v1", None),
            ("a=http://localhost:8000/v1/,model=x/y", "http://localhost:8000/v1", "x/y"),
            ("a=https://h/openai", "https://h/openai/v1", None),
            ("a=https://h/v1beta/chat/completions", "https://h/v1beta", None),
            ("a=http://[::1]:80/v1", "http://[::1]:80/v1", None),
            ("a=http://h/v1/chat/completions,model=m:7b", "http://h/v1", "m:7b"),
        ):
            to = endpoint.endpoint(text)
            self.assertEqual((to.url, to.model), (url, model), text)
        self.assertTrue(endpoint.endpoint("a=http://[::1]").local)
        self.assertFalse(endpoint.endpoint("a=http://127.0.0.1.evil.example").local)

    def test_what_is_refused(self):
        for text, word in (
            ("http://localhost", "NAME=URL"),
            ("a b=http://h", "NAME=URL"),
            ("a=ftp://h", "http://"),
            ("a=file:///etc/passwd", "http://"),
            ("a=http://", "http://"),
            ("a=http://h:99999", "port"),
            ("a=http://h:x", "port"),
            ("a=http://[::1", "IPv6"),
            ("a=http://u:p4ss@h/v1", "environment"),
            ("a=http://h/v1?key=s3cr", "environment"),
            ("a=http://h/#x", "environment"),
            ("a=http://h/\nX: y", "character"),
            ("a=http://hé", "character"),
            ("a=http://h\\@evil", "character"),
            ("a=http://h,modle=x", "model=ID"),
            ("a=http://h,model=", "model=ID"),
            ("a=http://h,model=x\x1b[2J", "printable"),
        ):
            with self.assertRaises(endpoint.EndpointError, msg=text) as caught:
                endpoint.endpoint(text)
            message = str(caught.exception)
            self.assertIn(word, message)
            self.assertNotRegex(message, r"p4ss|s3cr|[\x00-\x1f]")


class Wire(unittest.TestCase):
    """One request at a time, straight to the module."""

    def failure(self, behave, **more) -> wire.ChatError:
        with self.assertRaises(wire.ChatError) as caught:
            ask(behave, **more)
        return caught.exception

    def raw(self, data: bytes, hold=False):
        """A behaviour: these bytes, as they are."""

        def behave(handler, body, turn):
            handler.wfile.write(data)
            handler.wfile.flush()
            if hold:
                handler.server.released.wait(5)
            handler.close_connection = True

        return behave

    def test_a_stream(self):
        reply = ask(lambda h, b, t: h.stream(pause=0.01))
        self.assertEqual(
            (
                reply.text,
                reply.completion_tokens,
                reply.tokens_from,
                reply.prompt_tokens,
                reply.finish_reason,
            ),
            ("Two cats", 9, "usage", 600, "stop"),
        )
        self.assertLess(reply.ttft_ms, reply.total_ms)
        self.assertGreater(reply.tokens_per_s, 0)

    def test_ttft_begins_with_text_and_not_with_the_role(self):
        order = []

        def slow(h, body, turn):
            h.send_response(200)
            h.send_header("Content-Type", "text/event-stream")
            h.send_header("Connection", "close")
            h.end_headers()
            h.wfile.write(events(GOOD[:1]))
            order.append(time.perf_counter())
            h.server.released.wait(0.05)
            order.append(time.perf_counter())
            h.wfile.write(events(GOOD[1:]))
            h.close_connection = True

        self.assertGreaterEqual(ask(slow).ttft_ms, 1000 * (order[1] - order[0]))

    def test_tokens_are_counted_when_the_server_does_not_report_them(self):
        for usage in (
            None,
            {"completion_tokens": -1},
            {"completion_tokens": True},
            {"completion_tokens": "9"},
            {"completion_tokens": 10**15},
            [],
        ):
            reply = ask(
                lambda h, b, t, usage=usage: h.stream(
                    [*GOOD[:-2], {"choices": [], "usage": usage}, "[DONE]"]
                )
            )
            self.assertEqual((reply.completion_tokens, reply.tokens_from), (2, "chunks"), usage)

    def test_reasoning_is_timed_and_not_shown(self):
        for name in ("reasoning", "reasoning_content"):
            reply = ask(
                lambda h, b, t, name=name: h.stream(
                    [{"choices": [{"delta": {name: "hm", "content": None}}]}, *GOOD]
                )
            )
            self.assertEqual((reply.text, reply.reasoning), ("Two cats", True))

    def test_other_forms_of_a_good_stream(self):
        body = b": ping\n\nevent: message\r\nid: 1\r\ndata:" + json.dumps(GOOD[1]).encode()
        body += b'\r\n\r\ndata: {"choices":\ndata: [{"delta": {}, "finish_reason": "length"}]}\n\n'
        for tail in (b"data: [DONE]\n\n", b"data: [DONE]", b""):
            data = b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + body + tail
            reply = ask(self.raw(data))
            self.assertEqual((reply.text, reply.finish_reason), ("Two ", "length"))

    def test_one_piece(self):
        whole = json.dumps(
            {
                "choices": [{"message": {"content": "Two"}, "finish_reason": "stop"}],
                "usage": {"completion_tokens": 1},
            }
        ).encode()
        for stream in (True, False):  # a server that does not stream although asked
            reply = ask(lambda h, b, t: h.send(200, whole), stream=stream)
            self.assertEqual(
                (reply.text, reply.ttft_ms, reply.tokens_per_s, reply.completion_tokens),
                ("Two", None, None, 1),
            )

    def test_the_connection_may_stay_open(self):
        """Keep-alive: the reply ends with [DONE], whatever the server does with the connection."""
        chunked = (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding:"
            b" chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(events(GOOD)), events(GOOD))
        )
        self.assertEqual(ask(self.raw(chunked, hold=True)).text, "Two cats")

    def test_what_is_sent(self):
        with Server() as server:
            to = endpoint.endpoint(f"a={server.url},model=m")
            chat.chat(
                to,
                "Où?",
                ["data:image/png;base64,AA", "data:image/png;base64,BB"],
                chat.Ask(5, 7, 0.5),
                KEY,
            )
            path, headers, body = server.seen[0]
        self.assertEqual(path, "/v1/chat/completions")
        self.assertEqual(headers["Authorization"], f"Bearer {KEY}")
        self.assertEqual(
            (
                body["model"],
                body["max_tokens"],
                body["temperature"],
                body["stream"],
                body["stream_options"],
            ),
            ("m", 7, 0.5, True, {"include_usage": True}),
        )
        self.assertEqual(
            [
                part.get("text") or part["image_url"]["url"][-2:]
                for part in body["messages"][0]["content"]
            ],
            ["AA", "BB", "Où?"],
        )

    def test_redirects_are_refused_and_take_nothing_along(self):
        with Server() as evil:
            for status in (301, 302, 303, 307, 308):
                error = self.failure(
                    lambda h, b, t, status=status: h.send(
                        status, headers=[("Location", evil.url + "/v1/chat/completions?k=" + KEY)]
                    ),
                    key=KEY,
                )
                self.assertIn("redirects to", str(error))
                self.assertIn(evil.url, str(error))
                self.assertNotIn(KEY, str(error))
                self.assertFalse(error.again)
            self.assertEqual(evil.seen, [])

    def test_statuses(self):
        for status, again in (
            (400, False),
            (401, False),
            (404, False),
            (413, False),
            (422, False),
            (429, True),
            (500, True),
            (503, True),
            (204, False),
        ):
            error = self.failure(
                lambda h, b, t, status=status: h.send(
                    status, b"" if status == 204 else b'{"error": {"message": "no\\nway"}}'
                )
            )
            self.assertEqual(error.again, again, status)
            self.assertIn(f"HTTP {status}", str(error))
            self.assertTrue(status == 204 or "no way" in str(error))

    def test_error_bodies(self):
        for body, text in (
            (b'{"error": "x"}', "x"),
            (b'{"message": "m", "object": "error"}', "m"),
            (b'{"detail": "Not Found"}', "Not Found"),
            (b"<html>busy</html>", "<html>busy</html>"),
            (b"\xff\xfe", "\ufffd\ufffd"),
            (b"[" * 5000, "[" * 300),
            (b"", ""),
        ):
            self.assertEqual(wire.error_text(body), text)

    def test_retry_after(self):
        for header, seconds in (
            ("2", 2.0),
            ("0.5", 0.5),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
            ("soon", None),
            ("-1", None),
            ("", None),
            (None, None),
            ("9" * 400, None),
        ):
            self.assertEqual(wire.retry_after(header), seconds, header)
        self.assertEqual(
            self.failure(lambda h, b, t: h.send(429, headers=[("Retry-After", "7")])).wait_s, 7.0
        )

    def test_back_off_doubles_with_jitter_that_does_not_change(self):
        waits = [chat.waiting(n, "a q1", None) for n in range(12)]
        self.assertEqual(waits, [chat.waiting(n, "a q1", None) for n in range(12)])
        self.assertNotEqual(waits[0], chat.waiting(0, "a q2", None))
        for n, wait in enumerate(waits):
            self.assertTrue(
                0.75 <= wait / min(chat.FIRST_WAIT_S * 2**n, chat.LONGEST_WAIT_S) <= 1.25
            )

    def test_persistence(self):
        waits, told = [], []

        def fail(error):
            def action():
                raise error

            return action

        for error, attempts in (
            (wire.ChatError("x", True, 3.0), 3),
            (wire.ChatError("x"), 1),
            (wire.ChatError("x", True, 1e6), 1),
        ):
            with self.assertRaises(wire.ChatError) as caught:
                chat.persistent(fail(error), 2, "s", waits.append, told.append)
            self.assertEqual(caught.exception.attempts, attempts)
        self.assertEqual(waits, [3.0, 3.0])  # an hour is not waited for
        self.assertIn("asks to wait 1,000,000 s", str(caught.exception))
        self.assertEqual(len(told), 2)

    def test_cut_replies_may_be_asked_for_again(self):
        half = events(GOOD[:3])
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        for data in (
            b"",
            head + b"\r\n" + half,
            head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(half), half),
            head + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n" + half,
            head + b"Content-Length: 9000\r\n\r\n" + half,
            (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:"
                b' 900\r\n\r\n{"choices": ['
            ),
        ):
            self.assertTrue(self.failure(self.raw(data)).again, data)

    def test_wrong_replies(self):
        cases = [
            b"[]",
            b"7",
            b"{}",
            b'{"choices": {}}',
            b'{"choices": [3]}',
            b'{"choices": [{"message": "x"}]}',
            b'{"choices": [{"message": {"content": [1]}}]}',
            b'{"choices": []}',
            b'{"choices": NaN}',
            b"[" * 100_000,
            b'{"a": ' * 100 + b"1" + b"}" * 100,
            b"<html>hello</html>",
            b"\xff\xfe\x00",
            b'{"a": 1, "a": 2}',
            b'{"choices": [{"message": {"content": "\\ud800"}}]}',
            b'{"error": {"message": "out of memory"}}',
            b'{"n": ' + b"9" * 5000 + b"}",
        ]
        for body in cases:
            error = self.failure(lambda h, b, t, body=body: h.send(200, body), stream=False)
            self.assertFalse(error.again, body[:40])
            self.assertLess(len(str(error)), 700)

    def test_wrong_streams(self):
        for values, word in (
            (["nonsense"], "wrong JSON"),
            ([{"choices": [{"delta": {"content": 5}}]}], "not text"),
            ([{"choices": [{"delta": []}]}], "not an object"),
            ([*GOOD[:2], {"error": {"message": "CUDA out of memory", "code": 500}}], "CUDA"),
            ([{"object": "error", "message": "bad"}], "bad"),
            ([], "event stream"),
        ):
            self.assertIn(word, str(self.failure(lambda h, b, t, values=values: h.stream(values))))
        self.assertTrue(
            self.failure(lambda h, b, t: h.stream([{"error": {"message": "x", "code": 503}}])).again
        )
        self.assertIn(
            "event stream", str(self.failure(lambda h, b, t: h.send(200, b"<html>", "text/html")))
        )

    def test_compressed_and_strange_protocols(self):
        self.assertIn(
            "compressed",
            str(
                self.failure(
                    lambda h, b, t: h.send(200, b"x", headers=[("Content-Encoding", "gzip")])
                )
            ),
        )
        for data in (
            b"SSH-2.0-OpenSSH\r\n",
            b"HTTP/1.1 2x0 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        ):
            self.assertFalse(self.failure(self.raw(data)).again, data[:30])

    def test_bounds(self):
        """Endless lines, endless events, endless heads and huge bodies stop at a bound."""

        def flood(head, piece):
            def behave(h, body, turn):
                h.close_connection = True
                h.wfile.write(head)
                while True:  # until the client hangs up
                    h.wfile.write(piece)

            return behave

        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        for name, behave in (
            ("line is longer", flood(head, b"x" * 65536)),
            ("comments", flood(head, b": hi\n" * 9000)),
            ("events", flood(head, events(GOOD[1:2]) * 500)),
            (
                "body",
                flood(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b" " * 65536),
            ),
            ("continue", flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)),
        ):
            with (
                self.subTest(name),
                unittest.mock.patch.object(chat, "MAX_REPLY", 300_000),
                unittest.mock.patch.object(wire, "MAX_REPLY", 300_000),
                unittest.mock.patch.object(wire, "MAX_LINE", 200_000),
            ):
                self.assertRegex(
                    str(self.failure(behave)),
                    (
                        "line of the stream is longer"
                        if "longer" in name
                        else "larger|too many|more than"
                    ),
                )

    def test_timeouts(self):
        def silent(h, body, turn):
            h.server.released.wait(0.6)
            h.stream()

        def drip(h, body, turn):
            h.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            # each byte comes in time, the whole does not
            while not h.server.released.wait(0.02):
                h.wfile.write(b":")

        for behave in (silent, drip):
            error = self.failure(behave, timeout_s=0.2)
            self.assertIn("within 0.2 s", str(error))
            self.assertFalse(error.again)
        with self.assertRaises(TimeoutError):
            wire._Raw(None, 0.0, 5).readinto(bytearray(1))

    def test_no_server(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}", f"http://[::1]:{port}", "http://nowhere.invalid"):
            with self.assertRaises(wire.ChatError) as caught:
                chat.chat(endpoint.endpoint(f"a={url},model=m"), "?", [], chat.Ask(2))
            self.assertTrue(caught.exception.lost and caught.exception.again)

    def test_plain_words_against_a_tls_server(self):
        """It sends an alert, or closes without a word; asking again does not help to see why."""
        for said in (b"\x15\x03\x01\x00\x02\x02\x46", b""):
            with socket.create_server(("127.0.0.1", 0)) as listening:

                def answer(listening=listening, said=said):
                    connection, _ = listening.accept()
                    with connection:
                        connection.recv(100)
                        connection.sendall(said)

                thread = threading.Thread(target=answer, daemon=True)
                thread.start()
                to = endpoint.endpoint(f"a=http://127.0.0.1:{listening.getsockname()[1]},model=m")
                with self.subTest(said), self.assertRaises(wire.ChatError) as caught:
                    chat.chat(to, "?", [], chat.Ask(2))
                thread.join(5)
                self.assertIn("is it https://?", str(caught.exception))

    def test_tls_against_a_plain_server(self):
        with Server() as server, self.assertRaises(wire.ChatError) as caught:
            chat.chat(
                endpoint.endpoint(f"a={server.url.replace('http', 'https')},model=m"),
                "?",
                [],
                chat.Ask(2),
                KEY,
            )
        self.assertIn("TLS", str(caught.exception))
        self.assertEqual(server.seen, [])

    def test_a_key_that_the_server_repeats_is_hidden(self):
        reply = ask(
            lambda h, b, t: h.stream(
                [
                    {"choices": [{"delta": {"content": part}}]}
                    for part in ("your key: sk-sec", KEY[6:])
                ]
                + GOOD[-1:]
            ),
            key=KEY,
        )
        self.assertEqual(reply.text, "your key: [key]")
        self.assertNotIn(
            KEY, str(self.failure(lambda h, b, t: h.send(401, f"bad key {KEY}".encode()), key=KEY))
        )
        self.assertNotIn(
            KEY, str(self.failure(lambda h, b, t: h.send(200, f"bad key {KEY}".encode()), key=KEY))
        )

    def test_models(self):
        for value, names in ((["x", "y/z"], ["x", "y/z"]), ([], [])):
            with Server(models=value) as server:
                self.assertEqual(chat.models(endpoint.endpoint(f"a={server.url}"), None, 5), names)
        for value in (
            None,
            b"x",
            b"[]",
            b'{"data": 3}',
            b'{"data": [{"id": 3}]}',
            b'{"data": [{"id": "\\u001b[2J"}]}',
            b'{"data": [{"id": ""}]}',
        ):
            with Server(models=value) as server, self.assertRaises(wire.ChatError):
                chat.models(endpoint.endpoint(f"a={server.url}"), None, 5)

    def test_proxies_of_the_environment_are_not_used(self):
        with unittest.mock.patch.dict(
            os.environ,
            {
                "http_proxy": "http://127.0.0.1:1",
                "HTTP_PROXY": "http://127.0.0.1:1",
                "all_proxy": "http://127.0.0.1:1",
            },
        ):
            self.assertEqual(ask(lambda h, b, t: h.stream()).text, "Two cats")


if __name__ == "__main__":
    unittest.main()
