"""Sentence forms about recipes: `swap`, `pick`, `ablate`, `design` and `curve`.

In: matches of the forms below and the vocabulary. Out: the argv each becomes, or several where the
sentence can mean several.
"""

from collections.abc import Sequence

from ..terms.vocabulary import Vocabulary
from . import flags
from .flags import BASE, Readings, llm_named
from .grammar import CLASSES, STATES, Form, Match, Part, Unfit
from .modifiers import AXES, LICENCE, near, words_of

TALK = words_of(
    "gain gains lose loses losing cost costs happens happen change changes changed difference"
    " effect impact delta improvement benefit expect expected what how much many by from when"
    " difference matter matters make makes made score scores performance accuracy quality replaced"
    " going go better between compare compared comparison comparing please llm encoder connector"
    " projector resolution data size base backbone alone only itself out help helps hurt hurts"
    " improve idea bad tokens token visual px thinking considering cut cutting reduce reducing"
    " increase increasing raise raising lower lowering bump bumping scale scaling benefit advantage"
    " win point gained now current setup recipe model models vlm vlms switch try trying instead get"
    " points bring brings give gives worth it result results benchmarks flat stay stays which fall"
    " falls choose choosing over than or train training"
)
SWAP_MODIFIERS = ("tasks", "size", "llm", "tokens", "px", "data", "connector", "encoder", "level")


def context(
    m: Match, axis: str, first: Part | None, second: Part | None, words: Vocabulary
) -> list[str]:
    """Flags of a swap for what is the same on both sides, or stands behind one of them only."""
    argv: list[str] = []
    if axis == "state" and flags.frozen_parts(m.items) - {"encoder"}:
        raise Unfit("")  # a frozen LLM is no frozen encoder
    one, two = (m.first("llm"), m.first("size"))
    if one or two:
        if axis in ("llm", "size"):
            raise Unfit(f"the LLM is what is swapped, and {one or two} is a third one")
        argv += ["--on", llm_named(one, two, words)]
    for kind in ("encoder", "connector", "data"):
        if m.first(kind):
            if axis == kind:
                raise Unfit(f"a third {kind}: {m.first(kind)}")
            argv += [f"--{kind}", m.first(kind)]
    places = sorted(part.place for part in (first, second) if part)
    for kind, flag in (("px", "resolution"), ("tokens", "visual-tokens")):
        found = m.of(kind)
        if not found:
            continue
        if axis == kind:
            raise Unfit(f"a third value of the {flag.replace('-', ' ')}: {found[0].value}")
        early = [x for x in found if len(places) == 2 and places[0] < x.place < places[1]]
        late = [x for x in found if x not in early]
        if len(early) > 1 or len(late) > 1:
            raise Unfit(
                f"several values of the {flag.replace('-', ' ')}:"
                f" {', '.join(x.value for x in found)}"
            )
        if early:
            left = first.place == places[0]
            argv += [f"--{'from' if left else 'to'}-{flag}", early[0].value]
            argv += [f"--{'to' if left else 'from'}-{flag}", late[0].value] if late else []
        else:
            argv += [f"--{flag}", late[0].value]
    if m.first("level"):
        argv += ["--level", m.first("level")]
    found = m.of("family", "benchmark")
    if found and all(x.kind == "benchmark" and "=" not in x.value for x in found):
        return argv + flags.repeated("--benchmark", list(dict.fromkeys(x.value for x in found)))
    return argv + flags.common(m, words)


def swap(m: Match, words: Vocabulary, turned: bool = False) -> Readings:
    """A replaced by B (`turned`: B by A)."""
    a, b = m.captured["A"], m.captured["B"]
    if turned:
        a, b = b, a
    early = a if a.place < b.place else b
    if (
        m.form.name == "swap-worse"
        and "and" in m.said
        and not m.said & {"between", "compare", "or", "vs"}
        and picked(m, early)
    ):
        raise Unfit("")  # a recipe with DINOv2 and SigLIP has both
    found = flags.pairs(a, b)
    if not found:
        raise Unfit(
            f"{flags.described(a)} and {flags.described(b)} are not of one kind: nothing to swap"
        )
    if len(found) > 1 and m.said & {"tokens", "token"}:
        found = [pair for pair in found if pair[0] == "tokens"] or found
    elif len(found) > 1 and m.said & {"resolution", "pixels", "px"}:
        found = [pair for pair in found if pair[0] == "px"] or found
    out = []
    for kind, one, two in (
        found[:1] if found[0][0] in ("encoder", "connector", "llm", "data") else found
    ):
        if one == two:
            raise Unfit(f"both sides are {one}: nothing changes")
        out.append(("swap", one, two, *context(m, kind, a, b, words)))
    return out


def swap_turned(m: Match, words: Vocabulary) -> Readings:
    """B by A."""
    return swap(m, words, True)


def swap_added(m: Match, words: Vocabulary) -> Readings:
    """An encoder added to another one (default: the baseline's)."""
    a, b = m.captured["A"], m.captured.get("B")
    if "encoder" not in a.meant or b is not None and "encoder" not in b.meant:
        raise Unfit(f"only encoders can be added to each other, not {flags.described(a)}")
    base = flags.text_of(b, "encoder") if b else BASE["encoder"]
    parts = sorted({*base.split("+"), flags.text_of(a, "encoder").partition("@")[0], *a.fused})
    if len(parts) < 2 or len(parts) == len(base.split("+")):
        raise Unfit(f"{base} has {flags.described(a)} already")
    return [("swap", base, "+".join(parts), *context(m, "encoder", a, b, words))]


def swap_dropped(m: Match, words: Vocabulary) -> Readings:
    """An encoder taken out of a fusion; which fusion is asked when it is not said."""
    a, b = m.captured["A"], m.captured.get("B")
    if "encoder" not in a.meant or b is not None and "encoder" not in b.meant:
        raise Unfit(f"only an encoder of a fusion can be dropped, not {flags.described(a)}")
    gone = flags.text_of(a, "encoder")
    if b:
        left = [part for part in flags.text_of(b, "encoder").split("+") if part != gone]
        if gone not in flags.text_of(b, "encoder").split("+"):
            left = left if a.place < b.place else []
        if not left:
            raise Unfit(f"{flags.text_of(b, 'encoder')} without {gone} leaves no encoder")
        fusion = "+".join(sorted({*left, gone}))
        return [("swap", fusion, "+".join(left), *context(m, "encoder", a, b, words))]
    rest = [
        slug for slug in ("siglip-so400m-14", "clip-vit-l-14", "dinov2-vit-l-14") if slug != gone
    ][:2]
    return [
        ("swap", "+".join(sorted((gone, slug))), slug, *context(m, "encoder", a, None, words))
        for slug in rest
    ]


VERBS = words_of("use using try trying take choose choosing pick picking go")
RECIPES = words_of("recipe recipes setup configuration config combination")
WHOLES = RECIPES | words_of("vlm vlms model models")


def picked(m: Match, a: Part) -> bool:
    """Whether it is a whole recipe that is picked, of which a part is named: `pick a recipe with
    SigLIP`, `choose a 2B recipe`.
    """
    end = (
        next(
            i
            for i in range(a.place, len(m.items))
            if m.items[i].readings or m.items[i].text in STATES
        )
        + 1
    )
    behind = m.items[end].text if end < len(m.items) else ""
    return bool(m.said & VERBS) and (
        any(item.text in WHOLES for item in m.items[: a.place])
        or behind in (WHOLES if m.said & {"pick", "picking", "choose", "choosing"} else RECIPES)
    )


def swap_alone(m: Match, words: Vocabulary) -> Readings:
    """One component against the default baseline's."""
    a = m.captured["A"]
    out = []
    if picked(m, a):
        raise Unfit("")
    if set(a.meant) == {"number"}:  # raise the resolution to 448
        kinds = [
            kind
            for kind, said in (("px", {"resolution"}), ("tokens", {"tokens", "token"}))
            if m.said & said
        ]
        a = a._replace(meant={kind: a.meant["number"] for kind in kinds} or a.meant)
    for kind in flags.LIKE:
        value = flags.text_of(a, kind)
        if value is None:
            continue
        if value == BASE[kind]:
            raise Unfit(
                f"{value} is what the default baseline has: say what it is compared with (swap"
                f" {value} for …)"
            )
        out.append(("swap", BASE[kind], value, *context(m, kind, a, None, words)))
    if not out:
        raise Unfit(f"{flags.described(a)}: pixels, tokens or parameters?")
    return out[:1]


def swap_state(m: Match, words: Vocabulary) -> Readings:
    """Freezing or training the vision encoder."""
    a = m.captured["A"]
    to = a.meant["state"]
    encoder = m.captured.get("E")
    own = (
        ["--encoder", flags.text_of(encoder, "encoder")]
        if encoder and "encoder" in encoder.meant
        else []
    )
    return [
        (
            "swap",
            "unfrozen" if to == "frozen" else "frozen",
            to,
            *own,
            *context(m, "state", a, None, words),
        )
    ]


# --- pick
# ------------------------------------------------------------------------------------------


def pick(m: Match, words: Vocabulary) -> Readings:
    """The best recipe to train; a VLM that may as well be an existing one is asked back."""
    argv = ["pick", *(flags.common(m, words) or ["--tasks", "balanced"]), *flags.limits(m, words)]
    fixed = []
    for kind in ("encoder", "connector", "data"):
        values = [flags.fused(m)] if kind == "encoder" and flags.fused(m) else m.every(kind)
        if len(values) > 1:
            raise Unfit(f"two {kind}s to keep: {', '.join(values)} (a swap compares them)")
        fixed += [f"{kind}={value}" for value in values]
    if m.first("llm"):
        fixed.append(f"llm={llm_named(m.first('llm'), m.first('size'), words)}")
    elif m.first("size"):
        fixed.append(f"llm_params_b={m.first('size')}")
    fixed += [*flags.exactly(m, "tokens", "visual_tokens"), *flags.exactly(m, "px", "resolution")]
    argv += flags.repeated("--fix", fixed) + flags.choices(m)
    top = m.captured.get("N")
    argv += ["--top", top] if top else []
    if m.first("under"):
        limit = m.first("under")
        return [
            tuple(existing(m, words)),
            tuple([*argv, *flags.repeated("--fix", [f"llm_params_b={limit}"])]),
        ]
    if (
        m.form.name == "vlm"
        and not {"--latency", "--speed", "--budget", "--images"} & set(argv)
        and not m.every("avoid")
        and not fixed
    ):
        return [tuple(existing(m, words)), tuple(argv)]
    return [tuple(argv)]


def existing(m: Match, words: Vocabulary) -> list[str]:
    """`models` for the same need."""
    from .finding import models_argv

    return models_argv(m, words)


def component(m: Match, words: Vocabulary) -> Readings:
    """Which component of one axis is best: recipes that differ in it from the baseline."""
    axis = m.captured["X"]
    limits = [*flags.limits(m, words), *flags.repeated("--avoid", m.every("avoid"))]
    rest = {kind: BASE[kind] for kind in ("encoder", "connector", "llm", "data") if kind != axis}
    if flags.images(m)[1]:  # a number of images to train on is what the data mix is chosen by
        rest.pop("data", None)
    if m.first("size") or m.first("llm"):
        if axis == "llm":
            return [
                (
                    "pick",
                    *flags.common(m, words),
                    *limits,
                    *(
                        flags.repeated(
                            "--fix", [f"llm_params_b={m.first('size')}"] if m.first("size") else []
                        )
                    ),
                )
            ]
        rest["llm"] = llm_named(m.first("llm"), m.first("size"), words)
    for kind in ("encoder", "connector", "data"):
        if m.first(kind):
            if kind == axis:
                raise Unfit(f"{m.first(kind)} is one {kind}, which one is asked")
            rest[kind] = m.first(kind)
    fixed = [
        f"{kind}={value}" if kind != "llm" or not value[0].isdigit() else f"llm_params_b={value}"
        for kind, value in rest.items()
    ]
    fixed += [*flags.exactly(m, "px", "resolution"), *flags.exactly(m, "tokens", "visual_tokens")]
    return [
        (
            "pick",
            *(flags.common(m, words) or ["--tasks", "balanced"]),
            *limits,
            *flags.repeated("--fix", fixed),
        )
    ]


# --- ablate, design, curve
# ------------------------------------------------------------------------------------------


def ablate(m: Match, words: Vocabulary) -> Readings:
    """What to test first. What is named is the recipe at hand; what is to be kept is a limit."""
    argv = ["ablate", *flags.common(m, words)]
    own = [f"{kind}={m.first(kind)}" for kind in ("encoder", "connector", "data") if m.first(kind)]
    if m.first("llm") or m.first("size"):
        name = llm_named(m.first("llm"), m.first("size"), words)
        own.append(f"llm={name}" if not name[0].isdigit() else f"llm_params_b={name}")
    own += [f"resolution={m.first('px')}"] if m.first("px") else []
    own += [f"visual_tokens={m.first('tokens')}"] if m.first("tokens") else []
    kept = m.said & {"fix", "fixed", "fixing", "keep", "keeping", "kept", "hold", "holding", "held"}
    argv += flags.repeated("--fix", own) if kept else ["--recipe", ",".join(own)] if own else []
    argv += ["--confidence", m.first("level")] if m.first("level") else []
    return [(*argv, *flags.limits(m, words), *flags.choices(m))]


POWER = words_of("power chance probability sure certain")
EFFECT = words_of("see detect find difference differences effect effects gain gains")


def design(m: Match, words: Vocabulary) -> Readings:
    """The fewest runs that separate the named factors."""
    levels: dict[str, list[str]] = {}
    for x in m.of("encoder", "connector", "llm", "data", "tokens", "px", "size"):
        if x.kind in ("encoder", "connector", "llm", "data"):
            levels.setdefault(x.kind, []).append(x.value)
        elif x.kind == "tokens":
            levels.setdefault("visual_tokens", []).append(x.value)
        elif x.kind == "px":
            levels.setdefault("resolution", []).append(x.value)
        elif x.kind == "size":
            levels.setdefault("llm_params_b", []).append(x.value)
    named = list(
        dict.fromkeys(
            AXES[word]
            for item in m.items
            if not item.readings
            for word in [item.text]
            if word in AXES
        )
    )
    for count, axis in (x.value.split() for x in m.of("many")):
        listed = len(set(levels.get(axis, ()))) or (2 if axis in named else 0)
        if int(count) != listed:
            raise Unfit(
                f"{count} {axis} levels, but {listed} are named: name them (as in --factor"
                f" {axis}=a,b,c)"
            )
    held, argv = [], ["design"]
    for field, values in list(levels.items()):
        values = list(dict.fromkeys(values))
        if len(values) == 1:
            held.append(f"{field}={values[0]}")
            del levels[field]
        else:
            argv += ["--factor", f"{field}={','.join(values)}"]
    if "resolution" in m.said and "resolution" not in levels:
        argv += ["--factor", "resolution=336,672"]
    if "llm_params_b" in levels:
        named = [axis for axis in named if axis != "llm"]
    if any(h.startswith("llm_params_b") for h in held):
        named = [axis for axis in named if axis != "llm"]
    argv += flags.repeated(
        "--factor",
        [
            axis
            for axis in named
            if axis not in levels and not any(h.startswith(axis + "=") for h in held)
        ],
    )
    if "--factor" not in argv:
        raise Unfit(
            "which factors? name the axes or the levels (design --factor encoder --factor data)"
        )
    if (
        held
        and abs(
            flags.size_of("".join(h[13:] for h in held if h.startswith("llm_params_b")) or "0B") - 7
        )
        < 0.3
    ):
        held = [h for h in held if not h.startswith("llm_params_b")]  # the baseline's own 7B
    argv += ["--recipe", ",".join(held)] if held else []
    argv += (
        ["--fraction"]
        if m.said & {"least", "fewest", "minimum", "minimal", "smallest", "fractional"}
        else ["--full"]
        if m.said & {"full", "factorial"}
        else []
    )
    argv += ["--interactions"] if m.said & {"interaction", "interactions", "interact"} else []
    benchmarks, families = m.every("benchmark"), m.every("family")
    if families:
        benchmarks += [
            name
            for family in families
            for name in words.records("family")[family.partition("=")[0]]["core"]
        ]
    powers, effects = [], m.every("points")
    for one in m.of("level"):  # 80% power, a 2% difference
        before, behind = flags.around(m, one)
        near = {*behind[:2], *before[-2:]}
        if (
            near & {"confidence", "confident", "significance"}
            or not near & POWER
            and not m.said & EFFECT
        ):
            raise Unfit(
                f"{one.value}: the power (80% power), an effect to see (a 2% difference), or the"
                " level of the test (--alpha)?"
            )
        (powers if near & POWER else effects).append(one.value)
    for found, what in ((powers, "power"), (effects, "effect to see")):
        if len(set(found)) > 1:
            raise Unfit(f"several values of the {what}: {', '.join(found)}")
    argv += ["--detect", effects[0]] if effects else []
    argv += flags.repeated("--benchmark", benchmarks)
    argv += ["--power", powers[0]] if powers else []
    argv += ["--seeds", m.first("seeds")] if m.first("seeds") else []
    return [tuple(argv)]


CURVES = {
    "tokens": "visual_tokens",
    "token": "visual_tokens",
    "visual": "visual_tokens",
    "resolution": "resolution",
    "resolutions": "resolution",
    "pixels": "resolution",
    "res": "resolution",
    "llm": "llm_params_b",
    "llms": "llm_params_b",
    "parameters": "llm_params_b",
    "params": "llm_params_b",
    "data": "data_size",
    "samples": "data_size",
    "examples": "data_size",
    "images": "data_size",
}


def curve(m: Match, words: Vocabulary) -> Readings:
    """How a score goes along one axis."""
    spans = m.every("range")
    said = [word for item in m.items if not item.readings for word in item.text.split()]
    axes = list(dict.fromkeys(CURVES[word] for word in said if word in CURVES))
    if spans:
        axes = [
            {"tokens": "visual_tokens", "px": "resolution", "size": "llm_params_b"}[
                spans[0].split()[0]
            ]
        ]
    if (
        "visual_tokens" in axes
        and "data_size" in axes
        and not m.said & {"data", "samples", "examples"}
    ):
        axes.remove("data_size")  # tokens per image
    if (
        "resolution" in axes
        and "data_size" in axes
        and not m.said & {"data", "samples", "examples"}
    ):
        axes.remove("data_size")  # images of more pixels
    for kind, axis in (("tokens", "visual_tokens"), ("px", "resolution"), ("size", "llm_params_b")):
        if not axes and m.every(kind):
            axes = [axis]
    if not axes and m.said & {"bigger", "larger", "smaller"} and m.said & {"model", "models"}:
        axes = ["llm_params_b"]
    if not axes:
        raise Unfit("")
    if m.said & {"family", "families"}:
        return [
            (*argv, "--by-family")
            for argv in curve(m._replace(said=m.said - {"family", "families"}), words)
        ]
    if len(axes) > 1:
        return [("curve", axis, *flags.common(m, words)) for axis in axes]
    argv = ["curve", axes[0], *flags.common(m, words)]
    ends = (
        spans[0].split()[1:]
        if spans
        else m.every(
            {"visual_tokens": "tokens", "resolution": "px", "llm_params_b": "size"}.get(axes[0], "")
        )
    )
    unit = {"llm_params_b": "B"}.get(axes[0], "")
    ends = [end if not unit or end[-1] in "BM" else end + unit for end in ends]
    if len(ends) == 2:
        argv += ["--from", ends[0], "--to", ends[1]]
    elif len(ends) == 1:
        argv += [
            (
                "--to"
                if not m.said & {"from", "over", "above", "beyond", "past", "than"}
                else "--from"
            ),
            ends[0],
        ]
    own = [
        f"{kind}={m.first(kind)}"
        for kind in ("encoder", "connector", "data")
        if m.first(kind) and (kind, axes[0]) != ("data", "data_size")
    ]
    if axes[0] != "llm_params_b" and (m.first("llm") or m.first("size")):
        name = llm_named(m.first("llm"), m.first("size"), words)
        own.append(f"llm={name}" if not name[0].isdigit() else f"llm_params_b={name}")
    elif m.first("llm"):
        own.append(f"llm={m.first('llm')}")
    argv += ["--recipe", ",".join(own)] if own else []
    argv += ["--gpu", flags.alias(m.first("device"), words)] if m.first("device") else []
    return [tuple(argv)]


PICK_MODIFIERS = (
    "tasks",
    "licence",
    "avoid",
    "latency",
    "speed",
    "budget",
    "images",
    "memory",
    "gpus",
    "dtype",
    "under",
    "size",
    "llm",
    "encoder",
    "connector",
    "tokens",
    "px",
    "data",
    "device",
    "duration",
)
PICK_WORDS = words_of(
    "pick try trying recommend recommendation suggest suggestion choose find best good top optimal"
    " ideal strongest recipe recipes vlm vlms setup configuration config combination llm new full"
    " whole make making build building design train training trained finetune finetuning afford buy"
    " buys budget within hours run runs running mobile device deployment deployed deploy edge cloud"
    " target up most accurate strong model models mainly mostly focused around go propose working"
    " system create develop spend cheap from scratch get maximum max gpu gpus inference serving"
    " serve production can must should fit fits have memory only small compute cluster nodes node"
    " available access limited gives + = usable weights if reach come out end fast low latency"
    " open-ended works work handle handles reading replies responds smartphone quantized for day"
    " per image response answer entire commercial commercially licence license licensed licenced"
    " licences licenses permissive permits permit permitted allows allow allowing allowed its whose"
)
AXIS_WORDS = words_of(
    "axis axes component components parameter knob factor ingredient part thing experiment"
    " experiments variable choice choices design piece lever hyperparameter"
)
FORMS: Sequence[Form] = (
    Form(
        "swap",
        (
            "@replace A:part @by B:part",
            "@replace from A:part @to B:part",
            "from A:part @to B:part",
            "@replace from? A:part @by using? B:part",
            "A:part @replace out? to|with|for|by B:part",
            "@replace out A:part @by B:part",
        ),
        SWAP_MODIFIERS,
        TALK,
        (),
        swap,
        "swap CLIP for SigLIP on 7B",
    ),
    Form(
        "swap-than",
        (
            "A:part @better @than B:part",
            "A:part @beats B:part",
            "does|do|did|will A:part @beats B:part",
            "use|using|take|try|pick|choose|go_with|prefer|train|have? A:part @instead B:part",
            "A:part @instead B:part",
            "A:part or stick|sticking|stay|staying|remain|keep with? B:part",
            "A:part worth? over B:part",
            "B:part inferior_to A:part",
        ),
        SWAP_MODIFIERS,
        TALK | words_of("better worse more any really accurate"),
        (),
        swap_turned,
        "is Q-Former better than MLP at 64 tokens",
    ),
    Form(
        "swap-worse",
        (
            "A:part @versus B:part",
            "compare A:part to|with|and|vs|or|against B:part",
            "between A:part and|or|vs|to|with B:part",
            "better A:part or B:part",
            "A:part to|-> B:part",
        ),
        SWAP_MODIFIERS,
        TALK
        | words_of(
            "which one wins win performs perform prefer recommended recommend pick use head fight"
            " bigger smaller more accurate stronger"
        ),
        (),
        swap,
        "SigLIP vs CLIP for documents",
    ),
    Form(
        "swap-add",
        (
            "@add A:part to|on|with|onto|on_top_of|into|and B:part",
            "@add A:part",
            "A:part on_top_of|added_to|besides B:part",
            "A:part next_to|alongside|in_addition_to B:part",
        ),
        SWAP_MODIFIERS,
        TALK | words_of("help helps hurt worth encoder second as extra another together also"),
        (),
        swap_added,
        "add DINOv2 to SigLIP",
    ),
    Form(
        "swap-drop",
        ("@drop A:part from|of|out_of|in B:part", "B:part @drop A:part", "@drop A:part"),
        tuple(k for k in SWAP_MODIFIERS if k != "encoder"),
        words_of(
            "what how much do does will would gain lose losing loses cost costs happens happen"
            " change changes if when by effect hurt hurts harm out away miss worse still not mean"
            " matter points score scores encoder tower backbone and the setup"
        ),
        (),
        swap_dropped,
        "what do I lose if I drop DINOv2 from SigLIP+DINOv2",
    ),
    Form(
        "swap-state",
        ("A:state E:part?", "E:part A:state", "keep|leave E:part? A:state"),
        tuple(k for k in SWAP_MODIFIERS if k != "encoder"),
        TALK
        | frozenset(CLASSES["help"])
        | words_of(
            "should keep encoder vision tower backbone vit hurt hurts leave during finetuning"
            " training sft stage"
        ),
        (),
        swap_state,
        "should I freeze the vision encoder",
    ),
    Form(
        "swap-alone",
        (
            "A:part @help",
            "@help A:part",
            "use|using|try|trying|take|choose|pick|go_with A:part",
            "what does|do|would|will A:part do|bring|give|add|buy|change?",
            "how good|strong|bad is|are A:part",
            "if|with encoder|connector|llm|data|resolution|projector is|were|was|be A:part",
            "@replace encoder|connector|llm|data|resolution|projector|tokens to|with|for|by A:part",
            (
                "raise|raising|increase|increasing|bump|bumping|reduce|reducing|lower|lowering|cut|cutting|go|going|scale|scaling"
                " resolution|tokens|llm|model|data|up|down? to A:part"
            ),
            "gain|gains|lose|benefit from|by|with|of A:part",
        ),
        SWAP_MODIFIERS,
        TALK
        | frozenset(CLASSES["help"])
        | words_of("really actually make sense any idea too little few strong at all well"),
        (),
        swap_alone,
        "does SigLIP help with charts",
    ),
    Form(
        "component",
        (
            (
                "X:axis encoder|tower|backbone|mix|mixture|dataset|model? is? the?"
                " win|wins|winner|winning"
            ),
            "winning X:axis",
            (
                "best|strongest|good|right|top|ideal|optimal X:axis"
                " encoder|encoders|model|tower|backbone|mix|mixture|dataset?"
            ),
            "X:axis encoder|tower|backbone|mix|mixture|dataset|model? best|better|strongest",
            "recommend|suggest|pick|choose|use|find X:axis encoder|tower|backbone|mix|mixture?",
            (
                "X:axis "
                "encoder|tower|backbone|mix|mixture|dataset? use|pick|choose|take|recommend|suggest"
            ),
        ),
        (
            "tasks",
            "licence",
            "avoid",
            "latency",
            "speed",
            "budget",
            "images",
            "memory",
            "gpus",
            "duration",
            "dtype",
            "size",
            "llm",
            "encoder",
            "connector",
            "data",
            "tokens",
            "px",
            "device",
        ),
        words_of(
            "budget fixed given win wins winner winning commercial commercially licence license"
            " permits best which what use should pick recommend suggest choose vision encoder"
            " connector projector training data dataset mix mixture good strongest top right ideal"
            " work works most find give better pairs goes"
        ),
        (
            words_of("encoder connector projector backbone tower data dataset mix mixture llm"),
            words_of(
                "best recommend suggest pick choose use strongest good right top ideal optimal find"
                " better win wins winner winning"
            ),
        ),
        component,
        "which encoder is best for charts",
    ),
    Form(
        "pick",
        ("N:top", ""),
        PICK_MODIFIERS,
        PICK_WORDS | AXIS_WORDS,
        (
            words_of(
                "recipe recipes train training trained build building design finetune "
                "finetuning setup configuration config combination create develop"
            ),
        ),
        pick,
        "pick a recipe for a mobile UI agent on a 2B LLM under 300 ms on Orin",
    ),
    Form(
        "vlm",
        ("",),
        PICK_MODIFIERS,
        PICK_WORDS,
        (
            words_of("vlm vlms model models"),
            words_of(
                "best pick recommend suggest choose find need want good give "
                "top strongest which what ideal optimal"
            ),
        ),
        pick,
        "best VLM for charts",
    ),
    Form(
        "ablate",
        ("",),
        (
            "tasks",
            "licence",
            "avoid",
            "latency",
            "speed",
            "budget",
            "images",
            "memory",
            "gpus",
            "duration",
            "dtype",
            "device",
            "level",
            "size",
            "llm",
            "encoder",
            "connector",
            "data",
            "tokens",
            "px",
        ),
        AXIS_WORDS
        | LICENCE
        | words_of(
            "fix fixed fixing keep keeping kept hold holding held edge cloud per request that"
            " allows permits use runs fits answers deployed deployment mobile care cares caring"
            " ablate ablation ablations ablated ablating test tests testing try trying vary varying"
            " measure experiment study run change changing tune tuning improve investigate explore"
            " look first next before anything else order start starting begin most matter matters"
            " important should which what where pick recipe model vlm confidence confident sure"
            " with given if only budget one two thing things spend worth checking check focus on"
            " priority prioritise prioritize highest biggest impact invest effort time gpu gpus"
            " money influences influence affects affect performance accuracy quality rank ranking"
        ),
        (
            words_of(
                "ablate ablation ablations ablated ablating first next start starting begin order"
                " priority prioritise prioritize most biggest highest focus"
            ),
            AXIS_WORDS
            | words_of(
                "ablate ablation ablations ablated ablating test tests testing try vary measure"
                " experiment study change tune improve investigate explore start starting begin"
                " matters matter important focus run prioritise prioritize checking check"
                " influences affects impact"
            ),
        ),
        ablate,
        "what should I ablate first for charts at 80%",
    ),
    Form(
        "design",
        ("",),
        (
            "tasks",
            "points",
            "seeds",
            "level",
            "many",
            "size",
            "llm",
            "encoder",
            "connector",
            "data",
            "tokens",
            "px",
        ),
        near(
            "how many runs run experiments experiment trainings training settings models least"
            " fewest minimum minimal smallest number isolate isolating separate separating"
            " disentangle tell apart compare comparing test testing from versus vs against or"
            " quality effect effects two three factor factors factorial full fractional design"
            " designs plan study interaction interactions interact encoder encoders connector"
            " connectors projector llm llms data mix mixes mixture mixtures dataset datasets"
            " resolution resolutions tokens data-mix vlm model see detect power difference"
            " benchmark on do find out which better and another other each one separately cleanly"
            " needed required require take takes seeds seed main set up setup small between"
            " contribution contributions know whether if is because due attribute ablation"
            " ablations to into at point as well size sizes"
        ),
        (
            words_of(
                "runs run experiments trainings settings factorial isolate isolating separate"
                " separating disentangle design seeds ablation ablations models"
            ),
            words_of(
                "many fewest minimum minimal smallest least isolate isolating separate separating"
                " disentangle factorial design plan apart"
            ),
        ),
        design,
        "how many runs do I need to compare CLIP and SigLIP with two data mixes",
    ),
    Form(
        "curve",
        ("",),
        ("tasks", "tokens", "px", "size", "llm", "encoder", "connector", "data", "device", "range"),
        words_of(
            "more higher bigger larger greater increasing increase scaling scale up visual vision"
            " image tokens token resolution resolutions llm llms model models parameters params"
            " data samples examples images pixels res worth it help helps helping pay pays off"
            " really sweet spot how far many much enough saturate saturates saturating diminishing"
            " returns plateau stop stops paying curve curves along does do sense make makes matter"
            " matters size sizes beyond past than over above from to between needed required need"
            " optimal best amount number count right good where point does plot show beneficial"
            " useful gain gains larger too useless sufficient go effect of on training larger-scale"
            " input before after when should performance accuracy improve improves keep keeps"
            " improving hurt hurts with longer quality still which what is are in the lower fewer"
            " less reduce reducing smaller decrease bigger going go stop affect affects influence"
            " influences happens need have matter change changes family families each every per by"
        ),
        (
            words_of(
                "tokens token resolution resolutions llm llms parameters params data samples"
                " examples images pixels px res size scale model"
            ),
            words_of(
                "more higher bigger larger greater increasing increase scaling sweet far many much"
                " enough saturate saturates saturating diminishing plateau pay pays curve curves"
                " beyond worth optimal best right sufficient lower fewer reduce reducing stop"
                " paying above useful affect affects influence influences need needed required"
            ),
        ),
        curve,
        "are more visual tokens worth it for charts",
    ),
)
