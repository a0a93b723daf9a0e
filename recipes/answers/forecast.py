"""`backtest --models`: released models' scores, forecast from those of LLaVA-1.5-7B.

In: the library. Out: for every released model whose encoder and LLM the registry knows, the scores
that its recipe would have been expected to reach, beside those that its makers print: error and
whether the 80 % interval holds. The model's own paper is left out of the evidence. Beside it the
forecasts by the LLM alone, which `pick` goes by when it says "adopt or train". Does not print.
"""

import math
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..base.wording import number
from ..effects import tails
from ..effects.backtest import Unseen, predict
from ..effects.columns import KINDS, columns
from ..effects.encoders import year
from ..effects.features import difference, features
from ..effects.leave import Leave
from ..effects.level import bounded, carried
from ..effects.model import Belief, usual_scores
from ..library import Library
from ..released.level import checked
from ..released.models import Landscape, Model, Score
from ..terms.recipe import BASELINE
from ..terms.vocabulary import Vocabulary, fold

FROM = "llava-1.5-7b"
# by the names of the models' registry, with those of the tables; MMMU of the baseline is not in it
BENCHMARKS = {
    "docvqa": "docvqa",
    "chartqa": "chartqa",
    "textvqa": "textvqa",
    "ai2d": "ai2d",
    "mmmu": "mmmu",
    "mmbench": "mmbench_en",
}
# What may differ between two makers' systems: everything but details that no record states.
MOVED = ("encoder", "connector", "connector_class", "llm", "data", "resolution", "training")


LEAST = 12  # models of other makers that a line over years goes through


class Forecast(NamedTuple):
    """One score: expected and printed, in percent; the 80 % interval."""

    model: str
    benchmark: str
    split: str
    expected: float
    low: float
    high: float
    printed: float


def side(text: str | None) -> float | None:
    """Pixels of the longest side that a resolution strategy in words reaches in training, as far as
    it says: tiles across times their side.
    """
    whole = re.search(r"up to (\d+) ?x ?(\d+)", text or "")
    if whole:
        return math.sqrt(int(whole[1]) * int(whole[2]))
    px = re.search(r"(\d+) px", text or "")
    if not px:
        return None
    tiles = re.search(r"(?:up to |<= |, )(\d+)(?: in training)?(?=[ ,;]|$)", text[px.end() :])
    if tiles:
        return int(px[1]) * math.sqrt(int(tiles[1]))
    if "2x2" in text:
        return 2.0 * int(px[1])
    return None if "tile" in text else float(px[1])


def setting(model: Model, words: Vocabulary, mixes: Mapping[str, Mapping]) -> dict | None:
    """A released model's recipe as far as the registry knows it; None without its encoder or
    LLM.
    """
    record = model.record
    encoder, llm = record["encoder"], record["llm"]
    parts = (encoder or "").split("+")
    if any(part not in words.records("encoder") for part in parts):
        return None
    if llm not in words.records("llm"):
        return None
    out = {
        "encoder": "+".join(sorted(parts)),
        "llm": llm,
        "connector": record["connector"] if record["connector"] in _connectors(words) else None,
        "visual_tokens": record["visual_tokens"],
        "resolution": side(record["resolution"]),
        "data": mixes.get(model.key, {}).get("data"),
    }
    return {key: value for key, value in out.items() if value is not None}


def _connectors(words: Vocabulary) -> Iterable[str]:
    return words.records("connector")


def _printed(model: Model, benchmark: str, split: str | None, usual: str) -> Score | None:
    """What is printed of a model on a benchmark, the makers' first: on a split, or on the one that
    most models print; a rerun where nothing else is.
    """
    scores = [s for s in model.scores if s.benchmark == benchmark and s.setup != "transfer"]
    scores.sort(key=lambda s: bool(s.setup))
    wanted = [split] if split else [usual, *(s.split for s in scores)]
    return next((s for name in wanted for s in scores if s.split == name), None)


class Forecaster:
    """The evidence, ready to be asked about models without their own papers."""

    def __init__(self, library: Library):
        self.words = library.words
        self.papers = library.papers(shipped_only=True)
        self.data = columns(self.papers, self.words)
        self.posterior = library.posterior
        self.unseen = Unseen(self.data, self.posterior.hyper)
        self.usual = usual_scores(self.data)
        self.base = features(BASELINE.stated(), self.words)
        self._left: dict[tuple[str, ...], Leave] = {}  # without these papers
        self._beliefs: dict[tuple, Belief] = {}
        self._asked: dict[tuple[str, ...], set[int]] = {}  # what is asked without them

    def own_papers(self, model: Model) -> tuple[str, ...]:
        """The papers of the evidence that are the model's: by arXiv number, or by a name that the
        model's begins with.
        """
        return tuple(
            paper.key
            for paper in self.papers
            if paper.arxiv
            and paper.arxiv.split("v")[0] == model.record["arxiv"]
            or fold(model.name).startswith(fold(paper.short))
        )

    def change(self, model: Model, recipe: Mapping) -> dict[str, float]:
        """The baseline's features to the model's. All changes are asked for before the first
        forecast: models of one paper share its leaving out.
        """
        change, names = difference(self.base, features(recipe, self.words)), self.unseen.names
        asked = self._asked.setdefault(self.own_papers(model), set())
        asked |= {names[name] for name in change if name in names}
        return change

    def effect(self, change: Mapping[str, float], benchmark: str, own: tuple[str, ...]):
        """(mean, variance) of the shared effect, in units of the scale, without some papers."""
        if own not in self._left:
            index = sorted(self._asked[own])
            known = [b for b in BENCHMARKS.values() if b in self.unseen.scale]
            self._left[own] = self.unseen.without(own, dict.fromkeys(known, index))
        if (own, benchmark) not in self._beliefs:
            self._beliefs[own, benchmark] = self._left[own].benchmark(benchmark)
        belief = self._beliefs[own, benchmark]
        place = {number_: k for k, number_ in enumerate(belief.index)}
        return predict(change, belief, place, self.unseen.names, self.posterior.hyper)

    def forecast(self, model: Model, change: Mapping, base: Score, printed: Score) -> Forecast:
        """The expected score of a model on one benchmark, from the baseline's."""
        benchmark, posterior = BENCHMARKS[base.benchmark], self.posterior
        mean, variance = self.effect(change, benchmark, self.own_papers(model))
        kinds = [kind for kind in KINDS if kind in MOVED]
        variance += posterior.local_variance(kinds, change) * posterior.width(benchmark)
        variance += posterior.noise(benchmark)
        scale = self.unseen.scale[benchmark]
        start = 100 * base.value / base.max
        points = mean * scale
        if bounded(self.words.records("benchmark")[benchmark]):
            points = carried(points, self.usual[benchmark], start)
        half = tails.half_width(0.8) * math.sqrt(variance) * scale
        clip = lambda x: min(max(x, 0.0), 100.0)  # noqa: E731
        expected = start + points
        return Forecast(
            model.key,
            benchmark,
            printed.split,
            expected,
            clip(expected - half),
            clip(expected + half),
            100 * printed.value / printed.max,
        )


def _logit(percent: float) -> float:
    share = min(max(percent / 100, 0.02), 0.98)
    return math.log(share / (1 - share))


def progressed(found: Sequence[Forecast], makers: Mapping, years: Mapping) -> list[Forecast]:
    """The same forecasts, moved by what other makers' models print beyond their recipes: on the
    logit, a straight line over years of release (data and training get better, and no registry says
    how). makers, years: of each model. The interval is the spread about that line.
    """
    out = []
    for one in found:
        rest = [
            (years[o.model], _logit(o.printed) - _logit(o.expected))
            for o in found
            if o.benchmark == one.benchmark and makers[o.model] != makers[one.model]
        ]
        n = len(rest)
        if n < LEAST:
            continue
        mx, my = sum(x for x, _ in rest) / n, sum(y for _, y in rest) / n
        squares = sum((x - mx) ** 2 for x, _ in rest) or 1.0
        slope = sum((x - mx) * (y - my) for x, y in rest) / squares
        sd = math.sqrt(sum((y - my - slope * (x - mx)) ** 2 for x, y in rest) / (n - 2))
        z = _logit(one.expected) + my + slope * (years[one.model] - mx)
        half = tails.half_width(0.8) * sd * math.sqrt(1 + 1 / n)
        points = [100 / (1 + math.exp(-x)) for x in (z, z - half, z + half)]
        out.append(one._replace(expected=points[0], low=points[1], high=points[2]))
    return out


def forecast(library: Library, say: Callable[[str], None]) -> dict:
    """Every forecast, and per benchmark the median absolute error and how often intervals hold."""
    asked = Forecaster(library)
    land = Landscape(library.words)
    mixes = library.words.registry("model_mixes")["models"]
    start = next(m for m in land.models if m.key == FROM)
    base = {b: _printed(start, b, None, land.split.get(b, "")) for b in BENCHMARKS}
    changes = [
        (model, asked.change(model, recipe))
        for model in land.models
        if model.key != FROM and (recipe := setting(model, library.words, mixes))
    ]
    say(f"forecasting {len(changes)} models")
    out: list[Forecast] = []
    for model, change in changes:
        for benchmark, from_ in base.items():
            printed = from_ and _printed(model, benchmark, from_.split, "")
            if printed and BENCHMARKS[benchmark] in asked.unseen.scale:
                out.append(asked.forecast(model, change, from_, printed))
    makers = {model.key: model.record["organisation"] for model in land.models}
    years = {model.key: year(model.record) or 2024.0 for model in land.models}
    moved = progressed(out, makers, years)
    return {
        "from": FROM,
        "models": len({one.model for one in out}),
        "known_data": len({one.model for one in out if one.model in mixes}),
        "benchmarks": {
            b: _errors([x for x in out if x.benchmark == k]) for b, k in BENCHMARKS.items()
        },
        "overall": _errors(out),
        "with_data": _errors([x for x in out if x.model in mixes]),
        "progressed": {
            **{b: _errors([x for x in moved if x.benchmark == k]) for b, k in BENCHMARKS.items()},
            "all": _errors(moved),
        },
        "by_llm": by_llm(land),
        "forecasts": [
            {k: number(v) if isinstance(v, float) else v for k, v in one._asdict().items()}
            for one in out
        ],
    }


def by_llm(land: Landscape) -> dict[str, dict]:
    """How forecasts by the LLM's size and age alone did (released/level.py, what `pick` says), on
    the benchmarks above and on all that enough released models print.
    """
    found = {
        name: checked(land, name, split)
        for name, split in land.split.items()
        if land.records[name]["max"] > 0
    }
    of = {name: found.get(name, []) for name in BENCHMARKS}
    of["all of these"] = [one for name in BENCHMARKS for one in of[name]]
    of["all benchmarks"] = [one for each in found.values() for one in each]
    return {
        name: {
            "n": len(each),
            "median_error": number(100 * statistics.median(abs(one.error) for one in each)),
            "median_bias": number(100 * statistics.median(one.error for one in each)),
            "coverage": number(sum(one.held for one in each) / len(each)),
        }
        for name, each in of.items()
        if each
    }


def _errors(found: list[Forecast]) -> dict | None:
    if not found:
        return None
    errors = sorted(abs(one.printed - one.expected) for one in found)
    bias = sorted(one.printed - one.expected for one in found)
    held = sum(one.low <= one.printed <= one.high for one in found)
    return {
        "n": len(found),
        "median_error": number(errors[len(errors) // 2]),
        "median_bias": number(bias[len(bias) // 2]),
        "coverage": number(held / len(found)),
    }
