"""Choose who of another dataset a fold's models are tested on."""

from pathlib import Path

from thermalign import tables
from thermalign.evaluation.admitted import admit
from thermalign.provenance import stamp
from thermalign.schemas.dataset import FOLDS, IMAGES


def run(
    *,
    images: Path,
    folds: Path,
    visited: Path,
    dataset: str,
    protocol: str,
    fold: int,
    other: str,
    people: str,
    admitted: Path,
    code: str,
) -> None:
    """Write the FOLDS of another dataset, in which everybody left is tested.

    It needs no training, so that people who must not meet are refused before any.

    Parameters
    ----------
    images, folds : Path of the tables of the protocol's dataset
    visited : Path of IMAGES of the other dataset
    dataset : the protocol's
    protocol, fold, other : wildcards
    people : what a name in both says: see :func:`thermalign.evaluation.admitted.admit`
    admitted : Path of FOLDS
    code : str
    """
    roles = tables.read(folds, FOLDS)
    roles = roles.loc[~roles["flipped"], ["image_id", "role"]]
    own = tables.read(images, IMAGES).merge(roles, on="image_id", how="left")
    there = tables.read(visited, IMAGES)
    left = admit(there, own, people=people, named=(f"evaluate_on.{other}", dataset))
    table = left[["image_id"]].assign(role="test", flipped=False, protocol=protocol, fold=fold)
    tables.write(admitted, table, FOLDS, stamp(code, {"people": people}))
