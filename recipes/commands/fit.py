"""The flags of `fit`, and how it is carried out."""

from ..library import Library
from .arguments import Parser, flag, in_checkout, positive
from .console import err, out, show


def fit_arguments(parser: Parser) -> None:
    parser.add_argument(
        "--search",
        type=flag(positive),
        default=0,
        metavar="ROUNDS",
        help="first search the hyper-parameters by leave-one-paper-out scoring",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="only say whether the stored fit belongs to the evidence",
    )


def fit_command(args, library: Library, understood: dict | None = None) -> int:
    """Fit the model to the published tables anew."""
    from ..answers import fit as refit

    if not args.check:
        in_checkout("fit", "run it in a checkout")
    result = refit.run(library, args.search, args.check, err)
    show(result) if args.json else out(result["message"])
    return 0 if result["ok"] else 1
