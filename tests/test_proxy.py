"""What a small run says of the large one: by hand on made-up tables, on the published ones, and the
commands.
"""

import json
import math
import pathlib
import tempfile
import unittest

from recipes.answers import proxy as answers
from recipes.base.reading import EvidenceError
from recipes.effects import proxy, standing
from recipes.effects.columns import columns
from recipes.effects.proxy import Case, Sums
from recipes.effects.proxy_rows import cases
from recipes.effects.store import evidence_digest
from recipes.library import Library

from . import support

FIELDS = {"resolution": 336, "data": "llava-665k", "connector": "mlp-2x-gelu"}
SMALL, LARGE = "qwen2.5-0.5b", "qwen2.5-7b"


def paper(key: str, rows: list[tuple[dict, float]], setting: dict = FIELDS) -> dict:
    """A paper of one table: what each row sets, and its score on MMMU."""
    return {
        "format": 2,
        "paper": {"key": key},
        "tables": [
            {
                "id": f"{key}.t1",
                "locator": "run",
                "varies": ["encoder"],
                "setting": setting,
                "metrics": {"mmmu": {"benchmark": "mmmu"}},
                "rows": [
                    {"arm": f"{key} {i}", "set": set_, "scores": {"mmmu": score}}
                    for i, (set_, score) in enumerate(rows)
                ],
            }
        ],
    }


def both(small: float, large: float, sizes=(SMALL, LARGE)) -> list[tuple[dict, float]]:
    """SigLIP scores so much more than CLIP on the small and on the large LLM."""
    return [
        ({"encoder": encoder, "llm": llm}, 40 + gain)
        for llm, delta in zip(sizes, (small, large))
        for encoder, gain in (("CLIP", 0.0), ("SigLIP", delta))
    ]


class Walk(unittest.TestCase):
    """Which pairs of rows are a case."""

    def cases(self, *papers: dict) -> list[Case]:
        with tempfile.TemporaryDirectory() as folder:
            for one in papers:
                pathlib.Path(folder, one["paper"]["key"] + ".json").write_text(json.dumps(one))
            library = Library([folder])
            return list(cases(columns(library.own_papers(), library.words), library.words, UNIT))

    def test_a_change_at_two_sizes_is_one_case(self):
        (one,) = self.cases(paper("own", both(4.0, 2.0)))
        self.assertEqual((one.kind, one.axis, one.paper), ("llm", "encoder", "own"))
        self.assertAlmostEqual(one.large / one.small, 0.5)
        self.assertAlmostEqual(abs(one.small), 4.0 / UNIT.scale_of("mmmu"))
        self.assertAlmostEqual(one.ratio, math.log2(7.616 / 0.494), 1)

    def test_the_order_of_rows_does_not_matter(self):
        there = self.cases(paper("own", both(4.0, 2.0)))
        back = self.cases(paper("own", both(4.0, 2.0)[::-1]))
        self.assertEqual(proxy.added(there).sums, proxy.added(back).sums)

    def test_nearly_equal_sizes_are_none(self):
        self.assertEqual(self.cases(paper("own", both(4, 2, ("vicuna-7b", "llama-3-8b")))), [])

    def test_what_moves_along_with_the_size_is_none(self):
        rows = both(4.0, 2.0)
        for set_, _ in rows[2:]:
            set_["frozen_encoder"] = False  # at the large size alone
        self.assertEqual(self.cases(paper("own", rows)), [])

    def test_two_components_at_once_are_of_no_axis(self):
        rows = both(4.0, 2.0)
        for set_, _ in rows[1::2]:
            set_["connector"] = "linear"
        self.assertEqual([one.axis for one in self.cases(paper("own", rows))], [proxy.SEVERAL])

    def test_less_of_one_mix_and_a_smaller_mix_are_two_things(self):
        def at(**set_):
            return [
                ({"encoder": encoder, "llm": LARGE, **set_}, 40 + gain)
                for encoder, gain in (("CLIP", 0.0), ("SigLIP", 3.0))
            ]

        same = self.cases(paper("own", at(data_size=66_500) + at(data_size=665_000)))
        self.assertEqual([one.kind for one in same], ["data_size", "data"])
        kept = self.cases(paper("own", at(data_keep=0.1) + at(data_keep=1.0)))
        self.assertEqual([one.kind for one in kept], ["data_size", "data"])
        self.assertAlmostEqual(kept[0].ratio, math.log2(10))
        free = {key: value for key, value in FIELDS.items() if key != "data"}
        other = at(data="llava-665k") + at(data="cambrian-7m")
        self.assertEqual([one.kind for one in self.cases(paper("own", other, free))], ["data"])

    def test_tokens_follow_a_resolution(self):
        rows = [
            ({"encoder": encoder, "llm": LARGE, "resolution": side, "visual_tokens": side}, 40 + g)
            for side in (224, 448)
            for encoder, g in (("CLIP", 0.0), ("SigLIP", 3.0))
        ]
        (one,) = self.cases(paper("own", rows))
        self.assertEqual((one.kind, one.axis, one.ratio), ("resolution", "encoder", 1.0))


class Unit:
    """A fit that says that every benchmark moves by two percent of its scale."""

    def scale_of(self, benchmark: str) -> float:
        return 2.0

    def noise(self, benchmark: str) -> float:
        return 0.1


UNIT = Unit()


def made(slope: float, papers: str = "abc", kind: str = "llm") -> list[Case]:
    """Papers in which every delta of the large run is `slope` of the small one's."""
    return [
        Case(kind, "encoder", name, 2.0, x, slope * x, 0.0)
        for name in papers
        for x in (0.5, -1.5, 2.0)
    ]


class Statistics(unittest.TestCase):
    def test_a_known_slope(self):
        one = proxy.added(made(0.5)).carried("llm", "encoder", 2.0)
        self.assertEqual((one.cases, one.papers, one.of_papers), (9, ("a", "b", "c"), 3))
        self.assertAlmostEqual(one.sums.slope, 0.5)
        self.assertAlmostEqual(one.sums.correlation, 1.0)
        self.assertEqual((one.sums.sign, one.sums.sign_moved), (1.0, 1.0))
        self.assertAlmostEqual(one.sums.error, 0.0, 6)

    def test_by_hand(self):
        """x = 1, 2, -1 and y = 1, 1, 1: sum xy = 2, sum xx = 6, sum yy = 3."""
        found = [Case("llm", "data", "a", 1.0, x, 1.0, 0.6) for x in (1.0, 2.0, -1.0)]
        sums = proxy.added(found).sums["llm", "data", 1, "a"]
        self.assertAlmostEqual(sums.correlation, 2 / math.sqrt(18))
        self.assertAlmostEqual(sums.slope, 1 / 3)
        self.assertAlmostEqual(sums.sign, 2 / 3)
        self.assertEqual(sums.sign_moved, 1.0)
        self.assertAlmostEqual(sums.error, math.sqrt((3 - 4 / 6) / 3))
        self.assertAlmostEqual(sums.repeat, 0.4)  # 1 - 1.8 / 3

    def test_a_tie_is_neither_right_nor_wrong(self):
        found = [Case("llm", "data", "a", 1.0, 0.0, 1.0), Case("llm", "data", "a", 1.0, 1.0, 1.0)]
        self.assertEqual(proxy.added(found).sums["llm", "data", 1, "a"].sign, 1.0)

    def test_a_paper_counts_with_the_root_of_its_cases(self):
        self.assertAlmostEqual(Sums(100, 50.0).weighted().cases, 10)
        self.assertAlmostEqual(Sums(100, 50.0).weighted().xx, 5)

    def test_signs_of_normal_deltas(self):
        self.assertAlmostEqual(proxy.agreement(0.5), 2 / 3)
        self.assertAlmostEqual(proxy.agreement(0.0), 0.5)

    def test_two_ways_at_once_multiply(self):
        half = Sums(10, 10.0, 6.0, 10.0, 7, 10)
        both_ = proxy.chained([half, half])
        self.assertAlmostEqual(both_.correlation, 0.36)
        self.assertAlmostEqual(both_.slope, 0.36)
        self.assertAlmostEqual(both_.usual, 1.0)
        self.assertEqual(proxy.chained([half]), half)

    def test_a_thin_axis_is_drawn_to_the_others(self):
        thick = [
            one._replace(axis="data", paper=f"{one.paper}{i}")
            for i in range(9)
            for one in made(1.0)
        ]
        thin = [Case("llm", "connector", "z", 2.0, 1.0, -1.0)]
        stored = proxy.added([*thick, *thin])
        slope = stored.carried("llm", "connector", 2.0).sums.slope
        self.assertLess(-1.0, slope)
        self.assertLess(0.0, slope)
        self.assertLess(slope, stored.carried("llm", "data", 2.0).sums.slope)
        other = stored.carried("llm", "resolution", 2.0)
        self.assertEqual((other.cases, other.papers), (0, ()))

    def test_too_few_papers_stand_for_no_other_axis(self):
        stored = proxy.added(made(0.5, "ab"))
        self.assertIsNone(stored.carried("llm", "data", 2.0))
        self.assertIsNone(stored.carried("resolution", "encoder", 2.0))
        self.assertIsNone(stored.carried("llm", "encoder", 2.0).sign_interval)

    def test_papers_that_agree_give_a_narrower_interval(self):
        def width(slopes):
            found = [
                Case("llm", "encoder", str(i), 2.0, x, slope * x + (-1) ** n * 0.8)
                for i, slope in enumerate(slopes)
                for n, x in enumerate((1.0, -2.0, 0.5, 1.5))
            ]
            low, high = proxy.added(found).carried("llm", "encoder", 2.0).correlation_interval
            return high - low

        self.assertLess(width([1.0, 1.0, 1.1, 0.9]), width([2.0, 1.0, 0.1, -0.5]))

    def test_a_doubling_costs(self):
        """Inside each of three papers z falls from 1.0 at one doubling to 0.6 at three: 0.2 each.
        A fourth paper that has one ratio alone, and a higher z there, does not hide it.
        """

        def at(name, z, ratio):
            r = math.tanh(z)
            up, down = 1.0, math.sqrt(1 / r**2 - 1)  # y = x + e, e at right angles to x
            return [
                Case("llm", "data", name, ratio, x, x * up + e * down)
                for x, e in ((1, 1), (1, -1), (-1, 1), (-1, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
            ]

        found = [x for name in "abc" for z, t in ((1.0, 1.0), (0.6, 3.0)) for x in at(name, z, t)]
        stored = proxy.added([*found, *at("d", 1.3, 3.0)])
        decline = stored.decline("llm")
        self.assertAlmostEqual(decline.per_doubling, 0.2)
        self.assertEqual((decline.papers, decline.falling), (3, 3))
        near, far = (stored.carried("llm", "data", ratio).sums for ratio in (1.0, 3.0))
        self.assertAlmostEqual(math.atanh(near.correlation) - math.atanh(far.correlation), 0.4)
        self.assertLess(far.sign, near.sign)
        self.assertLess(far.slope, near.slope)
        self.assertEqual(proxy.added(made(0.5)).decline("llm").per_doubling, 0.0)

    def test_left_out_papers(self):
        self.assertEqual(proxy.checked(made(0.5)), {})  # two others are too few
        right = proxy.checked(made(0.5, "abcd"))["llm", "encoder"]
        self.assertEqual((right.cases, right.papers, right.sign), (12, 4, 1.0))
        self.assertAlmostEqual(right.error, 0.0)
        self.assertAlmostEqual(right.as_is, 1.0)  # |x - x/2| over |x/2|
        wrong = proxy.checked([*made(0.5, "abc"), *made(-0.5, "d")])["llm", ""]
        self.assertGreater(wrong.error, 0.5)
        self.assertAlmostEqual(wrong.sign, 0.75)

    def test_a_larger_move_is_surer(self):
        sums = Sums(10, 10.0, 6.0, 10.0, 7, 10)
        needed = sums.trusted_from(0.8)
        self.assertAlmostEqual(sums.sure(needed), 0.8)
        self.assertGreater(sums.sure(2 * needed), 0.9)
        self.assertAlmostEqual(sums.sure(0.0), 0.5)
        self.assertGreater(sums.shows(2.0), sums.shows(1.0))

    def test_stored_and_read(self):
        value = proxy.added(made(0.5, "abcd"))
        value = value._replace(checks=proxy.checked(made(0.5, "abcd")))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, *proxy.PATH)
            path.parent.mkdir()
            path.write_text(proxy.dumped(value, "x"))
            self.assertEqual(proxy.read_proxies(folder), value)

    def test_what_another_version_stored_is_refused_with_the_way_out(self):
        for module, read in ((proxy, proxy.read_proxies), (standing, standing.read_standing)):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, *module.PATH)
                path.parent.mkdir()
                path.write_text('{"format":1}\n')
                with self.assertRaisesRegex(EvidenceError, "run `python3 main.py fit`"):
                    read(folder)


class Published(unittest.TestCase):
    def test_the_stored_sums_are_those_of_the_tables(self):
        stored, library = support.library().proxies, support.library()
        own = [one for one in support.papers() if one.key in ("bunny", "tokenpacker")]
        found = cases(columns(own, library.words), library.words, library.posterior)
        for key, value in proxy.added(found).sums.items():
            for mine, theirs in zip(value, stored.sums[key]):
                self.assertAlmostEqual(mine, theirs, delta=1e-4 * abs(mine) + 1e-9, msg=str(key))

    def test_it_belongs_to_these_tables(self):
        data = json.loads(pathlib.Path(support.TABLES, *proxy.PATH).read_text())
        self.assertEqual(data["evidence"], evidence_digest(support.TABLES))

    def test_an_llm_proxy_carries_over_in_part(self):
        one = support.library().proxies.carried("llm", "encoder", 3.0)
        low, high = one.sign_interval
        self.assertLess(0.5, low)
        self.assertLess(high, 0.95)
        self.assertGreater(one.sums.sign_moved, one.sums.sign)

    def test_said_sure_is_right_on_left_out_papers(self):
        check = support.library().proxies.checks["llm", ""]
        self.assertGreater(check.sure, 300)
        self.assertGreater(check.sure_right / check.sure, 0.88)
        self.assertLess(check.error, 0.9)


DESIGN = ("design", "--factor", "encoder=clip,siglip", "--benchmark", "mmmu")


class Commands(unittest.TestCase):
    def test_design(self):
        (one,) = support.call_json(*DESIGN, "--proxy", "llm=0.5B")["proxies"]
        self.assertLess(one["cost_share"], 0.5)
        self.assertAlmostEqual(one["times_smaller"]["llm"], 6.738 / 0.5, 3)
        (axis,) = one["axes"]
        self.assertEqual(axis["axis"], "encoder")
        self.assertLess(axis["correlation"], axis["correlation_of_a_repeat"])
        self.assertGreater(axis["rows"]["llm"]["cases"], 100)
        self.assertEqual(axis["check"]["llm"]["papers"], len(axis["rows"]["llm"]["papers"]))
        (less,) = support.call_json(*DESIGN, "--proxy", "llm=3B")["proxies"]
        self.assertGreater(less["cost_share"], one["cost_share"])
        self.assertGreater(less["axes"][0]["correlation"], axis["correlation"])
        self.assertEqual(axis["trusted_from"][0]["benchmark"], "mmmu")
        self.assertIs(axis["false_economy"], False)
        self.assertNotIn("proxies", support.call_json(*DESIGN))

    def test_no_rows_is_said(self):
        (one,) = support.call_json(*DESIGN, "--proxy", "data_size=20%")["proxies"]
        (axis,) = one["axes"]
        self.assertIsNone(axis["correlation"])
        self.assertIsNone(axis["false_economy"])
        self.assertAlmostEqual(one["recipe"]["data_size"], 133_000)
        self.assertIn("no rows", support.call(*DESIGN, "--proxy", "data_size=20%")[1])

    def test_farther_apart_than_any_table_is_not_known(self):
        for text in ("llm=0.00001B", "resolution=17"):
            (one,) = support.call_json(*DESIGN, "--proxy", text)["proxies"]
            self.assertIsNone(one["axes"][0]["sign_agreement"], text)
        self.assertIn("times apart", support.call(*DESIGN, "--proxy", "resolution=17")[1])

    def test_an_effect_too_small_for_it_is_a_false_economy(self):
        argv = (*DESIGN, "--proxy", "llm=0.5B", "--detect")
        small, large = (support.call_json(*argv, d)["proxies"][0] for d in ("0.5", "20"))
        self.assertEqual(small["axes"][0]["against"], ["effect too small"])
        self.assertEqual(large["axes"][0]["against"], [])

    def test_a_dear_proxy_is_a_false_economy(self):
        (one,) = support.call_json(*DESIGN, "--proxy", "llm=5B")["proxies"]
        self.assertIn("dear", one["axes"][0]["against"])

    def test_an_axis_that_left_out_papers_contradict(self):
        library = support.library()
        one = answers.carry(library, "connector", {"resolution": 2.0}, 0.8, {})
        self.assertLessEqual(library.proxies.checks["resolution", "connector"].sign, 0.5)
        self.assertIn("left out", one.against)

    def test_a_choice_that_is_sure_already(self):
        against = [
            answers.carry(support.library(), "encoder", {"llm": 8.0}, 0.8, {}, sure).against
            for sure in (0.3, 0.99)
        ]
        self.assertEqual(against, [(), ("sure already",)])

    def test_ablate(self):
        argv = ("ablate", "--tasks", "charts", "--recipe", "llm=qwen2-7b", "--proxy")
        (one,) = support.call_json(*argv, "llm=1.5B")["proxies"]
        axes = [axis["axis"] for axis in one["axes"]]
        self.assertIn("encoder", axes)
        self.assertNotIn("llm", axes)  # it is what is small
        self.assertEqual(one["runs"], 1)
        code, out, _ = support.call(*argv, "llm=1.5B", "--why")
        self.assertEqual(code, 0)
        self.assertIn("checked on", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 80)

    def test_the_usual_sizes_side_by_side(self):
        found = support.call_json(*DESIGN, "--proxy", "llm")["proxies"]
        self.assertEqual([one["proxy"] for one in found], ["llm=0.5B", "llm=1.5B", "llm=3B"])
        costs = [one["cost_share"] for one in found]
        self.assertEqual(costs, sorted(costs))
        out = support.call(*DESIGN, "--proxy", "llm")[1]
        good = [one for one in found if not one["axes"][0]["false_economy"]]
        self.assertIn(f"worth it on every axis: {good[0]['proxy']}", out)
        code, _, err = support.call(
            *DESIGN, "--recipe", "llm=0.5B", "--proxy", "llm"
        )  # nothing is smaller
        self.assertEqual(code, 2)
        self.assertIn("not smaller", err)

    def test_own_rows_count(self):
        def at(size, delta):
            return [
                ({"encoder": encoder, "llm": LARGE, "data_size": size}, 40 + gain)
                for encoder, gain in (("CLIP", 0.0), ("SigLIP", delta))
            ]

        with tempfile.TemporaryDirectory() as folder:
            for i in range(3):
                one = paper(f"own{i}", at(66_500, 4.0 + i) + at(665_000, 2.0))
                pathlib.Path(folder, f"own{i}.json").write_text(json.dumps(one))
            (one,) = support.call_json(*DESIGN, "--proxy", "data_size=20%", "--tables", folder)[
                "proxies"
            ]
        rows = one["axes"][0]["rows"]["data_size"]
        self.assertEqual((rows["cases"], len(rows["papers"])), (3, 3))
        self.assertLess(one["axes"][0]["slope"], 1.0)

    def test_what_is_no_proxy_is_refused(self):
        for text, said in (
            ("llm=13B", "not smaller"),
            ("encoder=clip", "makes a run small"),
            ("data_size=95%", "share of the data"),
            ("llm=qwen2.5-0.5b,llm_params_b=3B", "give one"),
            ("encoder", "FIELD=VALUE"),
            ("", "name what is smaller"),
            ("resolution=900", "not smaller"),
        ):
            code, out, err = support.call(*DESIGN, "--proxy", text)
            self.assertEqual((code, out), (2, ""), text)
            self.assertIn(said, err)
            self.assertEqual(err.count("\n"), 1)
        code, _, err = support.call("design", "--factor", "llm=7B,13B", "--proxy", "llm=0.5B")
        self.assertEqual(code, 2)
        self.assertIn("factor llm", err)
