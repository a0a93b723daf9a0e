"""Which training programs can write a recipe, and the best recipe that one of them can.

In: the library, candidates with their scores. Out: names of programs (exchange/), a ranked recipe.
Writes no configuration: that is `export`.
"""

from collections.abc import Sequence

from ..exchange.target import Target, names
from ..exchange.trainers import expressible
from ..library import Library
from ..picker.pairs import Pairs
from ..picker.rank import Race, Ranked
from ..picker.scores import Candidate, Scores, leaders
from ..terms.recipe import Recipe

# Leading candidates that are tried before it is said that no program writes one, and how many pairs
# of a visual part and an LLM among them.
LOOKED_AT, SHAPES = 4000, 400


class Writable:
    """The programs that configurations can be written for; `only`: one of them, by name. Raises
    UnknownName.
    """

    def __init__(self, library: Library, only: str | None = None):
        words = library.words
        self.targets = [Target(name, words) for name in ([only] if only else names(words))]
        self.known = [(one, {r["encoder"] for r in one.rows("encoders")}) for one in self.targets]
        self.encoders = {encoder for _, encoders in self.known for encoder in encoders}
        self.llms = {row["llm"] for one in self.targets for row in one.rows("llms")}

    def by(self, recipe: Recipe, method: str = "full") -> list[str]:
        """The programs that can write a whole recipe. method: how its LLM is trained."""
        return [
            one.record["target"]
            for one in self.targets
            if expressible(recipe, one, method=method) is None
        ]

    def _made(self, recipe: Recipe) -> bool:
        """Can a program that puts parts together write the recipe?"""
        return any(
            encoders and recipe.encoder in encoders and expressible(recipe, one) is None
            for one, encoders in self.known
        )

    def best(self, scores: Scores, pairs: Pairs, count: int = 1) -> list[Candidate]:
        """The `count` candidates with the highest scores that meet the limits and that a program
        can write.
        """
        space = scores.space
        among = (
            [v for v, x in enumerate(space.visuals) if x.recipe.encoder in self.encoders],
            [x for x, one in enumerate(space.languages) if one.slug in self.llms],
            range(len(space.data)),
        )
        if not among[0] or not among[1]:
            return []
        out: list[Candidate] = []
        shapes: dict[tuple[int, int], bool] = {}
        for candidate in leaders(scores, pairs.counts()[0], LOOKED_AT, among):
            v, x, _ = candidate
            if (v, x) not in shapes:
                if len(shapes) == SHAPES:
                    break
                # who puts parts together trains them in full
                shapes[v, x] = not scores.adapted(candidate) and self._made(
                    scores.recipe(candidate)
                )
            if shapes[v, x]:
                out.append(candidate)
            if len(out) == count:
                break
        return out


def ranked(race: Race, candidate: Candidate) -> Ranked:
    """A candidate by itself, without rivals."""
    return race.judge([candidate], 0, 1, False)[0][0]


def shape_filter(writable: Writable, scores: Scores) -> Sequence[frozenset[int]]:
    """Per LLM the visual parts with which some program can write a recipe."""
    space = scores.space
    seen = [v for v, x in enumerate(space.visuals) if x.recipe.encoder in writable.encoders]
    return [
        frozenset(v for v in seen if writable.by(scores.recipe((v, x, 0))))
        if one.slug in writable.llms
        else frozenset()
        for x, one in enumerate(space.languages)
    ]
