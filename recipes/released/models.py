"""Released vision-language models as values, and filters on them.

In: the vocabulary (tables/registry/models.json, benchmarks.json, components.json) and what a model
must be. Out: Model, Landscape (all of them, with the fit of their scores), and a Sieve: who passes.
Does not read files itself, parse flags or print.

A property that the registry leaves null is not known: a filter on it leaves the model out and
counts it, never guesses it.
"""

import functools
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..base.errors import Refused
from ..cost import flops, memory
from ..terms.licences import UNREAD, Licence, licence
from ..terms.vocabulary import UnknownName, Vocabulary, fold, nearest
from . import ability

TEXT_TOKENS = 256  # question and answer beside one image, for the memory of an answer

# A registry benchmark that stands for parts of a mix which no model prints apart.
STANDS_FOR = {
    "refcoco_avg8": ("refcoco", "refcoco_plus", "refcocog", "refcoco_avg"),
    "cvbench": ("cvbench", "cvbench_2d", "cvbench_3d"),
}

# Splits that the registry's note says lump unlike ones together: AI2D "test" does not say whether
# the labels are masked.
MIXED = {("ai2d", "test"), ("ai2d", "unspecified")}


class Score(NamedTuple):
    """One printed score of a model. `setup`: "" as authors report, a rerun's name, or "transfer"
    (fine-tuned on the task: not comparable).
    """

    benchmark: str
    split: str
    value: float
    max: float
    protocol: str | None
    reported_by: str
    source: str  # "source key: place"
    also_in: tuple[str, ...]
    setup: str


class Model(NamedTuple):
    """One released model; `record` has all specifications as the registry has them (null: not
    known).
    """

    key: str
    name: str
    record: Mapping
    scores: tuple[Score, ...]
    licence: Licence = UNREAD

    @property
    def params_b(self) -> float | None:
        return self.record["params_b"]


def _score(record: Mapping, benchmarks: Mapping[str, Mapping]) -> Score:
    """One printed score; the registry leaves out what is usual."""
    protocol, reported_by = record.get("protocol"), record.get("reported_by", "authors")
    setup = reported_by if reported_by.startswith("third-party rerun") else ""
    return Score(
        record["benchmark"],
        record["split"],
        record["value"],
        record.get("max", benchmarks[record["benchmark"]]["max"]),
        protocol,
        reported_by,
        record["source"],
        tuple(record.get("also_in", ())),
        "transfer" if "transfer" in (protocol or "") else setup,
    )


class Landscape:
    """All models, read once, and the fit to all their scores, made when first asked for."""

    def __init__(self, words: Vocabulary):
        data = words.registry("models")
        self.words, self.sources, self.records = words, data["sources"], data["benchmarks"]
        self.models = tuple(
            Model(
                record["key"],
                record["name"],
                record,
                tuple(_score(score, self.records) for score in record["scores"]),
                licence(words, record["license"]),
            )
            for record in data["models"]
        )
        # by targets and model, what ranking.py has judged
        self.judged: dict[tuple, dict[str, Any]] = {}
        self.compiled: str = data["compiled"]
        self.newest: str | None = max(
            (m.record["release"] for m in self.models if m.record["release"]), default=None
        )
        counts = Counter(
            (s.benchmark, s.split)
            for m in self.models
            for s in m.scores
            if not s.setup and (s.benchmark, s.split) not in MIXED
        )
        self.split: dict[str, str] = {}  # the split that most models print
        for (benchmark, split), _ in counts.most_common():
            self.split.setdefault(benchmark, split)
        self._fit: ability.Fit | None = None

    @functools.cached_property
    def embedded(self) -> list[tuple[float, float]]:
        """(parameters, share of them that are embeddings) of the LLMs whose shape is known."""
        return [
            (record["params"], 1 - record["params_non_embedding"] / record["params"])
            for record in self.words.records("llm").values()
            if record.get("params_non_embedding") and record.get("params")
        ]

    @property
    def as_of(self) -> str:
        """How many models are on record, and of when the newest is, in words."""
        newest = f", the newest of {self.newest}" if self.newest else ""
        return f"{len(self.models)} released models on record{newest}"

    def slug(self, benchmark: str) -> str | None:
        """The vocabulary's name of a benchmark of the model registry."""
        slug = (
            self.records[benchmark]["key_in_benchmarks_json"]
            or STANDS_FOR.get(benchmark, (benchmark,))[-1]
        )
        return slug if slug in self.words.records("benchmark") else None

    def label(self, benchmark: str) -> str:
        """A benchmark's short name."""
        record = self.words.records("benchmark").get(self.slug(benchmark) or "", {})
        short = {
            "mmmu": "MMMU",
            "mme_perception": "MME perception",
            "mme": "MME",
            "scienceqa": "ScienceQA",
            "seed": "SEED",
            "refcoco_avg8": "RefCOCO/+/g",
            "mme_cognition": "MME cognition",
            "hallusionbench": "HallusionBench",
            "pope": "POPE",
            "mmbench": "MMBench",
            "mmbench_cn": "MMBench-CN",
            "mmvet": "MM-Vet",
            "llava_wild": "LLaVA-Bench",
            "ai2d": "AI2D",
            "mmmu_pro": "MMMU-Pro",
        }
        return short.get(benchmark) or str(record.get("name", benchmark)).split(" (")[0]

    def called(self, slugs: Iterable[str]) -> str:
        """Benchmarks of the vocabulary by their names, as a list."""
        records = self.words.records("benchmark")
        return ", ".join(str(records[slug]["name"]).split(" (")[0] for slug in slugs)

    def readings(self) -> list[ability.Reading]:
        """All comparable scores, for the fit."""
        return [
            ability.Reading(
                m.key,
                s.benchmark,
                s.split,
                s.setup,
                s.value / s.max,
                (s.benchmark, s.split) in MIXED,
            )
            for m in self.models
            for s in m.scores
            if s.setup != "transfer"
        ]

    def families(self) -> dict[str, str]:
        """Benchmark of the model registry -> task family."""
        records = self.words.records("benchmark")
        return {
            name: records.get(self.slug(name) or "", {}).get("family") or name
            for name in self.records
        }

    @property
    def fit(self) -> ability.Fit:
        """The fit to all models' scores."""
        if self._fit is None:
            known = self.words.derived("ability")
            self._fit = ability.fit(
                self.readings(), self.families(), ability.Lines(**known["lines"]) if known else None
            )
        return self._fit

    def find(self, text: str) -> Model:
        """The model with this key, name or Hugging Face id. Raises UnknownName with the nearest
        ones.
        """
        spellings: dict[str, str] = {}
        for m in self.models:
            for spelling in (
                m.key,
                m.name,
                m.record["hf_id"] or "",
                (m.record["hf_id"] or "").split("/")[-1],
            ):
                spellings.setdefault(fold(spelling), m.key)
        spellings.pop("", None)
        key = spellings.get(fold(text))
        if key is None:
            raise UnknownName(
                "released model", text, nearest(text, spellings, 5), (m.key for m in self.models)
            )
        return next(m for m in self.models if m.key == key)


# --- filters
# ------------------------------------------------------------------------------------------


class Need(NamedTuple):
    """What a model must be. None: does not matter. `floors`: (benchmark, split or None, value in
    the benchmark's own unit).
    """

    under_b: float | None = None
    memory_gb: float | None = None
    dtype: str = "bf16"
    properties: tuple[str, ...] = ()  # of multi_image, video, grounding, pointing
    licence: str | None = None  # commercial, open, or a text to find
    floors: tuple[tuple[str, str | None, float], ...] = ()
    years: tuple[int, int] | None = None
    closed: bool = False  # models whose weights are not released, too
    uses: tuple[tuple[str, str], ...] = ()  # (encoder, connector or llm; slug)


class Held(NamedTuple):
    """Memory of an answer about one image, in gigabytes of 10^9 bytes, and how it was counted."""

    gb: float
    basis: str


def held(land: Landscape, model: Model, dtype: str) -> Held | None:
    """Memory for one request, by one rule for all models: the LLM's body in `dtype`, its
    embeddings, the vision tower and the connector in 16 bit; KV cache and activations of one image
    where the LLM's shape and the tokens are known. None: size unknown.
    """
    record, words = model.record, land.words
    if not record["params_b"]:
        return None
    llm = words.records("llm").get(record["llm"] or "")
    tower = _tower(record, words)
    total = max(1e9 * record["params_b"], 2.0 * tower)
    language = (llm.get("params") or 1e9 * (llm.get("params_b") or 0.0)) if llm else 0.0
    # else the total counts something that the LLM's record does not
    if not language or total - language - tower > 0.15 * total:
        language, llm = total - tower, None
    share, basis = _embeddings(llm, language, land.embedded)
    sixteen = language * share + tower + max(0.0, total - language - tower)
    said = [f"LLM {dtype}, embeddings and vision tower 16 bit"]
    gb = (language * (1 - share) * memory.WEIGHT_BYTES[dtype] + 2.0 * sixteen) / 1e9
    try:
        if llm is None or not record["visual_tokens"]:
            raise flops.MissingFigure("shape or tokens")
        tokens = record["visual_tokens"] + TEXT_TOKENS
        request = memory.inference(llm, 0.0, 0.0, tokens, dtype)
        gb += request.kv_cache + request.activations
        said.append(f"KV cache of one image ({record['visual_tokens']:,} + {TEXT_TOKENS} tokens)")
    except flops.MissingFigure:
        said.append("KV cache not counted: shape or tokens not known")
    said += [f"{memory.OVERHEAD_GB:g} GB overhead", *([basis] if basis else [])]
    if not tower:
        said.append("the tower's size is not known: counted with the LLM")
    return Held(gb + memory.OVERHEAD_GB, ", ".join(said))


def _tower(record: Mapping, words: Vocabulary) -> float:
    """Parameters of the vision tower; 0 where they are not known (or there is none)."""
    if record["encoder_params_m"]:
        return record["encoder_params_m"] * 1e6
    known = words.records("encoder")
    try:
        return sum(
            flops.trunk_params(known[part]) for part in (record["encoder"] or "?").split("+")
        )
    except (flops.MissingFigure, KeyError):
        return 0.0


def _embeddings(
    llm: Mapping | None, language: float, known: Sequence[tuple[float, float]]
) -> tuple[float, str]:
    """Share of an LLM's parameters that are embeddings, and how it was come by ("" as published):
    where its record does not say, the median of the LLMs of half to twice its size, if there are.
    """
    if llm and llm.get("params_non_embedding") and llm.get("params"):
        return 1 - llm["params_non_embedding"] / llm["params"], ""
    near = [share for size, share in known if 0.5 <= size / language <= 2.0]
    if not near:
        return 0.0, "embeddings counted with it: no LLM of its size tells how large they are"
    share = statistics.median(near)
    return share, f"embeddings {share:.0%} as in LLMs of its size"


def headline(model: Model, benchmark: str, split: str | None) -> Score | None:
    """The first score on a split (authors before others); with no split given, on any."""
    mine = [
        s
        for s in model.scores
        if s.benchmark == benchmark and s.setup != "transfer" and split in (None, s.split)
    ]
    return min(mine, key=lambda s: s.setup != "", default=None)


def conditions(land: Landscape, need: Need) -> dict[str, Callable[[Model], bool | None]]:
    """The filters of a Need by name: each says yes, no, or None where the registry does not say."""

    def bound(value, test):
        return None if value is None else test(value)

    def permits(model: Model) -> bool | None:
        text = model.record["license"]
        if need.licence == "commercial":
            return {"yes": True, "conditions": True, "no": False}.get(model.licence.commercial)
        if need.licence == "open":
            read = text is not None and model.licence.commercial != "unknown"
            return model.licence.open_source if read else None
        return bound(text, lambda t: fold(need.licence or "") in fold(t))

    def floor(benchmark: str, split: str | None, least: float) -> Callable[[Model], bool | None]:
        top = land.records[benchmark]["max"]
        return lambda m: bound(
            headline(m, benchmark, split) or headline(m, benchmark, None),
            lambda s: s.value / s.max * top >= least - 1e-9,
        )

    out: dict[str, Callable[[Model], bool | None]] = {}
    if not need.closed:
        out["open weights"] = lambda m: m.record["open"]
    if need.under_b is not None:
        out["parameters"] = lambda m: bound(m.params_b, lambda b: b < need.under_b)
    if need.memory_gb is not None:
        out["memory"] = lambda m: bound(held(land, m, need.dtype), lambda h: h.gb <= need.memory_gb)
    for name in need.properties:
        out[name.replace("_", "-")] = lambda m, name=name: m.record[name]
    for part, slug in need.uses:
        out[f"uses {slug}"] = lambda m, part=part, slug=slug: bound(
            m.record[part], lambda built: slug == built or slug in built.split("+")
        )
    if need.licence:
        out["licence"] = permits
    if need.years:
        out["year"] = lambda m: bound(
            m.record["release"], lambda r: need.years[0] <= int(r[:4]) <= need.years[1]
        )
    for benchmark, split, least in need.floors:
        out[f"{benchmark} >= {least:g}"] = floor(benchmark, split, least)
    return out


class Sieve(NamedTuple):
    """Models that pass; how many each filter turns away; and, by filter, those left out only
    because the registry does not say.
    """

    models: tuple[Model, ...]
    refused: Mapping[str, int]
    unsaid: Mapping[str, tuple[Model, ...]]


def sieve(land: Landscape, need: Need) -> Sieve:
    """Filter all models. A model is `unsaid` (under the first such filter) when no filter says no
    but one cannot say.
    """
    passed, refused, unsaid = [], Counter(), {}
    filters = conditions(land, need)
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
    return Sieve(
        tuple(passed), dict(refused), {name: tuple(found) for name, found in unsaid.items()}
    )


YEARS = re.compile(r"(\d{4})(?:(\+|-)(\d{4})?)?")


def years(text: str) -> tuple[int, int]:
    """`2025`, `2025+`, `2024-2025` -> first and last year. Raises ValueError."""
    match = YEARS.fullmatch(text.strip())
    if not match or match[2] == "+" and match[3] or match[3] and int(match[3]) < int(match[1]):
        raise Refused(f"{text[:20]!r} is not a year (as in 2025, 2025+ or 2024-2025)")
    first = int(match[1])
    return first, int(match[3]) if match[3] else 9999 if match[2] else first
