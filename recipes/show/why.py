"""`swap --why`: how one number comes about, step by step, and what the rows say by themselves.

In: the view of a swap (its JSON). Out: lines of text. What carries the number: carried.py.
"""

import math
from collections.abc import Mapping, Sequence

from ..base.wording import clean, decimals, percent, plural, signed
from ..effects.tails import half_width
from .text import Style, table, wrap


def explained(deltas: Sequence[Mapping]) -> Mapping | None:
    """The delta that --why explains: of the benchmark with most direct rows."""
    known = [d for d in deltas if d["path"] and d["grade"] != "none"]
    return max(known, key=direct_rows, default=None)


def direct_rows(d: Mapping) -> int:
    """How many printed pairs of rows make this very change on this benchmark."""
    return sum(row["relation"] == "direct" for row in d["evidence"])


def pm(estimate: float, se: float, digits: int) -> str:
    """An estimate with its standard error: +1.2 ± 0.4."""
    return f"{signed(estimate, digits)} ± {se:.{digits}f}"


def spoken(d: Mapping, digits: int) -> list[str]:
    """What the rows of the change, and all others, say of the shared effect: the first steps."""
    shared = pm(d["path"]["shared"], d["path"]["sd_shared"], digits)
    if not (d["direct"] and d["grade"] == "direct"):
        return [
            "no row makes this very change; other changes and benchmarks of the family say"
            f" {shared}"
        ]
    rows, split = direct_rows(d), d["split"]
    alone = pm(d["direct"]["estimate"], d["direct"]["se"], digits)
    steps = [
        f"{plural(rows, 'printed pair')} of rows {'make' if rows > 1 else 'makes'} this change;"
        f" with what else moved taken out they say {alone}"
    ]
    if not split:
        return [*steps, f"with all other rows, they say {shared}"]
    other = split["indirect"]
    if other["estimate"] is not None:
        steps.append(
            "all other rows (and that effects are small until shown) say "
            + pm(other["estimate"], other["se"], digits)
        )
    share = percent(split["direct"]["share"])
    steps.append(
        f"both together, each by what the fit lets it count (about {share} the rows): {shared}"
    )
    return steps


def path_lines(deltas: Sequence[Mapping], names: Mapping[str, str], style: Style) -> list[str]:
    """How one number comes about, step by step: for the benchmark with most direct rows."""
    d = explained(deltas)
    if d is None:
        return []
    digits, p = decimals(d["max"]), d["path"]
    name = clean(names.get(d["benchmark"], d["benchmark"]))
    carried, level = signed(p["carried"], digits), d["interval"]["level"]
    sd = math.hypot(p["sd_shared"], p["sd_setting"], p["sd_noise"])
    _, low, high = (signed(x, digits) for x in d["at_usual"])
    same = abs(p["carried"] - p["shared"]) <= 10**-digits / 2
    steps = [
        *spoken(d, digits),
        "what a paper not seen can be expected to show of that, by leaving papers out"
        + (" (all of it)" if same else f": {carried}"),
        f"the spread of a new run around it: {p['sd_shared']:.{digits}f} (the effect is not known"
        f" better), {p['sd_setting']:.{digits}f} (settings differ), {p['sd_noise']:.{digits}f} (two"
        f" runs and their questions); as squares they add up to {sd:.{digits}f}",
        f"{percent(level)} interval: {carried} ± {half_width(level):.2f} x {sd:.{digits}f} ="
        f" {low} … {high}",
    ]
    if d["at_score"] is not None:
        ends = " … ".join(signed(d["interval"][end], digits) for end in ("low", "high"))
        steps.append(
            f"that is at the benchmark's usual score; from {d['at_score']:g} the same effect is"
            f" {signed(d['expected'], digits)} ({ends}): on the logit of the score, as fewer"
            " points are left near its ends"
        )
    lines = [style.paint(f"how the number for {name} comes about", "bold")]
    for number_, text in enumerate(steps, 1):
        lines += wrap(f"{number_}. {text}", style, "  ", "     ")
    return lines


def alone_lines(deltas: Sequence[Mapping], names: Mapping[str, str], style: Style) -> list[str]:
    """What the direct rows say by themselves, and the model's answer."""
    rows = []
    for d in deltas:
        if d["direct"] and d["split"]:
            digits, other = decimals(d["max"]), d["split"]["indirect"]
            known = other["estimate"] is not None
            rows.append(
                [
                    clean(names.get(d["benchmark"], d["benchmark"])),
                    pm(d["direct"]["estimate"], d["direct"]["se"], digits),
                    str(d["direct"]["papers"]),
                    percent(d["split"]["direct"]["share"]),
                    pm(other["estimate"], other["se"], digits) if known else "-",
                    signed(d["at_usual"][0], digits),
                    "no" if d["split"]["disagree"] or d["rows_outside_interval"] else "yes",
                ]
            )
    if not rows:
        return []
    head = wrap(
        "the direct rows alone (random effects over papers, what else moved taken out) and"
        " everything else that the model knows",
        style,
    )
    return [
        "",
        *(style.paint(line, "bold") for line in head),
        *table(
            ["benchmark", "rows alone", "papers", "share", "all else", "model", "agree"],
            rows,
            "lrrrrrl",
            style,
        ),
        *wrap(
            "share: how much of the shared effect the rows carry, about. The model's answer is for"
            " a new paper, so it also shrinks towards what carries over from paper to paper. agree:"
            " neither do rows and all else contradict each other, nor do the rows, as printed and"
            " as pooled, lie outside the interval.",
            style,
        ),
    ]
