"""Caps: who owns one, what it hides, how warm it is, and what it leaves alone."""

import numpy as np
import pytest

from thermalign.geometry import LEFT_EYE, RIGHT_EYE
from thermalign.simulator.person.face import build_face
from thermalign.simulator.person.headwear import KNITTED, OWNERS, draw_fabric
from thermalign.simulator.person.peak import Peak, behind_peak, peak_shadow, see_peak
from thermalign.simulator.person.temperature import draw_session
from thermalign.simulator.physics.camera import Camera
from thermalign.simulator.physics.capture import rotation
from thermalign.simulator.physics.fields import ORIGIN_Y, SHAPE, X, Y, level_pixels
from thermalign.simulator.physics.seeds import Purpose, stream
from thermalign.simulator.recording import render_subject
from thermalign.simulator.scene.framing import THERMAL_PLACES
from thermalign.simulator.settings import Settings, Volume, settings_from

SEED = 5
PEAK = Peak(y=-40.0, z=0.0, half_width=70.0, length=65.0, colour=np.full(3, 0.1))


def owner(*, knitted):
    for number in range(200):
        fabric = draw_fabric(stream(SEED, Purpose.HEADWEAR, (1, number)))
        if fabric and fabric.knitted == knitted:
            return number
    raise AssertionError


@pytest.fixture(scope="module", params=[True, False], ids=["knitted", "peaked"])
def pair(request):
    """The same person without and with a cap."""
    number = owner(knitted=request.param)
    return [build_face(SEED, (1, number), gap=1.0, caps=caps) for caps in (False, True)]


def camera(yaw=0.0, pitch=0.0):
    place = THERMAL_PLACES[1]
    turn = rotation(yaw, pitch, 0)
    return Camera(turn, place.distance, place.scale, (100.0, 102.0), (250, 200))


def below(face, margin):
    """Return the rows more than ``margin`` mm below the brows."""
    return np.s_[round(level_pixels(face.identity.body.brow_y + margin, ORIGIN_Y, 0)) :]


def test_about_a_quarter_own_a_cap_half_of_them_knitted():
    fabrics = [draw_fabric(stream(0, Purpose.HEADWEAR, (1, n))) for n in range(1500)]
    owned = [fabric for fabric in fabrics if fabric]
    assert len(owned) / len(fabrics) == pytest.approx(OWNERS, abs=0.035)
    assert np.mean([fabric.knitted for fabric in owned]) == pytest.approx(KNITTED, abs=0.08)
    assert all((fabric.peak == 0) == fabric.knitted for fabric in owned)


def test_nobody_wears_a_cap_unless_told_to():
    number = owner(knitted=False)
    assert build_face(SEED, (1, number), gap=1.0).peak is None
    assert Settings(()).caps is False
    assert settings_from({"volumes": [{"subjects": 1}], "caps": True}).caps is True


def test_who_owns_no_cap_looks_the_same_with_caps_allowed():
    number = next(n for n in range(99) if not draw_fabric(stream(SEED, Purpose.HEADWEAR, (1, n))))
    without, allowed = (build_face(SEED, (1, number), gap=1.0, caps=c) for c in (False, True))
    assert np.array_equal(without.height, allowed.height)
    assert np.array_equal(without.albedo, allowed.albedo)
    assert np.array_equal(without.warmth.skin, allowed.warmth.skin)


def test_a_cap_changes_nothing_of_a_face_below_the_brows(pair):
    bare, worn = pair
    assert np.array_equal(bare.landmarks, worn.landmarks)
    assert all(np.array_equal(bare.bases[name], worn.bases[name]) for name in bare.bases)
    face = np.s_[below(bare, 26), 160:288]  # 40 mm to both sides
    rows = face[0], face[1]
    np.testing.assert_allclose(bare.root[rows], worn.root[rows])
    count = 0.01  # K; a cap warms what is near it by less than a camera can tell
    np.testing.assert_allclose(bare.warmth.skin[rows], worn.warmth.skin[rows], rtol=0, atol=count)
    half = slice(face[0].start // 2 + 1, None), slice(80, 144)
    assert np.abs(bare.relief[half] - worn.relief[half]).max() < 1e-5


def test_a_cap_is_colder_than_the_forehead_it_hides(pair):
    bare, worn = (draw_session(face.warmth, (22.0, 0.0), np.random.default_rng(1)) for face in pair)
    top = pair[0].identity.body.brow_y - 30
    part = np.s_[
        round(level_pixels(top - 6, ORIGIN_Y, 0)) : round(level_pixels(top, ORIGIN_Y, 0)), 190:258
    ]
    assert worn.surface[part].mean() < bare.surface[part].mean() - 2
    assert worn.surface[part].min() > worn.ambient


def test_the_edge_of_a_cap_is_warmer_than_its_top(pair):
    worn = pair[1]
    cloth, column = worn.warmth.cloth, SHAPE[1] // 2
    above = np.flatnonzero(cloth[: below(worn, 0).start, column] > 0.3)
    assert cloth[above[-1] - 1, column] < cloth[above[-1] - 40, column] - 0.1


def test_no_hair_grows_through_a_cap(pair):
    worn = pair[1]
    top = worn.identity.body.vertex_y + 30
    rows = slice(0, round(level_pixels(top, ORIGIN_Y, 0)))
    assert worn.warmth.insulation[rows, 150:298].max() == 0
    assert worn.silhouette.veil[: rows.stop // 2].min() == 1


def test_a_frontal_peak_lies_above_the_eyes_and_follows_the_head():
    cover = [see_peak(PEAK, camera(yaw=yaw)) for yaw in (-15, 0, 15)]
    middles = []
    for seen in cover:
        rows, columns = seen.part
        weights = seen.cover.sum(0)
        middles.append(columns.start + np.average(np.arange(weights.size), weights=weights))
        assert rows.start + np.flatnonzero(seen.cover.max(1) > 0.5).max() < 102 - 8
    assert middles[0] < 85
    assert middles[1] == pytest.approx(100, abs=2)
    assert middles[2] > 115


def test_a_peak_is_where_its_sheet_projects():
    view = camera(yaw=9, pitch=-5)
    seen = see_peak(PEAK, view)
    x, z = 20.0, 30.0
    y = PEAK.y + 17.0 * (x / PEAK.half_width) ** 2 + 0.34 * z
    column, row = view.project(np.array([[x, y, z]]))[0]
    rows, columns = seen.part
    across = seen.across[round(row) - rows.start, round(column) - columns.start]
    assert across == pytest.approx(x, abs=0.6)


def test_a_bowed_head_hides_its_eyes_behind_the_peak():
    eyes = np.array([[-32.0, 0, -12], [32.0, 0, -12], [0, 45, 0]])
    hidden = {}
    for pitch in (-22, 0, 22):
        view = camera(pitch=pitch)
        hidden[pitch] = behind_peak(PEAK, view, view.project(eyes)).tolist()
    assert hidden[0] == [False, False, False]
    assert sorted(hidden.values()).count([True, True, False]) == 1


def test_light_from_above_leaves_the_eyes_in_the_shadow_of_the_peak():
    ground = np.full((SHAPE[0] // 4, SHAPE[1] // 4), -5.0, np.float32)
    eye, chin = (round(level_pixels(y, ORIGIN_Y, 2)) for y in (-5.0, 110.0))
    middle = SHAPE[1] // 8
    high = peak_shadow(PEAK, ground, np.array([0, -0.71, 0.71]))
    level = peak_shadow(PEAK, ground, np.array([0, 0.0, 1.0]))
    assert high[eye, middle] > 0.9
    assert high[chin, middle] == 0
    assert level[eye, middle] < 0.1


def test_a_worn_cap_shows_in_both_cameras_and_flags_no_open_landmark():
    number = owner(knitted=False)
    plan = (Volume(200, ranges=(1,), baseline=1, expression=0),)
    bare, worn = (
        list(render_subject(Settings(plan, caps=caps), seed=SEED, volume=1, number=number))
        for caps in (False, True)
    )
    for without, capped in zip(bare, worn, strict=True):
        assert np.array_equal(without.points, capped.points)
        x, y = capped.points[[RIGHT_EYE, LEFT_EYE]].mean(0)
        above = np.s_[int(y) - 70 : int(y) - 40, int(x) - 20 : int(x) + 20]
        change = capped.pixels[above].astype(float) - without.pixels[above]
        assert np.abs(change).mean() > (200 if capped.modality == "thermal" else 5)
        assert capped.visible[[2, 3, 4]].all()


def test_sides_of_a_cap_stay_on_the_grid(pair):
    worn = pair[1]
    assert worn.height.max() < 34  # where the rays start
    assert worn.warmth.cloth.max() <= 1
    assert np.abs(X).max() > 100 > np.abs(Y).min()
