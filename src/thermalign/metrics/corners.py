"""How many comparisons a draw of people accepts at every corner of a ROC."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from thermalign.geometry import Floats, Integers
from thermalign.metrics.verification import Order

CHUNK = 2_000_000  # weights held at once

MANY = 500
"""People from whom on the pairs of a draw are looked up comparison by comparison, since all pairs
of so many people no longer fit into a processor's cache."""


@dataclass(frozen=True)
class Corners:
    """Comparisons of n subjects by the corner of the ROC from which on they are accepted.

    In the last row are those that no threshold accepts.

    Attributes
    ----------
    own : (T + 1, n) sparse
        Amounts of genuine comparisons, by subject.
    pairs : (T + 1, n^2) sparse
        Amounts of impostor comparisons, by pair of subjects. Of many people (T + 1, n), a value a
        comparison, by enrolled subject.
    probe : (I,) int
        Of many people the subject of each comparison's probe, in the order of ``pairs``; else none.
    """

    own: csr_array
    pairs: csr_array
    probe: Integers

    @classmethod
    def of(
        cls,
        ordered: Order,
        probe: Integers,
        gallery: Integers,
        *,
        n: int,
        amounts: Floats | None = None,
    ) -> "Corners":
        """Sort comparisons in.

        Parameters
        ----------
        ordered : Order
        probe, gallery : (M,) int, below n
        n : number of subjects
        amounts : (M,) float, optional
            What each comparison counts, if not one.
        """
        own, other = ordered.genuine, ordered.impostor
        counted = np.ones(len(own)) if amounts is None else amounts[own]
        by_subject = _by_corner(ordered.n_genuine, probe[own], n, counted)
        counted = np.ones(len(other)) if amounts is None else amounts[other]
        if n < MANY:
            pair = probe[other] * n + gallery[other]
            pairs = _by_corner(ordered.n_impostor, pair, n**2, counted)
            return cls(by_subject, pairs, np.empty(0, np.intp))
        ends = np.concatenate([[0], ordered.n_impostor, [len(other)]])
        enrolled = gallery[other].astype(np.int32)
        pairs = csr_array((counted, enrolled, ends), shape=(len(ends) - 1, n))
        return cls(by_subject, pairs, probe[other].astype(np.intp))

    def accepted(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the genuine and the impostor weight up to each corner, (T + 1, R).

        A genuine comparison counts as often as its subject is drawn, an impostor one as often as
        the product of both subjects' counts.

        Parameters
        ----------
        weights : (R, n) float
        """
        drawn = weights.T
        if self.probe.size:
            others = self._looked_up(weights)
        else:
            both = (drawn[:, None] * drawn).reshape(self.pairs.shape[1], -1)
            others = self.pairs @ both
        return np.cumsum(self.own @ drawn, axis=0), np.cumsum(others, axis=0)

    def parts(self, weights: Floats) -> Iterator[Integers]:
        """Go through the rows of weights (R, n) in parts whose sums and products stay small."""
        replicates = len(weights)
        held = max(self.own.shape[0], 0 if self.probe.size else self.pairs.shape[1])
        parts = min(replicates, 1 + replicates * held // CHUNK)
        yield from np.array_split(np.arange(replicates), parts)

    def _looked_up(self, weights: Floats) -> Floats:
        """Return the impostor weight between corners, (T + 1, R), one draw after the other."""
        sums = np.empty((self.pairs.shape[0], len(weights)))
        amounts, its = self.pairs.data, self.pairs.copy()
        for r, drawn in enumerate(weights):
            np.take(drawn, self.probe, out=its.data, mode="clip")  # without a buffer
            its.data *= amounts
            sums[:, r] = its @ drawn
        return sums


def _by_corner(counts: Integers, columns: Integers, n: int, amounts: Floats) -> csr_array:
    """Return the amounts of each column that are accepted between two corners of the ROC.

    Parameters
    ----------
    counts : (T,) int
        Comparisons accepted at every corner, from strict to lax.
    columns : (M,) int, below n
        Of the comparisons, best score first.
    n : number of columns
    amounts : (M,) float
    """
    corner = np.searchsorted(counts, np.arange(len(columns)), side="right")
    return csr_array((amounts, (corner, columns)), shape=(len(counts) + 1, n))
