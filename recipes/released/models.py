"""Released vision-language models as values, and filters on them.

In: the vocabulary (tables/registry/models.json, benchmarks.json, components.json) and what a model
must be. Out: Model, Landscape (all of them, with the fit of their scores), and a Sieve: who passes.
Does not read files itself, parse flags or print.

A property that the registry leaves null is not known: a filter on it leaves the model out and
counts it, never guesses it.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..base.errors import Refused
from ..cost import flops, memory
from ..terms.vocabulary import UnknownName, Vocabulary, fold, nearest
from . import ability

TEXT_TOKENS = 256  # question and answer beside one image, for the memory of an answer

# What a licence text of the registry permits: (commercial use: yes, no, conditions or unknown; open
# source; why). Nothing is read into a text that is not here: it is unknown. Read at the source:
# Llama 3.2 and 4 in meta-llama/llama-models@a9c89c47, DeepSeek in deepseek-ai/DeepSeek-VL2@ef9f91e2
# LICENSE-MODEL, Qwen-VL in QwenLM/Qwen-VL@aa00ed04 LICENSE; else the registry's words.
LICENCES: Mapping[str, tuple[str, bool, str]] = {
    "Apache-2.0": ("yes", True, "Apache-2.0"),
    "MIT": ("yes", True, "MIT"),
    "Apache-2.0 (repository LICENSE)": (
        "conditions",
        True,
        "the repository is Apache-2.0; look at the card of the weights",
    ),
    "Apache-2.0 (repository)": (
        "conditions",
        True,
        "the repository is Apache-2.0; look at the card of the weights",
    ),
    "MIT (third-party directory)": (
        "conditions",
        True,
        "MIT by a third-party directory only; look at the card",
    ),
    "MIT (project); parts under their own licences": (
        "conditions",
        False,
        "the project is MIT; the LLM inside keeps its own licence",
    ),
    "Apache-2.0 (project); base LLM licences apply": (
        "conditions",
        False,
        "the project is Apache-2.0; the LLM inside keeps its own licence",
    ),
    "code MIT; weights DeepSeek model licence (commercial use allowed)": (
        "conditions",
        False,
        "commercial use within its use restrictions (Attachment A)",
    ),
    "Tongyi Qianwen licence (commercial use allowed)": (
        "conditions",
        False,
        "above 100 million monthly users a licence must be asked for",
    ),
    "Llama 3.2 Community License": (
        "conditions",
        False,
        (
            "multimodal rights not granted to companies in the European Union; above 700 million"
            " users ask"
        ),
    ),
    "Llama 4 Community License": (
        "conditions",
        False,
        "above 700 million monthly users a licence must be asked for; use policy",
    ),
    "code Apache-2.0; weights CC-BY-NC-4.0 (badge) / CC-BY-NC-SA-4.0 (text)": (
        "no",
        False,
        "non-commercial weights",
    ),
    "Apple ML Research Model licence (research only)": ("no", False, "research only"),
    "proprietary": ("no", False, "weights are not released"),
}
UNREAD = ("unknown", False, "its terms were not read")

# A registry benchmark that stands for parts of a mix which no model prints apart.
STANDS_FOR = {
    "refcoco_avg8": ("refcoco", "refcoco_plus", "refcocog", "refcoco_avg"),
    "cvbench": ("cvbench", "cvbench_2d", "cvbench_3d"),
}

# Splits that the registry's note says lump unlike ones together: AI2D "test" does not say whether
# the labels are masked.
MIXED = {("ai2d", "test")}


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
        self.models = tuple(
            Model(
                r["key"],
                r["name"],
                r,
                tuple(
                    Score(
                        s["benchmark"],
                        s["split"],
                        s["value"],
                        s["max"],
                        s["protocol"],
                        s["reported_by"],
                        s["source"],
                        tuple(s["also_in"]),
                        _setup(s),
                    )
                    for s in r["scores"]
                ),
            )
            for r in data["models"]
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


class Held(NamedTuple):
    """Memory of an answer about one image, in gigabytes of 10^9 bytes, and how it was counted."""

    gb: float
    basis: str


def held(land: Landscape, model: Model, dtype: str) -> Held | None:
    """Memory for one request: from the shapes of LLM and encoder where the registry has them, else
    weights alone. None: size unknown.
    """
    record = model.record
    if not record["params_b"]:
        return None
    llm = land.words.records("llm").get(record["llm"] or "")
    tokens = (record["visual_tokens"] or 0) + TEXT_TOKENS
    try:
        if llm is None or not record["visual_tokens"]:
            raise flops.MissingFigure("shape")
        encoders = (
            record["encoder_params_m"] * 1e6
            if record["encoder_params_m"]
            else sum(
                flops.trunk_params(land.words.records("encoder")[part])
                for part in (record["encoder"] or "?").split("+")
            )
        )
        language = llm.get("params") or 1e9 * llm["params_b"]
        # connector, and what else the total counts
        other = max(0.0, 1e9 * record["params_b"] - language - encoders)
        if other > 0.15 * 1e9 * record["params_b"]:
            raise flops.MissingFigure("parts do not add up to the total")
        value = memory.inference(llm, encoders, other, tokens, dtype)
        return Held(
            value.total,
            f"LLM {dtype}, vision tower 16 bit, KV cache of one image ({record['visual_tokens']:,}"
            f" + {TEXT_TOKENS} tokens), {memory.OVERHEAD_GB:g} GB overhead",
        )
    except (flops.MissingFigure, KeyError):
        return Held(
            record["params_b"] * memory.WEIGHT_BYTES[dtype] + memory.OVERHEAD_GB,
            f"weights only, shapes or tokens not known: {record['params_b']:g}B x"
            f" {memory.WEIGHT_BYTES[dtype]:g} bytes, {memory.OVERHEAD_GB:g} GB overhead",
        )


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

    def licence(model: Model) -> bool | None:
        text = model.record["license"]
        if need.licence == "commercial":
            return {"yes": True, "conditions": True, "no": False}.get(model.licence[0])
        if need.licence == "open":
            return None if text is None or model.licence[0] == "unknown" else model.licence[1]
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
    if need.licence:
        out["licence"] = licence
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
