"""Sentence forms about the training itself: `schedule` (what is frozen, LoRA, stages, epochs,
steps, the resolution ramp, the batch).

In: matches of the forms below and the vocabulary. Out: the argv each becomes. A change that no
printed row shows (a frozen connector, ten epochs) is refused by name. What a trained encoder does
is `swap`'s (changes.py): the model knows it.
"""

import re
from collections.abc import Sequence

from ..terms.vocabulary import Vocabulary
from . import flags
from .changes import context
from .flags import Readings, llm_named
from .grammar import CLASSES, STATES, Form, Match, Unfit
from .modifiers import words_of

STAGES, EPOCHS, STEPS = words_of("stage stages"), words_of("epoch epochs"), words_of("longer steps")
ALIGNMENT = words_of("alignment align aligning pretraining pretrain")
LORA, RAMP = (
    words_of("lora qlora adapters"),
    words_of("ramp ramping ramped progressive progressively"),
)
FULL = words_of("full fully finetuning finetune finetuned tuning whole")
FREEZING = frozenset(word for word in STATES if "fr" in word)
MORE = words_of("more extra another additional intermediate mid longer")
LESS = words_of("skip skipping drop dropping without omit remove leave single one")
COUNTS = {
    "one": 1,
    "single": 1,
    "first": 1,
    "two": 2,
    "second": 2,
    "2nd": 2,
    "twice": 2,
    "three": 3,
    "third": 3,
    "3rd": 3,
}
TALK = words_of(
    "does do is are it a the should i we my help helps hurt hurts worth better worse than or vs"
    " versus instead rather matter matters difference enough needed need necessary required good"
    " bad useful effect gain gains lose cost compared to compare with for and more most how many"
    " much what which happens if when add adding train training trained keep keeping kept stay"
    " stays only alone also over model models vlm recipe improve improves beat beats outperform"
    " smaller larger bigger sft instruction tuning during change changes affect affects use best"
    " really not number of run one two choose schedule schedules way ways data all along first low"
    " lower resolution steps too plan plans stop benefit vision pay pays then"
)


def frozen(m: Match, parts: frozenset[str]) -> list[str]:
    """Changes that freezing or training some parts comes to. The encoder alone is another
    form's.
    """
    other = sorted(parts - {"encoder", "llm"})
    if other:
        raise Unfit(
            f"schedule has no row for a frozen {' or '.join(other)}: printed rows freeze the"
            " encoder (schedule encoder) or the LLM (schedule frozen-llm)"
        )
    if m.said & LORA and parts == {"llm"}:
        return ["lora", "frozen-llm", "lora-over-frozen"] if m.said & FULL else ["lora-over-frozen"]
    if m.said & LORA and parts:
        raise Unfit("")
    if len(parts) == 2 and not m.said & {"or", "vs", "versus", "than"}:
        raise Unfit(
            "two changes at once have no row (schedule encoder frozen-llm shows each alone)"
        )
    return (
        ["encoder", "frozen-llm"] if len(parts) == 2 else ["frozen-llm"] if "llm" in parts else []
    )


def stages(m: Match) -> list[str]:
    """Changes of the number of stages."""
    counts = {COUNTS[item.text] for item in m.items if item.text in COUNTS} | {
        int(x.value) for x in m.of("times")
    }
    spelled = " ".join(item.text for item in m.items)
    if re.search(r"\bstage 2\b", spelled):
        raise Unfit("schedule has no row without stage 2: it is the instruction tuning itself")
    if counts >= {1, 3}:
        raise Unfit(
            "schedule has no row for one stage beside three (schedule one-stage extra-stage shows"
            " both beside two)"
        )
    if 3 in counts or re.search(
        r"\b(?:extra|another|additional|intermediate|mid|more)\b[a-z ]* stages?\b", spelled
    ):
        return ["extra-stage"]
    return (
        ["one-stage"]
        if counts or m.said & (LESS | ALIGNMENT | {"connector"})
        else ["one-stage", "extra-stage"]
    )


def topics(m: Match) -> list[str]:
    """What of the training is asked about, beside what is frozen."""
    low = m.said & {"low", "lower"} and {"resolution", "first"} <= m.said
    said = {
        "epochs": m.said & EPOCHS,
        "stages": m.said & STAGES,
        "batch": "batch" in m.said,
        "ramp": m.said & RAMP or low,
        "lora": m.said & LORA,
        "longer": m.said & STEPS,
    }
    found = [name for name, words in said.items() if words]
    return ["longer"] if found == ["stages", "longer"] and m.said & ALIGNMENT else found


# Numbers that printed rows have, and the parts that may be named beside what is asked.
KNOWN = {"epochs": (1, 2, 3), "stages": (1, 2, 3), "batch": (64, 128)}
BESIDE = {
    "epochs": {"llm", "data"},
    "stages": {"connector"},
    "longer": {"llm", "connector"},
    "lora": {"llm"},
}


def schedule(m: Match, words: Vocabulary) -> Readings:
    """Another way to train, by the rows that differ in that alone. What it costs is another
    question.
    """
    if m.said & {"cost", "costs"}:
        raise Unfit("")
    parts, asked = flags.frozen_parts(m.items), topics(m)
    if len(asked) > 1 or asked and asked != ["lora"] and (parts or m.said & FREEZING):
        raise Unfit(
            "one change of the training at a time:"
            f" {' and '.join([*(['what is frozen'] if m.said & FREEZING else []), *asked])}"
        )
    topic = asked[0] if asked else ""
    for x in m.of("times"):
        if not x.value.isdecimal() or int(x.value) not in KNOWN.get(topic, ()):
            what = {
                "batch": f"a batch of {x.value}",
                "epochs": f"{x.value} epochs",
                "stages": f"{x.value} stages",
            }.get(topic, x.value)
            raise Unfit(
                f"schedule has no row for {what}"
                + (f" (known: {', '.join(map(str, KNOWN[topic]))})" if topic in KNOWN else "")
            )
    if (
        parts == {"encoder"}
        and not asked
        and any(flags.trained_part(m.items, i) for i in range(len(m.items)))
    ):
        return [("swap", "frozen", "unfrozen", *context(m, "state", None, None, words))]
    changes = frozen(m, parts)
    if topic == "stages":
        changes += stages(m)
    elif topic == "longer":
        changes.append("longer-alignment" if m.said & ALIGNMENT else "longer")
    elif topic and not changes:
        changes.append(topic)
    beside = flags.axes_named(m.items) - parts - BESIDE.get(topic, set()) | m.said & (
        ALIGNMENT if topic not in ("stages", "longer") else set()
    )
    beside |= m.said & {"ramp": set(), "batch": {"resolution"}}.get(
        topic, {"low", "lower", "resolution", "smaller", "larger", "bigger"}
    )
    beside |= (
        {word for word in m.said & COUNTS.keys() if COUNTS[word] > 1}
        if topic not in ("epochs", "stages")
        else set()
    )
    if beside or not changes and not m.said & {"schedule", "schedules"}:
        raise Unfit("")
    size = m.first("llm") or m.first("size")
    return [
        (
            "schedule",
            *changes,
            *(["--on", llm_named(m.first("llm"), m.first("size"), words)] if size else []),
            *(["--level", m.first("level")] if m.first("level") else []),
            *flags.common(m, words),
        )
    ]


FORMS: Sequence[Form] = (
    Form(
        "schedule",
        ("batch size?", ""),
        ("tasks", "size", "llm", "encoder", "connector", "level", "times"),
        TALK
        | LORA
        | FULL
        | STAGES
        | EPOCHS
        | STEPS
        | ALIGNMENT
        | RAMP
        | MORE
        | LESS
        | frozenset(COUNTS)
        | frozenset(STATES)
        | frozenset(CLASSES["help"])
        | flags.VERBS
        | words_of(
            "gained by keeping encoder encoders llm llms connector connectors projector projectors"
            " tower backbone language adapter"
        ),
        (
            flags.VERBS
            | LORA
            | STAGES
            | EPOCHS
            | STEPS
            | RAMP
            | frozenset(STATES)
            | words_of("batch schedule schedules low"),
        ),
        schedule,
        "should I freeze the LLM for documents",
    ),
)
