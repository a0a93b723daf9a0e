"""Assertions about the spread of scores: the shares of axes in it, and their order.

In: Assertions and the Evidence they are held against. Out: Judged, with a line per paper and axis.
Does not know what a verdict is (verdicts.py), read files or print.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..base.wording import plural
from ..evidence.contrasts import Contrast, contrasts
from .assertions import Assertion
from .pairs import Evidence, Judged, Line, described, metrics_of, missing, once, within

# share of the papers that an order of axes must hold in, unless the assertion says another
MOST = 2 / 3
# of an axis, below which nothing is said of its share (papers: fewer where fewer are searched)
LEAST_CONTRASTS, LEAST_PAPERS = 5, 2


def spread(spec: Mapping, evidence: Evidence) -> dict[str, dict[str, list[Contrast]]]:
    """axis -> paper -> contrasts in which this axis alone moves, in tables that mean to vary it
    (not comparisons of whole systems).

    On scores with a maximum, and on means (percent-like ones without a printed maximum count as of
    100); not on CIDEr.
    """
    out: dict[str, dict[str, list[Contrast]]] = {axis: defaultdict(list) for axis in spec["axes"]}
    found = []
    for table in evidence.searched(spec):
        if "whole systems" in table.varies or not set(spec["axes"]) & set(table.varies):
            continue
        metrics = tuple(
            metric
            for metric in metrics_of(table, spec, evidence.words)
            if metric.max or metric.role == "average"
        )
        for one in (
            contrasts(
                table._replace(rows=tuple(filter(described, table.rows))),
                evidence.words.axis_of,
                metrics,
                evidence.between,
            )
            if metrics
            else ()
        ):
            if one.controlled and one.moved.axes[0] in out and one.moved.axes[0] in table.varies:
                found.append(one)
    for one in once(found):
        out[one.moved.axes[0]][evidence.paper_of[one.table.id].key].append(one)
    return out


def _too_few(
    axes: Iterable[str], found: Mapping[str, Mapping[str, list]], papers: int
) -> list[str]:
    """Axes with too few contrasts or papers to speak of a share, each with its counts in words."""
    return [
        f"{axis} ({plural(sum(map(len, found[axis].values())), 'contrast')} of"
        f" {plural(len(found[axis]), 'paper')})"
        for axis in axes
        if sum(map(len, found[axis].values())) < LEAST_CONTRASTS
        or len(found[axis]) < min(LEAST_PAPERS, papers)
    ]


def judge_share(one: Assertion, evidence: Evidence) -> Judged:
    spec = one.spec
    found = spread(spec, evidence)
    sizes = {
        axis: {
            key: sum(abs(c.percent) for c in group) / len(group) for key, group in papers.items()
        }
        for axis, papers in found.items()
    }
    searched = len({evidence.paper_of[table.id].key for table in evidence.searched(spec)})
    few = [axis for axis in spec["axes"] if _too_few([axis], found, searched)]
    variance = {
        axis: (
            sum(sum(c.percent**2 / 2 for c in group) / len(group) for group in papers.values())
            / len(papers)
        )
        for axis, papers in found.items()
        if axis not in few
    }
    shown = [axis for axis in spec["axes"] if axis in spec.get("order", spec["axes"])]
    lines = tuple(
        Line(
            "",
            *(evidence.papers[key].short, evidence.papers[key].arxiv, None, axis),
            f"mean size of {plural(len(found[axis][key]), 'contrast')}",
            after=round(sizes[axis][key], 4),
            moves=(axis,),
        )
        for key in evidence.papers
        for axis in shown
        if key in sizes[axis]
    )
    if "order" in spec:
        return _order(one, found, sizes, lines, evidence, searched)
    asked = spec.get("together") or list(spec["each"])
    if not any(found[axis] for axis in asked):
        return missing(one, evidence)
    thin = _too_few(asked, found, searched)
    if thin:
        return Judged(
            one,
            "unknown",
            f"too little to speak of a share: {', '.join(thin)}; {_least(searched)} are asked for",
            lines,
        )
    total = sum(variance.values())
    shares = {axis: value / total if total else 0.0 for axis, value in variance.items()}
    said = ", ".join(
        (
            f"{axis} {100 * shares[axis]:.0f}%"
            f" ({plural(sum(map(len, found[axis].values())), 'contrast')} of"
            f" {plural(len(found[axis]), 'paper')})"
            if axis in shares
            else f"{axis} too rarely measured"
            if found[axis]
            else f"{axis} not measured"
        )
        for axis in spec["axes"]
    )
    if "together" in spec:
        good = within(
            sum(shares.get(axis, 0) for axis in asked),
            {key: spec[key] for key in ("min", "max") if key in spec},
        )
    else:
        good = all(
            axis in shares and within(shares[axis], limits) for axis, limits in spec["each"].items()
        )
    return Judged(one, "holds" if good else "fails", said, lines)


def _least(papers: int) -> str:
    return f"{LEAST_CONTRASTS} contrasts of {plural(min(LEAST_PAPERS, papers), 'paper')}"


def _order(
    one: Assertion,
    found: Mapping,
    sizes: Mapping[str, Mapping[str, float]],
    lines: tuple[Line, ...],
    evidence: Evidence,
    searched: int,
) -> Judged:
    """Does the first axis move scores more than the next, in the papers that vary both?"""
    spec, good, said = one.spec, True, []
    for first, second in zip(spec["order"], spec["order"][1:]):
        both = sorted(set(sizes[first]) & set(sizes[second]))
        if not both:
            return missing(one, evidence)
        thin = _too_few(
            (first, second),
            {axis: {key: found[axis][key] for key in both} for axis in (first, second)},
            searched,
        )
        if thin:
            return Judged(
                one,
                "unknown",
                f"too little to compare: {', '.join(thin)} in the papers that vary both;"
                f" {_least(searched)} are asked for",
                lines,
            )
        more = sum(sizes[first][key] > sizes[second][key] for key in both)
        good &= more >= spec.get("need", MOST) * len(both) - 1e-9
        means = [sum(sizes[axis][key] for key in both) / len(both) for axis in (first, second)]
        said.append(
            f"{first} moves scores more than {second} in {more} of the {plural(len(both), 'paper')}"
            f" that {'varies' if len(both) == 1 else 'vary'} both (mean size {means[0]:.2f} against"
            f" {means[1]:.2f} percent of scale)"
        )
    return Judged(one, "holds" if good else "fails", "; ".join(said), lines)
