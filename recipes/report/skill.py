"""The agent skill: a Markdown file that teaches an agent to emit a cited VLM recipe.

In: the library. Out: the text of outputs/skill-vlm-recipe-picker.md, the same bytes for the same evidence. Every
number in it comes from the same functions that answer at the command line; a rule without rows says so.
"""
import os
from collections.abc import Sequence
from typing import NamedTuple

from .. import answers, picks
from ..library import Library
from ..picker.limits import Constraints
from ..picker.recipe import BASELINE, Recipe
from ..picker.tasks import TaskMix, parse_mix
from ..picker.units import Budget, LatencyTarget
from .text import percent, signed

NAME = "vlm-recipe-picker"
BUDGET = Budget("gpu_hours", 500.0, "a100-80gb-sxm")
LATENCY = LatencyTarget(300.0, "l4", False)


def default_path() -> str:
    """outputs/skill-vlm-recipe-picker.md under the current folder's checkout."""
    return os.path.join("outputs", f"skill-{NAME}.md")


class Rule(NamedTuple):
    """A refusal rule: what to refuse, and the swap that backs it (None: no table can)."""
    title: str
    refuse: str
    change: tuple[dict, dict] | None
    tasks: str | None


RULES = (
    Rule("A connector sold as a quality gain",
         "Refuse to promise points for Q-Former, Perceiver or an abstractor over a 2-layer MLP at equal token counts.",
         ({"connector": "mlp-2x-gelu"}, {"connector": "perceiver"}), None),
    Rule("CLIP as the default without a reason",
         "Ask for the reason (licence, speed, an existing checkpoint). Without one, take SigLIP at its native resolution.",
         ({"encoder": "clip-vit-l-14", "resolution": 336}, {"encoder": "siglip-so400m-14", "resolution": 384}), None),
    Rule("Reasoning asked of a 1-3B LLM",
         "Refuse college-level or mathematical reasoning as a goal on an LLM of 3B or less; offer a larger LLM or another task.",
         ({"llm_params_b": 7.0}, {"llm_params_b": 2.0}), "reasoning,math"),
    Rule("A self-supervised encoder alone for text",
         "Refuse DINOv2, MAE or I-JEPA as the only encoder where images hold text; fuse it with a text-supervised one.",
         ({"encoder": "siglip-so400m-14", "resolution": 384}, {"encoder": "dinov2-vit-l-14", "resolution": 384}), "documents"),
    Rule("Documents at 336 px",
         "Refuse a document model whose longest side is 336 px when tiles or a higher resolution fit the budget.",
         ({"resolution": "anyres-672", "visual_tokens": 2880.0}, {"resolution": 336, "visual_tokens": 576.0}), "documents"),
    Rule("64 tokens or fewer for text",
         "Refuse to cut an image to 64 tokens for documents or charts without saying what it costs.",
         ({"visual_tokens": 576.0}, {"visual_tokens": 64.0}), "documents,charts"),
    Rule("A number without a table",
         "Refuse to state a delta that no command printed and no table holds; say `no evidence` instead.", None, None),
    Rule("Scores compared across protocols",
         "Refuse to subtract scores that two papers measured differently (splits, prompts, judges); compare rows of one table.", None, None),
    Rule("A recipe for a benchmark nobody ablated",
         "Say `extrapolated` or `none` as the tool does, widen the promise, and propose the ablation instead.", None, None),
)

SWAPS = (
    ("encoder", {"encoder": "clip-vit-l-14", "resolution": 336}, {"encoder": "siglip-so400m-14", "resolution": 384}, "CLIP ViT-L/14@336 to SigLIP SO400M/14@384"),
    ("encoder", {"encoder": "siglip-so400m-14", "resolution": 384}, {"encoder": "dinov2-vit-l-14+siglip-so400m-14", "resolution": 384}, "SigLIP to SigLIP+DINOv2"),
    ("connector", {"connector": "mlp-2x-gelu"}, {"connector": "perceiver"}, "MLP to Perceiver, equal tokens"),
    ("llm", {"llm_params_b": 7.0}, {"llm_params_b": 13.0}, "7B to 13B LLM"),
    ("llm", {"llm_params_b": 7.0}, {"llm_params_b": 2.0}, "7B to 2B LLM"),
    ("data", {"data": "llava-665k", "data_size": 665_000.0}, {"data": "cambrian-7m", "data_size": 7_000_000.0}, "LLaVA-665K to Cambrian-7M"),
    ("resolution", {"resolution": 336, "visual_tokens": 576.0}, {"resolution": "anyres-672", "visual_tokens": 2880.0}, "336 px to 2x2 tiles (672 px)"),
    ("visual_tokens", {"visual_tokens": 576.0}, {"visual_tokens": 144.0}, "576 to 144 visual tokens"),
    ("training", {"frozen_encoder": True}, {"frozen_encoder": False}, "frozen to trained encoder"),
)


def _swap(library: Library, change: tuple[dict, dict], tasks: TaskMix | None) -> answers.SwapAnswer:
    before, after = answers.sides(change[0], change[1], Recipe(), library.words)
    return answers.answer_swap(library, before, after, None, tasks, 0.8, with_costs=False)


def _sources(answer: answers.SwapAnswer, count: int = 3) -> str:
    """The tables behind an answer with arXiv ids: controlled ones first, then by weight."""
    weight: dict[tuple[str, str | None], float] = {}
    controlled: set[tuple[str, str | None]] = set()
    for delta in answer.result.deltas:
        for row in delta.evidence:
            if row.relation == "direct":
                key = (row.table, row.arxiv)
                weight[key] = weight.get(key, 0.0) + row.weight
                controlled |= {key} if row.controlled else set()
    best = sorted(weight, key=lambda key: (key not in controlled, -weight[key], key[0]))[:count]
    return ", ".join(f"{table}{f' (arXiv {arxiv})' if arxiv else ''}" for table, arxiv in best) or "no row makes exactly this change"


def _mix_words(answer: answers.SwapAnswer) -> str:
    mix = answer.result.mix
    return (f"{signed(mix.expected)} percent of scale (80% interval {signed(mix.low)} to {signed(mix.high)}), "
            f"P(better) {percent(mix.p_better)}")


def build(library: Library) -> str:
    """The whole file."""
    words = library.words
    papers = library.papers(shipped_only=True)
    tables = sum(len(p.tables) for p in papers)
    cells = sum(v is not None for p in papers for t in p.tables for r in t.rows for v in r.scores.values())
    lines = ["---", f"name: {NAME}",
             "description: Picks a full vision-language model recipe (image encoder, connector, LLM, data mix, resolution schedule, training "
             "stages) for a task mix, a compute budget and a latency target, from published ablation tables, with a citation for each choice. "
             "Use it when someone plans to train, ablate or compare VLM recipes, asks what a component swap gains, or what to ablate first.",
             "compatibility: Python 3.11 or newer for the commands; works as a decision guide without them",
             "metadata:", f"  evidence: \"{len(papers)} papers, {tables} tables, {cells} printed scores\"", "---", "",
             "# VLM recipe picker", "",
             "Turn a task mix, a training budget and a latency target into one full recipe, each choice backed by a row of a published table. "
             f"Numbers below were computed from {len(papers)} papers ({tables} tables, {cells} scores) by `python3 main.py skill`; deltas are in "
             "percent of a benchmark's scale against LLaVA-1.5-7B (points for benchmarks out of 100).", "",
             "## When to use", "",
             "- Someone plans a VLM: run `pick`, fill the card below, cite the tables it names.",
             "- Someone asks what a swap gains: run `swap`, report expected delta, interval, P(better), grade and the rows.",
             "- Someone has runs to spend: run `ablate`, propose the first axis with runs and GPU-hours.",
             "- The answer has grade `none`: say that no table holds evidence. Do not fill the gap from memory.", "",
             "## Commands", "", "```",
             'python3 main.py pick --tasks "documents=0.6,charts=0.4" --budget "500 A100-hours" --latency "300ms on L4" --json',
             "python3 main.py swap CLIP SigLIP --on 7B --json", "python3 main.py ablate --tasks charts --confidence 0.8 --json",
             "python3 main.py predict changes.jsonl", "python3 main.py tables show cambrian1.table11",
             "python3 main.py tokens --model qwen2-vl --image 1024x768 --json", "```", "",
             "Task mixes are weights over benchmarks or families: " + ", ".join(f"`{f}`" for f in words.families()) + ".", "",
             "## How to read an answer", "",
             "- `expected`: mean change of the score; `interval`: 80% of new runs should fall inside (a prediction interval, not a confidence interval).",
             "- `grade`: `direct` (the same change on the same benchmark stands in a table), `indirect` (other changes or benchmarks), `extrapolated` "
             "(outside the range of the tables), `none` (no evidence).",
             "- `controlled: false` on a row: something else moved with it; the answer splits the effect, the row alone does not.",
             "- `tied_with_first`: the evidence cannot tell the recipes apart; then cost, licence and habit decide.", "",
             "## The recipe card to emit", "", "```", "task mix:      <families or benchmarks with weights>", "encoder:       <slug> because <table, arXiv id>",
             "connector:     <slug> because <table, arXiv id>", "LLM:           <slug> because <table, arXiv id>",
             "data mix:      <slug, examples> because <table, arXiv id>", "resolution:    <pixels or tiles, visual tokens> because <table, arXiv id>",
             "stage 1:       train <parts> on <samples> of <data> at <resolution>", "stage 2:       train <parts> on <samples> of <data> at <resolution>",
             "expected:      <delta, interval, P(best)>", "cost:          <GPU-hours range>, TTFT <ms on device>, <GB>", "ablate first:  <axis, rival, runs>",
             "unbacked:      <every choice without a table>", "```", "",
             "Fill every line. A choice without a table goes to `unbacked`, it is not dropped.", "",
             "## What each axis is worth", "", "| axis | change | balanced mix | rows |", "|---|---|---|---|"]
    for axis, before, after, label in SWAPS:
        answer = _swap(library, (before, after), None)
        lines.append(f"| {axis} | {label} | {_mix_words(answer)} | {_sources(answer, 2)} |")
    lines += ["", "## Default recipe per task family", "",
              f"Best expected recipe under {BUDGET.amount:g} A100-hours and {LATENCY.ms:g} ms to the first token on an L4 (bf16). Many recipes tie; "
              "run `pick` for your own limits.", ""]
    for family in words.families():
        lines += _family(library, family)
    lines += ["## Hard rejects and refusal rules", ""]
    for number, rule in enumerate(RULES, 1):
        lines += _rule(library, number, rule)
    lines += ["## Training stages", "",
              "Two stages unless a table says otherwise: stage 1 trains the connector alone on 558K captions, stage 2 trains connector and LLM on the "
              "instruction mix, one epoch each, encoder frozen (LLaVA-1.5, arXiv 2310.03744). Prismatic finds one stage enough (prismatic.optimization, "
              "arXiv 2402.07865) and Cambrian-1 gains from alignment data (cambrian1.table9 to cambrian1.table11, arXiv 2406.16860): the tables disagree, so ablate "
              "it when runs are cheap.", "", "## Read next", ""]
    lines += _read_next(papers)
    return "\n".join(lines) + "\n"


def _family(library: Library, family: str) -> list[str]:
    words = library.words
    tasks = parse_mix(family, words)
    answer = picks.answer_pick(library, tasks, Constraints(BUDGET, LATENCY), {}, {}, 1, 0.8)
    name = words.records("family")[family]["name"]
    if not answer.result.recipes:
        return [f"### {family} ({name})", "", "No recipe meets these limits.", ""]
    best = answer.result.recipes[0]
    r, c = best.recipe, best.costs
    shape = f"{r.resolution} px" if isinstance(r.resolution, int) else f"{r.resolution} ({r.tiling})"
    seen = sorted({delta.grade for delta in answer.deltas[0]}, key=("direct", "indirect", "extrapolated", "none").index)
    cited = {}
    for entry in answer.citations[0]:
        cited.setdefault(entry["axis"], entry)
    cite = lambda axis: (f"{cited[axis]['table']}{', arXiv ' + cited[axis]['arxiv'] if cited[axis]['arxiv'] else ''}"  # noqa: E731
                         if cited[axis]["table"] else "unbacked")
    return [f"### {family} ({name})", "",
            f"- encoder `{r.encoder}` ({cite('encoder')}); connector `{r.connector}` ({cite('connector')}); LLM `{r.llm}` ({cite('llm')})",
            f"- data `{r.data}`, {r.data_size:,.0f} examples ({cite('data')}); resolution {shape}, {r.visual_tokens:g} visual tokens ({cite('resolution')})",
            f"- expected {signed(best.mix.expected)} percent of scale (80% interval {signed(best.mix.low)} to {signed(best.mix.high)}; grades: {', '.join(seen)}); "
            f"{c.gpu_hours.low:,.0f} to {c.gpu_hours.high:,.0f} A100-hours, TTFT {c.latency.ttft_ms:,.0f} ms, {c.memory.total:.0f} GB",
            f"- ablate first: {answer.first.axis} (`{answer.first.picked}` against `{answer.first.rival}`)" if answer.first else "", ""]


def _rule(library: Library, number: int, rule: Rule) -> list[str]:
    lines = [f"{number}. **{rule.title}.** {rule.refuse}"]
    if rule.change is None:
        lines.append("   Backing: unbacked (a rule of method, no table can hold it).")
    else:
        answer = _swap(library, rule.change, parse_mix(rule.tasks, library.words) if rule.tasks else None)
        label = rule.tasks or "balanced mix"
        lines.append(f"   Backing ({label}): {_mix_words(answer)}; rows: {_sources(answer)}.")
    return [*lines, ""]


def _read_next(papers: Sequence) -> list[str]:
    """The three papers with most controlled evidence: most rows in tables that vary one axis."""
    def weight(paper) -> int:
        return sum(len(t.rows) * len(t.metrics) for t in paper.tables if len(t.varies) == 1 and t.varies[0] in picks.AXES)
    best = sorted(papers, key=lambda p: (-weight(p), p.key))[:3]
    return [f"{i}. {p.short}: {p.title} ({p.authors}, {p.year}){', arXiv ' + p.arxiv if p.arxiv else ''}: {weight(p)} scores in tables that vary one axis."
            for i, p in enumerate(best, 1)]


__all__ = ["BASELINE", "build", "default_path"]
