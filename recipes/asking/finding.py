"""Sentence forms that look something up: `models`, `tables`, `benchmarks`, `backtest`, and the
arithmetic of `tokens`, `cost`, `latency`.

In: matches of the forms below and the vocabulary (`sizes` reads the published paper that is asked
about).
Out: the argv each becomes, or several where the sentence can mean several.
"""

import itertools
import os
from collections.abc import Sequence

from ..base.reading import read_json
from ..terms.vocabulary import Vocabulary, fold
from . import flags
from .flags import Readings, dtype, llm_named
from .grammar import Form, Match, Unfit
from .modifiers import words_of

# --- released models
# ------------------------------------------------------------------------------------------

COMMERCIAL = flags.COMMERCIAL | words_of("business product sell")
PROPERTY = {"multi-image": "--multi-image", "video": "--video", "grounding": "--grounding"}


def models_argv(m: Match, words: Vocabulary) -> list[str]:
    """`models` for a need: task mix, size, memory, properties, licence, floors, year."""
    found = m.of("family", "benchmark")
    properties = [x for x in found if x.kind == "family" and x.value in PROPERTY]
    tasks = [x for x in found if x not in properties] or properties
    argv = ["models", *(["--tasks", flags.mix(tasks)] if tasks else [])]
    sizes = m.every("under") or m.every("size")
    if len(sizes) > 1:
        raise Unfit(f"one size at most: {', '.join(sizes)}")
    if sizes and not m.every("under"):
        raise Unfit(f"models of exactly {sizes[0]}? say under {sizes[0]} or up to another size")
    argv += ["--under", sizes[0]] if sizes else []
    memory = m.first("memory") or (
        flags.memory_of(m.first("device"), words) if m.first("device") else None
    )
    argv += ["--memory", memory] if memory else []
    argv += ["--dtype", dtype(m)] if m.first("dtype") else []
    spelled = " ".join(item.text for item in m.items)
    argv += [
        ("--pointing" if "point" in spelled and x.value == "grounding" else PROPERTY[x.value])
        for x in properties
    ]
    m.of("licence")
    kinds = [word for word in ("apache", "mit") if word in m.said]
    if kinds:
        argv += ["--licence", kinds[0]]
    elif m.said & COMMERCIAL:
        argv += ["--licence", "commercial"]
    elif m.said & {"licence", "license", "licensed", "licenced"}:
        argv += ["--licence", "open"]
    argv += flags.repeated("--floor", m.every("floor"))
    argv += ["--year", m.first("year")] if m.first("year") else []
    argv += ["--all"] if m.said & {"closed", "proprietary", "gpt", "api"} else []
    argv += ["--smallest"] if m.said & {"smallest", "lightest", "tiniest", "minimal"} else []
    argv += ["--top", m.captured["N"]] if m.captured.get("N") else []
    return argv


def models(m: Match, words: Vocabulary) -> Readings:
    """Released models by need."""
    if m.said & {"tree"}:
        return [("models", "--tree")]
    return [tuple(models_argv(m, words))]


def named(m: Match, words: Vocabulary) -> Readings:
    """Released models by name: their cards, which show the memory they need, or their ranks for a
    task mix.
    """
    m.of("memory", "device", "dtype")
    names = m.every("model")
    if not names:
        raise Unfit("")
    tasks = flags.common(m, words)
    if m.said & {"support", "supports", "take", "takes", "accept", "accepts"} and any(
        x.value in PROPERTY for x in m.of("family")
    ):
        tasks = []  # the card says it
    if tasks and len(names) == 1:
        tasks.append("--why")
    if len(names) > 1 and not tasks:
        tasks = ["--tasks", "balanced"]
    return [("models", *names, *tasks)]


# --- the evidence
# ------------------------------------------------------------------------------------------

AXIS_NAMES = {
    "encoder": "encoder",
    "encoders": "encoder",
    "connector": "connector",
    "connectors": "connector",
    "projector": "connector",
    "resolution": "resolution",
    "llm": "llm",
    "llms": "llm",
    "mixture": "data",
    "mixtures": "data",
    "mix": "data",
}


def terms(m: Match, words: Vocabulary) -> list[str]:
    """What is looked for: names in the order of the sentence, papers by their key."""
    found = []
    for item in m.items:
        kinds = {r.kind for r in item.readings}
        if not kinds and item.text in AXIS_NAMES:
            found.append(AXIS_NAMES[item.text])
        if not kinds & {
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
        }:
            continue
        if kinds & {"paper"} and (
            item.value("paper") == m.captured.get("P")
            or not kinds & {"encoder", "llm", "connector", "data"}
        ):
            found.append(item.value("paper"))
        elif kinds & {"encoder", "connector", "llm", "data", "benchmark"}:
            slug = item.value("benchmark", "encoder", "connector", "llm", "data")
            found.append(
                slug if item.value("benchmark") or fold(slug) == fold(item.text) else item.text
            )
        elif kinds & {"family"}:
            found.append(item.value("family"))
        else:
            found.append(
                item.value("size") or item.value("px") or item.value("tokens") or item.text
            )
    return list(dict.fromkeys(found))


def evidence(m: Match, words: Vocabulary) -> Readings:
    """Cells of the tables that have all that is named."""
    m.of("item")
    found = terms(m, words)
    if not found:
        raise Unfit("look for what? (as in tables find q-former)")
    keys = {key for item in m.items for key in [item.value("paper")] if key}
    if len(found) == 1 and found[0] in keys:
        return [("tables", "show", found[0])]
    return [("tables", "find", *found)]


def one_table(m: Match, words: Vocabulary) -> Readings:
    """A table by its number in a paper, or by its id."""
    if m.captured.get("T"):
        return [("tables", "show", m.captured["T"])]
    return [
        (
            "tables",
            "show",
            (
                f"{m.captured['P']}.{'figure' if m.said & {'figure', 'fig'} else 'table'}{m.captured['L']}"
            ),
        )
    ]


def sizes(m: Match, words: Vocabulary) -> Readings:
    """What a paper says about the size of the LLM: the two sizes of one LLM that lie farthest apart
    in one of its tables, with their rows.
    """
    if not m.first("paper"):
        raise Unfit("")
    paper = read_json(os.path.join(words.directory, f"{m.first('paper')}.json"), trusted=True)
    name, records = fold(paper["paper"]["short"]), words.records("llm")
    found: dict[tuple[str, str], float] = {}
    for table in paper["tables"]:
        # where others' models stand beside its own
        own = [row for row in table["rows"] if name in fold(row["arm"])]
        llms = {
            row.get("set", {}).get("llm", table.get("setting", {}).get("llm"))
            for row in own or table["rows"]
        }
        for a, b in itertools.permutations(sorted(slug for slug in llms if slug in records), 2):
            if (
                a.rsplit("-", 1)[0] == b.rsplit("-", 1)[0]
                and records[b]["params_b"] > records[a]["params_b"]
            ):
                found[a, b] = records[b]["params_b"] / records[a]["params_b"]
    if not found:
        raise Unfit(
            f"no table of {paper['paper']['short']} has one LLM in two sizes (curve llm_params_b"
            " reads the papers that have)"
        )
    argv = ["swap", *max(sorted(found), key=found.get), "--why"]
    asked = m.of("family", "benchmark")
    if asked and all(x.kind == "benchmark" and "=" not in x.value for x in asked):
        return [
            (*argv, *flags.repeated("--benchmark", list(dict.fromkeys(x.value for x in asked))))
        ]
    return [(*argv, *flags.common(m, words))]


def listed(m: Match, words: Vocabulary) -> Readings:
    """All papers and tables."""
    return [("tables", "list")]


def claim_ids(m: Match, words: Vocabulary) -> Readings:
    """Claims by their ids."""
    return [("claims", *m.every("claim"))] if m.every("claim") else [("claims",)]


# --- benchmarks and the backtest
# ----------------------------------------------------------------------------------------


def benchmark(m: Match, words: Vocabulary) -> Readings:
    """What benchmarks test, and their noise, which says whether a difference in points or percent
    is more than that.
    """
    m.of("points", "level")
    found, families = [x.value for x in m.of("benchmark", "family")], m.every("family")
    if not found:
        return [("benchmarks",)]
    if (
        len(set(found)) > 1
        or m.said & {"watch", "track", "monitor", "follow", "report", "use", "run", "evaluate"}
        and families
        and not m.said & {"test", "tests", "measure", "measures"}
    ):
        return [("benchmarks", "--tasks", ",".join(dict.fromkeys(found)))]
    return [("benchmarks", found[0])]


def backtest(m: Match, words: Vocabulary) -> Readings:
    """How well the program predicts papers it has not seen."""
    return [("backtest", *flags.repeated("--paper", m.every("paper")))]


# --- arithmetic
# ------------------------------------------------------------------------------------------


def recipe(m: Match, words: Vocabulary, llava: bool = True) -> list[str]:
    """Recipe flags of `cost` and `latency`. A paper or released model that is not LLaVA-1.5 has no
    recipe here.
    """
    argv = []
    for kind in ("encoder", "connector"):
        argv += [f"--{kind}", m.first(kind)] if m.first(kind) else []
    argv += ["--visual-tokens", m.first("tokens")] if m.first("tokens") else []
    other = [
        x.value
        for x in m.of("paper", "model", "counter")
        if x.value not in ("llava1_5", "llava-1.5", "llava", "llava-1.5-7b", "llava-1.5-13b")
    ]
    if other:
        raise Unfit(
            f"{other[0]} is a released model, not a recipe: name the encoder and the LLM, or ask"
            f" for the model itself (models {other[0]})"
        )
    size = m.first("size") or m.first("under")
    if (
        "llava-1.5-13b" in m.every("model")
        or size == "13B"
        and (m.first("paper") or m.first("counter"))
    ):
        argv += ["--llm", "vicuna-1.5-13b"]
    elif m.first("llm"):
        argv += ["--llm", llm_named(m.first("llm"), size, words)]
    elif size:
        argv += ["--llm-params-b", size]
    argv += ["--data", m.first("data")] if m.first("data") else []
    argv += ["--data-size", m.first("images").split()[0]] if m.first("images") else []
    argv += ["--resolution", m.first("px")] if m.first("px") else []
    return argv


def devices(m: Match, words: Vocabulary) -> list[str]:
    """--gpu and --gpus."""
    if m.first("gpus"):
        count, _, name = m.first("gpus").partition(" ")
        return ["--gpu", name, "--gpus", count]
    argv = ["--gpu", flags.alias(m.first("device"), words)] if m.first("device") else []
    return argv + (["--gpus", m.first("count")] if m.first("count") else [])


def cost(m: Match, words: Vocabulary) -> Readings:
    """What training costs."""
    argv = ["cost", *recipe(m, words), *devices(m, words)]
    argv += ["--plan", "three-stage"] if m.said & {"three", "stages"} >= {"three", "stages"} else []
    return [(*argv, *(["--lora"] if m.said & {"lora", "qlora", "adapters"} else []))]


def latency(m: Match, words: Vocabulary) -> Readings:
    """How long an answer takes and what memory it needs."""
    argv = ["latency", *recipe(m, words), *devices(m, words)]
    argv += ["--dtype", m.first("dtype")] if m.first("dtype") else []
    argv += ["--batch", m.captured["N"]] if m.captured.get("N") else []
    argv += ["--memory", m.first("memory")] if m.first("memory") else []
    if m.first("latency"):
        size = m.first("size") or m.first("llm")
        fixed = ["--fix", f"{'llm_params_b' if m.first('size') else 'llm'}={size}"] if size else []
        return [tuple(argv), ("pick", "--tasks", "balanced", *flags.latency_flag(m, words), *fixed)]
    return [tuple(argv)]


def tokens(m: Match, words: Vocabulary) -> Readings:
    """Visual tokens of an image; a model's number of parameters does not change them."""
    m.of("size")
    argv = ["tokens"]
    counter = m.first("counter")
    own = [
        x
        for kind in ("encoder", "px", "connector")
        if m.first(kind)
        for x in (f"--{'resolution' if kind == 'px' else kind}", m.first(kind))
    ]
    images = m.every("image")
    if counter:
        argv += ["--model", counter]
        images += [f"{px}x{px}" for px in m.every("px") if f"{px}x{px}" not in images]
        if m.first("encoder") or m.first("connector"):
            raise Unfit(f"either a model ({counter}) or a recipe of your own")
    elif m.first("model"):
        raise Unfit(
            f"how {m.first('model')} makes tokens is not among the rules that are known (tokens"
            " --help lists them)"
        )
    else:
        argv += own
        images = [] if m.first("px") and images == [f"{m.first('px')}x{m.first('px')}"] else images
    if len(argv) == 1 and not images:
        raise Unfit("of which image, in which model?")
    if len(argv) == 1:
        raise Unfit(f"in which model? (as in tokens --model qwen2-vl --image {images[0]})")
    return [(*argv, *flags.repeated("--image", images))]


MODEL_MODIFIERS = (
    "floor",
    "tasks",
    "licence",
    "year",
    "latency",
    "under",
    "size",
    "memory",
    "dtype",
    "device",
)
MODEL_WORDS = words_of(
    "model models vlm vlms open opensource source released release existing available download"
    " downloadable weights checkpoint checkpoints offtheshelf smallest lightest tiniest best"
    " strongest good top ready huggingface hf adopt licence license licensed licenced apache mit"
    " commercial commercially business product sell free read reads reading can handle handles fits"
    " fit runs run supports support supporting understands knows recommend suggest find pick choose"
    " any exists exist is there parameters with from by inference closed proprietary api currently"
    " today sota small tiny lightweight local locally laptop decision tree than under of which"
    " weight allow allows allowed permits permissive released since after in newer later or"
    " accurate highest scoring rank ranking list gpu one most phone able do does must should out go"
    " just deploy that serve hosted self already made work works also take takes input accept"
    " accepts process processes smaller multiple usable pretrained gives give"
)
STRONG = words_of(
    "open opensource released release existing available download downloadable weights checkpoint"
    " checkpoints offtheshelf smallest lightest tiniest ready huggingface hf adopt licence license"
    " licensed licenced apache mit commercial commercially pretrained supports support supporting"
    " reads handles understands fits runs accepts takes can tree closed proprietary rank ranking"
    " sota scoring already locally local does exists exist"
)
RECIPE_MODIFIERS = (
    "size",
    "under",
    "llm",
    "encoder",
    "connector",
    "tokens",
    "px",
    "data",
    "gpus",
    "device",
    "count",
    "paper",
    "counter",
    "model",
)
FIND_WORDS = words_of(
    "where evaluated table tables paper papers row rows cell cells ablation ablations result"
    " results number numbers evidence say says said report reports reported find finds found show"
    " shows conclude concludes claim claims tell tells have has contain contains mention mentions"
    " mentioned use uses used test tests tested compare compares compared comparing study studies"
    " studied ablate ablates look looks looked at about any all with and or vs versus on in for"
    " where which what list there cite cites source data printed measure measured try tried include"
    " includes including search lookup up get gets see between effect of score scores did anything"
    " summary summarize findings finding literature encoder encoders connector connectors projector"
    " resolution llm llms mix mixture mixtures published both against whether than better evaluate"
    " evaluated evaluates"
)
BENCH_WORDS = words_of(
    "test tests testing measure measures measuring evaluate evaluates check checks about noisy"
    " noise reliable noisiness significant significance real difference big large small gain chance"
    " level random baseline question questions many have has metric scale score scores max maximum"
    " variance error uncertain trustworthy good bad explain what benchmark benchmarks watch track"
    " monitor follow report should use run list all known meaningful just bench measured by or"
    " dataset stand stands mean means describe improvement needed between minimum detectable"
    " smallest than more of percent family seed seeds std deviation trust matter matters important"
    " look looking relevant suite meant for"
)
FORMS: Sequence[Form] = (
    Form(
        "one-table",
        (
            "T:table",
            "table|tab|figure|fig L:label of|from|in? P:paper paper?",
            "P:paper paper? table|tab|figure|fig L:label",
            "table|figure L:label P:paper",
        ),
        (),
        words_of(
            "show open print display see read get table figure of from in the paper full whole"
            " content contents what says say"
        ),
        (),
        one_table,
        "show Table 11 of Cambrian-1",
    ),
    Form(
        "listed",
        (
            "list|show|which|what|all papers|tables|sources|evidence",
            "papers|tables|sources|evidence",
        ),
        (),
        words_of(
            "list show all which what papers tables have do are there known used behind use sources"
            " evidence come from many how based on rely sit"
        ),
        (words_of("papers tables sources evidence"),),
        listed,
        "which papers do you know",
    ),
    Form(
        "claim-ids",
        ("",),
        ("claim",),
        words_of(
            "claim claims about verdict show explain list all audit audited and is true of on say"
            " says common myths myth"
        ),
        (
            words_of("claim claims verdict myths audit audited")
            | frozenset(f"{a}{n:02d}" for a in "lrd" for n in range(1, 41)),
        ),
        claim_ids,
        "what is the verdict on claim L07",
    ),
    Form(
        "models-named",
        ("",),
        ("model", "tasks", "memory", "device", "dtype"),
        MODEL_WORDS
        | words_of(
            "score scores get gets reach reaches compare compared comparing vs versus better than"
            " worse or against about info information details card size big many parameters large"
            " much vram ram memory need needs performance how does support video compared to and"
            " between difference tell number result results numbers published printed old when"
            " released context long licence good at beat beats outperform outperforms stronger win"
            " wins more me on in"
        ),
        (),
        named,
        "what does Qwen2.5-VL-7B score on DocVQA",
    ),
    Form(
        "evidence",
        (
            (
                "P:paper"
                " say|says|said|report|reports|find|finds|found|show|shows|conclude|concludes|claim|claims|tell|tells|have|measure|test|get"
                " about|on|for|with|in|of|that?"
            ),
            (
                "which|what|any|list|show|find|search"
                " tables|table|papers|paper|rows|ablations|ablation|evidence|results|literature|cells"
            ),
            (
                "evidence|tables|rows|papers|literature|numbers|results|ablations"
                " for|on|about|with|of|that|in|comparing"
            ),
            "say|says about? P:paper",
            "according_to P:paper",
            "in P:paper",
            "summary|summarize|findings|results of? P:paper",
            "tell|know about",
            "where is|are|do|does|did|was|were",
            "search|lookup|look_up for?",
            "show|open P:paper",
        ),
        ("items",),
        FIND_WORDS,
        (),
        evidence,
        "what does Cambrian say about DINOv2 on MMMU",
    ),
    Form(
        "sizes",
        ("",),
        ("paper", "tasks"),
        words_of(
            "what does do say says show shows tell tells find finds about how the llm llms lm"
            " language model models size sizes plateau plateaus saturate saturates saturation scale"
            " scaling scales bigger larger help helps matter matters effect backbone in of on from"
            " with according to different any there conclude"
        ),
        (
            words_of(
                "size sizes bigger larger scaling scale plateau plateaus saturate saturates"
                " saturation"
            ),
            words_of("llm llms lm size sizes models plateau backbone"),
        ),
        sizes,
        "what does Molmo say about the size of the LLM",
    ),
    Form(
        "backtest",
        ("",),
        ("paper",),
        words_of(
            "accurate accuracy trust reliable calibrated calibration wrong right good backtest"
            " error errors predictions prediction predict predicts numbers answers answer estimates"
            " intervals interval tool program much often how well far are can should validated"
            " validation tested believe this correct unseen papers paper track record how confident"
            " sure know that is not in on of work works"
        ),
        (
            words_of(
                "accurate accuracy trust reliable calibrated calibration wrong right backtest error"
                " errors validated believe correct good well predict confident track"
            ),
            words_of(
                "you your predictions prediction predict numbers answers answer estimates intervals"
                " tool program backtest this it trust"
            ),
        ),
        backtest,
        "how accurate are you",
    ),
    Form(
        "benchmark",
        ("what does|do test|measure|evaluate?", ""),
        ("tasks", "points", "level"),
        BENCH_WORDS,
        (
            words_of(
                "test tests measure measures evaluate evaluates check checks noisy noise reliable"
                " significant significance chance random questions metric scale max benchmark"
                " benchmarks variance std real explain describe mean means stand stands what"
                " meaningful trustworthy detectable"
            ),
        ),
        benchmark,
        "what does MMVP test",
    ),
    Form(
        "tokens",
        ("",),
        ("counter", "image", "px", "encoder", "connector", "size", "model"),
        words_of(
            "how many tokens token visual vision image images picture count number of per are is"
            " does use uses used make makes give gives produce produces cost costs take takes for"
            " in by into become becomes at with when px a an one single each need needs resolution"
            " pixel generate generates create creates from output outputs turn turned screenshot"
            " photo get"
        ),
        (words_of("tokens token"),),
        tokens,
        "how many tokens is a 1024x768 image in Qwen2-VL",
    ),
    Form(
        "cost",
        ("",),
        (*RECIPE_MODIFIERS, "images"),
        words_of(
            "cost costs price gpu gpus hours hour gpu-hours long time days much many how compute"
            " flop flops flops expensive budget train training trained finetune finetuning pretrain"
            " pretraining to does it take takes for of a required require requires needed need lora"
            " qlora adapters stages three with using memory total do spend what estimate full vlm"
            " model recipe plan run number from scratch instruction tuning stage wall clock tune"
            " pre + and"
        ),
        (
            words_of(
                "cost costs price hours hour long time days compute flop flops expensive budget"
                " much"
            ),
            words_of(
                "train training trained finetune finetuning pretrain pretraining lora qlora tuning"
            ),
        ),
        cost,
        "GPU-hours to train LLaVA-1.5 13B",
    ),
    Form(
        "latency",
        ("batch size? of? N:number", ""),
        (*RECIPE_MODIFIERS, "dtype", "memory", "latency"),
        words_of(
            "latency fast slow speed throughput ttft memory vram ram fit fits run runs respond"
            " response quick quickly long take takes answer answers inference infer serve serving"
            " second seconds tokens per how much many does it can will of a do need needs required"
            " require have generate generating gb time first token decode prefill decoding for vlm"
            " model is what llm estimate reply required i you deploy use uses when quantized"
            " quantised in on with llava enough batch size one image single get into +"
        ),
        (
            words_of(
                "latency fast slow speed throughput ttft memory vram ram fit fits run runs respond"
                " response quick quickly inference long serve serving enough answer answers"
            ),
        ),
        latency,
        "latency of a 7B with 2880 tokens on L4",
    ),
    Form(
        "models",
        ("N:top", ""),
        MODEL_MODIFIERS,
        MODEL_WORDS,
        (
            STRONG,
            words_of(
                "model models vlm vlms checkpoint checkpoints tree smallest open released weights"
            ),
        ),
        models,
        "which open model under 5B does multi-image OCR",
    ),
)
