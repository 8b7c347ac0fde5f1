"""Gain control: how a camera makes a picture of 8 bits of what it has counted.

What lies below a low percentile of the image is black, above a high one white: there the picture is
saturated. Some cameras spread frequent counts over more grey levels (plateau equalisation) and lift
fine detail; pictures are kept with losses (JPEG).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from thermalign.simulator.physics.fields import Map

# ASSUME every share and strength below: as pictures of several cameras look.
LEVELS = 256  # grey levels, and bins of the histogram

DETAIL_WIDTH = 0.05  # of the image's height, standard deviation of what counts as its base

DARKEST = (0.1, 35.0)  # % of the pixels that are black; with the whitest (settings) below 100


@dataclass(frozen=True)
class Gain:
    """One way of making pictures.

    Attributes
    ----------
    black, white : float, %
        Share of pixels that saturate at either end.
    equalised : float, 0..1
        Share of the equalised picture in the sum.
    detail : float
        What is finer than the base is lifted by this factor and one.
    quality : int
        Of JPEG, 1 to 100.
    """

    black: float
    white: float
    equalised: float
    detail: float
    quality: int


def draw_gain(white_share: tuple[float, float], rng: np.random.Generator) -> Gain:
    """Draw the way in which a session's pictures are made; ``white_share`` in %, log-uniform."""
    black, white = (float(np.exp(rng.uniform(*np.log(ends)))) for ends in (DARKEST, white_share))
    equalised, detail = rng.random(2)
    return Gain(
        black,
        white,
        equalised=float(rng.uniform(0.2, 0.9)) if equalised < 0.4 else 0.0,
        detail=float(rng.uniform(0.3, 2.0)) if detail < 0.4 else 0.0,
        quality=int(rng.integers(45, 98)),
    )


def make_picture(counts: npt.NDArray[np.uint16], gain: Gain) -> npt.NDArray[np.uint8]:
    """Return the picture of an image (h, w) of counts."""
    image = np.asarray(counts, np.float32)
    if gain.detail:
        base = cv2.GaussianBlur(image, (0, 0), DETAIL_WIDTH * image.shape[0])
        image += gain.detail * (image - base)
    low, high = np.percentile(image, (gain.black, 100 - gain.white))
    grey = np.clip((image - low) / max(high - low, 1.0), 0, 1).astype(np.float32)
    if gain.equalised:
        grey += gain.equalised * (_equalised(grey) - grey)
    picture = np.asarray(grey * (LEVELS - 1) + 0.5, np.uint8)
    _, kept = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, gain.quality])
    return np.asarray(cv2.imdecode(kept, cv2.IMREAD_GRAYSCALE), np.uint8)


def _equalised(grey: Map) -> Map:
    """Spread the grey levels 0..1 so that each is about equally frequent, none beyond a plateau."""
    levels = np.asarray(grey * (LEVELS - 1), np.uint8)
    frequent = np.bincount(levels.ravel(), minlength=LEVELS).astype(np.float64)
    bounded = np.minimum(frequent, 4 * grey.size / LEVELS)
    rank = np.cumsum(bounded) / bounded.sum()
    return rank[levels].astype(np.float32)
