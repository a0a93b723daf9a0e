"""What was recognised in a sentence -> flags of a command.

In: a Match (grammar.py). Out: parts of argv, or Unfit with the reason when the command cannot take
it. Knows no sentence form.
"""

import itertools
import math
from collections.abc import Sequence

from ..terms import units
from ..terms.vocabulary import Vocabulary
from . import flags
from .grammar import STATES, Match, Part, Unfit
from .lexicon import Item
from .modifiers import ABOVE, AXES, BELOW, LICENCE, MODIFIERS, PREPS, Modifier, side, words_of

COMMERCIAL = words_of("commercial commercially")
TRAINING = words_of(
    "budget train training trained finetune finetuning pretrain pretraining data dataset"
)
REQUEST = words_of("request prompt once together each")
SIDES = BELOW | ABOVE
ANSWER = words_of("total answer answers respond responds response reply replies")
SERVING = words_of("inference serving serve deployment hosting production")
# Quantities that are the most or the least of something by themselves, and what a word of the other
# side makes of them.
MOST = {
    "budget": "a budget is the most that training may cost",
    "latency": "a latency is the longest that is accepted",
    "memory": "a memory is what there is to fit into",
    "images": "a number of images is the one that is planned for",
    "gpus": "GPUs are those that there are",
    "duration": "a time is the longest that there is",
}
EXACT = {"size": "size of the LLM", "tokens": "number of visual tokens", "px": "resolution"}

# What may stand between a state and the part that has it.
BESIDE = words_of(
    "or and vs versus than rather & + plus be is are being been to stay stays remain remains kept"
    " keep vision visual image language whole entire full fully both either of it them was were"
    " should not only just train"
)

VERBS = words_of("train training finetune finetuning")

# Kinds of parts that can be swapped for each other, in the order in which a pair is tried.
LIKE = ("encoder", "connector", "llm", "data", "size", "tokens", "px", "state")
AXIS = {
    "size": "llm_params_b",
    "tokens": "visual_tokens",
    "px": "resolution",
    "state": "frozen_encoder",
}
# What a part that is named alone is compared with: the default baseline, LLaVA-1.5-7B
# (picker/recipe.py).
BASE = {
    "encoder": "clip-vit-l-14",
    "connector": "mlp-2x-gelu",
    "llm": "vicuna-1.5-7b",
    "data": "llava-665k",
    "size": "7B",
    "tokens": "576 tokens",
    "px": "336px",
    "state": "frozen",
}


def text_of(part: Part, kind: str) -> str | None:
    """A part as a command's argument, read as one kind."""
    value = part.meant.get(kind)
    if kind == "px" and value is None and "resolution" in part.meant:
        return part.meant["resolution"]
    if value is None:
        return None
    if kind == "encoder" and part.fused:
        return "+".join(sorted([value, *part.fused]))
    return {"tokens": f"{value} tokens", "px": f"{value}px"}.get(kind, value)


def pairs(a: Part, b: Part) -> list[tuple[str, str, str]]:
    """(kind, a, b) for every kind that both parts may be. A bare number takes the unit of the other
    one.
    """
    found = []
    for kind in LIKE:
        one, two = text_of(a, kind), text_of(b, kind)
        if (
            one is None
            and two is not None
            and "number" in a.meant
            and kind in ("tokens", "px", "size")
        ):
            one = text_of(
                Part({kind: a.meant["number"] + ("B" if kind == "size" else "")}, (), 0), kind
            )
        if (
            two is None
            and one is not None
            and "number" in b.meant
            and kind in ("tokens", "px", "size")
        ):
            two = text_of(
                Part({kind: b.meant["number"] + ("B" if kind == "size" else "")}, (), 0), kind
            )
        if one is not None and two is not None:
            found.append((kind, one, two))
    if not found and "number" in a.meant and "number" in b.meant:
        values = [part.meant["number"] for part in (a, b)]
        if all(value.isdecimal() for value in values):
            fits = [all(pixels(int(v)) for v in values), all(tokens(int(v)) for v in values)]
            only = [
                any(not tokens(int(v)) for v in values),
                any(not pixels(int(v)) for v in values),
            ]
            if fits[0] and (only[0] or not fits[1]):
                found.append(("px", *(f"{v}px" for v in values)))
            elif fits[1] and (only[1] or not fits[0]):
                found.append(("tokens", *(f"{v} tokens" for v in values)))
            elif all(fits):
                found += [
                    ("px", *(f"{v}px" for v in values)),
                    ("tokens", *(f"{v} tokens" for v in values)),
                ]
    return found


def pixels(value: int) -> bool:
    """Whether a bare number can be a resolution: 112 to 4096 in whole patches of 14 or 16."""
    return 112 <= value <= 4096 and (value % 14 == 0 or value % 16 == 0)


def tokens(value: int) -> bool:
    """Whether a bare number can be a count of visual tokens: up to 112, or a square or five squares
    of at most 64.
    """
    root = math.isqrt(value)
    return 0 < value <= 112 or root * root == value and root <= 64 or value == 2880


def described(part: Part) -> str:
    """A part in words, for messages."""
    kind, value = next(iter(part.meant.items()))
    return f"{value} ({kind.replace('px', 'resolution').replace('size', 'LLM size')})"


def axis_of(item: Item) -> str | None:
    """The part of a recipe that a word or a name stands for."""
    if not item.readings:
        return AXES.get(item.text)
    return next(
        (kind for kind in ("encoder", "connector", "llm", "data") if item.value(kind)),
        "llm" if item.value("size") else None,
    )


def axes_named(items: Sequence[Item]) -> set[str]:
    """The parts that are named by a word alone: not the LLM of `7B LLM`."""
    return {
        AXES[item.text]
        for i, item in enumerate(items)
        if not item.readings and item.text in AXES and not (i and items[i - 1].value("size", "llm"))
    }


def frozen_parts(items: Sequence[Item]) -> frozenset[str]:
    """The parts of a recipe that are said to be frozen or trained: `freeze the encoder or the LLM`,
    `keep the LLM frozen`; empty where none is named.
    """
    found: set[str] = set()
    for i, item in enumerate(items):
        found |= trained_part(items, i)
        if (
            item.readings
            or item.text not in STATES
            or i
            and items[i - 1].text in ("instruction", "visual", "prompt")
        ):
            continue
        own: set[str] = set()
        for step in (1, -1):
            j = i + step
            while 0 <= j < len(items) and (
                axis_of(items[j])
                or items[j].text in BESIDE | frozenset(STATES)
                and not items[j].readings
            ):
                on = (
                    step < 0
                    and items[j].value("size", "llm")
                    and j
                    and items[j - 1].text in ("on", "with", "at", "for", "using")
                )
                own |= {axis_of(items[j])} if axis_of(items[j]) and not on else set()
                j += step
            if own:
                break
        found |= own
    return frozenset(found)


def trained_part(items: Sequence[Item], i: int) -> set[str]:
    """The part behind a verb at i that says it is trained: `training the vision encoder`."""
    j = i + 1
    while j < len(items) and items[j].text in (
        "vision",
        "visual",
        "image",
        "whole",
        "entire",
        "full",
    ):
        j += 1
    if (
        items[i].text not in VERBS
        or j >= len(items)
        or items[j].readings
        or j + 1 < len(items)
        and items[j + 1].readings
    ):
        return set()
    return {AXES.get(items[j].text)} & {"encoder", "connector", "llm"}


def placed(m: Match, one: Modifier) -> int:
    """The place of the quantity itself in the words of a modifier."""
    return next(
        i
        for i in range(one.place, len(m.items))
        if m.items[i].value(*MODIFIERS[one.kind][0], "number")
    )


def around(m: Match, one: Modifier) -> tuple[list[str], list[str]]:
    """The words that stand directly before and behind a quantity, whatever part of the form they
    were there for, up to the next name or number.
    """
    at = placed(m, one)
    before = itertools.takewhile(
        lambda item: not item.readings, reversed(m.items[max(at - 6, 0) : at])
    )
    return [item.text for item in before][::-1], [
        item.text
        for item in itertools.takewhile(lambda item: not item.readings, m.items[at + 1 : at + 6])
    ]


def said_side(m: Match, one: Modifier) -> str | None:
    """Whether a quantity is said to be the most or the least: `under 24GB`, `24GB or more`."""
    before, behind = around(m, one)
    near = list(
        itertools.takewhile(
            lambda word: word in SIDES | PREPS | {"no", "not", "than", "at", "or", "equal", "of"},
            reversed(before),
        )
    )
    last = placed(m, one) + len(behind) + 1 >= len(m.items)
    for lead, marks in (
        ({"or", "and"}, words_of("more above over higher up upwards less fewer below under lower")),
        ({"at"}, words_of("least most")),
    ):
        if (
            len(behind) > 1
            and behind[0] in lead
            and behind[1] in marks
            and (last or len(behind) > 2)
            and behind[2:3] != ["than"]
        ):
            return (
                "least"
                if behind[1] in words_of("more above over higher up upwards least")
                else "most"
            )
    if (
        behind
        and behind[0] in ("+", "minimum", "min", "max", "maximum")
        and (last or len(behind) > 1)
    ):
        return "most" if behind[0].startswith("max") else "least"
    return side(near)


def check_sides(m: Match) -> None:
    """Raises Unfit for a quantity that is said to be a limit of the other kind than its flag is:
    `over $500`, `at most 5 tokens/s`.
    """
    for one in m.modifiers:
        said = said_side(m, one) if one.kind in (*MOST, *EXACT, "speed") else None
        per_token = one.value.split("/")[-1].split()[-1:] == ["token"]
        if said == "least" and one.kind in MOST:
            raise Unfit(f"{MOST[one.kind]}, and no flag asks for more than that: {one.value}")
        if one.kind == "speed" and said == ("least" if per_token else "most"):
            raise Unfit(
                f"a speed is the least that is asked, not a limit to stay under: {one.value}"
            )
        if one.kind == "under" and m.form.name in ("cost", "latency"):
            raise Unfit(
                f"{m.form.name} is of one size of the LLM, not of those under {one.value}: name it"
            )
        if said and one.kind in EXACT and m.form.name != "curve":
            raise Unfit(
                f"no flag asks for a {EXACT[one.kind]} {'above' if said == 'least' else 'below'}"
                f" {one.value}"
            )


def mix(found: Sequence[Modifier]) -> str:
    """A task mix as --tasks takes it. A percentage of one task alone is no weight: Unfit."""
    said = list(dict.fromkeys(x.value for x in found))
    name, _, weight = said[0].partition("=")
    if len(said) == 1 and weight and float(weight) != 1:
        raise Unfit(
            f"{100 * float(weight):g}% of {name}: a gain, a score, or its part of a mix? (a mix has"
            " several: 60% documents, 40% charts)"
        )
    return ",".join(said)


def common(m: Match, words: Vocabulary, taken: Sequence[str] = ()) -> list[str]:
    """--tasks or --benchmark, in the form of a mix. `taken`: kinds that the form has used up."""
    found = m.of("family", "benchmark")
    if not found:
        return []
    return ["--tasks", mix(found)]


def size_of(value: str) -> float:
    """A size as billions."""
    return float(value[:-1]) / (1000 if value[-1] == "M" else 1)


def memory_of(device: str, words: Vocabulary) -> str:
    """The memory of a device as --memory takes it."""
    return f"{words.records('hardware')[device]['memory_gb']:g}GB"


def alias(device: str, words: Vocabulary) -> str:
    """A device as people call it."""
    return (words.records("hardware")[device].get("aliases") or [device])[0]


def dtype(m: Match) -> str:
    """A number format that pick and models take."""
    return {"fp16": "bf16"}.get(m.first("dtype"), m.first("dtype"))


def limits(m: Match, words: Vocabulary) -> list[str]:
    """What a recipe must meet: latency, speed, budget, memory, format, images of a request,
    licence.
    """
    pictures, trained = images(m)
    argv = [*latency_flag(m, words), *budget_flag(m, trained)]
    if m.first("gpus") and "--budget" not in argv:
        raise Unfit(f"{m.first('gpus')} for how long? (as in 8xH100 for a day)")
    memory = m.first("memory")
    if memory is None and m.first("device") and not m.first("latency") and not m.first("speed"):
        memory = memory_of(m.first("device"), words)
    argv += ["--memory", memory] if memory else []
    argv += ["--dtype", dtype(m)] if m.first("dtype") else []
    argv += ["--images", pictures] if pictures else []
    m.of("licence")
    if m.said & LICENCE:
        if not m.said & COMMERCIAL:
            raise Unfit(
                "which licence? pick asks one thing of it: that the LLM's permits commercial use"
                " (--licence commercial)"
            )
        argv += ["--licence", "commercial"]
    return argv


def choices(m: Match) -> list[str]:
    """--avoid and --deploy."""
    place = m.said & {"edge", "cloud"} and not m.first("device")
    return [
        *repeated("--avoid", m.every("avoid")),
        *(["--deploy", "edge" if "edge" in m.said else "cloud"] if place else []),
    ]


def images(m: Match) -> tuple[str | None, list[str]]:
    """(images of one request, budgets in images): `8 images` are shown to the model, `50M images`
    and `800 training images` train it.
    """
    pictures: list[str] = []
    trained: list[str] = []
    for one in m.of("images"):
        at = one.place + len(before(m, one, "images", "samples"))
        j = one.place - 1
        while j >= 0 and m.items[j].text in PREPS - TRAINING:
            j -= 1
        said, after = (
            {item.text for item in m.items[max(j, 0) : at]},
            {item.text for item in m.items[at + 1 : at + 3]},
        )
        count = one.value.split()[0]
        amount = (
            float(count.rstrip("KMBT"))
            * units.SUFFIX[count[-1].lower() if count[-1].isalpha() else ""]
        )
        if m.items[at].value("samples") or (said | after) & TRAINING or amount >= 10_000:
            trained.append(one.value)
        elif (
            count.isdecimal()
            and 0 < int(count) <= 100
            and ("on" not in said or after & REQUEST or not m.said & TRAINING)
        ):
            pictures.append(count)
        else:
            raise Unfit(
                f"{one.value}: shown to the model in one request (at most 100), or to train on (as"
                " in a budget of"
                f" {one.value}){f', or pictures of {count} pixels' if count[-1] == 'K' else ''}?"
            )
    if len(pictures) > 1:
        raise Unfit(f"several numbers of images in one request: {', '.join(pictures)}")
    return (pictures[0] if pictures else None), trained


def latency_flag(m: Match, words: Vocabulary) -> list[str]:
    """--latency and --speed with their device. A speed is a least one: another is Unfit."""
    value, speed, device = m.first("latency"), m.first("speed"), m.first("device")
    spelled = " ".join(item.text for item in m.items)
    whole = (
        " total"
        if (m.said & ANSWER or "end to end" in spelled) and not m.said & {"first", "ttft"}
        else ""
    )
    place = f" on {alias(device, words)}" if device and (value or speed) else ""
    return [
        *(["--latency", f"{value}{whole}{place}"] if value else []),
        *(["--speed", f"{speed}{place}"] if speed else []),
    ]


def budget_flag(m: Match, trained: Sequence[str] = ()) -> list[str]:
    """--budget, also from GPUs and a duration said apart (`8 H100s, two days`), or from images to
    train on.
    """
    values = [*m.every("budget"), *trained]
    for one in m.of("budget"):
        lead, behind = around(m, one)
        named = next((k for k, word in enumerate(behind[:3]) if word in SERVING), None)
        if (
            set(lead[-3:]) & SERVING
            or named is not None
            and behind[named + 1 : named + 2] not in (["on"], ["in"], ["at"], ["with"], ["under"])
        ):
            raise Unfit(
                f"a budget is what training may cost, and no flag takes one of serving: {one.value}"
                " (a latency and a memory limit that)"
            )
    if m.first("gpus") and m.first("duration"):
        count, _, device = m.first("gpus").partition(" ")
        values.append(f"{count}x{device} for {m.first('duration')}")
    if len(values) > 1:
        raise Unfit(f"one budget at a time: {', '.join(values)}")
    return ["--budget", values[0]] if values else []


def fused(m: Match) -> str | None:
    """The encoders of one recipe as a fusion, where nothing but `+` or `and` stands between
    them.
    """
    kept = {one.value for one in m.of("encoder")}
    places = [i for i, item in enumerate(m.items) if item.value("encoder") in kept]
    joined = all(
        j - i == 2 and m.items[i + 1].text in ("+", "and", "plus", "&")
        for i, j in itertools.pairwise(places)
    )
    return "+".join(sorted(kept)) if joined and len(kept) == len(places) > 1 else None


def exactly(m: Match, kind: str, field: str) -> list[str]:
    """--fix of one value; below or above it is another thing, which no flag asks for. Raises
    Unfit.
    """
    value = m.first(kind)
    if value is None:
        return []
    said = before(m, m.of(kind)[0], kind, "number", "resolution")
    if set(said) & SIDES:
        raise Unfit(
            f"no flag asks for a {field.replace('_', ' ')} {' '.join(said)} {value}; one value can"
            f" be kept (--fix {field}={value})"
        )
    return [f"{field}={value}"]


def before(m: Match, one: Modifier, *kinds: str) -> list[str]:
    """The words of a modifier before its item, which has a reading of these kinds."""
    return [
        item.text
        for item in itertools.takewhile(lambda item: not item.value(*kinds), m.items[one.place :])
    ]


def repeated(flag: str, values: Sequence[str]) -> list[str]:
    """A flag once per value."""
    return [x for value in values for x in (flag, value)]


Readings = list[tuple[str, ...]]


def llm_named(name: str | None, size: str | None, words: Vocabulary) -> str:
    """The LLM that a name and a size mean together (vicuna + 13B -> vicuna-1.5-13b), or the one
    that is said.
    """
    if not name or not size:
        return name or size
    records = words.records("llm")
    if abs(records[name]["params_b"] / flags.size_of(size) - 1) < 0.2:
        return name
    stem = name.rsplit("-", 1)[0]
    for slug, record in records.items():
        if (
            slug.rsplit("-", 1)[0] == stem
            and abs(record["params_b"] / flags.size_of(size) - 1) < 0.2
        ):
            return slug
    raise Unfit(f"no LLM {name} of {size} is known")
