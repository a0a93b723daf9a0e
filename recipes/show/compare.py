"""The summary of `compare` as text: answers side by side, then a table of endpoints.

In: the value that exchange/compare.summary gives. Out: lines of a terminal. Does not compute or
print.
"""

import re
from collections.abc import Mapping, Sequence

from ..base.wording import clean
from .text import Style, clip, table, wrap

SHOWN_ITEMS = 20
SHOWN_CHARACTERS = 800
# turn the direction of text around, or break the line
STEERING = re.compile("[\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def safe(text: str) -> str:
    """Text of a server in one line that can neither steer the terminal nor reorder what stands
    beside it.
    """
    return clean(STEERING.sub("?", " ".join(text.split())))


def pixels(resize: int | None) -> str:
    """A size as people say it."""
    return "as it is" if resize is None else f"{resize} px"


def item_lines(item: Mapping, sized: bool, style: Style) -> list[str]:
    """One question with the answer of each endpoint."""
    # an id made of a file's name says already which image it is
    about = [
        *([] if safe(item["image"]) in safe(item["id"]) else [item["image"]]),
        *([pixels(item["resize"])] if sized else []),
    ]
    head = safe(f"{item['id']}" + (f" ({', '.join(about)})" if about else ""))
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    lines += wrap(clip(safe(item["question"]), SHOWN_CHARACTERS), style, "  ")
    if item["expected"]:
        lines += wrap("expected: " + safe(" | ".join(item["expected"])), style, "  ")
    width = min(max(map(len, item["answers"])), 20)
    for name, answer in item["answers"].items():
        mark = {True: "right: ", False: "wrong: ", None: ""}[answer["right"]]
        text = (
            f"failed: {answer['error']}"
            if answer["error"] is not None
            else mark + (answer["text"].strip() or "(empty)")
        )
        text = safe(text)
        if len(text) > SHOWN_CHARACTERS:
            text = (
                f"{text[:SHOWN_CHARACTERS]}… ({len(text) - SHOWN_CHARACTERS:,} more characters:"
                " --json, --out)"
            )
        lead = f"    {clip(name, width):<{width}}  "
        code = (
            "red"
            if answer["error"] is not None or answer["right"] is False
            else "green"
            if answer["right"]
            else ""
        )
        first, *rest = wrap(text, style, " " * len(lead))
        first = first[len(lead) :]
        lines.append(lead + (style.paint(first, code) if code else first))
        lines += rest
    return lines


def _pair(values: Mapping | None) -> str:
    return "-" if values is None else f"{values['p50']:,.0f}/{values['p90']:,.0f}"


def _row(name: str, size: str | None, value: Mapping) -> list[str]:
    exact = value["exact"]
    share = (
        "-"
        if exact is None
        else f"{exact['right']}/{exact['of']} ({100 * exact['low']:.0f}-{100 * exact['high']:.0f}%)"
    )
    rate = value["tokens_per_s"]
    return [
        clean(name),
        *([] if size is None else [size]),
        str(value["ok"]),
        str(value["failed"]),
        _pair(value["ttft_ms"]),
        "-" if rate is None else f"{rate:,.1f}",
        _pair(value["total_ms"]),
        share,
    ]


def summary_text(value: Mapping, notes: Sequence[str], style: Style) -> str:
    """`compare`: items, endpoints, notes."""
    endpoints, items = value["endpoints"], value["items"]
    sized = any(item["resize"] is not None for item in items)
    lines: list[str] = []
    for item in items[:SHOWN_ITEMS]:
        lines += [*item_lines(item, sized, style), ""]
    if len(items) > SHOWN_ITEMS:
        lines += [
            *wrap(
                f"and {len(items) - SHOWN_ITEMS:,} more: --out FILE keeps all answers, --json"
                " prints them",
                style,
            ),
            "",
        ]
    rows = [
        _row(e["name"], pixels(part["resize"]) if sized else None, part)
        for e in endpoints
        for part in e["by_resize"]
    ]
    head = [
        "endpoint",
        *(["image"] if sized else []),
        "ok",
        "failed",
        "TTFT ms",
        "tokens/s",
        "total ms",
        "exact match",
    ]
    lines += table(head, rows, "l" + ("r" if sized else "") + "rrrrrr", style)
    lines.append("")
    for e in endpoints:
        lines += wrap(f"{e['name']}: {safe(e['model'])} at {e['url']}", style, hang="  ")
    for note in (*explanations(endpoints), *notes):
        lines += wrap("note: " + safe(note), style, hang="      ")
    return "\n".join(lines)


def explanations(endpoints: Sequence[Mapping]) -> list[str]:
    """What the columns mean, and what is odd about an endpoint's answers."""
    explained = [
        "TTFT and total: median/90th percentile, from sending the request; TTFT until the first"
        " generated text; tokens/s: median, after the first token"
    ]
    if any(e["exact"] for e in endpoints):
        explained.append(
            "exact match: of the answered questions that have an answer, with an 80% Wilson"
            " interval"
        )
    for e in endpoints:
        counted = e["tokens_counted_by"]
        if "chunks" in counted:
            which = "no" if counted == ["chunks"] else "not every"
            explained.append(
                f"{e['name']}: {which} reply reports its tokens: pieces of the stream are counted"
                " instead"
            )
        if e["cut"]:
            explained.append(f"{e['name']}: {e['cut']} answers end at --max-tokens")
        if e["reasoning"]:
            explained.append(
                f"{e['name']}: {e['reasoning']} answers come with reasoning, which is timed but not"
                " shown"
            )
    return explained
