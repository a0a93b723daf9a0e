"""What `models` computes: which released models pass, in which order for a task mix, and what has
to be said beside it.

In: the Landscape, a Need, a task mix. Out: a Listing, the parts that released models are built
from. Does not word or print anything.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..released.models import Landscape, Model, Need, Sieve, headline, sieve
from ..released.practice import Practice, practice
from ..released.ranking import Ranked, Target, place, rank, targets, would_lead
from ..terms.tasks import TaskMix
from ..terms.vocabulary import UnknownName, Vocabulary, fold, nearest

KINDS_OF_LICENCE = ("commercial", "open")


class Listing(NamedTuple):
    """The models that pass, ranked for a mix. silent: those that print none of it. shown: those to
    list, in this order. unsaid_leaders: would be among the first if the registry said that they
    pass; just_above: the same of models up to a tenth larger than asked. torn: (benchmark, floor,
    models that another source puts below it).
    """

    tasks: TaskMix
    need: Need
    found: Sieve
    wanted: tuple[Target, ...]
    ranked: tuple[Ranked, ...]
    silent: tuple[Model, ...]
    shown: tuple[Ranked, ...]
    smallest: bool
    notes: tuple[str, ...]  # of the benchmarks that stand for the mix
    unsaid_leaders: tuple[Ranked, ...]
    just_above: tuple[Ranked, ...]
    torn: tuple[tuple[str, float, tuple[str, ...]], ...]


def floors(
    texts: Iterable[str], land: Landscape, words: Vocabulary
) -> tuple[tuple[str, str | None, float], ...]:
    """--floor docvqa=90: (benchmark of the model registry, split, value in its own unit). Raises
    Refused.
    """
    found = []
    for text in texts:
        name, sign, value = (part.strip() for part in text.replace(">=", "=").partition("="))
        match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(\s*%)?", value)
        if not sign or not match:
            raise Refused(f"models: --floor {text[:40]!r}: as in --floor docvqa=90")
        where = place(land, words.benchmark(name))
        if where is None:
            raise Refused(
                f"models: --floor {name[:40]}: no released model in the registry prints it (most"
                f" print {', '.join(list(land.split)[:8])})"
            )
        top = land.records[where[0]]["max"]
        least = float(match[1]) * (top / 100 if match[2] else 1)
        if not 0 < least <= top:
            raise Refused(f"models: --floor {text[:40]}: {where[0]} goes from 0 to {top:g}")
        found.append((*where, least))
    return tuple(found)


def uses(names: Sequence[str], words: Vocabulary) -> tuple[tuple[str, str], ...]:
    """(part, slug) of components that models are to be built from. Raises UnknownName."""
    found = []
    for name in names:
        kinds = ("encoder", "connector", "llm")
        known = [(part, words.find(part, name)) for part in kinds if words.find(part, name)]
        if not known:
            spelled = {s: slug for part in kinds for s, slug in words.spellings(part).items()}
            raise UnknownName("encoder, connector or LLM", name, nearest(name, spelled))
        found.append(known[0])
    return tuple(found)


def check_licence(text: str | None, land: Landscape) -> None:
    """Whether --licence can be found at all. Raises Refused or UnknownName."""
    if text is None or text in KINDS_OF_LICENCE:
        return
    if not text.strip():
        raise Refused(
            "models: --licence: commercial, open, or a text to find (as in --licence apache)"
        )
    known = sorted({model.record["license"] for model in land.models if model.record["license"]})
    if not any(fold(text) in fold(one) for one in known):
        names = {fold(one): one for one in (*KINDS_OF_LICENCE, *known)}
        raise UnknownName("licence", text, nearest(text, names))


def listing(
    land: Landscape,
    tasks: TaskMix,
    need: Need,
    named: Sequence[Model] = (),
    smallest: bool = False,
    top: int = 10,
) -> Listing:
    """The models of a need (or those named) for a task mix. Raises NothingPrinted."""
    wanted, notes = targets(land, tasks)
    found = Sieve(tuple(named), {}, {}) if named else sieve(land, need)
    need = need._replace(closed=need.closed or bool(named))
    ranked, silent = rank(land, found.models, wanted)
    shown = (unbeaten(ranked) if smallest else ranked)[:top]
    unsaid, above = (), ()
    if ranked:
        unsure = (model for models in found.unsaid.values() for model in models)
        unsaid = tuple(would_lead(land, unsure, wanted, ranked[0]))
        if need.under_b:
            larger = sieve(land, need._replace(under_b=1.1 * need.under_b)).models
            larger = [model for model in larger if model not in found.models]
            above = tuple(would_lead(land, larger, wanted, ranked[0]))
    torn = (
        (
            benchmark,
            least,
            tuple(r.model.name for r in ranked[:top] if _below(land, r.model, floor)),
        )
        for floor in need.floors
        for benchmark, _, least in [floor]
    )
    return Listing(
        tasks,
        need,
        found,
        tuple(wanted),
        tuple(ranked),
        tuple(silent),
        tuple(shown),
        smallest,
        tuple(notes),
        unsaid,
        above,
        tuple(one for one in torn if one[2]),
    )


def _below(land: Landscape, model: Model, floor: tuple[str, str | None, float]) -> bool:
    """Whether another source of a model that passes a floor prints less, on the split that
    counted.
    """
    benchmark, split, least = floor
    first = headline(model, benchmark, split) or headline(model, benchmark, None)
    top = land.records[benchmark]["max"]
    return any(
        s.value / s.max * top < least
        for s in model.scores
        if (s.benchmark, s.split) == (benchmark, first.split) and s.setup != "transfer"
    )


def unbeaten(ranked: Iterable[Ranked]) -> list[Ranked]:
    """The ranked models of known size that no smaller or equally large one outscores, the smallest
    first: each next one is larger and better.
    """
    sized = sorted(
        (r for r in ranked if r.model.params_b),
        key=lambda r: (r.model.params_b, -r.score, r.model.key),
    )
    kept, best = [], float("-inf")
    for item in sized:
        if item.score > best:
            kept.append(item)
            best = item.score
    return kept


class Parts(NamedTuple):
    """What released models are built from, and the recipes that name their parts in words."""

    practice: Practice
    recipes: tuple[Mapping, ...]


def parts(land: Landscape, words: Vocabulary) -> Parts:
    """The use of every part as of the registry's day, and its recipes, the newest first."""
    recipes = sorted(
        words.registry("models")["recipes"], key=lambda r: r["date"] or "", reverse=True
    )
    return Parts(practice(land), tuple(recipes))
