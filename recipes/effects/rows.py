"""Which printed rows show a change of recipe: pairs of rows of one table that differ as the
question does.

In: two settings (from, to), papers, the vocabulary. Out: Found contrasts, turned to read in the
asked direction, and the papers that may hold any. Does not weigh them or predict: that is swap.py.
"""

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from ..evidence.contrasts import (
    IGNORED,
    Contrast,
    Moved,
    evidence_metrics,
    moved,
    pair_contrasts,
    said,
)
from ..evidence.tables import Metric, Paper, Row, Table
from ..terms.vocabulary import Vocabulary
from .columns import recipe_rows
from .encoders import encoder_params_b
from .features import (
    difference,
    features,
    llm_make,
    llm_params_b,
    pixels,
    visual_tokens,
)
from .posterior import Posterior

# two of these moving beside the asked axes: another system, not this change
MAIN = ("encoder", "connector", "llm", "data")


def moved_axes(a: Mapping, b: Mapping, words: Vocabulary) -> tuple[str, ...]:
    """The axes on which two settings differ; only what both state counts.

    Tokens that follow another axis do not: what a side states follows a resolution that goes the
    same way, but no encoder and no connector.
    """
    out = []
    for axis in ("encoder", "connector", "llm", "data"):
        x, y = a.get(axis), b.get(axis)
        if x and y and x != y:
            out.append(axis)
    if "llm" not in out and not (a.get("llm") and a.get("llm") == b.get("llm")):
        x, y = llm_params_b(a, words), llm_params_b(b, words)
        if x and y and x != y:
            out.insert(sum(axis in out for axis in ("encoder", "connector")), "llm")
    if (
        "data" not in out
        and a.get("data_size")
        and b.get("data_size")
        and a["data_size"] != b["data_size"]
    ):
        out.append("data")
    if (
        any(
            a.get(key) != b.get(key) and a.get(key) is not None and b.get(key) is not None
            for key in ("resolution",)
        )
        or a.get("tiling") != b.get("tiling")
        and (a.get("tiling") or b.get("tiling"))
    ):
        out.append("resolution")
    x, y = visual_tokens(a, words), visual_tokens(b, words)
    if x and y and x != y:
        said = a.get("visual_tokens") or b.get("visual_tokens")
        before, after = (pixels(setting, words) or 0.0 for setting in (a, b))
        if (
            not {"resolution", "encoder", "connector"} & set(out)
            or said
            and ((x < y) != (before < after) if "resolution" in out else True)
        ):
            out.append("visual_tokens")
    if any(
        a.get(key) is not None and b.get(key) is not None and a.get(key) != b.get(key)
        for key in ("frozen_encoder", "training")
    ):
        out.append("training")
    return tuple(out)


def _same(axis: str, setting: Mapping, side: Mapping, words: Vocabulary) -> bool:
    """Does a row's setting have what `side` says on an axis?"""
    if axis in ("encoder", "connector", "data"):
        if axis == "data" and not side.get("data"):
            return bool(setting.get("data_size")) and setting["data_size"] == side.get("data_size")
        return setting.get(axis) == side.get(axis)
    if axis == "llm":
        if side.get("llm"):
            return setting.get("llm") == side["llm"]
        x, y = llm_params_b(setting, words), side.get("llm_params_b")
        return bool(x and y) and abs(math.log2(x / y)) < 0.2
    if axis == "resolution":
        x, y = pixels(setting, words), pixels(side, words)
        return bool(x and y) and abs(math.log2(x / y)) < 0.05
    if axis == "visual_tokens":
        x, y = visual_tokens(setting, words), visual_tokens(side, words)
        return bool(x and y) and abs(math.log2(x / y)) < 0.15
    if side.get("frozen_encoder") is not None:
        return setting.get("frozen_encoder") == side["frozen_encoder"]
    return setting.get("training") == side.get("training")


def lineage(encoder: str | None, words: Vocabulary) -> str | None:
    """The make of an encoder, wider than its family: any CLIP (OpenAI's, OpenCLIP, MetaCLIP, DFN,
    EVA), any SigLIP, any DINO; else the family.

    None for fusions. Towers of another shape that CLIP trained (ConvNeXt, FastViT) are makes of
    their own.
    """
    record = words.records("encoder").get(encoder or "")
    if record is None or not record.get("family"):
        return None
    family = record["family"]
    if family.startswith("siglip"):
        return "siglip"
    if "dino" in family:
        return "dino"
    text_image = record.get("kind") == "language-contrastive" and (
        "clip" in family or family.startswith("dfn")
    )
    return "clip" if text_image and not family.startswith("convnext") else family


def _near(axis: str, setting: Mapping, side: Mapping, words: Vocabulary) -> bool:
    """Does a row's setting have something of the same make as `side` on an axis?"""
    if _same(axis, setting, side, words):
        return True
    if axis == "encoder":
        make = lineage(side.get("encoder"), words)
        if make is None or make != lineage(setting.get("encoder"), words):
            return False
        x, y = encoder_params_b(setting["encoder"], words), encoder_params_b(side["encoder"], words)
        return bool(x and y) and abs(math.log2(x / y)) < 1.2
    if axis == "connector":
        mine = words.connector_class(setting)
        return mine is not None and mine == words.connector_class(side)
    if axis == "llm":
        if side.get("llm") and llm_make(setting.get("llm"), words) != llm_make(side["llm"], words):
            return False
        x, y = llm_params_b(setting, words), llm_params_b(side, words)
        return bool(x and y) and abs(math.log2(x / y)) < 0.25
    return False


class Found(NamedTuple):
    """A contrast that shows the change, turned so that it reads in the asked direction. near: not
    the very components.
    """

    contrast: Contrast
    delta: float
    from_row: Row
    to_row: Row
    near: bool


# The fields of a recipe that say what it has on an axis (see _same and _near).
FIELDS = {
    "encoder": ("encoder",),
    "connector": ("connector",),
    "llm": ("llm", "llm_params_b"),
    "data": ("data", "data_size"),
    "resolution": ("resolution",),
    "visual_tokens": ("visual_tokens", "resolution", "encoder", "connector", "tiling"),
    "training": ("frozen_encoder", "training"),
}


class Index:
    """What many searches share: the usable rows and metrics of a table, which rows match a side of
    a change, what moved in a pair.
    """

    def __init__(self, words: Vocabulary):
        self.words = words
        self.axis_of = words.axis_of
        self._tables: dict[int, tuple] = {}
        self._matches: dict[tuple, frozenset[int]] = {}
        self._moved: dict[tuple[int, int, int], Moved] = {}
        self._features: dict[int, tuple[Row, dict[str, float]]] = {}

    def features(self, row: Row) -> Mapping[str, float]:
        """The features of a row's setting."""
        if id(row) not in self._features:
            self._features[id(row)] = row, features(row.setting, self.words)
        return self._features[id(row)][1]

    def table(self, table: Table) -> tuple[Table, list[Row], tuple[Metric, ...]]:
        """A table with its usable rows and metrics (and itself, so that its identity stays its
        own).
        """
        if id(table) not in self._tables:
            self._tables[id(table)] = table, recipe_rows(table), evidence_metrics(table)
        return self._tables[id(table)]

    def matching(self, table: Table, axis: str, side: Mapping, near: bool) -> frozenset[int]:
        """Numbers of the usable rows that have on an axis what `side` says (or, with `near`,
        something of the same make).
        """
        key = (id(table), axis, near, *(side.get(field) for field in FIELDS[axis]))
        if key not in self._matches:
            test = _near if near else _same
            self._matches[key] = frozenset(
                n
                for n, row in enumerate(self.table(table)[1])
                if test(axis, row.setting, side, self.words)
            )
        return self._matches[key]

    def beside(self, row: Row, axis: str) -> frozenset:
        """What a row's setting says beside an axis (and beside the visual tokens that follow a
        resolution).
        """
        out = (axis, "visual_tokens", *IGNORED) if axis == "resolution" else (axis, *IGNORED)
        return said(row.setting, lambda key: self.axis_of.get(key, "other") not in out)

    def moved(self, table: Table, i: int, j: int) -> Moved:
        """What differs between two usable rows of a table (the same both ways)."""
        key = (id(table), min(i, j), max(i, j))
        if key not in self._moved:
            rows = self.table(table)[1]
            self._moved[key] = moved(rows[key[1]].setting, rows[key[2]].setting, self.axis_of)
        return self._moved[key]


@functools.lru_cache(maxsize=4)
def index_of(words: Vocabulary) -> Index:
    """The Index of a vocabulary, one for all searches by it (it keeps the rows that it knows)."""
    return Index(words)


def find_rows(
    papers: Iterable[Paper],
    a: Mapping,
    b: Mapping,
    axes: Sequence[str],
    words: Vocabulary,
    index: Index | None = None,
) -> list[Found]:
    """All pairs of rows of one table that make the asked change, or one of the same make, on all
    its axes.

    Where both sides are of one make (linear and MLP, Vicuna-7B and Mistral-7B), only the very
    components count. Other things may move as well; the contrast says so. `index` is kept from one
    search to the next.
    """
    near = {axis: not _near(axis, a, b, words) for axis in axes}
    index = index or index_of(words)
    out = []
    for paper in papers:
        for table in paper.tables:
            first = _all(index.matching(table, axis, a, near[axis]) for axis in axes)
            second = first and _all(index.matching(table, axis, b, near[axis]) for axis in axes)
            if not first or not second:
                continue
            _, rows, metrics = index.table(table)
            is_a, is_b = (
                _all(index.matching(table, axis, side, False) for axis in axes) for side in (a, b)
            )
            for i in sorted(first):
                for j in sorted(second):
                    x, y = rows[i], rows[j]
                    if x is y or any(_same(axis, x.setting, y.setting, words) for axis in axes):
                        continue
                    difference_ = index.moved(table, i, j)
                    if "other" in difference_.axes or len(difference_.unstated) > 1:
                        continue  # two systems of which too much is unsaid
                    if (
                        len(
                            [axis for axis in MAIN if axis in difference_.axes and axis not in axes]
                        )
                        > 1
                    ):
                        continue  # two systems that share this change among others
                    kin = not (i in is_a and j in is_b)
                    out += [
                        Found(contrast, contrast.delta, x, y, kin)
                        for contrast in pair_contrasts(table, x, y, difference_, metrics)
                    ]
    return _once(out)


def chain_rows(
    papers: Iterable[Paper],
    change: Mapping[str, float],
    axis: str,
    benchmarks: Iterable[str],
    index: Index,
) -> list[tuple[Found, float]]:
    """Pairs of rows that make a part of a change on these benchmarks: they move one axis alone,
    along the asked features.

    change: features of the asked change (features.difference). Each pair is turned to point the way
    of the change and comes with its overlap, the cosine between its features and those asked for (0
    to 1). They are the links of an indirect answer.
    """
    wanted, length = set(benchmarks), math.sqrt(sum(x * x for x in change.values()))
    out = []
    for paper in papers:
        for table in paper.tables:
            _, rows, metrics = index.table(table)
            metrics = tuple(metric for metric in metrics if metric.benchmark in wanted)
            if not metrics:
                continue
            alike: dict[frozenset, list[int]] = {}  # rows that differ on the axis alone
            for i, x in enumerate(rows):
                alike.setdefault(index.beside(x, axis), []).append(i)
            for i, j in sorted(
                pair for numbers in alike.values() for pair in combinations(numbers, 2)
            ):
                x, step = rows[i], index.moved(table, i, j)
                if step.axes != (axis,) or step.unstated:
                    continue
                there = difference(index.features(x), index.features(rows[j]))
                inner = sum(value * change.get(name, 0.0) for name, value in there.items())
                if not inner:
                    continue
                overlap = abs(inner) / (length * math.sqrt(sum(v * v for v in there.values())))
                first, second, sign = (x, rows[j], 1.0) if inner > 0 else (rows[j], x, -1.0)
                out += [
                    (Found(contrast, sign * contrast.delta, first, second, False), overlap)
                    for contrast in pair_contrasts(table, x, rows[j], step, metrics)
                ]
    return out


def _all(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    """What all sets have in common."""
    return frozenset.intersection(*sets)


def _once(found: list[Found]) -> list[Found]:
    """Count a pair of training runs once per benchmark, however many tables print it: another table
    counts only for a split that none has named. (Units are the tables' own words: no measure of
    another kind.)
    """
    seen: dict[tuple, tuple[str, set[str | None]]] = {}
    out = []
    for item in found:
        metric, table = item.contrast.metric, item.contrast.table.id
        key = (
            item.from_row.run or (table, item.from_row.arm),
            item.to_row.run or (table, item.to_row.arm),
            metric.benchmark,
            metric.shots,
        )
        first, splits = seen.setdefault(key, (table, set()))
        if table == first or metric.split and not {metric.split, None} & splits:
            out.append(item)
        splits.add(metric.split)
    return out


def relevant_papers(a: Mapping, b: Mapping, posterior: Posterior, words: Vocabulary) -> set[str]:
    """The papers that may hold rows about a change: those in which things of the moved makes
    vary.
    """
    support = posterior.support
    out: set[str] = set()
    for axis in moved_axes(a, b, words):
        sides = []
        for side in (a, b):
            value = side.get(axis)
            if axis == "encoder" and value and "+" in value:
                sides.append(
                    set.intersection(
                        *(set(support.get(f"encoder={part}", ())) for part in value.split("+"))
                    )
                )
            elif axis in ("encoder", "connector") and value:
                kin = [
                    slug
                    for slug in words.records(axis)
                    if slug == value or _near(axis, {axis: slug}, side, words)
                ]
                sides.append({paper for slug in kin for paper in support.get(f"{axis}={slug}", ())})
            elif axis == "data" and value:
                sides.append(set(support.get(f"data={value}", ())))
            else:
                name = {
                    "llm": "llm_size",
                    "resolution": "resolution",
                    "visual_tokens": "visual_tokens",
                    "data": "data_size",
                    "training": "frozen_encoder",
                }[axis]
                sides.append(
                    set(support.get(name, ())) | set(support.get(f"llm={value}", ()))
                    if axis == "llm"
                    else set(support.get(name, ()))
                )
        out |= sides[0] & sides[1]
    return out
