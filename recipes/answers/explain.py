"""`explain`: what a term means, or what the registry holds of a component.

In: a word and the vocabulary. Out: an Explained. Terms: registry/glossary.json; facts are the
registry's own, with its source. Does not print.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..library import Library
from ..terms.axes import COMPONENTS
from ..terms.vocabulary import UnknownName, Vocabulary, fold, nearest

# Of a record, in this order; what a component is, not how it was found out.
FACTS = (
    "kind",
    "class",
    "objective",
    "params",
    "params_b",
    "params_vision_tower",
    "patch_size",
    "native_resolution",
    "visual_tokens_rule",
    "params_formula",
    "context",
    "mmlu",
    "release",
    "license",
    "hf_id",
    "arxiv",
    "source",
)


class Explained(NamedTuple):
    """kind: term, encoder, connector, llm, data, benchmark, family, model. facts: field -> value.
    papers: whose tables vary it. command: what tells more.
    """

    name: str
    kind: str
    meaning: str | None
    facts: Mapping[str, object]
    papers: tuple[str, ...]
    command: str | None


def answer(library: Library, text: str) -> tuple[Explained, ...]:
    """All that a word stands for, terms first. Raises UnknownName."""
    words = library.words
    found = [one for one in (term(words, text),) if one]
    for axis in COMPONENTS:
        try:
            slug = words.resolve(axis, text).slug
        except UnknownName:
            continue
        found.append(component(library, axis, slug))
    found += named(words, text)
    if not found:
        known = {fold(t): t for t in terms(words)}
        raise UnknownName("term", text, nearest(text, known))
    return tuple(found)


def terms(words: Vocabulary) -> dict[str, dict]:
    """Term, or another name of it -> its entry."""
    out = {}
    for entry in words.registry("glossary")["terms"]:
        for name in (entry["term"], *entry.get("also", ())):
            out[name] = entry
    return out


def term(words: Vocabulary, text: str) -> Explained | None:
    """A term of the answers."""
    folded = {fold(name): entry for name, entry in terms(words).items()}
    entry = folded.get(fold(text)) or folded.get(fold(text.removesuffix("s")))
    return entry and Explained(entry["term"], "term", entry["meaning"], {}, (), None)


def component(library: Library, axis: str, slug: str) -> Explained:
    """What the registry holds of a component, and whose tables vary it."""
    record = library.words.records(axis).get(slug, {})
    facts = {key: record[key] for key in FACTS if record.get(key) not in (None, "", [])}
    papers = tuple(library.posterior.support.get(f"{axis}={slug}", ()))
    command = f"tables find {slug}" if axis != "data" else f"tables show {slug}"
    return Explained(slug, axis, record.get("name"), facts, papers, command)


def named(words: Vocabulary, text: str) -> list[Explained]:
    """A benchmark, a task family, or a released model of this name: other commands tell them."""
    out = []
    try:
        slug = words.benchmark(text)
        record = words.records("benchmark")[slug]
        meaning = record.get("tests") or record["name"]
        out.append(Explained(slug, "benchmark", meaning, {}, (), f"benchmarks {slug}"))
    except UnknownName:
        pass
    families = words.records("family")
    if fold(text) in {fold(name) for name in families}:
        name = next(name for name in families if fold(name) == fold(text))
        core = ", ".join(families[name]["core"])
        out.append(
            Explained(name, "family", f"benchmarks: {core}", {}, (), f"benchmarks --tasks {name}")
        )
    return out
