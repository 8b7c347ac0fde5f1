"""What physical values must fulfil: scale, offset and bit depth, degrees Celsius of a face."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.ingest.columns import Rows
from thermalign.ingest.corners import Corners, part_of

SCALES = (1e-6, 1e6)
LARGEST_VALUE = 1e6
SAMPLED = 17  # one pixel of so many gives the median
CLIMATE = (-60.0, 200.0)  # degrees Celsius, median of a picture of a face
COLDEST, HOTTEST = -150.0, 1000.0  # degrees Celsius, of anything near a face
SKIN = (5.0, 60.0)  # degrees Celsius, median of a face; Fahrenheit: 75 to 100, shares: 0 to 1


def check_scale(
    counts: npt.NDArray[Any], scale: float, offset: float, *, where: str, degrees: bool
) -> None:
    """Refuse a scale and an offset with which counts are no sensible physical values.

    Parameters
    ----------
    counts : (height, width)
    scale, offset : float
        physical value = scale x count + offset.
    where : str
    degrees : bool
        Whether these are degrees Celsius.

    Raises
    ------
    ValueError
        If the scale is not positive, values or offset are larger than 1e6, the offset swallows
        the differences in single precision, or degrees or their median are none of a room with
        a face.
    """
    if not SCALES[0] <= scale <= SCALES[1]:
        raise ValueError(
            f"{where}: scale is {scale:g}; give one from {SCALES[0]:g} to {SCALES[1]:g} (invert "
            "a picture in which hot is dark), or leave it empty"
        )
    if abs(offset) > LARGEST_VALUE:
        raise ValueError(
            f"{where}: offset is {offset:g}; give one up to {LARGEST_VALUE:g}, -273.15 from kelvins"
        )
    ends = np.array([counts.min(), counts.max()], np.float32)
    low, high = (ends * np.float32(scale) + np.float32(offset)).astype(np.float64)
    if max(abs(low), abs(high)) > LARGEST_VALUE:
        raise ValueError(
            f"{where}: values reach from {low:g} to {high:g}; mark no missing pixel by a huge "
            "number, and correct scale and offset"
        )
    wanted = scale * float(ends[1] - ends[0])
    if abs(high - low - wanted) > 0.01 * wanted:
        raise ValueError(
            f"{where}: offset {offset:g} swallows differences of {wanted:g}; correct scale or "
            "offset"
        )
    if degrees:
        middle = float(np.median(counts.ravel()[::SAMPLED]))
        _check_degrees(middle * scale + offset, low, high, where)


def check_skin(counts: npt.NDArray[Any], corners: Corners | None, image: Any, where: str) -> None:
    """Refuse degrees Celsius that no living face has: Fahrenheit, shares, the counts themselves.

    Parameters
    ----------
    counts : (height, width)
    corners : Corners or None
        Of the face; without them the hottest pixel counts.
    image : mapping with scale and offset
    where : str

    Raises
    ------
    ValueError
        If the face, or the hottest pixel, is colder than skin is, or the face warmer.
    """
    if corners is None:
        skin, said = float(counts.max()), "the hottest pixel"
    else:
        skin, said = float(np.median(part_of(counts, corners))), "the face"
    degrees = skin * image["scale"] + image["offset"]
    if degrees < SKIN[0] or (corners is not None and degrees > SKIN[1]):
        raise ValueError(f"{where}: {said} has {degrees:.4g} degrees Celsius; {TEMPERATURES}")


TEMPERATURES = (
    "correct scale and offset (-273.15 from kelvins), fill missing pixels, and leave both empty "
    "for 16-bit counts that are no temperatures"
)


def _check_degrees(median: float, low: float, high: float, where: str) -> None:
    if low < COLDEST or high > HOTTEST or not CLIMATE[0] <= median <= CLIMATE[1]:
        raise ValueError(
            f"{where}: temperatures have the median {median:.1f}, the minimum {low:.1f} and the "
            f"maximum {high:.1f} degrees Celsius; {TEMPERATURES}"
        )


def check_depths(images: pd.DataFrame, rows: Rows, file: str) -> None:
    """Refuse counts of several bit depths in a modality where no scale makes them comparable."""
    given = np.array([bool(cell) for cell in rows.column("scale")])
    for modality, its in images[~given].groupby("modality"):
        other = its[its["bit_depth"] != its["bit_depth"].iloc[0]]
        if len(other):
            odd, first = other.iloc[0], its.iloc[0]
            raise ValueError(
                f"{file} row {rows.lines[other.index[0]]} (image {odd['image_id']}): has "
                f"{odd['bit_depth']} bits, but {modality} image {first['image_id']} has "
                f"{first['bit_depth']}; give a scale in every {modality} row, or store all alike"
            )
