"""The stored fit: tables/derived/posterior.json, tied to the evidence it was fitted on.

In: a tables directory. Out: a Posterior, or an EvidenceError that says how to make one. The digest covers every
paper file and the registries that features are made from, so that `check` sees when the fit is out of date.
"""
import json
import os

from ..evidence.reading import EvidenceError, read_json
from ..evidence.tables import paper_files
from .posterior import Posterior, dump, load

PATH = ("derived", "posterior.json")
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


def read_posterior(directory) -> Posterior:
    """The stored posterior of a tables directory."""
    path = os.path.join(directory, *PATH)
    if not os.path.exists(path):
        raise EvidenceError(path, "", "is missing: run `python3 main.py fit` to make it")
    return load(read_json(path, trusted=True))


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
