"""`claims`: the audit of what people repeat, or of a claims file of one's own.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. The judging is
claims.py.
"""

from ..base.reading import EvidenceError
from ..library import Library
from ..terms.vocabulary import UnknownName, fold, nearest
from .arguments import Parser
from .console import out, show, style


def claims_arguments(parser: Parser) -> None:
    from ..claims.verdicts import VERDICTS

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


def claims_command(args, library: Library, understood: dict | None = None) -> int:
    """What people repeat about recipes, and what the rows say to it."""
    from ..claims import verdicts as claims
    from ..claims.assertions import problems, read_claims, shipped_path
    from ..claims.pairs import Evidence
    from ..cost import tokens
    from ..show import claims as report

    file = read_claims(args.file or shipped_path(library.shipped))
    known = {fold(claim.id): claim.id for claim in file.claims}
    wanted = []
    for name in args.ids:
        if fold(name) not in known:
            raise UnknownName("claim", name, nearest(name, known), known.values())
        wanted.append(known[fold(name)])
    papers = library.papers()
    models = {model["key"]: model for model in library.words.registry("models")["models"]}
    if args.file:  # the shipped one is checked by `check`
        for pointer, message in problems(
            file, papers, library.words, models, (*tokens.MODELS, *tokens.ALIASES)
        ):
            raise EvidenceError(args.file, pointer, message, "audit")
    evidence = Evidence(papers, library.words, models)
    audits = [
        claims.judge(claim, evidence) for claim in file.claims if not wanted or claim.id in wanted
    ]
    audits = [one for one in audits if args.verdict in (None, one.verdict)]
    if args.json:
        show({**(understood or {}), **report.as_json(audits, file.sources)})
    elif args.why or wanted:
        out(
            "\n\n\n".join(report.full_text(one, evidence, file.sources, style()) for one in audits)
            or "no claim has this verdict"
        )
    else:
        out(report.list_text(audits, style()))
    return 0
