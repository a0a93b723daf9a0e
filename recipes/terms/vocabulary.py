"""Names: one slug per component, benchmark, hardware and data mix, with aliases and did-you-mean.

In: tables/registry/*.json. Out: records by slug, and `resolve`, which turns what a person or a
paper writes into a slug or says that the name is unknown and which known names are nearest.
Does not guess: an unknown name is an `UnknownName`, never the nearest one.
"""

import functools
import os
import re
from collections.abc import Mapping

from ..base.reading import EvidenceError, read_json
from .mixes import Mixes, read_mixes
from .names import Name, UnknownName, collisions, distance, fold, nearest

LISTS = {"encoder": "encoders", "connector": "connectors", "llm": "llms", "data": "data"}
__all__ = (
    "UnknownName",
    "Name",
    "Vocabulary",
    "collisions",
    "distance",
    "fold",
    "nearest",
    "open_vocabulary",
)


class Vocabulary:
    """The registry of one tables directory, each file read when it is first needed.

    >>> words = Vocabulary("tables")                                # doctest: +SKIP
    >>> words.resolve("encoder", "CLIP ViT-L/14@336")               # doctest: +SKIP
    Name(slug='clip-vit-l-14', resolution=336)
    """

    def __init__(self, directory):
        self.directory = os.fspath(directory)
        self._files: dict[str, dict] = {}
        self._spellings: dict[str, dict[str, str]] = {}
        self._records: dict[str, dict[str, dict]] = {}

    def registry(self, name: str) -> dict:
        """One registry file, parsed."""
        if name not in self._files:
            self._files[name] = read_json(
                os.path.join(self.directory, "registry", name + ".json"), trusted=True
            )
        return self._files[name]

    def derived(self, name: str) -> dict | None:
        """What was computed beforehand from the registry (derived/NAME.json), or None."""
        path = os.path.join(self.directory, "derived", name + ".json")
        return read_json(path, trusted=True) if os.path.exists(path) else None

    @functools.cached_property
    def mixes(self) -> Mixes:
        """What the data mixes consist of (data_mixes.json)."""
        path = os.path.join(self.directory, "registry", "data_mixes.json")
        return read_mixes(path, self.spellings("data"))

    @functools.cached_property
    def axis_of(self) -> dict[str, str]:
        """Setting -> the axis that it belongs to."""
        return {key: record["axis"] for key, record in self.records("setting").items()}

    def records(self, kind: str) -> dict[str, dict]:
        """Records by slug; kind: encoder, connector, llm, data, benchmark, family, hardware,
        resolution or setting.
        """
        if kind not in self._records:
            if kind in LISTS or kind == "resolution":
                rows = self.registry("components")[LISTS.get(kind, "resolutions")]
                self._records[kind] = {row["slug"]: row for row in rows}
            elif kind == "hardware":
                self._records[kind] = {
                    row["slug"]: row for row in self.registry("hardware")["hardware"]
                }
            elif kind == "family":
                self._records[kind] = {
                    row["key"]: row for row in self.registry("benchmarks")["families"]
                }
            elif kind == "benchmark":
                self._records[kind] = {
                    row["key"]: row for row in self.registry("benchmarks")["benchmarks"]
                }
            else:
                self._records[kind] = {
                    row["key"]: row for row in self.registry("settings")["settings"]
                }
        return self._records[kind]

    def admit(self, kind: str, name: str, record: Mapping | None = None) -> None:
        """Know a name that only a user's tables have.

        A benchmark gets a record (what it does not say is null); of a component nothing is known
        but its name.
        """
        # a name without a letter or digit of ASCII would be every other such name
        if fold(name):
            self.spellings(kind).setdefault(fold(name), name)
        if record:
            usual = next(iter(self.records(kind).values()))
            self.records(kind).setdefault(
                name,
                {
                    **{
                        key: [] if isinstance(value, list) else None for key, value in usual.items()
                    },
                    **record,
                },
            )

    def connector_class(self, setting: Mapping) -> str | None:
        """projection, pooling, resampler, abstractor or cross-attention; None when the connector is
        unknown or unsaid.
        """
        return self.records("connector").get(setting.get("connector") or "", {}).get("class")

    def spellings(self, kind: str) -> dict[str, str]:
        """Folded spelling -> slug, for every slug and alias of a kind."""
        if kind not in self._spellings:
            out: dict[str, str] = {}
            for slug in self.records(kind):
                out[fold(slug)] = slug
            for slug, record in self.records(kind).items():
                for spelling in (
                    *record.get("aliases", ()),
                    record.get("name", ""),
                    *record.get("printed", ()),
                ):
                    out.setdefault(fold(spelling), slug)
            out.pop("", None)
            self._spellings[kind] = out
        return self._spellings[kind]

    def find(self, kind: str, text: str) -> str | None:
        """The slug that `text` spells, or None."""
        return self.spellings(kind).get(fold(text))

    def unknown(self, kind: str, text: str, near: str | None = None) -> UnknownName:
        """The error for a name that is not known; `near`: the part of it to compare."""
        return UnknownName(
            kind,
            text,
            lambda: nearest(text if near is None else near, self.spellings(kind)),
            self.records(kind),
        )

    def resolve(self, kind: str, text: str) -> Name:
        """The component that `text` names. Raises UnknownName, with the nearest known names.

        An encoder may be fused (`SigLIP+DINOv2`) and may carry its resolution (`CLIP
        ViT-L/14@336`).
        """
        slug = self.find(kind, text) if kind != "encoder" or "@" not in text else None
        if slug:
            return Name(slug)
        if kind == "llm" and (base := self._tuned(text)):
            return Name(base)
        if kind == "data":  # a mix without rows of its own, or one put together: llava-665k+docvqa
            return Name(self.mixes.resolve(text))
        if kind != "encoder":
            raise self.unknown(kind, text)
        parts, hints = [], []
        for part in re.split(r"\s*(?:\+|&|\band\b)\s*", text.strip()):
            name, at, pixels = part.partition("@")
            if at:
                digits = re.fullmatch(r"\s*(\d{2,4})\s*(?:px)?\s*", pixels)
                if not digits:
                    raise self.unknown(kind, part, name)
                hints.append(int(digits[1]))
            slug = self.find(kind, name)
            if slug is None and not at and (sized := self._sized(name)):
                slug = sized[0]
                hints.append(sized[1])
            if slug is None:
                raise self.unknown(kind, part, name)
            if slug in parts:
                raise self.unknown(kind, text, slug)  # CLIP+CLIP is no fusion
            parts.append(slug)
        return Name(
            "+".join(sorted(parts)), hints[0] if len(hints) == 1 and len(parts) == 1 else None
        )

    def _tuned(self, text: str) -> str | None:
        """The LLM of which `text` names an instruction-tuned version or a hub id
        (Qwen/Qwen2.5-7B-Instruct), or None.
        """
        name = text.strip().rpartition("/")[2]
        for slug, record in self.records("llm").items():
            if "/" in text and (record.get("hf_id") or "").lower() == text.strip().lower():
                return slug
        name = re.sub(r"^meta-", "", name, flags=re.I)
        while True:
            slug = self.find("llm", name)
            shorter = re.sub(r"[-_ ](?:instruct|chat|it|base|hf)$", "", name, flags=re.I)
            if slug or shorter == name:
                return slug
            name = shorter

    def _sized(self, text: str) -> tuple[str, int] | None:
        """The encoder and the pixels of a name that ends in its native resolution (SigLIP-L/16-384,
        a hub id), or None.
        """
        match = re.fullmatch(
            r"(?:[\w.-]+/(?=[\w.-]*patch))?(.+?)[-_ ](\d{3,4})(?:px)?", text.strip()
        )
        slug = match and (
            self.find("encoder", match[1])
            or self.find("encoder", re.sub(r"patch(?=\d)", "", match[1]))
        )
        return (
            (slug, int(match[2]))
            if slug
            and int(match[2]) in (self.records("encoder")[slug].get("native_resolution") or ())
            else None
        )

    def benchmark(self, text: str) -> str:
        """The benchmark that `text` names. Raises UnknownName."""
        slug = self.find("benchmark", text)
        if slug is None:
            raise self.unknown("benchmark", text)
        return slug

    def families(self) -> tuple[str, ...]:
        """The task families, in the registry's order."""
        return tuple(self.records("family"))


def open_vocabulary(directory) -> Vocabulary:
    """A Vocabulary, or an EvidenceError when the directory holds no registry."""
    path = os.path.join(os.fspath(directory), "registry")
    if not os.path.isdir(path):
        raise EvidenceError(directory, "", "has no registry/ folder")
    return Vocabulary(directory)
