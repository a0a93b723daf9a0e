"""registry/claims.json -> frozen Claims, checked: what people repeat about recipes, each with
assertions a machine can test.

In: a parsed file; for `problems` also the papers, the vocabulary and the released models. Out:
Claims and rules of thumb, or an EvidenceError with the pointer of the first thing of a wrong shape;
and the selectors that name something that is not there. Does not judge (../claims.py) and holds no
verdict.

An assertion has `kind`, `asserts` (the part of the claim it tests, in words) and the keys of its
kind; `beside` marks rows that are shown with the verdict but do not count for it.

contrast  pairs of rows of one table: `in` (paper keys and table ids, or "*"), `from` and `to` (row
selectors) or `axis` (pairs that
          differ on this axis alone), `metrics`, `benchmarks` or `families`; `moves` (only these
          axes may differ), `same` (settings that both rows state and share), `alike` (share, or
          both leave unsaid), `no_lower` (settings that, as numbers, do not fall from `from` to
          `to`), `varies` (tables that mean to vary this axis); `min`, `max`, `above`, `below`
          (points; `scale` "percent": of the benchmark's maximum), `size` (without sign), `mean`
          (over the metrics of a pair), `need` (share of the contrasts that must satisfy it, 1 if
          left out; `per` "paper": of the papers, each by the greater part of its contrasts; one
          that is split evenly has no vote)
exists    such a pair is there at all: the same keys without a range; `locators` (as in "Table 11")
narrows the tables
value     `at` one place or several joined by `how` (sum, ratio, difference; of released models'
scores the latter two on one split only):
          table + arm + metric, metrics (their mean) or set, model + benchmark or field, tokens (a
          released model) + image, cost + field; `equals` with `within`, or `min`, `max`, or `is` (a
          condition)
ordering  `items` (label, rows, pick best, worst or mean) descend on the mean of `metrics` in the
tables of `in`; `need`
count     distinct values of the setting `of` (or rows) in the tables of `in`, or released models,
that satisfy `where`: `equals`, `min`, `max`
          (the registry of released models is not complete: none found there is unknown, not a zero)
share     of the spread that single axes cause: `axes`, and `together` with `min` or `max`, or
`each` {axis: range}, or `order` with `need`

Assertions that search tables may leave some out: `without`, a list of {in, rows (a selector; all
rows if left out), why}; why is shown.

A row selector maps `arm` or a setting key (or `encoder.family`: a field of the component's record)
to a condition: a value, a list of values, or an object with `min`, `max`, `not`, `has` (a part of a
name).
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..base.reading import EvidenceError, read_json
from ..evidence.tables import Paper, Table
from ..terms.vocabulary import Vocabulary, fold, nearest

FORMAT = 2
MOST_CLAIMS, MOST_ASSERTIONS = 1000, 60
RANGE = ("min", "max", "above", "below")
PAIRS = (
    "in",
    "without",
    "from",
    "to",
    "axis",
    "metrics",
    "benchmarks",
    "families",
    "moves",
    "same",
    "alike",
    "no_lower",
    "varies",
    "locators",
    "words",
)
KEYS = {
    "contrast": (*PAIRS, *RANGE, "scale", "size", "mean", "need", "per"),
    "exists": PAIRS,
    "value": ("at", "how", "equals", "within", "min", "max", "is"),
    "ordering": ("in", "without", "items", "metrics", "need", "words"),
    "count": ("in", "without", "of", "where", "models", "equals", "min", "max"),
    "share": (
        "in",
        "without",
        "axes",
        "benchmarks",
        "together",
        "min",
        "max",
        "each",
        "order",
        "need",
    ),
}
PLACES = {
    "table": ("table", "arm", "metric", "metrics", "set"),
    "model": ("model", "benchmark", "split", "field"),
    "tokens": ("tokens", "image", "leave_out", "markers"),
    "cost": ("cost", "field"),
}


class Assertion(NamedTuple):
    """One testable part of a claim; `spec` holds the keys of its kind, `pointer` says where it
    stands in the file.
    """

    kind: str
    asserts: str
    beside: bool
    spec: Mapping
    pointer: str


class Claim(NamedTuple):
    """One statement: who says it, its words, the encoded papers it cites, its assertions, and a
    remark on how it was read.
    """

    id: str
    says: str
    text: str
    cites: tuple[str, ...]
    assertions: tuple[Assertion, ...]
    note: str | None
    pointer: str


class ThumbRule(NamedTuple):
    """A delta in points that a claim names: `from_` -> `to` on `benchmarks` (or `families`); per:
    step, or doubling of the axis.
    """

    claim: str
    axis: str
    from_: Mapping
    to: Mapping
    benchmarks: tuple[str, ...]
    families: tuple[str, ...]
    delta: float
    per: str
    midpoint: str


class ClaimsFile(NamedTuple):
    """A whole file: sources by letter, claims, rules of thumb."""

    file: str
    sources: Mapping
    claims: tuple[Claim, ...]
    thumb_rules: tuple[ThumbRule, ...]


def shipped_path(directory: str) -> str:
    """Where the published claims lie."""
    return os.path.join(directory, "registry", "claims.json")


def read_claims(path: str) -> ClaimsFile:
    """A claims file from disk. Raises EvidenceError."""
    return parse_claims(read_json(path), os.fspath(path))


def parse_claims(data, file: str) -> ClaimsFile:
    """Parsed JSON -> ClaimsFile. Raises EvidenceError with the pointer of the first wrong thing."""
    need = Need(file)
    need(data, dict, "", "the file")
    if data.get("format") != FORMAT:
        need.fail(
            "/format",
            f"format {str(data.get('format'))[:20]!r}: this program reads format {FORMAT}",
        )
    sources = need(data.get("sources", {}), dict, "/sources", "sources")
    claims, seen = [], {}
    for number, raw in enumerate(need.some(data.get("claims"), "/claims", "claims", MOST_CLAIMS)):
        claim = _claim(raw, need, f"/claims/{number}", sources)
        if claim.id in seen:
            need.fail(
                f"/claims/{number}/id",
                f"the id {claim.id[:40]!r} stands at {seen[claim.id]} already",
            )
        seen[claim.id] = claim.pointer
        claims.append(claim)
    rules = [
        _thumb(raw, need, f"/thumb_rules/{number}", seen)
        for number, raw in enumerate(
            need(data.get("thumb_rules", []), list, "/thumb_rules", "thumb_rules")
        )
    ]
    return ClaimsFile(file, sources, tuple(claims), tuple(rules))


class Need:
    """Checks of shape that raise an EvidenceError of one file."""

    def __init__(self, file: str):
        self.file = file

    def fail(self, pointer: str, message: str):
        """Raise."""
        raise EvidenceError(self.file, pointer, message, "schema")

    def __call__(self, value, kind, pointer: str, what: str):
        names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
        if not isinstance(value, kind):
            self.fail(pointer, f"{what} is missing or not {names[kind]}")
        return value

    def number(self, value, pointer: str, what: str) -> float:
        """A finite number."""
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or value != value
            or abs(value) > 1e15
        ):
            self.fail(pointer, f"{what} is missing or not a number")
        return value

    def some(self, value, pointer: str, what: str, most: int = 100) -> list:
        """A list of 1 to `most` things."""
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            self.fail(pointer, f"{what} is missing or not a list of 1 to {most} entries")
        return value

    def names(self, value, pointer: str, what: str) -> list[str]:
        """A list of texts."""
        for number, name in enumerate(self.some(value, pointer, what)):
            self(name, str, f"{pointer}/{number}", what)
        return value

    def known(self, raw: Mapping, keys: Sequence[str], pointer: str) -> None:
        """No key that nobody reads."""
        for key in raw:
            if key not in keys:
                near = nearest(key, {fold(k): k for k in keys})
                self.fail(
                    f"{pointer}/{key}",
                    "unknown key"
                    f" {key[:40]!r}{'; nearest known: ' + ', '.join(near) if near else ''}",
                )


def _claim(raw, need: Need, at: str, sources: Mapping) -> Claim:
    need(raw, dict, at, "the claim")
    need.known(raw, ("id", "says", "claim", "cites", "assertions", "note"), at)
    for key in ("id", "claim"):
        need(raw.get(key), str, f"{at}/{key}", key)
    says = need(raw.get("says", ""), str, f"{at}/says", "says")
    if says and sources and says not in sources:
        need.fail(
            f"{at}/says", f"unknown source {says[:40]!r} (known: {', '.join(map(str, sources))})"
        )
    cites = need.names(raw["cites"], f"{at}/cites", "cites") if raw.get("cites") else ()
    if raw.get("note") is not None:
        need(raw["note"], str, f"{at}/note", "note")
    assertions = [
        _assertion(one, need, f"{at}/assertions/{number}")
        for number, one in enumerate(
            need.some(raw.get("assertions"), f"{at}/assertions", "assertions", MOST_ASSERTIONS)
        )
    ]
    return Claim(
        raw["id"], says, raw["claim"], tuple(cites), tuple(assertions), raw.get("note"), at
    )


def _assertion(raw, need: Need, at: str) -> Assertion:
    need(raw, dict, at, "the assertion")
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in KEYS:
        need.fail(f"{at}/kind", f"unknown kind {str(kind)[:40]!r} (known: {', '.join(KEYS)})")
    need.known(raw, ("kind", "asserts", "beside", *KEYS[kind]), at)
    need(raw.get("asserts"), str, f"{at}/asserts", "asserts")
    need(raw.get("beside", False), bool, f"{at}/beside", "beside")
    spec = {key: value for key, value in raw.items() if key not in ("kind", "asserts", "beside")}
    if kind != "value" and not (kind == "count" and spec.get("models")) and spec.get("in") != "*":
        need.names(spec.get("in"), f"{at}/in", 'in (paper keys and table ids, or "*")')
    for key in (
        "metrics",
        "benchmarks",
        "families",
        "moves",
        "same",
        "alike",
        "no_lower",
        "locators",
        "words",
        "axes",
        "together",
        "order",
    ):
        if key in spec:
            need.names(spec[key], f"{at}/{key}", key)
    for number, left in enumerate(
        need.some(spec["without"], f"{at}/without", "without") if "without" in spec else ()
    ):
        here = f"{at}/without/{number}"
        need.known(need(left, dict, here, "what is left out"), ("in", "rows", "why"), here)
        need.names(left.get("in"), f"{here}/in", "in (paper keys and table ids)")
        need(left.get("why"), str, f"{here}/why", "why")
        _selector(left.get("rows", {}), need, f"{here}/rows")
    for key in (*RANGE, "within", "need"):
        if key in spec:
            need.number(spec[key], f"{at}/{key}", key)
    if not 0 < spec.get("need", 1) <= 1:
        need.fail(f"{at}/need", "need is a share above 0 and at most 1")
    if "equals" in spec and not (kind == "value" and isinstance(spec["equals"], str)):
        need.number(spec["equals"], f"{at}/equals", "equals")
    _SHAPES[kind](spec, need, at)
    return Assertion(kind, raw["asserts"], bool(raw.get("beside")), spec, at)


def _ranged(spec: Mapping, need: Need, at: str, keys: Sequence[str]) -> None:
    if not any(key in spec for key in keys):
        need.fail(at, f"asserts nothing: one of {', '.join(keys)} is needed")


def _selector(raw, need: Need, at: str) -> None:
    need(raw, dict, at, "the row selector")
    for key, value in raw.items():
        _condition(value, need, f"{at}/{key}")


def _condition(value, need: Need, at: str) -> None:
    if isinstance(value, dict):
        need.known(value, ("min", "max", "not", "has"), at)
        for key in ("min", "max"):
            if key in value:
                need.number(value[key], f"{at}/{key}", key)
        if "has" in value:
            need(value["has"], str, f"{at}/has", "has")
    elif not isinstance(value, (str, int, float, bool, list)):
        need.fail(
            at, "not a condition: a value, a list of values, or an object with min, max, not, has"
        )


def _pairs_shape(spec: Mapping, need: Need, at: str) -> None:
    if ("from" in spec) != ("to" in spec) or ("from" in spec) == ("axis" in spec):
        need.fail(at, "which pairs of rows? either from and to, or axis")
    for key in ("from", "to"):
        if key in spec:
            _selector(spec[key], need, f"{at}/{key}")
    if "axis" in spec and not isinstance(spec["axis"], str):
        need.names(spec["axis"], f"{at}/axis", "axis")


def _contrast_shape(spec: Mapping, need: Need, at: str) -> None:
    _pairs_shape(spec, need, at)
    _ranged(spec, need, at, RANGE)
    if spec.get("scale", "points") not in ("points", "percent"):
        need.fail(f"{at}/scale", "scale is points or percent")
    if spec.get("per", "contrast") not in ("contrast", "paper"):
        need.fail(f"{at}/per", "per is contrast or paper")


def _value_shape(spec: Mapping, need: Need, at: str) -> None:
    _ranged(spec, need, at, ("equals", "min", "max", "is"))
    if "is" in spec:
        _condition(spec["is"], need, f"{at}/is")
    if spec.get("how", "sum") not in ("sum", "ratio", "difference"):
        need.fail(f"{at}/how", "how is sum, ratio or difference")
    places = spec.get("at")
    for number, place in enumerate(places if isinstance(places, list) and places else [places]):
        here = f"{at}/at/{number}" if isinstance(places, list) else f"{at}/at"
        need(place, dict, here, "the place")
        kind = next((kind for kind in PLACES if kind in place), None)
        if kind is None:
            need.fail(here, f"a place names one of {', '.join(PLACES)}")
        need.known(place, PLACES[kind], here)
        for key in (
            "table",
            "arm",
            "metric",
            "set",
            "model",
            "benchmark",
            "split",
            "field",
            "tokens",
            "cost",
        ):
            if key in place:
                need(place[key], str, f"{here}/{key}", key)
        if "metrics" in place:
            need.names(place["metrics"], f"{here}/metrics", "metrics")
        wanted = {
            "table": (("arm",), ("metric", "metrics", "set")),
            "model": (("benchmark", "field"),),
            "tokens": (("image",),),
            "cost": (("field",),),
        }[kind]
        for keys in wanted:
            if not any(key in place for key in keys):
                need.fail(here, f"the place lacks {' or '.join(keys)}")
        if kind == "tokens":
            sides = need.some(place["image"], f"{here}/image", "image", 2)
            if len(sides) != 2 or not all(
                isinstance(side, int) and not isinstance(side, bool) and 1 <= side <= 100_000
                for side in sides
            ):
                need.fail(f"{here}/image", "image is [width, height] in pixels")
            if "leave_out" in place:
                need.names(place["leave_out"], f"{here}/leave_out", "leave_out")


def _ordering_shape(spec: Mapping, need: Need, at: str) -> None:
    items = need.some(spec.get("items"), f"{at}/items", "items", 20)
    if len(items) < 2:
        need.fail(f"{at}/items", "an ordering has at least two items")
    need.names(spec.get("metrics"), f"{at}/metrics", "metrics")
    for number, item in enumerate(items):
        here = f"{at}/items/{number}"
        need(item, dict, here, "the item")
        need.known(item, ("label", "rows", "pick"), here)
        need(item.get("label"), str, f"{here}/label", "label")
        _selector(item.get("rows"), need, f"{here}/rows")
        if item.get("pick", "best") not in ("best", "worst", "mean"):
            need.fail(f"{here}/pick", "pick is best, worst or mean")


def _count_shape(spec: Mapping, need: Need, at: str) -> None:
    _ranged(spec, need, at, ("equals", "min", "max"))
    _selector(spec.get("where", {}), need, f"{at}/where")
    need(spec.get("models", False), bool, f"{at}/models", "models")
    if not spec.get("models"):
        need(spec.get("of"), str, f"{at}/of", "of (rows, or a setting key)")


def _share_shape(spec: Mapping, need: Need, at: str) -> None:
    need.names(spec.get("axes"), f"{at}/axes", "axes")
    if sum(key in spec for key in ("together", "each", "order")) != 1:
        need.fail(at, "a share asserts one of together, each, order")
    if "together" in spec:
        _ranged(spec, need, at, ("min", "max"))
    for axis, limits in need(spec.get("each", {}), dict, f"{at}/each", "each").items():
        need.known(
            need(limits, dict, f"{at}/each/{axis}", "the range"),
            ("min", "max"),
            f"{at}/each/{axis}",
        )
        _condition(limits, need, f"{at}/each/{axis}")
    for key in ("together", "each", "order"):
        for axis in spec.get(key, ()):
            if axis not in spec["axes"]:
                need.fail(f"{at}/{key}", f"{axis[:40]!r} is not among the axes")


_SHAPES = {
    "contrast": _contrast_shape,
    "exists": _pairs_shape,
    "value": _value_shape,
    "ordering": _ordering_shape,
    "count": _count_shape,
    "share": _share_shape,
}


def _thumb(raw, need: Need, at: str, claims: Mapping) -> ThumbRule:
    need(raw, dict, at, "the rule of thumb")
    need.known(
        raw,
        ("claim", "axis", "from", "to", "benchmarks", "families", "delta", "per", "midpoint"),
        at,
    )
    if raw.get("claim") not in claims:
        need.fail(f"{at}/claim", f"no claim has the id {str(raw.get('claim'))[:40]!r}")
    for key in ("axis", "midpoint"):
        need(raw.get(key), str, f"{at}/{key}", key)
    for key in ("from", "to"):
        _selector(raw.get(key), need, f"{at}/{key}")
    if raw.get("per", "step") not in ("step", "doubling"):
        need.fail(f"{at}/per", "per is step or doubling")
    lists = {
        key: tuple(need.names(raw[key], f"{at}/{key}", key)) if key in raw else ()
        for key in ("benchmarks", "families")
    }
    return ThumbRule(
        raw["claim"],
        raw["axis"],
        raw["from"],
        raw["to"],
        lists["benchmarks"],
        lists["families"],
        need.number(raw.get("delta"), f"{at}/delta", "delta"),
        raw.get("per", "step"),
        raw["midpoint"],
    )


# --- do the selectors name something?
# ------------------------------------------------------------------------------------


def problems(
    claims: ClaimsFile,
    papers: Sequence[Paper],
    words: Vocabulary,
    models: Mapping[str, Mapping],
    token_rules: Iterable[str],
) -> Iterator[tuple[str, str]]:
    """(pointer, message) of every selector that names a table, row, metric, setting, component,
    benchmark or model that is not there.

    `token_rules`: the released models whose visual tokens can be counted. A component of an
    `exists` may be one that no row has (that is what it asks), but must be one that the registry
    knows.
    """
    look = _Names(papers, words, models, tuple(token_rules))
    for claim in claims.claims:
        yield from look.of("paper", claim.cites, claim.pointer + "/cites", look.papers)
        for one in claim.assertions:
            yield from look.assertion(one)
    for number, rule in enumerate(claims.thumb_rules):
        at = f"/thumb_rules/{number}"
        for side, selector in (("from", rule.from_), ("to", rule.to)):
            yield from look.selector(selector, f"{at}/{side}", ())
        yield from look.of(
            "benchmark", rule.benchmarks, f"{at}/benchmarks", words.records("benchmark")
        )
        yield from look.of("family", rule.families, f"{at}/families", words.records("family"))


class _Names:
    """What selectors may name."""

    def __init__(self, papers, words, models, token_rules):
        self.words, self.models, self.token_rules = words, models, token_rules
        self.papers = {paper.key: paper for paper in papers}
        self.tables = {table.id: table for paper in papers for table in paper.tables}
        self.places = {**self.papers, **self.tables}

    def of(
        self, kind: str, names: Iterable[str], at: str, known: Iterable[str]
    ) -> Iterator[tuple[str, str]]:
        for number, name in enumerate(names):
            if name not in known:
                near = nearest(name, {fold(k): k for k in known})
                yield (
                    f"{at}/{number}",
                    (
                        f"no {kind}"
                        f" {name[:60]!r}{'; nearest known: ' + ', '.join(near) if near else ''}"
                    ),
                )

    def one(self, kind: str, name: str, at: str, known: Iterable[str]) -> Iterator[tuple[str, str]]:
        yield from ((at, message) for _, message in self.of(kind, [name], at, known))

    def some(self, kind: str, names, at: str, known: Iterable[str]) -> Iterator[tuple[str, str]]:
        """One name, or a list of them."""
        yield from (
            self.of(kind, names, at, known)
            if isinstance(names, (list, tuple))
            else self.one(kind, names, at, known)
        )

    def assertion(self, one: Assertion) -> Iterator[tuple[str, str]]:
        spec, at, words = one.spec, one.pointer, self.words
        searched = self.searched(spec)
        if spec.get("in", "*") != "*":
            yield from self.of("paper or table", spec["in"], at + "/in", self.places)
        yield from self.of(
            "metric of these tables",
            spec.get("metrics", ()),
            at + "/metrics",
            {key for table in searched for key in table.metrics},
        )
        yield from self.of(
            "benchmark", spec.get("benchmarks", ()), at + "/benchmarks", words.records("benchmark")
        )
        yield from self.of(
            "family", spec.get("families", ()), at + "/families", words.records("family")
        )
        axes = set(words.axis_of.values())
        for key in ("moves", "axes", "axis", "varies"):
            yield from self.some("axis", spec.get(key, ()), f"{at}/{key}", axes)
        for number, left in enumerate(spec.get("without", ())):
            yield from self.of(
                "paper or table", left["in"], f"{at}/without/{number}/in", self.places
            )
            yield from self.selector(left.get("rows", {}), f"{at}/without/{number}/rows", searched)
        for name in ("same", "alike", "no_lower"):
            for number, key in enumerate(spec.get(name, ())):
                yield from self.setting(key, f"{at}/{name}/{number}")
        for side in ("from", "to"):
            if side in spec:
                yield from self.selector(spec[side], f"{at}/{side}", searched)
        for number, item in enumerate(spec.get("items", ())):
            yield from self.selector(item["rows"], f"{at}/items/{number}/rows", searched)
        if one.kind == "count":
            if spec.get("models"):
                yield from self.of(
                    "field of a released model",
                    spec.get("where", ()),
                    f"{at}/where",
                    {key for model in self.models.values() for key in model},
                )
            else:
                yield from self.selector(spec.get("where", {}), f"{at}/where", searched)
                if spec["of"] != "rows":
                    yield from self.setting(spec["of"], f"{at}/of")
        if one.kind == "value":
            places = spec["at"]
            for number, place in enumerate(places if isinstance(places, list) else [places]):
                yield from self.place(
                    place, f"{at}/at/{number}" if isinstance(places, list) else f"{at}/at"
                )

    def searched(self, spec: Mapping) -> tuple[Table, ...]:
        """The tables that an assertion looks at."""
        if "in" not in spec:
            return ()
        if spec["in"] == "*":
            return tuple(self.tables.values())
        of = lambda name: self.papers[name].tables if name in self.papers else ()
        parts = ((self.tables[n],) if n in self.tables else of(n) for n in spec["in"])
        return tuple(table for part in parts for table in part)

    def setting(self, key: str, at: str) -> Iterator[tuple[str, str]]:
        yield from self.one("setting", key.partition(".")[0], at, self.words.records("setting"))

    def selector(
        self, selector: Mapping, at: str, searched: Sequence[Table]
    ) -> Iterator[tuple[str, str]]:
        for key, value in selector.items():
            if key == "table":
                yield from self.one("table", value, f"{at}/table", self.tables)
                searched = (self.tables[value],) if value in self.tables else ()
        for key, value in selector.items():
            here = f"{at}/{key}"
            if isinstance(value, dict):
                value, here = value.get("not", ()), f"{here}/not"
            if key == "arm":
                yield from self.some(
                    "row of these tables",
                    value,
                    here,
                    {row.arm for table in searched for row in table.rows},
                )
            elif key != "table":
                yield from self.setting(key, f"{at}/{key}")
                for number, name in (
                    enumerate(value if isinstance(value, (list, tuple)) else [value])
                    if key in ("encoder", "connector", "llm", "data")
                    else ()
                ):
                    for part in str(name).split("+") if key == "encoder" else [str(name)]:
                        yield from self.one(
                            key,
                            part,
                            f"{here}/{number}" if isinstance(value, (list, tuple)) else here,
                            self.words.records(key),
                        )

    def place(self, place: Mapping, at: str) -> Iterator[tuple[str, str]]:
        if "table" in place:
            yield from self.one("table", place["table"], at + "/table", self.tables)
            table = self.tables.get(place["table"])
            if table is None:
                return
            yield from self.one(
                f"row of {table.id}", place["arm"], at + "/arm", {row.arm for row in table.rows}
            )
            if "set" not in place:
                key = "metrics" if "metrics" in place else "metric"
                yield from self.some(
                    f"metric of {table.id}", place[key], f"{at}/{key}", table.metrics
                )
            else:
                yield from self.setting(place["set"], at + "/set")
        elif "model" in place:
            yield from self.one("released model", place["model"], at + "/model", self.models)
            model = self.models.get(place["model"], {})
            if model and "field" in place:
                yield from self.one(
                    f"field of {place['model']}", place["field"], at + "/field", model
                )
        elif "tokens" in place:
            yield from self.one(
                "model with a token rule", place["tokens"], at + "/tokens", self.token_rules
            )
        else:
            costs = {
                record["id"]: record
                for record in self.words.registry("training_costs")["training_costs"]
            }
            yield from self.one("training cost", place["cost"], at + "/cost", costs)
            if place["cost"] in costs:
                yield from self.one(
                    "field of a training cost", place["field"], at + "/field", costs[place["cost"]]
                )
