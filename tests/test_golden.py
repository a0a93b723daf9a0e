"""Requests as people make them, and what one who trains such models would accept: sets, not one
answer, each with the rows or the practice that it rests on.
"""

import functools
import json
import unittest

from recipes.answers import pick as picks
from recipes.answers.ground import Request
from recipes.effects.features import pixels
from recipes.effects.standing import Beside, gains, standing, usual
from recipes.exchange.target import Target, names
from recipes.exchange.trainers import expressible
from recipes.picker.usual import holds, obtainable
from recipes.terms.tasks import parse_mix
from tests.support import slow

from . import support
from .support import call, call_json, process

ANY = ("pick", "--top", "3")
# What small print needs: 336 px loses against 448 and more (paligemma.table1, nvila.table1,
# mm1_5.table1).
FINE = 600
# A projection, pooled or not: at equal tokens resamplers are behind on text (honeybee.table8,
# nvila.table1, cambrian1.table21), and nobody has released a Q-Former for three years.
PLAIN = {"mlp-2x-gelu", "linear", "pixel-shuffle-mlp", "avg-pool"}
# What was trained without text cannot read (pe.table10, prismatic.visual_representation).
BLIND = ("dino", "mae", "i-jepa", "sam-")


@slow
class Golden(unittest.TestCase):
    """Every request: parts that are used or that rows on the tasks speak for; data of the tasks'
    kinds; sizes that some row has; what was asked is kept.
    """

    def ask(self, *argv: str) -> dict:
        answer = call_json(*ANY, *argv)
        library = support.library()
        words, tasks = library.words, parse_mix(argv[argv.index("--tasks") + 1], library.words)
        families = {words.records("benchmark")[name]["family"] for name in tasks.benchmarks}
        for item in answer["recipes"]:
            recipe = item["recipe"]
            for axis in ("encoder", "connector", "llm"):
                part = recipe[axis]
                fine = usual(library.practice, words, axis, part)
                rows = library.standing.of(axis, part, families)
                self.assertTrue(fine or gains(rows), (argv, part))
                if not fine:
                    self.assertTrue(any(part in text for text in item["unusual"]), item["unusual"])
            self.assertTrue(
                library.standing.sized(recipe["llm_params_b"], recipe["data_size"]), recipe
            )
            self.assertGreater(item["score"]["expected"], 0, argv)
        return answer

    def first(self, *argv: str) -> tuple[dict, dict, float]:
        """(answer, first recipe, its pixels)."""
        answer = self.ask(*argv)
        recipe = answer["recipes"][0]["recipe"]
        return answer, recipe, pixels(recipe, support.library().words)

    def held(self, recipe: dict, tasks: str) -> bool:
        words = support.library().words
        return holds(words.mixes, words, recipe["data"], parse_mix(tasks, words))

    def test_documents(self):
        answer, recipe, side = self.first("--tasks", "documents")
        self.assertGreaterEqual(side, FINE)
        self.assertIn(recipe["connector"], PLAIN)
        self.assertFalse(recipe["encoder"].startswith(BLIND))
        self.assertGreaterEqual(recipe["visual_tokens"], 256)  # m3.table2: 36 tokens lose 20 points
        self.assertTrue(self.held(recipe, "documents"))
        # released models read documents better than any ablation of these sizes
        self.assertEqual(answer["adopt"]["verdict"], "adopt")

    def test_charts(self):
        _, recipe, side = self.first("--tasks", "charts", "--budget", "300 A100-hours")
        self.assertGreaterEqual(side, FINE)
        self.assertIn(recipe["connector"], PLAIN)
        self.assertTrue(self.held(recipe, "charts"))  # not LLaVA-665K, which has no chart

    def test_ui_agent_on_2b(self):
        answer, recipe, side = self.first("--tasks", "ui-agent", "--fix", "llm_params_b=2B")
        self.assertTrue(1.3 <= recipe["llm_params_b"] <= 2.7, recipe)
        self.assertGreaterEqual(side, FINE)
        # no table varies a part and prints a click on a screen
        self.assertIn("screenspot", answer["untested"])
        self.assertIn(
            "no ablation measures", call(*ANY, "--tasks", "ui-agent", "--fix", "llm_params_b=2B")[1]
        )

    def test_spatial_and_counting(self):
        _, recipe, _ = self.first("--tasks", "vision-centric-spatial=0.5,counting=0.5")
        self.assertFalse(
            recipe["encoder"].startswith(("mae", "i-jepa", "sam-"))
        )  # cambrian1.table9
        self.assertGreaterEqual(recipe["visual_tokens"], 64)

    def test_ocr_on_orin(self):
        answer, recipe, side = self.first(
            "--tasks", "ocr", "--latency", "2s on Orin", "--dtype", "int4"
        )
        item = answer["recipes"][0]
        self.assertEqual(item["latency"]["gpu"], "jetson-agx-orin-64gb")
        self.assertLessEqual(item["latency"]["ttft_ms"], 2000)
        self.assertLessEqual(item["memory_gb"], 64)
        self.assertGreaterEqual(side, 448)
        self.assertIn(recipe["connector"], PLAIN | {"perceiver"})

    def test_mmmu(self):
        _, recipe, _ = self.first("--tasks", "mmmu")
        # knowledge sits in the LLM: 7B and more (llava_next.abl_llm), as large as 24 GB hold
        self.assertGreaterEqual(recipe["llm_params_b"], 6.5)
        # and visual tokens buy none of it (m3.table2, qwen2_vl.table7)
        self.assertLessEqual(recipe["visual_tokens"], 3000)

    def test_video_and_several_images(self):
        answer, recipe, _ = self.first(
            "--tasks", "video=0.5,multi-image=0.5", "--images", "8", "--latency", "5s on L4"
        )
        room = support.library().words.records("llm")[recipe["llm"]]["context"]
        self.assertLessEqual(8 * recipe["visual_tokens"], room)
        self.assertTrue(any("several images" in text for text in answer["warnings"]))

    def test_math(self):
        _, recipe, _ = self.first("--tasks", "math")
        self.assertGreaterEqual(recipe["llm_params_b"], 6.5)  # llava_next.abl_llm
        self.assertNotEqual(recipe["connector"], "q-former")
        self.assertGreaterEqual(recipe["visual_tokens"], 64)

    def test_grounding(self):
        _, recipe, side = self.first("--tasks", "grounding")
        self.assertIn(recipe["connector"], PLAIN)  # a place needs a grid (honeybee.table8)
        self.assertGreaterEqual(side, 336)
        self.assertGreaterEqual(recipe["visual_tokens"], 144)
        self.assertTrue(self.held(recipe, "grounding"))  # LLaVA-158K has no boxes

    def test_a_day_of_eight_h100_is_no_72b(self):
        _, recipe, _ = self.first("--tasks", "balanced", "--budget", "8xH100 for a day")
        self.assertLess(recipe["llm_params_b"], 40)  # no row trains a 72B on these mixes

    def test_everybody_may_ask_for_anything(self):
        """--any-parts opens the space: more is considered, and nothing is called unusual."""
        narrow, wide = (
            call_json("pick", "--tasks", "charts", *flags) for flags in ((), ("--any-parts",))
        )
        self.assertGreater(wide["considered"], 3 * narrow["considered"])
        self.assertTrue(any("--any-parts" in one["rule"] for one in narrow["left_out"]))
        self.assertFalse(any("--any-parts" in one["rule"] for one in wide["left_out"]))
        fixed = call_json("pick", "--tasks", "charts", "--fix", "connector=c-abstractor")
        self.assertEqual(fixed["recipes"][0]["recipe"]["connector"], "c-abstractor")


@slow
class Habits(unittest.TestCase):
    """What counts as usual, as held, as a size that rows have."""

    def setUp(self):
        self.library = support.library()
        self.words = self.library.words

    def test_parts(self):
        for axis, part, yes in (
            ("connector", "mlp-2x-gelu", True),
            ("connector", "pixel-shuffle-mlp", True),
            ("connector", "c-abstractor", False),  # no released model on record
            ("connector", "q-former", False),  # learned queries: rows on the tasks decide
            ("connector", "perceiver", False),
            ("encoder", "siglip-so400m-14", True),
            ("encoder", "clip-vit-l-14", True),
            ("encoder", "dinov2-vit-g-14", False),
            ("llm", "qwen2.5-7b", True),
            ("llm", "vicuna-1.5-7b", True),  # by its family
            ("llm", "olmo-7b", False),
            ("data", "llava-665k", True),
            ("data", "cambrian-737k", False),  # to be put together
        ):
            self.assertEqual(usual(self.library.practice, self.words, axis, part), yes, part)

    def test_data(self):
        mixes = self.words.mixes
        for slug, tasks, yes in (
            ("llava-665k", "documents", True),
            ("llava-665k", "charts", False),
            ("cambrian-7m", "charts", True),
            ("cambrian-7m", "counting", True),
            ("llava-instruct-158k", "grounding", False),
            ("eagle-1.8m", "charts", False),  # what is in it is not on record
            ("llava-instruct-158k", "hallucination", True),  # no kind of data is for it
        ):
            found = holds(mixes, self.words, slug, parse_mix(tasks, self.words))
            self.assertEqual(found, yes, (slug, tasks))
        for slug, yes in (
            ("llava-665k", True),
            ("paligemma-mix", False),  # nobody can get it
            ("lcs-558k", False),  # captions alone
            ("eagle-1.8m", False),
        ):
            self.assertEqual(obtainable(mixes, slug), yes, slug)

    def test_sizes(self):
        standing = self.library.standing
        self.assertIsNone(standing.sized(72.0, 158_000))
        self.assertIsNotNone(standing.sized(7.0, 665_000))
        table = standing.sized(13.0, 665_000)
        self.assertIn(table, {t.id for paper in support.papers() for t in paper.tables})

    def test_rows_speak_for_a_part_or_do_not(self):
        better, worse = Beside("t", "mlp", 3, 3, 1.0), Beside("u", "mlp", 0, 3, -2.0)
        self.assertTrue(gains([better]))
        self.assertFalse(gains([]))
        self.assertFalse(gains([worse]))
        self.assertFalse(gains([better, worse]))  # better on half, and worse on the mean

    def test_what_is_stored_is_what_the_tables_say(self):
        """A part of it, worked out anew from two papers."""
        stored = self.library.standing
        papers = [paper for paper in support.papers() if paper.key in ("honeybee", "cambrian1")]
        known = functools.partial(usual, self.library.practice, self.words)
        fresh = standing(papers, self.words, known)
        self.assertTrue(fresh.parts["connector"]["c-abstractor"])
        for axis, named in fresh.parts.items():
            for part, families in named.items():
                for family, found in families.items():
                    for one in found:
                        self.assertIn(one, stored.of(axis, part, [family]))


@slow
class Written(unittest.TestCase):
    """From recipe to run: what a training program is asked to write, it writes."""

    FAMILIES = (
        "documents",
        "charts",
        "reasoning",
        "math",
        "general-vqa",
        "vision-centric-spatial",
        "grounding",
        "counting",
        "ui-agent",
        "balanced",
    )

    def test_every_program_writes_what_it_is_asked_for(self):
        library = support.library()
        made = [name for name in names(library.words) if Target(name, library.words).rows("llms")]
        self.assertGreaterEqual(len(made), 4)
        for number, family in enumerate(self.FAMILIES):
            asked = Request(parse_mix(family, library.words))
            for place, name in enumerate(made):
                answer = picks.answer(library, asked._replace(trainable_with=name, top=3))
                self.assertEqual(len(answer.result.recipes), 3, (family, name))
                target = Target(name, library.words)
                for item in answer.result.recipes:
                    self.assertIsNone(expressible(item.recipe, target), (family, name))
                if place == number % len(made):  # and the whole pipe, each program in turn
                    flags = ("--tasks", family, "--trainable-with", name, *FREE)
                    picked = call("pick", *flags, "--json")[1]
                    done = process("export", "-", "--to", name, stdin=picked.encode())
                    self.assertEqual((done.returncode, done.stderr), (0, b""), (family, name))
                    self.assertIn(picked_llm(picked), done.stdout.decode())

    def test_the_best_that_is_written_stands_beside_the_best(self):
        answer = call_json("pick", "--tasks", "documents")
        first, best = answer["recipes"][0], answer["exportable"]
        self.assertTrue(best["written_by"])
        self.assertLessEqual(best["expected"], answer["recipes"][0]["score"]["expected"] + 1.0)
        if first["written_by"]:
            self.assertEqual(best["recipe"], first["recipe"])
        text = call("pick", "--tasks", "documents")[1]
        self.assertIn("  export ", text)
        self.assertIn(best["written_by"][0], text)

    def test_where_it_can_write_nothing_that_fits_it_is_named(self):
        flags = ("--tasks", "documents", "--trainable-with", "llava", "--fix", "llm=qwen2-7b")
        answer = call_json("pick", *flags, exit_code=1)
        self.assertIn("trainable-with", [one["constraint"] for one in answer["relax"]])
        self.assertTrue(any("without --trainable-with" in text for text in answer["warnings"]))

    def test_a_program_that_is_none(self):
        code, _, err = call("pick", "--trainable-with", "megatron")
        self.assertEqual((code, err.count("\n")), (2, 1))
        self.assertIn("megatron", err)


FREE = ("--memory", "any", "--budget", "any")


def picked_llm(text: str) -> str:
    """The LLM of the first recipe of `pick --json`."""
    return json.loads(text)["recipes"][0]["recipe"]["llm"]


@slow
class Screens(unittest.TestCase):
    """The first screen is a screen: how many lines, how wide, in what order."""

    REQUESTS = (
        (),
        ("--tasks", "documents"),
        ("--tasks", "ui-agent", "--fix", "llm_params_b=2B"),
        ("--tasks", "documents=0.6,charts=0.4", "--budget", "500 A100-hours", "--memory", "24GB"),
        ("--tasks", "math", "--latency", "300ms on L4", "--licence", "commercial"),
        ("--tasks", "charts", "--any-parts"),
    )

    def rows(self, text: str) -> int:
        return sum(max(1, -(-len(line) // 80)) for line in text.rstrip("\n").split("\n"))

    def test_pick_is_at_most_20_lines_of_80_columns(self):
        for argv in self.REQUESTS:
            text = call("pick", *argv)[1]
            self.assertLessEqual(self.rows(text), 20, text)
            self.assertGreater(self.rows(text), 12, text)
            for line in text.split("\n"):
                self.assertTrue(len(line) <= 80 or line.startswith("  next"), line)
            self.assertLess(text.index("adopt?"), text.index("encoder"))
            self.assertIn("  next        python3 main.py ablate", text)

    def test_ablate_is_at_most_14_lines(self):
        for argv in ((), ("--tasks", "charts"), ("--recipe", "encoder=siglip,llm=qwen2-7b")):
            text = call("ablate", *argv)[1]
            self.assertLessEqual(self.rows(text), 14, text)
            self.assertIn("  first ", text)

    def test_what_is_assumed_is_said_in_the_first_line(self):
        first = lambda *argv: call(*argv)[1].split("\n")[0]
        for command in ("pick", "ablate"):
            said = first(command, "--tasks", "charts")
            self.assertIn("500 A100-hours, L4, 24 GB: assumed", said)
        own = first("pick", "--tasks", "charts", "--budget", "300 H100-hours")
        self.assertIn("300 H100-hours; L4, 24 GB: assumed", own)
        own = first("pick", "--tasks", "charts", "--budget", "any", "--latency", "1s on Orin")
        self.assertNotIn("assumed", own)
        self.assertNotIn("hours", own)

    def test_pick_and_ablate_speak_of_one_recipe(self):
        for argv in (("--tasks", "charts"), ("--tasks", "math", "--memory", "48GB")):
            picked, ablated = (call_json(command, *argv) for command in ("pick", "ablate"))
            self.assertEqual(picked["recipes"][0]["recipe"], ablated["recipe"])
            self.assertEqual(picked["limits"], ablated["limits"])

    def test_why_and_rows(self):
        why = call("pick", "--tasks", "charts", "--why")[1]
        for word in ("stage 1", "or  ", "the next, and how they differ", "note:", "cited"):
            self.assertIn(word, why)
        rows = call("pick", "--tasks", "charts", "--rows")[1]
        for entry in call_json("pick", "--tasks", "charts")["recipes"][0]["citations"]:
            self.assertIn(entry["table"] or entry["why"], " ".join(rows.split()))


if __name__ == "__main__":
    unittest.main()
