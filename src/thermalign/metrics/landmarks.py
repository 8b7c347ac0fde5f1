"""How far predicted landmarks lie from annotated ones.

An image's error is the mean over its landmarks. A face not found has no error (NaN): it stays out
of means and is counted by the failure rate and the CED, so report them beside each other.
"""

from collections.abc import Sequence

import numpy as np

from thermalign.geometry import (
    LANDMARKS,
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
    Floats,
    interocular_distance,
    point_distances,
)


def normalized_errors(
    predicted: Floats, annotated: Floats, landmarks: Sequence[int] = range(len(LANDMARKS))
) -> Floats:
    """Return each landmark's distance from its annotation, in interocular distances.

        e[n, l] = |p[n, l] - a[n, l]| / |a[n, right eye] - a[n, left eye]|

    Parameters
    ----------
    predicted, annotated : (N, L, 2) float, pixels, (x, y)
        In the same image frame. A face not found is NaN.
    landmarks : M int
        Those that are compared; of the others only the annotated eyes count, for the unit.

    Returns
    -------
    (N, M) float, interocular distances
        NaN for a face not found, which the CED counts as a failure.

    Raises
    ------
    ValueError
        If the shapes differ, an annotated point is not finite, or an annotated interocular distance
        is not positive.

    Source
    ------
    Poster et al. 2019, equation 7. Despite its name the NMSE is not squared.
    """
    if predicted.shape != annotated.shape:
        raise ValueError(f"predicted {predicted.shape} and annotated {annotated.shape} differ")
    compared, needed = [*landmarks], sorted({*landmarks, RIGHT_EYE, LEFT_EYE})
    finite = np.isfinite(annotated[:, needed]).all(axis=(1, 2))
    if not finite.all():
        rows = np.flatnonzero(~finite)
        raise ValueError(f"annotated points not finite in rows {rows}; leave those images out")
    unit = interocular_distance(annotated)
    if not (unit > 0).all():
        raise ValueError(f"interocular distance not positive in rows {np.flatnonzero(~(unit > 0))}")
    distances = point_distances(predicted[:, compared], annotated[:, compared])
    return np.asarray(distances / unit[:, None])


def eye_mouth_distance(points: Floats) -> Floats:
    """Return the distance from the eyes' midpoint to the mouth corners' midpoint.

    Unlike the interocular distance it hardly shrinks when a head turns to the side.

    Parameters
    ----------
    points : (..., L, 2) float, pixels, (x, y)

    Returns
    -------
    (...) float, pixels
    """
    eyes = points[..., [RIGHT_EYE, LEFT_EYE], :].mean(-2)
    mouth = points[..., [RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER], :].mean(-2)
    return np.asarray(np.linalg.norm(mouth - eyes, axis=-1))


def box_diagonal(width: Floats, height: Floats) -> Floats:
    """Return the diagonal (N,) of boxes, pixels: sqrt(width^2 + height^2)."""
    return np.hypot(width, height)


def box_size(width: Floats, height: Floats) -> Floats:
    """Return the side (N,) of a square as large as each box, pixels: sqrt(width x height)."""
    return np.sqrt(width * height)


def renormalized(image_errors: Floats, annotated: Floats, unit: Floats) -> Floats:
    """Return images' errors in another unit than the interocular distance.

        e'[n] = e[n] |a[n, right eye] - a[n, left eye]| / unit[n]

    Parameters
    ----------
    image_errors : (N,) float, interocular distances
        NaN (not found) stays NaN.
    annotated : (N, L, 2) float, pixels, (x, y)
    unit : (N,) float, pixels
        Of :func:`eye_mouth_distance`, :func:`box_diagonal` or :func:`box_size`.

    Returns
    -------
    (N,) float

    Raises
    ------
    ValueError
        If the shapes differ, or a unit is not finite and positive.
    """
    if not image_errors.shape == unit.shape == annotated.shape[:1]:
        raise ValueError(
            f"errors {image_errors.shape}, points {annotated.shape} and units {unit.shape} differ"
        )
    usable = np.isfinite(unit) & (unit > 0)
    if not usable.all():
        raise ValueError(f"the unit of rows {np.flatnonzero(~usable)} is not finite and positive")
    return np.asarray(image_errors * interocular_distance(annotated) / unit)


def nmse(image_errors: Floats) -> float:
    """Return the mean of the images' errors (N,) over the faces that were found.

    Raises
    ------
    ValueError
        If no face was found: a mean over nothing is no figure.
    """
    found = image_errors[np.isfinite(image_errors)]
    if found.size == 0:
        raise ValueError("no face was found, so there is no mean error")
    return float(found.mean())


def nmse_sd(image_errors: Floats) -> float:
    """Return the standard deviation of the images' errors (N,) over the faces that were found.

    ASSUME: over images, divided by N; the paper does not say over what its own is taken.

    Raises
    ------
    ValueError
        If no face was found.
    """
    found = image_errors[np.isfinite(image_errors)]
    if found.size == 0:
        raise ValueError("no face was found, so there is no standard deviation")
    return float(found.std())


def ced(image_errors: Floats, thresholds: Floats) -> Floats:
    """Return the cumulative error distribution: the share of images below each threshold.

    Parameters
    ----------
    image_errors : (N,) float
        Mean error over the landmarks of each image; NaN (not found) is below nothing.
    thresholds : (T,) float

    Returns
    -------
    (T,) float, 0..1

    Raises
    ------
    ValueError
        If there are no images.

    Source
    ------
    Poster et al. 2019, section 4.3: images whose average NMSE falls below a threshold.
    """
    return np.asarray((_some(image_errors)[:, None] < thresholds).mean(axis=0))


def failure_rate(image_errors: Floats) -> float:
    """Return the share of images (N,) in which no face was found.

    Raises
    ------
    ValueError
        If there are no images.
    """
    return float((~np.isfinite(_some(image_errors))).mean())


def failure_at(image_errors: Floats, threshold: float) -> float:
    """Return the share of images (N,) whose error is not below a threshold: 1 - CED.

    A face not found is a failure at every threshold.

    Raises
    ------
    ValueError
        If there are no images.

    Source
    ------
    Usage of the 300-W community, at .08 and .10 interocular distances. Differs from it in: the
    distance is that of the eyes' centres here, and of their outer corners there.
    """
    return float(np.mean(~(_some(image_errors) < threshold)))


def ced_shares(image_errors: Floats, threshold: float) -> Floats:
    """Return what every image adds to the area under the CED up to a threshold, 0..1.

        max(0, 1 - e[n] / threshold),   0 for a face not found

    Parameters
    ----------
    image_errors : (N,) float
    threshold : float, above 0

    Returns
    -------
    (N,) float

    Raises
    ------
    ValueError
        If the threshold is not above 0.
    """
    if not threshold > 0:
        raise ValueError(f"the area under the CED needs a threshold above 0, got {threshold}")
    return np.asarray(np.nan_to_num(np.maximum(0.0, 1 - image_errors / threshold), nan=0.0))


def ced_auc(image_errors: Floats, threshold: float) -> float:
    """Return the area under the CED from 0 to a threshold, over the threshold.

        1/t x integral from 0 to t of CED(x) dx = mean over images of max(0, 1 - e[n] / t)

    Exact, without a grid. 1 if every error is 0; a face not found adds nothing.

    Raises
    ------
    ValueError
        If there are no images, or the threshold is not above 0.

    Source
    ------
    Yang, Jia, Loy and Robinson, An empirical study of recent face alignment methods,
    arXiv:1511.05049, 2015 (there AUC_alpha).
    """
    return float(ced_shares(_some(image_errors), threshold).mean())


def _some(image_errors: Floats) -> Floats:
    if image_errors.size == 0:
        raise ValueError("no images, so there is no share of them")
    return image_errors
