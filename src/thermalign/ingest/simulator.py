"""The built-in simulated dataset: joins the chunks that rule ``simulate`` rendered."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from thermalign.ingest.found import Found
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, IMAGES
from thermalign.tables import read_many


@dataclass(frozen=True)
class Settings:
    """The folders of the chunks, each with images, annotations and attributes (Parquet)."""

    chunks: Sequence[Path]


def read(settings: Settings) -> Found:
    """Return a dataset without given boxes, in the order of the image names."""
    images, annotations, attributes = (
        read_many([chunk / f"{name}.parquet" for chunk in settings.chunks], schema)
        for name, schema in (
            ("images", IMAGES),
            ("annotations", ANNOTATIONS),
            ("attributes", ATTRIBUTES),
        )
    )
    return Found(
        images.sort_values("image_id", ignore_index=True),
        annotations.sort_values("image_id", kind="stable", ignore_index=True),
        pd.DataFrame({name: [] for name in ("image_id", "x", "y", "width", "height")}),
        attributes.sort_values("image_id", kind="stable", ignore_index=True),
    )
