"""How values spread: mean and standard deviation, histograms, the pixels of an image."""

from typing import Any

import numpy as np
import numpy.typing as npt

from thermalign.geometry import Floats

PERCENTILES = (1, 50, 99)


def mean_and_sd(values: Floats) -> tuple[float, float]:
    """Return the mean of values (N,) and their standard deviation, divided by N.

    Raises
    ------
    ValueError
        If there are no values.
    """
    if values.size == 0:
        raise ValueError("no values, so there is no mean")
    return float(values.mean()), float(values.std())


def histogram(values: Floats, edges: Floats) -> Floats:
    """Return the share of values (N,) in each bin between edges (B + 1,), rising.

    Values beyond the outer edges count in the outer bins, so that the shares add up to one.

    Returns
    -------
    (B,) float, 0..1

    Raises
    ------
    ValueError
        If there are no values.
    """
    if values.size == 0:
        raise ValueError("no values, so there is no histogram")
    inside = np.clip(values, edges[0], edges[-1])
    return np.histogram(inside, edges)[0] / values.size


def pixel_measures(image: Floats) -> dict[str, float]:
    """Return mean and percentiles 1, 50 and 99 of an image (H, W)."""
    low, middle, high = np.percentile(image, PERCENTILES)
    measured = {"mean": image.mean(dtype=np.float64), "p01": low, "p50": middle, "p99": high}
    return {name: float(value) for name, value in measured.items()}


def saturation(counts: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the shares of stored counts (H, W, ...) at 0 and at the greatest of their type.

    Raises
    ------
    ValueError
        If the counts are not whole numbers, which have no greatest value to stop at.
    """
    if not np.issubdtype(counts.dtype, np.integer):
        raise ValueError(f"{counts.dtype} has no greatest count")
    last = np.iinfo(counts.dtype).max
    return (
        np.count_nonzero(counts == 0) / counts.size,
        np.count_nonzero(counts == last) / counts.size,
    )
