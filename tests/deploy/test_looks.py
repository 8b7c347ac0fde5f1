"""Thermal faces look thermal; visible and white-cold ones do not."""

from dataclasses import replace

import numpy as np
import pytest

from thermalign.boxes import Settings as BoxSettings
from thermalign.boxes import derive
from thermalign.cut import cut_images
from thermalign.deploy.detector import load_detector
from thermalign.deploy.faces import LANDMARKS_STATE, WEIGHTS
from thermalign.deploy.looks import LOOK, REGIONS, is_thermal, usual_points, warmth
from thermalign.images import to_luma
from thermalign.simulator.dataset import Settings, Volume, render_subject
from thermalign.simulator.physics.sensor import OFFSET, SCALE

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


def before_ground(images, points, value):
    """Replace what lies beyond the faces by a value, in degrees."""
    made = []
    for image, its in zip(images, points, strict=True):
        y, x = np.mgrid[: image.shape[0], : image.shape[1]]
        eyes, middle = np.hypot(*(its[1] - its[0])), its.mean(0)
        face = np.hypot((x - middle[0]) / 1.1, (y - middle[1]) / 1.4) < eyes
        degrees = SCALE * image + OFFSET
        made.append(np.where(face, degrees, value).astype(np.float32))
    return made


@pytest.mark.parametrize("value", [5, 34, 50])
def test_what_lies_beyond_a_face_does_not_matter(samples, value):
    images, points, boxes = samples["thermal"]
    seen = before_ground(images, points, value)
    assert looks(seen, points, boxes).all()
    assert not looks([-image for image in seen], points, boxes).any()


def test_a_model_is_asked_about_faces_that_are_not_clear_and_no_others(samples):
    images, points, boxes = samples["thermal"]
    noise = np.random.default_rng(1).normal(0, 1, (len(images), *images[0].shape))
    cut = cut_images([*images, *noise.astype(np.float32)], np.tile(boxes, (2, 1)), LOOK)
    places = np.tile(points, (2, 1, 1))
    for more, expected in ((9.0, True), (-9.0, False)):
        asked = []

        def surer(rows, asked=asked, more=more):
            asked.extend(rows)
            return np.full(len(rows), more)

        said = is_thermal(cut, places, surer)
        assert set(asked) >= set(range(len(images), 2 * len(images)))
        assert (said[asked] == expected).all()
        assert said[: len(images)][~np.isin(np.arange(len(images)), asked)].all()
    unknown = is_thermal(cut, places, lambda rows: np.full(len(rows), np.nan))
    assert np.array_equal(unknown, is_thermal(cut, places))


def test_the_package_s_model_expects_larger_errors_of_white_cold_faces(samples):
    images, _, boxes = samples["thermal"]
    detector = load_detector(WEIGHTS / LANDMARKS_STATE)
    cut = detector.cut(images, boxes)
    rows = np.arange(len(images))[::-1].copy()
    inverse = detector.error_of_inverse(cut, rows)
    assert (inverse > 2 * detector.predict_cut(cut).expected_error.mean(1)[rows]).all()
    again = detector.cut([-image for image in images], boxes)
    once = replace(detector, settings=replace(detector.settings, passes=1, mirrored=False))
    assert inverse == pytest.approx(once.predict_cut(again).expected_error.mean(1)[rows], rel=1e-4)


def test_a_model_that_states_no_errors_says_nothing_of_the_inverse(samples, landmarks):
    images, _, boxes = samples["thermal"]
    detector = load_detector(landmarks)
    told = detector.error_of_inverse(detector.cut(images, boxes), np.arange(len(images)))
    assert np.isnan(told).all()


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
