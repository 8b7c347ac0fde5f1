"""Thermal faces look thermal; visible and white-cold ones do not."""

import numpy as np
import pytest

from thermalign.boxes import Settings as BoxSettings
from thermalign.boxes import derive
from thermalign.cut import cut_images
from thermalign.deploy.looks import LOOK, REGIONS, is_thermal, usual_points, warmth
from thermalign.images import to_luma
from thermalign.simulator.dataset import Settings, Volume, render_subject

PEOPLE = 3


@pytest.fixture(scope="module")
def samples():
    """Simulated people in both modalities: images, landmarks, boxes."""
    plan = Volume(PEOPLE, ranges=(1,), baseline=1, expression=1)
    every = [
        sample
        for number in range(PEOPLE)
        for sample in render_subject(Settings((plan,)), seed=3, volume=1, number=number)
    ]
    found = {}
    for modality in ("thermal", "visible"):
        its = [sample for sample in every if sample.modality == modality]
        points = np.stack([sample.points for sample in its])
        boxes = derive(points, [sample.image_id for sample in its], BoxSettings())
        images = [to_luma(sample.pixels).astype(np.float32) for sample in its]
        found[modality] = images, points, boxes
    return found


def looks(images, points, boxes):
    return is_thermal(cut_images(images, boxes, LOOK), points)


def test_thermal_faces_look_thermal(samples):
    assert looks(*samples["thermal"]).all()


def test_white_cold_and_visible_faces_do_not(samples):
    images, *where = samples["thermal"]
    assert not looks([-image for image in images], *where).any()
    assert looks(*samples["visible"]).mean() < 0.5  # most: see docs/predict.md


def test_unit_and_offset_do_not_matter(samples):
    images, *where = samples["thermal"]
    assert looks([image * 0.01 - 273 for image in images], *where).all()


def test_a_face_that_cannot_be_looked_at_is_left_to_others(samples):
    images, points, boxes = (part[:2] for part in samples["thermal"])
    assert looks([-image for image in images], points * [[[np.nan]], [[1]]], boxes).tolist() == [
        True,
        False,
    ]


def test_points_that_a_model_sees_in_a_wrong_image_do_not_make_it_thermal(samples):
    images, points, boxes = samples["thermal"]
    eyes, others = points[:, :2], points[:, 2:]
    misled = np.concatenate([eyes, others + (eyes.mean(1) - others.mean(1))[:, None] / 2], axis=1)
    assert not looks([-image for image in images], misled, boxes).any()


def test_boxes_by_another_rule_do_not_make_a_face_visible(samples):
    images, points, boxes = samples["thermal"]
    for growth, aside in ((1.4, 0), (0.8, 0), (1, 0.1)):
        size = boxes[:, 2:] * growth
        moved = boxes[:, :2] + (boxes[:, 2:] - size) / 2 + aside * size
        assert looks(images, points, np.concatenate([moved, size], axis=1)).mean() > 0.8


def test_usual_points_lie_where_boxes_are_derived_from(samples):
    _, points, _ = samples["thermal"]
    names = [str(n) for n in range(len(points))]
    boxes = derive(points, names, BoxSettings(shift=0, scale=0))
    away = np.abs(usual_points(boxes) - points).max(-1) / np.ptp(points[..., 0], axis=1)[:, None]
    assert away.max() < 0.3


def test_a_region_counts_as_the_rule_says():
    y, x = np.mgrid[:64, :56] * 2 + 0.5
    for weight, discs in REGIONS.values():
        face = np.random.default_rng(1).normal(0, 1e-3, (1, 64, 56))
        for at_x, at_y, radius in discs:
            face[0, np.hypot(x - at_x, y - at_y) <= radius] += 1
        assert np.sign(warmth(face)[0]) == np.sign(weight)
