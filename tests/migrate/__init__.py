r"""From transcriptions to tables/: one module per step, each run from the root of the repository.

    python3 -m tests.migrate.papers  ../shared/evidence tables      papers and most of registry/
    python3 -m tests.migrate.models  ../shared/evidence tables      registry/models.json
    python3 -m tests.migrate.mixes   ../shared/evidence tables      registry/data_mixes.json
    python3 -m tests.migrate.prose   ../shared/evidence tables      `trained`, `confounds`, `stages`
    python3 -m tests.migrate.cost_reports ../shared/costs_reported.jsonl \
                                          tables/registry/cost_reports.json

In this order: a step reads what the one before it wrote. Beside each module lies what people said
about what it reads (NAME.json; overlay.json for papers).
"""

import pathlib
import sys
from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent


def main(step: Callable[[pathlib.Path, pathlib.Path], None]) -> None:
    """Carry out a step with the two paths of the command line."""
    if len(sys.argv) != 3:
        name = pathlib.Path(sys.argv[0]).stem
        how = "see tests/migrate/__init__.py"
        raise SystemExit(f"usage: python3 -m tests.migrate.{name} FROM TO ({how})")
    step(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
