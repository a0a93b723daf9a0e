"""`claims`: its flags.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code.
"""

from ..answers import claims as answers
from ..claims.verdicts import VERDICTS
from ..library import Library
from .arguments import Parser
from .console import out, show, style


def claims_arguments(parser: Parser) -> None:
    parser.add_argument(
        "ids", nargs="*", metavar="ID", help="claims to show in full (default: list all)"
    )
    parser.add_argument(
        "--verdict",
        metavar="VERDICT",
        choices=VERDICTS,
        help=f"only claims with this verdict: {', '.join(VERDICTS)}",
    )
    parser.add_argument(
        "--why", action="store_true", help="each claim in full: assertions, rows, printed numbers"
    )
    parser.add_argument(
        "--file",
        metavar="FILE",
        help="judge the claims of your own file (as tables/registry/claims.json)",
    )


def claims_request(args, library: Library) -> answers.Request:
    return answers.Request(args.ids, args.verdict, args.file)


def claims_command(args, library: Library, understood: dict | None = None) -> int:
    """What people repeat about recipes, and what the rows say to it."""
    from ..show import claims as report

    audits, file, evidence = answers.answer(library, claims_request(args, library))
    if args.json:
        show({**(understood or {}), **report.as_json(audits, file.sources)})
    elif args.why or args.ids:
        out(
            "\n\n\n".join(report.full_text(one, evidence, file.sources, style()) for one in audits)
            or "no claim has this verdict"
        )
    else:
        out(report.list_text(audits, style()))
    return 0
