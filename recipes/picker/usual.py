"""Which parts a recipe is made of: what released models have, and what rows on the tasks say gains.

In: the use of parts by released models, the standing of the others in the tables, what data mixes
hold, a task mix. Out: a Habit: parts to leave out, and why an unusual one is let in. Practice is
evidence too: of what can be trained, served and repaired. Does not score.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..base.wording import plural
from ..effects.standing import Standing, gains, usual
from ..released.practice import Practice
from ..terms.mixes import Mixes
from ..terms.tasks import TaskMix
from ..terms.vocabulary import Vocabulary

COVERED = 0.5  # of the tasks' weight must be on families of which a data mix may hold data
MOSTLY = 0.5  # of the weight on several images or frames makes them what the tasks are about


# what a mix for instruction tuning must hold beside these
CAPTIONS = {
    "web-captions",
    "interleaved",
    "dense-captions-model",
    "dense-captions-human",
    "text-only",
    "other",
}


class Habit(NamedTuple):
    """unusual: (axis, part) that few released models have and that is let in -> the reason; barred:
    axis -> parts that are left out; closed: data mixes that nobody can get, of which nothing is
    known, or that no table has; empty: those that hold none of the tasks' kinds of data; standing:
    for the sizes that rows have; untiled: the tasks are mostly about several images or frames,
    which nobody tiles (LLaVA-OneVision: up to 7,290 tokens an image, 729 where there are several,
    196 a frame; registry/models.json).
    """

    unusual: Mapping[tuple[str, str], str]
    barred: Mapping[str, frozenset[str]]
    closed: frozenset[str]
    empty: frozenset[str]
    standing: Standing
    untiled: bool = False


def habit(
    practice: Practice,
    standing: Standing,
    words: Vocabulary,
    tasks: TaskMix,
    parts: Iterable[tuple[str, str]],
) -> Habit:
    """What to leave out of these (axis, part), for a task mix."""
    records = words.records("benchmark")
    families = list(dict.fromkeys(records[name]["family"] for name in tasks.benchmarks))
    unusual: dict[tuple[str, str], str] = {}
    barred: dict[str, set[str]] = {}
    for axis, part in parts:
        if usual(practice, words, axis, part):
            continue
        found = standing.of(axis, part, families)
        if gains(found):
            best = max(found, key=lambda one: (one.better, one.mean))
            count = practice.of(axis, part).count
            models = f"{plural(count, 'released model')} {'has' if count == 1 else 'have'} it"
            if axis == "data":
                models = "to be put together from its parts"
            unusual[axis, part] = (
                f"{part}: {models}; {best.table} prints it better than {best.rival} on"
                f" {best.better} of {best.of}"
            )
        else:
            barred.setdefault(axis, set()).add(part)
    data = words.records("data")
    empty = frozenset(slug for slug in data if not holds(words.mixes, words, slug, tasks))
    trained = [slug for slug in data if slug in standing.trained]
    whole = {slug for slug in trained if obtainable(words.mixes, slug)}
    # of most kinds of data there is a public mix; where there is none, one that is public but for
    # some of its parts teaches more than images of another kind
    if not any(data[slug].get("samples") for slug in whole - empty - barred.get("data", set())):
        for slug in trained:
            if slug not in empty and obtainable(words.mixes, slug, "in part"):
                whole.add(slug)
                barred.get("data", set()).discard(slug)
                unusual["data", slug] = f"{slug}: public in part; no whole mix holds such data"
    return Habit(
        unusual,
        {axis: frozenset(named) for axis, named in barred.items()},
        frozenset(data) - whole,
        empty,
        standing,
        several(words, tasks) is not None,
    )


def several(words: Vocabulary, tasks: TaskMix) -> str | None:
    """What a request has several of, where the tasks are mostly about that: frame or image."""
    records = words.records("benchmark")
    weight = {"video": 0.0, "multi-image": 0.0}
    for name, share in tasks.benchmarks.items():
        if records[name]["family"] in weight:
            weight[records[name]["family"]] += share
    if sum(weight.values()) < MOSTLY * sum(tasks.benchmarks.values()):
        return None
    return "frame" if weight["video"] >= weight["multi-image"] else "image"


def kinds_in(mixes: Mixes, slug: str) -> set[str]:
    """The kinds of data that are known to be in a mix."""
    shares = mixes.shares(slug)
    if shares is not None:
        return {kind for kind, share in shares.items() if share}
    mix = mixes.mix(slug)
    return {part.kind for part in mix.parts} if mix else set()


def obtainable(mixes: Mixes, slug: str, available: str | None = None) -> bool:
    """Can anybody train on the mix, is it known what is in it, and are these instructions (not
    captions alone)? available: asked for instead of public as a whole (terms/mixes.py).
    """
    mix = mixes.mix(slug)
    had = mix and (mix.available == available if available else mix.public)
    return bool(had and kinds_in(mixes, slug) - CAPTIONS)


def holds(mixes: Mixes, words: Vocabulary, slug: str, tasks: TaskMix) -> bool:
    """Is a data mix known to hold data of the tasks' kinds, for most of the tasks' weight? Families
    that no kind of data is for count as held.
    """
    lost, records = lacks(mixes, words, slug, tasks), words.records("benchmark")
    missed = sum(w for name, w in tasks.benchmarks.items() if records[name]["family"] in lost)
    return missed <= (1 - COVERED) * sum(tasks.benchmarks.values())


def lacks(mixes: Mixes, words: Vocabulary, slug: str, tasks: TaskMix) -> list[str]:
    """The tasks' families for which there is a kind of data, and of which a mix is not known to
    hold any.
    """
    family = {kind: record.get("family") for kind, record in mixes.kinds.items()}
    there = {family.get(kind) for kind in kinds_in(mixes, slug)}
    records = words.records("benchmark")
    asked = dict.fromkeys(records[name]["family"] for name in tasks.benchmarks)
    return [name for name in asked if name in family.values() and name not in there]
