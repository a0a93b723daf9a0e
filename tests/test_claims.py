"""The audit of claims: each rule of judgement on made-up tables, by hand."""

import copy
import unittest

from recipes.claims.pairs import within
from recipes.show import claims as report

from .claims_made_up import (
    ABSENT,
    CLIP,
    FAILS,
    HOLDS,
    SIGLIP,
    UNKNOWN,
    contrast,
    evidence,
    judged,
    made_up,
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


if __name__ == "__main__":
    unittest.main()
