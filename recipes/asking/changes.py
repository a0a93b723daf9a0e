"""Readings of one change: `swap` (replaced, added, dropped, frozen) and `schedule`.

In: a Draft. Out: the argv it becomes, or several where the sentence can mean several. Which of two
things is replaced is the registry's table of directions (language.json).
"""

from typing import NamedTuple

from ..terms.axes import COMPONENTS
from ..terms.recipe import BASELINE_NAME
from . import slots
from .sentence import Draft, Token, Unfit
from .slots import BASE, flag

Readings = list[list[str]]
# Kinds of things that can be swapped for each other, in the order in which a pair is tried.
LIKE = (*COMPONENTS, "size", "tokens", "px")
UNITS = {"tokens": "visual tokens", "px": "pixels"}
AXIS = {"size": "llm", "tokens": "visual_tokens", "px": "resolution"}
JOINS = ({"+"}, {"plus"}, {"&"})


class Side(NamedTuple):
    """One side of a swap: its value as an argument, and its tokens."""

    value: str
    tokens: tuple[Token, ...]

    @property
    def place(self) -> int:
        """Where it begins."""
        return self.tokens[0].place

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.tokens[-1].place


def text_of(token: Token, kind: str) -> str | None:
    """A token as an argument of swap, read as one kind."""
    value = token.get(kind)
    if kind == "px":
        name = token.get("resolution")
        return name if value is None and name else value and f"{value}px"
    return f"{value} tokens" if kind == "tokens" and value else value


def sides(d: Draft, kind: str) -> list[Side]:
    """The things of one kind, encoders that are joined by + as one."""
    found = [t for t in d.sentence.names() if t.place not in d.used and text_of(t, kind)]
    if kind == "size":
        found = [t for t in found if not t.get("number") or slots.sized(d, t)]
        if d.of("llm") or any(t.get("llm") for t in found):
            found = [t for t in found if not t.get("llm")]
    if kind not in ("encoder", "data"):
        return [Side(text_of(t, kind), (t,)) for t in found]
    groups: list[list[Token]] = []
    together = len(found) > 2 and len({t.get(kind) for t in found}) < len(found)
    for token in found:
        said = {t.text for t in d.between(groups[-1][-1], token)} if groups else set()
        if kind == "encoder" and groups and (said in JOINS or together and said == {"and"}):
            groups[-1].append(token)
            together = together and said != {"and"}
        else:
            groups.append([token])
    return [Side("+".join(sorted({t.get(kind) for t in g})), tuple(g)) for g in groups]


def pair(d: Draft) -> list[tuple[str, Side, Side]]:
    """(kind, first, second) of the two things that are compared; several where two bare numbers may
    be of two kinds.
    """
    for kind in LIKE:
        found = sides(d, kind)
        bare = [
            t for t in d.of("number") if t.readings[0].kind == "number" and len(t.readings) == 1
        ]
        if kind in ("tokens", "px", "size") and len(found) == 1 and len(bare) == 1:
            number = bare[0].get("number")
            if linked(d, found[0].tokens[0], bare[0]) and number.replace(".", "").isdecimal():
                form = {"tokens": "{} tokens", "px": "{}px", "size": "{}B"}[kind]
                found.append(Side(form.format(number), (bare[0],)))
                found.sort(key=lambda side: side.place)
        same = len({side.value for side in found}) == 1
        if (
            len(found) == 2
            and same
            and kind in ("encoder", "llm")
            and len(d.of("px", "number")) > 1
        ):
            continue  # SigLIP 224 vs SigLIP 384
        if len(found) == 2:
            return [(kind, *found)]
        if len(found) > 2:
            names = ",".join(side.value for side in found)
            raise Unfit(
                f"a third {kind}: {found[2].value} (a swap compares two; rank"
                f" {AXIS.get(kind, kind)} --among {names} compares several)"
            )
    bare = [t for t in d.of("number") if len(t.readings) == 1 and t.get("number").isdecimal()]
    if len(bare) != 2 or any(t.get("benchmark") for t in d.before(bare[0], 2)):
        return []  # TextVQA from 55 to 62 are scores
    from ..terms.sides import bare_kinds

    values = [t.get("number") for t in bare]
    kinds = bare_kinds(*values)
    axes = {t.get("axis") for t in d.of("axis")}
    said = [k for k in kinds if AXIS[k] in axes]
    if len(kinds) == 1 and not said:
        d.notes.append(f"{' and '.join(values)} as {UNITS[kinds[0]]}, as no unit is named")
    form = {"tokens": "{} tokens", "px": "{}px"}
    return [
        (k, *(Side(form[k].format(v), (t,)) for v, t in zip(values, bare, strict=True)))
        for k in said or kinds
    ]


def linked(d: Draft, a: Token, b: Token) -> bool:
    """Whether no other name stands between two."""
    return not any(t.kind == "name" and not t.get("axis") for t in d.between(a, b))


def is_turned(d: Draft, first: Side, second: Side) -> bool:
    """Whether the second thing is what is replaced, by the registry's table of directions."""

    def marks(tokens) -> set[str]:
        return {t.value for t in tokens if t.kind == "concept"} | {
            word for t in tokens if t.kind != "name" for word in t.text.split()
        }

    lead = marks(d.sentence.tokens[: first.place])
    between = marks(d.sentence.tokens[first.end + 1 : second.place])
    for before, middle, turned in d.sentence.language.data["directions"]:
        if set(before.split()) <= lead and set(middle.split()) <= between:
            return turned
    return False


def swap(d: Draft) -> Readings:
    """One thing replaced by another of its kind, or held against the default baseline's."""
    if d.of("state") or trains_encoder(d):
        return state(d)
    if d.has("adding dropping without"):
        joined = added(d) or dropped(d)
        if joined:
            return joined
    found = pair(d)
    if not found:
        unlike(d)
        return alone(d)
    out = []
    used = set(d.used)
    d.bonus += 3
    for kind, first, second in found:
        d.used = set(used)
        d.take(*first.tokens, *second.tokens)
        turned = is_turned(d, first, second)
        a, b = (second, first) if turned else (first, second)
        if a.value == b.value:
            raise Unfit(f"both sides are {a.value}: nothing changes")
        out.append(["swap", a.value, b.value, *context(d, kind, a, b)])
    return out


def unlike(d: Draft) -> None:
    """Raises Unfit for two things that are compared and are not of one kind."""
    if d.of("axis") or not d.has("swap better worse compare instead compared"):
        return
    found = [(s, k) for k in LIKE for s in sides(d, k) if not behind_preposition(d, s, k)]
    found = list({side.place: (side, kind) for side, kind in reversed(found)}.values())
    if len(found) == 2:
        both = " and ".join(f"{side.value} ({AXIS.get(kind, kind)})" for side, kind in found)
        raise Unfit(f"{both} are not of one kind: nothing to swap")


# what asks about one component beside the baseline's
ALONE = (
    "swap gain help hurt worth best better worse lose raise lower choose alone expected change"
    " enough instead difference fit score tiling equal compared result"
)


def alone(d: Draft) -> Readings:
    """One component against the default baseline's."""
    for kind in LIKE:
        found = [side for side in sides(d, kind) if not behind_preposition(d, side, kind)]
        if not found:
            continue
        side = found[0]
        d.take(*side.tokens)
        d.leave_if(side.tokens[0].limit)  # under 4B is no one size
        if [t.text for t in d.behind(side.tokens[-1])] == ["+"]:
            raise Unfit(
                "that is a whole recipe, and a swap is one change of one (predict reads recipes)"
            )
        if side.value == BASE[kind]:
            raise Unfit(
                f"{side.value} is what {BASELINE_NAME} has: say what it is compared with (swap"
                f" {side.value} for …)"
            )
        lead = d.content_before(side.tokens[0])
        d.bonus += 3 if d.has("raise lower") and lead is not None and lead.text == "to" else 0
        d.notes.append(f"against {BASE[kind]} of {BASELINE_NAME}, as nothing else was named")
        d.leave_if(not d.has(ALONE) and not d.says("trying"))
        return [["swap", BASE[kind], side.value, *context(d, kind, side, side)]]
    if d.take_concept("tiling"):
        d.notes.append(f"anyres-672 against {BASE['px']} of {BASELINE_NAME}, as no size was named")
        return [["swap", BASE["px"], "anyres-672", *context(d, "px", None, None)]]
    raise Unfit("")


def behind_preposition(d: Draft, side: Side, kind: str) -> bool:
    """Whether a thing is where a change is looked at (on 7B, with SigLIP), not what changes."""
    lead = d.content_before(side.tokens[0])
    if lead is None or lead.text not in ("on", "at", "in", "for", "with"):
        return False
    others = [(other, s) for other in LIKE if other != kind for s in sides(d, other)]
    if lead.text == "with":  # of what stands before it; go with SigLIP has nothing there
        return any(s.place < side.place and not behind_preposition(d, s, k) for k, s in others)
    return bool(others) or kind != "tokens"


def added(d: Draft) -> Readings | None:
    """An encoder added to another one (default: the baseline's)."""
    if not d.has("adding"):
        return None
    found = sides(d, "encoder")
    others = [k for k in LIKE[1:] if sides(d, k)]
    if not found or len(found) > 2:
        if others and not found:
            thing = sides(d, others[0])[0]
            raise Unfit(
                f"only encoders can be added to each other, not {thing.value} ({others[0]})"
            )
        return None
    mark = next(t for t in d.sentence.tokens if t.value == "adding")
    base = Side(BASE["encoder"], found[0].tokens)
    new = found[0]
    if len(found) == 2:
        new, base = found
        middle = [t.text for t in d.between(new.tokens[-1], base.tokens[0])]
        if (
            "and" in middle
            or "with" in middle
            and mark.text.startswith(("combin", "fus", "concat"))
        ):
            records = d.words.records("encoder")
            kinds = [(records.get(s.value, {}).get("kind") or "") for s in found]
            if "contrastive" in kinds[0] and "contrastive" not in kinds[1]:
                new, base = base, new
    else:
        d.notes.append(f"to {base.value} of {BASELINE_NAME}, as no other encoder was named")
    parts = sorted({*base.value.split("+"), *new.value.split("+")})
    if len(parts) == len(base.value.split("+")):
        raise Unfit(f"{base.value} has {new.value} already")
    d.take(*new.tokens, *base.tokens)
    d.bonus += 2
    return [["swap", base.value, "+".join(parts), *context(d, "encoder", new, base)]]


def dropped(d: Draft) -> Readings | None:
    """An encoder taken out of a fusion; which fusion is asked when it is not said."""
    found = sides(d, "encoder")
    marks = [t for t in d.sentence.tokens if t.value in ("dropping", "without")]
    articles = ("the", "a", "an", "my", "our", "out")
    behind = [t for mark in marks for t in d.behind(mark, 4) if t.text not in articles]
    if marks and not (behind and behind[0].get(*COMPONENTS)):
        return None  # does performance drop
    if d.has("without") and not (len(found) == 2 and "+" in found[0].value):
        return None
    if not found or len(found) > 2:
        others = [k for k in LIKE[1:] if sides(d, k)]
        if others and d.has("dropping"):
            thing = sides(d, others[0])[0]
            raise Unfit(
                f"only an encoder of a fusion can be dropped, not {thing.value} ({others[0]})"
            )
        return None
    d.take_concept("dropping without")
    d.take(*(t for side in found for t in side.tokens))
    d.bonus += 4
    if len(found) == 1:
        gone = found[0].value
        usual = d.sentence.language.data["fusion_partners"].split()
        rest = [s for s in (d.words.find("encoder", name) for name in usual) if s and s != gone][:2]
        return [
            ["swap", "+".join(sorted((gone, s))), s, *context(d, "encoder", found[0], found[0])]
            for s in rest
        ]
    whole, part = sorted(found, key=lambda side: -side.value.count("+"))
    left = [name for name in whole.value.split("+") if name != part.value]
    if part.value not in whole.value.split("+"):
        left = [whole.value] if part.place < whole.place else []
        whole = Side("+".join(sorted((whole.value, part.value))), whole.tokens)
    if not left:
        raise Unfit(f"{whole.value} without {part.value} leaves no encoder")
    return [["swap", whole.value, "+".join(left), *context(d, "encoder", whole, part)]]


# --- frozen or trained


def frozen_parts(d: Draft) -> set[str]:
    """The parts of a recipe that are said to be frozen or trained: `freeze the encoder or the LLM`,
    `keep the LLM frozen`; empty where none is named.
    """
    found: set[str] = set()
    for mark in d.of("state"):
        own: set[str] = set()
        for step in (1, -1):
            j = mark.place + step
            while 0 <= j < len(d.sentence.tokens):
                token = d.sentence.tokens[j]
                part = part_of(token)
                if not part and token.kind == "name" and not token.get("state"):
                    break
                if token.kind in ("unknown",) or token.text in ("in", "during", "for"):
                    break
                on = step < 0 and (lead := d.content_before(token)) and lead.text in ("on", "at")
                beside = d.content_before(token)
                if step > 0 and part and beside and beside.text in ("on", "with", "at"):
                    break
                own |= {part} if part and not on else set()
                j += step
            if own:
                break
        found |= own
    return found


def part_of(token: Token) -> str | None:
    """The part of a recipe that a name or a word stands for."""
    if axis := token.get("axis"):
        return axis if axis in COMPONENTS else None
    return next((p for p in COMPONENTS if token.get(p)), "llm" if token.get("size") else None)


def trains_encoder(d: Draft) -> bool:
    """Whether a sentence asks to train the vision encoder: `training the vision tower`."""
    return any(
        token.value == "train"
        and (rest := [t for t in d.behind(token, 3) if t.text not in ("the", "my", "a", "our")])
        and rest[0].get("axis") == "encoder"
        and not any(t.get(*COMPONENTS) for t in rest[1:2])
        or token.text == "trained"
        and (lead := [t for t in d.before(token, 3) if t.kind == "name"])
        and lead[-1].get("axis") == "encoder"
        and not d.of(*LIKE)
        for token in d.sentence.tokens
    ) and not d.has("costs howlong memory fit")


def state(d: Draft) -> Readings:
    """Freezing or training the vision encoder."""
    parts = frozen_parts(d)
    d.leave_if(d.has("best rank"))
    d.leave_if(parts - {"encoder"} or d.has("stages epochs lora fulltune"))
    marks = d.of("state")
    to = marks[0].get("state") if marks else "unfrozen"
    ordered = [Side(t.get("state"), (t,)) for t in marks]
    if to == "frozen":  # frozen or trained
        trained = [
            t for t in d.sentence.tokens if t.value == "train" and t.text.startswith("train")
        ]
        ordered += [Side("unfrozen", (t,)) for t in trained]
    ordered.sort(key=lambda side: side.place)
    if len({side.value for side in ordered}) == 2:
        first, second = ordered[0], ordered[-1]
        turned = is_turned(d, first, second)
        to = first.value if turned else second.value
    d.take(*marks, *d.axes("encoder"))
    d.bonus += 4
    own = flag("encoder", slots.fused(d) or d.one("encoder"))
    argv = [*own, *context(d, "state", None, None)]
    return [["swap", "unfrozen" if to == "frozen" else "frozen", to, *argv]]


def context(d: Draft, kind: str, a: Side | None, b: Side | None) -> list[str]:
    """Flags of a swap for what is the same on both sides, or stands behind one of them only."""
    slots.check_limits(d, [k for k in slots.EXACT if k != kind])
    d.take(*d.axes(AXIS.get(kind, kind)))
    argv: list[str] = []
    if kind in ("llm", "size"):
        if others := d.of("llm", "size"):
            raise Unfit(f"the LLM is what is swapped, and {others[0].text} is a third one")
    else:
        argv += slots.on(d)
        if not argv:
            d.notes.append(f"on {BASELINE_NAME}, as none was named")
    for part in ("encoder", "connector", "data"):
        if d.of(part) and part == kind:
            raise Unfit(f"a third {part}: {d.of(part)[0].get(part)}")
        if part == "encoder" and part != kind and (both := slots.fused(d)):
            argv += flag(part, both)
            continue
        argv += flag(part, d.one(part)) if part != kind else []
    places = sorted({side.place for side in (a, b) if side})
    for each, name in (("px", "resolution"), ("tokens", "visual-tokens")):
        argv += held(d, each, name, kind, places, a)
    level = d.one("percent", what="level") if d.has("confident sureness") else None
    argv += [*flag("level", level), *flag("score", *scores(d))]
    return argv + slots.benchmarks_or_tasks(d) + (["--why"] if d.has("why") else [])


def scores(d: Draft) -> list[str]:
    """NAME=SCORE of `my DocVQA is 62`: what the first side scores."""
    found = []
    for token in d.of("benchmark"):
        near = [t for t in d.behind(token, 3) if t.get("number", "percent")]
        said = [t.text for t in d.between(token, near[0])] if near else []
        if near and said and set(said) <= {"is", "at", "of", "=", "score", "now", "currently"}:
            value = near[0].get("number", "percent").rstrip("%")
            record = d.words.records("benchmark")[token.get("benchmark")]
            if value.replace(".", "", 1).isdecimal() and float(value) <= (record["max"] or 0):
                found.append(f"{token.get('benchmark')}={value}")
                d.take(near[0])
    return found


def held(d: Draft, each: str, name: str, kind: str, places: list[int], a: Side | None) -> list[str]:
    """--resolution or --visual-tokens, of both sides or of one."""
    found = d.of(each, "resolution") if each == "px" else d.of(each)
    found += slots.at_pixels(d) if each == "px" != kind else []
    if not found:
        return []
    d.take(*found)
    values = [t.get(each, "resolution", "number") for t in found]
    if each == kind:
        raise Unfit(f"a third value of the {name}: {values[0]}")
    early = [
        v
        for v, t in zip(values, found, strict=True)
        if len(places) == 2 and places[0] < t.place < places[1]
    ]
    late = [v for v, t in zip(values, found, strict=True) if v not in early or t.place > places[-1]]
    late = late if early else values
    if len(early) > 1 or len(late) > 1:
        raise Unfit(f"several values of the {name.replace('-', ' ')}: {', '.join(values)}")
    if not early:
        return flag(name, late[0])
    one, two = ("from", "to") if a.place == places[0] else ("to", "from")
    return [*flag(f"{one}-{name}", early[0]), *(flag(f"{two}-{name}", late[0]) if late else [])]


# --- schedule

# Numbers that printed rows have, and the parts that may be named beside what is asked.
KNOWN = {"epochs": (1, 2, 3), "stages": (1, 2, 3), "batch": (64, 128)}
BESIDE = {"epochs": {"llm", "data"}, "stages": {"connector"}, "longer": {"llm", "connector"},
          "lora": {"llm"}, "ramp": {"resolution"}, "batch": {"llm"}}  # fmt: skip


def schedule(d: Draft) -> Readings:
    """Another way to train, by the rows that differ in that alone."""
    parts = frozen_parts(d)
    d.take(*d.of("few"))
    asked = [t for t in ("epochs", "stages", "batch", "ramp", "longer") if d.has(t)]
    asked += ["lora"] if d.has("lora qlora") else []
    if asked == ["stages", "longer"] and d.has("alignment"):
        asked = ["longer"]
    if not asked and d.has("alignment") and d.has("dropping longer"):
        asked = ["longer"] if d.has("longer") else ["stages"]
    frozen = bool(d.of("state"))
    d.leave_if(
        not asked
        and not parts - {"encoder"}
        and not d.has("schedule")
        and trains_part(d) != {"llm"}
    )
    if len(asked) > 1 or asked and asked != ["lora"] and (parts or frozen):
        frozen_said = ["what is frozen"] if frozen else []
        both = " and ".join([*frozen_said, *asked])
        raise Unfit(f"one change of the training at a time: {both}")
    topic = asked[0] if asked else ""
    counts = counted(d, topic)
    parts |= trains_part(d) if not asked else set()
    changes = frozen_changes(d, parts, topic)
    d.take(*d.of("state"))
    if topic == "stages":
        changes += stages(d, counts)
    elif topic == "longer":
        changes.append("longer-alignment" if d.has("alignment") else "longer")
    elif topic and not changes:
        changes.append(topic)
    own = parts | BESIDE.get(topic, set())
    d.take(*(d.axes(*own) if own else ()))
    on = slots.on(d)
    level = d.one("percent", what="level") if d.has("confident") else None
    d.bonus += 2
    return [["schedule", *changes, *on, *flag("level", level), *slots.tasks(d)]]


def trains_part(d: Draft) -> set[str]:
    """{"llm"} where a sentence asks whether to train the LLM at all."""
    for token in d.sentence.tokens:
        rest = [t for t in d.behind(token, 3) if t.text not in ("the", "my", "a", "our")]
        if token.value == "train" and rest and rest[0].get("axis") == "llm":
            if not any(t.kind == "name" for t in rest[1:2]) and not d.of(
                "gpus", "hardware", "size"
            ):
                return {"llm"}
    return set()


def counted(d: Draft, topic: str) -> set[int]:
    """The numbers of epochs, stages or requests that are said. Raises Unfit for one without row."""
    found = set()
    for token in d.of("number"):
        value = token.get("number")
        d.take(token)
        if not value.isdecimal() or int(value) not in KNOWN.get(topic, ()):
            what = f"a batch of {value}" if topic == "batch" else f"{value} {topic}".strip()
            known = f" (known: {', '.join(map(str, KNOWN[topic]))})" if topic in KNOWN else ""
            raise Unfit(f"schedule has no row for {what}{known}")
        found.add(int(value))
    words = [w for t in d.sentence.tokens for w in t.text.split()]
    if topic not in KNOWN:
        return set()
    numbers = d.sentence.language.numbers
    return found | {numbers[w] for w in words if numbers.get(w, 9) <= 3}


def frozen_changes(d: Draft, parts: set[str], topic: str) -> list[str]:
    """Changes that freezing or training some parts comes to."""
    if other := sorted(parts - {"encoder", "llm"}):
        raise Unfit(
            f"schedule has no row for a frozen {' or '.join(other)}: printed rows freeze the"
            " encoder (schedule encoder) or the LLM (schedule frozen-llm)"
        )
    if topic == "lora":
        if parts == {"llm"} and d.of("state"):
            both = ["lora", "frozen-llm", "lora-over-frozen"]
            return both if d.has("fulltune") else ["lora-over-frozen"]
        if parts and d.of("state"):
            raise Unfit("LoRA and a frozen encoder are two changes; schedule shows each alone")
        return []
    if len(parts) == 2 and not d.says("either"):
        raise Unfit(
            "two changes at once have no row (schedule encoder frozen-llm shows each alone)"
        )
    return [{"encoder": "encoder", "llm": "frozen-llm"}[part] for part in sorted(parts)]


def stages(d: Draft, counts: set[int]) -> list[str]:
    """Changes of the number of stages."""
    if d.says("stage two") and not d.has("adding more"):
        raise Unfit("schedule has no row without stage 2: it is the instruction tuning itself")
    if counts >= {1, 3}:
        raise Unfit(
            "schedule has no row for one stage beside three (schedule one-stage extra-stage shows"
            " both beside two)"
        )
    if 3 in counts or d.says("extra stage"):
        return ["extra-stage"]
    one = counts or d.has("dropping alignment without") or d.said("connector", "skip")
    return ["one-stage"] if one else ["one-stage", "extra-stage"]
