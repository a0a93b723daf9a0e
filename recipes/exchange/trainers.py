"""A recipe as configuration of an existing training program.

In: a Job (name, recipe, stages, GPUs, where the data lies) and the vocabulary. Out: an Export: file
names and texts, what to know about them, where the trained model will lie and how lmms-eval reads
it; or only whether a program can express a recipe. What it cannot is a RecipeError. Option names,
identifiers and printed hyper-parameters come from registry/trainers.json; none is made up. Writes
no files. The data itself is not part of any configuration: files point to the user's folder.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from ..terms.recipe import Recipe, RecipeError
from ..terms.vocabulary import Vocabulary
from . import finetune, llava, nanovlm, onevision, prismatic
from .stages import Written
from .target import Job, Target

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Program(NamedTuple):
    """settle: (job, target, plan, notes) -> the recipe in the program's words, or a RecipeError;
    write: with those -> its files.
    """

    settle: Callable[[Job, Target, str, list[str]], object]
    write: Callable[..., Written]


PROGRAMS = {
    "prismatic": Program(prismatic.settle, prismatic.write),
    "llava": Program(llava.settle, llava.write),
    "llava-next": Program(llava.settle_next, llava.write_next),
    "nanovlm": Program(nanovlm.settle, nanovlm.write),
    "llamafactory": Program(finetune.settle, finetune.write_llamafactory),
    "ms-swift": Program(finetune.settle, finetune.write_swift),
    "llava-ov-1.5": Program(onevision.settle, onevision.write),
}


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
    plan, settled = settle(job, target, notes)
    files, model, evaluator = PROGRAMS[slug].write(job, target, plan, settled, notes)
    if not any(row["data"] == job.recipe.data for row in target.rows("data")):
        notes.append(
            f"the data is yours: the recipe's {job.recipe.data} is not part of a configuration"
        )
    if evaluator is None:
        notes.append(
            "lmms-eval has no class for the trained model"
            if target.rows("released")
            else f"lmms-eval has no class for the trained model; {target.record['name']} is"
            f" evaluated with {target.record['lmms_eval_source']}"
        )
    return Export(job, slug, plan, tuple(files), tuple(dict.fromkeys(notes)), model, evaluator)


def settle(job: Job, target: Target, notes: list[str]) -> tuple[str, object]:
    """(plan, the recipe in the program's words). Raises RecipeError."""
    plan = target.plan(job, notes)
    target.method(job)
    if not target.rows("released"):
        if job.model:
            raise target.refuse("model", job.model, (), "joins parts and goes on from no model:")
        if set(job.freeze or ()) - {"encoder"}:
            freeze = ",".join(job.freeze)
            raise target.refuse("freeze", freeze, ("encoder",), "trains connector and LLM: cannot")
    return plan, PROGRAMS[target.slug].settle(job, target, plan, notes)


def expressible(
    recipe: Recipe, target: Target, plan: str | None = None, method: str = "full"
) -> str | None:
    """None when the program can express a whole recipe, else why not: one line. Pure."""
    try:
        settle(Job("run", recipe, plan, method=method), target, [])
    except RecipeError as error:
        return str(error)
    return None
