"""What the agent skill says, as values: gains of the usual changes, recipes per task family, rules
with their rows, what to read.

In: the library (and for one situation a task mix with limits). Out: a Guide. Every number comes
from the functions that answer at the command line. Does not write text (report/skill.py) or files.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..claims.assertions import read_claims, shipped_path
from ..claims.verdicts import Audit, audit
from ..effects.change import Change
from ..effects.columns import recipe_rows
from ..effects.judge import judge
from ..effects.results import Delta, Mix
from ..effects.rows import Found, find_rows, relevant_papers
from ..evidence.contrasts import AXES, contrasts, doubtful, moved
from ..evidence.tables import Paper, Table
from ..library import Library
from ..picker.limits import DEFAULT_BUDGET, DEFAULT_DEVICE, Constraints
from ..released import ranking
from ..released.models import Need
from ..terms.recipe import Recipe
from ..terms.tasks import TaskMix, parse_mix
from ..terms.vocabulary import Vocabulary
from . import claims
from . import pick as picks
from . import swap as answers

# what `pick` assumes when nothing is said: the recipes here are those that it prints
ROOM = 24.0  # GB of the assumed device (a test holds it against the registry)
LIMITS = Constraints(
    DEFAULT_BUDGET,
    memory_gb=ROOM,
    deploy_gpu=DEFAULT_DEVICE,
    assumed=("budget", "device", "memory"),
)
# Sizes of released models that people ask for (total parameters below so many billions).
SIZES = (2.5, 4.5, 9.0, 16.0, 40.0)
LEVEL = 0.8
GRADES = ("direct", "indirect", "extrapolated", "none")
FAIL = ("contradicted", "not in the cited source")
READ = 3


class Usual(NamedTuple):
    """A change that people consider, from LLaVA-1.5-7B (or from `before`)."""

    axis: str
    label: str
    before: Mapping
    after: Mapping


class Proof(NamedTuple):
    """Two printed rows of one table behind a rule, and what they are said to show of `after`:
    worse, better (nowhere the other way) or equal.

    equal: not better by a percent of the scale, on average.
    """

    table: str
    before: str
    after: str
    metrics: Sequence[str]
    shows: str


class Rule(NamedTuple):
    """A rule: what to refuse, and what backs it: a change that the model judges on some tasks, and
    printed rows.

    expect: the model must say that `change` is `worse`, or `unclear` (the interval holds zero);
    None: no table can hold the rule.
    """

    title: str
    refuse: str
    expect: str | None = None
    change: tuple[Mapping, Mapping] | None = None
    tasks: str | None = None
    proofs: tuple[Proof, ...] = ()


def usual(words: Vocabulary) -> tuple[Usual, ...]:
    """The changes that people consider (registry/guide.json)."""
    rows = words.registry("guide")["changes"]
    return tuple(Usual(row["axis"], row["label"], row["from"], row["to"]) for row in rows)


def rules(words: Vocabulary) -> tuple[Rule, ...]:
    """What to refuse (registry/guide.json)."""
    out = []
    for row in words.registry("guide")["rules"]:
        proofs = tuple(
            Proof(*(one[key] for key in ("table", "before", "after")), one["metrics"], one["shows"])
            for one in row.get("proofs", ())
        )
        change = (row["from"], row["to"]) if "from" in row else None
        out.append(
            Rule(row["title"], row["refuse"], row.get("expect"), change, row.get("tasks"), proofs)
        )
    return tuple(out)


class Source(NamedTuple):
    """A table that makes the change on the tasks, and on how many of its benchmarks there it is
    better.
    """

    table: str
    arxiv: str | None
    better: int
    of: int
    controlled: bool


class Entry(NamedTuple):
    """A usual change on a task mix."""

    usual: Usual
    mix: Mix
    grades: tuple[str, ...]
    sources: tuple[Source, ...]


class Cells(NamedTuple):
    """The cells of a Proof. cells: metric, before, after; moves: the axes on which the rows differ;
    holds: do they show what is said?
    """

    proof: Proof
    arxiv: str | None
    cells: tuple[tuple[str, float, float], ...]
    moves: tuple[str, ...]
    holds: bool


class Backed(NamedTuple):
    """A rule with its backing."""

    rule: Rule
    mix: Mix | None
    grades: tuple[str, ...]
    cells: tuple[Cells, ...]
    holds: bool


class Advice(NamedTuple):
    """What is said for one task mix: the pick under limits, and the usual changes in the order of
    their gain.
    """

    tasks: TaskMix
    limits: Constraints
    picked: picks.PickAnswer
    entries: tuple[Entry, ...]


class Reading(NamedTuple):
    """A paper to read, the (axis, task family) pairs that it adds to those before it, and its pairs
    of rows that differ in one axis.
    """

    paper: Paper
    adds: int
    contrasts: int
    axes: tuple[str, ...]


class Leader(NamedTuple):
    """A released model and one of its scores on the family: printed, or estimated."""

    model: str
    benchmark: str
    value: float
    printed: bool


class Guide(NamedTuple):
    """Everything that the whole skill says. families: task family -> advice under LIMITS;
    released: task family -> the released model to adopt below each of SIZES (None: none prints a
    score); balanced: the usual changes on the balanced mix.
    """

    families: Mapping[str, Advice]
    released: Mapping[str, Sequence["Leader | None"]]
    balanced: tuple[Entry, ...]
    rules: tuple[Backed, ...]
    audits: tuple[Audit, ...]
    reading: tuple[Reading, ...]

    @property
    def failing(self) -> tuple[Audit, ...]:
        """The claims that the rows contradict, or that the cited source does not hold."""
        return tuple(one for one in self.audits if one.verdict in FAIL)


class Changes:
    """The usual changes, each with its rows, ready to be asked about one task mix after another."""

    def __init__(self, library: Library):
        self.library = library
        self.ready = [(one, *self._prepared(one.before, one.after)) for one in usual(library.words)]

    def _prepared(self, before: Mapping, after: Mapping) -> tuple[Change, list[Found]]:
        library = self.library
        a, b = (side.stated() for side in answers.sides(before, after, Recipe(), library.words))
        change = Change(a, b, library.posterior, library.words)
        return change, find_rows(
            library.papers(relevant_papers(a, b, library.posterior, library.words)),
            a,
            b,
            change.axes,
            library.words,
        )

    def on(self, tasks: TaskMix) -> tuple[Entry, ...]:
        """All changes judged on a mix, the largest gain first."""
        out = []
        for usual, change, found in self.ready:
            result = judge(change, found, list(tasks.benchmarks), mix=tasks.benchmarks, level=LEVEL)
            out.append(
                Entry(usual, result.mix, grades(result.deltas), sources(found, tasks.benchmarks))
            )
        return tuple(sorted(out, key=lambda entry: -entry.mix.expected))


def grades(deltas: Sequence[Delta]) -> tuple[str, ...]:
    """The grades among some deltas, the best first."""
    return tuple(sorted({delta.grade for delta in deltas}, key=GRADES.index))


def sources(
    found: Sequence[Found], benchmarks: Mapping[str, float], count: int = 2
) -> tuple[Source, ...]:
    """The tables that make the very change on these benchmarks: one axis at a time first, then by
    how much they print.
    """
    tables: dict[tuple[bool, str], dict[str, list[Found]]] = {}
    for one in found:
        if not one.near and one.contrast.metric.benchmark in benchmarks:
            tables.setdefault((one.contrast.controlled, one.contrast.table.id), {}).setdefault(
                one.contrast.metric.benchmark, []
            ).append(one)
    out: dict[str, Source] = {}
    for (controlled, name), cells in sorted(
        tables.items(), key=lambda item: (not item[0][0], -len(item[1]), item[0][1])
    ):
        better = sum(sum(one.delta for one in group) > 0 for group in cells.values())
        table = next(iter(cells.values()))[0].contrast.table
        out.setdefault(name, Source(name, table.arxiv, better, len(cells), controlled))
    return tuple(out.values())[:count]


def cells_of(library: Library, proof: Proof, table: Table) -> Cells:
    """The printed cells of a proof. Raises KeyError for a row or a metric that the table lacks: the
    rule is then to be written anew.
    """
    rows = {row.arm: row for row in table.rows}
    before, after = rows[proof.before], rows[proof.after]
    if any(doubtful(row, key) for row in (before, after) for key in proof.metrics):
        raise KeyError(f"{table.id}: a doubtful cell")
    values = tuple((key, before.scores[key], after.scores[key]) for key in proof.metrics)
    deltas = [
        (y - x)
        * (1 if table.metrics[key].higher_is_better else -1)
        * 100
        / (table.metrics[key].max or 100)
        for key, x, y in values
    ]
    worse, better = sum(delta < 0 for delta in deltas), sum(delta > 0 for delta in deltas)
    mean = sum(deltas) / len(deltas)
    holds = {"worse": worse and not better, "better": better and not worse, "equal": mean < 1}[
        proof.shows
    ]
    difference = moved(before.setting, after.setting, library.words.axis_of)
    return Cells(proof, table.arxiv, values, difference.axes + difference.unstated, bool(holds))


def backed(library: Library, rule: Rule) -> Backed:
    """A rule with what its change and its rows say, and whether that is what the rule says."""
    if rule.expect is None:
        return Backed(rule, None, (), (), True)
    before, after = answers.sides(*rule.change, Recipe(), library.words)
    mix = parse_mix(rule.tasks, library.words)
    asked = answers.Request(before, after, mix=mix, level=LEVEL, costs=False)
    result = answers.answer(library, asked).result
    tables = {
        table.id: table
        for paper in library.papers({proof.table.partition(".")[0] for proof in rule.proofs})
        for table in paper.tables
    }
    cells = tuple(cells_of(library, proof, tables[proof.table]) for proof in rule.proofs)
    mix = result.mix
    said = mix.high < 0 if rule.expect == "worse" else mix.low < 0 < mix.high
    shown = tuple(delta for delta in result.deltas if delta.benchmark in mix.weights)
    return Backed(rule, mix, grades(shown), cells, said and all(one.holds for one in cells))


def advice(library: Library, changes: Changes, asked: picks.Request) -> Advice:
    """What to say for one mix. Raises space.EmptySpace."""
    return Advice(asked.tasks, asked.limits, picks.answer(library, asked), changes.on(asked.tasks))


def leaders(library: Library, tasks: TaskMix) -> tuple[Leader | None, ...]:
    """The released open model to adopt below each of SIZES."""
    out: list[Leader | None] = []
    for size in SIZES:
        try:
            found = ranking.adopt(library.released, tasks, Need(size), ranking.CONTENDERS)
        except ranking.NothingPrinted:
            return (None,) * len(SIZES)
        asked = ranking.own(library.released, tasks, found.wanted)
        first = next((one for one in found.ranked if ranking.enough(one, asked)), None)
        if first is None:
            out.append(None)
            continue
        cell = min(first.cells, key=lambda c: (c.kind != "printed", c.target not in asked))
        name = library.released.label(cell.target.benchmark)
        out.append(Leader(first.model.name, name, cell.value, cell.kind == "printed"))
    return tuple(out)


def reading(library: Library) -> tuple[Reading, ...]:
    """Three papers that together show most: each adds the most (axis, task family) pairs for which
    rows differ in that axis alone.
    """
    words = library.words
    axis_of = words.axis_of
    family = {name: record["family"] for name, record in words.records("benchmark").items()}
    seen: dict[str, dict[tuple[str, str], int]] = {}
    papers = library.papers(shipped_only=True)
    for paper in papers:
        counts = seen.setdefault(paper.key, {})
        for table in paper.tables:
            for one in contrasts(table._replace(rows=tuple(recipe_rows(table))), axis_of):
                axis, topic = one.moved.axes[:1], family.get(one.metric.benchmark)
                if one.controlled and topic and axis[0] in (*AXES, "visual_tokens"):
                    counts[axis[0], topic] = counts.get((axis[0], topic), 0) + 1
    out: list[Reading] = []
    covered: set[tuple[str, str]] = set()
    for _ in range(READ):
        best = max(
            papers, key=lambda p: (len(seen[p.key].keys() - covered), sum(seen[p.key].values()))
        )
        out.append(
            Reading(
                best,
                len(seen[best.key].keys() - covered),
                sum(seen[best.key].values()),
                tuple(sorted({axis for axis, _ in seen[best.key]})),
            )
        )
        covered |= seen[best.key].keys()
    return tuple(out)


def audits(library: Library) -> list[Audit]:
    """The audit of all claims of the registry."""
    evidence = claims.evidence_of(library, library.papers(shipped_only=True))
    return audit(read_claims(shipped_path(library.shipped)), evidence)


def gather(library: Library) -> Guide:
    """All of it. Takes seconds: it picks a recipe for each task family."""
    changes = Changes(library)
    families = {
        family: advice(
            library,
            changes,
            picks.Request(parse_mix(family, library.words), LIMITS, top=1, level=LEVEL),
        )
        for family in library.words.families()
    }
    return Guide(
        families,
        {family: leaders(library, one.tasks) for family, one in families.items()},
        changes.on(parse_mix(None, library.words)),
        tuple(backed(library, rule) for rule in rules(library.words)),
        tuple(audits(library)),
        reading(library),
    )
