import numpy as np
import pytest

from thermalign.simulator.physics.fields import (
    FLOOR,
    HEIGHT,
    ORIGIN_X,
    ORIGIN_Y,
    SHAPE,
    WIDTH,
    X,
    Y,
    blur,
    bump,
    curve,
    fine_noise,
    level_millimetres,
    level_pixels,
    random_field,
    shrink,
    window,
)
from thermalign.simulator.physics.seeds import Purpose, stream


def test_the_origin_lies_between_the_eyes_and_y_points_down():
    assert X[0, 224] == Y[240, 0] == 0
    assert (X[0, -1], Y[-1, 0]) == pytest.approx((223 / 1.6, 271 / 1.6))
    assert X.dtype == Y.dtype == np.float32
    assert FLOOR < -100


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_coordinate_lies_at_the_same_place_on_every_level(level):
    ramp = np.broadcast_to(X, SHAPE).copy()
    for _ in range(level):
        ramp = shrink(ramp)
    column = level_pixels(ramp[0, 7], ORIGIN_X, level)
    assert column == pytest.approx(7, abs=1e-4)
    assert level_millimetres(column, ORIGIN_X, level) == pytest.approx(ramp[0, 7], abs=1e-4)


def test_a_hill_is_one_at_its_top_and_has_the_stated_widths():
    hill = bump(10, -20, 5, 8)
    row, column = round(level_pixels(-20, ORIGIN_Y, 0)), round(level_pixels(10, ORIGIN_X, 0))
    assert hill[row, column] == pytest.approx(1)
    assert hill[row, column + 8] == pytest.approx(np.exp(-0.5), rel=1e-5)
    assert hill[row + 64, column] == pytest.approx(np.exp(-0.5 * 25), rel=1e-4)


def test_a_quarter_turn_swaps_the_widths_of_a_hill():
    turned = bump(10, -20, 5, 8, turn=np.pi / 2)
    np.testing.assert_allclose(turned, bump(10, -20, 8, 5), atol=1e-6)


@pytest.mark.parametrize("sigma", [2.0, 4.0, 12.0])
def test_a_blur_keeps_the_mean_and_spreads_a_point_by_its_sigma(sigma):
    point = np.zeros(SHAPE, np.float32)
    point[240:248, 224:232] = 1
    spread = blur(point, sigma)
    assert spread.sum() == pytest.approx(64, rel=0.01)
    across = spread.sum(0) / spread.sum()
    middle = (across * np.arange(WIDTH)).sum()
    variance = (across * (np.arange(WIDTH) - middle) ** 2).sum() - 63 / 12
    assert middle == pytest.approx(227.5, abs=0.1)
    assert np.sqrt(variance) / 1.6 == pytest.approx(sigma, rel=0.08)


def test_a_curve_meets_its_points_and_overshoots_none():
    nodes = [(0.0, 1.0), (1.0, 1.0), (1.2, 5.0), (3.0, 5.0)]
    values = curve(np.linspace(-1, 4, 501), nodes)
    assert (values.min(), values.max()) == (1, 5)
    assert curve(np.array([x for x, _ in nodes]), nodes) == pytest.approx([1, 1, 5, 5])


@pytest.mark.parametrize("correlation", [2.0, 7.0])
def test_a_random_field_has_about_unit_variance_and_the_stated_reach(correlation):
    field = random_field(np.random.default_rng(4), correlation)
    assert field.shape == SHAPE
    assert field.std() == pytest.approx(1, abs=0.2)
    lag = round(correlation * 1.6)
    near = np.corrcoef(field[:, :-1].ravel(), field[:, 1:].ravel())[0, 1]
    far = np.corrcoef(field[:, : -4 * lag].ravel(), field[:, 4 * lag :].ravel())[0, 1]
    assert near > 0.6
    assert abs(far) < 0.25


def test_fine_noise_has_unit_variance():
    assert fine_noise(np.random.default_rng(5), 1.1).std() == pytest.approx(1, abs=0.05)


def test_a_window_covers_its_rectangle_and_stays_on_the_grid():
    rows, columns = window((-5, 5), (0, 10))
    assert X[0, columns][[0, -1]] == pytest.approx([-5, 5])
    assert Y[rows, 0][[0, -1]] == pytest.approx([0, 10])
    rows, columns = window((-500, 500), (-500, 500))
    assert (rows, columns) == (slice(0, HEIGHT), slice(0, WIDTH))


def test_streams_depend_on_every_part_of_their_key_and_on_nothing_else():
    keys = [
        (1, Purpose.SHAPE, (1, 2), (1, 1, 3)),
        (2, Purpose.SHAPE, (1, 2), (1, 1, 3)),
        (1, Purpose.HAIR, (1, 2), (1, 1, 3)),
        (1, Purpose.SHAPE, (2, 1), (1, 1, 3)),
        (1, Purpose.SHAPE, (1, 2), (1, 3, 1)),
    ]
    first = [stream(*key).random() for key in keys]
    assert len(set(first)) == len(keys)
    assert [stream(*key).random() for key in reversed(keys)] == first[::-1]
