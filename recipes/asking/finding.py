"""Readings that look something up: `models`, `tables`, `benchmarks`, `noise`, `explain`, `claims`
and `backtest`.

In: a Draft (`sizes` reads the published paper that is asked about). Out: the argv it becomes, or
several where the sentence can mean several.
"""

import itertools
import os
import re
from collections.abc import Sequence

from ..base.reading import read_json
from ..terms.axes import COMPONENTS
from ..terms.vocabulary import Vocabulary, fold
from . import slots
from .language import Language
from .sentence import Draft, Token, Unfit
from .slots import flag

Readings = list[list[str]]
PROPERTY = {"multi-image": "--multi-image", "video": "--video", "grounding": "--grounding"}


# --- released models


def models(d: Draft) -> Readings:
    """Released models by need: task mix, size, memory, properties, licence, floors, year."""
    if d.has("tree"):
        return [["models", "--tree"]]
    d.need(d.has("open smallest model"))
    d.leave_if(d.of("model"))
    return [needs(d)]


def needs(d: Draft) -> list[str]:
    """`models` for a need."""
    slots.check_limits(d, ("tokens", "px"))
    uses = uses_of(d)
    floors, year = floor(d), released(d)
    found = slots.parts_of_mix(d)
    owned = [x for x in found if x[0] == "family" and x[1] in PROPERTY]
    rated = [x for x in found if x not in owned] or owned
    argv = ["models", *(flag("tasks", slots.mix(rated)) if rated else [])]
    argv += flag("under", size_under(d))
    argv += flag("memory", slots.memory(d))
    argv += slots.number_format(d)
    pointing = d.says("pointing")
    argv += ["--pointing" if pointing and x[1] == "grounding" else PROPERTY[x[1]] for x in owned]
    argv += licence(d) + flag("floor", *floors) + flag("year", year) + flag("uses", *uses)
    argv += ["--all"] if d.says("closed") else []
    argv += ["--smallest"] if d.has("smallest") else []
    return argv + slots.top(d)


def uses_of(d: Draft) -> list[str]:
    """--uses of `models that use SigLIP`."""
    found = d.of(*COMPONENTS)
    verbs = d.has("uses") or d.says("using")
    if not found or not verbs:
        return []
    return d.every("encoder", "connector", "llm")


def size_under(d: Draft) -> str | None:
    """The size that models are to stay under."""
    sizes = d.of("size")
    if not sizes:
        return None
    d.take(*sizes)
    values = list(dict.fromkeys(t.get("size") for t in sizes))
    if len(values) > 1:
        raise Unfit(f"one size at most: {', '.join(values)}")
    if sizes[0].limit == "least":
        raise Unfit(f"models above {values[0]!r}? the flag is --under: name a size to stay under")
    if sizes[0].limit is None:
        raise Unfit(f"models of exactly {values[0]}? say under {values[0]} or up to another size")
    return values[0]


def licence(d: Draft) -> list[str]:
    """--licence of models."""
    kinds = [kind for kind in ("apache", "mit") if d.has(kind)]
    commercial, said = d.take_concept("commercial business"), d.take_concept("licence")
    return flag("licence", kinds[0] if kinds else "commercial" if commercial else
                "open" if said else None)  # fmt: skip


def floor(d: Draft) -> list[str]:
    """NAME=SCORE of `at least 90 on DocVQA`, `DocVQA above 90`."""
    found = []
    numbers = slots.scores(d)
    for token in d.of("benchmark"):
        near = [t for t in numbers if t.limit == "least" and t.place not in d.used]
        near = [t for t in near if not any(o.kind == "name" for o in d.between(t, token))]
        if near:
            found.append(f"{token.get('benchmark')}={near[0].get('number', 'percent', 'points')}")
            d.take(near[0], token)
    return found


def released(d: Draft) -> str | None:
    """`from 2025`, `since 2024`, `2024 or later`: when a model was released."""
    for token in d.of("number"):
        value = token.get("number")
        if not value.isdecimal() or not 2020 <= int(value) <= 2035:
            continue
        d.take(token)
        lead = {t.text for t in d.before(token, 2)}
        behind = " ".join(t.text for t in d.behind(token, 2))
        number = int(value) + bool(lead & {"after", "newer"} or token.limit == "least")
        later = lead & {"since", "after", "newer"} or re.match(r"(or|and) (later|newer)", behind)
        return f"{number}+" if later or token.limit == "least" else str(number)
    return None


def card(d: Draft) -> Readings:
    """Released models by name: their cards, or their ranks for a task mix."""
    found = d.of("model")
    d.need(found)
    names = list(dict.fromkeys(t.get("model") for t in found))
    d.take(*found)
    for token in found:
        stem = token.get("stem")
        if stem:
            d.notes.append(f"{token.text}: {token.get('model')}, as no size was named")
    if len(names) == 1 and d.has("better worse equal"):
        raise Unfit(f"{names[0]} and which other model? (models {names[0]} qwen2-vl-7b)")
    mix = trained_on(d, names)
    tuned = d.has("lora qlora fulltune train") and not mix
    d.leave_if(tuned or d.has("costs howlong export") and not d.has("fit") or d.of("image"))
    d.leave_if(len(d.of("dtype")) > 1)
    d.bonus += 4 + len(names)
    if mix:
        return [["tables", "show", mix]]
    property_asked = d.says("supporting")
    tasks = slots.tasks(d)
    if property_asked and any(t.get("family") in PROPERTY for t in d.sentence.names()):
        tasks = []
    memory = slots.memory(d)
    formats = d.every("dtype")
    fit = [x for x in (memory, *formats) if x]
    if fit:
        d.notes.append(f"{' and '.join(fit)}: the memory lines say what each format needs")
    axes = d.of("axis")
    if not tasks:
        d.take(*axes)
    if not tasks:
        d.take_concept("commercial licence card")
    if len(names) > 1 and not tasks:
        tasks = ["--tasks", "balanced"]
    scored = len(names) == 1 and tasks and not fit
    return [["models", *names, *tasks, *(["--why"] if scored else [])]]


def trained_on(d: Draft, names: Sequence[str]) -> str | None:
    """The data mix of the one model whose data are asked for, where it is known."""
    axes = d.axes("data")
    used = d.said("use", "uses", "used") or any(t.text == "trained" for t in d.sentence.tokens)
    if len(names) != 1 or not axes or not used:
        return None
    known = d.words.registry("model_mixes")["models"].get(names[0])
    if known is None:
        return None
    d.take(*axes)
    d.take_concept("train")
    d.notes.append(f"{known['data']}: the instruction mix of {names[0]}")
    return known["data"]


# --- the evidence


def terms(d: Draft) -> list[str]:
    """What is looked for: names in the order of the sentence, papers by their key."""
    found = []
    for token in d.left():
        kinds = {r.kind for r in token.readings}
        d.take(token)
        if token.get("axis"):
            found.append(token.get("axis").replace("visual_tokens", "tokens"))
        elif (
            token.get("paper")
            and not kinds & set(COMPONENTS)
            or token.get("paper")
            and reporter(d, token)
        ):
            found.append(token.get("paper"))
        elif kinds & {*COMPONENTS, "benchmark"}:
            slug = token.get("benchmark", *COMPONENTS)
            same = token.get("benchmark") or fold(slug) == fold(token.text)
            found.append(slug if same else token.text)
        elif token.get("family", "size", "px", "tokens", "resolution"):
            found.append(token.get("family", "size", "px", "tokens", "resolution"))
        else:
            raise Unfit(f"tables find has no place for {token.text}")
    return list(dict.fromkeys(found))


def reporter(d: Draft, token: Token) -> bool:
    """Whether a name is that of the paper that says something: `what does MM1 say`."""
    behind = d.behind(token, 2)
    lead = d.content_before(token)
    says = any(t.value in ("evidence", "paper", "measure") for t in behind[:2])
    return says or lead is not None and lead.text in ("did", "does", "do", "from", "according to")


def find(d: Draft) -> Readings:
    """Cells of the tables that have all that is named."""
    papers = [t for t in d.of("paper") if not t.get(*COMPONENTS) or reporter(d, t)]
    d.leave_if(
        not d.has("evidence paper result")
        and not (d.has("measure find") and (papers or d.said("where")))
    )
    d.leave_if(d.axes("data") and d.says("containing") and not d.says("papers"))  # mixes
    if papers and d.axes("llm") and d.has("evidence big"):
        return sizes(d, papers[0])
    varied = []
    if d.has("change ablate compare") and not papers:  # which tables vary the LLM
        varied = list(dict.fromkeys(t.get("axis") for t in d.axes()))
        d.take(*d.axes())
        d.bonus += 1 if varied else 0
    found = terms(d)
    if not found and not varied:
        raise Unfit("look for what? (as in tables find q-former)")
    keys = {t.get("paper") for t in d.sentence.names() if t.get("paper")}
    d.bonus += 2 if papers and papers[0] else 1
    if len(found) == 1 and found[0] in keys and not varied:
        return [["tables", "show", found[0]]]
    return [["tables", "find", *found, *flag("varies", *varied)]]


def sizes(d: Draft, paper_named: Token) -> Readings:
    """What a paper says about the size of the LLM: the two sizes of one LLM that lie farthest apart
    in one of its tables, with their rows.
    """
    key, records = paper_named.get("paper"), d.words.records("llm")
    paper = read_json(os.path.join(d.words.directory, f"{key}.json"), trusted=True)
    name = fold(paper["paper"]["short"])
    found: dict[tuple[str, str], float] = {}
    for table in paper["tables"]:
        # where others' models stand beside its own
        own = [row for row in table["rows"] if name in fold(row["arm"])]
        llms = {
            row.get("set", {}).get("llm", table.get("setting", {}).get("llm"))
            for row in own or table["rows"]
        }
        for a, b in itertools.permutations(sorted(s for s in llms if s in records), 2):
            ratio = (records[b]["params_b"] or 0) / (records[a]["params_b"] or 1)
            if a.rsplit("-", 1)[0] == b.rsplit("-", 1)[0] and ratio > 1:
                found[a, b] = ratio
    if not found:
        raise Unfit(
            f"no table of {paper['paper']['short']} has one LLM in two sizes (curve llm_params_b"
            " reads the papers that have)"
        )
    d.take(paper_named, *d.of("axis"))
    d.take_concept("big saturate curve raise")
    d.bonus += 4
    return [["swap", *max(sorted(found), key=found.get), "--why", *slots.benchmarks_or_tasks(d)]]


def show(d: Draft) -> Readings:
    """One table by its number in a paper or its id, or what is in a data mix."""
    if tables := d.every("table"):
        d.bonus += 3
        return [["tables", "show", tables[0]]]
    labels, papers = d.of("label"), d.of("paper")
    if labels and papers:
        d.take(labels[0], papers[0])
        place = "figure" if d.said("figure", "fig") else "table"
        d.bonus += 4
        return [["tables", "show", f"{papers[0].get('paper')}.{place}{labels[0].get('label')}"]]
    data = d.of("data")
    if len(data) == 1 and (found := of_mix(d, data[0])):
        return [found]
    if len(papers) == 1 and d.said("show", "open") and len(d.sentence.names()) == 1:
        d.take(*papers)
        return [["tables", "show", papers[0].get("paper")]]
    raise Unfit("")


HELD = ("dataset", "benchmark", "family")  # what a data mix may hold


def of_mix(d: Draft, mix: Token) -> list[str] | None:
    """What is asked of one data mix that is named: what is in it, whether it holds a dataset, a
    benchmark's training split or a kind of data, and its facts.
    """
    lead = d.before(mix)
    within = bool(lead) and lead[0].text.split()[-1] in ("in", "inside", "of")
    first = d.sentence.names()[0] == mix
    inside = d.has("inside")
    held = first and not d.says("papers") and (d.says("containing") or d.said("have", "has"))
    others = d.of(*HELD)
    if others and (held or within):
        d.take(mix, *others, *d.axes("data"))
        d.take_concept("train howmany")  # the train set of ChartQA, how much chart data
        d.bonus += 5
        asked = flag("contains", *(t.get(*HELD) for t in others))
        return ["tables", "mixes", mix.get("data"), *asked]
    facts = {t for t in d.left() if not t.get("axis")} == {mix}
    facts = facts and d.has("fact licence howhigh howmany open commercial")
    if inside or held and not others or facts:
        d.take(mix, *d.axes("data"))
        d.take_concept("fact licence howhigh howmany open commercial" if facts else "")
        d.bonus += 5 if facts else 2
        return ["tables", "show", mix.get("data")]
    return None


def mixes(d: Draft) -> Readings:
    """Data mixes that contain datasets, all of them."""
    found = d.of("dataset", "benchmark", "data")
    d.leave_if(not found or not d.axes("data") or not d.says("holding"))
    d.leave_if(len(found) > 1 and not d.says("containing"))
    if len(found) > 1 and d.said("or"):
        raise Unfit("--contains asks for all that it names: ask for one at a time")
    d.take(*found, *d.of("axis"))
    d.bonus += 5
    asked = [t.get("dataset", "benchmark", "data") for t in found]
    return [["tables", "mixes", *flag("contains", *asked)]]


def listed(d: Draft) -> Readings:
    """All papers and tables."""
    d.leave_if(
        not d.has("paper evidence") or not (d.has("list") or d.said("which papers", "what papers"))
    )
    d.leave_if(d.sentence.names())
    return [["tables", "list"]]


def claim_ids(d: Draft) -> Readings:
    """Claims by their ids."""
    d.leave_if(not d.has("claim") and not d.of("claim"))
    d.bonus += 4
    return [["claims", *d.every("claim")]]


# --- benchmarks and the backtest


def benchmark(d: Draft) -> Readings:
    """What benchmarks test, and their noise, which says whether a difference is more than that."""
    d.leave_if(
        not d.has("measure noise explain howhigh difference questions seeds")
        and not d.said("about")
    )
    families = d.every("family")
    found = [*d.every("benchmark"), *families]
    if not found:
        if d.has("list measure") and not d.left() and len(d.sentence.text.split()) < 7:
            return [["benchmarks"]]
        raise Unfit("")
    d.bonus += 2 if d.has("noise") or not families else 1
    follow = d.says("following")
    if len(set(found)) > 1 or follow and families and not d.says("testing"):
        return [["benchmarks", "--tasks", ",".join(found)]]
    return [["benchmarks", found[0]]]


def noise(d: Draft) -> Readings:
    """My score of a benchmark beside the paper's, or how far two lie apart."""
    names = d.of("benchmark")
    numbers = slots.scores(d)
    if len(names) == len(numbers) == 1 and is_difference(d, numbers[0]):
        d.take(*names, *numbers)
        d.bonus += 4
        return [["noise", names[0].get("benchmark"), "--difference", slots.score_of(numbers[0])]]
    d.leave_if(len(names) != 1 or len(numbers) != 2)
    d.leave_if(d.has("improve_score") and not d.has("noise paper") or d.has("swap fit"))
    d.leave_if(slots.is_goal(d))  # what brings one there is asked
    mine, paper = numbers
    said = [t.place for t in d.sentence.tokens if re.search(r"paper|report|publish|author", t.text)]
    if said and said[0] < numbers[0].place:
        between = any(numbers[0].place < place < numbers[1].place for place in said)
        own = any(t.value == "mine" and t.place < said[0] for t in d.sentence.tokens)
        if not between and not own:
            mine, paper = paper, mine
    elif not said:
        d.notes.append(f"{mine.text} as yours, {paper.text} as the other one")
    d.take(*numbers, *names)
    d.take(*d.of("model", "paper", "counter"))  # whose score it is says nothing of its noise
    d.bonus += 4
    values = [slots.score_of(t) for t in (mine, paper)]
    return [["noise", names[0].get("benchmark"), "--mine", values[0], "--paper", values[1]]]


def is_difference(d: Draft, number: Token) -> bool:
    """Whether one number is how far two scores lie apart: is 1.5 points on TextVQA noise."""
    apart = any(t.value == "difference" for t in d.before(number, 2))
    return bool(apart or number.get("points", "percent")) and d.has("noise difference")


def consistency(d: Draft) -> Readings:
    """Whether the tables are consistent."""
    d.need(d.has("consistent"))
    return [["check"]]


def backtest(d: Draft) -> Readings:
    """How well the program predicts papers it has not seen."""
    d.need(d.has("accurate sureness"))
    return [["backtest", *flag("paper", *d.every("paper"))]]


ASKED = re.compile(
    r"(?P<lead>.*?)\b(?:what (?:is|are|does)|explain|define|tell me about) (?:an? |the )?"
    r"(?P<term>.+?)(?: means?)?"
)


def term_asked(said: Sequence[str], language: Language, words: Vocabulary) -> str | None:
    """The term of the glossary that a question asks the meaning of, and nothing else."""
    asked = ASKED.fullmatch(" ".join(said))
    path = os.path.join(words.directory, "registry", "glossary.json")
    if not asked or set(asked["lead"].split()) - language.function or not os.path.exists(path):
        return None
    term = fold(asked["term"])
    for row in words.registry("glossary")["terms"]:
        known = {fold(name) for name in (row["term"], *row.get("also", ()))}
        if known & {term, term + "s", term.removesuffix("s")}:
            return row["term"]
    return None


def explain(d: Draft) -> Readings:
    """What a term means, or the facts of a component."""
    facts = d.has("fact howmany howhigh licence commercial")
    d.leave_if(not d.has("explain") and not facts)
    names = [t for t in d.of(*COMPONENTS) if not t.get("size")]
    d.leave_if(facts and names and names[0].get(*COMPONENTS) == names[0].get("data"))
    if len(names) == 1 and len(d.sentence.names()) - len(d.of("axis")) == 1:
        d.take(*names, *(d.of("axis") if facts else []))
        d.take_concept("commercial")
        d.bonus += 1
        return [["explain", names[0].get(*COMPONENTS)]]
    raise Unfit("")
