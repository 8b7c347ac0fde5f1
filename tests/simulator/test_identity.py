from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from thermalign.geometry import LANDMARKS, LEFT_EYE, NOSE_BASE, RIGHT_EYE
from thermalign.simulator.person.anatomy import SCORE_LIMIT, Anatomy, draw_identity
from thermalign.simulator.person.face import build_face
from thermalign.simulator.person.shape import build_shape
from thermalign.simulator.person.temperature import draw_session
from thermalign.simulator.physics.fields import (
    FLOOR,
    HEIGHT,
    ORIGIN_X,
    ORIGIN_Y,
    WIDTH,
    level_pixels,
)

ROWS = {entry.name: entry.metadata["row"] for entry in fields(Anatomy)}
AMBIENT = (22.5, 1.2)


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(11)
    return [draw_identity(rng) for _ in range(1500)]


@pytest.fixture(scope="module")
def faces():
    return [build_face(5, (1, n), gap=1.3) for n in range(12)]


def at(values, x, y, level=0):
    row = round(level_pixels(y, ORIGIN_Y, level))
    return float(values[row, round(level_pixels(x, ORIGIN_X, level))])


def inner_corner(identity, i):
    body, (x, y) = identity.body, identity.eyes[i]
    return x - np.sign(x) * body.eye_length / 2, y + 1.5


def arrays(face):
    warm = face.warmth
    yield from (face.height, face.albedo, face.root, face.open_sky, face.relief, face.landmarks)
    yield from face.thermal_normals
    yield from (warm.skin, warm.insulation, warm.strand, warm.cloth, warm.modes)
    yield from face.bases.values()


@pytest.mark.parametrize("name", ROWS)
def test_measurements_follow_their_table(people, name):
    male, female, sd, _, low, high = ROWS[name]
    values = np.array([getattr(p.body, name) for p in people])
    assert ((values >= low) & (values <= high)).all()
    score = (values - np.where([p.female for p in people], female, male)) / sd
    assert np.abs(score.mean()) < 0.15
    assert score.std() == pytest.approx(1, abs=0.2)


def test_eyes_are_as_far_apart_as_in_the_survey(people):
    # Dodgson, SPIE 5291, 2004: mean 63.4 mm, sd 3.8 mm over men and women
    apart = np.array([p.eyes[1][0] - p.eyes[0][0] for p in people])
    assert apart.mean() == pytest.approx(63.4, abs=1)
    assert apart.std() == pytest.approx(3.8, abs=0.4)


def test_common_factors_tie_measurements_together(people):
    size = np.corrcoef([(p.body.eye_distance, p.body.head_breadth) for p in people], rowvar=False)
    mass = np.corrcoef([(p.body.jaw_breadth, p.body.cheek_hollow) for p in people], rowvar=False)
    assert size[0, 1] > 0.2
    assert mass[0, 1] < -0.2


def test_appearance_follows_sex_and_keeps_its_range(people):
    assert np.mean([p.female for p in people]) == pytest.approx(0.42, abs=0.04)
    assert np.mean([p.owns_glasses for p in people]) == pytest.approx(0.25, abs=0.04)
    assert all(0 < p.melanin <= 1 for p in people)
    assert all(p.beard == p.moustache == 0 for p in people if p.female)
    assert all(p.beard > 0 for p in people if not p.female)


def test_the_same_key_builds_the_same_face_and_another_key_another(faces):
    for mine, other, again in zip(
        arrays(faces[3]), arrays(faces[4]), arrays(build_face(5, (1, 3), gap=1.3)), strict=True
    ):
        assert np.array_equal(mine, again)
        assert not np.array_equal(mine, other)


def test_maps_are_single_precision_on_their_level(faces):
    for face in faces:
        maps = [values for values in arrays(face) if values is not face.landmarks]
        assert {values.dtype for values in maps} == {np.dtype(np.float32)}
        assert all(np.isfinite(values).all() for values in maps)
        assert face.height.shape == (HEIGHT // 2, WIDTH // 2)
        assert face.root.shape == (HEIGHT, WIDTH)
        half = (HEIGHT // 2, WIDTH // 2)
        assert (face.albedo.shape, face.open_sky.shape) == ((*half, 4), half)
        sizes = [level.shape for level in face.thermal_normals]
        assert sizes == [(HEIGHT >> k, WIDTH >> k, 4) for k in (1, 2)]
        assert face.warmth.modes.shape == (6, HEIGHT // 4, WIDTH // 4)


def test_heights_are_those_of_a_head(faces):
    for face in faces:
        body = face.identity.body
        assert face.height.min() == FLOOR
        assert face.height.max() < 34  # where the rays start
        tip = at(face.height, face.identity.septum, body.tip_y, 1)
        assert face.height.max() == pytest.approx(tip, abs=1.5)
        assert 8 < tip - at(face.height, 0, body.subnasale_y + 8, 1) < 30
        assert at(face.height, *face.landmarks[LEFT_EYE], 1) < at(face.height, 0, -38, 1) - 2
        assert (face.height[:30, [0, -1]] == FLOOR).all()


def test_landmarks_lie_on_the_face_in_the_order_of_the_scheme(faces):
    for face in faces:
        points = face.landmarks
        assert points.shape == (len(LANDMARKS), 2)
        assert points[RIGHT_EYE, 0] < -20 < 20 < points[LEFT_EYE, 0]
        assert points[3, 0] < points[NOSE_BASE, 0] < points[4, 0]
        assert points[:2, 1].max() < points[NOSE_BASE, 1] < points[3:, 1].min()
        assert points[3:, 1].max() < face.identity.body.menton_y - 15
        assert min(at(face.height, x, y, 1) for x, y in points) > -35


def test_pupils_are_dark_and_mouth_corners_end_the_mouth_line(faces):
    for face in faces:
        albedo = face.root**2
        skin = np.median(albedo[260:330, 170:280])
        for x, y in face.landmarks[:2]:
            assert at(albedo, x + 0.6, y + 0.4) < 0.5 * skin + 0.02
        for x, y in face.landmarks[3:]:
            column = round(level_pixels(x, ORIGIN_X, 0))
            assert y == pytest.approx(float(face.mouth.line[0, column]), abs=1)


def test_faces_are_nearly_but_not_quite_symmetric(faces):
    for face in faces:
        part = face.height[80:170, 62:163]  # x from -50 to 50 mm about the middle column
        uneven = np.abs(part - part[:, ::-1])
        assert 0.2 < np.median(uneven) < 4


def test_albedo_and_occlusion_are_shares(faces):
    for face in faces:
        assert 0.004 <= face.root.min() ** 2 < face.root.max() ** 2 <= 0.801
        assert 0 < face.albedo.min() < face.albedo.max() < 1.2
        assert 0 < face.open_sky.min() < face.open_sky.max() <= 1


def test_skin_is_warm_at_the_inner_eye_corner_and_cool_at_the_tip_of_the_nose(faces):
    corners, tips, cheeks = [], [], []
    for face in faces:
        identity, skin = face.identity, face.warmth.skin
        corner = np.mean([at(skin, *inner_corner(identity, i)) for i in (0, 1)])
        tip = at(skin, identity.septum, identity.body.tip_y)
        assert corner > tip + 1
        corners.append(corner)
        tips.append(tip)
        cheeks.append(np.mean([at(skin, x, 36) for x in (-44, 44)]))
    assert 35 < np.mean(corners) < 37
    assert 28 < np.mean(tips) < 33
    assert np.mean(tips) < np.mean(cheeks) < np.mean(corners) - 1
    assert np.std(tips) > np.std(cheeks)


def test_gap_scales_only_what_the_thermal_camera_sees_and_does_so_linearly():
    none, one, two = (build_face(5, (1, 2), gap=gap) for gap in (0.0, 1.0, 2.0))
    assert np.array_equal(none.albedo, two.albedo)
    assert np.array_equal(none.height, two.height)
    single, double = one.warmth.skin - none.warmth.skin, two.warmth.skin - none.warmth.skin
    np.testing.assert_allclose(double, 2 * single, atol=1e-4)
    assert single.std() > 0.2


def test_a_shaven_face_differs_only_where_the_beard_was(faces):
    bearded = next(n for n, f in enumerate(faces) if f.identity.beard > 0.2)
    face, shaven = faces[bearded], build_face(5, (1, bearded), gap=1.3, facial_hair=False)
    assert np.array_equal(face.height, shaven.height)
    changed = np.abs(face.warmth.skin - shaven.warmth.skin) > 0.05
    rows = np.flatnonzero(changed.any(1))
    assert rows.min() > level_pixels(-15, ORIGIN_Y, 0)  # no brow, no forehead
    assert (shaven.warmth.skin - face.warmth.skin)[changed].min() > 0


def test_a_session_keeps_the_person_and_moves_the_room(faces):
    face = faces[0]
    first, second = (draw_session(face.warmth, AMBIENT, np.random.default_rng(k)) for k in (1, 2))
    assert first.ambient != second.ambient
    part = (slice(180, 380), slice(150, 300))
    change = first.surface[part] - second.surface[part]
    assert 0.05 < change.std() < 1.5
    likeness = np.corrcoef(first.surface[part].ravel(), second.surface[part].ravel())[0, 1]
    assert likeness > 0.6


def test_hair_and_clothes_lie_between_room_and_skin(faces):
    for n, face in enumerate(faces):
        session = draw_session(face.warmth, AMBIENT, np.random.default_rng(n))
        for cover in (face.warmth.cloth, face.warmth.insulation):
            covered = session.surface[cover > 0.98]
            if covered.size:
                assert session.ambient - 1 < covered.mean() < 31


def test_glasses_cover_both_eyes_of_their_owners_only():
    seen = [build_face(9, (1, n), gap=1.0) for n in range(16)]
    owners = [face for face in seen if face.identity.owns_glasses]
    assert 0 < len(owners) < len(seen)
    for face in seen:
        assert (face.glasses is not None) == face.identity.owns_glasses
    for face in owners:
        for eye in face.landmarks[:2]:
            assert at(face.glasses.layers[..., 0], *eye, 1) > 0.9


@pytest.mark.parametrize("seed", range(8))
def test_extreme_measurements_still_make_a_head(seed):
    rng = np.random.default_rng(seed)
    person = draw_identity(rng)
    values = {}
    for name, (male, female, sd, _, low, high) in ROWS.items():
        mean = female if person.female else male
        values[name] = float(np.clip(mean + sd * SCORE_LIMIT * rng.choice([-1, 1]), low, high))
    shape = build_shape(replace(person, body=Anatomy(**values)), rng=rng, hair_rng=rng)
    assert np.isfinite(shape.height).all()
    assert shape.height.min() == FLOOR
    assert shape.height.max() < 34
    sizes = cv2.connectedComponentsWithStats(shape.solid.astype(np.uint8))[2][1:, 4]
    assert sizes.max() > 0.998 * sizes.sum()  # nothing floats but a stray lock
