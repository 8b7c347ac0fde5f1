"""A protocol asks a rendered dataset for people and images that it has, or is refused."""

import copy
from pathlib import Path

import pytest

from thermalign.config.models import check_study
from thermalign.config.yaml_files import read_yaml

DEFAULT = read_yaml(Path(__file__).parents[2] / "config.yaml")


@pytest.fixture
def config():
    return copy.deepcopy(DEFAULT)


def refusal(config):
    with pytest.raises(ValueError, match=":") as caught:
        check_study(config)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_subjects": 31}, ": 31 train_subjects and 30 test_subjects are more than the 60"),
        ({"test_subjects": 31}, ": 30 train_subjects and 31 test_subjects are more than the 60"),
        ({"volumes": [3]}, ".volumes: simulated has no volume 3; use one of 1 to 2"),
        ({"volumes": [1, 7]}, ".volumes: simulated has no volume 7"),
        ({"validation_share": 0.99}, ".validation_share: 0.99 holds out all 30 train_subjects"),
        ({"same_moment": []}, ".same_moment: is empty; give exclude, keep or both"),
    ],
)
def test_a_protocol_asks_for_people_that_there_are(config, change, message):
    config["protocols"]["p1"].update(change)
    (line,) = refusal(config)
    assert line.startswith(f"protocols.p1{message}")


@pytest.mark.parametrize(
    ("role", "block", "message"),
    [
        ("probe", {"conditions": ["basline"]}, "conditions: no thermal image is of 'basline'; did"),
        ("gallery", {"conditions": ["Baseline"]}, "conditions: no visible image is of 'Baseline'"),
        ("gallery", {"ranges": [2]}, "ranges: no visible image is of 2; use one of 1"),
        ("probe", {"ranges": [4]}, "ranges: no thermal image is of 4; use one of 1, 2, 3"),
        ("probe", {"sessions": ["2"]}, "sessions: no thermal image is of '2'; use one of 1"),
    ],
)
def test_a_selection_names_what_there_is(config, role, block, message):
    config["protocols"]["p1"][role].update(block)
    (line,) = [line for line in refusal(config) if line.startswith("protocols")]
    assert line.startswith(f"protocols.p1.{role}.{message}")


def test_a_selection_that_no_image_of_its_volumes_meets_is_refused(config):
    config["protocols"]["p2"] |= {"volumes": [2], "train_subjects": 10, "test_subjects": 10}
    config["protocols"]["p2"]["probe"]["ranges"] = [3]
    (line,) = refusal(config)
    assert line.startswith("protocols.p2.probe: selects no image of volumes [2] of simulated")


def test_displacements_are_at_a_range_of_every_protocols_probes(config):
    config["displacements"]["range"] = 2
    config["protocols"]["p1"]["probe"]["ranges"] = [1]
    (line,) = refusal(config)
    assert line.startswith("displacements.range: protocol p1 has no probe at range 2")


def test_a_subject_with_a_seed_of_its_own_is_in_the_dataset(config):
    settings = config["datasets"]["simulated"]["settings"]
    settings["subject_seeds"] = {"v1_s059": 1, "v2_s020": 1}
    where = "datasets.simulated.settings.subject_seeds"
    assert refusal(config) == [f"{where}: no subject 'v2_s020'; use v1_s000 to v2_s019"]


def exported(share):
    plain = DEFAULT["datasets"]["simulated"]
    return {**plain, "settings": plain["settings"] | {"variety": {"exports": share}}}


@pytest.mark.parametrize("user", ["protocols.p2", "variants.exported"])
@pytest.mark.parametrize("model", ["dan", "pbc", "mtcnn", "ert", "heatmap"])
def test_a_window_of_degrees_sees_nothing_of_pictures_of_8_bits(config, user, model):
    config["datasets"]["pictures"] = exported(0.4)
    if user == "protocols.p2":
        config["protocols"]["p2"]["dataset"] = "pictures"
    else:
        config["variants"]["exported"] = {"dataset": "pictures"}
    check_study(config)
    config["models"][model]["normalisation"] = "window"
    assert refusal(config) == [
        f"models.{model}.normalisation: window is [20.0, 40.0], but of {user} a share of 0.4 "
        "are pictures of 0 to 1 and the rest degrees (datasets.pictures: variety.exports); "
        "give percentile"
    ]


@pytest.mark.parametrize(
    ("share", "window", "allowed"),
    [(1.0, [0.0, 1.0], True), (1.0, [20.0, 40.0], False), (0.4, [0.0, 1.0], False)],
)
def test_a_window_of_pictures_fits_where_all_are_pictures(config, share, window, allowed):
    config["datasets"]["simulated"] = exported(share)
    config["models"]["dan"] |= {"normalisation": "window", "window": window}
    if allowed:
        check_study(config)
    else:
        (line,) = refusal(config)
        assert line.startswith(f"models.dan.normalisation: window is {window}, but of protocols.p2")


def test_a_window_of_degrees_is_allowed_where_no_picture_is_used(config):
    config["models"]["dan"]["normalisation"] = "window"
    config["datasets"]["unused"] = exported(0.4)
    check_study(config)


def test_rendered_images_come_with_no_box(config):
    config["datasets"]["simulated"]["box"] = {"source": "given"}
    assert refusal(config)[0].startswith("datasets.simulated.box.source: given, but rendered")
