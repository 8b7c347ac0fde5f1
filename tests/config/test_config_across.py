"""Other datasets to test models on: what is known of their people, and what is refused."""

import copy
from pathlib import Path

import pytest

from thermalign.config.across import datasets, evaluations, people
from thermalign.config.models import check_places, check_study
from thermalign.config.yaml_files import read_yaml

DEFAULT = read_yaml(Path(__file__).parents[2] / "config.yaml")
TABLE = {"adapter": "table", "folder": ".", "manifest": "faces.csv", "box": {"source": "given"}}
THERMAL, VISIBLE = {"modality": "thermal"}, {"modality": "visible"}


@pytest.fixture
def config():
    """The default study with a second seed, a second camera and two recorded datasets."""
    study = copy.deepcopy(DEFAULT)
    own = study["datasets"]["simulated"]
    study["datasets"] |= {
        "others": own | {"seed": 3},
        "camera": own | {"settings": own["settings"] | {"sensor": "uncooled"}},
        "recorded": TABLE,
        "more": TABLE,
    }
    return study


def with_tests(config, **blocks):
    config["evaluate_on"] = {n: {"probe": THERMAL} | block for n, block in blocks.items()}
    return config


def refusal(config):
    with pytest.raises(ValueError, match=":") as caught:
        check_study(config)
    return str(caught.value).splitlines()


def test_every_protocol_is_tested_elsewhere_or_those_that_are_named(config):
    its = {"camera": {"dataset": "camera"}, "real": {"dataset": "recorded", "protocols": ["p2"]}}
    study = check_study(with_tests(config, **its))
    assert list(evaluations(study)) == [("p1", "camera"), ("p2", "camera"), ("p2", "real")]
    assert datasets(study) == ["camera", "recorded"]


def test_whether_people_are_the_same_is_known_wherever_one_side_is_rendered(config):
    names = ("simulated", "others", "camera", "recorded")
    config["protocols"]["p2"] |= {"dataset": "recorded"}
    study = check_study(with_tests(config, **{name: {"dataset": name} for name in names}))
    assert [people(study, "p1", name) for name in names] == ["same", "others", "same", "others"]
    assert [people(study, "p2", name) for name in names] == ["others", "others", "others", "same"]


def test_one_person_of_the_same_seed_makes_people_the_same(config):
    own = config["datasets"]["others"]
    seeds = {"subject_seeds": {"v1_s003": config["datasets"]["simulated"]["seed"]}}
    config["datasets"]["others"] = own | {"settings": own["settings"] | seeds}
    study = check_study(with_tests(config, others={"dataset": "others"}))
    assert people(study, "p1", "others") == "same"


def test_between_recorded_datasets_people_are_what_the_configuration_says(config):
    config["protocols"]["p1"] |= {"dataset": "recorded"}
    for said, wanted in (({}, "apart"), ({"people": "same"}, "same")):
        block = {"dataset": "more", "protocols": ["p1"], **said}
        study = check_study(with_tests(config, more=block))
        assert people(study, "p1", "more") == wanted


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"dataset": "camra"}, "dataset: no dataset 'camra'; did you mean camera?"),
        ({"dataset": "camera", "protocols": ["p3"]}, "protocols: no protocol 'p3'; "),
        ({"dataset": "camera", "landmarks": ["nose_tip"]}, "landmarks: no landmark 'nose_tip'"),
        ({"dataset": "camera", "landmark": []}, "landmark: no such key; did you mean landmarks?"),
        ({"dataset": "camera", "people": "us"}, "people: 'us' is not known; use one of"),
        ({"dataset": "camera", "people": "others"}, "people: others, but camera shows the same"),
        ({"dataset": "others", "people": "same"}, "people: same, but others shows other people"),
        (
            {"dataset": "camera", "probe": {"modality": "thermal", "conditions": ["smiling"]}},
            "probe.conditions: no thermal image is of 'smiling'",
        ),
        (
            {"dataset": "camera", "gallery": VISIBLE | {"ranges": [3]}},
            "gallery.ranges: no visible image is of 3",
        ),
    ],
)
def test_what_cannot_be_tested_is_refused_in_a_line(config, block, message):
    lines = refusal(with_tests(config, there=block))
    assert lines[0].startswith(f"evaluate_on.there.{message}"), lines


def test_a_manifest_that_models_are_tested_on_is_there_before_any_job(config, tmp_path):
    config["data"] = str(tmp_path)
    study = check_study(with_tests(config, real={"dataset": "recorded"}))
    with pytest.raises(ValueError, match=r"datasets\.recorded: .*faces\.csv: no such manifest"):
        check_places(study, tmp_path)
    (tmp_path / "faces.csv").touch()
    check_places(study, tmp_path)


def test_a_window_of_degrees_does_not_fit_rendered_pictures_that_models_are_tested_on(config):
    own = config["datasets"]["simulated"]
    settings = own["settings"] | {"variety": {"exports": 1.0}}
    config["datasets"]["exported"] = own | {"settings": settings}
    config["models"]["dan"]["normalisation"] = "window"
    (line,) = refusal(with_tests(config, there={"dataset": "exported"}))
    assert line.startswith("models.dan.normalisation: window is")
    assert "of evaluate_on.there a share of" in line
