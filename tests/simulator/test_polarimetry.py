"""Polarised thermal radiation."""

import numpy as np
import pytest

from thermalign.simulator.capture import Capture
from thermalign.simulator.face import build_face
from thermalign.simulator.framing import THERMAL_PLACES
from thermalign.simulator.polarimetry import see_stokes
from thermalign.simulator.recording import make_moment
from thermalign.simulator.sensor import SENSORS
from thermalign.simulator.temperature import draw_session
from thermalign.simulator.thermal import emission_maps, person_radiance
from thermalign.simulator.view import Camera, View, look

BAND = SENSORS["cooled"].band
SHAPE = (4, 5)


@pytest.fixture(scope="module")
def moment():
    face = build_face(5, (1, 0), gap=1.3)
    return face, make_moment(face, Capture())


def plane(moment, normal, *, celsius=34.0, ambient=22.0):
    """Return the Stokes vector of an even surface with a normal in the head's frame."""
    maps = np.empty((128, 112, 4), np.float32)
    maps[:] = BAND.radiance(celsius), *normal
    camera = Camera(np.eye(3), 2500.0, 1.38, (2.0, 2.0), SHAPE)
    places = np.full(SHAPE, 50, np.float32)
    view = View(camera, places, places, np.ones(SHAPE, np.float32), np.array([0.0, 0.0, 1.0]))
    return see_stokes(view, (maps,) * 3, moment[1].deformation, band=BAND, ambient=ambient)


def tilted(degrees, azimuth):
    """Return a normal ``degrees`` off the view, ``azimuth`` from the right over the top."""
    t, a = np.radians([degrees, azimuth])
    return np.sin(t) * np.cos(a), -np.sin(t) * np.sin(a), np.cos(t)


def test_skin_at_60_degrees_is_polarised_by_one_per_cent(moment):
    # R_s = .1139, R_p = .0044; at 9.3 um, L / L' = 303.15^2 K / 1547 (1 - exp(-5.10)) = 59 K
    stokes = plane(moment, tilted(60, 0))
    assert BAND.darkness == pytest.approx(59, abs=1.5)
    excess = BAND.radiance(34.0) - BAND.radiance(22.0)
    assert stokes.s1 == pytest.approx((0.1139 - 0.0044) / 2 * excess, rel=0.01)
    assert stokes.degree == pytest.approx(0.0103, rel=0.05)


@pytest.mark.parametrize(
    ("azimuth", "signs"), [(0, (1, 0)), (45, (0, 1)), (90, (-1, 0)), (135, (0, -1)), (180, (1, 0))]
)
def test_emission_is_polarised_along_the_projected_normal(moment, azimuth, signs):
    stokes = plane(moment, tilted(60, azimuth))
    length = np.hypot(stokes.s1, stokes.s2)
    assert stokes.s1 / length == pytest.approx(signs[0], abs=1e-3)
    assert stokes.s2 / length == pytest.approx(signs[1], abs=1e-3)


def test_neither_head_on_nor_in_a_room_as_warm_is_anything_polarised(moment):
    assert plane(moment, (0, 0, 1)).degree.max() < 1e-5
    assert plane(moment, tilted(70, 30), ambient=34.0).degree.max() < 1e-5


def test_a_face_is_polarised_at_its_sides_and_s0_is_what_the_thermal_camera_sees(moment):
    face, now = moment
    place = THERMAL_PLACES[1]
    camera = Camera(np.eye(3), place.distance, place.scale, (100.0, 102.0), (250, 200))
    view = look(camera, now.height, step=2)
    session = draw_session(face.warmth, (22.0, 0.0), np.random.default_rng(1))
    maps = emission_maps(face, session, BAND)
    options = {"band": BAND, "ambient": 22.0}
    stokes = see_stokes(view, maps, now.deformation, **options)
    seen = person_radiance(view, maps, now.deformation, breath=0.0, **options)
    assert np.abs(stokes.s0 - BAND.darkness - seen).max() < 1e-3
    forehead, sides = stokes.degree[45:60, 90:110], stokes.degree[100:180][:, [20, 180]]
    assert forehead.mean() < 0.002
    assert 0.003 < sides.mean() < 0.03
