"""The stored fit: tables/derived/posterior.json, tied to the evidence it was fitted on.

In: a tables directory. Out: a Posterior, or an EvidenceError that says how to make one. The digest covers every
paper file and the registries that features are made from, so that `check` sees when the fit is out of date.
"""
import json
import os
from collections.abc import Iterator, Mapping

from ..evidence.reading import EvidenceError, read_json
from ..evidence.tables import paper_files
from .posterior import Block, Posterior, dump, load

PATH = ("derived", "posterior.json")
BLOCKS = {b'"families":{': "families", b'"benchmarks":{': "benchmarks"}     # the lines that open them
NO_FIT = "is no stored fit: run `python3 main.py fit` to make it"
REGISTRIES = ("benchmarks", "components", "settings")


def evidence_digest(directory) -> str:
    """SHA-256 over what the fit depends on: every table (its accepted exceptions apart) and the registries."""
    import hashlib

    from ..evidence.lock import table_digest  # only fitting and checking ask for it
    digest = hashlib.sha256()
    for path in paper_files(directory):
        for raw in read_json(path, trusted=True)["tables"]:
            digest.update(f"{raw['id']} {table_digest(raw)}\n".encode())
    for name in REGISTRIES:
        with open(os.path.join(directory, "registry", name + ".json"), "rb") as file:
            digest.update(name.encode() + b"\0" + file.read())
    return digest.hexdigest()


class Blocks(Mapping):
    """Blocks by name, each parsed from its line of the file when first asked for: an answer needs few of them."""

    def __init__(self, lines: Mapping[str, bytes], path: str):
        self._lines, self._path, self._parsed = lines, path, {}

    def __getitem__(self, name: str) -> Block:
        if name not in self._parsed:
            line = self._lines[name]
            try:
                self._parsed[name] = Block.unpack(json.loads(line.partition(b":")[2].rstrip(b",")))
            except (ValueError, KeyError, TypeError):
                raise EvidenceError(self._path, f"/{name}", NO_FIT) from None
        return self._parsed[name]

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def read_posterior(directory) -> Posterior:
    """The stored posterior of a tables directory. Knows the lines that `posterior_text` writes."""
    path = os.path.join(directory, *PATH)
    if not os.path.exists(path):
        raise EvidenceError(path, "", "is missing: run `python3 main.py fit` to make it")
    head: list[bytes] = []
    blocks: dict[str, dict[str, bytes]] = {}
    inside: dict[str, bytes] | None = None
    with open(path, "rb") as file:      # three megabytes, of which an answer needs few lines: the others are not even decoded
        text = file.read()
    for line in text.split(b"\n"):
        if inside is not None and line.startswith(b"}"):
            inside = None
        elif inside is not None:
            inside[line[1:line.find(b'"', 1)].decode("ascii", "replace")] = line
        elif line in BLOCKS:
            inside = blocks[BLOCKS[line]] = {}
        else:
            head.append(line)
    if not text.endswith(b"}}\n"):
        raise EvidenceError(path, "", NO_FIT)
    try:
        data = json.loads(b"\n".join(head).rstrip(b"\n,") + b"}")
        if blocks["benchmarks"].keys() != data["family_of"].keys() or blocks["families"].keys() != set(data["family_of"].values()):
            raise KeyError
        return load(data, Block.unpack(data["root"]), *(Blocks(blocks[name], path) for name in BLOCKS.values()))
    except (ValueError, KeyError, TypeError):
        raise EvidenceError(path, "", NO_FIT) from None


def stored_digest(directory) -> str | None:
    """The digest of the evidence that the stored fit was made from, or None when there is none."""
    path = os.path.join(directory, *PATH)
    return read_json(path, trusted=True).get("evidence") if os.path.exists(path) else None


def posterior_text(posterior: Posterior, digest: str) -> str:
    """The text of posterior.json: one block per line."""
    data = dump(posterior, digest)
    line = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))  # noqa: E731
    parts = []
    for key, value in data.items():
        if key in ("families", "benchmarks", "support"):
            body = ",\n".join(f"{line(name)}:{line(part)}" for name, part in value.items())
            parts.append(f"{line(key)}:{{\n{body}\n}}")
        else:
            parts.append(f"{line(key)}:{line(value)}")
    return "{" + ",\n".join(parts) + "}\n"
