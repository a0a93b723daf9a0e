"""Released models as text and JSON: the ranking (one model: models_card.py; the decision tree and
the parts: models_tree.py).

In: Landscape, Listing (released/, answers/models.py). Out: strings and dictionaries. Does not
compute or print.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..answers.models import Listing
from ..base.wording import clean, number, percent
from ..released.models import Held, Landscape, Model, Need, Score, Sieve, held
from ..released.ranking import PROTOCOLS, Cell, Ranked, Target, same_setup
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
