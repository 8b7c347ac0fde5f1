"""A dataset's card: counts, geometry, pixels, the floor of the mean shape; its likeness to faces.

Every row is of one modality and range, or of both and all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from thermalign.geometry import Floats
from thermalign.images import DEGREES, channels_of, to_luma, to_physical, unit_of
from thermalign.metrics.distributions import histogram, mean_and_sd, pixel_measures, saturation
from thermalign.metrics.faces import UNITS, face_measures, mean_shape_errors
from thermalign.metrics.real_faces import (
    LEAST_SUBJECTS,
    Comparison,
    compare,
    compare_temperatures,
)
from thermalign.records import boxes_of, points_of
from thermalign.schemas.descriptions import LIKENESS

SAMPLE = 400  # images of each modality and range whose pixels are read
SEED = 0  # of that sample
NAN = float("nan")

EDGES = {
    "roll": np.linspace(-30, 30, 61),  # degrees
    "yaw_proxy": np.linspace(-0.6, 0.6, 121),  # interocular distances
    "pitch_proxy": np.linspace(0.2, 1.0, 61),
    "mouth_line": np.linspace(0.6, 1.5, 46),  # interocular distances
    "mouth_width": np.linspace(0.3, 1.2, 46),  # interocular distances
}
"""Bins of the histograms; what lies beyond counts in the outer bins."""


COMPARED = ("mean", "sd", "n", "difference", "ratio", "near_mean", "near_spread", "verdict")
"""Columns of LIKENESS that are fields of a comparison."""


class Part(NamedTuple):
    """Part of a dataset; "" for all of it."""

    modality: str = ""
    range: str = ""


WHOLE = Part()


class Row(NamedTuple):
    """A row of CARD without the name of the dataset."""

    modality: str
    range: str
    statistic: str
    value: float
    n: int
    unit: str = "1"
    sd: float = NAN
    at: float = 0.0


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
        points, placed = points_of(annotations, ids), boxes_of(known, boxes)
        errors = np.full(len(ids), NAN)
        for _, rows in known.groupby("modality"):
            if rows["subject_id"].nunique() > 1:
                at = rows.index.to_numpy()
                errors[at] = mean_shape_errors(points[at], placed[at], list(rows["subject_id"]))
        seen = annotations.groupby("image_id")["visible"].mean().loc[ids].to_numpy(np.float64)
        return cls(known, face_measures(points, placed), errors, 1 - seen)


def parts(images: pd.DataFrame) -> Iterator[tuple[Part, pd.DataFrame]]:
    """Yield the images of every modality and range."""
    for (modality, reach), rows in images.groupby(["modality", "range"], sort=True):
        yield Part(str(modality), str(reach)), rows


def sampled(images: pd.DataFrame) -> pd.DataFrame:
    """Draw the images of a part whose pixels are read, the same for whoever asks."""
    ordered = images.sort_values("image_id")
    return ordered.sample(min(SAMPLE, len(images)), random_state=SEED)


def count_rows(images: pd.DataFrame, annotations: pd.DataFrame) -> Iterator[Row]:
    """Yield subjects, images, annotated images, pairs and bytes of a dataset and every part.

    Parameters
    ----------
    images : DataFrame of IMAGES with ``bytes``, the size of each file
    annotations : DataFrame of ANNOTATIONS
    """
    paired = images["pair_id"].where(images["pair_id"] != "")
    described = images.assign(
        pair=paired, annotated=images["image_id"].isin(annotations["image_id"])
    )
    both = described.groupby("pair")["modality"].nunique()
    described["pair"] = described["pair"].where(described["pair"].isin(both[both > 1].index))
    for part, rows in [(WHOLE, described), *parts(described)]:
        counts = {
            "subjects": rows["subject_id"].nunique(),
            "images": len(rows),
            "annotated": int(rows["annotated"].sum()),
            "pairs": rows["pair"].nunique(),
        }
        for statistic, count in counts.items():
            yield Row(*part, statistic, count, len(rows))
        yield mean_row(part, "bytes_per_image", rows["bytes"].to_numpy(), "byte")
    if len(both[both > 1]):
        weights = described.groupby("pair")["bytes"].sum().to_numpy()
        yield mean_row(WHOLE, "bytes_per_pair", weights, "byte")


def finding_rows(findings: pd.DataFrame, *, n: int) -> Iterator[Row]:
    """Yield how many records of a dataset were left out, and how many findings of a kind there are.

    Parameters
    ----------
    findings : DataFrame of FINDINGS
    n : int
        Images of the dataset.
    """
    for check, count in findings["check"].value_counts(sort=False).items():
        yield Row(*WHOLE, f"found_{check}", count, n)


def geometry_rows(faces: Annotated) -> Iterator[Row]:
    """Yield means, histograms and the mean shape's error of every part with landmarks."""
    largest = faces.measures["interocular_distance"].max(initial=0.0)
    edges = EDGES | {"interocular_distance": np.linspace(0, np.ceil(largest / 10) * 10, 61)}
    for part, rows in parts(faces.images):
        at = rows.index.to_numpy()
        for measure, unit in UNITS.items():
            yield mean_row(part, measure, faces.measures[measure][at], unit)
        yield mean_row(part, "not_visible", faces.hidden[at], "1")
        if np.isfinite(faces.errors[at]).all():
            yield mean_row(part, "mean_shape_nmse", faces.errors[at], "IOD")
        for measure, bins in edges.items():
            shares = histogram(faces.measures[measure][at], bins)
            name, unit = f"{measure}_histogram", UNITS[measure]
            for edge, share in zip(bins, shares, strict=False):
                yield Row(*part, name, share, len(at), unit, at=float(edge))


def pixel_rows(images: pd.DataFrame, boxes: pd.DataFrame) -> Iterator[Row]:
    """Yield what the pixels of a sample of every part hold: image and face box.

    A part whose images have several units has no rows: their mean would mean nothing.
    """
    for part, rows in parts(images):
        units = {unit_of(row) for row in rows.to_dict("records")}
        if len(units) > 1:
            continue
        (unit,) = units
        chosen = sampled(rows)
        placed = boxes_of(chosen, boxes)
        measured = pd.DataFrame(
            [_pixels(row, box) for row, box in zip(chosen.to_dict("records"), placed, strict=True)]
        )
        for statistic in measured:
            values = measured[statistic].dropna().to_numpy(np.float64)
            if len(values):
                share = str(statistic).endswith("saturated")
                yield mean_row(part, str(statistic), values, "1" if share else unit)


def sheet_rows(
    shown: Mapping[str, int], window: tuple[float, float] | None, *, n: int
) -> Iterator[Row]:
    """Yield how much of a dataset its contact sheets show, and what their colours span.

    Parameters
    ----------
    shown : count by statistic
    window : degrees Celsius at the ends of the colours; None where there are no degrees
    n : int
        Images of the dataset.
    """
    for statistic, count in shown.items():
        yield Row(*WHOLE, statistic, count, n)
    for end, value in zip(("low", "high"), window or (), strict=False):
        yield Row(*WHOLE, f"colour_{end}", value, n, DEGREES)


def mean_row(part: Part, statistic: str, values: Floats, unit: str) -> Row:
    """Return the mean and the standard deviation of values (N,)."""
    mean, sd = mean_and_sd(values)
    return Row(*part, statistic, mean, len(values), unit, sd)


def _pixels(row: dict[Any, Any], box: Floats) -> dict[str, float]:
    """Measure the pixels of a row of IMAGES, and those in its box (4,)."""
    stored = channels_of(row)
    image = to_physical(to_luma(stored), row)
    x, y, width, height = box
    left, top = max(0, round(x)), max(0, round(y))
    face = image[top : round(y + height), left : round(x + width)]
    areas = {"image": image, "box": face} if face.size else {"image": image}
    found = {f"{k}_{m}": v for k, area in areas.items() for m, v in pixel_measures(area).items()}
    if np.issubdtype(stored.dtype, np.integer):
        found["low_saturated"], found["high_saturated"] = saturation(stored)
    return found


def likeness(faces: Annotated, people: Mapping[Part, pd.DataFrame], dataset: str) -> pd.DataFrame:
    """Return LIKENESS of a dataset: the proportions of its annotated faces, and its temperatures.

    Parameters
    ----------
    faces : Annotated
    people : part to the mean temperatures of its people
        As :func:`thermalign.evaluation.warmth.temperatures` returns them. Real ones were read where
        a pixel is about a millimetre, so the part with the largest faces is compared.
    dataset : str
    """
    found = [*_proportions(faces), *_warmth(faces, people)]
    told = {"dataset": dataset, "least_subjects": LEAST_SUBJECTS}
    rows = [{**told, **part._asdict(), **_beside_real(of, unit)} for part, unit, of in found]
    return pd.DataFrame(rows, columns=LIKENESS.names)


def _proportions(faces: Annotated) -> Iterator[tuple[Part, str, Comparison]]:
    for modality, images in faces.images.groupby("modality"):
        at = images.index.to_numpy()
        measures = {name: values[at] for name, values in faces.measures.items()}
        subjects = images["subject_id"].nunique()
        for found in compare(measures, str(modality), subjects=subjects):
            yield Part(modality=str(modality)), UNITS[found.measure], found


def _warmth(
    faces: Annotated, people: Mapping[Part, pd.DataFrame]
) -> Iterator[tuple[Part, str, Comparison]]:
    sizes = {
        part: faces.measures["interocular_distance"][rows.index].mean()
        for part, rows in parts(faces.images)
        if part in people
    }
    if sizes:
        part = max(sizes, key=lambda its: sizes[its])
        known = {name: values.dropna().to_numpy() for name, values in people[part].items()}
        regions = {str(name): values for name, values in known.items() if values.size}
        for found in compare_temperatures(regions):
            yield part, DEGREES, found


def _beside_real(found: Comparison, unit: str) -> dict[str, Any]:
    """Return the columns of LIKENESS that a comparison fills."""
    real_mean, real_sd = found.real.measures[found.measure]
    of_real = {"real_mean": real_mean, "real_sd": real_sd, "real_n": found.real.count}
    its = {name: getattr(found, name) for name in COMPARED}
    return {"statistic": found.measure, "unit": unit, "source": found.real.source, **of_real, **its}
