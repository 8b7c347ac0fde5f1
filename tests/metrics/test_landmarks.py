import numpy as np
import pytest

from thermalign.geometry import mirror_points
from thermalign.metrics.landmarks import (
    box_diagonal,
    box_size,
    ced,
    ced_auc,
    ced_shares,
    eye_mouth_distance,
    failure_at,
    failure_rate,
    nmse,
    nmse_sd,
    normalized_errors,
    renormalized,
)

FACE = np.array([[[30.0, 40], [70, 40], [50, 70], [35, 90], [65, 90]]])  # 40 px between the eyes
NAN = float("nan")


def test_an_offset_of_a_tenth_of_the_eye_distance_is_an_error_of_a_tenth():
    predicted = FACE.copy()
    predicted[0, 2] += [0, 4]
    predicted[0, 3] += [3, 4]
    np.testing.assert_allclose(
        normalized_errors(predicted, FACE), [[0, 0, 0.1, 0.125, 0]], atol=1e-15
    )


def test_the_error_is_not_squared():
    each = [normalized_errors(FACE + np.array([shift, 0]), FACE)[0, 0] for shift in (2.0, 4.0)]
    assert each[1] == pytest.approx(2 * each[0])


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_scaling_the_image_does_not_change_errors(scale):
    predicted = FACE + np.random.default_rng(0).normal(size=FACE.shape)
    np.testing.assert_allclose(
        normalized_errors(predicted * scale, FACE * scale), normalized_errors(predicted, FACE)
    )


def test_mirroring_both_moves_errors_to_the_paired_landmarks():
    predicted = FACE + np.random.default_rng(0).normal(size=FACE.shape)
    mirrored = normalized_errors(mirror_points(predicted, 100), mirror_points(FACE, 100))
    np.testing.assert_allclose(mirrored, normalized_errors(predicted, FACE)[:, [1, 0, 2, 4, 3]])


def test_a_face_not_found_stays_nan():
    predicted = np.concatenate([FACE, FACE * NAN])
    errors = normalized_errors(predicted, np.concatenate([FACE, FACE]))
    np.testing.assert_array_equal(np.isnan(errors), [[False] * 5, [True] * 5])


def test_coinciding_eyes_are_refused_with_their_row():
    bad = FACE.copy()
    bad[0, 1] = bad[0, 0]
    with pytest.raises(ValueError, match=r"not positive in rows \[1\]"):
        normalized_errors(np.concatenate([FACE, FACE]), np.concatenate([FACE, bad]))


def test_a_missing_annotation_is_refused_rather_than_counted_as_a_failure():
    bad = FACE.copy()
    bad[0, 2] = NAN
    with pytest.raises(ValueError, match=r"not finite in rows \[0\]"):
        normalized_errors(FACE, bad)


def test_sets_of_different_shape_are_refused():
    with pytest.raises(ValueError, match="differ"):
        normalized_errors(FACE, np.concatenate([FACE, FACE]))


def test_means_are_over_the_faces_that_were_found():
    errors = np.array([0.1, NAN, 0.3])
    assert nmse(errors) == pytest.approx(0.2)
    assert nmse_sd(errors) == pytest.approx(0.1)
    assert failure_rate(errors) == pytest.approx(1 / 3)


@pytest.mark.parametrize("measure", [nmse, nmse_sd])
@pytest.mark.parametrize("nothing", [np.array([]), np.array([NAN, NAN])])
def test_a_mean_over_no_face_is_refused(measure, nothing):
    with pytest.raises(ValueError, match="no face was found"):
        measure(nothing)


def test_the_curve_counts_images_strictly_below_and_never_those_not_found():
    errors = np.array([0.05, 0.1, 0.2, NAN])
    shares = ced(errors, np.array([0.0, 0.05, 0.1, 0.15, 10.0]))
    np.testing.assert_array_equal(shares, [0, 0, 0.25, 0.5, 0.75])


def test_the_curve_never_falls_and_does_not_depend_on_order():
    errors = np.random.default_rng(0).gamma(2, 0.05, 200)
    thresholds = np.linspace(0, 0.5, 51)
    shares = ced(errors, thresholds)
    assert (np.diff(shares) >= 0).all()
    np.testing.assert_array_equal(ced(errors[::-1], thresholds), shares)


def test_failures_at_a_threshold_and_the_area_below_it_by_hand():
    errors = np.array([0.02, 0.08, 0.2, NAN])
    assert failure_at(errors, 0.08) == 0.75  # one lies below, one at it, one beyond, one nowhere
    np.testing.assert_allclose(ced_shares(errors, 0.08), [0.75, 0, 0, 0])
    assert ced_auc(errors, 0.08) == pytest.approx(0.75 / 4)
    assert ced_auc(np.zeros(3), 0.08) == 1
    assert ced_auc(np.array([NAN]), 0.08) == 0


@pytest.mark.parametrize("threshold", [0.08, 0.1])
def test_the_area_is_the_integral_of_the_curve_and_failures_its_complement(threshold):
    errors = np.random.default_rng(0).gamma(2, 0.03, 300)
    errors[:20] = NAN
    grid = np.linspace(0, threshold, 20_001)
    area = np.trapezoid(ced(errors, grid), grid) / threshold
    assert ced_auc(errors, threshold) == pytest.approx(area, abs=1e-4)
    below = ced(errors, np.array([threshold]))[0]
    assert failure_at(errors, threshold) == pytest.approx(1 - below, abs=1e-12)


@pytest.mark.parametrize("threshold", [0, -0.1, NAN])
def test_an_area_up_to_no_threshold_is_refused(threshold):
    with pytest.raises(ValueError, match="above 0"):
        ced_auc(np.array([0.1]), threshold)


def test_other_units_by_hand():
    np.testing.assert_allclose(eye_mouth_distance(FACE), [50])  # from y = 40 to y = 90
    assert box_diagonal(np.array([30.0]), np.array([40.0])) == 50
    assert box_size(np.array([20.0]), np.array([80.0])) == 40
    # .1 of 40 px between the eyes is 4 px
    np.testing.assert_allclose(renormalized(np.array([0.1]), FACE, np.array([50.0])), [0.08])
    assert np.isnan(renormalized(np.array([NAN]), FACE, np.array([50.0]))[0])


def test_a_turned_head_shortens_the_eye_distance_and_leaves_the_other_one():
    turned = FACE * [0.5, 1]
    np.testing.assert_allclose(eye_mouth_distance(turned), eye_mouth_distance(FACE))


@pytest.mark.parametrize("unit", [0.0, -1.0, NAN, np.inf])
def test_a_unit_that_is_no_length_is_refused_with_its_row(unit):
    with pytest.raises(ValueError, match=r"rows \[0\]"):
        renormalized(np.array([0.1]), FACE, np.array([unit]))


def test_units_of_another_number_of_images_are_refused():
    with pytest.raises(ValueError, match="differ"):
        renormalized(np.array([0.1, 0.2]), FACE, np.array([50.0]))


@pytest.mark.parametrize(
    "measure",
    [
        lambda e: ced(e, np.array([0.1])),
        failure_rate,
        lambda e: failure_at(e, 0.1),
        lambda e: ced_auc(e, 0.1),
    ],
)
def test_a_share_of_no_image_is_refused(measure):
    with pytest.raises(ValueError, match="no images"):
        measure(np.array([]))
