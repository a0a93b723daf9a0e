"""Fill in what README.md shows of the program: `python3 -m tests.fill_readme` (or `--check`: exit
code 1 when it is stale).

In: README.md. Out: README.md with the blocks below these comments written anew, the counts of the
evidence, and the table of the backtest:

    <!-- output: COMMAND -->            the whole output
    <!-- output: COMMAND; parts 1-3 -->
                  its paragraphs 1 to 3 (what blank lines separate), with a line … for the rest
    <!-- output: COMMAND; parts 1-3:9 -->
                  the same, of the last paragraph the first 9 lines
    <!-- backtest -->                   the table of `backtest` (minutes; `fill_readme FILE` takes
                                       what `backtest --json > FILE` printed)

Used by test_readme, which runs the commands that are quick.
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

from . import support

README = support.ROOT / "README.md"
OUTPUT = re.compile(
    r"<!-- output: (.+?)(?:; parts (\d+)-(\d+)(?::(\d+))?)? -->\n```\n(.*?)```\n", re.S
)
BACKTEST = re.compile(r"<!-- backtest -->\n(?:\|.*\n)*")
COUNTS = re.compile(r"\d+ papers, \d+ ablation tables and [\d,]+ printed scores")
AXES = ("llm", "resolution and tokens", "encoder", "data", "connector", "training", "several")


class Block(NamedTuple):
    """A shown output: the command, its paragraphs (first, last; None: all), lines of the last one
    (None: all), and what the file has now.
    """

    command: str
    parts: tuple[int, int] | None
    lines: int | None
    shown: str

    @property
    def comment(self) -> str:
        """The comment above it."""
        parts = f"; parts {self.parts[0]}-{self.parts[1]}" if self.parts else ""
        return f"<!-- output: {self.command}{parts}{f':{self.lines}' if self.lines else ''} -->"


def blocks(text: str) -> Iterator[Block]:
    """The outputs that a text shows."""
    for match in OUTPUT.finditer(text):
        yield block(match)


def block(match: re.Match) -> Block:
    """One of them."""
    return Block(
        match[1],
        (int(match[2]), int(match[3])) if match[2] else None,
        int(match[4]) if match[4] else None,
        match[5],
    )


def render(one: Block) -> str:
    """What stands there by rights. Raises AssertionError when the command fails."""
    argv = shlex.split(one.command)
    if argv[:2] == ["python3", "main.py"]:
        code, out, err = support.call(*argv[2:])
    else:
        done = subprocess.run(
            [sys.executable, *argv[1:]],
            capture_output=True,
            text=True,
            cwd=support.ROOT,
            check=False,
        )
        code, out, err = done.returncode, done.stdout, done.stderr
    assert (code, err) == (0, ""), (one.command, code, err)
    if one.parts is None:
        return out
    paragraphs = out.rstrip("\n").split("\n\n")
    first, last = one.parts
    kept = paragraphs[first - 1 : last]
    ending = "\n\n…\n" if last < len(paragraphs) else "\n"
    if one.lines and kept[-1].count("\n") >= one.lines:
        kept[-1], ending = "\n".join(kept[-1].split("\n")[: one.lines]), "\n…\n"
    return ("…\n\n" if first > 1 else "") + "\n\n".join(kept) + ending


def counts() -> str:
    """The size of the evidence in words."""
    papers = support.papers()
    cells = sum(
        v is not None for p in papers for t in p.tables for r in t.rows for v in r.scores.values()
    )
    return (
        f"{len(papers)} papers, {sum(len(p.tables) for p in papers)} ablation tables and {cells:,}"
        " printed scores"
    )


def backtest(saved: str | None = None) -> str:
    """The table of the backtest; saved: a file with what `backtest --json` printed."""
    if saved:
        result = json.loads(pathlib.Path(saved).read_text(encoding="utf-8"))
    else:
        code, out, _ = support.call("backtest", "--json")
        assert code == 0, out
        result = json.loads(out)
    answered = result["by_axis_answered"]
    rows = [
        ("all contrasts", result["overall"]),
        ("answered", result["answered"]),
        ("answerable (direct, indirect)", result["answerable"]),
        *((f"answered: {axis}", answered[axis]) for axis in AXES if axis in answered),
    ]
    lines = [
        "<!-- backtest -->",
        "| contrasts | n | papers | error (mean over papers / pooled) | error of the axis mean |"
        ' CRPS (of the sharpest "no change") | in 50 / 80 / 95% | right sign in % (papers / all) |',
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    share = lambda x: "-" if x is None else f"{100 * x:.0f}"
    for name, value in rows:
        inside = " / ".join(share(value["coverage_pooled"][level]) for level in ("50", "80", "95"))
        sign = " / ".join(share(value[key]) for key in ("sign", "sign_pooled"))
        lines.append(
            f"| {name} | {value['contrasts']:,} | {value['papers']} | {value['mae_ratio']:.2f} /"
            f" {value['pooled_ratio']:.2f} | {value['axis_mean_ratio']:.2f} |"
            f" {value['crps_ratio']:.2f} ({value['crps_sharp_ratio']:.2f}) | {inside} | {sign} |"
        )
    return "\n".join(lines) + "\n"


def fill(text: str, saved: str | None = None) -> str:
    """The text with everything written anew."""
    text = OUTPUT.sub(lambda m: f"{block(m).comment}\n```\n{render(block(m))}```\n", text)
    text = COUNTS.sub(lambda m: counts(), text)
    return BACKTEST.sub(lambda m: backtest(saved), text)


def main(argv: list[str]) -> int:
    """Write README.md, or say whether it is stale."""
    text = README.read_text(encoding="utf-8")
    files = [name for name in argv if name != "--check"]
    filled = fill(text, *files)
    if "--check" in argv:
        print(
            "README.md is "
            + (
                "what the program prints"
                if filled == text
                else "stale: run python3 -m tests.fill_readme"
            )
        )
        return 0 if filled == text else 1
    README.write_text(filled, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
