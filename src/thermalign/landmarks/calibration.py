"""From raw covariances to the distribution of errors: calibrated on validation faces.

A detector's raw covariance R of a landmark (a map's spread, the scatter of several looks) rises
with its error, in a unit of its own. The error e of landmark l in a face is taken to be a bivariate
Student t (:mod:`thermalign.student`) around zero with nu degrees of freedom and the scale matrix

    S = a_l ((1 - w) R + w r I) + (b_l s^2 + c) I

with r the face's mean of R's variances over landmarks and axes, s its size in interocular
distances: a detector that gets lost does so with the whole face, and the scatter of one landmark
over a handful of looks is itself uncertain. The gain a_l turns the detector's unit into pixels; the
floor b_l is what R does not know and grows with the face, c is what does not (grids, pixels).

All are found together by maximum likelihood. How a landmark's gain and floor differ from the mean
over landmarks, w and nu have priors, normal in logarithms, so that a few validation faces move them
little and many freely: penalised likelihood, the mode of a posterior. Then people who were left out
say how much wider their errors are than those of the people fitted to: see `calibrated`.

Source
------
None for the whole. Temperature scaling (Guo, Pleiss, Sun and Weinberger, ICML 2017) is the model
for it: few parameters, fitted to held-out examples by likelihood after training, the predictions
themselves untouched. There the predictions are classes, here points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

from thermalign.geometry import LANDMARKS, Floats, Integers, interocular_distance
from thermalign.records import Located
from thermalign.student import best_constant, expected_distance, log_density, squared_distance

_N = len(LANDMARKS)
_FREE = 3.0  # of logarithms: deviation of priors that keep a value finite where no error tells it
_ALIKE = 0.5  # of logarithms: deviation of a landmark's gain and floor from their means
_USUAL_TAIL, _TAILS = 8.0, 0.7  # nu: middle and deviation of log (nu - 2)
_TAILS_WITHIN = np.array([2.1, 200.0])  # variances are finite; normal for all that is measured
_USUAL_PIXEL = 0.1  # c, square pixels
_GROUPS = 10  # of people, at most, of which each is left out once
_FAR = 12.0  # beyond what any prior lets a logarithm go
_LEAST = 1e-6  # b: nobody places points to a thousandth of the face


@dataclass(frozen=True)
class Calibration:
    """What turns raw covariances into distributions of errors; letters as in the module.

    Attributes
    ----------
    gain : (L,) float64
        a_l.
    floor : (L,) float64
        b_l, square interocular distances.
    pixel : (1,) float64
        c, square pixels.
    shared : (1,) float64
        w, between 0 and 1.
    tail : (1,) float64
        nu.
    ratio : (1,) float64
        Interocular distance of a face over the root mean square way of its landmarks from their
        mean. The five tell a predicted face's size with less error than the eyes alone.
    constant : (L, 2, 2) float64
        A rival that knows nothing of the single face, to be measured against: the scale matrix, in
        square interocular distances, of the one Student t of each landmark under which the errors
        of the same faces in given boxes are likeliest.
    constant_tail : (L,) float64
        Its degrees of freedom. Both are NaN where too few faces were found, and in states of
        earlier versions.
    """

    gain: Floats
    floor: Floats
    pixel: Floats
    shared: Floats
    tail: Floats
    ratio: Floats
    constant: Floats = field(default_factory=lambda: np.full((_N, 2, 2), np.nan))
    constant_tail: Floats = field(default_factory=lambda: np.full(_N, np.nan))

    def sizes(self, points: Floats) -> Floats:
        """Return the sizes (N,), pixels, of faces with points (N, L, 2), pixels.

        Their interocular distances by all landmarks; at least 1.
        """
        return _sizes(points, self.ratio)

    def scale(self, raw: Floats, sizes: Floats) -> Floats:
        """Return S (N, L, 2, 2) of raw covariances (N, L, 2, 2), square pixels.

        Of faces of some sizes (N,), pixels. A face is known whole or not at all: all of it is NaN
        if one landmark's raw covariance is, as calibration leaves such a face out.
        """
        variances = np.trace(raw, axis1=-2, axis2=-1)[..., None, None] / 2  # (N, L, 1, 1)
        pooled = variances.mean(axis=1, keepdims=True) * np.eye(2)
        mixed = (1 - self.shared) * raw + self.shared * pooled
        floor = self.floor * sizes[:, None] ** 2 + self.pixel  # (N, L)
        scale: Floats = self.gain[:, None, None] * mixed + floor[..., None, None] * np.eye(2)
        return scale

    def located(self, points: Floats, raw: Floats) -> Located:
        """Return points (N, L, 2) with raw covariances (N, L, 2, 2) and how their errors spread."""
        sizes = self.sizes(points)
        scale = self.scale(raw, sizes)
        known = np.isfinite(scale).all(axis=(-2, -1))
        tail = np.where(known, self.tail, np.nan)
        # Errors are counted in distances of the eyes, which a turned face has smaller for its size,
        # by a fifth at most; eyes found in one place do not make an error infinite.
        unit = np.maximum(interocular_distance(points), 0.8 * sizes)
        return Located(points, scale, tail, expected_distance(scale, tail) / unit[:, None])


@dataclass(frozen=True)
class Examples:
    """Predictions of M faces, and what is true of them.

    Attributes
    ----------
    points, truth : (M, L, 2) float64, pixels
        As predicted and as annotated.
    raw : (M, L, 2, 2) float64, square pixels
    weights : (M,) float64
        Of each example's likelihood: those of one image sum to 1, so that priors weigh against
        images.
    people, images : (M,) integers
        Who is shown, and in which image.
    usual : (M,) bool
        Whether the face is in its given box, not in one that was moved to see what happens.
    """

    points: Floats
    truth: Floats
    raw: Floats
    weights: Floats
    people: Integers
    images: Integers
    usual: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.points)

    def found(self) -> "Examples":
        """Return the faces that were found and have a size."""
        found = np.isfinite(self.points).all(axis=(1, 2))
        found &= np.isfinite(self.raw).all(axis=(1, 2, 3))
        return self.where(found & (interocular_distance(self.truth) > 0))

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Examples":
        """Return some of them."""
        return Examples(*(getattr(self, its.name)[chosen] for its in fields(self)))


def calibrated(examples: Examples) -> Calibration | None:
    """Find the calibration under which the errors of validation faces are likeliest.

    All numbers are found together on all examples, moved boxes included: how errors rise with R is
    seen there. Then one factor of all scales, and nu, are found anew on given boxes alone, which
    are what predictions are made in, by the errors of people who were left out of the first:
    numbers fitted to a few people suit these better than others. One person cannot be left out; of
    more than ten, ten groups are.

    Parameters
    ----------
    examples : Examples

    Returns
    -------
    Calibration or None
        None if no face was found, so that nothing is known of errors. Faces that were not found
        have no error and are left out.
    """
    examples = examples.found()
    if not len(examples):
        return None
    its = _likeliest(examples)
    groups = np.unique(examples.people, return_inverse=True)[1] % _GROUPS
    squared = np.empty(examples.points.shape[:2])
    for group in range(groups.max() + 1):
        rest, out = groups != group, examples.where(groups == group)
        without = _likeliest(examples.where(rest)) if rest.any() else its
        scale = without.scale(out.raw, without.sizes(out.points))
        squared[~rest] = squared_distance(out.truth - out.points, scale)
    usual = examples.usual if examples.usual.any() else np.full(len(squared), True)
    factor, tail = _stretched(squared[usual], examples.weights[usual])
    return replace(
        _with_constant(its, examples.where(usual)),
        gain=factor * its.gain,
        floor=factor * its.floor,
        pixel=factor * its.pixel,
        tail=np.array([tail]),
    )


def _with_constant(its: Calibration, examples: Examples) -> Calibration:
    """Return a calibration with the likeliest constant spreads, if all landmarks have one."""
    unit = interocular_distance(examples.truth)[:, None, None]
    errors = (examples.truth - examples.points) / unit
    found = [best_constant(errors[:, k]) for k in range(_N)]
    known = [spread for spread in found if spread is not None]
    if len(known) < _N:
        return its
    constant, tails = (np.array(values) for values in zip(*known, strict=True))
    return replace(its, constant=constant, constant_tail=tails)


def _likeliest(examples: Examples) -> Calibration:
    """Find all numbers together, on all examples."""
    errors = examples.truth - examples.points
    distances = interocular_distance(examples.truth)
    ratio = np.array([np.mean(distances / _radius(examples.truth))])
    sizes = _sizes(examples.points, ratio)  # as they will be known
    begin = _Beginning.of(errors, examples.raw, sizes)

    def loss(values: Floats) -> float:
        its = begin.calibration(values, ratio)
        likely = log_density(errors, its.scale(examples.raw, sizes), its.tail).sum(axis=1)
        return float(_penalty(values) - (examples.weights * likely).sum())

    start = np.append(np.zeros(2 * _N + 2), np.log(_USUAL_TAIL - 2))
    bounds = [(-_FAR, _FAR)] * (2 * _N + 2) + [tuple(np.log(_TAILS_WITHIN - 2))]
    return begin.calibration(_lowest(loss, start, bounds), ratio)


def _stretched(squared: Floats, weights: Floats) -> tuple[float, float]:
    """Return the factor of scales and nu that make squared distances (M, L) likeliest."""

    def loss(values: Floats) -> float:
        factor, tail = np.exp(values[0]), 2 + np.exp(values[1])
        likely = -values[0] - (tail / 2 + 1) * np.log1p(squared / (factor * tail))
        return float(_unusual_tail(values[1]) / 2 - (weights[:, None] * likely).sum())

    start = [0.0, np.log(_USUAL_TAIL - 2)]
    bounds = [(-_FAR, _FAR), tuple(np.log(_TAILS_WITHIN - 2))]
    best = _lowest(loss, np.array(start), bounds)
    return float(np.exp(best[0])), float(2 + np.exp(best[1]))


def _lowest(
    loss: Callable[[Floats], float], start: Floats, bounds: Sequence[tuple[float, float]]
) -> Floats:
    """Return the values within bounds at which a loss is lowest, searched from a start."""
    from scipy.optimize import minimize  # noqa: PLC0415  # a quarter of a second, to fit alone

    found: Floats = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    return found


@dataclass(frozen=True)
class _Beginning:
    """Where the search begins: gain and floor of the right order, in the units of the data.

    The values searched are log a_l and log b_l against these (L each), log c against
    `_USUAL_PIXEL`, the log-odds of w, and log (nu - 2).
    """

    gain: float
    floor: float

    @classmethod
    def of(cls, errors: Floats, raw: Floats, sizes: Floats) -> "_Beginning":
        """Take medians: a few lost faces do not count."""
        squared = (errors**2).sum(axis=-1)  # (M, L), of two axes
        told = float(np.median(np.trace(raw, axis1=-2, axis2=-1)))
        gain = float(np.median(squared)) / told if told > 0 else 1.0
        floor = float(np.median(squared / sizes[:, None] ** 2)) / 2
        return cls(max(gain, _LEAST), max(floor, _LEAST))

    def calibration(self, values: Floats, ratio: Floats) -> Calibration:
        gain, floor, (pixel, shared, tail) = np.split(values, [_N, 2 * _N])
        return Calibration(
            gain=self.gain * np.exp(gain),
            floor=np.maximum(self.floor * np.exp(floor), _LEAST),
            pixel=_USUAL_PIXEL * np.exp([pixel]),
            shared=1 / (1 + np.exp([-shared])),
            tail=2 + np.exp([tail]),
            ratio=ratio,
        )


def _penalty(values: Floats) -> float:
    """Return minus the logarithm of the priors' density, but for a constant."""
    gain, floor, (pixel, shared, tail) = np.split(values, [_N, 2 * _N])
    alike = sum(((part - part.mean()) ** 2).sum() for part in (gain, floor)) / _ALIKE**2
    free = (gain.mean() ** 2 + floor.mean() ** 2 + pixel**2 + shared**2) / _FREE**2
    return float(alike + free + _unusual_tail(tail)) / 2


def _unusual_tail(value: float) -> float:
    """Return the squared deviation of log (nu - 2) from its prior."""
    return float(((value - np.log(_USUAL_TAIL - 2)) / _TAILS) ** 2)


def _sizes(points: Floats, ratio: Floats) -> Floats:
    """Return interocular distances (N,) by all points (N, L, 2), pixels; at least 1."""
    sizes: Floats = np.maximum(ratio * _radius(points), 1.0)
    return sizes


def _radius(points: Floats) -> Floats:
    """Return the root mean square way of a face's landmarks from their mean, (N,), pixels."""
    away = points - points.mean(axis=1, keepdims=True)
    radius: Floats = np.sqrt((away**2).sum(axis=2).mean(axis=1))
    return radius
