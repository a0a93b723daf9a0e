"""Where a stage plan is printed, and at what learning rate a table prints a stage like each of its
stages.

In: the stages of a recipe (cost/training.py), the recipe, the library. Out: per stage the rows that
print this very plan, and the row with a learning rate whose stage trains the same parts on the
nearest LLM; None where no row says one. Reads what rows say in `training`, as the papers put it;
does not score, pool or guess a rate.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
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

ALL = frozenset(("encoder", "connector", "llm"))
PARTS = (
    ("connector", r"connector|projector|\bSVA\b"),
    ("llm", r"\bLLM\b"),
    ("encoder", r"\bViT\b|\bvision encoder"),
)
OUTSIDE = r"(?![^()]*\))"  # not inside brackets
NUMBER = r"\d+(?:\.\d+)?e-\d+"


class Rate(NamedTuple):
    """A learning rate and the parts it is said for."""

    parts: tuple[str, ...]
    value: float


class Said(NamedTuple):
    """One stage as a row puts it: what it trains, at which rates (none: not said), and the
    words.
    """

    trains: frozenset[str]
    rates: tuple[Rate, ...]
    words: str


@cache
def read_training(text: str, encoder_trained: bool = False) -> tuple[Said, ...]:
    """The stages that a row's `training` text says, in its order.

    A part that is called frozen is not trained; adapters (LoRA) and halves of an encoder are no
    training of that part, so their stage matches no plan. Rates in a clause of their own belong to
    the stage before it. encoder_trained: what the row says of its encoder, for texts that leave the
    stages to the setting they modify.
    """
    out: list[Said] = []
    for clause in re.split(rf";\s*{OUTSIDE}|,? then {OUTSIDE}", text):
        bare = re.sub(
            r"\([^()]*\)|(?:with )?(?:vision )?(?:encoders?|ViT) frozen|no [\w"
            r" -]*pre-training|stage \d only|SFT only",
            "",
            clause,
        )
        if re.search(
            r"LoRA|half of the ViT|frozen|\bno\b|settings of",
            re.sub(r"settings of stage \d", "", bare),
        ):
            parts = frozenset(("other",))
        elif (
            re.search(r"full model|all weights", bare)
            or re.match(r"as setting", bare)
            and encoder_trained
        ):
            parts = ALL
        else:
            body = bare.rpartition(":")[2]
            parts = (
                frozenset(name for name, pattern in PARTS if re.search(pattern, body))
                if not re.match(r"\s*(lr|batch)\b", body)
                else frozenset()
            )
        rates = _rates(clause, parts or (out[-1].trains if out else frozenset()))
        if parts:
            out.append(Said(parts, rates, clause.strip()))
        elif rates and out and not out[-1].rates:
            out[-1] = out[-1]._replace(rates=rates, words=f"{out[-1].words}; {clause.strip()}")
    return tuple(out)


def _named(text: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in PARTS if re.search(pattern, text))


def _rates(clause: str, trains: frozenset[str]) -> tuple[Rate, ...]:
    """The learning rates of a clause: `lr LLM 2e-5, ViT 2e-6`, or one behind the parts it is for,
    or one for all that is trained.
    """
    listed = re.findall(rf"(ViT|LLM|connector|projector) ({NUMBER})", clause)
    if listed:
        return tuple(Rate(_named(name), float(value)) for name, value in listed)
    out = []
    for place in re.finditer(rf"\blr ({NUMBER})", clause):
        # the words right before the brackets
        before = clause[: place.start()].rpartition(")")[2].rpartition("(")[0].rpartition(":")[2]
        out.append(
            Rate(
                tuple(part for part in _named(before) if part in trains)
                or tuple(name for name, _ in PARTS if name in trains),
                float(place[1]),
            )
        )
    return tuple(out)


class Printed(NamedTuple):
    """A row with the stages that it says."""

    table: Table
    row: Row
    said: tuple[Said, ...]


class Schedules:
    """What the tables print of the stage plans of recipes. Recipes share stages: each is looked up
    once.
    """

    def __init__(self, library: Library):
        self.words = library.words
        own = {paper.key for paper in library.own_papers()}
        rated, planned = (library.standing.papers[name] for name in ("rated", "planned"))
        printed = [
            one
            for paper in library.papers({*rated, *planned})
            for one in _printed(paper, paper.key in planned or paper.key in own)
        ]
        self.rated = [one for one in printed if any(stage.rates for stage in one.said)]
        self.planned = [one for one in printed if len(one.said) > 1]
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
        for one in self.planned:
            if prints_plan(one.row, one.said, plan, first):
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
        for printed in self.rated:
            one = next((one for one in printed.said if one.trains == trains and one.rates), None)
            if one is None:
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
                best = key, printed, one
        if best is None:
            return None
        _, (table, row, _), one = best
        return {
            "rates": [{"parts": list(rate.parts), "value": rate.value} for rate in one.rates],
            "words": one.words,
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


def _printed(paper: Paper, plans: bool) -> Iterator[Printed]:
    """The rows of a paper that say stages; without `plans`, those that say a learning rate."""
    for table in paper.tables:
        for row in table.rows:
            text = row.setting.get("training")
            if text and (plans or "lr " in text):
                said = read_training(text, row.setting.get("frozen_encoder") is False)
                if said:
                    yield Printed(table, row, said)


def sources(papers: Iterable[Paper]) -> dict[str, list[str]]:
    """rated: papers with a row that prints a learning rate of a stage; planned: with one that
    prints a plan of LLaVA-1.5's (frozen or trained encoder) with its 558K.
    """
    found: dict[str, set[str]] = {"rated": set(), "planned": set()}
    plans = [two_stages(1.0, "", 0.0, frozen) for frozen in (True, False)]
    known = [tuple(frozenset(stage.trains) for stage in plan) for plan in plans]
    for paper in papers:
        for one in _printed(paper, True):
            if any(stage.rates and stage.trains <= ALL for stage in one.said):
                found["rated"].add(paper.key)
            if any(prints_plan(one.row, one.said, plan, plans[0][0].samples) for plan in known):
                found["planned"].add(paper.key)
    return {name: sorted(keys) for name, keys in found.items()}


def prints_plan(
    row: Row, said: Sequence[Said], plan: Sequence[frozenset[str]], first: float
) -> bool:
    """Does a row say these stages, and the size of the first?"""
    return tuple(one.trains for one in said) == tuple(plan) and (
        row.setting.get("alignment_data_size") == first or f"{first / 1000:g}K" in said[0].words
    )
