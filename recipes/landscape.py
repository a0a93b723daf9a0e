"""Released vision-language models: records -> values, filters, ranking by task mix, decision tree, adopt or train.

In: the vocabulary (tables/registry/models.json, benchmarks.json, components.json) and a task mix. Out: Model, Ranked, Branch …
Scores of models that print different benchmarks are compared by ability.py. Does not read files itself, parse flags or print.

A property that the registry leaves null is not known: a filter on it leaves the model out and counts it, never guesses it.
"""
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from . import ability
from .cost import flops, memory
from .evidence.vocabulary import UnknownName, Vocabulary, fold, nearest
from .picker.tasks import TaskMix, parse_mix

BASELINE = "llava-1.5-7b"
TEXT_TOKENS = 256   # question and answer beside one image, for the memory of an answer

# What a licence text of the registry permits: (commercial use: yes, no, conditions or unknown; open source; why). Nothing is
# read into a text that is not here: it is unknown. Read at the source: Llama 3.2 and 4 in meta-llama/llama-models@a9c89c47,
# DeepSeek in deepseek-ai/DeepSeek-VL2@ef9f91e2 LICENSE-MODEL, Qwen-VL in QwenLM/Qwen-VL@aa00ed04 LICENSE; else the registry's words.
LICENCES: Mapping[str, tuple[str, bool, str]] = {
    "Apache-2.0": ("yes", True, "Apache-2.0"),
    "MIT": ("yes", True, "MIT"),
    "Apache-2.0 (repository LICENSE)": ("conditions", True, "the repository is Apache-2.0; look at the card of the weights"),
    "Apache-2.0 (repository)": ("conditions", True, "the repository is Apache-2.0; look at the card of the weights"),
    "MIT (third-party directory)": ("conditions", True, "MIT by a third-party directory only; look at the card"),
    "MIT (project); parts under their own licences": ("conditions", False, "the project is MIT; the LLM inside keeps its own licence"),
    "Apache-2.0 (project); base LLM licences apply": ("conditions", False, "the project is Apache-2.0; the LLM inside keeps its own licence"),
    "code MIT; weights DeepSeek model licence (commercial use allowed)": ("conditions", False, "commercial use within its use restrictions (Attachment A)"),
    "Tongyi Qianwen licence (commercial use allowed)": ("conditions", False, "above 100 million monthly users a licence must be asked for"),
    "Llama 3.2 Community License": ("conditions", False, "multimodal rights not granted to companies in the European Union; above 700 million users ask"),
    "Llama 4 Community License": ("conditions", False, "above 700 million monthly users a licence must be asked for; use policy"),
    "code Apache-2.0; weights CC-BY-NC-4.0 (badge) / CC-BY-NC-SA-4.0 (text)": ("no", False, "non-commercial weights"),
    "Apple ML Research Model licence (research only)": ("no", False, "research only"),
    "proprietary": ("no", False, "weights are not released"),
}
UNREAD = ("unknown", False, "its terms were not read")

# A registry benchmark that stands for parts of a mix which no model prints apart; and slugs that are one split of a benchmark.
STANDS_FOR = {"refcoco_avg8": ("refcoco", "refcoco_plus", "refcocog", "refcoco_avg"), "cvbench": ("cvbench", "cvbench_2d", "cvbench_3d")}
SPLIT_OF = {"scienceqa_img": ("scienceqa", "image"), "scienceqa": ("scienceqa", "unspecified"), "seed_img": ("seed", "image"), "seed_all": ("seed", "all"),
            "mmbench_v1.1": ("mmbench", "v1.1-en-test"), "mme_cognition": ("mme_cognition", None)}


class Score(NamedTuple):
    """One printed score of a model. `setup`: "" as authors report, a rerun's name, or "transfer" (fine-tuned on the task: not comparable)."""
    benchmark: str
    split: str
    value: float
    max: float
    protocol: str | None
    reported_by: str
    source: str             # "source key: place"
    also_in: tuple[str, ...]
    setup: str


class Model(NamedTuple):
    """One released model; `record` has all specifications as the registry has them (null: not known)."""
    key: str
    name: str
    record: Mapping
    scores: tuple[Score, ...]

    @property
    def params_b(self) -> float | None:
        return self.record["params_b"]

    @property
    def licence(self) -> tuple[str, bool, str]:
        """(commercial use, open source, why)."""
        return LICENCES.get(self.record["license"] or "", UNREAD)


def _setup(score: Mapping) -> str:
    if "transfer" in (score["protocol"] or ""):
        return "transfer"
    return score["reported_by"] if score["reported_by"].startswith("third-party rerun") else ""


class Landscape:
    """All models, read once, and the fit to all their scores, made when first asked for."""

    def __init__(self, words: Vocabulary):
        data = words.registry("models")
        self.words, self.sources, self.records = words, data["sources"], data["benchmarks"]
        self.models = tuple(Model(r["key"], r["name"], r, tuple(
            Score(s["benchmark"], s["split"], s["value"], s["max"], s["protocol"], s["reported_by"], s["source"], tuple(s["also_in"]), _setup(s))
            for s in r["scores"])) for r in data["models"])
        counts = Counter((s.benchmark, s.split) for m in self.models for s in m.scores if not s.setup)
        self.split: dict[str, str] = {}     # the split that most models print
        for (benchmark, split), _ in counts.most_common():
            self.split.setdefault(benchmark, split)
        self._fit: ability.Fit | None = None

    def slug(self, benchmark: str) -> str | None:
        """The vocabulary's name of a benchmark of the model registry."""
        slug = self.records[benchmark]["key_in_benchmarks_json"] or STANDS_FOR.get(benchmark, (benchmark,))[-1]
        return slug if slug in self.words.records("benchmark") else None

    def label(self, benchmark: str) -> str:
        """A benchmark's short name."""
        record = self.words.records("benchmark").get(self.slug(benchmark) or "", {})
        short = {"mmmu": "MMMU", "mme_perception": "MME perception", "mme": "MME", "scienceqa": "ScienceQA", "seed": "SEED", "refcoco_avg8": "RefCOCO/+/g mean of 8",
                 "mmbench": "MMBench", "mmbench_cn": "MMBench-CN", "mmvet": "MM-Vet", "llava_wild": "LLaVA-Bench", "ai2d": "AI2D", "mmmu_pro": "MMMU-Pro"}
        return short.get(benchmark) or str(record.get("name", benchmark)).split(" (")[0]

    def readings(self) -> list[ability.Reading]:
        """All comparable scores, for the fit."""
        return [ability.Reading(m.key, s.benchmark, s.split, s.setup, s.value / s.max) for m in self.models for s in m.scores if s.setup != "transfer"]

    def families(self) -> dict[str, str]:
        """Benchmark of the model registry -> task family."""
        records = self.words.records("benchmark")
        return {name: records.get(self.slug(name) or "", {}).get("family") or name for name in self.records}

    @property
    def fit(self) -> ability.Fit:
        """The fit to all models' scores."""
        if self._fit is None:
            self._fit = ability.fit(self.readings(), self.families())
        return self._fit

    def find(self, text: str) -> Model:
        """The model with this key, name or Hugging Face id. Raises UnknownName with the nearest ones."""
        spellings: dict[str, str] = {}
        for m in self.models:
            for spelling in (m.key, m.name, m.record["hf_id"] or "", (m.record["hf_id"] or "").split("/")[-1]):
                spellings.setdefault(fold(spelling), m.key)
        spellings.pop("", None)
        key = spellings.get(fold(text))
        if key is None:
            raise UnknownName("released model", text, nearest(text, spellings, 5), (m.key for m in self.models))
        return next(m for m in self.models if m.key == key)


# --- what a mix asks of models ----------------------------------------------------------------------------------------------

class Target(NamedTuple):
    """A benchmark to compare models on, its split, its maximum, and its weight in the mix."""
    benchmark: str
    split: str
    max: float
    weight: float


class NothingPrinted(ValueError):
    """A task mix of which no released model in the registry prints a benchmark."""


def place(land: Landscape, slug: str) -> tuple[str, str] | None:
    """(benchmark of the model registry, split) that a benchmark's name means; None when no model prints it."""
    benchmark, split = SPLIT_OF.get(slug, (None, None))
    benchmark = benchmark or next((b for b, slugs in STANDS_FOR.items() if slug in slugs), None) or next((b for b in land.records if land.slug(b) == slug), None)
    return (benchmark, split or land.split[benchmark]) if benchmark in land.split else None


def targets(land: Landscape, tasks: TaskMix) -> tuple[list[Target], list[str]]:
    """The benchmarks that stand for a mix, with weights that add up to 1, and what had to be said about them.

    A family's core benchmarks that no model prints give their weight to its other benchmarks when they are half of it or
    more, else to the rest of the core. Raises NothingPrinted.
    """
    families, records = land.words.records("family"), land.words.records("benchmark")
    weights: dict[tuple[str, str], float] = {}
    notes, dropped = [], []
    for name, weight in tasks.parts.items():
        core = families[name]["core"] if name in families else [name]
        found = {slug: place(land, slug) for slug in core}
        missing = [slug for slug in core if found[slug] is None]
        part = {where: 0.0 for where in found.values() if where}
        for where in found.values():
            if where:
                part[where] += 1.0
        if name in families and len(missing) * 2 >= len(core):
            spare = [(b, land.split[b]) for b in land.split for r in [records.get(land.slug(b) or "", {})]
                     if name in (r.get("family"), *r.get("other_families", ())) and (b, land.split[b]) not in part]
            part |= dict.fromkeys(spare, len(missing) / max(len(spare), 1))
            if spare:
                notes.append(f"no released model prints {', '.join(missing)}: {', '.join(b for b, _ in spare)} stand for {name}")
                missing = []
        if missing:
            notes.append(f"no released model prints {', '.join(missing)}" + ("" if part else f": {name} is not compared"))
        if not part:
            dropped.append(name)
        for where, share in part.items():
            weights[where] = weights.get(where, 0.0) + weight * share / sum(part.values())
    if not weights:
        raise NothingPrinted(f"no released model in the registry prints a score for {', '.join(dropped)}")
    total = sum(weights.values())
    return [Target(b, split, float(land.records[b]["max"]), w / total) for (b, split), w in weights.items()], notes


# --- filters ----------------------------------------------------------------------------------------------------------------

class Need(NamedTuple):
    """What a model must be. None: does not matter. `floors`: (benchmark, split or None, value in the benchmark's own unit)."""
    under_b: float | None = None
    memory_gb: float | None = None
    dtype: str = "bf16"
    properties: tuple[str, ...] = ()         # of multi_image, video, grounding, pointing
    licence: str | None = None               # commercial, open, or a text to find
    floors: tuple[tuple[str, str | None, float], ...] = ()
    years: tuple[int, int] | None = None
    closed: bool = False                     # models whose weights are not released, too


class Held(NamedTuple):
    """Memory of an answer about one image, in gigabytes of 10^9 bytes, and how it was counted."""
    gb: float
    basis: str


def held(land: Landscape, model: Model, dtype: str) -> Held | None:
    """Memory for one request: from the shapes of LLM and encoder where the registry has them, else weights alone. None: size unknown."""
    record = model.record
    if not record["params_b"]:
        return None
    llm = land.words.records("llm").get(record["llm"] or "")
    tokens = (record["visual_tokens"] or 0) + TEXT_TOKENS
    try:
        if llm is None or not record["visual_tokens"]:
            raise flops.MissingFigure("shape")
        encoders = record["encoder_params_m"] * 1e6 if record["encoder_params_m"] else sum(
            flops.trunk_params(land.words.records("encoder")[part]) for part in (record["encoder"] or "?").split("+"))
        language = llm.get("params") or 1e9 * llm["params_b"]
        other = max(0.0, 1e9 * record["params_b"] - language - encoders)   # connector, and what else the total counts
        if other > 0.15 * 1e9 * record["params_b"]:
            raise flops.MissingFigure("parts do not add up to the total")
        value = memory.inference(llm, encoders, other, tokens, dtype)
        return Held(value.total, f"LLM {dtype}, vision tower 16 bit, KV cache of one image ({record['visual_tokens']:,} + {TEXT_TOKENS} tokens), "
                                 f"{memory.OVERHEAD_GB:g} GB overhead")
    except (flops.MissingFigure, KeyError):
        return Held(record["params_b"] * memory.WEIGHT_BYTES[dtype] + memory.OVERHEAD_GB,
                    f"weights only: {record['params_b']:g}B x {memory.WEIGHT_BYTES[dtype]:g} bytes, {memory.OVERHEAD_GB:g} GB overhead (shapes or tokens not known)")


def headline(model: Model, benchmark: str, split: str | None) -> Score | None:
    """The first score on a split (authors before others); with no split given, on any."""
    mine = [s for s in model.scores if s.benchmark == benchmark and s.setup != "transfer" and split in (None, s.split)]
    return min(mine, key=lambda s: s.setup != "", default=None)


def tests(land: Landscape, need: Need) -> dict[str, Callable[[Model], bool | None]]:
    """The filters of a Need by name: each says yes, no, or None where the registry does not say."""
    def bound(value, test):
        return None if value is None else test(value)

    def licence(model: Model) -> bool | None:
        text = model.record["license"]
        if need.licence == "commercial":
            return {"yes": True, "conditions": True, "no": False}.get(model.licence[0])
        if need.licence == "open":
            return None if text is None or model.licence[0] == "unknown" else model.licence[1]
        return bound(text, lambda t: fold(need.licence or "") in fold(t))

    def floor(benchmark: str, split: str | None, least: float) -> Callable[[Model], bool | None]:
        top = land.records[benchmark]["max"]
        return lambda m: bound(headline(m, benchmark, split) or headline(m, benchmark, None), lambda s: s.value / s.max * top >= least - 1e-9)

    out: dict[str, Callable[[Model], bool | None]] = {}
    if not need.closed:
        out["open weights"] = lambda m: m.record["open"]
    if need.under_b is not None:
        out["parameters"] = lambda m: bound(m.params_b, lambda b: b < need.under_b)
    if need.memory_gb is not None:
        out["memory"] = lambda m: bound(held(land, m, need.dtype), lambda h: h.gb <= need.memory_gb)
    for name in need.properties:
        out[name.replace("_", "-")] = lambda m, name=name: m.record[name]
    if need.licence:
        out["licence"] = licence
    if need.years:
        out["year"] = lambda m: bound(m.record["release"], lambda r: need.years[0] <= int(r[:4]) <= need.years[1])
    for benchmark, split, least in need.floors:
        out[f"{benchmark} >= {least:g}"] = floor(benchmark, split, least)
    return out


class Sieve(NamedTuple):
    """Models that pass; how many each filter turns away; and, by filter, those left out only because the registry does not say."""
    models: tuple[Model, ...]
    refused: Mapping[str, int]
    unsaid: Mapping[str, tuple[Model, ...]]


def sieve(land: Landscape, need: Need) -> Sieve:
    """Filter all models. A model is `unsaid` (under the first such filter) when no filter says no but one cannot say."""
    passed, refused, unsaid = [], Counter(), {}
    filters = tests(land, need)
    for model in land.models:
        says = {name: test(model) for name, test in filters.items()}
        no = next((name for name, answer in says.items() if answer is False), None)
        open_ = next((name for name, answer in says.items() if answer is None), None)
        if no:
            refused[no] += 1
        elif open_:
            unsaid.setdefault(open_, []).append(model)
        else:
            passed.append(model)
    return Sieve(tuple(passed), dict(refused), {name: tuple(found) for name, found in unsaid.items()})


# --- ranking ----------------------------------------------------------------------------------------------------------------

class Cell(NamedTuple):
    """A model on one target. `value` in the target's unit: as printed on its split, or carried over or estimated by the fit.

    kind: printed (by its authors or copied), carried (printed, but on another split or in another's set-up), estimated (not printed).
    """
    target: Target
    value: float
    se: float
    kind: str
    score: Score | None


class Ranked(NamedTuple):
    """A model's place for a mix. score and se in percent of scale; printed: weight of the mix that it prints; tie: number of its group."""
    model: Model
    score: float
    se: float
    cells: tuple[Cell, ...]
    printed: float
    tie: int = 1


def judge(land: Landscape, model: Model, wanted: Sequence[Target]) -> Ranked | None:
    """A model's score on a mix: printed where printed, estimated where not. None: it prints none of the mix's benchmarks."""
    names = [t.benchmark for t in wanted]
    if not any(s.benchmark in names and s.setup != "transfer" for s in model.scores):
        return None
    fitted = land.fit
    means, covariance = ability.predict(fitted, model.key, names)
    cells, slopes = [], []
    for i, (target, z) in enumerate(zip(wanted, means)):
        score, anywhere = headline(model, target.benchmark, target.split), headline(model, target.benchmark, None)
        if score and not score.setup:
            value = score.value / score.max
            se = math.sqrt(ability.disagreement(fitted, model.key, target.benchmark)) * ability.slope(fitted, target.benchmark, value)
            cells.append(Cell(target, value * target.max, se * target.max, "printed", score))
            slopes.append(0.0)
        else:
            value = ability.share(fitted, target.benchmark, target.split, z)
            slopes.append(ability.slope(fitted, target.benchmark, value))
            covariance[i][i] += ability.extrapolation(fitted, target.benchmark, z)
            cells.append(Cell(target, value * target.max, math.sqrt(covariance[i][i]) * slopes[-1] * target.max, "carried" if anywhere else "estimated", anywhere))
    steps = [t.weight * s for t, s in zip(wanted, slopes)]
    variance = sum(a * b * covariance[i][j] for i, a in enumerate(steps) for j, b in enumerate(steps))
    variance += sum((c.target.weight * c.se / c.target.max) ** 2 for c in cells if c.kind == "printed")
    return Ranked(model, 100 * sum(c.target.weight * c.value / c.target.max for c in cells), 100 * math.sqrt(variance), tuple(cells),
                  sum(c.target.weight for c in cells if c.kind != "estimated"))


def apart(a: Ranked, b: Ranked) -> bool:
    """Whether two scores differ by more than the standard error of their difference."""
    return abs(a.score - b.score) > math.hypot(a.se, b.se)


def rank(land: Landscape, models: Iterable[Model], wanted: Sequence[Target]) -> tuple[list[Ranked], int]:
    """Models from best to worst for a mix, and how many print none of it.

    Down from the best, those within one standard error of the group's first are a tie: fewest parameters first, those that
    print less than half of the mix after the others.
    """
    judged = [judge(land, model, wanted) for model in models]
    order = sorted((r for r in judged if r), key=lambda r: (-r.score, r.model.key))
    groups: list[list[Ranked]] = []
    for item in order:
        if groups and not apart(groups[-1][0], item):
            groups[-1].append(item)
        else:
            groups.append([item])
    out = []
    for number, group in enumerate(groups, 1):
        out += [item._replace(tie=number) for item in sorted(group, key=lambda r: (r.printed < 0.5, r.model.params_b or math.inf, -r.score, r.model.key))]
    return out, len(judged) - len(order)


def would_lead(land: Landscape, models: Iterable[Model], wanted: Sequence[Target], best: Ranked) -> list[Ranked]:
    """Those of the models that are not behind the best one, best first, and print half of the mix or more."""
    found = [r for r in (judge(land, model, wanted) for model in models) if r and r.printed >= 0.5 and (r.score > best.score or not apart(r, best))]
    return sorted(found, key=lambda r: (-r.score, r.model.key))


def same_setup(a: Model, b: Model, wanted: Sequence[Target]) -> list[tuple[Score, Score]]:
    """Pairs of scores on the mix's benchmarks that one party measured in one set-up and printed in one place."""
    def own(s: Score) -> bool:
        return s.reported_by == "authors" or s.setup != ""
    out = []
    for target in wanted:
        pairs = [(x, y) for x in a.scores for y in b.scores if x.benchmark == y.benchmark == target.benchmark and x.split == y.split and own(x)
                 and (x.reported_by, x.protocol, x.source.split(":")[0]) == (y.reported_by, y.protocol, y.source.split(":")[0])]
        out += pairs[:1]
    return out


# --- the decision tree, and adopting -----------------------------------------------------------------------------------------

class Leaf(NamedTuple):
    """The answer of one question: the models of the first tie, best value first, and how many there are."""
    label: str
    best: tuple[Ranked, ...]
    tied: int
    unsaid: int


class Branch(NamedTuple):
    """One need: its label, what it is judged on, and a leaf per size."""
    label: str
    tasks: str
    wanted: tuple[Target, ...]
    leaves: tuple[Leaf, ...]
    notes: tuple[str, ...]


# The questions, not the answers: need, the mix that it is judged on, the property that a model must have.
BRANCHES = (("reads documents and text in images (OCR)", "ocr-document", ()), ("several images at once", "multi-image", ("multi_image",)), ("video", "video", ("video",)),
            ("boxes for words (grounding)", "grounding", ("grounding",)), ("points, and screens to click (pointing)", "ui-agent", ("pointing",)), ("overall", "balanced", ()))
SIZES = ((5.0, "under 5B"), (10.0, "under 10B"), (None, "any size"))


def tree(land: Landscape, need: Need, count: int = 3) -> list[Branch]:
    """The decision tree: every leaf is the ranking of today's registry under `need` and the leaf's own limits."""
    out = []
    for label, mix, properties in BRANCHES:
        wanted, notes = targets(land, parse_mix(mix, land.words))
        leaves = []
        for size, words in SIZES:
            if size is not None and need.under_b is not None and size >= need.under_b:
                continue
            limit = min(x for x in (size, need.under_b, math.inf) if x is not None)
            found = sieve(land, need._replace(under_b=None if limit == math.inf else limit, properties=tuple(dict.fromkeys((*need.properties, *properties)))))
            ranked, _ = rank(land, found.models, wanted)
            first = [r for r in ranked if r.tie == 1]
            said = words if limit == size or limit == math.inf else f"under {limit:g}B"
            leaves.append(Leaf(said, tuple(first[:count]), len(first), sum(map(len, found.unsaid.values()))))
        out.append(Branch(label, mix, tuple(wanted), tuple(leaves), tuple(notes)))
    return out


class Adopted(NamedTuple):
    """Released models for a mix: ranked, the benchmarks they are compared on, those left out as unknown, and caveats."""
    ranked: tuple[Ranked, ...]
    wanted: tuple[Target, ...]
    unsaid: Mapping[str, tuple[Model, ...]]
    notes: tuple[str, ...]


def adopt(words: Vocabulary, tasks: TaskMix, limit_params_b: float | None = None, memory_gb: float | None = None, dtype: str = "bf16",
          deploy: str | None = None, licence: str | None = None, count: int = 3) -> Adopted:
    """The best released open models for a mix within what they may be deployed on.

    limit_params_b: total parameters below this many billions. memory_gb: memory for one request in number format `dtype` (bf16,
    int8, int4). deploy: a hardware slug, whose memory is the limit when memory_gb is None. licence: as in Need. count: how many.
    `ranked[i].cells[j]`: value, kind (printed, carried, estimated), and the printed Score with its source on `wanted[j]`.
    Raises NothingPrinted when no released model prints any benchmark of the mix.
    """
    land = Landscape(words)
    wanted, notes = targets(land, tasks)
    if memory_gb is None and deploy:
        memory_gb = float(words.records("hardware")[deploy]["memory_gb"])
    found = sieve(land, Need(limit_params_b, memory_gb, dtype, licence=licence))
    ranked, _ = rank(land, found.models, wanted)
    return Adopted(tuple(ranked[:count]), tuple(wanted), found.unsaid, (*notes, PROTOCOLS))


PROTOCOLS = ("scores come from each model's own authors unless marked: prompts, image sizes and judges differ, and reruns of "
             "one model differ by several points")


def baseline_scores(words: Vocabulary, tasks: TaskMix) -> dict[str, Score]:
    """Printed scores of LLaVA-1.5-7B on the benchmarks that stand for a mix: benchmark slug of the vocabulary -> Score.

    With `adopt`: baseline + expected gain (in the benchmark's points: share of `max`) against a released model's printed
    score, one benchmark at a time. Only scores on the target's split that are not others' reruns; the protocols still differ.
    """
    land = Landscape(words)
    model = land.find(BASELINE)
    out = {}
    for target in targets(land, tasks)[0]:
        score = headline(model, target.benchmark, target.split) or headline(model, target.benchmark, None)
        slug = next((s for s, (b, split) in SPLIT_OF.items() if (b, split) == (target.benchmark, target.split)), None) or land.slug(target.benchmark)
        if score and slug:
            out[slug] = score
    return out


YEARS = re.compile(r"(\d{4})(?:(\+|-)(\d{4})?)?")


def years(text: str) -> tuple[int, int]:
    """`2025`, `2025+`, `2024-2025` -> first and last year. Raises ValueError."""
    match = YEARS.fullmatch(text.strip())
    if not match or match[2] == "+" and match[3] or match[3] and int(match[3]) < int(match[1]):
        raise ValueError(f"{text[:20]!r} is not a year (as in 2025, 2025+ or 2024-2025)")
    first = int(match[1])
    return first, int(match[3]) if match[3] else 9999 if match[2] else first
