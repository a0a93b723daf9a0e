"""Join the transcribed registries of released models into tables/registry/models.json: `python3 -m
tests.migrate.models ../shared/evidence tables`.

In: registry/models.json and models_2026.json of the evidence (format 1), and models.json beside
this file (hand-made: names that the transcriptions spell in their own way, facts found later, each
with its source). Out: format 2: a score leaves out what is usual (max: the benchmark's;
reported_by: authors) and what is null or empty; lists that can be computed are left out.
"""

import json
import pathlib

from recipes.base.write import dump_registry

from . import HERE, main

OVERLAY = json.loads((HERE / "models.json").read_text(encoding="utf-8"))
FILES = ("models", "models_2026")
COMPUTED = ("strategy_tables",)  # the models' own fields, once more


def short(score: dict, benchmarks: dict) -> dict:
    """A score without what is usual."""
    out = {key: value for key, value in score.items() if value not in (None, [])}
    if out["max"] == benchmarks[score["benchmark"]]["max"]:
        del out["max"]
    if out["reported_by"] == "authors":
        del out["reported_by"]
    return out


def joined(first: dict, second: dict, key: str) -> dict:
    """Two dictionaries of sources; one name for two things stops the run."""
    for name in first.keys() & second.keys():
        if first[name]["where"] != second[name]["where"]:
            raise SystemExit(f"{key} {name!r} means two things")
    return {**second, **first}


def model(record: dict, benchmarks: dict) -> dict:
    """One model under the vocabulary's names, with the facts that were found later."""
    if record["connector"] in OVERLAY["connectors"]:
        record = {**record, "connector": OVERLAY["connectors"][record["connector"]]}
    later = OVERLAY["facts"].get(record["key"], {})
    sources = [*record["spec_sources"], *later.get("spec_sources", ())]
    record = {**record, **later, "spec_sources": list(dict.fromkeys(sources))}
    return {**record, "scores": [short(score, benchmarks) for score in record["scores"]]}


def migrate(source: pathlib.Path, target: pathlib.Path) -> None:
    old, new = (
        json.loads((source / "registry" / f"{name}.json").read_text(encoding="utf-8"))
        for name in FILES
    )
    records = [model(record, old["benchmarks"]) for record in (*old["models"], *new["models"])]
    keys = [record["key"] for record in records]
    for key in OVERLAY["facts"]:
        if key not in keys:
            raise SystemExit(f"models.json: there is no model {key!r}")
    if len(keys) != len(set(keys)):
        raise SystemExit("a model stands in both files")
    out = {
        **{key: value for key, value in old.items() if key not in COMPUTED},
        "format": 2,
        "compiled": new["compiled"],
        "rules": list(dict.fromkeys([*old["rules"], *new["rules"], *OVERLAY["rules"]])),
        "verification": f"{old['verification']} Models of 2026: {new['verification']}",
        "sources": {**joined(old["sources"], new["sources"], "source"), **OVERLAY["sources"]},
        "models": records,
        "recipes": new["recipes"],
        "open_questions": [*old["open_questions"], *new["open_questions"]],
    }
    (target / "registry" / "models.json").write_text(dump_registry(out), encoding="utf-8")


if __name__ == "__main__":
    main(migrate)
