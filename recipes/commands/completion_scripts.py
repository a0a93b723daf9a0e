"""Shell completion: scripts for bash, zsh and fish, made from the commands and their parsers.

In: the commands with their summaries, and for each its flags (argparse actions). Out: the text of a
script; names of components are asked of the program when they are needed (`completion --words
encoder`), so that the script does not grow old with them. Does not print, read files or install
anything.
"""

import argparse
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..terms.axes import COMPONENTS

SHELLS = ("bash", "zsh", "fish")
# What a flag's value is, by the flag: a kind of names that `words` lists.
NAMES = {
    "--encoder": "encoder",
    "--connector": "connector",
    "--llm": "llm",
    "--on": "llm",
    "--data": "data",
    "--benchmark": "benchmark",
    "--tasks": "family",
    "--gpu": "hardware",
    "--deploy": "hardware",
    "--train-gpu": "hardware",
    "--fix": "field",
    "--avoid": "field",
    "--recipe": "field",
    "--factor": "field",
    "--paper": "paper",
}
FILES = ("--tables", "--out", "--measured", "--file", "--image", "--questions")
# Words that stand behind a command without a flag.
PLACES = {
    "swap": "part",
    "tables": "tables",
    "models": "model",
    "benchmarks": "benchmark",
    "claims": "claim",
    "curve": "axis",
    "completion": "shell",
}


class Flag(NamedTuple):
    """A flag: its spellings, what it does, and whether it takes a value; choices and the kind of
    names that its values are.
    """

    spellings: tuple[str, ...]
    help: str
    valued: bool
    choices: tuple[str, ...]
    names: str | None


class Entry(NamedTuple):
    """A command: its summary, its flags, choices of its first word and the kind of names that its
    words are.
    """

    summary: str
    flags: tuple[Flag, ...]
    choices: tuple[str, ...]
    names: str | None


def entry(name: str, summary: str, parser: argparse.ArgumentParser) -> Entry:
    """What a parser takes."""
    flags, choices = [], ()
    for action in parser._actions:  # argparse has no public list of them
        if action.help == argparse.SUPPRESS:
            continue
        if action.option_strings:
            names = next((NAMES[s] for s in action.option_strings if s in NAMES), None)
            flags.append(
                Flag(
                    tuple(action.option_strings),
                    (action.help or "").replace("%%", "%"),
                    action.nargs != 0,
                    tuple(map(str, action.choices or ())),
                    names,
                )
            )
        elif action.choices:
            choices = tuple(map(str, action.choices))
    return Entry(summary, tuple(flags), choices, PLACES.get(name))


def words(kind: str, library) -> list[str]:
    """The names of a kind, sorted: encoder, connector, llm, data, benchmark, family, hardware,
    paper, table, model, claim, field, axis, part.
    """
    from ..terms.recipe import FIELDS
    from .curve import CURVES

    vocabulary = library.words
    if kind in (*COMPONENTS, "family", "hardware"):
        return sorted(vocabulary.records(kind))
    if kind == "benchmark":
        return sorted(
            key
            for key, record in vocabulary.records(kind).items()
            if record["family"] and record["kind"] == "score"
        )
    if kind == "part":
        return sorted(
            {name for axis in COMPONENTS for name in vocabulary.records(axis)}
            | {"7B", "13B", "336px", "672px", "frozen", "unfrozen"}
        )
    if kind == "paper":
        return sorted(name[:-5] for name in os.listdir(library.shipped) if name.endswith(".json"))
    if kind == "table":
        return sorted(table.id for paper in library.papers() for table in paper.tables)
    if kind == "model":
        return sorted(model["key"] for model in vocabulary.registry("models")["models"])
    if kind == "claim":
        return sorted(claim["id"] for claim in vocabulary.registry("claims")["claims"])
    if kind == "field":
        return [f"{name}=" for name in FIELDS]
    return sorted(CURVES)


KINDS = (
    "encoder",
    "connector",
    "llm",
    "data",
    "family",
    "hardware",
    "benchmark",
    "part",
    "paper",
    "table",
    "model",
    "claim",
    "field",
    "axis",
)


def head(call: Sequence[str], shell: str) -> list[str]:
    """Comment, and the command itself where it is not installed: a function that calls the
    checkout.
    """
    how = {
        "bash": 'eval "$(CALL completion bash)"',
        "zsh": 'eval "$(CALL completion zsh)"',
        "fish": "CALL completion fish | source",
    }[shell]
    spelled = shlex.join(call)
    lines = [f"# Completion of vlm-recipe for {shell}: {how.replace('CALL', spelled)}"]
    if len(call) > 1:
        body = (
            f"function vlm-recipe; {spelled} $argv; end"
            if shell == "fish"
            else f'vlm-recipe() {{ {spelled} "$@"; }}'
        )
        test = (
            "if not type -q vlm-recipe"
            if shell == "fish"
            else "if ! command -v vlm-recipe >/dev/null 2>&1; then"
        )
        lines += [test, "  " + body, "end" if shell == "fish" else "fi"]
    return lines


def script(shell: str, commands: Mapping[str, Entry], call: Sequence[str]) -> str:
    """The completion script of a shell. `call`: how this program is started."""
    return (
        "\n".join([*head(call, shell), *{"bash": bash, "zsh": zsh, "fish": fish}[shell](commands)])
        + "\n"
    )


def quote(text: str) -> str:
    """A text in single quotes, for bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


class Value(NamedTuple):
    """What may stand in a place: one of these words, a name of a kind, a file, or anything."""

    choices: tuple[str, ...] = ()
    names: str | None = None
    file: bool = False


def value_of(flag: Flag) -> Value:
    """What stands behind a flag."""
    if flag.choices or flag.names:
        return Value(flag.choices, None if flag.choices else flag.names)
    return Value(file=bool(set(flag.spellings) & set(FILES)))


def free_of(entry: Entry) -> Value:
    """What stands behind a command without a flag."""
    return Value(entry.choices, None if entry.choices else entry.names, True)


# Words between @ are filled in. The command and the word before the cursor decide.
BASH = """\
_vlm_recipe() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" \
command="${COMP_WORDS[1]}" names="" kind="" glue="="
  COMPREPLY=()
  if [ "$word" = "$glue" ]; then word=""; fi
  if [ "$COMP_CWORD" -le 1 ]; then
    COMPREPLY=($(compgen -W @words@ -- "$word"))
    return
  fi
  case "$command $before" in
@flags@
    *)
      case "$command" in
@commands@
      esac ;;
  esac
  if [ "$kind" = file ]; then COMPREPLY=($(compgen -f -- "$word")); return; fi
  if [ -n "$kind" ]; then names="$(vlm-recipe completion --words "$kind" 2>/dev/null)"; fi
  COMPREPLY=($(compgen -W "$names" -- "$word"))
  if [ "${COMPREPLY[0]%=}" != "${COMPREPLY[0]}" ]; then compopt -o nospace 2>/dev/null; fi
}
complete -o default -F _vlm_recipe vlm-recipe"""
# One _arguments call per command.
ZSH = """\
_vlm_recipe_names() {
  local -a found; found=(${(f)"$(vlm-recipe completion --words $1 2>/dev/null)"})
  compadd -a found
}
_vlm_recipe() {
  local -a commands
  commands=(
@words@
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
@commands@
  esac
}
if (( ! $+functions[compdef] )); then autoload -Uz compinit && compinit; fi
compdef _vlm_recipe vlm-recipe"""


def bash(commands: Mapping[str, Entry]) -> list[str]:
    """A function that looks at the command and the word before the cursor."""
    flags, places = [], []
    for name, entry in commands.items():
        groups: dict[Value, list[str]] = {}
        for flag in entry.flags:
            if flag.valued:
                spelled = (f'"{name} {s}"' for s in flag.spellings)
                groups.setdefault(value_of(flag), []).extend(spelled)
        flags += [
            f"    {'|'.join(patterns)}) {_bash_value(value)} ;;"
            for value, patterns in groups.items()
        ]
        free = free_of(entry)
        said = "kind=file" if not (free.choices or free.names) else _bash_value(free)
        if name == "tables":
            said = f'case "$before" in show) kind=table ;; find) kind=part ;; *) {said} ;; esac'
        spellings = quote(" ".join(s for flag in entry.flags for s in flag.spellings))
        places += [
            f"        {name})",
            f'          if [ "${{word#-}}" != "$word" ]; then names={spellings}',
            f"          else {said}; fi ;;",
        ]
    words = quote(" ".join([*commands, "--help", "--version"]))
    return _filled(BASH, words=[words], flags=flags, commands=places)


def _bash_value(value: Value) -> str:
    """What bash does where this may stand."""
    if value.choices:
        return f"names={quote(' '.join(value.choices))}"
    if value.names:
        return f"kind={value.names}"
    return 'COMPREPLY=($(compgen -f -- "$word")); return' if value.file else "return"


def _filled(template: str, **parts: Sequence[str]) -> list[str]:
    """The lines of a template with its words filled in, each once."""
    for word, lines in parts.items():
        before, _, after = template.partition(f"@{word}@")
        template = before + "\n".join(lines) + after
    return template.split("\n")


def zsh(commands: Mapping[str, Entry]) -> list[str]:
    """A function with one _arguments call per command."""
    plain = str.maketrans({"\\": "", "[": "(", "]": ")", ":": ";", "`": "'"})
    described = lambda text: text.translate(plain)
    words = [f"    {quote(name + ':' + described(one.summary))}" for name, one in commands.items()]
    lines = []
    for name, entry in commands.items():
        lines.append(f"    {name}) _arguments \\")
        for flag in entry.flags:
            value = f":value:{_zsh_value(value_of(flag))}" if flag.valued else ""
            lines += [
                f"      {quote('*' + s + '[' + described(flag.help) + ']' + value)} \\"
                for s in flag.spellings
            ]
        free = _zsh_value(free_of(entry))
        if name == "tables":
            table = quote("*:table:_vlm_recipe_names table")
            lines.append(f"      {quote('1:action:' + free)} {table} ;;")
        else:
            lines.append(f"      {quote('*:name:' + free)} ;;")
    return _filled(ZSH, words=words, commands=lines)


def _zsh_value(value: Value) -> str:
    """The action of zsh where this may stand."""
    if value.choices:
        return f"({' '.join(value.choices)})"
    if value.names:
        return f"_vlm_recipe_names {value.names}"
    return "_files" if value.file else " "


def fish(commands: Mapping[str, Entry]) -> list[str]:
    """One `complete` line per flag."""
    said = lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    asked = lambda kind: f"-a '(vlm-recipe completion --words {kind} 2>/dev/null)'"
    lines = ["complete -c vlm-recipe -f"]
    for name, entry in commands.items():
        lines.append(
            f"complete -c vlm-recipe -n __fish_use_subcommand -a {name} -d {said(entry.summary)}"
        )
        here = f"complete -c vlm-recipe -n '__fish_seen_subcommand_from {name}'"
        for flag in entry.flags:
            spelled = " ".join(
                f"-l {s[2:]}" if s.startswith("--") else f"-s {s[1:]}" for s in flag.spellings
            )
            value, text = value_of(flag), ""
            if value.choices:
                text = " -x -a " + said(" ".join(value.choices))
            elif value.names:
                text = " -x " + asked(value.names)
            elif flag.valued:
                text = " -r -F" if value.file else " -x"
            lines.append(f"{here} {spelled}{text} -d {said(flag.help)}")
        if entry.choices:
            lines.append(f"{here} -a {said(' '.join(entry.choices))}")
        else:
            lines.append(f"{here} {asked(entry.names) if entry.names else '-F'}")
        if name == "tables":
            lines.append(
                f"complete -c vlm-recipe -n '__fish_seen_subcommand_from show' {asked('table')}"
            )
    return lines
