"""Matchers by their parts, on made-up aligned faces."""

import numpy as np
import pandas as pd
import pytest
import torch

from thermalign.verification.descriptors import Descriptors
from thermalign.verification.enrolment import WHOLE
from thermalign.verification.matcher import Settings, enrol, fit_mapping
from thermalign.verification.matcher_state import read_matcher, save_matcher
from thermalign.verification.stored import quantise

TRAIN, TEST = ("t1", "t2", "t3"), ("s1", "s2", "s3", "s4")
SETTINGS = {
    "mapping": "none",
    "classifier": "pls",
    "negatives": "published",
    "cross_examples": 2,
    "components": 3,
    "dog": {},
    "features": {},
    "dpm": {"epochs": 1, "hidden": 8, "components": 8},
    "gallery": {"modality": "visible", "conditions": ["baseline"]},
    "probe": {"modality": "thermal", "conditions": []},
    "same_moment": ["keep"],
}
METADATA = {"settings": "{}", "code": "x"}


def face(subject, modality, condition):
    """Return a smooth face of a person; thermal is the visible one of inverted contrast."""
    rng = np.random.default_rng([len(TEST + TRAIN), (TEST + TRAIN).index(subject)])
    waves = rng.uniform(-1, 1, (6, 4))
    y, x = np.mgrid[:64, :56] / 16
    image = sum(np.sin(a * 3 * x + b * 3 * y + 6 * c) * d for a, b, c, d in waves)
    other = np.random.default_rng([99, *map(ord, subject + condition)]).normal(0, 0.1, image.shape)
    return (image if modality == "visible" else 300 - image) + other


@pytest.fixture(scope="module")
def fold():
    """Return the rows and the FACES of a fold of seven people in two modalities and conditions."""
    rows, faces = [], []
    for subject in TRAIN + TEST:
        for modality in ("visible", "thermal"):
            for condition in ("baseline", "expression"):
                name = f"{subject}_{modality}_{condition}"
                pixels, scale, offset = quantise(face(subject, modality, condition))
                faces.append((name, 56, 64, scale, offset, pixels))
                role = "test" if subject in TEST else "validation" if subject == "t3" else "train"
                moment = f"{subject}_{condition}"
                rows.append((name, subject, modality, condition, moment, moment, role))
    names = ["image_id", "subject_id", "modality", "condition", "pair_id", "moment", "role"]
    columns = ["image_id", "width", "height", "scale", "offset", "pixels"]
    return pd.DataFrame(rows, columns=names), pd.DataFrame(faces, columns=columns)


def descriptors(fold):
    return Descriptors.of_table(fold[1], Settings.of(SETTINGS).descriptors)


def made(fold, *, permutation=0, **changes):
    """Return a matcher of changed settings and the scores of its thermal probes."""
    rows, faces = fold
    settings = Settings.of(SETTINGS | changes)
    described = Descriptors.of_table(faces, settings.descriptors)
    mapping = fit_mapping(rows, described, settings.mapping, seed=1)
    matcher = enrol(rows, described, mapping, settings, seed=[2, 0], permutation=permutation)
    probes = rows.query("role == 'test' and modality == 'thermal'")
    return matcher, whole(matcher, described.of(list(probes["image_id"]))), probes


def whole(matcher, descriptors):
    """Return the scores of thermal probes that all meet the whole gallery."""
    return matcher.score(descriptors, "thermal", np.full(len(descriptors), WHOLE))


@pytest.mark.parametrize("classifier", ["pls", "cosine"])
@pytest.mark.parametrize("mapping", ["none", "centring", "dpm"])
def test_what_is_read_back_scores_alike(fold, tmp_path, mapping, classifier):
    matcher, scores, probes = made(fold, mapping=mapping, classifier=classifier)
    save_matcher(tmp_path / "matcher.safetensors", matcher, METADATA)
    again = read_matcher(tmp_path / "matcher.safetensors")
    described = descriptors(fold).of(list(probes["image_id"]))
    np.testing.assert_array_equal(whole(again, described), scores)
    assert (again.subjects, again.fitted_on()) == (TEST, matcher.fitted_on())
    assert scores.shape == (8, 4)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("mapping", ["none", "centring", "dpm"])
def test_nothing_is_fitted_to_a_test_subject(fold, mapping):
    matcher, _, _ = made(fold, mapping=mapping)
    assert matcher.fitted_on() == set(TRAIN)  # cross-examples come from validation too


def test_a_cosine_has_no_cross_examples(fold):
    assert made(fold, classifier="cosine")[0].fitted_on() == set()


def test_centring_sees_training_subjects_alone(fold):
    matcher, _, _ = made(fold, mapping="centring", classifier="cosine")
    assert matcher.fitted_on() == {"t1", "t2"}


def test_pls_does_not_see_the_shift_that_a_cosine_needs(fold):
    rows = fold[0]
    settings = Settings.of(SETTINGS | {"mapping": "dpm"})
    described = descriptors(fold)
    mapping = fit_mapping(rows, described, settings.mapping, seed=1)
    shifted = type(mapping)("dpm", {**mapping.tensors}, mapping.subjects)
    probes = described.of(list(rows.query("role == 'test' and modality == 'thermal'")["image_id"]))
    first = whole(enrol(rows, described, mapping, settings, seed=[2, 0]), probes)
    thermal = mapping.apply(probes, "thermal")
    np.testing.assert_allclose(
        thermal + mapping.tensors["mean"].flatten().numpy(),
        probes.flatten(1).numpy(),
        atol=1e-6,
    )
    again = whole(enrol(rows, described, shifted, settings, seed=[2, 0]), probes)
    np.testing.assert_array_equal(first, again)


def test_permuting_enrols_the_same_images_under_other_names(fold):
    plain, _, _ = made(fold, classifier="cosine")
    other, _, _ = made(fold, classifier="cosine", permutation=1)
    assert plain.subjects == other.subjects
    again, _, _ = made(fold, classifier="cosine", permutation=1)
    first, second, third = (m.galleries[WHOLE].templates for m in (plain, other, again))
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(second, third)
    # one image each: the templates are the same, differently assigned
    np.testing.assert_allclose(first[np.lexsort(first.T)], second[np.lexsort(second.T)])


def test_a_known_person_is_found_through_inverted_contrast_once_it_is_mapped(fold):
    _, scores, probes = made(fold, mapping="dpm", dpm={"epochs": 60, "patience": 60})
    own = np.array([TEST.index(s) for s in probes["subject_id"]])
    assert (scores.argmax(axis=1) == own).mean() >= 0.5
    raw = made(fold, mapping="none", classifier="cosine")[1]
    assert (scores.argmax(axis=1) == own).mean() > (raw.argmax(axis=1) == own).mean()


def test_an_image_is_described_once_whoever_asks(fold, monkeypatch):
    described = descriptors(fold)
    names = list(fold[0]["image_id"][:5])
    first = described.of(names)
    monkeypatch.setattr("thermalign.verification.descriptors.describe", None)
    torch.testing.assert_close(described.of(names[::-1]), first.flip(0))


def test_an_empty_gallery_is_named(fold):
    words = (
        r"gallery: conditions: \['pose'\] selects no visible image.*\['baseline', 'expression'\]"
    )
    with pytest.raises(ValueError, match=words):
        made(fold, gallery={"modality": "visible", "conditions": ["pose"]})
    rows, faces = fold
    thermal = faces[faces["image_id"].str.contains("thermal")]
    with pytest.raises(ValueError, match=r"gallery.*selects no annotated image"):
        made((rows, thermal))


def test_one_modality_alone_cannot_be_mapped(fold):
    thermal = fold[0].query("modality == 'thermal'")
    for mapping, words in (("dpm", "joined by pair_id"), ("centring", "no visible training image")):
        settings = Settings.of(SETTINGS | {"mapping": mapping})
        with pytest.raises(ValueError, match=words):
            fit_mapping(thermal, descriptors(fold), settings.mapping, seed=1)
