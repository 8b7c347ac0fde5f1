"""Calibration on made-up errors: what it recovers, what its regions hold, and what it survives."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from thermalign.geometry import interocular_distance
from thermalign.landmarks.calibration import Calibration, Examples, calibrated
from thermalign.student import region, squared_distance

SHAPE = np.array([[-30, -20], [30, -20], [0, 5], [-22, 35], [22, 35]], float)  # 60 px between eyes
TRUE = Calibration(
    gain=np.array([2.0, 2.0, 4.0, 1.0, 1.0]),
    floor=np.array([1e-4, 1e-4, 4e-4, 2e-4, 2e-4]),
    pixel=np.array([0.2]),
    shared=np.array([0.3]),
    tail=np.array([6.0]),
    ratio=np.array([1.0]),
)


def faces(count: int, *, seed: int, true: Calibration = TRUE) -> tuple[np.ndarray, ...]:
    """Return points, truth and raw covariances of faces whose errors follow a calibration."""
    rng = np.random.default_rng(seed)
    size = rng.choice([1.0, 0.6, 0.4], (count, 1, 1))
    truth = SHAPE * size + rng.uniform(50, 90, (count, 1, 2))
    spread = rng.gamma(1.0, 4.0, (count, 1, 1, 1)) * rng.gamma(3.0, 0.3, (count, 5, 1, 1))
    turn = rng.normal(size=(count, 5, 2, 2))
    raw = size[..., None] ** 2 * spread * (np.eye(2) + turn @ turn.swapaxes(-1, -2)) / 3
    root = np.linalg.cholesky(true.scale(raw, interocular_distance(truth)))
    normal = (root @ rng.normal(size=(count, 5, 2, 1)))[..., 0]
    errors = normal / np.sqrt(rng.chisquare(true.tail[0], (count, 5, 1)) / true.tail[0])
    return truth - errors, truth, raw


def examples(points: np.ndarray, truth: np.ndarray, raw: np.ndarray) -> Examples:
    """Return examples of as many people, each with the same weight."""
    count = len(points)
    each = np.arange(count)
    return Examples(points, truth, raw, np.ones(count), each, each, np.full(count, True))


def certain(its: Examples) -> Calibration:
    found = calibrated(its)
    assert found is not None
    return found


@cache
def fitted(count: int, *, seed: int = 0) -> Calibration:
    return certain(examples(*faces(count, seed=seed)))


def held(its: Calibration, share: float, *, true: Calibration = TRUE) -> np.ndarray:
    """Return which errors (5000, 5) of fresh faces the regions of a share hold."""
    points, truth, raw = faces(5000, seed=99, true=true)
    located = its.located(points, raw)
    return squared_distance(truth - points, located.scale) <= region(share, located.tail)


def test_known_scales_are_recovered() -> None:
    found = fitted(4000)
    np.testing.assert_allclose(found.gain, TRUE.gain, rtol=0.2)
    np.testing.assert_allclose(found.floor, TRUE.floor, rtol=0.35)
    assert found.shared[0] == pytest.approx(0.3, abs=0.12)
    assert found.tail[0] == pytest.approx(6, rel=0.2)
    assert found.pixel[0] == pytest.approx(0.2, abs=0.15)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_regions_hold_their_share_of_fresh_faces(share: float) -> None:
    assert held(fitted(400), share).mean() == pytest.approx(share, abs=0.02)


def test_each_landmark_has_regions_of_its_own() -> None:
    each = held(fitted(1000), 0.95).mean(axis=0)
    np.testing.assert_allclose(each, 0.95, atol=0.02)


def test_a_dozen_faces_are_enough_to_be_near() -> None:
    shares = [held(fitted(12, seed=s), 0.95).mean() for s in range(5)]
    assert min(shares) > 0.88
    assert np.mean(shares) == pytest.approx(0.95, abs=0.03)


def test_people_who_differ_make_tails_for_people_not_seen() -> None:
    def of_people(count: int, seed: int) -> Examples:
        points, truth, raw = faces(20 * count, seed=seed)
        who = np.arange(20 * count) // 20
        hard = np.exp(np.random.default_rng(seed).normal(0, 0.6, count))[who, None, None]
        return replace(examples(truth + hard * (points - truth), truth, raw), people=who)

    many = of_people(200, 1)
    shares = {}
    for told in (True, False):
        each = []
        for seed in range(10, 18):
            few = of_people(4, seed)
            its = certain(few if told else replace(few, people=np.zeros(80, int)))
            located = its.located(many.points, many.raw)
            squared = squared_distance(many.truth - many.points, located.scale)
            each.append((squared <= region(0.95, located.tail)).mean())
        shares[told] = np.mean(each)
    assert shares[False] < 0.93
    assert shares[False] + 0.01 < shares[True] < 0.97


def test_few_faces_leave_the_tails_what_is_usual_and_landmarks_alike() -> None:
    one = fitted(1)
    assert 4 < one.tail[0] < 16
    assert np.ptp(np.log(one.gain)) < np.ptp(np.log(TRUE.gain))
    assert np.isfinite([*one.gain, *one.floor, *one.pixel, *one.shared]).all()


def test_the_expected_error_is_the_mean_error() -> None:
    its = replace(fitted(4000), ratio=np.array([60 / np.sqrt((SHAPE**2).sum(1).mean())]))
    points, truth, raw = faces(5000, seed=5)
    error = np.linalg.norm(points - truth, axis=2) / interocular_distance(truth)[:, None]
    expected = its.located(points, raw).expected_error
    np.testing.assert_allclose(expected.mean(0), error.mean(0), rtol=0.06)
    halves = expected.mean(1) > np.median(expected.mean(1))
    assert error[halves].mean() > 1.5 * error[~halves].mean()


def test_a_detector_that_tells_nothing_gets_the_errors_of_its_landmarks() -> None:
    points, truth, raw = faces(2000, seed=3)
    found = certain(examples(points, truth, np.zeros_like(raw)))
    located = found.located(points, np.zeros_like(raw))
    within = squared_distance(truth - points, located.scale) <= region(0.95, located.tail)
    assert within.mean() == pytest.approx(0.95, abs=0.02)


def test_faces_that_were_not_found_are_left_out() -> None:
    points, truth, raw = faces(60, seed=4)
    found = certain(examples(points, truth, raw))
    lost, untold = points.copy(), raw.copy()
    lost[::7] = untold[::7] = np.nan
    kept = certain(examples(lost, truth, untold))
    some = np.arange(60) % 7 > 0
    alone = certain(examples(points, truth, raw).where(some))
    np.testing.assert_array_equal(kept.gain, alone.gain)
    assert not np.array_equal(kept.gain, found.gain)


def test_nothing_is_known_if_no_face_was_found() -> None:
    points, truth, raw = faces(3, seed=4)
    assert calibrated(examples(np.full_like(points, np.nan), truth, raw)) is None


def test_some_lost_faces_make_tails_not_scales() -> None:
    points, truth, raw = faces(300, seed=6)
    lost = points.copy()
    lost[:15] += 80
    clean, robust = (certain(examples(p, truth, raw)) for p in (points, lost))
    assert robust.tail[0] < clean.tail[0]
    located = robust.located(points[15:], raw[15:])
    inside = squared_distance((truth - points)[15:], located.scale) <= region(0.5, located.tail)
    assert 0.4 < inside.mean() < 0.65


def test_perfect_points_keep_a_finite_scale() -> None:
    _, truth, raw = faces(20, seed=7)
    found = certain(examples(truth, truth, 0 * raw))
    located = found.located(truth, 0 * raw)
    assert np.linalg.eigvalsh(located.scale).min() > 0
    assert 0 < located.expected_error.max() < 0.02


def test_what_has_no_covariance_has_no_expected_error() -> None:
    points, _, raw = faces(2, seed=8)
    raw[1] = np.nan
    located = TRUE.located(points, raw)
    assert np.isfinite(located.expected_error[0]).all()
    assert np.isnan(located.expected_error[1]).all()
    assert np.isnan(located.tail[1]).all()


def test_a_face_with_one_unknown_landmark_is_unknown_as_a_whole() -> None:
    points, _, raw = faces(2, seed=8)
    raw[1, 3] = np.nan
    located = TRUE.located(points, raw)
    assert np.isfinite(located.scale[0]).all()
    assert np.isnan(located.scale[1]).all()
    assert np.isnan(located.tail[1]).all()
    assert np.isnan(located.expected_error[1]).all()


def test_points_in_one_place_are_not_a_face_without_error() -> None:
    located = TRUE.located(np.full((1, 5, 2), 40.0), np.full((1, 5, 2, 2), 4.0) * np.eye(2))
    assert (located.expected_error > 1).all()


def test_the_constant_spread_is_the_likeliest_of_errors_in_given_boxes() -> None:
    rng = np.random.default_rng(0)
    size = rng.choice([1.0, 0.5], (400, 1, 1))
    truth = SHAPE * size + 100
    spread = np.array([[0.02, 0.01], [0.01, 0.03], [0.05, 0.05], [0.01, 0.01], [0.02, 0.02]])
    errors = rng.normal(size=(400, 5, 2)) * spread * 60 * size
    usual = np.arange(400) < 300
    errors[~usual] *= 20
    its = examples(truth - errors, truth, np.broadcast_to(np.eye(2), (400, 5, 2, 2)))
    found = certain(replace(its, usual=usual))
    expected = spread**2
    np.testing.assert_allclose(np.diagonal(found.constant, axis1=1, axis2=2), expected, rtol=0.3)
    assert (found.constant_tail > 8).all()


def test_few_faces_have_no_constant_spread() -> None:
    found = fitted(5)
    assert np.isnan(found.constant).all()
    assert np.isnan(found.constant_tail).all()
