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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..base.reading import EvidenceError, read_json
from ..evidence.shape import is_number
from ..evidence.tables import Paper, Table
from ..terms.names import nearest_known

FORMAT = 2
MOST_CLAIMS, MOST_ASSERTIONS = 1000, 60
RANGE = ("min", "max", "above", "below")


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
    """Checks of shape that raise an EvidenceError: of a value, its pointer, what it is."""

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

    def text(self, value, pointer: str, what: str) -> str:
        return self(value, str, pointer, what)

    def flag(self, value, pointer: str, what: str) -> bool:
        return self(value, bool, pointer, what)

    def number(self, value, pointer: str, what: str) -> float:
        """A finite number."""
        if not is_number(value):
            self.fail(pointer, f"{what} is missing or not a number")
        return value

    def share(self, value, pointer: str, what: str) -> None:
        if not 0 < self.number(value, pointer, what) <= 1:
            self.fail(pointer, f"{what} is a share above 0 and at most 1")

    def some(self, value, pointer: str, what: str, most: int = 100) -> list:
        """A list of 1 to `most` things."""
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            self.fail(pointer, f"{what} is missing or not a list of 1 to {most} entries")
        return value

    def names(self, value, pointer: str, what: str) -> list[str]:
        """A list of texts."""
        for number, name in enumerate(self.some(value, pointer, what)):
            self.text(name, f"{pointer}/{number}", what)
        return value

    def name_or_names(self, value, pointer: str, what: str) -> None:
        if not isinstance(value, str):
            self.names(value, pointer, what)

    def number_or_text(self, value, pointer: str, what: str) -> None:
        if not isinstance(value, str):
            self.number(value, pointer, what)

    def known(self, raw: Mapping, keys: Sequence[str], pointer: str) -> None:
        """No key that nobody reads."""
        for key in raw:
            if key not in keys:
                self.fail(f"{pointer}/{key}", f"unknown key {key[:40]!r}{nearest_known(key, keys)}")

    def fields(self, raw, fields: Mapping[str, Callable], pointer: str, what: str) -> Mapping:
        """An object with these keys and no other (`!` behind one: needed), each as its check
        wants.
        """
        self(raw, dict, pointer, what)
        self.known(raw, [name.rstrip("!") for name in fields], pointer)
        for name, check in fields.items():
            key = name.rstrip("!")
            if key in raw or name != key:
                check(self, raw.get(key), f"{pointer}/{key}", key)
        return raw

    def each(self, value, fields: Mapping[str, Callable], pointer: str, what: str) -> None:
        """Objects with these keys."""
        for number, one in enumerate(value):
            self.fields(one, fields, f"{pointer}/{number}", what)

    def searched(self, value, pointer: str, what: str) -> None:
        if value != "*":
            self.names(value, pointer, f'{what} (paper keys and table ids, or "*")')

    def left(self, value, pointer: str, what: str) -> None:
        self.each(self.some(value, pointer, what), LEFT, pointer, "what is left out")

    def selector(self, raw, pointer: str, what: str = "the row selector") -> None:
        for key, value in self(raw, dict, pointer, "the row selector").items():
            self.condition(value, f"{pointer}/{key}", what)

    def condition(self, value, pointer: str, what: str) -> None:
        if isinstance(value, dict):
            self.fields(value, CONDITION, pointer, what)
        elif not isinstance(value, (str, int, float, bool, list)):
            self.fail(
                pointer,
                "not a condition: a value, a list of values, or an object with min, max, not, has",
            )

    def items(self, value, pointer: str, what: str) -> None:
        if len(self.some(value, pointer, what, 20)) < 2:
            self.fail(pointer, "an ordering has at least two items")
        self.each(value, ITEM, pointer, "the item")

    def ranges(self, value, pointer: str, what: str) -> None:
        for axis, limits in self(value, dict, pointer, what).items():
            self.fields(limits, LIMITS, f"{pointer}/{axis}", "the range")

    def places(self, value, pointer: str, what: str) -> None:
        several = isinstance(value, list)
        for number, place in enumerate(self.some(value, pointer, what) if several else [value]):
            self.place(place, f"{pointer}/{number}" if several else pointer)

    def place(self, place, pointer: str) -> None:
        self(place, dict, pointer, "the place")
        kind = next((kind for kind in PLACES if kind in place), None)
        if kind is None:
            self.fail(pointer, f"a place names one of {', '.join(PLACES)}")
        self.fields(place, PLACES[kind], pointer, "the place")
        one = ONE_OF.get(kind, ())
        if one and place.keys().isdisjoint(one):
            self.fail(pointer, f"the place lacks {' or '.join(one)}")

    def image(self, value, pointer: str, what: str) -> None:
        sides = self.some(value, pointer, what, 2)
        whole = all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
        if len(sides) != 2 or not whole or not all(1 <= side <= 100_000 for side in sides):
            self.fail(pointer, "image is [width, height] in pixels")

    def anything(self, value, pointer: str, what: str) -> None:
        pass


def one_of(*known: str) -> Callable:
    """A check that a value is one of these texts."""

    def check(need: Need, value, pointer: str, what: str) -> None:
        if value not in known:
            said = f"{', '.join(known[:-1])} or {known[-1]}"
            need.fail(pointer, f"{what} is {said}")

    return check


def keys(names: str, check: Callable) -> dict[str, Callable]:
    """Several keys with one check."""
    return dict.fromkeys(names.split(), check)


LIMITS = keys("min max", Need.number)
CONDITION = {**LIMITS, "not": Need.anything, "has": Need.text}
LEFT = {"in!": Need.names, "rows": Need.selector, "why!": Need.text}
ITEM = {"label!": Need.text, "rows!": Need.selector, "pick": one_of("best", "worst", "mean")}
LOOK = {"in!": Need.searched, "without": Need.left}
PAIRS = {
    **LOOK,
    **keys("from to", Need.selector),
    "axis": Need.name_or_names,
    **keys("metrics benchmarks families moves same alike no_lower locators words", Need.names),
    "varies": Need.text,
}
# kind of an assertion -> its keys
KINDS = {
    "contrast": {
        **PAIRS,
        **keys("min max above below", Need.number),
        "scale": one_of("points", "percent"),
        **keys("size mean", Need.flag),
        "need": Need.share,
        "per": one_of("contrast", "paper"),
    },
    "exists": PAIRS,
    "value": {
        "at!": Need.places,
        "how": one_of("sum", "ratio", "difference"),
        "equals": Need.number_or_text,
        **keys("within min max", Need.number),
        "is": Need.condition,
    },
    "ordering": {
        **LOOK,
        "items!": Need.items,
        "metrics!": Need.names,
        "need": Need.share,
        "words": Need.names,
    },
    "count": {
        "in": Need.searched,
        "without": Need.left,
        "of": Need.text,
        "where": Need.selector,
        "models": Need.flag,
        **keys("equals min max", Need.number),
    },
    "share": {
        **LOOK,
        "axes!": Need.names,
        **keys("benchmarks together order", Need.names),
        **LIMITS,
        "each": Need.ranges,
        "need": Need.share,
    },
}
# a place in an assertion of a value -> its keys, and those of which it has one at least
PLACES = {
    "table": {**keys("table arm! metric set", Need.text), "metrics": Need.names},
    "model": keys("model benchmark split field", Need.text),
    "tokens": {
        "tokens": Need.text,
        "markers": Need.anything,
        "image!": Need.image,
        "leave_out": Need.names,
    },
    "cost": keys("cost field!", Need.text),
}
ONE_OF = {"table": ("metric", "metrics", "set"), "model": ("benchmark", "field")}
# what an assertion says something with
SAYS = {
    "contrast": RANGE,
    "value": ("equals", "min", "max", "is"),
    "count": ("equals", "min", "max"),
}
CLAIM = {
    "id!": Need.text,
    "says": Need.text,
    "claim!": Need.text,
    "cites": Need.anything,
    "assertions!": lambda need, value, at, what: need.some(value, at, what, MOST_ASSERTIONS),
    "note": Need.anything,
}
THUMB = {
    "claim!": Need.text,
    **keys("axis! midpoint!", Need.text),
    **keys("from! to!", Need.selector),
    **keys("benchmarks families", Need.names),
    "delta!": Need.number,
    "per": one_of("step", "doubling"),
}


def _claim(raw, need: Need, at: str, sources: Mapping) -> Claim:
    need.fields(raw, CLAIM, at, "the claim")
    says = raw.get("says", "")
    if says and sources and says not in sources:
        need.fail(
            f"{at}/says", f"unknown source {says[:40]!r} (known: {', '.join(map(str, sources))})"
        )
    cites = need.names(raw["cites"], f"{at}/cites", "cites") if raw.get("cites") else ()
    if raw.get("note") is not None:
        need.text(raw["note"], f"{at}/note", "note")
    assertions = (
        _assertion(one, need, f"{at}/assertions/{number}")
        for number, one in enumerate(raw["assertions"])
    )
    return Claim(
        raw["id"], says, raw["claim"], tuple(cites), tuple(assertions), raw.get("note"), at
    )


def _assertion(raw, need: Need, at: str) -> Assertion:
    kind = need(raw, dict, at, "the assertion").get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        need.fail(f"{at}/kind", f"unknown kind {str(kind)[:40]!r} (known: {', '.join(KINDS)})")
    own = {"kind": Need.anything, "asserts!": Need.text, "beside": Need.flag}
    need.fields(raw, {**own, **KINDS[kind]}, at, "the assertion")
    spec = {key: value for key, value in raw.items() if key not in ("kind", "asserts", "beside")}
    if kind in SAYS and spec.keys().isdisjoint(SAYS[kind]):
        need.fail(at, f"asserts nothing: one of {', '.join(SAYS[kind])} is needed")
    if kind in ("contrast", "exists"):
        if ("from" in spec) != ("to" in spec) or ("from" in spec) == ("axis" in spec):
            need.fail(at, "which pairs of rows? either from and to, or axis")
    elif kind == "count" and not spec.get("models"):
        need.text(spec.get("of"), f"{at}/of", "of (rows, or a setting key)")
        need.searched(spec.get("in"), f"{at}/in", "in")
    elif kind == "share":
        _share(spec, need, at)
    return Assertion(kind, raw["asserts"], bool(raw.get("beside")), spec, at)


def _share(spec: Mapping, need: Need, at: str) -> None:
    asked = [key for key in ("together", "each", "order") if key in spec]
    if len(asked) != 1:
        need.fail(at, "a share asserts one of together, each, order")
    if "together" in spec and spec.keys().isdisjoint(LIMITS):
        need.fail(at, "asserts nothing: one of min, max is needed")
    for axis in spec[asked[0]]:
        if axis not in spec["axes"]:
            need.fail(f"{at}/{asked[0]}", f"{axis[:40]!r} is not among the axes")


def _thumb(raw, need: Need, at: str, claims: Mapping) -> ThumbRule:
    name = need.text(need(raw, dict, at, "the rule").get("claim"), f"{at}/claim", "claim")
    if name not in claims:
        need.fail(f"{at}/claim", f"no claim has the id {name[:40]!r}")
    need.fields(raw, THUMB, at, "the rule of thumb")
    return ThumbRule(
        raw["claim"],
        raw["axis"],
        raw["from"],
        raw["to"],
        *(tuple(raw.get(key, ())) for key in ("benchmarks", "families")),
        raw["delta"],
        raw.get("per", "step"),
        raw["midpoint"],
    )


def tables_of(
    names: Iterable[str], papers: Mapping[str, Paper], tables: Mapping[str, Table]
) -> Iterator[Table]:
    """The tables that `in` names, by paper or table; "*": all."""
    if names == "*":
        yield from tables.values()
        return
    for name in names:
        if name in papers:
            yield from papers[name].tables
        elif name in tables:
            yield tables[name]
