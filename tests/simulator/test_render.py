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
from thermalign.simulator.person.expression import deform
from thermalign.simulator.person.face import build_face, pyramid
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import Capture, draw_capture, rotation
from thermalign.simulator.physics.fields import ORIGIN_X, ORIGIN_Y, level_millimetres, level_pixels
from thermalign.simulator.recording import render_subject
from thermalign.simulator.scene.framing import THERMAL_PLACES
from thermalign.simulator.scene.moment import make_moment
from thermalign.simulator.scene.view import (
    expressed_landmarks,
    landmark_visibility,
    look,
    undo_expression,
)
from thermalign.simulator.settings import Settings, Volume

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


@pytest.fixture(scope="module")
def marked(faces):
    """Return landmark -> distances in pixels of Range 1, and those between two renderings.

    A marker is painted on the skin at a landmark, and looked for in a rendering of eight times the
    resolution that marches every pixel. Markers of the mouth lie 1 mm beside its corners, where
    parting lips cannot hide them.
    """
    exact, delivered = ({k: [] for k in range(5)} for _ in range(2))
    for number, face in enumerate(faces):
        rng = np.random.default_rng(number)
        for _ in range(4):
            moment = make_moment(face, speaking(rng))
            camera = camera_for(moment.capture)
            for landmark in range(5):
                neutral = face.landmarks.copy()
                if landmark in CORNERS:
                    neutral[landmark, 0] += np.sign(neutral[landmark, 0])
                points = expressed_landmarks(neutral, moment.deformation, moment.height)
                pixel = camera.project(points)[landmark]
                seen, wide, usual = (
                    seen_marker(face, moment, camera, neutral[landmark], pixel, **how)
                    for how in (
                        {"fine": 8, "step": 1, "size": 0.3},
                        {"fine": 8, "step": 1, "size": 1.2},
                        {"fine": 1, "step": 3, "size": 1.2},
                    )
                )
                exact[landmark].append(np.hypot(*(seen - pixel)))
                delivered[landmark].append(np.hypot(*(usual - wide)))
    return exact, delivered


def seen_marker(face, moment, camera, spot, pixel, *, fine, step, size):
    """Return where a marker of ``size`` mm at ``spot`` on the skin is seen, camera pixels."""
    centre = tuple(fine * v + (fine - 1) / 2 for v in camera.centre)
    shape = tuple(fine * v for v in camera.shape)
    large = replace(camera, scale=camera.scale * fine, centre=centre, shape=shape)
    x, y = (int(fine * v) for v in pixel)
    reach = max(6 * fine, 12)
    part = slice(y - reach, y + reach), slice(x - reach, x + reach)
    view = look(large.window(part), moment.height, face.silhouette, step=step)
    nodes, _ = undo_expression(view, moment.deformation.field)
    places = view.refine(nodes)
    off_x = level_millimetres(places[..., 0], ORIGIN_X, 1) - spot[0]
    off_y = level_millimetres(places[..., 1], ORIGIN_Y, 1) - spot[1]
    weight = np.exp(-0.5 * (off_x**2 + off_y**2) / size**2).astype(np.float64)
    rows, columns = np.indices(weight.shape)
    found = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
    found = view.to_image(found) + np.array([part[1].start, part[0].start])
    return (found - (fine - 1) / 2) / fine


@pytest.mark.parametrize("landmark", range(5))
def test_landmarks_lie_where_a_supersampled_rendering_shows_markers(marked, landmark):
    exact, _ = marked
    assert np.mean(exact[landmark]) < 0.1
    assert np.max(exact[landmark]) < 0.5


@pytest.mark.parametrize("landmark", range(5))
def test_delivered_images_show_markers_where_the_supersampled_rendering_does(marked, landmark):
    _, delivered = marked
    assert np.mean(delivered[landmark]) < 0.1
    assert np.max(delivered[landmark]) < 0.5


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
    coarse, full = (
        look(camera_for(moment.capture), moment.height, faces[2].silhouette, step=k) for k in (2, 1)
    )
    inside = np.s_[80:200, 60:140]
    distance = np.linalg.norm(coarse.refine(coarse.nodes) - full.nodes, axis=2)[inside] / 0.8
    assert np.median(distance) < 0.05
    assert (coarse.cover[inside] == 1).all()


def test_a_profile_hides_the_far_eye(faces):
    moment = make_moment(faces[0], Capture(yaw=60))
    view = look(camera_for(moment.capture), moment.height, faces[0].silhouette, step=1)
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
