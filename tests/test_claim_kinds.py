"""Verdicts of claims that are no contrast of two levels: shares, orders, amounts, tokens, claims of
one paper. Made-up tables, worked out by hand.
"""

import unittest

from recipes.claims import verdicts as claims
from recipes.claims.assertions import parse_claims
from recipes.claims.pairs import satisfies

from .claims_made_up import SIGLIP, claim, evidence, judged, made_up, often, result, second


class Others(unittest.TestCase):
    def test_exists(self):
        self.assertEqual(
            result({"kind": "exists", "in": ["paper"], "axis": ["encoder", "llm"]}), "holds"
        )
        self.assertEqual(
            result({"kind": "exists", "in": ["paper"], "axis": ["encoder", "data"]}), "fails"
        )
        self.assertEqual(
            result({"kind": "exists", "in": ["paper"], "axis": "encoder", "locators": ["Table 2"]}),
            "absent",
        )
        self.assertEqual(
            result({"kind": "exists", "in": "*", "varies": "llm", "axis": "encoder"}), "unknown"
        )

    def value(self, at, **keys) -> str:
        return result({"kind": "value", "at": at, **keys})

    def test_value_of_a_cell(self):
        cell = {"table": "paper.encoder", "arm": "SigLIP", "metric": "mmmu"}
        self.assertEqual(self.value(cell, equals=33.5), "holds")
        self.assertEqual(self.value(cell, equals=33.4), "fails")
        self.assertEqual(self.value(cell, equals=33, within=0.5), "holds")
        self.assertEqual(
            self.value({**cell, "arm": "DINOv2", "metric": "docvqa"}, equals=0), "unknown"
        )
        self.assertEqual(
            self.value(
                {"table": "paper.encoder", "arm": "SigLIP", "metrics": ["mmmu", "docvqa"]},
                equals=42.75,
            ),
            "holds",
        )
        self.assertEqual(
            self.value(
                {"table": "paper.encoder", "arm": "SigLIP", "set": "encoder"}, equals=SIGLIP
            ),
            "holds",
        )
        self.assertEqual(
            self.value(
                {"table": "paper.encoder", "arm": "SigLIP", "set": "encoder"},
                **{"is": {"has": "clip"}},
            ),
            "fails",
        )
        self.assertEqual(
            self.value({"table": "paper.encoder", "arm": "SigLIP", "set": "tiling"}, equals="none"),
            "unknown",
        )

    def test_value_of_models_tokens_and_costs(self):
        self.assertEqual(
            self.value({"tokens": "qwen2-vl", "image": [224, 224]}, equals=64), "holds"
        )
        self.assertEqual(
            self.value({"tokens": "qwen2-vl", "image": [224, 224], "markers": True}, equals=66),
            "holds",
        )
        self.assertEqual(
            self.value(
                {"tokens": "llava-next", "image": [672, 672], "leave_out": ["row breaks"]},
                equals=2880,
            ),
            "holds",
        )
        self.assertEqual(
            self.value({"model": "llava-1.5-13b", "field": "params_b"}, min=13, max=14), "holds"
        )
        self.assertEqual(
            self.value({"model": "llava-1.5-13b", "benchmark": "no such"}, equals=1), "unknown"
        )
        costs = [
            {"cost": f"llava-1.5-13b.{stage}", "field": "hours"}
            for stage in ("pretrain", "finetune")
        ]
        self.assertEqual(self.value(costs, how="sum", equals=25.5), "holds")
        self.assertEqual(self.value(costs, how="difference", max=0), "holds")
        self.assertEqual(self.value(costs, how="ratio", max=0.3), "holds")

    def test_other_sources_of_a_score_are_shown(self):
        scores = [
            {"benchmark": "mmmu", "split": "val", "value": v, "source": "s", "reported_by": "r"}
            for v in (36.0, 35.0)
        ]
        model = {"key": "m", "name": "M", "scores": scores}
        file = parse_claims(
            claim({"kind": "value", "at": {"model": "m", "benchmark": "mmmu"}, "equals": 36}),
            "my.json",
        )
        one = claims.audit(file, evidence(models=[model]))[0].judged[0]
        self.assertEqual((one.result, [line.holds for line in one.lines]), ("holds", [True, None]))
        self.assertIn("other sources print 35", one.found)

    def test_scores_of_two_splits_are_not_held_against_each_other(self):
        def models(*splits: str | None) -> list[dict]:
            return [
                {
                    "key": f"m{n}",
                    "name": f"M{n}",
                    "params_b": 3 * n,
                    "scores": [
                        {
                            "benchmark": "mmbench",
                            "split": split,
                            "value": 70.0,
                            "source": "s",
                            "reported_by": "authors",
                        }
                    ],
                }
                for n, split in enumerate(splits, 1)
            ]

        places = [{"model": f"m{n}", "benchmark": "mmbench"} for n in (1, 2)]
        assertion = {"kind": "value", "at": places, "how": "difference", "equals": 0, "within": 1}
        size = {
            **assertion,
            "at": [{"model": place["model"], "field": "params_b"} for place in places],
            "how": "ratio",
            "equals": 0.5,
        }
        for splits, expected in (
            (("test", "test"), "holds"),
            (("test", "dev"), "unknown"),
            ((None, None), "holds"),
        ):
            audit = claims.audit(
                parse_claims(claim(assertion, size), "my.json"), evidence(models=models(*splits))
            )[0]
            self.assertEqual([one.result for one in audit.judged], [expected, "holds"], splits)
        self.assertEqual(
            judged(
                {
                    **assertion,
                    "at": [{"table": "paper.encoder", "arm": "CLIP", "metric": "mmmu"}] * 2,
                }
            )
            .judged[0]
            .result,
            "holds",
        )

    def ordering(self, *arms, **keys) -> str:
        items = [{"label": str(arm), "rows": {"arm": arm}} for arm in arms]
        return result(
            {"kind": "ordering", "in": ["paper"], "metrics": ["mmmu"], "items": items, **keys}
        )

    def test_ordering(self):
        self.assertEqual(self.ordering("SigLIP", "CLIP", "DINOv2"), "holds")
        self.assertEqual(self.ordering("CLIP", "SigLIP"), "fails")
        self.assertEqual(self.ordering("SigLIP", {"not": "SigLIP"}), "holds")
        # +3.5 and -2.0 percent
        self.assertEqual(self.ordering("SigLIP", "CLIP", metrics=["mmmu", "ocrbench"]), "holds")
        self.assertEqual(self.ordering("SigLIP", "Q-Former"), "absent")
        items = [
            {"label": "all", "rows": {"arm": ["CLIP", "SigLIP"]}, "pick": "worst"},
            {"label": "DINOv2", "rows": {"arm": "DINOv2"}, "pick": "mean"},
        ]
        self.assertEqual(self.ordering(items=items), "holds")

    def test_count(self):
        for keys, expected in (
            ({"of": "encoder", "equals": 3}, "holds"),
            ({"of": "rows", "equals": 5}, "holds"),
            ({"of": "encoder", "min": 4}, "fails"),
            ({"of": "encoder", "where": {"resolution": {"min": 400}}, "equals": 1}, "holds"),
        ):
            self.assertEqual(result({"kind": "count", "in": ["paper"], **keys}), expected, keys)
        self.assertEqual(
            result(
                {
                    "kind": "count",
                    "models": True,
                    "where": {"key": {"has": "molmo"}, "params_b": 72},
                    "equals": 1,
                }
            ),
            "holds",
        )

    def test_released_models_are_a_partial_list(self):
        self.assertEqual(
            result({"kind": "count", "models": True, "where": {"params_b": 123456}, "min": 1}),
            "unknown",
        )

    def test_the_owners_number_comes_before_reruns(self):
        scores = [
            {"benchmark": "mmmu", "split": "val", "value": v, "source": "s", "reported_by": by}
            for v, by in (
                (39.0, "third-party rerun (X)"),
                (36.0, "benchmark leaderboard (MMMU, benchmark owners)"),
            )
        ]
        assertion = {"kind": "value", "at": {"model": "m", "benchmark": "mmmu"}, "equals": 36}
        for extra, expected in (
            ([], "holds"),
            ([{**scores[0], "value": 30.0, "reported_by": "authors"}], "fails"),
        ):
            file = parse_claims(claim(assertion), "my.json")
            held = evidence(models=[{"key": "m", "name": "M", "scores": scores + extra}])
            self.assertEqual(claims.audit(file, held)[0].judged[0].result, expected)

    def share(self, *files, **keys) -> str:
        files = files or (often(made_up()), often(second()))
        keys = {key.rstrip("_"): value for key, value in keys.items()}
        return result(
            {
                "kind": "share",
                "in": "*",
                "axes": ["encoder", "llm", "data"],
                "benchmarks": ["mmmu"],
                **keys,
            },
            *files,
        )

    def test_share(self):
        # encoder alone: 3.5 points; llm: 12 points; so 3.5^2 against 12^2
        files = (often(made_up()),)
        self.assertEqual(self.share(*files, together=["llm"], min=0.92), "holds")
        self.assertEqual(self.share(*files, together=["llm"], min=0.93), "fails")
        self.assertEqual(self.share(*files, together=["encoder", "llm"], min=1), "holds")
        self.assertEqual(self.share(*files, each={"encoder": {"min": 0.07, "max": 0.08}}), "holds")
        self.assertEqual(self.share(*files, each={"data": {"max": 1}}), "unknown")
        self.assertEqual(self.share(*files, order=["llm", "encoder"]), "holds")
        self.assertEqual(self.share(*files, order=["encoder", "llm"]), "fails")
        self.assertEqual(self.share(*files, order=["data", "encoder"]), "unknown")

    def test_a_share_needs_five_contrasts_of_two_papers(self):
        few = (
            "too little to speak of a share: llm (1 contrast of 1 paper); 5 contrasts of 1 paper"
            " are asked for"
        )
        one = judged(
            {
                "kind": "share",
                "in": "*",
                "axes": ["encoder", "llm"],
                "benchmarks": ["mmmu"],
                "together": ["llm"],
                "max": 1,
            }
        ).judged[0]
        self.assertEqual((one.result, one.found), ("unknown", few))
        self.assertEqual(self.share(together=["encoder"], max=1), "holds")  # of two papers
        # of one, where two are searched
        self.assertEqual(self.share(together=["llm"], max=1), "unknown")
        self.assertEqual(self.share(often(made_up(), 4), together=["llm"], max=1), "unknown")
        self.assertEqual(self.share(order=["llm", "encoder"]), "unknown")
        self.assertEqual(
            self.share(often(made_up()), in_=["paper"], together=["llm"], max=1), "holds"
        )

    def test_shares_take_means_without_a_maximum_but_no_cider(self):
        data = often(made_up())
        for table in data["tables"]:
            table["metrics"]["mmmu"] = {"benchmark": "mm1-pretrain-avg", "role": "average"}
        self.assertEqual(
            self.share(data, benchmarks=["mm1-pretrain-avg"], together=["llm"], min=0.92), "holds"
        )
        for table in data["tables"]:
            table["metrics"]["mmmu"] = {"benchmark": "coco_cider"}
        self.assertEqual(
            self.share(data, benchmarks=["coco_cider"], together=["llm"], min=0), "unknown"
        )

    def test_shares_count_a_pair_of_runs_once_in_any_direction(self):
        data = often(made_up())
        for number, table in enumerate(data["tables"]):
            for row in table["rows"]:
                row["run"] = row["arm"]
            if number % 2:
                table["rows"].reverse()
        self.assertEqual(self.share(data, together=["llm"], max=1), "unknown")

    def test_conditions(self):
        for value, condition, expected in (
            (7, {"min": 6.5, "max": 8}, True),
            ("anyres", {"min": 1}, False),
            (None, {"not": "x"}, False),
            ("a", ["a", "b"], True),
            ("a", {"not": ["a"]}, False),
            ("a+b", {"has": "+b"}, True),
            (True, {"min": 0}, False),
            (336, 336, True),
        ):
            self.assertIs(bool(satisfies(value, condition)), expected, (value, condition))


if __name__ == "__main__":
    unittest.main()
