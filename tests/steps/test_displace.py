"""The visible control of displacements: which images it takes, and whom they meet."""

from types import SimpleNamespace

import pandas as pd
import pytest
from test_readings import rows

from thermalign.steps.displace import _control
from thermalign.verification.enrolment import WHOLE, Enrolment

PEOPLE = {"a": 3, "b": 3}
SETTINGS = {
    "gallery": {"modality": "visible", "conditions": ["baseline"]},
    "probe": {"modality": "thermal"},
}


def fold():
    """Return two people of two baseline moments and a spoken one, in both modalities."""
    condition = ["baseline", "baseline", "expression"] * 2
    sides = [rows(PEOPLE, side).assign(condition=condition) for side in ("visible", "thermal")]
    table = pd.concat(sides, ignore_index=True)
    return table.assign(pair_id=table["moment"])


@pytest.mark.parametrize(
    ("reading", "moments"),
    [("exclude", ["a0", "a1", "a2", "b0", "b1", "b2"]), ("keep", ["a2", "b2"])],
)
def test_no_image_of_the_control_meets_itself(reading, moments):
    table = fold()
    probes = table[table["modality"] == "thermal"]
    gallery = table.query("modality == 'visible' and condition == 'baseline'")
    enrolment = Enrolment.of(gallery, probes, [reading])
    settings = {**SETTINGS, "same_moment": [reading]}
    control = _control(table, probes, SimpleNamespace(enrolment=enrolment), settings)
    assert control["moment"].tolist() == moments
    assert set(control["modality"]) == {"visible"}
    for image, met in zip(control["image_id"], enrolment.met_by(control, reading), strict=True):
        there = set(enrolment.rows["image_id"][enrolment.holds(met)])
        assert image not in there
        assert (met == WHOLE) == (reading == "keep")


def test_one_modality_has_no_control():
    table = fold()
    settings = {**SETTINGS, "probe": {"modality": "visible"}, "same_moment": ["keep"]}
    assert _control(table, table, SimpleNamespace(), settings).empty
