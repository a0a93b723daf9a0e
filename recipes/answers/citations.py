"""Which tables to cite for the choices of a recipe, and what each shows for its choice on the tasks
asked for.

In: recipes, the task mix, the limits, the library. Out: per axis one or two entries {axis, value,
table, arxiv, why, better, of, controlled, tasks}. Looks only at printed rows (whole systems and
doubtful cells apart); does not pool them or predict, except to say why a choice stands that a table
speaks against.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..base.wording import listed, signed
from ..effects.change import Change
from ..effects.columns import recipe_rows
from ..effects.features import llm_params_b, pixels
from ..effects.rows import MAIN
from ..evidence.contrasts import AXES, contrasts, moved
from ..evidence.tables import Paper, Row, Table
from ..library import Library
from ..picker.limits import Constraints, costs_of, exceeds
from ..picker.space import Space
from ..terms.recipe import BASELINE, Recipe, change
from ..terms.tasks import TaskMix

EACH = 2  # tables per axis
# doublings within which another size still stands for the chosen one
NEAR = {"llm": 0.3, "resolution": 0.25}
SAME = 0.05  # doublings that are no difference
# the mix's own benchmarks, others of their families (each counted apart), other tasks
TASKS = ("mix", "related", "other")


class Way(NamedTuple):
    """How rows stand for a choice. key: what a row has on the axis; chosen, base: is it the
    recipe's, the baseline's; instead: why not by name.

    apart: may two settings be compared, or is the difference too small to speak of?
    """

    key: Callable[[Mapping], Hashable]
    chosen: Callable[[Mapping], bool]
    base: Callable[[Mapping], bool]
    papers: tuple[str, ...]
    instead: str
    apart: Callable[[Mapping, Mapping], bool] = lambda a, b: True


class Shown(NamedTuple):
    """What one table shows for a choice beside one rival: on how many of `of` benchmarks it is
    better (and worse), and what else moved.
    """

    table: Table
    instead: str
    label: Hashable
    rival: Hashable
    with_base: bool
    tier: int
    better: int
    worse: int
    of: int
    benchmarks: tuple[str, ...]
    arms: int  # rows of the choice that were averaged
    also: tuple[str, ...]
    mean: float  # percent of scale, over the benchmarks

    @property
    def controlled(self) -> bool:
        return not self.also

    @property
    def order(self) -> tuple:
        return (
            self.tier,
            any(a in MAIN for a in self.also),
            not self.with_base,
            not self.controlled,
            -self.of,
            self.table.id,
        )


class Citations:
    """The citations of recipes picked for one task mix under the same limits. Recipes share
    choices: each is looked up once.
    """

    def __init__(self, library: Library, tasks: TaskMix, limits: Constraints, choices: Space):
        self.library, self.tasks, self.limits, self.choices = library, tasks, limits, choices
        words = library.words
        records = words.records("benchmark")
        self.family = {
            name: record["family"] for name, record in records.items() if record["family"]
        }
        self.means = {name for name, record in records.items() if record.get("kind") == "average"}
        self.near = {self.family[name] for name in tasks.benchmarks}
        self._found: dict[tuple, list[Shown]] = {}

    def of(self, recipe: Recipe) -> list[dict]:
        """The entries of a recipe, in the order of AXES."""
        out = []
        for axis in AXES:
            key = axis, getattr(recipe, axis), recipe.tiling if axis == "resolution" else None
            if key not in self._found:
                self._found[key] = self.shown(axis, recipe)
            entry = {"axis": axis, "value": getattr(recipe, axis)}
            for one in self._found[key]:
                out.append(
                    {
                        **entry,
                        "table": one.table.id,
                        "arxiv": one.table.arxiv,
                        "why": self.why(axis, recipe, one),
                        "better": one.better,
                        "of": one.of,
                        "controlled": one.controlled,
                        "tasks": TASKS[one.tier],
                    }
                )
            if not self._found[key]:
                out.append(
                    {
                        **entry,
                        "table": None,
                        "arxiv": None,
                        "why": "no table ablates it: covariates or habit",
                        "better": None,
                        "of": None,
                        "controlled": None,
                        "tasks": None,
                    }
                )
        return out

    def shown(self, axis: str, recipe: Recipe) -> list[Shown]:
        """The best tables for one choice: the mix's tasks first, then beside the baseline's
        component, then one axis at a time.
        """
        for way in ways(self.library, axis, recipe):
            found = sorted(
                (
                    one
                    for paper in self.library.papers(way.papers)
                    for one in self._in_paper(axis, way, paper)
                ),
                key=lambda one: one.order,
            )
            if found:
                rest = [one for one in found[1:] if one.tier == found[0].tier]
                # stable; another paper first
                rest.sort(
                    key=lambda one: (not one.controlled, one.table.paper == found[0].table.paper)
                )
                return [found[0], *rest[: EACH - 1]]
        return []

    def _in_paper(self, axis: str, way: Way, paper: Paper) -> Iterator[Shown]:
        for table in paper.tables:
            rows = recipe_rows(table)
            chosen = [row for row in rows if way.chosen(row.setting)]
            rivals: dict[Hashable, list[Row]] = {}
            for row in rows if chosen else ():
                if way.key(row.setting) is not None and not way.chosen(row.setting):
                    rivals.setdefault(way.key(row.setting), []).append(row)
            found = [
                one
                for key, others in rivals.items()
                for one in self._beside(axis, way, table, chosen, key, others)
            ]
            if found:  # the baseline's component, else the rival that does best: the one to beat
                yield min(
                    found,
                    key=lambda one: (one.tier, not one.with_base, not one.controlled, one.mean),
                )

    def _beside(
        self,
        axis: str,
        way: Way,
        table: Table,
        chosen: Sequence[Row],
        key: Hashable,
        others: Sequence[Row],
    ) -> Iterator[Shown]:
        """The choice against one rival: the pairs of rows in which least else moves."""
        pairs = self._comparable(axis, way, table, chosen, others)
        if not pairs:
            return
        least = pairs[min(pairs)]
        deltas: dict[str, list[float]] = {}
        also: dict[str, None] = {}  # in the order met
        for other, mine, beside in least:
            for contrast in contrasts(table, self.library.words.axis_of, pairs=[(other, mine)]):
                if contrast.metric.benchmark in self.family:
                    deltas.setdefault(contrast.metric.benchmark, []).append(contrast.percent)
                    also |= dict.fromkeys(beside)
        tiers = [
            [name for name in deltas if name in self.tasks.benchmarks],
            [name for name in deltas if self.family[name] in self.near],
            list(deltas),
        ]
        tier = next((number for number, names in enumerate(tiers) if names), None)
        if tier is None:
            return
        means = [sum(deltas[name]) / len(deltas[name]) for name in tiers[tier]]
        yield Shown(
            table,
            way.instead,
            way.key(least[0][1].setting),
            key,
            way.base(others[0].setting),
            tier,
            sum(x > 0 for x in means),
            sum(x < 0 for x in means),
            len(means),
            tuple(tiers[tier]),
            len({id(mine) for _, mine, _ in least}),
            tuple(also),
            sum(means) / len(means),
        )

    def _comparable(
        self, axis: str, way: Way, table: Table, chosen: Sequence[Row], others: Sequence[Row]
    ) -> dict[int, list[tuple[Row, Row, tuple[str, ...]]]]:
        """(rival's row, choice's row, what else moves), by how much else moves."""
        pairs: dict[int, list[tuple[Row, Row, tuple[str, ...]]]] = {}
        for mine in chosen:
            for other in others:
                if not way.apart(other.setting, mine.setting):
                    continue
                difference = moved(other.setting, mine.setting, self.library.words.axis_of)
                beside = (
                    tuple(a for a in difference.axes if a != axis)
                    + difference.unstated
                    + self._unseen(axis, table, other.setting, mine.setting)
                )
                # two of them: another system; a size of image says nothing when one does
                others_moved = sum(a in MAIN for a in beside)
                if (
                    axis in difference.axes
                    and "other" not in beside
                    and len(difference.unstated) < 2
                    and others_moved < (1 if axis == "resolution" else 2)
                ):
                    pairs.setdefault(len(beside), []).append((other, mine, beside))
        return pairs

    def _unseen(self, axis: str, table: Table, a: Mapping, b: Mapping) -> tuple[str, ...]:
        """What moves with an axis though no other axis differs: the size of a data mix, or what the
        table's own note says.
        """
        if axis == "data":
            records = self.library.words.records("data")
            sizes = {
                s.get("data_size") or records.get(s.get("data") or "", {}).get("samples")
                for s in (a, b)
            }
            if len(sizes) > 1:
                return ("data size",)
        return ("other things by the table's note",) if confounded(table, axis, a, b) else ()

    def why(self, axis: str, recipe: Recipe, one: Shown) -> str:
        """One line: what stands beside what, how it does, and whether anything else moved."""
        against = one.worse > one.better
        verdict, count = (
            ("worse", one.worse)
            if against
            else ("better", one.better)
            if one.better
            else ("equal", one.of)
        )
        if one.of == 1:
            where = one.benchmarks[0]
        else:
            what = "printed means" if self.means.issuperset(one.benchmarks) else "benchmarks"
            where = (
                f"{count} of {one.of} "
                + ("of the mix's benchmarks", f"{what} of the mix's families", what)[one.tier]
            )
        tasks = ("", "on related tasks " if one.of == 1 else "", "on other tasks ")[one.tier]
        how = (
            "controlled"
            if one.controlled
            else f"{listed([a.replace('_', ' ') for a in one.also])} not equal"
        )
        how += f"; mean of {one.arms} arms" if one.arms > 1 else ""
        how += f"; {one.table.second_hand}" if one.table.second_hand else ""
        return (
            f"{one.instead}has {name_of(one.label)} beside {name_of(one.rival)}: {tasks}{verdict}"
            f" on {where} ({how})" + (f"; {self._kept(axis, recipe, one)}" if against else "")
        )

    def _kept(self, axis: str, recipe: Recipe, one: Shown) -> str:
        """Why a choice stands that a table speaks against: all tables together, or the limits."""
        words, name = self.library.words, name_of(one.rival)
        rival = one.rival[0] if isinstance(one.rival, tuple) else one.rival
        if not (
            pixels({"resolution": rival}, words)
            if axis == "resolution"
            else rival in words.records(axis)
        ):
            return f"kept: {name} is no candidate"
        fields = {
            "llm": ("llm_params_b",),
            "data": ("data_size",),
            "resolution": ("tiling", "visual_tokens"),
        }.get(axis, ())
        other = change(recipe, **{axis: rival}, **dict.fromkeys(fields))
        gain = Change(other.stated(), recipe.stated(), self.library.posterior, words).gain(
            self.tasks.benchmarks, {name: self.family[name] for name in self.tasks.benchmarks}
        )
        if gain > 0.05:
            return f"kept: all tables together give it {signed(gain)} on the mix"
        limits = self._limits(axis, rival, recipe)
        if not limits:
            return f"kept: {name} is no candidate"
        if None not in limits:
            return f"kept: {name} breaks the {min(limits)} limit"
        return f"all tables together: {signed(gain)} on the mix"

    def _limits(self, axis: str, rival: Hashable, recipe: Recipe) -> set[str | None]:
        """The limits that the recipe with the rival in its place breaks (None: none), over the
        candidates that have it; empty: there is none.
        """
        wanted = lambda name: rival if name == axis else getattr(recipe, name)
        shape = lambda r: (r.tiling or "").partition(" of ")[0]
        same = lambda v: (
            v.recipe.encoder == wanted("encoder")
            and v.recipe.connector == wanted("connector")
            and (
                v.recipe.resolution == rival
                if axis == "resolution"
                else shape(v.recipe) == shape(recipe)
            )
        )
        out = set()
        for v in filter(same, self.choices.visuals):
            for x in (x for x in self.choices.languages if x.slug == wanted("llm")):
                for d in (d for d in self.choices.data if d.slug == wanted("data")):
                    costs = costs_of(
                        v, x, d, self.limits, self.library.words, self.library.calibration
                    )
                    out.add(
                        exceeds(costs, self.limits, self.library.words, self.library.calibration)
                    )
        return out


def ways(library: Library, axis: str, recipe: Recipe) -> Iterator[Way]:
    """The ways in which rows may stand for a choice, the nearest first: by name, then by size (LLM)
    or class (connector).
    """
    if axis == "resolution":
        yield from _by_pixels(library, recipe)
        return
    support, value, base = library.posterior.support, getattr(recipe, axis), getattr(BASELINE, axis)
    parts = value.split("+") if axis == "encoder" else [value]
    papers = set.intersection(*(set(support.get(f"{axis}={part}", ())) for part in parts))
    yield Way(
        lambda s: s.get(axis),
        lambda s: s.get(axis) == value,
        lambda s: s.get(axis) == base,
        tuple(papers),
        "",
    )
    if axis == "connector":
        yield _by_class(library, recipe)
    if axis == "llm":
        yield _by_size(library, recipe)


def _by_pixels(library: Library, recipe: Recipe) -> Iterator[Way]:
    """Rows of the same or nearly the same size of image, tiled as the recipe is or not."""
    words, within = library.words, NEAR["resolution"]
    mine, start = pixels(recipe.stated(), words), pixels(BASELINE.stated(), words)
    papers = tuple(library.posterior.support.get("resolution", ()))
    same = bool(recipe.tiling)

    def near(side: float | None, octaves: float) -> Callable[[Mapping], bool]:
        return lambda setting: (
            bool((x := pixels(setting, words)) and side) and abs(math.log2(x / side)) < octaves
        )

    def key(s: Mapping) -> Hashable:
        side = s.get("resolution")
        return None if side is None else (side, s.get("tiling"), s.get("crops_train"))

    def apart(a: Mapping, b: Mapping) -> bool:
        return not near(pixels(a, words), within)(b)

    exact, about, base = near(mine, SAME), near(mine, within), near(start, within)
    yield Way(key, lambda s: exact(s) and tiled(s) == same, base, papers, "")
    yield Way(
        key, lambda s: about(s) and tiled(s) == same, base, papers, "about this size: ", apart
    )
    where = f"about this size, {'not ' if same else ''}in tiles: "
    yield Way(key, about, base, papers, where, apart)


def _by_class(library: Library, recipe: Recipe) -> Way:
    """Rows with another connector of the recipe's class."""
    words, support = library.words, library.posterior.support
    kind = words.connector_class(recipe.stated())
    kin = [
        slug
        for slug in words.records("connector")
        if words.connector_class({"connector": slug}) == kind
    ]
    papers = {paper for slug in kin for paper in support.get(f"connector={slug}", ())}
    return Way(
        lambda s: s.get("connector"),
        lambda s: s.get("connector") in kin,
        lambda s: s.get("connector") == BASELINE.connector,
        tuple(papers),
        f"no table ablates {recipe.connector}; of its class: ",
    )


def _by_size(library: Library, recipe: Recipe) -> Way:
    """Rows with another LLM of about the recipe's size."""

    def about(size: float | None) -> Callable[[Mapping], bool]:
        return lambda setting: (
            bool((x := llm_params_b(setting, library.words)) and size)
            and abs(math.log2(x / size)) < NEAR["llm"]
        )

    def name(s: Mapping) -> str | None:
        return s.get("llm") or (f"{s['llm_params_b']:g}B" if s.get("llm_params_b") else None)

    return Way(
        name,
        about(recipe.llm_params_b),
        about(BASELINE.llm_params_b),
        tuple(library.posterior.support.get("llm_size", ())),
        f"no table ablates {recipe.llm}; of its size: ",
    )


def confounded(table: Table, axis: str, a: Mapping, b: Mapping) -> bool:
    """Does a table call an axis confounded, alone or with something that two rows do not show to be
    equal? Of things that both rows state it says nothing: whether these differ is seen there.
    """
    for axes in table.confounds:
        beside = [other for other in axes if other != axis]
        unsaid = any(row.get(other) is None for other in beside for row in (a, b))
        if axis in axes and (unsaid or not beside):
            return True
    return False


def tiled(setting: Mapping) -> bool:
    """Does a row cut its images into tiles (or shape its slices to them)?"""
    text = setting.get("tiling")
    return bool(text) and not text.startswith("no") or "anyres" in str(setting.get("resolution"))


def name_of(key: Hashable) -> str:
    """What a row has on an axis, in words: a resolution comes with how it is tiled."""
    if not isinstance(key, tuple):
        return str(key)
    side, tiling, crops = key
    if crops:
        return f"{side} ({crops} crop{'s' if crops > 1 else ''})"
    plain = not tiling or tiling.startswith("no") or "anyres" in str(side)
    return (
        f"{side} px"
        if isinstance(side, (int, float)) and plain
        else str(side)
        if plain
        else f"{side} ({tiling})"
    )
