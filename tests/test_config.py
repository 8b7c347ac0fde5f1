"""A configuration is read strictly and refused in one line that names file, place and cure."""

import re
from pathlib import Path

import pytest
import yaml

from thermalign.config import check_config, check_detector, check_folder, read_config

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\nb: [1\n",
            r"c\.yaml line 3, column 1: is not readable as YAML: .*expected ',' or ']'",
        ),
        ("a: 1\n\tb: 2\n", r"line 2, column 1: is not readable as YAML: .*found character '\\t'"),
        ("a: 1\nb: 2\na: 3\n", "line 3: the key a stands in line 1 already; keep one"),
        (
            "m:\n  dan:\n    steps: 1\n    x: 2\n    steps: 3\n",
            "line 5: the key steps stands in line 3",
        ),
        ("m: {dan: {}, pbc: {}, dan: {}}\n", "line 1: the key dan stands in line 1 already"),
        ("m:\n- {x: 1, x: 2}\n", "line 2: the key x stands in line 2"),
        ("1: a\n", "line 1: the key 1 is no text; quote it"),
        ("models:\n  no: {}\n", "line 2: the key no is no text; quote it"),
        ("- a\n- b\n", "holds no keys and values"),
        ("", "holds no keys and values"),
        ("results\n", "holds no keys and values"),
        ("a: 1\n---\nb: 2\n", "expected a single document"),
        ("a: .nan\n", "line 1: .nan is not finite"),
        ("a: [1, -.inf]\n", "line 1: -.inf is not finite"),
        ("a: 2026-01-01\n", "line 1: 2026-01-01 is read as a timestamp; put it in quotes"),
        ("a: !!python/object:os.system {}\n", "put it in quotes|could not determine"),
        ("a: &x {b: 1}\nc: *y\n", "found undefined alias"),
        ("a: 1\nb: 010\n", "line 2: 010 is read as 8 .octal, or hours and minutes.; write"),
        ("a: [1:30]\n", "line 1: 1:30 is read as 90 "),
        ("a: 1e3\n", "line 1: 1e3 is read as text; write 1000, or"),
        ("a: 4e-3\n", "line 1: 4e-3 is read as text; write 0.004, or"),
        ("a: 1e-7\n", r"line 1: 1e-7 is read as text; write 1\.0e-07, or"),
        ("a: 1e999\n", "line 1: 1e999 is not finite; give a number"),
        ("? [a, b]\n: 1\n", "line 1: a key is no text; quote it"),
        ("a: !!set {x}\n", "line 1: this is read as a set; put it in quotes, or delete it"),
        ("a: " + 3000 * "[" + 3000 * "]", "nests too deep; see config.yaml"),
    ],
)
def test_a_broken_configuration_is_refused_by_line(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_config(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_configuration_that_is_no_file_or_no_text_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(ValueError, match="no such configuration; name one with --configfile"):
            read_config(path)
    (tmp_path / "c.yaml").write_bytes("a: \xe9".encode("latin-1"))
    with pytest.raises(ValueError, match=r"c\.yaml: is not UTF-8 text .* save it as UTF-8"):
        read_config(tmp_path / "c.yaml")


def test_numbers_that_are_read_as_they_are_written_are_taken(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text('a: [0, -1, 2_000, 0.5, 1.0e-3, "1e-3", "010", "12:30", 0x10, 08]\n')
    assert read_config(path)["a"] == [0, -1, 2000, 0.5, 0.001, "1e-3", "010", "12:30", 16, "08"]


def test_anchors_merges_and_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("\ufeffa: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}\ne: *x\n", encoding="utf-8")
    assert read_config(path) == {
        "a": {"b": 1, "c": 2},
        "d": {"b": 3, "c": 2},
        "e": {"b": 1, "c": 2},
    }


@pytest.mark.parametrize("path", [ROOT / "config.yaml", *(ROOT / "workflow/config").glob("*.yaml")])
def test_the_studies_of_the_project_are_read_as_yaml_reads_them(path):
    config = read_config(path)
    assert config == yaml.safe_load(path.read_text())
    check_config(config, SCHEMA)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": None}, r"models: None is not of type 'object' \(landmark models by name"),
        ({"models": {}}, "models: {} should be non-empty"),
        ({"models": {"dan": None}}, "models.dan: None is not of type 'object'"),
        (
            {"training_sed": 1},
            "top level: .*'training_sed' was unexpected.*use one of .*training_seed",
        ),
        ({"results": 2019}, "results: 2019 is not of type 'string'"),
        ({"results": "a{b}"}, "results: 'a{b}' has braces, which Snakemake takes for wildcards"),
        ({"data": "a\nb"}, r"data: 'a\\nb' has a line break"),
        ({"results": "-x"}, r"results: '-x' begins with -; write ./-x"),
        ({"data": "~/faces"}, "data: '~/faces' begins with ~"),
        ({"results": " a"}, "results: ' a' begins or ends with a blank"),
        ({"results": str(ROOT / "README.md")}, r"README.md is a file; name a folder"),
        ({"training_seed": 1.0}, "training_seed: 1.0 is not of type 'integer'"),
        ({"training_seed": 2**40}, "training_seed: 1099511627776 is greater than the maximum"),
        ({"models": {"mean-shape": {}}}, "models: 'mean-shape' does not .* small letters, digits"),
    ],
)
def test_a_wrong_value_is_refused_by_key_in_one_line(change, message):
    with pytest.raises(ValueError, match=message) as caught:
        check_config(read_config(ROOT / "config.yaml") | change, SCHEMA)
    assert "\n" not in str(caught.value)


def test_a_false_match_rate_is_asked_for_once_for_it_is_a_key_of_the_metrics():
    config = read_config(ROOT / "config.yaml")
    config["evaluation"]["tar_at_far"] = [0.1, 0.10]
    with pytest.raises(ValueError, match=r"evaluation.tar_at_far: .*non-unique"):
        check_config(config, SCHEMA)


@pytest.mark.parametrize("block", yaml.safe_load(SCHEMA.read_text())["required"])
def test_a_missing_block_is_refused_by_name(block):
    config = read_config(ROOT / "config.yaml")
    del config[block]
    with pytest.raises(ValueError, match=f"top level: '{block}' is a required property"):
        check_config(config, SCHEMA)


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        ("right_eye", [330, 42], "points.right_eye: .330, 42. lies outside the aligned face"),
        ("right_eye", [0.3, 0.33], "points.right_eye.* 0.3.* is less than the minimum of 1"),
        ("right_eye", [79, 42], r"left_eye \[79, 42\] must lie at least 4 px right of right_eye"),
        ("left_mouth_corner", [20, 94], "left_mouth_corner .* right of right_mouth_corner"),
        ("left_eye", [79, 99], "an eye lies below nose_base"),
        ("left_mouth_corner", [74.5, 42], "the mouth lies above nose_base"),
    ],
)
def test_canonical_points_that_are_no_face_are_refused(name, place, message):
    config = read_config(ROOT / "config.yaml")
    config["alignment"]["points"][name] = place
    with pytest.raises(ValueError, match=message):
        check_config(config, SCHEMA)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"adapter": "csv"}, "adapter: 'csv' is not one of .'simulator', 'table'."),
        ({"seed": "x"}, "seed: 'x' is not of type 'integer'"),
        ({"chunks": 8.0}, "chunks: 8.0 is not of type 'integer'"),
        ({"box": {"source": "derived", "width": 230}}, "box.width: 230 is greater than .* 10"),
        ({"manifest": "x.csv"}, "'manifest' was unexpected.; use one of adapter, seed, chunks"),
    ],
)
def test_what_is_wrong_in_a_dataset_is_named_where_it_is(change, message):
    config = read_config(ROOT / "config.yaml")
    config["datasets"]["simulated"].update(change)
    with pytest.raises(ValueError, match=f"^datasets.simulated.*{message}"):
        check_config(config, SCHEMA)


def test_a_manifest_with_braces_is_refused_by_its_dataset():
    config = read_config(ROOT / "workflow/config/london60.yaml")
    config["datasets"]["london60"]["manifest"] = "{x}.csv"
    with pytest.raises(
        ValueError, match=re.escape("datasets.london60.manifest: '{x}.csv' has braces")
    ):
        check_config(config, SCHEMA)


@pytest.mark.parametrize(
    "name", ["my results", "r;touch X", "it's", '"a"', "a[1]", "$HOME", "a&b", "é"]
)
def test_blanks_quotes_and_other_characters_of_a_shell_are_taken(name):
    check_folder("results", name)


def test_an_unknown_detector_is_refused_with_the_known_ones():
    check_detector("x", "dan")
    for wrong in ("dna", "_loop", "../os", 3):
        with pytest.raises(ValueError, match=r"no detector .* use one of dan, ert, mean_shape"):
            check_detector("models.x", wrong)
