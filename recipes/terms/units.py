"""Numbers with units as people type them: budgets, latency targets, memory, sizes.

In: text. Out: small values that say what was meant, or a UnitError that says what would be
accepted. MONEY, SPEED and IMAGES are also what a question is searched for (asking/lexicon.py), so
that a sentence and a flag are spelled alike.
"""

import re
from typing import NamedTuple

from ..base.errors import Refused
from .vocabulary import UnknownName, Vocabulary


class UnitError(Refused):
    """A quantity that cannot be read; the message shows accepted forms."""


class Budget(NamedTuple):
    """One of: FLOPs, hours of one kind of GPU, or a number of training images. Money is hours at a
    price.
    """

    kind: str  # flop, gpu_hours or images
    amount: float
    gpu: str | None  # hardware slug for gpu_hours
    # dollars per hour, where the text named money and no price (PRINTED_PRICE)
    assumed_price: float | None = None
    # the text named hours, or a price per hour, and not of which GPU
    assumed_gpu: bool = False
    # how many GPUs the text named (8xH100 for a day); None: it named hours alone
    gpus: int | None = None


class Speed(NamedTuple):
    """Tokens per second of decoding on a device."""

    tokens_per_s: float
    gpu: str | None


class LatencyTarget(NamedTuple):
    """Milliseconds for the first token (or the whole answer) on a device."""

    ms: float
    gpu: str
    whole_answer: bool


# A comma (or _) stands between groups of three digits and nowhere else: 1,5 is one and a half to
# half of the world, and never fifteen.
DIGITS = r"((?:[1-9]\d{0,2}(?:[,_]\d{3})+|\d+)(?:\.\d+)?(?:e[+]?\d+)?)(?![,_]?\d)"
NUMBER = DIGITS + r"\s*((?:thousand|million|billion|trillion|[kmbt])(?![a-z]))?"
# by its whole word: thousand is no trillion
LETTER = {"thousand": "k", "million": "m", "billion": "b", "trillion": "t"}
SUFFIX = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
COUNTS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "single": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
# by the first letter of the unit; a month is 30 days
HOURS = {"h": 1.0, "d": 24.0, "w": 168.0, "m": 720.0}
BUDGET_FORMS = (
    "500 A100-hours, 8xH100 for a day, 2e21 FLOP, 50M images, $2,000, $2,000 at $1.50 per H100-hour"
)
# The one price of a GPU-hour that a source of the registry prints (training_costs.json,
# llava-onevision-1.5-8b: "$16,000 at $0.6 per A100 hour").
PRINTED_PRICE = (0.6, "a100-80gb-sxm", "LLaVA-OneVision-1.5 README")
LATENCY_FORMS = "300ms on L4, 1.5 s on Orin, 300 ms TTFT on A100, 2 s for the whole answer on L4"
# all of them as --dtype has it
FORMATS = {
    "int4": "int4",
    "4bit": "int4",
    "int8": "int8",
    "8bit": "int8",
    "bf16": "bf16",
    "fp16": "bf16",
    "16bit": "bf16",
}

# Patterns stay texts until one is asked for (re keeps what it has compiled): most commands read no
# quantity.
_GPU = r"((?:[a-z]|[345]0[5-9]0(?!\d))[\w -]*?)"  # consumer cards go by their number: 4090
_COUNT = "(" + "|".join(COUNTS) + r")(?![a-z])"
_HOUR = r"[-\s]*(?:gpu[-\s]*)?(?:hours?|hrs?|h)(?!\w)"
# 8xH100, 16 H100s, an A100
_GPUS = rf"(?:{NUMBER}|{_COUNT})\s*(?:x|\*)?\s*{_GPU}(?:\s+(?:gpus?|cards?))?"
# a day, 12 hours, 24h
_SPAN = rf"(?:(\d+(?:\.\d+)?)|{_COUNT})[-\s]*(days?|d|hours?|hrs?|h|weeks?|w|months?)"
_FOR, _BARE, _ON = (
    rf"{_GPUS},?\s+(?:for|during|over)\s+{_SPAN}",
    rf"{_GPUS}\s+{_SPAN}",
    rf"{_SPAN}\s+(?:on|of|with)\s+{_GPUS}",
)
_GPU_HOURS = (
    rf"{NUMBER}\s*(?:x|\*)?\s*{_GPU}[-\s]*(?:gpu[-\s]*)?(hours?|hrs?|h|days?|weeks?|months?)"
)
_FLOP = rf"{NUMBER}\s*(z|e|p|zetta|exa|peta)?flops?"
IMAGES = (
    rf"{NUMBER}[-\s]*((?:(?:training|image|text|caption|instruction)[-\s]+)*)(images?|samples?"
    rf"|examples?|pairs)(?!\w|[-\s]+tokens?)"
)
_PRICE = rf"\$?\s*(\d+(?:\.\d+)?)\s*(?:usd|dollars?)?\s*(?:/|per|an?\s)\s*{_GPU}?{_HOUR}"
MONEY = (
    rf"(?:(?:us)?\$|usd\b)\s*{NUMBER}(?:\s*usd\b)?(?:,?\s*(?:at|@)\s*{_PRICE})?(?!\w)"
    rf"|{NUMBER}\s*(?:usd|us\s+dollars|dollars?|\$)(?!\w)(?:,?\s*(?:at|@)\s*{_PRICE})?"
)
SPEED = (
    rf"{NUMBER}\s*(?:(?:tokens?|toks?|t)\s*(?:/|per\b|an?\b)\s*(?:seconds?|secs?|s)|tps)(?!\w)"
    rf"|{NUMBER}\s*(ms|milliseconds?|s|secs?|seconds?)\s*(?:/|per\b|an?\b)\s*token(?!\w)"
)
_MOST = (
    r"(?:under|below|within|at\s+most|less\s+than|no\s+more\s+than|up\s+to|max(?:imum)?"
    r"(?:\s+of)?|<=?|≤)\s*"
)
_WHOLE = (
    r"(?:the\s+)?(?:(?:whole|full|entire|complete|total)\s+)?(?:answer|response|reply)|total|end[-"
    r" ]to[- ]end"
)
_FIRST = r"ttft|(?:the\s+)?(?:time\s+to\s+)?first\s+token"
_LATENCY = (
    rf"(?:(?:({_FIRST})|({_WHOLE})|latency)[\s:]*(?:(?:of|in|is)\s+)?)?"
    rf"(?:{_MOST})?{NUMBER}\s*(ms|msec|milliseconds?|s|secs?|seconds?)"
    rf"(?:\s*(?:(?:for|to|until)\s+)?(?:({_FIRST})|({_WHOLE})))?(?:\s+on\s+(?:an?\s+)?(.+))?"
)
_MEMORY = (
    rf"(?:fits?\s+)?(?:(?:in|into|on)\s+)?(?:{_MOST})?{DIGITS}\s*(gb|gib|g|mb|mib|tb|tib)?(?:\s+"
    rf"(?:of\s+)?(?:vram|ram|memory))?"
)
_FORMAT = r"(?:\s+(?:in|at|with|using)\s+|[\s,]+)(bf16|fp16|int-?[48]|(?:16|8|4)[-\s]?bit)\s*$"


def _amount(value: str, suffix: str | None) -> float:
    """50, million -> 5e7."""
    return float(value.replace(",", "").replace("_", "")) * SUFFIX[letter(suffix)]


def letter(suffix: str | None) -> str:
    """The letter that a suffix is short for: thousand -> k."""
    return LETTER.get((suffix or "").lower(), (suffix or "").lower())


def _unread(what: str, text: str, forms: str) -> UnitError:
    """What could not be read, with forms that can; of a comma, where it may stand."""
    comma = any(
        not re.fullmatch(DIGITS, number) for number in re.findall(r"\d[\d,_.]*[,_]\d+", text)
    )
    why = (
        "; a comma parts groups of three digits, a point the decimals: 1,500 or 1.5"
        if comma
        else ""
    )
    return UnitError(f"cannot read the {what} {text[:60]!r} (as in {forms}{why})")


def _tidy(text: str) -> str:
    """One space between words, and the multiplication sign as people type it."""
    return " ".join(text.replace("×", "x").split())


def hardware(text: str, words: Vocabulary) -> str:
    """A hardware slug. Raises UnknownName with the nearest known devices."""
    return words.resolve(
        "hardware",
        (
            re.sub(r"s$", "", text.strip(), flags=re.I)
            if text.strip().lower() not in ("l40s",)
            else text
        ),
    ).slug


def budget(text: str, words: Vocabulary) -> Budget:
    """Read a training budget. Raises UnitError or UnknownName."""
    said, text = text.strip(), re.sub(f"^{_MOST}", "", _tidy(text), flags=re.I)
    if text.startswith("-"):
        raise UnitError(f"{said[:60]!r}: a budget is positive (as in {BUDGET_FORMS})")
    if match := re.fullmatch(MONEY, text, re.I):
        return _money(match, text, words)
    if match := re.fullmatch(_FLOP, text, re.I):
        return Budget(
            "flop",
            _positive(
                _amount(*match.group(1, 2))
                * {"": 1.0, "p": 1e15, "e": 1e18, "z": 1e21}[(match[3] or "")[:1].lower()],
                text,
            ),
            None,
        )
    if match := re.fullmatch(IMAGES, text, re.I):
        return Budget("images", _positive(_amount(*match.group(1, 2)), text), None)
    return _gpu_time(text, words)


def _money(match: re.Match, text: str, words: Vocabulary) -> Budget:
    """$2,000 at $1.50 per H100-hour. A price of no GPU in particular is of the one whose price is
    printed.
    """
    amount, suffix, price, gpu = match.group(1, 2, 3, 4) if match[1] else match.group(5, 6, 7, 8)
    spent = _positive(_amount(amount, suffix), text)
    if price is None:
        return Budget("gpu_hours", spent / PRINTED_PRICE[0], PRINTED_PRICE[1], PRINTED_PRICE[0])
    return _hours(spent / _positive(float(price), text), gpu or "gpu", text, words)


def _hours(amount: float, gpu: str, text: str, words: Vocabulary) -> Budget:
    """So many hours of a GPU. `gpu` itself names none: then the one whose price is printed is
    meant, and Budget says that it was assumed.
    """
    anyone = re.fullmatch(r"[-\s]*gpus?[-\s]*", gpu, re.I) is not None
    return Budget(
        "gpu_hours",
        _positive(amount, text),
        PRINTED_PRICE[1] if anyone else hardware(gpu, words),
        None,
        anyone,
    )


def _gpu_time(text: str, words: Vocabulary) -> Budget:
    """GPU-hours of one kind, said at once (500 A100-hours) or as so many GPUs for so long (8xH100
    for a day, 3 days on 8xA100).
    """
    if match := re.fullmatch(_FOR, text, re.I):
        number, suffix, word, gpu, span, a, unit = match.groups()
    elif match := re.fullmatch(_ON, text, re.I):
        span, a, unit, number, suffix, word, gpu = match.groups()
    else:
        unknown: UnknownName | None = None
        if match := re.fullmatch(_GPU_HOURS, text, re.I):
            try:
                return _hours(
                    _amount(*match.group(1, 2)) * HOURS[match[4][0].lower()], match[3], text, words
                )
            except UnknownName as error:
                unknown = error
        match = re.fullmatch(_BARE, text, re.I)  # 8xH100 24h
        if not match:
            raise unknown or _unread("budget", text, BUDGET_FORMS)
        number, suffix, word, gpu, span, a, unit = match.groups()
    count = _amount(number, suffix) if number else COUNTS[word.lower()]
    length = float(span) if span else COUNTS[a.lower()]
    found = _hours(count * length * HOURS[unit[0].lower()], gpu, text, words)
    return found._replace(gpus=max(1, int(count)))


def gpu_name(slug: str) -> str:
    """A GPU as people say it in a unit: a100-80gb-sxm -> A100, rtx-4090 -> RTX 4090."""
    first, _, rest = slug.partition("-")
    if first in ("jetson", "apple"):  # words, not letters
        return " ".join(
            x.title() if x in ("jetson", "orin", "apple") else x.upper() for x in slug.split("-")
        )
    return slug.replace("-", " ").upper() if first in ("rtx", "tpu") and rest else first.upper()


def budget_text(value: Budget) -> str:
    """A budget in words: 500 A100-hours, 50M images, 2e+21 FLOP."""
    if value.kind == "gpu_hours":
        digits = ",.0f" if 1e3 <= value.amount < 1e15 else "g"
        return f"{value.amount:{digits}} {gpu_name(value.gpu)}-hours"
    if value.kind == "flop":
        return f"{value.amount:g} FLOP"
    for scale, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value.amount >= scale:
            return f"{value.amount / scale:,.6g}{letter} images"
    return f"{value.amount:g} images"


def latency(text: str, words: Vocabulary) -> LatencyTarget:
    """Read a latency target. Raises UnitError or UnknownName."""
    match = re.fullmatch(_LATENCY, _tidy(text), re.I)
    if not match or (match[1] or match[6]) and (match[2] or match[7]):
        raise _unread("latency", text, LATENCY_FORMS)
    ms = _amount(*match.group(3, 4)) * (1.0 if match[5].lower().startswith("m") else 1e3)
    return LatencyTarget(
        _positive(ms, text), hardware(match[8] or "l4", words), bool(match[2] or match[7])
    )


def speed(text: str, words: Vocabulary) -> Speed:
    """Read a decoding speed: 20 tokens/s, 20 tps on Orin, 50 ms per token. Raises UnitError or
    UnknownName.
    """
    rate, _, device = re.sub(
        r"\s+on\s+(?:an?\s+)?", "\n", _tidy(text), count=1, flags=re.I
    ).partition("\n")
    match = re.fullmatch(
        SPEED,
        re.sub(
            r"^(?:at\s+least|more\s+than|over|above|min(?:imum)?|>=?|≥)\s*", "", rate, flags=re.I
        ),
        re.I,
    )
    if not match:
        raise _unread("speed", text, "20 tokens/s on Orin")
    if match[1]:
        value = _amount(*match.group(1, 2))
    else:
        value = (1e3 if match[5].lower().startswith("m") else 1.0) / _positive(
            _amount(*match.group(3, 4)), text
        )
    return Speed(_positive(value, text), hardware(device, words) if device else None)


def memory_gb(text: str) -> float:
    """Gigabytes: 24GB, 24, 500 MB, 1TB (also `fits 24GB`)."""
    match = re.fullmatch(_MEMORY, _tidy(text), re.I)
    if not match:
        raise _unread("memory", text, "24GB")
    return _positive(
        _amount(match[1], None) * {"m": 1e-3, "t": 1e3}.get((match[2] or "")[:1].lower(), 1.0), text
    )


def memory(text: str) -> tuple[float, str | None]:
    """Gigabytes and the number format of the weights, if it is said: fits 24GB in int4, 24GB in
    4-bit.
    """
    form = re.search(_FORMAT, text, re.I)
    if not form:
        return memory_gb(text), None
    return memory_gb(text[: form.start()]), FORMATS[re.sub(r"[-\s]", "", form[1].lower())]


def level(text: str) -> float:
    """A confidence or probability: 0.8 or 80%."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%)?\s*", text)
    value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0.0 < value < 1.0:
        raise UnitError(f"{text[:40]!r} is not a level between 0 and 1 (as in 0.8 or 80%)")
    return value


def _positive(value: float, text: str) -> float:
    if not 0 < value < 1e40:
        raise UnitError(f"{text[:60]!r}: the amount must be positive, and below 1e40")
    return value
