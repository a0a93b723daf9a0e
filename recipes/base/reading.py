"""Read one JSON file that may be hostile, and say where in it something stands.

In: a path. Out: the parsed value, or an `EvidenceError` that names the file (and the JSON pointer
or line). Does not know what a table is.
"""

import json
import os
import re
import stat
from json.decoder import WHITESPACE, scanstring

from .errors import Refused

# The largest file that ships is under 1 MB. Parsed, a hostile file (millions of empty objects)
# takes about 27 times its bytes: 8 MB keep any command below 300 MB.
MAX_BYTES = 8_000_000
MAX_DEPTH = 60  # ours nest 7 deep
MAX_DIGITS = 40


class EvidenceError(Refused):
    """A file that cannot be used: `file`, `pointer` (JSON pointer, may be empty), `rule` and a
    one-line message.
    """

    def __init__(self, file: str, pointer: str, message: str, rule: str = "json"):
        super().__init__(message)
        self.file, self.pointer, self.rule, self.message = str(file), pointer, rule, message

    def __str__(self) -> str:
        return f"{self.file}{'#' + self.pointer if self.pointer else ''}: {self.message}"


def _no_constant(name: str):
    raise ValueError(f"{name} is not a number that a table may hold")


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _scalar(text: str) -> str:
    """A text without lone surrogates (a JSON escape can make one; no encoding can write it)."""
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError(f"{text[:40]!r} holds half a character (a lone surrogate)")
    return text


def _unique(pairs: list) -> dict:
    value = dict(pairs)
    for name, item in pairs:
        _scalar(name)
        if isinstance(item, str):
            _scalar(item)
        elif isinstance(item, list):
            for text in item:
                if isinstance(text, str):
                    _scalar(text)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!r} stands twice in one object")
    return value


def read_text(path, *, root=None, limit: int = MAX_BYTES, bom: bool = False) -> str:
    """The file's text (UTF-8, at most `limit` bytes; a regular file that lies below `root` if one
    is given). bom: a byte-order mark is left out, not refused.
    """
    path = os.fspath(path)
    try:
        if root is not None:
            real, base = os.path.realpath(path), os.path.realpath(root)
            if os.path.commonpath((real, base)) != base:
                raise EvidenceError(path, "", "a link that leads out of the directory", "file")
        info = os.stat(path)  # before opening: to open a pipe is to wait for its writer
        if not stat.S_ISREG(info.st_mode):
            raise EvidenceError(path, "", "not a regular file", "file")
        if info.st_size > limit:
            raise EvidenceError(
                path,
                "",
                f"{info.st_size} bytes: more than the {limit} that such a file may have",
                "file",
            )
        with open(path, "rb") as file:
            raw = file.read(limit)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        why = getattr(error, "strerror", None) or error
        raise EvidenceError(path, "", f"cannot be read: {why}", "file") from None
    if raw.startswith(b"\xef\xbb\xbf") and not bom:
        raise EvidenceError(
            path, "", "starts with a byte-order mark; save it as UTF-8 without BOM", "encoding"
        )
    try:
        text = raw.decode("utf-8-sig" if bom else "utf-8")
    except UnicodeDecodeError as error:
        raise EvidenceError(path, "", f"not UTF-8 (byte {error.start})", "encoding") from None
    return text


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses into it; brackets inside strings do not
    count.
    """
    plain = text.replace("\\\\", "").replace('\\"', "")  # a quote in it ends or begins a string
    depth = 0
    for run in re.findall(r"[\[{]+|[\]}]+", "".join(plain.split('"')[::2])):
        if run[0] in "[{":
            depth += len(run)
            if depth > MAX_DEPTH:
                raise ValueError(f"nested more than {MAX_DEPTH} deep")
        else:
            depth -= len(run)


def parse(text: str, name: str, *, trusted: bool = False, constant=_no_constant):
    """Parse JSON text strictly: no NaN or Infinity, no key twice, no deep nesting, no endless
    numbers.

    constant: what NaN or Infinity becomes (a function of its name). `trusted` leaves out the checks
    that cost time; it is for the tables that ship with the program.
    """
    try:
        if trusted:
            return json.loads(text)
        _check_depth(text)
        return json.loads(
            text,
            parse_constant=constant,
            parse_float=_number,
            parse_int=_integer,
            object_pairs_hook=_unique,
        )
    except json.JSONDecodeError as error:
        raise EvidenceError(
            name, "", f"not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    except ValueError as error:
        raise EvidenceError(name, "", str(error)) from None
    except RecursionError:
        raise EvidenceError(name, "", "nested too deep") from None


def read_json(path, *, root=None, trusted: bool = False):
    """Read and parse one file; see `read_text` and `parse`."""
    return parse(read_text(path, root=root), os.fspath(path), trusted=trusted)


def line_of(text: str, pointer: str) -> int:
    """1-based line where the value at a JSON pointer starts (the nearest parent's line if it is
    absent).
    """
    decoder = json.JSONDecoder()
    skip = WHITESPACE.match
    at = skip(text, 0).end()
    found = at
    for part in filter(None, pointer.split("/")):
        part = part.replace("~1", "/").replace("~0", "~")
        at = found
        if text[at] == "{":
            at = skip(text, at + 1).end()
            while text[at] == '"':
                key, at = scanstring(text, at + 1)
                at = skip(text, skip(text, at).end() + 1).end()
                if key == part:
                    break
                at = skip(text, decoder.raw_decode(text, at)[1]).end()
                if text[at] != ",":
                    break
                at = skip(text, at + 1).end()
            else:
                break
            if text[at] == "}":
                break
        elif text[at] == "[" and part.isdecimal():
            at = skip(text, at + 1).end()
            for _ in range(int(part)):
                if text[at] == "]":
                    break
                at = skip(text, decoder.raw_decode(text, at)[1]).end()
                at = skip(text, at + 1).end() if text[at] == "," else at
            if text[at] == "]":
                break
        else:
            break
        found = at
    return text.count("\n", 0, found) + 1
