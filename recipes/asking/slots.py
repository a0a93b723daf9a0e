"""What frames share: task mixes, limits, recipes and devices of a Draft -> parts of an argv.

In: a Draft (sentence.py). Out: flags with canonical values, or Unfit with the reason when no flag
says that. Knows no command as a whole.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from ..terms import units
from ..terms.axes import COMPONENTS
from ..terms.recipe import BASELINE, BASELINE_NAME
from ..terms.vocabulary import Vocabulary, fold
from .sentence import Draft, Token, Unfit

# What a part that is named alone is compared with: the default baseline.
BASE = {
    **{part: getattr(BASELINE, part) for part in COMPONENTS},
    "size": "7B",
    "tokens": f"{BASELINE.visual_tokens:g} tokens",
    "px": f"{BASELINE.resolution}px",
    "state": "frozen",
}
# Quantities that are the most or the least of something by themselves, and what a word of the other
# side makes of them.
LIMITS = {
    "budget": "a budget is the most that training may cost",
    "latency": "a latency is the longest that is accepted",
    "memory": "a memory is what there is to fit into",
    "images": "a number of images is the one that is planned for",
    "gpus": "GPUs are those that there are",
    "duration": "a time is the longest that there is",
}
EXACT = {"size": "size of the LLM", "tokens": "number of visual tokens", "px": "resolution"}
TRAINED = ("train", "budget", "sft", "costs")


def flag(name: str, *values: str | None) -> list[str]:
    """A flag once per value that is said."""
    return [x for value in values if value for x in (f"--{name}", value)]


def check_limits(d: Draft, exact: Sequence[str] = tuple(EXACT), under: bool = False) -> None:
    """Raises Unfit for a quantity that is said to be a limit of another kind than its flag is:
    `over $500`, `at most 5 tokens/s`, `an LLM above 7B`.
    """
    for token in d.sentence.names():
        for kind, said in LIMITS.items():
            if token.limit == "least" and token.get(kind):
                value = token.get(kind)
                raise Unfit(f"{said}, and no flag asks for more than that: {value}")
        speed = token.get("speed")
        if speed and token.limit:
            per_token = speed.split("/")[-1].split()[-1:] == ["token"]
            if token.limit == ("least" if per_token else "most"):
                raise Unfit(
                    f"a speed is the least that is asked, not a limit to stay under: {speed}"
                )
        for kind in exact:
            if under and kind == "size" and token.limit == "most":
                continue
            if token.limit and token.get(kind) and token.get(kind) == token.readings[0].value:
                above = token.said.strip() or token.limit
                field = {"size": "llm_params_b", "tokens": "visual_tokens", "px": "resolution"}[
                    kind
                ]
                fix = f" (one value can be kept: --fix {field}={token.get(kind)})"
                raise Unfit(f"no flag asks for a {EXACT[kind]} {above} {token.get(kind)}{fix}")


# --- what it is for


def parts_of_mix(d: Draft) -> list[tuple[str, str, str | None]]:
    """(kind, name, weight) of the task families and benchmarks that are named, which are used."""
    found = []
    names = d.of("family", "benchmark")
    percents = [t for t in d.of("percent")]
    behind_all = bool(percents) and bool(names) and percents[0].place > names[0].place
    for token in names:
        weight = None
        near = d.before(token, 2)
        if near and (p := next((t for t in reversed(near) if t.get("percent")), None)):
            if not behind_all and all(t.text in ("for", "on", "of") for t in d.between(p, token)):
                weight = p.get("percent")
                d.take(p)
        behind = d.behind(token, 2)
        if weight is None and behind:
            if behind[0].text == "=" and len(behind) > 1 and behind[1].get("number", "percent"):
                weight = behind[1].get("number", "percent")
                d.take(behind[1])
            elif behind[0].get("percent") and behind_all and len(percents) > 1:
                weight = behind[0].get("percent")
                d.take(behind[0])
        if weight:
            weight = f"{float(weight.rstrip('%')) / (100 if weight[-1] == '%' else 1):g}"
        kind = "family" if token.get("family") else "benchmark"
        found.append((kind, token.get("family", "benchmark"), weight))
        d.take(token)
    return list(dict.fromkeys(found))


def mix(found: Sequence[tuple[str, str, str | None]]) -> str:
    """A task mix as --tasks takes it. A percentage of one task alone is no weight: Unfit."""
    if len(found) == 1 and found[0][2] and float(found[0][2]) != 1:
        raise Unfit(
            f"{100 * float(found[0][2]):g}% of {found[0][1]}: a gain, a score, or its part of a"
            " mix? (a mix has several: 60% documents, 40% charts)"
        )
    return ",".join(f"{name}={weight}" if weight else name for _, name, weight in found)


def tasks(d: Draft) -> list[str]:
    """--tasks, or nothing."""
    found = parts_of_mix(d)
    return flag("tasks", mix(found)) if found else []


def benchmarks_or_tasks(d: Draft) -> list[str]:
    """--benchmark for each benchmark where nothing else is named, else --tasks."""
    for token in d.of("benchmark", "family"):
        lead = d.before(token)
        if lead and lead[0].value == "compare" and token.place > 1:
            raise Unfit(f"{token.text} is no {d.frame} to compare with")
    found = parts_of_mix(d)
    if found and all(kind == "benchmark" and not weight for kind, _, weight in found):
        return flag("benchmark", *(name for _, name, _ in found))
    return flag("tasks", mix(found)) if found else []


def scores(d: Draft) -> list[Token]:
    """The numbers not used yet that may be scores: plain ones, percentages and points."""
    kinds = ("number", "percent", "points")
    return [t for t in d.of(*kinds) if re.fullmatch(r"\d+(?:\.\d+)?%?", t.get(*kinds))]


def score_of(token: Token) -> str:
    """A score without its unit."""
    return token.get("number", "percent", "points").rstrip("%")


def is_goal(d: Draft) -> bool:
    """Whether the second of two scores is what somebody wants to have: want 70, from 60 to 70."""
    found = scores(d)
    if len(found) != 2 or d.has("noise paper"):
        return False
    leads = [" ".join(t.text for t in d.before(t)) for t in found]
    return d.says("goal") or leads == ["from", "to"]


# --- the LLM, the recipe, the device


def size_of(value: str) -> float:
    """A size as billions."""
    return float(value[:-1]) / (1000 if value[-1] == "M" else 1)


def llm_named(name: str, size: str | None, words: Vocabulary) -> str:
    """The LLM that a name and a size mean together (vicuna + 13B -> vicuna-1.5-13b)."""
    if not size:
        return name
    records = words.records("llm")

    def near(slug: str) -> bool:
        billions = size_of(size)
        return abs((records[slug].get("params_b") or 0) - billions) < 0.2 * billions

    if near(name):
        return name
    stem = name.rsplit("-", 1)[0]
    for slug in records:
        if slug.rsplit("-", 1)[0] == stem and near(slug):
            return slug
    raise Unfit(f"no LLM {name} of {size} is known")


def llm(d: Draft) -> tuple[str | None, str | None]:
    """(name, size) of the one LLM that is named: one of them is None."""
    name = d.one("llm", what="LLM")
    sizes = [t for t in d.of("size") if not t.get("number") or sized(d, t)]
    d.take(*sizes)
    values = list(dict.fromkeys(t.get("size") for t in sizes))
    if len(values) > 1:
        raise Unfit(f"several sizes of the LLM: {', '.join(values)}")
    size = values[0] if values else None
    return (llm_named(name, size, d.words), None) if name else (None, size)


def on(d: Draft) -> list[str]:
    """--on, or nothing."""
    return flag("on", *filter(None, llm(d)))


def sized(d: Draft, token: Token) -> bool:
    """Whether a bare 50M is a number of parameters."""
    near = [*d.before(token, 1), *d.behind(token, 1)]
    return any(
        t.get("axis") == "llm" or t.value == "model" or t.text in ("llm", "lm") for t in near
    )


def recipe_fields(d: Draft, skip: Sequence[str] = ()) -> list[str]:
    """FIELD=VALUE of every part of a recipe that is named; encoders joined by + are one."""
    fields = []
    for part in ("encoder", "connector", "data"):
        if part in skip:
            continue
        values = [fused(d)] if part == "encoder" and fused(d, False) else d.every(part)
        if len(values) > 1:
            raise Unfit(f"two {part}s to keep: {', '.join(values)} (a swap compares them)")
        fields += [f"{part}={value}" for value in values]
    if "llm" not in skip:
        name, size = llm(d)
        fields += [f"llm={name}"] if name else [f"llm_params_b={size}"] if size else []
    tokens, px = d.one("tokens", what="visual tokens"), pixels(d)
    fields += [f"visual_tokens={tokens}"] if tokens else []
    return fields + ([f"resolution={px}"] if px else [])


def top(d: Draft) -> list[str]:
    """--top of `best 3 recipes`."""
    for token in d.of("number"):
        lead = d.content_before(token)
        if lead is not None and lead.value == "best" and token.get("number").isdecimal():
            d.take(token)
            return flag("top", token.get("number"))
    return []


def pixels(d: Draft) -> str | None:
    """The one resolution that is named, also as `at 384`."""
    for token in at_pixels(d)[:1]:
        d.take(token)
        return token.get("number")
    return d.one("px", "resolution", what="resolution")


def at_pixels(d: Draft) -> list[Token]:
    """Bare numbers behind `at` that can be pixels."""
    numbers = [t for t in d.of("number") if [o.text for o in d.before(t)] == ["at"]]
    return [t for t in numbers if t.get("number").isdecimal() and 50 < int(t.get("number")) < 9000]


def fused(d: Draft, use: bool = True) -> str | None:
    """The encoders of one recipe as a fusion, where nothing but `+` or `and` stands between."""
    found = d.of("encoder")
    joined = all(
        [t.text for t in d.between(a, b)] in (["+"], ["and"], ["plus"], ["&"], ["with"])
        for a, b in pairwise(found)
    )
    values = sorted({t.get("encoder") for t in found})
    if len(values) < 2 or not joined:
        return None
    if use:
        d.take(*found)
    return "+".join(values)


def alias(device: str, words: Vocabulary) -> str:
    """A device as people call it."""
    return (words.records("hardware")[device].get("aliases") or [device])[0]


def memory_of(device: str, words: Vocabulary) -> str:
    """The memory of a device as --memory takes it."""
    return f"{words.records('hardware')[device]['memory_gb']:g}GB"


def device(d: Draft, form: Callable[[str, Vocabulary], str]) -> str | None:
    """The one device that is named, as its alias or its memory."""
    name = d.one("hardware", what="device")
    return form(name, d.words) if name else None


def memory(d: Draft) -> str | None:
    """The memory that is said, or that of the device that is named."""
    said, own = d.one("memory"), device(d, memory_of)
    return said or own


def devices(d: Draft) -> list[str]:
    """--gpu for each device that is named, and --gpus."""
    argv = []
    for token in d.of("gpus"):
        count, _, name = token.get("gpus").partition(" ")
        d.take(token)
        argv += [*flag("gpu", name), *flag("gpus", count)]
    for token in d.of("hardware"):
        lead = d.before(token, 1)
        single = bool(lead) and lead[0].text in ("one", "single", "1", "a", "an")
        d.take(token)
        argv += flag("gpu", alias(token.get("hardware"), d.words))
        only = d.sentence.text
        if single and lead[0].text in ("one", "single", "1") and d.frame == "cost" and only:
            argv += ["--gpus", "1"]
            if lead[0].get("number"):
                d.take(lead[0])
    argv += flag("gpus", *d.every("count")) if "--gpus" not in argv else []
    return argv


def number_format(d: Draft) -> list[str]:
    """--dtype as pick and models take it."""
    value = d.one("dtype", what="number format")
    return flag("dtype", {"fp16": "bf16"}.get(value, value)) if value else []


def is_baseline(token: Token) -> bool:
    """Whether a name is that of the default baseline: LLaVA, LLaVA-1.5, LLaVA-1.5-7B."""
    own, said = fold(BASELINE_NAME), fold(token.text)
    return len(said) > 4 and own.startswith(said) or said.startswith(own[: own.rindex("7")])


# --- limits


def limits(d: Draft) -> list[str]:
    """What a recipe must meet: latency, speed, budget, memory, format, images of a request,
    licence.
    """
    check_limits(d, under=d.frame == "pick")
    pictures, trained = images(d)
    argv = [*latency_flags(d), *budget_flag(d, trained)]
    if d.of("gpus") and "--budget" not in argv:
        raise Unfit(f"{d.of('gpus')[0].get('gpus')} for how long? (as in 8xH100 for a day)")
    own = device(d, alias)
    argv += flag("memory", d.one("memory"))
    if {"--latency", "--speed"}.isdisjoint(argv):
        argv += flag("deploy", own)
    argv += [*number_format(d), *flag("images", pictures)]
    return argv + licence(d)


def licence(d: Draft) -> list[str]:
    """--licence commercial."""
    commercial, said = d.take_concept("commercial"), d.take_concept("licence")
    if said:  # the LLM's
        d.take(*d.axes("llm"))
    if said and not commercial:
        raise Unfit(
            "which licence? pick asks one thing of it: that the LLM's permits commercial use"
            " (--licence commercial)"
        )
    return flag("licence", "commercial" if commercial else None)


def avoided(d: Draft) -> list[tuple[str, str]]:
    """(part, what) that is to be left out: `without CLIP or a Q-Former`."""
    found = []
    for mark in [t for t in d.sentence.tokens if t.value == "without" and t.kind == "concept"]:
        place, tokens = mark.place + 1, d.sentence.tokens
        while place < len(tokens):
            token = tokens[place]
            part = next((p for p in COMPONENTS if token.get(p)), None)
            if part:
                whole = part == "llm" and not re.search(r"\d", token.text)  # of every size
                found.append((part, token.text if whole else token.get(part)))
                d.take(token, mark)
            elif token.kind != "function" or (
                found and token.text not in ("and", "or", "a", "nor")
            ):
                break
            place += 1
    return found


def latency_flags(d: Draft) -> list[str]:
    """--latency and --speed with their device."""
    value, speed = d.one("latency"), d.one("speed")
    if not value and not speed:
        return []
    name = device(d, alias)
    answer = d.says("whole answer")
    whole = " total" if answer and not d.said("first", "ttft") else ""
    place = f" on {name}" if name else ""
    return [
        *flag("latency", f"{value}{whole}{place}" if value else None),
        *flag("speed", f"{speed}{place}" if speed else None),
    ]


def images(d: Draft) -> tuple[str | None, list[str]]:
    """(images of one request, budgets in images): `8 images` are shown to the model, `50M images`
    and `800 training images` train it.
    """
    pictures: list[str] = []
    trained: list[str] = []
    for token in d.of("images", "samples"):
        d.take(token)
        value = token.get("images", "samples")
        count = value.split()[0]
        amount = count_of(count)
        near = [*d.before(token, 4), *d.behind(token, 3)]
        training = any(t.value in TRAINED or t.get("axis") == "data" for t in near)
        request = any(t.text in ("request", "prompt", "once", "together", "each") for t in near)
        on = any(t.text == "on" for t in d.before(token, 2))
        if (
            token.get("samples")
            or amount >= 10_000
            or training
            and not on
            or "training" in token.text
        ):
            trained.append(value)
        elif count.isdecimal() and 0 < int(count) <= 100 and (not on or request or not training):
            pictures.append(count)
        else:
            pixels = f", or pictures of {count} pixels" if count[-1] == "K" else ""
            raise Unfit(
                f"{value}: shown to the model in one request (at most 100), or to train on (as in a"
                f" budget of {value}){pixels}?"
            )
    if len(pictures) > 1:
        raise Unfit(f"several numbers of images in one request: {', '.join(pictures)}")
    return (pictures[0] if pictures else None), trained


def count_of(text: str) -> float:
    """50M -> 5e7."""
    scale = text[-1].lower() if text[-1].isalpha() else ""
    return float(text.rstrip("KMBTkmbt")) * units.SUFFIX[scale]


def budget_flag(d: Draft, trained: Sequence[str]) -> list[str]:
    """--budget, also from GPUs and a duration said apart (`8 H100s, two days`), or from images to
    train on.
    """
    for token in d.of("budget"):
        near = [*d.before(token, 3), *d.behind(token, 3)]
        serving = set(d.sentence.language.signs["serving"])
        served = [t for t in near if t.said in serving or serving & set(t.text.split())]
        after = d.behind(served[0]) if served else []
        if served and not (
            served[0].place > token.place
            and after
            and after[0].text in ("on", "in", "at", "with", "under", "is")
        ):
            raise Unfit(
                "a budget is what training may cost, and no flag takes one of serving:"
                f" {token.get('budget')} (a latency and a memory limit that)"
            )
    values = [*d.every("budget"), *trained]
    durations, gpus = d.of("duration"), d.of("gpus")
    if gpus and durations:
        count, _, device = gpus[0].get("gpus").partition(" ")
        values.append(f"{count}x{device} for {durations[0].get('duration')}")
        d.take(gpus[0], durations[0])
    elif durations and d.of("hardware") and not values:
        device = d.of("hardware")[0]
        values.append(
            f"1x{alias(device.get('hardware'), d.words)} for {durations[0].get('duration')}"
        )
        d.take(device, durations[0])
    if len(values) > 1:
        raise Unfit(f"one budget at a time: {', '.join(values)}")
    return flag("budget", *values)
