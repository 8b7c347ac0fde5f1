"""Differences between two models rest on what both have: faces found, probes, folds."""

import numpy as np
import pandas as pd
import pytest

from thermalign.evaluation import displacement
from thermalign.evaluation.compared import Compared
from thermalign.evaluation.draws import Draws, comparisons_of, errors_of
from thermalign.evaluation.landmarks import nmse
from thermalign.evaluation.measured import Measured
from thermalign.evaluation.over_folds import Replicates
from thermalign.evaluation.paired import adjusted, beside, contrast, differences
from thermalign.evaluation.placement import on_annotated
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.study import Fold, Place, Readings, Trial, compared_rates
from thermalign.evaluation.verification import equal_error_rate
from thermalign.geometry import LANDMARKS
from thermalign.metrics.intervals import DIFFERENCE, POSITIVE, RATE, interval, p_value
from thermalign.metrics.verification import eer
from thermalign.schemas.keys import ALL, SUBSET, Subset
from thermalign.schemas.measures import DIFFERENCES

FACE = np.array([[30.0, 40], [70, 40], [50, 64], [34, 80], [66, 80]])
NEAR, HARD_RANGE = Subset(range="1"), Subset(range="2")
PEOPLE = [f"s{k}" for k in range(8)]
SHOTS = {"easy": 1, "also": 1, "hard": 2, "worse": 2}
"""Images of everyone, and their ranges."""
KNOWN = pd.DataFrame(
    [(f"{s}-{shot}", s, 1, reach, shot) for s in PEOPLE for shot, reach in SHOTS.items()],
    columns=["image_id", "subject_id", "volume", "range", "condition"],
)
DISPLACEMENTS = displacement.Settings(range=1)
FAR = 0.6  # which 8 x 7 pairs of people support
HARD = KNOWN["range"] == 2
EASY_IDS = list(KNOWN.loc[~HARD, "image_id"])
DRAWS = Draws.of_fold(KNOWN, KNOWN, Settings(replicates=200, seed=1))


def points(ids):
    rows = [(i, name, x, y) for i in ids for name, (x, y) in zip(LANDMARKS, FACE, strict=True)]
    return pd.DataFrame(rows, columns=["image_id", "landmark", "x", "y"])


def predictions(model, *, shift, lost=()):
    """Return points that are ``shift`` px off by image; those of lost images are NaN."""
    table = points(shift).assign(model=model)
    table["x"] += table["image_id"].map(shift)
    table.loc[table["image_id"].isin(lost), ["x", "y"]] = np.nan
    return table


def scores(ids, *, seed=0, gap=1.5, worse=0.0):
    """Return scores that depend on image and gallery alone; hard images lose ``worse``."""
    rows = []
    for number, (image, person) in enumerate(KNOWN[["image_id", "subject_id"]].to_numpy()):
        rng = np.random.default_rng([seed, number])
        values = rng.normal(size=len(PEOPLE)).round(1)
        for score, other in zip(values, PEOPLE, strict=True):
            own = person == other
            loss = worse * own * HARD[number]
            rows.append((image, other, own, score + gap * own - loss))
    table = pd.DataFrame(rows, columns=["probe_id", "gallery_id", "genuine", "score"])
    return table[table["probe_id"].isin(ids)]


def trial(found, by_reading, *, annotations):
    """Return a model with the figures of everything it has, as `measure` writes them."""
    errors = errors_of(found, annotations, KNOWN)
    figures = {}
    for subset in (ALL, NEAR, HARD_RANGE):
        chosen = KNOWN if subset == ALL else KNOWN[KNOWN["range"] == int(subset.range)]
        rows = errors[errors["image_id"].isin(chosen["image_id"])]
        if rows["error"].notna().any():
            figures[Place(subset, "nmse")] = nmse(subset, rows, DRAWS)
        its = by_reading[""]
        its = comparisons_of(its[its["probe_id"].isin(chosen["image_id"])], KNOWN)
        if len(its):
            for rate in compared_rates(subset, Compared.of(its, DRAWS), [FAR]):
                figures[Place(subset, rate.metric, rate.at)] = rate
    return Trial(found, by_reading, figures)


def fold(models, annotated=tuple(KNOWN["image_id"])):
    return Fold(KNOWN, points(annotated), DRAWS, models)


def table(*folds):
    """Return the rows of DIFFERENCES by models, subset and metric."""
    rows = pd.DataFrame(contrast(folds))
    keys = rows[["model_a", "model_b", *SUBSET, "metric"]].itertuples(index=False, name=None)
    return {(a, b, Subset(*its), m): rows.loc[n] for n, (a, b, *its, m) in enumerate(keys)}


def half_annotated():
    """Only easy images are annotated; where both have scores, they are the same."""
    truth = points(EASY_IDS)
    upper = predictions("annotated", shift=dict.fromkeys(EASY_IDS, 0.0))
    everything = dict.fromkeys(KNOWN["image_id"], 2.0)
    made = {
        "annotated": trial(upper, {"": scores(EASY_IDS)}, annotations=truth),
        "dan": trial(
            predictions("dan", shift=everything),
            {"": scores(KNOWN["image_id"], worse=1.0)},
            annotations=truth,
        ),
    }
    return fold(made, EASY_IDS)


def test_probes_that_one_model_was_not_asked_about_do_not_make_a_difference():
    study = half_annotated()
    own = [study.models[m].figures[Place(ALL, "eer")].value for m in ("annotated", "dan")]
    assert own[0] < own[1] - 0.05  # as if annotated points were that much better
    for metric in ("eer", "rank1", "tar_at_far"):
        row = table(study)["annotated", "dan", ALL, metric]
        assert row[["value", "p"]].tolist() == [0, 1]
        assert row[["low", "high"]].isna().all()  # no draw tells one from the other
    row = table(study)["annotated", "dan", ALL, "eer"]
    assert row["n"] == len(EASY_IDS) * len(PEOPLE)
    assert row["n_subjects"] == len(PEOPLE)
    assert ("annotated", "dan", HARD_RANGE, "eer") not in table(study)  # nothing in common


def gives_up(seed=0):
    """A detector that finds no hard face beside one that finds all, else the same."""
    rng = np.random.default_rng(seed)
    shift = dict(zip(KNOWN["image_id"], rng.uniform(1, 2, len(KNOWN)) + 4 * HARD, strict=True))
    hard = list(KNOWN.loc[HARD, "image_id"])
    truth, same = points(KNOWN["image_id"]), {"": scores(KNOWN["image_id"])}
    return fold(
        {
            "both": trial(predictions("both", shift=shift), same, annotations=truth),
            "easy": trial(predictions("easy", shift=shift, lost=hard), same, annotations=truth),
        }
    )


def test_a_detector_that_gives_up_on_hard_faces_gains_nothing():
    study = gives_up()
    own = [study.models[m].figures[Place(ALL, "nmse")].value for m in ("both", "easy")]
    assert own[0] - own[1] == pytest.approx(2 / 40, abs=0.01)  # half of 4 px of 40
    row = table(study)["both", "easy", ALL, "nmse"]
    assert row["value"] == pytest.approx(0, abs=1e-15)
    assert row["p"] == 1
    assert row["n"] == len(EASY_IDS)
    assert ("both", "easy", HARD_RANGE, "nmse") not in table(study)
    # its failures cost it probes, which stay in every rate
    assert table(study)["both", "easy", ALL, "eer"]["n"] == len(KNOWN) * len(PEOPLE)


def test_a_figure_on_common_images_is_the_figure_of_these_images():
    study = half_annotated()
    rows = scores(EASY_IDS, worse=1.0)
    value, n, made = beside([study], "dan", "annotated", Place(ALL, "eer"))
    assert value == eer(rows["score"].to_numpy(), rows["genuine"].to_numpy())
    assert n == len(rows)
    alone = equal_error_rate(ALL, Compared.of(comparisons_of(rows, KNOWN), DRAWS))
    np.testing.assert_array_equal(made.values, alone.replicates)


def test_models_with_the_same_images_keep_the_replicates_that_were_measured():
    study = gives_up()
    marks = {"both": np.linspace(0, 1, 200), "easy": np.linspace(0, 0.5, 200) ** 2}
    place = Place(ALL, "eer")
    for name, drawn in marks.items():
        study.models[name].figures[place] = Measured(ALL, "eer", 0.25, 77, drawn, 8, scale=RATE)
    row = table(study)["both", "easy", ALL, "eer"]
    paired = marks["both"] - marks["easy"]
    assert tuple(row[["low", "high"]]) == interval(0.0, paired, subjects=8, scale=DIFFERENCE)
    assert row["n"] == 77
    assert row["p"] == p_value(0.0, paired, subjects=8) == 1


def test_a_difference_over_folds_is_that_of_the_folds_that_both_have():
    whole, part = half_annotated(), half_annotated()
    del part.models["dan"].scores[""]  # nothing of this fold
    key = ("annotated", "dan", ALL, "eer")
    alone, both = table(whole)[key], table(whole, part)[key]
    assert both[["value", "n"]].tolist() == alone[["value", "n"]].tolist()
    assert table(whole, whole)[key]["n"] == 2 * alone["n"]


def test_every_reading_compares_its_own_scores():
    everything = dict.fromkeys(KNOWN["image_id"], 2.0)
    truth, models = points(KNOWN["image_id"]), {}
    place = Place(Subset(same_moment="keep", range="1"), "eer")
    for name, ids in (("a", EASY_IDS[:-4]), ("b", list(KNOWN["image_id"]))):
        readings = {"": scores(ids), "keep": scores(ids, seed=9, gap=2.0 + (name == "b"))}
        made = trial(predictions(name, shift=everything), readings, annotations=truth)
        rows = comparisons_of(readings["keep"][readings["keep"]["probe_id"].isin(EASY_IDS)], KNOWN)
        made.figures[place] = equal_error_rate(place.subset, Compared.of(rows, DRAWS))
        models[name] = made
    row = table(fold(models))["a", "b", place.subset, "eer"]
    expected = [
        eer(rows["score"].to_numpy(), rows["genuine"].to_numpy())
        for rows in (scores(EASY_IDS[:-4], seed=9, gap=gap) for gap in (2.0, 3.0))
    ]
    assert row["value"] == pytest.approx(expected[0] - expected[1])
    assert row["n"] == len(EASY_IDS[:-4]) * len(PEOPLE)


def test_differences_are_not_told_by_attributes_of_people():
    study = gives_up()
    for model in study.models.values():
        by_attribute = Place(Subset(attribute="glasses", attribute_value="yes"), "eer")
        model.figures[by_attribute] = model.figures[Place(ALL, "eer")]
    assert not [key for key in table(study) if key[2].attribute]


def block(rows):
    """Return DIFFERENCES of subset, p and what else differs."""
    fixed = {"protocol": "p", "metric": "eer", "at": 0.0}
    return pd.DataFrame([{**fixed, **subset._asdict(), "p": p, **more} for subset, p, more in rows])


def test_p_values_are_adjusted_among_all_images_and_every_range():
    frame = block(
        [
            (ALL, 0.01, {}),
            (NEAR, 0.02, {}),
            (HARD_RANGE, 0.03, {}),
            (Subset(condition="baseline"), 0.001, {}),
            (Subset(volume="1", range="1"), 0.001, {}),
            (Subset(same_moment="keep"), 0.04, {}),
            (Subset(same_moment="keep", range="1"), 0.01, {}),
            (Subset(same_moment="keep", range="2"), 0.5, {}),
            (ALL, 0.02, {"metric": "nmse"}),
            (ALL, 0.03, {"protocol": "q"}),
            (ALL, 0.04, {"at": 0.1}),
        ]
    )
    nan = float("nan")
    expected = [0.03, 0.04, 0.04, nan, nan, 0.08, 0.03, 0.5, 0.02, 0.03, 0.04]
    np.testing.assert_allclose(adjusted(frame), expected)


def test_one_range_alone_is_not_counted_twice():
    frame = block([(ALL, 0.01, {}), (ALL, 0.04, {}), (NEAR, 0.01, {}), (NEAR, 0.04, {})])
    assert adjusted(frame).tolist() == pytest.approx([0.02, 0.04, 0.02, 0.04])


def test_a_metric_that_one_range_alone_supports_is_not_one_of_a_protocol_of_one_range():
    rate = {"metric": "tar_at_far", "at": 0.1}
    frame = block([(ALL, 0.01, rate), (NEAR, 0.02, rate), (HARD_RANGE, 0.5, {}), (NEAR, 0.5, {})])
    assert adjusted(frame).tolist() == pytest.approx([0.02, 0.02, 1, 1])


def test_every_difference_has_its_p_values():
    found = differences({"p": [gives_up()]}, {"p": "d"})
    assert list(found.columns) == [n for n in DIFFERENCES.names if n != "p_holm"] + ["p_holm"]
    known = found.dropna(subset="p")
    assert len(known) > 0
    assert (known["p_holm"] >= known["p"]).all()
    assert list(differences({}, {}).columns) == list(found.columns)


def test_detectors_are_placed_by_their_rate_on_annotated_probes():
    study = half_annotated()
    key = {"dataset": "d", "protocol": "p", "model": "dan", **NEAR._asdict()}
    key |= {"metric": "eer", "at": 0.0}
    own = study.models["dan"].figures[Place(NEAR, "eer")]
    wrong = {**key, "value": 0.9, "low": 0.0, "high": 1.0, "n": 1}
    wrong["fold_sd"] = 0.5  # of other probes
    summary = pd.DataFrame([wrong])
    made = {tuple(key.values()): Replicates(np.full(200, 0.9), 8, RATE)}
    changed, drawn = on_annotated(summary, made, {"p": [study]}, DISPLACEMENTS)
    assert changed["value"].tolist() == [own.value]
    assert changed["n"].tolist() == [own.n]
    assert changed["fold_sd"].isna().all()
    np.testing.assert_array_equal(next(iter(drawn.values())).values, own.replicates)


def test_detectors_are_placed_by_their_error_on_probes():
    # both are of range 1, but a protocol may take one of them as probes alone: 2 and 6 px of 40
    shift = dict(zip(KNOWN["image_id"], 2 + 4 * (KNOWN["condition"] == "also"), strict=True))
    found = predictions("dan", shift=shift)
    asked = {"": scores(KNOWN.loc[KNOWN["condition"] == "easy", "image_id"])}
    study = fold({"dan": trial(found, asked, annotations=points(KNOWN["image_id"]))})
    row = {"dataset": "d", "protocol": "p", "model": "dan", **NEAR._asdict()}
    row |= {"metric": "nmse", "at": 0.0}
    measured = study.models["dan"].figures[Place(NEAR, "nmse")]
    assert measured.value == pytest.approx(0.1)
    summary = pd.DataFrame([{**row, "value": measured.value, "low": 0.0, "high": 1.0, "n": 16}])
    summary["fold_sd"] = 0.5
    made = {tuple(row.values()): Replicates(measured.replicates, 8, POSITIVE)}
    changed, drawn = on_annotated(summary, made, {"p": [study]}, DISPLACEMENTS)
    assert changed.loc[0, ["value", "n"]].tolist() == pytest.approx([0.05, 8])
    np.testing.assert_allclose(drawn[tuple(row.values())].values, 0.05)
    nothing = fold(
        {
            "dan": trial(
                predictions("dan", shift=shift, lost=KNOWN["image_id"]),
                asked,
                annotations=points(KNOWN["image_id"]),
            )
        }
    )
    changed, _ = on_annotated(summary, made, {"p": [study, nothing]}, DISPLACEMENTS)
    assert changed["value"].tolist() == [measured.value]  # no mean over the folds that went well


def test_scores_are_asked_for_again_whenever_a_reading_is_needed():
    every = pd.concat([scores(EASY_IDS).assign(same_moment=m) for m in ("keep", "exclude")])
    asked = []

    class Kept(dict):
        def __getitem__(self, job):
            asked.append(job)
            return super().__getitem__(job)

    job = ("p", 0, "dan")
    readings = Readings(Kept({job: every}), job, "exclude")
    assert sorted(readings) == ["", "keep"]
    assert list(readings[""]["same_moment"].unique()) == ["exclude"]
    assert readings.get("none") is None
    assert set(asked) == {job}
    made = Trial(predictions("dan", shift={}), readings, {})
    place = Place(ALL, "eer")
    assert made.images(place) == set(EASY_IDS)
    asked.clear()
    assert made.images(place) == set(EASY_IDS)
    assert not asked  # the names of the probes are kept
