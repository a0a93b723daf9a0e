"""Numbers with units in a sentence -> what each may mean, in the form that flags take.

In: the atoms of a sentence and a place among them. Out: the readings of the quantity that begins
there and how many atoms it has; money, speeds and numbers of images as units.py spells them. A rate
of anything else (10 images/s), a negative number and a decimal comma are quantities that no flag
has: they are unknown. Knows no sentence.
"""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from ..terms import units
from ..terms.vocabulary import Vocabulary
from .language import Language

ONE = frozenset(word for word, count in units.COUNTS.items() if count == 1)
SPANS = r"hours?|hrs?|h|days?|d|weeks?|months?"
RATED = frozenset(
    "budget speed latency memory images samples tokens px gpus count duration".split()
)
# A thousand of what: a scale behind a number belongs to it, and is refused where no flag takes it.
SCALES = {"k": "K", "m": "M", "t": "T", "thousand": "K", "million": "M", "trillion": "T"}
SCALED = ("images", "samples", "flop", "ms", "s")
MARK = "\x01"  # stands for a device while GPUs, hours and days are looked for
# What a small LLM is: MM1's ablations, of which the question is asked, have one of 2.9B
# (mm1.table1).
SMALL = "3B"
# unit (language.json) -> the kind of a reading, and its value from number and scale
FORMS = {
    "size": ("size", "{}B"), "tokens": ("tokens", "{}"), "px": ("px", "{}"),
    "gb": ("memory", "{}GB"), "mb": ("memory", "{} MB"), "tb": ("memory", "{} TB"),
    "ms": ("latency", "{}{} ms"), "s": ("latency", "{}{} s"), "%": ("percent", "{}%"),
    "points": ("points", "{}"), "images": ("images", "{}{} images"),
    "samples": ("samples", "{}{} images"), "flop": ("budget", "{}{} FLOP"),
    "zflop": ("budget", "{} ZFLOP"), "eflop": ("budget", "{} EFLOP"),
    "hours": ("duration", "{} hours"), "days": ("duration", "{} days"),
    "weeks": ("duration", "{} weeks"), "months": ("duration", "{} months"),
    "gpus": ("count", "{}"), "seeds": ("seeds", "{}"),
}  # fmt: skip


class Reading(NamedTuple):
    """One meaning: a kind (encoder, size, latency …) and its value in the form that flags take."""

    kind: str
    value: str


class Found(NamedTuple):
    """The readings of a quantity (none: no flag has it), and how many atoms it is."""

    readings: tuple[Reading, ...]
    size: int


class Quantities:
    """The quantities of a vocabulary's sentences."""

    def __init__(self, words: Vocabulary, language: Language):
        self.units, rated = language.units, language.data["rated"]
        self.rated = {kind: frozenset(said.split()) for kind, said in rated.items()}
        self.devices: dict[str, str] = {}  # without hyphens -> as people call it
        self.spelled: set[str] = set()
        for slug, record in words.records("hardware").items():
            short = (record.get("aliases") or [slug])[0]
            for name in (slug, *record.get("aliases", ()), record.get("name", "")):
                if name and name.lower() not in language.not_names:
                    self.devices[_flat(name)] = short
                    self.spelled.add(name.lower())

    @functools.cached_property
    def device(self) -> re.Pattern:
        """Any device, as people spell it."""
        spelled = sorted(self.spelled, key=lambda name: (-len(name), name))
        parts = (r"[-\s]*".join(re.findall(r"[a-z]+|[\d.]+", name)) for name in spelled)
        return re.compile(rf"(?:(?<![a-z0-9])|(?<=\dx))(?:{'|'.join(parts)})s?(?![a-z0-9])", re.I)

    @functools.cached_property
    def patterns(self) -> list[tuple[str, str, str]]:
        """(kind, pattern, form) of what more than a number and its unit makes. A device is a run of
        MARK.
        """
        dev = rf"(?P<dev>{MARK}+)"
        number = f"(?P<n>{units.DIGITS[1:]}" + r"\s*(?P<k>thousand|million|k|m)?(?![a-z])"
        counts = "|".join(units.COUNTS)
        count = rf"(?P<c>\d{{1,5}}|(?:{counts})(?![a-z]))"
        time = rf"(?P<t>(?:\d+(?:\.\d+)?|(?:{counts})(?![a-z]))[-\s]*(?:{SPANS}))(?![a-z])"
        gpus = rf"{count}\s*(?:x\s*|\*\s*)?{dev}(?:\s+(?:gpus?|node|cards?)(?![a-z]))?"
        span = rf"(?P<s>{SPANS})(?![a-z])"
        gpu_hours = rf"{number}\s*gpu[-\s]*{span}"
        return [
            ("budget", rf"{gpus},?\s+(?:for|during)\s+{time}", "{c}x{dev} for {t}"),
            ("budget", rf"{time}\s+(?:on|with|of)\s+(?:an?|one)\s+{dev}", "1x{dev} for {t}"),
            ("budget", rf"{number}\s*{dev}[-\s]*(?:gpu[-\s]*)?{span}", "{n}{k} {dev}-{s}"),
            ("budget", rf"{gpu_hours}\s+(?:on|of)\s+(?:an?\s+)?{dev}", "{n}{k} {dev}-{s}"),
            ("budget", gpu_hours, "{n}{k} GPU-{s}"),
            ("budget", rf"{number}\s*gpus\s+(?:for|during)\s+{time}", "{n} GPUs for {t}"),
            ("gpus", gpus, "{c} {dev}"),
            ("duration", time, "{t}"),
        ]

    def find(self, atoms: Sequence, i: int) -> Found | None:
        """The quantity from i. None: there is none."""
        text = atoms[i].text
        ahead = [atom.text for atom in atoms[i + 1 : i + 4]] + ["", "", ""]
        if text.isdecimal() and atoms[i].gap == "," and re.match(r"\d{1,2}(?!\d)", ahead[0]):
            return Found((), 2)  # 1,5
        if i and text[0].isdecimal() and re.search(r"\s-$", atoms[i - 1].gap):
            return Found((), 1)  # -300
        if re.fullmatch(r"[lrd]\d\d", text):
            return Found((Reading("claim", text.upper()),), 1)
        if i and re.fullmatch(r"\d{1,2}[a-z]?", text):
            if atoms[i - 1].text in ("table", "tab", "figure", "fig", "section"):
                return Found((Reading("label", text),), 1)
        if text == "half" and ahead[0] not in ("a", "the", ""):
            return Found((Reading("percent", "50%"),), 1)
        if text == "small" and ahead[0] in ("llm", "llms"):
            return Found((Reading("size", SMALL),), 2)
        if not (text[0].isdecimal() or text[0] in "$u" or text in units.COUNTS):
            return None
        glued = re.fullmatch(r"\d+(?:\.\d+)?([a-z]+)", text)
        if glued and self.units.get(glued[1]) in ("size", "gb", "mb", "tb", "px"):
            found = self._plain(atoms, i)  # 7B, 24GB: nothing else begins so
            kind = found.readings[0].kind if found.readings else None
            return kind in RATED and self._rate(atoms, i, found.size, kind) or found
        found = self._spelled(atoms, i) or self._composed(atoms, i) or self._plain(atoms, i)
        kind = found.readings[0].kind if found and found.readings else None
        return kind in RATED and self._rate(atoms, i, found.size, kind) or found

    def _rate(self, atoms: Sequence, i: int, size: int, kind: str) -> Found | None:
        """10 images/s, 24 GB per second, 50 ms per image: a number per something is not that
        number.
        """
        after = [atom.text for atom in atoms[i + size : i + size + 2]]
        times, whole = self.rated[""], self.rated.get(kind, frozenset())
        if after and "/" in atoms[i + size - 1].gap and after[0] in times - whole:
            return Found((), size + 1)
        if len(after) < 2 or after[1] in whole or atoms[i + size].gap.strip("- "):
            return None
        per = after[0] == "per" or after[0] in ("every", "a", "an", "each") and after[1] in times
        return Found((), size + 2) if per else None

    def _composed(self, atoms: Sequence, i: int) -> Found | None:
        """GPUs, their hours, and for how long; an image's sides."""
        rest, ends = _rest(atoms, i)
        sides = re.match(r"(\d{2,6})\s*(?:x|by)\s*(\d{2,6})(?:\s*px)?(?![a-z0-9])", rest, re.I)
        if sides and sides.end() in ends:
            px = [Reading("px", sides[1])] if sides[1] == sides[2] else []
            return Found((Reading("image", f"{sides[1]}x{sides[2]}"), *px), ends[sides.end()])
        marked = self.device.sub(lambda found: MARK * len(found[0]), rest)
        for kind, pattern, form in self.patterns:
            if MARK in pattern and MARK not in marked:
                continue
            match = re.match(pattern, marked, re.I)
            if not match or match.end() not in ends:
                continue
            part = match.groupdict()
            word = (part.get("c") or "").lower()
            if kind == "gpus" and word in ONE:
                continue  # an L4 is a device
            if part.get("dev"):
                said = _flat(rest[match.start("dev") : match.end("dev")])
                part["dev"] = self.devices.get(said) or self.devices[said.removesuffix("s")]
            if word:
                part["c"] = str(units.COUNTS.get(word, word))
            if part.get("t"):
                part["t"] = _time(part["t"])
            if part.get("s"):
                part["s"] = _span(part["s"])
            if part.get("n"):
                part["n"] = re.sub(r"[,_]", "", part["n"])
                part["k"] = SCALES.get((part.get("k") or "").lower(), "")
            return Found((Reading(kind, form.format(**part)),), ends[match.end()])
        return None

    def _spelled(self, atoms: Sequence, i: int) -> Found | None:
        """Money, a decoding speed or a number of images, as a flag takes it; money a month or for
        some GPUs is more than that.
        """
        rest, ends = _rest(atoms, i)
        for kind, pattern in (
            ("budget", units.MONEY),
            ("speed", units.SPEED),
            ("images", units.IMAGES),
        ):
            said = re.match(pattern, rest, re.I)
            if not said:
                continue
            value = said[0].strip()
            size = ends.get(len(said[0].rstrip())) or len(ends)
            if kind == "images":
                suffix, kinds, unit = (said[n] or "" for n in (2, 3, 4))
                if units.letter(suffix) == "b" and (
                    not unit.endswith("s") or unit == "pairs" and not kinds
                ):
                    continue  # a 7B image model
                kind = "images" if "image" in unit and not kinds else "samples"
                number = re.sub(r"[,_]", "", said[1])
                value = f"{number}{units.letter(suffix).upper()} images"
            elif kind == "budget":
                gpu = _flat(said[4] or said[8] or "")
                if gpu and gpu not in ("gpu", "gpus") and gpu not in self.devices:
                    return Found((), size)  # a price per hour of what is no GPU
                on = self._on_device(rest[said.end() :]) if not re.search("at|@", value) else None
                if on:
                    total = ends.get(said.end() + on.end())
                    if on[1] == "per":
                        return Found((), total or size)
                    value, size = f"{value} on {self.devices[_flat(on['dev'])]}", total or size
            return Found((Reading(kind, value),), size)
        return None

    def _on_device(self, rest: str) -> re.Match | None:
        """`on A100` behind money."""
        found = re.match(r"\s*(on|of|per)\s+(?:an?\s+)?(?P<dev>[a-z0-9][\w-]*)", rest, re.I)
        return found if found and _flat(found["dev"]) in self.devices else None

    def _plain(self, atoms: Sequence, i: int) -> Found | None:
        """A number in digits, with the unit behind it if there is one."""
        match = re.fullmatch(units.DIGITS + "([a-z]*)", atoms[i].text)
        if not match or match[2] and match[2] not in self.units and match[2] not in SCALES:
            return None
        value, suffix = re.sub(r"[,_]", "", match[1]), match[2]
        scale, size = SCALES.get(suffix, ""), 1
        after = [atom.text for atom in atoms[i + 1 : i + 5]] + [""] * 4
        if not suffix and after[0] in SCALES and after[0] != "t":
            scale, size = SCALES[after[0]], 2
            after = after[1:]
        unit = self.units.get(suffix)
        if unit is None and (scale or not suffix):
            if atoms[i].gap == "-" and re.fullmatch(r"\d+", after[0]):  # 576-1024 tokens
                seen = after[1] in ("visual", "image")
                high = "tokens" if seen else self.units.get(after[1])
                if high in ("tokens", "px", "size"):
                    reading = Reading("range", f"{high} {value} {after[0]}")
                    return Found((reading,), size + 2 + seen)
            if after[0] in ("visual", "image", "vision") and after[1] in ("tokens", "token"):
                unit, size, after = "tokens", size + 2, after[2:]
            elif after[0] in self.units:
                unit, size, after = self.units[after[0]], size + 1, after[1:]
            elif after[0].startswith("param") and scale == "M":
                unit, size, after = "size", size + 1, after[1:]
        if unit == "size" and after[0].startswith("param"):
            size, after = size + 1, after[1:]
        if scale and unit and unit not in SCALED and (unit, scale) != ("size", "M"):
            return Found((), size)  # 2 thousand tokens, 4K px
        if unit == "size" and self.units.get(after[0]) == "tokens":
            return Found((), size + 1)  # 2B tokens: of training, which no command takes
        if unit:
            kind, form = FORMS[unit]
            form = "{}M" if (unit, scale) == ("size", "M") else form
            return Found((Reading(kind, form.format(value, scale)),), size)
        if suffix and not scale:
            return None
        more = [Reading("size", f"{value}M")] if scale == "M" else []
        return Found((Reading("number", f"{value}{scale}"), *more), size)


def _flat(name: str) -> str:
    """A device's name as devices are compared."""
    return re.sub(r"[^a-z0-9.]+", "", name.lower())


def _rest(atoms: Sequence, i: int) -> tuple[str, dict[int, int]]:
    """The text from an atom on, and where in it atoms end: offset -> how many."""
    text, ends = "", {}
    for n, atom in enumerate(atoms[i : i + 16], 1):
        text += atom.raw
        ends[len(text)] = n
        text += atom.gap
    return text, ends


def _span(text: str) -> str:
    """A unit of time as a budget has it."""
    return "hours" if text.lower()[0] == "h" else "days" if text == "d" else text.lower()


def _time(text: str) -> str:
    """A duration as a budget has it: 24h -> 24 hours, one day -> a day."""
    count, span = re.fullmatch(r"([\d.]+|[a-z]+?)[-\s]*([a-z]+)", text.lower()).groups()
    return f"{'a' if count in ONE else count} {_span(span) if count[0].isdigit() else span}"
