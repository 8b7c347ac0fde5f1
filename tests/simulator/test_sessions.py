"""A person who comes again: another session, the same person."""

from dataclasses import replace

import numpy as np
import pytest

from thermalign.simulator.dataset import Settings, Volume, render_subject, settings_from
from thermalign.simulator.person.face import build_face

PLAN = Volume(2, ranges=(1, 3), baseline=1, expression=1, thermal_images=6)
SETTINGS = Settings((PLAN,))


def rendered(sessions, number=0):
    settings = replace(SETTINGS, volumes=(replace(PLAN, sessions=sessions),))
    return list(render_subject(settings, seed=5, volume=1, number=number))


@pytest.fixture(scope="module")
def once():
    return rendered(1)


@pytest.fixture(scope="module")
def twice():
    return rendered(2)


def test_the_first_session_is_the_same_whatever_comes_after(once, twice):
    assert len(twice) == 2 * len(once)
    for alone, first in zip(once, twice, strict=False):
        assert vars(alone).keys() == vars(first).keys()
        for name, value in vars(alone).items():
            np.testing.assert_array_equal(value, getattr(first, name), err_msg=name)
    assert {sample.session for sample in once} == {"1"}


def test_later_sessions_have_names_of_their_own(once, twice):
    later = twice[len(once) :]
    assert {sample.session for sample in later} == {"2"}
    assert later[0].image_id == "v1_s000_session2_r1_b00_thermal"
    assert later[0].moment == later[0].pair_id == "v1_s000_session2_r1_b00"
    assert len({sample.image_id for sample in twice}) == len(twice)
    assert not {sample.moment for sample in once} & {sample.moment for sample in later}
    assert {sample.subject_id for sample in twice} == {"v1_s000"}


def test_every_image_of_a_later_session_is_another_one(once, twice):
    later = twice[len(once) :]
    for first, second in zip(once, later, strict=True):
        assert (first.modality, first.condition) == (second.modality, second.condition)
        assert not np.array_equal(first.pixels, second.pixels)


def test_a_person_keeps_the_face_and_changes_the_hair():
    first, again, second, third = (
        build_face(5, (1, 1), gap=1.3, session=session) for session in (1, 1, 2, 3)
    )
    np.testing.assert_array_equal(first.warmth.skin, again.warmth.skin)
    np.testing.assert_array_equal(first.landmarks, second.landmarks)
    assert first.identity.hair == second.identity.hair
    strands = [face.warmth.strand for face in (first, second, third)]
    assert not np.array_equal(strands[0], strands[1])
    assert not np.array_equal(strands[1], strands[2])
    assert first.warmth.insulation.max() != second.warmth.insulation.max()  # longer or shorter


def test_beards_grow_and_are_trimmed_where_there_are_any():
    faces = [[build_face(5, (1, n), gap=1.3, session=s) for s in (1, 2)] for n in range(6)]
    for first, second in faces:
        assert (first.identity.beard == 0) == (second.identity.beard == 0)
        assert 0 <= second.identity.beard <= 1
    assert any(a.identity.beard != b.identity.beard for a, b in faces)


def test_counts_are_of_every_session():
    assert Volume(2, sessions=3, baseline=1, expression=1).frames() == [1] * 18
    spread = Volume(2, ranges=(1,), sessions=2, baseline=1, expression=1, thermal_images=3)
    assert spread.frames() == [1, 2, 1, 2]  # 3 images a session over 2 samples


def test_no_session_at_all_is_refused():
    block = {"subjects": 2, "sessions": 0}
    with pytest.raises(ValueError, match="sessions is 0; give at least 1"):
        settings_from({"volumes": [block]})
    enough = {"subjects": 2, "sessions": 2, "ranges": [1], "thermal_images": 8}
    assert settings_from({"volumes": [enough]}).volumes[0].sessions == 2
