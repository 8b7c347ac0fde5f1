"""Cameras, what lies around the modelled part of a person, and the back of turned heads."""

from dataclasses import replace

import numpy as np
import pytest

from thermalign.simulator.person.face import build_face
from thermalign.simulator.person.torso import thermal_torso
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import Capture, rotation
from thermalign.simulator.physics.fields import spread
from thermalign.simulator.physics.radiometry import Band
from thermalign.simulator.scene.moment import make_moment
from thermalign.simulator.scene.room import (
    Room,
    Thing,
    draw_room,
    thermal_room,
    visible_room,
)
from thermalign.simulator.scene.view import look

BAND = Band(7.5, 11.1)
WHITE = np.ones(3)


def camera(yaw=0.0, *, centre=(320.0, 200.0), shape=(480, 640), distance=2500.0, scale=1.38):
    return Camera(rotation(yaw, 4.0, 2.0), distance, scale, centre, shape)


@pytest.fixture(scope="module")
def faces():
    return [build_face(5, (1, number), gap=1.3) for number in range(6)]


def test_a_window_sees_the_same_points_from_its_own_corner():
    points = np.array([[0.0, 0, 0], [30, -20, 10], [-40, 60, -80]])
    whole = camera(20)
    part = whole.window((slice(40, 100), slice(70, 200)))
    assert part.shape == (60, 130)
    assert part.project(points) == pytest.approx(whole.project(points) - [70, 40])


@pytest.mark.parametrize("step", [2, 3])
def test_a_coarser_camera_has_its_pixels_in_the_middles_of_blocks(step):
    points = np.array([[0.0, 0, 0], [30, -20, 10], [-40, 60, -80]])
    fine, coarse = camera(20).project(points), camera(20).coarser(step).project(points)
    assert coarse * step + (step - 1) / 2 == pytest.approx(fine)
    assert camera(shape=(7, 9)).coarser(2).shape == (4, 5)


def test_a_plane_is_where_its_points_are_projected():
    seen = camera(25)
    points = np.array([[10.0, -30, -88], [-120, 60, -88]])
    back = np.column_stack([seen.project(points), np.ones(2)]) @ seen.plane(-88.0).T
    assert back[:, :2] / back[:, 2:] == pytest.approx(points[:, :2])


@pytest.mark.parametrize(("shape", "step"), [((8, 12), 2), ((9, 13), 2), ((10, 11), 3)])
def test_spreading_is_exact_inside(shape, step):
    rows, columns = (np.arange(-(-n // step)) * step + (step - 1) / 2 for n in shape)
    ramp = (2 * columns + 5 * rows[:, None]).astype(np.float32)
    fine = spread(ramp, shape, step)
    expected = 2 * np.arange(shape[1]) + 5 * np.arange(shape[0])[:, None]
    inside = slice(step, -2 * step), slice(step, -2 * step)
    assert fine.shape == shape
    assert fine[inside] == pytest.approx(expected[inside])


def test_a_warm_thing_hangs_where_it_was_put_in_both_bands():
    thing = Thing(250.0, -200.0, 100.0, 60.0, 10.0, (0.1, 0.2, 0.6), False)
    room = Room((thing,), (0.4, 0.4, 0.4), (0.0, 0.0))
    seen = camera(shape=(480, 640))
    axis = (320.0, 240.0)
    scale = 1.38 * 2500 / 4000  # of the wall, 1.5 m behind the person
    x, y = round(320 + 250 * scale), round(240 - 200 * scale)
    warm = BAND.celsius(thermal_room(room, seen, axis, air=20.0, band=BAND))
    assert (warm[y, x], warm[440, 60]) == pytest.approx((30, 20), abs=0.02)
    light = visible_room(room, seen, axis, tint=WHITE)
    assert light[y, x] == pytest.approx([0.1, 0.2, 0.6], abs=1e-3)
    assert light[440, 60] == pytest.approx([0.4, 0.4, 0.4], abs=1e-3)
    farther = thermal_room(
        room, replace(seen, distance=7500.0, scale=0.49), axis, air=20.0, band=BAND
    )
    assert (farther > BAND.radiance(25)).sum() < 0.3 * (warm > 25).sum()


def test_rooms_are_drawn_from_their_stream_and_differ():
    first, again, other = (draw_room(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other
    temperatures = [t.warmth for n in range(60) for t in draw_room(np.random.default_rng(n)).things]
    assert min(temperatures) < -1 < 8 < max(temperatures)  # windows and lamps


def test_shoulders_and_arms_go_on_below_the_modelled_part(faces):
    for face in faces:
        seen = camera(scale=0.5, distance=7500.0, centre=(320.0, 150.0))
        scene = np.zeros(seen.shape, np.float32)
        thermal_torso(scene, face.torso, seen, 10.0)
        clothed = scene > 5
        assert clothed[-1, 320]
        width = clothed[400].sum() / 0.5  # mm
        assert 350 < width < 600
        assert not clothed[: int(seen.project(np.array([[0, 60.0, 0]]))[0, 1])].any()


def test_a_torso_out_of_sight_changes_nothing(faces):
    crop = camera(centre=(100.0, 102.0), shape=(180, 200))
    scene = np.zeros(crop.shape, np.float32)
    thermal_torso(scene, faces[0].torso, crop, 10.0)
    assert not scene.any()


@pytest.mark.parametrize("yaw", [-30.0, 30.0])
def test_a_turned_head_shows_its_back_beside_the_ear(faces, yaw):
    added = []
    for face in faces:
        moment = make_moment(face, Capture(yaw=yaw))
        flat = replace(face.silhouette, depth=0 * face.silhouette.depth)
        round_, front = (
            look(camera(yaw), moment.height, outline, step=2) for outline in (face.silhouette, flat)
        )
        only_back = (round_.cover > 0.5) & (front.cover < 0.5)
        added.append(only_back.sum() / 1.38**2)  # mm^2
        columns = np.flatnonzero(only_back.any(0))
        towards_back = columns.mean() - np.flatnonzero((front.cover > 0.5).any(0)).mean()
        assert np.sign(towards_back) == -np.sign(yaw)
    assert np.mean(added) > 800


def test_a_frontal_head_has_no_back(faces):
    for face in faces:
        moment = make_moment(face, Capture())
        flat = replace(face.silhouette, depth=0 * face.silhouette.depth)
        round_, front = (
            look(camera(0.0), moment.height, outline, step=2) for outline in (face.silhouette, flat)
        )
        assert np.array_equal(round_.cover, front.cover)
