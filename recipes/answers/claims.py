"""`claims`: the audit of what people repeat, or of a claims file of one's own.

In: which file, which claims; the library. Out: Answer: the audits with the evidence that they rest
on. The judging is claims/verdicts.py. Does not print.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..base.reading import EvidenceError
from ..claims import verdicts
from ..claims.assertions import ClaimsFile, read_claims, shipped_path
from ..claims.names import problems
from ..claims.pairs import Evidence
from ..cost import tokens
from ..evidence.tables import Paper
from ..library import Library
from ..terms.vocabulary import UnknownName, fold, nearest


class Request(NamedTuple):
    """ids: of the claims (none: all); verdict: only claims with it; file: a path of one's own."""

    ids: Sequence[str] = ()
    verdict: str | None = None
    file: str | None = None


class Answer(NamedTuple):
    """The audits, the file they are of, and what they were held against."""

    audits: tuple[verdicts.Audit, ...]
    file: ClaimsFile
    evidence: Evidence


def answer(library: Library, request: Request) -> Answer:
    """The audits that are asked for. Raises Refused."""
    file = read_claims(request.file or shipped_path(library.shipped))
    known = {fold(claim.id): claim.id for claim in file.claims}
    for name in request.ids:
        if fold(name) not in known:
            raise UnknownName("claim", name, nearest(name, known), known.values())
    wanted = {known[fold(name)] for name in request.ids}
    papers = library.papers()
    if request.file:  # the shipped one is checked by `check`
        for pointer, message in strange(library, file, papers):
            raise EvidenceError(request.file, pointer, message, "audit")
    evidence = evidence_of(library, papers)
    audits = (
        verdicts.judge(claim, evidence) for claim in file.claims if not wanted or claim.id in wanted
    )
    kept = tuple(one for one in audits if request.verdict in (None, one.verdict))
    return Answer(kept, file, evidence)


def evidence_of(library: Library, papers: Iterable[Paper]) -> Evidence:
    """What claims are held against: papers and released models."""
    models = {model["key"]: model for model in library.words.registry("models")["models"]}
    return Evidence(papers, library.words, models)


def strange(
    library: Library, file: ClaimsFile, papers: Sequence[Paper]
) -> Iterator[tuple[str, str]]:
    """(pointer, message) of each selector of a file that names nothing."""
    models = evidence_of(library, papers).models
    return problems(file, papers, library.words, models, (*tokens.MODELS, *tokens.ALIASES))
