"""`pick`: its view (the JSON), and the first screen made from the view.

In: the answer of answers/pick.py. Out: a plain dictionary, and text of at most 20 lines. All that
is known of a pick (--why) is show/pick_full.py; the page is report.py.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..base.wording import number, numbers, percent, plural, signed
from ..picker.usual import lacks
from ..terms.recipe import BASELINE_NAME, Recipe
from ..terms.units import budget_text, gpu_name
from .adopt import adopt_line, digits
from .jsonable import axis_value, costs, delta, interval
from .jsonable import recipe as stated
from .recipe import describe
from .text import Style, block

if TYPE_CHECKING:
    from ..answers.pick import Front, PickAnswer
    from ..picker.limits import Constraints
    from ..picker.rank import Pick, Ranked
    from ..terms.mixes import Mixes
    from ..terms.vocabulary import Vocabulary

FIRST_SCREEN = 20  # lines

# --- the view
# ------------------------------------------------------------------------------------------


def view(answer: "PickAnswer", full: bool = True) -> dict:
    """`pick --json`. full: without it only the first recipe has deltas and citations, and nothing
    has what the first screen does not show (stages, other ways to train, what to ablate).
    """
    # what to ablate first takes long, and is the answer of the command to type next
    result, first = answer.result, answer.first if full else None
    count = len(result.recipes) if full else min(1, len(result.recipes))
    value = {
        "limits": limits_view(answer.asked.limits, answer.library.words),
        "baseline": {
            "name": BASELINE_NAME,
            "recipe": stated(result.baseline),
            **costs(result.baseline_costs),
        },
        "label": answer.asked.tasks.label,
        "tasks": {name: number(w) for name, w in result.tasks.parts.items()},
        "untested": untested(answer),
        "frames": answer.frames,
        "recipes": [
            ranked_view(answer, i, item, i < count, full) for i, item in enumerate(result.recipes)
        ],
        **standing(result),
        "considered": result.considered,
        "excluded": [{"reason": reason, "count": count} for reason, count in result.excluded],
        "left_out": [{"rule": rule, "count": count} for rule, count in result.left_out],
        "relax": [
            {
                "constraint": a.reason,
                "limit": numbers(a.limit),
                "needs": numbers(a.needs),
                "unit": a.unit,
                "expected": number(a.gain),
                "together_with": list(a.together),
            }
            for a in result.advice
        ],
        "ablate_first": axis_value(first) if first else None,
        "warnings": list(answer.warnings),
        "adopt": numbers(answer.adopt),
        "adapters": adapters_view(answer.adapters),
        "exportable": exportable_view(answer),
    }
    if full:
        value["alternatives"] = numbers(answer.alternatives)
        value["exportable_by"] = by_program(answer)
    if answer.front:
        value["pareto"] = front_view(answer.front)
    return value


def untested(answer: "PickAnswer") -> list[str]:
    """The asked families' own benchmarks that no ablation measures, where a family is judged by
    benchmarks of other families in their place.
    """
    words, known = answer.library.words, answer.library.posterior.benchmarks
    records, families = words.records("benchmark"), words.records("family")
    out = []
    for part in answer.asked.tasks.parts:
        core = families.get(part, {}).get("core", ())
        if any(records[name]["family"] != part for name in core):
            out += [
                name
                for name, record in records.items()
                if record["family"] == part
                and name not in known
                and (record.get("lmms_eval") or record.get("vlmevalkit"))
            ]
    return out


def standing(result: "Pick") -> dict:
    """Which of the leading recipes the evidence cannot tell apart, and which stand out."""
    return {
        "risk": result.risk,
        "noise_of_two_runs": number(result.noise),
        "tied": result.tied,
        "competitors": result.competitors,
        "cheapest_tied": in_short(result.cheapest),
        "highest": in_short(result.highest),
    }


def in_short(value: "Ranked | None") -> dict | None:
    """A recipe beside the list: its gain and its cost."""
    return value and {
        "recipe": stated(value.recipe),
        "expected": number(value.mix.expected),
        "tuning": value.costs.tuning,
        "gpu": value.costs.gpu,
        "gpu_hours": number(value.costs.gpu_hours.gpu_hours),
    }


def exportable_view(answer: "PickAnswer") -> dict | None:
    """The best recipe that a training program can write, and which programs (None: nothing
    fits).
    """
    if not answer.result.recipes:
        return None
    item = answer.exportable
    if item is None:
        item = answer.result.recipes[0]
    programs = answer.writable.by(item.recipe, item.costs.tuning)
    return {**in_short(item), "written_by": programs} if programs else None


def by_program(answer: "PickAnswer") -> list[dict]:
    """What each training program can write: the best recipe, where it puts parts together, or the
    released model that it trains further.
    """
    further = answer.adopt["further"] if answer.adopt else {}
    return [
        *(
            {"target": name, "recipe": None, "why": one}
            if isinstance(one, str)
            else {"target": name, **in_short(one)}
            for name, one in answer.exportable_by.items()
        ),
        *({"target": name, "model": model} for name, model in further.items()),
    ]


def ranked_view(answer: "PickAnswer", i: int, item: "Ranked", cited: bool, full: bool) -> dict:
    """One recipe of `pick`."""
    mix, words = item.mix, answer.library.words
    return {
        "rank": i + 1,
        "recipe": stated(item.recipe),
        "unusual": list(item.unusual),
        "data_lacks": kinds_named(
            words.mixes, lacks(words.mixes, words, item.data.slug, answer.asked.tasks)
        ),
        "tuning": item.costs.tuning,
        "written_by": answer.writable.by(item.recipe, item.costs.tuning),
        "schedule": stages_view(answer, i, item) if cited and full else [],
        "score": {
            "expected": number(mix.expected),
            "interval": interval(mix.level, mix.low, mix.high),
            "p_better": number(mix.p_better),
            "p_best": number(item.p_best),
            "tied_with_first": item.tied,
            "rank_interval": list(item.ranks),
        },
        "deltas": [delta(d) for d in answer.deltas(i)] if cited else [],
        **named(costs(item.costs), answer.library.words),
        "visual_tokens": number(item.visual.visual_tokens),
        "citations": list(answer.citations(i)) if cited else [],
    }


def kinds_named(mixes: "Mixes", families: Sequence[str]) -> list[str]:
    """What data of task families is called: ui-agent -> screens."""
    names: dict[str, str] = {}
    for record in mixes.kinds.values():
        names.setdefault(record.get("family"), record["name"])
    return [names[family] for family in families]


def named(value: dict, words: "Vocabulary") -> dict:
    """Costs with what people call the two devices."""
    for part in ("training", "latency"):
        value[part]["gpu_name"] = device_name(value[part]["gpu"], words)
    return value


def device_name(slug: str, words: "Vocabulary") -> str:
    """`A100` for a100-80gb-sxm, `Orin`: the first of its other names (not the number of a card)."""
    aliases = words.records("hardware")[slug].get("aliases")
    return aliases[0] if aliases and not slug.startswith("rtx") else gpu_name(slug)


def stages_view(answer: "PickAnswer", i: int, item: "Ranked") -> list[dict]:
    """The stage plan with the rows that print it and a learning rate."""
    return [
        {
            "stage": number_,
            "trains": list(stage.stage.trains),
            "data": stage.stage.data,
            "samples": number(stage.stage.samples),
            "resolution": item.recipe.resolution,
            "flop": number(stage.total),
            **numbers(facts),
        }
        for number_, (stage, facts) in enumerate(zip(item.costs.stages, answer.schedule(i)), 1)
    ]


def adapters_view(printed: Mapping | None) -> dict | None:
    """What printed rows say that adapters do to the mix: counted in the gain where it is a loss."""
    kept = ("expected", "low", "high", "level", "tasks", "of", "benchmarks", "papers", "tables")
    return printed and numbers({key: printed[key] for key in kept})


def front_view(value: "Front") -> dict:
    """A Pareto front, the cheapest first."""
    return {
        "by": value.by,
        "unit": value.unit,
        "points": [
            {"cost": number(cost), "expected": number(gain), "recipe": stated(r)}
            for cost, gain, r in value.points
        ],
    }


def limits_view(limits: "Constraints", words: "Vocabulary") -> dict:
    """What the recipes must meet, what of it was assumed, and both in words."""
    budget, latency = limits.budget, limits.latency
    said = budget and budget_text(budget)
    if budget and budget.gpus:
        said += f" on {budget.gpus}"
    runs = limits.memory_gb or latency or limits.tokens_per_s
    parts = {
        "budget": said,
        "device": runs and device_name(limits.device, words),
        "memory": limits.memory_gb and f"{limits.memory_gb:g} GB",
        "latency": latency
        and f"{latency.ms:g} ms to the {'whole answer' if latency.whole_answer else 'first token'}",
        "speed": limits.tokens_per_s and f"{limits.tokens_per_s:g} tokens/s",
        "licence": "commercial use" if limits.commercial else None,
        "images": f"{limits.images} images a request" if limits.images > 1 else None,
        "format": limits.dtype if limits.dtype != "bf16" else None,
    }
    words_of = lambda wanted: ", ".join(
        text for name, text in parts.items() if text and (name in limits.assumed) == wanted
    )
    own, assumed = words_of(False), words_of(True)
    return {
        "text": "; ".join([*([own] if own else []), *([f"{assumed}: assumed"] if assumed else [])]),
        "budget": said,
        "gpu": limits.training_gpu,
        "gpus": limits.gpus,
        "gpu_name": device_name(limits.training_gpu, words),
        "device": limits.device,
        "memory_gb": number(limits.memory_gb),
        "latency_ms": number(latency and latency.ms),
        "dtype": limits.dtype,
        "images": limits.images,
        "assumed": list(limits.assumed),
    }


# --- the first screen
# ------------------------------------------------------------------------------------------


def first_screen(view_: Mapping, names: Mapping[str, str], style: Style) -> str:
    """Verdict, adopt or train, the recipe with its rows, gain, cost, ties, what to type next."""
    head = block(
        f"{view_['label']}, within {view_['limits']['text'] or 'no limits'}", style, most=2
    )
    lines = [style.paint(line, "bold") for line in head]
    if not view_["recipes"]:
        return "\n".join([*lines, *nothing(view_, style)])
    first = view_["recipes"][0]
    lines += adopt_line(view_["adopt"], style)
    parts, rest = recipe_lines(first, view_["frames"], style), told_lines(view_, names, style)
    room = FIRST_SCREEN - rows_of(view_.get("next", ()), style) - len(lines) - len(rest)
    if len(parts) >= room:  # how sure it is must stand there too: --why has the whole lines
        parts = recipe_lines(first, view_["frames"], style, 1)
    lines += parts + rest
    room -= len(parts)
    sure, export = (
        block(sure_text(view_), style, SURE, 2),
        block(export_text(view_), style, EXPORT),
    )
    # what gives way is what --why says too
    brief = block(export_text(view_, brief=True), style, EXPORT, 1)
    short = block(sure_text(view_, brief=True), style, SURE, 1)
    for tail in ((sure, export), (sure, brief), (short, brief), (short,)):
        if sum(map(len, tail)) <= room:
            break
    lines += [line for part in tail for line in part]
    return fitted(lines, view_.get("next", ()), style, FIRST_SCREEN)


def told_lines(view_: Mapping, names: Mapping[str, str], style: Style) -> list[str]:
    """What is told of the first recipe beside its parts: what is unusual, gain, cost, tuning."""
    first, lines = view_["recipes"][0], []
    for text in first["unusual"][:2]:
        lines += block(text, style, "  unusual     ", 2)
    lines += gain_lines(first, names, style)
    if view_["untested"]:
        told = ", ".join(names.get(name, name) for name in view_["untested"][:4])
        text = f"no ablation measures {told}: how a recipe does there is not known"
        lines += block(text, style, "  unknown     ", 2)
    seen = view_["frames"] and plural(view_["limits"]["images"], view_["frames"])
    lines += block(cost_text(first, seen), style, "  cost        ", 2)
    if first["tuning"] != "full":
        lines += block(adapters_text(view_["adapters"]), style, "  tuning      ", 1)
    return lines


SURE = "  sure?       "
EXPORT = "  export      "
NEXT = "  next        "


def rows_of(follow: Sequence[str], style: Style) -> int:
    """The rows of a terminal that the commands to type next take."""
    return sum(-(-len(NEXT + line) // style.width) for line in follow)


def fitted(lines: Sequence[str], follow: Sequence[str], style: Style, most: int) -> str:
    """A first screen: lines, cut so that what to type next still fits below them. Commands are not
    wrapped, so that they can be copied; the terminal breaks them.
    """
    kept = lines[: max(most - rows_of(follow, style), 4)]
    return "\n".join([*kept, *(NEXT + line for line in follow)])


def nothing(view_: Mapping, style: Style) -> list[str]:
    """When no recipe meets the limits: what excludes them, and what would have to give."""
    lines = ["no recipe meets all constraints"]
    if view_["excluded"]:
        lines += block(excluded(view_), style, "excluded: ", 3)
    for text in view_["warnings"][1:]:
        lines += block("note: " + text, style, "", 4)
    return lines


def excluded(view_: Mapping) -> str:
    """How many recipes each constraint excludes."""
    return ", ".join(f"{one['count']:,} by {one['reason']}" for one in view_["excluded"])


AXES = {
    "encoder": "encoder",
    "connector": "connector",
    "llm": "LLM",
    "data": "data",
    "resolution": "pixels",
}


def recipe_lines(item: Mapping, frames: str | None, style: Style, most: int = 2) -> list[str]:
    """Per axis at most so many lines: what to take, and what the first table cited for it shows.
    frames: what the tokens are of, where a request has several.
    """
    each = {"resolution": " an image" if frames == "image" else " a frame"} if frames else {}
    return [
        line
        for axis, label in AXES.items()
        for line in block(
            f"{choice(item, axis)}{each.get(axis, '')}; {rows_text(item, axis)}",
            style,
            f"  {label:<11} ",
            most,
        )
    ]


def choice(item: Mapping, axis: str) -> str:
    """One axis of a recipe in words."""
    r = item["recipe"]
    if axis == "data":
        lost = "".join(f", no {name}" for name in item["data_lacks"])
        return f"{r['data']} ({short(r['data_size'])}{lost})"
    if axis == "llm":
        return f"{r['llm']} ({r['llm_params_b']:.3g}B)"
    if axis == "resolution":
        shape = f"{r['resolution']} px" if isinstance(r["resolution"], int) else r["tiling"]
        return f"{shape}, {item['visual_tokens']:,g} tokens"
    return str(r[axis])


def short(count: float) -> str:
    """665K, 7M."""
    return f"{count / 1e6:.3g}M" if count >= 1e6 else f"{count / 1e3:.3g}K"


def rows_text(item: Mapping, axis: str) -> str:
    """What the first table cited for a choice shows, in a few words."""
    found = [one for one in item["citations"] if one["axis"] == axis]
    if not found or not found[0]["table"]:
        return "no rows"
    one = next((c for c in found if 2 * c["better"] >= c["of"]), found[0])
    where = {"mix": "", "related": " of related tasks", "other": " of other tasks"}[one["tasks"]]
    if not one["better"] or 2 * one["better"] < one["of"]:  # less than half is no support
        return against(one)
    return f"better on {one['better']}/{one['of']}{where} in {one['table']}"


def against(one: Mapping) -> str:
    """What a table that does not speak for a choice says: of what it stands behind, or that more
    than the choice moved between the rows.
    """
    where = f"in {one['table']}"
    if " breaks the " in one["why"]:
        return f"behind one beyond the limits {where}"
    if not one["controlled"]:
        return f"no row varies it alone (nearest: {one['table']})"
    if "is no candidate" in one["why"]:
        return f"behind one that is left out {where}"
    tables = "all tables together give it" in one["why"]
    count = f" ({one['better']}/{one['of']})" if one["better"] else ""
    return f"not better {where}{count}" + (", but by all tables" if tables else "")


def gain_lines(item: Mapping, names: Mapping[str, str], style: Style) -> list[str]:
    """The expected gain, of the mix and of its benchmarks."""
    score, span = item["score"], item["score"]["interval"]
    text = (
        f"{signed(score['expected'])} of 100 over {BASELINE_NAME}"
        f" ({percent(span['level'])} of runs: {signed(span['low'])} to {signed(span['high'])})"
    )
    each = ", ".join(
        f"{names.get(d['benchmark'], d['benchmark'])} {signed(d['expected'], digits(d))}"
        for d in sorted(item["deltas"], key=lambda d: -abs(d["expected"]) / (d["max"] or 100))
    )
    lines = [style.paint(line, "bold") for line in block(text, style, "  gain        ", 2)]
    return lines + (block(each, style, " " * 14, 1) if each else [])


def cost_text(item: Mapping, seen: str | None = None) -> str:
    """Training, latency and memory in one sentence. seen: `1 frame`, what a request is counted
    with.
    """
    t, span = item["training"], item["training"]["gpu_hours_interval"]
    return (
        f"{t['gpu_hours']:,.0f} {t['gpu_name']}-hours ({span['low']:,.0f} to"
        f" {span['high']:,.0f}); first"
        f" token {item['latency']['ttft_ms']:,.0f} ms"
        f"{f' for {seen} (--images N)' if seen else ''}, {item['latency']['tokens_per_s']:,.0f}"
        f" tokens/s, {item['memory_gb']:.1f} GB on {item['latency']['gpu_name']}"
    )


def adapters_text(printed: Mapping) -> str:
    """That the LLM is trained through adapters, and what that costs by printed rows."""
    counted = ", in the gain" if printed["expected"] < 0 else ""
    return (
        f"LoRA, as full does not fit; printed {signed(printed['expected'])}"
        f" ({plural(len(printed['papers']), 'paper')}){counted}"
    )


def export_text(view_: Mapping, brief: bool = False) -> str:
    """Which training programs write the recipe, or the best one that one of them writes. brief: its
    parts are for --why.
    """
    first, best = view_["recipes"][0], view_["exportable"]
    if first["written_by"]:
        return f"as configuration for {', '.join(first['written_by'])}"
    if not best:
        return "no training program on record can express it or another within these limits"
    if brief:
        return f"none writes it; {best['written_by'][0]} writes another (--why)"
    r = Recipe(**best["recipe"])
    return (
        f"none writes it; {' and '.join(best['written_by'][:2])} would write"
        f" {describe(r, ('encoder', 'connector', 'resolution', 'llm', 'data'))}"
        f" ({signed(best['expected'])})"
    )


def sure_text(view_: Mapping, brief: bool = False) -> str:
    """Whether another recipe would do as well. brief: which one, is for --why."""
    others, first = view_["tied"] - 1, Recipe(**view_["recipes"][0]["recipe"])
    if others < 1:
        return (
            f"best of {view_['competitors']} leading recipes with"
            f" {percent(view_['recipes'][0]['score']['p_best'])}"
        )
    if brief:
        return f"no clear difference to {others} of the {view_['competitors'] - 1} next recipes"
    text = (
        f"no clear difference to {others} of the {view_['competitors'] - 1} next recipes: choose by"
        " cost, licence, habit"
    )
    cheap = view_["cheapest_tied"]
    if cheap:
        text += (
            f"; cheapest: {unlike(Recipe(**cheap['recipe']), first)}, {cheap['gpu_hours']:,.0f}"
            f" hours, {signed(cheap['expected'])}"
        )
    return text


def unlike(recipe: Recipe, first: Recipe) -> str:
    """The fields of a recipe that differ from those of the first one."""
    fields = [
        field
        for field in ("encoder", "connector", "resolution", "visual_tokens", "llm", "data")
        if getattr(recipe, field) != getattr(first, field)
    ]
    if "data" not in fields and recipe.data_size != first.data_size:
        fields.append("data_size")
    return describe(recipe, fields) or (
        "the first itself" if recipe == first else "the same components"
    )


def thinned(points: Sequence[tuple], most: int = 14) -> list[tuple]:
    """Some points of a front, cheapest first: those beyond the baseline (the last ones if none is),
    in even steps of gain.
    """
    kept = [point for point in points if point[1] > 0] or list(points[-most:])
    step = (kept[-1][1] - kept[0][1]) / most
    out = [kept[-1]]
    for point in reversed(kept[:-1]):
        if out[-1][1] - point[1] >= step:
            out.append(point)
    return out[::-1]
