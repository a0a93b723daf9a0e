"""The agent skill as Markdown: one file for everything, and the sections that the folder form
(bundle.py) and the page for one situation (situation.py) share.

In: values of guide.py. Out: text, the same bytes for the same evidence. Every number comes from the
functions that answer at the command line; a rule without rows says so. The format is that of the
Agent Skills specification (github.com/agentskills/agentskills, docs/specification.mdx, commit
69ef37e): name at most 64 characters, description at most 1024, fewer than 500 lines. Does not write
files.
"""

import json
import os
from collections.abc import Mapping, Sequence

from ..answers import guide
from ..answers.guide import Advice, Backed, Entry, Guide
from ..base.wording import clean, percent, signed
from ..library import Library
from ..picker.limits import Constraints
from ..terms.recipe import BASELINE_NAME, Recipe
from ..terms.units import gpu_name
from . import claims as claims_report
from .adopt import telling
from .pick import limits_view
from .toolbox import CARD, READING, commands

NAME = "vlm-recipe-picker"
# in every file that this program writes: what has it may be overwritten
MARK = "written by vlm-recipe-picker"
COMPATIBILITY = "Python 3.11 or newer for the commands; works as a decision guide without them"
CLEAR = 0.8  # P(better) from which a change is said to help (or, from the other side, to hurt)


def default_path() -> str:
    """outputs/skill-vlm-recipe-picker.md under the current folder's checkout."""
    return os.path.join("outputs", f"skill-{NAME}.md")


def head(name: str, description: str, library: Library) -> list[str]:
    """The frontmatter. Values are JSON strings, which YAML reads as they are."""
    papers = library.papers(shipped_only=True)
    tables = sum(len(paper.tables) for paper in papers)
    cells = sum(
        value is not None
        for paper in papers
        for table in paper.tables
        for row in table.rows
        for value in row.scores.values()
    )
    quoted = lambda text: json.dumps(clean(text), ensure_ascii=False)
    return [
        "---",
        f"name: {name}",
        f"description: {quoted(description)}",
        f"compatibility: {quoted(COMPATIBILITY)}",
        "metadata:",
        f'  generator: "{MARK}"',
        f'  evidence: "{len(papers)} papers, {tables} tables, {cells} printed scores"',
        "---",
        "",
    ]


DESCRIPTION = (
    "Picks a full vision-language model recipe (image encoder, connector, LLM, data mix, resolution"
    " schedule, training stages) for a task mix, a compute budget and a latency target, from"
    " published ablation tables, with a citation for each choice. Use it when someone plans to"
    " train, ablate or compare VLM recipes, asks what a component swap gains, how many visual"
    " tokens or GPU-hours something costs, which released VLM to adopt, what to ablate first, or"
    " whether a repeated claim about VLM recipes is true."
)


def build(library: Library, value: Guide, summaries: Mapping[str, str]) -> str:
    """The whole skill in one file. summaries: command -> what it does, for all commands of the
    program.
    """
    lines = [
        *head(NAME, DESCRIPTION, library),
        *opening(),
        *commands(summaries),
        *READING,
        "",
        *CARD,
        "",
        *released_lines(value, library),
        *axes(value.balanced),
        "## Recipe and decision guide per task family",
        "",
        *families_lines(library),
        "",
    ]
    for family, one in value.families.items():
        lines += [
            f"### {title(family, library)}",
            "",
            *card_lines(one),
            "",
            *helps(one.entries),
            "",
        ]
    return (
        "\n".join([*lines, *rules(value.rules), *famous(value), *STAGES, *read_next(value)]) + "\n"
    )


def title(family: str, library: Library) -> str:
    """`chart (charts and diagrams)`."""
    return f"{family} ({library.words.records('family')[family]['name']})"


def opening(source: str = "the tables below") -> list[str]:
    """What it is and when to use it. source: where the numbers stand."""
    return [
        "# VLM recipe picker",
        "",
        (
            "Turn a task mix, a training budget and a latency target into one full recipe, each"
            " choice backed by a row of a published table. Numbers here were computed by `python3"
            " main.py skill` from the tables; gains are in percent of a benchmark's scale (points,"
            f" for benchmarks out of 100) against {BASELINE_NAME}."
        ),
        "",
        "## When to use",
        "",
        (
            "- Someone plans a VLM: ask for tasks, training budget, device and latency; run `pick`;"
            " fill the card; cite the tables it names."
        ),
        (
            "- Someone asks what a swap gains: run `swap`; report expected change, interval,"
            " P(better), grade and rows."
        ),
        (
            "- Someone has runs to spend: run `ablate`, then `design`. Someone may not need to"
            " train: run `models` first."
        ),
        "- Someone repeats a rule of thumb: run `claims`, or `swap` for what is not there.",
        (
            f"- Without the program: use {source}, say for which limits they hold, and keep their"
            " intervals."
        ),
        (
            "- The answer has grade `none`: say that no table holds evidence. Do not fill the gap"
            " from memory."
        ),
        "",
    ]


def axes(entries: Sequence[Entry]) -> list[str]:
    """What each axis is worth on the balanced mix."""
    return [
        "## What each axis is worth",
        "",
        f"Balanced mix of five families, from {BASELINE_NAME}, all else equal. {LEGEND}",
        "",
        *TABLE,
        *(row(entry) for entry in entries),
        "",
    ]


LEGEND = (
    "Tables (with arXiv id): on how many of the benchmarks they print the change is better; `*`:"
    " only this axis moved between the rows, without it other things did too."
)
TABLE = (
    "| change | gain | 80% interval | P(better) | grades | tables: better on, of |",
    "|---|---:|---|---:|---|---|",
)


def row(entry: Entry) -> str:
    """One change as a line of a table."""
    mix = entry.mix
    found = "; ".join(
        f"{s.table}{f' ({s.arxiv})' if s.arxiv else ''}: {s.better} of"
        f" {s.of}{'*' if s.controlled else ''}"
        for s in entry.sources
    )
    return (
        f"| {entry.usual.label} | {signed(mix.expected)} | {signed(mix.low)} to {signed(mix.high)}"
        f" | {percent(mix.p_better)} | {', '.join(entry.grades)} |"
        f" {found or 'no row makes just this change here'} |"
    )


MOST = 4  # changes that a family's table lists


def helps(entries: Sequence[Entry]) -> list[str]:
    """The changes that clearly help or hurt, those that do most, as a table."""
    clear = [
        entry for entry in entries if entry.mix.p_better >= CLEAR or entry.mix.p_better <= 1 - CLEAR
    ]
    most = sorted(clear, key=lambda entry: -abs(entry.mix.expected))[:MOST]
    if not clear:
        return ["No usual change is clearly better or worse here."]
    return [*SHORT_TABLE, *(short_row(entry) for entry in clear if entry in most)]


SHORT_TABLE = (
    "| change | gain | P(better) | a table: better on, of |",
    "|---|---:|---:|---|",
)


def short_row(entry: Entry) -> str:
    """One change as a short line: its first table."""
    mix, first = entry.mix, entry.sources[0] if entry.sources else None
    found = (
        f"{first.table}{f' ({first.arxiv})' if first.arxiv else ''}: {first.better} of"
        f" {first.of}{'*' if first.controlled else ''}"
        if first
        else "none"
    )
    return (
        f"| {entry.usual.label} | {signed(mix.expected)} ({signed(mix.low)} to"
        f" {signed(mix.high)}) |"
        f" {percent(mix.p_better)} | {found} |"
    )


def said_limits(limits: Constraints, library: Library) -> str:
    """Limits in words, as `pick` says them."""
    return f"{limits_view(limits, library.words)['text'] or 'no limits'} ({limits.dtype})"


def value_of(axis: str, recipe: Recipe) -> str:
    """One axis of a recipe in words."""
    if axis == "data":
        return f"`{recipe.data}`, {recipe.data_size:,.0f} examples"
    if axis == "resolution":
        shape = (
            f"{recipe.resolution} px"
            if isinstance(recipe.resolution, int)
            else f"{recipe.resolution} ({recipe.tiling})"
        )
        return f"{shape}, {recipe.visual_tokens:g} visual tokens"
    return f"`{getattr(recipe, axis)}`" + (
        f" ({recipe.llm_params_b:.3g}B)" if axis == "llm" else ""
    )


def cited(entry: Mapping) -> str:
    """A citation: table, arXiv id, what it shows."""
    if not entry["table"]:
        return f"unbacked ({entry['why']})"
    return (
        f"{entry['table']}{' (' + entry['arxiv'] + ')' if entry['arxiv'] else ''}: {entry['why']}"
    )


def families_lines(library: Library) -> list[str]:
    """What the recipes per family hold for."""
    return [
        (
            "What `pick --tasks FAMILY` answers with nothing else said:"
            f" {said_limits(guide.LIMITS, library)}. Many recipes tie (`tied_with_first`); run"
            " `pick` for your own limits. A recipe's level goes by its LLM. The tables hold what"
            f" helps (P(better) at least {percent(CLEAR)}) or hurts from {BASELINE_NAME}."
        ),
    ]


NAMES = {
    "encoder": "encoder",
    "connector": "connector",
    "llm": "LLM",
    "data": "data",
    "resolution": "resolution",
}


def card_lines(one: Advice) -> list[str]:
    """The pick of a family in short: what to adopt instead, a line per axis with its first
    citation, the gain and the costs, what to ablate.
    """
    answer = one.picked
    if not answer.result.recipes:
        return ["No recipe meets these limits."]
    best, first = answer.result.recipes[0], {}
    for entry in answer.citations():
        first.setdefault(entry["axis"], entry)
    c = best.costs
    lines = [f"- {adopt_text(answer.adopt)}"]
    lines += [
        f"- {NAMES[axis]} {value_of(axis, best.recipe)}: {cited_short(entry)}"
        for axis, entry in first.items()
    ]
    lines += [f"- unusual: {text}" for text in best.unusual]
    lines.append(
        f"- expected {signed(best.mix.expected)} ({signed(best.mix.low)} to"
        f" {signed(best.mix.high)}; {', '.join(guide.grades(answer.deltas()))});"
        f" {c.gpu_hours.low:,.0f}"
        f" to {c.gpu_hours.high:,.0f} {gpu_name(c.gpu)}-hours, TTFT {c.latency.ttft_ms:,.0f} ms on"
        f" {gpu_name(c.latency_gpu)}, {c.memory.total:.0f} GB"
    )
    if answer.first and answer.first.rival:
        lines.append(
            f"- ablate first: {answer.first.axis}, `{answer.first.picked}` against"
            f" `{answer.first.rival}`"
        )
    return lines


def adopt_text(adopt: Mapping | None) -> str:
    """Adopt or train, in a sentence: the released model and the pick's own level beside it."""
    if not adopt:
        return "adopt or train: no released model prints a score here"
    verdict = adopt["verdict"]
    if not adopt["models"]:
        return f"adopt or train: {verdict}; no released model prints half of these tasks"
    model, cell = telling(adopt)
    d = 0 if cell["max"] > 500 else 1
    text = (
        f"adopt or train: {verdict}; {model['model']} has {cell['name']}"
        f" {'' if cell['kind'] == 'printed' else '~'}{cell['value']:.{d}f}"
    )
    if cell["pick"] is None:
        return f"{text}; the recipe's is not known"
    return (
        f"{text}; models with such an LLM {cell['pick']:.{d}f}"
        f" ({cell['pick_low']:.{d}f} to {cell['pick_high']:.{d}f})"
    )


def cited_short(entry: Mapping) -> str:
    """A citation in a few words: table, arXiv id, on how many benchmarks it is better."""
    if not entry["table"]:
        return "unbacked"
    place = f"{entry['table']}{' (' + entry['arxiv'] + ')' if entry['arxiv'] else ''}"
    tasks = {"mix": "", "related": " related", "other": " other"}[entry["tasks"]]
    fair = "" if entry["controlled"] else ", other things moved too"
    return f"{place}, better on {entry['better']} of {entry['of']}{tasks}{fair}"


def released_lines(value: Guide, library: Library) -> list[str]:
    """Which released model to adopt, by task family and size."""
    heads = [f"under {size:g}B" for size in guide.SIZES]
    lines = [
        "## Adopt: released open models by task and size",
        "",
        (
            "The first of `models --under SIZE --tasks FAMILY` that prints half of the tasks or"
            " more, with one of its scores (~: estimated; same: as before it). Authors' own"
            f" protocols: reruns differ by points. {library.released.as_of}"
        ),
        "",
        f"| family | {' | '.join(heads)} |",
        "|---|" + "---|" * len(heads),
    ]
    for family, found in value.released.items():
        if not any(found):
            continue
        cells = [
            "-"
            if one is None
            else "same"
            if number and one == found[number - 1]
            else f"{one.model} ({one.benchmark} {'' if one.printed else '~'}{one.value:.3g})"
            for number, one in enumerate(found)
        ]
        lines.append(f"| {family} | {' | '.join(map(clean, cells))} |")
    return [*lines, ""]


def backing(number: int, one: Backed) -> list[str]:
    """One rule with its model answer and its printed cells."""
    lines = [f"{number}. **{one.rule.title}.** {one.rule.refuse}"]
    if one.mix is None:
        return [lines[0] + " Unbacked: a rule of method, no table can hold it."]
    m = one.mix
    doubt = "" if one.holds else " The rows no longer show it: treat the rule as open."
    lines.append(
        f"   Backing ({one.rule.tasks or 'balanced mix'}): model {signed(m.expected)} of 100"
        f" (80% interval {signed(m.low)} to "
        f"{signed(m.high)}), P(better)"
        f" {percent(m.p_better)}.{doubt}"
    )
    for cells in one.cells:
        printed = ", ".join(f"{key} {before:g} -> {after:g}" for key, before, after in cells.cells)
        place = f"{cells.proof.table}{f' ({cells.arxiv})' if cells.arxiv else ''}"
        lines.append(
            f"   Rows: {place}, {cells.proof.before} -> {cells.proof.after}: {printed}"
            f" ({'only this moves' if len(cells.moves) == 1 else 'moves'}:"
            f" {', '.join(cells.moves).replace('_', ' ')})."
        )
    return lines


def rules(backed: Sequence[Backed]) -> list[str]:
    """Hard rejects and refusal rules."""
    return [
        "## Hard rejects and refusal rules",
        "",
        *(line for number, one in enumerate(backed, 1) for line in (*backing(number, one), "")),
    ]


def famous(value: Guide, why: bool = True) -> list[str]:
    """Claims that fail (with `why` in a sentence each)."""
    return [
        "## Famous claims that fail",
        "",
        (
            "Do not repeat these; `claims ID` shows the rows, `claims` all others (most hold only"
            " partly)."
        ),
        "",
        *(
            f"- {one.claim.id}, {one.verdict}:"
            f' "{one.claim.text}".{" " + short(claims_report.why(one)) if why else ""}'
            for one in value.failing
        ),
        "",
    ]


def short(text: str, most: int = 150) -> str:
    """A sentence cut at a word."""
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"


STAGES = (
    "## Training stages",
    "",
    (
        "Two stages unless a table says otherwise: stage 1 trains the connector alone on 558K"
        " captions, stage 2 trains connector and LLM on the instruction mix, one epoch each,"
        " encoder frozen (LLaVA-1.5, arXiv 2310.03744). Prismatic finds one stage enough"
        " (prismatic.optimization, arXiv 2402.07865) and Cambrian-1 gains from alignment data"
        " (cambrian1.table9 to cambrian1.table11, arXiv 2406.16860): the tables disagree, so ablate"
        " it when runs are cheap."
    ),
    "",
)


def read_next(value: Guide) -> list[str]:
    """The next papers to read."""
    lines = [
        "## Read next",
        "",
        (
            "Chosen by what their tables show: each adds the most pairs of an axis and a task"
            " family for which rows differ in that axis alone."
        ),
        "",
    ]
    for number, one in enumerate(value.reading, 1):
        paper = one.paper
        lines.append(
            f"{number}. {paper.short}: {paper.title} ({paper.authors},"
            f" {paper.year}){f', arXiv {paper.arxiv}' if paper.arxiv else ''}: adds {one.adds} such"
            f" pairs; {one.contrasts:,} controlled differences, on"
            f" {', '.join(one.axes).replace('_', ' ')}."
        )
    return lines


def unbacked(entries: Sequence[Mapping]) -> str | None:
    """Why the citations of an axis do not back its choice, or None when one does."""
    if entries[0]["table"] is None:
        return "no table"
    if entries[0]["tasks"] == "other":
        return "only on other tasks"
    return (
        None
        if any(2 * entry["better"] >= entry["of"] for entry in entries)
        else "the tables cited speak against it"
    )
