"""`skill`: write the agent skill from the evidence, whole, for one situation or as a folder; or
check that it is fresh.

In: parsed arguments and the library. Out: files where the user said, printed text or JSON, and the
exit code. The text is report/skill.py.
"""

import argparse
import os
import sys
from collections.abc import Mapping

from ..base.wording import clean
from ..base.write import write_text
from ..library import Library
from ..terms.tasks import parse_mix
from .arguments import (
    Parser,
    Usage,
    choices_of,
    constraint_flags,
    constraints,
    in_checkout,
    request_argv,
)
from .console import PROGRAM, err, out, show

SITUATION = ("tasks", "budget", "latency", "speed", "memory", "deploy", "dtype", "fix", "avoid")


def skill_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--check",
        action="store_true",
        help="fail when what is written is not what the evidence gives now",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help=(
            "where to write (default: outputs/skill-vlm-recipe-picker.md; for one situation:"
            " standard output)"
        ),
    )
    parser.add_argument(
        "--bundle",
        metavar="DIR",
        help=(
            "write the folder form: DIR/vlm-recipe-picker/ with SKILL.md, references/ and scripts/"
        ),
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that this program did not write"
    )
    group = parser.add_argument_group("for one situation, with a filled recipe card (as for pick)")
    group.add_argument(
        "--tasks", metavar="MIX", help="what it is for: documents, charts=0.5,mmmu=0.5 …"
    )
    constraint_flags(group)


def skill_command(
    args: argparse.Namespace, library: Library, understood: dict | None = None
) -> int:
    """Write the agent skill from the evidence, or check that it is fresh."""
    from ..show import skill

    asked = [name for name in SITUATION if getattr(args, name)]
    if args.bundle and (args.out or asked):
        raise Usage(
            "skill: --bundle writes the whole skill as a folder: leave out"
            f" --{'out' if args.out else asked[0]}"
        )
    if asked:
        text = _situation(args, library)
        if args.out is None and not args.check:
            (
                show({"ok": True, "path": None, "lines": text.count("\n"), "text": text})
                if args.json
                else out(text.rstrip("\n"))
            )
            return 0
        if args.out is None:
            raise Usage("skill: --check of one situation: name the file (--out FILE)")
        files = {args.out: text}
    else:
        from ..answers import guide
        from .registry import COMMANDS

        if args.out is None and args.bundle is None:
            in_checkout("skill", "say where it is, or goes (--out FILE or --bundle DIR)")

        # of a bundle, the folder that will hold it
        check_folder(
            os.path.dirname((args.bundle or args.out or skill.default_path()).rstrip(os.sep))
        )
        if sys.stderr is not None and sys.stderr.isatty():
            err("skill: picking a recipe for each task family …")
        value, summaries = (
            guide.gather(library),
            {name: command.summary for name, command in COMMANDS.items()},
        )
        if args.bundle is not None:
            from ..show import bundle

            root = os.path.join(args.bundle, skill.NAME)
            files = {
                os.path.join(root, *path.split("/")): text
                for path, text in bundle.files(library, value, summaries).items()
            }
        else:
            files = {args.out or skill.default_path(): skill.build(library, value, summaries)}
    return _check(args, files) if args.check else _write(args, files, skill.MARK)


def _situation(args: argparse.Namespace, library: Library) -> str:
    from ..answers.ground import Request
    from ..show import situation

    words = library.words
    if args.out is not None:
        check_folder(os.path.dirname(args.out))
    asked = Request(
        parse_mix(args.tasks, words),
        constraints(args, words),
        *choices_of(args, words),
        top=1,
        any_parts=args.any_parts,
        trainable_with=args.trainable_with,
    )
    flags = request_argv(args)
    return situation.situation(library, asked, flags)


def check_folder(folder: str) -> None:
    """The folder that a file goes to must be there."""
    if folder and not os.path.isdir(folder):
        raise Usage(f"skill: the folder {clean(folder)[:80]!r} is not there")


def _check(args: argparse.Namespace, files: Mapping[str, str]) -> int:
    """Is every file what the evidence gives?"""
    stale = []
    for path, text in files.items():
        try:
            with open(path, encoding="utf-8", newline="") as file:
                fresh = file.read() == text
        except (OSError, UnicodeDecodeError):
            fresh = False
        stale += [] if fresh else [path]
    what = args.bundle or next(iter(files))
    message = (
        f"{what} is {'stale: run ' + PROGRAM + ' skill' if stale else 'what the evidence gives'}"
    )
    show({"ok": not stale, "path": what, "stale": stale}) if args.json else out(clean(message))
    return 1 if stale else 0


def _write(args: argparse.Namespace, files: Mapping[str, str], mark: str) -> int:
    """Write all files or, when one of them is somebody else's, none."""
    for path in files if not args.force else ():
        if os.path.isfile(path) and not _ours(path, mark):
            raise Usage(
                f"skill: {clean(path)[:120]} is there and was not written by this program: another"
                " name, or --force to overwrite it"
            )
    for path, text in files.items():
        if args.bundle is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        write_text(path, text)
    path, lines = next(iter(files)), next(iter(files.values())).count("\n")
    more = f" and {len(files) - 1} files beside it" if len(files) > 1 else ""
    value = {
        "ok": True,
        "path": path,
        "lines": lines,
        **({"files": list(files)} if args.bundle is not None else {}),
    }
    show(value) if args.json else out(f"wrote {clean(path)} ({lines} lines){more}")
    return 0


def _ours(path: str, mark: str) -> bool:
    """Does a file say near its top that this program wrote it?"""
    with open(path, "rb") as file:
        return mark.encode() in file.read(4096)
