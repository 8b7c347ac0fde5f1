"""Write the annotated points as if a model had predicted them."""

from pathlib import Path

from thermalign import tables
from thermalign.provenance import stamp
from thermalign.records import Located, points_of, read_fold, rows_of_points
from thermalign.schemas.dataset import ANNOTATIONS
from thermalign.schemas.keys import ANNOTATED
from thermalign.schemas.predictions import PREDICTIONS


def run(
    *,
    images: Path,
    annotations: Path,
    folds: Path,
    protocol: str,
    fold: int,
    predictions: Path,
    code: str,
) -> None:
    """Write the PREDICTIONS of model ``annotated``: all annotated images of the fold.

    Parameters
    ----------
    images, annotations, folds : Path of the tables
    protocol, fold : wildcards
    predictions : Path
    code : str
    """
    points = tables.read(annotations, ANNOTATIONS)
    rows = read_fold(images, folds)
    ids = list(rows.loc[rows["image_id"].isin(points["image_id"]), "image_id"])
    located = Located.unknown(points_of(points, ids))
    key = {"protocol": protocol, "fold": fold, "model": ANNOTATED}
    made = rows_of_points(ids, located, key)
    tables.write(predictions, made, PREDICTIONS, stamp(code, {}))
