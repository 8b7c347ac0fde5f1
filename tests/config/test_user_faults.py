"""What people write by mistake, and what a configuration is told of it."""

import copy
from pathlib import Path

import pytest

from thermalign.config.models import check_places, check_study, read_study
from thermalign.config.paths import path_faults
from thermalign.config.yaml_files import read_yaml

ROOT = Path(__file__).parents[2]
DEFAULT = read_yaml(ROOT / "config.yaml")
TABLE = {"adapter": "table", "folder": "x", "manifest": "m.csv", "box": {"source": "given"}}


def refusal(group, name, block):
    """Return the one line that the default study with one more entry of a group is refused in."""
    config = copy.deepcopy(DEFAULT)
    config.setdefault(group, {})[name] = block
    with pytest.raises(ValueError, match=":") as caught:
        check_study(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("p1\n", r"'p1\n'"),
        ("\u0440\u0031", r"'\u04401'"),  # a Cyrillic letter
        ("p1 ", "'p1 '"),
        ("", "''"),
        ("P1", "P1"),
        ("p-1", "p-1"),
        ("p" * 61, "p" * 60 + " ..."),
    ],
)
def test_a_name_that_is_none_is_shown_so_that_its_fault_is_seen(name, shown):
    line = refusal("protocols", name, DEFAULT["protocols"]["p1"])
    assert line.startswith(f"protocols.{shown}: is no name; use small letters, digits and _, at")


def test_a_name_of_sixty_letters_is_taken():
    config = copy.deepcopy(DEFAULT)
    config["models"] = {"m" * 60: {"model": "mean_shape"}, "none": {"model": "dan"}}
    assert "m" * 60 in check_study(config)["models"]


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("training_seed ", "'training_seed '"),
        ("m\u043edels", r"'m\u043edels'"),
        ("a\nb", r"'a\nb'"),
    ],
)
def test_a_key_with_a_blank_or_a_look_alike_is_told_from_the_right_one(key, shown):
    config = {**copy.deepcopy(DEFAULT), key: 1}
    with pytest.raises(ValueError, match="no such key") as caught:
        check_study(config)
    assert str(caught.value).startswith(f"{shown}: no such key; ")
    assert "\n" not in str(caught.value)


def test_a_key_that_is_no_text_is_told():
    with pytest.raises(ValueError, match="the key 1 is no text; quote it"):
        check_study({**DEFAULT, 1: 2})


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"columns": {"subject": "ID"}}, "columns: no column 'subject'; did you mean subject_id?"),
        ({"defaults": {"rnge": 1}}, "defaults: no column 'rnge'; did you mean range?"),
        ({"defaults": {"path": "x"}}, "defaults: no column 'path'; use one of modality"),
        ({"defaults": {"modality": "ir"}}, "defaults.modality: 'ir' is none; use one of thermal"),
        ({"chunks": 3}, "chunks: no such key; did you mean columns?"),
        ({"box": {"fixed": [0, 0, 9, 9]}}, "box: fixed is given, but source is derived by default"),
    ],
)
def test_what_a_table_cannot_have_is_refused(block, message):
    assert refusal("datasets", "t", TABLE | block).startswith(f"datasets.t.{message}")


def test_an_attribute_is_a_column_that_may_have_another_name_or_a_default():
    config = copy.deepcopy(DEFAULT)
    told = {"attributes": ["beard"], "columns": {"beard": "Beard"}, "defaults": {"beard": "no"}}
    config["datasets"]["t"] = TABLE | told
    check_study(config)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"scale": 1}, "scale: 1 changes nothing"),
        ({"detector": "mtcnn"}, "detector: mtcnn finds no faces in whole images; name a model"),
    ],
)
def test_a_variant_that_cannot_be_is_refused(block, message):
    assert refusal("variants", "v", block).startswith(f"variants.v.{message}")


@pytest.mark.parametrize("seeds", [{"seed": 7}, {"subject_seeds": {"v1_s000": 7}}])
def test_a_variant_shows_the_people_of_its_protocols(seeds):
    config = copy.deepcopy(DEFAULT)
    own = config["datasets"]["simulated"]
    settings = own["settings"] | {k: v for k, v in seeds.items() if k != "seed"}
    other = own | {"settings": settings} | {k: v for k, v in seeds.items() if k == "seed"}
    config["datasets"]["other"] = other
    config["variants"] = {"v": {"dataset": "other"}}
    with pytest.raises(ValueError, match=r"variants\.v\.dataset: other has another seed, other vo"):
        check_study(config)


@pytest.mark.parametrize(("group", "name"), [("matcher", "features"), ("ablation", "a")])
def test_an_aligned_face_holds_cells(group, name):
    block = {"cell": 100} if group == "matcher" else {"features": {"cell": 100}}
    assert "features.cell: 100 px are too many for 2 x 2 cells; give 2 to 56" in refusal(
        group, name, block
    )


@pytest.mark.parametrize("key", ["ced_thresholds", "false_match_rates"])
def test_a_curve_has_a_number_of_points_that_can_be_held(key):
    assert "10000000000 is not allowed; give a whole number from 2 to 10000" in refusal(
        "evaluation", key, {"count": 10**10}
    )


def test_a_nearest_word_of_nothing_is_none():
    with pytest.raises(ValueError, match="null takes out what is not there; there is none"):
        read_study([ROOT / "config.yaml"], {"variants": {"v": None}})


# --- files and folders ---


@pytest.fixture
def written(tmp_path):
    def write(text):
        (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "study.yaml"

    return write


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Base: config.yaml\n", r"study.yaml: 'Base': no such key; did you mean base\?$"),
        ("\u200bbase: config.yaml\n", r"'\\u200bbase': no such key; did you mean base\?$"),
        (f"base: {'x' * 5000}\n", "study.yaml: base: no file .*; give a path within"),
        ("base: /etc/hostname\n", "base: no file /etc/hostname; give a path within"),
        ("base: ../config.yaml\n", "base: no file .*; give a path within"),
        ("models:\n\tdan: null\n", "line 2, column 1: .*; write blanks for the tab$"),
        (f"training_seed: {'9' * 5000}\n", "line 1: 9{60} ... is too large; give a number$"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(written, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_study([written(text)], {})
    assert "\n" not in str(caught.value)


def test_a_base_is_not_named_on_the_command_line():
    with pytest.raises(ValueError, match="the command line: base: is named by a file alone"):
        read_study([ROOT / "config.yaml"], {"base": "workflow/config/paper.yaml"})


def test_a_file_that_cannot_be_looked_for_is_refused():
    with pytest.raises(ValueError, match=r"x+: cannot be read \(File name too long\)"):
        read_study([Path("x" * 400)], {})


def test_a_configuration_may_be_json(written):
    study = read_study([written('{"base": "config.yaml", "results": "elsewhere"}')], {})
    assert study["results"] == "elsewhere"


def test_a_name_that_no_folder_can_have_is_refused():
    assert list(path_faults("data", "a" * 255)) == []
    (line,) = path_faults("data", f"b/{'a' * 256}")
    assert "has a name of more than 255 bytes" in line


def test_places_that_cannot_be_looked_at_are_refused(tmp_path, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied")

    study = read_study([ROOT / "workflow/config/london60.yaml"], {"data": str(tmp_path)})
    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(ValueError, match=r"datasets.london60: .*: Permission denied; correct it"):
        check_places(study, ROOT)
