"""The parts of a self-contained page: text, numbers, links, tables, figures, and the document with
its style around them.

In: plain values. Out: strings of HTML in which all text is escaped. No network, no font, no id
beyond those given; the one script only sorts tables. Knows nothing of recipes.
"""

import os
import re
from collections.abc import Sequence

from ..base.wording import number
from . import svg
from .svg import text

GENERATOR = "vlm-recipe-picker report"
GENERATOR_TAG = f'<meta name="generator" content="{GENERATOR}">'


def part(name: str) -> str:
    """A file beside this one: the page's style (page.css) or its script (page.js)."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return "\n" + file.read()


def _colours(mode: int) -> str:
    c = {role: pair[mode] for role, pair in svg.COLOURS.items()}
    return (
        f"body{{background:{c['paper']};color:{c['ink']}}}a{{color:{c['blue']}}}"
        ".muted,figcaption,caption,.note,.kicker,footer,.cards td[data-label]::before,thead"
        f" th,.split{{color:{c['muted']}}}"
        f"h2,tbody tr+tr>*,.cards tbody tr+tr{{border-color:{c['rule']}}}table,thead"
        f" th{{border-color:{c['muted']}}}"
        f"pre{{background:{c['veil']};border-color:{c['blue']}}}"
        f"{svg.style(mode)}"
    )


def document(title: str, description: str, body: Sequence[str]) -> str:
    """The whole file. Colours: light by default and in print, dark where the reader's system asks
    for it.
    """
    mode = f"@media screen and (prefers-color-scheme:dark){{{_colours(1)}}}"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f"<title>{text(title)}</title>",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            GENERATOR_TAG,
            f'<meta name="description" content="{text(description)}">',
            '<meta name="color-scheme" content="light dark">',
            f"<style>{part('page.css').strip()}\n{_colours(0)}\n{mode}</style>",
            "</head>",
            "<body>",
            *body,
            f"<script>{part('page.js').strip()}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def data(value: float | int | None, shown: str) -> str:
    """A number: as people read it, and (in `value`) as `--json` gives it."""
    return "–" if value is None else f'<data value="{text(number(value))}">{text(shown)}</data>'


def amount(value: float, digits: int = 0) -> str:
    """A number without a sign, thousands apart."""
    return data(value, f"{value:,.{digits}f}")


def name(value: str) -> str:
    """The name of a component: may break anywhere."""
    return f'<span class="name">{text(value)}</span>'


def arxiv(number: str | None) -> str:
    """A link to a paper on arXiv; plain text for what is no arXiv number."""
    label = f"arXiv {number}" if number else "no arXiv number"
    if not number or not re.fullmatch(
        r"\d{4}\.\d{4,5}(v\d+)?|[a-z-]+(\.[A-Z]{2})?/\d{7}(v\d+)?", number
    ):
        return text(label)
    return f'<a href="https://arxiv.org/abs/{text(number)}">{text(label)}</a>'


def table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    align: str,
    *,
    cards: bool = False,
    sort: bool = False,
) -> str:
    """A table of cells that are HTML already. align: l, r or h (a header of its row) per column.
    cards: on a phone each row is a block.
    """
    kinds = [
        f'class="{kind}"'
        for kind in (" ".join(filter(None, ("cards" if cards else "", "sort" if sort else ""))),)
        if kind
    ]
    right = lambda i: ' class="num"' if align[i] == "r" else ""
    top = "".join(f'<th scope="col"{right(i)}>{text(label)}</th>' for i, label in enumerate(head))
    lines = []
    for row in rows:
        cells = []
        for i, cell in enumerate(row):
            label = f' data-label="{text(head[i])}"' if cards and align[i] != "h" else ""
            cells.append(
                f'<th scope="row">{cell}</th>'
                if align[i] == "h"
                else f"<td{right(i)}{label}>{cell}</td>"
            )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    inside = "\n".join(
        [
            f"<table{''.join(' ' + kind for kind in kinds)}>",
            f"<caption>{text(caption)}</caption>",
            f"<thead><tr>{top}</tr></thead>",
            "<tbody>",
            *lines,
            "</tbody>",
            "</table>",
        ]
    )
    return (
        '<div class="scroll" role="region" tabindex="0"'
        f' aria-label="{text(caption)}">\n{inside}\n</div>'
    )


def figure(pictures: Sequence[tuple[str, str]], caption: str) -> str:
    """Pictures in two widths (wide, narrow), of which the page shows one."""
    shown = "\n".join(
        f'<div class="wide">{wide}</div>\n<div class="narrow">{narrow}</div>'
        for wide, narrow in pictures
    )
    return f"<figure>\n{shown}\n<figcaption>{text(caption)}</figcaption>\n</figure>"


def section(ident: str, title: str, parts: Sequence[str]) -> str:
    """A section with a heading that links can name."""
    return "\n".join(
        [f'<section id="{text(ident)}">', f"<h2>{text(title)}</h2>", *parts, "</section>"]
    )


def para(value: str, kind: str = "") -> str:
    """A paragraph of text."""
    return f"<p{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{text(value)}</p>"


def listing(items: Sequence[str]) -> str:
    """A list of texts."""
    return "<ul>\n" + "\n".join(f"<li>{text(item)}</li>" for item in items) + "\n</ul>"
