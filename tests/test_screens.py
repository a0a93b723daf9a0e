"""What screens end with and are called: commands that work as printed, GPUs' own names."""

import shlex
import subprocess
import sys
import unittest

from recipes.picker.rank import CANDIDATES
from recipes.show.pick import against
from tests.support import ROOT, call, call_json, library, slow

SLUG = "a100-80gb-sxm"


class Next(unittest.TestCase):
    def test_ablate_ends_in_a_command_that_works_as_printed(self):
        """A plan for the very axis, its two levels and the recipe that is held."""
        for tasks in ("charts", "math"):
            out = call("ablate", "--tasks", tasks)[1]
            (line,) = (one for one in out.split("\n") if " main.py design " in one)
            argv = shlex.split(line.partition(" main.py ")[2])
            self.assertNotIn("--help", argv)
            answer = call_json("ablate", "--tasks", tasks)
            first = answer["axes"][0]
            plan = call_json(*argv)
            (factor,) = plan["factors"]
            self.assertEqual(factor["factor"], first["axis"])
            self.assertEqual(len(factor["levels"]), 2)
            if first["axis"] != "llm":
                self.assertIn(f"llm={answer['recipe']['llm']}", line)
            self.assertLessEqual(sum(-(-len(one) // 80) or 1 for one in out.split("\n")[:-1]), 14)

    def test_pick_all(self):
        """Every benchmark of the tasks with its interval, and every leading recipe."""
        out = call("pick", "--tasks", "documents", "--all")[1]
        for name in ("DocVQA", "TextVQA", "OCRBench", "InfographicVQA"):
            self.assertRegex(out, rf"\n{name} +\+[\d.]+ +[+-][\d.]+ … \+[\d.]+ +\d+%")
        self.assertRegex(out, rf"\n{CANDIDATES} ")
        answer = call_json("pick", "--tasks", "documents", "--all")
        self.assertEqual(len(answer["recipes"]), CANDIDATES)
        self.assertIn("--all", call("pick", "--tasks", "documents")[1])


class Names(unittest.TestCase):
    @slow
    def test_hours_are_of_a_gpu_as_people_call_it(self):
        for argv in (
            ("design", "--factor", "encoder=clip,siglip", "--detect", "2", "--benchmark", "mmmu"),
            ("design", "--factor", "encoder=clip,siglip", "--proxy", "llm=0.5B"),
            ("curve", "visual_tokens", "--tasks", "charts"),
            ("ablate", "--tasks", "charts", "--why"),
            ("pick", "--tasks", "charts", "--why", "--pareto", "training"),
        ):
            code, out, _ = call(*argv)
            self.assertEqual(code, 0)
            self.assertIn("A100-hours", out, argv)
            self.assertNotIn(SLUG, out, argv)

    def test_json_keeps_slugs(self):
        answer = call_json("pick", "--tasks", "charts", "--top", "1")
        self.assertEqual(answer["recipes"][0]["training"]["gpu"], SLUG)

    def test_the_balanced_mix_has_a_short_name(self):
        self.assertTrue(call("pick")[1].startswith("balanced (5 task families), within"))
        self.assertIn("tasks: general-vqa 20%", call("pick", "--why")[1])


class Loaded(unittest.TestCase):
    def test_pick_loads_what_it_needs(self):
        """Neither what swap and backtest are made of, nor the search for rows told twice."""
        code = (
            "import sys; from recipes import cli; cli.main(['pick', '--tasks', 'mmmu']);"
            " print(*sorted(sys.modules), file=sys.stderr)"
        )
        argv = [sys.executable, "-c", code]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, timeout=60)
        loaded = done.stderr.split()
        self.assertIn("recipes.answers.pick", loaded)
        for name in ("answers.swap", "effects.baselines", "evidence.redundancy", "show.plots"):
            self.assertNotIn(f"recipes.{name}", loaded)


class Said(unittest.TestCase):
    """What the first table behind a choice says, in words that leave no false impression."""

    def cited(self, **of) -> str:
        one = {"table": "t.1", "better": 0, "of": 2, "tasks": "mix", "controlled": True, "why": ""}
        return against({**one, **of})

    def test_a_table_that_does_not_speak_for_a_choice(self):
        self.assertEqual(self.cited(), "not better in t.1")
        self.assertIn("no row varies it alone", self.cited(controlled=False))
        self.assertIn("beyond the limits", self.cited(why="kept: x breaks the memory limit"))
        self.assertIn("left out", self.cited(why="kept: x is no candidate"))
        why = "kept: all tables together give it +0.3 on the mix"
        self.assertEqual(self.cited(why=why), "not better in t.1, but by all tables")

    def test_data_that_lacks_a_kind_says_so(self):
        tasks = "vision-centric-spatial=0.5,counting=0.5"
        first = call_json("pick", "--tasks", tasks, "--fix", "data=llava-665k")["recipes"][0]
        self.assertEqual(first["data_lacks"], ["counting"])
        out = call("pick", "--tasks", tasks, "--fix", "data=llava-665k")[1]
        self.assertIn("llava-665k (665K, no counting);", out)
        first = call_json("pick", "--tasks", "ui-agent")["recipes"][0]
        self.assertEqual(first["data_lacks"], ["screens"])
        self.assertEqual(call_json("pick", "--tasks", "documents")["recipes"][0]["data_lacks"], [])

    def test_of_recipes_that_gain_the_same_data_with_rows_goes_first(self):
        """convllava-full costs a little less than the others, and no table varies it."""
        support = library().posterior.support
        answer = call_json("pick", "--tasks", "mmmu", "--top", "40")
        first, *rest = (item["recipe"]["data"] for item in answer["recipes"])
        self.assertIn(f"data={first}", support)
        self.assertIn("convllava-full", rest)
