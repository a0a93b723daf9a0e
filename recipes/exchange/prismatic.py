"""A recipe as configuration of Prismatic VLMs.

In: a Job and its Target. Out: the program's names of the parts (`settle`), its scripts (`write`).
"""

from typing import NamedTuple

from .stages import STAGES, Written, heading
from .target import READS, InData, Job, Target, data_line, divide, layout, script

TEXT_LENGTH = 2048  # prismatic/models/backbones/llm/base_llm.py: llm_max_length


class Parts(NamedTuple):
    """Prismatic's own names of the parts of a recipe."""

    encoder: str
    connector: str
    llm: str
    frozen: bool


def settle(job: Job, target: Target, plan: str, notes: list[str]) -> Parts:
    """What the recipe is in Prismatic. Raises RecipeError."""
    recipe, side = job.recipe, target.fixed(job)
    encoder, connector, llm = (
        target.encoder(recipe, side),
        target.connector(recipe)["id"],
        target.llm(recipe),
    )
    seen = target.tokens(job, side)
    target.same_tokens(job, [seen])
    # it cuts the text at 2,048 tokens and puts the image before it
    target.length(job, seen, seen + TEXT_LENGTH, notes)
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
    return Parts(encoder["id"], connector, llm["id"], target.frozen(job))


def write(job: Job, target: Target, plan: str, parts: Parts, notes: list[str]) -> Written:
    """scripts/pretrain.py of TRI-ML/prismatic-vlms: one script per stage."""
    frozen, stages = parts.frozen, STAGES[plan]
    data, place = _data(job, target, stages, notes)
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
            "--model.arch_specifier": parts.connector,
            "--model.vision_backbone_id": parts.encoder,
            **target.defaults("all"),
            "--model.llm_backbone_id": parts.llm,
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


def _data(
    job: Job, target: Target, stages: tuple[str, ...], notes: list[str]
) -> tuple[dict[str, str], str]:
    """Options that name the data, and what the data folder must hold."""
    recipe = job.recipe
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
    return data, place
