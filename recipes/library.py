"""What a command needs from disk: the vocabulary, the stored fit, and the papers, each read when first asked for.

In: the directory that ships with the program and the user's own ones. Out: values of the other packages.
The only module beside the evidence readers that knows where files lie.
"""
import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .effects.posterior import Posterior
from .effects.store import read_posterior
from .evidence.reading import EvidenceError
from .evidence.tables import Paper, Table, load_papers, unescape
from .evidence.vocabulary import UnknownName, Vocabulary, open_vocabulary

if TYPE_CHECKING:
    from .evidence.redundancy import Repeated
    from .cost.training import Calibration
    from .released import Landscape


def shipped_tables() -> str:
    """The tables that come with the program: inside an installed package, beside the package in a checkout."""
    here = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(here, "tables")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(here), "tables")


def canonical(setting: Mapping, words: Vocabulary) -> dict:
    """A user's setting with the names that the vocabulary knows unified; others stay as they are."""
    out = dict(setting)
    for axis in ("encoder", "connector", "llm", "data"):
        value = out.get(axis)
        if isinstance(value, str):
            out[axis] = _unified(axis, value, words)
    return out


def _components(table: Table) -> Iterator[tuple[str, str]]:
    """(axis, name) of every component in a table's rows, the parts of a fusion one by one."""
    for row in table.rows:
        for axis in ("encoder", "connector", "llm", "data"):
            value = row.setting.get(axis)
            if isinstance(value, str):
                yield from ((axis, part) for part in (value.split("+") if axis == "encoder" else [value]))


@functools.lru_cache(maxsize=4096)
def _unified(axis: str, name: str, words: Vocabulary) -> str:
    """The slug, or the name itself where it is unknown (to find the nearest known ones for the error is slow: once per name, not per row)."""
    try:
        return words.resolve(axis, name).slug
    except UnknownName:
        return name


class Library:
    """The shipped tables and the user's (`--tables DIR`), joined."""

    def __init__(self, extra: Sequence[str] = (), shipped: str | None = None):
        self.shipped = shipped or shipped_tables()
        self.extra = tuple(extra)
        for directory in self.extra:
            if not os.path.isdir(directory):
                raise EvidenceError(directory, "", "is not a directory (--tables wants a folder of table files)", "file")
        self.words = open_vocabulary(self.shipped)
        self._own: list[Paper] | None = None
        self._read: dict[str, Paper] = {}
        self._strange: list[str] = []
        self.repeated: "tuple[Repeated, ...]" = ()      # papers of the user whose rows stand in a published one
        self._posterior: Posterior | None = None
        self._calibration: "Calibration" | None = None
        self._released: "Landscape" | None = None
        if self.extra:
            self._admit()

    def _admit(self) -> None:
        """Let the vocabulary know the names that only the user's tables have, so that they can be asked about; note rows that are published ones."""
        from .evidence.redundancy import repeated
        self.repeated = tuple(repeated(self.own_papers(), self.papers(shipped_only=True)))
        for table in (table for paper in self.own_papers() for table in paper.tables):
            for metric in table.metrics.values():
                if metric.role in ("score", "average") and metric.benchmark not in self.words.records("benchmark"):
                    self.words.admit("benchmark", metric.benchmark, {"key": metric.benchmark, "name": metric.benchmark, "max": metric.max,
                                                                     "higher_is_better": metric.higher_is_better,
                                                                     "family": metric.benchmark})     # its own: nobody says what it tests
            for axis, name in _components(table):
                if name not in self.words.records(axis) and self.words.find(axis, name) is None:
                    self._strange.append(f"{self.words.unknown(axis, name)} (in {table.id} of --tables): its rows speak for this name alone")
                    self.words.admit(axis, name)

    def own_papers(self) -> list[Paper]:
        """The user's papers, names unified, without scores that cannot be. An id that the shipped tables use too is an EvidenceError."""
        if self._own is None:
            self._own = []
            for paper in load_papers(self.extra, self.words.records("benchmark"), words=self.words) if self.extra else ():
                tables = [table._replace(rows=tuple(row._replace(setting=canonical(row.setting, self.words)) for row in table.rows)) for table in paper.tables]
                self._own.append(paper._replace(tables=tuple(map(self._possible, tables))))
            if self._own:
                known = {table.id for paper in self.papers(shipped_only=True) for table in paper.tables}
                for paper in self._own:
                    for table in paper.tables:
                        if table.id in known:
                            raise EvidenceError(paper.file, f"/tables/{table.index}/id",
                                                f"the table id {table.id!r} stands in the published tables too", "unique")
        return self._own

    def _possible(self, table: Table) -> Table:
        """A table without the scores that lie outside their scale; what is left out is noted for `strange`."""
        from .evidence.rules import check_range
        rows = list(table.rows)
        for pointer, message in check_range(table, self.words):
            _, _, number, _, name = pointer.split("/")
            key = unescape(name)
            rows[int(number)] = rows[int(number)]._replace(scores={**rows[int(number)].scores, key: None})
            self._strange.append(f"{table.id} of --tables, row {rows[int(number)].arm!r}, {key}: {message}; left out")
        return table._replace(rows=tuple(rows))

    def strange(self) -> list[str]:
        """What is strange in the user's tables, a sentence each: scores left out, components that the vocabulary does not know."""
        return self._strange

    def counted_twice(self) -> list[str]:
        """The user's papers that count in the published tables already, a sentence each."""
        return [f"{one.rows} of {one.among} rows of {one.paper} carry the scores of rows of {one.of}, which counts already: they count twice"
                for one in self.repeated]

    def papers(self, keys: Iterable[str] | None = None, *, shipped_only: bool = False) -> list[Paper]:
        """The papers named in `keys` (all by default), and the user's."""
        wanted = None if keys is None else set(keys)
        if wanted is None or not wanted <= self._read.keys():
            missing = None if wanted is None else wanted - self._read.keys()
            for paper in load_papers([self.shipped], self.words.records("benchmark"), missing, shipped=self.shipped, words=self.words):
                self._read.setdefault(paper.key, paper)
        out = [self._read[key] for key in sorted(self._read) if wanted is None or key in wanted]
        return out if shipped_only else out + self.own_papers()

    @property
    def posterior(self) -> Posterior:
        """The stored fit, conditioned on the user's tables if there are any."""
        if self._posterior is None:
            self._posterior = read_posterior(self.shipped)
            if self.extra:
                from .effects.columns import columns
                from .effects.condition import Conditioned
                self._posterior = Conditioned(self._posterior, columns(self.own_papers(), self.words))
        return self._posterior

    @property
    def released(self) -> "Landscape":
        """The released models with what they print."""
        if self._released is None:
            from .released import Landscape
            self._released = Landscape(self.words)
        return self._released

    @property
    def calibration(self) -> "Calibration":
        """Utilisation of published training runs."""
        if self._calibration is None:
            from .cost import training
            words = self.words
            self._calibration = training.calibrate(training.published(
                words.registry("training_costs")["training_costs"], words.records("encoder"), words.records("llm"),
                words.records("hardware")))
        return self._calibration
