"""One request to an OpenAI-compatible chat server, over http.client.

In: an Endpoint, a question with images as data URLs, limits. Out: a Reply (text and timings), or a
ChatError that says in one line what went wrong and whether asking again can help. The server is not
trusted (wire.py). Does not print, write or know questions files.

What is sent and read, as of openai/openai-python@e43b422 (stream_options, chunks, the image_url
part, the error object), ollama/ollama@fb30760 (openai/openai.go: data URLs only, `reasoning`) and
ggerganov/llama.cpp@c392e50 (examples/server/README.md: /v1/models, max_tokens,
`reasoning_content`).
"""

import hashlib
import http.client
import json
from collections.abc import Callable
from typing import NamedTuple

from .endpoint import Endpoint, EndpointError, check_model
from .wire import MAX_EVENTS, MAX_REPLY, MAX_RETRY_AFTER_S, Call, ChatError, error_text

# over MAX_REPLY, for each token asked for (an event of one token has about 250)
BYTES_PER_TOKEN = 1_000
MAX_MODELS = 1_000
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 20.0


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
        with Call(to, method, path, body, key, timeout_s, limit) as call:
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


def models(to: Endpoint, key: str | None, timeout_s: float) -> list[str]:
    """Model ids that the server names. Raises ChatError."""
    value = _exchange(to, "GET", "/models", None, key, timeout_s, MAX_REPLY, Call.whole)
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


def _read_reply(call: Call, stream: bool) -> Reply:
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


def _whole(call: Call) -> Reply:
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


def _streamed(call: Call) -> Reply:
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
