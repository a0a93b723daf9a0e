"""`cost --calibration` and `latency --calibration`: the view, and text made from it.

In: checked rows. Out: dictionaries and strings. Does not compute or print.
"""

from collections.abc import Callable, Iterable, Sequence

from ..answers.calibration import CLASSES, MemoryCheck, size_class
from ..base.wording import clean, number, plural
from ..cost.runs import Checked
from ..cost.served import Check
from ..cost.training import quantile
from .text import Style, table, wrap


def summary(ratios: Sequence[float]) -> dict:
    """Median of estimate / report, and the shares within factors."""
    if not ratios:
        return {"count": 0, "median_ratio": None, "within_1.6x": None, "within_2x": None}

    def share(factor: float) -> float:
        return sum(1 / factor <= r <= factor for r in ratios) / len(ratios)

    return {
        "count": len(ratios),
        "median_ratio": number(quantile(ratios, 0.5)),
        "within_1.4x": number(share(1.4)),
        "within_1.6x": number(share(1.6)),
        "within_2x": number(share(2.0)),
    }


def grouped(rows: Iterable, by: Callable[[object], str]) -> dict[str, list]:
    """Rows by a name, in the order of the names' first row."""
    out: dict[str, list] = {}
    for row in rows:
        out.setdefault(by(row), []).append(row)
    return out


def training_json(rows: Sequence[Checked], memory: Sequence[MemoryCheck]) -> dict:
    """`cost --calibration --json`. The medians are of clear rows; odd ones are shown."""
    clear = [row for row in rows if row.run.grade == "clear"]
    by_kind = grouped(clear, lambda row: row.run.kind)
    known = [row for row in memory if row.ratio]
    return {
        "rows": [
            {
                "recipe": row.run.id,
                "kind": row.run.kind,
                "size_b": number(row.run.size_b),
                "grade": row.run.grade,
                "printed": number(row.run.hours),
                "estimated": number(row.estimated),
                "low": number(row.low),
                "high": number(row.high),
                "inside": row.inside,
                "ratio": number(row.ratio),
                "source": row.run.source,
            }
            for row in rows
        ],
        **summary([row.ratio for row in clear]),
        "inside": number(sum(row.inside for row in clear) / len(clear)),
        "by_kind": {
            kind: {
                **_checked(found),
                "by_size": {
                    size: _checked([row for row in found if size_class(row.run.size_b) == size])
                    for _, size in CLASSES
                },
            }
            for kind, found in by_kind.items()
        },
        "memory": {
            "rows": [
                {
                    "report": row.id,
                    "size_b": number(row.size_b),
                    "grade": row.grade,
                    "printed_gb": number(row.printed_gb),
                    "estimated_gb": number(row.estimated_gb),
                    "fits": row.fits,
                    "verdict": row.status,
                    "right": row.right,
                    "source": row.source,
                }
                for row in memory
            ],
            **summary([row.ratio for row in known]),
            "fits_right": _right(row for row in memory if row.fits),
            "out_of_memory_right": _right(row for row in memory if not row.fits),
        },
    }


def _checked(rows: Sequence[Checked]) -> dict:
    """The summary of runs, and the share inside their ranges."""
    inside = sum(row.inside for row in rows) / len(rows) if rows else None
    return {**summary([row.ratio for row in rows]), "inside": number(inside)}


def _right(rows: Iterable[MemoryCheck]) -> dict:
    rows = list(rows)
    return {"right": sum(row.right for row in rows), "of": len(rows)}


def _line(name: str, value: dict) -> str:
    return (
        f"{name}: {plural(value['count'], 'row')}, median ratio {value['median_ratio']:.2f},"
        f" {100 * value['within_1.6x']:.0f}% within 1.6 x,"
        f" {100 * value['within_2x']:.0f}% within 2 x"
    )


def _inside(name: str, value: dict) -> str:
    return f"{_line(name, value)}, {100 * value['inside']:.0f}% inside the range"


def training_text(view: dict, style: Style) -> str:
    """`cost --calibration` as text."""
    cells = [
        [
            clean(row["recipe"]) + ("" if row["grade"] == "clear" else " (odd)"),
            row["kind"],
            f"{row['printed']:,.0f}",
            f"{row['estimated']:,.0f}",
            f"{row['ratio']:.2f}",
        ]
        for row in view["rows"]
    ]
    lines = wrap(
        "device-hours as published or reported, and the estimate with the utilisation that the"
        " other sources show (each source has one voice; odd rows have none)",
        style,
    )
    lines += table(["run", "kind", "printed", "estimated", "ratio"], cells, "llrrr", style)
    lines.append("")
    for kind, value in view["by_kind"].items():
        lines += wrap(_inside(kind, value), style, hang="  ")
        for size, own in value["by_size"].items():
            if own["count"]:
                lines += wrap(_inside(size, own), style, "  ", "    ")
    lines += wrap(
        f"{100 * view['inside']:.0f}% of clear runs lie inside the range that the other sources"
        " give for 80%",
        style,
    )
    m = view["memory"]
    lines += ["", "training memory as reported, GB on one GPU"]
    cells = [
        [
            clean(row["report"]) + ("" if row["grade"] == "clear" else " (odd)"),
            "" if row["printed_gb"] is None else f"{row['printed_gb']:.1f}",
            f"{row['estimated_gb']:.1f}",
            "fits" if row["fits"] else "out of memory",
            row["verdict"],
        ]
        for row in m["rows"]
    ]
    lines += table(["report", "printed", "estimated", "said", "verdict"], cells, "lrrll", style)
    fits, oom = m["fits_right"], m["out_of_memory_right"]
    lines += [
        "",
        *wrap(
            f"{_line('gigabytes', m)}, {100 * m['within_1.4x']:.0f}% within 1.4 x; fits: right in"
            f" {fits['right']} of {fits['of']}; out of memory: right in {oom['right']} of"
            f" {oom['of']}",
            style,
            hang="  ",
        ),
    ]
    return "\n".join(lines)


def serving_json(checks: Sequence[Check]) -> dict:
    """`latency --calibration --json`. The medians are of clear rows; odd ones are shown."""
    clear = [c for c in checks if c.row.grade == "clear"]
    by_kind = grouped(clear, lambda c: c.row.kind)
    return {
        "rows": [
            {
                "row": c.row.id,
                "kind": c.row.kind,
                "engine": c.row.engine,
                "phase": c.row.phase,
                "grade": c.row.grade,
                "printed_ms": number(c.row.printed_ms),
                "estimated_ms": number(c.estimated_ms),
                "ratio": number(c.ratio),
                "ratio_as_stored": number(c.stored),
                "source": c.row.source,
            }
            for c in checks
        ],
        **summary([c.ratio for c in clear]),
        "by_kind": {
            kind: {
                **summary([c.ratio for c in found]),
                "as_stored": summary([c.stored for c in found]),
                "by_engine": {
                    engine: {
                        **summary([c.ratio for c in own]),
                        "as_stored": summary([c.stored for c in own]),
                    }
                    for engine, own in grouped(found, lambda c: c.row.engine).items()
                },
            }
            for kind, found in by_kind.items()
        },
    }


def serving_text(view: dict, style: Style) -> str:
    """`latency --calibration` as text."""
    cells = [
        [
            clean(row["row"]) + ("" if row["grade"] == "clear" else " (odd)"),
            row["engine"],
            row["phase"],
            f"{row['printed_ms']:,.1f}",
            f"{row['estimated_ms']:,.1f}",
            f"{row['ratio']:.2f}",
        ]
        for row in view["rows"]
    ]
    lines = wrap(
        "milliseconds as published or reported (per token, or until it), and the estimate with the"
        " rates that other sources show",
        style,
    )
    lines += table(
        ["row", "engine", "phase", "printed", "estimated", "ratio"], cells, "lllrrr", style
    )
    lines.append("")
    for kind, value in view["by_kind"].items():
        lines += wrap(_both(kind, value), style, hang="  ")
        for engine, own in value["by_engine"].items():
            lines += wrap(_both(engine, own), style, "  ", "    ")
    return "\n".join(lines)


def _both(name: str, value: dict) -> str:
    stored = value["as_stored"]
    return (
        f"{_line(name, value)} (with the rates in use: {stored['median_ratio']:.2f},"
        f" {100 * stored['within_1.6x']:.0f}%, {100 * stored['within_2x']:.0f}%)"
    )
