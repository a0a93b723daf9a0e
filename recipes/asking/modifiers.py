"""Words around the names and quantities of a sentence: what they make of it as a modifier (`on 7B`,
`for charts`, `under 300 ms on L4`).

In: items (lexicon.py) and a place among them. Out: the Modifiers that begin there, and the place
behind them. Knows no form and no command.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .lexicon import Item


def spaced(text: str) -> tuple[str, ...]:
    """Words that stand apart, in their order."""
    return tuple(text.split())


def words_of(text: str) -> frozenset[str]:
    """Words that stand apart, as a set."""
    return frozenset(text.split())


# Words that carry no request: said out of politeness or for grammar's sake.
DROPPED = words_of(
    "overall generally a an the my our your please pls plz kindly thanks thank thx hi hey hello"
    " simple plain vanilla standard regular normal just really actually maybe exactly roughly"
    " approximately basically currently s well even ever very quite still much too some hmm so"
    " possible possibly honestly simply dear bro sir folks team"
)
FILL = words_of(
    "quick must care i we you me us it its they is are be been being am was were will would can"
    " could should shall may might do does did doing have has had if then and there that this these"
    " those what which who how when where now want wants need needs like know think tell show give"
    " see let lets get got gets of to for on in at with as about use using used say wondering"
    " wonder curious question here right mean new whether ok okay well also"
)
BELOW = words_of("under below less smaller up most max maximum within fewer < <= inside")
ABOVE = words_of("over above more least minimum min > >= beyond exceed exceeds exceeding")
LIMIT = BELOW | ABOVE | words_of("than no not at")
AVOID = words_of("without avoid avoids avoiding no not except excluding")
LICENCE = words_of(
    "licence license licensed licenced licences licenses permissive commercial commercially"
)
PREPS = words_of(
    "on with for at in using of over above about around into within given via through to have has"
    " having got only and inside under below < <= = fits fit limited limit budget compute train"
    " training trained run runs running"
)


def near(*words: str) -> frozenset[str]:
    """The prepositions and these words."""
    return PREPS | frozenset(" ".join(words).split())


# kind of modifier -> (kinds of item, words before it, words behind it). The first one that fits
# counts.
MODIFIERS: Mapping[str, tuple[tuple[str, ...], frozenset[str], frozenset[str]]] = {
    "under": (
        ("size",),
        LIMIT | near("params parameters size model models vlm vlms llm anything one"),
        words_of("llm llms model models vlm vlms parameters params parameter lm one"),
    ),
    "size": (
        ("size",),
        near("llm model vlm backbone size sized scale around about base"),
        words_of(
            "llm llms model models vlm vlms backbone scale parameters params parameter lm size"
            " sized one decoder base"
        ),
    ),
    "tokens": (("tokens",), near("fixed same equal budget of"), words_of("per image budget each")),
    "px": (
        ("px", "resolution"),
        near("resolution input image images crops"),
        words_of("resolution images image input inputs px pixels"),
    ),
    "budget": (
        ("budget",),
        LIMIT | near("budget costs cost spend less have compute i we training"),
        words_of("budget compute training of total"),
    ),
    "speed": (
        ("speed",),
        LIMIT
        | near(
            "at faster decode decodes decoding decoded speed generates generating writes answer"
            " answers"
        ),
        words_of("decoding decode speed minimum"),
    ),
    "latency": (
        ("latency",),
        LIMIT
        | near(
            "latency ttft first token respond responds replies answers answer reply response faster"
            " time"
        ),
        words_of("latency ttft total response per answer first token time"),
    ),
    "memory": (
        ("memory",),
        LIMIT | near("memory vram ram fits fit single gpu card"),
        words_of("memory vram ram of gpu card video"),
    ),
    "gpus": (("gpus",), near("node cluster"), words_of("gpus gpu node cluster cards")),
    "dtype": (
        ("dtype",),
        near("quantized quantised quantization precision"),
        words_of("quantized quantised quantization quantisation precision weights quant"),
    ),
    "level": (
        ("percent",),
        near("until sure confidence be being confident least"),
        words_of("sure confidence confident certain certainty interval"),
    ),
    "points": (
        ("points",),
        near("see detect find seeing detecting difference effect least gain as small"),
        words_of("difference differences effect effects gain gains"),
    ),
    "seeds": (("seeds",), near(), words_of("each")),
    "image": (
        ("image",),
        near("image images picture photo screenshot screenshots size sized"),
        words_of("image images picture photo screenshot screenshots px pixels pixel input"),
    ),
    "device": (
        ("hardware",),
        near("device deploy deployed deployment gpu card single run runs running"),
        words_of("gpu gpus card device devices board"),
    ),
    "llm": (
        ("llm",),
        near("llm backbone base language decoder"),
        words_of("llm backbone model base"),
    ),
    "encoder": (
        ("encoder",),
        near("encoder backbone tower vision"),
        words_of("encoder backbone tower vision"),
    ),
    "connector": (("connector",), near("connector projector"), words_of("connector projector")),
    "data": (("data",), near("data dataset mix mixture"), words_of("data dataset mix mixture")),
    "duration": (("duration",), LIMIT | near(), frozenset()),
    "times": (("number",), near("batch size"), words_of("epochs epoch stages stage size")),
    "model": (("model",), near("model models"), words_of("model")),
    "paper": (("paper",), near("paper"), words_of("paper model recipe")),
    "counter": (("counter",), near("model"), words_of("model")),
    "claim": (("claim",), near("claim claims"), frozenset()),
    "count": (("count",), near(), frozenset()),
    "images": (
        ("images", "samples"),
        LIMIT | near("budget training train trained data dataset take takes accept accepts"),
        words_of("data budget training total per request each at once together prompt"),
    ),
    "range": (("range",), near("really between from"), words_of("visual image tokens range px")),
}
FOUND = (
    "paper",
    "encoder",
    "connector",
    "llm",
    "data",
    "benchmark",
    "family",
    "resolution",
    "size",
    "px",
    "tokens",
)
TASK_BEFORE = near(
    "good best strong better well reading read reads understand understands understanding parse"
    " parses parsing extract extracting answer answers answering do does doing handle handles"
    " handling can that questions tasks task like as analyse analyze solve solves solving mainly"
    " mostly focused especially both know knows able count needs improve improves improving help"
    " helps perform performs score scores ace excel excels at great domain workload use case"
    " regarding from look looks performance results deal deals"
)
TASK_BEHIND = words_of(
    "tasks task benchmarks benchmark questions question understanding images image objects"
    " performance accuracy score scores results quality capability capabilities type work stuff"
    " workload reading processing inputs files use case cases domain problems app apps qa best well"
    " understanding extraction better most"
)
JOIN = words_of("and or plus & + as well also then with")


class Modifier(NamedTuple):
    """A modifier of a sentence: its kind, its value, and the place of its first item."""

    kind: str
    value: str
    place: int


def side(said: Sequence[str]) -> str | None:
    """What the words of a quantity make of it: `most` (under, up to, no more than), `least` (over,
    at least), or neither.
    """
    found = [
        limit for limit, marks in (("most", BELOW), ("least", ABOVE)) if marks.intersection(said)
    ]
    if len(found) == 1 and {"no", "not"}.intersection(said):
        return "least" if found[0] == "most" else "most"
    return found[0] if found else None


AXES = {
    "encoder": "encoder",
    "encoders": "encoder",
    "backbone": "encoder",
    "tower": "encoder",
    "connector": "connector",
    "connectors": "connector",
    "projector": "connector",
    "projectors": "connector",
    "llm": "llm",
    "llms": "llm",
    "data": "data",
    "mix": "data",
    "mixes": "data",
    "mixture": "data",
    "mixtures": "data",
    "dataset": "data",
    "datasets": "data",
}
SIZED = words_of(
    "llm llms lm model models vlm vlms backbone parameters params parameter decoder base"
)


def modifier(
    items: Sequence[Item], i: int, allowed: Sequence[str]
) -> tuple[list[Modifier], int] | None:
    """The modifier that begins at i, of the kinds a form allows, and the place behind it."""
    if "items" in allowed and items[i].value(*FOUND):
        return [Modifier("item", items[i].text, i)], i + 1
    if "floor" in allowed:
        found = floor(items, i)
        if found:
            return found
    if "year" in allowed:
        found = year(items, i)
        if found:
            return found
    if "tasks" in allowed:
        found = tasks(items, i, "points" not in allowed)
        if found:
            return found
    # under a commercial licence: no limit of anything
    if "licence" in allowed and items[i].text in ("under", "with", "of"):
        j = i + 1
        while j < len(items) and items[j].text in LICENCE | {"open"} and not items[j].readings:
            j += 1
        if any("licen" in item.text for item in items[i + 1 : j]):
            return [Modifier("licence", " ".join(item.text for item in items[i + 1 : j]), i)], j
    if (
        "many" in allowed
        and i + 1 < len(items)
        and items[i + 1].text in AXES
        and not items[i + 1].readings
    ):
        count = COUNTS.get(items[i].text) or items[i].value("number") or ""
        if count.isdecimal():
            return [Modifier("many", f"{count} {AXES[items[i + 1].text]}", i)], i + 2
    if "avoid" in allowed and items[i].text in AVOID:
        found = avoided(items, i)
        if found[0]:
            return found
    j = i
    while j < len(items) and j - i < 6 and not items[j].readings and items[j].known:
        j += 1
    if j == len(items):
        return None
    before = [item.text for item in items[i:j]]
    for kind in allowed:
        if kind not in MODIFIERS:
            continue
        kinds, lead, behind = MODIFIERS[kind]
        value = items[j].value(*kinds)
        if (
            value is None
            and kind == "px"
            and items[j].value("number")
            and before
            and before[-1] in ("at", "resolution", "@")
        ):
            value = (
                items[j].value("number")
                if items[j].value("number").isdecimal()
                and 50 < int(items[j].value("number")) < 9000
                else None
            )
        if value is None or any(word not in lead for word in before):
            continue
        limited = side(before) == "most"
        if kind == "size" and limited:
            continue
        if kind == "under" and not limited:
            if (
                j + 1 < len(items)
                and items[j + 1].text in ("max", "maximum", "tops")
                or j + 2 < len(items)
                and (items[j + 1].text, items[j + 2].text) == ("or", "less")
            ):
                return [Modifier(kind, value, i)], j + 2 + (items[j + 1].text == "or")
            continue
        after = j + 1
        while after < len(items) and items[after].text in behind and not items[after].readings:
            after += 1
        if (
            kind == "size"
            and items[j].value("number")
            and not SIZED.intersection(before + [item.text for item in items[j + 1 : after]])
        ):
            continue  # a bare 50M: parameters, or images to train on?
        return [Modifier(kind, value, i)], after
    return None


def avoided(items: Sequence[Item], i: int) -> tuple[list[Modifier], int]:
    """`without CLIP or a Q-Former`: what a recipe must not have, all of what is joined by `and` or
    `or`.
    """
    j, after = i + 1, i + 1
    found: list[Modifier] = []
    while j < len(items):
        if not found and items[j].text in ("using", "use", "with", "any", "encoder", "connector"):
            j += 1
            continue
        kind = next(
            (kind for kind in ("encoder", "connector", "llm", "data") if items[j].value(kind)), None
        )
        if kind is None:
            break
        whole = kind == "llm" and not re.search(r"\d", items[j].text)  # Llama: of every size
        found.append(
            Modifier("avoid", f"{kind}={items[j].text if whole else items[j].value(kind)}", i)
        )
        after = j + 1
        if after == len(items) or items[after].text not in ("and", "or", "nor", "&"):
            break
        j = after + 1
    return found, after


def year(items: Sequence[Item], i: int) -> tuple[list[Modifier], int] | None:
    """`from 2025`, `since 2024`, `2024 or later`: when a model was released."""
    j = i
    while (
        j < len(items)
        and j - i < 3
        and items[j].text
        in ("from", "since", "after", "in", "released", "of", "year", "newer", "than")
    ):
        j += 1
    value = items[j].value("number") if j < len(items) else None
    if not value or not value.isdecimal() or not 2020 <= int(value) <= 2035:
        return None
    before, after = {item.text for item in items[i:j]}, [item.text for item in items[j + 1 : j + 3]]
    number = int(value) + bool(before & {"after", "newer"})
    if after in (["or", "later"], ["or", "newer"], ["and", "later"]):
        return [Modifier("year", f"{number}+", i)], j + 3
    return [
        Modifier("year", f"{number}+" if before & {"since", "after", "newer"} else str(number), i)
    ], j + 1


COUNTS = {"two": "2", "three": "3", "four": "4", "five": "5"}
LEAST = words_of(
    "at least above over more than > >= minimum min of score scores scoring with reaches reach gets"
    " better beyond = on exceeds"
)


def floor(items: Sequence[Item], i: int) -> tuple[list[Modifier], int] | None:
    """`at least 90 on DocVQA`, `DocVQA above 90`: the least printed score on a benchmark."""
    j = i
    while j < len(items) and items[j].text in LEAST and not items[j].readings:
        j += 1
    if j == len(items):
        return None
    marked = bool(
        {item.text for item in items[i:j]}
        & {
            "least",
            "above",
            "over",
            "more",
            ">",
            ">=",
            "minimum",
            "min",
            "better",
            "beyond",
            "exceeds",
        }
    )
    value, name = items[j].value("number", "percent", "points"), items[j].value("benchmark")
    k = j + 1
    marked |= k < len(items) and items[k].text == "+"
    while (
        k < len(items)
        and items[k].text in (LEAST | words_of("+ % in for"))
        and not items[k].readings
    ):
        marked |= items[k].text in (
            "least",
            "above",
            "over",
            "more",
            ">",
            ">=",
            "minimum",
            "min",
            "better",
            "beyond",
            "+",
            "exceeds",
        )
        k += 1
    if k == len(items) or not marked:
        return None
    if value and items[k].value("benchmark"):
        return [Modifier("floor", f"{items[k].value('benchmark')}={value}", i)], k + 1
    if name and items[k].value("number", "percent", "points"):
        return [
            Modifier("floor", f"{name}={items[k].value('number', 'percent', 'points')}", i)
        ], k + 1
    return None


def tasks(
    items: Sequence[Item], i: int, weighted: bool = True
) -> tuple[list[Modifier], int] | None:
    """A list of task families and benchmarks from i, with weights where they are said (`60%
    documents, 40% charts`) and can be meant.
    """
    j = i
    while j < len(items) and j - i < 6 and not items[j].readings and items[j].text in TASK_BEFORE:
        j += 1
    found: list[Modifier] = []
    weight = None
    while j < len(items):
        item = items[j]
        behind = items[j + 1] if weighted and item.value("percent") and j + 1 < len(items) else None
        if behind and (behind.value("family", "benchmark") or behind.text in ("for", "on", "of")):
            weight, j = item.value("percent"), j + 1
            j += items[j].text in ("for", "on", "of")
            continue
        value = item.value("family", "benchmark")
        kind = "family" if item.value("family") else "benchmark"
        if value is None or any(r.kind == "paper" for r in item.readings) and kind != "benchmark":
            break
        after = j + 1
        follows = any(item.value("percent") for item in items[after + 1 :]) or bool(
            found and "=" in found[-1].value
        )
        if (
            weighted
            and weight is None
            and after < len(items)
            and items[after].value("percent")
            and follows
        ):
            weight, after = items[after].value("percent"), after + 1
        if (
            weight is None
            and after + 1 < len(items)
            and items[after].text == "="
            and items[after + 1].value("number", "percent")
        ):
            weight, after = items[after + 1].value("number", "percent"), after + 2
        found.append(
            Modifier(
                kind,
                (
                    f"{value}={float(weight.rstrip('%')) / (100 if weight[-1] == '%' else 1):g}"
                    if weight
                    else value
                ),
                j,
            )
        )
        weight = None
        j = after
        while j < len(items) and items[j].text in TASK_BEHIND and not items[j].readings:
            j += 1
        step = j
        while step < len(items) and items[step].text in JOIN and not items[step].readings:
            step += 1
        ahead = step
        while (
            ahead < len(items)
            and ahead - step < 3
            and not items[ahead].readings
            and items[ahead].text in TASK_BEFORE
        ):
            ahead += 1
        if ahead < len(items) and (
            items[ahead].value("family", "benchmark") or weighted and items[ahead].value("percent")
        ):
            j = ahead
            continue
        break
    return (found, j) if found else None
