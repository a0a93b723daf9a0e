"""Predictions in bulk: one line of JSON in, one dictionary out.

In: lines of {"from": {recipe}, "to": {recipe}, "benchmark": "mmmu"}. Out: Predicted (the answer of
`swap` with one delta), or a refusal. What many lines share (papers, the rows of one change) is
read and searched once. Does not print.
"""

import json
from collections.abc import Mapping

from ..base.errors import Refused
from ..base.reading import parse
from ..effects.change import Change
from ..effects.judge import judge
from ..effects.level import bounded, check_score
from ..effects.results import Swap
from ..effects.rows import Found, Index, find_rows, relevant_papers
from ..library import Library
from ..terms.recipe import Recipe, RecipeError, published_size
from ..terms.recipe import parse as parse_recipe

KEYS = ("from", "to", "benchmark", "score")  # score: what `from` scores, if known
MAX_LINE = 100_000


class Batch:
    """A stream of predictions over one library."""

    def __init__(self, library: Library, level: float):
        self.library, self.level = library, level
        self._papers: dict[str, object] = {}
        self._index = Index(library.words)
        self._changes: dict[tuple, tuple[Change, list[Found]]] = {}

    def answer(self, line: bytes) -> tuple[Recipe, Recipe, Swap]:
        """Both sides of one line, filled in, and what the change does. Raises Refused."""
        return self.of(self._object(line))

    def of(self, raw: Mapping) -> tuple[Recipe, Recipe, Swap]:
        """The same of a line that is parsed already."""
        self._check(raw)
        words = self.library.words
        benchmark = words.benchmark(raw["benchmark"])
        if not words.records("benchmark")[benchmark]["family"]:
            raise RecipeError("benchmark", f"{benchmark} does not test images")
        warnings: list[str] = []
        before, after = (self._side(raw[key], key, warnings) for key in ("from", "to"))
        before, after = (
            published_size(recipe, words) for recipe in (before.over(after), after.over(before))
        )
        change, found = self._change(before.stated(), after.stated())
        records = words.records("benchmark")
        family = records[benchmark]["family"]

        def bears(name: str) -> bool:
            return name == benchmark or records.get(name, {}).get("family") == family

        rows = [item for item in found if bears(item.contrast.metric.benchmark)]
        scores = self._scores(raw, benchmark, warnings)
        result = judge(
            change, rows, [benchmark], level=self.level, warnings=warnings, scores=scores
        )
        return before, after, result

    @staticmethod
    def _object(line: bytes):
        """The line as JSON."""
        if len(line) > MAX_LINE:
            raise RecipeError("line", f"longer than {MAX_LINE:,} bytes, which are read at most")
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise RecipeError("line", "not UTF-8") from None
        return parse(text, "line")

    @staticmethod
    def _check(raw) -> None:
        """Refuse what is no change with the keys that a prediction needs."""
        if not isinstance(raw, dict):
            raise RecipeError(
                "line", 'not an object (as in {"from": {…}, "to": {…}, "benchmark": "mmmu"})'
            )
        for key in raw:
            if key not in KEYS:
                raise RecipeError(str(key)[:40], f"unknown field (fields: {', '.join(KEYS)})")
        for key in ("from", "to"):
            if not isinstance(raw.get(key), dict):
                raise RecipeError(key, "is missing or not an object of recipe fields")
        if not isinstance(raw.get("benchmark"), str):
            raise RecipeError("benchmark", "is missing or not a name")

    def _scores(self, raw: Mapping, benchmark: str, warnings: list[str]) -> dict[str, float]:
        """What `from` scores, if the line says it."""
        if raw.get("score") is None:
            return {}
        if isinstance(raw["score"], bool) or not isinstance(raw["score"], (int, float)):
            raise RecipeError("score", "is not a number (what `from` scores on the benchmark)")
        if not bounded(self.library.words.records("benchmark")[benchmark]):
            warnings.append(
                f"the score of {benchmark} changes nothing: it has no best value to come close to"
            )
            return {}
        try:
            return {benchmark: check_score(benchmark, raw["score"], self.library.words)}
        except Refused as error:
            raise RecipeError("score", str(error)) from None

    def _side(self, raw: Mapping, key: str, warnings: list[str]) -> Recipe:
        try:
            recipe, doubts = parse_recipe(raw, self.library.words, strict=False)
        except RecipeError as error:
            raise RecipeError(f"{key}.{error.field}", str(error).partition(": ")[2]) from None
        warnings += [f"{key}: {text}" for text in doubts]
        return recipe

    def _change(self, a: dict, b: dict) -> tuple[Change, list[Found]]:
        key = (json.dumps(a, sort_keys=True), json.dumps(b, sort_keys=True))
        if key not in self._changes:
            words, posterior = self.library.words, self.library.posterior
            change = Change(a, b, posterior, words, self._index)
            wanted = relevant_papers(a, b, posterior, words)
            missing = [name for name in sorted(wanted) if name not in self._papers]
            if missing or not self._papers:
                for paper in self.library.papers(missing, shipped_only=True):
                    self._papers[paper.key] = paper
            papers = [
                self._papers[name] for name in sorted(wanted) if name in self._papers
            ] + self.library.own_papers()
            if len(self._changes) > 2000:
                self._changes.clear()
            self._changes[key] = (
                change,
                find_rows(papers, a, b, change.axes, words, self._index) if change.axes else [],
            )
        return self._changes[key]
