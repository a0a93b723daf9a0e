"""A recipe as configuration of nanoVLM.

In: a Job and its Target. Out: the values of its fields (`settle`); a Python file that sets them and
starts train.py, and its launcher (`write`).
"""

from typing import NamedTuple

from .stages import Written
from .target import TEXT_TOKENS, Job, Target, about, comment, data_line, sources

# data/advanced_datasets.py:127 skips samples of TrainConfig.max_sample_length and more
LENGTH = 4096 - 1


DATA = "a Hugging Face data set with columns images and texts (a name or a folder)"


class Parts(NamedTuple):
    """Names and numbers of the fields of VLMConfig. view: visual tokens of one view."""

    encoder: str
    llm: str
    side: int
    across: int
    patch: int
    factor: int
    view: int
    frozen: bool


def settle(job: Job, target: Target, plan: str, notes: list[str]) -> Parts:
    """What the recipe is in nanoVLM. Raises RecipeError."""
    recipe = job.recipe
    side, across = target.grid(job, notes)
    encoder, connector, llm = (
        target.encoder(recipe, side),
        target.connector(recipe),
        target.llm(recipe),
    )
    patch = int(target.words.records("encoder")[recipe.encoder]["patch_size"])
    grid, views = side // patch, 1 if across == 1 else across * across + 1
    factors = [1] if connector["id"] == "1" else [n for n in range(2, grid + 1) if grid % n == 0]
    made = {views * (grid // n) ** 2: n for n in factors}
    target.same_tokens(job, made)
    if recipe.visual_tokens:
        factor = made[int(recipe.visual_tokens)]
    else:
        factor = _factor(target, grid, views, factors, made, notes)
    view = (grid // factor) ** 2
    target.length(job, views * view, LENGTH, notes)
    return Parts(encoder["id"], llm["id"], side, across, patch, factor, view, target.frozen(job))


def _factor(
    target: Target, grid: int, views: int, factors: list[int], made: dict, notes: list[str]
) -> int:
    """By how many patches a side is shuffled where the recipe does not say: 2, as `cost` and `pick`
    take it; nanoVLM's own 4 where that is too long for it.
    """
    if len(factors) == 1:
        return factors[0]
    for factor in (2, 4):
        if factor in factors and views * (grid // factor) ** 2 + TEXT_TOKENS <= LENGTH:
            why = "as `cost` and `pick` take it" if factor == 2 else "as nanoVLM itself does it"
            notes.append(
                "no number of visual tokens is stated: patches are shuffled"
                f" {factor} x {factor}, {why}"
            )
            return factor
    if 2 in factors:
        return 2  # refused for its length
    raise target.refuse(
        "visual_tokens",
        "not stated",
        made,
        f"shuffles patches 2 x 2, and {grid} x {grid} patches cannot be; state another number:",
    )


def write(job: Job, target: Target, plan: str, parts: Parts, notes: list[str]) -> Written:
    """models/config.py of huggingface/nanoVLM: a Python file that sets its fields and starts
    train.py, and its launcher.
    """
    values = {option.split(".")[1]: value for option, value in target.defaults("all").items()}
    if parts.frozen:
        values["lr_vision_backbone"] = "0"
    model = {
        "vit_model_type": parts.encoder,
        "vit_img_size": parts.side,
        "vit_patch_size": parts.patch,
        "lm_model_type": parts.llm,
        "lm_tokenizer": parts.llm,
        "mp_pixel_shuffle_factor": parts.factor,
        "mp_image_token_length": parts.view,
        "max_img_size": parts.side * parts.across,
        "vlm_checkpoint_path": f"checkpoints/{job.name}",
    }
    lines = "".join(f"    {name!r}: {value!r},\n" for name, value in model.items())
    train = "".join(f"    {name!r}: {value},\n" for name, value in values.items())
    head = comment(
        [
            *about(
                job,
                target,
                f"trains connector and LLM{'' if parts.frozen else ' and encoder'} in one stage",
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
        f"{data_line(job, DATA)}export"
        " DATA\n"
        f'torchrun --nproc_per_node {job.gpus} --nnodes 1 "$(dirname "$0")/{job.name}.py"\n'
    )
    notes.append(
        "nanoVLM counts steps over packed sequences, not passes over the data, and its batch grows"
        " with --gpus"
    )
    if parts.factor != 1:
        notes.append("nanoVLM's connector has one linear layer behind the pixel shuffle")
    if parts.llm.endswith("-Instruct"):
        notes.append(f"nanoVLM trains the instruct model {parts.llm}")
    return [(f"{job.name}.py", text), (f"{job.name}.sh", start)], f"checkpoints/{job.name}", None
