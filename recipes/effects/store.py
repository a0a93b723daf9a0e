"""The stored fit: tables/derived/posterior.bin, tied to the evidence it was fitted on.

In: a tables directory. Out: a Posterior, or an EvidenceError that says how to make one. The file is
a line of JSON (what `posterior.dump` gives, and the size of every block) and then the blocks, one
after the other, as little-endian numbers, and the fitted columns: an answer needs few of them and
decodes no others. The
digest covers every paper file and the registries that features are made from, so that `check` sees
when the fit is out of date.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence

from ..base.reading import EvidenceError, read_json
from ..evidence.tables import paper_files
from .block import Block
from .posterior import Posterior, dump, load

PATH = ("derived", "posterior.bin")
NO_FIT = "is no stored fit: run `python3 main.py fit` to make it"
LEVELS = ("root", "families", "benchmarks", "mixes")  # of blocks, in the order of the file
REGISTRIES = ("benchmarks", "components", "data_mixes", "settings")


def evidence_digest(directory, known: Mapping[str, str] | None = None) -> str:
    """SHA-256 over what the fit depends on: every table (its accepted exceptions apart) and the
    registries. known: the digest of every table by its id, in the order of the files, where they
    were read already.
    """
    import hashlib

    from ..evidence.lock import table_digest  # only fitting and checking ask for it

    digest = hashlib.sha256()
    if known is None:
        known = {
            raw["id"]: table_digest(raw)
            for path in paper_files(directory)
            for raw in read_json(path, trusted=True)["tables"]
        }
    for name, one in known.items():
        digest.update(f"{name} {one}\n".encode())
    for name in REGISTRIES:
        with open(os.path.join(directory, "registry", name + ".json"), "rb") as file:
            digest.update(name.encode() + b"\0" + file.read())
    return digest.hexdigest()


class Blocks(Mapping):
    """Blocks by name, each decoded when first asked for. stored: name -> its bytes and number of
    features.
    """

    def __init__(self, stored: Mapping[str, tuple[memoryview, int]]):
        self._stored, self._decoded = stored, {}

    def __getitem__(self, name: str) -> Block:
        if name not in self._decoded:
            self._decoded[name] = Block.unpack(*self._stored[name])
        return self._decoded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._stored

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)


class Columns(Sequence):
    """The columns of the fit, decoded when the first is asked for."""

    def __init__(self, stored: memoryview):
        self._stored = stored
        self._decoded: tuple | None = None

    def _all(self) -> tuple:
        if self._decoded is None:
            from .carriers import unpack  # few answers ask for the columns

            self._decoded = tuple(unpack(self._stored))
        return self._decoded

    def __getitem__(self, number):
        return self._all()[number]

    def __len__(self) -> int:
        return len(self._all())


def _opened(path: str) -> tuple[dict, memoryview]:
    """The head of a stored fit, and the bytes of its blocks."""
    try:
        with open(path, "rb") as file:
            line, raw = file.readline(), file.read()
    except FileNotFoundError:
        raise EvidenceError(path, "", "is missing: run `python3 main.py fit` to make it") from None
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if not isinstance(head, dict) or head.get("format") != 5:
        raise EvidenceError(path, "", NO_FIT)
    return head, memoryview(raw)


def read_posterior(directory) -> Posterior:
    """The stored posterior of a tables directory."""
    path = os.path.join(directory, *PATH)
    head, raw = _opened(path)
    place = 0

    def blocks(sizes: Mapping[str, tuple[int, int]]) -> Blocks:
        nonlocal place
        parts = {}
        for name, (size, length) in sizes.items():
            parts[name] = raw[place : place + length], size
            place += length
        return Blocks(parts)

    try:
        root, families, benchmarks, mixed = (blocks(head["blocks"][level]) for level in LEVELS)
        rest = raw[place:]
        if len(rest) != head["fitted"]:
            raise EvidenceError(
                path,
                "",
                f"is damaged ({len(raw)} bytes, {place + head['fitted']} by its head): run `python3"
                " main.py fit` to make it",
            )
        posterior = load(head, root[""], families, benchmarks, mixed)
        posterior.fitted = Columns(rest)
        return posterior
    except (ValueError, KeyError, TypeError):
        raise EvidenceError(path, "", NO_FIT) from None


def stored_digest(directory) -> str | None:
    """The digest of the evidence that the stored fit was made from, or None when there is none."""
    path = os.path.join(directory, *PATH)
    return _opened(path)[0].get("evidence") if os.path.exists(path) else None


def posterior_bytes(posterior: Posterior, digest: str) -> bytes:
    """The content of posterior.bin."""
    from .carriers import pack

    sizes, parts = {}, []
    for level, blocks in zip(
        LEVELS, ({"": posterior.root}, posterior.families, posterior.benchmarks, posterior.mixed)
    ):
        sizes[level] = {}
        for name, part in blocks.items():
            parts.append(part.pack())
            sizes[level][name] = len(part.index), len(parts[-1])
    columns = pack(posterior.fitted)
    head = json.dumps(
        {**dump(posterior, digest), "blocks": sizes, "fitted": len(columns)},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return head.encode() + b"\n" + b"".join(parts) + columns
