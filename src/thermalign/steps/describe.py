"""Describe a dataset: its card, its likeness to real faces, its contact sheets."""

from pathlib import Path

import pandas as pd

from thermalign import tables
from thermalign.evaluation.card import (
    COLUMNS,
    SAMPLE,
    SEED,
    Annotated,
    count_rows,
    geometry_rows,
    pixel_rows,
)
from thermalign.metrics.faces import UNITS
from thermalign.metrics.real_faces import LEAST_SUBJECTS, NEAR_MEAN, NEAR_SPREAD, compare
from thermalign.provenance import stamp
from thermalign.report.contact_sheets import sheets
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from thermalign.schemas.descriptions import CARD, LIKENESS


def run(
    *,
    images: Path,
    annotations: Path,
    boxes: Path,
    dataset: str,
    card: Path,
    likeness: Path,
    contact: Path,
    marked: Path,
    code: str,
) -> None:
    """Write a dataset's CARD, LIKENESS and two contact sheets.

    A dataset without landmarks has a card without geometry and an empty LIKENESS; one without
    thermal images has no temperatures.

    Parameters
    ----------
    images, annotations, boxes : Path of the tables
    dataset : name of the dataset
    card, likeness : Path
    contact, marked : Path of a PNG file
    code : str
    """
    known = tables.read(images, IMAGES)
    points = tables.read(annotations, ANNOTATIONS)
    placed = tables.read(boxes, BOXES)
    faces = Annotated.of(known, points, placed)
    shown = sheets(known, points, placed)
    rows = [*count_rows(known, points), *geometry_rows(faces), *pixel_rows(known, placed)]
    rows += shown.rows
    table = pd.DataFrame(rows, columns=COLUMNS).assign(dataset=dataset)
    beside = likeness_of(faces, dataset)
    metadata = stamp(code, {"sample": SAMPLE, "seed": SEED})
    tables.write(card, table, CARD, metadata)
    tables.write(likeness, beside, LIKENESS, metadata)
    for path, picture in ((contact, shown.contact), (marked, shown.marked)):
        tables.replace_file(path, lambda temporary, png=picture: temporary.write_bytes(png))


def likeness_of(faces: Annotated, dataset: str) -> pd.DataFrame:
    """Return LIKENESS of a dataset's annotated faces, one block per modality that has any."""
    rows = []
    for modality, images in faces.images.groupby("modality"):
        at = images.index.to_numpy()
        measures = {name: values[at] for name, values in faces.measures.items()}
        people = images["subject_id"].nunique()
        for found in compare(measures, str(modality), subjects=people):
            real_mean, real_sd = found.real.measures[found.measure]
            rows.append(
                {
                    "dataset": dataset,
                    "subset": f"modality={modality}",
                    "statistic": found.measure,
                    "unit": UNITS[found.measure],
                    "source": found.real.source,
                    "real_mean": real_mean,
                    "real_sd": real_sd,
                    "real_n": found.real.images,
                    "mean": found.mean,
                    "sd": found.sd,
                    "n": found.n,
                    "difference": found.difference,
                    "ratio": found.ratio,
                    "near_mean": NEAR_MEAN,
                    "near_spread": NEAR_SPREAD,
                    "least_subjects": LEAST_SUBJECTS,
                    "verdict": found.verdict,
                }
            )
    return pd.DataFrame(rows, columns=LIKENESS.names)
