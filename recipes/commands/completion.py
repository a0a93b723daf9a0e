"""`completion`: a script that makes a shell complete commands, flags and names.

In: parsed arguments and the library. Out: printed text or JSON, and the exit code. The scripts are
made in completion.py.
"""

import argparse
import os
import sys

from ..library import CHECKOUT, Library
from .arguments import Parser, Usage
from .console import out, show


def completion_arguments(parser: Parser) -> None:
    from .completion_scripts import KINDS, SHELLS

    parser.add_argument("shell", nargs="?", choices=SHELLS, help="which shell the script is for")
    # what the scripts ask while one types
    parser.add_argument("--words", choices=KINDS, help=argparse.SUPPRESS)


def completion_command(args, library: Library, understood: dict | None = None) -> int:
    """A script that makes a shell complete commands, flags and names: eval "$(… completion
    bash)".
    """
    from . import completion_scripts as completion
    from . import registry

    if args.words:
        names = completion.words(args.words, library)
        show({"words": names}) if args.json else out("\n".join(names))
        return 0
    if not args.shell:
        raise Usage(f"completion: for which shell? ({', '.join(completion.SHELLS)})")
    started = os.path.abspath(sys.argv[0] or "main.py")
    call = (
        [sys.executable or "python3", started]
        if started.endswith(".py")
        else [os.path.basename(started)]
    )
    if not started.endswith((".py", "vlm-recipe")):  # started by a test or another program
        call = [sys.executable or "python3", os.path.join(CHECKOUT, "main.py")]
    commands = {
        name: completion.entry(name, command.summary, registry.parser_of(name))
        for name, command in registry.COMMANDS.items()
    }
    text = completion.script(args.shell, commands, call)
    show({"shell": args.shell, "script": text}) if args.json else out(text.rstrip("\n"))
    return 0
