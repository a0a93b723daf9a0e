"""The checks of two registry files: licences.json, and guide.json, which the skill is made of.

In: the vocabulary (of the guide, the published tables too). Out: (JSON pointer, message) of what
does not fit. Does not judge whether rows show what a rule says: `skill` does.
"""

from collections.abc import Iterator, Mapping

from ..base.errors import Refused
from ..terms.licences import COMMERCIAL
from ..terms.recipe import parse
from ..terms.tasks import parse_mix
from ..terms.vocabulary import Vocabulary
from .tables import Table

EXPECT, SHOWS = ("worse", "unclear"), ("worse", "better", "equal")


def check_licences(words: Vocabulary) -> Iterator[tuple[str, str]]:
    """Each text stands once, as a released model or an LLM has it, and says what it permits."""
    used = {record.get("license") for record in words.records("llm").values()}
    used |= {record.get("license") for record in words.registry("models")["models"]}
    seen: set[str] = set()
    for i, row in enumerate(words.registry("licences")["licences"]):
        at, text = f"/licences/{i}", row.get("text")
        if text in seen:
            yield at + "/text", f"{text!r} stands twice"
        seen.add(text)
        if text not in used:
            yield at + "/text", f"{text!r} is the licence of no released model and no LLM"
        if row.get("commercial") not in COMMERCIAL:
            yield (
                at + "/commercial",
                f"{row.get('commercial')!r} is none of {', '.join(COMMERCIAL)}",
            )
        if not isinstance(row.get("open_source"), bool):
            yield at + "/open_source", "neither true nor false"
        if not row.get("why"):
            yield at + "/why", "says nothing"


def check_guide(words: Vocabulary, tables: Mapping[str, Table]) -> Iterator[tuple[str, str]]:
    """Recipes and tasks can be read, and every row that stands behind a rule is there."""
    guide = words.registry("guide")
    for kind in ("changes", "rules"):
        for i, row in enumerate(guide[kind]):
            at = f"/{kind}/{i}"
            for side in ("from", "to"):
                if side in row:
                    yield from _read(f"{at}/{side}", row[side], words)
            if "tasks" in row:
                try:
                    parse_mix(row["tasks"], words)
                except Refused as error:
                    yield at + "/tasks", str(error)
            if kind == "changes" and not (row.get("axis") and row.get("label")):
                yield at, "a change has an axis and a label"
            if kind == "rules" and not (row.get("title") and row.get("refuse")):
                yield at, "a rule has a title and says what to refuse"
            if row.get("expect") not in (None, *EXPECT):
                yield at + "/expect", f"{row['expect']!r} is none of {', '.join(EXPECT)}"
            for k, proof in enumerate(row.get("proofs", ())):
                yield from _proof(f"{at}/proofs/{k}", proof, tables)


def _read(at: str, recipe: Mapping, words: Vocabulary) -> Iterator[tuple[str, str]]:
    """Whether a recipe can be read."""
    try:
        parse(recipe, words)
    except Refused as error:
        yield at, str(error)


def _proof(at: str, proof: Mapping, tables: Mapping[str, Table]) -> Iterator[tuple[str, str]]:
    """Whether two rows and their cells are there."""
    table = tables.get(proof.get("table"))
    if table is None:
        yield at + "/table", f"no table is called {proof.get('table')!r}"
        return
    rows = {row.arm: row for row in table.rows}
    for side in ("before", "after"):
        row = rows.get(proof.get(side))
        if row is None:
            yield f"{at}/{side}", f"{table.id} has no row {proof.get(side)!r}"
            continue
        for key in proof.get("metrics") or ("",):
            if row.scores.get(key) is None:
                yield f"{at}/metrics", f"{table.id}, {row.arm}: no score of {key!r}"
    if proof.get("shows") not in SHOWS:
        yield at + "/shows", f"{proof.get('shows')!r} is none of {', '.join(SHOWS)}"
