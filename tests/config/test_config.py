"""A configuration is completed, or refused in one line a fault that names key, value and cure."""

import copy
import json
import warnings
from pathlib import Path

import pytest

from thermalign.config.models import (
    check_places,
    check_study,
    manifest_of,
    read_study,
    trainings,
)
from thermalign.config.paths import path_faults
from thermalign.config.yaml_files import read_yaml

ROOT = Path(__file__).parents[2]
DEFAULT = read_yaml(ROOT / "config.yaml")


@pytest.fixture
def config():
    return copy.deepcopy(DEFAULT)


def refusal(config):
    """Return the one line that a configuration is refused in."""
    with pytest.raises(ValueError, match=":") as caught:
        check_study(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_a_file_leaves_out_of_its_own_blocks_is_completed(config):
    del config["protocols"]["p1"]["same_moment"], config["ablation"]
    config["protocols"]["p1"]["probe"] = {"modality": "thermal"}
    study = check_study(config)
    every = {"modality": "thermal", "conditions": [], "ranges": [], "sessions": []}
    assert study["protocols"]["p1"]["probe"] == every
    assert study["protocols"]["p1"]["same_moment"] == ["exclude", "keep"]
    assert study["ablation"] == study["sweep"] == {}


def test_settings_of_a_part_stay_as_they_are_given(config):
    study = check_study(config)
    for key in ("models", "datasets"):
        assert json.dumps(study[key], sort_keys=True) == json.dumps(
            check_study(study)[key], sort_keys=True
        )
    assert study["models"]["ert"] == {"num_trees_per_cascade_level": 50}
    assert study["models"]["mean_shape"] == {}
    assert study["matcher"]["dog"] == {}


def test_settings_within_settings_are_left_out_or_given_in_part_without_a_warning(config):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "augment" not in check_study(config)["models"]["dan"]
        config["models"]["dan"]["augment"] = {"gain": 1}
        assert check_study(config)["models"]["dan"]["augment"] == {"gain": 1.0}


def test_a_number_of_a_key_of_numbers_is_one_however_it_is_written(config):
    config["models"]["dan"]["width"] = 1
    width = check_study(config)["models"]["dan"]["width"]
    assert (width, type(width)) == (1.0, float)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"models": None},
            "models: None is not allowed; give keys and values, not empty (landmark",
        ),
        ({"models": {}}, "models: {} is not allowed; give keys and values, not empty"),
        ({"models": {"dan": None}}, "models.dan: None is not allowed; give keys and values"),
        ({"training_sed": 1}, "training_sed: no such key; did you mean training_seed?"),
        ({"zzz": 1}, "zzz: no such key; use one of results, data, training_seed"),
        ({"results": 2019}, "results: 2019 is not allowed; give text (Folder of"),
        ({"results": ""}, "results: '' is empty; name another folder"),
        ({"results": "a{b}"}, "results: 'a{b}' has braces, which Snakemake takes for wildcards"),
        ({"data": "a\nb"}, r"data: 'a\nb' has a line break"),
        ({"results": "-x"}, "results: '-x' begins with -; write ./-x"),
        ({"data": "~/faces"}, "data: '~/faces' begins with ~"),
        ({"results": " a"}, "results: ' a' begins or ends with a blank"),
        (
            {"training_seed": 1.0},
            "training_seed: 1.0 is not allowed; give a whole number from 0 to",
        ),
        ({"training_seed": True}, "training_seed: True is not allowed; give a whole number"),
        ({"training_seed": 2**40}, "training_seed: 1099511627776 is not allowed; give a whole"),
        (
            {"models": {"mean-shape": {}}},
            "models.mean-shape: is no name; use small letters, digits",
        ),
        ({"models": {"annotated": {}}}, "models.annotated: is no name; use small letters"),
        ({"models": {"mean_shap": {}}}, "no model 'mean_shap'; did you mean mean_shape?"),
        ({"models": {"x": {"model": "dna"}}}, "models.x: no model 'dna'; did you mean dan?"),
    ],
)
def test_a_wrong_value_is_refused_by_key_in_one_line(config, change, message):
    assert message in refusal(config | change)


def test_every_fault_has_a_line_of_its_own(config):
    config["models"]["dan"]["stepz"] = 1
    config["datasets"]["simulated"]["chunks"] = 0
    config["threads"] = {}
    with pytest.raises(ValueError, match="threads") as caught:
        check_study(config)
    keys = [line.partition(":")[0] for line in str(caught.value).splitlines()]
    assert sorted(keys) == ["datasets.simulated.chunks", "models.dan.stepz", "threads.train"]


def test_a_false_match_rate_is_asked_for_once_for_it_is_a_key_of_the_metrics(config):
    config["evaluation"]["tar_at_far"] = [0.1, 0.10]
    assert "evaluation.tar_at_far: [0.1, 0.1] is not allowed; give a list" in refusal(config)


def test_a_further_metric_is_one_that_is_there_and_makes_one_figure(config, monkeypatch):
    config["evaluation"]["metrics"] = ["median_error"]
    check_study(config)
    config["evaluation"]["metrics"] = ["median_eror"]
    assert refusal(config).endswith("no metric 'median_eror'; did you mean median_error?")
    monkeypatch.setattr("thermalign.config.blocks.further_metrics", lambda function: ["both"])
    config["evaluation"]["metrics"] = ["both"]
    assert "both has of_errors() and of_scores(); split its module" in refusal(config)


OPTIONAL = ("variants", "ablation", "displacements", "evaluate_on")
BLOCKS = [key for key in DEFAULT if key not in OPTIONAL]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_missing_block_is_refused_by_name(config, block):
    del config[block]
    assert refusal(config).startswith(f"{block}: is missing; give ")


@pytest.mark.parametrize("key", list(DEFAULT["evaluation"]))
def test_every_key_of_the_evaluation_must_be_given(config, key):
    del config["evaluation"][key]
    assert refusal(config).startswith(f"evaluation.{key}: is missing; give ")


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        ("right_eye", [330, 42], "points.right_eye: [330.0, 42.0] lies outside the aligned face"),
        ("right_eye", [0.3, 33], "points.right_eye[0]: 0.3 is not allowed; give a number from 1"),
        ("right_eye", [33], "points.right_eye: [33] is not allowed; give a list of 2 entries"),
        ("right_eye", [79, 42], "left_eye [79.0, 42.0] must lie at least 4 px right of right_eye"),
        ("left_mouth_corner", [20, 94], "right of right_mouth_corner"),
        ("left_eye", [79, 99], "an eye lies below nose_base"),
        ("left_mouth_corner", [74.5, 42], "the mouth lies above nose_base"),
    ],
)
def test_canonical_points_that_are_no_face_are_refused(config, name, place, message):
    config["alignment"]["points"][name] = place
    with pytest.raises(ValueError, match=r"^alignment\.points") as caught:
        check_study(config)
    assert message in str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"adapter": "csv"}, ": no adapter 'csv'; use one of arl_polarimetric, arl_vtf, carl, "),
        ({"adapter": "tabel"}, ": no adapter 'tabel'; did you mean table?"),
        ({"seed": "x"}, ".seed: 'x' is not allowed; give a whole number"),
        ({"chunks": 8.0}, ".chunks: 8.0 is not allowed; give a whole number from 1"),
        ({"box": {"source": "derived", "width": 230}}, ".box.width: 230 is not allowed; give a"),
        ({"box": {"source": "given", "with": 3}}, ".box.with: no such key; did you mean width?"),
        ({"box": {"source": "fixed"}}, ".box: source is fixed; give fixed: [x, y, width, height]"),
        ({"box": {"fixed": [0.2, 0.2, 0.6, 0.6]}}, ".box.fixed: [0.2, 0.2, 0.6, 0.6] is no box"),
        ({"manifest": "x.csv"}, ".manifest: no such key; use one of adapter, seed, chunks"),
        (
            {"settings": {"volumes": [{"subjects": 2}, {"subject": 2, "subjects": 3}]}},
            ".settings.volumes[1].subject: no such key; did you mean subjects?",
        ),
        ({"settings": {"volumes": []}}, ".settings.volumes: [] is not allowed; give a list of at"),
    ],
)
def test_what_is_wrong_in_a_dataset_is_named_where_it_is(config, change, message):
    config["datasets"]["simulated"].update(change)
    assert refusal(config).startswith(f"datasets.simulated{message}")


@pytest.mark.parametrize(
    ("group", "name", "block", "message"),
    [
        ("protocols", "report", {}, "protocols.report: is no name; use small letters"),
        ("variants", "far", {"shfit": 0.1}, "variants.far.shfit: no such key; did you mean shift?"),
        ("variants", "far", {"shift": 0.1, "scale": 2}, "variants.far: has 2 keys; give one of"),
        ("variants", "far", {}, "variants.far: has 0 keys; give one of shift, scale, detector"),
        ("variants", "far", {"shift": 0}, "variants.far.shift: 0 moves nothing"),
        ("variants", "none", {"shift": 0.1}, "variants.none: is no name"),
        ("variants", "far", {"detector": "mtcn"}, "no model 'mtcn'; did you mean mtcnn?"),
        (
            "variants",
            "far",
            {"detector": "dan"},
            "far.detector: dan finds no faces in whole images",
        ),
        ("variants", "far", {"dataset": "cold"}, "no dataset 'cold'; use one of simulated"),
        ("ablation", "study", {"mapping": "none"}, "ablation.study: is no name"),
        ("ablation", "pls", {}, "ablation.pls: differs in nothing"),
        ("ablation", "pls", {"maping": "none"}, "pls.maping: no such key; did you mean mapping?"),
        ("sweep", "pls", {"mapping": "non"}, "sweep.pls.mapping: 'non' is not known; did you mean"),
        ("sweep", "pls", {"dog": {"innner": 1}}, "sweep.pls.dog.innner: no such key; did you mean"),
        (
            "protocols",
            "p3",
            {"dataset": "x"},
            "protocols.p3.folds: is missing; give a whole number",
        ),
    ],
)
def test_what_is_wrong_in_an_entry_is_named(config, group, name, block, message):
    config.setdefault(group, {})[name] = block
    with pytest.raises(ValueError, match=":") as caught:
        check_study(config)
    assert message in str(caught.value)


def test_a_protocol_of_no_dataset_is_refused_with_the_nearest(config):
    config["protocols"]["p1"]["dataset"] = "simulatd"
    wanted = "protocols.p1.dataset: no dataset 'simulatd'; did you mean simulated?"
    assert refusal(config) == wanted


def test_a_protocol_says_whether_the_papers_figures_belong_beside_it(config):
    del config["protocols"]["p2"]["paper"]
    study = check_study(config)
    assert [block.get("paper") for block in study["protocols"].values()] == [1, None]
    config["protocols"]["p1"]["paper"] = 3
    assert "protocols.p1.paper: 3 is not allowed; give a whole number from 1 to 2" in refusal(
        config
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": [0.02, 0]}, "levels: [0.02, 0.0] do not rise from 0; sort two or more"),
        ({"levels": [0]}, "levels: [0.0] do not rise from 0"),
        ({"levels": [0, 3]}, "levels[1]: 3 is not allowed; give a number from 0.0 to 2.0"),
        ({"linear_up_to": 0.01}, "linear_up_to: no level but 0 up to 0.01; give 0.02 or more"),
        ({"kinds": ["wobble"]}, "kinds[0]: 'wobble' is not known; use one of isotropic, shift"),
        ({"kinds": []}, "kinds: is empty; name one"),
        ({"kinds": ["shift", "shift"]}, "kinds: ['shift', 'shift'] is not allowed"),
    ],
)
def test_displacements_that_make_no_curve_are_refused(config, change, message):
    config["displacements"].update(change)
    assert f"displacements.{message}" in refusal(config)


@pytest.mark.parametrize("seeds", [[], [1, 1], 3, [1.5]])
def test_training_seeds_are_a_list_of_different_whole_numbers(config, seeds):
    config["models"]["dan"]["seeds"] = seeds
    assert refusal(config).startswith("models.dan.seeds")


def test_every_training_seed_is_a_training_of_its_own(config):
    config["models"] = {"dan": {"seeds": [3, 7], "steps": 5}, "low": {"model": "mean_shape"}}
    found = trainings(check_study(config))
    assert {folder: its[:3] for folder, its in found.items()} == {
        "dan_seed3": ("dan", "dan", 3),
        "dan_seed7": ("dan", "dan", 7),
        "low": ("low", "mean_shape", 1),
    }
    assert found["dan_seed3"].settings == {"steps": 5}


def test_two_trainings_of_one_folder_are_refused(config):
    config["models"] = {"mean_shape_seed4": {"model": "mean_shape"}, "mean_shape": {"seeds": [4]}}
    wanted = "models.mean_shape: mean_shape_seed4 is a training of models.mean_shape_seed4 already"
    assert wanted in refusal(config)


def test_a_recording_with_another_seed_shows_other_people_and_is_refused(config):
    config["datasets"]["other"] = config["datasets"]["simulated"] | {"seed": 3}
    config["variants"] = {"other": {"dataset": "other"}}
    with pytest.raises(ValueError, match=r"variants\.other\.dataset: other has another seed"):
        check_study(config)
    config["datasets"]["other"]["seed"] = config["datasets"]["simulated"]["seed"]
    check_study(config)


# --- places ---


@pytest.fixture
def photographs():
    return read_study([ROOT / "workflow/config/london60.yaml"], {"data": str(ROOT / "nowhere")})


def test_a_manifest_that_is_not_there_is_refused_by_its_dataset(photographs):
    with pytest.raises(ValueError, match=r"datasets.london60: .*landmarks.csv: no such manifest"):
        check_places(photographs, ROOT)


def test_a_manifest_lies_in_the_folder_of_its_data(photographs, tmp_path):
    photographs["data"] = str(tmp_path)
    (tmp_path / "landmarks.csv").touch()
    assert manifest_of(photographs, "london60") == tmp_path / "landmarks.csv"
    check_places(photographs, ROOT)


def test_a_dataset_that_is_rendered_has_no_manifest(config):
    assert manifest_of(check_study(config), "simulated") is None


def test_results_that_are_a_file_are_refused(config):
    config["results"] = str(ROOT / "README.md")
    with pytest.raises(ValueError, match=r"README.md is a file; name a folder"):
        check_places(check_study(config), ROOT)


def test_a_manifest_with_braces_is_refused_by_its_dataset(photographs):
    photographs["datasets"]["london60"]["manifest"] = "{x}.csv"
    assert "datasets.london60.manifest: '{x}.csv' has braces" in refusal(photographs)


def test_an_attribute_that_is_no_name_is_refused(photographs):
    photographs["datasets"]["london60"]["attributes"] = ["Beard type"]
    assert "datasets.london60.attributes: 'Beard type' is no name" in refusal(photographs)


@pytest.mark.parametrize(
    "name", ["my results", "r;touch X", "it's", '"a"', "a[1]", "$HOME", "a&b", "é"]
)
def test_blanks_quotes_and_other_characters_of_a_shell_are_taken(name):
    assert not list(path_faults("results", name))
