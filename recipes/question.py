"""A sentence in plain words -> the command line that means the same.

In: a question and the vocabulary. Out: Understood (command, argv), or a QuestionError that says which words were not
understood and shows the nearest question that can be answered. Every word must be accounted for: never a guess.
"""
import re
from typing import NamedTuple

from .errors import Refused
from .evidence.vocabulary import UnknownName, Vocabulary, fold, nearest

EXAMPLES = (
    "swap CLIP for SigLIP on 7B",
    "is Q-Former better than MLP at 64 tokens",
    "what do I gain from 336 to 672 px for documents",
    "pick a recipe for a mobile UI agent on a 2B LLM under 300 ms on Orin",
    "what should I ablate first for charts at 80%",
)


class Understood(NamedTuple):
    """The command a sentence became, and its arguments (the command first)."""
    command: str
    argv: tuple[str, ...]


class QuestionError(Refused):
    """A sentence that cannot be read; the message ends with the nearest question that can."""


# Words that carry no request of their own.
FILLER = set("a an the my our your of to in on at and or with for is are be do does i we you it that this please me give "
             "what which whats how much would should could can vlm vlms model models llm recipe recipes one best good better new "
             "vision language whole full get make train training trained build building use using if when go have there some "
             "run small smallest cheap fast first really most image images encoder connector projector backbone tower per "
             "mobile device deployment deployed target need want about now than gain gains lose loses happens change changes "
             "each every benchmark benchmarks task tasks question questions answering understanding work works px".split())

SIZE = r"(\d+(?:\.\d+)?)\s*-?\s*([bm])(?:illion)?\b"
LATENCY = (r"(?:\b(?:in|under|within|below|at most|less than|max|<)\s+)*(\d+(?:\.\d+)?\s*(?:ms|milliseconds?|s|sec|seconds?))\b"
           r"(?:\s+(ttft|first token|total))?(?:\s+(?:on|for)\s+(?:an?\s+|the\s+)?([A-Za-z][\w-]*(?:\s+(?:orin|agx|max|pcie|sxm))*))?")
BUDGET = (r"(?:\b(?:in|under|within|below|at most|less than|with|for|on|a|budget|of|<)\s+)*"
          r"((?:\d[\d,.]*(?:e\+?\d+)?\s*[km]?\s*(?:x\s*)?[a-z]?[\w]*[-\s]*(?:gpu[-\s]*)?hours?)|(?:\d+\s*x\s*[a-z]\w*\s+for\s+(?:an?|\d+)\s*(?:day|hour|week)s?)"
          r"|(?:\d[\d.]*(?:e\+?\d+)?\s*[zep]?flops?)|(?:\d[\d.]*\s*[km]\s*(?:images|samples|examples)))\b(?:\s+budget)?")
MEMORY = r"(?:\b(?:in|under|within|below|fits?|into)\s+)*(\d+(?:\.\d+)?\s*gb)\b(?:\s+(?:of\s+)?(?:memory|vram|ram))?"
LEVEL = r"\b(?:at|with|until|to be)?\s*(\d{1,2}(?:\.\d+)?\s*%)(?:\s+(?:sure|confidence|confident))?"
ITEM = r"(.+?)"
# (pattern over the whole sentence, are the two names in the order to, from?)
FORMS = (
    (r"(?:what (?:happens|changes|do (?:i|we) (?:gain|lose|get)) (?:if|when|from|by) (?:(?:i|we) )?)?(?:swap|swapping|replace|replacing|exchange"
     r"|change|changing|switch|switching|trade|trading|move|moving|go|going)(?: from)? " + ITEM + r" (?:for|with|by|to|into|->|against) (.+)", False),
    (r"(?:what (?:happens|changes|do (?:i|we) (?:gain|lose|get)) )?(?:if i go |going )?from " + ITEM + r" (?:to|->) (.+)", False),
    (r"(?:is|are|would) (?:a |an |the )?" + ITEM + r" (?:be )?(?:really )?(?:better|worse|stronger|weaker) than (.+)", True),
    (r"(?:should (?:i|we) )?(?:use |using |take |try )?" + ITEM + r" (?:instead of|rather than|in place of) (.+)", True),
    (r"(?:compare )?" + ITEM + r" (?:vs\.?|versus|against|->|or) (.+)", False),
    (r"add(?:ing)? " + ITEM + r" to (.+)", None),
)


def understand(sentence: str, words: Vocabulary) -> Understood:
    """Parse one question. Raises QuestionError."""
    text = " ".join(sentence.replace("→", " -> ").replace("’", "'").split()).strip(" ?!.")
    if not text:
        raise QuestionError(f"an empty question; try: {EXAMPLES[0]}")
    if len(text) > 400:
        raise QuestionError(f"a question of {len(text)} characters; at most 400 are read")
    for reader in (_ablate, _pick, _swap):
        understood = reader(text, words)
        if understood:
            return understood
    raise QuestionError(f"cannot read {text[:80]!r}; the nearest question I can answer: {closest(text)}")


def closest(text: str) -> str:
    """The example question that shares most words with a text."""
    asked = set(re.findall(r"\w+", text.lower()))
    return max(EXAMPLES, key=lambda example: (len(asked & set(re.findall(r"\w+", example.lower()))), -EXAMPLES.index(example)))


class _Reader:
    """A text from which recognised phrases are taken out one by one."""

    def __init__(self, text: str, words: Vocabulary):
        self.text, self.rest, self.words = text, f" {text} ", words

    def take(self, pattern: str) -> re.Match | None:
        """Cut the first match of a pattern out of the text."""
        match = re.search(pattern, self.rest, re.I)
        if match:
            self.rest = self.rest[:match.start()] + "  " + self.rest[match.end():]
        return match

    def tasks(self) -> str | None:
        """Take the task families and benchmarks named in the text (longest names first), joined by commas."""
        spellings = {**self.words.spellings("benchmark"), **self.words.spellings("family")}
        tokens = list(re.finditer(r"[\w+*^.-]+", self.rest))
        found, spans, i = [], [], 0
        while i < len(tokens):
            for size in (4, 3, 2, 1):
                group = tokens[i:i + size]
                if len(group) < size:
                    continue
                phrase = self.rest[group[0].start():group[-1].end()]
                slug = spellings.get(fold(phrase)) or (spellings.get(fold(phrase[:-1])) if phrase.endswith("s") else None)
                if slug and not (size == 1 and phrase.lower() in FILLER):
                    found.append(slug)
                    spans.append((group[0].start(), group[-1].end()))
                    i += size - 1
                    break
            i += 1
        for start, end in reversed(spans):
            self.rest = self.rest[:start] + "  " + self.rest[end:]
        return ",".join(dict.fromkeys(found)) or None

    def constraints(self) -> list[str]:
        """Flags for a latency, a budget, memory and an LLM size found in the text."""
        argv: list[str] = []
        if match := self.take(LATENCY):
            argv += ["--latency", " ".join(filter(None, (match[1], match[2], f"on {match[3]}" if match[3] else "")))]
        if match := self.take(BUDGET):
            argv += ["--budget", match[1].strip()]
        if match := self.take(MEMORY):
            argv += ["--memory", match[1].replace(" ", "")]
        if match := self.take(r"(?:\b(?:on|with|under|below|around|about|for)\s+)?(?:an?\s+)?" + SIZE
                              + r"(?:\s+(?:llm|model|parameters|params|language model))?"):
            argv += ["--fix", f"llm_params_b={match[1]}{match[2].upper()}"]
        return argv

    def done(self, command: str, argv: list[str]) -> Understood:
        """The result, unless words are left that nothing accounted for."""
        left = [word for word in re.findall(r"[^\s,;:()'\"]+", self.rest) if word.lower().strip(".-") not in FILLER and word.strip(".->")]
        if left:
            known = {spelling: slug for kind in ("encoder", "connector", "llm", "data", "benchmark", "family")
                     for spelling, slug in self.words.spellings(kind).items()}
            near = nearest(left[0], known)
            raise QuestionError(f"did not understand {' '.join(left)[:80]!r}{' (nearest known: ' + ', '.join(near) + ')' if near else ''}; "
                                f"the nearest question I can answer: {closest(self.text)}")
        return Understood(command, (command, *argv))


def _ablate(text: str, words: Vocabulary) -> Understood | None:
    if not re.search(r"\bablat|\b(?:test|try|vary|measure|experiment with|study)\w*\s+first\b|\bwhich axis\b|\bnext experiment\b", text, re.I):
        return None
    reader = _Reader(text, words)
    while reader.take(r"\b(?:ablat\w*|test|try|vary|measure|experiment|study|axis|axes|order|next)\b"):
        pass
    argv: list[str] = []
    if match := reader.take(LEVEL):
        argv += ["--confidence", match[1].replace(" ", "")]
    limits = reader.constraints()
    argv += [x for i, x in enumerate(limits) if limits[i - i % 2] == "--budget"]
    tasks = reader.tasks()
    return reader.done("ablate", [*(["--tasks", tasks] if tasks else []), *argv])


def _pick(text: str, words: Vocabulary) -> Understood | None:
    verbs = r"(?:please\s+)?(?:pick|recommend|suggest|choose|find|give me|build|design me|i (?:want|need))\b"
    if not re.match(verbs + r"|(?:what|which|what's|best)\b.*\b(?:recipe|vlm)\b|.*\bbest recipe\b", text, re.I):
        return None
    if re.search(r"\b(?:instead of|versus|vs\.?|better than)\b", text, re.I):
        return None
    reader = _Reader(text, words)
    reader.take(r"\b(?:pick|recommend|suggest|choose|find|give me|build|design me)\b")
    argv = reader.constraints()
    if match := reader.take(r"\b(?:on the |in the |for the )?(edge|cloud)\b"):
        argv += ["--deploy", match[1].lower()]
    return reader.done("pick", ["--tasks", reader.tasks() or "balanced", *argv])


def _swap(text: str, words: Vocabulary) -> Understood | None:
    for pattern, turned in FORMS:
        match = re.fullmatch(pattern, text, re.I)
        if not match:
            continue
        second, argv = _modifiers(match[2].strip(), words)
        names = [_strip_article(name) for name in (match[1], second)]
        if turned is None:
            names = [names[1], f"{names[1]}+{names[0]}"]
        elif turned:
            names.reverse()
        try:
            _, a, b = two_names(names[0], names[1], words)
        except UnknownName as error:
            raise QuestionError(f"{error}; the nearest question I can answer: {closest(text)}") from None
        return Understood("swap", ("swap", a, b, *argv))
    return None


def _strip_article(name: str) -> str:
    return re.sub(r"^(?:an?|the|my|our)\s+", "", name.strip(" ,"), flags=re.I)


def _modifiers(text: str, words: Vocabulary) -> tuple[str, list[str]]:
    """Cut trailing modifiers (on 7B, at 64 tokens, at 336 px, for documents, on MMMU) off the second name."""
    argv: list[str] = []
    while True:
        match = re.fullmatch(r"(.+?)\s+(?:on|with|for|in|using)\s+(?:an?\s+|the\s+)?" + SIZE + r"(?:\s+(?:llm|model|language model|scale))?", text, re.I)
        if match:
            text, argv = match[1], ["--on", f"{match[2]}{match[3].upper()}", *argv]
            continue
        match = re.fullmatch(r"(.+?)\s+(?:at|with)\s+(\d+)\s+(?:visual\s+|image\s+)?tokens", text, re.I)
        if match:
            text, argv = match[1], ["--visual-tokens", match[2], *argv]
            continue
        match = re.fullmatch(r"(.+?)\s+at\s+(\d{2,4})\s*(?:px|pixels)?", text, re.I)
        if match and not match[1].isdigit():
            text, argv = match[1], ["--resolution", match[2], *argv]
            continue
        match = re.fullmatch(r"(.+)\s+(?:for|on|in)\s+(.+)", text, re.I)
        if match:
            wanted = [_strip_article(part) for part in re.split(r",|\band\b", match[2]) if part.strip()]
            benchmarks = [words.find("benchmark", part) for part in wanted]
            if all(benchmarks):
                text, argv = match[1], [x for name in benchmarks for x in ("--benchmark", name)] + argv
                continue
            mixes = [words.find("family", part) or name for part, name in zip(wanted, benchmarks)]
            if all(mixes):
                text, argv = match[1], ["--tasks", ",".join(mixes), *argv]
                continue
            llm = words.find("llm", _strip_article(match[2]))
            if llm:
                text, argv = match[1], ["--on", llm, *argv]
                continue
        return text, argv


# Quantities that can be swapped for each other: (pattern, recipe field, canonical form).
QUANTITIES = ((r"(\d+(?:\.\d+)?)\s*b(?:illion)?(?:\s+(?:llm|params|parameters|model))?", "llm_params_b", "{}B"),
              (r"(\d+)\s*(?:visual\s+|image\s+)?(?:tokens?|tok)", "visual_tokens", "{} tokens"),
              (r"(\d{2,5})\s*(?:px|pixels?|p)?", "resolution", "{}px"))
LIKE = {"llm_params_b": (2, 13), "visual_tokens": (64, 144), "resolution": (448, 672)}
STATES = {"frozen": "frozen", "frozenencoder": "frozen", "freezing": "frozen", "unfrozen": "unfrozen", "trained": "unfrozen",
          "unfrozenencoder": "unfrozen", "unfreezing": "unfrozen", "trainedencoder": "unfrozen", "finetuned": "unfrozen"}


def two_names(a: str, b: str, words: Vocabulary) -> tuple[str, str, str]:
    """(field, canonical a, canonical b) of two things that can be swapped for each other.

    Components of one axis, LLM sizes (7B), resolutions (336, 672 px, anyres-672), token counts (64 tokens), frozen and
    unfrozen. Raises UnknownName for the one that is not known on the axis of the other.
    """
    for pattern, field, form in QUANTITIES:
        found = [re.fullmatch(pattern, name.strip(), re.I) for name in (a, b)]
        if field == "visual_tokens" and found[1] and not found[0]:
            found[0] = re.fullmatch(r"(\d+)", a.strip())
        if all(found):
            return field, form.format(found[0][1]), form.format(found[1][1])
        if any(found) and not (field == "resolution" and any(name in words.records("resolution") for name in (a, b))):
            known, other = (a, b) if found[0] else (b, a)
            raise UnknownName(f"{field.replace('_', ' ')} to swap with {known.strip()!r}:", other, (), (form.format(x) for x in LIKE[field]))
    if fold(a) in STATES and fold(b) in STATES:
        return "frozen_encoder", STATES[fold(a)], STATES[fold(b)]
    known = words.records("resolution")
    if all(name in known or re.fullmatch(r"\d{2,5}\s*(?:px)?", name) for name in (a, b)):
        return "resolution", a, b
    failed: UnknownName | None = None
    for axis in ("encoder", "connector", "llm", "data"):
        resolved, missing = [], []
        for name in (a, b):
            try:
                resolved.append(words.resolve(axis, name))
            except UnknownName as error:
                missing.append(error)
        if not missing:
            return axis, *(f"{name.slug}@{name.resolution}" if name.resolution else name.slug for name in resolved)
        if resolved:
            failed = failed or missing[0]
    if failed is None:
        everything = {s: slug for axis in ("encoder", "connector", "llm", "data") for s, slug in words.spellings(axis).items()}
        failed = UnknownName("component", a, nearest(a, everything))
    raise failed
