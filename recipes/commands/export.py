"""The command that turns recipes into configurations of training programs. Prints; writes only into
the folder the user names.

In: parsed arguments and the library. Out: text, JSON or files, and an exit code.
"""

import os
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..answers import parts
from ..base import reading
from ..exchange.importing import paper_key
from ..exchange.target import METHODS
from ..library import Library
from ..terms.recipe import Recipe, parse
from .arguments import Parser, Usage, flag, positive, recipe_fields
from .console import PROGRAM, out, show, style

if TYPE_CHECKING:
    from ..exchange.target import Target

EXPORTABLE = "exportable"  # the key of `pick --json`, and the --rank, of the best one to export
NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*):(?=\s*[A-Za-z_-]+\s*=)")


def parts_of(text: str) -> tuple[str, ...]:
    """encoder,connector -> ("encoder", "connector"); none -> ()."""
    from ..exchange.target import PARTS

    named = () if text.strip() == "none" else tuple(part.strip() for part in text.split(","))
    bad = next((part for part in named if part not in PARTS), None)
    if bad is not None:
        raise ValueError(f"{bad[:40]!r} is none of {', '.join(PARTS)} (or the word none)")
    return named


def export_arguments(parser: Parser) -> None:
    from ..exchange.target import PLANS

    _what(parser)
    parser.add_argument(
        "--data",
        metavar="PATH",
        help="the folder of your data (left out: the environment variable DATA when it runs)",
    )
    parser.add_argument(
        "--gpus",
        type=flag(positive),
        default=8,
        metavar="N",
        help="GPUs of one machine (default: 8)",
    )
    parser.add_argument(
        "--plan", choices=tuple(PLANS), help="the stages (default: the program's usual ones)"
    )
    _training(parser)
    parser.add_argument(
        "--tasks", metavar="MIX", help="what to evaluate on afterwards (default: balanced)"
    )
    parser.add_argument(
        "--table",
        metavar="NAME",
        default="my-experiment",
        help="table to import the results into (default: my-experiment)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite files of other content")


def _what(parser: Parser) -> None:
    """Which recipe, for which program, and where to."""
    parser.add_argument(
        "recipes",
        nargs="*",
        metavar="RECIPE",
        help=(
            "encoder=…,llm=…,resolution=… (left out: as LLaVA-1.5-7B), with NAME: before it if you"
            " like; or a JSON file, or - for standard input: a recipe, or what `pick --json`"
            " printed"
        ),
    )
    parser.add_argument(
        "--to",
        metavar="TARGET",
        required=True,
        help="the training program (list: which there are, and what each can express)",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="write the files here, with a manifest and the commands to evaluate and import",
    )
    parser.add_argument(
        "--rank",
        type=lambda text: EXPORTABLE if text == EXPORTABLE else flag(positive)(text),
        default=1,
        metavar="N",
        help=(
            "which recipe of `pick --json` (default: 1); `exportable`: the best one that a program"
            " writes, which pick names where none writes the first"
        ),
    )


def _training(parser: Parser) -> None:
    """What is trained, and how."""
    parser.add_argument(
        "--model",
        metavar="NAME",
        help=(
            "go on from this released model (qwen2.5-vl-7b); RECIPE then says what differs from it,"
            " and data=NAME your own data set"
        ),
    )
    parser.add_argument(
        "--method",
        choices=METHODS,
        help="all weights, LoRA, or LoRA over 4-bit weights (default: as pick says, else full)",
    )
    parser.add_argument(
        "--freeze",
        type=flag(parts_of),
        metavar="PART,…",
        help=(
            "parts that stay as they are: encoder, connector, llm; or none (default: as the recipe)"
        ),
    )


def export_command(args, library: Library, understood: dict | None = None) -> int:
    """A recipe as configuration of a training program that exists."""
    if args.to == "list":
        if args.recipes or args.out:
            raise Usage("export --to list: takes no recipe and no --out")
        return list_targets(args.json, library)
    from ..exchange.experiment import plan_experiment, write_files
    from ..exchange.target import Target
    from ..show import export as view

    target = Target(args.to, library.words)
    runs = named_recipes(args, target, library)
    paper_key(args.table)  # refused now, not when the results are imported
    experiment = plan_experiment(
        runs,
        target.slug,
        library.words,
        plan=args.plan,
        gpus=args.gpus,
        data=args.data,
        table=args.table,
        tasks=args.tasks,
        program=PROGRAM,
        method=args.method or "full",
        freeze=args.freeze,
        model=args.model,
    )
    written = write_files(args.out, experiment.files, args.force) if args.out else None
    if args.json:
        show({**(understood or {}), **view.as_json(experiment, target, written)})
    else:
        out(view.as_text(experiment, written, style()))
    return 0


def named_recipes(args, target, library: Library) -> list[tuple[str, Recipe]]:
    """(name, whole recipe) of every RECIPE; names that are not given are `run`, or a, b, c … for
    several.
    """
    from ..exchange.finetune import recipe_of, released
    from ..terms.recipe import BASELINE

    texts = args.recipes
    if len(texts) > 26:
        raise Usage(f"export: {len(texts)} recipes; at most 26 at once")
    found = []
    for text in texts or [""]:
        named = NAMED.match(text)
        fields = text[named.end() :] if named else text
        elsewhere = fields and (fields == "-" or "=" not in fields)
        own = (
            from_file(fields, args, target, library)
            if elsewhere
            else _typed(fields, bool(args.model and target.rows("released")), library)
        )
        # which a pick may name, too
        row = released(target, args.model) if args.model and target.rows("released") else None
        whole = recipe_of(row, own, BASELINE) if row else parts.whole(own.stated(), library.words)
        found.append((named[1] if named else None, whole))
    letters = ["run"] if len(found) == 1 else "abcdefghijklmnopqrstuvwxyz"
    return [(name or letters[i], recipe) for i, (name, recipe) in enumerate(found)]


def _typed(fields: str, own_data: bool, library: Library) -> Recipe:
    """FIELD=VALUE,… as a recipe. own_data: `data` may be a name of the user's own, as the program
    to fine-tune with knows it.
    """
    raw = recipe_fields(fields, "export")
    data = raw.pop("data", None) if own_data else None
    recipe = parse(raw, library.words)[0]
    if data is None:
        return recipe
    if not data.isprintable() or len(data) > 200:
        raise Usage(f"export: data={data[:40]!r}: printable characters, at most 200")
    return recipe._replace(data=data)


def from_file(path: str, args, target, library: Library) -> Recipe:
    """A recipe from a JSON file or standard input: its fields, or the recipe of --rank in what
    `pick --json` printed.
    """
    place, value = read_value(path)
    if isinstance(value, dict) and isinstance(value.get("recipes"), list):
        listed = value["recipes"]
        best, why = _exportable(value, target)
        if args.rank == EXPORTABLE:
            if best is None:
                raise Usage(
                    f"export: {place} names no recipe that {target.slug} can write{why}: there is"
                    f" no --rank {EXPORTABLE}"
                )
            if "model" in best:
                args.model = args.model or best["model"]
                return Recipe()
            _tuned(best, args)
            return _recipe(best, place, library)
        if not 1 <= args.rank <= len(listed):
            raise Usage(
                f"export: {place} holds {len(listed)} recipes: there is no --rank {args.rank}"
            )
        found = [_recipe(entry, place, library) for entry in listed]
        _tuned(listed[args.rank - 1], args)
        if not args.model:
            more = best and (best if "model" in best else _recipe(best, place, library))
            _other_ranks(found, more, args, target, library)
        return found[args.rank - 1]
    return _recipe(value, place, library)


def _exportable(value: Mapping, target: "Target") -> tuple[Mapping | None, str]:
    """What a pick names as the best that a program writes (else that any does), or why none."""
    each = value.get("exportable_by")
    for one in each if isinstance(each, list) else ():
        if isinstance(one, dict) and one.get("target") == target.slug:
            if one.get("recipe") or isinstance(one.get("model"), str):
                return one, ""
            return None, f" ({one.get('why')})"
    found = value.get(EXPORTABLE)
    return found if isinstance(found, dict) and not each else None, ""


def _tuned(entry, args) -> None:
    """Takes --method from a recipe of a pick: its LLM may not fit in full."""
    if isinstance(entry, dict) and entry.get("tuning") in METHODS and not args.method:
        args.method = entry["tuning"]


def read_value(path: str) -> tuple[str, object]:
    """(how it is called, the JSON value) of a file or of standard input."""
    if path != "-":
        if not os.path.lexists(path):
            raise Usage(
                f"export: {path[:80]!r} is neither FIELD=VALUE (as in encoder=siglip,llm=qwen2-7b)"
                " nor a file"
            )
        return path, reading.read_json(path)
    if sys.stdin is None:
        raise Usage("export: standard input is closed")
    raw = sys.stdin.buffer.read(reading.MAX_BYTES + 1)
    if len(raw) > reading.MAX_BYTES:
        raise Usage(f"export: standard input holds more than {reading.MAX_BYTES} bytes")
    try:
        return "standard input", reading.parse(raw.decode("utf-8"), "standard input")
    except UnicodeDecodeError:
        raise Usage("export: standard input is not UTF-8") from None


def _recipe(value, place: str, library: Library) -> Recipe:
    if isinstance(value, dict) and "recipe" in value:
        value = value["recipe"]
    if not isinstance(value, dict):
        raise Usage(
            f'export: {place} holds no recipe (as in {{"encoder": "siglip"}}, or the output of pick'
            " --json)"
        )
    return parse(value, library.words)[0]


def _other_ranks(
    found: list[Recipe], best: Recipe | Mapping | None, args, target: "Target", library: Library
) -> None:
    """Raises Usage when the program cannot express the recipe of --rank: which others it can. best:
    the exportable one of the pick (a mapping: a released model).
    """
    from ..exchange.trainers import expressible

    def lacks(recipe: Recipe) -> str | None:
        whole = parts.whole(recipe.stated(), library.words)
        return expressible(whole, target, args.plan, args.method or "full")

    reasons = [lacks(recipe) for recipe in found]
    if reasons[args.rank - 1] is None:
        return
    able = [str(rank) for rank, why in enumerate(reasons, 1) if why is None]
    others = (
        f"of the {len(found)} it can: --rank {', '.join(able)}"
        if able
        else f"it can the best that a program writes: --rank {EXPORTABLE}"
        if isinstance(best, Mapping) or best and lacks(best) is None
        else "nor any other one of the list"
    )
    raise Usage(f"export: recipe {args.rank}: {reasons[args.rank - 1]} ({others})")


def list_targets(as_json: bool, library: Library) -> int:
    """Which programs there are, the version each was read from, and what each can express."""
    from ..exchange.target import Target, names
    from ..show import export as view

    entries = [view.target_json(Target(slug, library.words)) for slug in names(library.words)]
    if as_json:
        show({"targets": entries})
    else:
        out(view.targets_text(entries, style()))
    return 0
