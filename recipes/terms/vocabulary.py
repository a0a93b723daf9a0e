"""Names: one slug per component, benchmark, hardware and data mix, with aliases and did-you-mean.

In: tables/registry/*.json. Out: records by slug, and `resolve`, which turns what a person or a
paper writes into a slug or says that the name is unknown and which known names are nearest.
Does not guess: an unknown name is an `UnknownName`, never the nearest one.
"""

import functools
import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..base.errors import Refused
from ..base.reading import EvidenceError, read_json

AXES = ("encoder", "connector", "llm", "data", "resolution")
LISTS = {"encoder": "encoders", "connector": "connectors", "llm": "llms", "data": "data"}


class UnknownName(Refused):
    """A name that the vocabulary does not know: `kind` (encoder, benchmark …), `name`, `nearest`
    known names, or examples.
    """

    def __init__(self, kind: str, name: str, nearest: Iterable[str], examples: Iterable[str] = ()):
        self.kind, self.name, self.nearest = kind, name, tuple(nearest)
        some = ", ".join(list(dict.fromkeys(examples))[:4])
        hint = (
            f"; nearest known: {', '.join(self.nearest)}"
            if self.nearest
            else f"; known are for example {some}"
            if some
            else ""
        )
        super().__init__(f"unknown {kind} {name[:80]!r}{hint}")


class Name(NamedTuple):
    """A resolved component: its slug (fused encoders joined by + in alphabetical order) and a
    resolution hint.

    The hint is the number of an `@336` behind the name, or None.
    """

    slug: str
    resolution: int | None = None


def fold(text: str) -> str:
    """The form in which names are compared: lower case, only letters, digits, dots and plus
    signs.
    """
    return re.sub(r"[^a-z0-9.+]+", "", text.lower())


@functools.lru_cache(maxsize=64)
def _places(text: str) -> dict[str, int]:
    """Where each letter of a text stands, as bits."""
    out: dict[str, int] = {}
    for i, letter in enumerate(text):
        out[letter] = out.get(letter, 0) | 1 << i
    return out


def distance(a: str, b: str, limit: int) -> int:
    """Levenshtein distance with swapped neighbours counting once (optimal string alignment), cut
    off at limit + 1.

    A column of the table of distances is two integers, in whose bits it grows or falls (Hyyro,
    Nordic J. Computing 10, 2003): a letter of b costs a few operations, not len(a).
    """
    m, n = len(a), len(b)
    if abs(m - n) > limit:
        return limit + 1
    if not a:
        return n
    places, last, full = _places(a), 1 << m - 1, (1 << m) - 1
    grows, falls, diagonal, before, found = full, 0, 0, 0, m
    for j, letter in enumerate(b, 1):
        here = places.get(letter, 0)
        swapped = ((~diagonal & here) << 1) & before
        diagonal = (((here & grows) + grows) ^ grows) | here | falls | swapped
        right, left = falls | ~(diagonal | grows), diagonal & grows
        if right & last:
            found += 1
        elif left & last:
            found -= 1
        if found - (n - j) > limit:
            return limit + 1
        right, left = right << 1 | 1, left << 1
        grows, falls, before = (left | ~(diagonal | right)) & full, right & diagonal & full, here
    return min(found, limit + 1)


def nearest(text: str, names: Mapping[str, str], count: int = 3) -> list[str]:
    """The known slugs whose spellings are nearest to `text`, at most `count`, nearest first.

    `names` maps folded spellings to slugs. A spelling that begins with the text (or the other way
    round) counts as near, so that `siglip so` finds `siglip-so400m-14`.
    """
    wanted = fold(text)[:64]
    if not wanted:
        return []
    limit = max(2, len(wanted) // 3)
    best: dict[str, tuple[int, str]] = {}
    for spelling, slug in names.items():
        if (
            len(wanted) >= 3
            and len(spelling) >= 3
            and (spelling.startswith(wanted) or wanted.startswith(spelling))
        ):
            score = 1
        else:
            score = distance(wanted, spelling, limit)
        if score <= limit:
            best[slug] = min(best.get(slug, (score, spelling)), (score, spelling))
    if not best:  # no spelling is near: those that share a word
        tokens = [
            fold(word) for word in re.split(r"[^A-Za-z0-9.]+", text[:64]) if len(fold(word)) >= 3
        ]
        for spelling, slug in names.items():
            if any(token in spelling for token in tokens):
                best[slug] = min(
                    best.get(slug, (len(spelling), spelling)), (len(spelling), spelling)
                )
    return [slug for slug, _ in sorted(best.items(), key=lambda item: (item[1], item[0]))[:count]]


def collisions(records: Iterable[Mapping], key: str = "slug") -> list[tuple[str, str, str]]:
    """Aliases that mean two things: (spelling, one slug, another slug)."""
    seen: dict[str, str] = {}
    out = []
    for record in records:
        for spelling in (record[key], *record.get("aliases", ())):
            other = seen.setdefault(fold(spelling), record[key])
            if other != record[key]:
                out.append((spelling, other, record[key]))
    return out


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
        known = self.spellings(kind)
        return UnknownName(
            kind, text, nearest(text if near is None else near, known), self.records(kind)
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
