"""What `export` wrote or would write, and what each training program can express: JSON, and text.

In: an Experiment, Targets. Out: plain values, and strings. Writes no files.
"""

from collections.abc import Mapping, Sequence

from ..base.wording import clean
from ..exchange.experiment import Experiment
from ..exchange.target import Target
from . import jsonable
from .text import Style, wrap


def as_json(experiment: Experiment, target: Target, written: Sequence[str] | None) -> dict:
    """The JSON of `export`. written: the paths of the files, if they were written."""
    paths = written or [name for name, _ in experiment.files]
    return {
        "target": target.slug,
        "version": target.version,
        "recipe": jsonable.recipe(experiment.runs[0].job.recipe),
        "runs": [
            {
                "name": run.job.name,
                "recipe": jsonable.recipe(run.job.recipe),
                "plan": run.plan,
                "method": run.job.method,
                "model": run.job.model,
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


def as_text(experiment: Experiment, written: Sequence[str] | None, style: Style) -> str:
    """The files themselves, or where they were written; and what to know."""
    notes = [
        line
        for note in experiment.notes
        for line in wrap("note: " + note, Style(style.width - 2), hang="      ")
    ]
    if written:
        return "\n".join([*(f"wrote {clean(path)}" for path in written), *notes])
    files = [file for run in experiment.runs for file in run.files]
    several = len(files) > 1
    texts = [f"# ==== {name} ====\n{text}" if several else text for name, text in files]
    texts.append("".join(f"# {line}\n" for line in notes))
    return "\n".join(texts).rstrip("\n")


def target_json(target: Target) -> dict:
    """One program: its version, and what it can express."""

    def unique(rows: Sequence[Mapping], field: str) -> list:
        return list(dict.fromkeys(row[field] for row in rows if row.get(field) is not None))

    released, encoders = target.rows("released"), target.rows("encoders")
    return {
        "target": target.slug,
        "name": target.record["name"],
        "version": target.version,
        "plans": target.record["plans"],
        "methods": target.record["methods"],
        "writes": target.record["writes"],
        "tiles": target.record["tiling"],
        "trains_encoder": target.record["trains_encoder"],
        "encoders": [
            {
                "encoder": name,
                "resolutions": [row["resolution"] for row in encoders if row["encoder"] == name],
            }
            for name in unique(encoders, "encoder")
        ],
        "connectors": unique([*target.rows("connectors"), *released], "connector"),
        "llms": unique([*target.rows("llms"), *released], "llm"),
        "released": [row["id"] for row in released],
        "options": [
            {"option": row["option"], "stands": row["stands"]} for row in target.rows("options")
        ],
    }


def targets_text(entries: Sequence[Mapping], style: Style) -> str:
    """Each program in a few lines."""
    lines: list[str] = []
    said = {True: "yes", False: "no"}
    for entry in entries:
        version = entry["version"]
        lines.append(style.paint(f"{entry['target']}  ({entry['name']})", "bold"))
        read = f"of {version['committed']}, read {version['read']}"
        lines += wrap(f"{version['repository']} at {version['commit'][:12]} {read}", style, "  ")
        encoders = [
            f"{row['encoder']} at {', '.join(str(side) for side in row['resolutions'])}"
            for row in entry["encoders"]
        ]
        for name, text in (
            ("writes", entry["writes"]),
            ("plans", ", ".join(entry["plans"])),
            ("methods", ", ".join(entry["methods"])),
            ("encoders", "; ".join(encoders)),
            ("connectors", ", ".join(entry["connectors"])),
            ("LLMs", ", ".join(entry["llms"])),
            ("released models", ", ".join(entry["released"])),
        ):
            lines += wrap(f"{name}: {text}", style, "  ", "    ") if text else []
        tiles, trains = said[entry["tiles"]], said[entry["trains_encoder"]]
        lines += [f"  tiles: {tiles}; trains the encoder: {trains}", ""]
    return "\n".join(lines[:-1])
