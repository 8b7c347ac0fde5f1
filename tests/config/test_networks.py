"""Networks of matchers: whom they may be trained on, and who may name them."""

import copy
from pathlib import Path

import pytest

from thermalign.config.models import check_study
from thermalign.config.networks import firsts, matcher_of, network_of
from thermalign.config.yaml_files import read_yaml

DEFAULT = read_yaml(Path(__file__).parents[2] / "config.yaml")
APPLIED = {"mapping": "two_branch", "classifier": "cosine", "two_branch": {"network": "far"}}


@pytest.fixture
def config():
    """Return the default study with a network of strangers, which a protocol applies."""
    made = copy.deepcopy(DEFAULT)
    made["datasets"]["strangers"] = {**made["datasets"]["simulated"], "seed": 4001}
    made["networks"] = {"far": {"dataset": "strangers"}}
    made["protocols"]["p1"]["matcher"] = copy.deepcopy(APPLIED)
    return made


def refusal(config):
    with pytest.raises(ValueError, match=":") as caught:
        check_study(config)
    return str(caught.value).splitlines()


def test_a_protocol_has_the_matcher_of_the_study_but_for_what_it_says(config):
    study = check_study(config)
    own, other = matcher_of(study, "p1"), matcher_of(study, "p2")
    assert network_of(own) == "far"
    assert own["components"] == other["components"]
    assert (other["mapping"], network_of(other)) == ("dpm", "")


def test_a_network_of_people_whom_a_protocol_tests_is_refused(config):
    config["networks"]["far"]["dataset"] = "simulated"
    first, second = refusal(config)
    assert first.startswith(
        "networks.far.dataset: protocol p1 tests people of simulated, whom the network would have"
    )
    assert "protocol p2 tests" in second


def test_the_same_people_under_another_name_are_refused(config):
    config["datasets"]["strangers"]["seed"] = config["datasets"]["simulated"]["seed"]
    lines = refusal(config)
    assert lines[0] == (
        "networks.far.dataset: strangers has 80 of the people of simulated, whom protocol p1 "
        "tests; give it another seed"
    )
    assert len(lines) == 2


def test_one_person_of_the_same_seed_is_found(config):
    settings = copy.deepcopy(config["datasets"]["strangers"]["settings"])
    settings["subject_seeds"] = {"v1_s003": config["datasets"]["simulated"]["seed"]}
    config["datasets"]["strangers"]["settings"] = settings
    assert "strangers has 1 of the people of simulated" in refusal(config)[0]


@pytest.mark.parametrize(
    ("where", "change", "message"),
    [
        ("protocols", {"two_branch": {"network": "fr"}}, "no network 'fr'; did you mean far"),
        ("protocols", {"two_branch": {"netwrk": "far"}}, "netwrk"),
        ("ablation", {"mapping": "two_branch"}, "mapping is two_branch; give two_branch: {network"),
    ],
)
def test_a_matcher_without_its_network_is_refused(config, where, change, message):
    if where == "protocols":
        config["protocols"]["p1"]["matcher"] |= change
    else:
        config["ablation"]["net"] = change
    assert any(message in line for line in refusal(config))


def test_a_network_names_a_dataset_that_there_is_and_settings_that_it_has(config):
    config["networks"]["far"] = {"dataset": "stranger"}
    assert refusal(config)[0].startswith("networks.far.dataset: no dataset 'stranger'; did you")
    config["networks"]["far"] = {"dataset": "strangers", "jitter": {"nose": 1}}
    assert refusal(config)[0].startswith("networks.far.jitter.nose")


def test_protocols_that_differ_in_their_matcher_alone_name_the_first_of_them():
    shared = {"dataset": "d", "folds": 2}
    matcher = {"matcher": {"mapping": "wccn", "classifier": "cosine"}}
    study = {"a": shared, "b": {"dataset": "e"}, "c": shared | matcher, "d": shared | {"paper": 1}}
    assert firsts({"protocols": study}) == {"a": "a", "c": "a", "d": "a"}
    assert firsts(DEFAULT) == {}
