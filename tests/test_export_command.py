"""`export` at the command line, and experiments of several arms."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from recipes.commands.arguments import recipe_fields
from recipes.exchange.experiment import plan_experiment, write_files
from recipes.terms.recipe import BASELINE, RecipeError
from tests.support import call, call_json, library, piped, process

from .test_export import OTHERS, commands, recipe_of


class Experiments(unittest.TestCase):
    def test_files_manifest_evaluation_and_import_belong_together(self):
        words = library().words
        runs = [("clip", recipe_of("")), ("wide", recipe_of("encoder=siglip,resolution=384"))]
        with tempfile.TemporaryDirectory() as folder:
            target = os.path.join(folder, "new", "sweep")
            files = plan_experiment(
                runs, "llava-next", words, table="encoders", tasks="documents"
            ).files
            paths = write_files(target, files)
            self.assertEqual(
                sorted(os.path.basename(path) for path in paths), sorted(os.listdir(target))
            )
            self.assertEqual({os.path.dirname(path) for path in paths}, {target})
            texts = {
                os.path.basename(path): pathlib.Path(path).read_text(encoding="utf-8")
                for path in paths
            }
            again = write_files(target, files)
            self.assertEqual(
                texts,
                {
                    os.path.basename(path): pathlib.Path(path).read_text(encoding="utf-8")
                    for path in again
                },
            )
        manifest = json.loads(texts["manifest.json"])
        self.assertEqual([run["name"] for run in manifest["runs"]], ["clip", "wide"])
        self.assertEqual(
            {name for run in manifest["runs"] for name in run["files"]}
            | {"evaluate.sh", "import.sh", "manifest.json"},
            set(texts),
        )
        self.assertIn({"benchmark": "docvqa", "task": "docvqa_val"}, manifest["benchmarks"])
        for run, command in zip(manifest["runs"], commands(texts["evaluate.sh"])[1:], strict=True):
            self.assertEqual(command, run["evaluate"])
            self.assertIn(
                f"pretrained={run['model']},conv_template=vicuna_v1,model_name=llava_llama", command
            )
        for run, command in zip(manifest["runs"], commands(texts["import.sh"])[1:], strict=True):
            self.assertEqual(command[3], "${1:-.}/" + run["results"])
            self.assertEqual([*command[:3], run["results"], *command[4:]], run["import"])
            value = dict(zip(command[4::2], command[5::2], strict=True))
            self.assertEqual(
                (command[2], value["--as"], value["--table"]), ("import", run["name"], "encoders")
            )
            self.assertEqual(
                recipe_of(value["--recipe"]).stated() | {"training": None},
                run["recipe"] | {"training": None},
            )

    def test_programs_that_lmms_eval_cannot_read_say_so(self):
        files = dict(plan_experiment([("a", recipe_of(""))], "prismatic", library().words).files)
        self.assertIn("vlm-evaluation", files["evaluate.sh"])
        self.assertIsNone(json.loads(files["manifest.json"])["runs"][0]["evaluate"])
        self.assertIn('import "${1:-.}/results/a.csv" --as a ', files["import.sh"])

    def test_names_meet_neither_each_other_nor_files(self):
        for first, second in (("a", "A"), ("a-1-align.sh", "a-1-align.sh")):
            with self.assertRaises(RecipeError):
                plan_experiment([(first, BASELINE), (second, BASELINE)], "llava", library().words)
        recipe = recipe_of(OTHERS["nanovlm"])
        with self.assertRaisesRegex(RecipeError, "two files"):
            plan_experiment([("evaluate", recipe)], "nanovlm", library().words)
        with self.assertRaisesRegex(RecipeError, "encoder: run wide: llava"):
            plan_experiment(
                [("a", BASELINE), ("wide", recipe_of("encoder=siglip"))], "llava", library().words
            )

    def test_writes_all_or_nothing_and_only_there(self):
        with tempfile.TemporaryDirectory() as folder:
            target = pathlib.Path(folder) / "out"
            for name in ("../x", "a/b", "..", "/etc/x"):
                with self.assertRaises(OSError):
                    write_files(str(target), [("fine", "1"), (name, "2")])
            self.assertEqual(list(target.iterdir()), [])
            (target / "b").write_text("mine")
            with self.assertRaisesRegex(OSError, "--force"):
                write_files(str(target), [("a", "1"), ("b", "2")])
            self.assertFalse((target / "a").exists())
            write_files(str(target), [("a", "1"), ("b", "2")], force=True)
            self.assertEqual((target / "b").read_text(), "2")
            (pathlib.Path(folder) / "outside").write_text("kept")
            (target / "link").symlink_to(pathlib.Path(folder) / "outside")
            with self.assertRaises(OSError):
                write_files(str(target), [("c", "1"), ("link", "2")], force=True)
            self.assertFalse((target / "c").exists())
            self.assertEqual((pathlib.Path(folder) / "outside").read_text(), "kept")


class Command(unittest.TestCase):
    def test_prints_what_it_would_write(self):
        code, text, err = call("export", "--to", "llava")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(
            re.findall(r"^# ==== (.*) ====$", text, re.M), ["run-1-align.sh", "run-2-instruct.sh"]
        )
        self.assertEqual(
            subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True).returncode, 0
        )
        self.assertEqual(call("export", "--to", "llava"), (code, text, err))
        value = call_json("export", "--to", "llava")
        for entry in value["files"][:2]:
            self.assertIn(entry["text"], text + "\n")
        self.assertEqual(
            (value["target"], value["recipe"]["encoder"], value["written"]),
            ("llava", "clip-vit-l-14", False),
        )
        self.assertRegex(value["version"]["commit"], "^[0-9a-f]{40}$")

    def test_several_recipes_are_named(self):
        value = call_json(
            "export",
            "encoder=clip",
            "wide:encoder=clip,resolution=224",
            "llm=vicuna-13b",
            "--to",
            "llava",
        )
        self.assertEqual([run["name"] for run in value["runs"]], ["a", "wide", "c"])
        self.assertEqual(value["runs"][1]["recipe"]["resolution"], 224)

    def test_reads_the_output_of_pick(self):
        fixed = ("encoder=siglip-so400m-14", "connector=mlp-2x-gelu", "llm=qwen2-7b")
        argv = [part for text in (*fixed, "resolution=anyres-768") for part in ("--fix", text)]
        _, picked, _ = call("pick", "--tasks", "documents", *argv, "--json")
        result = process("export", "-", "--to", "llava-next", "--json", stdin=picked.encode())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("(384, 768)", json.loads(result.stdout)["files"][1]["text"])
        self.assertEqual(
            json.loads(result.stdout)["recipe"], json.loads(picked)["recipes"][0]["recipe"]
        )
        err = piped(picked, "export", "-", "--to", "llava-next", "--rank", "99")[2]
        self.assertIn("no --rank 99", err)

    def test_a_recipe_of_pick_that_cannot_be_says_which_can(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "picked.json")
            recipes = [{"recipe": {"encoder": name}} for name in ("siglip", "clip", "dinov2-l-14")]
            pathlib.Path(path).write_text(json.dumps({"recipes": recipes}))
            code, _, err = call("export", path, "--to", "llava")
            self.assertEqual((code, err.count("\n")), (2, 1))
            self.assertIn("recipe 1: encoder: llava cannot express", err)
            self.assertIn("it can: --rank 2", err)
            self.assertEqual(call("export", path, "--to", "llava", "--rank", "2")[0], 0)
            self.assertIn("nor any other one", call("export", path, "--to", "nanovlm")[2])
            self.assertIn(
                "names no recipe that llava can write",
                call("export", path, "--to", "llava", "--rank", "exportable")[2],
            )
            value = {"recipes": recipes[2:], "exportable": recipes[1]}
            pathlib.Path(path).write_text(json.dumps(value))
            self.assertIn("--rank exportable", call("export", path, "--to", "llava")[2])
            code, out, _ = call("export", path, "--to", "llava", "--rank", "exportable", "--json")
            self.assertEqual((code, json.loads(out)["recipe"]["encoder"]), (0, "clip-vit-l-14"))

    def test_reads_files_and_writes_into_the_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mine.json")
            pathlib.Path(path).write_text('{"encoder": "CLIP ViT-L/14@224"}')
            out = os.path.join(folder, "out")
            code, text, _ = call("export", path, "--to", "llava", "--out", out)
            self.assertEqual((code, len(os.listdir(out)), text.count("wrote ")), (0, 5, 5))
            self.assertLessEqual(
                max(len(line) for line in text.splitlines() if not line.startswith("wrote")), 80
            )
            self.assertEqual(call("export", path, "--to", "llava", "--out", out)[0], 0)
            code, _, err = call("export", "--to", "llava", "--out", out)
            self.assertEqual((code, "--force" in err, err.count("\n")), (2, True, 1))
            self.assertEqual(call("export", "--to", "llava", "--out", out, "--force")[0], 0)
            for content in (
                "[1]",
                "{",
                '{"recipes": []}',
                '{"recipe": 3}',
                '{"encodr": "clip"}',
                '{"encoder": "nope"}',
                "\x00",
            ):
                pathlib.Path(path).write_text(content)
                code, _, err = call("export", path, "--to", "llava")
                self.assertEqual((code, err.count("\n")), (2, 1), content)
            self.assertEqual(call("export", "--to", "llava", "--out", path)[0], 2)

    def test_wrong_command_lines_are_one_line(self):
        for argv in (
            ["--to", "lava"],
            [],
            ["--to", "llava", "encoder"],
            ["--to", "llava", "encoder="],
            ["--to", "llava", "a/b:encoder=clip"],
            ["--to", "list", "encoder=clip"],
            ["--to", "llava", "encoder=clip,encoder=siglip"],
            ["--to", "llava", "--gpus", "0"],
            ["--to", "llava", "--data", ""],
            ["--to", "llava", "--tasks", "nothing"],
            ["--to", "llava", "--plan", "x"],
            ["--to", "llava", *["encoder=clip"] * 27],
            ["--to", "lmms-eval"],
            ["--to", "llava", "encoder=\x1b[31m"],
        ):
            code, text, err = call("export", *argv)
            self.assertEqual((code, text, err.count("\n")), (2, "", 1), argv)
            self.assertNotIn("\x1b", err)
        self.assertIn("nearest known: llava", call("export", "--to", "lava")[2])

    def test_list_says_versions_and_parts(self):
        code, text, _ = call("export", "--to", "list")
        self.assertEqual(code, 0)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        value = call_json("export", "--to", "list")
        self.assertEqual(
            [entry["target"] for entry in value["targets"]],
            [
                "prismatic",
                "llava",
                "llava-next",
                "nanovlm",
                "llamafactory",
                "ms-swift",
                "llava-ov-1.5",
            ],
        )
        self.assertIn(
            {"encoder": "clip-vit-l-14", "resolutions": [224, 336]}, value["targets"][1]["encoders"]
        )

    def test_a_comma_that_no_field_follows_belongs_to_the_value(self):
        self.assertEqual(
            recipe_fields(
                "resolution=resized to 64 tokens, aspect ratio kept,frozen-encoder=true", "x"
            ),
            {"resolution": "resized to 64 tokens, aspect ratio kept", "frozen_encoder": "true"},
        )


if __name__ == "__main__":
    unittest.main()
