"""Columns that several tables have, and how one is described."""

from typing import Any

import pyarrow as pa


def column(name: str, kind: Any, meaning: str, unit: str = "") -> Any:
    """Return a field without nulls, its unit and meaning in the metadata."""
    return pa.field(name, kind, nullable=False, metadata={"unit": unit, "meaning": meaning})


IMAGE = column("image_id", pa.string(), "key of IMAGES")
DATASET = column("dataset", pa.string(), "name under datasets: in the configuration")
PROTOCOL = column("protocol", pa.string(), "name under protocols: in the configuration")
FOLD = column("fold", pa.int32(), "random split of a protocol, from 0")
MODEL = column("model", pa.string(), "name under models: in the configuration, or 'annotated'")
LANDMARK = column("landmark", pa.string(), "one of geometry.LANDMARKS")
