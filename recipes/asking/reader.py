"""A question -> the argv it becomes, or its several readings, or why it cannot be read.

In: a sentence and the vocabulary. Out: Readings: one argv, or several when the sentence can mean
several things. Raises
QuestionError: what was not understood, what is nearest, and the nearest question that can be
answered. Never a guess.
"""

import functools
import re
from itertools import pairwise

from ..base.errors import Refused
from ..terms.vocabulary import UnknownName, Vocabulary, distance
from . import changes, finding, flags, statements, training
from .grammar import Form, Unfit, grammar_words, match
from .lexicon import Item, Lexicon
from .modifiers import DROPPED, FILL, spaced

# The first form that accounts for every word counts: narrow ones stand before wide ones.
ORDER = spaced(
    "one-table listed claim-ids models-named schedule swap swap-than swap-worse swap-add swap-drop"
    " swap-state sizes evidence backtest benchmark tokens cost latency component design ablate"
    " curve swap-alone pick models vlm"
)
FORMS: tuple[Form, ...] = tuple(
    sorted(
        (*changes.FORMS, *finding.FORMS, *training.FORMS), key=lambda form: ORDER.index(form.name)
    )
)
# Beginnings of names of released models: only then is their registry (the largest file) read.
MODELS = re.compile(
    r"vl\b|vlm|llava|qwen|intern|molmo|gemma|phi|smol|pixtral|idefics|cpm|deepseek|ovis|vila|cog|glm|kimi|gpt|claude|gemini|llama"
    r"|moondream|aria|cambrian|prism|mm1|blip|mimo|vision",
    re.I,
)
EXTRA = (
    "does SigLIP help with charts",
    "freeze or unfreeze the encoder",
    "best open model for charts under 8B",
    "is it true that the connector does not matter",
    "LoRA vs full fine-tuning for documents",
    "does a second epoch help",
    "swap 7B for 13B",
    "replace the MLP with a Q-Former",
    "what do I lose if I drop DINOv2 from SigLIP+DINOv2",
)


class QuestionError(Refused):
    """A sentence that cannot be read; the message ends with the nearest question that can."""


def examples() -> tuple[str, ...]:
    """One question per form, each of which can be asked as it stands."""
    return (*(form.example for form in FORMS), *EXTRA)


def closest(text: str, questions: tuple[str, ...]) -> str:
    """The question that shares most words with a text; words that carry a request count more."""

    def split(sentence: str) -> set[str]:
        return {word.removesuffix("s") for word in re.findall(r"[\w.+-]+", sentence.lower())}

    asked = split(text)
    weight = {word: 0.2 if {word, word + "s"} & (FILL | DROPPED) else 1.0 for word in asked}

    def score(example: str) -> float:
        shared = asked & split(example)
        return (
            sum(weight[word] for word in shared) / (3 + len(split(example))) ** 0.5
            if max((weight[word] for word in shared), default=0) == 1
            else 0.0
        )

    return max(questions, key=lambda example: (score(example), -questions.index(example)))


@functools.lru_cache(maxsize=8)
def lexicon(words: Vocabulary, models: bool) -> Lexicon:
    """The lexicon of a vocabulary, built once."""
    return Lexicon(words, grammar_words(FORMS) | statements.WORDS, models)


def passes(items: list[Item], sentence: str) -> tuple[bool, ...]:
    """With which lexicons to read a sentence: without released models, with them, or (a paper's
    name before a size) with them first.
    """
    if any(a.value("paper", "counter") and b.value("size") for a, b in pairwise(items)):
        return True, False
    return (False, True) if MODELS.search(sentence) else (False,)


# Kinds of quantities: one that no form takes is named, those first that fewest forms take.
QUANTITIES = (
    "budget",
    "speed",
    "images",
    "samples",
    "latency",
    "memory",
    "gpus",
    "count",
    "duration",
    "seeds",
    "points",
    "percent",
    "number",
    "tokens",
    "px",
    "size",
)


def misplaced(items: list[Item]) -> str | None:
    """The quantity without which a sentence could be read, if there is one."""
    found = [
        (QUANTITIES.index(item.readings[0].kind), i)
        for i, item in enumerate(items)
        if item.readings and item.readings[0].kind in QUANTITIES
    ]
    for kind, i in sorted(found)[:4]:
        for end in (i + 1, i + 2):  # 3 epochs: the word behind a number may be its unit
            if any(match(form, [*items[:i], *items[end:]]) for form in FORMS):
                both = (
                    f" (a {items[i].text} LLM, or {items[i].text} images to train on?)"
                    if items[i].value("size") and items[i].value("number")
                    else ""
                )
                return (
                    repr(
                        items[i].readings[0].value
                        if kind < QUANTITIES.index("gpus")
                        else " ".join(item.text for item in items[i:end])[:80]
                    )
                    + both
                )
    return None


def read(sentence: str, words: Vocabulary, home: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The argv that a question becomes; several when it can mean several things. Raises
    QuestionError.
    """
    trouble: list[str] = []
    unknown: list[Item] = []
    for models in passes(lexicon(words, False).read(sentence), sentence):
        items = [
            item
            for item in lexicon(words, models).read(sentence)
            if item.text not in DROPPED or item.readings
        ]
        if not items:
            break
        stated = statements.read(items, words, lexicon(words, False))
        if stated:
            found, items = stated
            if found:
                return found
            trouble.append("no audited claim says that (claims lists them)")
        unknown = [item for item in items if not item.known and not item.readings]
        if unknown:
            continue
        for form in FORMS:
            fit = match(form, items)
            if fit is None:
                continue
            try:
                readings = form.build(fit, words)
                flags.check_sides(fit)
                if fit.unused():
                    raise Unfit(f"{readings[0][0]} has no place for {', '.join(fit.unused())}")
                return readings
            except (Unfit, UnknownName) as error:
                trouble += [str(error)] if str(error) else []
    hint = f"the nearest question I can answer: {closest(sentence, (*home, *examples()))}"
    if unknown:
        left = " ".join(item.text for item in unknown)
        text = unknown[0].text
        apart = {
            spelling: distance(text, spelling, 2)
            for spelling in (*lexicon(words, False).names, *lexicon(words, False).known)
            if len(text) > 3 and len(spelling) > 3
        }
        near = list(
            dict.fromkeys(
                spelling
                for spelling in sorted(apart, key=lambda s: (apart[s], s))
                if apart[spelling] <= 2
            )
        )[:3]
        raise QuestionError(
            "did not understand"
            f" {left[:80]!r}{' (nearest known: ' + ', '.join(near) + ')' if near else ''}; {hint}"
        )
    if trouble:
        raise QuestionError(f"{trouble[0]}; {hint}")
    lost = misplaced(items)
    if lost:
        raise QuestionError(f"did not understand {lost} in that question; {hint}")
    raise QuestionError(f"cannot read {sentence[:80]!r} as one question; {hint}")
