"""Which printed rows show a change of recipe: pairs of rows of one table that differ as the question does.

In: two settings (from, to), papers, the vocabulary. Out: Found contrasts, turned to read in the asked direction, and the papers
that may hold any. Does not weigh them or predict: that is swap.py.
"""
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..evidence.contrasts import Contrast, contrasts, evidence_metrics, moved
from ..evidence.tables import Paper, Row
from ..evidence.vocabulary import Vocabulary
from .columns import recipe_rows
from .features import encoder_params_b, llm_make, llm_params_b, pixels, visual_tokens
from .posterior import Posterior

MAIN = ("encoder", "connector", "llm", "data")   # two of these moving beside the asked axes: another system, not this change


def moved_axes(a: Mapping, b: Mapping, words: Vocabulary) -> tuple[str, ...]:
    """The axes on which two settings differ; only what both state counts. Tokens that follow the resolution do not."""
    out = []
    for axis in ("encoder", "connector", "llm", "data"):
        x, y = a.get(axis), b.get(axis)
        if x and y and x != y:
            out.append(axis)
    if "llm" not in out and not (a.get("llm") and a.get("llm") == b.get("llm")):
        x, y = llm_params_b(a, words), llm_params_b(b, words)
        if x and y and x != y:
            out.insert(sum(axis in out for axis in ("encoder", "connector")), "llm")
    if "data" not in out and a.get("data_size") and b.get("data_size") and a["data_size"] != b["data_size"]:
        out.append("data")
    if any(a.get(key) != b.get(key) and a.get(key) is not None and b.get(key) is not None for key in ("resolution",)) \
            or a.get("tiling") != b.get("tiling") and (a.get("tiling") or b.get("tiling")):
        out.append("resolution")
    x, y = visual_tokens(a, words), visual_tokens(b, words)
    if x and y and x != y and not {"resolution", "encoder", "connector"} & set(out):
        out.append("visual_tokens")
    if any(a.get(key) is not None and b.get(key) is not None and a.get(key) != b.get(key) for key in ("frozen_encoder", "training")):
        out.append("training")
    return tuple(out)


def _same(axis: str, setting: Mapping, side: Mapping, words: Vocabulary) -> bool:
    """Does a row's setting have what `side` says on an axis?"""
    if axis in ("encoder", "connector", "data"):
        if axis == "data" and not side.get("data"):
            return bool(setting.get("data_size")) and setting["data_size"] == side.get("data_size")
        return setting.get(axis) == side.get(axis)
    if axis == "llm":
        if side.get("llm"):
            return setting.get("llm") == side["llm"]
        x, y = llm_params_b(setting, words), side.get("llm_params_b")
        return bool(x and y) and abs(math.log2(x / y)) < 0.2
    if axis == "resolution":
        x, y = pixels(setting, words), pixels(side, words)
        return bool(x and y) and abs(math.log2(x / y)) < 0.05
    if axis == "visual_tokens":
        x, y = visual_tokens(setting, words), visual_tokens(side, words)
        return bool(x and y) and abs(math.log2(x / y)) < 0.15
    if side.get("frozen_encoder") is not None:
        return setting.get("frozen_encoder") == side["frozen_encoder"]
    return setting.get("training") == side.get("training")


def lineage(encoder: str | None, words: Vocabulary) -> str | None:
    """The make of an encoder, wider than its family: any CLIP (OpenAI's, OpenCLIP, MetaCLIP, DFN, EVA), any SigLIP, any DINO; else the family.

    None for fusions. Towers of another shape that CLIP trained (ConvNeXt, FastViT) are makes of their own.
    """
    record = words.records("encoder").get(encoder or "")
    if record is None or not record.get("family"):
        return None
    family = record["family"]
    if family.startswith("siglip"):
        return "siglip"
    if "dino" in family:
        return "dino"
    text_image = record.get("kind") == "language-contrastive" and ("clip" in family or family.startswith("dfn"))
    return "clip" if text_image and not family.startswith("convnext") else family


def _near(axis: str, setting: Mapping, side: Mapping, words: Vocabulary) -> bool:
    """Does a row's setting have something of the same make as `side` on an axis?"""
    if _same(axis, setting, side, words):
        return True
    if axis == "encoder":
        make = lineage(side.get("encoder"), words)
        if make is None or make != lineage(setting.get("encoder"), words):
            return False
        x, y = encoder_params_b(setting["encoder"], words), encoder_params_b(side["encoder"], words)
        return bool(x and y) and abs(math.log2(x / y)) < 1.2
    if axis == "connector":
        mine = words.connector_class(setting)
        return mine is not None and mine == words.connector_class(side)
    if axis == "llm":
        if side.get("llm") and llm_make(setting.get("llm"), words) != llm_make(side["llm"], words):
            return False
        x, y = llm_params_b(setting, words), llm_params_b(side, words)
        return bool(x and y) and abs(math.log2(x / y)) < 0.25
    return False


class Found(NamedTuple):
    """A contrast that shows the change, turned so that it reads in the asked direction. near: not the very components."""
    contrast: Contrast
    delta: float
    from_row: Row
    to_row: Row
    near: bool


def find_rows(papers: Iterable[Paper], a: Mapping, b: Mapping, axes: Sequence[str], words: Vocabulary) -> list[Found]:
    """All pairs of rows of one table that make the asked change, or one of the same make, on all its axes.

    Where both sides are of one make (linear and MLP, Vicuna-7B and Mistral-7B), only the very components count.
    Other things may move as well; the contrast says so.
    """
    match = {axis: _same if _near(axis, a, b, words) else _near for axis in axes}
    axis_of = {key: record["axis"] for key, record in words.records("setting").items()}
    out = []
    for paper in papers:
        for table in paper.tables:
            rows = recipe_rows(table)
            first = [row for row in rows if all(match[axis](axis, row.setting, a, words) for axis in axes)]
            second = [row for row in rows if all(match[axis](axis, row.setting, b, words) for axis in axes)]
            if not first or not second:
                continue
            metrics = evidence_metrics(table)
            is_a, is_b = ({id(row) for row in rows if all(_same(axis, row.setting, side, words) for axis in axes)} for side in (a, b))
            for x in first:
                for y in second:
                    if x is y or any(_same(axis, x.setting, y.setting, words) for axis in axes):
                        continue
                    difference_ = moved(x.setting, y.setting, axis_of)
                    if "other" in difference_.axes or len(difference_.unstated) > 1:
                        continue  # two systems of which too much is unsaid
                    if len([axis for axis in MAIN if axis in difference_.axes and axis not in axes]) > 1:
                        continue  # two systems that share this change among others
                    near = not (id(x) in is_a and id(y) in is_b)
                    for contrast in contrasts(table._replace(rows=(x, y)), axis_of, metrics):
                        out.append(Found(contrast._replace(table=table), contrast.delta, x, y, near))
    return _once(out)


def _once(found: list[Found]) -> list[Found]:
    """Count a pair of training runs once per benchmark, however many tables print it."""
    seen, out = set(), []
    for item in found:
        key = (item.from_row.run or (item.contrast.table.id, item.from_row.arm),
               item.to_row.run or (item.contrast.table.id, item.to_row.arm),
               item.contrast.metric.benchmark, item.contrast.metric.split, item.contrast.metric.shots, item.contrast.metric.unit)
        if key not in seen:
            seen.add(key)
            out.append(item)
    return out


def relevant_papers(a: Mapping, b: Mapping, posterior: Posterior, words: Vocabulary) -> set[str]:
    """The papers that may hold rows about a change: those in which things of the moved makes vary."""
    support = posterior.support
    out: set[str] = set()
    for axis in moved_axes(a, b, words):
        sides = []
        for side in (a, b):
            value = side.get(axis)
            if axis == "encoder" and value and "+" in value:
                sides.append(set.intersection(*(set(support.get(f"encoder={part}", ())) for part in value.split("+"))))
            elif axis in ("encoder", "connector") and value:
                kin = [slug for slug in words.records(axis) if slug == value or _near(axis, {axis: slug}, side, words)]
                sides.append({paper for slug in kin for paper in support.get(f"{axis}={slug}", ())})
            elif axis == "data" and value:
                sides.append(set(support.get(f"data={value}", ())))
            else:
                name = {"llm": "llm_size", "resolution": "resolution", "visual_tokens": "visual_tokens", "data": "data_size",
                        "training": "frozen_encoder"}[axis]
                sides.append(set(support.get(name, ())) | set(support.get(f"llm={value}", ())) if axis == "llm" else set(support.get(name, ())))
        out |= sides[0] & sides[1]
    return out
