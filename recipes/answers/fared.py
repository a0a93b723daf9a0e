"""How answers like one have fared on papers that the model had not seen: the line that ends it.

In: a change as the model sees it, the grades and families of an answer, the stored record
(tables/derived/record.json). Out: a Fared, or the line. None where no record is stored, or too few
cases are like it. Does not judge or print.
"""

from collections import Counter
from collections.abc import Iterable

from ..effects.change import Change
from ..effects.columns import axis_name
from ..effects.features import RANGED, group
from ..effects.record import Fared, Record, line
from ..terms.vocabulary import Vocabulary

NAMED = ("encoder", "llm", "connector", "data")


def printed_papers(change: Change) -> int:
    """In how many papers the rarest of the components that a change names varies; where it names
    none, the rarest of its numbers.
    """
    support = change.posterior.support
    named = [name for name in change.features if group(name) in NAMED and "=" in name]
    asked = named or [name for name in change.features if name in RANGED]
    return min((len(support.get(name, ())) for name in asked), default=0)


def record_of(
    words: Vocabulary, change: Change, judged: Iterable[tuple[str, str | None]]
) -> Fared | None:
    """How answers of this kind fared. judged: grade and task family of each benchmark of the
    answer; the grade that most have counts, and a family that all have.
    """
    stored, judged = words.derived("record"), list(judged)
    if not stored or not judged or not change.axes:
        return None
    grade = Counter(grade for grade, _ in judged).most_common(1)[0][0]
    families = {family for _, family in judged}
    family = families.pop() if len(families) == 1 else None
    return Record(stored["rows"]).of(axis_name(change.axes), grade, printed_papers(change), family)


def record_line(
    words: Vocabulary, change: Change, judged: Iterable[tuple[str, str | None]]
) -> str | None:
    """The same as a line: `answers like this one: sign right in 89%, 121 unseen cases`."""
    found = record_of(words, change, judged)
    return line(found) if found else None
