"""What a training program can express, and what `export` refuses."""

import os
import re
import subprocess
import tempfile
import time
import unittest

from recipes.exchange.experiment import plan_experiment
from recipes.exchange.target import Job, Target, comment, names
from recipes.exchange.trainers import export, expressible
from recipes.picker.space import visuals
from recipes.terms.recipe import BASELINE, RecipeError, change
from tests.support import library

from .test_export import MODELS, OTHERS, done, recipe_of, usual, yaml_values


class Expressible(unittest.TestCase):
    def test_says_what_export_does(self):
        words = library().words
        recipes = [recipe_of(text) for text in ("", *OTHERS.values(), "resolution=anyres-1008")]
        found = {True: 0, False: 0}
        for slug in names(words):
            target = Target(slug, words)
            for recipe in recipes:
                why = expressible(recipe, target)
                try:
                    export(Job("run", recipe), slug, words)
                    self.assertIsNone(why)
                except RecipeError as error:
                    self.assertEqual(why, str(error))
                found[why is None] += 1
        self.assertGreater(min(found.values()), 5)

    def test_thousands_of_candidates_in_a_moment(self):
        words = library().words
        target = Target("llava-next", words)
        candidates = [
            change(visual.recipe, llm="qwen2-7b", data="llava-665k", frozen_encoder=True)
            for visual in visuals(words)[0]
        ]
        expressible(candidates[0], target)
        before = time.process_time()
        some = [expressible(recipe, target) for recipe in candidates]
        spent = time.process_time() - before
        self.assertTrue(None in some and len(set(some)) > 1)
        self.assertLess(spent / len(candidates), 0.001)


class Refused(unittest.TestCase):
    def test_names_field_value_and_what_is_accepted(self):
        cases = {
            (
                "llava",
                "encoder=siglip",
            ): "encoder: llava .*'siglip-so400m-14' .accepted: clip-vit-l-14",
            (
                "prismatic",
                "encoder=siglip2-so400m-14",
            ): "encoder: prismatic .*did you mean siglip-so400m-14",
            (
                "llava",
                "connector=q-former",
            ): "connector: llava .*'q-former' .accepted: linear, mlp-2x-gelu",
            ("prismatic", "llm=qwen2-7b"): "llm: prismatic .*'qwen2-7b'",
            ("llava", "llm=13B"): "llm: llava .*a size: '13B'",
            ("llava", "resolution=448"): "resolution: llava .*448. .accepted: 224, 336",
            ("llava", "resolution=anyres-672"): "resolution: llava .*fixed",
            ("llava", "tiling=2x2 tiles of 336 px + overview"): "tiling: llava",
            ("llava-next", "resolution=anyres-700"): "resolution: llava-next .*anyres-672",
            ("llava-next", "resolution=anyres-672,tiling=puzzle"): "tiling: llava-next .*'puzzle'",
            ("llava", "visual_tokens=64"): "visual_tokens: .*'64' .accepted: 576",
            ("llava", "training=all at once"): "training: llava .*--plan",
            ("nanovlm", ""): "encoder: nanovlm .*'clip-vit-l-14'",
            ("nanovlm", "encoder=siglip-b-16"): "connector: nanovlm",
            ("llamafactory", "llm=qwen2-7b"): "llm: llamafactory .*'qwen2-7b'",
            ("ms-swift", "llm=qwen2-7b"): "encoder: ms-swift .*'clip-vit-l-14'",
        }
        for (slug, text), message in cases.items():
            with self.subTest(slug=slug, text=text), self.assertRaisesRegex(RecipeError, message):
                done(slug, text)
        with self.assertRaisesRegex(RecipeError, "plan: nanovlm .*'llava' .accepted: one-stage"):
            done("nanovlm", OTHERS["nanovlm"], plan="llava")

    def test_every_visual_part_of_pick_is_written_or_refused(self):
        words = library().words
        some, outcome = visuals(words)[0][::7], {True: 0, False: 0}
        for visual in some:
            recipe = change(visual.recipe, llm="qwen2-7b", data="llava-665k", frozen_encoder=True)
            for slug in names(words):
                try:
                    outcome[bool(export(Job("run", recipe), slug, words).files)] += 1
                except RecipeError as error:
                    self.assertIn(slug, str(error))
                    outcome[False] += 1
        self.assertGreater(outcome[True], 0)
        self.assertGreater(outcome[False], outcome[True])

    def test_hostile_names_and_paths_stay_in_their_quotes(self):
        evil = "x'; touch /tmp/owned #`$(id)\"\n$HOME"
        for bad in (evil, "../up", "a/b", "", ".hidden", "-rf", "a" * 65, "a\nb"):
            with self.assertRaisesRegex(RecipeError, "^name: "):
                export(Job(bad, BASELINE), "llava", library().words)
        with self.assertRaisesRegex(RecipeError, "^data: .*control"):
            done("llava", data="a\nb")
        path = "/my data/'quoted' $(id) `id` \"x\" ; rm"
        for slug in names(library().words):
            if slug in MODELS:
                run = usual(slug, data=path)
            else:
                recipe = change(recipe_of(OTHERS[slug]), data=evil)
                run = export(Job("run", recipe, data=path), slug, library().words)
            for name, text in run.files:
                if name.endswith(".sh"):
                    plain = re.sub(
                        r"torchrun|deepspeed|llamafactory-cli|swift sft",
                        "printf '%s\\\\n'",
                        text.replace("FORCE_TORCHRUN=1 ", ""),
                    )
                    with tempfile.TemporaryDirectory() as folder:
                        got = subprocess.run(
                            ["bash", "-c", plain],
                            capture_output=True,
                            cwd=folder,
                            check=True,
                            env={**os.environ, "TOKENIZER": "a", "LOAD": "b"},
                        ).stdout.decode()
                    if "$DATA" in text:
                        self.assertIn(path, got)
                if name.endswith(".yaml"):
                    self.assertEqual(
                        (yaml_values(text)["dataset"], yaml_values(text)["dataset_dir"]),
                        (evil, path),
                    )
                if name.endswith(".py"):
                    compile(text, name, "exec")
        self.assertFalse(os.path.exists("/tmp/owned"))
        self.assertNotIn("\n# x\nrm", comment(["a\nrm -rf"]))
        self.assertEqual(comment(["a\nb"]).count("\n"), 1)
        text = dict(
            plan_experiment(
                [("a", change(BASELINE, data=evil))], "llava", library().words, table=evil
            ).files
        )["import.sh"]
        self.assertEqual(
            subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True).returncode, 0
        )
        with self.assertRaisesRegex(RecipeError, "^data: "):
            done("llamafactory", data="/a/${oc.env:HOME}")

    def test_without_data_the_script_stops_and_says_what_it_wants(self):
        result = subprocess.run(
            ["bash", "-c", done("llava").files[0][1]],
            capture_output=True,
            env={"PATH": os.environ["PATH"]},
        )
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(b"align.json and align_images/", result.stderr)


if __name__ == "__main__":
    unittest.main()
