"""What `measure` writes of a fold: two ranges, two conditions, scores set by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from test_compare import FACE, SETTINGS

from thermalign import tables
from thermalign.geometry import LANDMARKS
from thermalign.metrics.bootstrap import subject_weights
from thermalign.schemas.dataset import ANNOTATIONS, ATTRIBUTES, BOXES, FOLDS, IMAGES
from thermalign.schemas.keys import ALL, SUBSET, Subset, rows_of
from thermalign.schemas.matching import SCORES
from thermalign.schemas.measures import METRICS, REPLICATES
from thermalign.schemas.predictions import PREDICTIONS, UNCERTAINTY
from thermalign.steps import measure

SUBJECTS = ("s1", "s2", "s3", "s4")
KEY = {"protocol": "p", "fold": 0}
READINGS = ("exclude", "keep")
NEAR, FAR = Subset(range="1"), Subset(range="2")
GRID = {"patch": 60, "stride": 8, "margin": 0}
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
    truth = annotated(images["image_id"])
    tables.write(folder / "annotations.parquet", truth.assign(visible=True), ANNOTATIONS)
    worn = images[["image_id"]].assign(name="glasses", value="no")
    worn.loc[images["subject_id"] == "s1", "value"] = "yes"
    tables.write(folder / "attributes.parquet", worn, ATTRIBUTES)
    found = truth.assign(x=truth["x"] + 2, model="m", **KEY, **dict.fromkeys(UNCERTAINTY, np.nan))
    found.loc[found["image_id"] == "s12", ["x", "y"]] = np.nan
    tables.write(folder / "predictions.parquet", found, PREDICTIONS, {"grid": json.dumps(GRID)})
    given = images[["image_id"]].assign(source="given", x=0.0, y=10.0, width=68.0, height=68.0)
    given.loc[given["image_id"].str.endswith("2"), "width"] = 108.0  # those at range 2
    tables.write(folder / "boxes.parquet", given, BOXES)
    roles = images[["image_id"]].assign(role="test", flipped=False, **KEY)
    tables.write(folder / "folds.parquet", roles, FOLDS)
    pairs = [
        (i, g, s == g, score(i, s, g))
        for i, s in images[["image_id", "subject_id"]].itertuples(index=False)
        for g in SUBJECTS
    ]
    scores = pd.DataFrame(pairs, columns=["probe_id", "gallery_id", "genuine", "score"])
    both = [scores.assign(model="m", same_moment=reading, **KEY) for reading in READINGS]
    set_on_training = {"thresholds": json.dumps({"0": 1.5, "0.01": None})}
    tables.write(folder / "scores.parquet", pd.concat(both), SCORES, set_on_training)
    names = ("images", "annotations", "boxes", "attributes", "folds", "predictions", "scores")
    names += ("metrics", "replicates")
    paths = {name: folder / f"{name}.parquet" for name in names}
    measure.run(
        **paths, dataset="d", **KEY, model="m", headline="exclude", settings=SETTINGS, code="x"
    )
    return tables.read(paths["metrics"], METRICS), tables.read(paths["replicates"], REPLICATES)


def annotated(image_ids):
    points = [
        (image, name, x, y)
        for image in image_ids
        for name, (x, y) in zip(LANDMARKS, FACE, strict=True)
    ]
    return pd.DataFrame(points, columns=["image_id", "landmark", "x", "y"])


def score(image, subject, gallery):
    if image == "s12":
        return -np.inf
    if subject == "s4" and gallery == "s3":
        return 2.0
    return 1.0 if subject == gallery else 0.0


def values(metrics, metric, subset=ALL):
    return figures(metrics, metric, subset).set_index("at")["value"].to_dict()


def figures(table, metric, subset=ALL):
    return rows_of(table, subset).query("metric == @metric")


def subsets_of(table, *metrics):
    rows = table.loc[table["metric"].isin(metrics), [*SUBSET]]
    return {Subset(*row) for row in rows.itertuples(index=False, name=None)}


def test_ranks_are_those_of_the_scores(measured):
    metrics, _ = measured
    # of 12 probes the 3 of s4 come second, the lost one never
    assert values(metrics, "rank1") == pytest.approx({0: 8 / 12})
    assert values(metrics, "cmc") == pytest.approx({1: 8 / 12, 2: 11 / 12, 3: 11 / 12})
    assert values(metrics, "rank1", FAR) == pytest.approx({0: 2 / 4})


def test_a_lost_face_is_a_failure_and_has_no_error(measured):
    metrics, _ = measured
    assert values(metrics, "failure_rate") == pytest.approx({0: 1 / 12})
    assert values(metrics, "nmse") == pytest.approx({0: 2 / 40})


def test_the_error_stands_in_four_units(measured):
    metrics, _ = measured
    # 2 px; 40 px between the eyes and from eyes to mouth; boxes of 68 x 68 and 108 x 68 px
    assert values(metrics, "nmse_eye_mouth") == pytest.approx({0: 2 / 40})
    near, far = NEAR, FAR
    assert values(metrics, "nmse_box_diagonal", near) == pytest.approx({0: 2 / np.hypot(68, 68)})
    assert values(metrics, "nmse_box_diagonal", far) == pytest.approx({0: 2 / np.hypot(108, 68)})
    assert values(metrics, "nmse_box_size", near) == pytest.approx({0: 2 / 68})
    assert values(metrics, "nmse_box_size", far) == pytest.approx({0: 2 / np.sqrt(108 * 68)})
    # of 11 found faces 8 are near
    mean = (8 * 2 / 68 + 3 * 2 / np.sqrt(108 * 68)) / 11
    assert values(metrics, "nmse_box_size") == pytest.approx({0: mean})


def test_the_error_distribution_is_summed_up_at_two_limits(measured):
    metrics, _ = measured
    # 11 of 12 images have an error of .05, one has none
    found = 11 / 12
    expected = {0.08: found * (1 - 0.05 / 0.08), 0.1: found * (1 - 0.05 / 0.1)}
    assert values(metrics, "ced_auc") == pytest.approx(expected)
    assert values(metrics, "failure_at") == pytest.approx({0.08: 1 / 12, 0.1: 1 / 12})


def test_errors_and_rates_stand_by_attribute(measured):
    metrics, replicates = measured
    yes = Subset(attribute="glasses", attribute_value="yes")
    assert values(metrics, "nmse", yes) == pytest.approx({0: 2 / 40})
    assert values(metrics, "failure_rate", yes) == values(metrics, "fta", yes) == {0: 1 / 3}
    assert values(metrics, "failure_rate", yes._replace(range="2")) == {0: 1}
    assert np.isnan(values(metrics, "nmse", yes._replace(range="2"))[0])
    assert values(metrics, "eer", yes._replace(range="1")) == {0: 0}
    named = replicates[replicates["attribute"] != ""]
    assert set(named["metric"]) == {"nmse", "failure_rate", "fta", "eer"}


def test_thresholds_of_training_people_come_with_the_scores(measured):
    metrics, _ = measured
    thresholds = values(metrics, "threshold")
    assert thresholds[0] == 1.5
    assert np.isnan(thresholds[0.01])
    assert values(metrics, "fnmr")[0] == 1  # genuine scores are 1
    assert values(metrics, "fmr")[0] == pytest.approx(3 / 33)  # s4's probes against s3
    assert values(metrics, "far")[0] == pytest.approx(3 / 36)


def test_the_other_reading_is_marked(measured):
    metrics, replicates = measured
    other = metrics[metrics["same_moment"] != ""]
    keep = Subset(same_moment="keep")
    assert subsets_of(other, *other["metric"]) == {keep._replace(range=r) for r in ("", "1", "2")}
    assert values(metrics, "eer") == values(metrics, "eer", keep)
    assert keep in subsets_of(replicates, "auc")


def test_the_best_cells_of_a_detectors_grid_have_an_error_by_range(measured):
    metrics, replicates = measured
    # Centres at y = 39.5, 47.5 and x = 29.5, 37.5; at range 2 up to x = 77.5. FACE is 40 px wide.
    narrow = np.hypot([0.5, 32.5, 12.5, 3.5, 28.5], [0.5, 0.5, 16.5, 32.5, 32.5]).mean() / 40
    wide = np.hypot([0.5, 0.5, 3.5, 3.5, 3.5], [0.5, 0.5, 16.5, 32.5, 32.5]).mean() / 40
    assert values(metrics, "nmse_best_cell", NEAR) == pytest.approx({0: narrow})
    assert values(metrics, "nmse_best_cell", FAR) == pytest.approx({0: wide})
    assert values(metrics, "nmse_best_cell") == pytest.approx({0: (2 * narrow + wide) / 3})
    drawn = subsets_of(replicates, "nmse_best_cell")
    assert {ALL, NEAR, FAR, Subset(volume="1", range="1")} <= drawn
    assert subsets_of(metrics, "nmse_best_cell") == drawn


def test_a_rate_that_cannot_be_measured_says_what_it_takes_and_has_no_replicates(measured):
    metrics, replicates = measured
    assert np.isnan(values(metrics, "tar_at_far")[0.1])
    row = figures(metrics, "person_pairs_needed").iloc[0]
    assert row[["at", "value", "n"]].tolist() == pytest.approx([0.1, 300, 12])
    assert values(metrics, "person_pairs") == {0: 12}
    assert "tar_at_far" not in set(replicates["metric"])


def test_curves_have_bands_for_all_images_and_every_range(measured):
    metrics, replicates = measured
    for metric in ("roc", "roc_found", "cmc"):
        assert subsets_of(replicates, metric) == {ALL, NEAR, FAR}
    assert set(figures(replicates, "roc")["at"]) == set(values(metrics, "roc"))
    assert Subset(condition="expression") in subsets_of(replicates, "eer")


def test_replicates_say_how_many_subjects_they_rest_on(measured):
    _, replicates = measured

    def people(metric, subset):
        return figures(replicates, metric, subset)["subjects"].item()

    assert people("eer", ALL) == people("failure_rate", FAR) == 4
    assert people("nmse", FAR) == 3  # s1's face at range 2 was lost


def test_replicates_are_those_of_the_drawn_subjects(measured):
    _, replicates = measured
    (made,) = figures(replicates, "rank1")["values"]
    drawn = subject_weights(4, replicates=SETTINGS["replicates"], seed=SETTINGS["seed"])
    hits = np.array([2, 3, 3, 0])  # of three probes each
    expected = drawn @ hits / (3 * drawn.sum(axis=1))
    np.testing.assert_allclose(made, expected)
