"""The study at the paper's size has the paper's own image counts (Poster et al. 2019, 4.1).

And no study that is delivered ends a training on the last step of a constant learning rate.
"""

from pathlib import Path

import pandas as pd
import pytest

from thermalign.config.models import read_study
from thermalign.folds import Settings, draw_roles, split
from thermalign.landmarks.models import load_model
from thermalign.simulator.settings import settings_from, subject_name
from thermalign.training.loop import rate_at

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "workflow" / "config" / "paper.yaml"
STUDIES = [ROOT / "config.yaml", *sorted(CONFIG.parent.glob("*.yaml"))]


@pytest.fixture(scope="module")
def study():
    return read_study([CONFIG], {})


@pytest.fixture(scope="module")
def images(study):
    """Return the thermal images that the configured simulator makes, without rendering them."""
    volumes = settings_from(study["datasets"]["frames"]["settings"]).volumes
    rows = [
        (subject_name(volume, number), volume, sum(plan.frames()))
        for volume, plan in enumerate(volumes, 1)
        for number in range(plan.subjects)
    ]
    return pd.DataFrame(
        [(f"{s}_{k}", s, volume) for s, volume, count in rows for k in range(count)],
        columns=["image_id", "subject_id", "volume"],
    )


def split_settings(study, name):
    keys = ("volumes", "train_subjects", "test_subjects", "validation_share", "seed")
    return Settings(**{key: study["protocols"][name][key] for key in keys})


def counts(study, images, name):
    folds = study["protocols"][name]["folds"]
    settings = split_settings(study, name)
    tables = [split(images, settings, protocol=name, fold=k) for k in range(folds)]
    return [t["role"].value_counts().to_dict() for t in tables]


def test_subjects_have_as_many_thermal_images_as_the_paper_divides_into(images):
    per_subject = images.groupby(["volume", "subject_id"]).size()
    assert set(per_subject.loc[1]) == {384}
    assert set(per_subject.loc[2]) == {480}
    assert per_subject.groupby("volume").size().to_dict() == {1: 60, 2: 51}


def test_protocol_1_trains_and_tests_on_the_papers_counts(study, images):
    assert counts(study, images, "p1") == [{"train": 23_040, "test": 11_520}] * 5


def test_protocol_2_has_the_papers_average_counts(study, images):
    folds = pd.DataFrame(counts(study, images, "p2"))
    assert folds.mean().round().to_dict() == {"train": 72_845, "test": 11_098}


def test_the_recorded_seed_puts_72_subjects_of_volume_1_into_the_test_sets(study, images):
    subjects = images["subject_id"].drop_duplicates().sort_values().to_numpy()
    settings = split_settings(study, "p2")
    roles = [draw_roles(subjects, settings, fold) for fold in range(5)]
    tested = [s for fold in roles for s, role in fold.items() if role == "test"]
    assert (len(tested), sum(s.startswith("v1") for s in tested)) == (130, 72)


def settings_of(study, name):
    """Return a model's parsed settings."""
    block = {k: v for k, v in study["models"][name].items() if k not in ("model", "seeds")}
    return load_model(study["models"][name].get("model", name), block, name)[1]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_no_training_ends_on_the_last_step_of_a_constant_rate(path):
    study = read_study([path], {})
    held_out = all(p["validation_share"] for p in study["protocols"].values())
    for name in study["models"]:
        settings = settings_of(study, name)
        # With validation subjects the best state is kept, but of MTCNN's first two networks.
        best_is_kept = held_out and getattr(settings, "stages", "") != "full"
        if hasattr(settings, "schedule") and not best_is_kept:
            assert rate_at(settings.schedule, 1000, 999) < 0.001, name


def test_the_papers_study_holds_nobody_out(study):
    assert {p["validation_share"] for p in study["protocols"].values()} == {0}
