"""Bring faces to canonical coordinates by their landmarks."""

import sys
from pathlib import Path
from typing import Any

from thermalign import tables
from thermalign.provenance import stamp
from thermalign.records import points_of
from thermalign.schemas.dataset import IMAGES
from thermalign.schemas.matching import FACES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.settings import parse
from thermalign.verification import alignment
from thermalign.verification.stored import stored


def run(
    *,
    images: Path,
    predictions: Path,
    protocol: str,
    fold: int,
    model: str,
    settings: dict[str, Any],
    faces: Path,
    code: str,
) -> None:
    """Write the FACES of every image whose landmarks allow it; the log says how many do not.

    Parameters
    ----------
    images, predictions : Path of the tables
    protocol, fold, model : wildcards
    settings : the ``alignment:`` block: width, height, method and the canonical points, in pixels
    faces : Path
    code : str
    """
    asked = parse(alignment.Settings, settings, "alignment")
    rows = tables.read(images, IMAGES)
    found = tables.read(predictions, PREDICTIONS)
    rows = rows[rows["image_id"].isin(found["image_id"])].reset_index(drop=True)
    points = points_of(found, list(rows["image_id"]))
    usable = alignment.alignable(points, asked)
    if not usable.all():
        failed = (~usable).sum()
        print(f"{failed} of {len(rows)} images could not be aligned by {model}", file=sys.stderr)
    rows = rows[usable]
    key: dict[str, Any] = {"protocol": protocol, "fold": fold, "model": model}
    key |= {"width": asked.width, "height": asked.height}
    batches = alignment.aligned_batches(rows, points[usable], asked)
    parts = (part.assign(**key) for part in stored(rows["image_id"], batches))
    tables.write_parts(faces, parts, FACES, stamp(code, settings))
