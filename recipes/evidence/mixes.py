"""What must hold of the data mixes of a registry: names, sums, and variants beside their parents.

In: the mixes and the vocabulary. Out: findings: the record's place, the rule, a message. A finding
that the record itself accepts ({rule, why}) is none. Does not read files or print.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..terms.mixes import Mixes
from ..terms.names import collisions
from ..terms.vocabulary import Vocabulary

RULES = {
    "mix-name": (
        "The datasets, mixes, kinds and benchmarks that a data mix names are known, and a variant's"
        " parents end in a mix that is written out."
    ),
    "mix-sum": (
        "The counted parts of a data mix add up to its printed total, up to rounding; where the"
        " source prints otherwise, the record says why."
    ),
    "mix-variant": (
        "A variant of a data mix leaves out what its parent has, adds what it has not, and is"
        " larger or smaller accordingly."
    ),
}


class Finding(NamedTuple):
    """One finding. pointer: of the record in the file."""

    pointer: str
    rule: str
    message: str


def rounding(count: float) -> float:
    """Half a unit of a count's last digit that is not zero: 665000 -> 500, 7000000 -> 500000."""
    digits = str(int(count))
    return 0.5 * 10 ** (len(digits) - len(digits.rstrip("0"))) if count else 0.5


def check_mixes(mixes: Mixes, words: Vocabulary) -> Iterator[Finding]:
    """All findings but those that a record accepts; an exception that finds nothing is one."""
    found = list(_names(mixes, words))
    if not found:  # sums and variants follow the names
        found = [*_sums(mixes), *_variants(mixes)]
    at = {slug: f"/mixes/{number}" for number, slug in enumerate(mixes.records)}
    accepted = {
        (at[slug], entry.get("rule")): entry.get("why")
        for slug, record in mixes.records.items()
        for entry in record.get("accepted", ())
    }
    seen = {(one.pointer, one.rule) for one in found}
    yield from (one for one in found if not accepted.get((one.pointer, one.rule)))
    for place, rule in accepted:
        if (place, rule) not in seen:
            yield Finding(place, "accepted", f"{rule} finds nothing here: the exception can go")


def _names(mixes: Mixes, words: Vocabulary) -> Iterator[Finding]:
    benchmarks = words.records("benchmark")
    records = [{**r, "aliases": r.get("aliases", [])} for r in mixes.datasets.values()]
    for spelling, one, other in collisions(records, "key"):
        yield Finding("/datasets", "alias", f"dataset: {spelling!r} names both {one} and {other}")
    for number, (key, record) in enumerate(mixes.datasets.items()):
        place = f"/datasets/{number}"
        if record.get("kind") not in mixes.kinds:
            yield Finding(place, "mix-name", f"{key}: unknown kind {record.get('kind')!r}")
        for name in (*record.get("train_split_of", ()), *record.get("images_of", ())):
            if name not in benchmarks:
                yield Finding(place, "mix-name", f"{key}: unknown benchmark {name!r}")
    for number, (benchmark, others) in enumerate(mixes.same_split.items()):
        for name in (benchmark, *others):
            if name not in benchmarks:
                yield Finding(f"/same_split/{number}", "mix-name", f"unknown benchmark {name!r}")
    for number, (slug, record) in enumerate(mixes.records.items()):
        for message in _unknown(mixes, record):
            yield Finding(f"/mixes/{number}", "mix-name", f"{slug}: {message}")


def _unknown(mixes: Mixes, record: Mapping) -> Iterator[str]:
    """What a mix names that is not there."""
    for part in (*record.get("parts", ()), *record.get("plus", ())):
        name, known = ("dataset", mixes.datasets) if "dataset" in part else ("mix", mixes.records)
        if part.get(name) not in known:
            yield f"unknown {name} {part.get(name)!r}"
        for gone in part.get("without", ()):
            if gone not in mixes.datasets:
                yield f"unknown dataset {gone!r} (without)"
    for name in (*record.get("without", ()), *record.get("before", ())):
        if name not in mixes.datasets and name not in mixes.records:
            yield f"unknown dataset or mix {name!r}"
    if "of" not in record and "parts" not in record and record.get("parts_listed") != "none":
        if record.get("samples") != 0:
            yield "neither parts nor a parent"
    seen: list[str] = []
    while "of" in record:
        if record["of"] not in mixes.records or record["of"] in seen:
            circle = record["of"] in seen
            yield (
                f"its parents go in a circle by {record['of']!r}"
                if circle
                else (f"unknown parent {record['of']!r}")
            )
            return
        seen.append(record["of"])
        record = mixes.records[record["of"]]


def _sums(mixes: Mixes) -> Iterator[Finding]:
    for number, (slug, record) in enumerate(mixes.records.items()):
        counts = [part.get("samples") for part in record.get("parts", ())]
        total = record.get("samples")
        if not total or not counts or None in counts or record.get("parts_listed") != "all":
            continue
        # one source prints its parts in one unit, that of its finest count
        slack = rounding(total) + len(counts) * min(map(rounding, counts))
        if abs(sum(counts) - total) > slack:
            yield Finding(
                f"/mixes/{number}",
                "mix-sum",
                f"{slug}: printed {total:,.0f}, but its {len(counts)} parts add up to"
                f" {sum(counts):,.0f}",
            )


def _variants(mixes: Mixes) -> Iterator[Finding]:
    for number, (slug, record) in enumerate(mixes.records.items()):
        if "of" in record:
            for message in _contradictions(mixes, slug, record):
                yield Finding(f"/mixes/{number}", "mix-variant", f"{slug}: {message}")


def _contradictions(mixes: Mixes, slug: str, record: Mapping) -> Iterator[str]:
    """What a variant says that its parent makes impossible."""
    parent, mix = mixes.mix(record["of"]), mixes.mix(slug)
    gone = set(record.get("without", ()))
    plus = {part.get("dataset") for part in record.get("plus", ())} - {None}
    inside = set(parent.datasets) | {part.within for part in parent.parts} | set(parent.before)
    if parent.listed == "all":
        for name in sorted(gone - inside):
            yield f"leaves out {name}, which {parent.slug} does not have"
    for name in sorted(plus & (set(parent.datasets) - gone)):
        yield f"adds {name}, which {parent.slug} has already"
    size, before = mix.record.get("samples"), parent.samples
    if not size or not before:
        return
    if plus and not gone and size < before - rounding(size) - rounding(before):
        yield f"adds to {parent.slug} ({before:,.0f}) and has {size:,.0f}"
    if gone and not plus and size > before + rounding(size) + rounding(before):
        yield f"leaves out parts of {parent.slug} ({before:,.0f}) and has {size:,.0f}"
    removed = [p.samples for p in parent.parts if p.dataset in gone]
    added = [part.get("samples") for part in record.get("plus", ())]
    if (gone or plus) and None not in (*removed, *added):
        expected = before - sum(removed) + sum(added)
        slack = rounding(size) + rounding(before) + sum(map(rounding, (*removed, *added)))
        if abs(expected - size) > slack:
            yield (
                f"printed {size:,.0f}, but {parent.slug} ({before:,.0f}) less and plus what it"
                f" names is {expected:,.0f}"
            )
