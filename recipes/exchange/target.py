"""What a training program can express, and how its commands are written.

In: registry/trainers.json (option names and identifiers, each with the line of the program it was
read from) and a Job.
Out: the program's identifiers for the parts of a recipe, or a RecipeError that names the field, the
value and what the program accepts; the text of shell scripts. Knows no single program (trainers.py
does) and writes no files.
"""

import functools
import json
import re
import shlex
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..cost.tokens import per_view
from ..terms.names import meant
from ..terms.recipe import BASELINE, Recipe, RecipeError
from ..terms.vocabulary import UnknownName, Vocabulary, nearest

EVALUATOR = "lmms-eval"
PLANS = {
    "llava": "two stages: the connector on captions, then connector and LLM on instructions",
    "three-stage": "as llava, with everything trained on recaptioned images in between",
    "one-stage": "connector and LLM at once on instructions",
    "finetune": "a released model with the recipe's parts, on instructions",
}
# What each stage reads below the folder of the data: our own names, said in every file that uses
# them.
READS = {
    "align": ("align.json", "align_images"),
    "knowledge": ("knowledge.json", "knowledge_images"),
    "instruct": ("instruct.json", "images"),
}


METHODS = ("full", "lora", "qlora")
PARTS = ("encoder", "connector", "llm")
# The least room for question and answer behind an image: our own choice. The mean conversation of
# LLaVA-665K has some 200 tokens; a context that leaves less cuts off what is to be learned.
TEXT_TOKENS = 256


class Job(NamedTuple):
    """One run to write down. plan: None: the target's usual one; data: the user's folder, None:
    $DATA at run time; method: how the LLM is trained; freeze: parts that stay as they are (None: as
    the recipe and the program have it); model: a released model to go on from.
    """

    name: str
    recipe: Recipe
    plan: str | None = None
    gpus: int = 8
    data: str | None = None
    method: str = "full"
    freeze: tuple[str, ...] | None = None
    model: str | None = None


class InData(NamedTuple):
    """A path below the folder of the user's data; empty: the folder itself."""

    path: str


class Variable(NamedTuple):
    """An environment variable that the user sets."""

    name: str


def refuse(
    target: str, field: str, value, accepted: Iterable, why: str = "cannot express"
) -> RecipeError:
    """The error for a value that a program cannot express: names the field, the value, what is
    accepted and what is near.
    """
    return RecipeError(field, _refusal(target, str(value), tuple(map(str, accepted)), why))


@functools.lru_cache(4096)  # thousands of candidates are refused for the same few values
def _refusal(target: str, value: str, accepted: tuple[str, ...], why: str) -> str:
    known = list(dict.fromkeys(accepted))
    number = re.fullmatch(r"(anyres-)?[\d.]+", value)  # near digits are no near miss
    near = "" if number or len(known) < 2 else meant(value, known, "?")
    hint = f" (accepted: {', '.join(known)}{near})" if known else ""
    return f"{target} {why} {value[:60]!r}{hint}"


def names(words: Vocabulary) -> list[str]:
    """The programs that configurations can be written for."""
    return [row["target"] for row in words.registry("trainers")["targets"] if row["plans"]]


class Target:
    """One training program (or the evaluator), as the registry records it. Raises UnknownName for
    other names.
    """

    def __init__(self, slug: str, words: Vocabulary, evaluator: bool = False):
        known = {
            row["target"]: row
            for row in words.registry("trainers")["targets"]
            if bool(row["plans"]) != evaluator
        }
        if slug not in known:
            raise UnknownName(
                "target",
                slug,
                nearest(slug, names(words)),
                names(words),
            )
        self.slug, self.record, self.words = slug, known[slug], words
        self._rows: dict[str, list[dict]] = {}

    def rows(self, kind: str) -> list[dict]:
        """The program's rows of one list of the registry: options, encoders, connectors, llms,
        released, data, defaults.
        """
        if kind not in self._rows:
            every = self.words.registry("trainers")[kind]
            self._rows[kind] = [row for row in every if row["target"] == self.slug]
        return self._rows[kind]

    def goes_on_from(self) -> dict[str, str]:
        """The released models that it trains further: key of registry/models.json -> its id."""
        return {row["parts"].partition(": ")[2]: row["id"] for row in self.rows("released")}

    @property
    def version(self) -> dict:
        """Where the option names were read."""
        return {key: self.record[key] for key in ("repository", "commit", "committed", "read")}

    def defaults(self, *stages: str) -> dict[str, str]:
        """Option -> value that the program's own script or configuration prints for these
        stages.
        """
        return {
            row["option"]: row["value"] for row in self.rows("defaults") if row["stage"] in stages
        }

    def refuse(
        self, field: str, value, accepted: Iterable, why: str = "cannot express"
    ) -> RecipeError:
        """The error for a value that this program cannot express."""
        return refuse(self.slug, field, value, accepted, why)

    # --- the parts of a recipe

    def encoder(self, recipe: Recipe, side: int | str | None) -> dict:
        """The row of an encoder at a number of pixels."""
        rows = [row for row in self.rows("encoders") if row["encoder"] == recipe.encoder]
        if not rows:
            raise self.refuse(
                "encoder", recipe.encoder, (row["encoder"] for row in self.rows("encoders"))
            )
        for row in rows:
            if row["resolution"] == side:
                return row
        raise self.refuse(
            "resolution",
            side,
            (row["resolution"] for row in rows),
            f"takes {recipe.encoder} not at",
        )

    def connector(self, recipe: Recipe) -> dict:
        """The row of a connector."""
        return self._named("connector", recipe.connector)

    def llm(self, recipe: Recipe) -> dict:
        """The row of an LLM; a recipe that gives only its size is refused."""
        if recipe.llm is None:
            raise self.refuse(
                "llm",
                f"{recipe.llm_params_b:g}B",
                (row["llm"] for row in self.rows("llms")),
                "needs the name of an LLM, not a size:",
            )
        return self._named("llm", recipe.llm)

    def _named(self, field: str, value) -> dict:
        rows = {row[field]: row for row in self.rows(field + "s")}
        if value not in rows:
            raise self.refuse(field, value, rows)
        return rows[value]

    def plan(self, job: Job, notes: list[str]) -> str:
        """The stages: as asked, else the program's usual ones; a schedule in free words must be
        said as a plan.
        """
        plans = self.record["plans"]
        if job.plan and job.plan not in plans:
            raise self.refuse("plan", job.plan, plans)
        if job.recipe.training not in (None, BASELINE.training):
            if not job.plan:
                raise self.refuse(
                    "training",
                    job.recipe.training,
                    (),
                    "cannot read stages in words (--plan says them):",
                )
            notes.append(
                "the recipe's own words about its training are not read: the stages are those of"
                " --plan"
            )
        plan = job.plan or plans[0]
        if plan != "llava" and job.plan is None and job.recipe.training:
            notes.append(
                f"{self.record['name']} trains in its own way, not in the recipe's two stages:"
                f" {PLANS[plan]}"
            )
        return plan

    def frozen(self, job: Job) -> bool:
        """Is the encoder frozen? False is refused where the program cannot train it."""
        trained = (
            job.recipe.frozen_encoder is False
            if job.freeze is None
            else ("encoder" not in job.freeze)
        )
        if trained and not self.record["trains_encoder"]:
            raise self.refuse(
                "frozen_encoder",
                "false",
                ("true",),
                "runs the encoder without gradients: it cannot express",
            )
        if job.freeze is not None:
            return "encoder" in job.freeze
        return job.recipe.frozen_encoder is not False

    def sides(self, recipe: Recipe) -> list[int]:
        """The pixels at which its encoder can be trained."""
        encoders = (row for row in self.rows("encoders") if row["encoder"] == recipe.encoder)
        return sorted({row["resolution"] for row in encoders})

    def fixed(self, job: Job) -> int:
        """The pixels of a recipe without tiles."""
        recipe = job.recipe
        if not isinstance(recipe.resolution, int):
            raise self.refuse(
                "resolution",
                recipe.resolution,
                self.sides(recipe),
                "trains at a fixed size and cannot express",
            )
        if recipe.tiling:
            raise self.refuse(
                "tiling",
                recipe.tiling,
                (),
                f"at {recipe.resolution} px has one view of an image and cannot express",
            )
        return recipe.resolution

    def grid(self, job: Job, notes: list[str]) -> tuple[int, int]:
        """(pixels of a tile, tiles across) of a recipe at a fixed size (one tile) or in square
        tiles with an overview.
        """
        recipe = job.recipe
        sides = self.sides(recipe)[::-1]
        if not sides:
            self.encoder(recipe, recipe.resolution)  # raises: the encoder is not known
        if isinstance(recipe.resolution, int):
            return self.fixed(job), 1
        whole = re.fullmatch(r"anyres-(\d+)(?:x\1)?", str(recipe.resolution))
        fitting = [
            side for side in sides if whole and int(whole[1]) % side == 0 and int(whole[1]) > side
        ]
        if recipe.tiling:
            said = re.fullmatch(
                r"(\d{1,2})x(\d{1,2}) tiles of (\d{2,5}) px \+ overview", recipe.tiling
            )
            if not said or said[1] != said[2]:
                raise self.refuse(
                    "tiling",
                    recipe.tiling,
                    (),
                    'reads tiles as in "2x2 tiles of 336 px + overview", not',
                )
            fitting = [
                side
                for side in fitting
                if side == int(said[3]) and side * int(said[1]) == int(whole[1])
            ]
        if not fitting:
            accepted = [*sides, *(f"anyres-{side * across}" for side in sides for across in (2, 3))]
            raise self.refuse(
                "resolution",
                recipe.tiling or recipe.resolution,
                accepted,
                f"cannot cut images for {recipe.encoder} as",
            )
        if len(fitting) > 1:
            notes.append(
                f"{recipe.resolution} is cut into tiles of {fitting[0]} px (not"
                f" {', '.join(map(str, fitting[1:]))})"
            )
        return fitting[0], int(whole[1]) // fitting[0]

    def tokens(self, job: Job, side: int) -> int:
        """Visual tokens of one view behind the recipe's connector."""
        patch = self.words.records("encoder")[job.recipe.encoder.split("+")[0]]["patch_size"]
        return per_view(int(patch), side, job.recipe.connector).tokens

    def same_tokens(self, job: Job, made: Iterable[int]) -> None:
        """Refuses a stated number of visual tokens that the program would not make."""
        made, stated = list(made), job.recipe.visual_tokens
        if stated is not None and stated not in made:
            raise self.refuse(
                "visual_tokens",
                f"{stated:g}",
                made,
                f"with {job.recipe.encoder} and {job.recipe.connector} cannot make",
            )

    def method(self, job: Job) -> str:
        """How the LLM is trained; refused where the program cannot."""
        known = self.record.get("methods") or ["full"]
        if job.method not in known:
            raise self.refuse("method", job.method, known)
        return job.method

    def length(
        self, job: Job, seen: int, wanted: int, notes: list[str], fewer: Iterable[int] = ()
    ) -> int:
        """The sequence length: what the program uses, at most what the LLM was trained for. An
        image of `seen` tokens must leave room for its question and answer; `fewer`: numbers of
        tokens that the recipe could state instead.
        """
        row = next((row for row in self.rows("llms") if row["llm"] == job.recipe.llm), {})
        known = row.get("context") or (
            self.words.records("llm").get(job.recipe.llm or "", {}).get("context")
        )
        length = min(wanted, known or wanted)
        if seen + TEXT_TOKENS > length:
            whose = f"the context of {job.recipe.llm}" if length == known else "its own limit"
            raise self.refuse(
                "resolution" if job.recipe.visual_tokens is None else "visual_tokens",
                job.recipe.resolution
                if job.recipe.visual_tokens is None
                else f"{job.recipe.visual_tokens:g}",
                [f"visual_tokens={n}" for n in sorted(fewer) if n + TEXT_TOKENS <= length][-1:],
                f"has room for {length} tokens ({whose}), and not for an image of {seen} with"
                f" {TEXT_TOKENS} of text, as",
            )
        if known is None:
            notes.append(
                f"the context length of {job.recipe.llm} is not in the registry: check the sequence"
                f" length {length}"
            )
        return length


def divide(target: str, total: int, per_gpu: int, gpus: int) -> tuple[int, int]:
    """(batch per GPU, accumulation steps) whose product over the GPUs is the total; per GPU at most
    `per_gpu`.
    """
    if total % gpus:
        raise refuse(
            target,
            "gpus",
            gpus,
            (n for n in range(1, min(total, 100) + 1) if total % n == 0),
            f"cannot divide its batch of {total} over",
        )
    share = next(n for n in range(min(per_gpu, total // gpus), 0, -1) if total // gpus % n == 0)
    return share, total // gpus // share


# --- text
# ------------------------------------------------------------------------------------------


def comment(lines: Iterable[str]) -> str:
    """Comment lines. Nothing in them can end a line: they are wrapped, and control characters are
    spelled out.
    """
    out = []
    for line in lines:
        plain = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in line)
        out += textwrap.wrap(
            plain, 100, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        ) or [""]
    return "".join(f"# {line}".rstrip() + "\n" for line in out)


def about(job: Job, target: Target, stage: str) -> list[str]:
    """The head of every file: what it is, of which recipe, for which version of which program."""
    stated = json.dumps(
        {
            key: int(value) if isinstance(value, float) and value.is_integer() else value
            for key, value in job.recipe.stated().items()
            if key != "training"
        }
    )
    return [
        f"{job.name}: {stage}",
        f"recipe: {stated}",
        (
            f"for {target.record['repository']} at commit {target.record['commit'][:12]}: run it in"
            " the root of that repository"
        ),
    ]


def sources(target: Target, stages: Sequence[str], shown: Sequence[str]) -> list[str]:
    """Where the program itself prints the values that matter most."""
    rows = [
        row for row in target.rows("defaults") if row["stage"] in stages and row["option"] in shown
    ]
    return (
        [
            "values of its own: "
            + "; ".join(
                f"{row['option'].lstrip('-')} {row['value']} ({row['source']})" for row in rows
            )
        ]
        if rows
        else []
    )


def data_line(job: Job, layout: str) -> str:
    """The shell line that sets DATA, or asks for it. The layout cannot leave its quotes or its
    line.
    """
    layout = re.sub(r"[^\w .,/()+:-]", "?", layout)
    if job.data is not None:
        return f"DATA={shlex.quote(job.data)}   # {layout}\n"
    return f': "${{DATA:?{layout}}}"\n'


def layout(stages: Iterable[str]) -> str:
    """What the data folder holds, in words that need no quoting."""
    return "the folder of your data with " + ", ".join(
        f"{annotations} and {images}/" for annotations, images in (READS[stage] for stage in stages)
    )


def word(value) -> str:
    """One word of a shell command: a path below $DATA, a variable, or any text, quoted. Several
    words of a tuple; none for a flag ("").
    """
    if isinstance(value, InData):
        return f'"$DATA/{value.path}"' if value.path else '"$DATA"'
    if isinstance(value, Variable):
        return f'"${value.name}"'
    if isinstance(value, tuple):
        return " ".join(map(word, value))
    return shlex.quote(str(value)) if value != "" else ""


def script(head: Sequence[str], data: str, launcher: str, options: Mapping[str, object]) -> str:
    """A shell script: what it is, where the data lies, one command with an option per line."""
    lines = [f"  {option} {word(value)}".rstrip() for option, value in options.items()]
    body = " \\\n".join([launcher, *lines])
    return f"#!/usr/bin/env bash\n{comment(head)}set -euo pipefail\n{data}{body}\n"
