"""The visible control of displacements: which images it takes, and whom they meet."""

from types import SimpleNamespace

import pandas as pd
import pytest

from thermalign.evaluation.displaced import control
from thermalign.verification.enrolment import WHOLE, Enrolment, Selection


def settings_of(*, same_moment, probe="thermal"):
    """Return what of a matcher's settings says who is compared with whom."""
    return SimpleNamespace(
        gallery=Selection("visible", ("baseline",)),
        probe=Selection(probe),
        headline=same_moment[0],
    )


def fold():
    """Return two people of two baseline moments and a spoken one, in both modalities."""
    table = pd.DataFrame(
        [
            (f"{person}{k}_{modality}", person, f"{person}{k}", modality, condition)
            for modality in ("visible", "thermal")
            for person in "ab"
            for k, condition in enumerate(("baseline", "baseline", "expression"))
        ],
        columns=["image_id", "subject_id", "moment", "modality", "condition"],
    )
    return table.assign(pair_id=table["moment"], role="test")


@pytest.mark.parametrize(
    ("reading", "moments"),
    [("exclude", ["a0", "a1", "a2", "b0", "b1", "b2"]), ("keep", ["a2", "b2"])],
)
def test_no_image_of_the_control_meets_itself(reading, moments):
    table = fold()
    probes = table[table["modality"] == "thermal"]
    gallery = table.query("modality == 'visible' and condition == 'baseline'")
    enrolment = Enrolment.of(gallery, probes, [reading])
    settings = settings_of(same_moment=(reading,))
    found = control(table, probes, SimpleNamespace(enrolment=enrolment), settings)
    assert found["moment"].tolist() == moments
    assert set(found["modality"]) == {"visible"}
    for image, met in zip(found["image_id"], enrolment.met_by(found, reading), strict=True):
        there = set(enrolment.rows["image_id"][enrolment.holds(met)])
        assert image not in there
        assert (met == WHOLE) == (reading == "keep")


def test_one_modality_has_nocontrol():
    table = fold()
    settings = settings_of(same_moment=("keep",), probe="visible")
    assert control(table, table, SimpleNamespace(), settings).empty
