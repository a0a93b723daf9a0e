"""The evidence format 1 (a transcription in the paper's own words) -> format 2 (tables/README.md).

In: one parsed file of format 1 and the vocabulary. Out: a new dictionary in format 2 with the same
tables, metrics, rows and scores at the same places, so that JSON pointers hold for both. Names are
unified where the vocabulary spells them; what it does not know stays as the file has it, and is
never guessed. Does not read files, knows no paper by name, and changes no score. Loaded only for a
file that says `"format": 1`.
"""

import functools
import json
import re
from collections.abc import Callable, Mapping

from ..terms.axes import COMPONENTS
from ..terms.vocabulary import UnknownName, Vocabulary, fold
from .same_runs import SAID, link
from .shape import NUMBERS, TEXTS

ROW = ("arm", "scores", *SAID)  # what is read of a row beside its `set`
VARIES = frozenset((*COMPONENTS, "resolution", "visual_tokens", "training", "architecture"))
# Words that two spellings of one component may differ by: they name no component of the registry.
FILLERS = {
    "encoder": {"vit", "patch", "openai", "google", "px"},
    "connector": {"projector", "connector", "layer", "layers", "gelu", "x"},
    "llm": {"v", "llm", "lm"},
    "data": {"data", "dataset", "mix", "mixture", "the", "and", "samples", "images"},
}
SIZES = {
    "tiny": "ti",
    "small": "s",
    "base": "b",
    "large": "l",
    "huge": "h",
    "two": "2",
    "three": "3",
    "six": "6",
}
SPLITS = frozenset(
    (
        "val",
        "validation",
        "dev",
        "test",
        "testdev",
        "teststd",
        "testmini",
        "minival",
        "testa",
        "testb",
        "zeroshot",
    )
)
# units of what is no score
COSTS = re.compile(r"\b(?:hours?|minutes?|seconds?|ms|[GT]B|GPUs?|[GT]?FLOPs?|tokens/s)\b", re.I)
YES, NO = (
    frozenset(("yes", "true", "frozen")),
    frozenset(("no", "false", "unfrozen", "trained", "trainable")),
)


def converted(data: Mapping, words: Vocabulary) -> dict:
    """A file of format 1 in format 2. Parts of the wrong shape are handed on as they are: the
    reader of format 2 refuses them by their pointer.
    """
    out = {
        "format": 2,
        "paper": _paper(data.get("paper")),
        "transcription": _transcription(data.get("transcription")),
        "tables": data.get("tables"),
    }
    if isinstance(out["tables"], list):
        out["tables"] = [
            _table(table, words) if isinstance(table, dict) else table for table in out["tables"]
        ]
        link([table for table in out["tables"] if isinstance(table, dict)])
    return out


def text_of(value) -> str | None:
    """A value as one text: a list with its parts joined, anything else as JSON; None stays None."""
    if value is None or isinstance(value, str):
        return value
    return (
        "; ".join(filter(None, map(text_of, value)))
        if isinstance(value, list)
        else json.dumps(value, ensure_ascii=False)
    )


def _paper(head):
    if not isinstance(head, dict):
        return head
    out = {
        **head,
        **{key: text_of(head.get(key)) for key in ("short", "title", "authors", "arxiv", "venue")},
    }
    year = re.fullmatch(r"\s*(\d{4})\s*", str(head.get("year")))
    return {**out, "year": int(year[1]) if year else None}


def _transcription(said) -> dict:
    return said if isinstance(said, dict) else {"read_from": text_of(said)}


def _table(table: dict, words: Vocabulary) -> dict:
    """One table: its metrics' benchmarks, its settings' components and its axes under the names of
    the vocabulary.
    """
    out = {
        key: table[key]
        for key in ("id", "locator", "section", "metrics", "rows", "same_runs_as")
        if key in table
    }
    out.update(
        {
            key: text_of(table[key])
            for key in ("topic", "protocol", "notes", "grade", "paper", "arxiv")
            if key in table
        }
    )
    out["varies"], out["setting"] = table.get("varies") or [], table.get("setting") or {}
    if isinstance(out["varies"], list):
        out["varies"] = [axis_named(name, words) for name in out["varies"]]
    if isinstance(out.get("metrics"), dict):
        out["metrics"] = _metrics(out["metrics"], words)
    shared = out["setting"] if isinstance(out["setting"], dict) else {}
    rows = out["rows"] if isinstance(out.get("rows"), list) else []
    name = namer([{**shared, **_own(row)} for row in rows] or [shared], words)
    if shared:
        out["setting"] = _setting(shared, shared, name)
    if rows:
        out["rows"] = [_row(row, shared, name) if isinstance(row, dict) else row for row in rows]
    return out


def _own(row) -> dict:
    return row["set"] if isinstance(row, dict) and isinstance(row.get("set"), dict) else {}


def _row(row: dict, shared: Mapping, name: "Namer") -> dict:
    """One row with its `set`; with what only the whole setting of the row names: a component, or
    the pixels that stand in an encoder's name.
    """
    out = {key: row[key] for key in ROW if key in row}
    if isinstance(row.get("scores_std"), dict):
        out["scores_std"] = row["scores_std"]
    if row.get("set") is not None and not isinstance(row["set"], dict):
        return {**out, "set": row["set"]}
    own, full = _own(row), {**shared, **_own(row)}
    out["set"] = _setting(own, full, name)
    for axis in COMPONENTS:
        if axis not in own and shared.get(axis) is not None:
            printed = _joined(axis, shared[axis])
            named = name(axis, printed, full)[0]
            if named != name(axis, printed, shared)[0]:
                out["set"][axis] = named
    if full.get("resolution") is None and full.get("encoder") is not None:
        pixels = name("encoder", _joined("encoder", full["encoder"]), full)[1]
        if pixels:
            out["set"]["resolution"] = pixels
    return out


def axis_named(name, words: Vocabulary):
    """An axis of `varies`: as it stands, or the axis of the setting key that it is (tiling:
    resolution).
    """
    text = text_of(name) or ""
    if re.fullmatch(r"(?:whole )?systems?", text):
        return "whole systems"
    key = re.sub(r"[\s-]+", "_", text)
    axis = words.records("setting").get(key, {}).get("axis")
    return key if key in VARIES else axis if axis in VARIES else text


# Metrics: which benchmark is it?


def _metrics(metrics: dict, words: Vocabulary) -> dict:
    """All metrics of a table; the parts of a mean are named by the table's own keys where it prints
    them.
    """
    key_of: dict[str, list[str]] = {}
    for key, metric in metrics.items():
        if isinstance(metric, dict) and isinstance(metric.get("benchmark"), str):
            key_of.setdefault(fold(metric["benchmark"]), []).append(key)

    def part(name):
        name = text_of(name) or ""
        keys = key_of.get(fold(name), ()) if name not in metrics else ()
        return keys[0] if len(keys) == 1 else name

    return {
        key: _metric(key, metric, part, words) if isinstance(metric, dict) else metric
        for key, metric in metrics.items()
    }


def _metric(key: str, metric: dict, part: Callable, words: Vocabulary) -> dict:
    out = {**metric, "split": text_of(metric.get("split")), "unit": text_of(metric.get("unit"))}
    parts = metric.get("mean_of")
    out["mean_of"] = (
        [part(name) for name in parts]
        if isinstance(parts, list)
        else [parts]
        if isinstance(parts, str)
        else []
    )
    if isinstance(metric.get("benchmark"), str):
        out["benchmark"], out["split"] = benchmark_of(
            metric["benchmark"], out["split"], out["unit"], key, bool(out["mean_of"]), words
        )
    record = (
        words.records("benchmark").get(out.get("benchmark"), {})
        if isinstance(out.get("benchmark"), str)
        else {}
    )
    if not isinstance(metric.get("higher_is_better"), bool):
        out.pop("higher_is_better", None)
    if not isinstance(metric.get("shots"), int):
        out.pop("shots", None)
    unit = fold(out["unit"] or "")
    role = (
        "difference"
        if "difference" in unit or "regret" in unit
        else "average"
        if out["mean_of"]
        else record.get("kind", "score")
    )
    if not record and role == "score" and COSTS.search(out["unit"] or ""):
        role = "cost"
    if role != "score":
        out["role"] = role
    else:
        out.pop("role", None)
    return out


def benchmark_of(
    raw: str, split: str | None, unit: str | None, key: str, mean: bool, words: Vocabulary
) -> tuple[str, str | None]:
    """(benchmark, split) of a metric. raw: what the file calls the benchmark; key: what it calls
    the metric; mean: it is a mean of others.

    Where the split or the metric's key says which part of a benchmark it is (MME, `perception`;
    scienceqa, `image`), that part goes before the whole. A name that no spelling of the vocabulary
    or of a harness's task meets stays as it is.
    """
    plain = re.sub(r"\s*\([^()]*\)", "", raw).strip()
    whole = words.find("benchmark", raw) or words.find("benchmark", plain)
    if mean:
        return whole or raw, split
    if re.match(r"(?:average|mean|avg)\b", split or "", re.I):
        found = words.find("benchmark", plain + " avg") or words.find("benchmark", key + " avg")
        return (found, None) if found else (whole or raw, split)
    for said in _readings(split):
        found = words.find("benchmark", f"{plain} {said}")
        found = found or (whole and _part_of(whole, said, words))
        if found and found != whole:
            return found, _rest(split, said)
    for spelling in (key, f"{plain} {key}") if whole else ():
        found = words.find("benchmark", spelling)
        if found and found != whole and fold(found).startswith(fold(plain)):
            return found, split
    if whole:
        return whole, split
    if fold(unit or "").startswith("cider") and (
        found := words.find("benchmark", plain + " cider")
    ):
        return found, split
    for name in (plain, key):
        found, tail = words.find("benchmark", name), None
        if not found:
            found, tail = _without_split(name, words)
        if found or (found := _tasks(words).get(fold(name))):
            return found, split or tail
    return raw, split


def _readings(split: str | None) -> list[str]:
    """What of a split may name a part of the benchmark: all of it, what stands before a comma, each
    word. Nothing, where it names a sum.
    """
    if not split or re.search(r"\+|\b(?:sum|and|total)\b", split):
        return []
    return list(dict.fromkeys((split, split.partition(",")[0], *re.findall(r"[^\s,;()]+", split))))


def _part_of(whole: str, said: str, words: Vocabulary) -> str | None:
    """The part of a benchmark whose key ends in a short form of what is said (conversation:
    llava_wild_conv), if there is just one.
    """
    tails = [
        slug
        for slug in words.records("benchmark")
        if slug.startswith(whole + "_")
        and len(slug) >= len(whole) + 4
        and fold(said).startswith(fold(slug[len(whole) :]))
    ]
    return tails[0] if len(tails) == 1 else None


def _rest(split: str, said: str) -> str | None:
    """What a split says beside the part of it that named the benchmark."""
    rest = split.replace(said, "", 1).strip(" ,;()-_")
    return rest if rest not in ("", "subset", "split") else None


def _without_split(name: str, words: Vocabulary) -> tuple[str | None, str | None]:
    """(benchmark, split) of a name that ends in its split (docvqa_val, refcoco_testA), or (None,
    None).
    """
    parts = re.split(r"[\s_-]+", name)
    for count in (1, 2):
        head, tail = parts[:-count], parts[-count:]
        # refcocop: RefCOCO+
        found = words.find("benchmark", " ".join(head)) or words.find(
            "benchmark", re.sub("p$", "+", " ".join(head))
        )
        if head and fold("".join(tail)) in SPLITS and found:
            return found, "-".join(tail)
    return None, None


@functools.lru_cache(maxsize=2)
def _tasks(words: Vocabulary) -> dict[str, str]:
    """Folded task name of an evaluation harness -> benchmark, where all its metrics are of one
    benchmark.
    """
    seen: dict[str, set] = {}
    for harness in ("lmms_eval", "vlmevalkit"):
        for entry in words.registry("harnesses")[harness]:
            if entry.get("role", "score") == "score":
                seen.setdefault(fold(entry["task"]), set()).add(entry["benchmark"])
    return {task: found.pop() for task, found in seen.items() if len(found) == 1}


# Settings: which component, which number?

Namer = Callable[[str, str, Mapping], tuple[str, int | None]]


def _setting(own: Mapping, full: Mapping, name: Namer) -> dict:
    """What a setting or a `set` says, in the names and kinds of format 2; full: the row's whole
    setting. What a number's field holds in words goes into a key of its own
    (visual_tokens_printed), so that rows that differ in it still differ."""
    out = {}
    for key, value in own.items():
        if value is None:
            out[key] = None
        elif key in COMPONENTS:
            out[key] = name(key, _joined(key, value), full)[0]
        elif key in TEXTS:
            out[key] = text_of(value)
        elif key in NUMBERS or key in ("resolution", "frozen_encoder"):
            out[key] = _plain(key, value)
            if out[key] is None:
                out[key + "_printed"] = text_of(value)
        else:
            out[key] = text_of(value) if isinstance(value, (list, dict)) else value
    return out


def _joined(axis: str, value) -> str:
    """The name of a component as one text; encoders in a list are fused."""
    fused = (
        axis == "encoder"
        and isinstance(value, list)
        and all(isinstance(part, str) for part in value)
    )
    return "+".join(value) if fused else text_of(value) or ""


def _plain(key: str, value) -> float | str | bool | None:
    """A value of a field that holds a number (or frozen_encoder): as it is, as people write it (7B,
    665K, 336px, 336x336), or None.
    """
    if key == "frozen_encoder":
        return (
            value
            if isinstance(value, bool)
            else True
            if fold(str(value)) in YES
            else False
            if fold(str(value)) in NO
            else None
        )
    if (
        key == "resolution"
        and isinstance(value, list)
        and all(isinstance(x, (int, str)) and not isinstance(x, bool) for x in value)
    ):
        value = "+".join(map(str, value))
    if isinstance(value, str):
        square = key == "resolution" and re.fullmatch(
            r"\s*(\d{2,5})\s*(?:px|pixels|\^2|²|[x×]\s*\1)?\s*(?:px|px²|pixels)?\s*", value
        )
        number = (
            re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKmMbB]?)\s*", value.replace(",", ""))
            if key != "resolution"
            else None
        )
        if square:
            value = int(square[1])
        elif number:
            unit = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}[number[2].lower()]
            value = float(number[1]) * (unit / 1e9 if key == "llm_params_b" and number[2] else unit)
            value = int(value) if value.is_integer() else value
        elif key == "resolution":
            return value
    low, high = NUMBERS.get(key, (16, 16384))
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    return value if good else None


def namer(settings: list[Mapping], words: Vocabulary) -> Namer:
    """How one table's components are named: (axis, the file's name, the row's full setting) ->
    (slug or the file's name, pixels in the name).

    Spellings of the vocabulary count always. The same words in another order, and a name that is
    complete only with the row's `patch_size`, count unless two names of the table would fall
    together.
    """

    def loose(axis: str, name: str, full: Mapping) -> str | None:
        parts = []
        for part in re.split(r"\s*(?:\+|&|\band\b)\s*", name) if axis == "encoder" else (name,):
            slug = words.find(axis, part) or _by_size(axis, part, full, words)
            if slug is None:
                slugs = _bags(axis, words).get(_bag(axis, part), ())
                slug = next(iter(slugs)) if len(slugs) == 1 else None
            if slug is None or slug in parts:
                return None
            parts.append(slug)
        return "+".join(sorted(parts))

    taken: dict[tuple[str, str], set[str]] = {}  # (axis, slug) -> the table's names for it
    for full in settings:
        for axis in COMPONENTS:
            if full.get(axis) is not None:
                printed = _joined(axis, full[axis])
                sure = _spelled(axis, printed, words)
                slug = sure[0] if sure else loose(axis, printed, full)
                if slug:
                    taken.setdefault((axis, slug), set()).add(printed)

    def name(axis: str, printed: str, full: Mapping) -> tuple[str, int | None]:
        sure = _spelled(axis, printed, words)
        if sure:
            return sure
        slug = loose(axis, printed, full)
        if slug and taken.get((axis, slug), {printed}) == {printed}:
            return slug, None
        # + joins encoders
        return (
            re.sub(r"\([^()]*\)", lambda part: part[0].replace("+", "&"), printed)
            if axis == "encoder"
            else printed
        ), None

    return name


@functools.lru_cache(maxsize=4096)
def _spelled(axis: str, name: str, words: Vocabulary) -> tuple[str, int | None] | None:
    """The component that a spelling of the vocabulary means, and the pixels in the name of an
    encoder; None for another name.
    """
    try:
        slug, pixels = words.resolve(axis, name)
    except UnknownName:
        return None
    native = (
        re.search(r"[-_ @](\d{3,4})(?:px)?$", name)
        if axis == "encoder" and pixels is None
        else None
    )
    if native and int(native[1]) in (
        words.records("encoder").get(slug, {}).get("native_resolution") or ()
    ):
        pixels = int(native[1])
    return slug, pixels


def _by_size(axis: str, name: str, full: Mapping, words: Vocabulary) -> str | None:
    """The component whose name lacks the patch size that the row states, or ends in the patch size
    or the parameters that its record states.
    """
    if axis == "encoder":
        slug = (
            words.find(axis, f"{name}-{full['patch_size']}")
            if full.get("patch_size") is not None
            else None
        )
        tail = re.fullmatch(r"(.+?)[-_/ ](\d{2})", name)
        return slug or (
            _if_states(words, axis, tail[1], "patch_size", float(tail[2]), 0.0) if tail else None
        )
    tail = re.fullmatch(r"(.+?)[-_ ](\d+(?:\.\d+)?)b", name, re.I) if axis == "llm" else None
    return _if_states(words, axis, tail[1], "params_b", float(tail[2]), 0.05) if tail else None


def _if_states(
    words: Vocabulary, axis: str, name: str, field: str, value: float, slack: float
) -> str | None:
    slug = words.find(axis, name)
    stated = words.records(axis)[slug].get(field) if slug else None
    return (
        slug if isinstance(stated, (int, float)) and abs(stated - value) <= slack * value else None
    )


@functools.lru_cache(maxsize=8)
def _bags(axis: str, words: Vocabulary) -> dict[tuple[str, ...], set[str]]:
    """The words of every spelling of an axis's components -> the slugs that it may mean."""
    out: dict[tuple[str, ...], set[str]] = {}
    for slug, record in words.records(axis).items():
        for spelling in (
            slug,
            *record.get("aliases", ()),
            record.get("name") or "",
            *record.get("printed", ()),
        ):
            out.setdefault(_bag(axis, spelling), set()).add(slug)
    out.pop((), None)
    return out


def _bag(axis: str, name: str) -> tuple[str, ...]:
    """The words and numbers of a name in one order, without fillers, sizes in their short form."""
    found = re.findall(
        r"\d+(?:\.\d+)?[kmb]?(?![a-z])|[a-z]+|\d+(?:\.\d+)?", name.lower().replace("_", " ")
    )
    return tuple(sorted(SIZES.get(word, word) for word in found if word not in FILLERS[axis]))
