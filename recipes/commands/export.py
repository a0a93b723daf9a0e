"""The command that turns recipes into configurations of training programs. Prints; writes only into
the folder the user names.

In: parsed arguments and the library. Out: text, JSON or files, and an exit code.
"""

import os
import re
import sys

from ..answers import parts
from ..base import reading
from ..base.wording import clean
from ..exchange.importing import paper_key
from ..library import Library
from ..show import jsonable
from ..show.text import Style, wrap
from ..terms.recipe import Recipe, parse
from .arguments import Parser, Usage, flag, positive, recipe_fields
from .console import PROGRAM, out, show, style

NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*):(?=\s*[A-Za-z_-]+\s*=)")


def export_arguments(parser: Parser) -> None:
    from ..exchange.target import PLANS

    parser.add_argument(
        "recipes",
        nargs="*",
        metavar="RECIPE",
        help=(
            "encoder=…,llm=…,resolution=… (fields left out: LLaVA-1.5-7B), with NAME: before it if"
            " you like; or a JSON file, or - for standard input: a recipe, or what `pick --json`"
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
    parser.add_argument(
        "--rank",
        type=flag(positive),
        default=1,
        metavar="N",
        help="which recipe of `pick --json` (default: 1)",
    )
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


def export_command(args, library: Library, understood: dict | None = None) -> int:
    """A recipe as configuration of a training program that exists."""
    if args.to == "list":
        if args.recipes or args.out:
            raise Usage("export --to list: takes no recipe and no --out")
        return list_targets(args.json, library)
    from ..exchange.experiment import plan_experiment, write_files
    from ..exchange.target import Target

    target = Target(args.to, library.words)
    runs = [
        (name, parts.whole(recipe.stated(), library.words))
        for name, recipe in named_recipes(args.recipes, args.rank, library)
    ]
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
    )
    written = write_files(args.out, experiment.files, args.force) if args.out else None
    if args.json:
        paths = written or [name for name, _ in experiment.files]
        show(
            {
                **(understood or {}),
                "target": target.slug,
                "version": target.version,
                "recipe": jsonable.recipe(experiment.runs[0].job.recipe),
                "runs": [
                    {
                        "name": run.job.name,
                        "recipe": jsonable.recipe(run.job.recipe),
                        "plan": run.plan,
                        "files": [name for name, _ in run.files],
                    }
                    for run in experiment.runs
                ],
                "files": [
                    {"path": path, "text": text}
                    for path, (_, text) in zip(paths, experiment.files, strict=True)
                ],
                "written": bool(written),
                "notes": experiment.notes,
            }
        )
        return 0
    notes = [
        line
        for note in experiment.notes
        for line in wrap("note: " + note, Style(style().width - 2), hang="      ")
    ]
    if written:
        out("\n".join([*(f"wrote {clean(path)}" for path in written), *notes]))
        return 0
    files = [file for run in experiment.runs for file in run.files]
    texts = (
        [f"# ==== {name} ====\n{text}" for name, text in files]
        if len(files) > 1
        else [text for _, text in files]
    )
    texts.append("".join(f"# {line}\n" for line in notes))
    out(clean("\n".join(texts)).rstrip("\n"))
    return 0


def named_recipes(texts: list[str], rank: int, library: Library) -> list[tuple[str, Recipe]]:
    """(name, stated recipe) of every RECIPE; names that are not given are `run`, or a, b, c … for
    several.
    """
    if len(texts) > 26:
        raise Usage(f"export: {len(texts)} recipes; at most 26 at once")
    found = []
    for text in texts or [""]:
        named = NAMED.match(text)
        fields = text[named.end() :] if named else text
        elsewhere = fields and (fields == "-" or "=" not in fields)
        recipe = (
            from_file(fields, rank, library)
            if elsewhere
            else parse(recipe_fields(fields, "export"), library.words)[0]
        )
        found.append((named[1] if named else None, recipe))
    letters = ["run"] if len(found) == 1 else "abcdefghijklmnopqrstuvwxyz"
    return [(name or letters[i], recipe) for i, (name, recipe) in enumerate(found)]


def from_file(path: str, rank: int, library: Library) -> Recipe:
    """A recipe from a JSON file or standard input: its fields, or the recipe of that rank in what
    `pick --json` printed.
    """
    if path != "-":
        if not os.path.lexists(path):
            raise Usage(
                f"export: {path[:80]!r} is neither FIELD=VALUE (as in encoder=siglip,llm=qwen2-7b)"
                " nor a file"
            )
        value = reading.read_json(path)
    elif sys.stdin is None:
        raise Usage("export: standard input is closed")
    else:
        raw = sys.stdin.buffer.read(reading.MAX_BYTES + 1)
        if len(raw) > reading.MAX_BYTES:
            raise Usage(f"export: standard input holds more than {reading.MAX_BYTES} bytes")
        try:
            value = reading.parse(raw.decode("utf-8"), "standard input")
        except UnicodeDecodeError:
            raise Usage("export: standard input is not UTF-8") from None
    place = "standard input" if path == "-" else path
    if isinstance(value, dict) and isinstance(value.get("recipes"), list):
        listed = value["recipes"]
        if not 1 <= rank <= len(listed):
            raise Usage(f"export: {place} holds {len(listed)} recipes: there is no --rank {rank}")
        value = listed[rank - 1]
    if isinstance(value, dict) and "recipe" in value:
        value = value["recipe"]
    if not isinstance(value, dict):
        raise Usage(
            f'export: {place} holds no recipe (as in {{"encoder": "siglip"}}, or the output of pick'
            " --json)"
        )
    return parse(value, library.words)[0]


def list_targets(as_json: bool, library: Library) -> int:
    """Which programs there are, the version each was read from, and what each can express."""
    from ..exchange.target import Target, names

    found = [Target(slug, library.words) for slug in names(library.words)]
    unique = lambda rows, field: list(dict.fromkeys(row[field] for row in rows if field in row))  # noqa: E731
    entries = []
    for target in found:
        released, encoders = target.rows("released"), target.rows("encoders")
        entries.append(
            {
                "target": target.slug,
                "name": target.record["name"],
                "version": target.version,
                "plans": target.record["plans"],
                "writes": target.record["writes"],
                "tiles": target.record["tiling"],
                "trains_encoder": target.record["trains_encoder"],
                "encoders": [
                    {
                        "encoder": name,
                        "resolutions": [
                            row["resolution"] for row in encoders if row["encoder"] == name
                        ],
                    }
                    for name in unique(encoders, "encoder")
                ],
                "connectors": unique([*target.rows("connectors"), *released], "connector"),
                "llms": unique([*target.rows("llms"), *released], "llm"),
                "released": [row["id"] for row in released],
                "options": [
                    {"option": row["option"], "stands": row["stands"]}
                    for row in target.rows("options")
                ],
            }
        )
    if as_json:
        show({"targets": entries})
        return 0
    lines = []
    for entry in entries:
        record = entry["version"]
        lines += [
            style().paint(f"{entry['target']}  ({entry['name']})", "bold"),
            *wrap(
                f"{record['repository']} at {record['commit'][:12]} of {record['committed']}, read"
                f" {record['read']}",
                style(),
                "  ",
            ),
            *wrap("writes: " + entry["writes"], style(), "  ", "    "),
            *wrap("plans: " + ", ".join(entry["plans"]), style(), "  ", "    "),
        ]
        encoders = [
            f"{row['encoder']} at {', '.join(str(side) for side in row['resolutions'])}"
            for row in entry["encoders"]
        ]
        rest = [
            ("encoders", "; ".join(encoders)),
            ("connectors", ", ".join(entry["connectors"])),
            ("LLMs", ", ".join(entry["llms"])),
            ("released models", ", ".join(entry["released"])),
        ]
        lines += [
            line
            for name, text in rest
            if text
            for line in wrap(f"{name}: {text}", style(), "  ", "    ")
        ]
        said = {True: "yes", False: "no"}
        lines += [
            f"  tiles: {said[entry['tiles']]}; trains the encoder: {said[entry['trains_encoder']]}",
            "",
        ]
    out("\n".join(lines[:-1]))
    return 0
