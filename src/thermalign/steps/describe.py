"""Describe a dataset: its card, its likeness to real faces, its contact sheets."""

from pathlib import Path

import pandas as pd

from thermalign import tables
from thermalign.evaluation import card as cards
from thermalign.evaluation import warmth
from thermalign.provenance import stamp
from thermalign.report.sheets import sheets
from thermalign.schemas.dataset import ANNOTATIONS, BOXES, IMAGES
from thermalign.schemas.descriptions import CARD, FINDINGS, LIKENESS


def run(
    *,
    images: Path,
    annotations: Path,
    boxes: Path,
    findings: Path,
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
    images, annotations, boxes, findings : Path of the tables
    dataset : name of the dataset
    card, likeness : Path
    contact, marked : Path of a PNG file
    code : str
    """
    known = tables.read(images, IMAGES)
    points = tables.read(annotations, ANNOTATIONS)
    placed = tables.read(boxes, BOXES)
    sized = known.assign(bytes=[Path(path).stat().st_size for path in known["path"]])
    faces = cards.Annotated.of(known, points, placed)
    people = warmth.temperatures(known, points)
    drawn = sheets(known, points, placed)
    rows = [
        *cards.count_rows(sized, points),
        *cards.finding_rows(tables.read(findings, FINDINGS), n=len(known)),
        *cards.geometry_rows(faces),
        *cards.pixel_rows(known, placed),
        *warmth.temperature_rows(people),
        *cards.sheet_rows(drawn.shown, drawn.window, n=len(known)),
    ]
    table = pd.DataFrame(rows, columns=cards.Row._fields).assign(dataset=dataset)
    metadata = stamp(code, {"sample": cards.SAMPLE, "seed": cards.SEED})
    tables.write(card, table, CARD, metadata)
    tables.write(likeness, cards.likeness(faces, people, dataset), LIKENESS, metadata)
    for path, picture in ((contact, drawn.contact), (marked, drawn.marked)):
        tables.replace_file(path, lambda temporary, png=picture: temporary.write_bytes(png))
