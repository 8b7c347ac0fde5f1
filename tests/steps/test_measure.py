"""What `measure` writes of a fold: two ranges, two conditions, scores set by hand."""

import numpy as np
import pandas as pd
import pytest
from test_compare import FACE, SETTINGS

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.metrics.bootstrap import subject_weights
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import METRICS, REPLICATES
from thermalign.schemas.predictions import PREDICTIONS
from thermalign.steps import measure

SUBJECTS = ("s1", "s2", "s3", "s4")
KEY = {"protocol": "p", "fold": 0}
SHOTS = [(1, "baseline"), (1, "expression"), (2, "baseline")]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """METRICS and REPLICATES of a fold in which s4 is taken for s3, and s1's last face is lost."""
    folder = tmp_path_factory.mktemp("fold")
    shots = [(f"{s}{k}", s, *shot) for s in SUBJECTS for k, shot in enumerate(SHOTS)]
    images = pd.DataFrame(shots, columns=["image_id", "subject_id", "range", "condition"])
    fixed = {
        "session": "1",
        "volume": 1,
        "pair_id": "",
        "moment": "",
        "modality": "thermal",
        "path": "x.png",
    }
    fixed |= {"width": 100, "height": 120, "bit_depth": 8, "scale": 1.0, "offset": 0.0}
    tables.write(folder / "images.parquet", images.assign(**fixed, sha256="0"), IMAGES)
    points = [
        (image, name, x, y)
        for image in images["image_id"]
        for name, (x, y) in zip(LANDMARKS, FACE, strict=True)
    ]
    annotated = pd.DataFrame(points, columns=["image_id", "landmark", "x", "y"])
    tables.write(folder / "annotations.parquet", annotated.assign(visible=True), ANNOTATIONS)
    found = annotated.assign(x=annotated["x"] + 2, confidence=1.0, model="m", **KEY)
    found.loc[found["image_id"] == "s12", ["x", "y"]] = np.nan
    tables.write(folder / "predictions.parquet", found, PREDICTIONS)
    roles = images[["image_id"]].assign(role="test", flipped=False, **KEY)
    tables.write(folder / "folds.parquet", roles, FOLDS)
    pairs = [
        (i, g, s == g, score(i, s, g))
        for i, s in images[["image_id", "subject_id"]].itertuples(index=False)
        for g in SUBJECTS
    ]
    scores = pd.DataFrame(pairs, columns=["probe_id", "gallery_id", "genuine", "score"])
    tables.write(
        folder / "scores.parquet", scores.assign(model="m", same_moment="exclude", **KEY), SCORES
    )
    names = ("images", "annotations", "folds", "predictions", "scores", "metrics", "replicates")
    paths = {name: folder / f"{name}.parquet" for name in names}
    measure.run(**paths, **KEY, model="m", headline="exclude", settings=SETTINGS, code="x")
    return tables.read(paths["metrics"], METRICS), tables.read(paths["replicates"], REPLICATES)


def score(image, subject, gallery):
    if image == "s12":
        return -np.inf
    if subject == "s4" and gallery == "s3":
        return 2.0
    return 1.0 if subject == gallery else 0.0


def values(metrics, metric, subset="all"):
    rows = metrics.query("metric == @metric and subset == @subset")
    return rows.set_index("at")["value"].to_dict()


def test_ranks_are_those_of_the_scores(measured):
    metrics, _ = measured
    # of 12 probes the 3 of s4 come second, the lost one never
    assert values(metrics, "rank1") == pytest.approx({0: 8 / 12})
    assert values(metrics, "cmc") == pytest.approx({1: 8 / 12, 2: 11 / 12, 3: 11 / 12})
    assert values(metrics, "rank1", "range=2") == pytest.approx({0: 2 / 4})


def test_a_lost_face_is_a_failure_and_has_no_error(measured):
    metrics, _ = measured
    assert values(metrics, "failure_rate") == pytest.approx({0: 1 / 12})
    assert values(metrics, "nmse") == pytest.approx({0: 2 / 40})


def test_a_rate_that_cannot_be_measured_says_what_it_takes_and_has_no_replicates(measured):
    metrics, replicates = measured
    assert np.isnan(values(metrics, "tar_at_far")[0.1])
    row = metrics.query("metric == 'impostors_needed' and subset == 'all'").iloc[0]
    assert row[["at", "value", "n"]].tolist() == [0.1, 100, 36]
    assert "tar_at_far" not in set(replicates["metric"])


def test_curves_have_bands_for_all_images_and_every_range(measured):
    metrics, replicates = measured
    with_bands = {"all", "range=1", "range=2"}
    for _, rows in replicates[replicates["metric"].isin(["roc", "cmc"])].groupby("metric"):
        assert set(rows["subset"]) == with_bands
    bands = replicates.query("metric == 'roc' and subset == 'all'")
    assert set(bands["at"]) == set(values(metrics, "roc"))
    assert "condition=expression" in set(replicates.query("metric == 'eer'")["subset"])


def test_replicates_say_how_many_subjects_they_rest_on(measured):
    _, replicates = measured
    people = replicates.query("draw == 0").set_index(["subset", "metric"])["subjects"]
    assert people[("all", "eer")] == people[("range=2", "failure_rate")] == 4
    assert people[("range=2", "nmse")] == 3  # s1's face at range 2 was lost


def test_replicates_are_those_of_the_drawn_subjects(measured):
    _, replicates = measured
    rows = replicates.query("metric == 'rank1' and subset == 'all'").sort_values("draw")
    drawn = subject_weights(4, replicates=SETTINGS["replicates"], seed=SETTINGS["seed"])
    hits = np.array([2, 3, 3, 0])  # of three probes each
    expected = drawn @ hits / (3 * drawn.sum(axis=1))
    np.testing.assert_allclose(rows["value"], expected)
