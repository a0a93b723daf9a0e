"""A recipe as configuration of LLaVA-OneVision-1.5's trainer.

In: a Job and its Target. Out: the model and its limits (`settle`), a script per stage (`write`). It
joins RICE-ViT with a Qwen3 by a script of its own, and trains them over Megatron.
"""

from .finetune import Parts, frozen_parts, native_pixels, released_row
from .stages import STAGES, Written, heading
from .target import PARTS, Job, Target, Variable, data_line, divide, script

MODULES = {"encoder": "vision_model", "connector": "adapter", "llm": "language_model"}
SHOWN = ("--lr", "--train-iters", "--global-batch-size", "--seq-length")


def settle(job: Job, target: Target, plan: str, notes: list[str]) -> Parts:
    """The model, its pixels and its length. Raises RecipeError."""
    target.method(job)
    if job.freeze is None and job.recipe.frozen_encoder is None:
        job = job._replace(freeze=())  # its own scripts train the encoder too
    frozen = frozen_parts(job, target)
    if frozen["connector"]:
        raise target.refuse("freeze", "connector", ("encoder", "llm"), "trains it first: cannot")
    row = released_row(job, target, notes)
    pixels = native_pixels(job.recipe.resolution, row, target)
    seen = pixels[1] // row["pixels_per_token"]
    target.same_tokens(job, [seen])
    wanted = int(target.defaults("instruct")["--seq-length"])
    length = target.length(job, seen, wanted, notes)
    return Parts(row, pixels, None, length, frozen)


def write(job: Job, target: Target, plan: str, parts: Parts, notes: list[str]) -> Written:
    """One script per stage, each with all options of the program's own script for that stage."""
    stages, files = STAGES[plan], []
    for number, stage in enumerate(stages, 1):
        values = target.defaults(stage)
        divide(target.slug, int(values["--global-batch-size"]), 1, job.gpus)  # or refuses
        packed = "".join(
            f"export {name}={value}\n" for name, value in values.items() if name[0] != "-"
        )
        folder = f"checkpoints/{job.name}-{stage}"
        options: dict[str, object] = {
            "--model-name": parts.row["id"],
            "--hf-tokenizer-path": Variable("TOKENIZER"),
            "--data-path": Variable("DATA"),
            **{name: value for name, value in values.items() if name[0] == "-"},
            "--trainable-modules": _trained(parts, stage),
            "--seq-length": str(parts.length),
            "--min-pixels": str(parts.pixels[0]),
            "--max-pixels": str(parts.pixels[1]),
            "--load": Variable("LOAD"),
            "--save": folder,
            "--dataloader-save": f"{folder}/dataloader",
            "--tensorboard-dir": f"{folder}/tensorboard",
        }
        head = heading(job, target, stages, stage, parts.frozen["encoder"], SHOWN)
        files.append(
            (
                f"{job.name}-{number}-{stage}.sh",
                script(
                    head,
                    data_line(job, "the folder of your data as WebDataset (its README says how)")
                    + _asks(number)
                    + packed
                    + 'export PYTHONPATH="$PWD/aiak_megatron:$PWD:${PYTHONPATH:-}"\n',
                    f"torchrun --nproc_per_node {job.gpus} aiak_training_llm/train.py",
                    options,
                ),
            )
        )
    notes.append(
        "LLaVA-OneVision-1.5 joins its parts first: ds/merge_model.py --vit_path"
        f" {parts.row['vit_id']} --llm_path {parts.row['llm_id']}; its convert scripts turn the"
        " result into Megatron's form, and the last stage back"
    )
    return files, folder, (target.record["lmms_eval"], f"pretrained={folder}")


def _trained(parts: Parts, stage: str) -> tuple[str, ...]:
    """The program's names of what a stage trains."""
    return tuple(
        MODULES[part]
        for part in PARTS
        if not parts.frozen[part] and (stage != "align" or part == "connector")
    )


def _asks(number: int) -> str:
    """The shell lines that ask for the folders to begin with."""
    load = (
        "the merged model in Megatron form (convert_4b_hf_to_mcore.sh)"
        if number == 1
        else "the checkpoint of the stage before (convert_4b_mcore_to_release.sh)"
    )
    return (
        ': "${TOKENIZER:?the folder of the merged model (ds/merge_model.py)}"\n'
        f': "${{LOAD:?{load}}}"\n'
    )
