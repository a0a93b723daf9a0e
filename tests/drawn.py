"""Marks to draw, and what the tests read back from a picture."""

import xml.etree.ElementTree as ET

from recipes.answers import swap as answers
from recipes.show import forest_plot, svg
from recipes.terms.recipe import Recipe

from . import support

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert('x')</script> & \"quotes\" \x00\x1b[31m ]]> --> \u202eevil \ud800 " + "W" * 300
)


def mark(value, weight=0.5, kind="full", label="Paper, Table 1", note="a → b"):
    return forest_plot.Mark(label, note, value, value - 1, value + 1, weight, kind)


def panel(*marks, **more):
    return forest_plot.Panel("TextVQA", "some rows", tuple(marks), **more)


def parse(picture):
    return ET.fromstring(picture)


def texts(picture):
    return [element.text for element in parse(picture).iter(f"{SVG}text")]


def boxes(picture):
    """(left, top, right, bottom, text) of every text, measured."""
    for element in parse(picture).iter(f"{SVG}text"):
        size, role = float(element.get("font-size")), (element.get("class") or "").split()
        width = svg.measure(element.text, size, "b" in role)
        x, y = float(element.get("x")), float(element.get("y"))
        left = x - {"end": width, "middle": width / 2}.get(element.get("text-anchor"), 0)
        yield left, y - 0.76 * size, left + width, y + 0.22 * size, element.text


def swap_of(a, b, benchmarks=None):
    library = support.library()
    before, after = answers.sides(a, b, Recipe(), library.words)
    return answers.answer(
        library, answers.Request(before, after, benchmarks or (), costs=False)
    ).result
