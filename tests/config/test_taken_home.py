"""The block ``detector:`` names models that are there, and of which one finds faces."""

import copy
from pathlib import Path

import pytest

from thermalign.config.models import check_places, check_study
from thermalign.config.yaml_files import read_yaml

ROOT = Path(__file__).parents[2]
DEFAULT = read_yaml(ROOT / "config.yaml")
FINDER = {"model": "mtcnn", "stages": "full", "losses": "weighted_sum"}
TABLE = {"adapter": "table", "folder": "faces", "manifest": "landmarks.csv", "box": {}}


def study(detector, **models):
    config = copy.deepcopy(DEFAULT)
    config["models"] |= {"seeker": FINDER, **models}
    config["datasets"] |= {"mine": {**TABLE, "attributes": ["camera"]}}
    config["detector"] = {
        "landmarks": {"protocol": "p2", "model": "heatmap"},
        "finder": {"protocol": "p1", "model": "seeker", "fold": 1},
        **detector,
    }
    return config


def test_the_fold_is_the_first_unless_another_is_named_and_nothing_recorded_is_needed():
    assert check_study(study({}))["detector"] == {
        "landmarks": {"protocol": "p2", "model": "heatmap", "fold": 0},
        "finder": {"protocol": "p1", "model": "seeker", "fold": 1},
    }
    assert "detector" not in check_study(DEFAULT)


def test_a_training_of_one_seed_can_be_named():
    models = {"sure": {"model": "heatmap", "seeds": [4, 5]}}
    named = {"landmarks": {"protocol": "p1", "model": "sure_seed5"}}
    assert check_study(study(named, **models))["detector"]["landmarks"]["model"] == "sure_seed5"


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        ({"landmarks": {"protocol": "p3", "model": "dan"}}, "landmarks.protocol: no protocol 'p3'"),
        (
            {"landmarks": {"protocol": "p1", "model": "dan", "fold": 2}},
            "landmarks.fold: 2 of 2 folds",
        ),
        ({"landmarks": {"protocol": "p1", "model": "dam"}}, "landmarks.model: no model 'dam'"),
        (
            {"finder": {"protocol": "p1", "model": "heatmap"}},
            "finder.model: heatmap finds no faces in whole images; name a model that does",
        ),
        (
            {"finder": {"protocol": "p1", "model": "mtcnn"}},  # its stages: onet
            "finder.model: mtcnn finds no faces in whole images; name a model that does",
        ),
        ({"recorded": {"dataset": "none"}}, "recorded.dataset: no dataset 'none'"),
        ({"recorded": {"dataset": "mine"}}, "recorded.by: 'source' is no attribute of mine"),
    ],
)
def test_what_is_not_there_or_cannot_serve_is_refused(detector, message):
    with pytest.raises(ValueError, match="detector") as caught:
        check_study(study(detector))
    assert str(caught.value).startswith(f"detector.{message}")
    assert "\n" not in str(caught.value)


def test_the_manifest_of_recorded_faces_must_be_there(tmp_path):
    config = check_study(study({"recorded": {"dataset": "mine", "by": "camera"}}))
    with pytest.raises(ValueError, match=r"datasets\.mine: .*landmarks\.csv: no such manifest"):
        check_places({**config, "data": str(tmp_path)}, ROOT)


def test_a_model_without_validation_people_would_say_nothing_of_its_errors():
    config = study({})
    config["protocols"]["p2"] |= {"validation_share": 0, "reject": []}
    with pytest.raises(ValueError, match=r"detector\.landmarks\.protocol: p2 has no validation"):
        check_study(config)


@pytest.mark.parametrize("visible", [["landmarks"], ["finder"], ["landmarks", "finder"]])
def test_both_models_are_of_thermal_images(visible):
    config = study({})
    for part in visible:
        protocol = config["detector"][part]["protocol"]
        config["protocols"][protocol]["probe"] = {"modality": "visible"}
    with pytest.raises(ValueError, match="detector") as caught:
        check_study(config)
    told = [line.split(":")[0] for line in str(caught.value).splitlines()]
    assert told == [f"detector.{part}.protocol" for part in visible]
    assert "trains on visible images" in str(caught.value)


def test_a_run_whose_figures_stand_beside_must_be_there(tmp_path):
    config = check_study(study({"beside": str(tmp_path)}))
    with pytest.raises(ValueError, match=r"detector\.beside: .*metrics\.parquet: no such table"):
        check_places(config, ROOT)
    (tmp_path / "metrics.parquet").write_bytes(b"")
    check_places(config, ROOT)
    own = tmp_path / "mine" / "detector"
    own.mkdir(parents=True)
    (own / "metrics.parquet").write_bytes(b"")
    config |= {"results": str(tmp_path / "mine")}
    config["detector"]["beside"] = str(own / ".." / "detector")
    with pytest.raises(ValueError, match=r"detector\.beside: .*: is this study's own; name"):
        check_places(config, ROOT)
    with pytest.raises(ValueError, match=r"detector\.beside: '~x' begins with ~"):
        check_study(study({"beside": "~x"}))
