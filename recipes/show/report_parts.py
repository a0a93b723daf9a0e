"""What the sections of a report share: names, intervals, tables of benchmarks, pictures.

In: values of results. Out: HTML. Computes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..base.wording import percent, points
from ..effects.results import Delta
from ..terms.recipe import Recipe
from . import forest_plot
from .html import data, figure, table
from .recipe import describe
from .svg import signed, text

if TYPE_CHECKING:
    pass
SCALE = "percent of scale"


class Names:
    """What things are called: benchmarks, tables, papers."""

    def __init__(self, benchmarks: Mapping[str, str], places: Mapping[str, str]):
        self.benchmarks, self.places = benchmarks, places

    def benchmark(self, slug: str) -> str:
        return self.benchmarks.get(slug, slug)

    def place(self, table_id: str) -> str:
        return self.places.get(table_id, table_id)


def text_recipe(value: Recipe) -> str:
    """A recipe in one line."""
    return describe(value, ("encoder", "connector", "resolution", "visual_tokens", "llm", "data"))


def spread(low: float, high: float, digits: int = 1) -> str:
    """An interval: two <data>, an ellipsis between."""
    return f"{data(low, signed(low, digits))} … {data(high, signed(high, digits))}"


def shape(r: Recipe) -> str:
    """Resolution with its unit or tiling."""
    return (
        f"{r.resolution} px"
        if isinstance(r.resolution, int)
        else f"{r.resolution}{f' ({r.tiling})' if r.tiling else ''}"
    )


AXIS_NAMES = {
    "encoder": "Vision encoder",
    "connector": "Connector",
    "llm": "LLM",
    "data": "Data",
    "resolution": "Resolution",
}


def delta_table(caption: str, deltas: Sequence[Delta], names: Names, level: float) -> str:
    """Benchmarks with expected change, interval, probability, grade."""
    rows, counted = [], any(row.relation == "direct" for d in deltas for row in d.evidence)
    for d in deltas:
        none, digits = d.grade == "none", points(d)
        rows.append(
            [
                text(names.benchmark(d.benchmark)),
                "–" if none else data(d.expected, signed(d.expected, digits)),
                spread(d.low, d.high, digits),
                "–" if none else data(d.p_better, percent(d.p_better)),
                text(d.grade),
            ]
        )
        if counted:
            rows[-1].append(str(sum(row.relation == "direct" for row in d.evidence) or "–"))
    head = ["benchmark", "expected", f"{percent(level)} interval", "P(better)", "grade"] + [
        "rows"
    ] * counted
    return table(caption, head, rows, "hrrrl" + "r" * counted, sort=True)


def pictures(shown: Sequence[forest_plot.Panel], title: str, level: float, caption: str) -> str:
    """A forest plot in both widths: a picture for each panel, so that print breaks between them;
    the last one explains the marks.
    """
    pairs = []
    for panel in shown:
        key = forest_plot.kinds_of(shown) if panel is shown[-1] else ()
        pairs.append(
            tuple(
                forest_plot.forest(
                    [panel],
                    f"{title}: {panel.title}",
                    caption,
                    compact=compact,
                    alone=False,
                    level=percent(level),
                    key=key,
                )
                for compact in (False, True)
            )
        )
    return figure(pairs, caption)
