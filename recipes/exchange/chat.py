"""One request to an OpenAI-compatible chat server, over http.client.

In: an Endpoint, a question with images as data URLs, limits. Out: a Reply (text and timings), or a
ChatError that says in one line what went wrong and whether asking again can help. The server is not
trusted: bytes, lines, events, nesting and time are bounded, a redirect is never followed, and a key
goes to the endpoint's own host only. Proxies of the environment are not used. Does not print, write
or know questions files.

What is sent and read, as of openai/openai-python@e43b422 (stream_options, chunks, the image_url
part, the error object), ollama/ollama@fb30760 (openai/openai.go: data URLs only, `reasoning`) and
ggerganov/llama.cpp@c392e50 (examples/server/README.md: /v1/models, max_tokens,
`reasoning_content`).
"""

import contextlib
import hashlib
import http.client
import io
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from ..base.errors import Refused
from ..base.reading import EvidenceError, parse

MAX_REPLY = 4_000_000  # bytes of head and body together, and
# so many more for each token asked for (an event of one token has about 250)
BYTES_PER_TOKEN = 1_000
MAX_LINE = 1_000_000
MAX_EVENTS = 200_000
MAX_MODELS = 1_000
MAX_RETRY_AFTER_S = 60.0  # a server that asks for a longer wait is taken as failed
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 20.0


class EndpointError(Refused):
    """An --endpoint that cannot be called; one line."""


class ChatError(Exception):
    """A request that brought no answer. `again`: asking again can help; `wait_s`: the server said
    when; `lost`: never connected.
    """

    def __init__(
        self, message: str, again: bool = False, wait_s: float | None = None, lost: bool = False
    ):
        super().__init__(message)
        self.again, self.wait_s, self.lost, self.attempts = again, wait_s, lost, 1


class Endpoint(NamedTuple):
    """Where a model is served. `path` ends in /v1 (or what stands before /chat/completions). The
    key is not part of it.
    """

    name: str
    scheme: str
    host: str
    port: int | None
    path: str
    model: str | None = None

    @property
    def url(self) -> str:
        """The base URL that is called."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}{self.path}"

    @property
    def local(self) -> bool:
        """On this machine: what is sent does not travel."""
        return (
            self.host in ("localhost", "::1")
            or re.fullmatch(r"127\.\d+\.\d+\.\d+", self.host) is not None
        )


class Reply(NamedTuple):
    """An answer. Times in milliseconds from the moment the request is sent on an open connection
    (upload of the images included).

    ttft_ms: until the first generated text, reasoning included (null without streaming).
    completion_tokens: from the server's usage, else the events with text (`tokens_from` says
    which). tokens_per_s: after the first token.
    """

    text: str
    ttft_ms: float | None
    total_ms: float
    completion_tokens: int | None
    tokens_from: str | None  # usage or chunks
    tokens_per_s: float | None
    prompt_tokens: int | None
    finish_reason: str | None
    reasoning: bool = False  # the server sent reasoning apart from the answer


class Ask(NamedTuple):
    """What every request has in common."""

    timeout_s: float = 60.0
    max_tokens: int = 256
    temperature: float = 0.0
    stream: bool = True


def endpoint(text: str) -> Endpoint:
    """NAME=URL[,model=ID]. Raises EndpointError."""
    form = "as in --endpoint local=http://localhost:8000/v1,model=Qwen/Qwen2-VL-7B-Instruct"
    name, sign, rest = text.partition("=")
    name = name.strip()
    if not sign or not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,39}", name, re.ASCII):
        raise EndpointError(f"--endpoint {shown(text)}: no NAME=URL ({form})")
    where, comma, option = rest.strip().partition(",")
    key, _, model = option.partition("=")
    if comma and (key.strip() != "model" or not model.strip()):
        raise EndpointError(
            f"--endpoint {name}: after the URL only model=ID may follow, not {option[:40]!r}"
        )
    model = check_model(model.strip()) if comma else None
    bad = f"--endpoint {name}: {shown(where)} "
    if re.search(r"[^\x21-\x7e]", where) or "\\" in where:
        raise EndpointError(bad + "holds a space or a character that no URL may hold")
    try:
        parts = urlsplit(where)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise EndpointError(
            bad + "is no URL (check the port and the brackets of an IPv6 address)"
        ) from None
    if "@" in parts.netloc:
        raise EndpointError(
            f"--endpoint {name}: no user or key in the URL: keys come from the environment"
            f" (--key-env {name}=VARIABLE)"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise EndpointError(bad + f"does not begin with http:// or https:// and a host ({form})")
    if parts.query or parts.fragment or "?" in where or "#" in where:
        raise EndpointError(
            f"--endpoint {name}: the URL may not have ? or # (keys come from the environment:"
            f" --key-env {name}=VARIABLE)"
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    given_whole = parts.path.rstrip("/").endswith("/chat/completions")
    return Endpoint(
        name,
        parts.scheme,
        host,
        port,
        path if given_whole or path.endswith("/v1") else path + "/v1",
        model,
    )


def check_model(model: str) -> str:
    """A model id that may be printed and stored. Raises EndpointError."""
    if not 0 < len(model) <= 200 or not model.isprintable():
        raise EndpointError(
            f"the model id {shown(model)} is empty, longer than 200 characters or not printable"
        )
    return model


def shown(text: str, limit: int = 80) -> str:
    """Foreign text quoted in an error: one line, clipped, without a key that stands before an @."""
    text = re.sub(r"//[^/@\s]*@", "//…@", text)
    return repr(text[:limit] + ("…" if len(text) > limit else ""))


# --- the wire
# ------------------------------------------------------------------------------------------


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
        """Nothing yet: http.client closes before the body is read when the server will close; _Call
        ends the real socket.
        """


class _Call:
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


def _exchange(
    to: Endpoint,
    method: str,
    path: str,
    body: bytes | None,
    key: str | None,
    timeout_s: float,
    limit: int,
    read: Callable,
):
    """Call and read; every failure of the wire becomes a ChatError."""
    # what a server that waits for TLS does with plain words
    hint = "; is it https://?" if to.scheme == "http" else ""
    try:
        with _Call(to, method, path, body, key, timeout_s, limit) as call:
            return read(call)
    except TimeoutError:
        raise ChatError(f"no whole answer within {timeout_s:g} s (--timeout)") from None
    except http.client.IncompleteRead:
        raise ChatError("the connection was cut in the middle of the reply", again=True) from None
    except (http.client.RemoteDisconnected, ConnectionError):
        raise ChatError(f"the server closed the connection{hint}", again=True) from None
    except http.client.HTTPException as error:
        raise ChatError(f"not an HTTP reply ({type(error).__name__}){hint}") from None
    except (OSError, ValueError) as error:
        raise ChatError(
            f"the connection failed ({getattr(error, 'strerror', None) or type(error).__name__})",
            again=True,
        ) from None


# --- requests
# ------------------------------------------------------------------------------------------


def models(to: Endpoint, key: str | None, timeout_s: float) -> list[str]:
    """Model ids that the server names. Raises ChatError."""
    value = _exchange(to, "GET", "/models", None, key, timeout_s, MAX_REPLY, _Call.whole)
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in data[:MAX_MODELS]
    ):
        raise ChatError("GET /models: no list of models in the reply (name one: model=ID)")
    try:
        return [check_model(entry["id"]) for entry in data[:MAX_MODELS]]
    except EndpointError as error:
        raise ChatError(f"GET /models: {error}") from None


def request_body(model: str, question: str, images: list[str], ask: Ask) -> bytes:
    """The JSON of a chat request; images: data URLs, which stand before the question."""
    content = [
        *({"type": "image_url", "image_url": {"url": url}} for url in images),
        {"type": "text", "text": question},
    ]
    value = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": ask.max_tokens,
        "temperature": ask.temperature,
        "stream": ask.stream,
        **({"stream_options": {"include_usage": True}} if ask.stream else {}),
    }
    return json.dumps(value).encode("ascii")


def chat(to: Endpoint, question: str, images: list[str], ask: Ask, key: str | None = None) -> Reply:
    """Ask one question once. Raises ChatError."""
    body = request_body(to.model or "", question, images, ask)
    limit = MAX_REPLY + BYTES_PER_TOKEN * ask.max_tokens
    return _exchange(
        to,
        "POST",
        "/chat/completions",
        body,
        key,
        ask.timeout_s,
        limit,
        lambda call: _read_reply(call, ask.stream),
    )


def _read_reply(call: _Call, stream: bool) -> Reply:
    kind = (call.response.getheader("Content-Type") or "").split(";")[0].strip().lower()
    reply = _streamed(call) if stream and kind != "application/json" else _whole(call)
    return reply._replace(text=call.hide(reply.text))


def _object(value) -> dict:
    """A reply that is an object and no error. Raises ChatError."""
    if not isinstance(value, dict):
        raise ChatError("wrong JSON in the reply: not an object")
    error = value.get("error") or (value if value.get("object") == "error" else None)
    if error:
        code = error.get("code") if isinstance(error, dict) else None
        again = isinstance(code, int) and (code == 429 or 500 <= code < 600)
        raise ChatError(
            f"the server reports an error: {error_text(json.dumps(value).encode())}", again
        )
    return value


def _choice(value: dict, part: str) -> tuple[dict, str | None]:
    """(message or delta of the first choice, finish_reason); ({}, None) for an event without
    choices. Raises ChatError.
    """
    choices = value.get("choices")
    if not isinstance(choices, list) or not all(isinstance(c, dict) for c in choices[:1]):
        raise ChatError("wrong JSON in the reply: no list of choices")
    if not choices:
        return {}, None
    inner = choices[0].get(part)
    if inner is not None and not isinstance(inner, dict):
        raise ChatError(f"wrong JSON in the reply: choices[0].{part} is not an object")
    reason = choices[0].get("finish_reason")
    return inner or {}, reason[:40] if isinstance(reason, str) else None


def _texts(part: dict, where: str) -> tuple[str, str]:
    """(answer, reasoning) of a message or delta. Raises ChatError."""
    text = part.get("content")
    if text is not None and not isinstance(text, str):
        raise ChatError(f"wrong JSON in the reply: choices[0].{where}.content is not text")
    thought = part.get("reasoning_content") or part.get("reasoning")
    return text or "", thought if isinstance(thought, str) else ""


def _usage(value: dict, name: str) -> int | None:
    """A count that the server reports, if it is a plausible one."""
    usage = value.get("usage")
    count = usage.get(name) if isinstance(usage, dict) else None
    return (
        count
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= 10_000_000
        else None
    )


def _whole(call: _Call) -> Reply:
    """A reply in one piece."""
    value = _object(call.whole())
    total = call.elapsed_ms()
    message, reason = _choice(value, "message")
    if not message:
        raise ChatError("wrong JSON in the reply: no message")
    text, thought = _texts(message, "message")
    count = _usage(value, "completion_tokens")
    return Reply(
        text,
        None,
        total,
        count,
        None if count is None else "usage",
        None,
        _usage(value, "prompt_tokens"),
        reason,
        bool(thought),
    )


def _streamed(call: _Call) -> Reply:
    """A reply as server-sent events."""
    texts: list[str] = []
    first = last = reason = count = prompt = None
    chunks = seen = 0
    done = thinking = False
    for data in call.events():
        seen += 1
        if seen > MAX_EVENTS:
            raise ChatError(f"more than {MAX_EVENTS:,} events in the stream")
        if data == b"[DONE]":
            done = True
            break
        now = call.elapsed_ms()
        value = _object(call.json(data))
        delta, stop = _choice(value, "delta") if "choices" in value else ({}, None)
        text, thought = _texts(delta, "delta")
        if text or thought:
            first, last, chunks = now if first is None else first, now, chunks + 1
            texts.append(text)
            thinking = thinking or bool(thought)
        reason = stop or reason
        count = count if (new := _usage(value, "completion_tokens")) is None else new
        prompt = prompt if (new := _usage(value, "prompt_tokens")) is None else new
    total = call.elapsed_ms()
    if not seen:
        raise ChatError("the reply is not an event stream (--no-stream asks for one piece)")
    if not done and reason is None:
        raise ChatError(f"the stream was cut after {chunks} pieces of text", again=True)
    tokens, source = (count, "usage") if count else (chunks, "chunks")
    rate = (
        1000 * (tokens - 1) / (last - first)
        if first is not None and tokens > 1 and last > first
        else None
    )
    return Reply("".join(texts), first, total, tokens, source, rate, prompt, reason, thinking)


# --- asking again
# ------------------------------------------------------------------------------------------


def waiting(attempt: int, seed: str, asked: float | None) -> float:
    """Seconds before attempt + 1 (attempts count from 0): what the server asked for, else doubling,
    with jitter fixed by the seed.
    """
    jitter = 0.75 + 0.5 * hashlib.sha256(f"{seed} {attempt}".encode()).digest()[0] / 255
    doubled = min(FIRST_WAIT_S * 2**attempt, LONGEST_WAIT_S) * jitter
    return doubled if asked is None else max(asked, 0.0)


def persistent(
    action: Callable[[], object],
    retries: int,
    seed: str,
    pause: Callable[[float], None],
    tell: Callable[[str], None],
) -> tuple[object, int]:
    """(result of the action, attempts made). Asks again while that can help. Raises the last
    ChatError, with `attempts` set.
    """
    for attempt in range(retries + 1):
        try:
            return action(), attempt + 1
        except ChatError as error:
            error.attempts = attempt + 1
            wait = waiting(attempt, seed, error.wait_s)
            if error.again and wait > MAX_RETRY_AFTER_S:
                error.args = (
                    f"{error}; it asks to wait {wait:,.0f} s, more than {MAX_RETRY_AFTER_S:g}",
                )
                error.again = False
            if not error.again or attempt == retries:
                raise
            tell(f"{error}; again in {wait:.1f} s ({attempt + 1} of {retries})")
            pause(wait)
    raise AssertionError("unreachable")
