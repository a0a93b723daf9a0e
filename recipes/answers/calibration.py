"""`cost --calibration` and `latency --calibration`: runs and reports against the estimate from the
other sources.

In: the library. Out: checked rows by kind. Does not print.
"""

from typing import NamedTuple

from ..cost import fit, flops, runs, served
from ..library import Library

# Size classes in billions of parameters of the LLM, as the reports fall
CLASSES = ((1.65, "up to 1.6B"), (5.0, "1.7 to 5B"), (10.0, "7B"), (20.0, "13B"), (1e9, "larger"))


class MemoryCheck(NamedTuple):
    """A report of training memory beside its estimate. right: the verdict is what the report says;
    a report of gigabytes alone says that it fits."""

    id: str
    source: str
    size_b: float
    grade: str
    printed_gb: float | None
    estimated_gb: float
    fits: bool
    status: str

    @property
    def ratio(self) -> float | None:
        return self.estimated_gb / self.printed_gb if self.printed_gb else None

    @property
    def right(self) -> bool:
        return self.fits == (self.status == "fits")


def size_class(size_b: float) -> str:
    """The size class of an LLM."""
    return next(name for most, name in CLASSES if size_b <= most)


def training(library: Library) -> tuple[list[runs.Checked], list[MemoryCheck]]:
    """Runs, each estimated from the other sources; and memory, whose terms come from papers and
    whose few constants no report sets alone."""
    return runs.leave_one_source_out(library.calibration.runs), memory(library)


def memory(library: Library) -> list[MemoryCheck]:
    """Reported training memory beside the estimate."""
    records, out = library.words.records, []
    for row in library.words.registry("cost_reports")["reports"]:
        if row["kind"] != "memory":
            continue
        try:
            run = runs.trained(row, records)
        except flops.MissingFigure:
            continue
        room = float(records("hardware")[row["gpu"]]["memory_gb"])
        found = fit.judge([(run.parts, run.stage.trains)], run.setup, room, run.batch)
        said = row["reported"]
        out.append(
            MemoryCheck(
                row["id"],
                runs.source_of(row["source"]),
                run.parts.llm["params_b"],
                row["grade"],
                said.get("gb"),
                found.need_gb,
                said["fits"],
                found.status,
            )
        )
    return out


def serving(library: Library) -> list[served.Check]:
    """Latencies, each estimated from the other sources."""
    words = library.words
    return served.leave_one_source_out(
        [
            *served.published(words.registry("latency")["measurements"], words.records),
            *served.reported(words.registry("cost_reports")["reports"], words.records),
        ]
    )
