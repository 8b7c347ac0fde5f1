"""The rows of a dataset's card: counts, geometry, pixels, and the floor of the mean shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thermalign.geometry import Floats
from thermalign.images import DEFAULT_SCALES, DEGREES, FULL_SCALE, read_channels, to_luma
from thermalign.metrics.distributions import histogram, mean_and_sd, pixel_measures, saturation
from thermalign.metrics.faces import UNITS, face_measures, mean_shape_errors
from thermalign.records import points_of

SAMPLE = 400  # images of each modality and range whose pixels are read


SEED = 0  # of that sample


BOX = ["x", "y", "width", "height"]


NAN = float("nan")


EDGES = {
    "roll": np.linspace(-30, 30, 61),  # degrees
    "yaw_proxy": np.linspace(-0.6, 0.6, 121),  # interocular distances
    "pitch_proxy": np.linspace(0.2, 1.0, 61),
    "mouth_line": np.linspace(0.6, 1.5, 46),  # interocular distances
    "mouth_width": np.linspace(0.3, 1.2, 46),  # interocular distances
}
"""Bins of the histograms; what lies beyond counts in the outer bins."""


Row = tuple[str, str, float, float, float, int, str]


COLUMNS = ["subset", "statistic", "at", "value", "sd", "n", "unit"]


@dataclass(frozen=True)
class Annotated:
    """The annotated images of a dataset and what their faces measure, row for row.

    Attributes
    ----------
    images : DataFrame of IMAGES, N rows
    measures : dict of str to (N,) float
    errors : (N,) float, interocular distances
        Of the mean shape of other people; NaN where the modality has fewer than two subjects.
    hidden : (N,) float
        Share of landmarks that are not visible.
    """

    images: pd.DataFrame
    measures: dict[str, Floats]
    errors: Floats
    hidden: Floats

    @classmethod
    def of(
        cls, images: pd.DataFrame, annotations: pd.DataFrame, boxes: pd.DataFrame
    ) -> "Annotated":
        """Measure every annotated face of a dataset."""
        known = images[images["image_id"].isin(annotations["image_id"])].reset_index(drop=True)
        ids = list(known["image_id"])
        points = points_of(annotations, ids)
        placed = boxes.set_index("image_id").loc[ids, BOX].to_numpy(np.float64)
        errors = np.full(len(ids), NAN)
        for _, rows in known.groupby("modality"):
            if rows["subject_id"].nunique() > 1:
                at = rows.index.to_numpy()
                errors[at] = mean_shape_errors(points[at], placed[at], list(rows["subject_id"]))
        seen = annotations.groupby("image_id")["visible"].mean().loc[ids].to_numpy(np.float64)
        return cls(known, face_measures(points, placed), errors, 1 - seen)


def subsets(images: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the images of every modality and range, with the name of the subset."""
    for (modality, reach), rows in images.groupby(["modality", "range"], sort=True):
        yield f"modality={modality}&range={reach}", rows


def count_rows(images: pd.DataFrame, annotations: pd.DataFrame) -> Iterator[Row]:
    """Yield subjects, images, annotated images, pairs and bytes of a dataset and every subset."""
    size = images["path"].map(lambda path: Path(path).stat().st_size)
    paired = images["pair_id"].where(images["pair_id"] != "")
    described = images.assign(
        bytes=size, pair=paired, annotated=images["image_id"].isin(annotations["image_id"])
    )
    both = described.groupby("pair")["modality"].nunique()
    described["pair"] = described["pair"].where(described["pair"].isin(both[both > 1].index))
    for name, rows in [("all", described), *subsets(described)]:
        n = len(rows)
        yield name, "subjects", 0, rows["subject_id"].nunique(), NAN, n, "1"
        yield name, "images", 0, n, NAN, n, "1"
        yield name, "annotated", 0, int(rows["annotated"].sum()), NAN, n, "1"
        yield name, "pairs", 0, rows["pair"].nunique(), NAN, n, "1"
        yield name, "bytes_per_image", 0, *mean_and_sd(rows["bytes"].to_numpy()), n, "byte"
    if len(both[both > 1]):
        weights = described.groupby("pair")["bytes"].sum().to_numpy()
        yield "all", "bytes_per_pair", 0, *mean_and_sd(weights), len(weights), "byte"


def geometry_rows(faces: Annotated) -> Iterator[Row]:
    """Yield means, histograms and the mean shape's error of every subset with landmarks."""
    largest = faces.measures["interocular_distance"].max(initial=0.0)
    edges = EDGES | {"interocular_distance": np.linspace(0, np.ceil(largest / 10) * 10, 61)}
    for name, rows in subsets(faces.images):
        at, n = rows.index.to_numpy(), len(rows)
        for measure, unit in UNITS.items():
            yield name, measure, 0, *mean_and_sd(faces.measures[measure][at]), n, unit
        yield name, "not_visible", 0, *mean_and_sd(faces.hidden[at]), n, "1"
        errors = faces.errors[at]
        if np.isfinite(errors).all():
            yield name, "mean_shape_nmse", 0, *mean_and_sd(errors), n, "IOD"
        for measure, bins in edges.items():
            shares = histogram(faces.measures[measure][at], bins)
            for edge, share in zip(bins, shares, strict=False):
                yield name, f"{measure}_histogram", float(edge), share, NAN, n, UNITS[measure]


def pixel_rows(images: pd.DataFrame, boxes: pd.DataFrame) -> Iterator[Row]:
    """Yield what the pixels of a sample of every subset hold: image and face box.

    A subset whose images have several units has no rows: their mean would mean nothing.
    """
    placed = boxes.set_index("image_id")[BOX]
    for name, rows in subsets(images):
        units = {unit_of(row) for row in rows.to_dict("records")}
        if len(units) > 1:
            continue
        (unit,) = units
        ordered = rows.sort_values("image_id")
        chosen = ordered.sample(min(SAMPLE, len(rows)), random_state=SEED)
        measured = pd.DataFrame(
            [_pixels(row, placed.loc[row["image_id"]]) for row in chosen.to_dict("records")]
        )
        for statistic in measured:
            values = measured[statistic].dropna().to_numpy(np.float64)
            if len(values):
                given = "1" if str(statistic).endswith("saturated") else unit
                yield name, str(statistic), 0, *mean_and_sd(values), len(values), given


def unit_of(row: Any) -> str:
    """Return the unit of an image's pixels.

    Thermal ones are in degrees where samples are 32-bit floats, or 16-bit counts with a scale of
    their own. 8 bits are taken for a picture stretched for the eye, whatever scale it states.
    """
    depth = row["bit_depth"]
    scaled = row["scale"] != DEFAULT_SCALES[depth]
    if row["modality"] == "thermal" and (depth == 32 or (depth == 16 and scaled)):
        return DEGREES
    if scaled or row["offset"] != 0:
        return "as scaled"
    return FULL_SCALE if depth == 8 else "count"


def _pixels(row: dict[Any, Any], box: Any) -> dict[str, float]:
    stored = read_channels(Path(row["path"]))
    image = to_luma(stored).astype(np.float32) * np.float32(row["scale"]) + np.float32(
        row["offset"]
    )
    left, top = (max(0, round(v)) for v in (box["x"], box["y"]))
    right, bottom = round(box["x"] + box["width"]), round(box["y"] + box["height"])
    face = image[top:bottom, left:right]
    parts = {"image": image, "box": face} if face.size else {"image": image}
    found = {f"{k}_{m}": v for k, p in parts.items() for m, v in pixel_measures(p).items()}
    if np.issubdtype(stored.dtype, np.integer):
        found["low_saturated"], found["high_saturated"] = saturation(stored)
    return found
