import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from thermalign.verification.cosine import Model, score, templates

RNG = np.random.default_rng(0)
GALLERY, LABELS = RNG.normal(size=(7, 5)), np.array([0, 1, 2, 0, 1, 2, 2])
PROBES = RNG.normal(size=(4, 5))


def scores(gallery, labels, probes):
    return score(Model(templates(gallery, labels)), probes)


def test_a_score_is_the_mean_cosine_with_the_images_of_a_subject():
    each = cosine_similarity(PROBES, GALLERY)
    expected = np.stack([each[:, s == LABELS].mean(axis=1) for s in range(3)], axis=1)
    np.testing.assert_allclose(scores(GALLERY, LABELS, PROBES), expected)


def test_lengths_do_not_matter():
    longer = GALLERY * np.arange(1, 8)[:, None]
    np.testing.assert_allclose(scores(longer, LABELS, 5 * PROBES), scores(GALLERY, LABELS, PROBES))


def test_the_only_image_of_a_subject_matches_itself_fully():
    assert scores(GALLERY[:2], np.array([1, 0]), GALLERY[:1])[0, 1] == pytest.approx(1)


def test_a_face_without_gradients_is_like_nobody():
    assert scores(GALLERY, LABELS, np.zeros((1, 5))).tolist() == [[0, 0, 0]]


def test_a_subject_without_images_is_refused():
    with pytest.raises(ValueError, match="no gap"):
        templates(GALLERY[:2], np.array([0, 2]))
