"""Displaced probes as they are held; the visible control: which images it takes, whom they meet."""

from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from thermalign.cut import cut_images
from thermalign.evaluation.displaced import REACH, Side, control
from thermalign.geometry import LANDMARKS
from thermalign.records import pictures_of
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


def test_probes_are_held_in_the_bits_of_their_files_and_look_as_they_are_read(tmp_path):
    draws, rows = np.random.default_rng(2), []
    for n, kind in enumerate([np.uint8, np.uint16, np.uint16]):
        path, counts = tmp_path / f"{n}.png", draws.integers(0, 256, (90 + n, 80)).astype(kind)
        cv2.imwrite(str(path), counts)
        its = {"image_id": f"i{n}", "path": path, "scale": 0.01, "offset": -273.15}
        rows.append({**its, "width": 80, "height": 90 + n, "bit_depth": 8 * counts.itemsize})
    probes = pd.DataFrame(rows)
    corners = draws.uniform(20, 60, (3, len(LANDMARKS), 2))
    points = [
        (f"i{n}", landmark, x, y)
        for n in range(3)
        for landmark, (x, y) in zip(LANDMARKS, corners[n], strict=True)
    ]
    annotations = pd.DataFrame(points, columns=["image_id", "landmark", "x", "y"])
    nobody = SimpleNamespace()
    side = Side.of(probes, annotations, nobody, settings=nobody, aligned=nobody)
    stack, inside = side.cut()
    assert stack.kind == np.uint16
    boxes = np.concatenate([corners.min(axis=1), np.ptp(corners, axis=1)], axis=1)
    expected = cut_images(list(pictures_of(probes).values()), boxes, REACH)
    np.testing.assert_array_equal(inside, corners - expected.origins.cpu().numpy()[:, None])
    for n in range(3):
        for k in range(4):
            assert torch.equal(stack.level(n, k), expected.stack.level(n, k))
