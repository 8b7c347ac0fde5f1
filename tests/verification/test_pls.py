import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import PLSRegression

from thermalign.verification.contract import LEFT_OUT
from thermalign.verification.pls import (
    CROSS_EXAMPLE,
    NEGATIVES,
    fit_each,
    fit_one_vs_all,
    score,
)


def study(subjects, each, cross, width, seed=0):
    """Return features, labels and probes; subjects differ by a random mean, all share an offset."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.repeat(np.arange(subjects), each), np.full(cross, CROSS_EXAMPLE)])
    means = rng.normal(size=(subjects + 1, width))
    features = 5 + means[labels] + rng.normal(size=(len(labels), width))
    return features, labels, 5 + rng.normal(size=(7, width))


def rows_of(labels, subject, negatives):
    cross, own = labels == CROSS_EXAMPLE, labels == subject
    return {"published": own | ~own, "gallery": ~cross, "training": own | cross}[negatives]


def scikit_learn(features, labels, probes, *, n_components, negatives):
    out = []
    for s in range(labels.max() + 1):
        rows = rows_of(labels, s, negatives)
        targets = np.where(labels[rows] == s, 1.0, -1.0)
        model = PLSRegression(n_components, scale=False).fit(features[rows], targets)
        out.append(model.predict(probes).ravel())
    return np.stack(out, axis=1)


@pytest.mark.parametrize("negatives", NEGATIVES)
@pytest.mark.parametrize(
    ("shape", "n_components"),
    [
        ((4, 5, 20, 300), 10),  # fewer rows than features
        ((3, 40, 60, 12), 5),  # more rows than features
        ((3, 40, 60, 12), 12),  # as many components as features
        ((5, 2, 9, 9), 1),
        ((6, 3, 12, 1000), 3),
    ],
)
def test_predictions_equal_those_of_scikit_learn(shape, n_components, negatives):
    features, labels, probes = study(*shape)
    model = fit_one_vs_all(features, labels, n_components=n_components, negatives=negatives)
    expected = scikit_learn(
        features, labels, probes, n_components=n_components, negatives=negatives
    )
    np.testing.assert_allclose(score(model, probes), expected, atol=1e-6)


@pytest.mark.parametrize("negatives", NEGATIVES)
@pytest.mark.parametrize("subjects", [30, 200])
def test_galleries_of_a_study_equal_scikit_learn_subject_by_subject(subjects, negatives):
    features, labels, probes = study(subjects, 4, 40, 50)
    model = fit_one_vs_all(features, labels, n_components=10, negatives=negatives)
    expected = scikit_learn(features, labels, probes, n_components=10, negatives=negatives)
    np.testing.assert_allclose(score(model, probes), expected, atol=1e-6)


@pytest.mark.parametrize("negatives", NEGATIVES)
def test_tensors_give_what_arrays_give_as_tensors(negatives):
    features, labels, probes = study(4, 5, 20, 300)
    arrays = fit_one_vs_all(features, labels, n_components=10, negatives=negatives)
    model = fit_one_vs_all(torch.as_tensor(features), labels, n_components=10, negatives=negatives)
    scores = score(model, torch.as_tensor(probes))
    assert scores.dtype == torch.float64
    np.testing.assert_allclose(scores.numpy(), score(arrays, probes), atol=1e-10)


def test_float32_tensors_are_scored_in_float64():
    features, labels, probes = (torch.as_tensor(v) for v in study(4, 5, 20, 300))
    model = fit_one_vs_all(features.float(), labels.numpy(), n_components=10)
    assert model.weights.dtype == score(model, probes.float()).dtype == torch.float64


def test_the_features_given_are_left_as_they_were():
    features, labels, _ = study(4, 5, 20, 30)
    before = features.copy()
    fit_one_vs_all(features, labels, n_components=3)
    np.testing.assert_array_equal(features, before)


def test_float32_features_are_worked_on_in_float64():
    features, labels, probes = study(4, 5, 20, 300)
    features = features.astype(np.float32)
    model = fit_one_vs_all(features, labels, n_components=10)
    exact = fit_one_vs_all(features.astype(np.float64), labels, n_components=10)
    np.testing.assert_array_equal(score(model, probes), score(exact, probes))


def test_a_large_common_offset_costs_no_digits():
    features, labels, probes = study(4, 5, 20, 50)
    near = score(fit_one_vs_all(features, labels, n_components=8), probes)
    far = score(fit_one_vs_all(features + 1e4, labels, n_components=8), probes + 1e4)
    np.testing.assert_allclose(far, near, atol=1e-6)


def test_the_order_of_rows_does_not_matter():
    features, labels, probes = study(4, 5, 20, 60)
    order = np.random.default_rng(3).permutation(len(labels))
    plain = fit_one_vs_all(features, labels, n_components=6)
    shuffled = fit_one_vs_all(features[order], labels[order], n_components=6)
    np.testing.assert_allclose(score(shuffled, probes), score(plain, probes), atol=1e-9)


def test_rotating_the_features_does_not_matter():
    features, labels, probes = study(4, 5, 20, 30)
    rotation, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(30, 30)))
    plain = fit_one_vs_all(features, labels, n_components=6)
    turned = fit_one_vs_all(features @ rotation, labels, n_components=6)
    np.testing.assert_allclose(score(turned, probes @ rotation), score(plain, probes), atol=1e-9)


def test_all_components_together_are_least_squares():
    features, labels, probes = study(3, 20, 20, 6)
    model = fit_one_vs_all(features, labels, n_components=6)
    design = np.column_stack([features, np.ones(len(labels))])
    targets = np.where(labels[:, None] == np.arange(3), 1.0, -1.0)
    solution = np.linalg.lstsq(design, targets, rcond=None)[0]
    np.testing.assert_allclose(
        score(model, probes), np.column_stack([probes, np.ones(7)]) @ solution, atol=1e-8
    )


def test_components_beyond_what_the_rows_span_add_nothing():
    features, labels, probes = study(3, 4, 6, 5)
    full = fit_one_vs_all(features, labels, n_components=5)
    more = fit_one_vs_all(features, labels, n_components=12)
    np.testing.assert_allclose(score(more, probes), score(full, probes), atol=1e-7)


def test_identical_rows_of_a_subject_do_not_break_the_fit():
    features = np.repeat(np.random.default_rng(0).normal(size=(3, 40)), 4, axis=0)
    labels = np.repeat(np.arange(3), 4)
    model = fit_one_vs_all(features, labels, n_components=10)
    expected = np.where(labels[:, None] == np.arange(3), 1.0, -1.0)
    np.testing.assert_allclose(score(model, features), expected, atol=1e-8)


def test_the_gallery_rule_ignores_cross_examples_and_the_training_rule_other_subjects():
    features, labels, probes = study(4, 5, 20, 60)
    elsewhere = features.copy()
    elsewhere[labels == CROSS_EXAMPLE] += 1
    gallery = [
        score(fit_one_vs_all(f, labels, n_components=4, negatives="gallery"), probes)
        for f in (features, elsewhere)
    ]
    np.testing.assert_allclose(gallery[0], gallery[1], atol=1e-12)
    elsewhere = features.copy()
    elsewhere[labels == 3] += 1
    training = [
        score(fit_one_vs_all(f, labels, n_components=4, negatives="training"), probes)
        for f in (features, elsewhere)
    ]
    np.testing.assert_allclose(training[0][:, :3], training[1][:, :3], atol=1e-9)


def test_without_cross_examples_the_published_rule_is_the_gallery_rule():
    features, labels, probes = study(4, 5, 0, 60)
    published, gallery = (
        score(fit_one_vs_all(features, labels, n_components=4, negatives=n), probes)
        for n in ("published", "gallery")
    )
    np.testing.assert_array_equal(published, gallery)


def test_one_subject_without_cross_examples_is_refused():
    features, labels, _ = study(1, 5, 0, 20)
    with pytest.raises(ValueError, match="no negatives"):
        fit_one_vs_all(features, labels, n_components=2)


def test_the_training_rule_without_cross_examples_is_refused():
    features, labels, _ = study(3, 5, 0, 20)
    with pytest.raises(ValueError, match="add cross-examples"):
        fit_one_vs_all(features, labels, n_components=2, negatives="training")


def test_a_gap_in_the_labels_is_refused():
    features, labels, _ = study(3, 5, 4, 20)
    with pytest.raises(ValueError, match="no gap"):
        fit_one_vs_all(features, np.where(labels == 1, 2, labels), n_components=2)


def test_a_feature_that_is_not_finite_is_refused_with_its_row():
    features, labels, _ = study(3, 5, 4, 20)
    features[6, 2] = np.nan
    for given in (features, torch.as_tensor(features)):
        with pytest.raises(ValueError, match="row 6 is not finite"):
            fit_one_vs_all(given, labels, n_components=2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"n_components": 0}, "at least 1"), ({"n_components": 2, "negatives": "all"}, "use one of")],
)
def test_impossible_arguments_are_refused(wrong, message):
    features, labels, _ = study(3, 5, 4, 20)
    with pytest.raises(ValueError, match=message):
        fit_one_vs_all(features, labels, **wrong)


def test_labels_of_another_length_are_refused():
    features, labels, _ = study(3, 5, 4, 20)
    with pytest.raises(ValueError, match="one label per row"):
        fit_one_vs_all(features, labels[:-1], n_components=2)


@pytest.mark.parametrize("negatives", NEGATIVES)
def test_a_row_left_out_might_as_well_not_be_there(negatives):
    features, labels, probes = study(4, 5, 20, 300)
    parts = []
    for k in range(2):
        part = labels.copy()
        part[k:20:5] = LEFT_OUT  # one image of each subject
        parts.append(part)
    keywords = {"n_components": 5, "negatives": negatives}
    for part, model in zip(parts, fit_each(features, parts, **keywords), strict=True):
        kept = part != LEFT_OUT
        alone = fit_one_vs_all(features[kept], part[kept], **keywords)
        np.testing.assert_allclose(score(model, probes), score(alone, probes), atol=1e-9)
