"""A sentence -> items: names, quantities and words, each with what it may mean.

In: text and the vocabulary. Out: Items in the order of the sentence; a name is the longest run of
words that spells one, a quantity a number with its unit (quantities.py). A word that is neither,
nor one of the language, is corrected when exactly one known spelling is near; digits are never
corrected (qwen2 is not qwen3). Knows no concept and no command.
"""

import bisect
import os
import re
from collections.abc import Container, Mapping
from itertools import zip_longest
from typing import NamedTuple

from ..terms import units
from ..terms.axes import COMPONENTS
from ..terms.vocabulary import Vocabulary, distance, fold
from .language import Language
from .quantities import Quantities, Reading

KINDS = (*COMPONENTS, "benchmark", "family", "hardware")
LONGEST = 7  # words of a name
ATOM = re.compile(
    r"[1-9]\d{0,2}(?:,\d{3})+(?!\d|,\d)|[a-z0-9]+(?:[.*^_×][a-z0-9]+)*\*?|->|>=|<="
    r"|[^\W\da-z_]+|[^\s,;:.!?'\"()\[\]{}\-/\\|*_#^`]"
)


class Item(NamedTuple):
    """A stretch of the sentence: its words (lower case), its readings (none: a plain word), whether
    a spelling was corrected, whether the grammar knows it, and how a corrected word was spelled."""

    text: str
    readings: tuple[Reading, ...] = ()
    corrected: bool = False
    known: bool = True
    said: str = ""

    def value(self, *kinds: str) -> str | None:
        """The value of the first reading of these kinds."""
        return next((r.value for kind in kinds for r in self.readings if r.kind == kind), None)


class Atom(NamedTuple):
    """A word of the sentence and what stands between it and the next one."""

    text: str
    raw: str
    gap: str


class Lexicon:
    """Spellings of everything that can be named, and the words of the grammar."""

    def __init__(self, words: Vocabulary, language: Language, extra: frozenset[str] = frozenset()):
        self.words, self.language, self.known = words, language, language.known
        self.units, self.quantities = language.units, Quantities(words, language)
        self.names: dict[str, list[Reading]] = {}
        for kind in KINDS:
            records = words.records(kind)
            for spelling, slug in words.spellings(kind).items():
                if kind == "benchmark" and (
                    records[slug]["kind"] not in ("score", "average") or not records[slug]["family"]
                ):
                    continue
                self.names.setdefault(spelling, []).append(Reading(kind, slug))
        for spelling, readings in list(self.names.items()):  # CLIP-L: clip large
            if (
                spelling[-1] in "bhlg"
                and any(r.kind == "encoder" for r in readings)
                and spelling[:-1] in self.names
            ):
                self.names.setdefault(
                    spelling[:-1]
                    + {"b": "base", "l": "large", "h": "huge", "g": "giant"}[spelling[-1]],
                    readings,
                )
        self.keys: dict[str, str] = {}
        for spelling, key in papers(words.directory, self.names):
            self.names.setdefault(spelling, []).append(Reading("paper", key))
            self.keys.setdefault(fold(key), key)
        from ..cost import tokens

        for name in (*tokens.MODELS, *tokens.ALIASES):
            self.names.setdefault(fold(name), []).append(
                Reading("counter", tokens.ALIASES.get(name, name))
            )
        for name, kept in units.FORMATS.items():
            self.names.setdefault(name, []).append(
                Reading("dtype", "fp16" if name == "fp16" else kept)
            )
        for name in words.records("resolution"):
            self.names.setdefault(fold(name), []).append(Reading("resolution", name))
        for spelling, meant in language.data["preferred"].items():
            kind, slug = meant.split()
            if slug in words.records(kind):
                others = [r for r in self.names.get(fold(spelling), ()) if r.kind != kind]
                self.names[fold(spelling)] = [Reading(kind, slug), *others, Reading("usual", slug)]
        self._usual()
        for name in extra:
            getattr(self, f"_admit_{name}")()
        for spelling in ("", *language.not_names, *language.function):  # words of their own
            self.names.pop(spelling, None)
        # papers that are called like a word of the language: POINTS, Vary
        self.ordinary = {
            spelling
            for spelling, readings in self.names.items()
            if all(r.kind == "paper" for r in readings) and language.find([spelling], 0)
        }

    def _usual(self) -> None:
        """Names of a family that stand for one of its members (InternViT: internvit-300m) say so:
        all but those of which everyone means the same one (`settled`).
        """
        settled = set(self.language.data["settled"].split())
        for kind in COMPONENTS:
            slugs = sorted(fold(slug) for slug in self.words.records(kind))
            for spelling, slug in self.words.spellings(kind).items():
                if spelling in settled or not fold(slug).startswith(spelling):
                    continue
                first = bisect.bisect_left(slugs, spelling)
                several = slugs[first + 1 : first + 2]
                own = self.names.get(spelling, ())
                if slugs[first] != spelling and several and several[0].startswith(spelling):
                    if own and not any(reading.kind == "usual" for reading in own):
                        own.append(Reading("usual", slug))

    def _admit_models(self) -> None:
        """Released models by their names, and by the stem that several sizes share."""
        stems: dict[str, list[tuple[float, str]]] = {}
        for model in self.words.registry("models")["models"]:
            key = model["key"]
            for name in (key, model["name"], (model["hf_id"] or "").split("/")[-1]):
                self.names.setdefault(fold(name), []).append(Reading("model", key))
            stem = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", key)
            stem = re.sub(r"-(?:moe|a?\d+(?:\.\d+)?b|\d+m)(?=-|$).*", "", stem)
            size = model.get("params_b") or 0
            stems.setdefault(fold(stem), []).append((abs(size - 7), key))
        for stem, sizes in stems.items():
            known = self.names.setdefault(stem, [])
            if not any(reading.kind == "model" for reading in known):
                known += [Reading("model", min(sizes)[1]), Reading("stem", stem)]

    def _admit_targets(self) -> None:
        """Training programs that recipes are exported to."""
        for target in self.words.registry("trainers")["targets"]:
            for name in (target["target"], target["name"]):
                self.names.setdefault(fold(name), []).append(Reading("target", target["target"]))

    def _admit_datasets(self) -> None:
        """Datasets that mixes are made of."""
        path = os.path.join(self.words.directory, "registry", "data_mixes.json")
        if os.path.exists(path):
            for row in self.words.registry("data_mixes")["datasets"]:
                for name in (row["key"], row["name"]):
                    self.names.setdefault(fold(name), []).append(Reading("dataset", row["key"]))

    def read(self, sentence: str, correct: bool = True) -> list[Item]:
        """The items of a sentence; misspelled words are put right when `correct`."""
        found = atoms(sentence, self.language.data["rewrite"])
        items, i = [], 0
        while i < len(found):
            item, size = max(
                (self._quantity(found, i), self._name(found, i)),
                key=lambda pair: (pair[1], bool(pair[0] and pair[0].readings)),
            )
            function = found[i].text in self.language.function
            if size > 1 and function and self._name(found, i + 1)[1] >= size - 1:
                size = 0  # tell me Q-Former: no ME-Q-Former
            if not size:
                item, size = self._word(found[i].text) if correct else Item(found[i].text), 1
                if (
                    item.corrected
                    and not item.readings
                    and item.text not in self.units
                    and items
                    and items[-1].value("number")
                ):
                    # 15 watts are not 15 `wants`: what stands behind a number is its unit
                    item = Item(found[i].text, (), False, False)
                if item.corrected and item.readings:  # vicunia-7b: the name may go on
                    again = [*found[:i], found[i]._replace(text=item.text), *found[i + 1 :]]
                    longer, more = self._name(again, i)
                    item, size = (longer._replace(corrected=True), more) if more > 1 else (item, 1)
            items.append(item)
            i += size
        return items

    def _name(self, found: list[Atom], i: int) -> tuple[Item | None, int]:
        """The longest run of words from i that spells something."""
        spelled, best = "", (None, 0)
        for size, atom in enumerate(found[i : i + LONGEST], 1):
            part = re.sub(r"[^a-z0-9.+]", "", atom.text)
            if not part:
                break
            spelled += part
            readings = self.names.get(spelled)
            if spelled in self.ordinary and not (i and atom.raw[0].isupper()):
                readings = None
            if not readings and size > 1 and spelled.endswith("s") and i + size <= len(found):
                readings = self._plural(spelled)
            if not readings and size == 1:
                readings = self._plural(spelled) if spelled not in self.known else None
            if readings:
                best = (
                    Item(
                        " ".join(a.text for a in found[i : i + size]),
                        tuple(dict.fromkeys(readings)),
                    ),
                    size,
                )
            elif "." in spelled:
                key, _, rest = (
                    spelled.partition(".")
                    if spelled.partition(".")[0] in self.keys
                    else ("", "", "")
                )
                whole = all(atom.gap in ("-", "_", "") for atom in found[i : i + size - 1])
                if key and rest[:1].isalpha() and whole:
                    raw = "".join(
                        a.raw + (a.gap if a.gap in "-_" else "") for a in found[i : i + size]
                    )
                    best = (
                        Item(
                            spelled,
                            (
                                Reading(
                                    "table", f"{self.keys[key]}.{raw.partition('.')[2].rstrip('-')}"
                                ),
                            ),
                        ),
                        size,
                    )
        return best

    def _plural(self, spelled: str) -> list[Reading] | None:
        if len(spelled) < 4 or not spelled.endswith("s"):
            return None
        return [
            r
            for r in self.names.get(spelled[:-1], ())
            if r.kind in ("connector", "encoder", "llm", "family", "hardware")
        ] or None

    def _quantity(self, found: list[Atom], i: int) -> tuple[Item | None, int]:
        """The quantity from i; a number may also be a name (4090)."""
        seen = self.quantities.find(found, i)
        if seen is None:
            return None, 0
        part, readings = found[i : i + seen.size], seen.readings
        if not readings:  # no flag has it
            said = "".join(a.text + (a.gap or "") for a in part).strip()
            return Item(said, (), False, False), seen.size
        if seen.size == 1 and readings[0].kind == "number":
            readings = (*readings, *self.names.get(part[0].text, ()))
        return Item(" ".join(a.text for a in part), readings), seen.size

    def _word(self, text: str) -> Item:
        """A word that spells no name: one of the grammar, a misspelling of one thing, or
        unknown.
        """
        if self.language.knows(text) or not text.isascii():
            return Item(text, (), False, text.isascii())
        limit = 0 if len(text) < 4 else 1 if len(text) < 8 else 2
        digits = re.sub(r"\D", "", text)
        near: dict[str, int] = {}
        if limit and not (digits and digits == text):
            for spelling in (
                *self.names,
                # a short word is near too many others: rely is no reply
                *(w for w in self.known if len(w) > 3 < len(text) - 1 and w not in self.units),
            ):
                if (
                    abs(len(spelling) - len(text)) <= limit
                    and len(spelling) > 3
                    and spelling[0] == text[0]
                    and re.sub(r"\D", "", spelling) == digits
                ):
                    apart = distance(text, spelling, limit)
                    if spelling not in self.names and len(text) == 5 == len(spelling):
                        if sorted(text) != sorted(spelling):
                            continue  # older is no order
                    if apart <= limit:
                        near[spelling] = apart
        best = [spelling for spelling, apart in near.items() if apart == min(near.values())]
        meant = {tuple(self.names.get(spelling, ())) or spelling for spelling in best}
        if len(meant) != 1:
            return Item(text, (), False, False)
        return Item(best[0], tuple(self.names.get(best[0], ())), True, True, text)


def atoms(sentence: str, same: Mapping[str, str]) -> list[Atom]:
    """The words of a sentence in lower case, without courtesy punctuation; hyphens and slashes part
    them.
    """
    text = re.sub(r"(?<![\w.])\.(?=\d)", "0.", " ".join(sentence.split()))  # .5 s are not 5 s
    lower = text.lower()
    for wrong, right in same.items():
        stem = wrong.rstrip("*")
        if stem in lower:
            begin = r"(?<![a-z0-9])" if stem[0].isalnum() else ""
            end = r"(?![a-z0-9])" if stem[-1].isalnum() and stem == wrong else ""
            text = re.sub(begin + re.escape(stem) + end, right, text, flags=re.I)
            lower = text.lower()
    text = text.replace("_", "-") if "." not in text else text
    lower = text.lower() if len(text.lower()) == len(text) else text
    found = list(ATOM.finditer(lower))
    out = []
    for match, after in zip_longest(found, found[1:]):
        out.append(
            Atom(
                match[0].replace(",", ""),
                text[match.start() : match.end()],
                lower[match.end() : after.start()] if after else "",
            )
        )
    return out


def papers(directory: str, taken: Container[str]) -> list[tuple[str, str]]:
    """(spelling, key) of each paper: its key, its short name, and that without a trailing number
    when it is the only one such, and no name that is taken.

    Only the first bytes of each file are read: they hold the names.
    """
    named: list[tuple[str, str, str]] = []
    for name in sorted(os.listdir(directory)):
        if name.endswith(".json"):
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                head = file.read(400)
            key, short = (re.search(rf'"{field}": *"([^"]+)"', head) for field in ("key", "short"))
            if key:
                named.append(
                    (key[1], short[1] if short else key[1], fold(short[1] if short else key[1]))
                )
    spelled = {form: key for key, _, form in named} | {fold(key): key for key, _, _ in named}
    stems: dict[str, set[str]] = {}
    for key, _, form in named:
        for stem in (re.sub(r"[\d.]+$", "", form), form.removesuffix("blogs")):
            if stem and stem not in spelled and stem not in taken:
                stems.setdefault(stem, set()).add(key)
    spelled |= {
        stem: next(iter(keys)) for stem, keys in stems.items() if len(keys) == 1 and len(stem) > 3
    }
    return list(spelled.items())
