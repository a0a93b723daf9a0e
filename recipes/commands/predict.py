"""Predictions in bulk: one line of JSON in, one dictionary out.

In: lines of {"from": {recipe}, "to": {recipe}, "benchmark": "mmmu"}. Out: the answer of `swap` with
one delta, or {"error": …}. What many lines share (papers, the rows of one change) is read and
searched once.
"""

import json
import sys
from collections.abc import Mapping

from ..base.reading import EvidenceError, parse
from ..effects.change import Change
from ..effects.judge import judge
from ..effects.level import bounded
from ..effects.rows import Found, Index, find_rows, relevant_papers
from ..library import Library
from ..show import jsonable
from ..terms.recipe import Recipe, RecipeError, published_size
from ..terms.recipe import parse as parse_recipe
from ..terms.vocabulary import UnknownName
from .arguments import Parser, Usage, check_score, level_flag

KEYS = ("from", "to", "benchmark", "score")  # score: what `from` scores, if known
MAX_LINE = 100_000


class Batch:
    """A stream of predictions over one library."""

    def __init__(self, library: Library, level: float):
        self.library, self.level = library, level
        self._papers: dict[str, object] = {}
        self._index = Index(library.words)
        self._changes: dict[tuple, tuple[Change, list[Found]]] = {}

    def answer(self, line: bytes, number: int) -> dict:
        """The answer to one line (numbered from 1)."""
        try:
            return self._answer(line)
        except (EvidenceError, RecipeError, UnknownName) as error:
            message = error.message if isinstance(error, EvidenceError) else str(error)
            return {"error": message, "line": number}

    def _answer(self, line: bytes) -> dict:
        if len(line) > MAX_LINE:
            raise RecipeError("line", f"{len(line)} bytes; at most {MAX_LINE} are read")
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise RecipeError("line", "not UTF-8") from None
        raw = parse(text, "line")
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
        rows = [
            item
            for item in found
            if item.contrast.metric.benchmark == benchmark
            or words.records("benchmark").get(item.contrast.metric.benchmark, {}).get("family")
            == words.records("benchmark")[benchmark]["family"]
        ]
        scores = {}
        if raw.get("score") is not None:
            if isinstance(raw["score"], bool) or not isinstance(raw["score"], (int, float)):
                raise RecipeError("score", "is not a number (what `from` scores on the benchmark)")
            if bounded(words.records("benchmark")[benchmark]):
                try:
                    scores[benchmark] = check_score(benchmark, raw["score"], words)
                except Usage as error:
                    raise RecipeError("score", str(error)) from None
            else:
                warnings.append(
                    f"the score of {benchmark} changes nothing: it has no best value to come"
                    " close to"
                )
        result = judge(
            change, rows, [benchmark], level=self.level, warnings=warnings, scores=scores
        )
        return jsonable.swap(before, after, result)

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


def predict_arguments(parser: Parser) -> None:
    parser.add_argument(
        "file", metavar="FILE.jsonl", help="one JSON object per line (- for standard input)"
    )
    level_flag(parser)


def predict_command(args, library: Library, understood: dict | None = None) -> int:
    """One JSON line out for each line in: {"from": {…}, "to": {…}, "benchmark": "mmmu"}."""
    from .predict import Batch

    batch = Batch(library, args.level)
    failed = False
    try:
        if args.file == "-" and sys.stdin is None:
            raise Usage("predict: standard input is closed")
        file = sys.stdin.buffer if args.file == "-" else open(args.file, "rb")  # noqa: SIM115 (closed by the with below)
    except OSError as error:
        raise Usage(f"predict: {args.file} cannot be read: {error.strerror}") from None
    with file:
        for number, line in enumerate(file, 1):
            value = batch.answer(line, number)
            failed |= "error" in value
            print(json.dumps(value, ensure_ascii=False))
    return 1 if failed else 0
