"""A chat server for tests, whose behaviour a test sets, and images to ask about. Holds no test."""

import base64
import http.server
import json
import pathlib
import tempfile
import threading
import unittest
import unittest.mock

from recipes.exchange import chat, images

from .support import call

GOOD = [
    {"choices": [{"delta": {"role": "assistant", "content": ""}}]},
    {"choices": [{"delta": {"content": "Two "}}]},
    {"choices": [{"delta": {"content": "cats"}, "finish_reason": None}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 600, "completion_tokens": 9}},
    "[DONE]",
]
KEY = "sk-secret-0123456789"


def events(values) -> bytes:
    """Server-sent events of values (texts as they are)."""
    return b"".join(
        b"data: " + (v if isinstance(v, str) else json.dumps(v)).encode() + b"\n\n" for v in values
    )


class Handler(http.server.BaseHTTPRequestHandler):
    """Asks the server's `behave` what to do."""

    protocol_version = "HTTP/1.1"
    waits = 0  # 1 while a request has no answer yet

    def log_message(self, *_):
        pass

    def answered(self):
        """Once a client may have its answer, the next request is no longer at once with it."""
        with self.server.lock:
            self.server.now -= self.waits
            self.waits = 0

    def send(self, status=200, body=b"", kind="application/json", headers=(), length=None):
        self.answered()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, values=GOOD, pause=0.0, ending=b""):
        """Events in chunked encoding."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for place, value in enumerate(values, 1):
            if place == len(values):
                self.answered()
            body = events([value])
            self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
            if pause:
                self.server.released.wait(pause)
        self.wfile.write(ending or b"0\r\n\r\n")

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers), None))
        if self.server.models is None:
            self.send(404, b"{}")
        elif isinstance(self.server.models, bytes):
            self.send(200, self.server.models)
        else:
            self.send(
                200, json.dumps({"data": [{"id": name} for name in self.server.models]}).encode()
            )

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.seen.append((self.path, dict(self.headers), body))
            self.waits = 1
            server.now += 1
            server.most = max(server.most, server.now)
            turn = server.turn
            server.turn += 1
        try:
            server.behave(self, body, turn)
        except OSError:  # the client hung up
            self.close_connection = True
        finally:
            self.answered()


class Server(http.server.ThreadingHTTPServer):
    """A chat server whose behaviour a test sets. seen: (path, headers, body) of each request; most:
    requests at once.
    """

    daemon_threads = True

    def __init__(self, behave=None, models=("cat-vl",)):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave = behave or (lambda h, body, turn: h.stream())
        self.models, self.seen, self.lock, self.now, self.most, self.turn = (
            models,
            [],
            threading.Lock(),
            0,
            0,
            0,
        )
        self.released = threading.Event()
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def handle_error(self, *_):
        pass

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.server_close()

    def asked(self):
        """Bodies of the chat requests."""
        return [body for _, _, body in self.seen if body]


def png(width=8, height=6, value=100, channels=3) -> bytes:
    return images.encode(
        images.Pixels(width, height, channels, [bytes([value]) * (width * channels)] * height)
    )


JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc2\x00\x11\x08\x01\xe0\x02\x80\x03" + bytes(9)


def decoded(body) -> bytes:
    """The bytes of the first image of a request."""
    return base64.b64decode(body["messages"][0]["content"][0]["image_url"]["url"].partition(",")[2])


class Folder(unittest.TestCase):
    """A temporary folder with one image, and a waiting time that costs nothing."""

    def setUp(self):
        self.enterContext(unittest.mock.patch.object(chat, "FIRST_WAIT_S", 0.001))
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.image = self.write("a.png", png())

    def write(self, name: str, content) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def serve(self, *more, **keys) -> Server:
        return self.enterContext(Server(*more, **keys))

    def compare(self, server, *argv, question=True, name="a"):
        """(code, JSON or None, stderr) of the command."""
        basics = [
            "compare",
            "--endpoint",
            f"{name}={server.url}",
            "--json",
            *(("--image", self.image, "--question", "How many?") if question else ()),
        ]
        code, out, err = call(*basics, *argv)
        self.assertNotIn("Traceback", err)
        return code, json.loads(out) if out else None, err
