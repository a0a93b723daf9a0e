"""`backtest` as text: the table of errors, coverage and signs, beside simple rules.

In: the answer of answers/backtest.py. Out: text.
"""

from ..base.wording import clean, percent, plural
from .text import Style, table, wrap


def backtest_text(result: dict, style: Style) -> str:
    """The summaries as tables."""
    lines = wrap(f'{result["scored_on"]}; errors as ratios to always saying "no change"', style)
    for one in result["repeated"]:
        (here, arm), (there, other) = one["first"], one["there"]
        lines += wrap(
            f"warning: {one['rows']} of {plural(one['among'], 'row')} of {one['paper']} carry the"
            f" scores of rows of {one['of']}, which is published and not unseen ({here} {arm!r} is"
            f" {there} {other!r})",
            style,
            hang="  ",
        )
    for text in result["warnings"]:
        lines += wrap("note: " + clean(text), style, hang="      ")
    first = {
        name: result[key]
        for name, key in (
            ("all contrasts", "overall"),
            ("answered", "answered"),
            ("answerable", "answerable"),
        )
        if result[key]
    }
    for title, groups in (
        ("", first),
        ("answerable, by what moved", result["by_axis"]),
        ("answered, by what moved", result["by_axis_answered"]),
        ("answered, by how many other papers vary the rarer component", result["by_printed"]),
        ("all, by grade", result["by_grade"]),
        ("all, by family", result["by_family"]),
        ("all, by paper", result["by_paper"]),
        ("answered, by benchmark", result["by_benchmark"]),
    ):
        if groups:
            lines += [
                "",
                *([title] if title else []),
                *table(HEAD, [_row(name, s) for name, s in groups.items()], "lrrrrrrrr", style),
            ]
    if not first:
        lines += [
            "",
            *wrap(
                "nothing to score: at least three contrasts of one paper on known benchmarks are"
                " needed",
                style,
            ),
        ]
    for text in _remarks(result):
        lines += ["", *wrap(text, style)]
    return "\n".join([*lines, "", *wrap(WORDS, style)])


HEAD = ["", "n", "papers", "MAE", "pooled", "CRPS", "no change", "50/80/95%", "sign"]
WORDS = (
    "answerable: grade direct or indirect from the other papers alone; answered: every grade but"
    ' none. MAE: mean absolute error over that of "no change", mean over papers; pooled: over all'
    ' contrasts at once. CRPS: of the model, and of "no change" with a spread calibrated per'
    " benchmark and axis / with the one that scores best on the other papers. 50/80/95%: share of"
    " results inside these intervals. sign: right signs where more than 1 point was predicted: mean"
    " over papers with at least 3 such contrasts / over all contrasts; / over all contrasts that"
    " moved by more than 2 points."
)


def _row(name: str, s: dict) -> list[str]:
    """One summary as a line of the table."""
    share = lambda x: "-" if x is None else f"{100 * x:.0f}"
    return [
        name,
        str(s["contrasts"]),
        str(s["papers"]),
        f"{s['mae_ratio']:.2f}",
        f"{s['pooled_ratio']:.2f}",
        f"{s['crps_ratio']:.2f}",
        f"{s['crps_zero_ratio']:.2f}/{s['crps_sharp_ratio']:.2f}",
        "/".join(share(s["coverage_pooled"][level]) for level in ("50", "80", "95")),
        "/".join(share(s[key]) for key in ("sign", "sign_pooled", "sign_moved")),
    ]


def _remarks(result: dict) -> list[str]:
    """What the tables leave to be said, a paragraph each."""
    out, s = [], result["overall"]
    if s and s["moved"]:
        right = f", right in {percent(s['sign_moved'])}" if s["sign_moved"] is not None else ""
        neither = f"; for {s['unsigned']} exactly 0 was predicted: neither right nor wrong"
        out.append(
            f"of {plural(s['moved'], 'contrast')} that moved by more than 2 points,"
            f" {s['moved'] - s['unsigned']} had a sign predicted{right}"
            + (neither if s["unsigned"] else "")
        )
    out += [_share_answered(result)] if s else []
    out += [missing_text(result["missing"])] if result.get("missing") else []
    both = result["answerable"] or s
    if both:
        out.append(
            "where the score of the first row is given (swap --score), the error is"
            f' {both["informed_ratio"]:.2f} of "no change" instead of {both["mae_ratio"]:.2f}'
        )
    if both and both["thumb_ratio"] is not None:
        out.append(
            f"rules of thumb speak of {both['thumb_contrasts']} contrasts: their error is"
            f' {both["thumb_ratio"]:.2f} of "no change", the model\'s'
            f" {both['thumb_model_ratio']:.2f}"
        )
    return out


def _share_answered(result: dict) -> str:
    """How much was answered, and how evenly the intervals hold over benchmarks."""
    answered = result["answered"]["contrasts"] if result["answered"] else 0
    said = f"answered: {percent(answered / result['overall']['contrasts'])} of all contrasts"
    held = [one["coverage_pooled"]["80"] for one in result["by_benchmark"].values()]
    if held:
        fit = sum(0.65 <= x <= 0.92 for x in held)
        said += (
            f"; 80 % intervals hold 65 to 92 % on {fit} of {plural(len(held), 'benchmark')} with 60"
            f" contrasts or more ({percent(min(held))} to {percent(max(held))})"
        )
    return said


def missing_text(value: dict) -> str:
    """Which kind of table is missing most, in a sentence or three."""
    said = [
        f"{one['axis']}: error {one['error_unseen']:.2f} where no other paper has the rarer"
        f" component ({one['unseen']:,} contrasts), {one['error_seen']:.2f} where one or two have"
        f" it: a first paper saves {one['saves']:+.2f} points a contrast"
        for one in value["axes"]
    ]
    rare = ", ".join(f"{one['benchmark']} ({one['papers']})" for one in value["benchmarks"])
    sizes = ", ".join(f"{name} ({papers})" for name, papers in value["llm_sizes"].items())
    return (
        "missing most: "
        + "; ".join(said)
        + f". Benchmarks of the balanced mix in fewest papers: {rare}. Papers that vary"
        f" something at"
        f" a size of language model: {sizes}."
    )


def curve_text(result: dict, style: Style) -> str:
    """The curve over dates, as a table."""
    rows = []
    for line in result["lines"]:
        for name, one in line.items():
            if not isinstance(one, dict):
                continue
            sign = "-" if one["sign_pooled"] is None else f"{100 * one['sign_pooled']:.0f}"
            rows.append(
                [
                    line["as_of"] if name == "all" else "",
                    str(line["papers"]) if name == "all" else "",
                    name,
                    str(one["contrasts"]),
                    f"{one['mae_ratio']:.2f}",
                    f"{one['pooled_ratio']:.2f}",
                    f"{100 * one['coverage']:.0f}",
                    sign,
                ]
            )
    head = ["as of", "papers", "", "n", "MAE", "pooled", "80%", "sign"]
    return "\n".join(
        [
            *wrap(f'{result["scored_on"]}; errors as ratios to always saying "no change"', style),
            "",
            *table(head, rows, "lrlrrrrr", style),
        ]
    )


def models_text(result: dict, style: Style) -> str:
    """Forecasts of released models, as a table by benchmark."""
    rows = [
        [
            name,
            str(one["n"]),
            f"{one['median_error']:.1f}",
            f"{one['median_bias']:+.1f}",
            f"{100 * one['coverage']:.0f}",
        ]
        for name, one in (
            *result["benchmarks"].items(),
            ("all", result["overall"]),
            ("all whose data mix is known", result["with_data"]),
            *((f"{name}, moved", one) for name, one in result["progressed"].items()),
            *((f"{name}, by the LLM", one) for name, one in result["by_llm"].items()),
        )
        if one
    ]
    return "\n".join(
        [
            *wrap(
                f"{plural(result['models'], 'released model')}, forecast from the printed scores of"
                f" {result['from']} and without their own papers ({result['known_data']} with a"
                " known data mix); in points of 100",
                style,
            ),
            "",
            *table(["", "n", "median error", "median bias", "80%"], rows, "lrrrr", style),
            "",
            *wrap(
                "bias: printed minus expected. 80%: share of printed scores inside the 80 %"
                " intervals. moved: by what other makers' models print beyond their recipes, over"
                " the years of release. by the LLM: not from a recipe, but along the line through"
                " other makers' models over their LLM's size and month; pick's level is that.",
                style,
            ),
        ]
    )
