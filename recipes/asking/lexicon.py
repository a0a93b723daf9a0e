"""A sentence -> items: names, quantities and words, each with what it may mean.

In: text and the vocabulary. Out: Items in the order of the sentence; a name is the longest run of
words that spells one, a quantity a number with its unit (money and speeds as units.py spells them;
a rate of anything else is unknown). A word that is neither, nor one the grammar knows, is corrected
when exactly one known spelling is near; digits are never corrected (qwen2 is not qwen3). Knows no
sentence form.
"""

import os
import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import NamedTuple

from ..terms import units
from ..terms.vocabulary import Vocabulary, distance, fold
from .language import Language

KINDS = ("encoder", "connector", "llm", "data", "benchmark", "family", "hardware")
LONGEST = 7  # words of a name
ATOM = re.compile(
    r"[1-9]\d{0,2}(?:,\d{3})+(?!\d|,\d)|[a-z0-9]+(?:[.*^_×][a-z0-9]+)*\*?|->|>=|<=|[^\W\da-z_]+|[^\s,;:.!?'\"()\[\]{}\-/\\|*_#^`]"
)
NUMBER = re.compile(units.DIGITS + "([a-z]*)")
HOURS = frozenset(("hours", "hour", "h", "hrs", "hr"))
SPANS = frozenset("hours hour hrs day days week weeks weekend month months".split())
# What makes a number of something a rate, behind a slash, `per` or `a`; behind `per` anything does
# but what the quantity is of anyway.
TIMES = (
    SPANS
    | HOURS
    | {
        "s",
        "sec",
        "second",
        "minute",
        "min",
        "token",
        "year",
        "image",
        "frame",
        "picture",
        "page",
        "document",
        "request",
        "query",
        "question",
        "user",
        "call",
        "tile",
        "crop",
        "step",
        "prompt",
    }
)
WHOLE = {
    "latency": {"answer", "response", "reply"},
    "tokens": {"image", "picture", "photo", "screenshot"},
    "images": {"request", "prompt"},
    "memory": {"gpu", "card", "device"},
    "budget": {"run", "training", "recipe", "model", "experiment"},
    "duration": {"run", "training"},
}
RATED = (
    "budget",
    "speed",
    "latency",
    "memory",
    "images",
    "samples",
    "tokens",
    "px",
    "gpus",
    "count",
    "duration",
)
# A thousand of what: a scale behind a number belongs to it, and is refused where no flag takes it.
SCALES = {"k": "K", "m": "M", "t": "T", "thousand": "K", "million": "M", "trillion": "T"}
SCALED = ("images", "samples", "flop", "ms", "s")
# What a small LLM is: MM1's ablations, of which the question is asked, have one of 2.9B
# (mm1.table1).
SMALL = "3B"
ONE = frozenset(word for word, count in units.COUNTS.items() if count == 1)
PLACES = {"table", "tab", "figure", "fig", "section"}


class Reading(NamedTuple):
    """One meaning of an item: a kind (encoder, size, latency …) and its value in the form that
    flags take.
    """

    kind: str
    value: str


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
        self.units = language.units
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
        for spelling in language.not_names | language.function:  # words of their own
            self.names.pop(spelling, None)
        self.short = {
            slug: (record.get("aliases") or [slug])[0]
            for slug, record in words.records("hardware").items()
        }
        self.keys: dict[str, str] = {}
        for spelling, key in papers(words.directory):
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
        for name in extra:
            getattr(self, f"_admit_{name}")()
        self.names.pop("", None)

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
        """A number from i with its unit; a negative one, a decimal comma and a rate are quantities
        that no flag has.
        """
        text = found[i].text
        if (
            text.isdecimal()
            and found[i].gap == ","
            and i + 1 < len(found)
            and re.match(r"\d{1,2}(?!\d)", found[i + 1].text)
        ):
            return _unknown(found, i, 2)
        if i and text[0].isdecimal() and re.search(r"\s-$", found[i - 1].gap):
            return _unknown(found, i, 1)
        item, size = self._measure(found, i)
        kind = item.readings[0].kind if item and item.readings else None
        return kind in RATED and _rate(found, i, size, kind) or (item, size)

    def _measure(self, found: list[Atom], i: int) -> tuple[Item | None, int]:
        """A number from i with its unit, whatever stands around it."""
        text = found[i].text
        if i and found[i - 1].text in PLACES and re.fullmatch(r"\d{1,2}[a-z]?", text):
            return _item(found, i, 1, ("label", text)), 1
        if re.fullmatch(r"[lrd]\d\d", text) and text not in self.names:
            return _item(found, i, 1, ("claim", text.upper())), 1
        if text == "half" and found[i + 1 : i + 2] and found[i + 1].text not in ("a", "the"):
            return _item(found, i, 1, ("percent", "50%")), 1
        if (text[0].isdecimal() or text[0] in "$u") and (spelled := self._spelled(found, i)):
            return spelled
        if text == "small" and i + 1 < len(found) and found[i + 1].text in ("llm", "llms"):
            return _item(found, i, 2, ("size", SMALL)), 2
        if text in units.COUNTS and i + 1 < len(found) and found[i + 1].text in SPANS:
            return (
                _item(
                    found, i, 2, ("duration", f"{'a' if text in ONE else text} {found[i + 1].text}")
                ),
                2,
            )
        sides = re.fullmatch(r"(\d{2,6})x(\d{2,6})(px)?", text)
        if sides:
            return (
                _item(
                    found,
                    i,
                    1,
                    ("image", f"{sides[1]}x{sides[2]}"),
                    *([("px", sides[1])] if sides[1] == sides[2] else []),
                ),
                1,
            )
        if (
            re.fullmatch(r"\d{2,6}", text)
            and [a.text for a in found[i + 1 : i + 3]][:1] in (["x"], ["by"])
            and i + 2 < len(found)
            and found[i + 2].text.isdecimal()
        ):
            other = found[i + 2].text
            return (
                _item(
                    found,
                    i,
                    3,
                    ("image", f"{text}x{other}"),
                    *([("px", text)] if text == other else []),
                ),
                3,
            )
        return self._gpu_hours(found, i) or self._devices(found, i) or self._measured(found, i)

    def _devices(self, found: list[Atom], i: int) -> tuple[Item, int] | None:
        """So many devices from i (8xH100, two L4s), and for how long if it is said; None for
        anything else.
        """
        text = found[i].text
        times = re.fullmatch(r"(\d{1,5})x([a-z].*)?", text)
        if not (times or text.isdecimal() and len(text) < 6 or text in units.COUNTS):
            return None
        count, rest = (
            (times[1], i if times[2] else i + 1)
            if times
            else (str(units.COUNTS.get(text, text)), i + 1)
        )
        if not times and rest < len(found) and found[rest].text == "x":
            rest += 1
        device, size = self._device(found, rest, times[2] if times and times[2] else None)
        if not device:
            return None
        end = rest + size
        gpu = (
            end + 1 < len(found)
            and found[end].text == "gpu"
            and found[end + 1].text in HOURS | SPANS
        )
        if end < len(found) and found[end + gpu].text in HOURS | SPANS and text not in ONE:
            size = end + gpu + 1 - i
            return (
                _item(
                    found,
                    i,
                    size,
                    ("budget", f"{count} {self.short[device]}-{_span(found[end + gpu].text)}"),
                ),
                size,
            )
        end += end < len(found) and found[end].text in ("gpu", "gpus", "node")
        after = end + (end < len(found) and found[end].text in ("for", "during"))
        span, size = self._quantity(found, after) if after < len(found) else (None, 0)
        if span and span.value("duration"):
            return (
                _item(
                    found,
                    i,
                    after + size - i,
                    ("budget", f"{count}x{self.short[device]} for {span.value('duration')}"),
                ),
                after + size - i,
            )
        # an L4 is a device
        return (
            None
            if text in ONE
            else (_item(found, i, end - i, ("gpus", f"{count} {self.short[device]}")), end - i)
        )

    def _measured(self, found: list[Atom], i: int) -> tuple[Item | None, int]:
        """A number from i in digits, with the unit behind it if there is one."""
        text = found[i].text
        match = NUMBER.fullmatch(text)
        if not match:
            return None, 0
        value, suffix = match[1].replace(",", "").replace("_", ""), match[2]
        if suffix and suffix not in self.units and suffix not in SCALES:
            return None, 0
        scale, size = _scale(found, i, suffix)
        after = [a.text for a in found[i + size : i + size + 3]] + ["", "", ""]
        unit = self.units.get(suffix)
        if unit is None and not (suffix and not scale):
            low = (
                "" if found[i].gap != "-" or not re.fullmatch(r"\d+", after[0] or "x") else after[0]
            )
            if (
                low
                and self.units.get(after[1]) in ("tokens", "px", "size")
                or low
                and after[1] in ("visual", "image", "b")
            ):
                unit = "tokens" if after[1] in ("visual", "image") else self.units[after[1]]
                size += 3 if after[1] in ("visual", "image") else 2
                return _item(found, i, size, ("range", f"{unit} {value} {low}")), size
            if after[0] in ("visual", "image", "vision") and after[1] in ("tokens", "token"):
                unit, size = "tokens", size + 2
            elif after[0] == "gpu" and after[1] in HOURS | SPANS:
                size += 2
                device, more = (
                    self._device(found, i + size + 1, None)
                    if after[2] in ("on", "of")
                    else (None, 0)
                )
                size += 1 + more if device else 0
                return (
                    _item(
                        found,
                        i,
                        size,
                        (
                            "budget",
                            (
                                f"{value}{scale}"
                                f" {self.short[device] if device else 'GPU'}-{_span(after[1])}"
                            ),
                        ),
                    ),
                    size,
                )
            elif after[0] in self.units:
                unit, size = self.units[after[0]], size + 1
            elif after[0] in ("param", "params", "parameter", "parameters") and scale == "M":
                unit, size = "size", size + 1
        if unit == "size" and (tail := found[i + size].text if i + size < len(found) else "") in (
            "param",
            "params",
            "parameter",
            "parameters",
        ):
            size += 1 if tail else 0
        if scale and unit and unit not in SCALED and (unit, scale) != ("size", "M"):
            return _unknown(found, i, size)  # 2 thousand tokens, 4K px
        if (
            unit == "size"
            and i + size < len(found)
            and self.units.get(found[i + size].text) == "tokens"
        ):
            # 2B tokens: of training, which no command takes
            return _unknown(found, i, size + (unit == "size"))
        if (
            unit == "gpus"
            and i + size + 1 < len(found)
            and found[i + size].text in ("for", "during")
        ):
            span, more = self._quantity(found, i + size + 1)
            if span and span.value("duration"):
                return (
                    _item(
                        found,
                        i,
                        size + 1 + more,
                        ("budget", f"{value} GPUs for {span.value('duration')}"),
                    ),
                    size + 1 + more,
                )
        if unit:
            reading = _reading(unit, value, scale)
            after = [atom.text for atom in found[i + size : i + size + 2]]
            if (
                reading.kind == "duration"
                and len(after) == 2
                and after[0] in ("on", "with", "of")
                and after[1] in ONE
            ):
                device, more = self._device(found, i + size + 2, None)  # 3 days on an A100
                if device:
                    return (
                        _item(
                            found,
                            i,
                            size + 2 + more,
                            ("budget", f"1x{self.short[device]} for {reading.value}"),
                        ),
                        size + 2 + more,
                    )
            return _item(found, i, size, reading), size
        if suffix and not scale:
            return None, 0
        plain = [("number", f"{value}{scale}")]
        if scale == "M":
            plain.append(("size", f"{value}M"))
        names = self.names.get(text) if size == 1 else None
        return _item(found, i, size, *plain, *(names or ())), size

    def _spelled(self, found: list[Atom], i: int) -> tuple[Item | None, int] | None:
        """Money, a decoding speed or a number of images from i, as a flag takes it; money a month
        or for some GPUs is more than that.
        """
        rest = "".join(atom.raw + atom.gap for atom in found[i : i + 16])
        for kind, pattern in (
            ("budget", units.MONEY),
            ("speed", units.SPEED),
            ("images", units.IMAGES),
        ):
            said = re.match(pattern, rest, re.I)
            if not said:
                continue
            value, size = said[0].strip(), len(atoms(said[0], {}))
            if kind == "images":
                suffix, kinds, unit = (said[n] or "" for n in (2, 3, 4))
                if units.letter(suffix) == "b" and (
                    not unit.endswith("s") or unit == "pairs" and not kinds
                ):
                    continue  # a 7B image model
                kind = "images" if "image" in unit and not kinds else "samples"
                value = (
                    f"{said[1].replace(',', '').replace('_', '')}{units.letter(suffix).upper()}"
                    " images"
                )
            elif (
                kind == "budget"
                and (gpu := re.sub(r"[^a-z0-9.+]", "", (said[4] or said[8] or "").lower()))
                and gpu not in ("gpu", "gpus")
                and not any(r.kind == "hardware" for r in self.names.get(gpu, ()))
            ):
                # a price per hour of what is no GPU
                return Item(said[4] or said[8], (), False, False), size
            elif (
                kind == "budget"
                and "at" not in value
                and "@" not in value
                and i + size < len(found)
                and found[i + size].text in ("on", "of", "per")
            ):
                device, more = self._device(found, i + size + 1, None)
                if device and found[i + size].text == "per":
                    return _unknown(found, i, size + 1 + more)
                value, size = (
                    (f"{value} on {self.short[device]}", size + 1 + more)
                    if device
                    else (value, size)
                )
            return _item(found, i, size, (kind, value)), size
        return None

    def _gpu_hours(self, found: list[Atom], i: int) -> tuple[Item, int] | None:
        """1k A100 hours, 2.5 thousand H100-days: a number that is no count of GPUs, and the time of
        one kind.
        """
        match = NUMBER.fullmatch(found[i].text)
        if not match or match[2] and match[2] not in SCALES:
            return None
        scale, size = _scale(found, i, match[2])
        if not scale and match[1].isdecimal() and len(match[1]) < 6:
            return None
        device, more = self._device(found, i + size, None) if i + size < len(found) else (None, 0)
        end = i + size + more
        end += end + 1 < len(found) and found[end].text == "gpu"
        if not device or end >= len(found) or found[end].text not in HOURS | SPANS:
            return None
        return (
            _item(
                found,
                i,
                end + 1 - i,
                ("budget", f"{match[1]}{scale} {self.short[device]}-{_span(found[end].text)}"),
            ),
            end + 1 - i,
        )

    def _device(self, found: list[Atom], i: int, glued: str | None) -> tuple[str | None, int]:
        """(hardware slug, words) of a device from i; `glued`: its beginning, when it stands behind
        `8x`.
        """
        first = [glued] if glued else []
        rest = found[i + bool(glued) : i + bool(glued) + 3]
        for size in range(len(rest), -1, -1):
            spelled = re.sub(r"[^a-z0-9.+]", "", "".join([*first, *(a.text for a in rest[:size])]))
            for name in (spelled, spelled[:-1] if spelled.endswith("s") else ""):
                slug = next(
                    (r.value for r in self.names.get(name, ()) if r.kind == "hardware"), None
                )
                if slug:
                    return slug, size + bool(glued)
        return None, 0

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
                    if apart <= limit:
                        near[spelling] = apart
        best = [spelling for spelling, apart in near.items() if apart == min(near.values())]
        meant = {tuple(self.names.get(spelling, ())) or spelling for spelling in best}
        if len(meant) != 1:
            return Item(text, (), False, False)
        return Item(best[0], tuple(self.names.get(best[0], ())), True, True, text)


def _reading(unit: str, value: str, scale: str) -> Reading:
    """What a number with a unit (one of self.units' kinds) means, as a flag takes it. scale: K, M, B, T
    or nothing.
    """
    return Reading(
        *{
            "size": ("size", f"{value}{'M' if scale == 'M' else 'B'}"),
            "tokens": ("tokens", value),
            "px": ("px", value),
            "gb": ("memory", f"{value}GB"),
            "mb": ("memory", f"{value} MB"),
            "tb": ("memory", f"{value} TB"),
            "ms": ("latency", f"{value}{scale} ms"),
            "s": ("latency", f"{value}{scale} s"),
            "%": ("percent", f"{value}%"),
            "points": ("points", value),
            "images": ("images", f"{value}{scale} images"),
            "samples": ("samples", f"{value}{scale} images"),
            "flop": ("budget", f"{value}{scale} FLOP"),
            "zflop": ("budget", f"{value} ZFLOP"),
            "eflop": ("budget", f"{value} EFLOP"),
            "hours": ("duration", f"{value} hours"),
            "days": ("duration", f"{value} days"),
            "weeks": ("duration", f"{value} weeks"),
            "months": ("duration", f"{value} months"),
            "gpus": ("count", value),
            "seeds": ("seeds", value),
        }[unit]
    )


def _unknown(found: list[Atom], i: int, size: int) -> tuple[Item, int]:
    """Words that mean a quantity, of which no flag is."""
    return (
        Item(
            "".join(a.text + (a.gap or "") for a in found[i : i + size]).strip(), (), False, False
        ),
        size,
    )


def _scale(found: list[Atom], i: int, suffix: str) -> tuple[str, int]:
    """(letter of the scale of a number at i or nothing, words with it): 2k, 2 thousand."""
    after = found[i + 1].text if not suffix and i + 1 < len(found) else ""
    if after in SCALES and after != "t":
        return SCALES[after], 2
    return SCALES.get(suffix, ""), 1


def _span(text: str) -> str:
    """A unit of time as a budget has it."""
    return "hours" if text in HOURS else text


def _rate(found: list[Atom], i: int, size: int, kind: str) -> tuple[Item, int] | None:
    """10 images/s, 24 GB per second, 50 ms per image: a number per something is not that number."""
    after = [atom.text for atom in found[i + size : i + size + 2]]
    if after and "/" in found[i + size - 1].gap and after[0] in TIMES - WHOLE.get(kind, set()):
        return _unknown(found, i, size + 1)
    if len(after) < 2 or after[1] in WHOLE.get(kind, ()) or found[i + size].gap.strip("- "):
        return None
    return (
        _unknown(found, i, size + 2)
        if after[0] == "per" or after[0] in ("every", "a", "an", "each") and after[1] in TIMES
        else None
    )


def _item(found: list[Atom], i: int, size: int, *readings) -> Item:
    return Item(
        " ".join(a.text for a in found[i : i + size]),
        tuple(r if isinstance(r, Reading) else Reading(*r) for r in readings),
    )


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


def papers(directory: str) -> list[tuple[str, str]]:
    """(spelling, key) of each paper: its key, its short name, and that without a trailing number
    when it is the only one such.

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
            if stem and stem not in spelled and stem != "siglip":
                stems.setdefault(stem, set()).add(key)
    spelled |= {
        stem: next(iter(keys)) for stem, keys in stems.items() if len(keys) == 1 and len(stem) > 3
    }
    return list(spelled.items())
