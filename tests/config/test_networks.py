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


def test_a_network_of_people_whom_another_dataset_enrols_is_refused(config):
    roles = {"probe": {"modality": "thermal"}, "gallery": {"modality": "visible"}}
    config["evaluate_on"] = {"there": {"dataset": "strangers", **roles}}
    assert refusal(config) == [
        "networks.far.dataset: evaluate_on.there tests people of strangers, whom the network would "
        "have seen; give it a dataset of its own"
    ]
    del config["evaluate_on"]["there"]["gallery"]  # of points alone the network knows nothing
    check_study(config)


@pytest.mark.parametrize(
    ("group", "name"), [("protocols", "p1"), ("ablation", "net"), ("sweep", "net")]
)
def test_other_descriptors_than_a_network_was_trained_on_are_refused(config, group, name):
    """They have as many numbers, so that nothing else would tell."""
    wide = APPLIED | {"dog": {"outer": 9.0}}
    if group == "protocols":
        config["protocols"][name]["matcher"] = wide
    else:
        config[group] = {name: wide}
    (line,) = refusal(config)
    assert line == (
        f"{group}.{name}{'.matcher' * (group == 'protocols')}.dog: is not the study's, which "
        "network far is trained with; leave it out"
    )


def test_an_aligned_face_holds_cells_of_a_protocol_s_own_matcher(config):
    config["protocols"]["p1"]["matcher"] = {"features": {"cell": 100}}
    assert refusal(config) == [
        "protocols.p1.matcher.features.cell: 100 px are too many for 2 x 2 cells; give 2 to 56"
    ]


def test_a_network_names_a_dataset_that_there_is_and_settings_that_it_has(config):
    config["networks"]["far"] = {"dataset": "stranger"}
    assert refusal(config)[0].startswith("networks.far.dataset: no dataset 'stranger'; did you")
    config["networks"]["far"] = {"dataset": "strangers", "jitter": {"nose": 1}}
    assert refusal(config)[0].startswith("networks.far.jitter.nose")
    config["networks"]["far"] = {"dataset": "strangers", "validation_people": 1}
    assert refusal(config) == [
        "networks.far: validation_people is 1, who is nobody to be taken for; give 0, or 2 or more"
    ]


def test_protocols_that_differ_in_their_matcher_alone_name_the_first_of_them():
    shared = {"dataset": "d", "folds": 2}
    matcher = {"matcher": {"mapping": "wccn", "classifier": "cosine"}}
    study = {"a": shared, "b": {"dataset": "e"}, "c": shared | matcher, "d": shared | {"paper": 1}}
    assert firsts({"protocols": study}) == {"a": "a", "c": "a", "d": "a"}
    assert firsts(DEFAULT) == {}
