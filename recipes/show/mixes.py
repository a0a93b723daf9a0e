"""Data mixes: what one consists of, and which mixes there are (or hold a dataset).

In: Mixes, the vocabulary, and ids of the tables that use a mix. Out: views (plain dictionaries, the
JSON), and text made from the views. Computes nothing: terms/mixes.py and answers/mixes.py do. Does
not print.
"""

from collections.abc import Mapping, Sequence

from ..answers.mixes import ORDER, STAGES, Asked, families, held, together, training_splits, where
from ..base.wording import clean, number, percent, plural
from ..terms.mixes import Mix, Mixes, Part
from ..terms.vocabulary import Vocabulary
from .text import Style, table, wrap

ALWAYS = (  # said of every mix, also when there is none of it: what people look for first
    ("documents", ("document", "table", "infographic")),
    ("scene text", ("scene-text",)),
    ("charts", ("chart",)),
    ("captions", ("dense-captions-human", "dense-captions-model", "web-captions")),
    ("math", ("math",)),
)
PARTS, SPLITS, TABLES = 24, 40, 8  # parts, training splits and tables that the text names
AVAILABLE = {
    "released": "yes",
    "in part": "in part: some of it is not released",
    "parts": "yes, to be put together: all its datasets are public",
    "no": "no",
    "unknown": "not known",
}


def count(samples: float | None, unit: str | None = None) -> str:
    """`665,000 samples`; what no source counts is not known."""
    return "not counted" if samples is None else f"{samples:,.0f} {unit or 'samples'}"


HOW = {
    "split": "train splits",
    "earlier stage": "in earlier stages",
    "uncertain": "perhaps",
    "images": "images only",
}


# --- one mix


def mix_view(mixes: Mixes, slug: str, words: Vocabulary, tables: Sequence[str]) -> dict:
    """All that is known of one mix."""
    mix = mixes.mix(slug) or unlisted(slug, words)
    record, shares = mix.record, mixes.shares(slug)
    splits, unsure = training_splits(mixes, mix, words)
    amounts = [
        (part.drawn if mixes.basis(slug) != "samples" else part.samples) for part in mix.parts
    ]
    total = sum(amount or 0 for amount in amounts) + mix.uncounted
    return {
        "mix": slug,
        "name": record.get("name") or slug,
        "of": record.get("of"),
        "without": list(record.get("without", ())),
        "plus": [part.get("dataset") or part["mix"] for part in record.get("plus", ())],
        "stage": mixes.stated(slug, "stage"),
        "samples": number(mix.samples),
        "unit": mixes.stated(slug, "unit"),
        "listed": mix.listed,
        "kinds": kinds_of(shares),
        "families": families(mixes, shares),
        "shares_by": mixes.basis(slug),
        "parts": [
            part_view(mixes, part, amount / total if amount and total else None)
            for part, amount in zip(mix.parts, amounts)
        ],
        "training_splits": splits,
        "training_splits_complete": not unsure,
        "own_splits": mix.own_splits,
        "before": [{"mix": name, "samples": number(mixes.size(name))} for name in mix.before],
        "available": mix.available,
        "public": mix.public,
        "where": where(mixes, mix),
        "license": record.get("license"),
        "arxiv": record.get("arxiv"),
        "source": record.get("source"),
        "notes": record.get("notes"),
        "categories": record.get("categories"),
        "tables": list(tables),
    }


def kinds_of(shares: Mapping[str, float] | None) -> dict[str, float] | None:
    """Shares by kind, the largest first, rounded."""
    if shares is None:
        return None
    return {kind: number(x) for kind, x in sorted(shares.items(), key=lambda item: -item[1])}


def unlisted(slug: str, words: Vocabulary) -> Mix:
    """A mix that tables name and of which no registry says what is in it."""
    record = {"name": words.records("data").get(slug, {}).get("name")}
    return Mix(slug, record, (), (), None, "none", 0.0, "unknown")


def part_view(mixes: Mixes, part: Part, share: float | None) -> dict:
    """One dataset of a mix."""
    record = mixes.datasets[part.dataset]
    return {
        "dataset": part.dataset,
        "name": record["name"],
        "kind": part.kind,
        "samples": number(part.samples),
        "share": number(share),
        "drawn": number(part.drawn),
        "within": part.within,
        "uncertain": part.uncertain,
        "images_only": part.images_only,
        "train_split_of": list(record.get("train_split_of", ())),
        "public": record.get("public"),
    }


def mix_text(view: Mapping, mixes: Mixes, style: Style) -> str:
    """`tables show MIX`."""
    head = view["name"] if view["name"] == view["mix"] else f"{view['name']} ({view['mix']})"
    lines = [style.paint(line, "bold") for line in wrap(head, style, hang="  ")]
    for name, said in mix_fields(view, mixes):
        lines += wrap(said, style, f"  {name:<14}", " " * 16) if said else []
    parts = view["parts"]
    if parts:
        order = sorted(parts, key=lambda part: -(part["share"] or part["samples"] or 0))
        rows = [
            [
                f"  {clean(part['name'])}{' (images only)' if part['images_only'] else ''}",
                mixes.kinds[part["kind"]]["name"],
                "-" if part["samples"] is None else f"{part['samples']:,.0f}",
                percent(part["share"]) if part["share"] else "-",
            ]
            for part in order[:PARTS]
        ]
        lines += ["", *table(["  dataset", "kind", "samples", "share"], rows, "llrr", style, 0)]
        rest = len(order) - PARTS
        lines += [f"  and {rest} more (--json lists them)"] if rest > 0 else []
    return "\n".join(lines)


def mix_fields(view: Mapping, mixes: Mixes) -> list[tuple[str, str]]:
    """The lines of a mix: name and text; an empty text is left out."""
    kinds = view["kinds"]
    listed = {"all": "", "some": "; more than listed", "none": "; its contents are not stated"}
    change = [f"without {name}" for name in view["without"]] + [f"plus {n}" for n in view["plus"]]
    where_ = ", ".join(view["where"][:6]) + (" …" if len(view["where"]) > 6 else "")
    lines = [
        ("size", f"{count(view['samples'], view['unit'])}{listed[view['listed']]}"),
        ("stage", view["stage"] or ""),
        (
            "made from",
            f"{view['of']}{', ' if change else ''}{', '.join(change)}" if view["of"] else "",
        ),
        (
            "before it",
            ", ".join(f"{b['mix']} ({count(b['samples'])})" for b in view["before"]),
        ),
        (
            "in it",
            _shares(mixes, kinds) + BY[view["shares_by"]]
            if kinds
            else "not stated"
            if view["listed"] == "none"
            else "shares not known: not all parts are counted",
        ),
        (
            "of these",
            ", ".join(f"{name} {_part(kinds, of)}" for name, of in ALWAYS) if kinds else "",
        ),
        (
            "categories",
            ", ".join(f"{name} {share:g}%" for name, share in view["categories"]) + " (as printed)"
            if view["categories"]
            else "",
        ),
    ]
    lines += split_lines(view)
    lines += [
        ("public", AVAILABLE[view["available"]]),
        ("get it", where_),
        ("licence", view["license"] or "not read"),
        ("source", view["source"] or ""),
        ("notes", view["notes"] or ""),
    ]
    tables, more = view["tables"], len(view["tables"]) - TABLES
    used = ", ".join(tables[:TABLES]) + (f" and {more} more" if more > 0 else "")
    return [*lines, ("tables", used or "no published table uses it under this name")]


def split_lines(view: Mapping) -> list[tuple[str, str]]:
    """Which benchmarks' training splits are inside, as far as it is known."""
    lines = []
    splits = [s for s in view["training_splits"] if s["how"] == "split"]
    if view["own_splits"]:
        lines.append(("train splits", "each benchmark's own, one model a task"))
    for how in ORDER:
        names = [s["benchmark"] for s in view["training_splits"] if s["how"] == how]
        more = f" and {len(names) - SPLITS} more" if len(names) > SPLITS else ""
        lines.append((HOW[how], ", ".join(names[:SPLITS]) + more))
    if not splits and not view["own_splits"]:
        lines.append(
            ("train splits", "of no benchmark here" if view["training_splits_complete"] else "")
        )
    if not view["training_splits_complete"] and not view["own_splits"]:
        some = "which training splits are inside is not known"
        others = "others may be inside: not all of its parts are known"
        lines.append(("train splits", some) if not view["training_splits"] else ("", others))
    return lines


def _shares(mixes: Mixes, kinds: Mapping[str, float]) -> str:
    rest = 1.0 - sum(kinds.values())
    said = [f"{mixes.kinds[kind]['name']} {percent(share)}" for kind, share in kinds.items()]
    return ", ".join(said) + (f", not itemized {percent(rest)}" if rest > 0.005 else "")


BY = {
    "samples": "",
    "percent_answer_tokens": " (of the answers' tokens)",
    "percent": " (of what is drawn)",
    "sampling_weight": " (of what is drawn)",
}


def _part(kinds: Mapping[str, float], of: Sequence[str]) -> str:
    return percent(sum(kinds.get(kind, 0.0) for kind in of))


# --- many mixes


def dataset_view(mixes: Mixes, key: str) -> dict:
    """All that is known of one dataset, and the mixes that hold it."""
    record = mixes.datasets[key]
    held_by = [slug for slug, part in mixes.containing(key) if part]
    return {**record, "images": number(record.get("images")), "mixes": held_by}


def dataset_text(view: Mapping, mixes: Mixes, style: Style) -> str:
    """`tables show DATASET`."""
    images = f"{view['images']:,} images" if view["images"] else ""
    size = count(view.get("samples"), view.get("samples_unit")) if view.get("samples") else ""
    public = {True: "yes", False: "no"}.get(view.get("public"), "not known")
    fields = [
        ("kind", f"{mixes.kinds[view['kind']]['name']}: {view['what']}"),
        ("size", ", ".join(part for part in (size, images) if part) or "not known"),
        ("train split of", ", ".join(view.get("train_split_of", ())) or "no benchmark here"),
        ("images of", ", ".join(view.get("images_of", ()))),
        ("public", public + (f": {view['hf_id']}" if view.get("hf_id") else "")),
        ("licence", view.get("license") or "not read"),
        ("source", view["source"]),
        ("in", f"{len(view['mixes'])} data mixes: tables mixes --contains {view['key']}"),
    ]
    lines = wrap(f"{view['name']} ({view['key']})", style, hang="  ")
    lines = [style.paint(line, "bold") for line in lines]
    for name, said in fields:
        lines += wrap(said, style, f"  {name:<16}", " " * 18) if said else []
    return "\n".join(lines)


def list_view(
    mixes: Mixes,
    slugs: Sequence[str],
    rows: Mapping[str, int],
    wanted: Sequence[Asked] = (),
    named: Sequence[str] = (),
) -> dict:
    """Mixes with their size, what they are mostly made of, and whether they are public. rows: table
    rows that use a mix. wanted: what --contains asks for. named: what is in their names.
    """
    out = []
    for slug in slugs:
        mix, shares = mixes.mix(slug), mixes.shares(slug)
        entry = {
            "mix": slug,
            "name": mix.record.get("name") or slug,
            "stage": mixes.stated(slug, "stage"),
            "samples": number(mix.samples),
            "unit": mixes.stated(slug, "unit"),
            "available": mix.available,
            "public": mix.public,
            "kinds": kinds_of(shares),
            "families": families(mixes, shares),
            "rows": rows.get(slug, 0),
        }
        if wanted:
            entry |= held(mix, wanted)
        out.append(entry)
    if wanted:
        within = lambda e: set(e["parts"]) <= e["in_collections"].keys()
        order = lambda e: (STAGES.index(e["in"]), -(e["held"] or 0), within(e), e["mix"])
        out.sort(key=order)
    about = {"contains": together(wanted)._asdict()} if wanted else {}
    return {**about, "named": list(named), "on_record": len(mixes.records), "mixes": out}


def held_text(one: Mapping) -> str:
    """How much of one thing a mix holds."""
    return "-" if one["held"] is None else f"{one['held']:,.0f}"


def place(entry: Mapping) -> str:
    """Where a mix has what was asked for: in a stage, or only within a collection."""
    among = entry["in_collections"]
    return (
        f"in {', '.join(among)}" if among and set(entry["parts"]) <= among.keys() else entry["in"]
    )


def list_text(view: Mapping, style: Style) -> str:
    """`tables mixes`."""
    entries, asked = view["mixes"], view.get("contains")
    if not entries:
        called = " ".join(view["named"])
        said = f"no mix on record{' is called ' + clean(called) if called else ''}"
        if asked:
            said += f"{' and' if called else ''} holds {clean(asked['asked'])}"
        more = f" (tables show {clean(called)} says whether all of its parts are known)"
        return "\n".join(wrap(said + (more if asked and called else ""), style))
    rows = []
    for entry in entries:
        top = [f"{name} {percent(share)}" for name, share in (entry["kinds"] or {}).items()][:1]
        rows.append(
            [
                entry["mix"],
                "-" if entry["samples"] is None else f"{entry['samples']:,.0f}",
                *(
                    [" + ".join(map(held_text, entry["each"])), place(entry)]
                    if asked
                    else [*(top or "-")]
                ),
                {"released": "yes", "parts": "parts", "unknown": "?"}.get(
                    entry["available"], entry["available"]
                ),
                str(entry["rows"] or "-"),
            ]
        )
    if asked:
        head = ["mix", "samples", "held", "where", "public", "rows"]
        own = [name for name in asked["datasets"] if name not in asked["collections"]]
        several = len(entries[0]["each"]) > 1
        of = asked["asked"] if asked["kinds"] or several else ", ".join(own)
        of += f", or within {' or '.join(asked['collections'])}" if asked["collections"] else ""
        first = f"{plural(len(entries), 'mix')} of {view['on_record']} with {of}".replace(
            "mixs", "mixes"
        )
        align = "lrrllr"
    else:
        head = ["mix", "samples", "largest part", "public", "rows"]
        first = f"{plural(len(entries), 'data mix')} on record".replace("mixs", "mixes")
        align = "lrllr"
    return "\n".join(
        [
            *(style.paint(line, "bold") for line in wrap(clean(first), style)),
            "",
            *table(head, rows, align, style),
            "",
            *wrap(
                "public: yes (released as one), parts (all its datasets are), in part, no; rows: of"
                " published tables; -: not counted; tables show MIX says what is in one",
                style,
                hang="  ",
            ),
        ]
    )
