"""Take the landmarks of a fold's test images from a file of another program."""

from pathlib import Path

from thermalign import tables
from thermalign.exchange.points import points_for, read_points
from thermalign.provenance import stamp
from thermalign.records import rows_of_points, with_roles
from thermalign.schemas.dataset import FOLDS, IMAGES
from thermalign.schemas.predictions import PREDICTIONS


def run(
    *,
    images: Path,
    folds: Path,
    source: Path,
    dataset: str,
    protocol: str,
    fold: int,
    model: str,
    modality: str,
    content: str,
    predictions: Path,
    code: str,
) -> None:
    """Write the PREDICTIONS of every test image of the probe modality.

    Parameters
    ----------
    images, folds : Path of the tables
    source : Path of the file: see :mod:`thermalign.exchange.points`
    dataset : the protocol's
    protocol, fold, model : wildcards
    modality : of the probes
    content : digest of the file when the jobs were planned
    predictions : Path
    code : str
    """
    known = tables.read(images, IMAGES)
    rows = with_roles(known, tables.read(folds, FOLDS))
    test = rows.query("role == 'test' and modality == @modality")
    points, ids = read_points(source), list(test["image_id"])
    whose = f"test images of {protocol}, fold {fold}"
    located = points_for(points, known, ids, dataset=dataset, whose=whose)
    made = rows_of_points(ids, located, {"protocol": protocol, "fold": fold, "model": model})
    metadata = stamp(code, {"model": model, "from": str(source), "sha256": content})
    tables.write(predictions, made, PREDICTIONS, {**metadata, **points.metadata})
