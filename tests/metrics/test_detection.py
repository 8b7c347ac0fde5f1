import numpy as np
import pytest

from thermalign.metrics.bootstrap import ratio_replicates
from thermalign.metrics.detection import (
    false_alarms,
    precision,
    recall,
    true_detections,
    without_detection,
)

FACE = np.array([10.0, 20, 40, 40])


def moved(right, down=0.0, size=40.0):
    return np.array([10.0 + right, 20 + down, size, size])


def test_a_second_detection_of_the_same_face_is_false():
    faces = np.stack([FACE, FACE])
    image = np.array([0, 0, 0, 1])
    found = np.stack([moved(39), moved(2), moved(0), moved(5)])
    assert true_detections(image, found, faces).tolist() == [False, True, False, True]


def test_boxes_of_exactly_the_least_overlap_count():
    half = np.array([[10.0, 20, 40, 20]])  # IoU 1/2
    assert true_detections(np.array([0]), half, FACE[None]).tolist() == [True]
    assert true_detections(np.array([0]), half, FACE[None], least=0.51).tolist() == [False]


def test_no_detections_are_no_true_ones():
    none = true_detections(np.array([], int), np.empty((0, 4)), FACE[None])
    assert none.shape == (0,)


def test_rates_by_hand():
    true, every = np.array([1, 0, 1, 0]), np.array([3, 2, 1, 0])
    assert recall(true) == 1 / 2
    assert precision(true, every) == 2 / 6
    assert false_alarms(true, every) == 4 / 4
    assert without_detection(every) == 1 / 4


def test_rates_over_nothing_are_refused_or_unknown():
    nothing = np.array([], int)
    with pytest.raises(ValueError, match="no recall"):
        recall(nothing)
    with pytest.raises(ValueError, match="no rate of false alarms"):
        false_alarms(nothing, nothing)
    with pytest.raises(ValueError, match="no share"):
        without_detection(nothing)
    assert np.isnan(precision(np.array([0, 0]), np.array([0, 0])))


def test_replicates_of_a_ratio_weigh_subjects_as_drawn():
    subject = np.array([0, 0, 1, 2])
    over, under = np.array([1.0, 0, 2, 0]), np.array([1.0, 1, 4, 1])
    weights = np.array([[1.0, 1, 1], [2, 1, 0], [0, 0, 3]])
    expected = [3 / 7, 4 / 8, 0]
    np.testing.assert_allclose(ratio_replicates(over, under, subject, weights), expected)


def test_a_replicate_whose_denominator_is_empty_is_no_number():
    drawn = np.array([[0.0, 2.0]])
    values = ratio_replicates(np.array([1.0]), np.array([1.0]), np.array([0]), drawn)
    assert np.isnan(values).all()
