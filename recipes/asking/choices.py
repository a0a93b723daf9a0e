"""Readings of a choice: `pick`, `rank`, `versus`, `moves`, `ablate`, `design` and `curve`.

In: a Draft. Out: the argv it becomes, or several where the sentence can mean several.
"""

import re

from ..terms.axes import COMPONENTS
from ..terms.recipe import BASELINE_NAME
from . import finding, slots
from .changes import AXIS, LIKE, sides
from .sentence import Draft, Token, Unfit
from .slots import flag

Readings = list[list[str]]
RANKED = (*COMPONENTS, "resolution", "visual_tokens")
BEST = "best rank choose worst better compare most"
CURVES = {"visual_tokens": "visual_tokens", "resolution": "resolution", "llm": "llm_params_b",
          "data": "data_size"}  # fmt: skip
ENDS = {
    "visual_tokens": "tokens",
    "resolution": "px",
    "llm_params_b": "size",
    "data_size": "samples",
}


def axes(d: Draft, known=RANKED) -> list[str]:
    """The parts of a recipe that are named by a word alone, which are used."""
    found = d.axes(*known)
    d.take(*found)
    return list(dict.fromkeys(t.get("axis") for t in found))


def pick(d: Draft) -> Readings:
    """The best recipe to train."""
    d.leave_if(
        not d.has("recipe train cheapest")
        and not (d.has("model") and (d.has("best choose") or d.says("wanting")))
    )
    d.leave_if(not d.has("recipe train cheapest") and d.says("which model"))
    fits = d.says("feasible")
    d.leave_if(
        fits and d.has("train") and not d.has("recipe best choose") and not d.said("what", "which")
    )  # whether training fits is cost's
    if not d.has("recipe model cheapest best"):  # train what?
        d.leave_if(not d.of("family", "benchmark") and not d.said("what", "which"))
    if d.has("recipe") and d.has("train best choose"):
        d.bonus += 1
    existing = []
    if any(t.limit == "most" for t in d.of("size")):  # no flag of pick asks for less than a size
        existing = [finding.needs(Draft(d.sentence, "models"))]
    argv = ["pick", *(slots.tasks(d) or ["--tasks", "balanced"]), *slots.limits(d)]
    left_out = [f"{part}={name}" for part, name in slots.avoided(d)]
    count = slots.top(d)
    argv += flag("fix", *slots.recipe_fields(d)) + flag("avoid", *left_out) + deployed(d) + count
    if d.has("cheapest"):
        argv += flag("pareto", "training")
    elif d.has("fastest"):
        argv += flag("pareto", "latency")
    return [*existing, argv]


def deployed(d: Draft) -> list[str]:
    """--deploy."""
    if "hardware" in {r.kind for t in d.sentence.names() for r in t.readings}:
        return []
    return flag("deploy", "edge" if d.has("edge") else "cloud" if d.has("cloud") else None)


SIZE = re.compile(r"size|scale|parameters")


def rank(d: Draft) -> Readings:
    """The levels of one axis, all else held."""
    among: list[str] = []
    named = d.axes(*RANKED)
    axis = named[0].get("axis") if named else None
    sort = None if named else sort_of(d)
    if sort and sort[1].get("size"):  # the best 3B LLM
        axis, named = "llm", []
        d.bonus += 2
    elif sort and len(found := members(d, *sort)) > 1:  # the best PE encoder
        axis, among = sort[0], found
        d.take(sort[1])
        d.whole.add(sort[1].place)
        d.notes.append(f"{sort[1].text}: {len(found)} of them")
        d.bonus += 4
    for kind in LIKE if not among else ():
        found = sides(d, kind) if kind != "size" else []
        level = AXIS.get(kind, kind)
        several = len(found) > 2 or len(found) == 2 and d.has("rank")
        if several and axis in (None, level):
            axis, among = level, [side.value.split()[0].removesuffix("px") for side in found]
            d.take(*(token for side in found for token in side.tokens))
            d.bonus += 4
            break
    d.leave_if(len(set(among)) < len(among))
    d.leave_if(
        axis not in COMPONENTS and not among or any(SIZE.search(t.text) for t in named)
    )  # along which a curve goes
    asked = any(t.text in ("what", "which") for n in named for t in d.before(n))
    d.leave_if(not axis or not (among or sort or asked or d.has(BEST) or d.said("should")))
    d.leave_if(len({t.get("axis") for t in named}) > 1)
    d.take(*named)
    d.bonus += 2
    argv = ["rank", axis, *flag("among", ",".join(among) if among else None)]
    avoid = [name for part, name in slots.avoided(d) if part == axis]
    argv += slots.on(d) if axis != "llm" else flag("llm-params-b", size_held(d))
    argv += slots.benchmarks_or_tasks(d)
    states = d.every("state") if axis == "encoder" else []
    argv += flag("frozen-encoder", *({"frozen": "true", "unfrozen": "false"}[s] for s in states))
    argv += flag("visual-tokens", d.one("tokens")) if axis != "visual_tokens" else []
    argv += flag("resolution", d.one("px", "resolution")) if axis != "resolution" else []
    for part in ("encoder", "connector", "data"):
        values = d.every(part)
        if part == axis and values:
            if len(values) > 1 or not d.has("best worst"):
                raise Unfit(f"{values[0]} is one {part}, and which one is asked")
            d.notes.append(f"{values[0]} has its place among all, which are listed")
            argv += ["--top", "100"]
            continue
        argv += flag(part, *values)
    found = slots.limits(d)
    argv += [*found, *flag("avoid", ",".join(avoid) or None)]
    if d.take_concept("worst"):
        argv.append("--worst")
    if "--on" not in argv and axis != "llm":
        d.notes.append(f"all else as in {BASELINE_NAME}")
    return [argv]


def sort_of(d: Draft) -> tuple[str, Token] | None:
    """(part, the name before its word) of `the best PE encoder`, `which 3B LLM`, `a small LLM`:
    of what sort the best one is asked for.
    """
    for token in d.of("size", *COMPONENTS):
        part = "llm" if token.get("size") else next(k for k in COMPONENTS if token.get(k))
        behind = d.behind(token)
        own = token.text.split()[-1] in ("llm", "llms")
        lead = d.content_before(token)
        asked = lead is not None and (
            lead.text in ("which", "what") or lead.value in ("best", "rank", "choose", "worst")
        )
        if asked and (own or behind and behind[0].get("axis") == part):
            return part, token
    return None


def members(d: Draft, part: str, token: Token) -> list[str]:
    """The components of a family by its name: PE -> pe-core-l-14, pe-lang-g-14 …"""
    stem = re.escape(re.sub(r"[\s_]+", "-", token.text))
    known = [slug for slug in d.words.records(part) if not slug.endswith("-size-unsaid")]
    found = [slug for slug in known if re.match(rf"{stem}-", slug)]
    return found if len(found) > 1 else [s for s in known if re.match(rf"{stem}(?:-|\d)", s)]


def size_held(d: Draft) -> str | None:
    """The one size that the LLMs are to have. Raises Unfit."""
    slots.check_limits(d, ("size",))
    return d.one("size", what="size of the LLM")


AGAINST = (  # what sets two axes against each other
    "matter double better help first most big more worth budget raise compare best smaller spend"
)


def versus(d: Draft) -> Readings:
    """Two axes: which matters more."""
    found = axes(d)
    d.leave_if(len(found) < 2 or not (d.has(AGAINST) or d.said("or")))
    d.bonus += 4 if d.said("than", "or") else 2
    return [["versus", *found, *slots.tasks(d), *slots.on(d)]]


def moves(d: Draft) -> Readings:
    """What moves a benchmark most, also from one score to another."""
    found = d.of("benchmark") or d.of("family")
    goal = slots.is_goal(d)
    more = any(is_gain(d, number) for number in slots.scores(d)) and not d.has("noise")
    d.leave_if(
        len(found) != 1
        or not (goal or more)
        and not d.has("improve_score help matter most raise change gain")
    )
    token = found[0]
    ends = wanted(d)
    if ends and not token.get("benchmark"):
        raise Unfit(f"scores are of one benchmark, and {token.text} are several: name one")
    most = d.words.records("benchmark").get(token.get("benchmark"), {}).get("max") or 0
    d.leave_if(any(float(x) > most for x in ends.values()))  # from 336 to 672 are no scores
    on = slots.on(d)
    tasks = ["--tasks", token.get("family")] if token.get("family") else [token.get("benchmark")]
    d.take(token)
    d.bonus += 4 if ends else 0
    asked = goal or d.has("improve_score") or d.said("what would", "what can")
    d.bonus += 2 if asked else -1
    given = [x for name in ("from", "target", "gain") for x in flag(name, ends.get(name))]
    return [["moves", *tasks, *given, *on]]


def is_gain(d: Draft, number: Token) -> bool:
    """Whether a number is what is to be gained, not a score: by 10 points, 5 more points, gain 3
    points.
    """
    ahead = [t for t in d.before(number, 4) if t.kind != "side"]  # by at least 5 points
    if ahead and ahead[-1].text == "by":
        return number.limit != "most"
    beside = [t for t in (*d.behind(number, 2), *d.before(number)) if t.kind != "name"]
    if any(t.value == "more" for t in beside):
        return True
    lead = d.content_before(number)
    return bool(number.get("points")) and lead is not None and lead.value in ("gain", "help")


def wanted(d: Draft) -> dict[str, str]:
    """The flags of `moves` that the scores of a sentence are: from, target, gain. Raises Unfit."""
    ends: dict[str, str] = {}
    numbers = slots.scores(d)
    for number in numbers:
        lead = d.content_before(number)
        said = lead.text.split()[-1] if lead is not None else ""
        name = "from"
        if is_gain(d, number):
            name = "gain"
            if number.get("percent"):
                d.notes.append(f"{number.text} as points of the score")
        elif number.get("points") and said in ("get", "want", "need", "wants", "needs"):
            raise Unfit(f"{number.text}: to that score, or by as much more?")
        elif number.limit == "least" or said in d.sentence.language.signs["arriving"]:
            name = "target"
        if name in ends or name == "from" and number.get("points") and said != "from":
            texts = ", ".join(n.text for n in numbers)
            raise Unfit(f"from what to what, or how much more? ({texts})")
        ends[name] = slots.score_of(number)
        d.take(number)
    if {"target", "gain"} <= ends.keys() or len(numbers) == 2 and len(ends) < 2:
        raise Unfit(f"from what to what? ({', '.join(n.text for n in numbers)})")
    return ends


def ablate(d: Draft) -> Readings:
    """What to test first. What is named is the recipe at hand; what is to be kept is a limit."""
    smaller = smaller_run(d)
    d.leave_if(
        not (smaller or d.has("first ablate matter")) and not (d.has("most") and d.has("component"))
    )
    named = d.of("axis")
    if len(named) > 1 or named and named[0].get("axis") in COMPONENTS and d.has("matter"):
        d.take(*named)
        d.notes.append(f"all axes, of which {' and '.join(t.text for t in named)}")
    tasks = slots.tasks(d)
    level = d.one("percent", what="confidence")
    left_out = [f"{part}={name}" for part, name in slots.avoided(d)]
    argv = [*slots.limits(d)]
    own = slots.recipe_fields(d)
    kept = d.says("keeping")
    recipe = flag("fix", *own) if kept else flag("recipe", ",".join(own) if own else None)
    argv = [*tasks, *recipe, *flag("confidence", level), *argv, *flag("avoid", *left_out)]
    return [["ablate", *argv, *deployed(d), *smaller]]


# --- design

POWER = re.compile(r"power|chance|probability|sure|certain")


def design(d: Draft) -> Readings:
    """The fewest runs that separate the named factors."""
    smaller = smaller_run(d)
    d.need(smaller or d.has("runs separate detect design fewest seeds"))
    levels, tokens = {}, [t for t in d.of(*LIKE) if t.get(*LIKE)]
    for token in tokens:
        kind = next(k for k in LIKE if token.get(k))
        if kind == "size" and token.get("number") and not slots.sized(d, token):
            continue
        field = {"size": "llm_params_b", "tokens": "visual_tokens", "px": "resolution"}.get(
            kind, kind
        )
        levels.setdefault(field, []).append(token.get(kind))
        d.take(token)
    counted(d, levels)
    named = axes(d, (*COMPONENTS, "resolution", "visual_tokens"))
    held, argv = [], ["design"]
    for field, values in levels.items():
        values = list(dict.fromkeys(values))
        if len(values) == 1:
            held.append(f"{field}={values[0]}")
        else:
            argv += flag("factor", f"{field}={','.join(values)}")
    done = {field for field, values in levels.items() if len(set(values)) > 1}
    if "resolution" in named and "resolution" not in done:
        argv += flag("factor", "resolution=336,672")
    skip = done | {h.partition("=")[0] for h in held} | {"resolution"}
    skip |= {"llm"} if "llm_params_b" in skip else set()
    argv += flag("factor", *(axis for axis in named if axis not in skip))
    effects, powers = effects_and_powers(d)
    if "--factor" not in argv and effects and not held:
        argv += flag("factor", "encoder")
        d.notes.append("two settings of one axis (the encoder), as no factor was named")
    if "--factor" not in argv:
        raise Unfit(
            "which factors? name the axes or the levels (design --factor encoder --factor data)"
        )
    held = [
        h
        for h in held
        if not (h.startswith("llm_params_b") and abs(slots.size_of(h[13:]) - 7) < 0.3)
    ]
    argv += flag("recipe", ",".join(held) if held else None)
    fewest = d.has("fewest smallest") or d.says("minimum")
    argv += ["--fraction"] if fewest else ["--full"] if d.said("full", "factorial") else []
    argv += ["--interactions"] if d.says("interaction") else []
    names = d.every("benchmark")
    for family in d.every("family"):
        names += d.words.records("family")[family]["core"]
    argv += [*flag("detect", *effects[:1]), *flag("benchmark", *names), *flag("power", *powers[:1])]
    d.bonus += 2
    return [[*argv, *flag("seeds", d.one("seeds")), *smaller]]


def smaller_run(d: Draft) -> list[str]:
    """--proxy of `can I test CLIP against SigLIP on a 0.5B LLM`: a small run asked instead of the
    full one.
    """
    if not d.has("measure ablate") or not d.says("feasible"):
        return []
    for token in d.of("size"):
        lead = d.content_before(token)
        behind = lead is not None and lead.text in ("on", "with", "at")
        if behind and not token.limit and slots.size_of(token.get("size")) < slots.size_of("7B"):
            d.take(token)
            d.bonus += 4
            return flag("proxy", f"llm={token.get('size')}")
    return []


def effects_and_powers(d: Draft) -> tuple[list[str], list[str]]:
    """(the effect to see, the power to see it), each at most one value."""
    effects, powers = d.every("points"), []
    for token in d.of("percent"):
        near = " ".join(t.text for t in (*d.before(token, 2), *d.behind(token, 2)))
        sees = d.has("detect difference gain") or d.says("seeing")
        if re.search(r"confiden|significan", near) or not POWER.search(near) and not sees:
            raise Unfit(
                f"{token.get('percent')}: the power (80% power), an effect to see (a 2%"
                " difference), or the level of the test (--alpha)?"
            )
        (powers if POWER.search(near) else effects).append(token.get("percent"))
        d.take(token)
    for found, what in ((powers, "power"), (effects, "effect to see")):
        if len(set(found)) > 1:
            raise Unfit(f"several values of the {what}: {', '.join(found)}")
    return effects, powers


def counted(d: Draft, levels: dict[str, list[str]]) -> None:
    """`two data mixes`, `3 encoders`: as many as are named, or two, which design chooses."""
    for token in [t for t in d.sentence.tokens if t.get("axis")]:
        lead = d.before(token)
        said = (lead[0].get("few", "number") or "") if lead else ""
        count = int(said) if said.isdecimal() else 0
        if not count:
            continue
        axis = token.get("axis")
        listed = len(set(levels.get(axis, ()))) or 2
        if count != listed:
            raise Unfit(
                f"{count} {axis} levels, but {listed} are named: name them (as in --factor"
                f" {axis}=a,b,c)"
            )
        d.take(lead[0])


# --- curve


LONE = "enough more saturate curve howmany"  # what makes a bare quantity an end of a curve
ALONG = (
    "more enough saturate curve howmany howhigh worth big raise best lower matter gain help smaller"
    " family_word double dropping"
)


def curve(d: Draft) -> Readings:
    """How a score goes along one axis."""
    spans = d.of("range")
    kinds = {axis_kind: axis for axis, axis_kind in ENDS.items()}
    named = [CURVES[axis] for axis in axes(d, tuple(CURVES))]
    if d.has("best choose") and set(named) & {"llm_params_b", "data_size"}:
        d.need(
            any(SIZE.search(t.text) for t in d.sentence.tokens if t.get("axis"))
        )  # the best LLM is no size
    if spans:
        named = [kinds[spans[0].get("range").split()[0]]]
        d.take(*spans)
    found = [k for k in ("tokens", "px", "samples", "size") if d.of(k)]
    over = any(t.limit == "least" for t in d.of("tokens", "px"))
    # how many A100 for a 70B, more than one A100 for a 13B: of what is needed, not of what pays
    served = d.has("howmany") or bool(d.of("gpus") or d.of("hardware")) and not named
    d.leave_if(found == ["size"] and served)
    if not named and found and (over or d.has(LONE)):
        named = [kinds[found[0]]]
    if not named and d.has("big smaller saturate") and d.has("model"):
        named = ["llm_params_b"]
    if not named and d.has("image_word") and d.has("more"):
        named = ["data_size"]
    d.leave_if(not named or not (d.has(ALONG) or over or d.says("asking")))
    slots.check_limits(d, ())
    tasks = slots.tasks(d)
    if len(named) > 1:
        return [["curve", axis, *tasks] for axis in named]
    axis = named[0]
    argv = ["curve", axis, *tasks]
    ends = spans[0].get("range").split()[1:] if spans else []
    over = d.says("beyond")
    for token in d.of(ENDS[axis]) if not spans else []:
        over = over or token.limit == "least"
        ends.append(token.get(ENDS[axis]).removesuffix(" images"))
        d.take(token)
    unit = "B" if axis == "llm_params_b" else ""
    ends = [e if not unit or e[-1] in "BM" else e + unit for e in ends]
    if len(ends) == 2:
        argv += [*flag("from", ends[0]), *flag("to", ends[1])]
    elif ends:
        argv += flag("from" if over else "to", ends[0])
        d.bonus += 1
    skip = ("llm",) if axis == "llm_params_b" else ("data",) if axis == "data_size" else ()
    own = slots.recipe_fields(d, skip)
    if axis == "llm_params_b" and (name := d.one("llm")):
        own.append(f"llm={name}")
    argv += flag("recipe", ",".join(own) if own else None)
    argv += flag("gpu", slots.device(d, slots.alias))
    return [argv + (["--by-family"] if d.has("family_word") else [])]
