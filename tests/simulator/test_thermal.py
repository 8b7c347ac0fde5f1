"""The scene before the thermal camera: emitted, mirrored, through air and lens."""

from dataclasses import replace

import numpy as np
import pytest

from thermalign.simulator.person.face import build_face
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import Capture
from thermalign.simulator.physics.optics import Sway
from thermalign.simulator.physics.radiometry import transmittance
from thermalign.simulator.physics.sensor import (
    DETECTOR,
    OFFSET,
    SCALE,
    SENSORS,
    draw_bank,
    make_camera,
)
from thermalign.simulator.scene.moment import make_moment
from thermalign.simulator.scene.thermal import Emission, person_radiance, render_thermal
from thermalign.simulator.scene.view import View

BAND = SENSORS["cooled"].band
SHAPE = (60, 80)
STILL = Sway()


@pytest.fixture(scope="module")
def face():
    return build_face(5, (1, 0), gap=1.3)


@pytest.fixture(scope="module")
def camera():
    """Return a cooled camera without noise or pattern."""
    bank = draw_bank(np.random.default_rng(1))
    drawn = make_camera("cooled", 0.0, bank, np.random.default_rng(2))
    return replace(
        drawn,
        sensor=replace(drawn.sensor, row_noise=0.0, column_noise=0.0),
        gain=np.ones(DETECTOR, np.float32),
        offset=np.zeros(DETECTOR, np.float32),
    )


def wall(celsius, degrees):
    """Return maps of an even surface turned by ``degrees``, and a view of it, filling the image."""
    turn = np.radians(degrees)
    warm = np.full((128, 112), BAND.radiance(celsius), np.float32)
    normals = np.empty((128, 112, 4), np.float32)
    normals[:] = np.sin(turn), 0, np.cos(turn), 0
    camera = Camera(np.eye(3), 2500.0, 1.38, (40.0, 30.0), SHAPE)
    places = np.full((*SHAPE, 2), 50, np.float32)
    whole, cover = (slice(0, SHAPE[0]), slice(0, SHAPE[1])), np.ones(SHAPE, np.float32)
    view = View(camera, whole, 1, places, cover, cover, np.array([0.0, 0.0, 1.0]))
    return Emission((warm, warm, warm), (normals, normals)), view


def take(face, camera, *, celsius, ambient, degrees=0.0, distance=2500.0, cover=None, sway=STILL):
    """Return an image of such a wall, degrees Celsius."""
    maps, view = wall(celsius, degrees)
    cover = view.cover if cover is None else cover
    view = replace(view, camera=replace(view.camera, distance=distance), cover=cover)
    counts = render_thermal(
        face,
        view,
        maps,
        make_moment(face, Capture()).deformation,
        breath=0.0,
        ambient=ambient,
        behind=np.full(SHAPE, BAND.radiance(ambient), np.float32),
        glasses=False,
        camera=camera,
        sway=sway,
        rng=np.random.default_rng(3),
    )
    return SCALE * counts + OFFSET


def test_in_a_room_as_warm_as_the_skin_everything_reads_its_temperature(face, camera):
    for celsius in (15.0, 33.0):
        for degrees in (0, 80):
            image = take(face, camera, celsius=celsius, ambient=celsius, degrees=degrees)
            assert image == pytest.approx(celsius, abs=0.011)


def test_at_80_degrees_skin_mirrors_a_third_of_the_room(face):
    maps, view = wall(34.0, 80.0)
    deformation = make_moment(face, Capture()).deformation
    seen = person_radiance(view, maps, deformation, band=BAND, ambient=22.0, breath=0.0)
    # R = (.4551 + .2388) / 2 by Snell's law; mixed as temperatures it would be 29.84
    expected = 0.653 * BAND.radiance(34.0) + 0.347 * BAND.radiance(22.0)
    assert seen == pytest.approx(expected, abs=0.01)
    assert BAND.celsius(seen) == pytest.approx(30.0, abs=0.05)


def test_air_draws_readings_towards_its_own_temperature(face, camera):
    near, far = (
        take(face, camera, celsius=34.0, ambient=22.0, distance=metres * 1000).mean()
        for metres in (2.5, 7.5)
    )
    lost = (transmittance(2.5, 22.0) - transmittance(7.5, 22.0)) * (34 - 22)
    assert near - far == pytest.approx(lost, abs=0.02)


def edge_variance(image):
    """Return the squared width of the edge in the middle of an image, px^2, in radiance."""
    slope = np.diff(BAND.radiance(image[:, 30:50].mean(0)))
    x = np.arange(len(slope))
    middle = (x * slope).sum() / slope.sum()
    return (slope * (x - middle) ** 2).sum() / slope.sum()


@pytest.mark.parametrize("bolometer", [False, True])
def test_an_outline_is_as_wide_as_lens_focus_and_motion_make_it(face, camera, bolometer):
    sensor = replace(camera.sensor, exposure=0.01, bolometer=bolometer)
    cover = np.zeros(SHAPE, np.float32)
    cover[:, 40:] = 1
    options = {"celsius": 36.0, "ambient": 16.0, "cover": cover}
    sharp = take(face, camera, **options)
    blurred = take(face, replace(camera, focus=0.05), **options)
    moved = take(face, replace(camera, sensor=sensor), sway=Sway((150.0, 0.0)), **options)
    lens = camera.sensor.lens
    added = edge_variance(blurred) - edge_variance(sharp)
    assert added == pytest.approx(lens.blur(0.05) ** 2 - lens.sharp**2, rel=0.1)
    way = 150 * 0.01 * 1.38  # px
    added = edge_variance(moved) - edge_variance(sharp)
    assert added == pytest.approx(way**2 if bolometer else way**2 / 12, rel=0.25, abs=0.2)
