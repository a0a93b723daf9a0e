"""Short names for people: of benchmarks, and of tables as papers call them.

In: the library. Out: slug -> name, table id -> "Cambrian-1, Table 11".
"""

from collections.abc import Iterable

from ..evidence.tables import Paper
from ..library import Library


def names_of(library: Library) -> dict[str, str]:
    """Benchmark slug -> display name."""
    short = {
        "mmbench_en": "MMBench",
        "seed_img": "SEED image",
        "scienceqa_img": "ScienceQA image",
        "mme_perception": "MME perception",
        "mmmu": "MMMU",
        "mmvet": "MM-Vet",
        "llava_wild": "LLaVA-Bench wild",
        "ai2d": "AI2D",
    }
    return {
        key: short.get(key, record["name"].split(" (")[0])
        for key, record in library.words.records("benchmark").items()
    }


def places_of(library: Library, tables: set[str]) -> dict[str, str]:
    """Table id -> `Cambrian-1, Table 11`, and paper key -> `Cambrian-1`."""
    names: dict[str, str] = {}

    def read(papers: Iterable[Paper]) -> None:
        for paper in papers:
            names[paper.key] = paper.short
            for table in paper.tables:  # LLaVA's own tables lie in the file of LLaVA-1.5
                name = paper.short if table.paper == paper.key else table.paper
                names[table.id] = ", ".join(filter(None, (name, table.locator, table.second_hand)))

    read(library.papers({name.split(".")[0] for name in tables}))
    if any("." in table and table not in names for table in tables):
        read(library.papers())
    return names
