"""Rules that use what tables say twice, the lock, and how many slips they catch."""

import json
import pathlib
import re
import shutil
import tempfile
import unittest

from recipes.evidence import consistency, lock, redundancy, reprints
from recipes.evidence.rules import RULES
from recipes.evidence.tables import parse_paper

from . import mutations, support


def table(
    scores: list[dict], *, metrics: dict | None = None, settings: list[dict] | None = None, **more
):
    """A small table: one row per dictionary of scores."""
    names = dict.fromkeys(key for row in scores for key in row)
    rows = [
        {"arm": f"r{i}", "set": settings[i] if settings else {}, "scores": row}
        for i, row in enumerate(scores)
    ]
    raw = {
        "id": "t.t",
        "locator": "T",
        "varies": ["llm"],
        "setting": {},
        "metrics": metrics or {n: {"benchmark": "mmmu", "split": "val"} for n in names},
        "rows": rows,
        **more,
    }
    return parse_paper(
        {"format": 2, "paper": {"key": "t"}, "tables": [raw]},
        "t.json",
        support.library().words.records("benchmark"),
    ).tables[0]


class Rules(unittest.TestCase):
    def found(self, rule: str, value) -> list[str]:
        return [pointer for pointer, _ in RULES[rule][0](value, support.library().words)]

    def test_granularity_by_hand(self):
        self.assertTrue(redundancy.is_share(36.11, 900, 2))  # 325 / 900 = 36.111
        self.assertFalse(redundancy.is_share(36.09, 900, 2))
        self.assertTrue(redundancy.is_share(4.66, 150, 2))  # 7 / 150 = 4.667, cut off
        self.assertTrue(redundancy.is_share(100.0, 7, 0))
        good = [{"mmmu": round(100 * k / 900, 2)} for k in (325, 331, 340, 298, 311, 352, 377)]
        self.assertEqual(self.found("granularity", table(good)), [])
        good[3]["mmmu"] = 33.19  # 33.11 with a slip
        self.assertEqual(self.found("granularity", table(good)), ["/rows/3/scores/mmmu"])
        free = [{"mmmu": x} for x in (36.09, 35.77, 37.01, 34.93, 33.19, 36.5, 31.03)]
        # not a plain accuracy: the rule is silent
        self.assertEqual(self.found("granularity", table(free)), [])

    def test_total(self):
        metrics = {
            "all": {"benchmark": "mme"},
            "p": {"benchmark": "mme_perception"},
            "c": {"benchmark": "mme_cognition"},
        }
        self.assertEqual(
            self.found("total", table([{"all": 1861.1, "p": 1568.2, "c": 292.9}], metrics=metrics)),
            [],
        )
        self.assertEqual(
            self.found("total", table([{"all": 1816.1, "p": 1568.2, "c": 292.9}], metrics=metrics)),
            ["/rows/0/scores/all"],
        )

    def test_tokens(self):
        clip = {"encoder": "clip-vit-l-14", "connector": "mlp-2x-gelu", "resolution": 336}
        rows = [
            {**clip, "visual_tokens": 576},
            {**clip, "resolution": 224, "visual_tokens": 256},
            {**clip, "encoder": "siglip-so400m-14", "resolution": 384, "visual_tokens": 792},
        ]
        self.assertEqual(
            self.found("tokens", table([{"mmmu": 1.0}] * 3, settings=rows)), ["/rows/2/set"]
        )
        rows[2]["connector"] = "q-former"
        self.assertEqual(self.found("tokens", table([{"mmmu": 1.0}] * 3, settings=rows)), [])

    def test_llm_size(self):
        rows = [
            {"llm": "vicuna-1.5-7b", "llm_params_b": 7},
            {"llm": "vicuna-1.5-13b", "llm_params_b": 7},
        ]
        self.assertEqual(
            self.found("llm-size", table([{"mmmu": 1.0}] * 2, settings=rows)),
            ["/rows/1/set/llm_params_b"],
        )

    def test_varies(self):
        rows = [
            {"llm": "vicuna-1.5-7b"},
            {"llm": "vicuna-1.5-13b", "resolution": 672},
            {"resolution": 336},
        ]
        self.assertEqual(
            self.found("varies", table([{"mmmu": 1.0}] * 3, settings=rows)), ["/rows/2/set"]
        )
        self.assertEqual(
            self.found(
                "varies", table([{"mmmu": 1.0}] * 3, settings=rows, varies=["llm", "resolution"])
            ),
            [],
        )

    def test_chance(self):
        self.assertEqual(
            self.found("chance", table([{"mmmu": x} for x in (36.0, 3.5, 38.0)])),
            ["/rows/1/scores/mmmu"],
        )
        self.assertEqual(self.found("chance", table([{"mmmu": x} for x in (36.0, 3.5, 4.0)])), [])

    def test_outlier(self):
        scores = [{f"m{j}": 40 + 3 * i + 5 * j + (i * j) % 2 for j in range(5)} for i in range(5)]
        metrics = {f"m{j}": {"benchmark": "mmmu", "split": "val"} for j in range(5)}
        self.assertEqual(self.found("outlier", table(scores, metrics=metrics)), [])
        scores[2]["m3"] = 16.0  # 61 with its digits swapped
        self.assertEqual(
            self.found("outlier", table(scores, metrics=metrics)), ["/rows/2/scores/m3"]
        )

    def test_claim(self):
        claim = {"metric": "mmmu", "from": "r0", "to": "r1", "delta": 1.1}
        self.assertEqual(
            self.found("claim", table([{"mmmu": 35.0}, {"mmmu": 36.09}], claims=[claim])), []
        )
        self.assertEqual(
            self.found("claim", table([{"mmmu": 35.0}, {"mmmu": 39.06}], claims=[claim])),
            ["/claims/0"],
        )
        self.assertEqual(
            self.found("claim", table([{"mmmu": 35.0}], claims=[claim])), ["/claims/0"]
        )

    def test_one_run_one_score(self):
        one, other = (table([{"mmmu": 35.0}, {"mmmu": x}]) for x in (36.1, 31.6))
        rows = lambda t: tuple(row._replace(run=f"run/{i}") for i, row in enumerate(t.rows))
        tables = [
            one._replace(rows=rows(one)),
            other._replace(rows=rows(other), id="t.other"),
            one._replace(rows=rows(one), id="t.third"),
        ]
        self.assertEqual(
            [(t.id, p) for t, (p, _) in reprints.check_same_run(tables)],
            [("t.other", "/rows/1/scores/mmmu")],
        )
        self.assertEqual(list(reprints.check_same_run([tables[0], tables[2]])), [])
        self.assertTrue(reprints.agree(1568.2, 1568.0))
        self.assertFalse(reprints.agree(36.1, 36.2))

    def test_released_models(self):
        tables = [
            table([{"mmmu": x}])._replace(id=f"{name}.t", file=f"{name}.json")
            for name, x in (("a", 36.4), ("b", 36.4), ("c", 34.6), ("d", 36.4))
        ]
        named = [t._replace(rows=(t.rows[0]._replace(arm="LLaVA-1.5-7B [12]"),)) for t in tables]
        self.assertEqual([t.id for t, _ in reprints.check_baseline(named)], ["c.t"])
        # two papers: no one to ask
        self.assertEqual(list(reprints.check_baseline(named[:1] + named[2:3])), [])

    def test_stale_exceptions_are_named(self):
        with tempfile.TemporaryDirectory() as folder:
            data = support.raw_paper("m3")
            data["tables"][0]["accepted"] = [
                {"rule": "mean", "at": "/rows/0/scores/x", "why": "a test"}
            ]
            (pathlib.Path(folder) / "m3.json").write_text(json.dumps(data))
            found = [
                p
                for p in consistency.check([folder], support.library().words).problems
                if p.rule == "accepted"
            ]
            self.assertEqual(
                [(p.pointer, p.severity) for p in found], [("/tables/0/accepted/0", "warning")]
            )


class Lock(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in ("m3.json", "idefics2.json"):
            shutil.copy(support.TABLES / name, self.folder)
        self.assertEqual(support.call("check", "--lock", str(self.folder))[0], 0)

    def problems(self) -> list[tuple[str, str, str]]:
        report = consistency.check([str(self.folder)], support.library().words)
        return [
            (pathlib.Path(p.file).name, p.pointer, p.message)
            for p in report.problems
            if p.rule == "lock"
        ]

    def edit(self, change) -> None:
        path = self.folder / "idefics2.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        change(data["tables"])
        path.write_text(json.dumps(data), encoding="utf-8")

    def test_the_shipped_lock_holds(self):
        self.assertEqual(
            consistency.lock_text(str(support.TABLES), support.library().words),
            (support.TABLES / "LOCK").read_text(encoding="utf-8"),
        )

    def test_untouched(self):
        self.assertEqual(self.problems(), [])

    def test_a_changed_cell_is_told_as_old_and_new(self):
        self.edit(lambda t: t[0]["rows"][0]["scores"].update(avg4=65.2))
        ((name, pointer, message),) = self.problems()
        self.assertEqual((name, pointer), ("idefics2.json", "/tables/0/rows/0/scores/avg4"))
        self.assertIn("62.5 -> 65.2", message)
        code, out, _ = support.call("check", str(self.folder))
        self.assertEqual(code, 1)
        code, out, _ = support.call("check", "--lock", str(self.folder))
        self.assertEqual(code, 0)
        self.assertIn("62.5 -> 65.2", out)
        self.assertEqual(self.problems(), [])

    def test_every_kind_of_change_is_seen(self):
        for change, pointer, words in (
            (
                lambda t: t[0]["rows"][0]["scores"].update(avg4=None),
                "/tables/0/rows/0/scores/avg4",
                "62.5 -> null",
            ),
            (
                lambda t: t[0]["rows"][0].update(arm="Llama"),
                "/tables/0/rows/0/arm",
                "'Llama-1-7B' -> 'Llama'",
            ),
            (
                lambda t: t[0]["rows"][0]["set"].update(llm="mistral-7b"),
                "/tables/0/rows/0",
                "setting",
            ),
            (lambda t: t[0]["rows"].pop(), "/tables/0/rows", "gone"),
            (
                lambda t: t[0]["rows"].append(
                    {"arm": "new", "set": {"llm": "phi-2"}, "scores": {"avg4": 1.0}}
                ),
                "/tables/0/rows/2",
                "new row",
            ),
            (lambda t: t[0].update(notes="other words"), "/tables/0", "words changed"),
            (lambda t: t.pop(0), "/tables/idefics2.table1", "gone"),
            (lambda t: t.append({**t[0], "id": "idefics2.new"}), None, "not locked yet"),
        ):
            self.setUp()
            self.edit(change)
            found = [p for p in self.problems() if pointer is None or p[1] == pointer]
            self.assertTrue(found and words in found[0][2], (pointer, self.problems()))

    def test_an_exception_needs_no_new_lock(self):
        self.edit(lambda t: t[0].update(accepted=[{"rule": "mean", "at": "", "why": "a test"}]))
        self.assertEqual(self.problems(), [])

    def test_broken_locks(self):
        for content in (
            "",
            "{",
            "[]",
            '{"tables": 3}',
            '{"tables": {"idefics2.table1": {}}}',
            '{"tables": {"idefics2.table1": {"digest": "x", "rows": [[1]], "metrics": []}}}',
        ):
            (self.folder / lock.NAME).write_text(content)
            self.assertTrue(self.problems(), content)

    def test_one_file_is_checked_against_the_lock_of_its_folder(self):
        self.edit(lambda t: t[0]["rows"][0]["scores"].update(avg4=65.2))
        report = consistency.check([str(self.folder / "idefics2.json")], support.library().words)
        self.assertEqual([p.rule for p in report.problems if p.severity == "error"], ["lock"])

    def test_every_single_slip_is_caught(self):
        """With the lock: any change of any cell."""
        words = support.library().words
        raw = support.raw_paper("m3")["tables"]
        for number, one in enumerate(raw):
            held = lock.entry(one)
            for row in one["rows"]:
                for key, value in row["scores"].items():
                    if value is not None:
                        row["scores"][key] = value + 0.01
                        self.assertEqual(len(list(lock.changes(one, held))), 1, (number, key))
                        row["scores"][key] = value
        self.assertIsNotNone(words)


class Mutations(unittest.TestCase):
    def test_rate_without_the_lock(self):
        """60 % or more of all slips of at least a point in tables that print averages or n; the
        README says the rate.
        """
        result = mutations.measure(60)
        cells = [
            entry
            for kind in mutations.KINDS
            if kind != "wrong slug"
            for entry in result[kind].values()
        ]
        found = mutations.rate(cells)
        self.assertGreater(found, 0.6)
        printed = re.search(
            r"all slips in cells +(\d+)%", (support.ROOT / "README.md").read_text(encoding="utf-8")
        )
        self.assertAlmostEqual(found, int(printed[1]) / 100, delta=0.08)
        for kind in ("lost decimal point", "row shifted", "wrong unit"):
            self.assertGreater(mutations.rate(result[kind].values()), 0.75, kind)

    def test_a_slip_is_a_slip(self):
        import random

        rng = random.Random(0)
        self.assertIn(mutations.swapped_digits(36.09, rng), (63.09, 36.9))
        self.assertIsNone(mutations.swapped_digits(3.3, rng))


if __name__ == "__main__":
    unittest.main()
