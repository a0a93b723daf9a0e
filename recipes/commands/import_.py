"""The command `import`: result files of evaluation harnesses into a table of the user's own.

In: parsed arguments and the library. Out: printed text or JSON; the exit code (1: something was
refused, or nothing known). The work is answers/import_.py.
"""

from ..library import Library
from ..terms.recipe import FIELDS
from .arguments import Parser, Usage, recipe_fields
from .console import PROGRAM, err, out, show, style


def import_arguments(parser: Parser) -> None:
    from ..exchange.scores import SCALES

    parser.add_argument(
        "results",
        nargs="+",
        metavar="RESULTS",
        help=(
            "result files, or folders that hold some: lmms-eval *_results.json, VLMEvalKit"
            " *_acc.csv *_score.csv *_score.json status.json, or a CSV that you name:"
            " benchmark,value[,split][,stderr][,n][,metric], or one arm per row: arm,[recipe"
            " fields,]benchmark[:split],…"
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
        "--scale",
        choices=SCALES,
        help=(
            "values of a CSV: points of the benchmark's own scale (35.3), or fractions of it"
            " (0.353); asked for when it may be either"
        ),
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
        help="folder of your tables, made if missing (default: that of --tables, or my-tables)",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the rows, write nothing")


def import_command(args, library: Library, understood: dict | None = None) -> int:
    """Results of lmms-eval, VLMEvalKit or a CSV into a table of your own.

    A number or a file that does not fit is listed, the rest is imported, and the exit code is 1.
    """
    from ..answers.import_ import Wish, import_results
    from ..base.wording import clean
    from ..exchange.importing import NotImported
    from ..show import import_ as view
    from ..show.names import names_of

    recipe = None if args.recipe is None else recipe_fields(args.recipe, "import: --recipe")
    if args.into is None and len(args.tables) > 1:
        raise Usage(f"import: into which of {', '.join(args.tables)}? (--into DIR)")
    into = args.into or (args.tables or ["my-tables"])[0]
    wish = Wish(args.results, args.arm, recipe, args.table, into, args.scale, args.dry_run, PROGRAM)
    try:
        done = import_results(wish, library)
    except NotImported as refused:
        if args.json:
            show({"ok": False, "error": clean(str(refused))})
        err(f"error: {refused}")
        return 1
    if args.json:
        show(view.as_json(done))
    else:
        out(view.as_text(done, names_of(library), style()))
    return 0 if done.ok else 1
