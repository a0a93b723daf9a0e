"""How parts that few released models have do beside usual ones in the tables, and at which sizes of
LLM and data rows exist.

In: papers, the vocabulary, which parts are usual. Out: a Standing; tables/derived/standing.json is
that of the published tables (`fit` writes it), so that a pick need not read them all. Rows of one
table that differ in one axis alone; the model has no say here.
"""

import functools
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..base.reading import EvidenceError, read_json
from ..evidence.contrasts import contrasts
from ..evidence.tables import Paper, Table
from ..released.practice import USUAL_MODELS, Practice, months_between
from ..terms.vocabulary import Vocabulary
from .columns import recipe_rows
from .store import NO_FIT

PATH = ("derived", "standing.json")
AXES = ("encoder", "connector", "llm", "data")
# A recipe's sizes are within the tables when a row has both within so many doublings: a 7B stands
# for 4.2B to 11.8B, half a million examples for a quarter to one million.
NEAR_LLM, NEAR_DATA = 0.75, 1.0
# what nobody has released a model with for so long has gone out of use, however often it was used
FORGOTTEN_MONTHS = 36


class Beside(NamedTuple):
    """An unusual part beside a usual one in a table, on one task family: better on so many of its
    benchmarks, mean in percent of scale.
    """

    table: str
    rival: str
    better: int
    of: int
    mean: float


class Sizes(NamedTuple):
    """A row: billions of LLM parameters, examples of instruction data, its table."""

    llm_params_b: float
    samples: float
    table: str


class Standing(NamedTuple):
    """parts: axis -> unusual part -> task family -> what tables show; sizes: of rows, one for each
    pair of nearly equal sizes; papers: what for -> keys of the papers that need to be read for it;
    trained: data mixes that some row is trained on.
    """

    parts: Mapping[str, Mapping[str, Mapping[str, Sequence[Beside]]]]
    sizes: Sequence[Sizes]
    papers: Mapping[str, Sequence[str]] = {}
    trained: frozenset[str] = frozenset()

    def of(self, axis: str, part: str, families: Iterable[str]) -> list[Beside]:
        """What tables show of a part on these task families."""
        found = self.parts.get(axis, {}).get(part, {})
        return [one for family in families for one in found.get(family, ())]

    def sized(self, llm_params_b: float, samples: float) -> str | None:
        """A table with a row of about these sizes, or None."""
        most_b, most = llm_params_b * 2**NEAR_LLM, samples * 2**NEAR_DATA
        least_b, least = llm_params_b / 2**NEAR_LLM, samples / 2**NEAR_DATA
        for one in self.sizes:
            if least_b <= one.llm_params_b <= most_b and least <= one.samples <= most:
                return one.table
        return None

    def joined(self, other: "Standing") -> "Standing":
        """Both together."""
        parts: dict = {}
        for one in (self, other):
            for axis, named in one.parts.items():
                for part, families in named.items():
                    for family, found in families.items():
                        mine = parts.setdefault(axis, {}).setdefault(part, {})
                        mine[family] = [*mine.get(family, ()), *found]
        trained = self.trained | other.trained
        return Standing(parts, (*self.sizes, *other.sizes), self.papers, trained)


def usual(practice: Practice, words: Vocabulary, axis: str, part: str) -> bool:
    """Do released models have the part (an LLM: one of its family, at any size)? A connector that
    asks with learned queries is never usual: papers disagree on it (honeybee.table8,
    llava-uhd.table1, nvila.table1), so it needs rows on the tasks. A data mix: was it released as
    it is?
    """
    if axis == "data":
        mix = words.mixes.mix(part)
        return bool(mix and mix.public and mix.available == "released")
    if axis == "connector" and words.records(axis).get(part, {}).get("class") == "resampler":
        return False
    if axis == "llm":
        family = words.records("llm").get(part, {}).get("family")
        kin = _of_family(words).get(family) if family else None
        uses = [practice.of(axis, slug) for slug in kin or [part]]
    else:
        uses = [practice.of(axis, part)]
    newest = max((use.newest for use in uses if use.newest), default=None)
    if newest and months_between(newest, practice.today) > FORGOTTEN_MONTHS:
        return False
    return any(use.usual for use in uses) or sum(use.count for use in uses) >= USUAL_MODELS


@functools.lru_cache(maxsize=4)
def _of_family(words: Vocabulary) -> dict[str, list[str]]:
    """Family -> its language models."""
    out: dict[str, list[str]] = {}
    for slug, record in words.records("llm").items():
        out.setdefault(record["family"], []).append(slug)
    return out


def gains(found: Sequence[Beside]) -> bool:
    """Do the tables say that the part gains: better on most benchmarks, and on the mean?"""
    return (
        bool(found)
        and 2 * sum(one.better for one in found) > sum(one.of for one in found)
        and sum(one.mean for one in found) > 0
    )


def standing(
    papers: Iterable[Paper], words: Vocabulary, usual: Callable[[str, str], bool]
) -> Standing:
    """The standing of all unusual parts, and the sizes of all rows."""
    axis_of = words.axis_of
    parts: dict = {}
    sizes: dict[tuple[int, int], Sizes] = {}
    trained: set[str] = set()
    for paper in papers:
        for table in paper.tables:
            table = table._replace(rows=tuple(recipe_rows(table)))
            trained |= {row.setting["data"] for row in table.rows if row.setting.get("data")}
            for one in _sizes(table, words):
                key = round(2 * math.log2(one.llm_params_b)), round(2 * math.log2(one.samples))
                sizes.setdefault(key, one)
            for axis, part, family, beside in _beside(table, words, axis_of, usual):
                named = parts.setdefault(axis, {}).setdefault(part, {})
                named.setdefault(family, []).append(beside)
    return Standing(parts, tuple(sizes[key] for key in sorted(sizes)), {}, frozenset(trained))


def _sizes(table: Table, words: Vocabulary) -> Iterator[Sizes]:
    llms, data = words.records("llm"), words.records("data")
    for row in table.rows:
        s = row.setting
        size = llms.get(s.get("llm") or "", {}).get("params_b") or s.get("llm_params_b")
        samples = s.get("data_size") or data.get(s.get("data") or "", {}).get("samples")
        if isinstance(size, (int, float)) and isinstance(samples, (int, float)):
            if size > 0 and samples > 0:
                yield Sizes(size, samples, table.id)


def _beside(
    table: Table,
    words: Vocabulary,
    axis_of: Mapping[str, str],
    usual: Callable[[str, str], bool],
) -> Iterator[tuple[str, str, str, Beside]]:
    """(axis, unusual part, task family, what the table shows of it)."""
    records = words.records("benchmark")
    deltas: dict[tuple[str, str, str], dict[str, list[float]]] = {}
    rivals: dict[tuple[str, str, str], str] = {}
    for one in contrasts(table, axis_of):
        axis, family = one.moved.axes[:1], records.get(one.metric.benchmark, {}).get("family")
        if not (one.controlled and family and axis[0] in AXES):
            continue
        before, after = (row.setting.get(axis[0]) for row in (one.from_row, one.to_row))
        if not before or not after or before == after:
            continue
        known = [usual(axis[0], part) for part in (before, after)]
        if known[0] == known[1]:
            continue
        part, rival, sign = (after, before, 1) if known[0] else (before, after, -1)
        key = axis[0], part, family
        rivals.setdefault(key, rival)
        deltas.setdefault(key, {}).setdefault(one.metric.benchmark, []).append(sign * one.percent)
    for key, found in deltas.items():
        means = [sum(x) / len(x) for x in found.values()]
        better = sum(x > 0 for x in means)
        mean = round(sum(means) / len(means), 2)
        yield *key, Beside(table.id, rivals[key], better, len(means), mean)


def dumped(value: Standing, digest: str) -> str:
    """The stored form; digest: of the evidence."""
    data = {
        "format": 1,
        "how": "python3 main.py fit",
        "evidence": digest,
        "parts": value.parts,
        "sizes": value.sizes,
        "papers": value.papers,
        "trained": sorted(value.trained),
    }
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False) + "\n"


def read_standing(directory: str) -> Standing:
    """The stored standing of a tables directory. Raises EvidenceError."""
    path = os.path.join(directory, *PATH)
    if not os.path.exists(path):
        raise EvidenceError(path, "", "is missing: run `python3 main.py fit` to make it")
    data = read_json(path, trusted=True)
    try:
        parts = {
            axis: {
                part: {family: [Beside(*one) for one in rows] for family, rows in families.items()}
                for part, families in named.items()
            }
            for axis, named in data["parts"].items()
        }
        sizes = tuple(Sizes(*one) for one in data["sizes"])
        return Standing(parts, sizes, data["papers"], frozenset(data["trained"]))
    except (KeyError, TypeError, AttributeError):  # of an earlier version of the program
        raise EvidenceError(path, "", NO_FIT) from None
