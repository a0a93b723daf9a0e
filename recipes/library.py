"""What a command needs from disk: the vocabulary, the stored fit, and the papers, each read when
first asked for.

In: the directory that ships with the program and the user's own ones. Out: values of the other
packages. The only module beside the evidence readers that knows where files lie.
"""

import functools
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .base.reading import EvidenceError
from .effects.posterior import Posterior
from .effects.store import read_posterior
from .evidence.tables import Metric, Paper, Table, load_papers, paper_files, unescape
from .terms.axes import COMPONENTS
from .terms.vocabulary import UnknownName, Vocabulary, open_vocabulary

if TYPE_CHECKING:
    from .cost.training import Calibration
    from .effects.proxy import Proxies
    from .effects.standing import Standing
    from .evidence.reprints import Repeated
    from .released.models import Landscape
    from .released.practice import Practice


HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.dirname(HERE)  # main.py lies here, unless the package is installed


def installed() -> bool:
    """Is this an installed package, which holds its tables? Its own files are then left alone."""
    return os.path.isdir(os.path.join(HERE, "tables"))


def shipped_tables() -> str:
    """The tables that come with the program: inside an installed package, beside the package in a
    checkout.
    """
    inside = os.path.join(HERE, "tables")
    return inside if installed() else os.path.join(CHECKOUT, "tables")


@functools.cache
def published() -> "Library":
    """The tables that come with the program, alone: one Library in a process, so that each of their
    files is read once, however many ask.
    """
    return Library(shipped=shipped_tables())


def open_library(extra: Sequence[str] = ()) -> "Library":
    """The shipped tables, with the user's if there are any."""
    return Library(extra) if extra else published()


def unified(table: Table, slugs: Mapping[tuple[str, str], str]) -> Table:
    """A table with its components under other names. slugs: (axis, name) -> name."""
    rows = (
        row._replace(
            setting={
                **row.setting,
                **{
                    axis: slugs[axis, row.setting[axis]]
                    for axis in COMPONENTS
                    if isinstance(row.setting.get(axis), str)
                },
            }
        )
        for row in table.rows
    )
    return table._replace(rows=tuple(rows))


class Library:
    """The shipped tables and the user's (`--tables DIR`), joined. shipped: another directory in
    their place, read anew (it may be a copy that changes).
    """

    def __init__(self, extra: Sequence[str] = (), shipped: str | None = None):
        self.shipped = shipped or shipped_tables()
        self.extra = tuple(extra)
        for directory in self.extra:
            if not os.path.isdir(directory):
                raise EvidenceError(
                    directory,
                    "",
                    "is not a directory (--tables wants a folder of table files)",
                    "file",
                )
            if not paper_files(directory):
                raise EvidenceError(
                    directory, "", "holds no table (files of tables: *.json)", "file"
                )
        # the same without the user's tables
        self.alone = self
        if self.extra:
            self.alone = Library(shipped=shipped) if shipped else published()
        # without the names of the user's tables: `check` judges these by it
        self.published_words = (
            self.alone.published_words if self.extra else open_vocabulary(self.shipped)
        )
        self._words: Vocabulary | None = None
        self._own: list[Paper] | None = None
        self._read: dict[str, Paper] = self.alone._read if self.extra else {}
        self._strange: list[str] = []
        self._posterior: Posterior | None = None
        self._calibration: Calibration | None = None
        self._released: Landscape | None = None

    @property
    def words(self) -> Vocabulary:
        """The vocabulary, with the names that only the user's tables have."""
        if self._words is None:
            self._words = open_vocabulary(self.shipped) if self.extra else self.published_words
            self.own_papers()  # admits their names
        return self._words

    def _admit(self, tables: Iterable[Table]) -> dict[tuple[str, str], str]:
        """Let the vocabulary know the names that only the user's tables have, so that they can be
        asked about. Returns (axis, name) -> the name to use.
        """
        slugs: dict[tuple[str, str], str] = {}
        for table in tables:
            for metric in table.metrics.values():
                self._admit_benchmark(metric, table.id)
            for axis, name in (
                (axis, row.setting.get(axis)) for row in table.rows for axis in COMPONENTS
            ):
                if isinstance(name, str) and (axis, name) not in slugs:
                    slugs[axis, name] = self._slug(axis, name) or self._admit_component(
                        axis, name, table.id
                    )
        return slugs

    def _admit_benchmark(self, metric: Metric, table: str) -> None:
        if metric.role not in ("score", "average") or metric.benchmark in self.words.records(
            "benchmark"
        ):
            return
        known = self.words.find("benchmark", metric.benchmark)
        if known:
            self._strange.append(
                f"benchmark {metric.benchmark!r} (in {table} of --tables) should be written"
                f" {known!r}: as it stands it is another one"
            )
        self.words.admit(
            "benchmark",
            metric.benchmark,
            {
                "key": metric.benchmark,
                "name": metric.benchmark,
                "kind": metric.role,
                "max": metric.max,
                "higher_is_better": metric.higher_is_better,
                # its own: nobody says what it tests
                "family": metric.benchmark,
            },
        )

    def _admit_component(self, axis: str, name: str, table: str) -> str:
        """The name to use for a component that the vocabulary does not know, or for a fusion with
        such an encoder.
        """
        for part in name.split("+") if axis == "encoder" else [name]:
            if self._slug(axis, part) is None:
                self._strange.append(
                    f"{self.words.unknown(axis, part)} (in {table} of --tables): its rows speak for"
                    " this name alone"
                )
                self.words.admit(axis, part)
        return self._slug(axis, name) or name

    def _slug(self, axis: str, name: str) -> str | None:
        """The slug of a component, or None. Slow for an unknown name (its error looks for the
        nearest ones): asked once per name, not per row.
        """
        try:
            return self.words.resolve(axis, name).slug
        except UnknownName:
            return None

    def own_papers(self) -> list[Paper]:
        """The user's papers, names unified, without scores that cannot be. An id that the shipped
        tables use too is an EvidenceError.
        """
        words = self.words  # asks for these papers itself when it is new
        if self._own is None:
            papers = (
                list(load_papers(self.extra, words.records("benchmark"), words=words))
                if self.extra
                else []
            )
            slugs = self._admit(table for paper in papers for table in paper.tables)
            self._own = [
                paper._replace(
                    tables=tuple(self._possible(unified(table, slugs)) for table in paper.tables)
                )
                for paper in papers
            ]
            self._refuse_known_ids()
        return self._own

    def _refuse_known_ids(self) -> None:
        """Raise an EvidenceError where a table of the user's has the id of a shipped one.

        Only a file in which the id stands is parsed.
        """
        tables = {table.id: (paper, table) for paper in self._own or () for table in paper.tables}
        for path in paper_files(self.shipped) if tables else ():
            with open(path, encoding="utf-8") as file:
                stand = tables.keys() & set(re.findall(r'"id"\s*:\s*"([^"]*)"', file.read()))
            name = os.path.basename(path)[:-5]
            for shipped in self.papers([name], shipped_only=True) if stand else ():
                for one in shipped.tables:
                    if one.id in stand:
                        paper, table = tables[one.id]
                        raise EvidenceError(
                            paper.file,
                            f"/tables/{table.index}/id",
                            f"the table id {table.id!r} stands in the published tables too",
                            "unique",
                        )

    def _possible(self, table: Table) -> Table:
        """A table without the scores that lie outside their scale; what is left out is noted for
        `strange`.
        """
        from .evidence.rules import check_range

        rows = list(table.rows)
        for pointer, message in check_range(table, self.words):
            _, _, number, _, name = pointer.split("/")
            key = unescape(name)
            rows[int(number)] = rows[int(number)]._replace(
                scores={**rows[int(number)].scores, key: None}
            )
            self._strange.append(
                f"{table.id} of --tables, row {rows[int(number)].arm!r}, {key}: {message}; left out"
            )
        return table._replace(rows=tuple(rows))

    def strange(self) -> list[str]:
        """What is strange in the user's tables, a sentence each: names that the vocabulary does not
        know or spells otherwise, scores left out.
        """
        return self._strange

    @functools.cached_property
    def repeated(self) -> "tuple[Repeated, ...]":
        """The user's papers whose rows stand in a published one."""
        if not self.extra:
            return ()
        from .evidence.reprints import repeated

        return tuple(repeated(self.own_papers(), self.papers(shipped_only=True)))

    def counted_twice(self) -> list[str]:
        """The user's papers that count in the published tables already, a sentence each."""
        return [
            f"{one.rows} of {one.among} rows of {one.paper} carry the scores of rows of {one.of},"
            " which counts already: they count twice"
            for one in self.repeated
        ]

    @functools.cached_property
    def _names(self) -> frozenset[str]:
        """The keys of the shipped papers, which are the names of their files."""
        return frozenset(os.path.basename(path)[:-5] for path in paper_files(self.shipped))

    def papers(
        self, keys: Iterable[str] | None = None, *, shipped_only: bool = False
    ) -> list[Paper]:
        """The papers named in `keys` (all by default), and the user's."""
        wanted = None if keys is None else set(keys)
        missing = self._names - self._read.keys()
        if wanted is not None:
            missing &= wanted
        if missing:
            for paper in load_papers(
                [self.shipped],
                self.published_words.records("benchmark"),
                missing,
                shipped=self.shipped,
                words=self.published_words,
            ):
                self._read.setdefault(paper.key, paper)
        out = [self._read[key] for key in sorted(self._read) if wanted is None or key in wanted]
        return out if shipped_only else out + self.own_papers()

    @property
    def posterior(self) -> Posterior:
        """The stored fit, conditioned on the user's tables if there are any."""
        if self._posterior is None and self.extra:
            from .effects.columns import columns
            from .effects.condition import Conditioned

            own = columns(self.own_papers(), self.words)
            self._posterior = Conditioned(self.alone.posterior, own)
        elif self._posterior is None:
            self._posterior = read_posterior(self.shipped)
        return self._posterior

    @property
    def released(self) -> "Landscape":
        """The released models with what they print."""
        if self._released is None:
            from .released.models import Landscape

            self._released = Landscape(self.words)
        return self._released

    @functools.cached_property
    def practice(self) -> "Practice":
        """What released models are built from, as of the newest of them: not as of a clock, so that
        the same tables give the same answers.
        """
        from .released.practice import practice

        newest = max(model.record["release"] or "" for model in self.released.models)
        return practice(self.released, newest)

    @functools.cached_property
    def standing(self) -> "Standing":
        """How unusual parts do beside usual ones in the tables, and at which sizes rows exist."""
        from .effects.standing import read_standing, standing, usual

        if not self.extra:
            return read_standing(self.shipped)
        known = functools.partial(usual, self.practice, self.words)
        return self.alone.standing.joined(standing(self.own_papers(), self.words, known))

    @functools.cached_property
    def proxies(self) -> "Proxies":
        """How much of what small runs show holds for large ones."""
        from .effects.proxy import added, read_proxies

        if not self.extra:
            return read_proxies(self.shipped)
        from .effects.columns import columns
        from .effects.proxy_rows import cases

        own = columns(self.own_papers(), self.words)
        return self.alone.proxies.joined(added(cases(own, self.words, self.posterior)))

    @property
    def calibration(self) -> "Calibration":
        """Utilisation of published and reported training runs."""
        if self.extra:  # no run of the user's is among them
            return self.alone.calibration
        if self._calibration is None:
            from .cost import runs

            words = self.words
            self._calibration = runs.calibrate(
                [
                    *runs.published(
                        words.registry("training_costs")["training_costs"], words.records
                    ),
                    *runs.reported(words.registry("cost_reports")["reports"], words.records),
                ]
            )
        return self._calibration
