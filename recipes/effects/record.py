"""How answers of one kind have fared on papers that the model had not seen.

In: judged contrasts of left-out papers (baselines.py), or the stored record of them
(tables/derived/record.json). Out: Fared per kind of answer: the axis, the grade, how many papers
print the rarer of its components, the task family; and the one line that an answer ends with. A
kind with too few cases is looked up without its family, then without the count of papers, then by
its axis alone. Does not predict.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from . import tails

if TYPE_CHECKING:  # answers read the record; only fitting makes one
    from .baselines import Judged

CASES, PAPERS = 30, 3  # that a kind must have to say anything
CALLED = 20  # predictions of more than one point, to speak of signs
BINS = ((0, "none"), (2, "1-2"), (9, "3-9"))  # papers up to so many; above: MANY
MANY = "10+"


class Fared(NamedTuple):
    """A kind of answer and how it did. Empty text: of any grade, count or family.

    error: mean absolute error over that of "no change", mean over papers; pooled: over all cases.
    sign: share of right signs among the `called` cases with more than one point predicted (None:
    too few). coverage: of 80 % intervals.
    """

    axis: str
    grade: str
    printed: str
    family: str
    cases: int
    papers: int
    error: float
    pooled: float
    sign: float | None
    called: int
    coverage: float

    @property
    def beats(self) -> bool:
        """Is an answer of this kind better than to expect no change?"""
        return self.error < 1 or self.pooled < 1


def printed_in(papers: int) -> str:
    """The bin of a number of papers."""
    return next((name for most, name in BINS if papers <= most), MANY)


def _kinds(axis: str, grade: str, papers: int, family: str) -> list[tuple[str, str, str, str]]:
    """The kinds that a case belongs to, the most special first."""
    printed = printed_in(papers)
    return [
        (axis, grade, printed, family),
        (axis, grade, printed, ""),
        (axis, grade, "", ""),
        (axis, "", "", ""),
    ]


def record(judged: "Iterable[Judged]") -> list[Fared]:
    """The record of all kinds with enough cases, in a fixed order."""
    kinds: dict[tuple[str, str, str, str], dict[str, list[Judged]]] = {}
    for item in judged:
        for kind in _kinds(item.axis, item.grade, item.rarer, item.family):
            kinds.setdefault(kind, {}).setdefault(item.paper, []).append(item)
    found = (_fared(kind, list(papers.values())) for kind, papers in sorted(kinds.items()))
    return [one for one in found if one is not None]


def _fared(kind: tuple[str, str, str, str], papers: "Sequence[Sequence[Judged]]") -> Fared | None:
    from .backtest import right_sign

    moved = [part for part in papers if any(item.actual for item in part)]
    cases = [item for part in moved for item in part]
    if len(cases) < CASES or len(moved) < PAPERS:
        return None
    errors = [
        (sum(abs(x.actual - x.expected) for x in part), sum(abs(x.actual) for x in part))
        for part in moved
    ]
    called = [bool(right_sign(x.expected, x.actual)) for x in cases if abs(x.expected) > 1]
    inside = sum(abs(x.actual - x.expected) <= tails.half_width(0.8) * x.sd for x in cases)
    three = lambda x: float(f"{x:.3g}")  # noqa: E731
    return Fared(
        *kind,
        len(cases),
        len(moved),
        three(sum(a / b for a, b in errors) / len(errors)),
        three(sum(a for a, _ in errors) / sum(b for _, b in errors)),
        three(sum(called) / len(called)) if len(called) >= CALLED else None,
        len(called),
        three(inside / len(cases)),
    )


class Record:
    """A stored record, asked by answers."""

    def __init__(self, rows: Iterable[Sequence]):
        self._kinds: Mapping[tuple, Fared] = {tuple(row[:4]): Fared(*row) for row in rows}

    def of(self, axis: str, grade: str, papers: int, family: str | None) -> Fared | None:
        """How answers like this one have fared: of the most special kind that has enough cases."""
        kinds = _kinds(axis, grade, papers, family or "")
        return next((self._kinds[kind] for kind in kinds if kind in self._kinds), None)


def line(fared: Fared) -> str:
    """What an answer says of its like: `answers like this one: sign right in 89%, 121 unseen
    cases`.
    """
    seen = f"{fared.cases} unseen cases of {fared.papers} papers"
    if not fared.beats or fared.sign is None and fared.pooled >= 1:
        return f'answers like this one have not beaten "no change": {seen}'
    if fared.sign is None:
        return f'answers like this one: error {fared.pooled:.2f} times that of "no change", {seen}'
    return (
        f"answers like this one: sign right in {100 * fared.sign:.0f}% where more than 1 point was"
        f" expected, {seen}"
    )
