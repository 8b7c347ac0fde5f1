"""Rendering: geometry, ground truth and physics of single images."""

from dataclasses import replace

import numpy as np
import pytest

from thermalign.geometry import (
    LEFT_EYE,
    LEFT_MOUTH_CORNER,
    NOSE_BASE,
    RIGHT_EYE,
    RIGHT_MOUTH_CORNER,
)
from thermalign.simulator.capture import Capture, draw_capture, rotation
from thermalign.simulator.expression import deform
from thermalign.simulator.face import build_face, pyramid
from thermalign.simulator.fields import ORIGIN_X, ORIGIN_Y, bump, level_pixels
from thermalign.simulator.framing import THERMAL_PLACES
from thermalign.simulator.recording import make_moment, render_subject
from thermalign.simulator.sensor import SENSORS
from thermalign.simulator.settings import Settings, Volume
from thermalign.simulator.temperature import draw_session
from thermalign.simulator.thermal import emission_maps, person_radiance
from thermalign.simulator.view import Camera, expressed_landmarks, landmark_visibility, look

SEED = 5
EYES = [RIGHT_EYE, LEFT_EYE]
CORNERS = [RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER]


@pytest.fixture(scope="module")
def faces():
    return [build_face(SEED, (1, number), gap=1.3) for number in range(3)]


@pytest.fixture(scope="module")
def images():
    settings = Settings((Volume(8, baseline=1, expression=1),))
    return [s for n in range(8) for s in render_subject(settings, seed=SEED, volume=1, number=n)]


def camera_for(capture):
    place = THERMAL_PLACES[1]
    turn = rotation(capture.yaw, capture.pitch, capture.roll)
    return Camera(turn, place.distance, place.scale, (100.0, 102.0), (250, 200))


def speaking(rng):
    capture = draw_capture("expression", (5.0, 3.5, 2.0), rng)
    return replace(capture, strengths={**capture.strengths, "gaze": 0.0, "blink": 0.0})


def test_a_frontal_camera_projects_as_a_pinhole():
    camera = Camera(np.eye(3), 2500.0, 2.0, (100.0, 50.0), (100, 200))
    points = camera.project(np.array([[0, 0, 0], [10, -5, 0], [10, -5, 500.0]]))
    assert points == pytest.approx(np.array([[100, 50], [120, 40], [125, 37.5]]))


def test_a_head_turned_to_its_left_shows_its_nose_further_right():
    turned = camera_for(Capture(yaw=20)).project(np.array([[0, 40, 20.0], [0, 40, -60]]))
    assert turned[0, 0] - turned[1, 0] > 20


@pytest.mark.parametrize("number", range(3))
def test_landmarks_lie_where_painted_dots_are_seen(faces, number):
    face, rng = faces[number], np.random.default_rng(number)
    session = draw_session(face.warmth, (22.5, 0.0), rng)
    errors = {landmark: [] for landmark in range(5)}
    for _ in range(4):
        moment = make_moment(face, speaking(rng))
        view = look(camera_for(moment.capture), moment.height, step=2)
        for landmark in range(5):
            # the opening may cover a corner itself, so its dot lies 3 mm outside
            outside = np.sign(face.landmarks[landmark, 0]) * 3 if landmark in CORNERS else 0
            spot = face.landmarks[landmark] + [outside, 0]
            neutral = face.landmarks.copy()
            neutral[landmark] = spot
            expected = expressed_landmarks(neutral, moment.deformation, moment.height)
            expected = view.camera.project(expected)[landmark]
            errors[landmark].append(
                np.hypot(*(dot_centre(face, session, moment, view, spot) - expected))
            )
    assert np.mean([errors[k] for k in EYES]) < 0.1
    assert np.mean([errors[k] for k in CORNERS]) < 0.2
    assert np.mean(errors[NOSE_BASE]) < 0.4
    assert max(max(found) for found in errors.values()) < 1.0


def dot_centre(face, session, moment, view, spot):
    """Return where a small hot dot at ``spot`` on the skin is seen, pixels."""
    band = SENSORS["cooled"].band
    dot = 8 * bump(float(spot[0]), float(spot[1]), 1.2, 1.2)
    plain, dotted = (
        person_radiance(
            view,
            emission_maps(face, replace(session, surface=session.surface + extra), band),
            moment.deformation,
            band=band,
            ambient=session.ambient,
            breath=0.0,
        )
        for extra in (0, dot)
    )
    weight = (dotted - plain).astype(np.float64)
    rows, columns = np.indices(weight.shape)
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


def test_lids_and_gaze_do_not_move_the_landmarks_of_the_eyes(faces):
    face = faces[0]
    still = make_moment(face, Capture())
    moved = make_moment(face, Capture(strengths={"blink": 1.0, "gaze": 1.0}))
    assert moved.landmarks[EYES, :2] == pytest.approx(still.landmarks[EYES, :2])
    assert np.abs(moved.deformation.field).max() > 3


def test_an_open_jaw_moves_the_corners_down_and_leaves_the_eyes(faces):
    face = faces[0]
    still, spoken = (make_moment(face, Capture(strengths={"jaw": jaw})) for jaw in (0.0, 12.0))
    down = (spoken.landmarks - still.landmarks)[:, 1]
    assert (down[CORNERS] > 1).all()
    assert down[EYES] == pytest.approx(0, abs=0.01)
    assert spoken.deformation.opening.gap.max() == pytest.approx(12, rel=0.03)


def test_expressions_add_up(faces):
    face = faces[1]
    smile, frown, both = (
        deform(face.bases, face.identity, face.mouth, strengths).field
        for strengths in ({"smile": 0.5}, {"frown": 1.0}, {"smile": 0.5, "frown": 1.0})
    )
    assert np.abs(smile + frown - both).max() < 1e-5


def test_marching_every_second_pixel_finds_nearly_the_same_surface(faces):
    moment = make_moment(faces[2], Capture(yaw=8, pitch=-4))
    coarse, full = (look(camera_for(moment.capture), moment.height, step=k) for k in (2, 1))
    inside = np.s_[80:200, 60:140]
    distance = np.hypot(coarse.x - full.x, coarse.y - full.y)[inside] / 0.8
    assert np.median(distance) < 0.05
    assert (coarse.cover[inside] == 1).all()


def test_a_profile_hides_the_far_eye(faces):
    moment = make_moment(faces[0], Capture(yaw=60))
    view = look(camera_for(moment.capture), moment.height, step=1)
    pixels = view.camera.project(moment.landmarks)
    seen = landmark_visibility(view, moment.landmarks, pixels)
    assert seen[RIGHT_EYE] != seen[LEFT_EYE]


def test_the_levels_of_a_pyramid_lie_over_each_other():
    columns = np.tile(np.arange(448, dtype=np.float32), (512, 1))
    middle, coarse = pyramid(columns)[1:]
    assert level_pixels(0.0, ORIGIN_X, 1) == (ORIGIN_X - 0.5) / 2
    assert level_pixels(0.0, ORIGIN_Y, 2) == (ORIGIN_Y - 1.5) / 4
    assert middle[0, 3] == 6.5
    assert coarse[0, 3] == 13.5


def test_eyes_are_as_far_apart_as_each_range_asks(images):
    for place, wanted in ((1, 87), (2, 44), (3, 31)):
        points = np.array([s.points for s in images if (s.range, s.modality) == (place, "thermal")])
        apart = np.linalg.norm(points[:, LEFT_EYE] - points[:, RIGHT_EYE], axis=1)
        assert apart.mean() == pytest.approx(wanted, rel=0.06)


def test_the_subjects_right_eye_lies_left_and_above_the_mouth(images):
    for sample in images:
        points = sample.points
        assert points[RIGHT_EYE, 0] < points[NOSE_BASE, 0] + 10
        assert points[RIGHT_EYE, 0] < points[LEFT_EYE, 0]
        assert points[RIGHT_MOUTH_CORNER, 0] < points[LEFT_MOUTH_CORNER, 0]
        assert points[EYES, 1].max() < points[NOSE_BASE, 1] < points[CORNERS, 1].max()


def test_thermal_counts_decode_to_the_temperatures_of_a_face(images):
    for sample in (s for s in images if s.modality == "thermal"):
        celsius = sample.pixels * 0.01 - 273.15
        height, width = celsius.shape
        face = celsius[height // 3 : 3 * height // 4, width // 4 : 3 * width // 4]
        assert 30 < np.median(face) < 36
        assert np.percentile(celsius, 99.5) < 39
        assert np.percentile(celsius, 0.5) > 14


def test_visible_images_are_neither_dark_nor_burnt(images):
    for sample in (s for s in images if s.modality == "visible"):
        assert sample.pixels.dtype == np.uint8
        assert 40 < sample.pixels[60:190, 50:150].mean() < 200
        assert (sample.pixels == 255).mean() < 0.1


def test_glasses_are_cold_and_hide_the_eyes_from_the_thermal_camera():
    number = next(n for n in range(40) if build_face(SEED, (1, n), gap=1.3).glasses)
    volume = Volume(40, ranges=(1,), baseline=1, expression=0)
    bare, worn = (
        list(render_subject(Settings((volume,), glasses=on), seed=SEED, volume=1, number=number))
        for on in (False, True)
    )
    assert np.array_equal(bare[0].points, worn[0].points)
    x, y = np.rint(bare[0].points[RIGHT_EYE]).astype(int)
    assert (bare[0].pixels[y, x] - 0.0) - worn[0].pixels[y, x] > 300  # 3 K
    assert worn[0].visible.tolist() == [False, False, True, True, True]
    assert worn[1].visible.all()
