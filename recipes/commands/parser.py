"""The parser of every command, and the flags that all of them have.

In: argparse's. Out: a Parser; Usage where a command line cannot be carried out. Loads nothing that
answers need: the first screen and `--help` pass here.
"""

import argparse

from ..base.errors import Refused
from .console import out


class Usage(Refused):
    """A command line that cannot be carried out: one line, exit code 2."""


class Once(argparse._StoreAction):
    """A flag of one value. argparse keeps the last of several; here a second one is refused, and
    what may be said several times is told so (action="append").
    """

    def __call__(self, parser, namespace, values, option_string=None):
        if option_string and self.dest in parser.given:
            parser.error(f"{option_string} is given twice, and takes one value")
        parser.given.add(self.dest)
        super().__call__(parser, namespace, values, option_string)


class Parser(argparse.ArgumentParser):
    """argparse whose errors are one line in the same form as all others, with a near miss for a
    wrong flag.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.given: set[str] = set()
        for name in (None, "store"):
            self.register("action", name, Once)

    def parse_known_args(self, args=None, namespace=None):
        """argparse's, which knows what it was given this time."""
        self.given.clear()
        return super().parse_known_args(args, namespace)

    def print_help(self, file=None):
        """As any text is printed (argparse's own way is silent where nothing can be written)."""
        out(self.format_help().rstrip("\n"))

    def error(self, message: str):
        from ..terms.vocabulary import nearest  # a command that runs does not need them here

        words = message.split("arguments: ")
        if len(words) == 2 and words[1].startswith("--"):
            known = [flag for action in self._actions for flag in action.option_strings]
            near = nearest(words[1].split()[0], known)
            message += f" (did you mean {near[0]}?)" if near else ""
        raise Usage(f"{self.prog}: {message} (see {self.prog} --help)")


def common(parser: Parser) -> None:
    """Flags of every command."""
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.add_argument(
        "--plain",
        action="store_true",
        help="no colour, only ASCII, 80 columns whatever the terminal",
    )
    parser.add_argument(
        "--tables",
        metavar="DIR",
        action="append",
        default=[],
        help="a folder of your own tables, joined to the published ones (repeatable)",
    )
