"""The flags of `check`, and how it is carried out."""

import os

from ..library import Library
from ..show.text import wrap
from .arguments import Parser, Usage, in_checkout
from .console import out, show, style


def check_arguments(parser: Parser) -> None:
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files or folders (default: the published tables)"
    )
    parser.add_argument(
        "--format", choices=("text", "json", "github"), default="text", help="how to print findings"
    )
    parser.add_argument("--explain", metavar="RULE", help="what a rule checks")
    parser.add_argument(
        "--accepted", action="store_true", help="list the exceptions that tables record"
    )
    parser.add_argument(
        "--lock",
        action="store_true",
        help="accept the tables as they are: write LOCK (of the named folder)",
    )


def check_command(args, library: Library, understood: dict | None = None) -> int:
    """Consistency of tables: exit code 0 clean, 1 findings, 2 usage."""
    from ..show import check as checks

    if args.explain:
        text = checks.explain(args.explain)
        if text is None:
            raise Usage(
                f"check: unknown rule {args.explain[:40]!r} (rules: {', '.join(checks.rules())})"
            )
        (
            show({"rule": args.explain, "checks": text})
            if args.json
            else out("\n".join(wrap(f"{args.explain}: {text}", style(), hang="  ")))
        )
        return 0
    if args.lock:
        folders = [*args.paths, *args.tables]
        if not folders:
            in_checkout("check --lock", "name the folder of your tables")
            folders = [library.shipped]
        for folder in folders:
            if not os.path.isdir(folder):
                raise Usage(f"check --lock: {folder} is not a folder")
        done = [checks.lock(library, folder) for folder in folders]
        (
            show({"ok": True, "locked": done})
            if args.json
            else out(
                "\n".join(
                    line
                    for entry in done
                    for line in (
                        *entry["changes"],
                        f"locked {entry['tables']} tables of {entry['file']}",
                    )
                )
            )
        )
        return 0
    asked = [*args.paths, *args.tables]
    report = checks.run(library, asked)
    if asked and report.ok and not report.tables:  # a wrong path must not pass for ever
        raise Usage(f"check: no tables in {', '.join(map(str, asked))} (files of tables: *.json)")
    if args.json or args.format == "json":
        show(checks.as_json(report, args.accepted))
    else:
        out(checks.as_text(report, args.format, args.accepted, style()))
    return 0 if report.ok else 1
