"""The thermal camera: noise, patterns, drift, dead pixels."""

from dataclasses import replace

import numpy as np
import pytest

from thermalign.simulator.physics.sensor import (
    DETECTOR,
    OFFSET,
    SCALE,
    SENSORS,
    draw_bank,
    expose,
    make_camera,
    open_session,
)

PIXELS = DETECTOR[0] * DETECTOR[1]


@pytest.fixture(scope="module")
def bank():
    return draw_bank(np.random.default_rng(1))


def camera(bank, kind="cooled", netd=None):
    return make_camera(kind, netd, bank, np.random.default_rng(2))


def session(corrected, number, **options):
    given = {"drift": 1.0, "defocus": 0.0} | options
    rngs = {name: np.random.default_rng(number) for name in ("drift_rng", "focus_rng")}
    return open_session(corrected, **given, **rngs)


def flat(seen_by, *, seed, celsius=30.0, shape=DETECTOR):
    """Return what a camera reads from a uniform black body, degrees Celsius."""
    wall = np.full(shape, seen_by.sensor.band.radiance(celsius), np.float32)
    return SCALE * expose(wall, seen_by, np.random.default_rng(seed)) + OFFSET


def steady(seen_by):
    """Return a camera without any noise in time."""
    sensor = replace(seen_by.sensor, row_noise=0.0, column_noise=0.0)
    return replace(seen_by, netd=0.0, sensor=sensor)


def lines(image, axis):
    """Return the spread of lines against their neighbours, without anything smooth."""
    return float(np.diff(np.median(image, axis)).std() / np.sqrt(2))


@pytest.mark.parametrize("kind", SENSORS)
def test_noise_in_time_is_the_netd_with_the_lines(bank, kind):
    sensor = SENSORS[kind]
    one, other = (flat(camera(bank, kind), seed=seed) for seed in (3, 4))
    expected = np.sqrt(sensor.netd**2 + sensor.row_noise**2 + sensor.column_noise**2)
    assert (one - other).std() / np.sqrt(2) == pytest.approx(expected, rel=0.03)


def test_a_given_netd_replaces_the_sensors_own(bank):
    one, other = (flat(camera(bank, netd=0.2), seed=seed) for seed in (3, 4))
    assert (one - other).std() / np.sqrt(2) == pytest.approx(0.2, rel=0.02)


def test_a_cold_scene_is_noisier(bank):
    noisy = camera(bank, netd=0.2)
    cold, warm = (
        np.std(flat(noisy, seed=3, celsius=at) - flat(noisy, seed=4, celsius=at))
        for at in (-10.0, 30.0)
    )
    slope = noisy.sensor.band.radiance(-9.5) - noisy.sensor.band.radiance(-10.5)
    assert slope < 0.7
    assert cold / warm == pytest.approx(1 / slope, rel=0.02)


@pytest.mark.parametrize("kind", SENSORS)
def test_columns_and_rows_differ_as_much_as_stated(bank, kind):
    sensor = SENSORS[kind]
    image = flat(camera(bank, kind), seed=3)
    column = np.hypot(sensor.corrected.column, sensor.column_noise)
    row = np.hypot(sensor.corrected.row, sensor.row_noise)
    assert lines(image, 0) == pytest.approx(column, rel=0.15)
    assert lines(image, 1) == pytest.approx(row, rel=0.25)


@pytest.mark.parametrize("kind", SENSORS)
def test_the_fixed_pattern_stays_when_images_are_averaged(bank, kind):
    sensor = SENSORS[kind]
    mean = np.mean([flat(camera(bank, kind), seed=seed) for seed in range(40)], axis=0)
    rough = np.diff(np.diff(mean, axis=0), axis=1) / 2  # without lines and fields
    expected = np.hypot(sensor.corrected.pixel, sensor.netd / np.sqrt(40))
    middle = np.abs(rough) < 0.5  # without dead pixels
    assert rough[middle].std() == pytest.approx(expected, rel=0.05)


def test_the_microbolometer_is_the_worse_camera(bank):
    cooled, uncooled = (session(camera(bank, kind), 5) for kind in ("cooled", "uncooled"))
    assert flat(uncooled, seed=3).std() > 1.3 * flat(cooled, seed=3).std()
    assert uncooled.sensor.lens.sharp > cooled.sensor.lens.sharp
    assert uncooled.sensor.exposure >= 8 * cooled.sensor.exposure


def test_drift_differs_between_sessions_and_is_the_same_within_one(bank):
    corrected = camera(bank, "uncooled", netd=0.0)
    first, again, second = (session(corrected, number) for number in (1, 1, 2))
    assert np.array_equal(flat(first, seed=3), flat(again, seed=3))
    change = flat(first, seed=3) - flat(second, seed=3)
    assert change.std() > 0.05
    smooth = change[:40, :40].mean() - change[220:260, 300:340].mean()
    assert abs(smooth) > 0.02


def test_drift_grows_with_its_strength_and_is_none_at_zero(bank):
    corrected = camera(bank, "uncooled")
    none, one, two = (session(corrected, 1, drift=drift) for drift in (0.0, 1.0, 2.0))
    assert np.array_equal(none.offset, corrected.offset)
    assert two.offset - none.offset == pytest.approx(2 * (one.offset - none.offset), abs=1e-5)


@pytest.mark.parametrize("kind", SENSORS)
def test_dead_pixels_read_the_same_whatever_they_see(bank, kind):
    sensor, seen_by = SENSORS[kind], camera(bank, kind, netd=0.0)
    dead = seen_by.gain == 0
    singles = round(sensor.dead * PIXELS)
    assert singles <= dead.sum() <= singles + 9 * sensor.clusters
    cold, warm = (flat(seen_by, seed=3, celsius=at) for at in (10.0, 35.0))
    assert (warm - cold)[dead] == pytest.approx(0, abs=0.011)
    assert (warm - cold)[~dead] == pytest.approx(25, abs=1)


def test_a_frame_takes_the_whole_detector_and_a_crop_some_part(bank):
    seen_by, shape = steady(camera(bank)), (250, 200)
    assert np.array_equal(flat(seen_by, seed=3), flat(seen_by, seed=4))
    one, other = (flat(seen_by, seed=seed, shape=shape) for seed in (3, 4))
    assert not np.array_equal(one, other)
    with pytest.raises(ValueError, match="does not fit on a detector of"):
        flat(seen_by, seed=3, shape=(481, 640))


def test_an_ideal_camera_reads_black_bodies_to_a_count(bank):
    even = {"gain": np.ones(DETECTOR, np.float32), "offset": np.zeros(DETECTOR, np.float32)}
    ideal = replace(steady(camera(bank)), **even)
    for celsius in (-5.0, 22.5, 33.33, 45.0):
        assert flat(ideal, seed=3, celsius=celsius) == pytest.approx(celsius, abs=0.011)
