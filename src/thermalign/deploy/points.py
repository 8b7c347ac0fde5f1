"""The table that predictions are written to: a row a face, CSV or Parquet with the same values."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from thermalign import tables
from thermalign.deploy.faces import NO_FACE, STATUSES, Face
from thermalign.geometry import LANDMARKS
from thermalign.records import BOX
from thermalign.schemas.columns import column
from thermalign.tables import Metadata, replace_file

DIGITS = 4  # behind the point; a pixel's thousandth is more than anybody annotates

POINTS = pa.schema(
    [
        column("image", pa.string(), "image_id of its manifest, or path as it was given"),
        column("face", pa.int32(), "number of the face in its image from 1; 0: there is none"),
        column("status", pa.string(), f"{', '.join(STATUSES[:-1])} or {STATUSES[-1]}"),
        column("note", pa.string(), "why it is not ok, or empty"),
        column("score", pa.float64(), "of the finder, 0 to 1; NaN in a given box"),
        *(column(f"box_{name}", pa.float64(), "face box; (x, y): top-left", "px") for name in BOX),
        column("expected_error", pa.float64(), "mean over the landmarks", "interocular distances"),
        *(
            field
            for name in LANDMARKS
            for field in (
                column(f"{name}_x", pa.float64(), "NaN unless the status is ok", "px"),
                column(f"{name}_y", pa.float64(), "NaN unless the status is ok", "px"),
                column(
                    f"{name}_error",
                    pa.float64(),
                    "expected distance from the true point; NaN where not calibrated",
                    "interocular distances",
                ),
            )
        ),
    ]
)
"""A face, or an image without one, a row; of the same order as the images that were given."""

NOBODY = Face(
    np.full((len(LANDMARKS), 2), np.nan),
    np.full(len(LANDMARKS), np.nan),
    np.full((len(LANDMARKS), 2, 2), np.nan),
    np.full(len(LANDMARKS), np.nan),
    np.full(4, np.nan),
    np.nan,
    NO_FACE,
)
"""What stands in the row of an image without a face."""


def rows_of_image(
    name: str, faces: Sequence[Face], status: str, note: str
) -> list[dict[str, object]]:
    """Return the rows of an image; one without numbers if it has no face.

    Parameters
    ----------
    name : str
    faces : its faces
    status, note : of the image, if it has none
    """
    if faces:
        return [
            _row(name, face, number, face.status, face.note) for number, face in enumerate(faces, 1)
        ]
    return [_row(name, NOBODY, 0, status, note)]


def _row(name: str, face: Face, number: int, status: str, note: str) -> dict[str, object]:
    told = {"image": name, "face": number, "status": status, "note": note}
    numbers = {"score": face.score}
    numbers |= {f"box_{key}": value for key, value in zip(BOX, face.box, strict=True)}
    numbers["expected_error"] = face.expected_error.mean()
    for n, landmark in enumerate(LANDMARKS):
        numbers[f"{landmark}_x"], numbers[f"{landmark}_y"] = face.points[n]
        numbers[f"{landmark}_error"] = face.expected_error[n]
    return {**told, **{key: round(float(value), DIGITS) for key, value in numbers.items()}}


def write(path: Path, rows: Iterable[dict[str, object]], metadata: Metadata) -> None:
    """Write rows, as CSV or, where the name ends in ``.parquet``, with ``metadata`` beside them."""
    table = pd.DataFrame(rows, columns=POINTS.names)
    if path.suffix == ".parquet":
        tables.write(path, table, POINTS, metadata)
    else:
        replace_file(path, lambda temporary: table.to_csv(temporary, index=False))


def is_ours(path: Path) -> bool:
    """Return whether a file begins as what :func:`write` writes."""
    if path.suffix == ".parquet":
        try:
            return list(pa.parquet.read_schema(path).names) == POINTS.names
        except (pa.ArrowException, OSError):
            return False
    begins = ",".join(POINTS.names).encode()
    with path.open("rb") as file:
        return file.read(len(begins)) == begins
