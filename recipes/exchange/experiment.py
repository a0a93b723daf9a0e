"""A whole experiment as files: one configuration per run, a manifest, and the commands to evaluate
and to import afterwards.

In: named recipes and a training program. Out: file names and texts (`plan_experiment`), or files in
a folder that the user named (`write_files`). Writes nowhere else, and overwrites no file of
other content unless told to. Runs nothing.
"""

import errno
import json
import os
import shlex
import stat
from collections.abc import Sequence
from typing import NamedTuple

from ..base.write import write_text
from ..terms.recipe import Recipe, RecipeError
from ..terms.tasks import parse_mix
from ..terms.vocabulary import Vocabulary
from .target import EVALUATOR, Job, Target, comment
from .trainers import Export, export

MANIFEST, EVALUATE, IMPORT = "manifest.json", "evaluate.sh", "import.sh"


class Experiment(NamedTuple):
    """files: (name, text), configurations first; runs: what was exported, in the given order."""

    files: tuple[tuple[str, str], ...]
    runs: tuple[Export, ...]

    @property
    def notes(self) -> list[str]:
        """What to know, each once."""
        return list(dict.fromkeys(note for run in self.runs for note in run.notes))


def plan_experiment(
    runs: Sequence[tuple[str, Recipe]],
    target: str,
    words: Vocabulary,
    *,
    table: str = "my-experiment",
    tasks: str | None = None,
    program: str = "python3 main.py",
    **how,
) -> Experiment:
    """The files of an experiment. runs: (name, recipe), the recipes whole (answers.parts.whole);
    tasks: the mix to evaluate on; how: the other fields of every Job.

    Raises RecipeError (which names the run when there are several), UnknownName and MixError.
    """
    seen: set[str] = set()
    done: list[Export] = []
    for name, recipe in runs:
        # names differ on every file system, also where case does not count
        if name.lower() in seen:
            raise RecipeError("name", f"two runs are called {name[:40]!r}")
        seen.add(name.lower())
        try:
            done.append(export(Job(name, recipe, **how), target, words))
        except RecipeError as error:
            raise (
                error
                if len(runs) == 1
                else RecipeError(error.field, f"run {name[:40]}: {str(error).partition(': ')[2]}")
            ) from None
    chosen = benchmarks(tasks, words)
    evaluator = Target(EVALUATOR, words, evaluator=True)
    files = [
        *(file for run in done for file in run.files),
        (EVALUATE, evaluate_text(done, chosen, evaluator)),
        (IMPORT, import_text(done, table, program)),
        (
            MANIFEST,
            manifest_text(done, Target(target, words), evaluator, table, chosen, program),
        ),
    ]
    names = [name for name, _ in files]
    clash = next(
        (
            name
            for i, name in enumerate(names)
            if name.lower() in {other.lower() for other in names[:i]}
        ),
        None,
    )
    if clash:
        raise RecipeError("name", f"two files would be called {clash!r}: name the runs differently")
    return Experiment(tuple(files), tuple(done))


def write_files(folder: str, files: Sequence[tuple[str, str]], force: bool = False) -> list[str]:
    """Write (name, text) into a folder: all of them or, where one may not be written, none."""
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, name) for name, _ in files]
    for path, (name, text) in zip(paths, files, strict=True):
        if os.path.basename(name) != name or name in (".", ".."):
            raise OSError(errno.EINVAL, "would lie outside the folder", path)
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        if os.path.lexists(path) and not force and not same(path, text):
            raise OSError(errno.EEXIST, "exists with other content (--force overwrites)", path)
    for path, (_, text) in zip(paths, files, strict=True):
        write_text(path, text)
    return paths


def same(path: str, text: str) -> bool:
    """Does a file hold exactly this text?"""
    with open(path, "rb") as file:
        return file.read(len(text.encode()) + 1) == text.encode()


def benchmarks(tasks: str | None, words: Vocabulary) -> list[tuple[str, str]]:
    """(benchmark, lmms-eval task) of a task mix: the first task of each that prints a score."""
    out = []
    for benchmark in parse_mix(tasks, words).benchmarks:
        scored = [
            row["task"]
            for row in words.records("benchmark")[benchmark].get("lmms_eval") or []
            if row.get("metric_key") not in (None, "submission")
        ]
        if scored:
            out.append((benchmark, scored[0]))
    if not out:
        raise RecipeError(
            "tasks",
            (
                f"lmms-eval has no task for {tasks[:60]!r}"
                if tasks
                else "lmms-eval has none of these tasks"
            ),
        )
    return out


def evaluation(run: Export, tasks: Sequence[tuple[str, str]]) -> list[str] | None:
    """The command that evaluates a trained run, None where lmms-eval cannot."""
    if run.evaluator is None:
        return None
    model, arguments = run.evaluator
    return [
        "python3",
        "-m",
        "lmms_eval",
        "--model",
        model,
        "--model_args",
        arguments,
        "--tasks",
        ",".join(dict.fromkeys(task for _, task in tasks)),
        "--batch_size",
        "1",
        "--output_path",
        f"results/{run.job.name}",
    ]


def importing(run: Export, table: str, program: str) -> list[str]:
    """The command that imports the results of a run."""
    stated = {name: value for name, value in run.job.recipe.stated().items() if name != "training"}
    recipe = ",".join(f"{name}={_said(value)}" for name, value in stated.items())
    return [
        *shlex.split(program),
        "import",
        results(run),
        "--as",
        run.job.name,
        "--recipe",
        recipe,
        "--table",
        table,
    ]


def _said(value) -> str:
    """A recipe's value as it is typed."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def results(run: Export) -> str:
    """Where the results of a run are expected: a folder that lmms-eval fills, or a CSV."""
    return f"results/{run.job.name}" if run.evaluator else f"results/{run.job.name}.csv"


def evaluate_text(
    runs: Sequence[Export], tasks: Sequence[tuple[str, str]], evaluator: Target
) -> str:
    """evaluate.sh: one lmms-eval command per run."""
    head = comment(
        [
            (
                f"evaluate the trained runs with {evaluator.record['repository']} (read at commit"
                f" {evaluator.record['commit'][:12]})"
            ),
            "run it where the training ran; results go to results/RUN/",
            "benchmarks: " + ", ".join(name for name, _ in tasks),
        ]
    )
    body = ""
    for run in runs:
        command = evaluation(run, tasks)
        body += (
            shlex.join(command) + "\n"
            if command
            else comment(
                [f"{run.job.name}: {run.notes[-1]}", f"write its scores to {results(run)}"]
            )
        )
    return f"#!/usr/bin/env bash\n{head}set -euo pipefail\n{body}"


def import_text(runs: Sequence[Export], table: str, program: str) -> str:
    """import.sh: one import command per run; all runs of one table become contrasts."""
    head = comment(
        [
            "import the results of evaluate.sh: run it in the folder of the program, with the"
            " folder that holds results/ as its argument"
        ]
    )
    lines = [
        shlex.join(importing(run, table, program)).replace(
            f" import {results(run)} ", f' import "${{1:-.}}/{results(run)}" ', 1
        )
        for run in runs
    ]
    return f"#!/usr/bin/env bash\n{head}set -euo pipefail\n" + "".join(
        line + "\n" for line in lines
    )


def manifest_text(
    runs: Sequence[Export],
    target: Target,
    evaluator: Target,
    table: str,
    tasks: Sequence[tuple[str, str]],
    program: str,
) -> str:
    """manifest.json: what was written, for which versions, and how the pieces belong together."""
    value = {
        "format": 1,
        "target": target.slug,
        "version": target.version,
        "evaluator": {"name": EVALUATOR, **evaluator.version},
        "gpus": runs[0].job.gpus,
        "table": table,
        "benchmarks": [{"benchmark": name, "task": task} for name, task in tasks],
        "runs": [
            {
                "name": run.job.name,
                "recipe": run.job.recipe.stated(),
                "plan": run.plan,
                "files": [name for name, _ in run.files],
                "model": run.model,
                "evaluate": evaluation(run, tasks),
                "results": results(run),
                "import": importing(run, table, program),
                "notes": list(run.notes),
            }
            for run in runs
        ],
        "evaluate": EVALUATE,
        "import": IMPORT,
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
