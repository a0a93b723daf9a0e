"""What `tables show MIX` and `tables mixes` say: the training splits in a mix, where it can be had,
which mixes hold a dataset, and which published rows were trained on one.

In: Mixes, the vocabulary, the library. Out: plain values. Does not word or print anything.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..base.wording import number
from ..evidence.tables import Paper
from ..terms.mixes import Mix, Mixes, Part
from ..terms.vocabulary import UnknownName, Vocabulary, fold, nearest

# How a benchmark's training split can be in a mix, the plainest first.
ORDER = ("split", "earlier stage", "uncertain", "images")
STAGES = ("last stage", "images only", "earlier stage")  # where a mix holds a dataset


class Asked(NamedTuple):
    """What `--contains` asks for: datasets by key, or kinds of data. collections: those of the
    datasets that have it among others, so that how much of it they have is not known.
    """

    asked: str
    datasets: tuple[str, ...]
    kinds: tuple[str, ...]
    collections: tuple[str, ...] = ()


class Uses(NamedTuple):
    """Published rows of each mix: how many, and the tables they stand in."""

    rows: Mapping[str, int]
    tables: Mapping[str, Sequence[str]]


def uses(papers: Sequence[Paper]) -> Uses:
    """The rows of all tables by the data slug of their setting."""
    rows: dict[str, int] = {}
    tables: dict[str, list[str]] = {}
    for paper in papers:
        for table in paper.tables:
            for row in table.rows:
                slug = row.setting.get("data")
                if slug:
                    rows[slug] = rows.get(slug, 0) + 1
                    found = tables.setdefault(slug, [])
                    if table.id not in found:
                        found.append(table.id)
    return Uses(rows, tables)


def asked(text: str, mixes: Mixes, words: Vocabulary) -> Asked:
    """The datasets (or kinds of data) that a name means: a dataset, a benchmark's training splits,
    a kind or a task family. Raises UnknownName.
    """
    key = mixes.dataset_spellings.get(fold(text))
    benchmark = words.find("benchmark", text)
    keys, more = [key] if key else [], ()
    if benchmark:
        own = set(mixes.splits(benchmark))
        keys += [
            name
            for name, record in mixes.datasets.items()
            if own & set(record.get("train_split_of", ())) and name not in keys
        ]
        splits = lambda name: set(mixes.datasets[name].get("train_split_of", ()))
        more = tuple(name for name in keys if name != key and splits(name) - own)
    if keys:
        return Asked(text, tuple(keys), (), more)
    named = {
        fold(name): (kind,)
        for kind, record in mixes.kinds.items()
        for name in (kind, record["name"])
    }
    family = words.find("family", text)
    kinds = named.get(fold(text)) or tuple(
        kind for kind, record in mixes.kinds.items() if family and record.get("family") == family
    )
    if not kinds:
        known = {**mixes.dataset_spellings, **{name: kind for name, (kind,) in named.items()}}
        raise UnknownName("dataset or kind of data", text, nearest(text, known))
    return Asked(text, (), tuple(kinds))


def all_holders(mixes: Mixes, wanted: Sequence[Asked]) -> list[str]:
    """The mixes that hold all that was asked for."""
    sets = [holders(mixes, one) for one in wanted]
    return [slug for slug in sets[0] if all(slug in one for one in sets[1:])]


def holders(mixes: Mixes, wanted: Asked) -> list[str]:
    """The mixes that hold what was asked for, in a last or an earlier stage."""
    found = dict.fromkeys(
        slug for dataset in wanted.datasets for slug, _ in mixes.containing(dataset)
    )
    if wanted.kinds:
        kinds = set(wanted.kinds)
        found |= dict.fromkeys(
            slug for slug in mixes.records if any(p.kind in kinds for p in mixes.mix(slug).parts)
        )
    return list(found)


def training_splits(mixes: Mixes, mix: Mix, words: Vocabulary) -> tuple[list[dict], bool]:
    """Benchmarks with a training split in the mix or before it: questions and all, or images alone;
    and whether there may be more.
    """
    sure: dict[str, str] = {}
    unsure = mix.listed != "all"
    for stage in (mix, *mixes.stages(mix.slug)):
        own = stage is mix
        if isinstance(stage, str):
            stage = Mix(stage, {}, (_alone(mixes, stage),), (), None, "all", 0.0, "unknown")
        unsure = unsure or stage.listed != "all"
        for part in stage.parts:
            record = mixes.datasets[part.dataset]
            for benchmark in record.get("train_split_of", ()):
                how = "uncertain" if part.uncertain else "images" if part.images_only else "split"
                if not own and how == "split":
                    how = "earlier stage"
                sure[benchmark] = min(sure.get(benchmark, how), how, key=ORDER.index)
            for benchmark in record.get("images_of", ()):
                sure[benchmark] = min(sure.get(benchmark, "images"), "images", key=ORDER.index)
    names = words.records("benchmark")
    return [
        {"benchmark": key, "name": names.get(key, {}).get("name", key), "how": sure[key]}
        for key in sorted(sure, key=lambda key: (ORDER.index(sure[key]), key))
    ], unsure


def _alone(mixes: Mixes, key: str) -> Part:
    return Part(key, mixes.datasets[key]["kind"], mixes.datasets[key].get("samples"))


def families(mixes: Mixes, shares: Mapping[str, float] | None) -> dict[str, float] | None:
    """Task family -> share of the samples of its kinds."""
    if shares is None:
        return None
    out: dict[str, float] = {}
    for kind, share in shares.items():
        family = mixes.kinds[kind].get("family")
        if family:
            out[family] = out.get(family, 0.0) + share
    return {family: number(share) for family, share in sorted(out.items(), key=lambda x: -x[1])}


def where(mixes: Mixes, mix: Mix) -> list[str]:
    """Hugging Face ids of a mix, or of what a variant adds to its parent's."""
    record = mix.record
    if "hf_id" in record:
        return [record["hf_id"]]
    out = where(mixes, mixes.mix(record["of"])) if "of" in record else []
    for part in (*record.get("parts", ()), *record.get("plus", ())):
        found = (
            mixes.datasets[part["dataset"]].get("hf_id")
            if "dataset" in part
            else mixes.records[part["mix"]].get("hf_id")
        )
        out += [found] if found and found not in out else []
    return out


def together(wanted: Sequence[Asked]) -> Asked:
    """What several flags ask for, as one."""
    joined = (tuple(dict.fromkeys(x for one in wanted for x in one[i])) for i in (1, 2, 3))
    return Asked(" and ".join(one.asked for one in wanted), *joined)


def held(mix: Mix, wanted: Sequence[Asked]) -> dict:
    """How much of what was asked for a mix holds, and where: of several things the sum, and the
    place of the one that is least in it; `each` of them.
    """
    each = [_held(mix, one) for one in wanted]
    total = _held(mix, together(wanted))  # a part that two ask for counts once
    place = max((one["in"] for one in each), key=STAGES.index)
    return {**total, "in": place, "each": each}


def _held(mix: Mix, wanted: Asked) -> dict:
    """One thing; collections that have it among others stand apart."""
    names = set(wanted.datasets)
    parts = [part for part in mix.parts if part.dataset in names or part.kind in wanted.kinds]
    whole = [part for part in parts if not part.images_only]
    among: dict[str, list] = {}
    for part in parts:
        if part.dataset in wanted.collections:
            among.setdefault(part.dataset, []).append(part.samples)
    total = lambda counts: number(sum(counts)) if counts and None not in counts else None
    return {
        "asked": wanted.asked,
        "held": total([part.samples for part in parts if part.dataset not in among]),
        "in": "last stage" if whole else "images only" if parts else "earlier stage",
        "parts": [part.dataset for part in parts],
        "in_collections": {name: total(counts) for name, counts in among.items()},
    }
