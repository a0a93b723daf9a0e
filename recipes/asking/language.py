"""The words of a question: tables/registry/language.json -> what each word or phrase stands for.

In: the registry file. Out: Language, which finds the longest phrase at a place of a sentence: a
concept, a part of a recipe, a state, or a word of the closed list that may be dropped. Inflections
are found by rule. `problems` is what `check` holds the file to. Knows no command.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

LONGEST = 6  # words of a phrase


class Concept(NamedTuple):
    """What several words stand for: `frames` maps a reading to (weight, kinds of which one must be
    in the sentence); `beside`: such kinds for all readings; `ask`: what to type instead.
    """

    name: str
    frames: Mapping[str, tuple[float, tuple[str, ...]]]
    beside: tuple[str, ...]
    ask: str


class Phrase(NamedTuple):
    """A phrase found: its kind (concept, axis or state), its value, and how many words it has."""

    kind: str
    value: str
    size: int


def bases(word: str) -> Iterator[str]:
    """A word and what it may be an inflection of: worse -> worse; paying -> paying, pay, paye."""
    yield word
    for ending in ("s", "es", "ed", "d", "ing", "er"):
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3:
            continue
        yield stem
        if ending in ("ed", "ing"):
            yield stem + "e"
            if stem[-1] == stem[-2]:
                yield stem[:-1]
            if stem[-1] == "y" or ending == "ed" and stem[-1] == "i":
                yield stem[:-1] + "y"
    if word.endswith("ies"):
        yield word[:-3] + "y"


def split(text: str) -> list[str]:
    """The words of a phrase, as a sentence is split."""
    return re.findall(r"[a-z0-9]+(?:[.*][a-z0-9]+)*|->|[^\s\w,\-]", text.lower())


class Language:
    """The registry's words, by the first word of each phrase."""

    def __init__(self, data: Mapping):
        self.data = data
        self.function = frozenset(data["function_words"].split())
        self.not_names = frozenset(data["not_names"].split())
        self.units = {w: unit for unit, said in data["units"].items() for w in said.split()}
        self.signs = {name: tuple(said.split(", ")) for name, said in data["signs"].items()}
        self.numbers: Mapping[str, int] = data["numbers"]
        self.concepts: dict[str, Concept] = {}
        self.phrases: dict[str, list[tuple[list[str], str, str]]] = {}
        for kind in ("axes", "states"):
            for value, said in data[kind].items():
                self._admit(said, "axis" if kind == "axes" else "state", value)
        for line in data["concepts"]:
            frames = {}
            for part in line["frames"].split():
                frame, weight, *beside = part.split(":")
                frames[frame] = float(weight), tuple(beside[0].split(",")) if beside else ()
            self.concepts[line["name"]] = Concept(
                line["name"], frames, tuple(line.get("with", "").split()), line.get("ask", "")
            )
            self._admit(line["words"], "concept", line["name"])
        for found in self.phrases.values():
            found.sort(key=lambda phrase: -len(phrase[0]))
        # what a misspelling may have meant, and what no misspelling is
        self.known = (
            self.function | {w for found in self.phrases.values() for p in found for w in p[0]}
        ) | frozenset(self.units)
        # words of statements, which claims are searched for
        self.stated = frozenset(" ".join([*data["openings"], *data["alike"]]).split())

    def _admit(self, said: str, kind: str, value: str) -> None:
        """Know the phrases of one value."""
        for text in said.split(","):
            words = split(text)
            self.phrases.setdefault(words[0], []).append((words, kind, value))

    def find(self, texts: Sequence[str], i: int) -> Phrase | None:
        """The longest phrase that begins at i, or None."""
        best: Phrase | None = None
        for base in bases(texts[i]):
            for words, kind, value in self.phrases.get(base, ()):
                size = len(words)
                if best and size <= best.size:
                    break
                if i + size <= len(texts) and all(
                    word in bases(text)
                    for word, text in zip(words[1:], texts[i + 1 : i + size], strict=True)
                ):
                    best = Phrase(kind, value, size)
        return best

    def knows(self, word: str) -> bool:
        """Whether a word is one of the language, in whatever inflection."""
        return word in self.stated or any(base in self.known for base in bases(word))


def problems(data: Mapping) -> Iterator[tuple[str, str]]:
    """(place, what is wrong) of a language file: phrases that mean two things, concepts without a
    consequence, function words that are also a concept.
    """
    language = Language(data)
    seen: dict[str, str] = {}
    for found in language.phrases.values():
        for words, _, value in found:
            text = " ".join(words)
            if seen.setdefault(text, value) != value:
                yield f"words/{text}", f"means {seen[text]} and {value}"
            if len(words) == 1 and words[0] in language.function:
                yield f"words/{text}", f"is a function word and means {value}"
    for name, concept in language.concepts.items():
        if not concept.frames and not concept.ask:
            yield f"concepts/{name}", "no reading takes it, and it has no `ask`"
        beside = {*concept.beside, *(b for _, needs in concept.frames.values() for b in needs)}
        for other in sorted(b for b in beside if b[0] == "@" and b[1:] not in language.concepts):
            yield f"concepts/{name}", f"stands beside {other}, which is no concept"
    for name, said in language.signs.items():
        if not all(word.strip() for word in said):
            yield f"signs/{name}", "has an empty word"
    for before, between, _ in data["directions"]:
        for marker in (before, between):
            if marker and marker not in language.concepts and not language.knows(split(marker)[0]):
                yield f"directions/{marker}", "is neither a concept nor a known word"
