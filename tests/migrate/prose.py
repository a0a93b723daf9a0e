"""Write what papers say in words as fields beside it: `python3 -m tests.migrate.prose
../shared/evidence tables`.

In: tables/*.json and registry/training_costs.json, and prose.json beside this file: what a person
read in each text of `training` (how a row was trained), in the notes of a table (which axes move
together) and in `trainable` of a training run. Out: the same files with `trained` on tables and
rows, `confounds` on tables, `stages` on training runs (tables/README.md says what they hold). A
text of `training` that prose.json does not know, and one that stands in no table, stop the run. The
words stay; a row whose words say nothing that a field could hold has an empty `trained`.
"""

import json
import pathlib

from recipes.base.write import dump_paper, dump_registry

from . import HERE, main

READ = json.loads((HERE / "prose.json").read_text(encoding="utf-8"))


def trained(setting: dict) -> dict | None:
    """What a whole setting says of its training: its prose, and the settings that say whether the
    encoder and how the LLM is trained, which go before it. None: it says nothing of it.
    """
    text = setting.get("training")
    if text is not None and text not in READ["training"]:
        raise SystemExit(f"prose.json: training does not know {text!r}")
    out = dict(READ["training"].get(text, {}))
    if setting.get("frozen_encoder") and "stages" in out:
        out["stages"] = [without_encoder(stage) for stage in out["stages"]]
    said = str(setting.get("lm_finetune") or "")
    if said == "none" or setting.get("llm_trained") is False or setting.get("frozen_llm"):
        out["llm_tuning"] = "frozen"
    elif said or setting.get("llm_trained"):
        out["llm_tuning"] = "lora" if "LoRA" in said else "full"
    return out if out or text is not None else None


def without_encoder(stage: dict) -> dict:
    """A stage that leaves the encoder alone."""
    trains = [part for part in stage.get("trains", ()) if part != "encoder"]
    return {**stage, "trains": trains} if "trains" in stage else stage


def extend(table: dict) -> None:
    """The fields of one table and of the rows that differ from it, in place."""
    shared = trained(table["setting"])
    added = {"trained": shared, "confounds": READ["confounds"].get(table["id"])}
    added = {key: value for key, value in added.items() if value is not None}
    parts = [(key, value) for key, value in table.items() if key not in ("trained", "confounds")]
    place = 1 + [key for key, _ in parts].index("setting")
    table.clear()
    table.update([*parts[:place], *added.items(), *parts[place:]])
    for row in table["rows"]:
        own = trained({**table["setting"], **row["set"]})
        row.pop("trained", None)
        if own != shared:
            row["trained"] = own


def migrate(source: pathlib.Path, target: pathlib.Path) -> None:
    seen: set[str] = set()
    for path in sorted(target.glob("*.json")):
        file = json.loads(path.read_text(encoding="utf-8"))
        for table in file["tables"]:
            extend(table)
            seen |= {row["set"].get("training") for row in table["rows"]} | {table["id"]}
            seen.add(table["setting"].get("training"))
        path.write_text(dump_paper(file), encoding="utf-8")
    for text in {*READ["training"], *READ["confounds"]} - seen:
        raise SystemExit(f"prose.json: no table says {text!r}")
    path = target / "registry" / "training_costs.json"
    file = json.loads(path.read_text(encoding="utf-8"))
    for run in file["training_costs"]:
        run.pop("stages", None)
        if stages := READ["trainable"].get(run["trainable"]):
            run["stages"] = stages
    path.write_text(dump_registry(file), encoding="utf-8")


if __name__ == "__main__":
    main(migrate)
