"""What an agent must know to use the commands: examples, the JSON keys to read, how to read an
answer, the empty recipe card.

Plain data and text for report/skill.py and report/bundle.py; no numbers of the evidence. A test
holds the keys against what the commands print.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Tool(NamedTuple):
    """How an agent calls a command. example: its arguments; needs: what it needs beyond the program
    (files, servers), or None; keys: JSON paths.
    """

    example: str
    keys: tuple[str, ...]
    needs: str | None = None


NOTHING = Tool("", ())

TOOLS = {
    "swap": Tool(
        "swap CLIP SigLIP --on 7B --tasks documents",
        (
            "deltas[].expected",
            "deltas[].interval",
            "deltas[].grade",
            "deltas[].evidence[].table",
            "mix",
            "warnings",
            "cost",
        ),
    ),
    "predict": Tool(
        "predict changes.jsonl",
        (),
        'a JSONL file of {"from": {…}, "to": {…}, "benchmark": "mmmu"}; one line out per line, a'
        " bad one has `error`",
    ),
    "pick": Tool(
        'pick --tasks "documents=0.6,charts=0.4" --budget "500 A100-hours" --latency "300ms on L4"',
        (
            "limits.text",
            "adopt.verdict",
            "recipes[].recipe",
            "recipes[].unusual",
            "recipes[].score",
            "recipes[].training.gpu_hours",
            "recipes[].latency.ttft_ms",
            "recipes[].memory_gb",
            "alternatives[].change",
            "recipes[].citations[].table",
            "recipes[].citations[].why",
            "untested",
            "warnings",
        ),
    ),
    "rank": Tool(
        "rank encoder --tasks documents",
        ("first", "tied_with_first", "levels[].expected", "levels[].p_best", "levels[].printed"),
    ),
    "moves": Tool(
        "moves chartqa --from 60 --target 70",
        ("moves[].axis", "moves[].expected", "together", "p_reached"),
    ),
    "versus": Tool("versus resolution encoder", ("first", "p_first", "moves[].expected")),
    "noise": Tool("noise textvqa --mine 57 --paper 58.2", ("verdict", "sd", "p_as_far")),
    "explain": Tool("explain interval", ("meanings[].meaning", "meanings[].facts")),
    "ablate": Tool(
        "ablate --tasks charts --confidence 0.8",
        ("first", "axes[].rival", "axes[].runs", "axes[].gpu_hours", "plans[].steps"),
    ),
    "design": Tool(
        "design --factor encoder=clip,siglip --factor data=llava-665k,sharegpt4v --detect 1.0"
        " --benchmark mmmu",
        (
            "answer",
            "runs[].recipe",
            "runs_total",
            "gpu_hours",
            "power",
            "design.aliases",
            "warnings",
        ),
    ),
    "schedule": Tool(
        "schedule lora --tasks documents",
        (
            "changes[].expected",
            "changes[].papers",
            "changes[].rows[].table",
            "no_rows",
        ),
    ),
    "curve": Tool(
        "curve visual_tokens --tasks documents",
        (
            "points[].value",
            "points[].expected",
            "points[].gpu_hours",
            "points[].ttft_ms",
            "stops_paying_at",
            "why",
        ),
    ),
    "tables": Tool(
        "tables show nvila.table1",
        (
            "tables[].rows[].setting",
            "tables[].rows[].scores",
            "tables[].rows[].doubt",
        ),
    ),
    "benchmarks": Tool(
        "benchmarks --tasks documents",
        ("watch[].benchmark", "watch[].questions", "watch[].smallest_clear_difference", "others"),
    ),
    "models": Tool(
        "models --under 5B --tasks documents",
        (
            "models[].name",
            "models[].score.expected",
            "models[].score.se",
            "models[].scores",
            "tied_with_first",
            "left_out",
        ),
    ),
    "check": Tool("check", ("ok", "problems")),
    "claims": Tool(
        "claims L12", ("claims[].verdict", "claims[].why", "claims[].assertions[].rows")
    ),
    "tokens": Tool(
        "tokens --model qwen2-vl --image 1024x768", ("images[].visual_tokens", "images[].terms")
    ),
    "cost": Tool(
        "cost --llm qwen2-7b --encoder siglip --resolution 384",
        ("training.flop", "training.gpu_hours", "training.gpu_hours_interval", "stages[].flop"),
    ),
    "latency": Tool(
        "latency --gpu Orin --dtype int4 --llm-params-b 2B",
        ("latency.ttft_ms", "latency.total_ms", "memory_gb", "warnings"),
    ),
    "import": Tool(
        "import logs/my_model --as siglip --recipe encoder=siglip,llm=qwen2-7b --table my-sweep",
        (),
        "results of lmms-eval, VLMEvalKit or a CSV; afterwards `--tables my-tables` joins them to"
        " any command",
    ),
    "export": Tool(
        "export --to list", ("targets[].target", "targets[].encoders", "targets[].llms")
    ),
    "compare": Tool(
        'compare --endpoint a=http://localhost:8000 --image cat.png --question "What is this?"',
        (),
        "servers with the OpenAI-compatible chat API; keys from the environment only",
    ),
    "report": Tool("report recipe.html --tasks documents", (), "writes one page"),
    "skill": Tool(
        "skill --tasks documents --out SKILL.md",
        (),
        "writes this skill, for one situation or (--bundle DIR) as a folder",
    ),
    "backtest": Tool(
        "backtest",
        (),
        "a minute; how well papers that were left out are predicted (`answerable`, `by_axis`)",
    ),
}


def commands(summaries: Mapping[str, str], call: str = "python3 main.py") -> list[str]:
    """The section about the commands: what each answers and the keys to read, then examples that
    run as they stand.
    """
    lines = [
        "## Commands",
        "",
        (
            f'`{call} "a question in plain words"` prints the command it understood and its answer.'
            " All take `--json` and `--tables DIR` (own results); exit code 0 fine, 1 findings or"
            " nothing fits, 2 the line on stderr names the bad word and what is accepted."
        ),
        "",
        "| command | answers | JSON keys to read |",
        "|---|---|---|",
    ]
    for name, summary in summaries.items():
        tool = TOOLS.get(name, NOTHING)
        keys = ", ".join(f"`{key}`" for key in tool.keys) or f"needs: {tool.needs}"
        lines.append(f"| {name} | {summary} | {keys if tool is not NOTHING else ''} |")
    return [
        *lines,
        "",
        "```",
        *(
            f"{call} {tool.example} --json"
            for name, tool in TOOLS.items()
            if name in summaries and tool.needs is None
        ),
        "```",
        "",
    ]


READING = (
    "## How to read an answer",
    "",
    (
        "- `expected`: mean change of the score in points; `interval`: 80% of new runs should fall"
        " inside (a prediction interval, not a confidence interval of a mean). An interval that"
        " holds zero is no clear difference, whatever the sign."
    ),
    (
        "- `grade`: `direct` (the same change on the same benchmark stands in a table), `indirect`"
        " (other changes, or other benchmarks of the family), `extrapolated` (outside the range of"
        " the tables), `none` (no evidence). Say the grade with the number."
    ),
    (
        "- `evidence[].controlled: false`: something else moved with it (`also_moves`); the answer"
        " splits the effect, the row alone does not."
    ),
    (
        "- `split`: the rows of this very change against everything else; with `disagree: true`"
        " report both."
    ),
    (
        "- `mix`: a weighted mean over benchmarks in percent of their scales. Gains of `pick` are"
        " against the baseline trained the same way."
    ),
    (
        "- `tied_with_first`: the evidence cannot tell the recipes apart; then cost, licence and"
        " habit decide."
    ),
    (
        "- `citations[].why`: what the table shows for the choice; `better` of `of` benchmarks,"
        " `controlled`, `tasks` (`mix`, `related`, `other`). A table may speak against a choice:"
        " then `why` says what it is kept for (`no candidate`: `pick` cannot cost or combine the"
        " rival)."
    ),
)

BECAUSE = "because <table, arXiv id, what it shows>"
CARD = (
    "## The recipe card to emit",
    "",
    "```",
    "task mix:      <families or benchmarks with weights>",
    f"encoder:       <slug> {BECAUSE}",
    f"connector:     <slug> {BECAUSE}",
    f"LLM:           <slug> {BECAUSE}",
    f"data mix:      <slug, examples> {BECAUSE}",
    f"resolution:    <pixels or tiles, visual tokens> {BECAUSE}",
    (
        "stage 1:       train <parts> on <samples> of <data> at <resolution>, learning rate <as a"
        " table prints it for such a stage, or none>"
    ),
    (
        "stage 2:       train <parts> on <samples> of <data> at <resolution>, learning rate <as a"
        " table prints it for such a stage, or none>"
    ),
    "or:            <another way to train, its delta, model or printed rows alone, tables>",
    "expected:      <delta, interval, P(best), tied recipes>",
    "cost:          <GPU-hours range>, TTFT <ms on device>, <GB>",
    "ablate first:  <axis, rival, runs>",
    "unbacked:      <every choice without a table, or with one on other tasks only>",
    "```",
    "",
    "Fill every line. A choice without a table goes to `unbacked`, it is not dropped.",
)
