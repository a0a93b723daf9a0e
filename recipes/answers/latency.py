"""`latency`: how long a recipe takes to answer on a device, and whether it fits.

In: a Request (recipes and services, serving.py) and the library. Out: Served, one for each pair.
Raises flops.MissingFigure. Does not print.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..library import Library
from ..terms.recipe import Recipe
from . import measured, parts
from .serving import Served, Service, _notes, timing


class Request(NamedTuple):
    """The answers that are asked for: each recipe in each service. own: measured phases, which set
    the rates of their engine and device (answers/measured.py)."""

    recipes: Sequence[Recipe]
    services: Sequence[Service]
    own: Sequence = ()


def answer(library: Library, request: Request) -> tuple[Served, ...]:
    """Time and memory for each recipe and service, with notes. Raises flops.MissingFigure."""
    out = []
    for recipe in request.recipes:
        for service in request.services:
            more, name = [], service.engine
            if request.own:
                rates, count = measured.rates(request.own, name, service.gpu)
                more = [measured.rate_note(request.own, name, service.gpu)]
                service = service._replace(engine=rates if count else name)
            value = timing(library, recipe, service)
            service = service._replace(engine=name)
            value = value._replace(service=service)
            said = (*parts.notes(recipe, value.language), *_notes(library, value), *more)
            out.append(value._replace(notes=said))
    return tuple(out)
