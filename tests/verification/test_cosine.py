import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from thermalign.verification.cosine import enrol, score

RNG = np.random.default_rng(0)
GALLERY, LABELS = RNG.normal(size=(7, 5)), np.array([0, 1, 2, 0, 1, 2, 2])
PROBES = RNG.normal(size=(4, 5))


def test_a_score_is_the_mean_cosine_with_the_images_of_a_subject():
    each = cosine_similarity(PROBES, GALLERY)
    expected = np.stack([each[:, s == LABELS].mean(axis=1) for s in range(3)], axis=1)
    np.testing.assert_allclose(score(enrol(GALLERY, LABELS), PROBES), expected)


def test_lengths_do_not_matter():
    longer = GALLERY * np.arange(1, 8)[:, None]
    np.testing.assert_allclose(
        score(enrol(longer, LABELS), 5 * PROBES), score(enrol(GALLERY, LABELS), PROBES)
    )


def test_the_only_image_of_a_subject_matches_itself_fully():
    templates = enrol(GALLERY[:2], np.array([1, 0]))
    assert score(templates, GALLERY[:1])[0, 1] == pytest.approx(1)


def test_a_face_without_gradients_is_like_nobody():
    assert score(enrol(GALLERY, LABELS), np.zeros((1, 5))).tolist() == [[0, 0, 0]]


def test_a_subject_without_images_is_refused():
    with pytest.raises(ValueError, match="no gap"):
        enrol(GALLERY[:2], np.array([0, 2]))
