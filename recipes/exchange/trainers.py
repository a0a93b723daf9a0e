"""A recipe as configuration of an existing training program: one function per program.

In: a Job (name, recipe, stages, GPUs, where the data lies) and the vocabulary. Out: an Export: file
names and texts, what to know about them, where the trained model will lie and how lmms-eval reads
it. What a program cannot express is a RecipeError. Option names, identifiers and printed
hyper-parameters come from registry/trainers.json; none is made up here. Writes no files. The data
itself is not part of any configuration: files point to the user's folder.
"""

import json
import re
from typing import NamedTuple

from ..terms.recipe import RecipeError
from ..terms.vocabulary import Vocabulary
from .target import (
    READS,
    InData,
    Job,
    Target,
    about,
    comment,
    data_line,
    divide,
    layout,
    script,
    sources,
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STAGES = {
    "llava": ("align", "instruct"),
    "three-stage": ("align", "knowledge", "instruct"),
    "one-stage": ("instruct",),
    "finetune": ("instruct",),
}
DOES = {"align": "connector", "knowledge": "connector and LLM", "instruct": "connector and LLM"}


# What the function of a program gives: (name, text) of its files, where the trained model lies, and
# how lmms-eval reads it.
Written = tuple[list[tuple[str, str]], str, tuple[str, str] | None]


class Export(NamedTuple):
    """The configuration of one run. files: (name, text) in the order to run them; model: where the
    trained model lies;
    evaluator: the model name and arguments of lmms-eval, None where it cannot read the model."""

    job: Job
    target: str
    plan: str
    files: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    model: str
    evaluator: tuple[str, str] | None


def export(job: Job, slug: str, words: Vocabulary) -> Export:
    """The configuration of a recipe for one program. Raises RecipeError and UnknownName."""
    target = Target(slug, words)
    if not NAME.fullmatch(job.name):
        raise RecipeError(
            "name",
            f"{job.name[:40]!r} is not a plain name (letters, digits, dots, dashes; it names"
            " files)",
        )
    if job.data is not None and not (job.data and job.data.isprintable()):
        raise RecipeError("data", f"--data {job.data[:40]!r} is empty or holds control characters")
    notes: list[str] = []
    plan = target.plan(job, notes)
    write = {
        "prismatic": prismatic,
        "llava": llava,
        "llava-next": llava_next,
        "nanovlm": nanovlm,
        "llamafactory": llamafactory,
    }[slug]
    files, model, evaluator = write(job, target, plan, notes)
    if not any(row["data"] == job.recipe.data for row in target.rows("data")):
        notes.append(
            f"the data is yours: the recipe's {job.recipe.data} is not part of a configuration"
        )
    if evaluator is None:
        notes.append(
            f"lmms-eval has no class for the trained model; {target.record['name']} is evaluated"
            f" with {target.record['lmms_eval_source']}"
            if slug != "llamafactory"
            else "lmms-eval has no class for the trained model"
        )
    return Export(job, slug, plan, tuple(files), tuple(dict.fromkeys(notes)), model, evaluator)


def heading(
    job: Job,
    target: Target,
    stages: tuple[str, ...],
    stage: str,
    frozen: bool,
    shown: tuple[str, ...],
) -> list[str]:
    """The comment at the head of the script of one stage."""
    trains = DOES[stage] + (" and encoder" if stage != "align" and not frozen else "")
    return [
        *about(
            job,
            target,
            f"stage {stages.index(stage) + 1} of {len(stages)} ({stage}), trains {trains}",
        ),
        *sources(target, (stage, "all"), shown),
    ]


# --- Prismatic
# ------------------------------------------------------------------------------------------


def prismatic(job: Job, target: Target, plan: str, notes: list[str]) -> Written:
    """scripts/pretrain.py of TRI-ML/prismatic-vlms: one script per stage."""
    recipe, side = job.recipe, target.fixed(job)
    encoder, connector, llm = (
        target.encoder(recipe, side),
        target.connector(recipe)["id"],
        target.llm(recipe),
    )
    target.same_tokens(job, [target.tokens(job, side)])
    fused = "+" in (recipe.encoder or "")
    if connector == "fused-gelu-mlp" and not fused:
        raise target.refuse(
            "connector",
            recipe.connector,
            ("mlp-2x-gelu", "linear"),
            f"has several encoders in mind, not {recipe.encoder}, for",
        )
    if fused and connector == "gelu-mlp":
        notes.append(
            "Prismatic's own fused models have a connector of three layers:"
            " connector=channel-concat-mlp"
        )
    if plan == "one-stage":
        if connector == "linear":
            raise target.refuse(
                "connector",
                "linear",
                ("mlp-2x-gelu", "channel-concat-mlp"),
                "trains in one stage not with",
            )
        connector = "no-align+" + connector
    frozen, stages = target.frozen(job), STAGES[plan]
    mixes = {row["data"]: row["id"] for row in target.rows("data")}
    if recipe.data in mixes:
        data = {"--dataset.type": mixes[recipe.data]}
        notes.append(
            f"{recipe.data} is Prismatic's own {mixes[recipe.data]}: its scripts/preprocess.py and"
            " README say how to get it"
        )
        place = "the folder where scripts/preprocess.py of the repository put the data"
    else:
        data = {
            "--dataset.type": mixes["llava-665k"],
            "--dataset.dataset_id": recipe.data,
            "--dataset.align_stage_components": f"[{', '.join(READS['align'])}]",
            "--dataset.finetune_stage_components": f"[{', '.join(READS['instruct'])}]",
        }
        place = layout(stages)
    files = []
    for number, stage in enumerate(stages, 1):
        values = target.defaults(stage)
        batch, share = (
            next(key for key in values if key.endswith(end))
            for end in ("_global_batch_size", "_per_device_batch_size")
        )
        values[share] = str(
            divide(target.slug, int(values[batch]), int(values[share]), job.gpus)[0]
        )
        options: dict[str, object] = {
            **target.defaults(plan),
            "--model.model_id": job.name,
            "--model.arch_specifier": connector,
            "--model.vision_backbone_id": encoder["id"],
            **target.defaults("all"),
            "--model.llm_backbone_id": llm["id"],
            **values,
            **data,
            "--dataset.dataset_root_dir": InData(""),
            "--stage": "align" if stage == "align" else "finetune" if frozen else "full-finetune",
            "--run_root_dir": "runs",
            "--run_id": f"{job.name}-{stage}",
            "--hf_token": "HF_TOKEN",
            "--trackers": "[jsonl]",
        }
        if stage == "instruct" and plan == "llava":
            options["--pretrained_checkpoint"] = (
                f"runs/{job.name}-align/checkpoints/latest-checkpoint.pt"
            )
        head = [
            *heading(job, target, stages, stage, frozen, tuple(values)),
            "the environment variable HF_TOKEN holds your Hugging Face token",
        ]
        files.append(
            (
                f"{job.name}-{number}-{stage}.sh",
                script(
                    head,
                    data_line(job, place),
                    f"torchrun --standalone --nnodes 1 --nproc-per-node {job.gpus}"
                    " scripts/pretrain.py",
                    options,
                ),
            )
        )
    return files, f"runs/{job.name}-instruct", None


# --- LLaVA and LLaVA-NeXT
# ------------------------------------------------------------------------------------------

SHOWN = (
    "global batch",
    "--learning_rate",
    "--mm_vision_tower_lr",
    "--num_train_epochs",
    "--per_device_train_batch_size",
)


def llava(job: Job, target: Target, plan: str, notes: list[str]) -> Written:
    """llava/train/train_mem.py of haotian-liu/LLaVA: a script for the connector and one for the
    instructions.
    """
    side = target.fixed(job)
    parts = llava_parts(job, target, side)
    target.same_tokens(job, [target.tokens(job, side)])
    frozen, stages, files = target.frozen(job), STAGES[plan], []
    llm = target.llm(job.recipe)
    for number, stage in enumerate(stages, 1):
        values = target.defaults(stage)
        total, share = int(values.pop("global batch")), int(values["--per_device_train_batch_size"])
        share, steps = divide(target.slug, total, share, job.gpus)
        values |= {
            "--per_device_train_batch_size": str(share),
            "--gradient_accumulation_steps": str(steps),
        }
        options = llava_stage(job, stage, plan, parts, llm, values)
        if stage == "align":
            options["--tune_mm_mlp_adapter"] = "True"
        files.append(
            (
                f"{job.name}-{number}-{stage}.sh",
                script(
                    heading(job, target, stages, stage, frozen, SHOWN),
                    data_line(job, layout(stages)),
                    f"deepspeed --num_gpus {job.gpus} llava/train/train_mem.py",
                    options,
                ),
            )
        )
    model = f"checkpoints/llava-{job.name}-instruct"
    return (
        files,
        model,
        (
            target.record["lmms_eval"],
            f"pretrained={model},conv_template={llm['conversation']},model_name={llm['model_name']}",
        ),
    )


def llava_parts(job: Job, target: Target, side: int) -> dict[str, object]:
    """The options that name encoder and connector, in both repositories."""
    return {
        "--vision_tower": target.encoder(job.recipe, side)["id"],
        "--mm_projector_type": target.connector(job.recipe)["id"],
    }


def llava_stage(
    job: Job, stage: str, plan: str, parts: dict, llm: dict, values: dict
) -> dict[str, object]:
    """The options of one stage that both repositories share."""
    annotations, images = READS[stage]
    options: dict[str, object] = {
        "--model_name_or_path": llm["id"],
        "--version": "plain" if stage == "align" else llm["version"],
        "--data_path": InData(annotations),
        "--image_folder": InData(images),
        **parts,
    }
    if stage != "align" and plan != "one-stage":
        options["--pretrain_mm_mlp_adapter"] = (
            f"checkpoints/llava-{job.name}-align/mm_projector.bin"
        )
    return {
        **options,
        **values,
        "--output_dir": f"checkpoints/llava-{job.name}-{stage}",
        "--report_to": "none",
    }


# LLaVA-NeXT picks the LLM's class by the first of these words that the path of the model holds
# (llava/train/train.py, get_model).
FAMILIES = (
    "mixtral",
    "mistral",
    "zephyr",
    "wizardlm-2",
    "vicuna",
    "llama",
    "yi",
    "nous-hermes",
    "qwen",
    "moe",
    "a14b",
    "gemma",
)


def llava_next(job: Job, target: Target, plan: str, notes: list[str]) -> Written:
    """llava/train/train_mem.py of LLaVA-VL/LLaVA-NeXT: as LLaVA, with tiles and a trainable
    encoder.
    """
    side, across = target.grid(job, notes)
    parts, llm = llava_parts(job, target, side), target.llm(job.recipe)
    view = target.tokens(job, side)
    tiles = next_tiles(job, target, side, across, view)
    frozen, stages, files = target.frozen(job), STAGES[plan], []
    # the last stage starts from a folder whose name must speak of the LLM, and of no other
    if plan == "three-stage":
        hit = next((family for family in FAMILIES if family in job.name.lower()), None)
        if hit:
            raise RecipeError(
                "name",
                f"{job.name!r} holds {hit!r}, by which LLaVA-NeXT would pick a class of LLM in"
                " stage 3: another name is needed",
            )
    for number, stage in enumerate(stages, 1):
        values = target.defaults("align" if stage == "align" else "instruct")
        learned = values.pop("--mm_vision_tower_lr", None)
        values["--model_max_length"] = str(
            target.context(job, int(values["--model_max_length"]), notes)
        )
        options = llava_stage(job, stage, plan, parts, llm, values)
        if stage == "align":
            options["--mm_tunable_parts"] = "mm_mlp_adapter"
        else:
            options["--mm_tunable_parts"] = (
                "mm_mlp_adapter,mm_language_model"
                if frozen
                else "mm_vision_tower,mm_mlp_adapter,mm_language_model"
            )
            options |= tiles if frozen else {"--mm_vision_tower_lr": learned, **tiles}
        if plan == "three-stage" and stage != "align":
            family = llm["id"].replace("/", "_")
            options["--output_dir"] = f"checkpoints/llava-{job.name}-{stage}-{family}"
            if stage == "instruct":
                options["--model_name_or_path"] = f"checkpoints/llava-{job.name}-knowledge-{family}"
                del options["--pretrain_mm_mlp_adapter"]
        options["--run_name"] = f"{job.name}-{stage}"
        shown = (
            SHOWN
            if not frozen
            else tuple(option for option in SHOWN if option != "--mm_vision_tower_lr")
        )
        head = heading(job, target, stages, stage, frozen, shown)
        if stage == "knowledge":
            head += sources(target, ("instruct",), shown)
        files.append(
            (
                f"{job.name}-{number}-{stage}.sh",
                script(
                    head,
                    data_line(job, layout(stages)),
                    f"torchrun --nproc_per_node {job.gpus} --nnodes 1 llava/train/train_mem.py",
                    options,
                ),
            )
        )
    notes.append(
        "LLaVA-NeXT prints its batch per GPU and not the number of GPUs: the batch grows with"
        " --gpus"
    )
    if llm["id"].startswith("Qwen/"):
        notes.append(
            f"LLaVA-NeXT trains the instruct model {llm['id']}; {job.recipe.llm} in the tables does"
            " not say which"
        )
    model = str(options["--output_dir"])
    return (
        files,
        model,
        (
            target.record["lmms_eval"],
            f"pretrained={model},conv_template={llm['conversation']},model_name={llm['model_name']}",
        ),
    )


def next_tiles(job: Job, target: Target, side: int, across: int, view: int) -> dict[str, object]:
    """Options for one view, or for across x across tiles and an overview, at most as many tokens as
    the recipe states.
    """
    if across == 1:
        target.same_tokens(job, [view])
        return dict(target.defaults("fixed"))
    cut = (
        target.defaults("tiles", f"tiles of {side}")
        if across == 2
        else {
            **target.defaults("tiles"),
            "--image_grid_pinpoints": f"(1x1),...,({across}x{across})",
        }
    )
    if "--image_grid_pinpoints" not in cut:
        cut["--image_grid_pinpoints"] = "(1x1),...,(2x2)"
    capped = {view * (tiles + 1): tiles for tiles in range(1, across * across)}
    target.same_tokens(job, [view * (across * across + 1), *capped])
    tiles = capped.get(int(job.recipe.visual_tokens or 0))
    return {"--image_aspect_ratio": f"anyres_max_{tiles}" if tiles else "anyres", **cut}


# --- nanoVLM
# ------------------------------------------------------------------------------------------


def nanovlm(job: Job, target: Target, plan: str, notes: list[str]) -> Written:
    """models/config.py of huggingface/nanoVLM: a Python file that sets its fields and starts
    train.py, and its launcher.
    """
    recipe = job.recipe
    side, across = target.grid(job, notes)
    encoder, connector, llm, frozen = (
        target.encoder(recipe, side),
        target.connector(recipe),
        target.llm(recipe),
        target.frozen(job),
    )
    patch = int(target.words.records("encoder")[recipe.encoder]["patch_size"])
    grid, views = side // patch, 1 if across == 1 else across * across + 1
    factors = [1] if connector["id"] == "1" else [n for n in range(2, grid + 1) if grid % n == 0]
    made = {views * (grid // n) ** 2: n for n in factors}
    target.same_tokens(job, made)
    factor = (
        made[int(recipe.visual_tokens)]
        if recipe.visual_tokens
        else factors[0]
        if len(factors) == 1
        else 2
    )
    if not recipe.visual_tokens and len(factors) > 1:
        notes.append(
            "no number of visual tokens is stated: patches are shuffled 2 x 2, as `cost` and `pick`"
            " take it"
        )
    if factor not in factors:
        raise target.refuse(
            "visual_tokens",
            "not stated",
            made,
            f"cannot shuffle {grid} x {grid} patches by {factor}:",
        )
    values = {option.split(".")[1]: value for option, value in target.defaults("all").items()}
    if frozen:
        values["lr_vision_backbone"] = "0"
    model = {
        "vit_model_type": encoder["id"],
        "vit_img_size": side,
        "vit_patch_size": patch,
        "lm_model_type": llm["id"],
        "lm_tokenizer": llm["id"],
        "mp_pixel_shuffle_factor": factor,
        "mp_image_token_length": (grid // factor) ** 2,
        "max_img_size": side * across,
        "vlm_checkpoint_path": f"checkpoints/{job.name}",
    }
    lines = "".join(f"    {name!r}: {value!r},\n" for name, value in model.items())
    train = "".join(f"    {name!r}: {value},\n" for name, value in values.items())
    head = comment(
        [
            *about(
                job,
                target,
                f"trains connector and LLM{'' if frozen else ' and encoder'} in one stage",
            ),
            *sources(target, ("all",), tuple(f"TrainConfig.{name}" for name in values)),
            f"start it with {job.name}.sh",
        ]
    )
    text = (
        f"{head}import functools\nimport os\nimport sys\n\nsys.path.insert(0, os.getcwd())\nimport"
        f" models.config as config\nimport train\n\nVLM = {{\n{lines}}}\nTRAIN = {{\n{train}   "
        " 'train_dataset_path': os.environ['DATA'],\n    'log_wandb': False,\n    'use_lmms_eval':"
        " False,\n}\n\nconfig.VLMConfig = functools.partial(config.VLMConfig,"
        " **VLM)\nconfig.TrainConfig = functools.partial(config.TrainConfig, **TRAIN)\nif __name__"
        ' == "__main__":\n    train.main()\n'
    )
    start = (
        f"#!/usr/bin/env bash\n{comment(about(job, target, 'starts ' + job.name + '.py')[::2])}set"
        " -euo pipefail\n"
        f"{data_line(job, 'a Hugging Face data set with columns images and texts (a name or a folder)')}export"
        " DATA\n"
        f'torchrun --nproc_per_node {job.gpus} --nnodes 1 "$(dirname "$0")/{job.name}.py"\n'
    )
    notes.append(
        "nanoVLM counts steps over packed sequences, not passes over the data, and its batch grows"
        " with --gpus"
    )
    if connector["id"] != "1":
        notes.append("nanoVLM's connector has one linear layer behind the pixel shuffle")
    if llm["id"].endswith("-Instruct"):
        notes.append(f"nanoVLM trains the instruct model {llm['id']}")
    return [(f"{job.name}.py", text), (f"{job.name}.sh", start)], f"checkpoints/{job.name}", None


# --- LLaMA-Factory
# ------------------------------------------------------------------------------------------


def llamafactory(job: Job, target: Target, plan: str, notes: list[str]) -> Written:
    """A YAML file for llamafactory-cli train: a released model whose parts are the recipe's."""
    recipe, rows = job.recipe, target.rows("released")
    pixels = native_pixels(recipe.resolution)
    for field in ("encoder", "connector", "llm", "resolution"):
        wanted = "native" if field == "resolution" and pixels else getattr(recipe, field)
        kept = [row for row in rows if row[field] == wanted]
        if not kept or wanted == "native" and not pixels:
            accepted = [
                "resized to 576 tokens, aspect ratio kept" if row[field] == "native" else row[field]
                for row in rows
            ]
            raise target.refuse(
                field,
                wanted,
                accepted,
                "fine-tunes released models and knows none with these parts and",
            )
        rows = kept
    row = rows[0]
    seen = view_tokens(job, target, pixels)
    values = target.defaults("all")
    length = target.context(job, int(values["cutoff_len"]) + seen, notes)
    if length <= seen:
        raise target.refuse(
            "resolution",
            recipe.resolution,
            (),
            f"has no room for text in the context of {recipe.llm} behind {seen} visual tokens:",
        )
    plain = {
        **values,
        "cutoff_len": str(length),
        "freeze_vision_tower": "true" if target.frozen(job) else "false",
        "freeze_multi_modal_projector": "false",
        "freeze_language_model": "false",
    }
    if pixels:
        plain |= {"image_min_pixels": str(pixels[0]), "image_max_pixels": str(pixels[1])}
    # its own limit is 768 x 768 (hparams/model_args.py)
    elif isinstance(recipe.resolution, int) and recipe.resolution > 768:
        plain["image_max_pixels"] = str(recipe.resolution**2)
    quoted = {
        "model_name_or_path": row["id"],
        "template": row["template"],
        "dataset": str(recipe.data),
        "output_dir": f"saves/{job.name}",
    }
    if job.data is not None:
        quoted["dataset_dir"] = job.data
    if any("${" in value for value in quoted.values()):
        raise RecipeError("data", "LLaMA-Factory would read ${ in a path or name as a variable")
    text = comment(
        [
            *about(job, target, f"fine-tunes {row['id']} ({row['parts']})"),
            *sources(
                target,
                ("all",),
                (
                    "learning_rate",
                    "num_train_epochs",
                    "per_device_train_batch_size",
                    "gradient_accumulation_steps",
                ),
            ),
        ]
    )
    text += "".join(f"{name}: {json.dumps(value)}\n" for name, value in quoted.items()) + "".join(
        f"{name}: {value}\n" for name, value in plain.items()
    )
    place = (
        f"the folder with dataset_info.json, which describes your data under the name {recipe.data}"
    )
    data, ask = (
        ("", "") if job.data is not None else (data_line(job, place), ' dataset_dir="$DATA"')
    )
    start = (
        "#!/usr/bin/env"
        f" bash\n{comment([*about(job, target, 'starts ' + job.name + '.yaml')[::2], 'data: ' + place])}set"
        f" -euo pipefail\n{data}"
        f'FORCE_TORCHRUN=1 NPROC_PER_NODE={job.gpus} llamafactory-cli train "$(dirname'
        f' "$0")/{job.name}.yaml"{ask}\n'
    )
    notes.append(
        f"LLaMA-Factory joins no parts: this goes on training {row['id']}, whose connector is"
        " trained already"
    )
    notes.append(
        f"the batch grows with --gpus; dataset_info.json of your data must name {recipe.data}"
    )
    evaluator = (row["lmms_eval"], f"pretrained=saves/{job.name}") if row["lmms_eval"] else None
    return [(f"{job.name}.yaml", text), (f"{job.name}.sh", start)], f"saves/{job.name}", evaluator


def native_pixels(resolution) -> tuple[int, int] | None:
    """Least and most pixels of an image that keeps its shape, as the registry's names of such
    resolutions say them.
    """
    same = re.fullmatch(r"resized to (\d{1,6}) tokens, aspect ratio kept", str(resolution))
    if same:
        return int(same[1]) * 28 * 28, int(same[1]) * 28 * 28
    span = re.fullmatch(
        r"native, min_pixels (\d{1,6})x28x28, max_pixels (\d{1,6})x28x28", str(resolution)
    )
    return (int(span[1]) * 28 * 28, int(span[2]) * 28 * 28) if span else None


def view_tokens(job: Job, target: Target, pixels: tuple[int, int] | None) -> int:
    """Most visual tokens of an image in a released model; a stated number must agree."""
    if pixels:
        made = pixels[1] // (28 * 28)
    elif isinstance(job.recipe.resolution, int):
        made = target.tokens(job, job.recipe.resolution)
    else:  # LLaVA-NeXT: 2 x 2 tiles of 336 px and the overview
        made = 5 * target.tokens(job, 336)
    target.same_tokens(job, [made])
    return made
