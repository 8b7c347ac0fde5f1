"""Hair of head and face: who wears what, where it lies, how warm it is."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from thermalign.simulator.person.anatomy import draw_identity
from thermalign.simulator.person.face import build_face
from thermalign.simulator.person.facial_hair import draw_facial_hair
from thermalign.simulator.person.hair import HIGHEST, draw_hair
from thermalign.simulator.person.hairstyles import STYLES, THINNING, draw_style
from thermalign.simulator.person.head import half_width
from thermalign.simulator.person.shape import build_shape
from thermalign.simulator.person.temperature import draw_session
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import Capture, rotation
from thermalign.simulator.physics.fields import FLOOR, ORIGIN_Y, SHAPE, X, Y, level_pixels
from thermalign.simulator.scene.framing import THERMAL_PLACES
from thermalign.simulator.scene.moment import make_moment
from thermalign.simulator.scene.view import look

LENGTHS = ("bald", "buzz", "short", "medium", "long", "tied")


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(3)
    return [draw_identity(rng) for _ in range(3000)]


@pytest.fixture(scope="module")
def styled():
    """One shape per style, of the same person."""
    person = draw_identity(np.random.default_rng(8))
    shapes = {}
    for length in LENGTHS:
        for seed in range(60):
            worn = replace(person, hair=length, age=1.5, melanin=0.7, female=seed % 2 == 0)
            style = draw_style(worn, np.random.default_rng(seed))
            if style not in shapes:
                shapes[style] = shape_of(worn, seed)
    return shapes


def shape_of(identity, seed):
    return build_shape(identity, rng=np.random.default_rng(1), hair_rng=np.random.default_rng(seed))


def camera(yaw=0.0):
    place = THERMAL_PLACES[1]
    return Camera(rotation(yaw, 0, 0), place.distance, place.scale, (150.0, 180.0), (330, 300))


def test_every_style_is_worn_and_none_by_too_many(people):
    rng = np.random.default_rng(1)
    counts = Counter(draw_style(person, rng) for person in people)
    assert set(counts) == set(STYLES)
    assert max(counts.values()) < 0.2 * len(people)
    assert min(counts.values()) > 0.003 * len(people)


def test_styles_follow_sex_age_and_melanin(people):
    rng = np.random.default_rng(2)
    worn = [(person, draw_style(person, rng)) for person in people]
    assert all(person.female for person, style in worn if style in {"bob", "long", "bun"})
    assert not any(person.female for person, style in worn if style in {"buzz", "wreath", "shag"})
    assert all(person.age > THINNING for person, style in worn if style == "thin")
    assert all(person.melanin > 0.5 for person, style in worn if style == "afro")


def test_the_bald_stay_bald(people):
    for seed, person in enumerate([p for p in people if p.hair == "bald"][:20]):
        style = draw_style(person, np.random.default_rng(seed))
        assert style in {"bald", "wreath"}
        if style == "bald":
            shape = shape_of(person, seed)
            assert shape.hair_cover.max() == 0
            assert shape.veil.min() == 1
            assert not shape.hair.mask.any()


def test_the_same_stream_gives_the_same_hair(people):
    width = half_width(people[0].body)
    first, again, other = (
        draw_hair(people[0], width, rng=np.random.default_rng(seed)) for seed in (4, 4, 5)
    )
    assert np.array_equal(first.cover, again.cover)
    assert np.array_equal(first.strand, again.strand)
    assert not np.array_equal(first.strand, other.strand)


@pytest.mark.parametrize("style", STYLES)
def test_cover_is_a_share_and_heights_stay_on_the_grid(styled, style):
    shape = styled[style]
    for share in (shape.hair_cover, shape.veil, shape.hair.full):
        assert share.dtype == np.float32
        assert share.shape == SHAPE
        assert 0 <= share.min() <= share.max() <= 1
    assert shape.hair.top >= HIGHEST
    assert (shape.height[:, [0, -1]] == FLOOR)[: SHAPE[0] // 2].all()
    assert shape.height.max() < 34  # where the rays start


@pytest.mark.parametrize("style", sorted(set(STYLES) - {"bald"}))
def test_no_hair_lies_on_eyes_nose_or_mouth(styled, style):
    middle = (np.abs(X) < 39) & (Y > -8) & (Y < 75)
    assert styled[style].hair_cover[middle].max() == 0


def test_strands_are_longer_than_wide(styled):
    for style in ("cropped", "fringed"):
        strand = styled[style].hair.strand
        rows = np.s_[round(level_pixels(-95, ORIGIN_Y, 0)) : round(level_pixels(-80, ORIGIN_Y, 0))]
        part = strand[rows, 200:248]  # in the middle, strands run down
        across, along = np.diff(part, axis=1).std(), np.diff(part, axis=0).std()
        assert across > 2 * along


def test_the_outline_of_hair_is_soft_and_a_bald_head_keeps_its_own(styled):
    face = build_face(5, (1, 1), gap=1.0)
    moment = make_moment(face, Capture())
    front = replace(face.silhouette, depth=0 * face.silhouette.depth)
    plain = look(camera(), moment.height, front, step=2)
    for style, shape in styled.items():
        veiled = replace(front, veil=front.veil * shape.veil[::2, ::2])
        thinned = look(camera(), moment.height, veiled, step=2)
        assert (thinned.cover <= plain.cover).all()
        partly = ((shape.veil > 0.1) & (shape.veil < 0.9)).sum()
        assert (partly > 150) == (style != "bald"), style


def test_scalp_on_a_parting_is_warmer_than_the_hair_beside_it():
    found = 0
    for number in range(40):
        face = build_face(5, (1, number), gap=0.0)
        if face.identity.hair != "long":
            continue
        session = draw_session(face.warmth, (22.0, 0.0), np.random.default_rng(0))
        rows = np.s_[round(level_pixels(-90, ORIGIN_Y, 0)) : round(level_pixels(-80, ORIGIN_Y, 0))]
        part = session.surface[rows, 160:288]
        found += part.max() > np.median(part) + 1.5
    assert found >= 3


def test_thick_hair_is_colder_than_thin_hair(styled):
    insulation = {}
    for number in range(60):
        face = build_face(5, (1, number), gap=0.0)
        top = np.s_[round(level_pixels(-95, ORIGIN_Y, 0)), 200:248]
        insulation.setdefault(face.identity.hair, []).append(face.warmth.insulation[top].mean())
    mean = {length: np.mean(values) for length, values in insulation.items()}
    assert mean["bald"] < 0.05
    assert 0.1 < mean["buzz"] < mean["tied"] < mean["long"]
    assert mean["long"] > 0.85


def test_brows_and_beards_are_shares_and_brows_keep_to_their_place(people):
    bare = np.ones(SHAPE, np.float32)
    man = replace(next(p for p in people if not p.female), beard=1.0, moustache=1.0)
    mouth = shape_of(man, 0).mouth
    facial = draw_facial_hair(man, mouth, bare=bare, rng=np.random.default_rng(0))
    for share in (facial.brow, facial.beard):
        assert 0 <= share.min() <= share.max() <= 1
    rows = np.flatnonzero((facial.brow > 0.2).any(1))
    assert level_pixels(man.body.brow_y - 20, ORIGIN_Y, 0) < rows.min()
    assert rows.max() < level_pixels(man.body.brow_y + 15, ORIGIN_Y, 0)


def test_a_beard_hangs_and_stubble_is_dots(people):
    bare = np.ones(SHAPE, np.float32)
    man = next(p for p in people if not p.female)
    mouth = shape_of(man, 0).mouth
    ratio = {}
    for beard in (0.3, 1.0):
        worn = replace(man, beard=beard)
        texture = draw_facial_hair(worn, mouth, bare=bare, rng=np.random.default_rng(0)).texture
        ratio[beard] = np.diff(texture, axis=1).std() / np.diff(texture, axis=0).std()
    assert ratio[0.3] == pytest.approx(1, abs=0.05)
    assert ratio[1.0] > 1.4
