"""A belief over some features at one level (one benchmark, one family, all), and its stored form.

In: means and packed covariances, or bytes. Out: a Block, weights and covariances as its parts have
them. Knows features by number (or by name, when the fit does not know them); asks nothing of other
levels: posterior.py does.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence

from .packed import Parts, numbers, squeezed, stored

# feature number (or its name, when the fit does not know it) -> weight
Weights = dict[int | str, float]


class Block:
    """A belief over some features: means, their covariance, and what of it would be left if the
    level above were known.

    Features that one paper alone has are parts of their own, a part for each paper. `coupling` says
    how they hang together with the others: feature -> feature -> slope. The effect of the first
    plus the slopes times the effects of the others has nothing to do with these, and it is this sum
    that the part is about; the mean is the effect's own.
    """

    def __init__(
        self,
        index: Sequence[int],
        mean: Sequence[float],
        covariance: Parts,
        given: Parts,
        coupling: Mapping[int, Mapping[int, float]] | Callable[[], Mapping],
    ):
        self.place = {number: k for k, number in enumerate(index)}
        self.index, self.mean, self.covariance, self.given = index, mean, covariance, given
        self._coupling = coupling
        # what papers have alone stands behind what they share, and only this is coupled
        self._alone = frozenset(index[next(iter(covariance.sizes), 0) :])

    @property
    def coupling(self) -> Mapping[int, Mapping[int, float]]:
        """See the class; decoded when first asked for."""
        if callable(self._coupling):
            self._coupling = self._coupling()
        return self._coupling

    def lifted(self, x: Weights) -> Weights:
        """Weights on effects as weights on what the parts are about."""
        if self._alone.isdisjoint(x):
            return x
        out = dict(x)
        for name in self.coupling.keys() & x.keys():
            for other, slope in self.coupling[name].items():
                out[other] = out.get(other, 0.0) - slope * x[name]
        return out

    def lowered(self, covariance: Weights) -> Weights:
        """Covariances with what the parts are about as covariances with the effects."""
        out = dict(covariance)
        for name, slopes in self.coupling.items():
            out[name] = out.get(name, 0.0) - sum(
                slope * covariance.get(other, 0.0) for other, slope in slopes.items()
            )
        return out

    def pack(self) -> bytes:
        """The stored form: numbers of the features, means, how many matrices (one where they are
        the same) of how many parts and their sizes, per matrix its deviations, the length of its
        correlations and these, and the coupling (see `unpack`).
        """
        sizes = self.covariance.sizes
        matrices = (self.covariance, self.given)[: 1 + (self.given is not self.covariance)]
        shape = array("H", [len(matrices), len(sizes), *sizes])
        out = list(map(stored, (array("H", self.index), array("f", self.mean), shape)))
        for matrix in matrices:
            correlations = squeezed(matrix.correlations)
            out += [stored(array("f", matrix.sd)), len(correlations).to_bytes(4, "little")]
            out.append(correlations)
        pairs = [(a, b, x) for a, slopes in self.coupling.items() for b, x in slopes.items()]
        for code, values in zip("HHf", zip(*pairs)):
            out.append(stored(array(code, values)))
        return b"".join(out)

    @classmethod
    def unpack(cls, raw: memoryview, size: int) -> "Block":
        """A Block of `size` features from its stored form; correlations and coupling stay packed
        until one is asked for.
        """
        place = 0

        def take(code: str, count: int) -> list:
            nonlocal place
            start, place = place, place + count * BYTES[code]
            return numbers(code, raw[start:place]).tolist()

        index, mean = take("H", size), take("f", size)
        matrices, parts = take("H", 2)
        sizes, both = take("H", parts), []
        for _ in range(matrices):
            sd = take("f", size)
            length = int.from_bytes(raw[place : place + 4], "little")
            place += 4 + length
            both.append(Parts(sd, sizes, raw[place - length : place]))

        def coupling() -> dict[int, dict[int, float]]:
            out: dict[int, dict[int, float]] = {}
            pairs = (len(raw) - place) // (2 * BYTES["H"] + BYTES["f"])
            for name, other, slope in zip(take("H", pairs), take("H", pairs), take("f", pairs)):
                out.setdefault(name, {})[other] = slope
            return out

        return cls(index, mean, both[0], both[-1], coupling)


BYTES = {"H": 2, "f": 4}  # of the codes of arrays in a stored block
