"""The results file of `compare`: one JSON line per answer, appended as they come, so that an
interrupted run goes on where it was.

In: a path and records. Out: the records of earlier runs by key; lines at the end of the file. A
last line that is torn (the machine stopped while it was written) is taken away; any other foreign
line is an error, so that no file of another kind is touched.
"""

import contextlib
import errno
import json
import os
import re
import stat
from collections.abc import Callable, Mapping

from ..base.reading import EvidenceError, parse

START = b'{"compare": 1, '
MAX_LINE = 16_000_000
MAX_TOTAL = 2_000_000_000
KEY = (
    "endpoint",
    "url",
    "model",
    "id",
    "resize",
    "question_sha256",
    "images_sha256",
    "max_tokens",
    "temperature",
    "stream",
)


def key_of(record: Mapping) -> tuple:
    """What makes two answers the same question to the same model under the same settings."""
    return tuple(tuple(record[name]) if name == "images_sha256" else record[name] for name in KEY)


def dumps(value, indent: int | None = None) -> str:
    """JSON whose strings hold no control character of any kind as such: it may be printed."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return re.sub(
        "[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]",
        lambda m: f"\\u{ord(m[0]):04x}",
        text,
    )


class Results:
    """An open results file (a context manager). `done`: records by key; an answer stands before an
    error, a later line before an earlier one.
    """

    def __init__(self, path: str):
        self.path, self.done, self.repaired = path, {}, 0
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise EvidenceError(
                path, "", "not a regular file (--out wants a file of its own)", "file"
            )
        self.file = open(path, "a+b", buffering=0)  # noqa: SIM115 (closed by __exit__)
        try:
            self._lock()
            self._read()
        except BaseException:
            self.file.close()
            raise

    def _lock(self) -> None:
        """Two runs that append to one file would tear each other's lines."""
        try:
            import fcntl
        except ImportError:  # not on every system
            return
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EvidenceError(self.path, "", "another compare is writing to it", "file") from None
        except OSError:
            pass  # a file system without locks

    def _read(self) -> None:
        if os.fstat(self.file.fileno()).st_size > MAX_TOTAL:
            raise EvidenceError(self.path, "", f"more than {MAX_TOTAL:,} bytes", "file")
        self.file.seek(0)
        number = end = 0
        with open(self.path, "rb") as lines:
            while line := lines.readline(MAX_LINE + 1):
                number += 1
                ours = line.startswith(START) or START.startswith(line)
                whole = line.endswith(b"\n")
                record = self._record(line) if ours and whole else None
                if record is None:
                    if ours and not whole and len(line) <= MAX_LINE:  # torn: the last one
                        self.repaired = len(line)
                        self.file.truncate(end)
                        return
                    raise EvidenceError(
                        f"{self.path}:{number}",
                        "",
                        "is no result of compare (--out wants a file of its own)",
                        "file",
                    )
                end += len(line)
                key = key_of(record)
                if record["error"] is None or self.done.get(key, record)["error"] is not None:
                    self.done[key] = record

    def _record(self, line: bytes) -> dict | None:
        try:
            value = parse(line.decode("utf-8"), self.path)
            return value if well_formed(value) else None
        except (UnicodeDecodeError, EvidenceError):
            return None

    def add(self, record: Mapping) -> None:
        """Append one record and hand it to the operating system."""
        line = (dumps({"compare": 1, **record}) + "\n").encode("utf-8")
        if self.file.write(line) != len(line):
            raise OSError(errno.ENOSPC, "only a part could be written", self.path)
        self.done[key_of(record)] = dict(record)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.file.close()


def _number(value) -> bool:
    return value is None or (
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
    )


def _text(value) -> bool:
    return value is None or isinstance(value, str)


# What each field of a line must be, so that a file that was changed by hand is an error and not a
# traceback.
SHAPE: dict[str, Callable[[object], bool]] = {
    "endpoint": lambda v: isinstance(v, str),
    "url": lambda v: isinstance(v, str),
    "model": lambda v: isinstance(v, str),
    "id": lambda v: isinstance(v, str),
    "question_sha256": lambda v: isinstance(v, str),
    "images_sha256": lambda v: isinstance(v, list) and all(isinstance(x, str) for x in v),
    "resize": _number,
    "max_tokens": _number,
    "temperature": _number,
    "stream": lambda v: isinstance(v, bool),
    "text": _text,
    "error": _text,
    "ttft_ms": _number,
    "total_ms": _number,
    "completion_tokens": _number,
    "tokens_from": _text,
    "tokens_per_s": _number,
    "prompt_tokens": _number,
    "finish_reason": _text,
    "reasoning": lambda v: isinstance(v, bool),
    "attempts": _number,
    "concurrency": _number,
}


def well_formed(value) -> bool:
    """Has a parsed line every field of a record?"""
    return isinstance(value, dict) and all(
        name in value and fits(value[name]) for name, fits in SHAPE.items()
    )
