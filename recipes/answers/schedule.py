"""Other ways to train one recipe: pairs of printed rows that differ in a setting of the training
alone, and what they come to on a task mix.

In: the papers that print such pairs, a task mix. Out: per change the pairs, their mean per
benchmark, and a random-effects mean over papers with a prediction interval. Printed rows alone:
nothing here is the model's; what the model says of a trained encoder is picks.py's to add.
"""

import math
import statistics
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..effects import tails
from ..effects.change import SAYS_FROZEN, together
from ..effects.columns import recipe_rows, sampling_variance
from ..effects.features import llm_params_b
from ..evidence.contrasts import IGNORED, Contrast, contrasts, pairs_alike, said
from ..evidence.tables import Row, Table
from ..library import Library
from ..terms.tasks import TaskMix

# the mix's benchmarks, others of their families, means that a paper prints, other tasks
TIERS = ("mix", "related", "average", "other")
# doublings within which an LLM is of the size asked for
SAME_SIZE = 0.3


# --- what a row says of its training
# --------------------------------------------------------------------------------------


def _field(row: Row, field: str, default=None):
    """A field of what a row's words say of its training."""
    return (row.trained or {}).get(field) or default


def _encoder(row: Row) -> Hashable:
    """frozen, tuned (in the last stage, or the row does not say when), or tuned at another time."""
    frozen = row.setting.get("frozen_encoder")
    if frozen is None:
        return None
    early = "pre-training" in _field(row, "encoder_tuned_in", ())
    return "frozen" if frozen else "tuned early" if early else "tuned"


def _extra(row: Row) -> Hashable:
    """Is there a stage between the alignment of the connector and the instruction tuning?"""
    extra = (row.setting.get(key) for key in ("stage15_data", "continual_pt_resolution"))
    return any((*extra, _field(row, "extra_stage")))


def _ramp(row: Row) -> Hashable:
    """ramp: the resolution rises while training; fixed: it is that of the end all along; low: it is
    lower all along.
    """
    setting = row.setting
    crops, test = setting.get("crops_train"), setting.get("crops_test")
    if isinstance(crops, str) and "then" in crops:
        return "ramp"
    if isinstance(crops, int) and isinstance(test, int):
        return "low" if crops < test else "fixed"
    before, last = setting.get("continual_pt_resolution"), setting.get("resolution")
    return (
        "ramp" if isinstance(before, int) and isinstance(last, int) and before < last else "fixed"
    )


def _steps(stage: int) -> Callable[[Row], Hashable]:
    """The steps of a stage."""
    return lambda row: next((one.get("steps") for one in row.stages[stage - 1 : stage]), None)


def _setting(key: str) -> Callable[[Row], Hashable]:
    return lambda row: row.setting.get(key)


# Everything that a row may say of how it was trained; a change moves one of these, and the others
# stay.
LEVELS: Mapping[str, Callable[[Row], Hashable]] = {
    "encoder": _encoder,
    "llm": lambda row: _field(row, "llm_tuning"),
    "stages": lambda row: row.setting.get("stages") or len(row.stages) or None,
    "extra": _extra,
    "ramp": _ramp,
    "epochs": _setting("epochs"),
    "alignment steps": _steps(1),
    "steps": _steps(2),
    "batch": _setting("batch_size"),
}


class Change(NamedTuple):
    """One other way to train. what: in words; back: the opposite in words, where a recipe may have
    it already.

    keys: settings in which two rows may differ. level, before, after: which of LEVELS moves, from
    where (None: from anywhere), to where (None: to two to four times as much, give or take 5 %).
    also: a level that may move along, and is then said.
    """

    slug: str
    what: str
    keys: frozenset[str]
    level: str
    before: Hashable
    after: Hashable
    back: str = ""
    also: str = ""

    def step(self, a: Hashable, b: Hashable) -> bool:
        """Is a -> b this change of its level?"""
        if self.after is None:
            return (
                isinstance(a, (int, float))
                and isinstance(b, (int, float))
                and 0 < 1.9 * a < b < 4.1 * a
                and (self.before is None or a == self.before)
            )
        return a == self.before and b == self.after


def _keys(*names: str) -> frozenset[str]:
    return frozenset(names)


CHANGES = (
    Change(
        "encoder",
        "train the encoder too",
        _keys("frozen_encoder", *SAYS_FROZEN),
        "encoder",
        "frozen",
        "tuned",
        "freeze the encoder",
    ),
    Change(
        "lora",
        "LoRA instead of training the whole LLM",
        _keys("training", "lm_finetune"),
        "llm",
        "full",
        "lora",
    ),
    Change(
        "frozen-llm",
        "keep the LLM frozen",
        _keys("training", "lm_finetune", "llm_trained"),
        "llm",
        "full",
        "frozen",
    ),
    Change(
        "one-stage",
        "leave out the stage of the connector alone",
        _keys("training", "stages", "alignment_data_size"),
        "stages",
        2,
        1,
    ),
    Change(
        "extra-stage",
        "one more stage before the instruction tuning",
        _keys(
            *("training", "data", "stage15_data", "domain_enhancement"),
            *("continual_pt_resolution", "continual_pt_tiling"),
        ),
        "extra",
        False,
        True,
    ),
    Change(
        "epochs",
        "two to three epochs of the instruction data instead of one",
        _keys("epochs"),
        "epochs",
        1,
        None,
    ),
    Change(
        "longer",
        "two to four times the steps of instruction tuning",
        _keys("training"),
        "steps",
        None,
        None,
    ),
    Change(
        "longer-alignment",
        "four times the steps of the connector alone",
        _keys("training"),
        "alignment steps",
        None,
        None,
    ),
    Change(
        "ramp",
        "a lower resolution first instead of the full one all along",
        _keys("training", "crops_train", "continual_pt_resolution", "continual_pt_tiling"),
        "ramp",
        "fixed",
        "ramp",
    ),
    Change("batch", "a batch of 64 instead of 128", _keys("batch_size"), "batch", 128, 64),
)
# Not a way to train the pick, which trains the LLM whole; asked of beside `lora`.
LORA_OVER_FROZEN = Change(
    "lora-over-frozen",
    "LoRA instead of a frozen LLM",
    _keys("training", "lm_finetune", "frozen_encoder"),
    "llm",
    "frozen",
    "lora",
    also="encoder",
)
KNOWN = {change.slug: change for change in (*CHANGES, LORA_OVER_FROZEN)}
# what two rows of a pair may differ in
MOVED = tuple(sorted(frozenset().union(*(change.keys for change in KNOWN.values()))))
# not an axis of the training, and yet the change itself
ITSELF = ("stage15_data", "crops_train")


# --- pairs of rows
# ------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """Two rows of a table that make a change. also: other settings that differ with it; contrasts:
    their scores, turned to read in its direction.
    """

    table: Table
    before: Row
    after: Row
    also: tuple[str, ...]
    contrasts: tuple[Contrast, ...]

    @property
    def copied(self) -> bool:
        """Do both rows carry the same number in every column? Then one is likely a copy of the
        other, and no result.
        """
        return len(self.contrasts) > 1 and not any(one.delta for one in self.contrasts)


class Pairs:
    """The pairs of printed rows of every change. keys: of the papers to read (default: those known
    to print one).
    """

    def __init__(self, library: Library, keys: Iterable[str] | None = None):
        self.library = library
        self.axis_of = library.words.axis_of
        self.found: dict[str, list[Pair]] = {slug: [] for slug in KNOWN}
        self._runs: set[tuple] = set()
        for paper in library.papers(library.standing.papers["changes"] if keys is None else keys):
            for table in paper.tables:
                if "training" in table.varies:
                    self._in_table(table)
        self._settle()

    def _in_table(self, table: Table) -> None:
        """Sort the pairs of a table into `found`: only rows that are the same in all that no change
        moves can be one. Words on the training that nobody has read may mean anything.
        """
        for a, b in pairs_alike(recipe_rows(table), self._rest):
            differ = {key for key in MOVED if a.setting.get(key) != b.setting.get(key)}
            apart = {name for name, level in LEVELS.items() if level(a) != level(b)}
            for change in KNOWN.values():
                may = {change.level, change.also}
                if differ <= change.keys and change.level in apart and apart <= may:
                    one, two = (LEVELS[change.level](row) for row in (a, b))
                    if change.step(one, two):
                        self._add(change, table, a, b, differ)
                    elif change.step(two, one):
                        self._add(change, table, b, a, differ)

    def _rest(self, row: Row) -> frozenset:
        """All that a row says beside what a change may move."""
        free = set(MOVED) - ({"training"} if row.trained is None else set())
        return said(
            row.setting,
            lambda key: key not in free and self.axis_of.get(key, "other") not in IGNORED,
        )

    def _add(self, change: Change, table: Table, a: Row, b: Row, differ: set[str]) -> None:
        """Add a pair to a change; two training runs count once, however many tables print them."""
        runs = (change.slug, *(row.run or (table.id, row.arm) for row in (a, b)))
        found = tuple(contrasts(table, self.axis_of, pairs=[(a, b)]))
        if found and runs not in self._runs:
            self._runs.add(runs)
            also = tuple(
                sorted(
                    key
                    for key in differ
                    if key not in ITSELF
                    and (self.axis_of[key] != "training" or change.also and key == "frozen_encoder")
                )
            )
            self.found[change.slug].append(Pair(table, a, b, also, found))

    def _settle(self) -> None:
        """Leave out a row with several rows before it that differ in their data: nobody says which
        of them it goes on from.
        """
        for slug, pairs in self.found.items():
            before: dict[int, set] = {}
            for pair in pairs:
                before.setdefault(id(pair.after), set()).add(pair.before.setting.get("data"))
            self.found[slug] = [pair for pair in pairs if len(before[id(pair.after)]) == 1]

    def near(self, slug: str, size: float | None) -> list[Pair]:
        """The pairs of a change, all of them or those on an LLM of about a size (billions)."""
        pairs = self.found[slug]
        if size is None:
            return pairs
        sizes = [(pair, llm_params_b(pair.after.setting, self.library.words)) for pair in pairs]
        return [pair for pair, own in sizes if own and abs(math.log2(own / size)) < SAME_SIZE]


# --- what they come to
# ------------------------------------------------------------------------------------------


class Printed(NamedTuple):
    """What the printed rows of a change come to on a task mix, in percent of the benchmarks'
    scales.

    tier: which benchmarks these are (TIERS); benchmarks: benchmark -> mean delta; papers: paper ->
    mean over them.
    """

    tier: str
    expected: float
    low: float
    high: float
    p_better: float
    benchmarks: Mapping[str, float]
    papers: Mapping[str, float]
    pairs: tuple[Pair, ...]  # those with a score on these benchmarks


def alternative(
    change: Change,
    pairs: Sequence[Pair],
    library: Library,
    tasks: TaskMix,
    level: float,
    back: bool = False,
) -> dict | None:
    """One other way to train by its printed rows alone, as plain values; None without a pair. back:
    the change undone.

    Deltas are in percent of scale: of the mix where `tasks` is `mix`, else of the nearest
    benchmarks that the rows have (TIERS).
    """
    sign = -1.0 if back else 1.0
    rows = printed(pairs, library, tasks, level, sign)
    if rows is None:
        return None
    shown, apart = (
        [_row(pair, library, sign) for pair in some]
        for some in (rows.pairs, [pair for pair in pairs if pair not in rows.pairs])
    )
    return {
        "change": change.back if back else change.what,
        "slug": change.slug,
        "basis": "printed rows",
        "expected": rows.expected,
        "low": rows.low,
        "high": rows.high,
        "level": level,
        "p_better": rows.p_better,
        "tasks": rows.tier,
        "of": len(tasks.benchmarks),
        "benchmarks": [
            {"benchmark": name, "expected": value} for name, value in rows.benchmarks.items()
        ],
        "papers": [{"paper": name, "expected": value} for name, value in rows.papers.items()],
        "also_moves": sorted({key for one in shown for key in one["also_moves"]}),
        "tables": list(dict.fromkeys(one["table"] for one in shown)),
        "rows": shown,
        "other_rows": apart,
    }


def _row(pair: Pair, library: Library, sign: float) -> dict:
    """A pair of rows as plain values; deltas in points."""
    a, b = (pair.before, pair.after) if sign > 0 else (pair.after, pair.before)
    return {
        "table": pair.table.id,
        "arxiv": pair.table.arxiv,
        "from_arm": a.arm,
        "to_arm": b.arm,
        "llm_params_b": llm_params_b(a.setting, library.words),
        "also_moves": list(pair.also),
        "identical": pair.copied,
        "deltas": [
            {
                "benchmark": one.metric.benchmark,
                "metric": one.metric.key,
                "delta": sign * one.delta,
                "max": one.metric.max,
            }
            for one in pair.contrasts
        ],
    }


def sources(library: Library) -> list[str]:
    """The published papers with a pair of rows for one of CHANGES."""
    papers = library.papers(shipped_only=True)
    pairs = Pairs(library, {paper.key for paper in papers})
    files = {table.id: paper.key for paper in papers for table in paper.tables}
    return sorted({files[one.table.id] for found in pairs.found.values() for one in found})


def _tiers(library: Library, tasks: TaskMix) -> Callable[[str], int]:
    """Number in TIERS of a benchmark."""
    records = library.words.records("benchmark")
    families = {records[name]["family"] for name in tasks.benchmarks}

    def tier(name: str) -> int:
        record = records.get(name, {})
        if name in tasks.benchmarks:
            return 0
        if record.get("kind") == "average":
            return 2
        return 1 if record.get("family") in families else 3

    return tier


def printed(
    pairs: Sequence[Pair], library: Library, tasks: TaskMix, level: float, sign: float = 1.0
) -> Printed | None:
    """The median over papers on the mix, or on the nearest tasks that they print; None without
    pairs (copies apart).

    A paper is one result however many pairs and benchmarks it has: the mean over its benchmarks, by
    their weight in the mix. Its variance is the noise of two runs on that mean and the
    heterogeneity that the fit found between settings that differ in training; the interval is for
    one more such result.
    """
    tier = _tiers(library, tasks)
    cells = [(pair, contrast) for pair in pairs if not pair.copied for contrast in pair.contrasts]
    if not cells:
        return None
    lead = min(tier(contrast.metric.benchmark) for _, contrast in cells)
    kept = [(pair, contrast) for pair, contrast in cells if tier(contrast.metric.benchmark) == lead]
    by_paper: dict[str, dict[str, list[float]]] = {}
    for pair, contrast in kept:
        by_paper.setdefault(pair.table.paper, {}).setdefault(contrast.metric.benchmark, []).append(
            sign * contrast.percent
        )
    means = {
        paper: {name: sum(values) / len(values) for name, values in found.items()}
        for paper, found in by_paper.items()
    }
    weight = {name: tasks.benchmarks.get(name, 1.0) for found in means.values() for name in found}
    results = {paper: _mean(found, weight) for paper, found in means.items()}
    own = [sum(_variances(found, weight, library)) for found in means.values()]
    middle, variance = robust(list(results.values()), own)
    sd = math.sqrt(variance + sum(_variances(weight, weight, library)))
    half = tails.half_width(level) * sd
    return Printed(
        TIERS[lead],
        middle,
        middle - half,
        middle + half,
        tails.cdf(middle / sd),
        {name: statistics.fmean(_having(means, name)) for name in weight},
        results,
        _once(pair for pair, _ in kept),
    )


def _having(means: Mapping[str, Mapping[str, float]], name: str) -> list[float]:
    """The papers' means on one benchmark."""
    return [found[name] for found in means.values() if name in found]


def robust(results: Sequence[float], own: Sequence[float]) -> tuple[float, float]:
    """(median of the papers' results, variance of the next paper's true effect around it).

    One paper that is far from the others moves neither. The spread between papers is that of the
    median absolute deviation (1.4826 of it is a standard deviation of a normal distribution), less
    what their own variances explain; the median of k results has pi / 2k of their variance.
    """
    middle = statistics.median(results)
    spread = (1.4826 * statistics.median(abs(y - middle) for y in results)) ** 2
    noise = statistics.median(own)
    between = max(0.0, spread - noise)
    count = len(results)
    efficiency = math.pi / 2 if count > 2 else 1.0  # of one or two, the median is the mean
    return middle, efficiency * (between + noise) / count + between


def _once(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    seen: dict[int, Pair] = {}
    for pair in pairs:
        seen.setdefault(id(pair), pair)
    return tuple(seen.values())


def _mean(values: Mapping[str, float], weight: Mapping[str, float]) -> float:
    return sum(weight[name] * value for name, value in values.items()) / sum(
        weight[name] for name in values
    )


def _variances(
    names: Iterable[str], weight: Mapping[str, float], library: Library
) -> tuple[float, float]:
    """Of a weighted mean over benchmarks, in percent of their scales squared: noise of two runs,
    and heterogeneity between settings.
    """
    posterior, records = library.posterior, library.words.records("benchmark")
    names = list(names)
    total = sum(weight[name] for name in names)
    steps = {name: weight[name] / total * posterior.scale_of(name) for name in names}
    noise = sum(
        step
        * step
        * posterior.noise(
            name,
            (sampling_variance(records.get(name, {}), None) or 0.0) / posterior.scale_of(name) ** 2,
        )
        for name, step in steps.items()
    )
    family = {name: records.get(name, {}).get("family") for name in names}
    return noise, posterior.local_variance(("training",), {}) * together(
        posterior.wide(steps), family
    )
