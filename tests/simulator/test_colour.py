"""Colour, wrinkles and noise of the visible camera."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from thermalign.simulator.dataset import write_chunk
from thermalign.simulator.person.anatomy import draw_identity
from thermalign.simulator.person.face import build_face
from thermalign.simulator.person.mouth import draw_mouth
from thermalign.simulator.person.pigments import skin_tint
from thermalign.simulator.person.wrinkles import draw_wrinkles
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import Capture, draw_light, rotation
from thermalign.simulator.physics.colour import LUMA, lamp_tint
from thermalign.simulator.physics.fields import ORIGIN_X, ORIGIN_Y, level_pixels
from thermalign.simulator.physics.optics import Sway
from thermalign.simulator.recording import render_subject
from thermalign.simulator.scene.framing import VISIBLE_PLACE
from thermalign.simulator.scene.moment import make_moment
from thermalign.simulator.scene.view import look
from thermalign.simulator.scene.visible import (
    READ_NOISE,
    SHOT_NOISE,
    _draw_noise,
    _expose,
    make_picture,
    render_visible,
)
from thermalign.simulator.settings import Settings, Volume, settings_from

SEED = 5
PLAN = Volume(6, ranges=(1,), baseline=1, expression=1)
COLOUR, GREY = Settings((PLAN,)), Settings((PLAN,), colour=False)
BLUE, GREEN, RED = 0, 1, 2


def visible(settings, number):
    samples = render_subject(settings, seed=SEED, volume=1, number=number)
    return [sample for sample in samples if sample.modality == "visible"]


@pytest.fixture(scope="module")
def pairs():
    return [
        pair
        for number in range(4)
        for pair in zip(visible(COLOUR, number), visible(GREY, number), strict=True)
    ]


@pytest.fixture(scope="module")
def faces():
    return [build_face(SEED, (1, number), gap=1.3) for number in range(12)]


def around(image, point, reach=3):
    """Return the mean colour about a point, (3,)."""
    x, y = np.rint(point).astype(int)
    return image[y - reach : y + reach + 1, x - reach : x + reach + 1].mean((0, 1))


def at(values, x, y):
    row, column = (round(level_pixels(v, o, 1)) for v, o in ((y, ORIGIN_Y), (x, ORIGIN_X)))
    return values[row, column]


def portrait(face, *, seed=1, colour=False, **strengths):
    """Render a frontal face in fixed light."""
    moment = make_moment(face, Capture(strengths=strengths))
    place = VISIBLE_PLACE
    camera = Camera(rotation(0, 0, 0), place.distance, place.scale, (100.0, 102.0), (250, 200))
    return render_visible(
        face,
        look(camera, moment.height, face.silhouette, step=2),
        moment.height,
        moment.deformation,
        scene=make_picture(np.full((125, 100, 3), 0.3, np.float32), (250, 200), 2),
        light=draw_light(np.random.default_rng(3)),
        glasses=False,
        colour=colour,
        sway=Sway(),
        rng=np.random.default_rng(seed),
    )


@pytest.mark.parametrize("corner", [(10, 12), (11, 13)])
def test_colour_is_put_where_luminance_is(corner):
    step, size = 2, 17
    picture = make_picture(np.zeros((30, 40, 3), np.float32), (60, 80), step)
    rows, columns = (np.arange(size) - size // 2 for _ in range(2))
    bump = np.exp(-0.5 * (rows[:, None] ** 2 + columns**2) / 9).astype(np.float32)
    part = slice(corner[0], corner[0] + size), slice(corner[1], corner[1] + size)
    picture.put(part, bump, np.ones(3))
    for layer, scale in ((picture.grey, 1), (picture.colour[..., 1], step)):
        y, x = (np.arange(n) * scale + (scale - 1) / 2 for n in layer.shape)
        centre = (layer.sum(1) @ y, layer.sum(0) @ x) / layer.sum()
        assert centre == pytest.approx(np.array(corner) + size // 2, abs=0.02)


def test_colour_changes_no_landmark(pairs):
    for colour, grey in pairs:
        assert colour.pixels.shape == (*grey.pixels.shape, 3)
        assert colour.pixels.dtype == grey.pixels.dtype == np.uint8
        assert np.array_equal(colour.points, grey.points)
        assert np.array_equal(colour.visible, grey.visible)


def test_the_luma_of_a_colour_picture_is_the_grey_picture(pairs):
    for colour, grey in pairs:
        luma = cv2.cvtColor(colour.pixels, cv2.COLOR_BGR2GRAY).astype(np.float64)
        assert np.corrcoef(luma.ravel(), grey.pixels.ravel())[0, 1] > 0.99
        assert luma.mean() == pytest.approx(grey.pixels.mean(), abs=4)


def test_the_same_seed_gives_the_same_colours_whatever_was_rendered_before(pairs):
    alone = visible(COLOUR, 3)
    assert np.array_equal(alone[0].pixels, pairs[6][0].pixels)
    assert np.array_equal(alone[1].pixels, pairs[7][0].pixels)


@pytest.mark.parametrize("melanin", np.linspace(0.03, 1, 8))
def test_skin_of_any_melanin_is_redder_than_it_is_blue(melanin):
    tint = skin_tint(melanin)
    assert tint[RED] > tint[GREEN] > tint[BLUE] > 0
    assert np.dot(LUMA, tint) == pytest.approx(1)


def test_melanin_makes_skin_browner():
    tints = np.array([skin_tint(melanin) for melanin in (0.1, 0.4, 0.7, 1.0)])
    assert (np.diff(tints[:, RED] / tints[:, BLUE]) > 0.1).all()


def test_cheeks_look_redder_than_blue_and_lips_redder_than_cheeks(faces):
    for face in faces:
        identity = face.identity
        low = float(face.mouth.line.mean()) + 0.5 * identity.body.lower_lip
        lips = at(face.albedo, face.mouth.centre, low)
        cheek = np.mean([at(face.albedo, x, 30) for x in (-40, 40)], axis=0)
        assert cheek[RED] > cheek[BLUE]
        assert lips[RED] / lips[BLUE] > cheek[RED] / cheek[BLUE]


def test_pictures_of_skin_are_redder_than_blue(pairs):
    for colour, _ in pairs:
        cheek = around(colour.pixels, colour.points[2] + [-25, 0])
        assert cheek[RED] > cheek[BLUE] + 5


def test_hot_lamps_are_blue():
    warm, cold = lamp_tint(1e6 / 2900), lamp_tint(1e6 / 6500)
    # Planck's law: between 2900 and 6500 K, red over blue changes by
    # exp(c2 (1/460 nm - 1/610 nm) (1/2900 K - 1/6500 K)), and within 2 % by -1 of the exponentials
    change = np.exp(1.4388e7 * (1 / 460 - 1 / 610) * (1 / 2900 - 1 / 6500))
    assert warm[RED] / warm[BLUE] == pytest.approx(change * cold[RED] / cold[BLUE], rel=0.03)


def test_lamps_balance_to_about_white():
    tints = np.array([draw_light(np.random.default_rng(k)).tints for k in range(200)])
    assert tints.mean((0, 1)) == pytest.approx([1, 1, 1], abs=0.03)
    assert 0.02 < np.log(tints[:, :, RED]).std() < 0.15


def test_noise_from_the_bank_is_normal_and_differs_between_pictures():
    first, second = (_draw_noise((250, 600), np.random.default_rng(k)) for k in (1, 2))
    assert first.std() == pytest.approx(1, abs=0.02)
    assert first.mean() == pytest.approx(0, abs=0.02)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02


def test_noise_is_that_of_photons_and_of_reading():
    light = draw_light(np.random.default_rng(0))
    halves = np.full((200, 200), 0.04, np.float32)
    halves[:, 100:] = 0.36
    encoded = _expose(halves, light, np.random.default_rng(1)).astype(np.float64)
    linear = encoded ** (1 / light.gamma)
    dark, bright = linear[:, :100], linear[:, 100:]
    assert bright.mean() / dark.mean() == pytest.approx(9, rel=0.05)
    for part in (dark, bright):
        expected = np.sqrt(SHOT_NOISE**2 * part.mean() + READ_NOISE**2)
        assert part.std() == pytest.approx(expected, rel=0.1)


def test_the_same_stream_gives_the_same_picture_and_another_one_other_noise(faces):
    first, again, other = (portrait(faces[0], seed=seed).astype(int) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    skin = (other - first)[60:180, 60:140]
    assert 0.5 < skin.std() < 5


def test_age_deepens_wrinkles():
    person = draw_identity(np.random.default_rng(1))
    mouth = draw_mouth(person, np.random.default_rng(1))
    young, old = (
        np.abs(draw_wrinkles(replace(person, age=age), mouth, np.random.default_rng(2))).max()
        for age in (-1.0, 2.0)
    )
    assert old > 3 * young


@pytest.mark.parametrize(
    ("name", "x", "y"), [("brow_raise", 0, -50), ("frown", 6, -20), ("smile", 50, 3)]
)
def test_an_expression_folds_the_skin_where_it_moves(faces, name, x, y):
    for face in faces:
        folds = make_moment(face, Capture(strengths={name: 1.0})).deformation.field[..., 3]
        row, column = (round(level_pixels(v, o, 2)) for v, o in ((y, ORIGIN_Y), (x, ORIGIN_X)))
        assert folds[row, column] > 0.3
        assert folds.max() < 1.7
        assert np.abs(folds[:10]).max() < 0.1
        assert make_moment(face, Capture()).deformation.field[..., 3].max() == 0


def test_a_mono_camera_writes_one_channel(tmp_path):
    for settings, channels in ((COLOUR, (3,)), (GREY, ())):
        folder = tmp_path / f"{len(channels)}"
        write_chunk(folder, settings, seed=SEED, chunk=0, chunks=6, progress=False)
        stored = cv2.imread(str(Path(folder / "v1_s000_r1_b00_visible.png")), cv2.IMREAD_UNCHANGED)
        assert stored.shape == (300, 250, *channels)
        assert np.array_equal(stored, visible(settings, 0)[0].pixels)


def test_colour_is_a_setting():
    block = {"volumes": [{"subjects": 1}]}
    assert settings_from(block).colour
    assert not settings_from(block | {"colour": False}).colour
    with pytest.raises(ValueError, match="colour is 1; give a value of type bool"):
        settings_from(block | {"colour": 1})


def test_thermal_pictures_do_not_depend_on_the_colours_of_the_visible_ones():
    colour, grey = (
        list(render_subject(settings, seed=SEED, volume=1, number=1)) for settings in (COLOUR, GREY)
    )
    thermal = [(a, b) for a, b in zip(colour, grey, strict=True) if a.modality == "thermal"]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in thermal)
