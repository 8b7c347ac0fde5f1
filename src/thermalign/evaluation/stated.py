"""What a detector states of its own errors on a fold, and every figure of how far that holds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from thermalign.evaluation.draws import KNOWN, Draws, by_range
from thermalign.evaluation.measured import Measured, difference
from thermalign.geometry import LANDMARKS, Floats, Integers, interocular_distance
from thermalign.metrics import selective
from thermalign.metrics.intervals import DIFFERENCE, POSITIVE, RATE
from thermalign.metrics.stated import inside, surprise
from thermalign.records import points_of
from thermalign.schemas.keys import ALL, ANNOTATED, Subset
from thermalign.schemas.predictions import UNCERTAINTY
from thermalign.student import SHARES, Spread, best_constant

COVERAGES = np.linspace(0.05, 1, 20)
"""Shares of images that the risk-coverage curve is told at."""

NAN = float("nan")


@dataclass(frozen=True)
class Stated:
    """True errors of N annotated images beside what was stated of them, interocular distances.

    Attributes
    ----------
    images : DataFrame
        The columns ``KNOWN``.
    errors : (N, L, 2) float, annotated point minus predicted point
    scale : (N, L, 2, 2) float, squared interocular distances
    tail : (N, L) float
    expected : (N, L) float, the mean distance that is expected
    constant : tuple of Spread
        What could have been stated of each landmark without looking at these faces: the likeliest
        constant spread of the validation faces' errors. Empty if it is not known.
    """

    images: pd.DataFrame
    errors: Floats
    scale: Floats
    tail: Floats
    expected: Floats
    constant: tuple[Spread, ...] = ()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def take(self, rows: Integers) -> "Stated":
        """Return some of the images."""
        images = self.images.iloc[rows].reset_index(drop=True)
        return replace(self, images=images, **self._of_each(lambda its: its[rows]))

    def of(self, landmark: int) -> "Stated":
        """Return one landmark of every image."""
        rival = self.constant[landmark : landmark + 1]
        return replace(self, constant=rival, **self._of_each(lambda its: its[:, [landmark]]))

    def _of_each(self, chosen: Callable[[Floats], Floats]) -> dict[str, Any]:
        arrays = ("errors", "scale", "tail", "expected")
        return {name: chosen(getattr(self, name)) for name in arrays}

    @property
    def distances(self) -> Floats:
        """How far points lie from annotated ones, (N, L)."""
        return np.asarray(np.linalg.norm(self.errors, axis=-1))

    @property
    def people(self) -> int:
        """How many people the images show."""
        return int(self.images["subject_id"].nunique())


def stated_of(
    predictions: pd.DataFrame,
    annotations: pd.DataFrame,
    images: pd.DataFrame,
    constant: Mapping[str, Any] | None = None,
) -> Stated:
    """Return what a model states of the annotated images in which it found the face.

    Images of which it states nothing are left out, so that a model without confidence has none; so
    are the annotated points themselves.

    Parameters
    ----------
    predictions, annotations, images : DataFrame of PREDICTIONS, ANNOTATIONS, IMAGES
    constant : mapping, optional
        ``constant`` (L, 2, 2) and ``constant_tail`` (L,) of the model's calibration.
    """
    told = predictions[["x", *UNCERTAINTY]].notna().all(axis=1)
    known = told.groupby(predictions["image_id"], sort=False).all()
    ids = list(known.index[known & known.index.isin(annotations["image_id"])])
    if (predictions["model"] == ANNOTATED).any():
        ids = []
    truth = points_of(annotations, ids)
    unit = interocular_distance(truth)[:, None]
    keys = pd.MultiIndex.from_product([ids, LANDMARKS])
    rows = predictions.set_index(["image_id", "landmark"])[[*UNCERTAINTY]].reindex(keys)
    expected, xx, xy, yy, tail = rows.to_numpy(np.float64).reshape(len(ids), len(LANDMARKS), 5).T
    scale = np.stack([xx.T, xy.T, xy.T, yy.T], axis=-1) / unit[..., None] ** 2
    return Stated(
        images.set_index("image_id").loc[ids].reset_index()[KNOWN],
        (truth - points_of(predictions, ids)) / unit[..., None],
        scale.reshape(*scale.shape[:2], 2, 2),
        tail.T,
        expected.T,
        _spreads(constant or {}),
    )


def _spreads(constant: Mapping[str, Any]) -> tuple[Spread, ...]:
    """Return the spreads of a calibration, none if it has none."""
    scales, tails = (np.asarray(constant.get(its, [])) for its in ("constant", "constant_tail"))
    if not len(scales) or not np.isfinite(scales).all():
        return ()
    return tuple(Spread(s, float(t)) for s, t in zip(scales, tails, strict=True))


def evaluate(stated: Stated, draws: Draws) -> Iterator[Measured]:
    """Yield how far what a model states of its errors holds; nothing if it states nothing.

    Of all images, each range, each condition and each landmark what :func:`of_part` has; of all
    images and each range the areas, of all images the risk-coverage curve. Faces that were not
    found count nowhere: nothing is stated of them.
    """
    if not len(stated):
        return
    for subset, rows in _parts(stated.images):
        its = stated.take(rows)
        yield from of_part(subset, its, draws)
        if not subset.condition:
            yield from _areas(subset, its, draws)
    yield from _curve(ALL, stated, draws)
    for number, landmark in enumerate(LANDMARKS):
        yield from of_part(Subset(landmark=landmark), stated.of(number), draws)


def of_part(subset: Subset, stated: Stated, draws: Draws) -> Iterator[Measured]:
    """Yield what is measured of every part of the images, variants of the test condition included.

    ``coverage_50``, ``coverage_80``, ``coverage_95``: shares of landmarks in the region that is
    meant to hold so many. ``nmse_expected``: the mean of what is expected, beside ``nmse``.
    ``nll``: mean surprise of a landmark, nats; ``nll_constant``: that of one spread a landmark for
    all of these faces, fitted to them; ``nll_above_constant``: their difference.
    ``nll_validation_constant`` and ``nll_above_validation_constant``: the same of one spread a
    landmark fitted to the validation faces that the model was calibrated on.
    ``rank_correlation``: of expected and true error, over images; ``rank_correlation_landmark``:
    over each landmark's images, the mean of landmarks.

    Parameters
    ----------
    subset : Subset
    stated : Stated, of one image at least
    draws : Draws
    """
    for share in SHARES:
        held = inside(stated.errors, stated.scale, stated.tail, share)
        yield _mean(subset, f"coverage_{100 * share:.0f}", held, stated, draws, scale=RATE)
    yield _mean(subset, "nmse_expected", stated.expected, stated, draws, scale=POSITIVE)
    yield from _likelihoods(subset, stated, draws)
    yield from _ranks(subset, stated, draws)


def _parts(images: pd.DataFrame) -> Iterator[tuple[Subset, Integers]]:
    """Yield all rows, then those of each range and of each condition."""
    for subset, rows in by_range(images):
        yield subset, rows.index.to_numpy()
    for value, rows in images.groupby("condition", sort=True):
        yield Subset(condition=str(value)), rows.index.to_numpy()


def _mean(
    subset: Subset,
    metric: str,
    each: Any,
    stated: Stated,
    draws: Draws,
    *,
    scale: str,
) -> Measured:
    """Return the mean over landmarks and images of what each (N, L) adds to it."""
    values = each.mean(axis=1)
    drawn = draws.ratio(values, np.ones(len(values)), stated.images["subject_id"])
    return Measured(
        subset, metric, float(values.mean()), len(stated), drawn, stated.people, scale=scale
    )


def _likelihoods(subset: Subset, stated: Stated, draws: Draws) -> Iterator[Measured]:
    own = surprise(stated.errors, stated.scale, stated.tail)
    made = _mean(subset, "nll", own, stated, draws, scale=DIFFERENCE)
    yield made
    fitted = [best_constant(stated.errors[:, k]) for k in range(own.shape[1])]
    hardest = [spread for spread in fitted if spread is not None]
    for name, rivals in (("constant", hardest), ("validation_constant", stated.constant)):
        if len(rivals) == own.shape[1]:
            each = _surprise_under(rivals, stated.errors)
            other = _mean(subset, f"nll_{name}", each, stated, draws, scale=DIFFERENCE)
            yield other
            yield difference(f"nll_above_{name}", made, other)


def _surprise_under(spreads: Sequence[Spread], errors: Floats) -> Floats:
    """Return the surprise (N, L) of errors (N, L, 2), nats, under one spread for each landmark."""
    scales, tails = (np.array(values) for values in zip(*spreads, strict=True))
    shape = errors.shape[:2]
    return surprise(errors, np.broadcast_to(scales, (*shape, 2, 2)), np.broadcast_to(tails, shape))


def _ranks(subset: Subset, stated: Stated, draws: Draws) -> Iterator[Measured]:
    weights = _weights(stated, draws)
    expected, distances = stated.expected, stated.distances
    of_images = selective.rank_correlation(expected.mean(axis=1), distances.mean(axis=1), weights)
    yield _drawn(subset, "rank_correlation", of_images, stated, scale=DIFFERENCE)
    if expected.shape[1] > 1:
        each = [
            selective.rank_correlation(expected[:, k], distances[:, k], weights)
            for k in range(expected.shape[1])
        ]
        mean = np.mean(each, axis=0)
        yield _drawn(subset, "rank_correlation_landmark", mean, stated, scale=DIFFERENCE)


def _areas(subset: Subset, stated: Stated, draws: Draws) -> Iterator[Measured]:
    """Yield ``aurc`` and its references: by the true error, ``aurc_oracle``, and at random."""
    weights, errors = _weights(stated, draws), stated.distances.mean(axis=1)
    for metric, order in (("aurc", stated.expected.mean(axis=1)), ("aurc_oracle", errors)):
        yield _drawn(subset, metric, selective.aurc(order, errors, weights), stated, scale=POSITIVE)
    yield _mean(subset, "aurc_random", stated.distances, stated, draws, scale=POSITIVE)


def _curve(subset: Subset, stated: Stated, draws: Draws) -> Iterator[Measured]:
    """Yield ``risk_coverage`` and ``risk_coverage_oracle``, the latter without a band."""
    weights, errors = _weights(stated, draws), stated.distances.mean(axis=1)
    expected = stated.expected.mean(axis=1)
    risks = selective.risk_coverage(expected, errors, weights, COVERAGES)
    least = selective.risk_coverage(errors, errors, weights[:1], COVERAGES)
    for k, at in enumerate(COVERAGES):
        made = _drawn(subset, "risk_coverage", risks[:, k], stated, scale=POSITIVE)
        yield replace(made, at=float(at))
        yield Measured(
            subset, "risk_coverage_oracle", float(least[0, k]), len(stated), at=float(at)
        )


def _weights(stated: Stated, draws: Draws) -> Floats:
    """Return how often each image is drawn, (1 + R, N): once, then in every replicate."""
    drawn = draws.weights[:, draws.columns(stated.images["subject_id"])]
    return np.vstack([np.ones((1, len(stated))), drawn])


def _drawn(subset: Subset, metric: str, figures: Floats, stated: Stated, *, scale: str) -> Measured:
    """Return a figure of which the first is its value, the others its replicates."""
    value, people = float(figures[0]), stated.people
    return Measured(subset, metric, value, len(stated), figures[1:], people, scale=scale)
