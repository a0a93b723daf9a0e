"""`pick --why`: all that is known of a pick, as text from its view. `pick --rows`: the rows behind
its choices.

In: the view of show/pick.py. Out: text. Does not compute.
"""

from collections.abc import Mapping, Sequence

from ..base.wording import clean, percent, signed
from ..cost.flops import format_flop
from ..terms.recipe import BASELINE_NAME, Recipe
from ..terms.units import gpu_name
from .adopt import NOT_HALF, digits, part_text, verdict_text
from .pick import adapters_text, excluded, thinned, unlike
from .recipe import describe
from .schedule import alternative_lines, on, papers, plan_text, rates
from .text import Style, table, wrap


def full_text(view_: Mapping, names: Mapping[str, str], style: Style) -> str:
    """The first recipe in full, the others in a table, ties, what to ablate, what to adopt, the
    front, notes.
    """
    head = (
        f"best of {view_['considered']:,} recipes for {clean(view_['label'])}, against"
        f" {BASELINE_NAME}"
    )
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    if len(view_["tasks"]) > 1:
        each = ", ".join(f"{name} {percent(share)}" for name, share in view_["tasks"].items())
        lines += wrap(f"tasks: {each}", style, hang="  ")
    lines += wrap("limits: " + (view_["limits"]["text"] or "none"), style, hang="  ")
    if view_["excluded"]:
        lines += wrap("excluded: " + excluded(view_), style, hang="          ")
    lines.append("")
    if view_["recipes"]:
        lines += card(view_["recipes"][0], names, style)
        if view_["adapters"] and view_["recipes"][0]["tuning"] != "full":
            one, limits = view_["adapters"], view_["limits"]
            text = (
                f"{adapters_text(one)}: the median {on(one)}, {papers(one)}; full training does"
                f" not fit on {limits['gpus']} {limits['gpu_name']} (cost says what would)"
            )
            lines += wrap(text, style, "  tuning      ", " " * 14)
        lines += alternative_lines(view_["alternatives"], style)
        lines += following(view_, style)
        lines += program_lines(view_["exportable_by"], style)
    else:
        lines.append("no recipe meets all constraints")
    lines += ["", *wrap(ties(view_), style)] if view_["tied"] > 1 else []
    lines += ablate_lines(view_["ablate_first"], style)
    lines += adopt_lines(view_["adopt"], style) if view_["adopt"] else []
    lines += front_lines(view_, style) if "pareto" in view_ else []
    lines += [""] if view_["warnings"] else []
    for text in view_["warnings"]:
        lines += wrap("note: " + text, style, hang="      ")
    rules = [f"{one['rule']} ({one['count']:,})" for one in view_["left_out"] if one["count"]]
    if rules and view_["recipes"]:
        lines += wrap("left out beforehand: " + "; ".join(rules), style, hang="      ")
    return "\n".join(lines)


def all_text(view_: Mapping, names: Mapping[str, str], style: Style) -> str:
    """What the first recipe gains on every benchmark of the tasks, and every leading recipe."""
    if not view_["recipes"]:
        return "no recipe meets all constraints"
    first = view_["recipes"][0]
    head = f"{view_['label']}: what the first recipe gains over {BASELINE_NAME}"
    rows = [
        [
            names.get(d["benchmark"], d["benchmark"]),
            signed(d["expected"], digits(d)),
            " … ".join(signed(d["interval"][end], digits(d)) for end in ("low", "high")),
            percent(d["p_better"]),
            d["grade"],
        ]
        for d in first["deltas"]
    ]
    level = percent(first["score"]["interval"]["level"])
    columns = ["benchmark", "expected", f"{level} interval", "P(better)", "grade"]
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    lines += table(columns, rows, "lrrrl", style, 0)
    parts = ("encoder", "connector", "resolution", "visual_tokens", "llm", "data")
    lines += ["", *wrap(f"1: {describe(Recipe(**first['recipe']), parts)}", style, hang="   ")]
    return "\n".join([*lines, *following(view_, style)])


def rows_text(view_: Mapping, style: Style) -> str:
    """The rows cited for each choice of the first recipe."""
    lines = []
    for one in view_["recipes"][0]["citations"] if view_["recipes"] else ():
        lines += wrap(f"{one['value']}: {cited(one)}", style, f"{one['axis']:<11} ", " " * 12)
    return "\n".join(lines or ["no recipe meets all constraints"])


def cited(one: Mapping) -> str:
    """A citation: table, arXiv id, what it shows."""
    where = f"{one['table'] or '-'}{' (arXiv ' + one['arxiv'] + ')' if one['arxiv'] else ''}"
    return f"{where}, {one['why']}"


def ties(view_: Mapping) -> str:
    """How many recipes cannot be told apart, in what order they stand, and which stand out beside
    the list.
    """
    first = Recipe(**view_["recipes"][0]["recipe"])
    more = "; there may be more, --top looks further" * (view_["tied"] == view_["competitors"])
    text = (
        f"{view_['tied']} of the {view_['competitors']} leading recipes (P(best) is among these)"
        " cannot be told apart by the evidence (less than 80% sure that the best is better"
        f"{more})"
    )
    if view_["risk"] == "expected":
        text += (
            "; those that gain the same but for the noise of two runs"
            f" ({view_['noise_of_two_runs']:.1f}) stand first: usual parts before unusual"
            f" ones, data that a table varies, then"
            " fewer encoders and tiles, then the cheapest to train"
        )
    for name, item in (
        ("the highest", view_["highest"]),
        ("the cheapest of those tied", view_["cheapest_tied"]),
    ):
        if item and Recipe(**item["recipe"]) != first:
            text += (
                f"; {name}: {unlike(Recipe(**item['recipe']), first)} ({item['gpu_hours']:,.0f}"
                f" {gpu_name(item['gpu'])}-hours, {signed(item['expected'])})"
            )
    return text


def following(view_: Mapping, style: Style) -> list[str]:
    """The recipes after the first in a table."""
    first, *rest = view_["recipes"]
    if not rest:
        return []
    rows = [
        [
            str(item["rank"]),
            unlike(Recipe(**item["recipe"]), Recipe(**first["recipe"])),
            signed(item["score"]["expected"]),
            percent(item["score"]["p_best"]),
            f"{item['training']['gpu_hours']:,.0f} h",
            f"{item['latency']['ttft_ms']:,.0f} ms",
        ]
        for item in rest
    ]
    head = ["#", "recipe", "gain", "P(best)", "train", "TTFT"]
    title = style.paint("the next, and how they differ from the first", "bold")
    return ["", title, *table(head, rows, "llrrrr", style, 1)]


def program_lines(found: Sequence[Mapping], style: Style) -> list[str]:
    """What each training program can write (`export - --rank exportable --to …`)."""
    rows = []
    for one in found:
        if "model" in one:
            rows.append([one["target"], f"trains {one['model']} further", ""])
        elif one["recipe"]:
            parts = ("encoder", "connector", "resolution", "llm", "data")
            told = describe(Recipe(**one["recipe"]), parts)
            rows.append([one["target"], told, signed(one["expected"])])
        else:
            rows.append([one["target"], one["why"], ""])
    head = "what each training program writes (--json | export - --rank exportable --to PROGRAM)"
    return [
        "",
        *(style.paint(line, "bold") for line in wrap(head, style)),
        *table(["program", "recipe", "gain"], rows, "llr", style, 1),
    ]


def ablate_lines(first: Mapping | None, style: Style) -> list[str]:
    """The axis to ablate first."""
    if not first:
        return []
    return [
        "",
        *wrap(
            f"ablate first: {first['axis']} ({clean(first['picked'])} against"
            f" {clean(first['rival'] or '-')}): {percent(first['p_changes_pick'])} that it changes"
            f" the pick, expected gain {signed(first['expected_gain'])}",
            style,
        ),
    ]


VERDICTS = {
    "adopt": (
        "adopt rather than train: a released model prints at least what the pick can be expected"
        " to reach"
    ),
    "train": "the pick is expected to beat the released models where both can be compared",
    "unclear": "a released model may do",
}


def adopt_lines(adopt: Mapping, style: Style) -> list[str]:
    """Released models for the same mix, and what that means for training."""
    verdict = verdict_text(adopt, VERDICTS) if adopt["models"] else NOT_HALF
    head = wrap("adopt or train? " + verdict, style, hang="  ")
    lines = ["", *(style.paint(line, "bold") for line in head)]
    for model in adopt["models"]:
        cells = ", ".join(adopt_cell(cell) for cell in model["benchmarks"])
        size = f", {model['params_b']:g}B" if model["params_b"] else ""
        lines += wrap(f"{clean(model['model'])}{size}: {cells}", style, "  ", "    ")
    told = part_text(adopt)
    lines += wrap(told, style, "  ", "    ") if told else []
    level = adopt["level"]
    return [
        *lines,
        *wrap(
            f"LLM: where released models with an LLM of the size and age of {level['llm']} stand,"
            f" whatever else they have (range: {percent(level['held'])} of such forecasts, each"
            " made without the model's own maker; off: their median error). gain: where the pick's"
            " gain leads from what LLaVA-1.5-7B prints, or a usual score; such forecasts told less"
            " of released models' levels (backtest --models). ~ estimated, or on another split;"
            " protocols differ (models NAME shows them)",
            style,
            "  ",
        ),
    ]


def adopt_cell(cell: Mapping) -> str:
    """`DocVQA ~95.3 (LLM 87.6, 75.4 to 94.2, off 3.0; gain 44.3)`."""
    d, about = digits(cell), "" if cell["kind"] == "printed" else "~"
    pick = ""
    if cell["pick"] is not None:
        low, high = cell["pick_low"], cell["pick_high"]
        pick = (
            f" (LLM {cell['pick']:.{d}f}, {low:.{d}f} to {high:.{d}f}, off"
            f" {cell['pick_error']:.{d}f}"
        )
        pick += ")" if (own := cell["pick_by_gain"]) is None else f"; gain {own:.{d}f})"
    return f"{cell['name']} {about}{cell['value']:.{d}f}{pick}"


def front_lines(view_: Mapping, style: Style) -> list[str]:
    """The Pareto front in a table."""
    front, first = view_["pareto"], Recipe(**view_["recipes"][0]["recipe"])
    points = [(p["cost"], p["expected"], Recipe(**p["recipe"])) for p in front["points"]]
    rows = [
        [f"{cost:,.0f}" if cost >= 10 else f"{cost:.2f}", signed(gain), unlike(recipe, first)]
        for cost, gain, recipe in thinned(points)
    ]
    unit = front["unit"]
    if front["by"] == "training":
        unit = f"{view_['limits']['gpu_name']}-hours"
    head = (
        f"no recipe is better for less ({front['by']}; some of {len(points)}), and how they differ"
        " from the first"
    )
    return [
        "",
        *(style.paint(line, "bold") for line in wrap(head, style)),
        *table([unit, "gain", "recipe"], rows, "rrl", style, 2),
    ]


def card(item: Mapping, names: Mapping[str, str], style: Style) -> list[str]:
    """One recipe in full, with what tables say of its stages and its choices."""
    r = item["recipe"]
    resolution = r["resolution"]
    shape = f"{resolution} px" if isinstance(resolution, int) else f"{resolution} ({r['tiling']})"
    score, span = item["score"], item["score"]["interval"]
    train, hours = item["training"], item["training"]["gpu_hours_interval"]
    time = item["latency"]
    fields = [
        ("encoder", r["encoder"]),
        ("connector", r["connector"]),
        ("resolution", f"{shape}, {item['visual_tokens']:g} visual tokens"),
        ("LLM", f"{r['llm']} ({r['llm_params_b']:.3g}B)"),
        ("data", f"{r['data']} ({r['data_size']:,.0f} examples)"),
        *((f"stage {s['stage']}", stage_text(s, shape)) for s in item["schedule"]),
        ("plan", plan_text(item["schedule"])),
        (
            "expected",
            f"{signed(score['expected'])} of 100 on the mix"
            f" ({percent(span['level'])} interval {signed(span['low'])} … {signed(span['high'])}),"
            f" P(best) {percent(score['p_best'])}",
        ),
        (
            "training",
            f"{train['gpu_hours']:,.0f} {train['gpu_name']}-hours ({hours['low']:,.0f} …"
            f" {hours['high']:,.0f}), {format_flop(train['flop'])} FLOP"
            + ("" if item["tuning"] == "full" else ", the LLM through adapters (LoRA)"),
        ),
        (
            "latency",
            f"TTFT {time['ttft_ms']:,.0f} ms, {time['tokens_per_s']:,.0f} tokens/s on"
            f" {time['gpu_name']}; memory {item['memory_gb']:.1f} GB",
        ),
    ]
    if item["deltas"]:
        each = (
            f"{names.get(d['benchmark'], d['benchmark'])} {signed(d['expected'], digits(d))}"
            for d in item["deltas"][:10]
        )
        fields.append(("deltas", ", ".join(each)))
    fields += [("unusual", text) for text in item["unusual"]]
    fields += [("cited", f"{one['axis']}: {cited(one)}") for one in item["citations"]]
    lines: list[str] = []
    for name, text in fields:
        block = wrap(text, style, f"  {name:<11} ", " " * 14)
        lines += [style.paint(line, "bold") for line in block] if name == "expected" else block
    return lines


def stage_text(stage: Mapping, shape: str) -> str:
    """One stage of the plan."""
    return (
        f"train {' + '.join(stage['trains'])} on {stage['samples']:,.0f} of {stage['data']}, at"
        f" {shape} ({format_flop(stage['flop'])} FLOP); {rates(stage['learning_rate'])}"
    )
