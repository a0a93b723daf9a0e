"""Data mixes as values: what is in them, how much of it is what, whose training splits are inside.

In: tables/registry/data_mixes.json (datasets; mixes by their parts or as the difference from a
parent). Out: Mix, and what one holds for a benchmark. A mix with datasets added or taken away
(`llava-665k+docvqa-sharegpt`) is a Mix too. Does not print; counts nothing that no source counts:
an amount that is not printed is None, and so is a share that would need it.

What counts: `percent`, `percent_answer_tokens` and `sampling_weight` say how much of a part is
really drawn, so shares follow them where all parts have one; else the numbers of samples.
"""

import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..base.reading import read_text
from ..base.records import Records
from .names import UnknownName, fold, nearest

DRAWN = ("sampling_weight", "percent_answer_tokens", "percent")  # a part's true share, when printed
# A part that is another mix keeps that mix's counts when its own count is that mix's to within
# rounding ("643K" beside a sum of 642K); a larger gap is a selection, of which nobody says what.
SAME_COUNT = 0.01
# The counted parts must come to the printed total within this, or no share is given: what is
# missing (or counted twice) could move a kind by as much.
MISSING = 0.05


class MixError(UnknownName):
    """A mix put together from parts that do not fit: its name names nothing."""

    def __init__(self, name: str, message: str):
        super().__init__("data", name, ())
        self.message = message

    def __str__(self) -> str:
        return self.message


class Part(NamedTuple):
    """One dataset in a mix. samples: None where no source counts them. drawn: its share in percent
    or by weight, where printed.
    """

    dataset: str
    kind: str
    samples: float | None
    images_only: bool = False  # the images with other targets, not the benchmark's questions
    uncertain: bool = False
    drawn: float | None = None
    within: str | None = None  # the mix that stands as one part and holds it
    selected: bool = False  # that part is a selection of it, of which nobody counts the datasets


class Mix(NamedTuple):
    """One mix: its last stage, and what was trained on before it.

    listed: all | some | none of its datasets are known. uncounted: samples of parts that are a
    selection of another mix, not itemized. available: released (as one), in part (most of it is),
    parts (all its datasets are, the mix has to be put together), no, or unknown.
    """

    slug: str
    record: Mapping
    parts: tuple[Part, ...]
    before: tuple[str, ...]
    samples: float | None
    listed: str
    uncounted: float
    available: str
    own_splits: bool = False

    @property
    def datasets(self) -> tuple[str, ...]:
        """Its datasets, each once."""
        return tuple(dict.fromkeys(part.dataset for part in self.parts))

    @property
    def public(self) -> bool | None:
        """Whether all of it can be had. None: not known."""
        return None if self.available == "unknown" else self.available in ("released", "parts")


class Holding(NamedTuple):
    """What a mix holds for a benchmark. share: of the last stage's samples, those of the kinds that
    the benchmark's family tests (0 to 1). trained: whether a training split of its own is inside,
    at any stage. None: not known.
    """

    share: float | None
    trained: bool | None


class Mixes:
    """All mixes of a registry; each is put together when it is first asked for."""

    def __init__(
        self,
        datasets: Mapping[str, Mapping],
        mixes: Mapping[str, Mapping],
        kinds: Mapping[str, Mapping],
        names: Mapping[str, str],
        same_split: Mapping[str, Sequence[str]],
    ):
        self.datasets, self.records, self.kinds = datasets, mixes, kinds
        self._names, self.same_split = names, same_split
        self._known: dict[str, Mix | None] = {}
        self._shares: dict[str, dict[str, float] | None] = {}
        self._trained: dict[tuple[str, str], bool | None] = {}

    # --- names

    @functools.cached_property
    def spellings(self) -> dict[str, str]:
        """Folded spelling -> slug, of mixes: those of the tables' vocabulary first."""
        out = dict(self._names)
        for slug, record in self.records.items():
            for spelling in (slug, record.get("name") or "", *record.get("aliases", ())):
                out.setdefault(fold(spelling), slug)
        out.pop("", None)
        return out

    @functools.cached_property
    def dataset_spellings(self) -> dict[str, str]:
        """Folded spelling -> key, of datasets."""
        out = {fold(key): key for key in self.datasets}
        for key, record in self.datasets.items():
            for spelling in (record["name"], *record.get("aliases", ())):
                out.setdefault(fold(spelling), key)
        return out

    def find(self, text: str) -> str | None:
        """The slug of the mix that `text` spells, or None."""
        if text in self.records:
            return text
        return self.spellings.get(fold(text))

    def dataset(self, text: str) -> str:
        """The key of a dataset. Raises UnknownName."""
        key = self.dataset_spellings.get(fold(text))
        if key is None:
            raise UnknownName("dataset", text, nearest(text, self.dataset_spellings))
        return key

    def resolve(self, text: str) -> str:
        """The slug of a mix, or of one put together: BASE+DATASET-DATASET. Raises UnknownName or
        MixError.
        """
        slug = self.find(text)
        if slug:
            return slug
        cuts = [i for i, letter in enumerate(text) if letter in "+-" and i]
        for cut in reversed(cuts):  # the longest base whose rest can be read
            base = self.find(text[:cut])
            if base is None:
                continue
            changes = self._changes(text[cut:])
            if changes is not None:
                return self._together(base, changes)
            if text[cut] == "+":
                last = text[cut + 1 :].split("+")[0]
                raise UnknownName(
                    f"dataset (to add to {base})",
                    last,
                    lambda: nearest(last, self.dataset_spellings),
                )
        raise UnknownName("data", text, lambda: nearest(text, self.spellings), self.records)

    def _changes(self, text: str) -> list[tuple[str, str]] | None:
        """`+docvqa-a-okvqa` -> [("+", "docvqa"), ("-", "a-okvqa")], longest names first; None when
        it cannot be read.
        """
        if not text:
            return []
        ends = [i for i in range(2, len(text)) if text[i] in "+-"] + [len(text)]
        for end in reversed(ends):
            key = self.dataset_spellings.get(fold(text[1:end]))
            rest = self._changes(text[end:]) if key else None
            if rest is not None:
                return [(text[0], key), *rest]
        return None

    def _together(self, base: str, changes: Sequence[tuple[str, str]]) -> str:
        """The slug of `base` with datasets added and taken away: a registered variant's when it is
        one.
        """
        mix = self.mix(base)
        inside = mix.datasets if mix else ()
        plus = {key for sign, key in changes if sign == "+"}
        minus = {key for sign, key in changes if sign == "-"}
        for key in sorted(plus):
            if key in inside or key in minus:
                raise MixError(key, f"data: {base} holds {key} already: it cannot be added")
        for key in sorted(minus):
            if key not in inside:
                more = "" if mix and mix.listed == "all" else ", as far as its parts are known"
                raise MixError(
                    key,
                    f"data: {base} does not hold {key}{more};"
                    f" tables show {base} lists what it does",
                )
        root, without, added = self._difference(base) or (base, frozenset(), frozenset())
        asked = (root, without - plus | minus - added, added - minus | plus - without)
        for slug in self.records:
            if slug != base and self._difference(slug) == asked:
                return slug
        return (
            base + "".join(f"+{k}" for k in sorted(plus)) + "".join(f"-{k}" for k in sorted(minus))
        )

    def _difference(self, slug: str) -> tuple[str, frozenset, frozenset] | None:
        """A variant as (base, without, plus), through its parents; None for one that differs in
        another way, too.
        """
        without: frozenset = frozenset()
        plus: frozenset = frozenset()
        record = self.records[slug]
        while "of" in record:
            own = frozenset(part.get("dataset") for part in record.get("plus", ()))
            gone = frozenset(record.get("without", ()))
            if None in own or not own | gone or record.keys() & {"before", "own_splits"}:
                return None
            if record.get("parts_listed", "all") != "all":
                return None
            plus, without = own - without | plus, gone - plus | without
            slug = record["of"]
            record = self.records[slug]
        return (slug, without, plus) if plus or without else None

    # --- contents

    def mix(self, slug: str) -> Mix | None:
        """The mix of a slug, also of one put together; None when the registry does not know it."""
        if slug not in self._known:
            self._known[slug] = self._read(slug)
        return self._known[slug]

    def _read(self, slug: str) -> Mix | None:
        record = self.records.get(slug)
        if record is None:
            made = self._made(slug)
            return self._variant(slug, made) if made else None
        if "of" in record:
            return self._variant(slug, record)
        parts, uncounted = self._expand(record.get("parts", ()))
        listed = record.get("parts_listed", "none")
        nested = [self.mix(p["mix"]) for p in record.get("parts", ()) if "mix" in p]
        if listed == "all" and any(inner.listed != "all" for inner in nested):
            listed = "some"
        available = {True: "released", False: "no", None: "unknown"}[record.get("public")]
        if available == "no" and record.get("hf_id"):
            available = "in part"
        return Mix(
            slug,
            record,
            tuple(parts),
            tuple(record.get("before", ())),
            record.get("samples"),
            listed,
            uncounted,
            available,
            record.get("own_splits", False),
        )

    def _made(self, slug: str) -> dict | None:
        """The record of a mix put together by a slug like llava-665k+docvqa, or None."""
        cuts = [i for i, letter in enumerate(slug) if letter in "+-" and i]
        for cut in reversed(cuts):
            if slug[:cut] in self.records and (changes := self._changes(slug[cut:])) is not None:
                return {
                    "slug": slug,
                    "of": slug[:cut],
                    "without": [key for sign, key in changes if sign == "-"],
                    "plus": [
                        {"dataset": key, "samples": self.datasets[key].get("samples")}
                        for sign, key in changes
                        if sign == "+"
                    ],
                    "made": True,
                    "notes": self._own_sizes([key for sign, key in changes if sign == "+"]),
                }
        return None

    def _own_sizes(self, keys: Sequence[str]) -> str:
        """What is counted of datasets that are added: their own size, in their own unit."""
        said = []
        for key in keys:
            size = self.datasets[key].get("samples")
            unit = self.datasets[key].get("samples_unit", "samples")
            own = f" with its own size, {size:,.0f} {unit}" if size else ", whose size is not known"
            said.append(key + own)
        return "; ".join(said)

    def _part(self, raw: Mapping, within: str | None = None) -> Part:
        key = raw["dataset"]
        return Part(
            key,
            self.datasets[key]["kind"],
            raw.get("used", raw.get("samples")),
            raw.get("images_only", False),
            raw.get("uncertain", False),
            next((raw[name] for name in DRAWN if name in raw), None),
            within,
        )

    def _expand(self, raws: Sequence[Mapping]) -> tuple[list[Part], float]:
        """The datasets of parts, mixes among them taken apart, and the samples that are an
        uncounted selection of a mix.
        """
        out: list[Part] = []
        uncounted = 0.0
        for raw in raws:
            if "dataset" in raw:
                out.append(self._part(raw))
                continue
            inner = self.mix(raw["mix"])
            gone = set(raw.get("without", ()))
            parts = [p._replace(within=raw["mix"]) for p in inner.parts if p.dataset not in gone]
            count = raw.get("samples")
            whole = count is None or any(
                abs(count - size) <= SAME_COUNT * count
                for size in (inner.samples, _sum(p.samples for p in parts))
                if size
            )
            if not whole:
                parts = [p._replace(samples=None, drawn=None, selected=True) for p in parts]
                uncounted += count
            out += parts
        return out, uncounted

    def _variant(self, slug: str, record: Mapping) -> Mix:
        """A mix that is written as the difference from its parent."""
        parent = self.mix(record["of"])
        gone = set(record.get("without", ()))
        plus, uncounted = self._expand(record.get("plus", ()))
        listed = record.get("parts_listed", parent.listed)
        kept = [] if listed == "none" else [p for p in parent.parts if p.dataset not in gone]
        changed = gone or plus or "before" in record
        drawn = any(part.drawn is not None for part in kept)
        if not changed or drawn or record.keys() & {"amounts", "cap"}:
            kept = [_in_amounts(part, record) for part in kept]
        samples = record.get("samples")
        removed = _sum(p.samples for p in parent.parts if p.dataset in gone)
        if samples is None and record.get("made") and parent.samples and removed is not None:
            added = _sum(part.samples for part in plus)
            samples = None if added is None else parent.samples - removed + added
        elif samples and parent.samples and removed is not None:
            missing = [i for i, part in enumerate(plus) if part.samples is None]
            if len(missing) == 1 and not uncounted:  # by difference of the two printed totals
                rest = sum(part.samples or 0.0 for part in plus)
                one = samples - parent.samples + removed - rest
                plus[missing[0]] = plus[missing[0]]._replace(samples=one if one > 0 else None)
        return Mix(
            slug,
            record,
            (*kept, *plus),
            tuple(record.get("before", parent.before)),
            samples,
            listed,
            parent.uncounted + uncounted,
            self._available(record, parent, plus),
            record.get("own_splits", parent.own_splits),
        )

    def _available(self, record: Mapping, parent: Mix, plus: Sequence[Part]) -> str:
        if "public" in record:
            return "released" if record["public"] else "no"
        added = [self.datasets[part.dataset].get("public") for part in plus]
        if parent.available == "no" or False in added:
            return "no"
        listed = record.get("parts_listed", parent.listed)
        if parent.available == "unknown" or None in added or listed != "all":
            return "unknown"
        return "in part" if parent.available == "in part" else "parts"

    # --- what it holds

    def stages(self, slug: str) -> Iterator[Mix | str]:
        """Every mix trained on before this one, and before those; a lone dataset as its key."""
        mix = self.mix(slug)
        for name in mix.before if mix else ():
            if name in self.records:
                yield from self.stages(name)
                yield self.mix(name)
            else:
                yield name

    def shares(self, slug: str) -> dict[str, float] | None:
        """Kind -> share of the last stage's samples (or of what is drawn); less than 1 in all where
        a selection of another mix is not itemized. None when not all of it is counted.
        """
        if slug not in self._shares:
            self._shares[slug] = self._share(slug)
        return self._shares[slug]

    def _share(self, slug: str) -> dict[str, float] | None:
        mix = self.mix(slug)
        if mix is None or not mix.parts or mix.listed == "none":
            return None
        kinds = dict.fromkeys(part.kind for part in mix.parts)  # in their order
        if len(kinds) == 1 and mix.listed == "all":
            return dict.fromkeys(kinds, 1.0)
        amounts = [part.drawn for part in mix.parts]
        total: float | None = None
        if self.basis(slug) == "samples":
            amounts = [0.0 if part.selected else part.samples for part in mix.parts]
            total = mix.samples
        known = _sum(amounts)
        if mix.listed != "all" or not known:
            return None
        whole = known + mix.uncounted
        if abs(known - (total or whole)) > MISSING * (total or whole):
            return None
        out = dict.fromkeys(kinds, 0.0)
        for part, amount in zip(mix.parts, amounts):
            out[part.kind] += amount / whole
        return out

    def basis(self, slug: str) -> str:
        """What shares go by: samples, or what is really drawn where every part prints that."""
        mix = self.mix(slug)
        if mix is None or not mix.parts or any(part.drawn is None for part in mix.parts):
            return "samples"
        raw = next((p for p in mix.record.get("parts", ()) if "dataset" in p), {})
        return next((name for name in DRAWN if name in raw), "samples")

    def size(self, slug: str) -> float | None:
        """Published samples of a mix, or of a dataset that is trained on alone."""
        mix = self.mix(slug)
        return mix.samples if mix else self.datasets.get(slug, {}).get("samples")

    def stated(self, slug: str, key: str):
        """What a mix's record says under a key, or its nearest parent's that says anything."""
        mix = self.mix(slug)
        while mix and key not in mix.record and "of" in mix.record:
            mix = self.mix(mix.record["of"])
        return mix.record.get(key) if mix else None

    def data_size(self, slug: str) -> float | None:
        """Samples of an instruction mix, as a recipe's data_size counts them. None: not published,
        or what is published counts other things (pairs of a pre-training, documents, tokens).
        """
        if self.stated(slug, "stage") != "instruction" or self.stated(slug, "unit"):
            return None
        return self.size(slug)

    def splits(self, benchmark: str) -> tuple[str, ...]:
        """The benchmarks whose training split counts as this one's own (itself, if no other)."""
        return tuple(self.same_split.get(benchmark, (benchmark,)))

    def trained(self, slug: str, benchmark: str) -> bool | None:
        """Whether a training split of the benchmark is in the mix or in an earlier stage."""
        if (slug, benchmark) not in self._trained:
            self._trained[slug, benchmark] = self._inside(slug, benchmark)
        return self._trained[slug, benchmark]

    def _inside(self, slug: str, benchmark: str) -> bool | None:
        mix = self.mix(slug)
        if mix is None:
            return None
        if mix.own_splits:
            return True
        asked = set(self.splits(benchmark))
        unsure = False
        for stage in (mix, *self.stages(slug)):
            if isinstance(stage, str):
                if asked & set(self.datasets[stage].get("train_split_of", ())):
                    return True
                continue
            unsure = unsure or stage.listed != "all"
            for part in stage.parts:
                if asked & set(self.datasets[part.dataset].get("train_split_of", ())):
                    if not part.images_only and not part.uncertain:
                        return True
                    unsure = unsure or part.uncertain
        return None if unsure else False

    def holds(self, slug: str, benchmark: str, family: str | None) -> Holding:
        """What a mix holds for a benchmark of a task family."""
        shares = self.shares(slug)
        share = None
        if shares is not None:
            share = sum(
                (v for kind, v in shares.items() if self.kinds[kind].get("family") == family), 0.0
            )
        return Holding(share, self.trained(slug, benchmark))

    def containing(self, dataset: str) -> list[tuple[str, Part | None]]:
        """Mixes that hold a dataset, with the part (None: only an earlier stage holds it)."""
        out: list[tuple[str, Part | None]] = []
        for slug in self.records:
            part = next((p for p in self.mix(slug).parts if p.dataset == dataset), None)
            earlier = part is None and any(
                stage == dataset if isinstance(stage, str) else dataset in stage.datasets
                for stage in self.stages(slug)
            )
            if part or earlier:
                out.append((slug, part))
        return out


def _in_amounts(part: Part, record: Mapping) -> Part:
    """A parent's part in a variant of the same datasets: its amount, if the record says which."""
    if record.get("amounts") == "same":
        return part
    if "cap" in record and part.samples is not None:
        return part._replace(samples=min(part.samples, record["cap"]), drawn=None)
    return part._replace(samples=None, drawn=None)


def _sum(values) -> float | None:
    """The sum, or None when one is not known."""
    values = list(values)
    return None if None in values else sum(values)


def read_mixes(path: str, names: Mapping[str, str]) -> Mixes:
    """The mixes of a registry file; a tables directory without one has none."""
    text = read_text(path) if os.path.exists(path) else "{}"
    benchmarks = Records(text, "same_split", "benchmark")
    return Mixes(
        Records(text, "datasets", "key"),
        Records(text, "mixes", "slug"),
        Records(text, "kinds", "key"),
        names,
        {name: record["of"] for name, record in benchmarks.items()},
    )
