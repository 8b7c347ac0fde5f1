"""Errors of known subjects and seeds, and how far each moves the mean."""

import weakref

import numpy as np
import pandas as pd
import pytest

from thermalign import tables
from thermalign.evaluation.settings import Settings
from thermalign.evaluation.spread import trainings
from thermalign.geometry import LANDMARKS
from thermalign.schemas.dataset import ANNOTATIONS, FOLDS, IMAGES
from thermalign.schemas.measures import SPREAD
from thermalign.schemas.predictions import PREDICTIONS, UNCERTAINTY
from thermalign.steps import spread

FACE = np.array([[30.0, 40], [70, 40], [50, 64], [34, 80], [66, 80]])
COUNTS = {"s1": 1, "s2": 1, "s3": 2}  # images of each test subject
SEEDS = {1: 0.0, 2: 4.0}  # px added by a seed, of 40 between the eyes
KINDS = [("images", IMAGES), ("annotations", ANNOTATIONS)]
PROTOCOLS = {"p1": {"dataset": "faces", "train_subjects": 9}}


def names():
    return [(subject, f"{subject}_{k}") for subject, count in COUNTS.items() for k in range(count)]


def points(shifts):
    """Place every landmark of an image as many px to the right as its subject's shift."""
    return pd.DataFrame(
        [
            (image, landmark, x + shifts[subject], y)
            for subject, image in names()
            for landmark, (x, y) in zip(LANDMARKS, FACE, strict=True)
        ],
        columns=["image_id", "landmark", "x", "y"],
    )


@pytest.fixture
def study(tmp_path):
    """A dataset of three test subjects, annotated exactly, and the fold that tests on them."""
    fixed = {
        "session": "1",
        "volume": 1,
        "range": 1,
        "condition": "baseline",
        "pair_id": "",
        "moment": "",
    }
    fixed |= {"modality": "thermal", "path": "x.png", "width": 100, "height": 120}
    fixed |= {"bit_depth": 8, "scale": 1.0, "offset": 0.0, "sha256": "0"}
    images = pd.DataFrame([{"image_id": i, "subject_id": s, **fixed} for s, i in names()])
    tables.write(tmp_path / "faces/images.parquet", images, IMAGES)
    exact = points(dict.fromkeys(COUNTS, 0.0)).assign(visible=True)
    tables.write(tmp_path / "faces/annotations.parquet", exact, ANNOTATIONS)
    folds = pd.DataFrame({"image_id": images["image_id"], "role": "test", "flipped": False})
    folds = folds.assign(protocol="p1", fold=0)
    tables.write(tmp_path / "folds.parquet", folds, FOLDS)
    return tmp_path


def measured(folder, trainings):
    """Return SPREAD by model of trainings: name -> (model, seed, px of each subject)."""
    for name, (_, _, shifts) in trainings.items():
        found = points(shifts).assign(
            protocol="p1", fold=0, model=name, **dict.fromkeys(UNCERTAINTY, np.nan)
        )
        tables.write(folder / f"{name}.parquet", found, PREDICTIONS)
    spread.run(
        images=[folder / "faces/images.parquet"],
        annotations=[folder / "faces/annotations.parquet"],
        folds=[folder / "folds.parquet"] * len(trainings),
        predictions=[folder / f"{name}.parquet" for name in trainings],
        dataset=["faces"],
        protocols=PROTOCOLS,
        models={name: [model, seed] for name, (model, seed, _) in trainings.items()},
        settings={"replicates": 400, "seed": 1},
        spread=folder / "spread.parquet",
        code="x",
    )
    return tables.read(folder / "spread.parquet", SPREAD).set_index("model")


def test_seeds_and_subjects_that_add_up_are_told_apart(study):
    subject = {"s1": 2.0, "s2": 4.0, "s3": 6.0}
    row = measured(
        study,
        {
            f"m_seed{seed}": ("m", seed, {s: px + more for s, px in subject.items()})
            for seed, more in SEEDS.items()
        },
    ).loc["m"]
    # s3 has two of four images: mean 4.5 px without, 8.5 px with the second seed; 40 px apart
    assert row["nmse"] == pytest.approx((4.5 + 8.5) / 2 / 40)
    assert row["seed_se"] == pytest.approx(np.std([4.5, 8.5], ddof=1) / np.sqrt(2) / 40)
    # every subject once: 2, 4, 6 px and 0, 4 px
    assert row["subject_sd"] == pytest.approx(2 / 40)
    assert row["seed_sd"] == pytest.approx(np.sqrt(8) / 40)
    assert row["residual_sd"] == pytest.approx(0, abs=1e-9)
    assert row["low"] < row["nmse"] < row["high"]
    assert row[["train_subjects", "n_seeds", "n_subjects"]].tolist() == [9, 2, 3]


def test_no_tables_are_held_but_those_of_the_training_before(study):
    measured(study, {name: ("m", k, {"s1": 2, "s2": 4, "s3": 6}) for k, name in enumerate("abc")})
    known = []

    def read():
        for name in "abc":
            assert all(ref() is None for ref in known[:-2])
            both = (
                tables.read(study / "folds.parquet", FOLDS),
                tables.read(study / f"{name}.parquet", PREDICTIONS),
            )
            known.extend(weakref.ref(table) for table in both)
            yield both
            del both

    faces = {name: tables.read(study / f"faces/{name}.parquet", schema) for name, schema in KINDS}
    made = list(
        trainings(
            read(),
            {"faces": faces["images"]},
            {"faces": faces["annotations"]},
            Settings(replicates=50),
            datasets={"p1": "faces"},
            models={name: ("m", k) for k, name in enumerate("abc")},
        )
    )
    assert [t.seed for t in made] == [0, 1, 2]


def test_one_training_leaves_its_seed_unknown(study):
    row = measured(study, {"m": ("m", 1, {"s1": 2.0, "s2": 4.0, "s3": 6.0})}).loc["m"]
    assert row[["seed_se", "seed_sd", "residual_sd"]].isna().all()
    assert row["subject_sd"] == pytest.approx(2 / 40)
    assert row["subject_se"] > 0


def test_a_subject_that_one_seed_did_not_find_is_left_out_of_the_deviations(study):
    shifts = {"s1": 2.0, "s2": 4.0, "s3": 6.0}
    lost = {**shifts, "s2": np.nan}
    row = measured(study, {"a": ("m", 1, shifts), "b": ("m", 2, lost)}).loc["m"]
    assert row["n_subjects"] == 2
    assert row["subject_sd"] == pytest.approx(np.sqrt(8) / 40)
    assert row["nmse"] == pytest.approx((18 / 4 + 14 / 3) / 2 / 40)  # all found images


def test_a_training_that_found_no_face_does_not_drop_out_of_the_mean(study):
    shifts, nothing = dict.fromkeys(COUNTS, 2.0), dict.fromkeys(COUNTS, np.nan)
    row = measured(study, {"a": ("m", 1, shifts), "b": ("m", 2, nothing)}).loc["m"]
    assert row[["nmse", "low", "high", "seed_se", "subject_se"]].isna().all()
    assert row["n_seeds"] == 2


def test_a_model_that_found_no_face_has_no_row(study):
    nothing = dict.fromkeys(COUNTS, np.nan)
    table = measured(study, {"m": ("m", 1, dict.fromkeys(COUNTS, 2.0)), "n": ("n", 1, nothing)})
    assert list(table.index) == ["m"]
