"""`design --proxy` and `ablate --proxy`: what a smaller run carries over, as a view (the JSON), and
text made from the view.

In: Proxies. Out: plain dictionaries, or lines. Does not compute or print.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..base.wording import clean, listed, number, numbers, percent, plural
from ..effects.proxy import LEVEL, SURE
from ..terms.units import gpu_name
from .jsonable import recipe
from .text import Style, table, wrap

if TYPE_CHECKING:
    from ..answers.proxy import Carry, Proxy
    from ..effects.proxy import Carried

WAYS = {
    "llm": "on two sizes of LLM",
    "data_size": "on two amounts of one data mix",
    "data": "on two data mixes",
    "resolution": "at two resolutions",
}
SIZES = {
    "llm": "LLM",
    "data_size": "amount of data",
    "data": "data mix",
    "resolution": "resolution",
}


def view(proxies: Sequence["Proxy"]) -> list[dict]:
    """`proxies` of `design --json` and `ablate --json`."""
    return [
        {
            "proxy": one.small.text,
            "recipe": recipe(one.recipe),
            "times_smaller": {kind: number(ratio) for kind, ratio in one.ratios.items()},
            "runs": one.runs,
            "gpu": one.gpu,
            "gpu_hours": number(one.hours[0]),
            "gpu_hours_full": number(one.hours[1]),
            "cost_share": number(one.cost_share),
            "probability": one.p,
            "axes": [_axis(axis, one) for axis in one.axes],
            "check": {kind: numbers(check._asdict()) for kind, check in one.checks.items()},
        }
        for one in proxies
    ]


def _axis(axis: "Carry", of: "Proxy") -> dict:
    sums = axis.sums
    reasons = [*axis.against, *(["dear"] if of.dear(axis) else [])]
    known = None if axis.sign_interval is None and not reasons else bool(reasons)
    return {
        "axis": axis.axis,
        "rows": {kind: part and _part(part) for kind, part in axis.parts.items()},
        "correlation": number(sums and sums.correlation),
        "correlation_interval": _interval(axis.correlation_interval),
        "correlation_of_a_repeat": number(sums and sums.repeat),
        "slope": number(sums and sums.slope),
        "sign_agreement": number(sums and sums.sign),
        "sign_agreement_interval": _interval(axis.sign_interval),
        "sign_agreement_moved": number(sums and sums.sign_moved),
        "variance_carried": number(axis.carried),
        "confidence_now": number(axis.sure_now),
        "shows": [
            {"benchmark": name, "effect": number(points), "probability": number(p)}
            for name, points, p in axis.shows
        ],
        "trusted_from": [
            {"benchmark": name, "points": number(points)} for name, points in axis.trusted
        ],
        "false_economy": known,
        "against": reasons,
        "check": {kind: numbers(check._asdict()) for kind, check in axis.checks.items()},
    }


def _interval(ends: tuple[float, float] | None) -> dict | None:
    return ends and {"level": LEVEL, "low": number(ends[0]), "high": number(ends[1])}


def _part(part: "Carried") -> dict:
    return {
        "cases": part.cases,
        "papers": list(part.papers),
        "papers_any_axis": part.of_papers,
        "correlation": number(part.sums.correlation),
        "slope": number(part.sums.slope),
        "sign_agreement": number(part.sums.sign),
        "decline": numbers(part.decline._asdict()),
    }


def text(views: Sequence[Mapping], names: Mapping[str, str], style: Style, whole: bool) -> str:
    """The proxies, side by side and one after the other; whole: with what the verdicts rest on."""
    lines = _side_by_side(views, style) if len(views) > 1 else []
    for one in views:
        lines += ["", *(style.paint(line, "bold") for line in wrap(_head(one), style))]
        lines += _table(one, style)
        more = (*_trust(one, names), *_grounds(one)) if whole else ()
        for said in (*_verdicts(one), *_sizes(one), *more):
            lines += wrap("- " + clean(said), style, hang="  ")
    return "\n".join(lines)


def _side_by_side(views: Sequence[Mapping], style: Style) -> list[str]:
    """Cost, and sign and correlation on each axis; the cheapest that is worth it on all."""
    axes = list(dict.fromkeys(axis["axis"] for one in views for axis in one["axes"]))
    rows = []
    for one in views:
        by_axis = {axis["axis"]: axis for axis in one["axes"]}
        cost = "?" if one["cost_share"] is None else percent(one["cost_share"])
        rows.append([one["proxy"], cost, *(_brief(by_axis.get(axis)) for axis in axes)])
    good = [
        one
        for one in views
        if one["cost_share"] is not None
        and all(axis["false_economy"] is False for axis in one["axes"])
    ]
    said = "none of these runs is worth it on every axis"
    if good:
        best = min(good, key=lambda one: one["cost_share"])
        said = (
            f"the cheapest run that is worth it on every axis: {best['proxy']}"
            f" ({percent(best['cost_share'])} of the cost)"
        )
    return [
        "",
        *(style.paint(line, "bold") for line in wrap(clean(said), style)),
        *table(["proxy", "cost", *axes], rows, "lr" + "r" * len(axes), style),
        *wrap("sign in %, correlation; !: a false economy; ?: no rows, or too few", style),
    ]


def _brief(axis: Mapping | None) -> str:
    if axis is None or axis["correlation"] is None:
        return "-" if axis is None else "?"
    mark = {True: " !", None: " ?"}.get(axis["false_economy"], "")
    return f"{100 * axis['sign_agreement']:.0f} {axis['correlation']:.2f}{mark}"


def _head(one: Mapping) -> str:
    runs = plural(one["runs"], "run")
    hours, full = one["gpu_hours"], one["gpu_hours_full"]
    if one["cost_share"] is None:
        cost = "cost not known"
    else:
        unit = f"{clean(gpu_name(one['gpu']))}-hours"
        cost = f"{runs}: {hours:,.0f} {unit} for {full:,.0f}, {percent(one['cost_share'])}"
    return f"on a smaller run, {one['proxy']} ({cost})"


def _range(ends: Mapping | None, scale: float, digits: int) -> str:
    if ends is None:
        return ""
    return f" ({ends['low'] * scale:.{digits}f} to {ends['high'] * scale:.{digits}f})"


def _table(one: Mapping, style: Style) -> list[str]:
    """What carries over, axis by axis."""
    rows = []
    for axis in one["axes"]:
        if axis["correlation"] is None:
            rows.append([axis["axis"], *["-"] * 5, "no rows"])
            continue
        moved = axis["sign_agreement_moved"]
        rows.append(
            [
                axis["axis"],
                f"{100 * axis['sign_agreement']:.0f}"
                + _range(axis["sign_agreement_interval"], 100, 0),
                "-" if moved is None else f"{100 * moved:.0f}",
                f"{axis['correlation']:.2f}" + _range(axis["correlation_interval"], 1, 2),
                f"{axis['correlation_of_a_repeat']:.2f}",
                f"{axis['slope']:.2f}",
                ", ".join(_rows(part) for part in axis["rows"].values()),
            ]
        )
    head = ["axis", "sign %", "moved", "correlation", "repeat", "slope", "rows"]
    return table(head, rows, "lrrrrrl", style, 6)


def _rows(part: Mapping) -> str:
    return f"{part['cases']:,} ({len(part['papers'])})"


def _verdicts(one: Mapping) -> list[str]:
    """Is it worth it, axis by axis?"""
    out, good = [], []
    for axis in one["axes"]:
        missing = [kind for kind, part in axis["rows"].items() if part is None]
        if missing:
            ways = listed(
                [f"{WAYS[kind]}, {one['times_smaller'][kind]:.3g} times apart" for kind in missing]
            )
            known = [
                f"{SIZES[kind]} alone: sign {percent(part['sign_agreement'])}"
                for kind, part in axis["rows"].items()
                if part
            ]
            out.append(
                f"{axis['axis']}: no rows: no table measures such changes {ways}, so what carries"
                " over is not known" + (f" ({listed(known)})" if known else "")
            )
        elif axis["false_economy"] is None:
            out.append(
                f"{axis['axis']}: a hint at best: too few papers measured such changes for an"
                " interval"
            )
        elif axis["against"]:
            why = "; ".join(_against(reason, axis, one) for reason in axis["against"])
            out.append(f"{axis['axis']}: a false economy: {why}")
        else:
            good.append(axis["axis"])
    if good and one["cost_share"] is not None:
        shares = [axis["variance_carried"] for axis in one["axes"] if axis["axis"] in good]
        least, most = percent(min(shares)), percent(max(shares))
        out.insert(
            0,
            f"{listed(good)}: worth it: {percent(one['cost_share'])} of the cost shows"
            f" {least if least == most else f'{least} to {most}'} of the variance of what changes"
            " do in full runs",
        )
    return out


def _sizes(one: Mapping) -> list[str]:
    """Where only the sign is to be taken: the axes whose deltas left-out papers contradict."""
    return [
        f"{axis['axis']}: take the sign, not the size: on left-out papers measured {WAYS[kind]} the"
        f' predicted deltas are no better than "no change" ({check["error_by_paper"]:.2f}), their'
        f" sign is right in {percent(check['sign'])}"
        for axis in one["axes"]
        for kind, check in axis["check"].items()
        if check["error_by_paper"] >= 1 and check["sign"] > 0.5
    ]


def _against(reason: str, axis: Mapping, one: Mapping) -> str:
    if reason == "left out":
        worst = min(check["sign"] for check in axis["check"].values())
        return f"on left-out papers its sign was right in {percent(worst)} of cases"
    if reason == "coin":
        low = axis["sign_agreement_interval"]["low"]
        return f"its sign may be no better than a coin's (down to {percent(low)})"
    if reason == "sure already":
        return (
            f"the choice is {percent(axis['confidence_now'])} sure without any run, and a small run"
            f" has the right sign in {percent(_best(axis))}: it cannot turn it"
        )
    if reason == "effect too small":
        short = [x for x in axis["shows"] if x["probability"] < one["probability"]]
        return "; ".join(
            f"an effect of {x['effect']:g} on {x['benchmark']} shows with its sign in"
            f" {percent(x['probability'])}, not {percent(one['probability'])}, of small runs"
            for x in short
        )
    return (
        f"it costs {percent(one['cost_share'])} of the full runs and shows"
        f" {percent(axis['variance_carried'])} of their variance"
    )


def _best(axis: Mapping) -> float:
    return axis["sign_agreement_moved"] or axis["sign_agreement"]


def _trust(one: Mapping, names: Mapping[str, str]) -> list[str]:
    """From which delta of the small run its sign is to be believed."""
    out = []
    for axis in one["axes"]:
        known = [x for x in axis["trusted_from"] if x["points"] is not None]
        if known:
            said = listed(
                [
                    f"{clean(names.get(x['benchmark'], x['benchmark']))} by {x['points']:.1f}"
                    for x in known
                ]
            )
            out.append(
                f"{axis['axis']}: believe its sign ({percent(one['probability'])}) where it moves"
                f" {said} points or more"
            )
    return out


def _grounds(one: Mapping) -> list[str]:
    """What the numbers rest on, and how they were checked."""
    out = []
    for kind, check in one["check"].items():
        said = (
            f"checked on {check['papers']} papers measured {WAYS[kind]}, each predicted from the"
            f' others: error {check["error_by_paper"]:.2f} of "no change" (mean over papers;'
            f" {check['error']:.2f} over {check['cases']:,} cases), sign right in"
            f" {percent(check['sign'])}, {percent(LEVEL)} intervals hold"
            f" {percent(check['coverage'])}"
        )
        if check["sure"]:
            said += (
                f"; where {percent(SURE)} or more was said of the sign, it was right in"
                f" {percent(check['sure_right'] / check['sure'])} of {check['sure']:,}"
            )
        out.append(said)
    for kind, ratio in one["times_smaller"].items():
        falls = next((a["rows"][kind]["decline"] for a in one["axes"] if a["rows"][kind]), None)
        if falls and falls["per_doubling"]:
            out.append(
                f"{SIZES[kind]} {ratio:.3g} times smaller: each doubling costs the correlation"
                f" {falls['per_doubling']:.2f} of Fisher's z (inside papers; it falls in"
                f" {falls['falling']} of {falls['papers']}); counted"
            )
    if len(one["times_smaller"]) > 1:
        out.append("assumed: each way to be small loses by itself")
    if any(not p["cases"] for a in one["axes"] for p in a["rows"].values() if p):
        out.append("0 rows: no table has the axis at two sizes; the other axes stand for it")
    out.append(
        "rows: cases (papers); sign: in how many of them the full run had the small run's; moved:"
        " where the small run moved more than is usual on its benchmark; repeat: the correlation of"
        " the full run with a repeat of it, by the noise of runs; slope: the full run's delta over"
        f" the small run's; brackets: {percent(LEVEL)} intervals of the mean over papers"
    )
    return out
