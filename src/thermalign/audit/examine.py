"""Every check of a dataset, in one list of findings."""

import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from thermalign.audit.boxes import check_boxes
from thermalign.audit.findings import KINDS, STOPS, Faces, Finding
from thermalign.audit.landmarks import check_landmarks
from thermalign.audit.pairs import check_pairs
from thermalign.audit.pictures import check_pictures
from thermalign.ingest.found import Found
from thermalign.ingest.layout import dense
from thermalign.ingest.quarantine import Quarantined

CHECKS = (check_landmarks, check_boxes, check_pictures, check_pairs)


def faces_of(found: Found, boxes: pd.DataFrame, lines: Sequence[int] = ()) -> Faces:
    """Return the faces of a dataset that was read.

    Parameters
    ----------
    found : Found
    boxes : DataFrame of BOXES
    lines : N int
        Rows of the manifest, if there is one.
    """
    points, _ = dense(found)
    _, placed = dense(found._replace(boxes=boxes))
    drawn = set(boxes.loc[boxes["source"] == "given", "image_id"])
    given = np.array([image in drawn for image in found.images["image_id"]], bool)
    return Faces(found.images.reset_index(drop=True), points, placed, given, found.looks, [*lines])


def examine(faces: Faces, refused: Iterable[Quarantined] = ()) -> list[Finding]:
    """Return what is suspicious, the gravest kinds first.

    Parameters
    ----------
    faces : Faces
    refused : rows that could not be read
    """
    found = [Finding("refused", its.reason, image=its.image, row=its.row) for its in refused]
    if len(faces.images):
        found += [its for check in CHECKS for its in check(faces)]
    order = list(KINDS)
    return sorted(found, key=lambda its: order.index(its.check))


def that_stop(findings: Iterable[Finding], accept: Collection[str]) -> list[Finding]:
    """Return the findings with which a study should not begin.

    Parameters
    ----------
    findings : Findings
    accept : kinds of findings that somebody looked at
    """
    return [
        its for its in findings if KINDS[its.check].severity == STOPS and its.check not in accept
    ]


def refuse(findings: Iterable[Finding], accept: Collection[str], sources: Sequence[Path]) -> None:
    """Refuse a dataset with which a study should not begin; say what else was found.

    Raises
    ------
    ValueError
        Naming the first such finding, how many there are, and the cure.
    """
    findings = list(findings)
    source = sources[0] if sources else "dataset"
    stops = that_stop(findings, accept)
    if stops:
        raise ValueError(
            f"{source}: {stops[0].reason} ({told(stops)}); correct it, quarantine: the images, or "
            f"accept: [{stops[0].check}] if you looked; thermalign audit shows all"
        )
    if findings:
        print(f"{source}: {told(findings)}; the page of the audit shows them", file=sys.stderr)


def told(findings: Iterable[Finding]) -> str:
    """Return how many findings of each kind there are: ``3 outlier, 1 rounded``."""
    counts: dict[str, int] = {}
    for its in findings:
        counts[its.check] = counts.get(its.check, 0) + 1
    return ", ".join(f"{count} {check}" for check, count in counts.items()) or "no finding"
