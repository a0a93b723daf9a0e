"""The parts of a self-contained page: text, numbers, links, tables, figures, and the document with
its style around them.

In: plain values. Out: strings of HTML in which all text is escaped. No network, no font, no id
beyond those given; the one script only sorts tables. Knows nothing of recipes.
"""

import re
from collections.abc import Sequence

from ..base.wording import number
from . import svg
from .svg import text

GENERATOR = "vlm-recipe-picker report"
GENERATOR_TAG = f'<meta name="generator" content="{GENERATOR}">'

_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;font:1.0625rem/1.55 Charter,"Iowan Old Style","Palatino Linotype",Palatino,Georgia,"Liberation Serif","Noto Serif",serif;
hanging-punctuation:first}
main,footer{max-width:47rem;margin:0 auto;padding:0 1rem}
header{padding:3.2rem 0 .4rem}
.kicker{margin:0 0 .5rem;font-size:.95rem;font-style:italic}
h1{margin:0 0 1rem;font-size:2.1rem;line-height:1.16;font-weight:600;letter-spacing:-.01em;text-wrap:balance}
h2{margin:3.4rem 0 .5rem;padding-top:.7rem;font-size:1.4rem;line-height:1.25;font-weight:600;border-top:1px solid;text-wrap:balance}
h3{margin:2rem 0 .35rem;font-size:1.0625rem;line-height:1.35;font-weight:600;font-style:italic}
p{margin:.55rem 0}
.lead{font-size:1.2rem;line-height:1.5}
.lead b,.lead strong{font-weight:600}
.muted,figcaption,caption,.note{font-size:.9rem;line-height:1.45}
nav{margin:1.3rem 0 0;font-size:.95rem}
nav a{white-space:nowrap;display:inline-block;padding:.2rem 0;margin-right:1.1rem}
a{text-decoration-thickness:1px;text-underline-offset:.16em}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;font-size:.84em}
pre{margin:1rem 0;padding:.7rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid;line-height:1.5;font-size:.82rem}
.name{overflow-wrap:break-word}
td:not(.num){min-width:6.5rem}
tbody th a{font-weight:400}
td a,th a{white-space:nowrap}
.scroll{overflow-x:auto;margin:.8rem 0 1.2rem}
table{border-collapse:collapse;width:100%;font:.875rem/1.4 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums lining-nums;border-top:1.5px solid;border-bottom:1.5px solid}
caption{caption-side:top;text-align:left;padding:0 0 .45rem;font-family:Charter,"Iowan Old Style","Palatino Linotype",Palatino,Georgia,"Liberation Serif",
"Noto Serif",serif}
th,td{padding:.36rem .55rem;text-align:left;vertical-align:top}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
thead th{font-weight:600;vertical-align:bottom;border-bottom:1px solid}
tbody th{font-weight:600}
tbody tr+tr>*{border-top:1px solid}
.num{text-align:right;white-space:nowrap}
.split{display:block;white-space:normal;font-size:.92em}
th button{all:unset;cursor:pointer;font:inherit}
th button{border-bottom:1px dotted}
th[aria-sort=ascending] button::after{content:" \\2191"}
th[aria-sort=descending] button::after{content:" \\2193"}
th button:focus-visible,a:focus-visible,.scroll:focus-visible{outline:2px solid;outline-offset:2px}
figure{margin:1.3rem 0 1.6rem}
figcaption{margin:.5rem 0 0}
.vp{display:block;max-width:100%;height:auto}
.wide+.narrow+.wide,.narrow+.wide+.narrow{margin-top:1rem}
.narrow{display:none}
dl{margin:.6rem 0}
dt{font-weight:600}
dd{margin:0 0 .6rem}
ul{margin:.5rem 0;padding-left:1.1rem}
li{margin:.25rem 0}
footer{margin-top:3.5rem;padding-bottom:3rem;font-size:.9rem}
@media screen and (max-width:44rem){body{font-size:1rem}header{padding-top:1.8rem}h1{font-size:1.6rem}h2{margin-top:2.6rem;font-size:1.25rem}
.lead{font-size:1.08rem}.wide{display:none}.narrow{display:block}
.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}.cards tr,.cards td,.cards th{display:block;padding-left:0;
padding-right:0}
.cards tbody tr{padding:.5rem 0}.cards tbody tr>*{border-top:0;padding-top:.05rem;padding-bottom:.05rem}.cards tbody tr+tr{border-top:1px solid}
td:not(.num){min-width:0}.cards .num{text-align:left;white-space:normal}.cards td[data-label]::before{content:attr(data-label) ": "}}
@media print{@page{margin:18mm 16mm}body{font-size:10.5pt;background:none!important}caption{break-after:avoid}main,footer{max-width:none;padding:0}
header{padding-top:0}nav,th button::after{display:none}h2,h3{break-after:avoid}
tr,.wide,pre{break-inside:avoid}h2{margin-top:2rem}figcaption{break-before:avoid}thead{display:table-header-group}.scroll{overflow:visible}
a{text-decoration:none}}
"""

_SCRIPT = """
for(const table of document.querySelectorAll("table.sort")){const heads=[...table.tHead.rows[0].cells];
heads.forEach((head,i)=>{const button=document.createElement("button");
button.type="button";button.append(...head.childNodes);head.append(button);button.onclick=()=>{const up=head.getAttribute("aria-sort")!=="ascending";
heads.forEach(h=>h.removeAttribute("aria-sort"));
head.setAttribute("aria-sort",up?"ascending":"descending");const key=row=>{const cell=row.cells[i],data=cell.querySelector("data");
return data?Number(data.value):cell.textContent.trim()};
const body=table.tBodies[0];body.append(...[...body.rows].sort((a,b)=>{const x=key(a),y=key(b);
const by=typeof x==="number"&&typeof y==="number"?x-y:String(x).localeCompare(String(y));return up?by:-by}))}})}
"""


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
            f"<style>{_RULES.strip()}\n{_colours(0)}\n{mode}</style>",
            "</head>",
            "<body>",
            *body,
            f"<script>{_SCRIPT.strip()}</script>",
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


def arxiv(number: str | None, shown: str | None = None) -> str:
    """A link to a paper on arXiv; plain text for what is no arXiv number."""
    label = shown if shown is not None else f"arXiv {number}" if number else "no arXiv number"
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
