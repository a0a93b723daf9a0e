"""What `import` does: result files of harnesses into a table of the user's own.

In: a Wish (what the user named) and the library. Out: Imported: what was stored, what was not and
why, and the next command. One table file is written, whole or not at all; nothing for a dry run.
"""

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..base.errors import Refused
from ..base.reading import EvidenceError, read_json
from ..base.write import dump_paper, locked, write_text
from ..effects.columns import recipe_rows
from ..exchange import harness, importing, scores
from ..exchange.importing import Arm, Merged, NotImported
from ..exchange.readings import Reading
from ..exchange.scores import Folded, Sorter, Unknown
from ..library import Library
from ..terms.axes import AXES
from ..terms.recipe import FIELDS, Recipe, parse
from ..terms.vocabulary import UnknownName, Vocabulary

NEWEST = 50  # rows among which a pair for the next command is looked for


class Wish(NamedTuple):
    """paths of result files; the arm (None: those of the CSV); its recipe (field -> text, None: as
    the table has it); the table's name, the folder; the scale of CSV values.
    """

    paths: Sequence[str]
    arm: str | None = None
    recipe: Mapping[str, str] | None = None
    table: str = "my-runs"
    into: str = "my-tables"
    scale: str | None = None
    dry_run: bool = False
    program: str = "python3 main.py"


class Imported(NamedTuple):
    """`arms`: names; `recipes`: by arm, as the table has them now; `problems`: files that could not
    be read; `refused`: scores that did not fit; `out`: whole arms that did not, and why.
    """

    wish: Wish
    merged: Merged
    path: str
    arms: tuple[str, ...]
    recipes: Mapping[str, Mapping]
    unknown: tuple[Unknown, ...]
    folded: tuple[Folded, ...]
    refused: tuple[Unknown, ...]
    problems: tuple[EvidenceError, ...]
    out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    following: str | None

    @property
    def ok(self) -> bool:
        """Something is stored, and nothing had to be left out that should have gone in."""
        stored = self.merged.added or self.merged.unchanged
        return bool(stored) and not (self.refused or self.problems or self.out)


def import_results(wish: Wish, library: Library) -> Imported:
    """Carry out a Wish. Raises NotImported where nothing at all could go in, EvidenceError for an
    only file that cannot be read, Refused for names that cannot be used.
    """
    words = library.words
    path = _place(wish, library)
    recipe, notes = (None, []) if wish.recipe is None else parsed(wish.recipe, words)
    readings, problems = harness.read_all(wish.paths, scores.data_sets(words))
    if not readings:
        raise problems[0]
    _one_model(readings)
    sorter = Sorter(words, wish.scale)
    arms, assorted = [], []
    for name, own, said in _arms(wish, recipe, readings, words, notes):
        assorted.append(sorter.assort(said))
        arms.append(Arm(name, own, assorted[-1].cells))
    merged = _store(wish, [arm for arm in arms if arm.cells], path, words)
    refused = [bad for sort in assorted for bad in sort.refused] + list(merged.refused)
    if not merged.added and not merged.unchanged and (merged.out or refused):
        raise NotImported(_first(merged, refused))
    named = tuple(arm.name for arm in arms)
    notes += [*merged.notes, *_remarks(merged, set(named), wish)]
    return Imported(
        wish,
        merged,
        path,
        named,
        _recipes(merged, arms),
        tuple(entry for sort in assorted for entry in sort.unknown),
        tuple(entry for sort in assorted for entry in sort.folded),
        tuple(refused),
        tuple(problems),
        merged.out,
        tuple(dict.fromkeys(notes)),
        None if wish.dry_run else _next(merged, named, wish, words),
    )


def _first(merged: Merged, refused: Sequence[Unknown]) -> str:
    """Why nothing went in: the first reason, and how many more there are."""
    reasons = [why for _, why in merged.out]
    for bad in refused:
        reading = bad.reading
        what = " ".join(filter(None, (reading.task, reading.metric)))
        said = f"{reading.source.name}, {reading.place}: {what} is {reading.printed}"
        reasons.append(bad.why if reading.source.name in bad.why else f"{said}: {bad.why}")
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return reasons[0] + more


def _place(wish: Wish, library: Library) -> str:
    """The table's file. Raises Refused for a name or folder that is not ours to write."""
    key = importing.paper_key(wish.table)
    if os.path.exists(os.path.join(library.shipped, key + ".json")):
        raise NotImported(
            f"--table {wish.table}: {key} is a published paper's name; choose another"
        )
    if os.path.lexists(wish.into) and not os.path.isdir(wish.into):
        raise Refused(f"import: --into {wish.into[:80]}: not a folder")
    if os.path.isdir(wish.into) and os.path.samefile(wish.into, library.shipped):
        raise Refused(
            "import: --into is the folder of the published tables; choose one of your own"
        )
    return os.path.join(wish.into, key + ".json")


def _one_model(readings: Iterable[Reading]) -> None:
    """Files that name several models are not one arm. Raises NotImported."""
    models: dict[str, dict[str, str]] = {}
    for reading in readings:
        source = reading.source
        if source.model and reading.arm is None:
            models.setdefault(source.harness, {}).setdefault(source.model, source.name)
    for several in models.values():
        if len(several) > 1:
            said = "; ".join(f"{model[:60]} in {file}" for model, file in list(several.items())[:4])
            raise NotImported(
                f"the files name {len(several)} models: {said}: import each by itself, with its own"
                " --as"
            )


def parsed(raw: Mapping[str, str], words: Vocabulary) -> tuple[Recipe, list[str]]:
    """A recipe whose unknown names stay as written, with a warning for each."""
    bad = next(
        (value for value in raw.values() if not value.isprintable() or len(value) > 200), None
    )
    if bad is not None:
        raise NotImported(f"the recipe has {bad[:60]!r}: printable characters, at most 200")
    return parse(dict(raw), words, strict=False)


def _arms(
    wish: Wish, recipe: Recipe | None, readings: list[Reading], words: Vocabulary, notes: list[str]
) -> list[tuple[str, Recipe | None, list[Reading]]]:
    """(arm, recipe, its readings): the one that --as names, or those of the rows of a CSV with an
    arm column.
    """
    by_arm: dict[str | None, list[Reading]] = {}
    for reading in readings:
        by_arm.setdefault(reading.arm, []).append(reading)
    loose = by_arm.pop(None, [])
    if wish.arm is not None and by_arm and wish.arm not in by_arm:
        raise Refused(
            f"import: --as {wish.arm[:60]!r} is not an arm of the CSV (its arms:"
            f" {', '.join(by_arm)[:200]})"
        )
    if wish.arm is None and (loose or not by_arm):
        raise Refused("import: --as NAME says which trained model the results are of")
    left = [name for name in by_arm if wish.arm is not None and name != wish.arm]
    if left:
        notes.append(
            f"--as takes one arm of the CSV; not imported: {', '.join(left)[:200]} (without --as"
            " all are)"
        )
    found = []
    for name in [wish.arm] if wish.arm is not None else by_arm:
        said = [*loose, *by_arm.get(name, [])]
        own = _recipe(name, recipe, said, words, notes)
        found.append((importing.arm_name(name), own, said))
    return found


def _recipe(
    name: str, recipe: Recipe | None, said: Sequence[Reading], words: Vocabulary, notes: list[str]
) -> Recipe | None:
    """The recipe of an arm: --recipe, and the fields of its row. Raises NotImported for two values
    of one field.
    """
    own = recipe
    for raw in dict.fromkeys(reading.recipe for reading in said if reading.recipe):
        more, warnings = parsed(dict(raw), words)
        notes += warnings
        both = own.stated() if own else {}
        for field, value in more.stated().items():
            if both.get(field, value) != value:
                raise NotImported(
                    f"the arm {name[:60]!r} has two values of {field}: {both[field]} and {value}"
                )
        own = Recipe(**{**both, **more.stated()})
    return own


def _store(wish: Wish, arms: Sequence[Arm], path: str, words: Vocabulary) -> Merged:
    """Read the table, put the arms in, write it: nobody else in between."""

    def now():
        return read_json(path, root=wish.into) if os.path.lexists(path) else None

    key = importing.paper_key(wish.table)
    made = not os.path.isdir(wish.into)
    if wish.dry_run or made:
        merged = importing.merge(now(), key, arms, words, path)
        if wish.dry_run or not merged.added:
            return merged
        os.makedirs(wish.into, exist_ok=True)
    with locked(wish.into):
        before = now()
        merged = importing.merge(before, key, arms, words, path)
        if merged.added:
            if now() != before:
                raise NotImported(
                    f"{path} was changed by someone else in the meantime: run the import again"
                )
            write_text(path, dump_paper(merged.file))
    return merged


def _recipes(merged: Merged, arms: Sequence[Arm]) -> dict[str, Mapping]:
    stored = {
        row.arm: {k: v for k, v in row.setting.items() if k in FIELDS and v is not None}
        for table in merged.paper.tables
        for row in table.rows
    }
    return {
        arm.name: stored.get(arm.name) or (importing.settings(arm.recipe) if arm.recipe else {})
        for arm in arms
    }


def _remarks(merged: Merged, named: set[str], wish: Wish) -> list[str]:
    """What a reader of the table should know."""
    notes = [
        f"{cell.metric['benchmark']}: {cell.reading.part}: stored as a split of its own"
        for _, cell in merged.added
        if cell.part
    ]
    notes += [
        f"{cell.metric['benchmark']}: {cell.reading.printed}, as the harness prints none for the"
        " group"
        for _, cell in merged.added
        if cell.reading.printed.startswith("the mean of ")
    ]
    for table in merged.paper.tables:
        used = {row.arm for row in recipe_rows(table)}
        notes += [
            f"{row.arm}: its recipe states two axes fewer than another row's: it is compared with"
            " no other row until it says more"
            for row in table.rows
            if row.arm in named and row.arm not in used
        ]
    lock = os.path.join(wish.into, "LOCK")
    if merged.added and os.path.lexists(lock):
        notes.append(f"{lock} is there: `check --lock {wish.into}` accepts the new scores")
    return notes


def _next(merged: Merged, named: Sequence[str], wish: Wish, words: Vocabulary) -> str | None:
    """A command to try now: a swap between two arms that differ on one axis, if the table has such
    a pair.
    """
    id_ = f"{merged.paper.key}.runs"
    rows = [row for table in merged.paper.tables if table.id == id_ for row in table.rows]
    if not rows:
        return None
    command = ["tables", "show", id_]
    mine = set(named)
    for new in [row for row in rows if row.arm in mine][: -NEWEST - 1 : -1]:
        sides = next(filter(None, (_pair(old, new, words) for old in rows)), None)
        if sides:
            command = ["swap", *sides]
            break
    return f"{wish.program} {shlex.join([*command, '--tables', wish.into])}"


def _pair(old, new, words: Vocabulary) -> list[str] | None:
    """The two sides of a swap between two rows that differ on one axis; None for others."""
    moved = [
        field
        for field in AXES
        if None not in (old.setting.get(field), new.setting.get(field))
        and old.setting[field] != new.setting[field]
    ]
    if len(moved) != 1:
        return None
    values = [row.setting[moved[0]] for row in (old, new)]
    sides = [f"{value}{'px' if isinstance(value, int) else ''}" for value in values]
    try:
        if moved[0] != "resolution":
            for side in sides:
                words.resolve(moved[0], side)
    except UnknownName:
        return None
    return sides
