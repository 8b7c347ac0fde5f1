"""YAML is read strictly and refused in one line that names file, place and cure."""

import pytest

from thermalign.config.yaml_files import read_yaml


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
        read_yaml(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_configuration_that_is_no_file_or_no_text_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(ValueError, match="no such configuration; name one with --configfile"):
            read_yaml(path)
    (tmp_path / "c.yaml").write_bytes("a: \xe9".encode("latin-1"))
    with pytest.raises(ValueError, match=r"c\.yaml: is not UTF-8 text .* save it as UTF-8"):
        read_yaml(tmp_path / "c.yaml")


def test_numbers_that_are_read_as_they_are_written_are_taken(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text('a: [0, -1, 2_000, 0.5, 1.0e-3, "1e-3", "010", "12:30", 0x10, 08]\n')
    assert read_yaml(path)["a"] == [0, -1, 2000, 0.5, 0.001, "1e-3", "010", "12:30", 16, "08"]


def test_anchors_merges_and_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("\ufeffa: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}\ne: *x\n", encoding="utf-8")
    assert read_yaml(path) == {
        "a": {"b": 1, "c": 2},
        "d": {"b": 3, "c": 2},
        "e": {"b": 1, "c": 2},
    }
