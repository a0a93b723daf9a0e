"""`claims`: what people repeat, with the verdict that follows from the encoded rows, as text or
JSON.

In: Audits (claims.py), the Evidence they were judged on, sources by letter. Out: strings and plain
dictionaries. Does not judge or print.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from ..base.wording import clean, number, plural, signed
from ..claims.pairs import Evidence, Judged, Line, aside
from ..claims.verdicts import VERDICTS, Audit
from .text import Style, table, wrap

COLOUR = {
    "supported": "green",
    "contradicted": "red",
    "not in the cited source": "red",
    "partly": "yellow",
    "no evidence": "dim",
}
WORDS = {
    "holds": "holds",
    "fails": "fails",
    "absent": "not in the source",
    "unknown": "no evidence",
}
MOST_PAIRS, MOST_NAMED = 8, 3


def counts(audits: Sequence[Audit]) -> dict[str, int]:
    """Verdict -> how many claims, in the order of VERDICTS."""
    found = Counter(one.verdict for one in audits)
    return {verdict: found[verdict] for verdict in VERDICTS}


def why(audit: Audit) -> str:
    """One sentence from the results: what holds, what fails and what was found instead."""
    counted = [one for one in audit.judged if not one.assertion.beside]
    groups = {result: [one for one in counted if one.result == result] for result in WORDS}
    parts = []
    for result, judged in groups.items():
        if not judged:
            continue
        named = [
            one.assertion.asserts
            + (f" ({one.found})" if result in ("fails", "unknown", "absent") else "")
            for one in judged[:MOST_NAMED]
        ]
        named += [f"and {len(judged) - MOST_NAMED} more"] if len(judged) > MOST_NAMED else []
        parts.append(f"{WORDS[result]} ({len(judged)} of {len(counted)}): {'; '.join(named)}")
    return ". ".join(parts)


def list_text(audits: Sequence[Audit], style: Style) -> str:
    """One line per claim, then the counts."""
    rows = [
        [one.claim.id, style.paint(one.verdict, COLOUR[one.verdict]), clean(one.claim.text)]
        for one in audits
    ]
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts(audits).items() if count)
    return "\n".join(
        [
            *table(["claim", "verdict", "what is said"], rows, "lll", style, 2),
            "",
            *wrap(f"{plural(len(audits), 'claim')}{': ' + said if said else ''}", style),
            "claims ID shows the rows behind a verdict",
        ]
    )


def full_text(audit: Audit, evidence: Evidence, sources: Mapping[str, str], style: Style) -> str:
    """One claim: its words, why the verdict, and every assertion with its rows."""
    claim = audit.claim
    head = f"{claim.id}  {audit.verdict}"
    said = f'"{claim.text}"' + (f" ({sources[claim.says]})" if claim.says in sources else "")
    lines = [
        style.paint(clean(head), "bold"),
        *wrap(said, style),
        "",
        *wrap("why: " + why(audit), style, hang="     "),
    ]
    lines += wrap("note: " + claim.note, style, hang="      ") if claim.note else []
    for beside in (False, True):
        judged = [one for one in audit.judged if one.assertion.beside == beside]
        if beside and judged:
            lines += ["", style.paint("beside it (does not count for the verdict)", "dim")]
        for one in judged:
            lines += ["", *assertion_text(one, evidence, style)]
    gaps = left_out(audit, evidence)
    if gaps:
        lines += ["", style.paint("what the record of the cited papers says it leaves out", "dim")]
        lines += [line for gap in gaps for line in wrap("- " + gap, style, hang="  ")]
    return "\n".join(lines)


def assertion_text(one: Judged, evidence: Evidence, style: Style) -> list[str]:
    """An assertion, its result, and its rows: those that go against the result first."""
    mark = style.paint(
        f"[{WORDS[one.result]}]", {"holds": "green", "fails": "red"}.get(one.result, "yellow")
    )
    lines = [
        f"{mark} {line}" if number == 0 else line
        for number, line in enumerate(wrap(one.assertion.asserts, style, hang="  "))
    ]
    if len(lines[0]) > style.width and not style.colour:
        lines = wrap(f"[{WORDS[one.result]}] {one.assertion.asserts}", style, hang="  ")
    lines += wrap(one.found, style, "  ")
    if aside(one.assertion) and aside(one.assertion) not in one.found:
        lines += wrap(aside(one.assertion), style, "  ", "  ")
    groups: dict[tuple, list[Line]] = {}
    for line in one.lines:
        groups.setdefault(
            (
                line.table,
                line.locator,
                line.from_arm,
                line.to_arm if line.from_arm is not None else None,
            ),
            [],
        ).append(line)
    shown = sorted(
        groups.values(),
        key=lambda group: all(line.holds == (one.result == "holds") for line in group),
    )
    for group in shown[:MOST_PAIRS]:
        lines += pair_text(group, evidence, style)
    if len(shown) > MOST_PAIRS:
        lines.append(f"    and {len(shown) - MOST_PAIRS} more (--json shows all)")
    return lines


def pair_text(group: Sequence[Line], evidence: Evidence, style: Style) -> list[str]:
    """The lines of one pair of rows (or of one table) with their printed numbers."""
    first = group[0]
    paper = evidence.paper_of.get(first.table.split(" and ")[0])
    place = f"{paper.short}, {first.locator}" if paper else first.locator
    place += (
        f" (arXiv {first.arxiv}{', ' + first.table if paper else ''})"
        if first.arxiv
        else f" ({first.table})"
        if first.table
        else ""
    )
    if first.from_arm is None:
        cells = [
            ": ".join(filter(None, (line.to_arm, "" if line.metric == "rows" else line.metric)))
            + ("" if line.after is None else " " + printed(line.after))
            for line in group[:12]
        ]
    else:
        place += f": {first.from_arm} -> {first.to_arm}"
        cells = [
            f"{line.metric} {printed(line.before)} -> {printed(line.after)}"
            f" ({signed(line.delta, 2)})"
            for line in group[:12]
        ]
    more = f", and {len(group) - 12} more" if len(group) > 12 else ""
    lines = [
        *wrap(place, style, "    ", "      "),
        *wrap(("; " if first.from_arm is None else ", ").join(cells) + more, style, "      "),
    ]
    if first.from_arm is not None:
        moves = ", ".join(first.moves) or "nothing stated"
        text = f"moves: {moves}" + (
            f"; said of one row only: {', '.join(first.unsaid)}" if first.unsaid else ""
        )
        lines += [style.paint(line, "dim") for line in wrap(text, style, "      ")]
    return lines


def printed(value) -> str:
    """A number as it is printed, without a fraction that is not there."""
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return "-" if value is None else str(value)


def left_out(audit: Audit, evidence: Evidence) -> list[str]:
    """What the transcription records of the cited papers say they lack, where the verdict rests on
    something not being there.
    """
    if not any(one.result == "absent" and not one.assertion.beside for one in audit.judged):
        return []
    found = []
    for key in audit.claim.cites:
        for text in evidence.papers[key].transcription.get("open_questions") or ():
            if any(
                word in str(text).lower()
                for word in ("left out", "not found", "no printed", "drawn")
            ):
                found.append(f"{evidence.papers[key].short}: {text}")
    return found


def claim_json(audit: Audit) -> dict:
    """One claim with every row."""
    claim = audit.claim
    return {
        "id": claim.id,
        "says": claim.says,
        "claim": claim.text,
        "verdict": audit.verdict,
        "why": why(audit),
        "note": claim.note,
        "cites": list(claim.cites),
        "assertions": [
            {
                "kind": one.assertion.kind,
                "asserts": one.assertion.asserts,
                "counts": not one.assertion.beside,
                "result": one.result,
                "holds": {"holds": True, "fails": False}.get(one.result),
                "found": one.found,
                "without": [dict(left) for left in one.assertion.spec.get("without", ())],
                "rows": [line_json(line) for line in one.lines],
            }
            for one in audit.judged
        ],
    }


def line_json(line: Line) -> dict:
    """One row or pair of rows."""
    value = lambda x: number(x) if isinstance(x, (int, float)) and not isinstance(x, bool) else x
    # tokens follow the resolution
    moved = len(line.moves) - ("visual_tokens" in line.moves and "resolution" in line.moves)
    return {
        "table": line.table,
        "locator": line.locator,
        "arxiv": line.arxiv,
        "from_arm": line.from_arm,
        "to_arm": line.to_arm,
        "benchmark": line.metric,
        "split": line.split,
        "from_value": value(line.before),
        "to_value": value(line.after),
        "delta": value(line.delta),
        "controlled": None if line.from_arm is None else moved == 1 and not line.unsaid,
        "moves": list(line.moves),
        "unsaid": list(line.unsaid),
        "holds": line.holds,
    }


def as_json(audits: Sequence[Audit], sources: Mapping[str, str]) -> dict:
    """All claims and the counts."""
    return {
        "claims": [claim_json(one) for one in audits],
        "counts": counts(audits),
        "sources": dict(sources),
    }
