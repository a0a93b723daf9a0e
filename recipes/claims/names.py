"""Do the selectors of a claims file name something that is there?

In: a ClaimsFile, the papers, the vocabulary and the released models. Out: the pointer and a message
for each name that nothing has. Judges nothing (verdicts.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..evidence.tables import Paper, Table
from ..terms.axes import COMPONENTS
from ..terms.names import nearest_known
from ..terms.vocabulary import Vocabulary
from .assertions import Assertion, ClaimsFile, tables_of


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
                yield f"{at}/{number}", f"no {kind} {name[:60]!r}{nearest_known(name, [*known])}"

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
        return tuple(tables_of(spec.get("in", ()), self.papers, self.tables))

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
                    if key in COMPONENTS
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
