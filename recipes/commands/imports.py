"""The command `import`: result files of evaluation harnesses into a table of the user's own.

In: parsed arguments and the library. Out: one table file, written whole or not at all; printed text
or JSON; the exit code (1: refused or nothing known, and nothing written). The readers are
exchange/harness.py, the table is exchange/importing.py.
"""

import os
import shlex

from ..base.write import dump_paper, write_text
from ..library import Library
from ..terms.recipe import FIELDS, Recipe, parse
from ..terms.vocabulary import UnknownName
from .arguments import Parser, Usage, recipe_fields
from .console import PROGRAM, err, out, show, style


def import_arguments(parser: Parser) -> None:
    parser.add_argument(
        "results",
        nargs="+",
        metavar="RESULTS",
        help=(
            "result files, or folders that hold some: lmms-eval *_results.json, VLMEvalKit"
            " *_acc.csv *_score.csv *_score.json, or a CSV that you name:"
            " benchmark,value[,split][,stderr][,n][,metric], or one arm per row: arm,[recipe"
            " fields,]benchmark[:split],… (CSV values on the benchmark's own scale)"
        ),
    )
    parser.add_argument(
        "--as", dest="arm", metavar="ARM", help="name of the trained model: the row in the table"
    )
    parser.add_argument(
        "--recipe",
        metavar="FIELD=VALUE,…",
        help=f"what was trained ({', '.join(FIELDS)}); may be left out for an arm that is there",
    )
    parser.add_argument(
        "--table",
        metavar="NAME",
        default="my-runs",
        help="runs that share a table are compared with each other (default: my-runs)",
    )
    parser.add_argument(
        "--into",
        metavar="DIR",
        default="my-tables",
        help="folder of your tables, made if missing (default: my-tables)",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the rows, write nothing")


def import_command(args, library: Library, understood: dict | None = None) -> int:
    """Results of lmms-eval, VLMEvalKit or a CSV into a table of your own."""
    from ..exchange.importing import NotImported

    try:
        return _import(args, library)
    except NotImported as refused:
        from ..base.wording import clean

        if args.json:
            show({"ok": False, "error": clean(str(refused))})
        err(f"error: {refused}")
        return 1


def recipe_of(text: str | None, words) -> tuple[Recipe | None, list[str]]:
    """--recipe encoder=…,llm=…: canonical, with a warning for each name that is not known."""
    return (None, []) if text is None else _parsed(recipe_fields(text, "import: --recipe"), words)


def _parsed(raw: dict, words) -> tuple[Recipe, list[str]]:
    """A recipe whose unknown names stay as written."""
    from ..exchange.importing import NotImported

    bad = next(
        (value for value in raw.values() if not value.isprintable() or len(value) > 200), None
    )
    if bad is not None:
        raise NotImported(f"the recipe has {bad[:60]!r}: printable characters, at most 200")
    return parse(raw, words, strict=False)


def _import(args, library: Library) -> int:
    from ..base.reading import read_json
    from ..effects.columns import recipe_rows
    from ..exchange import harness, importing
    from ..show import imports

    words = library.words
    key = importing.paper_key(args.table)
    if os.path.exists(os.path.join(library.shipped, key + ".json")):
        raise importing.NotImported(
            f"--table {args.table}: {key} is a published paper's name; choose another"
        )
    if os.path.lexists(args.into) and not os.path.isdir(args.into):
        raise Usage(f"import: --into {args.into[:80]}: not a folder")
    if os.path.isdir(args.into) and os.path.samefile(args.into, library.shipped):
        raise Usage("import: --into is the folder of the published tables; choose one of your own")
    recipe, notes = recipe_of(args.recipe, words)
    sets = importing.data_sets(words)
    readings = [
        reading
        for path in harness.result_files(args.results)
        for reading in harness.read(path, sets)
    ]
    arms, assorted = [], []
    for name, own, said in _arms(args, recipe, readings, words, notes):
        sort = importing.assort(said, words)
        assorted.append(sort)
        arms.append(importing.Arm(name, own, sort.cells))
    unknown, folded = (
        [u for s in assorted for u in s.unknown],
        [f for s in assorted for f in s.folded],
    )
    path = os.path.join(args.into, key + ".json")
    before = read_json(path, root=args.into) if os.path.lexists(path) else None
    merged = importing.merge(before, key, [arm for arm in arms if arm.cells], words, path)
    stored = {
        row.arm: {k: v for k, v in row.setting.items() if k in FIELDS and v is not None}
        for table in merged.paper.tables
        for row in table.rows
    }
    named = [arm.name for arm in arms]
    recipes = {
        arm.name: stored.get(arm.name) or (importing.settings(arm.recipe) if arm.recipe else {})
        for arm in arms
    }
    notes += merged.notes
    notes += [
        f"{cell.metric['benchmark']}: {cell.n or cell.reading.n} of {cell.reading.total} questions:"
        " stored as a split of its own"
        for _, cell in merged.added
        if cell.part
    ]
    notes += [
        f"{row.arm}: its recipe states two axes fewer than another row's: it is compared with no"
        " other row until it says more"
        for table in merged.paper.tables
        for used in [recipe_rows(table)]
        for row in table.rows
        if row.arm in named and row not in used
    ]
    if merged.added and os.path.lexists(os.path.join(args.into, "LOCK")):
        notes.append(
            f"{os.path.join(args.into, 'LOCK')} is there: `check --lock {args.into}` accepts the"
            " new scores"
        )
    if merged.added and not args.dry_run:
        os.makedirs(args.into, exist_ok=True)
        if (read_json(path, root=args.into) if os.path.lexists(path) else None) != before:
            raise importing.NotImported(
                f"{path} was changed by someone else in the meantime: run the import again"
            )
        write_text(path, dump_paper(merged.file))
    following = None if args.dry_run else _next(merged, named, args.into, words)
    notes = list(dict.fromkeys(notes))
    if args.json:
        show(
            imports.as_json(
                merged, path, named, recipes, unknown, folded, notes, following, args.dry_run
            )
        )
    else:
        from ..show.names import names_of

        out(
            imports.as_text(
                merged,
                path,
                named,
                recipes,
                unknown,
                folded,
                notes,
                following,
                args.dry_run,
                names_of(library),
                style(),
            )
        )
    return 0 if merged.added or merged.unchanged else 1


def _arms(args, recipe: Recipe | None, readings: list, words, notes: list[str]) -> list[tuple]:
    """(arm, recipe, its readings): the one that --as names, or those of the rows of a CSV with an
    arm column.
    """
    from ..exchange.importing import NotImported, arm_name

    named = list(dict.fromkeys(reading.arm for reading in readings if reading.arm is not None))
    loose = [reading for reading in readings if reading.arm is None]
    if args.arm is not None and named and args.arm not in named:
        raise Usage(
            f"import: --as {args.arm[:60]!r} is not an arm of the CSV (its arms:"
            f" {', '.join(named)[:200]})"
        )
    if args.arm is None and (loose or not named):
        raise Usage("import: --as NAME says which trained model the results are of")
    out_ = []
    for name in [args.arm] if args.arm is not None else named:
        own, said = recipe, [reading for reading in readings if reading.arm in (None, name)]
        for raw in dict.fromkeys(reading.recipe for reading in said if reading.recipe):
            more, warnings = _parsed(dict(raw), words)
            notes += warnings
            both = own.stated() if own else {}
            twice = next(
                (
                    field
                    for field, value in more.stated().items()
                    if both.get(field, value) != value
                ),
                None,
            )
            if twice:
                raise NotImported(
                    f"the arm {name[:60]!r} has two values of {twice}: {both[twice]} and"
                    f" {more.stated()[twice]}"
                )
            own = Recipe(**{**both, **more.stated()})
        out_.append((arm_name(name), own, said))
    return out_


def _next(merged, named: list[str], into: str, words) -> str | None:
    """A command to try now: a swap between two arms that differ on one axis, if the table has such
    a pair.
    """
    rows = [
        row
        for table in merged.paper.tables
        if table.id == f"{merged.paper.key}.runs"
        for row in table.rows
    ]
    if not rows:
        return None
    command = ["tables", "show", f"{merged.paper.key}.runs"]
    for new in [row for row in rows if row.arm in named][::-1]:
        for old in rows:
            moved = [
                field
                for field in ("encoder", "connector", "llm", "data", "resolution")
                if None not in (old.setting.get(field), new.setting.get(field))
                and old.setting[field] != new.setting[field]
            ]
            if len(moved) == 1:
                sides = [
                    f"{row.setting[moved[0]]}{'px' if isinstance(row.setting[moved[0]], int) else ''}"
                    for row in (old, new)
                ]
                try:
                    for text in sides:
                        if moved[0] != "resolution":
                            words.resolve(moved[0], text)
                except UnknownName:
                    continue
                command = ["swap", *sides]
                break
        if command[0] == "swap":
            break
    return f"{PROGRAM} {' '.join(shlex.quote(part) for part in [*command, '--tables', into])}"
