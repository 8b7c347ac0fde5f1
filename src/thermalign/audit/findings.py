"""What a finding is, and which kinds of findings there are."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from thermalign.geometry import Floats
from thermalign.ingest.looks import Looks
from thermalign.ingest.quarantine import Quarantined
from thermalign.schemas.descriptions import FINDINGS

STOPS, WARNS, QUARANTINED = "stops", "warns", "quarantined"
MAY_BE_ACCEPTED = ("registered", "duplicate_people")
"""Findings that stop a study unless somebody looked at them; what is refused cannot be read."""

NAN = float("nan")


class Kind(NamedTuple):
    """A kind of finding: how grave it is, what it is called, why it matters and the cure."""

    severity: str
    title: str
    why: str


KINDS = {
    "refused": Kind(
        STOPS,
        "Refused",
        "The ingest rule reads such a row as something that it is not, or cannot read it. Correct "
        "the row or the file, or quarantine it.",
    ),
    "registered": Kind(
        STOPS,
        "Registered faces",
        "The eyes lie at the same pixels in all images, so somebody aligned them by the very "
        "points that a detector should find. A landmark study on them is meaningless: take the "
        "images before registration, or accept this for a study of matchers alone.",
    ),
    "duplicate_people": Kind(
        STOPS,
        "One picture, two people",
        "The same picture, saved again or stretched, stands under two people. One of them is "
        "wrong, and folds put it into training and test. Quarantine one.",
    ),
    "duplicate_modality": Kind(
        WARNS,
        "One picture, two modalities",
        "The thermal and the visible image are the same picture: matching them tells nothing.",
    ),
    "same_instant": Kind(
        WARNS,
        "One instant, two moments",
        "Two images of a person are the same instant but have two moments, so one may be the "
        "probe and the other in the gallery, as if they were two recordings. Give both one "
        "moment, or quarantine one.",
    ),
    "outlier": Kind(
        WARNS,
        "Improbable shapes",
        "The landmarks lie to each other as in hardly any other face of the set: a slip of the "
        "hand, two landmarks exchanged, or an extreme pose. Look, correct or quarantine.",
    ),
    "rounded": Kind(
        WARNS,
        "Rounded landmarks",
        "Coordinates are whole multiples of a step, so the annotation itself errs by the amount "
        "told. No detector can be measured below it.",
    ),
    "tiny": Kind(
        WARNS,
        "Tiny faces",
        "So few pixels lie between the eyes that landmarks cannot be told from their neighbours.",
    ),
    "outside_box": Kind(
        WARNS,
        "Landmarks outside the face box",
        "Detectors look within the box, or not far around it.",
    ),
    "odd_box": Kind(
        WARNS,
        "Odd face boxes",
        "The box lies about the landmarks as in hardly any other face of the set.",
    ),
    "mixed_boxes": Kind(
        WARNS,
        "Two styles of face boxes",
        "Boxes were drawn in two ways, by two annotators or detectors. A model trained on one "
        "style is given faces of another size or place by the other: draw them in one way, or let "
        "box: {source: derived} make them.",
    ),
    "saturated": Kind(
        WARNS,
        "Clipped faces",
        "Many pixels of the face have the picture's greatest or least value: what is there was "
        "not recorded.",
    ),
    "missing_pair": Kind(
        WARNS,
        "Missing partners",
        "Other moments of the same kind have a thermal and a visible image; these lack one. They "
        "cannot train the mapping between modalities.",
    ),
}
"""Every kind of finding, the gravest first."""


class Finding(NamedTuple):
    """One finding.

    Attributes
    ----------
    check : str
        A key of KINDS.
    reason : str
        In a sentence.
    at : int
        Place of its image among the faces; -1 for all of them.
    other : int
        Place of a second image; -1 without one.
    value, limit : float
        What was measured and what it may be; NaN where nothing was.
    modality : str
        Of a finding about all images of one.
    image, row : str and int
        Of an image that could not be read.
    """

    check: str
    reason: str
    at: int = -1
    other: int = -1
    value: float = NAN
    limit: float = NAN
    modality: str = ""
    image: str = ""
    row: int = 0


@dataclass(frozen=True)
class Faces:
    """The images of a dataset and their faces, row for row.

    Attributes
    ----------
    images : DataFrame of IMAGES, N rows
    points : (N, L, 2) float, pixels, (x, y)
        NaN where an image is not annotated.
    boxes : (N, 4) float, pixels, (x, y, width, height)
        NaN where there is none.
    given : (N,) bool
        Where people or another program drew the box.
    looks : Looks or None
    lines : N int
        Rows of the manifest; empty where there is none.
    """

    images: pd.DataFrame
    points: Floats
    boxes: Floats
    given: npt.NDArray[np.bool_]
    looks: Looks | None = None
    lines: list[int] = field(default_factory=list)

    @property
    def marked(self) -> npt.NDArray[np.bool_]:
        """Return where all landmarks are annotated, (N,) bool."""
        return np.asarray(np.isfinite(self.points).all(axis=(1, 2)))

    def of(self, modality: str) -> npt.NDArray[np.bool_]:
        """Return where images are of a modality, (N,) bool."""
        return np.asarray(self.images["modality"] == modality)

    @property
    def modalities(self) -> list[str]:
        """Return the modalities that there are."""
        return sorted(set(self.images["modality"]))


def table_of(
    findings: Iterable[Finding], left_out: Iterable[Quarantined], faces: Faces
) -> pd.DataFrame:
    """Return the rows of FINDINGS: what was found, then what was left out."""
    ids, people = list(faces.images["image_id"]), list(faces.images["subject_id"])
    rows: list[tuple[object, ...]] = []
    for its in findings:
        known = its.at >= 0
        rows.append(
            (
                its.check,
                KINDS[its.check].severity,
                ids[its.at] if known else its.image,
                people[its.at] if known else "",
                ids[its.other] if its.other >= 0 else "",
                faces.images["modality"].iloc[its.at] if known else its.modality,
                faces.lines[its.at] if known and faces.lines else its.row,
                its.value,
                its.limit,
                its.reason,
            )
        )
    for record in left_out:
        told = (record.image, "", "", "", record.row, NAN, NAN, record.reason)
        rows.append((QUARANTINED, QUARANTINED, *told))
    return pd.DataFrame(rows, columns=FINDINGS.names)
