"""Claims that `check` and `claims --file` refuse: the place, and what would be accepted."""

import copy
import unittest

from recipes.base.reading import EvidenceError
from recipes.claims.assertions import parse_claims
from recipes.claims.names import problems
from recipes.cost import tokens
from tests.support import slow

from .claims_made_up import ABSENT, HOLDS, claim, contrast, evidence


def only(assertion: dict):
    """A change of a file: its first claim with this assertion alone."""
    return lambda d: d["claims"][0].update(assertions=[assertion])


@slow
class Refused(unittest.TestCase):
    """What a claims file may not hold, with the place where it stands."""

    def pointer(self, change) -> str:
        data = claim(copy.deepcopy(HOLDS))
        change(data)
        with self.assertRaises(EvidenceError) as caught:
            parse_claims(data, "my.json")
        self.assertEqual(caught.exception.file, "my.json")
        return caught.exception.pointer

    def test_schema(self):
        first = lambda data: data["claims"][0]["assertions"][0]
        for pointer, change in (
            ("/format", lambda d: d.update(format=1)),
            ("/claims", lambda d: d.update(claims=[])),
            ("/claims/0", lambda d: d.update(claims=["x"])),
            ("/claims/0/verdict", lambda d: d["claims"][0].update(verdict="supported")),
            ("/claims/0/claim", lambda d: d["claims"][0].update(claim=3)),
            ("/claims/1/id", lambda d: d["claims"].append(d["claims"][0])),
            ("/claims/0/assertions", lambda d: d["claims"][0].update(assertions=[])),
            ("/claims/0/assertions/0/kind", lambda d: first(d).update(kind="guess")),
            ("/claims/0/assertions/0/mn", lambda d: first(d).update(mn=3)),
            ("/claims/0/assertions/0/size", lambda d: first(d).update(size="yes")),
            ("/thumb_rules/0/claim", lambda d: d.update(thumb_rules=[{"claim": {"id": "x"}}])),
            ("/claims/0/assertions/0", lambda d: first(d).pop("min")),
            ("/claims/0/assertions/0", lambda d: first(d).pop("to")),
            ("/claims/0/assertions/0/in", lambda d: first(d).update({"in": []})),
            ("/claims/0/assertions/0/min", lambda d: first(d).update(min=True)),
            ("/claims/0/assertions/0/need", lambda d: first(d).update(need=0)),
            ("/claims/0/assertions/0/without", lambda d: first(d).update(without=[])),
            ("/claims/0/assertions/0/without/0", lambda d: first(d).update(without=["paper"])),
            (
                "/claims/0/assertions/0/without/0/why",
                lambda d: first(d).update(without=[{"in": ["paper"]}]),
            ),
            (
                "/claims/0/assertions/0/without/0/in",
                lambda d: first(d).update(without=[{"in": "*", "why": "x"}]),
            ),
            (
                "/claims/0/assertions/0/without/0/arm",
                lambda d: first(d).update(without=[{"in": ["paper"], "arm": "x", "why": "x"}]),
            ),
            ("/claims/0/assertions/0/scale", lambda d: first(d).update(scale="log")),
            (
                "/claims/0/assertions/0/from/encoder/like",
                lambda d: first(d).update({"from": {"encoder": {"like": "x"}}}),
            ),
            (
                "/claims/0/assertions/0/from/encoder",
                lambda d: first(d).update({"from": {"encoder": None}}),
            ),
            ("/claims/0/assertions/0/at", only({"kind": "value", "asserts": "", "equals": 1})),
            (
                "/claims/0/assertions/0/at/image",
                only(
                    {
                        "kind": "value",
                        "asserts": "",
                        "equals": 1,
                        "at": {"tokens": "llava", "image": [1e9, 3]},
                    }
                ),
            ),
            (
                "/claims/0/assertions/0/items",
                only(
                    {
                        "kind": "ordering",
                        "asserts": "",
                        "in": "*",
                        "metrics": ["mmmu"],
                        "items": [{"label": "a", "rows": {}}],
                    }
                ),
            ),
            (
                "/claims/0/assertions/0/order",
                only(
                    {
                        "kind": "share",
                        "asserts": "",
                        "in": "*",
                        "axes": ["llm"],
                        "order": ["llm", "data"],
                    }
                ),
            ),
            ("/thumb_rules/0/claim", lambda d: d.update(thumb_rules=[{"claim": "X99"}])),
            (
                "/thumb_rules/0/delta",
                lambda d: d.update(
                    thumb_rules=[
                        {
                            "claim": "X01",
                            "axis": "llm",
                            "from": {},
                            "to": {},
                            "midpoint": "",
                            "delta": "3",
                        }
                    ]
                ),
            ),
        ):
            self.assertEqual(self.pointer(change), pointer)

    def unresolved(self, *assertions: dict, **head) -> list[tuple[str, str]]:
        held = evidence()
        data = claim(*assertions)
        data["claims"][0].update(head)
        return list(
            problems(
                parse_claims(data, "my.json"),
                list(held.papers.values()),
                held.words,
                held.models,
                tokens.MODELS,
            )
        )

    def test_selectors_that_name_nothing(self):
        at = "/claims/0/assertions/0"
        value = lambda place: {"kind": "value", "asserts": "", "equals": 1, "at": place}
        for pointer, assertion in (
            (at + "/in/0", contrast(in_=["papr"], min=0, metrics=["mmmu"])),
            (at + "/metrics/0", contrast(metrics=["mmu"], min=0)),
            (at + "/benchmarks/0", contrast(benchmarks=["mmu"], min=0)),
            (at + "/families/0", contrast(families=["ocr"], min=0)),
            (at + "/moves/0", contrast(moves=["encodr"], min=0)),
            (at + "/same/0", contrast(same=["encodr"], min=0)),
            (at + "/no_lower/0", contrast(no_lower=["encodr"], min=0)),
            (at + "/without/0/in/0", contrast(without=[{"in": ["papr"], "why": "x"}], min=0)),
            (
                at + "/without/0/rows/arm",
                contrast(without=[{"in": ["paper"], "rows": {"arm": "CLlP"}, "why": "x"}], min=0),
            ),
            (at + "/from/arm", contrast(from_={"arm": "CLlP"}, min=0)),
            (at + "/from/encoder", contrast(from_={"encoder": "clip-vit-l"}, min=0)),
            (at + "/to/encodr", contrast(to={"encodr": "x"}, min=0)),
            (at + "/from/table", contrast(from_={"table": "paper.x"}, min=0)),
            (at + "/axis", contrast(axis="encodr", min=0)),
            (at + "/at/table", value({"table": "paper.x", "arm": "a", "metric": "m"})),
            (at + "/at/arm", value({"table": "paper.encoder", "arm": "a", "metric": "mmmu"})),
            (at + "/at/metric", value({"table": "paper.encoder", "arm": "CLIP", "metric": "m"})),
            (at + "/at/set", value({"table": "paper.encoder", "arm": "CLIP", "set": "m"})),
            (at + "/at/model", value({"model": "llava-1.5-14b", "field": "params_b"})),
            (at + "/at/field", value({"model": "llava-1.5-13b", "field": "params"})),
            (at + "/at/tokens", value({"tokens": "llava-9", "image": [9, 9]})),
            (at + "/at/cost", value({"cost": "llava-9", "field": "hours"})),
            (
                at + "/of",
                {"kind": "count", "asserts": "", "in": ["paper"], "of": "encodr", "min": 1},
            ),
            (
                at + "/where/0",
                {"kind": "count", "asserts": "", "models": True, "where": {"size": 3}, "min": 1},
            ),
        ):
            self.assertIn(pointer, [p for p, _ in self.unresolved(assertion)], assertion)
        self.assertEqual(self.unresolved(HOLDS, ABSENT), [])
        self.assertEqual(self.unresolved(HOLDS, cites=["papr"])[0][0], "/claims/0/cites/0")

    def test_an_error_offers_the_nearest_name(self):
        self.assertIn(
            "nearest known: mmmu",
            dict(self.unresolved(contrast(metrics=["mmu"], min=0)))[
                "/claims/0/assertions/0/metrics/0"
            ],
        )


if __name__ == "__main__":
    unittest.main()
