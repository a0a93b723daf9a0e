"""A recipe as configuration of LLaVA and of LLaVA-NeXT, which has grown out of it.

In: a Job and its Target. Out: the program's options for the parts (`settle`, `settle_next`), its
scripts (`write`, `write_next`).
"""

from collections.abc import Iterable
from typing import NamedTuple

from ..terms.recipe import RecipeError
from .stages import STAGES, Written, heading
from .target import READS, InData, Job, Target, data_line, divide, layout, script, sources

SHOWN = (
    "global batch",
    "--learning_rate",
    "--mm_vision_tower_lr",
    "--num_train_epochs",
    "--per_device_train_batch_size",
)


class Parts(NamedTuple):
    """LLaVA's options for the parts of a recipe, the row of its LLM, options for tiles, and the
    sequence length by stage.
    """

    options: dict[str, object]
    llm: dict
    tiles: dict[str, object]
    frozen: bool
    lengths: dict[str, int]


def settle(job: Job, target: Target, plan: str, notes: list[str]) -> Parts:
    """What the recipe is in LLaVA. Raises RecipeError."""
    side = target.fixed(job)
    options, llm = llava_parts(job, target, side), target.llm(job.recipe)
    seen = target.tokens(job, side)
    target.same_tokens(job, [seen])
    lengths = _lengths(job, target, (seen, seen), notes)
    return Parts(options, llm, {}, target.frozen(job), lengths)


def _lengths(
    job: Job, target: Target, seen: tuple[int, int], notes: list[str], fewer: Iterable[int] = ()
) -> dict[str, int]:
    """Sequence length by stage. seen: visual tokens while the connector is aligned, and after."""
    return {
        stage: target.length(
            job, image, int(target.defaults(stage)["--model_max_length"]), notes, fewer
        )
        for stage, image in zip(("align", "instruct"), seen, strict=True)
    }


def write(job: Job, target: Target, plan: str, parts: Parts, notes: list[str]) -> Written:
    """llava/train/train_mem.py of haotian-liu/LLaVA: a script for the connector and one for the
    instructions.
    """
    frozen, stages, files, llm = parts.frozen, STAGES[plan], [], parts.llm
    for number, stage in enumerate(stages, 1):
        values = target.defaults(stage)
        total, share = int(values.pop("global batch")), int(values["--per_device_train_batch_size"])
        share, steps = divide(target.slug, total, share, job.gpus)
        values |= {
            "--per_device_train_batch_size": str(share),
            "--gradient_accumulation_steps": str(steps),
            "--model_max_length": str(parts.lengths[stage]),
        }
        options = llava_stage(job, stage, plan, parts, values)
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
    return files, model, _evaluator(target, model, llm)


def llava_parts(job: Job, target: Target, side: int) -> dict[str, object]:
    """The options that name encoder and connector, in both repositories."""
    return {
        "--vision_tower": target.encoder(job.recipe, side)["id"],
        "--mm_projector_type": target.connector(job.recipe)["id"],
    }


def llava_stage(job: Job, stage: str, plan: str, parts: Parts, values: dict) -> dict[str, object]:
    """The options of one stage that both repositories share."""
    annotations, images = READS[stage]
    options: dict[str, object] = {
        "--model_name_or_path": parts.llm["id"],
        "--version": "plain" if stage == "align" else parts.llm["version"],
        "--data_path": InData(annotations),
        "--image_folder": InData(images),
        **parts.options,
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


def settle_next(job: Job, target: Target, plan: str, notes: list[str]) -> Parts:
    """What the recipe is in LLaVA-NeXT. Raises RecipeError."""
    side, across = target.grid(job, notes)
    options, llm = llava_parts(job, target, side), target.llm(job.recipe)
    view = target.tokens(job, side)
    tiles, seen = next_tiles(job, target, side, across, view)
    fewer = [view * (tiles + 1) for tiles in range(1, across * across)]
    lengths = _lengths(job, target, (view, seen), notes, fewer)
    return Parts(options, llm, tiles, target.frozen(job), lengths)


def write_next(job: Job, target: Target, plan: str, parts: Parts, notes: list[str]) -> Written:
    """llava/train/train_mem.py of LLaVA-VL/LLaVA-NeXT: as LLaVA, with tiles and a trainable
    encoder.
    """
    llm, frozen, stages, files = parts.llm, parts.frozen, STAGES[plan], []
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
        options = _options_next(job, target, stage, plan, parts)
        shown = tuple(option for option in SHOWN if not frozen or option != "--mm_vision_tower_lr")
        head = heading(job, target, stages, stage, frozen, shown)
        if stage == "knowledge":
            head += sources(target, ("instruct",), shown)
        launcher = f"torchrun --nproc_per_node {job.gpus} --nnodes 1 llava/train/train_mem.py"
        text = script(head, data_line(job, layout(stages)), launcher, options)
        files.append((f"{job.name}-{number}-{stage}.sh", text))
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
    return files, model, _evaluator(target, model, llm)


def _options_next(
    job: Job, target: Target, stage: str, plan: str, parts: Parts
) -> dict[str, object]:
    """All options of a stage of LLaVA-NeXT."""
    like = "align" if stage == "align" else "instruct"
    values = target.defaults(like)
    learned = values.pop("--mm_vision_tower_lr", None)
    values["--model_max_length"] = str(parts.lengths[like])
    options = llava_stage(job, stage, plan, parts, values)
    if stage == "align":
        options["--mm_tunable_parts"] = "mm_mlp_adapter"
    else:
        both = "mm_mlp_adapter,mm_language_model"
        options["--mm_tunable_parts"] = both if parts.frozen else f"mm_vision_tower,{both}"
        options |= {} if parts.frozen else {"--mm_vision_tower_lr": learned}
        options |= parts.tiles
    if plan == "three-stage" and stage != "align":
        family = parts.llm["id"].replace("/", "_")
        options["--output_dir"] = f"checkpoints/llava-{job.name}-{stage}-{family}"
        if stage == "instruct":
            options["--model_name_or_path"] = f"checkpoints/llava-{job.name}-knowledge-{family}"
            del options["--pretrain_mm_mlp_adapter"]
    return {**options, "--run_name": f"{job.name}-{stage}"}


def _evaluator(target: Target, model: str, llm: dict) -> tuple[str, str]:
    """How lmms-eval reads the trained model."""
    named = f"conv_template={llm['conversation']},model_name={llm['model_name']}"
    return target.record["lmms_eval"], f"pretrained={model},{named}"


def next_tiles(
    job: Job, target: Target, side: int, across: int, view: int
) -> tuple[dict[str, object], int]:
    """Options for one view, or for across x across tiles and an overview, at most as many tokens as
    the recipe states; and how many tokens an image has at most.
    """
    if across == 1:
        target.same_tokens(job, [view])
        return dict(target.defaults("fixed")), view
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
    whole = view * (across * across + 1)
    target.same_tokens(job, [whole, *capped])
    tiles = capped.get(int(job.recipe.visual_tokens or 0))
    ratio = f"anyres_max_{tiles}" if tiles else "anyres"
    return {"--image_aspect_ratio": ratio, **cut}, view * (tiles + 1) if tiles else whole
