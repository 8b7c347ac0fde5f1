import numpy as np
import pytest

from thermalign.geometry import mirror_points
from thermalign.metrics.landmarks import ced, failure_rate, nmse, nmse_sd, normalized_errors

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


@pytest.mark.parametrize("measure", [lambda e: ced(e, np.array([0.1])), failure_rate])
def test_a_share_of_no_image_is_refused(measure):
    with pytest.raises(ValueError, match="no images"):
        measure(np.array([]))
