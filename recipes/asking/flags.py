"""What was recognised in a sentence -> flags of a command.

In: a Match (grammar.py). Out: parts of argv, or Unfit with the reason when the command cannot take it. Knows no sentence form.
"""
import itertools
import math
from collections.abc import Sequence

from ..evidence.vocabulary import Vocabulary
from .grammar import BELOW, PREPS, Match, Modifier, Part, Unfit, words_of

COMMERCIAL = words_of("commercial commercially")
LICENCE = COMMERCIAL | words_of("licence license licensed licenced licences licenses permissive")
TRAINING = words_of("budget train training trained finetune finetuning pretrain pretraining data dataset")
REQUEST = words_of("request prompt once together each")
AT_LEAST = words_of("over above more least minimum min > >=")
SIDES = BELOW | AT_LEAST

# Kinds of parts that can be swapped for each other, in the order in which a pair is tried.
LIKE = ("encoder", "connector", "llm", "data", "size", "tokens", "px", "state")
AXIS = {"size": "llm_params_b", "tokens": "visual_tokens", "px": "resolution", "state": "frozen_encoder"}
# What a part that is named alone is compared with: the default baseline, LLaVA-1.5-7B (picker/recipe.py).
BASE = {"encoder": "clip-vit-l-14", "connector": "mlp-2x-gelu", "llm": "vicuna-1.5-7b", "data": "llava-665k", "size": "7B", "tokens": "576 tokens",
     "px": "336px",
        "state": "frozen"}


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
    """(kind, a, b) for every kind that both parts may be. A bare number takes the unit of the other one."""
    found = []
    for kind in LIKE:
        one, two = text_of(a, kind), text_of(b, kind)
        if one is None and two is not None and "number" in a.meant and kind in ("tokens", "px", "size"):
            one = text_of(Part({kind: a.meant["number"] + ("B" if kind == "size" else "")}, (), 0), kind)
        if two is None and one is not None and "number" in b.meant and kind in ("tokens", "px", "size"):
            two = text_of(Part({kind: b.meant["number"] + ("B" if kind == "size" else "")}, (), 0), kind)
        if one is not None and two is not None:
            found.append((kind, one, two))
    if not found and "number" in a.meant and "number" in b.meant:
        values = [part.meant["number"] for part in (a, b)]
        if all(value.isdecimal() for value in values):
            fits = [all(pixels(int(v)) for v in values), all(tokens(int(v)) for v in values)]
            only = [any(not tokens(int(v)) for v in values), any(not pixels(int(v)) for v in values)]
            if fits[0] and (only[0] or not fits[1]):
                found.append(("px", *(f"{v}px" for v in values)))
            elif fits[1] and (only[1] or not fits[0]):
                found.append(("tokens", *(f"{v} tokens" for v in values)))
            elif all(fits):
                found += [("px", *(f"{v}px" for v in values)), ("tokens", *(f"{v} tokens" for v in values))]
    return found


def pixels(value: int) -> bool:
    """Whether a bare number can be a resolution: 112 to 4096 in whole patches of 14 or 16."""
    return 112 <= value <= 4096 and (value % 14 == 0 or value % 16 == 0)


def tokens(value: int) -> bool:
    """Whether a bare number can be a count of visual tokens: up to 112, or a square or five squares of at most 64."""
    root = math.isqrt(value)
    return 0 < value <= 112 or root * root == value and root <= 64 or value == 2880


def described(part: Part) -> str:
    """A part in words, for messages."""
    kind, value = next(iter(part.meant.items()))
    return f"{value} ({kind.replace('px', 'resolution').replace('size', 'LLM size')})"


def common(m: Match, words: Vocabulary, taken: Sequence[str] = ()) -> list[str]:
    """--tasks or --benchmark, in the form of a mix. `taken`: kinds that the form has used up."""
    found = m.of("family", "benchmark")
    if not found:
        return []
    return ["--tasks", ",".join(dict.fromkeys(x.value for x in found))]


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
    """What a recipe must meet: latency, speed, budget, memory, format, images of a request, licence."""
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
    if m.said & LICENCE:
        if not m.said & COMMERCIAL:
            raise Unfit("which licence? pick asks one thing of it: that the LLM's permits commercial use (--licence commercial)")
        argv += ["--licence", "commercial"]
    return argv


def images(m: Match) -> tuple[str | None, list[str]]:
    """(images of one request, budgets in images): `8 images` are shown to the model, `50M images` and `800 training images` train it."""
    pictures: list[str] = []
    trained: list[str] = []
    for one in m.of("images"):
        at = one.place + len(before(m, one, "images", "samples"))
        j = one.place - 1
        while j >= 0 and m.items[j].text in PREPS - TRAINING:
            j -= 1
        said, after = {item.text for item in m.items[max(j, 0):at]}, {item.text for item in m.items[at + 1:at + 3]}
        count = one.value.split()[0]
        if m.items[at].value("samples") or (said | after) & TRAINING or count[-1] in "KMBT" or float(count) >= 10_000:
            trained.append(one.value)
        elif count.isdecimal() and 0 < int(count) <= 100 and ("on" not in said or after & REQUEST or not m.said & TRAINING):
            pictures.append(count)
        else:
            raise Unfit(f"{one.value}: shown to the model in one request (at most 100), or to train on (as in a budget of {one.value})?")
    if len(pictures) > 1:
        raise Unfit(f"several numbers of images in one request: {', '.join(pictures)}")
    return (pictures[0] if pictures else None), trained


def latency_flag(m: Match, words: Vocabulary) -> list[str]:
    """--latency and --speed with their device. A speed is a least one: another is Unfit."""
    value, speed, device = m.first("latency"), m.first("speed"), m.first("device")
    for one in m.of("speed"):
        if (set(before(m, one, "speed")) & (AT_LEAST if "token" in one.value.split()[-1:] else BELOW)):
            raise Unfit(f"a speed is the least that is asked, not a limit to stay under: {one.value}")
    spelled = " ".join(item.text for item in m.items)
    whole = " total" if (m.said & {"total", "answer", "respond", "response", "reply"} or "end to end" in spelled) and "first" not in m.said else ""
    place = f" on {alias(device, words)}" if device and (value or speed) else ""
    return [*(["--latency", f"{value}{whole}{place}"] if value else []), *(["--speed", f"{speed}{place}"] if speed else [])]


def budget_flag(m: Match, trained: Sequence[str] = ()) -> list[str]:
    """--budget, also from GPUs and a duration said apart (`8 H100s, two days`), or from images to train on."""
    values = [*m.every("budget"), *trained]
    if m.first("gpus") and m.first("duration"):
        count, _, device = m.first("gpus").partition(" ")
        values.append(f"{count}x{device} for {m.first('duration')}")
    if len(values) > 1:
        raise Unfit(f"one budget at a time: {', '.join(values)}")
    return ["--budget", values[0]] if values else []


def exactly(m: Match, kind: str, field: str) -> list[str]:
    """--fix of one value; below or above it is another thing, which no flag asks for. Raises Unfit."""
    value = m.first(kind)
    if value is None:
        return []
    said = before(m, m.of(kind)[0], kind, "number", "resolution")
    if set(said) & SIDES:
        raise Unfit(f"no flag asks for a {field.replace('_', ' ')} {' '.join(said)} {value}; one value can be kept (--fix {field}={value})")
    return [f"{field}={value}"]


def before(m: Match, one: Modifier, *kinds: str) -> list[str]:
    """The words of a modifier before its item, which has a reading of these kinds."""
    return [item.text for item in itertools.takewhile(lambda item: not item.value(*kinds), m.items[one.place:])]


def repeated(flag: str, values: Sequence[str]) -> list[str]:
    """A flag once per value."""
    return [x for value in values for x in (flag, value)]
