"""One exchange with a server over http.client, bounded in bytes, lines, nesting and time.

In: an Endpoint, a path, a body, a key. Out: a Call, whose JSON or events are read until it is
closed; a ChatError says in one line what went wrong. A redirect is never followed, and a key goes
to the endpoint's own host only. Proxies of the environment are not used. Knows nothing of chats.
"""

import contextlib
import http.client
import io
import re
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ..base.reading import EvidenceError, parse
from .endpoint import Endpoint, shown

MAX_REPLY = 4_000_000  # bytes of head and body together
MAX_LINE = 1_000_000
MAX_EVENTS = 200_000
MAX_RETRY_AFTER_S = 60.0  # a server that asks for a longer wait is taken as failed


class ChatError(Exception):
    """A request that brought no answer. `again`: asking again can help; `wait_s`: the server said
    when; `lost`: never connected.
    """

    def __init__(
        self, message: str, again: bool = False, wait_s: float | None = None, lost: bool = False
    ):
        super().__init__(message)
        self.again, self.wait_s, self.lost, self.attempts = again, wait_s, lost, 1


class _Raw(io.RawIOBase):
    """What a socket still may send: until a deadline, and at most so many bytes."""

    def __init__(self, sock, deadline: float, limit: int):
        self.sock, self.deadline, self.left = sock, deadline, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self.left <= 0:
            raise ChatError("the reply is larger than any answer (stopped reading)")
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self.sock.settimeout(remaining)
        got = self.sock.recv_into(memoryview(buffer)[: self.left])
        self.left -= got
        return got


class _Bounded:
    """A connected socket as http.client uses it, with the limits of _Raw: a server that drips bytes
    meets the deadline too.
    """

    def __init__(self, sock, deadline: float, limit: int):
        self.sock, self.deadline, self.limit = sock, deadline, limit

    def sendall(self, data) -> None:
        self.sock.settimeout(max(self.deadline - time.monotonic(), 0.001))
        self.sock.sendall(data)

    def makefile(self, *_):
        return io.BufferedReader(_Raw(self.sock, self.deadline, self.limit))

    def close(self) -> None:
        """Nothing yet: http.client closes before the body is read when the server will close; Call
        ends the real socket.
        """


class Call:
    """One exchange: connects, sends, and holds the response until it is closed (a context
    manager).
    """

    def __init__(
        self,
        to: Endpoint,
        method: str,
        path: str,
        body: bytes | None,
        key: str | None,
        timeout_s: float,
        limit: int,
    ):
        self.to, self.key = to, key
        deadline = time.monotonic() + timeout_s
        self.connection = self._connect(timeout_s)
        self.sock = self.connection.sock
        try:
            self.connection.sock = _Bounded(self.sock, deadline, limit)
            headers = {
                "Accept": "application/json, text/event-stream",
                "Connection": "close",
                "User-Agent": "vlm-recipe-picker",
            }
            if body is not None:
                headers["Content-Type"] = "application/json"
            if key:
                headers["Authorization"] = f"Bearer {key}"
            self.sent = time.perf_counter()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # a server may answer (413, 401) and close before it has read everything: its answer
                # is worth more
                self.connection.request(method, to.path + path, body, headers)
            self.response = self.connection.getresponse()
            self._check()
        except BaseException:
            self.sock.close()
            raise

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        make = (
            http.client.HTTPSConnection if self.to.scheme == "https" else http.client.HTTPConnection
        )
        connection = make(self.to.host, self.to.port, timeout=timeout_s)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            raise ChatError(
                f"{self.to.url}: the certificate is not valid ({error.verify_message})"
            ) from None
        except ssl.SSLError as error:
            raise ChatError(
                f"{self.to.url}: no TLS connection ({error.reason or 'handshake failed'}); is it"
                " http://?"
            ) from None
        except TimeoutError:
            raise ChatError(
                f"{self.to.url}: no connection within {timeout_s:g} s", again=True, lost=True
            ) from None
        except (OSError, UnicodeError) as error:
            raise ChatError(
                f"{self.to.url}: no connection"
                f" ({getattr(error, 'strerror', None) or 'bad host name'})",
                again=True,
                lost=True,
            ) from None
        return connection

    def _check(self) -> None:
        """Any status but 200 is a ChatError."""
        status = self.response.status
        if 300 <= status < 400:
            where = self.response.getheader("Location") or "nowhere"
            raise ChatError(
                f"HTTP {status}: redirects to {shown(self.hide(where), 200)}; not followed (name"
                " that URL as the endpoint if you trust it)"
            )
        if status != 200:
            try:
                body = self.response.read(20_000)
            except (OSError, http.client.HTTPException, ChatError):
                body = b""
            message = self.hide(error_text(body))
            hint = {
                401: " (a key? --key-env)",
                403: " (a key? --key-env)",
                404: " (is the URL the server's root or its /v1?)",
            }.get(status, "")
            again = status == 429 or status >= 500
            wait = retry_after(self.response.getheader("Retry-After")) if again else None
            raise ChatError(f"HTTP {status}{': ' + message if message else ''}{hint}", again, wait)
        if (self.response.getheader("Content-Encoding") or "identity").lower() != "identity":
            raise ChatError("the reply is compressed, which was not asked for")

    def hide(self, text: str) -> str:
        """The text without the key, if a server echoes it. (Shorter ones are placeholders as in
        `--api-key EMPTY`.)
        """
        return text.replace(self.key, "[key]") if self.key and len(self.key) >= 8 else text

    def elapsed_ms(self) -> float:
        return 1000 * (time.perf_counter() - self.sent)

    def whole(self) -> object:
        """The JSON body."""
        raw = self.response.read(MAX_REPLY + 1)
        if len(raw) > MAX_REPLY:
            raise ChatError(f"the reply is larger than {MAX_REPLY:,} bytes")
        if self.response.length:  # what Content-Length promised and did not come
            raise ChatError("the reply was cut short", again=True)
        return self.json(raw)

    def json(self, raw: bytes) -> object:
        """Parsed strictly: bounded nesting and numbers, no key twice. Raises ChatError."""
        try:
            return parse(raw.decode("utf-8"), "reply")
        except UnicodeDecodeError:
            raise ChatError("the reply is not UTF-8") from None
        except EvidenceError as error:
            raise ChatError(
                f"wrong JSON in the reply ({error.message}):"
                f" {shown(self.hide(raw[:400].decode('utf-8', 'replace')))}"
            ) from None

    def events(self) -> Iterator[bytes]:
        """The data of each server-sent event, [DONE] included."""
        data: list[bytes] = []
        for _ in range(10 * MAX_EVENTS):
            line = self.response.readline(MAX_LINE + 1)
            if len(line) > MAX_LINE:
                raise ChatError(f"a line of the stream is longer than {MAX_LINE:,} bytes")
            if not line.strip(b"\r\n"):
                if data:
                    yield b"\n".join(data)
                    data = []
                if not line:
                    return
            elif line.startswith(b"data:"):
                data.append(line[5:].strip())
        raise ChatError("the stream has too many lines")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def error_text(body: bytes) -> str:
    """What an error body says, in one line: the message of an OpenAI error object, else the text as
    it is.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        value = parse(text, "reply")
    except EvidenceError:
        value = None
    if isinstance(value, dict):
        error = value.get("error") or value
        said = (
            [error]
            if isinstance(error, str)
            else (
                [error.get(key) for key in ("message", "detail")] if isinstance(error, dict) else []
            )
        )
        text = next((part for part in said if isinstance(part, str)), text)
    return " ".join(text.split())[:300]


def retry_after(header: str | None) -> float | None:
    """Seconds of a Retry-After header (a number or a date); None when it says nothing readable."""
    header = (header or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", header):
        return float(header)
    try:
        when = parsedate_to_datetime(header)
        return max(
            0.0,
            (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
            - datetime.now(UTC).timestamp(),
        )
    except (ValueError, TypeError, OverflowError):
        return None
