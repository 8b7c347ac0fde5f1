"""The table of real faces against the annotation files it was measured over, where they are."""

import re
from pathlib import Path

import numpy as np
import pytest

from thermalign.metrics.faces import face_measures
from thermalign.metrics.real_faces import (
    LEAST_SUBJECTS,
    NEAR_MEAN,
    NEAR_SPREAD,
    NEAR_TEMPERATURE,
    NEAR_TEMPERATURE_SPREAD,
    REAL_FACES,
    REAL_TEMPERATURES,
    compare,
    compare_temperatures,
)
from thermalign.metrics.temperatures import REGIONS

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "carl_eurecom_landmarks"
PARTS = ("righteye_outer", "righteye_inner", "lefteye_inner", "lefteye_outer")
CORNERS = ("mouthcorner_right", "mouthcorner_left")
PLACES = {
    ("CARL", "thermal"): ("Carl_annotations", "/thermal_bmp/"),
    ("CARL", "visible"): ("Carl_annotations", "/classic/"),
    ("EURECOM VIS-TH", "thermal"): ("Eurecom_annotations", "/TH/"),
    ("EURECOM VIS-TH", "visible"): ("Eurecom_annotations", "/VIS/"),
}


def annotated(folder, place):
    """Return points (N, 5, 2), the unmarked nose at zero, and boxes (N, 4) of complete records."""
    points, boxes = [], []
    for file in sorted((FOLDER / folder).glob("*.xml")):
        images = re.findall(r'<image file="([^"]*)">(.*?)</image>', file.read_text(), re.DOTALL)
        for name, body in images:
            marks = re.findall(r'<part name="(\w+)" x="([-\d.]+)" y="([-\d.]+)"', body)
            at = {part: np.array([float(x), float(y)]) for part, x, y in marks}
            if place not in name or len(marks) != 6 or len(at) != 6:
                continue
            eyes = [(at[PARTS[k]] + at[PARTS[k + 1]]) / 2 for k in (0, 2)]
            points.append([*eyes, np.zeros(2), *(at[corner] for corner in CORNERS)])
            opening = re.search(r"<box ([^>]*)>", body)[1]
            box = {k: float(v) for k, v in re.findall(r'(\w+)="([-\d.]+)"', opening)}
            boxes.append([box[k] for k in ("left", "top", "width", "height")])
    return np.array(points), np.array(boxes)


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no annotation files at {FOLDER}")
@pytest.mark.parametrize("real", REAL_FACES, ids=lambda r: f"{r.source}, {r.modality}")
def test_the_table_is_what_the_annotation_files_measure(real):
    points, boxes = annotated(*PLACES[real.source, real.modality])
    assert len(points) == real.count
    found = face_measures(points, boxes)
    for name, (mean, sd) in real.measures.items():
        digits = 2 if name == "interocular_distance" else 3
        values = found[name].mean(), found[name].std()
        assert values == pytest.approx((mean, sd), abs=0.5001 * 10**-digits), name


WORDS = {"interocular_distance": "camera", "box_width": "box", "box_height": "box"}


def verdicts(real, found, subjects=LEAST_SUBJECTS):
    rows = [c for c in compare(found, real.modality, subjects=subjects) if c.real is real]
    return {row.measure: row.verdict for row in rows}


def measures(real, shift=0.0, factor=1.0):
    return {
        name: np.array([-factor, factor]) * sd + mean + shift * sd
        for name, (mean, sd) in real.measures.items()
    }


@pytest.mark.parametrize(
    ("shift", "factor", "verdict"),
    [
        (0, 1, "agrees"),
        (NEAR_MEAN - 0.01, NEAR_SPREAD - 0.01, "agrees"),
        (-NEAR_MEAN + 0.01, 1 / NEAR_SPREAD + 0.01, "agrees"),
        (NEAR_MEAN + 0.01, 1, "mean differs"),
        (-NEAR_MEAN - 0.01, 1, "mean differs"),
        (0, NEAR_SPREAD + 0.01, "spread differs"),
        (0, 1 / NEAR_SPREAD - 0.01, "spread differs"),
        (2, 0, "both differ"),
    ],
)
def test_a_verdict_fails_where_mean_or_spread_lies_too_far(shift, factor, verdict):
    real = REAL_FACES[0]
    found = measures(real, shift, factor)
    assert verdicts(real, found) == dict.fromkeys(real.measures, verdict) | WORDS
    for row in compare(found, real.modality, subjects=LEAST_SUBJECTS):
        if row.real is real:
            assert (row.difference, row.ratio) == pytest.approx((shift, factor), abs=1e-9)


def test_fewer_than_ten_people_are_not_judged():
    real = REAL_FACES[0]
    found = measures(real)
    judged, few = (verdicts(real, found, subjects=count) for count in (10, 9))
    assert judged == dict.fromkeys(real.measures, "agrees") | WORDS
    assert few == dict.fromkeys(real.measures, "too few") | WORDS


def test_faces_are_compared_within_their_modality_only():
    for modality in ("thermal", "visible"):
        rows = list(compare(measures(REAL_FACES[0]), modality, subjects=LEAST_SUBJECTS))
        assert {row.real.modality for row in rows} == {modality}
        assert {row.real.source for row in rows} == {"CARL", "EURECOM VIS-TH"}


def warm_people(count=LEAST_SUBJECTS, shift=0.0, factor=1.0):
    """Return people whose regions are as warm and as varied as those of the first camera."""
    scores = np.resize([-factor, factor], count)
    real = REAL_TEMPERATURES[0].measures
    return {name: mean + shift + scores * sd for name, (mean, sd) in real.items()}


def warm_verdicts(people):
    found = list(compare_temperatures(people))
    assert {row.real.source for row in found} == {real.source for real in REAL_TEMPERATURES}
    return {row.verdict for row in found if row.real is REAL_TEMPERATURES[0]}


@pytest.mark.parametrize(
    ("shift", "factor", "verdict"),
    [
        (0, 1, "agrees"),
        (NEAR_TEMPERATURE - 0.01, NEAR_TEMPERATURE_SPREAD - 0.01, "agrees"),
        (-NEAR_TEMPERATURE - 0.01, 1, "mean differs"),
        (0, 1 / NEAR_TEMPERATURE_SPREAD - 0.01, "spread differs"),
        (1, 2, "both differ"),
    ],
)
def test_temperatures_agree_within_kelvins_and_a_quarter_of_their_spread(shift, factor, verdict):
    assert warm_verdicts(warm_people(shift=shift, factor=factor)) == {verdict}
    assert warm_verdicts(warm_people(8, shift, factor)) == {"too few"}


def test_every_region_has_a_real_temperature_and_one_that_nobody_shows_is_left_out():
    for real in REAL_TEMPERATURES:
        assert real.measures.keys() == REGIONS.keys()
    people = warm_people()
    del people["forehead_top"]
    assert "forehead_top" not in {row.measure for row in compare_temperatures(people)}
