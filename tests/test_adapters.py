"""LoRA where full training does not fit on the GPUs of the budget."""

import json
import os
import statistics
import tempfile
import unittest

from recipes.answers import parts
from recipes.answers.ground import Request, adapters
from recipes.cost import fit, flops
from recipes.cost.training import two_stages
from recipes.effects.change import Change
from recipes.terms import units
from recipes.terms.recipe import BASELINE, Recipe
from recipes.terms.tasks import parse_mix
from tests import support
from tests.support import call, call_json

SMALL = ("--tasks", "documents", "--top", "2", "--budget", "4x4090 for 2 days")


class Adapters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.answer = call_json("pick", *SMALL)
        cls.first = cls.answer["recipes"][0]

    def fits(self, recipe: Recipe, tuning: str, gpus: int, room: float) -> bool:
        words = support.library().words
        visual = parts.visual_part(support.library(), recipe)
        llm = words.records("llm")[recipe.llm]
        connector = flops.connector_params(recipe.connector, visual.width, llm["hidden_size"])
        tokens = recipe.visual_tokens + two_stages(1.0, "", 0.0)[-1].text_tokens
        held = fit.parts_of(visual.encoders, connector, llm, tokens)
        return fit.judge([(held, ("connector", "llm"))], fit.Setup(tuning, gpus), room).fits

    def test_the_first_recipe_fits_through_adapters_alone(self):
        self.assertEqual(self.first["tuning"], "lora")
        recipe = Recipe(**self.first["recipe"])
        self.assertGreater(recipe.llm_params_b, 3)  # what fits in full is below 2B
        self.assertFalse(self.fits(recipe, "full", 4, 24.0))
        self.assertTrue(self.fits(recipe, "lora", 4, 24.0))

    def test_what_it_costs_is_the_median_of_papers(self):
        """The answer of `schedule lora` on the tasks, on the balanced mix where fewer than three
        papers print these.
        """
        printed = self.answer["adapters"]
        papers = [one["expected"] for one in printed["papers"]]
        self.assertGreaterEqual(len(papers), 3)
        self.assertAlmostEqual(printed["expected"], statistics.median(papers))
        (said,) = call_json("schedule", "lora", "--tasks", "documents")["changes"]
        self.assertEqual(printed["expected"], said["expected"])
        self.assertEqual(printed["tables"], said["tables"])
        library = support.library()
        (said,) = call_json("schedule", "lora")["changes"]
        found = adapters(library, Request(parse_mix("mmmu", library.words)))  # one paper
        self.assertAlmostEqual(found["expected"], said["expected"], 3)

    def test_the_gain_counts_it(self):
        library, recipe = support.library(), Recipe(**self.first["recipe"])
        tasks = parse_mix("documents", library.words)
        change = Change(BASELINE.stated(), recipe.stated(), library.posterior, library.words)
        records = library.words.records("benchmark")
        family = {name: records[name]["family"] for name in tasks.benchmarks}
        mix = change.mix(tasks.benchmarks, family, 0.8)
        lost = self.answer["adapters"]["expected"]
        self.assertLess(lost, 0)
        self.assertAlmostEqual(self.first["score"]["expected"], mix.expected + lost, 3)

    def test_it_takes_fewer_hours_than_in_full(self):
        """No gradients of the LLM's weights; of both, the answers of `cost`."""
        recipe = self.first["recipe"]
        fields = ("encoder", "connector", "llm", "resolution", "data")
        flags = [word for key in fields for word in (f"--{key}", str(recipe[key]))]
        flags += ["--tiling", recipe["tiling"], "--gpu", "4090", "--gpus", "4"]
        whole, lora = (
            call_json("cost", *flags, *more)["training"]["gpu_hours"] for more in ((), ("--lora",))
        )
        self.assertLess(lora, 0.9 * whole)
        self.assertLess(self.first["training"]["gpu_hours"], 0.9 * whole)

    def test_said_on_the_screen_and_with_all(self):
        out = call("pick", *SMALL)[1]
        printed = self.answer["adapters"]
        cost = f"printed {printed['expected']:+.1f} ({len(printed['papers'])} papers), in the gain"
        self.assertIn(f"tuning      LoRA, as full does not fit; {cost}", out)
        self.assertIn("sure?", out)
        out = " ".join(call("pick", *SMALL, "--why")[1].split())
        self.assertIn("full training does not fit on 4 RTX 4090", out)
        for one in printed["papers"]:
            self.assertIn(f"{one['paper']} {one['expected']:+.1f}", out)

    def test_the_card_and_the_page_say_it_too(self):
        flags = ("--tasks", "documents", "--budget", SMALL[-1])
        self.assertIn("- tuning: LoRA, as full does not fit", call("skill", *flags)[1])
        self.assertIn(", LoRA\n", call("ablate", *flags)[1])
        with tempfile.TemporaryDirectory() as folder:
            page = os.path.join(folder, "page.html")
            self.assertEqual(call("report", page, *flags)[0], 0)
            with open(page, encoding="utf-8") as file:
                self.assertIn("The LLM is trained through LoRA, as full does not fit", file.read())

    def test_who_trains_in_full_does_not_write_it(self):
        self.assertNotIn("llava-next", self.first["written_by"])
        entry = json.dumps({"recipes": [{**self.first, "recipe": BASELINE.stated()}]})
        done = support.process("export", "-", "--to", "llava-next", stdin=entry.encode())
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"cannot express 'lora' (accepted: full)", done.stderr)

    def test_cards_that_go_by_their_number(self):
        words = support.library().words
        found = units.budget("4x4090 for 2 days", words)
        self.assertEqual((found.amount, found.gpu, found.gpus), (192.0, "rtx-4090", 4))
        self.assertEqual(units.budget("48 3090-hours", words).gpu, "rtx-3090")
        self.assertEqual(units.budget("4090 A100-hours", words).amount, 4090.0)
