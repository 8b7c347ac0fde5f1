import numpy as np
import pytest

from thermalign.geometry import interocular_distance
from thermalign.networks.copies import Jitter, displaced

FACE = np.array([[30.0, 40], [70, 40], [50, 65], [34, 85], [66, 85]])


def moved(count=4000, **given):
    still = {"noise": 0.0, "shift": 0.0, "rotation": 0.0, "scale": 0.0}
    points = np.tile(FACE, (count, 1, 1))
    return displaced(points, Jitter(**{**still, **given}), np.random.default_rng(1)) - points


def test_without_jitter_nothing_moves():
    np.testing.assert_allclose(moved(3), 0, atol=1e-12)


@pytest.mark.parametrize("kind", ["noise", "shift"])
def test_coordinates_move_by_the_deviation_told_at_a_strength_from_0_to_1(kind):
    way = moved(**{kind: 0.1})
    assert way.std() == pytest.approx(0.1 * interocular_distance(FACE) / 3**0.5, rel=0.05)
    together = np.ptp(way, axis=1).max() < 1e-9
    assert together == (kind == "shift")


@pytest.mark.parametrize("kind", [{"rotation": 10.0}, {"scale": 0.1}])
def test_turning_and_resizing_leave_the_centre(kind):
    way = moved(**kind)
    np.testing.assert_allclose(way.mean(axis=1), 0, atol=1e-9)
    assert np.linalg.norm(way, axis=-1).mean() > 0.5


def test_every_face_has_draws_of_its_own_and_a_seed_repeats_them():
    way = moved(2, noise=0.1)
    assert not np.allclose(way[0], way[1])
    np.testing.assert_array_equal(way, moved(2, noise=0.1))
