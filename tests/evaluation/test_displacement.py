import numpy as np
import pytest

from thermalign.evaluation.displacement import KINDS, displace
from thermalign.geometry import LANDMARKS, interocular_distance

FACE = np.array([[20.0, 30], [40, 30], [30, 40], [22, 50], [38, 50]])  # 20 px between the eyes
MANY = np.repeat(FACE[None], 4000, axis=0)
NAMES = [f"face{n}" for n in range(len(MANY))]


def ways(points):
    return np.linalg.norm(points - FACE, axis=-1) / 20


@pytest.mark.parametrize("kind", KINDS)
def test_level_zero_moves_nothing(kind):
    moved = displace(MANY[:3], NAMES[:3], kind=kind, level=0)
    np.testing.assert_allclose(moved, MANY[:3], atol=1e-12)


def test_isotropic_noise_goes_the_level_on_the_mean_in_every_direction():
    moved = displace(MANY, NAMES, kind="isotropic", level=0.1)
    assert ways(moved).mean() == pytest.approx(0.1, rel=0.02)
    way = (moved - FACE) / 20
    # sd of a coordinate whose vector has mean length .1: .1 / sqrt(pi / 2)
    np.testing.assert_allclose(way.std(axis=(0, 1)), 0.0798, rtol=0.02)
    assert np.abs(np.corrcoef(way.reshape(len(way), -1).T) - np.eye(10)).max() < 0.06


def test_a_shift_moves_every_landmark_alike_by_exactly_the_level():
    moved = displace(MANY, NAMES, kind="shift", level=0.1)
    np.testing.assert_allclose(ways(moved), 0.1)
    np.testing.assert_allclose(np.ptp(moved - FACE, axis=1), 0, atol=1e-9)
    assert np.abs((moved - FACE).mean(axis=(0, 1))).max() < 0.1  # px: in all directions


@pytest.mark.parametrize("kind", ["rotation", "scale"])
def test_turning_and_resizing_go_the_level_on_the_mean_of_every_face(kind):
    moved = displace(MANY[:50], NAMES[:50], kind=kind, level=0.2)
    np.testing.assert_allclose(ways(moved).mean(axis=1), 0.2)
    np.testing.assert_allclose(moved.mean(axis=1), MANY[:50].mean(axis=1))


def test_a_rotation_keeps_distances_and_a_scaling_keeps_angles_and_both_go_both_ways():
    turned = displace(MANY[:50], NAMES[:50], kind="rotation", level=0.2)
    np.testing.assert_allclose(interocular_distance(turned), 20)
    resized = displace(MANY[:50], NAMES[:50], kind="scale", level=0.2)
    eyes = resized[:, 1] - resized[:, 0]
    np.testing.assert_allclose(eyes[:, 1], 0, atol=1e-9)
    slants = (turned[:, 1] - turned[:, 0])[:, 1]
    for signs in (slants, eyes[:, 0] - 20):
        assert 0.2 < (signs > 0).mean() < 0.8


@pytest.mark.parametrize("landmark", LANDMARKS)
def test_one_landmark_moves_alone(landmark):
    moved = displace(MANY, NAMES, kind=landmark, level=0.1)
    went = ways(moved)
    assert went[:, LANDMARKS.index(landmark)].mean() == pytest.approx(0.1, rel=0.03)
    assert np.delete(went, LANDMARKS.index(landmark), axis=1).max() == 0


@pytest.mark.parametrize("kind", ["isotropic", "shift", "nose_base"])
def test_levels_of_a_face_lie_on_a_line(kind):
    near, far = (displace(MANY[:5], NAMES[:5], kind=kind, level=at) for at in (0.1, 0.2))
    np.testing.assert_allclose(far - FACE, 2 * (near - FACE))


def test_a_draw_depends_on_the_name_and_not_on_neighbours_nor_on_where_the_face_is():
    first = displace(MANY[:3], ["a", "b", "c"], kind="isotropic", level=0.1)
    other = displace(3 * MANY[:1] + 7, ["b"], kind="isotropic", level=0.1)
    np.testing.assert_allclose((other[0] - 3 * FACE - 7) / 3, first[1] - FACE)
    again = displace(MANY[:1], ["b"], kind="isotropic", level=0.1, seed=1)
    assert np.abs(again - first[1]).max() > 0.01


def test_an_unknown_kind_or_a_negative_level_is_refused():
    with pytest.raises(ValueError, match=r"kind 'wobble'.*use one of"):
        displace(MANY[:1], ["a"], kind="wobble", level=0.1)
    with pytest.raises(ValueError, match=r"level -0\.1"):
        displace(MANY[:1], ["a"], kind="shift", level=-0.1)
