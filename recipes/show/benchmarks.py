"""Benchmarks as text and JSON: the list, one card, and what a task mix should watch.

In: registry records and Yardsticks (yardstick.py). Out: strings and dictionaries. Does not compute
or print.
"""

from collections.abc import Mapping, Sequence
from statistics import median

from ..answers.benchmarks import Z80, Yardstick
from ..base.wording import clean, number
from .text import Style, table, wrap


def amount(value: float | None, top: float | None) -> str:
    """Points with one decimal; none on scales above 500; - where not known."""
    return "-" if value is None else f"{value:.0f}" if (top or 100) > 500 else f"{value:.1f}"


def clear(y: Yardstick, record: Mapping) -> str:
    """The smallest clear difference (80 %), with > before a lower bound."""
    return ("> " if y.lower_bound and y.clear80 is not None else "") + amount(
        y.clear80, record["max"]
    )


def chance(record: Mapping) -> str:
    """The chance level as recorded."""
    return "-" if record.get("chance_level") is None else f"{record['chance_level']:g}"


LEGEND = (
    "clear: the smallest difference between two runs that is more than noise (80 %, two-sided), in"
    " the benchmark's points; > where the number of questions is not known, so that noise is at"
    " least this. moves: typical difference of a row from its table's mean. n: questions of the"
    " split that counts."
)


def list_text(records: Sequence[Mapping], found: Mapping[str, Yardstick], style: Style) -> str:
    """`benchmarks`."""
    lines: list[str] = []
    for family in dict.fromkeys(r["family"] for r in records):
        rows = [
            [
                r["key"],
                "-" if r["max"] is None else f"{r['max']:g}",
                chance(r),
                "-" if y.n is None else f"{y.n:,}",
                amount(y.moves, r["max"]),
                clear(y, r),
                clean(r.get("tests") or ""),
            ]
            for r in records
            if r["family"] == family
            for y in [found[r["key"]]]
        ]
        lines += [
            *([""] if lines else []),
            style.paint(family or "does not test images", "bold"),
            *table(
                ["benchmark", "max", "chance", "n", "moves", "clear", "tests"],
                rows,
                "lrrrrrl",
                style,
                6,
                0,
            ),
        ]
    return "\n".join(
        [
            *lines,
            "",
            *wrap(LEGEND, style),
            *wrap(
                "benchmarks NAME shows one in full; benchmarks --tasks MIX says which to watch",
                style,
            ),
        ]
    )


def record_json(record: Mapping, y: Yardstick) -> dict:
    """One benchmark; keys of `benchmarks --json`."""
    return {
        "benchmark": record["key"],
        "name": record["name"],
        "family": record["family"],
        "max": record["max"],
        "metric": record.get("metric"),
        "chance": record.get("chance_level"),
        "chance_source": record.get("chance_source"),
        "moves": number(y.moves),
        "splits": record.get("splits", {}),
        "tests": record.get("tests"),
        "arxiv": record.get("arxiv"),
        "questions": y.n,
        "noise": {
            "unit": "points",
            "sd_of_difference": number(y.sd),
            "from_questions": number(y.questions),
            "from_runs": number(y.runs),
            "lower_bound": y.lower_bound,
            "printed_deviations": [number(x) for x in y.seen.deviations],
        },
        "smallest_clear_difference": {"0.8": number(y.clear80), "0.95": number(y.clear95)},
        "signal_to_noise": number(y.signal),
        "verdict": y.verdict,
        "median_score_percent": number(y.seen.median),
        "tables": list(y.seen.tables),
    }


def card_text(record: Mapping, y: Yardstick, style: Style) -> str:
    """`benchmarks NAME`."""
    head = wrap(f"{record['name']} ({record['key']})", style, hang="  ")
    lines = [style.paint(line, "bold") for line in head]
    for name, text in card_fields(record):
        lines += wrap(text, style, f"  {name:<13}", " " * 15) if text else []
    lines += ["", style.paint("noise, in points", "bold"), *noise_lines(record, y, style), ""]
    tables = y.seen.tables
    printed = f"{len(tables)} tables: {', '.join(tables[:6])}" if tables else "no table"
    more = f" and {len(tables) - 6} more (tables find {record['key']})" if tables[6:] else ""
    return "\n".join([*lines, *wrap(f"printed in {printed}{more}", style, hang="  ")])


def card_fields(record: Mapping) -> list[tuple[str, str]]:
    """The lines of a benchmark's card: name and text; an empty text is left out."""
    top = record["max"]
    names = [a for a in record.get("aliases", ()) if a != record["name"]]
    least = "" if record["higher_is_better"] else ", lower is better"
    chances = "not recorded"
    if record.get("chance_level") is not None:
        chances = f"{chance(record)} ({record['chance_source']})"
    fields = [
        ("tests", record.get("tests") or "not known"),
        ("family", ", ".join([record["family"] or "none", *record.get("other_families", ())])),
        ("also called", ", ".join(names)),
        ("metric", f"{record['metric']}, {f'of {top:g}' if top else 'no maximum'}{least}"),
        ("chance", chances),
        ("arXiv", record.get("arxiv") or ""),
        ("part of", record.get("part_of") or ""),
        ("mean of", ", ".join(record.get("mean_of", ()))),
    ]
    for name, s in (record.get("splits") or {}).items():
        count = "number not known" if s.get("n") is None else format(s["n"], ",")
        source = f" ({s['source']})" if s.get("source") else ""
        fields.append(("split", f"{name}: {count} {s.get('unit') or ''}{source}"))
    for harness, key, of in (
        ("lmms-eval", "lmms_eval", "task"),
        ("VLMEvalKit", "vlmevalkit", "dataset"),
    ):
        for e in record.get(key, ()):
            note = f": {e['note']}" if e.get("note") else ""
            fields.append((harness, f"{e[of]}, metric {e['metric_key']}{note}"))
    return [
        *fields,
        ("notes", record.get("notes") or ""),
        ("error bars", record.get("standard_error_note") or ""),
    ]


def noise_lines(record: Mapping, y: Yardstick, style: Style) -> list[str]:
    """Where the smallest clear difference comes from."""
    top = record["max"]
    if y.sd is None:
        return wrap(
            "not known: no table ablates it and no source counts its questions", style, "  "
        )
    smallest = (
        f"smallest clear difference of two runs: {clear(y, record)} (80 %),"
        f" {amount(y.clear95, top)} (95 %)"
    )
    lines = [style.paint(line, "bold") for line in wrap(smallest, style, "  ", "    ")]
    if y.questions is not None:
        p = (
            "a half (no table prints it)"
            if y.seen.median is None
            else f"{y.seen.median:.0f} % (median of {y.seen.scores} printed scores)"
        )
        where = f"{y.n:,} questions, typical score {p}" if y.n else "as fitted"
        lines += wrap(
            f"questions: standard deviation {amount(y.questions, top)} ({where}; both runs answer"
            " the same ones, so a part of p (1 - p) / n is left)",
            style,
            "  ",
            "    ",
        )
    else:
        lines += wrap(
            "questions: not counted in a source that was read, or a score that is no proportion:"
            " noise is at least that of the runs",
            style,
            "  ",
            "    ",
        )
    kind = (
        f"scores move by {amount(y.moves, top)} between rows"
        if y.moves is not None
        else "no table ablates it: taken from benchmarks that tables do"
    )
    lines += wrap(
        f"seeds and order of data: standard deviation {amount(y.runs, top)} ({kind})",
        style,
        "  ",
        "    ",
    )
    if y.seen.deviations:
        middle = median(y.seen.deviations)
        lines += wrap(
            f"printed over repeated runs: {amount(middle, top)} (median of {len(y.seen.deviations)}"
            f" rows), by which {amount(Z80 * 2**0.5 * middle, top)} would be clear (80 %) between"
            " two runs of one set-up",
            style,
            "  ",
            "    ",
        )
    return lines + wrap(
        f"a typical change of recipe, in one pair of runs: {y.verdict}", style, "  ", "    "
    )


def watch_text(
    label: str,
    asked: Sequence[Yardstick],
    others: Sequence[Yardstick],
    weights: Mapping[str, float],
    records: Mapping[str, Mapping],
    style: Style,
) -> str:
    """`benchmarks --tasks`."""
    rows = lambda found: [watch_row(y, weights, records[y.benchmark]) for y in found]
    head = ["benchmark", "weight", "moves", "clear", "signal", "n", "typical change"]
    title = wrap(f"what to watch for {label}, the clearest first", style)
    lines = [*(style.paint(line, "bold") for line in title), ""]
    lines += table(head, rows(asked), "lrrrrrl", style, 6, 0)
    if others:
        lines += ["", *wrap("not in the mix, of the same families", style)]
        lines += table(head, rows(others), "lrrrrrl", style, 6, 0)
    small = [
        y.benchmark
        for y in asked
        if y.signal is not None and not y.lower_bound and y.moves <= (y.clear95 or 0)
    ]
    said = (
        f"alone too small or noisy for a typical change (95 %): {', '.join(small)}; average it"
        " with others or repeat the runs"
        if small
        else "each of the mix whose questions are counted shows a typical change in one pair of"
        " runs (95 %)"
    )
    legend = LEGEND + " signal: moves in standard deviations of the difference of two runs."
    return "\n".join([*lines, "", *wrap(said, style), *wrap(legend, style)])


def watch_row(y: Yardstick, weights: Mapping[str, float], record: Mapping) -> list[str]:
    """One benchmark: its weight, how much it moves, and what is clear on it."""
    return [
        y.benchmark,
        f"{100 * weights[y.benchmark]:.0f}%" if y.benchmark in weights else "-",
        amount(y.moves, record["max"]),
        clear(y, record),
        "-" if y.signal is None else f"{'< ' if y.lower_bound else ''}{y.signal:.1f}",
        "-" if y.n is None else f"{y.n:,}",
        y.verdict,
    ]


def watch_json(
    tasks: Mapping[str, float],
    asked: Sequence[Yardstick],
    others: Sequence[Yardstick],
    weights: Mapping[str, float],
    records: Mapping[str, Mapping],
) -> dict:
    """`benchmarks --tasks --json`."""
    return {
        "tasks": {name: number(w) for name, w in tasks.items()},
        "watch": [
            {**record_json(records[y.benchmark], y), "weight": number(weights[y.benchmark])}
            for y in asked
        ],
        "others": [record_json(records[y.benchmark], y) for y in others],
    }
