"""Released models as text and JSON: the ranking, one model's card, the decision tree, the parts.

In: Landscape, Listing, Branch, Parts (released/, answers/models.py). Out: strings and dictionaries.
Does not compute or print.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..answers.models import Listing, Parts
from ..base.wording import clean, number, percent
from ..released.models import Held, Landscape, Model, Need, Score, Sieve, held
from ..released.practice import USUAL_MODELS, USUAL_MONTHS
from ..released.ranking import PROTOCOLS, Branch, Cell, Leaf, Ranked, Target, same_setup
from .text import Style, table, wrap

# benchmarks of a mix that the short answer shows per model; of longer mixes only the printed ones
SHOWN = 8
LISTED = 6  # models without a score that are named, the newest first


def amount(value: float, top: float) -> str:
    """A score in its benchmark's unit: no decimals above 500."""
    return f"{value:.0f}" if top > 500 else f"{value:.1f}"


def plain(score: Score, top: float | None = None) -> str:
    """A printed score as printed; with its maximum when that is not the usual one."""
    return f"{score.value:g}" + (
        f" of {score.max:g}" if top is not None and score.max != top else ""
    )


def params(model: Model) -> str:
    """`8.3B`, `30B/3B` with the active ones; * behind a size that is only in the model's name."""
    record = model.record
    if not record["params_b"]:
        return "-"
    active = f"/{record['active_params_b']:g}B" if record["active_params_b"] else ""
    mark = "" if (record["params_basis"] or "").startswith("stated") else "*"
    return f"{record['params_b']:g}B{active}{mark}"


def licence_words(model: Model) -> str:
    """The verdict on commercial use and its reason."""
    verdict, _, why = model.licence
    return f"commercial use: {verdict} ({why})"


def need_words(need: Need) -> str:
    """The filters in one line."""
    parts = [
        f"under {need.under_b:g}B" if need.under_b else "",
        f"in {need.memory_gb:g} GB ({need.dtype})" if need.memory_gb else "",
        *(name.replace("_", "-") for name in need.properties),
        f"licence {need.licence}" if need.licence else "",
        *(f"using {slug}" for _, slug in need.uses),
        *(f"{b} at least {least:g}" for b, _, least in need.floors),
    ]
    if need.years:
        first, last = need.years
        parts.append(
            f"released {first}"
            + (" or later" if last == 9999 else f" to {last}" if last != first else "")
        )
    return ", ".join(part for part in parts if part)


def cell_words(land: Landscape, cell: Cell) -> str:
    """`DocVQA 95.7`, with ~ where it is not printed on the split, ^ where others than the authors
    report it.
    """
    others = (
        cell.kind == "printed" and cell.score is not None and cell.score.reported_by != "authors"
    )
    value = amount(cell.value, cell.target.max)
    about = "" if cell.kind == "printed" else "~"
    return f"{land.label(cell.target.benchmark)} {about}{value}{'^' if others else ''}"


def measured_words(cells: Sequence[Cell], land: Landscape) -> str:
    """The cells of one model; of a long mix only what is printed."""
    some = [c for c in cells if c.kind == "printed"] if len(cells) > SHOWN else list(cells)
    more = f", {len(cells) - len(some)} more estimated" if len(some) < len(cells) else ""
    return ", ".join(cell_words(land, c) for c in some) + more


def pair_words(land: Landscape, a: Ranked, b: Ranked, wanted: Sequence[Target]) -> str:
    """What two neighbours' numbers have in common: one set-up that printed both, or none."""
    pairs = same_setup(a.model, b.model, wanted)
    if not pairs:
        return (
            f"{a.model.name} and {b.model.name}: numbers of different reporters, no set-up printed"
            " both"
        )
    tops = {t.benchmark: t.max for t in wanted}
    scores = ", ".join(
        f"{land.label(x.benchmark)} {plain(x, tops[x.benchmark])} and {plain(y, tops[y.benchmark])}"
        for x, y in pairs[:6]
    )
    who = "their authors" if pairs[0][0].reported_by == "authors" else pairs[0][0].reported_by
    return (
        f"{a.model.name} and {b.model.name} side by side ({who},"
        f" {pairs[0][0].source.split(':')[0]}): {scores}"
    )


def why_lines(land: Landscape, item: Ranked, style: Style) -> list[str]:
    """Every number behind a rank, with who reported it and where."""
    lines = []
    for cell in item.cells:
        t = cell.target
        mine = [s for s in item.model.scores if s.benchmark == t.benchmark]
        printed = []
        for s in mine:
            split = s.split if s.split != t.split else ""
            about = [x for x in (split, s.reported_by, s.protocol, s.source) if x]
            printed.append(f"{plain(s, t.max)} ({', '.join(about)})")
        head = (
            f"{land.label(t.benchmark)} {t.split} {amount(cell.value, t.max)} ±"
            f" {amount(cell.se, t.max)} ({cell.kind})"
        )
        said = "; ".join(printed) or "nothing printed"
        lines += wrap(f"{head}: {said}", style, "      ", "        ")
    return lines


def notes_of(value: Listing) -> list[str]:
    """What has to be said beside a ranking."""
    notes = list(value.notes)
    if value.unsaid_leaders:
        notes.append(
            "would be among the first if the registry said that they pass: "
            + ", ".join(r.model.name for r in value.unsaid_leaders[:5])
        )
    if value.just_above:
        notes.append(
            f"at {value.need.under_b:g}B or just above, and among the best: "
            + ", ".join(
                f"{r.model.name} ({params(r.model)}, {r.score:.1f})" for r in value.just_above[:5]
            )
        )
    if value.smallest:
        notes.append(
            "--smallest: listed are the models that no other of their size or below outscores"
        )
    for benchmark, least, names in value.torn:
        notes.append(
            f"{benchmark} at least {least:g} by their first source, below it by another: "
            + ", ".join(names)
        )
    if value.need.licence == "commercial":
        some = [r.model.name for r in value.shown if r.model.licence[0] == "conditions"]
        notes.append(
            "conditions on commercial use (models NAME says which): "
            + (", ".join(some) or "none of those listed")
        )
    return notes


def ranking_text(land: Landscape, value: Listing, memory: bool, why: bool, style: Style) -> str:
    """`models`: the ranking, what each score rests on, and who was left out. memory: show it."""
    need, found, ranked, shown = value.need, value.found, value.ranked, value.shown
    words = need_words(need)
    head = (
        f"released {'models' if need.closed else 'open models'} for"
        f" {value.tasks.label}{', ' + words if words else ''}: "
    )
    head += (
        f"{len(ranked)} of {len(found.models)} print some of it" if found.models else "none passes"
    )
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    counts = Counter(item.tie for item in ranked)
    if shown:
        lines += ["", *ranking_rows(land, value, counts, memory, why, style), ""]
        rest = counts[shown[0].tie] - sum(r.tie == shown[0].tie for r in shown)
        if rest and not value.smallest:
            lines += wrap(f"{rest} more tie with the first (--top)", style)
        pairs = list(pairwise(shown)) if why else list(pairwise(shown))[:1]
        for a, b in pairs:
            lines += wrap(pair_words(land, a, b, value.wanted), style, hang="  ")
        lines += wrap("; ".join(legend(shown, memory, why)), style, hang="  ")
        lines += wrap(PROTOCOLS, style, hang="  ")
    lines += wrap(land.as_of, style, hang="  ")
    lines += left_out(found, value.silent, style)
    for note in notes_of(value):
        lines += wrap("note: " + note, style, hang="      ")
    return "\n".join(lines)


def ranking_rows(
    land: Landscape,
    value: Listing,
    counts: Mapping[int, int],
    memory: bool,
    why: bool,
    style: Style,
) -> list[str]:
    """A line for each model of a ranking, and its scores below it."""
    rows = []
    for item in value.shown:
        size: Held | None = held(land, item.model, value.need.dtype) if memory else None
        rows.append(
            [
                f"{item.tie}{'=' if counts[item.tie] > 1 else ''}",
                clean(item.model.name),
                params(item.model),
                item.model.record["release"] or "-",
                *([f"{size.gb:.1f}" if size else "-"] if memory else []),
                f"{item.score:.1f} ± {item.se:.1f}",
                percent(item.printed),
            ]
        )
    block = table(
        ["", "model", "params", "released", *(["GB"] if memory else []), "mix", "printed"],
        rows,
        "llll" + "r" * memory + "rr",
        style,
        1,
    )
    lines = [block[0]]
    for line, item in zip(block[1:], value.shown):
        lines.append(line)
        lines += (
            why_lines(land, item, style)
            if why
            else wrap(measured_words(item.cells, land), style, "     ", "       ")
        )
    return lines


def legend(shown: Sequence[Ranked], memory: bool, why: bool) -> list[str]:
    """What the columns and marks of a ranking mean, as far as they are used."""
    out = [
        "mix: of 100 (each benchmark's scale) with its standard error; equal ranks are ties (closer"
        " than one"
        " standard error), fewest parameters first; printed: weight of the mix that the model"
        " prints"
    ]
    cells = [cell for item in shown for cell in item.cells]
    if any(cell.kind != "printed" for cell in cells):
        out.append(
            "~: not printed on this split, estimated from what the model prints elsewhere"
            + ("" if why else " (--why)")
        )
    if any(cell.kind == "printed" and cell.score.reported_by != "authors" for cell in cells):
        out.append("^: reported by others")
    if any("*" in params(item.model) for item in shown):
        out.append("*: size only from the model's name")
    if memory:
        out.append(
            "GB: weights (the vision tower and embeddings in 16 bit), KV cache of one image where"
            " it is known, 1 GB overhead"
        )
    return out


def left_out(found: Sieve, silent: Sequence[Model], style: Style) -> list[str]:
    """Models that were not compared, by reason."""
    lines = []
    count = sum(map(len, found.unsaid.values()))
    if count:
        reasons = ", ".join(f"{name} ({len(models)})" for name, models in found.unsaid.items())
        lines += wrap(
            f"{count} left out because the registry does not say: {reasons}", style, hang="  "
        )
    if silent:
        newest = sorted(silent, key=lambda m: m.record["release"] or "", reverse=True)[:LISTED]
        rest = len(silent) - len(newest)
        lines += wrap(
            f"{len(silent)} not ranked, they print no benchmark of the mix:"
            f" {', '.join(m.name for m in newest)}{f' and {rest} more' if rest else ''}",
            style,
            hang="  ",
        )
    if found.refused and not found.models:
        lines += wrap(
            "turned away by: " + ", ".join(f"{name} ({n})" for name, n in found.refused.items()),
            style,
            hang="  ",
        )
    return lines


def score_json(score: Score) -> dict:
    """One printed score."""
    return {
        "benchmark": score.benchmark,
        "split": score.split,
        "value": number(score.value),
        "max": number(score.max),
        "protocol": score.protocol,
        "reported_by": score.reported_by,
        "source": score.source,
        "also_in": list(score.also_in),
    }


def cell_json(cell: Cell) -> dict:
    """One model on one benchmark of the mix."""
    t = cell.target
    return {
        "benchmark": t.benchmark,
        "split": t.split,
        "max": number(t.max),
        "value": number(cell.value),
        "se": number(cell.se),
        "kind": cell.kind,
        "score": score_json(cell.score) if cell.score else None,
    }


def ranked_json(land: Landscape, item: Ranked, dtype: str) -> dict:
    """One model of a ranking."""
    record, size = item.model.record, held(land, item.model, dtype)
    return {
        "rank": item.tie,
        "model": item.model.key,
        "name": item.model.name,
        "params_b": number(record["params_b"]),
        "params_basis": record["params_basis"],
        "active_params_b": number(record["active_params_b"]),
        "release": record["release"],
        "license": record["license"],
        "commercial": item.model.licence[0],
        "memory_gb": number(size.gb) if size else None,
        "memory_basis": size.basis if size else None,
        "score": {
            "expected": number(item.score),
            "se": number(item.se),
            "unit": "percent of scale",
            "printed_weight": number(item.printed),
        },
        "scores": [cell_json(c) for c in item.cells],
    }


def targets_json(wanted: Sequence[Target]) -> list[dict]:
    """What a mix is compared on."""
    return [
        {
            "benchmark": t.benchmark,
            "split": t.split,
            "max": number(t.max),
            "weight": number(t.weight),
        }
        for t in wanted
    ]


def ranking_json(land: Landscape, value: Listing) -> dict:
    """`models --json`."""
    return {
        "tasks": {name: number(w) for name, w in value.tasks.parts.items()},
        "compared_on": targets_json(value.wanted),
        "models": [ranked_json(land, item, value.need.dtype) for item in value.shown],
        "ranked": len(value.ranked),
        "not_ranked": len(value.silent),
        "without_scores": [model.key for model in value.silent],
        "newest_record": land.newest,
        "tied_with_first": sum(r.tie == 1 for r in value.ranked),
        "refused": dict(value.found.refused),
        "left_out": {name: [m.key for m in models] for name, models in value.found.unsaid.items()},
        "warnings": [*notes_of(value), PROTOCOLS],
    }


# --- one model
# ------------------------------------------------------------------------------------------


def yes_no(value: bool | None) -> str:
    """A property in words; null is not known."""
    return {True: "yes", False: "no", None: "not known"}[value]


def groups(model: Model) -> dict[tuple[str, str], list[Score]]:
    """Scores by benchmark and split, in the registry's order."""
    out: dict[tuple[str, str], list[Score]] = {}
    for score in model.scores:
        out.setdefault((score.benchmark, score.split), []).append(score)
    return out


def card_fields(land: Landscape, model: Model) -> list[tuple[str, str]]:
    """The specifications of a model: name and text; an empty text is left out."""
    r = model.record
    known = lambda value, unit="": "not known" if value is None else f"{value}{unit}"
    sizes = [(dtype, held(land, model, dtype)) for dtype in ("bf16", "int8", "int4")]
    return [
        (
            "by",
            f"{r['organisation']}, released {known(r['release'])}"
            + (f", arXiv {r['arxiv']}" if r["arxiv"] else ""),
        ),
        (
            "weights",
            {True: "open", False: "not released", None: "not known whether released"}[r["open"]]
            + (f": {r['hf_id']}" if r["hf_id"] else ""),
        ),
        ("licence", f"{known(r['license'])}; {licence_words(model)}"),
        ("size", f"{params(model)} ({r['params_basis']})" if r["params_b"] else "not known"),
        (
            "memory",
            (
                ", ".join(f"{dtype} {value.gb:.1f} GB" for dtype, value in sizes if value)
                + f" ({sizes[-1][1].basis.replace('int4', 'quantised')})"
                if sizes[-1][1]
                else "not known: its size is not"
            ),
        ),
        (
            "encoder",
            known(r["encoder"])
            + (f", {r['encoder_params_m']:g}M" if r["encoder_params_m"] else ""),
        ),
        ("connector", known(r["connector"])),
        ("LLM", known(r["llm"])),
        (
            "resolution",
            ": ".join(x for x in (r["resolution_strategy"], r["resolution"]) if x) or "not known",
        ),
        ("visual tokens", f"{r['visual_tokens']:,}" if r["visual_tokens"] else "not known"),
        ("tokens scale", r["visual_tokens_scaling"] or ""),
        ("takes", f"several images: {yes_no(r['multi_image'])}, video: {yes_no(r['video'])}"),
        ("gives", f"boxes: {yes_no(r['grounding'])}, points: {yes_no(r['pointing'])}"),
        ("context", f"{r['max_context']:,} tokens" if r["max_context"] else "not known"),
        ("languages", ", ".join(r["languages"]) if r["languages"] else ""),
        ("data", r["data_openness"] or ""),
        ("notes", r["notes"] or ""),
    ]


def card_text(land: Landscape, model: Model, style: Style) -> str:
    """`models NAME`: specifications with sources, and every printed score, contradictory ones side
    by side.
    """
    lines = [
        style.paint(line, "bold") for line in wrap(f"{model.name} ({model.key})", style, hang="  ")
    ]
    for name, text in card_fields(land, model):
        lines += wrap(text, style, f"  {name:<14}", " " * 16) if text else []
    lines += (
        ["", style.paint("printed scores", "bold")]
        if model.scores
        else ["", "no score of it stands in the registry"]
    )
    for (benchmark, split), scores in groups(model).items():
        top = land.records[benchmark]["max"]
        shares = [s.value / s.max * top for s in scores]
        gap = max(shares) - min(shares)
        head = f"{land.label(benchmark)} {split}"
        if len(scores) == 1:
            lines += wrap(f"{head}: {score_words(scores[0], top)}", style, "  ", "    ")
        else:
            lines += wrap(
                f"{head}: {' / '.join(plain(s, top) for s in scores)}"
                + (f" ({amount(gap, top)} points apart)" if gap else ""),
                style,
                "  ",
                "    ",
            )
            for s in scores:
                lines += wrap(score_words(s, top), style, "    ", "      ")
    used = dict.fromkeys(
        [*model.record["spec_sources"], *(s.source.split(":")[0] for s in model.scores)]
    )
    lines += ["", style.paint("sources", "bold")]
    for key in used:
        lines += wrap(
            f"{key}: {land.sources[key]['where']}" if key in land.sources else key,
            style,
            "  ",
            "    ",
        )
    return "\n".join(lines)


def score_words(score: Score, top: float) -> str:
    """A printed score with protocol, reporter and place."""
    parts = [
        score.reported_by,
        score.protocol,
        score.source,
        "also in " + ", ".join(score.also_in) if score.also_in else None,
    ]
    return f"{plain(score, top)} ({'; '.join(part for part in parts if part)})"


def card_json(land: Landscape, model: Model) -> dict:
    """`models NAME --json`: the registry's record, memory by number format, and the sources it
    names.
    """
    sizes = {dtype: held(land, model, dtype) for dtype in ("bf16", "int8", "int4")}
    used = dict.fromkeys(
        [*model.record["spec_sources"], *(s.source.split(":")[0] for s in model.scores)]
    )
    return {
        **{k: v for k, v in model.record.items() if k != "scores"},
        "commercial": {"verdict": model.licence[0], "why": model.licence[2]},
        "memory": {
            dtype: {"gb": number(value.gb), "basis": value.basis} if value else None
            for dtype, value in sizes.items()
        },
        "scores": [score_json(s) for s in model.scores],
        "sources": {key: land.sources[key]["where"] for key in used if key in land.sources},
    }


# --- the tree
# ------------------------------------------------------------------------------------------


def leaf_lines(land: Landscape, leaf: Leaf, style: Style) -> list[str]:
    """One leaf of the tree: the first of the first tie, what it prints, and who ties with it."""
    if not leaf.best:
        none = f"none ({leaf.unsaid} not known, {leaf.silent} print no score)"
        return wrap(f"{leaf.label}: {none}", style, "  ", "    ")
    first, *others = leaf.best
    lines = wrap(
        f"{leaf.label}: {first.model.name}, {params(first.model)},"
        f" {first.model.record['release'] or 'date not known'}, {first.score:.1f} ± {first.se:.1f}",
        style,
        "  ",
        "    ",
    )
    lines += wrap(measured_words(first.cells, land), style, "    ", "      ")
    if others:
        more = leaf.tied - len(leaf.best)
        names = ", ".join(f"{r.model.name} ({params(r.model)}, {r.score:.1f})" for r in others)
        said = f"ties with {names}" + (f" and {more} more" if more else "")
        lines += wrap(said, style, "    ", "      ")
    return lines + wrap(
        f"of {leaf.compared} that print some of it; {leaf.silent} print none; {leaf.unsaid}"
        " left out: their record does not say whether they qualify",
        style,
        "    ",
        "      ",
    )


def tree_text(land: Landscape, branches: Sequence[Branch], need: Need, style: Style) -> str:
    """`models --tree`."""
    words = need_words(need)
    lines = [
        style.paint(line, "bold")
        for line in wrap(
            "which released open model? what must it do" + (f" ({words})" if words else ""),
            style,
            hang="  ",
        )
    ]
    for branch in branches:
        lines += ["", *(style.paint(line, "bold") for line in wrap(branch.label, style))]
        for note in branch.notes:
            lines += wrap(note, style, "  ", "    ")
        for leaf in branch.leaves:
            lines += leaf_lines(land, leaf, style)
    lines += [
        "",
        *wrap(
            "each leaf is the ranking of the registry's scores (models --tasks …): percent of the"
            " mix's scale with its standard error; of ties the one with the fewest parameters"
            " stands first; ~ estimated; * size only from the name; ^ reported by others",
            style,
        ),
        *wrap(PROTOCOLS, style),
        *wrap(land.as_of, style),
    ]
    return "\n".join(lines)


def tree_json(land: Landscape, branches: Sequence[Branch], dtype: str) -> dict:
    """`models --tree --json`."""
    return {
        "branches": [
            {
                "need": b.label,
                "tasks": b.tasks,
                "compared_on": targets_json(b.wanted),
                "warnings": list(b.notes),
                "leaves": [
                    {
                        "size": leaf.label,
                        "models": [ranked_json(land, r, dtype) for r in leaf.best],
                        "tied": leaf.tied,
                        "compared": leaf.compared,
                        "not_ranked": leaf.silent,
                        "left_out": leaf.unsaid,
                    }
                    for leaf in b.leaves
                ],
            }
            for b in branches
        ],
        "newest_record": land.newest,
        "warnings": [PROTOCOLS],
    }


# --- the parts
# -----------------------------------------------------------------------------------------


def parts_json(value: Parts) -> dict:
    """`models --parts --json`."""
    uses = value.practice.uses
    return {
        "today": value.practice.today,
        "parts": [
            {
                "axis": axis,
                "part": part,
                "models": use.count,
                "newest": use.newest,
                "usual": use.usual,
                "used_by": list(use.models),
            }
            for axis, found in uses.items()
            for part, use in found.items()
        ],
        "recipes": [dict(recipe) for recipe in value.recipes],
    }


def parts_text(value: Parts, why: bool, style: Style) -> str:
    """`models --parts`: the usual parts of each axis; with --why all parts, and the recipes."""
    lines = []
    for axis, found in value.practice.uses.items():
        shown = [(part, use) for part, use in found.items() if why or use.count >= USUAL_MODELS]
        rows = [
            [f"  {clean(part)}", str(use.count), use.newest or "-", "" if use.usual else "unusual"]
            for part, use in shown
        ]
        lines += [
            *table([style.paint(axis, "bold"), "models", "newest", ""], rows, "lrrl", style, 0)
        ]
        rest = len(found) - len(shown)
        lines += [f"  and {rest} of one or two models (--why)", ""] if rest else [""]
    if why:
        for recipe in value.recipes:
            said = "; ".join(f"{k} {v}" for k, v in recipe["parts"].items() if v)
            lines += wrap(
                f"{recipe['name']} ({recipe['date'] or 'no date'}): {said}", style, hang="  "
            )
    lines += wrap(
        f"usual: in {USUAL_MODELS} released open models or more, or in one of the last"
        f" {USUAL_MONTHS} months before {value.practice.today}; a model whose record leaves a part"
        " open counts nowhere",
        style,
        hang="  ",
    )
    return "\n".join(lines)
