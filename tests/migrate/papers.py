"""Turn ../shared/evidence into tables/: `python3 -m tests.migrate.papers ../shared/evidence
tables`.

In: the transcribed papers and registries (format 1), and overlay.json beside this file (hand-made
names).
Out: one compact JSON file per paper and tables/registry/*.json (format 2, see tables/README.md).
Scores are copied as they stand; only names of components, data mixes and benchmarks are unified. A
name that overlay.json does not know stops the run and is printed with the place where it stands.
"""

import json
import pathlib
import re

from recipes.base.write import dump_paper, dump_registry
from recipes.evidence.shape import NUMBERS

from . import HERE, main
from .runs import link_runs

OVERLAY = json.loads((HERE / "overlay.json").read_text(encoding="utf-8"))


AXES = (
    "encoder",
    "connector",
    "llm",
    "data",
    "resolution",
    "visual_tokens",
    "training",
    "architecture",
    "whole systems",
)


# Where a copy was found is no source (eleven digits); what was copied is.
ID = (
    r"(?:(?:find_string|read_file),? )?\(?(?:(?:ids?|copy|note|notes) )?\d{8,11}(?:(?:,| and"
    r"|,? or) \d{8,11})*"
)
LOOKED_UP = (
    (rf"\s*\({ID}\)", ""),
    (rf"\({ID}[,;:] ", "("),
    (rf"[,;] {ID}(?=[),;.]|$)", ""),
    (rf"(?:cop(?:y|ies) )?(?:found |read )?(?:with |by )?{ID}\)?", "a copy"),
    (r"cop(?:y|ies) found (?:with|by) find_string", "a copy"),
)


def plain(value):
    """A transcribed value without the numbers under which its copies were looked up."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and re.search(r"find_string|read_file|\bids? \d{8}", value):
        for pattern, words in LOOKED_UP:
            value = re.sub(pattern, words, value)
    return value


def read(path: pathlib.Path) -> dict:
    """A transcribed file."""
    return plain(json.loads(path.read_text(encoding="utf-8")))


# What the overlay may say of a component that the evidence's registries lack, with its source.
FACTS = (
    "license",
    "release",
    "hf_id",
    "line",
    "generation",
    "generation_index",
    "successor_of",
    "notes",
    "source",
)


class Unknown(SystemExit):
    """A name that overlay.json does not know."""


def raw_index(axis: str) -> dict[str, str]:
    """Spelling in the evidence -> slug, for one of encoders, connectors, llms, data."""
    index = {}
    for slug, entry in OVERLAY[axis].items():
        for spelling in [slug, *entry["raw"]]:
            index[spelling] = slug
    return index


RAW = {axis: raw_index(axis) for axis in ("encoders", "connectors", "llms", "data")}


def encoder_slug(name: str, row: dict, paper: str) -> str:
    """One slug for an encoder, fused ones joined by + in alphabetical order."""
    own = OVERLAY["encoder_by_paper"].get(paper, {})
    # Table 5 names the patch apart
    if name in ("openvision-vit-ti", "openvision-vit-s", "openvision-vit-b"):
        name = f"{name}-{row['patch_size']}"
    parts = [name] if name in RAW["encoders"] else name.split("+")
    slugs = [own.get(part) or lookup("encoders", part) for part in parts]
    version = row.get("encoder_version")
    return "+".join(sorted(OVERLAY["encoder_by_version"].get(f"{s}|{version}", s) for s in slugs))


def lookup(axis: str, name: str) -> str:
    try:
        return RAW[axis][name]
    except KeyError:
        raise Unknown(f"overlay.json: {axis} does not know {name!r}") from None


# MM1's attention pooling is another thing
CONNECTOR_BY_PAPER = {("molmo", "attn-pool"): "attn-pool-mlp"}


def convert_setting(setting: dict, full: dict, paper: str) -> dict:
    """Unify the names in one setting; `full` is the row's whole setting (the patch size may stand
    elsewhere).
    """
    out = {}
    for key, value in setting.items():
        if key not in OVERLAY["settings"]:
            raise Unknown(f"overlay.json: settings does not know {key!r} ({paper})")
        if value is not None:
            if key in NUMBERS and isinstance(value, str):
                key = f"{key}_printed"  # words where a number belongs
                if key not in OVERLAY["settings"]:
                    raise Unknown(f"overlay.json: settings does not know {key!r} ({paper})")
            elif key == "encoder":
                value = encoder_slug(value, full, paper)
            elif key == "connector":
                value = CONNECTOR_BY_PAPER.get((paper, value)) or lookup("connectors", value)
            elif key == "llm":
                value = lookup("llms", value)
            elif key == "data":
                value = lookup("data", value)
            elif key == "resolution" and isinstance(value, str):
                value = OVERLAY["resolution_names"].get(value, value)
                if value not in OVERLAY["resolutions"]:
                    raise Unknown(f"overlay.json: resolutions does not know {value!r} ({paper})")
        out[key] = value
    return out


def convert_metric(metric: dict, benchmarks: dict, table: str, paper: str, key: str) -> dict:
    """Unify the benchmark's name; leave out what the benchmark's record already says. A mean that
    papers print under one name and mean differently is a benchmark of its paper (`per_paper`).
    """
    raw, split = metric["benchmark"], metric.get("split")
    rule = OVERLAY["raw_benchmarks"].get(raw, {"benchmark": raw})
    slug = rule.get("benchmark") or f"{paper}-{key.replace('_', '-')}"
    slug = rule.get("by_unit", {}).get(metric["unit"], slug)
    if split is None:
        own = rule.get("by_paper", {})  # of a paper, or of one of its tables
        slug = own.get(table) or own.get(paper, slug)
    if "split" in rule:
        split = rule["split"]
    if split in rule.get("by_split", {}):
        slug, split = rule["by_split"][split]
    if slug not in benchmarks:
        raise Unknown(f"no benchmark {slug!r} (from {raw!r})")
    record = benchmarks[slug]
    out = {"benchmark": slug, "split": split, "unit": metric["unit"]}
    if metric["max"] != record["max"] and slug not in OVERLAY["no_scale"]:
        out["max"] = metric["max"]
    if metric["higher_is_better"] != record["higher_is_better"]:
        out["higher_is_better"] = metric["higher_is_better"]
    for key in ("mean_of", "shots"):
        if metric.get(key):
            out[key] = metric[key]
    role = record["kind"]
    if metric.get("mean_of"):
        role = "average"
    if "difference" in (metric["unit"] or "") or "regret" in (metric["unit"] or ""):
        role = "difference"
    if role != "score":
        out["role"] = role
    return {key: value for key, value in out.items() if value is not None or key == "max"}


def benchmark_records(registry: dict) -> list[dict]:
    """Registry records (with kind, aliases) followed by the benchmarks only the overlay
    describes.
    """
    aliases = OVERLAY["benchmark_aliases"]
    out = []
    for record in registry["benchmarks"]:
        record = dict(record)
        record["family"] = record.pop("task_family")
        record["max"] = record.pop("scale_max")
        if record["key"].endswith("_cider"):
            record["max"] = None
        record["name"] = record.pop("full_name")
        record["kind"] = "average" if record["key"] == "idefics2-avg4" else "score"
        if record["key"] == "cvbench":
            record["mean_of"] = ["cvbench_2d", "cvbench_3d"]
        out.append(record)
    for key, entry in OVERLAY["benchmarks"].items():
        out.append({"key": key, **entry})
    for record in out:
        record["aliases"] = aliases.get(record["key"], [])
    order = (
        "key",
        "name",
        "aliases",
        "tests",
        "family",
        "other_families",
        "kind",
        "part_of",
        "metric",
        "max",
        "higher_is_better",
        "chance_level",
        "chance_source",
        "splits",
    )
    return [
        {
            **{k: r[k] for k in order if r.get(k) not in (None, [], {}) or k in ("family", "max")},
            **{k: v for k, v in r.items() if k not in order and v is not None},
        }
        for r in out
    ]


# what a base model and its tuned version need not both say
COMMON_TO_VERSIONS = ("slug", "name", "aliases", "family", "based_on", "params_b")


def with_more(axis: str, registry: dict, more: dict) -> list[dict]:
    """The records of components.json, corrected and filled in from components_more.json. A number
    that came from there names its source in `further_source`.
    """
    added = {record["slug"]: record for record in more.get(axis, ())}
    out = []
    for record in registry[axis]:
        record = dict(record)
        for change in more["corrections"]:
            if change["slug"] == record["slug"]:
                if record[change["field"]] != change["was"]:
                    raise Unknown(f"correction of {change['slug']}: {change['field']} differs")
                record[change["field"]] = change["is"]
                record.setdefault("corrected", []).append(
                    f"{change['field']}: {change['was']} -> {change['is']} ({change['source']})"
                )
        if extra := added.pop(record["slug"], None):
            fresh = {
                key: value
                for key, value in extra.items()
                if value is not None
                and key not in ("slug", "source", "notes")
                and (record.get(key) is None or key == "mmlu_note")
            }
            record.update(fresh)
            if fresh:
                record["further_source"] = {"of": list(fresh), "source": extra["source"]}
            if extra.get("notes"):
                record["further_notes"] = extra["notes"]
        out.append(record)
    known = {record["slug"]: record for record in out}
    for slug, extra in added.items():
        extra = {key: value for key, value in extra.items() if value is not None}
        base = known.get(extra.get("based_on"))
        # the tuned version of a base model, where no table tells them apart
        if base and slug == f"{base['slug']}-instruct" and slug not in OVERLAY[axis]:
            base["instruct"] = {
                key: value
                for key, value in extra.items()
                if key not in COMMON_TO_VERSIONS and base.get(key) != value
            }
        else:
            known[slug] = extra
    return list(known.values())


TAKEN = (
    "kind",
    "family",
    "size_class",
    "class",
    "params_b",
    "patch_size",
    "native_resolution",
    "visual_tokens_rule",
    *FACTS,
)
LEAD = ("slug", "name", "aliases", "kind", "class", "family", "size_class")


def merged(records: list[dict]) -> dict[str, dict]:
    """Records by slug. The same tower at two resolutions is one record with both."""
    out = {}
    for record in records:
        slug = record["slug"]
        if slug in out:
            first = out[slug]
            for key in ("native_resolution", "patch_tokens_at_native"):
                first[key] = sorted({*first[key], *record[key]})
            notes = (first["notes"], record["name"], record["notes"])
            first["notes"] = "; ".join(filter(None, notes))
        else:
            out[slug] = {k: list(v) if isinstance(v, list) else v for k, v in record.items()}
    return out


def complete(record: dict, entry: dict) -> None:
    """Fill a record in, in place, with what overlay.json says of it."""
    record["name"] = record.get("name") or entry.get("name", record["slug"])
    for key in TAKEN:
        if record.get(key) is None and entry.get(key) is not None:
            record[key] = entry[key]
    if record.get("mmlu") is None and entry.get("mmlu") is not None:
        record["mmlu"] = entry["mmlu"]
        record["mmlu_note"] = f"as printed in {entry['mmlu_source']}"
    spellings = [*entry["aliases"], *(record.get("aliases") or ())]
    record["aliases"] = list(dict.fromkeys(spellings))
    for key in ("heads", "kv_heads", "intermediate_size"):
        if isinstance(record.get(key), str):  # one number a layer: no number of the model
            record[f"{key}_printed"] = record.pop(key)


def billions(record: dict) -> float | None:
    """The parameters of a language model: counted, or as its maker prints them."""
    if record.get("params"):
        return round(record["params"] / 1e9, 3)
    printed = re.match(r"([\d.]+)([BM])\b", record.get("params_printed") or "")
    if record.get("params_b") or not printed:
        return record.get("params_b")
    return float(printed[1]) / (1 if printed[2] == "B" else 1000)


def component_records(registry: dict, more: dict, printed_sizes: dict) -> dict:
    """Encoders, connectors, LLMs and data mixes with aliases."""
    out = {}
    for axis in ("encoders", "connectors", "llms"):
        records = merged(with_more(axis, registry, more))
        for slug, entry in OVERLAY[axis].items():
            record = records.setdefault(slug, {"slug": slug})
            complete(record, entry)
            sized = axis != "encoders" or record.get("params_vision_tower")
            if not sized and slug in printed_sizes:
                record["params_b_printed"], record["params_source"] = printed_sizes[slug]
            if axis == "llms":
                record["params_b"] = billions(record)
        out[axis] = [
            {
                **{k: r[k] for k in LEAD if k in r},
                **{k: v for k, v in r.items() if k not in LEAD and v is not None},
            }
            for r in records.values()
        ]
    out["data"] = [
        {
            "slug": slug,
            "name": entry.get("name") or entry["raw"][0],
            "aliases": entry["aliases"],
            # words that mean this mix in one paper only are no spelling of it
            "printed": [name for name in entry["raw"] if name not in OVERLAY["only_here"]],
            **{k: entry[k] for k in ("samples", "samples_source") if k in entry},
        }
        for slug, entry in OVERLAY["data"].items()
    ]
    out["resolutions"] = [{"slug": slug, **entry} for slug, entry in OVERLAY["resolutions"].items()]
    return out


def apart(table: dict, printed: list[dict]) -> None:
    """Stop where two names of one table have become one."""
    for axis in ("encoder", "connector", "llm", "data"):
        seen = {}
        for before, row in zip(printed, table["rows"]):
            slug, name = row["set"].get(axis, table["setting"].get(axis)), before.get(axis)
            if seen.setdefault(slug, name) != name:
                raise Unknown(f"{table['id']}: {name!r} and {seen[slug]!r} both become {slug!r}")


def unify(table: dict, paper: str, benchmarks: dict, sizes: dict) -> None:
    """The names of one table, in place; sizes: encoder -> (printed parameters, table)."""
    table["metrics"] = {
        name: convert_metric(metric, benchmarks, table["id"], paper, name)
        for name, metric in table["metrics"].items()
    }
    setting = table["setting"]
    if re.fullmatch("openvision-vit-(ti|s|b)", setting.get("encoder") or ""):
        raise Unknown("an OpenVision encoder without its patch size")
    printed = [{**setting, **row["set"]} for row in table["rows"]]
    for row, full in zip(table["rows"], printed):
        row["set"] = convert_setting(row["set"], full, paper)
    table["setting"] = convert_setting(setting, setting, paper)
    apart(table, printed)
    for row in table["rows"]:
        full = {**table["setting"], **row["set"]}
        if full.get("encoder") and full.get("encoder_params_b"):
            sizes.setdefault(full["encoder"], (full["encoder_params_b"], table["id"]))


def finish(table: dict, runs: dict) -> None:
    """What overlay.json says about a table and its rows, in place."""
    name = table["id"]
    for number, row in enumerate(table["rows"]):
        for key in ("same_runs_as", "same_arm", "default_run", "run"):
            row.pop(key, None)
        if (name, number) in runs:
            row["run"] = runs[name, number]
        if doubt := OVERLAY["doubts"].get(name, {}).get(row["arm"]):
            row["doubt"] = doubt
        if name in OVERLAY["per_size"]:
            row["set"]["per_size"] = row["arm"]
    axes = [a if a in AXES else OVERLAY["settings"][a]["axis"] for a in table["varies"]]
    systems = ["whole systems"] * (name in OVERLAY["whole_systems"])
    table["varies"] = [*dict.fromkeys(axes), *systems]
    if family := OVERLAY["families_of_tables"].get(name):
        table["family"] = family
    table["notes"] = table.pop("notes", None)
    if name in OVERLAY["accepted"]:
        arms = [row["arm"] for row in table["rows"]]
        table["accepted"] = [
            {
                "rule": e["rule"],
                "at": e.get("at") or f"/rows/{arms.index(e['arm'])}/scores/{e['metric']}",
                "why": e["why"],
            }
            for e in OVERLAY["accepted"][name]
        ]
    # kept in words; the rows carry the links
    if isinstance(table.get("same_runs_as"), str):
        table["same_runs_note"] = table.pop("same_runs_as")


def write_registry(registry: dict, records: list[dict], sizes: dict, folder: pathlib.Path) -> None:
    """The registry's files."""
    folder.mkdir(parents=True, exist_ok=True)
    benchmarks = registry["benchmarks"]
    head = {"format": 2, "generated": benchmarks["generated"]}
    components = component_records(registry["components"], registry["components_more"], sizes)
    settings = [{"key": key, **entry} for key, entry in OVERLAY["settings"].items()]
    files = {
        "benchmarks": {
            **head,
            "how_to_read": benchmarks["how_to_read"],
            "frameworks": benchmarks["frameworks"],
            "families": OVERLAY["families"],
            "benchmarks": records,
        },
        "components": {
            **head,
            "how_to_read": registry["components"]["how_to_read"],
            **components,
        },
        "settings": {**head, "settings": settings},
        **{name: {**registry[name], "format": 2} for name in ("latency", "training_costs")},
    }
    for name, data in files.items():
        (folder / f"{name}.json").write_text(dump_registry(data), encoding="utf-8")


REGISTRY = ("benchmarks", "components", "components_more", "latency", "training_costs")


def migrate(source: pathlib.Path, target: pathlib.Path) -> None:
    registry = {name: read(source / "registry" / f"{name}.json") for name in REGISTRY}
    records = benchmark_records(registry["benchmarks"])
    benchmarks = {record["key"]: record for record in records}
    papers, sizes = {}, {}
    for path in sorted(source.glob("*.json")):
        papers[path.name] = file = read(path)
        for table in file["tables"]:
            unify(table, file["paper"]["key"], benchmarks, sizes)
    runs = link_runs(papers, [*OVERLAY["same_run"], *OVERLAY["reprints"]])
    for name, file in papers.items():
        for table in file["tables"]:
            finish(table, runs)
        file["format"] = 2
        key = file["paper"]["key"]
        file["paper"] = {"key": key, "short": OVERLAY["paper_names"].get(key, key), **file["paper"]}
        (target / name).write_text(dump_paper(file), encoding="utf-8")
    write_registry(registry, records, sizes, target / "registry")


if __name__ == "__main__":
    main(migrate)
