"""A question -> the argv it becomes, or its several readings, or why it cannot be read.

In: a sentence and the vocabulary. Out: one Reading, or several when the sentence can mean several
things. Every frame tries the sentence; one is out when a name or a concept is left that it does not
take; of the others the one counts that the concepts speak for most. Raises QuestionError: the word
that no reading takes, and what to type instead. Never a guess.
"""

import functools
import re
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from ..base.errors import Refused
from ..terms.axes import COMPONENTS
from ..terms.vocabulary import UnknownName, Vocabulary, distance
from . import arithmetic, changes, choices, finding, slots, statements
from .language import Language
from .lexicon import Lexicon, atoms
from .sentence import Draft, Sentence, Token, Unfit, compose


class QuestionError(Refused):
    """A sentence that cannot be read; the message ends with the nearest question that can."""


class Frame(NamedTuple):
    """A kind of question: its builder, and an example that it reads."""

    build: Callable[[Draft], list[list[str]]]
    example: str


class Reading(NamedTuple):
    """One meaning of a question: how much speaks for it, its argv, and what was assumed."""

    score: float
    argv: tuple[str, ...]
    assumed: tuple[str, ...]


FRAMES = {
    "swap": Frame(changes.swap, "swap CLIP for SigLIP on 7B"),
    "schedule": Frame(changes.schedule, "should I freeze the LLM for documents"),
    "rank": Frame(choices.rank, "which encoder is best for charts"),
    "versus": Frame(choices.versus, "does resolution matter more than the encoder"),
    "moves": Frame(choices.moves, "what moves DocVQA most"),
    "pick": Frame(
        choices.pick, "pick a recipe for a mobile UI agent on a 2B LLM under 300 ms on Orin"
    ),
    "ablate": Frame(choices.ablate, "what should I ablate first for charts at 80%"),
    "design": Frame(choices.design, "how many runs do I need to compare CLIP and SigLIP"),
    "curve": Frame(choices.curve, "are more visual tokens worth it for charts"),
    "models": Frame(finding.models, "which open model under 8B reads documents best"),
    "card": Frame(finding.card, "what does Qwen2.5-VL-7B score on DocVQA"),
    "find": Frame(finding.find, "what does Cambrian say about DINOv2 on MMMU"),
    "show": Frame(finding.show, "show Table 11 of Cambrian-1"),
    "mixes": Frame(finding.mixes, "which data mixes contain DocVQA"),
    "list": Frame(finding.listed, "which papers do you know"),
    "claims": Frame(finding.claim_ids, "claim L07"),
    "bench": Frame(finding.benchmark, "how noisy is MMMU"),
    "noise": Frame(finding.noise, "I get 57 on TextVQA, the paper says 58.2: is that noise"),
    "check": Frame(finding.consistency, "check the tables"),
    "backtest": Frame(finding.backtest, "how accurate are you"),
    "explain": Frame(finding.explain, "what is a Q-Former"),
    "cost": Frame(arithmetic.cost, "can I fine-tune a 7B on one 4090"),
    "latency": Frame(arithmetic.latency, "latency of a 7B with 2880 tokens on L4"),
    "tokens": Frame(arithmetic.tokens, "how many tokens is a 1024x768 image in Qwen2-VL"),
    "export": Frame(arithmetic.export, "export SigLIP + Qwen2-7B to LLaVA"),
}
# Frames that ask the same of an existing model and of a recipe to train: both are shown.
RIVALS = ({"models", "pick"}, {"latency", "pick"})
MARGIN = 0.9
# Frames that answer about the default baseline, so that its name says nothing more.
OF_BASELINE = frozenset("swap schedule rank versus moves curve ablate".split())


@functools.lru_cache(maxsize=4)
def language(words: Vocabulary) -> Language:
    """The registry's language, built once."""
    return Language(words.registry("language"))


@functools.lru_cache(maxsize=8)
def lexicon(words: Vocabulary, extra: frozenset[str]) -> Lexicon:
    """The lexicon of a vocabulary, built once; extra: registries that few questions need."""
    return Lexicon(words, language(words), extra)


def accepts(frame: str, token: Token, draft: Draft) -> float | None:
    """How much a concept speaks for a frame; None: the frame does not take it."""
    concept = draft.sentence.language.concepts[token.value]
    kinds = {r.kind for t in draft.sentence.names() for r in t.readings}
    kinds |= {"@" + name for name in draft.sentence.concepts()}
    if concept.beside and not kinds & set(concept.beside):
        return None
    if frame not in concept.frames:
        return None
    weight, beside = concept.frames[frame]
    return None if beside and not kinds & set(beside) else weight


def attempt(name: str, sentence: Sentence) -> tuple[float, list[Reading], list[Token], str]:
    """(what speaks for it, readings, words that it does not take, why not) of one frame."""
    draft = Draft(sentence, name)
    why, built = "", []
    if name in OF_BASELINE:  # in LLaVA: what is held anyway
        named = draft.of("paper", "model", "counter")
        draft.take(*(t for t in named if slots.is_baseline(t) and not t.get(*COMPONENTS)))
    try:
        built = FRAMES[name].build(draft)
    except (Unfit, UnknownName) as error:
        why = str(error)
        if not why:
            return 0, [], [], ""
    score, refused, seen = draft.bonus, [], set()
    for token in sentence.tokens:
        if token.kind != "concept" or token.place in draft.used:
            continue
        weight = accepts(name, token, draft)
        if weight is None:
            refused.append(token)
        elif token.value not in seen:
            seen.add(token.value)
            score += weight
    refused += draft.left() if built else []
    readings = [Reading(score, tuple(a), (*meant(draft, a), *draft.notes)) for a in built]
    return score, readings, refused, why


def meant(draft: Draft, argv: list[str]) -> list[str]:
    """Names of a family for which its usual member was taken, as the argv has it."""
    has = set(re.split(r"[,=+@\s]", " ".join(argv)))
    families = [t for t in draft.sentence.names() if t.get("usual") in has]
    return [f"{t.text}: {t.get('usual')}" for t in families if t.place not in draft.whole]


def passes(text: str, words: Vocabulary) -> list[frozenset[str]]:
    """With which registries beside the components' a sentence is read, in this order."""
    said = set(re.findall(r"[a-z]+", text.lower()))
    extra = frozenset(
        name
        for name, marks in (
            ("targets", {"export", "config", "script", "yaml", "configuration"}),
            ("datasets", {"contain", "contains", "containing", "mixes", "mixtures"}),
        )
        if said & marks
    )
    found = [extra]
    if re.search(language(words).data["model_names"].replace(" ", "|"), text, re.I):
        items = lexicon(words, extra).read(text)
        sized = any(a.value("paper", "counter") and b.value("size") for a, b in pairwise(items))
        found = [extra | {"models"}, extra] if sized else [extra, extra | {"models"}]
    held = said & {"in", "have", "has"}  # is DVQA in FineVision
    return [*found, extra | {"datasets"}] if held and "datasets" not in extra else found


def read(text: str, words: Vocabulary) -> list[Reading]:
    """The readings of a question, the likelier first. Raises QuestionError."""
    known, failed = language(words), None
    said = [atom.text for atom in atoms(text, known.data["rewrite"])]
    said = [word for word in said if word not in known.signs["courtesy"]]
    if term := finding.term_asked(said, known, words):
        return [Reading(9, ("explain", term), ())]
    for extra in passes(text, words):
        items = lexicon(words, extra).read(text)
        stated = statements.read(items, words, lexicon(words, extra))
        if stated:
            if stated[0]:
                return [Reading(9, tuple(argv), ()) for argv in stated[0]]
            items = stated[1]
        spelled = " ".join(item.text for item in items)
        sentence = compose(items, spelled, known, words)
        found, why = decide(sentence)
        none = ("no audited claim says that (claims lists them)",) if stated else ()
        if found:
            return [reading._replace(assumed=none + reading.assumed) for reading in found]
        why = none[0] if stated else why
        failed = failed or (sentence, why)
        if any(t.get("model") for t in sentence.names()):
            failed = (sentence, why)
    raise refusal(*failed)


def decide(sentence: Sentence) -> tuple[list[Reading], str]:
    """(the best readings, why there is none)."""
    if any(token.kind == "unknown" for token in sentence.tokens):
        return [], ""
    fits, near = {}, []
    for name in FRAMES:
        score, readings, refused, why = attempt(name, sentence)
        if readings and not refused:
            fits[name] = readings
        elif readings or why:
            near.append((score - 2 * len(refused), refused, why))
    if fits:
        best = max(fits, key=lambda name: fits[name][0].score)
        top = list(fits[best])
        for name, readings in fits.items():
            rival = name != best and {name, best} in RIVALS
            if rival and fits[best][0].score - readings[0].score < MARGIN:
                top += [r for r in readings if r.argv not in {one.argv for one in top}]
        return sorted(top, key=lambda one: one.argv[0] == "pick") if len(fits) > 1 else top, ""
    return [], explained(sentence, near)


def explained(sentence: Sentence, near: list[tuple[float, list[Token], str]]) -> str:
    """Why no frame reads a sentence: what the nearest one does not take."""
    asked = [t for t in sentence.tokens if t.kind == "concept"]
    for token in asked:  # what no reading takes
        concept = sentence.language.concepts[token.value]
        if not concept.frames and concept.ask:
            return f"did not understand {token.text!r} here: {concept.ask}"
    if not near:
        return ""
    _, refused, why = max(near, key=lambda one: one[0])
    if why:
        return why
    token = refused[0]
    if token.kind == "concept":
        ask = sentence.language.concepts[token.value].ask
        return f"did not understand {token.text!r} here{': ' + ask if ask else ''}"
    both = f" (a {token.text} LLM, or {token.text} images to train on?)"
    both = both if token.get("size") and token.get("number") else ""
    spelled = token.get("speed", "budget", "latency") or token.text
    return f"did not understand {spelled!r} in that question{both}"


def refusal(sentence: Sentence, why: str) -> QuestionError:
    """The error of a sentence that cannot be read: the reason and one fitting question."""
    unknown = [token for token in sentence.tokens if token.kind == "unknown"]
    units = sentence.language.units
    unknown = [t for t in unknown if t.text not in units] or unknown
    if unknown:
        why = f"did not understand {' '.join(t.text for t in unknown)[:80]!r}"
        why += spelled_like(unknown[0].text, sentence)
        asks = [sentence.language.concepts[name] for name in sorted(sentence.concepts())]
        why += "".join(f" ({c.ask})" for c in asks if not c.frames and c.ask)
    elif not why:
        why = f"cannot read {sentence.text[:80]!r} as one question"
    return QuestionError(f"{why}; the nearest question I can answer: {suggestion(sentence)}")


def spelled_like(text: str, sentence: Sentence) -> str:
    """Known spellings near a word, in brackets, or nothing."""
    if len(text) < 4:
        return ""
    names = lexicon(sentence.words, frozenset()).names
    apart = {
        known: distance(text, known, 2)
        for known in (*names, *sentence.language.known)
        if len(known) > 3 and abs(len(known) - len(text)) < 3
    }
    near = sorted((far, known) for known, far in apart.items() if far <= 2)[:3]
    return f" (nearest known: {', '.join(known for _, known in near)})" if near else ""


def suggestion(sentence: Sentence) -> str:
    """A question near to one that cannot be read: itself without the words that no reading takes,
    or with the word for what may be asked of its names; at last the example of the frame that its
    words and names speak for most.
    """
    known = placed(sentence, [t for t in sentence.tokens if t.kind != "unknown"])
    smaller = known
    for _ in range(3):
        found = decide(smaller)[0]
        if found and len(smaller.tokens) >= 2:
            return shlex_join(found[0].argv)
        dropped = least_wanted(smaller)
        if dropped is None:
            break
        smaller = without(smaller, dropped)
    for token in reversed(known.names()):  # 7B too many
        if len(known.names()) > 1 and (found := decide(without(known, token))[0]):
            return shlex_join(found[0].argv)
    refused = [t for t in known.tokens if t.kind == "concept"]
    for some in (known, *(without(known, token) for token in refused)):
        if found := completed(some):
            return shlex_join(found.argv)
    scores = {name: 0.0 for name in FRAMES}
    for name in sentence.concepts():
        for frame, (weight, _) in sentence.language.concepts[name].frames.items():
            if frame in scores:
                scores[frame] += weight
    kinds = {r.kind for t in sentence.names() for r in t.readings}
    scores["swap"] += 1.0 * bool(kinds & {*COMPONENTS})
    scores["card"] += 3.0 * ("model" in kinds)
    scores["bench"] += 1.0 * ("benchmark" in kinds)
    scores["pick"] += 1.5 * bool(kinds & {"family", "budget", "latency", "speed"})
    scores["latency"] += 1.0 * bool(kinds & {"hardware", "gpus", "memory"})
    scores["rank"] += 1.0 * ("axis" in kinds)
    return FRAMES[max(scores, key=scores.get)].example


# What may be asked of names that stand without a verb, in the order in which it is tried.
VERBS = ("recipe", "speed", "costs", "best", "swap")


def completed(sentence: Sentence) -> Reading | None:
    """A sentence of names alone with the first word that makes it a question."""
    if not sentence.names():
        return None
    for verb in VERBS:
        asked = placed(sentence, [Token(verb, "concept", 0, value=verb), *sentence.tokens])
        if found := decide(asked)[0]:
            return found[0]
    return None


def placed(sentence: Sentence, tokens: list[Token]) -> Sentence:
    """The sentence of these tokens."""
    return sentence._replace(tokens=tuple(t._replace(place=i) for i, t in enumerate(tokens)))


def without(sentence: Sentence, gone: Token) -> Sentence:
    """The sentence without one token."""
    return placed(sentence, [t for t in sentence.tokens if t.place != gone.place])


def least_wanted(sentence: Sentence) -> Token | None:
    """The token that the nearest frame does not take."""
    near = []
    for name in FRAMES:
        score, readings, refused, _ = attempt(name, sentence)
        if readings and refused:
            near.append((2 * len(refused) - score, name, refused[0]))
    return min(near, key=lambda n: n[:2])[2] if near else None


def shlex_join(argv: tuple[str, ...]) -> str:
    """A command as it is typed."""
    import shlex

    return shlex.join(argv)
