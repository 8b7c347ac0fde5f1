"""What every adapter returns."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from thermalign.ingest.looks import Looks
from thermalign.ingest.quarantine import Quarantined


class Found(NamedTuple):
    """A dataset as it was read and checked, before face boxes are made.

    Attributes
    ----------
    images : DataFrame of IMAGES
    annotations : DataFrame of ANNOTATIONS
    boxes : DataFrame with image_id, x, y, width, height
        Of the images that a box is given for.
    attributes : DataFrame of ATTRIBUTES
    quarantined : records of the dataset that take no part
    looks : Looks or None
        How the pictures look, row for row with the images; None where nobody looked.
    lines : N int
        Rows of the manifest, row for row with the images; empty where there is none.
    """

    images: pd.DataFrame
    annotations: pd.DataFrame
    boxes: pd.DataFrame
    attributes: pd.DataFrame
    quarantined: tuple[Quarantined, ...] = ()
    looks: Looks | None = None
    lines: Sequence[int] = ()
