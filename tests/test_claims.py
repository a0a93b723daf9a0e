"""The audit of claims: each rule of judgement on made-up tables, by hand."""

import copy
import unittest

from recipes.claims import verdicts as claims
from recipes.claims.assertions import parse_claims
from recipes.claims.pairs import satisfies, within
from recipes.show import claims as report

from .claims_made_up import (
    ABSENT,
    CLIP,
    FAILS,
    HOLDS,
    SIGLIP,
    UNKNOWN,
    claim,
    contrast,
    evidence,
    judged,
    made_up,
    often,
    result,
    second,
)


class Verdicts(unittest.TestCase):
    def test_each_verdict(self):
        for expected, assertions in {
            "supported": [HOLDS],
            "partly": [HOLDS, FAILS],
            "contradicted": [FAILS, ABSENT],
            "not in the cited source": [ABSENT, UNKNOWN],
            "no evidence": [UNKNOWN],
        }.items():
            self.assertEqual(judged(*assertions).verdict, expected)
        self.assertEqual(judged(HOLDS, UNKNOWN).verdict, "partly")
        self.assertEqual(judged(HOLDS, ABSENT).verdict, "partly")

    def test_beside_does_not_count_but_shows_its_rows(self):
        audit = judged(ABSENT, {**FAILS, "beside": True})
        self.assertEqual(audit.verdict, "not in the cited source")
        self.assertEqual(audit.judged[1].lines[0].delta, 3.5)

    def test_only_beside_is_no_evidence(self):
        self.assertEqual(judged({**HOLDS, "beside": True}).verdict, "no evidence")

    def test_a_changed_cell_flips_the_verdict(self):
        self.assertEqual(judged(HOLDS).verdict, "supported")
        data = made_up()
        data["tables"][0]["rows"][1]["scores"]["mmmu"] = 32.9
        self.assertEqual(judged(HOLDS, files=[data]).verdict, "contradicted")

    def test_drawn_without_numbers_is_not_absent(self):
        drawn = {**ABSENT, "words": ["prefix-lm", "causal"]}
        one = judged(drawn).judged[0]
        self.assertEqual(one.result, "unknown")
        self.assertIn("prefix-LM against causal masking (Fig. 6)", one.found)
        self.assertNotIn("the mask", one.found)
        self.assertEqual(result({**ABSENT, "words": ["resampler"]}), "absent")

    def test_why_names_what_holds_and_what_was_found_instead(self):
        text = report.why(judged(HOLDS, contrast("SigLIP adds 4", min=4), ABSENT))
        self.assertIn("holds (1 of 3): SigLIP adds 3", text)
        self.assertIn(
            "fails (1 of 3): SigLIP adds 4 (0 of 1 contrast is at least 4 (found +3.50))", text
        )
        self.assertIn("not in the source (1 of 3): a Q-Former", text)


class Contrasts(unittest.TestCase):
    def test_direction_and_rows(self):
        one = judged(contrast(from_={"encoder": SIGLIP}, to={"encoder": CLIP}, above=0)).judged[0]
        line = one.lines[0]
        self.assertEqual(
            (
                one.result,
                line.from_arm,
                line.to_arm,
                line.before,
                line.after,
                line.delta,
                line.moves,
            ),
            ("fails", "SigLIP", "CLIP", 33.5, 30.0, -3.5, ("encoder",)),
        )

    def test_ranges(self):
        for keys, expected in (
            ({"min": 3.5}, "holds"),
            ({"max": 3.5}, "holds"),
            ({"above": 3.5}, "fails"),
            ({"below": 3.5}, "fails"),
            ({"min": 2, "max": 4}, "holds"),
        ):
            self.assertEqual(result(contrast(**keys)), expected, keys)

    def test_printed_decimals_are_exact(self):
        self.assertTrue(within(36.1 - 31.1, {"min": 5.0}))  # 5.000000000000000x
        self.assertTrue(within(67.7 - 64.3, {"max": 3.4}))
        self.assertFalse(within(3.41, {"max": 3.4}))

    def test_each_need_mean(self):
        both = {"metrics": ["mmmu", "ocrbench"], "above": 0}
        self.assertEqual(result(contrast(**both)), "fails")
        self.assertEqual(result(contrast(**both, need=0.5)), "holds")
        # +3.5 and -2.0 percent
        self.assertEqual(result(contrast(**both, mean=True, scale="percent")), "holds")
        # +3.5 and -20 points
        self.assertEqual(result(contrast(**both, mean=True)), "fails")

    def test_size_and_scale(self):
        self.assertEqual(
            result(contrast(metrics=["ocrbench"], size=True, max=2, scale="percent")), "holds"
        )
        self.assertEqual(result(contrast(metrics=["ocrbench"], size=True, max=2)), "fails")
        self.assertEqual(
            result(contrast(metrics=["ocrbench"], min=-3, max=3, scale="percent")), "holds"
        )

    def test_moves_and_same(self):
        dino = {"to": {"encoder": "dinov2-vit-l-14"}, "max": 0}
        self.assertEqual(result(contrast(**dino)), "holds")
        self.assertEqual(result(contrast(**dino, moves=["encoder"])), "absent")
        self.assertEqual(result(contrast(**dino, moves=["encoder", "resolution"])), "holds")
        self.assertEqual(result(contrast(**dino, same=["resolution"])), "absent")
        self.assertEqual(result(contrast(**dino, same=["llm.family"])), "holds")
        # unsaid is not shared
        self.assertEqual(result(contrast(**dino, same=["tiling"])), "absent")
        self.assertEqual(result(contrast(**dino, alike=["tiling"])), "holds")

    def test_axis_alone(self):
        one = judged(contrast(axis="encoder", size=True, max=1, in_="*", metrics=["mmmu"])).judged[
            0
        ]
        self.assertEqual([(line.from_arm, line.to_arm) for line in one.lines], [("CLIP", "SigLIP")])
        self.assertEqual(one.result, "fails")

    def test_benchmarks_and_families(self):
        self.assertEqual(
            [
                line.metric
                for line in (
                    judged({**contrast(families=["ocr-document"], max=100), "metrics": ["mmmu"]})
                    .judged[0]
                    .lines
                )
            ],
            ["mmmu"],
        )
        chosen = contrast(families=["ocr-document"], max=100)
        del chosen["metrics"]
        self.assertEqual(
            [line.metric for line in judged(chosen).judged[0].lines], ["ocrbench", "docvqa"]
        )

    def test_a_run_that_two_tables_print_counts_once(self):
        data = made_up()
        for row in data["tables"][0]["rows"]:
            row["run"] = row["arm"]
        again = copy.deepcopy(data["tables"][0])
        again["id"] = "paper.again"
        data["tables"].append(again)
        self.assertEqual(len(judged(HOLDS, files=[data]).judged[0].lines), 1)

    def test_a_pair_of_runs_counts_once_in_either_direction(self):
        data = made_up()
        for row in data["tables"][0]["rows"]:
            row["run"] = row["arm"]
        again = copy.deepcopy(data["tables"][0])
        again["id"] = "paper.again"
        again["rows"].reverse()
        data["tables"].append(again)
        one = judged(
            contrast(axis="encoder", size=True, max=9, metrics=["mmmu"]), files=[data]
        ).judged[0]
        self.assertEqual(
            [(line.table, line.from_arm) for line in one.lines], [("paper.encoder", "CLIP")]
        )

    def test_two_arms_of_one_run_in_one_table_count_once(self):
        data = made_up()
        rows = data["tables"][0]["rows"]
        rows[0]["run"] = "r"
        rows.append({**copy.deepcopy(rows[0]), "arm": "CLIP again"})
        self.assertEqual(len(judged(contrast(min=0), files=[data]).judged[0].lines), 1)

    def test_a_table_of_means_does_not_repeat_its_runs(self):
        """As Figure 5 and Table 11 of Cambrian-1."""
        data = made_up()
        for row in data["tables"][0]["rows"]:
            row["run"] = row["arm"]
        means = copy.deepcopy(data["tables"][0])
        means.update(
            id="paper.means",
            metrics={"general": {"benchmark": "cambrian-general", "role": "average"}},
        )
        for row, score in zip(means["rows"], (50.0, 40.0, 30.0)):
            row["scores"] = {"general": score}
        data["tables"].insert(0, means)
        every = contrast(mean=True, above=0, in_="*")
        del every["metrics"]
        lines = judged({**every, "scale": "percent"}, files=[data]).judged[0].lines
        self.assertEqual({line.table for line in lines}, {"paper.encoder"})
        asked = contrast(metrics=["general"], above=0, in_="*")
        # where the mean is asked for, it counts
        self.assertEqual(result(asked, data), "fails")

    def test_rows_left_out_are_named_with_the_reason(self):
        out = {"without": [{"in": ["paper.encoder"], "rows": {"arm": "SigLIP"}, "why": "it broke"}]}
        self.assertEqual(result({**HOLDS, **out}), "absent")
        self.assertEqual(result({**HOLDS, "without": [{"in": ["paper.llm"], "why": "x"}]}), "holds")
        one = judged({**HOLDS, **out, "in": "*"}).judged[0]
        self.assertEqual(
            (one.result, one.found),
            (
                "unknown",
                "none of the 2 encoded tables shows it; left out: paper.encoder (it broke)",
            ),
        )
        shown = judged({**HOLDS, "without": [{"in": ["paper.llm"], "why": "too small"}]})
        self.assertIn(
            "left out: paper.llm (too small)",
            report.full_text(shown, evidence(), {}, report.Style(80)),
        )
        self.assertEqual(
            report.claim_json(shown)["assertions"][0]["without"],
            [{"in": ["paper.llm"], "why": "too small"}],
        )

    def test_no_lower(self):
        down = {"to": {"encoder": SIGLIP}, "from_": {"encoder": "dinov2-vit-l-14"}, "min": 0}
        # 518 -> 336 px
        self.assertEqual(result(contrast(**down)), "holds")
        self.assertEqual(result(contrast(**down, no_lower=["resolution"])), "absent")
        # 336 -> 336 px
        self.assertEqual(result(contrast(min=3, no_lower=["resolution"])), "holds")

    def test_identical_rows_are_named(self):
        data = made_up()
        data["tables"][0]["rows"][1]["scores"] = dict(data["tables"][0]["rows"][0]["scores"])
        every = contrast(above=0)
        del every["metrics"]
        one = judged(every, files=[data]).judged[0]
        self.assertEqual(one.result, "fails")
        self.assertIn("CLIP and SigLIP carry the same number in all 3 columns", one.found)

    def test_rows_of_a_single_copy_that_are_identical_decide_nothing(self):
        """As rows 3 and 4 of Molmo Table 12. A tie in one column, or in a paper that was read
        itself, is a tie.
        """
        data = made_up()
        rows = data["tables"][0]["rows"]
        rows[1]["scores"] = dict(rows[0]["scores"])
        data["transcription"]["grade"] = "one-secondary"
        every = contrast(above=0)
        one = judged(every, files=[data]).judged[0]
        self.assertEqual(
            (one.result, [(line.delta, line.holds) for line in one.lines]),
            ("unknown", [(0.0, None)]),
        )
        self.assertIn("perhaps one row copied twice", one.found)
        self.assertEqual(result(contrast(max=0), data), "unknown")  # nor does it hold
        mixed = judged(
            contrast(from_={"encoder": [CLIP, "dinov2-vit-l-14"]}, above=0), files=[data]
        ).judged[0]
        # DINOv2 -> SigLIP decides
        self.assertEqual(
            (mixed.result, [line.holds for line in mixed.lines]), ("holds", [True, None])
        )
        data["transcription"]["grade"] = "full-text"
        self.assertEqual(result(every, data), "fails")
        data["tables"][0]["grade"] = "one-secondary"
        self.assertEqual(result(every, data), "unknown")
        rows[1]["scores"]["docvqa"] = 52.0
        self.assertEqual(result(every, data), "fails")

    def test_doubtful_cells_are_left_out(self):
        data = made_up()
        data["tables"][0]["rows"][1]["doubt"] = {"cells": ["mmmu"], "why": "?"}
        self.assertEqual(result(HOLDS, data), "absent")

    def test_across_two_tables(self):
        # the rows of `to` stand in its own table only
        for selector in ({"arm": "SigLIP"}, {"resolution": 336, "encoder": [CLIP, SIGLIP]}):
            one = judged(
                contrast(
                    in_=["paper.encoder", "paper.llm"],
                    from_={"table": "paper.llm", "arm": "7B"},
                    to={"table": "paper.encoder", **selector},
                    metrics=["mmmu"],
                    min=0,
                )
            ).judged[0]
            self.assertEqual(
                (one.result, one.lines[-1].delta, one.lines[-1].table),
                ("holds", 3.5, "paper.llm and paper.encoder"),
            )
            self.assertEqual({line.to_arm for line in one.lines} - {"SigLIP", "CLIP"}, set())

    def test_per_paper(self):
        two = contrast(in_="*", above=0, need=0.66, per="paper")
        self.assertEqual(result(two), "holds")
        one = judged(two, files=[made_up(), second()]).judged[0]
        self.assertEqual(one.result, "fails")
        self.assertIn("1 of 2 papers", one.found)
        self.assertEqual(result({**two, "need": 0.5}, made_up(), second()), "holds")

    def test_a_paper_that_is_split_evenly_has_no_vote(self):
        split = made_up()
        del split["tables"][0]["metrics"]["docvqa"]
        for row in split["tables"][0]["rows"]:
            row["scores"].pop("docvqa")
        # +3.5 and -20
        both = contrast(in_="*", above=0, need=0.66, per="paper", metrics=["mmmu", "ocrbench"])
        one = judged(both, files=[split]).judged[0]
        self.assertEqual(one.result, "unknown")
        self.assertIn("in no paper, 66% needed (Paper 1 of 2;", one.found)
        self.assertIn("split evenly, so no vote: Paper", one.found)
        other = second()
        self.assertEqual(result(both, split, other), "fails")
        other["tables"][0]["rows"][1]["scores"]["mmmu"] = 35.0
        self.assertEqual(result(both, split, other), "holds")

    def test_whole_systems_are_not_searched(self):
        data = made_up()
        for row in data["tables"][0]["rows"][:2]:
            row["set"] = {"encoder": row["set"]["encoder"]}
        data["tables"][0]["setting"] = {}
        self.assertEqual(result({**HOLDS, "in": "*"}, data), "unknown")
        self.assertEqual(result(HOLDS, data), "holds")


class Others(unittest.TestCase):
    def test_exists(self):
        self.assertEqual(
            result({"kind": "exists", "asserts": "", "in": ["paper"], "axis": ["encoder", "llm"]}),
            "holds",
        )
        self.assertEqual(
            result({"kind": "exists", "asserts": "", "in": ["paper"], "axis": ["encoder", "data"]}),
            "fails",
        )
        self.assertEqual(
            result(
                {
                    "kind": "exists",
                    "asserts": "",
                    "in": ["paper"],
                    "axis": "encoder",
                    "locators": ["Table 2"],
                }
            ),
            "absent",
        )
        self.assertEqual(
            result(
                {"kind": "exists", "asserts": "", "in": "*", "varies": "llm", "axis": "encoder"}
            ),
            "unknown",
        )

    def value(self, at, **keys) -> str:
        return result({"kind": "value", "asserts": "", "at": at, **keys})

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
            claim(
                {
                    "kind": "value",
                    "asserts": "",
                    "at": {"model": "m", "benchmark": "mmmu"},
                    "equals": 36,
                }
            ),
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
        assertion = {
            "kind": "value",
            "asserts": "",
            "at": places,
            "how": "difference",
            "equals": 0,
            "within": 1,
        }
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
            {
                "kind": "ordering",
                "asserts": "",
                "in": ["paper"],
                "metrics": ["mmmu"],
                "items": items,
                **keys,
            }
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
            self.assertEqual(
                result({"kind": "count", "asserts": "", "in": ["paper"], **keys}), expected, keys
            )
        self.assertEqual(
            result(
                {
                    "kind": "count",
                    "asserts": "",
                    "models": True,
                    "where": {"key": {"has": "molmo"}, "params_b": 72},
                    "equals": 1,
                }
            ),
            "holds",
        )

    def test_released_models_are_a_partial_list(self):
        self.assertEqual(
            result(
                {
                    "kind": "count",
                    "asserts": "",
                    "models": True,
                    "where": {"params_b": 123456},
                    "min": 1,
                }
            ),
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
        assertion = {
            "kind": "value",
            "asserts": "",
            "at": {"model": "m", "benchmark": "mmmu"},
            "equals": 36,
        }
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
                "asserts": "",
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
                "asserts": "",
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
