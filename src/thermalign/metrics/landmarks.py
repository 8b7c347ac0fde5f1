"""How far predicted landmarks lie from annotated ones.

An image's error is the mean over its landmarks. A face not found has no error (NaN): it stays out
of means and is counted by the failure rate and the CED, so report them beside each other.
"""

import numpy as np

from thermalign.geometry import Floats, interocular_distance


def normalized_errors(predicted: Floats, annotated: Floats) -> Floats:
    """Return each landmark's distance from its annotation, in interocular distances.

        e[n, l] = |p[n, l] - a[n, l]| / |a[n, right eye] - a[n, left eye]|

    Parameters
    ----------
    predicted, annotated : (N, L, 2) float, pixels, (x, y)
        In the same image frame. A face not found is NaN.

    Returns
    -------
    (N, L) float, interocular distances
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
    if not np.isfinite(annotated).all():
        rows = np.flatnonzero(~np.isfinite(annotated).all(axis=(1, 2)))
        raise ValueError(f"annotated points not finite in rows {rows}; leave those images out")
    unit = interocular_distance(annotated)
    if not (unit > 0).all():
        raise ValueError(f"interocular distance not positive in rows {np.flatnonzero(~(unit > 0))}")
    return np.asarray(np.linalg.norm(predicted - annotated, axis=-1) / unit[:, None])


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
    if image_errors.size == 0:
        raise ValueError("no images, so there is no cumulative error distribution")
    return np.asarray((image_errors[:, None] < thresholds).mean(axis=0))


def failure_rate(image_errors: Floats) -> float:
    """Return the share of images (N,) in which no face was found.

    Raises
    ------
    ValueError
        If there are no images.
    """
    if image_errors.size == 0:
        raise ValueError("no images, so there is no failure rate")
    return float((~np.isfinite(image_errors)).mean())
