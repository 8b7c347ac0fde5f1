"""Faces and recordings beyond the usual: each does what it says, and changes nothing else."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from thermalign import tables
from thermalign.geometry import LEFT_EYE, NOSE_BASE, RIGHT_EYE
from thermalign.metrics.faces import face_measures
from thermalign.schemas.dataset import IMAGES
from thermalign.simulator.dataset import (
    Settings,
    Volume,
    render_subject,
    settings_from,
    write_chunk,
)
from thermalign.simulator.person.face import build_face
from thermalign.simulator.person.mood import draw_mood
from thermalign.simulator.physics.capture import Capture
from thermalign.simulator.physics.fields import ORIGIN_X, ORIGIN_Y, level_pixels
from thermalign.simulator.physics.gain import Gain, draw_gain, make_picture
from thermalign.simulator.physics.sensor import OFFSET, SCALE
from thermalign.simulator.scene.moment import Key
from thermalign.simulator.scene.varied import ABOVE, BELOW, draw_elevation, hold_hand, vary
from thermalign.simulator.settings import USUAL, Variety

PLAN = Volume(12, ranges=(1,), baseline=1, expression=0, visible_ranges=())
SEED = 3
MEANS = [30.502, 29.694, 30.269]  # degrees Celsius, of the first three people of seed 2019
NOSES = [[133.928, 194.817], [112.858, 195.412], [126.401, 187.601]]
MAN = 3  # of that seed, without a beard


def settings(**variety):
    return Settings((PLAN,), variety=Variety(**variety))


def rendered(number=0, seed=SEED, **variety):
    return next(render_subject(settings(**variety), seed=seed, volume=1, number=number))


def celsius(sample):
    return sample.pixels * SCALE + OFFSET


@pytest.fixture(scope="module")
def usual():
    return [rendered(n) for n in range(3)]


@pytest.fixture(scope="module")
def face():
    return build_face(SEED, (1, MAN), gap=1.3, variety=Variety(lips=1))


def moods(face, count=60, **variety):
    rng = np.random.default_rng(5)
    return [draw_mood(face.masks, face.identity, Variety(**variety), rng) for _ in range(count)]


def at(values, x, y):
    row, column = (round(level_pixels(v, o, 0)) for v, o in ((y, ORIGIN_Y), (x, ORIGIN_X)))
    return float(values[row, column])


def test_all_of_it_is_off_by_default():
    off = {"nose_depth": 5.0, "proportions": 1.0, "exports_white": (0.02, 4.0), "coarser": 1}
    for its in fields(Variety):
        assert getattr(USUAL, its.name) == off.get(its.name, 0), its.name
    assert Settings((PLAN,)).variety == USUAL


@pytest.mark.parametrize("variety", [{"lenses": 3}, {"nose_depth": 2.0}, {"hands": 1e-9}])
def test_what_nobody_shows_changes_no_pixel(usual, variety):
    for number, sample in enumerate(usual):
        again = rendered(number, **variety)
        assert np.array_equal(again.pixels, sample.pixels)
        assert np.array_equal(again.points, sample.points)


def test_the_default_dataset_reads_what_it_read():
    # a draw that is taken from a stream of the default's, or given to it, moves these figures
    shown = [rendered(n, seed=2019) for n in range(3)]
    means = [float(celsius(sample).mean()) for sample in shown]
    assert means == pytest.approx(MEANS, abs=0.01)
    noses = np.array([sample.points[NOSE_BASE] for sample in shown])
    np.testing.assert_allclose(noses, NOSES, atol=0.01)


TEMPERATURES = ("nostrils", "lips", "breath", "eyes", "brows", "regions", "beard_depth")


@pytest.mark.parametrize(
    "variety", [{name: 2.0} for name in TEMPERATURES] + [{"warm_noses": 1.0}, {"cold_noses": 1.0}]
)
def test_temperatures_change_pixels_and_neither_the_moment_nor_the_landmarks(usual, variety):
    sample, again = usual[0], rendered(0, **variety)
    assert again.image_id == sample.image_id
    assert np.array_equal(again.points, sample.points)
    if "beard_depth" not in variety:
        assert not np.array_equal(again.pixels, sample.pixels)


def test_warm_noses_are_as_warm_as_the_face_and_cold_ones_are_not(face):
    body, skin = face.identity.body, face.warmth.skin
    tip = face.identity.septum, body.tip_y
    cheeks = np.mean([at(skin, x, 36) for x in (-44, 44)])
    warm = np.array([at(skin + m, *tip) for m in moods(face, warm_noses=1.0)])
    cold = np.array([at(skin + m, *tip) for m in moods(face, cold_noses=1.0, nose_depth=6.0)])
    assert np.mean(warm) > cheeks - 0.5
    assert warm.min() > cheeks - 2
    assert cold.max() < cheeks + 0.5
    assert cold.min() < cheeks - 3
    assert np.ptp(cold) > 3


def test_a_cold_nose_ends_where_the_cartilage_does(face):
    body = face.identity.body
    (mood,) = moods(face, 1, cold_noses=1.0, nose_depth=6.0)
    mood = mood + face.identity.nose_offset * face.masks.usual_nose  # what is taken away for it
    x, y = face.identity.septum, body.tip_y
    inside, outside = at(mood, x, y), at(mood, x + body.nose_breadth / 2 + 6, y)
    assert inside < -1
    assert abs(outside) < 0.1 * abs(inside)


def test_nostrils_lips_breath_eyes_and_brows_change_their_own_place(face):
    body, mouth = face.identity.body, face.mouth
    places = {
        "nostrils": (face.identity.septum + 0.62 * body.tip_width, body.subnasale_y - 1.6),
        "lips": (mouth.centre, body.mouth_y + 0.5 * body.lower_lip),
        "breath": (face.identity.septum, body.subnasale_y + 0.45 * body.philtrum),
        "eyes": face.identity.eyes[0],
        "brows": (-32.0, body.brow_y),
    }
    forehead = (0.0, -45.0)
    for name, place in places.items():
        changes = np.array([at(m, *place) for m in moods(face, **{name: 2.0})])
        others = [at(m, *forehead) for m in moods(face, 8, **{name: 2.0})]
        assert changes.std() > (0.04 if name == "brows" else 0.25), name  # thin ones hide little
        assert np.abs(others).max() < 0.02, name
    assert max(at(m, *places["nostrils"]) for m in moods(face, nostrils=2.0)) <= 0


def test_lips_are_darker_as_often_as_brighter(face):
    place = (face.mouth.centre, face.identity.body.mouth_y + 0.6 * face.identity.body.lower_lip)
    skin = face.warmth.skin
    around = at(skin, face.mouth.centre, face.identity.body.mouth_y + 20)
    brighter = [at(skin + m, *place) > around for m in moods(face, 100, lips=1.5)]
    assert 0.25 < np.mean(brighter) < 0.85


def test_the_skin_around_the_eyes_is_never_cooled(face):
    x, y = face.identity.eyes[0]
    changes = [at(m, x - 4, y + 6) for m in moods(face, regions=1.0)]
    assert np.mean(np.array(changes) < -0.6) < 0.25
    assert np.std(changes) > 0.3


def test_beards_are_given_to_men_and_are_cold():
    faces = [build_face(SEED, (1, n), gap=1.3, variety=Variety(beards=1.0)) for n in range(10)]
    for face in faces:
        person = face.identity
        assert (max(person.beard, person.moustache) >= 0.6) == (not person.female)
    bearded = next(face for face in faces if face.identity.beard > 0.6)
    chin = (0.0, bearded.identity.body.menton_y - 10)
    changes = np.array([at(m, *chin) for m in moods(bearded, beard_depth=4.0)])
    assert changes.max() <= 0
    assert changes.min() < -1.5


def test_lids_close_and_hang_as_asked():
    keys = [Key(SEED, 1, 0, 1, "baseline", index) for index in range(300)]
    open_eyes = Capture(strengths={"blink": 0.05, "gaze": 0.2})

    def blinks(**variety):
        moments = (vary(open_eyes, Variety(**variety), elevation=0.0, key=key) for key in keys)
        return np.array([moment.strengths["blink"] for moment in moments])

    assert (blinks() == 0.05).all()
    assert (blinks(closed_eyes=0.3) == 1).mean() == pytest.approx(0.3, abs=0.08)
    hanging = blinks(lids=0.4)
    assert hanging.max() < 1
    assert hanging.mean() == pytest.approx(0.4 * np.sqrt(2 / np.pi), abs=0.05)


def test_a_camera_below_the_face_sees_eyes_and_mouth_nearer_together():
    lines = []
    for height in (-12.0, 0.0, 12.0):
        points = rendered(1, elevation_mean=height).points[None]
        lines.append(float(face_measures(points, np.ones((1, 4)))["mouth_line"][0]))
    assert lines[0] > lines[2] + 0.05
    assert lines[1] > lines[2] + 0.05


def test_camera_heights_spread_as_asked_within_what_a_height_field_shows():
    rooms = [Key(SEED, 1, number, 1) for number in range(300)]
    variety = Variety(elevation_mean=4.0, elevation_sd=8.0)
    heights = np.array([draw_elevation(variety, room) for room in rooms])
    assert heights.mean() == pytest.approx(4, abs=1.5)
    assert heights.std() == pytest.approx(8, rel=0.15)
    for height in (-60.0, 60.0):
        moment = vary(Capture(), variety, elevation=height, key=rooms[0])
        assert moment.pitch == (ABOVE if height < 0 else BELOW)


def test_a_hand_hides_what_is_behind_it_from_both_cameras():
    plan = replace(PLAN, visible_ranges=(1,))
    hidden = 0
    for number in range(4):
        bare, held = (
            list(
                render_subject(
                    Settings((plan,), variety=Variety(hands=share)),
                    seed=SEED,
                    volume=1,
                    number=number,
                )
            )
            for share in (0.0, 1.0)
        )
        for before, after in zip(bare, held, strict=True):
            assert np.array_equal(before.points, after.points)
            assert not np.array_equal(before.pixels, after.pixels)
            hidden += int((before.visible & ~after.visible).sum())
    assert hidden > 2


def test_hands_come_as_often_as_asked(face):
    keys = [Key(SEED, 1, 0, 1, "baseline", index) for index in range(200)]
    share = np.mean([hold_hand(face, Variety(hands=0.2), key) is not None for key in keys])
    assert share == pytest.approx(0.2, abs=0.08)


def test_proportions_spread_as_asked():
    def heights(factor):
        people = [
            build_face(SEED, (1, n), gap=1.0, variety=Variety(proportions=factor)).identity.body
            for n in range(12)
        ]
        return np.array([body.subnasale_y for body in people])

    assert heights(1.5).std() > 1.2 * heights(1.0).std()


def test_both_kinds_of_camera_record_where_both_are_asked_for():
    names = [sample.pixels for sample in (rendered(n, uncooled=0.5) for n in range(6))]
    same = [np.array_equal(a, rendered(n).pixels) for n, a in enumerate(names)]
    assert set(same) == {True, False}


def test_exports_are_pictures_of_8_bits_saturated_at_both_ends():
    samples = [rendered(n, exports=1.0) for n in range(4)]
    for number, sample in enumerate(samples):
        assert sample.pixels.dtype == np.uint8
        assert np.array_equal(sample.points, rendered(number).points)
        assert sample.pixels.max() > 245
        assert sample.pixels.min() < 10


def test_a_picture_is_white_above_and_black_below_its_percentiles():
    counts = np.linspace(30000, 31000, 10_000).reshape(100, 100).astype(np.uint16)
    plain = Gain(black=10.0, white=5.0, equalised=0.0, detail=0.0, quality=100)
    picture = make_picture(counts, plain).ravel().astype(int)
    assert (picture >= 253).mean() == pytest.approx(0.05, abs=0.02)
    assert (picture <= 2).mean() == pytest.approx(0.10, abs=0.02)
    assert np.corrcoef(picture, counts.ravel())[0, 1] > 0.99


def test_as_many_pixels_of_an_export_are_white_as_asked():
    for number in range(3):
        picture = rendered(number, exports=1.0, exports_white=(30.0, 30.0)).pixels
        assert (picture > 245).mean() == pytest.approx(0.3, abs=0.08)


def test_white_is_white_at_the_highest_share_in_every_session():
    counts = np.linspace(30000, 31000, 40_000).reshape(200, 200).astype(np.uint16)
    most = next(its for its in fields(Variety) if its.name == "exports_white").metadata["high"]
    for session in range(40):
        gain = draw_gain((most, most), np.random.default_rng(session))
        smooth = replace(gain, detail=0.0, equalised=0.0, quality=100)
        picture = make_picture(counts, smooth)
        assert (picture >= 250).mean() == pytest.approx(most / 100, abs=0.02)
        assert (picture <= 5).mean() == pytest.approx(gain.black / 100, abs=0.02)
    with pytest.raises(ValueError, match=f"exports_white .* to {most:g}"):
        settings_from({"volumes": [{"subjects": 2}], "variety": {"exports_white": [1, most + 1]}})


def test_coarser_pixels_leave_an_image_its_size_and_take_its_detail():
    for coarser in (2, 3, 4):
        fine, coarse = rendered(1), rendered(1, coarser=coarser)
        assert fine.pixels.shape == coarse.pixels.shape
        assert np.array_equal(fine.points, coarse.points)
        middle = np.s_[60:-60, 61:-61]  # 180 x 128: phaseCorrelate is half a pixel off if it pads
        (x, y), _ = cv2.phaseCorrelate(
            *(celsius(s)[middle].astype(np.float64) for s in (fine, coarse))
        )
        assert max(abs(x), abs(y)) < 0.25  # px: nothing has moved
        edges = [np.abs(np.diff(celsius(s)[middle], axis=0)).mean() for s in (fine, coarse)]
        assert edges[1] < 0.8 * edges[0]


def test_glasses_are_given_to_as_many_people_as_asked():
    faces = [build_face(SEED, (1, n), gap=1.3, variety=Variety(spectacles=1.0)) for n in range(4)]
    assert all(face.glasses for face in faces)
    usual = [build_face(SEED, (1, n), gap=1.3) for n in range(4)]
    assert not all(face.glasses for face in usual)
    for dressed, bare in zip(faces, usual, strict=True):
        assert np.array_equal(dressed.height, bare.height)


PLAIN = Gain(black=0.1, white=0.1, equalised=0.0, detail=0.0, quality=100)


def test_equalisation_spreads_frequent_counts():
    rng = np.random.default_rng(1)
    counts = (30000 + 40 * rng.standard_normal((120, 100))).astype(np.uint16)
    counts[:, 50:] += 1500
    plain, equalised = (
        np.ptp(np.percentile(make_picture(counts, gain)[:, :40], (10, 90)))
        for gain in (PLAIN, replace(PLAIN, equalised=0.9))
    )
    assert equalised > 2 * plain


def test_detail_is_lifted_against_what_is_wide():
    rng = np.random.default_rng(1)
    wide = np.linspace(30000, 31500, 100) + np.zeros((120, 1))
    counts = (wide + 40 * rng.standard_normal(wide.shape)).astype(np.uint16)
    plain, lifted = (
        np.diff(make_picture(counts, gain).astype(float), axis=0).std()
        for gain in (PLAIN, replace(PLAIN, detail=2.0))
    )
    assert lifted > 2 * plain


def test_pictures_are_described_as_such(tmp_path):
    write_chunk(
        tmp_path / "chunk", settings(exports=0.5), seed=SEED, chunk=0, chunks=2, progress=False
    )
    images = tables.read(tmp_path / "chunk" / "images.parquet", IMAGES)
    assert set(images["bit_depth"]) == {8, 16}
    pictures = images[images["bit_depth"] == 8]
    assert set(pictures["scale"]) == {1 / 255}
    assert set(pictures["modality"]) == {"thermal"}


def test_variety_is_read_from_a_configuration_and_checked():
    block = {"volumes": [{"subjects": 2}], "variety": {"warm_noses": 0.4, "lips": 1}}
    assert settings_from(block).variety == Variety(warm_noses=0.4, lips=1.0)
    with pytest.raises(ValueError, match="unknown setting 'noses'"):
        settings_from({"volumes": [{"subjects": 2}], "variety": {"noses": 1}})
    with pytest.raises(ValueError, match=r"hands is 2\.0; give 0 to 1"):
        settings_from({"volumes": [{"subjects": 2}], "variety": {"hands": 2.0}})
    with pytest.raises(ValueError, match="give the smaller share first"):
        settings_from({"volumes": [{"subjects": 2}], "variety": {"exports_white": [9, 1]}})
    shares = {"warm_noses": 0.7, "cold_noses": 0.7}
    with pytest.raises(ValueError, match="together at most 1"):
        settings_from({"volumes": [{"subjects": 2}], "variety": shares})


def test_eyes_behind_a_hand_are_not_called_visible():
    eyes = [RIGHT_EYE, LEFT_EYE]
    seen = [rendered(n, hands=1.0).visible for n in range(12)]
    assert any(not visible[eyes].all() for visible in seen)
