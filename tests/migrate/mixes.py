"""Turn the transcribed data mixes into tables/registry/data_mixes.json: `python3 -m
tests.migrate.mixes ../shared/evidence tables`.

In: registry/data_mixes.json of the evidence (format 1), and mixes.json beside this file (hand-made:
families of the kinds, what a variant's note says about its contents, reasons for sums that do not
add up, mixes that tables describe in words). Out: format 2: no key that is null or empty, no key
that can be computed from others; a variant that changes an earlier stage says so in `before`;
multi-image sets have a kind of their own. Counts and names are copied as they stand.
"""

import json
import pathlib

from recipes.base.write import dump_registry

from . import HERE, main
from .papers import read

OVERLAY = json.loads((HERE / "mixes.json").read_text(encoding="utf-8"))
COMPUTED = ("parts_sum", "parts_without_count")


def stated(record: dict) -> dict:
    """A record without what no source says (null) and without empty lists."""
    return {key: value for key, value in record.items() if value not in (None, [], {}, "")}


def dataset(record: dict) -> dict:
    """One dataset; several images in one sample are a kind of their own. The overlay names
    benchmarks that the transcriber's list did not have.
    """
    several = record["kind"] == "other" and record["what"].startswith("multi-image")
    more = OVERLAY["datasets"].get(record["key"], {})
    return stated({**record, "kind": "multi-image" if several else record["kind"], **more})


def mix(record: dict) -> dict:
    """One mix, or one variant of a mix, with what the overlay says about it."""
    slug = record["slug"]
    if "parts" in record:
        counts = [part["samples"] for part in record["parts"]]
        known = [count for count in counts if count is not None]
        if (record["parts_sum"], record["parts_without_count"]) != (
            sum(known) if known else None,
            len(counts) - len(known),
        ):
            raise SystemExit(f"{slug}: the counted parts are not what its record says")
        record = {**record, "parts": [stated(part) for part in record["parts"]]}
    elif slug in OVERLAY["stages"]:  # `without` and `plus` of an earlier stage
        gone = set(OVERLAY["stages"][slug].get("without", ()))
        record = {
            **record,
            "without": [name for name in record["without"] if name not in gone],
            "plus": [],
            "before": OVERLAY["stages"][slug]["before"],
        }
    if "plus" in record:
        record = {**record, "plus": [stated(part) for part in record["plus"]]}
    record = {key: value for key, value in record.items() if key not in COMPUTED}
    return stated({**record, **OVERLAY["records"].get(slug, {})})


def migrate(source: pathlib.Path, target: pathlib.Path) -> None:
    path = source / "registry" / "data_mixes.json"
    data = read(path)
    slugs = {record["slug"] for record in data["mixes"]}
    for slug in (*OVERLAY["stages"], *OVERLAY["records"]):
        if slug not in slugs:
            raise SystemExit(f"mixes.json: there is no mix {slug!r}")
    out = {
        "format": 2,
        "kind": data["kind"],
        "how_to_read": stated({**data["how_to_read"], **OVERLAY["how_to_read"]}),
        "kinds": OVERLAY["kinds"],
        "same_split": OVERLAY["same_split"],
        "datasets": [dataset(record) for record in data["datasets"]],
        "mixes": [mix(record) for record in data["mixes"]]
        + [stated(record) for record in OVERLAY["more"]],
    }
    text = dump_registry(out).replace("full-text a copy", "full-text copy")
    (target / "registry" / "data_mixes.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(migrate)
