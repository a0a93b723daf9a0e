"""Hostile input by the thousand: `python3 -m tests.fuzz [COUNT] [SEED]`, by hand (some minutes).

In: a count (10,000) and a seed. Out: a line for each campaign, and each input that broke a promise:
an exception that is not the user's, an exit code other than 0, 1 or 2, an error of several lines,
a control character on the screen. Exit code 1 if there was one. Writes only to a temporary folder.
"""

import argparse
import copy
import json
import os
import pathlib
import random
import string
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from recipes.base.wording import CONTROL
from recipes.commands.registry import COMMANDS

from . import support

ODD = (
    "",
    " ",
    "0",
    "-1",
    "1e308",
    "nan",
    "inf",
    "9" * 400,
    "\x00",
    "\x1b[2J",
    "\u202eabc",
    "\ud800",
    "%s",
    "../../etc/passwd",
    "~",
    "$(id)",
    "a" * 5000,
    "½",
    "１２",
    "::add-mask::x\n::error::y",
)
WRONG = (None, True, 0, -1, 1.5, 1e308, "", "x\x1b[31m\u202ey\nz", [], [1], {}, {"a": 1}, [[]])
LEFT_OUT = ("compare", "fit", "backtest", "report", "skill", "import", "export", "check")
TINY = {
    "format": 2,
    "paper": {
        "key": "mine",
        "short": "Mine",
        "title": "A table of my own",
        "year": 2026,
        "arxiv": None,
        "venue": None,
    },
    "tables": [
        {
            "id": "mine.table1",
            "locator": "Table 1",
            "topic": "encoders",
            "section": "4",
            "varies": ["encoder"],
            "setting": {"llm": "vicuna-1.5-7b", "connector": "mlp-2x-gelu", "resolution": 336},
            "protocol": None,
            "metrics": {"mmmu": {"benchmark": "mmmu", "unit": "percent", "max": 100}},
            "rows": [
                {"arm": "a", "set": {"encoder": "clip-vit-l-14"}, "scores": {"mmmu": 35.0}},
                {"arm": "b", "set": {"encoder": "siglip-so400m-14"}, "scores": {"mmmu": 36.0}},
            ],
            "notes": None,
        }
    ],
}


def places(value, path: tuple = ()) -> Iterator[tuple]:
    """Every place of a nested value, as a path of keys and numbers."""
    yield path
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def put(value, path: tuple, new):
    """A copy of a nested value with another one at a place."""
    if not path:
        return new
    out = copy.deepcopy(value)
    inner = out
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return out


def broken(argv: list[str]) -> str | None:
    """What promise a command line breaks, or None."""
    try:
        code, out, err = support.call(*argv)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if code not in (0, 1, 2):
        return f"exit code {code}"
    if code == 2 and err.count("\n") > 1:
        return f"an error of {err.count(chr(10))} lines"
    steering = CONTROL.search(out) or CONTROL.search(err)
    return f"control character {steering[0]!r} printed" if steering else None


def junk(rng: random.Random) -> str:
    """An odd word."""
    if rng.random() < 0.5:
        return rng.choice(ODD)
    return "".join(rng.choice(string.printable + "é→\u2028") for _ in range(rng.randint(1, 12)))


def spoilt(rng: random.Random, words: list[str]) -> list[str]:
    """Words with one dropped, doubled, replaced by junk, or joined with it."""
    words, place = list(words), rng.randrange(len(words))
    kind = rng.randrange(4)
    if kind == 0 and len(words) > 1:
        del words[place]
    elif kind == 1:
        words.insert(place, words[place])
    elif kind == 2:
        words[place] = junk(rng)
    else:
        words[place] += junk(rng)
    return words


def questions(rng: random.Random, folder: pathlib.Path) -> list[str]:
    """A question of the suite, spoilt."""
    line = rng.choice(QUESTIONS)
    return [" ".join(spoilt(rng, line.split())) or "x", *(["--json"] if rng.random() < 0.3 else [])]


def command_lines(rng: random.Random, folder: pathlib.Path) -> list[str]:
    """An example of a command's help, spoilt; the command itself stays."""
    name = rng.choice([name for name in COMMANDS if name not in LEFT_OUT])
    words = rng.choice(COMMANDS[name].examples.split("\n")).split()
    return [words[0], *spoilt(rng, words[1:] or ["x"])]


def file_of(folder: pathlib.Path, name: str, text: str) -> str:
    """A file with this text."""
    path = folder / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return str(path)


def predictions(rng: random.Random, folder: pathlib.Path) -> list[str]:
    """A line for predict with one value replaced."""
    line = {"from": {"encoder": "clip"}, "to": {"encoder": "siglip"}, "benchmark": "mmmu"}
    new = rng.choice([*WRONG, junk(rng)])
    line = put(line, rng.choice([p for p in places(line) if p]), new)
    text = json.dumps(line)
    return ["predict", file_of(folder, "lines.jsonl", text if rng.random() < 0.8 else text[:-9])]


def tables(rng: random.Random, folder: pathlib.Path) -> list[str]:
    """A table of one's own with one value replaced, through a command that reads it."""
    bad = put(TINY, rng.choice(list(places(TINY))), rng.choice([*WRONG, junk(rng)]))
    file_of(folder, "mine.json", json.dumps(bad))
    ways = (["check"], ["tables", "show", "mine.table1"], ["tables", "find", "clip"], SWAP)
    return [*rng.choice(ways), "--tables", str(folder)]


def files(rng: random.Random, folder: pathlib.Path) -> list[str]:
    """A result file or a CSV, spoilt, for import; a claims file for claims."""
    kind = rng.randrange(3)
    target = ["--table", "t", "--out", str(folder / "out"), "--as", "a"]
    if kind == 0:
        text = ",".join(spoilt(rng, ["arm", "mmmu", "docvqa"])) + "\n"
        return ["import", file_of(folder, "s.csv", text + f"a,{junk(rng)},3\n"), *target[:4]]
    if kind == 1:
        base = {"results": {"mmmu_val": {"mmmu_acc,none": 0.3}}, "config": {"model": "m"}}
        bad = put(base, rng.choice(list(places(base))), rng.choice(WRONG))
        return ["import", file_of(folder, "x_results.json", json.dumps(bad)), *target]
    claims = {"claims": [{"id": "X1", "claim": "x", "source": "y", "assert": []}]}
    bad = put(claims, rng.choice(list(places(claims))), rng.choice([*WRONG, junk(rng)]))
    return ["claims", "--file", file_of(folder, "c.json", json.dumps(bad))]


SWAP = ["swap", "clip", "siglip", "--why"]
QUESTIONS = [
    json.loads(line)["question"]
    for line in (support.DATA / "questions.jsonl").read_text("utf-8").splitlines()
]
CAMPAIGNS: dict[str, tuple[float, Callable]] = {
    "questions": (0.25, questions),
    "command lines": (0.2, command_lines),
    "predict lines": (0.2, predictions),
    "tables": (0.25, tables),
    "files": (0.1, files),
}


def main(count: int, seed: int) -> int:
    """Run all campaigns; returns how many inputs broke a promise."""
    rng, bad = random.Random(seed), 0
    for name, (share, make) in CAMPAIGNS.items():
        started, found, tries = time.monotonic(), {}, int(share * count)
        for number in range(tries):
            with tempfile.TemporaryDirectory() as folder:
                argv = make(rng, pathlib.Path(folder))
                reason = broken(argv)
                if reason:
                    found.setdefault(reason.split("\n")[0][:80], (argv, number))
        seconds = time.monotonic() - started
        print(f"{name:<14} {tries:>6} inputs in {seconds:.0f} s: {len(found)} kinds", flush=True)
        for reason, (argv, number) in found.items():
            print(f"   {reason}\n      input {number}: {str(argv)[:300]}")
        bad += len(found)
    return bad


if __name__ == "__main__":
    os.environ["NO_COLOR"] = "1"
    parser = argparse.ArgumentParser(description="Hostile input by the thousand.")
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:  # what commands write where they stand
        os.chdir(scratch)
        found = main(asked.count, asked.seed)
        os.chdir("/")
    sys.exit(1 if found else 0)
