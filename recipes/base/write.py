"""Canonical text of table and registry files.

In: the plain dictionaries of one file. Out: JSON text with one row, metric or record per line, so
that a reviewer's diff shows one line per changed row and a finding can name the line of a cell.
`write_text` (`write_bytes`) is how every file of the project is written.
"""

import contextlib
import errno
import json
import os
import stat
from collections.abc import Iterator


def _line(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _block(items: list[str], indent: str) -> str:
    return ",\n".join(indent + item for item in items)


def _entries(value) -> str:
    """A value of the head; the objects of a list (imported sources) each on a line of their own."""
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        return "[\n" + _block([_line(entry) for entry in value], "   ") + "\n  ]"
    return _line(value)


def _table(table: dict) -> str:
    parts = []
    for key, value in table.items():
        if key == "metrics":
            body = _block(
                [f"{_line(name)}: {_line(metric)}" for name, metric in value.items()], "    "
            )
            parts.append(f'"metrics": {{\n{body}\n   }}')
        elif key in ("rows", "accepted") and value:
            body = _block([_line(entry) for entry in value], "    ")
            parts.append(f'"{key}": [\n{body}\n   ]')
        elif value is not None:
            parts.append(f"{_line(key)}: {_line(value)}")
    return "{\n" + _block(parts, "   ") + "\n  }"


def _drop_nulls(setting: dict) -> dict:
    """A setting that is absent means the same as null: the paper does not say."""
    return {key: value for key, value in setting.items() if value is not None}


def dump_paper(file: dict) -> str:
    """Text of one tables/PAPER.json (keys in the order given; a table's null settings are left
    out).
    """
    parts = []
    for key, value in file.items():
        if key == "tables":
            tables = [
                _table({**table, "setting": _drop_nulls(table["setting"])}) for table in value
            ]
            parts.append('"tables": [\n' + _block(tables, "  ") + "\n ]")
        elif isinstance(value, dict):
            body = _block([f"{_line(k)}: {_entries(v)}" for k, v in value.items()], "  ")
            parts.append(f"{_line(key)}: {{\n{body}\n }}")
        else:
            parts.append(f"{_line(key)}: {_line(value)}")
    return "{\n" + _block(parts, " ") + "\n}\n"


def dump_registry(data: dict) -> str:
    """Text of one tables/registry/*.json: each record of a list, each entry of a dictionary, on its
    own line.
    """
    parts = []
    for key, value in data.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            parts.append(f"{_line(key)}: [\n" + _block([_line(v) for v in value], "  ") + "\n ]")
        elif isinstance(value, dict) and value:
            body = _block([f"{_line(k)}: {_line(v)}" for k, v in value.items()], "  ")
            parts.append(f"{_line(key)}: {{\n{body}\n }}")
        else:
            parts.append(f"{_line(key)}: {_line(value)}")
    return "{\n" + _block(parts, " ") + "\n}\n"


def write_text(path: str, text: str) -> None:
    """Write UTF-8 text, see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: str, content: bytes) -> None:
    """Write atomically: the old file stays whole until the new one is complete.

    Raises OSError with the path: for a folder that is not there, and for anything that is not a
    regular file.
    """
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise OSError(errno.EINVAL, "not a regular file", path)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        if not _write_unnamed(temporary, content):
            with open(temporary, "wb") as file:
                file.write(content)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise OSError(error.errno, f"cannot be written: {error.strerror}", path) from None


def _write_unnamed(temporary: str, content: bytes) -> bool:
    """Write a file that has no name until it is complete (Linux): a program that is killed
    meanwhile leaves nothing behind. False where the system or its file system cannot.
    """
    if not hasattr(os, "O_TMPFILE"):
        return False
    try:
        unnamed = os.open(os.path.dirname(temporary) or ".", os.O_TMPFILE | os.O_WRONLY, 0o666)
    except OSError:
        return False
    with open(unnamed, "wb") as file:
        file.write(content)
        file.flush()
        try:
            os.link(f"/proc/self/fd/{unnamed}", temporary, follow_symlinks=True)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Hold a folder: of two programs that read, change and replace a file in it, the second waits.
    Does nothing where the system has no such locks.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
