"""Going on from a released model: LLaMA-Factory and ms-swift.

In: a Job and its Target. Out: the released model whose parts the recipe has, its tokens and length
(`settle`), and each program's files. Both join no parts: they train what a model has already, with
all weights, LoRA or QLoRA, and with the parts frozen that the user names.
"""

import json
import re
from typing import NamedTuple

from ..terms.recipe import Recipe, RecipeError
from ..terms.vocabulary import fold, nearest
from .stages import Written
from .target import PARTS, Job, Target, about, comment, data_line, script, sources

SHOWN = (
    "learning_rate",
    "num_train_epochs",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
)
UNIT = 28 * 28  # pixels of a token in the registry's names of native resolutions
TILE = 448  # pixels across a tile of InternVL, 256 tokens


class Parts(NamedTuple):
    """A released model and how its images go in. pixels: least and most of an image (None: the
    program's own); tiles: at most so many (None: the model has none).
    """

    row: dict
    pixels: tuple[int, int] | None
    tiles: int | None
    length: int
    frozen: dict[str, bool]


def released(target: Target, name: str) -> dict:
    """The row of a released model by its id, the last part of it, or our key. Raises
    RecipeError.
    """
    names = {}
    for row in target.rows("released"):
        key = row["parts"].partition(": ")[2]
        last = row["id"].rpartition("/")[2]
        for spelled in (row["id"], last, key, key.removesuffix("-instruct")):
            names.setdefault(fold(spelled), row)
    if fold(name) not in names:
        near = nearest(name, {key: row["id"] for key, row in names.items()}, 3)
        raise target.refuse("model", name, near or target.goes_on_from(), "knows no released model")
    return names[fold(name)]


def recipe_of(row: dict, own: Recipe, base: Recipe) -> Recipe:
    """The recipe of a released model, with what the user says of it over it."""
    parts = {field: row[field] for field in (*PARTS, "resolution")}
    return own.over(Recipe(**parts, data=base.data, data_size=base.data_size))


def settle(job: Job, target: Target, plan: str, notes: list[str]) -> Parts:
    """The model, its pixels, tokens and length. Raises RecipeError."""
    target.method(job)
    row = released_row(job, target, notes)
    frozen = frozen_parts(job, target)
    pixels = native_pixels(job.recipe.resolution, row, target)
    tiles, seen = _seen(job, target, row, pixels)
    usual = target.defaults("all")  # its own length is for text: the image comes on top
    wanted = int(usual.get("cutoff_len") or usual["--max_length"])
    return Parts(row, pixels, tiles, target.length(job, seen, wanted + seen, notes), frozen)


def frozen_parts(job: Job, target: Target) -> dict[str, bool]:
    """Which parts stay as they are. Raises RecipeError when none is left to train."""
    freeze = job.freeze
    if freeze is None:
        freeze = ("encoder",) if target.frozen(job) else ()
    if set(freeze) >= set(PARTS):
        raise target.refuse("freeze", ",".join(freeze), (), "has nothing left to train with")
    return {part: part in freeze for part in PARTS}


def released_row(job: Job, target: Target, notes: list[str]) -> dict:
    """The released model that is named, or the first with the recipe's parts."""
    rows = [released(target, job.model)] if job.model else target.rows("released")
    native = native_pixels(job.recipe.resolution, {}, target) is not None
    for field in (*PARTS, "resolution"):
        asked = getattr(job.recipe, field)
        wanted = "native" if field == "resolution" and native else asked
        kept = [row for row in rows if row[field] == wanted or _itself(job, row, field, asked)]
        if not kept:
            accepted = [
                "resized to 576 tokens, aspect ratio kept" if row[field] == "native" else row[field]
                for row in rows
            ]
            why = "fine-tunes released models and knows none with these parts and"
            raise target.refuse(field, wanted, accepted, why)
        rows = kept
    others = [row["id"] for row in rows[1:]]
    if others:
        notes.append(f"other released models have these parts too (--model): {', '.join(others)}")
    return rows[0]


def _itself(job: Job, row: dict, field: str, asked) -> bool:
    """A model that is named has parts that a recipe may have no word for."""
    return bool(job.model) and field != "resolution" and asked in (None, row[field])


def native_pixels(resolution, row: dict, target: Target) -> tuple[int, int] | None:
    """Least and most pixels of an image that keeps its shape, as the registry's names of such
    resolutions say them; for "native" alone the program's own limit.
    """
    same = re.fullmatch(r"resized to (\d{1,6}) tokens, aspect ratio kept", str(resolution))
    if same:
        pixels = int(same[1]) * row.get("pixels_per_token", UNIT)
        return pixels, pixels
    span = re.fullmatch(
        r"native, min_pixels (\d{1,6})x28x28, max_pixels (\d{1,6})x28x28", str(resolution)
    )
    if span:
        return int(span[1]) * UNIT, int(span[2]) * UNIT
    if resolution != "native":
        return None
    limits = [int(value) for value in target.defaults("limit").values()]
    return (4 * UNIT, limits[0]) if limits else None


def _seen(
    job: Job, target: Target, row: dict, pixels: tuple[int, int] | None
) -> tuple[int | None, int]:
    """(tiles at most, visual tokens of an image at most); a stated number must agree."""
    stated = job.recipe.visual_tokens
    if row.get("tiles"):
        view = (TILE // 14 // 2) ** 2
        counts = {view * (n + 1) if n > 1 else view: n for n in range(1, row["tiles"] + 1)}
        if target.slug == "llamafactory":  # it cuts into all tiles, or not at all
            counts = {seen: n for seen, n in counts.items() if n in (1, row["tiles"])}
        target.same_tokens(job, counts)
        seen = int(stated) if stated else max(counts)
        return counts[seen], seen
    if pixels:
        made = pixels[1] // row.get("pixels_per_token", UNIT)
    elif row.get("tokens"):
        made = row["tokens"]
    elif isinstance(job.recipe.resolution, int):
        made = target.tokens(job, job.recipe.resolution)
    else:  # LLaVA-NeXT: 2 x 2 tiles of 336 px and the overview
        made = 5 * target.tokens(job, 336)
    target.same_tokens(job, [made])
    return None, made


def _evaluator(parts: Parts, folder: str) -> tuple[str, str] | None:
    row = parts.row
    return (row["lmms_eval"], f"pretrained={folder}") if row["lmms_eval"] else None


def _told(job: Job, name: str, parts: Parts, notes: list[str]) -> None:
    """What both programs' users should know."""
    notes.append(
        f"{name} joins no parts: this goes on training {parts.row['id']}, whose connector is"
        " trained already"
    )
    if job.method != "full":
        notes.append(
            "the result is an adapter: join it with the model before it is evaluated as one"
        )
    if parts.tiles and parts.tiles > 1:
        notes.append(f"images are cut into up to {parts.tiles} tiles of {TILE} px and an overview")


# --- LLaMA-Factory
# ------------------------------------------------------------------------------------------


def write_llamafactory(
    job: Job, target: Target, plan: str, parts: Parts, notes: list[str]
) -> Written:
    """A YAML file for llamafactory-cli train, and its launcher."""
    row, recipe = parts.row, job.recipe
    values = {**target.defaults("all"), **target.defaults(job.method)}
    names = ("freeze_vision_tower", "freeze_multi_modal_projector", "freeze_language_model")
    plain = {
        **values,
        "cutoff_len": str(parts.length),
        **{name: str(parts.frozen[part]).lower() for name, part in zip(names, PARTS, strict=True)},
        **_pixels_llamafactory(recipe, parts),
    }
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
            *sources(target, ("all", job.method), SHOWN),
        ]
    )
    text += "".join(f"{name}: {json.dumps(value)}\n" for name, value in quoted.items())
    text += "".join(f"{name}: {value}\n" for name, value in plain.items())
    place = (
        f"the folder with dataset_info.json, which describes your data under the name {recipe.data}"
    )
    data, ask = (
        ("", "") if job.data is not None else (data_line(job, place), ' dataset_dir="$DATA"')
    )
    head = comment([*about(job, target, f"starts {job.name}.yaml")[::2], "data: " + place])
    start = (
        f"#!/usr/bin/env bash\n{head}set -euo pipefail\n{data}"
        f'FORCE_TORCHRUN=1 NPROC_PER_NODE={job.gpus} llamafactory-cli train "$(dirname'
        f' "$0")/{job.name}.yaml"{ask}\n'
    )
    _told(job, "LLaMA-Factory", parts, notes)
    notes.append(
        f"the batch grows with --gpus; dataset_info.json of your data must name {recipe.data}"
    )
    folder = f"saves/{job.name}"
    files = [(f"{job.name}.yaml", text), (f"{job.name}.sh", start)]
    return files, folder, _evaluator(parts, folder)


def _pixels_llamafactory(recipe: Recipe, parts: Parts) -> dict[str, str]:
    """It makes every image smaller than image_max_pixels (768 x 768, hparams/model_args.py), before
    the model's own processor sees it.
    """
    if parts.pixels:
        least, most = parts.pixels
        return {"image_min_pixels": str(least), "image_max_pixels": str(most)}
    if parts.tiles:
        cut = {"crop_to_patches": str(parts.tiles > 1).lower()}
        return {**cut, "image_max_pixels": str(max(parts.tiles * TILE**2, 768**2))}
    if isinstance(recipe.resolution, int) and recipe.resolution > 768:
        return {"image_max_pixels": str(recipe.resolution**2)}
    return {}


# --- ms-swift
# ------------------------------------------------------------------------------------------


def write_swift(job: Job, target: Target, plan: str, parts: Parts, notes: list[str]) -> Written:
    """swift sft in a shell script."""
    row, folder = parts.row, f"output/{job.name}"
    names = ("--freeze_vit", "--freeze_aligner", "--freeze_llm")
    options: dict[str, object] = {
        "--model": row["id"],
        **target.defaults("all"),
        **target.defaults(job.method),
        "--max_length": str(parts.length),
        **{name: str(parts.frozen[part]).lower() for name, part in zip(names, PARTS, strict=True)},
        "--output_dir": folder,
        "--report_to": "none",
    }
    if parts.pixels:
        options["--max_pixels"] = str(parts.pixels[1])
        if parts.pixels[0] == parts.pixels[1]:
            notes.append("ms-swift makes large images smaller and not small ones larger")
    setting = f"NPROC_PER_NODE={job.gpus} "
    if parts.tiles:
        setting += f"MAX_NUM={parts.tiles} "
    place = "your data: a JSONL file as ms-swift reads it, or the name of a data set that it knows"
    text = script(
        [
            *about(job, target, f"fine-tunes {row['id']} ({row['parts']})"),
            *sources(target, ("all", job.method), tuple(f"--{name}" for name in SHOWN)),
        ],
        data_line(job, place),
        f'{setting}swift sft --dataset "$DATA"',
        options,
    )
    _told(job, "ms-swift", parts, notes)
    notes.append("the batch grows with --gpus; checkpoints lie in folders below the output folder")
    return [(f"{job.name}.sh", text)], folder, _evaluator(parts, folder)
