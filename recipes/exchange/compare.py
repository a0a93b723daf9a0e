"""The same questions to several endpoints: the plan of requests, carrying it out, scores, the
summary.

In: endpoints, Items, Pictures, sizes, settings. Out: records (dictionaries, one for each request)
as they come, and the summary of records. Order: one endpoint after the other has answered all, so
that none is timed while another on the same machine is at work. Does not read questions files,
write results or print.
"""

import hashlib
import math
import queue
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from statistics import NormalDist
from typing import NamedTuple

from ..cost.training import quantile
from . import chat, images
from .endpoint import Endpoint
from .questions import Item, Picture, QuestionsError, read_image
from .wire import ChatError

# an endpoint that cannot be reached so often in a row is not tried again
GIVE_UP = 3
CACHE_BYTES = 256_000_000  # of images ready to be sent


class Job(NamedTuple):
    """One request. resize: pixels of the longer side, or None for the images as they are."""

    endpoint: Endpoint
    item: Item
    pictures: tuple[Picture, ...]
    resize: int | None


def plan(
    endpoints: Sequence[Endpoint],
    items: Sequence[Item],
    pictures: Mapping[str, Picture],
    sizes: Sequence[int | None],
) -> list[Job]:
    """All requests, in the order in which they are sent."""
    return [
        Job(to, item, tuple(pictures[path] for path in item.images), size)
        for to in endpoints
        for item in items
        for size in sizes
    ]


def identity(job: Job, ask: chat.Ask) -> dict:
    """The fields of a record that say what was asked (results.KEY), and of what files."""
    sent = [
        images.fitted(p.width, p.height, job.resize) if job.resize else (p.width, p.height)
        for p in job.pictures
    ]
    return {
        "endpoint": job.endpoint.name,
        "url": job.endpoint.url,
        "model": job.endpoint.model,
        "id": job.item.id,
        "resize": job.resize,
        "question_sha256": (
            hashlib.sha256(job.item.question.encode("utf-8", "surrogatepass")).hexdigest()
        ),
        "images_sha256": [p.sha256 for p in job.pictures],
        "max_tokens": ask.max_tokens,
        "temperature": ask.temperature,
        "stream": ask.stream,
        "question": job.item.question,
        "images": [
            {"file": label, "width": p.width, "height": p.height, "sent": list(size)}
            for label, p, size in zip(job.item.labels, job.pictures, sent)
        ],
    }


def record(
    job: Job, ask: chat.Ask, concurrency: int, got: tuple[chat.Reply, int] | Exception
) -> dict:
    """One line of results: what was asked, and the answer or the error."""
    failed = isinstance(got, Exception)
    reply, attempts = (None, getattr(got, "attempts", 1)) if failed else got
    answer = {name: None if reply is None else getattr(reply, name) for name in chat.Reply._fields}
    for name in ("ttft_ms", "total_ms", "tokens_per_s"):
        # microseconds; the clock knows no more
        answer[name] = None if answer[name] is None else round(answer[name], 3)
    return {
        **identity(job, ask),
        **answer,
        "reasoning": bool(answer["reasoning"]),
        "error": str(got) if failed else None,
        "attempts": attempts,
        "concurrency": concurrency,
    }


class Copies:
    """Images as data URLs, at the asked size, the latest kept."""

    def __init__(self):
        self._kept: OrderedDict[tuple, str] = OrderedDict()
        self._lock = threading.Lock()  # one at a time: making a copy is work for the processor

    def url(self, picture: Picture, label: str, size: int | None) -> str:
        """Raises images.ImageError or QuestionsError."""
        key = (picture.path, size)
        with self._lock:
            if key not in self._kept:
                data = read_image(picture.path, label)
                if hashlib.sha256(data).hexdigest() != picture.sha256:
                    raise QuestionsError(f"{label}: changed while the command ran")
                self._kept[key] = images.data_url(
                    images.resized(data, size) if size else data, picture.kind
                )
                while sum(map(len, self._kept.values())) > CACHE_BYTES and len(self._kept) > 1:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def carry_out(
    jobs: Sequence[Job],
    ask: chat.Ask,
    keys: Mapping[str, str],
    concurrency: int,
    retries: int,
    tell: Callable[[str], None],
) -> Iterator[dict]:
    """Records in the order in which they come, at most `concurrency` requests at once. Closing the
    iterator ends the work.

    keys: endpoint name -> API key. tell: is told about requests that are repeated, from any thread.
    """
    todo: queue.SimpleQueue[Job] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Job, object]] = queue.SimpleQueue()
    stop, lost, copies = threading.Event(), Counter(), Copies()

    def answer(job: Job) -> tuple[chat.Reply, int] | Exception:
        name = job.endpoint.name
        if lost[name] >= GIVE_UP:
            return ChatError(
                f"not asked: {job.endpoint.url} could not be reached {GIVE_UP} times in a row"
            )
        urls = [copies.url(p, label, job.resize) for p, label in zip(job.pictures, job.item.labels)]
        try:
            got = chat.persistent(
                lambda: chat.chat(job.endpoint, job.item.question, urls, ask, keys.get(name)),
                retries,
                f"{name} {job.item.id} {job.resize}",
                stop.wait,
                lambda text: tell(f"{name}, {job.item.id}: {text}"),
            )
        except ChatError as error:
            lost[name] = lost[name] + 1 if error.lost else 0
            return error
        lost[name] = 0
        return got

    try:
        for _, group in groupby(jobs, key=lambda job: job.endpoint):
            waiting = 0
            for job in group:
                todo.put(job)
                waiting += 1
            for _ in range(min(concurrency, waiting)):
                # daemons: an interrupted command does not wait for slow servers
                threading.Thread(target=_work, args=(todo, done, stop, answer), daemon=True).start()
            for _ in range(waiting):
                job, got = done.get()
                if isinstance(got, Fault):
                    raise got.error
                yield record(job, ask, concurrency, got)
    finally:
        stop.set()


def _work(todo, done, stop: threading.Event, answer: Callable[[Job], object]) -> None:
    """A thread: takes jobs until there are none, and hands over what came of each."""
    while not stop.is_set():
        try:
            job = todo.get_nowait()
        except queue.Empty:
            return
        try:
            done.put((job, answer(job)))
        except (images.ImageError, QuestionsError) as error:
            done.put((job, error))
        # a fault of the program: it must reach the main thread, or that one waits for ever
        except BaseException as error:
            done.put((job, Fault(error)))


class Fault(NamedTuple):
    """An exception that no reply explains."""

    error: BaseException


# --- exact match
# ------------------------------------------------------------------------------------------

ARTICLES = re.compile(r"\b(?:a|an|the)\b")
LETTER = re.compile(
    r"[\W_]*(?:(?:the\s+)?(?:correct\s+)?(?:answer|option|choice)(?:\s+is)?\s*:?[\W_]*)?"
    r"([a-z])(?:[\W_]*$|\s*[\])}.:*](?!\w))",
    re.I | re.ASCII,
)
THOUGHT = re.compile(r"\s*<think>.*?</think>", re.S)


def normal(text: str) -> str:
    """Lower case without punctuation, articles and spare space; the point, sign and digits of a
    number stay: `The 1,000.` -> `1000`.
    """
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text.casefold())
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", " ", text)
    text = re.sub(r"-(?!\d)|(?<=\w)-", " ", text)
    text = re.sub(r"[^\w.\s-]|_", " ", text)
    return " ".join(ARTICLES.sub(" ", text).split()) or " ".join(text.split())


def right(text: str, answers: Sequence[str]) -> bool:
    """Does a reply match one of the answers? A letter (`B`) is met by `B.`, `(B)`, `B) cat`,
    `Answer: B`; other texts when they are equal after `normal`.
    """
    text = text[:100_000]
    # at the beginning only: to search for it everywhere would take a square of the length
    thought = THOUGHT.match(text)
    text = text[thought.end() :] if thought else text
    for wanted in answers:
        wanted = wanted.strip()
        if len(wanted) == 1 and wanted.isascii() and wanted.isalpha():
            found = LETTER.match(text)
            if found and found[1].casefold() == wanted.casefold():
                return True
        elif normal(text) == normal(wanted):
            return True
    return False


def wilson(hits: int, of: int, level: float = 0.8) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    p, share = hits / of, z * z / of
    centre = (p + share / 2) / (1 + share)
    half = z * math.sqrt(p * (1 - p) / of + share / of / 4) / (1 + share)
    return max(0.0, centre - half), min(1.0, centre + half)


# --- summary
# ------------------------------------------------------------------------------------------


def _quantiles(values: Iterable[float | None]) -> dict[str, float] | None:
    known = [v for v in values if v is not None]
    return {"p50": quantile(known, 0.5), "p90": quantile(known, 0.9)} if known else None


SLOW = 3  # times the median of the others: the first answer waited for something else, too


def slow_first(records: Sequence[Mapping]) -> tuple[float, float] | None:
    """(time to the first token of the first answer, median of the others) in ms, where the first
    one is an outlier: it may have waited until the model was loaded. None: it is none, or fewer
    than three answers could tell.
    """
    times = [r["ttft_ms"] for r in records if r["error"] is None and r["ttft_ms"] is not None]
    if len(times) < 3 or not records or records[0]["ttft_ms"] != times[0]:
        return None
    others = quantile(times[1:], 0.5)
    return (times[0], others) if times[0] > SLOW * others else None


def without_slow_first(records: Sequence[Mapping]) -> Sequence[Mapping]:
    """The records that say how fast a loaded model answers."""
    return records[1:] if slow_first(records) else records


def outlier_note(endpoint: Mapping) -> str:
    """What to know of an endpoint whose first answer is an outlier."""
    first, others = endpoint["slow_first"]
    return (
        f"{endpoint['name']}: the first answer took {first:,.0f} ms to its first token, the others"
        f" {others:,.0f} ms (median): it may have waited for the model to be loaded; p90 counts it,"
        " --latency-out does not"
    )


def statistics(records: Sequence[Mapping], answers: Mapping[str, Sequence[str]]) -> dict:
    """Counts, latencies and accuracy of some records. Accuracy is over the questions with an answer
    that were answered.
    """
    good = [r for r in records if r["error"] is None]
    marked = [right(r["text"], answers[r["id"]]) for r in good if answers.get(r["id"])]
    rates = _quantiles(r["tokens_per_s"] for r in good)
    exact = None
    if marked:
        low, high = wilson(sum(marked), len(marked))
        exact = {"right": sum(marked), "of": len(marked), "low": low, "high": high, "level": 0.8}
    return {
        "ok": len(good),
        "failed": len(records) - len(good),
        "ttft_ms": _quantiles(r["ttft_ms"] for r in good),
        "total_ms": _quantiles(r["total_ms"] for r in good),
        "tokens_per_s": rates["p50"] if rates else None,
        "tokens_counted_by": sorted({r["tokens_from"] for r in good if r["tokens_from"]}),
        "cut": sum(r["finish_reason"] == "length" for r in good),
        "reasoning": sum(r["reasoning"] for r in good),
        "exact": exact,
    }


SHOWN = ("text", "ttft_ms", "total_ms", "completion_tokens", "error", "finish_reason")


def _answered(r: Mapping, answers: Sequence[str]) -> dict:
    """One answer as the summary has it."""
    marked = right(r["text"], answers) if answers and r["error"] is None else None
    return {**{name: r[name] for name in SHOWN}, "right": marked}


def summary(
    jobs: Sequence[Job], records: Mapping[tuple, Mapping], key: Callable[[Job], tuple]
) -> dict:
    """Endpoints with their statistics, and items with the answers side by side, in the order of the
    plan. key: job -> key of its record.
    """
    answers = {job.item.id: job.item.answers for job in jobs}
    by_endpoint: dict[Endpoint, list[Mapping]] = {}
    by_item: dict[tuple, dict] = {}
    for job in jobs:
        r = records[key(job)]
        by_endpoint.setdefault(job.endpoint, []).append(r)
        place = by_item.setdefault(
            (job.item.id, job.resize),
            {
                "id": job.item.id,
                "question": job.item.question,
                "image": ", ".join(job.item.labels),
                "images": list(job.item.labels),
                "resize": job.resize,
                "expected": list(job.item.answers),
                "answers": {},
            },
        )
        place["answers"][job.endpoint.name] = _answered(r, job.item.answers)
    sizes = list(dict.fromkeys(job.resize for job in jobs))
    return {
        "endpoints": [
            {
                "name": to.name,
                "url": to.url,
                "model": to.model,
                **statistics(rows, answers),
                "slow_first": slow_first(rows),
                "by_resize": [
                    {
                        "resize": size,
                        **statistics([r for r in rows if r["resize"] == size], answers),
                    }
                    for size in sizes
                ],
            }
            for to, rows in by_endpoint.items()
        ],
        "items": list(by_item.values()),
    }
