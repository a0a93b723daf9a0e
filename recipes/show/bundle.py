"""The skill as a folder: SKILL.md, references/ (one file per task family, the tables, the claims)
and scripts/.

In: a Guide (guide.py) and the library. Out: relative path -> text, the same bytes for the same
evidence. What SKILL.md of the single-file form says about each family stands in references/ here,
so that an agent loads only what it needs. Does not write files.
"""

import os
from collections.abc import Mapping, Sequence

from ..answers import guide
from ..answers.guide import Advice, Guide
from ..base.wording import signed
from ..evidence.contrasts import evidence_metrics
from ..library import Library
from . import claims as claims_report
from .situation import filled
from .skill import (
    DESCRIPTION,
    LEGEND,
    MARK,
    NAME,
    STAGES,
    TABLE,
    axes,
    card_lines,
    families_lines,
    famous,
    head,
    opening,
    read_next,
    released_lines,
    row,
    rules,
    title,
    value_of,
)
from .toolbox import CARD, READING, commands

SCRIPT = "scripts/ask.py"


def files(library: Library, value: Guide, summaries: Mapping[str, str]) -> dict[str, str]:
    """Everything below the folder `vlm-recipe-picker`."""
    out = {"SKILL.md": main(library, value, summaries)}
    for family, one in value.families.items():
        out[f"references/{family}.md"] = reference(library, family, one)
    out["references/evidence.md"] = evidence(library)
    out["references/claims.md"] = claims(value)
    with open(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "ask.py"), encoding="utf-8"
    ) as file:
        out[SCRIPT] = file.read()
    return out


def page(lines: Sequence[str]) -> str:
    """A Markdown file with the mark that this program wrote it."""
    return "\n".join([f"<!-- {MARK} -->", *lines]).rstrip("\n") + "\n"


def main(library: Library, value: Guide, summaries: Mapping[str, str]) -> str:
    """SKILL.md: how to work, and where the rest is."""
    lines = [
        *head(NAME, DESCRIPTION, library),
        *opening("the references below"),
        (
            "`scripts/ask.py COMMAND …` finds the program and calls it with `--json`; where it is"
            " not installed it says how to get it."
        ),
        "",
        (
            "References: one file per task family (table below), [evidence](references/evidence.md)"
            " (every table: what it varies and prints), [claims](references/claims.md) (what people"
            " repeat, with verdicts)."
        ),
        "",
        *commands(summaries, f"python3 {SCRIPT}"),
        *READING,
        "",
        *CARD,
        "",
        *released_lines(value, library),
        *axes(value.balanced),
        "## Recipe per task family",
        "",
        *families_lines(library),
        "",
        "| family | encoder | LLM | resolution | gain | file |",
        "|---|---|---|---|---:|---|",
    ]
    for family, one in value.families.items():
        best = one.picked.result.recipes[0] if one.picked.result.recipes else None
        cells = (
            [value_of(axis, best.recipe) for axis in ("encoder", "llm", "resolution")]
            + [signed(best.mix.expected)]
            if best
            else ["none fits"] + ["-"] * 3
        )
        lines.append(
            f"| {title(family, library)} | {' | '.join(cells)} |"
            f" [{family}](references/{family}.md) |"
        )
    return (
        "\n".join(
            [*lines, "", *rules(value.rules), *famous(value, why=False), *STAGES, *read_next(value)]
        )
        + "\n"
    )


def reference(library: Library, family: str, one: Advice) -> str:
    """One task family: the card, every usual change, and the tables that print its benchmarks."""
    words = library.words
    core = words.records("family")[family]["core"]
    lines = [
        f"# {title(family, library)}",
        "",
        "Core benchmarks: " + ", ".join(core) + ".",
        "",
        "## Recipe",
        "",
        *families_lines(library),
        "",
        *filled(one),
        "",
        "In short:",
        "",
        *card_lines(one),
        "",
        "## What helps",
        "",
        LEGEND,
        "",
        *TABLE,
        *(row(entry) for entry in one.entries),
        "",
        "## Tables that print its benchmarks",
        "",
        "| table | varies | rows | benchmarks of the family |",
        "|---|---|---:|---|",
    ]
    for paper in library.papers(shipped_only=True):
        for table in paper.tables:
            printed = dict.fromkeys(
                m.benchmark
                for m in evidence_metrics(table)
                if words.records("benchmark").get(m.benchmark, {}).get("family") == family
            )
            if printed:
                place = f"{table.id}{f', arXiv {table.arxiv}' if table.arxiv else ''}"
                lines.append(
                    f"| {place} | {', '.join(table.varies)} | {len(table.rows)} |"
                    f" {', '.join(printed)} |"
                )
    return page(lines)


def evidence(library: Library) -> str:
    """Every table: where it stands, what it varies, how much it prints, and what its record
    doubts.
    """
    lines = [
        "# Tables",
        "",
        "`tables show ID` prints one in full, with its notes.",
        "",
        "| table | where | varies | rows x scores | doubtful rows |",
        "|---|---|---|---|---|",
    ]
    for paper in library.papers(shipped_only=True):
        for table in paper.tables:
            doubt = ", ".join(r.arm for r in table.rows if r.doubt)
            place = (
                f"{paper.short if table.paper == paper.key else table.paper},"
                f" {table.locator}{f' (arXiv {table.arxiv})' if table.arxiv else ''}"
            )
            lines.append(
                "| "
                + " | ".join(
                    cell.replace("|", "\\|")
                    for cell in (
                        table.id,
                        place,
                        ", ".join(table.varies),
                        f"{len(table.rows)} x {len(evidence_metrics(table))}",
                        doubt or "-",
                    )
                )
                + " |"
            )
    return page(lines)


def claims(value: Guide) -> str:
    """All claims with their verdicts, the failing ones first."""
    lines = [
        "# What people repeat about VLM recipes",
        "",
        ", ".join(f"{n} {verdict}" for verdict, n in claims_report.counts(value.audits).items())
        + ".",
        "",
    ]
    for one in sorted(value.audits, key=lambda one: one.verdict not in guide.FAIL):
        note = f" Note: {one.claim.note}" if one.claim.note else ""
        lines.append(
            f'- {one.claim.id}, **{one.verdict}**: "{one.claim.text}".'
            f" {claims_report.why(one)}.{note}"
        )
    return page(lines)
