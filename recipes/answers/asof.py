"""`backtest --as-of` and `--curve`: how good the program would have been at a date in the past.

In: the library and a month. Out: summaries of predictions of the papers that came out from that
month on, made from those before it; and a curve: the same papers predicted from ever more evidence.
Does not fit what is stored, and does not print.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..base.errors import Refused
from ..base.wording import number
from ..effects.backtest import Unseen
from ..effects.baselines import Elsewhere, Judged, judge
from ..effects.columns import Column, columns
from ..effects.widths import wider
from ..evidence.tables import Paper
from ..library import Library
from .backtest import summaries, thumb_rules
from .fit import read_hyper

LAST = 15  # papers that the curve predicts at least: the latest ones
FIRST = 8  # papers that it starts from at least


class NoSuchDate(Refused):
    """A date with no paper before it, or none after."""


def month_of(paper: Paper) -> str:
    """When a paper came out: the month of its arXiv number, else the end of its year."""
    number_ = re.match(r"(\d\d)(\d\d)\.", paper.arxiv or "")
    return f"20{number_[1]}-{number_[2]}" if number_ else f"{paper.year}-12"


class Past:
    """The published papers with their months, and what each would have been predicted as."""

    def __init__(self, library: Library):
        papers = library.papers(shipped_only=True)
        self.words = library.words
        self.month = {paper.key: month_of(paper) for paper in papers}
        self.data: list[Column] = columns(papers, library.words)
        hyper, self.spread = read_hyper(library.shipped)
        self.unseen = Unseen(self.data, hyper)
        self._thumb = thumb_rules(library)

    def papers(self, since: str = "", before: str = "9999") -> set[str]:
        """The papers with contrasts that came out from one month on and before another."""
        return {c.paper for c in self.data if since <= self.month[c.paper] < before}

    def judged(self, month: str, asked: Iterable[str]) -> list[Judged]:
        """The contrasts of `asked`, predicted from what was out before the month."""
        early = [column for column in self.data if self.month[column.paper] < month]
        scored = self.unseen.scored(self.papers(month), set(asked))
        return judge(
            [wider(item, self.spread) for item in scored],
            self.data,
            Elsewhere(early, self.unseen.scale),
            self._thumb,
            self.words.records("benchmark"),
        )


def as_of(library: Library, month: str, say: Callable[[str], None]) -> dict:
    """The papers from a month (2024-06) on, predicted from those before it."""
    past = Past(library)
    early, late = past.papers(before=month), past.papers(month)
    if not early or not late:
        months = sorted(past.month.values())
        raise NoSuchDate(
            f"as-of {month}: the papers are of {months[0]} to {months[-1]}; give a month between"
        )
    say(f"predicting {len(late)} papers from the {len(early)} that were out before {month}")
    return {
        "scored_on": f"the {len(late)} papers from {month} on, predicted from the {len(early)}"
        " before it",
        "as_of": month,
        "repeated": [],
        "warnings": [],
        "spread": number(past.spread),
        **summaries(past.judged(month, late)),
    }


def half_years(first: str, last: str) -> list[str]:
    """January and July of every year from one month to another."""
    years = range(int(first[:4]), int(last[:4]) + 1)
    return [m for y in years for m in (f"{y}-01", f"{y}-07") if first <= m <= last]


def curve(library: Library, say: Callable[[str], None]) -> dict:
    """The latest papers, predicted from what was out at the beginning of each half year before
    them: the same contrasts in every line, so that lines can be compared.
    """
    past = Past(library)
    months = sorted(past.month[paper] for paper in past.papers())
    halves = half_years(months[0], months[-1])
    since = max(m for m in halves if len(past.papers(m)) >= LAST)
    late = past.papers(since)
    lines = []
    for month in halves:
        early = past.papers(before=month)
        if month > since or len(early) < FIRST:
            continue
        say(f"as of {month}: {len(early)} papers")
        lines.append({"as_of": month, "papers": len(early), **_line(past, month, late)})
    return {
        "scored_on": f"the {len(late)} papers from {since} on, predicted from what was out before"
        " each date",
        "lines": lines,
    }


def _line(past: Past, month: str, late: Sequence[str] | set[str]) -> Mapping:
    found = summaries(past.judged(month, late))
    picked = ("contrasts", "mae_ratio", "pooled_ratio", "crps_ratio", "sign_pooled")
    return {
        name: {key: one[key] for key in picked} | {"coverage": one["coverage_pooled"]["80"]}
        for name, one in {"all": found["overall"], **found["by_axis_all"]}.items()
        if one
    }
