"""One released model: its specifications with sources, and every printed score (`models NAME`).

In: a Model of the registry. Out: text, and the JSON. Does not filter or rank.
"""

from ..base.wording import number
from ..released.models import Landscape, Model, Score, held
from .models import amount, licence_words, params, plain, score_json
from .text import Style, wrap


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
