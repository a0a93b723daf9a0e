"""The command line: which command an argv means, its help, its errors and its exit code.

In: argv. Out: text or JSON on stdout, one-line errors on stderr, exit code 0 (fine), 1 (findings),
2 (usage). The commands are functions `NAME_arguments` and `NAME_command` of the rooms commands/,
loaded when they are asked for.
"""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .base.errors import Refused
from .commands.console import PROGRAM, announce, err, out, plain, show, style
from .commands.parser import Parser, Usage, common
from .commands.registry import COMMANDS, GROUPS, parser_of, shell

if TYPE_CHECKING:
    from .library import Library


def carry_out(
    name: str, argv: Sequence[str], understood: dict | None = None, library: "Library | None" = None
) -> int:
    """Run one command with its arguments and return the exit code. library: with the tables of
    these arguments, if it was opened already.
    """
    args = parser_of(name).parse_args(argv)  # --help ends here
    from .library import open_library

    plain(args.plain)
    return COMMANDS[name].function(name, "command")(
        args, library or open_library(args.tables), understood
    )


def home() -> str:
    """One screen: what it does, five example questions, the commands."""
    from .asking.door import EXAMPLES

    lines = [
        "vlm-recipe-picker: which vision-language recipe to train, by published tables.",
        "Ask in plain words; every number in an answer names its table rows.",
        "",
        "examples:",
    ]
    lines += [f'  {PROGRAM} "{example}"' for example in EXAMPLES]
    lines += ["", *(f"{group:<15} {', '.join(names)}" for group, names in GROUPS.items())]
    more = "NAME --help says more; each has --json and --tables DIR (your own results)."
    return "\n".join([*lines, "", more])


def ask(sentence: str, rest: Sequence[str]) -> int:
    """A question in plain words: print the command it became, then its answer."""
    from .asking import door as question
    from .library import open_library

    parser = Parser(prog=PROGRAM, add_help=False, allow_abbrev=False)
    common(parser)
    args = parser.parse_args(list(rest))
    plain(args.plain)
    library = open_library(args.tables)
    try:
        understood = question.understand(sentence, library.words)
    except question.Ambiguous as several:
        if args.json:
            show(
                {
                    "ambiguous": [
                        {"command": one.command, "argv": list(one.argv)} for one in several.readings
                    ]
                }
            )
        else:
            out(
                "\n".join(
                    [
                        "this can mean several things; which one?",
                        *(f"{n}. {shell(one.argv)}" for n, one in enumerate(several.readings, 1)),
                    ]
                )
            )
        return 2
    if not args.json:
        lines = ["understood: " + shell(understood.argv)]
        if understood.assumed:
            from .show.text import wrap

            said = "assumed: " + "; ".join(understood.assumed)
            lines += wrap(said, style(), hang="  ")
        announce("\n".join(style().paint(line, "dim") for line in lines))
    inner = [
        *understood.argv[1:],
        *(["--json"] if args.json else []),
        *(["--plain"] if args.plain else []),
        *(x for d in args.tables for x in ("--tables", d)),
    ]
    return carry_out(
        understood.command,
        inner,
        {
            "understood": {"command": understood.command, "argv": list(understood.argv)},
            **({"assumed": list(understood.assumed)} if understood.assumed else {}),
        },
        library,
    )


def run(argv: Sequence[str]) -> int:
    """Carry out one command line and return the exit code."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        out(home())
        return 0
    if argv[0] == "--version":
        from . import __version__

        out(__version__)
        return 0
    if argv[0] in COMMANDS:
        return carry_out(argv[0], argv[1:])
    if argv[0].startswith("-"):
        raise Usage(f"{PROGRAM}: unknown option {argv[0][:40]} (see {PROGRAM} --help)")
    words, rest = [argv[0]], list(argv[1:])
    while rest and not rest[0].startswith("-"):  # words without quotes
        words.append(rest.pop(0))
    if len(words) == 1 and " " not in words[0]:
        from .terms.names import meant

        raise Usage(
            f"unknown command {words[0][:40]!r}{meant(words[0], [*COMMANDS])}"
            f" (commands: {', '.join(COMMANDS)}; or a question in quotes)"
        )
    return ask(" ".join(words), rest)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: errors become one line on stderr and exit code 2; a closed pipe is no error."""
    for stream in (sys.stdout, sys.stderr):
        # a terminal that knows only ASCII gets escapes, not an error
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            code = run(sys.argv[1:] if argv is None else list(argv))
        except SystemExit as stop:  # argparse, after --help
            code = stop.code or 0
        if sys.stdout is not None:  # None: closed by whoever started us
            sys.stdout.flush()
        return code
    except Refused as error:  # anything else is a fault of the program, and may be seen as one
        err(f"error: {error}")
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        err(f"error: {error.filename or 'output'}: {error.strerror or error}")
        if error.filename is None:  # what is still to be written cannot be: forget it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except KeyboardInterrupt:
        return 130


def entry() -> None:
    """Console script of the installed package."""
    # an answer makes many objects and hardly a cycle: look for these seldom
    gc.set_threshold(50_000)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # main.py: while modules load
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
