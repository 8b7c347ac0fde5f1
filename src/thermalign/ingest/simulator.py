"""The built-in simulated dataset: joins the chunks that rule ``simulate`` rendered."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from thermalign.ingest.found import Found
from thermalign.originals import check_images
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, IMAGES
from thermalign.settings import SEED, setting
from thermalign.simulator import settings as simulated
from thermalign.tables import read_many


@dataclass(frozen=True)
class Settings:
    """The built-in simulated dataset.

    Attributes
    ----------
    seed : int
        Of the people and of all that is drawn for them.
    chunks : int
        Jobs that render it.
    settings : Settings of the simulator
        What is recorded, and how.
    """

    seed: int = setting(low=0, high=SEED)
    chunks: int = setting(low=1, high=10_000)
    settings: simulated.Settings = setting()


def read(settings: Settings, sources: Sequence[Path]) -> Found:
    """Return a dataset without given boxes, in the order of the image names.

    Parameters
    ----------
    settings : Settings
    sources : list of Path
        Folders of the chunks, each with images, annotations and attributes (Parquet).

    Raises
    ------
    ValueError
        If an image is not the one that was rendered.
    """
    images, annotations, attributes = (
        read_many([chunk / f"{name}.parquet" for chunk in sources], schema)
        for name, schema in (
            ("images", IMAGES),
            ("annotations", ANNOTATIONS),
            ("attributes", ATTRIBUTES),
        )
    )
    check_images(dict(zip(images["path"], images["sha256"], strict=True)))
    return Found(
        images.sort_values("image_id", ignore_index=True),
        annotations.sort_values("image_id", kind="stable", ignore_index=True),
        pd.DataFrame({name: [] for name in ("image_id", "x", "y", "width", "height")}),
        attributes.sort_values("image_id", kind="stable", ignore_index=True),
    )
