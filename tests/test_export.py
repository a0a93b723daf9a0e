"""export: recipes as configurations of other programs. Every option is one that the registry read;
what cannot be said is refused.
"""

import ast
import contextlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

from recipes.answers import parts
from recipes.commands.arguments import recipe_fields
from recipes.exchange import finetune
from recipes.exchange.experiment import plan_experiment
from recipes.exchange.target import TEXT_TOKENS, Job, Target, divide, names
from recipes.exchange.trainers import export
from recipes.terms.recipe import BASELINE, Recipe, RecipeError, change, parse
from tests.support import call, call_json, library

# One recipe per program that it can express, besides the baseline.
OTHERS = {
    "prismatic": (
        "encoder=SigLIP+DINOv2"
        ",resolution=384"
        ",connector=channel-concat-mlp,llm=llama-2-7b,frozen_encoder=false,data=llava-instruct-158k"
    ),
    "llava": "encoder=clip,resolution=224,connector=linear,llm=llama-2-13b-chat",
    "llava-next": "encoder=siglip,resolution=anyres-1152,llm=qwen2-7b,frozen_encoder=false",
    "nanovlm": (
        "encoder=siglip2"
        "-b-16,resolution=anyres"
        "-1024,connector=pixel-shuffle-mlp,visual_tokens=320,llm=smollm2-135m"
    ),
    "llamafactory": (
        "encoder=qwen2-vl-vit,connector=patch-merger-qwen,llm=qwen2-7b,resolution=resized to 1600"
        " tokens, aspect ratio kept"
    ),
    "ms-swift": (
        "encoder=qwen2.5-vl-vit,connector=patch-merger-qwen,llm=qwen2.5-7b,resolution=resized to"
        " 1600 tokens, aspect ratio kept"
    ),
}
# Programs that only go on from a released model whose parts the recipes have no words for.
MODELS = {"llava-ov-1.5": "llava-onevision-1.5-4b"}


def recipe_of(text: str) -> Recipe:
    return parts.whole(
        parse(recipe_fields(text, "test"), library().words)[0].stated(), library().words
    )


def done(slug: str, text: str = "", **more):
    return export(Job("run", recipe_of(text), **more), slug, library().words)


def from_model(slug: str, name: str, text: str = "", **more):
    """A released model as recipe, with what `text` says over it."""
    words = library().words
    own = parse(recipe_fields(text, "test"), words)[0]
    recipe = finetune.recipe_of(finetune.released(Target(slug, words), name), own, BASELINE)
    return export(Job("run", recipe, model=name, **more), slug, words)


def usual(slug: str, **more):
    """A recipe that each program can express."""
    return (
        from_model(slug, MODELS[slug], **more)
        if slug in MODELS
        else done(slug, OTHERS[slug], **more)
    )


def everything():
    """(program, Export) of the baseline, of another recipe and of every plan of each program."""
    for slug in names(library().words):
        record = Target(slug, library().words).record
        for plan in record["plans"]:
            with contextlib.suppress(RecipeError):
                yield slug, done(slug, plan=plan)
            for method in record["methods"]:
                yield slug, usual(slug, plan=plan, method=method)
    for slug in ("llamafactory", "ms-swift"):
        for name in ("qwen3-vl-8b", "internvl3-8b", "gemma-3-4b"):
            yield slug, from_model(slug, name)


def commands(text: str) -> list[list[str]]:
    """The commands of a shell script as words; $DATA stays as it is."""
    lines = text.replace("\\\n", " ").split("\n")
    return [
        shlex.split(line, comments=True)
        for line in lines
        if line.strip() and not line.startswith("#")
    ]


def options(slug: str, name: str, text: str) -> set[str]:
    """The option names that a file uses, in the spelling of the registry."""
    if name.endswith(".py"):
        tree = ast.parse(text)
        fields = {
            node.targets[0].id: [key.value for key in node.value.keys]
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        return {f"VLMConfig.{key}" for key in fields["VLM"]} | {
            f"TrainConfig.{key}" for key in fields["TRAIN"]
        }
    if name.endswith(".yaml"):
        return {line.split(":")[0] for line in text.splitlines() if not line.startswith("#")}
    found = {word for command in commands(text) for word in command if word.startswith("--")}
    return found | {
        word.split("=")[0]
        for command in commands(text)
        if "llamafactory-cli" in command
        for word in command
        if re.match(r"\w+=", word)
    }


def yaml_values(text: str) -> dict:
    """The flat YAML that we write: `key: value`, a value being a JSON text or a plain word."""
    out = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        key, value = re.fullmatch(r"([a-z_0-9]+): (.+)", line).groups()
        if not value.startswith('"'):
            # nothing that YAML reads as more than a word or number
            assert re.fullmatch(r"[A-Za-z0-9_./+-]+", value), line
        out[key] = json.loads(value) if value.startswith('"') else value
    return out


class Registry(unittest.TestCase):
    def test_every_record_says_where_it_was_read(self):
        registry = library().words.registry("trainers")
        known = {row["target"] for row in registry["targets"]}
        for row in registry["targets"]:
            self.assertRegex(row["commit"], r"^[0-9a-f]{40}$")
            self.assertRegex(row["read"], r"^\d{4}-\d\d-\d\d$")
        for kind in ("options", "encoders", "connectors", "llms", "released", "data", "defaults"):
            for row in registry[kind]:
                self.assertIn(row["target"], known)
                self.assertTrue(row.get("stands") or row.get("source"), row)
        for row in registry["options"]:
            self.assertRegex(row["stands"], r":\d+$", row)

    def test_components_are_those_of_the_vocabulary(self):
        words = library().words
        registry = words.registry("trainers")
        for kind, axis in (
            ("encoders", "encoder"),
            ("connectors", "connector"),
            ("llms", "llm"),
            ("data", "data"),
        ):
            for row in registry[kind]:
                for part in row[axis].split("+") if axis == "encoder" else [row[axis]]:
                    self.assertIn(part, words.records(axis))
        for row in registry["encoders"]:
            natives = [
                words.records("encoder")[part]["native_resolution"]
                for part in row["encoder"].split("+")
            ]
            others = {
                other["id"]
                for other in registry["encoders"]
                if (other["target"], other["encoder"]) == (row["target"], row["encoder"])
                and any(other["resolution"] in sides for sides in natives)
            }
            # or a checkpoint of its own beside one of those
            own = bool(others) and row["id"] not in others
            self.assertTrue(own or any(row["resolution"] in sides for sides in natives), row)

    def test_released_models_have_the_parts_that_models_json_prints(self):
        models = {row["key"]: row for row in library().words.registry("models")["models"]}
        for row in library().words.registry("trainers")["released"]:
            model = models[row["parts"].partition(": ")[2]]
            self.assertEqual(
                [row[key] for key in ("encoder", "connector", "llm")],
                [model[key] for key in ("encoder", "connector", "llm")],
            )


class Files(unittest.TestCase):
    def test_baseline_goes_to_every_program_that_has_its_parts(self):
        for slug in ("prismatic", "llava", "llava-next", "llamafactory"):
            self.assertTrue(done(slug).files)
        for slug, text in OTHERS.items():
            self.assertTrue(done(slug, text).files)

    def test_every_option_stands_in_the_registry(self):
        for slug, run in everything():
            known = {row["option"] for row in Target(slug, library().words).rows("options")}
            for name, text in run.files:
                used = options(slug, name, text)
                self.assertTrue(used)
                self.assertLessEqual(
                    used,
                    known | ({"dataset_dir"} if slug == "llamafactory" else set()),
                    (slug, name),
                )
        evaluator = {
            row["option"]
            for row in Target("lmms-eval", library().words, evaluator=True).rows("options")
        }
        text = dict(plan_experiment([("a", BASELINE)], "llava", library().words).files)[
            "evaluate.sh"
        ]
        self.assertLessEqual(options("lmms-eval", "evaluate.sh", text), evaluator)

    def test_files_are_read_by_shell_python_and_yaml(self):
        for _, run in everything():
            for name, text in run.files:
                self.assertFalse(re.search(r"[^\x20-\x7e\n]", text))
                if name.endswith(".sh"):
                    result = subprocess.run(
                        ["bash", "-n"], input=text.encode(), capture_output=True
                    )
                    self.assertEqual((result.returncode, result.stderr), (0, b""), name)
                elif name.endswith(".py"):
                    compile(text, name, "exec")
                else:
                    self.assertIn("model_name_or_path", yaml_values(text))

    def test_llava_script_says_the_baseline(self):
        (_, first), (_, second) = done("llava").files
        one, two = commands(first)[-1], commands(second)[-1]
        value = lambda words, option: words[words.index(option) + 1]
        self.assertEqual(
            (value(one, "--learning_rate"), value(two, "--learning_rate")), ("1e-3", "2e-5")
        )
        for words, batch in ((one, 256), (two, 128)):
            self.assertEqual(
                8
                * int(value(words, "--per_device_train_batch_size"))
                * int(value(words, "--gradient_accumulation_steps")),
                batch,
            )
        self.assertEqual(value(one, "--tune_mm_mlp_adapter"), "True")
        self.assertNotIn("--tune_mm_mlp_adapter", two)
        self.assertEqual(value(two, "--vision_tower"), "openai/clip-vit-large-patch14-336")
        self.assertEqual(
            value(two, "--pretrain_mm_mlp_adapter"),
            value(one, "--output_dir") + "/mm_projector.bin",
        )
        self.assertEqual(value(one, "--data_path"), "$DATA/align.json")

    def test_batch_is_kept_on_any_number_of_gpus_that_divides_it(self):
        for gpus in (1, 2, 4, 16, 32, 64):
            share, steps = divide("llava", 256, 32, gpus)
            self.assertEqual(share * steps * gpus, 256)
            self.assertLessEqual(share, 32)
            self.assertIn(f"--num_gpus {gpus} ", done("llava", gpus=gpus).files[0][1])
        with self.assertRaisesRegex(RecipeError, "gpus: llava .* 256 over '6' .accepted: 1, 2, 4"):
            done("llava", gpus=6)

    def test_frozen_encoder_is_said_in_each_programs_words(self):
        said = {
            "prismatic": ("--stage full-finetune", "--stage finetune"),
            "llava-next": (
                "mm_vision_tower,mm_mlp_adapter,mm_language_model",
                "--mm_tunable_parts mm_mlp_adapter,mm_language_model",
            ),
            "nanovlm": ("'lr_vision_backbone': 5e-5", "'lr_vision_backbone': 0"),
            "llamafactory": ("freeze_vision_tower: false", "freeze_vision_tower: true"),
        }
        for slug, (trained, frozen) in said.items():
            recipe = recipe_of(OTHERS[slug])
            for value, wanted, other in ((False, trained, frozen), (True, frozen, trained)):
                text = "".join(
                    text
                    for _, text in export(
                        Job("run", change(recipe, frozen_encoder=value)), slug, library().words
                    ).files
                )
                self.assertIn(wanted, text)
                self.assertNotIn(other, text)
        with self.assertRaisesRegex(RecipeError, "frozen_encoder: llava"):
            done("llava", "frozen_encoder=false")

    def test_tiles_of_llava_next(self):
        text = lambda what: done("llava-next", what).files[-1][1]
        self.assertIn(
            "--image_grid_pinpoints '[(336, 672), (672, 336), (672, 672), (1008, 336), (336,"
            " 1008)]'",
            text("resolution=anyres-672"),
        )
        self.assertIn(
            "--image_grid_pinpoints '(1x1),...,(3x3)'",
            text("encoder=siglip,resolution=anyres-1152,llm=qwen2-7b"),
        )
        self.assertIn(
            "--image_aspect_ratio anyres_max_9",
            text("encoder=siglip,resolution=anyres-2304,visual_tokens=7290,llm=qwen2-7b"),
        )
        self.assertNotIn("grid_pinpoints", text(""))
        with self.assertRaisesRegex(RecipeError, "visual_tokens"):
            text("resolution=anyres-672,visual_tokens=1000")

    def test_nanovlm_fields_follow_the_tokens(self):
        text = dict(done("nanovlm", OTHERS["nanovlm"]).files)["run.py"]
        for line in (
            "'vit_img_size': 512",
            "'max_img_size': 1024",
            "'mp_pixel_shuffle_factor': 4",
            "'mp_image_token_length': 64",
        ):
            self.assertIn(line, text)
        with self.assertRaisesRegex(
            RecipeError, r"visual_tokens: nanovlm .* 27 x 27 .*another number.*81, 9, 1"
        ):
            done(
                "nanovlm",
                "encoder=siglip,resolution=384,connector=pixel-shuffle-mlp,llm=smollm2-360m",
            )

    def test_nanovlm_file_starts_train_with_its_fields(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "models").mkdir()
            (root / "models" / "__init__.py").write_text("")
            (root / "models" / "config.py").write_text(
                "class VLMConfig(dict): pass\nclass TrainConfig(dict): pass\n"
            )
            (root / "train.py").write_text(
                "import json\nimport models.config as config\n"
                "def main():\n    print(json.dumps([config.VLMConfig(), config.TrainConfig()]))\n"
            )
            (root / "own.py").write_text(dict(done("nanovlm", OTHERS["nanovlm"]).files)["run.py"])
            result = subprocess.run(
                ["python3", "own.py"],
                cwd=folder,
                capture_output=True,
                env={**os.environ, "DATA": "my data"},
                check=True,
            )
            model, train = json.loads(result.stdout)
        self.assertEqual(
            (model["lm_model_type"], train["train_dataset_path"], train["lr_mp"]),
            ("HuggingFaceTB/SmolLM2-135M-Instruct", "my data", 0.00512),
        )

    def test_llamafactory_pixels_and_length(self):
        values = yaml_values(dict(done("llamafactory", OTHERS["llamafactory"]).files)["run.yaml"])
        self.assertEqual(
            (values["image_max_pixels"], values["image_min_pixels"], values["cutoff_len"]),
            ("1254400", "1254400", "3648"),
        )
        big = yaml_values(
            dict(
                done(
                    "llamafactory", "encoder=siglip,connector=linear,llm=gemma-2b,resolution=896"
                ).files
            )["run.yaml"]
        )
        self.assertEqual(
            (big["image_max_pixels"], big["model_name_or_path"]),
            (str(896 * 896), "google/paligemma-3b-pt-896"),
        )

    def test_own_data_mix_of_prismatic(self):
        own, other = (
            done("prismatic", "data=llava-665k+lrv").files[0][1],
            done("prismatic", "data=cambrian-7m").files[0][1],
        )
        self.assertIn("--dataset.type llava-lrv", own)
        self.assertNotIn("stage_components", own)
        self.assertIn("--dataset.finetune_stage_components '[instruct.json, images]'", other)

    def test_three_stages_and_names_that_would_mislead(self):
        run = done("llava-next", "llm=qwen2-7b", plan="three-stage")
        words = [commands(text)[-1] for _, text in run.files]
        value = lambda command, option: command[command.index(option) + 1]
        self.assertEqual(value(words[2], "--model_name_or_path"), value(words[1], "--output_dir"))
        self.assertNotIn("--pretrain_mm_mlp_adapter", words[2])
        with self.assertRaisesRegex(RecipeError, "name: .*mistral"):
            export(
                Job("mistral-too", recipe_of("llm=qwen2-7b"), plan="three-stage"),
                "llava-next",
                library().words,
            )


class Fits(unittest.TestCase):
    """Image and text fit the context that the program will use, in every file of every program."""

    def length(self, slug: str, text: str, **more) -> int:
        run = done(slug, text, **more)
        found = re.findall(
            r"(?:model_max_length |cutoff_len: |--max_length )(\d+)", run.files[-1][1]
        )
        return int(found[0])

    def test_lengths_are_those_of_the_llm(self):
        for llm, length in (
            ("llama-2-7b-chat", 4096),
            ("llama-3-8b-instruct", 8192),
            ("vicuna-7b", 4096),
            ("qwen2-7b", 32768),
        ):
            self.assertEqual(self.length("llava-next", f"llm={llm}"), length)

    def test_an_image_that_leaves_no_room_is_refused_by_every_program(self):
        for slug, text in (
            ("llava-next", "resolution=anyres-1008"),
            ("llava-next", "resolution=anyres-1344"),
            (
                "nanovlm",
                "encoder=siglip2-b-16,llm=smollm2-135m,connector=pixel-shuffle-mlp,"
                "resolution=anyres-4096,visual_tokens=4160",
            ),
            (
                "llamafactory",
                "encoder=qwen2-vl-vit,connector=patch-merger-qwen,llm=qwen2-1.5b",
            ),
            ("ms-swift", "encoder=qwen2.5-vl-vit,connector=patch-merger-qwen,llm=qwen2.5-3b"),
        ):
            recipe = recipe_of(text)
            if "patch-merger" in text:
                size = "resized to 32700 tokens, aspect ratio kept"
                recipe = change(recipe, resolution=size)
            with self.subTest(slug), self.assertRaisesRegex(RecipeError, f"{slug} has room for"):
                export(Job("run", recipe), slug, library().words)
        with self.assertRaisesRegex(RecipeError, "accepted: visual_tokens=3456"):
            done("llava-next", "resolution=anyres-1008")
        self.assertIn(
            "anyres_max_5",
            done("llava-next", "resolution=anyres-1008,visual_tokens=3456").files[-1][1],
        )
        with self.assertRaisesRegex(RecipeError, f"{TEXT_TOKENS} of text"):
            run = usual("llava-ov-1.5").job
            size = "resized to 32700 tokens, aspect ratio kept"
            recipe = change(run.recipe, resolution=size)
            export(run._replace(recipe=recipe), "llava-ov-1.5", library().words)

    def test_nanovlm_shuffles_as_it_does_itself_where_2_is_too_long(self):
        run = done(
            "nanovlm",
            "encoder=siglip2-b-16,llm=smollm2-360m,connector=pixel-shuffle-mlp,"
            "resolution=anyres-2048",
        )
        text = dict(run.files)["run.py"]
        self.assertIn("'mp_pixel_shuffle_factor': 4", text)
        self.assertIn("'mp_image_token_length': 64", text)
        self.assertIn("as nanoVLM itself does it", " ".join(run.notes))


class Released(unittest.TestCase):
    def yaml(self, *args, **more) -> dict:
        return yaml_values(dict(from_model("llamafactory", *args, **more).files)["run.yaml"])

    def words(self, *args, **more) -> dict:
        line = commands(from_model("ms-swift", *args, **more).files[0][1])[-1]
        return {**dict(zip(line[:-1], line[1:])), "environment": line[:3]}

    def test_methods_and_frozen_parts_in_each_programs_words(self):
        one = self.yaml("Qwen2.5-VL-7B-Instruct", method="qlora", freeze=("encoder", "connector"))
        self.assertEqual(
            [one[key] for key in ("model_name_or_path", "template", "finetuning_type")],
            ["Qwen/Qwen2.5-VL-7B-Instruct", "qwen2_vl", "lora"],
        )
        self.assertEqual((one["quantization_bit"], one["quantization_method"]), ("4", "bnb"))
        frozen = [one[f"freeze_{part}"] for part in ("vision_tower", "multi_modal_projector")]
        self.assertEqual((frozen, one["freeze_language_model"]), (["true", "true"], "false"))
        self.assertNotIn("deepspeed", one)
        full = self.yaml("qwen2.5-vl-7b", freeze=())
        self.assertEqual((full["finetuning_type"], full["freeze_vision_tower"]), ("full", "false"))
        two = self.words("qwen3-vl-8b", method="lora", freeze=("llm",))
        self.assertEqual(
            [two[key] for key in ("--tuner_type", "--freeze_vit", "--freeze_llm")],
            ["lora", "false", "true"],
        )
        self.assertEqual(self.words("gemma-3-4b", method="qlora")["--quant_bits"], "4")

    def test_tokens_and_lengths(self):
        """A token of Qwen2.5-VL has 28 x 28 px, one of Qwen3-VL 32 x 32; a tile of InternVL is 256
        tokens, and several have an overview; Gemma 3 makes 256 of any image."""
        wide = "resolution=resized to 1600 tokens, aspect ratio kept"
        for name, pixels in (("qwen2.5-vl-7b", 1_254_400), ("qwen3-vl-8b", 1_638_400)):
            values = self.yaml(name, wide)
            self.assertEqual(
                (values["image_max_pixels"], values["cutoff_len"]), (str(pixels), "3648")
            )
        self.assertEqual(self.yaml("internvl3-8b")["cutoff_len"], str(2048 + 13 * 256))
        self.assertEqual(self.yaml("internvl3-8b")["crop_to_patches"], "true")
        small = self.yaml("internvl3-8b", "visual_tokens=256")
        self.assertEqual((small["cutoff_len"], small["crop_to_patches"]), ("2304", "false"))
        self.assertIn("MAX_NUM=4", self.words("internvl3-8b", "visual_tokens=1280")["environment"])
        self.assertEqual(self.words("gemma-3-27b")["--max_length"], "2304")
        with self.assertRaisesRegex(RecipeError, "visual_tokens: llamafactory"):
            from_model("llamafactory", "internvl3-8b", "visual_tokens=1280")

    def test_stages_of_llava_onevision(self):
        files = [commands(text)[-1] for _, text in usual("llava-ov-1.5").files]
        trained = [
            words[words.index("--trainable-modules") + 1 : words.index("--seq-length")]
            for words in files
        ]
        self.assertEqual(
            trained,
            [["adapter"], ["vision_model", "adapter", "language_model"]]
            + [["vision_model", "adapter", "language_model"]],
        )
        self.assertEqual(len(usual("llava-ov-1.5", plan="llava").files), 2)
        frozen = usual("llava-ov-1.5", freeze=("encoder",)).files[-1][1]
        self.assertIn("--trainable-modules adapter language_model", frozen)

    def test_what_a_program_cannot(self):
        for slug, name, more, message in (
            ("llava", None, {"model": "qwen2.5-vl-7b"}, "model: llava joins parts"),
            ("llava", None, {"method": "lora"}, "method: llava .*accepted: full"),
            ("llava-next", None, {"freeze": ("llm",)}, "freeze: llava-next .*encoder"),
            ("llamafactory", "qwen9", {}, "model: llamafactory knows no released model"),
            (
                "ms-swift",
                "gemma-3-4b",
                {"freeze": ("encoder", "connector", "llm")},
                "freeze: ms-swift has nothing left",
            ),
            ("llava-ov-1.5", MODELS["llava-ov-1.5"], {"gpus": 9}, "gpus: llava-ov-1.5"),
        ):
            with self.subTest(message), self.assertRaisesRegex(RecipeError, message):
                (from_model(slug, name, **more) if name else done(slug, **more))

    def test_the_command_line(self):
        argv = ["--to", "llamafactory", "--model", "qwen2.5-vl-7b", "--method", "lora"]
        value = call_json("export", *argv, "--freeze", "none")
        run = value["runs"][0]
        self.assertEqual((run["method"], run["model"]), ("lora", "qwen2.5-vl-7b"))
        self.assertIn("freeze_vision_tower: false", value["files"][0]["text"])
        value = call_json("export", *argv, "data=my_own_set")
        self.assertIn('dataset: "my_own_set"', value["files"][0]["text"])
        self.assertEqual(call("export", "--to", "llava", "data=my_own_set")[0], 2)
        code, _, err = call("export", *argv, "--freeze", "head")
        self.assertEqual((code, err.count("\n")), (2, 1))


if __name__ == "__main__":
    unittest.main()
