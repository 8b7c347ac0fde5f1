"""The built-in simulated dataset: joins the chunks that rule ``simulate`` rendered."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from thermalign.schemas.dataset import ANNOTATIONS, IMAGES
from thermalign.tables import read_many


@dataclass(frozen=True)
class Settings:
    """The folders of the chunks, each with images.parquet and annotations.parquet."""

    chunks: Sequence[Path]


def read(settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return IMAGES, ANNOTATIONS and no given boxes, in the order of the image names.

    Returns
    -------
    images, annotations, boxes : DataFrame
        As :func:`thermalign.ingest.table.read` returns them.
    """
    images = read_many([chunk / "images.parquet" for chunk in settings.chunks], IMAGES)
    annotations = read_many(
        [chunk / "annotations.parquet" for chunk in settings.chunks], ANNOTATIONS
    )
    return (
        images.sort_values("image_id", ignore_index=True),
        annotations.sort_values("image_id", kind="stable", ignore_index=True),
        pd.DataFrame({name: [] for name in ("image_id", "x", "y", "width", "height")}),
    )
