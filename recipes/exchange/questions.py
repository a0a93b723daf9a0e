"""What `compare` asks: questions files and image files, read from disk.

In: a JSONL or CSV file of questions, or a question and images from the command line. Out: Items
with the images they need, or a QuestionsError that names file and line. Images of a questions file
must lie below its folder. Sends nothing.
"""

import csv
import hashlib
import io
import os
import re
import stat
from collections.abc import Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..base.reading import EvidenceError, parse, read_text
from ..terms.names import meant
from . import images

FIELDS = ("id", "question", "images", "answer")
MAX_ITEMS = 100_000
MAX_QUESTION = 100_000  # characters
MAX_IMAGES = 64  # of one question


class QuestionsError(Refused):
    """A question or an image that cannot be used: one line."""


class Item(NamedTuple):
    """One question. images: paths to open; labels: how they were written; answers: what counts as
    right (may be empty).
    """

    id: str
    question: str
    images: tuple[str, ...]
    labels: tuple[str, ...]
    answers: tuple[str, ...] = ()


class Picture(NamedTuple):
    """An image file as it was when the command began."""

    path: str
    sha256: str
    kind: str
    width: int
    height: int


def from_flags(questions: Sequence[Item], files: Sequence[str], together: bool) -> list[Item]:
    """Questions without images of their own, asked about the --image files: each by itself, or all
    at once.
    """
    groups = [tuple(files)] if together else [(file,) for file in files]
    alone = len(groups) == 1
    return [
        item._replace(id=item.id if alone else f"{item.id} {group[0]}", images=group, labels=group)
        for item in questions
        for group in groups
    ]


def read_questions(path: str) -> list[Item]:
    """Items of a JSONL or CSV file. Raises QuestionsError or EvidenceError."""
    text = read_text(path)
    rows = _csv_rows(path, text) if path.lower().endswith(".csv") else _json_rows(path, text)
    items: list[Item] = []
    seen: dict[str, int] = {}
    for line, row in rows:
        item = _item(row, f"{path}:{line}", os.path.dirname(path), f"line {line}")
        if item.id in seen:
            raise QuestionsError(
                f"{path}:{line}: the id {item.id[:60]!r} stands on line {seen[item.id]} too"
            )
        seen[item.id] = line
        items.append(item)
        if len(items) > MAX_ITEMS:
            raise QuestionsError(f"{path}: more than {MAX_ITEMS:,} questions")
    if not items:
        raise QuestionsError(
            f"{path}: no questions (one JSON object per line, as in "
            '{"id": "1", "question": "How many?", "images": ["a.png"], "answer": "3"})'
        )
    return items


def _json_rows(path: str, text: str):
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, parse(line, f"{path}:{number}")
            except EvidenceError as error:
                raise QuestionsError(f"{path}:{number}: {error.message}") from None


def _csv_rows(path: str, text: str):
    """Rows of a CSV with a header; several images or answers in one cell are separated by |."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            number = reader.line_num
            if None in row or None in row.values():
                raise QuestionsError(
                    f"{path}:{number}: not as many cells as the header has columns"
                )
            value: dict[str, object] = {
                key.strip(): cell for key, cell in row.items() if cell.strip()
            }
            for key in ("images", "answer"):
                if key in value:
                    value[key] = [part.strip() for part in str(value[key]).split("|")]
            yield number, value
    except csv.Error as error:
        raise QuestionsError(f"{path}:{reader.line_num}: not CSV ({error})") from None


def _item(row, place: str, folder: str, default: str) -> Item:
    if not isinstance(row, dict):
        raise QuestionsError(f"{place}: not an object (fields: {', '.join(FIELDS)})")
    for key in row:
        if key not in FIELDS:
            raise QuestionsError(
                f"{place}: unknown field {key[:40]!r}{meant(key, FIELDS, '?')}"
                f" (fields: {', '.join(FIELDS)})"
            )
    name = row.get("id", default)
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        raise QuestionsError(f"{place}: id is not a text of 1 to 200 characters")
    question = row.get("question")
    if not isinstance(question, str) or not 0 < len(question.strip()) <= MAX_QUESTION:
        raise QuestionsError(
            f"{place}: question is missing, empty or longer than {MAX_QUESTION:,} characters"
        )
    labels = row.get("images", [])
    labels = [labels] if isinstance(labels, str) else labels
    if (
        not isinstance(labels, list)
        or not all(isinstance(label, str) and label for label in labels)
        or len(labels) > MAX_IMAGES
    ):
        raise QuestionsError(f"{place}: images is not a list of at most {MAX_IMAGES} file names")
    answers = row.get("answer", [])
    answers = answers if isinstance(answers, list) else [answers]
    if not all(
        isinstance(a, str | int | float) and not isinstance(a, bool) and str(a).strip()
        for a in answers
    ):
        raise QuestionsError(f"{place}: answer is not a text, a number or a list of them")
    return Item(
        name,
        question,
        tuple(inside(label, folder, place) for label in labels),
        tuple(labels),
        tuple(map(str, answers)),
    )


def inside(label: str, folder: str, place: str) -> str:
    """The path of a file named in a questions file. Raises QuestionsError when it leads out of the
    file's folder, by .. or by a link.
    """
    base = os.path.realpath(folder or ".")
    if "\0" not in label:
        path = os.path.realpath(os.path.join(base, label))
        if path != base and os.path.commonpath((path, base)) == base:
            return path
    raise QuestionsError(
        f"{place}: the image {label[:80]!r} does not lie below the folder of the questions file"
    )


def read_image(path: str, label: str) -> bytes:
    """The bytes of an image file. Raises QuestionsError."""
    try:
        info = os.stat(path)
        if not stat.S_ISREG(info.st_mode):
            raise QuestionsError(f"{label}: not a regular file")
        if info.st_size > images.MAX_FILE:
            raise QuestionsError(
                f"{label}: {info.st_size:,} bytes; at most {images.MAX_FILE:,} are sent"
            )
        with open(path, "rb") as file:
            return file.read(images.MAX_FILE)
    except (OSError, ValueError) as error:
        if isinstance(error, QuestionsError):
            raise
        # several images in one cell of a CSV that are separated by something else
        hint = " (several images of a CSV cell: a.png|b.png)" if re.search("[,;]", label) else ""
        raise QuestionsError(
            f"{label}: cannot be read: {getattr(error, 'strerror', None) or error}{hint}"
        ) from None


def picture(path: str, label: str) -> Picture:
    """Hash and header of an image file. Raises QuestionsError."""
    data = read_image(path, label)
    try:
        return Picture(path, hashlib.sha256(data).hexdigest(), *images.header(data))
    except images.ImageError as error:
        raise QuestionsError(f"{label}: {error}") from None
