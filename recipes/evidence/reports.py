"""The check of registry/cost_reports.json: what people report of training and serving.

In: the vocabulary. Out: (JSON pointer, message) of what does not fit. Knows no arithmetic.
"""

import math
from collections.abc import Iterator, Mapping

from ..terms.vocabulary import Vocabulary

KINDS = {
    "training": ("gpu_hours",),
    "memory": ("gb", "fits"),
    "serving": ("decode_ms", "ttft_ms", "prefill_ms", "vision_ms", "fits"),
}
GRADES = ("clear", "odd")
TUNINGS = ("full", "lora", "qlora")
STAGES = ("alignment", "instruction tuning")


def check_reports(words: Vocabulary) -> Iterator[tuple[str, str]]:
    """Each report says once who said what: a known kind, grade and device, parts that the registry
    has, a source on the web, and positive figures of its kind."""
    seen: set[str] = set()
    for i, row in enumerate(words.registry("cost_reports")["reports"]):
        at = f"/reports/{i}"
        if row.get("id") in seen or not row.get("id"):
            yield at + "/id", f"{row.get('id')!r} is missing or stands twice"
        seen.add(row.get("id"))
        for key, known in (("kind", KINDS), ("grade", GRADES)):
            if row.get(key) not in known:
                yield f"{at}/{key}", f"{row.get(key)!r} is none of {', '.join(known)}"
        if not str(row.get("source")).startswith("https://"):
            yield at + "/source", "no address of where it was said"
        if row.get("gpu") not in words.records("hardware"):
            yield at + "/gpu", f"{row.get('gpu')!r} is no slug of registry/hardware.json"
        yield from _parts(at, row.get("recipe") or {}, words)
        if row.get("kind") != "serving":
            for key, known in (("tuning", TUNINGS), ("stage", STAGES)):
                if row.get(key) not in known:
                    yield f"{at}/{key}", f"{row.get(key)!r} is none of {', '.join(known)}"
        yield from _figures(at, row)


def _parts(at: str, recipe: Mapping, words: Vocabulary) -> Iterator[tuple[str, str]]:
    for axis in ("encoder", "connector", "llm"):
        for name in str(recipe.get(axis) or "").split("+"):
            if name and name not in words.records(axis):
                yield f"{at}/recipe/{axis}", f"{name!r} is no slug of registry/components.json"


def _figures(at: str, row: Mapping) -> Iterator[tuple[str, str]]:
    said = row.get("reported") or {}
    if not said:
        yield at + "/reported", "nothing is reported"
    for key, value in said.items():
        if key not in KINDS.get(row.get("kind"), ()):
            yield f"{at}/reported/{key}", f"no figure of a report of {row.get('kind')}"
        elif key == "fits":
            if not isinstance(value, bool):
                yield f"{at}/reported/{key}", "neither true nor false"
        elif isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{at}/reported/{key}", "not a number"
        elif not (math.isfinite(value) and value > 0):
            yield f"{at}/reported/{key}", f"{value} is not positive"
