"""Comparisons of a fold as arrays, with what the rates and their replicates are made of."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import Draws
from thermalign.geometry import Floats, Integers
from thermalign.metrics import bootstrap
from thermalign.metrics.failures import acquired
from thermalign.metrics.support import person_pairs
from thermalign.metrics.verification import Booleans


@dataclass(frozen=True)
class Compared:
    """M comparisons of one reading, and the draws of the fold's S test subjects.

    Attributes
    ----------
    score : (M,) float
        -inf where the probe has no aligned face.
    genuine : (M,) bool
    image : (M,) int
        The probe, as a number.
    probe, gallery : (M,) int
        Columns of ``weights``: the person that the probe shows, and the enrolled one.
    weights : (R, S) float
        How often each test subject is drawn.
    """

    score: Floats
    genuine: Booleans
    image: Integers
    probe: Integers
    gallery: Integers
    weights: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame, draws: Draws) -> "Compared":
        """Return rows of :func:`thermalign.evaluation.draws.comparisons_of` as arrays."""
        return cls(
            rows["score"].to_numpy(),
            rows["genuine"].to_numpy(),
            pd.factorize(rows["probe_id"])[0],
            draws.columns(rows["subject_id"]),
            draws.columns(rows["gallery_id"]),
            draws.weights,
        )

    def __len__(self) -> int:
        """Return the number of comparisons."""
        return len(self.score)

    def take(self, rows: Integers | Booleans) -> "Compared":
        """Return some of the comparisons; of all in their order, the same object."""
        if len(rows) == len(self) and _every(rows):
            return self
        return replace(
            self,
            score=self.score[rows],
            genuine=self.genuine[rows],
            image=self.image[rows],
            probe=self.probe[rows],
            gallery=self.gallery[rows],
        )

    def found(self) -> "Compared":
        """Return the comparisons of acquired probes; if that is all of them, the same object."""
        return self._found

    @cached_property
    def _found(self) -> "Compared":
        return self.take(acquired(self.score))

    @cached_property
    def measurable(self) -> bool:
        """Whether there are genuine and impostor comparisons."""
        return bool(self.genuine.any() and not self.genuine.all())

    @cached_property
    def people(self) -> int:
        """How many people have genuine comparisons: are probe and enrolled at once."""
        return len(np.unique(self.probe[self.genuine]))

    @cached_property
    def sides(self) -> int:
        """How many people there are on the side with fewer: probe people or enrolled people."""
        return min(len(np.unique(self.probe)), len(np.unique(self.gallery)))

    @cached_property
    def varies(self) -> bool:
        """Whether draws of the people tell how far a rate with impostors would move.

        They do not if there are but two people: every draw of both is the same.
        """
        return len(np.union1d(self.probe, self.gallery)) > 2

    @cached_property
    def subjects(self) -> int:
        """How many people an interval of a rate of both classes rests on; it takes two."""
        return self.people if self.varies else min(self.people, 1)

    @cached_property
    def pairs(self) -> int:
        """How many ordered pairs of different people acquired comparisons are of."""
        found = self.found()
        return person_pairs(found.probe, found.gallery)

    def rates(self, at: Floats) -> tuple[Floats, Floats]:
        """Return replicates of EER, (R,), and of TAR at false match rates ``at`` (T,), (R, T).

        R is 0 where a class is empty. What was asked for before is not made again.
        """
        if not self.measurable:
            return np.empty(0), np.empty((0, len(at)))
        for asked, (errors, accepted) in self._made:
            if np.array_equal(asked[: len(at)], at):
                return errors, accepted[:, : len(at)]
        made = bootstrap.rate_replicates(*self._four(), weights=self.weights, at=at)
        self._made.append((at, made))
        return made

    @cached_property
    def _made(self) -> list[tuple[Floats, tuple[Floats, Floats]]]:
        """False match rates that :meth:`Compared.rates` was asked for, with what it returned."""
        return []

    def auc(self) -> Floats:
        """Return replicates (R,) of the area under the ROC; R is 0 where a class is empty."""
        return self._auc

    @cached_property
    def _auc(self) -> Floats:
        if not self.measurable:
            return np.empty(0)
        return bootstrap.auc_replicates(*self._four(), weights=self.weights)

    def d_prime(self) -> Floats:
        """Return replicates (R,) of d'."""
        return bootstrap.d_prime_replicates(*self._four(), weights=self.weights)

    def accepted(self, threshold: float) -> tuple[Floats, Floats]:
        """Return replicates (R,) of the accepted share of genuine and of impostor comparisons."""
        return bootstrap.threshold_replicates(
            *self._four(), weights=self.weights, threshold=threshold
        )

    def by_probe(self) -> "Probes":
        """Return the scores by probe, one column per test subject."""
        _, first, row = np.unique(self.image, return_index=True, return_inverse=True)
        shape = len(first), self.weights.shape[1]
        scores, genuine = np.full(shape, -np.inf), np.zeros(shape, bool)
        scores[row, self.gallery], genuine[row, self.gallery] = self.score, self.genuine
        return Probes(scores, genuine, self.probe[first], self.weights)

    def _four(self) -> tuple[Floats, Booleans, Integers, Integers]:
        return self.score, self.genuine, self.probe, self.gallery


def _every(rows: Integers | Booleans) -> bool:
    """Return whether rows, as many as there are, are all of them in their order."""
    if rows.dtype == bool:
        return bool(rows.all())
    return bool((rows == np.arange(len(rows))).all())


@dataclass(frozen=True)
class Probes:
    """P probes against everybody of a fold.

    Attributes
    ----------
    scores : (P, S) float
        -inf where the probe was not acquired, and against a person it was not compared with.
    genuine : (P, S) bool
        All false for a probe whose person failed to enrol.
    subject : (P,) int
        Column of ``weights`` of the person shown.
    weights : (R, S) float
    """

    scores: Floats
    genuine: Booleans
    subject: Integers
    weights: Floats

    def __len__(self) -> int:
        """Return the number of probes."""
        return len(self.subject)

    @cached_property
    def acquired(self) -> Booleans:
        """Which probes (P,) have a usable aligned face."""
        return np.asarray(acquired(self.scores).any(axis=1))

    @cached_property
    def people(self) -> int:
        """How many people the probes show."""
        return len(np.unique(self.subject))

    def take(self, rows: Booleans) -> "Probes":
        """Return some of the probes."""
        return Probes(self.scores[rows], self.genuine[rows], self.subject[rows], self.weights)

    def share(self, hit: Booleans) -> Floats:
        """Return replicates (R,) of the share of probes that are ``hit`` (P,)."""
        return bootstrap.ratio_replicates(
            hit.astype(float), np.ones(len(hit)), self.subject, self.weights
        )
