"""Who meets whom: moments, partial galleries and selections, on images named by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from thermalign.settings import parse
from thermalign.verification import matcher, pls
from thermalign.verification.enrolment import (
    NONE,
    PARTS,
    WHOLE,
    Enrolment,
    Selection,
    gallery_of,
    probes_of,
)
from thermalign.verification.matcher import NO_MAPPING, Settings, enrol, score_probes
from thermalign.verification.matcher_state import read_matcher, save_matcher
from thermalign.verification.readings import by_reading

BOTH = ["exclude", "keep"]
KNOWN = ["image_id", "subject_id", "moment", "modality", "condition", "range", "session", "role"]


def rows(moments, modality="visible", *, frames=1, role="test", **known):
    """Return IMAGES with ``role``: of each person, so many moments, each of so many frames."""
    fixed = {"condition": "baseline", "range": 1, "session": "1", "role": role, **known}
    table = [
        {
            "image_id": f"{s}{k}_{modality[0]}{f or ''}",
            "subject_id": s,
            "moment": f"{s}{k}",
            "modality": modality,
            **fixed,
        }
        for s, count in moments.items()
        for k in range(count)
        for f in range(frames)
    ]
    return pd.DataFrame(table, columns=KNOWN)


def enrolled(gallery, probes, readings=BOTH):
    return Enrolment.of(gallery, probes, list(readings))


def held(enrolment, gallery):
    return set(enrolment.rows.loc[enrolment.holds(gallery), "moment"])


def test_four_moments_each_are_left_out_in_turn():
    people = {"a": 4, "b": 4}
    made = enrolled(rows(people), rows(people, "thermal"))
    assert made.galleries == [1, 2, 3, 4]
    assert held(made, WHOLE) == {f"{s}{k}" for s in "ab" for k in range(4)}
    for k in range(4):
        assert held(made, k + 1) == held(made, WHOLE) - {f"a{k}", f"b{k}"}
    probes = rows(people, "thermal", frames=2)  # a later frame is of its sample's moment
    assert made.met_by(probes, "exclude").tolist() == [1, 1, 2, 2, 3, 3, 4, 4] * 2
    assert set(made.met_by(probes, "keep")) == {WHOLE}


@pytest.mark.parametrize("counts", [(4, 4, 4), (1, 2, 3), (5, 6, 9), (7, 1, 4)])
def test_no_gallery_that_a_probe_meets_has_an_image_of_its_moment(counts):
    people = dict(zip("abc", counts, strict=True))
    gallery = rows(people, frames=2)
    probes = pd.concat([rows(people, "thermal"), rows({"a": 12}, "thermal").iloc[9:]])
    made = enrolled(gallery, probes)
    for moment, met in zip(probes["moment"], made.met_by(probes, "exclude"), strict=True):
        if met == NONE:
            assert counts["abc".index(moment[0])] == 1  # nothing else is enrolled of that person
        else:
            assert moment not in held(made, met)


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_everybody_lacks_equally_much_in_every_gallery(count):
    people = {"a": count, "b": count}
    made = enrolled(rows(people), rows(people, "thermal"))
    for gallery in made.galleries:
        kept = made.rows[made.holds(gallery)].groupby("subject_id").size()
        assert kept.to_dict() == dict.fromkeys("ab", count - max(1, count // PARTS))


def test_other_probes_meet_galleries_of_the_same_sizes_drawn_by_their_moment_alone():
    gallery = rows({"a": 4, "b": 4})
    own, others = rows({"a": 4}, "thermal"), rows({"c": 200}, "thermal")
    made = enrolled(gallery, own)
    met = made.met_by(others, "exclude")
    share = np.bincount(met, minlength=5)[1:] / 200
    assert (np.abs(share - 0.25) < 0.1).all()
    np.testing.assert_array_equal(made.met_by(others.iloc[::-1], "exclude")[::-1], met)


def test_readings_coincide_where_no_probe_shares_a_moment():
    gallery, probes = rows({"a": 4, "b": 4}), rows({"a": 9}, "thermal").iloc[4:]
    made = enrolled(gallery, probes)
    assert made.galleries == [WHOLE]
    assert set(made.met_by(probes, "exclude")) == {WHOLE}
    assert not enrolled(gallery, rows({"a": 4}, "thermal"), ["keep"]).partial


def test_moments_of_the_same_name_are_of_each_person_alone():
    gallery = rows({"a": 2, "b": 2}).assign(moment=["1", "2", "3", "4"])
    probe = rows({"b": 1}, "thermal").assign(moment="1")
    assert not enrolled(gallery, probe).partial


def test_nobody_left_to_compare_is_refused():
    people = {"a": 1, "b": 1}
    with pytest.raises(ValueError, match=r"exclude leaves no probe.*enrol more images"):
        enrolled(rows(people), rows(people, "thermal"))


class Vectors:
    """Descriptors set by hand: every image of the table has one."""

    def __init__(self, made):
        self.made = made

    def have(self, image_ids):
        return np.asarray(image_ids.isin(self.made))

    def of(self, image_ids):
        return torch.stack([torch.tensor(self.made[i]).float()[None, None] for i in image_ids])


SETTINGS = {
    "mapping": "none",
    "classifier": "cosine",
    "negatives": "published",
    "cross_examples": 2,
    "components": 2,
    "dog": {},
    "features": {},
    "gallery": {"modality": "visible"},
    "probe": {"modality": "thermal"},
    "same_moment": BOTH,
}


def compared(table, vectors, **changes):
    """Return the matcher, and SCORES of the thermal probes by reading, probe and person."""
    settings, described = Settings.of(SETTINGS | changes), Vectors(vectors)
    matcher = enrol(table, described, NO_MAPPING, settings, seed=[1, 0])
    probes = probes_of(table, settings.probe, matcher.enrolment.images)
    made = score_probes(matcher, probes, described, readings=settings.same_moment)
    return matcher, made.set_index(["same_moment", "probe_id", "gallery_id"])["score"]


def instants():
    """Two people of two moments; a's probe of a0 equals a's enrolled image of that moment."""
    table = pd.concat([rows({"a": 2, "b": 2}), rows({"a": 1}, "thermal")])
    vectors = {"a0_v": [1.0, 0, 0], "a1_v": [0, 1.0, 0], "a0_t": [1.0, 0, 0]}
    return table, vectors | {"b0_v": [0.4, 0, np.sqrt(0.84)], "b1_v": [0.4, 0, -np.sqrt(0.84)]}


def test_a_probe_like_its_own_instant_alone_wins_under_keep_and_not_under_exclude():
    _, scores = compared(*instants())
    keep, exclude = scores["keep"]["a0_t"], scores["exclude"]["a0_t"]
    assert keep.to_dict() == pytest.approx({"a": 0.5, "b": 0.4})  # mean cosines of two images each
    assert exclude.to_dict() == pytest.approx({"a": 0.0, "b": 0.4})  # of one image each


def test_a_probe_without_a_face_matches_nobody_under_either():
    table, vectors = instants()
    del vectors["a0_t"]
    _, scores = compared(table, vectors)
    assert len(scores) == 4
    assert (scores == -np.inf).all()


def test_a_probe_of_the_only_enrolled_moment_is_none_under_exclude():
    table = pd.concat([rows({"a": 1, "b": 2}), rows({"a": 1, "b": 1}, "thermal")])
    drawn = np.random.default_rng(1)
    _, scores = compared(table, {i: drawn.normal(size=3) for i in table["image_id"]})
    assert set(scores["keep"].index.get_level_values("probe_id")) == {"a0_t", "b0_t"}
    assert set(scores["exclude"].index.get_level_values("probe_id")) == {"b0_t"}


@pytest.mark.parametrize("classifier", ["pls", "cosine"])
def test_an_image_of_the_probes_moment_weighs_nothing_not_even_as_a_negative(classifier):
    people = {"a": 4, "b": 4, "c": 4}
    table = pd.concat(
        [rows(people), rows(people, "thermal"), rows({"t": 3}, "thermal", role="train")]
    )
    drawn = np.random.default_rng(2)
    vectors = {i: drawn.normal(size=6) for i in table["image_id"]}
    _, before = compared(table, vectors, classifier=classifier)
    _, after = compared(table, vectors | {"a2_v": drawn.normal(size=6)}, classifier=classifier)
    same = np.isclose(before["exclude"]["a2_t"], after["exclude"]["a2_t"], atol=1e-9)
    assert same.all()
    assert not np.isclose(before["keep"]["a2_t"], after["keep"]["a2_t"]).all()
    changed = ~np.isclose(before["exclude"], after["exclude"], atol=1e-9)
    others = before["exclude"].index.get_level_values("probe_id")[changed]
    assert set(others.str[1]) == {"0", "1", "3"}  # whose gallery has a2


@pytest.mark.parametrize("classifier", ["pls", "cosine"])
def test_faces_enrolled_and_scored_in_parts_score_as_all_at_once(monkeypatch, classifier):
    people = {"a": 4, "b": 4, "c": 4}
    table = pd.concat(
        [rows(people), rows(people, "thermal"), rows({"t": 3}, "thermal", role="train")]
    )
    drawn = np.random.default_rng(6)
    vectors = {i: drawn.normal(size=6) for i in table["image_id"] if i != "b1_t"}
    _, whole = compared(table, vectors, classifier=classifier)
    monkeypatch.setattr(matcher, "AT_ONCE", 5)
    monkeypatch.setattr(pls, "AT_ONCE", 2)
    _, parts = compared(table, vectors, classifier=classifier)
    pd.testing.assert_series_equal(parts, whole, rtol=1e-9)


def test_the_headline_alone_is_scored_where_readings_coincide():
    table = pd.concat([rows({"a": 2, "b": 2}), rows({"a": 4}, "thermal").iloc[2:]])
    drawn = np.random.default_rng(3)
    matcher, scores = compared(table, {i: drawn.normal(size=3) for i in table["image_id"]})
    assert set(scores.index.get_level_values("same_moment")) == {"exclude"}
    assert list(matcher.galleries) == [WHOLE]


def test_galleries_of_the_same_images_share_one_model_also_when_read_back(tmp_path):
    people = {"a": 2, "b": 2, "c": 1}
    table = pd.concat([rows(people), rows(people, "thermal")])
    drawn = np.random.default_rng(7)
    vectors = {i: drawn.normal(size=3) for i in table["image_id"]}
    made, _ = compared(table, vectors)
    save_matcher(tmp_path / "matcher.safetensors", made, {"settings": "{}"})
    again = read_matcher(tmp_path / "matcher.safetensors")
    for its in (made, again):
        assert its.galleries[1] is its.galleries[3]
        assert its.galleries[2] is its.galleries[4]
        assert len({id(model) for model in its.galleries.values()}) == 3  # and all images
    for gallery, model in made.galleries.items():
        for one, other in zip(model, again.galleries[gallery], strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_shuffled_gallery_keeps_what_each_person_has_in_every_part():
    people = {"a": 4, "b": 4}
    table = pd.concat([rows(people), rows(people, "thermal")])
    drawn = np.random.default_rng(4)
    described = Vectors({i: drawn.normal(size=3) for i in table["image_id"]})
    settings = Settings.of(SETTINGS)
    plain, shuffled = (
        enrol(table, described, NO_MAPPING, settings, seed=[1, 0], permutation=k) for k in (0, 1)
    )
    assert sorted(shuffled.galleries) == [WHOLE, 1, 2, 3, 4]
    for gallery, model in shuffled.galleries.items():
        # the same images in all, so that two templates of as many images have the same sum
        own = plain.galleries[gallery].templates
        np.testing.assert_allclose(model.templates.sum(0), own.sum(0))
    assert not np.allclose(shuffled.galleries[1].templates, plain.galleries[1].templates)


def selection(**wanted):
    return parse(Selection, wanted, "probe")


SELECTIONS = [
    ({"conditions": ["expression"]}, ["a1"]),
    ({"ranges": [2]}, ["a2"]),
    ({"sessions": ["2"]}, ["a3"]),
    ({"sessions": ["1"], "ranges": [1]}, ["a0", "a1"]),
    ({"conditions": [], "ranges": [], "sessions": []}, ["a0", "a1", "a2", "a3"]),
    ({}, ["a0", "a1", "a2", "a3"]),
]


@pytest.mark.parametrize(("wanted", "chosen"), SELECTIONS)
def test_probes_and_gallery_are_selected_by_condition_range_and_session(wanted, chosen):
    differing = {
        "condition": ["baseline", "expression", "baseline", "baseline"],
        "range": [1, 1, 2, 1],
        "session": ["1", "1", "1", "2"],
    }
    table = pd.concat(
        [rows({"a": 4}).assign(**differing), rows({"a": 4}, "thermal").assign(**differing)]
    )
    visible, thermal = (selection(modality=m, **wanted) for m in ("visible", "thermal"))
    assert gallery_of(table, visible)["moment"].tolist() == chosen
    assert probes_of(table, thermal, [])["moment"].tolist() == chosen


def test_a_gallery_of_so_many_images_is_drawn_and_nested():
    table = rows({"a": 6, "b": 6, "c": 1})

    def drawn(count, seed=1):
        return gallery_of(table, Selection("visible", images=count, seed=seed))

    one, two = drawn(1), drawn(2)
    assert one.groupby("subject_id").size().to_dict() == {"a": 1, "b": 1, "c": 1}
    assert two.groupby("subject_id").size().to_dict() == {"a": 2, "b": 2, "c": 1}
    assert set(one["image_id"]) < set(two["image_id"])
    assert any(set(drawn(1, seed)["image_id"]) != set(one["image_id"]) for seed in range(2, 6))


@pytest.mark.parametrize(
    ("role", "wanted", "words"),
    [
        ("gallery", {"conditions": ["pose"]}, r"gallery: conditions: \['pose'\].*\['baseline'\]"),
        ("probe", {"ranges": [3]}, r"probe: ranges: \[3\] selects no visible.*ranges: \[1\]"),
        ("probe", {"sessions": ["2"]}, r"probe: sessions: \['2'\].*they have sessions: \['1'\]"),
        ("probe", {"modality": "thermal"}, r"probe: modality: no test image is thermal.*visible"),
    ],
)
def test_a_selection_of_nothing_names_its_key_and_what_there_is(role, wanted, words):
    select = {"gallery": gallery_of, "probe": lambda *given: probes_of(*given, [])}[role]
    with pytest.raises(ValueError, match=words):
        select(rows({"a": 2}), selection(**{"modality": "visible", **wanted}))


def test_a_selection_that_each_key_alone_allows_names_them_all():
    table = rows({"a": 2}).assign(condition=["baseline", "expression"], range=[1, 2])
    wanted = Selection("visible", conditions=("baseline",), ranges=(2,))
    with pytest.raises(
        ValueError, match=r"conditions: \['baseline'\] and ranges: \[2\] selects no"
    ):
        probes_of(table, wanted, [])


def test_probes_that_are_all_enrolled_are_refused():
    table = rows({"a": 2})
    with pytest.raises(ValueError, match=r"probe: all 2 images .* are enrolled"):
        probes_of(table, Selection("visible"), list(table["image_id"]))


def test_the_first_reading_is_the_headline_and_has_no_name():
    settings = Settings.of(SETTINGS | {"same_moment": ["keep", "exclude"]})
    assert settings.headline == "keep"
    assert settings.headline_only().same_moment == ("keep",)
    table = pd.DataFrame({"same_moment": ["exclude", "keep"], "score": [1.0, 2.0]})
    assert [m for m, _ in by_reading(table, "exclude")] == ["", "keep"]
    assert [m for m, _ in by_reading(table, "keep")] == ["exclude", ""]
