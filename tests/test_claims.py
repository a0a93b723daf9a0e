"""`claims`: each rule of judgement on small made-up tables, selectors that name nothing, the shipped claims, and the command."""
import copy
import hashlib
import json
import pathlib
import shutil
import tempfile
import unittest

from recipes import claims
from recipes.claim_pairs import Evidence, satisfies, within
from recipes.cost import tokens
from recipes.evidence.claims import parse_claims, problems, read_claims, shipped_path
from recipes.evidence.reading import EvidenceError
from recipes.evidence.tables import parse_paper
from recipes.library import Library
from recipes.report import checks
from recipes.report import claims as report

from . import support

CLIP, SIGLIP = "clip-vit-l-14", "siglip-so400m-14"


def made_up() -> dict:
    """A paper file with an encoder table (two benchmarks) and a table of LLM sizes."""
    setting = {"connector": "mlp-2x-gelu", "llm": "vicuna-1.5-7b", "llm_params_b": 7, "data": "llava-665k", "resolution": 336}
    return {"format": 2, "paper": {"key": "paper", "short": "Paper", "title": "T", "authors": "A", "year": 2025, "arxiv": "2501.01234"},
            "transcription": {"open_questions": ["Only drawn: the mask (Fig. 5, 17), prefix-LM against causal masking (Fig. 6)."]},
            "tables": [
                {"id": "paper.encoder", "locator": "Table 1", "topic": "encoder", "varies": ["encoder"], "setting": setting,
                 "metrics": {"mmmu": {"benchmark": "mmmu"}, "ocrbench": {"benchmark": "ocrbench"}, "docvqa": {"benchmark": "docvqa"}},
                 "rows": [{"arm": "CLIP", "set": {"encoder": CLIP}, "scores": {"mmmu": 30.0, "ocrbench": 400, "docvqa": 50.0}},
                          {"arm": "SigLIP", "set": {"encoder": SIGLIP}, "scores": {"mmmu": 33.5, "ocrbench": 380, "docvqa": 52.0}},
                          {"arm": "DINOv2", "set": {"encoder": "dinov2-vit-l-14", "resolution": 518},
                           "scores": {"mmmu": 29.0, "ocrbench": 100, "docvqa": None}}]},
                {"id": "paper.llm", "locator": "Table 2", "topic": "llm", "varies": ["llm"], "setting": {**setting, "encoder": CLIP},
                 "metrics": {"mmmu": {"benchmark": "mmmu"}},
                 "rows": [{"arm": "7B", "set": {}, "scores": {"mmmu": 30.0}},
                          {"arm": "13B", "set": {"llm": "vicuna-1.5-13b", "llm_params_b": 13}, "scores": {"mmmu": 42.0}}]}]}


def second() -> dict:
    """Another paper: one encoder contrast in the other direction, on percent scales."""
    data = made_up()
    data["paper"] = {**data["paper"], "key": "other", "short": "Other"}
    data["tables"] = data["tables"][:1]
    data["tables"][0]["id"] = "other.encoder"
    for row, score in zip(data["tables"][0]["rows"], (31.0, 30.0, 20.0)):
        row["scores"] = {"mmmu": score, "ocrbench": None, "docvqa": None}
    return data


def often(data: dict, times: int = 5) -> dict:
    """The tables of a paper, so many times over as tables of other runs."""
    data["tables"] = [{**copy.deepcopy(table), "id": f"{table['id']}{'' if n == 0 else n}"} for n in range(times) for table in data["tables"]]
    return data


def evidence(*files: dict, models=()) -> Evidence:
    words = support.library().words
    return Evidence([parse_paper(data, f"{data['paper']['key']}.json", words.records("benchmark")) for data in files or (made_up(),)], words,
                    {model["key"]: model for model in models or words.registry("models")["models"]})


def claim(*assertions: dict, cites=("paper",)) -> dict:
    return {"format": 2, "claims": [{"id": "X01", "claim": "something", "cites": list(cites), "assertions": list(assertions)}]}


def contrast(asserts="SigLIP adds 3", **keys) -> dict:
    base = {"kind": "contrast", "asserts": asserts, "in": ["paper"], "from": {"encoder": CLIP}, "to": {"encoder": SIGLIP}, "metrics": ["mmmu"]}
    return {**{k: v for k, v in base.items() if not ("axis" in keys and k in ("from", "to"))}, **{k.rstrip("_"): v for k, v in keys.items()}}


def judged(*assertions: dict, files=()) -> claims.Audit:
    return claims.audit(parse_claims(claim(*assertions), "my.json"), evidence(*files))[0]


def result(assertion: dict, *files) -> str:
    return judged(assertion, files=files).judged[0].result


HOLDS, FAILS = contrast(min=3), contrast(min=4)
ABSENT = {"kind": "exists", "asserts": "a Q-Former", "in": ["paper"], "from": {"connector": "q-former"}, "to": {"connector": "linear"}}
UNKNOWN = {**ABSENT, "in": "*"}


class Verdicts(unittest.TestCase):
    def test_each_verdict(self):
        for expected, assertions in {"supported": [HOLDS], "partly": [HOLDS, FAILS], "contradicted": [FAILS, ABSENT],
                                     "not in the cited source": [ABSENT, UNKNOWN], "no evidence": [UNKNOWN]}.items():
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
        self.assertIn("fails (1 of 3): SigLIP adds 4 (0 of 1 contrast is at least 4 (found +3.50))", text)
        self.assertIn("not in the source (1 of 3): a Q-Former", text)


class Contrasts(unittest.TestCase):
    def test_direction_and_rows(self):
        one = judged(contrast(from_={"encoder": SIGLIP}, to={"encoder": CLIP}, above=0)).judged[0]
        line = one.lines[0]
        self.assertEqual((one.result, line.from_arm, line.to_arm, line.before, line.after, line.delta, line.moves),
                         ("fails", "SigLIP", "CLIP", 33.5, 30.0, -3.5, ("encoder",)))

    def test_ranges(self):
        for keys, expected in (({"min": 3.5}, "holds"), ({"max": 3.5}, "holds"), ({"above": 3.5}, "fails"), ({"below": 3.5}, "fails"),
                               ({"min": 2, "max": 4}, "holds")):
            self.assertEqual(result(contrast(**keys)), expected, keys)

    def test_printed_decimals_are_exact(self):
        self.assertTrue(within(36.1 - 31.1, {"min": 5.0}))      # 5.000000000000000x
        self.assertTrue(within(67.7 - 64.3, {"max": 3.4}))
        self.assertFalse(within(3.41, {"max": 3.4}))

    def test_each_need_mean(self):
        both = {"metrics": ["mmmu", "ocrbench"], "above": 0}
        self.assertEqual(result(contrast(**both)), "fails")
        self.assertEqual(result(contrast(**both, need=0.5)), "holds")
        self.assertEqual(result(contrast(**both, mean=True, scale="percent")), "holds")   # +3.5 and -2.0 percent
        self.assertEqual(result(contrast(**both, mean=True)), "fails")                    # +3.5 and -20 points

    def test_size_and_scale(self):
        self.assertEqual(result(contrast(metrics=["ocrbench"], size=True, max=2, scale="percent")), "holds")
        self.assertEqual(result(contrast(metrics=["ocrbench"], size=True, max=2)), "fails")
        self.assertEqual(result(contrast(metrics=["ocrbench"], min=-3, max=3, scale="percent")), "holds")

    def test_moves_and_same(self):
        dino = {"to": {"encoder": "dinov2-vit-l-14"}, "max": 0}
        self.assertEqual(result(contrast(**dino)), "holds")
        self.assertEqual(result(contrast(**dino, moves=["encoder"])), "absent")
        self.assertEqual(result(contrast(**dino, moves=["encoder", "resolution"])), "holds")
        self.assertEqual(result(contrast(**dino, same=["resolution"])), "absent")
        self.assertEqual(result(contrast(**dino, same=["llm.family"])), "holds")
        self.assertEqual(result(contrast(**dino, same=["tiling"])), "absent")    # unsaid is not shared
        self.assertEqual(result(contrast(**dino, alike=["tiling"])), "holds")

    def test_axis_alone(self):
        one = judged(contrast(axis="encoder", size=True, max=1, in_="*", metrics=["mmmu"])).judged[0]
        self.assertEqual([(line.from_arm, line.to_arm) for line in one.lines], [("CLIP", "SigLIP")])
        self.assertEqual(one.result, "fails")

    def test_benchmarks_and_families(self):
        self.assertEqual([line.metric for line in judged({**contrast(families=["ocr-document"], max=100), "metrics": ["mmmu"]}).judged[0].lines], ["mmmu"])
        chosen = contrast(families=["ocr-document"], max=100)
        del chosen["metrics"]
        self.assertEqual([line.metric for line in judged(chosen).judged[0].lines], ["ocrbench", "docvqa"])

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
        one = judged(contrast(axis="encoder", size=True, max=9, metrics=["mmmu"]), files=[data]).judged[0]
        self.assertEqual([(line.table, line.from_arm) for line in one.lines], [("paper.encoder", "CLIP")])

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
        means.update(id="paper.means", metrics={"general": {"benchmark": "cambrian-general", "role": "average"}})
        for row, score in zip(means["rows"], (50.0, 40.0, 30.0)):
            row["scores"] = {"general": score}
        data["tables"].insert(0, means)
        every = contrast(mean=True, above=0, in_="*")
        del every["metrics"]
        lines = judged({**every, "scale": "percent"}, files=[data]).judged[0].lines
        self.assertEqual({line.table for line in lines}, {"paper.encoder"})
        asked = contrast(metrics=["general"], above=0, in_="*")
        self.assertEqual(result(asked, data), "fails")               # where the mean is asked for, it counts

    def test_rows_left_out_are_named_with_the_reason(self):
        out = {"without": [{"in": ["paper.encoder"], "rows": {"arm": "SigLIP"}, "why": "it broke"}]}
        self.assertEqual(result({**HOLDS, **out}), "absent")
        self.assertEqual(result({**HOLDS, "without": [{"in": ["paper.llm"], "why": "x"}]}), "holds")
        one = judged({**HOLDS, **out, "in": "*"}).judged[0]
        self.assertEqual((one.result, one.found), ("unknown", "none of the 2 encoded tables shows it; left out: paper.encoder (it broke)"))
        shown = judged({**HOLDS, "without": [{"in": ["paper.llm"], "why": "too small"}]})
        self.assertIn("left out: paper.llm (too small)", report.full_text(shown, evidence(), {}, report.Style(80)))
        self.assertEqual(report.claim_json(shown)["assertions"][0]["without"], [{"in": ["paper.llm"], "why": "too small"}])

    def test_no_lower(self):
        down = {"to": {"encoder": SIGLIP}, "from_": {"encoder": "dinov2-vit-l-14"}, "min": 0}
        self.assertEqual(result(contrast(**down)), "holds")                              # 518 -> 336 px
        self.assertEqual(result(contrast(**down, no_lower=["resolution"])), "absent")
        self.assertEqual(result(contrast(min=3, no_lower=["resolution"])), "holds")      # 336 -> 336 px

    def test_identical_rows_are_named(self):
        data = made_up()
        data["tables"][0]["rows"][1]["scores"] = dict(data["tables"][0]["rows"][0]["scores"])
        every = contrast(above=0)
        del every["metrics"]
        one = judged(every, files=[data]).judged[0]
        self.assertEqual(one.result, "fails")
        self.assertIn("CLIP and SigLIP carry the same number in all 3 columns", one.found)

    def test_doubtful_cells_are_left_out(self):
        data = made_up()
        data["tables"][0]["rows"][1]["doubt"] = {"cells": ["mmmu"], "why": "?"}
        self.assertEqual(result(HOLDS, data), "absent")

    def test_across_two_tables(self):
        for selector in ({"arm": "SigLIP"}, {"resolution": 336, "encoder": [CLIP, SIGLIP]}):  # the rows of `to` stand in its own table only
            one = judged(contrast(in_=["paper.encoder", "paper.llm"], from_={"table": "paper.llm", "arm": "7B"}, to={"table": "paper.encoder", **selector},
                                  metrics=["mmmu"], min=0)).judged[0]
            self.assertEqual((one.result, one.lines[-1].delta, one.lines[-1].table), ("holds", 3.5, "paper.llm and paper.encoder"))
            self.assertEqual({line.to_arm for line in one.lines} - {"SigLIP", "CLIP"}, set())

    def test_per_paper(self):
        two = contrast(in_="*", above=0, need=0.66, per="paper")
        self.assertEqual(result(two), "holds")
        one = judged(two, files=[made_up(), second()]).judged[0]
        self.assertEqual(one.result, "fails")
        self.assertIn("1 of 2 papers", one.found)
        self.assertEqual(result({**two, "need": 0.5}, made_up(), second()), "holds")

    def test_whole_systems_are_not_searched(self):
        data = made_up()
        for row in data["tables"][0]["rows"][:2]:
            row["set"] = {"encoder": row["set"]["encoder"]}
        data["tables"][0]["setting"] = {}
        self.assertEqual(result({**HOLDS, "in": "*"}, data), "unknown")
        self.assertEqual(result(HOLDS, data), "holds")


class Others(unittest.TestCase):
    def test_exists(self):
        self.assertEqual(result({"kind": "exists", "asserts": "", "in": ["paper"], "axis": ["encoder", "llm"]}), "holds")
        self.assertEqual(result({"kind": "exists", "asserts": "", "in": ["paper"], "axis": ["encoder", "data"]}), "fails")
        self.assertEqual(result({"kind": "exists", "asserts": "", "in": ["paper"], "axis": "encoder", "locators": ["Table 2"]}), "absent")
        self.assertEqual(result({"kind": "exists", "asserts": "", "in": "*", "varies": "llm", "axis": "encoder"}), "unknown")

    def value(self, at, **keys) -> str:
        return result({"kind": "value", "asserts": "", "at": at, **keys})

    def test_value_of_a_cell(self):
        cell = {"table": "paper.encoder", "arm": "SigLIP", "metric": "mmmu"}
        self.assertEqual(self.value(cell, equals=33.5), "holds")
        self.assertEqual(self.value(cell, equals=33.4), "fails")
        self.assertEqual(self.value(cell, equals=33, within=0.5), "holds")
        self.assertEqual(self.value({**cell, "arm": "DINOv2", "metric": "docvqa"}, equals=0), "unknown")
        self.assertEqual(self.value({"table": "paper.encoder", "arm": "SigLIP", "metrics": ["mmmu", "docvqa"]}, equals=42.75), "holds")
        self.assertEqual(self.value({"table": "paper.encoder", "arm": "SigLIP", "set": "encoder"}, equals=SIGLIP), "holds")
        self.assertEqual(self.value({"table": "paper.encoder", "arm": "SigLIP", "set": "encoder"}, **{"is": {"has": "clip"}}), "fails")
        self.assertEqual(self.value({"table": "paper.encoder", "arm": "SigLIP", "set": "tiling"}, equals="none"), "unknown")

    def test_value_of_models_tokens_and_costs(self):
        self.assertEqual(self.value({"tokens": "qwen2-vl", "image": [224, 224]}, equals=64), "holds")
        self.assertEqual(self.value({"tokens": "qwen2-vl", "image": [224, 224], "markers": True}, equals=66), "holds")
        self.assertEqual(self.value({"tokens": "llava-next", "image": [672, 672], "leave_out": ["row breaks"]}, equals=2880), "holds")
        self.assertEqual(self.value({"model": "llava-1.5-13b", "field": "params_b"}, min=13, max=14), "holds")
        self.assertEqual(self.value({"model": "llava-1.5-13b", "benchmark": "no such"}, equals=1), "unknown")
        costs = [{"cost": f"llava-1.5-13b.{stage}", "field": "hours"} for stage in ("pretrain", "finetune")]
        self.assertEqual(self.value(costs, how="sum", equals=25.5), "holds")
        self.assertEqual(self.value(costs, how="difference", max=0), "holds")
        self.assertEqual(self.value(costs, how="ratio", max=0.3), "holds")

    def test_other_sources_of_a_score_are_shown(self):
        scores = [{"benchmark": "mmmu", "split": "val", "value": v, "source": "s", "reported_by": "r"} for v in (36.0, 35.0)]
        model = {"key": "m", "name": "M", "scores": scores}
        file = parse_claims(claim({"kind": "value", "asserts": "", "at": {"model": "m", "benchmark": "mmmu"}, "equals": 36}), "my.json")
        one = claims.audit(file, evidence(models=[model]))[0].judged[0]
        self.assertEqual((one.result, [line.holds for line in one.lines]), ("holds", [True, None]))
        self.assertIn("other sources print 35", one.found)

    def ordering(self, *arms, **keys) -> str:
        items = [{"label": str(arm), "rows": {"arm": arm}} for arm in arms]
        return result({"kind": "ordering", "asserts": "", "in": ["paper"], "metrics": ["mmmu"], "items": items, **keys})

    def test_ordering(self):
        self.assertEqual(self.ordering("SigLIP", "CLIP", "DINOv2"), "holds")
        self.assertEqual(self.ordering("CLIP", "SigLIP"), "fails")
        self.assertEqual(self.ordering("SigLIP", {"not": "SigLIP"}), "holds")
        self.assertEqual(self.ordering("SigLIP", "CLIP", metrics=["mmmu", "ocrbench"]), "holds")   # +3.5 and -2.0 percent
        self.assertEqual(self.ordering("SigLIP", "Q-Former"), "absent")
        items = [{"label": "all", "rows": {"arm": ["CLIP", "SigLIP"]}, "pick": "worst"}, {"label": "DINOv2", "rows": {"arm": "DINOv2"}, "pick": "mean"}]
        self.assertEqual(self.ordering(items=items), "holds")

    def test_count(self):
        for keys, expected in (({"of": "encoder", "equals": 3}, "holds"), ({"of": "rows", "equals": 5}, "holds"), ({"of": "encoder", "min": 4}, "fails"),
                               ({"of": "encoder", "where": {"resolution": {"min": 400}}, "equals": 1}, "holds")):
            self.assertEqual(result({"kind": "count", "asserts": "", "in": ["paper"], **keys}), expected, keys)
        self.assertEqual(result({"kind": "count", "asserts": "", "models": True, "where": {"key": {"has": "molmo"}, "params_b": 72}, "equals": 1}), "holds")

    def test_released_models_are_a_partial_list(self):
        self.assertEqual(result({"kind": "count", "asserts": "", "models": True, "where": {"params_b": 123456}, "min": 1}), "unknown")

    def test_the_owners_number_comes_before_reruns(self):
        scores = [{"benchmark": "mmmu", "split": "val", "value": v, "source": "s", "reported_by": by}
                  for v, by in ((39.0, "third-party rerun (X)"), (36.0, "benchmark leaderboard (MMMU, benchmark owners)"))]
        assertion = {"kind": "value", "asserts": "", "at": {"model": "m", "benchmark": "mmmu"}, "equals": 36}
        for extra, expected in (([], "holds"), ([{**scores[0], "value": 30.0, "reported_by": "authors"}], "fails")):
            file = parse_claims(claim(assertion), "my.json")
            held = evidence(models=[{"key": "m", "name": "M", "scores": scores + extra}])
            self.assertEqual(claims.audit(file, held)[0].judged[0].result, expected)

    def share(self, *files, **keys) -> str:
        files = files or (often(made_up()), often(second()))
        keys = {key.rstrip("_"): value for key, value in keys.items()}
        return result({"kind": "share", "asserts": "", "in": "*", "axes": ["encoder", "llm", "data"], "benchmarks": ["mmmu"], **keys}, *files)

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
        few = "too little to speak of a share: llm (1 contrast of 1 paper); 5 contrasts of 1 paper are asked for"
        one = judged({"kind": "share", "asserts": "", "in": "*", "axes": ["encoder", "llm"], "benchmarks": ["mmmu"], "together": ["llm"], "max": 1}).judged[0]
        self.assertEqual((one.result, one.found), ("unknown", few))
        self.assertEqual(self.share(together=["encoder"], max=1), "holds")        # of two papers
        self.assertEqual(self.share(together=["llm"], max=1), "unknown")          # of one, where two are searched
        self.assertEqual(self.share(often(made_up(), 4), together=["llm"], max=1), "unknown")
        self.assertEqual(self.share(order=["llm", "encoder"]), "unknown")
        self.assertEqual(self.share(often(made_up()), in_=["paper"], together=["llm"], max=1), "holds")

    def test_shares_take_means_without_a_maximum_but_no_cider(self):
        data = often(made_up())
        for table in data["tables"]:
            table["metrics"]["mmmu"] = {"benchmark": "mm1-pretrain-avg", "role": "average"}
        self.assertEqual(self.share(data, benchmarks=["mm1-pretrain-avg"], together=["llm"], min=0.92), "holds")
        for table in data["tables"]:
            table["metrics"]["mmmu"] = {"benchmark": "coco_cider"}
        self.assertEqual(self.share(data, benchmarks=["coco_cider"], together=["llm"], min=0), "unknown")

    def test_shares_count_a_pair_of_runs_once_in_any_direction(self):
        data = often(made_up())
        for number, table in enumerate(data["tables"]):
            for row in table["rows"]:
                row["run"] = row["arm"]
            if number % 2:
                table["rows"].reverse()
        self.assertEqual(self.share(data, together=["llm"], max=1), "unknown")

    def test_conditions(self):
        for value, condition, expected in ((7, {"min": 6.5, "max": 8}, True), ("anyres", {"min": 1}, False), (None, {"not": "x"}, False),
                                           ("a", ["a", "b"], True), ("a", {"not": ["a"]}, False), ("a+b", {"has": "+b"}, True),
                                           (True, {"min": 0}, False), (336, 336, True)):
            self.assertIs(bool(satisfies(value, condition)), expected, (value, condition))


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
        first = lambda data: data["claims"][0]["assertions"][0]  # noqa: E731
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
                ("/claims/0/assertions/0", lambda d: first(d).pop("min")),
                ("/claims/0/assertions/0", lambda d: first(d).pop("to")),
                ("/claims/0/assertions/0/in", lambda d: first(d).update({"in": []})),
                ("/claims/0/assertions/0/min", lambda d: first(d).update(min=True)),
                ("/claims/0/assertions/0/need", lambda d: first(d).update(need=0)),
                ("/claims/0/assertions/0/without", lambda d: first(d).update(without=[])),
                ("/claims/0/assertions/0/without/0", lambda d: first(d).update(without=["paper"])),
                ("/claims/0/assertions/0/without/0/why", lambda d: first(d).update(without=[{"in": ["paper"]}])),
                ("/claims/0/assertions/0/without/0/in", lambda d: first(d).update(without=[{"in": "*", "why": "x"}])),
                ("/claims/0/assertions/0/without/0/arm", lambda d: first(d).update(without=[{"in": ["paper"], "arm": "x", "why": "x"}])),
                ("/claims/0/assertions/0/scale", lambda d: first(d).update(scale="log")),
                ("/claims/0/assertions/0/from/encoder/like", lambda d: first(d).update({"from": {"encoder": {"like": "x"}}})),
                ("/claims/0/assertions/0/from/encoder", lambda d: first(d).update({"from": {"encoder": None}})),
                ("/claims/0/assertions/0/at", lambda d: d["claims"][0].update(assertions=[{"kind": "value", "asserts": "", "equals": 1}])),
                ("/claims/0/assertions/0/at/image", lambda d: d["claims"][0].update(
                    assertions=[{"kind": "value", "asserts": "", "equals": 1, "at": {"tokens": "llava", "image": [1e9, 3]}}])),
                ("/claims/0/assertions/0/items", lambda d: d["claims"][0].update(
                    assertions=[{"kind": "ordering", "asserts": "", "in": "*", "metrics": ["mmmu"], "items": [{"label": "a", "rows": {}}]}])),
                ("/claims/0/assertions/0/order", lambda d: d["claims"][0].update(
                    assertions=[{"kind": "share", "asserts": "", "in": "*", "axes": ["llm"], "order": ["llm", "data"]}])),
                ("/thumb_rules/0/claim", lambda d: d.update(thumb_rules=[{"claim": "X99"}])),
                ("/thumb_rules/0/delta", lambda d: d.update(
                    thumb_rules=[{"claim": "X01", "axis": "llm", "from": {}, "to": {}, "midpoint": "", "delta": "3"}]))):
            self.assertEqual(self.pointer(change), pointer)

    def unresolved(self, *assertions: dict, **head) -> list[tuple[str, str]]:
        held = evidence()
        data = claim(*assertions)
        data["claims"][0].update(head)
        return list(problems(parse_claims(data, "my.json"), list(held.papers.values()), held.words, held.models, tokens.MODELS))

    def test_selectors_that_name_nothing(self):
        at = "/claims/0/assertions/0"
        value = lambda place: {"kind": "value", "asserts": "", "equals": 1, "at": place}  # noqa: E731
        for pointer, assertion in (
                (at + "/in/0", contrast(in_=["papr"], min=0, metrics=["mmmu"])),
                (at + "/metrics/0", contrast(metrics=["mmu"], min=0)),
                (at + "/benchmarks/0", contrast(benchmarks=["mmu"], min=0)),
                (at + "/families/0", contrast(families=["ocr"], min=0)),
                (at + "/moves/0", contrast(moves=["encodr"], min=0)),
                (at + "/same/0", contrast(same=["encodr"], min=0)),
                (at + "/no_lower/0", contrast(no_lower=["encodr"], min=0)),
                (at + "/without/0/in/0", contrast(without=[{"in": ["papr"], "why": "x"}], min=0)),
                (at + "/without/0/rows/arm", contrast(without=[{"in": ["paper"], "rows": {"arm": "CLlP"}, "why": "x"}], min=0)),
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
                (at + "/of", {"kind": "count", "asserts": "", "in": ["paper"], "of": "encodr", "min": 1}),
                (at + "/where/0", {"kind": "count", "asserts": "", "models": True, "where": {"size": 3}, "min": 1})):
            self.assertIn(pointer, [p for p, _ in self.unresolved(assertion)], assertion)
        self.assertEqual(self.unresolved(HOLDS, ABSENT), [])
        self.assertEqual(self.unresolved(HOLDS, cites=["papr"])[0][0], "/claims/0/cites/0")

    def test_an_error_offers_the_nearest_name(self):
        self.assertIn("nearest known: mmmu", dict(self.unresolved(contrast(metrics=["mmu"], min=0)))["/claims/0/assertions/0/metrics/0"])


class Shipped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        library = support.library()
        cls.file = read_claims(shipped_path(library.shipped))
        cls.models = {model["key"]: model for model in library.words.registry("models")["models"]}
        cls.evidence = Evidence(support.papers(), library.words, cls.models)
        cls.audits = {one.claim.id: one for one in claims.audit(cls.file, cls.evidence)}

    def test_every_statement_word_for_word(self):
        ids = [f"L{n:02}" for n in range(1, 23)] + [f"R{n:02}" for n in range(1, 12)] + [f"D{n:02}" for n in range(1, 5)]
        self.assertEqual([one.id for one in self.file.claims], ids)
        said = "\n".join(f"{one.id} {one.text}" for one in self.file.claims)  # the texts of CLAIMS.md
        self.assertEqual(hashlib.sha256(said.encode()).hexdigest(), DIGEST)

    def test_every_selector_names_something(self):
        found = problems(self.file, support.papers(), support.library().words, self.models, (*tokens.MODELS, *tokens.ALIASES))
        self.assertEqual(list(found), [])

    def test_no_verdict_is_stored(self):
        text = pathlib.Path(shipped_path(support.library().shipped)).read_text(encoding="utf-8")
        for verdict in claims.VERDICTS:
            self.assertNotIn(f'"{verdict}"', text)

    def test_every_counted_result_shows_rows_or_says_what_was_searched(self):
        for audit in self.audits.values():
            for one in audit.judged:
                self.assertTrue(one.lines or one.result in ("absent", "unknown") or one.assertion.kind == "count", (audit.claim.id, one.assertion.asserts))
                self.assertTrue(one.found)

    def test_famous_ones_fail_with_their_rows(self):
        self.assertEqual(self.audits["L01"].verdict, "not in the cited source")
        molmo = self.audits["L12"]
        self.assertEqual(molmo.verdict, "contradicted")
        self.assertEqual([(line.metric, line.before, line.after) for line in molmo.judged[0].lines if not line.holds], [("mmmu", 60.3, 54.1)])

    def part(self, claim_id: str, words: str):
        """The one assertion of a shipped claim whose words hold `words`."""
        found = [one for one in self.audits[claim_id].judged if words in one.assertion.asserts]
        self.assertEqual(len(found), 1, (claim_id, words))
        return found[0]

    def test_what_the_tables_show_when_opened(self):
        for claim_id, words, expected, count in (
                ("L21", "Qwen2.5 7B over", "holds", 216), ("L21", "Llama-3.1 8B over", "fails", 216), ("L21", "Gemma 2 2B", "unknown", 0),
                ("L10", "the connector causes", "unknown", None), ("L11", "of as many images", "holds", 1), ("L14", "fewer training hours", "unknown", 0),
                ("L14", "at the high resolution throughout", "fails", 3), ("L17", "at 518 px", "fails", None), ("L20", "LLM of 3 to 5B", "fails", 0),
                ("R02", "as Honeybee quotes", "holds", 1), ("R03", "as Honeybee quotes", "holds", 1), ("R08", "equals", "fails", 2),
                ("R08", "a quarter", "holds", 2), ("D02", "on the mean of 11", "fails", 2), ("D02", "without the two counting", "holds", 2)):
            one = self.part(claim_id, words)
            self.assertEqual(one.result, expected, (claim_id, words, one.found))
            self.assertIn(len(one.lines), (count, len(one.lines)) if count is None else (count,), (claim_id, words))
        self.assertIn("12 of 12 means", self.part("L21", "Qwen2.5 7B over").found)
        self.assertEqual(self.part("L19", "Qwen-VL-Chat").lines[0].after, 35.9)
        self.assertEqual({line.after for line in self.part("L11", "of as many images").lines}, {76.3})

    def test_what_is_left_out_is_not_among_the_rows(self):
        for claim_id in ("L08", "L15", "L16", "R07"):
            for one in self.audits[claim_id].judged:
                out = [left["in"] for left in one.assertion.spec.get("without", ()) if "rows" not in left]
                self.assertFalse([line.table for line in one.lines for names in out if {line.table, line.table.split(".")[0]} & set(names)], claim_id)
        tables = {line.table for one in self.audits["L08"].judged for line in one.lines}
        self.assertLessEqual({"paligemma.table1", "paligemma2.table11"}, tables)
        swapped = self.part("D03", "as people swap them").lines
        self.assertTrue(swapped)
        self.assertNotIn(("CLIP ViT-L 336px", "SigLIP ViT-SO 224px"), [(line.from_arm, line.to_arm) for line in swapped])
        self.assertNotIn("cambrian1.figure5", {line.table for line in swapped})
        self.assertLessEqual({"aimv2.table7", "cambrian1.table11"}, {line.table for line in self.part("D03", "at the same number of tokens").lines})
        pairs = [frozenset((line.from_arm, line.to_arm)) for line in self.part("L16", "single axes move").lines if line.metric == "vqav2"]
        self.assertNotIn(frozenset(("Single-Stage 13B", "Frozen ViT (Single-Stage)")), pairs)
        self.assertIn("MM1", {line.locator for line in self.part("L22", "the data mixture moves").lines})

    def test_a_changed_cell_of_the_papers_changes_the_verdict(self):
        papers = [paper._replace(tables=tuple(
            table._replace(rows=tuple(row._replace(scores={**row.scores, "mmmu": 60.4}) if row.arm == "Molmo-72B" else row for row in table.rows))
            if table.id == "molmo.table1" else table for table in paper.tables)) for paper in support.papers()]
        held = Evidence(papers, support.library().words, self.models)
        one = next(one for one in self.file.claims if one.id == "L12")
        self.assertEqual(claims.judge(one, held).verdict, "supported")

    def test_thumb_rules_have_their_claim_and_midpoint(self):
        known = {one.id for one in self.file.claims}
        self.assertGreater(len(self.file.thumb_rules), 10)
        for rule in self.file.thumb_rules:
            self.assertIn(rule.claim, known)
            self.assertIn(f"{rule.delta:g}", rule.midpoint)


DIGEST = "b8cf934e5a0f47dddb8b0478614b68c7c18e08584ef85ae90244eadf848bf966"


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def own(self, data, name="my.json") -> str:
        path = self.folder / name
        path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
        return str(path)

    def test_list(self):
        code, out, err = support.call("claims")
        self.assertEqual((code, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual(sum(line[:1] in "LRD" and line[1:3].isdigit() for line in lines), 37)
        self.assertTrue(all(len(line) <= 80 for line in lines))
        self.assertIn("37 claims:", out)

    def test_one_claim_shows_its_rows(self):
        code, out, _ = support.call("claims", "l12")
        self.assertEqual(code, 0)
        flat = " ".join(out.split())
        for words in ("L12 contradicted", "10 of 11 contrasts", "Molmo, Table 1 (arXiv 2409.17146, molmo.table1)", "mmmu 60.3 -> 54.1 (-6.20)", "beside it"):
            self.assertIn(words, flat)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))

    def test_filter_and_why(self):
        everything = support.call_json("claims")
        wanted = [one["id"] for one in everything["claims"] if one["verdict"] == "contradicted"]
        _, out, _ = support.call("claims", "--verdict", "contradicted", "--why")
        self.assertEqual([line.split()[0] for line in out.splitlines() if line.endswith("  contradicted")], wanted)
        self.assertEqual(sum(everything["counts"].values()), 37)
        self.assertEqual(list(everything["counts"]), list(claims.VERDICTS))

    def test_json_keys(self):
        one = support.call_json("claims", "L01")["claims"][0]
        self.assertLessEqual({"id", "says", "claim", "verdict", "why", "assertions"}, one.keys())
        row = one["assertions"][1]["rows"][0]
        self.assertLessEqual({"table", "arxiv", "from_arm", "to_arm", "benchmark", "from_value", "to_value", "delta", "controlled", "moves"}, row.keys())
        self.assertEqual((one["assertions"][0]["holds"], one["assertions"][1]["holds"], row["controlled"]), (None, False, False))

    def test_same_bytes_twice(self):
        self.assertEqual(support.call("claims", "--json")[1], support.call("claims", "--json")[1])

    def test_own_file(self):
        own = claim(contrast("SigLIP adds 3 \x1b[31m", in_=["cambrian1.table11"], min=3), cites=["cambrian1"])
        code, out, _ = support.call("claims", "X01", "--file", self.own(own))
        self.assertEqual(code, 0)
        self.assertIn("X01  contradicted", out)
        self.assertNotIn("\x1b", out)

    def test_own_tables_join(self):
        folder = self.folder / "tables"
        folder.mkdir()
        (folder / "paper.json").write_text(json.dumps(made_up()), encoding="utf-8")
        code, out, err = support.call("claims", "--file", self.own(claim(HOLDS)), "--tables", str(folder), "--json")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(json.loads(out)["claims"][0]["verdict"], "supported")

    def test_errors_are_one_line_and_name_the_place(self):
        texts = {"kind": "value", "asserts": "", "at": {"model": "llava-1.5-13b", "field": "encoder"}, "min": 3}
        for argv, words in ((("L99",), "unknown claim 'L99'"), (("--verdict", "wrong"), "invalid choice"),
                            (("--file", str(self.folder / "no.json")), "cannot be read"),
                            (("--file", self.own(claim(texts, cites=["molmo"]), "texts.json")), "/claims/0/assertions/0: 'clip-vit-l-14' stands there"),
                            (("--file", self.own("{", "broken.json")), "not JSON"),
                            (("--file", self.own('{"format": 2, "format": 2}', "twice.json")), "stands twice")):
            code, out, err = support.call("claims", *argv)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), argv)
            self.assertIn(words, err)
        code, _, err = support.call("claims", "--file", self.own(claim(contrast(in_=["cambrian1"], metrics=["mmu"], min=3), cites=["cambrian1"])))
        self.assertEqual((code, err.count("\n")), (2, 1))
        self.assertIn("my.json#/claims/0/assertions/0/metrics/0: no metric of these tables 'mmu'; nearest known: mmmu", err)

    def test_check_finds_a_selector_that_names_nothing(self):
        copied = self.folder / "shipped"
        shutil.copytree(support.TABLES, copied)
        path = copied / "registry" / "claims.json"
        path.write_text(path.read_text(encoding="utf-8").replace('"arm": "Molmo-72B"', '"arm": "Molmo-73B"', 1), encoding="utf-8")
        found = checks.claim_problems(Library(shipped=str(copied)))
        self.assertEqual([(p.rule, p.severity) for p in found], [("audit", "error")])
        self.assertIn("Molmo-72B", found[0].message)
        path.write_text("[]", encoding="utf-8")
        self.assertEqual([p.rule for p in checks.claim_problems(Library(shipped=str(copied)))], ["audit"])


if __name__ == "__main__":
    unittest.main()
