"""Where a stage plan is printed, and at what learning rate a table prints a stage like each of its
stages.

In: the stages of a recipe (cost/training.py), the recipe, the library. Out: per stage the rows that
print this very plan, and the row with a learning rate whose stage trains the same parts on the
nearest LLM; None where no row says one. Does not score, pool or guess a rate.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..cost.training import two_stages
from ..effects.features import llm_params_b
from ..evidence.tables import Paper, Row, Table
from ..library import Library
from ..terms.recipe import Recipe

if TYPE_CHECKING:
    from ..cost.training import Stage

ORIGIN = "2310.03744"  # LLaVA-1.5, which the plan comes from (cost/training.two_stages)
EACH = 2  # papers cited for a plan


class Printed(NamedTuple):
    """A row that says its stages (evidence/shape.STAGE)."""

    table: Table
    row: Row

    def prints(self, plan: Sequence[frozenset[str]], first: float) -> bool:
        """Does the row say these stages, and the size of the first?"""
        said = tuple(frozenset(one.get("trains") or ()) for one in self.row.stages)
        sizes = self.row.stages[0].get("samples"), self.row.setting.get("alignment_data_size")
        return said == tuple(plan) and first in sizes


class Schedules:
    """What the tables print of the stage plans of recipes. Recipes share stages: each is looked up
    once.
    """

    def __init__(self, library: Library):
        self.words = library.words
        known = library.standing.papers
        self.printed = list(_printed(library.papers({*known["rated"], *known["planned"]})))
        self._sizes: dict[tuple, float | None] = {}
        self._found: dict[tuple, tuple[dict, ...]] = {}

    def of(self, stages: Sequence["Stage"], recipe: Recipe) -> tuple[dict, ...]:
        """Per stage {citations, learning_rate}: rows that print the whole plan, and the printed
        rate of such a stage (None: no row prints one).
        """
        plan = tuple(frozenset(stage.trains) for stage in stages)
        key = plan, recipe.llm_params_b, recipe.connector, recipe.encoder, recipe.data
        if key not in self._found:
            cited = self._plan(plan, stages[0].samples, recipe)
            self._found[key] = tuple(
                {"citations": cited, "learning_rate": self._rate(trains, recipe)} for trains in plan
            )
        return self._found[key]

    def _plan(self, plan: tuple[frozenset[str], ...], first: float, recipe: Recipe) -> list[dict]:
        """One row of each of EACH papers that print the plan: the paper first that it comes from,
        in a paper the nearest LLM and the same data.
        """
        found: dict[str, tuple] = {}
        for one in self.printed:
            if one.prints(plan, first):
                table, setting = one.table, one.row.setting
                key = (
                    table.arxiv != ORIGIN,
                    self._apart(one, recipe),
                    setting.get("data") != recipe.data,
                    table.id,
                )
                if table.paper not in found or key < found[table.paper][0]:
                    found[table.paper] = key, one
        return [
            {
                "table": one.table.id,
                "arxiv": one.table.arxiv,
                "arm": one.row.arm,
                "words": one.row.setting["training"],
                "alignment_data_size": one.row.setting.get("alignment_data_size"),
            }
            for _, one in sorted(found.values(), key=lambda pair: pair[0])[:EACH]
        ]

    def _rate(self, trains: frozenset[str], recipe: Recipe) -> dict | None:
        """The printed rate of a stage that trains the same: the nearest LLM, where the connector is
        trained alone the same connector before that.
        """
        kind = self.words.connector_class(recipe.stated())
        best = None
        for printed in self.printed:
            like = (
                one["lr"]
                for one in printed.row.stages
                if one.get("lr") and trains == {*one["trains"]}
            )
            if (rates := next(like, None)) is None:
                continue
            setting, apart = printed.row.setting, self._apart(printed, recipe)
            unlike = (setting.get("connector") != recipe.connector) + (
                self.words.connector_class(setting) != kind
            )
            key = (
                *((unlike, apart) if trains == {"connector"} else (apart, unlike)),
                setting.get("encoder") != recipe.encoder,
                printed.table.id,
            )
            if best is None or key < best[0]:
                best = key, printed, rates
        if best is None:
            return None
        _, (table, row), rates = best
        return {
            "rates": [
                {"parts": [part for part in rates if rates[part] == value], "value": value}
                for value in dict.fromkeys(rates.values())
            ],
            "words": row.setting["training"],
            "table": table.id,
            "arxiv": table.arxiv,
            "arm": row.arm,
            "llm_params_b": self._size(row),
            "connector": row.setting.get("connector"),
        }

    def _size(self, row: Row) -> float | None:
        """Billions of parameters of a row's LLM."""
        key = row.setting.get("llm"), row.setting.get("llm_params_b")
        if key not in self._sizes:
            self._sizes[key] = llm_params_b(row.setting, self.words)
        return self._sizes[key]

    def _apart(self, one: Printed, recipe: Recipe) -> float:
        """Doublings between the LLM of a row and the recipe's; far when one of them is not said."""
        size = self._size(one.row)
        return (
            round(abs(math.log2(size / recipe.llm_params_b)), 3)
            if size and recipe.llm_params_b
            else 99.0
        )


def _printed(papers: Iterable[Paper]) -> Iterator[Printed]:
    """The rows that say their stages."""
    for paper in papers:
        for table in paper.tables:
            yield from (Printed(table, row) for row in table.rows if row.stages)


def sources(papers: Iterable[Paper]) -> dict[str, list[str]]:
    """rated: papers with a row that prints a learning rate of a stage; planned: with one that
    prints a plan of LLaVA-1.5's (frozen or trained encoder) with its 558K.
    """
    found: dict[str, set[str]] = {"rated": set(), "planned": set()}
    plans = [two_stages(1.0, "", 0.0, frozen) for frozen in (True, False)]
    known = [tuple(frozenset(stage.trains) for stage in plan) for plan in plans]
    for paper in papers:
        for one in _printed([paper]):
            if any(stage.get("lr") and "other" not in stage["trains"] for stage in one.row.stages):
                found["rated"].add(paper.key)
            if any(one.prints(plan, plans[0][0].samples) for plan in known):
                found["planned"].add(paper.key)
    return {name: sorted(keys) for name, keys in found.items()}
