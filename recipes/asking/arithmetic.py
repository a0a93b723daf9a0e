"""Readings that compute something of a recipe: `cost`, `latency`, `tokens` and `export`.

In: a Draft. Out: the argv it becomes, or several where the sentence can mean several.
"""

from ..terms.axes import COMPONENTS
from ..terms.vocabulary import fold
from . import slots
from .sentence import Draft, Token, Unfit
from .slots import flag

Readings = list[list[str]]


def recipe(d: Draft, several: bool = False) -> list[str]:
    """Recipe flags of `cost` and `latency`. A paper or released model that is not the baseline has
    no recipe here.
    """
    argv = []
    named = [t for t in d.of("paper", "model", "counter") if not t.get(*COMPONENTS)]
    d.take(*named)
    thirteen = any("13b" in fold(t.text) for t in named)
    for token in named:
        if not slots.is_baseline(token):
            return released_recipe(d, token)
    encoder = slots.fused(d)
    argv += flag("encoder", encoder or ",".join(d.every("encoder")))
    argv += flag("connector", ",".join(d.every("connector")))
    counts = d.of("tokens")
    bare = [t for t in d.of("number") if several and counts and t.get("number").isdecimal()]
    counts += [t for t in bare if not any(o.kind == "name" for o in d.between(counts[0], t))]
    d.take(*counts)
    values = [t.get("tokens", "number") for t in counts]
    if len(values) > 1:
        raise Unfit(f"one number of visual tokens at a time: {', '.join(values)}")
    argv += flag("visual-tokens", *values)
    names, sizes = d.every("llm"), d.every("size")
    if thirteen or named and sizes == ["13B"]:
        argv += ["--llm", d.words.find("llm", "Vicuna-13B")]
    elif names and sizes and len(names) == 1:
        names = [slots.llm_named(names[0], size, d.words) for size in sizes]
        argv += flag("llm", ",".join(names))
    elif names and sizes:
        raise Unfit(f"names or sizes of LLMs, not both: {', '.join([*names, *sizes])}")
    else:  # several: side by side
        argv += [*flag("llm", ",".join(names)), *flag("llm-params-b", ",".join(sizes))]
    argv += flag("data", ",".join(d.every("data")))
    lists = [value for value in argv[1::2] if "," in value]
    if len(lists) > 1:
        raise Unfit(f"side by side by one part, not by several: {' and '.join(lists)}")
    return argv


def released_recipe(d: Draft, token: Token) -> list[str]:
    """The encoder, connector and LLM of a released model, where the registries know all of them."""
    name = token.get("model", "paper", "counter")
    models = d.words.registry("models")["models"] if token.get("model") else []
    record = next((model for model in models if model["key"] == name), {})
    parts = {part: record.get(part) for part in ("encoder", "connector", "llm")}
    if not record or any(slug not in d.words.records(part) for part, slug in parts.items()):
        raise Unfit(
            f"{name} is a released model, not a recipe: name the encoder and the LLM, or ask for"
            f" the model itself (models {name})"
        )
    d.take(*d.of("size"))
    d.notes.append(f"with the encoder, connector and LLM of {name}")
    return [x for part, slug in parts.items() for x in flag(part, slug)]


def cost(d: Draft) -> Readings:
    """What training costs, and whether it fits."""
    tuning = "qlora" if d.has("qlora") else "lora" if d.has("lora") else None
    tuning = tuning or ("full" if d.has("fulltune") else None)
    d.leave_if(not d.has("costs howlong train expensive") and not tuning)
    fit = d.has("fit memory") or d.says("feasible run")
    run = d.has("train") and d.of("samples", "images") and d.of("hardware", "gpus")
    asked = (
        d.has("costs howlong expensive") or run or fit and (d.has("train sft alignment") or tuning)
    )
    compared = (d.said("or") or d.has("compare compared better worse best")) and len(
        d.of("hardware")
    ) > 1
    d.leave_if(not asked and not compared)
    if d.has("fit speed") and not (d.has("train sft howlong alignment") or tuning):
        raise Unfit(
            "cost is of training; what serving takes is latency's (latency --llm-params-b 7B)"
        )
    if d.of("family", "benchmark", "budget", "duration", "latency", "speed"):
        if d.of("budget"):
            raise Unfit(f"cost says what training costs: no flag takes {d.of('budget')[0].text!r}")
        raise Unfit("")
    slots.check_limits(d)
    small = [t for t in d.of("images") if slots.count_of(t.get("images").split()[0]) <= 0]
    samples = [
        t.get("images", "samples").split()[0] for t in d.of("images", "samples") if t not in small
    ]
    d.take(*d.of("images", "samples"))
    zero = number_behind(d, "zero")
    batch = number_behind(d, "batch")
    argv = ["cost", *recipe(d), *flag("resolution", slots.pixels(d)), *slots.devices(d)]
    memory = d.one("memory")
    own = {
        slots.memory_of(t.get("hardware"), d.words) for t in d.sentence.names() if t.get("hardware")
    }
    if memory and memory not in own:
        raise Unfit(f"cost says what fits a GPU: name one that has {memory} (4090, A100, H100)")
    if d.of("dtype"):
        raise Unfit(
            f"training is planned in bf16; no flag takes {d.of('dtype')[0].text} (--tuning qlora"
            " keeps the LLM in 4 bit)"
        )
    plan = "three-stage" if d.says("three stages") else None
    argv += [*flag("plan", plan), *flag("tuning", tuning), *flag("zero", zero)]
    argv += [*flag("samples", *samples[:1]), *flag("batch", batch)]
    d.take(*(d.axes("llm", "encoder") if d.has("train") else ()))
    d.bonus += 3 if fit and (tuning or d.has("train")) else 1
    return [argv]


def number_behind(d: Draft, concept: str) -> str | None:
    """The number that stands behind (or before) a word: zero 3, batch size 8."""
    for token in d.sentence.tokens:
        if token.kind == "concept" and token.value == concept:
            for other in (*d.behind(token, 2), *d.before(token, 1)):
                if (value := other.get("number")) and other.place not in d.used:
                    d.take(other)
                    return value
    return None


def latency(d: Draft) -> Readings:
    """How long an answer takes and what memory it needs."""
    only = {r.kind for t in d.sentence.names() for r in t.readings} == {"hardware"}
    if only and len(d.of("hardware")) > 1 and d.has("compare better") and not d.has("train"):
        gpus = slots.devices(d)
        return [["latency", *gpus], ["cost", *gpus]]
    d.leave_if(not d.has("speed memory fit fastest answer") and len(d.of("dtype")) < 2)
    d.leave_if(d.of("family", "benchmark") or d.has("train open recipe lora qlora"))
    slots.check_limits(d)
    pictures = slots.images(d)[0]
    batch = number_behind(d, "batch")
    argv = ["latency", *recipe(d, True), *flag("resolution", *d.every("px", "resolution"))]
    argv += [*slots.devices(d), *flag("dtype", *d.every("dtype")), *flag("batch", batch)]
    argv += [*flag("memory", d.one("memory")), *flag("images", pictures)]
    if argv.count("--dtype") > 1:
        raise Unfit("latency is of one number format at a time: ask for int4, then for bf16")
    if target := d.one("latency"):
        device = argv[argv.index("--gpu") + 1] if "--gpu" in argv else None
        whole = " total" if d.says("whole answer") and not d.said("ttft") else ""
        fixed = [
            ["--fix", f"{name[2:].replace('-', '_')}={argv[argv.index(name) + 1]}"]
            for name in ("--llm", "--llm-params-b")
            if name in argv
        ]
        target = f"{target}{whole}{f' on {device}' if device else ''}"
        return [argv, ["pick", "--tasks", "balanced", "--latency", target, *sum(fixed, [])]]
    if len(argv) == 1:
        raise Unfit("the latency of what? (latency --llm-params-b 7B --gpu L4)")
    return [argv]


def counted_as(token: Token) -> str:
    """The family by whose rule a released model makes tokens. Raises Unfit."""
    from ..cost import tokens as rules

    if token.get("counter"):
        return token.get("counter")
    try:
        return rules.find(token.text.replace(" ", "-"))
    except rules.Ambiguous as error:
        raise Unfit(str(error)) from None
    except KeyError:
        raise Unfit(
            f"how {token.get('model')} makes tokens is not among the rules that are known (tokens"
            " --help lists them)"
        ) from None


def tokens(d: Draft) -> Readings:
    """Visual tokens of an image; a model's number of parameters does not change them."""
    images, counters = d.of("image"), d.of("counter", "model")
    counters = [t for t in counters if t.get("counter") or not t.get(*COMPONENTS)]
    counted = d.axes("visual_tokens")
    asked = counted or d.said("token", "tokens")
    d.leave_if(
        not asked
        or not (images or counters or d.of("encoder") and d.of("px", "number", "resolution"))
    )
    every = d.says("every model")
    many = every or d.has("fewest list")
    d.take(*images, *counters, *counted)
    sizes = [t.get("image") for t in images]
    argv = ["tokens"]
    d.bonus += 3
    pictures = [t for t in d.of("images")]
    d.take(*pictures, *d.of("size"))
    if counters:
        sizes += [f"{px}x{px}" for px in d.every("px") if f"{px}x{px}" not in sizes]
        if d.of("encoder", "connector"):
            raise Unfit(f"either a model ({counters[0].text}) or a recipe of your own")
        models = flag("model", *dict.fromkeys(counted_as(t) for t in counters))
        shown = flag("image", *sizes)
        argv += [*shown, *models] if len(models) > 2 else [*models, *shown]
    elif many:
        argv += [*flag("image", *sizes), "--all"]
    elif d.of("encoder"):
        encoder, px = d.one("encoder"), slots.pixels(d)
        argv += [
            *flag("encoder", encoder),
            *flag("resolution", px),
            *flag("connector", d.one("connector")),
        ]
        argv += flag("image", *(size for size in sizes if size != f"{px}x{px}"))
    else:
        raise Unfit(f"in which model? (as in tokens --model qwen2-vl --image {sizes[0]})")
    if pictures and "frame" in pictures[0].text and len(sizes) == 1:
        return [argv + flag("frames", pictures[0].get("images").split()[0])]
    if pictures:
        raise Unfit(
            f"tokens are of one image, and several may share tokens or tiles: {pictures[0].text}"
        )
    return [argv]


def export(d: Draft) -> Readings:
    """A recipe as configuration of a training program."""
    d.need(d.has("export"))
    targets = d.of("target")
    d.take(*targets)
    d.take(
        *(
            t
            for t in d.of("paper", "counter", "model")
            if not t.get(*COMPONENTS) and t.get("target")
        )
    )
    fields = slots.recipe_fields(d)
    if not targets:
        raise Unfit("for which training program? (export encoder=… --to llava; export --to list)")
    return [
        ["export", *([",".join(fields)] if fields else []), *flag("to", targets[-1].get("target"))]
    ]
