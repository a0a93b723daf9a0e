#!/usr/bin/env python3
"""Turn ../shared/evidence into tables/: `python3 tests/migrate/migrate.py ../shared/evidence
tables`.

In: the transcribed papers and registries (format 1), and overlay.json beside this file (hand-made
names).
Out: one compact JSON file per paper and tables/registry/*.json (format 2, see tables/README.md).
Scores are copied as they stand; only names of components, data mixes and benchmarks are unified. A
name that overlay.json does not know stops the run and is printed with the place where it stands.
"""

import collections
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from recipes.base.write import dump_paper, dump_registry  # noqa: E402
from recipes.evidence.shape import NUMBERS  # noqa: E402

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
ID = r"(?:(?:find_string|read_file),? )?\(?(?:(?:ids?|copy|note|notes) )?\d{8,11}(?:(?:,| and|,? or) \d{8,11})*"
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
            elif (
                key == "resolution"
                and isinstance(value, str)
                and value not in OVERLAY["resolutions"]
            ):
                raise Unknown(f"overlay.json: resolutions does not know {value!r} ({paper})")
        out[key] = value
    return out


def convert_metric(metric: dict, benchmarks: dict, paper: str, key: str) -> dict:
    """Unify the benchmark's name; leave out what the benchmark's record already says. A mean that
    papers print under one name and mean differently is a benchmark of its paper (`per_paper`).
    """
    raw, split = metric["benchmark"], metric.get("split")
    rule = OVERLAY["raw_benchmarks"].get(raw, {"benchmark": raw})
    slug = rule.get("benchmark") or f"{paper}-{key.replace('_', '-')}"
    slug = rule.get("by_unit", {}).get(metric["unit"], slug)
    if split is None:
        slug = rule.get("by_paper", {}).get(paper, slug)
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


def component_records(registry: dict, more: dict, printed_sizes: dict) -> dict:
    """Encoders, connectors, LLMs and data mixes with aliases; several registry records of one slug
    are merged.
    """
    out = {}
    for axis in ("encoders", "connectors", "llms"):
        records = collections.OrderedDict()
        for record in with_more(axis, registry, more):
            slug = record["slug"]
            # the same tower at two resolutions: one record, both native resolutions
            if slug in records:
                first = records[slug]
                for key in ("native_resolution", "patch_tokens_at_native"):
                    first[key] = sorted({*first[key], *record[key]})
                first["notes"] = "; ".join(
                    filter(None, (first["notes"], record["name"], record["notes"]))
                )
            else:
                records[slug] = {
                    k: list(v) if isinstance(v, list) else v for k, v in record.items()
                }
        for slug, entry in OVERLAY[axis].items():
            record = records.setdefault(slug, {"slug": slug})
            if not record.get("name"):
                record["name"] = entry.get("name", slug)
            for key in (
                "kind",
                "family",
                "size_class",
                "class",
                "params_b",
                "patch_size",
                "native_resolution",
                "visual_tokens_rule",
                *FACTS,
            ):
                if record.get(key) is None and entry.get(key) is not None:
                    record[key] = entry[key]
            if record.get("mmlu") is None and entry.get("mmlu") is not None:
                record["mmlu"], record["mmlu_note"] = (
                    entry["mmlu"],
                    f"as printed in {entry['mmlu_source']}",
                )
            record["aliases"] = list(
                dict.fromkeys([*entry["aliases"], *(record.get("aliases") or ())])
            )
            if (
                axis == "encoders"
                and not record.get("params_vision_tower")
                and slug in printed_sizes
            ):
                record["params_b_printed"], record["params_source"] = printed_sizes[slug]
            for key in ("heads", "kv_heads", "intermediate_size"):
                if isinstance(record.get(key), str):  # one number a layer: no number of the model
                    record[f"{key}_printed"] = record.pop(key)
            if axis == "llms" and record.get("params"):
                record["params_b"] = round(record["params"] / 1e9, 3)
            elif axis == "llms" and not record.get("params_b"):
                printed = re.match(r"([\d.]+)([BM])\b", record.get("params_printed") or "")
                if printed:
                    record["params_b"] = float(printed[1]) / (1 if printed[2] == "B" else 1000)
        lead = ("slug", "name", "aliases", "kind", "class", "family", "size_class")
        out[axis] = [
            {
                **{k: r[k] for k in lead if k in r},
                **{k: v for k, v in r.items() if k not in lead and v is not None},
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


def link_runs(papers: dict) -> dict:
    """(table, row number) -> run name, for every training run that is printed more than once.

    Links come from the evidence (`same_runs_as` with an equal arm or equal cells, `run`,
    `default_run`), from overlay.json (`same_run`), and from equality: two rows of one paper, in
    different tables, that agree in three or more cells and differ in none.
    """
    rows = {}
    for file in papers.values():
        for table in file["tables"]:
            for number, row in enumerate(table["rows"]):
                cells = {}
                for key, value in row["scores"].items():
                    metric = table["metrics"][key]
                    if value is not None and not metric.get("mean_of"):
                        cells[
                            metric["benchmark"],
                            metric.get("split"),
                            metric.get("max"),
                            metric.get("shots"),
                            metric.get("unit") if metric.get("role") else None,
                        ] = value
                rows[table["id"], number] = (file["paper"]["key"], table, row, cells)
    parent = {place: place for place in rows}

    def root(place):
        while parent[place] != place:
            place = parent[place]
        return place

    def join(a, b):
        a, b = sorted((root(a), root(b)))
        parent[b] = a

    by_table = collections.defaultdict(list)
    for place in rows:
        by_table[place[0]].append(place)
    named = collections.defaultdict(list)
    for place, (paper, table, row, cells) in rows.items():
        if row.get("run") and row["run"] != "none":
            named[paper, row["run"]].append(place)
        if row.get("default_run"):
            named[paper, "default"].append(place)
        target = row.get("same_runs_as") or table.get("same_runs_as") or ""
        target, _, told = target.partition(": ")  # TABLE, or TABLE: ARM
        for other_id in by_table:
            # links told in words stand in overlay.json
            if other_id == table["id"] or other_id != target:
                continue
            if told:
                for other in by_table[other_id]:
                    if rows[other][2]["arm"] == told:
                        join(place, other)
                continue
            equal = [
                p
                for p in by_table[other_id]
                if rows[p][2]["arm"] == row.get("same_arm", row["arm"])
                or (
                    len(shared := [k for k in cells if k in rows[p][3]])
                    and all(cells[k] == rows[p][3][k] for k in shared)
                )
            ]
            if len(equal) == 1:
                join(place, equal[0])
    for places in named.values():
        for place in places[1:]:
            join(places[0], place)
    for group in (*OVERLAY["same_run"], *OVERLAY["reprints"]):
        places = [next(p for p in by_table[t] if rows[p][2]["arm"] == arm) for t, arm in group]
        for place in places[1:]:
            join(places[0], place)
    per_paper = collections.defaultdict(list)
    for place, value in rows.items():
        per_paper[value[0]].append(place)
    for places in per_paper.values():
        for i, a in enumerate(places):
            for b in places[:i]:
                if a[0] == b[0] or root(a) == root(b):
                    continue
                shared = [k for k in rows[a][3] if k in rows[b][3]]
                if len(shared) >= 3 and all(rows[a][3][k] == rows[b][3][k] for k in shared):
                    join(a, b)
    groups = collections.defaultdict(list)
    for place in rows:
        groups[root(place)].append(place)
    runs = {}
    first_printed = {
        file["paper"]["key"]: file["paper"]["arxiv"] or "9" for file in papers.values()
    }
    for places in groups.values():
        if len(places) > 1:  # named where the earliest paper prints it
            first = min(places, key=lambda place: (first_printed[rows[place][0]], place))
            for place in places:
                runs[place] = f"{first[0]}/{rows[first][2]['arm']}"
    return runs


def migrate(source: pathlib.Path, target: pathlib.Path) -> None:
    registry = {
        name: read(source / "registry" / f"{name}.json")
        for name in (
            "benchmarks",
            "components",
            "components_more",
            "hardware",
            "latency",
            "training_costs",
        )
    }
    records = benchmark_records(registry["benchmarks"])
    benchmarks = {record["key"]: record for record in records}
    papers, sizes = {}, {}
    for path in sorted(source.glob("*.json")):
        file = read(path)
        key = file["paper"]["key"]
        for table in file["tables"]:
            table["metrics"] = {
                name: convert_metric(metric, benchmarks, key, name)
                for name, metric in table["metrics"].items()
            }
            printed = [{**table["setting"], **row["set"]} for row in table["rows"]]
            setting = table["setting"]
            if setting.get("encoder") in (
                "openvision-vit-ti",
                "openvision-vit-s",
                "openvision-vit-b",
            ):
                raise Unknown("an OpenVision encoder without its patch size")
            for row in table["rows"]:
                row["set"] = convert_setting(row["set"], {**setting, **row["set"]}, key)
            table["setting"] = convert_setting(setting, setting, key)
            for axis in ("encoder", "connector", "llm", "data"):
                seen = {}  # two names of one table must not fall together
                for before, row in zip(printed, table["rows"]):
                    slug = row["set"].get(axis, table["setting"].get(axis))
                    name = before.get(axis)
                    if seen.setdefault(slug, name) != name:
                        raise Unknown(
                            f"{table['id']}: {name!r} and {seen[slug]!r} both become {slug!r}"
                        )
            for row in table["rows"]:
                full = {**table["setting"], **row["set"]}
                if full.get("encoder") and full.get("encoder_params_b"):
                    sizes.setdefault(full["encoder"], (full["encoder_params_b"], table["id"]))
        papers[path.name] = file
    runs = link_runs(papers)
    for name, file in papers.items():
        for table in file["tables"]:
            for number, row in enumerate(table["rows"]):
                for key in ("same_runs_as", "same_arm", "default_run", "run"):
                    row.pop(key, None)
                if (table["id"], number) in runs:
                    row["run"] = runs[table["id"], number]
                if doubt := OVERLAY["doubts"].get(table["id"], {}).get(row["arm"]):
                    row["doubt"] = doubt
            table["varies"] = list(
                dict.fromkeys(
                    axis if axis in AXES else OVERLAY["settings"][axis]["axis"]
                    for axis in table["varies"]
                )
            )
            if table["id"] in OVERLAY["whole_systems"]:
                table["varies"] = [*table["varies"], "whole systems"]
            if table["id"] in OVERLAY["per_size"]:
                for row in table["rows"]:
                    row["set"]["per_size"] = row["arm"]
            if family := OVERLAY["families_of_tables"].get(table["id"]):
                table["family"] = family
            table["notes"] = table.pop("notes", None)
            if table["id"] in OVERLAY["accepted"]:
                arms = [row["arm"] for row in table["rows"]]
                table["accepted"] = [
                    {
                        "rule": e["rule"],
                        "at": e.get("at") or f"/rows/{arms.index(e['arm'])}/scores/{e['metric']}",
                        "why": e["why"],
                    }
                    for e in OVERLAY["accepted"][table["id"]]
                ]
            # kept in words; the rows carry the links
            if isinstance(table.get("same_runs_as"), str):
                table["same_runs_note"] = table.pop("same_runs_as")
        file["format"] = 2
        key = file["paper"]["key"]
        file["paper"] = {"key": key, "short": OVERLAY["paper_names"].get(key, key), **file["paper"]}
        (target / name).write_text(dump_paper(file), encoding="utf-8")
    out = target / "registry"
    out.mkdir(parents=True, exist_ok=True)
    head = {"format": 2, "generated": registry["benchmarks"]["generated"]}
    write = lambda name, data: (out / f"{name}.json").write_text(
        dump_registry(data), encoding="utf-8"
    )  # noqa: E731
    write(
        "benchmarks",
        {
            **head,
            "how_to_read": registry["benchmarks"]["how_to_read"],
            "frameworks": registry["benchmarks"]["frameworks"],
            "families": OVERLAY["families"],
            "benchmarks": records,
        },
    )
    write(
        "components",
        {
            **head,
            "how_to_read": registry["components"]["how_to_read"],
            **component_records(registry["components"], registry["components_more"], sizes),
        },
    )
    write(
        "settings", {**head, "settings": [{"key": k, **v} for k, v in OVERLAY["settings"].items()]}
    )
    for device in registry["hardware"]["hardware"]:
        device["aliases"] = OVERLAY["hardware_aliases"].get(device["slug"], [])
    for name in ("hardware", "latency", "training_costs"):
        write(name, {**registry[name], "format": 2})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: python3 tests/migrate/migrate.py EVIDENCE_DIR TABLES_DIR")
    migrate(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
