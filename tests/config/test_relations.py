"""Settings that do not fit each other are refused by the first dry run, as their code does."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest

from thermalign.config.models import check_study
from thermalign.config.yaml_files import read_yaml
from thermalign.settings import unmet

DEFAULT = read_yaml(Path(__file__).parents[2] / "config.yaml")
VOLUMES = "datasets.simulated.settings.volumes"


def refusal(*place_and_value):
    """Return the one line that the default study with another value is refused in."""
    *place, key, value = place_and_value
    config = copy.deepcopy(DEFAULT)
    block = config
    for part in place:
        block = block.setdefault(part, {}) if isinstance(part, str) else block[part]
    block[key] = value
    with pytest.raises(ValueError, match=":") as caught:
        check_study(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"inner": 5}, "inner is 5.0; give less than outer, which is 3.0"),
        ({"outer": 1}, "inner is 1.0; give less than outer, which is 1.0"),
        ({"inner": 2, "outer": 1.5}, "inner is 2.0; give less than outer, which is 1.5"),
    ],
)
def test_the_inner_gaussian_is_the_narrower_one(block, message):
    assert refusal("matcher", "dog", block) == f"matcher.dog: {message}"
    assert refusal("ablation", "a", {"dog": block}) == f"ablation.a.dog: {message}"
    assert refusal("sweep", "a", {"dog": block}) == f"sweep.a.dog: {message}"


@pytest.mark.parametrize("model", ["dan", "heatmap", "pbc", "mtcnn", "ert"])
@pytest.mark.parametrize("window", [[40, 20], [20, 20]])
def test_a_window_rises(model, window):
    wanted = f"models.{model}: window is {window[0]}, {window[1]}; give the lower value first"
    assert refusal("models", model, "window", window) == wanted


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"model": "dan", "heatmap_window": 113}, "heatmap_window is 113; give 1 to 112, the"),
        ({"model": "dan", "input_size": 16}, "heatmap_window is 17; give 1 to 16, the input_size"),
        ({"model": "mtcnn", "losses": "landmarks"}, "losses is landmarks, which finds no faces"),
        ({"model": "mtcnn", "part_iou": 0.7}, "part_iou and positive_iou are 0.3, 0.7 and 0.65;"),
        ({"model": "mtcnn", "negative_iou": 0.5}, "negative_iou, part_iou and positive_iou are"),
    ],
)
def test_settings_of_a_model_fit_each_other(block, message):
    line = refusal("models", "another", block)
    assert line.startswith("models.another: ")
    assert message in line


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("thermal_images", 5, "thermal_images is 5; give 0, or at least one for each of the 24 sa"),
        ("ranges", [], "has no images; give it ranges and samples"),
        ("ranges", [2, 3], "visible_ranges is [1]; choose once each of [2, 3], the ranges"),
        ("visible_ranges", [1, 4], None),
    ],
)
def test_a_volume_has_images_at_its_ranges(key, value, message):
    line = refusal("datasets", "simulated", "settings", "volumes", 0, key, value)
    assert line.startswith(f"{VOLUMES}[0]: {message}" if message else f"{VOLUMES}[0].{key}[1]: 4")


def test_relations_are_told_with_the_values_that_do_not_hold():
    relations = (("a < b", "a is {a:g}"), ("len(c) == 2", "c is {c}"))
    assert list(unmet(relations, {"a": 1.0, "b": 2, "c": (1, 2)})) == []
    assert list(unmet(relations, {"a": 3.0, "b": 2, "c": (1,)})) == ["a is 3", "c is [1]"]


def test_relations_are_checked_without_pytorch():
    program = """
import sys
from pathlib import Path
from thermalign.config.models import read_study
try:
    read_study([Path("config.yaml")], {"matcher": {"dog": {"inner": 9}}})
except ValueError as error:
    print(error, "torch" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert "matcher.dog: inner is 9.0" in done.stdout
    assert done.stdout.endswith("False\n")
